// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a connection as the wire sees it: FINs in every order, aborts, and
 * what is left behind for a while.
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
#include "net.h"
#include "peer.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000	/* Ferry's */
#define FROM	6000	/* the peer's */

/* How long TIME_WAIT is at least, in microseconds, and by what it may be early. */
#define TIME_WAIT	1000000
#define EARLY		10000

#define CHUNKS		8

FIXTURE(close) {
	struct wire wire;
	struct peer peer;
	struct seg seg, got;
	int listener;
	int fd;
	char buf[4096];
};

FIXTURE_SETUP(close)
{
	ASSERT_EQ(0, peer_open(&self->peer, &self->wire, FROM, PORT));
	self->listener = conn_listen(SOCK_STREAM, PORT, 5);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, peer_connect(&self->peer, NULL));
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(close)
{
	peer_close(&self->peer);
	close(self->fd);
	close(self->listener);
}

#define SEND_DATA(bytes, with) do { \
	self->seg = peer_data(&self->peer, 0, bytes); \
	self->seg.flags = with; \
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg)); \
	self->peer.nxt = seg_end(&self->seg); \
} while (0)

/* Ferry's FIN comes, with nothing before it, and is acknowledged from here on. */
#define TAKE_FIN() do { \
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, SEG_FIN, \
				     &self->got)); \
	EXPECT_EQ(self->peer.ack, self->got.seq); \
	EXPECT_EQ(0, self->got.len); \
	self->peer.ack = seg_end(&self->got); \
} while (0)

#define AWAIT_ACK(number) do { \
	do { \
		ASSERT_EQ(0, peer_await(&self->peer, &self->got)); \
		ASSERT_EQ(SEG_DATA, self->got.kind); \
	} while (self->got.ack != (number)); \
} while (0)

#define CLOSE() do { \
	close(self->fd); \
	self->fd = -1; \
} while (0)

/* Ferry closes first: FIN_WAIT1, FIN_WAIT2, TIME_WAIT. */
#define INTO_TIME_WAIT() do { \
	CLOSE(); \
	TAKE_FIN(); \
	SEND_DATA(0, 0); \
	SEND_DATA(0, SEG_FIN); \
	AWAIT_ACK(self->peer.nxt); \
} while (0)

/* There is no connection any more: who asks is told so. */
#define EXPECT_GONE() do { \
	self->seg = peer_seg(&self->peer, SEG_DATA); \
	ASSERT_EQ(1, peer_strays(&self->peer, &self->seg, &self->got)); \
	EXPECT_EQ(SEG_RST, self->got.kind); \
	EXPECT_EQ(self->peer.ack, self->got.seq); \
} while (0)

/* The peer closes first: CLOSE_WAIT, LAST_ACK, and nothing is left. */
TEST_F(close, by_the_peer)
{
	SEND_DATA(10, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
	EXPECT_EQ(10, recv_all(self->fd, self->buf, 64));
	EXPECT_EQ(POLLIN | POLLRDHUP,
		  sock_wait(self->fd, POLLIN | POLLRDHUP | POLLHUP));
	CLOSE();
	TAKE_FIN();
	SEND_DATA(0, 0);
	EXPECT_GONE();
}

/* Half of it: Ferry can still send, and the peer acknowledge. */
TEST_F(close, half_by_the_peer)
{
	SEND_DATA(0, SEG_FIN);
	EXPECT_EQ(0, recv_all(self->fd, self->buf, 64));
	ASSERT_EQ(5, sock_send(self->fd, "hello", 5, 0));
	do {
		ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	} while (!self->got.len);
	EXPECT_EQ(0, memcmp("hello", self->got.payload, 5));
	self->peer.ack += 5;
	SEND_DATA(0, 0);
	CLOSE();
	TAKE_FIN();
	SEND_DATA(0, 0);
	EXPECT_GONE();
}

TEST_F(close, half_by_ferry)
{
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	TAKE_FIN();
	SEND_DATA(10, 0);
	EXPECT_EQ(10, recv_all(self->fd, self->buf, 10));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 10));
	SEND_DATA(10, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
	EXPECT_EQ(10, recv_all(self->fd, self->buf, 64));
}

/* Data goes before the FIN, all of it. */
TEST_F(close, data_first)
{
	ASSERT_EQ(5, sock_send(self->fd, "hello", 5, MSG_MORE));
	CLOSE();
	do {
		ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	} while (!self->got.len);
	EXPECT_EQ(self->peer.ack, self->got.seq);
	EXPECT_EQ(0, memcmp("hello", self->got.payload, 5));
	self->peer.ack += 5;
	if (!(self->got.flags & SEG_FIN))
		TAKE_FIN();
}

/* Both at once: CLOSING, then TIME_WAIT. */
TEST_F(close, simultaneous)
{
	CLOSE();
	TAKE_FIN();
	self->peer.ack--;
	SEND_DATA(0, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
	self->peer.ack++;
	SEND_DATA(0, 0);
	/* It has the last word once more, for a FIN that comes again. */
	self->peer.nxt--;
	SEND_DATA(0, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
}

TEST_F(close, fin_again)
{
	unsigned int stamp;

	CLOSE();
	TAKE_FIN();
	stamp = self->got.stamp;
	self->peer.ack--;
	TAKE_FIN();
	EXPECT_LT(0, (int)(self->got.stamp - stamp));
	SEND_DATA(0, 0);
	SEND_DATA(0, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
}

/* Nobody can read it any more: RST. */
TEST_F(close, data_after)
{
	CLOSE();
	TAKE_FIN();
	SEND_DATA(0, 0);
	SEND_DATA(10, 0);
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_RST, 0, &self->got));
	EXPECT_EQ(self->peer.ack, self->got.seq);
	EXPECT_GONE();
}

/* What was never read is lost, and the peer must know (RFC 2525, 2.17). */
TEST_F(close, unread_data)
{
	SEND_DATA(10, 0);
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	CLOSE();
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_RST, 0, &self->got));
	EXPECT_EQ(self->peer.ack, self->got.seq);
	EXPECT_GONE();
}

/* SO_LINGER with no time is an abort, whatever waits. */
TEST_F(close, abort)
{
	struct linger none = { .l_onoff = 1 };

	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_LINGER, &none,
				sizeof(none)));
	ASSERT_EQ(5, sock_send(self->fd, "hello", 5, 0));
	CLOSE();
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_RST, 0, &self->got));
	EXPECT_EQ(self->peer.ack + 5, self->got.seq);
	EXPECT_EQ(self->peer.nxt, self->got.ack);
}

/* AF_UNSPEC, of who waits for the last ACK alone: there is nothing to be told. */
TEST_F(close, last_ack__dissolved)
{
	SEND_DATA(0, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	TAKE_FIN();
	ASSERT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(0, sock_error(self->fd));
	EXPECT_GONE();
}

TEST_F(close, closing__dissolved)
{
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	TAKE_FIN();
	self->peer.ack--;
	SEND_DATA(0, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
	ASSERT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(0, sock_error(self->fd));
	EXPECT_GONE();
}

/* What is not sent yet never will be, and the peer must know. */
TEST_F(close, last_ack__unsent__dissolved)
{
	int i;

	SEND_DATA(0, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
	/* More than the first flight takes. */
	for (i = 0; i < CHUNKS; i++)
		ASSERT_EQ(sizeof(self->buf), sock_send(self->fd, self->buf,
						       sizeof(self->buf), 0));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_RST, 0, &self->got));
	EXPECT_GT(self->peer.ack + CHUNKS * sizeof(self->buf), self->got.seq);
	EXPECT_EQ(ECONNRESET, sock_error(self->fd));
}

/* FERRY_LINGER2: an orphan whose peer does not close goes without a word. */
TEST_F(close, fin_wait_2)
{
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_LINGER2, 1));
	CLOSE();
	TAKE_FIN();
	SEND_DATA(0, 0);
	/* Answered by an ACK as long as it is there, then by an RST. */
	do {
		self->seg = peer_seg(&self->peer, SEG_DATA);
		self->seg.flags = SEG_ASK;
		ASSERT_EQ(0, peer_ask(&self->peer, &self->seg, &self->got));
	} while (self->got.kind == SEG_DATA);
	EXPECT_EQ(SEG_RST, self->got.kind);
}

/* The last ACK is lost: the peer's FIN comes again, and so does the ACK. */
TEST_F(close, time_wait__fin_again)
{
	INTO_TIME_WAIT();
	self->peer.nxt--;
	SEND_DATA(0, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
	EXPECT_EQ(self->peer.ack, self->got.seq);
}

/* It lasts, and then it is over. */
TEST_F(close, time_wait__ends)
{
	unsigned int begin;

	INTO_TIME_WAIT();
	/* The FIN's, by the peer's own clock: it began no earlier. */
	begin = self->seg.stamp;
	do {
		/* Old data: an ACK as long as it lasts, then an RST. */
		self->seg = peer_data(&self->peer, -1, 1);
		ASSERT_EQ(0, peer_ask(&self->peer, &self->seg, &self->got));
		if (self->got.kind == SEG_DATA)
			EXPECT_EQ(self->peer.nxt, self->got.ack);
	} while (self->got.kind == SEG_DATA);
	EXPECT_EQ(SEG_RST, self->got.kind);
	self->seg = peer_seg(&self->peer, SEG_DATA);
	EXPECT_LE(TIME_WAIT - EARLY, self->seg.stamp - begin);
}

/* RFC 1337: not by an RST that is off by one, but by the exact one. */
TEST_F(close, time_wait__reset)
{
	INTO_TIME_WAIT();
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.seq++;
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	self->peer.nxt--;
	SEND_DATA(0, SEG_FIN);
	AWAIT_ACK(self->peer.nxt);
	self->seg = peer_seg(&self->peer, SEG_RST);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_GONE();
}

/* A fresh SYN, above what there was, need not wait. */
TEST_F(close, time_wait__fresh_syn)
{
	int fd;

	INTO_TIME_WAIT();
	ASSERT_EQ(0, peer_connect(&self->peer, &self->got));
	fd = conn_accept(self->listener);
	ASSERT_LE(0, fd);
	self->seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(0, peer_answers(&self->peer, &self->seg, &self->got));
	close(fd);
}

/* An old one is answered by what it already knew. */
TEST_F(close, time_wait__old_syn)
{
	INTO_TIME_WAIT();
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.seq = PEER_ISS;
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	EXPECT_EQ(SEG_DATA, self->got.kind);
	EXPECT_EQ(self->peer.nxt, self->got.ack);
	EXPECT_EQ(self->peer.ack, self->got.seq);
}

/*
 * Ferry connects anew from the port that has TIME_WAIT. The peer, which has missed
 * the last ACK, sends its FIN once more: it is told by an RST that it can go.
 */
TEST_F(close, time_wait__connect)
{
	struct sockaddr_ferry to = sfy(self->wire.fy0, FROM);
	__u64 fin = self->peer.nxt, last;
	int fd;

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_REUSEADDR, 1));
	INTO_TIME_WAIT();
	last = self->peer.ack;
	close(self->listener);
	self->listener = -1;
	fd = conn_bound(SOCK_STREAM | SOCK_NONBLOCK, PORT);
	ASSERT_LE(0, fd);
	ASSERT_EQ(-EINPROGRESS, sock_connect(fd, &to));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYN, 0, &self->got));
	EXPECT_LT(last, self->got.seq);
	EXPECT_EQ(1, stat_of("TimeWaitReused"));

	self->peer.nxt = fin;
	SEND_DATA(0, SEG_FIN);
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_RST, 0, &self->got));
	EXPECT_EQ(last, self->got.seq);
	EXPECT_EQ(self->peer.nxt, self->got.ack);
	/* And the SYN comes again. */
	ASSERT_EQ(0, peer_accept(&self->peer, &self->got));
	EXPECT_LT(last, self->got.seq);
	EXPECT_TRUE(sock_wait(fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(0, sock_error(fd));
	close(fd);
}

/* The new connection begins above the old one's numbers, at both ends. */
TEST_F(close, time_wait__numbers_go_on)
{
	__u64 old = self->peer.ack;

	INTO_TIME_WAIT();
	ASSERT_EQ(0, peer_connect(&self->peer, &self->got));
	EXPECT_LT(old, self->got.seq);
}

TEST_HARNESS_MAIN
