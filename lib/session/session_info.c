/* SPDX-License-Identifier: Apache-2.0 */
/* session_info.c: questions to a session: what was negotiated, what is under way, what was counted. */
#include "session/session_internal.h"
#include <skiff/client.h>
#include <stdio.h>

struct skiff_error skiffi_session_error(const struct skiffi_session *session)
{
	return skiffi_error_kept(&session->error);
}

size_t skiffi_session_inflight(const struct skiffi_session *session)
{
	return session->inflight.messages;
}

size_t skiffi_session_unanswered(const struct skiffi_session *session)
{
	return session->inflight.others;
}

size_t skiffi_session_inflight_bytes(const struct skiffi_session *session)
{
	return session->inflight_bytes;
}

size_t skiffi_session_answers_bytes(const struct skiffi_session *session)
{
	return session->answers_bytes + session->answers_taken;
}

size_t skiffi_session_unsent(const struct skiffi_session *session)
{
	return (size_t)(session->output_end - session->output_sent);
}

struct skiffi_kept *skiffi_session_keep(struct skiffi_session *session, const struct skiff_message *message)
{
	return skiffi_kept_new(&session->pool, message);
}

void skiffi_session_unkeep(struct skiffi_session *session, struct skiffi_kept *kept)
{
	skiffi_kept_unref(&session->pool, kept);
}

static void session_copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

void skiffi_session_info(const struct skiffi_session *session, struct skiff_connection *connection)
{
	struct skiff_bytes id = session->config->connect.client_id;
	connection->mqtt_version = session->version;
	connection->session_present = session->broker.session_present;
	if (session->broker.client_id)
		session_copy_text(connection->client_id, sizeof connection->client_id, session->broker.client_id);
	else
		snprintf(connection->client_id, sizeof connection->client_id, "%.*s", (int)id.len,
			(const char *)id.data);
	skiffi_limits_info(&session->broker.limits, connection);
	connection->reason = session->broker.reason;
	session_copy_text(connection->reason_string, sizeof connection->reason_string, session->broker.reason_string);
	session_copy_text(
		connection->server_reference, sizeof connection->server_reference, session->broker.server_reference);
	session_copy_text(connection->response_information, sizeof connection->response_information,
		session->broker.response_information);
}

void skiffi_session_statistics(const struct skiffi_session *session, struct skiff_statistics *statistics)
{
	statistics->messages_out += session->messages_out;
	statistics->messages_in += session->messages_in;
	statistics->packets_out += session->packets_out;
	statistics->packets_in += session->packets_in;
	statistics->bytes_out += session->output_sent - session->output_lost;
	statistics->bytes_in += session->bytes_in;
	statistics->inflight += session->inflight.messages;
}
