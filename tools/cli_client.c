/* SPDX-License-Identifier: Apache-2.0 */
/* cli_client.c: from parameters to the library's options. What would silently do something else than asked for is
 * refused here; what the library checks itself, such as files and topics of a will, is left to it. */
#include "cli_client.h"
#include "cli_exit.h"
#include "cli_output.h"
#include "cli_topic.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Says what is wrong with an option; for `return client_wrong(...)`. */
static int client_wrong(const struct cli_context *context, const char *option, const char *why)
{
	cli_say(context, "option '%s': %s", option, why);
	return CLI_EXIT_USAGE;
}

/* ---- the log ---- */

void cli_client_log(enum skiff_log_level level, const char *component, const char *line, void *user)
{
	static const char *const names[] = {
		[SKIFF_LOG_NONE] = "",
		[SKIFF_LOG_ERROR] = "error",
		[SKIFF_LOG_WARN] = "warn",
		[SKIFF_LOG_INFO] = "info",
		[SKIFF_LOG_DEBUG] = "debug",
		[SKIFF_LOG_TRACE] = "trace",
	};
	char text[1024];
	const struct cli_client_params *params = user;
	if (params->debug) {
		snprintf(text, sizeof(text), "%-5s %s: %s", names[level], component, line);
		cli_note(text);
	} else if (level == SKIFF_LOG_WARN) {
		cli_say(NULL, "warning: %s", line);
	}
}

/* ---- where to ---- */

/* Whether a URL's scheme is one of `schemes`, a NULL-terminated list. */
static bool url_scheme_in(const char *url, const char *const *schemes)
{
	const char *colon = strstr(url, "://");
	for (; colon && *schemes; schemes++) {
		if (strlen(*schemes) == (size_t)(colon - url) && strncasecmp(url, *schemes, (size_t)(colon - url)) == 0)
			return true;
	}
	return false;
}

/* The URL that host and port as in mosquitto_pub mean. */
static int client_url_from_host(
	const struct cli_context *context, const struct cli_client_params *params, char *url, size_t size)
{
	const char *host = params->host ? params->host : "localhost";
	bool tls = cli_tls_given(&params->tls) || params->port == 8883;
	bool bracket = strchr(host, ':') && host[0] != '[';
	if (!*host || strpbrk(host, "/@?# "))
		return client_wrong(context, "--host", "a host name or address is needed; a URL goes with '--broker'");
	int len = snprintf(
		url, size, "%s://%s%s%s", tls ? "mqtts" : "mqtt", bracket ? "[" : "", host, bracket ? "]" : "");
	if (params->port > 0 && len > 0 && (size_t)len < size)
		len += snprintf(url + len, size - (size_t)len, ":%lld", params->port);
	if (len < 0 || (size_t)len >= size)
		return client_wrong(context, "--host", "the name is too long");
	return CLI_EXIT_OK;
}

static int client_set_url(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	const char *url = params->broker;
	if (url && (params->host || params->port > 0))
		return client_wrong(
			context, params->host ? "--host" : "--port", "excludes '--broker', whose URL says it all");
	if (!url && !params->host && params->port < 0)
		url = getenv("SKIFF_BROKER");
	if (params->broker_showed_password)
		cli_say(context, "warning: the password in the URL was visible to others; use '--pw-file', '--pw-ask' "
				 "or SKIFF_PASSWORD");
	if (!url || !*url)
		return client_url_from_host(context, params, setup->url, sizeof(setup->url));
	int len = snprintf(setup->url, sizeof(setup->url), "%s", url);
	if (len < 0 || (size_t)len >= sizeof(setup->url))
		return client_wrong(context, "--broker", "the URL is too long");
	return CLI_EXIT_OK;
}

bool cli_client_url_has_tls(const char *url)
{
	static const char *const schemes[] = {"mqtts", "ssl", "tls", "wss", NULL};
	return url_scheme_in(url, schemes);
}

static int client_check_url(const struct cli_context *context, const struct cli_client_params *params, const char *url)
{
	static const char *const ws_schemes[] = {"ws", "wss", NULL};
	const char *option = cli_tls_given(&params->tls);
	if (option && !cli_client_url_has_tls(url))
		return client_wrong(context, option, "means nothing without TLS; give a URL of mqtts:// or wss://");
	if (params->ws_headers.count && !url_scheme_in(url, ws_schemes))
		return client_wrong(
			context, "--ws-header", "means nothing without WebSocket; give a URL of ws:// or wss://");
	return CLI_EXIT_OK;
}

static int client_set_headers(
	const struct cli_context *context, const struct cli_list *list, struct cli_client_setup *setup)
{
	if (list->count == 0)
		return CLI_EXIT_OK;
	setup->headers = calloc(list->count, sizeof(*setup->headers));
	if (!setup->headers) {
		cli_say(context, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	for (size_t i = 0; i < list->count; i++) {
		const char *name = list->items[i], *colon = strchr(name, ':');
		if (!colon || colon == name || strpbrk(name, "\r\n"))
			return client_wrong(context, "--ws-header", "a header is written NAME:VALUE, in one line");
		const char *value = colon + 1 + strspn(colon + 1, " ");
		setup->headers[i].name = (struct skiff_bytes){name, (size_t)(colon - name)};
		setup->headers[i].value = skiff_text(value);
	}
	setup->options.http_headers = setup->headers;
	setup->options.http_header_count = list->count;
	return CLI_EXIT_OK;
}

/* ---- who ---- */

static int client_set_id(
	const struct cli_context *context, const struct cli_client_params *params, struct cli_client_setup *setup)
{
	if (params->id && params->id_prefix)
		return client_wrong(context, "--id-prefix", "excludes '--id'");
	if (params->keep_session && !params->id_prefix && (!params->id || !*params->id))
		return client_wrong(
			context, "--disable-clean-session", "a session is found by its client id; add '--id'");
	setup->options.client_id = params->id;
	if (params->id_prefix) {
		int len = snprintf(setup->id, sizeof(setup->id), "%s%ld", params->id_prefix, (long)getpid());
		if (len < 0 || (size_t)len >= sizeof(setup->id))
			return client_wrong(context, "--id-prefix", "too long");
		setup->options.client_id = setup->id;
	}
	return CLI_EXIT_OK;
}

void cli_client_user_info(const char *url, bool *user, bool *password)
{
	const char *start = strstr(url, "://");
	start = start ? start + 3 : url;
	const char *end = start + strcspn(start, "/?#"), *at = memrchr(start, '@', (size_t)(end - start));
	*user = at != NULL;
	*password = at && memchr(start, ':', (size_t)(at - start));
}

static int client_set_password(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	bool url_user, url_password;
	int code = CLI_EXIT_OK;
	if ((params->password != NULL) + (params->pw_file != NULL) + params->pw_ask > 1)
		return client_wrong(
			context, params->pw_ask ? "--pw-ask" : "--pw-file", "only one password can be given");
	cli_client_user_info(setup->url, &url_user, &url_password);
	if (params->password) {
		cli_say(context, "warning: the password of '--pw' was visible to others; use '--pw-file', '--pw-ask' "
				 "or SKIFF_PASSWORD");
		code = cli_password_copy(context, params->password, &setup->password);
	} else if (params->pw_file) {
		code = cli_password_from_file(context, params->pw_file, &setup->password);
	} else if (params->pw_ask) {
		code = cli_password_ask(context, "Password: ", &setup->password);
	} else {
		code = cli_password_from_environment(context, "SKIFF_PASSWORD", &setup->password);
		if (*setup->url && ((!params->username && !url_user) || url_password))
			cli_secret_wipe(&setup->password);
	}
	setup->options.user_name = params->username;
	setup->options.password = (struct skiff_bytes){setup->password.data, setup->password.len};
	return code;
}

/* ---- MQTT ---- */

static bool client_is_paho(const struct cli_client_params *params)
{
	const char *wanted = getenv("SKIFF_ENGINE");
	return params->engine == SKIFF_ENGINE_PAHO ||
	       (params->engine == SKIFF_ENGINE_DEFAULT && wanted && strcmp(wanted, "paho") == 0);
}

/* No command goes through a proxy that it was not told of. Paho would, and so the library refuses the engine paho while
 * these are set. */
static void client_forget_proxy(void)
{
	unsetenv("http_proxy");
	unsetenv("https_proxy");
}

static int client_set_will(
	const struct cli_context *context, const struct cli_client_params *params, struct skiff_will *will)
{
	char why[256];
	if (!params->will_topic) {
		const char *option = params->will_payload                                    ? "--will-payload"
				     : params->will_qos >= 0                                 ? "--will-qos"
				     : params->will_retain                                   ? "--will-retain"
				     : cli_property_of(&params->properties, CLI_PACKET_WILL) ? "--property"
											     : NULL;
		return option ? client_wrong(context, option, "a will needs a topic; add '--will-topic'") : CLI_EXIT_OK;
	}
	if (!cli_topic_check(params->will_topic, CLI_TOPIC_NAME, why, sizeof(why)))
		return client_wrong(context, "--will-topic", why);
	will->topic = skiff_text(params->will_topic);
	will->payload = skiff_text(params->will_payload ? params->will_payload : "");
	will->qos = params->will_qos > 0 ? (uint8_t)params->will_qos : 0;
	will->retain = params->will_retain;
	will->properties = cli_property_of(&params->properties, CLI_PACKET_WILL);
	return CLI_EXIT_OK;
}

static int client_set_session(
	const struct cli_context *context, const struct cli_client_params *params, struct cli_client_setup *setup)
{
	struct skiff_options *options = &setup->options;
	struct skiff_properties *connect = &setup->connect_properties;
	const struct skiff_properties *given = cli_property_of(&params->properties, CLI_PACKET_CONNECT);
	long long expiry = params->session_expiry;
	if (given)
		*connect = *given;
	if (connect->has & SKIFF_HAS_SESSION_EXPIRY) {
		if (expiry)
			return client_wrong(
				context, "-x", "is given twice; '-D connect session-expiry-interval' means the same");
		expiry = (long long)connect->session_expiry_s + 1;
		connect->has &= ~(uint32_t)SKIFF_HAS_SESSION_EXPIRY;
	}
	if (params->version == SKIFF_MQTT_311 && (expiry || given))
		return client_wrong(context, expiry ? "-x" : "--property", "needs MQTT 5; '-V 311' excludes it");
	if (expiry == 1 && params->keep_session)
		return client_wrong(context, "-x", "0 lets the session end with the connection; '-c' asks to keep it");
	options->session_expiry_s = expiry ? (uint32_t)(expiry - 1) : 0;
	options->resume_session = params->keep_session;
	options->keep_alive_s = params->keep_alive ? (int)params->keep_alive : -1;
	options->connect_properties = given ? connect : NULL;
	return CLI_EXIT_OK;
}

static int client_set_mqtt(
	const struct cli_context *context, const struct cli_client_params *params, struct cli_client_setup *setup)
{
	struct skiff_options *options = &setup->options;
	options->version = (enum skiff_version)params->version;
	options->engine = (enum skiff_engine)params->engine;
	options->reconnect.off = params->no_reconnect;
	for (int packet = 0; packet < CLI_PACKET_COUNT && params->version == SKIFF_MQTT_311; packet++) {
		if (params->properties.given[packet])
			return client_wrong(context, "--property", "needs MQTT 5; '-V 311' excludes it");
	}
	int code = client_set_will(context, params, &options->will);
	return code == CLI_EXIT_OK ? client_set_session(context, params, setup) : code;
}

/* Where the library looks for a proxy, but for no_proxy, which holds no secret. */
static void client_hide_proxies(void)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
	for (const char *const *name = names; *name; name++)
		cli_secret_hide_variable(*name);
}

static int client_set_connection(
	const struct cli_context *context, const struct cli_client_params *params, struct skiff_options *options)
{
	if (params->ipv4 && params->ipv6)
		return client_wrong(context, "-6", "excludes '-4'; leave out both to have either");
	bool user, password = false;
	if (params->proxy)
		cli_client_user_info(params->proxy, &user, &password);
	if (password)
		cli_say(context, "warning: the password of '--proxy' was visible to others; use '--proxy-env' and the "
				 "variable all_proxy");
	if (params->proxy_env)
		client_hide_proxies();
	options->proxy = params->proxy;
	options->proxy_environment = params->proxy_env;
	options->ip_version = params->ipv4 ? 4 : params->ipv6 ? 6 : 0;
	if (params->connect_timeout)
		options->timeouts = (struct skiff_timeouts){-1, -1, -1, -1, -1, (int)params->connect_timeout * 1000};
	return CLI_EXIT_OK;
}

static void client_begin(struct cli_client_params *params, struct cli_client_setup *setup)
{
	*setup = (struct cli_client_setup){0};
	cli_quiet(params->quiet);
	cli_secret_keep_from_core();
	skiff_log_set(params->debug ? SKIFF_LOG_TRACE : SKIFF_LOG_WARN, cli_client_log, params);
}

/* What does not depend on the URL, nor on the options that only one broker can have. */
static int client_set_shared(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	int code = client_set_connection(context, params, &setup->options);
	if (code == CLI_EXIT_OK)
		code = client_set_headers(context, &params->ws_headers, setup);
	if (code == CLI_EXIT_OK)
		code = cli_tls_prepare(context, &params->tls, setup);
	if (code == CLI_EXIT_OK)
		code = client_set_password(context, params, setup);
	return code;
}

int cli_client_prepare(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	client_begin(params, setup);
	if (client_is_paho(params) && !params->proxy_env)
		client_forget_proxy();
	int code = client_set_url(context, params, setup);
	if (code == CLI_EXIT_OK)
		code = client_check_url(context, params, setup->url);
	if (code == CLI_EXIT_OK)
		code = client_set_id(context, params, setup);
	if (code == CLI_EXIT_OK)
		code = client_set_mqtt(context, params, setup);
	if (code == CLI_EXIT_OK)
		code = client_set_shared(context, params, setup);
	setup->options.url = setup->url;
	return code;
}

int cli_client_prepare_many(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	client_begin(params, setup);
	if (!params->proxy_env)
		client_forget_proxy();
	return client_set_shared(context, params, setup);
}

void cli_client_release(struct cli_client_setup *setup)
{
	cli_secret_wipe(&setup->password);
	cli_secret_wipe(&setup->key_password);
	cli_secret_wipe(&setup->psk);
	free(setup->headers);
	setup->headers = NULL;
	explicit_bzero(setup->url, sizeof(setup->url));
}
