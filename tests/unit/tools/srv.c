/* SPDX-License-Identifier: Apache-2.0 */
/* srv.c: which record of an answer is taken [RFC 2782]; what is cut, or names no host, is none. */
#include "cli_srv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A header of one question and `records` answers, and the question: the root's SRV of IN. */
static size_t answer_begin(unsigned char *answer, unsigned char records)
{
	const unsigned char head[] = {0, 7, 0x81, 0x80, 0, 1, 0, records, 0, 0, 0, 0, 0, 0, 33, 0, 1};
	memcpy(answer, head, sizeof head);
	return sizeof head;
}

/* A record of the root: `host` is one label. */
static size_t answer_add(
	unsigned char *answer, size_t len, unsigned char priority, unsigned char weight, const char *host)
{
	size_t label = strlen(host), rest = label ? label + 2 : 1;
	const unsigned char head[] = {0, 0, 33, 0, 1, 0, 0, 0, 60, 0, (unsigned char)(6 + rest), 0, priority, 0, weight,
		7, 91, (unsigned char)label};
	memcpy(answer + len, head, sizeof head);
	memcpy(answer + len + sizeof head, host, label + 1);
	return len + sizeof head + rest - 1;
}

static void lowest_priority_is_taken(void **state)
{
	unsigned char answer[512];
	struct cli_srv best = {0};
	size_t len = answer_begin(answer, 4);
	(void)state;
	len = answer_add(answer, len, 9, 200, "late");
	len = answer_add(answer, len, 3, 0, "early");
	len = answer_add(answer, len, 9, 200, "later");
	len = answer_add(answer, len, 0, 0, "");
	for (int i = 0; i < 100; i++) {
		assert_true(cli_srv_choose(answer, len, &best));
		assert_string_equal(best.host, "early");
		assert_int_equal(best.port, 7 * 256 + 91);
	}
}

/* Seven standard deviations from what is expected. */
static void weights_are_shares(void **state)
{
	enum { DRAWS = 4000 };
	unsigned char answer[512];
	size_t len = answer_begin(answer, 3);
	int thrice = 0, never = 0;
	(void)state;
	len = answer_add(answer, len, 1, 1, "once");
	len = answer_add(answer, len, 1, 3, "thrice");
	len = answer_add(answer, len, 1, 0, "never");
	for (int i = 0; i < DRAWS; i++) {
		struct cli_srv best;
		assert_true(cli_srv_choose(answer, len, &best));
		thrice += strcmp(best.host, "thrice") == 0;
		never += strcmp(best.host, "never") == 0;
	}
	assert_in_range(thrice, 3000 - 192, 3000 + 192);
	assert_true(never < 10);
}

static void every_cut_is_none(void **state)
{
	unsigned char answer[512];
	struct cli_srv best;
	size_t len = answer_begin(answer, 1);
	(void)state;
	len = answer_add(answer, len, 1, 1, "broker");
	for (size_t cut = 0; cut < len; cut++)
		assert_false(cli_srv_choose(answer, cut, &best));
	assert_true(cli_srv_choose(answer, len, &best));
}

static void what_is_no_name_is_none(void **state)
{
	static const char *const hosts[] = {"", "a/b", "user@host", "a?b", "a#b", "a:1", "a b", "\\", "a\nb", "[::1]"};
	(void)state;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		unsigned char answer[512];
		struct cli_srv best;
		size_t len = answer_add(answer, answer_begin(answer, 1), 1, 1, hosts[i]);
		if (cli_srv_choose(answer, len, &best))
			fail_msg("'%s' was taken", hosts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lowest_priority_is_taken),
		cmocka_unit_test(weights_are_shares),
		cmocka_unit_test(every_cut_is_none),
		cmocka_unit_test(what_is_no_name_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
