/* SPDX-License-Identifier: Apache-2.0 */
/* tls_ocsp.h: what a response stapled to the server's certificate proves [RFC 6960; RFC 6066, 8]. */
#ifndef SKIFFI_TLS_OCSP_H
#define SKIFFI_TLS_OCSP_H

#include <openssl/ssl.h>
#include <skiff/error.h>
#include <skiff/tls.h>
#include <time.h>

/* Judges the response of a handshake, whose chain has been verified. Result: SKIFF_OK; SKIFF_TLS_REVOKED or
 * SKIFF_TLS_OCSP with a reason in `detail`; `*number` is OpenSSL's for it. `*until` is when the response is out
 * of date, and left alone where there is none. */
enum skiff_code skiffi_tls_ocsp_judge(
	SSL *ssl, enum skiff_ocsp wanted, char *detail, size_t size, int *number, time_t *until);

#endif
