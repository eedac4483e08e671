/* SPDX-License-Identifier: Apache-2.0 */
/* check_report.h: what `skiff check` found out about one URL; check_walk.c fills it, check_page.c and check_json.c
 * show it. */
#ifndef SKIFF_CHECK_REPORT_H
#define SKIFF_CHECK_REPORT_H

#include "check_chain.h"
#include "cli_exit.h"
#include <skiff/skiff.h>

/* X(NAME, name, exit code when it fails)
 * In the order of the way. */
#define CHECK_STAGES(X) \
	X(OPTIONS, "options", CLI_EXIT_USAGE) \
	X(FILES, "files", CLI_EXIT_FILE) \
	X(DNS, "dns", CLI_EXIT_DNS) \
	X(TCP, "tcp", CLI_EXIT_TCP) \
	X(PROXY, "proxy", CLI_EXIT_PROXY) \
	X(TLS, "tls", CLI_EXIT_TLS) \
	X(WEBSOCKET, "websocket", CLI_EXIT_WEBSOCKET) \
	X(MQTT, "mqtt", CLI_EXIT_MQTT) \
	X(SUBSCRIBE, "subscribe", CLI_EXIT_REFUSED) \
	X(PUBLISH, "publish", CLI_EXIT_REFUSED) \
	X(ROUNDTRIP, "roundtrip", CLI_EXIT_REFUSED) \
	X(DISCONNECT, "disconnect", CLI_EXIT_MQTT)

enum check_stage {
#define CHECK_STAGE_ENUM(name, word, code) CHECK_##name,
	CHECK_STAGES(CHECK_STAGE_ENUM)
#undef CHECK_STAGE_ENUM
		CHECK_STAGE_COUNT
};

enum check_status { CHECK_SKIPPED, CHECK_OK, CHECK_WARNED, CHECK_FAILED };

enum {
	CHECK_TEXT_BYTES = 512,
	CHECK_URL_BYTES = 600,
	CHECK_WARNINGS = 16,
	CHECK_ADDRESSES = 16,
	CHECK_LIMITS = 12,
	CHECK_VERSIONS = 2
};

struct check_step {
	enum check_status status;
	double ms; /* below 0: it took no time of its own, or is not known */
	char text[CHECK_TEXT_BYTES];
};

struct check_failure {
	enum check_stage stage;
	char cause[32]; /* "": nothing failed */
	int detail;     /* of the library's error */
	char evidence[2 * CHECK_TEXT_BYTES];
	char remedy[6 * CHECK_TEXT_BYTES];
	char url[CHECK_URL_BYTES]; /* of a door that works instead; "" */
};

/* One address of the host's name, tried by itself. */
struct check_address {
	char text[128];
	bool works;
	double ms;
	char fingerprint[CHECK_FINGERPRINT_BYTES]; /* of the certificate shown there; "" */
	char why[CHECK_TEXT_BYTES];
};

/* A time limit of --slo. */
struct check_limit {
	char name[16];
	double limit_ms, ms; /* ms below 0: there was no such stage */
	bool exceeded;
};

struct check_version {
	const char *name; /* "5", "3.1.1" */
	bool accepted;
	char why[CHECK_TEXT_BYTES];
};

struct check_report {
	char url[CHECK_URL_BYTES]; /* without user info */
	/* The options that another try needs as well, as a shell takes them, each with a blank behind it: those of any
	 * door, those of TLS, and of these the CA. No secrets. */
	char given[CHECK_TEXT_BYTES], given_tls[CHECK_TEXT_BYTES], given_ca[CHECK_TEXT_BYTES];
	const struct skiff_tls_options *tls; /* as given; NULL before the walk */
	const char *engine;
	struct check_step steps[CHECK_STAGE_COUNT];
	double total_ms; /* of the set-up: look-up to CONNACK; below 0: it did not get there */
	bool connected;
	struct skiff_connection connection;
	bool wire_seen; /* with the engine paho: the engine native took the same way, and saw */
	struct skiff_connection wire;
	struct check_chain chain; /* as the server sent it */
	struct check_chain own;   /* the client certificate */
	char warnings[CHECK_WARNINGS][CHECK_TEXT_BYTES];
	size_t warning_count;
	struct check_address addresses[CHECK_ADDRESSES];
	size_t address_count;
	struct check_version versions[CHECK_VERSIONS];
	size_t version_count;
	struct check_limit limits[CHECK_LIMITS];
	size_t limit_count;
	struct check_failure failure;
	int exit_code;
};

const char *check_stage_name(enum check_stage stage);
int check_stage_exit(enum check_stage stage); /* the exit code when it fails */
const char *check_status_name(enum check_status status);

void check_pass(struct check_report *report, enum check_stage stage, double ms, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The stage has failed, those after it are skipped. `evidence` is one sentence. */
void check_fail(struct check_report *report, enum check_stage stage, const char *cause, const char *evidence);

/* A warning about `stage`, which so is no longer plainly ok. */
void check_warn(struct check_report *report, enum check_stage stage, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For people, on stdout; and as one JSON object of the schema skiff.check/1. */
void check_page_print(const struct check_report *report);
void check_json_print(const struct check_report *report);

#endif
