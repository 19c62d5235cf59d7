// SPDX-License-Identifier: GPL-2.0-only
/*
 * Receiving: the calls that receive, their flags, and what they tell.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"

#define PORT	5000
#define FROM	6000

FIXTURE(recv) {
	int fd, from;
	struct sockaddr_ferry at;
	char buf[64];
};

FIXTURE_SETUP(recv)
{
	ASSERT_LE(0, net_new());
	self->fd = dgram_at(PORT);
	self->from = dgram_at(FROM);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->from);
	self->at = sfy(addr_any, PORT);
}

FIXTURE_TEARDOWN(recv)
{
	close(self->fd);
	close(self->from);
}

#define SEND(text) ASSERT_EQ(strlen(text), \
		sock_send_to(self->from, text, strlen(text), &self->at))
/* Wait for what was sent, then make one call. */
#define RECV(len, flags) ({ \
	sock_wait(self->fd, POLLIN); \
	sock_recv(self->fd, self->buf, len, flags); })

TEST_F(recv, one_datagram_a_call)
{
	SEND("first");
	SEND("second");
	ASSERT_EQ(5, RECV(sizeof(self->buf), 0));
	EXPECT_EQ(0, memcmp(self->buf, "first", 5));
	ASSERT_EQ(6, RECV(sizeof(self->buf), 0));
	EXPECT_EQ(0, memcmp(self->buf, "second", 6));
}

TEST_F(recv, read_and_readv)
{
	struct iovec iov[2] = { { self->buf, 2 }, { self->buf + 32, 8 } };

	SEND("hello");
	sock_wait(self->fd, POLLIN);
	ASSERT_EQ(5, read(self->fd, self->buf, sizeof(self->buf)));
	SEND("hello");
	sock_wait(self->fd, POLLIN);
	ASSERT_EQ(5, readv(self->fd, iov, 2));
	EXPECT_EQ(0, memcmp(self->buf + 32, "llo", 3));
}

TEST_F(recv, recvfrom)
{
	struct sockaddr_ferry from;
	unsigned char ferry0[FERRY_ALEN];

	memset(&from, 0x55, sizeof(from));
	SEND("hello");
	sock_wait(self->fd, POLLIN);
	ASSERT_EQ(5, sock_recv_from(self->fd, self->buf, sizeof(self->buf), 0,
				    &from));
	ASSERT_EQ(0, link_address("ferry0", ferry0));
	EXPECT_EQ(AF_FERRY, from.sfy_family);
	EXPECT_EQ(0, from.sfy_reserved);
	EXPECT_EQ(FROM, from.sfy_port);
	EXPECT_EQ(if_nametoindex("ferry0"), from.sfy_ifindex);
	EXPECT_EQ(0, memcmp(ferry0, from.sfy_addr, FERRY_ALEN));
	EXPECT_EQ(0, from.sfy_reserved2[0]);
	EXPECT_EQ(0, from.sfy_reserved2[1]);
}

/* What recvfrom() tells is where an answer can be sent. */
TEST_F(recv, answer)
{
	struct sockaddr_ferry from;

	SEND("hello");
	sock_wait(self->fd, POLLIN);
	ASSERT_EQ(5, sock_recv_from(self->fd, self->buf, 5, 0, &from));
	ASSERT_EQ(2, sock_send_to(self->fd, "yo", 2, &from));
	EXPECT_EQ(2, sock_await(self->from, self->buf, 5));
}

TEST_F(recv, empty_datagram)
{
	struct sockaddr_ferry from;

	SEND("");
	SEND("x");
	EXPECT_NE(0, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(0, sock_recv_from(self->fd, self->buf, 8, 0, &from));
	EXPECT_EQ(FROM, from.sfy_port);
	EXPECT_EQ(1, RECV(8, 0));
}

/* A buffer without room takes the datagram all the same. */
TEST_F(recv, no_room)
{
	SEND("hello");
	EXPECT_EQ(0, RECV(0, 0));
	EXPECT_TRUE(sock_empty(self->fd));
}

TEST_F(recv, nothing_there)
{
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, self->buf, 8, MSG_DONTWAIT));
}

TEST_F(recv, peek)
{
	SEND("first");
	SEND("second");
	ASSERT_EQ(3, RECV(3, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "fir", 3));
	ASSERT_EQ(5, RECV(8, MSG_PEEK));
	ASSERT_EQ(5, RECV(8, 0));
	ASSERT_EQ(6, RECV(8, 0));
}

TEST_F(recv, peek_offset)
{
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_PEEK_OFF, 0));
	SEND("hello");
	SEND("world!");
	ASSERT_EQ(2, RECV(2, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "he", 2));
	ASSERT_EQ(3, RECV(8, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "llo", 3));
	EXPECT_EQ(5, sock_get(self->fd, SOL_SOCKET, SO_PEEK_OFF));
	/* Past the first datagram lies the second. */
	ASSERT_EQ(6, RECV(8, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "world!", 6));
	/* Reading moves the offset back by what is read. */
	ASSERT_EQ(5, RECV(8, 0));
	EXPECT_EQ(6, sock_get(self->fd, SOL_SOCKET, SO_PEEK_OFF));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_PEEK_OFF, -1));
	ASSERT_EQ(6, RECV(8, MSG_PEEK));
}

/*
 * The offset moves by what is returned; and what is left of a datagram is told to be
 * cut if it just fits.
 */
TEST_F(recv, peek_offset__trunc)
{
	struct iovec iov = { self->buf, 3 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_PEEK_OFF, 2));
	SEND("hello");
	ASSERT_EQ(3, recvmsg(self->fd, &msg, MSG_PEEK));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags);
	EXPECT_EQ(5, sock_get(self->fd, SOL_SOCKET, SO_PEEK_OFF));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_PEEK_OFF, 2));
	iov.iov_len = 4;
	ASSERT_EQ(3, recvmsg(self->fd, &msg, MSG_PEEK));
	EXPECT_EQ(0, msg.msg_flags);
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_PEEK_OFF, 2));
	EXPECT_EQ(5, RECV(1, MSG_PEEK | MSG_TRUNC));
	EXPECT_EQ(7, sock_get(self->fd, SOL_SOCKET, SO_PEEK_OFF));
	EXPECT_EQ(2, RECV(2, 0));
	EXPECT_EQ(5, sock_get(self->fd, SOL_SOCKET, SO_PEEK_OFF));
}

/* What a sender on this host has set arrives, on kernels that tell (SO_RCVPRIORITY). */
TEST_F(recv, mark_and_priority)
{
	static const struct { int set, tell, value; } some[] = {
		{ SO_MARK, 75, 7 }, { SO_PRIORITY, 82, 5 },
	};
	union {
		struct cmsghdr	cmsg;
		char		room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { self->buf, sizeof(self->buf) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int i, err;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		err = sock_set(self->fd, SOL_SOCKET, some[i].tell, 1);
		if (err == -ENOPROTOOPT)
			continue;
		ASSERT_EQ(0, err);
		ASSERT_EQ(0, sock_set(self->from, SOL_SOCKET, some[i].set,
				      some[i].value));
		SEND("x");
		ASSERT_NE(0, sock_wait(self->fd, POLLIN));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		ASSERT_EQ(1, recvmsg(self->fd, &msg, 0));
		ASSERT_NE(NULL, CMSG_FIRSTHDR(&msg));
		EXPECT_EQ(SOL_SOCKET, control.cmsg.cmsg_level);
		EXPECT_EQ(some[i].set, control.cmsg.cmsg_type);
		EXPECT_EQ(some[i].value, *(int *)CMSG_DATA(&control.cmsg));
		ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, some[i].tell, 0));
	}
}

/* MSG_TRUNC in what is returned: the datagram was cut. */
TEST_F(recv, trunc__told)
{
	struct iovec iov = { self->buf, 3 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	SEND("hello");
	sock_wait(self->fd, POLLIN);
	ASSERT_EQ(3, recvmsg(self->fd, &msg, 0));
	EXPECT_EQ(MSG_TRUNC, msg.msg_flags);
	/* The rest is gone. */
	EXPECT_TRUE(sock_empty(self->fd));

	SEND("yes");
	sock_wait(self->fd, POLLIN);
	ASSERT_EQ(3, recvmsg(self->fd, &msg, 0));
	EXPECT_EQ(0, msg.msg_flags);
}

/* MSG_TRUNC in the call: return the datagram's own length. */
TEST_F(recv, trunc__asked)
{
	SEND("hello");
	EXPECT_EQ(5, RECV(2, MSG_TRUNC | MSG_PEEK));
	EXPECT_EQ(5, RECV(2, MSG_TRUNC));
	EXPECT_TRUE(sock_empty(self->fd));
}

TEST_F(recv, oob)
{
	SEND("hello");
	EXPECT_EQ(-EOPNOTSUPP, RECV(8, MSG_OOB));
	EXPECT_EQ(-EAGAIN, RECV(8, MSG_OOB | MSG_ERRQUEUE));
	EXPECT_EQ(5, RECV(8, 0));
}

static void mmsg_prepare(struct mmsghdr *mmsg, struct iovec *iov, char *buf,
			 int count)
{
	int i;

	memset(mmsg, 0, count * sizeof(*mmsg));
	for (i = 0; i < count; i++) {
		iov[i] = (struct iovec){ buf + 8 * i, 8 };
		mmsg[i].msg_hdr.msg_iov = &iov[i];
		mmsg[i].msg_hdr.msg_iovlen = 1;
	}
}

TEST_F(recv, recvmmsg)
{
	struct mmsghdr mmsg[4];
	struct iovec iov[4];

	mmsg_prepare(mmsg, iov, self->buf, 4);
	SEND("a");
	SEND("bb");
	SEND("ccc");
	sock_wait(self->fd, POLLIN);
	stat_wait("InDatagrams", 3);
	ASSERT_EQ(3, recvmmsg(self->fd, mmsg, 4, MSG_DONTWAIT, NULL));
	EXPECT_EQ(1, mmsg[0].msg_len);
	EXPECT_EQ(2, mmsg[1].msg_len);
	EXPECT_EQ(3, mmsg[2].msg_len);
	EXPECT_EQ(-1, recvmmsg(self->fd, mmsg, 4, MSG_DONTWAIT, NULL));
	EXPECT_EQ(EAGAIN, errno);
}

/* Its time-out is looked at after each datagram. */
TEST_F(recv, recvmmsg__timeout)
{
	struct timespec at_once = { };
	struct mmsghdr mmsg[4];
	struct iovec iov[4];

	mmsg_prepare(mmsg, iov, self->buf, 4);
	SEND("a");
	SEND("b");
	stat_wait("InDatagrams", 2);
	EXPECT_EQ(1, recvmmsg(self->fd, mmsg, 4, 0, &at_once));
	EXPECT_EQ(1, recvmmsg(self->fd, mmsg, 1, MSG_WAITFORONE, NULL));
}

/* A fault in the reader's buffer costs the datagram, as with UDP... */
TEST_F(recv, fault)
{
	long lost = stat_of("InDropReaderFault");

	SEND("hello");
	sock_wait(self->fd, POLLIN);
	EXPECT_EQ(-EFAULT, sock_recv(self->fd, (void *)8, 8, 0));
	EXPECT_EQ(lost + 1, stat_of("InDropReaderFault"));
	EXPECT_TRUE(sock_empty(self->fd));
}

/* ... and nothing if it was peeked at. */
TEST_F(recv, fault__peek)
{
	long lost = stat_of("InDropReaderFault");

	SEND("hello");
	sock_wait(self->fd, POLLIN);
	EXPECT_EQ(-EFAULT, sock_recv(self->fd, (void *)8, 8, MSG_PEEK));
	EXPECT_EQ(lost, stat_of("InDropReaderFault"));
	EXPECT_EQ(5, RECV(8, 0));
}

/* The length of what is next, not of all. */
TEST_F(recv, siocinq)
{
	int amount = -1;

	ASSERT_EQ(0, ioctl(self->fd, SIOCINQ, &amount));
	EXPECT_EQ(0, amount);
	SEND("hello");
	SEND("x");
	stat_wait("InDatagrams", 2);
	ASSERT_EQ(0, ioctl(self->fd, SIOCINQ, &amount));
	EXPECT_EQ(5, amount);
	ASSERT_EQ(5, RECV(8, 0));
	ASSERT_EQ(0, ioctl(self->fd, SIOCINQ, &amount));
	EXPECT_EQ(1, amount);
	EXPECT_EQ(-1, ioctl(self->fd, SIOCINQ, NULL));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(recv, unknown_ioctl)
{
	EXPECT_EQ(-1, ioctl(self->fd, 0x12345678, NULL));
	EXPECT_EQ(ENOTTY, errno);
}

TEST_HARNESS_MAIN
