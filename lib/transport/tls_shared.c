/* SPDX-License-Identifier: Apache-2.0 */
/* tls_shared.c: a short list, as programs have few kinds of TLS. A file that was changed makes another key; the old
 * entry goes when its last user does, or when its place is needed. */
#include "transport/tls_shared.h"

#include "base/alloc.h"
#include "transport/tls_watch.h"
#include <pthread.h>
#include <string.h>

enum { SHARED_UNUSED_MAX = 4 };

struct shared_entry {
	struct shared_entry *next; /* newest first */
	SSL_CTX *ctx;
	size_t users;
	bool lasting;
	size_t key_len;
	uint8_t key[];
};

static pthread_mutex_t shared_lock = PTHREAD_MUTEX_INITIALIZER;
static struct shared_entry *shared_first;

/* ---- the key ---- */

static bool key_text(struct skiffi_buffer *key, const char *text)
{
	return skiffi_buffer_append(key, text ? "+" : "-", 1) &&
	       (!text || skiffi_buffer_append(key, text, strlen(text) + 1));
}

static bool key_number(struct skiffi_buffer *key, int number)
{
	return skiffi_buffer_append(key, &number, sizeof number);
}

/* What is in memory is looked into anew by each; a password may differ, and so may what is told of
 * keys, and what a token gives. */
bool skiffi_tls_shared_key(
	const struct skiff_tls_options *options, bool skip_chain, const char *alpn, struct skiffi_buffer *key)
{
	if (options->ca_pem.len || options->cert_pem.len || options->key_pem.len || options->psk_identity ||
		options->key_password || options->keylog_file || options->refuse_open_key ||
		!skiffi_tls_watch_plain(options))
		return false;
	return key_number(key, skip_chain) && key_number(key, options->ca_system) &&
	       key_number(key, (int)options->min_version) && key_number(key, (int)options->max_version) &&
	       key_text(key, options->ciphers) && key_text(key, options->cipher_suites) &&
	       key_text(key, options->groups) && key_text(key, alpn) && skiffi_tls_watch_state(options, key);
}

/* ---- the list; under the lock ---- */

static struct shared_entry **shared_place(const struct skiffi_buffer *key, const SSL_CTX *ctx)
{
	struct shared_entry **at = &shared_first;
	while (*at && (ctx ? (*at)->ctx != ctx
			   : (*at)->key_len != skiffi_buffer_len(key) ||
					      memcmp((*at)->key, skiffi_buffer_head(key), (*at)->key_len)))
		at = &(*at)->next;
	return at;
}

static void shared_drop(struct shared_entry **at)
{
	struct shared_entry *entry = *at;
	*at = entry->next;
	SSL_CTX_free(entry->ctx);
	skiffi_free(entry);
}

/* Of those that nobody has, only the newest few stay. */
static void shared_prune(size_t most)
{
	size_t unused = 0;
	for (struct shared_entry **at = &shared_first; *at;) {
		if (!(*at)->users && (!(*at)->lasting || ++unused > most))
			shared_drop(at);
		else
			at = &(*at)->next;
	}
}

/* ---- the calls ---- */

SSL_CTX *skiffi_tls_shared_find(const struct skiffi_buffer *key)
{
	pthread_mutex_lock(&shared_lock);
	struct shared_entry *entry = *shared_place(key, NULL);
	if (entry)
		entry->users++;
	pthread_mutex_unlock(&shared_lock);
	return entry ? entry->ctx : NULL;
}

bool skiffi_tls_shared_offer(const struct skiffi_buffer *key, SSL_CTX *ctx, bool lasting)
{
	size_t len = skiffi_buffer_len(key);
	struct shared_entry *entry = skiffi_malloc(sizeof *entry + len);
	if (!entry)
		return false;
	*entry = (struct shared_entry){.ctx = ctx, .users = 1, .lasting = lasting, .key_len = len};
	memcpy(entry->key, skiffi_buffer_head(key), len);
	pthread_mutex_lock(&shared_lock);
	entry->next = shared_first;
	shared_first = entry;
	pthread_mutex_unlock(&shared_lock);
	return true;
}

void skiffi_tls_shared_let_go(SSL_CTX *ctx)
{
	pthread_mutex_lock(&shared_lock);
	struct shared_entry *entry = *shared_place(NULL, ctx);
	entry->users--;
	shared_prune(SHARED_UNUSED_MAX);
	pthread_mutex_unlock(&shared_lock);
}

void skiffi_tls_shared_forget(void)
{
	pthread_mutex_lock(&shared_lock);
	shared_prune(0);
	pthread_mutex_unlock(&shared_lock);
}
