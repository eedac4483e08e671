/* SPDX-License-Identifier: Apache-2.0 */
/* native_options.c: the user's options become the session's and the transport's. */
#include "base/alloc.h"
#include "base/error.h"
#include "engine/attempt.h"
#include "engine/native_internal.h"
#include "transport/tls_context.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { OUTBOUND_ALIASES_DEFAULT = 64, PING_TIMEOUT_DEFAULT_MS = 10000, TOPIC_ALIAS_MAXIMUM_DEFAULT = 32 };
enum { RECEIVE_HIGH_BYTES = 1024 * 1024, OPTIONS_PROXY_BYTES = 2048 };

static void options_properties(struct native_engine *self, const struct skiff_options *options)
{
	struct skiff_properties *properties = &self->connect_properties;
	*properties = skiffi_attempt_properties(options);
	if (!(properties->has & SKIFF_HAS_TOPIC_ALIAS_MAXIMUM)) {
		properties->has |= SKIFF_HAS_TOPIC_ALIAS_MAXIMUM;
		properties->topic_alias_maximum = TOPIC_ALIAS_MAXIMUM_DEFAULT;
	}
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
	config->output_high_bytes = self->base.config->output_high_bytes;
	config->ping_timeout_us = (int64_t)ping_ms * 1000;
	options_properties(self, options);
	options_will(self, &options->will);
}

/* Written as a URL of http://, which takes apart as one of ws:// does. */
static bool options_proxy(struct native_engine *self, const char *url, struct skiff_error *error)
{
	char text[OPTIONS_PROXY_BYTES];
	struct skiff_error ignored;
	if (!url)
		return true;
	if (self->base.config->endpoint->kind == SKIFFI_UNIX) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "no proxy leads to a Unix socket; leave it out");
		return false;
	}
	bool http = !strncasecmp(url, "http://", 7);
	int len = snprintf(text, sizeof text, "ws://%s", http ? url + 7 : "");
	if (http && (size_t)len < sizeof text)
		self->proxy = skiffi_endpoint_new(text, &ignored);
	skiffi_wipe(text, sizeof text);
	self->transport_config.proxy = self->proxy;
	if (!self->proxy)
		skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "the proxy is not written as http://[user:password@]host[:port]");
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
		.http_headers = options->http_headers,
		.http_header_count = options->http_header_count,
		.receive_high_bytes = RECEIVE_HIGH_BYTES};
	if (!options_proxy(self, options->proxy, error))
		return false;
	if (options->tls.handshake_only && !skiffi_native_bare_options(self, error))
		return false;
	if (config->endpoint->tls) {
		self->tls = skiffi_tls_context_new(&options->tls, config->endpoint, error);
		if (!self->tls)
			return false;
		self->transport_config.tls = self->tls;
	}
	return true;
}
