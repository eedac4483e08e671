/* SPDX-License-Identifier: Apache-2.0 */
/* properties.c: one table says everything about a property; reading, checking and writing walk it.
 *
 * Reading: identifier -> table -> value -> legal here, once, in range -> member of the struct. User properties and
 * repeated subscription identifiers stay in `raw`, and are read from there again when somebody asks, so that nothing
 * is allocated. What is wrong is named by the property: 0x81 for what cannot be read or does not belong in the packet,
 * 0x82 for what may be read but is forbidden [MQTT 5, 2.2.2.2]. */
#include "codec/properties.h"
#include "codec/parts.h"

enum kind { KIND_UNKNOWN, KIND_BOOL, KIND_U16, KIND_U32, KIND_VARINT, KIND_TEXT, KIND_TOPIC, KIND_BINARY, KIND_PAIR };

enum {
	ID_SUBSCRIPTION_ID = 11,
	ID_TOPIC_ALIAS = 35,
	ID_USER = 38,
	ID_COUNT = 43,
	IN_PUBLISH = SKIFFI_IN_PUBLISH_FROM_CLIENT | SKIFFI_IN_PUBLISH_FROM_SERVER,
	IN_DISCONNECT = SKIFFI_IN_DISCONNECT_FROM_CLIENT | SKIFFI_IN_DISCONNECT_FROM_SERVER,
	IN_HANDSHAKE = SKIFFI_IN_CONNECT | SKIFFI_IN_CONNACK,
	IN_MESSAGE = IN_PUBLISH | SKIFFI_IN_WILL,
	IN_ALL = 0x7ff
};

struct property {
	uint8_t kind;
	uint8_t zero_reason; /* the reason code for a value of 0; 0 where that is legal */
	uint16_t offset;     /* of the member in struct skiff_properties */
	uint16_t places;     /* enum skiffi_place */
	uint16_t many;       /* places where it may stand more than once */
	uint32_t has;        /* its SKIFF_HAS_*, 0 for a string */
	const char *misplaced, *twice, *range, *too_long, *ill_formed, *nul, *wildcard;
	const char *wrong_side; /* where only the other side may say it in such a packet */
};

#define PROPERTY(KIND, NAME, MEMBER, HAS, PLACES, ...) \
	{ \
		.kind = KIND, .offset = offsetof(struct skiff_properties, MEMBER), .places = PLACES, .has = HAS, \
		.misplaced = NAME " may not stand in this packet [MQTT 5, 2.2.2.2]", \
		.twice = NAME " stands twice [MQTT 5, 2.2.2.2]", \
		.too_long = NAME " is longer than 65535 bytes [MQTT 5, 1.5.4]", \
		.ill_formed = NAME " is not UTF-8 [MQTT-1.5.4-1]", .nul = NAME " holds U+0000 [MQTT-1.5.4-2]", \
		__VA_ARGS__ \
	}
#define OUT_OF_RANGE(NAME)                      .range = NAME " is out of range [MQTT 5, 2.2.2.2]"
#define NUMBER(KIND, NAME, MEMBER, HAS, PLACES) PROPERTY(KIND, NAME, MEMBER, HAS, PLACES, OUT_OF_RANGE(NAME))
#define COUNTER(KIND, NAME, MEMBER, HAS, PLACES) \
	PROPERTY(KIND, NAME, MEMBER, HAS, PLACES, OUT_OF_RANGE(NAME), .zero_reason = SKIFFI_PROTOCOL_ERROR)
#define STRING(KIND, NAME, MEMBER, PLACES) PROPERTY(KIND, NAME, MEMBER, 0, PLACES, .zero_reason = 0)

/* clang-format off */
static const struct property table[ID_COUNT] = {
	[1] = NUMBER(KIND_BOOL, "payload format indicator", payload_format, SKIFF_HAS_PAYLOAD_FORMAT, IN_MESSAGE),
	[2] = NUMBER(KIND_U32, "message expiry interval", message_expiry_s, SKIFF_HAS_MESSAGE_EXPIRY, IN_MESSAGE),
	[3] = STRING(KIND_TEXT, "content type", content_type, IN_MESSAGE), /* [MQTT-3.3.2-19] */
	[8] = PROPERTY(KIND_TOPIC, "response topic", response_topic, 0, IN_MESSAGE, /* [MQTT-3.3.2-13] */
		.wildcard = "response topic holds a wildcard [MQTT-3.3.2-14]"),
	[9] = STRING(KIND_BINARY, "correlation data", correlation_data, IN_MESSAGE),
	[ID_SUBSCRIPTION_ID] = PROPERTY(KIND_VARINT, "subscription identifier", subscription_id, SKIFF_HAS_SUBSCRIPTION_ID,
		SKIFFI_IN_PUBLISH_FROM_SERVER | SKIFFI_IN_SUBSCRIBE,
		.wrong_side = "subscription identifier in a PUBLISH from a client [MQTT-3.3.4-6]",
		.many = SKIFFI_IN_PUBLISH_FROM_SERVER, OUT_OF_RANGE("subscription identifier"),
		.zero_reason = SKIFFI_PROTOCOL_ERROR),
	[17] = PROPERTY(KIND_U32, "session expiry interval", session_expiry_s, SKIFF_HAS_SESSION_EXPIRY,
		IN_HANDSHAKE | SKIFFI_IN_DISCONNECT_FROM_CLIENT,
		.wrong_side = "session expiry interval in a DISCONNECT from a server [MQTT-3.14.2-2]"),
	[18] = STRING(KIND_TEXT, "assigned client identifier", assigned_client_id, SKIFFI_IN_CONNACK),
	[19] = NUMBER(KIND_U16, "server keep alive", server_keep_alive_s, SKIFF_HAS_SERVER_KEEP_ALIVE, SKIFFI_IN_CONNACK),
	[21] = STRING(KIND_TEXT, "authentication method", authentication_method, IN_HANDSHAKE | SKIFFI_IN_AUTH),
	[22] = STRING(KIND_BINARY, "authentication data", authentication_data, IN_HANDSHAKE | SKIFFI_IN_AUTH),
	[23] = NUMBER(KIND_BOOL, "request problem information", request_problem_info, SKIFF_HAS_REQUEST_PROBLEM_INFO,
		SKIFFI_IN_CONNECT),
	[24] = NUMBER(KIND_U32, "will delay interval", will_delay_s, SKIFF_HAS_WILL_DELAY, SKIFFI_IN_WILL),
	[25] = NUMBER(KIND_BOOL, "request response information", request_response_info, SKIFF_HAS_REQUEST_RESPONSE_INFO,
		SKIFFI_IN_CONNECT),
	[26] = STRING(KIND_TEXT, "response information", response_information, SKIFFI_IN_CONNACK),
	[28] = PROPERTY(KIND_TEXT, "server reference", server_reference, 0,
		SKIFFI_IN_CONNACK | SKIFFI_IN_DISCONNECT_FROM_SERVER,
		.wrong_side = "server reference in a DISCONNECT from a client [MQTT 5, 3.14.2.2.5]"),
	[31] = STRING(KIND_TEXT, "reason string", reason_string,
		SKIFFI_IN_CONNACK | SKIFFI_IN_ACK | IN_DISCONNECT | SKIFFI_IN_AUTH),
	[33] = COUNTER(KIND_U16, "receive maximum", receive_maximum, SKIFF_HAS_RECEIVE_MAXIMUM, IN_HANDSHAKE),
	[34] = NUMBER(KIND_U16, "topic alias maximum", topic_alias_maximum, SKIFF_HAS_TOPIC_ALIAS_MAXIMUM, IN_HANDSHAKE),
	[ID_TOPIC_ALIAS] = PROPERTY(KIND_U16, "topic alias", topic_alias, SKIFF_HAS_TOPIC_ALIAS, IN_PUBLISH,
		.zero_reason = SKIFFI_TOPIC_ALIAS_INVALID, .range = "topic alias is 0 [MQTT-3.3.2-8]"),
	[36] = NUMBER(KIND_BOOL, "maximum QoS", maximum_qos, SKIFF_HAS_MAXIMUM_QOS, SKIFFI_IN_CONNACK),
	[37] = NUMBER(KIND_BOOL, "retain available", retain_available, SKIFF_HAS_RETAIN_AVAILABLE, SKIFFI_IN_CONNACK),
	[ID_USER] = PROPERTY(KIND_PAIR, "user property", user, 0, IN_ALL, .many = IN_ALL), /* [MQTT-1.5.7-1] */
	[39] = COUNTER(KIND_U32, "maximum packet size", maximum_packet_size, SKIFF_HAS_MAXIMUM_PACKET_SIZE, IN_HANDSHAKE),
	[40] = NUMBER(KIND_BOOL, "wildcard subscription available", wildcard_available, SKIFF_HAS_WILDCARD_AVAILABLE,
		SKIFFI_IN_CONNACK),
	[41] = NUMBER(KIND_BOOL, "subscription identifiers available", subscription_id_available,
		SKIFF_HAS_SUBSCRIPTION_ID_AVAILABLE, SKIFFI_IN_CONNACK),
	[42] = NUMBER(KIND_BOOL, "shared subscription available", shared_available, SKIFF_HAS_SHARED_AVAILABLE,
		SKIFFI_IN_CONNACK),
};
/* clang-format on */

enum { HAS_ALL = (SKIFF_HAS_SHARED_AVAILABLE << 1) - 1 };

/* A value of any kind: a number, or a string, or two. */
struct value {
	uint32_t number;
	struct skiff_bytes text;
	struct skiff_bytes second; /* of a pair */
};

static bool value_read(struct skiffi_reader *reader, uint8_t kind, struct value *value)
{
	uint16_t u16;
	uint8_t u8;

	switch ((enum kind)kind) {
	case KIND_BOOL:
		if (!skiffi_read_u8(reader, &u8))
			return false;
		value->number = u8;
		return true;
	case KIND_U16:
		if (!skiffi_read_u16(reader, &u16))
			return false;
		value->number = u16;
		return true;
	case KIND_U32:
		return skiffi_read_u32(reader, &value->number);
	case KIND_VARINT:
		return skiffi_read_varint(reader, &value->number);
	case KIND_TEXT:
	case KIND_TOPIC:
	case KIND_BINARY:
		return skiffi_read_binary(reader, &value->text);
	case KIND_PAIR:
		return skiffi_read_binary(reader, &value->text) && skiffi_read_binary(reader, &value->second);
	case KIND_UNKNOWN:
		break;
	}
	return false;
}

static uint8_t *value_write(uint8_t *at, uint8_t kind, const struct value *value)
{
	switch ((enum kind)kind) {
	case KIND_BOOL:
		return skiffi_write_u8(at, (uint8_t)value->number);
	case KIND_U16:
		return skiffi_write_u16(at, (uint16_t)value->number);
	case KIND_U32:
		return skiffi_write_u32(at, value->number);
	case KIND_VARINT:
		return skiffi_write_varint(at, value->number);
	case KIND_TEXT:
	case KIND_TOPIC:
	case KIND_BINARY:
		return skiffi_write_binary(at, value->text);
	case KIND_PAIR:
		return skiffi_write_binary(skiffi_write_binary(at, value->text), value->second);
	case KIND_UNKNOWN:
		break;
	}
	return at;
}

static size_t value_len(uint8_t kind, const struct value *value)
{
	switch ((enum kind)kind) {
	case KIND_BOOL:
		return 1;
	case KIND_U16:
		return 2;
	case KIND_U32:
		return 4;
	case KIND_VARINT:
		return skiffi_varint_len(value->number);
	case KIND_TEXT:
	case KIND_TOPIC:
	case KIND_BINARY:
		return 2 + value->text.len;
	case KIND_PAIR:
		return 4 + value->text.len + value->second.len;
	case KIND_UNKNOWN:
		break;
	}
	return 0;
}

/* Members of the struct that a table entry stands for. */
static void member_set(struct skiff_properties *properties, const struct property *property, const struct value *value)
{
	void *member = (char *)properties + property->offset;

	properties->has |= property->has;
	switch ((enum kind)property->kind) {
	case KIND_BOOL:
		*(uint8_t *)member = (uint8_t)value->number;
		break;
	case KIND_U16:
		*(uint16_t *)member = (uint16_t)value->number;
		break;
	case KIND_U32:
	case KIND_VARINT:
		*(uint32_t *)member = value->number;
		break;
	case KIND_TEXT:
	case KIND_TOPIC:
	case KIND_BINARY:
		*(struct skiff_bytes *)member = value->text;
		break;
	case KIND_PAIR:
		properties->user_count++;
		break;
	case KIND_UNKNOWN:
		break;
	}
}

/* False when the property is absent; user properties are no member of this kind. */
static bool member_get(const struct skiff_properties *properties, const struct property *property, struct value *value)
{
	const void *member = (const char *)properties + property->offset;

	if (property->has && !(properties->has & property->has))
		return false;
	switch ((enum kind)property->kind) {
	case KIND_BOOL:
		value->number = *(const uint8_t *)member;
		return true;
	case KIND_U16:
		value->number = *(const uint16_t *)member;
		return true;
	case KIND_U32:
	case KIND_VARINT:
		value->number = *(const uint32_t *)member;
		return true;
	case KIND_TEXT:
	case KIND_TOPIC:
	case KIND_BINARY:
		value->text = *(const struct skiff_bytes *)member;
		return value->text.data != NULL;
	case KIND_PAIR:
	case KIND_UNKNOWN:
		break;
	}
	return false;
}

static bool string_legal(
	const struct property *property, struct skiff_bytes text, uint8_t kind, struct skiffi_refusal *why)
{
	if (text.len > SKIFFI_STRING_MAX)
		return skiffi_refuse(why, SKIFFI_MALFORMED, property->too_long);
	if (kind == KIND_BINARY)
		return true;
	if (kind == KIND_TOPIC && text.len == 0)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, "response topic is empty [MQTT-4.7.3-1]");
	switch (kind == KIND_TOPIC ? skiffi_topic_scan(text) : skiffi_text_scan(text)) {
	case SKIFFI_TEXT_OK:
		return true;
	case SKIFFI_TEXT_ILL_FORMED:
		return skiffi_refuse(why, SKIFFI_MALFORMED, property->ill_formed);
	case SKIFFI_TEXT_NUL:
		return skiffi_refuse(why, SKIFFI_MALFORMED, property->nul);
	case SKIFFI_TEXT_WILDCARD:
		break;
	}
	return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, property->wildcard);
}

static bool value_legal(const struct property *property, const struct value *value, struct skiffi_refusal *why)
{
	switch ((enum kind)property->kind) {
	case KIND_BOOL:
		if (value->number > 1)
			return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, property->range);
		return true;
	case KIND_VARINT:
		if (value->number > SKIFFI_VARINT_MAX)
			return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, property->range);
		/* fall through */
	case KIND_U16:
	case KIND_U32:
		if (value->number == 0 && property->zero_reason)
			return skiffi_refuse(why, property->zero_reason, property->range);
		return true;
	case KIND_PAIR:
		return string_legal(property, value->text, KIND_TEXT, why) &&
		       string_legal(property, value->second, KIND_TEXT, why);
	case KIND_TEXT:
	case KIND_TOPIC:
	case KIND_BINARY:
		return string_legal(property, value->text, property->kind, why);
	case KIND_UNKNOWN:
		break;
	}
	return false;
}

/* What the other side may say in the same packet is understood but forbidden; the rest has no meaning there. */
static bool place_legal(const struct property *property, enum skiffi_place place, struct skiffi_refusal *why)
{
	uint16_t packet = place & IN_PUBLISH ? IN_PUBLISH : place & IN_DISCONNECT ? IN_DISCONNECT : (uint16_t)place;

	if (property->places & place)
		return true;
	if (property->places & packet)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, property->wrong_side);
	return skiffi_refuse(why, SKIFFI_MALFORMED, property->misplaced);
}

/* [MQTT 5, 3.1.2.11.10] */
static bool authentication_legal(
	const struct skiff_properties *properties, enum skiffi_place place, struct skiffi_refusal *why)
{
	if (place & (SKIFFI_IN_CONNECT | SKIFFI_IN_AUTH) && properties->authentication_data.data &&
		!properties->authentication_method.data)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
			"authentication data without authentication method [MQTT 5, 3.1.2.11.10]");
	return true;
}

/* Takes the next property off bytes already checked; NULL at the end. */
static const struct property *raw_next(struct skiffi_reader *reader, struct value *value)
{
	uint8_t id;

	if (!skiffi_read_u8(reader, &id) || id >= ID_COUNT || !value_read(reader, table[id].kind, value))
		return NULL;
	return &table[id];
}

static struct skiffi_reader raw_reader(const struct skiff_properties *properties)
{
	const uint8_t *at = properties->raw.data;

	return (struct skiffi_reader){.at = at, .end = at ? at + properties->raw.len : NULL};
}

/* The value of the property `id` that stands `index`th in `raw`. */
static bool raw_find(const struct skiff_properties *properties, unsigned id, size_t index, struct value *value)
{
	struct skiffi_reader reader = raw_reader(properties);
	const struct property *property;

	while ((property = raw_next(&reader, value)) != NULL)
		if (property == &table[id] && index-- == 0)
			return true;
	return false;
}

bool skiff_user_property_at(
	const struct skiff_properties *properties, size_t index, struct skiff_user_property *property)
{
	struct value value;

	if (properties == NULL || index >= properties->user_count)
		return false;
	if (properties->user) {
		*property = properties->user[index];
		return true;
	}
	if (!raw_find(properties, ID_USER, index, &value))
		return false;
	*property = (struct skiff_user_property){.name = value.text, .value = value.second};
	return true;
}

uint32_t skiff_subscription_id_at(const struct skiff_properties *properties, size_t index)
{
	struct value value;

	if (properties == NULL || !(properties->has & SKIFF_HAS_SUBSCRIPTION_ID))
		return 0;
	if (index == 0)
		return properties->subscription_id;
	return raw_find(properties, ID_SUBSCRIPTION_ID, index, &value) ? value.number : 0;
}

/* Whether a property is written from `raw`, as the struct does not hold all of them. */
static bool from_raw(const struct skiff_properties *properties, const struct property *property)
{
	if (property == &table[ID_USER])
		return !properties->user;
	return property == &table[ID_SUBSCRIPTION_ID] && properties->has & SKIFF_HAS_SUBSCRIPTION_ID;
}

/* The properties that are to be written, one after the other in the order of the wire. */
struct walk {
	const struct skiff_properties *properties;
	unsigned id; /* next one of the table */
	size_t user; /* next one of `properties->user` */
	struct skiffi_reader raw;
};

static struct walk walk_begin(const struct skiff_properties *properties)
{
	return (struct walk){.properties = properties, .raw = raw_reader(properties)};
}

static bool walk_next(struct walk *walk, unsigned *id, struct value *value)
{
	const struct skiff_properties *properties = walk->properties;
	const struct property *property;

	for (; walk->id < ID_COUNT; walk->id++) {
		if (walk->id == ID_TOPIC_ALIAS || (walk->id == ID_SUBSCRIPTION_ID && properties->raw.data))
			continue;
		if (!member_get(properties, &table[walk->id], value))
			continue;
		*id = walk->id++;
		return true;
	}
	if (properties->user && walk->user < properties->user_count) {
		value->text = properties->user[walk->user].name;
		value->second = properties->user[walk->user].value;
		walk->user++;
		*id = ID_USER;
		return true;
	}
	while ((property = raw_next(&walk->raw, value)) != NULL) {
		if (!from_raw(properties, property))
			continue;
		*id = (unsigned)(property - table);
		return true;
	}
	return false;
}

size_t skiffi_properties_len(const struct skiff_properties *properties)
{
	struct walk walk;
	struct value value;
	size_t len = 0;
	unsigned id;

	if (properties == NULL)
		return 0;
	walk = walk_begin(properties);
	while (walk_next(&walk, &id, &value))
		len += 1 + value_len(table[id].kind, &value);
	return len;
}

uint8_t *skiffi_properties_write(uint8_t *at, const struct skiff_properties *properties)
{
	struct walk walk;
	struct value value;
	unsigned id;

	if (properties == NULL)
		return at;
	walk = walk_begin(properties);
	while (walk_next(&walk, &id, &value))
		at = value_write(skiffi_write_u8(at, (uint8_t)id), table[id].kind, &value);
	return at;
}

static bool properties_legal(
	const struct skiff_properties *properties, enum skiffi_place place, struct skiffi_refusal *why)
{
	struct walk walk = walk_begin(properties);
	struct value value;
	unsigned id;

	if (properties->has & ~(uint32_t)HAS_ALL)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, "an unknown bit is set in 'has'");
	if (properties->user_count && !properties->user && !properties->raw.data)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, "'user_count' is set but 'user' is NULL");
	while (walk_next(&walk, &id, &value))
		if (!place_legal(&table[id], place, why) || !value_legal(&table[id], &value, why))
			return false;
	if (skiffi_properties_len(properties) > SKIFFI_VARINT_MAX)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, "the properties are longer than a packet may be");
	return authentication_legal(properties, place, why);
}

bool skiffi_properties_valid(const struct skiff_properties *properties, enum skiffi_place place, const char **rule)
{
	struct skiffi_refusal why;

	if (properties == NULL || properties_legal(properties, place, &why))
		return true;
	*rule = why.rule;
	return false;
}

static bool property_read(struct skiffi_reader *reader, enum skiffi_place place, struct skiff_properties *properties,
	uint64_t *seen, struct skiffi_refusal *why)
{
	const struct property *property;
	struct value value;
	uint8_t id = *reader->at++; /* a variable byte integer, but none is above 127 */
	bool again;

	if (id >= ID_COUNT || table[id].kind == KIND_UNKNOWN)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "a property that MQTT 5 does not know [MQTT 5, 2.2.2.2]");
	property = &table[id];
	again = *seen >> id & 1;
	*seen |= (uint64_t)1 << id;
	if (!place_legal(property, place, why))
		return false;
	if (again && !(property->many & place))
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR, property->twice);
	if (!value_read(reader, property->kind, &value))
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "a property passes the end of the properties [MQTT 5, 2.2.2]");
	if (!value_legal(property, &value, why))
		return false;
	if (!again || property->kind == KIND_PAIR)
		member_set(properties, property, &value);
	return true;
}

bool skiffi_properties_read(struct skiffi_reader *reader, enum skiffi_place place, struct skiff_properties *properties,
	struct skiffi_refusal *why)
{
	struct skiffi_reader block;
	uint64_t seen = 0;
	uint32_t len;

	memset(properties, 0, sizeof(*properties));
	if (!skiffi_read_varint(reader, &len))
		return skiffi_refuse(why, SKIFFI_MALFORMED, "the property length cannot be read [MQTT-1.5.5-1]");
	if (len > skiffi_reader_left(reader))
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "the properties pass the end of the packet [MQTT 5, 2.2.2.1]");
	block = (struct skiffi_reader){.at = reader->at, .end = reader->at + len};
	properties->raw = (struct skiff_bytes){.data = reader->at, .len = len};
	reader->at += len;
	while (block.at < block.end)
		if (!property_read(&block, place, properties, &seen, why))
			return false;
	return authentication_legal(properties, place, why);
}
