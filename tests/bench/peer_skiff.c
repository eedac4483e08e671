/* SPDX-License-Identifier: Apache-2.0 */
/* peer_skiff.c: libskiff through its public face, as a user would write it. QoS 0 asks for no token and flushes when
 * the window is full; QoS 1 keeps a ring of tokens and waits for the oldest. MQTT 3.1.1, as the other peers speak. */
#include "bench.h"

#include <skiff/skiff.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *peer_name = "skiff";
bool peer_threads = false;
bool peer_queues = true;
bool peer_resumes = true;

enum { PATIENCE_MS = 30000 };

struct peer {
	struct skiff_client *client;
	struct skiff_token **ring; /* tokens of what is under way, oldest at `first` */
	size_t size, first, count;
	long untokened; /* accepted without a token, not flushed yet */
};

static struct peer *kept; /* mode resume: TLS sessions belong to a client, so one client does it all */

static void peer_check(enum skiff_code code, struct skiff_client *client)
{
	struct skiff_error error = {.code = code};

	if (code == SKIFF_OK)
		return;
	if (client)
		skiff_client_error(client, &error);
	fprintf(stderr, "skiff: %s: %s\n", skiff_code_slug(code), error.text);
	bench_fail("stopped");
}

static void peer_on_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	(void)client;
	(void)message;
	(void)user;
	bench_got();
}

bool peer_init(void)
{
	/* Messages come on the library's thread; completions are waited for on this one. */
	peer_threads = !strcmp(bench.mode, "sub");
	return true;
}

void *peer_open(bool resume)
{
	struct skiff_options options = {
		.url = bench.url,
		.version = SKIFF_MQTT_311,
		.keep_alive_s = 600,
		.tls.ca_file = bench.ca,
		.reconnect.off = true,
		.queue.full = SKIFF_FULL_WAIT, /* as the limits do, which block */
		.spin = getenv("SPIN") != NULL,
	};
	struct peer *peer = resume ? kept : NULL;

	if (!peer) {
		peer = bench_alloc(1, sizeof *peer);
		peer->client = skiff_client_new(&options, NULL);
		if (!peer->client)
			return NULL;
		if (bench.qos || !strcmp(bench.mode, "pub")) {
			peer->size = 2 * (size_t)bench.window + 2;
			peer->ring = bench_alloc(peer->size, sizeof *peer->ring);
		}
		if (resume)
			kept = peer;
	}
	peer_check(skiff_wait(skiff_connect(peer->client), PATIENCE_MS), peer->client);
	return peer;
}

bool peer_publish(void *handle, const char *topic, const void *payload, int size, int qos)
{
	struct peer *peer = handle;
	struct skiff_message message = {
		.topic = skiff_text(topic), .payload = {payload, (size_t)size}, .qos = (uint8_t)qos};
	struct skiff_token *token = NULL;
	enum skiff_code code;

	if (qos && peer->count == peer->size)
		return false;
	code = skiff_publish_message(peer->client, &message, qos ? &token : NULL);
	if (code == SKIFF_AGAIN)
		return false;
	peer_check(code, peer->client);
	if (qos)
		peer->ring[(peer->first + peer->count++) % peer->size] = token;
	else
		peer->untokened++;
	return true;
}

bool peer_subscribe(void *handle, const char *filter, int qos)
{
	struct peer *peer = handle;

	return skiff_wait(skiff_subscribe(peer->client, filter, qos, peer_on_message, NULL), PATIENCE_MS) == SKIFF_OK;
}

/* Takes the oldest token off the ring, waiting for it. */
static void peer_take(struct peer *peer)
{
	struct skiff_token *token = peer->ring[peer->first];

	peer_check(skiff_token_wait(token, PATIENCE_MS), peer->client);
	skiff_token_free(token);
	peer->first = (peer->first + 1) % peer->size;
	peer->count--;
	bench_ack();
}

void peer_poll(void *handle)
{
	struct peer *peer = handle;

	if (peer->untokened) {
		peer_check(skiff_flush(peer->client, PATIENCE_MS), peer->client);
		for (; peer->untokened; peer->untokened--)
			bench_ack();
	}
	if (!peer->count)
		return;
	peer_take(peer);
	while (peer->count && skiff_token_done(peer->ring[peer->first]))
		peer_take(peer);
}

void peer_close(void *handle)
{
	struct peer *peer = handle;

	peer_check(skiff_wait(skiff_disconnect(peer->client, 1000, NULL), PATIENCE_MS), NULL);
	if (peer == kept)
		return;
	skiff_client_free(peer->client);
	free(peer->ring);
	free(peer);
}
