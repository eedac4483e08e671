/* SPDX-License-Identifier: Apache-2.0 */
/* escape.h: makes bytes from a peer harmless for a terminal or a log. */
#ifndef SKIFFI_ESCAPE_H
#define SKIFFI_ESCAPE_H

#include <stddef.h>

/* Writes `len` bytes of `data` to `out` (`size` bytes, NUL-terminated, cut where it is full): control characters,
 * DEL, C1 controls and ill-formed UTF-8 as \xNN, backslash and the rest as they are. Returns the bytes written. */
size_t skiffi_escape(char *out, size_t size, const void *data, size_t len);

#endif
