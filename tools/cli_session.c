/* SPDX-License-Identifier: Apache-2.0 */
/* cli_session.c: a client of the library from connect to disconnect. */
#include "cli_session.h"
#include "check_explain.h"
#include "cli_exit.h"
#include "cli_stop.h"
#include "commands.h"
#include <skiff/log.h>
#include <stdio.h>

enum { GRACE_MS = 1000, GRACE_SLACK_MS = 2000, LOOK_MS = 250, AGAIN_MS = 1000 };

/* Whether one more failure is one too many. */
static bool session_gives_up(struct cli_session *session)
{
	long long retry = session->params->retry;
	return ++session->failures > retry && retry > 0;
}

/* Mosquitto's clients connect again without a word. */
static void session_lost(struct cli_session *session, const char *what, const struct skiff_event *event)
{
	const char *text = event->error ? event->error->text : "";
	if (event->retry_ms >= 0 && !session_gives_up(session)) {
		if (!session->context->mosquitto)
			cli_say(session->context, "%s%s; next attempt in %.1f s", what, text, event->retry_ms / 1000.0);
		return;
	}
	if (event->error)
		cli_exit_note(event->error);
	cli_say(session->context, "%s%s", what, text);
	cli_stop(event->error ? cli_exit_for(event->error->code) : CLI_EXIT_FAILURE);
}

static void session_connected(struct cli_session *session)
{
	struct skiff_connection connection;
	cli_exit_note_connected();
	session->failures = 0;
	if (atomic_exchange(&session->connected_once, true) && !session->context->mosquitto)
		cli_say(session->context, "connected again");
	if (!atomic_load(&session->params->log_id))
		return;
	skiff_client_connection(session->client, &connection);
	snprintf(session->log_id, sizeof(session->log_id), "%s", connection.client_id);
	if (*session->log_id)
		atomic_store(&session->params->log_id, session->log_id);
	cli_client_log_connack(session->params);
}

static void session_event(struct skiff_client *client, const struct skiff_event *event, void *user)
{
	struct cli_session *session = user;
	bool ours = event->error && event->error->code == SKIFF_CLOSED;
	(void)client;
	switch (event->kind) {
	case SKIFF_EVENT_CONNECTING:
		break;
	case SKIFF_EVENT_CONNECTED:
		session_connected(session);
		break;
	case SKIFF_EVENT_FAILED:
		cli_client_log_connack(session->params);
		if (atomic_load(&session->connected_once) && !ours)
			session_lost(session, "cannot connect again: ", event);
		else if (session->params->retry && event->retry_ms >= 0 && !ours)
			session_lost(session, "", event);
		break;
	case SKIFF_EVENT_DISCONNECTED:
		if (!ours)
			session_lost(session, "connection lost: ", event);
		break;
	case SKIFF_EVENT_SESSION_LOST:
		cli_warn(session->context,
			"the broker no longer knew the session; %zu messages of QoS 2 may not have arrived",
			event->lost);
		break;
	case SKIFF_EVENT_TLS_RENEWED: /* the library's log tells of these */
	case SKIFF_EVENT_TLS_STALE:
	case SKIFF_EVENT_TLS_EXPIRING:
		break;
	}
}

/* SIGHUP. On the thread that waits for signals, with its lock held: files are short. */
static void session_read_again(void *user)
{
	struct cli_session *session = user;
	struct skiff_error error;
	if (!session->tls)
		return;
	if (skiff_tls_reload(session->client, &error) == SKIFF_OK)
		cli_say(session->context, "certificates were read again, for the next connection");
	else
		cli_say(session->context, "%s; what was read before stays in use", error.text);
}

static struct skiff_token *session_disconnect(struct cli_session *session, uint8_t reason)
{
	const struct skiff_properties *given = cli_property_of(&session->params->properties, CLI_PACKET_DISCONNECT);
	struct skiff_disconnect_options how = {.reason = reason};
	if (given)
		how.properties = *given;
	return skiff_disconnect(session->client, GRACE_MS, given || reason ? &how : NULL);
}

/* What the command is waiting for ends with SKIFF_CLOSED, or where the session is kept goes on with that next time. */
static void session_stop(void *user)
{
	struct cli_session *session = user;
	if (session->leaves && cli_stop_code() == CLI_EXIT_OK)
		return;
	session->ending = session_disconnect(session, cli_stop_code() == CLI_EXIT_OK ? 0 : session->stop_reason);
}

/* That the door speaks something else shows at TLS where there is TLS, and else at MQTT. */
static int session_exit(struct cli_session *session, const struct skiff_error *error)
{
	struct skiff_connection connection;
	skiff_client_connection(session->client, &connection);
	bool at_tls = error->code == SKIFF_WRONG_PROTOCOL && session->tls && connection.phases.tls_us < 0;
	return at_tls ? CLI_EXIT_TLS : cli_exit_for(error->code);
}

/* Of the first attempt, or of all that --retry allows. */
static int session_refused(struct cli_session *session, const struct skiff_error *error, struct cli_client_setup *setup)
{
	int stopped = cli_stop_code();
	if (stopped < 0 && error->code != SKIFF_OK) {
		cli_exit_note(error);
		cli_say(session->context, "%s", error->text);
	}
	bool ended = stopped == CLI_EXIT_INTERRUPTED || stopped == CLI_EXIT_TERMINATED || stopped == CLI_EXIT_TIMEOUT;
	if (error->code != SKIFF_OK && session->params->explain && !ended)
		check_explain(&setup->options);
	return stopped >= 0 ? stopped : session_exit(session, error);
}

static struct skiff_error session_connect(struct cli_session *session)
{
	struct skiff_token *token = skiff_connect(session->client);
	skiff_token_wait(token, -1);
	struct skiff_error error = *skiff_token_error(token);
	skiff_token_free(token);
	return error;
}

/* For mosquitto_sub a connection is made when TCP is, and one that ends later is made anew, as long as it takes. */
static bool session_tries_again(const struct cli_session *session, const struct skiff_error *error, bool *told)
{
	const struct cli_context *context = session->context;
	bool ended =
		error->code == SKIFF_MQTT_CLOSED || error->code == SKIFF_TCP_CLOSED || error->code == SKIFF_TCP_RESET;
	if (!context->mosquitto || context->command != &cmd_sub || !ended || session->params->no_reconnect)
		return false;
	if (!*told)
		cli_say(context, "%s; trying again", error->text);
	*told = true;
	return cli_stop_pause(AGAIN_MS);
}

int cli_session_open(struct cli_session *session, const struct cli_context *context, struct cli_client_params *params,
	struct cli_client_setup *setup)
{
	struct skiff_options *options = &setup->options;
	struct skiff_error error;
	session->context = context;
	session->params = params;
	session->tls = cli_client_url_has_tls(options->url);
	atomic_init(&session->connected_once, false);
	options->on_event = session_event;
	options->handlers_in_waits = true;
	options->user = session;
	session->client = skiff_client_new(options, &error);
	if (!session->client) {
		const char *option = cli_tls_directory_option(&options->tls, error.detail);
		cli_say(context, option ? "%s; give it by '%s'" : "%s", error.text, option);
		if (params->explain)
			check_explain(options);
		return cli_exit_for(error.code);
	}
	int code = session->ask ? session->ask(session) : CLI_EXIT_OK;
	if (code != CLI_EXIT_OK)
		return code;
	cli_stop_notify(session_stop, session);
	cli_stop_on_hangup(session_read_again, session);
	bool told = false;
	do {
		error = session_connect(session);
	} while (session_tries_again(session, &error, &told));
	return session_refused(session, &error, setup);
}

enum skiff_code cli_session_wait(struct skiff_token *token)
{
	enum skiff_code code;
	while ((code = skiff_token_wait(token, LOOK_MS)) == SKIFF_TIMEOUT && !skiff_token_done(token))
		if (cli_stop_code() >= 0)
			return skiff_token_wait(token, GRACE_MS + GRACE_SLACK_MS);
	return code;
}

int cli_session_failed(struct cli_session *session, const struct skiff_error *error, const char *subject)
{
	int stopped = cli_stop_code();
	if (stopped >= 0)
		return stopped;
	cli_exit_note(error);
	cli_say(session->context, "%s%s%s", subject, *subject ? ": " : "", error->text);
	return cli_exit_for_operation(error->code);
}

void cli_session_close(struct cli_session *session)
{
	if (!session->client)
		return;
	cli_stop_notify(NULL, NULL);
	cli_stop_on_hangup(NULL, NULL);
	if (!session->ending && !session->leaves)
		session->ending = session_disconnect(session, 0);
	if (session->ending)
		skiff_wait(session->ending, GRACE_MS + GRACE_SLACK_MS);
	skiff_client_free(session->client);
	session->client = NULL;
	skiff_log_set(SKIFF_LOG_NONE, NULL, NULL); /* its words go to parameters that are freed next */
}
