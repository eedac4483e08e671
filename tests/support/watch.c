/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c: copies under the lock of waiting.h. */
#include "support/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *watch_memory(size_t size)
{
	void *memory = calloc(1, size);
	if (!memory)
		abort();
	return memory;
}

struct watch *watch_new(void)
{
	return watch_memory(sizeof(struct watch));
}

void watch_clear(struct watch *watch)
{
	waiting_lock();
	for (size_t i = 0; i < WATCH_MESSAGES && i < watch->messages.value; i++)
		free(watch->message[i].payload);
	memset(watch->message, 0, sizeof watch->message);
	watch->messages = (struct waiting_count){0};
	waiting_unlock();
}

void watch_free(struct watch *watch)
{
	watch_clear(watch);
	free(watch);
}

static void message_copy_properties(struct watch_message *copy, const struct skiff_properties *properties)
{
	struct skiff_user_property user;
	for (size_t i = 0; i < WATCH_IDS; i++)
		copy->ids[i] = skiff_subscription_id_at(properties, i);
	for (size_t i = 0, len = 0; skiff_user_property_at(properties, i, &user) && len < sizeof copy->user; i++)
		len += (size_t)snprintf(copy->user + len, sizeof copy->user - len, "%.*s=%.*s;", (int)user.name.len,
			(const char *)user.name.data, (int)user.value.len, (const char *)user.value.data);
}

static void message_copy(struct watch_message *copy, const struct skiff_message *message)
{
	snprintf(copy->topic, sizeof copy->topic, "%.*s", (int)message->topic.len, (const char *)message->topic.data);
	copy->payload = watch_memory(message->payload.len + 1);
	if (message->payload.len)
		memcpy(copy->payload, message->payload.data, message->payload.len);
	copy->len = message->payload.len;
	copy->qos = message->qos;
	copy->retain = message->retain;
	copy->dup = message->dup;
	if (message->properties)
		message_copy_properties(copy, message->properties);
}

void watch_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct watch *watch = user;
	(void)client;
	waiting_lock();
	if (watch->messages.value < WATCH_MESSAGES)
		message_copy(&watch->message[watch->messages.value], message);
	watch->messages.value++;
	waiting_unlock();
}

void watch_event(struct skiff_client *client, const struct skiff_event *event, void *user)
{
	struct watch *watch = user;
	(void)client;
	waiting_lock();
	if (watch->events.value < WATCH_EVENTS) {
		struct watch_event *copy = &watch->event[watch->events.value];
		copy->event = *event;
		copy->at_ms = waiting_now_ms();
		if (event->error)
			copy->error = *event->error;
		copy->event.error = event->error ? &copy->error : NULL;
	}
	watch->events.value++;
	waiting_unlock();
}

bool watch_await(struct watch *watch, uint64_t count, int ms)
{
	return waiting_reach(&watch->messages, count, ms);
}

static size_t watch_event_count(const struct watch *watch)
{
	return watch->events.value < WATCH_EVENTS ? (size_t)watch->events.value : WATCH_EVENTS;
}

struct watch_search {
	struct watch *watch;
	enum skiff_event_kind kind;
	unsigned nth;
	const struct watch_event *found;
};

static bool search_found(const void *subject)
{
	struct watch_search *search = (struct watch_search *)subject;
	unsigned seen = 0;
	for (size_t i = 0; !search->found && i < watch_event_count(search->watch); i++)
		if (search->watch->event[i].event.kind == search->kind && ++seen == search->nth)
			search->found = &search->watch->event[i];
	return search->found != NULL;
}

const struct watch_event *watch_await_event(struct watch *watch, enum skiff_event_kind kind, unsigned nth, int ms)
{
	struct watch_search search = {watch, kind, nth, NULL};
	if (waiting_until(search_found, &search, ms))
		return search.found;
	watch_print_events(watch);
	return NULL;
}

unsigned watch_events_of(const struct watch *watch, enum skiff_event_kind kind)
{
	unsigned seen = 0;
	waiting_lock();
	for (size_t i = 0; i < watch_event_count(watch); i++)
		seen += watch->event[i].event.kind == kind;
	waiting_unlock();
	return seen;
}

/* SESSION_LOST and the words about TLS files stand between the pairs. */
static bool watch_is_apart(enum skiff_event_kind kind)
{
	return kind == SKIFF_EVENT_SESSION_LOST || kind >= SKIFF_EVENT_TLS_RENEWED;
}

/* What may come before each kind; -1: the beginning. */
static bool watch_pair(int before, enum skiff_event_kind kind)
{
	switch (kind) {
	case SKIFF_EVENT_CONNECTING:
		return before == -1 || before == SKIFF_EVENT_FAILED || before == SKIFF_EVENT_DISCONNECTED;
	case SKIFF_EVENT_CONNECTED:
	case SKIFF_EVENT_FAILED:
		return before == SKIFF_EVENT_CONNECTING;
	case SKIFF_EVENT_DISCONNECTED:
	case SKIFF_EVENT_SESSION_LOST:
		return before == SKIFF_EVENT_CONNECTED;
	case SKIFF_EVENT_TLS_RENEWED:
	case SKIFF_EVENT_TLS_STALE:
	case SKIFF_EVENT_TLS_EXPIRING:
		return before == SKIFF_EVENT_CONNECTING;
	}
	return false;
}

bool watch_events_paired(const struct watch *watch)
{
	int before = -1;
	waiting_lock();
	size_t count = watch_event_count(watch), i = 0;
	for (; i < count && watch_pair(before, watch->event[i].event.kind); i++)
		if (!watch_is_apart(watch->event[i].event.kind))
			before = (int)watch->event[i].event.kind;
	waiting_unlock();
	if (i == count)
		return true;
	fprintf(stderr, "event %zu breaks the pairs\n", i);
	watch_print_events(watch);
	return false;
}

void watch_print_events(const struct watch *watch)
{
	static const char *const names[] = {"CONNECTING", "CONNECTED", "FAILED", "DISCONNECTED", "SESSION_LOST",
		"TLS_RENEWED", "TLS_STALE", "TLS_EXPIRING"};
	waiting_lock();
	for (size_t i = 0; i < watch_event_count(watch); i++) {
		const struct skiff_event *event = &watch->event[i].event;
		fprintf(stderr, "  %zu: %s attempt %u, session %d, retry %d ms, lost %zu: %s\n", i, names[event->kind],
			event->attempt, event->session_present, event->retry_ms, event->lost,
			event->error ? event->error->text : "");
	}
	waiting_unlock();
}
