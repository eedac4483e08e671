/* SPDX-License-Identifier: Apache-2.0 */
/* ws_cases.c: what a WebSocket server can do right and wrong, one row each: what the far end does, and what must come
 * of it: bytes delivered, or an error with the close code that the far end sees. All over ws and wss. */
#include "support/transport_probe.h"
#include "support/ws_listener.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BIG_BYTES = 300 * 1000, BINARY = 0x82, BINARY_OPEN = 0x02, CONTINUE_OPEN = 0x00, CONTINUE = 0x80 };

static const char connack[] = "\x20\x02\x00\x00";
enum { CONNACK_BYTES = sizeof connack - 1 };
static uint8_t big[BIG_BYTES];

struct ws_trial {
	int seen_close; /* code of the client's close frame; 0: none */
	unsigned pongs; /* pongs in good form */
};

static bool send_connack(struct ws_peer *peer)
{
	return ws_peer_frame(peer, BINARY, connack, CONNACK_BYTES);
}

/* ---- the answer to the upgrade ---- */

static void answer_plain(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_upgrade(peer);
	send_connack(peer);
}

static void answer_other_case(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_read_request(peer);
	ws_peer_say(peer,
		"HTTP/1.1 101 Yes\r\nuPGRADE: WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\n"
		"SEC-WEBSOCKET-ACCEPT:%s\r\nsec-websocket-protocol:  mqtt \r\n\r\n",
		ws_peer_accept(peer));
	send_connack(peer);
}

static void answer_in_pieces(struct ws_peer *peer, struct ws_trial *trial)
{
	char text[512];
	(void)trial;
	ws_peer_read_request(peer);
	int len = snprintf(text, sizeof text,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n\x82\x04\x20\x02%c%c",
		ws_peer_accept(peer), 0, 0);
	ws_peer_send_in_pieces(peer, text, (size_t)len, 7);
}

static void answer_with_headers(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_read_request(peer);
	ws_peer_say(peer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n");
	for (int i = 0; i < 40; i++)
		ws_peer_say(peer, "X-Header-%02d: %052d\r\n", i, i);
	ws_peer_say(peer, "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", ws_peer_accept(peer));
	send_connack(peer);
}

static void answer_endless(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_read_request(peer);
	ws_peer_say(peer, "HTTP/1.1 101 Switching Protocols\r\nX: ");
	for (int i = 0; i < 2048; i++)
		if (!ws_peer_say(peer, "%01024d", i))
			return;
}

/* `format` may use the accept key once. */
static void answer_text(struct ws_peer *peer, const char *format, const char *accept)
{
	char text[1024];
	const char *at = strstr(format, "%s");
	ws_peer_read_request(peer);
	if (!at)
		at = format + strlen(format);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - format), format,
		*at ? (accept ? accept : ws_peer_accept(peer)) : "", *at ? at + 2 : "");
	ws_peer_say(peer, "%s", text);
}

#define ANSWER_101     "HTTP/1.1 101 Switching Protocols\r\n"
#define ANSWER_UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define ANSWER_ACCEPT  "Sec-WebSocket-Accept: %s\r\n"
#define ANSWER_MQTT    "Sec-WebSocket-Protocol: mqtt\r\n"

static void answer_wrong_accept(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer, ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT ANSWER_MQTT "\r\n", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void answer_no_accept(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer, ANSWER_101 ANSWER_UPGRADE ANSWER_MQTT "\r\n", NULL);
}

static void answer_other_subprotocol(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer, ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT "Sec-WebSocket-Protocol: mqttv3.1\r\n\r\n", NULL);
}

static void answer_no_subprotocol(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer, ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT "\r\n", NULL);
}

static void answer_no_upgrade(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer, ANSWER_101 "Connection: Upgrade\r\n" ANSWER_ACCEPT ANSWER_MQTT "\r\n", NULL);
}

static void answer_extension(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer,
		ANSWER_101 ANSWER_UPGRADE ANSWER_ACCEPT ANSWER_MQTT
		"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
		NULL);
}

static void answer_302(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer, "HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/mqtt\r\nContent-Length: 0\r\n\r\n",
		NULL);
}

static void answer_401(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer,
		"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n", NULL);
}

static void answer_200(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	answer_text(peer, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", NULL);
}

/* ---- good frames ---- */

static void count_pong(struct ws_peer *peer, struct ws_trial *trial, const char *text)
{
	struct ws_peer_frame frame;
	if (ws_peer_read_frame(peer, &frame) && frame.first == 0x8a && frame.masked && frame.len == strlen(text) &&
		!memcmp(frame.payload, text, frame.len))
		trial->pongs++;
}

static void ping_first(struct ws_peer *peer, struct ws_trial *trial)
{
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, 0x89, "are you there", 13);
	count_pong(peer, trial, "are you there");
	send_connack(peer);
}

static void ping_inside_packet(struct ws_peer *peer, struct ws_trial *trial)
{
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, BINARY, connack, 1);
	ws_peer_frame(peer, 0x89, "one", 3);
	ws_peer_frame(peer, 0x89, "", 0);
	ws_peer_frame(peer, BINARY, connack + 1, CONNACK_BYTES - 1);
	count_pong(peer, trial, "one");
	count_pong(peer, trial, "");
}

static void frame_byte_by_byte(struct ws_peer *peer, struct ws_trial *trial)
{
	static const char frame[] = "\x82\x04\x20\x02\x00\x00";
	(void)trial;
	ws_peer_upgrade(peer);
	ws_peer_send_in_pieces(peer, frame, sizeof frame - 1, 1);
}

static void packet_in_frames(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_upgrade(peer);
	for (size_t i = 0; i < CONNACK_BYTES; i++)
		ws_peer_frame(peer, BINARY, connack + i, 1);
}

static void packets_in_frame(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, BINARY, "\x20\x02\x00\x00\xd0\x00\xd0\x00", 8);
}

static void big_frame(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, BINARY, big, BIG_BYTES);
}

static void fragments_around_ping(struct ws_peer *peer, struct ws_trial *trial)
{
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, BINARY_OPEN, connack, 2);
	ws_peer_frame(peer, 0x89, "inside", 6);
	ws_peer_frame(peer, CONTINUE, connack + 2, CONNACK_BYTES - 2);
	count_pong(peer, trial, "inside");
}

static void big_fragments(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, BINARY_OPEN, big, BIG_BYTES / 3);
	ws_peer_frame(peer, CONTINUE_OPEN, big + BIG_BYTES / 3, BIG_BYTES / 3);
	ws_peer_frame(peer, CONTINUE, big + BIG_BYTES / 3 * 2, BIG_BYTES / 3);
}

static void empty_frames(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_upgrade(peer);
	ws_peer_frame(peer, BINARY, "", 0);
	ws_peer_frame(peer, BINARY_OPEN, "", 0);
	ws_peer_frame(peer, CONTINUE, "", 0);
	send_connack(peer);
	ws_peer_frame(peer, BINARY, "", 0);
}

/* ---- bad frames ---- */

/* CONNACK, then the raw bytes. */
static void send_raw(struct ws_peer *peer, const char *bytes, size_t len)
{
	ws_peer_upgrade(peer);
	send_connack(peer);
	ws_peer_send(peer, bytes, len);
}

#define RAW_SCRIPT(name, bytes) \
	static void name(struct ws_peer *peer, struct ws_trial *trial) \
	{ \
		(void)trial; \
		send_raw(peer, bytes, sizeof bytes - 1); \
	}

RAW_SCRIPT(masked_frame, "\x82\x84\x01\x02\x03\x04\x21\x00\x03\x04")
RAW_SCRIPT(text_frame, "\x81\x02ok")
RAW_SCRIPT(reserved_bit, "\xc2\x02ok")
RAW_SCRIPT(unknown_data_opcode, "\x83\x02ok")
RAW_SCRIPT(unknown_control_opcode, "\x8b\x00")
RAW_SCRIPT(lone_continuation, "\x80\x02ok")
RAW_SCRIPT(length_2_62, "\x82\x7f\x40\x00\x00\x00\x00\x00\x00\x00")
RAW_SCRIPT(length_top_bit, "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x02ok")
RAW_SCRIPT(length_not_shortest, "\x82\x7e\x00\x02ok")
RAW_SCRIPT(fragmented_ping, "\x09\x02ok")
RAW_SCRIPT(close_half_code, "\x88\x01\x03")
RAW_SCRIPT(close_1000, "\x88\x07\x03\xe8"
		       "bye\x1b!")
RAW_SCRIPT(close_1005, "\x88\x02\x03\xed")
RAW_SCRIPT(close_not_utf8, "\x88\x04\x03\xe8\xc3\x28")

static void long_ping(struct ws_peer *peer, struct ws_trial *trial)
{
	(void)trial;
	ws_peer_upgrade(peer);
	send_connack(peer);
	ws_peer_frame(peer, 0x89, big, 126);
}

/* ---- the table ---- */

struct ws_case {
	const char *name;
	void (*script)(struct ws_peer *peer, struct ws_trial *trial);
	const void *bytes; /* delivered; NULL: the CONNACK */
	size_t len;
	bool refused;         /* does not open: nothing is delivered */
	enum skiff_code code; /* SKIFF_OK: it stays open, and this side closes it */
	int detail;
	int close; /* code the far end must see */
	unsigned pongs;
	const char *says; /* part of the error's sentence */
};

#define REFUSED(error) .refused = true, .code = error
#define BROKEN(status) .code = SKIFF_WS_PROTOCOL, .detail = status, .close = status

static const struct ws_case cases[] = {
	{"plain", answer_plain, .close = 1000},
	{"header names in another case", answer_other_case, .close = 1000},
	{"101 in pieces of 7 bytes", answer_in_pieces, .close = 1000},
	{"40 further headers", answer_with_headers, .close = 1000},
	{"header of 2 MB", answer_endless, REFUSED(SKIFF_WS_BAD_ACCEPT), .says = "16384"},
	{"wrong accept key", answer_wrong_accept, REFUSED(SKIFF_WS_BAD_ACCEPT), .detail = 101, .says = "does not fit"},
	{"no accept key", answer_no_accept, REFUSED(SKIFF_WS_BAD_ACCEPT), .detail = 101, .says = "missing"},
	{"another subprotocol", answer_other_subprotocol, REFUSED(SKIFF_WS_SUBPROTOCOL), .detail = 101,
		.says = "mqttv3.1"},
	{"no subprotocol", answer_no_subprotocol, REFUSED(SKIFF_WS_SUBPROTOCOL), .detail = 101, .says = "none"},
	{"no Upgrade header", answer_no_upgrade, REFUSED(SKIFF_WS_BAD_ACCEPT), .detail = 101, .says = "Upgrade"},
	{"302", answer_302, REFUSED(SKIFF_WS_REDIRECT), .detail = 302, .says = "https://elsewhere.example/mqtt"},
	{"401", answer_401, REFUSED(SKIFF_WS_FORBIDDEN), .detail = 401, .says = "Authorization"},
	{"200", answer_200, REFUSED(SKIFF_WS_NOT_WEBSOCKET), .detail = 200, .says = "200 OK"},
	{"extension not offered", answer_extension, REFUSED(SKIFF_WS_BAD_ACCEPT), .detail = 101, .says = "extension"},
	{"ping before CONNACK", ping_first, .close = 1000, .pongs = 1},
	{"pings inside a packet", ping_inside_packet, .close = 1000, .pongs = 2},
	{"frame byte by byte", frame_byte_by_byte, .close = 1000},
	{"packet over many frames", packet_in_frames, .close = 1000},
	{"several packets in a frame", packets_in_frame, "\x20\x02\x00\x00\xd0\x00\xd0\x00", 8, .close = 1000},
	{"frame of 300 kB", big_frame, big, BIG_BYTES, .close = 1000},
	{"fragments with a ping inside", fragments_around_ping, .close = 1000, .pongs = 1},
	{"300 kB in 3 fragments", big_fragments, big, BIG_BYTES, .close = 1000},
	{"empty frames", empty_frames, .close = 1000},
	{"masked frame", masked_frame, BROKEN(1002), .says = "masked"},
	{"text frame", text_frame, BROKEN(1003), .says = "text"},
	{"reserved bit", reserved_bit, BROKEN(1002), .says = "reserved"},
	{"unknown data opcode", unknown_data_opcode, BROKEN(1002), .says = "unknown"},
	{"unknown control opcode", unknown_control_opcode, BROKEN(1002), .says = "unknown"},
	{"continuation of nothing", lone_continuation, BROKEN(1002), .says = "continue"},
	{"length 2^62", length_2_62, BROKEN(1009), .says = "1 GiB"},
	{"length with its top bit set", length_top_bit, BROKEN(1002), .says = "top bit"},
	{"length not in its shortest form", length_not_shortest, BROKEN(1002), .says = "shortest"},
	{"ping of 126 bytes", long_ping, BROKEN(1002), .says = "125"},
	{"fragmented ping", fragmented_ping, BROKEN(1002), .says = "fragmented control"},
	{"close with half a code", close_half_code, BROKEN(1002), .says = "half"},
	{"close 1000", close_1000, .code = SKIFF_TCP_CLOSED, .detail = 1000, .close = 1000, .says = "bye\\x1b!"},
	{"close 1005", close_1005, BROKEN(1002), .says = "1005"},
	{"close with a reason not in UTF-8", close_not_utf8, BROKEN(1007), .says = "\\xc3("},
};
enum { CASES = sizeof cases / sizeof cases[0] };
_Static_assert(CASES == 38, "the table is the one that other clients were measured with");

struct ws_run {
	const struct ws_case *row;
	bool tls;
	struct ws_trial trial;
	char name[64];
};

static void run_script(struct ws_peer *peer, void *user)
{
	struct ws_run *run = user;
	run->row->script(peer, &run->trial);
	if (!run->row->refused)
		run->trial.seen_close = ws_peer_read_close(peer);
}

static void check_outcome(struct ws_run *run, const struct skiff_error *error)
{
	const struct ws_case *row = run->row;
	if (error->code != row->code)
		fail_msg("%s instead of %s: %s", skiff_code_slug(error->code), skiff_code_slug(row->code), error->text);
	assert_int_equal(error->detail, row->detail);
	if (row->says && !strstr(error->text, row->says))
		fail_msg("'%s' does not say '%s'", error->text, row->says);
	if (row->code)
		assert_non_null(strstr(error->text, run->tls ? "wss://localhost" : "ws://localhost"));
	assert_int_equal(run->trial.seen_close, row->close);
	assert_int_equal(run->trial.pongs, row->pongs);
}

static void test_case(void **state)
{
	struct ws_run *run = *state;
	const struct ws_case *row = run->row;
	const void *bytes = row->bytes ? row->bytes : connack;
	size_t len = row->refused ? 0 : row->bytes ? row->len : CONNACK_BYTES;
	struct ws_listener *listener = ws_listener_start(run->tls, run_script, run);
	char url[64];
	assert_non_null(listener);
	snprintf(url, sizeof url, "%s://localhost:%u", run->tls ? "wss" : "ws", ws_listener_port(listener));
	struct probe *probe = probe_open(&(struct probe_options){.url = url, .tls.ca_file = ws_listener_ca(listener)});
	if (row->code)
		probe_wait_end(probe);
	else
		probe_wait_received(probe, len);
	if (!probe_received_is(probe, bytes, len))
		fail_msg("%zu other bytes arrived than %zu; %s", probe_received(probe), len, probe_error(probe).text);
	assert_int_equal(probe_was_opened(probe), !row->refused);
	struct skiff_error error = probe_error(probe);
	probe_close(probe, false);
	ws_listener_stop(listener);
	check_outcome(run, &error);
	if (row->code)
		print_message("    %s: %s\n", skiff_code_slug(error.code), error.text);
}

int main(int count, char **arguments)
{
	if (count > 1)
		cmocka_set_test_filter(arguments[1]);
	static struct ws_run runs[2 * CASES];
	static struct CMUnitTest tests[2 * CASES];
	for (size_t i = 0; i < BIG_BYTES; i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < 2 * CASES; i++) {
		runs[i] = (struct ws_run){.row = &cases[i % CASES], .tls = i >= CASES};
		snprintf(runs[i].name, sizeof runs[i].name, "%s: %s", runs[i].tls ? "wss" : "ws", runs[i].row->name);
		tests[i] = (struct CMUnitTest){.name = runs[i].name, .test_func = test_case, .initial_state = &runs[i]};
	}
	return cmocka_run_group_tests_name("websocket cases", tests, NULL, NULL);
}
