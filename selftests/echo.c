// SPDX-License-Identifier: GPL-2.0-only
/*
 * Echoes on the wire: what is answered, how, and how often.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  by hand   fy0 -+--------+- fy1    Ferry   |
 *	+-----------------+        +-----------------+
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "ethtool.h"
#include "frame.h"
#include "net.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define ASKER	6000
#define NUMBER	7
#define ETH	14
#define HEAD	(ETH + FRAME_HLEN)

FIXTURE(echo) {
	struct wire wire;
	int raw;		/* in red, on fy0 */
	struct frame frame;
	unsigned char payload[1600];
	unsigned char answer[2048];
};

static struct frame frame_echo(const struct wire *wire, const void *payload,
			       size_t bytes)
{
	struct frame frame = frame_datagram(wire->fy0, wire->fy1, ASKER, NUMBER,
					    "");

	frame.kind = FRAME_ECHO;
	frame.payload = payload;
	frame.len = bytes;
	frame.bytes = bytes;
	return frame;
}

/* The test is in blue, where there is no socket. */
FIXTURE_SETUP(echo)
{
	ASSERT_EQ(0, wire_across(&self->wire, "veth"));
	ASSERT_EQ(0, ferry_disable("fy0"));
	self->raw = frame_socket("fy0");
	ASSERT_LE(0, self->raw);
	ASSERT_EQ(0, net_enter(self->wire.blue));
	/* So that the checksum is in what leaves. */
	ASSERT_EQ(0, link_feature("fy1", "tx-checksum-ip-generic", false));
	pattern_fill(self->payload, sizeof(self->payload), 1);
	self->frame = frame_echo(&self->wire, self->payload, 100);
}

FIXTURE_TEARDOWN(echo)
{
	close(self->raw);
}

static unsigned int get32(const unsigned char *from)
{
	unsigned int value;

	memcpy(&value, from, sizeof(value));
	return ntohl(value);
}

/* Is the frame the answer to such an echo of so many bytes, in each of its bits? */
static bool answers(const struct wire *wire, const unsigned char *frame,
		    int len, size_t bytes)
{
	const unsigned char *hdr = frame + ETH;

	return len >= (int)(HEAD + bytes) && !memcmp(frame, wire->fy0, FERRY_ALEN) &&
	       !memcmp(frame + FERRY_ALEN, wire->fy1, FERRY_ALEN) &&
	       hdr[0] == 1 && hdr[1] == FRAME_ECHO_REPLY && !hdr[2] &&
	       hdr[3] == FRAME_HLEN / 4 && get32(hdr + 4) == bytes &&
	       get32(hdr + 8) == NUMBER && get32(hdr + 12) == ASKER &&
	       hdr[18] == 1 && !hdr[19] &&
	       !frame_checksum(frame, HEAD + bytes) &&
	       pattern_is(frame + HEAD, bytes, 1);
}

/* Ask, and see that it is answered. */
#define ANSWERED(bytes) do { \
	int len_; \
	ASSERT_EQ(0, frame_send(self->raw, &self->frame)); \
	len_ = frame_await(self->raw, self->answer, sizeof(self->answer)); \
	EXPECT_TRUE(answers(&self->wire, self->answer, len_, bytes)); \
} while (0)

/* Ask, and see that it is counted as what it is and not answered. */
#define UNANSWERED(counter) do { \
	long was_ = stat_of(counter), all_ = stat_of("InPackets"); \
	long out_ = stat_of("OutEchoReplies"); \
	ASSERT_LE(0, was_); \
	ASSERT_EQ(0, frame_send(self->raw, &self->frame)); \
	EXPECT_EQ(was_ + 1, stat_wait(counter, was_ + 1)); \
	EXPECT_EQ(all_ + 1, stat_of("InPackets")); \
	EXPECT_EQ(out_, stat_of("OutEchoReplies")); \
} while (0)

TEST_F(echo, answered)
{
	ANSWERED(100);
	EXPECT_EQ(1, stat_of("InPackets"));
	EXPECT_EQ(1, stat_of("InEchoes"));
	EXPECT_EQ(1, stat_of("OutEchoReplies"));
}

TEST_F(echo, every_size)
{
	static const size_t sizes[] = { 0, 1, 2, 3, 7, 26, 27, 64, 255, 512,
					1023, 1471, 1479, 1480 };
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		self->frame = frame_echo(&self->wire, self->payload, sizes[i]);
		ANSWERED(sizes[i]);
	}
}

/* What Ethernet has padded is not part of it. */
TEST_F(echo, padded)
{
	self->frame = frame_echo(&self->wire, self->payload, 3);
	self->frame.pad = 40;
	ANSWERED(3);
	EXPECT_EQ(0, self->answer[HEAD + 3]);
}

/* The device takes in a little more than it sends. */
TEST_F(echo, larger_than_the_mtu)
{
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, link_set_mtu("fy0", 1600));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->frame = frame_echo(&self->wire, self->payload, 1481);
	UNANSWERED("OutDropEchoSize");
	self->frame = frame_echo(&self->wire, self->payload, 1480);
	ANSWERED(1480);
}

/* Each host answers for itself alone. */
TEST_F(echo, broadcast)
{
	memset(self->frame.dst, 0xff, FERRY_ALEN);
	ANSWERED(100);
	EXPECT_EQ(1, stat_of("InEchoes"));
}

/* A group is not asked, not even by its members. */
TEST_F(echo, group)
{
	struct ferry_mreq mreq = { .fmr_addr = { 3, 0, 0, 0, 0, 1 } };
	int fd = dgram();

	memcpy(self->frame.dst, mreq.fmr_addr, FERRY_ALEN);
	ASSERT_EQ(0, setsockopt(fd, SOL_FERRY, FERRY_ADD_MEMBERSHIP, &mreq,
				sizeof(mreq)));
	UNANSWERED("InDropNoGroup");
	close(fd);
}

TEST_F(echo, other_host)
{
	self->frame.dst[5] ^= 1;
	UNANSWERED("InDropOtherHost");
}

TEST_F(echo, bad_source)
{
	self->frame.src[0] |= 1;
	UNANSWERED("InDropBadSource");
	memset(self->frame.src, 0xff, FERRY_ALEN);
	UNANSWERED("InDropBadSource");
	memset(self->frame.src, 0, FERRY_ALEN);
	UNANSWERED("InDropBadSource");
	memcpy(self->frame.src, self->wire.fy1, FERRY_ALEN);
	UNANSWERED("InDropOwnEcho");
}

TEST_F(echo, malformed)
{
	const struct frame good = self->frame;

	self->frame.flags = 1;
	UNANSWERED("InDropMalformed");
	self->frame = good;
	self->frame.hlen = 6;
	UNANSWERED("InDropMalformed");
	self->frame = good;
	self->frame.code = 1;
	UNANSWERED("InDropMalformed");
	self->frame = good;
	self->frame.about = 1;
	UNANSWERED("InDropMalformed");
	self->frame = good;
	self->frame.sport = 0;
	UNANSWERED("InDropMalformed");
	self->frame = good;
	self->frame.dport = 0;
	UNANSWERED("InDropMalformed");
	self->frame = good;
	self->frame.len++;
	UNANSWERED("InDropShort");
	self->frame = good;
	self->frame.damage = 1;
	UNANSWERED("InDropChecksum");
	self->frame = good;
	self->frame.version = 2;
	UNANSWERED("InDropVersion");
}

/* 0: nobody, 1: who asks this host alone, 2: also who asks everyone. */
TEST_F(echo, switched_off)
{
	struct frame all = self->frame;

	memset(all.dst, 0xff, FERRY_ALEN);
	ASSERT_EQ(0, sysctl_set("echo", "1"));
	ANSWERED(100);
	self->frame = all;
	UNANSWERED("InDropEchoOff");
	ASSERT_EQ(0, sysctl_set("echo", "0"));
	UNANSWERED("InDropEchoOff");
	self->frame = frame_echo(&self->wire, self->payload, 100);
	UNANSWERED("InDropEchoOff");
	ASSERT_EQ(0, sysctl_set("echo", "2"));
	ANSWERED(100);
	self->frame = all;
	ANSWERED(100);
}

/* Every echo is answered, or counted as not. */
static bool all_accounted_for(void *sent)
{
	return stat_of("InEchoes") == *(int *)sent &&
	       stat_of("OutEchoReplies") + stat_of("OutDropEchoLimit") ==
	       *(int *)sent;
}

/* As many as are answered in a second, and some more. Return: how many. */
static int flood(int raw, const struct frame *frame)
{
	long start = clock_ms(), seconds = 0;
	int sent;

	for (sent = 0; sent < 100000; sent++) {
		if (sent % 256 == 0) {
			if (stat_of("OutDropEchoLimit"))
				break;
			seconds = (clock_ms() - start) / 1000;
			if (seconds > 10 && sent < 1000 * seconds)
				return -ETIMEDOUT;
		}
		if (frame_send(raw, frame))
			return -EIO;
	}
	return sent;
}

TEST_F_TIMEOUT(echo, limited, 60)
{
	long start = clock_ms();
	int sent = flood(self->raw, &self->frame);

	if (sent == -ETIMEDOUT)
		SKIP(return, "1,000 are not sent in a second");
	ASSERT_LE(1000, sent);
	EXPECT_TRUE(wait_until(all_accounted_for, &sent));
	EXPECT_LE(1000, stat_of("OutEchoReplies"));
	EXPECT_GE(1000 * (2 + (clock_ms() - start) / 1000),
		  stat_of("OutEchoReplies"));
	EXPECT_LT(0, stat_of("OutDropEchoLimit"));
}

/* Refusals have a limit of their own. */
TEST_F_TIMEOUT(echo, limited__alone, 60)
{
	struct frame stray = frame_datagram(self->wire.fy0, self->wire.fy1,
					    ASKER, NUMBER, "x");

	if (flood(self->raw, &self->frame) < 0)
		SKIP(return, "1,000 are not sent in a second");
	ASSERT_EQ(0, frame_send(self->raw, &stray));
	EXPECT_EQ(1, stat_wait("OutUnreach", 1));
	EXPECT_EQ(0, stat_of("OutDropUnreachLimit"));
}

/* Answers that cannot leave wait in the device's queue, and no more of them. */
TEST_F_TIMEOUT(echo, flood_is_bounded, 60)
{
	int sent, held = 0;

	self->frame = frame_echo(&self->wire, self->payload, 1400);
	ASSERT_EQ(0, link_hold("fy1", 50000));
	for (sent = 0; sent < 900; sent++)
		ASSERT_EQ(0, frame_send(self->raw, &self->frame));
	EXPECT_TRUE(wait_until(all_accounted_for, &sent));
	EXPECT_LT(800, stat_of("OutDropDevice"));
	ASSERT_EQ(0, link_release("fy1"));
	while (frame_await(self->raw, self->answer, sizeof(self->answer)) > 0 &&
	       ++held + stat_of("OutDropDevice") < sent)
		;
	EXPECT_EQ(sent, held + stat_of("OutDropDevice")) {
		TH_LOG("%d of them came, and %ld were refused", held,
		       stat_of("OutDropEchoLimit"));
	}
	EXPECT_GE(50000 / 1400, held);
}

TEST_HARNESS_MAIN
