/* SPDX-License-Identifier: Apache-2.0 */
/* cli_format.c: one message in words. */
#include "cli_format.h"
#include "cli_text.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_MAX = 999999 };

/* A field of the format: its letter and how it is to be laid out. */
struct field {
	char letter;
	bool left, zero;
	int width, precision; /* 0; -1: not given */
	char separator;       /* between the digits of %x and %X */
};

static const char field_letters[] = "%ACDEFIlmPpqRSrtjJUxXfd";
static const char field_separators[] = "!\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~ ";
static const char escape_letters[] = "\\0aenrtv", escape_bytes[] = "\\\0\a\033\n\r\t\v";

/* ---- reading the format ---- */

/* Over FIELD_MAX: too much, whatever it is. */
static int field_number(const char **at)
{
	int number = 0;
	for (; **at >= '0' && **at <= '9'; ++*at)
		number = number <= FIELD_MAX ? number * 10 + (**at - '0') : number;
	return number;
}

/* Reads what follows a '%' and steps over it. The letter is 0 at the end of the format. */
static struct field field_read(const char **at)
{
	struct field field = {.precision = -1, .separator = '\0'};
	if (**at == '-') {
		field.left = true;
		++*at;
	}
	if (**at == '0') {
		field.zero = true;
		++*at;
	}
	field.width = field_number(at);
	if (**at == '.') {
		++*at;
		field.precision = field_number(at);
	}
	if (**at && strchr(field_separators, **at) && (*at)[1])
		field.separator = *(*at)++;
	field.letter = **at;
	if (**at)
		++*at;
	return field;
}

static bool format_wrong(char *why, size_t size, const char *what, char letter)
{
	if (letter)
		snprintf(why, size, "'%c' is no %s; 'man skiff-sub' lists those there are", letter, what);
	else
		snprintf(why, size, "the %s at its end is incomplete", what);
	return false;
}

bool cli_format_check(const char *format, char *why, size_t size)
{
	for (const char *at = format; *at;) {
		char kind = *at++;
		if (kind == '%') {
			struct field field = field_read(&at);
			if (!field.letter || !strchr(field_letters, field.letter))
				return format_wrong(why, size, "field", field.letter);
			if (field.width > FIELD_MAX || field.precision > FIELD_MAX) {
				snprintf(why, size, "a width has at most 6 digits; '%%%c' has more", field.letter);
				return false;
			}
		} else if (kind == '@' || kind == '\\') {
			if (!*at || (kind == '\\' && !strchr(escape_letters, *at)))
				return format_wrong(why, size, kind == '@' ? "field of the time" : "escape", *at);
			at++;
		}
	}
	return true;
}

/* ---- fields ---- */

static void field_blank(
	struct cli_buffer *out, const struct field *field, const struct cli_format_options *options, bool text)
{
	bool zero = field->zero && !(text && options->like == CLI_LIKE_20);
	cli_buffer_fill(out, zero ? '0' : ' ', (size_t)field->width);
}

static void field_int(struct cli_buffer *out, const struct field *field, long long value)
{
	if (field->left)
		cli_buffer_print(out, "%-*lld", field->width, value);
	else if (field->zero)
		cli_buffer_print(out, "%0*lld", field->width, value);
	else
		cli_buffer_print(out, "%*lld", field->width, value);
}

/* Up to a NUL in it, as printf has it. */
static void field_text(struct cli_buffer *out, const struct field *field, struct skiff_bytes text)
{
	size_t len = text.len ? strnlen(text.data, text.len) : 0;
	if (field->precision >= 0 && len > (size_t)field->precision)
		len = (size_t)field->precision;
	size_t pad = (size_t)field->width > len ? (size_t)field->width - len : 0;
	if (!field->left)
		cli_buffer_fill(out, ' ', pad);
	cli_buffer_add(out, text.data, len);
	if (field->left)
		cli_buffer_fill(out, ' ', pad);
}

/* Behind a payload to the left. Where it is longer than the field, or there is no width at all, mosquitto_sub fills as
 * many as it is too long. */
static void field_fill_right(struct cli_buffer *out, size_t width, size_t shown)
{
	cli_buffer_fill(out, ' ', width > shown ? width - shown : shown - width);
}

static void field_payload(struct cli_buffer *out, const struct field *field, struct skiff_bytes payload)
{
	size_t width = (size_t)field->width, len = width && payload.len > width ? width : payload.len;
	if (!field->left)
		cli_buffer_fill(out, field->zero ? '0' : ' ', width > len ? width - len : 0);
	cli_buffer_add(out, payload.data, len);
	if (field->left)
		field_fill_right(out, width, len);
}

static void field_bytes(struct cli_buffer *out, const struct field *field, const struct cli_format_options *options,
	const struct skiff_message *message)
{
	struct skiff_bytes bytes = field->letter == 't' ? message->topic : message->payload;
	struct cli_buffer escaped = {0};
	if (options->escape) {
		char *room = cli_buffer_room(&escaped, CLI_ESCAPE_FACTOR * bytes.len + 1);
		if (room)
			cli_buffer_commit(&escaped, cli_escape(room, bytes.data, bytes.len, "\n\t"));
		out->failed |= escaped.failed;
		bytes = (struct skiff_bytes){escaped.data, escaped.len};
	}
	if (field->letter == 't')
		field_text(out, field, bytes);
	else
		field_payload(out, field, bytes);
	cli_buffer_free(&escaped);
}

/* A character of %x, and the separator after each PRECISION of them. */
static void hex_put(struct cli_buffer *out, const struct field *field, size_t *position, char byte, bool last)
{
	cli_buffer_byte(out, byte);
	if (!last && field->precision > 0 && *position % (size_t)field->precision == (size_t)field->precision - 1)
		cli_buffer_byte(out, field->separator ? field->separator : ' ');
	++*position;
}

static void field_hex(struct cli_buffer *out, const struct field *field, const struct cli_format_options *options,
	struct skiff_bytes payload)
{
	const char *digits = field->letter == 'x' ? "0123456789abcdef" : "0123456789ABCDEF";
	const unsigned char *bytes = payload.data;
	struct field laid = *field;
	size_t width = (size_t)field->width, len = width && payload.len > width ? width : payload.len, position = 0;
	if (options->like == CLI_LIKE_20) { /* which counts the width in digits, and knows no separator */
		len = width ? len / 2 : len;
		laid.precision = -1;
	}
	size_t pad = width > 2 * len ? width - 2 * len : 0;
	for (size_t i = 0; !field->left && i < pad; i++)
		hex_put(out, &laid, &position, field->zero ? '0' : ' ', false);
	for (size_t i = 0; i < len; i++) {
		hex_put(out, &laid, &position, digits[bytes[i] >> 4], false);
		hex_put(out, &laid, &position, digits[bytes[i] & 15], i + 1 == len);
	}
	if (field->left)
		field_fill_right(out, width, width ? 2 * len : payload.len);
}

void cli_format_hex(struct cli_buffer *out, struct skiff_bytes payload)
{
	static const struct field plain = {.letter = 'x', .precision = -1};
	field_hex(out, &plain, &(struct cli_format_options){0}, payload);
}

void cli_format_base64(struct cli_buffer *out, struct skiff_bytes payload)
{
	char *room = cli_buffer_room(out, payload.len / 3 * 4 + 5);
	if (room)
		cli_buffer_commit(out, (size_t)EVP_EncodeBlock((unsigned char *)room, payload.data, (int)payload.len));
}

/* An IEEE 754 number of this machine's byte order. */
static const char *field_float(struct cli_buffer *out, const struct field *field, struct skiff_bytes payload)
{
	float narrow;
	double value;
	int precision = field->precision >= 0 ? field->precision : 6;
	if (payload.len != (field->letter == 'f' ? sizeof(narrow) : sizeof(value)))
		return field->letter == 'f' ? "a payload is not the 4 bytes of a float; its field is left out"
					    : "a payload is not the 8 bytes of a double; its field is left out";
	memcpy(field->letter == 'f' ? (void *)&narrow : &value, payload.data, payload.len);
	if (field->letter == 'f')
		value = (double)narrow;
	if (field->left)
		cli_buffer_print(out, "%-*.*f", field->width, precision, value);
	else if (field->zero)
		cli_buffer_print(out, "%0*.*f", field->width, precision, value);
	else
		cli_buffer_print(out, "%*.*f", field->width, precision, value);
	return NULL;
}

static void field_time(struct cli_buffer *out, const struct field *field, const struct timespec *when)
{
	char text[100];
	struct tm local;
	localtime_r(&when->tv_sec, &local);
	size_t len = strftime(text, sizeof(text), "%FT%T%z", &local);
	field_text(out, field, (struct skiff_bytes){text, len});
}

static void field_pairs(struct cli_buffer *out, const struct skiff_properties *properties)
{
	struct skiff_user_property pair;
	for (size_t i = 0; skiff_user_property_at(properties, i, &pair); i++) {
		if (i)
			cli_buffer_byte(out, ' ');
		cli_buffer_add(out, pair.name.data, pair.name.len);
		cli_buffer_byte(out, ':');
		cli_buffer_add(out, pair.value.data, pair.value.len);
	}
}

/* ---- the properties ---- */

static void field_number_property(struct cli_buffer *out, const struct field *field,
	const struct cli_format_options *options, const struct skiff_properties *properties, uint32_t has,
	uint32_t value)
{
	if (properties->has & has)
		field_int(out, field, (int)value);
	else
		field_blank(out, field, options, false);
}

static void field_property(struct cli_buffer *out, const struct field *field, const struct cli_format_options *options,
	const struct skiff_properties *properties)
{
	switch (field->letter) {
	case 'A':
		field_number_property(out, field, options, properties, SKIFF_HAS_TOPIC_ALIAS, properties->topic_alias);
		break;
	case 'E':
		field_number_property(
			out, field, options, properties, SKIFF_HAS_MESSAGE_EXPIRY, properties->message_expiry_s);
		break;
	case 'F':
		field_number_property(
			out, field, options, properties, SKIFF_HAS_PAYLOAD_FORMAT, properties->payload_format);
		break;
	case 'S':
		field_number_property(
			out, field, options, properties, SKIFF_HAS_SUBSCRIPTION_ID, properties->subscription_id);
		break;
	case 'C':
		if (properties->content_type.data)
			field_text(out, field, properties->content_type);
		else
			field_blank(out, field, options, true);
		break;
	case 'R':
		if (properties->response_topic.data)
			field_text(out, field, properties->response_topic);
		break;
	case 'D':
		cli_buffer_add(out, properties->correlation_data.data, properties->correlation_data.len);
		break;
	default:
		field_pairs(out, properties);
		break;
	}
}

static const char *field_add(struct cli_buffer *out, const struct field *field,
	const struct cli_format_options *options, const struct skiff_message *message, const struct timespec *when)
{
	static const struct skiff_properties none = {0};
	switch (field->letter) {
	case '%':
		cli_buffer_byte(out, '%');
		return NULL;
	case 'I':
		field_time(out, field, when);
		return NULL;
	case 'U':
		cli_buffer_print(out, "%lld.%09ld", (long long)when->tv_sec, when->tv_nsec);
		return NULL;
	case 'l':
		field_int(out, field, (long long)message->payload.len);
		return NULL;
	case 'm':
		field_int(out, field, message->packet_id);
		return NULL;
	case 'q':
		cli_buffer_byte(out, (char)('0' + message->qos));
		return NULL;
	case 'r':
		cli_buffer_byte(out, message->retain ? '1' : '0');
		return NULL;
	case 't':
	case 'p':
		field_bytes(out, field, options, message);
		return NULL;
	case 'x':
	case 'X':
		field_hex(out, field, options, message->payload);
		return NULL;
	case 'f':
	case 'd':
		return field_float(out, field, message->payload);
	case 'j':
	case 'J':
		return cli_format_json(out, options, message, when, field->letter == 'J');
	default:
		field_property(out, field, options, message->properties ? message->properties : &none);
		return NULL;
	}
}

static void time_add(struct cli_buffer *out, char letter, const struct timespec *when)
{
	char format[] = {'%', letter, '\0'}, text[100];
	struct tm local;
	if (letter == '@') {
		cli_buffer_byte(out, '@');
		return;
	}
	if (letter == 'N') {
		cli_buffer_print(out, "%09ld", when->tv_nsec);
		return;
	}
	localtime_r(&when->tv_sec, &local);
	cli_buffer_add(out, text, strftime(text, sizeof(text), format, &local));
}

const char *cli_format_add(struct cli_buffer *out, const char *format, const struct cli_format_options *options,
	const struct skiff_message *message, const struct timespec *when)
{
	const char *fault = NULL;
	for (const char *at = format; *at;) {
		size_t plain = strcspn(at, "%@\\");
		cli_buffer_add(out, at, plain);
		at += plain;
		if (*at == '%') {
			at++;
			struct field field = field_read(&at);
			const char *new_fault = field_add(out, &field, options, message, when);
			fault = new_fault ? new_fault : fault;
		} else if (*at == '@') {
			time_add(out, at[1], when);
			at += 2;
		} else if (*at) {
			cli_buffer_byte(out, escape_bytes[strchr(escape_letters, at[1]) - escape_letters]);
			at += 2;
		}
	}
	return fault;
}
