/* SPDX-License-Identifier: Apache-2.0 */
/* packet_suback.c: SUBACK and UNSUBACK. */
#include "cases.h"

static const struct packet_case rows[] = {
	/* accepted; with one code less each is still a packet, as the number of filters is not known here */
	{"3.1.1 SUBACK, every code", V3, SERVER, 0x90, BODY("\x12\x34\0\1\2\x80"), 0, 3},
	{"3.1.1 UNSUBACK", V3, SERVER, 0xb0, BODY("\x12\x34"), 0, 0},
	{"5 SUBACK", V5, SERVER, 0x90, BODY("\x12\x34\0\2"), 0, 0},
	{"5 SUBACK, every code", V5, SERVER, 0x90, BODY("\x12\x34\0\0\1\2\x80\x83\x87\x8f\x91\x97\x9e\xa1\xa2"), 0, 11},
	{"5 SUBACK with reason string and user property", V5, SERVER, 0x90,
		BODY("\x12\x34\x0b\x1f\0\1t\x26\0\1k\0\1v\0"), 0, 0},
	{"5 UNSUBACK, every code", V5, SERVER, 0xb0, BODY("\x12\x34\0\0\x11\x80\x83\x87\x8f\x91"), 0, 6},
	/* one rule broken */
	{"SUBACK with flags [MQTT-2.1.3-1]", V5, SERVER, 0x92, BODY("\x12\x34\0\0"), 0x81, 0},
	{"3.1.1 UNSUBACK with flags [MQTT-2.1.3-1]", V3, SERVER, 0xb2, BODY("\x12\x34"), 0x81, 0},
	{"SUBACK with identifier 0 [MQTT-2.2.1-4]", V5, SERVER, 0x90, BODY("\0\0\0\0"), 0x82, 0},
	{"3.1.1 UNSUBACK with identifier 0 [MQTT-2.3.1-1]", V3, SERVER, 0xb0, BODY("\0\0"), 0x82, 0},
	{"SUBACK without identifier", V3, SERVER, 0x90, BODY("\1"), 0x81, 0},
	{"SUBACK without codes [MQTT-3.8.4-6]", V5, SERVER, 0x90, BODY("\x12\x34\0"), 0x82, 0},
	{"3.1.1 SUBACK without codes", V3, SERVER, 0x90, BODY("\x12\x34"), 0x82, 0},
	{"UNSUBACK without codes [MQTT-3.11.3-1]", V5, SERVER, 0xb0, BODY("\x12\x34\0"), 0x82, 0},
	{"UNSUBACK in the form of 3.1.1", V5, SERVER, 0xb0, BODY("\x12\x34"), 0x81, 0},
	{"SUBACK without properties", V5, SERVER, 0x90, BODY("\x12\x34"), 0x81, 0},
	{"3.1.1 UNSUBACK with codes", V3, SERVER, 0xb0, BODY("\x12\x34\0"), 0x81, 0},
	{"3.1.1 SUBACK with code 3 [MQTT-3.9.3-2]", V3, SERVER, 0x90, BODY("\x12\x34\3"), 0x82, 0},
	{"3.1.1 SUBACK with a code of 5 [MQTT-3.9.3-2]", V3, SERVER, 0x90, BODY("\x12\x34\0\x87"), 0x82, 0},
	{"SUBACK with code 3 [MQTT-3.9.3-2]", V5, SERVER, 0x90, BODY("\x12\x34\0\3"), 0x82, 0},
	{"SUBACK with a code of UNSUBACK [MQTT-3.9.3-2]", V5, SERVER, 0x90, BODY("\x12\x34\0\x11"), 0x82, 0},
	{"UNSUBACK with a code of SUBACK [MQTT-3.11.3-2]", V5, SERVER, 0xb0, BODY("\x12\x34\0\0\1"), 0x82, 0},
	{"SUBACK with a property of SUBSCRIBE", V5, SERVER, 0x90, BODY("\x12\x34\2\x0b\1\0"), 0x81, 0},
	{"SUBACK with reason string twice", V5, SERVER, 0x90, BODY("\x12\x34\6\x1f\0\0\x1f\0\0\0"), 0x82, 0},
	{"SUBACK with properties past its end", V5, SERVER, 0x90, BODY("\x12\x34\3\x1f\0"), 0x81, 0},
};

static void written_and_read(void **state)
{
	struct skiffi_suback packet = {.packet_id = 0x1234, .reasons = {"\0\x80", 2}}, back;
	struct skiffi_buffer out = {0};
	struct skiffi_refusal why;
	struct skiffi_frame frame;

	(void)state;
	assert_true(skiffi_suback_encode(&out, V3, SKIFFI_SUBACK, &packet));
	frame = whole_frame(skiffi_buffer_head(&out), skiffi_buffer_len(&out));
	assert_true(skiffi_suback_decode(&frame, V3, &back, &why));
	assert_int_equal(back.packet_id, 0x1234);
	assert_int_equal(back.reasons.len, 2);
	assert_memory_equal(back.reasons.data, "\0\x80", 2);
	assert_written(&out, "\x90\4\x12\x34\0\x80", 6);
	packet.reasons = (struct skiff_bytes){0};
	assert_true(skiffi_suback_encode(&out, V3, SKIFFI_UNSUBACK, &packet));
	assert_written(&out, "\xb0\2\x12\x34", 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(written_and_read)};

	return cases_run("suback", rows, COUNT(rows), tests, COUNT(tests));
}
