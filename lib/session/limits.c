/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c: the grants of a CONNACK [MQTT 5, 3.2.2.3], and what follows from them for a request. */
#include "session/limits.h"

#include "base/error.h"
#include "codec/topic.h"
#include "codec/wire.h"
#include <skiff/client.h>

enum { OPTION_NO_LOCAL = 4 };

void skiffi_limits_reset(struct skiffi_limits *limits, uint16_t keep_alive_s)
{
	*limits = (struct skiffi_limits){.receive_maximum = UINT16_MAX,
		.maximum_packet_size = UINT32_MAX,
		.maximum_qos = 2,
		.retain_available = true,
		.wildcard_available = true,
		.subscription_id_available = true,
		.shared_available = true,
		.keep_alive_s = keep_alive_s};
}

static void limits_grant_sizes(struct skiffi_limits *limits, const struct skiff_properties *granted)
{
	if (granted->has & SKIFF_HAS_SESSION_EXPIRY)
		limits->session_expiry_s = granted->session_expiry_s;
	if (granted->has & SKIFF_HAS_RECEIVE_MAXIMUM)
		limits->receive_maximum = granted->receive_maximum;
	if (granted->has & SKIFF_HAS_MAXIMUM_PACKET_SIZE)
		limits->maximum_packet_size = granted->maximum_packet_size;
	if (granted->has & SKIFF_HAS_TOPIC_ALIAS_MAXIMUM)
		limits->topic_alias_maximum = granted->topic_alias_maximum;
	if (granted->has & SKIFF_HAS_SERVER_KEEP_ALIVE) /* [MQTT-3.1.2-21], [MQTT-3.2.2-21] */
		limits->keep_alive_s = granted->server_keep_alive_s;
}

static void limits_grant_features(struct skiffi_limits *limits, const struct skiff_properties *granted)
{
	if (granted->has & SKIFF_HAS_MAXIMUM_QOS)
		limits->maximum_qos = granted->maximum_qos;
	if (granted->has & SKIFF_HAS_RETAIN_AVAILABLE)
		limits->retain_available = granted->retain_available;
	if (granted->has & SKIFF_HAS_WILDCARD_AVAILABLE)
		limits->wildcard_available = granted->wildcard_available;
	if (granted->has & SKIFF_HAS_SUBSCRIPTION_ID_AVAILABLE)
		limits->subscription_id_available = granted->subscription_id_available;
	if (granted->has & SKIFF_HAS_SHARED_AVAILABLE)
		limits->shared_available = granted->shared_available;
}

void skiffi_limits_grant(struct skiffi_limits *limits, enum skiffi_protocol v, const struct skiff_properties *asked,
	const struct skiff_properties *granted)
{
	if (asked && v == SKIFFI_V5)
		limits->session_expiry_s = asked->session_expiry_s;
	limits_grant_sizes(limits, granted);
	limits_grant_features(limits, granted);
	if (v != SKIFFI_V5)
		limits->receive_maximum = SKIFFI_WINDOW_V311;
}

bool skiffi_limits_too_large(const struct skiffi_limits *limits, size_t len)
{
	return len > limits->maximum_packet_size || len > (size_t)SKIFFI_VARINT_MAX + 5;
}

enum skiff_code skiffi_limits_publish(const struct skiffi_limits *limits, enum skiffi_protocol v,
	const struct skiffi_publish *publish, struct skiff_error *error)
{
	if (v != SKIFFI_V5 && (publish->properties || publish->raw_properties.len))
		return skiffi_fail(
			error, SKIFF_MQTT_NOT_ALLOWED, 0, "the message has properties, which MQTT 3.1.1 cannot carry");
	if (publish->qos > limits->maximum_qos) /* [MQTT-3.2.2-11] */
		return skiffi_fail(error, SKIFF_MQTT_NOT_ALLOWED, 0x9b, "the broker takes QoS %u at most, not %u",
			limits->maximum_qos, publish->qos);
	if (publish->retain && !limits->retain_available) /* [MQTT-3.2.2-14] */
		return skiffi_fail(error, SKIFF_MQTT_NOT_ALLOWED, 0x9a, "the broker does not keep retained messages");
	if (skiffi_limits_too_large(limits, skiffi_publish_head_len(v, publish) + publish->payload.len))
		return skiffi_fail(error, SKIFF_MQTT_TOO_LARGE, 0x95, /* [MQTT-3.2.2-15] */
			"the message of %zu bytes is larger than the broker's limit of %u bytes for a packet",
			publish->payload.len, limits->maximum_packet_size);
	return SKIFF_OK;
}

static enum skiff_code limits_filter(const struct skiffi_limits *limits, enum skiffi_protocol v,
	const struct skiffi_filter *filter, struct skiff_error *error)
{
	int len = (int)filter->filter.len;
	const char *text = filter->filter.data;
	bool shared = skiffi_filter_shared(filter->filter, NULL);
	if (shared && !limits->shared_available)
		return skiffi_fail(error, SKIFF_MQTT_NOT_ALLOWED, 0x9e,
			"the broker does not offer shared subscriptions ('%.*s')", len, text);
	if (shared && filter->options & OPTION_NO_LOCAL) /* [MQTT-3.8.3-4] */
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0x82,
			"no_local cannot go with the shared subscription '%.*s'", len, text);
	bool wildcard = memchr(text, '+', filter->filter.len) || memchr(text, '#', filter->filter.len);
	if (wildcard && !limits->wildcard_available)
		return skiffi_fail(error, SKIFF_MQTT_NOT_ALLOWED, 0xa2,
			"the broker does not offer wildcards in filters ('%.*s')", len, text);
	if (v != SKIFFI_V5 && filter->options & ~3)
		return skiffi_fail(error, SKIFF_MQTT_NOT_ALLOWED, 0,
			"MQTT 3.1.1 knows no subscription option but QoS ('%.*s')", len, text);
	return SKIFF_OK;
}

enum skiff_code skiffi_limits_subscribe(const struct skiffi_limits *limits, enum skiffi_protocol v,
	enum skiffi_packet_type type, const struct skiffi_subscribe *packet, struct skiff_error *error)
{
	bool some = packet->properties.has || packet->properties.user_count;
	if (some && v != SKIFFI_V5)
		return skiffi_fail(
			error, SKIFF_MQTT_NOT_ALLOWED, 0, "MQTT 3.1.1 knows no properties on a subscription");
	if (packet->properties.has & SKIFF_HAS_SUBSCRIPTION_ID && !limits->subscription_id_available)
		return skiffi_fail(
			error, SKIFF_MQTT_NOT_ALLOWED, 0xa1, "the broker does not offer subscription identifiers");
	for (size_t i = 0; type == SKIFFI_SUBSCRIBE && i < packet->count; i++) {
		enum skiff_code code = limits_filter(limits, v, &packet->filters[i], error);
		if (code)
			return code;
	}
	if (skiffi_limits_too_large(limits, skiffi_subscribe_len(v, type, packet)) || packet->count > UINT16_MAX)
		return skiffi_fail(error, SKIFF_MQTT_TOO_LARGE, 0x95,
			"the %s of %zu filters is larger than the broker's limit of %u bytes for a packet",
			skiffi_packet_name(type), packet->count, limits->maximum_packet_size);
	return SKIFF_OK;
}

void skiffi_limits_info(const struct skiffi_limits *limits, struct skiff_connection *connection)
{
	connection->keep_alive_s = limits->keep_alive_s;
	connection->receive_maximum = limits->receive_maximum;
	connection->maximum_packet_size = limits->maximum_packet_size;
	connection->topic_alias_maximum = limits->topic_alias_maximum;
	connection->maximum_qos = limits->maximum_qos;
	connection->retain_available = limits->retain_available;
	connection->wildcard_available = limits->wildcard_available;
	connection->subscription_id_available = limits->subscription_id_available;
	connection->shared_available = limits->shared_available;
	connection->session_expiry_s = limits->session_expiry_s;
}
