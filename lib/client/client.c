/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: the public calls: check, note what is wanted, return. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "client/client_internal.h"
#include "codec/properties.h"
#include "codec/reason.h"
#include <assert.h>

enum { OUTPUT_HIGH_BYTES = 256 * 1024 };

/* ---- life ---- */

static void client_init_sync(struct skiff_client *client)
{
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&client->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	pthread_mutex_init(&client->lock, NULL);
}

void skiffi_client_has_handlers(struct skiff_client *client)
{
	skiffi_loop_calls(client->loop, client->options.handlers_in_waits);
}

static bool client_init_engine(struct skiff_client *client, struct skiff_error *error)
{
	size_t high = client->options.queue.max_bytes;
	if (client->options.queue.full != SKIFF_FULL_REFUSE && high > OUTPUT_HIGH_BYTES)
		high = OUTPUT_HIGH_BYTES;
	client->engine_config = (struct skiffi_engine_config){.loop = client->loop,
		.endpoint = client->endpoint,
		.options = &client->options,
		.output_high_bytes = high,
		.lock = &client->lock,
		.notify = skiffi_client_on_engine,
		.tls_told = skiffi_client_on_tls,
		.user = client};
	client->engine = skiffi_engine_new(&client->engine_config, error);
	return client->engine != NULL;
}

/* What a client holds beside its engine. Also undoes a skiff_client_new that failed. */
void skiffi_client_release(struct skiff_client *client)
{
	struct skiffi_loop *loop = client->loop;
	skiffi_client_filters_release(&client->filters);
	skiffi_client_options_release(client);
	skiffi_client_ending_release(&client->ending);
	skiffi_error_drop(&client->error);
	skiffi_error_drop(&client->rest_error);
	pthread_cond_destroy(&client->changed);
	pthread_mutex_destroy(&client->lock);
	skiffi_free(client);
	if (loop)
		skiffi_loop_unref(loop);
}

enum skiff_code skiff_io_threads(unsigned count)
{
	if (!count || count > SKIFFI_LOOPS_MAX)
		return SKIFF_USAGE_OPTION;
	skiffi_loop_spread(count);
	return SKIFF_OK;
}

struct skiff_client *skiff_client_new(const struct skiff_options *options, struct skiff_error *error)
{
	struct skiff_error local;
	struct skiff_client *client = skiffi_calloc(1, sizeof *client);
	if (!error)
		error = &local;
	*error = (struct skiff_error){0};
	if (!client) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return NULL;
	}
	client_init_sync(client);
	client->control.run = skiffi_client_control;
	if (skiffi_client_options_copy(client, options, error))
		goto fail;
	client->loop = skiffi_loop_ref();
	if (!client->loop) {
		skiffi_fail(error, SKIFF_MEMORY, 0, "cannot start the I/O thread: out of memory or threads");
		goto fail;
	}
	if (client->options.on_message || client->options.on_event)
		skiffi_client_has_handlers(client);
	if (client_init_engine(client, error))
		return client;
fail:
	skiffi_client_release(client);
	return NULL;
}

static bool client_gone(const void *subject)
{
	struct skiff_client *client = (struct skiff_client *)subject;
	pthread_mutex_lock(&client->lock);
	bool gone = client->gone;
	pthread_mutex_unlock(&client->lock);
	return gone;
}

static void client_await_gone(struct skiff_client *client, struct skiffi_loop *loop)
{
	skiffi_loop_sleep_begin(loop);
	pthread_mutex_lock(&client->lock);
	while (!client->gone)
		pthread_cond_wait(&client->changed, &client->lock);
	pthread_mutex_unlock(&client->lock);
	skiffi_loop_sleep_end(loop);
}

void skiff_client_free(struct skiff_client *client)
{
	if (!client)
		return;
	struct skiffi_loop *loop = client->loop;
	bool inside = skiffi_loop_here(loop);
	pthread_mutex_lock(&client->lock);
	assert(!client->free_wanted);
	client->free_wanted = true;
	client->closings++;
	if (inside)
		client->free_inside = true;
	pthread_cond_broadcast(&client->changed);
	skiffi_client_wake(client); /* under the lock: behind it all may be over, and a job would outlive its client */
	pthread_mutex_unlock(&client->lock);
	if (inside)
		return;
	/* a handler of a client on another loop has that one's turn already */
	if (skiffi_loop_inside() || !skiffi_loop_serve(loop, client_gone, client, INT64_MAX, client->options.spin))
		client_await_gone(client, loop);
	skiffi_client_release(client);
}

enum skiff_code skiff_tls_reload(struct skiff_client *client, struct skiff_error *error)
{
	struct skiff_error local = {0};
	if (!error)
		error = &local;
	if (!client)
		return skiffi_fail_plain(error, SKIFF_USAGE);
	*error = (struct skiff_error){0};
	if (!client->engine->ops->renew)
		return skiffi_fail(error, SKIFF_USAGE_UNSUPPORTED, 0,
			"the engine '%s' reads TLS files by itself, for each connection", client->engine->ops->name);
	return client->engine->ops->renew(client->engine, error) ? SKIFF_OK : error->code;
}

/* ---- tokens of refused calls ---- */

struct skiff_token *skiffi_client_token_refused(const struct skiff_error *error)
{
	struct skiff_token *token = skiffi_client_token_new(NULL);
	skiffi_client_token_end(token, error);
	return token;
}

/* ---- connection ---- */

struct skiff_token *skiff_connect(struct skiff_client *client)
{
	if (!client)
		return NULL;
	struct skiff_token *token = skiffi_client_token_new(client);
	struct skiff_error error;
	if (!token)
		return NULL;
	pthread_mutex_lock(&client->lock);
	bool idle = client->state == CLIENT_IDLE && !client->connect_wanted && !client->free_wanted &&
		    !client->ending.wanted;
	if (idle) {
		client->connect_wanted = true;
		client->connect_token = token;
	} else {
		skiffi_fail(&error, SKIFF_USAGE_STATE, 0, "the client is already connecting, connected or ending");
	}
	pthread_mutex_unlock(&client->lock);
	if (idle)
		skiffi_client_wake(client);
	else
		skiffi_client_token_end(token, &error);
	return token;
}

void skiffi_client_ending_release(struct client_ending *ending)
{
	struct skiff_properties *properties = ending->properties;
	ending->properties = NULL;
	if (!properties)
		return;
	skiffi_free((void *)properties->reason_string.data);
	for (size_t i = 0; i < properties->user_count; i++) {
		skiffi_free((void *)properties->user[i].name.data);
		skiffi_free((void *)properties->user[i].value.data);
	}
	skiffi_free((void *)properties->user);
	skiffi_free(properties);
}

static struct skiff_bytes ending_dup(struct skiff_bytes bytes, bool *ok)
{
	if (!bytes.data)
		return bytes;
	bytes.data = skiffi_memdup(bytes.data, bytes.len);
	*ok &= bytes.data != NULL;
	return bytes;
}

static bool ending_copy(struct client_ending *ending, const struct skiff_disconnect_options *how)
{
	bool ok = true;
	if (!how)
		return true;
	struct skiff_properties *properties = ending->properties = skiffi_calloc(1, sizeof *properties);
	if (!properties)
		return false;
	ending->reason = how->reason;
	properties->has = how->properties.has;
	properties->session_expiry_s = how->properties.session_expiry_s;
	properties->reason_string = ending_dup(how->properties.reason_string, &ok);
	if (!how->properties.user_count)
		return ok;
	struct skiff_user_property *user = skiffi_calloc(how->properties.user_count, sizeof *user);
	if (!user)
		return false;
	properties->user = user;
	properties->user_count = how->properties.user_count;
	for (size_t i = 0; i < properties->user_count; i++)
		user[i] = (struct skiff_user_property){
			ending_dup(how->properties.user[i].name, &ok), ending_dup(how->properties.user[i].value, &ok)};
	return ok;
}

static enum skiff_code ending_check(
	const struct skiff_client *client, const struct skiff_disconnect_options *how, struct skiff_error *error)
{
	const char *rule = NULL;
	if (client->ending.wanted || client->free_wanted)
		return skiffi_fail(error, SKIFF_USAGE_STATE, 0, "the client is already being disconnected");
	if (how && !skiffi_properties_valid(&how->properties, SKIFFI_IN_DISCONNECT_FROM_CLIENT, &rule))
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the DISCONNECT properties are not valid: %s", rule);
	if (how && how->properties.has & SKIFF_HAS_SESSION_EXPIRY && how->properties.session_expiry_s &&
		!skiffi_client_options_session_expiry(&client->options)) /* [MQTT 5, 3.14.2.2.2] */
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"a session that was to end with the connection cannot be kept by DISCONNECT; set "
			"options.session_expiry_s");
	if (how && !skiffi_reason_legal(SKIFFI_V5, SKIFFI_DISCONNECT, SKIFFI_FROM_CLIENT, how->reason))
		return skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "reason 0x%02x is none that a client disconnects with",
			how->reason);
	return SKIFF_OK;
}

struct skiff_token *skiff_disconnect(
	struct skiff_client *client, int grace_ms, const struct skiff_disconnect_options *how)
{
	if (!client)
		return NULL;
	struct skiff_token *token = skiffi_client_token_new(client);
	struct skiff_error error;
	if (!token)
		return NULL;
	pthread_mutex_lock(&client->lock);
	enum skiff_code code = ending_check(client, how, &error);
	if (!code && !ending_copy(&client->ending, how)) {
		skiffi_client_ending_release(&client->ending);
		code = skiffi_fail_plain(&error, SKIFF_MEMORY);
	}
	if (!code) {
		client->ending.wanted = true;
		client->closings++;
		client->ending.token = token;
		client->ending.deadline_us = skiffi_now_us() + (int64_t)(grace_ms > 0 ? grace_ms : 0) * 1000;
		client->connect_wanted = false;
		pthread_cond_broadcast(&client->changed);
	}
	pthread_mutex_unlock(&client->lock);
	if (code)
		skiffi_client_token_end(token, &error);
	else
		skiffi_client_wake(client);
	return token;
}

/* ---- all that is under way ---- */

static void client_deadline(struct timespec *deadline, int timeout_ms)
{
	int64_t at_us = skiffi_now_us() + (int64_t)timeout_ms * 1000;
	deadline->tv_sec = (time_t)(at_us / 1000000);
	deadline->tv_nsec = (long)(at_us % 1000000) * 1000;
}

/* Gives the lock away until something has changed; false: `deadline` (NULL: none) is over. */
bool skiffi_client_sleep(struct skiff_client *client, const struct timespec *deadline)
{
	int late = 0;
	client->waiting++;
	client->engine->ops->wants_room(client->engine);
	skiffi_loop_sleep_begin(client->loop);
	if (deadline)
		late = pthread_cond_timedwait(&client->changed, &client->lock, deadline);
	else
		pthread_cond_wait(&client->changed, &client->lock);
	skiffi_loop_sleep_end(client->loop);
	client->waiting--;
	return !late;
}

/* Nothing is under way, and nothing will be. */
static bool client_at_rest(const struct skiff_client *client)
{
	return client->state == CLIENT_IDLE && !client->connect_wanted;
}

static enum skiff_code client_wait_flushed(struct skiff_client *client, const struct timespec *deadline)
{
	bool late = false;
	while (!skiffi_client_flushed(client)) {
		if (client_at_rest(client))
			return SKIFF_CLOSED;
		if (late)
			return SKIFF_TIMEOUT;
		late = !skiffi_client_sleep(client, deadline);
	}
	return SKIFF_OK;
}

static bool client_flush_over(const void *subject)
{
	struct skiff_client *client = (struct skiff_client *)subject;
	pthread_mutex_lock(&client->lock);
	bool over = skiffi_client_flushed(client) || client_at_rest(client);
	pthread_mutex_unlock(&client->lock);
	return over;
}

enum skiff_code skiff_flush(struct skiff_client *client, int timeout_ms)
{
	if (!client)
		return SKIFF_USAGE;
	if (skiffi_loop_inside())
		return SKIFF_USAGE_IN_HANDLER;
	struct timespec deadline;
	client_deadline(&deadline, timeout_ms < 0 ? 0 : timeout_ms);
	if (timeout_ms && client->options.spin)
		skiffi_loop_serve(client->loop, client_flush_over, client,
			timeout_ms < 0 ? INT64_MAX : skiffi_now_us() + (int64_t)timeout_ms * 1000, true);
	pthread_mutex_lock(&client->lock);
	enum skiff_code code = client_wait_flushed(client, timeout_ms < 0 ? NULL : &deadline);
	pthread_mutex_unlock(&client->lock);
	return code;
}

/* ---- questions ---- */

void skiff_client_connection(struct skiff_client *client, struct skiff_connection *connection)
{
	pthread_mutex_lock(&client->lock);
	memset(connection, 0, sizeof *connection);
	client->engine->ops->info(client->engine, connection);
	pthread_mutex_unlock(&client->lock);
}

void skiff_client_error(struct skiff_client *client, struct skiff_error *error)
{
	if (!client) {
		skiffi_fail(error, SKIFF_USAGE, 0, "there is no client");
		return;
	}
	pthread_mutex_lock(&client->lock);
	*error = skiffi_error_kept(&client->error);
	pthread_mutex_unlock(&client->lock);
}

void skiff_client_statistics(struct skiff_client *client, struct skiff_statistics *statistics)
{
	memset(statistics, 0, sizeof *statistics);
	pthread_mutex_lock(&client->lock);
	client->engine->ops->statistics(client->engine, statistics);
	statistics->attempts = client->counted.attempts;
	statistics->connects = client->counted.connects;
	statistics->reconnects = client->counted.connects ? client->counted.connects - 1 : 0;
	statistics->disconnects = client->counted.disconnects;
	statistics->dropped = client->counted.dropped;
	statistics->queued_messages = client->queued_messages;
	statistics->queued_bytes = client->queued_bytes;
	statistics->connected_us = client->counted.connected_us + (client->up_us ? skiffi_now_us() - client->up_us : 0);
	pthread_mutex_unlock(&client->lock);
}

bool skiff_client_connected(struct skiff_client *client)
{
	if (!client)
		return false;
	pthread_mutex_lock(&client->lock);
	bool connected = client->state == CLIENT_UP || client->greeted;
	pthread_mutex_unlock(&client->lock);
	return connected;
}
