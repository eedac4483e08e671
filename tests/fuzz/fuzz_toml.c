/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_toml.c: any text is a file of profiles or not; where it is, each name leads to its table and key. */
#include "../../tools/cli_toml.h"
#include "fuzz.h"
#include <string.h>

static void key_look(const struct cli_toml_table *table, const struct cli_toml_key *key)
{
	CHECK(key->name[0] && cli_toml_key(table, key->name) == key);
	CHECK(key->line > table->line);
	CHECK(key->kind != CLI_TOML_BOOLEAN || key->count == 0);
	CHECK((key->kind != CLI_TOML_STRING && key->kind != CLI_TOML_INTEGER) || key->count == 1);
	for (size_t i = 0; i < key->count; i++)
		CHECK(strlen(key->values[i]) < 65536);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cli_toml toml;
	struct cli_toml_fault fault;
	if (!cli_toml_read((const char *)data, len, &toml, &fault)) {
		CHECK(fault.line > 0 && fault.text[0] && !toml.tables);
		return 0;
	}
	for (size_t i = 0; i < toml.count; i++) {
		const struct cli_toml_table *table = &toml.tables[i];
		CHECK(table->name[0] && cli_toml_table(&toml, table->name) == table);
		for (size_t j = 0; j < table->count; j++)
			key_look(table, &table->keys[j]);
	}
	cli_toml_free(&toml);
	return 0;
}
