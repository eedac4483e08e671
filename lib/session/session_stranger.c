/* SPDX-License-Identifier: Apache-2.0 */
/* session_stranger.c: recognises a peer that answers CONNECT in another protocol, by its first bytes. */
#include "session/session_internal.h"

struct stranger {
	const char *bytes;
	size_t len;
	const char *name, *advice;
};

static const struct stranger strangers[] = {
	{"HTTP/", 5, "HTTP", "it may take WebSocket: try ws:// or wss://"},
	{"\x15\x03", 2, "TLS", "try ssl:// or wss://"},
	{"\x16\x03", 2, "TLS", "try ssl:// or wss://"},
	{"SSH-", 4, "SSH", "choose the broker's port"},
	{"220 ", 4, "SMTP or FTP", "choose the broker's port"},
	{"220-", 4, "SMTP or FTP", "choose the broker's port"},
	{"+OK", 3, "POP3", "choose the broker's port"},
	{"* OK", 4, "IMAP", "choose the broker's port"},
	{"RFB ", 4, "VNC", "choose the broker's port"},
};

enum { STRANGER_BYTES = 5 };

/* The first bytes of the connection, wherever they lie; their number. */
static size_t stranger_first(const struct skiffi_session *session, char *first)
{
	size_t have = session->partial.data ? skiffi_buffer_len(&session->partial) : 0, len = 0;
	while (len < STRANGER_BYTES && len < have + session->input_len) {
		first[len] = len < have ? (char)skiffi_buffer_head(&session->partial)[len]
					: (char)session->input[len - have];
		len++;
	}
	return len;
}

void skiffi_session_know_stranger(struct skiffi_session *session)
{
	char first[STRANGER_BYTES];
	size_t len = stranger_first(session, first);
	for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
		const struct stranger *stranger = &strangers[i];
		if (len >= stranger->len && !memcmp(first, stranger->bytes, stranger->len)) {
			skiffi_session_fault(session, SKIFF_WRONG_PROTOCOL, 0,
				"the peer speaks %s on this port, not MQTT; %s", stranger->name, stranger->advice);
			return;
		}
	}
}
