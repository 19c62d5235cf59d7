// SPDX-License-Identifier: GPL-2.0-only
/*
 * flow - how much a single connection brings across
 *
 * usage: flow FAMILY SECONDS NETNS ADDRESS
 *	  flow FAMILY serve COUNT
 *
 * FAMILY is ferry or tcp. A child in the network namespace NETNS (a path) listens
 * and counts; the parent, in this one, connects to it at ADDRESS, sends for so many
 * seconds by CLOCK_MONOTONIC in writes of 64 KiB, and waits until it knows that all
 * has arrived. Prints bytes and microseconds from connect(2) to then. Congestion
 * control is CUBIC on both, and all else as it is by default.
 *
 * If NETNS is "-" there is no child: somewhere else "flow FAMILY serve" listens, which
 * takes COUNT connections, one after the other.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ferry.h>

#define PORT	7000

static char buf[64 << 10];

union address {
	struct sockaddr		any;
	struct sockaddr_ferry	ferry;
	struct sockaddr_in	in;
};

static union address address;
static socklen_t address_len;
static int level, option;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Where the flow goes; @text NULL: any address, to listen at. */
static void address_is(const char *family, const char *text)
{
	struct ether_addr *mac = NULL;

	memset(&address, 0, sizeof(address));
	if (!strcmp(family, "tcp")) {
		address.in.sin_family = AF_INET;
		address.in.sin_port = htons(PORT);
		if (text && inet_pton(AF_INET, text, &address.in.sin_addr) != 1)
			errx(2, "%s is no IPv4 address", text);
		address_len = sizeof(address.in);
		level = IPPROTO_TCP;
		option = TCP_CONGESTION;
		return;
	}
	if (strcmp(family, "ferry"))
		errx(2, "there is no family %s", family);
	if (text) {
		mac = ether_aton(text);
		if (!mac)
			errx(2, "%s is no MAC address", text);
		memcpy(address.ferry.sfy_addr, mac, FERRY_ALEN);
	}
	address.ferry.sfy_family = AF_FERRY;
	address.ferry.sfy_port = PORT;
	address_len = sizeof(address.ferry);
	level = SOL_FERRY;
	option = FERRY_CONGESTION;
}

static int open_socket(void)
{
	int fd = socket(address.any.sa_family, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		err(1, "socket");
	if (setsockopt(fd, level, option, "cubic", strlen("cubic")))
		err(1, "setsockopt: cubic");
	if (address.any.sa_family == AF_INET &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		err(1, "setsockopt: SO_REUSEADDR");
	return fd;
}

static int listen_here(void)
{
	int listener = open_socket();

	if (bind(listener, &address.any, address_len) || listen(listener, 1))
		err(1, "bind and listen");
	return listener;
}

/* Take one flow and say how long it was. */
static void take(int listener)
{
	int fd = accept(listener, NULL, NULL);
	unsigned long long count = 0;
	ssize_t n;

	if (fd < 0)
		err(1, "accept");
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		count += n;
	if (n < 0)
		err(1, "recv");
	if (send(fd, &count, sizeof(count), 0) != sizeof(count))
		err(1, "send");
	close(fd);
}

/* Tell by @ready that somebody listens, and take one. */
static void receive(const char *netns, int ready)
{
	int net = open(netns, O_RDONLY), listener;

	if (net < 0 || setns(net, CLONE_NEWNET))
		err(1, "%s", netns);
	listener = listen_here();
	if (write(ready, "", 1) != 1)
		err(1, "write");
	take(listener);
}

/* Take @count of them, whenever they come. */
static int serve(int count)
{
	int listener = listen_here();

	while (count--)
		take(listener);
	return 0;
}

static void transmit(double seconds)
{
	unsigned long long sent = 0, count = 0;
	int fd = open_socket();
	double begin = now();
	ssize_t n;

	if (connect(fd, &address.any, address_len))
		err(1, "connect");
	while (now() < begin + seconds) {
		n = send(fd, buf, sizeof(buf), 0);
		if (n < 0)
			err(1, "send");
		sent += n;
	}
	if (shutdown(fd, SHUT_WR))
		err(1, "shutdown");
	if (recv(fd, &count, sizeof(count), MSG_WAITALL) != sizeof(count))
		err(1, "recv");
	if (count != sent)
		errx(1, "sent %llu bytes, of which %llu came", sent, count);
	printf("%llu %.0f\n", count, (now() - begin) * 1e6);
}

int main(int argc, char **argv)
{
	int ready[2], status;
	char byte;

	if (argc == 4 && !strcmp(argv[2], "serve")) {
		address_is(argv[1], NULL);
		return serve(atoi(argv[3]));
	}
	if (argc != 5)
		errx(2, "usage: flow FAMILY SECONDS NETNS ADDRESS, or flow FAMILY serve COUNT");
	if (!strcmp(argv[3], "-")) {
		address_is(argv[1], argv[4]);
		transmit(strtod(argv[2], NULL));
		return 0;
	}
	if (pipe(ready))
		err(1, "pipe");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(ready[0]);
		address_is(argv[1], NULL);
		receive(argv[3], ready[1]);
		return 0;
	}
	close(ready[1]);
	address_is(argv[1], argv[4]);
	if (read(ready[0], &byte, 1) != 1)
		errx(1, "nobody listens");
	transmit(strtod(argv[2], NULL));
	if (wait(&status) < 0 || status)
		errx(1, "the receiver failed");
	return 0;
}
