/* SPDX-License-Identifier: Apache-2.0 */
/* topic.c: validity and match of names and filters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/topic.h"
#include <stdlib.h>

static void expect_rule(bool valid, const char *rule, const char *id)
{
	assert_false(valid);
	assert_non_null(rule);
	if (!strstr(rule, id))
		fail_msg("'%s' does not cite %s", rule, id);
}

static void topic_refused(struct skiff_bytes topic, const char *id)
{
	const char *rule = NULL;
	bool valid = skiffi_topic_valid(topic, &rule);

	expect_rule(valid, rule, id);
}

static void filter_refused(const char *filter, const char *id)
{
	const char *rule = NULL;
	bool valid = skiffi_filter_valid(skiff_text(filter), &rule);

	expect_rule(valid, rule, id);
}

static void filter_accepted(const char *filter)
{
	const char *rule = NULL;

	if (!skiffi_filter_valid(skiff_text(filter), &rule))
		fail_msg("'%s' refused: %s", filter, rule);
}

static void topics_that_are_valid(void **state)
{
	static const char *const topics[] = {
		"a", "/", "//", "a/b/c", "/a", "a/", " ", "$SYS/x", "$share/a/b", "\xc3\xa4/\xe2\x82\xac"};
	const char *rule;

	(void)state;
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++)
		assert_true(skiffi_topic_valid(skiff_text(topics[i]), &rule));
}

static void topic_has_a_character_MQTT_4_7_3_1(void **state)
{
	(void)state;
	topic_refused(skiff_text(""), "[MQTT-4.7.3-1]");
	topic_refused(skiff_text(NULL), "[MQTT-4.7.3-1]");
	filter_refused("", "[MQTT-4.7.3-1]");
}

static void topic_has_no_nul_MQTT_4_7_3_2(void **state)
{
	(void)state;
	topic_refused((struct skiff_bytes){"a\0b", 3}, "[MQTT-4.7.3-2]");
}

static void topic_has_at_most_65535_bytes_MQTT_4_7_3_3(void **state)
{
	char *text = malloc(65536);
	const char *rule;

	(void)state;
	assert_non_null(text);
	memset(text, '/', 65536);
	assert_true(skiffi_topic_valid((struct skiff_bytes){text, 65535}, &rule));
	assert_true(skiffi_filter_valid((struct skiff_bytes){text, 65535}, &rule));
	topic_refused((struct skiff_bytes){text, 65536}, "[MQTT-4.7.3-3]");
	assert_false(skiffi_filter_valid((struct skiff_bytes){text, 65536}, &rule));
	assert_true(skiffi_filter_matches((struct skiff_bytes){text, 65535}, (struct skiff_bytes){text, 65535}));
	free(text);
}

static void topic_is_utf8_MQTT_1_5_4_1(void **state)
{
	(void)state;
	topic_refused(skiff_text("a\xff"), "[MQTT-1.5.4-1]");
	filter_refused("\xed\xa0\x80/#", "[MQTT-1.5.4-1]");
}

static void topic_has_no_wildcard_MQTT_3_3_2_2(void **state)
{
	(void)state;
	topic_refused(skiff_text("#"), "[MQTT-3.3.2-2]");
	topic_refused(skiff_text("a/+/b"), "[MQTT-4.7.0-1]");
	topic_refused(skiff_text("a+"), "[MQTT-3.3.2-2]");
}

static void filters_that_are_valid(void **state)
{
	static const char *const filters[] = {"a", "/", "#", "+", "/#", "/+", "+/+", "a/#", "a/+/b", "+/a/#", "+/#",
		"//#", "$SYS/#", "$share", "$sharex/#", "$shar/+", "$share/g/a", "$share/g/#", "$share/g//",
		"$share/g/+/a"};

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		filter_accepted(filters[i]);
}

static void hash_is_alone_and_last_MQTT_4_7_1_1(void **state)
{
	(void)state;
	filter_refused("a#", "[MQTT-4.7.1-1]");
	filter_refused("#/", "[MQTT-4.7.1-1]");
	filter_refused("#a", "[MQTT-4.7.1-1]");
	filter_refused("##", "[MQTT-4.7.1-1]");
	filter_refused("a/#/b", "[MQTT-4.7.1-1]");
	filter_refused("a/b#", "[MQTT-4.7.1-1]");
	filter_refused("$share/g/a#", "[MQTT-4.7.1-1]");
}

static void plus_fills_a_level_MQTT_4_7_1_2(void **state)
{
	(void)state;
	filter_refused("a+", "[MQTT-4.7.1-2]");
	filter_refused("+a", "[MQTT-4.7.1-2]");
	filter_refused("++", "[MQTT-4.7.1-2]");
	filter_refused("a/+b/c", "[MQTT-4.7.1-2]");
	filter_refused("a/b+/c", "[MQTT-4.7.1-2]");
	filter_refused("+#", "[MQTT-4.7.1-2]");
}

static void share_name_is_there_MQTT_4_8_2_1(void **state)
{
	(void)state;
	filter_refused("$share/", "[MQTT-4.8.2-1]");
	filter_refused("$share//", "[MQTT-4.8.2-1]");
	filter_refused("$share//a", "[MQTT-4.8.2-1]");
}

static void share_name_is_plain_and_a_filter_follows_MQTT_4_8_2_2(void **state)
{
	(void)state;
	filter_refused("$share/+/a", "[MQTT-4.8.2-2]");
	filter_refused("$share/#", "[MQTT-4.8.2-2]");
	filter_refused("$share/a#/a", "[MQTT-4.8.2-2]");
	filter_refused("$share/g", "[MQTT-4.8.2-2]");
	filter_refused("$share/g/", "[MQTT-4.8.2-2]");
}

static void shared_filters_are_taken_apart(void **state)
{
	struct skiff_bytes inner;

	(void)state;
	assert_true(skiffi_filter_shared(skiff_text("$share/g/a/#"), &inner));
	assert_int_equal(inner.len, 3);
	assert_memory_equal(inner.data, "a/#", 3);
	assert_false(skiffi_filter_shared(skiff_text("$share"), &inner));
	assert_int_equal(inner.len, 6);
	assert_false(skiffi_filter_shared(skiff_text("a/$share/b/c"), NULL));
	assert_true(skiffi_filter_shared(skiff_text("$share/g/a"), NULL));
}

static void matches_of_the_standard(void **state)
{
	static const struct {
		const char *filter, *topic;
		bool matches;
	} rows[] = {
		{"a", "a", true},
		{"a", "b", false},
		{"a", "A", false},
		{"a", "ab", false},
		{"ab", "a", false},
		{"a", "a/", false},
		{"a/", "a", false},
		{"/a", "a", false},
		{"a b", "a b", true},
		{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
		{"sport/tennis/player1/#", "sport/tennis/player2", false},
		{"sport/tennis/player1/#", "sport/tennis/player11", false},
		{"sport/#", "sport", true},
		{"sport/#", "sport/", true},
		{"sport/#", "sports", false},
		{"#", "a/b/c", true},
		{"#", "/", true},
		{"/#", "/", true},
		{"/#", "a", false},
		{"/#", "/a", true},
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false},
		{"sport/+", "sport/", true},
		{"+/+", "/finance", true},
		{"/+", "/finance", true},
		{"+", "/finance", false},
		{"+", "finance", true},
		{"+/a/#", "x/a", true},
		{"+/a/#", "x/a/b/c", true},
		{"+/a/#", "x/b", false},
		{"+/#", "a", true},
		{"+/+/#", "a", false},
		{"a/+/c", "a//c", true},
		{"a/+/c", "a/b/d", false},
		{"a//c", "a//c", true},
		{"a/b", "a/b/", false},
		{"a/#", "a//", true},
		{"a/+/#", "a/b", true},
		/* [MQTT-4.7.2-1] */
		{"#", "$SYS", false},
		{"#", "$SYS/a", false},
		{"+/monitor/Clients", "$SYS/monitor/Clients", false},
		{"+", "$SYS", false},
		{"$SYS/#", "$SYS/monitor", true},
		{"$SYS/#", "$SYS", true},
		{"$SYS/monitor/+", "$SYS/monitor/Clients", true},
		{"a/#", "a/$b", true},
		{"+/$b", "a/$b", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (skiffi_filter_matches(skiff_text(rows[i].filter), skiff_text(rows[i].topic)) != rows[i].matches)
			fail_msg("'%s' and '%s'", rows[i].filter, rows[i].topic);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(topics_that_are_valid),
		cmocka_unit_test(topic_has_a_character_MQTT_4_7_3_1),
		cmocka_unit_test(topic_has_no_nul_MQTT_4_7_3_2),
		cmocka_unit_test(topic_has_at_most_65535_bytes_MQTT_4_7_3_3),
		cmocka_unit_test(topic_is_utf8_MQTT_1_5_4_1),
		cmocka_unit_test(topic_has_no_wildcard_MQTT_3_3_2_2),
		cmocka_unit_test(filters_that_are_valid),
		cmocka_unit_test(hash_is_alone_and_last_MQTT_4_7_1_1),
		cmocka_unit_test(plus_fills_a_level_MQTT_4_7_1_2),
		cmocka_unit_test(share_name_is_there_MQTT_4_8_2_1),
		cmocka_unit_test(share_name_is_plain_and_a_filter_follows_MQTT_4_8_2_2),
		cmocka_unit_test(shared_filters_are_taken_apart),
		cmocka_unit_test(matches_of_the_standard),
	};

	return cmocka_run_group_tests_name("topic", tests, NULL, NULL);
}
