// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP over the card, where packets are lost: what TCP keeps in order to send it
 * again is the same memory as what the card hands to the far end, and must stay as
 * it is whatever becomes of it there.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  writer    fy0 -+- netem-+- fy1    reader  |
 *	+-----------------+        +-----------------+
 */
#include <arpa/inet.h>
#include <errno.h>
/* Before linux/if.h, which then leaves out what this one has. */
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "repeat.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000
#define PIECE	1000
#define PIECES	4000

static const struct netem bad = {
	.delay_ms = 2, .jitter_ms = 1, .loss = 5, .limit = 10000,
};

FIXTURE(card_tcp) {
	struct wire wire;
	int listener;
	char text[PIECE * PIECES];
};

/* Give a device an IPv4 address, 10.0.0.@host/24. */
static int address_set(const char *dev, int host)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0x0a000000 + host),
	};
	struct ifreq ifr = { };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	strcpy(ifr.ifr_name, dev);
	memcpy(&ifr.ifr_addr, &in, sizeof(in));
	if (fd < 0 || ioctl(fd, SIOCSIFADDR, &ifr))
		err = -errno;
	in.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&ifr.ifr_netmask, &in, sizeof(in));
	if (!err && ioctl(fd, SIOCSIFNETMASK, &ifr))
		err = -errno;
	close(fd);
	return err;
}

FIXTURE_SETUP(card_tcp)
{
	struct sockaddr_in any = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
	};

	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, address_set("fy0", 1));
	ASSERT_EQ(0, link_netem("fy0", &bad));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, address_set("fy1", 2));
	self->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_EQ(0, bind(self->listener, (struct sockaddr *)&any,
			  sizeof(any)));
	ASSERT_EQ(0, listen(self->listener, 1));
	ASSERT_EQ(0, net_enter(self->wire.red));
	pattern_fill(self->text, sizeof(self->text), 0);
}

FIXTURE_TEARDOWN(card_tcp)
{
	close(self->listener);
}

/*
 * struct reading - a thread that accepts and reads up to the end
 * @good: bytes that are the pattern's
 */
struct reading {
	int	listener;
	size_t	good;
};

static void *read_all(void *arg)
{
	struct reading *reading = arg;
	int fd = accept(reading->listener, NULL, NULL);
	char buf[PIECE];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		if (!pattern_is(buf, n, reading->good))
			break;
		reading->good += n;
	}
	close(fd);
	return NULL;
}

/* Pieces of one size, each a packet: those are what GRO merges. */
TEST_F_TIMEOUT(card_tcp, lost_and_sent_again, 120)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(0x0a000002),
	};
	struct reading reading = { .listener = self->listener };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), i;
	int pieces = repeat(PIECES);
	pthread_t thread;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pthread_create(&thread, NULL, read_all, &reading));
	ASSERT_EQ(0, sock_set(fd, IPPROTO_TCP, TCP_NODELAY, 1));
	ASSERT_EQ(0, connect(fd, (struct sockaddr *)&to, sizeof(to)));
	for (i = 0; i < pieces; i++)
		ASSERT_EQ(PIECE, sock_send(fd, self->text + i * PIECE, PIECE,
					   0));
	close(fd);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(PIECE * pieces, reading.good);
}

TEST_HARNESS_MAIN
