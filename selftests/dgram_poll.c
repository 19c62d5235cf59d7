// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(), select() and epoll: what they report, and that they wake.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000

FIXTURE(poll) {
	int fd, from, ep;
	struct sockaddr_ferry at;
	char byte;
};

FIXTURE_SETUP(poll)
{
	ASSERT_LE(0, net_new());
	self->fd = dgram_at(PORT);
	self->from = dgram();
	self->ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->from);
	ASSERT_LE(0, self->ep);
	self->at = sfy(addr_any, PORT);
}

FIXTURE_TEARDOWN(poll)
{
	close(self->fd);
	close(self->from);
	close(self->ep);
}

#define SEND() ASSERT_EQ(1, sock_send_to(self->from, "x", 1, &self->at))
#define RECV() ASSERT_EQ(1, sock_recv(self->fd, &self->byte, 1, MSG_DONTWAIT))
#define READABLE	(POLLIN | POLLRDNORM)
#define WRITABLE	(POLLOUT | POLLWRNORM | POLLWRBAND)

TEST_F(poll, level)
{
	EXPECT_EQ(WRITABLE, sock_events(self->fd));
	SEND();
	EXPECT_EQ(POLLIN, sock_wait(self->fd, POLLIN));
	EXPECT_EQ(READABLE | WRITABLE, sock_events(self->fd));
	EXPECT_EQ(READABLE | WRITABLE, sock_events(self->fd));
	RECV();
	EXPECT_EQ(WRITABLE, sock_events(self->fd));
}

TEST_F(poll, wakes)
{
	struct sleeper poller = {
		.call = sleep_in_poll, .fd = self->fd, .events = POLLIN,
	};

	ASSERT_TRUE(sleeper_start(&poller, SYS_poll));
	SEND();
	EXPECT_EQ(POLLIN, sleeper_join(&poller));
}

static long sleep_in_select(struct sleeper *self)
{
	fd_set set;
	int n;

	FD_ZERO(&set);
	FD_SET(self->fd, &set);
	n = select(self->fd + 1, &set, NULL, NULL, NULL);
	if (n < 0)
		return -errno;
	return n == 1 && FD_ISSET(self->fd, &set);
}

TEST_F(poll, select)
{
	struct timeval none = { };
	fd_set read, write;

	FD_ZERO(&read);
	FD_ZERO(&write);
	FD_SET(self->fd, &read);
	FD_SET(self->fd, &write);
	EXPECT_EQ(1, select(self->fd + 1, &read, &write, NULL, &none));
	EXPECT_FALSE(FD_ISSET(self->fd, &read));
	EXPECT_TRUE(FD_ISSET(self->fd, &write));
}

TEST_F(poll, select__wakes)
{
	struct sleeper selecter = { .call = sleep_in_select, .fd = self->fd };

	ASSERT_TRUE(sleeper_start(&selecter, SYS_pselect6));
	SEND();
	EXPECT_EQ(1, sleeper_join(&selecter));
}

TEST_F(poll, epoll__level)
{
	ASSERT_EQ(0, epoll_watch(self->ep, self->fd, EPOLLIN));
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, 0));
	RECV();
	EXPECT_EQ(0, epoll_events(self->ep, 0));
}

/* Each arrival is an edge, whether or not the queue was empty. */
TEST_F(poll, epoll__edge)
{
	ASSERT_EQ(0, epoll_watch(self->ep, self->fd, EPOLLIN | EPOLLET));
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	stat_wait("InDatagrams", 2);
	RECV();
	RECV();
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
}

TEST_F(poll, epoll__oneshot)
{
	ASSERT_EQ(0, epoll_watch(self->ep, self->fd, EPOLLIN | EPOLLONESHOT));
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
	SEND();
	stat_wait("InDatagrams", 2);
	EXPECT_EQ(0, epoll_events(self->ep, 0));
}

static long sleep_in_epoll(struct sleeper *self)
{
	struct epoll_event event;
	int n = epoll_wait(self->fd, &event, 1, -1);

	return n < 0 ? -errno : (long)event.events;
}

TEST_F(poll, epoll__wakes)
{
	struct sleeper waiter = { .call = sleep_in_epoll, .fd = self->ep };

	ASSERT_EQ(0, epoll_watch(self->ep, self->fd, EPOLLIN));
	ASSERT_TRUE(sleeper_start(&waiter, SYS_epoll_wait));
	SEND();
	EXPECT_EQ(EPOLLIN, sleeper_join(&waiter));
}

/* Of several that wait exclusively, one is woken: it takes the datagram. */
TEST_F(poll, epoll__exclusive)
{
	int other = epoll_create1(EPOLL_CLOEXEC);
	struct sleeper waiter[2] = {
		{ .call = sleep_in_epoll, .fd = self->ep },
		{ .call = sleep_in_epoll, .fd = other },
	};
	long got;

	ASSERT_EQ(0, epoll_watch(self->ep, self->fd, EPOLLIN | EPOLLEXCLUSIVE));
	ASSERT_EQ(0, epoll_watch(other, self->fd, EPOLLIN | EPOLLEXCLUSIVE));
	ASSERT_TRUE(sleeper_start(&waiter[0], SYS_epoll_wait));
	ASSERT_TRUE(sleeper_start(&waiter[1], SYS_epoll_wait));
	SEND();
	ASSERT_EQ(POLLIN, sock_wait(self->fd, POLLIN));
	RECV();
	/* Whichever it was, the next datagrams wake the other. */
	SEND();
	got = sleeper_join(&waiter[0]);
	SEND();
	EXPECT_EQ(EPOLLIN, got);
	EXPECT_EQ(EPOLLIN, sleeper_join(&waiter[1]));
	close(other);
}

TEST_F(poll, error)
{
	struct sockaddr_ferry nobody = sfy(addr_any, PORT + 1);

	ASSERT_EQ(0, sock_connect(self->from, &nobody));
	ASSERT_EQ(0, epoll_watch(self->ep, self->from, EPOLLIN | EPOLLET));
	ASSERT_EQ(1, sock_send(self->from, "x", 1, 0));
	EXPECT_EQ(POLLERR, sock_wait(self->from, 0));
	EXPECT_TRUE(epoll_events(self->ep, WAIT_MS) & EPOLLERR);
	EXPECT_EQ(ECONNREFUSED, sock_error(self->from));
	EXPECT_EQ(WRITABLE, sock_events(self->from));
}

TEST_HARNESS_MAIN
