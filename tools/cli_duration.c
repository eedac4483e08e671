/* SPDX-License-Identifier: Apache-2.0 */
/* cli_duration.c: a number and its unit. */
#include "cli_duration.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	double ms;
} duration_units[] = {{"us", 0.001}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

bool cli_duration_read(const char *text, size_t len, double *ms)
{
	char copy[32], *unit;
	if (len >= sizeof(copy) || strspn(text, "0123456789.") == 0)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	double value = strtod(copy, &unit);
	for (size_t i = 0; i < sizeof(duration_units) / sizeof(*duration_units); i++) {
		if (strcmp(unit, duration_units[i].name) == 0) {
			*ms = value * duration_units[i].ms;
			return *ms > 0 && *ms <= CLI_DURATION_MAX_MS;
		}
	}
	return false;
}

int cli_duration_take(void *field, char **words, int count, char *why, size_t size)
{
	double *ms = field;
	(void)count;
	if (cli_duration_read(words[0], strlen(words[0]), ms))
		return 1;
	snprintf(why, size, "'%s' is not a time such as 500ms, 3s or 2m, of at most a day", words[0]);
	return -1;
}
