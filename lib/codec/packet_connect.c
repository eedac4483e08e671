/* SPDX-License-Identifier: Apache-2.0 */
/* packet_connect.c: CONNECT [MQTT 5, 3.1]. Decoding it is for the test brokers and the tools that listen. */
#include "codec/parts.h"
#include "codec/topic.h"

enum {
	FLAG_RESERVED = 0x01,
	FLAG_CLEAN_START = 0x02,
	FLAG_WILL = 0x04,
	FLAG_WILL_QOS = 0x18,
	FLAG_WILL_RETAIN = 0x20,
	FLAG_PASSWORD = 0x40,
	FLAG_USER_NAME = 0x80,
	WILL_QOS_SHIFT = 3
};

/* With its length before it. [MQTT 3.1, 3.1] has another. */
static struct skiff_bytes protocol_name(enum skiffi_protocol v)
{
	static const char name[] = "\0\4MQTT", old[] = "\0\6MQIsdp";

	return v == SKIFFI_V31 ? (struct skiff_bytes){old, sizeof(old) - 1}
			       : (struct skiff_bytes){name, sizeof(name) - 1};
}

/* The reserved flag stays 0 [MQTT-3.1.2-3]; QoS and retain too without a will [MQTT-3.1.2-11] [MQTT-3.1.2-13]. */
static uint8_t connect_flags(const struct skiffi_connect *packet)
{
	uint8_t flags = packet->clean_start ? FLAG_CLEAN_START : 0;

	if (packet->has_will)
		flags |= (uint8_t)(FLAG_WILL | packet->will.qos << WILL_QOS_SHIFT |
				   (packet->will.retain ? FLAG_WILL_RETAIN : 0));
	if (packet->password.data)
		flags |= FLAG_PASSWORD;
	if (packet->user_name.data)
		flags |= FLAG_USER_NAME;
	return flags;
}

static size_t connect_body_len(enum skiffi_protocol v, const struct skiffi_connect *packet)
{
	size_t len = protocol_name(v).len + 4 + skiffi_block_len(v, packet->properties) + 2 + packet->client_id.len;

	if (packet->has_will)
		len += skiffi_block_len(v, packet->will.properties) + 4 + packet->will.topic.len +
		       packet->will.payload.len;
	if (packet->user_name.data)
		len += 2 + packet->user_name.len;
	if (packet->password.data)
		len += 2 + packet->password.len;
	return len;
}

static void connect_assert(enum skiffi_protocol v, const struct skiffi_connect *packet)
{
	(void)v, (void)packet;
	assert(packet->client_id.data);                                             /* [MQTT-3.1.3-3] */
	assert(v == SKIFFI_V5 || packet->client_id.len || packet->clean_start);     /* [MQTT 3.1.1: MQTT-3.1.3-7] */
	assert(v == SKIFFI_V5 || packet->user_name.data || !packet->password.data); /* [MQTT 3.1.1: MQTT-3.1.2-22] */
	assert(!packet->has_will || packet->will.qos <= 2);                         /* [MQTT-3.1.2-12] */
}

bool skiffi_connect_encode(struct skiffi_buffer *out, enum skiffi_protocol v, const struct skiffi_connect *packet)
{
	uint8_t *at;

	connect_assert(v, packet);
	at = skiffi_packet_begin(out, SKIFFI_CONNECT, 0, connect_body_len(v, packet));
	if (at == NULL)
		return false;
	memcpy(at, protocol_name(v).data, protocol_name(v).len); /* [MQTT-3.1.2-1] */
	at = skiffi_write_u8(at + protocol_name(v).len, (uint8_t)v);
	at = skiffi_write_u8(at, connect_flags(packet));
	at = skiffi_write_u16(at, packet->keep_alive_s);
	at = skiffi_block_write(at, v, packet->properties);
	at = skiffi_write_binary(at, packet->client_id); /* this order [MQTT-3.1.3-1] */
	if (packet->has_will) {                          /* [MQTT-3.1.2-9] */
		at = skiffi_block_write(at, v, packet->will.properties);
		at = skiffi_write_binary(at, packet->will.topic);
		at = skiffi_write_binary(at, packet->will.payload);
	}
	if (packet->user_name.data) /* [MQTT-3.1.2-16] [MQTT-3.1.2-17] */
		at = skiffi_write_binary(at, packet->user_name);
	if (packet->password.data) /* [MQTT-3.1.2-18] [MQTT-3.1.2-19] */
		at = skiffi_write_binary(at, packet->password);
	return skiffi_packet_end(out, at);
}

static bool protocol_read(struct skiffi_reader *reader, enum skiffi_protocol *v, struct skiffi_refusal *why)
{
	struct skiff_bytes name = protocol_name(SKIFFI_V311), old = protocol_name(SKIFFI_V31);
	size_t left = skiffi_reader_left(reader);

	if (left > old.len && !memcmp(reader->at, old.data, old.len)) {
		name = old;
	} else if (left < name.len + 1) {
		return skiffi_refuse(why, SKIFFI_MALFORMED, "CONNECT ends within its protocol name [MQTT 5, 3.1.2.1]");
	} else if (memcmp(reader->at, name.data, name.len)) {
		return skiffi_refuse(why, SKIFFI_UNSUPPORTED_VERSION, "the protocol name is not MQTT [MQTT-3.1.2-1]");
	}
	uint8_t level = reader->at[name.len];
	if (name.len == old.len ? level != SKIFFI_V31 : level != SKIFFI_V311 && level != SKIFFI_V5)
		return skiffi_refuse(why, SKIFFI_UNSUPPORTED_VERSION,
			"the protocol level is not one of its protocol name's [MQTT-3.1.2-2]");
	*v = level;
	reader->at += name.len + 1;
	return true;
}

static bool flags_legal(enum skiffi_protocol v, uint8_t flags, struct skiffi_refusal *why)
{
	if (flags & FLAG_RESERVED)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "the reserved flag of CONNECT is set [MQTT-3.1.2-3]");
	if ((flags & FLAG_WILL_QOS) == FLAG_WILL_QOS)
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "the will has QoS 3 [MQTT-3.1.2-12] [MQTT 3.1.1: MQTT-3.1.2-14]");
	if (!(flags & FLAG_WILL) && flags & FLAG_WILL_QOS)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "will QoS without a will [MQTT-3.1.2-11]");
	if (!(flags & FLAG_WILL) && flags & FLAG_WILL_RETAIN)
		return skiffi_refuse(why, SKIFFI_MALFORMED,
			"will retain without a will [MQTT-3.1.2-13] [MQTT 3.1.1: MQTT-3.1.2-15]");
	if (v != SKIFFI_V5 && flags & FLAG_PASSWORD && !(flags & FLAG_USER_NAME))
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "a password without a user name [MQTT 3.1.1: MQTT-3.1.2-22]");
	return true;
}

static bool string_read(struct skiffi_reader *reader, struct skiff_bytes *text, const char *cut, const char *invalid,
	struct skiffi_refusal *why)
{
	if (!skiffi_read_binary(reader, text))
		return skiffi_refuse(why, SKIFFI_MALFORMED, cut);
	if (!skiffi_utf8_valid(*text))
		return skiffi_refuse(why, SKIFFI_MALFORMED, invalid);
	return true;
}

static bool will_read(struct skiffi_reader *reader, enum skiffi_protocol v, uint8_t flags, struct skiff_message *will,
	struct skiff_properties *properties, struct skiffi_refusal *why)
{
	const char *rule;

	if (v == SKIFFI_V5 && !skiffi_properties_read(reader, SKIFFI_IN_WILL, properties, why))
		return false;
	if (v == SKIFFI_V5 && properties->raw.len)
		will->properties = properties;
	if (!skiffi_read_binary(reader, &will->topic))
		return skiffi_refuse(why, SKIFFI_MALFORMED, "CONNECT ends within its will topic [MQTT-3.1.2-9]");
	if (!skiffi_topic_valid(will->topic, &rule)) /* [MQTT-3.1.3-11] [MQTT 3.1.1: MQTT-3.1.3-10] */
		return skiffi_refuse(why, SKIFFI_MALFORMED, rule);
	if (!skiffi_read_binary(reader, &will->payload))
		return skiffi_refuse(why, SKIFFI_MALFORMED, "CONNECT ends within its will payload [MQTT-3.1.2-9]");
	will->qos = (uint8_t)((flags & FLAG_WILL_QOS) >> WILL_QOS_SHIFT);
	will->retain = flags & FLAG_WILL_RETAIN;
	return true;
}

static bool credentials_read(
	struct skiffi_reader *reader, uint8_t flags, struct skiffi_connect *packet, struct skiffi_refusal *why)
{
	if (flags & FLAG_USER_NAME &&
		!string_read(reader, &packet->user_name, "CONNECT ends within its user name [MQTT-3.1.2-17]",
			"the user name is not UTF-8 [MQTT-3.1.3-12]", why))
		return false;
	if (flags & FLAG_PASSWORD && !skiffi_read_binary(reader, &packet->password))
		return skiffi_refuse(why, SKIFFI_MALFORMED, "CONNECT ends within its password [MQTT-3.1.2-19]");
	if (reader->at != reader->end)
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "CONNECT is longer than its fields [MQTT-3.1.2-16] [MQTT-3.1.2-18]");
	return true;
}

static bool payload_read(struct skiffi_reader *reader, enum skiffi_protocol v, uint8_t flags,
	struct skiffi_connect *packet, struct skiff_properties *will_properties, struct skiffi_refusal *why)
{
	if (!string_read(reader, &packet->client_id, "CONNECT ends within its client identifier [MQTT-3.1.3-3]",
		    "the client identifier is not UTF-8 [MQTT-3.1.3-4]", why))
		return false;
	if (v != SKIFFI_V5 && packet->client_id.len == 0 && !packet->clean_start)
		return skiffi_refuse(why, SKIFFI_CLIENT_ID_NOT_VALID,
			"an empty client identifier without clean session [MQTT 3.1.1: MQTT-3.1.3-7]");
	packet->has_will = flags & FLAG_WILL;
	if (packet->has_will && !will_read(reader, v, flags, &packet->will, will_properties, why))
		return false;
	return credentials_read(reader, flags, packet, why);
}

bool skiffi_connect_decode(const struct skiffi_frame *frame, enum skiffi_protocol *v, struct skiffi_connect *packet,
	struct skiff_properties props[2], struct skiffi_refusal *why)
{
	struct skiffi_reader reader = skiffi_frame_reader(frame);
	uint8_t flags;

	memset(packet, 0, sizeof(*packet));
	memset(props, 0, 2 * sizeof(*props));
	if (frame->flags != 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "the flags of CONNECT are not 0 [MQTT-2.1.3-1]");
	if (!protocol_read(&reader, v, why))
		return false;
	if (!skiffi_read_u8(&reader, &flags) || !skiffi_read_u16(&reader, &packet->keep_alive_s))
		return skiffi_refuse(why, SKIFFI_MALFORMED, "CONNECT ends within its keep alive [MQTT 5, 3.1.2.10]");
	if (!flags_legal(*v, flags, why))
		return false;
	packet->clean_start = flags & FLAG_CLEAN_START;
	if (*v == SKIFFI_V5 && !skiffi_properties_read(&reader, SKIFFI_IN_CONNECT, &props[0], why))
		return false;
	if (props[0].raw.len)
		packet->properties = &props[0];
	return payload_read(&reader, *v, flags, packet, &props[1], why);
}
