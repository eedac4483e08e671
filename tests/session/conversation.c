/* SPDX-License-Identifier: Apache-2.0 */
/* conversation.c: the player: a session with its settings, what it has put out and told so far, and one function per
 * word of the language. */
#include "session/conversation.h"

#include "session/event_text.h"
#include "session/packet_text.h"
#include "session/session.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 40, EVENTS_MAX = 256, LINE_MAX_BYTES = 1024, FILTERS_MAX = 16 };

struct play_op {
	char name[24];
	bool open; /* accepted, and its outcome not yet told */
	struct skiffi_kept *kept;
};

struct play {
	const struct conversation *conversation;
	unsigned line;
	int version;
	enum chunking chunking;
	size_t split, fed; /* bytes of input so far */
	int64_t now_us;
	bool held;

	struct skiffi_session_config config;
	struct skiff_properties connect_properties, will_properties;
	struct skiff_user_property connect_user[4], will_user[4];
	struct bytes arena;
	struct skiffi_session *session;

	struct bytes input;         /* written in the script, not yet given */
	struct skiffi_output taken; /* on its way to the transport */
	struct bytes output;        /* reached the transport, not yet looked for */
	char *events[EVENTS_MAX];
	size_t event_first, event_count;
	struct play_op ops[OPS_MAX];
	size_t op_count;
};

static void play_fail(struct play *play, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

static void play_fail(struct play *play, const char *format, ...)
{
	static const char *const chunkings[] = {"whole", "in pieces of", "cut at"};
	char text[4096];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fail_msg("%s:%u: (MQTT %s, input %s %zu) %s", play->conversation->file, play->line,
		play->version == 5 ? "5" : "3.1.1", chunkings[play->chunking], play->split, text);
	abort();
}

/* ---- the session's settings ---- */

static struct skiff_bytes play_keep(struct play *play, const struct words *words, const char *key)
{
	const char *value = words_value(words, key);
	size_t start = play->arena.len;
	if (!value)
		return (struct skiff_bytes){0};
	bytes_add_value(&play->arena, value);
	bytes_add_u8(&play->arena, 0);
	return (struct skiff_bytes){play->arena.data + start, play->arena.len - start - 1};
}

static void play_config_will(struct play *play, const struct words *words)
{
	struct skiffi_connect *connect = &play->config.connect;
	connect->has_will = words_value(words, "will-topic");
	connect->will.topic = play_keep(play, words, "will-topic");
	connect->will.payload = play_keep(play, words, "will-payload");
	connect->will.qos = (uint8_t)words_number(words, "will-qos", 0);
	connect->will.retain = words_has(words, "will-retain");
	if (properties_text(words, "will@", &play->will_properties, play->will_user, &play->arena))
		connect->will.properties = &play->will_properties;
}

static void play_config(struct play *play, const struct words *words)
{
	struct skiffi_connect *connect = &play->config.connect;
	connect->client_id = play_keep(play, words, "id");
	if (!connect->client_id.data)
		connect->client_id = skiff_text("c");
	connect->keep_alive_s = (uint16_t)words_number(words, "keepalive", 60);
	connect->user_name = play_keep(play, words, "user");
	connect->password = play_keep(play, words, "password");
	play_config_will(play, words);
	if (properties_text(words, "@", &play->connect_properties, play->connect_user, &play->arena))
		connect->properties = &play->connect_properties;
	play->config.resume = words_has(words, "resume");
	connect->clean_start = words_has(words, "clean-first") || !play->config.resume;
	play->config.outbound_aliases = (uint16_t)words_number(words, "out-aliases", 0);
	play->config.output_high_bytes = (size_t)words_number(words, "high", 1 << 20);
	play->config.ping_timeout_us = words_number(words, "ping-timeout", 10000) * 1000;
}

static struct skiffi_session *play_session(struct play *play)
{
	if (!play->session) {
		play->session = skiffi_session_new(&play->config, play->version == 5 ? SKIFFI_V5 : SKIFFI_V311);
		assert_non_null(play->session);
	}
	return play->session;
}

/* ---- events ---- */

static struct play_op *play_op(struct play *play, const char *name)
{
	if (!strcmp(name, "-"))
		return NULL;
	for (size_t i = 0; i < play->op_count; i++)
		if (!strcmp(play->ops[i].name, name))
			return &play->ops[i];
	if (play->op_count == OPS_MAX)
		play_fail(play, "too many ops");
	struct play_op *op = &play->ops[play->op_count++];
	snprintf(op->name, sizeof op->name, "%s", name);
	return op;
}

static void play_told(struct play *play, const struct skiffi_event *event)
{
	struct play_op *op = event->kind == SKIFFI_EVENT_REQUEUE ? event->kept->op : event->op;
	bool outcome = event->kind != SKIFFI_EVENT_UP && event->kind != SKIFFI_EVENT_MESSAGE &&
		       event->kind != SKIFFI_EVENT_DOWN;
	if (play->event_count == EVENTS_MAX)
		play_fail(play, "too many events");
	play->events[play->event_count++] = event_text(event, op ? op->name : "-");
	if (!outcome || !op) {
		if (event->kind == SKIFFI_EVENT_REQUEUE)
			skiffi_session_unkeep(play->session, event->kept);
		return;
	}
	if (!op->open)
		play_fail(play, "a second outcome for '%s': %s", op->name, play->events[play->event_count - 1]);
	op->open = false;
	if (event->kind == SKIFFI_EVENT_REQUEUE)
		op->kept = event->kept;
}

static void play_pull(struct play *play)
{
	struct skiffi_event events[8];
	size_t max = play->chunking == CHUNK_WHOLE    ? 8
		     : play->chunking == CHUNK_PIECES ? play->split
						      : 1 + play->split % 4,
	       count;
	while ((count = skiffi_session_pull(play->session, play->now_us, events, max)))
		for (size_t i = 0; i < count; i++)
			play_told(play, &events[i]);
}

/* ---- output ---- */

/* Up to `len` bytes reach the transport, in steps as small as the chunking. */
static size_t play_send(struct play *play, size_t len)
{
	struct iovec pieces[4];
	bool slow = play->chunking == CHUNK_PIECES && play->split == 1;
	size_t sent = 0;
	while (sent < len && (play->taken.len || skiffi_session_take_output(play->session, &play->taken))) {
		size_t count = skiffi_output_pieces(&play->taken, pieces, 4), step = 0;
		for (size_t i = 0; i < count && sent + step < len; i++) {
			size_t part = pieces[i].iov_len < len - sent - step ? pieces[i].iov_len : len - sent - step;
			if (slow)
				part = 1;
			bytes_add(&play->output, pieces[i].iov_base, part);
			step += part;
			if (slow)
				break;
		}
		if (!step)
			play_fail(play, "%zu bytes are left, but in no piece", play->taken.len);
		skiffi_output_take(&play->taken, step);
		skiffi_session_sent(play->session, step, play->now_us);
		sent += step;
		if (!play->taken.len)
			skiffi_session_give_back(play->session, &play->taken);
	}
	play_pull(play);
	return sent;
}

static void play_settle(struct play *play)
{
	if (!play->session)
		return;
	play_pull(play);
	while (!play->held && play_send(play, SIZE_MAX))
		continue;
}

/* ---- input ---- */

static void play_chunk(struct play *play, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len); /* of exactly this size, and gone afterwards, so that a stray view shows */
	assert_non_null(copy);
	memcpy(copy, data, len);
	skiffi_session_input(play->session, copy, len);
	play_pull(play);
	memset(copy, 0xa5, len);
	free(copy);
	play_settle(play);
}

static void play_flush(struct play *play)
{
	size_t at = 0, len = play->input.len;
	if (len && !play->session)
		play_fail(play, "input before start");
	while (at < len) {
		size_t step = len - at;
		if (play->chunking == CHUNK_PIECES && step > play->split)
			step = play->split;
		if (play->chunking == CHUNK_CUT && play->fed < play->split && play->split < play->fed + step)
			step = play->split - play->fed;
		play_chunk(play, play->input.data + at, step);
		at += step;
		play->fed += step;
	}
	play->input.len = 0;
}

/* Nothing may be left that no line asked for. */
static void play_quiet(struct play *play)
{
	char hex[200] = "";
	play_flush(play);
	play_settle(play);
	if (play->event_first < play->event_count)
		play_fail(play, "an event too many: %s", play->events[play->event_first]);
	for (size_t i = 0; i < play->output.len && i < 60; i++)
		snprintf(hex + 3 * i, 4, " %02x", play->output.data[i]);
	if (play->output.len)
		play_fail(play, "%zu bytes too many were put out:%s", play->output.len, hex);
}

/* ---- the words of the language ---- */

static void play_want_code(struct play *play, const struct words *words, enum skiff_code code)
{
	const char *want = "ok";
	for (size_t i = 0; i + 1 < words->count; i++)
		if (!strcmp(words->list[i], "->"))
			want = words->list[i + 1];
	if (strcmp(want, skiff_code_slug(code)))
		play_fail(play, "the request returned %s, not %s", skiff_code_slug(code), want);
}

static void say_config(struct play *play, const struct words *words)
{
	play_config(play, words);
}

static void say_start(struct play *play, const struct words *words)
{
	(void)words;
	assert_int_equal(skiffi_session_start(play_session(play), play->now_us), SKIFF_OK);
}

static void say_up(struct play *play, const struct words *words)
{
	struct words connack = *words;
	char name[] = "CONNACK", want[64];
	say_start(play, words);
	play_settle(play);
	play->output.len = 0;
	connack.list[0] = name;
	if (packet_text(&connack, play->version, &play->input))
		play_fail(play, "a bad CONNACK");
	play_flush(play);
	snprintf(want, sizeof want, "up%s", words_has(words, "present") ? " present" : "");
	if (play->event_first == play->event_count)
		play_fail(play, "no event up");
	if (strcmp(play->events[play->event_first], want))
		play_fail(play, "told %s, not %s", play->events[play->event_first], want);
	play->event_first++;
}

static void say_publish(struct play *play, const struct words *words)
{
	struct bytes topic = {0}, payload = {0}, arena = {0};
	struct skiff_properties properties;
	struct skiff_user_property user[4];
	struct play_op *op = play_op(play, words->list[1]);
	arena.data = malloc(arena.capacity = 200000);
	bytes_add_value(&topic, words_value(words, "topic") ? words_value(words, "topic") : "t");
	bytes_add_value(&payload, words_value(words, "payload") ? words_value(words, "payload") : "");
	struct skiff_message message = {.topic = {topic.data, topic.len},
		.payload = {payload.data, payload.len},
		.qos = (uint8_t)words_number(words, "qos", 0),
		.retain = words_has(words, "retain"),
		.dup = words_has(words, "dup"),
		.packet_id = (uint16_t)words_number(words, "id", 0)};
	if (properties_text(words, "@", &properties, user, &arena))
		message.properties = &properties;
	enum skiff_code code = skiffi_session_publish(play_session(play), &message, NULL, op, NULL);
	bytes_free(&topic);
	bytes_free(&payload);
	bytes_free(&arena);
	if (!code && op)
		op->open = true;
	play_want_code(play, words, code);
}

static void say_republish(struct play *play, const struct words *words)
{
	struct play_op *op = play_op(play, words->list[1]);
	if (!op || !op->kept)
		play_fail(play, "'%s' was not given back", words->list[1]);
	enum skiff_code code = skiffi_session_publish(play->session, NULL, op->kept, op, NULL);
	if (!code) {
		op->open = true;
		skiffi_session_unkeep(play->session, op->kept);
		op->kept = NULL;
	}
	play_want_code(play, words, code);
}

static void say_subscribe(struct play *play, const struct words *words)
{
	bool subscribe = !strcmp(words->list[0], "subscribe");
	struct skiffi_filter filters[FILTERS_MAX];
	struct skiff_properties properties;
	struct skiff_user_property user[4];
	struct bytes arena = {0};
	struct play_op *op = play_op(play, words->list[1]);
	size_t count = 0;
	arena.data = malloc(arena.capacity = 400000);
	for (size_t i = 2; i < words->count && count < FILTERS_MAX; i++) {
		char *text = words->list[i], *colon = strrchr(text, ':');
		size_t start = arena.len;
		if (strncmp(text, "filter=", 7))
			continue;
		if (colon)
			*colon = '\0';
		bytes_add_value(&arena, text + 7);
		filters[count].filter = (struct skiff_bytes){arena.data + start, arena.len - start};
		filters[count++].options = colon ? (uint8_t)strtoul(colon + 1, NULL, 0) : 0;
	}
	bool any = properties_text(words, "@", &properties, user, &arena);
	enum skiff_code code = skiffi_session_subscribe(play_session(play),
		subscribe ? SKIFFI_SUBSCRIBE : SKIFFI_UNSUBSCRIBE, filters, count, any ? &properties : NULL, op, NULL);
	bytes_free(&arena);
	if (!code && op)
		op->open = true;
	play_want_code(play, words, code);
}

static void say_disconnect(struct play *play, const struct words *words)
{
	struct skiff_properties properties;
	struct skiff_user_property user[4];
	struct bytes arena = {0};
	arena.data = malloc(arena.capacity = 200000);
	bool any = properties_text(words, "@", &properties, user, &arena);
	skiffi_session_disconnect(
		play_session(play), (uint8_t)words_number(words, "reason", 0), any ? &properties : NULL);
	bytes_free(&arena);
}

static void say_down(struct play *play, const struct words *words)
{
	(void)words;
	skiffi_session_give_back(play->session, &play->taken);
	skiffi_session_down(play->session);
	play->held = false;
}

static void say_forget(struct play *play, const struct words *words)
{
	(void)words;
	skiffi_session_forget(play->session);
}

static void say_at(struct play *play, const struct words *words)
{
	play->now_us = strtoll(words->list[1], NULL, 10) * 1000;
}

static void say_tick(struct play *play, const struct words *words)
{
	(void)words;
	skiffi_session_tick(play->session, play->now_us);
}

static void say_deadline(struct play *play, const struct words *words)
{
	int64_t want = strcmp(words->list[1], "never") ? strtoll(words->list[1], NULL, 10) * 1000 : INT64_MAX;
	int64_t is = skiffi_session_deadline(play->session);
	if (is != want)
		play_fail(play, "the deadline is %lld us", (long long)is);
}

static void say_hold(struct play *play, const struct words *words)
{
	(void)words;
	play->held = true;
}

static void say_send(struct play *play, const struct words *words)
{
	size_t len = strtoul(words->list[1], NULL, 10);
	if (play_send(play, len) != len)
		play_fail(play, "there were fewer bytes to send");
}

static void say_release(struct play *play, const struct words *words)
{
	(void)words;
	play->held = false;
}

static void say_lose(struct play *play, const struct words *words)
{
	(void)words;
	play->output.len = 0;
}

static void say_count(struct play *play, const struct words *words)
{
	size_t want = strtoul(words->list[1], NULL, 10);
	size_t is = !strcmp(words->list[0], "inflight")     ? skiffi_session_inflight(play->session)
		    : !strcmp(words->list[0], "unanswered") ? skiffi_session_unanswered(play->session)
							    : skiffi_session_unsent(play->session);
	if (is != want)
		play_fail(play, "%s is %zu", words->list[0], is);
}

static void say_input(struct play *play, struct words *words)
{
	memmove(words->list, words->list + 1, --words->count * sizeof *words->list);
	const char *problem = packet_text(words, play->version, &play->input);
	if (problem)
		play_fail(play, "%s", problem);
}

static void say_output(struct play *play, struct words *words)
{
	struct bytes want = {0};
	char hex[2][400] = {"", ""};
	memmove(words->list, words->list + 1, --words->count * sizeof *words->list);
	const char *problem = packet_text(words, play->version, &want);
	if (problem)
		play_fail(play, "%s", problem);
	play_flush(play);
	play_settle(play);
	if (play->output.len >= want.len && !memcmp(play->output.data, want.data, want.len)) {
		bytes_drop(&play->output, want.len);
		bytes_free(&want);
		return;
	}
	for (size_t i = 0; i < want.len && i < 100; i++)
		snprintf(hex[0] + 3 * i, 4, " %02x", want.data[i]);
	for (size_t i = 0; i < play->output.len && i < 100; i++)
		snprintf(hex[1] + 3 * i, 4, " %02x", play->output.data[i]);
	play_fail(play, "put out\n  %s, not\n  %s; next event: %s", hex[1], hex[0],
		play->event_first < play->event_count ? play->events[play->event_first] : "none");
}

static void say_event(struct play *play, const char *want)
{
	play_flush(play);
	play_settle(play);
	if (play->event_first == play->event_count)
		play_fail(play, "nothing was told, instead of: %s", want);
	const char *is = play->events[play->event_first++];
	if (strcmp(is, want))
		play_fail(play, "told: %s, instead of: %s", is, want);
}

static const struct saying {
	const char *word;
	void (*say)(struct play *play, const struct words *words);
	bool quiet; /* all that was put out and told before must have been asked for by then */
} sayings[] = {
	{"config", say_config, true},
	{"start", say_start, true},
	{"up", say_up, true},
	{"publish", say_publish, false},
	{"republish", say_republish, false},
	{"subscribe", say_subscribe, false},
	{"unsubscribe", say_subscribe, false},
	{"disconnect", say_disconnect, false},
	{"down", say_down, true},
	{"forget", say_forget, true},
	{"at", say_at, true},
	{"tick", say_tick, false},
	{"deadline", say_deadline, false},
	{"hold", say_hold, false},
	{"send", say_send, false},
	{"release", say_release, false},
	{"lose", say_lose, false},
	{"inflight", say_count, false},
	{"unanswered", say_count, false},
	{"unsent", say_count, false},
};

static void play_say(struct play *play, char *line)
{
	struct words words;
	if (!strncmp(line, "event ", 6)) {
		say_event(play, line + 6);
		return;
	}
	words_cut(&words, line);
	if (!strcmp(words.list[0], "<")) {
		say_input(play, &words);
		return;
	}
	if (!strcmp(words.list[0], ">")) {
		say_output(play, &words);
		return;
	}
	for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++) {
		if (strcmp(words.list[0], sayings[i].word))
			continue;
		play_flush(play);
		play_settle(play);
		if (sayings[i].quiet)
			play_quiet(play);
		sayings[i].say(play, &words);
		return;
	}
	play_fail(play, "'%s' is no word of the language", words.list[0]);
}

/* A line of the script for this version, without its mark. */
static const char *play_line_for(const char *line, int version)
{
	while (*line == ' ' || *line == '\t')
		line++;
	if (strncmp(line, "5|", 2) && strncmp(line, "3|", 2))
		return line;
	if ((line[0] == '5') != (version == 5))
		return "";
	line += 2;
	while (*line == ' ')
		line++;
	return line;
}

static void play_end(struct play *play)
{
	for (size_t i = 0; i < play->op_count; i++)
		if (play->ops[i].kept)
			skiffi_session_unkeep(play->session, play->ops[i].kept);
	for (size_t i = 0; i < play->event_count; i++)
		free(play->events[i]);
	if (play->session)
		skiffi_session_give_back(play->session, &play->taken);
	skiffi_output_release(&play->taken, &(struct skiffi_kept_pool){0});
	skiffi_session_free(play->session);
	bytes_free(&play->arena);
	bytes_free(&play->input);
	bytes_free(&play->output);
}

size_t conversation_play(const struct conversation *conversation, int version, enum chunking chunking, size_t split)
{
	struct play play = {.conversation = conversation,
		.version = version,
		.chunking = chunking,
		.split = split,
		.now_us = 1000000};
	struct words none = {0};
	char line[LINE_MAX_BYTES];
	play.arena.data = malloc(play.arena.capacity = 400000);
	assert_non_null(play.arena.data);
	play_config(&play, &none);
	for (size_t i = 0; i < conversation->count; i++) {
		play.line = conversation->line + 1 + (unsigned)i;
		snprintf(line, sizeof line, "%s", play_line_for(conversation->lines[i], version));
		if (line[0] && line[0] != '#')
			play_say(&play, line);
	}
	play_quiet(&play);
	play_end(&play);
	return play.fed;
}

/* ---- files ---- */

static void conversation_begin(struct conversation *conversation, const char *file, const char *name, unsigned line)
{
	*conversation = (struct conversation){.file = file, .name = strdup(name), .line = line};
	conversation->v5 = strstr(name, "5: ") != NULL;
	conversation->v311 = strstr(name, "3.1.1: ") != NULL;
	if (!conversation->v5 && !conversation->v311) {
		fprintf(stderr, "%s:%u: the name says neither \"5: \" nor \"3.1.1: \"\n", file, line);
		abort();
	}
}

struct conversation *conversations_read(const char *file, size_t *count)
{
	struct conversation *list = NULL;
	char text[LINE_MAX_BYTES];
	FILE *in = fopen(file, "r");
	*count = 0;
	if (!in) {
		perror(file);
		abort();
	}
	for (unsigned line = 1; fgets(text, sizeof text, in); line++) {
		text[strcspn(text, "\n")] = '\0';
		if (!strncmp(text, "test ", 5)) {
			list = realloc(list, (*count + 1) * sizeof *list);
			conversation_begin(&list[(*count)++], file, text + 5, line);
		} else if (*count) {
			struct conversation *last = &list[*count - 1];
			last->lines = realloc(last->lines, (last->count + 1) * sizeof *last->lines);
			last->lines[last->count++] = strdup(text);
		}
	}
	fclose(in);
	return list;
}

void conversations_free(struct conversation *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < list[i].count; k++)
			free(list[i].lines[k]);
		free(list[i].lines);
		free(list[i].name);
	}
	free(list);
}
