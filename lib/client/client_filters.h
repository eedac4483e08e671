/* SPDX-License-Identifier: Apache-2.0 */
/* client_filters.h: which handlers a topic has [MQTT 5, 4.7].
 *
 * Filters without a wildcard are found by one hash of the topic; the others stand in a trie of levels. Several entries
 * may share a filter: "$share/a/f", "$share/b/f" and "f" are three. All calls under the client's lock. */
#ifndef SKIFFI_CLIENT_FILTERS_H
#define SKIFFI_CLIENT_FILTERS_H

#include <skiff/client.h>

/* One subscription. */
struct client_filter {
	struct client_filter *next;                 /* in its place: exact bucket or trie node */
	struct client_filter *all_next, **all_link; /* among all, in the order they came */
	char *text;                                 /* the filter as the user gave it */
	size_t text_len;
	size_t match_at;          /* where the filter behind a share name begins in `text` */
	uint32_t hash;            /* of an exact one */
	skiff_message_fn handler; /* NULL: none of its own */
	void *user;
	uint64_t serial; /* of the request that set it last */
	uint32_t subscription_id;
	uint8_t options; /* as on the wire */
	bool granted;    /* the broker has it: to be subscribed again after a lost session */
};

struct client_node;

/* All-zero is empty. */
struct client_filters {
	struct client_filter **exact; /* buckets; a power of two of them */
	size_t exact_buckets, exact_count;
	struct client_node *wild; /* root of the trie */
	size_t wild_count;
	struct client_filter *all, **all_end;
	uint64_t generation; /* changes with every change: what was matched before may be stale */
};

/* One handler to call. */
struct client_call {
	skiff_message_fn handler;
	void *user;
};

/* Finds the entry of exactly this filter; NULL. */
struct client_filter *skiffi_client_filters_find(struct client_filters *filters, struct skiff_bytes text);

/* Adds an entry for a valid filter that has none; NULL when memory is out. */
struct client_filter *skiffi_client_filters_add(struct client_filters *filters, struct skiff_bytes text);

void skiffi_client_filters_remove(struct client_filters *filters, struct client_filter *filter);

/* The calls for `topic` at calls[0..max); the number there are, which may be above `max`. */
size_t skiffi_client_filters_match(
	const struct client_filters *filters, struct skiff_bytes topic, struct client_call *calls, size_t max);

void skiffi_client_filters_release(struct client_filters *filters);

#endif
