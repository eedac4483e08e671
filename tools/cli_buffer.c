/* SPDX-License-Identifier: Apache-2.0 */
/* cli_buffer.c: bytes that grow. */
#include "cli_buffer.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_LEAST = 4096 };

char *cli_buffer_room(struct cli_buffer *buffer, size_t len)
{
	if (buffer->failed)
		return NULL;
	if (buffer->size - buffer->len < len) {
		size_t size = buffer->size ? buffer->size : BUFFER_LEAST;
		while (size - buffer->len < len)
			size *= 2;
		char *data = realloc(buffer->data, size);
		buffer->failed = !data;
		if (!data)
			return NULL;
		buffer->data = data;
		buffer->size = size;
	}
	return buffer->data + buffer->len;
}

void cli_buffer_commit(struct cli_buffer *buffer, size_t len)
{
	buffer->len += len;
}

void cli_buffer_add(struct cli_buffer *buffer, const void *data, size_t len)
{
	char *room = len ? cli_buffer_room(buffer, len) : NULL;
	if (!room)
		return;
	memcpy(room, data, len);
	buffer->len += len;
}

void cli_buffer_byte(struct cli_buffer *buffer, char byte)
{
	cli_buffer_add(buffer, &byte, 1);
}

void cli_buffer_fill(struct cli_buffer *buffer, char byte, size_t count)
{
	char *room = count ? cli_buffer_room(buffer, count) : NULL;
	if (!room)
		return;
	memset(room, byte, count);
	buffer->len += count;
}

void cli_buffer_print(struct cli_buffer *buffer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	char *room = len > 0 ? cli_buffer_room(buffer, (size_t)len + 1) : NULL;
	if (!room)
		return;
	va_start(arguments, format);
	vsnprintf(room, (size_t)len + 1, format, arguments);
	va_end(arguments);
	buffer->len += (size_t)len;
}

void cli_buffer_free(struct cli_buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct cli_buffer){0};
}
