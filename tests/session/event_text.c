/* SPDX-License-Identifier: Apache-2.0 */
#include "session/event_text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
	char text[4096];
	size_t len;
};

static void line_add(struct line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line_add(struct line *line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	line->len += (size_t)vsnprintf(line->text + line->len, sizeof line->text - line->len, format, args);
	va_end(args);
	if (line->len >= sizeof line->text)
		line->len = sizeof line->text - 1;
}

/* " key=value"; a long run of 'x' as its length. */
static void line_add_bytes(struct line *line, const char *key, struct skiff_bytes value)
{
	const unsigned char *at = value.data;
	size_t run = 0;
	while (run < value.len && at[run] == 'x')
		run++;
	if (value.len > 32 && run == value.len) {
		line_add(line, " %s=*%zu", key, value.len);
		return;
	}
	line_add(line, " %s=", key);
	for (size_t i = 0; i < value.len; i++) {
		if (isgraph(at[i]) && at[i] != '\\')
			line_add(line, "%c", at[i]);
		else
			line_add(line, "\\x%02x", at[i]);
	}
}

static void line_add_properties(struct line *line, const struct skiff_properties *p)
{
	struct skiff_user_property user;
	if (!p)
		return;
	if (p->has & SKIFF_HAS_PAYLOAD_FORMAT)
		line_add(line, " @payload-format=%u", p->payload_format);
	if (p->has & SKIFF_HAS_MESSAGE_EXPIRY)
		line_add(line, " @expiry=%u", p->message_expiry_s);
	if (p->content_type.data)
		line_add_bytes(line, "@content-type", p->content_type);
	if (p->response_topic.data)
		line_add_bytes(line, "@response-topic", p->response_topic);
	if (p->correlation_data.data)
		line_add_bytes(line, "@correlation", p->correlation_data);
	for (size_t i = 0; skiff_subscription_id_at(p, i); i++)
		line_add(line, " @subscription-id=%u", skiff_subscription_id_at(p, i));
	if (p->reason_string.data)
		line_add_bytes(line, "@reason-string", p->reason_string);
	for (size_t i = 0; skiff_user_property_at(p, i, &user); i++) {
		line_add_bytes(line, "@user", user.name);
		line_add(line, ":%.*s", (int)user.value.len, (const char *)user.value.data);
	}
}

static void line_add_message(struct line *line, const struct skiff_message *message)
{
	line_add(line, "message");
	line_add_bytes(line, "topic", message->topic);
	line_add_bytes(line, "payload", message->payload);
	if (message->qos)
		line_add(line, " qos=%u id=%u", message->qos, message->packet_id);
	line_add(line, "%s%s", message->retain ? " retain" : "", message->dup ? " dup" : "");
	line_add_properties(line, message->properties);
}

static void line_add_done(struct line *line, const struct skiffi_event *event, const char *op)
{
	const unsigned char *reasons = event->reasons.data;
	line_add(line, "done %s %s", op, skiff_code_slug(event->code));
	if (event->reason > 0)
		line_add(line, " 0x%02x", (unsigned)event->reason);
	for (size_t i = 0; i < event->reasons.len; i++)
		line_add(line, "%s%02x", i ? "," : " codes=", reasons[i]);
	line_add_properties(line, event->properties);
}

char *event_text(const struct skiffi_event *event, const char *op)
{
	struct line line = {.len = 0};
	switch (event->kind) {
	case SKIFFI_EVENT_UP:
		line_add(&line, "up%s%s%s", event->session_present ? " present" : "", event->code ? " " : "",
			event->code ? skiff_code_slug(event->code) : "");
		break;
	case SKIFFI_EVENT_MESSAGE:
		line_add_message(&line, &event->message);
		break;
	case SKIFFI_EVENT_DONE:
		line_add_done(&line, event, op);
		break;
	case SKIFFI_EVENT_REQUEUE:
		line_add(&line, "requeue %s", op);
		break;
	case SKIFFI_EVENT_AGAIN:
		line_add(&line, "again %s", op);
		break;
	case SKIFFI_EVENT_LOST:
		line_add(&line, "lost %s", op);
		break;
	case SKIFFI_EVENT_DOWN:
		line_add(&line, "down %s", skiff_code_slug(event->code));
		break;
	}
	return strdup(line.text);
}
