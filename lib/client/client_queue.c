/* SPDX-License-Identifier: Apache-2.0 */
/* client_queue.c: messages that cannot be sent now: offline, or the broker's window or our output is full.
 *
 * Two queues, so that a full window does not hold back QoS 0 [MQTT-3.3.4-8]; within each the order is kept. Bounded in
 * bytes, together with what the engine has not yet written; at the bound the policy decides. */
#include "base/error.h"
#include "client/client_internal.h"
#include "codec/properties.h"

static struct client_queue *queue_of(struct skiff_client *client, const struct skiffi_kept *kept)
{
	return &client->queue[kept->qos > 0];
}

static void queue_count(struct skiff_client *client, const struct skiffi_kept *kept)
{
	client->queued_messages++;
	client->queued_bytes += skiffi_kept_weight(kept);
}

static void queue_push(struct skiff_client *client, struct skiffi_kept *kept)
{
	struct client_queue *queue = queue_of(client, kept);
	kept->next = NULL;
	if (queue->last)
		queue->last->next = kept;
	else
		queue->first = kept;
	queue->last = kept;
	queue_count(client, kept);
}

static struct skiffi_kept *queue_pop(struct skiff_client *client, struct client_queue *queue)
{
	struct skiffi_kept *kept = queue->first;
	if (!kept)
		return NULL;
	queue->first = kept->next;
	if (!queue->first)
		queue->last = NULL;
	if (queue->requeued == kept)
		queue->requeued = NULL;
	client->queued_messages--;
	client->queued_bytes -= skiffi_kept_weight(kept);
	return kept;
}

/* Behind those given back before it, in front of all others. */
void skiffi_client_queue_requeue(struct skiff_client *client, struct skiffi_kept *kept)
{
	struct client_queue *queue = queue_of(client, kept);
	struct skiffi_kept **link = queue->requeued ? &queue->requeued->next : &queue->first;
	kept->next = *link;
	*link = kept;
	if (!kept->next)
		queue->last = kept;
	queue->requeued = kept;
	queue_count(client, kept);
}

bool skiffi_client_queue_empty(const struct skiff_client *client)
{
	return !client->queue[0].first && !client->queue[1].first;
}

static void queue_end(struct skiff_client *client, struct skiffi_kept *kept, const struct skiff_error *error)
{
	skiffi_client_token_end((struct skiff_token *)kept->op, error);
	client->engine->ops->unkeep(client->engine, kept);
}

/* Whether `weight` more bytes fit beside what waits, is unsent or unacknowledged; a message of any size fits when there
 * is nothing else. */
static bool queue_fits(const struct skiff_client *client, size_t weight)
{
	struct skiffi_engine_load load = client->engine->ops->load(client->engine);
	size_t bytes = client->queued_bytes + load.unsent_bytes + load.inflight_bytes;
	return !bytes || bytes + weight <= client->options.queue.max_bytes;
}

static bool queue_drop_oldest(struct skiff_client *client)
{
	struct skiff_error error;
	struct skiffi_kept *kept = queue_pop(client, &client->queue[0]);
	if (!kept)
		kept = queue_pop(client, &client->queue[1]);
	if (!kept)
		return false;
	client->counted.dropped++;
	skiffi_fail(&error, SKIFF_AGAIN, 0, "dropped for newer messages: the queue's bound of %zu bytes was reached",
		client->options.queue.max_bytes);
	queue_end(client, kept, &error);
	return true;
}

static bool queue_closing(const struct skiff_client *client)
{
	return client->free_wanted || client->ending.wanted;
}

/* What was held back must leave before its room can come free. */
static void queue_let_go(struct skiff_client *client)
{
	client->held_back = false;
	pthread_mutex_unlock(&client->lock);
	client->engine->ops->flush(client->engine);
	pthread_mutex_lock(&client->lock);
}

/* Gives the lock away until there may be room; false: there will be none. A disconnect that came and went in between is
 * seen by its count. */
static bool queue_wait(struct skiff_client *client)
{
	unsigned closings = client->closings;
	bool going = client->state != CLIENT_IDLE || client->connect_wanted;
	if (client->held_back)
		queue_let_go(client);
	else if (skiffi_loop_inside() || !going)
		return false;
	else
		skiffi_client_sleep(client, NULL);
	return closings == client->closings;
}

/* `*waited`: the lock was given away in between, so that all may be different now. */
static enum skiff_code queue_make_room(
	struct skiff_client *client, size_t weight, bool *waited, struct skiff_error *error)
{
	*waited = false;
	while (!queue_fits(client, weight)) {
		bool again = false;
		if (client->held_back || client->options.queue.full == SKIFF_FULL_WAIT)
			again = *waited = queue_wait(client);
		else if (client->options.queue.full == SKIFF_FULL_DROP_OLDEST)
			again = queue_drop_oldest(client);
		if (queue_closing(client))
			return skiffi_fail(error, SKIFF_USAGE_STATE, 0, "the client is being disconnected");
		if (!again)
			return skiffi_fail(error, SKIFF_AGAIN, 0,
				"the message would exceed the queue's bound of %zu bytes; wait for what is under way, "
				"or raise it",
				client->options.queue.max_bytes);
	}
	return SKIFF_OK;
}

/* With SKIFF_FULL_WAIT a connected publisher waits here for the output to drain, instead of filling the queue. */
static enum skiff_code queue_direct(struct skiff_client *client, const struct skiff_message *message,
	struct skiff_token *token, struct skiff_error *error)
{
	for (;;) {
		if (client->state != CLIENT_UP || client->queue[message->qos > 0].first)
			return SKIFF_AGAIN;
		enum skiff_code code = client->engine->ops->publish(client->engine, message, NULL, token, error);
		if (code != SKIFF_AGAIN || client->options.queue.full != SKIFF_FULL_WAIT || message->qos)
			return code;
		if (!queue_wait(client))
			return code;
	}
}

enum skiff_code skiffi_client_queue_add(struct skiff_client *client, const struct skiff_message *message,
	struct skiff_token *token, struct skiff_error *error)
{
	if (queue_closing(client))
		return skiffi_fail(error, SKIFF_USAGE_STATE, 0, "the client is being disconnected");
	if (client->state != CLIENT_UP && !client->greeted && client->options.queue.refuse_offline)
		return skiffi_fail(
			error, SKIFF_USAGE_STATE, 0, "there is no connection to '%s' now", client->endpoint->url);
	size_t properties_len = skiffi_properties_len(message->properties);
	size_t weight = skiffi_kept_weight_of(message->topic.len + properties_len + message->payload.len);
	bool waited;
	do {
		enum skiff_code code = SKIFF_AGAIN;
		if (!message->qos || queue_fits(client, weight)) /* QoS 0 is bounded by the engine's output */
			code = queue_direct(client, message, token, error);
		if (code == SKIFF_MEMORY)
			return skiffi_fail_plain(error, code);
		if (code != SKIFF_AGAIN)
			return code;
		code = queue_make_room(client, weight, &waited, error);
		if (code)
			return code;
	} while (waited);
	struct skiffi_kept *kept = client->engine->ops->keep(client->engine, message);
	if (!kept)
		return skiffi_fail_plain(error, SKIFF_MEMORY);
	kept->op = token;
	queue_push(client, kept);
	/* It was refused under this hold of the lock, so something is under way whose progress sends the queue. */
	client->engine->ops->wants_room(client->engine);
	return SKIFF_OK;
}

enum skiff_code skiffi_client_queue_lend(struct skiff_client *client, const struct skiff_message *message,
	struct skiff_token *token, struct skiff_error *error)
{
	if (queue_closing(client) || client->state != CLIENT_UP || client->queue[0].first)
		return SKIFF_AGAIN;
	return client->engine->ops->lend(client->engine, message, token, error);
}

static bool queue_send_one(struct skiff_client *client, struct client_queue *queue)
{
	struct skiff_error error;
	struct skiffi_kept *kept = queue->first;
	if (!kept)
		return false;
	enum skiff_code code = client->engine->ops->publish(client->engine, NULL, kept, kept->op, &error);
	if (code == SKIFF_AGAIN)
		return false;
	queue_pop(client, queue);
	if (code == SKIFF_OK) {
		client->engine->ops->unkeep(client->engine, kept);
		return true;
	}
	if (code == SKIFF_MEMORY)
		skiffi_fail_plain(&error, code);
	client->counted.dropped += !kept->op;
	queue_end(client, kept, &error);
	return true;
}

void skiffi_client_queue_send(struct skiff_client *client)
{
	while (queue_send_one(client, &client->queue[1]))
		;
	while (queue_send_one(client, &client->queue[0]))
		;
	if (!skiffi_client_queue_empty(client))
		client->engine->ops->wants_room(client->engine);
}

void skiffi_client_queue_fail(struct skiff_client *client, const struct skiff_error *error)
{
	for (size_t i = 0; i < 2; i++)
		for (struct skiffi_kept *kept; (kept = queue_pop(client, &client->queue[i]));) {
			client->counted.dropped++;
			queue_end(client, kept, error);
		}
}
