/* SPDX-License-Identifier: Apache-2.0 */
/* framer.c: packets out of a stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/framer.h"
#include "codec/packet.h"
#include <string.h>

static enum skiffi_framing next(const void *bytes, size_t len, size_t max, struct skiffi_frame *frame)
{
	return skiffi_frame_next(bytes, len, max, frame);
}

static void one_packet_after_the_other(void **state)
{
	static const char bytes[] = "\xd0\0\x32\5\0\1a\0\1\xe0";
	struct skiffi_frame frame;

	(void)state;
	assert_int_equal(next(bytes, 10, 100, &frame), SKIFFI_FRAME_OK);
	assert_int_equal(frame.type, SKIFFI_PINGRESP);
	assert_int_equal(frame.total_len, 2);
	assert_int_equal(next(bytes + 2, 8, 100, &frame), SKIFFI_FRAME_OK);
	assert_int_equal(frame.type, SKIFFI_PUBLISH);
	assert_int_equal(frame.flags, 2);
	assert_ptr_equal(frame.body, bytes + 4);
	assert_int_equal(frame.body_len, 5);
	assert_int_equal(frame.total_len, 7);
	assert_int_equal(next(bytes + 9, 1, 100, &frame), SKIFFI_FRAME_MORE);
	assert_int_equal(frame.total_len, 0);
	assert_int_equal(next(bytes, 0, 100, &frame), SKIFFI_FRAME_MORE);
	assert_int_equal(frame.total_len, 0);
}

static void a_cut_header_wants_more(void **state)
{
	struct skiffi_frame frame;

	(void)state;
	for (size_t len = 0; len < 5; len++) {
		assert_int_equal(next("\x30\xff\xff\xff\x7f", len, SIZE_MAX, &frame), SKIFFI_FRAME_MORE);
		assert_int_equal(frame.total_len, 0);
	}
	assert_int_equal(next("\x30\xff\xff\xff\x7f", 5, SIZE_MAX, &frame), SKIFFI_FRAME_MORE);
	assert_int_equal(frame.total_len, 5 + 268435455);
}

static void too_large_is_known_from_the_header_MQTT_3_1_2_24(void **state)
{
	struct skiffi_frame frame;

	(void)state;
	assert_int_equal(next("\x30\x64", 2, 102, &frame), SKIFFI_FRAME_MORE);
	assert_int_equal(next("\x30\x64", 2, 101, &frame), SKIFFI_FRAME_TOO_LARGE);
	assert_int_equal(frame.total_len, 102);
	assert_int_equal(next("\x30\xff\xff\xff\x7f", 5, 1 << 20, &frame), SKIFFI_FRAME_TOO_LARGE);
	assert_int_equal(frame.total_len, 5 + 268435455);
}

static void length_not_minimal_is_malformed_MQTT_1_5_5_1(void **state)
{
	static const char *const forms[] = {"\x30\x80\0", "\x30\x81\0", "\x30\xff\x80\0", "\x30\xff\xff\xff\0"};
	static const size_t lens[] = {3, 3, 4, 5};
	struct skiffi_frame frame;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(next(forms[i], lens[i], SIZE_MAX, &frame), SKIFFI_FRAME_MALFORMED);
		assert_int_equal(next(forms[i], lens[i] - 1, SIZE_MAX, &frame), SKIFFI_FRAME_MORE);
	}
}

static void length_of_five_bytes_is_malformed_MQTT_1_5_5_1(void **state)
{
	struct skiffi_frame frame;

	(void)state;
	assert_int_equal(next("\x30\xff\xff\xff\xff", 5, SIZE_MAX, &frame), SKIFFI_FRAME_MALFORMED);
	assert_int_equal(next("\x30\xff\xff\xff\xff\1", 6, SIZE_MAX, &frame), SKIFFI_FRAME_MALFORMED);
	assert_int_equal(next("\x30\x80\x80\x80\x80\1", 6, 10, &frame), SKIFFI_FRAME_MALFORMED);
}

static void packets_have_names(void **state)
{
	(void)state;
	assert_string_equal(skiffi_packet_name(0), "reserved");
	assert_string_equal(skiffi_packet_name(SKIFFI_CONNECT), "CONNECT");
	assert_string_equal(skiffi_packet_name(SKIFFI_PUBCOMP), "PUBCOMP");
	assert_string_equal(skiffi_packet_name(SKIFFI_AUTH), "AUTH");
	assert_string_equal(skiffi_packet_name(16), "reserved");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_packet_after_the_other),
		cmocka_unit_test(a_cut_header_wants_more),
		cmocka_unit_test(too_large_is_known_from_the_header_MQTT_3_1_2_24),
		cmocka_unit_test(length_not_minimal_is_malformed_MQTT_1_5_5_1),
		cmocka_unit_test(length_of_five_bytes_is_malformed_MQTT_1_5_5_1),
		cmocka_unit_test(packets_have_names),
	};

	return cmocka_run_group_tests_name("framer", tests, NULL, NULL);
}
