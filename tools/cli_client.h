/* SPDX-License-Identifier: Apache-2.0 */
/* cli_client.h: the options that every command with a broker shares, and what the library is told because of them. */
#ifndef SKIFF_CLI_CLIENT_H
#define SKIFF_CLI_CLIENT_H

#include "cli_command.h"
#include "cli_password.h"
#include "cli_property.h"
#include <skiff/log.h>
#include <skiff/options.h>

/* The options of cli_tls_options. */
struct cli_tls_params {
	const char *cafile, *capath, *crlfile, *crlpath, *pin, *known_hosts;
	bool ca_system;
	int ocsp;
	const char *cert, *key, *key_password_file, *psk_identity, *psk_file;
	char *psk; /* owned */
	bool strict_key_file;
	const char *server_name;
	bool no_server_name, accept_common_name, insecure, insecure_chain;
	int min_version, max_version;
	const char *ciphers, *cipher_suites, *groups, *alpn, *keylog;
};

/* The options of cli_mosquitto_options, of the commands that mosquitto has too. */
struct cli_mosquitto_params {
	const char *url;   /* host, port, user, password and topic in one; taken apart */
	bool url_password; /* it had one */
	const char *unix_path, *options_file;
	bool nodelay, srv, no_tls, os_certs;
	int tls_version, key_form;
	const char *tls_engine, *tls_engine_password;
	long long max_inflight; /* 0: not given */
	int like;               /* enum cli_format_like; -1: not given */
};

/* A command has one of these in its parameters, and lists the groups below with its offset as `base`. */
struct cli_client_params {
	char *broker; /* owned */
	bool broker_showed_password;
	const char *host;
	char *proxy; /* owned */
	bool proxy_env;
	long long port; /* -1: by scheme */
	long long connect_timeout;
	int engine;
	bool debug, quiet, ipv4, ipv6, explain;
	bool silent;                  /* no warnings: mosquitto's clients give none */
	bool topic_alias;             /* -D asks for one; the library gives the numbers */
	_Atomic(const char *) log_id; /* the client id as their log has it; NULL: skiff's log */
	bool log_granted;             /* their log has what a SUBACK granted */
	char log_connack[32];         /* a line that waits for the id that the broker gave */
	const char *bind;
	struct cli_list resolve;
	long long retry; /* attempts more than the first; -1: for ever */
	double retry_delay_ms;
	int exit_codes; /* -1: not given */

	struct cli_tls_params tls;
	bool ws;
	const char *ws_path, *ws_subprotocol;
	struct cli_list ws_headers;
	struct cli_mosquitto_params mosquitto;

	const char *id, *id_prefix, *username, *pw_file;
	char *password;
	bool pw_ask;
	int version;          /* -1: not given; cli_client_settle puts another in its place */
	long long keep_alive; /* -1: not given */
	bool keep_session, no_reconnect;
	long long session_expiry; /* seconds + 1; 0: not given */
	const char *will_topic, *will_payload;
	int will_qos; /* -1: not given */
	bool will_retain;
	struct cli_properties properties;
};

#define CLI_CLIENT_GROUPS(base) \
	{"Connection", cli_connection_options, CLI_CONNECTION_OPTIONS, (base)}, \
		{"TLS and WebSocket", cli_tls_options, CLI_TLS_OPTIONS, (base)}, \
	{ \
		"MQTT", cli_mqtt_options, CLI_MQTT_OPTIONS, (base) \
	}

/* The same for a command that mosquitto has too. */
#define CLI_MOSQUITTO_GROUPS(base) \
	CLI_CLIENT_GROUPS(base), \
	{ \
		"As in mosquitto's clients", cli_mosquitto_options, CLI_MOSQUITTO_OPTIONS, (base) \
	}

/* What of them goes with many brokers at a time: no broker, engine, version, client id or session. */
#define CLI_MANY_GROUPS(base) \
	{"Connection", cli_connection_options + CLI_BROKER_OPTIONS, CLI_CONNECTION_OPTIONS - CLI_BROKER_OPTIONS, \
		(base)}, \
		{"TLS and WebSocket", cli_tls_options, CLI_TLS_OPTIONS, (base)}, \
	{ \
		"User", cli_mqtt_options, CLI_USER_OPTIONS, (base) \
	}

enum { CLI_CONNECTION_OPTIONS = 18, CLI_TLS_OPTIONS = 31, CLI_MQTT_OPTIONS = 15, CLI_MOSQUITTO_OPTIONS = 14 };
enum { CLI_BROKER_OPTIONS = 5, CLI_USER_OPTIONS = 4 }; /* those that come first among them */
extern const struct cli_option cli_connection_options[CLI_CONNECTION_OPTIONS];
extern const struct cli_option cli_tls_options[CLI_TLS_OPTIONS];
extern const struct cli_option cli_mqtt_options[CLI_MQTT_OPTIONS];
extern const struct cli_option cli_mosquitto_options[CLI_MOSQUITTO_OPTIONS];

/* The words of a QoS option: 0, 1 and 2. */
extern const struct cli_word cli_qos_words[];

/* Takes `word`, a URL, for the broker; a password in it is made unreadable where it stands, as others could see it
 * there. False: out of memory. */
bool cli_client_set_broker(struct cli_client_params *params, char *word);

/* Wipes and frees it, where the table with --broker, which does that, is not the command's. */
void cli_client_drop_broker(struct cli_client_params *params);

/* The option that takes the directory which was given for a file, as the `detail` of an error says; NULL: none. */
const char *cli_tls_directory_option(const struct skiff_tls_options *tls, int detail);

/* Whether a URL's scheme is one with TLS. */
bool cli_client_url_has_tls(const char *url);

/* The log of the library as --debug shows it; `user` is the parameters. What cli_client_prepare sets. */
void cli_client_log(enum skiff_log_level level, const char *component, const char *line, void *user);

/* Prints the line that waits for the client id; on the I/O thread. */
void cli_client_log_connack(struct cli_client_params *params);

/* What `options` of the library point to until skiff_client_new has copied it; the key's password until the client is
 * freed, as a key that is renewed is opened by it too. */
struct cli_client_setup {
	struct skiff_options options;
	struct skiff_properties connect_properties;
	struct skiff_user_property *headers;
	struct cli_secret password, key_password, psk;
	char url[2048];
	char id[256];
	char address[64], local_address[64];
};

/* Puts defaults where nothing was given: those of mosquitto's clients where the command is one, with MQTT `version` for
 * the command. First of all. */
void cli_client_settle(const struct cli_context *context, struct cli_client_params *params, int version);

/* Checks the parameters, asks for passwords, and fills `setup` (zeroed by this). Result: an exit code, after saying
 * what went wrong; whatever it is, the setup must be released. */
int cli_client_prepare(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup);

/* The same for a command with CLI_MANY_GROUPS: the URL is left out, and with it what depends on it. A password from the
 * environment is there also without a user name, for URLs that have one. */
int cli_client_prepare_many(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup);

/* The `apart` of --url, an option of type CLI_PARTS in cli_client_params. */
bool cli_client_url_apart(
	const struct cli_context *context, void *group, char *url, const char **topic, char *why, size_t size);

/* What --broker, --host, --url and so on mean, for cli_client_prepare. Result: an exit code, after saying what went
 * wrong. */
int cli_client_set_url(
	const struct cli_context *context, struct cli_client_params *params, struct cli_client_setup *setup);

/* What the TLS options mean, for cli_client_prepare. Result: an exit code, after saying what went wrong. */
int cli_tls_prepare(
	const struct cli_context *context, const struct cli_tls_params *params, struct cli_client_setup *setup);

/* The name of a TLS option that was given, NULL if there is none. */
const char *cli_tls_given(const struct cli_tls_params *params);

/* Whether the URL names a user, and whether it holds a password. */
void cli_client_user_info(const char *url, bool *user, bool *password);

/* Wipes the secrets and frees. */
void cli_client_release(struct cli_client_setup *setup);

#endif
