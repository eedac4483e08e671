/* SPDX-License-Identifier: Apache-2.0 */
/* paho_worker.c: the thread that calls Paho.
 *
 * Paho takes one lock for everything, holds it while it looks up names and while it calls back, and its end waits in
 * steps of 100 ms; so no other thread of ours enters it. Links that want something are queued here, and each time round
 * the worker does the first thing that a link wants: connect, send what waits, disconnect, be destroyed.
 *
 * The worker, Paho's two threads and one idle handle, which keeps Paho from ending them, stay until the process ends:
 * starting and ending them with each client would take a second or more. */
#include "base/error.h"
#include "base/log.h"
#include "base/thread.h"
#include "engine/paho_internal.h"
#include <signal.h>
#include <sys/prctl.h>

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	struct paho_link *first, *last;       /* that want something */
	struct paho_link *later, *later_last; /* that want to connect when the attempt before has left its beginning */
	bool ws_taken;
} worker = {.lock = PTHREAD_MUTEX_INITIALIZER, .wanted = PTHREAD_COND_INITIALIZER};

/* Under a lock of its own: Paho is called to start, and its trace takes the worker's lock under Paho's. */
static struct {
	pthread_mutex_t lock;
	MQTTAsync keeper;
	bool done;
} start = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* ---- the queue ---- */

static void worker_append(struct paho_link **first, struct paho_link **last, struct paho_link *link)
{
	link->work_next = NULL;
	if (*last)
		(*last)->work_next = link;
	else
		*first = link;
	*last = link;
}

void skiffi_paho_worker_post(struct paho_link *link)
{
	pthread_mutex_lock(&worker.lock);
	if (!link->work_queued) {
		link->work_queued = true;
		worker_append(&worker.first, &worker.last, link);
		pthread_cond_signal(&worker.wanted);
	}
	pthread_mutex_unlock(&worker.lock);
}

void skiffi_paho_worker_retry(void)
{
	pthread_mutex_lock(&worker.lock);
	while (worker.later) {
		struct paho_link *link = worker.later;
		worker.later = link->work_next;
		worker_append(&worker.first, &worker.last, link);
	}
	worker.later_last = NULL;
	pthread_cond_signal(&worker.wanted);
	pthread_mutex_unlock(&worker.lock);
}

static struct paho_link *worker_next(void)
{
	pthread_mutex_lock(&worker.lock);
	while (!worker.first)
		pthread_cond_wait(&worker.wanted, &worker.lock);
	struct paho_link *link = worker.first;
	worker.first = link->work_next;
	if (!worker.first)
		worker.last = NULL;
	link->work_queued = false;
	pthread_mutex_unlock(&worker.lock);
	return link;
}

/* The link stays queued, out of the worker's sight, until skiffi_paho_worker_retry. */
static void worker_put_off(struct paho_link *link)
{
	pthread_mutex_lock(&worker.lock);
	if (!link->work_queued) {
		link->work_queued = true;
		worker_append(&worker.later, &worker.later_last, link);
	}
	pthread_mutex_unlock(&worker.lock);
}

static void worker_remove(struct paho_link **first, struct paho_link **last, struct paho_link *link)
{
	struct paho_link *before = NULL, *at = *first;
	while (at && at != link) {
		before = at;
		at = at->work_next;
	}
	if (!at)
		return;
	if (before)
		before->work_next = at->work_next;
	else
		*first = at->work_next;
	if (*last == at)
		*last = before;
}

/* Of a link that is to go: it may have been posted again since it was taken, and may still be, by whoever asks for its
 * end or by a callback. */
static void worker_forget(struct paho_link *link)
{
	pthread_mutex_lock(&worker.lock);
	if (link->work_queued) {
		worker_remove(&worker.first, &worker.last, link);
		worker_remove(&worker.later, &worker.later_last, link);
	}
	link->work_queued = true; /* no more */
	pthread_mutex_unlock(&worker.lock);
}

/* ---- what a link wants ---- */

/* False: not now. */
static bool worker_connect(struct paho_link *link)
{
	if (!skiffi_paho_trace_begin(link)) {
		worker_put_off(link);
		if (!skiffi_paho_trace_busy()) /* no longer: nobody else would fetch it */
			skiffi_paho_worker_retry();
		return false;
	}
	pthread_mutex_lock(&link->lock);
	bool wanted = link->connecting = link->connect_wanted;
	link->connect_wanted = false;
	pthread_mutex_unlock(&link->lock);
	if (!wanted) { /* given up meanwhile */
		skiffi_paho_trace_end(link);
		return true;
	}
	int code = link->handle ? MQTTASYNC_SUCCESS : skiffi_paho_create(link);
	if (code == MQTTASYNC_SUCCESS)
		code = skiffi_paho_connect(link, 0);
	if (code != MQTTASYNC_SUCCESS)
		skiffi_paho_connect_refused(link, code);
	return true;
}

static int worker_send_publish(struct paho_link *link, struct paho_op *op, MQTTAsync_responseOptions *response)
{
	MQTTAsync_message message = MQTTAsync_message_initializer;
	message.payload = (void *)op->payload.data;
	message.payloadlen = (int)op->payload.len;
	message.qos = op->qos;
	message.retained = op->retain;
	message.properties = response->properties;
	return MQTTAsync_sendMessage(link->handle, op->topic, &message, response);
}

static int worker_send_subscribe(struct paho_link *link, struct paho_op *op, MQTTAsync_responseOptions *response)
{
	if (op->kind == PAHO_UNSUBSCRIBE)
		return MQTTAsync_unsubscribeMany(link->handle, (int)op->count, op->filters, response);
	if (link->version == SKIFFI_V5) {
		response->subscribeOptions = op->options[0];
		response->subscribeOptionsCount = (int)op->count;
		response->subscribeOptionsList = op->options;
	}
	return MQTTAsync_subscribeMany(link->handle, (int)op->count, op->filters, op->levels, response);
}

static void worker_send(struct paho_link *link, struct paho_op *op)
{
	MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
	int code = MQTTASYNC_SUCCESS;
	response.context = op;
	if (link->version == SKIFFI_V5) {
		response.onSuccess5 = skiffi_paho_on_done5;
		response.onFailure5 = skiffi_paho_on_failed5;
		if (!skiffi_paho_properties_decode(op->properties, &response.properties))
			code = MQTTASYNC_FAILURE;
	} else {
		response.onSuccess = skiffi_paho_on_done;
		response.onFailure = skiffi_paho_on_failed;
	}
	MQTTProperties properties = response.properties;
	if (code == MQTTASYNC_SUCCESS)
		code = op->kind == PAHO_PUBLISH ? worker_send_publish(link, op, &response)
						: worker_send_subscribe(link, op, &response);
	MQTTProperties_free(&properties);
	if (code != MQTTASYNC_SUCCESS) {
		skiffi_paho_op_refused(op, code);
		return;
	}
	pthread_mutex_lock(&link->lock);
	op->token = response.token;
	pthread_mutex_unlock(&link->lock);
	skiffi_paho_op_unref(op); /* of this call's; `out`'s went to Paho with it */
}

/* Whether the head of `out` may go: Paho itself would stop at the broker's window, and go on only a second later. */
static bool worker_may_send(const struct paho_link *link)
{
	const struct paho_op *op = link->out;
	if (!link->up || !op)
		return false;
	if (op->kind == PAHO_PUBLISH && !op->qos)
		return true;
	/* The handle numbers what is new from 1 again, and what it restores by number: the two must not mix, or the
	 * next handle sends them in another order [MQTT-4.6.0-1]. */
	if (op->kind == PAHO_PUBLISH && link->resumed)
		return false;
	if (link->outstanding >= link->window)
		return false;
	return op->qos != 2 || link->outstanding < link->window_qos2;
}

/* Under the lock: takes the head of `out`, which is Paho's from now on, with one more reference for this call. */
static struct paho_op *worker_take(struct paho_link *link)
{
	struct paho_op *op = link->out;
	link->out = op->out_next;
	if (!link->out)
		link->out_last = NULL;
	op->out_next = NULL;
	op->state = PAHO_HANDED;
	atomic_fetch_add(&op->refs, 1);
	skiffi_paho_link_hold(link, op);
	if (op->kind == PAHO_PUBLISH && !op->qos)
		return op;
	atomic_fetch_sub(&link->unsent_bytes, op->bytes);
	if (atomic_exchange(&link->engine->room_wanted, false))
		skiffi_paho_wake(link->engine);
	return op;
}

/* DISCONNECT goes behind all that was requested, or, once the time is up, at once. */
static bool worker_may_disconnect(const struct paho_link *link)
{
	bool through = !link->out && !link->pending_qos0;
	return link->ending && !link->ending_asked && link->up && (through || link->ending_now);
}

static void worker_disconnect(struct paho_link *link)
{
	MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer;
	options.context = link;
	if (link->version == SKIFFI_V5) {
		options = (MQTTAsync_disconnectOptions)MQTTAsync_disconnectOptions_initializer5;
		options.context = link;
		options.onSuccess5 = skiffi_paho_on_disconnect5;
		options.reasonCode = (enum MQTTReasonCodes)link->ending_reason;
		if (!skiffi_paho_properties_decode(link->ending_properties, &options.properties))
			skiffi_log(SKIFF_LOG_WARN, "paho", "out of memory: DISCONNECT goes without its properties");
	} else {
		options.onSuccess = skiffi_paho_on_disconnect;
	}
	int code = MQTTAsync_disconnect(link->handle, &options);
	MQTTProperties_free(&options.properties);
	if (code != MQTTASYNC_SUCCESS)
		skiffi_paho_link_cut(link);
}

static void worker_destroy(struct paho_link *link)
{
	worker_forget(link);
	skiffi_paho_link_cut(link);
	skiffi_paho_trace_end(link);
	if (link->handle)
		MQTTAsync_destroy(&link->handle);
	while (link->held) { /* of which Paho has said nothing any more */
		struct paho_op *op = link->held;
		link->held = op->held_next;
		skiffi_paho_op_unref(op);
	}
	while (link->out) {
		struct paho_op *op = link->out;
		link->out = op->out_next;
		skiffi_paho_op_unref(op);
	}
	skiffi_loop_post(link->engine->base.config->loop, &link->gone);
}

/* Paho's receiving thread reads without the lock for everything, and looks up afterwards whose socket had that number.
 * Destroyed in between, the number may be another client's by then, whose connection Paho would end for this one's. So
 * what was cut is destroyed only when Paho has told of its end. */
static bool worker_awaits_end(const struct paho_link *link)
{
	return link->cut && link->fd >= 0 && (link->up || link->connecting);
}

enum worker_task { TASK_NONE, TASK_DESTROY, TASK_CONNECT, TASK_KEEP_ALIVE, TASK_SEND, TASK_DISCONNECT };

/* The first thing that a link wants; what it goes with comes in `*op` and `*keep_alive_s`. */
static enum worker_task worker_choose(struct paho_link *link, struct paho_op **op, uint16_t *keep_alive_s)
{
	enum worker_task task = TASK_NONE;
	pthread_mutex_lock(&link->lock);
	if (link->destroy_wanted && worker_awaits_end(link)) {
		task = TASK_NONE;
	} else if (link->destroy_wanted) {
		task = TASK_DESTROY;
	} else if (link->connect_wanted) {
		task = TASK_CONNECT;
	} else if (link->up && link->keep_alive_wanted) {
		task = TASK_KEEP_ALIVE;
		*keep_alive_s = link->keep_alive_wanted;
		link->keep_alive_wanted = 0;
	} else if (worker_may_disconnect(link)) {
		task = TASK_DISCONNECT;
		link->ending_asked = true;
	} else if (worker_may_send(link)) {
		task = TASK_SEND;
		*op = worker_take(link);
	}
	pthread_mutex_unlock(&link->lock);
	return task;
}

static void worker_serve(struct paho_link *link)
{
	for (;;) {
		struct paho_op *op = NULL;
		uint16_t keep_alive_s = 0;
		switch (worker_choose(link, &op, &keep_alive_s)) {
		case TASK_NONE:
			return;
		case TASK_DESTROY:
			worker_destroy(link);
			return;
		case TASK_CONNECT:
			if (!worker_connect(link))
				return;
			break;
		case TASK_KEEP_ALIVE:
			skiffi_paho_connect(link, keep_alive_s);
			break;
		case TASK_SEND:
			worker_send(link, op);
			break;
		case TASK_DISCONNECT:
			worker_disconnect(link);
			break;
		}
	}
}

static void *worker_main(void *unused)
{
	(void)unused;
	prctl(PR_SET_NAME, "skiff-paho");
	for (;;)
		worker_serve(worker_next());
	return NULL;
}

/* ---- start ---- */

/* Paho ignores SIGPIPE for the whole process; that is the program's to decide. Its threads are the worker's children
 * and block every signal, so none of their writes can raise it. */
static int worker_keep_paho(void)
{
	struct sigaction before;
	MQTTAsync_init_options init = MQTTAsync_init_options_initializer;
	MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
	sigaction(SIGPIPE, NULL, &before);
	MQTTAsync_global_init(&init); /* OpenSSL 3 initialises itself */
	int code = MQTTAsync_createWithOptions(
		&start.keeper, "tcp://127.0.0.1:0", "keeper", MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
	sigaction(SIGPIPE, &before, NULL);
	return code;
}

bool skiffi_paho_worker_start(struct skiff_error *error)
{
	pthread_mutex_lock(&start.lock);
	if (!start.keeper && worker_keep_paho() == MQTTASYNC_SUCCESS)
		skiffi_paho_trace_start();
	if (start.keeper && !start.done)
		start.done = skiffi_thread_start(NULL, worker_main, NULL);
	bool ok = start.done;
	pthread_mutex_unlock(&start.lock);
	if (!ok)
		skiffi_fail(error, SKIFF_MEMORY, 0, "cannot start the engine 'paho': out of memory or threads");
	return ok;
}

/* ---- the one WebSocket ---- */

bool skiffi_paho_ws_take(void)
{
	pthread_mutex_lock(&worker.lock);
	bool free = !worker.ws_taken;
	worker.ws_taken = true;
	pthread_mutex_unlock(&worker.lock);
	return free;
}

void skiffi_paho_ws_give(void)
{
	pthread_mutex_lock(&worker.lock);
	worker.ws_taken = false;
	pthread_mutex_unlock(&worker.lock);
}
