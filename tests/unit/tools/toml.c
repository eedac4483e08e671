/* SPDX-License-Identifier: Apache-2.0 */
/* toml.c: what of TOML is taken, and what is refused with which words. */
#include "cli_toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The text from a heap block of exactly its length, so that a read past its end is seen. */
static bool read_exact(const char *text, size_t len, struct cli_toml *toml, struct cli_toml_fault *fault)
{
	char *exact = malloc(len + !len);
	assert_non_null(exact);
	memcpy(exact, text, len);
	bool ok = cli_toml_read(exact, len, toml, fault);
	free(exact);
	return ok;
}

static bool read_text(const char *text, struct cli_toml *toml, struct cli_toml_fault *fault)
{
	return read_exact(text, strlen(text), toml, fault);
}

/* ---- values ---- */

struct value {
	const char *text; /* behind "k = " */
	enum cli_toml_kind kind;
	bool on;
	const char *values[4];
};

static const struct value values[] = {
	{"\"\"", CLI_TOML_STRING, false, {""}},
	{"''", CLI_TOML_STRING, false, {""}},
	{"\"a b\" # c", CLI_TOML_STRING, false, {"a b"}},
	{"'a # b'", CLI_TOML_STRING, false, {"a # b"}},
	{"'c:\\dir\\n'", CLI_TOML_STRING, false, {"c:\\dir\\n"}},
	{"\"it's\"", CLI_TOML_STRING, false, {"it's"}},
	{"'say \"a\"'", CLI_TOML_STRING, false, {"say \"a\""}},
	{"\"\\b\\t\\n\\f\\r\\\"\\\\\"", CLI_TOML_STRING, false, {"\b\t\n\f\r\"\\"}},
	{"\"\\u0041\\u00fc\\u20AC\\U0001F6F6\"", CLI_TOML_STRING, false, {"A\xc3\xbc\xe2\x82\xac\xf0\x9f\x9b\xb6"}},
	{"\"gr\xc3\xbc\xc3\x9f\"", CLI_TOML_STRING, false, {"gr\xc3\xbc\xc3\x9f"}},
	{"\"a\tb\"", CLI_TOML_STRING, false, {"a\tb"}},
	{"0", CLI_TOML_INTEGER, false, {"0"}},
	{"-1", CLI_TOML_INTEGER, false, {"-1"}},
	{"+1_000_000\t#", CLI_TOML_INTEGER, false, {"1000000"}},
	{"9223372036854775807", CLI_TOML_INTEGER, false, {"9223372036854775807"}},
	{"true", CLI_TOML_BOOLEAN, true, {NULL}},
	{"false", CLI_TOML_BOOLEAN, false, {NULL}},
	{"[]", CLI_TOML_ARRAY, false, {NULL}},
	{"[ 'a', \"b\" , 3, ]", CLI_TOML_ARRAY, false, {"a", "b", "3"}},
	{"[1,2]", CLI_TOML_ARRAY, false, {"1", "2"}},
	{"[ # one\r\n 'a' # the ] first\n\n , 'b'\n]# end", CLI_TOML_ARRAY, false, {"a", "b"}},
};

static void values_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		static const char *const ends[] = {"", "\n", "\r\n"};
		for (size_t j = 0; j < sizeof ends / sizeof *ends; j++) {
			struct cli_toml toml;
			struct cli_toml_fault fault;
			char text[200];
			snprintf(text, sizeof text, "[t]\nk = %s%s", values[i].text, ends[j]);
			if (!read_text(text, &toml, &fault))
				fail_msg("%s: line %d: %s", values[i].text, fault.line, fault.text);
			const struct cli_toml_key *key = cli_toml_key(cli_toml_table(&toml, "t"), "k");
			assert_int_equal(key->kind, values[i].kind);
			assert_int_equal(key->on, values[i].on);
			assert_int_equal(key->line, 2);
			for (size_t k = 0; k < key->count; k++)
				assert_string_equal(key->values[k], values[i].values[k]);
			assert_null(values[i].values[key->count]);
			cli_toml_free(&toml);
		}
	}
}

/* ---- tables ---- */

static void tables_and_keys(void **state)
{
	static const char text[] = "\xef\xbb\xbf# ours\n"
				   "\n"
				   "[a-b_9]\n"
				   "  one = 1\n"
				   "\t'two words' = 2 # two\r\n"
				   "\"\\u0033\"=3\n"
				   " [ \"test.mosquitto.org\" ] # theirs\n"
				   "one= 'other'\n"
				   "[empty]";
	struct cli_toml toml;
	struct cli_toml_fault fault;
	(void)state;
	assert_true(read_text(text, &toml, &fault));
	assert_int_equal(toml.count, 3);
	const struct cli_toml_table *table = cli_toml_table(&toml, "a-b_9");
	assert_int_equal(table->count, 3);
	assert_int_equal(table->line, 3);
	assert_string_equal(cli_toml_key(table, "one")->values[0], "1");
	assert_string_equal(cli_toml_key(table, "two words")->values[0], "2");
	assert_string_equal(cli_toml_key(table, "3")->values[0], "3");
	assert_int_equal(cli_toml_key(table, "3")->line, 6);
	assert_null(cli_toml_key(table, "four"));
	table = cli_toml_table(&toml, "test.mosquitto.org");
	assert_string_equal(cli_toml_key(table, "one")->values[0], "other");
	assert_int_equal(cli_toml_table(&toml, "empty")->count, 0);
	assert_null(cli_toml_table(&toml, "theirs"));
	cli_toml_free(&toml);
	assert_true(read_exact("", 0, &toml, &fault));
	assert_int_equal(toml.count, 0);
}

/* ---- faults ---- */

struct refusal {
	const char *text;
	int line;
	const char *says;
};

static const struct refusal refusals[] = {
	{"k = 1", 1, "key 'k' stands before the first table; write [NAME]"},
	{"[a]\nk = 1\n\nk = 2", 4, "key 'k' is there already, in line 2; to repeat an option, give an array"},
	{"[a]\n[b]\n[a]", 3, "table 'a' is there already, in line 1"},
	{"[a.b]", 1, "table 'a' goes on with a dot; tables within tables are not taken here"},
	{"[a . b]", 1, "table 'a' goes on with a dot"},
	{"[[a]]", 1, "arrays of tables are not taken here"},
	{"[]", 1, "a table's name is missing"},
	{"['']", 1, "a table's name is missing"},
	{"[a", 1, "a table's head must end with ]"},
	{"[a b]", 1, "a table's head must end with ]"},
	{"[a] k = 1", 1, "something follows on the line"},
	{"[a]\nb.c = 1", 2, "key 'b' goes on with a dot"},
	{"[a]\nk", 2, "a key must be followed by ="},
	{"[a]\nk v = 1", 2, "a key must be followed by ="},
	{"[a]\n= 1", 2, "a key's name is missing"},
	{"[a]\nk\xc3\xbc = 1", 2, "a key must be followed by ="},
	{"[a]\nk =", 2, "key 'k': its value is missing"},
	{"[a]\nk = # 1", 2, "key 'k': its value is missing"},
	{"[a]\nk = s3cret", 2, "text that is not in quotes"},
	{"[a]\nk = True", 2, "text that is not in quotes"},
	{"[a]\nk = truest", 2, "text that is not in quotes"},
	{"[a]\nk = trues", 2, "text that is not in quotes"},
	{"[a]\nk = 's3cret", 2, "the string is not closed; it ends with ' on the same line"},
	{"[a]\nk = \"s3cret\n\"", 2, "the string is not closed; it ends with \" on the same line"},
	{"[a]\nk = \"\\", 2, "a backslash in double quotes must be one of"},
	{"[a]\nk = \"\\x41\"", 2, "a backslash in double quotes must be one of"},
	{"[a]\nk = \"c:\\path\"", 2, "write the string in single quotes"},
	{"[a]\nk = \"\\u12\"", 2, "'\\u' must be followed by 4 hexadecimal digits"},
	{"[a]\nk = \"\\U0000004\"", 2, "'\\U' must be followed by 8 hexadecimal digits"},
	{"[a]\nk = \"\\u0000\"", 2, "U+0000 is no character that a string can hold"},
	{"[a]\nk = \"\\uD800\"", 2, "U+D800 is no character that a string can hold"},
	{"[a]\nk = \"\\U00110000\"", 2, "U+110000 is no character that a string can hold"},
	{"[a]\nk = \"\"\"s3cret", 2, "strings of several lines are not taken here"},
	{"[a]\nk = '''s3cret", 2, "strings of several lines are not taken here"},
	{"[a]\nk = 's3cret' 's3cret'", 2, "something follows on the line"},
	{"[a]\nk = 1 2", 2, "something follows on the line"},
	{"[a]\nk = 1]", 2, "something follows on the line"},
	{"[a]\nk = 1.5", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = 0x10", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = 1e3", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = 07", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = -", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = 1_", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = 1__0", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = _1", 2, "text that is not in quotes"},
	{"[a]\nk = 99999999999999999999", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = 2026-11-26", 2, "a number without quotes is whole and decimal here"},
	{"[a]\nk = {b = 1}", 2, "inline tables are not taken here"},
	{"[a]\nk = [1\n2]", 3, "a comma or ] must follow each item"},
	{"[a]\nk = [1\n", 3, "a comma or ] must follow each item"},
	{"[a]\nk = [", 2, "an array holds strings in quotes and whole numbers here, and ends with ]"},
	{"[a]\nk = [,]", 2, "an array holds strings in quotes and whole numbers here"},
	{"[a]\nk = [[1]]", 2, "an array holds strings in quotes and whole numbers here"},
	{"[a]\nk = [true]", 2, "an array holds strings in quotes and whole numbers here"},
	{"[a]\nk = ['s3cret]", 2, "the string is not closed"},
	{"[a]\n# \xff", 2, "is not UTF-8"},
	{"[a]\n\nk = \"\x1b[31m\"", 3,
		"holds the control character 0x1b; in a string in double quotes write it as \\u001b"},
	{"[a]\rk = 1", 1, "holds the control character 0x0d"},
	{"[a]\nk = '\x7f'", 2, "holds the control character 0x7f"},
};

static void faults_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct cli_toml toml;
		struct cli_toml_fault fault;
		const struct refusal *row = &refusals[i];
		if (read_text(row->text, &toml, &fault))
			fail_msg("%s: was taken", row->text);
		if (fault.line != row->line || !strstr(fault.text, row->says))
			fail_msg("%s: line %d: %s", row->text, fault.line, fault.text);
		assert_null(strstr(fault.text, "s3cret"));
		assert_true(strlen(fault.text) < sizeof fault.text - 1);
		assert_true(toml.count == 0 && !toml.tables);
	}
}

static void zero_byte_refused(void **state)
{
	static const char text[] = "[a]\nk = 'a\0b'";
	struct cli_toml toml;
	struct cli_toml_fault fault;
	(void)state;
	assert_false(read_exact(text, sizeof text - 1, &toml, &fault));
	assert_non_null(strstr(fault.text, "control character 0x00"));
	assert_int_equal(fault.line, 2);
}

/* No beginning of a text that is taken makes it read on, or leaves something behind. */
static void cut_anywhere(void **state)
{
	static const char text[] = "[a]\nk = ['a', # b\n \"\\u00fc\", 12]\n['b'] # c\nl = \"\\\\\"\r\nm = true\n";
	(void)state;
	for (size_t len = 0; len < sizeof text; len++) {
		struct cli_toml toml;
		struct cli_toml_fault fault;
		if (read_exact(text, len, &toml, &fault))
			cli_toml_free(&toml);
		else
			assert_true(fault.line > 0 && fault.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_taken),
		cmocka_unit_test(tables_and_keys),
		cmocka_unit_test(faults_refused),
		cmocka_unit_test(zero_byte_refused),
		cmocka_unit_test(cut_anywhere),
	};
	return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
