/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h: the data types of MQTT [MQTT 5, 1.5]: a bounds-checked reader, and writers into room already measured.
 * The small ones stand here, inline: they are most of what the hot path does. */
#ifndef SKIFFI_WIRE_H
#define SKIFFI_WIRE_H

#include <assert.h>
#include <skiff/bytes.h>
#include <stdbool.h>
#include <stdint.h>

enum { SKIFFI_VARINT_MAX = 268435455, SKIFFI_STRING_MAX = 65535 };

/* What is left to read. Every read returns false, and reads nothing, when it would pass the end. */
struct skiffi_reader {
	const uint8_t *at;
	const uint8_t *end;
};

static inline bool skiffi_read_u8(struct skiffi_reader *reader, uint8_t *value)
{
	if (reader->at == reader->end)
		return false;
	*value = *reader->at++;
	return true;
}

static inline bool skiffi_read_u16(struct skiffi_reader *reader, uint16_t *value)
{
	if (reader->end - reader->at < 2)
		return false;
	*value = (uint16_t)(reader->at[0] << 8 | reader->at[1]);
	reader->at += 2;
	return true;
}

static inline bool skiffi_read_u32(struct skiffi_reader *reader, uint32_t *value)
{
	if (reader->end - reader->at < 4)
		return false;
	*value = (uint32_t)reader->at[0] << 24 | (uint32_t)reader->at[1] << 16 | (uint32_t)reader->at[2] << 8 |
		 reader->at[3];
	reader->at += 4;
	return true;
}

/* Two-byte length, bytes. */
static inline bool skiffi_read_binary(struct skiffi_reader *reader, struct skiff_bytes *value)
{
	size_t left = (size_t)(reader->end - reader->at), len;

	if (left < 2)
		return false;
	len = (size_t)(reader->at[0] << 8 | reader->at[1]);
	if (left - 2 < len)
		return false;
	value->data = reader->at + 2;
	value->len = len;
	reader->at += 2 + len;
	return true;
}

/* False also for a form of more than four bytes, or not minimal [MQTT-1.5.5-1]. */
bool skiffi_read_varint(struct skiffi_reader *reader, uint32_t *value);

/* Writers return the end of what they wrote. */
static inline uint8_t *skiffi_write_u8(uint8_t *at, uint8_t value)
{
	*at = value;
	return at + 1;
}

static inline uint8_t *skiffi_write_u16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static inline uint8_t *skiffi_write_u32(uint8_t *at, uint32_t value)
{
	at = skiffi_write_u16(at, (uint16_t)(value >> 16));
	return skiffi_write_u16(at, (uint16_t)value);
}

/* The shortest form [MQTT-1.5.5-1]. */
static inline uint8_t *skiffi_write_varint(uint8_t *at, uint32_t value)
{
	assert(value <= SKIFFI_VARINT_MAX);
	for (; value >= 0x80; value >>= 7)
		*at++ = (uint8_t)(value | 0x80);
	*at = (uint8_t)value;
	return at + 1;
}

static inline uint8_t *skiffi_write_binary(uint8_t *at, struct skiff_bytes value)
{
	assert(value.len <= SKIFFI_STRING_MAX); /* a cut length would turn the rest into other fields [MQTT-4.7.3-3] */
	at = skiffi_write_u16(at, (uint16_t)value.len);
	if (value.len)
		memcpy(at, value.data, value.len);
	return at + value.len;
}

/* Bytes that a variable byte integer takes: 1 to 4. */
static inline size_t skiffi_varint_len(uint32_t value)
{
	return value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;
}

enum skiffi_text {
	SKIFFI_TEXT_OK,
	SKIFFI_TEXT_ILL_FORMED, /* not UTF-8, or a surrogate [MQTT-1.5.4-1] [MQTT 3.1.1: MQTT-1.5.3-1] */
	SKIFFI_TEXT_NUL,        /* U+0000 [MQTT-1.5.4-2] [MQTT 3.1.1: MQTT-1.5.3-2] */
	SKIFFI_TEXT_WILDCARD    /* '+' or '#' [MQTT-3.3.2-2]; from skiffi_topic_scan only */
};

/* The first thing wrong with a string; a byte-order mark is data [MQTT-1.5.4-3] [MQTT 3.1.1: MQTT-1.5.3-3]. Fast on
 * ASCII. */
enum skiffi_text skiffi_text_scan(struct skiff_bytes text);

/* The same and, in the same pass, wildcards. */
enum skiffi_text skiffi_topic_scan(struct skiff_bytes text);

/* UTF-8 without NUL and surrogates [MQTT-1.5.4-1, -2]. */
static inline bool skiffi_utf8_valid(struct skiff_bytes text)
{
	return skiffi_text_scan(text) == SKIFFI_TEXT_OK;
}

#endif
