/* SPDX-License-Identifier: Apache-2.0 */
/* paho_look.c: a second look, by our own transport, at a door that Paho could not open.
 *
 * It goes as far as TCP, or TLS, and no further: nothing of MQTT or HTTP is sent. When it fails, that is the cause;
 * when it does not, the cause stays unknown, or has gone. All on the loop thread. */
#include "base/alloc.h"
#include "engine/paho_internal.h"
#include "transport/transport.h"

enum { LOOK_RESOLVE_MS = 2000, LOOK_TCP_MS = 2000, LOOK_TLS_MS = 3000, LOOK_BUFFER_BYTES = 16384 };

struct paho_look {
	struct paho_engine *engine;
	bool closing;
	struct skiffi_endpoint endpoint; /* a view of the engine's, of another kind */
	struct skiffi_transport_config config;
	struct skiffi_transport *transport;
	struct skiff_error finding;
};

static void look_closed(void *user)
{
	struct paho_look *look = user;
	struct paho_engine *engine = look->engine;
	struct skiff_error finding = look->finding;
	struct skiff_connection seen = {0};
	look->transport->ops->info(look->transport, &seen);
	look->transport->ops->free(look->transport);
	skiffi_free(look);
	engine->look = NULL;
	skiffi_paho_looked(engine, finding.code ? &finding : NULL, &seen);
}

static void look_close(struct paho_look *look)
{
	if (!look->closing)
		look->transport->ops->close(look->transport, true);
	look->closing = true;
}

static void look_opened(void *user)
{
	look_close(user);
}

static void look_failed(void *user, const struct skiff_error *error)
{
	struct paho_look *look = user;
	look->finding = *error;
	look_close(look);
}

static void look_nothing(void *user)
{
	(void)user;
}

static const struct skiffi_transport_events look_events = {
	.opened = look_opened,
	.readable = look_nothing,
	.writable = look_nothing,
	.failed = look_failed,
	.closed = look_closed,
};

bool skiffi_paho_look_start(struct paho_engine *engine)
{
	struct paho_look *look = skiffi_calloc(1, sizeof *look);
	if (!look)
		return false;
	look->engine = engine;
	look->endpoint = *engine->base.config->endpoint;
	look->endpoint.kind = engine->look_tls ? SKIFFI_TLS : SKIFFI_TCP;
	look->config = (struct skiffi_transport_config){.endpoint = &look->endpoint,
		.tls = engine->look_tls ? engine->tls : NULL,
		.timeouts = {.resolve_ms = LOOK_RESOLVE_MS, .tcp_ms = LOOK_TCP_MS, .tls_ms = LOOK_TLS_MS},
		.receive_high_bytes = LOOK_BUFFER_BYTES};
	look->transport = skiffi_transport_new(engine->base.config->loop, &look->config, &look_events, look);
	if (look->transport && look->transport->ops->open(look->transport)) {
		engine->look = look;
		return true;
	}
	if (look->transport)
		look->transport->ops->free(look->transport);
	skiffi_free(look);
	return false;
}

void skiffi_paho_look_cancel(struct paho_engine *engine)
{
	if (engine->look)
		look_close(engine->look);
}
