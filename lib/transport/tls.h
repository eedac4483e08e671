/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h: the transport of bytes under TLS, on top of tcp. */
#ifndef SKIFFI_TLS_H
#define SKIFFI_TLS_H

#include "transport/transport.h"

/* Contract: skiffi_transport_new; config->tls must be there. */
struct skiffi_transport *skiffi_tls_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user);

#endif
