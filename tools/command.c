// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands: dispatch, help and error sentences.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* The words that led to the table in use; its help is the one to point to. */
static char group[64] = "ferry";

static void enter_group(const char *name)
{
	size_t len = strlen(group);

	snprintf(group + len, sizeof(group) - len, " %s", name);
}

static bool is_help_option(const char *word)
{
	return !strcmp(word, "-h") || !strcmp(word, "--help");
}

static void print_command(const char *path, const struct command *cmd)
{
	printf("  %s %s%s%s\n\t%s\n", path, cmd->name, *cmd->args ? " " : "",
	       cmd->args, cmd->what);
}

static void print_commands(const char *path, const struct command *table)
{
	const struct command *cmd;
	char deeper[sizeof(group)];

	for (cmd = table; cmd->name; cmd++) {
		if (!cmd->sub) {
			print_command(path, cmd);
			continue;
		}
		snprintf(deeper, sizeof(deeper), "%s %s", path, cmd->name);
		print_commands(deeper, cmd->sub);
	}
}

static int show_help(const struct command *table)
{
	puts("usage:");
	print_commands(group, table);
	printf("  %s help\n\tshow this\n", group);
	return EXIT_SUCCESS;
}

static int run(const struct command *cmd, int argc, char **argv)
{
	if (cmd->sub) {
		enter_group(cmd->name);
		return command_dispatch(cmd->sub, argc, argv);
	}
	if (argc > 1 && is_help_option(argv[1])) {
		puts("usage:");
		print_command(group, cmd);
		return EXIT_SUCCESS;
	}
	return cmd->run(argc, argv);
}

int command_dispatch(const struct command *table, int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2)
		return usage_error("a command is missing after '%s'", group);
	if (!strcmp(argv[1], "help") || is_help_option(argv[1]))
		return show_help(table);
	for (cmd = table; cmd->name; cmd++)
		if (!strcmp(argv[1], cmd->name))
			return run(cmd, argc - 1, argv + 1);
	return usage_error("'%s' has no command '%s'", group, argv[1]);
}

static void say(const char *format, va_list args, const char *tail)
{
	/* What was printed so far comes first where both go to one place. */
	fflush(stdout);
	fputs("ferry: ", stderr);
	vfprintf(stderr, format, args);
	fprintf(stderr, "%s\n", tail);
}

int complain(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args, "");
	va_end(args);
	return EXIT_FAILURE;
}

int usage_error(const char *format, ...)
{
	char tail[sizeof(group) + 16];
	va_list args;

	snprintf(tail, sizeof(tail), "; see: %s help", group);
	va_start(args, format);
	say(format, args, tail);
	va_end(args);
	return EXIT_USAGE;
}

bool parse_number(const char *text, unsigned int *number)
{
	unsigned long value;

	if (!*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	value = strtoul(text, NULL, 10);
	if (errno || value > UINT_MAX)
		return false;
	*number = value;
	return true;
}

bool parse_seconds(const char *text, long long *ns)
{
	size_t whole = strspn(text, "0123456789");
	const char *rest = text + whole;
	double value;

	if (*rest == '.')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (*rest || !strpbrk(text, "0123456789"))
		return false;
	value = strtod(text, NULL);
	if (value > 86400)
		return false;
	*ns = value * 1000000000;
	return true;
}
