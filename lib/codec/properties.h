/* SPDX-License-Identifier: Apache-2.0 */
/* properties.h: the properties of MQTT 5 as a table: identifier, type, where each may stand, once or many times. */
#ifndef SKIFFI_PROPERTIES_H
#define SKIFFI_PROPERTIES_H

#include "codec/wire.h"
#include <skiff/message.h>

struct skiffi_refusal;

/* The places a property can stand in; bits of the table. */
enum skiffi_place {
	SKIFFI_IN_CONNECT = 1 << 0,
	SKIFFI_IN_CONNACK = 1 << 1,
	SKIFFI_IN_PUBLISH_FROM_CLIENT = 1 << 2,
	SKIFFI_IN_PUBLISH_FROM_SERVER = 1 << 3,
	SKIFFI_IN_WILL = 1 << 4,
	SKIFFI_IN_ACK = 1 << 5, /* PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK */
	SKIFFI_IN_SUBSCRIBE = 1 << 6,
	SKIFFI_IN_UNSUBSCRIBE = 1 << 7,
	SKIFFI_IN_DISCONNECT_FROM_CLIENT = 1 << 8,
	SKIFFI_IN_DISCONNECT_FROM_SERVER = 1 << 9,
	SKIFFI_IN_AUTH = 1 << 10
};

/* Whether a caller's properties may be sent in `place`: every one present is legal there, in range, strings valid and
 * at most 65535 bytes, response topic without wildcard. `*rule` names what is wrong. NULL properties are fine; so are
 * those of an inbound packet, which are passed on with their user properties. */
bool skiffi_properties_valid(const struct skiff_properties *properties, enum skiffi_place place, const char **rule);

/* Encoded length in bytes, without the length field in front; NULL counts 0. Neither this nor the writer counts the
 * topic alias: it belongs to one connection, and the encoder of PUBLISH writes it from its own member. */
size_t skiffi_properties_len(const struct skiff_properties *properties);

/* Writes them at `at`, without the length field; returns the end. */
uint8_t *skiffi_properties_write(uint8_t *at, const struct skiff_properties *properties);

/* Reads a length field and the properties behind it. Everything is checked: known, legal in `place`, at most once
 * where so, range, strings. `raw`, `user_count` and the members are set; `user` stays NULL. */
bool skiffi_properties_read(struct skiffi_reader *reader, enum skiffi_place place, struct skiff_properties *properties,
	struct skiffi_refusal *why);

#endif
