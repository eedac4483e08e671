/* SPDX-License-Identifier: Apache-2.0 */
/* transport_probe.h: one transport on the library's loop, driven and watched from the test's thread.
 *
 * Its events are noted under a lock; every wait ends with what it waits for, or aborts the test program after
 * PROBE_PATIENCE_S. What arrives is fetched at once and kept, as long as reading is on. */
#ifndef TESTS_TRANSPORT_PROBE_H
#define TESTS_TRANSPORT_PROBE_H

#include "base/buffer.h"
#include "transport/transport.h"
#include <skiff/tls.h>

enum { PROBE_PATIENCE_S = 60 };

struct probe;

struct probe_options {
	const char *url;
	struct skiff_tls_options tls;   /* for endpoints with TLS */
	struct skiff_timeouts timeouts; /* 0: 10 s */
	const struct skiff_user_property *http_headers;
	size_t http_header_count;
	size_t receive_high_bytes; /* 0: 256 KiB */
	bool echo;                 /* send back what arrives */
	bool close_in_opened;      /* close from inside that event */
	bool unread_from_opened;   /* switch reading off inside it */
};

/* Opens; aborts the program when that cannot be. */
struct probe *probe_open(const struct probe_options *options);

/* Waits. */
void probe_wait_opened(struct probe *probe);               /* failing counts as an error of the test: aborts */
void probe_wait_end(struct probe *probe);                  /* `failed` */
void probe_wait_received(struct probe *probe, size_t len); /* or the end */
void probe_wait_sent(struct probe *probe);                 /* everything given has been taken, or the end */

/* What is known; stable after a wait for the end. */
struct skiff_error probe_error(struct probe *probe); /* SKIFF_OK: none */
size_t probe_received(struct probe *probe);          /* bytes so far */
bool probe_received_is(struct probe *probe, const void *data, size_t len);
bool probe_was_opened(struct probe *probe);
struct skiff_connection probe_info(struct probe *probe);

/* Queues bytes; they are sent as the transport takes them. */
void probe_send(struct probe *probe, const void *data, size_t len);
size_t probe_unsent(struct probe *probe);
void probe_reading(struct probe *probe, bool on); /* returns when it is in force */

/* Closes, waits for `closed`, frees. */
void probe_close(struct probe *probe, bool abort);

#endif
