/* SPDX-License-Identifier: Apache-2.0 */
/* packet_suback.c: SUBACK [MQTT 5, 3.9] and UNSUBACK [3.11]. That there is one code per filter is for the session to
 * check; that there is one at all is checked here (the class of CVE-2024-10525). */
#include "codec/parts.h"
#include "codec/reason.h"

bool skiffi_suback_encode(struct skiffi_buffer *out, enum skiffi_protocol v, enum skiffi_packet_type type,
	const struct skiffi_suback *packet)
{
	uint8_t *at;

	assert(packet->packet_id != 0);
	assert(packet->reasons.len > 0 || (v != SKIFFI_V5 && type == SKIFFI_UNSUBACK));
	at = skiffi_packet_begin(out, type, 0, 2 + skiffi_block_len(v, &packet->properties) + packet->reasons.len);
	if (at == NULL)
		return false;
	at = skiffi_block_write(skiffi_write_u16(at, packet->packet_id), v, &packet->properties);
	if (packet->reasons.len)
		memcpy(at, packet->reasons.data, packet->reasons.len);
	return skiffi_packet_end(out, at + packet->reasons.len);
}

static bool suback_reasons_legal(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiff_bytes reasons,
	struct skiffi_refusal *why)
{
	const uint8_t *codes = reasons.data;

	if (v != SKIFFI_V5 && frame->type == SKIFFI_UNSUBACK) {
		if (reasons.len)
			return skiffi_refuse(
				why, SKIFFI_MALFORMED, "UNSUBACK has no payload in 3.1.1 [MQTT 3.1.1, 3.11.3]");
		return true;
	}
	if (reasons.len == 0)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
			"an acknowledgement of filters has no codes [MQTT-3.8.4-6] [MQTT-3.11.3-1]");
	for (size_t i = 0; i < reasons.len; i++)
		if (!skiffi_reason_legal(v, frame->type, SKIFFI_FROM_SERVER, codes[i]))
			return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
				"a code of SUBACK or UNSUBACK is not in its table [MQTT-3.9.3-2] [MQTT-3.11.3-2]");
	return true;
}

bool skiffi_suback_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_suback *packet,
	struct skiffi_refusal *why)
{
	struct skiffi_reader reader = skiffi_frame_reader(frame);

	memset(packet, 0, sizeof(*packet));
	if (frame->flags != 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "the flags of SUBACK or UNSUBACK are not 0 [MQTT-2.1.3-1]");
	if (!skiffi_read_packet_id(&reader, &packet->packet_id, why))
		return false;
	if (v == SKIFFI_V5 && !skiffi_properties_read(&reader, SKIFFI_IN_ACK, &packet->properties, why))
		return false;
	packet->reasons = (struct skiff_bytes){.data = reader.at, .len = skiffi_reader_left(&reader)};
	return suback_reasons_legal(frame, v, packet->reasons, why);
}
