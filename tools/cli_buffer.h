/* SPDX-License-Identifier: Apache-2.0 */
/* cli_buffer.h: bytes that grow, for output that is put together before it is written. */
#ifndef SKIFF_CLI_BUFFER_H
#define SKIFF_CLI_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is empty. Once memory was out, `failed` stays, and nothing more is added. */
struct cli_buffer {
	char *data;
	size_t len, size;
	bool failed;
};

/* Room for `len` bytes at the end; NULL: out of memory. What was written there counts from cli_buffer_commit on. */
char *cli_buffer_room(struct cli_buffer *buffer, size_t len);
void cli_buffer_commit(struct cli_buffer *buffer, size_t len);

void cli_buffer_add(struct cli_buffer *buffer, const void *data, size_t len);
void cli_buffer_byte(struct cli_buffer *buffer, char byte);
void cli_buffer_fill(struct cli_buffer *buffer, char byte, size_t count);
void cli_buffer_print(struct cli_buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

void cli_buffer_free(struct cli_buffer *buffer);

#endif
