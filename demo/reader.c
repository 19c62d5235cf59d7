// SPDX-License-Identifier: GPL-2.0-only
/*
 * reader - sleep until datagrams come, and write down what they bring
 *
 * usage: reader PORT COUNT FIGURES <CONTROL >LINES
 *
 * Reads COUNT datagrams from a Ferry port, writes what is in them to standard
 * output, and to the file FIGURES what it took: "name number" a line. Standard
 * input is a pipe that nobody writes to; when its other end is closed, no more
 * datagrams will be sent, and one that does not come soon is lost.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ferry.h>

/* How long to wait for a datagram once the sender has gone, in ms. */
#define LAST_WAIT	3000

/* The longest datagram is the MTU's, and that is at most 64 KiB. */
static char datagram[1 << 16];

/**
 * struct figures - what it took
 *
 * @received: datagrams that recv(2) returned
 * @returns: times that epoll_wait(2) returned for them
 * @wakeups: those among these that had slept: the kernel counted a voluntary
 *	context switch (getrusage(2), ru_nvcsw) during the call
 */
struct figures {
	unsigned long	received;
	unsigned long	returns;
	unsigned long	wakeups;
};

static long voluntary_switches(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		err(1, "getrusage");
	return usage.ru_nvcsw;
}

/* A socket bound to @port, with room for @count datagrams in its queue. */
static int open_socket(unsigned int port, unsigned long count)
{
	struct sockaddr_ferry here = {
		.sfy_family = AF_FERRY,
		.sfy_port = port,
	};
	int room = count * 4096;
	int fd;

	fd = socket(AF_FERRY, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (fd < 0)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)))
		err(1, "setsockopt SO_RCVBUFFORCE");
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)))
		err(1, "bind to port %u", port);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		err(1, "epoll_ctl");
}

/* Read all that is in the socket's queue. */
static void drain(int fd, struct figures *figures)
{
	ssize_t len;

	while ((len = recv(fd, datagram, sizeof(datagram), 0)) >= 0) {
		figures->received++;
		if (fwrite(datagram, 1, len, stdout) != (size_t)len)
			err(1, "standard output");
	}
	if (errno != EAGAIN)
		err(1, "recv");
}

static void receive(int fd, unsigned long count, struct figures *figures)
{
	int epoll = epoll_create1(0);
	struct epoll_event event;
	int patience = -1;
	long before;
	int ready;

	if (epoll < 0)
		err(1, "epoll_create1");
	watch(epoll, fd);
	watch(epoll, STDIN_FILENO);

	while (figures->received < count) {
		before = voluntary_switches();
		ready = epoll_wait(epoll, &event, 1, patience);
		if (ready < 0)
			err(1, "epoll_wait");
		if (!ready)
			break;
		if (event.data.fd == STDIN_FILENO) {
			epoll_ctl(epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
			patience = LAST_WAIT;
			continue;
		}
		figures->returns++;
		figures->wakeups += voluntary_switches() > before;
		drain(fd, figures);
	}
	close(epoll);
}

static void report(const char *path, const struct figures *figures)
{
	FILE *file = fopen(path, "w");

	if (!file)
		err(1, "%s", path);
	fprintf(file, "received %lu\n", figures->received);
	fprintf(file, "returns %lu\n", figures->returns);
	fprintf(file, "wakeups %lu\n", figures->wakeups);
	if (fclose(file))
		err(1, "%s", path);
}

int main(int argc, char **argv)
{
	struct figures figures = { 0 };
	unsigned long count;
	int fd;

	if (argc != 4)
		errx(2, "usage: reader PORT COUNT FIGURES <CONTROL >LINES");
	count = strtoul(argv[2], NULL, 10);

	fd = open_socket(strtoul(argv[1], NULL, 10), count);
	receive(fd, count, &figures);
	close(fd);

	if (fflush(stdout))
		err(1, "standard output");
	report(argv[3], &figures);
	return 0;
}
