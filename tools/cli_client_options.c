/* SPDX-License-Identifier: Apache-2.0 */
/* cli_client_options.c: the table of the options that every command with a broker shares. */
#include "cli_client.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(member) offsetof(struct cli_client_params, member)

const struct cli_word cli_qos_words[] = {{"0", 0}, {"1", 1}, {"2", 2}, {NULL, 0}};

static const struct cli_word version_words[] = {
	{"5", SKIFF_MQTT_5},
	{"311", SKIFF_MQTT_311},
	{"auto", SKIFF_MQTT_AUTO},
	{"mqttv5", SKIFF_MQTT_5},
	{"mqttv311", SKIFF_MQTT_311},
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
	long long value = strtoll(words[0], &end, 10);
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
		.help = "go through this HTTP proxy: http://[user:password@]host[:port]",
		.man = "The word is overwritten as soon as it is read. No environment variable is looked at."},
	{.name = "connect-timeout",
		.type = CLI_INT,
		.value = "SECONDS",
		.field = FIELD(connect_timeout),
		.min = 1,
		.max = 86400,
		.help = "the time from the name's look-up to the broker's CONNACK; default 15"},
	{.name = "debug",
		.letter = 'd',
		.type = CLI_FLAG,
		.field = FIELD(debug),
		.help = "print the library's log to stderr, packet by packet",
		.man = "Payloads and secrets are never part of it."},
	{.name = "quiet", .type = CLI_FLAG, .field = FIELD(quiet), .help = "print no errors and warnings"},
};

const struct cli_option cli_tls_options[] = {
	{.name = "cafile",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(cafile),
		.help = "certificates to trust, instead of the system's",
		.man = "Files of certificates and keys are PEM, DER or PKCS#12 (.p12, .pfx), whatever they are "
		       "called."},
	{.name = "capath",
		.type = CLI_STRING,
		.value = "DIR",
		.field = FIELD(capath),
		.help = "directory of certificates to trust, made by 'openssl rehash', instead of the system's"},
	{.name = "cert",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(cert),
		.help = "client certificate, then its chain; a PKCS#12 file holds the key too"},
	{.name = "key",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(key),
		.help = "private key of the client certificate; may be left out when --cert holds it too"},
	{.name = "key-password-file",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(key_password_file),
		.help = "file with the password of an encrypted private key or PKCS#12 file; '-' is standard input; "
			"default "
			"SKIFF_KEY_PASSWORD"},
	{.name = "insecure",
		.type = CLI_FLAG,
		.field = FIELD(insecure),
		.help = "accept a trusted certificate for any other name; anybody who has one can pose as the broker",
		.man = "As in mosquitto_pub 2.0: the chain is still verified. Use it for tests only."},
	{.name = "insecure-chain",
		.type = CLI_FLAG,
		.field = FIELD(insecure_chain),
		.help = "accept any certificate chain; anybody at all can pose as the broker"},
	{.name = "server-name",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(server_name),
		.help = "the name to ask for (SNI) and to verify, instead of the URL's host"},
	{.name = "tls-alpn",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(alpn),
		.help = "application protocol to ask for, such as mqtt; several with commas"},
	{.name = "keylog",
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(keylog),
		.help = "append the secrets of the TLS connections to FILE, for Wireshark; who has it can read the "
			"traffic"},
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
		.fallback = SKIFF_MQTT_5,
		.help = "the version of MQTT: 5 (default), 311, or auto for 5 and then 311; also mqttv5, mqttv311"},
	{.name = "keepalive",
		.letter = 'k',
		.type = CLI_INT,
		.value = "SECONDS",
		.field = FIELD(keep_alive),
		.min = 0,
		.max = 65535,
		.fallback = 60,
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
