/* SPDX-License-Identifier: Apache-2.0 */
/* paho_facts_flow.c: what Paho by itself does with messages, in both directions and over the end of a connection. Above
 * each fact stands what of the engine relies on it. */
#include "support/bare_paho.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- acknowledgements ---- */

static struct bare_op acknowledged(uint8_t reason)
{
	struct bare_far far = {.ack_reason = reason};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_connected(far_broker_url(broker), MQTTVERSION_5);
	struct bare_op op = {0};
	bare_publish(bare, &op, "t", "x", 1, 1);
	assert_true(bare_reach(reason < 0x80 ? &op.done : &op.failed, 1));
	bare_free(bare);
	far_broker_stop(broker);
	return op;
}

/* capability.c (REASONS): that nobody subscribes is not told. */
static void reason_of_a_good_puback_is_not_told(void **state)
{
	(void)state;
	assert_int_equal(acknowledged(0x10).reason, 0);
}

/* paho_events.c: op_failed takes code 0 with a reason for the broker's refusal. */
static void refusing_puback_is_a_failure_with_code_0_and_a_reason(void **state)
{
	struct bare_op op = acknowledged(0x97);
	(void)state;
	assert_int_equal(op.code, 0);
	assert_int_equal(op.reason, 0x97);
}

/* ---- messages that come ---- */

static void qos2(int version, bool at_publish)
{
	/* QoS 2, DUP, topic "t", packet id 7, payload "x", and for 5 no properties */
	static const char v311[] = {0x3c, 6, 0, 1, 't', 0, 7, 'x'}, v5[] = {0x3c, 7, 0, 1, 't', 0, 7, 0, 'x'};
	bool five = version == MQTTVERSION_5;
	struct bare_far far = {
		.greeting = five ? v5 : v311, .greeting_len = five ? sizeof v5 : sizeof v311, .hold = true};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_connected(far_broker_url(broker), version);
	assert_true(bare_reach(&far.seen[SKIFFI_PUBREC], 1));
	if (at_publish)
		assert_true(bare_reach(&bare->messages, 1));
	else
		assert_true(bare_stays(&bare->messages, 0));
	bare_set(&far.hold, false); /* PUBREL comes */
	assert_true(bare_reach(&far.seen[SKIFFI_PUBCOMP], 1));
	assert_true(bare_reach(&bare->messages, 1));
	assert_string_equal(bare->message[0].payload, "x");
	assert_false(bare->message[0].dup);
	bare_free(bare);
	far_broker_stop(broker);
}

/* paho_engine.c: tells of a message when Paho does; the two versions differ in the moment. capability.c (DUP_QOS2): DUP
 * is taken off. */
static void qos2_is_handed_up_at_pubrel_with_311_and_at_publish_with_5(void **state)
{
	(void)state;
	qos2(MQTTVERSION_3_1_1, false);
	qos2(MQTTVERSION_5, true);
}

/* capability.c: asked_aliases_in refuses to offer aliases. */
static void inbound_topic_alias_is_not_resolved(void **state)
{
	/* QoS 0: topic "a/b" as alias 1, then alias 1 alone */
	static const char two[] = {
		0x30, 10, 0, 3, 'a', '/', 'b', 3, 0x23, 0, 1, '1', 0x30, 7, 0, 0, 3, 0x23, 0, 1, '2'};
	struct bare_far far = {.greeting = two, .greeting_len = sizeof two};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_new(far_broker_url(broker), MQTTVERSION_5);
	MQTTAsync_connectOptions options = bare_options(bare);
	MQTTProperties properties = MQTTProperties_initializer;
	MQTTProperty maximum = {.identifier = MQTTPROPERTY_CODE_TOPIC_ALIAS_MAXIMUM, .value.integer2 = 10};
	(void)state;
	MQTTProperties_add(&properties, &maximum);
	options.connectProperties = &properties;
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_reach(&bare->messages, 2));
	assert_string_equal(bare->message[0].topic, "a/b");
	assert_string_equal(bare->message[1].payload, "2");
	assert_string_equal(bare->message[1].topic, "");
	MQTTProperties_free(&properties);
	bare_free(bare);
	far_broker_stop(broker);
}

/* paho_events.c: skiffi_paho_on_message returns 0 when memory is out. */
static void message_that_is_not_taken_is_acknowledged_and_comes_again(void **state)
{
	/* QoS 1, topic "t", packet id 7, payload "x" */
	static const char message[] = {0x32, 6, 0, 1, 't', 0, 7, 'x'};
	struct bare_far far = {.greeting = message, .greeting_len = sizeof message};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_new(far_broker_url(broker), MQTTVERSION_3_1_1);
	struct bare_op op = {0};
	(void)state;
	bare->refusals = 2;
	bare_connect(bare);
	assert_true(bare_reach(&bare->messages, 2)); /* the second time in the same round */
	assert_true(bare_reach(&far.seen[SKIFFI_PUBACK], 1));
	assert_true(bare_stays(&bare->messages, 2));
	bare_publish(bare, &op, "t", "y", 1, 1); /* its PUBACK is traffic */
	assert_true(bare_reach(&bare->messages, 3));
	assert_string_equal(bare->message[2].payload, "x");
	assert_true(bare_stays(&bare->messages, 3));
	bare_free(bare);
	far_broker_stop(broker);
}

/* ---- over the end of a connection ---- */

/* paho_events.c: op_failed makes DROPPED of it, and the engine decides what comes of the message. */
static void clean_session_fails_what_is_in_flight(void **state)
{
	struct bare_far far = {.drop_at = 1u << SKIFFI_PUBLISH};
	struct far_broker *broker = bare_far_start(&far);
	(void)state;
	for (int version = MQTTVERSION_3_1_1; version <= MQTTVERSION_5; version++) {
		struct bare *bare = bare_connected(far_broker_url(broker), version);
		struct bare_op op = {0};
		bare_publish(bare, &op, "t", "x", 1, 1);
		assert_true(bare_reach(&op.failed, 1));
		assert_int_equal(op.code, MQTTASYNC_OPERATION_INCOMPLETE);
		assert_true(bare_reach(&bare->losts, 1));
		bare_free(bare);
	}
	far_broker_stop(broker);
}

/* paho_requests.c: what Paho had is not handed to it again when the session goes on. */
static void resumed_session_sends_again_and_ends_well(void **state)
{
	struct bare_far drops = {.drop_at = 1u << SKIFFI_PUBLISH, .session_present = true};
	struct far_broker *broker = bare_far_start(&drops);
	struct bare *bare = bare_new(far_broker_url(broker), MQTTVERSION_3_1_1);
	MQTTAsync_connectOptions options = bare_options(bare);
	struct bare_op op = {0};
	(void)state;
	options.cleansession = 0;
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_reach(&bare->ups, 1));
	bare_publish(bare, &op, "t", "x", 1, 1);
	assert_true(bare_reach(&bare->losts, 1));
	assert_int_equal(waiting_value(&op.failed), 0);
	drops.drop_at = 0; /* nothing is connected */
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_reach(&op.done, 1));
	assert_int_equal(waiting_value(&drops.dups), 1);
	assert_int_equal(waiting_value(&drops.seen[SKIFFI_PUBLISH]), 2);
	bare_free(bare);
	far_broker_stop(broker);
}

/* paho_internal.h: each connection without a session to resume has a handle of its own. */
static void queued_message_outlives_a_clean_session(void **state)
{
	struct bare_far far = {.drop_at = 1u << SKIFFI_PUBLISH};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare = bare_new(far_broker_url(broker), MQTTVERSION_3_1_1);
	MQTTAsync_connectOptions options = bare_options(bare);
	struct bare_op first = {0}, second = {0};
	(void)state;
	options.maxInflight = 1;
	bare_set(&far.hold, true);
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_reach(&bare->ups, 1));
	bare_publish(bare, &first, "t", "1", 1, 1);
	bare_publish(bare, &second, "t", "2", 1, 1);
	assert_true(bare_reach(&far.seen[SKIFFI_PUBLISH], 1));
	bare_set(&far.hold, false); /* and it drops the connection */
	assert_true(bare_reach(&first.failed, 1));
	assert_true(bare_reach(&bare->losts, 1));
	assert_int_equal(waiting_value(&second.failed), 0);
	far.drop_at = 0;
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_reach(&second.done, 1));
	assert_int_equal(waiting_value(&far.dups), 0);
	bare_free(bare);
	far_broker_stop(broker);
}

/* ---- threads ---- */

struct publishing {
	struct bare *bare;
	struct bare_op op;
	struct waiting_count returned;
};

static void *publish_apart(void *argument)
{
	struct publishing *publishing = argument;
	bare_publish(publishing->bare, &publishing->op, "t", "x", 1, 1);
	waiting_add(&publishing->returned);
	return NULL;
}

/* paho_events.c: callbacks copy, post and return; paho_worker.c: no other thread of ours calls Paho. */
static void slow_callback_of_one_client_stops_calls_for_another(void **state)
{
	static const char message[] = {0x30, 4, 0, 1, 't', 'x'};
	struct bare_far sends = {.greeting = message, .greeting_len = sizeof message}, serves = {0};
	struct far_broker *sender = bare_far_start(&sends), *server = bare_far_start(&serves);
	struct publishing other = {.bare = bare_connected(far_broker_url(server), MQTTVERSION_3_1_1)};
	struct bare *slow = bare_new(far_broker_url(sender), MQTTVERSION_3_1_1);
	pthread_t thread;
	(void)state;
	slow->holding = true;
	bare_connect(slow);
	assert_true(bare_reach(&slow->inside, 1));
	assert_int_equal(pthread_create(&thread, NULL, publish_apart, &other), 0);
	assert_true(bare_stays(&other.returned, 0));
	assert_int_equal(waiting_value(&serves.seen[SKIFFI_PUBLISH]), 0);
	bare_set(&slow->holding, false);
	assert_true(bare_reach(&other.op.done, 1));
	pthread_join(thread, NULL);
	bare_free(slow);
	bare_free(other.bare);
	far_broker_stop(sender);
	far_broker_stop(server);
}

/* How many threads of this process have a name that begins so. */
static unsigned threads_named(const char *begins)
{
	unsigned count = 0;
	char path[300], name[32] = "";
	DIR *tasks = opendir("/proc/self/task");
	assert_non_null(tasks);
	for (struct dirent *task; (task = readdir(tasks));) {
		snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
		FILE *file = *task->d_name == '.' ? NULL : fopen(path, "r");
		if (file && fgets(name, sizeof name, file))
			count += !strncmp(name, begins, strlen(begins));
		if (file)
			fclose(file);
	}
	closedir(tasks);
	return count;
}

/* paho_internal.h: Paho's two threads serve every link. */
static void all_clients_share_two_threads(void **state)
{
	struct bare_far far = {0};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *one = bare_connected(far_broker_url(broker), MQTTVERSION_3_1_1);
	struct bare *two = bare_connected(far_broker_url(broker), MQTTVERSION_5);
	(void)state;
	assert_int_equal(threads_named("MQTTAsync_send\n"), 1);
	assert_int_equal(threads_named("MQTTAsync_rcv\n"), 1);
	assert_int_equal(threads_named("MQTTAsync"), 2);
	bare_free(one);
	bare_free(two);
	far_broker_stop(broker);
}

/* ---- QoS 0 ---- */

enum { LARGE_BYTES = 16 * 1024 * 1024 };

/* paho_requests.c: the outcome of QoS 0 means that it was written; what is unsent counts until then. */
static void qos0_is_done_when_all_is_written(void **state)
{
	struct bare_far far = {0};
	struct far_broker *broker = bare_far_start(&far);
	struct bare *bare;
	struct bare_op small = {0}, large = {0};
	char *payload = calloc(1, LARGE_BYTES);
	(void)state;
	far.hold_reading = true;
	bare = bare_connected(far_broker_url(broker), MQTTVERSION_3_1_1);
	bare_publish(bare, &small, "t", "x", 1, 0);
	assert_true(bare_reach(&small.done, 1)); /* nobody has read it yet */
	assert_int_equal(waiting_value(&far.seen[SKIFFI_PUBLISH]), 0);
	bare_publish(bare, &large, "t", payload, LARGE_BYTES, 0);
	assert_true(bare_stays(&large.done, 0));
	bare_set(&far.hold_reading, false);
	assert_true(bare_reach(&large.done, 1));
	assert_true(bare_reach(&far.seen[SKIFFI_PUBLISH], 2));
	bare_free(bare);
	far_broker_stop(broker);
	free(payload);
}

static int start(void **state)
{
	(void)state;
	bare_start();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reason_of_a_good_puback_is_not_told),
		cmocka_unit_test(refusing_puback_is_a_failure_with_code_0_and_a_reason),
		cmocka_unit_test(qos2_is_handed_up_at_pubrel_with_311_and_at_publish_with_5),
		cmocka_unit_test(inbound_topic_alias_is_not_resolved),
		cmocka_unit_test(message_that_is_not_taken_is_acknowledged_and_comes_again),
		cmocka_unit_test(clean_session_fails_what_is_in_flight),
		cmocka_unit_test(resumed_session_sends_again_and_ends_well),
		cmocka_unit_test(queued_message_outlives_a_clean_session),
		cmocka_unit_test(slow_callback_of_one_client_stops_calls_for_another),
		cmocka_unit_test(all_clients_share_two_threads),
		cmocka_unit_test(qos0_is_done_when_all_is_written),
	};
	return cmocka_run_group_tests_name("paho_facts_flow", tests, start, NULL);
}
