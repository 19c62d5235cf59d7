// SPDX-License-Identifier: GPL-2.0-only
/*
 * A listener under a flood of SYNs from addresses that nobody has. Those who mean
 * it get through by cookies; without cookies Ferry is silent, and resets nobody.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  spoofer,       |        |                 |
 *	|  clients   fy0 -+--------+- fy1   listener |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "module.h"
#include "net.h"
#include "peer.h"
#include "repeat.h"
#include "sock.h"
#include "wait.h"

#define PORT		5000
#define FROM		6000	/* of peers made by hand */
#define QUEUE		"64"	/* requests that a listener may have */
#define CLIENTS		500
#define BATCH		200	/* spoofed SYNs for each client, and a call */
#define WARM_UP		(10000 / BATCH)

/*
 * What 100,000 SYNs may leave in memory, in kilobytes. Were 256 bytes kept of
 * each, it would be 25,000.
 */
#define FLAT_KB		2048

FIXTURE(flood) {
	struct wire wire;
	struct peer peer;
	struct seg seg, got;
	int raw;
	int listener;
};

/* Ferry is on both ends. The test is in blue. */
FIXTURE_SETUP(flood)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	self->raw = frame_socket("fy0");
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, sysctl_set("max_syn_backlog", QUEUE));
	self->listener = conn_listen(SOCK_STREAM, PORT, CLIENTS);
	ASSERT_LE(0, self->listener);
}

FIXTURE_TEARDOWN(flood)
{
	close(self->raw);
	close(self->listener);
}

/* Peers made by hand, where Ferry is not: fy0's only voice is theirs. */
#define BY_HAND() do { \
	ASSERT_EQ(0, net_enter(self->wire.red)); \
	ASSERT_EQ(0, ferry_disable("fy0")); \
	ASSERT_EQ(0, net_enter(self->wire.blue)); \
	ASSERT_EQ(0, peer_another(&self->peer, &self->wire, FROM, PORT)); \
} while (0)

/* SYNs, each from a host and a port of its own, by one call. */
static int spoof(int raw, const unsigned char *to)
{
	static unsigned char frame[BATCH][128];
	struct mmsghdr msg[BATCH] = { };
	struct iovec iov[BATCH];
	unsigned char from[FERRY_ALEN];
	struct seg syn = {
		.kind = SEG_SYN, .dport = PORT, .window = 65536,
		.stamp = 1, .mss = 1000,
	};
	int i, sent = 0, n;
	__u32 host;

	for (i = 0; i < BATCH; i++) {
		from[0] = 0x06;
		from[1] = 0;
		host = random();
		memcpy(from + 2, &host, sizeof(host));
		syn.sport = 1 + random();
		syn.seq = random();
		iov[i].iov_base = frame[i];
		iov[i].iov_len = seg_build(frame[i], from, to, &syn);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < BATCH) {
		n = sendmmsg(raw, msg + sent, BATCH - sent, 0);
		if (n < 0 && errno != ENOBUFS)
			return -errno;
		sent += n < 0 ? 0 : n;
	}
	return 0;
}

/* Accept, and answer one byte by another. */
static void *serve(void *arg)
{
	int listener = *(int *)arg, clients = repeat(CLIENTS), fd;
	long count = 0;
	char byte;

	while (count < clients) {
		fd = conn_accept(listener);
		if (fd < 0)
			break;
		/* It comes when all have begun to connect, and all SYNs are sent. */
		if (sock_recv(fd, &byte, 1, 0) == 1 &&
		    sock_send(fd, &byte, 1, 0) == 1)
			count++;
		close(fd);
	}
	return (void *)count;
}

/* Memory that the flood has cost, once all that is to be freed is. */
static bool flat(void *arg)
{
	return leftover_now().memory <= *(long *)arg + FLAT_KB;
}

TEST_F_TIMEOUT(flood, cookies, 300)
{
	struct sockaddr_ferry to = sfy(self->wire.fy1, PORT);
	long before, resets, cookies;
	int clients = repeat(CLIENTS), fd[CLIENTS], i;
	pthread_t server;
	void *served;
	char byte = 'x';

	ASSERT_EQ(0, sysctl_set("syncookies", "1"));
	for (i = 0; i < WARM_UP; i++)
		ASSERT_EQ(0, spoof(self->raw, self->wire.fy1));
	cookies = stat_wait("SyncookiesSent", 1);
	ASSERT_LE(1, cookies);
	resets = stat_of("OutRsts");
	before = leftover_now().memory;

	ASSERT_EQ(0, pthread_create(&server, NULL, serve, &self->listener));
	for (i = 0; i < clients; i++) {
		ASSERT_EQ(0, net_enter(self->wire.red));
		fd[i] = conn_socket(SOCK_STREAM | SOCK_NONBLOCK);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(-EINPROGRESS, sock_connect(fd[i], &to));
		ASSERT_EQ(0, spoof(self->raw, self->wire.fy1));
	}
	for (i = 0; i < clients; i++) {
		ASSERT_TRUE(sock_wait(fd[i], POLLOUT) & POLLOUT);
		ASSERT_EQ(0, sock_error(fd[i])) {
			TH_LOG("client %d", i);
		}
		ASSERT_EQ(1, sock_send(fd[i], &byte, 1, 0));
	}
	for (i = 0; i < clients; i++) {
		ASSERT_EQ(1, sock_await(fd[i], &byte, 1)) {
			TH_LOG("client %d", i);
		}
		close(fd[i]);
	}
	ASSERT_EQ(0, pthread_join(server, &served));
	EXPECT_EQ(clients, (long)served);

	ASSERT_EQ(0, net_enter(self->wire.blue));
	EXPECT_LT(cookies + clients * BATCH * 2 / 5, stat_of("SyncookiesSent"));
	EXPECT_EQ(resets, stat_of("OutRsts"));
	EXPECT_TRUE(wait_until(flat, &before)) {
		TH_LOG("%ld KB before, %ld after", before,
		       leftover_now().memory);
	}
}

/* As many SYN-ACKs as there are requests, and not one more of anything. */
TEST_F(flood, silence)
{
	static struct peer client[8];
	long resets, drops;
	int i;

	ASSERT_EQ(0, sysctl_set("syncookies", "0"));
	ASSERT_EQ(0, sysctl_set("max_syn_backlog", "8"));
	BY_HAND();
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, peer_another(&client[i], &self->wire,
					  FROM + 1 + i, PORT));
		self->seg = peer_seg(&client[i], SEG_SYN);
		ASSERT_EQ(1, peer_strays(&client[i], &self->seg, &self->got));
		ASSERT_EQ(SEG_SYNACK, self->got.kind);
		client[i].nxt++;
		client[i].ack = self->got.seq + 1;
	}
	resets = stat_of("OutRsts");
	drops = stat_of("ListenDrops");
	ASSERT_LE(0, resets);
	ASSERT_LE(0, drops);
	self->seg = peer_seg(&self->peer, SEG_SYN);
	EXPECT_EQ(0, peer_strays(&self->peer, &self->seg, &self->got));
	for (i = 0; i < 10; i++)
		ASSERT_EQ(0, spoof(self->raw, self->wire.fy1));
	self->seg = peer_seg(&self->peer, SEG_SYN);
	EXPECT_EQ(0, peer_strays(&self->peer, &self->seg, &self->got));
	/* But for the two that answer the question whether that was all. */
	EXPECT_EQ(resets + 2, stat_of("OutRsts"));
	EXPECT_EQ(0, stat_of("SyncookiesSent"));
	EXPECT_LE(drops + 10 * BATCH + 2, stat_wait("ListenDrops",
						    drops + 10 * BATCH + 2));

	/* One of them is done: there is room for another. */
	self->seg = peer_seg(&client[3], SEG_DATA);
	ASSERT_EQ(0, peer_send(&client[3], &self->seg));
	i = conn_accept(self->listener);
	ASSERT_LE(0, i);
	close(i);
	self->seg = peer_seg(&self->peer, SEG_SYN);
	EXPECT_EQ(1, peer_strays(&self->peer, &self->seg, &self->got));
	EXPECT_EQ(SEG_SYNACK, self->got.kind);
	for (i = 0; i < 8; i++)
		peer_close(&client[i]);
	peer_close(&self->peer);
}

/* A cookie brings back all that the SYN said. */
TEST_F(flood, cookie__good)
{
	char buf[64];
	int fd;

	ASSERT_EQ(0, sysctl_set("syncookies", "2"));
	BY_HAND();
	self->peer.mss = 777;
	ASSERT_EQ(0, peer_connect(&self->peer, &self->got));
	fd = conn_accept(self->listener);
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, stat_of("SyncookiesSent"));
	EXPECT_EQ(1, stat_of("SyncookiesRecv"));
	EXPECT_EQ(777, sock_get(fd, SOL_FERRY, FERRY_MAXSEG));
	self->seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(10, sock_await(fd, buf, 64));
	EXPECT_TRUE(peer_pattern_is(buf, 0, 10));
	close(fd);
	peer_close(&self->peer);
}

TEST_F(flood, cookie__good_for_records)
{
	int records, fd;
	char buf[64];

	ASSERT_EQ(0, sysctl_set("syncookies", "2"));
	records = conn_listen(SOCK_SEQPACKET, PORT + 1, 5);
	ASSERT_LE(0, records);
	BY_HAND();
	self->peer.far_port = PORT + 1;
	self->peer.code = 12;
	ASSERT_EQ(0, peer_connect(&self->peer, &self->got));
	fd = conn_accept(records);
	ASSERT_LE(0, fd);
	self->seg = peer_data(&self->peer, 0, 10);
	self->seg.flags = SEG_EOR;
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(10, sock_await(fd, buf, 64));
	/* The peer takes records of 4096 bytes, said its SYN. */
	EXPECT_EQ(-EMSGSIZE, sock_send(fd, (char[4097]) { }, 4097,
				       MSG_DONTWAIT));
	EXPECT_EQ(4096, sock_send(fd, (char[4096]) { }, 4096, MSG_DONTWAIT));
	close(fd);
	close(records);
	peer_close(&self->peer);
}

/* The accept queue is full: the cookie's ACK is dropped, and may come again. */
TEST_F(flood, cookie__accept_queue_is_full)
{
	static struct peer client[3];
	int listener, i, fd;

	ASSERT_EQ(0, sysctl_set("syncookies", "2"));
	listener = conn_listen(SOCK_STREAM, PORT + 1, 1);
	ASSERT_LE(0, listener);
	BY_HAND();
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, peer_another(&client[i], &self->wire,
					  FROM + 1 + i, PORT + 1));
		self->seg = peer_seg(&client[i], SEG_SYN);
		ASSERT_EQ(0, peer_send(&client[i], &self->seg));
		ASSERT_EQ(0, peer_await_kind(&client[i], SEG_SYNACK, 0,
					     &self->got));
		client[i].nxt++;
		client[i].ack = self->got.seq + 1;
	}
	for (i = 0; i < 3; i++) {
		self->seg = peer_seg(&client[i], SEG_DATA);
		ASSERT_EQ(0, peer_send(&client[i], &self->seg));
	}
	EXPECT_EQ(1, stat_wait("ListenOverflows", 1));
	for (i = 0; i < 2; i++) {
		fd = conn_accept(listener);
		ASSERT_LE(0, fd);
		close(fd);
	}
	self->seg = peer_seg(&client[2], SEG_DATA);
	ASSERT_EQ(0, peer_send(&client[2], &self->seg));
	fd = conn_accept(listener);
	EXPECT_LE(0, fd);
	close(fd);
	close(listener);
	for (i = 0; i < 3; i++)
		peer_close(&client[i]);
	peer_close(&self->peer);
}

/*
 * Off by one bit, each of them: no connection, and counted. Nor an RST, as it may be
 * the second of two segments that have changed their places; the good one still counts.
 */
TEST_F(flood, cookie__forged)
{
	int bit, fd;

	ASSERT_EQ(0, sysctl_set("syncookies", "2"));
	BY_HAND();
	self->seg = peer_seg(&self->peer, SEG_SYN);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	ASSERT_EQ(SEG_SYNACK, self->got.kind);
	self->peer.nxt++;
	for (bit = 0; bit < 63; bit++) {
		self->peer.ack = (self->got.seq ^ 1ULL << bit) + 1;
		self->seg = peer_seg(&self->peer, SEG_DATA);
		ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	}
	EXPECT_EQ(63, stat_wait("SyncookiesFailed", 63));
	EXPECT_EQ(0, stat_of("SyncookiesRecv"));
	EXPECT_EQ(0, stat_of("OutRsts"));
	EXPECT_EQ(0, sock_events(self->listener) & POLLIN);

	self->peer.ack = self->got.seq + 1;
	self->seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	fd = conn_accept(self->listener);
	EXPECT_LE(0, fd);
	close(fd);
	peer_close(&self->peer);
}

TEST_HARNESS_MAIN
