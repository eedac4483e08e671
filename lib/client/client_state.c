/* SPDX-License-Identifier: Apache-2.0 */
/* client_state.c: wanted against actual: connecting, reconnecting, ending. All of it on the loop thread.
 *
 * Calls on other threads only note what is wanted and wake skiffi_client_control; the engine's UP and DOWN and one
 * timer do the rest. Every move is in this file. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/random.h"
#include "client/client_internal.h"
#include <assert.h>

static const char *const state_names[] = {
	[CLIENT_IDLE] = "idle",
	[CLIENT_CONNECTING] = "connecting",
	[CLIENT_UP] = "up",
	[CLIENT_WAITING] = "waiting",
	[CLIENT_ENDING] = "ending",
};

static void state_move(struct skiff_client *client, enum client_state state)
{
	if (state == client->state)
		return;
	skiffi_log(SKIFF_LOG_DEBUG, "client", "'%s': %s -> %s", client->endpoint->url, state_names[client->state],
		state_names[state]);
	client->state = state;
}

void skiffi_client_wake(struct skiff_client *client)
{
	skiffi_loop_post(client->loop, &client->control);
}

/* ---- the timer: the next attempt, or the end of a grace ---- */

static void state_connect(struct skiff_client *client);
static void state_drain(struct skiff_client *client);
static void state_expire(struct skiff_client *client);

static void state_on_timer(uv_timer_t *timer)
{
	struct skiff_client *client = timer->data;
	pthread_mutex_lock(&client->lock);
	enum client_state state = client->state;
	pthread_mutex_unlock(&client->lock);
	if (state == CLIENT_WAITING)
		state_connect(client);
	else if (state == CLIENT_ENDING)
		state_drain(client);
	else if (state == CLIENT_CONNECTING)
		state_expire(client);
}

static void state_arm(struct skiff_client *client, int64_t ms)
{
	if (!client->timer_inited) {
		uv_timer_init(&client->loop->uv, &client->timer);
		client->timer.data = client;
		client->timer_inited = true;
	}
	uv_update_time(&client->loop->uv);
	uv_timer_start(&client->timer, state_on_timer, ms > 0 ? (uint64_t)ms : 0, 0);
}

static void state_disarm(struct skiff_client *client)
{
	if (client->timer_inited)
		uv_timer_stop(&client->timer);
}

/* ---- connecting ---- */

static void state_connect(struct skiff_client *client)
{
	struct skiff_event event = {.kind = SKIFF_EVENT_CONNECTING};
	pthread_mutex_lock(&client->lock);
	state_move(client, CLIENT_CONNECTING);
	event.attempt = ++client->attempt;
	client->counted.attempts++;
	client->session_lost = 0;
	pthread_mutex_unlock(&client->lock);
	client->announced = true;
	skiffi_client_tell(client, &event);
	client->engine->ops->open(client->engine);
}

void skiffi_client_on_tls(void *user, const struct skiff_event *event)
{
	struct skiff_client *client = user;
	struct skiff_event told = *event;
	pthread_mutex_lock(&client->lock);
	told.attempt = client->attempt;
	pthread_mutex_unlock(&client->lock);
	skiffi_client_tell(client, &told);
}

/* CONNACK is told at once; what a lost session left comes behind it, and only then, in skiffi_client_service, may
 * anything new be sent, so that nothing overtakes what was accepted before. */
void skiffi_client_on_up(struct skiff_client *client, const struct skiffi_event *event)
{
	struct skiff_event told = {.kind = SKIFF_EVENT_CONNECTED, .session_present = event->session_present};
	pthread_mutex_lock(&client->lock);
	struct skiff_token *token = client->connect_token;
	client->connect_token = NULL;
	client->greeted = true;
	client->renew |= !event->session_present;
	client->lost_told = event->code != SKIFF_MQTT_SESSION_LOST;
	client->counted.connects++;
	client->was_up = true;
	client->up_us = skiffi_now_us();
	skiffi_error_drop(&client->error);
	pthread_mutex_unlock(&client->lock);
	skiffi_client_token_note(token, event);
	skiffi_client_token_end(token, NULL);
	client->announced = false;
	skiffi_client_tell(client, &told);
}

static void state_come_up(struct skiff_client *client)
{
	pthread_mutex_lock(&client->lock);
	bool up = client->greeted && client->state == CLIENT_CONNECTING;
	struct skiff_event event = {.kind = SKIFF_EVENT_SESSION_LOST, .lost = client->session_lost};
	bool tell = up && (!client->lost_told || client->session_lost);
	if (up) {
		state_move(client, CLIENT_UP);
		client->greeted = false;
		client->session_lost = 0;
		client->queue[0].requeued = client->queue[1].requeued = NULL;
		if (client->renew)
			skiffi_client_requests_renew(client);
		if (client->ending.wanted)
			state_move(client, CLIENT_ENDING);
	}
	pthread_mutex_unlock(&client->lock);
	if (tell)
		skiffi_client_tell(client, &event);
}

/* ---- the end of a connection or attempt ---- */

static void state_end_ending(struct skiff_client *client)
{
	struct skiff_error error;
	struct client_ending *ending = &client->ending;
	if (!ending->wanted)
		return;
	bool cut_short = client->free_wanted && !ending->asked;
	if (ending->late)
		skiffi_fail(&error, SKIFF_TIMEOUT, 0, "the grace was too short for what was under way");
	else if (cut_short)
		skiffi_fail(&error, SKIFF_CLOSED, 0, "the client was freed within the grace");
	else if (ending->cut)
		error = skiffi_error_kept(&client->rest_error);
	skiffi_client_token_end(ending->token, ending->late || cut_short || ending->cut ? &error : NULL);
	skiffi_client_ending_release(ending);
	*ending = (struct client_ending){0};
}

/* To IDLE. A session that nobody will continue takes with it what it held: that comes by pull, and
 * skiffi_client_service ends the rest. */
static void state_rest(struct skiff_client *client)
{
	struct skiff_error error = skiffi_error_kept(&client->rest_error);
	state_move(client, CLIENT_IDLE);
	skiffi_client_token_end(client->rested_token, &error);
	client->rested_token = client->connect_token;
	client->connect_token = NULL;
	client->resting = true;
	client->forgetting = !client->options.resume_session || client->free_wanted;
	if (client->forgetting)
		client->engine->ops->forget(client->engine);
	skiffi_client_wake(client);
}

static void state_rest_by_us(struct skiff_client *client, const char *why)
{
	struct skiff_error error;
	skiffi_fail(&error, SKIFF_CLOSED, 0, "%s", why);
	skiffi_error_keep(&client->rest_error, &error);
	state_rest(client);
}

static void state_rested(struct skiff_client *client)
{
	struct skiff_token *token = client->rested_token;
	struct skiff_error error = skiffi_error_kept(&client->rest_error), left = error;
	if (left.code == SKIFF_OK) /* an attempt that was to end with TLS: nothing else was done */
		skiffi_fail(&left, SKIFF_CLOSED, 0, "only the TLS handshake was wanted");
	if (client->forgetting) {
		skiffi_client_queue_fail(client, &left);
		skiffi_client_requests_fail(client, &left);
	}
	client->resting = client->forgetting = false;
	client->rested_token = NULL;
	skiffi_client_token_end(token, &error);
	state_end_ending(client);
	if (client->waiting)
		pthread_cond_broadcast(&client->changed);
	skiffi_client_wake(client);
}

static int state_retry_ms(struct skiff_client *client)
{
	return skiffi_client_reconnect_wanted(client, client->rest_error.code)
		       ? skiffi_client_reconnect_delay_ms(
				 client, client->attempt ? client->attempt : 1, skiffi_random_upto)
		       : -1;
}

/* The count of attempts starts anew only after a connection that held: a broker that takes and drops us is not healed.
 */
static void state_count_up_time(struct skiff_client *client)
{
	int64_t held_us = skiffi_now_us() - client->up_us;
	client->counted.connected_us += held_us;
	client->counted.disconnects++;
	client->up_us = 0;
	if (held_us >= (int64_t)client->options.reconnect.stable_ms * 1000)
		client->attempt = 0;
}

void skiffi_client_on_down(struct skiff_client *client)
{
	struct skiff_event event = {.kind = client->announced ? SKIFF_EVENT_FAILED : SKIFF_EVENT_DISCONNECTED};
	pthread_mutex_lock(&client->lock);
	struct skiff_error error = client->engine->ops->error(client->engine);
	skiffi_error_keep(&client->error, &error);
	skiffi_error_keep(&client->rest_error, &error);
	if (client->state == CLIENT_ENDING && error.code != SKIFF_CLOSED && !skiffi_client_acknowledged(client))
		client->ending.cut = true;
	if (client->up_us)
		state_count_up_time(client);
	event.attempt = client->attempt;
	event.retry_ms = state_retry_ms(client);
	event.error = &error;
	client->greeted = false;
	if (event.retry_ms >= 0) {
		state_move(client, CLIENT_WAITING);
		state_arm(client, event.retry_ms);
	} else {
		state_disarm(client);
		state_rest(client);
	}
	pthread_mutex_unlock(&client->lock);
	client->announced = false;
	skiffi_client_tell(client, &event);
}

/* ---- disconnecting ---- */

static void state_send_disconnect(struct skiff_client *client, bool late)
{
	client->ending.asked = true;
	client->ending.late = late;
	client->engine->ops->disconnect(client->engine, client->ending.reason, client->ending.properties);
}

/* The end of the grace: DISCONNECT behind what is written, as much of it as leaves at once, and the connection is
 * closed. */
static void state_expire(struct skiff_client *client)
{
	pthread_mutex_lock(&client->lock);
	bool up = client->state == CLIENT_ENDING;
	if (!up)
		client->ending.late = !skiffi_client_acknowledged(client);
	else if (!client->ending.asked)
		state_send_disconnect(client, !skiffi_client_acknowledged(client));
	pthread_mutex_unlock(&client->lock);
	client->engine->ops->close(client->engine, !up);
	pthread_mutex_lock(&client->lock);
	if (client->ending.wanted && client->engine->ops->load(client->engine).unsent_bytes)
		client->ending.late = true;
	pthread_mutex_unlock(&client->lock);
}

/* Within the grace: DISCONNECT as soon as all is through. */
static void state_drain(struct skiff_client *client)
{
	pthread_mutex_lock(&client->lock);
	int64_t left_us = client->ending.deadline_us - skiffi_now_us();
	bool ask = left_us > 0 && !client->ending.asked && skiffi_client_acknowledged(client);
	if (ask)
		state_send_disconnect(client, false);
	else if (!client->ending.asked)
		client->engine->ops->wants_room(client->engine);
	pthread_mutex_unlock(&client->lock);
	if (ask)
		client->engine->ops->flush(client->engine);
	if (left_us > 0)
		state_arm(client, (left_us + 999) / 1000);
	else
		state_expire(client);
}

/* An attempt under way is given the grace when something waits for it. */
static void state_disconnect_attempt(struct skiff_client *client)
{
	pthread_mutex_lock(&client->lock);
	int64_t left_us = client->ending.deadline_us - skiffi_now_us();
	bool wait = left_us > 0 && !skiffi_client_acknowledged(client);
	pthread_mutex_unlock(&client->lock);
	if (wait)
		state_arm(client, (left_us + 999) / 1000);
	else
		state_expire(client);
}

static void state_disconnect(struct skiff_client *client)
{
	pthread_mutex_lock(&client->lock);
	enum client_state state = client->state;
	if (state == CLIENT_UP) {
		state_move(client, CLIENT_ENDING);
	} else if (state == CLIENT_IDLE || state == CLIENT_WAITING) {
		state_disarm(client);
		state_rest_by_us(client, "disconnected by this client");
	}
	pthread_mutex_unlock(&client->lock);
	if (state == CLIENT_CONNECTING)
		state_disconnect_attempt(client);
	else if (state == CLIENT_UP)
		state_drain(client);
}

/* ---- freeing ---- */

static void state_gone(struct skiff_client *client)
{
	if (!client->engine_freed || !client->timer_closed)
		return;
	skiffi_loop_unref(client->loop);
	client->loop = NULL;
	bool inside = client->free_inside;
	pthread_mutex_lock(&client->lock);
	client->gone = true;
	pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
	if (inside)
		skiffi_client_release(client);
}

static void state_engine_freed(void *user)
{
	struct skiff_client *client = user;
	client->engine_freed = true;
	state_gone(client);
}

static void state_timer_closed(uv_handle_t *timer)
{
	struct skiff_client *client = timer->data;
	client->timer_closed = true;
	state_gone(client);
}

static void state_free(struct skiff_client *client)
{
	pthread_mutex_lock(&client->lock);
	enum client_state state = client->state;
	bool rested = client->freeing && state == CLIENT_IDLE && !client->resting;
	client->freeing = true;
	if (state == CLIENT_WAITING || (state == CLIENT_IDLE && !rested)) {
		state_disarm(client);
		state_rest_by_us(client, "the client was freed");
	}
	pthread_mutex_unlock(&client->lock);
	if (state != CLIENT_IDLE && state != CLIENT_WAITING)
		client->engine->ops->close(client->engine, true);
	if (!rested)
		return;
	skiffi_loop_cancel(client->loop, &client->control);
	if (!client->timer_inited)
		state_arm(client, 0);
	client->timer_closing = true;
	uv_close((uv_handle_t *)&client->timer, state_timer_closed);
	client->engine->ops->free(client->engine, state_engine_freed, client);
}

/* ---- what is wanted ---- */

void skiffi_client_control(struct skiffi_job *job)
{
	struct skiff_client *client = (struct skiff_client *)((char *)job - offsetof(struct skiff_client, control));
	pthread_mutex_lock(&client->lock);
	bool freeing = client->free_wanted;
	bool ending = client->ending.wanted && client->state != CLIENT_ENDING && !client->resting;
	bool connect =
		client->connect_wanted && client->state == CLIENT_IDLE && !client->resting && !ending && !freeing;
	if (connect) {
		client->connect_wanted = client->was_up = false;
		client->attempt = 0;
	}
	pthread_mutex_unlock(&client->lock);
	if (freeing && client->timer_closing)
		return;
	if (ending)
		state_disconnect(client);
	else if (connect)
		state_connect(client);
	skiffi_client_on_engine(client);
	if (freeing)
		state_free(client);
}

void skiffi_client_service(struct skiff_client *client)
{
	state_come_up(client);
	pthread_mutex_lock(&client->lock);
	if (client->resting)
		state_rested(client);
	if (client->state == CLIENT_UP || (client->state == CLIENT_ENDING && !client->ending.asked)) {
		skiffi_client_requests_send(client);
		skiffi_client_queue_send(client);
	}
	bool draining = client->state == CLIENT_ENDING && !client->ending.asked;
	if (client->waiting)
		pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
	client->engine->ops->flush(client->engine);
	if (draining)
		state_drain(client);
}
