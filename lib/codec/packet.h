/* SPDX-License-Identifier: Apache-2.0 */
/* packet.h: one struct per packet kind, and its encoder and decoder (in packet_<kind>.c, side by side).
 *
 * Pure functions on memory, for MQTT 3.1, 3.1.1 and 5: the version is a parameter. Decoded packets are views into the
 * frame. An encoder appends a whole packet to `out` and returns false only when memory is out; its input must be valid
 * (topic.h, properties.h and the session check it before), which it asserts. A decoder trusts nothing. */
#ifndef SKIFFI_PACKET_H
#define SKIFFI_PACKET_H

#include "base/buffer.h"
#include "codec/framer.h"
#include <skiff/message.h>

enum skiffi_protocol {
	SKIFFI_V31 = 3, /* the level byte of CONNECT; but for that packet all is as in 3.1.1 */
	SKIFFI_V311 = 4,
	SKIFFI_V5 = 5
};

enum skiffi_packet_type {
	SKIFFI_CONNECT = 1,
	SKIFFI_CONNACK,
	SKIFFI_PUBLISH,
	SKIFFI_PUBACK,
	SKIFFI_PUBREC,
	SKIFFI_PUBREL,
	SKIFFI_PUBCOMP,
	SKIFFI_SUBSCRIBE,
	SKIFFI_SUBACK,
	SKIFFI_UNSUBSCRIBE,
	SKIFFI_UNSUBACK,
	SKIFFI_PINGREQ,
	SKIFFI_PINGRESP,
	SKIFFI_DISCONNECT,
	SKIFFI_AUTH
};

/* "PUBLISH" and so on; "reserved" for 0. */
const char *skiffi_packet_name(unsigned type);

/* Who sent a packet: what is legal in it depends on that. */
enum skiffi_sender { SKIFFI_FROM_CLIENT, SKIFFI_FROM_SERVER };

/* Why a packet was refused: the MQTT 5 reason code to answer with (0x81, 0x82, 0x94, ...), 0 for none, and the rule. */
struct skiffi_refusal {
	uint8_t reason;
	const char *rule; /* static: what is wrong, with the statement's id where there is one */
};

/* ---- CONNECT [MQTT 5, 3.1] ---- */
struct skiffi_connect {
	struct skiff_bytes client_id; /* may be empty, never absent */
	bool clean_start;
	uint16_t keep_alive_s;
	const struct skiff_properties *properties; /* NULL: none; V5 only */
	bool has_will;
	struct skiff_message will;    /* topic, payload, qos, retain, properties */
	struct skiff_bytes user_name; /* absent or present */
	struct skiff_bytes password;  /* absent or present */
};
bool skiffi_connect_encode(struct skiffi_buffer *out, enum skiffi_protocol v, const struct skiffi_connect *packet);
/* `*v` is read from the packet; `props[0]` and `props[1]` receive the properties of the packet and of the will. */
bool skiffi_connect_decode(const struct skiffi_frame *frame, enum skiffi_protocol *v, struct skiffi_connect *packet,
	struct skiff_properties props[2], struct skiffi_refusal *why);

/* ---- CONNACK [3.2] ---- */
struct skiffi_connack {
	bool session_present;
	uint8_t reason; /* V5 reason code, or the return code 0..5 of V311 */
	bool v311_form; /* decoded under V5, but two bytes long: the answer of a broker that knows no 5 */
	struct skiff_properties properties;
};
bool skiffi_connack_encode(struct skiffi_buffer *out, enum skiffi_protocol v, const struct skiffi_connack *packet);
bool skiffi_connack_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_connack *packet,
	struct skiffi_refusal *why);

/* ---- PUBLISH [3.3] ---- */
struct skiffi_publish {
	uint8_t qos;
	bool retain, dup;
	uint16_t packet_id;       /* QoS 1 and 2 */
	uint16_t topic_alias;     /* 0: none */
	struct skiff_bytes topic; /* may be empty with an alias */
	struct skiff_bytes payload;
	const struct skiff_properties *properties; /* NULL: none, or `raw_properties` */
	struct skiff_bytes raw_properties;         /* encoded, without their length and without an alias */
};
/* The bytes of a packet up to its payload; the payload follows them on the wire. */
size_t skiffi_publish_head_len(enum skiffi_protocol v, const struct skiffi_publish *packet);
/* Writes them at `at` (room for skiffi_publish_head_len bytes); returns the end. */
uint8_t *skiffi_publish_head(uint8_t *at, enum skiffi_protocol v, const struct skiffi_publish *packet);
/* `*properties` receives the properties; packet->properties points to it, or is NULL when there are none. The topic is
 * checked (UTF-8, no NUL, no wildcard). An empty topic is accepted with an alias only. */
bool skiffi_publish_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, enum skiffi_sender sender,
	struct skiffi_publish *packet, struct skiff_properties *properties, struct skiffi_refusal *why);

/* ---- PUBACK, PUBREC, PUBREL, PUBCOMP [3.4 to 3.7] ---- */
struct skiffi_ack {
	uint16_t packet_id;
	uint8_t reason;                     /* V5; 0 under V311 */
	struct skiff_properties properties; /* reason_string, user */
};
/* The four-byte form: V311, or reason 0 and no properties. */
bool skiffi_ack_encode(struct skiffi_buffer *out, enum skiffi_protocol v, enum skiffi_packet_type type,
	const struct skiffi_ack *packet);
bool skiffi_ack_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_ack *packet,
	struct skiffi_refusal *why);

/* ---- SUBSCRIBE [3.8], SUBACK [3.9], UNSUBSCRIBE [3.10], UNSUBACK [3.11] ---- */
struct skiffi_filter {
	struct skiff_bytes filter;
	uint8_t options; /* QoS in bits 0-1; V5: no local 2, retain as published 3, retain handling 4-5 */
};
struct skiffi_subscribe { /* and UNSUBSCRIBE, which has no options */
	uint16_t packet_id;
	const struct skiffi_filter *filters; /* encode: `count` of them; decode: NULL */
	size_t count;
	struct skiff_bytes raw_filters; /* decode: for skiffi_filter_next */
	struct skiff_properties properties;
};
size_t skiffi_subscribe_len(
	enum skiffi_protocol v, enum skiffi_packet_type type, const struct skiffi_subscribe *packet);
bool skiffi_subscribe_encode(struct skiffi_buffer *out, enum skiffi_protocol v, enum skiffi_packet_type type,
	const struct skiffi_subscribe *packet);
bool skiffi_subscribe_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_subscribe *packet,
	struct skiffi_refusal *why);
/* Takes the next filter off `raw_filters` of a decoded packet of `type`; false at the end. */
bool skiffi_filter_next(struct skiff_bytes *raw_filters, enum skiffi_packet_type type, struct skiffi_filter *filter);

struct skiffi_suback { /* and UNSUBACK */
	uint16_t packet_id;
	struct skiff_bytes reasons; /* one byte per filter; empty for an UNSUBACK of V311 */
	struct skiff_properties properties;
};
bool skiffi_suback_encode(struct skiffi_buffer *out, enum skiffi_protocol v, enum skiffi_packet_type type,
	const struct skiffi_suback *packet);
bool skiffi_suback_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_suback *packet,
	struct skiffi_refusal *why);

/* ---- PINGREQ [3.12], PINGRESP [3.13] ---- */
bool skiffi_ping_encode(struct skiffi_buffer *out, enum skiffi_packet_type type);
bool skiffi_ping_decode(const struct skiffi_frame *frame, struct skiffi_refusal *why);

/* ---- DISCONNECT [3.14], AUTH [3.15] ---- */
struct skiffi_reasoned {
	uint8_t reason;
	struct skiff_properties properties;
};
bool skiffi_disconnect_encode(struct skiffi_buffer *out, enum skiffi_protocol v, const struct skiffi_reasoned *packet);
bool skiffi_disconnect_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, enum skiffi_sender sender,
	struct skiffi_reasoned *packet, struct skiffi_refusal *why);
bool skiffi_auth_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, struct skiffi_reasoned *packet,
	struct skiffi_refusal *why);

#endif
