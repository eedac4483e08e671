/* SPDX-License-Identifier: Apache-2.0 */
/* cli_record.h: a message as one line of JSON and back, byte for byte: the schema skiff.message/1
 * (docs/schema/message-1.json), so that `skiff sub --json | skiff pub --json-in` repeats what was captured.
 *
 * A payload that is UTF-8 without NUL stands in "payload", any other as base64 in "payload_base64"; correlation data
 * likewise. */
#ifndef SKIFF_CLI_RECORD_H
#define SKIFF_CLI_RECORD_H

#include "cli_buffer.h"
#include <skiff/message.h>
#include <time.h>

/* Adds the line, with its newline, for a message that came at `when`. */
void cli_record_append(struct cli_buffer *out, const struct skiff_message *message, const struct timespec *when);

struct cJSON;

/* A message that was read; all zero at the start. `message` points into the rest. */
struct cli_record {
	struct skiff_message message;
	bool has_time;
	struct timespec time;
	struct skiff_properties properties;
	struct skiff_user_property *user;
	size_t user_room;
	struct cJSON *json;
	char *payload, *correlation; /* decoded, or printed */
};

/* Reads a line, also one that `mosquitto_sub -F %j` or %J printed. What it does not know is passed over; a topic is not
 * checked. Result: false, with what is wrong in `why`. The record is good until the next call for it. */
bool cli_record_read(const char *line, size_t len, struct cli_record *record, char *why, size_t size);

void cli_record_free(struct cli_record *record);

#endif
