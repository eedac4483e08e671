/* SPDX-License-Identifier: Apache-2.0 */
/* cli_mosquitto_options.c: the table of the options that mosquitto's clients have, and that skiff has another word for.
 * They mean there and here the same. */
#include "cli_client.h"
#include "cli_format.h"

#define FIELD(member) offsetof(struct cli_client_params, mosquitto.member)

static const struct cli_word tls_words[] = {
	{"tlsv1.1", SKIFF_TLS_1_2}, /* which older ones had, and as little speak here */
	{"tlsv1.2", SKIFF_TLS_1_2},
	{"tlsv1.3", SKIFF_TLS_1_3},
	{NULL, 0},
};

static const struct cli_word key_form_words[] = {{"pem", 1}, {"engine", 2}, {NULL, 0}};
static const struct cli_word like_words[] = {{"2.0", CLI_LIKE_20}, {"2.1", CLI_LIKE_21}, {NULL, 0}};

const struct cli_option cli_mosquitto_options[] = {
	{.name = "url",
		.letter = 'L',
		.type = CLI_PARTS,
		.value = "URL",
		.field = FIELD(url),
		.apart = cli_client_url_apart,
		.may_hold_secret = true,
		.help = "host, port, user, password and topic in one: mqtt://, mqtts://, ws:// or wss://, then "
			"[user[:password]@]host[:port]/topic",
		.man = "What follows the host is the topic, not the path of a WebSocket, which --ws-path gives. The "
		       "default ports are 1883, and 8883 with TLS, for ws:// and wss:// too. User and password may be "
		       "percent-encoded, and an IPv6 address stands in brackets."},
	{.name = "unix",
		.type = CLI_STRING,
		.value = "PATH",
		.field = FIELD(unix_path),
		.help = "the broker's Unix socket, as --broker unix://PATH"},
	{.letter = 'o',
		.type = CLI_STRING,
		.value = "FILE",
		.field = FIELD(options_file),
		.help = "take options from FILE too, one a line: an option, a blank, its value",
		.man = "The command line counts where both give an option. By the name of a mosquitto client its own "
		       "file, ~/.config/mosquitto_pub and so on, is read where there is no -o."},
	{.letter = 'M',
		.type = CLI_INT,
		.value = "COUNT",
		.field = FIELD(max_inflight),
		.min = 1,
		.max = 2147483647,
		.help = "the most messages of QoS 1 and 2 on their way at once; default what the broker takes"},
	{.letter = 'S',
		.type = CLI_FLAG,
		.field = FIELD(srv),
		.help = "look the host up in DNS as a service (SRV), which names host and port of the broker"},
	{.name = "no-tls",
		.type = CLI_FLAG,
		.field = FIELD(no_tls),
		.help = "use no TLS, whatever the options and the port say"},
	{.name = "tls-use-os-certs",
		.type = CLI_FLAG,
		.field = FIELD(os_certs),
		.help = "use TLS, and trust the system's certificates, as --ca-system does"},
	{.name = "tls-version",
		.type = CLI_ENUM,
		.value = "VERSION",
		.field = FIELD(tls_version),
		.words = tls_words,
		.help = "tlsv1.2: at least TLS 1.2; tlsv1.3: at least TLS 1.3; as --tls-min"},
	{.name = "tls-keylog",
		.type = CLI_STRING,
		.value = "FILE",
		.field = offsetof(struct cli_client_params, tls.keylog),
		.help = "as --keylog"},
	{.name = "keyform",
		.type = CLI_ENUM,
		.value = "FORM",
		.field = FIELD(key_form),
		.words = key_form_words,
		.help = "what --key names: a file (pem), or a key of --tls-engine (engine), by its pkcs11: URI"},
	{.name = "tls-engine",
		.type = CLI_STRING,
		.value = "NAME",
		.field = FIELD(tls_engine),
		.help = "the OpenSSL engine of a token: pkcs11, which a pkcs11: URI needs no option for"},
	{.name = "tls-engine-kpass-sha1",
		.type = CLI_STRING,
		.value = "HEX",
		.field = FIELD(tls_engine_password),
		.help = "refused: a token's PIN comes by --key-password-file"},
	{.name = "nodelay",
		.type = CLI_FLAG,
		.field = FIELD(nodelay),
		.help = "send each message at once, which skiff always does"},
	{.name = "mosquitto-version",
		.type = CLI_ENUM,
		.value = "VERSION",
		.field = FIELD(like),
		.words = like_words,
		.fallback = -1,
		.help = "whose output -F and JSON have where the versions of mosquitto differ: 2.0 or 2.1"},
};
