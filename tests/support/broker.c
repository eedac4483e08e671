/* SPDX-License-Identifier: Apache-2.0 */
/* broker.c: ports are chosen below the range that outgoing connections use; a port that was taken in between makes the
 * broker end, and then others are tried. */
#include "support/broker_internal.h"

#include "support/waiting.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BROKER_PORT_FIRST = 20000,
	BROKER_PORTS = 12000,
	BROKER_TRIES = 8,
	BROKER_READY_MS = 60000,
	BROKER_SLOW_READY_MS = 240000,
	BROKER_SKIP = 77
};

bool broker_has(const struct broker *broker, enum broker_door door)
{
	return broker->options.doors >> door & 1;
}

void broker_file(const struct broker *broker, char path[BROKER_FILE_BYTES], const char *name)
{
	snprintf(path, BROKER_FILE_BYTES, "%s/%s", broker->dir, name);
}

static void broker_print_log(const struct broker *broker)
{
	char line[512];
	FILE *log = fopen(broker->log, "r");
	while (log && fgets(line, sizeof line, log))
		fputs(line, stderr);
	if (log)
		fclose(log);
}

void broker_check(const struct broker *broker, bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "broker: %s: %s\n", what, strerror(errno));
	broker_print_log(broker);
	abort();
}

/* ---- ports ---- */

static bool port_free(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_ANY)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, 1);
	if (fd >= 0)
		close(fd);
	return ok;
}

static uint16_t port_choose(void)
{
	uint32_t random;
	for (;;) {
		if (getrandom(&random, sizeof random, 0) != sizeof random)
			abort();
		uint16_t port = (uint16_t)(BROKER_PORT_FIRST + random % BROKER_PORTS);
		if (port_free(port))
			return port;
	}
}

static void broker_choose_ports(struct broker *broker)
{
	static const char *const schemes[] = {"tcp", "tls", "tls", "ws", "wss", "unix", "tcp"};
	for (int door = 0; door < BROKER_DOORS; door++) {
		if (door == BROKER_UNIX) {
			snprintf(broker->url[door], sizeof broker->url[door], "unix://%s/socket", broker->dir);
			continue;
		}
		broker->port[door] = port_choose();
		snprintf(broker->url[door], sizeof broker->url[door], "%s://127.0.0.1:%u%s", schemes[door],
			broker->port[door], door == BROKER_WS || door == BROKER_WSS ? "/mqtt" : "");
	}
	for (int i = 0; i < BROKER_OWN_PORTS; i++)
		broker->own_port[i] = port_choose();
}

/* ---- children ---- */

pid_t broker_spawn(const struct broker *broker, const char *const argv[])
{
	pid_t parent = getpid(), pid = fork();
	if (pid)
		return pid;
	int log = open(broker->log, O_WRONLY | O_CREAT | O_APPEND, 0600), null = open("/dev/null", O_RDONLY);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || chdir(broker->dir) || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static void broker_run(const struct broker *broker, const char *const argv[])
{
	int status = -1;
	pid_t pid = broker_spawn(broker, argv);
	broker_check(broker, pid > 0 && waitpid(pid, &status, 0) == pid && !status, argv[0]);
}

static bool broker_installed(const char *program)
{
	const char *path = getenv("PATH");
	char file[512];
	if (strchr(program, '/'))
		return !access(program, R_OK);
	while (path && *path) {
		int len = (int)strcspn(path, ":");
		snprintf(file, sizeof file, "%.*s/%s", len, path, program);
		if (!access(file, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* ---- starting ---- */

static bool door_answers(const struct broker *broker, enum broker_door door)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(broker->port[door]),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	bool here = door == BROKER_UNIX;
	snprintf(local.sun_path, sizeof local.sun_path, "%.90s/socket", broker->dir);
	int fd = socket(here ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok = fd >= 0 && !(here ? connect(fd, (struct sockaddr *)&local, sizeof local)
				    : connect(fd, (struct sockaddr *)&address, sizeof address));
	if (fd >= 0)
		close(fd);
	return ok;
}

static const struct broker_recipe *broker_recipe(const struct broker *broker)
{
	return &broker_recipes[broker->options.kind];
}

/* Some open their doors before they know their users. */
static bool broker_tells_ready(const struct broker *broker)
{
	char path[BROKER_FILE_BYTES];
	broker_file(broker, path, "ready");
	return !broker_recipe(broker)->tells_ready || !access(path, F_OK);
}

/* Ready, or ended. */
static bool broker_settled(const void *subject)
{
	struct broker *broker = (struct broker *)subject;
	if (waitpid(broker->pid, NULL, WNOHANG) == broker->pid) {
		broker->pid = 0;
		return true;
	}
	for (int door = 0; door < BROKER_DOORS; door++)
		if (broker_has(broker, (enum broker_door)door) && !door_answers(broker, (enum broker_door)door))
			return false;
	return broker_tells_ready(broker);
}

static bool broker_up(struct broker *broker)
{
	char path[BROKER_FILE_BYTES];
	broker_file(broker, path, "socket");
	unlink(path);
	broker_file(broker, path, "ready");
	unlink(path);
	broker->pid = broker_recipe(broker)->launch(broker);
	broker_check(broker, broker->pid > 0, "fork");
	int limit_ms = broker_recipe(broker)->slow ? BROKER_SLOW_READY_MS : BROKER_READY_MS;
	bool settled = waiting_poll(broker_settled, broker, limit_ms);
	broker_check(broker, settled, "the broker does not open its doors");
	return broker->pid > 0;
}

static void broker_make_files(const struct broker *broker)
{
	unsigned tls = 1 << BROKER_TLS | 1 << BROKER_MTLS | 1 << BROKER_WSS;
	if (broker->options.doors & tls || broker_recipe(broker)->certificates)
		broker_run(broker, (const char *const[]){"sh", TESTS_CERTS, "certs", NULL});
	if (broker->options.kind == BROKER_EJABBERD)
		broker_run(broker, (const char *const[]){"sh", "-c",
					   "mkdir mnesia; cat certs/server.crt certs/server.key > server.pem", NULL});
	if (broker_has(broker, BROKER_PASSWORD))
		broker_run(broker,
			(const char *const[]){"mosquitto_passwd", "-b", "-c", "users", "rw", "readwrite", NULL});
}

static void broker_make_dir(struct broker *broker)
{
	const char *tmp = getenv("TMPDIR");
	snprintf(broker->dir, sizeof broker->dir, "%s/skiff-broker.XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	broker_check(broker, mkdtemp(broker->dir), "folder");
	broker_file(broker, broker->ca, "certs/own-ca.crt");
	broker_file(broker, broker->cert, "certs/client.crt");
	broker_file(broker, broker->key, "certs/client.key");
	broker_file(broker, broker->log, "log");
}

struct broker *broker_start(const struct broker_options *options)
{
	struct broker *broker = calloc(1, sizeof *broker);
	if (!broker)
		abort();
	broker->options = *options;
	if (!options->doors)
		broker->options.doors = 1 << BROKER_TCP;
	const char *path = getenv("PATH");
	char wider[4096];
	snprintf(wider, sizeof wider, "%s:/usr/local/sbin:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	setenv("PATH", wider, 1);
	const struct broker_recipe *recipe = broker_recipe(broker);
	if (!broker_installed(recipe->program) || (recipe->also && !broker_installed(recipe->also))) {
		fprintf(stderr, "skipped: '%s' is not installed\n", recipe->name);
		exit(BROKER_SKIP);
	}
	signal(SIGPIPE, SIG_IGN);
	broker_make_dir(broker);
	broker_make_files(broker);
	for (int i = 0; i < BROKER_TRIES; i++) {
		broker_choose_ports(broker);
		recipe->configure(broker);
		if (broker_up(broker))
			return broker;
	}
	broker_check(broker, false, "the broker ends at once");
	return NULL;
}

/* ---- what clients need ---- */

const char *broker_url(const struct broker *broker, enum broker_door door)
{
	return broker->url[door];
}

uint16_t broker_port(const struct broker *broker, enum broker_door door)
{
	return broker->port[door];
}

void broker_use(const struct broker *broker, enum broker_door door, struct skiff_options *options)
{
	options->url = broker->url[door];
	const struct broker_recipe *recipe = broker_recipe(broker);
	if (recipe->user) {
		options->user_name = recipe->user;
		options->password = skiff_text(recipe->password);
	}
	if (door == BROKER_TLS || door == BROKER_MTLS || door == BROKER_WSS)
		options->tls.ca_file = broker->ca;
	if (door == BROKER_MTLS) {
		options->tls.cert_file = broker->cert;
		options->tls.key_file = broker->key;
	}
}

/* ---- what happens to brokers ---- */

static void broker_signal(struct broker *broker, int number)
{
	broker_check(broker, broker->pid > 0 && !kill(broker->pid, number), "kill");
}

static void broker_wait(struct broker *broker)
{
	broker_check(broker, waitpid(broker->pid, NULL, 0) == broker->pid, "wait");
	broker->pid = 0;
}

void broker_kill(struct broker *broker)
{
	broker_signal(broker, SIGKILL);
	broker_wait(broker);
}

void broker_end(struct broker *broker)
{
	broker_signal(broker, SIGTERM);
	broker_wait(broker);
}

/* Its ports may be in other hands for a moment. */
void broker_restart(struct broker *broker)
{
	for (int i = 0; i < BROKER_TRIES; i++)
		if (broker_up(broker))
			return;
	broker_check(broker, false, "the broker does not come back");
}

void broker_freeze(struct broker *broker)
{
	broker_signal(broker, SIGSTOP);
	broker_check(broker, waitpid(broker->pid, NULL, WUNTRACED) == broker->pid, "wait");
}

void broker_thaw(struct broker *broker)
{
	broker_signal(broker, SIGCONT);
}

static bool broker_saved(const void *subject)
{
	return !access(subject, R_OK);
}

/* Mosquitto writes a new file and gives it the name when it is whole. */
void broker_save(struct broker *broker)
{
	char path[BROKER_FILE_BYTES];
	broker_file(broker, path, "mosquitto.db");
	unlink(path);
	broker_signal(broker, SIGUSR1);
	broker_check(broker, waiting_poll(broker_saved, path, BROKER_READY_MS), "the broker does not save");
}

static int broker_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

void broker_stop(struct broker *broker)
{
	if (!broker)
		return;
	if (broker->pid > 0) {
		broker_signal(broker, SIGKILL);
		broker_wait(broker);
	}
	if (broker->helper > 0) {
		kill(broker->helper, SIGKILL);
		waitpid(broker->helper, NULL, 0);
	}
	nftw(broker->dir, broker_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(broker);
}
