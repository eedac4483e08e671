/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_environment.c: the choice, and no_proxy. Pure: variables come from a function, and nothing is looked up, so a
 * name is never held against an address.
 *
 * A word of no_proxy that cannot be read takes nothing out. */
#include "endpoint/proxy_environment.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORD_MAX_BYTES = 256, ADDRESS_BYTES = 16, PORT_MAX_DIGITS = 5 };

/* ---- the words of no_proxy ---- */

struct word {
	char text[WORD_MAX_BYTES]; /* name or address: no brackets, no dot at either end */
	long port;                 /* 0: any */
	long bits;                 /* of the block; -1: it is none */
};

/* A decimal number up to `most` that is all of `text`; -1: it is none. */
static long number_read(const char *text, long most)
{
	size_t len = strlen(text);
	if (!len || len > PORT_MAX_DIGITS || strspn(text, "0123456789") != len)
		return -1;
	long number = strtol(text, NULL, 10);
	return number <= most ? number : -1;
}

/* Cuts ":PORT" off; an IPv6 address has one only behind brackets. */
static bool word_cut_port(struct word *word)
{
	char *close = strchr(word->text, ']'), *colon = close ? close + 1 : strchr(word->text, ':');
	if (!colon || !*colon || (!close && strchr(colon + 1, ':')))
		return true;
	word->port = *colon == ':' ? number_read(colon + 1, 65535) : -1;
	*colon = '\0';
	return word->port > 0;
}

static bool word_cut_bits(struct word *word)
{
	char *slash = strchr(word->text, '/');
	word->bits = -1;
	if (!slash)
		return true;
	word->bits = number_read(slash + 1, 128);
	*slash = '\0';
	return word->bits >= 0;
}

static void word_trim(struct word *word)
{
	char *text = word->text;
	size_t len = strlen(text);
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']')
		memmove(text, text + 1, len -= 2);
	else if (len && text[0] == '.')
		memmove(text, text + 1, --len);
	if (len && text[len - 1] == '.')
		len--;
	text[len] = '\0';
}

/* Takes the word of `len` bytes apart; false: it cannot be read. */
static bool word_read(struct word *word, const char *at, size_t len)
{
	if (len >= sizeof word->text)
		return false;
	memcpy(word->text, at, len);
	word->text[len] = '\0';
	word->port = 0;
	if (!word_cut_port(word) || !word_cut_bits(word))
		return false;
	word_trim(word);
	return *word->text;
}

/* ---- matching ---- */

/* The address in bytes, with its length in bits; 0: it is none. */
static int address_read(const char *text, uint8_t out[ADDRESS_BYTES])
{
	return inet_pton(AF_INET, text, out) == 1 ? 32 : inet_pton(AF_INET6, text, out) == 1 ? 128 : 0;
}

static bool bits_same(const uint8_t *one, const uint8_t *other, int bits)
{
	int whole = bits / 8, rest = bits % 8;
	return !memcmp(one, other, (size_t)whole) && (!rest || (one[whole] ^ other[whole]) >> (8 - rest) == 0);
}

static bool word_fits_address(const struct word *word, const uint8_t *address, int len)
{
	uint8_t own[ADDRESS_BYTES];
	int bits = word->bits < 0 ? len : (int)word->bits;
	return address_read(word->text, own) == len && bits <= len && bits_same(own, address, bits);
}

static bool word_fits_name(const struct word *word, const char *host)
{
	size_t len = strlen(word->text), host_len = strlen(host);
	if (host_len && host[host_len - 1] == '.')
		host_len--;
	if (word->bits >= 0 || len > host_len || strncasecmp(host + host_len - len, word->text, len) != 0)
		return false;
	return len == host_len || host[host_len - len - 1] == '.';
}

bool skiffi_no_proxy_lists(const char *list, const char *host, uint16_t port)
{
	uint8_t address[ADDRESS_BYTES];
	char bare[WORD_MAX_BYTES];
	struct word word;
	size_t len = strcspn(host, "%"); /* an address's zone is nobody's business */
	if (len >= sizeof bare)
		return false;
	memcpy(bare, host, len);
	bare[len] = '\0';
	int bits = address_read(bare, address);
	for (const char *at = list + strspn(list, ", "); *at; at += len, at += strspn(at, ", ")) {
		len = strcspn(at, ", ");
		if (!word_read(&word, at, len) || (word.port && word.port != port))
			continue;
		if (!strcmp(word.text, "*") ||
			(bits ? word_fits_address(&word, address, bits) : word_fits_name(&word, bare)))
			return true;
	}
	return false;
}

/* ---- the choice ---- */

/* The first that is set and not empty; `names` ends with NULL. */
static const char *variable_first(const char *const *names, skiffi_variable_fn get, const char **name)
{
	for (; *names; names++) {
		const char *value = get(*names);
		if (value && *value) {
			*name = *names;
			return value;
		}
	}
	return NULL;
}

const char *skiffi_proxy_environment(const struct skiffi_endpoint *endpoint, skiffi_variable_fn get, const char **name)
{
	static const char *const plain[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
	static const char *const tls[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", NULL};
	static const char *const none[] = {"no_proxy", "NO_PROXY", NULL};
	const char *ignored;
	if (endpoint->kind == SKIFFI_UNIX)
		return NULL;
	const char *list = variable_first(none, get, &ignored);
	if (list && skiffi_no_proxy_lists(list, endpoint->host, endpoint->port))
		return NULL;
	return variable_first(endpoint->tls ? tls : plain, get, name);
}
