/* SPDX-License-Identifier: Apache-2.0 */
/* paho_options.c: the user's options become Paho's.
 *
 * What Paho cannot do was refused before (capability.c). Files are read and checked by our own TLS first: so that what
 * is wrong with one is said, and so that Paho never asks for a password on the terminal. */
#include "base/alloc.h"
#include "base/error.h"
#include "engine/paho_internal.h"
#include "transport/tls_context.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_TIMEOUT_S = 1000000, MESSAGES_MAX = 0x7fffffff, WINDOW_MAX = 65535, KEY_PASSWORD_MAX = 1024 };

/* ---- once, when the client is made ---- */

static const char *options_scheme(const struct skiffi_endpoint *endpoint)
{
	if (endpoint->kind == SKIFFI_WS)
		return endpoint->tls ? "wss" : "ws";
	return endpoint->tls ? "ssl" : "tcp";
}

/* In the one spelling that Paho takes everywhere. */
static char *options_uri(const struct skiffi_endpoint *endpoint)
{
	const char *path = endpoint->kind == SKIFFI_WS ? endpoint->path : "";
	bool v6 = strchr(endpoint->host, ':');
	size_t size = strlen(endpoint->host) + strlen(path) + sizeof "wss://[]:65535";
	char *uri = skiffi_malloc(size);
	if (uri)
		snprintf(uri, size, "%s://%s%s%s:%u%s", options_scheme(endpoint), v6 ? "[" : "", endpoint->host,
			v6 ? "]" : "", endpoint->port, path);
	return uri;
}

/* Paho goes through a proxy that the environment names, whether the user meant MQTT by that or not, and has no switch
 * against it. */
static bool options_no_proxy(const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	const char *name = endpoint->tls ? "https_proxy" : "http_proxy";
	if (!getenv(name))
		return true;
	skiffi_fail(error, SKIFF_USAGE_UNSUPPORTED, 0,
		"the environment variable '%s' is set, and Paho would go through that proxy whatever is asked of it; "
		"unset "
		"it for this program, or choose the engine native",
		name);
	return false;
}

/* "mqtt,http/1.1" as \4mqtt\10http/1.1. The names were checked by tls_context.c. */
static bool options_alpn(struct paho_engine *engine, const char *list)
{
	if (!list || !*list)
		return true;
	engine->alpn_len = strlen(list) + 1;
	engine->alpn = skiffi_malloc(engine->alpn_len + 1);
	if (!engine->alpn)
		return false;
	memcpy(engine->alpn + 1, list, engine->alpn_len);
	for (size_t at = 0; at < engine->alpn_len;) {
		size_t len = strcspn((char *)engine->alpn + at + 1, ",");
		engine->alpn[at] = (unsigned char)len;
		at += len + 1;
	}
	engine->alpn[engine->alpn_len] = '\0';
	return true;
}

/* Keeps what the user's function gave, as Paho wants the password itself, and as the function is called only once. */
struct key_password {
	const struct skiff_tls_options *options;
	struct paho_engine *engine;
};

static int options_key_password(char *buffer, size_t size, void *user)
{
	struct key_password *key = user;
	int len = key->options->key_password(buffer, size, key->options->key_password_user);
	if (len < 0)
		return len;
	if (key->engine->key_password)
		skiffi_wipe(key->engine->key_password, strlen(key->engine->key_password));
	skiffi_free(key->engine->key_password);
	key->engine->key_password = skiffi_memdup(buffer, (size_t)len);
	return len;
}

/* Paho hands file names to OpenSSL's functions for PEM. */
static bool options_files_are_pem(const struct skiff_tls_options *tls, struct skiff_error *error)
{
	const char *const files[][2] = {
		{"tls.ca_file", tls->ca_file}, {"tls.cert_file", tls->cert_file}, {"tls.key_file", tls->key_file}};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		if (!files[i][1] || !skiffi_tls_context_file_is_binary(files[i][1]))
			continue;
		skiffi_fail(error, SKIFF_USAGE_UNSUPPORTED, 0,
			"%s: the engine 'paho' reads PEM only, and \"%s\" is DER or PKCS#12; convert it, or choose the "
			"engine native",
			files[i][0], files[i][1]);
		return false;
	}
	return true;
}

static bool options_tls(struct paho_engine *engine, struct skiff_error *error)
{
	const struct skiff_tls_options *user = &engine->base.config->options->tls;
	struct skiff_tls_options options = *user;
	struct key_password key = {user, engine};
	if (user->key_password) {
		options.key_password = options_key_password;
		options.key_password_user = &key;
	}
	engine->tls = skiffi_tls_context_new(&options, engine->base.config->endpoint, error);
	return engine->tls && options_files_are_pem(user, error);
}

static bool options_headers(struct paho_engine *engine, const struct skiff_options *options)
{
	if (!options->http_header_count)
		return true;
	engine->headers = skiffi_calloc(options->http_header_count + 1, sizeof *engine->headers);
	if (!engine->headers)
		return false;
	bool ok = true;
	for (size_t i = 0; i < options->http_header_count; i++) {
		const struct skiff_user_property *header = &options->http_headers[i];
		engine->headers[i].name = skiffi_memdup(header->name.data, header->name.len);
		engine->headers[i].value = skiffi_memdup(header->value.data, header->value.len);
		ok &= engine->headers[i].name && engine->headers[i].value;
	}
	return ok;
}

bool skiffi_paho_options(struct paho_engine *engine, struct skiff_error *error)
{
	const struct skiffi_engine_config *config = engine->base.config;
	const struct skiff_options *options = config->options;
	if (!options_no_proxy(config->endpoint, error) || (config->endpoint->tls && !options_tls(engine, error)))
		return false;
	engine->connect_properties = skiffi_attempt_properties(options);
	engine->uri = options_uri(config->endpoint);
	if (options->resume_session)
		engine->store = skiffi_paho_store_new();
	bool ok = engine->uri && (engine->store || !options->resume_session) && options_headers(engine, options) &&
		  options_alpn(engine, options->tls.alpn);
	if (options->will.topic.data) {
		engine->will_topic = skiffi_memdup(options->will.topic.data, options->will.topic.len);
		ok &= engine->will_topic != NULL;
	}
	if (!ok)
		skiffi_fail_plain(error, SKIFF_MEMORY);
	return ok;
}

static void options_release_headers(MQTTAsync_nameValue *headers)
{
	for (size_t i = 0; headers && (headers[i].name || headers[i].value); i++) {
		if (headers[i].value)
			skiffi_wipe((void *)headers[i].value, strlen(headers[i].value));
		skiffi_free((void *)headers[i].name);
		skiffi_free((void *)headers[i].value);
	}
	skiffi_free(headers);
}

void skiffi_paho_options_release(struct paho_engine *engine)
{
	if (engine->key_password)
		skiffi_wipe(engine->key_password, strlen(engine->key_password));
	skiffi_free(engine->key_password);
	options_release_headers(engine->headers);
	skiffi_free(engine->alpn);
	skiffi_free(engine->will_topic);
	skiffi_free(engine->uri);
	skiffi_free(engine->assigned_id);
	skiffi_tls_context_free(engine->tls);
	skiffi_paho_store_free(engine->store);
}

/* ---- for each handle and connection, on the worker ---- */

int skiffi_paho_create(struct paho_link *link)
{
	const struct paho_engine *engine = link->engine;
	const char *id = engine->assigned_id ? engine->assigned_id : engine->base.config->options->client_id;
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
	options.maxBufferedMessages = MESSAGES_MAX;
	options.MQTTVersion = (int)link->version;
	options.restoreMessages = options.persistQoS0 = 0; /* what it had not begun with, we still have */
	int code = MQTTAsync_createWithOptions(&link->handle, engine->uri, id,
		engine->store ? MQTTCLIENT_PERSISTENCE_USER : MQTTCLIENT_PERSISTENCE_NONE,
		engine->store ? skiffi_paho_store_hooks(engine->store) : NULL, &options);
	if (code == MQTTASYNC_SUCCESS)
		code = MQTTAsync_setCallbacks(
			link->handle, link, skiffi_paho_on_lost, skiffi_paho_on_message, skiffi_paho_on_delivered);
	if (code == MQTTASYNC_SUCCESS && link->version == SKIFFI_V5)
		code = MQTTAsync_setDisconnected(link->handle, link, skiffi_paho_on_disconnected);
	return code;
}

static MQTTAsync_SSLOptions connect_tls(struct paho_link *link)
{
	const struct paho_engine *engine = link->engine;
	const struct skiff_tls_options *user = &engine->base.config->options->tls;
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
	tls.trustStore = user->ca_file;
	tls.CApath = user->ca_dir;
	tls.disableDefaultTrustStore = user->ca_file || user->ca_dir;
	tls.keyStore = user->cert_file;
	tls.privateKey = user->key_file;
	tls.privateKeyPassword = engine->key_password;
	tls.enableServerCertAuth = !user->insecure_skip_chain;
	tls.verify = !user->insecure_skip_name;
	tls.ssl_error_cb = skiffi_paho_on_tls_error;
	tls.ssl_error_context = link;
	tls.protos = engine->alpn;
	tls.protos_len = (unsigned)engine->alpn_len;
	return tls;
}

static MQTTAsync_willOptions connect_will(const struct paho_engine *engine)
{
	const struct skiff_will *user = &engine->base.config->options->will;
	MQTTAsync_willOptions will = MQTTAsync_willOptions_initializer;
	will.topicName = engine->will_topic;
	will.payload.data = user->payload.len ? user->payload.data : "";
	will.payload.len = (int)user->payload.len;
	will.qos = user->qos;
	will.retained = user->retain;
	return will;
}

/* What both versions share. */
static void connect_common(struct paho_link *link, MQTTAsync_connectOptions *options)
{
	const struct paho_engine *engine = link->engine;
	const struct skiff_options *user = engine->base.config->options;
	options->keepAliveInterval = user->keep_alive_s < 0 ? 0 : user->keep_alive_s;
	options->maxInflight = user->max_inflight ? user->max_inflight : WINDOW_MAX;
	options->connectTimeout = CONNECT_TIMEOUT_S; /* ours are kept by the loop's timer, to the millisecond */
	options->context = link;
	options->automaticReconnect = 0;
	options->username = user->user_name;
	if (user->password.data) {
		options->binarypwd.data = user->password.len ? user->password.data : "";
		options->binarypwd.len = (int)user->password.len;
		/* as the native engine does for a 3.1.1 connection [MQTT 3.1.1: MQTT-3.1.2-22] */
		if (!user->user_name && link->version != SKIFFI_V5)
			options->username = "";
	}
	options->httpHeaders = engine->headers;
	options->MQTTVersion = (int)link->version;
}

static void connect_callbacks(const struct paho_link *link, MQTTAsync_connectOptions *options)
{
	if (link->version == SKIFFI_V5) {
		options->onSuccess5 = skiffi_paho_on_connect5;
		options->onFailure5 = skiffi_paho_on_connect_failure5;
	} else {
		options->onSuccess = skiffi_paho_on_connect;
		options->onFailure = skiffi_paho_on_connect_failure;
	}
}

int skiffi_paho_connect(struct paho_link *link, uint16_t keep_alive_s)
{
	const struct paho_engine *engine = link->engine;
	bool v5 = link->version == SKIFFI_V5;
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	MQTTAsync_SSLOptions tls = connect_tls(link);
	MQTTAsync_willOptions will = connect_will(engine);
	MQTTProperties properties = MQTTProperties_initializer, will_properties = MQTTProperties_initializer;
	bool ok = true;
	if (v5)
		options = (MQTTAsync_connectOptions)MQTTAsync_connectOptions_initializer5;
	connect_common(link, &options);
	options.cleansession = !v5 && link->fresh;
	options.cleanstart = v5 && link->fresh;
	options.ssl = engine->base.config->endpoint->tls ? &tls : NULL;
	options.will = engine->will_topic ? &will : NULL;
	if (keep_alive_s) /* Paho takes this to heart, and passes over the rest, as there is a connection */
		options.keepAliveInterval = keep_alive_s;
	else
		connect_callbacks(link, &options);
	if (v5) {
		ok = skiffi_paho_properties_of(&engine->connect_properties, &properties) &&
		     skiffi_paho_properties_of(engine->base.config->options->will.properties, &will_properties);
		options.connectProperties = &properties;
		options.willProperties = options.will ? &will_properties : NULL;
	}
	int code = ok ? MQTTAsync_connect(link->handle, &options) : MQTTASYNC_FAILURE;
	MQTTProperties_free(&properties);
	MQTTProperties_free(&will_properties);
	return code;
}
