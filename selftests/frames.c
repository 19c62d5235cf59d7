// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames from the wire: what is accepted, what is dropped, and that each drop
 * has its counter.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  by hand   fy0 -+--------+- fy1    Ferry   |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "frame.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define PORT	5000
#define FROM	6000

FIXTURE(frames) {
	struct wire wire;
	int raw;		/* in red, on fy0 */
	int fd;			/* in blue */
	struct frame frame;
	char buf[64];
};

/* The test is in blue. */
FIXTURE_SETUP(frames)
{
	ASSERT_EQ(0, wire_across(&self->wire, "veth"));
	ASSERT_EQ(0, ferry_disable("fy0"));
	self->raw = frame_socket("fy0");
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->fd = dgram_at(PORT);
	ASSERT_LE(0, self->fd);
	self->frame = frame_datagram(self->wire.fy0, self->wire.fy1, FROM,
				     PORT, "hello");
}

FIXTURE_TEARDOWN(frames)
{
	close(self->raw);
	close(self->fd);
}

/* Send the frame: it is counted once, as what it is, and nobody reads it. */
#define DROPPED_AS(counter) do { \
	long was = stat_of(counter); \
	long all = stat_of("InPackets"); \
	ASSERT_LE(0, was); \
	ASSERT_EQ(0, frame_send(self->raw, &self->frame)); \
	EXPECT_EQ(was + 1, stat_wait(counter, was + 1)); \
	EXPECT_EQ(all + 1, stat_of("InPackets")); \
	EXPECT_TRUE(sock_empty(self->fd)); \
} while (0)

TEST_F(frames, good)
{
	struct sockaddr_ferry from;

	ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(5, sock_recv_from(self->fd, self->buf, 64, 0, &from));
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
	EXPECT_EQ(FROM, from.sfy_port);
	EXPECT_EQ(0, memcmp(self->wire.fy0, from.sfy_addr, FERRY_ALEN));
	EXPECT_EQ(1, stat_of("InPackets"));
	EXPECT_EQ(1, stat_of("InDatagrams"));
}

TEST_F(frames, odd_length)
{
	self->frame = frame_datagram(self->wire.fy0, self->wire.fy1, FROM,
				     PORT, "seven b");
	ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	EXPECT_EQ(7, sock_await(self->fd, self->buf, 64));
}

/* Ethernet pads short frames; the header says what belongs to the packet. */
TEST_F(frames, padded)
{
	self->frame.pad = 30;
	ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	EXPECT_EQ(5, sock_await(self->fd, self->buf, 64));
}

TEST_F(frames, short__header)
{
	self->frame = frame_datagram(self->wire.fy0, self->wire.fy1, FROM,
				     PORT, "");
	self->frame.cut = 1;
	DROPPED_AS("InDropShort");
	self->frame.cut = FRAME_HLEN;
	DROPPED_AS("InDropShort");
}

TEST_F(frames, short__payload)
{
	self->frame.len++;
	DROPPED_AS("InDropShort");
	self->frame.len = 0xffffffff;
	DROPPED_AS("InDropShort");
}

TEST_F(frames, version)
{
	self->frame.version = 0;
	DROPPED_AS("InDropVersion");
	self->frame.version = 2;
	DROPPED_AS("InDropVersion");
}

TEST_F(frames, kind)
{
	self->frame.kind = 0;
	DROPPED_AS("InDropKind");
	self->frame.kind = 255;
	DROPPED_AS("InDropKind");
}

TEST_F(frames, malformed__flags)
{
	self->frame.flags = 1;
	DROPPED_AS("InDropMalformed");
}

TEST_F(frames, malformed__header_length)
{
	self->frame.hlen = 4;
	DROPPED_AS("InDropMalformed");
	self->frame.hlen = 6;
	DROPPED_AS("InDropMalformed");
}

TEST_F(frames, malformed__ports)
{
	self->frame.sport = 0;
	DROPPED_AS("InDropMalformed");
	self->frame.sport = FROM;
	self->frame.dport = 0;
	DROPPED_AS("InDropMalformed");
}

TEST_F(frames, malformed__code)
{
	self->frame.code = 1;
	DROPPED_AS("InDropMalformed");
}

TEST_F(frames, malformed__about)
{
	self->frame.about = 1;
	DROPPED_AS("InDropMalformed");
}

TEST_F(frames, malformed__unreachable)
{
	const struct frame good = frame_unreach(self->wire.fy0, self->wire.fy1,
						FROM, PORT, FRAME_UNREACH_PORT);

	self->frame = good;
	self->frame.code = 0;
	DROPPED_AS("InDropMalformed");
	self->frame.code = 3;
	DROPPED_AS("InDropMalformed");
	self->frame = good;
	self->frame.about = FRAME_UNREACH;
	DROPPED_AS("InDropMalformed");
	self->frame.about = 0;
	DROPPED_AS("InDropMalformed");
	self->frame = good;
	self->frame.flags = 1;
	DROPPED_AS("InDropMalformed");
	self->frame = good;
	self->frame.len = 1;
	self->frame.payload = "x";
	self->frame.bytes = 1;
	DROPPED_AS("InDropMalformed");
}

TEST_F(frames, checksum)
{
	self->frame.damage = 1;
	DROPPED_AS("InDropChecksum");
}

/* The checksum covers the payload too. */
TEST_F(frames, checksum__payload)
{
	/* Shorter than what was summed up. */
	self->frame.len = 4;
	DROPPED_AS("InDropChecksum");
}

/* And the addresses: what a flipped bit of them made is nobody's datagram. */
TEST_F(frames, checksum__address)
{
	self->frame.flip = 1;
	DROPPED_AS("InDropChecksum");
}

TEST_F(frames, other_host)
{
	self->frame.dst[5] ^= 1;
	DROPPED_AS("InDropOtherHost");
}

TEST_F(frames, multicast)
{
	self->frame.dst[0] = 3;
	DROPPED_AS("InDropNoGroup");
}

TEST_F(frames, broadcast)
{
	memset(self->frame.dst, 0xff, FERRY_ALEN);
	ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	EXPECT_EQ(5, sock_await(self->fd, self->buf, 64));
}

TEST_F(frames, bad_source)
{
	self->frame.src[0] |= 1;
	DROPPED_AS("InDropBadSource");
	memset(self->frame.src, 0xff, FERRY_ALEN);
	DROPPED_AS("InDropBadSource");
	memset(self->frame.src, 0, FERRY_ALEN);
	DROPPED_AS("InDropBadSource");
}

/* With our own address as its source it can only be an echo. */
TEST_F(frames, own_echo)
{
	memcpy(self->frame.src, self->wire.fy1, FERRY_ALEN);
	DROPPED_AS("InDropOwnEcho");
}

TEST_F(frames, no_port)
{
	unsigned char answer[64];

	self->frame.dport = PORT + 1;
	DROPPED_AS("InDropNoPort");
	EXPECT_EQ(1, stat_of("OutUnreach"));
	ASSERT_LE(14 + FRAME_HLEN, frame_await(self->raw, answer, 64));
	EXPECT_EQ(0, memcmp(answer, self->wire.fy0, FERRY_ALEN));
	EXPECT_EQ(0, memcmp(answer + 6, self->wire.fy1, FERRY_ALEN));
	EXPECT_EQ(FRAME_UNREACH, answer[14 + 1]);
	EXPECT_EQ(FRAME_UNREACH_PORT, answer[14 + 18]);
	EXPECT_EQ(FRAME_DATAGRAM, answer[14 + 19]);
}

/* The unreachable's own way: one for nobody is not answered. */
TEST_F(frames, stray_unreachable)
{
	self->frame = frame_unreach(self->wire.fy0, self->wire.fy1, FROM, PORT,
				    FRAME_UNREACH_PORT);
	DROPPED_AS("InDropStrayUnreach");
	EXPECT_EQ(0, sock_error(self->fd));
	EXPECT_EQ(0, stat_of("OutUnreach"));
}

TEST_F(frames, unreachable)
{
	struct sockaddr_ferry to = sfy(self->wire.fy0, FROM);

	ASSERT_EQ(0, sock_connect(self->fd, &to));
	self->frame = frame_unreach(self->wire.fy0, self->wire.fy1, FROM, PORT,
				    FRAME_UNREACH_PORT);
	ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	EXPECT_EQ(1, stat_wait("InUnreach", 1));
	EXPECT_EQ(ECONNREFUSED, sock_error(self->fd));
	self->frame.code = FRAME_UNREACH_PROHIBITED;
	ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	EXPECT_EQ(2, stat_wait("InUnreach", 2));
	EXPECT_EQ(EACCES, sock_error(self->fd));
}

/* Closed by default: on a device that is not enabled nobody listens. */
TEST_F(frames, not_enabled)
{
	ASSERT_EQ(0, ferry_disable("fy1"));
	self->frame.dport = PORT + 1;
	ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	ASSERT_EQ(0, ferry_enable("fy1"));
	self->frame.dport = PORT;
	ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	EXPECT_EQ(5, sock_await(self->fd, self->buf, 64));
	/* The second was the first that Ferry saw, and nobody was answered. */
	EXPECT_EQ(1, stat_of("InPackets"));
	EXPECT_EQ(0, stat_of("OutUnreach"));
}

/* All that sockets may hold together has a limit of the host's. */
TEST_F(frames, memory_limit)
{
	static const char path[] = "/proc/sys/net/ferry/dgram_mem";
	static char large[60000];
	struct sockaddr_ferry at = sfy(addr_any, PORT);
	int host = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	int from = dgram(), limits, i;
	char usual[128];
	ssize_t len;

	ASSERT_EQ(0, net_enter(host));
	limits = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, limits);
	len = read(limits, usual, sizeof(usual));
	ASSERT_LT(0, len);
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20));

	ASSERT_EQ(5, pwrite(limits, "0 0 0", 5, 0));
	/* Each CPU has a reserve of a megabyte. */
	for (i = 0; i < 1000 && !stat_of("InDropMemory"); i++)
		sock_send_to(from, large, sizeof(large), &at);
	EXPECT_EQ(len, pwrite(limits, usual, len, 0));
	EXPECT_LT(0, stat_of("InDropMemory"));
	close(from);
}

TEST_HARNESS_MAIN
