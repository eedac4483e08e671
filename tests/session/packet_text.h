/* SPDX-License-Identifier: Apache-2.0 */
/* packet_text.h: MQTT packets written as words, such as "PUBLISH qos=1 id=7 topic=a payload=x @alias=3".
 *
 * Their bytes are made by an encoder of its own, which shares no code with the library: what is compared with it is
 * compared with the standard as somebody else read it. */
#ifndef SKIFF_TESTS_PACKET_TEXT_H
#define SKIFF_TESTS_PACKET_TEXT_H

#include <skiff/message.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_MAX = 64 };

/* A line cut at its blanks. */
struct words {
	char *list[WORDS_MAX];
	size_t count;
};

/* Cuts `line`, which is changed. */
void words_cut(struct words *words, char *line);

/* The value of the word "key=value", NULL when there is none; and whether the bare word `key` is there. */
const char *words_value(const struct words *words, const char *key);
bool words_has(const struct words *words, const char *key);
long words_number(const struct words *words, const char *key, long otherwise);

/* Bytes that grow. All-zero is empty. */
struct bytes {
	uint8_t *data;
	size_t len, capacity;
};
void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_add_u8(struct bytes *bytes, unsigned value);
void bytes_drop(struct bytes *bytes, size_t len);
void bytes_free(struct bytes *bytes);

/* Appends a value: \xNN is that byte, \s a blank, *N as the whole N times 'x'. */
void bytes_add_value(struct bytes *bytes, const char *value);

/* Appends the packet; NULL, or what is wrong with the words. `version` is 4 or 5. */
const char *packet_text(const struct words *words, int version, struct bytes *out);

/* Fills in the words that begin with `prefix` ("@", "will@"); strings live in `*arena`, which must not grow later.
 * Returns whether there was any. */
bool properties_text(const struct words *words, const char *prefix, struct skiff_properties *properties,
	struct skiff_user_property *user, struct bytes *arena);

#endif
