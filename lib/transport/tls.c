/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c: bytes under TLS, over the tcp transport below.
 *
 * Happy path: 1. the lower transport connects; 2. the handshake, under its own deadline; 3. pieces to send are gathered
 * into full records, what arrives is decrypted straight into the reader's memory; 4. close_notify, then the lower
 * closes. OpenSSL reads and writes through a BIO on the lower transport. That BIO takes everything: what the lower
 * cannot take now waits in `out`, so that a record, once made, is sent without another call to OpenSSL. Failure: the
 * verdict on the server's certificate, the peer's alert or OpenSSL's reason where there is one, before what the lower
 * says; so a write that fails is told only after what the peer had sent, maybe an alert, was read. */
#include "transport/tls.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "transport/proxy.h"
#include "transport/tls_verify.h"
#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <string.h>

enum { TLS_RECORD_BYTES = SSL3_RT_MAX_PLAIN_LENGTH, TLS_READ_MAX_BYTES = 1 << 30 };

enum tls_state {
	TLS_STATE_NEW,        /* -> CONNECTING by open */
	TLS_STATE_CONNECTING, /* the lower opens; -> HANDSHAKE, ENDED, CLOSING */
	TLS_STATE_HANDSHAKE,  /* -> OPEN, ENDED, CLOSING */
	TLS_STATE_OPEN,       /* -> ENDED by the peer or an error, CLOSING */
	TLS_STATE_ENDED,      /* `failed` was told; -> CLOSING */
	TLS_STATE_CLOSING,    /* -> CLOSED with the last of lower, timer and later */
	TLS_STATE_CLOSED
};

struct tls {
	struct skiffi_transport base;
	enum tls_state state;
	struct skiffi_transport *lower;
	SSL *ssl; /* from TLS_STATE_HANDSHAKE on */
	struct skiffi_tls_report report;
	struct skiffi_buffer out; /* records that the lower has not taken yet */
	uv_timer_t timer;         /* the handshake's deadline */
	uv_idle_t later;          /* what must come from the loop; a timer set to 0 again and again would starve it */
	unsigned holders;         /* of lower, timer and later, those not yet closed */
	int64_t handshake_us;     /* when it began */
	bool reading;
	bool want_write; /* send took less than it was given */
	bool drained;    /* OpenSSL has nothing more until the lower is readable */
	bool progress;   /* recv gave something since this was cleared */
	bool recv_over;  /* recv saw the end */
	bool lower_over; /* the lower ended, and tells so */
	bool no_memory;  /* for a record that the lower did not take */
	bool ending;     /* `failed` is to be told from the loop */
	bool settled;    /* the handshake is through, and nothing was found wrong */
};

static struct tls *tls_of(const struct skiffi_transport *transport)
{
	return (struct tls *)transport;
}

/* OpenSSL's queue and errno are the thread's: what others left there is not ours. */
static void tls_clear(void)
{
	ERR_clear_error();
	errno = 0;
}

/* ---- the BIO between OpenSSL and the lower transport ---- */

static pthread_once_t bio_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *bio_method; /* NULL when memory was out */

static int bio_read(BIO *bio, char *data, int len)
{
	struct tls *tls = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	ptrdiff_t got = tls->lower->ops->recv(tls->lower, data, (size_t)len);
	if (got > 0)
		return (int)got;
	if (!got)
		BIO_set_retry_read(bio);
	else
		tls->lower_over = true;
	return -1;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct tls *tls = BIO_get_data(bio);
	struct iovec piece = {(void *)data, (size_t)len};
	ptrdiff_t sent = 0;
	BIO_clear_retry_flags(bio);
	if (tls->lower_over)
		return len;
	if (!skiffi_buffer_len(&tls->out))
		sent = tls->lower->ops->send(tls->lower, &piece, 1);
	if (sent < 0) {
		tls->lower_over = true;
		return len;
	}
	if (sent == len || skiffi_buffer_append(&tls->out, data + sent, (size_t)(len - sent)))
		return len;
	tls->no_memory = true;
	return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *data)
{
	(void)bio, (void)number, (void)data;
	return command == BIO_CTRL_FLUSH;
}

static void bio_make_method(void)
{
	bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "skiff transport");
	if (!bio_method)
		return;
	BIO_meth_set_read(bio_method, bio_read);
	BIO_meth_set_write(bio_method, bio_write);
	BIO_meth_set_ctrl(bio_method, bio_ctrl);
}

static BIO *bio_new(struct tls *tls)
{
	pthread_once(&bio_once, bio_make_method);
	BIO *bio = bio_method ? BIO_new(bio_method) : NULL;
	if (bio) {
		BIO_set_data(bio, tls);
		BIO_set_init(bio, 1);
	}
	return bio;
}

/* ---- failing ---- */

/* Tells `failed`; only from the loop. */
static void tls_fail(struct tls *tls, const struct skiff_error *error)
{
	tls->state = TLS_STATE_ENDED;
	uv_timer_stop(&tls->timer);
	uv_idle_stop(&tls->later);
	if (!tls->lower_over)
		tls->lower->ops->reading(tls->lower, false);
	skiffi_log(SKIFF_LOG_DEBUG, "transport", "%s", error->text);
	tls->base.events->failed(tls->base.user, error);
}

static void tls_fail_by_report(struct tls *tls)
{
	struct skiff_error error;
	if (tls->no_memory)
		skiffi_fail_plain(&error, SKIFF_MEMORY);
	else
		skiffi_tls_error(&tls->report, tls->base.config->tls, tls->base.config->endpoint, &error);
	tls_fail(tls, &error);
}

static void tls_on_later(uv_idle_t *later);

/* Has the loop call back at once. */
static void tls_later(struct tls *tls)
{
	uv_idle_start(&tls->later, tls_on_later);
}

/* Notes the end that a call to OpenSSL showed; the lower tells by itself when it was its end. */
static void tls_end(struct tls *tls, int result)
{
	skiffi_tls_record(&tls->report, tls->ssl, result);
	if (tls->lower_over || tls->ending)
		return;
	tls->ending = true;
	tls_later(tls);
}

/* ---- reading ---- */

/* Offers what there is; what the user leaves in OpenSSL is offered again. */
static void tls_offer(struct tls *tls)
{
	tls->base.events->readable(tls->base.user);
	if (tls->state == TLS_STATE_OPEN && tls->reading && !tls->drained && !tls->ending && !tls->recv_over)
		tls_later(tls);
}

static void tls_on_later(uv_idle_t *later)
{
	struct tls *tls = later->data;
	uv_idle_stop(later);
	if (tls->ending)
		tls_fail_by_report(tls);
	else if (tls->state == TLS_STATE_OPEN && tls->reading && !tls->drained && !tls->recv_over)
		tls_offer(tls);
}

static ptrdiff_t tls_recv(struct skiffi_transport *transport, void *data, size_t len)
{
	struct tls *tls = tls_of(transport);
	size_t total = 0;
	if (tls->state != TLS_STATE_OPEN || tls->recv_over)
		return tls->state < TLS_STATE_OPEN ? 0 : -1;
	while (total < len) {
		size_t room = len - total < TLS_READ_MAX_BYTES ? len - total : TLS_READ_MAX_BYTES;
		tls_clear();
		int got = SSL_read(tls->ssl, (char *)data + total, (int)room);
		if (got > 0) {
			total += (size_t)got;
			continue;
		}
		tls->drained = true;
		if (SSL_get_error(tls->ssl, got) == SSL_ERROR_WANT_READ)
			break;
		tls->recv_over = true;
		tls_end(tls, got);
		break;
	}
	if (!total)
		return tls->recv_over ? -1 : 0;
	tls->progress = true;
	tls->report.data_received = true;
	return (ptrdiff_t)total;
}

static void tls_reading(struct skiffi_transport *transport, bool on)
{
	struct tls *tls = tls_of(transport);
	tls->reading = on;
	if (tls->state != TLS_STATE_OPEN || tls->lower_over)
		return;
	tls->lower->ops->reading(tls->lower, on);
	if (on && !tls->drained && !tls->ending)
		tls_later(tls);
}

/* ---- writing ---- */

/* A place in the caller's pieces. */
struct cursor {
	const struct iovec *piece, *end;
	size_t offset; /* in *piece */
};

static void cursor_skip(struct cursor *cursor, size_t len)
{
	while (cursor->piece < cursor->end && len >= cursor->piece->iov_len - cursor->offset) {
		len -= cursor->piece->iov_len - cursor->offset;
		cursor->offset = 0;
		cursor->piece++;
	}
	cursor->offset += len;
}

/* The next record's bytes: where they lie if one piece fills it, else gathered in `record`. Result: NULL at the end. */
static const void *cursor_record(struct cursor cursor, char *record, size_t *len)
{
	cursor_skip(&cursor, 0);
	*len = 0;
	if (cursor.piece == cursor.end)
		return NULL;
	size_t rest = cursor.piece->iov_len - cursor.offset;
	if (rest >= TLS_RECORD_BYTES || cursor.piece + 1 == cursor.end) {
		*len = rest < TLS_RECORD_BYTES ? rest : TLS_RECORD_BYTES;
		return (const char *)cursor.piece->iov_base + cursor.offset;
	}
	while (*len < TLS_RECORD_BYTES && cursor.piece < cursor.end) {
		size_t some = cursor.piece->iov_len - cursor.offset;
		if (some > TLS_RECORD_BYTES - *len)
			some = TLS_RECORD_BYTES - *len;
		memcpy(record + *len, (const char *)cursor.piece->iov_base + cursor.offset, some);
		*len += some;
		cursor_skip(&cursor, some);
	}
	return record;
}

static ptrdiff_t tls_send(struct skiffi_transport *transport, const struct iovec *pieces, size_t count)
{
	struct tls *tls = tls_of(transport);
	struct cursor cursor = {pieces, pieces + count, 0};
	char record[TLS_RECORD_BYTES];
	const void *data;
	size_t len, taken = 0;
	if (tls->state != TLS_STATE_OPEN || tls->ending || tls->lower_over)
		return tls->state < TLS_STATE_OPEN ? 0 : -1;
	while ((data = cursor_record(cursor, record, &len))) {
		if (skiffi_buffer_len(&tls->out)) {
			tls->want_write = true;
			break;
		}
		tls_clear();
		int sent = SSL_write(tls->ssl, data, (int)len);
		if (sent <= 0) {
			tls_end(tls, sent);
			return -1;
		}
		if (tls->lower_over)
			return -1;
		taken += (size_t)sent;
		cursor_skip(&cursor, (size_t)sent);
	}
	return (ptrdiff_t)taken;
}

/* Hands the lower what waits in `out`. Result: whether nothing waits any more. */
static bool tls_flush(struct tls *tls)
{
	if (!skiffi_buffer_len(&tls->out))
		return true;
	struct iovec piece = {skiffi_buffer_head(&tls->out), skiffi_buffer_len(&tls->out)};
	ptrdiff_t sent = tls->lower->ops->send(tls->lower, &piece, 1);
	if (sent < 0) {
		tls->lower_over = true;
		return false;
	}
	skiffi_buffer_consume(&tls->out, (size_t)sent);
	if (skiffi_buffer_len(&tls->out))
		return false;
	skiffi_buffer_release(&tls->out);
	return true;
}

/* ---- the handshake ---- */

static void tls_on_deadline(uv_timer_t *timer)
{
	struct tls *tls = timer->data;
	struct skiff_connection way = {0};
	struct skiff_error error;
	tls->lower->ops->info(tls->lower, &way);
	skiffi_fail(&error, SKIFF_TLS_TIMEOUT, 0,
		"no end of the TLS handshake with %s within %d ms; is this a port for TLS?", way.address,
		tls->base.config->timeouts.tls_ms);
	tls_fail(tls, &error);
}

/* False after failing: what is to be kept of the server's key could not be. */
static bool tls_settle(struct tls *tls)
{
	struct skiff_error error;
	const char *first_pin = tls->report.pin_is_new ? tls->report.pin : "";
	tls->settled = skiffi_tls_context_settle(tls->base.config->tls, tls->ssl, first_pin, &error);
	if (tls->settled)
		return true;
	tls_fail(tls, &error);
	return false;
}

static void tls_handshake(struct tls *tls)
{
	tls_clear();
	int result = SSL_do_handshake(tls->ssl);
	if (result != 1) {
		if (SSL_get_error(tls->ssl, result) == SSL_ERROR_WANT_READ)
			return;
		skiffi_tls_record(&tls->report, tls->ssl, result);
		/* the lower's own reason is still to come, unless the peer said more than that */
		if (!tls->lower_over || tls->report.alert_received >= 0)
			tls_fail_by_report(tls);
		return;
	}
	uv_timer_stop(&tls->timer);
	if (!tls_settle(tls))
		return;
	tls->state = TLS_STATE_OPEN;
	tls->reading = true;
	tls->drained = !SSL_has_pending(tls->ssl);
	tls->base.events->opened(tls->base.user);
	if (tls->state == TLS_STATE_OPEN && tls->reading && !tls->drained && !tls->ending)
		tls_later(tls);
}

static bool tls_begin(struct tls *tls)
{
	tls->ssl = skiffi_tls_context_new_ssl(tls->base.config->tls);
	BIO *bio = tls->ssl ? bio_new(tls) : NULL;
	if (!bio)
		return false;
	SSL_set_bio(tls->ssl, bio, bio);
	SSL_set_connect_state(tls->ssl);
	return skiffi_tls_attach(tls->ssl, &tls->report, tls->base.config->tls);
}

/* ---- what the lower tells ---- */

static void lower_opened(void *user)
{
	struct tls *tls = user;
	int limit = tls->base.config->timeouts.tls_ms;
	tls->state = TLS_STATE_HANDSHAKE;
	tls->handshake_us = skiffi_now_us();
	if (!tls_begin(tls)) {
		struct skiff_error error;
		ERR_clear_error();
		skiffi_fail_plain(&error, SKIFF_MEMORY);
		tls_fail(tls, &error);
		return;
	}
	if (limit >= 0)
		uv_timer_start(&tls->timer, tls_on_deadline, (uint64_t)limit, 0);
	tls_handshake(tls);
}

static void lower_readable(void *user)
{
	struct tls *tls = user;
	tls->drained = false;
	if (tls->state == TLS_STATE_HANDSHAKE)
		tls_handshake(tls);
	else if (tls->state == TLS_STATE_OPEN && tls->reading && !tls->recv_over)
		tls_offer(tls);
}

static void lower_writable(void *user)
{
	struct tls *tls = user;
	if (!tls_flush(tls) || tls->state != TLS_STATE_OPEN || !tls->want_write)
		return;
	tls->want_write = false;
	tls->base.events->writable(tls->base.user);
}

/* Has the user read what OpenSSL still holds; or, if reading is off, looks for the alert in it. */
static void tls_read_rest(struct tls *tls)
{
	char dropped[1024];
	int got = 1;
	do {
		tls->progress = false;
		if (tls->reading && !tls->recv_over)
			tls->base.events->readable(tls->base.user);
	} while (tls->progress && tls->state == TLS_STATE_OPEN);
	if (tls->state != TLS_STATE_OPEN || tls->recv_over)
		return;
	while (got > 0) {
		tls_clear();
		got = SSL_read(tls->ssl, dropped, sizeof dropped);
	}
	skiffi_tls_record(&tls->report, tls->ssl, got);
}

static bool tls_report_says_more(const struct tls *tls, const struct skiff_error *error)
{
	const struct skiffi_tls_report *report = &tls->report;
	if (report->verify_code != SKIFF_OK || report->alert_received >= 0)
		return true;
	return error->code == SKIFF_TCP_CLOSED || error->code == SKIFF_TCP_RESET;
}

static void lower_failed(void *user, const struct skiff_error *error)
{
	struct tls *tls = user;
	struct skiff_error copy = *error;
	tls->lower_over = true;
	if (tls->state == TLS_STATE_OPEN)
		tls_read_rest(tls);
	if (tls->state >= TLS_STATE_ENDED)
		return;
	tls->report.system_error = copy.detail;
	tls->report.peer_closed = true;
	if (tls->state != TLS_STATE_CONNECTING && tls_report_says_more(tls, &copy))
		tls_fail_by_report(tls);
	else
		tls_fail(tls, &copy);
}

static void tls_drop(struct tls *tls)
{
	if (--tls->holders)
		return;
	tls->state = TLS_STATE_CLOSED;
	tls->base.events->closed(tls->base.user);
}

static void lower_closed(void *user)
{
	tls_drop(user);
}

static const struct skiffi_transport_events tls_lower_events = {
	.opened = lower_opened,
	.readable = lower_readable,
	.writable = lower_writable,
	.failed = lower_failed,
	.closed = lower_closed,
};

/* ---- the other operations ---- */

static bool tls_open(struct skiffi_transport *transport)
{
	struct tls *tls = tls_of(transport);
	if (!tls->lower->ops->open(tls->lower))
		return false;
	uv_timer_init(&transport->loop->uv, &tls->timer);
	uv_idle_init(&transport->loop->uv, &tls->later);
	tls->timer.data = tls->later.data = tls;
	tls->holders = 3;
	tls->state = TLS_STATE_CONNECTING;
	return true;
}

static void tls_info(const struct skiffi_transport *transport, struct skiff_connection *connection)
{
	const struct tls *tls = tls_of(transport);
	const struct skiffi_tls_report *report = &tls->report;
	tls->lower->ops->info(tls->lower, connection);
	connection->tls_certificate_wanted = report->certificate_requested;
	connection->tls_session_given = report->session_given;
	connection->tls_ended = report->close_notify;
	connection->phases.tls_us = report->done_us ? report->done_us - tls->handshake_us : -1;
	if (report->handshake_done) {
		skiffi_tls_info(tls->ssl, connection);
	} else if (report->verify_code != SKIFF_OK && !report->verify_depth) {
		memcpy(connection->tls_subject, report->verify_subject, sizeof connection->tls_subject);
		memcpy(connection->tls_issuer, report->verify_issuer, sizeof connection->tls_issuer);
	}
}

static void handle_closed(uv_handle_t *handle)
{
	tls_drop(handle->data);
}

static void tls_traffic(const struct skiffi_transport *transport, uint64_t *out, uint64_t *in)
{
	const struct tls *tls = tls_of(transport);
	tls->lower->ops->traffic(tls->lower, out, in);
}

static void tls_close(struct skiffi_transport *transport, bool abort)
{
	struct tls *tls = tls_of(transport);
	assert(tls->state != TLS_STATE_NEW && tls->state < TLS_STATE_CLOSING);
	if (!abort && tls->state == TLS_STATE_OPEN && !tls->ending && !tls->recv_over && !tls->lower_over) {
		tls_clear();
		SSL_shutdown(tls->ssl);
		ERR_clear_error();
		tls_flush(tls);
	}
	tls->state = TLS_STATE_CLOSING;
	tls->lower->ops->close(tls->lower, abort);
	uv_close((uv_handle_t *)&tls->timer, handle_closed);
	uv_close((uv_handle_t *)&tls->later, handle_closed);
}

static void tls_free(struct skiffi_transport *transport)
{
	struct tls *tls = tls_of(transport);
	assert(tls->state == TLS_STATE_NEW || tls->state == TLS_STATE_CLOSED);
	/* OpenSSL resumes no session whose connection did not end in order; one that was lost is the one to resume */
	int reason = ERR_GET_REASON(tls->report.openssl_error);
	bool broken = tls->report.openssl_error && reason != SSL_R_UNEXPECTED_EOF_WHILE_READING;
	if (tls->ssl && tls->settled && !broken && tls->report.alert_received < 0)
		SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(tls->ssl);
	skiffi_buffer_release(&tls->out);
	tls->lower->ops->free(tls->lower);
	skiffi_free(tls);
}

static const struct skiffi_transport_ops tls_ops = {
	.name = "tls",
	.open = tls_open,
	.recv = tls_recv,
	.send = tls_send,
	.reading = tls_reading,
	.info = tls_info,
	.traffic = tls_traffic,
	.close = tls_close,
	.free = tls_free,
};

struct skiffi_transport *skiffi_tls_new(struct skiffi_loop *loop, const struct skiffi_transport_config *config,
	const struct skiffi_transport_events *events, void *user)
{
	struct tls *tls = skiffi_calloc(1, sizeof *tls);
	if (!tls)
		return NULL;
	tls->base = (struct skiffi_transport){&tls_ops, loop, config, events, user};
	tls->report.alert_received = -1;
	tls->lower = skiffi_proxy_way_new(loop, config, &tls_lower_events, tls);
	if (tls->lower)
		return &tls->base;
	skiffi_free(tls);
	return NULL;
}
