/* SPDX-License-Identifier: Apache-2.0 */
/* framer.c: the fixed header [MQTT 5, 2.1], both ways. A length is believed only once it is below the caller's bound,
 * so that a peer that announces 256 MiB costs nothing. */
#include "codec/framer.h"
#include "codec/parts.h"

static enum skiffi_framing frame_set(
	struct skiffi_frame *frame, const uint8_t *data, size_t len, size_t head_len, size_t body_len, size_t max_bytes)
{
	frame->type = data[0] >> 4;
	frame->flags = data[0] & 0x0f;
	frame->body = data + head_len;
	frame->body_len = body_len;
	frame->total_len = head_len + body_len;
	if (frame->total_len > max_bytes)
		return SKIFFI_FRAME_TOO_LARGE; /* [MQTT-3.1.2-24] */
	return frame->total_len <= len ? SKIFFI_FRAME_OK : SKIFFI_FRAME_MORE;
}

enum skiffi_framing skiffi_frame_next(const uint8_t *data, size_t len, size_t max_bytes, struct skiffi_frame *frame)
{
	struct skiffi_reader reader;
	uint32_t body_len;
	size_t seen = 1;

	if (len >= 2 && data[1] < 0x80)
		return frame_set(frame, data, len, 2, data[1], max_bytes);
	while (seen < len && seen < 5 && data[seen] >= 0x80)
		seen++;
	if (seen >= len && seen < 5) {
		frame->total_len = 0;
		return SKIFFI_FRAME_MORE;
	}
	reader = (struct skiffi_reader){.at = data + 1, .end = data + (len < 5 ? len : 5)};
	if (!skiffi_read_varint(&reader, &body_len)) /* [MQTT-1.5.5-1] */
		return SKIFFI_FRAME_MALFORMED;
	return frame_set(frame, data, len, (size_t)(reader.at - data), body_len, max_bytes);
}

uint8_t *skiffi_packet_begin(struct skiffi_buffer *out, enum skiffi_packet_type type, uint8_t flags, size_t body_len)
{
	uint8_t *at;

	assert(body_len <= SKIFFI_VARINT_MAX);
	at = skiffi_buffer_reserve(out, 1 + skiffi_varint_len((uint32_t)body_len) + body_len);
	if (at == NULL)
		return NULL;
	at = skiffi_write_u8(at, (uint8_t)(type << 4 | flags));
	return skiffi_write_varint(at, (uint32_t)body_len);
}

const char *skiffi_packet_name(unsigned type)
{
	static const char *const names[] = {"reserved", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL",
		"PUBCOMP", "SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT",
		"AUTH"};

	return names[type < sizeof(names) / sizeof(names[0]) ? type : 0];
}
