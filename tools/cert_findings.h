/* SPDX-License-Identifier: Apache-2.0 */
/* cert_findings.h: what `skiff cert check` found, in the order of looking; all of it, not the first. */
#ifndef SKIFF_CERT_FINDINGS_H
#define SKIFF_CERT_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

enum { FINDINGS_MAX = 128, FINDING_BYTES = 1024 };

enum cert_level { CERT_OK, CERT_WARN, CERT_FAIL };

struct cert_finding {
	enum cert_level level;
	const char *check; /* "certificate", "key", "chain" and so on; a static string */
	char text[FINDING_BYTES], remedy[FINDING_BYTES];
};

struct cert_findings {
	struct cert_finding list[FINDINGS_MAX];
	size_t count;
	bool failed;
};

/* Adds one; its remedy comes by findings_remedy, if there is one. What has no room is left out, but counts. */
void findings_add(struct cert_findings *findings, enum cert_level level, const char *check, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The way out for the finding just added. */
void findings_remedy(struct cert_findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* To stdout: a line each, what to do below it, and the verdict; or one JSON object of the schema skiff.cert-check/1. */
void findings_print(const struct cert_findings *findings);
void findings_json(const struct cert_findings *findings, int exit_code);

#endif
