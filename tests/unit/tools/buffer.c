/* SPDX-License-Identifier: Apache-2.0 */
/* buffer.c: bytes that grow keep what was there, of any kind and length. */
#include "cli_buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void it_grows(void **state)
{
	struct cli_buffer buffer = {0};
	(void)state;
	cli_buffer_add(&buffer, NULL, 0);
	cli_buffer_fill(&buffer, 'x', 0);
	cli_buffer_print(&buffer, "%s", "");
	assert_int_equal(buffer.len, 0);
	for (int i = 0; i < 100000; i++)
		cli_buffer_byte(&buffer, (char)i);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buffer.data[i], (char)i);
	assert_int_equal(buffer.len, 100000);
	cli_buffer_fill(&buffer, '.', 50000);
	assert_int_equal(buffer.data[149999], '.');
	assert_false(buffer.failed);
	cli_buffer_free(&buffer);
	assert_true(!buffer.data && !buffer.len && !buffer.size);
}

/* A printed text that just fits, one that does not, and one longer than all there is. */
static void printed_at_the_edge(void **state)
{
	(void)state;
	for (size_t before = 4080; before < 4100; before++) {
		struct cli_buffer buffer = {0};
		cli_buffer_fill(&buffer, '.', before);
		cli_buffer_print(&buffer, "%08d", 12345);
		assert_int_equal(buffer.len, before + 8);
		assert_memory_equal(buffer.data + before, "00012345", 8);
		cli_buffer_print(&buffer, "%*d", 20000, 7);
		assert_int_equal(buffer.len, before + 20008);
		assert_int_equal(buffer.data[buffer.len - 1], '7');
		cli_buffer_free(&buffer);
	}
}

static void room_counts_once_committed(void **state)
{
	struct cli_buffer buffer = {0};
	(void)state;
	memset(cli_buffer_room(&buffer, 5000), 'a', 5000);
	assert_int_equal(buffer.len, 0);
	cli_buffer_commit(&buffer, 3);
	cli_buffer_add(&buffer, "\0b", 2);
	assert_int_equal(buffer.len, 5);
	assert_memory_equal(buffer.data, "aaa\0b", 5);
	cli_buffer_free(&buffer);
}

static void nothing_behind_a_failure(void **state)
{
	struct cli_buffer buffer = {.failed = true};
	(void)state;
	cli_buffer_add(&buffer, "a", 1);
	cli_buffer_fill(&buffer, 'a', 9);
	cli_buffer_print(&buffer, "%d", 1);
	assert_null(cli_buffer_room(&buffer, 1));
	assert_true(buffer.failed && !buffer.len && !buffer.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_grows),
		cmocka_unit_test(printed_at_the_edge),
		cmocka_unit_test(room_counts_once_committed),
		cmocka_unit_test(nothing_behind_a_failure),
	};
	return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
