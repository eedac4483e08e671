/* SPDX-License-Identifier: Apache-2.0 */
/* broker_internal.h: a broker's folder, doors and processes; broker.c starts and ends it, broker_recipes.c knows how
 * each kind is configured and called. */
#ifndef TESTS_BROKER_INTERNAL_H
#define TESTS_BROKER_INTERNAL_H

#include "support/broker.h"

#include <sys/types.h>

enum { BROKER_PATH_BYTES = 128, BROKER_FILE_BYTES = BROKER_PATH_BYTES + 32, BROKER_OWN_PORTS = 3 };

struct broker {
	struct broker_options options;
	char dir[BROKER_PATH_BYTES];
	char url[BROKER_DOORS][BROKER_FILE_BYTES];
	uint16_t port[BROKER_DOORS];
	uint16_t own_port[BROKER_OWN_PORTS]; /* for other protocols that some speak */
	char ca[BROKER_FILE_BYTES], cert[BROKER_FILE_BYTES], key[BROKER_FILE_BYTES], log[BROKER_FILE_BYTES];
	pid_t pid, helper; /* helper: a second process that some need; 0: none */
};

struct broker_recipe {
	const char *program, *also; /* that must be installed; `also` may be NULL */
	const char *name;           /* of what is not installed */
	bool certificates;          /* needs them also without a TLS door */
	void (*configure)(const struct broker *broker);
	pid_t (*launch)(struct broker *broker);
	const char *user, *password; /* that clients give at every door; NULL: none */
	bool tells_ready;            /* by a file "ready", after its doors are open */
	bool slow;                   /* to start: tens of seconds beside other tests */
};

/* By enum broker_kind. */
extern const struct broker_recipe broker_recipes[];

bool broker_has(const struct broker *broker, enum broker_door door);

/* The path of a file in the broker's folder. */
void broker_file(const struct broker *broker, char path[BROKER_FILE_BYTES], const char *name);

/* Starts a command in the broker's folder, its words appended to the log; -1 when it could not be started. */
pid_t broker_spawn(const struct broker *broker, const char *const argv[]);

/* Aborts with the broker's log unless `ok`. */
void broker_check(const struct broker *broker, bool ok, const char *what);

#endif
