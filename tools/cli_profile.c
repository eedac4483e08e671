/* SPDX-License-Identifier: Apache-2.0 */
/* cli_profile.c: a table of config.toml becomes settings.
 *
 *   1. profile_path, config_read: the whole file is read and checked, also tables that nobody asked for
 *   2. chain_follow: the table, the one that it inherits, and so on
 *   3. table_take: from the last of them to the first; a key takes the place of what an inherited one of its name gave
 *
 * Every fault names the file and the line; values are not shown, as they may be passwords. */
#include "cli_profile.h"
#include "cli_exit.h"
#include "cli_input.h"
#include "cli_password.h"
#include "cli_suggest.h"
#include "cli_toml.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_FILE_MAX = 65536, SENTENCE_BYTES = 1024, NAMES_BYTES = 512 };

static const char inherits[] = "inherits";

/* A configuration file as it was read. */
struct config {
	const struct cli_context *context;
	char path[PATH_MAX];
	struct cli_toml toml;
};

static int config_fault(const struct config *config, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int config_fault(const struct config *config, int line, const char *format, ...)
{
	char text[SENTENCE_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	cli_say(config->context, "file '%s', line %d: %s", config->path, line, text);
	return CLI_EXIT_FILE;
}

static int out_of_memory(const struct config *config)
{
	cli_say(config->context, "out of memory");
	return CLI_EXIT_FAILURE;
}

/* ---- the file ---- */

/* A relative or empty XDG_CONFIG_HOME is none, as its specification says. */
static int profile_path(struct config *config)
{
	const char *file = getenv("SKIFF_CONFIG"), *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int len = 0;
	if (file && *file)
		len = snprintf(config->path, PATH_MAX, "%s", file);
	else if (folder && *folder == '/')
		len = snprintf(config->path, PATH_MAX, "%s/skiff/config.toml", folder);
	else if (home && *home)
		len = snprintf(config->path, PATH_MAX, "%s/.config/skiff/config.toml", home);
	if (len > 0 && len < PATH_MAX)
		return CLI_EXIT_OK;
	cli_say(config->context, len ? "the path of the file of profiles is too long; name another in SKIFF_CONFIG"
				     : "there is no HOME to look for profiles in; name their file in SKIFF_CONFIG");
	return CLI_EXIT_FILE;
}

static bool config_has_secret(const struct config *config)
{
	for (size_t i = 0; i < config->toml.count; i++) {
		const struct cli_toml_table *table = &config->toml.tables[i];
		for (size_t j = 0; j < table->count; j++) {
			const struct cli_toml_key *key = &table->keys[j];
			for (size_t k = 0; k < key->count; k++) {
				if (cli_settings_is_secret(key->name, key->values[k]))
					return true;
			}
		}
	}
	return false;
}

static bool config_is_absent(const struct config *config)
{
	return access(config->path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static int config_read(struct config *config)
{
	struct cli_toml_fault fault;
	char *data;
	size_t len;
	int code = cli_input_read(config->context, config->path, CONFIG_FILE_MAX, &data, &len);
	if (code != CLI_EXIT_OK)
		return code;
	bool ok = cli_toml_read(data, len, &config->toml, &fault);
	explicit_bzero(data, len);
	free(data);
	if (ok)
		return CLI_EXIT_OK;
	return fault.line ? config_fault(config, fault.line, "%s", fault.text) : out_of_memory(config);
}

/* ---- names ---- */

/* Names that the file has, with commas, as far as there is room. */
static void names_list(const struct cli_toml *toml, char *out, size_t size)
{
	size_t used = 0;
	for (size_t i = 0; i < toml->count && used < size; i++) {
		const char *separator = i == 0 ? "" : i + 1 < toml->count ? ", " : " and ";
		used += (size_t)snprintf(out + used, size - used, "%s%s", separator, toml->tables[i].name);
	}
	if (used >= size)
		memcpy(out + size - 4, "...", 4);
}

static const char *name_nearest(const struct cli_toml *toml, const char *name)
{
	struct cli_suggestion best = {0};
	for (size_t i = 0; i < toml->count; i++)
		cli_suggest(&best, name, strlen(name), toml->tables[i].name);
	return best.name;
}

/* "; did you mean 'prod'?" where one is near, and which there are. */
static const char *names_hint(const struct cli_toml *toml, const char *name, char *out, size_t size)
{
	char names[NAMES_BYTES] = "";
	const char *near = name_nearest(toml, name);
	names_list(toml, names, sizeof(names));
	if (toml->count == 0)
		snprintf(out, size, "it has none yet; write one as [%s], with an option a line below it", name);
	else if (near)
		snprintf(out, size, "did you mean '%s'? it has %s", near, names);
	else
		snprintf(out, size, "it has %s", names);
	return out;
}

static int profile_unknown(const struct config *config, const char *name)
{
	char hint[SENTENCE_BYTES];
	cli_say(config->context, "profile '%s': is not in file '%s'; %s", name, config->path,
		names_hint(&config->toml, name, hint, sizeof(hint)));
	return CLI_EXIT_USAGE;
}

static int profile_no_file(const struct config *config, const char *name)
{
	cli_say(config->context,
		"profile '%s': there is no file '%s'; write [%s] and an option a line into it, or name another file in "
		"SKIFF_CONFIG",
		name, config->path, name);
	return CLI_EXIT_FILE;
}

/* ---- what a table inherits ---- */

/* The tables that a profile is made of, itself first. */
struct chain {
	const struct cli_toml_table **tables;
	size_t count;
};

static bool chain_holds(const struct chain *chain, const struct cli_toml_table *table)
{
	for (size_t i = 0; i < chain->count; i++) {
		if (chain->tables[i] == table)
			return true;
	}
	return false;
}

/* Adds the table that the last one names by `key`. */
static int chain_grow(const struct config *config, struct chain *chain, const struct cli_toml_key *key)
{
	const struct cli_toml_table *last = chain->tables[chain->count - 1];
	if (key->kind != CLI_TOML_STRING)
		return config_fault(
			config, key->line, "key 'inherits': names one table, in quotes: inherits = \"base\"");
	const struct cli_toml_table *table = cli_toml_table(&config->toml, key->values[0]);
	if (!table) {
		char hint[SENTENCE_BYTES];
		return config_fault(config, key->line, "key 'inherits': table '%.60s' is not in this file; %s",
			key->values[0], names_hint(&config->toml, key->values[0], hint, sizeof(hint)));
	}
	if (chain_holds(chain, table))
		return config_fault(config, key->line,
			"table '%.60s' inherits '%.60s', which inherits it in turn; take one of their 'inherits' out",
			last->name, table->name);
	chain->tables[chain->count++] = table;
	return CLI_EXIT_OK;
}

/* From the chain's one table on. */
static int chain_follow(const struct config *config, struct chain *chain)
{
	const struct cli_toml_key *key;
	int code = CLI_EXIT_OK;
	while (code == CLI_EXIT_OK && (key = cli_toml_key(chain->tables[chain->count - 1], inherits)))
		code = chain_grow(config, chain, key);
	return code;
}

/* ---- keys ---- */

static int key_check(const struct config *config, const struct cli_toml_key *key)
{
	size_t dashes = strspn(key->name, "-");
	if (dashes)
		return config_fault(config, key->line, "key '%.60s': is written without the dashes before it: %.60s",
			key->name, key->name + dashes);
	if (strpbrk(key->name, "= \t"))
		return config_fault(config, key->line,
			"key '%.60s': is no option's name; write the name alone, and the value after the =", key->name);
	return CLI_EXIT_OK;
}

static int key_take(const struct config *config, const struct cli_toml_key *key, struct cli_settings *settings)
{
	const char *prefix = key->name[1] ? "--" : "-";
	int code = key_check(config, key);
	if (code != CLI_EXIT_OK)
		return code;
	cli_settings_drop(settings, prefix, key->name);
	bool ok = true;
	if (key->kind == CLI_TOML_BOOLEAN && key->on)
		ok = cli_settings_add(settings, prefix, key->name, NULL, key->line);
	for (size_t i = 0; i < key->count && ok; i++)
		ok = cli_settings_add(settings, prefix, key->name, key->values[i], key->line);
	return ok ? CLI_EXIT_OK : out_of_memory(config);
}

static int table_take(const struct config *config, const struct cli_toml_table *table, struct cli_settings *settings)
{
	int code = CLI_EXIT_OK;
	for (size_t i = 0; i < table->count && code == CLI_EXIT_OK; i++) {
		if (strcmp(table->keys[i].name, inherits) != 0)
			code = key_take(config, &table->keys[i], settings);
	}
	return code;
}

static int profile_take(const struct config *config, const struct cli_toml_table *table, struct cli_settings *settings)
{
	struct chain chain = {calloc(config->toml.count, sizeof(*chain.tables)), 0};
	settings->path = strdup(config->path);
	if (!chain.tables || !settings->path) {
		free(chain.tables);
		return out_of_memory(config);
	}
	chain.tables[chain.count++] = table;
	int code = chain_follow(config, &chain);
	while (code == CLI_EXIT_OK && chain.count > 0)
		code = table_take(config, chain.tables[--chain.count], settings);
	free(chain.tables);
	return code;
}

int cli_settings_from_profile(const struct cli_context *context, const char *name, struct cli_settings *settings)
{
	struct config config = {.context = context};
	*settings = (struct cli_settings){0};
	int code = profile_path(&config);
	if (code == CLI_EXIT_OK && config_is_absent(&config))
		code = profile_no_file(&config, name);
	if (code == CLI_EXIT_OK)
		code = config_read(&config);
	if (code != CLI_EXIT_OK)
		return code;
	bool secret = config_has_secret(&config);
	const struct cli_toml_table *table = cli_toml_table(&config.toml, name);
	code = table ? profile_take(&config, table, settings) : profile_unknown(&config, name);
	settings->secret = secret;
	cli_toml_free(&config.toml);
	return code;
}

int cli_profiles_print(const struct cli_context *context)
{
	struct config config = {.context = context};
	int code = profile_path(&config);
	if (code != CLI_EXIT_OK || config_is_absent(&config))
		return code;
	code = config_read(&config);
	for (size_t i = 0; i < config.toml.count; i++)
		puts(config.toml.tables[i].name);
	cli_toml_free(&config.toml);
	return code;
}
