/* SPDX-License-Identifier: Apache-2.0 */
/* ws_loop.c: creating and destroying libwebsockets' one context.
 *
 * libwebsockets sizes its tables by RLIMIT_NOFILE when the context is created and refuses later descriptors above
 * that, searches linearly when it is told another size, and falls back to 2560 when the limit is absurdly high. So the
 * limit is moved to a sane value for the moment of creation, and put back. It also sets SIGPIPE to be ignored: put back
 * too, as the program's signals are not ours (libwebsockets sends with MSG_NOSIGNAL).
 * Failure: no memory, or no descriptor left for its event pipe. */
#include "transport/ws_loop.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/log.h"
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

enum { WS_LOOP_FILES_LEAST = 65536, WS_LOOP_FILES_MOST = 1 << 20, WS_LOOP_HANDSHAKE_BYTES = 32 * 1024 };

/* Its lines end in a line end and begin with a time stamp in a format of the version's own. */
static void ws_loop_log(int level, const char *line)
{
	(void)level;
	size_t len = strcspn(line, "\n");
	skiffi_log(SKIFF_LOG_DEBUG, "transport", "libwebsockets: %.*s", (int)len, line);
}

static struct rlimit ws_loop_sane_files(struct rlimit now)
{
	rlim_t want = now.rlim_cur;
	if (want < WS_LOOP_FILES_LEAST)
		want = now.rlim_max < WS_LOOP_FILES_LEAST ? now.rlim_max : WS_LOOP_FILES_LEAST;
	if (want > WS_LOOP_FILES_MOST)
		want = WS_LOOP_FILES_MOST;
	return (struct rlimit){.rlim_cur = want, .rlim_max = now.rlim_max};
}

static struct lws_context *ws_loop_create_context(const struct lws_context_creation_info *info)
{
	struct rlimit files, sane;
	struct sigaction pipe;
	bool limited = !getrlimit(RLIMIT_NOFILE, &files);
	if (limited) {
		sane = ws_loop_sane_files(files);
		limited = sane.rlim_cur != files.rlim_cur && !setrlimit(RLIMIT_NOFILE, &sane);
	}
	sigaction(SIGPIPE, NULL, &pipe);
	skiffi_loop_uses_openssl(); /* so does libwebsockets */
	struct lws_context *context = lws_create_context(info);
	sigaction(SIGPIPE, &pipe, NULL);
	if (limited)
		setrlimit(RLIMIT_NOFILE, &files);
	return context;
}

static void ws_loop_release(struct skiffi_ws_shared *shared)
{
	if (shared->context)
		lws_context_destroy(shared->context);
	skiffi_free(shared->frame);
	skiffi_free(shared);
}

static void ws_loop_end(struct skiffi_loop *loop)
{
	struct skiffi_ws_shared *shared = loop->ws_context;
	loop->ws_context = NULL;
	if (shared)
		ws_loop_release(shared);
}

/* No proxy: libwebsockets would take one from the environment, and it never sees the network. */
static struct skiffi_ws_shared *ws_loop_new(const struct lws_protocols *protocols)
{
	struct skiffi_ws_shared *shared = skiffi_calloc(1, sizeof *shared);
	if (!shared)
		return NULL;
	struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN,
		.protocols = protocols,
		.gid = (gid_t)-1,
		.uid = (uid_t)-1,
		.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS |
			   LWS_SERVER_OPTION_DISABLE_IPV6,
		.pt_serv_buf_size = WS_LOOP_HANDSHAKE_BYTES,
		.max_http_header_data = WS_LOOP_HANDSHAKE_BYTES,
		.http_proxy_address = "",
	};
	lws_set_log_level(LLL_ERR | LLL_WARN, ws_loop_log);
	shared->context = ws_loop_create_context(&info);
	shared->vhost = shared->context ? lws_create_vhost(shared->context, &info) : NULL;
	shared->frame = skiffi_malloc(LWS_PRE + SKIFFI_WS_MESSAGE_BYTES);
	if (!shared->vhost || !shared->frame) {
		ws_loop_release(shared);
		return NULL;
	}
	return shared;
}

struct skiffi_ws_shared *skiffi_ws_shared(
	struct skiffi_loop *loop, const struct lws_protocols *protocols, struct skiff_error *error)
{
	if (!loop->ws_context) {
		loop->ws_context = ws_loop_new(protocols);
		loop->ws_context_free = ws_loop_end;
	}
	if (!loop->ws_context)
		skiffi_fail(error, SKIFF_MEMORY, 0,
			"libwebsockets could not be started; free some memory or raise the limit of open files");
	return loop->ws_context;
}
