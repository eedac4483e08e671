/* SPDX-License-Identifier: Apache-2.0 */
/* event_text.h: an event of a session as one line of text. */
#ifndef SKIFF_TESTS_EVENT_TEXT_H
#define SKIFF_TESTS_EVENT_TEXT_H

#include "session/event.h"

/* On the heap. `op` is the name of the op the event is about. Forms:
 *	up [present] [SLUG]          SLUG where the code is not ok
 *	message topic= payload= [qos= id=] [retain] [dup] [@property=value ...]
 *	done OP SLUG [0xNN] [codes=NN,NN] [@...]    0xNN: a reason that is not 0
 *	requeue OP | again OP | lost OP | down SLUG */
char *event_text(const struct skiffi_event *event, const char *op);

#endif
