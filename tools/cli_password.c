/* SPDX-License-Identifier: Apache-2.0 */
/* cli_password.c: passwords that never need to stand on a command line. What held one is zeroed before it is let go. */
#include "cli_password.h"
#include "cli_exit.h"
#include "cli_input.h"
#include "cli_stop.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MAX = 65535 };

void cli_secret_wipe(struct cli_secret *secret)
{
	if (secret->data)
		explicit_bzero(secret->data, secret->len);
	free(secret->data);
	*secret = (struct cli_secret){0};
}

void cli_secret_forget(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* One byte: Linux takes 0 to mean that a program that collects core files may have one still. */
void cli_secret_keep_from_core(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_CORE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max ? 1 : 0;
	setrlimit(RLIMIT_CORE, &limit);
}

static int secret_copy(const struct cli_context *context, const char *data, size_t len, struct cli_secret *secret)
{
	if (len > PASSWORD_MAX) {
		cli_say(context, "the password is longer than the %d bytes that MQTT allows", PASSWORD_MAX);
		return CLI_EXIT_USAGE;
	}
	char *copy = malloc(len + 1);
	if (!copy) {
		cli_say(context, "out of memory");
		return CLI_EXIT_FAILURE;
	}
	memcpy(copy, data, len);
	copy[len] = '\0';
	*secret = (struct cli_secret){copy, len};
	return CLI_EXIT_OK;
}

int cli_password_copy(const struct cli_context *context, const char *text, struct cli_secret *secret)
{
	return secret_copy(context, text, strlen(text), secret);
}

int cli_password_from_environment(const struct cli_context *context, const char *variable, struct cli_secret *secret)
{
	char *value = getenv(variable);
	if (!value)
		return CLI_EXIT_OK;
	int code = cli_password_copy(context, value, secret);
	explicit_bzero(value, strlen(value)); /* /proc/PID/environ shows these very bytes */
	unsetenv(variable);
	return code;
}

void cli_secret_hide_variable(const char *variable)
{
	char *value = getenv(variable), *copy = value ? strdup(value) : NULL;
	if (copy && setenv(variable, copy, 1) == 0 && getenv(variable) != value)
		explicit_bzero(value, strlen(value));
	if (copy)
		explicit_bzero(copy, strlen(copy));
	free(copy);
}

static size_t without_newline(const char *data, size_t len)
{
	if (len > 0 && data[len - 1] == '\n')
		len--;
	if (len > 0 && data[len - 1] == '\r')
		len--;
	return len;
}

bool cli_secret_file_is_open(const char *path, mode_t who)
{
	struct stat about;
	return stat(path, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & who);
}

void cli_secret_file_check(const struct cli_context *context, const char *path)
{
	if (cli_secret_file_is_open(path, S_IRGRP | S_IROTH))
		cli_warn(context, "file '%s' holds a secret and may be read by others; 'chmod 600' it", path);
}

int cli_password_from_file(const struct cli_context *context, const char *path, struct cli_secret *secret)
{
	char *data;
	size_t len;
	int code = cli_input_read(context, path, PASSWORD_MAX + 2, &data, &len);
	if (code != CLI_EXIT_OK)
		return code;
	if (strcmp(path, "-") != 0)
		cli_secret_file_check(context, path);
	code = secret_copy(context, data, without_newline(data, len), secret);
	if (data)
		explicit_bzero(data, len);
	free(data);
	return code;
}

/* Reads up to a newline. Result: the length, or -1 with errno; ECANCELED on a stop. */
static ssize_t terminal_read(int fd, char *line, size_t size)
{
	size_t len = 0;
	for (;;) {
		if (len == size) {
			errno = EFBIG;
			return -1;
		}
		if (!cli_stop_wait(fd, POLLIN)) {
			errno = ECANCELED;
			return -1;
		}
		ssize_t got = read(fd, line + len, size - len);
		if (got < 0 && errno != EINTR)
			return -1;
		len += got > 0 ? (size_t)got : 0;
		if (got == 0 || (got > 0 && line[len - 1] == '\n'))
			return (ssize_t)len;
	}
}

static ssize_t terminal_ask(int fd, const char *prompt, char *line, size_t size)
{
	struct termios before, unseen;
	if (tcgetattr(fd, &before) != 0)
		return -1;
	unseen = before;
	unseen.c_lflag &= (tcflag_t)~ECHO;
	if (tcsetattr(fd, TCSAFLUSH, &unseen) != 0)
		return -1;
	ssize_t written = write(fd, prompt, strlen(prompt));
	ssize_t len = written < 0 ? -1 : terminal_read(fd, line, size);
	int error = errno;
	tcsetattr(fd, TCSAFLUSH, &before);
	written = write(fd, "\n", 1);
	(void)written; /* only a nicety */
	errno = error;
	return len;
}

int cli_password_ask(const struct cli_context *context, const char *prompt, struct cli_secret *secret)
{
	char line[4096];
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		cli_say(context,
			"option '--pw-ask': there is no terminal to ask on; use '--pw-file' or SKIFF_PASSWORD");
		return CLI_EXIT_USAGE;
	}
	ssize_t len = terminal_ask(fd, prompt, line, sizeof(line));
	int error = errno, code;
	close(fd);
	if (len >= 0) {
		code = secret_copy(context, line, without_newline(line, (size_t)len), secret);
	} else if (error == ECANCELED) {
		code = cli_stop_code();
	} else {
		cli_say(context, "cannot read the password from the terminal: %s", strerror(error));
		code = CLI_EXIT_FAILURE;
	}
	explicit_bzero(line, sizeof(line));
	return code;
}
