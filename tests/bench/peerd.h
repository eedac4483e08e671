/* SPDX-License-Identifier: Apache-2.0 */
/* peerd.h: the inside of peerd, the neutral far end of the benchmark.
 *
 * One thread on 127.0.0.1 speaks just enough MQTT 3.1.1 and 5 over tcp, tls, ws and wss to keep a client busy without
 * being what limits it: CONNECT is always accepted, a PUBLISH's payload is skipped and never copied, all
 * acknowledgements of one read leave in one write, and a subscription to "src/QOS/N/SIZE/WINDOW" sends N messages made
 * beforehand, at most WINDOW unacknowledged. It trusts its peers: for benchmarks only. */
#ifndef SKIFF_TESTS_BENCH_PEERD_H
#define SKIFF_TESTS_BENCH_PEERD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct source; /* peerd_source.c */

/* A WebSocket frame's header as far as it came, and what is left of its payload. */
struct frame {
	uint8_t header[14];
	int header_len;
	uint64_t left;
	uint32_t mask;
	unsigned phase; /* bytes of payload unmasked so far, modulo 4 */
};

struct conn {
	int fd, epoll;
	SSL *ssl;
	bool ws, upgraded, v5, dead;
	bool want_write; /* as armed in epoll */
	struct frame frame;
	uint8_t *part; /* the beginning of a packet that has not come whole */
	size_t part_len;
	uint64_t skip;     /* payload of a PUBLISH still to come */
	uint8_t ack_first; /* first byte of the acknowledgement due after it; 0: none */
	uint16_t ack_id;
	uint8_t *out; /* answers not yet sent: out_start..out_len */
	size_t out_start, out_len, out_size;
	struct source *source; /* NULL: nothing to send but answers */
};

/* peerd_conn.c: bytes in and out. Results: above 0 bytes, 0 would block, below 0 the connection is gone. */
struct conn *conn_new(int fd, int epoll, bool ws, SSL_CTX *tls);
void conn_free(struct conn *conn);
long conn_recv(struct conn *conn, void *buffer, size_t size);
long conn_send(struct conn *conn, const void *bytes, size_t len);
void conn_queue(struct conn *conn, const void *bytes, size_t len);
int conn_flush(struct conn *conn); /* below 0: gone */
void conn_want_write(struct conn *conn, bool want);

/* peerd_mqtt.c: takes MQTT bytes, answers into the connection's output. */
void mqtt_feed(struct conn *conn, uint8_t *bytes, size_t len);
void mqtt_answers_out(struct conn *conn);

/* peerd_ws.c: the upgrade, then frames; hands the MQTT bytes in them on. */
void ws_feed(struct conn *conn, uint8_t *bytes, size_t len); /* one byte behind `bytes` + `len` is writable */
size_t ws_header(uint8_t *header, size_t len);               /* of a frame to send; at most 10 bytes */

/* peerd_source.c: the messages of a "src/..." subscription. */
void source_start(struct conn *conn, const uint8_t *filter, size_t len);
int source_flush(struct conn *conn); /* below 0: gone */
void source_ack(struct source *source);
void source_free(struct source *source);

/* peerd.c: memory, or the end. */
void *peerd_alloc(void *old, size_t size);

#endif
