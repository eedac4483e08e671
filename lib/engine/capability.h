/* SPDX-License-Identifier: Apache-2.0 */
/* capability.h: the capability sets of the engines, and the refusal of what a set lacks. */
#ifndef SKIFFI_CAPABILITY_H
#define SKIFFI_CAPABILITY_H

#include "engine/engine.h"
#include <skiff/engine.h>

/* Whether everything that the configuration asks for is in the engine's set; else false with `*error`, which names the
 * option and the engine. */
bool skiffi_capability_check(
	enum skiff_engine engine, const struct skiffi_engine_config *config, struct skiff_error *error);

#endif
