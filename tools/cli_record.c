/* SPDX-License-Identifier: Apache-2.0 */
/* cli_record.c: a message as one line of JSON. Here it is written; cli_record_read.c reads it. */
#include "cli_record.h"
#include "cli_format.h"
#include "cli_text.h"
#include <string.h>

/* ---- strings ---- */

/* Bytes from `at` on that stand in a JSON string as they are. */
static size_t plain_len(const unsigned char *at, size_t len)
{
	size_t plain = 0;
	while (plain < len && at[plain] >= ' ' && at[plain] < 0x7f && at[plain] != '"' && at[plain] != '\\')
		plain++;
	return plain;
}

static bool record_is_text(struct skiff_bytes bytes)
{
	const unsigned char *at = bytes.data;
	for (size_t left = bytes.len; left;) {
		size_t len = plain_len(at, left);
		if (!len)
			len = *at ? cli_utf8_length(at, left) : 0;
		if (!len)
			return false;
		at += len;
		left -= len;
	}
	return true;
}

/* Of UTF-8. What a terminal obeys is escaped, as a reader who is a program takes it back. */
static void record_string(struct cli_buffer *out, struct skiff_bytes text)
{
	const unsigned char *at = text.data;
	cli_buffer_byte(out, '"');
	for (size_t left = text.len; left;) {
		size_t len = plain_len(at, left);
		cli_buffer_add(out, at, len);
		at += len;
		left -= len;
		if (!left)
			break;
		size_t whole = cli_utf8_length(at, left);
		len = whole ? whole : 1;
		if (*at == '"' || *at == '\\')
			cli_buffer_print(out, "\\%c", *at);
		else if (*at < ' ' || *at == 0x7f || (whole > 1 && cli_utf8_is_hostile(at, whole)))
			cli_buffer_print(out, "\\u%04x", cli_utf8_point(at, whole));
		else
			cli_buffer_add(out, at, len);
		at += len;
		left -= len;
	}
	cli_buffer_byte(out, '"');
}

/* `"name":"text"`, or `"name_base64":"..."` for what is no text. */
static void record_bytes(struct cli_buffer *out, const char *name, struct skiff_bytes bytes)
{
	bool text = record_is_text(bytes);
	cli_buffer_print(out, "\"%s%s\":", name, text ? "" : "_base64");
	if (text) {
		record_string(out, bytes);
		return;
	}
	cli_buffer_byte(out, '"');
	cli_format_base64(out, bytes);
	cli_buffer_byte(out, '"');
}

/* ---- properties ---- */

static void record_number(struct cli_buffer *out, const struct skiff_properties *properties, uint32_t has,
	const char *name, uint32_t value)
{
	if (properties->has & has)
		cli_buffer_print(out, "\"%s\":%u,", name, value);
}

static void record_text(struct cli_buffer *out, const char *name, struct skiff_bytes text)
{
	if (!text.data)
		return;
	cli_buffer_print(out, "\"%s\":", name);
	record_string(out, text);
	cli_buffer_byte(out, ',');
}

static void record_subscriptions(struct cli_buffer *out, const struct skiff_properties *properties)
{
	uint32_t id;
	if (!(properties->has & SKIFF_HAS_SUBSCRIPTION_ID))
		return;
	cli_buffer_add(out, "\"subscription_ids\":[", 20);
	for (size_t i = 0; (id = skiff_subscription_id_at(properties, i)); i++)
		cli_buffer_print(out, "%s%u", i ? "," : "", id);
	cli_buffer_add(out, "],", 2);
}

static void record_user(struct cli_buffer *out, const struct skiff_properties *properties)
{
	struct skiff_user_property pair;
	if (!skiff_user_property_at(properties, 0, &pair))
		return;
	cli_buffer_add(out, "\"user\":[", 8);
	for (size_t i = 0; skiff_user_property_at(properties, i, &pair); i++) {
		cli_buffer_add(out, ",[", i ? 2 : 0);
		cli_buffer_add(out, "[", i ? 0 : 1);
		record_string(out, pair.name);
		cli_buffer_byte(out, ',');
		record_string(out, pair.value);
		cli_buffer_byte(out, ']');
	}
	cli_buffer_add(out, "],", 2);
}

static void record_properties(struct cli_buffer *out, const struct skiff_properties *properties)
{
	cli_buffer_add(out, ",\"properties\":{", 15);
	size_t before = out->len;
	record_number(out, properties, SKIFF_HAS_PAYLOAD_FORMAT, "payload_format", properties->payload_format);
	record_number(out, properties, SKIFF_HAS_MESSAGE_EXPIRY, "message_expiry_s", properties->message_expiry_s);
	record_number(out, properties, SKIFF_HAS_TOPIC_ALIAS, "topic_alias", properties->topic_alias);
	record_text(out, "content_type", properties->content_type);
	record_text(out, "response_topic", properties->response_topic);
	if (properties->correlation_data.data) {
		record_bytes(out, "correlation_data", properties->correlation_data);
		cli_buffer_byte(out, ',');
	}
	record_subscriptions(out, properties);
	record_user(out, properties);
	if (out->len > before)
		out->len--; /* the last comma */
	cli_buffer_byte(out, '}');
}

/* ---- the line ---- */

static void record_time(struct cli_buffer *out, const struct timespec *when)
{
	static _Thread_local time_t second;
	static _Thread_local char text[32];
	if (!text[0] || when->tv_sec != second) {
		struct tm utc;
		gmtime_r(&when->tv_sec, &utc);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
		second = when->tv_sec;
	}
	cli_buffer_print(out, "{\"schema\":\"skiff.message/1\",\"time\":\"%s.%09ldZ\",\"topic\":", text, when->tv_nsec);
}

void cli_record_append(struct cli_buffer *out, const struct skiff_message *message, const struct timespec *when)
{
	record_time(out, when);
	record_string(out, message->topic);
	cli_buffer_print(out, ",\"qos\":%u,\"retain\":%s", message->qos, message->retain ? "true" : "false");
	if (message->packet_id)
		cli_buffer_print(out, ",\"packet_id\":%u", message->packet_id);
	if (message->properties)
		record_properties(out, message->properties);
	cli_buffer_byte(out, ',');
	record_bytes(out, "payload", message->payload);
	cli_buffer_add(out, "}\n", 2);
}
