/* SPDX-License-Identifier: Apache-2.0 */
/* user.c: the usual calls, asserted. */
#include "support/user.h"

struct user *user_new(const struct skiff_options *options)
{
	struct skiff_options mine = *options;
	struct skiff_error error;
	struct user *user = calloc(1, sizeof *user);
	if (!user)
		abort();
	user->watch = watch_new();
	mine.on_message = watch_message;
	mine.on_event = watch_event;
	mine.user = user->watch;
	user->client = skiff_client_new(&mine, &error);
	if (!user->client)
		fail_msg("skiff_client_new: %s", error.text);
	return user;
}

void user_free(struct user *user)
{
	if (!user)
		return;
	skiff_client_free(user->client);
	watch_free(user->watch);
	free(user);
}

enum skiff_code user_attempt(
	const struct skiff_options *options, struct skiff_connection *way, struct skiff_error *error)
{
	struct skiff_client *client = skiff_client_new(options, error);
	if (!client)
		return error->code;
	struct skiff_token *token = skiff_connect(client);
	skiff_token_wait(token, WAITING_LONG_MS);
	*error = *skiff_token_error(token);
	skiff_token_free(token);
	if (way)
		skiff_client_connection(client, way);
	skiff_client_free(client);
	return error->code;
}

void user_expect(struct skiff_token *token, enum skiff_code code)
{
	enum skiff_code got = skiff_token_wait(token, WAITING_LONG_MS);
	if (got != code)
		fail_msg("%s instead of %s: %s", skiff_code_slug(got), skiff_code_slug(code),
			skiff_token_error(token)->text);
	skiff_token_free(token);
}

struct user *user_connected(const struct skiff_options *options)
{
	struct user *user = user_new(options);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	return user;
}

void user_subscribe(struct user *user, const char *filter, int qos)
{
	user_expect(skiff_subscribe(user->client, filter, qos, NULL, NULL), SKIFF_OK);
}

void user_publish(struct user *user, const char *topic, const char *text, int qos)
{
	user_expect(skiff_publish(user->client, topic, text, strlen(text), qos, false), SKIFF_OK);
}

void user_disconnect(struct user *user)
{
	user_expect(skiff_disconnect(user->client, 5000, NULL), SKIFF_OK);
}

bool user_engine_can(enum skiff_capability capability)
{
	const char *name = getenv("SKIFF_ENGINE");
	bool paho = name && !strcmp(name, skiff_engine_name(SKIFF_ENGINE_PAHO));
	return skiff_engine_can(paho ? SKIFF_ENGINE_PAHO : SKIFF_ENGINE_NATIVE, capability);
}

void user_needs(enum skiff_capability capability)
{
	if (!user_engine_can(capability))
		skip();
}
