// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire - raw frames over a device, for the card's tests
 *
 * usage: wire send DEV COUNT [LENGTH]	send frames, one a call, to everyone
 *	  wire echo DEV COUNT		send back so many frames
 *	  wire ping DEV COUNT		send a frame and wait for it to come back,
 *					so many times; prints the microseconds
 *					that a round takes, in the median
 *	  wire counter NET DEV NAME	prints one of ethtool -S, summed over the
 *					queues
 *	  wire counted NET DEV NAME COUNT
 *					waits until it is so many
 *	  wire carrier NET DEV		waits until the device has one
 *	  wire add NET...		make namespaces as ip-netns(8) does, but
 *					without IPv6, which would speak by itself
 *	  wire del NET...		delete them
 *	  wire up NET DEV		set the device up
 *	  wire in NET COMMAND...	run it in the namespace NET of ip-netns(8);
 *					/sys is not that namespace's
 *
 * LENGTH is a frame's, in bytes, with its Ethernet header. The frames' type is
 * the second one that IEEE sets aside for local experiments. echo says "ready"
 * on its standard output once it hears.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

#define NETNS_DIR	"/run/netns"
#define WIRE_TYPE	0x88b6
#define WIRE_SHORTEST	60
#define WIRE_LONGEST	65549
#define WIRE_PATIENCE	20	/* seconds after which what is waited for will not come */

static const char usage[] =
	"usage: wire send|echo|ping|counter|counted|carrier|add|del|up|in ...\n";

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

static void enter(const char *net)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", net);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(net);
	close(fd);
}

static void ethtool(int fd, const char *dev, void *command)
{
	struct ifreq ifr = { .ifr_data = command };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		die(dev);
}

/* A queue's counter has "queue_N_" before the name. */
static int is_counter(const char *text, const char *name)
{
	int skip = 0;

	if (sscanf(text, "queue_%*u_%n", &skip) != 0)
		skip = 0;
	return !strncmp(text + skip, name, ETH_GSTRING_LEN - skip);
}

static unsigned long long wire_counter(const char *dev, const char *name)
{
	struct {
		struct ethtool_sset_info info;
		__u32 count;
	} set = { { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1 << ETH_SS_STATS } };
	struct ethtool_gstrings *strings;
	struct ethtool_stats *stats;
	unsigned long long sum = 0;
	int fd, found = 0;
	__u32 i;

	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0)
		die("socket");
	ethtool(fd, dev, &set);
	strings = calloc(1, sizeof(*strings) + set.count * ETH_GSTRING_LEN);
	stats = calloc(1, sizeof(*stats) + set.count * sizeof(__u64));
	if (!strings || !stats)
		die("calloc");
	strings->cmd = ETHTOOL_GSTRINGS;
	strings->string_set = ETH_SS_STATS;
	strings->len = set.count;
	ethtool(fd, dev, strings);
	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = set.count;
	ethtool(fd, dev, stats);
	for (i = 0; i < set.count; i++) {
		if (is_counter((char *)strings->data + i * ETH_GSTRING_LEN,
			       name)) {
			sum += stats->data[i];
			found = 1;
		}
	}
	if (!found) {
		fprintf(stderr, "wire: %s does not count %s\n", dev, name);
		exit(1);
	}
	close(fd);
	free(strings);
	free(stats);
	return sum;
}

static bool wire_carrier(const char *dev)
{
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0)
		die("socket");
	ethtool(fd, dev, &link);
	close(fd);
	return link.data;
}

/* With a pause, from time to time, that is a part of what it has taken. */
static void rest(double start)
{
	double took = now() - start;
	const struct timespec pause = {
		.tv_nsec = took < 5000 ? 500000 : took < 200000 ? took * 100 : 20000000,
	};

	if (took > WIRE_PATIENCE * 1e6) {
		fprintf(stderr, "wire: waited in vain\n");
		exit(1);
	}
	nanosleep(&pause, NULL);
}

static void write_one(const char *path)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0 && write(fd, "1", 1) != 1)
		die(path);
	close(fd);
}

static void net_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, NETNS_DIR "/%s", name);
}

static void net_add(const char *name)
{
	char path[256];
	int fd;

	net_path(path, sizeof(path), name);
	if (mkdir(NETNS_DIR, 0755) && errno != EEXIST)
		die(NETNS_DIR);
	fd = open(path, O_RDONLY | O_CREAT | O_EXCL, 0);
	if (fd < 0)
		die(path);
	close(fd);
	if (unshare(CLONE_NEWNET))
		die("unshare");
	write_one("/proc/sys/net/ipv6/conf/all/disable_ipv6");
	write_one("/proc/sys/net/ipv6/conf/default/disable_ipv6");
	if (mount("/proc/self/ns/net", path, "none", MS_BIND, NULL))
		die(path);
}

static void net_del(const char *name)
{
	char path[256];

	net_path(path, sizeof(path), name);
	/* One that is no mount is half made. */
	umount2(path, MNT_DETACH);
	unlink(path);
}

static void link_up(const char *dev)
{
	struct ifreq ifr = { 0 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr))
		die(dev);
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &ifr))
		die(dev);
	close(fd);
}

/* What is not about frames. Returns whether it was asked for. */
static int housekeeping(int argc, char **argv)
{
	int i;

	if (argc >= 3 && !strcmp(argv[1], "add")) {
		for (i = 2; i < argc; i++)
			net_add(argv[i]);
	} else if (argc >= 3 && !strcmp(argv[1], "del")) {
		for (i = 2; i < argc; i++)
			net_del(argv[i]);
	} else if (argc == 4 && !strcmp(argv[1], "up")) {
		enter(argv[2]);
		link_up(argv[3]);
	} else {
		return 0;
	}
	return 1;
}

/* What is about a device's state. Returns whether it was asked for. */
static int asked(int argc, char **argv)
{
	double start = now();

	if (argc == 5 && !strcmp(argv[1], "counter")) {
		enter(argv[2]);
		printf("%llu\n", wire_counter(argv[3], argv[4]));
	} else if (argc == 6 && !strcmp(argv[1], "counted")) {
		enter(argv[2]);
		while (wire_counter(argv[3], argv[4]) < strtoul(argv[5], NULL, 10))
			rest(start);
	} else if (argc == 4 && !strcmp(argv[1], "carrier")) {
		enter(argv[2]);
		while (!wire_carrier(argv[3]))
			rest(start);
	} else {
		return 0;
	}
	return 1;
}

int main(int argc, char **argv)
{
	size_t len = WIRE_SHORTEST;
	unsigned long count;

	if (housekeeping(argc, argv))
		return 0;
	if (argc >= 4 && !strcmp(argv[1], "in")) {
		enter(argv[2]);
		execvp(argv[3], argv + 3);
		die(argv[3]);
	}
	if (asked(argc, argv))
		return 0;
	if (argc < 4 || argc > 5) {
		fputs(usage, stderr);
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
