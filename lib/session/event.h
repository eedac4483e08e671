/* SPDX-License-Identifier: Apache-2.0 */
/* event.h: what comes up from a session, and from either engine: the upward half of SEAM 2. */
#ifndef SKIFFI_EVENT_H
#define SKIFFI_EVENT_H

#include "session/kept.h"
#include <skiff/error.h>

enum skiffi_event_kind {
	SKIFFI_EVENT_UP,      /* CONNACK accepted: session_present, properties */
	SKIFFI_EVENT_MESSAGE, /* message */
	SKIFFI_EVENT_DONE,    /* op: code, reason, reasons, properties */
	SKIFFI_EVENT_REQUEUE, /* kept, whose reference passes to the receiver: to be sent again as new, before all
				 others */
	SKIFFI_EVENT_AGAIN,   /* op, a subscribe or unsubscribe, was not answered: to be sent again */
	SKIFFI_EVENT_LOST,    /* op, a message of QoS 2 whose fate is unknown, as the broker dropped the session; may be
				 NULL */
	SKIFFI_EVENT_DOWN     /* the connection, or the attempt, is over; the giver's error says why */
};

/* Everything it points to is borrowed until the next pull. */
struct skiffi_event {
	enum skiffi_event_kind kind;
	enum skiff_code code;
	int reason; /* the broker's; -1: none */
	bool session_present;
	void *op;
	struct skiffi_kept *kept;
	struct skiff_bytes reasons;                /* SUBACK, UNSUBACK: one each */
	const struct skiff_properties *properties; /* NULL: none */
	struct skiff_message message;
	struct skiff_properties storage; /* where properties points to, if anywhere */
};

#endif
