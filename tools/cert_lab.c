/* SPDX-License-Identifier: Apache-2.0 */
/* cert_lab.c: `skiff cert lab`: every certificate of certs/cases.txt, with the script and the table that the build put
 * in.
 *
 * Happy path: the folder; the script writes into it, from a temporary folder that goes with the process; the table.
 * Failure: a folder that holds something else is left alone, as the script would write over a key of the same name. */
#include "cli_exit.h"
#include "cli_json.h"
#include "cli_text.h"
#include "commands.h"
#include "lab_dir.h"
#include "lab_process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAB_TABLE "cases.txt" /* with the CA it marks a folder as one that this command made */

#define LAB_NOT_IN_NAME "\"'`\\$#\n" /* what has a meaning in a configuration file of openssl */

extern const char lab_cases[]; /* certs/cases.txt, put in by the build */

struct lab_params {
	bool json;
};

static const struct cli_option lab_options[] = {
	{.name = "json",
		.type = CLI_FLAG,
		.field = offsetof(struct lab_params, json),
		.help = "print one JSON object instead of the table (schema skiff.cert-lab/1)"},
};

static const struct cli_group lab_groups[] = {CLI_GROUP("Output", lab_options, 0), {0}};

/* ---- the folder ---- */

static bool folder_has(const char *path, const char *name)
{
	char file[LAB_PATH_BYTES];
	return snprintf(file, sizeof(file), "%s/%s", path, name) < (int)sizeof(file) && access(file, F_OK) == 0;
}

static bool folder_is_free(const char *path)
{
	bool empty = true;
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT;
	for (struct dirent *entry; empty && (entry = readdir(dir));)
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	closedir(dir);
	return empty || (folder_has(path, LAB_TABLE) && folder_has(path, "own-ca.crt"));
}

/* The absolute path of the folder, which is there then. */
static bool folder_make(struct lab *lab, const char *wanted, char path[LAB_PATH_BYTES])
{
	struct stat about;
	if (stat(wanted, &about) == 0 && !S_ISDIR(about.st_mode))
		return lab_fail(lab, "'%s' is no folder; name an empty one, or a new one", wanted);
	if (!folder_is_free(wanted))
		return lab_fail(lab,
			"the folder '%s' holds other files, which might be written over; name an empty one, or a new "
			"one",
			wanted);
	bool made = mkdir(wanted, 0700) == 0;
	if (!made && errno != EEXIST)
		return lab_fail(lab, "cannot make the folder '%s': %s", wanted, strerror(errno));
	if (!realpath(wanted, path))
		return lab_fail(lab, "'%s': %s", wanted, strerror(errno));
	if (!strpbrk(path, LAB_NOT_IN_NAME))
		return true;
	if (made)
		rmdir(path);
	return lab_fail(lab,
		"the folder's name '%s' has one of \"'`\\$#, which the files of openssl cannot hold; "
		"choose another name",
		path);
}

static bool folder_write_table(struct lab *lab, const char *path)
{
	char table[LAB_PATH_BYTES];
	size_t len = strlen(lab_cases);
	if (snprintf(table, sizeof(table), "%s/" LAB_TABLE, path) >= (int)sizeof(table))
		return lab_fail(lab, "the folder's name is too long");
	int fd = open(table, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool written = fd >= 0 && write(fd, lab_cases, len) == (ssize_t)len;
	if (!written)
		lab_fail(lab, "cannot write '%s': %s", table, strerror(errno));
	if (fd >= 0)
		close(fd);
	return written;
}

/* ---- the table ---- */

struct lab_case {
	char name[64], what[256], error[64];
	char host[64]; /* the name that is asked for; "" the usual one */
};

/* One cell of a line, without the blanks around it; the place behind it. */
static const char *case_cell(const char *at, char *out, size_t size)
{
	size_t len = strcspn(at, "|\n"), start = strspn(at, " "), end = len;
	while (end > start && at[end - 1] == ' ')
		end--;
	snprintf(out, size, "%.*s", (int)(end > start ? end - start : 0), at + start);
	return at + len + (at[len] == '|');
}

/* The next case of the table; NULL after the last. */
static const char *case_next(const char *at, struct lab_case *one)
{
	while (*at == '#' || *at == '\n')
		at += strcspn(at, "\n") + (at[strcspn(at, "\n")] == '\n');
	if (!*at)
		return NULL;
	at = case_cell(at, one->name, sizeof(one->name));
	at = case_cell(at, one->what, sizeof(one->what));
	at = case_cell(at, one->error, sizeof(one->error));
	return case_cell(at, one->host, sizeof(one->host));
}

static void cases_print(const char *path)
{
	struct lab_case one;
	char word[4 * LAB_PATH_BYTES];
	printf("%-22s %-26s %s\n", "CASE", "ERROR EXPECTED", "WHAT IS WRONG");
	for (const char *at = lab_cases; (at = case_next(at, &one));)
		printf("%-22s %-26s %s%s%s\n", one.name, one.error, one.what, *one.host ? "; asked for as " : "",
			one.host);
	cli_shell_word(word, sizeof(word), path);
	printf("\nin %s: CASE.crt with CASE.key of each, and the CA own-ca.crt with its revocation lists "
	       "own-ca.crl\n\n",
		word);
	printf("  skiff cert check --cert %s/good.crt --key %s/good.key --ca %s/own-ca.crt --host test.mosquitto.org\n",
		word, word, word);
	printf("  skiff cert check --cert %s/client-revoked.crt --key %s/client-revoked.key --ca %s/own-ca.crt --crl "
	       "%s/own-ca.crl\n",
		word, word, word, word);
}

static void cases_json(const char *path)
{
	struct cli_json json = {.out = stdout};
	struct lab_case one;
	cli_json_open(&json, NULL, '{');
	cli_json_text(&json, "schema", "skiff.cert-lab/1");
	cli_json_text(&json, "dir", path);
	cli_json_open(&json, "cases", '[');
	for (const char *at = lab_cases; (at = case_next(at, &one));) {
		cli_json_open(&json, NULL, '{');
		cli_json_text(&json, "case", one.name);
		cli_json_text(&json, "what", one.what);
		cli_json_text(&json, "error", one.error);
		cli_json_text(&json, "host", *one.host ? one.host : "test.mosquitto.org");
		cli_json_close(&json, '}');
	}
	cli_json_close(&json, ']');
	cli_json_close(&json, '}');
	putchar('\n');
}

static int cert_lab_run(const struct cli_context *context, void *raw)
{
	const struct lab_params *params = raw;
	char path[LAB_PATH_BYTES];
	struct lab lab = {.lock = -1, .keeper = -1};
	lab_signals_block(&lab);
	bool made = folder_make(&lab, context->operands[0], path) && lab_dir_open(&lab) &&
		    lab_dir_certificates_in(&lab, path, true) && folder_write_table(&lab, path);
	lab_dir_close(&lab);
	if (lab_process_interrupted(&lab))
		return 128 + lab.ended_by;
	if (!made) {
		cli_say(context, "%s", lab.error);
		return CLI_EXIT_FILE;
	}
	if (params->json)
		cases_json(path);
	else
		cases_print(path);
	return CLI_EXIT_OK;
}

const struct cli_command cmd_cert_lab = {
	.name = "cert lab",
	.summary = "make certificates with every defect, to try things with",
	.usage = "[OPTION]... DIR",
	.description = "Makes in the folder DIR, new or empty, a CA, certificates of servers and clients that it "
		       "signed, and one "
		       "with each thing that can be wrong with a certificate; and prints what is wrong with each, and "
		       "which error "
		       "skiff gives. It takes the command 'openssl', 3.0 or newer, and about a second. DIR may be one "
		       "that this "
		       "command made before; everything in it is then made anew.\n\n"
		       "They are for tests only: whoever can read DIR has the CA's key.",
	.examples = "# make them, and see what is wrong with one\nskiff cert lab certs\n"
		    "skiff cert show certs/expired.crt\n",
	.groups = lab_groups,
	.params_size = sizeof(struct lab_params),
	.min_operands = 1,
	.max_operands = 1,
	.offers = "DIR",
	.run = cert_lab_run,
};
