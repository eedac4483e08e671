/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h: what a broker's answer means, as our error; the same words for the session and for every engine. */
#ifndef SKIFFI_VERDICT_H
#define SKIFFI_VERDICT_H

#include "codec/packet.h"
#include <skiff/error.h>

/* A CONNACK that refuses: `v` says which table `reason` is from, `spoken` the version that was asked for;
 * `reason_string` NULL or "": none. */
enum skiff_code skiffi_verdict_connack(struct skiff_error *error, enum skiffi_protocol v, enum skiffi_protocol spoken,
	uint8_t reason, const char *reason_string);

/* The broker's DISCONNECT [MQTT 5, 3.14]. Strings as above. */
enum skiff_code skiffi_verdict_disconnect(
	struct skiff_error *error, uint8_t reason, const char *reason_string, const char *server_reference);

/* SUBACK or UNSUBACK: the first refusal decides only when all were refused; SKIFF_OK otherwise. */
enum skiff_code skiffi_verdict_suback(enum skiffi_protocol v, struct skiff_bytes reasons);

/* "MQTT 5" or "MQTT 3.1.1". */
const char *skiffi_version_name(enum skiffi_protocol v);

#endif
