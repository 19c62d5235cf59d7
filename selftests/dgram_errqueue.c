// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSG_ERRQUEUE: empty, or with the times at which datagrams left.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <time.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"

#define PORT	5000
#define TX_SOFTWARE	(SOF_TIMESTAMPING_TX_SOFTWARE | \
			 SOF_TIMESTAMPING_SOFTWARE)

FIXTURE(errqueue) {
	int fd, reader;
	struct sockaddr_ferry at;
	char buf[256];
	union {
		struct cmsghdr align;
		char room[512];
	} control;
	struct iovec iov;
	struct msghdr msg;
};

FIXTURE_SETUP(errqueue)
{
	ASSERT_LE(0, net_new());
	self->reader = dgram_at(PORT);
	self->fd = dgram();
	ASSERT_LE(0, self->reader);
	ASSERT_LE(0, self->fd);
	self->at = sfy(addr_any, PORT);
	self->iov.iov_base = self->buf;
	self->iov.iov_len = sizeof(self->buf);
	self->msg.msg_iov = &self->iov;
	self->msg.msg_iovlen = 1;
	self->msg.msg_control = &self->control;
	self->msg.msg_controllen = sizeof(self->control);
}

FIXTURE_TEARDOWN(errqueue)
{
	close(self->fd);
	close(self->reader);
}

static const void *find(struct msghdr *msg, int level, int type)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg))
		if (cmsg->cmsg_level == level && cmsg->cmsg_type == type)
			return CMSG_DATA(cmsg);
	return NULL;
}

/* It never sleeps, as with UDP. */
TEST_F(errqueue, empty)
{
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, self->buf, 8, MSG_ERRQUEUE));
}

/* What has arrived is not there. */
TEST_F(errqueue, no_datagrams)
{
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->at));
	ASSERT_NE(0, sock_wait(self->reader, POLLIN));
	EXPECT_EQ(-EAGAIN, sock_recv(self->reader, self->buf, 8,
				     MSG_ERRQUEUE));
	EXPECT_EQ(1, sock_recv(self->reader, self->buf, 8, MSG_DONTWAIT));
}

TEST_F(errqueue, time_of_sending)
{
	const struct scm_timestamping *times;
	const struct sock_extended_err *err;
	struct timespec before;

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_TIMESTAMPING,
			      TX_SOFTWARE));
	clock_gettime(CLOCK_REALTIME, &before);
	ASSERT_EQ(5, sock_send_to(self->fd, "hello", 5, &self->at));
	ASSERT_EQ(POLLERR, sock_wait(self->fd, 0));
	ASSERT_LE(0, recvmsg(self->fd, &self->msg, MSG_ERRQUEUE));
	EXPECT_TRUE(self->msg.msg_flags & MSG_ERRQUEUE);

	times = find(&self->msg, SOL_SOCKET, SCM_TIMESTAMPING);
	ASSERT_NE(NULL, times);
	EXPECT_LE(before.tv_sec, times->ts[0].tv_sec);
	EXPECT_GE(before.tv_sec + 60, times->ts[0].tv_sec);

	err = find(&self->msg, SOL_FERRY, FERRY_RECVERR);
	ASSERT_NE(NULL, err);
	EXPECT_EQ(ENOMSG, err->ee_errno);
	EXPECT_EQ(SO_EE_ORIGIN_TIMESTAMPING, err->ee_origin);

	/* That was all, and the datagram itself went out. */
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, self->buf, 8, MSG_ERRQUEUE));
	EXPECT_EQ(5, sock_await(self->reader, self->buf, 8));
}

/* For one datagram only, by a control message. */
TEST_F(errqueue, time_of_sending__one)
{
	unsigned int flags = SOF_TIMESTAMPING_TX_SOFTWARE;

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_TIMESTAMPING,
			      SOF_TIMESTAMPING_SOFTWARE));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->at));
	ASSERT_EQ(1, sock_await(self->reader, self->buf, 8));
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, self->buf, 8, MSG_ERRQUEUE));

	ASSERT_EQ(5, sock_send_with(self->fd, &self->at, SO_TIMESTAMPING, &flags,
				    sizeof(flags)));
	ASSERT_EQ(POLLERR, sock_wait(self->fd, 0));
	EXPECT_LE(0, recvmsg(self->fd, &self->msg, MSG_ERRQUEUE));
}

/* A control message that does not exist. */
TEST_F(errqueue, unknown_control_message)
{
	int value = 1;

	EXPECT_EQ(-EINVAL, sock_send_with(self->fd, &self->at, 9999, &value,
					  sizeof(value)));
	EXPECT_TRUE(sock_empty(self->reader));
}

/* Wait for the time of a datagram. Return: what it is told by. */
static long number_of_next(struct msghdr *msg, int fd, size_t room)
{
	const struct sock_extended_err *err;

	msg->msg_controllen = room;
	if (sock_wait(fd, 0) != POLLERR || recvmsg(fd, msg, MSG_ERRQUEUE) < 0)
		return -1;
	err = find(msg, SOL_FERRY, FERRY_RECVERR);
	return err ? err->ee_data : -1;
}

#define NUMBER() \
	number_of_next(&self->msg, self->fd, sizeof(self->control))

/* Each stamp has the number of its datagram, as UDP counts them. */
TEST_F(errqueue, time_of_sending__number)
{
	unsigned int i;

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_TIMESTAMPING,
			      TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
			      SOF_TIMESTAMPING_OPT_TSONLY));
	/* Without the datagram itself. */
	self->iov.iov_len = 1;
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(5, sock_send_to(self->fd, "hello", 5, &self->at));
		EXPECT_EQ(i, NUMBER());
		EXPECT_FALSE(self->msg.msg_flags & MSG_TRUNC);
	}
	/* It counts from the start, each time that it is turned on. */
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_TIMESTAMPING, 0));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_TIMESTAMPING,
			      TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID));
	ASSERT_EQ(5, sock_send_to(self->fd, "hello", 5, &self->at));
	EXPECT_EQ(0, NUMBER());
	EXPECT_TRUE(self->msg.msg_flags & MSG_TRUNC);
}

/* SCM_TS_OPT_ID: the caller's own number, as far as UDP has it, too. */
TEST_F(errqueue, time_of_sending__chosen_number)
{
	unsigned int id = 4711;

	ASSERT_EQ(0, link_up("lo"));
	EXPECT_EQ(-EINVAL, sock_send_with(self->fd, &self->at, SOCK_TS_OPT_ID,
					  &id, sizeof(id)));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_TIMESTAMPING,
			      TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID));
	if (!sock_kernel_has_ts_opt_id()) {
		EXPECT_EQ(-EINVAL, sock_send_with(self->fd, &self->at,
						  SOCK_TS_OPT_ID, &id,
						  sizeof(id)));
		return;
	}
	ASSERT_EQ(5, sock_send_with(self->fd, &self->at, SOCK_TS_OPT_ID, &id,
				    sizeof(id)));
	EXPECT_EQ(4711, NUMBER());
	/* It is not counted. */
	ASSERT_EQ(5, sock_send_to(self->fd, "hello", 5, &self->at));
	EXPECT_EQ(0, NUMBER());
}

TEST_HARNESS_MAIN
