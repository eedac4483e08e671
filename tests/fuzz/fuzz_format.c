/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_format.c: any format is refused with a reason, or lays out any message. The input: a byte of options, the format
 * up to a newline, and what serves as topic and payload. */
#include "../../tools/cli_format.h"
#include "fuzz.h"
#include <string.h>

static void lay_out(const char *format, uint8_t bits, struct skiff_bytes rest)
{
	static const struct skiff_user_property user = {{"name", 4}, {"value", 5}};
	static const struct timespec when = {1709208000, 1234567};
	const struct cli_format_options options = {.like = bits & 1 ? CLI_LIKE_21 : CLI_LIKE_20,
		.pretty = bits & 2,
		.escape = bits & 4,
		.binary = bits & 8};
	struct skiff_properties properties = {.has = SKIFF_HAS_MESSAGE_EXPIRY | SKIFF_HAS_PAYLOAD_FORMAT,
		.message_expiry_s = 60,
		.content_type = rest,
		.correlation_data = rest,
		.user = &user,
		.user_count = 1};
	const struct skiff_message message = {.topic = rest,
		.payload = rest,
		.qos = bits >> 6 & 1,
		.packet_id = 7,
		.properties = bits & 16 ? &properties : NULL};
	struct cli_buffer out = {0};
	cli_format_add(&out, format, &options, &message, &when);
	CHECK(!out.failed);
	cli_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char why[200] = "", *format = malloc(len + 1);
	if (!len || !format) {
		free(format);
		return 0;
	}
	memcpy(format, data + 1, len - 1);
	format[len - 1] = 0;
	char *newline = strchr(format, '\n');
	size_t rest = newline ? (size_t)(newline - format) + 1 : len - 1;
	if (newline)
		*newline = 0;
	if (cli_format_check(format, why, sizeof(why)))
		lay_out(format, data[0], (struct skiff_bytes){data + 1 + rest, len - 1 - rest});
	else
		CHECK(*why);
	free(format);
	return 0;
}
