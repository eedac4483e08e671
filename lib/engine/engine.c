/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c: which engine. */
#include "engine/engine.h"

#include "base/error.h"
#include <stdlib.h>
#include <strings.h>

struct engine_row {
	enum skiff_engine id;
	const char *name;
	struct skiffi_engine *(*create)(const struct skiffi_engine_config *config, struct skiff_error *error);
};

static const struct engine_row engine_rows[] = {
	{SKIFF_ENGINE_NATIVE, "native", skiffi_native_engine_new},
	{SKIFF_ENGINE_PAHO, "paho", NULL},
};

static const struct engine_row *engine_by_id(enum skiff_engine id)
{
	for (size_t i = 0; i < sizeof engine_rows / sizeof engine_rows[0]; i++)
		if (engine_rows[i].id == id)
			return &engine_rows[i];
	return NULL;
}

static const struct engine_row *engine_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof engine_rows / sizeof engine_rows[0]; i++)
		if (!strcasecmp(engine_rows[i].name, name))
			return &engine_rows[i];
	return NULL;
}

struct skiffi_engine *skiffi_engine_new(const struct skiffi_engine_config *config, struct skiff_error *error)
{
	const char *name = getenv("SKIFF_ENGINE");
	const struct engine_row *row = &engine_rows[0];
	if (config->options->engine != SKIFF_ENGINE_DEFAULT)
		row = engine_by_id(config->options->engine);
	else if (name && *name)
		row = engine_by_name(name);
	if (!row) {
		skiffi_fail(error, SKIFF_USAGE_OPTION, 0, "there is no engine '%s'; choose native",
			config->options->engine == SKIFF_ENGINE_DEFAULT ? name : "of that number");
		return NULL;
	}
	if (!row->create) {
		skiffi_fail(error, SKIFF_USAGE_UNSUPPORTED, 0,
			"the engine '%s' is not built into this library; choose native", row->name);
		return NULL;
	}
	return row->create(config, error);
}
