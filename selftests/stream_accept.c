// SPDX-License-Identifier: GPL-2.0-only
/*
 * accept(): what is accepted, and who is woken for it.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000

FIXTURE(accept) {
	int fd;
	struct sockaddr_ferry at;
	char byte;
};

FIXTURE_SETUP(accept)
{
	ASSERT_LE(0, net_new());
	self->fd = conn_listen(SOCK_STREAM, PORT, 64);
	ASSERT_LE(0, self->fd);
	self->at = sfy(addr_any, PORT);
}

FIXTURE_TEARDOWN(accept)
{
	close(self->fd);
}

/* Connect to the fixture's listener, and see the connection in its queue. */
#define CLIENT() ({ \
	int _fd = conn_to(SOCK_STREAM, &self->at); \
	ASSERT_LE(0, _fd); \
	ASSERT_EQ(POLLIN, sock_wait(self->fd, POLLIN)); \
	_fd; })

static int accept_with(int fd, int flags)
{
	int got = accept4(fd, NULL, NULL, flags);

	return got < 0 ? -errno : got;
}

TEST_F(accept, flags)
{
	int client = CLIENT(), server;

	EXPECT_EQ(-EINVAL, accept_with(self->fd, 1));
	server = accept_with(self->fd, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ASSERT_LE(0, server);
	EXPECT_TRUE(fcntl(server, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(FD_CLOEXEC, fcntl(server, F_GETFD));
	EXPECT_EQ(-EAGAIN, sock_recv(server, &self->byte, 1, 0));
	close(server);
	close(client);
}

/* The listener's O_NONBLOCK and O_ASYNC are its own. */
TEST_F(accept, flags__not_inherited)
{
	int client = CLIENT(), server;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK | O_ASYNC));
	server = accept_with(self->fd, 0);
	ASSERT_LE(0, server);
	EXPECT_FALSE(fcntl(server, F_GETFL) & (O_NONBLOCK | O_ASYNC));
	EXPECT_EQ(0, fcntl(server, F_GETFD));
	close(server);
	close(client);
}

TEST_F(accept, peer)
{
	struct sockaddr_ferry from;
	socklen_t len = sizeof(from);
	int client = CLIENT(), server;

	memset(&from, 0x55, sizeof(from));
	server = accept(self->fd, (struct sockaddr *)&from, &len);
	ASSERT_LE(0, server);
	EXPECT_EQ(sizeof(from), len);
	EXPECT_EQ(AF_FERRY, from.sfy_family);
	EXPECT_EQ(0, from.sfy_reserved);
	EXPECT_EQ(sock_port(client), from.sfy_port);
	EXPECT_NE(0, memcmp(addr_any, from.sfy_addr, FERRY_ALEN));
	EXPECT_EQ(0, from.sfy_reserved2[0] | from.sfy_reserved2[1]);
	close(server);
	close(client);
}

/* A short buffer has the beginning of it, and the whole length is told. */
TEST_F(accept, peer__cut)
{
	struct sockaddr_ferry from;
	int client = CLIENT(), server;
	socklen_t len = 2;

	memset(&from, 0x55, sizeof(from));
	server = accept(self->fd, (struct sockaddr *)&from, &len);
	ASSERT_LE(0, server);
	EXPECT_EQ(sizeof(from), len);
	EXPECT_EQ(AF_FERRY, from.sfy_family);
	EXPECT_EQ(0x55555555, from.sfy_port);
	close(server);
	close(client);
}

TEST_F(accept, peer__bad_buffer)
{
	struct sockaddr_ferry from;
	socklen_t len = -1;
	int client = CLIENT();

	EXPECT_EQ(-1, accept(self->fd, (struct sockaddr *)&from, &len));
	EXPECT_EQ(EINVAL, errno);
	close(client);
	client = CLIENT();
	len = sizeof(from);
	EXPECT_EQ(-1, accept(self->fd, (struct sockaddr *)8, &len));
	EXPECT_EQ(EFAULT, errno);
	close(client);
}

TEST_F(accept, in_order)
{
	int client[3], server, i;
	struct sockaddr_ferry from;
	socklen_t len = sizeof(from);

	for (i = 0; i < 3; i++) {
		client[i] = conn_to(SOCK_STREAM, &self->at);
		ASSERT_LE(0, client[i]);
		stat_wait("PassiveOpens", i + 1);
	}
	for (i = 0; i < 3; i++) {
		server = accept(self->fd, (struct sockaddr *)&from, &len);
		ASSERT_LE(0, server);
		EXPECT_EQ(sock_port(client[i]), from.sfy_port);
		close(server);
		close(client[i]);
	}
}

TEST_F(accept, what_it_says_of_itself)
{
	int client = CLIENT(), server = conn_accept(self->fd);

	EXPECT_EQ(0, sock_get(server, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(SOCK_STREAM, sock_get(server, SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(sock_get(self->fd, SOL_SOCKET, SO_DOMAIN),
		  sock_get(server, SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(sock_get(self->fd, SOL_SOCKET, SO_PROTOCOL),
		  sock_get(server, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(PORT, sock_port(server));
	close(server);
	close(client);
}

TEST_F(accept, inherits)
{
	static const struct { int option, value; } options[] = {
		{ SO_KEEPALIVE, 1 }, { SO_OOBINLINE, 1 },
		{ SO_RCVBUF, 20000 }, { SO_SNDBUF, 20000 }, { SO_RCVLOWAT, 7 },
		{ SO_MARK, 9 }, { SO_REUSEADDR, 1 }, { SO_TIMESTAMP, 1 },
	};
	struct linger linger = { 1, 5 };
	struct timeval limit = { .tv_sec = 7 };
	socklen_t len = sizeof(linger);
	int i, client, server;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, options[i].option,
				      options[i].value));
	}
	ASSERT_EQ(0, conn_linger(self->fd, 5));
	ASSERT_EQ(0, sock_timeout(self->fd, SO_RCVTIMEO, 7000));
	client = CLIENT();
	server = conn_accept(self->fd);
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		EXPECT_EQ(sock_get(self->fd, SOL_SOCKET, options[i].option),
			  sock_get(server, SOL_SOCKET, options[i].option)) {
			TH_LOG("option %d", options[i].option);
		}
	}
	linger = (struct linger){ };
	EXPECT_EQ(0, getsockopt(server, SOL_SOCKET, SO_LINGER, &linger, &len));
	EXPECT_EQ(1, linger.l_onoff);
	EXPECT_EQ(5, linger.l_linger);
	len = sizeof(limit);
	limit.tv_sec = 0;
	EXPECT_EQ(0, getsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit,
				&len));
	EXPECT_EQ(7, limit.tv_sec);
	close(server);
	close(client);
}

TEST_F(accept, nothing_there)
{
	EXPECT_EQ(-EAGAIN, conn_accept_now(self->fd));
}

TEST_F(accept, timeout)
{
	long start = clock_tick_ms();

	ASSERT_EQ(0, sock_timeout(self->fd, SO_RCVTIMEO, 50));
	EXPECT_EQ(-EAGAIN, accept_with(self->fd, 0));
	/* The tick that has begun counts: 10 ms of it, on some kernels. */
	EXPECT_LE(40, clock_tick_ms() - start);
}

TEST_F(accept, wrong_socket)
{
	int client = CLIENT(), server = conn_accept(self->fd);
	int fd = conn_socket(SOCK_STREAM);

	EXPECT_EQ(-EINVAL, accept_with(fd, 0));
	EXPECT_EQ(-EINVAL, accept_with(client, 0));
	EXPECT_EQ(-EINVAL, accept_with(server, 0));
	close(fd);
	fd = dgram();
	EXPECT_EQ(-EOPNOTSUPP, accept_with(fd, 0));
	close(fd);
	close(client);
	close(server);
}

/* The peer has come and gone meanwhile: the connection is there all the same. */
TEST_F(accept, gone__reset)
{
	int client = CLIENT(), server;

	conn_reset(client);
	stat_wait("EstabResets", 1);
	server = conn_accept(self->fd);
	ASSERT_LE(0, server);
	ASSERT_TRUE(sock_wait(server, POLLIN) & POLLERR);
	EXPECT_EQ(-ECONNRESET, sock_recv(server, &self->byte, 1, 0));
	EXPECT_EQ(0, sock_recv(server, &self->byte, 1, 0));
	close(server);
}

TEST_F(accept, gone__with_data)
{
	int client = CLIENT(), server;
	char buf[8];

	ASSERT_EQ(5, sock_send(client, "hello", 5, 0));
	close(client);
	server = conn_accept(self->fd);
	ASSERT_LE(0, server);
	EXPECT_EQ(5, recv_all(server, buf, sizeof(buf)));
	close(server);
}

static long sleep_in_accept(struct sleeper *self)
{
	return accept_with(self->fd, SOCK_CLOEXEC);
}

TEST_F(accept, wakes)
{
	struct sleeper sleeper = { .call = sleep_in_accept, .fd = self->fd };
	int client;

	ASSERT_TRUE(sleeper_start(&sleeper, SYS_accept4));
	client = conn_to(SOCK_STREAM, &self->at);
	EXPECT_LT(0, sleeper_join(&sleeper));
	close(client);
}

TEST_F(accept, interrupted)
{
	struct sleeper sleeper = { .call = sleep_in_accept, .fd = self->fd };

	ASSERT_TRUE(sleeper_interrupt(&sleeper, SYS_accept4, 0));
	EXPECT_EQ(-EINTR, sleeper_join(&sleeper));
}

TEST_F(accept, interrupted__restart)
{
	struct sleeper sleeper = { .call = sleep_in_accept, .fd = self->fd };
	int client;

	ASSERT_TRUE(sleeper_interrupt(&sleeper, SYS_accept4, SA_RESTART));
	ASSERT_TRUE(wait_asleep(sleeper.tid, SYS_accept4));
	client = conn_to(SOCK_STREAM, &self->at);
	EXPECT_LT(0, sleeper_join(&sleeper));
	close(client);
}

TEST_F(accept, interrupted__restart_with_timeout)
{
	struct sleeper sleeper = { .call = sleep_in_accept, .fd = self->fd };

	ASSERT_EQ(0, sock_timeout(self->fd, SO_RCVTIMEO, WAIT_MS));
	ASSERT_TRUE(sleeper_interrupt(&sleeper, SYS_accept4, SA_RESTART));
	EXPECT_EQ(-EINTR, sleeper_join(&sleeper));
}

/* In @len: how often the thread has slept in the call. */
static long count_in_accept(struct sleeper *self)
{
	struct rusage before, after;
	long fd;

	/* All that the call needs is in memory, and bound, after this one. */
	conn_accept_now(*(int *)self->data);
	getrusage(RUSAGE_THREAD, &before);
	fd = sleep_in_accept(self);
	getrusage(RUSAGE_THREAD, &after);
	self->len = after.ru_nvcsw - before.ru_nvcsw;
	return fd;
}

#define THREADS	8

static int woken(const struct sleeper *sleepers, const bool *joined)
{
	int i;

	for (i = 0; i < THREADS; i++)
		if (!joined[i] &&
		    !pthread_tryjoin_np(sleepers[i].thread, NULL))
			return i;
	return -1;
}

struct wake_goal {
	const struct sleeper	*sleepers;
	const bool		*joined;
	int			who;
};

static bool somebody_woke(void *arg)
{
	struct wake_goal *goal = arg;

	goal->who = woken(goal->sleepers, goal->joined);
	return goal->who >= 0;
}

/*
 * Each connection wakes one thread. With all of them woken for each, eight
 * would sleep 36 times in the call; one at a time, eight times.
 */
TEST_F(accept, threads)
{
	struct sleeper sleepers[THREADS] = { };
	bool joined[THREADS] = { };
	struct wake_goal goal = { sleepers, joined, -1 };
	int none = conn_listen(SOCK_STREAM, PORT + 1, 1);
	size_t slept = 0;
	int i, client;

	for (i = 0; i < THREADS; i++) {
		sleepers[i].call = count_in_accept;
		sleepers[i].fd = self->fd;
		sleepers[i].data = &none;
		ASSERT_TRUE(sleeper_start(&sleepers[i], SYS_accept4));
	}
	for (i = 0; i < THREADS; i++) {
		client = conn_to(SOCK_STREAM, &self->at);
		ASSERT_LE(0, client);
		ASSERT_TRUE(wait_until(somebody_woke, &goal));
		joined[goal.who] = true;
		EXPECT_LE(0, sleepers[goal.who].result);
		slept += sleepers[goal.who].len;
		close(sleepers[goal.who].result);
		close(client);
	}
	EXPECT_LE(THREADS, slept);
	EXPECT_GT(2 * THREADS, slept);
	close(none);
}

/* All at once: everybody has one, and nobody is left. */
TEST_F(accept, threads__burst)
{
	struct sleeper sleepers[THREADS] = { };
	int client[THREADS], i;

	for (i = 0; i < THREADS; i++) {
		sleepers[i].call = sleep_in_accept;
		sleepers[i].fd = self->fd;
		ASSERT_TRUE(sleeper_start(&sleepers[i], SYS_accept4));
	}
	for (i = 0; i < THREADS; i++) {
		client[i] = conn_start(SOCK_STREAM, &self->at);
		ASSERT_LE(0, client[i]);
	}
	for (i = 0; i < THREADS; i++) {
		EXPECT_LE(0, sleeper_join(&sleepers[i]));
		close(client[i]);
	}
	EXPECT_EQ(-EAGAIN, conn_accept_now(self->fd));
}

TEST_F(accept, processes)
{
	enum { CHILDREN = 4, EACH = 5 };
	struct sockaddr_ferry to = self->at;
	pid_t child[CHILDREN];
	int i, j, fd, status, client;
	char byte;

	for (i = 0; i < CHILDREN; i++) {
		child[i] = fork();
		if (child[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (j = 0; j < EACH; j++) {
			fd = accept_with(self->fd, SOCK_CLOEXEC);
			if (fd < 0 || send(fd, &i, 1, 0) != 1)
				_exit(1);
			close(fd);
		}
		_exit(0);
	}
	for (i = 0; i < CHILDREN; i++) {
		ASSERT_TRUE(wait_asleep(child[i], SYS_accept4));
	}
	for (i = 0; i < CHILDREN * EACH; i++) {
		client = conn_to(SOCK_STREAM, &to);
		ASSERT_LE(0, client);
		ASSERT_EQ(1, sock_await(client, &byte, 1));
		EXPECT_GT(CHILDREN, byte);
		close(client);
	}
	for (i = 0; i < CHILDREN; i++) {
		ASSERT_EQ(child[i], waitpid(child[i], &status, 0));
		EXPECT_EQ(0, status);
	}
}

static long sleep_in_epoll(struct sleeper *self)
{
	struct epoll_event event;
	int n = epoll_wait(self->fd, &event, 1, -1);

	return n < 0 ? -errno : (long)event.events;
}

/* Of several that wait exclusively, one is woken for each connection. */
TEST_F(accept, epoll_exclusive)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	struct sleeper sleepers[THREADS] = { };
	bool joined[THREADS] = { };
	struct wake_goal goal = { sleepers, joined, -1 };
	int i, client;

	for (i = 0; i < THREADS; i++) {
		sleepers[i].call = sleep_in_epoll;
		sleepers[i].fd = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, epoll_ctl(sleepers[i].fd, EPOLL_CTL_ADD, self->fd,
				       &event));
		ASSERT_TRUE(sleeper_start(&sleepers[i], SYS_epoll_wait));
	}
	for (i = 0; i < THREADS; i++) {
		client = conn_to(SOCK_STREAM, &self->at);
		ASSERT_LE(0, client);
		ASSERT_TRUE(wait_until(somebody_woke, &goal));
		joined[goal.who] = true;
		EXPECT_EQ(EPOLLIN, sleepers[goal.who].result);
		ASSERT_LE(0, conn_accept_now(self->fd));
		/* The others sleep on. */
		if (i < THREADS / 2) {
			EXPECT_EQ(-1, woken(sleepers, joined));
		}
		close(client);
	}
}

TEST_F(accept, epoll_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC), a, b;

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event));
	a = CLIENT();
	ASSERT_EQ(1, epoll_wait(ep, &event, 1, WAIT_MS));
	EXPECT_EQ(EPOLLIN, event.events);
	EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
	/* Each connection is an edge, also when one is waiting. */
	b = conn_to(SOCK_STREAM, &self->at);
	EXPECT_EQ(1, epoll_wait(ep, &event, 1, WAIT_MS));
	close(a);
	close(b);
	close(ep);
}

TEST_HARNESS_MAIN
