/* SPDX-License-Identifier: Apache-2.0 */
/* filters.c: which handlers a topic has, against the rules of the standard and against the codec's own match. */
#include "client/client_filters.h"

#include "codec/topic.h"
#include "support/waiting.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { MANY = 10000, CALLS = 64 };

static void handler(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	(void)client;
	(void)message;
	(void)user;
}

/* The entry's own text is its user, so that a call tells its filter. */
static struct client_filter *add(struct client_filters *filters, const char *text)
{
	struct client_filter *filter = skiffi_client_filters_add(filters, skiff_text(text));
	assert_non_null(filter);
	filter->handler = handler;
	filter->user = filter->text;
	return filter;
}

static size_t match(const struct client_filters *filters, const char *topic)
{
	struct client_call calls[CALLS];
	return skiffi_client_filters_match(filters, skiff_text(topic), calls, CALLS);
}

static void expect_match(const char *filter, const char *topic, bool matches)
{
	struct client_filters filters = {0};
	add(&filters, filter);
	if (match(&filters, topic) != matches)
		fail_msg("'%s' and '%s': not %d", filter, topic, matches);
	skiffi_client_filters_release(&filters);
}

/* [MQTT-4.7.1-1] to [MQTT-4.7.3-4], and the examples of 4.7.1.2, 4.7.1.3, 4.7.2 and 4.7.3. */
static void wildcards_match_as_the_standard_says(void **state)
{
	static const struct {
		const char *filter, *topic;
		bool matches;
	} cases[] = {
		{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
		{"sport/tennis/player1/#", "sport/tennis/player10", false},
		{"sport/#", "sport", true},
		{"#", "sport", true},
		{"#", "/", true},
		{"#", "a/b/c/d/e/f/g", true},
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player2", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false},
		{"sport/+", "sport/", true},
		{"+", "sport", true},
		{"+", "", true},
		{"+", "/finance", false},
		{"+/+", "/finance", true},
		{"/+", "/finance", true},
		{"+/tennis/#", "sport/tennis/x/y", true},
		{"+/tennis/#", "sport/tennis", true},
		{"sport/+/player1", "sport/tennis/player1", true},
		{"sport/+/player1", "sport/a/b/player1", false},
		{"#", "$SYS/monitor/Clients", false},
		{"+/monitor/Clients", "$SYS/monitor/Clients", false},
		{"$SYS/#", "$SYS/monitor/Clients", true},
		{"$SYS/monitor/+", "$SYS/monitor/Clients", true},
		{"+/$SYS", "a/$SYS", true},
		{"a/#", "a/$SYS", true},
		{"ACCOUNTS", "Accounts", false},
		{"/finance", "finance", false},
		{"a/b", "a/b", true},
		{"a/b", "a/b/", false},
		{"a//b", "a//b", true},
		{"a/+/b", "a//b", true},
		{"+/+/+", "//", true},
		{"$share/group/a/+", "a/b", true},
		{"$share/group/a/b", "a/b", true},
		{"$share/group/a/b", "$share/group/a/b", false},
		{"$share/group/#", "$SYS/x", false},
		{"$share/group/$SYS/#", "$SYS/x", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_match(cases[i].filter, cases[i].topic, cases[i].matches);
}

static void every_match_is_given_even_beyond_the_room(void **state)
{
	struct client_filters filters = {0};
	struct client_call calls[2];
	(void)state;
	add(&filters, "a/b");
	add(&filters, "$share/x/a/b");
	add(&filters, "$share/y/a/b");
	add(&filters, "a/+");
	add(&filters, "#");
	assert_int_equal(skiffi_client_filters_match(&filters, skiff_text("a/b"), calls, 2), 5);
	assert_int_equal(skiffi_client_filters_match(&filters, skiff_text("a/b"), NULL, 0), 5);
	assert_ptr_equal(calls[0].handler, handler);
	skiffi_client_filters_release(&filters);
}

static void entries_are_found_and_removed_alone(void **state)
{
	static const char *const texts[] = {"a", "$share/g/a", "$share/h/a", "a/+", "$share/g/a/+", "a/#", "+", "#"};
	enum { TEXTS = sizeof texts / sizeof *texts };
	(void)state;
	for (size_t gone = 0; gone < TEXTS; gone++) {
		struct client_filters filters = {0};
		for (size_t i = 0; i < TEXTS; i++)
			add(&filters, texts[i]);
		skiffi_client_filters_remove(&filters, skiffi_client_filters_find(&filters, skiff_text(texts[gone])));
		for (size_t i = 0; i < TEXTS; i++) {
			struct client_filter *found = skiffi_client_filters_find(&filters, skiff_text(texts[i]));
			assert_int_equal(found != NULL, i != gone);
			assert_true(!found || !strcmp(found->text, texts[i]));
		}
		assert_null(skiffi_client_filters_find(&filters, skiff_text("a/b")));
		skiffi_client_filters_release(&filters);
	}
}

static void order_of_coming_is_kept(void **state)
{
	static const char *const texts[] = {"z", "a/+", "m", "#", "b"};
	struct client_filters filters = {0};
	size_t i = 0;
	(void)state;
	for (; i < 5; i++)
		add(&filters, texts[i]);
	skiffi_client_filters_remove(&filters, skiffi_client_filters_find(&filters, skiff_text("b")));
	add(&filters, "last");
	i = 0;
	for (struct client_filter *filter = filters.all; filter; filter = filter->all_next, i++)
		assert_string_equal(filter->text, i == 4 ? "last" : texts[i]);
	assert_int_equal(i, 5);
	skiffi_client_filters_release(&filters);
}

/* ---- random ---- */

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % limit;
}

static void random_levels(char *out, bool filter)
{
	static const char *const levels[] = {"a", "b", "", "$x", "long-level-of-a-topic", "+", "#"};
	unsigned count = 1 + random_below(4);
	char *at = out;
	for (unsigned i = 0; i < count; i++) {
		const char *level = levels[random_below(filter ? 7 : 5)];
		if (i)
			*at++ = '/';
		at = stpcpy(at, level);
		if (*level == '#')
			return;
	}
	if (at == out)
		strcpy(out, "a");
}

static void check_against_codec(struct client_filters *filters, char list[][128], size_t count, const char *topic)
{
	struct client_call calls[CALLS];
	size_t expected = 0;
	for (size_t i = 0; i < count; i++)
		expected += skiffi_filter_matches(skiff_text(list[i]), skiff_text(topic));
	size_t got = skiffi_client_filters_match(filters, skiff_text(topic), calls, CALLS);
	if (got != expected)
		fail_msg("'%s' has %zu, not %zu", topic, got, expected);
	for (size_t i = 0; i < got; i++)
		assert_true(skiffi_filter_matches(skiff_text(calls[i].user), skiff_text(topic)));
}

static void random_filters_match_as_the_codec_does(void **state)
{
	enum { ROUNDS = 2000, FILTERS = 40, TOPICS = 20 };
	char list[FILTERS][128], topic[128];
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct client_filters filters = {0};
		size_t count = 0;
		while (count < FILTERS) {
			random_levels(list[count], true);
			struct client_filter *there = skiffi_client_filters_find(&filters, skiff_text(list[count]));
			if (there && random_below(4) == 0) { /* take one out, and its name off the list */
				for (size_t i = 0; i < count; i++)
					if (!strcmp(list[i], there->text))
						memcpy(list[i], list[--count], sizeof list[i]);
				skiffi_client_filters_remove(&filters, there);
			} else if (!there) {
				add(&filters, list[count++]);
			} else if (random_below(8) == 0) {
				break;
			}
		}
		for (int i = 0; i < TOPICS; i++) {
			random_levels(topic, false);
			check_against_codec(&filters, list, count, topic);
		}
		skiffi_client_filters_release(&filters);
	}
}

/* ---- many ---- */

/* Of this thread, so that what else the machine does is not counted. */
static int64_t cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void many_filters_cost_a_topic_nothing(void **state)
{
	struct client_filters filters = {0};
	char text[64];
	(void)state;
	int64_t start_ms = cpu_ms();
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, i % 2 ? "site/%d/sensor/value" : "site/%d/+/value", i);
		add(&filters, text);
	}
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < MANY; i++) {
			snprintf(text, sizeof text, "site/%d/sensor/value", i);
			assert_int_equal(match(&filters, text), 1);
		}
	}
	for (struct client_filter *filter = filters.all, *next; filter; filter = next) {
		next = filter->all_next;
		skiffi_client_filters_remove(&filters, filter);
	}
	/* looking through all of them for each topic would take 2,000,000,000 comparisons */
	assert_in_range(cpu_ms() - start_ms, 0, 5000);
	assert_null(filters.all);
	skiffi_client_filters_release(&filters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wildcards_match_as_the_standard_says),
		cmocka_unit_test(every_match_is_given_even_beyond_the_room),
		cmocka_unit_test(entries_are_found_and_removed_alone),
		cmocka_unit_test(order_of_coming_is_kept),
		cmocka_unit_test(random_filters_match_as_the_codec_does),
		cmocka_unit_test(many_filters_cost_a_topic_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
