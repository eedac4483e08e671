/* SPDX-License-Identifier: Apache-2.0 */
/* brokers.c: `skiff check` and `skiff compare` at a real broker of KIND: every door opens and is measured; where it
 * speaks MQTT 3.1.1 only, that is found, and what the remedy says helps. */
#include "support/broker.h"
#include "support/skiff_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OUTPUT_BYTES = 1 << 20, WORDS_BYTES = 2048 };

#define TCP_ONLY (1 << BROKER_TCP)
#define FOUR     (1 << BROKER_TCP | 1 << BROKER_TLS | 1 << BROKER_WS | 1 << BROKER_WSS)

static const struct {
	unsigned doors;
	bool old; /* speaks 3.1.1 only */
} kinds[] = {
	[BROKER_MOSQUITTO] = {FOUR | 1 << BROKER_MTLS | 1 << BROKER_UNIX, false},
	[BROKER_EJABBERD] = {FOUR, false},
	[BROKER_NATS] = {TCP_ONLY, true},
	[BROKER_RABBITMQ] = {FOUR, true},
	[BROKER_AEDES] = {FOUR, true},
};

static struct broker *broker;

/* The words for options of a client. */
static void words_for(char *words, const struct skiff_options *options)
{
	const char *pairs[][2] = {{"-u", options->user_name}, {"--cafile", options->tls.ca_file},
		{"--cert", options->tls.cert_file}, {"--key", options->tls.key_file}};
	words[0] = '\0';
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (pairs[i][1])
			snprintf(
				words + strlen(words), WORDS_BYTES - strlen(words), " %s %s", pairs[i][0], pairs[i][1]);
	if (options->user_name)
		setenv("SKIFF_PASSWORD", options->password.data, 1);
}

static int check(enum broker_door door, const char *more, char *output)
{
	char words[WORDS_BYTES], all[2 * WORDS_BYTES];
	struct skiff_options options = {0};
	broker_use(broker, door, &options);
	words_for(words, &options);
	snprintf(all, sizeof all, "check --json%s %s %s", words, more, options.url);
	return skiff_run(all, output, OUTPUT_BYTES);
}

static char output[OUTPUT_BYTES];

static void every_door_opens(void **state)
{
	(void)state;
	for (int door = 0; door < BROKER_DOORS; door++) {
		if (!(kinds[KIND].doors >> door & 1))
			continue;
		int code = check((enum broker_door)door, kinds[KIND].old ? "-V 311" : "", output);
		if (code || !strstr(output, "\"failure\":null"))
			fail_msg("%s: exit code %d: %s", broker_url(broker, (enum broker_door)door), code, output);
	}
}

static void versions_are_told(void **state)
{
	(void)state;
	assert_int_equal(
		check(BROKER_TCP, kinds[KIND].old ? "-V 311 --mqtt-version all" : "--mqtt-version all", output), 0);
	assert_non_null(strstr(output, "\"version\":\"3.1.1\",\"accepted\":true"));
	assert_non_null(strstr(output,
		kinds[KIND].old ? "\"version\":\"5\",\"accepted\":false" : "\"version\":\"5\",\"accepted\":true"));
}

/* The remedy for a version that is refused names '-V 311', which every_door_opens follows. */
static void version_is_found(void **state)
{
	(void)state;
	assert_int_equal(check(BROKER_TCP, "", output), kinds[KIND].old ? 16 : 0);
	if (!kinds[KIND].old) {
		assert_non_null(strstr(output, "MQTT 5, client id"));
		return;
	}
	if (!strstr(output, "\"cause\":\"mqtt-version\"") || !strstr(output, "skiff check -V 311 "))
		fail_msg("%s", output);
}

static void doors_are_compared(void **state)
{
	char words[WORDS_BYTES] = "", mine[WORDS_BYTES], all[2 * WORDS_BYTES];
	size_t doors = 0, ok = 0;
	(void)state;
	snprintf(all, sizeof all, "compare --json --rounds 3 --trips 10 --burst 50 --mqtt-version %s",
		kinds[KIND].old ? "311" : "5,311");
	for (int door = 0; door < BROKER_DOORS; door++) {
		struct skiff_options options = {0};
		if (!(kinds[KIND].doors >> door & 1))
			continue;
		broker_use(broker, (enum broker_door)door, &options);
		words_for(mine, &options);
		if (strlen(mine) > strlen(words)) /* those of one door are options for all */
			memcpy(words, mine, sizeof words);
		snprintf(all + strlen(all), sizeof all - strlen(all), " %s", options.url);
		doors += kinds[KIND].old ? 1 : 2;
	}
	snprintf(all + strlen(all), sizeof all - strlen(all), "%s", words);
	int code = skiff_run(all, output, sizeof output);
	for (const char *at = output; (at = strstr(at, "\"outcome\":\"ok\"")); at++)
		ok++;
	if (code || ok != doors)
		fail_msg("%zu of %zu doors, exit code %d: %s", ok, doors, code, output);
}

static int brokers_start(void **state)
{
	(void)state;
	broker = broker_start(&(struct broker_options){.kind = KIND, .doors = kinds[KIND].doors});
	return 0;
}

static int brokers_stop(void **state)
{
	(void)state;
	broker_stop(broker);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_door_opens),
		cmocka_unit_test(versions_are_told),
		cmocka_unit_test(version_is_found),
		cmocka_unit_test(doors_are_compared),
	};
	return cmocka_run_group_tests(tests, brokers_start, brokers_stop);
}
