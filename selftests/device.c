// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of Ethernet device carries a stream both ways, whatever it and those
 * below it do by themselves of cutting, joining and checksums.
 *
 *	+- red --------------+                  +- blue -------------+
 *	|   dut --- low      +------- wire -----+      low --- dut   |
 *	+--------------------+                  +--------------------+
 *
 * The device under test is dut at both ends. It is made of low, an end of a pair of
 * veth, or is that itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "conn.h"
#include "dut.h"
#include "ethtool.h"
#include "kselftest_harness.h"
#include "net.h"
#include "repeat.h"
#include "sock.h"
#include "transfer.h"
#include "wait.h"

#define PORT	7000
#define CHUNK	(64 << 10)
/* Ten mebibytes, or less where all takes longer. */
#define SIZE	((size_t)repeat(160) * CHUNK)
/* Enough for many a frame to be cut, and joined. */
#define SIZE_AGAIN	((size_t)repeat_least(16, 2) * CHUNK)

/* Pass frames from one tap to another, and back. */
static void relay(int one, int other)
{
	struct pollfd pfd[] = {
		{ .fd = one, .events = POLLIN },
		{ .fd = other, .events = POLLIN },
	};
	static char frame[CHUNK + 64];
	ssize_t len;
	int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (poll(pfd, 2, -1) > 0)
		for (i = 0; i < 2; i++) {
			if (!(pfd[i].revents & POLLIN))
				continue;
			len = read(pfd[i].fd, frame, sizeof(frame));
			/* A tap that is not up yet takes nothing. */
			if (len > 0 && write(pfd[!i].fd, frame, len) < 0)
				continue;
		}
	_exit(0);
}

static int tap(int net)
{
	struct ifreq ifr = {
		.ifr_name = "dut", .ifr_flags = IFF_TAP | IFF_NO_PI,
	};
	int err = net_enter(net), fd;

	/* Nobody may have asked for the module yet. */
	if (!err && access("/dev/net/tun", F_OK) && system("modprobe -q tun"))
		return -ENODEV;
	fd = err ?: open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		return -errno;
	return fd;
}

static int taps(const struct wire *wire)
{
	int one = tap(wire->red), other = tap(wire->blue);

	if (one < 0 || other < 0)
		return one < 0 ? one : other;
	if (!fork())
		relay(one, other);
	close(one);
	close(other);
	return 0;
}

static int pair_of(const char *kind, const struct wire *wire)
{
	struct link_spec pair = {
		.kind = kind, .name = "low", .peer = "low",
		.peer_net = wire->blue,
	};
	int err = net_enter(wire->red);

	return err ?: link_add(&pair);
}

FIXTURE(device) {
	struct wire wire;
	struct conn conn;
};

/* @kind of the wire; what makes dut of low, or NULL where it is there */
FIXTURE_VARIANT(device) {
	const char *kind;
	dut_make *make;
};

#define DEVICE(name, kind_, make_)			\
FIXTURE_VARIANT_ADD(device, name) {			\
	.kind = kind_, .make = make_,			\
}

DEVICE(veth, "veth", dut_renamed);
DEVICE(card, "ferry", dut_renamed);
DEVICE(tap, "tap", NULL);
DEVICE(bridge, "veth", dut_bridge);
DEVICE(bond, "veth", dut_bond);
DEVICE(vlan, "veth", dut_vlan);
DEVICE(vlan_on_card, "ferry", dut_vlan);
DEVICE(macvlan, "veth", dut_macvlan);
DEVICE(vxlan, "veth", dut_vxlan);
DEVICE(macsec, "veth", dut_macsec);

static int low_up(void)
{
	return link_index("low") ? link_up("low") : 0;
}

static int end_up(int net, int end, dut_make *make, unsigned char *addr)
{
	int err = net_enter(net) ?: low_up();

	if (!err && make)
		err = make(end);
	err = err ?: link_up("dut");
	err = err ?: low_up();
	err = err ?: link_address("dut", addr);
	if (!err)
		err = ferry_enable("dut");
	/* Our own cards are enabled from the start: dut is to be the only way. */
	if (err == -EEXIST)
		return 0;
	ferry_disable("low");
	return err;
}

static bool running(void *net)
{
	return !net_enter(*(int *)net) && link_running("dut");
}

FIXTURE_SETUP(device)
{
	struct wire *wire = &self->wire;

	wire->blue = net_new();
	wire->red = net_new();
	ASSERT_LE(0, wire->blue);
	ASSERT_LE(0, wire->red);
	if (!strcmp(variant->kind, "tap")) {
		ASSERT_EQ(0, taps(wire));
	} else {
		ASSERT_EQ(0, pair_of(variant->kind, wire));
	}
	ASSERT_EQ(0, end_up(wire->blue, 1, variant->make, wire->fy1));
	ASSERT_EQ(0, end_up(wire->red, 2, variant->make, wire->fy0));
	ASSERT_TRUE(wait_until(running, &wire->blue));
	ASSERT_TRUE(wait_until(running, &wire->red));
}

FIXTURE_TEARDOWN(device)
{
	conn_close(&self->conn);
}

/* What a device cannot change it keeps. */
static int offload(int net, const char *on, const char *off)
{
	int err = net_enter(net);

	if (err)
		return err;
	/* The core would have modprobe look for one that is not there. */
	if (link_index("low"))
		link_features("low", on, off);
	link_features("dut", on, off);
	return 0;
}

/* What cuts, by what "ethtool -k" calls it, and what sums up. */
#define CUTS	"tx-generic-segmentation tx-tcp*-segmentation tx-sctp-segmentation"
#define SUMS	"tx-checksum-*"

/* Records keep their marks, wherever they are cut and joined. */
static int exchange_records(const struct wire *wire)
{
	static char record[CHUNK];
	struct conn conn;
	size_t len;
	int err;

	err = conn_across(&conn, SOCK_SEQPACKET, PORT + 1, wire);
	for (len = 0; !err && len < CHUNK; len += 5003) {
		pattern_fill(record, len, len);
		if (sock_send(conn.client, record, len, 0) != len ||
		    sock_recv(conn.server, record, CHUNK, 0) != len ||
		    !pattern_is(record, len, len))
			err = -EBADMSG;
	}
	conn_close(&conn);
	return err;
}

static int exchange_datagram(const struct wire *wire)
{
	struct sockaddr_ferry to = sfy(wire->fy1, PORT);
	char text[8] = "";
	int reader, fd, err = net_enter(wire->blue);

	reader = dgram_at(PORT);
	err = err ?: net_enter(wire->red);
	fd = dgram();
	if (!err && (sock_send_to(fd, "hello", 6, &to) != 6 ||
		     sock_await(reader, text, sizeof(text)) != 6 ||
		     strcmp("hello", text)))
		err = -EBADMSG;
	close(reader);
	close(fd);
	return err;
}

TEST_F_TIMEOUT(device, as_it_comes, 60)
{
	ASSERT_EQ(0, conn_across(&self->conn, SOCK_STREAM, PORT, &self->wire));
	EXPECT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	/* What a device loses while it settles was sent again by now. */
	EXPECT_EQ(0, exchange_datagram(&self->wire));
}

TEST_F_TIMEOUT(device, no_offloads, 60)
{
	static const char all[] = CUTS " " SUMS " rx-gro rx-checksum tx-scatter-gather*";

	ASSERT_EQ(0, offload(self->wire.red, "", all));
	ASSERT_EQ(0, offload(self->wire.blue, "", all));
	ASSERT_EQ(0, conn_across(&self->conn, SOCK_STREAM, PORT, &self->wire));
	EXPECT_TRUE(carries(self->conn.server, self->conn.client, SIZE));

	/* Cut by the core, and joined at the other end; one of them sums up, too. */
	ASSERT_EQ(0, offload(self->wire.red, "rx-gro", CUTS));
	ASSERT_EQ(0, offload(self->wire.blue, "rx-gro", CUTS " " SUMS));
	EXPECT_TRUE(carries_both_ways(&self->conn, SIZE_AGAIN));
	EXPECT_EQ(0, exchange_records(&self->wire));
}

TEST_HARNESS_MAIN
