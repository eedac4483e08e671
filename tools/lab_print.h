/* SPDX-License-Identifier: Apache-2.0 */
/* lab_print.h: the table of doors, for people and for scripts. */
#ifndef SKIFF_LAB_PRINT_H
#define SKIFF_LAB_PRINT_H

#include "lab_state.h"
#include <stdio.h>

/* The table, the accounts, and for each door a command to paste. */
void lab_print_table(FILE *out, const struct lab *lab);

/* The same as one line of JSON, schema skiff.lab/1. */
void lab_print_json(FILE *out, const struct lab *lab);

#endif
