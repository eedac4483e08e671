/* SPDX-License-Identifier: Apache-2.0 */
/* trust_far.c: files of the group's own folder, a far end over TLS, and what comes of asking it. */
#include "certs/trust_far.h"

#include <stdio.h>

static char dir[64];

/* ---- files ---- */

const char *trust_path(const char *name)
{
	static char paths[8][TRUST_PATH_BYTES];
	static unsigned next;
	char *path = paths[next++ % 8];
	snprintf(path, TRUST_PATH_BYTES, "%s/%s", dir, name);
	return path;
}

void trust_shell(const char *format, ...)
{
	char line[1024] = "", command[1200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	snprintf(command, sizeof command, "cd '%s' && { %s; } >shell.log 2>&1", dir, line);
	if (system(command))
		fail_msg("%s: see %s/trust_shell.log", line, dir);
}

void trust_write(const char *name, const char *text, size_t len)
{
	FILE *file = fopen(trust_path(name), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

size_t trust_read(const char *name, char out[TRUST_FILE_BYTES])
{
	FILE *file = fopen(trust_path(name), "r");
	assert_non_null(file);
	size_t len = fread(out, 1, TRUST_FILE_BYTES - 1, file);
	out[len] = '\0';
	fclose(file);
	return len;
}

struct skiff_bytes trust_bytes(const char *name)
{
	static char data[4][TRUST_FILE_BYTES];
	static unsigned next;
	char *at = data[next++ % 4];
	size_t len = trust_read(name, at);
	return (struct skiff_bytes){at, len};
}

void trust_pin(const char *name, char pin[TRUST_PIN_BYTES])
{
	char text[TRUST_FILE_BYTES];
	trust_shell("openssl x509 -in %s -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 "
		    "-binary | "
		    "openssl base64 -A >pin.txt",
		name);
	trust_read("pin.txt", text);
	snprintf(pin, TRUST_PIN_BYTES, "sha256//%.50s", text);
}

/* ---- a far end and a client ---- */

static void far_accept(struct net_peer *peer, void *user)
{
	char buffer[4096];
	(void)user;
	if (net_peer_read(peer, buffer, sizeof buffer) && net_peer_write(peer, "\x20\3\0\0\0", 5))
		while (net_peer_read(peer, buffer, sizeof buffer))
			;
}

struct net_listener *trust_far(const char *certificate, struct net_options options)
{
	static char crt[TRUST_PATH_BYTES], key[TRUST_PATH_BYTES];
	options.kind = NET_TLS;
	options.script = options.script ? options.script : far_accept;
	if (certificate) {
		snprintf(crt, sizeof crt, "%s/%s.crt", dir, certificate);
		snprintf(key, sizeof key, "%s/%s.key", dir, certificate);
		options.cert_file = crt;
		options.key_file = key;
	}
	return net_listener_start(&options);
}

struct skiff_options trust_options(const struct net_listener *far, const struct skiff_tls_options *tls)
{
	struct skiff_options options = {
		.engine = SKIFF_ENGINE_NATIVE, .url = net_listener_url(far), .tls = *tls, .reconnect.off = true};
	return options;
}

void trust_gives(
	const struct net_listener *far, const struct skiff_tls_options *tls, enum skiff_code code, const char *says)
{
	struct skiff_error error = {0};
	struct skiff_options options = trust_options(far, tls);
	user_attempt(&options, NULL, &error);
	if (error.code != code || (says && !strstr(error.text, says)))
		fail_msg("%s expected with '%s', got %s: %s", skiff_code_slug(code), says ? says : "",
			skiff_code_slug(error.code), error.text);
}

enum skiff_code trust_way(
	const struct net_listener *far, const struct skiff_tls_options *tls, struct skiff_connection *way)
{
	struct skiff_error error;
	struct skiff_options options = trust_options(far, tls);
	return user_attempt(&options, way, &error);
}

struct skiff_tls_options trust_own_ca(void)
{
	return (struct skiff_tls_options){.ca_file = trust_path("own-ca.crt")};
}

void trust_connects(struct user *user, bool resumed)
{
	struct skiff_connection way;
	user_expect(skiff_connect(user->client), SKIFF_OK);
	skiff_client_connection(user->client, &way);
	assert_int_equal(way.tls_resumed, resumed);
	user_disconnect(user);
}

unsigned trust_events(const struct user *user, enum skiff_event_kind kind)
{
	return watch_events_of(user->watch, kind);
}

/* ---- the folder ---- */

int trust_make(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/skiff-trust.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	trust_shell("sh '%s' .", TESTS_CERTS);
	return 0;
}

int trust_remove(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return system(command);
}
