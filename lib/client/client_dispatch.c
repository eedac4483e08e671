/* SPDX-License-Identifier: Apache-2.0 */
/* client_dispatch.c: what the engine brought goes to handlers, tokens and the state machine.
 *
 * Under one hold of the lock: pull some events, settle those that need no handler, and look up the handlers of the
 * messages. Then, without it: call them. So a handler may call anything, and a batch costs one lock. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "client/client_internal.h"
#include <assert.h>

enum { DISPATCH_EVENTS = 128, DISPATCH_CALLS = 256 };

static bool dispatch_prepare(struct skiff_client *client)
{
	if (!client->events)
		client->events = skiffi_malloc(DISPATCH_EVENTS * sizeof *client->events);
	if (!client->calls) {
		client->calls = skiffi_malloc(DISPATCH_CALLS * sizeof *client->calls);
		client->call_event = skiffi_malloc(DISPATCH_CALLS * sizeof *client->call_event);
		client->call_capacity = DISPATCH_CALLS;
	}
	return client->events && client->calls && client->call_event;
}

static bool dispatch_grow_calls(struct skiff_client *client, size_t need)
{
	size_t capacity = client->call_capacity;
	while (capacity < need)
		capacity *= 2;
	struct client_call *calls = skiffi_realloc(client->calls, capacity * sizeof *calls);
	if (calls)
		client->calls = calls;
	unsigned *events = skiffi_realloc(client->call_event, capacity * sizeof *events);
	if (events)
		client->call_event = events;
	if (!calls || !events)
		return false;
	client->call_capacity = capacity;
	return true;
}

/* Appends the calls for one message behind the `have` there are; their number afterwards. */
static size_t dispatch_match(struct skiff_client *client, unsigned index, size_t have)
{
	struct skiff_bytes topic = client->events[index].message.topic;
	size_t room = client->call_capacity - have;
	size_t count = skiffi_client_filters_match(&client->filters, topic, client->calls + have, room);
	if (count > room && dispatch_grow_calls(client, have + count))
		count = skiffi_client_filters_match(
			&client->filters, topic, client->calls + have, client->call_capacity - have);
	if (count > client->call_capacity - have) {
		skiffi_log(SKIFF_LOG_ERROR, "client", "out of memory: a message misses some of its handlers");
		count = client->call_capacity - have;
	}
	if (!count && client->options.on_message && have < client->call_capacity) {
		client->calls[have] = (struct client_call){client->options.on_message, client->options.user};
		count = 1;
	}
	for (size_t i = 0; i < count; i++)
		client->call_event[have + i] = index;
	return have + count;
}

/* Consecutive messages usually have one topic; then the calls of the one before serve again. */
static size_t dispatch_lookup(
	struct skiff_client *client, unsigned index, size_t have, size_t *last_first, size_t *last_count)
{
	const struct skiff_bytes topic = client->events[index].message.topic;
	if (*last_count && have + *last_count <= client->call_capacity) {
		const struct skiff_bytes before = client->events[client->call_event[*last_first]].message.topic;
		if (before.len == topic.len && !memcmp(before.data, topic.data, topic.len)) {
			for (size_t i = 0; i < *last_count; i++) {
				client->calls[have + i] = client->calls[*last_first + i];
				client->call_event[have + i] = index;
			}
			*last_first = have;
			return have + *last_count;
		}
	}
	size_t now = dispatch_match(client, index, have);
	*last_first = have;
	*last_count = now - have;
	return now;
}

/* The op of a request becomes its token, that of a message NULL: what is still to be ended in dispatch_call. */
static void dispatch_done(struct skiff_client *client, struct skiffi_event *event)
{
	struct client_op *op = event->op;
	struct skiff_error error;
	if (event->kind == SKIFFI_EVENT_LOST)
		client->session_lost++;
	if (op && op->kind == CLIENT_OP_REQUEST) {
		event->op = skiffi_client_requests_done(client, event->op, event);
		return;
	}
	if (event->code)
		skiffi_client_error_of(&error, event, "the message");
	if (!op) {
		client->counted.dropped += event->code != SKIFF_OK;
		if (event->code)
			client->error = error;
		return;
	}
	event->op = NULL;
	skiffi_client_token_note((struct skiff_token *)op, event);
	skiffi_client_token_end((struct skiff_token *)op, event->code ? &error : NULL);
}

/* One event under the lock; the number of calls there are then. */
static size_t dispatch_settle(
	struct skiff_client *client, unsigned index, size_t calls, size_t *last_first, size_t *last_count)
{
	struct skiffi_event *event = &client->events[index];
	switch (event->kind) {
	case SKIFFI_EVENT_MESSAGE:
		return dispatch_lookup(client, index, calls, last_first, last_count);
	case SKIFFI_EVENT_DONE:
	case SKIFFI_EVENT_LOST:
		dispatch_done(client, event);
		return calls;
	case SKIFFI_EVENT_REQUEUE:
		skiffi_client_queue_requeue(client, event->kept);
		return calls;
	case SKIFFI_EVENT_AGAIN:
		skiffi_client_requests_again(client, event->op);
		return calls;
	case SKIFFI_EVENT_UP:
	case SKIFFI_EVENT_DOWN:
		return calls;
	}
	return calls;
}

static size_t dispatch_pull(struct skiff_client *client, size_t *calls)
{
	size_t last_first = 0, last_count = 0;
	*calls = 0;
	pthread_mutex_lock(&client->lock);
	size_t count = client->engine->ops->pull(client->engine, client->events, DISPATCH_EVENTS);
	for (unsigned i = 0; i < count; i++)
		*calls = dispatch_settle(client, i, *calls, &last_first, &last_count);
	pthread_mutex_unlock(&client->lock);
	return count;
}

/* The calls and the changes of state, in the order of the events. */
static void dispatch_call(struct skiff_client *client, size_t count, size_t calls)
{
	size_t call = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct skiffi_event *event = &client->events[i];
		for (; call < calls && client->call_event[call] == i; call++)
			client->calls[call].handler(client, &event->message, client->calls[call].user);
		if (event->kind == SKIFFI_EVENT_UP)
			skiffi_client_on_up(client, event);
		else if (event->kind == SKIFFI_EVENT_DOWN)
			skiffi_client_on_down(client);
		else if (event->kind == SKIFFI_EVENT_DONE)
			skiffi_client_token_end(event->op, NULL);
	}
}

void skiffi_client_on_engine(void *user)
{
	struct skiff_client *client = user;
	size_t count, calls;
	if (!dispatch_prepare(client)) {
		skiffi_client_wake(client); /* tried again from there */
		return;
	}
	while ((count = dispatch_pull(client, &calls)))
		dispatch_call(client, count, calls);
	skiffi_client_service(client);
}

void skiffi_client_tell(struct skiff_client *client, const struct skiff_event *event)
{
	if (client->options.on_event)
		client->options.on_event(client, event, client->options.user);
}
