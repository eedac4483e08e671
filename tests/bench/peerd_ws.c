/* SPDX-License-Identifier: Apache-2.0 */
/* peerd_ws.c: the server's side of WebSocket: the upgrade in one read, then frames unmasked in place. */
#include "peerd.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

size_t ws_header(uint8_t *header, size_t len)
{
	header[0] = 0x82; /* the last (and only) frame of a binary message */
	if (len < 126) {
		header[1] = (uint8_t)len;
		return 2;
	}
	if (len < 65536) {
		header[1] = 126;
		header[2] = (uint8_t)(len >> 8);
		header[3] = (uint8_t)len;
		return 4;
	}
	header[1] = 127;
	for (int i = 0; i < 8; i++)
		header[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	return 10;
}

static void ws_upgrade(struct conn *conn, char *request)
{
	char *key = strcasestr(request, "sec-websocket-key:"), *end;
	unsigned char digest[EVP_MAX_MD_SIZE], text[64];
	char joined[128], answer[512];
	unsigned digest_len;
	int len;

	if (!key || !strstr(request, "\r\n\r\n")) {
		conn->dead = true;
		return;
	}
	key += strlen("sec-websocket-key:");
	key += strspn(key, " ");
	end = strstr(key, "\r\n");
	len = snprintf(joined, sizeof joined, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)(end - key), key);
	if (len >= (int)sizeof joined) {
		conn->dead = true;
		return;
	}
	EVP_Digest(joined, (size_t)len, digest, &digest_len, EVP_sha1(), NULL);
	EVP_EncodeBlock(text, digest, (int)digest_len);
	len = snprintf(answer, sizeof answer,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
		(char *)text);
	conn_queue(conn, answer, (size_t)len);
	conn->upgraded = true;
}

/* Adds one byte of a frame's header; true when the header is whole. */
static bool frame_header_feed(struct frame *frame, uint8_t byte)
{
	int length, wide;

	frame->header[frame->header_len++] = byte;
	if (frame->header_len < 2)
		return false;
	length = frame->header[1] & 127;
	wide = length == 126 ? 2 : length == 127 ? 8 : 0;
	if (frame->header_len < 2 + wide + 4) /* a client always masks */
		return false;
	frame->left = wide ? 0 : (uint64_t)length;
	for (int i = 0; i < wide; i++)
		frame->left = frame->left << 8 | frame->header[2 + i];
	memcpy(&frame->mask, frame->header + 2 + wide, 4);
	frame->phase = 0;
	frame->header_len = 0;
	return true;
}

/* Moves `len` masked bytes down to `to` in the clear. */
static void frame_unmask(struct frame *frame, uint8_t *to, const uint8_t *from, size_t len)
{
	unsigned turn = (frame->phase & 3) * 8;
	uint32_t mask = turn ? frame->mask >> turn | frame->mask << (32 - turn) : frame->mask;
	uint64_t wide = (uint64_t)mask << 32 | mask, word;
	size_t i = 0;

	for (; i + sizeof word <= len; i += sizeof word) {
		memcpy(&word, from + i, sizeof word);
		word ^= wide;
		memcpy(to + i, &word, sizeof word);
	}
	for (; i < len; i++)
		to[i] = from[i] ^ (uint8_t)(mask >> (i & 3) * 8);
	frame->phase += (unsigned)len;
	frame->left -= len;
}

void ws_feed(struct conn *conn, uint8_t *bytes, size_t len)
{
	uint8_t *from = bytes, *end = bytes + len, *to = bytes;

	if (!conn->upgraded) {
		*end = '\0';
		ws_upgrade(conn, (char *)bytes);
		return;
	}
	while (from < end) {
		size_t here;

		if (!conn->frame.left) {
			if (frame_header_feed(&conn->frame, *from++) && (conn->frame.header[0] & 15) == 8)
				conn->dead = true;
			continue;
		}
		here = (size_t)(end - from) < conn->frame.left ? (size_t)(end - from) : (size_t)conn->frame.left;
		frame_unmask(&conn->frame, to, from, here);
		from += here;
		to += here;
	}
	if (to > bytes)
		mqtt_feed(conn, bytes, (size_t)(to - bytes));
}
