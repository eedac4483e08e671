/* SPDX-License-Identifier: Apache-2.0 */
/* lab_doors.c: what stands behind each port. 8091 is by the own CA: the real server does not say which it is. */
#include "lab_doors.h"
#include <stdio.h>
#include <string.h>

#define BY_OWN LAB_CA_OWN, "certs/server.crt", "certs/server.key"
#define BY_WEB LAB_CA_WEB, "certs/web.crt", "certs/web.key"
#define LAPSED LAB_CA_OWN, "certs/expired.crt", "certs/expired.key"
#define NO_TLS LAB_CA_NONE, NULL, NULL

/* clang-format off */
const struct lab_door lab_doors[LAB_DOORS] = {
	{ 1883, "mqtt",  LAB_AUTH_NONE,        NO_TLS, "ok",          "plain" },
	{ 1884, "mqtt",  LAB_AUTH_PASSWORD,    NO_TLS, "ok",          "plain" },
	{ 8883, "mqtts", LAB_AUTH_NONE,        BY_OWN, "ok",          "TLS, own CA" },
	{ 8884, "mqtts", LAB_AUTH_CERTIFICATE, BY_OWN, "ok",          "TLS, own CA, client certificate" },
	{ 8885, "mqtts", LAB_AUTH_PASSWORD,    BY_OWN, "ok",          "TLS, own CA" },
	{ 8886, "mqtts", LAB_AUTH_NONE,        BY_WEB, "ok",          "TLS, public-style chain" },
	{ 8887, "mqtts", LAB_AUTH_NONE,        LAPSED, "tls-expired", "TLS, expired certificate" },
	{ 8080, "ws",    LAB_AUTH_NONE,        NO_TLS, "ok",          "WebSocket, plain" },
	{ 8081, "wss",   LAB_AUTH_NONE,        BY_WEB, "ok",          "WebSocket, TLS, public-style chain" },
	{ 8090, "ws",    LAB_AUTH_PASSWORD,    NO_TLS, "ok",          "WebSocket, plain" },
	{ 8091, "wss",   LAB_AUTH_PASSWORD,    BY_OWN, "ok",          "WebSocket, TLS, own CA" },
};

const struct lab_account lab_accounts[3] = {
	{ "rw", "readwrite", "reads and writes", "topic readwrite #\ntopic read $SYS/#\n" },
	{ "ro", "readonly",  "reads",            "topic read #\ntopic read $SYS/#\n" },
	{ "wo", "writeonly", "writes",           "topic write #\n" },
};
/* clang-format on */

bool lab_door_is_ws(const struct lab_door *door)
{
	return strncmp(door->scheme, "ws", 2) == 0;
}

void lab_door_url(const struct lab_door *door, const char *host, int port, char *url, size_t size)
{
	const struct lab_account *account = &lab_accounts[0];
	char user[64] = "";

	if (door->auth == LAB_AUTH_PASSWORD)
		snprintf(user, sizeof(user), "%s:%s@", account->name, account->password);
	snprintf(url, size, "%s://%s%s:%d%s", door->scheme, user, host, port, lab_door_is_ws(door) ? "/mqtt" : "");
}

const char *lab_auth_name(enum lab_auth auth)
{
	static const char *const names[] = {"none", "password", "certificate"};

	return names[auth];
}

const char *lab_ca_name(enum lab_ca ca)
{
	static const char *const names[] = {NULL, "own", "web"};

	return names[ca];
}

const char *lab_ca_file(enum lab_ca ca)
{
	static const char *const files[] = {NULL, "certs/own-ca.crt", "certs/web-root.crt"};

	return files[ca];
}
