// SPDX-License-Identifier: GPL-2.0-only
/*
 * scale - what a connection costs when there are many
 *
 * usage: scale FAMILY FEW MANY
 *
 * FAMILY is ferry or tcp. Makes FEW connections on this host, then MANY, both ends of
 * each, which stay and are idle. Prints four figures: the time of a round trip of one
 * byte over the first one when there are few, and when there are many, in nanoseconds
 * by CLOCK_MONOTONIC; the bytes of slab that a connection takes, of both ends, with
 * their files and inodes; and the same once a byte has gone there and back over each.
 */
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/ferry.h>

#define PORT		7000
#define PER_LISTENER	20000	/* who connects has that many ports, and some */
#define ROUND_TRIPS	2000

static int domain;

static void address(struct sockaddr_storage *to, socklen_t *len, int port)
{
	struct sockaddr_ferry *sfy = (void *)to;
	struct sockaddr_in *in = (void *)to;

	memset(to, 0, sizeof(*to));
	if (domain == AF_FERRY) {
		sfy->sfy_family = AF_FERRY;
		sfy->sfy_port = port;
		*len = sizeof(*sfy);
	} else {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*len = sizeof(*in);
	}
}

static int make_socket(void)
{
	int fd = socket(domain, SOCK_STREAM, 0), one = 1;

	if (fd < 0)
		err(1, "socket");
	if (domain == AF_INET &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "setsockopt TCP_NODELAY");
	return fd;
}

static int listen_at(int port)
{
	struct sockaddr_storage to;
	int fd = make_socket();
	socklen_t len;

	address(&to, &len, port);
	if (bind(fd, (struct sockaddr *)&to, len) || listen(fd, 16))
		err(1, "listen at %d", port);
	return fd;
}

/* One more, both ends of it. */
static void connect_one(int listener, int port, int *client, int *server)
{
	struct sockaddr_storage to;
	socklen_t len;

	address(&to, &len, port);
	*client = make_socket();
	if (connect(*client, (struct sockaddr *)&to, len))
		err(1, "connect");
	*server = accept(listener, NULL, NULL);
	if (*server < 0)
		err(1, "accept");
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void pass(int from, int to)
{
	char byte = 'x';

	if (send(from, &byte, 1, 0) != 1)
		err(1, "send");
	if (recv(to, &byte, 1, 0) != 1)
		err(1, "recv");
}

static double round_trip(int client, int server)
{
	double from = 0;
	int i;

	/* A tenth to warm up. */
	for (i = -ROUND_TRIPS / 10; i < ROUND_TRIPS; i++) {
		if (!i)
			from = now();
		pass(client, server);
		pass(server, client);
	}
	return (now() - from) / ROUND_TRIPS * 1e9;
}

static long slab(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	long kilobytes, sum = -1;
	char line[128];

	if (!file)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %ld kB", &kilobytes) == 1)
			sum = kilobytes;
	fclose(file);
	if (sum < 0)
		errx(1, "/proc/meminfo says nothing of slabs");
	return sum * 1024;
}

int main(int argc, char **argv)
{
	int few, many, i, port = PORT, listener = -1;
	struct rlimit files;
	double when_few = 0;
	int *client, *server;
	long before = 0;

	if (argc != 4)
		errx(2, "usage: scale ferry|tcp FEW MANY");
	few = atoi(argv[2]);
	many = atoi(argv[3]);
	if (few < 1 || many <= few)
		errx(2, "FEW is at least 1, and MANY is more");
	domain = !strcmp(argv[1], "ferry") ? AF_FERRY : AF_INET;
	files.rlim_max = 2 * many + 1000;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "setrlimit RLIMIT_NOFILE");
	client = calloc(many, sizeof(*client));
	server = calloc(many, sizeof(*server));
	if (!client || !server)
		err(1, "calloc");

	for (i = 0; i < many; i++) {
		if (i % PER_LISTENER == 0)
			listener = listen_at(++port);
		if (i == few) {
			when_few = round_trip(client[0], server[0]);
			before = slab();
		}
		connect_one(listener, port, &client[i], &server[i]);
	}
	printf("%.0f ", when_few);
	printf("%.0f ", round_trip(client[0], server[0]));
	printf("%.0f ", (double)(slab() - before) / (many - few));
	for (i = few; i < many; i++) {
		pass(client[i], server[i]);
		pass(server[i], client[i]);
	}
	printf("%.0f\n", (double)(slab() - before) / (many - few));
	return 0;
}
