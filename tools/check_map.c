/* SPDX-License-Identifier: Apache-2.0 */
/* check_map.c: tries each port, first as MQTT and MQTT over TLS, then what is open and neither as WebSocket at the
 * usual paths. Nothing is told to any of them but a random client id. */
#include "check_map.h"
#include "check_knock.h"
#include "cli_json.h"
#include "cli_text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAP_AT_A_TIME = 4, MAP_PATHS = 3, MAP_MOST_MS = 3000 };

static const int map_usual[] = {1883, 8883, 1884, 8884, 8885, 8886, 8080, 8081, 8083, 8084, 8090, 8091, 80, 443, 9001};
static const char *const map_paths[MAP_PATHS] = {"/mqtt", "/", "/ws"};

enum map_state { MAP_CLOSED, MAP_SILENT, MAP_OTHER, MAP_HTTP, MAP_OPEN };

static const char *const map_states[] = {"closed", "silent", "other", "http", "open"};

struct map_door {
	int port;
	enum map_state state;
	bool tls;
	char url[CHECK_URL_BYTES]; /* MAP_OPEN */
	char wants[64];
	char text[CHECK_TEXT_BYTES]; /* the certificate's subject, or what was said instead */
};

/* ---- the option ---- */

static bool ports_add(struct check_ports *ports, long first, long last)
{
	if (first < 1 || last > 65535 || first > last || (size_t)(last - first) >= CHECK_PORTS_MAX - ports->count)
		return false;
	for (long port = first; port <= last; port++)
		ports->list[ports->count++] = (int)port;
	return true;
}

int check_ports_take(void *field, char **words, int count, char *why, size_t size)
{
	struct check_ports *ports = field;
	(void)count;
	ports->count = 0;
	for (char *at = words[0];;) {
		char *end;
		long first = strtol(at, &end, 10), last = first;
		bool ok = end != at;
		if (ok && *end == '-') {
			at = end + 1;
			last = strtol(at, &end, 10);
			ok = end != at;
		}
		if (!ok || (*end && *end != ',') || !ports_add(ports, first, last)) {
			snprintf(why, size, "'%s' is not a list of up to %d ports such as 1883,8080-8084", words[0],
				CHECK_PORTS_MAX);
			return -1;
		}
		if (!*end)
			return 1;
		at = end + 1;
	}
}

/* ---- looking ---- */

static void door_take(struct map_door *door, const struct check_knock *knock)
{
	door->state = MAP_OPEN;
	snprintf(door->url, sizeof(door->url), "%s", knock->url);
	snprintf(door->wants, sizeof(door->wants), "%s", check_knock_wants(knock));
}

static void door_read_chain(struct map_door *door, const struct check_knock *knock)
{
	const struct check_certificate *leaf = &knock->chain.list[0];
	if (!knock->chain.count)
		return;
	door->tls = true;
	snprintf(door->text, sizeof(door->text), "\"%.200s\", %s %.10s", *leaf->names ? leaf->names : leaf->subject,
		leaf->days_left < 0 ? "EXPIRED on" : "until", leaf->not_after);
}

/* What the first look shows. */
static void door_judge(struct map_door *door, const struct check_knock *plain, const struct check_knock *tls)
{
	door_read_chain(door, tls);
	bool connected = plain->connection.phases.tcp_us >= 0 || tls->connection.phases.tcp_us >= 0;
	if (check_knock_opens(tls))
		door_take(door, tls);
	else if (!door->tls && check_knock_opens(plain))
		door_take(door, plain);
	else if (!connected)
		door->state = plain->error.code == SKIFF_TCP_TIMEOUT ? MAP_SILENT : MAP_CLOSED;
	else
		door->state = MAP_OTHER;
	if (door->state == MAP_CLOSED || door->state == MAP_SILENT)
		snprintf(door->text, sizeof(door->text), "%s", skiff_code_text(plain->error.code));
	else if (door->state == MAP_OTHER && !door->tls)
		snprintf(door->text, sizeof(door->text), "%s", plain->error.text);
}

/* What the second one shows, at one path. */
static void door_judge_ws(struct map_door *door, const struct check_knock *knock)
{
	if (door->state == MAP_OPEN)
		return;
	if (check_knock_opens(knock)) {
		door_take(door, knock);
		if (!door->tls)
			door->text[0] = '\0';
	} else if (knock->connection.http_status > 0) {
		door->state = MAP_HTTP;
		snprintf(door->text, sizeof(door->text), "a web server without WebSocket at /mqtt, / and /ws");
	}
}

static void knock_set(struct check_knock *knock, const char *scheme, const char *host, int port, const char *path,
	int ip_version, int timeout_ms)
{
	*knock = (struct check_knock){.ip_version = ip_version, .timeout_ms = timeout_ms};
	check_knock_url(knock->url, scheme, host, port, path);
}

static void map_look(struct map_door *doors, size_t count, const char *host, int ip_version, int timeout_ms)
{
	struct check_knock knocks[2 * MAP_AT_A_TIME];
	for (size_t i = 0; i < count; i++) {
		knock_set(&knocks[2 * i], "mqtt", host, doors[i].port, "", ip_version, timeout_ms);
		knock_set(&knocks[2 * i + 1], "mqtts", host, doors[i].port, "", ip_version, timeout_ms);
	}
	check_knock(knocks, 2 * count);
	for (size_t i = 0; i < count; i++)
		door_judge(&doors[i], &knocks[2 * i], &knocks[2 * i + 1]);
}

static void map_look_ws(struct map_door *doors, size_t count, const char *host, int ip_version, int timeout_ms)
{
	struct check_knock knocks[MAP_AT_A_TIME * MAP_PATHS];
	struct map_door *whose[MAP_AT_A_TIME * MAP_PATHS];
	size_t used = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t path = 0; path < MAP_PATHS && doors[i].state == MAP_OTHER; path++) {
			knock_set(&knocks[used], doors[i].tls ? "wss" : "ws", host, doors[i].port, map_paths[path],
				ip_version, timeout_ms);
			whose[used++] = &doors[i];
		}
	}
	check_knock(knocks, used);
	for (size_t i = 0; i < used; i++)
		door_judge_ws(whose[i], &knocks[i]);
}

/* ---- printing ---- */

static void map_print_door(const struct map_door *door)
{
	char text[CHECK_TEXT_BYTES * CLI_ESCAPE_FACTOR];
	size_t len = cli_escape(text, door->text, strlen(door->text), "");
	printf("  %-6d %-7s ", door->port, map_states[door->state]);
	if (door->state == MAP_OPEN)
		printf("%s%s%s%s", door->url, *door->wants ? ", wants " : "", door->wants, len ? ", " : "");
	fwrite(text, 1, len, stdout);
	putchar('\n');
}

static void map_print_json(
	const char *host, const struct map_door *doors, size_t count, int exit_code, const char *error)
{
	struct cli_json json = {.out = stdout};
	cli_json_open(&json, NULL, '{');
	cli_json_text(&json, "schema", "skiff.map/1");
	cli_json_text(&json, "host", host);
	cli_json_integer(&json, "exit", exit_code);
	cli_json_text(&json, "error", error);
	cli_json_open(&json, "doors", '[');
	for (size_t i = 0; i < count; i++) {
		const struct map_door *door = &doors[i];
		cli_json_open(&json, NULL, '{');
		cli_json_integer(&json, "port", door->port);
		cli_json_text(&json, "state", map_states[door->state]);
		cli_json_bool(&json, "tls", door->tls);
		cli_json_text(&json, "url", *door->url ? door->url : NULL);
		cli_json_text(&json, "wants", *door->wants ? door->wants : NULL);
		cli_json_text(&json, "text", *door->text ? door->text : NULL);
		cli_json_close(&json, '}');
	}
	cli_json_close(&json, ']');
	cli_json_close(&json, '}');
	putchar('\n');
}

static void map_print(const char *host, const struct map_door *doors, size_t count, bool some)
{
	printf("%s\n\n  PORT   STATE   WHAT\n", host);
	for (size_t i = 0; i < count; i++)
		map_print_door(&doors[i]);
	if (!some) {
		printf("\nNone of these ports speaks MQTT; others go with '--ports'.\n");
		return;
	}
	printf("\nCheck one of them in full:\n");
	for (size_t i = 0; i < count; i++)
		if (doors[i].state == MAP_OPEN)
			printf("  skiff check %s\n", doors[i].url);
}

/* ---- the whole ---- */

static void map_look_all(
	struct map_door *doors, const int *ports, size_t count, const char *host, int ip_version, int timeout_ms)
{
	for (size_t i = 0; i < count; i++)
		doors[i].port = ports[i];
	for (size_t i = 0; i < count; i += MAP_AT_A_TIME) {
		size_t some = count - i < MAP_AT_A_TIME ? count - i : MAP_AT_A_TIME;
		map_look(&doors[i], some, host, ip_version, timeout_ms);
		map_look_ws(&doors[i], some, host, ip_version, timeout_ms);
	}
}

/* A name that is none is said once, not for each port. */
static bool map_resolves(
	const struct cli_context *context, const char *host, int ip_version, int timeout_ms, bool json, int *code)
{
	struct check_knock knock;
	knock_set(&knock, "mqtt", host, map_usual[0], "", ip_version, timeout_ms);
	check_knock(&knock, 1);
	enum skiff_class class_ = skiff_code_class(knock.error.code);
	if (class_ != SKIFF_CLASS_DNS && class_ != SKIFF_CLASS_USAGE)
		return true;
	*code = cli_exit_for(knock.error.code);
	if (json)
		map_print_json(host, NULL, 0, *code, knock.error.text);
	else
		cli_say(context, "%s", knock.error.text);
	return false;
}

bool check_map_resolves(const struct cli_context *context, const char *host, int ip_version, int timeout_ms, int *code)
{
	return map_resolves(context, host, ip_version, timeout_ms, false, code);
}

size_t check_map_urls(
	const char *host, int ip_version, bool locked_too, int timeout_ms, char urls[][CHECK_URL_BYTES], size_t max)
{
	enum { USUAL = sizeof(map_usual) / sizeof(*map_usual) };
	static struct map_door doors[USUAL];
	size_t count = 0;
	map_look_all(doors, map_usual, USUAL, host, ip_version, timeout_ms);
	for (size_t i = 0; i < USUAL && count < max; i++)
		if (doors[i].state == MAP_OPEN && (locked_too || !*doors[i].wants))
			memcpy(urls[count++], doors[i].url, CHECK_URL_BYTES);
	return count;
}

int check_map(const struct cli_context *context, const char *host, const struct check_ports *ports, int ip_version,
	const struct check_settings *settings, bool json)
{
	static struct map_door doors[CHECK_PORTS_MAX];
	size_t usual = sizeof(map_usual) / sizeof(*map_usual), count = ports->count ? ports->count : usual;
	const int *list = ports->count ? ports->list : map_usual;
	/* each port is looked at twice at most, a few at a time */
	double share_ms = settings->deadline_ms / (2 * (double)((count + MAP_AT_A_TIME - 1) / MAP_AT_A_TIME));
	double least_ms = share_ms < settings->timeout_ms ? share_ms : settings->timeout_ms;
	int timeout_ms = least_ms < MAP_MOST_MS ? (int)least_ms + 1 : MAP_MOST_MS;
	int code = CLI_EXIT_TCP;
	bool some = false;
	if (!map_resolves(context, host, ip_version, timeout_ms, json, &code))
		return code;
	map_look_all(doors, list, count, host, ip_version, timeout_ms);
	for (size_t i = 0; i < count; i++)
		some |= doors[i].state == MAP_OPEN;
	code = some ? CLI_EXIT_OK : CLI_EXIT_TCP;
	if (json)
		map_print_json(host, doors, count, code, NULL);
	else
		map_print(host, doors, count, some);
	return code;
}
