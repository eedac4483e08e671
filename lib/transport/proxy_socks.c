/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_socks.c: SOCKS 5 [RFC 1928], with user and password [RFC 1929].
 *
 * Happy path: 1. the ways to log in that we know: none, and by password where there is one; the proxy chooses;
 * 2. user and password, if it chose so; 3. CONNECT to a name or an address, and the reply.
 * Failure: no way to log in, or not with these credentials; a reply but 0, each with a sentence of its own. What
 * answers in something else is seen at its first byte, and HTTP is known by it. */
#include "transport/proxy_protocol.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

enum { SOCKS_VERSION = 5, SOCKS_LOGIN_VERSION = 1, SOCKS_COMMAND_CONNECT = 1 };
enum { SOCKS_BY_NONE = 0, SOCKS_BY_PASSWORD = 2, SOCKS_BY_NO_WAY = 0xff };
enum { SOCKS_IPV4 = 1, SOCKS_NAME = 3, SOCKS_IPV6 = 4 };
enum { SOCKS_IPV4_BYTES = 4, SOCKS_IPV6_BYTES = 16, SOCKS_NAME_MAX = 255 };

static bool socks_has_credentials(const struct skiffi_proxy_wish *wish)
{
	return wish->proxy->endpoint->user || wish->proxy->endpoint->password.len;
}

/* ---- the questions ---- */

static bool ask_greeting(struct skiffi_buffer *out, const struct skiffi_proxy_wish *wish)
{
	static const uint8_t none[] = {SOCKS_VERSION, 1, SOCKS_BY_NONE};
	static const uint8_t both[] = {SOCKS_VERSION, 2, SOCKS_BY_NONE, SOCKS_BY_PASSWORD};
	return socks_has_credentials(wish) ? skiffi_buffer_append(out, both, sizeof both)
					   : skiffi_buffer_append(out, none, sizeof none);
}

/* At once, so that no half of a password is left behind where memory ends. */
static bool ask_login(struct skiffi_buffer *out, const struct skiffi_proxy_wish *wish)
{
	const char *user = wish->proxy->endpoint->user;
	const struct skiff_bytes *password = &wish->proxy->endpoint->password;
	size_t user_len = user ? strlen(user) : 0;
	assert(user_len <= SKIFFI_PROXY_CREDENTIAL_MAX && password->len <= SKIFFI_PROXY_CREDENTIAL_MAX);
	uint8_t *at = skiffi_buffer_reserve(out, 3 + user_len + password->len), *start = at;
	if (!at)
		return false;
	*at++ = SOCKS_LOGIN_VERSION;
	*at++ = (uint8_t)user_len;
	if (user_len)
		memcpy(at, user, user_len);
	at += user_len;
	*at++ = (uint8_t)password->len;
	if (password->len)
		memcpy(at, password->data, password->len);
	skiffi_buffer_commit(out, (size_t)(at - start) + password->len);
	return true;
}

/* The kind of address, and its bytes in `out`, a name with its length before it. Result: how many bytes. */
static size_t socks_address(const char *host, uint8_t *kind, uint8_t out[1 + SOCKS_NAME_MAX])
{
	size_t len = strlen(host);
	if (inet_pton(AF_INET, host, out) == 1) {
		*kind = SOCKS_IPV4;
		return SOCKS_IPV4_BYTES;
	}
	if (inet_pton(AF_INET6, host, out) == 1) {
		*kind = SOCKS_IPV6;
		return SOCKS_IPV6_BYTES;
	}
	assert(len <= SOCKS_NAME_MAX); /* endpoint.c takes no longer ones */
	*kind = SOCKS_NAME;
	out[0] = (uint8_t)len;
	memcpy(out + 1, host, len);
	return 1 + len;
}

static bool ask_connect(struct skiffi_buffer *out, const struct skiffi_proxy_wish *wish)
{
	uint8_t head[] = {SOCKS_VERSION, SOCKS_COMMAND_CONNECT, 0, 0}, address[1 + SOCKS_NAME_MAX];
	const uint8_t port[] = {(uint8_t)(wish->port >> 8), (uint8_t)wish->port};
	size_t len = socks_address(wish->host, &head[3], address);
	return skiffi_buffer_append(out, head, sizeof head) && skiffi_buffer_append(out, address, len) &&
	       skiffi_buffer_append(out, port, sizeof port);
}

static bool socks_ask(struct skiffi_buffer *out, enum skiffi_proxy_step step, const struct skiffi_proxy_wish *wish)
{
	return (step == SKIFFI_PROXY_GREETING ? ask_greeting
		: step == SKIFFI_PROXY_LOGIN  ? ask_login
					      : ask_connect)(out, wish);
}

/* ---- the answers ---- */

static void answer_next(struct skiffi_proxy_answer *answer, enum skiffi_proxy_step next, size_t used)
{
	answer->outcome = SKIFFI_PROXY_NEXT;
	answer->next = next;
	answer->used = used;
}

static void answer_strange(struct skiffi_proxy_answer *answer, uint8_t first, const struct skiffi_proxy_wish *wish)
{
	if (first == 'H') {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, 0, "answers in HTTP, not in SOCKS");
		skiffi_proxy_hint_other(answer->hint, &skiffi_proxy_socks, wish->proxy, "try ");
	} else if (first == 0 || first == 4) {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, 0,
			"answers in SOCKS 4, which has no passwords and no IPv6, and is not spoken here");
	} else {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, 0, "does not answer in SOCKS 5; is it a SOCKS proxy?");
	}
}

/* VER METHOD */
static void read_greeting(
	const uint8_t *data, size_t len, const struct skiffi_proxy_wish *wish, struct skiffi_proxy_answer *answer)
{
	if (len && data[0] != SOCKS_VERSION)
		answer_strange(answer, data[0], wish);
	else if (len < 2)
		return;
	else if (data[1] == SOCKS_BY_NONE)
		answer_next(answer, SKIFFI_PROXY_CONNECT, 2);
	else if (data[1] == SOCKS_BY_PASSWORD && socks_has_credentials(wish))
		answer_next(answer, SKIFFI_PROXY_LOGIN, 2);
	else if (data[1] == SOCKS_BY_NO_WAY)
		skiffi_proxy_refuse(answer, SKIFF_PROXY_AUTH, data[1], "%s",
			socks_has_credentials(wish) ? "takes no user and password" : "wants credentials");
	else
		skiffi_proxy_refuse(
			answer, SKIFF_PROXY_REFUSED, data[1], "chose way %u to log in, which was not offered", data[1]);
}

/* VER STATUS. The version is not looked at, as proxies do not agree on it. */
static void read_login(const uint8_t *data, size_t len, struct skiffi_proxy_answer *answer)
{
	if (len < 2)
		return;
	if (data[1] == 0)
		answer_next(answer, SKIFFI_PROXY_CONNECT, 2);
	else
		skiffi_proxy_refuse(answer, SKIFF_PROXY_AUTH, data[1], "does not take these credentials");
}

struct socks_reply {
	const char *text;
	bool elsewhere; /* another address of the peer's name may fare better */
};

static const struct socks_reply socks_replies[] = {
	[1] = {"general failure (1); its log may tell more", true},
	[2] = {"its rules do not allow that (2)", false},
	[3] = {"network unreachable (3)", true},
	[4] = {"host unreachable, or its name unknown (4)", true},
	[5] = {"connection refused by the target (5)", true},
	[6] = {"no answer in time, TTL expired (6)", true},
	[7] = {"it does not know the command CONNECT (7)", false},
	[8] = {"it does not take that kind of address (8)", true},
};

static void answer_reply(struct skiffi_proxy_answer *answer, uint8_t code)
{
	if (code < sizeof socks_replies / sizeof *socks_replies) {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, code, "says: %s", socks_replies[code].text);
		answer->elsewhere = socks_replies[code].elsewhere;
	} else {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, code, "says: failure %u, of no known kind", code);
	}
}

/* VER REP RSV ATYP BND.ADDR BND.PORT; of a refusal some send no more than the first two. */
static void read_connect(const uint8_t *data, size_t len, struct skiffi_proxy_answer *answer)
{
	if (len < 2)
		return;
	if (data[0] == SOCKS_VERSION && data[1] != 0) {
		answer_reply(answer, data[1]);
		return;
	}
	bool broken = data[0] != SOCKS_VERSION;
	size_t all = 5;
	if (!broken && len >= all) {
		uint8_t kind = data[3];
		broken = kind != SOCKS_IPV4 && kind != SOCKS_NAME && kind != SOCKS_IPV6;
		all = 4 + 2 +
		      (kind == SOCKS_IPV4          ? SOCKS_IPV4_BYTES
			      : kind == SOCKS_IPV6 ? SOCKS_IPV6_BYTES
						   : 1 + (size_t)data[4]);
	}
	if (broken) {
		skiffi_proxy_refuse(answer, SKIFF_PROXY_REFUSED, 0, "breaks the protocol SOCKS 5 in its reply");
	} else if (len >= all) {
		answer->outcome = SKIFFI_PROXY_DONE;
		answer->used = all;
	}
}

static void socks_read(const uint8_t *data, size_t len, enum skiffi_proxy_step step,
	const struct skiffi_proxy_wish *wish, struct skiffi_proxy_answer *answer)
{
	*answer = (struct skiffi_proxy_answer){.outcome = SKIFFI_PROXY_MORE};
	if (step == SKIFFI_PROXY_GREETING)
		read_greeting(data, len, wish, answer);
	else if (step == SKIFFI_PROXY_LOGIN)
		read_login(data, len, answer);
	else
		read_connect(data, len, answer);
}

const struct skiffi_proxy_protocol skiffi_proxy_socks = {
	.first = SKIFFI_PROXY_GREETING,
	.other = "HTTP",
	.other_scheme = "http",
	.ask = socks_ask,
	.read = socks_read,
};
