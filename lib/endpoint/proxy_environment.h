/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_environment.h: which proxy the usual environment variables name for an endpoint; by curl's rules.
 *
 * With TLS: https_proxy, HTTPS_PROXY; without: http_proxy, and not HTTP_PROXY, as a web server's CGI sets that from
 * what a client sends ("Proxy: ..."). Then all_proxy, ALL_PROXY. An empty variable counts as none. no_proxy, else
 * NO_PROXY, lists what no proxy is taken for. */
#ifndef SKIFFI_PROXY_ENVIRONMENT_H
#define SKIFFI_PROXY_ENVIRONMENT_H

#include "endpoint/endpoint.h"

typedef const char *(*skiffi_variable_fn)(const char *name); /* the value; NULL: it is not set */

/* Result: the value, borrowed from `get`, with its variable's name (never freed) in `*name`; NULL: none. */
const char *skiffi_proxy_environment(const struct skiffi_endpoint *endpoint, skiffi_variable_fn get, const char **name);

/* Whether `list` takes host and port out: words with commas or spaces between them, each with ":PORT" behind it where
 * only that port is meant. A word is "*" (everything), a name (itself and what ends in it at a dot; a dot before it
 * changes nothing), a numeric address, or a block of these as in 10.0.0.0/8. Case does not matter. */
bool skiffi_no_proxy_lists(const char *list, const char *host, uint16_t port);

#endif
