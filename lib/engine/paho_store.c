/* SPDX-License-Identifier: Apache-2.0 */
/* paho_store.c: what a session that may go on holds, behind Paho's hooks for persistence, in memory.
 *
 * Paho keeps in a handle what is in flight. But when a write fails it frees a message that it goes on to send again,
 * and a handle that is connecting can be stopped only by destroying it. So each connection has a handle of its own, and
 * what has to outlive it is put here by Paho itself, and restored from here, with its packet ids, by the next handle.
 * What the store holds also tells which messages Paho had begun with, and which of QoS 2 the broker has taken over
 * (PUBREL). Called by Paho's threads and the worker under Paho's lock, and by the loop thread: it has a lock of its
 * own. */
#include "base/alloc.h"
#include "engine/paho_internal.h"
#include <MQTTClientPersistence.h>
#include <stdio.h>
#include <string.h>

enum { STORE_BUCKETS = 256, STORE_KEY_BYTES = 16 };

struct store_record {
	struct store_record *next;
	size_t len;
	char key[STORE_KEY_BYTES];
	char data[];
};

struct paho_store {
	pthread_mutex_t lock;
	struct store_record *buckets[STORE_BUCKETS];
	size_t count;
	MQTTClient_persistence hooks;
};

static struct store_record **store_bucket(struct paho_store *store, const char *key)
{
	unsigned hash = 5381;
	for (; *key; key++)
		hash = hash * 33 + (unsigned char)*key;
	return &store->buckets[hash % STORE_BUCKETS];
}

/* Where the record of `key` hangs, or would. */
static struct store_record **store_place(struct paho_store *store, const char *key)
{
	struct store_record **at = store_bucket(store, key);
	while (*at && strcmp((*at)->key, key))
		at = &(*at)->next;
	return at;
}

static bool store_drop(struct paho_store *store, const char *key)
{
	struct store_record **at = store_place(store, key), *record = *at;
	if (!record)
		return false;
	*at = record->next;
	store->count--;
	skiffi_free(record);
	return true;
}

/* ---- Paho's hooks: 0, or MQTTCLIENT_PERSISTENCE_ERROR ---- */

static int store_open(void **handle, const char *client_id, const char *uri, void *context)
{
	(void)client_id;
	(void)uri;
	*handle = context;
	return 0;
}

static int store_close(void *handle)
{
	(void)handle;
	return 0;
}

static int store_put(void *handle, char *key, int count, char *pieces[], int lens[])
{
	struct paho_store *store = handle;
	size_t len = 0;
	for (int i = 0; i < count; i++)
		len += (size_t)lens[i];
	struct store_record *record = strlen(key) < STORE_KEY_BYTES ? skiffi_malloc(sizeof *record + len) : NULL;
	if (!record)
		return MQTTCLIENT_PERSISTENCE_ERROR;
	snprintf(record->key, sizeof record->key, "%s", key);
	record->len = 0;
	for (int i = 0; i < count; record->len += (size_t)lens[i++])
		if (lens[i])
			memcpy(record->data + record->len, pieces[i], (size_t)lens[i]);
	pthread_mutex_lock(&store->lock);
	store_drop(store, key);
	struct store_record **bucket = store_bucket(store, key);
	record->next = *bucket;
	*bucket = record;
	store->count++;
	pthread_mutex_unlock(&store->lock);
	return 0;
}

/* A copy in our own memory: Paho's is taken only without the lock, as its locks come before all of ours. */
static struct store_record *store_copy(struct paho_store *store, const char *key)
{
	pthread_mutex_lock(&store->lock);
	const struct store_record *record = *store_place(store, key);
	struct store_record *copy = record ? skiffi_malloc(sizeof *copy + record->len) : NULL;
	if (copy)
		memcpy(copy, record, sizeof *copy + record->len);
	pthread_mutex_unlock(&store->lock);
	return copy;
}

/* The data are Paho's to free. */
static int store_get(void *handle, char *key, char **data, int *len)
{
	struct store_record *copy = store_copy(handle, key);
	*data = copy ? MQTTAsync_malloc(copy->len ? copy->len : 1) : NULL;
	if (*data) {
		memcpy(*data, copy->data, copy->len);
		*len = (int)copy->len;
	}
	skiffi_free(copy);
	return *data ? 0 : MQTTCLIENT_PERSISTENCE_ERROR;
}

static int store_remove(void *handle, char *key)
{
	struct paho_store *store = handle;
	pthread_mutex_lock(&store->lock);
	bool there = store_drop(store, key);
	pthread_mutex_unlock(&store->lock);
	return there ? 0 : MQTTCLIENT_PERSISTENCE_ERROR;
}

static int store_contains(void *handle, char *key)
{
	struct paho_store *store = handle;
	pthread_mutex_lock(&store->lock);
	bool there = *store_place(store, key) != NULL;
	pthread_mutex_unlock(&store->lock);
	return there ? 0 : MQTTCLIENT_PERSISTENCE_ERROR;
}

typedef char store_key[STORE_KEY_BYTES];

/* Every key, in our own memory; NULL: none, or memory is out. */
static store_key *store_list(struct paho_store *store, size_t *count)
{
	pthread_mutex_lock(&store->lock);
	store_key *list = store->count ? skiffi_malloc(store->count * sizeof *list) : NULL;
	*count = 0;
	for (size_t i = 0; list && i < STORE_BUCKETS; i++)
		for (struct store_record *record = store->buckets[i]; record; record = record->next)
			memcpy(list[(*count)++], record->key, sizeof *list);
	bool failed = store->count && !list;
	pthread_mutex_unlock(&store->lock);
	*count = failed ? SIZE_MAX : *count;
	return list;
}

static char *store_key_copy(const store_key key)
{
	char *copy = MQTTAsync_malloc(STORE_KEY_BYTES);
	if (copy)
		memcpy(copy, key, STORE_KEY_BYTES);
	return copy;
}

/* The list and the keys are Paho's to free. */
static int store_keys(void *handle, char ***keys, int *count)
{
	size_t wanted;
	store_key *list = store_list(handle, &wanted);
	*count = 0;
	*keys = list ? MQTTAsync_malloc(wanted * sizeof **keys) : NULL;
	while (*keys && (size_t)*count < wanted && ((*keys)[*count] = store_key_copy(list[*count])))
		++*count;
	skiffi_free(list);
	return (size_t)*count == wanted ? 0 : MQTTCLIENT_PERSISTENCE_ERROR;
}

static int store_clear(void *handle)
{
	struct paho_store *store = handle;
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < STORE_BUCKETS; i++)
		while (store->buckets[i])
			store_drop(store, store->buckets[i]->key);
	pthread_mutex_unlock(&store->lock);
	return 0;
}

/* ---- ours ---- */

struct paho_store *skiffi_paho_store_new(void)
{
	struct paho_store *store = skiffi_calloc(1, sizeof *store);
	if (!store)
		return NULL;
	pthread_mutex_init(&store->lock, NULL);
	store->hooks = (MQTTClient_persistence){.context = store,
		.popen = store_open,
		.pclose = store_close,
		.pput = store_put,
		.pget = store_get,
		.premove = store_remove,
		.pkeys = store_keys,
		.pclear = store_clear,
		.pcontainskey = store_contains};
	return store;
}

void skiffi_paho_store_free(struct paho_store *store)
{
	if (!store)
		return;
	store_clear(store);
	pthread_mutex_destroy(&store->lock);
	skiffi_free(store);
}

void skiffi_paho_store_clear(struct paho_store *store)
{
	if (store)
		store_clear(store);
}

void *skiffi_paho_store_hooks(struct paho_store *store)
{
	return &store->hooks;
}

enum paho_begun skiffi_paho_store_find(struct paho_store *store, enum skiffi_protocol v, int token)
{
	char sent[STORE_KEY_BYTES], released[STORE_KEY_BYTES];
	const char *mark = v == SKIFFI_V5 ? "5" : "";
	snprintf(sent, sizeof sent, "s%s-%d", mark, token);
	snprintf(released, sizeof released, "sc%s-%d", mark, token);
	if (!store_contains(store, released))
		return PAHO_RELEASED;
	return store_contains(store, sent) ? PAHO_NOT_BEGUN : PAHO_SENT;
}
