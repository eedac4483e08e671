/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_srv.c: any answer of DNS names a host that fits into a URL, or none. */
#include "../../tools/cli_srv.h"
#include "fuzz.h"
#include <string.h>

void cli_say(const struct cli_context *context, const char *format, ...)
{
	(void)context, (void)format;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cli_srv srv;
	if (!cli_srv_choose(data, len, &srv))
		return 0;
	CHECK(strnlen(srv.host, sizeof(srv.host)) < sizeof(srv.host) && *srv.host);
	CHECK(!strpbrk(srv.host, "/@?#:[] \\\r\n"));
	CHECK(srv.port <= 65535 && srv.priority <= 65535 && srv.weight <= 65535);
	return 0;
}
