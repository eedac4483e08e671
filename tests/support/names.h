/* SPDX-License-Identifier: Apache-2.0 */
/* names.h: names that only this program knows, so that no test asks a real name server.
 *
 * names.c stands in for getaddrinfo in the whole program, and so for every library that it links:
 *   mosquitto.org      127.0.0.1, at once; also *.mosquitto.org
 *   missing.example    does not exist
 *   slow.example       no answer before names_answer is called
 * Everything else goes to the real one. */
#ifndef TESTS_NAMES_H
#define TESTS_NAMES_H

void names_answer(void); /* slow.example does not exist either, from now on */

#endif
