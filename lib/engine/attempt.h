/* SPDX-License-Identifier: Apache-2.0 */
/* attempt.h: what every engine says alike of an attempt to connect: its CONNECT properties, and its failures. */
#ifndef SKIFFI_ATTEMPT_H
#define SKIFFI_ATTEMPT_H

#include "codec/packet.h"
#include "endpoint/endpoint.h"
#include "endpoint/proxy_url.h"
#include <skiff/client.h>

/* What to speak first. */
enum skiffi_protocol skiffi_attempt_version(const struct skiff_options *options);

/* The properties of CONNECT that `options` ask for; borrowed from them. */
struct skiff_properties skiffi_attempt_properties(const struct skiff_options *options);

/* The connection ended between CONNECT and CONNACK, which says nothing; what usually lies behind it can be said. */
void skiffi_attempt_silent(
	struct skiff_error *error, const struct skiffi_endpoint *endpoint, enum skiffi_protocol v, int detail);

/* `limit_ms` passed without CONNACK, CONNECT being sent. */
void skiffi_attempt_unanswered(struct skiff_error *error, const struct skiffi_endpoint *endpoint, int limit_ms);

/* `limit_ms` passed before CONNECT could be sent, by way of `proxy` (NULL: none); `phases` tell how far it came. */
void skiffi_attempt_late(struct skiff_error *error, const struct skiffi_endpoint *endpoint,
	const struct skiffi_proxy *proxy, const struct skiff_phases *phases, int limit_ms);

#endif
