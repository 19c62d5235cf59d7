// SPDX-License-Identifier: GPL-2.0-only
/*
 * shutdown(): what still works afterwards, and who is woken.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000

FIXTURE(shutdown) {
	int fd, peer;
	struct sockaddr_ferry at;
	char byte;
};

FIXTURE_SETUP(shutdown)
{
	ASSERT_LE(0, net_new());
	self->peer = dgram_at(PORT);
	ASSERT_LE(0, self->peer);
	self->fd = dgram_to(PORT);
	ASSERT_LE(0, self->fd);
	self->at = sfy(addr_any, sock_port(self->fd));
	signal(SIGPIPE, SIG_IGN);
}

FIXTURE_TEARDOWN(shutdown)
{
	close(self->fd);
	close(self->peer);
}

TEST_F(shutdown, writing)
{
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	EXPECT_EQ(-EPIPE, sock_send(self->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_TRUE(sock_empty(self->peer));
	/* Reading goes on. */
	ASSERT_EQ(1, sock_send_to(self->peer, "x", 1, &self->at));
	EXPECT_EQ(1, sock_await(self->fd, &self->byte, 1));
}

static volatile sig_atomic_t pipes;

static void on_pipe(int sig)
{
	pipes += sig == SIGPIPE;
}

/* Like UDP's, a datagram socket raises no SIGPIPE. */
TEST_F(shutdown, writing__signal)
{
	signal(SIGPIPE, on_pipe);
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	EXPECT_EQ(-EPIPE, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(0, pipes);
}

/* What has arrived can be read; then comes the end. */
TEST_F(shutdown, reading)
{
	ASSERT_EQ(1, sock_send_to(self->peer, "x", 1, &self->at));
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RD));
	EXPECT_EQ(1, sock_recv(self->fd, &self->byte, 1, 0));
	EXPECT_EQ(0, sock_recv(self->fd, &self->byte, 1, 0));
	EXPECT_EQ(1, sock_send(self->fd, "x", 1, 0));
}

TEST_F(shutdown, both)
{
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RDWR));
	EXPECT_EQ(0, sock_recv(self->fd, &self->byte, 1, 0));
	EXPECT_EQ(-EPIPE, sock_send(self->fd, "x", 1, MSG_NOSIGNAL));
}

TEST_F(shutdown, wrong_way)
{
	EXPECT_EQ(-EINVAL, sock_shutdown(self->fd, 3));
	EXPECT_EQ(-EINVAL, sock_shutdown(self->fd, -1));
	EXPECT_EQ(1, sock_send(self->fd, "x", 1, 0));
}

TEST_F(shutdown, events)
{
	EXPECT_EQ(0, sock_events(self->fd) & (POLLIN | POLLRDHUP | POLLHUP));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RD));
	EXPECT_EQ(POLLIN | POLLRDHUP,
		  sock_events(self->fd) & (POLLIN | POLLRDHUP | POLLHUP));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	EXPECT_EQ(POLLIN | POLLRDHUP | POLLHUP,
		  sock_events(self->fd) & (POLLIN | POLLRDHUP | POLLHUP));
}

TEST_F(shutdown, wakes_a_reader)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd,
		.data = &self->byte, .len = 1,
	};

	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RD));
	EXPECT_EQ(0, sleeper_join(&reader));
}

/* Not connected, the call fails; the reader is woken all the same. */
TEST_F(shutdown, wakes_a_reader__not_connected)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->peer,
		.data = &self->byte, .len = 1,
	};

	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	EXPECT_EQ(-ENOTCONN, sock_shutdown(self->peer, SHUT_RD));
	EXPECT_EQ(0, sleeper_join(&reader));
}

TEST_F(shutdown, wakes_a_poller)
{
	struct sleeper poller = {
		.call = sleep_in_poll, .fd = self->fd, .events = POLLIN,
	};

	ASSERT_TRUE(sleeper_start(&poller, SYS_poll));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RD));
	EXPECT_EQ(POLLIN, sleeper_join(&poller));
}

TEST_F(shutdown, seen_by_epoll_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event));
	ASSERT_EQ(0, epoll_wait(ep, &event, 1, 0));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RD));
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, WAIT_MS));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, event.events);
	EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
	close(ep);
}

TEST_HARNESS_MAIN
