/* SPDX-License-Identifier: Apache-2.0 */
/* lab_config.c: writes mosquitto's files.
 *
 * What mosquitto wants to be told, and why:
 * - per_listener_settings comes first, or doors with and without a password do not mix;
 * - websockets_headers_size is also how much it sends through a WebSocket each 100 ms: 4 KiB unless said;
 * - started as root it would become another user and lose the folder: `user root`;
 * - a WebSocket listener ignores the address it is given unless the family stands with it: `socket_domain ipv4`;
 * - without `set_tcp_nodelay` a TLS or WebSocket handshake waits 40 ms for a delayed acknowledgement, which would be
 * the largest figure in every comparison of transports here. With it, a client that leaves Nagle's algorithm on gets
 * those 40 ms in every QoS 1 exchange instead: that is then the client's doing;
 * - the socket's path must have no space, and so is relative to the folder that the broker runs in;
 * - the rule that '#' is for the user 'wildcard' is a plugin of the real server's and not replayed. */
#include "lab_config.h"
#include "lab_dir.h"
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SALT_BYTES = 12, HASH_BYTES = 64, ITERATIONS = 101 };

/* One line of the password file: NAME:$7$ITERATIONS$SALT$PBKDF2-HMAC-SHA512, both in base64. */
static bool password_print(FILE *file, const struct lab_account *account)
{
	unsigned char salt[SALT_BYTES], hash[HASH_BYTES], salt_text[SALT_BYTES * 2], hash_text[HASH_BYTES * 2];

	if (RAND_bytes(salt, sizeof(salt)) != 1)
		return false;
	if (PKCS5_PBKDF2_HMAC(
		    account->password, -1, salt, sizeof(salt), ITERATIONS, EVP_sha512(), sizeof(hash), hash) != 1)
		return false;
	EVP_EncodeBlock(salt_text, salt, sizeof(salt));
	EVP_EncodeBlock(hash_text, hash, sizeof(hash));
	fprintf(file, "%s:$7$%d$%s$%s\n", account->name, ITERATIONS, salt_text, hash_text);
	return true;
}

static bool passwords_print(FILE *file, const struct lab *lab)
{
	(void)lab;
	for (size_t i = 0; i < sizeof(lab_accounts) / sizeof(*lab_accounts); i++) {
		if (!password_print(file, &lab_accounts[i]))
			return false;
	}
	return true;
}

static bool rights_print(FILE *file, const struct lab *lab)
{
	(void)lab;
	for (size_t i = 0; i < sizeof(lab_accounts) / sizeof(*lab_accounts); i++)
		fprintf(file, "user %s\n%s", lab_accounts[i].name, lab_accounts[i].acl);
	return true;
}

static void listener_print(FILE *file, const struct lab *lab, size_t index)
{
	const struct lab_door *door = &lab_doors[index];

	fprintf(file, "\n# %d: %s, %s\nlistener %d 127.0.0.1\nsocket_domain ipv4\n", door->port, door->what,
		lab_auth_name(door->auth), lab->ports[index]);
	if (lab_door_is_ws(door))
		fputs("protocol websockets\n", file);
	if (door->certificate != NULL)
		fprintf(file, "certfile %s/%s\nkeyfile %s/%s\n", lab->dir, door->certificate, lab->dir, door->key);
	if (door->auth == LAB_AUTH_CERTIFICATE)
		fprintf(file, "cafile %s/%s\ncrlfile %s/certs/own-ca.crl\nrequire_certificate true\n", lab->dir,
			lab_ca_file(LAB_CA_OWN), lab->dir);
	if (door->auth == LAB_AUTH_PASSWORD)
		fprintf(file, "allow_anonymous false\npassword_file %s/passwords\nacl_file %s/rights\n", lab->dir,
			lab->dir);
	else
		fputs("allow_anonymous true\n", file);
}

static bool conf_print(FILE *file, const struct lab *lab)
{
	fputs("per_listener_settings true\nwebsockets_headers_size 65535\n", file);
	if (geteuid() == 0)
		fputs("user root\n", file);
	fputs("persistence false\nsys_interval 1\nset_tcp_nodelay true\nlog_dest stderr\n"
	      "log_type error\nlog_type warning\nlog_type notice\nlog_type information\n",
		file);
	for (size_t i = 0; i < LAB_DOORS; i++)
		listener_print(file, lab, i);
	if (!lab->relay)
		fputs("\nlistener 0 mqtt.sock\nallow_anonymous true\n", file);
	return true;
}

/* Composes a file in memory by `print` and writes it. */
static bool file_write(struct lab *lab, const char *name, bool (*print)(FILE *, const struct lab *))
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	bool printed = memory != NULL && print(memory, lab);

	if (memory != NULL && fclose(memory) != 0)
		printed = false;
	bool written = printed ? lab_dir_write(lab, name, text) : lab_fail(lab, "cannot compose '%s'", name);
	free(text);
	return written;
}

bool lab_config_write(struct lab *lab)
{
	return file_write(lab, "passwords", passwords_print) && file_write(lab, "rights", rights_print) &&
	       file_write(lab, "mosquitto.conf", conf_print);
}
