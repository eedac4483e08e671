/* SPDX-License-Identifier: Apache-2.0 */
/* compare_run.c: measures doors in rounds: every door once, then again, so that what disturbs the machine disturbs all.
 *
 * A round at a door: connect with a full TLS handshake; subscribe to a topic of its own; round trips at each QoS,
 * publish to echo; a burst of messages that nobody gets, and the echo of one behind them: the rate outward; a burst and
 * all of it back; disconnect; connect again, where TLS may resume the session. The first
 * round warms up and is not counted; it looks each name up, and the others go to the address found. Round trips follow
 * one another, each sent when the one before is back; with a rate they are due at fixed times and counted from then, so
 * that one that is late makes those behind it late as well instead of hiding them (coordinated omission). */
#include "cli_event.h"
#include "cli_exit.h"
#include "cli_stop.h"
#include "compare_report.h"
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { RUN_LIMIT_MS = 10000, RUN_GRACE_MS = 1000, RUN_TOPIC_BYTES = 48 };

struct round {
	struct compare_report *report;
	struct compare_door *door;
	struct skiff_client *client;
	char topic[RUN_TOPIC_BYTES];
	char *payload;
	struct cli_event arrived;
	double arrived_us;   /* the last that was wanted */
	size_t wanted, seen; /* by the I/O thread */
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

/* ---- addresses ---- */

static struct compare_host *run_host(struct compare_report *report, const struct compare_door *door)
{
	for (size_t i = 0; i < report->host_count; i++)
		if (strcmp(report->hosts[i].name, door->place.host) == 0)
			return &report->hosts[i];
	return NULL;
}

/* Paho looks names up itself, and so does a proxy. */
static bool door_takes_address(const struct compare_door *door)
{
	const struct skiff_options *options = &door->options;
	return !door->place.local && !options->proxy && !options->proxy_environment &&
	       options->engine != SKIFF_ENGINE_PAHO;
}

/* The address to go to: the one before, else what another door of that name found; NULL: look it up. */
static const char *door_address(struct compare_report *report, const struct compare_door *door)
{
	const struct compare_host *host = run_host(report, door);
	if (!door_takes_address(door))
		return NULL;
	return *door->address ? door->address : host ? host->address : NULL;
}

/* Keeps where a connection went to, for the rounds and the doors that follow. */
static void door_keep_address(struct round *round, const struct skiff_connection *seen)
{
	struct compare_report *report = round->report;
	struct compare_door *door = round->door;
	char copy[sizeof(seen->address)];
	snprintf(copy, sizeof(copy), "%s", seen->address);
	char *start = copy[0] == '[' ? copy + 1 : copy, *end = copy[0] == '[' ? strchr(start, ']') : strrchr(copy, ':');
	if (door->place.local || !end)
		return;
	*end = '\0';
	snprintf(door->address, sizeof(door->address), "%.63s", start);
	if (!door_takes_address(door) || run_host(report, door))
		return;
	struct compare_host *host = &report->hosts[report->host_count++];
	snprintf(host->name, sizeof(host->name), "%s", door->place.host);
	snprintf(host->address, sizeof(host->address), "%s", door->address);
	host->ms = (double)seen->phases.dns_us / 1e3;
}

/* ---- connections ---- */

static struct skiff_client *door_client(struct compare_door *door, const char *address)
{
	struct skiff_options options = door->options;
	options.url = door->url;
	options.address = address;
	options.reconnect.off = true;
	options.queue.full = SKIFF_FULL_WAIT;
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
	door_keep_address(round, &seen);
	door->maximum_qos = seen.maximum_qos;
	if (round->counts && phases && (phases == door->full || seen.tls_resumed))
		phases_add(phases, &seen.phases);
	if (phases == door->full)
		door->each[COMPARE_EACH_SETUP][door->rounds] = (double)seen.phases.total_us / 1e3;
	return true;
}

/* A door that the address of another door does not have is looked up by its own. */
static bool door_open(struct round *round)
{
	struct compare_door *door = round->door;
	const char *address = door_address(round->report, door);
	round->client = door_client(door, address);
	if (round->client && door_connect(round, door->full))
		return true;
	if (!round->client || !address || address == door->address ||
		skiff_code_class(door->outcome.code) != SKIFF_CLASS_TCP)
		return false;
	skiff_client_free(round->client);
	round->client = door_client(door, NULL);
	return round->client && door_connect(round, door->full);
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

static void round_expect(struct round *round, size_t messages)
{
	round->wanted = messages;
	round->seen = 0;
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

static bool round_publish(struct round *round, const char *topic, int qos)
{
	struct skiff_message message = {.topic = skiff_text(topic),
		.payload = {round->payload, round->report->payload_len},
		.qos = (uint8_t)qos};
	enum skiff_code code = skiff_publish_message(round->client, &message, NULL);
	if (code != SKIFF_OK) {
		skiff_client_error(round->client, &round->door->outcome);
		round->door->outcome.code = code;
	}
	return code == SKIFF_OK;
}

static void round_sleep_until(double due_us)
{
	struct timespec due = {(time_t)(due_us / 1e6), (long)(due_us - floor(due_us / 1e6) * 1e6) * 1000};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
}

static bool round_trip(struct round *round, int qos)
{
	round_expect(round, 1);
	return round_publish(round, round->topic, qos) && round_await(round);
}

static bool round_trips_time(struct round *round, int qos, struct compare_sample *mine)
{
	double rate = round->report->rate, begun_us = run_now_us();
	bool ok = true;
	for (size_t i = 0; ok && i < round->report->trips; i++) {
		double due_us = run_now_us();
		if (rate > 0) {
			due_us = begun_us + (double)i * 1e6 / rate;
			round_sleep_until(due_us);
		}
		ok = round_trip(round, qos) && compare_sample_add(mine, round->arrived_us - due_us);
	}
	return ok;
}

/* ---- bytes ---- */

/* What was counted at a moment. */
struct tally {
	double wire_out, wire_back, mqtt_out;
};

static struct tally round_tally(struct round *round)
{
	struct skiff_connection seen;
	struct skiff_statistics counted;
	skiff_client_connection(round->client, &seen);
	skiff_client_statistics(round->client, &counted);
	return (struct tally){(double)seen.wire_bytes_out, (double)seen.wire_bytes_in, (double)counted.bytes_out};
}

/* Adds what came since `before` for each of `count` messages, where the engine can tell. */
static void tally_add(struct compare_sample *out, struct compare_sample *back, const struct tally *before,
	const struct tally *after, size_t count)
{
	if (after->wire_out <= before->wire_out)
		return;
	compare_sample_add(out, (after->wire_out - before->wire_out) / (double)count);
	compare_sample_add(back, (after->wire_back - before->wire_back) / (double)count);
}

/* Some that are not counted: the first after a pause, or after another door, take longer. */
static bool round_trips_lead(struct round *round, int qos)
{
	bool ok = true;
	for (size_t i = 0; ok && i <= round->report->trips / 10; i++)
		ok = round_trip(round, qos);
	return ok;
}

/* The round trips of one QoS, with what they took on the wire at the least one. */
static bool round_trips(struct round *round, int qos)
{
	struct compare_door *door = round->door;
	struct compare_sample mine = {0};
	bool ok = round_trips_lead(round, qos);
	struct tally before = round_tally(round);
	ok = ok && round_trips_time(round, qos, &mine);
	struct tally after = round_tally(round);
	double count = (double)mine.count;
	if (ok && round->counts && qos == compare_qos(round->report)) {
		door->mqtt_bytes = (after.mqtt_out - before.mqtt_out) / count;
		tally_add(&door->wire_out, &door->wire_back, &before, &after, mine.count);
		door->each[COMPARE_EACH_WIRE][door->rounds] = (after.wire_out - before.wire_out) / count;
	}
	for (size_t i = 0; ok && round->counts && i < mine.count; i++)
		ok = compare_sample_add(&door->trip[qos], mine.values[i]);
	if (ok && round->counts)
		door->each[COMPARE_EACH_TRIP + qos][door->rounds] = compare_sample_at(&mine, 0.5);
	compare_sample_free(&mine);
	return ok;
}

/* ---- bursts ---- */

static bool round_publish_all(struct round *round, const char *topic)
{
	bool ok = true;
	for (size_t i = 0; ok && i < round->report->burst; i++)
		ok = round_publish(round, topic, compare_qos(round->report));
	return ok;
}

/* Outward: nobody subscribes to them, and what comes back is the one behind them. */
static bool round_burst_out(struct round *round)
{
	char topic[RUN_TOPIC_BYTES + 4];
	snprintf(topic, sizeof(topic), "%s/out", round->topic);
	round_expect(round, 1);
	double begun_us = run_now_us();
	if (!round_publish_all(round, topic) || !round_publish(round, round->topic, 0) || !round_await(round))
		return false;
	if (round->counts)
		compare_sample_add(
			&round->door->out_rate, (double)round->report->burst / (round->arrived_us - begun_us) * 1e6);
	return true;
}

/* All at once, and back. One more round trip before that sees the acknowledgements of those at QoS 1 off. */
static bool round_burst_back(struct round *round)
{
	struct compare_door *door = round->door;
	size_t n = round->report->burst;
	if (!round_trip(round, 0))
		return false;
	round_expect(round, n);
	struct tally before = round_tally(round);
	double cpu_us = run_cpu_us(), begun_us = run_now_us();
	if (!round_publish_all(round, round->topic) || !round_await(round))
		return false;
	cpu_us = run_cpu_us() - cpu_us;
	struct tally after = round_tally(round);
	if (!round->counts)
		return true;
	compare_sample_add(&door->back_rate, (double)n / (round->arrived_us - begun_us) * 1e6);
	tally_add(&door->burst_out, &door->burst_back, &before, &after, n);
	compare_sample_add(&door->cpu_us, cpu_us / (double)n);
	return true;
}

/* ---- rounds ---- */

static void round_resume(struct round *round)
{
	struct compare_door *door = round->door;
	skiff_wait(skiff_disconnect(round->client, RUN_GRACE_MS, NULL), 2 * RUN_GRACE_MS);
	if (!door->place.tls || door->options.engine == SKIFF_ENGINE_PAHO || !door_connect(round, door->resumed))
		return;
	skiff_wait(skiff_disconnect(round->client, RUN_GRACE_MS, NULL), 2 * RUN_GRACE_MS);
}

/* What the broker does not grant is left out. */
static bool round_trips_all(struct round *round)
{
	bool ok = true;
	for (int qos = 0; ok && qos < COMPARE_QOS; qos++)
		if (round->report->qos[qos] && qos <= round->door->maximum_qos)
			ok = round_trips(round, qos);
	return ok;
}

static bool round_measure(struct round *round)
{
	struct compare_door *door = round->door;
	double heap = run_heap_bytes();
	if (!door_open(round))
		return false;
	if (!door_result(door, skiff_subscribe(round->client, round->topic, compare_qos_most(round->report),
				       round_on_message, round)))
		return false;
	heap = run_heap_bytes() - heap;
	if (heap > 0 && (!door->memory_bytes || heap < door->memory_bytes)) /* the first pays for what is shared */
		door->memory_bytes = heap;
	if (!round_trips_all(round) || !round_burst_out(round) || !round_burst_back(round))
		return false;
	round_resume(round);
	door->rounds += round->counts;
	return true;
}

static bool round_run(struct compare_report *report, struct compare_door *door, char *payload, bool counts)
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
static void door_try_bare(struct compare_report *report, struct compare_door *door)
{
	struct round round = {.report = report, .door = door};
	struct skiff_tls_options tls = door->options.tls;
	door->options.tls.cert_file = door->options.tls.key_file = NULL;
	door_open(&round);
	door->options.tls = tls;
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
	fprintf(stderr, "\r\033[Kround %zu", round);
	if (!(report->duration_ms > 0))
		fprintf(stderr, " of %zu", report->rounds);
	fprintf(stderr, ", %s", door->name);
	fflush(stderr);
}

/* Every door once; round 0 warms up. */
static void run_round(struct compare_report *report, char *payload, size_t round, bool progress)
{
	for (size_t i = 0; i < report->count; i++) {
		struct compare_door *door = &report->doors[i];
		if (*door->lacks || door->outcome.code != SKIFF_OK)
			continue;
		if (cli_stop_code() >= 0)
			return;
		if (progress)
			run_progress(report, door, round);
		round_run(report, door, payload, round > 0);
	}
}

void compare_run(struct compare_report *report, bool progress)
{
	char *payload = calloc(1, report->payload_len + 1);
	if (!payload) {
		report->exit_code = CLI_EXIT_FAILURE;
		return;
	}
	memset(payload, 'x', report->payload_len);
	double end_us = report->duration_ms > 0 ? run_now_us() + report->duration_ms * 1e3 : INFINITY;
	for (size_t i = 0; i < report->count; i++)
		if (report->doors[i].asks_certificate && !*report->doors[i].lacks)
			door_try_bare(report, &report->doors[i]);
	run_round(report, payload, 0, progress);
	size_t done = 0;
	do
		run_round(report, payload, ++done, progress);
	while (done < report->rounds && run_now_us() < end_us && cli_stop_code() < 0);
	report->rounds = done;
	if (progress)
		fputs("\r\033[K", stderr);
	for (size_t i = 0; i < report->count; i++)
		door_judge(report, &report->doors[i]);
	free(payload);
}
