/* SPDX-License-Identifier: Apache-2.0 */
/* packet_publish.c: PUBLISH of both versions. */
#include "cases.h"
#include <stdlib.h>

static const struct packet_case rows[] = {
	/* accepted */
	{"3.1.1 QoS 0", V3, SERVER, 0x30, BODY("\0\3a/bhi"), 0, 2},
	{"3.1.1 QoS 0 retained", V3, SERVER, 0x31, BODY("\0\3a/bhi"), 0, 2},
	{"3.1.1 QoS 1", V3, SERVER, 0x32, BODY("\0\3a/b\x12\x34hi"), 0, 2},
	{"3.1.1 QoS 1 with DUP", V3, SERVER, 0x3a, BODY("\0\3a/b\x12\x34hi"), 0, 2},
	{"3.1.1 QoS 2 with DUP and RETAIN", V3, CLIENT, 0x3d, BODY("\0\3a/b\xff\xffhi"), 0, 2},
	{"3.1.1 empty payload", V3, SERVER, 0x30, BODY("\0\1a"), 0, 0},
	{"3.1.1 payload with NUL and wildcards", V3, SERVER, 0x30, BODY("\0\1a\0#+\0"), 0, 4},
	{"3.1.1 topic that starts with a byte-order mark, which is data [MQTT-1.5.3-3]", V3, SERVER, 0x30,
		BODY("\0\4\xef\xbb\xbf"
		     "a"),
		0, 0},
	{"5 QoS 0 without properties [MQTT-2.2.2-1]", V5, SERVER, 0x30, BODY("\0\3a/b\0hi"), 0, 2},
	{"5 QoS 1", V5, SERVER, 0x32, BODY("\0\3a/b\0\1\0hi"), 0, 2},
	{"5 QoS 2 with DUP", V5, CLIENT, 0x3c, BODY("\0\3a/b\0\1\0hi"), 0, 2},
	{"5 payload format and message expiry", V5, SERVER, 0x30, BODY("\0\1a\x07\1\1\2\0\0\0\x0ahi"), 0, 2},
	{"5 topic alias with a topic", V5, SERVER, 0x30, BODY("\0\1a\3\x23\0\5hi"), 0, 2},
	{"5 topic alias without a topic", V5, SERVER, 0x30, BODY("\0\0\3\x23\xff\xffhi"), 0, 2},
	{"5 response topic and correlation data", V5, SERVER, 0x30,
		BODY("\0\1a\x0a\x08\0\3r/t\x09\0\1\0"
		     "hi"),
		0, 2},
	{"5 user properties twice of one name", V5, SERVER, 0x30, BODY("\0\1a\x0e\x26\0\1k\0\1v\x26\0\1k\0\1w"), 0, 0},
	{"5 two subscription identifiers from a server", V5, SERVER, 0x30, BODY("\0\1a\5\x0b\1\x0b\x80\1hi"), 0, 2},
	{"5 content type", V5, SERVER, 0x30, BODY("\0\1a\7\3\0\4text"), 0, 0},
	{"5 length of properties not minimal is refused [MQTT-1.5.5-1]", V5, SERVER, 0x30, BODY("\0\1a\x82\0\1\1"),
		0x81, 0},
	/* one rule broken */
	{"QoS 3 is refused [MQTT-3.3.1-4]", V3, SERVER, 0x36, BODY("\0\3a/b\0\1hi"), 0x81, 0},
	{"QoS 3 with DUP is refused under 5 [MQTT-3.3.1-4]", V5, SERVER, 0x3e, BODY("\0\3a/b\0\1\0hi"), 0x81, 0},
	{"DUP at QoS 0 is refused [MQTT-3.3.1-2]", V3, SERVER, 0x38, BODY("\0\3a/bhi"), 0x81, 0},
	{"DUP at QoS 0 is refused under 5 [MQTT-3.3.1-2]", V5, SERVER, 0x38, BODY("\0\3a/b\0hi"), 0x81, 0},
	{"packet identifier 0 is refused [MQTT-2.2.1-4]", V5, SERVER, 0x32, BODY("\0\3a/b\0\0\0hi"), 0x82, 0},
	{"packet identifier 0 is refused under 3.1.1 [MQTT-2.3.1-1]", V3, SERVER, 0x34, BODY("\0\3a/b\0\0hi"), 0x82, 0},
	{"no packet identifier", V3, SERVER, 0x32, BODY("\0\3a/b\1"), 0x81, 0},
	{"no topic [MQTT-3.3.2-1]", V3, SERVER, 0x30, BODY(""), 0x81, 0},
	{"topic longer than the packet [MQTT-3.3.2-1]", V3, SERVER, 0x30, BODY("\0\4a/b"), 0x81, 0},
	{"topic of 65535 bytes in a packet of 5 [MQTT-3.3.2-1]", V5, SERVER, 0x30,
		BODY("\xff\xff"
		     "abc"),
		0x81, 0},
	{"empty topic under 3.1.1 [MQTT-4.7.3-1]", V3, SERVER, 0x30, BODY("\0\0hi"), 0x82, 0},
	{"empty topic without alias [MQTT-4.7.3-1]", V5, SERVER, 0x30, BODY("\0\0\0hi"), 0x82, 0},
	{"topic with '#' [MQTT-3.3.2-2]", V3, SERVER, 0x30, BODY("\0\3a/#hi"), 0x81, 0},
	{"topic with '+' [MQTT-3.3.2-2]", V5, SERVER, 0x30, BODY("\0\3+/b\0hi"), 0x81, 0},
	{"long topic with '+' in its ninth byte [MQTT-4.7.0-1]", V5, SERVER, 0x30,
		BODY("\0\x0a"
		     "abcdefgh+j\0"),
		0x81, 0},
	{"3.1.1 topic with U+0000 [MQTT-4.7.3-2] (MQTT-1.5.3-2)", V3, SERVER, 0x30, BODY("\0\3a\0bhi"), 0x81, 0},
	{"topic with U+0000 [MQTT-1.5.4-2]", V5, SERVER, 0x30, BODY("\0\3a\0b\0hi"), 0x81, 0},
	{"3.1.1 topic not UTF-8 [MQTT-1.5.4-1] (MQTT-1.5.3-1)", V3, SERVER, 0x30,
		BODY("\0\3a\xff"
		     "bhi"),
		0x81, 0},
	{"topic with a surrogate [MQTT-1.5.4-1]", V5, SERVER, 0x30, BODY("\0\4a\xed\xa0\x80\0"), 0x81, 0},
	{"topic that ends within a character [MQTT-1.5.4-1]", V5, SERVER, 0x30, BODY("\0\3a\xe2\x82\xac\0"), 0x81, 0},
	{"no property length", V5, SERVER, 0x30, BODY("\0\1a"), 0x81, 0},
	{"properties longer than the packet", V5, SERVER, 0x30, BODY("\0\1a\7\1\1"), 0x81, 0},
	{"property length of 256 MiB", V5, SERVER, 0x30, BODY("\0\1a\xff\xff\xff\x7f\1\1"), 0x81, 0},
	{"property length of five bytes", V5, SERVER, 0x30, BODY("\0\1a\xff\xff\xff\xff\x7f\1"), 0x81, 0},
	{"property cut by the property length", V5, SERVER, 0x30, BODY("\0\1a\1\1\1hi"), 0x81, 0},
	{"property of no meaning", V5, SERVER, 0x30, BODY("\0\1a\2\4\1hi"), 0x81, 0},
	{"property 0", V5, SERVER, 0x30, BODY("\0\1a\2\0\1hi"), 0x81, 0},
	{"property above the table", V5, SERVER, 0x30, BODY("\0\1a\2\x7f\1hi"), 0x81, 0},
	{"property identifier of two bytes", V5, SERVER, 0x30, BODY("\0\1a\3\x81\0\1hi"), 0x81, 0},
	{"property of CONNACK", V5, SERVER, 0x30, BODY("\0\1a\2\x24\1hi"), 0x81, 0},
	{"reason string, which PUBLISH has not", V5, SERVER, 0x30, BODY("\0\1a\4\x1f\0\1xhi"), 0x81, 0},
	{"payload format 2", V5, SERVER, 0x30, BODY("\0\1a\2\1\2hi"), 0x82, 0},
	{"payload format twice", V5, SERVER, 0x30, BODY("\0\1a\4\1\1\1\1hi"), 0x82, 0},
	{"topic alias 0 [MQTT-3.3.2-8]", V5, SERVER, 0x30, BODY("\0\1a\3\x23\0\0hi"), 0x94, 0},
	{"topic alias 0 and empty topic [MQTT-3.3.2-8]", V5, SERVER, 0x30, BODY("\0\0\3\x23\0\0hi"), 0x94, 0},
	{"topic alias twice", V5, SERVER, 0x30, BODY("\0\1a\6\x23\0\1\x23\0\1hi"), 0x82, 0},
	{"response topic with wildcard [MQTT-3.3.2-14]", V5, SERVER, 0x30, BODY("\0\1a\6\x08\0\3a/#hi"), 0x82, 0},
	{"response topic empty [MQTT-4.7.3-1]", V5, SERVER, 0x30, BODY("\0\1a\3\x08\0\0hi"), 0x82, 0},
	{"response topic not UTF-8 [MQTT-1.5.4-1] (MQTT-3.3.2-13)", V5, SERVER, 0x30, BODY("\0\1a\4\x08\0\1\xffhi"),
		0x81, 0},
	{"content type not UTF-8 [MQTT-1.5.4-1] (MQTT-3.3.2-19)", V5, SERVER, 0x30, BODY("\0\1a\4\3\0\1\xffhi"), 0x81,
		0},
	{"content type with U+0000 [MQTT-1.5.4-2]", V5, SERVER, 0x30, BODY("\0\1a\4\3\0\1\0hi"), 0x81, 0},
	{"user property with a name not UTF-8 [MQTT-1.5.4-1]", V5, SERVER, 0x30, BODY("\0\1a\7\x26\0\1\xff\0\1v"), 0x81,
		0},
	{"user property with a value not UTF-8 [MQTT-1.5.4-1]", V5, SERVER, 0x30, BODY("\0\1a\7\x26\0\1k\0\1\xff"),
		0x81, 0},
	{"user property without its value", V5, SERVER, 0x30, BODY("\0\1a\4\x26\0\1kvv"), 0x81, 0},
	{"subscription identifier 0", V5, SERVER, 0x30, BODY("\0\1a\2\x0b\0hi"), 0x82, 0},
	{"second subscription identifier 0", V5, SERVER, 0x30, BODY("\0\1a\4\x0b\1\x0b\0hi"), 0x82, 0},
	{"subscription identifier not minimal", V5, SERVER, 0x30, BODY("\0\1a\3\x0b\x81\0hi"), 0x81, 0},
	{"subscription identifier from a client [MQTT-3.3.4-6]", V5, CLIENT, 0x30, BODY("\0\1a\2\x0b\1hi"), 0x82, 0},
};

static void written_as_in_the_standard(void **state)
{
	struct skiffi_publish packet = {
		.topic = skiff_text("a/b"), .payload = skiff_text("hi"), .qos = 1, .packet_id = 10};
	uint8_t head[32], *end;

	(void)state;
	end = skiffi_publish_head(head, V3, &packet); /* the example of the standard, 3.3.2.3 */
	assert_int_equal(end - head, 9);
	assert_memory_equal(head, "\x32\x09\0\3a/b\0\x0a", 9);
	assert_int_equal(skiffi_publish_head_len(V3, &packet), 9);
	end = skiffi_publish_head(head, V5, &packet);
	assert_int_equal(end - head, 10);
	assert_memory_equal(head, "\x32\x0a\0\3a/b\0\x0a\0", 10);
	assert_int_equal(skiffi_publish_head_len(V5, &packet), 10);
}

static void no_packet_id_at_qos_0_MQTT_2_2_1_2_and_MQTT_2_3_1_5(void **state)
{
	struct skiffi_publish packet = {.topic = skiff_text("t"), .packet_id = 7, .retain = true};
	uint8_t head[32];

	(void)state;
	assert_int_equal(skiffi_publish_head(head, V3, &packet) - head, 5);
	assert_memory_equal(head, "\x31\3\0\1t", 5);
}

static void properties_written_behind_the_alias(void **state)
{
	struct skiff_properties properties = {
		.has = SKIFF_HAS_PAYLOAD_FORMAT | SKIFF_HAS_TOPIC_ALIAS, .payload_format = 1, .topic_alias = 9};
	struct skiffi_publish packet = {.topic = skiff_text(""), .topic_alias = 5, .properties = &properties};
	uint8_t head[32];

	(void)state;
	assert_int_equal(skiffi_publish_head(head, V5, &packet) - head, 10);
	assert_memory_equal(head, "\x30\x08\0\0\5\x23\0\5\1\1", 10);
	packet.properties = NULL;
	packet.raw_properties = (struct skiff_bytes){"\1\1", 2};
	assert_int_equal(skiffi_publish_head_len(V5, &packet), 10);
	assert_int_equal(skiffi_publish_head(head, V5, &packet) - head, 10);
	assert_memory_equal(head, "\x30\x08\0\0\5\x23\0\5\1\1", 10);
}

static void read_field_by_field(void **state)
{
	static const char bytes[] = "\x3d\x17\0\3a/b\x12\x34\x0d\x23\0\7\x0b\x80\1\x0b\5\2\0\0\1\0hi";
	struct skiffi_frame frame = whole_frame(bytes, sizeof(bytes) - 1);
	struct skiff_properties properties;
	struct skiffi_publish packet;
	struct skiffi_refusal why;

	(void)state;
	assert_false(skiffi_publish_decode(&frame, V5, CLIENT, &packet, &properties, &why));
	assert_int_equal(why.reason, 0x82);
	frame.body_len--; /* so that the cut is seen to matter */
	assert_true(skiffi_publish_decode(&frame, V5, SERVER, &packet, &properties, &why));
	assert_bytes(packet.payload, "h");
	frame.body_len++;
	assert_true(skiffi_publish_decode(&frame, V5, SERVER, &packet, &properties, &why));
	assert_true(packet.dup && packet.retain);
	assert_int_equal(packet.qos, 2);
	assert_int_equal(packet.packet_id, 0x1234);
	assert_int_equal(packet.topic_alias, 7);
	assert_bytes(packet.topic, "a/b");
	assert_bytes(packet.payload, "hi");
	assert_ptr_equal(packet.properties, &properties);
	assert_int_equal(properties.message_expiry_s, 256);
	assert_int_equal(skiff_subscription_id_at(&properties, 0), 128);
	assert_int_equal(skiff_subscription_id_at(&properties, 1), 5);
	assert_int_equal(skiff_subscription_id_at(&properties, 2), 0);
}

static void views_point_into_the_packet(void **state)
{
	static const char bytes[] = "\x30\x07\0\3a/b\0x";
	struct skiffi_frame frame = whole_frame(bytes, sizeof(bytes) - 1);
	struct skiff_properties properties;
	struct skiffi_publish packet;
	struct skiffi_refusal why;

	(void)state;
	memset(&properties, 0x5a, sizeof(properties));
	assert_true(skiffi_publish_decode(&frame, V5, SERVER, &packet, &properties, &why));
	assert_ptr_equal(packet.topic.data, bytes + 4);
	assert_ptr_equal(packet.payload.data, bytes + 8);
	assert_null(packet.properties);
	assert_int_equal(properties.has, 0x5a5a5a5a); /* not touched, as there are none */
}

static void head_counts_a_payload_of_each_size_of_length(void **state)
{
	static const struct {
		size_t payload, head;
	} sizes[] = {{124, 5}, {125, 6}, {16380, 6}, {16381, 7}, {2097148, 7}, {2097149, 8}, {268435452, 8}};
	struct skiffi_publish packet = {.topic = skiff_text("t")};
	uint8_t head[16];

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct skiffi_frame frame;
		packet.payload = (struct skiff_bytes){"", sizes[i].payload};
		assert_int_equal(skiffi_publish_head_len(V3, &packet), sizes[i].head);
		assert_int_equal(skiffi_publish_head(head, V3, &packet) - head, sizes[i].head);
		assert_int_equal(skiffi_frame_next(head, sizes[i].head, SIZE_MAX, &frame), SKIFFI_FRAME_MORE);
		assert_int_equal(frame.total_len, sizes[i].head + sizes[i].payload);
	}
}

static void every_topic_length_is_kept(void **state)
{
	char *topic = malloc(65535);
	uint8_t *bytes = malloc(65535 + 16);
	struct skiff_properties properties;
	struct skiffi_refusal why;

	(void)state;
	assert_true(topic && bytes);
	memset(topic, 'a', 65535);
	for (size_t len = 1; len <= 65535; len += len < 300 ? 1 : 5017) {
		struct skiffi_publish packet = {.topic = {topic, len}}, back;
		size_t head_len = (size_t)(skiffi_publish_head(bytes, V5, &packet) - bytes);
		struct skiffi_frame frame = whole_frame(bytes, head_len);
		assert_true(skiffi_publish_decode(&frame, V5, SERVER, &back, &properties, &why));
		assert_int_equal(back.topic.len, len);
		assert_int_equal(back.payload.len, 0);
	}
	free(topic);
	free(bytes);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_as_in_the_standard),
		cmocka_unit_test(no_packet_id_at_qos_0_MQTT_2_2_1_2_and_MQTT_2_3_1_5),
		cmocka_unit_test(properties_written_behind_the_alias),
		cmocka_unit_test(read_field_by_field),
		cmocka_unit_test(views_point_into_the_packet),
		cmocka_unit_test(head_counts_a_payload_of_each_size_of_length),
		cmocka_unit_test(every_topic_length_is_kept),
	};

	return cases_run("publish", rows, COUNT(rows), tests, COUNT(tests));
}
