/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c: tables of config.toml as settings: what each value gives, what is inherited, what is refused. */
#include "cli_exit.h"
#include "cli_profile.h"
#include "said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/profile.XXXXXX";
static char path[64];

static void config_write(const char *text)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	fclose(file);
	chmod(path, 0600);
	said_clear();
}

/* The settings as one line of words. */
static const char *joined(const struct cli_settings *settings)
{
	static char line[1000];
	size_t used = 0;
	line[0] = '\0';
	for (size_t i = 0; i < settings->count; i++) {
		const struct cli_setting *setting = &settings->items[i];
		used += (size_t)snprintf(line + used, sizeof line - used, "%s%s%s%s", i ? " " : "", setting->option,
			setting->value ? "=" : "", setting->value ? setting->value : "");
	}
	return line;
}

/* ---- what is taken ---- */

static const char config[] = "[base]\n"
			     "broker = 'mqtts://h'\n"
			     "retain = true\n"
			     "debug = true\n"
			     "ws-header = ['a: 1', 'b: 2']\n"
			     "q = 1\n"
			     "\n"
			     "[mid]\n"
			     "inherits = 'base'\n"
			     "id = \"mid\"\n"
			     "[prod] # the real one\n"
			     "qos = 2\n"
			     "ws-header = [\n"
			     "  'c: 3',\n"
			     "]\n"
			     "retain = false\n"
			     "inherits = \"mid\"\n"
			     "[\"a.b\"]\n"
			     "keepalive = 1_0\n"
			     "[empty]\n";

static const struct {
	const char *name, *line;
} profiles[] = {
	{"base", "--broker=mqtts://h --retain --debug --ws-header=a: 1 --ws-header=b: 2 -q=1"},
	{"mid", "--broker=mqtts://h --retain --debug --ws-header=a: 1 --ws-header=b: 2 -q=1 --id=mid"},
	{"prod", "--broker=mqtts://h --debug -q=1 --id=mid --qos=2 --ws-header=c: 3"},
	{"a.b", "--keepalive=10"},
	{"empty", ""},
};

static void profiles_taken(void **state)
{
	(void)state;
	config_write(config);
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
		struct cli_settings settings;
		assert_int_equal(cli_settings_from_profile(NULL, profiles[i].name, &settings), CLI_EXIT_OK);
		assert_string_equal(joined(&settings), profiles[i].line);
		assert_string_equal(settings.path, path);
		cli_settings_free(&settings);
	}
	assert_int_equal(said_count, 0);
}

static void lines_are_known(void **state)
{
	struct cli_settings settings;
	(void)state;
	config_write(config);
	assert_int_equal(cli_settings_from_profile(NULL, "prod", &settings), CLI_EXIT_OK);
	assert_int_equal(settings.items[0].line, 2);
	assert_int_equal(settings.items[settings.count - 1].line, 13);
	cli_settings_free(&settings);
}

/* ---- what is refused ---- */

static const struct {
	const char *text, *name;
	int code;
	const char *says;
} refusals[] = {
	{config, "prdo", CLI_EXIT_USAGE, "did you mean 'prod'? it has base, mid, prod, a.b and empty"},
	{config, "zzzzzzzz", CLI_EXIT_USAGE, "; it has base, mid, prod, a.b and empty"},
	{"", "prod", CLI_EXIT_USAGE, "it has none yet; write one as [prod]"},
	{"[prod]\nqos = x", "prod", CLI_EXIT_FILE, ", line 2: key 'qos': its value is missing, or a text"},
	{"[prod]\n[other]\nqos = x", "prod", CLI_EXIT_FILE, ", line 3: key 'qos'"},
	{"[prod]\n--qos = 1", "prod", CLI_EXIT_FILE,
		", line 2: key '--qos': is written without the dashes before it: qos"},
	{"[prod]\n'a b' = 1", "prod", CLI_EXIT_FILE, ", line 2: key 'a b': is no option's name"},
	{"[prod]\n'qos=1' = true", "prod", CLI_EXIT_FILE, ", line 2: key 'qos=1': is no option's name"},
	{"[prod]\ninherits = 1", "prod", CLI_EXIT_FILE, "key 'inherits': names one table, in quotes"},
	{"[prod]\ninherits = ['a', 'b']", "prod", CLI_EXIT_FILE, "key 'inherits': names one table, in quotes"},
	{"[prod]\ninherits = 'bsae'\n[base]", "prod", CLI_EXIT_FILE,
		", line 2: key 'inherits': table 'bsae' is not in this file; did you mean 'base'? it has prod and "
		"base"},
	{"[a]\ninherits = 'a'", "a", CLI_EXIT_FILE, ", line 2: table 'a' inherits 'a', which inherits it in turn"},
	{"[a]\ninherits = 'b'\n[b]\ninherits = 'c'\n[c]\ninherits = 'b'", "a", CLI_EXIT_FILE,
		", line 6: table 'c' inherits 'b', which inherits it in turn"},
};

static void faults_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct cli_settings settings;
		config_write(refusals[i].text);
		assert_int_equal(cli_settings_from_profile(NULL, refusals[i].name, &settings), refusals[i].code);
		cli_settings_free(&settings);
		if (said_count != 1 || !strstr(said, refusals[i].says) || !strstr(said, path))
			fail_msg("%u sentences, the last: %s", said_count, said);
	}
}

/* Names that do not fit into a sentence are left out, without a sign of harm. */
static void many_names(void **state)
{
	static char text[20000];
	struct cli_settings settings;
	(void)state;
	size_t used = 0;
	for (int i = 0; i < 1000; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "[name-%d]\n", i);
	config_write(text);
	assert_int_equal(cli_settings_from_profile(NULL, "zzzzzzzz", &settings), CLI_EXIT_USAGE);
	assert_string_equal(said + strlen(said) - 3, "...");
	cli_settings_free(&settings);
}

static void too_large(void **state)
{
	static char text[70000];
	struct cli_settings settings;
	(void)state;
	memset(text, '#', sizeof text - 1);
	config_write(text);
	assert_int_equal(cli_settings_from_profile(NULL, "prod", &settings), CLI_EXIT_FILE);
	assert_non_null(strstr(said, "holds more than the 65536 bytes allowed"));
	cli_settings_free(&settings);
}

/* ---- secrets ---- */

static void secrets_warned_of(void **state)
{
	static const struct {
		const char *text;
		bool secret;
	} files[] = {
		{"[a]\npw = 'x'", true},
		{"[a]\nP = 'x'", true},
		{"[a]\n[b]\npsk = '00'", true},
		{"[a]\nbroker = 'mqtts://u:p@h'", true},
		{"[a]\nbroker = 'mqtts://u@h'\npw-file = 'y'", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct cli_settings settings;
		config_write(files[i].text);
		assert_int_equal(cli_settings_from_profile(NULL, "a", &settings), CLI_EXIT_OK);
		cli_settings_check_secrets(NULL, &settings);
		cli_settings_free(&settings);
		assert_int_equal(said_count, 0);
		chmod(path, 0604);
		assert_int_equal(cli_settings_from_profile(NULL, "a", &settings), CLI_EXIT_OK);
		cli_settings_check_secrets(NULL, &settings);
		cli_settings_free(&settings);
		assert_int_equal(said_count, files[i].secret);
		if (files[i].secret)
			assert_non_null(strstr(said, "holds a secret and may be read by others; 'chmod 600' it"));
	}
}

/* ---- where the file is ---- */

static void looks_where_told(void **state)
{
	static const struct {
		const char *file, *xdg, *home, *says;
	} places[] = {
		{"/nowhere/f", "/nowhere/x", "/nowhere/h", "there is no file '/nowhere/f'"},
		{"", "/nowhere/x", "/nowhere/h", "there is no file '/nowhere/x/skiff/config.toml'"},
		{"", "relative", "/nowhere/h", "there is no file '/nowhere/h/.config/skiff/config.toml'"},
		{"", "", "/nowhere/h", "there is no file '/nowhere/h/.config/skiff/config.toml'; write [prod]"},
		{"", "", "", "there is no HOME to look for profiles in; name their file in SKIFF_CONFIG"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct cli_settings settings;
		setenv("SKIFF_CONFIG", places[i].file, 1);
		setenv("XDG_CONFIG_HOME", places[i].xdg, 1);
		setenv("HOME", places[i].home, 1);
		said_clear();
		assert_int_equal(cli_settings_from_profile(NULL, "prod", &settings), CLI_EXIT_FILE);
		if (!strstr(said, places[i].says))
			fail_msg("%s", said);
		cli_settings_free(&settings);
	}
	setenv("SKIFF_CONFIG", path, 1);
}

static int folder_make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/config.toml", folder);
	return setenv("SKIFF_CONFIG", path, 1);
}

static int folder_remove(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_taken),
		cmocka_unit_test(lines_are_known),
		cmocka_unit_test(faults_refused),
		cmocka_unit_test(many_names),
		cmocka_unit_test(too_large),
		cmocka_unit_test(secrets_warned_of),
		cmocka_unit_test(looks_where_told),
	};
	return cmocka_run_group_tests_name("profile", tests, folder_make, folder_remove);
}
