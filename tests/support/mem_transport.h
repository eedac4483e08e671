/* SPDX-License-Identifier: Apache-2.0 */
/* mem_transport.h: a transport without a network: two bounded queues of bytes in memory.
 *
 * The near end is a transport as transport.h has it, on whatever loop it is given; the far end is a set of calls for
 * any thread. 1. mem_link_new. 2. mem_transport_new with it, open. 3. the far end reads and writes, and ends.
 * 4. close and free the transport, then mem_link_free. One transport per link. */
#ifndef TESTS_MEM_TRANSPORT_H
#define TESTS_MEM_TRANSPORT_H

#include "transport/transport.h"

struct mem_link;

enum mem_manner {
	MEM_SERVES,
	MEM_REFUSES, /* open fails with SKIFF_TCP_REFUSED */
	MEM_IGNORES  /* open fails with SKIFF_TCP_TIMEOUT after timeouts.tcp_ms */
};

/* A link whose two queues hold `capacity` bytes each; aborts when memory is out. */
struct mem_link *mem_link_new(enum mem_manner manner, size_t capacity);
void mem_link_free(struct mem_link *link);

/* Contract: skiffi_transport_new. */
struct skiffi_transport *mem_transport_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user, struct mem_link *link);

/* ---- the far end; any thread ---- */

/* Up to `len` bytes; with `wait` it waits for at least one. Result: 0 when there are none, or at the end. */
size_t mem_link_read(struct mem_link *link, void *data, size_t len, bool wait);

/* As many as fit; with `wait` all of them. Result: how many, fewer with `wait` only when the near end is gone. */
size_t mem_link_write(struct mem_link *link, const void *data, size_t len, bool wait);

/* Ends the far end: in order, after what was written, or by a reset, which drops it. */
void mem_link_end(struct mem_link *link, bool reset);

/* Whether the near end has closed; and if so, whether by abort. */
bool mem_link_near_gone(struct mem_link *link, bool *aborted);

#endif
