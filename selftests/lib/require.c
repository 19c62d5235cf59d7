// SPDX-License-Identifier: GPL-2.0-only
/* Each test program asks for what it needs before anything else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ferry.h>

#define KSFT_SKIP	4

static void skip(const char *why)
{
	printf("1..0 # SKIP %s\n", why);
	exit(KSFT_SKIP);
}

/*
 * Of all types the family can have, this one it never will: so asking for it
 * loads an installed module, and makes nothing.
 */
static void __attribute__((constructor)) require(void)
{
	if (geteuid())
		skip("These tests make network namespaces: run them as root.");
	if (socket(AF_FERRY, SOCK_RDM, 0) < 0 && errno == EAFNOSUPPORT)
		skip("The module is not loaded: insmod ferry.ko first.");
}
