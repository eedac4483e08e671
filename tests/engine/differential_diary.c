/* SPDX-License-Identifier: Apache-2.0 */
/* differential_diary.c: what happened, line by line, and the comparison of two such accounts.
 *
 * What may differ, and nothing else:
 * - the place of a message among those of another topic or QoS [MQTT-4.6.0-5], [MQTT-4.6.0-6];
 * - when a message of QoS 2 is given up: native does it when it comes, Paho when it is released, and either is allowed
 *   [MQTT 5, 4.3.3]. So one whose exchange was cut by the end of the session may have come or not, and the handlers of
 *   one that meets an unsubscription may be those before it or after it;
 * - how often a message of QoS 1 came whose acknowledgement raced with a cut: at least once [MQTT 5, 4.3.2];
 * - how often a message was handed on that met a dead connection: once or twice, as it was noticed late or early;
 * - what engine.h says that Paho cannot do: REASONS, PUBREC_KNOWN.
 */
#include "engine/differential.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const chapter_names[] = {"handlers", "witness", "tokens", "events", "counters"};

void diary_write(struct diary *diary, enum diary_chapter chapter, struct diary_line line, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	size_t count = diary->count[chapter]++;
	if (!(count & (count - 1))) /* full at each power of two */
		diary->lines[chapter] = realloc(diary->lines[chapter], (count ? 2 * count : 1) * sizeof **diary->lines);
	line.text = strdup(text);
	if (!diary->lines[chapter] || !line.text)
		abort();
	diary->lines[chapter][count] = line;
}

void diary_release(struct diary *diary)
{
	for (int chapter = 0; chapter < DIARY_CHAPTERS; chapter++) {
		for (size_t i = 0; i < diary->count[chapter]; i++)
			free(diary->lines[chapter][i].text);
		free(diary->lines[chapter]);
	}
	*diary = (struct diary){0};
}

void diary_print(const struct diary *diary)
{
	for (int chapter = 0; chapter < DIARY_CHAPTERS; chapter++) {
		printf("    %s:\n", chapter_names[chapter]);
		for (size_t i = 0; i < diary->count[chapter]; i++)
			printf("      step %u: %s\n", diary->lines[chapter][i].step, diary->lines[chapter][i].text);
	}
	if (*diary->stuck)
		printf("    stuck: %s\n", diary->stuck);
}

/* ---- by topic and QoS ---- */

static bool line_after(const struct diary_line *a, const struct diary_line *b)
{
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = len ? memcmp(a->text, b->text, len) : 0;
	return order ? order > 0 : a->key_len > b->key_len;
}

/* Stable, so that the order within a topic and QoS stays. */
static void chapter_sort(struct diary *diary, enum diary_chapter chapter)
{
	struct diary_line *lines = diary->lines[chapter];
	for (size_t i = 1; i < diary->count[chapter]; i++) {
		struct diary_line line = lines[i];
		size_t at = i;
		for (; at && line_after(&lines[at - 1], &line); at--)
			lines[at] = lines[at - 1];
		lines[at] = line;
	}
}

static void chapter_drop(struct diary *diary, enum diary_chapter chapter, size_t index)
{
	struct diary_line *lines = diary->lines[chapter];
	free(lines[index].text);
	memmove(lines + index, lines + index + 1, (--diary->count[chapter] - index) * sizeof *lines);
}

/* ---- excuses ---- */

static bool step_has(const struct plan_step *step, unsigned number)
{
	for (size_t i = 0; i < step->count; i++)
		if (step->messages[i].number == number)
			return true;
	return false;
}

/* The end of the session caught it on its way to the client. */
static bool excused_inbound(const struct plan *plan, const struct diary_line *line)
{
	for (size_t i = 0; i < plan->count && line->qos == 2; i++)
		if (plan_step_loses_session(plan, &plan->steps[i]) && step_has(&plan->steps[i], line->number))
			return true;
	return false;
}

/* The filters were changing on the next connection when it came: the handlers of the one are not those of the other. */
static bool excused_handler(const struct plan *plan, const struct diary_line *line)
{
	if (line->step >= plan->count || line->qos != 2)
		return false;
	const struct plan_step *step = &plan->steps[line->step];
	bool mine = step->kind == PLAN_REQUEST && !step->request.subscribe;
	return plan_step_cuts(step) && (mine || (step->away.requests && !step->away.request.subscribe));
}

/* The client's own message came back to it before the cut: whether its PUBACK went out before is a race. */
static bool excused_repeat(const struct plan *plan, const struct diary *diary, size_t index)
{
	const struct diary_line *lines = diary->lines[DIARY_HANDLERS], *line = &lines[index];
	if (line->step >= plan->count || line->qos != 1)
		return false;
	const struct plan_step *step = &plan->steps[line->step];
	if (step->kind != PLAN_PUBLISH || !step->trapped || !step_has(step, line->number))
		return false;
	for (size_t i = 0; i < index; i++)
		if (lines[i].step == line->step && !strcmp(lines[i].text, line->text))
			return true;
	return false;
}

/* REASONS: Paho does not tell why, when it is not an error. */
static bool excused_reason(const struct diary_line *native, const struct diary_line *paho)
{
	return native->qos > 0 && native->number == paho->number && native->code == paho->code &&
	       native->reason < 0x80 && paho->reason == -1 && !skiff_engine_can(SKIFF_ENGINE_PAHO, SKIFF_CAN_REASONS);
}

/* PUBREC_KNOWN: the message had reached the broker when the session ended. */
static bool excused_pubrec(const struct plan *plan, const struct diary_line *native, const struct diary_line *paho)
{
	if (native->step >= plan->count)
		return false;
	const struct plan_step *step = &plan->steps[native->step];
	bool reached =
		step->kind == PLAN_PUBLISH_CUT || step->trap_type == SKIFFI_PUBREL || step->trap_type == SKIFFI_PUBCOMP;
	return reached && step_has(step, native->number) && plan_step_loses_session(plan, step) && native->qos == 2 &&
	       native->number == paho->number && native->code == SKIFF_OK && paho->code == SKIFF_MQTT_SESSION_LOST &&
	       !skiff_engine_can(SKIFF_ENGINE_PAHO, SKIFF_CAN_PUBREC_KNOWN);
}

static void drop_starting(struct diary *diary, enum diary_chapter chapter, unsigned step, const char *start)
{
	for (size_t i = diary->count[chapter]; i--;)
		if (diary->lines[chapter][i].step == step &&
			!strncmp(diary->lines[chapter][i].text, start, strlen(start)))
			chapter_drop(diary, chapter, i);
}

/* Where the engines were excused for different numbers, how many came in cannot be compared. */
static size_t drop_handled(const struct plan *plan, struct diary *diary)
{
	size_t dropped = 0;
	for (size_t i = diary->count[DIARY_HANDLERS]; i--;) {
		const struct diary_line *line = &diary->lines[DIARY_HANDLERS][i];
		if (!excused_inbound(plan, line) && !excused_handler(plan, line) && !excused_repeat(plan, diary, i))
			continue;
		chapter_drop(diary, DIARY_HANDLERS, i);
		dropped++;
	}
	return dropped;
}

static void excuse(const struct plan *plan, struct diary *native, struct diary *paho)
{
	if (drop_handled(plan, native) != drop_handled(plan, paho)) {
		drop_starting(native, DIARY_COUNTERS, 0, "messages in");
		drop_starting(paho, DIARY_COUNTERS, 0, "messages in");
	}
	for (size_t i = 0; i < plan->count; i++) {
		if (!plan_step_late(&plan->steps[i]))
			continue;
		drop_starting(native, DIARY_COUNTERS, 0, "messages out");
		drop_starting(paho, DIARY_COUNTERS, 0, "messages out");
	}
	for (size_t i = 0; i < native->count[DIARY_TOKENS] && i < paho->count[DIARY_TOKENS]; i++) {
		struct diary_line *ours = &native->lines[DIARY_TOKENS][i], *theirs = &paho->lines[DIARY_TOKENS][i];
		bool pubrec = excused_pubrec(plan, ours, theirs);
		if (pubrec || excused_reason(ours, theirs))
			ours->text[0] = theirs->text[0] = '\0';
		if (pubrec) {
			/* which tells how many */
			drop_starting(native, DIARY_EVENTS, ours->step, "SESSION_LOST");
			drop_starting(paho, DIARY_EVENTS, ours->step, "SESSION_LOST");
		}
	}
}

/* ---- comparison ---- */

static const char *line_text(const struct diary *diary, enum diary_chapter chapter, size_t index)
{
	return index < diary->count[chapter] ? diary->lines[chapter][index].text : "(nothing)";
}

static unsigned line_step(const struct diary *diary, enum diary_chapter chapter, size_t index)
{
	return index < diary->count[chapter] ? diary->lines[chapter][index].step : 0;
}

static bool chapter_differs(struct diary *native, struct diary *paho, enum diary_chapter chapter)
{
	size_t i = 0;
	chapter_sort(native, chapter);
	chapter_sort(paho, chapter);
	while (i < native->count[chapter] && i < paho->count[chapter] &&
		!strcmp(line_text(native, chapter, i), line_text(paho, chapter, i)))
		i++;
	if (i == native->count[chapter] && i == paho->count[chapter])
		return false;
	printf("    %s differ:\n      native, step %u: %s\n      paho,   step %u: %s\n", chapter_names[chapter],
		line_step(native, chapter, i), line_text(native, chapter, i), line_step(paho, chapter, i),
		line_text(paho, chapter, i));
	return true;
}

bool diary_differs(const struct plan *plan, struct diary *native, struct diary *paho)
{
	bool differs = *native->stuck || *paho->stuck;
	if (differs)
		printf("    stuck: native '%s', paho '%s'\n", native->stuck, paho->stuck);
	excuse(plan, native, paho);
	for (int chapter = 0; chapter < DIARY_CHAPTERS; chapter++)
		differs |= chapter_differs(native, paho, (enum diary_chapter)chapter);
	return differs;
}
