/* SPDX-License-Identifier: Apache-2.0 */
/* truth.c: known truths are put in, and must come out: a relay before a real broker is late with the connection, the
 * ServerHello, the 101, the CONNACK or every message, and `skiff check` and `skiff compare` show that in this phase
 * alone; rates are the relay's, and what they say of bytes is what it has counted. */
#include "support/broker.h"
#include "support/delay_relay.h"
#include "support/skiff_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OUTPUT_BYTES = 262144, DELAY_MS = 120, ACCEPT_MS = 600, RATE = 250000, TRIES = 5, CHANCES = 3 };

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

/* The output of `skiff WORDS`, which must succeed. */
static void run_skiff(const char *words, char *output)
{
	assert_int_equal(skiff_run(words, output, OUTPUT_BYTES), 0);
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

/* The phase that is off by more than is allowed, or PHASES. */
static int phase_off(const double without[PHASES], const double with[PHASES], int late)
{
	int off = PHASES;
	for (int phase = 0; phase < PHASES; phase++) {
		double more = with[phase] - without[phase], truth = phase == late ? DELAY_MS : 0;
		double allowed = truth * 0.05 > NEAR_MS ? truth * 0.05 : NEAR_MS;
		print_message("    %s: %.1f, %.1f ms\n", phases[phase], without[phase], with[phase]);
		if (more < truth - allowed || more > truth + allowed)
			off = phase;
	}
	return off;
}

/* A machine that was busy for the whole of it gets another chance; what is wrong is so each time. */
static void expect_delay_in(enum broker_door door, unsigned burst, int late)
{
	double without[PHASES], with[PHASES];
	struct delay_relay_options options = {.port = broker_port(broker_of(door), door), .burst = burst};
	struct delay_relay *prompt = delay_relay_start(&options);
	options.delay_ms = DELAY_MS;
	struct delay_relay *slow = delay_relay_start(&options);
	int off = PHASES;
	for (int i = 0; i < CHANCES && (i == 0 || off < PHASES); i++) {
		least_phases(door, delay_relay_port(prompt), without);
		least_phases(door, delay_relay_port(slow), with);
		off = phase_off(without, with, late);
	}
	delay_relay_stop(prompt);
	delay_relay_stop(slow);
	if (off < PHASES)
		fail_msg("%s shows %.1f ms of a delay of %d", phases[off], with[off] - without[off],
			off == late ? DELAY_MS : 0);
}

/* Who gets no answer to a SYN sends it again after a second [RFC 6298, 2.1], as soon as the timer of the kernel runs.
 */
static void late_accept(void **state)
{
	double ms[PHASES];
	(void)state;
	struct delay_relay *relay = delay_relay_start(
		&(struct delay_relay_options){.port = broker_port(mosquitto, BROKER_TCP), .accept_ms = ACCEPT_MS});
	check_phases(BROKER_TCP, delay_relay_port(relay), ms);
	delay_relay_stop(relay);
	print_message("    tcp: %.1f, mqtt: %.1f ms\n", ms[TCP], ms[MQTT]);
	assert_true(ms[TCP] >= 1000 && ms[TCP] <= 1050);
	assert_true(ms[MQTT] < 100);
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

static struct delay_relay *relay_to_mosquitto(struct delay_relay_options options)
{
	options.port = broker_port(mosquitto, BROKER_TCP);
	return delay_relay_start(&options);
}

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
	struct delay_relay *relay = relay_to_mosquitto((struct delay_relay_options){.delay_ms = 40});
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
	double out[2], back[2], told_out = 0, told_back = 0;
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct delay_relay *relay = relay_to_mosquitto((struct delay_relay_options){0});
		const char *output = compare_through(relay, options[i]);
		told_out = number_of(output, "wire_burst_bytes");
		told_back = number_of(output, "wire_burst_back_bytes");
		out[i] = (double)delay_relay_bytes_out(relay);
		back[i] = (double)delay_relay_bytes_back(relay);
		delay_relay_stop(relay);
	}
	/* one round warms up; in each are two bursts outward, of which one comes back */
	double counted_out = (out[1] - out[0]) / (2 * 2 * (600 - 100)), counted_back = (back[1] - back[0]) / (2 * 500);
	print_message("    %.2f bytes out, %.2f counted; %.2f back, %.2f counted\n", told_out, counted_out, told_back,
		counted_back);
	assert_true(told_out > 1000 && told_out == counted_out);
	assert_true(told_back > 1000 && told_back == counted_back);
}

static void rate_is_the_far_ends(void **state)
{
	(void)state;
	struct delay_relay *relay = relay_to_mosquitto((struct delay_relay_options){.rate = RATE});
	const char *output = compare_through(relay, "--rounds 1 --trips 1 --burst 500 --payload 1000");
	double out = number_of(output, "out_per_s") * number_of(output, "wire_burst_bytes");
	double back = number_of(output, "back_per_s") * number_of(output, "wire_burst_back_bytes");
	delay_relay_stop(relay);
	print_message("    %.0f bytes a second out, %.0f back, of %d\n", out, back, RATE);
	assert_true(out >= RATE * 0.95 && out <= RATE * 1.05);
	assert_true(back >= RATE * 0.95 && back <= RATE * 1.05);
}

/* A rate of 200 round trips a second, where each takes 20 ms: what is due waits for what is late, and is counted so. */
static void omission_is_counted(void **state)
{
	(void)state;
	struct delay_relay *relay = relay_to_mosquitto((struct delay_relay_options){.delay_ms = 20});
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
		cmocka_unit_test(late_accept),
		cmocka_unit_test(late_server_hello),
		cmocka_unit_test(late_connack),
		cmocka_unit_test(late_connack_in_tls),
		cmocka_unit_test(late_upgrade),
		cmocka_unit_test(late_connack_in_ws),
		cmocka_unit_test(late_messages),
		cmocka_unit_test(omission_is_counted),
		cmocka_unit_test(bytes_are_counted),
		cmocka_unit_test(rate_is_the_far_ends),
	};
	return cmocka_run_group_tests(tests, truth_start, truth_stop);
}
