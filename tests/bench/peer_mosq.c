/* SPDX-License-Identifier: Apache-2.0 */
/* peer_mosq.c: libmosquitto, with its own thread (mosquitto_loop_start). It has no WebSocket. */
#include "bench.h"

#include <mosquitto.h>
#include <semaphore.h>
#include <stdlib.h>

const char *peer_name = "mosq";
bool peer_threads = true;
bool peer_queues = true;
bool peer_resumes = false;

struct peer {
	struct mosquitto *client;
	sem_t connected;
};

static void peer_on_connect(struct mosquitto *client, void *user, int code)
{
	struct peer *peer = user;

	(void)client;
	if (code)
		bench_fail(mosquitto_connack_string(code));
	sem_post(&peer->connected);
}

static void peer_on_publish(struct mosquitto *client, void *user, int id)
{
	(void)client;
	(void)user;
	(void)id;
	bench_ack();
}

static void peer_on_message(struct mosquitto *client, void *user, const struct mosquitto_message *message)
{
	(void)client;
	(void)user;
	(void)message;
	bench_got();
}

bool peer_init(void)
{
	return !bench.ws && mosquitto_lib_init() == MOSQ_ERR_SUCCESS;
}

void *peer_open(bool resume)
{
	struct peer *peer = bench_alloc(1, sizeof *peer);

	(void)resume;
	sem_init(&peer->connected, 0, 0);
	peer->client = mosquitto_new(NULL, true, peer);
	if (!peer->client)
		return NULL;
	mosquitto_max_inflight_messages_set(peer->client, (unsigned)bench.window);
	mosquitto_connect_callback_set(peer->client, peer_on_connect);
	mosquitto_publish_callback_set(peer->client, peer_on_publish);
	mosquitto_message_callback_set(peer->client, peer_on_message);
	if (bench.tls)
		mosquitto_tls_set(peer->client, bench.ca, NULL, NULL, NULL, NULL);
	mosquitto_int_option(peer->client, MOSQ_OPT_TCP_NODELAY, 1);
	if (mosquitto_connect(peer->client, bench.host, bench.port, 600))
		return NULL;
	mosquitto_loop_start(peer->client);
	sem_wait(&peer->connected);
	return peer;
}

bool peer_publish(void *handle, const char *topic, const void *payload, int size, int qos)
{
	struct peer *peer = handle;

	return mosquitto_publish(peer->client, NULL, topic, size, payload, qos, false) == MOSQ_ERR_SUCCESS;
}

bool peer_subscribe(void *handle, const char *filter, int qos)
{
	struct peer *peer = handle;

	return mosquitto_subscribe(peer->client, NULL, filter, qos) == MOSQ_ERR_SUCCESS;
}

void peer_poll(void *handle)
{
	(void)handle;
}

void peer_close(void *handle)
{
	struct peer *peer = handle;

	mosquitto_disconnect(peer->client);
	mosquitto_loop_stop(peer->client, false);
	mosquitto_destroy(peer->client);
	sem_destroy(&peer->connected);
	free(peer);
}
