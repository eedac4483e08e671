/* SPDX-License-Identifier: Apache-2.0 */
/* ws_head.h: the server's answer to the upgrade request [RFC 6455, 4.1; RFC 9112], judged. Pure: bytes in, verdict out.
 *
 * Happy path: bytes are collected to the empty line, then checked: 101, upgrade, accept key, subprotocol "mqtt", no
 * extension. Everything else becomes an error that names what came instead and what to try. */
#ifndef SKIFFI_WS_HEAD_H
#define SKIFFI_WS_HEAD_H

#include "base/buffer.h"
#include "endpoint/endpoint.h"

enum { SKIFFI_WS_HEAD_MAX = 16 * 1024 }; /* bytes of an answer's head */

enum skiffi_ws_answer {
	SKIFFI_WS_MORE,     /* incomplete */
	SKIFFI_WS_ACCEPTED, /* `bytes` holds a head of what was checked, for libwebsockets */
	SKIFFI_WS_REFUSED   /* `*error` says why */
};

/* All-zero is the start. */
struct skiffi_ws_head {
	struct skiffi_buffer bytes;
	int status;              /* of the answer; 0: none yet */
	const char *subprotocol; /* that was offered; NULL: "mqtt" */
};

/* Takes bytes from the front of `data`, at most up to the end of the head; their number comes in `*used`. `key` is the
 * Sec-WebSocket-Key that was sent. Interim answers (100 Continue and the like) are passed over. */
enum skiffi_ws_answer skiffi_ws_head_take(struct skiffi_ws_head *head, const uint8_t *data, size_t len, size_t *used,
	const char *key, const struct skiffi_endpoint *endpoint, struct skiff_error *error);

/* What it means that the peer ended the connection, or went silent, before its answer was complete: the error for
 * that. `how`: "closed the connection" and the like. */
void skiffi_ws_head_silent(const struct skiffi_ws_head *head, const char *how, const struct skiffi_endpoint *endpoint,
	int detail, struct skiff_error *error);

/* Frees what was collected. */
void skiffi_ws_head_release(struct skiffi_ws_head *head);

#endif
