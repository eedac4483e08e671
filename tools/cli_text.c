/* SPDX-License-Identifier: Apache-2.0 */
/* cli_text.c: UTF-8 and what may safely be shown on a terminal. */
#include "cli_text.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many bytes the first one announces, and the least code point that needs so many. */
static size_t utf8_announced(unsigned char first, unsigned *least)
{
	if (first < 0x80)
		return *least = 0, 1;
	if (first >= 0xC2 && first < 0xE0)
		return *least = 0x80, 2;
	if (first >= 0xE0 && first < 0xF0)
		return *least = 0x800, 3;
	if (first >= 0xF0 && first < 0xF5)
		return *least = 0x10000, 4;
	return 0;
}

unsigned cli_utf8_point(const void *data, size_t length)
{
	const unsigned char *bytes = data;
	unsigned point = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
	for (size_t i = 1; i < length; i++)
		point = point << 6 | (bytes[i] & 0x3Fu);
	return point;
}

size_t cli_utf8_length(const void *data, size_t len)
{
	const unsigned char *bytes = data;
	unsigned least = 0;
	size_t need = len ? utf8_announced(bytes[0], &least) : 0;
	if (need == 0 || need > len)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
	}
	unsigned point = cli_utf8_point(data, need);
	bool surrogate = point >= 0xD800 && point <= 0xDFFF;
	return point < least || surrogate || point > 0x10FFFF ? 0 : need;
}

static bool escape_wanted(const unsigned char *bytes, size_t length, const char *keep)
{
	if (length == 0)
		return true;
	if (length == 1)
		return (bytes[0] < 0x20 || bytes[0] == 0x7F) && (bytes[0] == 0 || !strchr(keep, bytes[0]));
	return cli_utf8_is_hostile(bytes, length);
}

bool cli_utf8_is_hostile(const void *data, size_t length)
{
	const unsigned char *bytes = data;
	if (length == 2) /* C1 controls; U+061C */
		return (bytes[0] == 0xC2 && bytes[1] < 0xA0) || (bytes[0] == 0xD8 && bytes[1] == 0x9C);
	if (length != 3 || bytes[0] != 0xE2)
		return false;
	if (bytes[1] == 0x80) /* U+200E, U+200F, U+2028 to U+202E */
		return bytes[2] == 0x8E || bytes[2] == 0x8F || (bytes[2] >= 0xA8 && bytes[2] <= 0xAE);
	return bytes[1] == 0x81 && bytes[2] >= 0xA6 && bytes[2] <= 0xA9; /* U+2066 to U+2069 */
}

size_t cli_escape(char *out, const void *data, size_t len, const char *keep)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;
	char *end = out;
	for (size_t at = 0; at < len;) {
		size_t length = cli_utf8_length(bytes + at, len - at);
		bool escape = escape_wanted(bytes + at, length, keep);
		for (size_t stop = at + (length ? length : 1); at < stop; at++) {
			if (escape) {
				*end++ = '\\';
				*end++ = 'x';
				*end++ = digits[bytes[at] >> 4];
				*end++ = digits[bytes[at] & 15];
			} else {
				*end++ = (char)bytes[at];
			}
		}
	}
	return (size_t)(end - out);
}

size_t cli_shell_word(char *out, size_t size, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:@+,=%~";
	static const char quote[] = "'\\''";
	size_t len = strlen(word), used = 0;
	if (len && strspn(word, plain) == len && *word != '~') {
		snprintf(out, size, "%s", word);
		return len < size ? len : size - 1;
	}
	for (size_t i = 0; i < len + 2; i++) {
		char one[2] = {i == 0 || i > len ? '\'' : word[i - 1], '\0'};
		const char *text = i > 0 && i <= len && *one == '\'' ? quote : one;
		if (used + strlen(text) >= size)
			break;
		memcpy(out + used, text, strlen(text));
		used += strlen(text);
	}
	out[used] = '\0';
	return used;
}

char *cli_text_copy(const void *data, size_t len)
{
	char *copy = malloc(len + 1);
	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}
