// SPDX-License-Identifier: GPL-2.0-only
/*
 * Socket options: Ferry's own, and those of the core that a family must do
 * something for.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define PORT	5000

FIXTURE(options) {
	struct wire wire;
	int fd, reader;
	struct sockaddr_ferry there;
	char byte;
};

FIXTURE_SETUP(options)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->reader = dgram_at(PORT);
	ASSERT_LE(0, self->reader);
	ASSERT_EQ(0, net_enter(self->wire.red));
	self->fd = dgram();
	ASSERT_LE(0, self->fd);
	self->there = sfy(self->wire.fy1, PORT);
}

FIXTURE_TEARDOWN(options)
{
	close(self->fd);
	close(self->reader);
}

static int set(int fd, int level, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, level, option, value, len) ? -errno : 0;
}

static int get(int fd, int level, int option, void *value, socklen_t *len)
{
	return getsockopt(fd, level, option, value, len) ? -errno : 0;
}

TEST_F(options, set__errors)
{
	int on = 1;

	EXPECT_EQ(-ENOPROTOOPT, set(self->fd, SOL_FERRY, 0, &on, sizeof(on)));
	EXPECT_EQ(-ENOPROTOOPT, set(self->fd, SOL_FERRY, 9999, &on,
				    sizeof(on)));
	EXPECT_EQ(-ENOPROTOOPT, set(self->fd, SOL_FERRY + 1, FERRY_REUSEPORT,
				    &on, sizeof(on)));
	EXPECT_EQ(-EINVAL, set(self->fd, SOL_FERRY, FERRY_REUSEPORT, &on,
			       sizeof(on) - 1));
	EXPECT_EQ(-EFAULT, set(self->fd, SOL_FERRY, FERRY_REUSEPORT,
			       (void *)8, sizeof(on)));
	EXPECT_EQ(0, sock_get(self->fd, SOL_FERRY, FERRY_REUSEPORT));
}

TEST_F(options, get__errors)
{
	socklen_t len = sizeof(int);
	int value;

	EXPECT_EQ(-ENOPROTOOPT, get(self->fd, SOL_FERRY, 9999, &value, &len));
	EXPECT_EQ(-EOPNOTSUPP, get(self->fd, SOL_FERRY + 1, FERRY_REUSEPORT,
				   &value, &len));
	EXPECT_EQ(-EFAULT, get(self->fd, SOL_FERRY, FERRY_REUSEPORT,
			       (void *)8, &len));
	EXPECT_EQ(-EFAULT, get(self->fd, SOL_FERRY, FERRY_REUSEPORT, &value,
			       (void *)8));
	len = -1;
	EXPECT_EQ(-EINVAL, get(self->fd, SOL_FERRY, FERRY_REUSEPORT, &value,
			       &len));
}

/* What does not fit is cut, as other families do it. */
TEST_F(options, get__length)
{
	struct { int value, beyond; } room = { -1, -1 };
	socklen_t len = sizeof(room);

	EXPECT_EQ(0, get(self->fd, SOL_FERRY, FERRY_REUSEPORT, &room, &len));
	EXPECT_EQ(sizeof(int), len);
	EXPECT_EQ(0, room.value);
	EXPECT_EQ(-1, room.beyond);

	room.value = -1;
	len = 1;
	EXPECT_EQ(0, get(self->fd, SOL_FERRY, FERRY_REUSEPORT, &room, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(0xffffff00, (unsigned int)room.value);
}

/* The core refuses it to a family that is not IP; where not, it is a twin. */
TEST_F(options, generic_reuseport)
{
	int err = sock_set(self->fd, SOL_SOCKET, SO_REUSEPORT, 1);

	EXPECT_TRUE(err == 0 || err == -EOPNOTSUPP);
	EXPECT_EQ(err == 0, sock_get(self->fd, SOL_FERRY, FERRY_REUSEPORT));
}

/* Receive one datagram. Return: the data of the control message, or NULL. */
static void *control(int fd, int level, int type)
{
	static union {
		struct cmsghdr align;
		char buf[256];
	} room;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *cmsg;

	if (!sock_wait(fd, POLLIN) || recvmsg(fd, &msg, MSG_DONTWAIT) < 0)
		return NULL;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_level == level && cmsg->cmsg_type == type)
			return CMSG_DATA(cmsg);
	return NULL;
}

TEST_F(options, timestamp)
{
	const struct timeval *when;
	struct timespec before;

	ASSERT_EQ(0, sock_set(self->reader, SOL_SOCKET, SO_TIMESTAMP, 1));
	clock_gettime(CLOCK_REALTIME, &before);
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	when = control(self->reader, SOL_SOCKET, SCM_TIMESTAMP);
	ASSERT_NE(NULL, when);
	EXPECT_LE(before.tv_sec, when->tv_sec);
	EXPECT_GE(before.tv_sec + 60, when->tv_sec);
}

TEST_F(options, timestampns)
{
	struct timespec before, after;
	const struct timespec *when;

	ASSERT_EQ(0, sock_set(self->reader, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	clock_gettime(CLOCK_REALTIME, &before);
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	when = control(self->reader, SOL_SOCKET, SCM_TIMESTAMPNS);
	ASSERT_NE(NULL, when);
	clock_gettime(CLOCK_REALTIME, &after);
	EXPECT_LE(before.tv_sec * 1000000000L + before.tv_nsec,
		  when->tv_sec * 1000000000L + when->tv_nsec);
	EXPECT_GE(after.tv_sec * 1000000000L + after.tv_nsec,
		  when->tv_sec * 1000000000L + when->tv_nsec);
}

TEST_F(options, timestamp__not_asked_for)
{
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(NULL, control(self->reader, SOL_SOCKET, SCM_TIMESTAMP));
}

/* Each reader is accounted the memory that it asked for, within the limit. */
TEST_F(options, buffer_sizes)
{
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_RCVBUF, 20000));
	EXPECT_EQ(40000, sock_get(self->fd, SOL_SOCKET, SO_RCVBUF));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_SNDBUF, 20000));
	EXPECT_EQ(40000, sock_get(self->fd, SOL_SOCKET, SO_SNDBUF));
}

/* The card has NAPI: a receiving socket learns which, and can poll it. */
TEST_F(options, busy_poll)
{
	ASSERT_EQ(0, sock_set(self->reader, SOL_SOCKET, SO_BUSY_POLL, 50));
	EXPECT_EQ(50, sock_get(self->reader, SOL_SOCKET, SO_BUSY_POLL));
	EXPECT_EQ(0, sock_get(self->reader, SOL_SOCKET, SO_INCOMING_NAPI_ID));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	ASSERT_EQ(1, sock_await(self->reader, &self->byte, 1));
	EXPECT_LT(0, sock_get(self->reader, SOL_SOCKET, SO_INCOMING_NAPI_ID));
	/* And it receives on, polling. */
	ASSERT_EQ(1, sock_send_to(self->fd, "y", 1, &self->there));
	ASSERT_EQ(1, sock_recv(self->reader, &self->byte, 1, 0));
	EXPECT_EQ('y', self->byte);
}

TEST_HARNESS_MAIN
