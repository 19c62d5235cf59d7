// SPDX-License-Identifier: GPL-2.0-only
/*
 * A path that takes less than both ends do: a bridge drops what is too long for its
 * port, and says nothing.
 *
 *	+- red ------+    +- green ------------+    +- blue -----+
 *	|  Ferry fy0-+----+-p0   br0        p1-+----+-fy1 Ferry  |
 *	|      9000  |    | 9000          1500 |    | 9000       |
 *	+------------+    +--------------------+    +------------+
 *
 * Both ends have their segments cut before they leave: a bridge looks at frames, and
 * not at what would be cut into them.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "ethtool.h"
#include "net.h"
#include "repeat.h"
#include "sock.h"
#include "wait.h"

#define PORT		5000
#define HEADER		48	/* of a segment with payload */
#define WIDE		9000
#define NARROW		1500
#define VLAN		4	/* a bridge lets so much more pass */
#define STEP		32	/* nearer than that no search comes */
#define MIB		(1 << 20)
#define RECORD		30000

/*
 * struct path - the three namespaces, a connection from red to blue, and what it brings
 */
struct path {
	struct wire	wire;
	int		green;
	struct conn	conn;
	unsigned char	*out, *in;
};

FIXTURE(mtu) {
	struct path path;
};

/* One end, its far end a port of the bridge. */
static int make_end(struct path *path, const char *kind, int net,
		    const char *name, const char *port, unsigned int mtu,
		    unsigned char *addr)
{
	struct link_spec wire = {
		.kind = kind, .name = name, .peer = port,
		.peer_net = path->green, .mtu = mtu,
	};
	int err = net_enter(net);

	err = err ?: link_add(&wire);
	err = err ?: link_feature(name, "tx-sctp-segmentation", false);
	err = err ?: net_enter(path->green);
	err = err ?: link_join(port, "br0");
	err = err ?: link_up(port);
	err = err ?: net_enter(net);
	err = err ?: link_up(name);
	err = err ?: link_address(name, addr);
	if (!err && strcmp(kind, "ferry"))
		err = ferry_enable(name);
	return err ?: link_ready(name);
}

static int make_path(struct path *path, const char *kind,
		     unsigned int mtu)
{
	const struct link_spec bridge = {
		.kind = "bridge", .name = "br0", .peer_net = -1,
	};
	int err;

	path->conn = (struct conn){ -1, -1, -1 };
	path->out = malloc(10 * MIB);
	path->in = malloc(10 * MIB);
	if (!path->out || !path->in)
		return -ENOMEM;
	path->green = net_new();
	path->wire.blue = net_new();
	path->wire.red = net_new();
	err = net_enter(path->green);
	err = err ?: link_add(&bridge);
	err = err ?: link_up("br0");
	err = err ?: make_end(path, kind, path->wire.blue, "fy1", "p1", mtu,
			      path->wire.fy1);
	return err ?: make_end(path, kind, path->wire.red, "fy0", "p0", mtu,
			       path->wire.fy0);
}

/* In green; the caller is in red. */
static int set_path(struct path *path, unsigned int mtu)
{
	int err = net_enter(path->green);

	err = err ?: link_set_mtu("p1", mtu);
	return net_enter(path->wire.red) ?: err;
}

static void close_path(struct path *path)
{
	conn_close(&path->conn);
	free(path->out);
	free(path->in);
}

FIXTURE_SETUP(mtu)
{
	ASSERT_EQ(0, make_path(&self->path, "veth", WIDE));
}

FIXTURE_TEARDOWN(mtu)
{
	close_path(&self->path);
}

struct writer {
	int		fd;
	const void	*data;
	size_t		len;
	ssize_t		sent;
};

static void *write_all(void *arg)
{
	struct writer *writer = arg;

	writer->sent = send_all(writer->fd, writer->data, writer->len);
	return NULL;
}

/* Bring @len bytes from one end to the other. Return: whether they came. */
static bool brings(struct path *path, int from, int to, size_t len)
{
	struct writer writer = { from, path->out, len, 0 };
	static unsigned int seed;
	pthread_t thread;
	ssize_t got;

	pattern_fill(path->out, len, ++seed);
	memset(path->in, 0, len);
	if (pthread_create(&thread, NULL, write_all, &writer))
		return false;
	got = recv_all(to, path->in, len);
	/* Who gives up lets the writer do so, too. */
	if (got != (ssize_t)len)
		shutdown(to, SHUT_RDWR);
	pthread_join(thread, NULL);
	return writer.sent == (ssize_t)len && got == (ssize_t)len &&
	       pattern_is(path->in, len, seed);
}

static int mss_of(int fd)
{
	return sock_get(fd, SOL_FERRY, FERRY_MAXSEG);
}

/* Segments that are the largest of an MTU, or nearly. */
static bool fits(int mss, int mtu)
{
	return mss <= mtu - HEADER && mss > mtu - HEADER - STEP;
}

static long stat_in(int net, const char *name, int back)
{
	long value;

	if (net_enter(net))
		return -1;
	value = stat_of(name);
	return net_enter(back) ? -1 : value;
}

TEST_F_TIMEOUT(mtu, black_hole, 120)
{
	struct path *path = &self->path;

	ASSERT_EQ(0, set_path(path, NARROW));
	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	EXPECT_EQ(WIDE - HEADER, mss_of(path->conn.client));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server,
			   10 * MIB));
	EXPECT_TRUE(fits(mss_of(path->conn.client), NARROW + VLAN)) {
		TH_LOG("client's segments: %d", mss_of(path->conn.client));
	}
	EXPECT_LT(0, stat_of("MtuBlackHoles"));
	EXPECT_LT(0, stat_of("MtuProbes"));
	EXPECT_LT(0, stat_of("MtuProbeFails"));

	/* The other way is for the other end to find. */
	EXPECT_EQ(WIDE - HEADER, mss_of(path->conn.server));
	ASSERT_TRUE(brings(path, path->conn.server, path->conn.client,
			   10 * MIB));
	EXPECT_TRUE(fits(mss_of(path->conn.server), NARROW + VLAN)) {
		TH_LOG("server's segments: %d", mss_of(path->conn.server));
	}
	EXPECT_LT(0, stat_in(path->wire.blue, "MtuBlackHoles",
			     path->wire.red));
}

/* Not one of those that networks have: it is searched for. */
TEST_F_TIMEOUT(mtu, black_hole__odd, 120)
{
	struct path *path = &self->path;

	ASSERT_EQ(0, set_path(path, 3210));
	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server,
			   10 * MIB));
	EXPECT_TRUE(fits(mss_of(path->conn.client), 3210 + VLAN)) {
		TH_LOG("client's segments: %d", mss_of(path->conn.client));
	}
}

TEST_F_TIMEOUT(mtu, shrinks, 120)
{
	struct path *path = &self->path;

	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	EXPECT_EQ(WIDE - HEADER, mss_of(path->conn.client));
	EXPECT_EQ(0, stat_of("MtuBlackHoles"));

	ASSERT_EQ(0, set_path(path, NARROW));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server,
			   4 * MIB));
	EXPECT_TRUE(fits(mss_of(path->conn.client), NARROW + VLAN));
	/* And once more. */
	ASSERT_EQ(0, set_path(path, 1280));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server,
			   4 * MIB));
	EXPECT_TRUE(fits(mss_of(path->conn.client), 1280 + VLAN));
	EXPECT_LE(2, stat_of("MtuBlackHoles"));
}

/* What has left the socket as large segments comes again, in smaller ones. */
TEST_F_TIMEOUT(mtu, shrinks__in_flight, 120)
{
	struct path *path = &self->path;

	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	ASSERT_EQ(0, link_hold("fy0", 4 * MIB));
	pattern_fill(path->out, 100000, 1);
	ASSERT_EQ(100000, send_all(path->conn.client, path->out, 100000));
	ASSERT_EQ(0, set_path(path, NARROW));
	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(100000, recv_all(path->conn.server, path->in, 100000));
	EXPECT_TRUE(pattern_is(path->in, 100000, 1));
	EXPECT_LT(0, stat_of("RetransSegs"));
	EXPECT_LT(0, stat_of("MtuBlackHoles"));
}

/* A network that was away is as wide as before when it is back: one probe. */
TEST_F_TIMEOUT(mtu, outage, 120)
{
	struct path *path = &self->path;

	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	ASSERT_EQ(0, net_enter(path->green));
	ASSERT_EQ(0, link_down("br0"));
	ASSERT_EQ(0, net_enter(path->wire.red));
	ASSERT_EQ(100000, send_all(path->conn.client, path->out, 100000));
	ASSERT_LT(0, stat_wait("MtuBlackHoles", 1));
	ASSERT_EQ(0, net_enter(path->green));
	ASSERT_EQ(0, link_up("br0"));
	ASSERT_EQ(0, net_enter(path->wire.red));
	EXPECT_EQ(100000, recv_all(path->conn.server, path->in, 100000));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	EXPECT_EQ(WIDE - HEADER, mss_of(path->conn.client));
	EXPECT_EQ(0, stat_of("MtuProbeFails"));
}

TEST_F_TIMEOUT(mtu, records, 120)
{
	struct path *path = &self->path;
	unsigned int i;
	ssize_t got;

	ASSERT_EQ(0, set_path(path, NARROW));
	ASSERT_EQ(0, conn_across(&path->conn, SOCK_SEQPACKET, PORT,
				 &path->wire));
	for (i = 0; i < repeat_least(200, 50); i++) {
		pattern_fill(path->out, RECORD, i);
		ASSERT_EQ(RECORD, send_all(path->conn.client, path->out,
					   RECORD));
		got = sock_await(path->conn.server, path->in, 2 * RECORD);
		ASSERT_EQ(RECORD, got);
		ASSERT_TRUE(pattern_is(path->in, RECORD, i));
	}
	EXPECT_TRUE(fits(mss_of(path->conn.client), NARROW + VLAN)) {
		TH_LOG("segments: %d", mss_of(path->conn.client));
	}
}

/* What the device says needs no finding out. */
TEST_F_TIMEOUT(mtu, device, 120)
{
	struct path *path = &self->path;

	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	ASSERT_EQ(0, link_set_mtu("fy0", NARROW));
	EXPECT_EQ(NARROW - HEADER, mss_of(path->conn.client));
	ASSERT_EQ(0, set_path(path, NARROW));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	EXPECT_EQ(0, stat_of("MtuBlackHoles"));

	/* That it may be more is tried. */
	ASSERT_EQ(0, set_path(path, WIDE));
	ASSERT_EQ(0, link_set_mtu("fy0", 4000));
	EXPECT_EQ(NARROW - HEADER, mss_of(path->conn.client));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	EXPECT_EQ(4000 - HEADER, mss_of(path->conn.client));
	EXPECT_EQ(1, stat_of("MtuProbes"));
	/* Up to what both have agreed on. */
	ASSERT_EQ(0, link_set_mtu("fy0", 20000));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	EXPECT_EQ(WIDE - HEADER, mss_of(path->conn.client));
	EXPECT_EQ(0, stat_of("MtuProbeFails"));
}

/* It was down meanwhile. */
TEST_F_TIMEOUT(mtu, device__down, 60)
{
	struct path *path = &self->path;

	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	ASSERT_EQ(0, link_down("fy0"));
	ASSERT_EQ(0, link_set_mtu("fy0", NARROW));
	ASSERT_EQ(0, link_up("fy0"));
	EXPECT_EQ(NARROW - HEADER, mss_of(path->conn.client));
	ASSERT_EQ(0, link_ready("fy0"));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
}

/* It takes less when the handshake is over than when it began. */
TEST_F_TIMEOUT(mtu, device__in_the_handshake, 60)
{
	struct path *path = &self->path;
	struct sockaddr_ferry to = sfy(path->wire.fy1, PORT);
	long sent;

	ASSERT_EQ(0, net_enter(path->wire.blue));
	path->conn.listener = conn_listen(SOCK_STREAM, PORT, 1);
	sent = stat_of("OutSegs");
	ASSERT_EQ(0, link_hold("fy1", MIB));
	ASSERT_EQ(0, net_enter(path->wire.red));
	path->conn.client = conn_start(SOCK_STREAM, &to);
	ASSERT_LE(0, path->conn.client);
	ASSERT_EQ(0, net_enter(path->wire.blue));
	ASSERT_LT(sent, stat_wait("OutSegs", sent + 1));
	ASSERT_EQ(0, link_set_mtu("fy1", NARROW));
	ASSERT_EQ(0, link_release("fy1"));
	path->conn.server = conn_accept(path->conn.listener);
	ASSERT_LE(0, path->conn.server);
	EXPECT_EQ(NARROW - HEADER, mss_of(path->conn.server));
	EXPECT_EQ(WIDE - HEADER, mss_of(path->conn.client));
	ASSERT_TRUE(brings(path, path->conn.server, path->conn.client, MIB));
}

/* What the caller has set is no more than that. */
TEST_F_TIMEOUT(mtu, device__maxseg, 60)
{
	struct path *path = &self->path;
	struct sockaddr_ferry to = sfy(path->wire.fy1, PORT);

	ASSERT_EQ(0, net_enter(path->wire.blue));
	path->conn.listener = conn_listen(SOCK_STREAM, PORT, 1);
	ASSERT_EQ(0, net_enter(path->wire.red));
	path->conn.client = conn_socket(SOCK_STREAM);
	ASSERT_EQ(0, sock_set(path->conn.client, SOL_FERRY, FERRY_MAXSEG,
			      2000));
	ASSERT_EQ(0, sock_connect(path->conn.client, &to));
	path->conn.server = conn_accept(path->conn.listener);
	ASSERT_LE(0, path->conn.server);
	ASSERT_EQ(0, link_set_mtu("fy0", 1000));
	EXPECT_EQ(1000 - HEADER, mss_of(path->conn.client));
	ASSERT_EQ(0, link_set_mtu("fy0", WIDE));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	EXPECT_EQ(2000, mss_of(path->conn.client));
}

/* A device that is none of theirs. */
TEST_F_TIMEOUT(mtu, device__another, 60)
{
	struct path *path = &self->path;
	const struct link_spec other = {
		.kind = "ferry", .name = "fy2", .peer = "fy3", .peer_net = -1,
	};

	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	ASSERT_EQ(0, link_add(&other));
	ASSERT_EQ(0, link_up("fy2"));
	ASSERT_EQ(0, link_set_mtu("fy2", 1000));
	ASSERT_EQ(0, link_set_mtu("ferry0", 1000));
	EXPECT_EQ(WIDE - HEADER, mss_of(path->conn.client));
}

/* A call is copying what it sends, and has the socket: it is told when it is done. */
TEST_F_TIMEOUT(mtu, device__in_a_call, 60)
{
	struct path *path = &self->path;
	struct sleeper sender = { .call = sleep_in_send, .len = 100 };
	int fault;

	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	fault = late_page(&sender.data);
	ASSERT_LE(0, fault);
	sender.fd = path->conn.client;
	ASSERT_TRUE(sleeper_run(&sender));
	ASSERT_EQ(POLLIN, sock_wait(fault, POLLIN));
	ASSERT_EQ(0, link_set_mtu("fy0", NARROW));
	ASSERT_EQ(0, late_supply(fault, sender.data));
	EXPECT_EQ(100, sleeper_join(&sender));
	EXPECT_EQ(NARROW - HEADER, mss_of(path->conn.client));
	EXPECT_EQ(100, recv_all(path->conn.server, path->in, 100));
	close(fault);
}

/* This host's own connections are the loop's. */
TEST_F_TIMEOUT(mtu, device__loop, 60)
{
	struct path *path = &self->path;
	int before;

	ASSERT_EQ(0, conn_pair(&path->conn, SOCK_STREAM, PORT));
	before = mss_of(path->conn.client);
	ASSERT_EQ(0, link_set_mtu("ferry0", NARROW));
	EXPECT_EQ(NARROW - HEADER, mss_of(path->conn.client));
	EXPECT_EQ(NARROW - HEADER, mss_of(path->conn.server));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	ASSERT_EQ(0, link_set_mtu("ferry0", before + HEADER));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server, MIB));
	EXPECT_EQ(before, mss_of(path->conn.client));
}

FIXTURE(card) {
	struct path path;
};

FIXTURE_SETUP(card)
{
	ASSERT_EQ(0, make_path(&self->path, "ferry", 65535));
}

FIXTURE_TEARDOWN(card)
{
	close_path(&self->path);
}

/* Ferry's own cards take all that a packet can be. */
TEST_F_TIMEOUT(card, black_hole, 120)
{
	struct path *path = &self->path;

	ASSERT_EQ(0, set_path(path, NARROW));
	ASSERT_EQ(0, conn_across(&path->conn, SOCK_STREAM, PORT, &path->wire));
	EXPECT_EQ(65535 - HEADER, mss_of(path->conn.client));
	ASSERT_TRUE(brings(path, path->conn.client, path->conn.server,
			   10 * MIB));
	EXPECT_TRUE(fits(mss_of(path->conn.client), NARROW + VLAN)) {
		TH_LOG("segments: %d", mss_of(path->conn.client));
	}
}

TEST_HARNESS_MAIN
