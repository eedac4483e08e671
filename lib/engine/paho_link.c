/* SPDX-License-Identifier: Apache-2.0 */
/* paho_link.c: the inbox of one MQTTAsync handle, and the cut of its connection. */
#include "base/alloc.h"
#include "engine/paho_internal.h"
#include <sys/socket.h>
#include <unistd.h>

struct paho_link *skiffi_paho_link_new(struct paho_engine *engine)
{
	struct paho_link *link = skiffi_calloc(1, sizeof *link);
	if (!link)
		return NULL;
	link->engine = engine;
	link->version = engine->version;
	link->fresh = engine->fresh;
	link->socket = link->fd = -1;
	link->peer_reason = -1;
	link->facts.alert = -1;
	link->attached = true;
	link->gone.run = skiffi_paho_link_on_gone;
	link->up_node.news = PAHO_NEWS_UP;
	link->over_node.news = PAHO_NEWS_OVER;
	pthread_mutex_init(&link->lock, NULL);
	pthread_cond_init(&link->drained, NULL);
	engine->links++;
	return link;
}

/* The message of a node is Paho's memory; a node that is part of something larger is not freed. */
void skiffi_paho_node_free(struct paho_node *node)
{
	skiffi_free((void *)node->properties.data);
	node->properties = (struct skiff_bytes){0};
	if (node->news != PAHO_NEWS_MESSAGE)
		return;
	MQTTAsync_freeMessage(&node->message);
	MQTTAsync_free(node->topic);
	skiffi_free(node);
}

/* The handle is destroyed, and the engine has let go of it. */
void skiffi_paho_link_free(struct paho_link *link)
{
	struct paho_node *node;
	while ((node = skiffi_paho_link_pop(link))) {
		if (node->news == PAHO_NEWS_OP)
			skiffi_paho_op_unref(node->op);
		else
			skiffi_paho_node_free(node);
	}
	skiffi_free((void *)link->up_node.properties.data);
	skiffi_free((void *)link->peer_properties.data);
	skiffi_free((void *)link->ending_properties.data);
	if (link->fd >= 0)
		close(link->fd);
	pthread_cond_destroy(&link->drained);
	pthread_mutex_destroy(&link->lock);
	skiffi_free(link);
}

static size_t node_bytes(const struct paho_node *node)
{
	return node->news == PAHO_NEWS_MESSAGE ? sizeof *node + node->topic_len + (size_t)node->message->payloadlen : 0;
}

void skiffi_paho_link_push(struct paho_link *link, struct paho_node *node, size_t bytes)
{
	node->next = NULL;
	if (link->inbox_last)
		link->inbox_last->next = node;
	else
		link->inbox = node;
	link->inbox_last = node;
	link->inbox_bytes += bytes;
	skiffi_paho_wake(link->engine);
}

struct paho_node *skiffi_paho_link_pop(struct paho_link *link)
{
	pthread_mutex_lock(&link->lock);
	struct paho_node *node = link->inbox;
	if (node) {
		link->inbox = node->next;
		if (!link->inbox)
			link->inbox_last = NULL;
		link->inbox_bytes -= node_bytes(node);
		pthread_cond_broadcast(&link->drained);
	}
	pthread_mutex_unlock(&link->lock);
	return node;
}

void skiffi_paho_link_cut(struct paho_link *link)
{
	pthread_mutex_lock(&link->lock);
	link->cut = true;
	if (link->fd >= 0)
		shutdown(link->fd, SHUT_RDWR);
	pthread_mutex_unlock(&link->lock);
}

void skiffi_paho_link_end(struct paho_link *link)
{
	link->up = link->connecting = false;
	if (link->fd >= 0)
		close(link->fd);
	link->fd = link->socket = -1;
}

void skiffi_paho_link_hold(struct paho_link *link, struct paho_op *op)
{
	op->held_prev = NULL;
	op->held_next = link->held;
	if (link->held)
		link->held->held_prev = op;
	link->held = op;
	if (op->kind == PAHO_PUBLISH && op->qos)
		link->outstanding++;
	else if (op->kind == PAHO_PUBLISH)
		link->pending_qos0++;
	if (op->state == PAHO_RESUMED)
		link->resumed++;
}

void skiffi_paho_link_unhold(struct paho_link *link, struct paho_op *op)
{
	if (op->held_prev)
		op->held_prev->held_next = op->held_next;
	else
		link->held = op->held_next;
	if (op->held_next)
		op->held_next->held_prev = op->held_prev;
	op->held_next = op->held_prev = NULL;
	if (op->kind == PAHO_PUBLISH && op->qos)
		link->outstanding--;
	else if (op->kind == PAHO_PUBLISH)
		link->pending_qos0--;
	if (op->state == PAHO_RESUMED)
		link->resumed--;
}
