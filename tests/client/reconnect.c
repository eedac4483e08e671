/* SPDX-License-Identifier: Apache-2.0 */
/* reconnect.c: how long until the next attempt, and whether there is one. */
#include "client/client_internal.h"

#include "base/random.h"
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct skiff_client *client_with(int min_ms, int max_ms)
{
	struct skiff_client *client = calloc(1, sizeof *client);
	assert_non_null(client);
	client->options.reconnect.min_ms = min_ms;
	client->options.reconnect.max_ms = max_ms;
	return client;
}

static uint64_t upper_end(uint64_t limit)
{
	return limit;
}

static uint64_t lower_end(uint64_t limit)
{
	(void)limit;
	return 0;
}

static void bound_doubles_up_to_the_maximum(void **state)
{
	static const int expected[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 120000, 120000, 120000};
	struct skiff_client *client = client_with(1000, 120000);
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(skiffi_client_reconnect_delay_ms(client, i + 1, upper_end), expected[i]);
		assert_int_equal(skiffi_client_reconnect_delay_ms(client, i + 1, lower_end), 0);
	}
	assert_int_equal(skiffi_client_reconnect_delay_ms(client, 4000000000u, upper_end), 120000);
	free(client);
}

static void extreme_bounds_do_not_overflow(void **state)
{
	(void)state;
	struct skiff_client *client = client_with(INT_MAX, INT_MAX);
	assert_int_equal(skiffi_client_reconnect_delay_ms(client, 100, upper_end), INT_MAX);
	free(client);
	client = client_with(5000, 1000);
	assert_int_equal(skiffi_client_reconnect_delay_ms(client, 1, upper_end), 1000);
	free(client);
}

/* All of the range, evenly: each quarter of it gets about a quarter. */
static void delays_are_spread_over_the_whole_range(void **state)
{
	enum { DRAWS = 4000, LIMIT_MS = 400 };
	struct skiff_client *client = client_with(100, LIMIT_MS);
	unsigned quarter[4] = {0};
	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		int delay = skiffi_client_reconnect_delay_ms(client, 5, skiffi_random_upto);
		assert_in_range(delay, 0, LIMIT_MS);
		quarter[delay * 4 / (LIMIT_MS + 1)]++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(quarter[i], DRAWS / 5, DRAWS * 3 / 10);
	free(client);
}

static void only_what_heals_is_tried_again(void **state)
{
	struct skiff_client *client = client_with(1, 1);
	(void)state;
	client->was_up = true;
	assert_true(skiffi_client_reconnect_wanted(client, SKIFF_TCP_REFUSED));
	assert_true(skiffi_client_reconnect_wanted(client, SKIFF_MQTT_UNAVAILABLE));
	assert_true(skiffi_client_reconnect_wanted(client, SKIFF_MQTT_KEEP_ALIVE));
	assert_false(skiffi_client_reconnect_wanted(client, SKIFF_MQTT_BAD_CREDENTIALS));
	assert_false(skiffi_client_reconnect_wanted(client, SKIFF_TLS_HOSTNAME));
	assert_false(skiffi_client_reconnect_wanted(client, SKIFF_CLOSED));
	free(client);
}

static void only_who_wants_it_tries_again(void **state)
{
	struct skiff_client *client = client_with(1, 1);
	(void)state;
	assert_false(skiffi_client_reconnect_wanted(client, SKIFF_TCP_REFUSED)); /* the first attempt */
	client->options.reconnect.first_too = true;
	assert_true(skiffi_client_reconnect_wanted(client, SKIFF_TCP_REFUSED));
	client->options.reconnect.off = true;
	assert_false(skiffi_client_reconnect_wanted(client, SKIFF_TCP_REFUSED));
	client->options.reconnect.off = false;
	client->ending.wanted = true;
	assert_false(skiffi_client_reconnect_wanted(client, SKIFF_TCP_REFUSED));
	client->ending.wanted = false;
	client->free_wanted = true;
	assert_false(skiffi_client_reconnect_wanted(client, SKIFF_TCP_REFUSED));
	free(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_doubles_up_to_the_maximum),
		cmocka_unit_test(extreme_bounds_do_not_overflow),
		cmocka_unit_test(delays_are_spread_over_the_whole_range),
		cmocka_unit_test(only_what_heals_is_tried_again),
		cmocka_unit_test(only_who_wants_it_tries_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
