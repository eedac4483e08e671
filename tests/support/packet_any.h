/* SPDX-License-Identifier: Apache-2.0 */
/* packet_any.h: a packet of any kind, decoded and encoded again by one call, for tests that do not care which it is. */
#ifndef TESTS_PACKET_ANY_H
#define TESTS_PACKET_ANY_H

#include "codec/packet.h"

struct packet_any {
	unsigned type;
	enum skiffi_protocol v;
	union {
		struct skiffi_connect connect;
		struct skiffi_connack connack;
		struct skiffi_publish publish;
		struct skiffi_ack ack;
		struct skiffi_subscribe subscribe;
		struct skiffi_suback suback;
		struct skiffi_reasoned reasoned;
	} as;
	struct skiff_properties properties[2];
};

/* Decodes by the frame's type; type 0 is refused. The result points into the frame and into `*any` itself. */
bool packet_any_decode(const struct skiffi_frame *frame, enum skiffi_protocol v, enum skiffi_sender sender,
	struct packet_any *any, struct skiffi_refusal *why);

/* Appends the packet again. False for AUTH, which the library never writes, and when memory is out. */
bool packet_any_encode(struct skiffi_buffer *out, const struct packet_any *any);

#endif
