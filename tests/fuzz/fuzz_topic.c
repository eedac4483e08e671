/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_topic.c: strings, topics and filters against a second, slow and plain implementation.
 *
 * Input: one byte, the length of the topic; the topic; the rest is the filter. */
#include "codec/topic.h"
#include "codec/wire.h"
#include "fuzz.h"
#include <string.h>

/* One character by the definition of UTF-8: gather the bits, then look whether the number needed that many bytes. */
static size_t plain_character(const uint8_t *at, size_t left, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = at[0] < 0x80 ? 1 : at[0] < 0xc0 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf8 ? 4 : 0;

	if (len == 0 || len > left)
		return 0;
	*point = len == 1 ? at[0] : at[0] & (0xff >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if (at[i] >> 6 != 2)
			return 0;
		*point = *point << 6 | (at[i] & 0x3f);
	}
	return *point < least[len] || *point > 0x10ffff || (*point >= 0xd800 && *point <= 0xdfff) ? 0 : len;
}

static enum skiffi_text plain_scan(struct skiff_bytes text, bool topic)
{
	const uint8_t *bytes = text.data;
	uint32_t point;

	for (size_t i = 0, step; i < text.len; i += step) {
		step = plain_character(bytes + i, text.len - i, &point);
		if (step == 0)
			return SKIFFI_TEXT_ILL_FORMED;
		if (point == 0)
			return SKIFFI_TEXT_NUL;
		if (topic && (point == '+' || point == '#'))
			return SKIFFI_TEXT_WILDCARD;
	}
	return SKIFFI_TEXT_OK;
}

/* Takes the level in front off; false when there is none left. "a/" has two levels, the second one empty. */
static bool level_next(struct skiff_bytes *text, struct skiff_bytes *level)
{
	const char *start = text->data, *slash;

	if (start == NULL)
		return false;
	slash = text->len ? memchr(start, '/', text->len) : NULL;
	*level = (struct skiff_bytes){start, slash ? (size_t)(slash - start) : text->len};
	*text = slash ? (struct skiff_bytes){slash + 1, text->len - level->len - 1} : (struct skiff_bytes){NULL, 0};
	return true;
}

static bool level_is(struct skiff_bytes level, char c)
{
	return level.len == 1 && *(const char *)level.data == c;
}

static bool level_holds(struct skiff_bytes level, char c)
{
	return level.len && memchr(level.data, c, level.len);
}

static bool plain_levels_valid(struct skiff_bytes filter)
{
	struct skiff_bytes level;

	while (level_next(&filter, &level)) {
		if (level_holds(level, '#') && (level.len > 1 || filter.data))
			return false;
		if (level_holds(level, '+') && level.len > 1)
			return false;
	}
	return true;
}

static bool plain_filter_valid(struct skiff_bytes filter)
{
	struct skiff_bytes rest = filter, first, name;

	if (filter.len == 0 || filter.len > 65535 || plain_scan(filter, false) != SKIFFI_TEXT_OK)
		return false;
	level_next(&rest, &first);
	if (first.len != 6 || memcmp(first.data, "$share", 6) != 0 || !rest.data)
		return plain_levels_valid(filter);
	level_next(&rest, &name);
	return name.len && !level_holds(name, '+') && !level_holds(name, '#') && rest.len && plain_levels_valid(rest);
}

static bool plain_matches(struct skiff_bytes filter, struct skiff_bytes topic)
{
	struct skiff_bytes want, have;
	bool first = true;

	while (level_next(&filter, &want)) {
		bool wild = level_is(want, '#') || level_is(want, '+');
		bool left = level_next(&topic, &have);
		if (first && wild && have.len && *(const char *)have.data == '$')
			return false;
		first = false;
		if (level_is(want, '#'))
			return true;
		if (!left)
			return false;
		if (!wild && (want.len != have.len || memcmp(want.data, have.data, want.len) != 0))
			return false;
	}
	return !topic.data;
}

static void check_text(struct skiff_bytes text)
{
	const char *rule = NULL;
	struct skiff_bytes inner;
	bool valid = text.len && text.len <= 65535 && plain_scan(text, true) == SKIFFI_TEXT_OK;

	CHECK(skiffi_text_scan(text) == plain_scan(text, false));
	CHECK(skiffi_topic_scan(text) == plain_scan(text, true));
	CHECK(skiffi_topic_valid(text, &rule) == valid);
	CHECK(valid || rule);
	rule = NULL;
	valid = plain_filter_valid(text);
	CHECK(skiffi_filter_valid(text, &rule) == valid);
	CHECK(valid || rule);
	if (skiffi_filter_shared(text, &inner) && valid)
		CHECK(inner.len && inner.len < text.len);
}

/* A copy of exactly its length, so that a read past it is seen. */
static struct skiff_bytes copy(const uint8_t *data, size_t len)
{
	char *memory = malloc(len + !len);

	CHECK(memory);
	if (len)
		memcpy(memory, data, len);
	return (struct skiff_bytes){memory, len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct skiff_bytes topic, filter;
	size_t topic_len;
	const char *rule;

	if (len == 0)
		return 0;
	topic_len = data[0] < len ? data[0] : len - 1;
	topic = copy(data + 1, topic_len);
	filter = copy(data + 1 + topic_len, len - 1 - topic_len);
	check_text(topic);
	check_text(filter);
	if (skiffi_topic_valid(topic, &rule) && skiffi_filter_valid(filter, &rule)) {
		CHECK(skiffi_filter_matches(filter, topic) == plain_matches(filter, topic));
		CHECK(skiffi_filter_matches(topic, topic));
	}
	free((void *)topic.data);
	free((void *)filter.data);
	return 0;
}
