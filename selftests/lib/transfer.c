// SPDX-License-Identifier: GPL-2.0-only
/* Much data over a connection: see transfer.h. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "sock.h"
#include "transfer.h"

#define CHUNK	(64 << 10)
#define SHIFTS	251

/* Each chunk begins somewhere else in here, so that no two in a row are alike. */
static char noise[CHUNK + SHIFTS];

static const char *chunk_at(size_t done)
{
	return noise + done / CHUNK * 37 % SHIFTS;
}

static int send_noise(int fd, size_t size)
{
	size_t done;

	for (done = 0; done < size; done += CHUNK)
		if (send_all(fd, chunk_at(done), CHUNK) != CHUNK)
			return 1;
	return 0;
}

static bool recv_noise(int fd, size_t size)
{
	static char chunk[CHUNK];
	size_t done;

	for (done = 0; done < size; done += CHUNK)
		if (recv_all(fd, chunk, CHUNK) != CHUNK ||
		    memcmp(chunk, chunk_at(done), CHUNK))
			return false;
	return true;
}

bool carries(int from, int to, size_t size)
{
	int status;
	bool whole;
	pid_t pid;

	pattern_fill(noise, sizeof(noise), size);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(send_noise(from, size));
	}
	whole = recv_noise(to, size);
	return waitpid(pid, &status, 0) == pid && !status && whole;
}

bool carries_both_ways(const struct conn *conn, size_t size)
{
	return carries(conn->client, conn->server, size) &&
	       carries(conn->server, conn->client, size);
}
