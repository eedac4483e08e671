/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c: numbers, variable byte integers, strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/wire.h"
#include <stdlib.h>

static struct skiffi_reader reader_of(const void *bytes, size_t len)
{
	return (struct skiffi_reader){.at = bytes, .end = (const uint8_t *)bytes + len};
}

static void numbers_big_endian(void **state)
{
	struct skiffi_reader reader = reader_of("\x01\x02\x03\x04\x05\x06\x07", 7);
	uint8_t u8, out[7];
	uint16_t u16;
	uint32_t u32;

	(void)state;
	assert_true(skiffi_read_u8(&reader, &u8) && skiffi_read_u16(&reader, &u16) && skiffi_read_u32(&reader, &u32));
	assert_int_equal(u8, 1);
	assert_int_equal(u16, 0x0203);
	assert_int_equal(u32, 0x04050607);
	assert_ptr_equal(skiffi_write_u32(skiffi_write_u16(skiffi_write_u8(out, u8), u16), u32), out + 7);
	assert_memory_equal(out, "\x01\x02\x03\x04\x05\x06\x07", 7);
}

static void a_read_past_the_end_reads_nothing(void **state)
{
	struct skiffi_reader reader = reader_of("\0\2a", 3);
	const uint8_t *start = reader.at;
	struct skiff_bytes bytes;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;

	(void)state;
	assert_false(skiffi_read_u32(&reader, &u32));
	assert_false(skiffi_read_binary(&reader, &bytes));
	assert_ptr_equal(reader.at, start);
	reader.end = reader.at + 1;
	assert_false(skiffi_read_u16(&reader, &u16));
	assert_false(skiffi_read_binary(&reader, &bytes));
	reader.end = reader.at;
	assert_false(skiffi_read_u8(&reader, &u8));
	assert_false(skiffi_read_varint(&reader, &u32));
	assert_ptr_equal(reader.at, start);
}

static void binary_may_be_empty(void **state)
{
	struct skiffi_reader reader = reader_of("\0\0\0\1x", 5);
	struct skiff_bytes bytes;
	uint8_t out[3];

	(void)state;
	assert_true(skiffi_read_binary(&reader, &bytes));
	assert_int_equal(bytes.len, 0);
	assert_non_null(bytes.data);
	assert_true(skiffi_read_binary(&reader, &bytes));
	assert_int_equal(bytes.len, 1);
	assert_ptr_equal(reader.at, reader.end);
	assert_ptr_equal(skiffi_write_binary(out, bytes), out + 3);
	assert_memory_equal(out, "\0\1x", 3);
	assert_ptr_equal(skiffi_write_binary(out, (struct skiff_bytes){0}), out + 2);
}

static void varint_limits_of_the_standard(void **state)
{
	static const struct {
		uint32_t value;
		const char *bytes;
		size_t len;
	} rows[] = {{0, "\0", 1}, {1, "\1", 1}, {127, "\x7f", 1}, {128, "\x80\1", 2}, {16383, "\xff\x7f", 2},
		{16384, "\x80\x80\1", 3}, {2097151, "\xff\xff\x7f", 3}, {2097152, "\x80\x80\x80\1", 4},
		{268435455, "\xff\xff\xff\x7f", 4}};
	uint8_t out[4];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct skiffi_reader reader = reader_of(rows[i].bytes, rows[i].len);
		uint32_t value;
		assert_int_equal(skiffi_varint_len(rows[i].value), rows[i].len);
		assert_ptr_equal(skiffi_write_varint(out, rows[i].value), out + rows[i].len);
		assert_memory_equal(out, rows[i].bytes, rows[i].len);
		assert_true(skiffi_read_varint(&reader, &value));
		assert_int_equal(value, rows[i].value);
		assert_ptr_equal(reader.at, reader.end);
		reader = reader_of(rows[i].bytes, rows[i].len - 1);
		assert_false(skiffi_read_varint(&reader, &value));
	}
}

static void varint_not_minimal_is_refused_MQTT_1_5_5_1(void **state)
{
	static const char *const forms[] = {
		"\x80\0", "\x81\0", "\xff\x80\0", "\xff\xff\xff\0", "\x80\x80\x80\x80\1", "\xff\xff\xff\xff\x7f"};
	static const size_t lens[] = {2, 2, 3, 4, 5, 5};

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct skiffi_reader reader = reader_of(forms[i], lens[i]);
		const uint8_t *start = reader.at;
		uint32_t value;
		assert_false(skiffi_read_varint(&reader, &value));
		assert_ptr_equal(reader.at, start);
	}
}

/* The same text at every place of a longer one, so that the fast and the slow path both see it; in memory of its own
 * length, so that a read past it is seen. */
static void expect_scan(const char *text, size_t len, enum skiffi_text wanted, enum skiffi_text wanted_topic)
{
	for (size_t before = 0; before < 20; before++) {
		for (size_t after = 0; after < 20; after++) {
			size_t all = before + len + after;
			char *copy = malloc(all + !all);
			assert_non_null(copy);
			memset(copy, 'x', all);
			if (len)
				memcpy(copy + before, text, len);
			assert_int_equal(skiffi_text_scan((struct skiff_bytes){copy, all}), wanted);
			assert_int_equal(skiffi_topic_scan((struct skiff_bytes){copy, all}), wanted_topic);
			free(copy);
		}
	}
}

static void good(const char *text)
{
	expect_scan(text, strlen(text), SKIFFI_TEXT_OK, SKIFFI_TEXT_OK);
}

static void ill_formed(const char *text)
{
	expect_scan(text, strlen(text), SKIFFI_TEXT_ILL_FORMED, SKIFFI_TEXT_ILL_FORMED);
}

static void utf8_well_formed_is_accepted(void **state)
{
	(void)state;
	good("");
	good("a");
	good("\x01\x1f\x7f"); /* controls are discouraged, not forbidden */
	good("\xc2\x80\xdf\xbf");
	good("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
	good("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
	good("*,\"$%&'()!/-._:;<=>?@[\\]^`{|}~"); /* the neighbours of '+' and '#' */
	assert_true(skiffi_utf8_valid((struct skiff_bytes){0}));
}

static void byte_order_mark_is_data_MQTT_1_5_4_3(void **state)
{
	(void)state;
	good("\xef\xbb\xbf");
}

static void utf8_ill_formed_is_refused_MQTT_1_5_4_1(void **state)
{
	(void)state;
	ill_formed("\x80");
	ill_formed("\xbf");
	ill_formed("\xc0\x80"); /* too long a form */
	ill_formed("\xc1\xbf");
	ill_formed("\xe0\x9f\xbf");
	ill_formed("\xf0\x8f\xbf\xbf");
	ill_formed("\xf4\x90\x80\x80"); /* above U+10FFFF */
	ill_formed("\xf5\x80\x80\x80");
	ill_formed("\xfe");
	ill_formed("\xff");
	ill_formed("\xc2"); /* cut */
	ill_formed("\xe2\x82");
	ill_formed("\xf0\x9f\x98");
	ill_formed("\xc2"
		   "a");
	ill_formed("\xe2\x82"
		   "a");
	ill_formed("\xf0\x9f\x98"
		   "a");
}

static void surrogates_are_refused_MQTT_1_5_4_1(void **state)
{
	(void)state;
	ill_formed("\xed\xa0\x80");
	ill_formed("\xed\xbf\xbf");
	ill_formed("\xed\xa0\xbd\xed\xb8\x80");
}

static void nul_is_refused_MQTT_1_5_4_2(void **state)
{
	(void)state;
	expect_scan("", 1, SKIFFI_TEXT_NUL, SKIFFI_TEXT_NUL);
	expect_scan("\xc3\xa4\0", 3, SKIFFI_TEXT_NUL, SKIFFI_TEXT_NUL);
}

static void wildcards_are_seen_in_a_topic_only(void **state)
{
	(void)state;
	expect_scan("+", 1, SKIFFI_TEXT_OK, SKIFFI_TEXT_WILDCARD);
	expect_scan("#", 1, SKIFFI_TEXT_OK, SKIFFI_TEXT_WILDCARD);
	expect_scan("\xc3\xa4#", 3, SKIFFI_TEXT_OK, SKIFFI_TEXT_WILDCARD);
}

static void each_single_byte(void **state)
{
	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		char text = (char)byte;
		enum skiffi_text wanted = byte < 0x80 ? SKIFFI_TEXT_OK : SKIFFI_TEXT_ILL_FORMED;
		bool wild = text == '+' || text == '#';
		expect_scan(&text, 1, wanted, wild ? SKIFFI_TEXT_WILDCARD : wanted);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_big_endian),
		cmocka_unit_test(a_read_past_the_end_reads_nothing),
		cmocka_unit_test(binary_may_be_empty),
		cmocka_unit_test(varint_limits_of_the_standard),
		cmocka_unit_test(varint_not_minimal_is_refused_MQTT_1_5_5_1),
		cmocka_unit_test(utf8_well_formed_is_accepted),
		cmocka_unit_test(byte_order_mark_is_data_MQTT_1_5_4_3),
		cmocka_unit_test(utf8_ill_formed_is_refused_MQTT_1_5_4_1),
		cmocka_unit_test(surrogates_are_refused_MQTT_1_5_4_1),
		cmocka_unit_test(nul_is_refused_MQTT_1_5_4_2),
		cmocka_unit_test(wildcards_are_seen_in_a_topic_only),
		cmocka_unit_test(each_single_byte),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
