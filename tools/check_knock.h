/* SPDX-License-Identifier: Apache-2.0 */
/* check_knock.h: tries doors, to see what they speak. No credential is ever shown to them, a random client id is used,
 * and the server's certificate does not matter, as nothing is entrusted to it. */
#ifndef SKIFF_CHECK_KNOCK_H
#define SKIFF_CHECK_KNOCK_H

#include "check_report.h"

struct check_knock {
	/* what to try */
	char url[CHECK_URL_BYTES];
	const struct skiff_tls_options *tls; /* to verify by; NULL: any certificate will do */
	int ip_version;
	const char *proxy; /* NULL: none */
	bool proxy_environment;
	const char *address;                       /* numeric, instead of a look-up; NULL: look it up */
	const struct skiff_user_property *headers; /* of the upgrade */
	size_t header_count;
	int timeout_ms;
	/* what came of it */
	struct skiff_error error;
	struct skiff_connection connection;
	struct check_chain chain;
};

/* Tries `count` doors at the same time, and waits until all have answered or their time is up. */
void check_knock(struct check_knock *knocks, size_t count);

/* Whether MQTT is spoken there: CONNACK came, or a refusal that only a broker gives. */
bool check_knock_opens(const struct check_knock *knock);

/* What the door wants beside: "a client certificate", "user name and password"; "" nothing, as far as can be told. */
const char *check_knock_wants(const struct check_knock *knock);

/* `scheme`://`host`[:`port`]`path` with what is needed around an IPv6 address. */
void check_knock_url(char *url, const char *scheme, const char *host, int port, const char *path);

#endif
