/* SPDX-License-Identifier: Apache-2.0 */
/* reason.h: reason codes of MQTT 5 and return codes of 3.1.1: text, where each may stand, and our error for it. */
#ifndef SKIFFI_REASON_H
#define SKIFFI_REASON_H

#include "codec/packet.h"
#include <skiff/error.h>

/* "Not authorized" and so on, in the standard's words; "unknown reason" for others. */
const char *skiffi_reason_text(uint8_t reason);

/* The words for a return code of a CONNACK of 3.1.1. */
const char *skiffi_return_code_text(uint8_t code);

/* Whether `reason` may stand in a packet of `type` from `sender` under `v` [MQTT 5, 2.4 and each packet's table]. */
bool skiffi_reason_legal(
	enum skiffi_protocol v, enum skiffi_packet_type type, enum skiffi_sender sender, uint8_t reason);

/* Our error for a CONNACK's code (`v` says which table) and for a reason >= 0x80 in any other packet of MQTT 5. */
enum skiff_code skiffi_connack_error(enum skiffi_protocol v, uint8_t reason);
enum skiff_code skiffi_reason_error(uint8_t reason);

#endif
