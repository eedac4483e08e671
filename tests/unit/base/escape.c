/* SPDX-License-Identifier: Apache-2.0 */
/* escape.c: what a peer says cannot steer a terminal. */
#include "base/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *in;
	size_t len;
	const char *out;
};
#define ROW(IN, OUT) \
	{ \
		IN, sizeof(IN) - 1, OUT \
	}

static const struct row rows[] = {
	ROW("", ""),
	ROW("plain text, 100 %", "plain text, 100 %"),
	ROW("a\\b", "a\\b"),
	ROW("a\nb\r\t", "a\\x0ab\\x0d\\x09"),
	ROW("\x1b[31mred", "\\x1b[31mred"),
	ROW("nul\0in it", "nul\\x00in it"),
	ROW("\x7f", "\\x7f"),
	ROW("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"),
	ROW("\xe2\x82\xac \xf0\x9f\x9b\xb6", "\xe2\x82\xac \xf0\x9f\x9b\xb6"),
	ROW("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"),
	ROW("\xc2\x80\xc2\x9b\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\xc2\xa0"), /* C1 controls; a blank */
	ROW("\xc0\xaf\xe0\x80\xaf", "\\xc0\\xaf\\xe0\\x80\\xaf"),        /* overlong */
	ROW("\xed\xa0\x80\xed\x9f\xbf", "\\xed\\xa0\\x80\xed\x9f\xbf"),  /* a surrogate; the last before them */
	ROW("\xf4\x90\x80\x80\xf5", "\\xf4\\x90\\x80\\x80\\xf5"),        /* beyond U+10FFFF */
	ROW("\xc3", "\\xc3"),                                            /* cut */
	ROW("\xe2\x82", "\\xe2\\x82"),
	ROW("\xc3(", "\\xc3("),
	ROW("\x80\xbf", "\\x80\\xbf"),
};

static void every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char out[100];
		size_t len = skiffi_escape(out, sizeof out, rows[i].in, rows[i].len);
		assert_string_equal(out, rows[i].out);
		assert_int_equal(len, strlen(rows[i].out));
	}
}

/* Cut at every size: terminated, within bounds, and never within an escape or a character. */
static void cut_where_it_is_full(void **state)
{
	const char *in = "a\n\xc3\xbc\xf0\x9f\x9b\xb6z";
	const char *whole = "a\\x0a\xc3\xbc\xf0\x9f\x9b\xb6z";
	const size_t ends[] = {0, 1, 5, 7, 11, 12};
	(void)state;
	for (size_t size = 1; size < 20; size++) {
		char out[20];
		size_t want = 0;
		memset(out, '!', sizeof out);
		size_t len = skiffi_escape(out, size, in, strlen(in));
		for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
			if (ends[i] < size)
				want = ends[i];
		assert_int_equal(len, want);
		assert_memory_equal(out, whole, len);
		assert_int_equal(out[len], '\0');
		for (size_t i = size; i < sizeof out; i++)
			assert_int_equal(out[i], '!');
	}
	char none = '!';
	assert_int_equal(skiffi_escape(&none, 0, "a", 1), 0);
	assert_int_equal(none, '!');
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_row), cmocka_unit_test(cut_where_it_is_full)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
