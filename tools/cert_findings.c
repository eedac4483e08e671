/* SPDX-License-Identifier: Apache-2.0 */
/* cert_findings.c: the list, and its two prints. What strangers wrote is escaped. */
#include "cert_findings.h"
#include "cli_json.h"
#include "cli_output.h"
#include "cli_text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_words[] = {"ok", "warn", "fail"};

void findings_add(struct cert_findings *findings, enum cert_level level, const char *check, const char *format, ...)
{
	va_list arguments;
	findings->failed |= level == CERT_FAIL;
	if (findings->count == FINDINGS_MAX)
		return;
	struct cert_finding *one = &findings->list[findings->count++];
	*one = (struct cert_finding){.level = level, .check = check};
	va_start(arguments, format);
	vsnprintf(one->text, sizeof(one->text), format, arguments);
	va_end(arguments);
}

void findings_remedy(struct cert_findings *findings, const char *format, ...)
{
	va_list arguments;
	struct cert_finding *one = &findings->list[findings->count - 1];
	va_start(arguments, format);
	vsnprintf(one->remedy, sizeof(one->remedy), format, arguments);
	va_end(arguments);
}

static void findings_text(const char *text)
{
	char out[FINDING_BYTES * CLI_ESCAPE_FACTOR];
	fwrite(out, 1, cli_escape(out, text, strlen(text), ""), stdout);
}

static const char *level_colour(enum cert_level level)
{
	static const char *const codes[] = {"\033[32m", "\033[33m", "\033[31m"};
	return cli_colour(STDOUT_FILENO) ? codes[level] : "";
}

void findings_print(const struct cert_findings *findings)
{
	const char *plain = cli_colour(STDOUT_FILENO) ? "\033[0m" : "";
	size_t counts[3] = {0};
	for (size_t i = 0; i < findings->count; i++) {
		const struct cert_finding *one = &findings->list[i];
		counts[one->level]++;
		printf("%s%-4s%s  %-12s ", level_colour(one->level), level_words[one->level], plain, one->check);
		findings_text(one->text);
		if (*one->remedy) {
			printf("\n      %-12s ", "");
			findings_text(one->remedy);
		}
		putchar('\n');
	}
	enum cert_level worst = findings->failed ? CERT_FAIL : counts[CERT_WARN] ? CERT_WARN : CERT_OK;
	printf("\n%s%s%s: %zu ok, %zu warn, %zu fail\n", level_colour(worst), findings->failed ? "failed" : "ok", plain,
		counts[CERT_OK], counts[CERT_WARN], counts[CERT_FAIL]);
}

void findings_json(const struct cert_findings *findings, int exit_code)
{
	struct cli_json json = {.out = stdout};
	cli_json_open(&json, NULL, '{');
	cli_json_text(&json, "schema", "skiff.cert-check/1");
	cli_json_bool(&json, "ok", !findings->failed);
	cli_json_integer(&json, "exit", exit_code);
	cli_json_open(&json, "findings", '[');
	for (size_t i = 0; i < findings->count; i++) {
		const struct cert_finding *one = &findings->list[i];
		cli_json_open(&json, NULL, '{');
		cli_json_text(&json, "check", one->check);
		cli_json_text(&json, "level", level_words[one->level]);
		cli_json_text(&json, "text", one->text);
		cli_json_text(&json, "remedy", *one->remedy ? one->remedy : NULL);
		cli_json_close(&json, '}');
	}
	cli_json_close(&json, ']');
	cli_json_close(&json, '}');
	putchar('\n');
}
