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

enum { RENEW_FILTERS = 64, FILTERS_MAX = 4096 };

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

static void requests_push(struct skiff_client *client, struct client_request *request)
{
	request->next = NULL;
	if (client->requests_last)
		client->requests_last->next = request;
	else
		client->requests = request;
	client->requests_last = request;
}

void skiffi_client_requests_again(struct skiff_client *client, struct client_request *request)
{
	client->requests_out--;
	if (request->renewal) { /* the next connection makes its own */
		request_free(request);
		return;
	}
	request->next = client->requests;
	client->requests = request;
	if (!client->requests_last)
		client->requests_last = request;
}

static struct client_request *requests_pop(struct skiff_client *client)
{
	struct client_request *request = client->requests;
	client->requests = request->next;
	if (!client->requests)
		client->requests_last = NULL;
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

/* A subscription the broker did not take has no handler any more. */
static void request_take_out(struct skiff_client *client, const struct client_request *request, size_t index)
{
	struct client_filter *filter = skiffi_client_filters_find(&client->filters, request->filters[index].filter);
	if (filter && (!request->subscribe || !filter->granted))
		skiffi_client_filters_remove(&client->filters, filter);
}

static void request_refused(
	struct skiff_client *client, struct client_request *request, const struct skiff_error *error)
{
	for (size_t i = 0; request->subscribe && i < request->count; i++)
		request_take_out(client, request, i);
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
		if (code == SKIFF_OK) {
			client->requests_out++;
			continue;
		}
		if (code == SKIFF_MEMORY)
			skiffi_fail_plain(&error, code);
		request_refused(client, request, &error);
	}
}

/* One packet of filters that share a subscription identifier, from `*at` on. */
static struct client_request *renewal_next(struct client_filter **at)
{
	struct client_filter *filter = *at;
	while (filter && !filter->granted)
		filter = filter->all_next;
	*at = filter;
	if (!filter)
		return NULL;
	struct client_request *request = request_new(true, RENEW_FILTERS, NULL);
	if (!request)
		return NULL;
	request->renewal = true;
	request->subscription_id = filter->subscription_id;
	request->count = 0;
	for (; filter && request->count < RENEW_FILTERS; filter = filter->all_next) {
		if (!filter->granted)
			continue;
		if (filter->subscription_id != request->subscription_id)
			break;
		if (!request_set_filter(request, request->count++, (struct skiff_bytes){filter->text, filter->text_len},
			    filter->options)) {
			request_free(request);
			return NULL;
		}
	}
	*at = filter;
	return request;
}

void skiffi_client_requests_renew(struct skiff_client *client)
{
	struct client_filter *at = client->filters.all;
	struct client_request *request;
	while ((request = renewal_next(&at))) {
		struct skiff_error error;
		if (request_send(client, request, &error)) {
			skiffi_log(SKIFF_LOG_WARN, "client", "could not subscribe again: %s", error.text);
			request_free(request);
			return;
		}
		client->requests_out++;
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
		filter->granted = !refused;
		if (refused)
			skiffi_client_filters_remove(&client->filters, filter);
	}
}

struct skiff_token *skiffi_client_requests_done(
	struct skiff_client *client, struct client_request *request, const struct skiffi_event *event)
{
	struct skiff_error error;
	struct skiff_token *token = request->token;
	client->requests_out--;
	if (request->subscribe)
		request_granted(client, request, event);
	else
		for (size_t i = 0; i < request->count; i++)
			request_take_out(client, request, i);
	skiffi_client_token_note(token, event);
	if (event->code)
		skiffi_client_error_of(&error, event, request->subscribe ? "the subscription" : "the unsubscription");
	skiffi_client_token_settle(token, event->code ? &error : NULL);
	request_free(request);
	return token;
}

void skiffi_client_requests_fail(struct skiff_client *client, enum skiff_code code, const char *why)
{
	struct skiff_error error;
	skiffi_fail(&error, code, 0, "%s", why);
	while (client->requests)
		request_refused(client, requests_pop(client), &error);
}

/* ---- the public face ---- */

static enum skiff_code requests_check_state(const struct skiff_client *client, size_t count, struct skiff_error *error)
{
	if (client->free_wanted || client->ending.wanted)
		return skiffi_fail(error, SKIFF_USAGE_STATE, 0, "the client is being disconnected");
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

static bool requests_stand(
	struct skiff_client *client, const struct skiff_subscription *subscription, uint32_t subscription_id)
{
	struct skiff_bytes text = skiff_text(subscription->filter);
	struct client_filter *filter = skiffi_client_filters_find(&client->filters, text);
	if (!filter)
		filter = skiffi_client_filters_add(&client->filters, text);
	if (!filter)
		return false;
	filter->handler = subscription->handler;
	filter->user = subscription->user;
	filter->options = subscription_options(subscription);
	filter->subscription_id = subscription_id;
	client->filters.generation++;
	return true;
}

static enum skiff_code requests_submit(
	struct skiff_client *client, struct client_request *request, struct skiff_token **token)
{
	if (token) {
		*token = skiffi_client_token_new();
		if (!*token) {
			request_free(request);
			return SKIFF_MEMORY;
		}
		request->token = *token;
	}
	requests_push(client, request);
	if (client->state == CLIENT_UP)
		skiffi_client_requests_send(client);
	return SKIFF_OK;
}

static enum skiff_code requests_subscribe(struct skiff_client *client, const struct skiff_subscription *list,
	size_t count, const struct skiff_properties *properties, struct skiff_token **token, struct skiff_error *error)
{
	enum skiff_code code = requests_check(client, list, count, properties, error);
	if (code)
		return code;
	struct client_request *request = request_new(true, count, properties);
	bool ok = request != NULL;
	for (size_t i = 0; ok && i < count; i++)
		ok = request_set_filter(request, i, skiff_text(list[i].filter), subscription_options(&list[i])) &&
		     requests_stand(client, &list[i], request->subscription_id);
	code = ok ? requests_submit(client, request, token) : SKIFF_MEMORY;
	if (!ok)
		request_free(request);
	return code ? skiffi_fail_plain(error, code) : SKIFF_OK;
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
	struct client_request *request = request_new(false, count, properties);
	bool ok = request != NULL;
	for (size_t i = 0; ok && i < count; i++)
		ok = request_set_filter(request, i, skiff_text(list[i]), 0);
	code = ok ? requests_submit(client, request, token) : SKIFF_MEMORY;
	if (!ok)
		request_free(request);
	return code ? skiffi_fail_plain(error, code) : SKIFF_OK;
}

/* Leaves the lock; what went wrong becomes the client's last error. */
static enum skiff_code requests_leave(
	struct skiff_client *client, enum skiff_code code, const struct skiff_error *error)
{
	if (code)
		client->error = *error;
	pthread_mutex_unlock(&client->lock);
	client->engine->ops->flush(client->engine);
	return code;
}

enum skiff_code skiff_subscribe_many(struct skiff_client *client, const struct skiff_subscription *subscriptions,
	size_t count, const struct skiff_properties *properties, struct skiff_token **token)
{
	struct skiff_error error;
	pthread_mutex_lock(&client->lock);
	return requests_leave(
		client, requests_subscribe(client, subscriptions, count, properties, token, &error), &error);
}

enum skiff_code skiff_unsubscribe_many(struct skiff_client *client, const char *const *filters, size_t count,
	const struct skiff_properties *properties, struct skiff_token **token)
{
	struct skiff_error error;
	pthread_mutex_lock(&client->lock);
	return requests_leave(client, requests_unsubscribe(client, filters, count, properties, token, &error), &error);
}

/* A token for a call that was refused: ended, with the client's last error. */
static struct skiff_token *requests_token(struct skiff_client *client, enum skiff_code code, struct skiff_token *token)
{
	return code ? skiffi_client_token_refused(client) : token;
}

struct skiff_token *skiff_subscribe(
	struct skiff_client *client, const char *filter, int qos, skiff_message_fn handler, void *user)
{
	struct skiff_token *token = NULL;
	struct skiff_subscription subscription = {.filter = filter,
		.qos = qos >= 0 && qos <= 2 ? (uint8_t)qos : UINT8_MAX,
		.handler = handler,
		.user = user};
	enum skiff_code code = skiff_subscribe_many(client, &subscription, 1, NULL, &token);
	return requests_token(client, code, token);
}

struct skiff_token *skiff_unsubscribe(struct skiff_client *client, const char *filter)
{
	struct skiff_token *token = NULL;
	enum skiff_code code = skiff_unsubscribe_many(client, &filter, 1, NULL, &token);
	return requests_token(client, code, token);
}
