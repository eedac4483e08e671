/* SPDX-License-Identifier: Apache-2.0 */
/* cli_client_options.c: the table of the options that every command with a broker shares. */
#include "cli_client.h"
#include "cli_duration.h"
#include "cli_exit.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELD(member) offsetof(struct cli_client_params, member)

const struct cli_word cli_qos_words[] = {{"0", 0}, {"1", 1}, {"2", 2}, {NULL, 0}};

static const struct cli_word version_words[] = {
	{"5", SKIFF_MQTT_5},
	{"311", SKIFF_MQTT_311},
	{"auto", SKIFF_MQTT_AUTO},
	{"mqttv5", SKIFF_MQTT_5},
	{"mqttv311", SKIFF_MQTT_311},
	{"31", SKIFF_MQTT_31},
	{"mqttv31", SKIFF_MQTT_31},
	{NULL, 0},
};

static const struct cli_word exit_words[] = {
	{"skiff", CLI_EXIT_CODES_SKIFF},
	{"mosquitto", CLI_EXIT_CODES_MOSQUITTO},
	{NULL, 0},
};

static const struct cli_word engine_words[] = {
	{"native", SKIFF_ENGINE_NATIVE},
	{"paho", SKIFF_ENGINE_PAHO},
	{NULL, 0},
};

bool cli_client_set_broker(struct cli_client_params *params, char *word)
{
	char *copy = strdup(word);
	if (!copy)
		return false;
	free(params->broker);
	params->broker = copy;
	char *start = strstr(word, "://");
	start = start ? start + 3 : word;
	char *path = start + strcspn(start, "/?#"), *at = memrchr(start, '@', (size_t)(path - start));
	char *colon = at ? memchr(start, ':', (size_t)(at - start)) : NULL;
	if (colon) {
		memset(colon + 1, 'x', (size_t)(at - colon - 1));
		params->broker_showed_password = true;
	}
	return true;
}

static int broker_take(void *field, char **words, int count, char *why, size_t size)
{
	struct cli_client_params *params = (struct cli_client_params *)((char *)field - FIELD(broker));
	(void)count;
	if (cli_client_set_broker(params, words[0]))
		return 1;
	snprintf(why, size, "out of memory");
	return -1;
}

static void broker_free(void *field)
{
	char **broker = field;
	if (*broker)
		explicit_bzero(*broker, strlen(*broker));
	free(*broker);
	*broker = NULL;
}

void cli_client_drop_broker(struct cli_client_params *params)
{
	broker_free(&params->broker);
}

/* Seconds of a session's life: stored one higher, so that a zeroed field means "not given". */
static int expiry_take(void *field, char **words, int count, char *why, size_t size)
{
	char *end;
	(void)count;
	errno = 0;
	long long value = strtoll(words[0], &end, strncasecmp(words[0], "0x", 2) == 0 ? 16 : 10);
	if (strcmp(words[0], "-1") == 0 || strcmp(words[0], "∞") == 0) {
		value = 4294967295;
	} else if (*words[0] == '\0' || *end || errno || value < 0 || value > 4294967295) {
		snprintf(why, size, "'%.100s' is not a whole number from 0 to 4294967295, or -1 for never", words[0]);
		return -1;
	}
	*(long long *)field = value + 1;
	return 1;
}

const struct cli_option cli_connection_options[] = {
	{.name = "broker",
		.letter = 'b',
		.type = CLI_CUSTOM,
		.value = "URL",
		.field = FIELD(broker),
		.take = broker_take,
		.free = broker_free,
		.may_hold_secret = true,
		.help = "the broker: mqtt://, mqtts://, ws://, wss:// or unix://; default SKIFF_BROKER, else "
			"mqtt://localhost",
		.man = "The schemes tcp:// (as mqtt://), ssl:// and tls:// (as mqtts://) are understood too, and a "
		       "bare host means "
		       "mqtt://host. User name and password may stand before the host, percent-encoded; prefer "
		       "--pw-file."},
	{.name = "host",
		.letter = 'h',
		.type = CLI_STRING,
		.value = "HOST",
		.field = FIELD(host),
		.help = "the broker's host as in mosquitto_pub, where no URL is given; TLS when a TLS option or port "
			"8883 is given"},
	{.name = "port",
		.letter = 'p',
		.type = CLI_INT,
		.value = "PORT",
		.field = FIELD(port),
		.min = 1,
		.max = 65535,
		.fallback = -1,
		.help = "the broker's port, with --host; default 1883, with TLS 8883"},
	{.name = "engine",
		.type = CLI_ENUM,
		.value = "NAME",
		.field = FIELD(engine),
		.words = engine_words,
		.fallback = SKIFF_ENGINE_DEFAULT,
		.help = "what speaks MQTT: native or paho ('skiff help engines'); default SKIFF_ENGINE, else native"},
	{.name = "no-reconnect",
		.type = CLI_FLAG,
		.field = FIELD(no_reconnect),
		.help = "end when an established connection is lost, instead of connecting again"},
	{.letter = '4', .type = CLI_FLAG, .field = FIELD(ipv4), .help = "use only IPv4 addresses of the host's name"},
	{.letter = '6', .type = CLI_FLAG, .field = FIELD(ipv6), .help = "use only IPv6 addresses of the host's name"},
	{.name = "proxy",
		.type = CLI_SECRET,
		.value = "URL",
		.field = FIELD(proxy),
		.help = "go through this proxy: http://, socks5:// or socks5h://, and [user:password@]host[:port]",
		.man = "With http:// the proxy must allow CONNECT to the broker's port. The proxy looks the broker's "
		       "name up, "
		       "but for socks5://, where that is done here; so it is with curl. Default ports: 80 for http, "
		       "1080 for "
		       "socks5 and socks5h. The word is overwritten as soon as it is read. No environment variable is "
		       "looked "
		       "at unless --proxy-env asks for it."},
	{.name = "proxy-env",
		.type = CLI_FLAG,
		.field = FIELD(proxy_env),
		.help = "without --proxy: go through the proxy of https_proxy, http_proxy or all_proxy, if no_proxy "
			"does "
			"not except the broker",
		.man = "https_proxy is for mqtts:// and wss://, http_proxy for mqtt:// and ws://, all_proxy for "
		       "whichever has no "
		       "other. The names may be in capitals, but for HTTP_PROXY, which a web server may set from what "
		       "its "
		       "clients send. no_proxy lists, with commas between them: * for everything, a name for itself "
		       "and all "
		       "below it, an address, a block such as 10.0.0.0/8; each may end in :PORT."},
	{.name = "connect-timeout",
		.type = CLI_INT,
		.value = "SECONDS",
		.field = FIELD(connect_timeout),
		.min = 1,
		.max = 86400,
		.help = "the time from the name's look-up to the broker's CONNACK; default 15"},
	{.name = "bind",
		.letter = 'A',
		.type = CLI_STRING,
		.value = "ADDRESS",
		.field = FIELD(bind),
		.help = "connect from this address of this machine, or the one of this name"},
	{.name = "resolve",
		.type = CLI_LIST,
		.value = "HOST:PORT:ADDRESS",
		.field = FIELD(resolve),
		.help = "connect to ADDRESS where HOST and PORT are asked for; the name stays what it is for TLS and "
			"HTTP; may be repeated",
		.man = "PORT may be '*'. An IPv6 address may stand in brackets."},
	{.name = "retry",
		.type = CLI_INT,
		.value = "COUNT",
		.field = FIELD(retry),
		.min = -1,
		.max = 1000000,
		.help = "after a failure that may pass, try to connect so often again before giving up, also at the "
			"start; -1 for ever",
		.man = "Without it the first attempt must succeed, and a connection that is lost later is made again "
		       "for ever. What cannot pass, such as a wrong password or certificate, is not tried again."},
	{.name = "retry-delay",
		.type = CLI_CUSTOM,
		.value = "TIME",
		.field = FIELD(retry_delay_ms),
		.take = cli_duration_take,
		.help = "the longest wait before the second attempt, such as 500ms or 3s; it doubles each time up to "
			"2m; default 1s"},
	{.name = "exit-codes",
		.type = CLI_ENUM,
		.value = "WHOSE",
		.field = FIELD(exit_codes),
		.words = exit_words,
		.fallback = -1,
		.help = "end with the exit codes of skiff ('skiff help exit') or of mosquitto; default by the name "
			"the command was called by"},
	{.name = "explain",
		.type = CLI_FLAG,
		.field = FIELD(explain),
		.help = "if connecting fails, show what 'skiff check' says of it, on stderr"},
	{.name = "debug",
		.letter = 'd',
		.type = CLI_FLAG,
		.field = FIELD(debug),
		.help = "print the library's log to stderr, packet by packet",
		.man = "Payloads and secrets are never part of it."},
	{.name = "quiet", .type = CLI_FLAG, .field = FIELD(quiet), .help = "print no errors and warnings"},
};

static const struct cli_word ocsp_words[] = {
	{"off", SKIFF_OCSP_OFF},
	{"stapled", SKIFF_OCSP_IF_STAPLED},
	{"required", SKIFF_OCSP_REQUIRED},
	{NULL, 0},
};

static const struct cli_word tls_version_words[] = {
	{"1.2", SKIFF_TLS_1_2},
	{"1.3", SKIFF_TLS_1_3},
	{"tlsv1.2", SKIFF_TLS_1_2},
	{"tlsv1.3", SKIFF_TLS_1_3},
	{NULL, 0},
};

const struct cli_option cli_tls_options[] = {
	{.name = "cafile",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(tls.cafile),
		.help = "certificates to trust, instead of the system's",
		.man = "Files of certificates and keys are PEM, DER or PKCS#12 (.p12, .pfx), whatever they are called. "
		       "Those that change are read again before the next connection; SIGHUP has them read at once."},
	{.name = "capath",
		.type = CLI_STRING,
		.value = "DIR",
		.field = FIELD(tls.capath),
		.help = "directory of certificates to trust, made by 'openssl rehash', instead of the system's"},
	{.name = "ca-system",
		.type = CLI_FLAG,
		.field = FIELD(tls.ca_system),
		.help = "trust the system's certificates too, beside those of --cafile and --capath"},
	{.name = "crlfile",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(tls.crlfile),
		.help = "revocation lists, or a directory of them, made by 'openssl rehash'; every CA of the chain "
			"needs one"},
	{.name = "crlpath",
		.type = CLI_STRING,
		.value = "DIR",
		.field = FIELD(tls.crlpath),
		.help = "directory of revocation lists, beside those of --crlfile"},
	{.name = "ocsp",
		.type = CLI_ENUM,
		.value = "WHEN",
		.field = FIELD(tls.ocsp),
		.words = ocsp_words,
		.help = "have the server prove that its certificate is not revoked: off (default), stapled (if it "
			"does), required"},
	{.name = "pin",
		.type = CLI_STRING,
		.value = "PIN",
		.field = FIELD(tls.pin),
		.help = "the server's key besides: sha256//BASE64 as 'skiff cert show' prints it; several with ';'"},
	{.name = "known-hosts",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(tls.known_hosts),
		.help = "trust a server's key on first use, and no other for it later; FILE remembers",
		.man = "Without a CA given beside, the key alone counts: not the chain, the name or the dates. Each "
		       "line is HOST:PORT and a pin; delete one to trust a new key."},
	{.name = "cert",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(tls.cert),
		.help = "client certificate, then its chain; a PKCS#12 file holds the key too",
		.man = "Certificate and key may also be a token's or a TPM's, by URI: 'pkcs11:token=NAME;object=NAME', "
		       "'handle:0x81000001'. The PIN is the key's password."},
	{.name = "key",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(tls.key),
		.help = "private key of the client certificate; may be left out when --cert holds it too"},
	{.name = "key-password-file",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(tls.key_password_file),
		.help = "file with the password of an encrypted private key or PKCS#12 file, or a token's PIN; '-' is "
			"standard input; default SKIFF_KEY_PASSWORD"},
	{.name = "strict-key-file",
		.type = CLI_FLAG,
		.field = FIELD(tls.strict_key_file),
		.help = "refuse a key file that others can read, instead of warning"},
	{.name = "psk-identity",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(tls.psk_identity),
		.help = "authenticate both sides by a pre-shared key of this name, instead of certificates"},
	{.name = "psk-file",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(tls.psk_file),
		.help = "file with that key, in hexadecimal; '-' is standard input"},
	{.name = "psk",
		.type = CLI_SECRET,
		.value = "HEX",
		.field = FIELD(tls.psk),
		.help = "that key; others can see it in the list of processes, so use --psk-file",
		.man = "The word is overwritten as soon as it is read, which is too late for somebody who watches."},
	{.name = "insecure",
		.type = CLI_FLAG,
		.field = FIELD(tls.insecure),
		.help = "accept a trusted certificate for any other name; anybody who has one can pose as the broker",
		.man = "As in mosquitto_pub 2.0: the chain is still verified. Use it for tests only."},
	{.name = "insecure-chain",
		.type = CLI_FLAG,
		.field = FIELD(tls.insecure_chain),
		.help = "accept any certificate chain; anybody at all can pose as the broker"},
	{.name = "server-name",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(tls.server_name),
		.help = "the name to ask for (SNI) and to verify, instead of the URL's host"},
	{.name = "no-server-name",
		.type = CLI_FLAG,
		.field = FIELD(tls.no_server_name),
		.help = "ask for no name (SNI); it is verified all the same"},
	{.name = "accept-common-name",
		.type = CLI_FLAG,
		.field = FIELD(tls.accept_common_name),
		.help = "accept the name in the subject of a certificate that has no alternative names, as of old"},
	{.name = "tls-min",
		.type = CLI_ENUM,
		.value = "VERSION",
		.field = FIELD(tls.min_version),
		.words = tls_version_words,
		.help = "the lowest version of TLS: 1.2 (default) or 1.3"},
	{.name = "tls-max",
		.type = CLI_ENUM,
		.value = "VERSION",
		.field = FIELD(tls.max_version),
		.words = tls_version_words,
		.help = "the highest version of TLS: 1.2 or 1.3 (default)"},
	{.name = "ciphers",
		.type = CLI_STRING,
		.value = "LIST",
		.field = FIELD(tls.ciphers),
		.help = "ciphers for TLS 1.2, as 'openssl ciphers' takes them"},
	{.name = "cipher-suites",
		.type = CLI_STRING,
		.value = "LIST",
		.field = FIELD(tls.cipher_suites),
		.help = "cipher suites for TLS 1.3, with ':' between them"},
	{.name = "groups",
		.type = CLI_STRING,
		.value = "LIST",
		.field = FIELD(tls.groups),
		.help = "groups for the key exchange, best first, such as X25519:P-256"},
	{.name = "tls-alpn",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(tls.alpn),
		.help = "application protocol to ask for, such as mqtt; several with commas"},
	{.name = "keylog",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(tls.keylog),
		.help = "append the secrets of the TLS connections to FILE, for Wireshark; who has it can read the "
			"traffic"},
	{.name = "ws",
		.type = CLI_FLAG,
		.field = FIELD(ws),
		.help = "speak MQTT in WebSocket, with --host; a URL says so by ws:// or wss://"},
	{.name = "ws-path",
		.type = CLI_STRING,
		.value = "PATH",
		.field = FIELD(ws_path),
		.help = "the path of the WebSocket; default that of the URL, else /mqtt"},
	{.name = "ws-subprotocol",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(ws_subprotocol),
		.help = "the subprotocol to ask for, instead of mqtt"},
	{.name = "ws-header",
		.type = CLI_LIST,
		.value = "NAME:VALUE",
		.field = FIELD(ws_headers),
		.help = "a header for the WebSocket upgrade request; may be repeated"},
};

const struct cli_option cli_mqtt_options[] = {
	{.name = "username",
		.letter = 'u',
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(username),
		.help = "the user name"},
	{.name = "pw",
		.letter = 'P',
		.type = CLI_SECRET,
		.value = "PASSWORD",
		.field = FIELD(password),
		.help = "the password; others can see it in the list of processes, so use one of the next",
		.man = "The word is overwritten as soon as it is read, which is too late for somebody who watches."},
	{.name = "pw-file",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(pw_file),
		.help = "file with the password; '-' is standard input; a newline at the end is not part of it"},
	{.name = "pw-ask",
		.type = CLI_FLAG,
		.field = FIELD(pw_ask),
		.help = "ask for the password on the terminal",
		.man = "Without any of these the password is that of the URL, or where a user name is given and the "
		       "URL has no "
		       "password, SKIFF_PASSWORD."},
	{.name = "id",
		.letter = 'i',
		.type = CLI_STRING,
		.value = "ID",
		.field = FIELD(id),
		.help = "the client id; default a random one, '' lets the broker choose"},
	{.name = "id-prefix",
		.letter = 'I',
		.type = CLI_STRING,
		.value = "PREFIX",
		.field = FIELD(id_prefix),
		.help = "make the client id of this and the process id"},
	{.name = "protocol-version",
		.letter = 'V',
		.type = CLI_ENUM,
		.value = "VERSION",
		.field = FIELD(version),
		.words = version_words,
		.fallback = -1,
		.help = "the version of MQTT: 5 (default), 311, 31, or auto for 5 and then 311; also mqttv5, mqttv311, "
			"mqttv31"},
	{.name = "keepalive",
		.letter = 'k',
		.type = CLI_INT,
		.value = "SECONDS",
		.field = FIELD(keep_alive),
		.min = 0,
		.max = 65535,
		.fallback = -1,
		.help = "silence after which the connection is probed; default 60, 0 never"},
	{.name = "disable-clean-session",
		.letter = 'c',
		.type = CLI_FLAG,
		.field = FIELD(keep_session),
		.help = "go on with the session of this client id that the broker kept, and have it kept; needs --id"},
	{.letter = 'x',
		.type = CLI_CUSTOM,
		.value = "SECONDS",
		.field = FIELD(session_expiry),
		.take = expiry_take,
		.help = "how long the broker keeps the session after the end, MQTT 5; -1 for ever; default with -c for "
			"ever, else 0"},
	{.name = "property",
		.letter = 'D',
		.type = CLI_CUSTOM,
		.value = "COMMAND NAME VALUE",
		.field = FIELD(properties),
		.take = cli_property_take,
		.free = cli_property_free,
		.split = cli_property_split,
		.help = "an MQTT 5 property of connect, publish, subscribe, unsubscribe, disconnect or will; may be "
			"repeated",
		.man = "A user-property takes two words, its key and its value, after NAME. The names are those of the "
		       "standard in "
		       "small letters with '-' between words, such as message-expiry-interval, content-type, "
		       "response-topic."},
	{.name = "will-topic",
		.type = CLI_STRING,
		.value = "TOPIC",
		.field = FIELD(will_topic),
		.help = "topic of the message that the broker publishes when this client is lost"},
	{.name = "will-payload",
		.type = CLI_STRING,
		.value = "TEXT",
		.field = FIELD(will_payload),
		.help = "its payload"},
	{.name = "will-qos",
		.type = CLI_ENUM,
		.value = "QOS",
		.field = FIELD(will_qos),
		.words = cli_qos_words,
		.fallback = -1,
		.help = "its QoS: 0 (default), 1 or 2"},
	{.name = "will-retain", .type = CLI_FLAG, .field = FIELD(will_retain), .help = "have it retained"},
};
