/* SPDX-License-Identifier: Apache-2.0 */
/* at_mosquitto.h: one mosquitto with a listener for each certificate of a server's, and one that wants a client's.
 *
 * Where mosquitto is not installed, starting exits the test with 77; what else goes wrong aborts with its words. */
#ifndef TESTS_AT_MOSQUITTO_H
#define TESTS_AT_MOSQUITTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct at_mosquitto;

/* `certs`: a folder that make-certs.sh has filled; `names` of its certificates, that of a client first; `web`: the
 * listeners speak WebSocket. Ready when it returns. */
struct at_mosquitto *at_mosquitto_start(const char *certs, const char *const names[], size_t count, bool web);

/* Where the certificate of this name is shown. */
uint16_t at_mosquitto_port(const struct at_mosquitto *at, size_t number);

void at_mosquitto_stop(struct at_mosquitto *at); /* NULL is allowed */

#endif
