/* SPDX-License-Identifier: Apache-2.0 */
/* cli_print.h: messages on standard output, as `sub` and `rr` print them.
 *
 * Messages that came together leave in one write: cli_print_message gathers, cli_print_flush writes, which belongs into
 * the library's on_batch. */
#ifndef SKIFF_CLI_PRINT_H
#define SKIFF_CLI_PRINT_H

#include "cli_client.h"
#include "cli_format.h"

/* The options of cli_print_options. */
struct cli_print_params {
	const char *format;
	bool verbose, no_newline, pretty, raw, json, binary_safe;
	int payload; /* enum cli_print_payload */
};

enum cli_print_payload { CLI_PAYLOAD_AS_IS, CLI_PAYLOAD_HEX, CLI_PAYLOAD_BASE64 };

enum { CLI_PRINT_OPTIONS = 8 };
extern const struct cli_option cli_print_options[CLI_PRINT_OPTIONS];
#define CLI_PRINT_GROUP(title, base) \
	{ \
		(title), cli_print_options, CLI_PRINT_OPTIONS, (base) \
	}

struct cli_print_watched;

struct cli_print {
	const struct cli_context *context;
	const struct cli_print_params *params;
	struct cli_format_options options;
	bool colour;
	struct cli_buffer out;
	void *watched; /* topics and their lines on the screen: a tree of tsearch */
	int watched_lines;
	const char *fault; /* said once */
};

/* Checks the options, and whether standard output is a terminal, where what a stranger wrote is escaped. Result: an
 * exit code, after saying what went wrong. */
int cli_print_begin(struct cli_print *print, const struct cli_context *context, const struct cli_print_params *params,
	const struct cli_client_params *client);

/* Has each topic stand in a line of its own on the screen, under one that names the broker. */
void cli_print_watch(struct cli_print *print, const char *broker);

/* Result: 0, or an errno. */
int cli_print_message(struct cli_print *print, const struct skiff_message *message);
int cli_print_flush(struct cli_print *print);

void cli_print_end(struct cli_print *print);

#endif
