/* SPDX-License-Identifier: Apache-2.0 */
/* at_mosquitto.c: the listeners are further settings of an ordinary broker's, at ports that follow on each other. */
#include "certs/at_mosquitto.h"

#include "support/broker.h"
#include "support/waiting.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below the ports that outgoing connections use. */
enum { PORT_FIRST = 12000, PORTS = 8000, LISTENER_BYTES = 512 };

struct at_mosquitto {
	struct broker *broker;
	size_t count;
	uint16_t first;
	char *settings;
	size_t used, size;
};

/* ---- ports ---- */

static struct sockaddr_in port_address(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool port_is_free(uint16_t port)
{
	struct sockaddr_in address = port_address(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_free = fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address);
	close(fd);
	return is_free;
}

/* The first of `count` free ones. */
static uint16_t ports_choose(size_t count)
{
	uint16_t random;
	for (;;) {
		size_t free_ports = 0;
		if (getrandom(&random, sizeof random, 0) != sizeof random)
			abort();
		uint16_t first = (uint16_t)(PORT_FIRST + random % PORTS);
		while (free_ports < count && port_is_free((uint16_t)(first + free_ports)))
			free_ports++;
		if (free_ports == count)
			return first;
	}
}

static bool last_answers(const void *subject)
{
	const struct at_mosquitto *at = subject;
	struct sockaddr_in address = port_address(at_mosquitto_port(at, at->count - 1));
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers = fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof address);
	close(fd);
	return answers;
}

/* ---- settings ---- */

__attribute__((format(printf, 2, 3))) static void settings_add(struct at_mosquitto *at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	at->used += (size_t)vsnprintf(at->settings + at->used, at->size - at->used, format, args);
	va_end(args);
	if (at->used >= at->size)
		abort();
}

static void settings_add_listener(struct at_mosquitto *at, const char *certs, const char *name, uint16_t port, bool web)
{
	bool client = !strncmp(name, "client", 6), weak = !strncmp(name, "weak", 4);
	const char *shown = client ? "good" : name;
	settings_add(at, "listener %u 127.0.0.1\n%s", port, web ? "socket_domain ipv4\nprotocol websockets\n" : "");
	settings_add(at, "allow_anonymous true\ncertfile %s/%s.crt\nkeyfile %s/%s.key\n", certs, shown, certs, shown);
	if (weak)
		settings_add(at, "ciphers DEFAULT:@SECLEVEL=0\n");
	if (client)
		settings_add(
			at, "cafile %s/own-ca.crt\ncrlfile %s/own-ca.crl\nrequire_certificate true\n", certs, certs);
}

struct at_mosquitto *at_mosquitto_start(const char *certs, const char *const names[], size_t count, bool web)
{
	struct at_mosquitto *at = calloc(1, sizeof *at);
	if (!at || !(at->settings = malloc(at->size = count * LISTENER_BYTES)))
		abort();
	at->count = count;
	at->first = ports_choose(count);
	for (size_t i = 0; i < count; i++)
		settings_add_listener(at, certs, names[i], at_mosquitto_port(at, i), web);
	at->broker = broker_start(&(struct broker_options){.kind = BROKER_MOSQUITTO, .settings = at->settings});
	if (!waiting_poll(last_answers, at, WAITING_LONG_MS)) {
		fprintf(stderr, "at_mosquitto: the last listener does not answer\n");
		abort();
	}
	return at;
}

uint16_t at_mosquitto_port(const struct at_mosquitto *at, size_t number)
{
	return (uint16_t)(at->first + number);
}

void at_mosquitto_stop(struct at_mosquitto *at)
{
	if (!at)
		return;
	broker_stop(at->broker);
	free(at->settings);
	free(at);
}
