/* SPDX-License-Identifier: Apache-2.0 */
/* cli_payload.c: payloads that are given as text. */
#include "cli_payload.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *at = digit ? strchr(digits, digit) : NULL;
	return !at ? -1 : at - digits < 16 ? (int)(at - digits) : (int)(at - digits) - 6;
}

static bool hex_decode(const char *text, size_t len, unsigned char *out, size_t *out_len, char *why, size_t size)
{
	*out_len = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] && strchr(" \t\r\n:", text[i]))
			continue;
		int high = hex_value(text[i]), low = i + 1 < len ? hex_value(text[i + 1]) : -1;
		if (high < 0 || low < 0) {
			snprintf(why, size, "byte %zu begins no pair of hexadecimal digits", i + 1);
			return false;
		}
		out[(*out_len)++] = (unsigned char)(high << 4 | low);
		i++;
	}
	return true;
}

/* The characters that count, of the usual alphabet, padded to groups of four. Result: how many. */
static size_t base64_gather(const char *text, size_t len, unsigned char *to)
{
	size_t count = 0;
	for (size_t i = 0; i < len; i++) {
		if (!text[i] || !strchr(" \t\r\n", text[i]))
			to[count++] = (unsigned char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
	}
	while (count && to[count - 1] == '=')
		count--;
	size_t padded = count;
	while (padded % 4)
		to[padded++] = '=';
	return count;
}

static bool base64_decode(const char *text, size_t len, unsigned char *out, size_t *out_len, char *why, size_t size)
{
	unsigned char *gathered = malloc(2 * len + 8), *decoded = gathered + len + 4;
	size_t count = gathered ? base64_gather(text, len, gathered) : 0;
	/* a single character at the end is less than a byte */
	int got = count % 4 == 1 || memchr(gathered ? gathered : out, '=', count)
			  ? -1
			  : EVP_DecodeBlock(decoded, gathered, (int)((count + 3) / 4 * 4));
	if (gathered && got >= 0) {
		*out_len = count * 3 / 4;
		memcpy(out, decoded, *out_len);
	} else {
		snprintf(why, size, "%s", gathered ? "it is no base64 [RFC 4648]" : "out of memory");
	}
	free(gathered);
	return gathered && got >= 0;
}

bool cli_payload_decode(
	enum cli_payload_code code, const void *text, size_t len, void *out, size_t *out_len, char *why, size_t size)
{
	*out_len = 0;
	if (!len)
		return true;
	return code == CLI_PAYLOAD_IN_HEX ? hex_decode(text, len, out, out_len, why, size)
					  : base64_decode(text, len, out, out_len, why, size);
}
