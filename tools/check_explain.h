/* SPDX-License-Identifier: Apache-2.0 */
/* check_explain.h: for --explain: what `skiff check` says of the way that another command just failed on. */
#ifndef SKIFF_CHECK_EXPLAIN_H
#define SKIFF_CHECK_EXPLAIN_H

#include <skiff/options.h>

/* Walks the way that `options` describe, and prints the page to stderr. */
void check_explain(const struct skiff_options *options);

#endif
