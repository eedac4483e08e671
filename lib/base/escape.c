/* SPDX-License-Identifier: Apache-2.0 */
/* escape.c: well-formed UTF-8 passes, controls and the rest become \xNN. */
#include "base/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the well-formed UTF-8 sequence at `at`, or 0: overlong forms, surrogates and C1 controls count as ill. */
static size_t escape_sequence_len(const uint8_t *at, size_t len)
{
	size_t need = at[0] >= 0xf0 && at[0] <= 0xf4  ? 4
		      : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
		      : at[0] >= 0xc2 && at[0] < 0xe0 ? 2
						      : 0;
	if (!need || need > len)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xc2 && at[1] < 0xa0) || (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
		(at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return need;
}

size_t skiffi_escape(char *out, size_t size, const void *data, size_t len)
{
	const uint8_t *at = data, *end = at + len;
	size_t used = 0;
	if (!size)
		return 0;
	while (at < end) {
		size_t take = *at >= 0x20 && *at < 0x7f ? 1
			      : *at >= 0x80             ? escape_sequence_len(at, (size_t)(end - at))
							: 0;
		size_t room = take ? take : 4;
		if (used + room >= size)
			break;
		if (take)
			memcpy(out + used, at, take);
		else
			snprintf(out + used, 5, "\\x%02x", *at);
		used += room;
		at += take ? take : 1;
	}
	out[used] = '\0';
	return used;
}
