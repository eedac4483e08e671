/* SPDX-License-Identifier: Apache-2.0 */
/* cli_client.c: from parameters to the library's options. What would silently do something else than asked for is
 * refused here; what the library checks itself, such as files and topics of a will, is left to it. */
#include "cli_client.h"
#include "cli_exit.h"
#include "cli_format.h"
#include "cli_output.h"
#include "cli_settings.h"
#include "cli_topic.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* Of mosquitto's clients. */
enum { MOSQUITTO_WINDOW = 20, MOSQUITTO_KEEP_ALIVE_MIN = 5 };

static const long long EXPIRY_NEVER = 4294967295 + 1LL; /* as cli_client_params has it */

/* Says what is wrong with an option; for `return client_wrong(...)`. */
static int client_wrong(const struct cli_context *context, const char *option, const char *why)
{
	cli_say(context, "option '%s': %s", option, why);
	return CLI_EXIT_USAGE;
}

/* ---- the log ---- */

/* As mosquitto's clients have it on standard output. They number messages of QoS 0 too, though nobody else sees it. */
static void client_log_line(struct cli_client_params *params, const char *line)
{
	static atomic_uint numbered;
	static const char unnumbered[] = "sending PUBLISH (d0, q0, ";
	char number[16] = "";
	const char *rest = strstr(line, "m0, "), *id = atomic_load(&params->log_id);
	unsigned request;
	size_t head = strlen(line);
	if (sscanf(line, "sending SUBSCRIBE (Mid: %u", &request) == 1 ||
		sscanf(line, "sending UNSUBSCRIBE (Mid: %u", &request) == 1)
		atomic_store(&numbered, request);
	if (rest && strncmp(line, unnumbered, sizeof(unnumbered) - 1) == 0) {
		snprintf(number, sizeof(number), "m%u", atomic_fetch_add(&numbered, 1) % 65535 + 1);
		head = (size_t)(rest - line);
		rest += 2;
	} else {
		rest = "";
	}
	struct iovec parts[] = {{(void *)"Client ", 7}, {(void *)id, strlen(id)}, {(void *)" ", 1},
		{(void *)line, head}, {number, strlen(number)}, {(void *)rest, strlen(rest)}, {(void *)"\n", 1}};
	cli_write(STDOUT_FILENO, parts, sizeof(parts) / sizeof(*parts));
}

/* mosquitto_sub has two lines for it, mosquitto_rr one. */
static void client_log_suback(struct cli_client_params *params, const char *granted)
{
	client_log_line(params, "received SUBACK");
	struct iovec parts[] = {{(void *)"Subscribed", 10}, {(void *)granted, strlen(granted)}, {(void *)"\n", 1}};
	if (params->log_granted && !params->quiet)
		cli_write(STDOUT_FILENO, parts, sizeof(parts) / sizeof(*parts));
}

void cli_client_log_connack(struct cli_client_params *params)
{
	if (atomic_load(&params->log_id) && *params->log_connack)
		client_log_line(params, params->log_connack);
	*params->log_connack = '\0';
}

void cli_client_log(enum skiff_log_level level, const char *component, const char *line, void *user)
{
	static const char suback[] = "received SUBACK";
	static const char *const names[] = {
		[SKIFF_LOG_NONE] = "",
		[SKIFF_LOG_ERROR] = "error",
		[SKIFF_LOG_WARN] = "warn",
		[SKIFF_LOG_INFO] = "info",
		[SKIFF_LOG_DEBUG] = "debug",
		[SKIFF_LOG_TRACE] = "trace",
	};
	char text[1024];
	struct cli_client_params *params = user;
	if (atomic_load(&params->log_id)) {
		if (strncmp(line, "received CONNACK", 16) == 0)
			snprintf(params->log_connack, sizeof(params->log_connack), "%s", line);
		else if (strncmp(line, suback, sizeof(suback) - 1) == 0)
			client_log_suback(params, line + sizeof(suback) - 1);
		else if (strcmp(component, "packet") == 0)
			client_log_line(params, line);
	} else if (params->debug) {
		snprintf(text, sizeof(text), "%-5s %s: %s", names[level], component, line);
		cli_note(text);
	} else if (level == SKIFF_LOG_WARN && !params->silent) {
		cli_say(NULL, "warning: %s", line);
	}
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

/* Mosquitto's clients take no session for one's own without an id that is wholly given, and no empty id. */
static const char *client_id_fault(const struct cli_context *context, const struct cli_client_params *params)
{
	bool given = params->id && *params->id, forever = params->session_expiry == EXPIRY_NEVER;
	bool kept = params->keep_session && (params->version != SKIFF_MQTT_5 || !params->session_expiry);
	if (!context->mosquitto)
		return params->keep_session && !params->id_prefix && !given
			       ? "option '--disable-clean-session': a session is found by its client id; add '--id'"
			       : NULL;
	if (params->id && !given)
		return "option '--id': the client id is empty";
	if (!given && (kept || (params->version == SKIFF_MQTT_5 && forever)))
		return "a session that is kept is found by its client id; add '--id'";
	return NULL;
}

/* MQTT 3.1 has no broker give one. */
static int client_make_id(const struct cli_context *context, struct cli_client_setup *setup)
{
	unsigned char bits[8];
	int len = snprintf(setup->id, sizeof(setup->id), "skiff-");
	if (getentropy(bits, sizeof(bits)) != 0) {
		cli_say(context, "no random numbers: %s", strerror(errno));
		return CLI_EXIT_FAILURE;
	}
	for (size_t i = 0; i < sizeof(bits); i++)
		len += snprintf(setup->id + len, sizeof(setup->id) - (size_t)len, "%02x", bits[i]);
	setup->options.client_id = setup->id;
	return CLI_EXIT_OK;
}

static int client_set_id(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	const char *fault = client_id_fault(context, params);
	int code = CLI_EXIT_OK;
	if (params->id && params->id_prefix)
		return client_wrong(context, "--id-prefix", "excludes '--id'");
	if (fault) {
		cli_say(context, "%s", fault);
		return CLI_EXIT_USAGE;
	}
	setup->options.client_id = params->id;
	if (params->id_prefix) {
		int len = snprintf(setup->id, sizeof(setup->id), "%s%ld", params->id_prefix, (long)getpid());
		if (len < 0 || (size_t)len >= sizeof(setup->id))
			return client_wrong(context, "--id-prefix", "too long");
		setup->options.client_id = setup->id;
	} else if (context->mosquitto && !params->id) {
		setup->options.client_id = ""; /* as there the broker gives one */
		if (params->version == SKIFF_MQTT_31)
			code = client_make_id(context, setup);
	}
	if (atomic_load(&params->log_id) && setup->options.client_id && *setup->options.client_id)
		atomic_store(&params->log_id, setup->options.client_id);
	return code;
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
	bool url_user, url_password, in_url = params->mosquitto.url_password;
	int code = CLI_EXIT_OK;
	if (in_url && (params->pw_file || params->pw_ask))
		cli_secret_forget(&params->password);
	if ((params->password != NULL) + (params->pw_file != NULL) + params->pw_ask > 1)
		return client_wrong(
			context, params->pw_ask ? "--pw-ask" : "--pw-file", "only one password can be given");
	cli_client_user_info(setup->url, &url_user, &url_password);
	if (params->password) {
		if (cli_was_shown(context, in_url ? "url" : "pw"))
			cli_warn(context,
				"the password of '%s' was visible to others; use '--pw-file', '--pw-ask' or "
				"SKIFF_PASSWORD",
				in_url ? "--url" : "--pw");
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
				     : params->will_qos >= 0 && !context->mosquitto          ? "--will-qos"
				     : params->will_retain                                   ? "--will-retain"
				     : cli_property_of(&params->properties, CLI_PACKET_WILL) ? "--property"
											     : NULL;
		return option ? client_wrong(context, option, "a will needs a topic; add '--will-topic'") : CLI_EXIT_OK;
	}
	if (!cli_topic_check(context, params->will_topic, CLI_TOPIC_NAME, why, sizeof(why)))
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
	bool old = params->version == SKIFF_MQTT_311 || params->version == SKIFF_MQTT_31;
	if (old && context->mosquitto)
		expiry = 0; /* left out there without a word */
	if (old && (expiry || given))
		return client_wrong(context, expiry ? "-x" : "--property", "needs MQTT 5; '-V 311' excludes it");
	if (expiry == 1 && params->keep_session && !context->mosquitto)
		return client_wrong(context, "-x", "0 lets the session end with the connection; '-c' asks to keep it");
	const struct skiff_properties *last = cli_property_of(&params->properties, CLI_PACKET_DISCONNECT);
	if (last && last->has & SKIFF_HAS_SESSION_EXPIRY && last->session_expiry_s && !expiry && !params->keep_session)
		return client_wrong(context, "-D disconnect session-expiry-interval",
			"the session ends with the connection, and DISCONNECT cannot keep it; add '-x SECONDS'");
	options->session_expiry_s = expiry ? (uint32_t)(expiry - 1) : 0;
	options->resume_session = params->keep_session;
	options->keep_alive_s = params->keep_alive < 0 ? 0 : params->keep_alive == 0 ? -1 : (int)params->keep_alive;
	options->connect_properties = given ? connect : NULL;
	return CLI_EXIT_OK;
}

/* Mosquitto's clients take 20 messages at once, and know no aliases but those of -D. */
static void client_set_window(
	const struct cli_context *context, const struct cli_client_params *params, struct cli_client_setup *setup)
{
	struct skiff_properties *connect = &setup->connect_properties;
	if (!context->mosquitto)
		return;
	setup->options.outbound_aliases = params->topic_alias ? 1 : -1;
	if (params->version != SKIFF_MQTT_5)
		return;
	setup->options.connect_properties = connect;
	if (!(connect->has & SKIFF_HAS_RECEIVE_MAXIMUM))
		connect->receive_maximum = MOSQUITTO_WINDOW;
	connect->has |= SKIFF_HAS_RECEIVE_MAXIMUM | SKIFF_HAS_TOPIC_ALIAS_MAXIMUM;
}

static int client_set_mqtt(
	const struct cli_context *context, const struct cli_client_params *params, struct cli_client_setup *setup)
{
	struct skiff_options *options = &setup->options;
	options->version = (enum skiff_version)params->version;
	options->engine = (enum skiff_engine)params->engine;
	options->receive_beyond_maximum = true;
	options->max_inflight = (uint16_t)(params->mosquitto.max_inflight < 65535 ? params->mosquitto.max_inflight : 0);
	options->reconnect.off = params->no_reconnect;
	options->reconnect.first_too = params->retry != 0;
	options->reconnect.min_ms = (int)params->retry_delay_ms;
	bool old = params->version == SKIFF_MQTT_311 || params->version == SKIFF_MQTT_31;
	for (int packet = 0; packet < CLI_PACKET_COUNT && old; packet++) {
		if (params->properties.given[packet])
			return client_wrong(context, "--property", "needs MQTT 5; '-V 311' excludes it");
	}
	int code = client_set_will(context, params, &options->will);
	if (code == CLI_EXIT_OK)
		code = client_set_session(context, params, setup);
	client_set_window(context, params, setup);
	return code;
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
	if (password && cli_was_shown(context, "proxy"))
		cli_warn(context, "the password of '--proxy' was visible to others; use '--proxy-env' and the "
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

void cli_client_settle(const struct cli_context *context, struct cli_client_params *params, int version)
{
	struct skiff_properties *publish = &params->properties.packets[CLI_PACKET_PUBLISH];
	bool properties = false;
	for (int packet = 0; packet < CLI_PACKET_COUNT; packet++)
		properties |= params->properties.given[packet];
	params->topic_alias = publish->has & SKIFF_HAS_TOPIC_ALIAS;
	publish->has &= ~(uint32_t)SKIFF_HAS_TOPIC_ALIAS;
	if (context->mosquitto && (properties || (params->session_expiry && params->mosquitto.like == CLI_LIKE_21)))
		params->version = SKIFF_MQTT_5;
	if (params->version < 0)
		params->version = context->mosquitto ? version : SKIFF_MQTT_5;
	if (params->mosquitto.like < 0)
		params->mosquitto.like = context->mosquitto ? CLI_LIKE_20 : CLI_LIKE_21;
}

static void client_begin(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	*setup = (struct cli_client_setup){0};
	if (params->exit_codes >= 0)
		cli_exit_choose((enum cli_exit_codes)params->exit_codes);
	params->silent = context->mosquitto;
	if (context->mosquitto && params->debug)
		atomic_store(&params->log_id, "(null)");
	cli_quiet(params->quiet);
	if (context->settings)
		cli_settings_check_secrets(context, context->settings);
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
	/* which without TLS are not even looked at there */
	if (code == CLI_EXIT_OK && (!context->mosquitto || cli_client_url_has_tls(setup->url)))
		code = cli_tls_prepare(context, &params->tls, setup);
	if (code == CLI_EXIT_OK)
		code = client_set_password(context, params, setup);
	return code;
}

/* What mosquitto's clients refuse, or say in another way. */
static int client_check_mosquitto(const struct cli_context *context, struct cli_client_params *params)
{
	struct cli_mosquitto_params *mosquitto = &params->mosquitto;
	if (context->mosquitto && params->keep_alive >= 0 && params->keep_alive < MOSQUITTO_KEEP_ALIVE_MIN)
		return client_wrong(context, "--keepalive", "is not a whole number from 5 to 65535");
	if (mosquitto->tls_engine_password)
		return client_wrong(context, "--tls-engine-kpass-sha1",
			"is not taken; give a token's PIN by '--key-password-file'");
	if (mosquitto->tls_engine && strcmp(mosquitto->tls_engine, "pkcs11") != 0)
		return client_wrong(context, "--tls-engine", "only 'pkcs11' is known, whose keys are pkcs11: URIs");
	if (mosquitto->key_form && !params->tls.key)
		return client_wrong(context, "--keyform", "says how '--key' is meant, which is missing");
	if (mosquitto->tls_version && params->tls.min_version)
		return client_wrong(context, "--tls-version", "excludes '--tls-min'");
	if (context->mosquitto && !params->tls.cert != !params->tls.key)
		return client_wrong(context, params->tls.key ? "--key" : "--cert",
			params->tls.key ? "needs its certificate; add '--cert'" : "needs its private key; add '--key'");
	if (context->mosquitto && params->tls.psk && (params->tls.cafile || params->tls.capath))
		return client_wrong(context, "--psk", "excludes '--cafile' and '--capath'");
	params->tls.ca_system |= mosquitto->os_certs;
	if (mosquitto->tls_version)
		params->tls.min_version = mosquitto->tls_version;
	return CLI_EXIT_OK;
}

int cli_client_prepare(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	client_begin(context, params, setup);
	if (client_is_paho(params) && !params->proxy_env)
		client_forget_proxy();
	int code = client_check_mosquitto(context, params);
	if (code == CLI_EXIT_OK)
		code = cli_client_set_url(context, params, setup);
	if (params->broker_showed_password && (cli_was_shown(context, "broker") || context->operand_count))
		cli_warn(context, "the password in the URL was visible to others; use '--pw-file', "
				  "'--pw-ask' or SKIFF_PASSWORD");
	if (code == CLI_EXIT_OK)
		code = client_set_id(context, params, setup);
	if (code == CLI_EXIT_OK)
		code = client_set_mqtt(context, params, setup);
	if (code == CLI_EXIT_OK)
		code = client_set_shared(context, params, setup);
	return code;
}

int cli_client_prepare_many(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup)
{
	client_begin(context, params, setup);
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
