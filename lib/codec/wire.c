/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c: variable byte integers and strings.
 *
 * Strings are looked at eight bytes at a time while they are plain ASCII; the first word that is not falls to the slow
 * path, which knows all of UTF-8 and names what is wrong. */
#include "codec/wire.h"

bool skiffi_read_varint(struct skiffi_reader *reader, uint32_t *value)
{
	const uint8_t *at = reader->at;
	uint32_t result = 0;

	for (unsigned shift = 0; shift < 28 && at < reader->end; shift += 7) {
		uint8_t byte = *at++;
		result |= (uint32_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte == 0 && shift > 0) /* [MQTT-1.5.5-1] */
			return false;
		reader->at = at;
		*value = result;
		return true;
	}
	return false;
}

/* Whether all eight bytes are ASCII and neither NUL nor, for a topic, '+' or '#'. A byte of zero borrows its top bit
 * in the subtraction; '+' and '#' differ in one bit, so that both become zero by the same mask. */
static inline bool word_clean(uint64_t word, bool topic)
{
	const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
	uint64_t found = word | (word - ones);

	if (topic)
		found |= ((word & (ones * 0xf7)) ^ (ones * '#')) - ones;
	return !(found & tops);
}

static inline uint64_t word_load(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* One to seven bytes as a word; some stand in it twice. */
static inline uint64_t word_load_short(const uint8_t *at, size_t len)
{
	uint32_t low, high;

	if (len < 4)
		return (uint64_t)0x0101010101010101 * at[0] ^ (uint64_t)(at[0] ^ at[len / 2]) << 8 ^
		       (uint64_t)(at[0] ^ at[len - 1]) << 16;
	memcpy(&low, at, sizeof(low));
	memcpy(&high, at + len - 4, sizeof(high));
	return (uint64_t)high << 32 | low;
}

/* Whether `count` continuation bytes follow the first, whose second byte is not below `low` nor above `high`. */
static size_t utf8_tail(const uint8_t *at, const uint8_t *end, size_t count, uint8_t low, uint8_t high)
{
	if ((size_t)(end - at) <= count || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i <= count; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return count + 1;
}

/* Bytes of the character at `at`; 0 when it is ill-formed: cut, too long a form, a surrogate, above U+10FFFF. */
static size_t utf8_step(const uint8_t *at, const uint8_t *end)
{
	uint8_t first = *at;

	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	if (first < 0xe0)
		return utf8_tail(at, end, 1, 0x80, 0xbf);
	if (first < 0xf0)
		return utf8_tail(at, end, 2, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
	return utf8_tail(at, end, 3, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
}

static enum skiffi_text scan_slowly(const uint8_t *at, const uint8_t *end, bool topic)
{
	while (at < end) {
		size_t step;

		if (end - at >= 8 && word_clean(word_load(at), topic)) {
			at += 8;
			continue;
		}
		if (*at == 0)
			return SKIFFI_TEXT_NUL;
		if (topic && (*at == '+' || *at == '#'))
			return SKIFFI_TEXT_WILDCARD;
		step = utf8_step(at, end);
		if (step == 0)
			return SKIFFI_TEXT_ILL_FORMED;
		at += step;
	}
	return SKIFFI_TEXT_OK;
}

static inline enum skiffi_text scan(struct skiff_bytes text, bool topic)
{
	const uint8_t *at = text.data, *end;

	if (text.len == 0)
		return SKIFFI_TEXT_OK;
	end = at + text.len;
	if (text.len >= 8) {
		while (end - at >= 8 && word_clean(word_load(at), topic))
			at += 8;
		if (end - at < 8 && word_clean(word_load(end - 8), topic))
			return SKIFFI_TEXT_OK;
	} else if (word_clean(word_load_short(at, text.len), topic)) {
		return SKIFFI_TEXT_OK;
	}
	return scan_slowly(at, end, topic);
}

enum skiffi_text skiffi_text_scan(struct skiff_bytes text)
{
	return scan(text, false);
}

enum skiffi_text skiffi_topic_scan(struct skiff_bytes text)
{
	return scan(text, true);
}
