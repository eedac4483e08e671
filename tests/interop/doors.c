/* SPDX-License-Identifier: Apache-2.0 */
/* doors.c ENGINE KIND DOOR...: what every door of a broker must give by every engine, in both versions of MQTT.
 *
 * On the engine paho each connection takes a second, and several processes share the tests, each with a mosquitto of
 * its own. An ejabberd takes long to start: it is one for all, and topics are of one process. */
#include "support/broker.h"
#include "support/shares.h"
#include "support/user.h"
#include <stdio.h>
#include <unistd.h>

#ifdef TESTS_SANITIZED
enum { LARGEST_BYTES = 4 * 1024 * 1024 };
#else
enum { LARGEST_BYTES = 16 * 1024 * 1024 };
#endif

/* What mosquitto sends out of a WebSocket door without keeping a test waiting: it writes 64 KiB each 100 ms. */
enum { MOSQUITTO_WS_BYTES = 128 * 1024 };

enum { QUICK_MS = 20000, SHARES = 4 };

static enum skiff_engine engine;
static enum broker_kind kind;
static struct broker *broker;

/* A test's state. */
struct way_in {
	enum skiff_version version;
	enum broker_door door;
};

static enum broker_door door_of(void **state)
{
	return ((const struct way_in *)*state)->door;
}

static bool door_is_ws(void **state)
{
	return door_of(state) == BROKER_WS || door_of(state) == BROKER_WSS;
}

static struct skiff_options door_options(void **state)
{
	struct skiff_options options = {.version = ((const struct way_in *)*state)->version, .engine = engine};
	broker_use(broker, door_of(state), &options);
	return options;
}

/* For a second client beside one at the door: by the plain door where the engine takes only one WebSocket. */
static struct skiff_options other_options(void **state)
{
	struct skiff_options options = door_options(state);
	if (door_is_ws(state) && !skiff_engine_can(engine, SKIFF_CAN_MANY_WS))
		broker_use(broker, BROKER_TCP, &options);
	return options;
}

static struct user *other_user(void **state)
{
	struct skiff_options options = other_options(state);
	return user_connected(&options);
}

static bool is_v5(void **state)
{
	return ((const struct way_in *)*state)->version == SKIFF_MQTT_5;
}

static struct user *door_user(void **state)
{
	struct skiff_options options = door_options(state);
	return user_connected(&options);
}

/* A topic that no other test uses; the last four stay. */
static const char *topic_of(void **state, const char *name)
{
	static char topics[4][128];
	static unsigned next;
	char *topic = topics[next++ % 4];
	snprintf(topic, sizeof topics[0], "doors%d-%d-%ld/%s", is_v5(state) ? 5 : 4, (int)door_of(state),
		(long)getpid(), name);
	return topic;
}

static void connects_and_tells_the_way(void **state)
{
	struct user *user = door_user(state);
	struct skiff_connection way;
	enum broker_door door = door_of(state);
	bool tls = door == BROKER_TLS || door == BROKER_MTLS || door == BROKER_WSS;
	bool ws = door_is_ws(state);
	assert_true(skiff_client_connected(user->client));
	skiff_client_connection(user->client, &way);
	assert_string_equal(way.url, broker_url(broker, door));
	assert_int_equal(way.mqtt_version, is_v5(state) ? 5 : 4);
	assert_string_not_equal(way.address, "");
	assert_string_equal(way.tls_version, tls ? "TLSv1.3" : "");
	assert_int_equal(way.tls_cipher[0] != 0, tls);
	assert_int_equal(way.tls_subject[0] != 0, tls && skiff_engine_can(engine, SKIFF_CAN_CERTIFICATE_TOLD));
	assert_int_equal(way.http_status, ws ? 101 : 0);
	bool phases = skiff_engine_can(engine, SKIFF_CAN_PHASES);
	assert_int_equal(way.phases.tcp_us >= 0, phases);
	assert_int_equal(way.phases.tls_us >= 0, phases && tls);
	assert_int_equal(way.phases.websocket_us >= 0, phases && ws);
	assert_true(way.phases.mqtt_us >= 0);
	assert_true(way.phases.total_us >= way.phases.mqtt_us);
	assert_int_equal(way.reason, 0);
	assert_memory_equal(way.client_id, "skiff-", 6);
	assert_int_equal(strlen(way.client_id), 38);
	user_disconnect(user);
	assert_false(skiff_client_connected(user->client));
	user_free(user);
}

static uint8_t *payload_new(size_t len)
{
	uint8_t *payload = malloc(len + 1);
	assert_non_null(payload);
	uint32_t word = (uint32_t)len * 2654435761u + 1;
	for (size_t i = 0; i < len; i++) {
		word = word * 1664525u + 1013904223u;
		payload[i] = (uint8_t)(word >> 24);
	}
	return payload;
}

static void carry(struct user *from, struct user *to, const char *topic, size_t len, int qos)
{
	uint8_t *payload = payload_new(len);
	watch_clear(to->watch);
	user_expect(skiff_publish(from->client, topic, payload, len, qos, false), SKIFF_OK);
	assert_true(watch_await(to->watch, 1, QUICK_MS));
	const struct watch_message *message = &to->watch->message[0];
	assert_string_equal(message->topic, topic);
	assert_int_equal(message->qos, qos);
	assert_false(message->retain);
	assert_int_equal(message->len, len);
	assert_memory_equal(message->payload, payload, len);
	free(payload);
}

static void carry_sizes(void **state, int qos)
{
	static const size_t sizes[] = {0, 1, 127, 128, 1024, 65536, 1024 * 1024, LARGEST_BYTES};
	struct skiff_options plain = door_options(state);
	plain.engine = SKIFF_ENGINE_NATIVE;
	broker_use(broker, BROKER_TCP, &plain);
	struct user *user = door_user(state), *other = user_connected(&plain);
	const char *topic = topic_of(state, "payload"), *large = topic_of(state, "large");
	bool slow = kind == BROKER_MOSQUITTO && door_is_ws(state);
	user_subscribe(user, topic, 2);
	user_subscribe(other, large, 2);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		if (slow && sizes[i] > MOSQUITTO_WS_BYTES)
			carry(user, other, large, sizes[i], qos);
		else
			carry(user, user, topic, sizes[i], qos);
	}
	user_disconnect(user);
	user_free(user);
	user_free(other);
}

static void carries_qos0_of_any_size(void **state)
{
	carry_sizes(state, 0);
}

static void carries_qos1_of_any_size(void **state)
{
	carry_sizes(state, 1);
}

static void carries_qos2_of_any_size(void **state)
{
	carry_sizes(state, 2);
}

/* Numbered messages, many of them under way at once. */
static struct numbers {
	struct waiting_count count;
	uint32_t next;
	unsigned misplaced;
} numbers;

static void number_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	uint32_t number;
	(void)client;
	(void)user;
	memcpy(&number, message->payload.data, sizeof number);
	numbers.misplaced += number != numbers.next;
	numbers.next = number + 1;
	waiting_add(&numbers.count);
}

enum { SHORT_FLOW = 2000, LONG_FLOW = 100000 };

/* By the native engine a long flow once a door, in which packet ids begin anew; at ejabberd, which takes ten times as
 * long for it, by one. A short one for each QoS and version. */
static uint32_t flow_len(void **state, uint8_t qos)
{
#ifdef TESTS_SANITIZED
	bool is_long = false;
#else
	bool here = kind == BROKER_MOSQUITTO || door_of(state) == BROKER_TCP;
	bool is_long = here && qos == 1 && is_v5(state) && engine == SKIFF_ENGINE_NATIVE;
#endif
	(void)state, (void)qos;
	return is_long ? LONG_FLOW : SHORT_FLOW;
}

/* ejabberd hands out a message of QoS 1 when the one before is acknowledged: on a busy machine a few hundred a second.
 */
static uint8_t flow_granted(uint32_t len)
{
	return kind == BROKER_EJABBERD && len == LONG_FLOW ? 0 : 2;
}

enum { NUMBERS_PATIENCE_MS = 180000 };

static struct user *numbers_user(void **state, const char *topic, int qos)
{
	struct user *user = door_user(state);
	numbers = (struct numbers){.next = 0};
	user_expect(skiff_subscribe(user->client, topic, qos, number_message, NULL), SKIFF_OK);
	return user;
}

static void numbers_all_came(struct user *user, uint32_t len)
{
	assert_int_equal(skiff_flush(user->client, NUMBERS_PATIENCE_MS), SKIFF_OK);
	assert_true(waiting_reach(&numbers.count, len, NUMBERS_PATIENCE_MS));
	user_disconnect(user);
	user_free(user);
	assert_int_equal(waiting_value(&numbers.count), len);
	assert_int_equal(numbers.misplaced, 0);
}

static void flow_keeps_its_order(void **state)
{
	for (uint8_t qos = 0; qos <= 2; qos++) {
		const uint32_t len = flow_len(state, qos);
		const char *topic = topic_of(state, "numbers");
		struct user *user = numbers_user(state, topic, flow_granted(len));
		for (uint32_t i = 0; i < len; i++)
			assert_int_equal(
				skiff_publish_message(user->client,
					&(struct skiff_message){
						.topic = skiff_text(topic), .payload = {&i, sizeof i}, .qos = qos},
					NULL),
				SKIFF_OK);
		numbers_all_came(user, len);
	}
}

static void many_given_together_keep_their_order(void **state)
{
	enum { MANY = 200 };
	struct skiff_message messages[MANY] = {{.topic = {0}}};
	uint32_t payloads[MANY];
	const char *topic = topic_of(state, "together");
	for (uint8_t qos = 0; qos <= 2; qos++) {
		for (uint32_t i = 0; i < MANY; i++) {
			payloads[i] = i;
			messages[i].topic = skiff_text(topic);
			messages[i].payload = (struct skiff_bytes){&payloads[i], sizeof i};
			messages[i].qos = qos;
		}
		struct user *user = numbers_user(state, topic, 2);
		assert_int_equal(skiff_publish_many(user->client, messages, MANY, NULL, NULL), SKIFF_OK);
		numbers_all_came(user, MANY);
	}
}

static void retained_message_greets_new_subscriber(void **state)
{
	struct user *user = door_user(state);
	const char *topic = topic_of(state, "retained");
	user_expect(skiff_publish(user->client, topic, "kept", 4, 1, true), SKIFF_OK);
	user_subscribe(user, topic, 1);
	assert_true(watch_await(user->watch, 1, QUICK_MS));
	assert_true(user->watch->message[0].retain);
	assert_string_equal(user->watch->message[0].payload, "kept");
	user_expect(skiff_publish(user->client, topic, NULL, 0, 1, true), SKIFF_OK);
	assert_true(watch_await(user->watch, 2, QUICK_MS));
	assert_int_equal(user->watch->message[1].len, 0);
	user_free(user);
}

static void will_follows_an_abrupt_end(void **state)
{
	char topic[128];
	snprintf(topic, sizeof topic, "%s", topic_of(state, "will"));
	struct user *witness = other_user(state);
	user_subscribe(witness, topic, 2);
	struct skiff_options options = door_options(state);
	options.will = (struct skiff_will){.topic = skiff_text(topic), .payload = skiff_text("gone"), .qos = 1};
	struct user *mortal = user_connected(&options);
	user_free(mortal);
	assert_true(watch_await(witness->watch, 1, QUICK_MS));
	assert_string_equal(witness->watch->message[0].payload, "gone");
	assert_int_equal(witness->watch->message[0].qos, 1);
	/* and none follows a proper one */
	struct user *polite = user_connected(&options);
	user_disconnect(polite);
	user_free(polite);
	user_publish(witness, topic, "marker", 1);
	assert_true(watch_await(witness->watch, 2, QUICK_MS));
	assert_string_equal(witness->watch->message[1].payload, "marker");
	user_free(witness);
}

static void count_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	(void)client;
	(void)message;
	waiting_add(user);
}

static void subscribe_counted(struct user *user, const char *filter, struct waiting_count *count)
{
	user_expect(skiff_subscribe(user->client, filter, 1, count_message, count), SKIFF_OK);
}

/* A broker may send a message once, or once for each subscription: each handler then runs as often as every other. */
static void every_matching_handler_runs(void **state)
{
	static const char *const filters[] = {"over/a/b", "over/+/b", "over/#", "over/a/+", "over/a/b/c", "over/+"};
	struct waiting_count count[6] = {0}, end = {0};
	struct user *user = door_user(state);
	char filter[128];
	for (size_t i = 0; i < 6; i++) {
		snprintf(filter, sizeof filter, "%s", topic_of(state, filters[i]));
		subscribe_counted(user, filter, &count[i]);
	}
	subscribe_counted(user, topic_of(state, "end"), &end);
	user_publish(user, topic_of(state, "over/a/b"), "x", 1);
	user_publish(user, topic_of(state, "end"), "x", 1);
	assert_true(waiting_reach(&end, 1, QUICK_MS));
	uint64_t runs = waiting_value(&count[0]);
	assert_true(runs == 1 || runs == 4);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(waiting_value(&count[i]), runs);
	assert_int_equal(waiting_value(&count[4]), 0);
	assert_int_equal(waiting_value(&count[5]), 0);
	assert_int_equal(waiting_value(&user->watch->messages), 0);
	user_free(user);
}

static void unsubscribed_handler_rests(void **state)
{
	struct waiting_count count = {0};
	struct user *user = door_user(state);
	const char *topic = topic_of(state, "leave");
	subscribe_counted(user, topic, &count);
	user_publish(user, topic, "x", 1);
	assert_true(waiting_reach(&count, 1, QUICK_MS));
	user_expect(skiff_unsubscribe(user->client, topic), SKIFF_OK);
	user_publish(user, topic, "x", 1);
	user_subscribe(user, topic_of(state, "leave/end"), 1);
	user_publish(user, topic_of(state, "leave/end"), "x", 1);
	assert_true(watch_await(user->watch, 1, QUICK_MS));
	assert_int_equal(waiting_value(&count), 1);
	user_free(user);
}

static void shared_subscription_splits_the_flow(void **state)
{
	enum { MESSAGES = 20 };
	struct waiting_count first = {0}, second = {0}, all = {0};
	char filter[160];
	struct user *one = door_user(state), *two = other_user(state);
	snprintf(filter, sizeof filter, "$share/group/%s", topic_of(state, "shared/+"));
	subscribe_counted(one, filter, &first);
	subscribe_counted(two, filter, &second);
	subscribe_counted(one, topic_of(state, "shared/#"), &all);
	for (int i = 0; i < MESSAGES; i++)
		user_publish(two, topic_of(state, "shared/x"), "x", 1);
	assert_true(waiting_reach(&all, MESSAGES, QUICK_MS));
	user_subscribe(one, topic_of(state, "shared_end"), 1);
	user_subscribe(two, topic_of(state, "shared_end"), 1);
	user_publish(one, topic_of(state, "shared_end"), "x", 1);
	assert_true(watch_await(one->watch, 1, QUICK_MS) && watch_await(two->watch, 1, QUICK_MS));
	/* `one` also gets copies by its plain subscription, and every filter that matches one has its handler run */
	assert_true(waiting_value(&second) > 0 && waiting_value(&second) < MESSAGES);
	assert_true(waiting_value(&first) >= MESSAGES - waiting_value(&second));
	user_free(one);
	user_free(two);
}

static void system_topics_are_apart(void **state)
{
	struct waiting_count every = {0}, plus = {0}, system = {0};
	struct user *user = door_user(state);
	subscribe_counted(user, "#", &every);
	subscribe_counted(user, "+/broker/#", &plus);
	subscribe_counted(user, "$SYS/#", &system);
	assert_true(waiting_reach(&system, 10, QUICK_MS));
	assert_int_equal(waiting_value(&plus), 0);
	uint64_t before = waiting_value(&every);
	user_publish(user, topic_of(state, "apart"), "x", 1);
	assert_true(waiting_reach(&every, before + 1, QUICK_MS));
	user_free(user);
}

/* ---- MQTT 5 ---- */

static void subscribe_with(struct user *user, struct skiff_subscription subscription, uint32_t id)
{
	struct skiff_properties properties = {.has = id ? SKIFF_HAS_SUBSCRIPTION_ID : 0, .subscription_id = id};
	struct skiff_token *token;
	assert_int_equal(
		skiff_subscribe_many(user->client, &subscription, 1, id ? &properties : NULL, &token), SKIFF_OK);
	user_expect(token, SKIFF_OK);
}

static bool has_id(const struct watch_message *message, uint32_t id)
{
	for (size_t i = 0; i < WATCH_IDS; i++)
		if (message->ids[i] == id)
			return true;
	return false;
}

static void subscription_ids_come_back(void **state)
{
	struct user *user = door_user(state);
	char topic[128];
	snprintf(topic, sizeof topic, "%s", topic_of(state, "ids/one"));
	subscribe_with(user, (struct skiff_subscription){.filter = topic, .qos = 1}, 7);
	subscribe_with(user, (struct skiff_subscription){.filter = topic_of(state, "ids/#"), .qos = 1}, 268435455);
	user_publish(user, topic, "x", 1);
	user_publish(user, topic_of(state, "ids/end"), "x", 1);
	/* in one copy or in two, and each handler for each */
	assert_true(watch_await(user->watch, 3, QUICK_MS));
	bool seven = false, largest = false;
	for (size_t i = 0; i < 3; i++) {
		seven |= has_id(&user->watch->message[i], 7);
		largest |= has_id(&user->watch->message[i], 268435455);
	}
	assert_true(seven && largest);
	user_free(user);
}

static void no_local_keeps_own_messages_away(void **state)
{
	struct user *user = door_user(state), *other = other_user(state);
	char topic[128];
	snprintf(topic, sizeof topic, "%s", topic_of(state, "local"));
	subscribe_with(user, (struct skiff_subscription){.filter = topic, .qos = 1, .no_local = true}, 0);
	user_publish(user, topic, "own", 1);
	user_publish(other, topic, "foreign", 1);
	assert_true(watch_await(user->watch, 1, QUICK_MS));
	assert_string_equal(user->watch->message[0].payload, "foreign");
	user_free(user);
	user_free(other);
}

static void retain_flag_as_published(void **state)
{
	struct user *user = door_user(state);
	char topic[128];
	snprintf(topic, sizeof topic, "%s", topic_of(state, "as_published"));
	subscribe_with(user, (struct skiff_subscription){.filter = topic, .qos = 1, .retain_as_published = true}, 0);
	user_expect(skiff_publish(user->client, topic, "x", 1, 1, true), SKIFF_OK);
	user_publish(user, topic, "y", 1);
	assert_true(watch_await(user->watch, 2, QUICK_MS));
	assert_true(user->watch->message[0].retain);
	assert_false(user->watch->message[1].retain);
	user_expect(skiff_publish(user->client, topic, NULL, 0, 1, true), SKIFF_OK);
	user_free(user);
}

static void retain_handling_is_asked_for(void **state)
{
	struct user *user = door_user(state);
	char topic[128];
	snprintf(topic, sizeof topic, "%s", topic_of(state, "handling"));
	struct skiff_subscription never = {.filter = topic, .qos = 1, .retain_handling = 2};
	struct skiff_subscription if_new = {.filter = topic, .qos = 1, .retain_handling = 1};
	user_expect(skiff_publish(user->client, topic, "kept", 4, 1, true), SKIFF_OK);
	subscribe_with(user, never, 0);
	user_publish(user, topic, "first", 1);
	assert_true(watch_await(user->watch, 1, QUICK_MS));
	assert_string_equal(user->watch->message[0].payload, "first");
	subscribe_with(user, if_new, 0); /* it is there already */
	user_publish(user, topic, "second", 1);
	assert_true(watch_await(user->watch, 2, QUICK_MS));
	assert_string_equal(user->watch->message[1].payload, "second");
	user_expect(skiff_unsubscribe(user->client, topic), SKIFF_OK);
	subscribe_with(user, if_new, 0);
	assert_true(watch_await(user->watch, 3, QUICK_MS));
	assert_string_equal(user->watch->message[2].payload, "kept");
	user_expect(skiff_publish(user->client, topic, NULL, 0, 1, true), SKIFF_OK);
	user_free(user);
}

static void user_properties_come_through(void **state)
{
	struct user *user = door_user(state);
	struct skiff_user_property pairs[] = {{skiff_text("name"), skiff_text("value")},
		{skiff_text("name"), skiff_text("")}, {skiff_text("\xc3\xbc"), skiff_text("\xe2\x82\xac")}};
	struct skiff_properties properties = {.user = pairs, .user_count = 3, .content_type = skiff_text("text/plain")};
	char topic[128];
	snprintf(topic, sizeof topic, "%s", topic_of(state, "properties"));
	struct skiff_message message = {
		.topic = skiff_text(topic), .payload = skiff_text("x"), .qos = 2, .properties = &properties};
	struct skiff_token *token;
	user_subscribe(user, topic, 2);
	assert_int_equal(skiff_publish_message(user->client, &message, &token), SKIFF_OK);
	user_expect(token, SKIFF_OK);
	assert_true(watch_await(user->watch, 1, QUICK_MS));
	assert_string_equal(user->watch->message[0].user, "name=value;name=;\xc3\xbc=\xe2\x82\xac;");
	user_free(user);
}

/* ---- the list ---- */

static unsigned doors = 1u << BROKER_TCP;

static int door_open(void **state)
{
	struct broker_options options = {.kind = kind, .doors = doors};
	(void)state;
	broker = broker_start(&options);
	return 0;
}

static int door_shut(void **state)
{
	(void)state;
	broker_stop(broker);
	return 0;
}

enum { IN_BOTH, IN_5, IN_MOSQUITTO };

static const struct {
	const char *name;
	CMUnitTestFunction run;
	int where;
} door_tests[] = {
	{"connects and tells the way", connects_and_tells_the_way, IN_BOTH},
	{"carries QoS 0 of any size", carries_qos0_of_any_size, IN_BOTH},
	{"carries QoS 1 of any size", carries_qos1_of_any_size, IN_BOTH},
	{"carries QoS 2 of any size", carries_qos2_of_any_size, IN_BOTH},
	{"flow keeps its order", flow_keeps_its_order, IN_BOTH},
	{"many given together keep their order", many_given_together_keep_their_order, IN_BOTH},
	{"retained message greets new subscriber", retained_message_greets_new_subscriber, IN_BOTH},
	{"will follows an abrupt end", will_follows_an_abrupt_end, IN_BOTH},
	{"every matching handler runs", every_matching_handler_runs, IN_BOTH},
	{"unsubscribed handler rests", unsubscribed_handler_rests, IN_BOTH},
	{"shared subscription splits the flow", shared_subscription_splits_the_flow, IN_MOSQUITTO},
	{"system topics are apart", system_topics_are_apart, IN_MOSQUITTO},
	{"subscription ids come back", subscription_ids_come_back, IN_5},
	{"no local keeps own messages away", no_local_keeps_own_messages_away, IN_5},
	{"retain flag as published", retain_flag_as_published, IN_5},
	{"retain handling is asked for", retain_handling_is_asked_for, IN_5},
	{"user properties come through", user_properties_come_through, IN_5},
};

enum { DOOR_TESTS = sizeof door_tests / sizeof *door_tests };

static bool door_test_applies(size_t i, enum skiff_version version)
{
	if (door_tests[i].where == IN_5)
		return version == SKIFF_MQTT_5;
	return door_tests[i].where == IN_BOTH || kind == BROKER_MOSQUITTO;
}

static struct CMUnitTest tests[2 * BROKER_DOORS * DOOR_TESTS];
static size_t test_count;

static void list_tests(const char *door_name, struct way_in *way)
{
	static char names[2 * BROKER_DOORS * DOOR_TESTS][64];
	for (size_t i = 0; i < DOOR_TESTS; i++) {
		if (!door_test_applies(i, way->version))
			continue;
		snprintf(names[test_count], sizeof names[0], "%s, %s: %s", door_name,
			way->version == SKIFF_MQTT_5 ? "5" : "3.1.1", door_tests[i].name);
		tests[test_count] = (struct CMUnitTest){
			.name = names[test_count], .test_func = door_tests[i].run, .initial_state = way};
		test_count++;
	}
}

static size_t index_of(const char *word, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (words[i] && !strcmp(word, words[i]))
			return i;
	fprintf(stderr, "doors: '%s' is none of ours\n", word);
	exit(1);
}

/* Ours work where Paho waits, and one ejabberd serves them all. */
static int run_ways(void)
{
	if (kind == BROKER_EJABBERD) {
		door_open(NULL);
		size_t shares = engine == SKIFF_ENGINE_PAHO ? SHARES : SHARES / 2;
		int failed = shares_run("doors", tests, test_count, shares, NULL, NULL);
		return door_shut(NULL) || failed;
	}
	size_t shares = engine == SKIFF_ENGINE_PAHO ? SHARES : 1;
	return shares_run("doors", tests, test_count, shares, door_open, door_shut);
}

int main(int argc, char **argv)
{
	static const char *const engines[] = {[SKIFF_ENGINE_NATIVE] = "native", [SKIFF_ENGINE_PAHO] = "paho"};
	static const char *const kinds[] = {[BROKER_MOSQUITTO] = "mosquitto", [BROKER_EJABBERD] = "ejabberd"};
	static const char *const names[] = {"tcp", "tls", "mtls", "ws", "wss", "unix"};
	static struct way_in ways[2 * BROKER_DOORS];
	if (argc < 4 || argc > 3 + BROKER_DOORS)
		return 1;
	engine = (enum skiff_engine)index_of(argv[1], engines, sizeof engines / sizeof *engines);
	kind = (enum broker_kind)index_of(argv[2], kinds, sizeof kinds / sizeof *kinds);
	for (int i = 0; i < 2 * (argc - 3); i++) {
		const char *name = argv[3 + i / 2];
		ways[i].door = (enum broker_door)index_of(name, names, sizeof names / sizeof *names);
		ways[i].version = i % 2 ? SKIFF_MQTT_311 : SKIFF_MQTT_5;
		doors |= 1u << ways[i].door;
		list_tests(name, &ways[i]);
	}
	return run_ways();
}
