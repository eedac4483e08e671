/* SPDX-License-Identifier: Apache-2.0 */
/* cli_parse.c: words of the command line into the parameters of a command, by its option table. */
#include "cli_parse.h"
#include "cli_password.h"
#include "cli_settings.h"
#include "cli_suggest.h"
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_BYTES = 64, WHY_BYTES = 512 };

struct parser {
	struct cli_context *context;
	char *params;
	char **words; /* what is left */
	int count;
	enum cli_parsed result;
	const struct cli_setting *setting; /* where they come from; NULL: the command line */
};

static const struct cli_option common_options[] = {
	{.name = "help", .type = CLI_FLAG, .help = "print this help and end"},
	{.name = "version", .type = CLI_FLAG, .help = "print the version and end"},
};

static const struct cli_group common_group = CLI_GROUP("Other", common_options, 0);

const struct cli_group *cli_group_at(const struct cli_command *command, size_t index)
{
	size_t count = 0;
	while (command->groups && command->groups[count].title)
		count++;
	if (index < count)
		return &command->groups[index];
	return index == count ? &common_group : NULL;
}

const char *cli_option_label(const struct cli_option *option, char *buffer)
{
	if (option->name)
		snprintf(buffer, LABEL_BYTES, "--%s", option->name);
	else
		snprintf(buffer, LABEL_BYTES, "-%c", option->letter);
	return buffer;
}

/* Says one sentence, after the place in a file if the word was in one. */
static void parser_say(struct parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void parser_say(struct parser *parser, const char *format, ...)
{
	char text[2 * WHY_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (parser->setting)
		cli_say(parser->context, "file '%s', line %d: %s", parser->context->settings->path,
			parser->setting->line, text);
	else
		cli_say(parser->context, "%s", text);
	parser->result = CLI_PARSED_WRONG;
}

static void parser_wrong(struct parser *parser, const struct cli_option *option, const char *why)
{
	char label[LABEL_BYTES];
	parser_say(parser, "option '%s': %s", cli_option_label(option, label), why);
}

/* ---- which option ---- */

static bool option_named(const struct cli_option *option, const char *word, size_t len)
{
	if (len < 2 || word[0] != '-')
		return false;
	if (word[1] == '-')
		return option->name && strlen(option->name) == len - 2 && memcmp(option->name, word + 2, len - 2) == 0;
	return len == 2 && option->letter == word[1];
}

/* The option that the first `len` bytes of `word` name, and its group; NULL if there is none. */
static const struct cli_option *option_find(
	const struct cli_command *command, const char *word, size_t len, const struct cli_group **group)
{
	for (size_t i = 0; (*group = cli_group_at(command, i)); i++) {
		for (size_t j = 0; j < (*group)->count; j++) {
			if (option_named(&(*group)->options[j], word, len))
				return &(*group)->options[j];
		}
	}
	return NULL;
}

/* ---- values ---- */

/* The first word of the command line takes the place of those of a profile. */
static void list_drop_file(struct cli_list *list)
{
	list->count -= list->from_file;
	list->from_file = 0;
}

static bool list_add(struct cli_list *list, const char *item)
{
	bool full = (list->count & (list->count - 1)) == 0; /* room for the next power of two */
	if (full) {
		const char **items = realloc(list->items, sizeof(*items) * (list->count ? list->count * 2 : 1));
		if (!items)
			return false;
		list->items = items;
	}
	list->items[list->count++] = item;
	return true;
}

static bool secret_take(char **field, char *word)
{
	char *copy = strdup(word);
	if (!copy)
		return false;
	explicit_bzero(word, strlen(word)); /* so that `ps` does not show it any longer */
	cli_secret_forget(field);
	*field = copy;
	return true;
}

/* `lenient`: as atoi. */
static bool int_take(const struct cli_option *option, long long *field, const char *word, bool lenient, char *why)
{
	char *end;
	errno = 0;
	long long value = strtoll(word, &end, 10);
	bool number = lenient || (*word && *word != ' ' && *end == '\0' && errno == 0);
	if (number && value >= option->min && value <= option->max) {
		*field = value;
		return true;
	}
	if (option->max == LLONG_MAX)
		snprintf(why, WHY_BYTES, "'%.200s' is not a whole number from %lld up", word, option->min);
	else
		snprintf(why, WHY_BYTES, "'%.200s' is not a whole number from %lld to %lld", word, option->min,
			option->max);
	return false;
}

static bool enum_is_numeric(const struct cli_option *option)
{
	for (const struct cli_word *word = option->words; word->word; word++) {
		if (word->word[strspn(word->word, "0123456789")] != '\0')
			return false;
	}
	return true;
}

static bool enum_take(const struct cli_option *option, int *field, const char *text, bool lenient, char *why)
{
	char number[24];
	if (lenient && enum_is_numeric(option)) {
		snprintf(number, sizeof(number), "%d", atoi(text));
		text = number;
	}
	for (const struct cli_word *word = option->words; word->word; word++) {
		if (strcmp(word->word, text) == 0) {
			*field = word->value;
			return true;
		}
	}
	struct cli_suggestion best = {0};
	int at = snprintf(why, WHY_BYTES, "'%.200s' is not ", text);
	for (const struct cli_word *word = option->words; word->word; word++) {
		const char *separator = !word[1].word ? "" : !word[2].word ? " or " : ", ";
		at += snprintf(why + at, (size_t)(WHY_BYTES - at), "%s%s", word->word, separator);
		cli_suggest(&best, text, strlen(text), word->word);
	}
	if (best.name)
		snprintf(why + at, (size_t)(WHY_BYTES - at), "; did you mean '%s'?", best.name);
	return false;
}

static void parser_note_shown(struct cli_context *context, const char *name)
{
	if (context->shown_count < CLI_SHOWN)
		context->shown[context->shown_count++] = name;
}

bool cli_was_shown(const struct cli_context *context, const char *name)
{
	for (size_t i = 0; i < context->shown_count; i++) {
		if (strcmp(context->shown[i], name) == 0)
			return true;
	}
	return false;
}

static bool list_take(struct parser *parser, struct cli_list *list, const char *word)
{
	if (!parser->setting && !parser->context->mosquitto)
		list_drop_file(list);
	list->from_file += parser->setting != NULL;
	return list_add(list, word);
}

/* The option counts where it stands: what comes later overrides its parts. */
static bool parts_take(struct parser *parser, const struct cli_option *option, char *base, char *word, char *why)
{
	const char *topic;
	const struct cli_group *group;
	const struct cli_option *topics = option_find(parser->context->command, "-t", 2, &group);
	if (!option->apart(parser->context, base, word, &topic, why, WHY_BYTES))
		return false;
	*(const char **)(base + option->field) = word;
	return list_take(parser, (struct cli_list *)(parser->params + group->base + topics->field), topic);
}

/* Returns how many words were taken, -1 when the value is wrong. */
static int value_take(struct parser *parser, const struct cli_option *option, char *base, char **words, int count)
{
	void *field = base + option->field;
	char why[WHY_BYTES] = "out of memory";
	int taken = 1;
	bool ok = true;
	if (option->type == CLI_CUSTOM) {
		taken = option->take(field, words, count, why, sizeof(why));
		ok = taken >= 0;
	} else if (option->type == CLI_STRING) {
		*(const char **)field = words[0];
	} else if (option->type == CLI_SECRET) {
		ok = secret_take(field, words[0]);
	} else if (option->type == CLI_LIST) {
		ok = list_take(parser, field, words[0]);
	} else if (option->type == CLI_PARTS) {
		ok = parts_take(parser, option, base, words[0], why);
	} else if (option->type == CLI_INT) {
		ok = int_take(option, field, words[0], parser->context->mosquitto, why);
	} else {
		ok = enum_take(option, field, words[0], parser->context->mosquitto, why);
	}
	if (!ok)
		parser_wrong(parser, option, why);
	if (!parser->setting && (option->type == CLI_SECRET || option->may_hold_secret))
		parser_note_shown(parser->context, option->name);
	return ok ? taken : -1;
}

/* ---- options ---- */

static const char *option_nearest(const struct cli_command *command, const char *word, size_t len)
{
	struct cli_suggestion best = {0};
	const struct cli_group *group;
	for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
		for (size_t j = 0; j < group->count; j++) {
			if (group->options[j].name)
				cli_suggest(&best, word, len, group->options[j].name);
		}
	}
	return best.name;
}

static void parser_unknown(struct parser *parser, const char *word, size_t len)
{
	const struct cli_command *command = parser->context->command;
	const struct cli_group *group;
	if (word[0] != '-') {
		parser_say(parser, "argument '%.*s': unexpected; an option is missing before it", (int)len, word);
		return;
	}
	if (word[1] != '-' && option_find(command, word, 2, &group)) {
		parser_say(parser,
			"option '%.*s': unknown; '-%c' stands alone, its value or the next option follows after a "
			"space",
			(int)len, word, word[1]);
		return;
	}
	size_t dashes = word[1] == '-' ? 2 : 1;
	const char *near =
		len - dashes >= (dashes == 1 ? 3 : 2) ? option_nearest(command, word + dashes, len - dashes) : NULL;
	if (near)
		parser_say(parser, "option '%.*s': unknown; did you mean '--%s'?", (int)len, word, near);
	else if (parser->context->mosquitto)
		parser_say(parser, "option '%.*s': unknown", (int)len, word);
	else
		parser_say(parser, "option '%.*s': unknown; 'skiff help %s' lists those there are", (int)len, word,
			command->name);
}

static void parser_flag(
	struct parser *parser, const struct cli_option *option, const struct cli_group *group, bool has_value)
{
	bool *flag = (bool *)(parser->params + group->base + option->field);
	if (has_value)
		parser_wrong(parser, option, "takes no value");
	else if (group == &common_group)
		parser->result = option == &common_options[0] ? CLI_PARSED_HELP : CLI_PARSED_VERSION;
	else if (*flag && option->once && parser->context->mosquitto)
		parser_wrong(parser, option, "given more than once");
	else
		*flag = true;
}

/* Reads the option that the first word left opens, and its value. */
static void parser_option(struct parser *parser)
{
	char *word = parser->words[0];
	bool equals = word[0] == '-' && word[1] == '-' && !parser->context->mosquitto;
	size_t len = equals ? strcspn(word, "=") : strlen(word);
	const struct cli_group *group;
	const struct cli_option *option = option_find(parser->context->command, word, len, &group);
	char *attached = word[len] == '=' ? word + len + 1 : NULL;
	parser->words++;
	parser->count--;
	if (!option) {
		parser_unknown(parser, word, len);
	} else if (option->type == CLI_FLAG) {
		parser_flag(parser, option, group, attached != NULL);
	} else if (!attached && parser->count == 0) {
		char why[WHY_BYTES];
		snprintf(why, sizeof(why), "its value is missing; write %s after it", option->value);
		parser_wrong(parser, option, why);
	} else {
		int taken = value_take(parser, option, parser->params + group->base,
			attached ? &attached : parser->words, attached ? 1 : parser->count);
		if (!attached && taken > 0) {
			parser->words += taken;
			parser->count -= taken;
		}
	}
}

/* ---- the whole line ---- */

static void params_set_fallbacks(const struct cli_command *command, char *params)
{
	const struct cli_group *group;
	for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
		for (size_t j = 0; j < group->count; j++) {
			const struct cli_option *option = &group->options[j];
			void *field = params + group->base + option->field;
			if (option->type == CLI_INT)
				*(long long *)field = option->fallback;
			else if (option->type == CLI_ENUM)
				*(int *)field = (int)option->fallback;
		}
	}
}

static void parser_check_operands(struct parser *parser)
{
	const struct cli_context *context = parser->context;
	const struct cli_command *command = context->command;
	if (command->max_operands >= 0 && context->operand_count > command->max_operands) {
		cli_say(context, "argument '%s': unexpected; 'skiff help %s' says what is taken",
			context->operands[command->max_operands], command->name);
		parser->result = CLI_PARSED_WRONG;
	} else if (context->operand_count < command->min_operands) {
		cli_say(context, "an argument is missing; usage: skiff %s %.*s", command->name,
			(int)strcspn(command->usage, "\n"), command->usage);
		parser->result = CLI_PARSED_WRONG;
	}
}

/* Whether another command has the option: a profile serves many. */
static bool option_is_known(const char *word)
{
	const struct cli_group *group;
	for (size_t i = 0; cli_commands[i]; i++) {
		if (option_find(cli_commands[i], word, strlen(word), &group))
			return true;
	}
	return false;
}

/* One option of a file, with its words. */
static void parser_setting(struct parser *parser, const struct cli_setting *setting)
{
	const struct cli_context *context = parser->context;
	const struct cli_group *group;
	const struct cli_option *option =
		option_find(context->command, setting->option, strlen(setting->option), &group);
	char *words[1 + CLI_WORDS + 1] = {setting->option, setting->value};
	if (!option && !context->mosquitto && option_is_known(setting->option))
		return;
	parser->setting = setting;
	parser->words = words;
	parser->count = setting->value ? 2 : 1;
	if (option && option->split && setting->value && !context->mosquitto)
		parser->count = 1 + option->split(setting->value, words + 1);
	parser_option(parser);
	if (parser->count && parser->result == CLI_PARSED_RUN)
		parser_unknown(parser, parser->words[0], strlen(parser->words[0]));
	parser->setting = NULL;
}

static void parser_settings(struct parser *parser)
{
	const struct cli_settings *settings = parser->context->settings;
	for (size_t i = 0; settings && i < settings->count && parser->result == CLI_PARSED_RUN; i++)
		parser_setting(parser, &settings->items[i]);
}

/* Takes the next word, or words. */
static void parser_word(struct parser *parser, bool *options)
{
	struct cli_context *context = parser->context;
	char *word = parser->words[0];
	if (context->mosquitto || (*options && word[0] == '-' && word[1] != '\0' && strcmp(word, "--") != 0)) {
		parser_option(parser);
		return;
	}
	parser->words++;
	parser->count--;
	if (*options && strcmp(word, "--") == 0)
		*options = false;
	else
		context->operands[context->operand_count++] = word;
}

enum cli_parsed cli_parse(int argc, char **argv, struct cli_context *context, void *params)
{
	struct parser parser = {context, params, NULL, 0, CLI_PARSED_RUN, NULL};
	bool options = true;
	context->operands = argv;
	context->operand_count = 0;
	params_set_fallbacks(context->command, params);
	parser_settings(&parser);
	parser.words = argv;
	parser.count = argc;
	while (parser.count > 0 && parser.result == CLI_PARSED_RUN)
		parser_word(&parser, &options);
	if (parser.result == CLI_PARSED_RUN) {
		context->operands[context->operand_count] = NULL;
		parser_check_operands(&parser);
	}
	return parser.result;
}

static void field_free(const struct cli_option *option, void *field)
{
	if (option->type == CLI_SECRET) {
		cli_secret_forget(field);
	} else if (option->type == CLI_LIST) {
		free(((struct cli_list *)field)->items);
		*(struct cli_list *)field = (struct cli_list){0};
	} else if (option->type == CLI_CUSTOM && option->free) {
		option->free(field);
	}
}

void cli_parse_free(const struct cli_command *command, void *params)
{
	const struct cli_group *group;
	for (size_t i = 0; (group = cli_group_at(command, i)); i++) {
		for (size_t j = 0; j < group->count; j++)
			field_free(&group->options[j], (char *)params + group->base + group->options[j].field);
	}
}
