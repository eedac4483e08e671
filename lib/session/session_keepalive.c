/* SPDX-License-Identifier: Apache-2.0 */
/* session_keepalive.c: PINGREQ, and the silence that ends a connection [MQTT 5, 3.1.2.10, 3.12].
 *
 * Something must leave within the keep-alive; when nothing has, PINGREQ does. No sign of life for the ping timeout
 * after that means that the peer is gone, also when our bytes are stuck and the PINGREQ with them. */
#include "session/session_internal.h"

/* How long before its time a PINGREQ is written: a tenth, at most a second, so that it leaves in time. */
static int64_t keepalive_interval_us(const struct skiffi_session *session)
{
	int64_t whole = (int64_t)session->broker.limits.keep_alive_s * 1000000;
	int64_t early = whole / 10 < 1000000 ? whole / 10 : 1000000;
	return whole - early;
}

/* When silence becomes an end: any byte from the peer puts it off. */
static int64_t keepalive_end_us(const struct skiffi_session *session)
{
	int64_t since = session->last_in_us > session->ping_sent_us ? session->last_in_us : session->ping_sent_us;
	return since + session->config->ping_timeout_us;
}

int64_t skiffi_session_deadline(const struct skiffi_session *session)
{
	if (session->state != SESSION_UP || !session->broker.limits.keep_alive_s)
		return SKIFFI_NEVER;
	/* An answer that is long on its way, behind other packets, does not put off the next PINGREQ [MQTT-3.1.2-20].
	 */
	int64_t since = session->last_out_us > session->ping_last_us ? session->last_out_us : session->ping_last_us;
	int64_t next = since + keepalive_interval_us(session);
	if (session->ping_sent_us == SKIFFI_NEVER)
		return next;
	return keepalive_end_us(session) < next ? keepalive_end_us(session) : next;
}

void skiffi_session_tick(struct skiffi_session *session, int64_t now_us)
{
	if (now_us < skiffi_session_deadline(session))
		return;
	if (session->ping_sent_us != SKIFFI_NEVER && now_us >= keepalive_end_us(session)) { /* [MQTT-3.12.4-1] */
		skiffi_session_fault(session, SKIFF_MQTT_KEEP_ALIVE, 0,
			"the broker went silent: nothing came for %lld ms after a PINGREQ; the network or the broker "
			"is gone",
			(long long)(session->config->ping_timeout_us / 1000));
		return;
	}
	if (!skiffi_buffer_len(&session->partial) && !session->partial_used) /* quiet times need no memory */
		skiffi_buffer_release(&session->partial);
	size_t before = session->output.bytes.tail;
	if (!skiffi_session_wrote(session, before, skiffi_ping_encode(&session->output.bytes, SKIFFI_PINGREQ)))
		return;
	session->ping_last_us = now_us;
	if (session->ping_sent_us == SKIFFI_NEVER)
		session->ping_sent_us = now_us;
}

enum session_step skiffi_session_on_pingresp(struct skiffi_session *session, const struct skiffi_frame *frame)
{
	struct skiffi_refusal why = {0};
	if (!skiffi_ping_decode(frame, &why))
		skiffi_session_refuse(session, frame, &why);
	session->ping_sent_us = SKIFFI_NEVER;
	return STEP_QUIET;
}
