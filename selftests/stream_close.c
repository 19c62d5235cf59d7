// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a connection, on one host: shutdown(), close(), and what is left.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define LARGE	(1 << 20)

FIXTURE(close) {
	struct conn conn;
	int a, b;
	struct sockaddr_ferry at;
	char buf[16];
	struct sleeper reader;
};

FIXTURE_SETUP(close)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
	self->at = sfy(addr_any, PORT);
	self->reader = (struct sleeper){
		.call = sleep_in_recv, .fd = self->b,
		.data = self->buf, .len = sizeof(self->buf),
	};
}

FIXTURE_TEARDOWN(close)
{
	conn_close(&self->conn);
}

#define SEND(fd, text) ASSERT_EQ(sizeof(text) - 1, \
		sock_send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL))
#define RECV(fd) sock_await(fd, self->buf, sizeof(self->buf))
/* Close one end; what the fixture closes is not closed twice. */
#define CLOSE_A() do { close(self->a); self->conn.client = -1; } while (0)
#define CLOSE_B() do { close(self->b); self->conn.server = -1; } while (0)

TEST_F(close, shutdown__writing)
{
	SEND(self->a, "hello");
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-EPIPE, sock_send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(5, RECV(self->b));
	EXPECT_EQ(0, RECV(self->b));
	EXPECT_EQ(0, RECV(self->b));
	/* The other way it goes on. */
	SEND(self->b, "world");
	EXPECT_EQ(5, RECV(self->a));
	/* Once more is no error. */
	EXPECT_EQ(0, sock_shutdown(self->a, SHUT_WR));
}

TEST_F(close, shutdown__reading)
{
	SEND(self->b, "hello");
	ASSERT_TRUE(conn_await_amount(self->a, SIOCINQ, 5));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_RD));
	/* What is there can be read, and what comes, and then there is an end. */
	EXPECT_EQ(5, sock_recv(self->a, self->buf, 16, 0));
	EXPECT_EQ(0, sock_recv(self->a, self->buf, 16, 0));
	SEND(self->b, "more");
	ASSERT_TRUE(conn_await_amount(self->a, SIOCINQ, 4));
	EXPECT_EQ(4, sock_recv(self->a, self->buf, 16, 0));
	EXPECT_EQ(0, sock_recv(self->a, self->buf, 16, 0));
	/* The peer knows nothing of it. */
	EXPECT_EQ(POLLOUT | POLLWRNORM, sock_events(self->b));
	SEND(self->a, "x");
	EXPECT_EQ(1, RECV(self->b));
}

TEST_F(close, shutdown__both)
{
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_RDWR));
	EXPECT_EQ(0, sock_recv(self->a, self->buf, 16, 0));
	EXPECT_EQ(-EPIPE, sock_send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, RECV(self->b));
}

TEST_F(close, shutdown__wrong)
{
	int fd = conn_socket(SOCK_STREAM);

	EXPECT_EQ(-EINVAL, sock_shutdown(self->a, 3));
	EXPECT_EQ(-EINVAL, sock_shutdown(self->a, -1));
	EXPECT_EQ(-ENOTCONN, sock_shutdown(fd, SHUT_RD));
	EXPECT_EQ(-ENOTCONN, sock_shutdown(fd, SHUT_WR));
	EXPECT_EQ(-ENOTCONN, sock_shutdown(fd, SHUT_RDWR));
	close(fd);
}

/* Both have shut down: the connection is over, and so is shutting down. */
TEST_F(close, shutdown__over)
{
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, RECV(self->b));
	ASSERT_EQ(0, sock_shutdown(self->b, SHUT_WR));
	ASSERT_EQ(0, RECV(self->a));
	ASSERT_NE(0, sock_wait(self->a, POLLHUP) & POLLHUP);
	EXPECT_EQ(-ENOTCONN, sock_shutdown(self->a, SHUT_RDWR));
}

/* A sleeping reader: by either end's shutdown(), or close(). */
TEST_F(close, wakes__shutdown)
{
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_EQ(0, sock_shutdown(self->b, SHUT_RD));
	EXPECT_EQ(0, sleeper_join(&self->reader));
}

TEST_F(close, wakes__peer_shutdown)
{
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, sleeper_join(&self->reader));
}

TEST_F(close, wakes__peer_close)
{
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	CLOSE_A();
	EXPECT_EQ(0, sleeper_join(&self->reader));
}

TEST_F(close, wakes__peer_reset)
{
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_EQ(0, conn_linger(self->a, 0));
	CLOSE_A();
	EXPECT_EQ(-ECONNRESET, sleeper_join(&self->reader));
}

/* A process that dies closes. */
TEST_F(close, wakes__peer_death)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(self->b);
		pause();
		_exit(1);
	}
	CLOSE_A();
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, sleeper_join(&self->reader));
}

static struct sleeper full_writer(int fd, int reader, void *data)
{
	struct sleeper writer = {
		.call = sleep_in_send, .fd = fd, .data = data, .len = LARGE,
		.flags = MSG_NOSIGNAL,
	};

	conn_fill(fd, reader);
	return writer;
}

TEST_F(close, wakes__writer_shutdown)
{
	void *data = calloc(1, LARGE);
	struct sleeper writer = full_writer(self->a, self->b, data);

	ASSERT_TRUE(sleeper_start(&writer, SYS_sendto));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-EPIPE, sleeper_join(&writer));
	free(data);
}

TEST_F(close, wakes__writer_reset)
{
	void *data = calloc(1, LARGE);
	struct sleeper writer = full_writer(self->a, self->b, data);

	ASSERT_TRUE(sleeper_start(&writer, SYS_sendto));
	/* With so much unread: a reset. */
	CLOSE_B();
	EXPECT_EQ(-ECONNRESET, sleeper_join(&writer));
	free(data);
}

static volatile sig_atomic_t pipes;

static void on_pipe(int sig)
{
	pipes += sig == SIGPIPE;
}

TEST_F(close, sigpipe)
{
	signal(SIGPIPE, on_pipe);
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-EPIPE, sock_send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, pipes);
	EXPECT_EQ(-EPIPE, sock_send(self->a, "x", 1, 0));
	EXPECT_EQ(1, pipes);
	EXPECT_EQ(-1, write(self->a, "x", 1));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(2, pipes);
}

/* What is sent to one that has closed is answered by a reset. */
TEST_F(close, send_after_peer_close)
{
	long resets = stat_of("OutRsts");

	CLOSE_B();
	ASSERT_EQ(0, RECV(self->a));
	SEND(self->a, "x");
	ASSERT_NE(0, sock_wait(self->a, POLLHUP) & POLLHUP);
	EXPECT_EQ(resets + 1, stat_of("OutRsts"));
	EXPECT_EQ(-EPIPE, sock_send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, sock_recv(self->a, self->buf, 16, 0));
}

/* Closed with something unread: nobody shall think that it was read. */
TEST_F(close, unread)
{
	SEND(self->a, "hello");
	ASSERT_TRUE(conn_await_amount(self->b, SIOCINQ, 5));
	CLOSE_B();
	EXPECT_EQ(-ECONNRESET, RECV(self->a));
	EXPECT_EQ(0, RECV(self->a));
	EXPECT_EQ(-EPIPE, sock_send(self->a, "x", 1, MSG_NOSIGNAL));
	/* And there is no TIME_WAIT. */
	EXPECT_EQ(0, stat_of("TimeWaits"));
}

/* The error is told once, by whichever call is first. */
TEST_F(close, reset__told_by_send)
{
	ASSERT_EQ(0, conn_linger(self->b, 0));
	CLOSE_B();
	ASSERT_NE(0, sock_wait(self->a, POLLHUP) & POLLHUP);
	EXPECT_EQ(-ECONNRESET, sock_send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-EPIPE, sock_send(self->a, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, sock_recv(self->a, self->buf, 16, 0));
}

TEST_F(close, reset__told_by_so_error)
{
	ASSERT_EQ(0, conn_linger(self->b, 0));
	CLOSE_B();
	ASSERT_NE(0, sock_wait(self->a, POLLHUP) & POLLHUP);
	EXPECT_EQ(ECONNRESET, sock_error(self->a));
	EXPECT_EQ(0, sock_error(self->a));
	EXPECT_EQ(0, sock_recv(self->a, self->buf, 16, 0));
}

/* What had arrived before can be read; then comes the error. */
TEST_F(close, reset__data_before)
{
	SEND(self->b, "hello");
	ASSERT_TRUE(conn_await_amount(self->a, SIOCINQ, 5));
	ASSERT_EQ(0, conn_linger(self->b, 0));
	CLOSE_B();
	ASSERT_NE(0, sock_wait(self->a, POLLHUP) & POLLHUP);
	EXPECT_EQ(5, sock_recv(self->a, self->buf, 16, 0));
	EXPECT_EQ(-ECONNRESET, sock_recv(self->a, self->buf, 16, 0));
	EXPECT_EQ(0, sock_recv(self->a, self->buf, 16, 0));
}

TEST_F(close, reset__not_connected_any_more)
{
	struct sockaddr_ferry name;
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, conn_linger(self->b, 0));
	CLOSE_B();
	ASSERT_NE(0, sock_wait(self->a, POLLHUP) & POLLHUP);
	EXPECT_EQ(-1, getpeername(self->a, (struct sockaddr *)&name, &len));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-ENOTCONN, sock_shutdown(self->a, SHUT_RDWR));
}

TEST_F(close, not_connected)
{
	int fd = conn_socket(SOCK_STREAM);

	signal(SIGPIPE, SIG_IGN);
	EXPECT_EQ(-ENOTCONN, sock_recv(fd, self->buf, 1, 0));
	EXPECT_EQ(-ENOTCONN, sock_recv(fd, self->buf, 1, MSG_PEEK));
	EXPECT_EQ(-EPIPE, sock_send(fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-EPIPE, sock_send_to(fd, "x", 1, &self->at));
	close(fd);
}

/* All that was sent arrives, though its sender has gone. */
TEST_F(close, data_queued)
{
	static char data[LARGE], got[LARGE + 1];
	ssize_t sent;

	pattern_fill(data, LARGE, 1);
	sent = sock_send(self->a, data, LARGE, MSG_DONTWAIT);
	ASSERT_LT(0, sent);
	CLOSE_A();
	EXPECT_EQ(sent, recv_all(self->b, got, LARGE + 1));
	EXPECT_TRUE(pattern_is(got, sent, 1));
}

/* close() that lingers returns when all has arrived and was acknowledged. */
TEST_F(close, linger)
{
	ssize_t sent;

	ASSERT_EQ(0, conn_linger(self->a, WAIT_MS / 1000));
	sent = send_full(self->a, LARGE / 16);
	ASSERT_LT(0, sent);
	CLOSE_A();
	EXPECT_EQ(sent, conn_amount(self->b, SIOCINQ));
}

static long sleep_in_close(struct sleeper *self)
{
	return close(self->fd) ? -errno : 0;
}

TEST_F(close, linger__waits)
{
	struct sleeper closer = { .call = sleep_in_close, .fd = self->a };
	char *got = malloc(LARGE * 16);
	ssize_t sent;

	ASSERT_EQ(0, conn_linger(self->a, WAIT_MS / 1000));
	sent = conn_fill(self->a, self->b);
	ASSERT_LT(0, sent);
	self->conn.client = -1;
	ASSERT_TRUE(sleeper_start(&closer, SYS_close));
	EXPECT_EQ(sent, recv_all(self->b, got, LARGE * 16));
	EXPECT_EQ(0, sleeper_join(&closer));
	free(got);
}

/* Not longer than it says; what is left goes on in the background. */
TEST_F(close, linger__ends)
{
	char *got = malloc(LARGE * 16);
	long start = clock_ms();
	ssize_t sent;

	ASSERT_EQ(0, conn_linger(self->a, 1));
	sent = conn_fill(self->a, self->b);
	ASSERT_LT(0, sent);
	CLOSE_A();
	EXPECT_LE(990, clock_ms() - start);
	EXPECT_EQ(sent, recv_all(self->b, got, LARGE * 16));
	free(got);
}

/* Without it close() does not wait. */
TEST_F(close, linger__off)
{
	struct linger linger = { 0, 10 };

	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_LINGER, &linger,
				sizeof(linger)));
	ASSERT_LT(0, conn_fill(self->a, self->b));
	CLOSE_A();
	EXPECT_LT(0, conn_amount(self->b, SIOCINQ));
}

/* The end that closes first has TIME_WAIT, the other one nothing. */
TEST_F(close, time_wait)
{
	unsigned int port = sock_port(self->a);

	CLOSE_A();
	ASSERT_EQ(0, RECV(self->b));
	EXPECT_EQ(0, stat_of("TimeWaits"));
	CLOSE_B();
	EXPECT_EQ(1, stat_wait("TimeWaits", 1));
	EXPECT_EQ(-EADDRINUSE, conn_listen(SOCK_STREAM, port, 1));
	/* It does not last. */
	EXPECT_TRUE(conn_await_free_port(SOCK_STREAM, port));
}

/* A fresh SYN from the same port is let in. */
TEST_F(close, time_wait__reused)
{
	int client = conn_bound(SOCK_STREAM, 7000), server;

	ASSERT_EQ(0, sock_connect(client, &self->at));
	server = conn_accept(self->conn.listener);
	ASSERT_LE(0, server);
	close(server);
	ASSERT_EQ(0, RECV(client));
	close(client);
	ASSERT_EQ(1, stat_wait("TimeWaits", 1));

	client = conn_bound(SOCK_STREAM, 7000);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, sock_connect(client, &self->at));
	server = conn_accept(self->conn.listener);
	ASSERT_LE(0, server);
	EXPECT_EQ(1, stat_of("TimeWaitReused"));
	SEND(client, "x");
	EXPECT_EQ(1, RECV(server));
	close(client);
	close(server);
}

/*
 * From the end that has TIME_WAIT too: bound to its port, or given the same one
 * again. The peer sees nothing of the old connection.
 */
TEST_F(close, time_wait__reused_here)
{
	int client, server, i;

	ASSERT_EQ(0, sysctl_set("port_range", "7001 7001"));
	for (i = 0; i < 4; i++) {
		client = i < 2 ? conn_bound(SOCK_STREAM, 7000) :
				 conn_socket(SOCK_STREAM);
		ASSERT_LE(0, client);
		ASSERT_EQ(0, sock_connect(client, &self->at));
		server = conn_accept(self->conn.listener);
		ASSERT_LE(0, server);
		EXPECT_EQ(i < 2 ? 7000 : 7001, sock_port(client));
		SEND(client, "x");
		EXPECT_EQ(1, RECV(server));
		SEND(server, "y");
		EXPECT_EQ(1, RECV(client));
		EXPECT_EQ(i / 2 + i % 2, stat_of("TimeWaitReused"));
		close(client);
		ASSERT_EQ(0, RECV(server));
		close(server);
		ASSERT_EQ(i + 1, stat_wait("TimeWaits", i + 1));
	}
}

/*
 * The peer keeps his end of a connection that was closed: its port can connect to him
 * again, and he finds out by the reset of his.
 */
TEST_F(close, orphans__connected_again)
{
	int client = conn_bound(SOCK_STREAM, 7000), old, server;

	ASSERT_EQ(0, sock_connect(client, &self->at));
	old = conn_accept(self->conn.listener);
	ASSERT_LE(0, old);
	close(client);
	ASSERT_EQ(0, RECV(old));

	client = conn_bound(SOCK_STREAM, 7000);
	ASSERT_LE(0, client);
	ASSERT_EQ(0, sock_connect(client, &self->at));
	EXPECT_TRUE(sock_wait(old, POLLHUP) & POLLHUP);
	EXPECT_EQ(0, RECV(old));
	EXPECT_EQ(-EPIPE, sock_send(old, "x", 1, MSG_NOSIGNAL));
	server = conn_accept(self->conn.listener);
	ASSERT_LE(0, server);
	SEND(client, "x");
	EXPECT_EQ(1, RECV(server));
	close(server);
	close(old);
	close(client);
}

/* One that is alive is not to be had. */
TEST_F(close, time_wait__not_yet)
{
	int old = conn_bound(SOCK_STREAM, 7000), client, server;

	ASSERT_EQ(0, sock_connect(old, &self->at));
	server = conn_accept(self->conn.listener);
	ASSERT_LE(0, server);
	client = conn_bound(SOCK_STREAM, 7000);
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(client, &self->at));
	/* Also if only this end has said its last word. */
	ASSERT_EQ(0, sock_shutdown(old, SHUT_WR));
	ASSERT_EQ(0, RECV(server));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(client, &self->at));
	close(old);
	close(server);
	ASSERT_EQ(1, stat_wait("TimeWaits", 1));
	EXPECT_EQ(0, sock_connect(client, &self->at));
	close(client);
}

/* Both close at once: there is one TIME_WAIT at least, and no reset. */
TEST_F(close, simultaneous)
{
	long resets = stat_of("OutRsts");
	struct sleeper closer = { .call = sleep_in_close, .fd = self->b };

	SEND(self->a, "a");
	SEND(self->b, "b");
	ASSERT_EQ(1, RECV(self->a));
	ASSERT_EQ(1, RECV(self->b));
	self->conn.server = -1;
	ASSERT_TRUE(sleeper_run(&closer));
	CLOSE_A();
	EXPECT_EQ(0, sleeper_join(&closer));
	EXPECT_LE(1, stat_wait("TimeWaits", 1));
	EXPECT_EQ(resets, stat_of("OutRsts"));
}

TEST_F(close, time_wait__none)
{
	unsigned int port = sock_port(self->a);

	ASSERT_EQ(0, sysctl_set("max_tw_buckets", "0"));
	CLOSE_A();
	ASSERT_EQ(0, RECV(self->b));
	ASSERT_EQ(0, conn_linger(self->b, 5));
	CLOSE_B();
	EXPECT_TRUE(conn_await_free_port(SOCK_STREAM, port));
	EXPECT_EQ(0, stat_of("TimeWaits"));
}

/* An end whose peer does not close waits in FIN_WAIT_2, but not for ever. */
TEST_F(close, fin_wait_2)
{
	unsigned int port = sock_port(self->a);

	ASSERT_EQ(0, sock_set(self->a, SOL_FERRY, FERRY_LINGER2, 1));
	CLOSE_A();
	ASSERT_EQ(0, RECV(self->b));
	EXPECT_EQ(-EADDRINUSE, conn_listen(SOCK_STREAM, port, 1));
	EXPECT_TRUE(conn_await_free_port(SOCK_STREAM, port));
	/* The peer hears of it when it sends. */
	SEND(self->b, "x");
	EXPECT_NE(0, sock_wait(self->b, POLLHUP) & POLLHUP);
	EXPECT_EQ(-EPIPE, sock_send(self->b, "x", 1, MSG_NOSIGNAL));
}

TEST_F(close, fin_wait_2__by_sysctl)
{
	unsigned int port = sock_port(self->a);

	ASSERT_EQ(0, sysctl_set("fin_timeout", "1"));
	CLOSE_A();
	ASSERT_EQ(0, RECV(self->b));
	EXPECT_EQ(-EADDRINUSE, conn_listen(SOCK_STREAM, port, 1));
	EXPECT_TRUE(conn_await_free_port(SOCK_STREAM, port));
}

TEST_F(close, fin_wait_2__not_at_all)
{
	unsigned int port = sock_port(self->a);

	ASSERT_EQ(0, sock_set(self->a, SOL_FERRY, FERRY_LINGER2, -1));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, RECV(self->b));
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	CLOSE_A();
	EXPECT_TRUE(conn_await_free_port(SOCK_STREAM, port));
	EXPECT_EQ(0, stat_of("TimeWaits"));
}

/* A half-closed connection that is not closed lasts. */
TEST_F(close, half_closed)
{
	int i;

	ASSERT_EQ(0, sock_set(self->a, SOL_FERRY, FERRY_LINGER2, 1));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, RECV(self->b));
	/* Longer than FIN_WAIT_2 would if it were closed. */
	for (i = 0; i < 25; i++) {
		ASSERT_EQ(0, sock_timeout(self->a, SO_RCVTIMEO, 50));
		ASSERT_EQ(-EAGAIN, sock_recv(self->a, self->buf, 16, 0));
		SEND(self->b, "x");
		ASSERT_EQ(1, RECV(self->a));
	}
}

/* There are no more orphans than are allowed. */
TEST_F(close, orphans)
{
	unsigned int port = sock_port(self->a);

	ASSERT_EQ(0, sysctl_set("max_orphans", "0"));
	ASSERT_LT(0, conn_fill(self->a, self->b));
	CLOSE_A();
	ASSERT_NE(0, sock_wait(self->b, POLLHUP) & POLLHUP);
	EXPECT_NE(0, sock_error(self->b));
	EXPECT_TRUE(conn_await_free_port(SOCK_STREAM, port));
}

TEST_HARNESS_MAIN
