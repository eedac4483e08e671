/* SPDX-License-Identifier: Apache-2.0 */
/* cli_topic.h: refuses topics and filters that cannot be, before anything is connected. */
#ifndef SKIFF_CLI_TOPIC_H
#define SKIFF_CLI_TOPIC_H

#include "cli_command.h"
#include <stdbool.h>
#include <stddef.h>

enum cli_topic_kind {
	CLI_TOPIC_NAME,  /* what a message is published to [MQTT 5, 4.7.1] */
	CLI_TOPIC_FILTER /* what is subscribed to; may hold wildcards and "$share/NAME/" */
};

/* Whether `text` may stand; if not, `why` (`size` bytes) says so, such as "byte 3 is not valid UTF-8". */
bool cli_topic_check(
	const struct cli_context *context, const char *text, enum cli_topic_kind kind, char *why, size_t size);

/* Whether `filter` matches the topic of `len` bytes [MQTT 5, 4.7]. */
bool cli_topic_matches(const char *filter, const char *topic, size_t len);

#endif
