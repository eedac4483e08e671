/* SPDX-License-Identifier: Apache-2.0 */
/* cli_exit.c: from the library's error to the process's exit code. */
#include "cli_exit.h"
#include <pthread.h>

int cli_exit_for(enum skiff_code code)
{
	switch (skiff_code_class(code)) {
	case SKIFF_CLASS_OK:
		return CLI_EXIT_OK;
	case SKIFF_CLASS_USAGE:
		return CLI_EXIT_USAGE;
	case SKIFF_CLASS_FILE:
		return CLI_EXIT_FILE;
	case SKIFF_CLASS_DNS:
		return CLI_EXIT_DNS;
	case SKIFF_CLASS_TCP:
		return CLI_EXIT_TCP;
	case SKIFF_CLASS_PROXY:
		return CLI_EXIT_PROXY;
	case SKIFF_CLASS_TLS:
		return CLI_EXIT_TLS;
	case SKIFF_CLASS_WS:
		return CLI_EXIT_WEBSOCKET;
	case SKIFF_CLASS_MQTT:
		return CLI_EXIT_MQTT;
	case SKIFF_CLASS_TIMEOUT:
		return CLI_EXIT_TIMEOUT;
	case SKIFF_CLASS_MEMORY:
	case SKIFF_CLASS_AGAIN:
	case SKIFF_CLASS_CLOSED:
		return CLI_EXIT_FAILURE;
	}
	return CLI_EXIT_FAILURE;
}

int cli_exit_for_operation(enum skiff_code code)
{
	return skiff_code_class(code) == SKIFF_CLASS_MQTT ? CLI_EXIT_REFUSED : cli_exit_for(code);
}

/* ---- as the mosquitto clients end ---- */

/* Of mosquitto.h. */
enum {
	MOSQ_PROTOCOL = 2,
	MOSQ_NO_CONNECTION = 4,
	MOSQ_LOST = 7,
	MOSQ_TLS = 8,
	MOSQ_AUTH = 11,
	MOSQ_UNKNOWN = 13,
	MOSQ_PROXY = 16,
	MOSQ_OVERSIZE = 25
};
enum { MOSQ_NONE = 255 }; /* exit(-1) */

static struct {
	pthread_mutex_t lock;
	enum cli_exit_codes codes;
	struct skiff_error error;
	bool connected;
} ended = {.lock = PTHREAD_MUTEX_INITIALIZER};

void cli_exit_choose(enum cli_exit_codes codes)
{
	ended.codes = codes;
}

void cli_exit_note(const struct skiff_error *error)
{
	pthread_mutex_lock(&ended.lock);
	if (!ended.error.code && error->code != SKIFF_CLOSED)
		ended.error = *error;
	pthread_mutex_unlock(&ended.lock);
}

void cli_exit_note_connected(void)
{
	pthread_mutex_lock(&ended.lock);
	ended.connected = true;
	pthread_mutex_unlock(&ended.lock);
}

/* A CONNACK's code is the exit code; what keeps a connection from being begun is no more than 1. */
static int exit_for_error(const struct skiff_error *error)
{
	if (error->code == SKIFF_TLS_CLIENT_CERT_REQUIRED) /* told by TLS 1.3 after the handshake */
		return MOSQ_LOST;
	if (error->code == SKIFF_PROXY_AUTH)
		return MOSQ_AUTH;
	switch (skiff_code_class(error->code)) {
	case SKIFF_CLASS_TLS:
		return MOSQ_TLS;
	case SKIFF_CLASS_WS:
		return MOSQ_UNKNOWN;
	case SKIFF_CLASS_PROXY:
		return MOSQ_PROXY;
	case SKIFF_CLASS_TIMEOUT:
		return CLI_EXIT_TIMEOUT;
	case SKIFF_CLASS_TCP:
		return error->code == SKIFF_TCP_CLOSED || error->code == SKIFF_TCP_RESET ? MOSQ_LOST : CLI_EXIT_FAILURE;
	case SKIFF_CLASS_MQTT:
		break;
	default:
		return CLI_EXIT_FAILURE;
	}
	if (error->code == SKIFF_MQTT_CLOSED || error->code == SKIFF_MQTT_TIMEOUT)
		return MOSQ_LOST;
	if (error->code == SKIFF_MQTT_TOO_LARGE)
		return MOSQ_OVERSIZE;
	bool reason = error->detail > 0 && error->detail < 256; /* of CONNACK, or the broker's DISCONNECT */
	return !reason ? MOSQ_PROTOCOL : ended.connected ? MOSQ_NO_CONNECTION : error->detail;
}

int cli_exit_spoken(int code, bool subscriber)
{
	bool signalled = code == CLI_EXIT_INTERRUPTED || code == CLI_EXIT_TERMINATED;
	if (ended.codes == CLI_EXIT_CODES_SKIFF || code == CLI_EXIT_OK || code == CLI_EXIT_PIPE)
		return code;
	if (subscriber && signalled)
		return ended.connected ? CLI_EXIT_OK : MOSQ_NONE;
	if (code == CLI_EXIT_TIMEOUT)
		return ended.connected ? CLI_EXIT_TIMEOUT : MOSQ_NONE;
	if (signalled || code == CLI_EXIT_HANGUP)
		return code;
	if (code == CLI_EXIT_REFUSED) /* what the broker refuses is said there, and no more */
		return CLI_EXIT_OK;
	if (code == CLI_EXIT_USAGE || code == CLI_EXIT_FILE || code == CLI_EXIT_OUTPUT || !ended.error.code)
		return CLI_EXIT_FAILURE;
	return exit_for_error(&ended.error);
}
