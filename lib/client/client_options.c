/* SPDX-License-Identifier: Apache-2.0 */
/* client_options.c: the user's options checked, filled in with the defaults, and copied into memory of the client's
 * own. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "client/client_internal.h"
#include "codec/properties.h"
#include "codec/topic.h"
#include <arpa/inet.h>
#include <stdio.h>

enum {
	DEFAULT_RESOLVE_MS = 8000, /* the system's resolver turns to the second name server after 5 s */
	DEFAULT_TCP_MS = 5000,
	DEFAULT_TLS_MS = 8000,
	DEFAULT_WEBSOCKET_MS = 8000,
	DEFAULT_MQTT_MS = 8000,
	DEFAULT_TOTAL_MS = 15000,
	DEFAULT_RECONNECT_MIN_MS = 1000,
	DEFAULT_RECONNECT_MAX_MS = 120000,
	DEFAULT_STABLE_MS = 30000,
	DEFAULT_KEEP_ALIVE_S = 60,
	DEFAULT_QUEUE_BYTES = 64 * 1024 * 1024
};

/* ---- copies ---- */

struct client_block {
	struct client_block *next;
	size_t len;
	uint8_t data[];
};

static void *options_alloc(struct skiff_client *client, size_t len)
{
	struct client_block *block = skiffi_calloc(1, sizeof *block + len + 1);
	if (!block) {
		client->options_incomplete = true;
		return NULL;
	}
	block->len = len;
	block->next = client->owned;
	client->owned = block;
	return block->data;
}

static const void *options_dup(struct skiff_client *client, const void *data, size_t len)
{
	if (!data)
		return NULL;
	void *copy = options_alloc(client, len);
	if (copy && len)
		memcpy(copy, data, len);
	return copy;
}

static const char *options_text(struct skiff_client *client, const char *text)
{
	return text ? options_dup(client, text, strlen(text)) : NULL;
}

static struct skiff_bytes options_bytes(struct skiff_client *client, struct skiff_bytes bytes)
{
	return (struct skiff_bytes){options_dup(client, bytes.data, bytes.len), bytes.len};
}

static const struct skiff_user_property *options_pairs(
	struct skiff_client *client, const struct skiff_user_property *pairs, size_t count)
{
	struct skiff_user_property *copy = count ? options_alloc(client, count * sizeof *copy) : NULL;
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = (struct skiff_user_property){
			options_bytes(client, pairs[i].name), options_bytes(client, pairs[i].value)};
	return copy;
}

static const struct skiff_properties *options_properties(
	struct skiff_client *client, const struct skiff_properties *properties)
{
	struct skiff_properties *copy = properties ? options_alloc(client, sizeof *copy) : NULL;
	if (!copy)
		return NULL;
	*copy = *properties;
	copy->raw = (struct skiff_bytes){0};
	copy->content_type = options_bytes(client, properties->content_type);
	copy->response_topic = options_bytes(client, properties->response_topic);
	copy->correlation_data = options_bytes(client, properties->correlation_data);
	copy->user = options_pairs(client, properties->user, properties->user_count);
	return copy;
}

static void options_copy_tls(struct skiff_client *client, struct skiff_tls_options *tls)
{
	const char **texts[] = {&tls->ca_file, &tls->ca_dir, &tls->crl_file, &tls->crl_dir, &tls->pins,
		&tls->known_hosts_file, &tls->cert_file, &tls->key_file, &tls->psk_identity, &tls->server_name,
		&tls->ciphers, &tls->cipher_suites, &tls->groups, &tls->alpn, &tls->keylog_file};
	struct skiff_bytes *bytes[] = {&tls->ca_pem, &tls->cert_pem, &tls->key_pem, &tls->psk_key};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = options_text(client, *texts[i]);
	for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++)
		*bytes[i] = options_bytes(client, *bytes[i]);
}

static void options_copy(struct skiff_client *client)
{
	struct skiff_options *options = &client->options;
	options->url = options_text(client, options->url);
	options->proxy = options_text(client, options->proxy);
	options->address = options_text(client, options->address);
	options->local_address = options_text(client, options->local_address);
	options->ws_subprotocol = options_text(client, options->ws_subprotocol);
	options->client_id = options_text(client, options->client_id);
	options->user_name = options_text(client, options->user_name);
	options->password = options_bytes(client, options->password);
	options->will.topic = options_bytes(client, options->will.topic);
	options->will.payload = options_bytes(client, options->will.payload);
	options->will.properties = options_properties(client, options->will.properties);
	options->connect_properties = options_properties(client, options->connect_properties);
	options->http_headers = options_pairs(client, options->http_headers, options->http_header_count);
	options_copy_tls(client, &options->tls);
}

/* ---- checks ---- */

static bool options_text_valid(const char *text)
{
	struct skiff_bytes view = skiff_text(text);
	return !text || (view.len <= SKIFFI_STRING_MAX && skiffi_utf8_valid(view));
}

static enum skiff_code options_check_texts(const struct skiff_options *options, struct skiff_error *error)
{
	if (!options_text_valid(options->client_id)) /* [MQTT-3.1.3-4] */
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the client id is not UTF-8 of at most 65535 bytes");
	if (!options_text_valid(options->user_name)) /* [MQTT-3.1.3-12] */
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the user name is not UTF-8 of at most 65535 bytes");
	if (options->password.len > SKIFFI_STRING_MAX)
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the password is longer than 65535 bytes");
	bool old = options->version == SKIFF_MQTT_311 || options->version == SKIFF_MQTT_31;
	if (old && options->password.data && !options->user_name) /* 3.1.1: [MQTT-3.1.2-22] */
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"MQTT 3.1.1 takes no password without a user name; give one, or use MQTT 5");
	if (old && options->client_id && !*options->client_id && options->resume_session) /* 3.1.1: [MQTT-3.1.3-7] */
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"MQTT 3.1.1 cannot resume a session without a client id; give one");
	if (options->version == SKIFF_MQTT_31 && options->client_id && !*options->client_id) /* [MQTT 3.1, 3.1] */
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "MQTT 3.1 has no broker assign a client id; give one, or none");
	if (old && options->session_expiry_s && options->session_expiry_s != UINT32_MAX)
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "MQTT 3.1.1 has no session expiry; leave it out, or use MQTT 5");
	if (old && (options->connect_properties || options->will.properties))
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "MQTT 3.1.1 has no properties; leave them out, or use MQTT 5");
	return SKIFF_OK;
}

static enum skiff_code options_check_will(const struct skiff_will *will, struct skiff_error *error)
{
	const char *rule = NULL;
	if (!will->topic.data)
		return SKIFF_OK;
	if (!skiffi_topic_valid(will->topic, &rule)) /* [MQTT-3.1.3-11] */
		return skiffi_fail(error, SKIFF_USAGE_TOPIC, 0, "the will's topic is not valid: %s", rule);
	if (will->qos > 2) /* [MQTT-3.1.2-12] */
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the will's QoS %u is not 0, 1 or 2", will->qos);
	if (will->payload.len > SKIFFI_STRING_MAX)
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the will's payload of %zu bytes is larger than 65535",
			will->payload.len);
	if (!skiffi_properties_valid(will->properties, SKIFFI_IN_WILL, &rule))
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the will's properties are not valid: %s", rule);
	return SKIFF_OK;
}

static bool options_header_name_valid(struct skiff_bytes name)
{
	const char *at = name.data;
	for (size_t i = 0; i < name.len; i++)
		if (at[i] <= ' ' || at[i] >= 127 || strchr("\"(),/:;<=>?@[\\]{}", at[i])) /* RFC 9110, 5.6.2 */
			return false;
	return name.len > 0;
}

static bool options_header_value_valid(struct skiff_bytes value)
{
	const unsigned char *at = value.data;
	for (size_t i = 0; i < value.len; i++)
		if ((at[i] < ' ' && at[i] != '\t') || at[i] == 127)
			return false;
	return true;
}

/* Views that claim bytes but have none would be read. */
static enum skiff_code options_check_views(const struct skiff_options *options, struct skiff_error *error)
{
	const struct skiff_will *will = &options->will;
	if (!options->http_headers && options->http_header_count)
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "http_headers is missing, though http_header_count is not 0");
	if ((!options->password.data && options->password.len) || (!will->payload.data && will->payload.len) ||
		(!will->topic.data && will->topic.len))
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "password or will: bytes are missing where a length is given");
	const struct skiff_tls_options *tls = &options->tls;
	if ((!tls->ca_pem.data && tls->ca_pem.len) || (!tls->cert_pem.data && tls->cert_pem.len) ||
		(!tls->key_pem.data && tls->key_pem.len) || (!tls->psk_key.data && tls->psk_key.len))
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"tls.ca_pem, cert_pem, key_pem or psk_key: bytes are missing where a length is given");
	if (!will->topic.data && (will->payload.data || will->properties || will->qos || will->retain))
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the will has no topic; give one, or nothing of it");
	return SKIFF_OK;
}

static enum skiff_code options_check_headers(const struct skiff_options *options, struct skiff_error *error)
{
	if (options->ws_subprotocol && !options_header_name_valid(skiff_text(options->ws_subprotocol)))
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "the WebSocket subprotocol is not a token of RFC 9110");
	for (size_t i = 0; i < options->http_header_count; i++) {
		const struct skiff_user_property *header = &options->http_headers[i];
		if (!options_header_name_valid(header->name))
			return skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
				"HTTP header %zu: its name is not a token of RFC 9110", i + 1);
		if (!options_header_value_valid(header->value))
			return skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
				"HTTP header '%.*s': its value has control characters", (int)header->name.len,
				(const char *)header->name.data);
	}
	return SKIFF_OK;
}

static bool options_address_valid(const char *address)
{
	unsigned char number[sizeof(struct in6_addr)];
	return !address || inet_pton(AF_INET, address, number) == 1 || inet_pton(AF_INET6, address, number) == 1;
}

static enum skiff_code options_check_numbers(const struct skiff_options *options, struct skiff_error *error)
{
	const int *limits = &options->timeouts.resolve_ms;
	if (options->keep_alive_s < -1 || options->keep_alive_s > UINT16_MAX)
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "keep alive of %d s is not 1..65535, or -1 for none",
			options->keep_alive_s);
	if (options->outbound_aliases < -1 || options->outbound_aliases > UINT16_MAX)
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"%d outbound topic aliases is not 1..65535, or -1 for none", options->outbound_aliases);
	for (size_t i = 0; i < sizeof options->timeouts / sizeof *limits; i++)
		if (limits[i] < -1)
			return skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
				"a timeout of %d ms is not positive, or -1 for none", limits[i]);
	if (options->reconnect.min_ms < 0 || options->reconnect.max_ms < 0 || options->reconnect.stable_ms < 0 ||
		options->ping_timeout_ms < 0)
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "a reconnect or ping time is negative");
	if (options->reconnect.max_ms < options->reconnect.min_ms)
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "reconnect: max_ms %d is less than min_ms %d",
			options->reconnect.max_ms, options->reconnect.min_ms);
	if (!options_address_valid(options->address) || !options_address_valid(options->local_address))
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "address \"%s\" is not a numeric IPv4 or IPv6 address",
			options_address_valid(options->address) ? options->local_address : options->address);
	if (options->ip_version && options->ip_version != 4 && options->ip_version != 6)
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "IP version %d is not 4 or 6, or 0 for both",
			options->ip_version);
	if (options->version > SKIFF_MQTT_31 || options->queue.full > SKIFF_FULL_DROP_OLDEST)
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "the version or the queue's policy is not one of its enum");
	return SKIFF_OK;
}

static enum skiff_code options_check(const struct skiff_options *options, struct skiff_error *error)
{
	const char *rule = NULL;
	enum skiff_code code = options_check_texts(options, error);
	if (!code)
		code = options_check_will(&options->will, error);
	if (!code)
		code = options_check_headers(options, error);
	if (!code)
		code = options_check_numbers(options, error);
	if (!code && options->connect_properties &&
		(options->connect_properties->authentication_method.data ||
			options->connect_properties->authentication_data.data))
		code = skiffi_fail(error, SKIFF_USAGE_UNSUPPORTED, 0,
			"enhanced authentication (an authentication method in CONNECT) is not supported; use user name "
			"and password");
	if (!code && !skiffi_properties_valid(options->connect_properties, SKIFFI_IN_CONNECT, &rule))
		code = skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the CONNECT properties are not valid: %s", rule);
	return code;
}

/* ---- defaults ---- */

static void options_default(int *value, int otherwise)
{
	if (!*value)
		*value = otherwise;
}

static void options_default_times(struct skiff_options *options)
{
	options_default(&options->timeouts.resolve_ms, DEFAULT_RESOLVE_MS);
	options_default(&options->timeouts.tcp_ms, DEFAULT_TCP_MS);
	options_default(&options->timeouts.tls_ms, DEFAULT_TLS_MS);
	options_default(&options->timeouts.websocket_ms, DEFAULT_WEBSOCKET_MS);
	options_default(&options->timeouts.mqtt_ms, DEFAULT_MQTT_MS);
	options_default(&options->timeouts.total_ms, DEFAULT_TOTAL_MS);
	options_default(&options->reconnect.min_ms, DEFAULT_RECONNECT_MIN_MS);
	options_default(&options->reconnect.max_ms, DEFAULT_RECONNECT_MAX_MS);
	options_default(&options->reconnect.stable_ms, DEFAULT_STABLE_MS);
	options_default(&options->keep_alive_s, DEFAULT_KEEP_ALIVE_S);
}

/* Random, so that it tells nothing of the machine: 128 bits, but 64 where an id has 23 characters [MQTT 3.1, 3.1]. */
static void options_default_id(struct skiff_client *client)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bits[16];
	size_t len = client->options.version == SKIFF_MQTT_31 ? 8 : sizeof bits;
	char *id = options_alloc(client, 6 + 2 * len);
	if (!id)
		return;
	skiffi_random(bits, len);
	memcpy(id, "skiff-", 6);
	for (size_t i = 0; i < 2 * len; i++)
		id[6 + i] = digits[bits[i / 2] >> (i % 2 ? 0 : 4) & 15];
	client->options.client_id = id;
}

static void options_defaults(struct skiff_client *client)
{
	struct skiff_options *options = &client->options;
	options_default_times(options);
	if (!options->queue.max_bytes)
		options->queue.max_bytes = DEFAULT_QUEUE_BYTES;
	if (!options->client_id)
		options_default_id(client);
	if (options->resume_session && !options->session_expiry_s)
		options->session_expiry_s = UINT32_MAX;
	if (!options->user_name && client->endpoint->user)
		options->user_name = options_text(client, client->endpoint->user);
	if (!options->password.data && client->endpoint->password.data)
		options->password = options_bytes(client, client->endpoint->password);
}

static void options_warn(const struct skiff_client *client)
{
	const struct skiff_options *options = &client->options;
	bool local = client->endpoint->kind == SKIFFI_UNIX;
	if (options->password.data && !client->endpoint->tls && !local)
		skiffi_log(SKIFF_LOG_WARN, "client", "'%s' is not encrypted: the password can be read on the way",
			client->endpoint->url);
	if (options->tls.insecure_skip_chain || options->tls.insecure_skip_name)
		skiffi_log(SKIFF_LOG_WARN, "client", "'%s': the server's %s is not verified", client->endpoint->url,
			options->tls.insecure_skip_chain ? "certificate" : "name");
}

uint32_t skiffi_client_options_session_expiry(const struct skiff_options *options)
{
	const struct skiff_properties *asked = options->connect_properties;
	if (options->session_expiry_s)
		return options->session_expiry_s;
	return asked && asked->has & SKIFF_HAS_SESSION_EXPIRY ? asked->session_expiry_s : 0;
}

enum skiff_code skiffi_client_options_copy(
	struct skiff_client *client, const struct skiff_options *options, struct skiff_error *error)
{
	if (!options || !options->url || !*options->url)
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "options.url is missing; give one such as \"mqtt://localhost\"");
	if (options_check_views(options, error))
		return error->code;
	client->endpoint = skiffi_endpoint_new(options->url, error);
	if (!client->endpoint)
		return error->code;
	client->options = *options;
	client->options.url = NULL; /* it may hold a password; the endpoint has the rest of it */
	options_copy(client);
	options_defaults(client);
	if (client->options_incomplete)
		return skiffi_fail_plain(error, SKIFF_MEMORY);
	options_warn(client);
	return options_check(&client->options, error);
}

void skiffi_client_options_release(struct skiff_client *client)
{
	while (client->owned) {
		struct client_block *block = client->owned;
		client->owned = block->next;
		skiffi_wipe(block->data, block->len);
		skiffi_free(block);
	}
	skiffi_endpoint_free(client->endpoint);
	client->endpoint = NULL;
}
