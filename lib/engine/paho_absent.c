/* SPDX-License-Identifier: Apache-2.0 */
/* paho_absent.c: stands for the paho_*.c files where the option SKIFF_PAHO leaves them out. */
#include "engine/engine.h"

static const char *paho_library(void)
{
	return "Eclipse Paho MQTT C";
}

const struct skiffi_engine_kind skiffi_paho_kind = {"paho", NULL, paho_library};
