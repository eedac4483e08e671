/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h: what every packet_<kind>.c needs: refusing with a reason, the fixed header, the property block. */
#ifndef SKIFFI_PARTS_H
#define SKIFFI_PARTS_H

#include "codec/packet.h"
#include "codec/properties.h"
#include "codec/wire.h"
#include <assert.h>

/* The reason codes that a decoder answers with [MQTT 5, 4.13]. */
enum {
	SKIFFI_MALFORMED = 0x81,
	SKIFFI_PROTOCOL_ERROR = 0x82,
	SKIFFI_UNSUPPORTED_VERSION = 0x84,
	SKIFFI_CLIENT_ID_NOT_VALID = 0x85,
	SKIFFI_TOPIC_ALIAS_INVALID = 0x94
};

/* Fills `*why`; returns false, so that a decoder can return it at once. */
static inline bool skiffi_refuse(struct skiffi_refusal *why, uint8_t reason, const char *rule)
{
	why->reason = reason;
	why->rule = rule;
	return false;
}

static inline struct skiffi_reader skiffi_frame_reader(const struct skiffi_frame *frame)
{
	return (struct skiffi_reader){.at = frame->body, .end = frame->body + frame->body_len};
}

static inline size_t skiffi_reader_left(const struct skiffi_reader *reader)
{
	return (size_t)(reader->end - reader->at);
}

/* Makes room for a whole packet and writes its fixed header; returns the place of its body, NULL when memory is out. */
uint8_t *skiffi_packet_begin(struct skiffi_buffer *out, enum skiffi_packet_type type, uint8_t flags, size_t body_len);

/* Counts the packet begun as written; `end` is the end of its body. */
static inline bool skiffi_packet_end(struct skiffi_buffer *out, const uint8_t *end)
{
	skiffi_buffer_commit(out, (size_t)(end - (out->data + out->tail)));
	return true;
}

/* The property block: their length and the properties; a zero byte for none [MQTT-2.2.2-1]; nothing at all in 3.1.1. */
static inline size_t skiffi_block_len(enum skiffi_protocol v, const struct skiff_properties *properties)
{
	size_t len = skiffi_properties_len(properties);
	assert(v == SKIFFI_V5 || len == 0);
	return v == SKIFFI_V5 ? skiffi_varint_len((uint32_t)len) + len : 0;
}

static inline uint8_t *skiffi_block_write(
	uint8_t *at, enum skiffi_protocol v, const struct skiff_properties *properties)
{
	if (v != SKIFFI_V5)
		return at;
	at = skiffi_write_varint(at, (uint32_t)skiffi_properties_len(properties));
	return skiffi_properties_write(at, properties);
}

/* Reads a packet identifier, which is never 0 [MQTT-2.2.1-3] [MQTT 3.1.1: MQTT-2.3.1-1]. */
static inline bool skiffi_read_packet_id(struct skiffi_reader *reader, uint16_t *id, struct skiffi_refusal *why)
{
	if (!skiffi_read_u16(reader, id))
		return skiffi_refuse(why, SKIFFI_MALFORMED, "the packet ends within its packet identifier");
	if (*id == 0)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
			"the packet identifier is 0 [MQTT-2.2.1-3] [MQTT-2.2.1-4] [MQTT 3.1.1: MQTT-2.3.1-1]");
	return true;
}

#endif
