/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands: a tree of tables, and how a command speaks to its user.
 *
 * Each noun of ferry(8) is one file with one table. main.c joins the tables.
 */
#ifndef FERRY_TOOL_COMMAND_H
#define FERRY_TOOL_COMMAND_H

#include <stdbool.h>

#define __printf(format_, first_) __attribute__((	\
	format(printf, format_, first_)))

/* The exit status of a command line that cannot be understood. */
#define EXIT_USAGE	2

/**
 * struct command - a word of the command line
 *
 * @name: the word
 * @args: its arguments as the help shows them; "" if it takes none
 * @what: what it does, in one line
 * @run: does it; argv[0] is @name and argv[argc] NULL. Returns the exit status
 * @sub: or the table of the words that may follow. A table ends with an entry
 *	without a name
 *
 * A command has either @run or @sub.
 */
struct command {
	const char		*name;
	const char		*args;
	const char		*what;
	int			(*run)(int argc, char **argv);
	const struct command	*sub;
};

extern const struct command link_commands[];
int ping_run(int argc, char **argv);
int discover_run(int argc, char **argv);

/**
 * command_dispatch() - run the command that argv[1] names in a table
 * @table: the commands
 * @argc: number of words in @argv
 * @argv: the words; argv[0] is the one that led to @table
 *
 * Answers "help", "-h" and "--help" on every level from the tables.
 *
 * Return: the exit status.
 */
int command_dispatch(const struct command *table, int argc, char **argv);

/**
 * complain() - say on stderr what went wrong, in one sentence
 * @format: the sentence as printf() takes it, without "ferry: " and newline
 *
 * Return: EXIT_FAILURE.
 */
__printf(1, 2) int complain(const char *format, ...);

/**
 * usage_error() - say what is wrong with the command line, and where help is
 * @format: what is wrong as printf() takes it
 *
 * Return: EXIT_USAGE.
 */
__printf(1, 2) int usage_error(const char *format, ...);

/**
 * parse_number() - read a whole decimal number
 * @text: nothing but digits
 * @number: where to put it, untouched on failure
 *
 * Return: whether @text is a number that fits.
 */
bool parse_number(const char *text, unsigned int *number);

/**
 * parse_seconds() - read a time
 * @text: decimal seconds, of which a fraction may follow a '.'; a day at the most
 * @ns: where to put it, in nanoseconds, untouched on failure
 *
 * Return: whether @text is a time.
 */
bool parse_seconds(const char *text, long long *ns);

#endif /* FERRY_TOOL_COMMAND_H */
