/* SPDX-License-Identifier: Apache-2.0 */
/* cert_show.h: what `skiff cert show` found, and the two ways to print it. */
#ifndef SKIFF_CERT_SHOW_H
#define SKIFF_CERT_SHOW_H

#include "cert_chain.h"
#include "cert_file.h"
#include "cert_peer.h"

struct cert_view {
	const char *source; /* the file, or the URL without user info */
	const struct cert_items *items;
	const struct cert_peer *peer;  /* NULL: it is a file */
	STACK_OF(X509) * certificates; /* those of the items, in their order; borrowed */
	X509_STORE *trust;             /* NULL: there is none */
	char load[1024];               /* what a client must load for this peer; "": a file */
};

/* The number, from 1, of the item that `certificates[index]` is; 0 for an index below 0. */
size_t cert_view_number(const struct cert_view *view, int index);

/* Calls `each` for the chain above every certificate that signed no other of those here, the first one's first; those
 * that stand in none of the chains before are told by a chain of their own. */
typedef void (*cert_view_chain_fn)(const struct cert_view *view, const struct cert_chain *chain, void *user);
void cert_view_chains(const struct cert_view *view, cert_view_chain_fn each, void *user);

/* cert_page.c, cert_json.c: to stdout. */
void cert_page_print(const struct cert_view *view);
void cert_json_print(const struct cert_view *view);

#endif
