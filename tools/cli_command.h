/* SPDX-License-Identifier: Apache-2.0 */
/* cli_command.h: what a command of `skiff` is made of. Each cmd_*.c holds one constant `struct cli_command`; main.c
 * finds it by name, cli_parse.c fills its parameters from the option table, cli_help.c and cli_man.c print the same
 * table, and run() does the work. A new command is one file and one line in main.c.
 *
 *   struct params { struct cli_list topics; long long count; bool verbose; };
 *   static const struct cli_option output_options[] = {
 *           {.name = "verbose", .letter = 'v', .type = CLI_FLAG, .field = offsetof(struct params, verbose), .help =
 * "..."},
 *   };
 *   static const struct cli_group groups[] = {CLI_GROUP("Output", output_options, 0), {0}};
 *   const struct cli_command cmd_sub = {.name = "sub", .groups = groups, .params_size = sizeof(struct params), .run =
 * ...};
 */
#ifndef SKIFF_CLI_COMMAND_H
#define SKIFF_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* What an option's value is, and so the type of its field in the parameters. */
enum cli_type {
	CLI_FLAG,   /* bool; takes no value */
	CLI_STRING, /* const char *; NULL when not given, else points into argv */
	CLI_SECRET, /* char *; a copy of its own, wiped when freed; the word in argv is overwritten */
	CLI_LIST,   /* struct cli_list; the option may be repeated */
	CLI_INT,    /* long long; `fallback` when not given */
	CLI_ENUM,   /* int; one of `words`, `fallback` when not given */
	CLI_CUSTOM, /* whatever `take` makes of it */
	CLI_PARTS   /* const char *; one word for several options of the group and a -t, which `apart` tells */
};

/* The values of a repeatable option, in the order given; they point into argv. */
struct cli_list {
	const char **items;
	size_t count;
	size_t from_file; /* of them, that were not on the command line */
};

/* A word of a CLI_ENUM; the table ends with a NULL word. */
struct cli_word {
	const char *word;
	int value;
};

struct cli_context;

struct cli_option {
	const char *name; /* long name, without dashes; NULL: none */
	char letter;      /* short name; 0: none */
	enum cli_type type;
	const char *value;            /* the value's name in the help, such as "FILE"; NULL for a flag */
	size_t field;                 /* offset in the parameters (plus the group's base) */
	long long min, max, fallback; /* CLI_INT; fallback also CLI_ENUM */
	const struct cli_word *words; /* CLI_ENUM */
	/* CLI_CUSTOM: reads its value from the `count` words after the option. Returns how many it took, or -1 after
	 * writing to `why` (`size` bytes) what is wrong, such as "'7' is not 0, 1 or 2". */
	int (*take)(void *field, char **words, int count, char *why, size_t size);
	void (*free)(void *field); /* CLI_CUSTOM: frees what `take` made; NULL: nothing to free */
	/* CLI_CUSTOM: cuts the value that a profile has into up to CLI_WORDS words; returns how many. NULL: it is one.
	 */
	int (*split)(char *text, char **words);
	/* CLI_PARTS: takes `word` apart in place; `params` is where the fields of the group count from. False after
	 * writing to `why`. */
	bool (*apart)(const struct cli_context *context, void *params, char *word, const char **topic, char *why,
		size_t size);
	bool may_hold_secret; /* of others than CLI_SECRET: a URL */
	bool once;            /* CLI_FLAG: the mosquitto clients do not take it twice */
	const char *help;     /* one sentence, lower case, for help and man page */
	const char *man;      /* more sentences for the man page; NULL: none */
};

/* Options under one heading. `base` is where the structure that the fields count from lies in the parameters, so that
 * commands can share a group. A command's groups end with a NULL title. */
struct cli_group {
	const char *title;
	const struct cli_option *options;
	size_t count;
	size_t base;
};

#define CLI_GROUP(title, table, base) \
	{ \
		(title), (table), sizeof(table) / sizeof(*(table)), (base) \
	}

enum { CLI_WORDS = 4, CLI_SHOWN = 8 };

struct cli_command;
struct cli_settings;

/* What run() gets beside its parameters. */
struct cli_context {
	const struct cli_command *command;
	bool mosquitto;                /* called as mosquitto_pub and so on: all is as there */
	struct cli_settings *settings; /* options that were in a file; NULL: nobody reads one */
	const char
		*shown[CLI_SHOWN]; /* options with a secret that stood on the command line, where others could see it */
	size_t shown_count;
	char **operands; /* the words that are no options, in order; NULL after the last */
	int operand_count;
};

struct cli_command {
	const char *name;               /* "pub" */
	const char *summary;            /* "publish messages": half a sentence, no full stop */
	const char *usage;              /* what follows "skiff pub", one or more lines */
	const char *description;        /* paragraphs, separated by an empty line */
	const char *examples;           /* lines "# what it does" and "skiff ...", for help and man page; NULL: none */
	const struct cli_group *groups; /* NULL: no options beside --help */
	size_t params_size;             /* of the parameters, which start zeroed */
	int min_operands, max_operands; /* max -1: any number */
	const char *alias;              /* the name of a link by which it is as that command; NULL: none */
	bool profiles;                  /* "@NAME" as first word takes the options of a profile */
	/* Commands in two words, NULL after the last: the second is looked for here, and each has both in its name,
	 * "cert show". NULL: one word is all. */
	const struct cli_command *const *commands;
	/* What a shell offers for an operand: FILE, DIR, or words with a blank between them, of which COMMAND as the
	 * first stands for all commands. NULL: nothing. */
	const char *offers;
	/* Does the work and returns the exit code (cli_exit.h). `params` is freed by the caller. */
	int (*run)(const struct cli_context *context, void *params);
};

/* Whether the secret of the option `name` stood on the command line. */
bool cli_was_shown(const struct cli_context *context, const char *name);

/* The table of all commands, NULL after the last (main.c). */
extern const struct cli_command *const cli_commands[];

/* The command of the first one or two of `count` words, and in `*used` how many those were; NULL where the first is
 * none. A second word that is none is left to the command of the first. */
const struct cli_command *cli_command_find(char **words, int count, int *used);

/* Says one sentence on stderr: "skiff pub: SENTENCE". Silent after cli_quiet(true). */
void cli_say(const struct cli_context *context, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same after "warning: ". Silent as one of mosquitto's clients, which warn of nothing: a job that calls them may
 * send whatever is said by mail. */
void cli_warn(const struct cli_context *context, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
