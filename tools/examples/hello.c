/* SPDX-License-Identifier: Apache-2.0 */
/* hello.c: connect, subscribe, publish one message to oneself, print it, leave.
 *
 *   hello [URL]      default tcp://test.mosquitto.org; SKIFF_CA_FILE, SKIFF_CERT_FILE, SKIFF_KEY_FILE for ssl and wss
 */
#include <semaphore.h>
#include <skiff/skiff.h>
#include <stdio.h>
#include <stdlib.h>

#define TOPIC "mqtt/test/iot-mqtt-blog"

static void on_message(struct skiff_client *client, const struct skiff_message *message, void *arrived)
{
	(void)client;
	printf("Message: %.*s \n", (int)message->payload.len, (const char *)message->payload.data);
	printf("Topic: %.*s \n", (int)message->topic.len, (const char *)message->topic.data);
	sem_post(arrived);
}

static void must(struct skiff_client *client, enum skiff_code code)
{
	struct skiff_error error = {0};
	if (!code)
		return;
	skiff_client_error(client, &error);
	fprintf(stderr, "hello: %s\n", error.code == code ? error.text : skiff_code_text(code));
	exit(1);
}

int main(int argc, char **argv)
{
	sem_t arrived;
	struct skiff_error error;
	struct skiff_options options = {.url = argc > 1 ? argv[1] : "tcp://test.mosquitto.org",
		.tls = {.ca_file = getenv("SKIFF_CA_FILE"),
			.cert_file = getenv("SKIFF_CERT_FILE"),
			.key_file = getenv("SKIFF_KEY_FILE")}};
	sem_init(&arrived, 0, 0);
	struct skiff_client *client = skiff_client_new(&options, &error);
	if (!client) {
		fprintf(stderr, "hello: %s\n", error.text);
		return 1;
	}
	must(client, skiff_wait(skiff_connect(client), 20000));
	must(client, skiff_wait(skiff_subscribe(client, TOPIC, 0, on_message, &arrived), 5000));
	must(client, skiff_wait(skiff_publish(client, TOPIC, "Hello World", 11, 0, false), 5000));
	sem_wait(&arrived);
	must(client, skiff_wait(skiff_unsubscribe(client, TOPIC), 5000));
	must(client, skiff_wait(skiff_disconnect(client, 250, NULL), 5000));
	skiff_client_free(client);
	return 0;
}
