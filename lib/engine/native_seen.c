/* SPDX-License-Identifier: Apache-2.0 */
/* native_seen.c: what is known of the way to the peer, kept while ten thousand connections are idle. */
#include "base/alloc.h"
#include "engine/native_internal.h"
#include <stdio.h>
#include <string.h>

static const struct skiff_phases seen_no_phases = {-1, -1, -1, -1, -1, -1, -1};

struct seen_text {
	char *at;
	size_t size;
};

/* The texts of a connection, in the order in which they are kept. */
enum { SEEN_TEXTS = 6 };
static void seen_texts(struct skiff_connection *connection, struct seen_text texts[SEEN_TEXTS])
{
	texts[0] = (struct seen_text){connection->address, sizeof connection->address};
	texts[1] = (struct seen_text){connection->tls_version, sizeof connection->tls_version};
	texts[2] = (struct seen_text){connection->tls_cipher, sizeof connection->tls_cipher};
	texts[3] = (struct seen_text){connection->tls_alpn, sizeof connection->tls_alpn};
	texts[4] = (struct seen_text){connection->tls_subject, sizeof connection->tls_subject};
	texts[5] = (struct seen_text){connection->tls_issuer, sizeof connection->tls_issuer};
}

void skiffi_native_unsee(struct native_engine *self)
{
	skiffi_free(self->seen.texts);
	self->seen = (struct native_seen){.phases = seen_no_phases};
}

void skiffi_native_see(struct native_engine *self)
{
	struct skiff_connection connection;
	struct seen_text texts[SEEN_TEXTS];
	size_t len = 0;
	skiffi_native_seen(self, &connection);
	self->transport->ops->info(self->transport, &connection);
	skiffi_native_unsee(self);
	self->seen.phases = connection.phases;
	self->seen.http_status = connection.http_status;
	self->seen.tls_resumed = connection.tls_resumed;
	self->seen.tls_certificate_wanted = connection.tls_certificate_wanted;
	self->seen.tls_session_given = connection.tls_session_given;
	seen_texts(&connection, texts);
	for (size_t i = 0; i < SEEN_TEXTS; i++)
		len += strlen(texts[i].at) + 1;
	char *at = self->seen.texts = skiffi_malloc(len);
	for (size_t i = 0; at && i < SEEN_TEXTS; i++)
		at = stpcpy(at, texts[i].at) + 1;
}

void skiffi_native_seen(const struct native_engine *self, struct skiff_connection *connection)
{
	struct seen_text texts[SEEN_TEXTS];
	const char *at = self->seen.texts;
	memset(connection, 0, sizeof *connection);
	connection->phases = self->seen.phases;
	connection->http_status = self->seen.http_status;
	connection->tls_resumed = self->seen.tls_resumed;
	connection->tls_certificate_wanted = self->seen.tls_certificate_wanted;
	connection->tls_session_given = self->seen.tls_session_given;
	connection->reason = -1;
	seen_texts(connection, texts);
	for (size_t i = 0; at && i < SEEN_TEXTS; i++) {
		snprintf(texts[i].at, texts[i].size, "%s", at);
		at += strlen(at) + 1;
	}
}
