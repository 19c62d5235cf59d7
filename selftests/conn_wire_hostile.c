// SPDX-License-Identifier: GPL-2.0-only
/*
 * A peer that means harm, or is broken: headers that break a rule, segments that
 * cost memory, noise. What must not be taken is counted; what may be taken has
 * bounds; and the connection, if it is still there, works as before.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  the peer  fy0 -+--------+- fy1    Ferry   |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "peer.h"
#include "repeat.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000	/* Ferry's */
#define FROM	6000	/* the peer's */

FIXTURE(hostile) {
	struct wire wire;
	struct peer peer;
	struct seg seg, got;
	int listener;
	int fd;
	unsigned char frame[SEG_FRAME_MAX];
	char buf[4096];
};

FIXTURE_SETUP(hostile)
{
	ASSERT_EQ(0, peer_open(&self->peer, &self->wire, FROM, PORT));
	self->listener = conn_listen(SOCK_STREAM, PORT, 5);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, peer_connect(&self->peer, NULL));
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(hostile)
{
	peer_close(&self->peer);
	close(self->fd);
	close(self->listener);
}

/* Send self->seg: it is counted as malformed, and that is all. */
#define MALFORMED() do { \
	long was = stat_of("InDropMalformed"); \
	ASSERT_LE(0, was); \
	ASSERT_EQ(0, peer_answers(&self->peer, &self->seg, &self->got)); \
	EXPECT_EQ(was + 1, stat_of("InDropMalformed")); \
} while (0)

/* The same with the byte at @at of Ferry's header set to @value, and padding. */
#define PADDING	64
#define MALFORMED_BYTE(at, value) do { \
	size_t len = seg_build(self->frame, self->peer.own, self->peer.far, \
			       &self->seg) + PADDING; \
	long was = stat_of("InDropMalformed"); \
	ASSERT_LE(0, was); \
	memset(self->frame + len - PADDING, 0, PADDING); \
	self->frame[SEG_ETH_HLEN + (at)] = value; \
	seg_sum(self->frame, len); \
	ASSERT_EQ(0, peer_send_frame(&self->peer, self->frame, len)); \
	self->seg = peer_seg(&self->peer, SEG_DATA); \
	ASSERT_EQ(0, peer_answers(&self->peer, &self->seg, &self->got)); \
	EXPECT_EQ(was + 1, stat_of("InDropMalformed")); \
} while (0)

TEST_F(hostile, malformed__flags)
{
	self->seg = peer_data(&self->peer, 0, 1);
	self->seg.flags = 0x08;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.flags = SEG_FIN;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_SYNACK);
	self->seg.flags = SEG_ASK;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.flags = SEG_FIN;
	MALFORMED();
}

TEST_F(hostile, malformed__code)
{
	self->seg = peer_data(&self->peer, 0, 1);
	self->seg.code = 1;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.code = 11;
	MALFORMED();
	self->seg.code = 31;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.code = FRAME_UNREACH_PORT;
	MALFORMED();
	self->seg.code = 3;
	MALFORMED();
}

TEST_F(hostile, malformed__about)
{
	self->seg = peer_data(&self->peer, 0, 1);
	self->seg.about = 1;
	MALFORMED();
}

TEST_F(hostile, malformed__stamp)
{
	self->seg = peer_data(&self->peer, 0, 1);
	self->seg.stamp = 0;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.stamp = 0;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.stamp = 1;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.echo = 1;
	MALFORMED();
}

TEST_F(hostile, malformed__numbers)
{
	/* They do not wrap. */
	self->seg = peer_data(&self->peer, 0, 10);
	self->seg.seq = -10ULL;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.ack = 1;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.echo = 1;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.window = 1;
	MALFORMED();
}

TEST_F(hostile, malformed__largest_segment)
{
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.mss = 215;
	MALFORMED();
	self->seg.mss = 0;
	MALFORMED();
}

TEST_F(hostile, malformed__payload)
{
	self->seg = peer_seg(&self->peer, SEG_SYN);
	self->seg.payload = "x";
	self->seg.bytes = 1;
	MALFORMED();
	self->seg = peer_seg(&self->peer, SEG_RST);
	self->seg.payload = "x";
	self->seg.bytes = 1;
	MALFORMED();
}

TEST_F(hostile, malformed__header_length)
{
	static const int wrong[] = { 0, 5, 11, 13, 15, 24, 255 };
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		self->seg = peer_data(&self->peer, 0, 1000);
		MALFORMED_BYTE(3, wrong[i]);
	}
	self->seg = peer_seg(&self->peer, SEG_SYN);
	MALFORMED_BYTE(3, 12);
	self->seg = peer_seg(&self->peer, SEG_SYN);
	MALFORMED_BYTE(3, 14);
	self->seg = peer_seg(&self->peer, SEG_RST);
	MALFORMED_BYTE(3, 13);
}

TEST_F(hostile, malformed__ranges)
{
	self->seg = peer_seg(&self->peer, SEG_DATA);
	self->seg.nsack = 1;
	self->seg.sack[0].start = 10;
	self->seg.sack[0].end = 10;
	MALFORMED();
	self->seg.sack[0].end = 9;
	MALFORMED();
	self->seg.nsack = 2;
	self->seg.sack[0].end = 20;
	MALFORMED();
	/* Not in a packet that has a flag, or payload. */
	self->seg.nsack = 1;
	self->seg.flags = SEG_ASK;
	MALFORMED();
	self->seg.flags = 0;
	self->seg.payload = "x";
	self->seg.bytes = 1;
	MALFORMED();
}

TEST_F(hostile, malformed__ports)
{
	self->seg = peer_data(&self->peer, 0, 1);
	self->seg.sport = 0;
	MALFORMED();
	self->seg.sport = FROM;
	self->seg.dport = 0;
	MALFORMED();
}

TEST_F(hostile, short__header)
{
	size_t len;
	int cut;

	self->seg = peer_seg(&self->peer, SEG_DATA);
	len = seg_build(self->frame, self->peer.own, self->peer.far,
			&self->seg);
	for (cut = 1; cut <= SEG_HLEN; cut++) {
		ASSERT_EQ(0, peer_send_frame(&self->peer, self->frame,
					     len - cut));
	}
	EXPECT_EQ(SEG_HLEN, stat_wait("InDropShort", SEG_HLEN));
	self->seg = peer_seg(&self->peer, SEG_DATA);
	self->seg.len = 0xffffffff;
	EXPECT_EQ(0, peer_answers(&self->peer, &self->seg, &self->got));
}

TEST_F(hostile, checksum)
{
	size_t len;

	self->seg = peer_data(&self->peer, 0, 100);
	len = seg_build(self->frame, self->peer.own, self->peer.far,
			&self->seg);
	self->frame[len - 1] ^= 1;
	ASSERT_EQ(0, peer_send_frame(&self->peer, self->frame, len));
	EXPECT_EQ(1, stat_wait("InDropChecksum", 1));
	EXPECT_TRUE(sock_empty(self->fd));
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(100, sock_await(self->fd, self->buf, 4096));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 100));
}

static unsigned int meminfo(int fd, int what)
{
	unsigned int info[SK_MEMINFO_VARS] = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
	return info[what];
}

/*
 * Every second byte, each in a packet of its own: an skb that costs hundreds of
 * times what it brings. SO_RCVBUF bounds what is kept, and nothing is spoilt.
 */
#define TINY		20000
#define TINY_LEAST	2000	/* they fill any buffer */

TEST_F_TIMEOUT(hostile, tiny_segments, 120)
{
	unsigned int room = meminfo(self->fd, SK_MEMINFO_RCVBUF), most = 0;
	static char text[2 * TINY];
	unsigned int tiny = repeat_least(TINY, TINY_LEAST), now, i;

	ASSERT_LT(0, room);
	for (i = 1; i < 2 * tiny; i += 2) {
		self->seg = peer_data(&self->peer, i, 1);
		ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
		now = meminfo(self->fd, SK_MEMINFO_RMEM_ALLOC);
		if (now > most)
			most = now;
	}
	self->seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_LE(0, peer_answers(&self->peer, &self->seg, &self->got));
	now = meminfo(self->fd, SK_MEMINFO_RMEM_ALLOC);
	if (now > most)
		most = now;
	/* The one that fills it may be over. */
	EXPECT_GE(meminfo(self->fd, SK_MEMINFO_RCVBUF) + 4096, most);
	EXPECT_LT(0, most);
	EXPECT_TRUE(sock_empty(self->fd));

	/* All of it once more, in order. */
	for (i = 0; i < 2 * tiny; i += 1000) {
		self->seg = peer_data(&self->peer, 0, 1000);
		ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
		ASSERT_EQ(1000, recv_all(self->fd, text + i, 1000));
		EXPECT_TRUE(peer_pattern_is(text + i, i, 1000));
		self->peer.nxt += 1000;
		ASSERT_TRUE(sock_empty(self->fd));
	}
	self->seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(10, recv_all(self->fd, text, 10));
	EXPECT_TRUE(peer_pattern_is(text, 2 * tiny, 10));
	EXPECT_EQ(0, meminfo(self->fd, SK_MEMINFO_RMEM_ALLOC));
}

/* In order, but one byte a packet and nobody reads: as bounded. */
TEST_F_TIMEOUT(hostile, tiny_segments_in_turn, 120)
{
	unsigned int tiny = repeat_least(TINY, TINY_LEAST);
	unsigned int most = 0, now, i, taken;

	for (i = 0; i < tiny; i++) {
		self->seg = peer_data(&self->peer, i, 1);
		ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
		now = meminfo(self->fd, SK_MEMINFO_RMEM_ALLOC);
		if (now > most)
			most = now;
	}
	ASSERT_EQ(tiny, stat_wait("InPackets", tiny + 2) - 2);
	EXPECT_GE(meminfo(self->fd, SK_MEMINFO_RCVBUF) + 4096, most);
	/* Some of them were taken, and those are the first. */
	for (taken = 0; sock_recv(self->fd, self->buf, 1, MSG_DONTWAIT) == 1;
	     taken++)
		ASSERT_TRUE(peer_pattern_is(self->buf, taken, 1));
	EXPECT_LT(0, taken);
	self->peer.nxt += taken;
	self->seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(10, recv_all(self->fd, self->buf, 10));
	EXPECT_TRUE(peer_pattern_is(self->buf, taken, 10));
}

/* Numbers that are near something that matters, or far from everything. */
static __u64 near(const __u64 *marks, int count)
{
	__u64 mark = marks[rand() % count];

	switch (rand() % 8) {
	case 0:
		return mark + (__u64)rand() * rand();
	case 1:
		return mark - rand() % 100000;
	case 2:
		return mark + rand() % 100000;
	default:
		return mark - 3 + rand() % 7;
	}
}

static struct seg noise(struct peer *peer)
{
	const __u64 marks[] = { 0, peer->nxt, peer->nxt + 65536, 1ULL << 32,
				1ULL << 63, ~0ULL, peer->ack };
	struct seg seg = peer_data(peer, 0, rand() % 3 ? 0 : rand() % 1000);
	int i;

	seg.kind = rand() % 20 ? SEG_DATA : SEG_SYN + rand() % 4;
	seg.flags = rand() % 4 ? 0 : rand() % 8;
	if (seg.kind != SEG_DATA) {
		seg.flags = 0;
		seg.bytes = 0;
		seg.code = rand() % 2 ? 0 : 12 + rand() % 19;
		seg.mss = 216 + rand() % 2000;
	}
	seg.seq = near(marks, 7);
	seg.ack = seg.kind == SEG_SYN ? 0 : near(marks, 7);
	seg.window = rand() % 2 ? PEER_WINDOW : (unsigned int)rand() * 3;
	if (seg.kind == SEG_RST) {
		seg.code = 0;
		seg.window = 0;
		seg.stamp = 0;
	} else if (rand() % 4 == 0) {
		seg.stamp = rand() + 1;
	}
	seg.echo = seg.kind == SEG_SYN || seg.kind == SEG_RST ? 0 : rand() % 3 ?
		   peer->echo : (unsigned int)rand();
	if (seg.kind != SEG_DATA || seg.bytes || seg.flags)
		return seg;
	seg.nsack = rand() % (SEG_SACKS + 1);
	for (i = 0; i < seg.nsack; i++) {
		seg.sack[i].start = rand() % 200000 - 100000;
		seg.sack[i].end = seg.sack[i].start + 1 + rand() % 100000;
	}
	return seg;
}

/*
 * Noise at connections in each state, and at a listener. An RST with the right
 * number may be among it, so what must still work is the next connection.
 */
TEST_F_TIMEOUT(hostile, noise, 240)
{
	static const int frames = 300;
	int rounds = repeat_least(100, 16), round, i, fd;

	srand(1);
	for (round = 0; round < rounds; round++) {
		fd = self->fd;
		if (round % 2)
			sock_send(fd, self->buf, sizeof(self->buf),
				  MSG_DONTWAIT | MSG_NOSIGNAL);
		if (round % 4 == 2)
			sock_shutdown(fd, SHUT_WR);
		if (round % 8 == 3)
			close(fd);
		for (i = 0; i < frames; i++) {
			self->seg = noise(&self->peer);
			ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
		}
		if (round % 8 != 3)
			close(fd);
		peer_close(&self->peer);

		ASSERT_EQ(0, peer_another(&self->peer, &self->wire,
					  FROM + round + 1, PORT));
		ASSERT_EQ(0, peer_connect(&self->peer, NULL)) {
			TH_LOG("round %d", round);
		}
		self->fd = conn_accept(self->listener);
		ASSERT_LE(0, self->fd);
	}
	self->seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(10, recv_all(self->fd, self->buf, 10));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 10));
}

TEST_HARNESS_MAIN
