/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_record.c: any line is a message or not; one that is, written and read again, is the same. */
#include "../../tools/cli_record.h"
#include "fuzz.h"
#include <string.h>

static void bytes_same(struct skiff_bytes one, struct skiff_bytes other)
{
	CHECK(one.len == other.len && (one.len == 0 || memcmp(one.data, other.data, one.len) == 0));
}

static void properties_same(const struct skiff_properties *one, const struct skiff_properties *other)
{
	CHECK(!one == !other);
	if (!one)
		return;
	CHECK(one->has == other->has && one->payload_format == other->payload_format);
	CHECK(one->message_expiry_s == other->message_expiry_s && one->user_count == other->user_count);
	CHECK(!one->content_type.data == !other->content_type.data);
	bytes_same(one->content_type, other->content_type);
	bytes_same(one->response_topic, other->response_topic);
	bytes_same(one->correlation_data, other->correlation_data);
	for (size_t i = 0; i < one->user_count; i++) {
		bytes_same(one->user[i].name, other->user[i].name);
		bytes_same(one->user[i].value, other->user[i].value);
	}
}

static void message_same(const struct skiff_message *one, const struct skiff_message *other)
{
	bytes_same(one->topic, other->topic);
	bytes_same(one->payload, other->payload);
	CHECK(one->qos == other->qos && one->retain == other->retain);
	properties_same(one->properties, other->properties);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cli_record first = {0}, second = {0};
	struct cli_buffer line = {0};
	char why[200] = "";
	if (cli_record_read((const char *)data, len, &first, why, sizeof(why))) {
		cli_record_append(&line, &first.message, &first.time);
		CHECK(!line.failed && cli_record_read(line.data, line.len, &second, why, sizeof(why)));
		message_same(&first.message, &second.message);
		CHECK(first.time.tv_nsec == second.time.tv_nsec);
	} else {
		CHECK(why[0]);
	}
	cli_buffer_free(&line);
	cli_record_free(&first);
	cli_record_free(&second);
	return 0;
}
