// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an established connection sends: within the window that the peer offers,
 * again if it is lost, and a question now and then to a peer that is silent.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  the peer  fy0 -+--------+- fy1    Ferry   |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "ethtool.h"
#include "net.h"
#include "peer.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000	/* Ferry's */
#define FROM	6000	/* the peer's */

/* Microseconds by which a timer of the kernel may be early: a jiffy and a bit. */
#define EARLY	10000

/* Longer than any window here. */
#define TEXT	100000

FIXTURE(out) {
	struct wire wire;
	struct peer peer;
	struct seg seg, got;
	int listener;
	int fd;
	__u64 first;		/* number of the first byte that Ferry sends */
	char text[TEXT], buf[TEXT];
};

FIXTURE_SETUP(out)
{
	ASSERT_EQ(0, peer_open(&self->peer, &self->wire, FROM, PORT));
	self->listener = conn_listen(SOCK_STREAM, PORT, 5);
	ASSERT_LE(0, self->listener);
	pattern_fill(self->text, TEXT, 0);
}

FIXTURE_TEARDOWN(out)
{
	peer_close(&self->peer);
	close(self->fd);
	close(self->listener);
}

/* The peer has connected, and offers this window. */
#define CONNECT(size) do { \
	self->peer.window = size; \
	ASSERT_EQ(0, peer_connect(&self->peer, NULL)); \
	self->fd = conn_accept(self->listener); \
	ASSERT_LE(0, self->fd); \
	self->first = self->peer.ack; \
} while (0)

/* Acknowledge up to self->peer.ack. */
#define ACKNOWLEDGE() do { \
	self->seg = peer_seg(&self->peer, SEG_DATA); \
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg)); \
} while (0)

/* Take data, keeping it in self->buf, until @least is reached. None ends beyond @most. */
#define TAKE(least, most) do { \
	while (self->peer.ack < (least)) { \
		ASSERT_EQ(0, peer_await(&self->peer, &self->got)); \
		ASSERT_GE(most, seg_end(&self->got)); \
		if (!self->got.len || self->got.seq > self->peer.ack) \
			continue; \
		memcpy(self->buf + (self->got.seq - self->first), \
		       self->got.payload, self->got.len); \
		if (seg_end(&self->got) > self->peer.ack) \
			self->peer.ack = seg_end(&self->got); \
	} \
} while (0)

#define TAKE_ALL(end) TAKE(end, end)

TEST_F(out, stream)
{
	CONNECT(PEER_WINDOW);
	ASSERT_EQ(5000, sock_send(self->fd, self->text, 5000, 0));
	TAKE_ALL(self->first + 5000);
	EXPECT_EQ(0, memcmp(self->text, self->buf, 5000));
	ACKNOWLEDGE();
}

/*
 * A device that does not take large segments: they are cut into frames, each with
 * its own numbers, and the marks are the last one's.
 */
TEST_F(out, stream__cut)
{
	int frames = 0;

	ASSERT_EQ(0, link_feature("fy1", "tx-sctp-segmentation", false));
	/* And are not joined before the peer sees them. */
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, link_feature("fy0", "rx-gro", false));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	/* All of it waits, so that it is one segment. */
	CONNECT(0);
	ASSERT_EQ(5500, sock_send(self->fd, self->text, 5500, 0));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	self->peer.window = PEER_WINDOW;
	ACKNOWLEDGE();
	do {
		ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, 0,
					     &self->got));
		if (!self->got.len && !(self->got.flags & SEG_FIN))
			continue;
		EXPECT_EQ(self->peer.ack, self->got.seq);
		EXPECT_GE(PEER_MSS, self->got.len);
		EXPECT_EQ(self->got.seq + self->got.len == self->first + 5500,
			  self->got.flags & SEG_FIN);
		memcpy(self->buf + (self->got.seq - self->first),
		       self->got.payload, self->got.len);
		self->peer.ack = seg_end(&self->got);
		frames++;
	} while (!(self->got.flags & SEG_FIN));
	EXPECT_LE(6, frames);
	EXPECT_EQ(0, memcmp(self->text, self->buf, 5500));
	ACKNOWLEDGE();
}

/* Nothing beyond the window, and all of it in the end. */
TEST_F(out, window__is_kept)
{
	__u64 edge, least;

	CONNECT(3000);
	edge = self->first + 3000;
	ASSERT_EQ(20000, sock_send(self->fd, self->text, 20000, 0));
	/* Each is answered: on a busy host the tail may be probed, and then less sent. */
	while (self->peer.ack < self->first + 20000) {
		least = self->peer.ack + 1;
		TAKE(least, edge);
		if (edge < self->peer.ack + 1500)
			edge = self->peer.ack + 1500;
		self->peer.window = edge - self->peer.ack;
		ACKNOWLEDGE();
	}
	EXPECT_EQ(0, memcmp(self->text, self->buf, 20000));
}

/* A window that moves left does not count: what was offered was offered. */
TEST_F(out, window__does_not_shrink)
{
	CONNECT(3000);
	self->peer.window = 1000;
	self->seg = peer_seg(&self->peer, SEG_DATA);
	EXPECT_EQ(0, peer_answers(&self->peer, &self->seg, &self->got));
	ASSERT_EQ(3000, sock_send(self->fd, self->text, 3000, 0));
	TAKE_ALL(self->first + 3000);
	EXPECT_EQ(0, memcmp(self->text, self->buf, 3000));
}

/* It is closed: Ferry asks, and goes on when it opens. */
TEST_F(out, window__zero)
{
	unsigned int asked;

	CONNECT(3000);
	ASSERT_EQ(5000, sock_send(self->fd, self->text, 5000, 0));
	TAKE_ALL(self->first + 3000);
	self->peer.window = 0;
	ACKNOWLEDGE();
	/* On a busy host the tail was probed before that came. */
	do {
		ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, SEG_ASK,
					     &self->got));
	} while (self->got.seq < self->peer.ack);
	asked = self->got.stamp;
	EXPECT_EQ(0, self->got.len);
	EXPECT_EQ(self->peer.ack, self->got.seq);
	ACKNOWLEDGE();
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, SEG_ASK,
				     &self->got));
	EXPECT_EQ(0, self->got.len);
	/* The second waits twice as long, the first at least the least RTO. */
	EXPECT_LE(200000 - EARLY, self->got.stamp - asked);
	self->peer.window = PEER_WINDOW;
	ACKNOWLEDGE();
	TAKE_ALL(self->first + 5000);
	EXPECT_EQ(0, memcmp(self->text, self->buf, 5000));
}

/* Wait for the answer to one of these stamps; the edge only moves right. */
#define AWAIT_ECHO(one, other, edge) do { \
	do { \
		ASSERT_EQ(0, peer_await(&self->peer, &self->got)); \
		EXPECT_LE(edge, self->got.ack + self->got.window); \
		edge = self->got.ack + self->got.window; \
	} while (self->got.echo != (one) && self->got.echo != (other)); \
} while (0)

/* What Ferry offers it keeps, until there is no more; and reading opens it. */
TEST_F_TIMEOUT(out, window__of_ferry, 120)
{
	__u64 begin, edge = 0;
	unsigned int stamp;
	size_t left, len;

	CONNECT(PEER_WINDOW);
	begin = self->peer.nxt;
	do {
		self->seg = peer_data(&self->peer, 0, 1000);
		ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
		stamp = self->seg.stamp;
		self->peer.nxt += 1000;
		self->seg = peer_seg(&self->peer, SEG_DATA);
		self->seg.flags = SEG_ASK;
		ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
		AWAIT_ECHO(stamp, self->seg.stamp, edge);
		ASSERT_EQ(self->peer.nxt, self->got.ack);
	} while (self->peer.nxt + 1000 <= edge);
	left = self->peer.nxt - begin;
	EXPECT_LT(30000, left);

	for (; left; left -= len) {
		len = left < TEXT ? left : TEXT;
		ASSERT_EQ(len, recv_all(self->fd, self->buf, len));
		EXPECT_TRUE(peer_pattern_is(self->buf,
					    self->peer.nxt - left - begin,
					    len));
	}
	while (edge < self->peer.nxt + 1000) {
		ASSERT_EQ(0, peer_await(&self->peer, &self->got));
		EXPECT_LE(edge, self->got.ack + self->got.window);
		edge = self->got.ack + self->got.window;
	}
	self->seg = peer_data(&self->peer, 0, 1000);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(1000, recv_all(self->fd, self->buf, 1000));
	EXPECT_TRUE(peer_pattern_is(self->buf, self->peer.nxt - begin, 1000));
}

/* What is not acknowledged comes again, the same. */
TEST_F(out, again__without_an_ack)
{
	struct seg first;

	CONNECT(PEER_WINDOW);
	ASSERT_EQ(100, sock_send(self->fd, self->text, 100, 0));
	ASSERT_EQ(0, peer_await(&self->peer, &first));
	do {
		ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	} while (!self->got.len);
	EXPECT_EQ(first.seq, self->got.seq);
	EXPECT_EQ(100, self->got.len);
	EXPECT_EQ(0, memcmp(self->text, self->got.payload, 100));
	EXPECT_LT(0, (int)(self->got.stamp - first.stamp));
	self->peer.ack += 100;
	self->seg = peer_seg(&self->peer, SEG_DATA);
	EXPECT_EQ(0, peer_answers(&self->peer, &self->seg, &self->got));
}

/* A hole that SACKs tell of is filled: with what is missing, and no more. */
TEST_F(out, again__the_hole)
{
	CONNECT(PEER_WINDOW);
	ASSERT_EQ(8000, sock_send(self->fd, self->text, 8000, 0));
	TAKE_ALL(self->first + 8000);
	EXPECT_EQ(0, memcmp(self->text, self->buf, 8000));
	/* The second packet of them is lost. */
	self->peer.ack = self->first + 1000;
	self->seg = peer_seg(&self->peer, SEG_DATA);
	self->seg.nsack = 1;
	self->seg.sack[0].start = 1000;
	self->seg.sack[0].end = 7000;
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	/* A tail's probe may have left before. */
	do {
		ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	} while (self->got.seq != self->first + 1000);
	EXPECT_EQ(1000, self->got.len);
	EXPECT_EQ(0, memcmp(self->text + 1000, self->got.payload, 1000));
	self->peer.ack = self->first + 8000;
	self->seg = peer_seg(&self->peer, SEG_DATA);
	EXPECT_EQ(0, peer_answers(&self->peer, &self->seg, &self->got));
}

/* Lists that cannot be true, or mean work: none of them does any harm. */
TEST_F(out, hostile__sack_lists)
{
	static const struct { int start, end; } cannot[][SEG_SACKS] = {
		{ { -2147483647 - 1, 2147483647 } },
		{ { 2147483646, 2147483647 } },
		{ { -1, 1 }, { -100, 100000 } },
		{ { 0, 1 }, { 1, 2 }, { 2, 3 }, { 3, 4 }, { 4, 5 } },
		{ { 9, 10 }, { 7, 8 }, { 5, 6 }, { 3, 4 }, { 1, 2 } },
		{ { 1, 50000 }, { 1, 50000 }, { 1, 50000 }, { 2, 49999 } },
		{ { 19999, 20001 }, { 20000, 20001 }, { 20001, 30000 } },
	};
	int i, j, round;

	CONNECT(PEER_WINDOW);
	ASSERT_EQ(20000, sock_send(self->fd, self->text, 20000, 0));
	for (round = 0; round < 500; round++) {
		for (i = 0; i < 7; i++) {
			self->seg = peer_seg(&self->peer, SEG_DATA);
			for (j = 0; j < SEG_SACKS && cannot[i][j].end; j++) {
				self->seg.sack[j].start = cannot[i][j].start;
				self->seg.sack[j].end = cannot[i][j].end;
			}
			self->seg.nsack = j;
			ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
		}
	}
	/* What they said was in vain: all comes, as often as it takes. */
	while (self->peer.ack < self->first + 20000) {
		ASSERT_EQ(0, peer_await(&self->peer, &self->got));
		ASSERT_GE(self->first + 20000, seg_end(&self->got));
		if (!self->got.len || self->got.seq > self->peer.ack ||
		    seg_end(&self->got) <= self->peer.ack)
			continue;
		memcpy(self->buf + (self->got.seq - self->first),
		       self->got.payload, self->got.len);
		self->peer.ack = seg_end(&self->got);
		ACKNOWLEDGE();
	}
	EXPECT_EQ(0, memcmp(self->text, self->buf, 20000));
}

/* Silence: after a second Ferry asks whether the peer is there. */
TEST_F(out, keepalive)
{
	unsigned int heard;

	CONNECT(PEER_WINDOW);
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_KEEPIDLE, 1));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_KEEPINTVL, 1));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_KEEPCNT, 2));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, SEG_ASK,
				     &self->got));
	EXPECT_EQ(0, self->got.len);
	heard = self->got.stamp;
	ACKNOWLEDGE();
	/* It was answered: silence begins anew. */
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, SEG_ASK,
				     &self->got));
	EXPECT_LE(1000000 - EARLY, self->got.stamp - heard);
	heard = self->got.stamp;
	/* It was not: two are the end. */
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, SEG_ASK,
				     &self->got));
	EXPECT_LE(1000000 - EARLY, self->got.stamp - heard);
	EXPECT_NE(0, sock_wait(self->fd, POLLIN));
	EXPECT_EQ(-ETIMEDOUT, sock_recv(self->fd, self->buf, 1, 0));
}

/* FERRY_USER_TIMEOUT bounds how long data may wait for its ACK. */
TEST_F(out, user_timeout)
{
	CONNECT(PEER_WINDOW);
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_USER_TIMEOUT, 1000));
	ASSERT_EQ(100, sock_send(self->fd, self->text, 100, 0));
	EXPECT_NE(0, sock_wait(self->fd, POLLIN));
	EXPECT_EQ(-ETIMEDOUT, sock_recv(self->fd, self->buf, 1, 0));
	EXPECT_NE(0, sock_events(self->fd) & POLLHUP);
}

TEST_HARNESS_MAIN
