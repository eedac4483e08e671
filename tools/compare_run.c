/* SPDX-License-Identifier: Apache-2.0 */
/* compare_run.c: measures doors in rounds: every door once, then again, so that what disturbs the machine disturbs all.
 *
 * A round at a door: connect with a full TLS handshake; subscribe to a topic of its own; round trips at QoS 0 and at
 * QoS 1, publish to echo; a burst of messages and the last of them back; disconnect; connect again, where TLS may
 * resume the session. The first round warms up and is not counted. Round trips follow one another, each sent when the
 * one before is back; with a rate they are due at fixed times and counted from then, so that one that is late makes
 * those behind it late as well instead of hiding them (coordinated omission). */
#include "cli_event.h"
#include "compare_report.h"
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <skiff/log.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { RUN_LIMIT_MS = 10000, RUN_GRACE_MS = 1000, RUN_TOPIC_BYTES = 48 };

struct round {
	const struct compare_report *report;
	struct compare_door *door;
	struct skiff_client *client;
	char topic[RUN_TOPIC_BYTES];
	char *payload;
	struct cli_event arrived;
	double arrived_us;
	size_t wanted, seen; /* of a burst; by the I/O thread */
	bool counts;         /* not the round that warms up */
};

static double run_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double run_cpu_us(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static double run_heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();
	return (double)info.uordblks + (double)info.hblkhd;
}

/* ---- connections ---- */

static struct skiff_client *door_client(struct compare_door *door, const struct skiff_tls_options *tls)
{
	struct skiff_options options = {.url = door->url,
		.engine = door->engine,
		.address = *door->address ? door->address : NULL,
		.user_name = door->user_name,
		.password = door->password,
		.reconnect.off = true,
		.queue.full = SKIFF_FULL_WAIT,
		.tls = *tls};
	return skiff_client_new(&options, &door->outcome);
}

static void phases_add(struct compare_sample *samples, const struct skiff_phases *phases)
{
	const int64_t us[COMPARE_PHASES] = {phases->dns_us, phases->tcp_us, phases->tls_us, phases->websocket_us,
		phases->mqtt_us, phases->total_us};
	for (int i = 0; i < COMPARE_PHASES; i++)
		if (us[i] >= 0)
			compare_sample_add(&samples[i], (double)us[i] / 1e3);
}

/* The address that the first connection found is used by all that follow. */
static void door_keep_address(struct compare_door *door, const struct skiff_connection *seen)
{
	char copy[sizeof(seen->address)];
	snprintf(copy, sizeof(copy), "%s", seen->address);
	char *start = copy[0] == '[' ? copy + 1 : copy, *end = copy[0] == '[' ? strchr(start, ']') : strrchr(copy, ':');
	if (*door->address || door->place.local || door->engine == SKIFF_ENGINE_PAHO || !end)
		return;
	*end = '\0';
	snprintf(door->address, sizeof(door->address), "%.63s", start);
}

static bool door_connect(struct round *round, struct compare_sample *phases)
{
	struct compare_door *door = round->door;
	struct skiff_connection seen;
	struct skiff_token *token = skiff_connect(round->client);
	skiff_token_wait(token, -1);
	door->outcome = *skiff_token_error(token);
	skiff_token_free(token);
	skiff_client_connection(round->client, &seen);
	if (door->outcome.code != SKIFF_OK)
		return false;
	door_keep_address(door, &seen);
	snprintf(door->tls_version, sizeof(door->tls_version), "%s", seen.tls_version);
	if (round->counts && phases && (phases == door->full || seen.tls_resumed))
		phases_add(phases, &seen.phases);
	return true;
}

static bool door_result(struct compare_door *door, struct skiff_token *token)
{
	enum skiff_code code = skiff_token_wait(token, RUN_LIMIT_MS);
	if (code != SKIFF_OK) {
		door->outcome = *skiff_token_error(token);
		door->outcome.code = code;
	}
	skiff_token_free(token);
	return code == SKIFF_OK;
}

/* ---- round trips ---- */

static void round_on_message(struct skiff_client *client, const struct skiff_message *message, void *user)
{
	struct round *round = user;
	(void)client;
	(void)message;
	if (++round->seen < round->wanted)
		return;
	round->arrived_us = run_now_us();
	cli_event_set(&round->arrived);
}

static bool round_await(struct round *round)
{
	struct skiff_error *outcome = &round->door->outcome;
	if (cli_event_wait(&round->arrived, RUN_LIMIT_MS))
		return true;
	outcome->code = SKIFF_TIMEOUT;
	snprintf(outcome->text, sizeof(outcome->text), "a message did not come back within %d ms", RUN_LIMIT_MS);
	return false;
}

static void round_sleep_until(double due_us)
{
	struct timespec due = {(time_t)(due_us / 1e6), (long)(due_us - floor(due_us / 1e6) * 1e6) * 1000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
}

static bool round_trip(struct round *round, int qos, double from_us, struct compare_sample *mine)
{
	struct skiff_message message = {.topic = skiff_text(round->topic),
		.payload = {round->payload, round->report->payload_len},
		.qos = (uint8_t)qos};
	round->wanted = 1;
	round->seen = 0;
	round->door->outcome.code = skiff_publish_message(round->client, &message, NULL);
	return round->door->outcome.code == SKIFF_OK && round_await(round) &&
	       compare_sample_add(mine, round->arrived_us - from_us);
}

static bool round_trips(struct round *round, int qos)
{
	struct compare_door *door = round->door;
	struct compare_sample mine = {0};
	struct skiff_connection before, after;
	struct skiff_statistics counted[2];
	skiff_client_connection(round->client, &before);
	skiff_client_statistics(round->client, &counted[0]);
	double rate = round->report->rate, begun_us = run_now_us();
	bool ok = true;
	for (size_t i = 0; ok && i < round->report->trips; i++) {
		double due_us = run_now_us();
		if (rate > 0) {
			due_us = begun_us + (double)i * 1e6 / rate;
			round_sleep_until(due_us);
		}
		ok = round_trip(round, qos, due_us, &mine);
	}
	skiff_client_connection(round->client, &after);
	skiff_client_statistics(round->client, &counted[1]);
	double wire = (double)(after.wire_bytes_out - before.wire_bytes_out);
	if (ok && round->counts && qos == 0) {
		door->mqtt_bytes = (double)(counted[1].bytes_out - counted[0].bytes_out) / (double)mine.count;
		if (wire > 0)
			compare_sample_add(&door->wire_alone, wire / (double)mine.count);
	}
	for (size_t i = 0; ok && round->counts && i < mine.count; i++)
		ok = compare_sample_add(&door->trip[qos], mine.values[i]);
	if (ok && round->counts)
		door->round_trip_us[qos][door->rounds] = compare_sample_at(&mine, 0.5);
	compare_sample_free(&mine);
	return ok;
}

/* ---- a burst ---- */

static void burst_count(struct round *round, double sent_us, double back_us, double wire, double cpu_us)
{
	struct compare_door *door = round->door;
	double n = (double)round->report->burst;
	if (!round->counts)
		return;
	compare_sample_add(&door->out_rate, n / sent_us * 1e6);
	compare_sample_add(&door->in_rate, n / back_us * 1e6);
	if (wire > 0)
		compare_sample_add(&door->wire_burst, wire / n);
	compare_sample_add(&door->cpu_us, cpu_us / n);
}

/* All at once, and back. What the client writes is counted with TLS records and frames; one more round trip before that
 * sees the acknowledgements of those at QoS 1 off. */
static bool round_burst(struct round *round)
{
	struct skiff_connection before, after;
	struct compare_door *door = round->door;
	struct skiff_message message = {
		.topic = skiff_text(round->topic), .payload = {round->payload, round->report->payload_len}};
	struct compare_sample before_it = {0};
	size_t n = round->report->burst;
	bool ready = round_trip(round, 0, 0, &before_it);
	compare_sample_free(&before_it);
	if (!ready)
		return false;
	round->wanted = n;
	round->seen = 0;
	skiff_client_connection(round->client, &before);
	double cpu_us = run_cpu_us(), begun_us = run_now_us();
	for (size_t i = 0; i < n && door->outcome.code == SKIFF_OK; i++)
		door->outcome.code = skiff_publish_message(round->client, &message, NULL);
	if (door->outcome.code == SKIFF_OK)
		door->outcome.code = skiff_flush(round->client, RUN_LIMIT_MS);
	double sent_us = run_now_us() - begun_us;
	if (door->outcome.code != SKIFF_OK || !round_await(round))
		return false;
	double back_us = round->arrived_us - begun_us;
	cpu_us = run_cpu_us() - cpu_us;
	skiff_client_connection(round->client, &after);
	burst_count(round, sent_us, back_us, (double)(after.wire_bytes_out - before.wire_bytes_out), cpu_us);
	return true;
}

/* ---- rounds ---- */

static void round_resume(struct round *round)
{
	struct compare_door *door = round->door;
	skiff_wait(skiff_disconnect(round->client, RUN_GRACE_MS, NULL), 2 * RUN_GRACE_MS);
	if (!door->place.tls || door->engine == SKIFF_ENGINE_PAHO || !door_connect(round, door->resumed))
		return;
	skiff_wait(skiff_disconnect(round->client, RUN_GRACE_MS, NULL), 2 * RUN_GRACE_MS);
}

static bool round_measure(struct round *round)
{
	struct compare_door *door = round->door;
	double heap = run_heap_bytes();
	round->client = door_client(door, &door->tls);
	if (!round->client || !door_connect(round, door->full))
		return false;
	if (!door_result(door, skiff_subscribe(round->client, round->topic, 1, round_on_message, round)))
		return false;
	heap = run_heap_bytes() - heap;
	if (heap > 0 && (!door->memory_bytes || heap < door->memory_bytes)) /* the first pays for what is shared */
		door->memory_bytes = heap;
	if (!round_trips(round, 0) || !round_trips(round, 1) || !round_burst(round))
		return false;
	round_resume(round);
	door->rounds += round->counts;
	return true;
}

static bool round_run(const struct compare_report *report, struct compare_door *door, char *payload, bool counts)
{
	struct round round = {.report = report, .door = door, .payload = payload, .counts = counts};
	unsigned char random[16];
	if (getentropy(random, sizeof(random)) != 0)
		return false;
	cli_event_init(&round.arrived);
	strcpy(round.topic, "skiff/compare/");
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(round.topic + 14 + 2 * i, 3, "%02x", random[i]);
	bool ok = round_measure(&round);
	skiff_client_free(round.client);
	cli_event_destroy(&round.arrived);
	return ok;
}

/* ---- the whole ---- */

/* Whether the door refuses a client without the certificate, as it should. */
static void door_try_bare(const struct compare_report *report, struct compare_door *door)
{
	struct round round = {.report = report, .door = door};
	struct skiff_tls_options tls = door->tls;
	tls.cert_file = tls.key_file = NULL;
	round.client = door_client(door, &tls);
	if (round.client)
		door_connect(&round, NULL);
	skiff_client_free(round.client);
	door->bare = door->outcome;
	door->outcome = (struct skiff_error){0};
}

static void door_judge(struct compare_report *report, struct compare_door *door)
{
	const char *wanted = door->expect ? door->expect : "ok";
	bool refused = !door->asks_certificate || door->bare.code == SKIFF_TLS_CLIENT_CERT_REQUIRED;
	door->as_expected = refused && strcmp(skiff_code_slug(door->outcome.code), wanted) == 0;
	if (!door->as_expected && !*door->lacks)
		report->exit_code = CLI_EXIT_EXPECTATION;
}

static void run_progress(const struct compare_report *report, const struct compare_door *door, size_t round)
{
	fprintf(stderr, "\r\033[Kround %zu of %zu, %s", round, report->rounds, door->name);
	fflush(stderr);
}

void compare_run(struct compare_report *report, bool progress)
{
	char *payload = calloc(1, report->payload_len + 1);
	if (!payload) {
		report->exit_code = CLI_EXIT_FAILURE;
		return;
	}
	memset(payload, 'x', report->payload_len);
	skiff_log_set(SKIFF_LOG_NONE, NULL, NULL);
	for (size_t i = 0; i < report->count; i++) {
		check_place_read(&report->doors[i].place, report->doors[i].url);
		if (report->doors[i].asks_certificate && !*report->doors[i].lacks)
			door_try_bare(report, &report->doors[i]);
	}
	for (size_t round = 0; round <= report->rounds; round++) {
		for (size_t i = 0; i < report->count; i++) {
			struct compare_door *door = &report->doors[i];
			if (*door->lacks || door->outcome.code != SKIFF_OK)
				continue;
			if (progress)
				run_progress(report, door, round);
			round_run(report, door, payload, round > 0);
		}
	}
	if (progress)
		fputs("\r\033[K", stderr);
	for (size_t i = 0; i < report->count; i++)
		door_judge(report, &report->doors[i]);
	free(payload);
}
