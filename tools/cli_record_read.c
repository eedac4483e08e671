/* SPDX-License-Identifier: Apache-2.0 */
/* cli_record_read.c: a line of JSON becomes a message. Its own names are those of the schema; those of mosquitto_sub
 * are known too. */
#include "cli_input.h"
#include "cli_payload.h"
#include "cli_record.h"
#include <cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	struct cli_record *record;
	char *why;
	size_t size;
};

static bool reader_wrong(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool reader_wrong(struct reader *reader, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reader->why, reader->size, format, arguments);
	va_end(arguments);
	return false;
}

/* The member of one of two names; NULL: neither, or null. */
static const cJSON *reader_member(const cJSON *object, const char *name, const char *other)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	if (!item && other)
		item = cJSON_GetObjectItemCaseSensitive(object, other);
	return cJSON_IsNull(item) ? NULL : item;
}

/* ---- strings ---- */

/* cJSON ends a string at its first NUL, and would so cut it without a word. */
static bool reader_has_nul(const char *line, size_t len)
{
	static const char nul[] = "\\u0000";
	if (memchr(line, '\0', len))
		return true;
	for (const char *at = line; (at = memmem(at, len - (size_t)(at - line), nul, 6)); at++) {
		size_t slashes = 0;
		while (at - slashes > line && at[-1 - (long)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			return true;
	}
	return false;
}

static bool reader_text(
	struct reader *reader, const cJSON *object, const char *name, const char *other, struct skiff_bytes *text)
{
	const cJSON *item = reader_member(object, name, other);
	if (!item)
		return true;
	if (!cJSON_IsString(item))
		return reader_wrong(reader, "\"%s\" is no string", item->string);
	*text = skiff_text(item->valuestring);
	return true;
}

/* `name` as a string, or `name`_base64. */
static bool reader_bytes(struct reader *reader, const cJSON *object, const char *name, const char *other,
	struct skiff_bytes *bytes, char **owned)
{
	char coded[64], fault[128];
	snprintf(coded, sizeof(coded), "%s_base64", name);
	const cJSON *item = reader_member(object, coded, NULL);
	if (item && reader_member(object, name, other))
		return reader_wrong(reader, "\"%s\" and \"%s\" exclude each other", name, coded);
	if (!item)
		return reader_text(reader, object, name, other, bytes);
	if (!cJSON_IsString(item))
		return reader_wrong(reader, "\"%s\" is no string", coded);
	size_t len = strlen(item->valuestring);
	*owned = malloc(len + 1);
	if (!*owned)
		return reader_wrong(reader, "out of memory");
	if (!cli_payload_decode(CLI_PAYLOAD_IN_BASE64, item->valuestring, len, *owned, &len, fault, sizeof(fault)))
		return reader_wrong(reader, "\"%s\": %s", coded, fault);
	*bytes = (struct skiff_bytes){*owned, len};
	return true;
}

/* ---- numbers ---- */

static bool reader_number(struct reader *reader, const cJSON *object, const char *name, const char *other, double max,
	double *value, bool *found)
{
	const cJSON *item = reader_member(object, name, other);
	*found = item != NULL;
	if (!item)
		return true;
	*value = item->valuedouble;
	if (!cJSON_IsNumber(item) || *value < 0 || *value > max || *value != (double)(unsigned long long)*value)
		return reader_wrong(reader, "\"%s\" is no whole number from 0 to %.0f", item->string, max);
	return true;
}

/* true and false, or 1 and 0. */
static bool reader_retain(struct reader *reader, const cJSON *object)
{
	const cJSON *item = reader_member(object, "retain", NULL);
	double number = cJSON_IsNumber(item) ? item->valuedouble : cJSON_IsTrue(item);
	bool known = !item || cJSON_IsNumber(item) || cJSON_IsBool(item);
	if (!known || (number < 1 && number > 0) || number < 0 || number > 1)
		return reader_wrong(reader, "\"retain\" is not true or false");
	reader->record->message.retain = number > 0;
	return true;
}

/* ---- the time ---- */

/* Digits behind the second, of whatever number, as nanoseconds. */
static long time_fraction(const char **at)
{
	long ns = 0, unit = 100000000;
	if (**at != '.')
		return 0;
	for (++*at; **at >= '0' && **at <= '9'; ++*at, unit /= 10)
		ns += (**at - '0') * unit;
	return ns;
}

/* Minutes east of Greenwich, of "Z", "+0100", "+01:00", or as mosquitto_sub 2.0 has it "Z+0100". */
static bool time_zone(const char *at, long *minutes)
{
	int hours, rest;
	char sign;
	at += *at == 'Z';
	*minutes = 0;
	if (!*at)
		return true;
	int end = 0;
	if (sscanf(at, "%c%2d%2d%n", &sign, &hours, &rest, &end) != 3 &&
		sscanf(at, "%c%2d:%2d%n", &sign, &hours, &rest, &end) != 3)
		return false;
	*minutes = (sign == '-' ? -1 : 1) * (hours * 60L + rest);
	return !at[end] && (sign == '+' || sign == '-');
}

static bool reader_time(struct reader *reader, const cJSON *object)
{
	struct skiff_bytes text = {0};
	struct tm tm = {0};
	long minutes;
	if (!reader_text(reader, object, "time", "tst", &text))
		return false;
	if (!text.data)
		return true;
	const char *at = strptime(text.data, "%Y-%m-%dT%H:%M:%S", &tm);
	long ns = at ? time_fraction(&at) : 0;
	if (!at || !time_zone(at, &minutes))
		return reader_wrong(reader, "\"time\" is not written as in 2026-01-31T12:00:00.000Z [RFC 3339]");
	reader->record->time = (struct timespec){timegm(&tm) - minutes * 60, ns};
	reader->record->has_time = true;
	return true;
}

/* ---- properties ---- */

static bool reader_pair(struct reader *reader, const char *name, const cJSON *value, size_t index)
{
	struct cli_record *record = reader->record;
	if (!name || !cJSON_IsString(value))
		return reader_wrong(reader, "user property %zu is not two strings", index + 1);
	if (index == record->user_room) {
		size_t room = index ? index * 2 : 8;
		struct skiff_user_property *user = realloc(record->user, room * sizeof(*user));
		if (!user)
			return reader_wrong(reader, "out of memory");
		record->user = user;
		record->user_room = room;
	}
	record->user[index] = (struct skiff_user_property){skiff_text(name), skiff_text(value->valuestring)};
	record->properties.user = record->user;
	record->properties.user_count = index + 1;
	return true;
}

/* [["k","v"],...]; of mosquitto_sub {"k":"v",...} or [{"k":"v"},...]. */
static bool reader_user(struct reader *reader, const cJSON *object)
{
	const cJSON *list = reader_member(object, "user", "user-properties"), *item;
	size_t count = 0;
	if (list && !cJSON_IsArray(list) && !cJSON_IsObject(list))
		return reader_wrong(reader, "\"%s\" is no list of pairs", list->string);
	cJSON_ArrayForEach(item, list)
	{
		const cJSON *first = item->child;
		const char *name = cJSON_IsObject(list)                           ? item->string
				   : cJSON_IsArray(item) && cJSON_IsString(first) ? first->valuestring
				   : cJSON_IsObject(item) && first                ? first->string
										  : NULL;
		const cJSON *value = cJSON_IsObject(list) ? item : cJSON_IsArray(item) && first ? first->next : first;
		bool more = !cJSON_IsObject(list) && value && value->next;
		if (!reader_pair(reader, more ? NULL : name, value, count++))
			return false;
	}
	return true;
}

static bool reader_properties(struct reader *reader, const cJSON *root)
{
	struct skiff_properties *properties = &reader->record->properties;
	const cJSON *object = reader_member(root, "properties", NULL);
	double format = 0, expiry = 0;
	bool has_format = false, has_expiry = false;
	if (!object)
		return true;
	if (!cJSON_IsObject(object))
		return reader_wrong(reader, "\"properties\" is no object");
	bool ok =
		reader_number(reader, object, "payload_format", "payload-format-indicator", 1, &format, &has_format) &&
		reader_number(reader, object, "message_expiry_s", "message-expiry-interval", 4294967295, &expiry,
			&has_expiry) &&
		reader_text(reader, object, "content_type", "content-type", &properties->content_type) &&
		reader_text(reader, object, "response_topic", "response-topic", &properties->response_topic) &&
		reader_bytes(reader, object, "correlation_data", "correlation-data", &properties->correlation_data,
			&reader->record->correlation) &&
		reader_user(reader, object);
	if (!ok)
		return false;
	properties->payload_format = (uint8_t)format;
	properties->message_expiry_s = (uint32_t)expiry;
	properties->has = (has_format ? SKIFF_HAS_PAYLOAD_FORMAT : 0) | (has_expiry ? SKIFF_HAS_MESSAGE_EXPIRY : 0);
	bool any = properties->has || properties->content_type.data || properties->response_topic.data ||
		   properties->correlation_data.data || properties->user_count;
	reader->record->message.properties = any ? properties : NULL;
	return true;
}

/* ---- the whole ---- */

/* %J has the payload as JSON: printed anew, without blanks. */
static bool reader_payload(struct reader *reader, const cJSON *root)
{
	struct cli_record *record = reader->record;
	const cJSON *payload = reader_member(root, "payload", NULL);
	bool parsed = payload && !cJSON_IsString(payload) && !reader_member(root, "schema", NULL);
	if (!parsed)
		return reader_bytes(reader, root, "payload", NULL, &record->message.payload, &record->payload);
	record->payload = cJSON_PrintUnformatted(payload);
	if (!record->payload)
		return reader_wrong(reader, "out of memory");
	record->message.payload = skiff_text(record->payload);
	return true;
}

/* What mosquitto_sub says of a payload that its JSON cuts at a NUL. */
static bool reader_payload_is_whole(struct reader *reader, const cJSON *root)
{
	size_t len = reader->record->message.payload.len;
	double told;
	bool found;
	if (!reader_number(reader, root, "payloadlen", NULL, CLI_PAYLOAD_MAX, &told, &found))
		return false;
	if (!found || (size_t)told == len || !cJSON_IsString(reader_member(root, "payload", NULL)))
		return true;
	return reader_wrong(reader, "\"payloadlen\" is %.0f, and %zu bytes are there: the payload was cut", told, len);
}

static bool reader_message(struct reader *reader, const cJSON *root)
{
	struct skiff_message *message = &reader->record->message;
	double qos = 0;
	bool found;
	if (!reader_text(reader, root, "topic", NULL, &message->topic))
		return false;
	if (!message->topic.data)
		return reader_wrong(reader, "\"topic\" is missing");
	bool ok = reader_number(reader, root, "qos", NULL, 2, &qos, &found) && reader_retain(reader, root) &&
		  reader_time(reader, root) && reader_properties(reader, root) && reader_payload(reader, root) &&
		  reader_payload_is_whole(reader, root);
	if (ok)
		message->qos = (uint8_t)qos;
	return ok;
}

static void record_clear(struct cli_record *record)
{
	if (record->json)
		cJSON_Delete(record->json);
	free(record->payload);
	free(record->correlation);
	*record = (struct cli_record){.user = record->user, .user_room = record->user_room};
}

bool cli_record_read(const char *line, size_t len, struct cli_record *record, char *why, size_t size)
{
	struct reader reader = {record, why, size};
	record_clear(record);
	if (reader_has_nul(line, len))
		return reader_wrong(&reader, "a string holds \\u0000; such a payload goes into \"payload_base64\"");
	const char *end = line;
	record->json = cJSON_ParseWithLengthOpts(line, len, &end, false);
	while (end < line + len && strchr(" \t\r\n", *end))
		end++;
	if (!cJSON_IsObject(record->json) || end != line + len)
		return reader_wrong(&reader, "it is no JSON object; 'skiff sub --json' prints such lines");
	return reader_message(&reader, record->json);
}

void cli_record_free(struct cli_record *record)
{
	record_clear(record);
	free(record->user);
	*record = (struct cli_record){0};
}
