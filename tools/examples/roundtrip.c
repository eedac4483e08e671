/* SPDX-License-Identifier: Apache-2.0 */
/* roundtrip.c: what the way to a broker cost: the time to CONNACK, and of one message there and back.
 *
 *   roundtrip URL      SKIFF_CA_FILE, SKIFF_CERT_FILE, SKIFF_KEY_FILE for ssl and wss
 *
 * Prints one line: url=URL tls=VERSION version=5|3.1.1 connack_ms=N roundtrip_ms=N. */
#include <semaphore.h>
#include <skiff/skiff.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TOPIC "skiff/roundtrip"

static void on_message(struct skiff_client *client, const struct skiff_message *message, void *arrived)
{
	(void)client, (void)message;
	sem_post(arrived);
}

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int fail(struct skiff_client *client, enum skiff_code code)
{
	struct skiff_error error = {0};
	skiff_client_error(client, &error);
	fprintf(stderr, "roundtrip: %s\n", error.code == code ? error.text : skiff_code_text(code));
	skiff_client_free(client);
	return 1;
}

/* Milliseconds there and back; negative: it did not come within 10 seconds. */
static double measure(struct skiff_client *client, sem_t *arrived)
{
	struct timespec deadline;
	double start = now_ms();
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 10;
	skiff_token_free(skiff_publish(client, TOPIC, "?", 1, 0, false));
	return sem_timedwait(arrived, &deadline) ? -1 : now_ms() - start;
}

int main(int argc, char **argv)
{
	struct skiff_error error;
	struct skiff_connection way;
	struct skiff_options options = {.url = argc > 1 ? argv[1] : NULL,
		.tls = {.ca_file = getenv("SKIFF_CA_FILE"),
			.cert_file = getenv("SKIFF_CERT_FILE"),
			.key_file = getenv("SKIFF_KEY_FILE")}};
	sem_t arrived;
	sem_init(&arrived, 0, 0);
	struct skiff_client *client = skiff_client_new(&options, &error);
	if (!client) {
		fprintf(stderr, "roundtrip: %s\n", error.text);
		return 1;
	}
	enum skiff_code code = skiff_wait(skiff_connect(client), 20000);
	if (!code)
		code = skiff_wait(skiff_subscribe(client, TOPIC, 0, on_message, &arrived), 10000);
	if (code)
		return fail(client, code);
	double ms = measure(client, &arrived);
	if (ms < 0)
		return fail(client, SKIFF_TIMEOUT);
	skiff_client_connection(client, &way);
	printf("url=%s tls=%s version=%s connack_ms=%.2f roundtrip_ms=%.2f\n", way.url,
		way.tls_version[0] ? way.tls_version : "-", way.mqtt_version == 5 ? "5" : "3.1.1",
		(double)way.phases.total_us / 1e3, ms);
	skiff_wait(skiff_disconnect(client, 250, NULL), 1000);
	skiff_client_free(client);
	return 0;
}
