/* SPDX-License-Identifier: Apache-2.0 */
/* reason.c: which code may stand where, written down a second time from the tables of the standard, packet by packet.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/reason.h"
#include <string.h>

static void expect_exactly(enum skiffi_protocol v, enum skiffi_packet_type type, enum skiffi_sender sender,
	const char *codes, size_t count)
{
	for (unsigned code = 0; code < 256; code++)
		if (skiffi_reason_legal(v, type, sender, (uint8_t)code) != (memchr(codes, (int)code, count) != NULL))
			fail_msg("%s, code 0x%02x", skiffi_packet_name(type), code);
}

#define EXACTLY(v, type, sender, codes) expect_exactly(v, type, sender, codes, sizeof(codes) - 1)

static void connack_codes_MQTT_3_2_2_8(void **state)
{
	(void)state;
	EXACTLY(SKIFFI_V5, SKIFFI_CONNACK, SKIFFI_FROM_SERVER,
		"\0\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8c\x90\x95\x97\x99\x9a\x9b\x9c\x9d\x9f");
	EXACTLY(SKIFFI_V311, SKIFFI_CONNACK, SKIFFI_FROM_SERVER, "\0\1\2\3\4\5");
}

static void puback_codes_MQTT_3_4_2_1_and_pubrec_MQTT_3_5_2_1(void **state)
{
	(void)state;
	EXACTLY(SKIFFI_V5, SKIFFI_PUBACK, SKIFFI_FROM_SERVER, "\0\x10\x80\x83\x87\x90\x91\x97\x99");
	EXACTLY(SKIFFI_V5, SKIFFI_PUBREC, SKIFFI_FROM_CLIENT, "\0\x10\x80\x83\x87\x90\x91\x97\x99");
	EXACTLY(SKIFFI_V311, SKIFFI_PUBACK, SKIFFI_FROM_SERVER, "\0");
}

static void pubrel_codes_MQTT_3_6_2_1_and_pubcomp_MQTT_3_7_2_1(void **state)
{
	(void)state;
	EXACTLY(SKIFFI_V5, SKIFFI_PUBREL, SKIFFI_FROM_SERVER, "\0\x92");
	EXACTLY(SKIFFI_V5, SKIFFI_PUBCOMP, SKIFFI_FROM_SERVER, "\0\x92");
}

static void suback_codes_MQTT_3_9_3_2(void **state)
{
	(void)state;
	EXACTLY(SKIFFI_V5, SKIFFI_SUBACK, SKIFFI_FROM_SERVER, "\0\1\2\x80\x83\x87\x8f\x91\x97\x9e\xa1\xa2");
	EXACTLY(SKIFFI_V311, SKIFFI_SUBACK, SKIFFI_FROM_SERVER, "\0\1\2\x80");
}

static void unsuback_codes_MQTT_3_11_3_2(void **state)
{
	(void)state;
	EXACTLY(SKIFFI_V5, SKIFFI_UNSUBACK, SKIFFI_FROM_SERVER, "\0\x11\x80\x83\x87\x8f\x91");
}

static void disconnect_codes_by_sender_MQTT_3_14_2_1(void **state)
{
	(void)state;
	EXACTLY(SKIFFI_V5, SKIFFI_DISCONNECT, SKIFFI_FROM_CLIENT,
		"\0\4\x80\x81\x82\x83\x90\x93\x94\x95\x96\x97\x98\x99");
	EXACTLY(SKIFFI_V5, SKIFFI_DISCONNECT, SKIFFI_FROM_SERVER,
		"\0\x80\x81\x82\x83\x87\x89\x8b\x8c\x8d\x8e\x8f\x90\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f"
		"\xa0\xa1\xa2");
}

static void auth_codes_by_sender_MQTT_3_15_2_1(void **state)
{
	(void)state;
	EXACTLY(SKIFFI_V5, SKIFFI_AUTH, SKIFFI_FROM_CLIENT, "\x18\x19");
	EXACTLY(SKIFFI_V5, SKIFFI_AUTH, SKIFFI_FROM_SERVER, "\0\x18");
}

static void packets_without_a_reason_have_none(void **state)
{
	(void)state;
	EXACTLY(SKIFFI_V5, SKIFFI_PUBLISH, SKIFFI_FROM_SERVER, "");
	EXACTLY(SKIFFI_V5, SKIFFI_PINGRESP, SKIFFI_FROM_SERVER, "");
}

static void every_legal_code_has_words_and_an_error(void **state)
{
	(void)state;
	for (unsigned code = 0; code < 256; code++) {
		bool legal = false;
		for (unsigned type = SKIFFI_CONNACK; type <= SKIFFI_AUTH; type++)
			legal |= skiffi_reason_legal(SKIFFI_V5, type, SKIFFI_FROM_SERVER, (uint8_t)code) ||
				 skiffi_reason_legal(SKIFFI_V5, type, SKIFFI_FROM_CLIENT, (uint8_t)code);
		assert_int_equal(strcmp(skiffi_reason_text((uint8_t)code), "unknown reason") != 0, legal);
		assert_int_equal(skiffi_reason_error((uint8_t)code) == SKIFF_OK, legal && code < 0x80);
		assert_int_equal(skiffi_connack_error(SKIFFI_V5, (uint8_t)code) == SKIFF_OK, legal && code < 0x80);
		assert_int_equal(skiffi_connack_error(SKIFFI_V311, (uint8_t)code) == SKIFF_OK, code == 0);
	}
}

static void errors_name_the_cause(void **state)
{
	(void)state;
	assert_int_equal(skiffi_connack_error(SKIFFI_V311, 1), SKIFF_MQTT_VERSION);
	assert_int_equal(skiffi_connack_error(SKIFFI_V311, 2), SKIFF_MQTT_CLIENT_ID);
	assert_int_equal(skiffi_connack_error(SKIFFI_V311, 3), SKIFF_MQTT_UNAVAILABLE);
	assert_int_equal(skiffi_connack_error(SKIFFI_V311, 4), SKIFF_MQTT_BAD_CREDENTIALS);
	assert_int_equal(skiffi_connack_error(SKIFFI_V311, 5), SKIFF_MQTT_NOT_AUTHORISED);
	assert_int_equal(skiffi_connack_error(SKIFFI_V311, 6), SKIFF_MQTT_REFUSED);
	assert_int_equal(skiffi_connack_error(SKIFFI_V5, 0x86), SKIFF_MQTT_BAD_CREDENTIALS);
	assert_int_equal(skiffi_connack_error(SKIFFI_V5, 0x8a), SKIFF_MQTT_BANNED);
	assert_int_equal(skiffi_connack_error(SKIFFI_V5, 0x80), SKIFF_MQTT_REFUSED);
	assert_int_equal(skiffi_reason_error(0x8e), SKIFF_MQTT_TAKEN_OVER);
	assert_int_equal(skiffi_reason_error(0x9d), SKIFF_MQTT_MOVED);
	assert_int_equal(skiffi_reason_error(0x97), SKIFF_MQTT_REASON);
	assert_int_equal(skiffi_reason_error(0xff), SKIFF_MQTT_REASON);
	assert_string_equal(skiffi_reason_text(0x87), "Not authorized");
	assert_string_equal(skiffi_return_code_text(5), "Connection Refused, not authorized");
	assert_string_equal(skiffi_return_code_text(6), "unknown return code");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(connack_codes_MQTT_3_2_2_8),
		cmocka_unit_test(puback_codes_MQTT_3_4_2_1_and_pubrec_MQTT_3_5_2_1),
		cmocka_unit_test(pubrel_codes_MQTT_3_6_2_1_and_pubcomp_MQTT_3_7_2_1),
		cmocka_unit_test(suback_codes_MQTT_3_9_3_2),
		cmocka_unit_test(unsuback_codes_MQTT_3_11_3_2),
		cmocka_unit_test(disconnect_codes_by_sender_MQTT_3_14_2_1),
		cmocka_unit_test(auth_codes_by_sender_MQTT_3_15_2_1),
		cmocka_unit_test(packets_without_a_reason_have_none),
		cmocka_unit_test(every_legal_code_has_words_and_an_error),
		cmocka_unit_test(errors_name_the_cause),
	};

	return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
