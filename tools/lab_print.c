/* SPDX-License-Identifier: Apache-2.0 */
/* lab_print.c: prints what the lab offers. */
#include "lab_print.h"
#include <string.h>

static const char *credentials(const struct lab_door *door)
{
	static const char *const texts[] = {"none", "rw / readwrite", "client.crt, client.key"};

	return texts[door->auth];
}

/* A word for a shell: in quotes unless it is plain. */
static void word_print(FILE *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/:@+,=";

	if (strspn(word, plain) == strlen(word)) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
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

static void json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void json_member(FILE *out, const char *name, const char *text)
{
	fprintf(out, ",\"%s\":", name);
	if (text == NULL)
		fputs("null", out);
	else
		json_string(out, text);
}

static void json_file(FILE *out, const struct lab *lab, const char *name, const char *file)
{
	char path[LAB_PATH_BYTES + 64];

	snprintf(path, sizeof(path), "%s/%s", lab->dir, file);
	json_member(out, name, path);
}

static void json_door(FILE *out, const struct lab *lab, size_t index)
{
	const struct lab_door *door = &lab_doors[index];
	bool password = door->auth == LAB_AUTH_PASSWORD;
	char url[LAB_URL_BYTES];

	lab_door_url(door, lab->host, lab->ports[index], url, sizeof(url));
	fprintf(out, "%s{\"port\":%d,\"listens\":%d", index > 0 ? "," : "", door->port, lab->ports[index]);
	json_member(out, "url", url);
	fprintf(out, ",\"tls\":%s,\"websocket\":%s", door->ca != LAB_CA_NONE ? "true" : "false",
		lab_door_is_ws(door) ? "true" : "false");
	json_member(out, "auth", lab_auth_name(door->auth));
	json_member(out, "user", password ? lab_accounts[0].name : NULL);
	json_member(out, "password", password ? lab_accounts[0].password : NULL);
	json_member(out, "ca", lab_ca_name(door->ca));
	json_member(out, "expect", door->expect);
	fputc('}', out);
}

void lab_print_json(FILE *out, const struct lab *lab)
{
	char url[LAB_URL_BYTES];

	fputs("{\"schema\":\"skiff.lab/1\"", out);
	json_member(out, "dir", lab->dir);
	json_file(out, lab, "ca_file", lab_ca_file(LAB_CA_OWN));
	json_file(out, lab, "web_ca_file", lab_ca_file(LAB_CA_WEB));
	json_file(out, lab, "cert_file", "certs/client.crt");
	json_file(out, lab, "key_file", "certs/client.key");
	fputs(",\"doors\":[", out);
	for (size_t i = 0; i < LAB_DOORS; i++)
		json_door(out, lab, i);
	fputs("]", out);
	lab_unix_url(lab, url);
	json_member(out, "unix", url);
	fputs("}\n", out);
}
