/* SPDX-License-Identifier: Apache-2.0 */
/* check_walk.c: options and files when the client is made, the set-up when it connects, then a message there and back.
 *
 * Happy path: make the client; connect; subscribe to a topic of its own; publish to it; wait for the message;
 * disconnect. Failure: the error's class says at which stage; what came before has its time, what comes after is
 * skipped; then check_prove looks what is there instead. */
#include "check_walk.h"
#include "check_causes.h"
#include "cli_event.h"
#include <skiff/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WALK_TOPIC_BYTES = 64, WALK_NONCE_BYTES = 16, WALK_GRACE_MS = 1000 };

struct walk {
	struct check_report *report;
	struct skiff_options *options;
	const struct check_settings *settings;
	struct check_place place;
	struct skiff_client *client;
	char topic[WALK_TOPIC_BYTES], nonce[2 * WALK_NONCE_BYTES + 1];
	struct cli_event arrived;
	double published_ms, arrived_ms;
};

static double walk_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void check_settings_begin(struct check_settings *settings)
{
	settings->end_ms = walk_now_ms() + settings->deadline_ms;
}

int check_settings_left_ms(const struct check_settings *settings)
{
	double left = settings->end_ms - walk_now_ms();
	if (left > settings->timeout_ms)
		left = settings->timeout_ms;
	return left > 1 ? (int)left : 1;
}

static bool walk_is_paho(const struct skiff_options *options)
{
	const char *wanted = getenv("SKIFF_ENGINE");
	return options->engine == SKIFF_ENGINE_PAHO ||
	       (options->engine == SKIFF_ENGINE_DEFAULT && wanted && strcmp(wanted, "paho") == 0);
}

/* ---- options and files ---- */

/* What the library warns of while the client is made, on this thread. */
static void walk_on_log(enum skiff_log_level level, const char *component, const char *line, void *user)
{
	struct check_report *report = user;
	if (level == SKIFF_LOG_WARN)
		check_warn(report, strcmp(component, "tls") == 0 ? CHECK_FILES : CHECK_OPTIONS, "%s", line);
}

static void walk_on_chain(const struct skiff_bytes *certificates, size_t count, void *user)
{
	struct check_report *report = user;
	check_chain_read(&report->chain, certificates, count);
}

static void walk_warn_days(
	struct walk *walk, const struct check_chain *chain, enum check_stage stage, const char *whose)
{
	for (size_t i = 0; i < chain->count; i++) {
		const struct check_certificate *one = &chain->list[i];
		if (one->days_left >= 0 && one->days_left < walk->settings->warn_days)
			check_warn(walk->report, stage, "%s certificate \"%s\" ends in %d days, on %s", whose,
				one->subject, one->days_left, one->not_after);
	}
}

static void walk_read_own(struct walk *walk)
{
	const struct skiff_tls_options *tls = &walk->options->tls;
	struct check_report *report = walk->report;
	const char *trust = tls->ca_file ? tls->ca_file : tls->ca_dir ? tls->ca_dir : "the system's trust store";
	if (!walk->place.tls) {
		check_pass(report, CHECK_FILES, -1, "none needed");
		return;
	}
	if (tls->cert_file)
		check_chain_read_own(&report->own, tls);
	walk_warn_days(walk, &report->own, CHECK_FILES, "the client's");
	if (report->own.count)
		check_pass(report, CHECK_FILES, -1, "trusts %s; is \"%s\", for %d more days", trust,
			report->own.list[0].subject, report->own.list[0].days_left);
	else if (tls->cert_file)
		check_pass(report, CHECK_FILES, -1, "trusts %s; shows the certificate in %s", trust, tls->cert_file);
	else
		check_pass(report, CHECK_FILES, -1, "trusts %s; no client certificate", trust);
}

static bool walk_make(struct walk *walk)
{
	struct check_report *report = walk->report;
	struct skiff_options *options = walk->options;
	int stage_ms = (int)walk->settings->timeout_ms, total_ms = (int)walk->settings->deadline_ms;
	struct skiff_error error = {0};
	options->timeouts = (struct skiff_timeouts){stage_ms, stage_ms, stage_ms, stage_ms, stage_ms, total_ms};
	options->reconnect.off = true;
	if (!walk_is_paho(options) && walk->place.tls) {
		options->tls.on_chain = walk_on_chain;
		options->tls.on_chain_user = report;
	}
	walk->client = skiff_client_new(options, &error);
	if (!walk->client) {
		enum check_stage stage = check_cause_stage(error.code);
		if (stage == CHECK_FILES)
			check_pass(report, CHECK_OPTIONS, -1, "%s", report->url);
		check_fail(report, stage, skiff_code_slug(error.code), error.text);
		report->failure.detail = error.detail;
		return false;
	}
	check_place_bare(report->url, options->url, true);
	check_pass(report, CHECK_OPTIONS, -1, "%s", report->url);
	walk_read_own(walk);
	return true;
}

/* ---- the set-up ---- */

static const char *walk_tls_text(const struct skiff_connection *seen, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s%s%s%s", seen->tls_version, *seen->tls_cipher ? ", " : "", seen->tls_cipher,
		*seen->tls_alpn ? ", ALPN " : "", seen->tls_alpn, seen->tls_resumed ? ", resumed" : "");
	return out;
}

static void walk_phase(struct walk *walk, enum check_stage stage, bool part, int64_t us, const char *text)
{
	struct check_report *report = walk->report;
	bool before = report->connected || (*report->failure.cause && stage < report->failure.stage);
	if (part && (us >= 0 || before) && report->steps[stage].status != CHECK_FAILED)
		check_pass(report, stage, us >= 0 ? (double)us / 1e3 : -1, "%s", text);
	else if (!part)
		snprintf(report->steps[stage].text, CHECK_TEXT_BYTES, "not part of this way");
}

/* The names that are looked up here: of the broker, of the proxy, or with socks5 both. */
static const char *walk_looked_up(const struct walk *walk, char *out, size_t size)
{
	const char *proxy = walk->report->connection.proxy;
	struct check_place place;
	if (!*proxy)
		return walk->place.host;
	char url[CHECK_URL_BYTES];
	snprintf(url, sizeof(url), "mqtt%s", strstr(proxy, "://"));
	check_place_read(&place, url);
	bool both = strncmp(proxy, "socks5:", 7) == 0;
	snprintf(out, size, "%s%s%s, the proxy", both ? walk->place.host : "", both ? ", and " : "", place.host);
	return out;
}

static const char *walk_proxy_text(const struct skiff_connection *seen, char *out, size_t size)
{
	bool option = strcmp(seen->proxy_from, "proxy") == 0;
	snprintf(out, size, "%s, given by %s%s", seen->proxy, option ? "'--proxy'" : "the environment variable ",
		option ? "" : seen->proxy_from);
	return out;
}

/* Whether a proxy of the environment would be taken, if no_proxy did not list the broker. */
static bool walk_is_excepted(const struct walk *walk)
{
	static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
	static const char *const tls[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
	const char *const *name = walk->place.tls ? tls : plain;
	if (!walk->options->proxy_environment || walk->options->proxy || walk->place.local ||
		*walk->report->connection.proxy)
		return false;
	while (*name && (!getenv(*name) || !*getenv(*name)))
		name++;
	return *name;
}

/* What was reached, with its time. */
static void walk_phases(struct walk *walk)
{
	struct check_report *report = walk->report;
	const struct skiff_connection *seen = &report->connection;
	const struct skiff_phases *phases = &seen->phases;
	bool local = walk->place.local;
	char tls[256], mqtt[CHECK_TEXT_BYTES], http[32], name[2 * sizeof(walk->place.host) + 32];
	char proxy[sizeof(seen->proxy) + sizeof(seen->proxy_from) + 64];
	snprintf(http, sizeof(http), "HTTP %d", seen->http_status ? seen->http_status : 101);
	snprintf(mqtt, sizeof(mqtt), "MQTT %s, client id %s, session %s", seen->mqtt_version == 5 ? "5" : "3.1.1",
		seen->client_id, seen->session_present ? "continued" : "new");
	walk_phase(walk, CHECK_DNS, !local, phases->dns_us, walk_looked_up(walk, name, sizeof(name)));
	walk_phase(walk, CHECK_TCP, true, phases->tcp_us, seen->address);
	walk_phase(walk, CHECK_PROXY, *seen->proxy, phases->proxy_us, walk_proxy_text(seen, proxy, sizeof(proxy)));
	if (walk_is_excepted(walk))
		snprintf(report->steps[CHECK_PROXY].text, CHECK_TEXT_BYTES,
			"not part of this way: no_proxy excepts %s from the proxy of the environment",
			walk->place.host);
	walk_phase(walk, CHECK_TLS, walk->place.tls, phases->tls_us, walk_tls_text(seen, tls, sizeof(tls)));
	walk_phase(walk, CHECK_WEBSOCKET, walk->place.ws, phases->websocket_us, http);
	if (report->connected)
		walk_phase(walk, CHECK_MQTT, true, phases->mqtt_us, mqtt);
}

/* How long the stage took that failed: what the others left of the whole. */
static double walk_rest_ms(const struct walk *walk, double spent_ms)
{
	const struct skiff_phases *phases = &walk->report->connection.phases;
	const int64_t us[] = {phases->dns_us, phases->tcp_us, phases->proxy_us, phases->tls_us, phases->websocket_us};
	for (size_t i = 0; i < sizeof(us) / sizeof(*us); i++)
		spent_ms -= us[i] > 0 ? (double)us[i] / 1e3 : 0;
	return spent_ms > 0 ? spent_ms : 0;
}

static bool walk_connect(struct walk *walk, enum skiff_code *code)
{
	struct check_report *report = walk->report;
	double begun_ms = walk_now_ms();
	struct skiff_token *token = skiff_connect(walk->client);
	*code = skiff_token_wait(token, -1);
	struct skiff_error error = *skiff_token_error(token);
	skiff_token_free(token);
	skiff_client_connection(walk->client, &report->connection);
	report->connected = *code == SKIFF_OK;
	report->total_ms = report->connected ? walk_now_ms() - begun_ms : -1;
	if (!report->connected) {
		enum check_stage stage = *code == SKIFF_WRONG_PROTOCOL
						 ? check_strange_stage(&walk->place, &report->connection.phases)
						 : check_cause_stage(*code);
		check_fail(report, stage, skiff_code_slug(*code), error.text);
		report->failure.detail = error.detail;
		report->steps[stage].ms = walk_rest_ms(walk, walk_now_ms() - begun_ms);
	}
	walk_phases(walk);
	walk_warn_days(walk, &report->chain, CHECK_TLS, "the server's");
	return report->connected;
}

/* ---- a message there and back ---- */

static void walk_on_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct walk *walk = user;
	(void)client;
	if (message->payload.len != strlen(walk->nonce) ||
		memcmp(message->payload.data, walk->nonce, message->payload.len) != 0)
		return;
	walk->arrived_ms = walk_now_ms();
	cli_event_set(&walk->arrived);
}

static bool walk_make_nonce(struct walk *walk)
{
	unsigned char bytes[WALK_NONCE_BYTES];
	if (getentropy(bytes, sizeof(bytes)) != 0)
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(walk->nonce + 2 * i, 3, "%02x", bytes[i]);
	snprintf(walk->topic, sizeof(walk->topic), "skiff/check/%s", walk->nonce);
	return true;
}

/* Waits for an operation's token and enters its outcome. */
static bool walk_operation(struct walk *walk, enum check_stage stage, struct skiff_token *token, const char *refused)
{
	char text[CHECK_TEXT_BYTES];
	double begun_ms = walk_now_ms();
	int left_ms = check_settings_left_ms(walk->settings);
	enum skiff_code code = skiff_token_wait(token, left_ms);
	if (code == SKIFF_OK) {
		check_pass(walk->report, stage, walk_now_ms() - begun_ms, "%s", "");
	} else if (code == SKIFF_TIMEOUT) {
		snprintf(text, sizeof(text), "the broker did not acknowledge within %d ms", left_ms);
		check_fail(walk->report, stage, "roundtrip-timeout", text);
	} else {
		bool mqtt = skiff_code_class(code) == SKIFF_CLASS_MQTT;
		check_fail(walk->report, stage, mqtt ? refused : skiff_code_slug(code), skiff_token_error(token)->text);
	}
	skiff_token_free(token);
	return code == SKIFF_OK;
}

static bool walk_await_message(struct walk *walk, const char *topic)
{
	char text[CHECK_TEXT_BYTES];
	int left_ms = check_settings_left_ms(walk->settings);
	if (cli_event_wait(&walk->arrived, left_ms)) {
		check_pass(walk->report, CHECK_ROUNDTRIP, walk->arrived_ms - walk->published_ms, "topic %s", topic);
		return true;
	}
	snprintf(text, sizeof(text), "the message to \"%s\" did not come back within %d ms", topic, left_ms);
	check_fail(walk->report, CHECK_ROUNDTRIP, "roundtrip-timeout", text);
	return false;
}

static bool walk_exchange(struct walk *walk)
{
	int qos = walk->report->connection.maximum_qos ? 1 : 0;
	const char *topic = walk->settings->topic ? walk->settings->topic : walk->topic;
	if (!walk_operation(walk, CHECK_SUBSCRIBE, skiff_subscribe(walk->client, topic, qos, walk_on_message, walk),
		    "subscribe-refused"))
		return false;
	walk->published_ms = walk_now_ms();
	if (!walk_operation(walk, CHECK_PUBLISH,
		    skiff_publish(walk->client, topic, walk->nonce, strlen(walk->nonce), qos, false),
		    "publish-refused"))
		return false;
	return walk_await_message(walk, topic);
}

/* ---- the whole ---- */

static void walk_leave_out(struct walk *walk)
{
	for (int stage = CHECK_SUBSCRIBE; stage <= CHECK_ROUNDTRIP; stage++)
		snprintf(walk->report->steps[stage].text, CHECK_TEXT_BYTES, "left out by --connect-only");
}

static void walk_disconnect(struct walk *walk)
{
	double begun_ms = walk_now_ms();
	enum skiff_code code = skiff_wait(skiff_disconnect(walk->client, WALK_GRACE_MS, NULL), 2 * WALK_GRACE_MS);
	if (*walk->report->failure.cause)
		return;
	if (code == SKIFF_OK)
		check_pass(walk->report, CHECK_DISCONNECT, walk_now_ms() - begun_ms, "%s", "");
	else
		check_fail(walk->report, CHECK_DISCONNECT, skiff_code_slug(code), skiff_code_text(code));
}

/* What the wire says, beside what Paho said: the engine native takes the same way. */
static void walk_compare_wire(struct walk *walk)
{
	struct check_report *report = walk->report;
	struct check_failure *failure = &report->failure;
	struct skiff_options options = *walk->options;
	struct skiff_error error = {0};
	options.engine = SKIFF_ENGINE_NATIVE;
	if (walk->place.tls) {
		options.tls.on_chain = walk_on_chain;
		options.tls.on_chain_user = report;
	}
	struct skiff_client *client = skiff_client_new(&options, &error);
	struct skiff_token *token = client ? skiff_connect(client) : NULL;
	if (token) {
		skiff_token_wait(token, -1);
		error = *skiff_token_error(token);
		skiff_token_free(token);
		skiff_client_connection(client, &report->wire);
		if (error.code == SKIFF_OK)
			skiff_wait(skiff_disconnect(client, WALK_GRACE_MS, NULL), 2 * WALK_GRACE_MS);
	}
	skiff_client_free(client);
	report->wire_seen = token != NULL;
	size_t used = strlen(failure->evidence);
	if (*failure->cause)
		snprintf(failure->evidence + used, sizeof(failure->evidence) - used,
			"; so says Paho. The engine native: %s", error.code == SKIFF_OK ? "connects" : error.text);
}

/* A second use of credentials is spared where a broker has refused them. */
static bool walk_may_compare(const struct walk *walk, enum skiff_code code)
{
	return walk_is_paho(walk->options) && (code == SKIFF_OK || skiff_code_class(code) != SKIFF_CLASS_MQTT);
}

/* Where one address of a name fails another may work. */
static bool walk_asks_addresses(enum skiff_code code)
{
	enum skiff_class class_ = skiff_code_class(code);
	return class_ == SKIFF_CLASS_TLS || class_ == SKIFF_CLASS_WS || code == SKIFF_WRONG_PROTOCOL;
}

/* Whether the broker may be one that speaks MQTT 3.1.1 only. */
static bool walk_asks_version(const struct walk *walk, enum skiff_code code)
{
	return walk->options->version == SKIFF_MQTT_5 && (code == SKIFF_MQTT_VERSION || code == SKIFF_MQTT_CLOSED) &&
	       check_settings_left_ms(walk->settings) > 1;
}

/* What was refused, as far as it is no secret. */
static void walk_tell_sent(struct walk *walk, enum skiff_code code)
{
	const struct skiff_options *options = walk->options;
	char *evidence = walk->report->failure.evidence;
	size_t used = strlen(evidence), size = sizeof(walk->report->failure.evidence) - used;
	bool url_user, url_password;
	cli_client_user_info(options->url, &url_user, &url_password);
	bool user = options->user_name || url_user, password = options->password.len || url_password;
	if (code == SKIFF_MQTT_BAD_CREDENTIALS || code == SKIFF_MQTT_NOT_AUTHORISED)
		snprintf(evidence + used, size, "; %s",
			user && password ? "a user name and a password were sent"
			: user           ? "a user name was sent, and no password"
					 : "no user name was sent");
	else if (code == SKIFF_MQTT_CLIENT_ID)
		snprintf(evidence + used, size, "; the client id sent was \"%.256s\"",
			walk->report->connection.client_id);
}

static void walk_through(struct walk *walk)
{
	struct check_report *report = walk->report;
	enum skiff_code code = SKIFF_OK;
	if (!walk_connect(walk, &code)) {
		if (walk_may_compare(walk, code))
			walk_compare_wire(walk);
		walk_tell_sent(walk, code);
		if (walk_asks_version(walk, code) && check_old_version(report, walk->options, walk->settings))
			return;
		check_prove(report, &walk->place, walk->options, walk->settings, code);
		if (walk_asks_addresses(code))
			check_addresses(report, &walk->place, walk->options, walk->settings);
		return;
	}
	bool through = true;
	if (walk->settings->connect_only)
		walk_leave_out(walk);
	else
		through = walk_exchange(walk);
	walk_disconnect(walk);
	if (!through)
		return;
	if (walk_may_compare(walk, SKIFF_OK))
		walk_compare_wire(walk);
	check_addresses(report, &walk->place, walk->options, walk->settings);
	if (walk->settings->all_versions)
		check_versions(report, walk->options, walk->settings);
}

void check_walk(struct check_report *report, struct skiff_options *options, const struct check_settings *settings)
{
	struct walk walk = {.report = report, .options = options, .settings = settings};
	report->tls = &options->tls;
	report->engine = walk_is_paho(options) ? "paho" : "native";
	report->total_ms = -1;
	for (int stage = 0; stage < CHECK_STAGE_COUNT; stage++)
		report->steps[stage].ms = -1;
	check_place_bare(report->url, options->url, false);
	check_place_read(&walk.place, options->url);
	if (!walk_make_nonce(&walk)) {
		check_fail(report, CHECK_OPTIONS, "memory", "the system gives no random bytes");
		return;
	}
	cli_event_init(&walk.arrived);
	skiff_log_set(SKIFF_LOG_WARN, walk_on_log, report);
	bool made = walk_make(&walk);
	if (settings->debug)
		skiff_log_set(SKIFF_LOG_TRACE, cli_client_log, settings->debug);
	else
		skiff_log_set(SKIFF_LOG_NONE, NULL, NULL);
	if (made)
		walk_through(&walk);
	skiff_client_free(walk.client);
	cli_event_destroy(&walk.arrived);
	if (*report->failure.cause && !*report->failure.remedy)
		check_cause_advise(report);
}
