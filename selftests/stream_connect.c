// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect(): on one host, how it is called and what becomes of the socket.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define NOBODY	6000

FIXTURE(connect) {
	int fd, listener;
	struct sockaddr_ferry to, nobody;
	char byte;
};

FIXTURE_VARIANT(connect) {
	int type;
};

FIXTURE_VARIANT_ADD(connect, stream) {
	.type = SOCK_STREAM,
};

FIXTURE_VARIANT_ADD(connect, record) {
	.type = SOCK_SEQPACKET,
};

FIXTURE_SETUP(connect)
{
	ASSERT_LE(0, net_new());
	self->listener = conn_listen(variant->type, PORT, 8);
	ASSERT_LE(0, self->listener);
	self->fd = conn_socket(variant->type);
	ASSERT_LE(0, self->fd);
	self->to = sfy(addr_any, PORT);
	self->nobody = sfy(addr_any, NOBODY);
}

FIXTURE_TEARDOWN(connect)
{
	close(self->fd);
	close(self->listener);
}

/* Does a byte cross in each direction? */
static int talk(int a, int b)
{
	char byte;

	if (send_all(a, "a", 1) != 1 || sock_await(b, &byte, 1) != 1 ||
	    byte != 'a')
		return -ECOMM;
	if (send_all(b, "b", 1) != 1 || sock_await(a, &byte, 1) != 1 ||
	    byte != 'b')
		return -ECOMM;
	return 0;
}

static struct sockaddr_ferry own_name(int fd)
{
	struct sockaddr_ferry name = { };
	socklen_t len = sizeof(name);

	getsockname(fd, (struct sockaddr *)&name, &len);
	return name;
}

/* Return: 0 or -errno. */
static int peer_name(int fd, struct sockaddr_ferry *name)
{
	socklen_t len = sizeof(*name);

	memset(name, 0x55, sizeof(*name));
	return getpeername(fd, (struct sockaddr *)name, &len) ? -errno : 0;
}

TEST_F(connect, blocking)
{
	int server;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	server = conn_accept(self->listener);
	ASSERT_LE(0, server);
	EXPECT_EQ(0, talk(self->fd, server));
	close(server);
}

TEST_F(connect, names)
{
	struct sockaddr_ferry own, peer;
	int server;

	EXPECT_EQ(-ENOTCONN, peer_name(self->fd, &peer));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	server = conn_accept(self->listener);
	ASSERT_LE(0, server);
	own = own_name(self->fd);
	EXPECT_NE(0, own.sfy_port);
	EXPECT_NE(0, memcmp(addr_any, own.sfy_addr, FERRY_ALEN));
	ASSERT_EQ(0, peer_name(self->fd, &peer));
	EXPECT_EQ(AF_FERRY, peer.sfy_family);
	EXPECT_EQ(PORT, peer.sfy_port);
	EXPECT_EQ(0, memcmp(own.sfy_addr, peer.sfy_addr, FERRY_ALEN));

	/* Each end's own name is the other's peer. */
	EXPECT_EQ(PORT, own_name(server).sfy_port);
	ASSERT_EQ(0, peer_name(server, &peer));
	EXPECT_EQ(own.sfy_port, peer.sfy_port);
	EXPECT_EQ(0, memcmp(own.sfy_addr, peer.sfy_addr, FERRY_ALEN));
	close(server);
}

TEST_F(connect, bound)
{
	struct sockaddr_ferry at = sfy(addr_any, 7000);

	ASSERT_EQ(0, sock_bind(self->fd, &at));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	EXPECT_EQ(7000, sock_port(self->fd));
	EXPECT_NE(0, memcmp(addr_any, own_name(self->fd).sfy_addr,
			    FERRY_ALEN));
}

TEST_F(connect, nonblocking)
{
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->to));
	ASSERT_EQ(POLLOUT, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(0, sock_error(self->fd));
	/* The call that finds it done says so, as TCP's does. */
	EXPECT_EQ(0, sock_connect(self->fd, &self->to));
	EXPECT_EQ(-EISCONN, sock_connect(self->fd, &self->to));
}

TEST_F(connect, connected)
{
	struct sockaddr_ferry peer;
	int server;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	EXPECT_EQ(-EISCONN, sock_connect(self->fd, &self->to));
	EXPECT_EQ(-EISCONN, sock_connect(self->fd, &self->nobody));
	server = conn_accept(self->listener);
	EXPECT_EQ(-EISCONN, sock_connect(server, &self->to));
	/* Also when the peer has gone. */
	close(server);
	ASSERT_EQ(POLLIN, sock_wait(self->fd, POLLIN));
	EXPECT_EQ(-EISCONN, sock_connect(self->fd, &self->to));
	EXPECT_EQ(0, peer_name(self->fd, &peer));
}

TEST_F(connect, listening)
{
	EXPECT_EQ(variant->type == SOCK_STREAM ? -EISCONN : -EINVAL,
		  sock_connect(self->listener, &self->nobody));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
}

TEST_F(connect, refused)
{
	struct sockaddr_ferry peer;
	int server;

	EXPECT_EQ(-ECONNREFUSED, sock_connect(self->fd, &self->nobody));
	EXPECT_EQ(-ENOTCONN, peer_name(self->fd, &peer));
	/* The error was told; the socket can be used on. */
	EXPECT_EQ(0, sock_error(self->fd));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	server = conn_accept(self->listener);
	EXPECT_EQ(0, talk(self->fd, server));
	close(server);
}

TEST_F(connect, refused__nonblocking)
{
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->nobody));
	ASSERT_EQ(POLLOUT | POLLERR | POLLHUP,
		  sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(ECONNREFUSED, sock_error(self->fd));
	EXPECT_EQ(0, sock_error(self->fd));
	/* Who has taken the error is told by connect() that there was one. */
	EXPECT_EQ(-ECONNABORTED, sock_connect(self->fd, &self->to));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->to));
	EXPECT_EQ(POLLOUT, sock_wait(self->fd, POLLOUT));
}

TEST_F(connect, refused__told_by_connect)
{
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->nobody));
	ASSERT_NE(0, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(-ECONNREFUSED, sock_connect(self->fd, &self->to));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->to));
}

/* A bound socket that does not listen refuses. */
TEST_F(connect, refused__not_listening)
{
	int bound = conn_bound(variant->type, NOBODY);
	long failed = stat_of("AttemptFails"), resets = stat_of("OutRsts");

	ASSERT_LE(0, bound);
	EXPECT_EQ(-ECONNREFUSED, sock_connect(self->fd, &self->nobody));
	EXPECT_EQ(failed + 1, stat_of("AttemptFails"));
	EXPECT_EQ(resets + 1, stat_of("OutRsts"));
	close(bound);
}

/* A failed attempt gives back the port that was chosen for it. */
TEST_F(connect, refused__port)
{
	ASSERT_EQ(0, sysctl_set("port_range", "40000 40000"));
	EXPECT_EQ(-ECONNREFUSED, sock_connect(self->fd, &self->nobody));
	EXPECT_EQ(-ECONNREFUSED, sock_connect(self->fd, &self->nobody));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	EXPECT_EQ(40000, sock_port(self->fd));
}

/* Where nobody listens one does not find himself, though each has a port. */
TEST_F(connect, refused__not_by_oneself)
{
	struct sockaddr_ferry to = sfy(addr_any, 40000);
	int i;

	ASSERT_EQ(0, sysctl_set("port_range", "40000 40001"));
	for (i = 0; i < 16; i++)
		EXPECT_EQ(-ECONNREFUSED, sock_connect(self->fd, &to));
	ASSERT_EQ(0, sysctl_set("port_range", "40000 40000"));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(self->fd, &to));
}

/* On one host each is told at once, however many there are. */
TEST_F(connect, refused__many)
{
	int i;

	for (i = 0; i < 3000; i++)
		ASSERT_EQ(-ECONNREFUSED, sock_connect(self->fd, &self->nobody));
	EXPECT_EQ(0, stat_of("OutDropUnreachLimit"));
	EXPECT_EQ(0, stat_of("RetransSegs"));
}

TEST_F(connect, counted)
{
	long active = stat_of("ActiveOpens"), passive = stat_of("PassiveOpens");

	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	EXPECT_EQ(active + 1, stat_of("ActiveOpens"));
	EXPECT_EQ(passive + 1, stat_wait("PassiveOpens", passive + 1));
}

TEST_F(connect, bad_address)
{
	struct sockaddr_ferry to = self->to;

	EXPECT_EQ(-1, connect(self->fd, (struct sockaddr *)&to, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, connect(self->fd, (struct sockaddr *)&to,
			      sizeof(to) - 1));
	EXPECT_EQ(EINVAL, errno);
	to.sfy_family = 77;
	EXPECT_EQ(-EAFNOSUPPORT, sock_connect(self->fd, &to));
	/* None of which has begun anything. */
	EXPECT_EQ(0, sock_port(self->fd));
	EXPECT_EQ(0, sock_connect(self->fd, &self->to));
}

/* What only Ferry's addresses have. */
TEST_F(connect, bad_address__ferry)
{
	struct sockaddr_ferry to = self->to;

	to.sfy_port = FERRY_PORT_ANY;
	EXPECT_EQ(-EINVAL, sock_connect(self->fd, &to));
	to = self->to;
	to.sfy_reserved = 1;
	EXPECT_EQ(-EINVAL, sock_connect(self->fd, &to));
	to = self->to;
	to.sfy_reserved2[1] = 1;
	EXPECT_EQ(-EINVAL, sock_connect(self->fd, &to));
	EXPECT_EQ(0, sock_connect(self->fd, &self->to));
}

/* There is no connection to everyone, whatever the socket's options. */
TEST_F(connect, everyone)
{
	struct sockaddr_ferry all = sfy(addr_everyone, PORT);

	EXPECT_EQ(-ENETUNREACH, sock_connect(self->fd, &all));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_BROADCAST, 1));
	EXPECT_EQ(-ENETUNREACH, sock_connect(self->fd, &all));
}

TEST_F(connect, no_way)
{
	struct sockaddr_ferry to = sfy(addr_nobody, PORT);

	EXPECT_EQ(-ENETUNREACH, sock_connect(self->fd, &to));
	EXPECT_EQ(0, sock_connect(self->fd, &self->to));
}

/* A port for each peer: what tells connections apart is both ends. */
TEST_F(connect, ports_are_shared)
{
	int other = conn_listen(variant->type, PORT + 1, 8);
	int fd = conn_socket(variant->type), third;
	struct sockaddr_ferry to = sfy(addr_any, PORT + 1);
	int a, b;

	ASSERT_LE(0, other);
	ASSERT_EQ(0, sysctl_set("port_range", "40000 40000"));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	ASSERT_EQ(0, sock_connect(fd, &to));
	EXPECT_EQ(40000, sock_port(self->fd));
	EXPECT_EQ(40000, sock_port(fd));
	third = conn_socket(variant->type);
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(third, &to));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(third, &self->to));

	a = conn_accept(self->listener);
	b = conn_accept(other);
	EXPECT_EQ(0, talk(self->fd, a));
	EXPECT_EQ(0, talk(fd, b));
	/* Who leaves without TIME_WAIT makes room. */
	conn_reset(fd);
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(third, &self->to));
	EXPECT_EQ(0, sock_connect(third, &to));
	close(third);
	close(a);
	close(b);
	close(other);
}

TEST_F(connect, ports_are_used_up)
{
	int fd[4], i, last = conn_socket(variant->type);
	unsigned int seen = 0;

	ASSERT_EQ(0, sysctl_set("port_range", "40000 40003"));
	for (i = 0; i < 4; i++) {
		fd[i] = conn_socket(variant->type);
		ASSERT_EQ(0, sock_connect(fd[i], &self->to));
		seen |= 1 << (sock_port(fd[i]) - 40000);
	}
	EXPECT_EQ(0xf, seen);
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(last, &self->to));
	EXPECT_EQ(0, sock_port(last));
	conn_reset(fd[2]);
	EXPECT_EQ(0, sock_connect(last, &self->to));
	for (i = 0; i < 4; i++)
		if (i != 2)
			close(fd[i]);
	close(last);
}

/* A port that is bound is not chosen, and one that is chosen is not bound. */
TEST_F(connect, ports_bound_and_chosen)
{
	int bound = conn_bound(variant->type, 40000);
	struct sockaddr_ferry at = sfy(addr_any, 40001);
	int fd = conn_socket(variant->type);

	ASSERT_LE(0, bound);
	ASSERT_EQ(0, sysctl_set("port_range", "40000 40001"));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	EXPECT_EQ(40001, sock_port(self->fd));
	EXPECT_EQ(-EADDRINUSE, sock_bind(fd, &at));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(fd, &self->to));
	close(fd);
	close(bound);
}

/* The same four names twice: refused before anything is sent. */
TEST_F(connect, twice_between_the_same_ports)
{
	int first = conn_bound(variant->type, 7000);
	int second = conn_bound(variant->type, 7000);

	ASSERT_LE(0, first);
	ASSERT_LE(0, second);
	ASSERT_EQ(0, sock_connect(first, &self->to));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(second, &self->to));
	close(first);
	close(second);
}

TEST_F(connect, to_itself)
{
	struct sockaddr_ferry at = sfy(addr_any, NOBODY), peer;

	ASSERT_EQ(0, sock_bind(self->fd, &at));
	ASSERT_EQ(0, sock_connect(self->fd, &self->nobody));
	ASSERT_EQ(0, peer_name(self->fd, &peer));
	EXPECT_EQ(NOBODY, peer.sfy_port);
	EXPECT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_EQ(1, sock_await(self->fd, &self->byte, 1));
	EXPECT_EQ('x', self->byte);
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	EXPECT_EQ(0, sock_await(self->fd, &self->byte, 1));
}

/* AF_UNSPEC: the connection is gone, and the socket as new. */
TEST_F(connect, dissolve)
{
	struct sockaddr_ferry peer;
	unsigned int port;
	int server, fd;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	port = sock_port(self->fd);
	server = conn_accept(self->listener);
	ASSERT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(-ENOTCONN, peer_name(self->fd, &peer));
	/* The port that was chosen for it is given back. */
	fd = conn_listen(variant->type, port, 1);
	EXPECT_LE(0, fd);
	close(fd);
	EXPECT_EQ(ECONNRESET, sock_error(self->fd));
	EXPECT_EQ(-ENOTCONN, sock_recv(self->fd, &self->byte, 1, 0));
	/* As TCP, or as AF_UNIX has it. */
	EXPECT_EQ(variant->type == SOCK_STREAM ? -EPIPE : -ENOTCONN,
		  sock_send(self->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-ECONNRESET, sock_await(server, &self->byte, 1));
	close(server);

	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	server = conn_accept(self->listener);
	EXPECT_EQ(0, talk(self->fd, server));
	close(server);
}

/* What had arrived is gone with it. */
TEST_F(connect, dissolve__unread)
{
	int server;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	server = conn_accept(self->listener);
	ASSERT_EQ(3, send_all(server, "old", 3));
	ASSERT_EQ(POLLIN, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(ECONNRESET, sock_error(self->fd));
	close(server);
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	EXPECT_TRUE(sock_empty(self->fd));
	server = conn_accept(self->listener);
	EXPECT_EQ(0, talk(self->fd, server));
	close(server);
}

/* A port that was asked for is kept. */
TEST_F(connect, dissolve__bound_port)
{
	struct sockaddr_ferry at = sfy(addr_any, 7000);

	ASSERT_EQ(0, sock_bind(self->fd, &at));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(7000, sock_port(self->fd));
	EXPECT_EQ(0, memcmp(addr_any, own_name(self->fd).sfy_addr,
			    FERRY_ALEN));
	EXPECT_EQ(ECONNRESET, sock_error(self->fd));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	EXPECT_EQ(7000, sock_port(self->fd));
}

/* A listener that is dissolved listens no more. */
TEST_F(connect, dissolve__listener)
{
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	ASSERT_EQ(POLLIN, sock_wait(self->listener, POLLIN));
	ASSERT_EQ(0, sock_disconnect(self->listener));
	EXPECT_EQ(-ECONNRESET, sock_await(self->fd, &self->byte, 1));
	EXPECT_EQ(-EINVAL, conn_accept_now(self->listener));
	EXPECT_EQ(0, listen(self->listener, 1));
}

TEST_F(connect, dissolve__not_connected)
{
	EXPECT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(0, sock_error(self->fd));
	EXPECT_EQ(0, sock_connect(self->fd, &self->to));
}

/* A reader that sleeps is woken by it. */
TEST_F(connect, dissolve__reader)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd,
		.data = &self->byte, .len = 1,
	};
	long got;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	got = sleeper_join(&reader);
	EXPECT_GT(0, got);
	EXPECT_NE(-ETIMEDOUT, got);
}

TEST_HARNESS_MAIN
