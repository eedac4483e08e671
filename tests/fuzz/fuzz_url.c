/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_url.c: any text is an endpoint or one sentence.
 *
 * An endpoint has a place to go, shows no user info, and its own canonical URL leads to the same place again. Input:
 * the text, up to its first NUL. */
#include "endpoint/endpoint.h"
#include "fuzz.h"
#include <stdlib.h>
#include <string.h>

static void url_again(const struct skiffi_endpoint *first)
{
	struct skiff_error error;
	struct skiffi_endpoint *again = skiffi_endpoint_new(first->url, &error);
	if (!again)
		abort();
	size_t name_len = strcspn(first->host, first->kind == SKIFFI_UNIX ? "" : "%"); /* a zone stays at home */
	if (strcmp(again->url, first->url) || strncmp(again->host, first->host, name_len) ||
		again->port != first->port || again->kind != first->kind || again->tls != first->tls || again->user ||
		again->password.data)
		abort();
	skiffi_endpoint_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct skiff_error error = {0};
	char *text = calloc(1, size + 1);
	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	struct skiffi_endpoint *endpoint = skiffi_endpoint_new(text, &error);
	if (endpoint) {
		if (!endpoint->host[0] || (endpoint->kind != SKIFFI_UNIX && !endpoint->port))
			abort();
		url_again(endpoint);
	} else if (!error.code || !error.text[0]) {
		abort();
	}
	skiffi_endpoint_free(endpoint);
	free(text);
	return 0;
}
