/* SPDX-License-Identifier: Apache-2.0 */
/* broker.h: a real broker as a child process, on free loopback ports, in a folder of its own.
 *
 * 1. broker_start waits until every door takes connections. 2. broker_url, and for the TLS doors broker_tls. 3. it may
 * be killed, frozen and started again on the same ports with what it had saved. 4. broker_stop ends it by its process
 * id and removes the folder; the kernel ends it when the test dies first.
 * Failure: where the program is not installed broker_start exits the test with 77, which counts as skipped; a broker
 * that does not come up prints its own words and aborts. */
#ifndef TESTS_BROKER_H
#define TESTS_BROKER_H

#include <skiff/options.h>
#include <stdbool.h>
#include <stdint.h>

enum broker_kind {
	BROKER_MOSQUITTO, /* MQTT 5 and 3.1.1, all doors */
	BROKER_EJABBERD,  /* MQTT 5 and 3.1.1: tcp, tls, ws, wss */
	BROKER_NATS,      /* MQTT 3.1.1 only: tcp */
	BROKER_RABBITMQ,  /* MQTT 3.1.1 only: tcp, tls, ws, wss */
	BROKER_AEDES      /* MQTT 3.1.1 only: tcp, tls, ws, wss */
};

enum broker_door {
	BROKER_TCP,
	BROKER_TLS,
	BROKER_MTLS, /* TLS that requires a client certificate */
	BROKER_WS,
	BROKER_WSS,
	BROKER_UNIX,
	BROKER_PASSWORD, /* plain; user "rw", password "readwrite" */
	BROKER_DOORS
};

struct broker_options {
	enum broker_kind kind;
	unsigned doors;       /* bits 1 << enum broker_door; 0: tcp only */
	bool persistence;     /* what it holds outlives broker_restart */
	const char *settings; /* further lines of its configuration file; NULL: none */
};

struct broker;

struct broker *broker_start(const struct broker_options *options);

/* The URL of an open door. */
const char *broker_url(const struct broker *broker, enum broker_door door);
uint16_t broker_port(const struct broker *broker, enum broker_door door);

/* Fills in what a client needs for the door: the URL, the CA, the client certificate, and ejabberd's user. */
void broker_use(const struct broker *broker, enum broker_door door, struct skiff_options *options);

void broker_kill(struct broker *broker);    /* SIGKILL */
void broker_end(struct broker *broker);     /* SIGTERM: it saves what it has, then ends */
void broker_restart(struct broker *broker); /* after one of the two */
void broker_freeze(struct broker *broker);  /* SIGSTOP */
void broker_thaw(struct broker *broker);    /* SIGCONT */
void broker_save(struct broker *broker);    /* what it has reaches the disk before this returns */
void broker_stop(struct broker *broker);    /* NULL is allowed */

#endif
