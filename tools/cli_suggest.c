/* SPDX-License-Identifier: Apache-2.0 */
/* cli_suggest.c: what somebody who mistyped a name may have meant. The distance counts letters put in, left out,
 * changed, or swapped with their neighbour. */
#include "cli_suggest.h"
#include <stdbool.h>
#include <string.h>

enum { SUGGEST_MAX = 40 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t suggest_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[SUGGEST_MAX + 1][SUGGEST_MAX + 1];
	for (size_t i = 0; i <= a_len; i++)
		rows[i][0] = i;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t changed = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			rows[i][j] = least(changed, least(rows[i - 1][j], rows[i][j - 1]) + 1);
			bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
			if (swapped)
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[a_len][b_len];
}

void cli_suggest(struct cli_suggestion *best, const char *typed, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	if (len > SUGGEST_MAX || name_len > SUGGEST_MAX)
		return;
	size_t distance = suggest_distance(typed, len, name, name_len);
	/* Somebody who stopped half way meant the word that goes on. */
	if (len >= 3 && name_len > len && memcmp(typed, name, len) == 0)
		distance = 1;
	if (distance > len / 3 + 1 || distance >= name_len || (best->name && distance >= best->distance))
		return;
	best->name = name;
	best->distance = distance;
}
