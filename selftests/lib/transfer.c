// SPDX-License-Identifier: GPL-2.0-only
/* Much data over a connection: see transfer.h. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "sock.h"
#include "transfer.h"

#define CHUNK	(64 << 10)
#define SEED	5

static int send_pattern(int fd, size_t size)
{
	static char chunk[CHUNK];
	size_t done;

	for (done = 0; done < size; done += CHUNK) {
		pattern_fill(chunk, CHUNK, SEED + done / CHUNK);
		if (send_all(fd, chunk, CHUNK) != CHUNK)
			return 1;
	}
	return 0;
}

static bool recv_pattern(int fd, size_t size)
{
	static char chunk[CHUNK];
	size_t done;

	for (done = 0; done < size; done += CHUNK)
		if (recv_all(fd, chunk, CHUNK) != CHUNK ||
		    !pattern_is(chunk, CHUNK, SEED + done / CHUNK))
			return false;
	return true;
}

bool carries(int from, int to, size_t size)
{
	int status;
	pid_t pid = fork();
	bool whole;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(send_pattern(from, size));
	}
	whole = recv_pattern(to, size);
	return waitpid(pid, &status, 0) == pid && !status && whole;
}

bool carries_both_ways(const struct conn *conn, size_t size)
{
	return carries(conn->client, conn->server, size) &&
	       carries(conn->server, conn->client, size);
}

int net_shell(int net, const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return net_enter(net) ?: system(command);
}
