/* SPDX-License-Identifier: Apache-2.0 */
/* suite_proxy.h: the suite through a proxy, which here is the far end itself: it is asked for somebody, answers, and
 * then is whom was asked for. */
#ifndef TESTS_SUITE_PROXY_H
#define TESTS_SUITE_PROXY_H

#include "suite/suite_net.h"

/* The name and port that the client asks for; only a proxy would look it up. */
#define SUITE_PROXY_HOST "broker.invalid"
enum { SUITE_PROXY_PORT = 1883 };

struct suite_proxy {
	const char *name;
	const char *before;                          /* the place, in the proxy's URL: "http://" */
	bool (*hear)(const struct suite_peer *peer); /* all of the client's part but the answer to the last question */
	bool (*answer)(const struct suite_peer *peer); /* the last answer, behind which the script runs */
};

/* Result: the exit status of main. */
int suite_proxy_run(const struct suite_proxy *proxy);

#endif
