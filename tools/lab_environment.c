/* SPDX-License-Identifier: Apache-2.0 */
/* lab_environment.c: sets the variables. */
#include "lab_environment.h"
#include <stdio.h>
#include <stdlib.h>

static bool variable_set(struct lab *lab, const char *name, const char *value)
{
	return setenv(name, value, 1) == 0 || lab_fail(lab, "cannot set '%s': no memory", name);
}

static bool variable_set_path(struct lab *lab, const char *name, const char *file)
{
	char path[LAB_PATH_BYTES];

	return lab_path(lab, path, file) && variable_set(lab, name, path);
}

static bool variable_set_url(struct lab *lab, size_t index)
{
	char name[32], url[LAB_URL_BYTES];

	snprintf(name, sizeof(name), "SKIFF_LAB_URL_%d", lab_doors[index].port);
	lab_door_url(&lab_doors[index], lab->host, lab->ports[index], url, sizeof(url));
	return variable_set(lab, name, url);
}

bool lab_environment_set(struct lab *lab)
{
	char url[LAB_URL_BYTES];

	lab_unix_url(lab, url);
	if (!variable_set(lab, "SKIFF_LAB_DIR", lab->dir) || !variable_set(lab, "SKIFF_LAB_UNIX", url) ||
		!variable_set_path(lab, "SKIFF_LAB_CA", lab_ca_file(LAB_CA_OWN)) ||
		!variable_set_path(lab, "SKIFF_LAB_WEB_CA", lab_ca_file(LAB_CA_WEB)) ||
		!variable_set_path(lab, "SKIFF_LAB_CERT", "certs/client.crt") ||
		!variable_set_path(lab, "SKIFF_LAB_KEY", "certs/client.key"))
		return false;
	for (size_t i = 0; i < LAB_DOORS; i++) {
		if (!variable_set_url(lab, i))
			return false;
	}
	return lab->as == NULL || variable_set_path(lab, "SSL_CERT_FILE", lab_ca_file(LAB_CA_WEB));
}
