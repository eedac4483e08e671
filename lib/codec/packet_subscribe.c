/* SPDX-License-Identifier: Apache-2.0 */
/* packet_subscribe.c: SUBSCRIBE [MQTT 5, 3.8] and UNSUBSCRIBE [3.10]. Decoding checks every filter once and leaves them
 * where they are; skiffi_filter_next takes them off. */
#include "codec/parts.h"
#include "codec/topic.h"

enum {
	OPTION_QOS = 0x03,
	OPTION_NO_LOCAL = 0x04,
	OPTION_RETAIN_HANDLING = 0x30,
	OPTION_RESERVED = 0xc0,
	OPTION_RESERVED_V311 = 0xfc
};

static enum skiffi_place subscribe_place(unsigned type)
{
	return type == SKIFFI_SUBSCRIBE ? SKIFFI_IN_SUBSCRIBE : SKIFFI_IN_UNSUBSCRIBE;
}

static bool options_legal(enum skiffi_protocol v, const struct skiffi_filter *filter, struct skiffi_refusal *why)
{
	uint8_t options = filter->options;

	if (options & (v == SKIFFI_V5 ? OPTION_RESERVED : OPTION_RESERVED_V311))
		return skiffi_refuse(why, SKIFFI_MALFORMED,
			"reserved subscription options are set [MQTT-3.8.3-5] [MQTT 3.1.1: MQTT-3.8.3-4]");
	if ((options & OPTION_QOS) == 3)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
			"a subscription asks for QoS 3 [MQTT 5, 3.8.3.1] [MQTT 3.1.1: MQTT-3.8.3-4]");
	if ((options & OPTION_RETAIN_HANDLING) == OPTION_RETAIN_HANDLING)
		return skiffi_refuse(
			why, SKIFFI_PROTOCOL_ERROR, "a subscription has retain handling 3 [MQTT 5, 3.8.3.1]");
	if (options & OPTION_NO_LOCAL && skiffi_filter_shared(filter->filter, NULL))
		return skiffi_refuse(
			why, SKIFFI_PROTOCOL_ERROR, "a shared subscription has No Local set [MQTT-3.8.3-4]");
	return true;
}

static size_t subscribe_body_len(
	enum skiffi_protocol v, enum skiffi_packet_type type, const struct skiffi_subscribe *packet)
{
	size_t len = 2 + skiffi_block_len(v, &packet->properties);

	for (size_t i = 0; i < packet->count; i++)
		len += 2 + packet->filters[i].filter.len + (type == SKIFFI_SUBSCRIBE ? 1 : 0);
	return len;
}

size_t skiffi_subscribe_len(enum skiffi_protocol v, enum skiffi_packet_type type, const struct skiffi_subscribe *packet)
{
	size_t len = subscribe_body_len(v, type, packet);

	return 1 + skiffi_varint_len((uint32_t)len) + len;
}

bool skiffi_subscribe_encode(struct skiffi_buffer *out, enum skiffi_protocol v, enum skiffi_packet_type type,
	const struct skiffi_subscribe *packet)
{
	uint8_t *at;

	assert(packet->packet_id != 0); /* [MQTT-2.2.1-3] */
	assert(packet->count > 0);      /* [MQTT-3.8.3-2] [MQTT-3.10.3-2] */
	/* [MQTT-3.8.1-1] [MQTT-3.10.1-1] */
	at = skiffi_packet_begin(out, type, 2, subscribe_body_len(v, type, packet));
	if (at == NULL)
		return false;
	at = skiffi_block_write(skiffi_write_u16(at, packet->packet_id), v, &packet->properties);
	for (size_t i = 0; i < packet->count; i++) {
		at = skiffi_write_binary(at, packet->filters[i].filter);
		if (type == SKIFFI_SUBSCRIBE)
			at = skiffi_write_u8(at, packet->filters[i].options);
	}
	return skiffi_packet_end(out, at);
}

static bool filter_read(struct skiffi_reader *reader, unsigned type, struct skiffi_filter *filter)
{
	filter->options = 0;
	return skiffi_read_binary(reader, &filter->filter) &&
	       (type != SKIFFI_SUBSCRIBE || skiffi_read_u8(reader, &filter->options));
}

static bool filters_check(
	struct skiffi_reader reader, enum skiffi_protocol v, unsigned type, size_t *count, struct skiffi_refusal *why)
{
	struct skiffi_filter filter;
	const char *rule;

	if (reader.at == reader.end)
		return skiffi_refuse(why, SKIFFI_PROTOCOL_ERROR,
			"there is no filter in the packet [MQTT-3.8.3-2] [MQTT-3.10.3-2] [MQTT 3.1.1: MQTT-3.8.3-3]");
	for (; reader.at < reader.end; ++*count) {
		if (!filter_read(&reader, type, &filter))
			return skiffi_refuse(why, SKIFFI_MALFORMED, "the packet ends within a filter [MQTT 5, 3.8.3]");
		if (!skiffi_filter_valid(filter.filter, &rule)) /* [MQTT-3.8.3-1] [MQTT-3.10.3-1] */
			return skiffi_refuse(why, SKIFFI_MALFORMED, rule);
		if (!options_legal(v, &filter, why))
			return false;
	}
	return true;
}

bool skiffi_subscribe_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_subscribe *packet,
	struct skiffi_refusal *why)
{
	struct skiffi_reader reader = skiffi_frame_reader(frame);

	memset(packet, 0, sizeof(*packet));
	if (frame->flags != 2)
		return skiffi_refuse(why, SKIFFI_MALFORMED,
			"the flags of SUBSCRIBE or UNSUBSCRIBE are not 0010 [MQTT-3.8.1-1] [MQTT-3.10.1-1]");
	if (!skiffi_read_packet_id(&reader, &packet->packet_id, why))
		return false;
	if (v == SKIFFI_V5 && !skiffi_properties_read(&reader, subscribe_place(frame->type), &packet->properties, why))
		return false;
	packet->raw_filters = (struct skiff_bytes){.data = reader.at, .len = skiffi_reader_left(&reader)};
	return filters_check(reader, v, frame->type, &packet->count, why);
}

bool skiffi_filter_next(struct skiff_bytes *raw_filters, enum skiffi_packet_type type, struct skiffi_filter *filter)
{
	const uint8_t *at = raw_filters->data;
	struct skiffi_reader reader;

	if (raw_filters->len == 0)
		return false;
	reader = (struct skiffi_reader){.at = at, .end = at + raw_filters->len};
	if (!filter_read(&reader, type, filter))
		return false;
	*raw_filters = (struct skiff_bytes){.data = reader.at, .len = skiffi_reader_left(&reader)};
	return true;
}
