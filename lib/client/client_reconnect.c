/* SPDX-License-Identifier: Apache-2.0 */
/* client_reconnect.c: when to try again: full jitter under an exponential bound, so that a thousand clients of one
 * broker come back spread out; and never after an error that only a person can mend. */
#include "client/client_internal.h"

int skiffi_client_reconnect_delay_ms(
	const struct skiff_client *client, unsigned attempt, uint64_t (*random_upto)(uint64_t limit))
{
	uint64_t bound = (uint64_t)client->options.reconnect.min_ms, max = (uint64_t)client->options.reconnect.max_ms;
	for (unsigned i = 1; i < attempt && bound < max; i++)
		bound *= 2;
	return (int)random_upto(bound < max ? bound : max);
}

bool skiffi_client_reconnect_wanted(const struct skiff_client *client, enum skiff_code code)
{
	if (client->options.reconnect.off || client->ending.wanted || client->free_wanted || !skiff_code_heals(code) ||
		code == SKIFF_OK)
		return false;
	return client->was_up || client->options.reconnect.first_too;
}
