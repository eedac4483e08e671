/* SPDX-License-Identifier: Apache-2.0 */
/* paho_properties.c: MQTT 5 properties between our wire form and Paho's lists. Legality is the codec's business. */
#include "base/alloc.h"
#include "codec/properties.h"
#include "engine/paho_internal.h"

enum { LENGTH_MAX = 4 };

static MQTTLenString property_string(struct skiff_bytes bytes)
{
	return (MQTTLenString){(int)bytes.len, (char *)bytes.data};
}

static bool property_read(struct skiffi_reader *reader, MQTTProperty *property)
{
	uint8_t u8 = 0;
	uint16_t u16 = 0;
	uint32_t u32 = 0;
	struct skiff_bytes data = {0}, value = {0};
	bool ok = false;
	switch ((enum MQTTPropertyTypes)MQTTProperty_getType(property->identifier)) {
	case MQTTPROPERTY_TYPE_BYTE:
		ok = skiffi_read_u8(reader, &u8);
		property->value.byte = u8;
		break;
	case MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER:
		ok = skiffi_read_u16(reader, &u16);
		property->value.integer2 = u16;
		break;
	case MQTTPROPERTY_TYPE_FOUR_BYTE_INTEGER:
		ok = skiffi_read_u32(reader, &u32);
		/* Paho writes larger ones wrong: "never" would become 255 seconds. This is 68 years. */
		property->value.integer4 = u32 > INT32_MAX ? INT32_MAX : u32;
		break;
	case MQTTPROPERTY_TYPE_VARIABLE_BYTE_INTEGER:
		ok = skiffi_read_varint(reader, &u32);
		property->value.integer4 = u32;
		break;
	case MQTTPROPERTY_TYPE_BINARY_DATA:
	case MQTTPROPERTY_TYPE_UTF_8_ENCODED_STRING:
		ok = skiffi_read_binary(reader, &data);
		property->value.data = property_string(data);
		break;
	case MQTTPROPERTY_TYPE_UTF_8_STRING_PAIR:
		ok = skiffi_read_binary(reader, &data) && skiffi_read_binary(reader, &value);
		property->value.data = property_string(data);
		property->value.value = property_string(value);
		break;
	}
	return ok;
}

bool skiffi_paho_properties_decode(struct skiff_bytes encoded, MQTTProperties *properties)
{
	const uint8_t *at = encoded.data;
	struct skiffi_reader reader = {at, at + encoded.len};
	uint32_t number;
	if (!at)
		return true;
	if (!skiffi_read_varint(&reader, &number))
		return false;
	while (reader.at < reader.end) {
		MQTTProperty property = {0};
		if (!skiffi_read_varint(&reader, &number))
			return false;
		property.identifier = (enum MQTTPropertyCodes)number;
		if (!property_read(&reader, &property) || MQTTProperties_add(properties, &property))
			return false;
	}
	return true;
}

size_t skiffi_paho_properties_room(const struct skiff_properties *from)
{
	return LENGTH_MAX + skiffi_properties_len(from);
}

uint8_t *skiffi_paho_properties_write(uint8_t *at, const struct skiff_properties *from)
{
	size_t len = skiffi_properties_len(from);
	at = skiffi_write_varint(at, (uint32_t)len);
	return len ? skiffi_properties_write(at, from) : at;
}

bool skiffi_paho_properties_of(const struct skiff_properties *from, MQTTProperties *properties)
{
	uint8_t *raw = skiffi_malloc(skiffi_paho_properties_room(from));
	if (!raw)
		return false;
	uint8_t *end = skiffi_paho_properties_write(raw, from);
	bool ok = skiffi_paho_properties_decode((struct skiff_bytes){raw, (size_t)(end - raw)}, properties);
	skiffi_free(raw);
	return ok;
}

static struct skiff_bytes property_bytes(const MQTTLenString *string)
{
	return (struct skiff_bytes){string->data, (size_t)string->len};
}

static uint8_t *property_write(uint8_t *at, const MQTTProperty *property)
{
	at = skiffi_write_varint(at, (uint32_t)property->identifier);
	switch ((enum MQTTPropertyTypes)MQTTProperty_getType(property->identifier)) {
	case MQTTPROPERTY_TYPE_BYTE:
		return skiffi_write_u8(at, property->value.byte);
	case MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER:
		return skiffi_write_u16(at, property->value.integer2);
	case MQTTPROPERTY_TYPE_FOUR_BYTE_INTEGER:
		return skiffi_write_u32(at, property->value.integer4);
	case MQTTPROPERTY_TYPE_VARIABLE_BYTE_INTEGER:
		return skiffi_write_varint(at, property->value.integer4);
	case MQTTPROPERTY_TYPE_BINARY_DATA:
	case MQTTPROPERTY_TYPE_UTF_8_ENCODED_STRING:
		return skiffi_write_binary(at, property_bytes(&property->value.data));
	case MQTTPROPERTY_TYPE_UTF_8_STRING_PAIR:
		at = skiffi_write_binary(at, property_bytes(&property->value.data));
		return skiffi_write_binary(at, property_bytes(&property->value.value));
	}
	return at;
}

struct skiff_bytes skiffi_paho_properties_encode(const MQTTProperties *properties)
{
	if (!properties || !properties->count)
		return (struct skiff_bytes){0};
	uint8_t *raw = skiffi_malloc(LENGTH_MAX + (size_t)properties->length);
	if (!raw)
		return (struct skiff_bytes){0};
	uint8_t *at = skiffi_write_varint(raw, (uint32_t)properties->length);
	for (int i = 0; i < properties->count; i++)
		at = property_write(at, &properties->array[i]);
	return (struct skiff_bytes){raw, (size_t)(at - raw)};
}
