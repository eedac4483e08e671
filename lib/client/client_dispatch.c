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

/* One call of a handler. */
struct dispatch_call {
	struct client_call call;
	unsigned event; /* which of the events it is for */
};

/* What one pull leads to; on the stack of the loop thread, so that an idle client owns none of it. */
struct dispatch {
	struct skiffi_event events[DISPATCH_EVENTS];
	struct dispatch_call few[DISPATCH_CALLS];
	struct dispatch_call *calls; /* `few`, or more on the heap */
	size_t call_count, call_capacity;
	size_t last_first, last_count; /* the calls of the last message looked up */
	uint64_t last_generation;      /* of the filters they were found in */
};

static bool dispatch_room(struct dispatch *dispatch, size_t more)
{
	size_t need = dispatch->call_count + more, capacity = dispatch->call_capacity;
	if (need <= capacity)
		return true;
	while (capacity < need)
		capacity *= 2;
	struct dispatch_call *calls = skiffi_malloc(capacity * sizeof *calls);
	if (!calls)
		return false;
	memcpy(calls, dispatch->calls, dispatch->call_count * sizeof *calls);
	if (dispatch->calls != dispatch->few)
		skiffi_free(dispatch->calls);
	dispatch->calls = calls;
	dispatch->call_capacity = capacity;
	return true;
}

static void dispatch_add(struct dispatch *dispatch, struct client_call call, unsigned event)
{
	dispatch->calls[dispatch->call_count++] = (struct dispatch_call){call, event};
}

/* The handlers of a message; with none, options.on_message. */
static void dispatch_match(struct skiff_client *client, struct dispatch *dispatch, unsigned index)
{
	struct client_call found[16], *calls = found;
	struct skiff_bytes topic = dispatch->events[index].message.topic;
	size_t count = skiffi_client_filters_match(&client->filters, topic, found, 16);
	if (count > 16) {
		calls = skiffi_malloc(count * sizeof *calls);
		if (calls)
			skiffi_client_filters_match(&client->filters, topic, calls, count);
	}
	if (!calls || !dispatch_room(dispatch, count + 1)) {
		skiffi_log(SKIFF_LOG_ERROR, "client", "out of memory: a message misses its handlers");
		count = 0;
	} else if (!count && client->options.on_message) {
		dispatch_add(dispatch, (struct client_call){client->options.on_message, client->options.user}, index);
	}
	for (size_t i = 0; i < count; i++)
		dispatch_add(dispatch, calls[i], index);
	if (calls != found)
		skiffi_free(calls);
}

/* Whether the last message's calls serve for `topic` too: consecutive messages usually have one topic. */
static bool dispatch_repeats(
	const struct skiff_client *client, const struct dispatch *dispatch, struct skiff_bytes topic)
{
	if (!dispatch->last_count || dispatch->last_generation != client->filters.generation)
		return false;
	unsigned before = dispatch->calls[dispatch->last_first].event;
	struct skiff_bytes last = dispatch->events[before].message.topic;
	return last.len == topic.len && !memcmp(last.data, topic.data, topic.len);
}

static void dispatch_lookup(struct skiff_client *client, struct dispatch *dispatch, unsigned index)
{
	size_t first = dispatch->call_count, count = dispatch->last_count;
	if (dispatch_repeats(client, dispatch, dispatch->events[index].message.topic) &&
		dispatch_room(dispatch, count)) {
		for (size_t i = 0; i < count; i++)
			dispatch_add(dispatch, dispatch->calls[dispatch->last_first + i].call, index);
	} else {
		dispatch_match(client, dispatch, index);
	}
	dispatch->last_first = first;
	dispatch->last_count = dispatch->call_count - first;
	dispatch->last_generation = client->filters.generation;
}

/* What the end of a message means for its token, when it is not the broker's word. */
static void dispatch_error(struct skiff_client *client, const struct skiffi_event *event, struct skiff_error *error)
{
	bool ours = client->ending.wanted || client->free_wanted || client->forgetting;
	bool cut = event->kind == SKIFFI_EVENT_LOST || (event->code == SKIFF_MQTT_DISCONNECTED && event->reason < 0);
	if (ours && cut)
		skiffi_fail(error, SKIFF_CLOSED, 0, "the client was disconnected before the message was through");
	else
		skiffi_client_error_of(error, event, "the message");
}

/* The op of a request becomes its token, that of a message NULL: what is still to be ended in dispatch_run. */
static void dispatch_done(struct skiff_client *client, struct skiffi_event *event)
{
	struct client_op *op = event->op;
	struct skiff_error error;
	if (op && op->kind == CLIENT_OP_REQUEST) {
		event->op = skiffi_client_requests_done(client, event->op, event);
		return;
	}
	if (event->code)
		dispatch_error(client, event, &error);
	if (event->kind == SKIFFI_EVENT_LOST && error.code == SKIFF_MQTT_SESSION_LOST)
		client->session_lost++;
	event->op = NULL;
	if (event->code)
		skiffi_error_keep(&client->error, &error);
	if (!op) {
		client->counted.dropped += event->code != SKIFF_OK;
		return;
	}
	skiffi_client_token_note((struct skiff_token *)op, event);
	skiffi_client_token_end((struct skiff_token *)op, event->code ? &error : NULL);
}

/* One event under the lock. */
static void dispatch_settle(struct skiff_client *client, struct dispatch *dispatch, unsigned index)
{
	struct skiffi_event *event = &dispatch->events[index];
	switch (event->kind) {
	case SKIFFI_EVENT_MESSAGE:
		dispatch_lookup(client, dispatch, index);
		break;
	case SKIFFI_EVENT_DONE:
	case SKIFFI_EVENT_LOST:
		dispatch_done(client, event);
		break;
	case SKIFFI_EVENT_REQUEUE:
		skiffi_client_queue_requeue(client, event->kept);
		break;
	case SKIFFI_EVENT_AGAIN:
		skiffi_client_requests_again(client, event->op);
		break;
	case SKIFFI_EVENT_UP:
	case SKIFFI_EVENT_DOWN:
		break;
	}
}

static size_t dispatch_pull(struct skiff_client *client, struct dispatch *dispatch)
{
	dispatch->call_count = dispatch->last_count = 0;
	pthread_mutex_lock(&client->lock);
	size_t count = client->engine->ops->pull(client->engine, dispatch->events, DISPATCH_EVENTS);
	for (unsigned i = 0; i < count; i++)
		dispatch_settle(client, dispatch, i);
	pthread_mutex_unlock(&client->lock);
	return count;
}

/* The calls and the changes of state, in the order of the events. A handler that frees the client is its last. */
static void dispatch_run(struct skiff_client *client, struct dispatch *dispatch, size_t count)
{
	size_t call = 0;
	for (unsigned i = 0; i < count; i++) {
		const struct skiffi_event *event = &dispatch->events[i];
		for (; call < dispatch->call_count && dispatch->calls[call].event == i; call++)
			if (!client->free_inside)
				dispatch->calls[call].call.handler(
					client, &event->message, dispatch->calls[call].call.user);
		if (event->kind == SKIFFI_EVENT_UP)
			skiffi_client_on_up(client, event);
		else if (event->kind == SKIFFI_EVENT_DOWN)
			skiffi_client_on_down(client);
		else if (event->kind == SKIFFI_EVENT_DONE)
			skiffi_client_token_end(event->op, NULL);
	}
	if (call && client->options.on_batch && !client->free_inside)
		client->options.on_batch(client, client->options.user);
}

void skiffi_client_on_engine(void *user)
{
	struct skiff_client *client = user;
	struct dispatch dispatch;
	size_t count;
	dispatch.calls = dispatch.few;
	dispatch.call_capacity = DISPATCH_CALLS;
	while ((count = dispatch_pull(client, &dispatch)))
		dispatch_run(client, &dispatch, count);
	if (dispatch.calls != dispatch.few)
		skiffi_free(dispatch.calls);
	skiffi_client_service(client);
}

void skiffi_client_tell(struct skiff_client *client, const struct skiff_event *event)
{
	if (client->options.on_event && !client->free_inside)
		client->options.on_event(client, event, client->options.user);
}
