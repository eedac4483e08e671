/* SPDX-License-Identifier: Apache-2.0 */
/* client_publish.c: messages on their way in: checked, then to the engine or the queue under the client's lock, alone
 * or many together; large ones of QoS 0 from where they lie. */
#include "base/error.h"
#include "client/client_internal.h"
#include "codec/properties.h"
#include "codec/topic.h"
#include <sched.h>

enum { PAYLOAD_MAX_BYTES = 268435455, LEND_BYTES = 16 * 1024, LEND_TRIES_MAX = 200 };

static enum skiff_code publish_check(const struct skiff_message *message, struct skiff_error *error)
{
	const char *rule = NULL;
	if ((!message->topic.data && message->topic.len) || (!message->payload.data && message->payload.len))
		return skiffi_fail(error, SKIFF_USAGE, 0, "the message's bytes are missing where a length is given");
	if (!skiffi_topic_valid(message->topic, &rule))
		return skiffi_fail(error, SKIFF_USAGE_TOPIC, 0, "the topic '%.*s' is not valid: %s",
			(int)(message->topic.len < 200 ? message->topic.len : 200),
			message->topic.data ? (const char *)message->topic.data : "", rule);
	if (message->qos > 2)
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "QoS %u is not 0, 1 or 2", message->qos);
	if (message->payload.len > PAYLOAD_MAX_BYTES)
		return skiffi_fail(error, SKIFF_MQTT_TOO_LARGE, 0,
			"the payload of %zu bytes is larger than MQTT's limit of 268435455", message->payload.len);
	if (message->properties && !skiffi_properties_valid(message->properties, SKIFFI_IN_PUBLISH_FROM_CLIENT, &rule))
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the message's properties are not valid: %s", rule);
	if (message->properties && message->properties->has & SKIFF_HAS_TOPIC_ALIAS)
		return skiffi_fail(
			error, SKIFF_USAGE_OPTION, 0, "topic aliases are set by the library; leave the property out");
	return SKIFF_OK;
}

static enum skiff_code publish_refused(
	struct skiff_client *client, enum skiff_code code, const struct skiff_error *error)
{
	if (!code)
		return code;
	pthread_mutex_lock(&client->lock);
	skiffi_error_keep(&client->error, error);
	pthread_mutex_unlock(&client->lock);
	return code;
}

/* The larger, the longer it pays to let the loop end its turn. */
static bool publish_lend_begin(struct skiff_client *client, size_t len)
{
	size_t tries = len / LEND_BYTES < LEND_TRIES_MAX ? len / LEND_BYTES : LEND_TRIES_MAX;
	while (!client->engine->ops->lend_begin(client->engine)) {
		if (!tries-- || skiffi_loop_inside())
			return false;
		sched_yield();
	}
	return true;
}

/* Writes a large payload from where it lies. What does not leave at once is copied, or waited for by who wants to wait.
 * SKIFF_AGAIN: it cannot be sent now. */
static enum skiff_code publish_lend(struct skiff_client *client, const struct skiff_message *message,
	struct skiff_token *token, struct skiff_error *error)
{
	const struct skiffi_engine_ops *ops = client->engine->ops;
	bool waits = client->options.queue.full == SKIFF_FULL_WAIT && !skiffi_loop_inside();
	if (!ops->lend_begin || !publish_lend_begin(client, message->payload.len))
		return SKIFF_AGAIN;
	pthread_mutex_lock(&client->lock);
	enum skiff_code code = skiffi_client_queue_lend(client, message, token, error);
	pthread_mutex_unlock(&client->lock);
	ops->lend_end(client->engine, !waits);
	pthread_mutex_lock(&client->lock);
	while (waits && !code && ops->lent(client->engine))
		skiffi_client_sleep(client, NULL);
	pthread_mutex_unlock(&client->lock);
	return code;
}

static bool publish_lends(const struct skiff_message *message)
{
	return !message->qos && message->payload.len >= LEND_BYTES;
}

static enum skiff_code publish_one(struct skiff_client *client, const struct skiff_message *message,
	struct skiff_token *token, struct skiff_error *error)
{
	enum skiff_code code = publish_check(message, error);
	if (!code && publish_lends(message))
		code = publish_lend(client, message, token, error);
	else if (!code)
		code = SKIFF_AGAIN;
	if (code != SKIFF_AGAIN)
		return publish_refused(client, code, error);
	pthread_mutex_lock(&client->lock);
	code = skiffi_client_queue_add(client, message, token, error);
	if (code)
		skiffi_error_keep(&client->error, error);
	pthread_mutex_unlock(&client->lock);
	client->engine->ops->flush(client->engine);
	return code;
}

static enum skiff_code publish_with_token(struct skiff_client *client, const struct skiff_message *message,
	struct skiff_token **token, struct skiff_error *error)
{
	struct skiff_token *mine = skiffi_client_token_new(client);
	if (!mine)
		return skiffi_fail_plain(error, SKIFF_MEMORY);
	enum skiff_code code = publish_one(client, message, mine, error);
	if (code) {
		skiffi_client_token_end_code(mine, code);
		skiff_token_free(mine);
	} else {
		*token = mine;
	}
	return code;
}

enum skiff_code skiff_publish_message(
	struct skiff_client *client, const struct skiff_message *message, struct skiff_token **token)
{
	struct skiff_error error;
	if (!client || !message)
		return SKIFF_USAGE;
	return token ? publish_with_token(client, message, token, &error) : publish_one(client, message, NULL, &error);
}

/* Those up to the first that is lent: under one hold of the lock, and they leave together. */
static enum skiff_code publish_run(struct skiff_client *client, const struct skiff_message *messages, size_t count,
	struct skiff_token **tokens, size_t *accepted)
{
	struct skiff_error error;
	enum skiff_code code = SKIFF_OK;
	pthread_mutex_lock(&client->lock);
	while (*accepted < count && !publish_lends(&messages[*accepted])) {
		const struct skiff_message *message = &messages[*accepted];
		code = publish_check(message, &error);
		if (!code)
			code = skiffi_client_queue_add(client, message, tokens ? tokens[*accepted] : NULL, &error);
		if (code)
			break;
		client->held_back = true;
		++*accepted;
	}
	if (code)
		skiffi_error_keep(&client->error, &error);
	client->held_back = false;
	pthread_mutex_unlock(&client->lock);
	client->engine->ops->flush(client->engine);
	return code;
}

/* NULL behind those for which there was memory; their number is the result. */
static size_t publish_tokens_new(struct skiff_client *client, struct skiff_token **tokens, size_t count)
{
	size_t made = 0;
	for (size_t i = 0; i < count; i++) {
		tokens[i] = client && made == i ? skiffi_client_token_new(client) : NULL;
		made += tokens[i] != NULL;
	}
	return made;
}

static void publish_tokens_drop(struct skiff_token **tokens, size_t first, size_t count)
{
	for (size_t i = first; i < count; i++) {
		skiffi_client_token_end_code(tokens[i], SKIFF_CLOSED);
		skiff_token_free(tokens[i]);
		tokens[i] = NULL;
	}
}

static enum skiff_code publish_all(struct skiff_client *client, const struct skiff_message *messages, size_t count,
	struct skiff_token **tokens, size_t *accepted)
{
	enum skiff_code code = SKIFF_OK;
	struct skiff_error error;
	while (!code && *accepted < count) {
		const struct skiff_message *next = &messages[*accepted];
		if (publish_lends(next)) {
			code = publish_one(client, next, tokens ? tokens[*accepted] : NULL, &error);
			*accepted += !code;
		} else {
			code = publish_run(client, messages, count, tokens, accepted);
		}
	}
	return code;
}

enum skiff_code skiff_publish_many(struct skiff_client *client, const struct skiff_message *messages, size_t count,
	struct skiff_token **tokens, size_t *accepted)
{
	size_t through = 0, made = count;
	enum skiff_code code = !client || (!messages && count) ? SKIFF_USAGE : SKIFF_OK;
	struct skiff_error error;
	if (tokens)
		made = publish_tokens_new(client, tokens, count);
	if (!code)
		code = publish_all(client, messages, made, tokens, &through);
	if (!code && made < count)
		code = publish_refused(client, skiffi_fail_plain(&error, SKIFF_MEMORY), &error);
	if (tokens)
		publish_tokens_drop(tokens, through, made);
	if (accepted)
		*accepted = through;
	return code;
}

struct skiff_token *skiff_publish(
	struct skiff_client *client, const char *topic, const void *payload, size_t len, int qos, bool retain)
{
	struct skiff_token *token = NULL;
	struct skiff_error error;
	struct skiff_message message = {.topic = skiff_text(topic),
		.payload = {payload, len},
		.qos = qos >= 0 && qos <= 2 ? (uint8_t)qos : UINT8_MAX,
		.retain = retain};
	if (!client)
		return NULL;
	if (message.qos > 2) {
		skiffi_fail(&error, SKIFF_USAGE_OPTION, 0, "QoS %d is not 0, 1 or 2", qos);
		return skiffi_client_token_refused(&error);
	}
	return publish_with_token(client, &message, &token, &error) ? skiffi_client_token_refused(&error) : token;
}
