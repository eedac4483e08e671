/* SPDX-License-Identifier: Apache-2.0 */
/* ws.h: the transport of bytes in binary WebSocket messages, on top of tcp or tls. */
#ifndef SKIFFI_WS_H
#define SKIFFI_WS_H

#include "transport/transport.h"

/* Contract: skiffi_transport_new; for endpoints of kind SKIFFI_WS. */
struct skiffi_transport *skiffi_ws_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user);

#endif
