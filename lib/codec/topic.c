/* SPDX-License-Identifier: Apache-2.0 */
/* topic.c: topic names and filters. One pass over the bytes, no recursion and no copy: a filter of 65,535 slashes
 * costs what any other of that length does (the class of CVE-2019-11779). */
#include "codec/topic.h"
#include "codec/wire.h"

static const char share_prefix[] = "$share/";

static bool rule_set(const char **rule, const char *text)
{
	*rule = text;
	return false;
}

static bool length_valid(struct skiff_bytes text, const char **rule)
{
	if (text.len == 0)
		return rule_set(rule, "a topic has at least one character [MQTT-4.7.3-1]");
	if (text.len > SKIFFI_STRING_MAX)
		return rule_set(rule, "a topic has at most 65535 bytes [MQTT-4.7.3-3]");
	return true;
}

static bool text_valid(enum skiffi_text found, const char **rule)
{
	switch (found) {
	case SKIFFI_TEXT_OK:
		return true;
	case SKIFFI_TEXT_ILL_FORMED:
		return rule_set(rule, "a topic is UTF-8 without surrogates [MQTT-1.5.4-1]");
	case SKIFFI_TEXT_NUL:
		return rule_set(rule, "a topic has no U+0000 [MQTT-4.7.3-2]");
	case SKIFFI_TEXT_WILDCARD:
		return rule_set(rule, "a topic name has no wildcard [MQTT-3.3.2-2] [MQTT-4.7.0-1]");
	}
	return false;
}

bool skiffi_topic_valid(struct skiff_bytes topic, const char **rule)
{
	return length_valid(topic, rule) && text_valid(skiffi_topic_scan(topic), rule);
}

/* Whether every wildcard stands alone in its level, and '#' in the last one. */
static bool levels_valid(struct skiff_bytes filter, const char **rule)
{
	const char *text = filter.data;

	for (size_t i = 0; i < filter.len; i++) {
		bool first = i == 0 || text[i - 1] == '/', last = i + 1 == filter.len;

		if (text[i] == '#' && (!first || !last))
			return rule_set(rule, "'#' stands alone in the last level [MQTT-4.7.1-1]");
		if (text[i] == '+' && (!first || (!last && text[i + 1] != '/')))
			return rule_set(rule, "'+' fills a whole level [MQTT-4.7.1-2] [MQTT 3.1.1: MQTT-4.7.1-3]");
	}
	return true;
}

static bool share_name_valid(const char *name, size_t len, const char **rule)
{
	if (len == 0)
		return rule_set(rule, "a share name has at least one character [MQTT-4.8.2-1]");
	for (size_t i = 0; i < len; i++)
		if (name[i] == '+' || name[i] == '#')
			return rule_set(rule, "a share name has no wildcard [MQTT-4.8.2-2]");
	return true;
}

/* The part behind "$share/NAME/"; false when it is not there. */
static bool share_split(struct skiff_bytes filter, struct skiff_bytes *name, struct skiff_bytes *inner)
{
	const char *start = (const char *)filter.data + sizeof(share_prefix) - 1;
	size_t left = filter.len - (sizeof(share_prefix) - 1);
	const char *slash = left ? memchr(start, '/', left) : NULL;

	*name = (struct skiff_bytes){.data = start, .len = slash ? (size_t)(slash - start) : left};
	if (slash == NULL)
		return false;
	*inner = (struct skiff_bytes){.data = slash + 1, .len = left - name->len - 1};
	return true;
}

bool skiffi_filter_shared(struct skiff_bytes filter, struct skiff_bytes *inner)
{
	size_t prefix_len = sizeof(share_prefix) - 1;
	struct skiff_bytes name, rest;
	bool shared = filter.len >= prefix_len && memcmp(filter.data, share_prefix, prefix_len) == 0;

	if (inner)
		*inner = shared && share_split(filter, &name, &rest) ? rest : filter;
	return shared;
}

bool skiffi_filter_valid(struct skiff_bytes filter, const char **rule)
{
	struct skiff_bytes name, inner = filter;

	if (!length_valid(filter, rule) || !text_valid(skiffi_text_scan(filter), rule))
		return false;
	if (!skiffi_filter_shared(filter, NULL))
		return levels_valid(filter, rule);
	if (!share_split(filter, &name, &inner) || inner.len == 0)
		return share_name_valid(name.data, name.len, rule) &&
		       rule_set(rule, "a filter follows the share name [MQTT-4.8.2-2]");
	return share_name_valid(name.data, name.len, rule) && levels_valid(inner, rule);
}

bool skiffi_filter_matches(struct skiff_bytes filter, struct skiff_bytes topic)
{
	const char *f = filter.data, *f_end = f + filter.len;
	const char *t = topic.data, *t_end = t + topic.len;

	if (*t == '$' && (*f == '+' || *f == '#')) /* [MQTT-4.7.2-1] */
		return false;
	for (; f < f_end; f++) {
		if (*f == '#')
			return true;
		if (*f == '+') {
			while (t < t_end && *t != '/')
				t++;
			continue;
		}
		if (t == t_end) /* "a/#" matches its parent "a" too [MQTT 5, 4.7.1.2] */
			return f_end - f == 2 && f[0] == '/' && f[1] == '#';
		if (*f != *t++)
			return false;
	}
	return t == t_end;
}
