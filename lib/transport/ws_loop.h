/* SPDX-License-Identifier: Apache-2.0 */
/* ws_loop.h: what all WebSocket connections of a loop share: libwebsockets' context and the memory frames are made in.
 *
 * The context owns no event loop and no network socket (see ws_codec.h), so it has no handle on ours: it is created by
 * the first connection and destroyed at once when the loop ends. Loop thread only. */
#ifndef SKIFFI_WS_LOOP_H
#define SKIFFI_WS_LOOP_H

#include "loop/loop.h"
#include <libwebsockets.h>
#include <skiff/error.h>

enum {
	SKIFFI_WS_MESSAGE_BYTES = 64 * 1024, /* the largest message that is sent */
	SKIFFI_WS_CHUNK_BYTES = 32 * 1024,   /* what libwebsockets is given to read at a time */
	SKIFFI_WS_HEADER_BYTES = 14          /* of a frame in front of the largest message */
};

struct skiffi_ws_shared {
	struct lws_context *context;
	struct lws_vhost *vhost;
	uint8_t *frame; /* LWS_PRE bytes, then SKIFFI_WS_MESSAGE_BYTES; valid within one call */
};

/* The loop's shared part, made if need be; NULL with `*error`. `protocols` is borrowed until the loop's end. */
struct skiffi_ws_shared *skiffi_ws_shared(
	struct skiffi_loop *loop, const struct lws_protocols *protocols, struct skiff_error *error);

#endif
