// SPDX-License-Identifier: GPL-2.0-only
/*
 * receiver - take one stream and write it down
 *
 * usage: receiver PORT FIGURES >FILE
 *
 * Listens on a Ferry port, accepts one connection, writes what it brings to standard
 * output, and to the file FIGURES what that took: "name number" a line.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ferry.h>

static char buf[1 << 16];

/**
 * struct figures - what it took
 *
 * @received: bytes that read(2) returned
 * @reads: times that it returned some
 * @wakeups: those among these that had slept: the kernel counted a voluntary
 *	context switch (getrusage(2), ru_nvcsw) during the call
 */
struct figures {
	unsigned long	received;
	unsigned long	reads;
	unsigned long	wakeups;
};

static long voluntary_switches(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		err(1, "getrusage");
	return usage.ru_nvcsw;
}

static int accept_at(unsigned int port)
{
	struct sockaddr_ferry here = {
		.sfy_family = AF_FERRY,
		.sfy_port = port,
	};
	int listener = socket(AF_FERRY, SOCK_STREAM, 0), fd;

	if (listener < 0)
		err(1, "socket");
	if (bind(listener, (struct sockaddr *)&here, sizeof(here)))
		err(1, "bind to port %u", port);
	if (listen(listener, 1))
		err(1, "listen");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		err(1, "accept");
	close(listener);
	return fd;
}

static void receive(int fd, struct figures *figures)
{
	long before;
	ssize_t len;

	for (;;) {
		before = voluntary_switches();
		len = read(fd, buf, sizeof(buf));
		if (len < 0)
			err(1, "read");
		if (!len)
			return;
		figures->reads++;
		figures->received += len;
		figures->wakeups += voluntary_switches() > before;
		if (fwrite(buf, 1, len, stdout) != (size_t)len)
			err(1, "standard output");
	}
}

static void report(const char *path, const struct figures *figures)
{
	FILE *file = fopen(path, "w");

	if (!file)
		err(1, "%s", path);
	fprintf(file, "received %lu\n", figures->received);
	fprintf(file, "reads %lu\n", figures->reads);
	fprintf(file, "wakeups %lu\n", figures->wakeups);
	if (fclose(file))
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	struct figures figures = { 0 };
	int fd;

	if (argc != 3)
		errx(2, "usage: receiver PORT FIGURES >FILE");
	fd = accept_at(strtoul(argv[1], NULL, 10));
	receive(fd, &figures);
	if (fflush(stdout))
		err(1, "standard output");
	report(argv[2], &figures);
	/* Now the sender may know. */
	close(fd);
	return 0;
}
