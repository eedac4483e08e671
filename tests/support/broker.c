/* SPDX-License-Identifier: Apache-2.0 */
/* broker.c: ports are chosen below the range that outgoing connections use; a port that was taken in between makes the
 * broker end, and then others are tried. */
#include "support/broker.h"

#include "support/waiting.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
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
	BROKER_PATH_BYTES = 128,
	BROKER_FILE_BYTES = BROKER_PATH_BYTES + 32,
	BROKER_PORT_FIRST = 20000,
	BROKER_PORTS = 12000,
	BROKER_TRIES = 8,
	BROKER_READY_MS = 60000,
	BROKER_SKIP = 77
};

struct broker {
	struct broker_options options;
	char dir[BROKER_PATH_BYTES];
	char url[BROKER_DOORS][BROKER_FILE_BYTES];
	uint16_t port[BROKER_DOORS];
	uint16_t own_port; /* of nats-server's own protocol */
	char ca[BROKER_FILE_BYTES], cert[BROKER_FILE_BYTES], key[BROKER_FILE_BYTES], log[BROKER_FILE_BYTES];
	pid_t pid;
};

static bool broker_has(const struct broker *broker, enum broker_door door)
{
	return broker->options.doors >> door & 1;
}

static void broker_file(const struct broker *broker, char path[BROKER_FILE_BYTES], const char *name)
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

static void broker_check(const struct broker *broker, bool ok, const char *what)
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
	broker->own_port = port_choose();
}

/* ---- children ---- */

/* Runs a command in the broker's folder, its words appended to the log; -1 when it could not be started. */
static pid_t broker_spawn(const struct broker *broker, const char *const argv[])
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
	while (path && *path) {
		int len = (int)strcspn(path, ":");
		snprintf(file, sizeof file, "%.*s/%s", len, path, program);
		if (!access(file, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/* ---- configuration files ---- */

struct conf {
	FILE *file;
	const struct broker *broker;
};

static void conf_open(struct conf *conf, const struct broker *broker, const char *name)
{
	char path[BROKER_FILE_BYTES];
	broker_file(broker, path, name);
	*conf = (struct conf){fopen(path, "w"), broker};
	broker_check(broker, conf->file, path);
}

__attribute__((format(printf, 2, 3))) static void conf_line(struct conf *conf, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(conf->file, format, args);
	va_end(args);
	fputc('\n', conf->file);
}

static void conf_close(struct conf *conf)
{
	if (conf->broker->options.settings)
		conf_line(conf, "%s", conf->broker->options.settings);
	broker_check(conf->broker, !fclose(conf->file), "configuration");
}

static void mosquitto_door(struct conf *conf, enum broker_door door)
{
	const struct broker *broker = conf->broker;
	bool tls = door == BROKER_TLS || door == BROKER_MTLS || door == BROKER_WSS;
	if (!broker_has(broker, door))
		return;
	if (door == BROKER_UNIX)
		conf_line(conf, "listener 0 %s/socket", broker->dir);
	else
		conf_line(conf, "listener %u 127.0.0.1", broker->port[door]);
	if (door == BROKER_WS || door == BROKER_WSS)
		conf_line(conf, "socket_domain ipv4\nprotocol websockets");
	if (tls)
		conf_line(conf, "certfile %s/certs/server.crt\nkeyfile %s/certs/server.key", broker->dir, broker->dir);
	if (door == BROKER_MTLS)
		conf_line(conf, "cafile %s\nrequire_certificate true", broker->ca);
	if (door == BROKER_PASSWORD)
		conf_line(conf, "password_file %s/users", broker->dir);
	conf_line(conf, "allow_anonymous %s", door == BROKER_PASSWORD ? "false" : "true");
}

static void mosquitto_configure(const struct broker *broker)
{
	struct conf conf;
	conf_open(&conf, broker, "conf");
	if (!geteuid())
		conf_line(&conf, "user root");
	conf_line(&conf, "per_listener_settings true\nlog_dest stderr\nset_tcp_nodelay true");
	/* also the size of what it writes to a WebSocket each 100 ms */
	conf_line(&conf, "websockets_headers_size 65535");
	conf_line(&conf, "max_queued_messages 0\nmax_inflight_messages 100\nsys_interval 1");
	conf_line(&conf, "persistence %s\npersistence_location %s/", broker->options.persistence ? "true" : "false",
		broker->dir);
	for (int door = 0; door < BROKER_DOORS; door++)
		mosquitto_door(&conf, (enum broker_door)door);
	conf_close(&conf);
}

static void ejabberd_configure(const struct broker *broker)
{
	struct conf conf;
	conf_open(&conf, broker, "ejabberd.yml");
	conf_line(&conf, "hosts: [localhost]\nloglevel: warning\nca_file: \"%s\"", broker->ca);
	conf_line(&conf, "certfiles: [\"%s/server.pem\"]", broker->dir);
	conf_line(&conf, "auth_method: [internal]\nlisten:");
	conf_line(&conf, "  - {port: %u, ip: \"127.0.0.1\", module: mod_mqtt}", broker->port[BROKER_TCP]);
	conf_line(&conf, "  - {port: %u, ip: \"127.0.0.1\", module: mod_mqtt, tls: true}", broker->port[BROKER_TLS]);
	conf_line(&conf,
		"  - {port: %u, ip: \"127.0.0.1\", module: ejabberd_http, request_handlers: {/mqtt: mod_mqtt}}",
		broker->port[BROKER_WS]);
	conf_line(&conf,
		"  - {port: %u, ip: \"127.0.0.1\", module: ejabberd_http, tls: true, request_handlers: {/mqtt: "
		"mod_mqtt}}",
		broker->port[BROKER_WSS]);
	conf_line(&conf, "modules:\n  mod_mqtt:\n    max_queue: infinity");
	conf_line(&conf, "    access_publish: {\"#\": all}\n    access_subscribe: {\"#\": all}");
	conf_close(&conf);
}

static void nats_configure(const struct broker *broker)
{
	struct conf conf;
	conf_open(&conf, broker, "conf");
	conf_line(&conf, "server_name: lab\nlisten: \"127.0.0.1:%u\"", broker->own_port);
	conf_line(&conf, "jetstream { store_dir: \"%s/js\", max_mem: 64MB, max_file: 64MB }", broker->dir);
	conf_line(&conf, "mqtt { listen: \"127.0.0.1:%u\" }", broker->port[BROKER_TCP]);
	conf_close(&conf);
}

static void broker_configure(struct broker *broker)
{
	switch (broker->options.kind) {
	case BROKER_MOSQUITTO:
		mosquitto_configure(broker);
		break;
	case BROKER_EJABBERD:
		ejabberd_configure(broker);
		break;
	case BROKER_NATS:
		nats_configure(broker);
		break;
	}
}

/* ---- starting ---- */

static void ejabberd_environment(const struct broker *broker)
{
	char path[BROKER_FILE_BYTES];
	setenv("HOME", broker->dir, 1);
	if (!getenv("ERL_LIBS")) { /* where Debian keeps ejabberd's own libraries */
		glob_t found;
		if (!glob("/usr/lib/*/ejabberd-*", 0, NULL, &found) && found.gl_pathc) {
			snprintf(path, sizeof path, "%s", found.gl_pathv[0]);
			*strrchr(path, '/') = 0;
			setenv("ERL_LIBS", path, 1);
			globfree(&found);
		}
	}
	broker_file(broker, path, "ejabberd.yml");
	setenv("EJABBERD_CONFIG_PATH", path, 1);
	broker_file(broker, path, "ejabberd.log");
	setenv("EJABBERD_LOG_PATH", path, 1);
	broker_file(broker, path, "pid");
	setenv("EJABBERD_PID_PATH", path, 1);
}

static pid_t broker_launch(const struct broker *broker)
{
	char conf[BROKER_FILE_BYTES], mnesia[BROKER_FILE_BYTES + 8];
	broker_file(broker, conf, "conf");
	snprintf(mnesia, sizeof mnesia, "\"%s/mnesia\"", broker->dir);
	switch (broker->options.kind) {
	case BROKER_MOSQUITTO:
		return broker_spawn(broker, (const char *const[]){"mosquitto", "-c", conf, NULL});
	case BROKER_NATS:
		return broker_spawn(broker, (const char *const[]){"nats-server", "-c", conf, NULL});
	case BROKER_EJABBERD:
		break;
	}
	ejabberd_environment(broker);
	return broker_spawn(
		broker, (const char *const[]){"erl", "-noinput", "-noshell", "+S", "2:2", "+sbwt", "none", "+sbwtdcpu",
				"none", "+sbwtdio", "none", "-mnesia", "dir", mnesia, "-s", "ejabberd", "-eval",
				"ejabberd_auth:try_register(<<\"rw\">>, <<\"localhost\">>, <<\"readwrite\">>), "
				"file:write_file(\"ready\", <<>>).",
				NULL});
}

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

/* ejabberd opens its doors before it knows its users. */
static bool broker_knows_users(const struct broker *broker)
{
	char path[BROKER_FILE_BYTES];
	broker_file(broker, path, "ready");
	return broker->options.kind != BROKER_EJABBERD || !access(path, F_OK);
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
	return broker_knows_users(broker);
}

static bool broker_up(struct broker *broker)
{
	char path[BROKER_FILE_BYTES];
	broker_file(broker, path, "socket");
	unlink(path);
	broker_file(broker, path, "ready");
	unlink(path);
	broker->pid = broker_launch(broker);
	broker_check(broker, broker->pid > 0, "fork");
	bool settled = waiting_poll(broker_settled, broker, BROKER_READY_MS);
	broker_check(broker, settled, "the broker does not open its doors");
	return broker->pid > 0;
}

static void broker_make_files(const struct broker *broker)
{
	unsigned tls = 1 << BROKER_TLS | 1 << BROKER_MTLS | 1 << BROKER_WSS;
	if (broker->options.doors & tls || broker->options.kind == BROKER_EJABBERD)
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
	static const char *const programs[] = {"mosquitto", "erl", "nats-server"};
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
	bool installed = broker_installed(programs[options->kind]) &&
			 (options->kind != BROKER_EJABBERD || broker_installed("ejabberdctl"));
	if (!installed) {
		fprintf(stderr, "skipped: '%s' is not installed\n",
			options->kind == BROKER_EJABBERD ? "ejabberd" : programs[options->kind]);
		exit(BROKER_SKIP);
	}
	signal(SIGPIPE, SIG_IGN);
	broker_make_dir(broker);
	broker_make_files(broker);
	for (int i = 0; i < BROKER_TRIES; i++) {
		broker_choose_ports(broker);
		broker_configure(broker);
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
	if (broker->options.kind == BROKER_EJABBERD) {
		options->user_name = "rw@localhost";
		options->password = skiff_text("readwrite");
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
	nftw(broker->dir, broker_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(broker);
}
