/* SPDX-License-Identifier: Apache-2.0 */
/* causes_far.c: one script for every plan; it reads packets through either kind of listener. */
#include "engine/causes_far.h"

#include "codec/packet.h"
#include "support/waiting.h"
#include "support/ws_listener.h"
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FAR_PATH = 256, FAR_PACKET = 8192, FAR_VERSION_AT = 6, FAR_PATIENCE_MS = 20000 };

struct cause_far {
	struct cause_plan plan;
	enum cause_door door;
	struct net_listener *net; /* one of the two */
	struct ws_listener *ws;
	atomic_uint upgrades, connects;
	_Atomic(int64_t) connect_ms;
	bool go, over; /* under the lock of waiting.h */
	char certificate[FAR_PATH], key[FAR_PATH], client_ca[FAR_PATH], ca[FAR_PATH];
};

/* One connection. */
struct far_peer {
	struct cause_far *far;
	struct net_peer *net; /* one of the two */
	struct ws_peer *ws;
	bool upgraded;
	uint8_t bytes[FAR_PACKET];
	size_t len;
};

/* ---- bytes ---- */

static bool far_read(struct far_peer *peer)
{
	struct ws_peer_frame frame;
	uint8_t *at = peer->bytes + peer->len;
	size_t room = sizeof peer->bytes - peer->len, got = 0;
	if (peer->net)
		got = net_peer_read(peer->net, at, room);
	else if (!peer->upgraded)
		got = ws_peer_read(peer->ws, at, room);
	else if (ws_peer_read_frame(peer->ws, &frame) && frame.first == 0x82 && frame.len <= room)
		memcpy(at, frame.payload, got = frame.len);
	peer->len += got;
	return got > 0;
}

static bool far_write(struct far_peer *peer, struct cause_words words)
{
	if (!words.len)
		return true;
	if (peer->net)
		return net_peer_write(peer->net, words.at, words.len);
	return peer->upgraded ? ws_peer_frame(peer->ws, 0x82, words.at, words.len)
			      : ws_peer_send(peer->ws, words.at, words.len);
}

static void far_hold(struct far_peer *peer)
{
	do
		peer->len = 0;
	while (far_read(peer));
}

static void far_reset(struct far_peer *peer)
{
	if (peer->net)
		net_peer_reset(peer->net);
	else
		ws_peer_reset(peer->ws);
}

/* ---- the way to CONNECT ---- */

static bool far_upgrade(struct far_peer *peer)
{
	const struct cause_plan *plan = &peer->far->plan;
	if (!ws_peer_read_request(peer->ws))
		return false;
	atomic_fetch_add(&peer->far->upgrades, !strncmp(ws_peer_request(peer->ws), "GET ", 4));
	if (plan->closes_request)
		return false;
	if (!plan->http && !plan->ignores_request) {
		ws_peer_say(peer->ws,
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
			ws_peer_accept(peer->ws));
		return peer->upgraded = true;
	}
	const char *key = plan->http ? strstr(plan->http, "%s") : NULL;
	if (key) {
		ws_peer_say(peer->ws, "%.*s%s%s\r\n\r\n", (int)(key - plan->http), plan->http, ws_peer_accept(peer->ws),
			key + 2);
		return peer->upgraded = true;
	}
	if (plan->http)
		ws_peer_say(peer->ws, "%s\r\n\r\n", plan->http);
	far_hold(peer);
	return false;
}

/* Its version; 0: none came. */
static int far_await_connect(struct far_peer *peer)
{
	struct skiffi_frame frame;
	while (!peer->len || skiffi_frame_next(peer->bytes, peer->len, SIZE_MAX, &frame) != SKIFFI_FRAME_OK)
		if (!far_read(peer))
			return 0;
	if (!memcmp(peer->bytes, "GET ", 4)) { /* by a net_listener, which can refuse it, and no more */
		const char *http = peer->far->plan.http;
		atomic_fetch_add(&peer->far->upgrades, 1);
		far_write(peer, (struct cause_words){http, http ? strlen(http) : 0});
		far_write(peer, (struct cause_words){"\r\n\r\n", http ? 4 : 0});
		return 0;
	}
	if (frame.type != SKIFFI_CONNECT || frame.flags)
		return 0;
	atomic_fetch_add(&peer->far->connects, 1);
	atomic_store(&peer->far->connect_ms, waiting_now_ms());
	return frame.body[FAR_VERSION_AT];
}

/* ---- the script ---- */

static bool far_may_go(const void *subject)
{
	return *(const bool *)subject;
}

static void far_serve(struct far_peer *peer, int version)
{
	const struct cause_plan *plan = &peer->far->plan;
	far_write(peer, version == 5 ? (struct cause_words){"\x20\3\0\0\0", 5} : (struct cause_words){"\x20\2\0\0", 4});
	if (plan->only_311) {
		far_hold(peer);
		return;
	}
	waiting_until(far_may_go, &peer->far->go, FAR_PATIENCE_MS);
	far_write(peer, plan->then_said);
	if (plan->then == CAUSE_THEN_RESETS)
		far_reset(peer);
	else if (plan->then == CAUSE_THEN_HOLDS)
		far_hold(peer);
	else if (plan->then == CAUSE_THEN_FREEZES)
		waiting_until(far_may_go, &peer->far->over, FAR_PATIENCE_MS);
}

static void far_play(struct far_peer *peer)
{
	const struct cause_plan *plan = &peer->far->plan;
	if (plan->first.len) {
		far_write(peer, plan->first);
		far_hold(peer);
		return;
	}
	if (peer->ws && !far_upgrade(peer))
		return;
	int version = far_await_connect(peer);
	if (!version)
		return;
	if (plan->answer == CAUSE_SERVES || (plan->only_311 && version == 4)) {
		far_serve(peer, version);
		return;
	}
	far_write(peer, plan->said);
	if (plan->answer == CAUSE_RESETS)
		far_reset(peer);
	else if (plan->answer == CAUSE_HOLDS)
		far_hold(peer);
}

static void far_on_net(struct net_peer *net, void *user)
{
	struct far_peer peer = {.far = user, .net = net};
	if (peer.far->plan.drops)
		net_peer_drop(net);
	else
		far_play(&peer);
}

static void far_on_ws(struct ws_peer *ws, void *user)
{
	struct far_peer peer = {.far = user, .ws = ws};
	far_play(&peer);
}

/* ---- start and end ---- */

static const char *far_path(char *out, const char *certs, const char *name, const char *end)
{
	snprintf(out, FAR_PATH, "%s/%s%s", certs, name, end);
	return out;
}

/* What ws_listener cannot do concerns TCP and TLS, and there a net_listener serves every door. */
static bool far_is_below_http(const struct cause_plan *plan)
{
	return plan->manner != NET_SERVES || plan->plain || plan->tls || plan->certificate || plan->wants_client ||
	       plan->drops || plan->max_version || plan->alpn || plan->ciphers;
}

static void far_start_net(struct cause_far *far, bool tls, const char *certs)
{
	const struct cause_plan *plan = &far->plan;
	struct net_options options = {.kind = tls && !plan->drops ? NET_TLS : NET_TCP,
		.manner = plan->manner,
		.script = far_on_net,
		.user = far,
		.max_version = plan->max_version,
		.security_level =
			plan->max_version || (plan->certificate && strstr(plan->certificate, "weak")) ? -1 : 0,
		.alpn = plan->alpn,
		.ciphers = plan->ciphers};
	if (plan->certificate) {
		options.cert_file = far_path(far->certificate, certs, plan->certificate, ".crt");
		options.key_file = far_path(far->key, certs, plan->certificate, ".key");
		far_path(far->ca, certs, "own-ca", ".crt");
	}
	options.client_optional = plan->client_optional;
	if (plan->wants_client)
		options.client_ca_file = far_path(far->client_ca, certs, "own-ca", ".crt");
	far->net = net_listener_start(&options);
	if (options.kind == NET_TLS && !plan->certificate)
		snprintf(far->ca, sizeof far->ca, "%s", net_listener_ca(far->net));
}

struct cause_far *cause_far_start(const struct cause_plan *plan, enum cause_door door, const char *certs)
{
	struct cause_far *far = calloc(1, sizeof *far);
	bool tls = plan->tls || door == CAUSE_SSL || door == CAUSE_WSS;
	if (!far)
		abort();
	far->plan = *plan;
	far->door = door;
	if (door == CAUSE_TCP || door == CAUSE_SSL || far_is_below_http(plan)) {
		far_start_net(far, tls && !plan->plain, certs);
		return far;
	}
	far->ws = ws_listener_start(tls, far_on_ws, far);
	if (!far->ws)
		abort();
	if (tls)
		snprintf(far->ca, sizeof far->ca, "%s", ws_listener_ca(far->ws));
	return far;
}

const char *cause_far_ca(const struct cause_far *far)
{
	return *far->ca ? far->ca : NULL;
}

void cause_far_url(const struct cause_far *far, const char *host, char *url, size_t size)
{
	static const char *const schemes[] = {"tcp", "ssl", "ws", "wss"};
	snprintf(url, size, "%s://%s:%u", schemes[far->door], host,
		far->net ? net_listener_port(far->net) : ws_listener_port(far->ws));
}

void cause_far_go(struct cause_far *far)
{
	waiting_lock();
	far->go = true;
	waiting_unlock();
}

struct cause_seen cause_far_end(struct cause_far *far)
{
	struct cause_seen seen = {0};
	waiting_lock();
	far->over = true;
	waiting_unlock();
	if (far->net) {
		net_listener_finish(far->net);
		seen.connections = net_listener_taken(far->net);
		seen.certificates = net_listener_certificates(far->net);
		net_listener_stop(far->net);
	} else {
		seen.connections = ws_listener_taken(far->ws);
		ws_listener_stop(far->ws);
	}
	seen.upgrades = atomic_load(&far->upgrades);
	seen.connects = atomic_load(&far->connects);
	seen.connect_ms = atomic_load(&far->connect_ms);
	free(far);
	return seen;
}

/* ---- certificates ---- */

bool cause_certs_make(char dir[CAUSE_CERTS_BYTES])
{
	char command[512];
	snprintf(dir, CAUSE_CERTS_BYTES, "/tmp/skiff-causes.XXXXXX");
	if (!mkdtemp(dir))
		return false;
	snprintf(command, sizeof command,
		"sh '%s' '%s' && cd '%s' && openssl req -x509 -newkey rsa:1024 -nodes -CA own-ca.crt -CAkey own-ca.key "
		"-subj /CN=weak -addext subjectAltName=IP:127.0.0.1 -keyout weak-1024.key -out weak-1024.crt 2>log",
		TESTS_CERTS, dir, dir);
	return !system(command);
}

bool cause_certs_remove(const char *dir)
{
	char command[128];
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return !system(command);
}

int cause_security_level(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int level = SSL_CTX_get_security_level(ctx);
	SSL_CTX_free(ctx);
	return level;
}
