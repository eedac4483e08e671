/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: each field of a format with its flags, as mosquitto_sub 2.0 and 2.1 lay it out, and what is no format. */
#include "cli_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct timespec when = {1709208000, 1234567}; /* 2024-02-29T12:00:00Z */

struct row {
	const char *format, *like_20, *like_21; /* like_21 NULL: the same */
};

static const struct row rows[] = {
	{"", "", NULL},
	{"plain", "plain", NULL},
	{"%%%t%%", "%a/b%", NULL},
	{"%5t|%-5t|%.1t|%5.1t|%-5.1t|", "  a/b|a/b  |a|    a|a    |", NULL},
	{"%p|%7p|%-7p|%07p|%2p", "hello|  hello|hello  |00hello|he", NULL},
	{"%l|%4l|%-4l|%04l", "5|   5|5   |0005", NULL},
	{"%m|%5m|%-5m|%05m", "42|   42|42   |00042", NULL},
	{"%q%r", "21", NULL},
	{"%x|%X", "68656c6c6f|68656C6C6F", NULL},
	{"%-p|%-x|", "hello     |68656c6c6f     |", NULL}, /* a payload's own length */
	{"%-6x|", "6865  |", "68656c6c6f    |"},
	{"%.2x", "68656c6c6f", "68 65 6c 6c 6f"},
	{"%.2:x", "68656c6c6f", "68:65:6c:6c:6f"},
	{"%A|%E|%F|%S|%C|%R|%D|%P", "|||||||", NULL},
	{"%3A|%-3E|", "   |   |", NULL},
	{"%03A|", "000|", NULL},
	{"%03C|", "   |", "000|"},
	{"%U", "1709208000.001234567", NULL},
	{"%I", "2024-02-29T12:00:00+0000", NULL},
	{"%.10I", "2024-02-29", NULL},
	{"@Y-@m-@d @H:@M:@S.@N@@", "2024-02-29 12:00:00.001234567@", NULL},
	{"\\a\\e\\n\\r\\t\\v\\\\", "\a\033\n\r\t\v\\", NULL},
};

static const struct skiff_message hello = {
	.topic = {"a/b", 3}, .payload = {"hello", 5}, .qos = 2, .retain = true, .packet_id = 42};

static void gives(const char *format, enum cli_format_like like, const struct skiff_message *message, const char *text)
{
	struct cli_buffer out = {0};
	char why[200] = "";
	if (!cli_format_check(format, why, sizeof why))
		fail_msg("'%s': %s", format, why);
	assert_null(cli_format_add(&out, format, &(struct cli_format_options){.like = like}, message, &when));
	cli_buffer_byte(&out, '\0');
	if (strcmp(out.data, text) != 0)
		fail_msg("'%s' of %s: '%s', not '%s'", format, like == CLI_LIKE_20 ? "2.0" : "2.1", out.data, text);
	cli_buffer_free(&out);
}

static void fields_and_flags(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		gives(rows[i].format, CLI_LIKE_20, &hello, rows[i].like_20);
		gives(rows[i].format, CLI_LIKE_21, &hello, rows[i].like_21 ? rows[i].like_21 : rows[i].like_20);
	}
}

static void properties(void **state)
{
	static const struct skiff_user_property user[] = {{{"k", 1}, {"v", 1}}, {{"k", 1}, {"w", 1}}};
	static const struct skiff_properties all = {.has = SKIFF_HAS_TOPIC_ALIAS | SKIFF_HAS_MESSAGE_EXPIRY |
							   SKIFF_HAS_PAYLOAD_FORMAT | SKIFF_HAS_SUBSCRIPTION_ID,
		.topic_alias = 3,
		.message_expiry_s = 60,
		.payload_format = 1,
		.subscription_id = 9,
		.content_type = {"text", 4},
		.response_topic = {"r", 1},
		.correlation_data = {"c", 1},
		.user = user,
		.user_count = 2};
	struct skiff_message message = hello;
	(void)state;
	message.properties = &all;
	for (int like = CLI_LIKE_20; like <= CLI_LIKE_21; like++)
		gives("%A %3E %F %-3S| %6C %R %D %P", (enum cli_format_like)like, &message,
			"3  60 1 9  |   text r c k:v k:w");
}

static void numbers(void **state)
{
	float narrow = 1.5F;
	double wide = -2.25;
	struct skiff_message message = hello;
	struct cli_buffer out = {0};
	(void)state;
	message.payload = (struct skiff_bytes){&narrow, sizeof narrow};
	gives("%f|%.1f|%8.2f|%-6.1f|%06.1f", CLI_LIKE_21, &message, "1.500000|1.5|    1.50|1.5   |0001.5");
	message.payload = (struct skiff_bytes){&wide, sizeof wide};
	gives("%d|%.2d", CLI_LIKE_21, &message, "-2.250000|-2.25");
	assert_string_equal(cli_format_add(&out, "%d", &(struct cli_format_options){0}, &hello, &when),
		"a payload is not the 8 bytes of a double; its field is left out");
	assert_string_equal(cli_format_add(&out, "%J", &(struct cli_format_options){0}, &hello, &when),
		"a payload is no JSON; its message is left out of %J");
	assert_int_equal(out.len, 0);
	cli_buffer_free(&out);
}

static void json(void **state)
{
	(void)state;
	gives("%j", CLI_LIKE_20, &hello,
		"{\"tst\":\"2024-02-29T12:00:00.001234Z+0000\",\"topic\":\"a/b\",\"qos\":2,\"retain\":1,"
		"\"payloadlen\":5,\"mid\":42,\"payload\":\"hello\"}");
	gives("%j", CLI_LIKE_21, &hello,
		"{\"tst\":\"2024-02-29T12:00:00.001234+0000\",\"topic\":\"a/b\",\"qos\":2,\"retain\":true,"
		"\"payloadlen\":5,\"mid\":42,\"payload\":\"hello\"}");
}

static void faults_refused(void **state)
{
	static const char *const faults[][2] = {
		{"%", "the field at its end is incomplete"},
		{"a%-0", "the field at its end is incomplete"},
		{"%z", "'z' is no field; 'man skiff-sub' lists those there are"},
		{"@", "the field of the time at its end is incomplete"},
		{"\\", "the escape at its end is incomplete"},
		{"\\q", "'q' is no escape; 'man skiff-sub' lists those there are"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		char why[200] = "";
		if (cli_format_check(faults[i][0], why, sizeof why))
			fail_msg("'%s' was taken", faults[i][0]);
		assert_string_equal(why, faults[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_flags),
		cmocka_unit_test(properties),
		cmocka_unit_test(numbers),
		cmocka_unit_test(json),
		cmocka_unit_test(faults_refused),
	};
	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
