// SPDX-License-Identifier: GPL-2.0-only
/*
 * poll(), select(), epoll and SIGIO of streams: what they report in each state,
 * and that they wake.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define READABLE	(POLLIN | POLLRDNORM)
#define WRITABLE	(POLLOUT | POLLWRNORM)
#define ENDED		(READABLE | POLLRDHUP)

FIXTURE(poll) {
	struct conn conn;
	int a, b, ep;
	struct sockaddr_ferry at;
	char byte;
};

FIXTURE_SETUP(poll)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
	self->ep = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, self->ep);
	self->at = sfy(addr_any, PORT);
}

FIXTURE_TEARDOWN(poll)
{
	conn_close(&self->conn);
	close(self->ep);
}

#define SEND() ASSERT_EQ(1, sock_send(self->a, "x", 1, MSG_NOSIGNAL))
#define RECV() ASSERT_EQ(1, sock_recv(self->b, &self->byte, 1, MSG_DONTWAIT))
/* Wait for an event, then see all there are. */
#define EVENTS(fd, event) ({ sock_wait(fd, event); sock_events(fd); })

/*
 * States
 */

TEST_F(poll, state__new)
{
	int fd = conn_socket(SOCK_STREAM);

	EXPECT_EQ(WRITABLE | POLLHUP, sock_events(fd));
	close(fd);
	fd = conn_bound(SOCK_STREAM, PORT + 1);
	EXPECT_EQ(WRITABLE | POLLHUP, sock_events(fd));
	close(fd);
}

TEST_F(poll, state__listen)
{
	int fd;

	EXPECT_EQ(0, sock_events(self->conn.listener));
	fd = conn_to(SOCK_STREAM, &self->at);
	EXPECT_EQ(READABLE, EVENTS(self->conn.listener, POLLIN));
	close(conn_accept(self->conn.listener));
	EXPECT_EQ(0, sock_events(self->conn.listener));
	close(fd);
}

TEST_F(poll, state__refused)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT + 1);
	int fd = conn_start(SOCK_STREAM, &to);

	EXPECT_EQ(ENDED | WRITABLE | POLLERR | POLLHUP, EVENTS(fd, POLLHUP));
	EXPECT_EQ(ECONNREFUSED, sock_error(fd));
	EXPECT_EQ(ENDED | WRITABLE | POLLHUP, sock_events(fd));
	close(fd);
}

TEST_F(poll, state__established)
{
	EXPECT_EQ(WRITABLE, sock_events(self->a));
	EXPECT_EQ(WRITABLE, sock_events(self->b));
	SEND();
	EXPECT_EQ(READABLE | WRITABLE, EVENTS(self->b, POLLIN));
	RECV();
	EXPECT_EQ(WRITABLE, sock_events(self->b));
}

TEST_F(poll, state__full)
{
	ASSERT_LT(0, conn_fill(self->a, self->b));
	EXPECT_EQ(0, sock_events(self->a));
	EXPECT_EQ(READABLE | WRITABLE, sock_events(self->b));
}

/* The peer sends no more: CLOSE_WAIT here, FIN_WAIT_2 there. */
TEST_F(poll, state__peer_shut_down)
{
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(ENDED | WRITABLE, EVENTS(self->b, POLLRDHUP));
	EXPECT_EQ(WRITABLE, sock_events(self->a));
	/* Reading the end changes nothing. */
	EXPECT_EQ(0, sock_recv(self->b, &self->byte, 1, 0));
	EXPECT_EQ(ENDED | WRITABLE, sock_events(self->b));
}

TEST_F(poll, state__shut_down_reading)
{
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_RD));
	EXPECT_EQ(ENDED | WRITABLE, sock_events(self->a));
	EXPECT_EQ(WRITABLE, sock_events(self->b));
}

TEST_F(poll, state__shut_down_both)
{
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_RDWR));
	EXPECT_EQ(ENDED | WRITABLE | POLLHUP, sock_events(self->a));
	EXPECT_EQ(ENDED | WRITABLE, EVENTS(self->b, POLLRDHUP));
}

/* Writable to the end, even if the buffer is full: a write says EPIPE. */
TEST_F(poll, state__shut_down_full)
{
	ASSERT_LT(0, conn_fill(self->a, self->b));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(WRITABLE, sock_events(self->a));
}

/* Both have shut down, one after the other: LAST_ACK, TIME_WAIT, CLOSED. */
TEST_F(poll, state__over)
{
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	ASSERT_NE(0, sock_wait(self->b, POLLRDHUP));
	ASSERT_EQ(0, sock_shutdown(self->b, SHUT_WR));
	EXPECT_EQ(ENDED | WRITABLE | POLLHUP, EVENTS(self->a, POLLHUP));
	EXPECT_EQ(ENDED | WRITABLE | POLLHUP, EVENTS(self->b, POLLHUP));
}

TEST_F(poll, state__reset)
{
	ASSERT_EQ(0, conn_linger(self->b, 0));
	close(self->b);
	self->conn.server = -1;
	EXPECT_EQ(ENDED | WRITABLE | POLLERR | POLLHUP,
		  EVENTS(self->a, POLLHUP));
	EXPECT_EQ(ECONNRESET, sock_error(self->a));
	EXPECT_EQ(ENDED | WRITABLE | POLLHUP, sock_events(self->a));
}

/*
 * Waking
 */

static struct sleeper poller(int fd, short events)
{
	return (struct sleeper){
		.call = sleep_in_poll, .fd = fd, .events = events,
	};
}

TEST_F(poll, wakes__data)
{
	struct sleeper sleeper = poller(self->b, POLLIN);

	ASSERT_TRUE(sleeper_start(&sleeper, SYS_poll));
	SEND();
	EXPECT_EQ(POLLIN, sleeper_join(&sleeper));
}

TEST_F(poll, wakes__connection)
{
	struct sleeper sleeper = poller(self->conn.listener, POLLIN);
	int fd;

	ASSERT_TRUE(sleeper_start(&sleeper, SYS_poll));
	fd = conn_to(SOCK_STREAM, &self->at);
	EXPECT_EQ(POLLIN, sleeper_join(&sleeper));
	close(fd);
}

static void drain(int fd, ssize_t len)
{
	char *data = malloc(len);

	recv_all(fd, data, len);
	free(data);
}

TEST_F(poll, wakes__room)
{
	struct sleeper sleeper = poller(self->a, POLLOUT);
	ssize_t held = conn_fill(self->a, self->b);

	ASSERT_LT(0, held);
	ASSERT_TRUE(sleeper_start(&sleeper, SYS_poll));
	drain(self->b, held);
	EXPECT_EQ(POLLOUT, sleeper_join(&sleeper));
}

/* There is room when a third of the buffer is free, not with each byte. */
TEST_F(poll, wakes__room_enough)
{
	ssize_t held;

	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SNDBUF, 200000));
	held = conn_fill(self->a, self->b);
	ASSERT_LT(0, held);
	EXPECT_EQ(-EAGAIN, sock_send(self->a, "x", 1, MSG_DONTWAIT));
	drain(self->b, held);
	ASSERT_EQ(POLLOUT, sock_wait(self->a, POLLOUT));
	EXPECT_LT(1, send_full(self->a, 1 << 20));
}

TEST_F(poll, wakes__end)
{
	struct sleeper in = poller(self->b, POLLIN);
	struct sleeper hup = poller(self->b, POLLRDHUP);

	ASSERT_TRUE(sleeper_start(&in, SYS_poll));
	ASSERT_TRUE(sleeper_start(&hup, SYS_poll));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(POLLIN, sleeper_join(&in));
	EXPECT_EQ(POLLRDHUP, sleeper_join(&hup));
}

/* An error wakes who asked for nothing. */
TEST_F(poll, wakes__reset)
{
	struct sleeper sleeper = poller(self->b, 0);

	ASSERT_TRUE(sleeper_start(&sleeper, SYS_poll));
	ASSERT_EQ(0, conn_linger(self->a, 0));
	close(self->a);
	self->conn.client = -1;
	EXPECT_EQ(POLLERR | POLLHUP, sleeper_join(&sleeper));
}

TEST_F(poll, wakes__own_shutdown)
{
	struct sleeper sleeper = poller(self->b, POLLIN);

	ASSERT_TRUE(sleeper_start(&sleeper, SYS_poll));
	ASSERT_EQ(0, sock_shutdown(self->b, SHUT_RD));
	EXPECT_EQ(POLLIN, sleeper_join(&sleeper));
}

/* All that poll are woken, not one of them. */
TEST_F(poll, wakes__all)
{
	enum { COUNT = 5 };
	struct sleeper sleepers[COUNT];
	int i;

	for (i = 0; i < COUNT; i++) {
		sleepers[i] = poller(self->b, POLLIN);
		ASSERT_TRUE(sleeper_start(&sleepers[i], SYS_poll));
	}
	SEND();
	for (i = 0; i < COUNT; i++) {
		EXPECT_EQ(POLLIN, sleeper_join(&sleepers[i]));
	}
}

/*
 * select()
 */

/* Bits: 1 readable, 2 writable, 4 exceptional. */
static int selected(int fd, struct timeval *limit)
{
	fd_set in, out, except;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&except);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	FD_SET(fd, &except);
	if (select(fd + 1, &in, &out, &except, limit) < 0)
		return -errno;
	return FD_ISSET(fd, &in) | FD_ISSET(fd, &out) << 1 |
	       FD_ISSET(fd, &except) << 2;
}

TEST_F(poll, select)
{
	struct timeval none = { };

	EXPECT_EQ(2, selected(self->b, &none));
	SEND();
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	EXPECT_EQ(3, selected(self->b, &none));
	ASSERT_LT(0, conn_fill(self->a, self->b));
	EXPECT_EQ(0, selected(self->a, &none));
	ASSERT_EQ(0, sock_shutdown(self->b, SHUT_WR));
	ASSERT_NE(0, sock_wait(self->a, POLLRDHUP));
	EXPECT_EQ(1, selected(self->a, &none));
}

static long sleep_in_select(struct sleeper *self)
{
	fd_set set;
	int n;

	FD_ZERO(&set);
	FD_SET(self->fd, &set);
	n = select(self->fd + 1, &set, NULL, NULL, NULL);
	return n < 0 ? -errno : n == 1 && FD_ISSET(self->fd, &set);
}

TEST_F(poll, select__wakes)
{
	struct sleeper sleeper = { .call = sleep_in_select, .fd = self->b };

	ASSERT_TRUE(sleeper_start(&sleeper, SYS_pselect6));
	SEND();
	EXPECT_EQ(1, sleeper_join(&sleeper));
}

/*
 * epoll
 */

TEST_F(poll, epoll__level)
{
	ASSERT_EQ(0, epoll_watch(self->ep, self->b, EPOLLIN | EPOLLRDHUP));
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, 0));
	RECV();
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, epoll_events(self->ep, WAIT_MS));
}

/* Each arrival is an edge, also if there was something to read before. */
TEST_F(poll, epoll__edge)
{
	ASSERT_EQ(0, epoll_watch(self->ep, self->b, EPOLLIN | EPOLLET));
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	RECV();
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
}

/* Room to write is an edge after a write that did not fit. */
TEST_F(poll, epoll__edge_writing)
{
	ssize_t held;

	ASSERT_EQ(0, epoll_watch(self->ep, self->a, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, epoll_events(self->ep, 0));
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	held = conn_fill(self->a, self->b);
	ASSERT_LT(0, held);
	while (epoll_events(self->ep, 0))
		;
	drain(self->b, held);
	EXPECT_EQ(EPOLLOUT, epoll_events(self->ep, WAIT_MS));
}

/*
 * The memory of all streams is short, and this one's queue is empty: no ACK will
 * tell when there is some again. So the edge comes with the refusal, and who tries
 * again then is not left waiting for ever.
 */
TEST_F(poll, epoll__edge_writing__no_memory)
{
	int hogs[MEMORY_HOGS];
	unsigned int events;
	char usual[64];
	ssize_t n;

	ASSERT_EQ(0, memory_hold(hogs, &self->at));
	/* A buffer that is not fixed would be made smaller, and then there is room. */
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SNDBUF, 100000));
	ASSERT_EQ(0, epoll_watch(self->ep, self->a, EPOLLOUT | EPOLLET));
	EXPECT_EQ(EPOLLOUT, epoll_events(self->ep, 0));
	EXPECT_EQ(0, epoll_events(self->ep, 0));

	ASSERT_EQ(0, memory_set("1 1 1", usual, sizeof(usual)));
	n = sock_send(self->a, "x", 1, MSG_DONTWAIT);
	events = epoll_events(self->ep, 0);
	ASSERT_EQ(0, memory_set(usual, NULL, 0));
	EXPECT_EQ(-EAGAIN, n);
	EXPECT_EQ(0, conn_amount(self->a, SIOCOUTQ));
	EXPECT_EQ(EPOLLOUT, events);
	SEND();
	memory_release(hogs);
}

/* The whole of a connection's life, in edges. */
TEST_F(poll, epoll__edge_connecting)
{
	int fd = conn_socket(SOCK_STREAM | SOCK_NONBLOCK);

	ASSERT_EQ(0, epoll_watch(self->ep, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP |
			   EPOLLET));
	EXPECT_EQ(EPOLLOUT | EPOLLHUP, epoll_events(self->ep, 0));
	ASSERT_EQ(-EINPROGRESS, sock_connect(fd, &self->at));
	EXPECT_EQ(EPOLLOUT, epoll_events(self->ep, WAIT_MS));
	EXPECT_EQ(0, epoll_events(self->ep, 0));
	close(conn_accept(self->conn.listener));
	EXPECT_EQ(EPOLLIN | EPOLLOUT | EPOLLRDHUP, epoll_events(self->ep, WAIT_MS));
	close(fd);
}

TEST_F(poll, epoll__oneshot)
{
	ASSERT_EQ(0, epoll_watch(self->ep, self->b, EPOLLIN | EPOLLONESHOT));
	SEND();
	EXPECT_EQ(EPOLLIN, epoll_events(self->ep, WAIT_MS));
	SEND();
	EXPECT_EQ(0, epoll_events(self->ep, 0));
}

static long sleep_in_epoll(struct sleeper *self)
{
	unsigned int got = epoll_events(self->fd, -1);

	return got ? (long)got : -errno;
}

TEST_F(poll, epoll__wakes)
{
	struct sleeper sleeper = { .call = sleep_in_epoll, .fd = self->ep };

	ASSERT_EQ(0, epoll_watch(self->ep, self->b, EPOLLIN));
	ASSERT_TRUE(sleeper_start(&sleeper, SYS_epoll_wait));
	SEND();
	EXPECT_EQ(EPOLLIN, sleeper_join(&sleeper));
}

/* A socket that is closed is no longer watched. */
TEST_F(poll, epoll__closed)
{
	ASSERT_EQ(0, epoll_watch(self->ep, self->b, EPOLLIN));
	close(self->b);
	self->conn.server = -1;
	EXPECT_EQ(0, epoll_events(self->ep, 0));
}

/*
 * SIGIO
 */

/* Have a socket send a queued signal, which is blocked. */
static int async(int fd, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigprocmask(SIG_BLOCK, &set, NULL) ||
	    fcntl(fd, F_SETOWN, getpid()) || fcntl(fd, F_SETSIG, sig) ||
	    fcntl(fd, F_SETFL, O_ASYNC))
		return -errno;
	return 0;
}

/* The code of the next signal that has one of @codes' bits, or 0. */
static int await_code(int sig, unsigned int codes, siginfo_t *info)
{
	struct timespec limit = { .tv_sec = WAIT_MS / 1000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	while (sigtimedwait(&set, info, &limit) == sig)
		if (info->si_code > 0 && codes & 1 << info->si_code)
			return info->si_code;
	return 0;
}

#define CODE(code)	(1U << (code))

TEST_F(poll, sigio__data)
{
	int sig = SIGRTMIN + 1;
	siginfo_t info;

	ASSERT_EQ(0, async(self->b, sig));
	SEND();
	ASSERT_EQ(POLL_IN, await_code(sig, CODE(POLL_IN), &info));
	EXPECT_EQ(self->b, info.si_fd);
	EXPECT_EQ(READABLE, info.si_band);
}

TEST_F(poll, sigio__room)
{
	int sig = SIGRTMIN + 1;
	siginfo_t info;
	ssize_t held;

	held = conn_fill(self->a, self->b);
	ASSERT_LT(0, held);
	ASSERT_EQ(0, async(self->a, sig));
	ASSERT_EQ(-EAGAIN, sock_send(self->a, "x", 1, MSG_DONTWAIT));
	drain(self->b, held);
	ASSERT_EQ(POLL_OUT, await_code(sig, CODE(POLL_OUT), &info));
	EXPECT_EQ(self->a, info.si_fd);
}

TEST_F(poll, sigio__connected)
{
	int fd = conn_socket(SOCK_STREAM | SOCK_NONBLOCK);
	int sig = SIGRTMIN + 1;
	siginfo_t info;

	ASSERT_EQ(0, async(fd, sig));
	ASSERT_EQ(0, fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
	ASSERT_EQ(-EINPROGRESS, sock_connect(fd, &self->at));
	ASSERT_EQ(POLL_OUT, await_code(sig, CODE(POLL_OUT), &info));
	EXPECT_EQ(fd, info.si_fd);
	close(fd);
}

TEST_F(poll, sigio__connection)
{
	int sig = SIGRTMIN + 1, fd;
	siginfo_t info;

	ASSERT_EQ(0, async(self->conn.listener, sig));
	fd = conn_to(SOCK_STREAM, &self->at);
	ASSERT_EQ(POLL_IN, await_code(sig, CODE(POLL_IN), &info));
	EXPECT_EQ(self->conn.listener, info.si_fd);
	close(fd);
}

TEST_F(poll, sigio__end)
{
	int sig = SIGRTMIN + 1;
	siginfo_t info;

	ASSERT_EQ(0, async(self->b, sig));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(POLL_IN, await_code(sig, CODE(POLL_IN), &info));
}

TEST_F(poll, sigio__over)
{
	int sig = SIGRTMIN + 1;
	siginfo_t info;

	ASSERT_EQ(0, async(self->b, sig));
	ASSERT_EQ(0, sock_shutdown(self->b, SHUT_WR));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(POLL_HUP, await_code(sig, CODE(POLL_HUP), &info));
}

TEST_F(poll, sigio__reset)
{
	int sig = SIGRTMIN + 1;
	siginfo_t info;

	ASSERT_EQ(0, async(self->b, sig));
	ASSERT_EQ(0, conn_linger(self->a, 0));
	close(self->a);
	self->conn.client = -1;
	EXPECT_EQ(POLL_ERR, await_code(sig, CODE(POLL_ERR), &info));
}

TEST_HARNESS_MAIN
