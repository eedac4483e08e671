/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.h: plain bytes to an endpoint, straight over TCP or through a proxy, by HTTP's CONNECT or SOCKS 5; tls.c and
 * ws.c stand on it. */
#ifndef SKIFFI_PROXY_H
#define SKIFFI_PROXY_H

#include "transport/transport.h"

/* The transport of config->endpoint's bytes: tcp, or where config->proxy is set, tcp to that and its protocol in it.
 * The endpoint's host is looked up by the proxy, but for the kind SKIFFI_PROXY_SOCKS5: then here. Contract:
 * skiffi_transport_new. */
struct skiffi_transport *skiffi_proxy_way_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user);

#endif
