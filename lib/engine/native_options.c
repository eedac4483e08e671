/* SPDX-License-Identifier: Apache-2.0 */
/* native_options.c: the user's options become the session's and the transport's. */
#include "base/alloc.h"
#include "base/error.h"
#include "endpoint/proxy_environment.h"
#include "engine/attempt.h"
#include "engine/native_internal.h"
#include "transport/tls_context.h"
#include <stdlib.h>
#include <string.h>

enum { OUTBOUND_ALIASES_DEFAULT = 64, PING_TIMEOUT_DEFAULT_MS = 10000, TOPIC_ALIAS_MAXIMUM_DEFAULT = 32 };
enum { RECEIVE_HIGH_BYTES = 1024 * 1024 };

static void options_properties(struct native_engine *self, const struct skiff_options *options)
{
	struct skiff_properties *properties = &self->connect_properties;
	*properties = skiffi_attempt_properties(options);
	if (!(properties->has & SKIFF_HAS_TOPIC_ALIAS_MAXIMUM)) {
		properties->has |= SKIFF_HAS_TOPIC_ALIAS_MAXIMUM;
		properties->topic_alias_maximum = TOPIC_ALIAS_MAXIMUM_DEFAULT;
	}
	if (!properties->topic_alias_maximum) /* the standard's default [MQTT 5, 3.1.2.11.5] */
		properties->has &= ~(uint32_t)SKIFF_HAS_TOPIC_ALIAS_MAXIMUM;
}

static void options_will(struct native_engine *self, const struct skiff_will *will)
{
	struct skiffi_connect *connect = &self->session_config.connect;
	connect->has_will = will->topic.data != NULL;
	connect->will = (struct skiff_message){.topic = will->topic,
		.payload = will->payload,
		.qos = will->qos,
		.retain = will->retain,
		.properties = will->properties};
}

static void options_session(struct native_engine *self, const struct skiff_options *options)
{
	struct skiffi_session_config *config = &self->session_config;
	int ping_ms = options->ping_timeout_ms ? options->ping_timeout_ms : PING_TIMEOUT_DEFAULT_MS;
	config->connect.client_id = skiff_text(options->client_id);
	config->connect.keep_alive_s = options->keep_alive_s < 0 ? 0 : (uint16_t)options->keep_alive_s;
	config->connect.properties = &self->connect_properties;
	config->connect.user_name = skiff_text(options->user_name);
	config->connect.password = options->password;
	config->resume = options->resume_session;
	config->outbound_aliases = options->outbound_aliases < 0 ? 0
				   : options->outbound_aliases   ? (uint16_t)options->outbound_aliases
								 : OUTBOUND_ALIASES_DEFAULT;
	config->max_inflight = options->max_inflight;
	config->receive_beyond_maximum = options->receive_beyond_maximum;
	config->output_high_bytes = self->base.config->output_high_bytes;
	config->ping_timeout_us = (int64_t)ping_ms * 1000;
	options_properties(self, options);
	options_will(self, &options->will);
}

static const char *options_variable(const char *name)
{
	return getenv(name);
}

/* What the user names goes before what the environment does. */
static const char *options_proxy_url(struct native_engine *self, const struct skiff_options *options)
{
	const char *url = options->proxy;
	self->proxy_from = url ? "proxy" : NULL;
	if (!url && options->proxy_environment)
		url = skiffi_proxy_environment(self->base.config->endpoint, options_variable, &self->proxy_from);
	return url;
}

static bool options_proxy(struct native_engine *self, const struct skiff_options *options, struct skiff_error *error)
{
	const struct skiffi_endpoint *endpoint = self->base.config->endpoint;
	const char *url = options_proxy_url(self, options);
	if (!url)
		return true;
	if (endpoint->kind == SKIFFI_UNIX)
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "no proxy leads to a Unix socket; leave it out");
	else if (endpoint->ip_literal && strchr(endpoint->host, '%'))
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"no proxy leads to \"%s\", an address of this machine's own network; leave it out",
			endpoint->host);
	else
		self->proxy = skiffi_proxy_new(url, error);
	self->transport_config.proxy = self->proxy;
	if (!self->proxy && !options->proxy)
		skiffi_error_prefix(error, "environment variable '%s'", self->proxy_from);
	return self->proxy;
}

bool skiffi_native_options(struct native_engine *self, struct skiff_error *error)
{
	const struct skiffi_engine_config *config = self->base.config;
	const struct skiff_options *options = config->options;
	options_session(self, options);
	self->transport_config = (struct skiffi_transport_config){.endpoint = config->endpoint,
		.timeouts = options->timeouts,
		.address = options->address,
		.ip_version = options->ip_version,
		.local_address = options->local_address,
		.ws_subprotocol = options->ws_subprotocol,
		.http_headers = options->http_headers,
		.http_header_count = options->http_header_count,
		.receive_high_bytes = RECEIVE_HIGH_BYTES};
	if (!options_proxy(self, options, error))
		return false;
	if (options->tls.handshake_only && !skiffi_native_bare_options(self, error))
		return false;
	if (config->endpoint->tls) {
		self->tls = skiffi_tls_context_new(&options->tls, config->endpoint, error);
		if (!self->tls)
			return false;
		skiffi_tls_context_tell(self->tls, config->tls_told, config->user);
		self->transport_config.tls = self->tls;
	}
	return true;
}
