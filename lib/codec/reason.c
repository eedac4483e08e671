/* SPDX-License-Identifier: Apache-2.0 */
/* reason.c: one table of the reason codes [MQTT 5, 2.4]: words, packets they may stand in, and our error for them. */
#include "codec/reason.h"

/* Packets, as bits; DISCONNECT by its sender. */
enum {
	CONNACK = 1 << 0,
	PUBACK = 1 << 1, /* and PUBREC, whose codes are the same */
	PUBREL = 1 << 2, /* and PUBCOMP */
	SUBACK = 1 << 3,
	UNSUBACK = 1 << 4,
	BY_CLIENT = 1 << 5,
	BY_SERVER = 1 << 6,
	AUTH_BY_CLIENT = 1 << 7,
	AUTH_BY_SERVER = 1 << 8,
	BY_BOTH = BY_CLIENT | BY_SERVER,
	AUTH_BY_BOTH = AUTH_BY_CLIENT | AUTH_BY_SERVER,
	ANSWERS = CONNACK | PUBACK | SUBACK | UNSUBACK
};

struct reason {
	uint8_t code;
	uint16_t packets;
	enum skiff_code error;
	const char *text;
};

/* The server's DISCONNECT may hold 0x00: the standard lists it for the client, but it is also what an empty DISCONNECT
 * means, from either side. */
/* clang-format off */
static const struct reason reasons[] = {
	{0x00, CONNACK | PUBACK | PUBREL | SUBACK | UNSUBACK | BY_BOTH | AUTH_BY_SERVER, SKIFF_OK, "Success"},
	{0x01, SUBACK, SKIFF_OK, "Granted QoS 1"},
	{0x02, SUBACK, SKIFF_OK, "Granted QoS 2"},
	{0x04, BY_CLIENT, SKIFF_OK, "Disconnect with Will Message"},
	{0x10, PUBACK, SKIFF_OK, "No matching subscribers"},
	{0x11, UNSUBACK, SKIFF_OK, "No subscription existed"},
	{0x18, AUTH_BY_BOTH, SKIFF_OK, "Continue authentication"},
	{0x19, AUTH_BY_CLIENT, SKIFF_OK, "Re-authenticate"},
	{0x80, ANSWERS | BY_BOTH, SKIFF_MQTT_REASON, "Unspecified error"},
	{0x81, CONNACK | BY_BOTH, SKIFF_MQTT_REASON, "Malformed Packet"},
	{0x82, CONNACK | BY_BOTH, SKIFF_MQTT_REASON, "Protocol Error"},
	{0x83, ANSWERS | BY_BOTH, SKIFF_MQTT_REASON, "Implementation specific error"},
	{0x84, CONNACK, SKIFF_MQTT_VERSION, "Unsupported Protocol Version"},
	{0x85, CONNACK, SKIFF_MQTT_CLIENT_ID, "Client Identifier not valid"},
	{0x86, CONNACK, SKIFF_MQTT_BAD_CREDENTIALS, "Bad User Name or Password"},
	{0x87, ANSWERS | BY_SERVER, SKIFF_MQTT_NOT_AUTHORISED, "Not authorized"},
	{0x88, CONNACK, SKIFF_MQTT_UNAVAILABLE, "Server unavailable"},
	{0x89, CONNACK | BY_SERVER, SKIFF_MQTT_UNAVAILABLE, "Server busy"},
	{0x8A, CONNACK, SKIFF_MQTT_BANNED, "Banned"},
	{0x8B, BY_SERVER, SKIFF_MQTT_UNAVAILABLE, "Server shutting down"},
	{0x8C, CONNACK | BY_SERVER, SKIFF_MQTT_NOT_ALLOWED, "Bad authentication method"},
	{0x8D, BY_SERVER, SKIFF_MQTT_DISCONNECTED, "Keep Alive timeout"},
	{0x8E, BY_SERVER, SKIFF_MQTT_TAKEN_OVER, "Session taken over"},
	{0x8F, SUBACK | UNSUBACK | BY_SERVER, SKIFF_MQTT_REASON, "Topic Filter invalid"},
	{0x90, CONNACK | PUBACK | BY_BOTH, SKIFF_MQTT_REASON, "Topic Name invalid"},
	{0x91, PUBACK | SUBACK | UNSUBACK, SKIFF_MQTT_REASON, "Packet Identifier in use"},
	{0x92, PUBREL, SKIFF_MQTT_REASON, "Packet Identifier not found"},
	{0x93, BY_BOTH, SKIFF_MQTT_REASON, "Receive Maximum exceeded"},
	{0x94, BY_BOTH, SKIFF_MQTT_REASON, "Topic Alias invalid"},
	{0x95, CONNACK | BY_BOTH, SKIFF_MQTT_TOO_LARGE, "Packet too large"},
	{0x96, BY_BOTH, SKIFF_MQTT_REASON, "Message rate too high"},
	{0x97, CONNACK | PUBACK | SUBACK | BY_BOTH, SKIFF_MQTT_REASON, "Quota exceeded"},
	{0x98, BY_BOTH, SKIFF_MQTT_DISCONNECTED, "Administrative action"},
	{0x99, CONNACK | PUBACK | BY_BOTH, SKIFF_MQTT_REASON, "Payload format invalid"},
	{0x9A, CONNACK | BY_SERVER, SKIFF_MQTT_NOT_ALLOWED, "Retain not supported"},
	{0x9B, CONNACK | BY_SERVER, SKIFF_MQTT_NOT_ALLOWED, "QoS not supported"},
	{0x9C, CONNACK | BY_SERVER, SKIFF_MQTT_MOVED, "Use another server"},
	{0x9D, CONNACK | BY_SERVER, SKIFF_MQTT_MOVED, "Server moved"},
	{0x9E, SUBACK | BY_SERVER, SKIFF_MQTT_NOT_ALLOWED, "Shared Subscriptions not supported"},
	{0x9F, CONNACK | BY_SERVER, SKIFF_MQTT_UNAVAILABLE, "Connection rate exceeded"},
	{0xA0, BY_SERVER, SKIFF_MQTT_DISCONNECTED, "Maximum connect time"},
	{0xA1, SUBACK | BY_SERVER, SKIFF_MQTT_NOT_ALLOWED, "Subscription Identifiers not supported"},
	{0xA2, SUBACK | BY_SERVER, SKIFF_MQTT_NOT_ALLOWED, "Wildcard Subscriptions not supported"},
};

/* [MQTT 3.1.1, 3.2.2.3] */
static const struct reason return_codes[] = {
	{0, CONNACK, SKIFF_OK, "Connection Accepted"},
	{1, CONNACK, SKIFF_MQTT_VERSION, "Connection Refused, unacceptable protocol version"},
	{2, CONNACK, SKIFF_MQTT_CLIENT_ID, "Connection Refused, identifier rejected"},
	{3, CONNACK, SKIFF_MQTT_UNAVAILABLE, "Connection Refused, Server unavailable"},
	{4, CONNACK, SKIFF_MQTT_BAD_CREDENTIALS, "Connection Refused, bad user name or password"},
	{5, CONNACK, SKIFF_MQTT_NOT_AUTHORISED, "Connection Refused, not authorized"},
};
/* clang-format on */

enum { RETURN_CODES = sizeof(return_codes) / sizeof(return_codes[0]) };

static const struct reason *reason_find(uint8_t code)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			return &reasons[i];
	return NULL;
}

const char *skiffi_reason_text(uint8_t reason)
{
	const struct reason *found = reason_find(reason);

	return found ? found->text : "unknown reason";
}

const char *skiffi_return_code_text(uint8_t code)
{
	return code < RETURN_CODES ? return_codes[code].text : "unknown return code";
}

static unsigned packet_bit(enum skiffi_packet_type type, enum skiffi_sender sender)
{
	switch (type) {
	case SKIFFI_CONNACK:
		return CONNACK;
	case SKIFFI_PUBACK: /* [MQTT-3.4.2-1] */
	case SKIFFI_PUBREC: /* [MQTT-3.5.2-1] */
		return PUBACK;
	case SKIFFI_PUBREL:  /* [MQTT-3.6.2-1] */
	case SKIFFI_PUBCOMP: /* [MQTT-3.7.2-1] */
		return PUBREL;
	case SKIFFI_SUBACK: /* [MQTT-3.9.3-2] */
		return SUBACK;
	case SKIFFI_UNSUBACK: /* [MQTT-3.11.3-2] */
		return UNSUBACK;
	case SKIFFI_DISCONNECT: /* [MQTT-3.14.2-1] */
		return sender == SKIFFI_FROM_CLIENT ? BY_CLIENT : BY_SERVER;
	case SKIFFI_AUTH: /* [MQTT-3.15.2-1] */
		return sender == SKIFFI_FROM_CLIENT ? AUTH_BY_CLIENT : AUTH_BY_SERVER;
	case SKIFFI_CONNECT:
	case SKIFFI_PUBLISH:
	case SKIFFI_SUBSCRIBE:
	case SKIFFI_UNSUBSCRIBE:
	case SKIFFI_PINGREQ:
	case SKIFFI_PINGRESP:
		break;
	}
	return 0;
}

bool skiffi_reason_legal(
	enum skiffi_protocol v, enum skiffi_packet_type type, enum skiffi_sender sender, uint8_t reason)
{
	const struct reason *found;

	if (v != SKIFFI_V5 && type == SKIFFI_CONNACK)
		return reason < RETURN_CODES;
	if (v != SKIFFI_V5 && type == SKIFFI_SUBACK) /* [MQTT 3.1.1: MQTT-3.9.3-2] */
		return reason <= 2 || reason == 0x80;
	if (v != SKIFFI_V5)
		return reason == 0; /* the other packets of 3.1.1 have none */
	found = reason_find(reason);
	return found && found->packets & packet_bit(type, sender);
}

enum skiff_code skiffi_connack_error(enum skiffi_protocol v, uint8_t reason)
{
	const struct reason *found = reason_find(reason);

	if (v != SKIFFI_V5)
		return reason < RETURN_CODES ? return_codes[reason].error : SKIFF_MQTT_REFUSED;
	return found && found->error != SKIFF_MQTT_REASON ? found->error : SKIFF_MQTT_REFUSED;
}

enum skiff_code skiffi_reason_error(uint8_t reason)
{
	const struct reason *found = reason_find(reason);

	return found ? found->error : SKIFF_MQTT_REASON;
}
