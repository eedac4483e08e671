/* SPDX-License-Identifier: Apache-2.0 */
/* client_requests.c: subscribe and unsubscribe, over reconnects.
 *
 * Happy path: the filters' handlers stand at once -> the request waits for a connection -> the engine has it -> SUBACK:
 * refused filters are taken out again -> the token ends. When a connection ends in between, the request waits again;
 * when the broker lost the session, what it had granted is subscribed anew before anything else. */
#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include "client/client_internal.h"
#include "codec/properties.h"
#include "codec/topic.h"

enum { RENEW_FILTERS = 64, FILTERS_MAX = 4096, REQUESTS_MAX = 10000 };

static void request_free(struct client_request *request)
{
	if (!request)
		return;
	for (size_t i = 0; request->filters && i < request->count; i++)
		skiffi_free((void *)request->filters[i].filter.data);
	for (size_t i = 0; request->user && i < request->user_count; i++) {
		skiffi_free((void *)request->user[i].name.data);
		skiffi_free((void *)request->user[i].value.data);
	}
	skiffi_free(request->filters);
	skiffi_free(request->user);
	skiffi_free(request);
}

static struct skiff_bytes request_dup(struct skiff_bytes bytes)
{
	return (struct skiff_bytes){skiffi_memdup(bytes.data, bytes.len), bytes.len};
}

static bool request_copy_user(struct client_request *request, const struct skiff_properties *properties)
{
	if (!properties || !properties->user_count)
		return true;
	request->user = skiffi_calloc(properties->user_count, sizeof *request->user);
	if (!request->user)
		return false;
	request->user_count = properties->user_count;
	bool ok = true;
	for (size_t i = 0; i < request->user_count; i++) {
		request->user[i].name = request_dup(properties->user[i].name);
		request->user[i].value = request_dup(properties->user[i].value);
		ok &= request->user[i].name.data && request->user[i].value.data;
	}
	return ok;
}

static struct client_request *request_new(bool subscribe, size_t count, const struct skiff_properties *properties)
{
	struct client_request *request = skiffi_calloc(1, sizeof *request);
	if (!request)
		return NULL;
	request->op.kind = CLIENT_OP_REQUEST;
	request->subscribe = subscribe;
	request->count = count;
	request->filters = skiffi_calloc(count, sizeof *request->filters);
	if (properties && properties->has & SKIFF_HAS_SUBSCRIPTION_ID)
		request->subscription_id = properties->subscription_id;
	if (request->filters && request_copy_user(request, properties))
		return request;
	request_free(request);
	return NULL;
}

static bool request_set_filter(struct client_request *request, size_t index, struct skiff_bytes filter, uint8_t options)
{
	request->filters[index].filter = request_dup(filter);
	request->filters[index].options = options;
	return request->filters[index].filter.data != NULL;
}

/* In the order of the calls, also for one that comes back. */
static void requests_insert(struct skiff_client *client, struct client_request *request)
{
	struct client_request **link = &client->requests;
	if (client->requests_last && client->requests_last->serial < request->serial)
		link = &client->requests_last->next;
	while (*link && (*link)->serial < request->serial)
		link = &(*link)->next;
	request->next = *link;
	*link = request;
	if (!request->next)
		client->requests_last = request;
	client->requests_waiting++;
}

void skiffi_client_requests_again(struct skiff_client *client, struct client_request *request)
{
	if (request->renewal) { /* still owed, whatever session the next connection finds */
		client->renew = true;
		request_free(request);
		return;
	}
	requests_insert(client, request);
}

static struct client_request *requests_pop(struct skiff_client *client)
{
	struct client_request *request = client->requests;
	client->requests = request->next;
	if (!client->requests)
		client->requests_last = NULL;
	client->requests_waiting--;
	return request;
}

static enum skiff_code request_send(
	struct skiff_client *client, struct client_request *request, struct skiff_error *error)
{
	struct skiff_properties properties = {.user = request->user, .user_count = request->user_count};
	bool some = request->subscription_id || request->user_count;
	if (request->subscription_id) {
		properties.has = SKIFF_HAS_SUBSCRIPTION_ID;
		properties.subscription_id = request->subscription_id;
	}
	return client->engine->ops->subscribe(client->engine, request->subscribe, request->filters, request->count,
		some ? &properties : NULL, request, error);
}

/* Takes the handler out, unless a later call set it anew. */
static void request_take_out(struct skiff_client *client, const struct client_request *request, size_t index)
{
	struct client_filter *filter = skiffi_client_filters_find(&client->filters, request->filters[index].filter);
	if (filter && filter->serial <= request->serial)
		skiffi_client_filters_remove(&client->filters, filter);
}

/* A subscription that was not taken has no handler, unless one granted earlier goes on. */
static void request_not_taken(struct skiff_client *client, const struct client_request *request, size_t index)
{
	struct client_filter *filter = skiffi_client_filters_find(&client->filters, request->filters[index].filter);
	if (filter && (request->renewal || !filter->granted))
		request_take_out(client, request, index);
}

static void request_refused(
	struct skiff_client *client, struct client_request *request, const struct skiff_error *error)
{
	for (size_t i = 0; request->subscribe && i < request->count; i++)
		request_not_taken(client, request, i);
	skiffi_error_keep(&client->error, error);
	skiffi_client_token_end(request->token, error);
	request_free(request);
}

void skiffi_client_requests_send(struct skiff_client *client)
{
	while (client->requests) {
		struct skiff_error error;
		enum skiff_code code = request_send(client, client->requests, &error);
		if (code == SKIFF_AGAIN)
			return;
		struct client_request *request = requests_pop(client);
		if (code == SKIFF_OK)
			continue;
		if (code == SKIFF_MEMORY)
			skiffi_fail_plain(&error, code);
		request_refused(client, request, &error);
	}
}

static struct client_filter *renewal_first(struct client_filter *filter)
{
	while (filter && !filter->granted)
		filter = filter->all_next;
	return filter;
}

/* One packet of at most `max` filters that share a subscription identifier, from `*at` on; `*at` moves behind them. */
static struct client_request *renewal_next(struct skiff_client *client, struct client_filter **at, size_t max)
{
	struct client_filter *filter = *at;
	struct client_request *request = request_new(true, max, NULL);
	if (!request)
		return NULL;
	request->renewal = true;
	request->serial = client->requests_serial;
	request->subscription_id = filter->subscription_id;
	request->count = 0;
	while (filter && request->count < max && filter->subscription_id == request->subscription_id) {
		struct skiff_bytes text = {filter->text, filter->text_len};
		if (!request_set_filter(request, request->count++, text, filter->options)) {
			request_free(request);
			return NULL;
		}
		filter = renewal_first(filter->all_next);
	}
	*at = filter;
	return request;
}

/* What this broker cannot have, though another granted it, is left out with a warning. */
static void renewal_leave_out(struct client_filter *filter, const struct skiff_error *error)
{
	skiffi_log(SKIFF_LOG_WARN, "client", "could not subscribe to '%s' again: %s", filter->text, error->text);
}

/* In packets as large as the broker takes. Out of memory: `renew` stays, and the next connection tries again. */
void skiffi_client_requests_renew(struct skiff_client *client)
{
	size_t max = RENEW_FILTERS;
	struct client_filter *at = renewal_first(client->filters.all);
	client->renew = false;
	while (at) {
		struct client_filter *first = at;
		struct skiff_error error = {0};
		struct client_request *request = renewal_next(client, &at, max);
		enum skiff_code code = request ? request_send(client, request, &error) : SKIFF_MEMORY;
		if (!code)
			continue;
		bool more = request && request->count > 1;
		request_free(request);
		if (code == SKIFF_MEMORY || code == SKIFF_AGAIN) {
			client->renew = true;
			return;
		}
		if (more) {
			at = first;
			max = max / 2;
		} else {
			renewal_leave_out(first, &error);
		}
	}
}

static void request_granted(
	struct skiff_client *client, const struct client_request *request, const struct skiffi_event *event)
{
	const uint8_t *reasons = event->reasons.data;
	for (size_t i = 0; i < request->count; i++) {
		struct client_filter *filter = skiffi_client_filters_find(&client->filters, request->filters[i].filter);
		bool refused = i < event->reasons.len && reasons[i] >= 0x80;
		if (!filter)
			continue;
		if (refused && request->renewal)
			skiffi_log(SKIFF_LOG_WARN, "client", "the broker no longer takes the subscription '%s'",
				filter->text);
		if (refused)
			request_not_taken(client, request, i);
		else
			filter->granted = true;
	}
}

static void request_withdrawn(
	struct skiff_client *client, const struct client_request *request, const struct skiffi_event *event)
{
	const uint8_t *reasons = event->reasons.data;
	for (size_t i = 0; i < request->count; i++)
		if (i >= event->reasons.len || reasons[i] < 0x80)
			request_take_out(client, request, i);
}

struct skiff_token *skiffi_client_requests_done(
	struct skiff_client *client, struct client_request *request, const struct skiffi_event *event)
{
	struct skiff_error error;
	struct skiff_token *token = request->token;
	if (request->subscribe)
		request_granted(client, request, event);
	else
		request_withdrawn(client, request, event);
	skiffi_client_token_note(token, event);
	if (event->code)
		skiffi_client_error_of(&error, event, request->subscribe ? "the subscription" : "the unsubscription");
	if (event->code)
		skiffi_error_keep(&client->error, &error);
	skiffi_client_token_settle(token, event->code ? &error : NULL);
	request_free(request);
	return token;
}

void skiffi_client_requests_fail(struct skiff_client *client, const struct skiff_error *error)
{
	while (client->requests)
		request_refused(client, requests_pop(client), error);
}

/* ---- the public face ---- */

static enum skiff_code requests_check_state(const struct skiff_client *client, size_t count, struct skiff_error *error)
{
	if (client->free_wanted || client->ending.wanted)
		return skiffi_fail(error, SKIFF_USAGE_STATE, 0, "the client is being disconnected");
	if (client->requests_waiting >= REQUESTS_MAX)
		return skiffi_fail(error, SKIFF_AGAIN, 0, "%d subscribes and unsubscribes wait already", REQUESTS_MAX);
	if (!count || count > FILTERS_MAX)
		return skiffi_fail(error, SKIFF_USAGE, 0, "%zu filters in one packet is not 1..%d", count, FILTERS_MAX);
	return SKIFF_OK;
}

static enum skiff_code requests_check_filter(const char *text, struct skiff_error *error)
{
	const char *rule = NULL;
	if (!text || !skiffi_filter_valid(skiff_text(text), &rule))
		return skiffi_fail(error, SKIFF_USAGE_TOPIC, 0, "the filter '%.200s' is not valid: %s",
			text ? text : "", text ? rule : "it is missing");
	return SKIFF_OK;
}

static enum skiff_code requests_check(const struct skiff_client *client, const struct skiff_subscription *list,
	size_t count, const struct skiff_properties *properties, struct skiff_error *error)
{
	const char *rule = NULL;
	enum skiff_code code = requests_check_state(client, count, error);
	for (size_t i = 0; !code && i < count; i++) {
		code = requests_check_filter(list[i].filter, error);
		if (!code && list[i].qos > 2)
			code = skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "QoS %u of '%.200s' is not 0, 1 or 2",
				list[i].qos, list[i].filter);
		if (!code && list[i].retain_handling > 2)
			code = skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
				"retain handling %u of '%.200s' is not 0, 1 or 2", list[i].retain_handling,
				list[i].filter);
		if (!code && list[i].no_local &&
			skiffi_filter_shared(skiff_text(list[i].filter), NULL)) /* [MQTT-3.8.3-4] */
			code = skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
				"no_local cannot go with the shared subscription '%.200s'", list[i].filter);
	}
	if (!code && !skiffi_properties_valid(properties, SKIFFI_IN_SUBSCRIBE, &rule))
		code = skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the properties are not valid: %s", rule);
	return code;
}

static uint8_t subscription_options(const struct skiff_subscription *subscription)
{
	return (uint8_t)(subscription->qos | subscription->no_local << 2 | subscription->retain_as_published << 3 |
			 subscription->retain_handling << 4);
}

/* Makes sure of an entry for each filter, so that nothing can fail once the first handler stands. */
static bool requests_prepare(struct skiff_client *client, const struct skiff_subscription *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct skiff_bytes text = skiff_text(list[i].filter);
		if (skiffi_client_filters_find(&client->filters, text) ||
			skiffi_client_filters_add(&client->filters, text))
			continue;
		while (i--) {
			struct client_filter *filter =
				skiffi_client_filters_find(&client->filters, skiff_text(list[i].filter));
			if (filter && !filter->serial)
				skiffi_client_filters_remove(&client->filters, filter);
		}
		return false;
	}
	return true;
}

static void requests_stand(
	struct skiff_client *client, const struct skiff_subscription *list, const struct client_request *request)
{
	for (size_t i = 0; i < request->count; i++) {
		struct client_filter *filter = skiffi_client_filters_find(&client->filters, skiff_text(list[i].filter));
		filter->handler = list[i].handler;
		filter->user = list[i].user;
		filter->options = request->filters[i].options;
		filter->subscription_id = request->subscription_id;
		filter->serial = request->serial;
	}
	client->filters.generation++;
}

static void requests_submit(struct skiff_client *client, struct client_request *request)
{
	requests_insert(client, request);
	if (client->state == CLIENT_UP)
		skiffi_client_requests_send(client);
}

/* A request with its token and its place in the order; NULL when memory is out. */
static struct client_request *requests_make(struct skiff_client *client, bool subscribe, size_t count,
	const struct skiff_properties *properties, struct skiff_token **token)
{
	struct client_request *request = request_new(subscribe, count, properties);
	struct skiff_token *mine = request && token ? skiffi_client_token_new(client) : NULL;
	if (request && token && !mine) {
		request_free(request);
		return NULL;
	}
	if (request) {
		request->token = mine;
		request->serial = ++client->requests_serial;
	}
	return request;
}

/* Undoes requests_make. */
static void requests_unmake(struct client_request *request)
{
	if (request && request->token) {
		skiffi_client_token_end_code(request->token, SKIFF_MEMORY);
		skiff_token_free(request->token);
	}
	request_free(request);
}

static enum skiff_code requests_subscribe(struct skiff_client *client, const struct skiff_subscription *list,
	size_t count, const struct skiff_properties *properties, struct skiff_token **token, struct skiff_error *error)
{
	enum skiff_code code = requests_check(client, list, count, properties, error);
	if (code)
		return code;
	struct client_request *request = requests_make(client, true, count, properties, token);
	bool ok = request != NULL;
	for (size_t i = 0; ok && i < count; i++)
		ok = request_set_filter(request, i, skiff_text(list[i].filter), subscription_options(&list[i]));
	if (!ok || !requests_prepare(client, list, count)) {
		requests_unmake(request);
		return skiffi_fail_plain(error, SKIFF_MEMORY);
	}
	if (token)
		*token = request->token;
	requests_stand(client, list, request);
	requests_submit(client, request);
	return SKIFF_OK;
}

static enum skiff_code requests_unsubscribe(struct skiff_client *client, const char *const *list, size_t count,
	const struct skiff_properties *properties, struct skiff_token **token, struct skiff_error *error)
{
	const char *rule = NULL;
	enum skiff_code code = requests_check_state(client, count, error);
	for (size_t i = 0; !code && i < count; i++)
		code = requests_check_filter(list[i], error);
	if (!code && !skiffi_properties_valid(properties, SKIFFI_IN_UNSUBSCRIBE, &rule))
		code = skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "the properties are not valid: %s", rule);
	if (code)
		return code;
	struct client_request *request = requests_make(client, false, count, properties, token);
	bool ok = request != NULL;
	for (size_t i = 0; ok && i < count; i++)
		ok = request_set_filter(request, i, skiff_text(list[i]), 0);
	if (!ok) {
		requests_unmake(request);
		return skiffi_fail_plain(error, SKIFF_MEMORY);
	}
	if (token)
		*token = request->token;
	requests_submit(client, request);
	return SKIFF_OK;
}

/* Leaves the lock; what went wrong becomes the client's last error. */
static enum skiff_code requests_leave(
	struct skiff_client *client, enum skiff_code code, const struct skiff_error *error)
{
	if (code)
		skiffi_error_keep(&client->error, error);
	pthread_mutex_unlock(&client->lock);
	client->engine->ops->flush(client->engine);
	return code;
}

enum skiff_code skiff_subscribe_many(struct skiff_client *client, const struct skiff_subscription *subscriptions,
	size_t count, const struct skiff_properties *properties, struct skiff_token **token)
{
	struct skiff_error error;
	if (!client || !subscriptions)
		return SKIFF_USAGE;
	skiffi_client_has_handlers(client);
	pthread_mutex_lock(&client->lock);
	enum skiff_code code = requests_subscribe(client, subscriptions, count, properties, token, &error);
	return requests_leave(client, code, &error);
}

enum skiff_code skiff_unsubscribe_many(struct skiff_client *client, const char *const *filters, size_t count,
	const struct skiff_properties *properties, struct skiff_token **token)
{
	struct skiff_error error;
	if (!client || !filters)
		return SKIFF_USAGE;
	pthread_mutex_lock(&client->lock);
	enum skiff_code code = requests_unsubscribe(client, filters, count, properties, token, &error);
	return requests_leave(client, code, &error);
}

struct skiff_token *skiff_subscribe(
	struct skiff_client *client, const char *filter, int qos, skiff_message_fn handler, void *user)
{
	struct skiff_token *token = NULL;
	struct skiff_error error;
	struct skiff_subscription subscription = {.filter = filter,
		.qos = qos >= 0 && qos <= 2 ? (uint8_t)qos : UINT8_MAX,
		.handler = handler,
		.user = user};
	if (!client)
		return NULL;
	skiffi_client_has_handlers(client);
	pthread_mutex_lock(&client->lock);
	enum skiff_code code = requests_subscribe(client, &subscription, 1, NULL, &token, &error);
	return requests_leave(client, code, &error) ? skiffi_client_token_refused(&error) : token;
}

struct skiff_token *skiff_unsubscribe(struct skiff_client *client, const char *filter)
{
	struct skiff_token *token = NULL;
	struct skiff_error error;
	if (!client)
		return NULL;
	pthread_mutex_lock(&client->lock);
	enum skiff_code code = requests_unsubscribe(client, &filter, 1, NULL, &token, &error);
	return requests_leave(client, code, &error) ? skiffi_client_token_refused(&error) : token;
}
