/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: what is written as a line is read as the same message; what mosquitto_sub prints is read too; what is no
 * message is refused with which words. */
#include "cli_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* From a heap block of exactly its length, so that a read past its end is seen. */
static bool read_exact(const char *line, size_t len, struct cli_record *record, char *why, size_t size)
{
	char *exact = malloc(len + !len);
	assert_non_null(exact);
	memcpy(exact, line, len);
	bool ok = cli_record_read(exact, len, record, why, size);
	free(exact);
	return ok;
}

static void takes(const char *line, struct cli_record *record)
{
	char why[200] = "";
	if (!read_exact(line, strlen(line), record, why, sizeof why))
		fail_msg("%s: %s", line, why);
}

static void same_bytes(struct skiff_bytes one, struct skiff_bytes other)
{
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.len ? one.data : "", one.len ? other.data : "", one.len);
}

static void is_text(struct skiff_bytes bytes, const char *text)
{
	same_bytes(skiff_text(text), bytes);
}

/* ---- round trips ---- */

static void round_trip(const struct skiff_message *message, const struct timespec *when)
{
	struct cli_buffer line = {0};
	struct cli_record record = {0};
	char why[200] = "";
	cli_record_append(&line, message, when);
	assert_false(line.failed);
	assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
	if (!read_exact(line.data, line.len, &record, why, sizeof why))
		fail_msg("%.*s: %s", (int)line.len, line.data, why);
	same_bytes(message->topic, record.message.topic);
	same_bytes(message->payload, record.message.payload);
	assert_int_equal(message->qos, record.message.qos);
	assert_int_equal(message->retain, record.message.retain);
	assert_true(record.has_time);
	assert_int_equal(when->tv_sec, record.time.tv_sec);
	assert_int_equal(when->tv_nsec, record.time.tv_nsec);
	cli_record_free(&record);
	cli_buffer_free(&line);
}

static const struct timespec noon = {1769860800, 123456789};

static void payload_round_trips(const void *data, size_t len)
{
	struct skiff_message message = {.topic = skiff_text("a/b"), .payload = {data, len}};
	round_trip(&message, &noon);
}

static void every_byte(void **state)
{
	char all[256];
	(void)state;
	for (int i = 0; i < 256; i++) {
		all[i] = (char)i;
		payload_round_trips(&all[i], 1);
	}
	payload_round_trips(all, sizeof all);
	payload_round_trips(all + 1, 127);
}

static void odd_payloads(void **state)
{
	static const char *const texts[] = {"", "\"", "\\", "\\u0000", "\\\\u0000", "a\0b", "\xf0\x9f\x9b\xb6",
		"\xe2\x80\xa8", "\x7f", "\xc2\x85", "\xff\xfe", "\xed\xa0\x80", "\xc3", "{\"a\":1}", "null",
		"\r\n\t\b\f\x1b[31m"};
	char *large = malloc(1 << 20);
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		payload_round_trips(texts[i], strlen(texts[i]));
	payload_round_trips("a\0b", 3);
	assert_non_null(large);
	for (size_t i = 0; i < 1 << 20; i++)
		large[i] = (char)(i * 7);
	payload_round_trips(large, 1 << 20);
	memset(large, '"', 1 << 20);
	payload_round_trips(large, 1 << 20);
	free(large);
}

static void odd_topics_and_flags(void **state)
{
	static const char *const topics[] = {"a", "/", "\xf0\x9f\x9b\xb6/\xc3\xbc", "say \"a\"\\", "a\tb\x7f"};
	(void)state;
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
		for (uint8_t qos = 0; qos < 3; qos++) {
			struct skiff_message message = {
				.topic = skiff_text(topics[i]), .qos = qos, .retain = qos == 1, .packet_id = qos};
			round_trip(&message, &noon);
		}
}

static void properties_come_back(void **state)
{
	static const char correlation[] = {0, 1, (char)0xff};
	struct skiff_user_property user[40];
	struct skiff_properties properties = {.has = SKIFF_HAS_PAYLOAD_FORMAT | SKIFF_HAS_MESSAGE_EXPIRY |
						     SKIFF_HAS_TOPIC_ALIAS | SKIFF_HAS_SUBSCRIPTION_ID,
		.payload_format = 1,
		.message_expiry_s = 4294967295,
		.topic_alias = 65535,
		.subscription_id = 268435455,
		.content_type = skiff_text("text/\"plain\""),
		.response_topic = skiff_text("back/\xc3\xbc"),
		.correlation_data = {correlation, sizeof correlation},
		.user = user,
		.user_count = 40};
	struct skiff_message message = {
		.topic = skiff_text("t"), .payload = skiff_text("p"), .properties = &properties};
	struct cli_buffer line = {0};
	struct cli_record record = {0};
	char why[200] = "";
	(void)state;
	for (size_t i = 0; i < 40; i++) /* all of one name */
		user[i] = (struct skiff_user_property){skiff_text("k\n"), i % 2 ? skiff_text("") : skiff_text("v\"")};
	cli_record_append(&line, &message, &noon);
	cli_buffer_byte(&line, '\0');
	assert_non_null(strstr(line.data, "\"subscription_ids\":[268435455]"));
	assert_non_null(strstr(line.data, "\"topic_alias\":65535"));
	if (!read_exact(line.data, line.len - 1, &record, why, sizeof why))
		fail_msg("%s", why);
	const struct skiff_properties *got = record.message.properties;
	assert_non_null(got);
	/* an alias and subscription ids belong to the connection that they came by */
	assert_int_equal(got->has, SKIFF_HAS_PAYLOAD_FORMAT | SKIFF_HAS_MESSAGE_EXPIRY);
	assert_int_equal(got->payload_format, 1);
	assert_int_equal(got->message_expiry_s, 4294967295);
	same_bytes(properties.content_type, got->content_type);
	same_bytes(properties.response_topic, got->response_topic);
	same_bytes(properties.correlation_data, got->correlation_data);
	assert_int_equal(got->user_count, 40);
	for (size_t i = 0; i < 40; i++) {
		same_bytes(user[i].name, got->user[i].name);
		same_bytes(user[i].value, got->user[i].value);
	}
	takes("{\"topic\":\"a\"}", &record); /* nothing of the message before */
	assert_null(record.message.properties);
	assert_int_equal(record.message.payload.len, 0);
	assert_false(record.has_time);
	cli_record_free(&record);
	cli_buffer_free(&line);
}

static void times_come_back(void **state)
{
	static const time_t seconds[] = {-1, 0, -2, -86400, 951782400, 1709164800, 4102444800, 253402300799};
	(void)state;
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
		struct skiff_message message = {.topic = skiff_text("t")};
		round_trip(&message, &(struct timespec){seconds[i], 0});
		round_trip(&message, &(struct timespec){seconds[i], 999999999});
	}
}

/* ---- times ---- */

struct moment {
	const char *text;
	time_t second;
	long ns;
};

static const struct moment moments[] = {
	{"1970-01-01T00:00:00Z", 0, 0},
	{"1969-12-31T23:59:59.5Z", -1, 500000000},
	{"2024-02-29T12:00:00.123Z", 1709208000, 123000000},
	{"2024-02-29T12:00:00.1234567899Z", 1709208000, 123456789},
	{"2024-02-29T13:00:00+01:00", 1709208000, 0},
	{"2024-02-29T13:00:00.000001+0100", 1709208000, 1000},
	{"2024-02-29T06:30:00-05:30", 1709208000, 0},
	{"2024-02-29T13:00:00.000001Z+0100", 1709208000, 1000},
};

static void times_read(void **state)
{
	struct cli_record record = {0};
	(void)state;
	for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
		char line[200];
		snprintf(line, sizeof line, "{\"topic\":\"a\",\"%s\":\"%s\"}", i % 2 ? "tst" : "time", moments[i].text);
		takes(line, &record);
		if (record.time.tv_sec != moments[i].second || record.time.tv_nsec != moments[i].ns)
			fail_msg("%s: %lld.%09ld", moments[i].text, (long long)record.time.tv_sec, record.time.tv_nsec);
	}
	cli_record_free(&record);
}

/* ---- lines of mosquitto_sub ---- */

static void mosquitto_lines(void **state)
{
	struct cli_record record = {0};
	(void)state;
	takes("{\"tst\":\"2024-02-29T13:00:00.000001Z+0100\",\"topic\":\"a\",\"qos\":1,\"retain\":1,\"payloadlen\":2,"
	      "\"mid\":3,\"properties\":{\"content-type\":\"text\",\"response-topic\":\"b\",\"correlation-data\":\"c\","
	      "\"payload-format-indicator\":1,\"message-expiry-interval\":60,\"user-properties\":{\"k\":\"v\",\"k\":"
	      "\"w\"}},"
	      "\"payload\":\"hi\"}",
		&record);
	assert_true(record.message.retain);
	assert_int_equal(record.message.qos, 1);
	is_text(record.message.payload, "hi");
	is_text(record.properties.content_type, "text");
	is_text(record.properties.response_topic, "b");
	is_text(record.properties.correlation_data, "c");
	assert_int_equal(record.properties.message_expiry_s, 60);
	assert_int_equal(record.properties.user_count, 2);
	is_text(record.user[1].name, "k");
	is_text(record.user[1].value, "w");
	takes("{\"tst\":\"2024-02-29T13:00:00.000001+0100\",\"topic\":\"a\",\"qos\":0,\"retain\":false,\"payloadlen\":"
	      "0,"
	      "\"properties\":{\"user-properties\":[{\"k\":\"v\"},{\"l\":\"w\"}]},\"payload\":null}",
		&record);
	assert_false(record.message.retain);
	assert_int_equal(record.message.payload.len, 0);
	assert_int_equal(record.properties.user_count, 2);
	is_text(record.user[1].name, "l");
	takes("{\"topic\":\"a\",\"qos\":0,\"retain\":0,\"payload\":{ \"a\" : [1, true, null] }}", &record);
	is_text(record.message.payload, "{\"a\":[1,true,null]}");
	takes("{\"topic\":\"a\",\"payload\":12}\r\n", &record);
	is_text(record.message.payload, "12");
	cli_record_free(&record);
}

/* ---- refusals ---- */

struct refusal {
	const char *line, *says;
};

static const struct refusal refusals[] = {
	{"", "it is no JSON object; 'skiff sub --json' prints such lines"},
	{"hello", "it is no JSON object"},
	{"[]", "it is no JSON object"},
	{"{\"topic\":\"a\"", "it is no JSON object"},
	{"{\"topic\":\"a\",\"payload\":\"b", "it is no JSON object"},
	{"{\"topic\":\"a\"}{\"topic\":\"b\"}", "it is no JSON object"},
	{"{}", "\"topic\" is missing"},
	{"{\"topic\":null}", "\"topic\" is missing"},
	{"{\"topic\":1}", "\"topic\" is no string"},
	{"{\"topic\":\"a\",\"qos\":3}", "\"qos\" is no whole number from 0 to 2"},
	{"{\"topic\":\"a\",\"qos\":1.5}", "\"qos\" is no whole number from 0 to 2"},
	{"{\"topic\":\"a\",\"qos\":-1}", "\"qos\" is no whole number from 0 to 2"},
	{"{\"topic\":\"a\",\"qos\":\"1\"}", "\"qos\" is no whole number from 0 to 2"},
	{"{\"topic\":\"a\",\"retain\":2}", "\"retain\" is not true or false"},
	{"{\"topic\":\"a\",\"retain\":0.5}", "\"retain\" is not true or false"},
	{"{\"topic\":\"a\",\"retain\":1.5}", "\"retain\" is not true or false"},
	{"{\"topic\":\"a\",\"retain\":\"true\"}", "\"retain\" is not true or false"},
	{"{\"topic\":\"a\",\"time\":1}", "\"time\" is no string"},
	{"{\"topic\":\"a\",\"time\":\"noon\"}", "\"time\" is not written as in 2026-01-31T12:00:00.000Z [RFC 3339]"},
	{"{\"topic\":\"a\",\"time\":\"2026-01-31T12:00:00x\"}", "\"time\" is not written as"},
	{"{\"topic\":\"a\",\"time\":\"2026-01-31T12:00:00+01:00x\"}", "\"time\" is not written as"},
	{"{\"topic\":\"a\",\"properties\":[]}", "\"properties\" is no object"},
	{"{\"topic\":\"a\",\"properties\":{\"payload_format\":2}}",
		"\"payload_format\" is no whole number from 0 to 1"},
	{"{\"topic\":\"a\",\"properties\":{\"message_expiry_s\":4294967296}}",
		"\"message_expiry_s\" is no whole number from 0 to 4294967295"},
	{"{\"topic\":\"a\",\"properties\":{\"content-type\":1}}", "\"content-type\" is no string"},
	{"{\"topic\":\"a\",\"properties\":{\"response_topic\":1}}", "\"response_topic\" is no string"},
	{"{\"topic\":\"a\",\"properties\":{\"correlation_data_base64\":\"*\"}}",
		"\"correlation_data_base64\": it is no base64 [RFC 4648]"},
	{"{\"topic\":\"a\",\"properties\":{\"user\":1}}", "\"user\" is no list of pairs"},
	{"{\"topic\":\"a\",\"properties\":{\"user\":[[\"k\",\"v\"],[\"k\"]]}}", "user property 2 is not two strings"},
	{"{\"topic\":\"a\",\"properties\":{\"user\":[[\"k\",1]]}}", "user property 1 is not two strings"},
	{"{\"topic\":\"a\",\"properties\":{\"user\":[[\"k\",\"v\",\"w\"]]}}", "user property 1 is not two strings"},
	{"{\"topic\":\"a\",\"properties\":{\"user-properties\":[{\"k\":\"v\",\"l\":\"w\"}]}}",
		"user property 1 is not two strings"},
	{"{\"topic\":\"a\",\"properties\":{\"user\":[\"k\"]}}", "user property 1 is not two strings"},
	{"{\"topic\":\"a\",\"payload\":\"b\",\"payload_base64\":\"Yg==\"}",
		"\"payload\" and \"payload_base64\" exclude each other"},
	{"{\"topic\":\"a\",\"payload_base64\":\"Y\"}", "\"payload_base64\": it is no base64 [RFC 4648]"},
	{"{\"topic\":\"a\",\"payload_base64\":1}", "\"payload_base64\" is no string"},
	{"{\"schema\":\"skiff.message/1\",\"topic\":\"a\",\"payload\":1}", "\"payload\" is no string"},
	{"{\"topic\":\"a\",\"payload\":\"b\\u0000\"}",
		"a string holds \\u0000; such a payload goes into \"payload_base64\""},
	{"{\"topic\":\"a\",\"payload\":\"\\\\\\u0000\"}", "a string holds \\u0000"},
};

static void refused(const char *line, size_t len, const char *says)
{
	struct cli_record record = {0};
	char why[200] = "";
	if (read_exact(line, len, &record, why, sizeof why))
		fail_msg("%s: was taken", line);
	if (strncmp(why, says, strlen(says)) != 0)
		fail_msg("%s: %s", line, why);
	cli_record_free(&record);
}

static void faults_refused(void **state)
{
	static const char zero[] = "{\"topic\":\"a\",\"payload\":\"b\0c\"}";
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
		refused(refusals[i].line, strlen(refusals[i].line), refusals[i].says);
	refused(zero, sizeof zero - 1, "a string holds \\u0000");
}

static void backslash_before_u0000(void **state)
{
	struct cli_record record = {0};
	(void)state;
	takes("{\"topic\":\"a\",\"payload\":\"\\\\u0000\"}", &record);
	is_text(record.message.payload, "\\u0000");
	cli_record_free(&record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_come_back), /* first: the second before 1970 was once taken for none */
		cmocka_unit_test(every_byte),
		cmocka_unit_test(odd_payloads),
		cmocka_unit_test(odd_topics_and_flags),
		cmocka_unit_test(properties_come_back),
		cmocka_unit_test(times_read),
		cmocka_unit_test(mosquitto_lines),
		cmocka_unit_test(faults_refused),
		cmocka_unit_test(backslash_before_u0000),
	};
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
