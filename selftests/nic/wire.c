// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire - raw frames over a device, for the card's tests
 *
 * usage: wire send DEV COUNT [LENGTH]	send frames, one a call, to everyone
 *	  wire echo DEV COUNT		send back so many frames
 *	  wire ping DEV COUNT		send a frame and wait for it to come back,
 *					so many times; prints the microseconds
 *					that a round takes, in the median
 *
 * LENGTH is a frame's, in bytes, with its Ethernet header. The frames' type is
 * the second one that IEEE sets aside for local experiments. echo says "ready"
 * on its standard output once it hears.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#define WIRE_TYPE	0x88b6
#define WIRE_SHORTEST	60
#define WIRE_LONGEST	65549
#define WIRE_PATIENCE	20	/* seconds after which a frame will not come */

static char frame[WIRE_LONGEST];

static void die(const char *what)
{
	fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long parse_number(const char *text, unsigned long max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || !value || value > max) {
		fprintf(stderr, "wire: '%s' is not a number up to %lu\n", text,
			max);
		exit(2);
	}
	return value;
}

static int wire_open(const char *dev, int type)
{
	struct timeval patience = { .tv_sec = WIRE_PATIENCE };
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(type),
		.sll_ifindex = if_nametoindex(dev),
	};
	struct ethhdr *eth = (struct ethhdr *)frame;
	int fd;

	if (!at.sll_ifindex)
		die(dev);
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		die("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die("SO_RCVTIMEO");
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die("bind");

	memset(eth->h_dest, 0xff, ETH_ALEN);
	memset(eth->h_source, 0x02, ETH_ALEN);
	eth->h_proto = htons(WIRE_TYPE);
	return fd;
}

/* A device that is being deleted has no buffers for a while, then no name. */
static void wire_send(int fd, size_t len)
{
	while (send(fd, frame, len, 0) < 0) {
		if (errno != ENOBUFS)
			die("send");
	}
}

/* The next frame that was not sent by this very host. */
static void wire_recv(int fd)
{
	struct sockaddr_ll from;
	socklen_t len;

	do {
		len = sizeof(from);
		if (recvfrom(fd, frame, sizeof(frame), 0,
			     (struct sockaddr *)&from, &len) < 0)
			die("recvfrom");
	} while (from.sll_pkttype == PACKET_OUTGOING);
}

static void wire_echo(int fd, unsigned long count)
{
	puts("ready");
	fflush(stdout);
	while (count--) {
		wire_recv(fd);
		wire_send(fd, WIRE_SHORTEST);
	}
}

static int compare(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static void wire_ping(int fd, unsigned long count)
{
	double *rounds = calloc(count, sizeof(*rounds));
	unsigned long i;

	if (!rounds)
		die("calloc");
	for (i = 0; i < count; i++) {
		double start = now();

		wire_send(fd, WIRE_SHORTEST);
		wire_recv(fd);
		rounds[i] = now() - start;
	}
	qsort(rounds, count, sizeof(*rounds), compare);
	printf("%.1f\n", rounds[count / 2]);
	free(rounds);
}

int main(int argc, char **argv)
{
	size_t len = WIRE_SHORTEST;
	unsigned long count;

	if (argc < 4 || argc > 5) {
		fprintf(stderr, "usage: wire send|echo|ping DEV COUNT [LENGTH]\n");
		return 2;
	}
	count = parse_number(argv[3], 100000000);
	if (argc == 5)
		len = parse_number(argv[4], WIRE_LONGEST);

	if (!strcmp(argv[1], "send")) {
		int fd = wire_open(argv[2], 0);

		while (count--)
			wire_send(fd, len);
	} else if (!strcmp(argv[1], "echo")) {
		wire_echo(wire_open(argv[2], WIRE_TYPE), count);
	} else if (!strcmp(argv[1], "ping")) {
		wire_ping(wire_open(argv[2], WIRE_TYPE), count);
	} else {
		fprintf(stderr, "wire: what is '%s'?\n", argv[1]);
		return 2;
	}
	return 0;
}
