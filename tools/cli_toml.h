/* SPDX-License-Identifier: Apache-2.0 */
/* cli_toml.h: the part of TOML 1.0 that settings need: tables of one level, whose keys hold a string, an integer, a
 * boolean, or an array of strings and integers. What TOML has besides is refused by its name. */
#ifndef SKIFF_CLI_TOML_H
#define SKIFF_CLI_TOML_H

#include <stdbool.h>
#include <stddef.h>

enum cli_toml_kind { CLI_TOML_STRING, CLI_TOML_INTEGER, CLI_TOML_BOOLEAN, CLI_TOML_ARRAY };

struct cli_toml_key {
	char *name;
	enum cli_toml_kind kind;
	bool on;       /* a boolean's value */
	char **values; /* of a string or an integer the one, of an array each; integers as decimal digits */
	size_t count;
	int line; /* the first is 1 */
};

struct cli_toml_table {
	char *name;
	struct cli_toml_key *keys; /* in the order of the file */
	size_t count;
	int line;
};

struct cli_toml {
	struct cli_toml_table *tables;
	size_t count;
};

/* Why a text is not taken: half a sentence, which never shows a value, as that may be a password. */
struct cli_toml_fault {
	int line; /* 0: out of memory */
	char text[256];
};

/* Reads `len` bytes of text. False with the first fault and nothing to free. */
bool cli_toml_read(const char *text, size_t len, struct cli_toml *toml, struct cli_toml_fault *fault);

/* NULL: there is none. */
const struct cli_toml_table *cli_toml_table(const struct cli_toml *toml, const char *name);
const struct cli_toml_key *cli_toml_key(const struct cli_toml_table *table, const char *name);

/* Wipes all values, which may be secrets, and frees what was read. */
void cli_toml_free(struct cli_toml *toml);

#endif
