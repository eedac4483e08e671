/* SPDX-License-Identifier: Apache-2.0 */
/* broker_recipes.c: how each kind of broker is configured and called, so that it stays in its folder, on its ports and
 * on loopback. */
#include "support/broker_internal.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The script of this name in PATH would change user and folder. */
#define RABBITMQ "/usr/lib/rabbitmq/bin/rabbitmq-server"

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

/* ---- mosquitto ---- */

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

static pid_t mosquitto_launch(struct broker *broker)
{
	return broker_spawn(broker, (const char *const[]){"mosquitto", "-c", "conf", NULL});
}

/* ---- ejabberd ---- */

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

static pid_t ejabberd_launch(struct broker *broker)
{
	char mnesia[BROKER_FILE_BYTES + 8];
	snprintf(mnesia, sizeof mnesia, "\"%s/mnesia\"", broker->dir);
	ejabberd_environment(broker);
	return broker_spawn(
		broker, (const char *const[]){"erl", "-noinput", "-noshell", "+S", "2:2", "+sbwt", "none", "+sbwtdcpu",
				"none", "+sbwtdio", "none", "-mnesia", "dir", mnesia, "-s", "ejabberd", "-eval",
				"ejabberd_auth:try_register(<<\"rw\">>, <<\"localhost\">>, <<\"readwrite\">>), "
				"file:write_file(\"ready\", <<>>).",
				NULL});
}

/* ---- nats-server ---- */

static void nats_configure(const struct broker *broker)
{
	struct conf conf;
	conf_open(&conf, broker, "conf");
	conf_line(&conf, "server_name: lab\nlisten: \"127.0.0.1:%u\"", broker->own_port[0]);
	conf_line(&conf, "jetstream { store_dir: \"%s/js\", max_mem: 64MB, max_file: 64MB }", broker->dir);
	conf_line(&conf, "mqtt { listen: \"127.0.0.1:%u\" }", broker->port[BROKER_TCP]);
	conf_close(&conf);
}

static pid_t nats_launch(struct broker *broker)
{
	return broker_spawn(broker, (const char *const[]){"nats-server", "-c", "conf", NULL});
}

/* ---- RabbitMQ ---- */

static void rabbitmq_configure(const struct broker *broker)
{
	struct conf conf;
	conf_open(&conf, broker, "plugins");
	conf_line(&conf, "[rabbitmq_mqtt,rabbitmq_web_mqtt].");
	conf_close(&conf);
	conf_open(&conf, broker, "rabbitmq.conf");
	conf_line(&conf, "listeners.tcp.1 = 127.0.0.1:%u\nloopback_users = none", broker->own_port[0]);
	conf_line(&conf, "log.console = true\nlog.console.level = warning\nlog.file = false");
	conf_line(&conf, "mqtt.allow_anonymous = true\nmqtt.default_user = guest\nmqtt.default_pass = guest");
	conf_line(&conf, "mqtt.listeners.tcp.1 = 127.0.0.1:%u", broker->port[BROKER_TCP]);
	conf_line(&conf, "mqtt.listeners.ssl.1 = 127.0.0.1:%u", broker->port[BROKER_TLS]);
	conf_line(&conf, "web_mqtt.tcp.ip = 127.0.0.1\nweb_mqtt.tcp.port = %u", broker->port[BROKER_WS]);
	conf_line(&conf, "web_mqtt.ws_path = /mqtt\nweb_mqtt.ssl.ip = 127.0.0.1");
	conf_line(&conf, "web_mqtt.ssl.port = %u", broker->port[BROKER_WSS]);
	for (int i = 0; i < 2; i++) {
		const char *whose = i ? "web_mqtt.ssl" : "ssl_options";
		conf_line(&conf, "%s.cacertfile = %s\n%s.certfile = %s/certs/server.crt", whose, broker->ca, whose,
			broker->dir);
		conf_line(&conf, "%s.keyfile = %s/certs/server.key", whose, broker->dir);
	}
	conf_close(&conf);
}

/* A path in the broker's folder for its environment. */
static void rabbitmq_set(const struct broker *broker, const char *name, const char *file)
{
	char path[BROKER_FILE_BYTES];
	broker_file(broker, path, file);
	setenv(name, path, 1);
}

/* Its nodes find each other by a process of Erlang's, which it would leave behind: that one is ours, too. */
static pid_t rabbitmq_launch(struct broker *broker)
{
	char node[64], dist[16], finder[16];
	snprintf(node, sizeof node, "skiff%u@localhost", broker->port[BROKER_TCP]);
	snprintf(dist, sizeof dist, "%u", broker->own_port[1]);
	snprintf(finder, sizeof finder, "%u", broker->own_port[2]);
	setenv("HOME", broker->dir, 1);
	rabbitmq_set(broker, "RABBITMQ_CONFIG_FILE", "rabbitmq");
	rabbitmq_set(broker, "RABBITMQ_MNESIA_BASE", "mnesia");
	rabbitmq_set(broker, "RABBITMQ_LOG_BASE", "logs");
	rabbitmq_set(broker, "RABBITMQ_ENABLED_PLUGINS_FILE", "plugins");
	setenv("RABBITMQ_CONF_ENV_FILE", "/dev/null", 1);
	setenv("RABBITMQ_NODENAME", node, 1);
	setenv("RABBITMQ_DIST_PORT", dist, 1);
	setenv("ERL_EPMD_PORT", finder, 1);
	setenv("ERL_EPMD_ADDRESS", "127.0.0.1", 1);
	setenv("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
		"+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}", 1);
	setenv("RUNNING_UNDER_SYSTEMD", "true", 1); /* the script becomes the broker, instead of waiting for it */
	if (!broker->helper)
		broker->helper = broker_spawn(broker, (const char *const[]){"epmd", NULL});
	broker_check(broker, broker->helper > 0, "epmd");
	return broker_spawn(broker, (const char *const[]){RABBITMQ, NULL});
}

/* ---- aedes ---- */

static void aedes_configure(const struct broker *broker)
{
	(void)broker;
}

static pid_t aedes_launch(struct broker *broker)
{
	char ports[4][16];
	const enum broker_door doors[] = {BROKER_TCP, BROKER_TLS, BROKER_WS, BROKER_WSS};
	for (int i = 0; i < 4; i++)
		snprintf(ports[i], sizeof ports[i], "%u", broker->port[doors[i]]);
	return broker_spawn(broker, (const char *const[]){"node", TESTS_AEDES, "certs/server.crt", "certs/server.key",
					    ports[0], ports[1], ports[2], ports[3], NULL});
}

/* clang-format off */
const struct broker_recipe broker_recipes[] = {
	[BROKER_MOSQUITTO] = {.program = "mosquitto", .name = "mosquitto", .configure = mosquitto_configure,
		.launch = mosquitto_launch},
	[BROKER_EJABBERD] = {.program = "erl", .also = "ejabberdctl", .name = "ejabberd", .certificates = true,
		.configure = ejabberd_configure, .launch = ejabberd_launch, .user = "rw@localhost",
		.password = "readwrite", .tells_ready = true},
	[BROKER_NATS] = {.program = "nats-server", .name = "nats-server", .configure = nats_configure,
		.launch = nats_launch},
	[BROKER_RABBITMQ] = {.program = "epmd", .also = RABBITMQ, .name = "rabbitmq-server", .certificates = true,
		.configure = rabbitmq_configure, .launch = rabbitmq_launch, .slow = true},
	[BROKER_AEDES] = {.program = "node", .also = TESTS_AEDES_MODULE, .name = "aedes, which npm brings,",
		.certificates = true, .configure = aedes_configure, .launch = aedes_launch},
};
/* clang-format on */
