/* SPDX-License-Identifier: Apache-2.0 */
/* conversations.c: every conversation of every *.talk file, in each version it is for, under all ways in which its
 * input can arrive: whole, byte by byte and in larger pieces, and cut in two at each place. */
#include "session/conversation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PIECE_MAX = 12 };

/* A test and its two versions; a name with both runs twice. */
struct row {
	const struct conversation *conversation;
	int version;
};

static void conversation_test(void **state)
{
	const struct row *row = *state;
	size_t len = conversation_play(row->conversation, row->version, CHUNK_WHOLE, 0);
	/* Of a long input every cut would say the same thing many times over. */
	size_t step = len > 400 ? len / 200 : 1;
	for (size_t piece = 1; piece <= PIECE_MAX && piece < len; piece++)
		conversation_play(row->conversation, row->version, CHUNK_PIECES, piece);
	for (size_t cut = 1; cut < len; cut += step)
		conversation_play(row->conversation, row->version, CHUNK_CUT, cut);
}

static const char *const files[] = {TALKS};
enum { FILE_COUNT = sizeof files / sizeof files[0], TESTS_MAX = 1000 };

static struct CMUnitTest tests[TESTS_MAX];
static struct row rows[TESTS_MAX];
static char names[TESTS_MAX][512];
static size_t test_count;

static void tests_add(const struct conversation *conversation, int version)
{
	if (test_count == TESTS_MAX)
		abort();
	snprintf(names[test_count], sizeof names[0], "%s [MQTT %s]", conversation->name, version == 5 ? "5" : "3.1.1");
	rows[test_count] = (struct row){conversation, version};
	tests[test_count] = (struct CMUnitTest){
		.name = names[test_count], .test_func = conversation_test, .initial_state = &rows[test_count]};
	test_count++;
}

/* Arguments, when there are any, are files to play instead. */
int main(int argc, char **argv)
{
	size_t file_count = argc > 1 ? (size_t)argc - 1 : FILE_COUNT, counts[64];
	struct conversation *lists[64];
	for (size_t i = 0; i < file_count && i < 64; i++) {
		lists[i] = conversations_read(argc > 1 ? argv[i + 1] : files[i], &counts[i]);
		for (size_t k = 0; k < counts[i]; k++) {
			if (lists[i][k].v5)
				tests_add(&lists[i][k], 5);
			if (lists[i][k].v311)
				tests_add(&lists[i][k], 4);
		}
	}
	int failed = _cmocka_run_group_tests("conversations", tests, test_count, NULL, NULL);
	for (size_t i = 0; i < file_count && i < 64; i++)
		conversations_free(lists[i], counts[i]);
	return failed ? 1 : 0;
}
