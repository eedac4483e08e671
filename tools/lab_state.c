/* SPDX-License-Identifier: Apache-2.0 */
/* lab_state.c: sentences and paths. */
#include "lab_state.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool lab_fail(struct lab *lab, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(lab->error, sizeof(lab->error), format, args);
	va_end(args);
	return false;
}

bool lab_path(struct lab *lab, char *path, const char *name)
{
	int length = snprintf(path, LAB_PATH_BYTES, "%s/%s", lab->dir, name);

	if (length < 0 || length >= LAB_PATH_BYTES)
		return lab_fail(lab, "'%s': the path is too long; choose a shorter --dir", lab->dir);
	return true;
}

void lab_unix_url(const struct lab *lab, char *url)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
	char *end = stpcpy(url, "unix://");

	for (const char *c = lab->socket; *c != '\0'; c++)
		end += sprintf(end, strchr(plain, *c) != NULL ? "%c" : "%%%02X", (unsigned char)*c);
}
