// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagrams that the queueing discipline holds back: SO_TXTIME, and
 * SO_MAX_PACING_RATE. As with UDP, it is fq that does it.
 *
 *	+- red -----------+        +- blue ----------+
 *	|       fq > fy0 -+--------+- fy1            |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define PORT	5000
#define MS	1000000ULL	/* nanoseconds */

FIXTURE(txtime) {
	struct wire wire;
	int fd, reader;
	struct sockaddr_ferry there;
	char buf[2048];
};

FIXTURE_SETUP(txtime)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->reader = dgram_at(PORT);
	ASSERT_LE(0, self->reader);
	ASSERT_EQ(0, net_enter(self->wire.red));
	self->fd = dgram();
	self->there = sfy(self->wire.fy1, PORT);
	ASSERT_LE(0, self->fd);
	if (link_qdisc("fy0", "fq"))
		SKIP(return, "There is no fq.");
}

FIXTURE_TEARDOWN(txtime)
{
	close(self->fd);
	close(self->reader);
}

static unsigned long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

/* Send one that is to leave at @when. */
static int send_at(int fd, const struct sockaddr_ferry *to,
		   unsigned long long when)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(when))];
	} control = {};
	struct iovec iov = { "later", 5 };
	struct msghdr msg = {
		.msg_name = (void *)to, .msg_namelen = sizeof(*to),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_TXTIME;
	cmsg->cmsg_len = CMSG_LEN(sizeof(when));
	memcpy(CMSG_DATA(cmsg), &when, sizeof(when));
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 5;
}

static int allow(int fd)
{
	struct sock_txtime on = { .clockid = CLOCK_MONOTONIC };

	return setsockopt(fd, SOL_SOCKET, SO_TXTIME, &on, sizeof(on)) ?
	       -errno : 0;
}

/* It leaves at its time, and one that has none overtakes it. */
TEST_F(txtime, leaves_at_its_time)
{
	unsigned long long when = now() + 300 * MS;
	int other = dgram();

	ASSERT_EQ(0, allow(self->fd));
	ASSERT_EQ(5, send_at(self->fd, &self->there, when));
	ASSERT_EQ(3, sock_send_to(other, "now", 3, &self->there));
	ASSERT_EQ(3, sock_await(self->reader, self->buf, 8));
	ASSERT_EQ(5, sock_await(self->reader, self->buf, 8));
	EXPECT_LE(when, now());
	close(other);
}

/* When it arrives is told by the clock, not by when it was to leave. */
TEST_F(txtime, is_no_time_of_arrival)
{
	union {
		struct cmsghdr align;
		char room[256];
	} control;
	struct iovec iov = { self->buf, 8 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct timespec before, stamp;

	ASSERT_EQ(0, sock_set(self->reader, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	ASSERT_EQ(0, allow(self->fd));
	clock_gettime(CLOCK_REALTIME, &before);
	ASSERT_EQ(5, send_at(self->fd, &self->there, now() + 50 * MS));
	ASSERT_TRUE(sock_wait(self->reader, POLLIN) & POLLIN);
	ASSERT_EQ(5, recvmsg(self->reader, &msg, 0));
	ASSERT_NE(NULL, CMSG_FIRSTHDR(&msg));
	memcpy(&stamp, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(stamp));
	EXPECT_LE(before.tv_sec, stamp.tv_sec);
	EXPECT_GE(before.tv_sec + 60, stamp.tv_sec);
}

/* Who has not asked for it first is refused. */
TEST_F(txtime, not_asked_for)
{
	EXPECT_EQ(-EINVAL, send_at(self->fd, &self->there, now()));
	EXPECT_TRUE(sock_empty(self->reader));
}

/* 84,000 bytes at 200,000 a second, of which fq lets a first 15,140 go at once. */
TEST_F(txtime, max_pacing_rate)
{
	unsigned long long start = now();
	int i;

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_MAX_PACING_RATE,
			      200000));
	for (i = 0; i < 60; i++)
		ASSERT_EQ(1400, sock_send_to(self->fd, self->buf, 1400,
					     &self->there));
	for (i = 0; i < 60; i++)
		ASSERT_EQ(1400, sock_await(self->reader, self->buf, 1400));
	EXPECT_LE(start + 200 * MS, now());
}

TEST_HARNESS_MAIN
