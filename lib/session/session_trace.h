/* SPDX-License-Identifier: Apache-2.0 */
/* session_trace.h: packets in words, for the log at SKIFF_LOG_TRACE. Ask skiffi_log_wanted before. */
#ifndef SKIFFI_SESSION_TRACE_H
#define SKIFFI_SESSION_TRACE_H

#include "codec/packet.h"

/* A whole packet of ours, but for PUBLISH. */
void skiffi_session_trace_out(enum skiffi_protocol v, const uint8_t *packet, size_t len);

/* A PUBLISH, `incoming` or not. */
void skiffi_session_trace_publish(const struct skiffi_publish *publish, bool incoming);

/* A packet of the broker's, but for PUBLISH. */
void skiffi_session_trace_in(enum skiffi_protocol v, const struct skiffi_frame *frame);

#endif
