/* SPDX-License-Identifier: Apache-2.0 */
/* packet_subscribe.c: SUBSCRIBE and UNSUBSCRIBE. */
#include "cases.h"

static const struct packet_case rows[] = {
	/* accepted; cut behind a filter each is a packet with fewer */
	{"3.1.1 SUBSCRIBE", V3, CLIENT, 0x82, BODY("\x12\x34\0\3a/b\1"), 0, 0},
	{"3.1.1 SUBSCRIBE with three filters", V3, CLIENT, 0x82, BODY("\0\1\0\1a\0\0\1#\1\0\3+/b\2"), 0, 2},
	{"3.1.1 UNSUBSCRIBE", V3, CLIENT, 0xa2, BODY("\x12\x34\0\3a/b\0\1#"), 0, 1},
	{"5 SUBSCRIBE", V5, CLIENT, 0x82, BODY("\x12\x34\0\0\3a/b\1"), 0, 0},
	{"5 SUBSCRIBE, every option", V5, CLIENT, 0x82, BODY("\0\1\0\0\1a\x2e\0\1b\x1d\0\1c\0"), 0, 2},
	{"5 SUBSCRIBE with identifier and user property", V5, CLIENT, 0x82,
		BODY("\0\1\x0c\x0b\xff\xff\xff\x7f\x26\0\1k\0\1v\0\1a\2"), 0, LOOSE | 0},
	{"5 SUBSCRIBE, shared", V5, CLIENT, 0x82, BODY("\0\1\0\0\x0a$share/g/#\x02"), 0, 0},
	{"5 UNSUBSCRIBE", V5, CLIENT, 0xa2, BODY("\x12\x34\0\0\3a/b"), 0, 0},
	{"5 UNSUBSCRIBE with user property", V5, CLIENT, 0xa2, BODY("\0\1\7\x26\0\1k\0\1v\0\1a\0\1b"), 0, 1},
	/* one rule broken */
	{"SUBSCRIBE with flags 0000 [MQTT-3.8.1-1]", V5, CLIENT, 0x80, BODY("\0\1\0\0\1a\0"), 0x81, 0},
	{"3.1.1 SUBSCRIBE with flags 0011 [MQTT-3.8.1-1]", V3, CLIENT, 0x83, BODY("\0\1\0\1a\0"), 0x81, 0},
	{"UNSUBSCRIBE with flags 0000 [MQTT-3.10.1-1]", V5, CLIENT, 0xa0, BODY("\0\1\0\0\1a"), 0x81, 0},
	{"SUBSCRIBE with identifier 0 [MQTT-2.2.1-3]", V5, CLIENT, 0x82, BODY("\0\0\0\0\1a\0"), 0x82, 0},
	{"3.1.1 UNSUBSCRIBE with identifier 0 [MQTT-2.3.1-1]", V3, CLIENT, 0xa2, BODY("\0\0\0\1a"), 0x82, 0},
	{"SUBSCRIBE without identifier", V3, CLIENT, 0x82, BODY(""), 0x81, 0},
	{"SUBSCRIBE without filter [MQTT-3.8.3-2]", V5, CLIENT, 0x82, BODY("\0\1\0"), 0x82, 0},
	{"3.1.1 SUBSCRIBE without filter [MQTT-3.8.3-3]", V3, CLIENT, 0x82, BODY("\0\1"), 0x82, 0},
	{"UNSUBSCRIBE without filter [MQTT-3.10.3-2]", V3, CLIENT, 0xa2, BODY("\0\1"), 0x82, 0},
	{"SUBSCRIBE without options", V5, CLIENT, 0x82, BODY("\0\1\0\0\1a"), 0x81, 0},
	{"second filter without options", V3, CLIENT, 0x82, BODY("\0\1\0\1a\0\0\1b"), 0x81, 0},
	{"filter past the end", V3, CLIENT, 0xa2, BODY("\0\1\0\2a"), 0x81, 0},
	{"filter empty [MQTT-4.7.3-1]", V3, CLIENT, 0x82, BODY("\0\1\0\0\0"), 0x81, 0},
	{"filter not UTF-8 [MQTT-1.5.4-1] (MQTT-3.8.3-1)", V5, CLIENT, 0x82, BODY("\0\1\0\0\1\xff\0"), 0x81, 0},
	{"UNSUBSCRIBE filter not UTF-8 [MQTT-1.5.4-1] (MQTT-3.10.3-1)", V5, CLIENT, 0xa2, BODY("\0\1\0\0\1\xff"), 0x81,
		0},
	{"filter with U+0000 [MQTT-4.7.3-2]", V3, CLIENT, 0x82, BODY("\0\1\0\1\0\0"), 0x81, 0},
	{"filter with '#' before the end [MQTT-4.7.1-1]", V3, CLIENT, 0x82, BODY("\0\1\0\3#/a\0"), 0x81, 0},
	{"3.1.1 filter with '+' in a level [MQTT-4.7.1-2] [MQTT-4.7.1-3]", V3, CLIENT, 0xa2, BODY("\0\1\0\2a+"), 0x81,
		0},
	{"share name empty [MQTT-4.8.2-1]", V5, CLIENT, 0x82, BODY("\0\1\0\0\x09$share//a\0"), 0x81, 0},
	{"share name with '+' [MQTT-4.8.2-2]", V5, CLIENT, 0x82, BODY("\0\1\0\0\x0a$share/+/a\0"), 0x81, 0},
	{"shared without filter [MQTT-4.8.2-2]", V5, CLIENT, 0x82, BODY("\0\1\0\0\x08$share/g\0"), 0x81, 0},
	{"No Local on a shared filter [MQTT-3.8.3-4]", V5, CLIENT, 0x82, BODY("\0\1\0\0\x0a$share/g/a\x04"), 0x82, 0},
	{"reserved option 6 [MQTT-3.8.3-5]", V5, CLIENT, 0x82, BODY("\0\1\0\0\1a\x40"), 0x81, 0},
	{"reserved option 7 [MQTT-3.8.3-5]", V5, CLIENT, 0x82, BODY("\0\1\0\0\1a\x80"), 0x81, 0},
	{"3.1.1 No Local, which is reserved there [MQTT-3.8.3-4]", V3, CLIENT, 0x82, BODY("\0\1\0\1a\4"), 0x81, 0},
	{"QoS 3 asked for", V5, CLIENT, 0x82, BODY("\0\1\0\0\1a\3"), 0x82, 0},
	{"3.1.1 QoS 3 asked for [MQTT-3.8.3-4]", V3, CLIENT, 0x82, BODY("\0\1\0\1a\3"), 0x82, 0},
	{"retain handling 3", V5, CLIENT, 0x82, BODY("\0\1\0\0\1a\x30"), 0x82, 0},
	{"subscription identifier 0", V5, CLIENT, 0x82, BODY("\0\1\2\x0b\0\0\1a\0"), 0x82, 0},
	{"subscription identifier twice", V5, CLIENT, 0x82, BODY("\0\1\4\x0b\1\x0b\2\0\1a\0"), 0x82, 0},
	{"subscription identifier in UNSUBSCRIBE", V5, CLIENT, 0xa2, BODY("\0\1\2\x0b\1\0\1a"), 0x81, 0},
	{"SUBSCRIBE in the form of 3.1.1", V5, CLIENT, 0x82, BODY("\0\1\1"), 0x81, 0},
};

static void written_and_read(void **state)
{
	struct skiffi_filter filters[2] = {{skiff_text("a/b"), 1}, {skiff_text("#"), 0x2c}}, filter;
	struct skiffi_subscribe packet = {.packet_id = 10, .filters = filters, .count = 2}, back;
	struct skiffi_buffer out = {0};
	struct skiffi_refusal why;
	struct skiffi_frame frame;

	(void)state;
	packet.properties.has = SKIFF_HAS_SUBSCRIPTION_ID;
	packet.properties.subscription_id = 300;
	assert_true(skiffi_subscribe_encode(&out, V5, SKIFFI_SUBSCRIBE, &packet));
	assert_int_equal(skiffi_subscribe_len(V5, SKIFFI_SUBSCRIBE, &packet), skiffi_buffer_len(&out));
	frame = whole_frame(skiffi_buffer_head(&out), skiffi_buffer_len(&out));
	assert_true(skiffi_subscribe_decode(&frame, V5, &back, &why));
	assert_int_equal(back.count, 2);
	assert_int_equal(skiff_subscription_id_at(&back.properties, 0), 300);
	assert_true(skiffi_filter_next(&back.raw_filters, SKIFFI_SUBSCRIBE, &filter));
	assert_bytes(filter.filter, "a/b");
	assert_int_equal(filter.options, 1);
	assert_true(skiffi_filter_next(&back.raw_filters, SKIFFI_SUBSCRIBE, &filter));
	assert_int_equal(filter.options, 0x2c);
	assert_false(skiffi_filter_next(&back.raw_filters, SKIFFI_SUBSCRIBE, &filter));
	assert_written(&out, "\x82\x10\0\x0a\3\x0b\xac\2\0\3a/b\1\0\1#\x2c", 18);
}

static void unsubscribe_has_no_options(void **state)
{
	struct skiffi_filter filter = {skiff_text("a"), 2};
	struct skiffi_subscribe packet = {.packet_id = 1, .filters = &filter, .count = 1};
	struct skiffi_buffer out = {0};

	(void)state;
	assert_int_equal(skiffi_subscribe_len(V3, SKIFFI_UNSUBSCRIBE, &packet), 7);
	assert_true(skiffi_subscribe_encode(&out, V3, SKIFFI_UNSUBSCRIBE, &packet));
	assert_written(&out, "\xa2\5\0\1\0\1a", 7);
	assert_true(skiffi_subscribe_encode(&out, V5, SKIFFI_UNSUBSCRIBE, &packet));
	assert_written(&out, "\xa2\6\0\1\0\0\1a", 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_and_read),
		cmocka_unit_test(unsubscribe_has_no_options),
	};

	return cases_run("subscribe", rows, COUNT(rows), tests, COUNT(tests));
}
