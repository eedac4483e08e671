/* SPDX-License-Identifier: Apache-2.0 */
/* check_place.c: no checks, those are the library's. */
#include "check_place.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *word, *scheme;
	int port;
	bool tls, ws;
} place_schemes[] = {
	{"mqtt", "mqtt", 1883, false, false},
	{"tcp", "mqtt", 1883, false, false},
	{"mqtts", "mqtts", 8883, true, false},
	{"ssl", "mqtts", 8883, true, false},
	{"tls", "mqtts", 8883, true, false},
	{"ws", "ws", 80, false, true},
	{"wss", "wss", 443, true, true},
};

/* Behind "://", and behind '@' if there is user info; the end of host and port comes in `*end`. */
static const char *place_authority(const char *url, const char **end)
{
	const char *start = strstr(url, "://");
	start = start ? start + 3 : url;
	*end = start + strcspn(start, "/?#");
	const char *at = memrchr(start, '@', (size_t)(*end - start));
	return at ? at + 1 : start;
}

void check_place_bare(char *out, const char *url, bool valid)
{
	const char *end, *start = place_authority(url, &end), *scheme = strstr(url, "://"), *last = strrchr(url, '@');
	if (!valid && last)
		start = last + 1;
	if (scheme && scheme >= start)
		scheme = NULL;
	snprintf(out, CHECK_URL_BYTES, "%.*s%s", scheme ? (int)(scheme + 3 - url) : 0, url, start);
}

static void place_host(struct check_place *place, const char *start, const char *end)
{
	const char *colon = memrchr(start, ':', (size_t)(end - start));
	bool bracket = *start == '[';
	const char *close = bracket ? memchr(start, ']', (size_t)(end - start)) : NULL;
	if (colon && close && colon < close)
		colon = NULL;
	if (colon)
		place->port = atoi(colon + 1);
	const char *stop = close ? close : colon ? colon : end;
	start += bracket;
	snprintf(place->host, sizeof(place->host), "%.*s", (int)(stop - start), start);
}

bool check_place_read(struct check_place *place, const char *url)
{
	const char *end, *start = place_authority(url, &end), *word = strstr(url, "://") ? url : "mqtt://";
	size_t len = (size_t)(strstr(word, "://") - word);
	*place = (struct check_place){0};
	if (len == 4 && strncasecmp(word, "unix", 4) == 0) {
		place->scheme = "unix";
		place->local = true;
		return true;
	}
	for (size_t i = 0; i < sizeof(place_schemes) / sizeof(*place_schemes); i++) {
		if (strlen(place_schemes[i].word) != len || strncasecmp(place_schemes[i].word, word, len) != 0)
			continue;
		place->scheme = place_schemes[i].scheme;
		place->port = place_schemes[i].port;
		place->tls = place_schemes[i].tls;
		place->ws = place_schemes[i].ws;
		place_host(place, start, end);
		snprintf(place->path, sizeof(place->path), "%.*s", (int)strcspn(end, "#"), end);
		return true;
	}
	return false;
}

bool check_place_is_host(const char *text)
{
	unsigned char number[sizeof(struct in6_addr)];
	return !strpbrk(text, "/@?#:") || inet_pton(AF_INET6, text, number) == 1;
}
