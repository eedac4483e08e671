/* SPDX-License-Identifier: Apache-2.0 */
/* packet_any.c: one switch to decode, one to encode. */
#include "support/packet_any.h"
#include <stdlib.h>

static bool connect_decode(const struct skiffi_frame *frame, struct packet_any *any, struct skiffi_refusal *why)
{
	return skiffi_connect_decode(frame, &any->v, &any->as.connect, any->properties, why);
}

bool packet_any_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, enum skiffi_sender sender,
	struct packet_any *any, struct skiffi_refusal *why)
{
	any->type = frame->type;
	any->v = v;
	switch (frame->type) {
	case SKIFFI_CONNECT:
		return connect_decode(frame, any, why);
	case SKIFFI_CONNACK:
		return skiffi_connack_decode(frame, v, &any->as.connack, why);
	case SKIFFI_PUBLISH:
		return skiffi_publish_decode(frame, v, sender, &any->as.publish, any->properties, why);
	case SKIFFI_PUBACK:
	case SKIFFI_PUBREC:
	case SKIFFI_PUBREL:
	case SKIFFI_PUBCOMP:
		return skiffi_ack_decode(frame, v, &any->as.ack, why);
	case SKIFFI_SUBSCRIBE:
	case SKIFFI_UNSUBSCRIBE:
		return skiffi_subscribe_decode(frame, v, &any->as.subscribe, why);
	case SKIFFI_SUBACK:
	case SKIFFI_UNSUBACK:
		return skiffi_suback_decode(frame, v, &any->as.suback, why);
	case SKIFFI_PINGREQ:
	case SKIFFI_PINGRESP:
		return skiffi_ping_decode(frame, why);
	case SKIFFI_DISCONNECT:
		return skiffi_disconnect_decode(frame, v, sender, &any->as.reasoned, why);
	case SKIFFI_AUTH:
		return skiffi_auth_decode(frame, v, &any->as.reasoned, why);
	default:
		why->reason = 0x81;
		why->rule = "packet type 0 is reserved";
		return false;
	}
}

static bool publish_encode(struct skiffi_buffer *out, const struct packet_any *any)
{
	const struct skiffi_publish *publish = &any->as.publish;
	size_t head_len = skiffi_publish_head_len(any->v, publish);
	uint8_t *at = skiffi_buffer_reserve(out, head_len);

	if (at == NULL || skiffi_publish_head(at, any->v, publish) != at + head_len)
		return false;
	skiffi_buffer_commit(out, head_len);
	return publish->payload.len == 0 || skiffi_buffer_append(out, publish->payload.data, publish->payload.len);
}

static bool subscribe_encode(struct skiffi_buffer *out, const struct packet_any *any)
{
	struct skiffi_subscribe subscribe = any->as.subscribe;
	struct skiffi_filter *filters = calloc(subscribe.count, sizeof(*filters));
	size_t count = 0, before = skiffi_buffer_len(out);
	bool good = false;

	if (filters == NULL)
		return false;
	while (count < subscribe.count && skiffi_filter_next(&subscribe.raw_filters, any->type, &filters[count]))
		count++;
	subscribe.filters = filters;
	if (count == subscribe.count && subscribe.raw_filters.len == 0)
		good = skiffi_subscribe_encode(out, any->v, any->type, &subscribe) &&
		       skiffi_buffer_len(out) - before == skiffi_subscribe_len(any->v, any->type, &subscribe);
	free(filters);
	return good;
}

bool packet_any_encode(struct skiffi_buffer *out, const struct packet_any *any)
{
	switch (any->type) {
	case SKIFFI_CONNECT:
		return skiffi_connect_encode(out, any->v, &any->as.connect);
	case SKIFFI_CONNACK:
		return skiffi_connack_encode(out, any->v, &any->as.connack);
	case SKIFFI_PUBLISH:
		return publish_encode(out, any);
	case SKIFFI_PUBACK:
	case SKIFFI_PUBREC:
	case SKIFFI_PUBREL:
	case SKIFFI_PUBCOMP:
		return skiffi_ack_encode(out, any->v, any->type, &any->as.ack);
	case SKIFFI_SUBSCRIBE:
	case SKIFFI_UNSUBSCRIBE:
		return subscribe_encode(out, any);
	case SKIFFI_SUBACK:
	case SKIFFI_UNSUBACK:
		return skiffi_suback_encode(out, any->v, any->type, &any->as.suback);
	case SKIFFI_PINGREQ:
	case SKIFFI_PINGRESP:
		return skiffi_ping_encode(out, any->type);
	case SKIFFI_DISCONNECT:
		return skiffi_disconnect_encode(out, any->v, &any->as.reasoned);
	default:
		return false;
	}
}
