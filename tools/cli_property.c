/* SPDX-License-Identifier: Apache-2.0 */
/* cli_property.c: MQTT 5 properties from the command line. One table says which name may stand in which packet [MQTT 5,
 * 2.2.2.2], what its value is, and where it goes. */
#include "cli_property.h"
#include "cli_suggest.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum property_kind { PROPERTY_U8, PROPERTY_U16, PROPERTY_U32, PROPERTY_BYTES, PROPERTY_USER };

#define IN(packet) (1u << CLI_PACKET_##packet)
#define AT(member) offsetof(struct skiff_properties, member)

struct property {
	const char *name;
	unsigned packets;
	enum property_kind kind;
	size_t field;
	uint32_t has;
	long long min, max;
};

static const struct property property_table[] = {
	{"authentication-data", IN(CONNECT), PROPERTY_BYTES, AT(authentication_data), 0, 0, 0},
	{"authentication-method", IN(CONNECT), PROPERTY_BYTES, AT(authentication_method), 0, 0, 0},
	{"content-type", IN(PUBLISH) | IN(WILL), PROPERTY_BYTES, AT(content_type), 0, 0, 0},
	{"correlation-data", IN(PUBLISH) | IN(WILL), PROPERTY_BYTES, AT(correlation_data), 0, 0, 0},
	{"maximum-packet-size", IN(CONNECT), PROPERTY_U32, AT(maximum_packet_size), SKIFF_HAS_MAXIMUM_PACKET_SIZE, 1,
		4294967295},
	{"message-expiry-interval", IN(PUBLISH) | IN(WILL), PROPERTY_U32, AT(message_expiry_s),
		SKIFF_HAS_MESSAGE_EXPIRY, 0, 4294967295},
	{"payload-format-indicator", IN(PUBLISH) | IN(WILL), PROPERTY_U8, AT(payload_format), SKIFF_HAS_PAYLOAD_FORMAT,
		0, 1},
	{"reason-string", IN(DISCONNECT), PROPERTY_BYTES, AT(reason_string), 0, 0, 0},
	{"receive-maximum", IN(CONNECT), PROPERTY_U16, AT(receive_maximum), SKIFF_HAS_RECEIVE_MAXIMUM, 1, 65535},
	{"request-problem-information", IN(CONNECT), PROPERTY_U8, AT(request_problem_info),
		SKIFF_HAS_REQUEST_PROBLEM_INFO, 0, 1},
	{"request-response-information", IN(CONNECT), PROPERTY_U8, AT(request_response_info),
		SKIFF_HAS_REQUEST_RESPONSE_INFO, 0, 1},
	{"response-topic", IN(PUBLISH) | IN(WILL), PROPERTY_BYTES, AT(response_topic), 0, 0, 0},
	{"session-expiry-interval", IN(CONNECT) | IN(DISCONNECT), PROPERTY_U32, AT(session_expiry_s),
		SKIFF_HAS_SESSION_EXPIRY, 0, 4294967295},
	{"subscription-identifier", IN(SUBSCRIBE), PROPERTY_U32, AT(subscription_id), SKIFF_HAS_SUBSCRIPTION_ID, 1,
		268435455},
	{"topic-alias", IN(PUBLISH), PROPERTY_U16, AT(topic_alias), SKIFF_HAS_TOPIC_ALIAS, 1, 65535},
	{"topic-alias-maximum", IN(CONNECT), PROPERTY_U16, AT(topic_alias_maximum), SKIFF_HAS_TOPIC_ALIAS_MAXIMUM, 0,
		65535},
	{"user-property", (1u << CLI_PACKET_COUNT) - 1, PROPERTY_USER, 0, 0, 0, 0},
	{"will-delay-interval", IN(WILL), PROPERTY_U32, AT(will_delay_s), SKIFF_HAS_WILL_DELAY, 0, 4294967295},
};

#undef IN
#undef AT

enum { PROPERTY_COUNT = sizeof(property_table) / sizeof(property_table[0]) };

static const char *const packet_names[CLI_PACKET_COUNT] = {
	[CLI_PACKET_CONNECT] = "connect",
	[CLI_PACKET_PUBLISH] = "publish",
	[CLI_PACKET_SUBSCRIBE] = "subscribe",
	[CLI_PACKET_UNSUBSCRIBE] = "unsubscribe",
	[CLI_PACKET_DISCONNECT] = "disconnect",
	[CLI_PACKET_WILL] = "will",
};

static int packet_find(const char *name)
{
	for (int i = 0; i < CLI_PACKET_COUNT; i++) {
		if (strcasecmp(packet_names[i], name) == 0)
			return i;
	}
	return -1;
}

/* The property, or NULL after writing why. */
static const struct property *property_find(int packet, const char *name, char *why, size_t size)
{
	struct cli_suggestion best = {0};
	for (size_t i = 0; i < PROPERTY_COUNT; i++) {
		const struct property *property = &property_table[i];
		if (strcasecmp(property->name, name) == 0 && (property->packets & (1u << packet)))
			return property;
		if (property->packets & (1u << packet))
			cli_suggest(&best, name, strlen(name), property->name);
	}
	snprintf(why, size, "'%.100s' is no property of %s%s%s%s", name, packet_names[packet],
		best.name ? "; did you mean '" : "", best.name ? best.name : "", best.name ? "'?" : "");
	return NULL;
}

static bool property_set_number(
	const struct property *property, struct skiff_properties *properties, const char *word, char *why, size_t size)
{
	char *end;
	errno = 0;
	long long value = strtoll(word, &end, 10);
	if (*word == '\0' || *end != '\0' || errno || value < property->min || value > property->max) {
		snprintf(why, size, "%s '%.100s' is not a whole number from %lld to %lld", property->name, word,
			property->min, property->max);
		return false;
	}
	char *field = (char *)properties + property->field;
	if (property->kind == PROPERTY_U8)
		*(uint8_t *)field = (uint8_t)value;
	else if (property->kind == PROPERTY_U16)
		*(uint16_t *)field = (uint16_t)value;
	else
		*(uint32_t *)field = (uint32_t)value;
	properties->has |= property->has;
	return true;
}

static bool property_add_user(struct skiff_properties *properties, char **words, char *why, size_t size)
{
	struct skiff_user_property *user =
		realloc((void *)properties->user, sizeof(*user) * (properties->user_count + 1));
	if (!user) {
		snprintf(why, size, "out of memory");
		return false;
	}
	user[properties->user_count++] = (struct skiff_user_property){skiff_text(words[0]), skiff_text(words[1])};
	properties->user = user;
	return true;
}

int cli_property_take(void *field, char **words, int count, char *why, size_t size)
{
	struct cli_properties *all = field;
	int packet = packet_find(words[0]);
	if (packet < 0) {
		snprintf(why, size, "'%.100s' is not connect, publish, subscribe, unsubscribe, disconnect or will",
			words[0]);
		return -1;
	}
	const struct property *property = count > 1 ? property_find(packet, words[1], why, size) : NULL;
	if (count > 1 && !property)
		return -1;
	int needed = property && property->kind == PROPERTY_USER ? 4 : 3;
	if (count < needed) {
		snprintf(why, size,
			"its value is incomplete; write COMMAND NAME VALUE, or COMMAND user-property KEY VALUE after "
			"it");
		return -1;
	}
	struct skiff_properties *properties = &all->packets[packet];
	const struct skiff_bytes *bytes = (const struct skiff_bytes *)((char *)properties + property->field);
	bool twice = property->kind == PROPERTY_BYTES ? bytes->data != NULL : (properties->has & property->has) != 0;
	bool ok = true;
	if (twice && property->kind != PROPERTY_USER) {
		snprintf(why, size, "%s is given twice for %s", property->name, packet_names[packet]);
		return -1;
	}
	if (property->kind == PROPERTY_USER)
		ok = property_add_user(properties, words + 2, why, size);
	else if (property->kind == PROPERTY_BYTES)
		*(struct skiff_bytes *)((char *)properties + property->field) = skiff_text(words[2]);
	else
		ok = property_set_number(property, properties, words[2], why, size);
	all->given[packet] = all->given[packet] || ok;
	return ok ? needed : -1;
}

int cli_property_split(char *text, char **words)
{
	int count = 0, most = 3;
	for (words[count++] = text; count < most && (text = strchr(text, ' ')); words[count++] = text) {
		*text++ = '\0';
		text += strspn(text, " ");
		if (count == 1 && strncmp(text, "user-property ", 14) == 0)
			most++;
	}
	return count;
}

void cli_property_free(void *field)
{
	struct cli_properties *all = field;
	for (size_t i = 0; i < CLI_PACKET_COUNT; i++) {
		free((void *)all->packets[i].user);
		all->packets[i].user = NULL;
	}
}

const struct skiff_properties *cli_property_of(const struct cli_properties *properties, enum cli_packet packet)
{
	return properties->given[packet] ? &properties->packets[packet] : NULL;
}
