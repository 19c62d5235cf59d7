// SPDX-License-Identifier: GPL-2.0-only
/*
 * SO_RCVBUF and SO_SNDBUF: how much a socket can hold, and what happens to who
 * comes when it is full.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 *
 * A sender's buffer fills when fy0 holds what it is given.
 */
#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000
#define HOLD	(64 << 20)	/* bytes: more than any socket may have */

FIXTURE(memory) {
	struct wire wire;
	int fd, reader;
	struct sockaddr_ferry here;
	char buf[1024];
};

FIXTURE_SETUP(memory)
{
	struct sockaddr_ferry there;

	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->reader = dgram_at(PORT);
	ASSERT_LE(0, self->reader);
	ASSERT_EQ(0, net_enter(self->wire.red));
	self->fd = dgram();
	ASSERT_LE(0, self->fd);
	there = sfy(self->wire.fy1, PORT);
	ASSERT_EQ(0, sock_connect(self->fd, &there));
	self->here = sfy(addr_any, PORT);
}

FIXTURE_TEARDOWN(memory)
{
	close(self->fd);
	close(self->reader);
}

static unsigned int meminfo(int fd, int what)
{
	unsigned int info[SK_MEMINFO_VARS] = { };
	socklen_t len = sizeof(info);

	getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len);
	return info[what];
}

#define WRITABLE(fd) (!!(sock_events(fd) & POLLOUT))

/* Send until the buffer is full. Return: how many datagrams. */
static int fill(int fd, const char *buf, size_t len)
{
	int count = 0;
	ssize_t n;

	do {
		n = sock_send(fd, buf, len, MSG_DONTWAIT);
		count += n == (ssize_t)len;
	} while (n == (ssize_t)len && count < 100000);
	return n == -EAGAIN ? count : n;
}

TEST_F(memory, rcvbuf__bounds)
{
	int fd = dgram_at(PORT), sent = 0, got = 0, i;
	long arrived = stat_of("InDatagrams");
	long dropped = stat_of("InDropReceiveBuffer");

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_RCVBUF, 16384));
	for (i = 0; i < 200; i++)
		sent += sock_send_to(self->fd, self->buf, 1000,
				     &self->here) == 1000;
	ASSERT_EQ(200, sent);
	stat_wait("InDatagrams", arrived + 1);
	while (stat_of("InDatagrams") - arrived +
	       stat_of("InDropReceiveBuffer") - dropped < sent)
		sched_yield();
	EXPECT_LT(dropped, stat_of("InDropReceiveBuffer"));
	/* One datagram may be over the limit, and no more. */
	EXPECT_LT(0, meminfo(fd, SK_MEMINFO_RMEM_ALLOC));
	EXPECT_GE(32768 + 4096, meminfo(fd, SK_MEMINFO_RMEM_ALLOC));
	EXPECT_EQ(stat_of("InDropReceiveBuffer") - dropped,
		  meminfo(fd, SK_MEMINFO_DROPS));
	while (sock_recv(fd, self->buf, 1024, MSG_DONTWAIT) == 1000)
		got++;
	EXPECT_EQ(sent, got + (int)meminfo(fd, SK_MEMINFO_DROPS));
	EXPECT_EQ(0, meminfo(fd, SK_MEMINFO_RMEM_ALLOC));
	close(fd);
}

/* A datagram larger than the buffer is received if the queue is empty. */
TEST_F(memory, rcvbuf__one_always_fits)
{
	static char large[60000];
	int fd = dgram_at(PORT);

	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_RCVBUF, 1));
	ASSERT_EQ(sizeof(large), sock_send_to(self->fd, large, sizeof(large),
					      &self->here));
	EXPECT_EQ(sizeof(large), sock_await(fd, large, sizeof(large)));
	close(fd);
}

/* The next datagram received says how many were lost before it. */
TEST_F(memory, rxq_ovfl)
{
	char control[CMSG_SPACE(sizeof(unsigned int))];
	struct iovec iov = { self->buf, sizeof(self->buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	int fd = dgram_at(PORT), i;
	struct cmsghdr *cmsg;
	long dropped;

	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1));
	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_RCVBUF, 1));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1000, sock_send_to(self->fd, self->buf, 1000,
					     &self->here));
	}
	dropped = stat_wait("InDropReceiveBuffer", 1);
	stat_wait("InPackets", 10);
	while (sock_recv(fd, self->buf, 1, MSG_DONTWAIT) == 1)
		;
	dropped = meminfo(fd, SK_MEMINFO_DROPS);
	EXPECT_LT(0, dropped);
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->here));
	ASSERT_NE(0, sock_wait(fd, POLLIN));
	ASSERT_EQ(1, recvmsg(fd, &msg, 0));
	cmsg = CMSG_FIRSTHDR(&msg);
	ASSERT_NE(NULL, cmsg);
	EXPECT_EQ(SOL_SOCKET, cmsg->cmsg_level);
	EXPECT_EQ(SO_RXQ_OVFL, cmsg->cmsg_type);
	EXPECT_EQ(dropped, *(unsigned int *)CMSG_DATA(cmsg));
	close(fd);
}

TEST_F(memory, sndbuf__full)
{
	int outq, count;

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_SNDBUF, 16384));
	ASSERT_EQ(0, ioctl(self->fd, SIOCOUTQ, &outq));
	EXPECT_EQ(0, outq);
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	EXPECT_TRUE(WRITABLE(self->fd));
	count = fill(self->fd, self->buf, 1000);
	EXPECT_LT(1, count);
	/* Bounded, and counted with what holds the data. */
	EXPECT_GE(40, count);
	ASSERT_EQ(0, ioctl(self->fd, SIOCOUTQ, &outq));
	EXPECT_LE(count * 1000, outq);
	EXPECT_EQ(outq, meminfo(self->fd, SK_MEMINFO_WMEM_ALLOC));
	EXPECT_FALSE(WRITABLE(self->fd));
	EXPECT_EQ(-EAGAIN, sock_send(self->fd, "x", 1, MSG_DONTWAIT));

	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(POLLOUT, sock_wait(self->fd, POLLOUT));
	while (count--) {
		ASSERT_EQ(1000, sock_await(self->reader, self->buf, 1024));
	}
}

TEST_F(memory, sndbuf__wakes_a_sender)
{
	struct sleeper sender = {
		.call = sleep_in_send, .fd = self->fd,
		.data = self->buf, .len = 1000,
	};

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_SNDBUF, 16384));
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_LT(0, fill(self->fd, self->buf, 1000));
	ASSERT_TRUE(sleeper_start(&sender, SYS_sendto));
	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(1000, sleeper_join(&sender));
}

TEST_F(memory, sndbuf__wakes_a_poller)
{
	struct sleeper poller = {
		.call = sleep_in_poll, .fd = self->fd, .events = POLLOUT,
	};

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_SNDBUF, 16384));
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_LT(0, fill(self->fd, self->buf, 1000));
	ASSERT_TRUE(sleeper_start(&poller, SYS_poll));
	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(POLLOUT, sleeper_join(&poller));
}

TEST_F(memory, sndbuf__epoll_edge)
{
	struct epoll_event event = { .events = EPOLLOUT | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_SNDBUF, 16384));
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event));
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, 0));
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_LT(0, fill(self->fd, self->buf, 1000));
	ASSERT_EQ(0, epoll_wait(ep, &event, 1, 0));
	ASSERT_EQ(0, link_release("fy0"));
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, WAIT_MS));
	EXPECT_EQ(EPOLLOUT, event.events);
	close(ep);
}

TEST_F(memory, sndbuf__timeout)
{
	struct timeval limit = { .tv_usec = 20000 };

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_SNDBUF, 16384));
	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_SNDTIMEO, &limit,
				sizeof(limit)));
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_LT(0, fill(self->fd, self->buf, 1000));
	EXPECT_EQ(-EAGAIN, sock_send(self->fd, self->buf, 1000, 0));
}

TEST_F(memory, sndbuf__shutdown_wakes_a_sender)
{
	struct sleeper sender = {
		.call = sleep_in_send, .fd = self->fd,
		.data = self->buf, .len = 1000, .flags = MSG_NOSIGNAL,
	};

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_SNDBUF, 16384));
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_LT(0, fill(self->fd, self->buf, 1000));
	ASSERT_TRUE(sleeper_start(&sender, SYS_sendto));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	EXPECT_EQ(-EPIPE, sleeper_join(&sender));
}

/* A socket that is closed while its data is held: all is freed, none lost. */
TEST_F(memory, sndbuf__closed_while_held)
{
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	close(self->fd);
	self->fd = -1;
	EXPECT_TRUE(sock_empty(self->reader));
	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(1, sock_await(self->reader, self->buf, 1));
}

/* A device's queue that overflows loses packets, and the sender is not told. */
TEST_F(memory, queue_overflow)
{
	long dropped = stat_of("OutDropDevice");

	ASSERT_EQ(0, link_hold("fy0", 2000));
	EXPECT_EQ(1000, sock_send(self->fd, self->buf, 1000, 0));
	EXPECT_EQ(1000, sock_send(self->fd, self->buf, 1000, 0));
	EXPECT_EQ(dropped + 1, stat_of("OutDropDevice"));
}

TEST_HARNESS_MAIN
