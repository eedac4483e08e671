/* SPDX-License-Identifier: Apache-2.0 */
/* framer.h: a stream of bytes becomes one whole packet at a time, with its size checked before anything is kept. */
#ifndef SKIFFI_FRAMER_H
#define SKIFFI_FRAMER_H

#include <stddef.h>
#include <stdint.h>

/* One whole packet, borrowed from the stream. */
struct skiffi_frame {
	uint8_t type;        /* enum skiffi_packet_type */
	uint8_t flags;       /* the four low bits of the first byte */
	const uint8_t *body; /* what follows the fixed header */
	size_t body_len;
	size_t total_len; /* fixed header and body */
};

enum skiffi_framing {
	SKIFFI_FRAME_OK,
	SKIFFI_FRAME_MORE,      /* incomplete: `total_len` is what is needed in all, 0 while the header itself is cut */
	SKIFFI_FRAME_MALFORMED, /* the length is not a minimal variable byte integer of at most four bytes
				   [MQTT-1.5.5-1] */
	SKIFFI_FRAME_TOO_LARGE  /* `total_len` is above `max_bytes` [MQTT-3.1.2-24] */
};

/* Looks at the front of `len` bytes. */
enum skiffi_framing skiffi_frame_next(const uint8_t *data, size_t len, size_t max_bytes, struct skiffi_frame *frame);

#endif
