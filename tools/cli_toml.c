/* SPDX-License-Identifier: Apache-2.0 */
/* cli_toml.c: a small, strict reader of a part of TOML 1.0.
 *
 *   1. text_check: all of it is UTF-8 without control characters, so that nothing later needs to ask
 *   2. line by line: a table's head, or a key and its value, which is added to the last table
 *   3. what follows on the line may only be blanks and a comment
 *
 * The first fault ends the reading: it is kept with its line, and what was read so far is wiped and freed. */
#include "cli_toml.h"
#include "cli_text.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
	const char *at, *end;
	int line;
	struct cli_toml *toml;
	struct cli_toml_fault *fault;
};

/* Returns false, for the caller to return. */
static bool fault_set(struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fault_set(struct reader *reader, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reader->fault->text, sizeof(reader->fault->text), format, arguments);
	va_end(arguments);
	reader->fault->line = reader->line;
	return false;
}

static bool fault_memory(struct reader *reader)
{
	fault_set(reader, "out of memory");
	reader->fault->line = 0;
	return false;
}

/* ---- characters ---- */

/* The next character, 0 at the end; the text holds no NUL. */
static char peek(const struct reader *reader)
{
	return reader->at < reader->end ? *reader->at : '\0';
}

static bool starts(const struct reader *reader, const char *text)
{
	size_t len = strlen(text);
	return (size_t)(reader->end - reader->at) >= len && memcmp(reader->at, text, len) == 0;
}

static void skip_blanks(struct reader *reader)
{
	while (peek(reader) == ' ' || peek(reader) == '\t')
		reader->at++;
}

static bool at_line_end(const struct reader *reader)
{
	return reader->at == reader->end || peek(reader) == '\n' || peek(reader) == '\r';
}

/* Blanks and a comment. */
static void skip_to_line_end(struct reader *reader)
{
	skip_blanks(reader);
	if (peek(reader) != '#')
		return;
	while (!at_line_end(reader))
		reader->at++;
}

static void skip_newline(struct reader *reader)
{
	if (peek(reader) == '\r')
		reader->at++;
	if (peek(reader) == '\n')
		reader->at++;
	reader->line++;
}

static bool text_check(struct reader *reader)
{
	for (const char *at = reader->at; at < reader->end;) {
		size_t len = cli_utf8_length(at, (size_t)(reader->end - at));
		bool newline = *at == '\n' || (*at == '\r' && reader->end - at > 1 && at[1] == '\n');
		unsigned char byte = (unsigned char)*at;
		if (len == 0)
			return fault_set(reader, "is not UTF-8; save it in that encoding");
		if (byte == 0x7F || (byte < 0x20 && byte != '\t' && !newline))
			return fault_set(reader,
				"holds the control character 0x%02x; in a string in double quotes write "
				"it as \\u%04x",
				byte, byte);
		reader->line += *at == '\n';
		at += len;
	}
	reader->line = 1;
	return true;
}

/* ---- strings ---- */

/* Writes `point` as UTF-8 to `out`; the length, 0 when there is no such character. */
static size_t utf8_write(unsigned long point, char *out)
{
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
	if (point > 0x10FFFF)
		return 0;
	for (size_t i = len; i-- > 1; point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3F));
	out[0] = (char)(lead[len] | point);
	return cli_utf8_length(out, len);
}

/* The character of \uXXXX or \UXXXXXXXX, behind the letter. */
static bool escape_point(struct reader *reader, size_t digits, char *out, size_t *used)
{
	unsigned long point = 0;
	for (size_t i = 0; i < digits; i++, reader->at++) {
		static const char hex[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = peek(reader) ? strchr(hex, peek(reader)) : NULL;
		if (!digit)
			return fault_set(reader, "'\\%c' must be followed by %zu hexadecimal digits",
				digits == 4 ? 'u' : 'U', digits);
		point = point << 4 | ((unsigned long)(digit - hex) & 15);
	}
	size_t len = point ? utf8_write(point, out + *used) : 0;
	*used += len;
	return len || fault_set(reader, "U+%04lX is no character that a string can hold", point);
}

static bool escape_read(struct reader *reader, char *out, size_t *used)
{
	static const char letters[] = "btnfr\"\\", meanings[] = "\b\t\n\f\r\"\\";
	char letter = at_line_end(reader) ? '\0' : *reader->at;
	const char *found = letter ? strchr(letters, letter) : NULL;
	reader->at += letter != '\0';
	if (letter == 'u' || letter == 'U')
		return escape_point(reader, letter == 'u' ? 4 : 8, out, used);
	if (!found)
		return fault_set(reader, "a backslash in double quotes must be one of \\b \\t \\n \\f \\r \\\" \\\\ "
					 "\\u \\U; write the string in "
					 "single quotes to have it as it stands");
	out[(*used)++] = meanings[found - letters];
	return true;
}

/* A string in quotes of either kind, the reader standing on the first. NULL after a fault. */
static char *string_read(struct reader *reader)
{
	char quote = *reader->at++;
	size_t used = 0, room = 0;
	while (reader->at + room < reader->end && reader->at[room] != '\n')
		room++;
	char *out = malloc(room + 1); /* no escape grows when it is read */
	bool ok = out || fault_memory(reader);
	while (ok && peek(reader) != quote) {
		if (at_line_end(reader)) {
			ok = fault_set(reader, "the string is not closed; it ends with %c on the same line", quote);
		} else if (quote == '"' && *reader->at == '\\') {
			reader->at++;
			ok = escape_read(reader, out, &used);
		} else {
			out[used++] = *reader->at++;
		}
	}
	if (ok) {
		reader->at++;
		out[used] = '\0';
		return out;
	}
	if (out)
		explicit_bzero(out, used);
	free(out);
	return NULL;
}

/* ---- values ---- */

static void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static bool key_add_value(struct reader *reader, struct cli_toml_key *key, char *value)
{
	if (!value)
		return false;
	char **values = realloc(key->values, (key->count + 1) * sizeof(*values));
	if (!values) {
		secret_free(value);
		return fault_memory(reader);
	}
	key->values = values;
	key->values[key->count++] = value;
	return true;
}

static bool value_string(struct reader *reader, struct cli_toml_key *key)
{
	if (starts(reader, "\"\"\"") || starts(reader, "'''"))
		return fault_set(reader,
			"key '%.60s': strings of several lines are not taken here; write it on one, with \\n for a new "
			"line",
			key->name);
	return key_add_value(reader, key, string_read(reader));
}

static bool value_ends(const struct reader *reader)
{
	return at_line_end(reader) || strchr(" \t,]#", *reader->at);
}

/* Copies the digits to `out`; false unless they are a decimal integer of TOML, at most 19 digits. */
static bool integer_copy(struct reader *reader, char *out)
{
	size_t used = 0, digits = 0;
	if (peek(reader) == '-')
		out[used++] = '-';
	if (peek(reader) == '-' || peek(reader) == '+')
		reader->at++;
	const char *first = reader->at;
	for (; !value_ends(reader); reader->at++) {
		bool digit = *reader->at >= '0' && *reader->at <= '9';
		bool between = *reader->at == '_' && digits > 0 && reader->at[-1] != '_';
		if ((!digit && !between) || (digit && digits == 19))
			return false;
		if (digit) {
			out[used++] = *reader->at;
			digits++;
		}
	}
	out[used] = '\0';
	return digits > 0 && reader->at[-1] != '_' && (digits == 1 || *first != '0');
}

static bool value_integer(struct reader *reader, struct cli_toml_key *key)
{
	char digits[24];
	if (!integer_copy(reader, digits))
		return fault_set(reader,
			"key '%.60s': a number without quotes is whole and decimal here; write any other in quotes",
			key->name);
	char *copy = strdup(digits);
	return key_add_value(reader, key, copy) || (!copy && fault_memory(reader));
}

static bool value_boolean(struct reader *reader, struct cli_toml_key *key)
{
	size_t len = 0;
	while (reader->at + len < reader->end && reader->at[len] >= 'a' && reader->at[len] <= 'z')
		len++;
	key->on = len == 4 && starts(reader, "true");
	if (!key->on && !(len == 5 && starts(reader, "false")))
		return fault_set(reader,
			"key '%.60s': its value is missing, or a text that is not in quotes, as in \"text\"",
			key->name);
	reader->at += len;
	return true;
}

static bool is_number(char first)
{
	return first && strchr("+-0123456789", first);
}

/* An item of an array. */
static bool value_item(struct reader *reader, struct cli_toml_key *key)
{
	if (peek(reader) == '"' || peek(reader) == '\'')
		return value_string(reader, key);
	if (is_number(peek(reader)))
		return value_integer(reader, key);
	return fault_set(reader,
		"key '%.60s': an array holds strings in quotes and whole numbers here, and ends with ]", key->name);
}

/* Blanks, comments and newlines within an array. */
static void skip_lines(struct reader *reader)
{
	for (;;) {
		skip_to_line_end(reader);
		if (reader->at == reader->end || !at_line_end(reader))
			return;
		skip_newline(reader);
	}
}

static bool value_array(struct reader *reader, struct cli_toml_key *key)
{
	reader->at++;
	for (skip_lines(reader); peek(reader) != ']'; skip_lines(reader)) {
		if (!value_item(reader, key))
			return false;
		skip_lines(reader);
		if (peek(reader) == ',')
			reader->at++;
		else if (peek(reader) != ']')
			return fault_set(
				reader, "key '%.60s': a comma or ] must follow each item of an array", key->name);
	}
	reader->at++;
	return true;
}

static bool value_read(struct reader *reader, struct cli_toml_key *key)
{
	char first = peek(reader);
	if (first == '"' || first == '\'') {
		key->kind = CLI_TOML_STRING;
		return value_string(reader, key);
	}
	if (first == '[') {
		key->kind = CLI_TOML_ARRAY;
		return value_array(reader, key);
	}
	if (first == '{')
		return fault_set(reader,
			"key '%.60s': inline tables are not taken here; write a table [NAME] of its own", key->name);
	key->kind = is_number(first) ? CLI_TOML_INTEGER : CLI_TOML_BOOLEAN;
	return is_number(first) ? value_integer(reader, key) : value_boolean(reader, key);
}

/* ---- names ---- */

static size_t bare_length(const struct reader *reader)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t len = 0;
	while (reader->at + len < reader->end && strchr(bare, reader->at[len]))
		len++;
	return len;
}

/* A bare or quoted name; `what` is "table" or "key". NULL after a fault. */
static char *name_read(struct reader *reader, const char *what)
{
	char *name;
	if (peek(reader) == '"' || peek(reader) == '\'') {
		name = string_read(reader);
	} else {
		size_t len = bare_length(reader);
		name = cli_text_copy(reader->at, len);
		if (!name)
			fault_memory(reader);
		reader->at += len;
	}
	if (name && !*name) {
		free(name);
		fault_set(reader, "a %s's name is missing; it has letters, digits, '-' and '_', or stands in quotes",
			what);
		return NULL;
	}
	skip_blanks(reader);
	if (name && peek(reader) == '.') {
		fault_set(reader,
			"%s '%.60s' goes on with a dot; tables within tables are not taken here, write a name "
			"with a dot in quotes",
			what, name);
		free(name);
		return NULL;
	}
	return name;
}

/* ---- lines ---- */

static bool table_add(struct reader *reader, char *name, int line)
{
	struct cli_toml *toml = reader->toml;
	const struct cli_toml_table *before = cli_toml_table(toml, name);
	if (before) {
		fault_set(reader, "table '%.60s' is there already, in line %d; make one of them", name, before->line);
		free(name);
		return false;
	}
	struct cli_toml_table *tables = realloc(toml->tables, (toml->count + 1) * sizeof(*tables));
	if (!tables) {
		free(name);
		return fault_memory(reader);
	}
	toml->tables = tables;
	toml->tables[toml->count++] = (struct cli_toml_table){.name = name, .line = line};
	return true;
}

static bool line_table(struct reader *reader)
{
	if (starts(reader, "[["))
		return fault_set(reader, "arrays of tables are not taken here; write [NAME] in single brackets");
	reader->at++;
	skip_blanks(reader);
	char *name = name_read(reader, "table");
	if (!name)
		return false;
	if (peek(reader) != ']') {
		free(name);
		return fault_set(reader, "a table's head must end with ] behind its name, as in [prod]");
	}
	reader->at++;
	return table_add(reader, name, reader->line);
}

static void key_free(struct cli_toml_key *key)
{
	for (size_t i = 0; i < key->count; i++)
		secret_free(key->values[i]);
	free(key->values);
	free(key->name);
}

/* Takes `key` over, also when it fails. */
static bool key_add(struct reader *reader, struct cli_toml_key *key)
{
	struct cli_toml_table *table = &reader->toml->tables[reader->toml->count - 1];
	struct cli_toml_key *keys = realloc(table->keys, (table->count + 1) * sizeof(*keys));
	if (!keys) {
		key_free(key);
		return fault_memory(reader);
	}
	table->keys = keys;
	table->keys[table->count++] = *key;
	return true;
}

static bool key_check(struct reader *reader, const struct cli_toml_key *key)
{
	const struct cli_toml *toml = reader->toml;
	if (toml->count == 0)
		return fault_set(reader, "key '%.60s' stands before the first table; write [NAME] in a line above it",
			key->name);
	const struct cli_toml_key *before = cli_toml_key(&toml->tables[toml->count - 1], key->name);
	if (before)
		return fault_set(reader,
			"key '%.60s' is there already, in line %d; to repeat an option, give an array: [\"a\", \"b\"]",
			key->name, before->line);
	return peek(reader) == '=' || fault_set(reader, "a key must be followed by = and its value");
}

static bool line_key(struct reader *reader)
{
	struct cli_toml_key key = {.line = reader->line};
	key.name = name_read(reader, "key");
	if (!key.name)
		return false;
	bool ok = key_check(reader, &key);
	if (ok) {
		reader->at++;
		skip_blanks(reader);
		ok = value_read(reader, &key);
	}
	if (ok)
		return key_add(reader, &key);
	key_free(&key);
	return false;
}

static bool line_read(struct reader *reader)
{
	skip_to_line_end(reader);
	if (!at_line_end(reader)) {
		if (!(peek(reader) == '[' ? line_table(reader) : line_key(reader)))
			return false;
		skip_to_line_end(reader);
	}
	if (!at_line_end(reader))
		return fault_set(reader, "something follows on the line; only a comment, after #, may");
	if (reader->at < reader->end)
		skip_newline(reader);
	return true;
}

bool cli_toml_read(const char *text, size_t len, struct cli_toml *toml, struct cli_toml_fault *fault)
{
	struct reader reader = {text, text + len, 1, toml, fault};
	*toml = (struct cli_toml){0};
	*fault = (struct cli_toml_fault){0};
	if (starts(&reader, "\xEF\xBB\xBF")) /* as some editors begin a file of UTF-8 */
		reader.at += 3;
	bool ok = text_check(&reader);
	while (ok && reader.at < reader.end)
		ok = line_read(&reader);
	if (!ok)
		cli_toml_free(toml);
	return ok;
}

/* ---- what was read ---- */

const struct cli_toml_table *cli_toml_table(const struct cli_toml *toml, const char *name)
{
	for (size_t i = 0; i < toml->count; i++) {
		if (strcmp(toml->tables[i].name, name) == 0)
			return &toml->tables[i];
	}
	return NULL;
}

const struct cli_toml_key *cli_toml_key(const struct cli_toml_table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++) {
		if (strcmp(table->keys[i].name, name) == 0)
			return &table->keys[i];
	}
	return NULL;
}

void cli_toml_free(struct cli_toml *toml)
{
	for (size_t i = 0; i < toml->count; i++) {
		struct cli_toml_table *table = &toml->tables[i];
		for (size_t j = 0; j < table->count; j++)
			key_free(&table->keys[j]);
		free(table->keys);
		free(table->name);
	}
	free(toml->tables);
	*toml = (struct cli_toml){0};
}
