/* SPDX-License-Identifier: Apache-2.0 */
/* room.c: the rest of a large packet may be read to where the session keeps it, in any pieces. */
#include "session/session.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAYLOAD_BYTES = 1 << 20, HEAD_BYTES = 7, PACKET_BYTES = HEAD_BYTES + PAYLOAD_BYTES };

static uint8_t packet[PACKET_BYTES];

/* PUBLISH of 3.1.1: QoS 0, topic "t". */
static void packet_make(void)
{
	static const uint8_t head[HEAD_BYTES] = {0x30, 0x83, 0x80, 0x40, 0, 1, 't'};
	memcpy(packet, head, sizeof head);
	for (size_t i = 0; i < PAYLOAD_BYTES; i++)
		packet[HEAD_BYTES + i] = (uint8_t)(i * 7);
}

static struct skiffi_session *session_up(const struct skiffi_session_config *config)
{
	static const uint8_t connack[] = {0x20, 2, 0, 0};
	struct skiffi_event event;
	struct skiffi_output output = {0};
	struct skiffi_session *session = skiffi_session_new(config, SKIFFI_V311);
	assert_non_null(session);
	assert_int_equal(skiffi_session_start(session, 1), SKIFF_OK);
	assert_true(skiffi_session_take_output(session, &output));
	skiffi_session_give_back(session, &output);
	skiffi_output_release(&output, &(struct skiffi_kept_pool){0});
	skiffi_session_input(session, connack, sizeof connack);
	assert_int_equal(skiffi_session_pull(session, 1, &event, 1), 1);
	assert_int_equal(skiffi_session_pull(session, 1, &event, 1), 0);
	return session;
}

/* Feeds the packet, at most `piece` bytes at a time, to the session's room where it gives one. Result: how often it
 * did. */
static unsigned feed(struct skiffi_session *session, size_t first, size_t piece)
{
	struct skiffi_event event;
	unsigned rooms = 0;
	for (size_t at = 0; at < PACKET_BYTES;) {
		size_t step = at ? piece : first, len;
		step = step < PACKET_BYTES - at ? step : PACKET_BYTES - at;
		uint8_t *room = skiffi_session_room(session, &len);
		if (room) {
			step = step < len ? step : len;
			memcpy(room, packet + at, step);
			bool whole = skiffi_session_filled(session, step, 2);
			assert_int_equal(whole, at + step == PACKET_BYTES);
			rooms++;
		} else {
			skiffi_session_input(session, packet + at, step);
		}
		at += step;
		size_t count = skiffi_session_pull(session, 2, &event, 1);
		assert_int_equal(count, at == PACKET_BYTES);
	}
	assert_int_equal(event.kind, SKIFFI_EVENT_MESSAGE);
	assert_int_equal(event.message.payload.len, PAYLOAD_BYTES);
	assert_memory_equal(event.message.payload.data, packet + HEAD_BYTES, PAYLOAD_BYTES);
	assert_int_equal(skiffi_session_pull(session, 2, &event, 1), 0);
	return rooms;
}

static void large_packet_is_read_into_its_place(void **state)
{
	static const size_t firsts[] = {1, 2, 3, 4, 6, 7, 100, 300000}, pieces[] = {1000, 65536, 1 << 21};
	struct skiffi_session_config config = {.connect = {.client_id = {"c", 1}, .clean_start = true}};
	struct skiffi_session *session = session_up(&config);
	(void)state;
	for (size_t i = 0; i < sizeof firsts / sizeof *firsts; i++)
		for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++)
			assert_true(feed(session, firsts[i], pieces[k]) > 0 || firsts[i] < 4);
	skiffi_session_free(session);
}

/* Memory comes with what has arrived, not with what is announced. */
static void announced_size_takes_no_memory(void **state)
{
	static const uint8_t head[] = {0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, 't'};
	struct skiffi_session_config config = {.connect = {.client_id = {"c", 1}, .clean_start = true}};
	struct skiffi_session *session = session_up(&config);
	struct skiffi_event event;
	size_t len;
	(void)state;
	skiffi_session_input(session, head, sizeof head);
	assert_int_equal(skiffi_session_pull(session, 2, &event, 1), 0);
	assert_non_null(skiffi_session_room(session, &len));
	assert_in_range(len, 1, 1 << 20);
	skiffi_session_free(session);
}

static void small_packet_has_no_room(void **state)
{
	struct skiffi_session_config config = {.connect = {.client_id = {"c", 1}, .clean_start = true}};
	struct skiffi_session *session = session_up(&config);
	struct skiffi_event event;
	size_t len;
	(void)state;
	assert_null(skiffi_session_room(session, &len));
	skiffi_session_input(session, (const uint8_t[]){0x30, 10, 0}, 3);
	assert_int_equal(skiffi_session_pull(session, 2, &event, 1), 0);
	assert_null(skiffi_session_room(session, &len));
	skiffi_session_free(session);
}

int main(void)
{
	packet_make();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_packet_is_read_into_its_place),
		cmocka_unit_test(announced_size_takes_no_memory),
		cmocka_unit_test(small_packet_has_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
