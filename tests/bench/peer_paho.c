/* SPDX-License-Identifier: Apache-2.0 */
/* peer_paho.c: Eclipse Paho C, MQTTAsync with OpenSSL. Two threads of its own serve all clients of the process. */
#include "bench.h"

#include <MQTTAsync.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *peer_name = "paho";
bool peer_threads = true;
bool peer_queues = true;
bool peer_resumes = false;

struct peer {
	MQTTAsync client;
	sem_t through;
};

static void peer_on_success(void *context, MQTTAsync_successData *data)
{
	struct peer *peer = context;

	(void)data;
	sem_post(&peer->through);
}

static void peer_on_failure(void *context, MQTTAsync_failureData *data)
{
	(void)context;
	bench_fail(data && data->message ? data->message : "operation failed");
}

static void peer_on_sent(void *context, MQTTAsync_successData *data)
{
	(void)context;
	(void)data;
	bench_ack();
}

static int peer_on_message(void *context, char *topic, int length, MQTTAsync_message *message)
{
	(void)context;
	(void)length;
	bench_got();
	MQTTAsync_freeMessage(&message);
	MQTTAsync_free(topic);
	return 1;
}

bool peer_init(void)
{
	MQTTAsync_init_options options = MQTTAsync_init_options_initializer;

	options.do_openssl_init = 1;
	MQTTAsync_global_init(&options);
	return true;
}

static bool peer_create(struct peer *peer)
{
	static int number;
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
	const char *scheme = bench.ws ? bench.scheme : bench.tls ? "ssl" : "tcp";
	char uri[128], id[32];

	snprintf(uri, sizeof uri, "%s://%s:%d", scheme, bench.host, bench.port);
	snprintf(id, sizeof id, "p%d-%d", (int)getpid(), number++);
	options.maxBufferedMessages = 1000000;
	return MQTTAsync_createWithOptions(&peer->client, uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &options) ==
	       MQTTASYNC_SUCCESS;
}

void *peer_open(bool resume)
{
	struct peer *peer = bench_alloc(1, sizeof *peer);
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

	(void)resume;
	sem_init(&peer->through, 0, 0);
	if (!peer_create(peer))
		return NULL;
	MQTTAsync_setCallbacks(peer->client, peer, NULL, peer_on_message, NULL);
	tls.trustStore = bench.ca;
	tls.enableServerCertAuth = 1;
	tls.verify = 1;
	options.ssl = bench.tls ? &tls : NULL;
	options.keepAliveInterval = 600;
	options.cleansession = 1;
	options.maxInflight = bench.window;
	options.onSuccess = peer_on_success;
	options.onFailure = peer_on_failure;
	options.context = peer;
	if (MQTTAsync_connect(peer->client, &options))
		return NULL;
	sem_wait(&peer->through);
	return peer;
}

bool peer_publish(void *handle, const char *topic, const void *payload, int size, int qos)
{
	struct peer *peer = handle;
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

	options.onSuccess = peer_on_sent;
	options.onFailure = peer_on_failure;
	return MQTTAsync_send(peer->client, topic, size, payload, qos, 0, &options) == MQTTASYNC_SUCCESS;
}

bool peer_subscribe(void *handle, const char *filter, int qos)
{
	struct peer *peer = handle;
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

	return MQTTAsync_subscribe(peer->client, filter, qos, &options) == MQTTASYNC_SUCCESS;
}

void peer_poll(void *handle)
{
	(void)handle;
}

void peer_close(void *handle)
{
	struct peer *peer = handle;
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;

	options.onSuccess = peer_on_success;
	options.context = peer;
	options.timeout = 1000;
	if (MQTTAsync_disconnect(peer->client, &options) == MQTTASYNC_SUCCESS)
		sem_wait(&peer->through);
	MQTTAsync_destroy(&peer->client);
	sem_destroy(&peer->through);
	free(peer);
}
