/* SPDX-License-Identifier: Apache-2.0 */
/* tls_pins.c: a pin is the SHA-256 of the SubjectPublicKeyInfo in DER, in base64, so that it outlives the certificate.
 *
 * The known-hosts file is read anew for each full handshake: others may have added to it, and it is short. */
#include "transport/tls_pins.h"

#include "base/error.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>
#include <uv.h>

#define PIN_START "sha256//"

enum { PIN_START_LEN = sizeof PIN_START - 1, PIN_CODED_LEN = 44, DIGEST_BYTES = 32, KNOWN_LINE_BYTES = 1024 };

/* ---- pins ---- */

void skiffi_tls_pin_text(char out[SKIFFI_TLS_PIN_BYTES], const X509 *certificate)
{
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int der_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	*out = '\0';
	if (der_len > 0 && EVP_Digest(der, (size_t)der_len, digest, &len, EVP_sha256(), NULL) && len == DIGEST_BYTES) {
		memcpy(out, PIN_START, PIN_START_LEN);
		EVP_EncodeBlock((unsigned char *)out + PIN_START_LEN, digest, DIGEST_BYTES);
	}
	OPENSSL_free(der);
}

static bool pin_valid(const char *text, size_t len)
{
	if (len != PIN_START_LEN + PIN_CODED_LEN || strncmp(text, PIN_START, PIN_START_LEN) != 0 ||
		text[len - 1] != '=')
		return false;
	for (size_t i = PIN_START_LEN; i < len - 1; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '+' && text[i] != '/')
			return false;
	return true;
}

bool skiffi_tls_pins_valid(const char *list, struct skiff_error *error)
{
	for (const char *at = list;;) {
		size_t len = strcspn(at, ";");
		if (!pin_valid(at, len)) {
			skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
				"pin \"%.*s\" is not sha256// and 44 characters of base64, several with ';' between "
				"them",
				(int)len, at);
			return false;
		}
		if (!at[len])
			return true;
		at += len + 1;
	}
}

bool skiffi_tls_pins_have(const char *list, const char *pin)
{
	size_t pin_len = strlen(pin);
	for (const char *at = list; pin_len;) {
		size_t len = strcspn(at, ";");
		if (len == pin_len && !memcmp(at, pin, len))
			return true;
		if (!at[len])
			return false;
		at += len + 1;
	}
	return false;
}

/* ---- known hosts ---- */

static enum skiffi_tls_known known_failed(const char *path, const char *what, struct skiff_error *error)
{
	int number = errno;
	const char *slash = strrchr(path, '/');
	if (number == ENOENT && slash) {
		skiffi_fail(error, SKIFF_FILE_UNREADABLE, number,
			"known-hosts file \"%s\" cannot be %s: its folder must exist; run: mkdir -p %.*s", path, what,
			(int)(slash - path), path);
		return SKIFFI_TLS_KNOWN_FAILED;
	}
	skiffi_fail(error, SKIFF_FILE_UNREADABLE, number, "known-hosts file \"%s\" cannot be %s: %s", path, what,
		uv_strerror(-number));
	return SKIFFI_TLS_KNOWN_FAILED;
}

/* Takes a line apart in place; false when it is none. An empty one has neither. */
static bool known_parse(char *line, char **peer, char **pin)
{
	char *rest = NULL;
	line[strcspn(line, "#\r\n")] = '\0';
	*peer = strtok_r(line, " \t", &rest);
	*pin = *peer ? strtok_r(NULL, " \t", &rest) : NULL;
	if (!*peer)
		return true;
	return *pin && pin_valid(*pin, strlen(*pin)) && strrchr(*peer, ':') && !strtok_r(NULL, " \t", &rest);
}

static enum skiffi_tls_known known_search(
	FILE *file, const char *path, const char *peer, const char *pin, unsigned *line, struct skiff_error *error)
{
	char text[KNOWN_LINE_BYTES], *its_peer, *its_pin;
	enum skiffi_tls_known known = SKIFFI_TLS_KNOWN_NOT;
	for (unsigned number = 1; fgets(text, sizeof text, file); number++) {
		if (!known_parse(text, &its_peer, &its_pin)) {
			skiffi_fail(error, SKIFF_FILE_UNREADABLE, 0,
				"known-hosts file \"%s\": line %u is not HOST:PORT sha256//BASE64", path, number);
			return SKIFFI_TLS_KNOWN_FAILED;
		}
		if (!its_peer || strcasecmp(its_peer, peer) != 0)
			continue;
		if (!strcmp(its_pin, pin))
			return SKIFFI_TLS_KNOWN;
		known = SKIFFI_TLS_KNOWN_OTHER;
		*line = number;
	}
	return ferror(file) ? known_failed(path, "read", error) : known;
}

enum skiffi_tls_known skiffi_tls_known_look(
	const char *path, const char *peer, const char *pin, unsigned *line, struct skiff_error *error)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return errno == ENOENT ? SKIFFI_TLS_KNOWN_NOT : known_failed(path, "read", error);
	enum skiffi_tls_known known = known_search(file, path, peer, pin, line, error);
	fclose(file);
	return known;
}

/* In one write, on a line of its own also behind one that an editor left open. */
static bool known_write(int fd, const char *peer, const char *pin)
{
	char text[KNOWN_LINE_BYTES], last = '\n';
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0 || (end > 0 && pread(fd, &last, 1, end - 1) != 1))
		return false;
	int len = snprintf(text, sizeof text, "%s%s %s\n", last == '\n' ? "" : "\n", peer, pin);
	return len > 0 && (size_t)len < sizeof text && write(fd, text, (size_t)len) == len;
}

/* With the file locked: another connection may have been first. */
static bool known_add_to(int fd, const char *path, const char *peer, const char *pin, struct skiff_error *error)
{
	unsigned line;
	switch (skiffi_tls_known_look(path, peer, pin, &line, error)) {
	case SKIFFI_TLS_KNOWN:
		return true;
	case SKIFFI_TLS_KNOWN_OTHER:
		skiffi_fail(error, SKIFF_TLS_PIN, 0,
			"the server's key is %s, but just now '%.120s' showed another, in line %u of \"%.120s\"; one "
			"of "
			"the two may be somebody who poses as it",
			pin, peer, line, path);
		return false;
	case SKIFFI_TLS_KNOWN_NOT:
		if (known_write(fd, peer, pin))
			return true;
		known_failed(path, "written", error);
		return false;
	default:
		return false;
	}
}

bool skiffi_tls_known_add(const char *path, const char *peer, const char *pin, struct skiff_error *error)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	bool locked = fd >= 0 && !flock(fd, LOCK_EX);
	bool ok = locked && known_add_to(fd, path, peer, pin, error);
	if (!locked)
		known_failed(path, "written", error);
	if (fd >= 0)
		close(fd);
	return ok;
}
