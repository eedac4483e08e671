/* SPDX-License-Identifier: Apache-2.0 */
#include <skiff/skiff.h>
#include <stdio.h>

int main(void)
{
	struct skiff_client *client = skiff_client_new(&(struct skiff_options){.url = "mqtt://localhost"}, NULL);
	puts(client ? skiff_version() : "no client");
	skiff_client_free(client);
	return client == NULL;
}
