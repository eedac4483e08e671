/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h: a borrowed view of bytes, with its length. Nothing in skiff takes a pointer without one. */
#ifndef SKIFF_BYTES_H
#define SKIFF_BYTES_H

#include <stddef.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Borrowed bytes. `data` NULL means absent; a non-NULL `data` with `len` 0 means present and empty. */
struct skiff_bytes {
	const void *data;
	size_t len; /* bytes */
};

/** A view of a NUL-terminated string, without its NUL; absent when `text` is NULL. */
static inline struct skiff_bytes skiff_text(const char *text)
{
	struct skiff_bytes view = {text, text ? strlen(text) : 0};
	return view;
}

#ifdef __cplusplus
}
#endif
#endif
