// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large segments cross whole where they can, are cut where they must be, and are
 * joined again where a device brings frame after frame.
 *
 *	+- red -----+            +- middle -------+            +- blue ----+
 *	|      fy0 -+- veth -----+- b0 = bridge   |            |           |
 *	|           |            |       = b1 ----+--- veth ---+- fy1      |
 *	+-----------+            +----------------+            +-----------+
 */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "ethtool.h"
#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "transfer.h"
#include "wait.h"

#define PORT	7100
#define SIZE	(1 << 20)
#define PIECE	(64 << 10)	/* a large segment */
/* So many frames of 1500 bytes at least. */
#define FRAMES	(SIZE / 1452)

/* A device's count of packets, from /proc/net/dev: 1 received, 9 sent. */
static long packets(int net, const char *dev, int column)
{
	FILE *file = net_enter(net) ? NULL :
				      fopen("/proc/thread-self/net/dev", "re");
	char line[512], *word, *save;
	long count = -1;
	int i;

	while (file && fgets(line, sizeof(line), file)) {
		word = strtok_r(line, " :", &save);
		if (!word || strcmp(word, dev))
			continue;
		for (i = 0; word && i <= column; i++)
			word = strtok_r(NULL, " :", &save);
		count = word ? atol(word) : -1;
	}
	if (file)
		fclose(file);
	return count;
}

static long received(int net, const char *dev)
{
	return packets(net, dev, 1);
}

static long sent(int net, const char *dev)
{
	return packets(net, dev, 9);
}

/* In this namespace, of the ports b0 and b1. */
static int bridge_up(void)
{
	static const struct link_spec bridge = { .kind = "bridge", .name = "br0" };
	int err = link_add(&bridge) ?: link_up("br0");

	err = err ?: link_join("b0", "br0") ?: link_up("b0");
	return err ?: link_join("b1", "br0") ?: link_up("b1");
}

FIXTURE(offload) {
	struct wire wire;
	int middle;
	struct conn conn;
};

FIXTURE_SETUP(offload)
{
	struct link_spec left = { .kind = "veth", .name = "b0", .peer = "fy0" };
	struct link_spec right = { .kind = "veth", .name = "b1", .peer = "fy1" };
	struct wire *wire = &self->wire;

	wire->red = net_new();
	wire->blue = net_new();
	self->middle = net_new();
	ASSERT_LE(0, self->middle);
	left.peer_net = wire->red;
	right.peer_net = wire->blue;
	ASSERT_EQ(0, link_add(&left));
	ASSERT_EQ(0, link_add(&right));
	ASSERT_EQ(0, bridge_up());
	ASSERT_EQ(0, net_enter(wire->blue));
	ASSERT_EQ(0, link_up("fy1"));
	ASSERT_EQ(0, link_address("fy1", wire->fy1));
	ASSERT_EQ(0, ferry_enable("fy1"));
	ASSERT_EQ(0, link_ready("fy1"));
	ASSERT_EQ(0, net_enter(wire->red));
	ASSERT_EQ(0, link_up("fy0"));
	ASSERT_EQ(0, link_address("fy0", wire->fy0));
	ASSERT_EQ(0, ferry_enable("fy0"));
	ASSERT_EQ(0, link_ready("fy0"));
	ASSERT_EQ(0, conn_across(&self->conn, SOCK_STREAM, PORT, wire));
}

FIXTURE_TEARDOWN(offload)
{
	conn_close(&self->conn);
}

static int features(int net, const char *dev, const char *on, const char *off)
{
	return net_enter(net) ?: link_features(dev, on, off);
}

/* veth has frames joined at the other end only if it cuts TCP, too. */
#define CUT(net, dev) \
	features(net, dev, "", "tx-tcp*-segmentation tx-sctp-segmentation")
#define JOIN(net, dev)	features(net, dev, "rx-gro", "")

TEST_F(offload, whole)
{
	struct wire *wire = &self->wire;

	ASSERT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	EXPECT_GT(FRAMES / 4, sent(wire->red, "fy0"));
	EXPECT_GT(FRAMES / 4, received(wire->blue, "fy1"));
}

/*
 * Before the first device that cannot, and no sooner: fewer packets leave than there
 * are frames. How many fewer is up to the ACKs, which let two frames go at least.
 */
TEST_F(offload, cut_by_the_core)
{
	struct wire *wire = &self->wire;

	ASSERT_EQ(0, CUT(self->middle, "b1"));
	ASSERT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	EXPECT_GT(FRAMES, sent(wire->red, "fy0"));
	EXPECT_LE(FRAMES, received(wire->blue, "fy1"));
}

TEST_F(offload, cut_by_the_core__no_checksums)
{
	struct wire *wire = &self->wire;

	ASSERT_EQ(0, features(wire->red, "fy0", "", "tx-checksum-ip-generic"));
	ASSERT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	EXPECT_LE(FRAMES, received(wire->blue, "fy1"));
}

/*
 * What is taken from the wire frame by frame goes up in few pieces. A frame that
 * cannot be joined would be one.
 */
TEST_F(offload, joined)
{
	struct wire *wire = &self->wire;
	long frames, packets;

	ASSERT_EQ(0, CUT(wire->red, "fy0"));
	ASSERT_EQ(0, CUT(self->middle, "b1"));
	ASSERT_EQ(0, JOIN(wire->blue, "fy1"));
	frames = received(wire->blue, "fy1");
	packets = stat_of("InPackets");
	ASSERT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	frames = received(wire->blue, "fy1") - frames;
	packets = stat_of("InPackets") - packets;
	TH_LOG("%ld frames, %ld packets", frames, packets);
	EXPECT_LE(FRAMES, frames);
	EXPECT_GT(frames / 4, packets);
	EXPECT_EQ(0, stat_of("InDropChecksum"));
}

/* Not without being told. */
TEST_F(offload, not_joined)
{
	struct wire *wire = &self->wire;

	ASSERT_EQ(0, CUT(wire->red, "fy0"));
	ASSERT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	ASSERT_EQ(0, net_enter(wire->blue));
	EXPECT_LE(FRAMES, stat_of("InPackets"));
}

/* A bridge joins what it receives, and what it sends on is cut again. */
TEST_F(offload, joined_and_cut_again)
{
	struct wire *wire = &self->wire;

	ASSERT_EQ(0, CUT(wire->red, "fy0"));
	ASSERT_EQ(0, JOIN(self->middle, "b0"));
	ASSERT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	EXPECT_GT(FRAMES / 4, received(wire->blue, "fy1"));

	ASSERT_EQ(0, CUT(self->middle, "b1"));
	ASSERT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	EXPECT_LE(FRAMES, received(wire->blue, "fy1"));
	ASSERT_EQ(0, net_enter(wire->blue));
	EXPECT_EQ(0, stat_of("InDropChecksum"));
}

/* Nor does what joins see a record's end where there is none, or miss one. */
TEST_F(offload, joined__records)
{
	struct wire *wire = &self->wire;
	static char record[100000];
	struct conn conn;
	size_t len;

	ASSERT_EQ(0, CUT(wire->red, "fy0"));
	ASSERT_EQ(0, CUT(self->middle, "b1"));
	ASSERT_EQ(0, JOIN(wire->blue, "fy1"));
	ASSERT_EQ(0, conn_across(&conn, SOCK_SEQPACKET, PORT + 1, wire));
	for (len = 0; len < sizeof(record); len += 7001) {
		pattern_fill(record, len, len);
		ASSERT_EQ(len, sock_send(conn.client, record, len, 0));
		ASSERT_EQ(2, sock_send(conn.client, "ab", 2, 0));
		ASSERT_EQ(len, sock_recv(conn.server, record, sizeof(record),
					 0));
		ASSERT_TRUE(pattern_is(record, len, len));
		ASSERT_EQ(2, sock_recv(conn.server, record, sizeof(record), 0));
	}
	conn_close(&conn);
}

/* Holes, doubles and frames in another order are the receiver's to see. */
TEST_F_TIMEOUT(offload, joined__on_a_bad_wire, 120)
{
	static const struct netem bad = {
		.delay_ms = 2, .jitter_ms = 1, .loss = 1, .reorder = 10,
		.duplicate = 2, .corrupt = 1, .limit = 10000,
	};
	struct wire *wire = &self->wire;

	ASSERT_EQ(0, JOIN(wire->blue, "fy1"));
	ASSERT_EQ(0, CUT(self->middle, "b1"));
	ASSERT_EQ(0, CUT(wire->red, "fy0"));
	ASSERT_EQ(0, net_enter(self->middle));
	ASSERT_EQ(0, link_netem("b1", &bad));
	EXPECT_TRUE(carries(self->conn.client, self->conn.server, SIZE));
	ASSERT_EQ(0, net_enter(wire->blue));
	EXPECT_LT(0, stat_of("InDropChecksum"));
}

/* While a call has the socket, what no device has joined is joined as it waits. */
TEST_F(offload, joined__in_a_call)
{
	struct sleeper reader = { .call = sleep_in_recv, .len = 1 };
	char out[8 * 1452], in[sizeof(out)];
	long packets, joined;
	int fault;

	ASSERT_EQ(0, CUT(self->wire.red, "fy0"));
	ASSERT_EQ(0, CUT(self->middle, "b1"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	fault = late_page(&reader.data);
	ASSERT_LE(0, fault);
	reader.fd = self->conn.server;
	ASSERT_TRUE(sleeper_run(&reader));
	ASSERT_EQ(1, send_all(self->conn.client, "x", 1));
	ASSERT_EQ(POLLIN, sock_wait(fault, POLLIN));

	packets = stat_of("InPackets");
	joined = stat_of("InJoined");
	pattern_fill(out, sizeof(out), 1);
	ASSERT_EQ(sizeof(out), send_all(self->conn.client, out, sizeof(out)));
	ASSERT_LE(packets + 8, stat_wait("InPackets", packets + 8));
	ASSERT_EQ(0, late_supply(fault, reader.data));
	EXPECT_EQ(1, sleeper_join(&reader));
	ASSERT_EQ(sizeof(in), recv_all(self->conn.server, in, sizeof(in)));
	EXPECT_TRUE(pattern_is(in, sizeof(in), 1));
	EXPECT_EQ(joined + 7, stat_of("InJoined"));
	close(fault);
}

/* As far as the end of a record, and no further. */
TEST_F(offload, joined__in_a_call__records)
{
	struct sleeper reader = { .call = sleep_in_recv, .len = 1 };
	char out[3 * 1452], in[sizeof(out) + 1];
	long packets, joined;
	struct conn conn;
	int fault, i;

	ASSERT_EQ(0, CUT(self->wire.red, "fy0"));
	ASSERT_EQ(0, CUT(self->middle, "b1"));
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, conn_across(&conn, SOCK_SEQPACKET, PORT + 1, &self->wire));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	fault = late_page(&reader.data);
	ASSERT_LE(0, fault);
	reader.fd = conn.server;
	ASSERT_TRUE(sleeper_run(&reader));
	ASSERT_EQ(1, sock_send(conn.client, "x", 1, 0));
	ASSERT_EQ(POLLIN, sock_wait(fault, POLLIN));

	packets = stat_of("InPackets");
	joined = stat_of("InJoined");
	for (i = 0; i < 3; i++) {
		pattern_fill(out, sizeof(out), i);
		ASSERT_EQ(sizeof(out), sock_send(conn.client, out, sizeof(out),
						 0));
	}
	ASSERT_LE(packets + 9, stat_wait("InPackets", packets + 9));
	ASSERT_EQ(0, late_supply(fault, reader.data));
	EXPECT_EQ(1, sleeper_join(&reader));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(sizeof(out), sock_recv(conn.server, in, sizeof(in),
						 0));
		EXPECT_TRUE(pattern_is(in, sizeof(out), i));
	}
	EXPECT_EQ(joined + 3 * 2, stat_of("InJoined"));
	close(fault);
	conn_close(&conn);
}

/*
 * A device's queue is no place for a window: it gets two large segments, or what
 * arrives in four milliseconds, at most one more, and the next when it has less.
 */
TEST_F_TIMEOUT(offload, leaves_queues_short, 60)
{
	static const struct netem far = { .delay_ms = 50, .limit = 100000 };
	static char out[4 * SIZE];
	struct ferry_info info;
	socklen_t len = sizeof(info);
	int client = self->conn.client;
	ssize_t sent, most;

	ASSERT_EQ(0, net_enter(self->middle));
	ASSERT_EQ(0, link_netem("b1", &far));
	ASSERT_TRUE(carries(client, self->conn.server, 16 * SIZE));
	ASSERT_EQ(0, net_enter(self->wire.red));
	/* What is in flight from now on is in the queue. */
	ASSERT_TRUE(conn_await_amount(client, SIOCOUTQ, 0));
	ASSERT_EQ(0, link_hold("fy0", 1 << 24));
	pattern_fill(out, sizeof(out), 1);
	sent = sock_send(client, out, sizeof(out), MSG_DONTWAIT);
	ASSERT_EQ(0, getsockopt(client, SOL_FERRY, FERRY_INFO, &info, &len));
	most = info.fyi_delivery_rate >> 8;
	most = (most > 2 * PIECE ? most : 2 * PIECE) + PIECE;
	TH_LOG("%u of %zd bytes are in the queue, of %u that may be in flight",
	       info.fyi_unacked, sent, info.fyi_snd_cwnd);
	ASSERT_LT(most, info.fyi_snd_cwnd);
	ASSERT_LT(most, sent);
	EXPECT_GE(most, info.fyi_unacked);

	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(sent, recv_all(self->conn.server, out, sent));
	EXPECT_TRUE(pattern_is(out, sent, 1));
}

/* A bridge has an address, and a port of it has another: both reach this host. */
TEST_F(offload, to_a_bridge_and_to_its_port)
{
	static const unsigned char bridge[FERRY_ALEN] = { 2, 0, 0, 0, 7, 9 };
	unsigned char port[FERRY_ALEN];
	struct sockaddr_ferry to;
	int reader, listener, fd, client, server, i;
	char byte;

	ASSERT_EQ(0, net_enter(self->middle));
	ASSERT_EQ(0, link_address("b0", port));
	ASSERT_EQ(0, link_set_address("br0", bridge));
	ASSERT_EQ(0, ferry_enable("br0"));
	reader = dgram_at(PORT);
	listener = conn_listen(SOCK_STREAM, PORT, 2);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, net_enter(self->wire.red));
	fd = dgram();
	/* The port's, too, whether Ferry is enabled there or not. */
	for (i = 0; i < 3; i++) {
		if (i == 2) {
			ASSERT_EQ(0, net_enter(self->middle));
			ASSERT_EQ(0, ferry_enable("b0"));
			ASSERT_EQ(0, net_enter(self->wire.red));
		}
		to = sfy(i ? port : bridge, PORT);
		ASSERT_EQ(1, sock_send_to(fd, "b", 1, &to));
		EXPECT_EQ(1, sock_await(reader, &byte, 1));
		client = conn_to(SOCK_STREAM, &to);
		ASSERT_LE(0, client);
		server = conn_accept(listener);
		ASSERT_LE(0, server);
		EXPECT_TRUE(carries(client, server, SIZE));
		EXPECT_TRUE(carries(server, client, SIZE));
		close(client);
		close(server);
	}
	close(listener);
	close(fd);
	close(reader);
}

/* What a bridge may not send from any more ends, at both ends. */
TEST_F(offload, to_a_port_that_changes)
{
	static const unsigned char other[FERRY_ALEN] = { 2, 0, 0, 0, 7, 8 };
	unsigned char port[FERRY_ALEN];
	struct sockaddr_ferry to;
	int listener, client, server, leaves;
	char byte;

	ASSERT_EQ(0, net_enter(self->middle));
	ASSERT_EQ(0, ferry_enable("br0"));
	for (leaves = 0; leaves < 2; leaves++) {
		ASSERT_EQ(0, link_address("b0", port));
		listener = conn_listen(SOCK_STREAM, PORT, 1);
		ASSERT_LE(0, listener);
		ASSERT_EQ(0, net_enter(self->wire.red));
		to = sfy(port, PORT);
		client = conn_to(SOCK_STREAM, &to);
		ASSERT_LE(0, client);
		server = conn_accept(listener);
		ASSERT_LE(0, server);
		ASSERT_TRUE(carries(client, server, SIZE));
		ASSERT_EQ(0, net_enter(self->middle));
		ASSERT_EQ(0, leaves ? link_join("b0", NULL) :
				      link_set_address("b0", other));
		EXPECT_EQ(-ECONNRESET, sock_await(server, &byte, 1));
		close(server);
		close(client);
		close(listener);
	}
}

TEST_HARNESS_MAIN
