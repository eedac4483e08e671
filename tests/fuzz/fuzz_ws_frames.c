/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ws_frames.c: a server's frames through the checker, whole and in pieces, and what it lets pass through
 * libwebsockets: it must accept all of that, and unwrap it as a plain reading of the frames does.
 *
 * Input: one byte, how the rest is cut; the rest is what the server sends. */
#include "fuzz.h"
#include "transport/ws_codec.h"
#include "transport/ws_frames.h"
#include <openssl/evp.h>
#include <string.h>

struct verdict {
	enum skiffi_ws_event last;
	int code;
	size_t pings;
	size_t passed; /* bytes that may be passed on */
};

static size_t piece_of(size_t cut, size_t left)
{
	size_t piece = cut ? cut : left;
	return piece < left ? piece : left;
}

/* Bytes after CLOSE and BROKEN are not looked at. */
static struct verdict judge(const uint8_t *data, size_t len, size_t cut)
{
	struct skiffi_ws_frames frames = {0};
	struct verdict verdict = {.last = SKIFFI_WS_DATA};
	for (size_t at = 0; at < len;) {
		size_t piece = piece_of(cut, len - at), used = 0;
		while (used < piece) {
			enum skiffi_ws_event event;
			size_t step = skiffi_ws_frames_take(&frames, data + at + used, piece - used, &event);
			CHECK(step <= piece - used);
			CHECK(step || event == SKIFFI_WS_CLOSE || event == SKIFFI_WS_BROKEN);
			used += step;
			verdict.passed = at + used;
			verdict.pings += event == SKIFFI_WS_PING;
			verdict.last = event;
			verdict.code = frames.code;
			if (event == SKIFFI_WS_CLOSE || event == SKIFFI_WS_BROKEN) {
				CHECK((event == SKIFFI_WS_BROKEN) == !!frames.rule);
				return verdict;
			}
		}
		at += piece;
	}
	return verdict;
}

/* Payload of the data frames in bytes that are known to be in good form; the last frame may be cut short. */
static size_t plain_payload(const uint8_t *data, size_t len, uint8_t *out)
{
	size_t at = 0, used = 0;
	while (at + 2 <= len) {
		size_t extra = data[at + 1] == 126 ? 2 : data[at + 1] == 127 ? 8 : 0, size = data[at + 1];
		bool control = data[at] & 8;
		if (at + 2 + extra > len)
			break;
		for (size_t i = 0; i < extra; i++)
			size = (i ? size << 8 : 0) | data[at + 2 + i];
		at += 2 + extra;
		size_t take = size < len - at ? size : len - at;
		if (!control) {
			memcpy(out + used, data + at, take);
			used += take;
		}
		at += take;
	}
	return used;
}

static void shake_hands(struct skiffi_ws_codec *codec)
{
	char text[128], accept[64], head[256];
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned int hash_len;
	snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", codec->key);
	CHECK(EVP_Digest(text, strlen(text), hash, &hash_len, EVP_sha1(), NULL));
	EVP_EncodeBlock((unsigned char *)accept, hash, (int)hash_len);
	snprintf(head, sizeof head,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
		accept);
	CHECK(skiffi_ws_codec_feed(codec, (const uint8_t *)head, strlen(head)));
	CHECK(codec->established);
}

/* libwebsockets keeps a cut frame to itself until its end, or until its own buffer is full. */
static void unwrap(const uint8_t *data, size_t len, size_t cut)
{
	static struct skiffi_loop loop;
	struct skiffi_buffer payload = {0}, wire = {0};
	char url[] = "ws://h", host[] = "h", path[] = "/";
	struct skiffi_endpoint endpoint = {.url = url, .http_host = host, .path = path};
	struct skiffi_transport_config config = {.endpoint = &endpoint};
	struct skiffi_ws_codec codec = {.payload = &payload, .wire = &wire};
	struct skiff_error error;
	uint8_t *plain = malloc(len + 1);
	CHECK(skiffi_ws_codec_open(&codec, &loop, &config, &error));
	shake_hands(&codec);
	for (size_t at = 0; at < len; at += piece_of(cut, len - at))
		CHECK(skiffi_ws_codec_feed(&codec, data + at, piece_of(cut, len - at)));
	size_t plain_len = plain_payload(data, len, plain);
	CHECK(skiffi_buffer_len(&payload) <= plain_len);
	CHECK(!skiffi_buffer_len(&payload) ||
		!memcmp(skiffi_buffer_head(&payload), plain, skiffi_buffer_len(&payload)));
	skiffi_ws_codec_end(&codec);
	skiffi_buffer_release(&payload);
	skiffi_buffer_release(&wire);
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (!len || len > 1 << 20)
		return 0;
	size_t cut = data[0];
	struct verdict whole = judge(data + 1, len - 1, 0), cut_up = judge(data + 1, len - 1, cut),
		       bytes = judge(data + 1, len - 1, 1);
	CHECK((whole.last == SKIFFI_WS_CLOSE) == (bytes.last == SKIFFI_WS_CLOSE));
	CHECK((whole.last == SKIFFI_WS_BROKEN) == (bytes.last == SKIFFI_WS_BROKEN));
	CHECK((whole.last == SKIFFI_WS_CLOSE) == (cut_up.last == SKIFFI_WS_CLOSE));
	CHECK((whole.last == SKIFFI_WS_BROKEN) == (cut_up.last == SKIFFI_WS_BROKEN));
	CHECK(whole.code == cut_up.code && whole.code == bytes.code);
	CHECK(whole.pings == cut_up.pings && whole.pings == bytes.pings);
	CHECK(whole.passed <= len - 1);
	unwrap(data + 1, whole.passed, cut);
	return 0;
}
