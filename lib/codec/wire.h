/* SPDX-License-Identifier: Apache-2.0 */
/* wire.h: the data types of MQTT [MQTT 5, 1.5]: a bounds-checked reader, and writers into room already measured. */
#ifndef SKIFFI_WIRE_H
#define SKIFFI_WIRE_H

#include <skiff/bytes.h>
#include <stdbool.h>
#include <stdint.h>

enum { SKIFFI_VARINT_MAX = 268435455, SKIFFI_STRING_MAX = 65535 };

/* What is left to read. Every read returns false, and reads nothing, when it would pass the end. */
struct skiffi_reader {
	const uint8_t *at;
	const uint8_t *end;
};

bool skiffi_read_u8(struct skiffi_reader *reader, uint8_t *value);
bool skiffi_read_u16(struct skiffi_reader *reader, uint16_t *value);
bool skiffi_read_u32(struct skiffi_reader *reader, uint32_t *value);
bool skiffi_read_varint(struct skiffi_reader *reader, uint32_t *value); /* false also for a form that is not minimal */
bool skiffi_read_binary(struct skiffi_reader *reader, struct skiff_bytes *value); /* two-byte length, bytes */

/* Writers return the end of what they wrote. */
uint8_t *skiffi_write_u8(uint8_t *at, uint8_t value);
uint8_t *skiffi_write_u16(uint8_t *at, uint16_t value);
uint8_t *skiffi_write_u32(uint8_t *at, uint32_t value);
uint8_t *skiffi_write_varint(uint8_t *at, uint32_t value);
uint8_t *skiffi_write_binary(uint8_t *at, struct skiff_bytes value);

/* Bytes that a variable byte integer takes: 1 to 4. */
size_t skiffi_varint_len(uint32_t value);

/* UTF-8 without NUL and surrogates [MQTT-1.5.4-1, -2]; a byte-order mark is data. Fast on ASCII. */
bool skiffi_utf8_valid(struct skiff_bytes text);

#endif
