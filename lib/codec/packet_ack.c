/* SPDX-License-Identifier: Apache-2.0 */
/* packet_ack.c: PUBACK, PUBREC, PUBREL and PUBCOMP [MQTT 5, 3.4 to 3.7], which are one packet with four names. */
#include "codec/parts.h"
#include "codec/reason.h"

/* [MQTT-2.1.3-1] [MQTT-3.6.1-1] */
static uint8_t ack_flags(unsigned type)
{
	return type == SKIFFI_PUBREL ? 2 : 0;
}

/* Bytes behind the packet identifier: none, the reason, or the reason and the properties. */
static size_t ack_tail_len(enum skiffi_protocol v, const struct skiffi_ack *packet)
{
	const struct skiff_properties *properties = &packet->properties;
	/* that there are none must cost nothing: every message of QoS 1 comes by here */
	bool some = properties->reason_string.data || properties->user_count || properties->raw.len;
	size_t properties_len = v == SKIFFI_V5 && some ? skiffi_properties_len(properties) : 0;

	if (v != SKIFFI_V5 || (packet->reason == 0 && properties_len == 0))
		return 0;
	return properties_len ? 1 + skiffi_varint_len((uint32_t)properties_len) + properties_len : 1;
}

bool skiffi_ack_encode(struct skiffi_buffer *out, enum skiffi_protocol v, enum skiffi_packet_type type,
	const struct skiffi_ack *packet)
{
	size_t tail_len = ack_tail_len(v, packet);
	uint8_t *at;

	assert(packet->packet_id != 0); /* [MQTT-2.2.1-5] */
	assert(skiffi_reason_legal(v, type, SKIFFI_FROM_CLIENT, packet->reason));
	at = skiffi_packet_begin(out, type, ack_flags(type), 2 + tail_len);
	if (at == NULL)
		return false;
	at = skiffi_write_u16(at, packet->packet_id);
	if (tail_len > 0)
		at = skiffi_write_u8(at, packet->reason);
	if (tail_len > 1)
		at = skiffi_block_write(at, v, &packet->properties);
	return skiffi_packet_end(out, at);
}

bool skiffi_ack_decode(
	const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_ack *packet, struct skiffi_refusal *why)
{
	struct skiffi_reader reader = skiffi_frame_reader(frame);

	memset(packet, 0, sizeof(*packet));
	if (frame->flags != ack_flags(frame->type))
		return skiffi_refuse(why, SKIFFI_MALFORMED,
			"the flags of an acknowledgement are not as reserved [MQTT-2.1.3-1] [MQTT-3.6.1-1]");
	if (!skiffi_read_packet_id(&reader, &packet->packet_id, why))
		return false;
	if (reader.at == reader.end)
		return true;
	if (v != SKIFFI_V5)
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "an acknowledgement is longer than 2 bytes [MQTT 3.1.1, 3.4.1]");
	packet->reason = *reader.at++;
	if (!skiffi_reason_legal(v, frame->type, SKIFFI_FROM_SERVER, packet->reason))
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
			"the reason of an acknowledgement is not in its table [MQTT-3.4.2-1] [MQTT-3.5.2-1] "
			"[MQTT-3.6.2-1] "
			"[MQTT-3.7.2-1]");
	if (reader.at == reader.end)
		return true;
	if (!skiffi_properties_read(&reader, SKIFFI_IN_ACK, &packet->properties, why))
		return false;
	if (reader.at != reader.end)
		return skiffi_refuse(
			why, SKIFFI_MALFORMED, "bytes behind the properties of an acknowledgement [MQTT 5, 3.4.2]");
	return true;
}
