/* SPDX-License-Identifier: Apache-2.0 */
/* lab_doors.h: the eleven doors of test.mosquitto.org, as a table. */
#ifndef SKIFF_LAB_DOORS_H
#define SKIFF_LAB_DOORS_H

#include <stdbool.h>
#include <stddef.h>

enum { LAB_DOORS = 11, LAB_URL_BYTES = 512 };

enum lab_auth { LAB_AUTH_NONE, LAB_AUTH_PASSWORD, LAB_AUTH_CERTIFICATE };

/* Who signed the door's certificate: nobody (no TLS), the CA passed by hand, the CA that every system trusts. */
enum lab_ca { LAB_CA_NONE, LAB_CA_OWN, LAB_CA_WEB };

struct lab_door {
	int port; /* the real one */
	const char *scheme;
	enum lab_auth auth;
	enum lab_ca ca;
	const char *certificate, *key; /* files that the broker shows; NULL: no TLS */
	const char *expect;            /* the slug of what a client that does all right gets */
	const char *what;              /* for people */
};

struct lab_account {
	const char *name, *password, *rights;
	const char *acl; /* how mosquitto is told */
};

extern const struct lab_door lab_doors[LAB_DOORS];
extern const struct lab_account lab_accounts[3]; /* the first may do everything */

bool lab_door_is_ws(const struct lab_door *door);

/* The complete URL of `door` at `host`:`port`, with the first account where a password is wanted. */
void lab_door_url(const struct lab_door *door, const char *host, int port, char *url, size_t size);

/* "none", "password", "certificate"; "own", "web", NULL. */
const char *lab_auth_name(enum lab_auth auth);
const char *lab_ca_name(enum lab_ca ca);

/* The file of the CA that verifies the door, under the lab's directory; NULL: no TLS. */
const char *lab_ca_file(enum lab_ca ca);

#endif
