/* SPDX-License-Identifier: Apache-2.0 */
/* cli_settings.c: options that stand in a file, and the options file of the mosquitto clients, whose rules are theirs:
 * blanks before the option are passed over, the first behind it ends it, and all that follows is the value, quotes and
 * '#' and blanks at the end included. Theirs cuts lines at 1023 bytes; here they are as long as they are. */
#include "cli_settings.h"
#include "cli_exit.h"
#include "cli_input.h"
#include "cli_password.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETTINGS_FILE_MAX = 1048576 };

/* ---- the settings ---- */

static void secret_free(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void setting_free(struct cli_setting *setting)
{
	free(setting->option);
	secret_free(setting->value);
}

bool cli_settings_add(
	struct cli_settings *settings, const char *prefix, const char *option, const char *value, int line)
{
	size_t size = strlen(prefix) + strlen(option) + 1;
	struct cli_setting setting = {malloc(size), value ? strdup(value) : NULL, line};
	struct cli_setting *items = realloc(settings->items, (settings->count + 1) * sizeof(*items));
	if (items)
		settings->items = items;
	if (!items || !setting.option || (value && !setting.value)) {
		setting_free(&setting);
		return false;
	}
	snprintf(setting.option, size, "%s%s", prefix, option);
	settings->items[settings->count++] = setting;
	return true;
}

void cli_settings_drop(struct cli_settings *settings, const char *prefix, const char *option)
{
	size_t kept = 0, skip = strlen(prefix);
	for (size_t i = 0; i < settings->count; i++) {
		struct cli_setting *setting = &settings->items[i];
		if (strncmp(setting->option, prefix, skip) == 0 && strcmp(setting->option + skip, option) == 0)
			setting_free(setting);
		else
			settings->items[kept++] = *setting;
	}
	settings->count = kept;
}

void cli_settings_free(struct cli_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		setting_free(&settings->items[i]);
	free(settings->items);
	free(settings->path);
	*settings = (struct cli_settings){0};
}

/* ---- secrets ---- */

/* Whether there is a password before the host, as in mqtts://name:password@host. */
static bool url_has_password(const char *value)
{
	const char *user = strstr(value, "://");
	if (!user)
		return false;
	user += 3;
	const char *host = memchr(user, '@', strcspn(user, "/?#"));
	return host && memchr(user, ':', (size_t)(host - user));
}

bool cli_settings_is_secret(const char *name, const char *value)
{
	static const char *const secrets[] = {"pw", "P", "psk", "tls-engine-kpass-sha1"};
	for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++) {
		if (strcmp(secrets[i], name) == 0)
			return true;
	}
	return value && url_has_password(value);
}

void cli_settings_check_secrets(const struct cli_context *context, const struct cli_settings *settings)
{
	bool secret = settings->secret;
	for (size_t i = 0; i < settings->count && !secret; i++) {
		const struct cli_setting *setting = &settings->items[i];
		secret = cli_settings_is_secret(setting->option + strspn(setting->option, "-"), setting->value);
	}
	if (secret)
		cli_secret_file_check(context, settings->path);
}

/* ---- the options file ---- */

/* An XDG_CONFIG_HOME that is set to nothing counts with those clients too, and keeps them from the file in HOME. */
bool cli_settings_default_path(const char *name, char *buffer, size_t size)
{
	const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (!folder && !home)
		return false;
	int len = folder ? snprintf(buffer, size, "%s/%s", folder, name)
			 : snprintf(buffer, size, "%s/.config/%s", home, name);
	return len > 0 && (size_t)len < size;
}

/* Takes one line, whose end is a NUL. */
static bool line_take(struct cli_settings *settings, char *line, int number)
{
	size_t len = strlen(line);
	while (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	if (*line == '#')
		return true;
	char *option = line + strspn(line, " "), *end = option + strcspn(option, " ");
	const char *value = *end && end[1] ? end + 1 : NULL;
	if (*option == '\0')
		return true;
	*end = '\0';
	return cli_settings_add(settings, "", option, value, number);
}

static bool lines_take(struct cli_settings *settings, char *text)
{
	for (int number = 1; *text; number++) {
		size_t len = strcspn(text, "\n");
		bool last = text[len] == '\0';
		text[len] = '\0';
		if (!line_take(settings, text, number))
			return false;
		text += len + !last;
	}
	return true;
}

/* `text` is a copy of the file with a NUL behind it. */
static int file_take(const struct cli_context *context, char *text, size_t len, struct cli_settings *settings)
{
	if (strlen(text) < len) {
		cli_say(context, "file '%s': holds a zero byte, which no option can; options are lines of text",
			settings->path);
		return CLI_EXIT_FILE;
	}
	if (lines_take(settings, text))
		return CLI_EXIT_OK;
	cli_say(context, "out of memory");
	return CLI_EXIT_FAILURE;
}

static bool file_opens(const char *path)
{
	struct stat about;
	return access(path, R_OK) == 0 && stat(path, &about) == 0 && !S_ISDIR(about.st_mode);
}

int cli_settings_from_file(
	const struct cli_context *context, const char *path, bool must_exist, struct cli_settings *settings)
{
	char *data, *text = NULL;
	size_t len;
	*settings = (struct cli_settings){0};
	if (!must_exist && !file_opens(path))
		return CLI_EXIT_OK;
	int code = cli_input_read(context, path, SETTINGS_FILE_MAX, &data, &len);
	if (code != CLI_EXIT_OK)
		return code;
	settings->path = strdup(path);
	text = settings->path ? calloc(1, len + 1) : NULL;
	if (text) {
		memcpy(text, data, len);
		code = file_take(context, text, len, settings);
		explicit_bzero(text, len);
	} else {
		cli_say(context, "out of memory");
		code = CLI_EXIT_FAILURE;
	}
	explicit_bzero(data, len);
	free(data);
	free(text);
	return code;
}
