/* SPDX-License-Identifier: Apache-2.0 */
/* cases.h: packets as rows of a table, each run as a test of its own.
 *
 * An accepted row is framed from every prefix, decoded, encoded again to the same bytes, and cut at every length. A
 * refused row is a valid packet with one rule broken: the reason must be the one given, and the rule that the decoder
 * names must hold every statement's id that stands in the row's name in brackets; one in parentheses is kept too, by a
 * check that serves others. */
#ifndef TESTS_CODEC_CASES_H
#define TESTS_CODEC_CASES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/packet.h"

#define V3           SKIFFI_V311
#define V5           SKIFFI_V5
#define CLIENT       SKIFFI_FROM_CLIENT
#define SERVER       SKIFFI_FROM_SERVER
#define BODY(text)   text, sizeof(text) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The row is accepted, but is not the form that the encoder chooses. */
enum { LOOSE = 0x100 };

struct packet_case {
	const char *name;
	enum skiffi_protocol v;
	enum skiffi_sender sender;
	uint8_t first; /* first byte of the packet; the length behind it is written by the harness */
	const char *body;
	size_t body_len;
	uint8_t reason; /* 0: accepted */
	int shorter;    /* accepted: how many proper prefixes of the body are valid packets too; perhaps with LOOSE */
};

/* Runs the rows and then `more`; the program's exit status. With SKIFF_CORPUS set, the rows are written to that folder
 * as input for the packet fuzzer. */
int cases_run(const char *group, const struct packet_case *rows, size_t count, const struct CMUnitTest *more,
	size_t more_count);

/* The frame of `len` bytes of whole packet; fails the test when they are not exactly that. */
struct skiffi_frame whole_frame(const void *packet, size_t len);

/* Checks what an encoder has written, and empties the buffer. */
void assert_written(struct skiffi_buffer *out, const void *bytes, size_t len);

void assert_bytes(struct skiff_bytes view, const char *text);

#endif
