/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/suite_ws.h"

#include "support/ws_listener.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct suite_ws {
	struct ws_listener *listener; /* NULL: refuses */
	suite_script script;          /* NULL: ignores */
	void *user;
};

struct suite_ws_peer {
	struct ws_peer *peer;
	struct ws_peer_frame frame;
	size_t used; /* of the frame's payload */
	bool reset;
};

/* The rest of the stream: how it ends matters, not what it holds. */
static size_t peer_drain(struct suite_ws_peer *self)
{
	uint8_t rest[4096];
	while (ws_peer_read(self->peer, rest, sizeof rest))
		;
	return 0;
}

static size_t peer_read(void *peer, void *data, size_t len)
{
	struct suite_ws_peer *self = peer;
	while (self->used == self->frame.len) {
		self->used = 0;
		if (!ws_peer_read_frame(self->peer, &self->frame)) {
			self->frame.len = 0;
			return 0;
		}
		if ((self->frame.first & 0x0f) == 8)
			return peer_drain(self);
	}
	size_t rest = self->frame.len - self->used;
	len = len < rest ? len : rest;
	memcpy(data, self->frame.payload + self->used, len);
	self->used += len;
	return len;
}

static bool peer_write(void *peer, const void *data, size_t len)
{
	struct suite_ws_peer *self = peer;
	return ws_peer_frame(self->peer, 0x82, data, len);
}

static void peer_reset(void *peer)
{
	struct suite_ws_peer *self = peer;
	self->reset = true;
}

static bool peer_was_reset(void *peer)
{
	struct suite_ws_peer *self = peer;
	return ws_peer_was_reset(self->peer);
}

static void ws_run_script(struct ws_peer *peer, void *user)
{
	const struct suite_ws *ws = user;
	struct suite_ws_peer self = {.peer = peer};
	const struct suite_peer as_peer = {&self, peer_read, peer_write, peer_reset, peer_was_reset};
	if (!ws->script)
		peer_drain(&self);
	else if (ws_peer_upgrade(peer))
		ws->script(&as_peer, ws->user);
	if (self.reset)
		ws_peer_reset(peer);
}

void *suite_ws_start(bool tls, enum suite_manner manner, suite_script script, void *user, struct suite_way *way)
{
	struct suite_ws *ws = calloc(1, sizeof *ws);
	if (!ws)
		abort();
	ws->script = script;
	ws->user = user;
	ws->listener = ws_listener_start(tls, ws_run_script, ws);
	if (!ws->listener)
		abort();
	snprintf(way->url, sizeof way->url, "%s://127.0.0.1:%u", tls ? "wss" : "ws", ws_listener_port(ws->listener));
	way->tls.ca_file = ws_listener_ca(ws->listener);
	if (manner == SUITE_REFUSES)
		ws_listener_refuse(ws->listener);
	return ws;
}

void suite_ws_stop(void *far)
{
	struct suite_ws *ws = far;
	ws_listener_stop(ws->listener);
	free(ws);
}
