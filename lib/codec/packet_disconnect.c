/* SPDX-License-Identifier: Apache-2.0 */
/* packet_disconnect.c: DISCONNECT [MQTT 5, 3.14] and AUTH [3.15]: a reason and properties, both of which may be left
 * out from the end. */
#include "codec/parts.h"
#include "codec/reason.h"

bool skiffi_disconnect_encode(struct skiffi_buffer *out, enum skiffi_protocol v, const struct skiffi_reasoned *packet)
{
	size_t properties_len = skiffi_properties_len(&packet->properties), body_len = 0;
	uint8_t *at;

	if (v == SKIFFI_V5 && properties_len)
		body_len = 1 + skiffi_varint_len((uint32_t)properties_len) + properties_len;
	else if (v == SKIFFI_V5 && packet->reason)
		body_len = 1;
	at = skiffi_packet_begin(out, SKIFFI_DISCONNECT, 0, body_len);
	if (at == NULL)
		return false;
	if (body_len > 0)
		at = skiffi_write_u8(at, packet->reason);
	if (body_len > 1)
		at = skiffi_block_write(at, v, &packet->properties);
	return skiffi_packet_end(out, at);
}

/* Reads the reason and the properties, as far as they are there. */
static bool reasoned_read(const struct skiffi_frame *frame, enum skiffi_place place, struct skiffi_reasoned *packet,
	struct skiffi_refusal *why)
{
	struct skiffi_reader reader = skiffi_frame_reader(frame);

	if (reader.at == reader.end)
		return true;
	packet->reason = *reader.at++;
	if (reader.at == reader.end)
		return true;
	if (!skiffi_properties_read(&reader, place, &packet->properties, why))
		return false;
	if (reader.at != reader.end)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "bytes behind the properties [MQTT 5, 3.14.3 and 3.15.3]");
	return true;
}

static bool disconnect_v311_legal(
	const struct skiffi_frame *frame, enum skiffi_sender sender, struct skiffi_refusal *why)
{
	if (sender == SKIFFI_FROM_SERVER)
		return skiffi_refuse(
			why, SKIFFI_PROTOCOL_ERROR, "a server sends no DISCONNECT in 3.1.1 [MQTT 3.1.1, 3.14]");
	if (frame->body_len != 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "DISCONNECT has no body in 3.1.1 [MQTT 3.1.1, 3.14.1]");
	return true;
}

bool skiffi_disconnect_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, enum skiffi_sender sender,
	struct skiffi_reasoned *packet, struct skiffi_refusal *why)
{
	enum skiffi_place place =
		sender == SKIFFI_FROM_CLIENT ? SKIFFI_IN_DISCONNECT_FROM_CLIENT : SKIFFI_IN_DISCONNECT_FROM_SERVER;

	memset(packet, 0, sizeof(*packet));
	if (frame->flags != 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "the flags of DISCONNECT are not 0 [MQTT-3.14.1-1]");
	if (v != SKIFFI_V5)
		return disconnect_v311_legal(frame, sender, why);
	if (!reasoned_read(frame, place, packet, why))
		return false;
	if (!skiffi_reason_legal(v, SKIFFI_DISCONNECT, sender, packet->reason))
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
			"the reason of DISCONNECT is not in its sender's table [MQTT-3.14.2-1]");
	return true;
}

bool skiffi_auth_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_reasoned *packet,
	struct skiffi_refusal *why)
{
	memset(packet, 0, sizeof(*packet));
	if (v != SKIFFI_V5)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "packet type 15 is reserved in 3.1.1 [MQTT 3.1.1, 2.2.1]");
	if (frame->flags != 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "the flags of AUTH are not 0 [MQTT-3.15.1-1]");
	if (!reasoned_read(frame, SKIFFI_IN_AUTH, packet, why))
		return false;
	if (!skiffi_reason_legal(v, SKIFFI_AUTH, SKIFFI_FROM_SERVER, packet->reason) &&
		!skiffi_reason_legal(v, SKIFFI_AUTH, SKIFFI_FROM_CLIENT, packet->reason))
		return skiffi_refuse(
			why, SKIFFI_PROTOCOL_ERROR, "the reason of AUTH is not in its table [MQTT-3.15.2-1]");
	if ((packet->reason != 0 || frame->body_len > 1) && !packet->properties.authentication_method.data)
		return skiffi_refuse(
			why, SKIFFI_PROTOCOL_ERROR, "AUTH names no authentication method [MQTT 5, 3.15.2.2.2]");
	return true;
}
