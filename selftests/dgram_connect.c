// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect(): the default peer, and nobody else's datagrams.
 *
 *	+- new namespace -----------+
 *	|  ferry0    fy0 ---- fy1   |
 *	+---------------------------+
 */
#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define PORT	5000
#define FRIEND	6000
#define OTHER	6001

FIXTURE(connect) {
	int fd, friend, other;
	struct wire wire;
	unsigned char ferry0[FERRY_ALEN];
	struct sockaddr_ferry at, to_friend, to_other;
};

FIXTURE_SETUP(connect)
{
	ASSERT_EQ(0, wire_inside(&self->wire, "ferry"));
	self->fd = dgram_at(PORT);
	self->friend = dgram_at(FRIEND);
	self->other = dgram_at(OTHER);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->friend);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, link_address("ferry0", self->ferry0));
	self->at = sfy(addr_any, PORT);
	self->to_friend = sfy(addr_any, FRIEND);
	self->to_other = sfy(addr_any, OTHER);
}

FIXTURE_TEARDOWN(connect)
{
	close(self->fd);
	close(self->friend);
	close(self->other);
}

TEST_F(connect, default_peer)
{
	char byte;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_EQ(1, sock_await(self->friend, &byte, 1));
	EXPECT_EQ('x', byte);
}

/* What others send is refused, and they are told. */
TEST_F(connect, filter)
{
	long unheard = stat_of("InDropNoPort");
	char byte;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(1, sock_send_to(self->other, "o", 1, &self->at));
	ASSERT_EQ(unheard + 1, stat_wait("InDropNoPort", unheard + 1));
	ASSERT_EQ(1, sock_send_to(self->friend, "f", 1, &self->at));
	ASSERT_EQ(1, sock_await(self->fd, &byte, 1));
	EXPECT_EQ('f', byte);
	EXPECT_TRUE(sock_empty(self->fd));
}

/* The peer is an address and a port: its other address is somebody else. */
TEST_F(connect, filter__address)
{
	struct sockaddr_ferry to = sfy(self->wire.fy1, OTHER + 1);
	struct sockaddr_ferry from0 = sfy(self->wire.fy0, OTHER + 1);
	long unheard = stat_of("InDropNoPort");
	int fd = dgram();

	ASSERT_EQ(0, sock_bind(fd, &from0));
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	ASSERT_EQ(1, sock_send_to(fd, "0", 1, &self->at));
	EXPECT_EQ(unheard + 1, stat_wait("InDropNoPort", unheard + 1));
	EXPECT_TRUE(sock_empty(self->fd));
	close(fd);
}

/* What came before connect() is read after it, as with UDP. */
TEST_F(connect, queued_before)
{
	char byte;

	ASSERT_EQ(1, sock_send_to(self->other, "o", 1, &self->at));
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(1, sock_await(self->fd, &byte, 1));
	EXPECT_EQ('o', byte);
}

TEST_F(connect, sendto_goes_elsewhere)
{
	char byte;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->to_other));
	EXPECT_EQ(1, sock_await(self->other, &byte, 1));
	EXPECT_TRUE(sock_empty(self->friend));
}

TEST_F(connect, again)
{
	char byte;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to_other));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->other, &byte, 1));
	EXPECT_TRUE(sock_empty(self->friend));
	ASSERT_EQ(1, sock_send_to(self->other, "o", 1, &self->at));
	EXPECT_EQ(1, sock_await(self->fd, &byte, 1));
}

/* One that fails leaves the peer as it was. */
TEST_F(connect, failure_keeps_the_peer)
{
	struct sockaddr_ferry nowhere = sfy(self->wire.fy0, 0), peer;
	socklen_t len = sizeof(peer);

	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	EXPECT_EQ(-EINVAL, sock_connect(self->fd, &nowhere));
	ASSERT_EQ(0, getpeername(self->fd, (struct sockaddr *)&peer, &len));
	EXPECT_EQ(FRIEND, peer.sfy_port);
}

TEST_F(connect, dissolve)
{
	struct sockaddr_ferry peer;
	socklen_t len = sizeof(peer);
	char byte;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(-1, getpeername(self->fd, (struct sockaddr *)&peer, &len));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(-EDESTADDRREQ, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(PORT, sock_port(self->fd));
	ASSERT_EQ(1, sock_send_to(self->other, "o", 1, &self->at));
	EXPECT_EQ(1, sock_await(self->fd, &byte, 1));
}

/* A port that the kernel chose is given back; one that was asked for is not. */
TEST_F(connect, dissolve__chosen_port)
{
	struct sockaddr_ferry own;
	socklen_t len = sizeof(own);
	int fd = dgram();
	unsigned int port;

	ASSERT_EQ(0, sock_connect(fd, &self->to_friend));
	port = sock_port(fd);
	EXPECT_NE(0, port);
	ASSERT_EQ(0, sock_disconnect(fd));
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&own, &len));
	EXPECT_EQ(0, own.sfy_port);
	EXPECT_EQ(0, memcmp(addr_any, own.sfy_addr, FERRY_ALEN));
	EXPECT_LE(0, dgram_at(port));
	/* It can be used on. */
	EXPECT_EQ(0, sock_connect(fd, &self->to_friend));
	EXPECT_EQ(1, sock_send(fd, "x", 1, 0));
	close(fd);
}

/* Unlike UDP's, it leaves the device alone. */
TEST_F(connect, dissolve__bound_to_a_device)
{
	char name[IFNAMSIZ] = "";
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_BINDTODEVICE, "fy1",
				4));
	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	ASSERT_EQ(0, getsockopt(self->fd, SOL_SOCKET, SO_BINDTODEVICE, name,
				&len));
	EXPECT_STREQ("fy1", name);
}

TEST_F(connect, dissolve__not_connected)
{
	EXPECT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(PORT, sock_port(self->fd));
}

TEST_F(connect, getpeername)
{
	struct sockaddr_ferry to = sfy_dev(self->wire.fy1, FRIEND, "fy0"), peer;
	socklen_t len = sizeof(peer);

	EXPECT_EQ(-1, getpeername(self->fd, (struct sockaddr *)&peer, &len));
	EXPECT_EQ(ENOTCONN, errno);
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	ASSERT_EQ(0, getpeername(self->fd, (struct sockaddr *)&peer, &len));
	EXPECT_EQ(sizeof(peer), len);
	EXPECT_EQ(0, memcmp(&to, &peer, sizeof(to)));
}

/* "This host" becomes the address that it is. */
TEST_F(connect, names_of_this_host)
{
	struct sockaddr_ferry name;
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(0, getpeername(self->fd, (struct sockaddr *)&name, &len));
	EXPECT_EQ(0, memcmp(self->ferry0, name.sfy_addr, FERRY_ALEN));
	ASSERT_EQ(0, getsockname(self->fd, (struct sockaddr *)&name, &len));
	EXPECT_EQ(0, memcmp(self->ferry0, name.sfy_addr, FERRY_ALEN));
	EXPECT_EQ(PORT, name.sfy_port);
}

/* Both ends connected: each hears the other, and a third neither. */
TEST_F(connect, both_ways)
{
	char byte;

	ASSERT_EQ(0, sock_connect(self->fd, &self->to_friend));
	ASSERT_EQ(0, sock_connect(self->friend, &self->at));
	ASSERT_EQ(1, sock_send(self->fd, "a", 1, 0));
	ASSERT_EQ(1, sock_await(self->friend, &byte, 1));
	EXPECT_EQ('a', byte);
	ASSERT_EQ(1, sock_send(self->friend, "b", 1, 0));
	ASSERT_EQ(1, sock_await(self->fd, &byte, 1));
	EXPECT_EQ('b', byte);
}

/* A socket connected to its own port talks to itself. */
TEST_F(connect, to_itself)
{
	char byte;

	ASSERT_EQ(0, sock_connect(self->fd, &self->at));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->fd, &byte, 1));
}

TEST_HARNESS_MAIN
