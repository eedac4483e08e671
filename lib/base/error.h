/* SPDX-License-Identifier: Apache-2.0 */
/* error.h: filling in the public error value. The text belongs to the object that holds the value. */
#ifndef SKIFFI_ERROR_H
#define SKIFFI_ERROR_H

#include <skiff/error.h>

/* Sets `*error` (NULL allowed) to `code`, `detail` and the formatted sentence, cut at its bound; control characters in
 * it become escapes, as parts of it may come from a peer. Returns `code`, so that a caller can return it at once. */
enum skiff_code skiffi_fail(struct skiff_error *error, enum skiff_code code, int detail, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "context: " before the text that `*error` holds. */
void skiffi_error_prefix(struct skiff_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* skiffi_fail with the code's own text; for a fault that needs no more words. */
enum skiff_code skiffi_fail_plain(struct skiff_error *error, enum skiff_code code);

#endif
