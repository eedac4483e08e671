/* SPDX-License-Identifier: Apache-2.0 */
/* suite_near.h: the near end of a check: one transport on a loop that runs on the test's own thread, inside the waits.
 *
 * It sends the first `to_send` bytes of an endless pattern in odd pieces, and compares what arrives with the same
 * pattern. The order of events is checked on the way: what must not come makes the test fail at once. */
#ifndef TESTS_SUITE_NEAR_H
#define TESTS_SUITE_NEAR_H

#include "suite/transport_suite.h"

struct suite_loop {
	struct skiffi_loop loop;
	uv_timer_t tick; /* so that a wait looks again every now and then */
	int64_t patience_us;
};

void suite_loop_start(struct suite_loop *loop);
void suite_loop_stop(struct suite_loop *loop); /* fails the test when a handle is left */
void suite_loop_once(struct suite_loop *loop, bool wait);

/* Writes the pattern's bytes from `position` on; and compares with them. */
void suite_pattern(void *out, size_t position, size_t len);
bool suite_pattern_is(const void *data, size_t position, size_t len);

struct near {
	const struct suite_kind *kind;
	struct suite_loop *loop;
	void *far;
	struct skiffi_transport *transport;
	struct skiffi_transport_config config;
	bool opened, failed, closing, closed;
	struct skiff_error error;
	unsigned readables, writables;
	size_t to_send, sent;
	bool blocked;           /* the last send took less than it was given */
	size_t received;        /* bytes of the pattern */
	size_t stop_reading_at; /* switch reading off at so many bytes; 0: never */
	size_t bite;            /* read so much per event and leave the rest; 0: all there is */
	bool reading_off;
	/* What a check does inside an event, before the usual; each may be NULL. */
	void (*on_opened)(struct near *near);
	void (*on_readable)(struct near *near);
	void (*on_writable)(struct near *near);
	void (*on_failed)(struct near *near);
	bool abort; /* for those that close */
};

/* Prepares and opens; `near` is zeroed before use but for what a check has set. */
void near_open(struct near *near, const struct suite_kind *kind, struct suite_loop *loop, void *far,
	const struct suite_way *way, int timeout_ms);
void near_send(struct near *near, size_t more);
void near_reading(struct near *near, bool on);

/* Closes unless that was done; waits for `closed`; frees. */
void near_end(struct near *near, bool abort);

/* Runs the loop until `condition` (an expression) holds. */
#define near_wait(near, condition) \
	do { \
		while (!(condition)) \
			suite_loop_once((near)->loop, true); \
	} while (0)

#endif
