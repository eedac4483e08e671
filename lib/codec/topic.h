/* SPDX-License-Identifier: Apache-2.0 */
/* topic.h: topic names and topic filters: validity and match [MQTT 5, 4.7, 4.8]. */
#ifndef SKIFFI_TOPIC_H
#define SKIFFI_TOPIC_H

#include <skiff/bytes.h>
#include <stdbool.h>

/* Whether `topic` may be published to: 1 to 65535 bytes, UTF-8, no NUL, no '+', no '#'. `*rule` names what is wrong. */
bool skiffi_topic_valid(struct skiff_bytes topic, const char **rule);

/* Whether `filter` may be subscribed to: as above, '+' fills a level, '#' is a last level of its own; shared:
 * "$share/NAME/filter", NAME not empty and without '/', '+', '#' [MQTT-4.8.2-1, -2]. */
bool skiffi_filter_valid(struct skiff_bytes filter, const char **rule);

/* Whether it is a shared filter; then `*inner` (may be NULL) is the filter behind the share name, else the whole. */
bool skiffi_filter_shared(struct skiff_bytes filter, struct skiff_bytes *inner);

/* Whether `filter` (not shared, valid) matches `topic` (valid); wildcards first do not match "$..." [MQTT-4.7.2-1]. */
bool skiffi_filter_matches(struct skiff_bytes filter, struct skiff_bytes topic);

#endif
