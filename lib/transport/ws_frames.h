/* SPDX-License-Identifier: Apache-2.0 */
/* ws_frames.h: whether what a server sends keeps the rules of WebSocket framing [RFC 6455, 5] and of MQTT over it
 * [MQTT 5, 6]. Pure: bytes in, verdict out.
 *
 * libwebsockets is lenient where a client must not be (masked frames, long-winded lengths, text, any length), so the
 * server's bytes pass here before it sees them. */
#ifndef SKIFFI_WS_FRAMES_H
#define SKIFFI_WS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SKIFFI_WS_CONTROL_MAX = 125, /* bytes in a control frame [RFC 6455, 5.5] */
	SKIFFI_WS_FRAME_MAX =
		1024 * 1024 * 1024 /* bytes in a data frame; the largest MQTT packet is a quarter of that */
};

/* Close codes used here [RFC 6455, 7.4.1]. */
enum {
	SKIFFI_WS_NORMAL = 1000,
	SKIFFI_WS_PROTOCOL_ERROR = 1002,
	SKIFFI_WS_UNSUPPORTED = 1003,
	SKIFFI_WS_NO_STATUS = 1005, /* never on the wire: a close frame without a code */
	SKIFFI_WS_BAD_TEXT = 1007,
	SKIFFI_WS_TOO_BIG = 1009
};

enum skiffi_ws_event {
	SKIFFI_WS_DATA,  /* nothing to do but pass it on */
	SKIFFI_WS_PING,  /* a ping ends with the last byte taken */
	SKIFFI_WS_CLOSE, /* so does a close frame: `code`, `control`; nothing may follow */
	SKIFFI_WS_BROKEN /* `rule` is broken; answer with close code `code` */
};

/* All-zero is the start of a connection. */
struct skiffi_ws_frames {
	uint8_t header[10];
	uint8_t header_len;                     /* bytes of the header seen */
	uint8_t control[SKIFFI_WS_CONTROL_MAX]; /* payload of the control frame under way */
	uint8_t control_len;
	bool in_message;     /* a fragmented message is open */
	uint64_t left;       /* payload bytes to come in this frame */
	int code;            /* with CLOSE: the peer's; with BROKEN: for our answer */
	int close_code_seen; /* the code in a close frame that breaks a rule; 0 */
	const char *rule;    /* static text */
};

/* Takes bytes from the front of `data`, at most up to the end of a control frame. Result: how many may be passed on;
 * what they mean comes in `*event`. With CLOSE and BROKEN that is only what stands before the frame in question, and it
 * must not be called again. */
size_t skiffi_ws_frames_take(
	struct skiffi_ws_frames *frames, const uint8_t *data, size_t len, enum skiffi_ws_event *event);

/* The reason in a close frame that has been taken: UTF-8, not escaped. */
static inline const char *skiffi_ws_close_reason(const struct skiffi_ws_frames *frames, size_t *len)
{
	*len = frames->control_len > 2 ? frames->control_len - 2u : 0;
	return (const char *)frames->control + 2;
}

#endif
