/* SPDX-License-Identifier: Apache-2.0 */
/* native_handshake.c: attempts that end when TLS stands (options.tls.handshake_only).
 *
 * Happy path: the way is the endpoint's without WebSocket; the transport opens; unless the server may still judge our
 * certificate the attempt is over, with SKIFF_OK; else its word is waited for: a session to resume, which a server of
 * TLS 1.3 gives only behind our certificate, bytes of its own, an orderly end, or silence for HANDSHAKE_JUDGE_MS.
 * Failure: what the transport tells, before or while that is waited for. Nothing is ever sent above TLS. */
#include "base/alloc.h"
#include "base/error.h"
#include "engine/native_internal.h"
#include <string.h>

enum { HANDSHAKE_JUDGE_MS = 1000 };

bool skiffi_native_bare(const struct native_engine *self)
{
	return self->bare;
}

int skiffi_native_bare_limit_ms(void)
{
	return HANDSHAKE_JUDGE_MS;
}

bool skiffi_native_bare_options(struct native_engine *self, struct skiff_error *error)
{
	const struct skiffi_endpoint *endpoint = self->base.config->endpoint;
	if (!endpoint->tls) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0,
			"'%s' has no TLS, and only the TLS handshake is wanted; give a URL of mqtts:// or wss://",
			endpoint->url);
		return false;
	}
	self->bare = skiffi_malloc(sizeof *self->bare);
	if (!self->bare) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return false;
	}
	*self->bare = *endpoint; /* a view, of another kind */
	self->bare->kind = SKIFFI_TLS;
	self->transport_config.endpoint = self->bare;
	return true;
}

static void handshake_accepted(struct native_engine *self)
{
	struct skiff_error none = {.code = SKIFF_OK};
	skiffi_native_end(self, &none, false);
}

/* Whether the server's judgement on our certificate, or on its lack, may still be on its way. */
static bool handshake_undecided(const struct skiff_connection *seen)
{
	return seen->tls_certificate_wanted && !seen->tls_session_given && strcmp(seen->tls_version, "TLSv1.3") == 0;
}

void skiffi_native_bare_opened(struct native_engine *self)
{
	struct skiff_connection seen = {0};
	self->transport->ops->info(self->transport, &seen);
	if (handshake_undecided(&seen))
		skiffi_native_arm(self);
	else
		handshake_accepted(self);
}

void skiffi_native_bare_readable(struct native_engine *self)
{
	struct skiff_connection seen = {0};
	ptrdiff_t got = self->transport->ops->recv(
		self->transport, self->base.config->loop->scratch, SKIFFI_LOOP_SCRATCH_BYTES);
	self->transport->ops->info(self->transport, &seen);
	if (got > 0 || (got == 0 && seen.tls_session_given))
		handshake_accepted(self);
}

void skiffi_native_bare_late(struct native_engine *self)
{
	handshake_accepted(self);
}

/* An end in order is the server's way to go once it has accepted; a bare one may be its way to refuse. */
bool skiffi_native_bare_ended(struct native_engine *self, const struct skiff_error *error)
{
	struct skiff_connection seen = {0};
	struct skiff_error cause;
	if (!self->bare || self->state != NATIVE_GREETING || error->code != SKIFF_TCP_CLOSED)
		return false;
	self->transport->ops->info(self->transport, &seen);
	if (seen.tls_ended) {
		handshake_accepted(self);
		return true;
	}
	skiffi_fail(&cause, SKIFF_TLS_CLOSED, error->detail,
		"the server asked for a client certificate, and closed the connection without a word and without "
		"ending TLS; "
		"it may not have accepted it, or the lack of one: its log tells");
	skiffi_native_end(self, &cause, true);
	return true;
}
