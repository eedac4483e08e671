/* SPDX-License-Identifier: Apache-2.0 */
/* ws_head.c: collecting the head, taking it apart, and one sentence for each way in which it is not what it should be.
 */
#include "transport/ws_head.h"

#include "base/error.h"
#include <ctype.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HEAD_SWITCHING = 101, HEAD_QUOTE_BYTES = 200 };

/* A part of the head; not terminated. */
struct head_text {
	const char *at;
	size_t len;
};

static struct head_text head_trim(struct head_text text)
{
	while (text.len && isspace((unsigned char)text.at[text.len - 1]))
		text.len--;
	while (text.len && isspace((unsigned char)text.at[0])) {
		text.at++;
		text.len--;
	}
	return text;
}

static bool head_is(struct head_text text, const char *word)
{
	return text.len == strlen(word) && !strncasecmp(text.at, word, text.len);
}

/* For %.*s: as much as fits a sentence. */
static int head_quote(struct head_text text)
{
	return (int)(text.len < HEAD_QUOTE_BYTES ? text.len : HEAD_QUOTE_BYTES);
}

/* The line at `*at`, without its end; moves on to the next. False at the empty line. */
static bool head_line(const struct skiffi_ws_head *head, size_t *at, struct head_text *line)
{
	const char *from = (const char *)skiffi_buffer_head(&head->bytes) + *at;
	const char *end = memchr(from, '\n', skiffi_buffer_len(&head->bytes) - *at);
	*at += (size_t)(end + 1 - from);
	*line = (struct head_text){from, (size_t)(end - from)};
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	return line->len;
}

/* The value of the only header called `name`; `*count` says how many there are. */
static struct head_text head_find(const struct skiffi_ws_head *head, const char *name, size_t *count)
{
	struct head_text line, found = {"", 0};
	size_t at = 0;
	*count = 0;
	head_line(head, &at, &line);
	while (head_line(head, &at, &line)) {
		const char *colon = memchr(line.at, ':', line.len);
		if (!colon || !head_is((struct head_text){line.at, (size_t)(colon - line.at)}, name))
			continue;
		found = head_trim((struct head_text){colon + 1, (size_t)(line.at + line.len - colon - 1)});
		++*count;
	}
	return found;
}

/* Whether `word` is in a comma-separated list, under any of the headers called `name`. */
static bool head_lists(const struct skiffi_ws_head *head, const char *name, const char *word)
{
	struct head_text line;
	size_t at = 0;
	head_line(head, &at, &line);
	while (head_line(head, &at, &line)) {
		const char *colon = memchr(line.at, ':', line.len), *end = line.at + line.len;
		if (!colon || !head_is((struct head_text){line.at, (size_t)(colon - line.at)}, name))
			continue;
		for (const char *from = colon + 1; from <= end;) {
			const char *comma = memchr(from, ',', (size_t)(end - from));
			comma = comma ? comma : end;
			if (head_is(head_trim((struct head_text){from, (size_t)(comma - from)}), word))
				return true;
			from = comma + 1;
		}
	}
	return false;
}

/* "HTTP/1.1 101 Switching Protocols" into status and words; false when it is not such a line. */
static bool head_status(struct skiffi_ws_head *head, struct head_text *words)
{
	struct head_text line;
	size_t at = 0;
	char text[16] = "";
	head_line(head, &at, &line);
	if (line.len < 12 || (line.len > 12 && line.at[12] != ' '))
		return false;
	memcpy(text, line.at, 12);
	int minor, status, used = 0;
	if (sscanf(text, "HTTP/1.%1d %3d%n", &minor, &status, &used) != 2 || used != 12 || status < 100)
		return false;
	head->status = status;
	*words = head_trim((struct head_text){line.at + 9, line.len - 9});
	return true;
}

/* ---- sentences ---- */

/* What else to try where this path does not answer. */
static const char *head_other_paths(const struct skiffi_endpoint *endpoint)
{
	return strcmp(endpoint->path, "/mqtt") ? "'/mqtt', '/ws' or '/'" : "'/', '/ws' or '/ws/mqtt'";
}

static void head_say_redirect(const struct skiffi_ws_head *head, struct head_text words,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	size_t count;
	struct head_text location = head_find(head, "Location", &count);
	if (!count)
		location = (struct head_text){"an address it does not name", 27};
	skiffi_fail(error, SKIFF_WS_REDIRECT, head->status,
		"'%s' answered %.*s and redirects to '%.*s'; connect there if that is the server you mean",
		endpoint->url, head_quote(words), words.at, head_quote(location), location.at);
}

static void head_say_forbidden(const struct skiffi_ws_head *head, struct head_text words,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	skiffi_fail(error, SKIFF_WS_FORBIDDEN, head->status,
		"'%s' answered %.*s to the WebSocket upgrade at path '%s'; %s", endpoint->url, head_quote(words),
		words.at, endpoint->path,
		head->status == 403
			? "check the path, or whether the server lets in this address or wants an HTTP header"
			: "give the credentials it wants in an HTTP header, such as Authorization: those of "
			  "MQTT are sent only later");
}

static void head_say_status(const struct skiffi_ws_head *head, struct head_text words,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	int status = head->status;
	if (status == 404 || status == 405 || status == 410)
		skiffi_fail(error, SKIFF_WS_NOT_FOUND, status,
			"'%s' answered %.*s at path '%s'; try another path, such as %s", endpoint->url,
			head_quote(words), words.at, endpoint->path, head_other_paths(endpoint));
	else if (status == 401 || status == 403 || status == 407)
		head_say_forbidden(head, words, endpoint, error);
	else if (status >= 300 && status < 400)
		head_say_redirect(head, words, endpoint, error);
	else if (status >= 500 || status == 408 || status == 429)
		skiffi_fail(error, SKIFF_WS_UNAVAILABLE, status,
			"'%s' answered %.*s: it cannot serve the WebSocket now; try again later", endpoint->url,
			head_quote(words), words.at);
	else
		skiffi_fail(error, SKIFF_WS_NOT_WEBSOCKET, status,
			"'%s' answered %.*s instead of switching to WebSocket at path '%s'; try another path, such as "
			"%s%s",
			endpoint->url, head_quote(words), words.at, endpoint->path, head_other_paths(endpoint),
			status == 400 && !endpoint->tls ? ", or wss:// if the port expects TLS" : "");
}

static enum skiffi_ws_answer head_bad_accept(const struct skiffi_ws_head *head, const char *fault,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	skiffi_fail(error, SKIFF_WS_BAD_ACCEPT, head->status,
		"the answer of '%s' to the WebSocket upgrade is invalid: %s; it is no WebSocket server, or a proxy in "
		"between "
		"spoils it",
		endpoint->url, fault);
	return SKIFFI_WS_REFUSED;
}

static const char *head_guess(uint8_t first)
{
	switch (first) {
	case 0x20:
		return "it speaks plain MQTT: use mqtt://";
	case 0x15:
	case 0x16:
		return "it speaks TLS: use wss:// or mqtts://";
	default:
		return "check host and port";
	}
}

static void head_say_banner(
	const struct skiffi_ws_head *head, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	size_t len = skiffi_buffer_len(&head->bytes);
	const uint8_t *bytes = skiffi_buffer_head(&head->bytes);
	char seen[3 * 8 + 1] = "";
	for (size_t i = 0; i < len && i < 8; i++)
		snprintf(seen + 3 * i, 4, " %02x", bytes[i]);
	skiffi_fail(error, SKIFF_WS_NOT_WEBSOCKET, 0,
		"'%s' does not speak WebSocket on this port (it answered with the bytes%s); %s", endpoint->url, seen,
		head_guess(bytes[0]));
}

/* ---- verdict ---- */

static bool head_accept_fits(struct head_text accept, const char *key)
{
	char text[128], expected[32];
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int hash_len = 0;
	int len = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	if (!EVP_Digest(text, (size_t)len, hash, &hash_len, EVP_sha1(), NULL))
		return false;
	EVP_EncodeBlock((unsigned char *)expected, hash, (int)hash_len);
	return accept.len == strlen(expected) && !memcmp(accept.at, expected, accept.len);
}

static enum skiffi_ws_answer head_check_subprotocol(
	const struct skiffi_ws_head *head, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	size_t count;
	const char *offered = head->subprotocol ? head->subprotocol : "mqtt";
	struct head_text selected = head_find(head, "Sec-WebSocket-Protocol", &count);
	if (count == 1 && selected.len == strlen(offered) && !memcmp(selected.at, offered, selected.len))
		return SKIFFI_WS_ACCEPTED;
	if (!count)
		selected = (struct head_text){"none", 4};
	if (count > 1)
		selected = (struct head_text){"more than one", 13};
	skiffi_fail(error, SKIFF_WS_SUBPROTOCOL, head->status,
		"'%s' switched to WebSocket but did not select the subprotocol '%s' (it selected '%.*s'); "
		"what is at path '%s' is not MQTT, or a proxy on the way drops the header; another path is %s",
		endpoint->url, offered, head_quote(selected), selected.at, endpoint->path, head_other_paths(endpoint));
	return SKIFFI_WS_REFUSED;
}

static enum skiffi_ws_answer head_check_switch(const struct skiffi_ws_head *head, const char *key,
	const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	size_t count;
	if (!head_lists(head, "Upgrade", "websocket"))
		return head_bad_accept(head, "no header says 'Upgrade: websocket'", endpoint, error);
	if (!head_lists(head, "Connection", "upgrade"))
		return head_bad_accept(head, "no header says 'Connection: Upgrade'", endpoint, error);
	struct head_text accept = head_find(head, "Sec-WebSocket-Accept", &count);
	if (!count)
		return head_bad_accept(head, "Sec-WebSocket-Accept is missing", endpoint, error);
	if (count > 1 || !head_accept_fits(accept, key))
		return head_bad_accept(head, "Sec-WebSocket-Accept does not fit the key sent", endpoint, error);
	head_find(head, "Sec-WebSocket-Extensions", &count);
	if (count)
		return head_bad_accept(head, "it negotiates an extension that was not offered", endpoint, error);
	head_find(head, "Transfer-Encoding", &count);
	if (count)
		return head_bad_accept(head, "it has a Transfer-Encoding", endpoint, error);
	return head_check_subprotocol(head, endpoint, error);
}

/* Puts what was checked in the place of what came: libwebsockets stumbles over more spaces, folding and the like. */
static bool head_reduce(struct skiffi_ws_head *head)
{
	size_t count;
	char text[512];
	struct head_text accept = head_find(head, "Sec-WebSocket-Accept", &count);
	int len = snprintf(text, sizeof text,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %.*s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
		head_quote(accept), accept.at);
	skiffi_buffer_clear(&head->bytes, SKIFFI_WS_HEAD_MAX);
	return skiffi_buffer_append(&head->bytes, text, (size_t)len);
}

static enum skiffi_ws_answer head_check(
	struct skiffi_ws_head *head, const char *key, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	struct head_text words;
	if (!head_status(head, &words))
		return head_bad_accept(head, "its first line is no HTTP/1 status line", endpoint, error);
	if (head->status == HEAD_SWITCHING) {
		enum skiffi_ws_answer answer = head_check_switch(head, key, endpoint, error);
		if (answer != SKIFFI_WS_ACCEPTED || head_reduce(head))
			return answer;
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return SKIFFI_WS_REFUSED;
	}
	if (head->status < 200)
		return SKIFFI_WS_MORE;
	head_say_status(head, words, endpoint, error);
	return SKIFFI_WS_REFUSED;
}

/* ---- collecting ---- */

static bool head_is_http(const struct skiffi_ws_head *head)
{
	size_t len = skiffi_buffer_len(&head->bytes);
	return !memcmp(skiffi_buffer_head(&head->bytes), "HTTP/", len < 5 ? len : 5);
}

/* Bytes up to and with the empty line, or 0. */
static size_t head_end(const struct skiffi_ws_head *head, size_t from)
{
	const char *bytes = (const char *)skiffi_buffer_head(&head->bytes);
	size_t len = skiffi_buffer_len(&head->bytes);
	for (size_t i = from > 3 ? from - 3 : 0; i + 1 < len; i++) {
		if (bytes[i] != '\n')
			continue;
		if (bytes[i + 1] == '\n')
			return i + 2;
		if (i + 2 < len && bytes[i + 1] == '\r' && bytes[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

/* One head, interim or final. */
static enum skiffi_ws_answer head_take_one(struct skiffi_ws_head *head, const uint8_t *data, size_t len, size_t *used,
	const char *key, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	size_t before = skiffi_buffer_len(&head->bytes);
	size_t room = SKIFFI_WS_HEAD_MAX - before;
	*used = len < room ? len : room;
	if (!skiffi_buffer_append(&head->bytes, data, *used)) {
		skiffi_fail_plain(error, SKIFF_MEMORY);
		return SKIFFI_WS_REFUSED;
	}
	if (!head_is_http(head)) {
		head_say_banner(head, endpoint, error);
		return SKIFFI_WS_REFUSED;
	}
	size_t end = head_end(head, before);
	if (end) {
		*used = end - before;
		head->bytes.tail = head->bytes.head + end;
		return head_check(head, key, endpoint, error);
	}
	if (before + *used == SKIFFI_WS_HEAD_MAX)
		return head_bad_accept(head, "its head is longer than 16384 bytes", endpoint, error);
	return SKIFFI_WS_MORE;
}

static bool head_is_interim(const struct skiffi_ws_head *head)
{
	return head->status && head->status < 200 && head->status != HEAD_SWITCHING;
}

enum skiffi_ws_answer skiffi_ws_head_take(struct skiffi_ws_head *head, const uint8_t *data, size_t len, size_t *used,
	const char *key, const struct skiffi_endpoint *endpoint, struct skiff_error *error)
{
	enum skiffi_ws_answer answer = SKIFFI_WS_MORE;
	size_t step;
	for (*used = 0; *used < len && answer == SKIFFI_WS_MORE; *used += step) {
		answer = head_take_one(head, data + *used, len - *used, &step, key, endpoint, error);
		if (answer == SKIFFI_WS_MORE && head_is_interim(head)) {
			skiffi_buffer_clear(&head->bytes, SKIFFI_WS_HEAD_MAX);
			head->status = 0;
		}
	}
	return answer;
}

void skiffi_ws_head_silent(const struct skiffi_ws_head *head, const char *how, const struct skiffi_endpoint *endpoint,
	int detail, struct skiff_error *error)
{
	if (skiffi_buffer_len(&head->bytes))
		skiffi_fail(error, SKIFF_WS_NOT_WEBSOCKET, detail,
			"'%s' %s in the middle of its answer to the WebSocket upgrade", endpoint->url, how);
	else
		skiffi_fail(error, SKIFF_WS_NOT_WEBSOCKET, detail,
			"'%s' %s on the WebSocket upgrade: it does not speak WebSocket on this port; it may be one for "
			"%s",
			endpoint->url, how,
			endpoint->tls ? "MQTT over TLS (mqtts://)"
				      : "plain MQTT (mqtt://) or for TLS (wss://, mqtts://)");
}

void skiffi_ws_head_release(struct skiffi_ws_head *head)
{
	skiffi_buffer_release(&head->bytes);
}
