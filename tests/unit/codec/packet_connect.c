/* SPDX-License-Identifier: Apache-2.0 */
/* packet_connect.c: CONNECT of both versions. */
#include "cases.h"

#define NAME "\0\4MQTT"

static const struct packet_case rows[] = {
	/* accepted */
	{"3.1.1 clean, empty identifier", V3, CLIENT, 0x10, BODY(NAME "\4\2\0\x3c\0\0"), 0, 0},
	{"3.1.1 with identifier, keep session", V3, CLIENT, 0x10, BODY(NAME "\4\0\0\x3c\0\2id"), 0, 0},
	{"3.1.1 everything", V3, CLIENT, 0x10, BODY(NAME "\4\xf6\xff\xff\0\2id\0\1t\0\1p\0\1u\0\2pw"), 0, 0},
	{"3.1.1 user name alone", V3, CLIENT, 0x10, BODY(NAME "\4\x82\0\0\0\0\0\1u"), 0, 0},
	{"3.1.1 empty will payload and password", V3, CLIENT, 0x10, BODY(NAME "\4\xc6\0\0\0\0\0\1t\0\0\0\0\0\0"), 0, 0},
	{"3.1 with identifier", SKIFFI_V31, CLIENT, 0x10, BODY("\0\6MQIsdp\3\2\0\x3c\0\2id"), 0, 0},
	{"5 clean, empty identifier", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\x3c\0\0\0"), 0, 0},
	{"5 keep session, empty identifier", V5, CLIENT, 0x10, BODY(NAME "\5\0\0\x3c\0\0\0"), 0, 0},
	{"5 password without user name [MQTT-3.1.2-19]", V5, CLIENT, 0x10, BODY(NAME "\5\x42\0\0\0\0\0\0\2pw"), 0, 0},
	{"5 every property", V5, CLIENT, 0x10,
		BODY(NAME "\5\2\0\x3c\x23\x11\0\0\0\x0a\x15\0\1m\x16\0\1d\x17\0\x19\1\x21\0\x0a\x22\0\5"
			  "\x27\0\1\0\0\x26\0\1k\0\1v\0\0"),
		0, LOOSE | 0},
	{"5 will with every property", V5, CLIENT, 0x10,
		BODY(NAME "\5\x2e\0\x3c\0\0\1i\x24\1\1\2\0\0\0\x0a\3\0\1c\x08\0\1r\x09\0\1d\x18\0\0\0\5\x26\0\1k\0\1v"
			  "\x26\0\0\0\0\0\1t\0\2pl"),
		0, LOOSE | 0},
	/* one rule broken */
	{"flags in the fixed header [MQTT-2.1.3-1]", V5, CLIENT, 0x11, BODY(NAME "\5\2\0\0\0\0\0"), 0x81, 0},
	{"protocol name of 3.1 with another level [MQTT-3.1.2-2]", V3, CLIENT, 0x10, BODY("\0\6MQIsdp\4\2\0\0\0\0"),
		0x84, 0},
	{"protocol name in small letters [MQTT-3.1.2-1]", V5, CLIENT, 0x10, BODY("\0\4mqtt\5\2\0\0\0\0\0"), 0x84, 0},
	{"protocol level 6 [MQTT-3.1.2-2]", V5, CLIENT, 0x10, BODY(NAME "\6\2\0\0\0\0\0"), 0x84, 0},
	{"protocol level of a bridge [MQTT-3.1.2-2]", V3, CLIENT, 0x10, BODY(NAME "\x84\2\0\0\0\0"), 0x84, 0},
	{"empty", V5, CLIENT, 0x10, BODY(""), 0x81, 0},
	{"reserved flag [MQTT-3.1.2-3]", V5, CLIENT, 0x10, BODY(NAME "\5\3\0\0\0\0\0"), 0x81, 0},
	{"3.1.1 reserved flag [MQTT-3.1.2-3]", V3, CLIENT, 0x10, BODY(NAME "\4\3\0\0\0\0"), 0x81, 0},
	{"will QoS 3 [MQTT-3.1.2-12]", V5, CLIENT, 0x10, BODY(NAME "\5\x1e\0\0\0\0\0\0\0\1t\0\0"), 0x81, 0},
	{"3.1.1 will QoS 3 [MQTT-3.1.2-14]", V3, CLIENT, 0x10, BODY(NAME "\4\x1e\0\0\0\0\0\1t\0\0"), 0x81, 0},
	{"will QoS without will [MQTT-3.1.2-11]", V5, CLIENT, 0x10, BODY(NAME "\5\x0a\0\0\0\0\0"), 0x81, 0},
	{"will retain without will [MQTT-3.1.2-13]", V5, CLIENT, 0x10, BODY(NAME "\5\x22\0\0\0\0\0"), 0x81, 0},
	{"3.1.1 will retain without will [MQTT-3.1.2-15]", V3, CLIENT, 0x10, BODY(NAME "\4\x22\0\0\0\0"), 0x81, 0},
	{"3.1.1 password without user name [MQTT-3.1.2-22]", V3, CLIENT, 0x10, BODY(NAME "\4\x42\0\0\0\0\0\1p"), 0x81,
		0},
	{"3.1.1 empty identifier, keep session [MQTT-3.1.3-7]", V3, CLIENT, 0x10, BODY(NAME "\4\0\0\0\0\0"), 0x85, 0},
	{"no identifier [MQTT-3.1.3-3]", V3, CLIENT, 0x10, BODY(NAME "\4\2\0\0"), 0x81, 0},
	{"identifier not UTF-8 [MQTT-3.1.3-4]", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\0\0\0\1\xff"), 0x81, 0},
	{"identifier with U+0000 [MQTT-3.1.3-4]", V3, CLIENT, 0x10, BODY(NAME "\4\2\0\0\0\1\0"), 0x81, 0},
	{"no will topic [MQTT-3.1.2-9]", V3, CLIENT, 0x10, BODY(NAME "\4\6\0\0\0\0"), 0x81, 0},
	{"no will payload [MQTT-3.1.2-9]", V3, CLIENT, 0x10, BODY(NAME "\4\6\0\0\0\0\0\1t"), 0x81, 0},
	{"no will properties", V5, CLIENT, 0x10, BODY(NAME "\5\6\0\0\0\0\0"), 0x81, 0},
	{"will topic not UTF-8 [MQTT-1.5.4-1] (MQTT-3.1.3-11) (MQTT-3.1.3-10 of 3.1.1)", V5, CLIENT, 0x10,
		BODY(NAME "\5\6\0\0\0\0\0\0\0\1\xff\0\0"), 0x81, 0},
	{"will topic with wildcard [MQTT-4.7.0-1]", V3, CLIENT, 0x10, BODY(NAME "\4\6\0\0\0\0\0\1#\0\0"), 0x81, 0},
	{"will topic empty [MQTT-4.7.3-1]", V3, CLIENT, 0x10, BODY(NAME "\4\6\0\0\0\0\0\0\0\0"), 0x81, 0},
	{"no user name [MQTT-3.1.2-17]", V5, CLIENT, 0x10, BODY(NAME "\5\x82\0\0\0\0\0"), 0x81, 0},
	{"user name not UTF-8 [MQTT-3.1.3-12]", V5, CLIENT, 0x10, BODY(NAME "\5\x82\0\0\0\0\0\0\1\xff"), 0x81, 0},
	{"no password [MQTT-3.1.2-19]", V5, CLIENT, 0x10, BODY(NAME "\5\x42\0\0\0\0\0"), 0x81, 0},
	{"user name without its flag [MQTT-3.1.2-16]", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\0\0\0\0\0\1u"), 0x81, 0},
	{"password without its flag [MQTT-3.1.2-18]", V3, CLIENT, 0x10, BODY(NAME "\4\x82\0\0\0\0\0\1u\0\1p"), 0x81, 0},
	{"will property in CONNECT", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\0\5\x18\0\0\0\5\0\0"), 0x81, 0},
	{"property of CONNECT in the will", V5, CLIENT, 0x10, BODY(NAME "\5\6\0\0\0\0\0\2\x17\1\0\1t\0\0"), 0x81, 0},
	{"receive maximum 0", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\0\3\x21\0\0\0\0"), 0x82, 0},
	{"maximum packet size 0", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\0\5\x27\0\0\0\0\0\0"), 0x82, 0},
	{"request problem information 2", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\0\2\x17\2\0\0"), 0x82, 0},
	{"session expiry twice", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\0\x0a\x11\0\0\0\1\x11\0\0\0\1\0\0"), 0x82, 0},
	{"authentication data without method", V5, CLIENT, 0x10, BODY(NAME "\5\2\0\0\4\x16\0\1d\0\0"), 0x82, 0},
};

/* Every field there is. */
static struct skiffi_connect full(const struct skiff_properties *properties)
{
	return (struct skiffi_connect){.client_id = skiff_text("id"),
		.keep_alive_s = 60,
		.has_will = true,
		.will = {.topic = skiff_text("t"),
			.payload = skiff_text("pl"),
			.qos = 2,
			.retain = true,
			.properties = properties},
		.user_name = skiff_text("u"),
		.password = skiff_text("pw")};
}

static void order_of_the_payload_MQTT_3_1_3_1(void **state)
{
	struct skiff_properties will = {.has = SKIFF_HAS_WILL_DELAY, .will_delay_s = 5};
	struct skiff_properties own = {.has = SKIFF_HAS_SESSION_EXPIRY, .session_expiry_s = 0xffffffff};
	struct skiffi_connect packet = full(&will);
	struct skiffi_buffer out = {0};

	(void)state;
	packet.properties = &own;
	assert_true(skiffi_connect_encode(&out, V5, &packet));
	assert_written(&out,
		"\x10\x28" NAME "\5\xf4\0\x3c\5\x11\xff\xff\xff\xff\0\2id\5\x18\0\0\0\5\0\1t\0\2pl\0\1u\0\2pw", 42);
}

static void minimal_forms(void **state)
{
	struct skiffi_connect packet = {.client_id = skiff_text(""), .clean_start = true};
	struct skiffi_buffer out = {0};

	(void)state;
	assert_true(skiffi_connect_encode(&out, V3, &packet));
	assert_written(&out, "\x10\x0c" NAME "\4\2\0\0\0\0", 14);
	assert_true(skiffi_connect_encode(&out, V5, &packet));
	assert_written(&out, "\x10\x0d" NAME "\5\2\0\0\0\0\0", 15);
}

static void read_field_by_field(void **state)
{
	struct skiffi_connect packet = full(NULL), back;
	struct skiff_properties properties[2];
	struct skiffi_buffer out = {0};
	struct skiffi_refusal why;
	struct skiffi_frame frame;
	enum skiffi_protocol v = V5;

	(void)state;
	assert_true(skiffi_connect_encode(&out, V3, &packet));
	frame = whole_frame(skiffi_buffer_head(&out), skiffi_buffer_len(&out));
	assert_true(skiffi_connect_decode(&frame, &v, &back, properties, &why));
	assert_int_equal(v, V3);
	assert_false(back.clean_start);
	assert_int_equal(back.keep_alive_s, 60);
	assert_bytes(back.client_id, "id");
	assert_true(back.has_will && back.will.retain);
	assert_int_equal(back.will.qos, 2);
	assert_bytes(back.will.topic, "t");
	assert_bytes(back.will.payload, "pl");
	assert_bytes(back.user_name, "u");
	assert_bytes(back.password, "pw");
	assert_null(back.properties);
	assert_null(back.will.properties);
	skiffi_buffer_release(&out);
}

static void properties_of_the_packet_and_of_the_will(void **state)
{
	struct skiff_properties will = {.has = SKIFF_HAS_WILL_DELAY, .will_delay_s = 5}, properties[2];
	struct skiff_properties own = {.has = SKIFF_HAS_RECEIVE_MAXIMUM, .receive_maximum = 7};
	struct skiffi_connect packet = full(&will), back;
	struct skiffi_buffer out = {0};
	struct skiffi_refusal why;
	struct skiffi_frame frame;
	enum skiffi_protocol v;

	(void)state;
	packet.properties = &own;
	assert_true(skiffi_connect_encode(&out, V5, &packet));
	frame = whole_frame(skiffi_buffer_head(&out), skiffi_buffer_len(&out));
	assert_true(skiffi_connect_decode(&frame, &v, &back, properties, &why));
	assert_int_equal(v, V5);
	assert_ptr_equal(back.properties, &properties[0]);
	assert_int_equal(back.properties->receive_maximum, 7);
	assert_ptr_equal(back.will.properties, &properties[1]);
	assert_int_equal(back.will.properties->will_delay_s, 5);
	skiffi_buffer_release(&out);
}

static void no_properties_are_null(void **state)
{
	static const char bytes[] = "\x10\x15" NAME "\5\6\0\0\0\0\1i\0\0\1t\0\1p";
	struct skiff_properties properties[2];
	struct skiffi_frame frame = whole_frame(bytes, sizeof(bytes) - 1);
	struct skiffi_connect packet;
	struct skiffi_refusal why;
	enum skiffi_protocol v;

	(void)state;
	assert_true(skiffi_connect_decode(&frame, &v, &packet, properties, &why));
	assert_true(packet.has_will);
	assert_null(packet.properties);
	assert_null(packet.will.properties);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_of_the_payload_MQTT_3_1_3_1),
		cmocka_unit_test(minimal_forms),
		cmocka_unit_test(read_field_by_field),
		cmocka_unit_test(properties_of_the_packet_and_of_the_will),
		cmocka_unit_test(no_properties_are_null),
	};

	return cases_run("connect", rows, COUNT(rows), tests, COUNT(tests));
}
