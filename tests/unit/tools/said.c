/* SPDX-License-Identifier: Apache-2.0 */
/* said.c: keeps the last sentence that was said. */
#include "said.h"
#include "cli_command.h"
#include <stdarg.h>
#include <stdio.h>

char said[4096];
unsigned said_count;

void said_clear(void)
{
	said[0] = '\0';
	said_count = 0;
}

void cli_say(const struct cli_context *context, const char *format, ...)
{
	va_list arguments;
	(void)context;
	va_start(arguments, format);
	vsnprintf(said, sizeof said, format, arguments);
	va_end(arguments);
	said_count++;
}
