/* SPDX-License-Identifier: Apache-2.0 */
/* packet_connack.c: CONNACK of both versions. */
#include "cases.h"

static const struct packet_case rows[] = {
	/* accepted; under 5 a packet cut to two bytes is the form of 3.1.1 */
	{"3.1.1 accepted", V3, SERVER, 0x20, BODY("\0\0"), 0, 0},
	{"3.1.1 accepted, session present", V3, SERVER, 0x20, BODY("\1\0"), 0, 0},
	{"3.1.1 code 1", V3, SERVER, 0x20, BODY("\0\1"), 0, 0},
	{"3.1.1 code 5", V3, SERVER, 0x20, BODY("\0\5"), 0, 0},
	{"5 accepted", V5, SERVER, 0x20, BODY("\0\0\0"), 0, 1},
	{"5 accepted, session present", V5, SERVER, 0x20, BODY("\1\0\0"), 0, 1},
	{"5 not authorized", V5, SERVER, 0x20, BODY("\0\x87\0"), 0, 0},
	{"5 answered in the form of 3.1.1", V5, SERVER, 0x20, BODY("\0\1"), 0, 0},
	{"5 session expiry, receive maximum, maximum QoS, retain available", V5, SERVER, 0x20,
		BODY("\0\0\x0c\x11\0\0\0\x0a\x21\0\x14\x24\1\x25\0"), 0, 1},
	{"5 maximum packet size, assigned identifier, alias maximum, server keep alive", V5, SERVER, 0x20,
		BODY("\0\0\x10\x12\0\2id\x13\0\x1e\x22\0\x0a\x27\0\0\1\0"), 0, LOOSE | 1},
	{"5 wildcard, subscription identifiers and shared available", V5, SERVER, 0x20,
		BODY("\0\0\6\x28\0\x29\1\x2a\0"), 0, 1},
	{"5 response information, server reference, reason string, user property", V5, SERVER, 0x20,
		BODY("\0\x9c\x13\x1a\0\1r\x1c\0\1s\x1f\0\1t\x26\0\1k\0\1v"), 0, 0},
	{"5 authentication method and data", V5, SERVER, 0x20, BODY("\0\0\x0c\x15\0\5SCRAM\x16\0\1\0"), 0, 1},
	/* one rule broken */
	{"flags in the fixed header [MQTT-2.1.3-1]", V5, SERVER, 0x21, BODY("\0\0\0"), 0x81, 0},
	{"3.1.1 flags in the fixed header", V3, SERVER, 0x28, BODY("\0\0"), 0x81, 0},
	{"reserved acknowledge flags [MQTT-3.2.2-1]", V5, SERVER, 0x20, BODY("\2\0\0"), 0x81, 0},
	{"3.1.1 reserved acknowledge flags [MQTT-3.2.2-1]", V3, SERVER, 0x20, BODY("\x80\0"), 0x81, 0},
	{"empty", V5, SERVER, 0x20, BODY(""), 0x81, 0},
	{"one byte", V3, SERVER, 0x20, BODY("\0"), 0x81, 0},
	{"3.1.1 of three bytes", V3, SERVER, 0x20, BODY("\0\0\0"), 0x81, 0},
	{"session present with an error [MQTT-3.2.2-6]", V5, SERVER, 0x20, BODY("\1\x80\0"), 0x82, 0},
	{"3.1.1 session present with an error [MQTT-3.2.2-4]", V3, SERVER, 0x20, BODY("\1\1"), 0x82, 0},
	{"code of no meaning [MQTT-3.2.2-8]", V5, SERVER, 0x20, BODY("\0\1\0"), 0x82, 0},
	{"code of DISCONNECT [MQTT-3.2.2-8]", V5, SERVER, 0x20, BODY("\0\x8e\0"), 0x82, 0},
	{"3.1.1 code 6 [MQTT-3.2.2-8]", V3, SERVER, 0x20, BODY("\0\6"), 0x82, 0},
	{"5 code in the form of 3.1.1 [MQTT-3.2.2-8]", V5, SERVER, 0x20, BODY("\0\x87"), 0x82, 0},
	{"property of PUBLISH", V5, SERVER, 0x20, BODY("\0\0\3\x23\0\1"), 0x81, 0},
	{"property of CONNECT", V5, SERVER, 0x20, BODY("\0\0\2\x17\1"), 0x81, 0},
	{"receive maximum 0", V5, SERVER, 0x20, BODY("\0\0\3\x21\0\0"), 0x82, 0},
	{"receive maximum twice", V5, SERVER, 0x20, BODY("\0\0\6\x21\0\1\x21\0\1"), 0x82, 0},
	{"maximum QoS 2", V5, SERVER, 0x20, BODY("\0\0\2\x24\2"), 0x82, 0},
	{"retain available 2", V5, SERVER, 0x20, BODY("\0\0\2\x25\2"), 0x82, 0},
	{"maximum packet size 0", V5, SERVER, 0x20, BODY("\0\0\5\x27\0\0\0\0"), 0x82, 0},
	{"shared available 255", V5, SERVER, 0x20, BODY("\0\0\2\x2a\xff"), 0x82, 0},
	{"assigned identifier not UTF-8 [MQTT-1.5.4-1]", V5, SERVER, 0x20, BODY("\0\0\4\x12\0\1\xff"), 0x81, 0},
	{"bytes behind the properties", V5, SERVER, 0x20, BODY("\0\0\0\0"), 0x81, 0},
	{"properties past the end", V5, SERVER, 0x20, BODY("\0\0\1"), 0x81, 0},
};

static void old_broker_is_recognised(void **state)
{
	struct skiffi_frame frame = whole_frame("\x20\2\0\1", 4);
	struct skiffi_connack packet;
	struct skiffi_refusal why;

	(void)state;
	assert_true(skiffi_connack_decode(&frame, V5, &packet, &why));
	assert_true(packet.v311_form);
	assert_int_equal(packet.reason, 1);
	assert_true(skiffi_connack_decode(&frame, V3, &packet, &why));
	assert_false(packet.v311_form);
}

static void written_and_read(void **state)
{
	struct skiffi_connack packet = {.session_present = true}, back;
	struct skiffi_buffer out = {0};
	struct skiffi_refusal why;
	struct skiffi_frame frame;

	(void)state;
	packet.properties.has = SKIFF_HAS_SERVER_KEEP_ALIVE;
	packet.properties.server_keep_alive_s = 300;
	packet.properties.assigned_client_id = skiff_text("id");
	assert_true(skiffi_connack_encode(&out, V5, &packet));
	frame = whole_frame(skiffi_buffer_head(&out), skiffi_buffer_len(&out));
	assert_true(skiffi_connack_decode(&frame, V5, &back, &why));
	assert_true(back.session_present && !back.v311_form);
	assert_int_equal(back.properties.has, SKIFF_HAS_SERVER_KEEP_ALIVE);
	assert_int_equal(back.properties.server_keep_alive_s, 300);
	assert_bytes(back.properties.assigned_client_id, "id");
	assert_written(&out, "\x20\x0b\1\0\x08\x12\0\2id\x13\1\x2c", 13);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_broker_is_recognised),
		cmocka_unit_test(written_and_read),
	};

	return cases_run("connack", rows, COUNT(rows), tests, COUNT(tests));
}
