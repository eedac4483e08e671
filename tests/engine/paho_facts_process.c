/* SPDX-License-Identifier: Apache-2.0 */
/* paho_facts_process.c: what Paho by itself does to, and takes from, the process it is in: signals, the terminal, the
 * environment. Above each fact stands what of the engine relies on it.
 *
 * Where a process of its own is needed, this program runs itself: "PROGRAM URL [CA CERTIFICATE KEY]" connects. */
#include "support/bare_paho.h"

#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH = 256, OUTPUT = 4096 };

extern char **environ;

/* ---- the process of its own ---- */

/* Connects, and stays until it is ended. */
static int child(int argc, char **argv)
{
	MQTTAsync handle;
	MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
	MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (MQTTAsync_create(&handle, argv[1], "child", MQTTCLIENT_PERSISTENCE_NONE, NULL))
		return 1;
	if (argc == 5) {
		tls.trustStore = argv[2];
		tls.keyStore = argv[3];
		tls.privateKey = argv[4];
	}
	options.ssl = &tls; /* looked at where the URL says so only */
	if (MQTTAsync_connect(handle, &options))
		return 1;
	for (;;)
		pause();
}

static void child_end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- signals ---- */

/* paho_worker.c: worker_keep_paho puts SIGPIPE back as it was. */
static void first_handle_ignores_sigpipe_for_the_process(void **state)
{
	struct sigaction now;
	MQTTAsync handle;
	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(MQTTAsync_create(&handle, "tcp://127.0.0.1:1", "b", MQTTCLIENT_PERSISTENCE_NONE, NULL), 0);
	sigaction(SIGPIPE, NULL, &now);
	assert_ptr_equal(now.sa_handler, SIG_IGN);
	MQTTAsync_destroy(&handle);
}

/* paho_worker.c: only the first handle does so, so that once is enough. */
static void further_handles_leave_sigpipe_alone(void **state)
{
	struct sigaction now;
	MQTTAsync first, second;
	(void)state;
	assert_int_equal(MQTTAsync_create(&first, "tcp://127.0.0.1:1", "b", MQTTCLIENT_PERSISTENCE_NONE, NULL), 0);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(MQTTAsync_create(&second, "tcp://127.0.0.1:1", "c", MQTTCLIENT_PERSISTENCE_NONE, NULL), 0);
	sigaction(SIGPIPE, NULL, &now);
	assert_ptr_equal(now.sa_handler, SIG_DFL);
	MQTTAsync_destroy(&second);
	MQTTAsync_destroy(&first);
}

/* ---- the environment ---- */

struct door {
	char first[256]; /* what came first */
	struct waiting_count asked;
};

static void note(struct net_peer *peer, void *user)
{
	struct door *door = user;
	char buffer[256];
	size_t got = net_peer_read(peer, buffer, sizeof buffer - 1);
	memcpy(door->first, buffer, got);
	door->first[got] = '\0';
	waiting_add(&door->asked);
	while (net_peer_read(peer, buffer, sizeof buffer))
		;
}

static pid_t child_start(const char *url, const char *variable)
{
	char *argv[] = {(char *)"paho_facts_process", (char *)url, NULL};
	char **env;
	size_t count = 0;
	pid_t pid;
	while (environ[count])
		count++;
	env = calloc(count + 2, sizeof *env);
	env[0] = (char *)variable;
	memcpy(env + 1, environ, count * sizeof *env);
	assert_int_equal(posix_spawn(&pid, "/proc/self/exe", NULL, NULL, argv, env), 0);
	free(env);
	return pid;
}

/* What the broker's door sees of a connection by `scheme` while `name` names another door; 0: it went through that. */
static char first_byte(const char *scheme, const char *name)
{
	struct door proxy = {0}, broker = {0};
	struct net_listener *at_proxy = net_listener_start(&(struct net_options){.script = note, .user = &proxy});
	struct net_listener *at_broker = net_listener_start(&(struct net_options){.script = note, .user = &broker});
	bool through = !strcmp(name, strcmp(scheme, "ssl") ? "http_proxy" : "https_proxy");
	char url[64], variable[64], expected[64];
	snprintf(url, sizeof url, "%s://127.0.0.1:%u", scheme, net_listener_port(at_broker));
	snprintf(variable, sizeof variable, "%s=http://127.0.0.1:%u", name, net_listener_port(at_proxy));
	snprintf(expected, sizeof expected, "CONNECT 127.0.0.1:%u HTTP/1.1\r\n", net_listener_port(at_broker));
	if (!strcmp(name, "https_proxy")) /* whose prefix is another */
		snprintf(variable, sizeof variable, "%s=https://127.0.0.1:%u", name, net_listener_port(at_proxy));
	pid_t pid = child_start(url, variable);
	assert_true(bare_reach(through ? &proxy.asked : &broker.asked, 1));
	child_end(pid);
	net_listener_stop(at_proxy);
	net_listener_stop(at_broker);
	if (through)
		assert_int_equal(strncmp(proxy.first, expected, strlen(expected)), 0);
	assert_int_equal(waiting_value(&proxy.asked) + waiting_value(&broker.asked), 1);
	return broker.first[0];
}

/* paho_options.c: options_no_proxy refuses to run with the variable set that counts for the scheme. */
static void proxies_of_the_environment_are_used_for_mqtt(void **state)
{
	(void)state;
	assert_int_equal(first_byte("tcp", "http_proxy"), 0);
	assert_int_equal(first_byte("ssl", "https_proxy"), 0);
}

/* The same. */
static void proxy_of_the_other_kind_does_not_count(void **state)
{
	(void)state;
	assert_int_equal(first_byte("tcp", "https_proxy"), 0x10); /* CONNECT of MQTT */
	assert_int_equal(first_byte("ssl", "http_proxy"), 0x16);  /* a TLS handshake */
}

/* ---- the terminal ---- */

static char certs_dir[] = "/tmp/skiff-facts.XXXXXX";

static const char *in_dir(char *out, const char *name)
{
	snprintf(out, PATH, "%s/%s", certs_dir, name);
	return out;
}

static void wait_for_end(struct net_peer *peer, void *user)
{
	char byte;
	(void)user;
	net_peer_read(peer, &byte, 1);
}

/* What appears on the terminal, until `wanted` does or nothing more comes. */
static void terminal_read(int terminal, const char *wanted, char output[OUTPUT])
{
	size_t len = 0;
	struct pollfd ready = {.fd = terminal, .events = POLLIN};
	output[0] = '\0';
	while (!strstr(output, wanted) && len + 1 < OUTPUT && poll(&ready, 1, BARE_MS) > 0) {
		ssize_t got = read(terminal, output + len, OUTPUT - 1 - len);
		if (got <= 0)
			return;
		len += (size_t)got;
		output[len] = '\0';
	}
}

/* paho_options.c: our own TLS reads the key first, and what it lacks is told. */
static void encrypted_key_without_password_asks_on_the_terminal(void **state)
{
	char ca[PATH], crt[PATH], key[PATH], far_crt[PATH], far_key[PATH], url[64], output[OUTPUT];
	int terminal;
	(void)state;
	struct net_listener *listener = net_listener_start(&(struct net_options){.kind = NET_TLS,
		.script = wait_for_end,
		.cert_file = in_dir(far_crt, "good.crt"),
		.key_file = in_dir(far_key, "good.key")});
	snprintf(url, sizeof url, "ssl://127.0.0.1:%u", net_listener_port(listener));
	in_dir(ca, "own-ca.crt");
	in_dir(crt, "client-enc.crt");
	in_dir(key, "client-enc.key");
	pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
	if (!pid) {
		execl("/proc/self/exe", "paho_facts_process", url, ca, crt, key, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	terminal_read(terminal, "Enter PEM pass phrase", output);
	child_end(pid);
	close(terminal);
	net_listener_stop(listener);
	assert_non_null(strstr(output, "Enter PEM pass phrase"));
}

static int start(void **state)
{
	char command[512];
	(void)state;
	if (!mkdtemp(certs_dir))
		return -1;
	snprintf(command, sizeof command, "sh '%s' '%s'", TESTS_CERTS, certs_dir);
	return system(command);
}

static int end(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -r '%s'", certs_dir);
	return system(command);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_handle_ignores_sigpipe_for_the_process),
		cmocka_unit_test(further_handles_leave_sigpipe_alone),
		cmocka_unit_test(proxies_of_the_environment_are_used_for_mqtt),
		cmocka_unit_test(proxy_of_the_other_kind_does_not_count),
		cmocka_unit_test(encrypted_key_without_password_asks_on_the_terminal),
	};
	if (argc > 1)
		return child(argc, argv);
	return cmocka_run_group_tests_name("paho_facts_process", tests, start, end);
}
