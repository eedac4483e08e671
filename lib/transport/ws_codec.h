/* SPDX-License-Identifier: Apache-2.0 */
/* ws_codec.h: libwebsockets as a codec: a WebSocket client whose network is this program.
 *
 * The connection that libwebsockets holds is one end of a Unix socket pair; the other end is ours. What it writes there
 * is what must go to the peer, what we write there is what the peer sent, and nothing waits: each call writes, has
 * libwebsockets serve its end at once (lws_service_fd), and reads. So the way to the peer, with its addresses, TLS,
 * deadlines and errors, stays the tcp and tls transports' business, every byte of the peer can be checked before
 * libwebsockets sees it (ws_head.h, ws_frames.h), and masking, framing and the upgrade stay libwebsockets'.
 *
 * 1. skiffi_ws_codec_open; the upgrade request lies in `wire`. 2. skiffi_ws_codec_feed with the answer's head, until
 * `established`. 3. skiffi_ws_codec_feed with frames: payload is appended to `payload`, pongs to `wire`.
 * 4. skiffi_ws_codec_message, skiffi_ws_codec_close_frame: frames are appended to `wire`. 5. skiffi_ws_codec_end.
 * Failure: no memory or no descriptor; or libwebsockets refuses what it was fed, and says why in `refusal`. Loop
 * thread. */
#ifndef SKIFFI_WS_CODEC_H
#define SKIFFI_WS_CODEC_H

#include "base/buffer.h"
#include "transport/transport.h"
#include "transport/ws_loop.h"

struct skiffi_ws_codec {
	struct skiffi_ws_shared *shared;
	struct lws *wsi;  /* NULL: ended */
	int inner, outer; /* the pair: libwebsockets' end, which it owns, and ours; -1 */
	bool established;
	int close_code;                /* of our close frame; 0: not closing */
	bool no_memory;                /* bytes were lost */
	char key[32];                  /* Sec-WebSocket-Key of the request */
	char refusal[96];              /* why libwebsockets ended it; "" if it did not say */
	struct skiffi_buffer *payload; /* where arrived payload goes; the owner's */
	struct skiffi_buffer *wire;    /* where bytes for the peer go; the owner's */
};

/* Begins: makes the pair and puts the upgrade request for config->endpoint into `wire`. `codec` is zeroed before use
 * but for `payload` and `wire`. False with `*error`; skiffi_ws_codec_end is then still due. */
bool skiffi_ws_codec_open(struct skiffi_ws_codec *codec, struct skiffi_loop *loop,
	const struct skiffi_transport_config *config, struct skiff_error *error);

/* Hands over bytes of the peer. False: libwebsockets has ended (or `no_memory`). */
bool skiffi_ws_codec_feed(struct skiffi_ws_codec *codec, const uint8_t *data, size_t len);

/* Makes the pong that a ping just fed is owed. False: libwebsockets has ended (or `no_memory`). */
bool skiffi_ws_codec_answer_ping(struct skiffi_ws_codec *codec);

/* Makes one binary message of the bytes of `pieces` behind the first `skip`. Result: how many were taken; 0: no memory,
 * or libwebsockets has ended. */
size_t skiffi_ws_codec_message(struct skiffi_ws_codec *codec, const struct iovec *pieces, size_t count, size_t skip);

/* Makes a close frame with `code` and no reason; after it only skiffi_ws_codec_end. */
void skiffi_ws_codec_close_frame(struct skiffi_ws_codec *codec, int code);

/* Ends libwebsockets' connection and closes the pair. Not from inside its callbacks. May be called twice. */
void skiffi_ws_codec_end(struct skiffi_ws_codec *codec);

#endif
