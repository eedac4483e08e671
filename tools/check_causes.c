/* SPDX-License-Identifier: Apache-2.0 */
/* check_causes.c: causes and remedies. The slugs are those of the library's errors, and a few of this command. */
#include "check_causes.h"
#include "cli_client.h"
#include "cli_help.h"
#include "cli_text.h"
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* clang-format off */
const struct check_cause check_causes[] = {
	{"usage-url", CHECK_OPTIONS, "Write it as SCHEME://HOST[:PORT][/PATH], such as mqtts://broker.example; the schemes are mqtt, mqtts, ws, wss and unix."},
	{"usage-option", CHECK_OPTIONS, "Change or leave out the option that the sentence names; 'skiff check --help' lists them."},
	{"usage-unsupported", CHECK_OPTIONS, "Leave out what the engine cannot do, or choose '--engine native'; 'skiff help engines' has the table."},
	{"file-missing", CHECK_FILES, "Check the path; a relative one counts from the folder where the command runs."},
	{"file-unreadable", CHECK_FILES, "Give the user who runs this the right to read it: 'ls -l' shows who may; 'chmod 600' and 'chown' change it."},
	{"file-not-pem", CHECK_FILES, "Give a file of PEM, DER or PKCS#12. In PEM a certificate begins with the line -----BEGIN CERTIFICATE-----, a key with -----BEGIN PRIVATE KEY-----."},
	{"key-mismatch", CHECK_FILES, "Use the key that the certificate was requested with; 'openssl x509 -noout -pubkey -in CERT' and 'openssl pkey -pubout -in KEY' must print the same."},
	{"key-password", CHECK_FILES, "Give the key's password by '--key-password-file FILE' or SKIFF_KEY_PASSWORD; 'openssl pkey -in KEY -noout' tests it."},
	{"own-cert-expired", CHECK_FILES, "Have the client certificate renewed and give the new one by '--cert'; if the date seems right, look at this machine's clock: 'date'."},
	{"own-cert-not-yet-valid", CHECK_FILES, "Look at this machine's clock: 'date'. If it is right, wait until the certificate begins."},
	{"own-cert-weak", CHECK_FILES, "Have a certificate issued for a key of RSA 2048 bits or P-256, signed with SHA-256 or better."},
	{"key-open", CHECK_FILES, "Take the right to read it from others: 'chmod 600 KEY'; or leave out '--strict-key-file' and be warned only."},
	{"token", CHECK_FILES, "See whether the token is there and what lies on it: 'p11tool --list-tokens', 'pkcs11-tool --module MODULE -O'; PKCS11_MODULE_PATH names the module; 'pkcs11-tool --module MODULE --login --test' tries the PIN and the key."},
	{"dns-not-found", CHECK_DNS, "Check the spelling of \"{host}\"; 'getent hosts {host}' asks as this command does."},
	{"dns-failed", CHECK_DNS, "Check that this machine is online and has a name server in /etc/resolv.conf; try an address instead of the name."},
	{"dns-timeout", CHECK_DNS, "No name server answered: check the network and /etc/resolv.conf; a longer '--timeout' helps where one is merely slow."},
	{"tcp-refused", CHECK_TCP, "Nothing listens there: start the broker, or use the port it listens on; 'skiff check {host}' looks at the usual ones."},
	{"tcp-timeout", CHECK_TCP, "Packets vanish: a firewall or a security group drops them, or the host is off. Have port {port} opened towards {host}, or try another door: 'skiff check {host}'."},
	{"tcp-unreachable", CHECK_TCP, "There is no way to that network from here: check the network, the VPN, or for an IPv6 address whether this machine has IPv6 ('-4' leaves it out)."},
	{"tcp-reset", CHECK_TCP, "The other end hung up without a word: something in between, or a list of allowed addresses, may do that; the broker's log tells."},
	{"tcp-closed", CHECK_TCP, "The other end closed: look into the broker's log."},
	{"tcp-failed", CHECK_TCP, "The sentence above is the system's own; it names what to change on this machine."},
	{"proxy-refused", CHECK_PROXY, "Have the proxy allow connections to {host}:{port}, see that these can be reached from where it runs, or connect without it; '--proxy' or, with '--proxy-env', the environment says which it is."},
	{"proxy-auth", CHECK_PROXY, "Give the proxy's user and password before its host: '--proxy http://USER:PASSWORD@HOST:PORT', and so for socks5h://."},
	{"tls-expired", CHECK_TLS, "Have the server's certificate renewed; whoever runs {host} must do that. If the date seems right, look at this machine's clock: 'date'."},
	{"tls-not-yet-valid", CHECK_TLS, "Look at this machine's clock: 'date'. A device without one starts in the past; set it before connecting."},
	{"tls-hostname-mismatch", CHECK_TLS, "Connect by a name that the certificate lists, or keep the address and add '--server-name NAME' with such a name; else have a certificate issued for \"{host}\"."},
	{"tls-unknown-ca", CHECK_TLS, "Give the certificate of the CA that signed it: 'skiff check --cafile CA.pem {given}{url}'. It calls itself: {issuer}."},
	{"tls-self-signed", CHECK_TLS, "If its fingerprint is the one that the owner tells you, trust just this one: 'openssl s_client -connect {place} </dev/null | openssl x509 > server.pem', then 'skiff check --cafile server.pem {given}{url}'."},
	{"tls-missing-intermediate", CHECK_TLS, "The server must send its whole chain: on the server, append the intermediate certificate to the certificate file. Until then, give it here together with the CA: '--cafile BUNDLE.pem'."},
	{"tls-wrong-purpose", CHECK_TLS, "The server must have a certificate for servers (extended key usage serverAuth, key usage digitalSignature); this one is for something else."},
	{"tls-revoked", CHECK_TLS, "Do not connect: its CA has taken the certificate back. The server needs a new one."},
	{"tls-ocsp", CHECK_TLS, "Have OCSP stapling set up on the server (nginx: ssl_stapling on;), or leave out '--ocsp'; 'openssl s_client -status -connect {place}' shows what it staples."},
	{"tls-pin-mismatch", CHECK_TLS, "Ask whoever runs {host} whether the key was changed. If so, give the new one by '--pin', or delete the old line of the known-hosts file; if not, do not connect."},
	{"tls-psk", CHECK_TLS, "Compare identity and key with the broker's file (mosquitto: psk_file); it must have the very same, and psk_hint must be set for this port."},
	{"tls-weak", CHECK_TLS, "The server needs a certificate with a stronger key or signature: RSA of 2048 bits or P-256, SHA-256."},
	{"tls-bad-chain", CHECK_TLS, "The server's chain breaks a rule; whoever issued the certificates must mend it."},
	{"tls-client-cert-required", CHECK_TLS, "Give a client certificate that the server's CA has signed: add '--cert client.crt --key client.key'."},
	{"tls-client-cert-rejected", CHECK_TLS, "The server does not accept this client certificate: have one issued by the CA that it trusts, not expired and for clients."},
	{"tls-version", CHECK_TLS, "The server speaks only TLS older than 1.2, or newer than this OpenSSL: have it updated."},
	{"tls-no-shared-cipher", CHECK_TLS, "The server offers no cipher or group that this OpenSSL takes: have its settings widened. Where it has pre-shared keys instead of certificates give '--psk-identity NAME --psk-file FILE'."},
	{"tls-alpn", CHECK_TLS, "The server wants another application protocol: give one of its by '--tls-alpn', such as mqtt."},
	{"tls-timeout", CHECK_TLS, "The port accepts, and says nothing: it may not be one for TLS, or something in between swallows it; 'skiff check {host}' looks at the other doors."},
	{"tls-closed", CHECK_TLS, "The peer hung up in the handshake: the port may not be one for TLS, or the server wants another server name ('--server-name'); its log tells."},
	{"tls-failed", CHECK_TLS, "The sentence above is OpenSSL's; the server's log has the other half."},
	{"ws-not-found", CHECK_WEBSOCKET, "Use the path that the broker serves; usual ones are /mqtt, / and /ws."},
	{"ws-forbidden", CHECK_WEBSOCKET, "The server wants something in the request: a header such as Authorization or Origin ('--ws-header NAME:VALUE'), or another path."},
	{"ws-redirect", CHECK_WEBSOCKET, "Use the place that it names; from http to https means: use wss:// instead of ws://."},
	{"ws-subprotocol", CHECK_WEBSOCKET, "The server, or a proxy before it, must answer with 'Sec-WebSocket-Protocol: mqtt'; it is a WebSocket of something else, or the proxy drops the header."},
	{"ws-not-websocket", CHECK_WEBSOCKET, "A web server answers that does not take WebSocket here: use the broker's path and port. A proxy before the broker must pass the upgrade on; nginx does by: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"},
	{"ws-bad-accept", CHECK_WEBSOCKET, "What answers breaks the WebSocket standard; something in between may answer from a cache."},
	{"ws-unavailable", CHECK_WEBSOCKET, "The server says that it cannot now: try later, or look whether the broker behind the proxy runs."},
	{"ws-protocol", CHECK_WEBSOCKET, "The peer breaks the WebSocket standard: update it, or the proxy before it."},
	{"ws-timeout", CHECK_WEBSOCKET, "The port accepts, and does not answer HTTP: it may not be one for WebSocket; 'skiff check {host}' looks at the other doors."},
	{"wrong-protocol", CHECK_MQTT, "Use the URL of a port where the broker speaks this protocol; 'skiff check {host}' looks at the usual ones."},
	{"mqtt-bad-credentials", CHECK_MQTT, "Check user name and password: '-u NAME --pw-file FILE'. A broker may also want them where none were given."},
	{"mqtt-not-authorised", CHECK_MQTT, "The broker knows no such user, or does not let this one in: give '-u NAME --pw-file FILE', or have the broker's access list changed."},
	{"mqtt-client-id", CHECK_MQTT, "Give a client id that the broker takes: '-i ID'; some take up to 23 letters and digits, some the name in the certificate."},
	{"mqtt-version", CHECK_MQTT, "Use another version: '-V 311' or '-V 5'."},
	{"mqtt-unavailable", CHECK_MQTT, "The broker says that it cannot now: try later."},
	{"mqtt-refused", CHECK_MQTT, "The broker's reason is above; its log may tell more."},
	{"mqtt-banned", CHECK_MQTT, "This client or address is banned: whoever runs the broker must lift that."},
	{"mqtt-moved", CHECK_MQTT, "Use the server that the broker names."},
	{"mqtt-taken-over", CHECK_MQTT, "Two clients use one client id: give each its own, by '-i ID' or none."},
	{"mqtt-closed", CHECK_MQTT, "The peer hung up instead of answering: the port may not be one for MQTT, the broker may want TLS, a client certificate or '--tls-alpn mqtt', or only another version ('-V 311'); its log tells."},
	{"mqtt-timeout", CHECK_MQTT, "The port accepts, and does not answer MQTT: it may speak something else, or the broker is overloaded; 'skiff check {host}' looks at the other doors."},
	{"mqtt-keep-alive", CHECK_MQTT, "The broker went silent: it, or the network, hangs."},
	{"mqtt-malformed", CHECK_MQTT, "What answers is not quite MQTT: the port may be another service's; 'skiff check {host}' looks at the other doors."},
	{"mqtt-protocol", CHECK_MQTT, "The broker breaks the MQTT standard: update it, or try '-V 311'."},
	{"mqtt-disconnected", CHECK_MQTT, "The broker's reason is above; its log may tell more."},
	{"subscribe-refused", CHECK_SUBSCRIBE, "The broker's access list does not let this user read the topic: use one that it may read ('--topic'), or have the list changed."},
	{"publish-refused", CHECK_PUBLISH, "The broker's access list does not let this user write to the topic: use one that it may write to ('--topic'), or have the list changed."},
	{"roundtrip-timeout", CHECK_ROUNDTRIP, "The message did not come back: with MQTT 3.1.1 a broker drops in silence what a user may not write or read; use a topic that it may ('--topic'), or see with '-V 5' whether it says so."},
	{"timeout", CHECK_MQTT, "Something on the way is too slow: give it longer, by '--timeout' and '--deadline'."},
	{"closed", CHECK_MQTT, "The connection ended under way: look into the broker's log."},
	{"memory", CHECK_OPTIONS, "This machine is out of memory."},
	{0},
};
/* clang-format on */

enum check_stage check_cause_stage(enum skiff_code code)
{
	switch (skiff_code_class(code)) {
	case SKIFF_CLASS_FILE:
		return CHECK_FILES;
	case SKIFF_CLASS_DNS:
		return CHECK_DNS;
	case SKIFF_CLASS_TCP:
		return CHECK_TCP;
	case SKIFF_CLASS_PROXY:
		return CHECK_PROXY;
	case SKIFF_CLASS_TLS:
		return CHECK_TLS;
	case SKIFF_CLASS_WS:
		return CHECK_WEBSOCKET;
	case SKIFF_CLASS_MQTT:
		return CHECK_MQTT;
	case SKIFF_CLASS_TIMEOUT:
	case SKIFF_CLASS_CLOSED:
		return CHECK_MQTT;
	case SKIFF_CLASS_OK:
	case SKIFF_CLASS_USAGE:
	case SKIFF_CLASS_MEMORY:
	case SKIFF_CLASS_AGAIN:
		break;
	}
	return CHECK_OPTIONS;
}

enum check_stage check_strange_stage(const struct check_place *place, const struct skiff_phases *phases)
{
	return place->tls && phases->tls_us < 0        ? CHECK_TLS
	       : place->ws && phases->websocket_us < 0 ? CHECK_WEBSOCKET
						       : CHECK_MQTT;
}

void check_causes_print(void)
{
	puts("What 'skiff check' finds, in the order of the way: cause, stage, exit code, and what to do.\n");
	for (const struct check_cause *cause = check_causes; cause->slug; cause++) {
		printf("%s  (%s, %d)\n", cause->slug, check_stage_name(cause->stage), check_stage_exit(cause->stage));
		printf("    ");
		cli_help_wrap(cause->remedy, 4);
	}
}

/* ---- advice ---- */

static void advice_add(char *out, size_t size, const char *text, size_t len)
{
	size_t used = strlen(out);
	snprintf(out + used, size - used, "%.*s", (int)len, text);
}

/* The options given that narrow what of TLS is spoken, in quotes. */
static const char *advice_options(const struct check_report *report)
{
	static char out[128];
	const struct skiff_tls_options *tls = report->tls;
	bool version = strcmp(report->failure.cause, "tls-version") == 0;
	const struct {
		bool given;
		const char *option;
	} all[] = {
		{version && tls && tls->min_version, "'--tls-min'"},
		{version && tls && tls->max_version, "'--tls-max'"},
		{!version && tls && tls->ciphers, "'--ciphers'"},
		{!version && tls && tls->cipher_suites, "'--cipher-suites'"},
		{!version && tls && tls->groups, "'--groups'"},
	};
	*out = '\0';
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (!all[i].given)
			continue;
		if (*out)
			advice_add(out, sizeof(out), " or ", 4);
		advice_add(out, sizeof(out), all[i].option, strlen(all[i].option));
	}
	return out;
}

/* The length of the word in braces at `text`, whose value comes in `*value`; 0: there is none that is known. */
static size_t advice_word(const struct check_report *report, const char *text, const char **value)
{
	static struct check_place place;
	static char given[2 * CHECK_TEXT_BYTES], port[16], url[4 * CHECK_URL_BYTES], at[sizeof(place.host) + 16];
	const struct check_chain *chain = &report->chain;
	check_place_read(&place, report->url);
	snprintf(port, sizeof(port), "%d", place.port);
	snprintf(at, sizeof(at), strchr(place.host, ':') ? "[%s]:%d" : "%s:%d", place.host, place.port);
	cli_shell_word(url, sizeof(url), report->url);
	snprintf(given, sizeof(given), "%s%s", report->given, place.tls ? report->given_tls : "");
	const char *issuer = chain->count ? chain->list[chain->count - 1].issuer : report->connection.tls_issuer;
	const char *name = report->tls && report->tls->server_name ? report->tls->server_name : place.host;
	const struct {
		const char *name, *value;
	} words[] = {{"{url}", url}, {"{given}", given}, {"{place}", at}, {"{host}", place.host}, {"{port}", port},
		{"{issuer}", issuer}, {"{name}", name}, {"{options}", advice_options(report)}};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		*value = words[i].value;
		if (strncmp(text, words[i].name, strlen(words[i].name)) == 0)
			return strlen(words[i].name);
	}
	return 0;
}

static void advice_fill(struct check_report *report, const char *text)
{
	char *remedy = report->failure.remedy;
	size_t size = sizeof(report->failure.remedy);
	remedy[0] = '\0';
	while (*text) {
		const char *value;
		size_t plain = strcspn(text, "{"), word = advice_word(report, text + plain, &value);
		advice_add(remedy, size, text, plain);
		if (word)
			advice_add(remedy, size, value, strlen(value));
		text += plain + word;
		if (!word && *text)
			text++;
	}
}

/* ---- the same cause, another remedy ---- */

static const char *cause_of_name(const struct check_report *report)
{
	int detail = report->failure.detail;
	if (detail == X509_V_ERR_PERMITTED_VIOLATION || detail == X509_V_ERR_EXCLUDED_VIOLATION)
		return "The CA may not give a name that the certificate lists: whoever runs {host} must have one "
		       "issued "
		       "by another CA, or without that name.";
	if (report->chain.count && !*report->chain.list[0].names)
		return report->tls->accept_common_name
			       ? "Have a certificate issued that lists \"{name}\" as a subject alternative name; this "
				 "one lists no name, and its subject has another, with which '--server-name' goes."
			       : "Have a certificate issued that lists \"{name}\" as a subject alternative name; this "
				 "one lists no name, and that in its subject does not count [RFC 9525]. Until then "
				 "'--accept-common-name' has it count.";
	if (report->tls->server_name)
		return "The certificate is not for \"{name}\", which '--server-name' gives: give a name that the "
		       "certificate lists, or leave the option out if it lists {host}.";
	return NULL;
}

static const char *cause_of_file(const struct check_report *report)
{
	const struct skiff_tls_options *tls = report->tls;
	const char *cause = report->failure.cause, *key = tls->key_file ? tls->key_file : tls->cert_file;
	const char *option = NULL;
	if (strcmp(cause, "file-unreadable") == 0)
		option = cli_tls_directory_option(tls, report->failure.detail);
	if (option)
		return "A directory of CA certificates goes with '--capath' instead of '--cafile', once 'openssl "
		       "rehash' was "
		       "run on it.";
	if (strcmp(cause, "file-not-pem") == 0 && strstr(report->failure.evidence, "add the key that belongs to it"))
		return "Give the private key's file too, by '--key FILE'.";
	if (strcmp(cause, "key-mismatch") == 0 && strstr(report->failure.evidence, "must be the first"))
		return "The key is right and the order is not: put the certificate that the key belongs to first in "
		       "the "
		       "file, and those of its CAs behind it.";
	if (strcmp(cause, "key-password") == 0 && key && strncasecmp(key, "pkcs11:", 7) == 0)
		return "Give the token's PIN by '--key-password-file FILE' or SKIFF_KEY_PASSWORD; 'pkcs11-tool "
		       "--module "
		       "MODULE --login --test' tries it. A token may lock itself after a few wrong ones.";
	return NULL;
}

/* What the user's own TLS options have to do with it. */
static const char *cause_of_tls(const struct check_report *report)
{
	const char *cause = report->failure.cause;
	int detail = report->failure.detail;
	if (strcmp(cause, "tls-hostname-mismatch") == 0)
		return cause_of_name(report);
	if (strcmp(cause, "tls-bad-chain") == 0 &&
		(detail == X509_V_ERR_UNABLE_TO_GET_CRL || detail == X509_V_ERR_CRL_HAS_EXPIRED ||
			detail == X509_V_ERR_CRL_NOT_YET_VALID))
		return "Get the current revocation list of the CA that the sentence names, for '--crlfile' or "
		       "'--crlpath', or leave these out; 'openssl crl -noout -issuer -lastupdate -nextupdate -in LIST' "
		       "shows whose a list is and when it is valid. If that seems right, look at this machine's clock: "
		       "'date'.";
	if (strcmp(cause, "tls-version") == 0 && *advice_options(report))
		return "The server speaks no version that {options} leaves: change that or leave it out, or have the "
		       "server updated.";
	if (strcmp(cause, "tls-no-shared-cipher") == 0 && *advice_options(report))
		return "The server takes nothing that {options} leaves: widen that or leave it out. Where the server "
		       "has "
		       "pre-shared keys instead of certificates give '--psk-identity NAME --psk-file FILE'.";
	return cause_of_file(report);
}

/* On the way to or at a proxy, to a socket, for an answer that does not come. NULL: it is none of these. */
static const char *cause_of_way(const struct check_report *report)
{
	const char *proxy = report->connection.proxy;
	enum check_stage stage = report->failure.stage;
	bool local = strncmp(report->url, "unix:", 5) == 0;
	const char *cause = report->failure.cause;
	if (strcmp(cause, "roundtrip-timeout") == 0 && stage != CHECK_ROUNDTRIP)
		return "The broker is there and does not answer this: it may be overloaded, or drop in silence what "
		       "this "
		       "user may not do; its log tells.";
	if (stage == CHECK_PROXY && strstr(report->failure.evidence, " try "))
		return "What is there speaks another protocol than the proxy's URL says, or is no proxy: give the URL "
		       "that the sentence names, or look in its log what it made of this.";
	if (stage == CHECK_DNS && strncmp(proxy, "socks5:", 7) == 0)
		return "With socks5:// names are looked up here: check those of the broker and of the proxy, or "
		       "leave the broker's to the proxy with socks5h://.";
	if (*proxy && (stage == CHECK_DNS || stage == CHECK_TCP))
		return strcmp(report->connection.proxy_from, "proxy") == 0
			       ? "It is the proxy that cannot be reached: check host and port of '--proxy', or "
				 "leave it out."
			       : "It is the proxy of the environment that cannot be reached: check its variable, "
				 "except the broker by no_proxy, or leave out '--proxy-env'.";
	if (local && stage == CHECK_TCP)
		return "Start the broker, and have it listen on this socket: its folder and mode must let this user "
		       "in.";
	return NULL;
}

void check_cause_advise(struct check_report *report)
{
	const char *other = report->tls ? cause_of_tls(report) : NULL;
	if (!other)
		other = cause_of_way(report);
	if (other) {
		advice_fill(report, other);
		return;
	}
	for (const struct check_cause *cause = check_causes; cause->slug; cause++) {
		if (strcmp(cause->slug, report->failure.cause) == 0) {
			advice_fill(report, cause->remedy);
			return;
		}
	}
	snprintf(report->failure.remedy, sizeof(report->failure.remedy), "%s",
		"The sentence above says what can be done.");
}

void check_cause_retry(struct check_report *report, const char *lead, const char *option)
{
	struct check_failure *failure = &report->failure;
	char url[4 * CHECK_URL_BYTES];
	cli_shell_word(url, sizeof(url), report->url);
	snprintf(failure->remedy, sizeof(failure->remedy), "%s: 'skiff check %s %s%s%s%.600s'.", lead, option,
		report->given, report->given_tls, report->given_ca, url);
}
