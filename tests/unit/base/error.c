/* SPDX-License-Identifier: Apache-2.0 */
/* error.c: the table of errors, and how their values are filled in. */
#include "base/error.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const enum skiff_code codes[] = {
#define CODE(name, class, heals, slug, text) SKIFF_##name,
	SKIFF_ERRORS(CODE)
#undef CODE
};
enum { CODES = sizeof codes / sizeof codes[0] };

static void every_code_has_a_name_and_a_text(void **state)
{
	(void)state;
	assert_int_equal(codes[0], SKIFF_OK);
	for (size_t i = 0; i < CODES; i++) {
		const char *slug = skiff_code_slug(codes[i]), *text = skiff_code_text(codes[i]);
		assert_true(strlen(slug) > 1 && strlen(text) > 1);
		for (const char *at = slug; *at; at++)
			assert_true(islower((unsigned char)*at) || isdigit((unsigned char)*at) || *at == '-');
		assert_int_not_equal(text[strlen(text) - 1], '.');
		assert_string_not_equal(skiff_class_name(skiff_code_class(codes[i])), "unknown");
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(slug, skiff_code_slug(codes[k]));
	}
}

static void a_code_out_of_range_is_a_usage_error(void **state)
{
	(void)state;
	assert_int_equal(skiff_code_class((enum skiff_code)9999), SKIFF_CLASS_USAGE);
	assert_string_equal(skiff_class_name((enum skiff_class)9999), "unknown");
}

static void fails_with_a_sentence(void **state)
{
	struct skiff_error error;
	(void)state;
	assert_int_equal(
		skiffi_fail(&error, SKIFF_TCP_REFUSED, 111, "connect '%s': %s", "h", "refused"), SKIFF_TCP_REFUSED);
	assert_int_equal(error.code, SKIFF_TCP_REFUSED);
	assert_int_equal(error.detail, 111);
	assert_string_equal(error.text, "connect 'h': refused");
	skiffi_error_prefix(&error, "publish '%s'", "t");
	assert_string_equal(error.text, "publish 't': connect 'h': refused");
	assert_int_equal(error.code, SKIFF_TCP_REFUSED);
	assert_int_equal(skiffi_fail_plain(&error, SKIFF_MEMORY), SKIFF_MEMORY);
	assert_string_equal(error.text, skiff_code_text(SKIFF_MEMORY));
	assert_int_equal(skiffi_fail(NULL, SKIFF_TIMEOUT, 0, "nobody listens"), SKIFF_TIMEOUT);
}

static void peers_cannot_write_controls_into_it(void **state)
{
	struct skiff_error error;
	(void)state;
	skiffi_fail(&error, SKIFF_MQTT_REFUSED, 0, "the broker said %s", "\x1b[2J\n");
	assert_string_equal(error.text, "the broker said \\x1b[2J\\x0a");
	skiffi_error_prefix(&error, "%s", "\a");
	assert_string_equal(error.text, "\\x07: the broker said \\x1b[2J\\x0a");
}

static void is_cut_at_its_bound(void **state)
{
	struct skiff_error error;
	char text[3 * SKIFF_ERROR_TEXT_BYTES];
	(void)state;
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	skiffi_fail(&error, SKIFF_USAGE, 0, "%s", text);
	assert_int_equal(strlen(error.text), SKIFF_ERROR_TEXT_BYTES - 1);
	skiffi_error_prefix(&error, "%s", text);
	assert_in_range(strlen(error.text), SKIFF_ERROR_TEXT_BYTES - 5, SKIFF_ERROR_TEXT_BYTES - 1);
	memset(text, '\n', sizeof text - 1);
	skiffi_fail(&error, SKIFF_USAGE, 0, "%s", text);
	assert_in_range(strlen(error.text), SKIFF_ERROR_TEXT_BYTES - 5, SKIFF_ERROR_TEXT_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_name_and_a_text),
		cmocka_unit_test(a_code_out_of_range_is_a_usage_error),
		cmocka_unit_test(fails_with_a_sentence),
		cmocka_unit_test(peers_cannot_write_controls_into_it),
		cmocka_unit_test(is_cut_at_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
