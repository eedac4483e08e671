/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c: which transport an endpoint asks for. */
#include "transport/transport.h"

#include "transport/proxy.h"
#include "transport/tcp.h"
#include "transport/tls.h"
#include "transport/ws.h"

typedef struct skiffi_transport *transport_new_fn(struct skiffi_loop *loop,
	const struct skiffi_transport_config *config, const struct skiffi_transport_events *events, void *user);

static transport_new_fn *const transport_constructors[] = {
	[SKIFFI_TCP] = skiffi_proxy_way_new,
	[SKIFFI_UNIX] = skiffi_tcp_new,
	[SKIFFI_TLS] = skiffi_tls_new,
	[SKIFFI_WS] = skiffi_ws_new,
};

struct skiffi_transport *skiffi_transport_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user)
{
	return transport_constructors[config->endpoint->kind](loop, config, events, user);
}
