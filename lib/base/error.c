/* SPDX-License-Identifier: Apache-2.0 */
/* error.c: the table of errors, and the filling in of one. */
#include "base/error.h"

#include "base/alloc.h"
#include "base/escape.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct error_row {
	enum skiff_class class_;
	bool heals;
	const char *slug;
	const char *text;
};

static const struct error_row error_rows[] = {
#define ERROR_ROW(name, class, heals, slug, text) [SKIFF_##name] = {SKIFF_CLASS_##class, heals, slug, text},
	SKIFF_ERRORS(ERROR_ROW)
#undef ERROR_ROW
};

static const char *const error_classes[] = {
	[SKIFF_CLASS_OK] = "ok",
	[SKIFF_CLASS_USAGE] = "usage",
	[SKIFF_CLASS_MEMORY] = "memory",
	[SKIFF_CLASS_AGAIN] = "again",
	[SKIFF_CLASS_FILE] = "file",
	[SKIFF_CLASS_DNS] = "dns",
	[SKIFF_CLASS_TCP] = "tcp",
	[SKIFF_CLASS_PROXY] = "proxy",
	[SKIFF_CLASS_TLS] = "tls",
	[SKIFF_CLASS_WS] = "websocket",
	[SKIFF_CLASS_MQTT] = "mqtt",
	[SKIFF_CLASS_TIMEOUT] = "timeout",
	[SKIFF_CLASS_CLOSED] = "closed",
};

static const struct error_row *error_row(enum skiff_code code)
{
	size_t count = sizeof error_rows / sizeof error_rows[0];
	return &error_rows[(size_t)code < count ? code : SKIFF_USAGE];
}

enum skiff_class skiff_code_class(enum skiff_code code)
{
	return error_row(code)->class_;
}

const char *skiff_code_slug(enum skiff_code code)
{
	return error_row(code)->slug;
}

const char *skiff_code_text(enum skiff_code code)
{
	return error_row(code)->text;
}

bool skiff_code_heals(enum skiff_code code)
{
	return error_row(code)->heals;
}

const char *skiff_class_name(enum skiff_class class_)
{
	size_t count = sizeof error_classes / sizeof error_classes[0];
	return (size_t)class_ < count ? error_classes[class_] : "unknown";
}

enum skiff_code skiffi_fail(struct skiff_error *error, enum skiff_code code, int detail, const char *format, ...)
{
	if (!error)
		return code;
	char text[SKIFF_ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	error->code = code;
	error->detail = detail;
	if (len < 0)
		len = 0;
	skiffi_escape(error->text, sizeof error->text, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
	return code;
}

void skiffi_error_prefix(struct skiff_error *error, const char *format, ...)
{
	char context[SKIFF_ERROR_TEXT_BYTES], text[2 * SKIFF_ERROR_TEXT_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(context, sizeof context, format, args);
	va_end(args);
	int len = snprintf(text, sizeof text, "%s: %s", context, error->text);
	skiffi_escape(error->text, sizeof error->text, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

enum skiff_code skiffi_fail_plain(struct skiff_error *error, enum skiff_code code)
{
	return skiffi_fail(error, code, 0, "%s", skiff_code_text(code));
}

void skiffi_error_keep(struct skiffi_kept_error *kept, const struct skiff_error *error)
{
	skiffi_error_drop(kept);
	kept->code = error->code;
	kept->detail = error->detail;
	kept->text = error->code ? skiffi_strdup(error->text) : NULL;
}

struct skiff_error skiffi_error_kept(const struct skiffi_kept_error *kept)
{
	struct skiff_error error;
	const char *text = kept->text ? kept->text : kept->code ? skiff_code_text(kept->code) : "";
	size_t len = strlen(text);
	error.code = kept->code;
	error.detail = kept->detail;
	memcpy(error.text, text, len < sizeof error.text ? len + 1 : sizeof error.text);
	error.text[sizeof error.text - 1] = '\0';
	return error;
}

void skiffi_error_drop(struct skiffi_kept_error *kept)
{
	skiffi_free(kept->text);
	*kept = (struct skiffi_kept_error){0};
}
