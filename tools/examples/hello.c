/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c: connect, subscribe, publish one message to oneself, print it, leave.
 *
 *   hello [URL]      default tcp://test.mosquitto.org
 *
 * SKIFF_CA_FILE, SKIFF_CERT_FILE and SKIFF_KEY_FILE name what ssl:// and wss:// may need; SKIFF_HELLO_REPORT=1 adds a
 * line on stderr: what was negotiated, and how long it took. */
#include <semaphore.h>
#include <skiff/skiff.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TOPIC "mqtt/test/iot-mqtt-blog"

static void on_message(struct skiff_client *client, const struct skiff_message *message, void *arrived)
{
	(void)client;
	printf("Message: %.*s \n", (int)message->payload.len, (const char *)message->payload.data);
	printf("Topic: %.*s \n", (int)message->topic.len, (const char *)message->topic.data);
	sem_post(arrived);
}

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void report(struct skiff_client *client, double roundtrip_ms)
{
	struct skiff_connection way;
	skiff_client_connection(client, &way);
	fprintf(stderr, "report: url=%s tls=%s version=%s connack_ms=%.2f roundtrip_ms=%.2f\n", way.url,
		way.tls_version[0] ? way.tls_version : "-", way.mqtt_version == 5 ? "5" : "3.1.1",
		(double)way.phases.total_us / 1e3, roundtrip_ms);
}

static int fail(struct skiff_client *client, struct skiff_error *error)
{
	if (client)
		skiff_client_error(client, error);
	fprintf(stderr, "hello: %s\n", error->text);
	skiff_client_free(client);
	return 1;
}

int main(int argc, char **argv)
{
	struct skiff_error error;
	struct skiff_options options = {.url = argc > 1 ? argv[1] : "tcp://test.mosquitto.org"};
	options.tls.ca_file = getenv("SKIFF_CA_FILE");
	options.tls.cert_file = getenv("SKIFF_CERT_FILE");
	options.tls.key_file = getenv("SKIFF_KEY_FILE");
	sem_t arrived;
	sem_init(&arrived, 0, 0);

	struct skiff_client *client = skiff_client_new(&options, &error);
	if (!client || skiff_wait(skiff_connect(client), -1))
		return fail(client, &error);
	if (skiff_wait(skiff_subscribe(client, TOPIC, 0, on_message, &arrived), 10000))
		return fail(client, &error);
	double before = now_ms();
	if (skiff_wait(skiff_publish(client, TOPIC, "Hello World", 11, 0, false), 10000))
		return fail(client, &error);
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += 10;
	if (sem_timedwait(&arrived, &deadline)) {
		fprintf(stderr, "hello: the message did not come back within 10 s\n");
		skiff_client_free(client);
		return 1;
	}
	if (getenv("SKIFF_HELLO_REPORT"))
		report(client, now_ms() - before);
	skiff_wait(skiff_unsubscribe(client, TOPIC), 10000);
	skiff_wait(skiff_disconnect(client, 250, NULL), -1);
	skiff_client_free(client);
	return 0;
}
