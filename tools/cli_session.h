/* SPDX-License-Identifier: Apache-2.0 */
/* cli_session.h: a client of the library from connect to disconnect, with a line on stderr for what happens between.
 * The first attempt must succeed; after that a lost connection is made again for ever, unless it cannot heal. --retry
 * sets one number for both. */
#ifndef SKIFF_CLI_SESSION_H
#define SKIFF_CLI_SESSION_H

#include "cli_client.h"
#include <skiff/client.h>
#include <stdatomic.h>

/* The first member of what a command keeps for its handlers: options.user points to it. */
struct cli_session {
	const struct cli_context *context;
	struct cli_client_params *params;
	struct skiff_client *client;
	/* Asks for what is to be sent as soon as there is a connection. NULL: nothing. Result: an exit code, after
	 * saying what went wrong. */
	int (*ask)(struct cli_session *session);
	bool leaves;         /* without DISCONNECT, once it is done */
	uint8_t stop_reason; /* of the DISCONNECT that a stop leads to */
	long long failures;  /* attempts to connect, since the last success; on the I/O thread only */
	char log_id[256];
	struct skiff_token *ending; /* of the disconnect that a stop began */
	atomic_bool connected_once;
	bool tls; /* there are certificates to read again */
};

/* Creates the client and connects; a stop disconnects it again. Sets on_event and user of the options. `params` and
 * `setup` must live until the session is closed. Result: an exit code, after saying what went wrong; whatever it is,
 * the session must be closed. */
int cli_session_open(struct cli_session *session, const struct cli_context *context, struct cli_client_params *params,
	struct cli_client_setup *setup);

/* Disconnects properly, where there is a connection, and frees. */
void cli_session_close(struct cli_session *session);

/* Waits for an operation's token. Once the command has been told to stop it waits no longer than the connection takes
 * to end: what a kept session goes on with next time has no end now. Then SKIFF_TIMEOUT. */
enum skiff_code cli_session_wait(struct skiff_token *token);

/* The exit code for an operation that ended in `error`: that of the stop if one came, else says the error. `subject`
 * stands before the sentence, "" for none. */
int cli_session_failed(struct cli_session *session, const struct skiff_error *error, const char *subject);

#endif
