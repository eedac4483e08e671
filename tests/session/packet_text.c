/* SPDX-License-Identifier: Apache-2.0 */
#include "session/packet_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

void words_cut(struct words *words, char *line)
{
	words->count = 0;
	for (char *word = strtok(line, " \t"); word && words->count < WORDS_MAX; word = strtok(NULL, " \t"))
		words->list[words->count++] = word;
}

const char *words_value(const struct words *words, const char *key)
{
	size_t len = strlen(key);
	for (size_t i = 0; i < words->count; i++)
		if (!strncmp(words->list[i], key, len) && words->list[i][len] == '=')
			return words->list[i] + len + 1;
	return NULL;
}

bool words_has(const struct words *words, const char *key)
{
	for (size_t i = 0; i < words->count; i++)
		if (!strcmp(words->list[i], key))
			return true;
	return false;
}

long words_number(const struct words *words, const char *key, long otherwise)
{
	const char *value = words_value(words, key);
	return value ? strtol(value, NULL, 0) : otherwise;
}

/* ---- bytes ---- */

void bytes_add(struct bytes *bytes, const void *data, size_t len)
{
	if (bytes->capacity - bytes->len < len) {
		bytes->capacity = (bytes->len + len) * 2;
		bytes->data = realloc(bytes->data, bytes->capacity);
		if (!bytes->data)
			abort();
	}
	if (len)
		memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

void bytes_add_u8(struct bytes *bytes, unsigned value)
{
	uint8_t byte = (uint8_t)value;
	bytes_add(bytes, &byte, 1);
}

static void bytes_add_u16(struct bytes *bytes, unsigned value)
{
	bytes_add_u8(bytes, value >> 8);
	bytes_add_u8(bytes, value);
}

static void bytes_add_u32(struct bytes *bytes, unsigned value)
{
	bytes_add_u16(bytes, value >> 16);
	bytes_add_u16(bytes, value);
}

static void bytes_add_varint(struct bytes *bytes, size_t value)
{
	do {
		unsigned digit = value % 128;
		value /= 128;
		bytes_add_u8(bytes, digit | (value ? 0x80 : 0));
	} while (value);
}

void bytes_drop(struct bytes *bytes, size_t len)
{
	memmove(bytes->data, bytes->data + len, bytes->len - len);
	bytes->len -= len;
}

void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

void bytes_add_value(struct bytes *bytes, const char *value)
{
	unsigned number;
	if (*value == '*' && value[1] >= '0' && value[1] <= '9') {
		for (long i = strtol(value + 1, NULL, 10); i > 0; i--)
			bytes_add_u8(bytes, 'x');
		return;
	}
	while (*value) {
		if (value[0] == '\\' && value[1] == 's') {
			bytes_add_u8(bytes, ' ');
			value += 2;
		} else if (sscanf(value, "\\x%2x", &number) == 1) {
			bytes_add_u8(bytes, number);
			value += 4;
		} else {
			bytes_add_u8(bytes, (unsigned char)*value++);
		}
	}
}

static void bytes_add_string(struct bytes *bytes, const char *value)
{
	struct bytes text = {0};
	bytes_add_value(&text, value);
	bytes_add_u16(bytes, (unsigned)text.len);
	bytes_add(bytes, text.data, text.len);
	bytes_free(&text);
}

/* ---- properties ---- */

enum kind { U8, U16, U32, VARINT, STRING, PAIR };

static const struct property {
	const char *name;
	unsigned id;
	enum kind kind;
	uint32_t has;
	size_t offset;
} properties_all[] = {
#define P(NAME, ID, KIND, HAS, MEMBER) \
	{ \
		NAME, ID, KIND, HAS, offsetof(struct skiff_properties, MEMBER) \
	}
	P("payload-format", 1, U8, SKIFF_HAS_PAYLOAD_FORMAT, payload_format),
	P("expiry", 2, U32, SKIFF_HAS_MESSAGE_EXPIRY, message_expiry_s),
	P("content-type", 3, STRING, 0, content_type),
	P("response-topic", 8, STRING, 0, response_topic),
	P("correlation", 9, STRING, 0, correlation_data),
	P("subscription-id", 11, VARINT, SKIFF_HAS_SUBSCRIPTION_ID, subscription_id),
	P("session-expiry", 17, U32, SKIFF_HAS_SESSION_EXPIRY, session_expiry_s),
	P("client-id", 18, STRING, 0, assigned_client_id),
	P("keep-alive", 19, U16, SKIFF_HAS_SERVER_KEEP_ALIVE, server_keep_alive_s),
	P("auth-method", 21, STRING, 0, authentication_method),
	P("auth-data", 22, STRING, 0, authentication_data),
	P("problem-info", 23, U8, SKIFF_HAS_REQUEST_PROBLEM_INFO, request_problem_info),
	P("will-delay", 24, U32, SKIFF_HAS_WILL_DELAY, will_delay_s),
	P("response-info", 25, U8, SKIFF_HAS_REQUEST_RESPONSE_INFO, request_response_info),
	P("response-information", 26, STRING, 0, response_information),
	P("server-reference", 28, STRING, 0, server_reference),
	P("reason-string", 31, STRING, 0, reason_string),
	P("receive-maximum", 33, U16, SKIFF_HAS_RECEIVE_MAXIMUM, receive_maximum),
	P("alias-maximum", 34, U16, SKIFF_HAS_TOPIC_ALIAS_MAXIMUM, topic_alias_maximum),
	P("alias", 35, U16, SKIFF_HAS_TOPIC_ALIAS, topic_alias),
	P("maximum-qos", 36, U8, SKIFF_HAS_MAXIMUM_QOS, maximum_qos),
	P("retain-available", 37, U8, SKIFF_HAS_RETAIN_AVAILABLE, retain_available),
	P("user", 38, PAIR, 0, user),
	P("maximum-packet", 39, U32, SKIFF_HAS_MAXIMUM_PACKET_SIZE, maximum_packet_size),
	P("wildcard-available", 40, U8, SKIFF_HAS_WILDCARD_AVAILABLE, wildcard_available),
	P("subscription-id-available", 41, U8, SKIFF_HAS_SUBSCRIPTION_ID_AVAILABLE, subscription_id_available),
	P("shared-available", 42, U8, SKIFF_HAS_SHARED_AVAILABLE, shared_available),
#undef P
};

/* The property of the word "<prefix>name=value", or NULL. */
static const struct property *property_of(const char *word, const char *prefix, const char **value)
{
	const char *equals = strchr(word, '=');
	size_t len = strlen(prefix);
	if (strncmp(word, prefix, len) || !equals)
		return NULL;
	word += len;
	*value = equals + 1;
	for (size_t i = 0; i < sizeof properties_all / sizeof properties_all[0]; i++) {
		const char *name = properties_all[i].name;
		if (strlen(name) == (size_t)(equals - word) && !strncmp(word, name, strlen(name)))
			return &properties_all[i];
	}
	return NULL;
}

static void property_add_pair(struct bytes *out, const char *value)
{
	char name[256];
	const char *colon = strchr(value, ':');
	snprintf(name, sizeof name, "%.*s", colon ? (int)(colon - value) : (int)strlen(value), value);
	bytes_add_string(out, name);
	bytes_add_string(out, colon ? colon + 1 : "");
}

static void property_add(struct bytes *out, const struct property *property, const char *value)
{
	unsigned number = (unsigned)strtoul(value, NULL, 0);
	bytes_add_u8(out, property->id);
	switch (property->kind) {
	case U8:
		bytes_add_u8(out, number);
		break;
	case U16:
		bytes_add_u16(out, number);
		break;
	case U32:
		bytes_add_u32(out, number);
		break;
	case VARINT:
		bytes_add_varint(out, number);
		break;
	case STRING:
		bytes_add_string(out, value);
		break;
	case PAIR:
		property_add_pair(out, value);
		break;
	}
}

/* The property block of the words with `prefix`: nothing in 3.1.1. */
static void properties_add(struct bytes *out, const struct words *words, const char *prefix, int version)
{
	struct bytes block = {0};
	const char *value;
	for (size_t i = 0; i < words->count; i++) {
		const struct property *property = property_of(words->list[i], prefix, &value);
		if (property)
			property_add(&block, property, value);
	}
	if (version == 5) {
		bytes_add_varint(out, block.len);
		bytes_add(out, block.data, block.len);
	}
	bytes_free(&block);
}

static bool properties_any(const struct words *words, const char *prefix)
{
	const char *value;
	for (size_t i = 0; i < words->count; i++)
		if (property_of(words->list[i], prefix, &value))
			return true;
	return false;
}

static struct skiff_bytes arena_keep(struct bytes *arena, const char *value, size_t len)
{
	char *copy = strndup(value, len);
	size_t start = arena->len;
	bytes_add_value(arena, copy);
	bytes_add_u8(arena, 0);
	free(copy);
	return (struct skiff_bytes){arena->data + start, arena->len - start - 1};
}

static void property_set(struct skiff_properties *properties, const struct property *property, const char *value,
	struct skiff_user_property *user, struct bytes *arena)
{
	unsigned number = (unsigned)strtoul(value, NULL, 0);
	char *member = (char *)properties + property->offset;
	const char *colon;
	properties->has |= property->has;
	switch (property->kind) {
	case U8:
		*(uint8_t *)member = (uint8_t)number;
		break;
	case U16:
		*(uint16_t *)member = (uint16_t)number;
		break;
	case U32:
	case VARINT:
		*(uint32_t *)member = number;
		break;
	case STRING:
		*(struct skiff_bytes *)member = arena_keep(arena, value, strlen(value));
		break;
	case PAIR:
		colon = strchr(value, ':');
		user[properties->user_count].name = arena_keep(arena, value, (size_t)(colon - value));
		user[properties->user_count++].value = arena_keep(arena, colon + 1, strlen(colon + 1));
		properties->user = user;
		break;
	}
}

bool properties_text(const struct words *words, const char *prefix, struct skiff_properties *properties,
	struct skiff_user_property *user, struct bytes *arena)
{
	const char *value;
	*properties = (struct skiff_properties){0};
	for (size_t i = 0; i < words->count; i++) {
		const struct property *property = property_of(words->list[i], prefix, &value);
		if (property)
			property_set(properties, property, value, user, arena);
	}
	return properties_any(words, prefix);
}

/* ---- packets ---- */

typedef void packet_body(const struct words *words, int version, struct bytes *out);

static void add_value_of(struct bytes *out, const struct words *words, const char *key)
{
	const char *value = words_value(words, key);
	bytes_add_value(out, value ? value : "");
}

static void add_string_of(struct bytes *out, const struct words *words, const char *key)
{
	const char *value = words_value(words, key);
	bytes_add_string(out, value ? value : "");
}

static void add_id(struct bytes *out, const struct words *words)
{
	bytes_add_u16(out, (unsigned)words_number(words, "id", 0));
}

static void body_connect(const struct words *words, int version, struct bytes *out)
{
	const char *will = words_value(words, "will-topic");
	unsigned flags = words_has(words, "clean") ? 2 : 0;
	if (will)
		flags |= 4 | (unsigned)words_number(words, "will-qos", 0) << 3 |
			 (words_has(words, "will-retain") ? 0x20 : 0);
	flags |= words_value(words, "password") ? 0x40 : 0;
	flags |= words_value(words, "user") ? 0x80 : 0;
	bytes_add_string(out, "MQTT");
	bytes_add_u8(out, (unsigned)version);
	bytes_add_u8(out, flags);
	bytes_add_u16(out, (unsigned)words_number(words, "keepalive", 60));
	properties_add(out, words, "@", version);
	bytes_add_string(out, words_value(words, "id") ? words_value(words, "id") : "c");
	if (will) {
		properties_add(out, words, "will@", version);
		bytes_add_string(out, will);
		add_string_of(out, words, "will-payload");
	}
	if (words_value(words, "user"))
		add_string_of(out, words, "user");
	if (words_value(words, "password"))
		add_string_of(out, words, "password");
}

static void body_connack(const struct words *words, int version, struct bytes *out)
{
	bytes_add_u8(out, (unsigned)words_number(words, "ackflags", words_has(words, "present")));
	bytes_add_u8(out, (unsigned)words_number(words, "reason", 0));
	properties_add(out, words, "@", version);
}

static void body_publish(const struct words *words, int version, struct bytes *out)
{
	add_string_of(out, words, "topic");
	if (words_value(words, "id"))
		add_id(out, words);
	properties_add(out, words, "@", version);
	add_value_of(out, words, "payload");
}

static void body_ack(const struct words *words, int version, struct bytes *out)
{
	add_id(out, words);
	if (words_value(words, "reason") || properties_any(words, "@"))
		bytes_add_u8(out, (unsigned)words_number(words, "reason", 0));
	if (properties_any(words, "@"))
		properties_add(out, words, "@", version);
}

static void body_subscribe(const struct words *words, int version, struct bytes *out)
{
	add_id(out, words);
	properties_add(out, words, "@", version);
	for (size_t i = 1; i < words->count; i++) {
		if (strncmp(words->list[i], "filter=", 7))
			continue;
		char *filter = strdup(words->list[i] + 7), *colon = strrchr(filter, ':');
		if (colon)
			*colon = '\0';
		bytes_add_string(out, filter);
		if (colon)
			bytes_add_u8(out, (unsigned)strtoul(colon + 1, NULL, 0));
		free(filter);
	}
}

static void body_suback(const struct words *words, int version, struct bytes *out)
{
	const char *codes = words_value(words, "codes");
	add_id(out, words);
	properties_add(out, words, "@", version);
	while (codes && *codes) {
		char *end;
		bytes_add_u8(out, (unsigned)strtoul(codes, &end, 0));
		codes = *end == ',' ? end + 1 : end;
	}
}

static void body_empty(const struct words *words, int version, struct bytes *out)
{
	(void)words, (void)version, (void)out;
}

static void body_reasoned(const struct words *words, int version, struct bytes *out)
{
	if (words_value(words, "reason") || properties_any(words, "@"))
		bytes_add_u8(out, (unsigned)words_number(words, "reason", 0));
	if (properties_any(words, "@"))
		properties_add(out, words, "@", version);
}

static const struct packet {
	const char *name;
	unsigned flags;
	packet_body *body;
} packets[16] = {
	[1] = {"CONNECT", 0, body_connect},
	[2] = {"CONNACK", 0, body_connack},
	[3] = {"PUBLISH", 0, body_publish},
	[4] = {"PUBACK", 0, body_ack},
	[5] = {"PUBREC", 0, body_ack},
	[6] = {"PUBREL", 2, body_ack},
	[7] = {"PUBCOMP", 0, body_ack},
	[8] = {"SUBSCRIBE", 2, body_subscribe},
	[9] = {"SUBACK", 0, body_suback},
	[10] = {"UNSUBSCRIBE", 2, body_subscribe},
	[11] = {"UNSUBACK", 0, body_suback},
	[12] = {"PINGREQ", 0, body_empty},
	[13] = {"PINGRESP", 0, body_empty},
	[14] = {"DISCONNECT", 0, body_reasoned},
	[15] = {"AUTH", 0, body_reasoned},
};

static unsigned packet_flags(const struct words *words, unsigned type)
{
	unsigned flags = packets[type].flags;
	if (type == 3)
		flags = (words_has(words, "dup") ? 8u : 0) | (unsigned)words_number(words, "qos", 0) << 1 |
			(words_has(words, "retain") ? 1u : 0);
	return (unsigned)words_number(words, "flags", flags);
}

static const char *packet_hex(const struct words *words, struct bytes *out)
{
	for (size_t i = 1; i < words->count; i++)
		bytes_add_u8(out, (unsigned)strtoul(words->list[i], NULL, 16));
	return NULL;
}

const char *packet_text(const struct words *words, int version, struct bytes *out)
{
	if (words->count && !strcmp(words->list[0], "hex"))
		return packet_hex(words, out);
	const char *value;
	for (size_t i = 0; i < words->count; i++)
		if (words->list[i][0] == '@' && !property_of(words->list[i], "@", &value))
			return "a property that the test's own table does not know";
	for (unsigned type = 1; words->count && type < 16; type++) {
		if (strcmp(packets[type].name, words->list[0]))
			continue;
		struct bytes body = {0};
		packets[type].body(words, version, &body);
		bytes_add_u8(out, type << 4 | packet_flags(words, type));
		bytes_add_varint(out, (size_t)words_number(words, "length", (long)body.len));
		bytes_add(out, body.data, body.len);
		bytes_free(&body);
		return NULL;
	}
	return "no packet of that name";
}
