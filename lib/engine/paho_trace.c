/* SPDX-License-Identifier: Apache-2.0 */
/* paho_trace.c: what Paho's trace tells: the socket of an attempt, when CONNECT left, and why something failed.
 *
 * The trace is one for the process, and quiet (errors only) but while some attempt is under way, or the user's log asks
 * for packets. Its lines name no client: the socket's number, or the thread and the moment, say whose they are. What
 * leads to a failure is traced by the thread that reports it next, so each thread collects facts from the moment it
 * turns to a connection; what was seen in earlier turns is kept with the link, where it is the only one connecting. */
#include "base/clock.h"
#include "base/log.h"
#include "engine/paho_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRACE_STAMP_LEN = 20 }; /* "20260131 120000.000 " */

static pthread_mutex_t trace_lock = PTHREAD_MUTEX_INITIALIZER;
static struct paho_link *trace_attempts; /* under way; under the lock */
static struct paho_link *trace_first;    /* of them, the one whose socket is still unknown */

static _Thread_local struct paho_facts trace_turn = {.alert = -1};
static _Thread_local int trace_turn_socket = -1; /* the newest that this thread made */

static enum MQTTASYNC_TRACE_LEVELS trace_level(void)
{
	return trace_attempts                             ? MQTTASYNC_TRACE_MINIMUM
	       : skiffi_log_level >= (int)SKIFF_LOG_TRACE ? MQTTASYNC_TRACE_PROTOCOL
							  : MQTTASYNC_TRACE_ERROR;
}

static struct paho_link *trace_by_socket(int number)
{
	struct paho_link *link = trace_attempts;
	while (link && link->socket != number)
		link = link->attempt_next;
	return link;
}

/* ---- lines that name a socket ---- */

static void trace_new_socket(const char *line)
{
	struct paho_link *link = trace_first;
	int number = atoi(line);
	if (!link)
		return;
	trace_first = NULL;
	pthread_mutex_lock(&link->lock);
	link->socket = number;
	link->fd = fcntl(number, F_DUPFD_CLOEXEC, 3);
	pthread_mutex_unlock(&link->lock);
	trace_turn_socket = number;
	skiffi_paho_worker_retry();
}

/* The first moment at which a connect that nobody wants any more can be ended. */
static void trace_connect_pending(void)
{
	struct paho_link *link = trace_by_socket(trace_turn_socket);
	if (!link)
		return;
	pthread_mutex_lock(&link->lock);
	bool cut = link->cut;
	pthread_mutex_unlock(&link->lock);
	if (cut)
		skiffi_paho_link_cut(link);
}

/* "5 client-id -> CONNECT version ..." */
static void trace_connect_sent(const char *line)
{
	struct paho_link *link = trace_by_socket(atoi(line));
	if (!link)
		return;
	pthread_mutex_lock(&link->lock);
	link->greeting_us = skiffi_now_us();
	pthread_mutex_unlock(&link->lock);
	skiffi_paho_wake(link->engine);
}

/* ---- lines that name none ---- */

static int trace_alert_number(const char *words)
{
	for (int i = 0; i < 256; i++)
		if (!strcmp(SSL_alert_desc_string_long(i), words))
			return i;
	return -1;
}

/* "SSL state connect:SSLv3/TLS read server hello:TLS_AES_256_GCM_SHA384" */
static void trace_tls_state(struct paho_facts *facts, const char *line)
{
	const char *cipher = strrchr(line, ':');
	facts->certificate_requested |= strstr(line, "read server certificate request") != NULL;
	if (cipher && strcmp(cipher, ":(NONE)"))
		snprintf(facts->tls_cipher, sizeof facts->tls_cipher, "%s", cipher + 1);
}

/* "received 772 22 buflen 122": the version under which OpenSSL reads a handshake message */
static void trace_tls_message(struct paho_facts *facts, const char *line)
{
	const char *name = !strncmp(line, "772 22 ", 7)                                        ? "TLSv1.3"
			   : !strncmp(line, "771 22 ", 7) || !strncmp(line, "TLS 1.2 22 ", 11) ? "TLSv1.2"
											       : NULL;
	if (name)
		snprintf(facts->tls_version, sizeof facts->tls_version, "%s", name);
}

struct trace_word {
	const char *begins;
	void (*read)(struct paho_facts *facts, const char *rest);
};

static void trace_alert(struct paho_facts *facts, const char *rest)
{
	const char *words = strchr(rest, ':');
	facts->alert = words ? trace_alert_number(words + 1) : -1;
}

static void trace_http(struct paho_facts *facts, const char *rest)
{
	facts->http_status = atoi(rest);
}

static void trace_not_upgraded(struct paho_facts *facts, const char *rest)
{
	(void)rest;
	facts->ws_refused = true;
}

static void trace_handshake_done(struct paho_facts *facts, const char *rest)
{
	(void)rest;
	facts->handshake_done = true;
}

static void trace_address_checked(struct paho_facts *facts, const char *rest)
{
	facts->name_refused = atoi(rest) != 1;
}

static void trace_socket_error(struct paho_facts *facts, const char *rest)
{
	const char *number = strchr(rest, '(');
	facts->reset |= number && atoi(number + 1) == ECONNRESET;
}

static const struct trace_word trace_words[] = {
	{"SSL state connect:", trace_tls_state},
	{"SSL alert read:", trace_alert},
	{"SSL handshake done", trace_handshake_done},
	{"received ", trace_tls_message},
	{"rc from X509_check_ip_asc is ", trace_address_checked},
	{"WebSocket HTTP rc ", trace_http},
	{"WebSocket failed to upgrade", trace_not_upgraded},
	{"WebSocket HTTP upgrade response", trace_not_upgraded},
	{"Socket error ", trace_socket_error},
};

static void trace_fact(const char *line)
{
	struct paho_link *only = trace_attempts && !trace_attempts->attempt_next ? trace_attempts : NULL;
	for (size_t i = 0; i < sizeof trace_words / sizeof *trace_words; i++) {
		size_t len = strlen(trace_words[i].begins);
		if (strncmp(line, trace_words[i].begins, len))
			continue;
		trace_words[i].read(&trace_turn, line + len);
		if (!only)
			return;
		pthread_mutex_lock(&only->lock);
		trace_words[i].read(&only->facts, line + len);
		pthread_mutex_unlock(&only->lock);
		return;
	}
}

static void trace_line(const char *line)
{
	if (!strncmp(line, "m->c->connect_state", 19))
		skiffi_paho_number_release();
	if (!strncmp(line, "m->c->connect_state", 19) || !strncmp(line, "Connecting to serverURI", 23))
		trace_turn = (struct paho_facts){.alert = -1};
	else if (!strncmp(line, "New socket ", 11))
		trace_new_socket(line + 11);
	else if (!strncmp(line, "Connect pending", 15))
		trace_connect_pending();
	else if (strstr(line, " -> CONNECT version "))
		trace_connect_sent(line);
	else
		trace_fact(line);
}

/* Packets by kind: what follows "payload" in a line is the user's, and a proxy's line may hold a password. */
static void trace_log(enum MQTTASYNC_TRACE_LEVELS level, const char *line)
{
	const char *payload = strstr(line, " payload");
	int len = payload ? (int)(payload - line) : (int)strlen(line);
	if (level >= MQTTASYNC_TRACE_ERROR)
		skiffi_log(SKIFF_LOG_DEBUG, "paho", "%.*s", len, line);
	else if (level == MQTTASYNC_TRACE_PROTOCOL && !strstr(line, "proxy") && !strstr(line, "cipher available"))
		skiffi_log(SKIFF_LOG_TRACE, "paho", "%.*s", len, line);
}

/* Under Paho's lock for its trace. Lines of functions entered and left begin with the thread's number in brackets. */
static void trace_take(enum MQTTASYNC_TRACE_LEVELS level, char *text)
{
	if (!text || strnlen(text, TRACE_STAMP_LEN + 1) <= TRACE_STAMP_LEN || text[TRACE_STAMP_LEN] == '(')
		return;
	const char *line = text + TRACE_STAMP_LEN;
	trace_log(level, line);
	pthread_mutex_lock(&trace_lock);
	if (trace_attempts)
		trace_line(line);
	pthread_mutex_unlock(&trace_lock);
}

/* ---- for the others ---- */

void skiffi_paho_trace_start(void)
{
	MQTTAsync_setTraceCallback(trace_take);
	MQTTAsync_setTraceLevel(trace_level());
}

bool skiffi_paho_trace_begin(struct paho_link *link)
{
	pthread_mutex_lock(&trace_lock);
	bool alone = !trace_first;
	if (alone) {
		trace_first = link;
		link->attempt_next = trace_attempts;
		trace_attempts = link;
		MQTTAsync_setTraceLevel(trace_level());
	}
	pthread_mutex_unlock(&trace_lock);
	return alone;
}

bool skiffi_paho_trace_busy(void)
{
	pthread_mutex_lock(&trace_lock);
	bool busy = trace_first != NULL;
	pthread_mutex_unlock(&trace_lock);
	return busy;
}

void skiffi_paho_trace_end(struct paho_link *link)
{
	pthread_mutex_lock(&trace_lock);
	struct paho_link **at = &trace_attempts;
	while (*at && *at != link)
		at = &(*at)->attempt_next;
	if (*at)
		*at = link->attempt_next;
	link->attempt_next = NULL;
	bool first = trace_first == link;
	if (first)
		trace_first = NULL;
	if (!trace_attempts)
		MQTTAsync_setTraceLevel(trace_level());
	pthread_mutex_unlock(&trace_lock);
	if (first)
		skiffi_paho_worker_retry();
}

void skiffi_paho_trace_facts(struct paho_facts *facts)
{
	const struct paho_facts *turn = &trace_turn;
	facts->certificate_requested |= turn->certificate_requested;
	facts->handshake_done |= turn->handshake_done;
	facts->name_refused |= turn->name_refused;
	facts->ws_refused |= turn->ws_refused;
	facts->reset |= turn->reset;
	if (turn->http_status)
		facts->http_status = turn->http_status;
	if (turn->alert >= 0)
		facts->alert = turn->alert;
	if (turn->tls_version[0])
		memcpy(facts->tls_version, turn->tls_version, sizeof facts->tls_version);
	if (turn->tls_cipher[0])
		memcpy(facts->tls_cipher, turn->tls_cipher, sizeof facts->tls_cipher);
}
