/* SPDX-License-Identifier: Apache-2.0 */
/* packet_publish.c: PUBLISH [MQTT 5, 3.3], the packet that everything is fast for.
 *
 * Encoding gives the head only, as the payload may go out by reference. Decoding touches the struct of properties only
 * when there are some. */
#include "codec/parts.h"

enum { ALIAS_BYTES = 3, ID_TOPIC_ALIAS = 35 };

static size_t publish_properties_len(const struct skiffi_publish *packet)
{
	size_t len = packet->topic_alias ? ALIAS_BYTES : 0;

	if (packet->properties)
		return len + skiffi_properties_len(packet->properties);
	return len + packet->raw_properties.len;
}

/* Of the head without the fixed header; `*properties_len` is 0 under V311. */
static size_t publish_fields_len(enum skiffi_protocol v, const struct skiffi_publish *packet, size_t *properties_len)
{
	size_t len = 2 + packet->topic.len +
		     (packet->qos ? 2 : 0); /* no id at QoS 0 [MQTT-2.2.1-2] [MQTT 3.1.1: MQTT-2.3.1-5] */

	*properties_len = 0;
	if (v != SKIFFI_V5)
		return len;
	*properties_len = publish_properties_len(packet);
	return len + skiffi_varint_len((uint32_t)*properties_len) + *properties_len;
}

size_t skiffi_publish_head_len(enum skiffi_protocol v, const struct skiffi_publish *packet)
{
	size_t properties_len, len = publish_fields_len(v, packet, &properties_len);

	return 1 + skiffi_varint_len((uint32_t)(len + packet->payload.len)) + len;
}

static uint8_t *publish_properties_write(uint8_t *at, const struct skiffi_publish *packet, size_t len)
{
	at = skiffi_write_varint(at, (uint32_t)len); /* [MQTT-2.2.2-1] */
	if (packet->topic_alias) {
		at = skiffi_write_u8(at, ID_TOPIC_ALIAS);
		at = skiffi_write_u16(at, packet->topic_alias);
	}
	if (packet->properties)
		return skiffi_properties_write(at, packet->properties);
	if (packet->raw_properties.len)
		memcpy(at, packet->raw_properties.data, packet->raw_properties.len);
	return at + packet->raw_properties.len;
}

uint8_t *skiffi_publish_head(uint8_t *at, enum skiffi_protocol v, const struct skiffi_publish *packet)
{
	size_t properties_len, len = publish_fields_len(v, packet, &properties_len);

	assert(packet->qos <= 2);                  /* [MQTT-3.3.1-4] */
	assert(!packet->dup || packet->qos);       /* [MQTT-3.3.1-2] */
	assert(!packet->qos || packet->packet_id); /* [MQTT-2.2.1-3] */
	assert(v == SKIFFI_V5 || publish_properties_len(packet) == 0);
	assert(packet->topic.len || packet->topic_alias); /* [MQTT-4.7.3-1] */
	at = skiffi_write_u8(
		at, (uint8_t)(SKIFFI_PUBLISH << 4 | packet->dup << 3 | packet->qos << 1 | (packet->retain ? 1 : 0)));
	at = skiffi_write_varint(at, (uint32_t)(len + packet->payload.len));
	at = skiffi_write_binary(at, packet->topic);
	if (packet->qos)
		at = skiffi_write_u16(at, packet->packet_id);
	return v == SKIFFI_V5 ? publish_properties_write(at, packet, properties_len) : at;
}

static bool publish_flags_read(uint8_t flags, struct skiffi_publish *packet, struct skiffi_refusal *why)
{
	packet->dup = flags & 8;
	packet->qos = flags >> 1 & 3;
	packet->retain = flags & 1;
	if (packet->qos == 3)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "PUBLISH has QoS 3 [MQTT-3.3.1-4]");
	if (packet->dup && packet->qos == 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "PUBLISH has DUP set at QoS 0 [MQTT-3.3.1-2]");
	return true;
}

static bool publish_topic_refuse(enum skiffi_text found, struct skiffi_refusal *why)
{
	switch (found) {
	case SKIFFI_TEXT_NUL:
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "the topic of PUBLISH holds U+0000 [MQTT-1.5.4-2] [MQTT-4.7.3-2]");
	case SKIFFI_TEXT_WILDCARD:
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "the topic of PUBLISH holds a wildcard [MQTT-3.3.2-2] [MQTT-4.7.0-1]");
	case SKIFFI_TEXT_ILL_FORMED:
	case SKIFFI_TEXT_OK:
		break;
	}
	return skiffi_refuse(why, SKIFFI_MALFORMED, "the topic of PUBLISH is not UTF-8 [MQTT-3.3.2-1] [MQTT-1.5.4-1]");
}

static bool publish_properties_read(struct skiffi_reader *reader, enum skiffi_sender sender,
	struct skiffi_publish *packet, struct skiff_properties *properties, struct skiffi_refusal *why)
{
	if (reader->at < reader->end && *reader->at == 0) {
		reader->at++;
		return true;
	}
	if (!skiffi_properties_read(reader,
		    sender == SKIFFI_FROM_CLIENT ? SKIFFI_IN_PUBLISH_FROM_CLIENT : SKIFFI_IN_PUBLISH_FROM_SERVER,
		    properties, why))
		return false;
	packet->properties = properties;
	packet->topic_alias = properties->topic_alias;
	return true;
}

bool skiffi_publish_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, enum skiffi_sender sender,
	struct skiffi_publish *packet, struct skiff_properties *properties, struct skiffi_refusal *why)
{
	struct skiffi_reader reader = skiffi_frame_reader(frame);
	enum skiffi_text found;

	packet->packet_id = packet->topic_alias = 0;
	packet->properties = NULL;
	packet->raw_properties = (struct skiff_bytes){0};
	if (!publish_flags_read(frame->flags, packet, why))
		return false;
	if (!skiffi_read_binary(&reader, &packet->topic))
		return skiffi_refuse(why, SKIFFI_MALFORMED, "PUBLISH ends within its topic [MQTT-3.3.2-1]");
	found = skiffi_topic_scan(packet->topic);
	if (found != SKIFFI_TEXT_OK)
		return publish_topic_refuse(found, why);
	if (packet->qos && !skiffi_read_packet_id(&reader, &packet->packet_id, why))
		return false;
	if (v == SKIFFI_V5 && !publish_properties_read(&reader, sender, packet, properties, why))
		return false;
	if (packet->topic.len == 0 && packet->topic_alias == 0)
		return skiffi_refuse(
			why, SKIFFI_PROTOCOL_ERROR, "the topic of PUBLISH is empty without an alias [MQTT-4.7.3-1]");
	packet->payload = (struct skiff_bytes){.data = reader.at, .len = skiffi_reader_left(&reader)};
	return true;
}
