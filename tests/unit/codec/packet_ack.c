/* SPDX-License-Identifier: Apache-2.0 */
/* packet_ack.c: PUBACK, PUBREC, PUBREL and PUBCOMP. */
#include "cases.h"

static const struct packet_case rows[] = {
	/* accepted; under 5 a packet cut behind its identifier or its reason is a shorter form of itself */
	{"3.1.1 PUBACK", V3, SERVER, 0x40, BODY("\x12\x34"), 0, 0},
	{"3.1.1 PUBREC", V3, SERVER, 0x50, BODY("\x12\x34"), 0, 0},
	{"3.1.1 PUBREL [MQTT-3.6.1-1]", V3, SERVER, 0x62, BODY("\x12\x34"), 0, 0},
	{"3.1.1 PUBCOMP", V3, SERVER, 0x70, BODY("\x12\x34"), 0, 0},
	{"5 PUBACK of 2 bytes", V5, SERVER, 0x40, BODY("\x12\x34"), 0, 0},
	{"5 PUBACK of 3 bytes", V5, SERVER, 0x40, BODY("\x12\x34\x10"), 0, 1},
	{"5 PUBACK of 3 bytes, reason 0", V5, SERVER, 0x40, BODY("\x12\x34\0"), 0, LOOSE | 1},
	{"5 PUBACK of 4 bytes, no properties", V5, SERVER, 0x40, BODY("\x12\x34\x10\0"), 0, LOOSE | 2},
	{"5 PUBACK with reason string", V5, SERVER, 0x40, BODY("\x12\x34\x87\5\x1f\0\2no"), 0, 2},
	{"5 PUBACK with reason 0 and user property", V5, SERVER, 0x40, BODY("\0\1\0\7\x26\0\1k\0\1v"), 0, 2},
	{"5 PUBREC", V5, SERVER, 0x50, BODY("\x12\x34\x97"), 0, 1},
	{"5 PUBREL", V5, SERVER, 0x62, BODY("\x12\x34\x92"), 0, 1},
	{"5 PUBCOMP", V5, SERVER, 0x70, BODY("\x12\x34\x92"), 0, 1},
	/* one rule broken */
	{"PUBACK with flags [MQTT-2.1.3-1]", V5, SERVER, 0x42, BODY("\x12\x34"), 0x81, 0},
	{"3.1.1 PUBACK with flags", V3, SERVER, 0x41, BODY("\x12\x34"), 0x81, 0},
	{"PUBREC with flags [MQTT-2.1.3-1]", V5, SERVER, 0x52, BODY("\x12\x34"), 0x81, 0},
	{"PUBREL with flags 0000 [MQTT-3.6.1-1]", V5, SERVER, 0x60, BODY("\x12\x34"), 0x81, 0},
	{"3.1.1 PUBREL with flags 0011 [MQTT-3.6.1-1]", V3, SERVER, 0x63, BODY("\x12\x34"), 0x81, 0},
	{"PUBCOMP with flags [MQTT-2.1.3-1]", V5, SERVER, 0x72, BODY("\x12\x34"), 0x81, 0},
	{"PUBACK with identifier 0 [MQTT-2.2.1-4]", V5, SERVER, 0x40, BODY("\0\0"), 0x82, 0},
	{"3.1.1 PUBREC with identifier 0 [MQTT-2.3.1-1]", V3, SERVER, 0x50, BODY("\0\0"), 0x82, 0},
	{"PUBACK without identifier", V5, SERVER, 0x40, BODY(""), 0x81, 0},
	{"3.1.1 PUBACK of 1 byte", V3, SERVER, 0x40, BODY("\1"), 0x81, 0},
	{"3.1.1 PUBACK of 3 bytes", V3, SERVER, 0x40, BODY("\x12\x34\0"), 0x81, 0},
	{"3.1.1 PUBCOMP of 4 bytes", V3, SERVER, 0x70, BODY("\x12\x34\0\0"), 0x81, 0},
	{"PUBACK with a reason of PUBREL [MQTT-3.4.2-1]", V5, SERVER, 0x40, BODY("\x12\x34\x92"), 0x82, 0},
	{"PUBREC with a reason of nothing [MQTT-3.5.2-1]", V5, SERVER, 0x50, BODY("\x12\x34\x02"), 0x82, 0},
	{"PUBREL with a reason of PUBACK [MQTT-3.6.2-1]", V5, SERVER, 0x62, BODY("\x12\x34\x87"), 0x82, 0},
	{"PUBCOMP with a reason of PUBACK [MQTT-3.7.2-1]", V5, SERVER, 0x70, BODY("\x12\x34\x10"), 0x82, 0},
	{"PUBACK with a property of PUBLISH", V5, SERVER, 0x40, BODY("\x12\x34\0\2\1\1"), 0x81, 0},
	{"PUBACK with reason string twice", V5, SERVER, 0x40, BODY("\x12\x34\0\6\x1f\0\0\x1f\0\0"), 0x82, 0},
	{"PUBACK with reason string not UTF-8 [MQTT-1.5.4-1]", V5, SERVER, 0x40, BODY("\x12\x34\0\4\x1f\0\1\xff"), 0x81,
		0},
	{"PUBACK with bytes behind its properties", V5, SERVER, 0x40, BODY("\x12\x34\0\0x"), 0x81, 0},
	{"PUBACK with properties past its end", V5, SERVER, 0x40, BODY("\x12\x34\0\5\x1f\0\1"), 0x81, 0},
};

static void short_forms_MQTT_2_2_1_5(void **state)
{
	struct skiffi_ack packet = {.packet_id = 0x1234};
	struct skiffi_buffer out = {0};

	(void)state;
	assert_true(skiffi_ack_encode(&out, V3, SKIFFI_PUBACK, &packet));
	assert_written(&out, "\x40\2\x12\x34", 4);
	assert_true(skiffi_ack_encode(&out, V5, SKIFFI_PUBREL, &packet));
	assert_written(&out, "\x62\2\x12\x34", 4);
	packet.reason = 0x92;
	assert_true(skiffi_ack_encode(&out, V5, SKIFFI_PUBCOMP, &packet));
	assert_written(&out, "\x70\3\x12\x34\x92", 5);
}

static void reason_string_and_user_property(void **state)
{
	struct skiff_user_property user = {skiff_text("k"), skiff_text("v")}, back_user;
	struct skiffi_ack packet = {.packet_id = 1, .reason = 0x80}, back;
	struct skiffi_buffer out = {0};
	struct skiffi_refusal why;
	struct skiffi_frame frame;

	(void)state;
	packet.properties.reason_string = skiff_text("why");
	packet.properties.user = &user;
	packet.properties.user_count = 1;
	assert_true(skiffi_ack_encode(&out, V5, SKIFFI_PUBREC, &packet));
	frame = whole_frame(skiffi_buffer_head(&out), skiffi_buffer_len(&out));
	assert_true(skiffi_ack_decode(&frame, V5, &back, &why));
	assert_int_equal(back.packet_id, 1);
	assert_int_equal(back.reason, 0x80);
	assert_bytes(back.properties.reason_string, "why");
	assert_true(skiff_user_property_at(&back.properties, 0, &back_user));
	assert_bytes(back_user.value, "v");
	assert_written(&out, "\x50\x11\0\1\x80\x0d\x1f\0\3why\x26\0\1k\0\1v", 19);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_forms_MQTT_2_2_1_5),
		cmocka_unit_test(reason_string_and_user_property),
	};

	return cases_run("ack", rows, COUNT(rows), tests, COUNT(tests));
}
