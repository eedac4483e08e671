/* SPDX-License-Identifier: Apache-2.0 */
/* bare_paho.c: callbacks that count, a trace that is kept, a far end that does as it is told. */
#include "support/bare_paho.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRACE_LINES = 4000, TRACE_STAMP_LEN = 20 };

/* ---- names ---- */

static char looked_up[BARE_TEXT];

__attribute__((visibility("default"))) int getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **answer)
{
	int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	*(void **)&lookup = dlsym(RTLD_NEXT, "getaddrinfo");
	waiting_lock();
	snprintf(looked_up, sizeof looked_up, "%s", node);
	waiting_unlock();
	if (!strcmp(node, "localhost"))
		node = "127.0.0.1";
	struct addrinfo numeric = hints ? *hints : (struct addrinfo){0};
	numeric.ai_flags |= AI_NUMERICHOST;
	return lookup(node, service, &numeric, answer);
}

const char *bare_looked_up(void)
{
	return looked_up;
}

/* ---- callbacks ---- */

static void bare_text(char *into, const char *text, size_t len)
{
	size_t kept = text ? strnlen(text, len < BARE_TEXT - 1 ? len : BARE_TEXT - 1) : 0;
	memcpy(into, text ? text : "", kept);
	into[kept] = '\0';
}

static void on_connect(void *context, MQTTAsync_successData *data)
{
	struct bare *bare = context;
	bare->session_present = data->alt.connect.sessionPresent;
	waiting_add(&bare->ups);
}

static void on_connect5(void *context, MQTTAsync_successData5 *data)
{
	struct bare *bare = context;
	bare->session_present = data->alt.connect.sessionPresent;
	waiting_add(&bare->ups);
}

static void failed(struct bare *bare, int code, int reason, const char *message)
{
	bare->code = code;
	bare->reason = reason;
	bare_text(bare->text, message, BARE_TEXT);
	waiting_add(&bare->failures);
}

static void on_failure(void *context, MQTTAsync_failureData *data)
{
	failed(context, data->code, 0, data->message);
}

static void on_failure5(void *context, MQTTAsync_failureData5 *data)
{
	failed(context, data->code, (int)data->reasonCode, data->message);
}

static void on_lost(void *context, char *cause)
{
	struct bare *bare = context;
	assert_null(cause);
	waiting_add(&bare->losts);
}

static void on_disconnected(void *context, MQTTProperties *properties, enum MQTTReasonCodes reason)
{
	struct bare *bare = context;
	(void)properties;
	bare->peer_reason = (int)reason;
	waiting_add(&bare->disconnects);
}

static bool holds_no_more(const void *subject)
{
	return !*(const bool *)subject;
}

static int on_message(void *context, char *topic, int topic_len, MQTTAsync_message *message)
{
	struct bare *bare = context;
	uint64_t nth = waiting_value(&bare->messages);
	waiting_add(&bare->inside);
	waiting_until(holds_no_more, &bare->holding, BARE_MS);
	if (nth < BARE_MESSAGES) {
		struct bare_message *kept = &bare->message[nth];
		snprintf(kept->topic, sizeof kept->topic, "%.*s", topic_len ? topic_len : 64, topic);
		snprintf(kept->payload, sizeof kept->payload, "%.*s", message->payloadlen,
			(const char *)message->payload);
		kept->qos = message->qos;
		kept->dup = message->dup;
	}
	bool refuse = nth < bare->refusals;
	if (!refuse) {
		MQTTAsync_freeMessage(&message);
		MQTTAsync_free(topic);
	}
	waiting_add(&bare->messages);
	return !refuse;
}

static void on_done(void *context, MQTTAsync_successData *data)
{
	struct bare_op *op = context;
	(void)data;
	op->at_ms = waiting_now_ms();
	waiting_add(&op->done);
}

static void on_done5(void *context, MQTTAsync_successData5 *data)
{
	struct bare_op *op = context;
	op->reason = (int)data->reasonCode;
	op->at_ms = waiting_now_ms();
	waiting_add(&op->done);
}

static void on_failed(void *context, MQTTAsync_failureData *data)
{
	struct bare_op *op = context;
	op->code = data->code;
	waiting_add(&op->failed);
}

static void on_failed5(void *context, MQTTAsync_failureData5 *data)
{
	struct bare_op *op = context;
	op->code = data->code;
	op->reason = (int)data->reasonCode;
	waiting_add(&op->failed);
}

static int on_tls_error(const char *text, size_t len, void *context)
{
	struct bare *bare = context;
	uint64_t nth = waiting_value(&bare->tls_lines);
	if (nth < BARE_MESSAGES)
		bare_text(bare->tls[nth], text, len);
	waiting_add(&bare->tls_lines);
	return 1;
}

/* ---- a handle ---- */

static MQTTAsync keeper;

void bare_start(void)
{
	assert_int_equal(
		MQTTAsync_create(&keeper, "tcp://127.0.0.1:1", "keeper", MQTTCLIENT_PERSISTENCE_NONE, NULL), 0);
}

struct bare *bare_new(const char *url, int version)
{
	struct bare *bare = calloc(1, sizeof *bare);
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
	options.MQTTVersion = version;
	assert_non_null(bare);
	bare->version = version;
	assert_int_equal(
		MQTTAsync_createWithOptions(&bare->handle, url, "bare", MQTTCLIENT_PERSISTENCE_NONE, NULL, &options),
		0);
	MQTTAsync_setCallbacks(bare->handle, bare, on_lost, on_message, NULL);
	if (version == MQTTVERSION_5)
		MQTTAsync_setDisconnected(bare->handle, bare, on_disconnected);
	return bare;
}

void bare_free(struct bare *bare)
{
	MQTTAsync_destroy(&bare->handle);
	free(bare);
}

MQTTAsync_connectOptions bare_options(struct bare *bare)
{
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	if (bare->version == MQTTVERSION_5) {
		options = (MQTTAsync_connectOptions)MQTTAsync_connectOptions_initializer5;
		options.cleanstart = 1;
		options.onSuccess5 = on_connect5;
		options.onFailure5 = on_failure5;
	} else {
		options.cleansession = 1;
		options.onSuccess = on_connect;
		options.onFailure = on_failure;
	}
	options.MQTTVersion = bare->version;
	options.keepAliveInterval = 0;
	options.connectTimeout = 1000000;
	options.context = bare;
	return options;
}

MQTTAsync_SSLOptions bare_tls(struct bare *bare, const char *ca_file)
{
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
	tls.trustStore = ca_file;
	tls.disableDefaultTrustStore = 1;
	tls.ssl_error_cb = on_tls_error;
	tls.ssl_error_context = bare;
	return tls;
}

void bare_connect(struct bare *bare)
{
	MQTTAsync_connectOptions options = bare_options(bare);
	uint64_t before = waiting_value(&bare->ups);
	assert_int_equal(MQTTAsync_connect(bare->handle, &options), 0);
	assert_true(bare_reach(&bare->ups, before + 1));
}

struct bare *bare_connected(const char *url, int version)
{
	struct bare *bare = bare_new(url, version);
	bare_connect(bare);
	return bare;
}

void bare_fails(struct bare *bare, const MQTTAsync_connectOptions *options, int code, const char *text)
{
	uint64_t before = waiting_value(&bare->failures);
	assert_int_equal(MQTTAsync_connect(bare->handle, options), 0);
	assert_true(bare_reach(&bare->failures, before + 1));
	assert_int_equal(bare->code, code);
	assert_string_equal(bare->text, text);
	assert_int_equal(waiting_value(&bare->ups), 0);
}

void bare_publish(struct bare *bare, struct bare_op *op, const char *topic, const void *payload, int len, int qos)
{
	MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
	options.context = op;
	if (bare->version == MQTTVERSION_5) {
		options.onSuccess5 = on_done5;
		options.onFailure5 = on_failed5;
	} else {
		options.onSuccess = on_done;
		options.onFailure = on_failed;
	}
	op->reason = -1;
	assert_int_equal(MQTTAsync_send(bare->handle, topic, len, payload, qos, 0, &options), 0);
}

bool bare_reach(struct waiting_count *count, uint64_t value)
{
	return waiting_reach(count, value, BARE_MS);
}

bool bare_stays(struct waiting_count *count, uint64_t value)
{
	return !waiting_reach(count, value + 1, BARE_NOT_MS);
}

void bare_set(bool *flag, bool value)
{
	waiting_lock();
	*flag = value;
	waiting_unlock();
}

/* ---- the trace ---- */

static struct {
	char line[TRACE_LINES][BARE_TEXT];
	unsigned lines;
	int socket;
} trace; /* under the lock of waiting.h */

static void trace_take(enum MQTTASYNC_TRACE_LEVELS level, char *text)
{
	static const char made[] = "New socket ";
	(void)level;
	waiting_lock();
	if (trace.lines < TRACE_LINES)
		bare_text(trace.line[trace.lines++], text, strcspn(text, "\n"));
	if (strlen(text) > TRACE_STAMP_LEN && !strncmp(text + TRACE_STAMP_LEN, made, sizeof made - 1))
		trace.socket = fcntl(atoi(text + TRACE_STAMP_LEN + sizeof made - 1), F_DUPFD_CLOEXEC, 3);
	waiting_unlock();
}

void bare_trace(enum MQTTASYNC_TRACE_LEVELS level)
{
	MQTTAsync_setTraceCallback(trace_take);
	MQTTAsync_setTraceLevel(level);
	waiting_lock();
	trace.lines = 0;
	trace.socket = -1;
	waiting_unlock();
}

unsigned bare_trace_lines(void)
{
	waiting_lock();
	unsigned lines = trace.lines;
	waiting_unlock();
	return lines;
}

static const char *trace_find(const char *begins, const char *with)
{
	for (unsigned i = trace.lines; i--;) {
		const char *line = trace.line[i] + TRACE_STAMP_LEN;
		if (strlen(trace.line[i]) > TRACE_STAMP_LEN && !strncmp(line, begins, strlen(begins)) &&
			strstr(line, with))
			return line;
	}
	return NULL;
}

bool bare_traced(const char *begins, char line[BARE_TEXT])
{
	return bare_traced_with(begins, "", line);
}

bool bare_traced_with(const char *begins, const char *with, char line[BARE_TEXT])
{
	waiting_lock();
	const char *found = trace_find(begins, with);
	if (found && line)
		bare_text(line, found, BARE_TEXT);
	waiting_unlock();
	return found != NULL;
}

static bool trace_has(const void *begins)
{
	return trace_find(begins, "") != NULL;
}

bool bare_trace_await(const char *begins)
{
	return waiting_until(trace_has, begins, BARE_MS);
}

void bare_trace_first(char line[BARE_TEXT])
{
	waiting_lock();
	bare_text(line, trace.lines ? trace.line[0] : "", BARE_TEXT);
	waiting_unlock();
}

int bare_trace_socket(void)
{
	waiting_lock();
	int number = trace.socket;
	trace.socket = -1;
	waiting_unlock();
	return number;
}

/* ---- the far end ---- */

static void far_ack(struct far_client *client, struct bare_far *far, const struct skiffi_frame *frame)
{
	unsigned qos = frame->flags >> 1 & 3;
	if (far->ack_reason && frame->type == SKIFFI_PUBLISH && qos == 1)
		far_send_ack(client, SKIFFI_PUBACK, far_packet_id(client, frame), far->ack_reason);
	else if (frame->type == SKIFFI_PUBREC)
		far_send_ack(client, SKIFFI_PUBREL, far_packet_id(client, frame), 0);
	else
		far_answer(client, frame);
}

static bool far_may_answer(const void *subject)
{
	const struct bare_far *far = subject;
	return !far->hold && (!far->gated || far->allowed >= far->seen[SKIFFI_PUBLISH].value);
}

static bool far_take(struct far_client *client, struct bare_far *far, const struct skiffi_frame *frame)
{
	if (frame->type == SKIFFI_PUBLISH && frame->flags & 8)
		waiting_add(&far->dups);
	waiting_add(&far->seen[frame->type]);
	waiting_until(far_may_answer, far, BARE_MS);
	if (far->drop_at & 1u << frame->type || frame->type == SKIFFI_DISCONNECT)
		return false;
	if (!(far->ignores & 1u << frame->type))
		far_ack(client, far, frame);
	return true;
}

static void far_run(struct far_client *client, void *user)
{
	struct bare_far *far = user;
	struct skiffi_frame frame;
	bool ok = far_read_connect(client);
	if (ok)
		waiting_add(&far->seen[SKIFFI_CONNECT]);
	if (ok && !(far->ignores & 1u << SKIFFI_CONNECT))
		ok = far_send_connack(client, far->connack, far->session_present, far->granted);
	if (ok && far->greeting)
		far_send(client, far->greeting, far->greeting_len);
	waiting_until(holds_no_more, &far->hold_reading, BARE_MS);
	while (ok && far_next(client, &frame) && far_take(client, far, &frame))
		;
	waiting_add(&far->ends);
}

struct far_broker *bare_far_start(struct bare_far *far)
{
	return far_broker_start(far_run, far);
}
