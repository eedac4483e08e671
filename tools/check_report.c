/* SPDX-License-Identifier: Apache-2.0 */
/* check_report.c: how findings are entered. */
#include "check_report.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const int stage_exits[CHECK_STAGE_COUNT] = {
#define STAGE_EXIT(name, word, code) [CHECK_##name] = code,
	CHECK_STAGES(STAGE_EXIT)
#undef STAGE_EXIT
};

const char *check_stage_name(enum check_stage stage)
{
	static const char *const names[CHECK_STAGE_COUNT] = {
#define STAGE_NAME(name, word, code) [CHECK_##name] = word,
		CHECK_STAGES(STAGE_NAME)
#undef STAGE_NAME
	};
	return names[stage];
}

int check_stage_exit(enum check_stage stage)
{
	return stage_exits[stage];
}

const char *check_status_name(enum check_status status)
{
	static const char *const names[] = {"skipped", "ok", "warned", "failed"};
	return names[status];
}

void check_pass(struct check_report *report, enum check_stage stage, double ms, const char *format, ...)
{
	struct check_step *step = &report->steps[stage];
	va_list args;
	if (step->status != CHECK_WARNED)
		step->status = CHECK_OK;
	step->ms = ms;
	va_start(args, format);
	vsnprintf(step->text, sizeof(step->text), format, args);
	va_end(args);
}

void check_fail(struct check_report *report, enum check_stage stage, const char *cause, const char *evidence)
{
	struct check_failure *failure = &report->failure;
	report->steps[stage].status = CHECK_FAILED;
	report->exit_code = stage_exits[stage];
	failure->stage = stage;
	snprintf(failure->cause, sizeof(failure->cause), "%s", cause);
	snprintf(failure->evidence, sizeof(failure->evidence), "%s", evidence);
}

void check_warn(struct check_report *report, enum check_stage stage, const char *format, ...)
{
	va_list args;
	if (report->steps[stage].status != CHECK_FAILED)
		report->steps[stage].status = CHECK_WARNED;
	if (report->warning_count == CHECK_WARNINGS)
		return;
	va_start(args, format);
	vsnprintf(report->warnings[report->warning_count++], CHECK_TEXT_BYTES, format, args);
	va_end(args);
}
