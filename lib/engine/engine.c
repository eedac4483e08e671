/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c: which engine. */
#include "engine/engine.h"

#include "base/error.h"
#include "engine/capability.h"
#include "loop/loop.h"
#include <stdlib.h>
#include <strings.h>

static const struct skiffi_engine_kind *const engine_kinds[] = {
	[SKIFF_ENGINE_NATIVE] = &skiffi_native_kind,
	[SKIFF_ENGINE_PAHO] = &skiffi_paho_kind,
};

enum { ENGINE_KINDS = sizeof engine_kinds / sizeof *engine_kinds };

static const struct skiffi_engine_kind *engine_kind(enum skiff_engine engine)
{
	return engine > SKIFF_ENGINE_DEFAULT && (unsigned)engine < ENGINE_KINDS ? engine_kinds[engine] : NULL;
}

/* SKIFF_ENGINE_DEFAULT: there is none of that name. */
static enum skiff_engine engine_by_name(const char *name)
{
	for (unsigned i = SKIFF_ENGINE_NATIVE; i < ENGINE_KINDS; i++)
		if (!strcasecmp(engine_kinds[i]->name, name))
			return (enum skiff_engine)i;
	return SKIFF_ENGINE_DEFAULT;
}

struct skiffi_engine *skiffi_engine_new(const struct skiffi_engine_config *config, struct skiff_error *error)
{
	const char *name = getenv("SKIFF_ENGINE");
	enum skiff_engine engine = config->options->engine;
	if (engine == SKIFF_ENGINE_DEFAULT)
		engine = name && *name ? engine_by_name(name) : SKIFF_ENGINE_NATIVE;
	const struct skiffi_engine_kind *kind = engine_kind(engine);
	if (!kind) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "there is no engine '%.64s'; choose native or paho",
			config->options->engine == SKIFF_ENGINE_DEFAULT ? name : "of that number");
		return NULL;
	}
	if (!kind->create) {
		skiffi_fail(error, SKIFF_USAGE_UNSUPPORTED, 0,
			"the engine '%s' is not built into this library (SKIFF_PAHO was off); choose native",
			kind->name);
		return NULL;
	}
	if (!skiffi_capability_check(engine, config, error))
		return NULL;
	if (engine != SKIFF_ENGINE_NATIVE || config->endpoint->tls || config->endpoint->kind == SKIFFI_WS)
		skiffi_loop_uses_openssl();
	return kind->create(config, error);
}

/* ---- the public face ---- */

bool skiff_engine_built(enum skiff_engine engine)
{
	const struct skiffi_engine_kind *kind = engine_kind(engine);
	return kind && kind->create;
}

const char *skiff_engine_name(enum skiff_engine engine)
{
	const struct skiffi_engine_kind *kind = engine_kind(engine);
	return kind ? kind->name : "";
}

const char *skiff_engine_library(enum skiff_engine engine)
{
	const struct skiffi_engine_kind *kind = engine_kind(engine);
	return kind ? kind->library() : "";
}
