/* SPDX-License-Identifier: Apache-2.0 */
/* scheme.c: the table of URL schemes. A new name for a transport is one row. */
#include "endpoint/endpoint.h"

#include <string.h>
#include <strings.h>

const struct skiffi_scheme skiffi_schemes[] = {
	{"tcp", SKIFFI_TCP, false, 1883},
	{"mqtt", SKIFFI_TCP, false, 1883},
	{"ssl", SKIFFI_TLS, true, 8883},
	{"tls", SKIFFI_TLS, true, 8883},
	{"mqtts", SKIFFI_TLS, true, 8883},
	{"ws", SKIFFI_WS, false, 80},
	{"wss", SKIFFI_WS, true, 443},
	{"unix", SKIFFI_UNIX, false, 0},
	{NULL, SKIFFI_TCP, false, 0},
};

const struct skiffi_scheme *skiffi_scheme_find(const char *name, size_t len)
{
	for (const struct skiffi_scheme *scheme = skiffi_schemes; scheme->name; scheme++)
		if (strlen(scheme->name) == len && !strncasecmp(scheme->name, name, len))
			return scheme;
	return NULL;
}

bool skiffi_endpoint_is_token(const char *name)
{
	static const char *const schemes[] = {"pkcs11:", "handle:", "object:"};
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (!strncmp(name, schemes[i], strlen(schemes[i])))
			return true;
	return false;
}
