/* SPDX-License-Identifier: Apache-2.0 */
/* cli_exit.h: the exit codes of every command, as one table; help, man page and code come from it. */
#ifndef SKIFF_CLI_EXIT_H
#define SKIFF_CLI_EXIT_H

#include <skiff/error.h>
#include <stdbool.h>

/* X(NAME, code, text) */
#define CLI_EXITS(X) \
	X(OK, 0, "all went well") \
	X(FAILURE, 1, "another failure, such as no memory") \
	X(USAGE, 2, "the command line asks for what cannot be") \
	X(FILE, 10, "a file, key or certificate on this side") \
	X(DNS, 11, "the host name could not be resolved") \
	X(TCP, 12, "no TCP or Unix socket connection, or it broke") \
	X(PROXY, 13, "the proxy") \
	X(TLS, 14, "the TLS handshake or a certificate of the server") \
	X(WEBSOCKET, 15, "the WebSocket upgrade") \
	X(MQTT, 16, "MQTT: the broker refused the connection, or broke the protocol") \
	X(REFUSED, 17, "a publication or subscription was refused, or a message did not come back") \
	X(OUTPUT, 18, "standard output could not be written, as when a disk is full") \
	X(EXPECTATION, 20, "a door did not do what 'compare' was told to expect of it") \
	X(SLO, 21, "a time limit of --slo was exceeded") \
	X(TIMEOUT, 27, "time ran out") \
	X(HANGUP, 129, "ended by SIGHUP: the terminal has gone") \
	X(INTERRUPTED, 130, "ended by SIGINT, after a proper DISCONNECT") \
	X(PIPE, 141, "the reader of standard output has gone; nothing is said") \
	X(TERMINATED, 143, "ended by SIGTERM, after a proper DISCONNECT")

enum cli_exit {
#define CLI_EXIT_ENUM(name, code, text) CLI_EXIT_##name = (code),
	CLI_EXITS(CLI_EXIT_ENUM)
#undef CLI_EXIT_ENUM
};

/* Whose codes the process ends with. A command always works with the ones above; the others are made of them, and of
 * the error behind, at the very end. */
enum cli_exit_codes { CLI_EXIT_CODES_SKIFF, CLI_EXIT_CODES_MOSQUITTO };
void cli_exit_choose(enum cli_exit_codes codes);

/* Remembers the first error of the library, and whether a broker took the connection. Any thread. */
void cli_exit_note(const struct skiff_error *error);
void cli_exit_note_connected(void);

/* What the process is to end with where a command ended with `code`. `subscriber`: SIGINT and SIGTERM are a proper end,
 * once connected. */
int cli_exit_spoken(int code, bool subscriber);

/* The exit code for a failure of the library. */
int cli_exit_for(enum skiff_code code);

/* The same for a publication or subscription on a connection that stands: what MQTT refuses there is CLI_EXIT_REFUSED.
 */
int cli_exit_for_operation(enum skiff_code code);

#endif
