// SPDX-License-Identifier: GPL-2.0-only
/*
 * listen(): ports, backlog, and what becomes of those who wait.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000

FIXTURE(listen) {
	int fd;
	struct sockaddr_ferry at;
	char byte;
};

FIXTURE_SETUP(listen)
{
	ASSERT_LE(0, net_new());
	self->fd = conn_socket(SOCK_STREAM);
	ASSERT_LE(0, self->fd);
	self->at = sfy(addr_any, PORT);
}

FIXTURE_TEARDOWN(listen)
{
	close(self->fd);
}

static int bound(int fd, unsigned int port)
{
	struct sockaddr_ferry at = sfy(addr_any, port);

	return sock_bind(fd, &at);
}

TEST_F(listen, an_unbound_socket_takes_a_port)
{
	struct sockaddr_ferry to;
	unsigned int port;
	int client;

	ASSERT_EQ(0, sysctl_set("port_range", "40000 40100"));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	port = sock_port(self->fd);
	EXPECT_LE(40000, port);
	EXPECT_GE(40100, port);
	to = sfy(addr_any, port);
	client = conn_to(SOCK_STREAM, &to);
	EXPECT_LE(0, client);
	close(client);
}

TEST_F(listen, an_unbound_socket__no_port_left)
{
	int other = conn_socket(SOCK_STREAM);

	ASSERT_EQ(0, sysctl_set("port_range", "40000 40000"));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	EXPECT_EQ(-EADDRINUSE, sock_listen(other, 1));
	close(other);
}

TEST_F(listen, what_it_says_of_itself)
{
	ASSERT_EQ(0, bound(self->fd, PORT));
	EXPECT_EQ(0, sock_get(self->fd, SOL_SOCKET, SO_ACCEPTCONN));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	EXPECT_EQ(1, sock_get(self->fd, SOL_SOCKET, SO_ACCEPTCONN));
	EXPECT_EQ(SOCK_STREAM, sock_get(self->fd, SOL_SOCKET, SO_TYPE));
}

TEST_F(listen, wrong_socket)
{
	struct conn conn;
	int fd = dgram();

	EXPECT_EQ(-EOPNOTSUPP, sock_listen(fd, 1));
	close(fd);
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	EXPECT_EQ(-EINVAL, sock_listen(conn.client, 1));
	EXPECT_EQ(-EINVAL, sock_listen(conn.server, 1));
	conn_close(&conn);
}

/* What a listener cannot do. */
TEST_F(listen, no_data)
{
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	EXPECT_EQ(-ENOTCONN, sock_recv(self->fd, &self->byte, 1, 0));
	EXPECT_EQ(-EPIPE, sock_send(self->fd, "x", 1, MSG_NOSIGNAL));
}

/*
 * Start connections until the listener turns one away. Return: how many it has
 * taken, or -errno. All of their ends are closed with the test's process.
 */
static int capacity(unsigned int port, int limit)
{
	struct sockaddr_ferry to = sfy(addr_any, port);
	long passive = stat_of("PassiveOpens");
	int count, fd;

	if (stat_of("ListenOverflows"))
		return -EEXIST;
	for (count = 0; count < limit; count++) {
		fd = conn_start(SOCK_STREAM, &to);
		if (fd < 0)
			return fd;
		/* It is in the queue, or was not let in. */
		while (stat_of("PassiveOpens") < passive + count + 1 &&
		       !stat_of("ListenOverflows"))
			sched_yield();
		if (stat_of("ListenOverflows"))
			return count;
	}
	return count;
}

/* One more than the backlog, as TCP has it. */
TEST_F(listen, backlog)
{
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 3));
	EXPECT_EQ(4, capacity(PORT, 100));
}

TEST_F(listen, backlog__zero)
{
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 0));
	EXPECT_EQ(1, capacity(PORT, 100));
}

/* Negative is as many as there may be. */
TEST_F(listen, backlog__negative)
{
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, -1));
	EXPECT_EQ(50, capacity(PORT, 50));
}

TEST_F(listen, backlog__somaxconn)
{
	ASSERT_EQ(0, sysctl_set("/proc/sys/net/core/somaxconn", "2"));
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 1000));
	EXPECT_EQ(3, capacity(PORT, 100));
}

/* Called again, it changes the backlog, and those who wait stay. */
TEST_F(listen, backlog__changed)
{
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	ASSERT_EQ(0, sock_listen(self->fd, 4));
	EXPECT_EQ(5, capacity(PORT, 100));
	ASSERT_EQ(0, sock_listen(self->fd, 0));
	EXPECT_LE(0, conn_accept_now(self->fd));
	EXPECT_LE(0, conn_accept_now(self->fd));
}

/* Connect, and have a byte echoed. Return: 0 or -errno. */
static long client(struct sleeper *self)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	char byte = self->flags, echo = 0;
	long n;

	n = sock_connect(self->fd, &to);
	if (n)
		return n;
	n = sock_send(self->fd, &byte, 1, MSG_NOSIGNAL);
	if (n == 1)
		n = sock_recv(self->fd, &echo, 1, 0);
	return n != 1 ? n ?: -EPIPE : echo == byte ? 0 : -EBADMSG;
}

static bool clients_begun(void *arg)
{
	const struct sleeper *clients = arg;

	return __atomic_load_n(&clients->tid, __ATOMIC_ACQUIRE) &&
	       stat_of("ListenOverflows") > 0;
}

/*
 * Those who found the queue full try again, and all are served: each with its
 * own data, none twice.
 */
TEST_F(listen, overflow)
{
	enum { CLIENTS = 6 };
	struct sleeper clients[CLIENTS] = { };
	int server, i;

	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	for (i = 0; i < CLIENTS; i++) {
		clients[i].call = client;
		clients[i].fd = conn_socket(SOCK_STREAM);
		clients[i].flags = i + 1;
		ASSERT_TRUE(sleeper_run(&clients[i]));
	}
	ASSERT_TRUE(wait_until(clients_begun, &clients[CLIENTS - 1]));
	EXPECT_LT(0, stat_of("ListenDrops"));
	for (i = 0; i < CLIENTS; i++) {
		server = conn_accept(self->fd);
		ASSERT_LE(0, server);
		ASSERT_EQ(1, sock_await(server, &self->byte, 1));
		ASSERT_EQ(1, sock_send(server, &self->byte, 1, 0));
		close(server);
	}
	for (i = 0; i < CLIENTS; i++) {
		EXPECT_EQ(0, sleeper_join(&clients[i]));
		close(clients[i].fd);
	}
	EXPECT_EQ(-EAGAIN, conn_accept_now(self->fd));
}

/* What a client sends while the queue is full arrives once it is let in. */
TEST_F(listen, overflow__data)
{
	int first, second, server;

	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 0));
	first = conn_to(SOCK_STREAM, &self->at);
	ASSERT_LE(0, first);
	ASSERT_EQ(POLLIN, sock_wait(self->fd, POLLIN));
	second = conn_start(SOCK_STREAM, &self->at);
	ASSERT_LE(0, second);
	EXPECT_LT(0, stat_wait("ListenOverflows", 1));
	server = conn_accept(self->fd);
	ASSERT_LE(0, server);
	close(server);
	ASSERT_EQ(POLLOUT, sock_wait(second, POLLOUT));
	ASSERT_EQ(1, sock_send(second, "2", 1, 0));
	server = conn_accept(self->fd);
	ASSERT_LE(0, server);
	ASSERT_EQ(1, sock_await(server, &self->byte, 1));
	EXPECT_EQ('2', self->byte);
	close(server);
	close(first);
	close(second);
}

TEST_F(listen, in_use)
{
	int other = conn_socket(SOCK_STREAM);

	ASSERT_EQ(0, bound(self->fd, PORT));
	EXPECT_EQ(-EADDRINUSE, bound(other, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	EXPECT_EQ(-EADDRINUSE, bound(other, PORT));
	EXPECT_EQ(-EADDRINUSE, conn_bound(SOCK_STREAM, PORT));
	close(other);
}

/* Streams and records have their ports together; datagrams their own. */
TEST_F(listen, in_use__other_types)
{
	int fd;

	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	fd = conn_socket(SOCK_SEQPACKET);
	EXPECT_EQ(-EADDRINUSE, bound(fd, PORT));
	close(fd);
	fd = dgram_at(PORT);
	EXPECT_LE(0, fd);
	close(fd);
}

/* Both may be bound, with SO_REUSEADDR; one may listen. */
TEST_F(listen, reuseaddr__one_listens)
{
	int a = conn_bound(SOCK_STREAM, PORT);
	int b = conn_bound(SOCK_STREAM, PORT);

	ASSERT_LE(0, a);
	ASSERT_LE(0, b);
	ASSERT_EQ(0, sock_listen(a, 1));
	EXPECT_EQ(-EADDRINUSE, sock_listen(b, 1));
	close(a);
	EXPECT_EQ(0, sock_listen(b, 1));
	close(b);
}

/* A connection that is left keeps the port from who does not share it. */
TEST_F(listen, reuseaddr__connections_left)
{
	int listener = conn_bound(SOCK_STREAM, PORT), fd;
	int client, server;

	ASSERT_EQ(0, sock_listen(listener, 1));
	client = conn_to(SOCK_STREAM, &self->at);
	server = conn_accept(listener);
	ASSERT_LE(0, server);
	close(listener);

	EXPECT_EQ(-EADDRINUSE, bound(self->fd, PORT));
	listener = conn_bound(SOCK_STREAM, PORT);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, sock_listen(listener, 1));
	/* The new one has new connections, and the old one goes on. */
	fd = conn_to(SOCK_STREAM, &self->at);
	ASSERT_LE(0, fd);
	close(fd);
	ASSERT_EQ(1, sock_send(client, "x", 1, 0));
	EXPECT_EQ(1, sock_await(server, &self->byte, 1));
	close(client);
	close(server);
	close(listener);
}

/* So does TIME_WAIT, which is at the end that has closed first. */
TEST_F(listen, reuseaddr__time_wait)
{
	int listener = conn_bound(SOCK_STREAM, PORT);
	int client, server;

	ASSERT_EQ(0, sock_listen(listener, 1));
	client = conn_to(SOCK_STREAM, &self->at);
	server = conn_accept(listener);
	ASSERT_LE(0, server);
	close(listener);
	close(server);
	EXPECT_EQ(0, sock_await(client, &self->byte, 1));
	close(client);

	listener = conn_bound(SOCK_STREAM, PORT);
	ASSERT_LE(0, listener);
	EXPECT_EQ(0, sock_listen(listener, 1));
	client = conn_to(SOCK_STREAM, &self->at);
	EXPECT_LE(0, client);
	close(client);
	close(listener);
}

/* Those that were not accepted are reset. */
TEST_F(listen, closed)
{
	int a, b;

	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 4));
	a = conn_to(SOCK_STREAM, &self->at);
	b = conn_to(SOCK_STREAM, &self->at);
	ASSERT_EQ(1, sock_send(b, "x", 1, 0));
	stat_wait("PassiveOpens", 2);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-ECONNRESET, sock_await(a, &self->byte, 1));
	EXPECT_EQ(-ECONNRESET, sock_await(b, &self->byte, 1));
	EXPECT_EQ(-ECONNREFUSED, conn_to(SOCK_STREAM, &self->at));
	/* And the port is free. */
	self->fd = conn_listen(SOCK_STREAM, PORT, 1);
	EXPECT_LE(0, self->fd);
	close(a);
	close(b);
}

/* shutdown() ends the listening: those who wait in accept() are told. */
TEST_F(listen, shut_down)
{
	int waiting;

	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 4));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	waiting = conn_to(SOCK_STREAM, &self->at);
	ASSERT_LE(0, waiting);
	ASSERT_EQ(POLLIN, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RD));
	EXPECT_EQ(-ECONNRESET, sock_await(waiting, &self->byte, 1));
	EXPECT_EQ(-ECONNREFUSED, conn_to(SOCK_STREAM, &self->at));
	EXPECT_EQ(-EINVAL, conn_accept_now(self->fd));
	/* It can begin again. */
	ASSERT_EQ(0, sock_listen(self->fd, 4));
	close(waiting);
	waiting = conn_to(SOCK_STREAM, &self->at);
	EXPECT_LE(0, waiting);
	close(waiting);
}

static long sleep_in_accept(struct sleeper *self)
{
	int fd = accept4(self->fd, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

TEST_F(listen, shut_down__wakes)
{
	struct sleeper sleeper = { .call = sleep_in_accept, .fd = self->fd };

	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 4));
	ASSERT_TRUE(sleeper_start(&sleeper, SYS_accept4));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RD));
	EXPECT_EQ(-EINVAL, sleeper_join(&sleeper));
}

/* Connect, and have a record larger than a segment cross. */
static int connect_and_cross(int type, int listener,
			     const struct sockaddr_ferry *to)
{
	static char data[100000];
	int client = conn_to(type, to), server, err = 0;

	if (client < 0)
		return client;
	server = conn_accept(listener);
	if (server < 0)
		return server;
	if (sock_send(client, data, sizeof(data), 0) != sizeof(data) ||
	    recv_all(server, data, sizeof(data)) != sizeof(data))
		err = -EIO;
	conn_reset(client);
	conn_reset(server);
	return err;
}

/* Stateless: what a SYN said comes back with the cookie. */
TEST_F(listen, cookies__always)
{
	int fd;

	ASSERT_EQ(0, sysctl_set("syncookies", "2"));
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 8));
	EXPECT_EQ(0, connect_and_cross(SOCK_STREAM, self->fd, &self->at));
	EXPECT_EQ(1, stat_of("SyncookiesSent"));
	EXPECT_EQ(1, stat_of("SyncookiesRecv"));
	EXPECT_EQ(0, stat_of("SyncookiesFailed"));

	close(self->fd);
	self->fd = conn_listen(SOCK_SEQPACKET, PORT, 8);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, connect_and_cross(SOCK_SEQPACKET, self->fd, &self->at));
	EXPECT_EQ(2, stat_of("SyncookiesRecv"));
	/* Still it is told what is of the other sort. */
	fd = conn_to(SOCK_STREAM, &self->at);
	EXPECT_EQ(-ECONNREFUSED, fd);
}

/* Only when there is no room for requests. */
TEST_F(listen, cookies__when_full)
{
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 8));
	EXPECT_EQ(0, connect_and_cross(SOCK_STREAM, self->fd, &self->at));
	EXPECT_EQ(0, stat_of("SyncookiesSent"));
	ASSERT_EQ(0, sysctl_set("max_syn_backlog", "0"));
	EXPECT_EQ(0, connect_and_cross(SOCK_STREAM, self->fd, &self->at));
	EXPECT_EQ(1, stat_of("SyncookiesSent"));
	EXPECT_EQ(1, stat_of("SyncookiesRecv"));
}

/* Without them a full queue is silent, and who comes again may find room. */
TEST_F(listen, cookies__off)
{
	int client;

	ASSERT_EQ(0, sysctl_set("syncookies", "0"));
	ASSERT_EQ(0, sysctl_set("max_syn_backlog", "0"));
	ASSERT_EQ(0, bound(self->fd, PORT));
	ASSERT_EQ(0, sock_listen(self->fd, 8));
	client = conn_start(SOCK_STREAM, &self->at);
	ASSERT_LE(0, client);
	EXPECT_LT(0, stat_wait("ListenDrops", 1));
	EXPECT_EQ(0, stat_of("OutRsts"));
	EXPECT_EQ(0, sock_events(client));
	ASSERT_EQ(0, sysctl_set("max_syn_backlog", "10"));
	EXPECT_EQ(POLLOUT, sock_wait(client, POLLOUT));
	EXPECT_EQ(0, stat_of("SyncookiesSent"));
	EXPECT_LE(0, conn_accept(self->fd));
	close(client);
}

/* Other addresses are other listeners; the fitting one has the connection. */
TEST_F(listen, by_address)
{
	struct link_spec pair = {
		.kind = "ferry", .name = "fy0", .peer = "fy1", .peer_net = -1,
	};
	struct sockaddr_ferry at;
	unsigned char addr[FERRY_ALEN];
	int client;

	ASSERT_EQ(0, link_add(&pair));
	ASSERT_EQ(0, link_up("fy0"));
	ASSERT_EQ(0, link_address("fy0", addr));
	at = sfy(addr, PORT);
	ASSERT_EQ(0, sock_bind(self->fd, &at));
	ASSERT_EQ(0, sock_listen(self->fd, 1));
	EXPECT_EQ(-ECONNREFUSED, conn_to(SOCK_STREAM, &self->at));
	client = conn_to(SOCK_STREAM, &at);
	EXPECT_LE(0, client);
	close(client);
}

TEST_HARNESS_MAIN
