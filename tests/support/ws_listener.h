/* SPDX-License-Identifier: Apache-2.0 */
/* ws_listener.h: the far end of a WebSocket connection, written by hand so that it can break every rule.
 *
 * It listens on a free loopback port; each connection it takes runs a script of the test's, on a thread of its own,
 * with blocking calls that give up after WS_PEER_PATIENCE_S. With TLS it shows a certificate for "localhost" and
 * 127.0.0.1 that it signed itself; the file ws_listener_ca names is the CA for it. */
#ifndef TESTS_WS_LISTENER_H
#define TESTS_WS_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WS_PEER_PATIENCE_S = 20, WS_PEER_REQUEST_BYTES = 64 * 1024 };

struct ws_listener;
struct ws_peer;

typedef void (*ws_script)(struct ws_peer *peer, void *user);

/* Listens; NULL when that fails. */
struct ws_listener *ws_listener_start(bool tls, ws_script script, void *user);
uint16_t ws_listener_port(const struct ws_listener *listener);
const char *ws_listener_ca(const struct ws_listener *listener);
unsigned ws_listener_taken(struct ws_listener *listener); /* connections so far */

/* Refuses connections from now on. */
void ws_listener_refuse(struct ws_listener *listener);

/* Takes no more connections, waits for the scripts, frees. */
void ws_listener_stop(struct ws_listener *listener);

/* ---- for scripts ---- */

/* Raw bytes. False when the client is gone. */
bool ws_peer_send(struct ws_peer *peer, const void *data, size_t len);
bool ws_peer_send_in_pieces(struct ws_peer *peer, const void *data, size_t len, size_t piece);
bool ws_peer_say(struct ws_peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));
size_t ws_peer_read(struct ws_peer *peer, void *data, size_t len); /* up to `len`; 0: the client is gone, or silent */

bool ws_peer_was_reset(const struct ws_peer *peer); /* how reading came to its end */

/* Reads the upgrade request; it, and the Sec-WebSocket-Accept for it. */
bool ws_peer_read_request(struct ws_peer *peer);
const char *ws_peer_request(const struct ws_peer *peer);
const char *ws_peer_accept(const struct ws_peer *peer);

/* Reads the request and answers as a good server does. */
bool ws_peer_upgrade(struct ws_peer *peer);

/* One frame in good form with any first byte. */
bool ws_peer_frame(struct ws_peer *peer, uint8_t first, const void *payload, size_t len);

struct ws_peer_frame {
	uint8_t first;
	bool masked;
	uint8_t key[4];
	uint8_t *payload; /* unmasked; the peer's, until the next call */
	size_t len;
};

/* Reads one frame of the client. */
bool ws_peer_read_frame(struct ws_peer *peer, struct ws_peer_frame *frame);

/* Reads frames to the end of the stream, or of patience; the code of the client's close frame, 0 when there was none.
 */
int ws_peer_read_close(struct ws_peer *peer);

/* Ends the connection with a reset. */
void ws_peer_reset(struct ws_peer *peer);

#endif
