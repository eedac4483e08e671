/* SPDX-License-Identifier: Apache-2.0 */
/* cli_payload.h: payloads that are given as text: in hexadecimal or base64. */
#ifndef SKIFF_CLI_PAYLOAD_H
#define SKIFF_CLI_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>

enum cli_payload_code {
	CLI_PAYLOAD_IN_HEX,   /* blanks, line ends and ':' may stand between bytes */
	CLI_PAYLOAD_IN_BASE64 /* either alphabet of RFC 4648, with padding or without; blanks and line ends may stand in
				 it */
};

/* Decodes `len` bytes of text to `out`, which has room for `len`, and may be `text`. Result: false, with what is wrong
 * in `why`, such as "'zz' is no hexadecimal". */
bool cli_payload_decode(
	enum cli_payload_code code, const void *text, size_t len, void *out, size_t *out_len, char *why, size_t size);

#endif
