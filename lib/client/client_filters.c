/* SPDX-License-Identifier: Apache-2.0 */
/* client_filters.c: exact filters in a hash, wildcards in a trie. Nothing is as deep as a peer wants: only filters,
 * which are ours, make the trie deep. Nodes that no filter needs are freed with the last that did. */
#include "client/client_filters.h"

#include "base/alloc.h"
#include "codec/topic.h"

enum { EXACT_BUCKETS_FIRST = 16, NODE_BUCKETS_FIRST = 4 };

/* A level of the trie. Children hang in buckets by the hash of their level's text; '+' and '#' apart. */
struct client_node {
	struct client_node *parent;
	struct client_node *next;      /* in its parent's bucket */
	struct client_node *plus;      /* child for '+' */
	struct client_filter *here;    /* filters that end at this level */
	struct client_filter *beneath; /* filters that end in '#' after it */
	struct client_node **children;
	size_t buckets, count;
	uint32_t hash;
	size_t len;
	char level[];
};

static uint32_t filter_hash(const char *text, size_t len)
{
	uint32_t hash = 2166136261u;
	size_t i = 0;
	for (; i + 8 <= len; i += 8) {
		uint64_t word;
		memcpy(&word, text + i, 8);
		word *= 0x9e3779b97f4a7c15u;
		hash = (hash ^ (uint32_t)(word >> 32)) * 16777619u;
	}
	for (; i < len; i++)
		hash = (hash ^ (uint8_t)text[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static bool filter_wild(const struct client_filter *filter)
{
	size_t len = filter->text_len - filter->match_at;
	const char *text = filter->text + filter->match_at;
	return memchr(text, '+', len) || memchr(text, '#', len);
}

/* ---- exact ---- */

static bool exact_grow(struct client_filters *filters)
{
	size_t buckets = filters->exact_buckets ? filters->exact_buckets * 2 : EXACT_BUCKETS_FIRST;
	struct client_filter **table = skiffi_calloc(buckets, sizeof *table);
	if (!table)
		return false;
	for (size_t i = 0; i < filters->exact_buckets; i++) {
		for (struct client_filter *filter = filters->exact[i], *next; filter; filter = next) {
			next = filter->next;
			filter->next = table[filter->hash & (buckets - 1)];
			table[filter->hash & (buckets - 1)] = filter;
		}
	}
	skiffi_free(filters->exact);
	filters->exact = table;
	filters->exact_buckets = buckets;
	return true;
}

static bool exact_add(struct client_filters *filters, struct client_filter *filter)
{
	if (filters->exact_count >= filters->exact_buckets && !exact_grow(filters))
		return false;
	struct client_filter **bucket = &filters->exact[filter->hash & (filters->exact_buckets - 1)];
	filter->next = *bucket;
	*bucket = filter;
	filters->exact_count++;
	return true;
}

/* ---- trie ---- */

/* Takes the first level off `*rest`; `*more`: another follows. */
static struct skiff_bytes level_take(struct skiff_bytes *rest, bool *more)
{
	const char *slash = rest->len ? memchr(rest->data, '/', rest->len) : NULL;
	size_t len = slash ? (size_t)(slash - (const char *)rest->data) : rest->len;
	struct skiff_bytes level = {rest->data, len};
	*more = slash != NULL;
	*rest = (struct skiff_bytes){(const char *)rest->data + len + *more, rest->len - len - *more};
	return level;
}

static struct client_node *node_new(struct client_node *parent, struct skiff_bytes level, uint32_t hash)
{
	struct client_node *node = skiffi_calloc(1, sizeof *node + level.len);
	if (!node)
		return NULL;
	memcpy(node->level, level.data, level.len);
	node->len = level.len;
	node->hash = hash;
	node->parent = parent;
	return node;
}

static struct client_node *node_child(const struct client_node *node, struct skiff_bytes level, uint32_t hash)
{
	if (!node->buckets)
		return NULL;
	struct client_node *child = node->children[hash & (node->buckets - 1)];
	while (child && (child->hash != hash || child->len != level.len || memcmp(child->level, level.data, level.len)))
		child = child->next;
	return child;
}

static bool node_grow(struct client_node *node)
{
	size_t buckets = node->buckets ? node->buckets * 2 : NODE_BUCKETS_FIRST;
	struct client_node **children = skiffi_calloc(buckets, sizeof *children);
	if (!children)
		return false;
	for (size_t i = 0; i < node->buckets; i++) {
		for (struct client_node *child = node->children[i], *next; child; child = next) {
			next = child->next;
			child->next = children[child->hash & (buckets - 1)];
			children[child->hash & (buckets - 1)] = child;
		}
	}
	skiffi_free(node->children);
	node->children = children;
	node->buckets = buckets;
	return true;
}

static bool level_is_plus(struct skiff_bytes level)
{
	return level.len == 1 && *(const char *)level.data == '+';
}

static struct client_node *node_find_child(struct client_node *node, struct skiff_bytes level)
{
	return level_is_plus(level) ? node->plus : node_child(node, level, filter_hash(level.data, level.len));
}

static struct client_node *node_make_child(struct client_node *node, struct skiff_bytes level)
{
	if (level_is_plus(level)) {
		if (!node->plus)
			node->plus = node_new(node, level, 0);
		return node->plus;
	}
	uint32_t hash = filter_hash(level.data, level.len);
	struct client_node *child = node_child(node, level, hash);
	if (child)
		return child;
	if (node->count >= node->buckets && !node_grow(node))
		return NULL;
	child = node_new(node, level, hash);
	if (!child)
		return NULL;
	child->next = node->children[hash & (node->buckets - 1)];
	node->children[hash & (node->buckets - 1)] = child;
	node->count++;
	return child;
}

static void node_unlink(struct client_node *node)
{
	struct client_node *parent = node->parent;
	if (parent->plus == node) {
		parent->plus = NULL;
		return;
	}
	struct client_node **link = &parent->children[node->hash & (parent->buckets - 1)];
	while (*link != node)
		link = &(*link)->next;
	*link = node->next;
	parent->count--;
}

/* Frees `node` and those above it that nothing needs any more. */
static void node_prune(struct client_filters *filters, struct client_node *node)
{
	while (node && !node->here && !node->beneath && !node->plus && !node->count) {
		struct client_node *parent = node->parent;
		if (parent)
			node_unlink(node);
		else
			filters->wild = NULL;
		skiffi_free(node->children);
		skiffi_free(node);
		node = parent;
	}
}

/* The node that a wildcard filter ends in, nodes made where missing if `make`; NULL: not there, or memory is out.
 * `*beneath`: it ends in '#'. */
static struct client_node *wild_node(
	struct client_filters *filters, const struct client_filter *filter, bool make, bool *beneath)
{
	struct skiff_bytes rest = {filter->text + filter->match_at, filter->text_len - filter->match_at};
	bool more = true;
	*beneath = false;
	if (!filters->wild && make)
		filters->wild = node_new(NULL, (struct skiff_bytes){"", 0}, 0);
	struct client_node *node = filters->wild;
	while (node && more) {
		struct skiff_bytes level = level_take(&rest, &more);
		*beneath = level.len == 1 && *(const char *)level.data == '#';
		if (*beneath)
			break;
		struct client_node *child = make ? node_make_child(node, level) : node_find_child(node, level);
		if (!child && make)
			node_prune(filters, node);
		node = child;
	}
	return node;
}

static struct client_filter **wild_list(struct client_node *node, bool beneath)
{
	return beneath ? &node->beneath : &node->here;
}

static bool wild_add(struct client_filters *filters, struct client_filter *filter)
{
	bool beneath;
	struct client_node *node = wild_node(filters, filter, true, &beneath);
	if (!node)
		return false;
	struct client_filter **list = wild_list(node, beneath);
	filter->next = *list;
	*list = filter;
	filters->wild_count++;
	return true;
}

static void filter_unlink(struct client_filter **link, struct client_filter *filter)
{
	while (*link != filter)
		link = &(*link)->next;
	*link = filter->next;
}

static void wild_remove(struct client_filters *filters, struct client_filter *filter)
{
	bool beneath;
	struct client_node *node = wild_node(filters, filter, false, &beneath);
	filter_unlink(wild_list(node, beneath), filter);
	filters->wild_count--;
	node_prune(filters, node);
}

/* ---- match ---- */

struct match {
	struct client_call *calls;
	size_t max, count;
};

static void match_filter(struct match *match, const struct client_filter *filter)
{
	if (!filter->handler)
		return;
	if (match->count < match->max)
		match->calls[match->count] = (struct client_call){filter->handler, filter->user};
	match->count++;
}

static void match_list(struct match *match, const struct client_filter *filter)
{
	for (; filter; filter = filter->next)
		match_filter(match, filter);
}

/* As deep as the filters are, not as the topic: a peer cannot make it deeper [CVE-2019-11779 class]. */
static void match_node(
	struct match *match, const struct client_node *node, struct skiff_bytes rest, bool more, bool first)
{
	bool reserved = first && rest.len && *(const char *)rest.data == '$'; /* [MQTT-4.7.2-1] */
	if (!reserved)
		match_list(match, node->beneath);
	if (!more) {
		match_list(match, node->here);
		return;
	}
	struct skiff_bytes level = level_take(&rest, &more);
	if (node->plus && !reserved)
		match_node(match, node->plus, rest, more, false);
	const struct client_node *child = node_child(node, level, filter_hash(level.data, level.len));
	if (child)
		match_node(match, child, rest, more, false);
}

static void match_exact(struct match *match, const struct client_filters *filters, struct skiff_bytes topic)
{
	uint32_t hash = filter_hash(topic.data, topic.len);
	const struct client_filter *filter = filters->exact[hash & (filters->exact_buckets - 1)];
	for (; filter; filter = filter->next) {
		size_t len = filter->text_len - filter->match_at;
		if (filter->hash != hash || len != topic.len ||
			memcmp(filter->text + filter->match_at, topic.data, len))
			continue;
		match_filter(match, filter);
	}
}

size_t skiffi_client_filters_match(
	const struct client_filters *filters, struct skiff_bytes topic, struct client_call *calls, size_t max)
{
	struct match match = {calls, max, 0};
	if (filters->exact_count)
		match_exact(&match, filters, topic);
	if (filters->wild_count)
		match_node(&match, filters->wild, topic, true, true);
	return match.count;
}

/* ---- entries ---- */

static void filter_init(struct client_filter *filter, char *text, size_t len)
{
	struct skiff_bytes inner;
	filter->text = text;
	filter->text_len = len;
	skiffi_filter_shared((struct skiff_bytes){text, len}, &inner);
	filter->match_at = len - inner.len;
	filter->hash = filter_hash(inner.data, inner.len);
}

static struct client_filter *filter_list(struct client_filters *filters, const struct client_filter *key)
{
	if (filter_wild(key)) {
		bool beneath;
		struct client_node *node = wild_node(filters, key, false, &beneath);
		return node ? *wild_list(node, beneath) : NULL;
	}
	return filters->exact_count ? filters->exact[key->hash & (filters->exact_buckets - 1)] : NULL;
}

struct client_filter *skiffi_client_filters_find(struct client_filters *filters, struct skiff_bytes text)
{
	struct client_filter key = {0};
	filter_init(&key, (char *)text.data, text.len);
	struct client_filter *filter = filter_list(filters, &key);
	while (filter && (filter->text_len != text.len || memcmp(filter->text, text.data, text.len)))
		filter = filter->next;
	return filter;
}

struct client_filter *skiffi_client_filters_add(struct client_filters *filters, struct skiff_bytes text)
{
	struct client_filter *filter = skiffi_calloc(1, sizeof *filter);
	char *copy = skiffi_memdup(text.data, text.len);
	if (!filter || !copy) {
		skiffi_free(copy);
		skiffi_free(filter);
		return NULL;
	}
	filter_init(filter, copy, text.len);
	if (filter_wild(filter) ? !wild_add(filters, filter) : !exact_add(filters, filter)) {
		skiffi_free(filter->text);
		skiffi_free(filter);
		return NULL;
	}
	if (!filters->all_end)
		filters->all_end = &filters->all;
	filter->all_link = filters->all_end;
	*filters->all_end = filter;
	filters->all_end = &filter->all_next;
	filters->generation++;
	return filter;
}

static void filter_free(struct client_filter *filter)
{
	skiffi_free(filter->text);
	skiffi_free(filter);
}

static void exact_remove(struct client_filters *filters, struct client_filter *filter)
{
	filter_unlink(&filters->exact[filter->hash & (filters->exact_buckets - 1)], filter);
	filters->exact_count--;
}

void skiffi_client_filters_remove(struct client_filters *filters, struct client_filter *filter)
{
	if (filter_wild(filter))
		wild_remove(filters, filter);
	else
		exact_remove(filters, filter);
	*filter->all_link = filter->all_next;
	if (filter->all_next)
		filter->all_next->all_link = filter->all_link;
	else
		filters->all_end = filter->all_link;
	filters->generation++;
	filter_free(filter);
}

void skiffi_client_filters_release(struct client_filters *filters)
{
	while (filters->all)
		skiffi_client_filters_remove(filters, filters->all);
	skiffi_free(filters->exact);
	*filters = (struct client_filters){0};
}
