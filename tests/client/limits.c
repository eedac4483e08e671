/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c: what a broker grants at CONNACK, kept to; and what we grant, insisted on. */
#include "support/far_broker.h"
#include "support/user.h"

enum { QUICK_MS = 20000 };

/* A far end that grants `properties`, and what it saw. Under the lock of waiting.h, but for `script`. */
struct grant {
	struct skiff_properties properties;
	void (*script)(struct far_client *client, struct grant *grant);
	struct waiting_count packets, pings;
	char client_id[2][64];
	unsigned aliased, largest_alias, topics;
	uint8_t disconnect_reason;
	struct waiting_count disconnects;
	unsigned largest_window;
	bool overrun;
};

static void grant_run(struct far_client *client, void *user)
{
	struct grant *grant = user;
	struct skiffi_frame frame;
	struct skiffi_connect connect;
	struct skiff_properties properties[2];
	struct skiffi_refusal why;
	if (!far_next(client, &frame) || !skiffi_connect_decode(&frame, &client->version, &connect, properties, &why))
		return;
	if (client->number <= 2)
		memcpy(grant->client_id[client->number - 1], connect.client_id.data,
			connect.client_id.len < 63 ? connect.client_id.len : 63);
	if (far_send_connack(client, 0, false, &grant->properties))
		grant->script(client, grant);
}

/* Looks at each packet, then answers it. */
static void grant_look(struct grant *grant, const struct skiffi_frame *frame, enum skiffi_protocol version)
{
	struct skiffi_publish publish;
	struct skiff_properties properties;
	struct skiffi_refusal why;
	if (frame->type == SKIFFI_DISCONNECT) {
		grant->disconnect_reason = frame->body_len ? frame->body[0] : 0;
		waiting_add(&grant->disconnects);
	}
	if (frame->type == SKIFFI_PINGREQ)
		waiting_add(&grant->pings);
	if (frame->type != SKIFFI_PUBLISH ||
		!skiffi_publish_decode(frame, version, SKIFFI_FROM_CLIENT, &publish, &properties, &why))
		return;
	waiting_lock();
	grant->aliased += publish.topic_alias != 0;
	grant->topics += publish.topic.len != 0;
	if (publish.topic_alias > grant->largest_alias)
		grant->largest_alias = publish.topic_alias;
	waiting_unlock();
	waiting_add(&grant->packets);
}

static void look_and_serve(struct far_client *client, struct grant *grant)
{
	struct skiffi_frame frame;
	do {
		if (!far_next(client, &frame))
			return;
		grant_look(grant, &frame, client->version);
	} while (far_answer(client, &frame));
}

static struct user *granted(struct grant *grant, struct far_broker **broker, struct skiff_options options)
{
	if (!grant->script)
		grant->script = look_and_serve;
	*broker = far_broker_start(grant_run, grant);
	options.url = far_broker_url(*broker);
	return user_connected(&options);
}

/* Refused by the call or by the token, without a word to the broker; and the connection goes on. */
static void expect_refused(struct user *user, const struct skiff_message *message, enum skiff_code code)
{
	struct skiff_token *token = NULL;
	enum skiff_code got = skiff_publish_message(user->client, message, &token);
	if (token)
		got = skiff_wait(token, QUICK_MS);
	assert_int_equal(got, code);
	assert_true(skiff_client_connected(user->client));
}

static void maximum_qos_is_kept_to(void **state)
{
	(void)state;
	for (uint8_t most = 0; most < 2; most++) {
		struct grant grant = {.properties = {.has = SKIFF_HAS_MAXIMUM_QOS, .maximum_qos = most}};
		struct far_broker *broker;
		struct user *user = granted(&grant, &broker, (struct skiff_options){0});
		for (uint8_t qos = 0; qos <= 2; qos++) {
			struct skiff_message message = {.topic = skiff_text("t"), .qos = qos};
			if (qos <= most)
				user_publish(user, "t", "", qos);
			else
				expect_refused(user, &message, SKIFF_MQTT_NOT_ALLOWED);
		}
		user_disconnect(user);
		user_free(user);
		far_broker_stop(broker);
		assert_int_equal(waiting_value(&grant.packets), most + 1);
	}
}

static void maximum_packet_size_is_kept_to(void **state)
{
	enum { LIMIT = 100 };
	struct grant grant = {.properties = {.has = SKIFF_HAS_MAXIMUM_PACKET_SIZE, .maximum_packet_size = LIMIT}};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){0});
	static const char payload[LIMIT];
	(void)state;
	/* QoS 0: 2 + 2 + 1 for the topic + 1 for no properties */
	struct skiff_message fits = {.topic = skiff_text("t"), .payload = {payload, LIMIT - 6}};
	struct skiff_message too_large = {.topic = skiff_text("t"), .payload = {payload, LIMIT - 5}};
	struct skiff_token *token;
	assert_int_equal(skiff_publish_message(user->client, &fits, &token), SKIFF_OK);
	user_expect(token, SKIFF_OK);
	expect_refused(user, &too_large, SKIFF_MQTT_TOO_LARGE);
	user_disconnect(user);
	user_free(user);
	far_broker_stop(broker);
	assert_int_equal(waiting_value(&grant.packets), 1);
}

static void what_is_not_offered_is_not_asked_for(void **state)
{
	struct grant grant = {.properties = {.has = SKIFF_HAS_RETAIN_AVAILABLE | SKIFF_HAS_WILDCARD_AVAILABLE |
						    SKIFF_HAS_SHARED_AVAILABLE | SKIFF_HAS_SUBSCRIPTION_ID_AVAILABLE}};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){0});
	struct skiff_properties with_id = {.has = SKIFF_HAS_SUBSCRIPTION_ID, .subscription_id = 1};
	struct skiff_subscription subscription = {.filter = "t"};
	struct skiff_token *token = NULL;
	struct skiff_connection way;
	(void)state;
	expect_refused(user, &(struct skiff_message){.topic = skiff_text("t"), .retain = true}, SKIFF_MQTT_NOT_ALLOWED);
	user_expect(skiff_subscribe(user->client, "a/+", 0, NULL, NULL), SKIFF_MQTT_NOT_ALLOWED);
	user_expect(skiff_subscribe(user->client, "$share/g/a", 0, NULL, NULL), SKIFF_MQTT_NOT_ALLOWED);
	assert_int_equal(skiff_subscribe_many(user->client, &subscription, 1, &with_id, &token), SKIFF_OK);
	user_expect(token, SKIFF_MQTT_NOT_ALLOWED);
	user_subscribe(user, "a", 2);
	skiff_client_connection(user->client, &way);
	assert_false(way.retain_available || way.wildcard_available || way.shared_available ||
		     way.subscription_id_available);
	user_free(user);
	far_broker_stop(broker);
}

/* Holds acknowledgements back until a message of QoS 0 says that no more of the others come. */
static void hold_the_window(struct far_client *client, struct grant *grant)
{
	uint16_t ids[16];
	unsigned held = 0;
	struct skiffi_frame frame;
	while (far_next(client, &frame)) {
		if (frame.type != SKIFFI_PUBLISH) {
			far_answer(client, &frame);
			continue;
		}
		if (frame.flags >> 1 & 3) {
			grant->overrun |= held >= grant->properties.receive_maximum;
			ids[held++ % 16] = far_packet_id(client, &frame);
		} else {
			if (held > grant->largest_window)
				grant->largest_window = held;
			while (held)
				far_send_ack(client, SKIFFI_PUBACK, ids[--held % 16], 0);
			waiting_add(&grant->packets);
		}
	}
}

static void receive_maximum_is_kept_to(void **state)
{
	enum { ROUNDS = 6 };
	(void)state;
	for (uint16_t window = 1; window <= 3; window++) {
		struct grant grant = {.properties = {.has = SKIFF_HAS_RECEIVE_MAXIMUM, .receive_maximum = window},
			.script = hold_the_window};
		struct far_broker *broker;
		struct user *user = granted(&grant, &broker, (struct skiff_options){0});
		struct skiff_message message = {.topic = skiff_text("t"), .qos = 1};
		for (int i = 0; i < ROUNDS * window; i++)
			assert_int_equal(skiff_publish_message(user->client, &message, NULL), SKIFF_OK);
		for (unsigned i = 1; i <= ROUNDS; i++) { /* each marker frees one window */
			user_publish(user, "marker", "", 0);
			assert_true(waiting_reach(&grant.packets, i, QUICK_MS));
		}
		while (skiff_flush(user->client, 20)) /* a marker may have overtaken a window on its way */
			user_publish(user, "marker", "", 0);
		user_free(user);
		far_broker_stop(broker);
		assert_false(grant.overrun);
		assert_int_equal(grant.largest_window, window);
	}
}

static void server_keep_alive_is_kept_to(void **state)
{
	struct grant grant = {.properties = {.has = SKIFF_HAS_SERVER_KEEP_ALIVE, .server_keep_alive_s = 1}};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){.keep_alive_s = 600});
	struct skiff_connection way;
	(void)state;
	skiff_client_connection(user->client, &way);
	assert_int_equal(way.keep_alive_s, 1);
	int64_t start_ms = waiting_now_ms();
	assert_true(waiting_reach(&grant.pings, 1, QUICK_MS));
	assert_in_range(waiting_now_ms() - start_ms, 300, 1500);
	user_free(user);
	far_broker_stop(broker);
}

static void assigned_client_id_is_adopted(void **state)
{
	struct grant grant = {.properties = {.assigned_client_id = {"the-one", 7}}};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){.client_id = ""});
	struct skiff_connection way;
	(void)state;
	skiff_client_connection(user->client, &way);
	assert_string_equal(way.client_id, "the-one");
	user_disconnect(user);
	user_expect(skiff_connect(user->client), SKIFF_OK);
	user_free(user);
	far_broker_stop(broker);
	assert_string_equal(grant.client_id[0], "");
	assert_string_equal(grant.client_id[1], "the-one");
}

static void outbound_aliases_stay_within_the_grant(void **state)
{
	enum { MESSAGES = 40, TOPICS = 4 };
	static const char *const topics[TOPICS] = {"topic/one", "topic/two", "topic/three", "topic/four"};
	struct grant grant = {.properties = {.has = SKIFF_HAS_TOPIC_ALIAS_MAXIMUM, .topic_alias_maximum = 2}};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){0});
	(void)state;
	for (int i = 0; i < MESSAGES; i++)
		user_publish(user, topics[i / (MESSAGES / TOPICS)], "x", 1);
	user_free(user);
	far_broker_stop(broker);
	assert_int_equal(waiting_value(&grant.packets), MESSAGES);
	assert_int_equal(grant.largest_alias, 2);
	assert_in_range(grant.topics, TOPICS, MESSAGES / 2 + TOPICS);
}

static void no_alias_is_used_where_none_is_wanted(void **state)
{
	struct grant grant = {.properties = {.has = SKIFF_HAS_TOPIC_ALIAS_MAXIMUM, .topic_alias_maximum = 2}};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){.outbound_aliases = -1});
	(void)state;
	user_publish(user, "t", "x", 1);
	user_publish(user, "t", "x", 1);
	user_free(user);
	far_broker_stop(broker);
	assert_int_equal(grant.aliased, 0);
}

/* ---- what we grant ---- */

static void use_an_alias(struct far_client *client, struct grant *grant)
{
	static const uint8_t named[] = {0x30, 8, 0, 1, 't', 3, 0x23, 0, 1, '1'};
	static const uint8_t alone[] = {0x30, 7, 0, 0, 3, 0x23, 0, 1, '2'};
	struct skiffi_frame frame;
	if (!far_next_of(client, SKIFFI_SUBSCRIBE, &frame))
		return;
	far_answer(client, &frame);
	far_send(client, named, sizeof named);
	far_send(client, alone, sizeof alone);
	look_and_serve(client, grant);
}

static void inbound_alias_becomes_its_topic(void **state)
{
	struct grant grant = {.script = use_an_alias};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){0});
	(void)state;
	user_subscribe(user, "t", 0);
	assert_true(watch_await(user->watch, 2, QUICK_MS));
	assert_string_equal(user->watch->message[1].topic, "t");
	assert_string_equal(user->watch->message[1].payload, "2");
	user_free(user);
	far_broker_stop(broker);
}

static void send_three_of_qos2(struct far_client *client, struct grant *grant)
{
	for (uint8_t i = 1; i <= 3; i++)
		far_send(client, (uint8_t[]){0x34, 6, 0, 1, 't', 0, i, 0}, 8);
	look_and_serve(client, grant);
}

static void expect_reason(struct grant *grant, const struct skiff_properties *ours, uint8_t reason)
{
	struct far_broker *broker;
	struct skiff_options options = {.connect_properties = ours, .reconnect = {.off = true}};
	struct user *user = granted(grant, &broker, options);
	const struct watch_event *down = watch_await_event(user->watch, SKIFF_EVENT_DISCONNECTED, 1, QUICK_MS);
	assert_non_null(down);
	assert_true(waiting_reach(&grant->disconnects, 1, QUICK_MS));
	assert_int_equal(grant->disconnect_reason, reason);
	assert_int_equal(down->error.detail, reason);
	user_free(user);
	far_broker_stop(broker);
}

static void own_receive_maximum_is_insisted_on(void **state)
{
	struct grant grant = {.script = send_three_of_qos2};
	struct skiff_properties ours = {.has = SKIFF_HAS_RECEIVE_MAXIMUM, .receive_maximum = 2};
	(void)state;
	expect_reason(&grant, &ours, 0x93);
}

static void send_large(struct far_client *client, struct grant *grant)
{
	uint8_t packet[100] = {0x30, 98, 0, 1, 't', 0};
	far_send(client, packet, sizeof packet);
	look_and_serve(client, grant);
}

static void own_maximum_packet_size_is_insisted_on(void **state)
{
	struct grant grant = {.script = send_large};
	struct skiff_properties ours = {.has = SKIFF_HAS_MAXIMUM_PACKET_SIZE, .maximum_packet_size = 99};
	(void)state;
	expect_reason(&grant, &ours, 0x95);
}

static void send_nonsense(struct far_client *client, struct grant *grant)
{
	far_send(client, (uint8_t[]){0x30, 4, 0, 9, 't', 0}, 6);
	look_and_serve(client, grant);
}

static void malformed_packet_ends_the_connection_with_words(void **state)
{
	struct grant grant = {.script = send_nonsense};
	(void)state;
	expect_reason(&grant, NULL, 0x81);
}

static void grant_some_refuse_some(struct far_client *client, struct grant *grant)
{
	struct skiffi_frame frame;
	if (far_next_of(client, SKIFFI_SUBSCRIBE, &frame))
		far_send(client, (uint8_t[]){0x90, 6, frame.body[0], frame.body[1], 0, 1, 0x87, 0}, 8);
	look_and_serve(client, grant);
}

static void each_filter_has_its_own_outcome(void **state)
{
	struct grant grant = {.script = grant_some_refuse_some};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){0});
	struct skiff_subscription list[] = {{.filter = "a", .qos = 2}, {.filter = "b"}, {.filter = "c"}};
	struct skiff_token *token;
	(void)state;
	assert_int_equal(skiff_subscribe_many(user->client, list, 3, NULL, &token), SKIFF_OK);
	assert_int_equal(skiff_token_wait(token, QUICK_MS), SKIFF_OK);
	assert_int_equal(skiff_token_reason(token, 0), 1);
	assert_int_equal(skiff_token_reason(token, 1), 0x87);
	assert_int_equal(skiff_token_reason(token, 2), 0);
	assert_int_equal(skiff_token_reason(token, 3), -1);
	skiff_token_free(token);
	user_free(user);
	far_broker_stop(broker);
}

static void refuse_publish(struct far_client *client, struct grant *grant)
{
	struct skiffi_frame frame;
	while (far_next_of(client, SKIFFI_PUBLISH, &frame)) {
		unsigned qos = frame.flags >> 1 & 3;
		far_send_ack(client, qos == 1 ? SKIFFI_PUBACK : SKIFFI_PUBREC, far_packet_id(client, &frame), 0x97);
		waiting_add(&grant->packets);
	}
}

static void refused_message_tells_its_reason(void **state)
{
	struct grant grant = {.script = refuse_publish};
	struct far_broker *broker;
	struct user *user = granted(&grant, &broker, (struct skiff_options){0});
	(void)state;
	for (int qos = 1; qos <= 2; qos++) {
		struct skiff_token *token = skiff_publish(user->client, "t", "x", 1, qos, false);
		enum skiff_code code = skiff_token_wait(token, QUICK_MS);
		assert_true(code == SKIFF_MQTT_REASON || code == SKIFF_MQTT_REFUSED);
		assert_int_equal(skiff_token_reason(token, 0), 0x97);
		assert_int_equal(skiff_token_error(token)->detail, 0x97);
		skiff_token_free(token);
	}
	struct skiff_statistics statistics;
	skiff_client_statistics(user->client, &statistics);
	assert_int_equal(statistics.inflight, 0);
	user_free(user);
	far_broker_stop(broker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maximum_qos_is_kept_to),
		cmocka_unit_test(maximum_packet_size_is_kept_to),
		cmocka_unit_test(what_is_not_offered_is_not_asked_for),
		cmocka_unit_test(receive_maximum_is_kept_to),
		cmocka_unit_test(server_keep_alive_is_kept_to),
		cmocka_unit_test(assigned_client_id_is_adopted),
		cmocka_unit_test(outbound_aliases_stay_within_the_grant),
		cmocka_unit_test(no_alias_is_used_where_none_is_wanted),
		cmocka_unit_test(inbound_alias_becomes_its_topic),
		cmocka_unit_test(own_receive_maximum_is_insisted_on),
		cmocka_unit_test(own_maximum_packet_size_is_insisted_on),
		cmocka_unit_test(malformed_packet_ends_the_connection_with_words),
		cmocka_unit_test(each_filter_has_its_own_outcome),
		cmocka_unit_test(refused_message_tells_its_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
