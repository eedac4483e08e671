/* SPDX-License-Identifier: Apache-2.0 */
/* far_broker.h: a broker by script, one packet at a time, so that it can grant little, stay silent or break rules.
 *
 * It is a net_listener whose scripts see packets instead of bytes. Each connection runs the script on a thread of its
 * own; when the script returns, the connection ends in order. */
#ifndef TESTS_FAR_BROKER_H
#define TESTS_FAR_BROKER_H

#include "codec/packet.h"
#include "support/net_listener.h"

struct far_broker;

/* One connection. */
struct far_client {
	struct far_broker *broker;
	struct net_peer *peer;
	struct skiffi_buffer input;
	size_t used; /* bytes of the packet given last */
	enum skiffi_protocol version;
	unsigned number; /* of the connection, from 1 */
	void *user;
};

typedef void (*far_script)(struct far_client *client, void *user);

struct far_broker *far_broker_start(far_script script, void *user);
const char *far_broker_url(const struct far_broker *broker);
unsigned far_broker_connections(struct far_broker *broker); /* so far */
void far_broker_stop(struct far_broker *broker);

/* ---- for scripts ---- */

/* The next packet, borrowed until the next call; false: the client is gone. */
bool far_next(struct far_client *client, struct skiffi_frame *frame);

/* Skips to the next packet of `type`. */
bool far_next_of(struct far_client *client, enum skiffi_packet_type type, struct skiffi_frame *frame);

/* Reads CONNECT and learns its version. */
bool far_read_connect(struct far_client *client);

/* CONNACK; `properties` may be NULL, and is left out where the client speaks 3.1.1. */
bool far_send_connack(
	struct far_client *client, uint8_t reason, bool session_present, const struct skiff_properties *properties);

/* Both of them: CONNECT, then an accepting CONNACK without a session. */
bool far_greet(struct far_client *client, const struct skiff_properties *properties);

bool far_send(struct far_client *client, const void *data, size_t len);
bool far_send_ack(struct far_client *client, enum skiffi_packet_type type, uint16_t packet_id, uint8_t reason);

/* Answers SUBSCRIBE or UNSUBSCRIBE: `reason` for each filter. */
bool far_answer_subscribe(struct far_client *client, const struct skiffi_frame *frame, uint8_t reason);

/* The packet id of a PUBLISH of QoS 1 or 2, or of an acknowledgement. */
uint16_t far_packet_id(struct far_client *client, const struct skiffi_frame *frame);

/* Answers one packet as a broker does that keeps nothing; false: it was DISCONNECT, or the client is gone. */
bool far_answer(struct far_client *client, const struct skiffi_frame *frame);

/* Answers everything as a broker does that keeps nothing and forwards nothing, until the client goes. */
void far_serve(struct far_client *client);

/* Reads and drops packets until the client goes. */
void far_ignore(struct far_client *client);

#endif
