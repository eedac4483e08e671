/* SPDX-License-Identifier: Apache-2.0 */
/* limits.h: what a broker grants at CONNACK, and which requests fit into it; for the session and for every engine.
 *
 * Pure functions; `error` may be NULL. */
#ifndef SKIFFI_LIMITS_H
#define SKIFFI_LIMITS_H

#include "codec/packet.h"
#include <skiff/error.h>

/* A 3.1.1 broker names no window; this many messages in flight keep any link busy. For QoS 2: the smallest window that
 * a broker is known to end the connection for, mosquitto's default. */
enum { SKIFFI_WINDOW_V311 = 1024, SKIFFI_WINDOW_V311_QOS2 = 20 };

struct skiffi_limits {
	uint16_t receive_maximum, topic_alias_maximum, keep_alive_s;
	uint32_t maximum_packet_size, session_expiry_s;
	uint8_t maximum_qos;
	bool retain_available, wildcard_available, subscription_id_available, shared_available;
};

/* The standard's defaults, with what was asked for. */
void skiffi_limits_reset(struct skiffi_limits *limits, uint16_t keep_alive_s);

/* What an accepted CONNACK under `v` says; `asked` are the properties of CONNECT, NULL: none. */
void skiffi_limits_grant(struct skiffi_limits *limits, enum skiffi_protocol v, const struct skiff_properties *asked,
	const struct skiff_properties *granted);

/* Whether the broker, and the version, take such a message: SKIFF_OK, SKIFF_MQTT_NOT_ALLOWED, SKIFF_MQTT_TOO_LARGE. */
enum skiff_code skiffi_limits_publish(const struct skiffi_limits *limits, enum skiffi_protocol v,
	const struct skiffi_publish *publish, struct skiff_error *error);

/* Whether a packet of `len` bytes is larger than the broker, or MQTT, takes. */
bool skiffi_limits_too_large(const struct skiffi_limits *limits, size_t len);

/* The same for SUBSCRIBE or UNSUBSCRIBE (`type`) of `packet`. */
enum skiff_code skiffi_limits_subscribe(const struct skiffi_limits *limits, enum skiffi_protocol v,
	enum skiffi_packet_type type, const struct skiffi_subscribe *packet, struct skiff_error *error);

/* How many exchanges of `qos` may be open at once [MQTT-3.3.4-7]. */
static inline uint32_t skiffi_limits_window(const struct skiffi_limits *limits, enum skiffi_protocol v, uint8_t qos)
{
	return qos == 2 && v != SKIFFI_V5 ? SKIFFI_WINDOW_V311_QOS2 : limits->receive_maximum;
}

struct skiff_connection;
void skiffi_limits_info(const struct skiffi_limits *limits, struct skiff_connection *connection);

#endif
