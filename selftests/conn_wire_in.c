// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an established connection makes of what arrives, in docs/protocol.md's
 * order, and how it acknowledges that.
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
#define RECORDS	20	/* a record code */

/* Microseconds between two challenge ACKs. */
#define GAP	500000

FIXTURE(in) {
	struct wire wire;
	struct peer peer;
	struct seg seg, got;
	int listener;
	int fd;
	__u64 nxt;		/* Ferry's next number, if it sends nothing */
	char buf[4096];
};

/* The peer has connected; the test is in blue. */
FIXTURE_SETUP(in)
{
	ASSERT_EQ(0, peer_open(&self->peer, &self->wire, FROM, PORT));
	self->listener = conn_listen(SOCK_STREAM, PORT, 5);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, peer_connect(&self->peer, &self->got));
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
	self->nxt = self->peer.ack;
}

FIXTURE_TEARDOWN(in)
{
	peer_close(&self->peer);
	close(self->fd);
	close(self->listener);
}

/* Send what self->seg says: @count answers; self->got is the first. */
#define ANSWERS(count) \
	ASSERT_EQ(count, peer_answers(&self->peer, &self->seg, &self->got))

/* The answer is an ACK of all before @expected. */
#define EXPECT_ACK(expected) do { \
	EXPECT_EQ(SEG_DATA, self->got.kind); \
	EXPECT_EQ(0, self->got.len); \
	EXPECT_EQ(0, self->got.flags); \
	EXPECT_EQ(self->nxt, self->got.seq); \
	EXPECT_EQ(expected, self->got.ack); \
} while (0)

/* Range @i of the answer. */
#define EXPECT_SACK(i, from, to) do { \
	EXPECT_LT(i, self->got.nsack); \
	EXPECT_EQ(from, self->got.sack[i].start); \
	EXPECT_EQ(to, self->got.sack[i].end); \
} while (0)

/* The stream's next @bytes bytes can be read, and no more. */
#define EXPECT_READ(offset, bytes) do { \
	EXPECT_EQ(bytes, recv_all(self->fd, self->buf, bytes)); \
	EXPECT_TRUE(peer_pattern_is(self->buf, offset, bytes)); \
	EXPECT_TRUE(sock_empty(self->fd)); \
} while (0)

/* The connection is none the worse: ten bytes pass. */
#define EXPECT_ALIVE() do { \
	self->seg = peer_data(&self->peer, 0, 10); \
	self->peer.nxt += 10; \
	ANSWERS(1); \
	EXPECT_ACK(self->peer.nxt); \
	EXPECT_READ(self->peer.nxt - PEER_ISS - 11, 10); \
} while (0)

TEST_F(in, in_turn)
{
	EXPECT_ALIVE();
	EXPECT_ALIVE();
	self->seg = peer_data(&self->peer, 0, 900);
	self->peer.nxt += 900;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(0, self->got.nsack);
	EXPECT_READ(20, 900);
}

/* What is new in it counts, and what was there is told as a DSACK. */
TEST_F(in, acceptable__duplicate)
{
	EXPECT_ALIVE();
	self->seg = peer_data(&self->peer, -10, 10);
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(1, self->got.nsack);
	EXPECT_SACK(0, -10, 0);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_ALIVE();
}

TEST_F(in, acceptable__overlap)
{
	EXPECT_ALIVE();
	self->seg = peer_data(&self->peer, -4, 10);
	self->peer.nxt += 6;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_SACK(0, -10, -6);
	EXPECT_READ(10, 6);
	EXPECT_ALIVE();
}

/* Beyond the window: nobody reads it, and the answer says what is wanted. */
TEST_F(in, acceptable__beyond_the_window)
{
	__u64 edge;

	self->seg = peer_data(&self->peer, 0, 10);
	self->peer.nxt += 10;
	ANSWERS(1);
	edge = self->got.ack + self->got.window;
	EXPECT_READ(0, 10);

	self->seg = peer_data(&self->peer, edge - self->peer.nxt, 10);
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(0, self->got.nsack);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_ALIVE();
}

/* So far away that no window was ever there: answered as a challenge is. */
TEST_F(in, acceptable__nowhere_near)
{
	self->seg = peer_data(&self->peer, 0, 10);
	self->seg.seq += 1ULL << 62;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	self->seg = peer_data(&self->peer, 0, 10);
	self->seg.seq -= 1ULL << 40;
	ANSWERS(0);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_ALIVE();
}

/* A part that lies beyond it is cut off. */
TEST_F(in, acceptable__across_the_edge)
{
	__u64 edge;

	self->seg = peer_data(&self->peer, 0, 10);
	self->peer.nxt += 10;
	ANSWERS(1);
	edge = self->got.ack + self->got.window;
	EXPECT_READ(0, 10);
	self->seg = peer_data(&self->peer, edge - 4 - self->peer.nxt, 10);
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_SACK(0, (int)(edge - 4 - self->got.ack),
		    (int)(edge - self->got.ack));
}

TEST_F(in, reset__exact)
{
	self->seg = peer_seg(&self->peer, SEG_RST);
	ASSERT_EQ(0, peer_strays(&self->peer, &self->seg, &self->got));
	EXPECT_NE(0, sock_wait(self->fd, POLLIN));
	EXPECT_EQ(-ECONNRESET, sock_recv(self->fd, self->buf, 10, 0));
}

TEST_F(in, reset__in_the_window)
{
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.seq++;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_ALIVE();
}

TEST_F(in, reset__outside)
{
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.seq--;
	ANSWERS(0);
	self->seg.seq += 1ULL << 40;
	ANSWERS(0);
	EXPECT_ALIVE();
}

TEST_F(in, challenge__syn)
{
	self->seg = peer_seg(&self->peer, SEG_SYN);
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_ALIVE();
}

/* The very one that began it, once more. */
TEST_F(in, challenge__old_syn)
{
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.seq = PEER_ISS;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_ALIVE();
}

TEST_F(in, challenge__synack)
{
	self->seg = peer_seg(&self->peer, SEG_SYNACK);
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_ALIVE();
}

/* It acknowledges what was never sent: neither that nor its data is taken. */
TEST_F(in, challenge__future_ack)
{
	self->seg = peer_data(&self->peer, 0, 10);
	self->seg.ack++;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_ALIVE();
}

TEST_F(in, challenge__ancient_ack)
{
	self->seg = peer_data(&self->peer, 0, 10);
	self->seg.ack -= PEER_WINDOW + 1;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_ALIVE();
}

/* One in half a second, whatever provokes them. */
TEST_F(in, challenge__limited)
{
	struct seg first;
	int count = 0, i;

	self->seg = peer_seg(&self->peer, SEG_SYN);
	ANSWERS(1);
	first = self->got;
	for (i = 0; !count; i++) {
		self->seg = peer_seg(&self->peer, i % 2 ? SEG_RST : SEG_SYNACK);
		self->seg.seq++;
		count = peer_answers(&self->peer, &self->seg, &self->got);
		ASSERT_LE(0, count);
	}
	EXPECT_EQ(1, count);
	EXPECT_LE(GAP, self->got.stamp - first.stamp);
	EXPECT_LT(1, i);
	EXPECT_ALIVE();
}

/* What is ahead of its turn is told, the newest range first, and waits. */
TEST_F(in, sack__ranges)
{
	self->seg = peer_data(&self->peer, 10, 10);
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(1, self->got.nsack);
	EXPECT_SACK(0, 10, 20);

	self->seg = peer_data(&self->peer, 30, 10);
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(2, self->got.nsack);
	EXPECT_SACK(0, 30, 40);
	EXPECT_SACK(1, 10, 20);
	EXPECT_TRUE(sock_empty(self->fd));

	self->seg = peer_data(&self->peer, 0, 10);
	self->peer.nxt += 20;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(1, self->got.nsack);
	EXPECT_SACK(0, 10, 20);
	EXPECT_READ(0, 20);

	self->seg = peer_data(&self->peer, 0, 10);
	self->peer.nxt += 20;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(0, self->got.nsack);
	EXPECT_READ(20, 20);
	EXPECT_ALIVE();
}

/* Of many ranges the four that changed last are told. */
TEST_F(in, sack__four_at_most)
{
	int i;

	for (i = 1; i <= 8; i++) {
		self->seg = peer_data(&self->peer, 20 * i, 10);
		ANSWERS(1);
		EXPECT_EQ(i < 4 ? i : 4, self->got.nsack);
		EXPECT_SACK(0, 20 * i, 20 * i + 10);
	}
	EXPECT_SACK(3, 100, 110);
	self->seg = peer_data(&self->peer, 0, 170);
	self->peer.nxt += 170;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_READ(0, 170);
}

/* Twice what is ahead of its turn: once as a DSACK, once as the range. */
TEST_F(in, sack__duplicate_ahead)
{
	self->seg = peer_data(&self->peer, 10, 10);
	ANSWERS(1);
	self->seg = peer_data(&self->peer, 10, 10);
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(2, self->got.nsack);
	EXPECT_SACK(0, 10, 20);
	EXPECT_SACK(1, 10, 20);
	self->seg = peer_data(&self->peer, 0, 10);
	self->peer.nxt += 20;
	ANSWERS(1);
	EXPECT_READ(0, 20);
}

/* Pieces that overlap in every way make one stream. */
TEST_F(in, sack__overlaps)
{
	static const struct { unsigned int at, bytes; } pieces[] = {
		{ 50, 20 }, { 40, 20 }, { 60, 30 }, { 45, 10 }, { 30, 80 },
		{ 20, 5 }, { 10, 25 }, { 5, 1 }, { 5, 2 }, { 4, 2 },
	};
	size_t i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		self->seg = peer_data(&self->peer, pieces[i].at,
				      pieces[i].bytes);
		ANSWERS(1);
		EXPECT_ACK(self->peer.nxt);
	}
	EXPECT_TRUE(sock_empty(self->fd));
	self->seg = peer_data(&self->peer, 0, 15);
	self->peer.nxt += 110;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_READ(0, 110);
	EXPECT_ALIVE();
}

/* A FIN waits for its turn as a byte does. */
TEST_F(in, fin__out_of_order)
{
	self->seg = peer_data(&self->peer, 10, 10);
	self->seg.flags = SEG_FIN;
	ANSWERS(1);
	EXPECT_ACK(self->peer.nxt);
	EXPECT_SACK(0, 10, 21);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_EQ(0, sock_events(self->fd) & (POLLIN | POLLRDHUP));

	self->seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	do {
		ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	} while (self->got.ack != self->peer.nxt + 21);
	EXPECT_EQ(20, recv_all(self->fd, self->buf, 4096));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 20));
	EXPECT_TRUE(sock_events(self->fd) & POLLRDHUP);
}

/* Once a FIN has said where the end is, there is nothing beyond it. */
TEST_F(in, fin__data_beyond)
{
	self->seg = peer_data(&self->peer, 10, 10);
	self->seg.flags = SEG_FIN;
	ANSWERS(1);
	self->seg = peer_data(&self->peer, 20, 10);
	ANSWERS(0);
	self->seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(20, recv_all(self->fd, self->buf, 4096));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 20));
}

/* A stream has no records. */
TEST_F(in, record_end_on_a_stream)
{
	self->seg = peer_data(&self->peer, 0, 10);
	self->seg.flags = SEG_EOR;
	ANSWERS(0);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_ALIVE();
}

TEST_F(in, ask)
{
	unsigned int stamp;

	self->seg = peer_seg(&self->peer, SEG_DATA);
	self->seg.flags = SEG_ASK;
	stamp = self->seg.stamp;
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	EXPECT_ACK(self->peer.nxt);
	EXPECT_EQ(stamp, self->got.echo);
	/* And who does not ask hears nothing. */
	self->seg = peer_seg(&self->peer, SEG_DATA);
	ANSWERS(0);
}

FIXTURE(records) {
	struct wire wire;
	struct peer peer;
	struct seg seg, got;
	int listener;
	int fd;
	char buf[4096];
};

FIXTURE_SETUP(records)
{
	ASSERT_EQ(0, peer_open(&self->peer, &self->wire, FROM, PORT));
	self->listener = conn_listen(SOCK_SEQPACKET, PORT, 5);
	ASSERT_LE(0, self->listener);
	self->peer.code = RECORDS;
	ASSERT_EQ(0, peer_connect(&self->peer, &self->got));
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(records)
{
	peer_close(&self->peer);
	close(self->fd);
	close(self->listener);
}

/*
 * Send @bytes from the @offset-th on, a record's end after them if @with says so.
 * All before the @next-th is there then.
 */
#define PIECE(offset, bytes, with, next) do { \
	self->peer.nxt = PEER_ISS + 1; \
	self->seg = peer_data(&self->peer, offset, bytes); \
	self->seg.flags = with; \
	self->peer.nxt += next; \
	ASSERT_LE(0, peer_answers(&self->peer, &self->seg, &self->got)); \
	EXPECT_EQ(self->peer.nxt, self->got.ack); \
} while (0)

TEST_F(records, whole_or_not_at_all)
{
	PIECE(0, 10, 0, 10);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_EQ(0, sock_events(self->fd) & POLLIN);
	PIECE(10, 10, SEG_EOR, 21);
	EXPECT_EQ(20, sock_await(self->fd, self->buf, 4096));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 20));
	EXPECT_TRUE(sock_empty(self->fd));
}

/* The end of a record alone, of its bytes and in the wrong order. */
TEST_F(records, mark_alone)
{
	PIECE(10, 0, SEG_EOR, 0);
	PIECE(11, 5, SEG_EOR, 0);
	EXPECT_TRUE(sock_empty(self->fd));
	PIECE(0, 10, 0, 17);
	EXPECT_EQ(10, sock_await(self->fd, self->buf, 4096));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 10));
	EXPECT_EQ(5, sock_await(self->fd, self->buf, 4096));
	EXPECT_TRUE(peer_pattern_is(self->buf, 11, 5));
	EXPECT_TRUE(sock_empty(self->fd));
}

TEST_F(records, empty)
{
	PIECE(0, 0, SEG_EOR, 1);
	PIECE(1, 3, SEG_EOR, 5);
	EXPECT_EQ(0, sock_await(self->fd, self->buf, 4096));
	EXPECT_EQ(3, sock_await(self->fd, self->buf, 4096));
	EXPECT_TRUE(peer_pattern_is(self->buf, 1, 3));
}

/* A duplicate that has the mark, and more before it, makes no second record. */
TEST_F(records, duplicate)
{
	PIECE(0, 10, SEG_EOR, 11);
	PIECE(0, 10, SEG_EOR, 11);
	PIECE(5, 5, SEG_EOR, 11);
	PIECE(10, 0, SEG_EOR, 11);
	PIECE(11, 4, SEG_EOR, 16);
	EXPECT_EQ(10, sock_await(self->fd, self->buf, 4096));
	EXPECT_EQ(4, sock_await(self->fd, self->buf, 4096));
	EXPECT_TRUE(peer_pattern_is(self->buf, 11, 4));
	EXPECT_TRUE(sock_empty(self->fd));
}

/* Ferry sends no record that is larger than the peer's code says. */
TEST_F(records, as_large_as_promised)
{
	static struct peer other;
	static char data[4097];
	int fd;

	ASSERT_EQ(0, peer_another(&other, &self->wire, FROM + 1, PORT));
	other.code = 12;
	ASSERT_EQ(0, peer_connect(&other, NULL));
	fd = conn_accept(self->listener);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EMSGSIZE, sock_send(fd, data, 4097, 0));
	EXPECT_EQ(4096, sock_send(fd, data, 4096, 0));
	ASSERT_EQ(0, peer_await_kind(&other, SEG_DATA, SEG_EOR, &self->got));
	EXPECT_EQ(other.ack + 4096, self->got.seq + self->got.len);
	close(fd);
	peer_close(&other);
}

/* The connection ends inside of a record: that one is never delivered. */
TEST_F(records, torn_by_the_fin)
{
	PIECE(0, 10, SEG_EOR, 11);
	self->seg = peer_data(&self->peer, 0, 10);
	self->seg.flags = SEG_FIN;
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(10, sock_await(self->fd, self->buf, 4096));
	ASSERT_NE(0, sock_wait(self->fd, POLLRDHUP));
	EXPECT_GE(0, sock_recv(self->fd, self->buf, 4096, MSG_DONTWAIT));
}

TEST_HARNESS_MAIN
