/* SPDX-License-Identifier: Apache-2.0 */
/* tokens.c: outcomes, and who waits for them. */
#include "client/client_internal.h"

#include "base/error.h"
#include "support/waiting.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { THREADS = 16, RACES = 2000 };

static void new_token_is_not_done(void **state)
{
	struct skiff_token *token = skiffi_client_token_new(NULL);
	(void)state;
	assert_false(skiff_token_done(token));
	assert_int_equal(skiff_token_wait(token, 0), SKIFF_TIMEOUT);
	assert_int_equal(skiff_token_error(token)->code, SKIFF_OK);
	assert_string_not_equal(skiff_token_error(token)->text, "");
	assert_int_equal(skiff_token_reason(token, 0), -1);
	assert_string_equal(skiff_token_reason_string(token), "");
	assert_false(skiff_token_session_present(token));
	skiffi_client_token_end(token, NULL);
	skiff_token_free(token);
}

static void wait_ends_at_its_deadline(void **state)
{
	struct skiff_token *token = skiffi_client_token_new(NULL);
	(void)state;
	int64_t start_ms = waiting_now_ms();
	assert_int_equal(skiff_token_wait(token, 50), SKIFF_TIMEOUT);
	assert_in_range(waiting_now_ms() - start_ms, 49, 1000);
	skiffi_client_token_end(token, NULL);
	assert_int_equal(skiff_wait(token, -1), SKIFF_OK);
}

static void outcome_is_kept(void **state)
{
	struct skiff_token *token = skiffi_client_token_new(NULL);
	struct skiff_error error;
	(void)state;
	skiffi_fail(&error, SKIFF_MQTT_REASON, 0x97, "the broker refused %s", "it");
	skiffi_client_token_end(token, &error);
	error.text[0] = 'X';
	assert_true(skiff_token_done(token));
	assert_int_equal(skiff_token_wait(token, -1), SKIFF_MQTT_REASON);
	assert_int_equal(skiff_token_wait(token, 0), SKIFF_MQTT_REASON);
	assert_int_equal(skiff_token_error(token)->detail, 0x97);
	assert_string_equal(skiff_token_error(token)->text, "the broker refused it");
	skiff_token_free(token);
}

static void reasons_are_told_one_by_one(void **state)
{
	static const uint8_t reasons[] = {0, 0x87, 2};
	struct skiff_token *token = skiffi_client_token_new(NULL);
	struct skiffi_event event = {.reason = 0, .reasons = {reasons, 3}};
	(void)state;
	event.storage.reason_string = skiff_text("words");
	event.properties = &event.storage;
	skiffi_client_token_note(token, &event);
	assert_int_equal(skiff_token_reason(token, 0), -1); /* not before its end */
	skiffi_client_token_end(token, NULL);
	assert_int_equal(skiff_token_reason(token, 0), 0);
	assert_int_equal(skiff_token_reason(token, 1), 0x87);
	assert_int_equal(skiff_token_reason(token, 2), 2);
	assert_int_equal(skiff_token_reason(token, 3), -1);
	assert_string_equal(skiff_token_reason_string(token), "words");
	skiff_token_free(token);
}

static void single_reason_is_told(void **state)
{
	struct skiff_token *token = skiffi_client_token_new(NULL);
	struct skiffi_event event = {.reason = 0x10, .session_present = true};
	(void)state;
	skiffi_client_token_note(token, &event);
	skiffi_client_token_end(token, NULL);
	assert_int_equal(skiff_token_reason(token, 0), 0x10);
	assert_int_equal(skiff_token_reason(token, 1), -1);
	assert_true(skiff_token_session_present(token));
	skiff_token_free(token);
}

static void absent_token_is_out_of_memory(void **state)
{
	(void)state;
	assert_int_equal(skiff_wait(NULL, -1), SKIFF_MEMORY);
	assert_int_equal(skiff_token_wait(NULL, -1), SKIFF_MEMORY);
	assert_int_equal(skiff_token_error(NULL)->code, SKIFF_MEMORY);
	assert_false(skiff_token_done(NULL));
	assert_int_equal(skiff_token_reason(NULL, 0), -1);
	skiff_token_free(NULL);
	skiffi_client_token_end(NULL, NULL);
	skiffi_client_token_end_code(NULL, SKIFF_AGAIN);
}

static void freed_token_may_end_later(void **state)
{
	struct skiff_token *token = skiffi_client_token_new(NULL);
	(void)state;
	skiff_token_free(token);
	skiffi_client_token_end_code(token, SKIFF_CLOSED);
}

static void *wait_for_it(void *token)
{
	return skiff_token_wait(token, -1) == SKIFF_CLOSED ? token : NULL;
}

static void every_waiting_thread_wakes(void **state)
{
	struct skiff_token *token = skiffi_client_token_new(NULL);
	pthread_t threads[THREADS];
	void *result;
	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_it, token), 0);
	skiffi_client_token_end_code(token, SKIFF_CLOSED);
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		assert_ptr_equal(result, token);
	}
	skiff_token_free(token);
}

static void *end_them(void *tokens)
{
	for (size_t i = 0; i < RACES; i++)
		skiffi_client_token_end_code(((struct skiff_token **)tokens)[i], SKIFF_CLOSED);
	return NULL;
}

/* The one that ends and the one that waits and frees meet in every order. */
static void end_and_wait_may_race(void **state)
{
	static struct skiff_token *tokens[RACES];
	pthread_t thread;
	(void)state;
	for (size_t i = 0; i < RACES; i++)
		tokens[i] = skiffi_client_token_new(NULL);
	assert_int_equal(pthread_create(&thread, NULL, end_them, tokens), 0);
	for (size_t i = 0; i < RACES; i++)
		assert_int_equal(skiff_wait(tokens[i], WAITING_LONG_MS), SKIFF_CLOSED);
	pthread_join(thread, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_token_is_not_done),
		cmocka_unit_test(wait_ends_at_its_deadline),
		cmocka_unit_test(outcome_is_kept),
		cmocka_unit_test(reasons_are_told_one_by_one),
		cmocka_unit_test(single_reason_is_told),
		cmocka_unit_test(absent_token_is_out_of_memory),
		cmocka_unit_test(freed_token_may_end_later),
		cmocka_unit_test(every_waiting_thread_wakes),
		cmocka_unit_test(end_and_wait_may_race),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
