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

/* An error that is kept, in as little memory as it takes. All-zero is SKIFF_OK. */
struct skiffi_kept_error {
	enum skiff_code code;
	int detail;
	char *text; /* owned; NULL: the code's own, also when memory was out for more */
};

/* Keeps a copy of `*error`, which is not among what `kept` holds, instead of what there was. */
void skiffi_error_keep(struct skiffi_kept_error *kept, const struct skiff_error *error);

/* What is kept, as a value. */
struct skiff_error skiffi_error_kept(const struct skiffi_kept_error *kept);

/* Keeps nothing more. */
void skiffi_error_drop(struct skiffi_kept_error *kept);

#endif
