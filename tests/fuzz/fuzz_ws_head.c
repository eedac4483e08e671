/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ws_head.c: a server's answer to the upgrade, whole and in pieces: one verdict, one sentence.
 *
 * Input: one byte, how the rest is cut; the rest is what the server sends, where a '~' stands for the right accept key
 * of the key that is always sent. */
#include "fuzz.h"
#include "transport/ws_head.h"
#include <string.h>

static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==", accept_key[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; /* RFC 6455, 1.3 */

struct verdict {
	enum skiffi_ws_answer answer;
	size_t used;
	struct skiff_error error;
};

static void judge(const uint8_t *data, size_t len, size_t cut, struct verdict *verdict)
{
	char url[] = "ws://h", host[] = "h", path[] = "/mqtt";
	struct skiffi_endpoint endpoint = {.url = url, .http_host = host, .path = path};
	struct skiffi_ws_head head = {0};
	memset(verdict, 0, sizeof *verdict);
	while (verdict->used < len && verdict->answer == SKIFFI_WS_MORE) {
		size_t left = len - verdict->used, piece = cut && cut < left ? cut : left, used;
		verdict->answer =
			skiffi_ws_head_take(&head, data + verdict->used, piece, &used, key, &endpoint, &verdict->error);
		CHECK(used <= piece && (used == piece || verdict->answer != SKIFFI_WS_MORE));
		CHECK(skiffi_buffer_len(&head.bytes) <= SKIFFI_WS_HEAD_MAX);
		verdict->used += used;
	}
	CHECK((verdict->answer == SKIFFI_WS_REFUSED) == !!verdict->error.code);
	CHECK(verdict->answer != SKIFFI_WS_ACCEPTED || head.status == 101);
	skiffi_ws_head_release(&head);
}

/* Banners are quoted, and how much of one is there to quote depends on the pieces. */
static void check_same(const struct verdict *one, const struct verdict *other)
{
	CHECK(one->answer == other->answer);
	CHECK(one->error.code == other->error.code && one->error.detail == other->error.detail);
	if (one->error.code != SKIFF_WS_NOT_WEBSOCKET || one->error.detail) {
		CHECK(!strcmp(one->error.text, other->error.text));
		CHECK(one->used == other->used);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct verdict whole, cut_up, bytes;
	if (!len || len > 65536)
		return 0;
	uint8_t *text = malloc(len * (sizeof accept_key - 1) + 1);
	size_t used = 0;
	for (size_t i = 1; i < len; i++) {
		bool key_here = data[i] == '~';
		memcpy(text + used, key_here ? (const void *)accept_key : data + i,
			key_here ? sizeof accept_key - 1 : 1);
		used += key_here ? sizeof accept_key - 1 : 1;
	}
	judge(text, used, 0, &whole);
	judge(text, used, data[0], &cut_up);
	judge(text, used, 1, &bytes);
	check_same(&whole, &cut_up);
	check_same(&whole, &bytes);
	free(text);
	return 0;
}
