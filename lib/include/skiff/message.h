/* SPDX-License-Identifier: Apache-2.0 */
/* message.h: what is published and what arrives, and the properties of MQTT 5. */
#ifndef SKIFF_MESSAGE_H
#define SKIFF_MESSAGE_H

#include <skiff/bytes.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** One name and value [MQTT 5, 2.2.2.2]. Both are UTF-8. */
struct skiff_user_property {
	struct skiff_bytes name;
	struct skiff_bytes value;
};

/** Which integer properties are present in `has`. */
enum {
	SKIFF_HAS_PAYLOAD_FORMAT = 1 << 0,
	SKIFF_HAS_MESSAGE_EXPIRY = 1 << 1,
	SKIFF_HAS_SUBSCRIPTION_ID = 1 << 2,
	SKIFF_HAS_SESSION_EXPIRY = 1 << 3,
	SKIFF_HAS_SERVER_KEEP_ALIVE = 1 << 4,
	SKIFF_HAS_REQUEST_PROBLEM_INFO = 1 << 5,
	SKIFF_HAS_WILL_DELAY = 1 << 6,
	SKIFF_HAS_REQUEST_RESPONSE_INFO = 1 << 7,
	SKIFF_HAS_RECEIVE_MAXIMUM = 1 << 8,
	SKIFF_HAS_TOPIC_ALIAS_MAXIMUM = 1 << 9,
	SKIFF_HAS_TOPIC_ALIAS = 1 << 10,
	SKIFF_HAS_MAXIMUM_QOS = 1 << 11,
	SKIFF_HAS_RETAIN_AVAILABLE = 1 << 12,
	SKIFF_HAS_MAXIMUM_PACKET_SIZE = 1 << 13,
	SKIFF_HAS_WILDCARD_AVAILABLE = 1 << 14,
	SKIFF_HAS_SUBSCRIPTION_ID_AVAILABLE = 1 << 15,
	SKIFF_HAS_SHARED_AVAILABLE = 1 << 16
};

/** The properties of any packet [MQTT 5, 2.2.2.2]. All-zero is "none". An integer counts where its bit in `has` is
 * set, a string where its `data` is not NULL. Which property may stand in which packet is checked when it is used. */
struct skiff_properties {
	uint32_t has;                      /* SKIFF_HAS_* */
	uint32_t message_expiry_s;         /* PUBLISH, will: seconds */
	uint32_t session_expiry_s;         /* CONNECT, CONNACK, DISCONNECT: seconds; 0xFFFFFFFF never */
	uint32_t will_delay_s;             /* will: seconds */
	uint32_t maximum_packet_size;      /* CONNECT, CONNACK: bytes */
	uint32_t subscription_id;          /* SUBSCRIBE; in an inbound PUBLISH the first one: 1..268435455 */
	uint16_t server_keep_alive_s;      /* CONNACK */
	uint16_t receive_maximum;          /* CONNECT, CONNACK: packets */
	uint16_t topic_alias_maximum;      /* CONNECT, CONNACK */
	uint16_t topic_alias;              /* PUBLISH; skiff sets it itself, a caller leaves it alone */
	uint8_t payload_format;            /* PUBLISH, will: 0 bytes, 1 UTF-8 */
	uint8_t request_problem_info;      /* CONNECT */
	uint8_t request_response_info;     /* CONNECT */
	uint8_t maximum_qos;               /* CONNACK */
	uint8_t retain_available;          /* CONNACK */
	uint8_t wildcard_available;        /* CONNACK */
	uint8_t subscription_id_available; /* CONNACK */
	uint8_t shared_available;          /* CONNACK */
	struct skiff_bytes content_type;
	struct skiff_bytes response_topic;
	struct skiff_bytes correlation_data;
	struct skiff_bytes assigned_client_id;
	struct skiff_bytes authentication_method;
	struct skiff_bytes authentication_data;
	struct skiff_bytes response_information;
	struct skiff_bytes server_reference;
	struct skiff_bytes reason_string;
	const struct skiff_user_property *user; /* outbound: `user_count` of them; NULL inbound */
	size_t user_count;                      /* both directions */
	struct skiff_bytes raw;                 /* inbound: the property bytes as they came; leave zero outbound */
};

/** The user property at `index` (0 based), in either direction. Result: false when there is none. The views live
 * as long as `properties`. Any thread. */
bool skiff_user_property_at(
	const struct skiff_properties *properties, size_t index, struct skiff_user_property *property);

/** The subscription identifier at `index` of an inbound PUBLISH (a message may match several subscriptions).
 * Result: 0 when there is none. Any thread. */
uint32_t skiff_subscription_id_at(const struct skiff_properties *properties, size_t index);

/** A message, out or in. Inbound, everything it points to is borrowed until the handler returns. */
struct skiff_message {
	struct skiff_bytes topic;   /* UTF-8, 1..65535 bytes, no wildcard, no NUL */
	struct skiff_bytes payload; /* up to 268435455 bytes less the header */
	uint8_t qos;                /* 0, 1 or 2 */
	bool retain;
	bool dup;                                  /* inbound: the broker sent it before; ignored outbound */
	uint16_t packet_id;                        /* inbound, QoS 1 and 2; ignored outbound */
	const struct skiff_properties *properties; /* NULL: none. MQTT 5 only: refused on a 3.1.1 connection */
};

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
