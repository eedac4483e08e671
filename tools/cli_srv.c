/* SPDX-License-Identifier: Apache-2.0 */
/* cli_srv.c: a broker found by its domain, through the C library's resolver. */
#include "cli_srv.h"
#include "cli_exit.h"
#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

enum { SRV_ANSWER_BYTES = 8192, SRV_FIXED_BYTES = 6 };

struct srv {
	unsigned priority, weight, port;
	char host[256];
};

/* False: no such record. */
static bool srv_read(ns_msg *message, int index, struct srv *srv)
{
	ns_rr record;
	if (ns_parserr(message, ns_s_an, index, &record) != 0 || ns_rr_type(record) != ns_t_srv ||
		ns_rr_rdlen(record) <= SRV_FIXED_BYTES)
		return false;
	const unsigned char *at = ns_rr_rdata(record);
	srv->priority = ns_get16(at);
	srv->weight = ns_get16(at + 2);
	srv->port = ns_get16(at + 4);
	return ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), at + SRV_FIXED_BYTES, srv->host,
		       sizeof(srv->host)) >= 0;
}

/* "." says that there is no such service. */
static bool srv_choose(ns_msg *message, struct srv *best)
{
	bool found = false;
	for (int i = 0; i < ns_msg_count(*message, ns_s_an); i++) {
		struct srv srv;
		if (!srv_read(message, i, &srv) || !*srv.host || strcmp(srv.host, ".") == 0)
			continue;
		if (!found || srv.priority < best->priority ||
			(srv.priority == best->priority && srv.weight > best->weight))
			*best = srv;
		found = true;
	}
	return found;
}

int cli_srv_find(
	const struct cli_context *context, const char *domain, bool tls, char *host, size_t size, long long *port)
{
	unsigned char answer[SRV_ANSWER_BYTES];
	char name[512];
	ns_msg message;
	struct srv best = {0};
	snprintf(name, sizeof(name), "%s._tcp.%s", tls ? "_secure-mqtt" : "_mqtt", domain);
	int len = res_query(name, ns_c_in, ns_t_srv, answer, sizeof(answer));
	if (len < 0 || ns_initparse(answer, len, &message) != 0 || !srv_choose(&message, &best)) {
		cli_say(context,
			"option '-S': DNS has no service record '%s' (%s); leave out '-S' to connect to '%s' "
			"itself",
			name, len < 0 ? hstrerror(h_errno) : "none in the answer", domain);
		return CLI_EXIT_DNS;
	}
	snprintf(host, size, "%s", best.host);
	*port = best.port;
	return CLI_EXIT_OK;
}
