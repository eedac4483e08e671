/* SPDX-License-Identifier: Apache-2.0 */
/* user.h: a client with a watch on its handlers, for tests. What fails here fails the test, with the client's words. */
#ifndef TESTS_USER_H
#define TESTS_USER_H

#include "support/watch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct user {
	struct skiff_client *client;
	struct watch *watch;
};

/* Sets options.on_message, on_event and user, and makes the client. */
struct user *user_new(const struct skiff_options *options);
void user_free(struct user *user); /* and its client, where that is not NULL */

/* Makes a client, connects once, and frees it. Result: what came of it, also in `*error`; `way` may be NULL. */
enum skiff_code user_attempt(
	const struct skiff_options *options, struct skiff_connection *way, struct skiff_error *error);

/* Asserts that the token ends with `code` and frees it. */
void user_expect(struct skiff_token *token, enum skiff_code code);

struct user *user_connected(const struct skiff_options *options); /* user_new, connected */
void user_subscribe(struct user *user, const char *filter, int qos);
void user_publish(struct user *user, const char *topic, const char *text, int qos);
void user_disconnect(struct user *user);

/* Skips the test where the engine that clients get by default cannot do what it is about. */
void user_needs(enum skiff_capability capability);
bool user_engine_can(enum skiff_capability capability);

#endif
