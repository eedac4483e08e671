/* SPDX-License-Identifier: Apache-2.0 */
/* ws_frames.c: a header is checked byte by byte, so that a fault is told at the first byte that shows it; payload is
 * only counted, but for control frames, which are short and kept. */
#include "transport/ws_frames.h"

#include <string.h>

enum {
	OPCODE_CONTINUATION = 0x0,
	OPCODE_TEXT = 0x1,
	OPCODE_BINARY = 0x2,
	OPCODE_CLOSE = 0x8,
	OPCODE_PING = 0x9,
	OPCODE_PONG = 0xa
};

static bool frames_broken(struct skiffi_ws_frames *frames, int code, const char *rule)
{
	frames->code = code;
	frames->rule = rule;
	return false;
}

static uint8_t frames_opcode(const struct skiffi_ws_frames *frames)
{
	return frames->header[0] & 0x0f;
}

static bool frames_is_control(const struct skiffi_ws_frames *frames)
{
	return frames->header[0] & 0x08;
}

static bool frames_is_final(const struct skiffi_ws_frames *frames)
{
	return frames->header[0] & 0x80;
}

static bool frames_check_data_opcode(struct skiffi_ws_frames *frames)
{
	switch (frames_opcode(frames)) {
	case OPCODE_CONTINUATION:
		if (!frames->in_message)
			return frames_broken(
				frames, SKIFFI_WS_PROTOCOL_ERROR, "a continuation frame with nothing to continue");
		return true;
	case OPCODE_BINARY:
		if (frames->in_message)
			return frames_broken(
				frames, SKIFFI_WS_PROTOCOL_ERROR, "a new message before the last one was complete");
		return true;
	case OPCODE_TEXT: /* [MQTT-6.0.0-1] */
		return frames_broken(frames, SKIFFI_WS_UNSUPPORTED, "a text frame, where MQTT allows only binary ones");
	default:
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR, "a data frame of an unknown kind");
	}
}

static bool frames_check_first(struct skiffi_ws_frames *frames)
{
	if (frames->header[0] & 0x70)
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR,
			"a frame with a reserved bit set, although no extension was negotiated");
	if (!frames_is_control(frames))
		return frames_check_data_opcode(frames);
	if (frames_opcode(frames) > OPCODE_PONG)
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR, "a control frame of an unknown kind");
	if (!frames_is_final(frames))
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR, "a fragmented control frame");
	return true;
}

static bool frames_check_second(struct skiffi_ws_frames *frames)
{
	if (frames->header[1] & 0x80)
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR, "a masked frame from a server");
	if (frames_is_control(frames) && frames->header[1] > SKIFFI_WS_CONTROL_MAX)
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR, "a control frame of more than 125 bytes");
	if (frames_opcode(frames) == OPCODE_CLOSE && frames->header[1] == 1)
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR, "a close frame with half a code");
	return true;
}

static uint8_t frames_header_size(const struct skiffi_ws_frames *frames)
{
	if (frames->header_len < 2 || frames->header[1] < 126)
		return 2;
	return frames->header[1] == 126 ? 4 : 10;
}

static bool frames_check_length(struct skiffi_ws_frames *frames)
{
	uint64_t len = 0;
	for (size_t i = 2; i < frames->header_len; i++)
		len = len << 8 | frames->header[i];
	if (frames->header_len == 2)
		len = frames->header[1];
	if ((frames->header_len == 4 && len < 126) || (frames->header_len == 10 && len < 65536))
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR, "a length that is not in its shortest form");
	if (len > SKIFFI_WS_FRAME_MAX)
		return frames_broken(frames, SKIFFI_WS_TOO_BIG, "a frame of more than 1 GiB");
	frames->left = len;
	return true;
}

/* After each byte of a header: false when it breaks a rule. */
static bool frames_check_header(struct skiffi_ws_frames *frames)
{
	if (frames->header_len == 1 && !frames_check_first(frames))
		return false;
	if (frames->header_len == 2 && !frames_check_second(frames))
		return false;
	if (frames->header_len == 3 && frames->header[1] == 127 && frames->header[2] & 0x80)
		return frames_broken(frames, SKIFFI_WS_PROTOCOL_ERROR, "a length with its top bit set");
	return frames->header_len < frames_header_size(frames) || frames_check_length(frames);
}

/* Length of the well-formed UTF-8 sequence at `at`, or 0. */
static size_t frames_utf8_len(const uint8_t *at, size_t len)
{
	static const struct {
		uint8_t first_low, first_high, second_low, second_high, len;
	} rows[] = {
		{0x00, 0x7f, 0x80, 0xbf, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (at[0] < rows[i].first_low || at[0] > rows[i].first_high)
			continue;
		if (rows[i].len > len)
			return 0;
		if (rows[i].len > 1 && (at[1] < rows[i].second_low || at[1] > rows[i].second_high))
			return 0;
		for (size_t j = 2; j < rows[i].len; j++)
			if ((at[j] & 0xc0) != 0x80)
				return 0;
		return rows[i].len;
	}
	return 0;
}

static bool frames_is_utf8(const uint8_t *data, size_t len)
{
	size_t at = 0, step = 1;
	while (at < len && (step = frames_utf8_len(data + at, len - at)))
		at += step;
	return step;
}

/* Codes that may stand in a frame [RFC 6455, 7.4; and the registry it founds]. */
static bool frames_is_close_code(int code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static bool frames_check_close(struct skiffi_ws_frames *frames)
{
	frames->code = SKIFFI_WS_NO_STATUS;
	if (!frames->control_len)
		return true;
	int code = frames->control[0] << 8 | frames->control[1];
	if (!frames_is_close_code(code)) {
		frames->close_code_seen = code;
		return frames_broken(
			frames, SKIFFI_WS_PROTOCOL_ERROR, "a close frame with a code that must not be sent");
	}
	if (!frames_is_utf8(frames->control + 2, frames->control_len - 2u)) {
		frames->close_code_seen = code;
		return frames_broken(frames, SKIFFI_WS_BAD_TEXT, "a close frame whose reason is not UTF-8");
	}
	frames->code = code;
	return true;
}

/* The end of a frame; the next byte begins a header. */
static enum skiffi_ws_event frames_end(struct skiffi_ws_frames *frames)
{
	frames->header_len = 0;
	if (!frames_is_control(frames))
		frames->in_message = !frames_is_final(frames);
	else if (frames_opcode(frames) == OPCODE_PING)
		return SKIFFI_WS_PING;
	else if (frames_opcode(frames) == OPCODE_CLOSE)
		return frames_check_close(frames) ? SKIFFI_WS_CLOSE : SKIFFI_WS_BROKEN;
	return SKIFFI_WS_DATA;
}

static bool frames_header_done(const struct skiffi_ws_frames *frames)
{
	return frames->header_len >= 2 && frames->header_len == frames_header_size(frames);
}

static size_t frames_take_payload(struct skiffi_ws_frames *frames, const uint8_t *data, size_t len)
{
	size_t step = frames->left < len ? (size_t)frames->left : len;
	if (frames_is_control(frames)) {
		memcpy(frames->control + frames->control_len, data, step);
		frames->control_len += (uint8_t)step;
	}
	frames->left -= step;
	return step;
}

static bool frames_take_header(struct skiffi_ws_frames *frames, uint8_t byte)
{
	frames->control_len = 0;
	frames->header[frames->header_len++] = byte;
	return frames_check_header(frames);
}

size_t skiffi_ws_frames_take(
	struct skiffi_ws_frames *frames, const uint8_t *data, size_t len, enum skiffi_ws_event *event)
{
	size_t at = 0, begin = 0;
	*event = SKIFFI_WS_DATA;
	while (at < len && *event == SKIFFI_WS_DATA) {
		if (frames_header_done(frames)) {
			at += frames_take_payload(frames, data + at, len - at);
		} else {
			begin = frames->header_len ? begin : at;
			if (!frames_take_header(frames, data[at++]))
				*event = SKIFFI_WS_BROKEN;
		}
		if (*event == SKIFFI_WS_DATA && frames_header_done(frames) && !frames->left)
			*event = frames_end(frames);
	}
	return *event == SKIFFI_WS_CLOSE || *event == SKIFFI_WS_BROKEN ? begin : at;
}
