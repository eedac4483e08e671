/* SPDX-License-Identifier: Apache-2.0 */
/* cli_topic.c: refuses topics and filters that cannot be, before anything is connected. */
#include "cli_topic.h"
#include "cli_text.h"
#include <stdio.h>
#include <string.h>

enum { TOPIC_BYTES_MAX = 65535 };

/* The place of the first byte that is not UTF-8 or a character MQTT forbids; `len` when there is none. */
static size_t topic_bad_utf8(const char *text, size_t len)
{
	size_t at = 0;
	while (at < len) {
		size_t length = cli_utf8_length(text + at, len - at);
		if (length == 0)
			break;
		at += length;
	}
	return at;
}

/* A '+' fills a whole level; a '#' fills the last one. */
static bool topic_wildcard_ok(const char *text, const char *at)
{
	bool opens = at == text || at[-1] == '/';
	return *at == '+' ? opens && (at[1] == '/' || at[1] == '\0') : opens && at[1] == '\0';
}

static bool topic_check_wildcards(const char *text, enum cli_topic_kind kind, char *why, size_t size)
{
	for (const char *at = strpbrk(text, "+#"); at; at = strpbrk(at + 1, "+#")) {
		if (kind == CLI_TOPIC_NAME) {
			snprintf(why, size, "the wildcard '%c' at byte %zu is for filters only", *at,
				(size_t)(at - text) + 1);
			return false;
		}
		if (!topic_wildcard_ok(text, at)) {
			snprintf(why, size, "the wildcard '%c' at byte %zu must fill a whole level%s", *at,
				(size_t)(at - text) + 1, *at == '#' ? ", the last one" : "");
			return false;
		}
	}
	return true;
}

static bool topic_check_share(const char *text, char *why, size_t size)
{
	if (strncmp(text, "$share/", 7) != 0)
		return true;
	size_t name = strcspn(text + 7, "/+#");
	if (name > 0 && text[7 + name] == '/' && text[8 + name] != '\0')
		return true;
	snprintf(why, size, "a shared subscription is written '$share/NAME/FILTER'");
	return false;
}

static bool topic_point_is_usual(unsigned point)
{
	bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
	bool assigned = (point < 0xfdd0 || point > 0xfdef) && (point & 0xfffe) != 0xfffe;
	return !control && assigned;
}

/* A control character, or one that Unicode will never assign, may be taken for malformed [MQTT 5, 1.5.4]. By
 * mosquitto's clients it is refused; else a warning is all. */
static bool topic_check_usual(const struct cli_context *context, const char *text, char *why, size_t size)
{
	size_t len = strlen(text), at = 0, length = 0;
	while (at < len && (length = cli_utf8_length(text + at, len - at)) > 0 &&
		topic_point_is_usual(cli_utf8_point(text + at, length)))
		at += length;
	if (at == len)
		return true;
	snprintf(why, size, "the character at byte %zu is one that a broker may refuse by closing the connection",
		at + 1);
	if (!context->mosquitto)
		cli_warn(context, "in a topic %s", why);
	return !context->mosquitto;
}

bool cli_topic_check(
	const struct cli_context *context, const char *text, enum cli_topic_kind kind, char *why, size_t size)
{
	size_t len = strlen(text);
	if (len == 0) {
		snprintf(why, size, "it is empty");
		return false;
	}
	if (len > TOPIC_BYTES_MAX) {
		snprintf(why, size, "%zu bytes are more than the %d that MQTT allows", len, TOPIC_BYTES_MAX);
		return false;
	}
	size_t bad = topic_bad_utf8(text, len);
	if (bad < len) {
		snprintf(why, size, "byte %zu is not valid UTF-8", bad + 1);
		return false;
	}
	return topic_check_wildcards(text, kind, why, size) &&
	       (kind == CLI_TOPIC_NAME || topic_check_share(text, why, size)) &&
	       topic_check_usual(context, text, why, size);
}

bool cli_topic_matches(const char *filter, const char *topic, size_t len)
{
	const char *end = topic + len;
	if (len && *topic == '$' && (*filter == '+' || *filter == '#'))
		return false; /* [MQTT-4.7.2-1] */
	for (;;) {
		size_t want = strcspn(filter, "/");
		const char *slash = memchr(topic, '/', (size_t)(end - topic));
		size_t have = (size_t)((slash ? slash : end) - topic);
		if (*filter == '#')
			return true;
		if (*filter != '+' && (want != have || memcmp(filter, topic, want) != 0))
			return false;
		filter += want;
		if (!slash)
			return *filter == '\0' || strcmp(filter, "/#") == 0;
		if (*filter == '\0')
			return false;
		filter++;
		topic = slash + 1;
	}
}
