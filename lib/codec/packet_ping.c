/* SPDX-License-Identifier: Apache-2.0 */
/* packet_ping.c: PINGREQ and PINGRESP [MQTT 5, 3.12 and 3.13], which are a fixed header and no more. */
#include "codec/parts.h"

bool skiffi_ping_encode(struct skiffi_buffer *out, enum skiffi_packet_type type)
{
	const uint8_t *at = skiffi_packet_begin(out, type, 0, 0);

	return at && skiffi_packet_end(out, at);
}

bool skiffi_ping_decode(const struct skiffi_frame *frame, struct skiffi_refusal *why)
{
	if (frame->flags != 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED,
			"the flags of a ping are not 0 [MQTT-2.1.3-1] [MQTT 3.1.1: MQTT-2.2.2-2]");
	if (frame->body_len != 0)
		return skiffi_refuse(why, SKIFFI_MALFORMED, "a ping has no body [MQTT 5, 3.12.1 and 3.13.1]");
	return true;
}
