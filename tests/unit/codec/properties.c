/* SPDX-License-Identifier: Apache-2.0 */
/* properties.c: which property may stand where, written down a second time from the table of the standard (2.2.2.2),
 * and every property read, written and checked in every place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "codec/packet.h"
#include "codec/properties.h"
#include <stdlib.h>

#define BYTES(text)  text, sizeof(text) - 1
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PLACES = 11, SUBSCRIPTION_ID = 11, TOPIC_ALIAS = 35, USER = 38, DATA = 22 };

/* One letter per place, in the order of enum skiffi_place: Connect, conNack, Publish from client and from server,
 * Will, Ack, Subscribe, Unsubscribe, Disconnect from client and from server, aUth. */
static const char letters[PLACES + 1] = "CNpPWASUdDu";

struct row {
	const char *name;
	const char *places;
	const char *bytes; /* a legal one, with its identifier */
	size_t len;
	const char *bad; /* the same out of range or not UTF-8; NULL where nothing is */
	size_t bad_len;
	uint8_t bad_reason;
};

static const struct row rows[] = {
	{"payload format", "pPW", BYTES("\1\1"), BYTES("\1\2"), 0x82},
	{"message expiry", "pPW", BYTES("\2\0\0\1\0"), NULL, 0, 0},
	{"content type", "pPW", BYTES("\3\0\4text"), BYTES("\3\0\4te\xfft"), 0x81},
	{"response topic", "pPW", BYTES("\x08\0\3r/t"), BYTES("\x08\0\3r/#"), 0x82},
	{"correlation data", "pPW", BYTES("\x09\0\2\0\xff"), NULL, 0, 0},
	{"subscription identifier", "PS", BYTES("\x0b\x80\1"), BYTES("\x0b\0"), 0x82},
	{"session expiry", "CNd", BYTES("\x11\xff\xff\xff\xff"), NULL, 0, 0},
	{"assigned client identifier", "N", BYTES("\x12\0\2id"), BYTES("\x12\0\2i\0"), 0x81},
	{"server keep alive", "N", BYTES("\x13\0\0"), NULL, 0, 0},
	{"authentication method", "CNu", BYTES("\x15\0\1m"), BYTES("\x15\0\1\x80"), 0x81},
	{"authentication data", "CNu", BYTES("\x16\0\1\xff"), NULL, 0, 0},
	{"request problem information", "C", BYTES("\x17\0"), BYTES("\x17\2"), 0x82},
	{"will delay", "W", BYTES("\x18\0\0\0\0"), NULL, 0, 0},
	{"request response information", "C", BYTES("\x19\1"), BYTES("\x19\xff"), 0x82},
	{"response information", "N", BYTES("\x1a\0\1r"), BYTES("\x1a\0\3\xed\xa0\x80"), 0x81},
	{"server reference", "ND", BYTES("\x1c\0\1s"), BYTES("\x1c\0\1\xc3"), 0x81},
	{"reason string", "NAdDu", BYTES("\x1f\0\0"), BYTES("\x1f\0\1\0"), 0x81},
	{"receive maximum", "CN", BYTES("\x21\xff\xff"), BYTES("\x21\0\0"), 0x82},
	{"topic alias maximum", "CN", BYTES("\x22\0\0"), NULL, 0, 0},
	{"topic alias", "pP", BYTES("\x23\0\1"), BYTES("\x23\0\0"), 0x94},
	{"maximum QoS", "N", BYTES("\x24\1"), BYTES("\x24\2"), 0x82},
	{"retain available", "N", BYTES("\x25\0"), BYTES("\x25\2"), 0x82},
	{"user property", "CNpPWASUdDu", BYTES("\x26\0\1k\0\1v"), BYTES("\x26\0\1k\0\1\xff"), 0x81},
	{"maximum packet size", "CN", BYTES("\x27\0\0\0\1"), BYTES("\x27\0\0\0\0"), 0x82},
	{"wildcard available", "N", BYTES("\x28\1"), BYTES("\x28\3"), 0x82},
	{"subscription identifiers available", "N", BYTES("\x29\0"), BYTES("\x29\2"), 0x82},
	{"shared available", "N", BYTES("\x2a\0"), BYTES("\x2a\x80"), 0x82},
};

struct block {
	uint8_t *bytes; /* of exactly its length, so that a read past it is seen */
	size_t len;
};

/* A property block of up to two parts; authentication data is always led by its method. */
static struct block block_of(const char *first, size_t first_len, const char *second, size_t second_len)
{
	bool method = first[0] == DATA;
	size_t len = (method ? 4 : 0) + first_len + second_len;
	struct block block = {.bytes = malloc(1 + len), .len = 1 + len};
	uint8_t *at = block.bytes;

	assert_non_null(at);
	*at++ = (uint8_t)len;
	if (method) {
		memcpy(at, "\x15\0\1m", 4);
		at += 4;
	}
	memcpy(at, first, first_len);
	if (second_len)
		memcpy(at + first_len, second, second_len);
	return block;
}

/* 0 when it is accepted, else the reason. */
static uint8_t read_block(struct block block, unsigned place, struct skiff_properties *properties)
{
	struct skiffi_reader reader = {.at = block.bytes, .end = block.bytes + block.len};
	struct skiffi_refusal why = {0};

	if (!skiffi_properties_read(&reader, 1u << place, properties, &why)) {
		assert_true(why.reason >= 0x80 && why.rule != NULL);
		return why.reason;
	}
	assert_ptr_equal(reader.at, reader.end);
	return 0;
}

static uint8_t read_parts(const char *first, size_t first_len, const char *second, size_t second_len, unsigned place)
{
	struct block block = block_of(first, first_len, second, second_len);
	struct skiff_properties properties;
	uint8_t reason = read_block(block, place, &properties);

	free(block.bytes);
	return reason;
}

static bool stands(const struct row *row, char letter)
{
	return strchr(row->places, letter) != NULL;
}

/* What the standard asks for: 0x82 where the other side may say it in such a packet, else 0x81 where it may not stand.
 */
static uint8_t wanted(const struct row *row, unsigned place)
{
	char letter = letters[place];

	if (stands(row, letter))
		return 0;
	if ((letter == 'p' && stands(row, 'P')) || (letter == 'd' && stands(row, 'D')) ||
		(letter == 'D' && stands(row, 'd')))
		return 0x82;
	return 0x81;
}

static void legal_places_by_the_table_MQTT5_2_2_2_2(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (unsigned place = 0; place < PLACES; place++) {
			uint8_t reason = read_parts(rows[i].bytes, rows[i].len, NULL, 0, place);
			if (reason != wanted(&rows[i], place))
				fail_msg("%s in %c: 0x%02x", rows[i].name, letters[place], reason);
		}
}

static void wrong_side_cites_MQTT_3_3_4_6_and_MQTT_3_14_2_2(void **state)
{
	const struct {
		const char *bytes, *id;
		enum skiffi_place place;
	} wrong[] = {{"\2\x0b\1", "[MQTT-3.3.4-6]", SKIFFI_IN_PUBLISH_FROM_CLIENT},
		{"\5\x11\0\0\0\0", "[MQTT-3.14.2-2]", SKIFFI_IN_DISCONNECT_FROM_SERVER}};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const uint8_t *bytes = (const uint8_t *)wrong[i].bytes;
		struct skiffi_reader reader = {.at = bytes, .end = bytes + 1 + bytes[0]};
		struct skiff_properties properties;
		struct skiffi_refusal why;
		assert_false(skiffi_properties_read(&reader, wrong[i].place, &properties, &why));
		assert_non_null(strstr(why.rule, wrong[i].id));
	}
}

static void twice_is_a_protocol_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (unsigned place = 0; place < PLACES; place++) {
			uint8_t id = (uint8_t)rows[i].bytes[0], reason;
			bool many = id == USER || (id == SUBSCRIPTION_ID && letters[place] == 'P');
			if (!stands(&rows[i], letters[place]))
				continue;
			reason = read_parts(rows[i].bytes, rows[i].len, rows[i].bytes, rows[i].len, place);
			if (reason != (many ? 0 : 0x82))
				fail_msg("%s twice in %c: 0x%02x", rows[i].name, letters[place], reason);
		}
}

static void values_out_of_range_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (unsigned place = 0; place < PLACES; place++) {
			uint8_t reason;
			if (!rows[i].bad || !stands(&rows[i], letters[place]))
				continue;
			reason = read_parts(rows[i].bad, rows[i].bad_len, NULL, 0, place);
			if (reason != rows[i].bad_reason)
				fail_msg("%s in %c: 0x%02x", rows[i].name, letters[place], reason);
		}
}

static unsigned first_place(const struct row *row)
{
	return (unsigned)(strchr(letters, row->places[0]) - letters);
}

static void cut_at_every_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		for (size_t cut = 1; cut < rows[i].len; cut++)
			assert_int_equal(read_parts(rows[i].bytes, cut, NULL, 0, first_place(&rows[i])), 0x81);
		for (size_t cut = 0; cut <= rows[i].len; cut++) { /* the length says more than there is */
			struct block block = block_of(rows[i].bytes, rows[i].len, NULL, 0);
			struct skiff_properties properties;
			struct block part = {.bytes = malloc(cut + !cut), .len = cut};
			assert_non_null(part.bytes);
			memcpy(part.bytes, block.bytes, cut);
			assert_int_equal(read_block(part, first_place(&rows[i]), &properties), 0x81);
			free(part.bytes);
			free(block.bytes);
		}
	}
}

static void unknown_identifiers_are_malformed(void **state)
{
	(void)state;
	for (unsigned id = 0; id < 256; id++) {
		char bytes[] = {(char)id, 0, 0, 0, 0};
		bool known = false;
		for (size_t i = 0; i < COUNT(rows); i++)
			known |= (uint8_t)rows[i].bytes[0] == id;
		for (unsigned place = 0; place < PLACES && !known; place++)
			assert_int_equal(read_parts(bytes, sizeof(bytes), NULL, 0, place), 0x81);
	}
}

/* Written again, each is what was read; but for the topic alias, which is left to PUBLISH. */
static void read_and_written_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct block block = block_of(rows[i].bytes, rows[i].len, NULL, 0);
		struct skiff_properties properties;
		uint8_t out[32];
		size_t len = (uint8_t)rows[i].bytes[0] == TOPIC_ALIAS ? 0 : block.len - 1;
		const char *rule;
		assert_int_equal(read_block(block, first_place(&rows[i]), &properties), 0);
		assert_int_equal(skiffi_properties_len(&properties), len);
		assert_ptr_equal(skiffi_properties_write(out, &properties), out + len);
		assert_memory_equal(out, block.bytes + 1, len);
		assert_true(skiffi_properties_valid(&properties, 1u << first_place(&rows[i]), &rule));
		free(block.bytes);
	}
}

static void sets(const char *bytes, size_t len, unsigned place, struct skiff_properties *properties)
{
	struct skiffi_reader reader = {.at = (const uint8_t *)bytes, .end = (const uint8_t *)bytes + len};
	struct skiffi_refusal why = {0};

	if (!skiffi_properties_read(&reader, place, properties, &why))
		fail_msg("%s", why.rule);
}

static void expect_text(struct skiff_bytes view, const char *text)
{
	assert_int_equal(view.len, strlen(text));
	assert_memory_equal(view.data, text, view.len);
}

static void connack_member_by_member(void **state)
{
	static const char bytes[] =
		"\x43"
		"\x11\0\0\0\1\x12\0\1i\x13\0\2\x15\0\1m\x16\0\1d\x1a\0\1r\x1c\0\1s\x1f\0\1t\x21\0\3\x22\0\4\x24\1\x25\1"
		"\x27\0\0\0\5\x28\1\x29\1\x2a\1\x26\0\1k\0\1v\x26\0\1k\0\1w";
	struct skiff_properties p;

	(void)state;
	sets(bytes, sizeof(bytes) - 1, SKIFFI_IN_CONNACK, &p);
	assert_int_equal(p.session_expiry_s, 1);
	assert_int_equal(p.server_keep_alive_s, 2);
	assert_int_equal(p.receive_maximum, 3);
	assert_int_equal(p.topic_alias_maximum, 4);
	assert_int_equal(p.maximum_packet_size, 5);
	assert_int_equal(p.maximum_qos + p.retain_available + p.wildcard_available, 3);
	assert_int_equal(p.subscription_id_available + p.shared_available, 2);
	assert_int_equal(p.has, SKIFF_HAS_SESSION_EXPIRY | SKIFF_HAS_SERVER_KEEP_ALIVE | SKIFF_HAS_RECEIVE_MAXIMUM |
					SKIFF_HAS_TOPIC_ALIAS_MAXIMUM | SKIFF_HAS_MAXIMUM_PACKET_SIZE |
					SKIFF_HAS_MAXIMUM_QOS | SKIFF_HAS_RETAIN_AVAILABLE |
					SKIFF_HAS_WILDCARD_AVAILABLE | SKIFF_HAS_SUBSCRIPTION_ID_AVAILABLE |
					SKIFF_HAS_SHARED_AVAILABLE);
	expect_text(p.assigned_client_id, "i");
	expect_text(p.authentication_method, "m");
	expect_text(p.authentication_data, "d");
	expect_text(p.response_information, "r");
	expect_text(p.server_reference, "s");
	expect_text(p.reason_string, "t");
	assert_int_equal(p.user_count, 2);
	assert_null(p.user);
}

static void message_member_by_member(void **state)
{
	static const char bytes[] = "\x18\1\1\2\0\0\1\0\3\0\1c\x08\0\1r\x09\0\1d\x18\0\0\0\7";
	static const char request[] = "\4\x17\1\x19\1";
	struct skiff_properties p;

	(void)state;
	sets(bytes, sizeof(bytes) - 1, SKIFFI_IN_WILL, &p);
	assert_int_equal(p.has, SKIFF_HAS_PAYLOAD_FORMAT | SKIFF_HAS_MESSAGE_EXPIRY | SKIFF_HAS_WILL_DELAY);
	assert_int_equal(p.payload_format, 1);
	assert_int_equal(p.message_expiry_s, 256);
	assert_int_equal(p.will_delay_s, 7);
	expect_text(p.content_type, "c");
	expect_text(p.response_topic, "r");
	expect_text(p.correlation_data, "d");
	sets(request, sizeof(request) - 1, SKIFFI_IN_CONNECT, &p);
	assert_int_equal(p.has, SKIFF_HAS_REQUEST_PROBLEM_INFO | SKIFF_HAS_REQUEST_RESPONSE_INFO);
	assert_int_equal(p.request_problem_info + p.request_response_info, 2);
}

static void user_properties_inbound_and_outbound(void **state)
{
	struct skiff_user_property outbound[] = {{skiff_text("a"), skiff_text("1")}, {skiff_text("b"), skiff_text("")}},
				   found;
	struct skiff_properties p = {.user = outbound, .user_count = 2}, back;
	uint8_t bytes[32];
	size_t len = skiffi_properties_len(&p);

	(void)state;
	bytes[0] = (uint8_t)len;
	assert_ptr_equal(skiffi_properties_write(bytes + 1, &p), bytes + 1 + len);
	sets((const char *)bytes, 1 + len, SKIFFI_IN_ACK, &back);
	for (size_t i = 0; i < 2; i++) {
		const struct skiff_properties *sides[] = {&p, &back};
		for (size_t side = 0; side < 2; side++) {
			assert_true(skiff_user_property_at(sides[side], i, &found));
			assert_int_equal(found.name.len, 1);
			assert_memory_equal(found.name.data, outbound[i].name.data, 1);
			assert_int_equal(found.value.len, outbound[i].value.len);
			assert_false(skiff_user_property_at(sides[side], 2, &found));
		}
	}
	assert_false(skiff_user_property_at(NULL, 0, &found));
}

static void subscription_ids_of_a_message(void **state)
{
	static const char bytes[] = "\x0b\x0b\1\x26\0\1k\0\0\x0b\xff\x7f";
	struct skiff_properties p, none = {0};

	(void)state;
	sets(bytes, sizeof(bytes) - 1, SKIFFI_IN_PUBLISH_FROM_SERVER, &p);
	assert_int_equal(skiff_subscription_id_at(&p, 0), 1);
	assert_int_equal(skiff_subscription_id_at(&p, 1), 16383);
	assert_int_equal(skiff_subscription_id_at(&p, 2), 0);
	assert_int_equal(skiff_subscription_id_at(&none, 0), 0);
	assert_int_equal(skiff_subscription_id_at(NULL, 0), 0);
	assert_int_equal(skiffi_properties_len(&p), sizeof(bytes) - 2);
	none.has = SKIFF_HAS_SUBSCRIPTION_ID; /* outbound */
	none.subscription_id = 9;
	assert_int_equal(skiff_subscription_id_at(&none, 0), 9);
	assert_int_equal(skiff_subscription_id_at(&none, 1), 0);
}

static void refused(const struct skiff_properties *p, unsigned place, const char *words)
{
	const char *rule = NULL;

	assert_false(skiffi_properties_valid(p, place, &rule));
	if (!strstr(rule, words))
		fail_msg("'%s' does not say '%s'", rule, words);
}

static void outbound_strings_are_checked_MQTT_1_5_4_1_and_2(void **state)
{
	static char long_text[65537];
	struct skiff_properties p = {.content_type = skiff_text("\xff")};
	const char *rule;

	(void)state;
	refused(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, "content type is not UTF-8 [MQTT-1.5.4-1]");
	p.content_type = (struct skiff_bytes){"a\0", 2};
	refused(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, "[MQTT-1.5.4-2]");
	memset(long_text, 'a', sizeof(long_text));
	p.content_type = (struct skiff_bytes){long_text, 65536};
	refused(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, "65535");
	p.content_type.len = 65535;
	assert_true(skiffi_properties_valid(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, &rule));
	p.correlation_data = (struct skiff_bytes){long_text, 65536};
	refused(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, "correlation data");
}

static void outbound_response_topic_MQTT_3_3_2_14(void **state)
{
	struct skiff_properties p = {.response_topic = skiff_text("a/+")};

	(void)state;
	refused(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, "[MQTT-3.3.2-14]");
	p.response_topic = skiff_text("");
	refused(&p, SKIFFI_IN_WILL, "[MQTT-4.7.3-1]");
}

static void outbound_user_property_MQTT_1_5_7_1(void **state)
{
	struct skiff_user_property user[2] = {{skiff_text("k"), skiff_text("v")}, {skiff_text("k"), {"\0", 1}}};
	struct skiff_properties p = {.user = user, .user_count = 1};
	const char *rule;

	(void)state;
	assert_true(skiffi_properties_valid(&p, SKIFFI_IN_SUBSCRIBE, &rule));
	p.user_count = 2;
	refused(&p, SKIFFI_IN_SUBSCRIBE, "user property holds U+0000");
	p.user = NULL;
	refused(&p, SKIFFI_IN_SUBSCRIBE, "user_count");
}

/* All of them share one long text, so that this needs little memory. */
static void outbound_ones_fit_a_packet(void **state)
{
	enum { MANY = 2048 };
	static struct skiff_user_property user[MANY];
	static char text[65535];
	struct skiff_properties p = {.user = user, .user_count = MANY};
	const char *rule;

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < MANY; i++)
		user[i].name = user[i].value = (struct skiff_bytes){text, sizeof(text)};
	refused(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, "longer than a packet may be");
	p.user_count--;
	assert_true(skiffi_properties_valid(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, &rule));
}

static void outbound_subscription_id_MQTT_3_3_4_6(void **state)
{
	struct skiff_properties p = {.has = SKIFF_HAS_SUBSCRIPTION_ID, .subscription_id = 268435455};
	const char *rule;

	(void)state;
	assert_true(skiffi_properties_valid(&p, SKIFFI_IN_SUBSCRIBE, &rule));
	refused(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, "[MQTT-3.3.4-6]");
	refused(&p, SKIFFI_IN_UNSUBSCRIBE, "may not stand");
	p.subscription_id = 0;
	refused(&p, SKIFFI_IN_SUBSCRIBE, "out of range");
	p.subscription_id = 268435456;
	refused(&p, SKIFFI_IN_SUBSCRIBE, "out of range");
}

static void outbound_places_and_ranges(void **state)
{
	struct skiff_properties p = {.has = SKIFF_HAS_PAYLOAD_FORMAT, .payload_format = 2};
	const char *rule;

	(void)state;
	refused(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, "payload format indicator is out of range");
	p.payload_format = 1;
	refused(&p, SKIFFI_IN_CONNECT, "payload format indicator may not stand");
	p.has = 1u << 17;
	refused(&p, SKIFFI_IN_CONNECT, "unknown bit");
	p = (struct skiff_properties){.authentication_data = skiff_text("d")};
	refused(&p, SKIFFI_IN_CONNECT, "without authentication method");
	p.authentication_method = skiff_text("m");
	assert_true(skiffi_properties_valid(&p, SKIFFI_IN_CONNECT, &rule));
	assert_true(skiffi_properties_valid(NULL, SKIFFI_IN_CONNECT, &rule));
	assert_int_equal(skiffi_properties_len(NULL), 0);
}

static void inbound_ones_can_be_passed_on(void **state)
{
	static const char bytes[] = "\x0c\1\1\x23\0\7\x26\0\1k\0\1v";
	struct skiff_properties p;
	uint8_t out[16];
	const char *rule;

	(void)state;
	sets(bytes, sizeof(bytes) - 1, SKIFFI_IN_PUBLISH_FROM_SERVER, &p);
	assert_true(skiffi_properties_valid(&p, SKIFFI_IN_PUBLISH_FROM_CLIENT, &rule));
	assert_int_equal(skiffi_properties_write(out, &p) - out, 9);
	assert_memory_equal(out, "\1\1\x26\0\1k\0\1v", 9);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(legal_places_by_the_table_MQTT5_2_2_2_2),
		cmocka_unit_test(wrong_side_cites_MQTT_3_3_4_6_and_MQTT_3_14_2_2),
		cmocka_unit_test(twice_is_a_protocol_error),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(cut_at_every_length),
		cmocka_unit_test(unknown_identifiers_are_malformed),
		cmocka_unit_test(read_and_written_again),
		cmocka_unit_test(connack_member_by_member),
		cmocka_unit_test(message_member_by_member),
		cmocka_unit_test(user_properties_inbound_and_outbound),
		cmocka_unit_test(subscription_ids_of_a_message),
		cmocka_unit_test(outbound_strings_are_checked_MQTT_1_5_4_1_and_2),
		cmocka_unit_test(outbound_response_topic_MQTT_3_3_2_14),
		cmocka_unit_test(outbound_user_property_MQTT_1_5_7_1),
		cmocka_unit_test(outbound_ones_fit_a_packet),
		cmocka_unit_test(outbound_subscription_id_MQTT_3_3_4_6),
		cmocka_unit_test(outbound_places_and_ranges),
		cmocka_unit_test(inbound_ones_can_be_passed_on),
	};

	return cmocka_run_group_tests_name("properties", tests, NULL, NULL);
}
