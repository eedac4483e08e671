/* SPDX-License-Identifier: Apache-2.0 */
/* cli_json.c: commas, escapes, numbers. */
#include "cli_json.h"
#include "cli_text.h"
#include <math.h>
#include <string.h>

static void json_string(FILE *out, const char *text, size_t len)
{
	fputc('"', out);
	for (size_t i = 0; i < len;) {
		unsigned char byte = (unsigned char)text[i];
		size_t whole = cli_utf8_length(text + i, len - i);
		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < ' ' || byte == 0x7f)
			fprintf(out, "\\u%04x", byte);
		else if (!whole)
			fputs("\\ufffd", out);
		else if (whole > 1 && cli_utf8_is_hostile(text + i, whole))
			fprintf(out, "\\u%04x", cli_utf8_point(text + i, whole));
		else
			fwrite(text + i, 1, whole, out);
		i += whole ? whole : 1;
	}
	fputc('"', out);
}

static void json_begin(struct cli_json *json, const char *name)
{
	if (json->more)
		fputc(',', json->out);
	json->more = true;
	if (!name)
		return;
	json_string(json->out, name, strlen(name));
	fputc(':', json->out);
}

void cli_json_open(struct cli_json *json, const char *name, char bracket)
{
	json_begin(json, name);
	fputc(bracket, json->out);
	json->more = false;
}

void cli_json_close(struct cli_json *json, char bracket)
{
	fputc(bracket, json->out);
	json->more = true;
}

void cli_json_null(struct cli_json *json, const char *name)
{
	json_begin(json, name);
	fputs("null", json->out);
}

void cli_json_text(struct cli_json *json, const char *name, const char *text)
{
	if (!text) {
		cli_json_null(json, name);
		return;
	}
	cli_json_bytes(json, name, text, strlen(text));
}

void cli_json_bytes(struct cli_json *json, const char *name, const void *data, size_t len)
{
	json_begin(json, name);
	json_string(json->out, data, len);
}

void cli_json_integer(struct cli_json *json, const char *name, long long value)
{
	json_begin(json, name);
	fprintf(json->out, "%lld", value);
}

void cli_json_number(struct cli_json *json, const char *name, double value, int digits)
{
	if (!isfinite(value)) {
		cli_json_null(json, name);
		return;
	}
	json_begin(json, name);
	fprintf(json->out, "%.*f", digits, value);
}

void cli_json_bool(struct cli_json *json, const char *name, bool value)
{
	json_begin(json, name);
	fputs(value ? "true" : "false", json->out);
}
