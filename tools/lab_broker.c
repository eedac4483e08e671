/* SPDX-License-Identifier: Apache-2.0 */
/* lab_broker.c: finds mosquitto, starts it, knocks at every door until all are open. */
#include "lab_broker.h"
#include "lab_config.h"
#include "lab_dir.h"
#include "lab_link.h"
#include "lab_ports.h"
#include "lab_process.h"
#include "lab_relay.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { READY_MS = 10000, KNOCK_MS = 5, TRIES = 5 };

/* FAILED is final; a broker that DIED while it started may do better with other ports, or without its Unix socket. */
enum broker_outcome { BROKER_READY, BROKER_FAILED, BROKER_DIED };

#define LOG "mosquitto.log"

static bool program_there(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* Takes `path` as the broker if there is a program. It is run from another folder, so a relative path is completed;
 * links stay, as some programs go by the name they are called. */
static bool broker_take(struct lab *lab, const char *path)
{
	char here[LAB_PATH_BYTES] = "";

	if (!program_there(path) || (*path != '/' && getcwd(here, sizeof(here)) == NULL))
		return false;
	return snprintf(lab->broker, sizeof(lab->broker), "%s%s%s", here, *here != '\0' ? "/" : "", path) <
	       (int)sizeof(lab->broker);
}

/* Looks into each folder of `folders`, a list with colons. */
static bool broker_search(struct lab *lab, const char *folders)
{
	char path[LAB_PATH_BYTES];

	while (folders != NULL && *folders != '\0') {
		size_t length = strcspn(folders, ":");
		int written = snprintf(path, sizeof(path), "%.*s/mosquitto", (int)length, folders);
		if (length > 0 && written < (int)sizeof(path) && broker_take(lab, path))
			return true;
		folders += length + (folders[length] == ':');
	}
	return false;
}

bool lab_broker_find(struct lab *lab)
{
	if (lab->program != NULL)
		return broker_take(lab, lab->program) ||
		       lab_fail(lab, "no program at '%s'; --mosquitto wants the broker's path", lab->program);
	return broker_search(lab, getenv("PATH")) || broker_search(lab, "/usr/sbin:/usr/local/sbin") ||
	       lab_fail(lab, "no mosquitto in PATH, /usr/sbin or /usr/local/sbin; "
			     "install the package 'mosquitto', or name the broker by --mosquitto");
}

static bool address_answers(int family, const void *address, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers = fd >= 0 && connect(fd, address, size) == 0;

	if (fd >= 0)
		close(fd);
	return answers;
}

static bool port_answers(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address_answers(AF_INET, &address, sizeof(address));
}

static bool socket_answers(const struct lab *lab)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memcpy(address.sun_path, lab->socket, sizeof(lab->socket));
	return address_answers(AF_UNIX, &address, sizeof(address));
}

/* How many doors answer, beginning with the `open` that did before; one more than there are with the Unix socket. */
static size_t doors_knock(const struct lab *lab, size_t open)
{
	while (open < LAB_DOORS && port_answers(lab->ports[open]))
		open++;
	return open == LAB_DOORS && socket_answers(lab) ? LAB_DOORS + 1 : open;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum broker_outcome broker_fail_late(struct lab *lab, size_t open)
{
	if (open == LAB_DOORS)
		lab_fail(lab, "the broker did not open '%s' in %d s", lab->socket, READY_MS / 1000);
	else
		lab_fail(lab, "the broker did not open port %d in %d s", lab->ports[open], READY_MS / 1000);
	return BROKER_FAILED;
}

static enum broker_outcome broker_wait(struct lab *lab)
{
	int64_t deadline = now_ms() + READY_MS;
	size_t open = 0;
	int status;

	while ((open = doors_knock(lab, open)) <= LAB_DOORS) {
		if (lab_process_interrupted(lab) || lab_process_sleep(lab, KNOCK_MS))
			return BROKER_FAILED;
		if (lab_process_ended(&lab->broker_pid, &status)) {
			lab_broker_fail(lab, "did not start");
			return BROKER_DIED;
		}
		if (now_ms() > deadline)
			return broker_fail_late(lab, open);
	}
	return BROKER_READY;
}

bool lab_broker_fail(struct lab *lab, const char *when)
{
	char line[400];

	lab_dir_last_line(lab, LOG, "Error", line, sizeof(line));
	if (*line == '\0')
		lab_dir_last_line(lab, LOG, "", line, sizeof(line));
	return lab_fail(lab, "'%s' %s: %s", lab->broker, when, *line != '\0' ? line : "it said nothing");
}

static enum broker_outcome broker_try(struct lab *lab)
{
	char conf[LAB_PATH_BYTES], log[LAB_PATH_BYTES];
	const char *argv[] = {lab->broker, "-c", conf, NULL};

	if (!lab_ports_choose(lab) || !lab_config_write(lab) || !lab_dir_write(lab, LOG, "") ||
		!lab_path(lab, conf, "mosquitto.conf") || !lab_path(lab, log, LOG))
		return BROKER_FAILED;
	unlink(lab->socket);
	if (lab->relay && !lab_relay_start(lab))
		return BROKER_FAILED;
	lab->broker_pid = lab_process_start(lab, argv, log);
	if (lab->broker_pid < 0)
		return BROKER_FAILED;
	return broker_wait(lab);
}

/* Whether the failure was one of the ports being taken. */
static bool broker_ports_taken(struct lab *lab)
{
	char line[64];

	lab_dir_last_line(lab, LOG, "in use", line, sizeof(line));
	if (*line == '\0')
		lab_dir_last_line(lab, LOG, "websockets listener", line, sizeof(line));
	return *line != '\0';
}

bool lab_broker_start(struct lab *lab)
{
	for (int i = 0; i < TRIES; i++) {
		lab->error[0] = '\0';
		enum broker_outcome outcome = broker_try(lab);
		if (outcome == BROKER_READY)
			return !lab->link.on || lab_link_start(lab);
		lab_broker_stop(lab);
		if (outcome == BROKER_FAILED)
			return false;
		bool taken = broker_ports_taken(lab);
		if (taken ? !lab_ports_are_free_ones(lab) : lab->relay)
			return false;
		if (!taken)
			lab->relay = true; /* perhaps a broker without Unix sockets */
	}
	return false;
}

void lab_broker_stop(struct lab *lab)
{
	lab_process_stop(&lab->link_pid);
	lab_process_stop(&lab->relay_pid);
	lab_process_stop(&lab->broker_pid);
}
