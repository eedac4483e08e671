/* SPDX-License-Identifier: Apache-2.0 */
/* check_place.h: a URL that the library has accepted, in parts, so that other doors of the same host can be tried. */
#ifndef SKIFF_CHECK_PLACE_H
#define SKIFF_CHECK_PLACE_H

#include "check_report.h"

struct check_place {
	const char *scheme; /* one of mqtt, mqtts, ws, wss, unix */
	char host[256];     /* without brackets */
	int port;           /* 0: unix */
	char path[256];     /* with its '/', and the query; "" where none was given */
	bool tls, ws, local;
};

/* Without user info. False: what it cannot be. */
bool check_place_read(struct check_place *place, const char *url);

/* `url` without user info, for `out` of CHECK_URL_BYTES. One that is not known to be `valid` may have its '@' anywhere:
 * then all before the last one is left out. */
void check_place_bare(char *out, const char *url, bool valid);

/* Whether `text` is a host alone: no scheme, user, port or path. */
bool check_place_is_host(const char *text);

#endif
