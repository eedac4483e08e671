/* SPDX-License-Identifier: Apache-2.0 */
/* conversation.h: plays a written conversation between a session and a broker, and checks every byte and event.
 *
 * A file *.talk holds many, each beginning with a line "test NAME". The name says by "5:" and "3.1.1:" which versions
 * it is for, and cites the statements that it proves. Lines:
 *
 *	config WORDS             before the first start; see conversation_config
 *	start | up [WORDS]       up: start, CONNECT, CONNACK with WORDS, event up
 *	< PACKET                 bytes from the broker, as packet_text.h writes them; "hex" for raw ones
 *	> PACKET                 bytes the session must have put out next
 *	event TEXT               the event it must have given next, as conversation.c writes it
 *	publish OP WORDS         qos= topic= payload= retain @properties; OP "-" is none
 *	republish OP             what a REQUEUE gave back
 *	subscribe OP filter=F:OPTIONS ... | unsubscribe OP filter=F ...
 *	disconnect [reason=] [@properties] | down | forget | at MILLISECONDS | tick | deadline MILLISECONDS|never
 *	hold | send N | release  output is left alone; N bytes of it reach the transport; all of it does
 *	lose                     what was put out never reached anybody
 *	inflight N | unanswered N | unsent N
 *
 * "-> SLUG" behind a request is the code it must return; ok otherwise. "5|" or "3|" before a line: for that version
 * only. Whatever is put out or told without a line for it fails the test. */
#ifndef SKIFF_TESTS_CONVERSATION_H
#define SKIFF_TESTS_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>

struct conversation {
	const char *file;
	char *name;
	unsigned line; /* of its name */
	char **lines;
	size_t count;
	bool v5, v311;
};

/* How the broker's bytes arrive: all that is there at once; in pieces of `split` bytes; cut once, before byte `split`
 * of the conversation. */
enum chunking { CHUNK_WHOLE, CHUNK_PIECES, CHUNK_CUT };

/* Plays it; a difference fails the running test. Returns the bytes of input there were. */
size_t conversation_play(const struct conversation *conversation, int version, enum chunking chunking, size_t split);

/* Reads a file; the list ends with the count. Aborts when it cannot. */
struct conversation *conversations_read(const char *file, size_t *count);
void conversations_free(struct conversation *list, size_t count);

#endif
