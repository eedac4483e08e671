/* SPDX-License-Identifier: Apache-2.0 */
/* packet_disconnect.c: DISCONNECT and AUTH. */
#include "cases.h"

static const struct packet_case rows[] = {
	/* accepted; the reason and the properties may be left out */
	{"3.1.1 DISCONNECT", V3, CLIENT, 0xe0, BODY(""), 0, 0},
	{"5 DISCONNECT, empty", V5, CLIENT, 0xe0, BODY(""), 0, 0},
	{"5 DISCONNECT, empty, from a server", V5, SERVER, 0xe0, BODY(""), 0, 0},
	{"5 DISCONNECT with will", V5, CLIENT, 0xe0, BODY("\4"), 0, 1},
	{"5 DISCONNECT with reason 0", V5, CLIENT, 0xe0, BODY("\0"), 0, LOOSE | 1},
	{"5 DISCONNECT without properties", V5, SERVER, 0xe0, BODY("\x8b\0"), 0, LOOSE | 2},
	{"5 DISCONNECT with session expiry from a client", V5, CLIENT, 0xe0, BODY("\0\5\x11\0\0\0\x0a"), 0, 2},
	{"5 DISCONNECT with server reference and reason string", V5, SERVER, 0xe0, BODY("\x9c\x08\x1c\0\1s\x1f\0\1t"),
		0, 2},
	{"5 DISCONNECT session taken over", V5, SERVER, 0xe0, BODY("\x8e"), 0, 1},
	{"5 AUTH, empty", V5, SERVER, 0xf0, BODY(""), 0, 0},
	{"5 AUTH of one byte", V5, SERVER, 0xf0, BODY("\0"), 0, 1},
	{"5 AUTH continue", V5, SERVER, 0xf0, BODY("\x18\x08\x15\0\1m\x16\0\1d"), 0, 1},
	{"5 AUTH re-authenticate", V5, CLIENT, 0xf0, BODY("\x19\4\x15\0\1m"), 0, 1},
	/* one rule broken */
	{"DISCONNECT with flags [MQTT-3.14.1-1]", V5, SERVER, 0xe1, BODY("\x8b"), 0x81, 0},
	{"3.1.1 DISCONNECT with flags [MQTT-3.14.1-1]", V3, CLIENT, 0xe2, BODY(""), 0x81, 0},
	{"3.1.1 DISCONNECT from a server", V3, SERVER, 0xe0, BODY(""), 0x82, 0},
	{"3.1.1 DISCONNECT with a body", V3, CLIENT, 0xe0, BODY("\0"), 0x81, 0},
	{"DISCONNECT with a reason of CONNACK [MQTT-3.14.2-1]", V5, SERVER, 0xe0, BODY("\x84"), 0x82, 0},
	{"DISCONNECT with a reason of no meaning [MQTT-3.14.2-1]", V5, SERVER, 0xe0, BODY("\x05"), 0x82, 0},
	{"DISCONNECT with will from a server [MQTT-3.14.2-1]", V5, SERVER, 0xe0, BODY("\4"), 0x82, 0},
	{"DISCONNECT of a server from a client [MQTT-3.14.2-1]", V5, CLIENT, 0xe0, BODY("\x8e"), 0x82, 0},
	{"DISCONNECT with session expiry from a server [MQTT-3.14.2-2]", V5, SERVER, 0xe0, BODY("\0\5\x11\0\0\0\x0a"),
		0x82, 0},
	{"DISCONNECT with server reference from a client", V5, CLIENT, 0xe0, BODY("\0\4\x1c\0\1s"), 0x82, 0},
	{"DISCONNECT with a property of PUBLISH", V5, SERVER, 0xe0, BODY("\x8b\2\1\1"), 0x81, 0},
	{"DISCONNECT with reason string twice", V5, SERVER, 0xe0, BODY("\x8b\6\x1f\0\0\x1f\0\0"), 0x82, 0},
	{"DISCONNECT with bytes behind its properties", V5, SERVER, 0xe0, BODY("\x8b\0\0"), 0x81, 0},
	{"DISCONNECT with properties past its end", V5, SERVER, 0xe0, BODY("\x8b\1"), 0x81, 0},
	{"3.1.1 AUTH", V3, SERVER, 0xf0, BODY(""), 0x81, 0},
	{"AUTH with flags [MQTT-3.15.1-1]", V5, SERVER, 0xf1, BODY(""), 0x81, 0},
	{"AUTH with a reason of no meaning [MQTT-3.15.2-1]", V5, SERVER, 0xf0, BODY("\1\4\x15\0\1m"), 0x82, 0},
	{"AUTH with an error [MQTT-3.15.2-1]", V5, SERVER, 0xf0, BODY("\x80\4\x15\0\1m"), 0x82, 0},
	{"AUTH without method", V5, SERVER, 0xf0, BODY("\x18"), 0x82, 0},
	{"AUTH with properties but without method", V5, SERVER, 0xf0, BODY("\0\4\x1f\0\1t"), 0x82, 0},
	{"AUTH with data but without method", V5, SERVER, 0xf0, BODY("\x18\4\x16\0\1d"), 0x82, 0},
	{"AUTH with method twice", V5, SERVER, 0xf0, BODY("\x18\x08\x15\0\1m\x15\0\1m"), 0x82, 0},
	{"AUTH with bytes behind its properties", V5, SERVER, 0xf0, BODY("\x18\4\x15\0\1mx"), 0x81, 0},
};

static void short_forms(void **state)
{
	struct skiffi_reasoned packet = {0};
	struct skiffi_buffer out = {0};

	(void)state;
	assert_true(skiffi_disconnect_encode(&out, V3, &packet));
	assert_written(&out, "\xe0\0", 2);
	assert_true(skiffi_disconnect_encode(&out, V5, &packet));
	assert_written(&out, "\xe0\0", 2);
	packet.reason = 0x82;
	assert_true(skiffi_disconnect_encode(&out, V5, &packet));
	assert_written(&out, "\xe0\1\x82", 3);
	packet.properties.has = SKIFF_HAS_SESSION_EXPIRY;
	packet.properties.session_expiry_s = 0xffffffff;
	assert_true(skiffi_disconnect_encode(&out, V5, &packet));
	assert_written(&out, "\xe0\7\x82\5\x11\xff\xff\xff\xff", 9);
}

static void auth_read_field_by_field(void **state)
{
	struct skiffi_frame frame = whole_frame("\xf0\x0a\x18\x08\x15\0\1m\x16\0\1d", 12);
	struct skiffi_reasoned packet;
	struct skiffi_refusal why;

	(void)state;
	assert_true(skiffi_auth_decode(&frame, V5, &packet, &why));
	assert_int_equal(packet.reason, 0x18);
	assert_bytes(packet.properties.authentication_method, "m");
	assert_bytes(packet.properties.authentication_data, "d");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_forms),
		cmocka_unit_test(auth_read_field_by_field),
	};

	return cases_run("disconnect", rows, COUNT(rows), tests, COUNT(tests));
}
