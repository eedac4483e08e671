/* SPDX-License-Identifier: Apache-2.0 */
/* valid_to_send.c: what a caller may not send is refused before it reaches a session, by the rules that the client
 * asks: topic names, filters, properties, and the texts of CONNECT. */
#include "codec/properties.h"
#include "codec/topic.h"

#include <setjmp.h>
#include <skiff/client.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum what { TOPIC, FILTER, CLIENT_ID, USER_NAME, WILL_TOPIC, RESPONSE_TOPIC, CONTENT_TYPE, USER_VALUE };

struct row {
	const char *name;
	enum what what;
	const char *good[8], *bad[12]; /* up to NULL */
};

static const struct row rows[] = {
	{"5: MQTT-4.7.3-1 MQTT-4.7.3-2 MQTT-4.7.0-1 MQTT-3.3.2-2 MQTT-3.3.2-1 MQTT-1.5.4-1; 3.1.1: MQTT-4.7.3-1 "
	 "MQTT-4.7.1-1 "
	 "MQTT-3.3.2-2 MQTT-3.3.2-1 MQTT-1.5.3-1 -- topic names",
		TOPIC, {"a", "/", "a//b", "$SYS/x", "\xf0\x9f\x9b\xb6", "\xef\xbb\xbf"},
		{"", "+", "a/+", "#", "a#b", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80"}},
	{"5: MQTT-4.7.1-1 MQTT-3.8.3-1 MQTT-3.10.3-1 MQTT-4.7.3-1; 3.1.1: MQTT-4.7.1-2 MQTT-3.8.3-1 MQTT-3.10.3-1 "
	 "MQTT-4.7.3-1 -- the multi-level wildcard",
		FILTER, {"#", "a/#", "+/#", "/#"}, {"", "a#", "#/a", "a/#/b", "a/b#", "\xff/#"}},
	{"5: MQTT-4.7.1-2; 3.1.1: MQTT-4.7.1-3 -- the single-level wildcard", FILTER, {"+", "+/+", "a/+/b", "/+"},
		{"a+", "+a", "a/b+", "a/+b/c"}},
	{"5: MQTT-4.8.2-1 MQTT-4.8.2-2 -- shared subscriptions", FILTER,
		{"$share/g/a", "$share/g/#", "$share/g//", "$shared/a"},
		{"$share//a", "$share/g", "$share/g/", "$share/+/a", "$share/g#/a", "$share/a+b/c"}},
	{"5: MQTT-3.1.3-4 MQTT-1.5.4-1; 3.1.1: MQTT-3.1.3-4 MQTT-1.5.3-1 -- client identifiers", CLIENT_ID,
		{"a", "\xc3\xbc", "with blank"}, {"\xff", "a\xed\xb0\x80"}},
	{"5: MQTT-3.1.3-12; 3.1.1: MQTT-3.1.3-11 -- user names", USER_NAME, {"a", "\xc3\xbc"}, {"\xff", "\xc3"}},
	{"5: MQTT-3.1.3-11; 3.1.1: MQTT-3.1.3-10 -- will topics", WILL_TOPIC, {"a/b"}, {"", "a/+", "\xff"}},
	{"5: MQTT-3.3.2-13 MQTT-3.3.2-14 -- response topics", RESPONSE_TOPIC, {"a/b"}, {"", "a/#", "+", "\xff"}},
	{"5: MQTT-3.3.2-19 MQTT-1.5.4-1 -- content types", CONTENT_TYPE, {"a/b", ""}, {"\xff"}},
	{"5: MQTT-1.5.7-1 -- user properties", USER_VALUE, {"a", ""}, {"\xff"}},
};

static bool options_valid(const char *text, enum what what)
{
	struct skiff_options options = {.url = "mqtt://127.0.0.1:1"};
	if (what == CLIENT_ID)
		options.client_id = text;
	else if (what == USER_NAME)
		options.user_name = text;
	else
		options.will.topic = skiff_text(text);
	struct skiff_client *client = skiff_client_new(&options, NULL);
	skiff_client_free(client);
	return client;
}

static bool properties_valid(const char *text, enum what what)
{
	const char *rule;
	struct skiff_user_property user = {skiff_text("n"), skiff_text(text)};
	struct skiff_properties properties = {0};
	if (what == RESPONSE_TOPIC)
		properties.response_topic = skiff_text(text);
	else if (what == CONTENT_TYPE)
		properties.content_type = skiff_text(text);
	else {
		properties.user = &user;
		properties.user_count = 1;
	}
	return skiffi_properties_valid(&properties, SKIFFI_IN_PUBLISH_FROM_CLIENT, &rule);
}

static bool text_valid(const char *text, enum what what)
{
	const char *rule;
	if (what == TOPIC)
		return skiffi_topic_valid(skiff_text(text), &rule);
	if (what == FILTER)
		return skiffi_filter_valid(skiff_text(text), &rule);
	return what <= WILL_TOPIC ? options_valid(text, what) : properties_valid(text, what);
}

static void row_holds(void **state)
{
	const struct row *row = *state;
	for (size_t i = 0; row->good[i]; i++)
		if (!text_valid(row->good[i], row->what))
			fail_msg("'%s' was refused", row->good[i]);
	for (size_t i = 0; row->bad[i]; i++)
		if (text_valid(row->bad[i], row->what))
			fail_msg("'%s' was accepted", row->bad[i]);
}

static void nul_and_length(void **state)
{
	static char text[65536];
	const char *rule;
	(void)state;
	memset(text, 'x', sizeof text);
	assert_true(skiffi_topic_valid((struct skiff_bytes){text, 65535}, &rule));
	assert_true(skiffi_filter_valid((struct skiff_bytes){text, 65535}, &rule));
	assert_false(skiffi_topic_valid((struct skiff_bytes){text, 65536}, &rule));
	assert_false(skiffi_filter_valid((struct skiff_bytes){text, 65536}, &rule));
	assert_false(skiffi_topic_valid((struct skiff_bytes){"a\0b", 3}, &rule));
	assert_false(skiffi_filter_valid((struct skiff_bytes){"a\0b", 3}, &rule));
}

int main(void)
{
	enum { ROWS = sizeof rows / sizeof rows[0] };
	struct CMUnitTest tests[ROWS + 1];
	for (size_t i = 0; i < ROWS; i++)
		tests[i] = (struct CMUnitTest){
			.name = rows[i].name, .test_func = row_holds, .initial_state = (void *)&rows[i]};
	tests[ROWS] = (struct CMUnitTest){.name = "5: MQTT-4.7.3-2 MQTT-4.7.3-3 MQTT-1.5.4-2; 3.1.1: MQTT-4.7.3-2 "
						  "MQTT-4.7.3-3 MQTT-1.5.3-2 -- U+0000 and too many bytes",
		.test_func = nul_and_length};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
