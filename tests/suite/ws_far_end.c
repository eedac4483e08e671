/* SPDX-License-Identifier: Apache-2.0 */
/* ws_far_end.c: starting, meeting, judging. */
#include "suite/ws_far_end.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void far_end_start(struct far_end *far, bool tls, ws_script script)
{
	far->listener = ws_listener_start(tls, script, far);
	assert_non_null(far->listener);
	snprintf(far->url, sizeof far->url, "%s://127.0.0.1:%u/mqtt", tls ? "wss" : "ws",
		ws_listener_port(far->listener));
}

struct probe *far_end_open(struct far_end *far)
{
	return probe_open(&(struct probe_options){.url = far->url, .tls.ca_file = ws_listener_ca(far->listener)});
}

void expect_error(const struct skiff_error *error, enum skiff_code code, int detail, const char *says)
{
	print_message("    %s: %s\n", skiff_code_slug(error->code), error->text);
	assert_string_equal(skiff_code_slug(error->code), skiff_code_slug(code));
	assert_int_equal(error->detail, detail);
	assert_non_null(strstr(error->text, says));
}

void expect_refusal(struct far_end *far, ws_script script, enum skiff_code code, int detail, const char *says)
{
	far_end_start(far, false, script);
	struct probe *probe = far_end_open(far);
	probe_wait_end(probe);
	struct skiff_error error = probe_error(probe);
	assert_false(probe_was_opened(probe));
	probe_close(probe, false);
	ws_listener_stop(far->listener);
	expect_error(&error, code, detail, says);
}

void script_silent(struct ws_peer *peer, void *user)
{
	(void)user;
	uint8_t rest[4096];
	while (ws_peer_read(peer, rest, sizeof rest))
		;
}
