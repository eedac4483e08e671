/* SPDX-License-Identifier: Apache-2.0 */
/* packet_relay.h: carries the connections of one client to a broker and back packet by packet, so that a test can end
 * them exactly between two packets and know what has come through.
 *
 * It listens on a free loopback port; one thread does all. Calls from any thread; failing to start aborts.
 * Connections end in order: each side reads what was carried to it, then the end; what it still sends is dropped. */
#ifndef TESTS_PACKET_RELAY_H
#define TESTS_PACKET_RELAY_H

#include "codec/packet.h"

struct packet_relay;

/* Where a packet comes from. */
enum packet_side { PACKET_CLIENT, PACKET_BROKER };

/* Towards `port` on loopback. */
struct packet_relay *packet_relay_start(uint16_t port);
void packet_relay_stop(struct packet_relay *relay);
const char *packet_relay_url(const struct packet_relay *relay); /* tcp://127.0.0.1:PORT */

/* While shut, new connections stand before it: connected, but nobody reads. */
void packet_relay_gate(struct packet_relay *relay, bool open);

/* Ends all connections: the client sees a reset, the broker an end in order. Shuts the gate. */
void packet_relay_kill(struct packet_relay *relay);

/* The next packet of `type` from `side` is not carried: it ends its connection, and shuts the gate. */
void packet_relay_trap(struct packet_relay *relay, enum packet_side side, enum skiffi_packet_type type);

/* Packets from `side` are read and counted, but not carried. */
void packet_relay_hold(struct packet_relay *relay, enum packet_side side, bool held);

/* Carries `count` of those held from `side`, ends the connections, shuts the gate, and holds nothing any more. */
void packet_relay_end_after(struct packet_relay *relay, enum packet_side side, size_t count);

/* ---- waiting, at most WAITING_LONG_MS; false: it did not come ---- */

/* Until `count` packets of `type` were read from `side` since that side was held. */
bool packet_relay_await(
	struct packet_relay *relay, enum packet_side side, enum skiffi_packet_type type, unsigned count);

/* Until a PUBLISH to a topic that ends with `suffix` (constant, NUL-terminated) is held from the broker; then how many
 * packets are held before it; -1: it did not come. */
int packet_relay_await_topic(struct packet_relay *relay, const char *suffix);

/* Until nothing is on its way: no exchange of QoS 1 or 2, no subscription without its answer. */
bool packet_relay_await_quiet(struct packet_relay *relay);

/* Until no connection is left, so that the broker has seen the end too. */
bool packet_relay_await_gone(struct packet_relay *relay);

#endif
