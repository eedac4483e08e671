/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/suite_net.h"

#include <stdio.h>
#include <stdlib.h>

struct suite_net {
	struct net_listener *listener;
	suite_script script;
	void *user;
};

static size_t peer_read(void *peer, void *data, size_t len)
{
	return net_peer_read(peer, data, len);
}

static bool peer_write(void *peer, const void *data, size_t len)
{
	return net_peer_write(peer, data, len);
}

static void peer_reset(void *peer)
{
	net_peer_reset(peer);
}

static bool peer_was_reset(void *peer)
{
	return net_peer_was_reset(peer);
}

static void net_run_script(struct net_peer *peer, void *user)
{
	const struct suite_net *net = user;
	const struct suite_peer as_peer = {peer, peer_read, peer_write, peer_reset, peer_was_reset};
	net->script(&as_peer, net->user);
}

void *suite_net_start(enum net_kind kind, enum net_manner ignoring, enum suite_manner manner, suite_script script,
	void *user, struct suite_way *way)
{
	static const enum net_manner manners[] = {[SUITE_SERVES] = NET_SERVES, [SUITE_REFUSES] = NET_REFUSES};
	struct suite_net *net = calloc(1, sizeof *net);
	if (!net)
		abort();
	net->script = script;
	net->user = user;
	net->listener = net_listener_start(&(struct net_options){
		.kind = kind,
		.manner = manner == SUITE_IGNORES ? ignoring : manners[manner],
		.script = net_run_script,
		.user = net,
	});
	snprintf(way->url, sizeof way->url, "%s", net_listener_url(net->listener));
	way->tls.ca_file = net_listener_ca(net->listener);
	return net;
}

void suite_net_stop(void *far)
{
	struct suite_net *net = far;
	net_listener_stop(net->listener);
	free(net);
}
