/* SPDX-License-Identifier: Apache-2.0 */
/* cli_format_json.c: the message as JSON with the members that mosquitto_sub gives it, by the library that prints it
 * there, so that numbers and escapes come out alike. */
#include "cli_format.h"
#include "cli_text.h"
#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts, which end in NUL for cJSON ---- */

static cJSON *json_text(struct skiff_bytes text)
{
	char *copy = cli_text_copy(text.data, text.len);
	cJSON *item = copy ? cJSON_CreateString(copy) : NULL;
	free(copy);
	return item;
}

static bool json_is_text(struct skiff_bytes bytes)
{
	const char *at = bytes.data;
	for (size_t left = bytes.len; left;) {
		size_t len = *at ? cli_utf8_length(at, left) : 0;
		if (!len)
			return false;
		at += len;
		left -= len;
	}
	return true;
}

/* ---- properties, in the order in which they came ---- */

static cJSON *json_pair(cJSON *properties, enum cli_format_like like)
{
	cJSON *pairs = cJSON_GetObjectItemCaseSensitive(properties, "user-properties");
	if (!pairs) {
		pairs = like == CLI_LIKE_20 ? cJSON_CreateObject() : cJSON_CreateArray();
		cJSON_AddItemToObject(properties, "user-properties", pairs);
	}
	if (like == CLI_LIKE_20)
		return pairs;
	cJSON *pair = cJSON_CreateObject();
	cJSON_AddItemToArray(pairs, pair);
	return pair;
}

static void json_user(cJSON *properties, const struct skiff_properties *from, size_t index, enum cli_format_like like)
{
	struct skiff_user_property pair;
	if (!skiff_user_property_at(from, index, &pair))
		return;
	char *name = cli_text_copy(pair.name.data, pair.name.len);
	if (name)
		cJSON_AddItemToObject(json_pair(properties, like), name, json_text(pair.value));
	free(name);
}

/* The identifiers [MQTT 5, 2.2.2.2] and how many bytes of value follow; 0: a length of two bytes comes first. */
static size_t property_fixed(uint8_t id)
{
	return id == 1 ? 1 : id == 2 ? 4 : id == 35 ? 2 : 0;
}

/* The length of the value at `at`. What arrived was checked: it is complete. */
static size_t property_len(uint8_t id, const uint8_t *at)
{
	size_t len = 0;
	if (id == 11) {
		while (at[len++] & 0x80)
			;
		return len;
	}
	if (property_fixed(id))
		return property_fixed(id);
	for (int texts = id == 38 ? 2 : 1; texts; texts--)
		len += 2 + ((size_t)at[len] << 8 | at[len + 1]);
	return len;
}

static void json_property(
	cJSON *properties, const struct skiff_properties *from, uint8_t id, size_t ordinal, enum cli_format_like like)
{
	switch (id) {
	case 1:
		cJSON_AddNumberToObject(properties, "payload-format-indicator", from->payload_format);
		break;
	case 2:
		cJSON_AddNumberToObject(properties, "message-expiry-interval", from->message_expiry_s);
		break;
	case 3:
		cJSON_AddItemToObject(properties, "content-type", json_text(from->content_type));
		break;
	case 8:
		cJSON_AddItemToObject(properties, "response-topic", json_text(from->response_topic));
		break;
	case 9:
		cJSON_AddItemToObject(properties, "correlation-data", json_text(from->correlation_data));
		break;
	case 11:
		cJSON_AddNumberToObject(properties, "subscription-identifier", skiff_subscription_id_at(from, ordinal));
		break;
	case 35:
		cJSON_AddNumberToObject(properties, "topic-alias", from->topic_alias);
		break;
	case 38:
		json_user(properties, from, ordinal, like);
		break;
	default:
		break;
	}
}

static void json_properties(cJSON *root, const struct skiff_properties *from, enum cli_format_like like)
{
	cJSON *properties = cJSON_AddObjectToObject(root, "properties");
	const uint8_t *at = from->raw.data;
	size_t users = 0, subscriptions = 0;
	for (size_t done = 0; properties && done < from->raw.len;) {
		uint8_t id = at[done++];
		size_t ordinal = id == 38 ? users++ : id == 11 ? subscriptions++ : 0;
		json_property(properties, from, id, ordinal, like);
		done += property_len(id, at + done);
	}
}

/* ---- the whole ---- */

static void json_time(cJSON *root, const struct timespec *when, enum cli_format_like like)
{
	char text[64], zone[16];
	struct tm local;
	localtime_r(&when->tv_sec, &local);
	size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%z", &local);
	snprintf(text + len, sizeof(text) - len, ".%06ld%s%s", when->tv_nsec / 1000, like == CLI_LIKE_20 ? "Z" : "",
		zone);
	cJSON_AddStringToObject(root, "tst", text);
}

/* False: it is no JSON. */
static bool json_parsed_payload(cJSON *root, struct skiff_bytes payload)
{
	const char *end = NULL;
	char *copy = malloc(payload.len + 1);
	if (!copy)
		return false;
	memcpy(copy, payload.data, payload.len);
	copy[payload.len] = '\0';
	cJSON *item = cJSON_ParseWithOpts(copy, &end, true);
	bool whole = item && end == copy + payload.len;
	if (whole)
		cJSON_AddItemToObject(root, "payload", item);
	else
		cJSON_Delete(item);
	free(copy);
	return whole;
}

static void json_binary_payload(cJSON *root, struct skiff_bytes payload)
{
	struct cli_buffer text = {0};
	cli_format_base64(&text, payload);
	cJSON_AddItemToObject(root, "payload_base64", json_text((struct skiff_bytes){text.data, text.len}));
	cli_buffer_free(&text);
}

static bool json_payload(cJSON *root, const struct cli_format_options *options, struct skiff_bytes payload, bool parsed)
{
	if (!payload.len)
		cJSON_AddNullToObject(root, "payload");
	else if (parsed)
		return json_parsed_payload(root, payload);
	else if (options->binary && !json_is_text(payload))
		json_binary_payload(root, payload);
	else
		cJSON_AddItemToObject(root, "payload", json_text(payload));
	return true;
}

/* What a terminal obeys can only stand in strings. */
static void json_add(struct cli_buffer *out, const char *text, bool escape)
{
	for (size_t left = strlen(text); left;) {
		size_t len = cli_utf8_length(text, left);
		if (escape && (*text == 0x7f || (len > 1 && cli_utf8_is_hostile(text, len))))
			cli_buffer_print(out, "\\u%04x", cli_utf8_point(text, len));
		else
			cli_buffer_add(out, text, len ? len : 1);
		text += len ? len : 1;
		left -= len ? len : 1;
	}
}

const char *cli_format_json(struct cli_buffer *out, const struct cli_format_options *options,
	const struct skiff_message *message, const struct timespec *when, bool parsed)
{
	cJSON *root = cJSON_CreateObject();
	json_time(root, when, options->like);
	cJSON_AddItemToObject(root, "topic", json_text(message->topic));
	cJSON_AddNumberToObject(root, "qos", message->qos);
	if (options->like == CLI_LIKE_20)
		cJSON_AddNumberToObject(root, "retain", message->retain);
	else
		cJSON_AddBoolToObject(root, "retain", message->retain);
	cJSON_AddNumberToObject(root, "payloadlen", (double)message->payload.len);
	if (message->qos)
		cJSON_AddNumberToObject(root, "mid", message->packet_id);
	if (message->properties)
		json_properties(root, message->properties, options->like);
	bool whole = json_payload(root, options, message->payload, parsed);
	char *text = !whole ? NULL : options->pretty ? cJSON_Print(root) : cJSON_PrintUnformatted(root);
	cJSON_Delete(root);
	if (text)
		json_add(out, text, options->escape);
	else
		out->failed |= whole;
	cJSON_free(text);
	return whole ? NULL : "a payload is no JSON; its message is left out of %J";
}
