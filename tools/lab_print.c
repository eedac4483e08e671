/* SPDX-License-Identifier: Apache-2.0 */
/* lab_print.c: prints what the lab offers. */
#include "lab_print.h"
#include "cli_json.h"
#include "cli_text.h"
#include <string.h>

enum { LAB_WORD_BYTES = 4 * (LAB_PATH_BYTES + LAB_URL_BYTES) };

static const char *credentials(const struct lab_door *door)
{
	static const char *const texts[] = {"none", "rw / readwrite", "client.crt, client.key"};

	return texts[door->auth];
}

static void word_print(FILE *out, const char *word)
{
	char text[LAB_WORD_BYTES];

	fwrite(text, 1, cli_shell_word(text, sizeof(text), word), out);
}

static void option_print(FILE *out, const struct lab *lab, const char *option, const char *file)
{
	char path[LAB_PATH_BYTES + 64];

	snprintf(path, sizeof(path), "%s/%s", lab->dir, file);
	fprintf(out, " --%s ", option);
	word_print(out, path);
}

static void command_print(FILE *out, const struct lab *lab, const struct lab_door *door, const char *url)
{
	fputs("  skiff sub -b ", out);
	word_print(out, url);
	fputs(" -t 'demo/#'", out);
	if (door != NULL && door->ca != LAB_CA_NONE)
		option_print(out, lab, "cafile", lab_ca_file(door->ca));
	if (door != NULL && door->auth == LAB_AUTH_CERTIFICATE) {
		option_print(out, lab, "cert", "certs/client.crt");
		option_print(out, lab, "key", "certs/client.key");
	}
	fputc('\n', out);
}

void lab_print_table(FILE *out, const struct lab *lab)
{
	static const char *row = "%-5d %-42s %-34s %-22s %s\n";
	char url[LAB_URL_BYTES];

	fprintf(out, "%-5s %-42s %-34s %-22s %s\n", "DOOR", "URL", "SECURITY", "CREDENTIALS", "EXPECTED");
	for (size_t i = 0; i < LAB_DOORS; i++) {
		const struct lab_door *door = &lab_doors[i];
		lab_door_url(door, lab->host, lab->ports[i], url, sizeof(url));
		fprintf(out, row, door->port, url, door->what, credentials(door), door->expect);
	}
	lab_unix_url(lab, url);
	fprintf(out, "%-5s %-42s %-34s %-22s %s\n\n", "unix", url, "Unix socket, plain", "none", "ok");
	for (size_t i = 0; i < sizeof(lab_accounts) / sizeof(*lab_accounts); i++)
		fprintf(out, "account %s, password %s: %s\n", lab_accounts[i].name, lab_accounts[i].password,
			lab_accounts[i].rights);
	fprintf(out, "files in %s, certificates in %s/certs, the broker's log is %s/mosquitto.log\n\n", lab->dir,
		lab->dir, lab->dir);
	for (size_t i = 0; i < LAB_DOORS; i++) {
		char door_url[LAB_URL_BYTES];
		lab_door_url(&lab_doors[i], lab->host, lab->ports[i], door_url, sizeof(door_url));
		command_print(out, lab, &lab_doors[i], door_url);
	}
	command_print(out, lab, NULL, url);
	fputs("\nuntil ^C\n", out);
}

static void json_file(struct cli_json *json, const struct lab *lab, const char *name, const char *file)
{
	char path[LAB_PATH_BYTES + 64];

	snprintf(path, sizeof(path), "%s/%s", lab->dir, file);
	cli_json_text(json, name, path);
}

static void json_door(struct cli_json *json, const struct lab *lab, size_t index)
{
	const struct lab_door *door = &lab_doors[index];
	bool password = door->auth == LAB_AUTH_PASSWORD;
	char url[LAB_URL_BYTES];

	lab_door_url(door, lab->host, lab->ports[index], url, sizeof(url));
	cli_json_open(json, NULL, '{');
	cli_json_integer(json, "port", door->port);
	cli_json_integer(json, "listens", lab->ports[index]);
	cli_json_text(json, "url", url);
	cli_json_bool(json, "tls", door->ca != LAB_CA_NONE);
	cli_json_bool(json, "websocket", lab_door_is_ws(door));
	cli_json_text(json, "auth", lab_auth_name(door->auth));
	cli_json_text(json, "user", password ? lab_accounts[0].name : NULL);
	cli_json_text(json, "password", password ? lab_accounts[0].password : NULL);
	cli_json_text(json, "ca", lab_ca_name(door->ca));
	cli_json_text(json, "expect", door->expect);
	cli_json_close(json, '}');
}

void lab_print_json(FILE *out, const struct lab *lab)
{
	struct cli_json json = {.out = out};
	char url[LAB_URL_BYTES];

	cli_json_open(&json, NULL, '{');
	cli_json_text(&json, "schema", "skiff.lab/1");
	cli_json_text(&json, "dir", lab->dir);
	json_file(&json, lab, "ca_file", lab_ca_file(LAB_CA_OWN));
	json_file(&json, lab, "web_ca_file", lab_ca_file(LAB_CA_WEB));
	json_file(&json, lab, "cert_file", "certs/client.crt");
	json_file(&json, lab, "key_file", "certs/client.key");
	cli_json_open(&json, "doors", '[');
	for (size_t i = 0; i < LAB_DOORS; i++)
		json_door(&json, lab, i);
	cli_json_close(&json, ']');
	lab_unix_url(lab, url);
	cli_json_text(&json, "unix", url);
	cli_json_close(&json, '}');
	fputc('\n', out);
}
