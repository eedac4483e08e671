/* SPDX-License-Identifier: Apache-2.0 */
/* tls_pins.h: a server known by its public key: the list that the user gives, and the file of those seen before. */
#ifndef SKIFFI_TLS_PINS_H
#define SKIFFI_TLS_PINS_H

#include <openssl/x509.h>
#include <skiff/error.h>
#include <stdbool.h>
#include <stddef.h>

enum { SKIFFI_TLS_PIN_BYTES = 56, SKIFFI_TLS_PEER_BYTES = 288 };

/* "sha256//BASE64" of the public key of a certificate; "" when memory is out. */
void skiffi_tls_pin_text(char out[SKIFFI_TLS_PIN_BYTES], const X509 *certificate);

/* Whether `list` is one of pins with ';' between them; false with `*error`. */
bool skiffi_tls_pins_valid(const char *list, struct skiff_error *error);

/* Whether `pin` is in it. */
bool skiffi_tls_pins_have(const char *list, const char *pin);

/* ---- known hosts; "HOST:PORT" and a pin in a line, '#' begins a comment ---- */

enum skiffi_tls_known {
	SKIFFI_TLS_KNOWN,       /* with this key */
	SKIFFI_TLS_KNOWN_NOT,   /* nor with another */
	SKIFFI_TLS_KNOWN_OTHER, /* with another key, in line `*line` */
	SKIFFI_TLS_KNOWN_FAILED /* the file cannot be read, or a line is none: `*error` */
};

/* Looks for `peer` ("HOST:PORT") in the file. A file that is not there knows nobody. */
enum skiffi_tls_known skiffi_tls_known_look(
	const char *path, const char *peer, const char *pin, unsigned *line, struct skiff_error *error);

/* Adds a line, unless another has by now; makes the file, with mode 0600. False with `*error`: it cannot be written, or
 * the peer has been added with another key. */
bool skiffi_tls_known_add(const char *path, const char *peer, const char *pin, struct skiff_error *error);

#endif
