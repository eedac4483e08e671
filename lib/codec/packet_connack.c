/* SPDX-License-Identifier: Apache-2.0 */
/* packet_connack.c: CONNACK [MQTT 5, 3.2].
 *
 * A broker that knows no MQTT 5 answers in the form of 3.1.1, two bytes, whatever was asked: that form is understood
 * under 5 and marked, so that the caller can say so instead of calling it malformed. */
#include "codec/parts.h"
#include "codec/reason.h"

bool skiffi_connack_encode(struct skiffi_buffer *out, enum skiffi_protocol v, const struct skiffi_connack *packet)
{
	enum skiffi_protocol form = packet->v311_form ? SKIFFI_V311 : v;
	uint8_t *at;

	assert(skiffi_reason_legal(form, SKIFFI_CONNACK, SKIFFI_FROM_SERVER, packet->reason));
	assert(!packet->session_present || packet->reason == 0); /* [MQTT-3.2.2-6] */
	at = skiffi_packet_begin(out, SKIFFI_CONNACK, 0, 2 + skiffi_block_len(form, &packet->properties));
	if (at == NULL)
		return false;
	at = skiffi_write_u8(at, packet->session_present);
	at = skiffi_write_u8(at, packet->reason);
	return skiffi_packet_end(out, skiffi_block_write(at, form, &packet->properties));
}

static bool connack_codes_read(struct skiffi_reader *reader, enum skiffi_protocol form, struct skiffi_connack *packet,
	struct skiffi_refusal *why)
{
	uint8_t flags;

	if (!skiffi_read_u8(reader, &flags) || !skiffi_read_u8(reader, &packet->reason))
		return skiffi_refuse(why, SKIFFI_MALFORMED, "CONNACK is shorter than 2 bytes [MQTT 5, 3.2.2]");
	if (flags > 1)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "reserved flags of CONNACK are set [MQTT-3.2.2-1]");
	packet->session_present = flags;
	if (!skiffi_reason_legal(form, SKIFFI_CONNACK, SKIFFI_FROM_SERVER, packet->reason))
		return skiffi_refuse(
			why, SKIFFI_PROTOCOL_ERROR, "the code of CONNACK is not in its table [MQTT-3.2.2-8]");
	if (packet->session_present && packet->reason != 0)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
			"CONNACK says session present with an error [MQTT-3.2.2-6] [MQTT 3.1.1: MQTT-3.2.2-4]");
	return true;
}

bool skiffi_connack_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_connack *packet,
	struct skiffi_refusal *why)
{
	struct skiffi_reader reader = skiffi_frame_reader(frame);
	enum skiffi_protocol form = v == SKIFFI_V5 && frame->body_len == 2 ? SKIFFI_V311 : v;

	memset(packet, 0, sizeof(*packet));
	packet->v311_form = form != v;
	if (frame->flags != 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "the flags of CONNACK are not 0 [MQTT-2.1.3-1]");
	if (!connack_codes_read(&reader, form, packet, why))
		return false;
	if (form == SKIFFI_V5 && !skiffi_properties_read(&reader, SKIFFI_IN_CONNACK, &packet->properties, why))
		return false;
	if (reader.at != reader.end)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "CONNACK is longer than its fields [MQTT 5, 3.2.3]");
	return true;
}
