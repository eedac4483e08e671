/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.h: the transport of plain bytes over TCP, or over a Unix socket; tls.c stands on it. */
#ifndef SKIFFI_TCP_H
#define SKIFFI_TCP_H

#include "endpoint/resolve.h"
#include "transport/transport.h"

/* Contract: skiffi_transport_new. */
struct skiffi_transport *skiffi_tcp_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user);

/* The error of a connection attempt to `address`, a "broker"'s or a "proxy"'s, that ended in `error_number` (errno),
 * with the way out. */
void skiffi_tcp_connect_error(
	const struct skiffi_address *address, int error_number, const char *whose, struct skiff_error *error);

#endif
