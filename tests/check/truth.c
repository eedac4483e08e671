/* SPDX-License-Identifier: Apache-2.0 */
/* truth.c: known truths are put in, and must come out: a relay before a real broker is late with the ServerHello, the
 * 101, the CONNACK or every message, and `skiff check` and `skiff compare` show that in this phase alone; and what they
 * say of bytes is what the relay has counted. */
#include "support/broker.h"
#include "support/delay_relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OUTPUT_BYTES = 262144, DELAY_MS = 120, TRIES = 5 };

/* None may be off by more than this, or by 5 % where that is more. */
#ifdef TESTS_SANITIZED
#define NEAR_MS 20.0
#else
#define NEAR_MS 3.0
#endif

static const char *const phases[] = {"tcp", "tls", "websocket", "mqtt"};
enum { TCP, TLS, WEBSOCKET, MQTT, PHASES };

/* mosquitto comes to a new WebSocket in steps of 100 ms; ejabberd does not. */
static struct broker *mosquitto, *ejabberd;

static struct broker *broker_of(enum broker_door door)
{
	return door == BROKER_WS ? ejabberd : mosquitto;
}

/* The output of `skiff WORDS`. */
static void run_skiff(const char *words, char *output)
{
	char command[2048];
	snprintf(command, sizeof command, "%s %s", SKIFF, words);
	FILE *pipe = popen(command, "r");
	assert_non_null(pipe);
	size_t len = fread(output, 1, OUTPUT_BYTES - 1, pipe);
	output[len] = '\0';
	assert_int_equal(pclose(pipe), 0);
}

/* The number behind `"name":` after `from`; -1: null, or there is none. */
static double number_of(const char *from, const char *name)
{
	char key[64];
	snprintf(key, sizeof key, "\"%s\":", name);
	const char *at = from ? strstr(from, key) : NULL;
	return at && strncmp(at + strlen(key), "null", 4) ? strtod(at + strlen(key), NULL) : -1;
}

/* ---- phases ---- */

static void check_phases(enum broker_door door, uint16_t port, double ms[PHASES])
{
	static char output[OUTPUT_BYTES];
	char words[1024], key[64];
	struct skiff_options options = {0};
	const char *scheme = door == BROKER_TCP ? "mqtt" : door == BROKER_TLS ? "mqtts" : "ws";
	broker_use(broker_of(door), door, &options);
	setenv("SKIFF_PASSWORD", "readwrite", 1);
	snprintf(words, sizeof words, "check --json --connect-only %s %s %s %s %s://127.0.0.1:%u",
		options.user_name ? "-u" : "", options.user_name ? options.user_name : "",
		options.tls.ca_file ? "--cafile" : "", options.tls.ca_file ? options.tls.ca_file : "", scheme, port);
	run_skiff(words, output);
	for (int phase = 0; phase < PHASES; phase++) {
		snprintf(key, sizeof key, "\"stage\":\"%s\"", phases[phase]);
		ms[phase] = number_of(strstr(output, key), "ms");
	}
}

/* The least that a phase takes, as the machine and the broker may be slow now and then. */
static void least_phases(enum broker_door door, uint16_t port, double least[PHASES])
{
	double ms[PHASES];
	for (int i = 0; i < TRIES; i++) {
		check_phases(door, port, ms);
		for (int phase = 0; phase < PHASES; phase++)
			if (i == 0 || ms[phase] < least[phase])
				least[phase] = ms[phase];
	}
}

static void expect_delay_in(enum broker_door door, unsigned burst, int late)
{
	double without[PHASES], with[PHASES];
	struct delay_relay *prompt = delay_relay_start(broker_port(broker_of(door), door), burst, 0);
	struct delay_relay *slow = delay_relay_start(broker_port(broker_of(door), door), burst, DELAY_MS);
	least_phases(door, delay_relay_port(prompt), without);
	least_phases(door, delay_relay_port(slow), with);
	delay_relay_stop(prompt);
	delay_relay_stop(slow);
	for (int phase = 0; phase < PHASES; phase++) {
		double more = with[phase] - without[phase], truth = phase == late ? DELAY_MS : 0;
		double allowed = truth * 0.05 > NEAR_MS ? truth * 0.05 : NEAR_MS;
		print_message("    %s: %.1f, %.1f ms\n", phases[phase], without[phase], with[phase]);
		if (more < truth - allowed || more > truth + allowed)
			fail_msg("%s shows %.1f ms of a delay of %.1f", phases[phase], more, truth);
	}
}

static void late_server_hello(void **state)
{
	(void)state;
	expect_delay_in(BROKER_TLS, 1, TLS);
}

static void late_connack(void **state)
{
	(void)state;
	expect_delay_in(BROKER_TCP, 1, MQTT);
}

static void late_connack_in_tls(void **state)
{
	(void)state;
	expect_delay_in(BROKER_TLS, 2, MQTT);
}

static void late_upgrade(void **state)
{
	(void)state;
	expect_delay_in(BROKER_WS, 1, WEBSOCKET);
}

static void late_connack_in_ws(void **state)
{
	(void)state;
	expect_delay_in(BROKER_WS, 2, MQTT);
}

/* ---- round trips and bytes ---- */

static const char *compare_through(struct delay_relay *relay, const char *options)
{
	static char output[OUTPUT_BYTES];
	char words[512];
	snprintf(words, sizeof words, "compare --json %s mqtt://127.0.0.1:%u", options, delay_relay_port(relay));
	run_skiff(words, output);
	return output;
}

static void late_messages(void **state)
{
	(void)state;
	struct delay_relay *relay = delay_relay_start(broker_port(mosquitto, BROKER_TCP), 0, 40);
	const char *output = compare_through(relay, "--rounds 3 --trips 5 --burst 1");
	double p50 = number_of(strstr(output, "\"trip_qos0_us\""), "p50") / 1e3;
	delay_relay_stop(relay);
	print_message("    round trip %.2f ms\n", p50);
	assert_true(p50 >= 40 && p50 <= 40 + NEAR_MS);
}

/* The difference between two runs is that of their bursts, as the rest of them is the same. */
static void bytes_are_counted(void **state)
{
	static const char *const options[] = {
		"--rounds 1 --trips 10 --burst 100 --payload 1000", "--rounds 1 --trips 10 --burst 600 --payload 1000"};
	double bytes[2], told = 0;
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct delay_relay *relay = delay_relay_start(broker_port(mosquitto, BROKER_TCP), 0, 0);
		told = number_of(compare_through(relay, options[i]), "wire_burst_bytes");
		bytes[i] = (double)delay_relay_bytes(relay);
		delay_relay_stop(relay);
	}
	double counted = (bytes[1] - bytes[0]) / (2 * (600 - 100)); /* one round warms up */
	print_message("    %.2f bytes a message, %.2f counted\n", told, counted);
	assert_true(told > 1000 && told == counted);
}

/* A rate of 200 round trips a second, where each takes 20 ms: what is due waits for what is late, and is counted so. */
static void omission_is_counted(void **state)
{
	(void)state;
	struct delay_relay *relay = delay_relay_start(broker_port(mosquitto, BROKER_TCP), 0, 20);
	const char *output = compare_through(relay, "--rounds 1 --trips 20 --burst 1 --rate 200");
	double most = number_of(strstr(output, "\"trip_qos0_us\""), "max") / 1e3;
	delay_relay_stop(relay);
	print_message("    the last of 20 round trips: %.1f ms\n", most);
	assert_true(most >= 20 * 20 - 19 * 5 && most <= 20 * (20 + NEAR_MS) - 19 * 5);
}

static int truth_start(void **state)
{
	(void)state;
	mosquitto = broker_start(
		&(struct broker_options){.kind = BROKER_MOSQUITTO, .doors = 1 << BROKER_TCP | 1 << BROKER_TLS});
	ejabberd = broker_start(&(struct broker_options){.kind = BROKER_EJABBERD, .doors = 1 << BROKER_WS});
	return 0;
}

static int truth_stop(void **state)
{
	(void)state;
	broker_stop(mosquitto);
	broker_stop(ejabberd);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_server_hello),
		cmocka_unit_test(late_connack),
		cmocka_unit_test(late_connack_in_tls),
		cmocka_unit_test(late_upgrade),
		cmocka_unit_test(late_connack_in_ws),
		cmocka_unit_test(late_messages),
		cmocka_unit_test(omission_is_counted),
		cmocka_unit_test(bytes_are_counted),
	};
	return cmocka_run_group_tests(tests, truth_start, truth_stop);
}
