/* SPDX-License-Identifier: Apache-2.0 */
/* lab_dir.c: makes, fills and removes the lab's folder. */
#include "lab_dir.h"
#include "lab_process.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern const char lab_make_certs[]; /* certs/make-certs.sh, put in by the build */

static bool dir_make_temporary(struct lab *lab)
{
	const char *parent = getenv("TMPDIR");
	char template[LAB_PATH_BYTES];

	if (parent == NULL || *parent == '\0')
		parent = "/tmp";
	if (snprintf(template, sizeof(template), "%s/skiff-lab.XXXXXX", parent) >= (int)sizeof(template))
		return lab_fail(lab, "TMPDIR is too long");
	if (mkdtemp(template) == NULL)
		return lab_fail(
			lab, "cannot make a folder in '%s': %s; set TMPDIR, or use --dir", parent, strerror(errno));
	if (realpath(template, lab->dir) == NULL)
		return lab_fail(lab, "'%s': %s", template, strerror(errno));
	return true;
}

static bool dir_make_wanted(struct lab *lab)
{
	if (mkdir(lab->dir_wanted, 0700) < 0 && errno != EEXIST)
		return lab_fail(
			lab, "cannot make the folder '%s': %s; choose another --dir", lab->dir_wanted, strerror(errno));
	if (realpath(lab->dir_wanted, lab->dir) == NULL)
		return lab_fail(lab, "'%s': %s; choose another --dir", lab->dir_wanted, strerror(errno));
	return true;
}

/* The broker's configuration has no way to write such a name. */
static bool dir_check_name(struct lab *lab)
{
	for (const char *c = lab->dir; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ')
			return lab_fail(lab, "the folder's name has a control character; choose another --dir");
	}
	if (snprintf(lab->socket, sizeof(lab->socket), "%s/mqtt.sock", lab->dir) >= (int)sizeof(lab->socket))
		return lab_fail(lab,
			"'%s' is too long for a Unix socket (%zu bytes with 'mqtt.sock'); choose a shorter %s",
			lab->dir, sizeof(lab->socket) - 1, lab->dir_wanted != NULL ? "--dir" : "TMPDIR");
	return true;
}

static bool dir_lock(struct lab *lab)
{
	char path[LAB_PATH_BYTES];

	if (!lab_path(lab, path, "lock"))
		return false;
	lab->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lab->lock < 0)
		return lab_fail(lab, "cannot write in '%s': %s; choose another --dir", lab->dir, strerror(errno));
	if (flock(lab->lock, LOCK_EX | LOCK_NB) < 0)
		return lab_fail(lab, "'%s' is in use by another lab; choose another --dir", lab->dir);
	return true;
}

static int tree_remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status;
	(void)kind;
	(void)walk;
	remove(path);
	return 0;
}

/* A broker that is being killed may still write into the folder: hence more than one try. */
static void tree_remove(const char *path)
{
	const struct timespec step = {.tv_nsec = 20000000};

	for (int i = 0; i < 50 && access(path, F_OK) == 0; i++) {
		if (i > 0)
			nanosleep(&step, NULL);
		nftw(path, tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	}
}

/* The keeper reads from a pipe that nobody writes to: the read ends when the lab does. */
static void keeper_run(const struct lab *lab, int end)
{
	int null = open("/dev/null", O_RDWR);
	char byte;

	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		dup2(null, fd);
	setpgid(0, 0);
	while (read(end, &byte, 1) < 0 && errno == EINTR)
		;
	tree_remove(lab->dir);
	_exit(0);
}

static bool keeper_start(struct lab *lab)
{
	int pipe_ends[2];

	if (pipe2(pipe_ends, O_CLOEXEC) < 0)
		return lab_fail(lab, "cannot make a pipe: %s", strerror(errno));
	lab->keeper_pid = fork();
	if (lab->keeper_pid == 0) {
		close(pipe_ends[1]);
		keeper_run(lab, pipe_ends[0]);
	}
	close(pipe_ends[0]);
	lab->keeper = pipe_ends[1];
	if (lab->keeper_pid < 0) {
		tree_remove(lab->dir);
		return lab_fail(lab, "cannot start a process: %s", strerror(errno));
	}
	return true;
}

bool lab_dir_open(struct lab *lab)
{
	if (lab->dir_wanted != NULL)
		return dir_make_wanted(lab) && dir_check_name(lab) && dir_lock(lab);
	return dir_make_temporary(lab) && keeper_start(lab) && dir_check_name(lab);
}

bool lab_dir_write(struct lab *lab, const char *name, const char *text)
{
	char path[LAB_PATH_BYTES];
	int fd;

	if (!lab_path(lab, path, name))
		return false;
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	size_t length = strlen(text);
	bool written = fd >= 0 && write(fd, text, length) == (ssize_t)length;
	if (!written)
		lab_fail(lab, "cannot write '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return written;
}

static const char *line_without_stamp(const char *line)
{
	size_t digits = strspn(line, "0123456789");

	return digits > 0 && strncmp(line + digits, ": ", 2) == 0 ? line + digits + 2 : line;
}

void lab_dir_last_line(struct lab *lab, const char *name, const char *word, char *line, size_t size)
{
	char path[LAB_PATH_BYTES], read_line[512];
	FILE *file;

	*line = '\0';
	if (!lab_path(lab, path, name) || (file = fopen(path, "re")) == NULL)
		return;
	while (fgets(read_line, sizeof(read_line), file) != NULL) {
		read_line[strcspn(read_line, "\n")] = '\0';
		if (*read_line != '\0' && strstr(read_line, word) != NULL)
			snprintf(line, size, "%s", line_without_stamp(read_line));
	}
	fclose(file);
}

bool lab_dir_certificates_in(struct lab *lab, const char *certs, bool all)
{
	char script[LAB_PATH_BYTES], log[LAB_PATH_BYTES], line[256];
	const char *some[] = {"sh", script, certs, lab->as, NULL};
	const char *every[] = {"sh", script, "-a", certs, lab->as, NULL};

	if (!lab_path(lab, script, "make-certs.sh") || !lab_path(lab, log, "certs.log") ||
		!lab_dir_write(lab, "make-certs.sh", lab_make_certs) || !lab_dir_write(lab, "certs.log", ""))
		return false;
	pid_t pid = lab_process_start(lab, all ? every : some, log);
	if (pid < 0)
		return false;
	if (lab_process_wait(pid) == 0)
		return true;
	lab_dir_last_line(lab, "certs.log", "", line, sizeof(line));
	return lab_fail(lab, "cannot make the certificates: %s; it takes the command 'openssl', 3.0 or newer", line);
}

bool lab_dir_certificates(struct lab *lab)
{
	char certs[LAB_PATH_BYTES];

	return lab_path(lab, certs, "certs") && lab_dir_certificates_in(lab, certs, false);
}

void lab_dir_close(struct lab *lab)
{
	if (lab->keeper >= 0)
		close(lab->keeper);
	if (lab->keeper_pid > 0)
		lab_process_wait(lab->keeper_pid);
	if (lab->lock >= 0)
		close(lab->lock);
	lab->keeper = lab->lock = -1;
	lab->keeper_pid = 0;
}
