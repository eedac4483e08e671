/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h: keeps what a client's handlers were told, so that a test can wait for it and look at it.
 *
 * 1. watch_new. 2. options.user and the handlers' `user` point to it; watch_message and watch_event are the handlers.
 * 3. watch_await_... 4. watch_free, after the client is freed. */
#ifndef TESTS_WATCH_H
#define TESTS_WATCH_H

#include "support/waiting.h"
#include <skiff/skiff.h>

enum { WATCH_MESSAGES = 512, WATCH_EVENTS = 1024, WATCH_IDS = 4 };

struct watch_message {
	char topic[128];
	uint8_t *payload; /* a copy, with a NUL behind it */
	size_t len;
	uint8_t qos;
	bool retain, dup;
	uint32_t ids[WATCH_IDS]; /* subscription identifiers; 0 behind the last */
	char user[256];          /* user properties, "name=value;" each */
};

struct watch_event {
	struct skiff_event event; /* its error points to the one below */
	struct skiff_error error;
	int64_t at_ms;
};

/* Counts go on where the room for copies ends. */
struct watch {
	struct waiting_count messages, events;
	struct watch_message message[WATCH_MESSAGES];
	struct watch_event event[WATCH_EVENTS];
};

struct watch *watch_new(void);
void watch_free(struct watch *watch);
void watch_clear(struct watch *watch); /* forgets the messages */

void watch_message(struct skiff_client *client, const struct skiff_message *message, void *user);
void watch_event(struct skiff_client *client, const struct skiff_event *event, void *user);

/* Until `count` messages have come. */
bool watch_await(struct watch *watch, uint64_t count, int ms);

/* The `nth` event (1: the first) of `kind`, waited for; NULL when it did not come in time. */
const struct watch_event *watch_await_event(struct watch *watch, enum skiff_event_kind kind, unsigned nth, int ms);

/* How many events of `kind` there were. */
unsigned watch_events_of(const struct watch *watch, enum skiff_event_kind kind);

/* Whether the events come in strict pairs (client.h); otherwise prints the place. */
bool watch_events_paired(const struct watch *watch);

/* Prints all events, for a test that failed. */
void watch_print_events(const struct watch *watch);

#endif
