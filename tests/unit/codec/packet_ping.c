/* SPDX-License-Identifier: Apache-2.0 */
/* packet_ping.c: PINGREQ and PINGRESP. */
#include "cases.h"

static const struct packet_case rows[] = {
	{"3.1.1 PINGREQ", V3, CLIENT, 0xc0, BODY(""), 0, 0},
	{"5 PINGREQ", V5, CLIENT, 0xc0, BODY(""), 0, 0},
	{"3.1.1 PINGRESP", V3, SERVER, 0xd0, BODY(""), 0, 0},
	{"5 PINGRESP", V5, SERVER, 0xd0, BODY(""), 0, 0},
	{"PINGREQ with flags [MQTT-2.1.3-1]", V5, CLIENT, 0xc1, BODY(""), 0x81, 0},
	{"PINGRESP with flags [MQTT-2.1.3-1]", V5, SERVER, 0xd8, BODY(""), 0x81, 0},
	{"3.1.1 PINGRESP with flags [MQTT-2.2.2-2]", V3, SERVER, 0xd2, BODY(""), 0x81, 0},
	{"PINGREQ with a body", V3, CLIENT, 0xc0, BODY("\0"), 0x81, 0},
	{"PINGRESP with a body", V5, SERVER, 0xd0, BODY("\0\0"), 0x81, 0},
	{"type 0 of 3.1.1", V3, SERVER, 0x00, BODY(""), 0x81, 0},
	{"type 0 of 5", V5, SERVER, 0x00, BODY("\0"), 0x81, 0},
};

static void two_bytes(void **state)
{
	struct skiffi_buffer out = {0};

	(void)state;
	assert_true(skiffi_ping_encode(&out, SKIFFI_PINGREQ));
	assert_written(&out, "\xc0\0", 2);
	assert_true(skiffi_ping_encode(&out, SKIFFI_PINGRESP));
	assert_written(&out, "\xd0\0", 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(two_bytes)};

	return cases_run("ping", rows, COUNT(rows), tests, COUNT(tests));
}
