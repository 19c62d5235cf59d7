// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry: see and set up Ferry on this host. The nouns it knows.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static const struct command commands[] = {
	{ .name = "link", .sub = link_commands },
	{
		.name = "ping",
		.args = "[-c COUNT] [-i SECONDS] [-s SIZE] [-W SECONDS] [-I DEV]\n"
			"\t[-n] [-q] ADDR",
		.what = "see whether a host is there, and how long its answer takes",
		.run = ping_run,
	}, {
		.name = "discover",
		.args = "[-W SECONDS] [-j] [-n] [DEV]",
		.what = "list the hosts that speak Ferry",
		.run = discover_run,
	},
	{ }
};

static int run(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "-V")) {
		puts("ferry " FERRY_TOOL_VERSION);
		return EXIT_SUCCESS;
	}
	return command_dispatch(commands, argc, argv);
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	if (fflush(stdout) || ferror(stdout))
		return complain("cannot write the output: %s", strerror(errno));
	return status;
}
