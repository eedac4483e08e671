/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c: the options file of the mosquitto clients, by their rules. */
#include "cli_exit.h"
#include "cli_settings.h"
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

static char folder[] = "/tmp/settings.XXXXXX";
static char path[64];

static void file_write(const char *text, size_t len)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
	chmod(path, 0600);
}

static int file_read(const char *text, struct cli_settings *settings)
{
	file_write(text, strlen(text));
	said_clear();
	return cli_settings_from_file(NULL, path, true, settings);
}

struct row {
	const char *text;
	int line; /* 0: no setting comes of it */
	const char *option, *value;
};

static const struct row rows[] = {
	{"", 0, NULL, NULL},
	{"\n\n", 0, NULL, NULL},
	{"# -t a", 0, NULL, NULL},
	{"#", 0, NULL, NULL},
	{"   \n", 0, NULL, NULL},
	{"\r\n", 0, NULL, NULL},
	{"-d", 1, "-d", NULL},
	{"-d\r\n", 1, "-d", NULL},
	{"-d \n", 1, "-d", NULL},
	{"-d  \n", 1, "-d", " "},
	{"-t a/b", 1, "-t", "a/b"},
	{"-t a/b\n", 1, "-t", "a/b"},
	{"\n# x\n-t a/b\r\n", 3, "-t", "a/b"},
	{"  -t a/b", 1, "-t", "a/b"},
	{"-t  a", 1, "-t", " a"},
	{"-t a ", 1, "-t", "a "},
	{"-m two words, \"quoted\" # and more", 1, "-m", "two words, \"quoted\" # and more"},
	{"-m a\tb", 1, "-m", "a\tb"},
	{"-m\ta", 1, "-m\ta", NULL},
	{"-m a\rb\r\r\n", 1, "-m", "a\rb"},
	{" # x", 1, "#", "x"},
	{"--will-topic a", 1, "--will-topic", "a"},
	{"nonsense", 1, "nonsense", NULL},
	{"-m gr\xc3\xbc\xc3\x9f \xff", 1, "-m", "gr\xc3\xbc\xc3\x9f \xff"},
};

static void lines_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct cli_settings settings;
		print_message("    %s\n", rows[i].text);
		assert_int_equal(file_read(rows[i].text, &settings), CLI_EXIT_OK);
		assert_int_equal(settings.count, rows[i].line > 0);
		assert_string_equal(settings.path, path);
		if (rows[i].line) {
			assert_string_equal(settings.items[0].option, rows[i].option);
			assert_int_equal(settings.items[0].line, rows[i].line);
			assert_int_equal(!!settings.items[0].value, !!rows[i].value);
			if (rows[i].value)
				assert_string_equal(settings.items[0].value, rows[i].value);
		}
		cli_settings_free(&settings);
		assert_int_equal(said_count, 0);
	}
}

static void order_is_kept(void **state)
{
	struct cli_settings settings;
	(void)state;
	assert_int_equal(file_read("-t a\n-t b\n-d\n-t a\n", &settings), CLI_EXIT_OK);
	assert_int_equal(settings.count, 4);
	assert_string_equal(settings.items[1].value, "b");
	assert_string_equal(settings.items[2].option, "-d");
	assert_int_equal(settings.items[3].line, 4);
	cli_settings_free(&settings);
	assert_true(settings.count == 0 && !settings.items && !settings.path);
}

static void long_lines_are_whole(void **state)
{
	static const size_t lens[] = {1022, 1023, 1024, 2048, 100000};
	(void)state;
	for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
		struct cli_settings settings;
		char *text = calloc(1, lens[i] + 20);
		assert_non_null(text);
		memcpy(text, "-m ", 3);
		memset(text + 3, 'x', lens[i]);
		strcat(text, "\n-q 1");
		assert_int_equal(file_read(text, &settings), CLI_EXIT_OK);
		assert_int_equal(settings.count, 2);
		assert_int_equal(strlen(settings.items[0].value), lens[i]);
		assert_string_equal(settings.items[1].option, "-q");
		cli_settings_free(&settings);
		free(text);
	}
}

static void zero_byte_refused(void **state)
{
	struct cli_settings settings;
	(void)state;
	file_write("-t a\0b\n", 7);
	said_clear();
	assert_int_equal(cli_settings_from_file(NULL, path, true, &settings), CLI_EXIT_FILE);
	assert_non_null(strstr(said, "holds a zero byte"));
	cli_settings_free(&settings);
}

static void absent_file(void **state)
{
	struct cli_settings settings;
	char missing[80];
	(void)state;
	snprintf(missing, sizeof missing, "%s/missing", folder);
	said_clear();
	assert_int_equal(cli_settings_from_file(NULL, missing, false, &settings), CLI_EXIT_OK);
	assert_int_equal(settings.count, 0);
	assert_int_equal(cli_settings_from_file(NULL, folder, false, &settings), CLI_EXIT_OK);
	assert_int_equal(said_count, 0);
	assert_int_equal(cli_settings_from_file(NULL, missing, true, &settings), CLI_EXIT_FILE);
	assert_non_null(strstr(said, "cannot be read: No such file"));
	assert_int_equal(cli_settings_from_file(NULL, folder, true, &settings), CLI_EXIT_FILE);
	assert_non_null(strstr(said, "cannot be read: Is a directory"));
	cli_settings_free(&settings);
}

static void default_path(void **state)
{
	char buffer[40];
	(void)state;
	setenv("HOME", "/h", 1);
	unsetenv("XDG_CONFIG_HOME");
	assert_true(cli_settings_default_path("mosquitto_pub", buffer, sizeof buffer));
	assert_string_equal(buffer, "/h/.config/mosquitto_pub");
	setenv("XDG_CONFIG_HOME", "/x", 1);
	assert_true(cli_settings_default_path("mosquitto_sub", buffer, sizeof buffer));
	assert_string_equal(buffer, "/x/mosquitto_sub");
	assert_false(cli_settings_default_path("mosquitto_sub", buffer, sizeof "/x/mosquitto_sub" - 1));
	assert_true(cli_settings_default_path("mosquitto_sub", buffer, sizeof "/x/mosquitto_sub"));
	setenv("XDG_CONFIG_HOME", "", 1);
	assert_true(cli_settings_default_path("mosquitto_rr", buffer, sizeof buffer));
	assert_string_equal(buffer, "/mosquitto_rr");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("HOME");
	assert_false(cli_settings_default_path("mosquitto_rr", buffer, sizeof buffer));
}

static void secrets_warned_of(void **state)
{
	static const struct {
		const char *text;
		bool secret;
	} files[] = {
		{"-P x", true},
		{"--pw x", true},
		{"--psk 00", true},
		{"-b mqtts://u:p@h", true},
		{"-L mqtt://u:p@h/t", true},
		{"--proxy socks5h://u:p@h", true},
		{"-b mqtts://u@h", false},
		{"-b mqtts://h:8883/@:", false},
		{"-t u:p@h", false},
		{"-u x\n--pw-file y", false},
		{"-p 1883", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct cli_settings settings;
		print_message("    %s\n", files[i].text);
		assert_int_equal(file_read(files[i].text, &settings), CLI_EXIT_OK);
		cli_settings_check_secrets(NULL, &settings);
		assert_int_equal(said_count, 0);
		chmod(path, 0640);
		cli_settings_check_secrets(NULL, &settings);
		assert_int_equal(said_count, files[i].secret);
		if (files[i].secret)
			assert_non_null(strstr(said, "holds a secret and may be read by others; 'chmod 600' it"));
		cli_settings_free(&settings);
	}
}

static int folder_make(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/options", folder);
	return 0;
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
		cmocka_unit_test(lines_taken),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(long_lines_are_whole),
		cmocka_unit_test(zero_byte_refused),
		cmocka_unit_test(absent_file),
		cmocka_unit_test(default_path),
		cmocka_unit_test(secrets_warned_of),
	};
	return cmocka_run_group_tests_name("settings", tests, folder_make, folder_remove);
}
