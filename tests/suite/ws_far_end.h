/* SPDX-License-Identifier: Apache-2.0 */
/* ws_far_end.h: a WebSocket far end by script and the probe that meets it, as ws_upgrade.c and ws_traffic.c use them.
 */
#ifndef TESTS_WS_FAR_END_H
#define TESTS_WS_FAR_END_H

#include "support/transport_probe.h"
#include "support/ws_listener.h"
#include <stdatomic.h>

/* A far end with what a script may want to keep. */
struct far_end {
	struct ws_listener *listener;
	const char *answer; /* after the request; NULL: none */
	size_t answer_len;
	char request[4096];
	atomic_int seen_close;
	atomic_int go; /* set by the test */
	unsigned count;
	char url[64];
};

/* Starts it; its script gets `far`. */
void far_end_start(struct far_end *far, bool tls, ws_script script);

/* A script that takes the connection and says nothing. */
void script_silent(struct ws_peer *peer, void *user);

/* A probe on its way to it. */
struct probe *far_end_open(struct far_end *far);

/* Of this code and detail, with a text that says so. */
void expect_error(const struct skiff_error *error, enum skiff_code code, int detail, const char *says);

/* Opens against `script`, expects the end before `opened`. */
void expect_refusal(struct far_end *far, ws_script script, enum skiff_code code, int detail, const char *says);

#endif
