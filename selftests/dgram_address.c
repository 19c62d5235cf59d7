// SPDX-License-Identifier: GPL-2.0-only
/*
 * What socket() makes, and which addresses its calls take.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"

FIXTURE(address) {
	int fd;
	struct sockaddr_ferry good;
};

FIXTURE_SETUP(address)
{
	ASSERT_LE(0, net_new());
	self->fd = dgram();
	ASSERT_LE(0, self->fd);
	self->good = sfy(addr_any, 4000);
}

FIXTURE_TEARDOWN(address)
{
	close(self->fd);
}

static int make(int type, int protocol)
{
	int fd = socket(AF_FERRY, type, protocol);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

TEST_F(address, socket__types)
{
	EXPECT_EQ(0, make(SOCK_DGRAM, 0));
	EXPECT_EQ(0, make(SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	EXPECT_EQ(-ESOCKTNOSUPPORT, make(SOCK_RDM, 0));
	EXPECT_EQ(-ESOCKTNOSUPPORT, make(SOCK_RAW, 0));
	EXPECT_EQ(-EPROTONOSUPPORT, make(SOCK_DGRAM, 1));
	EXPECT_EQ(-EPROTONOSUPPORT, make(SOCK_DGRAM, 17));
}

TEST_F(address, socket__what_it_says_of_itself)
{
	EXPECT_EQ(AF_FERRY, sock_get(self->fd, SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(SOCK_DGRAM, sock_get(self->fd, SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(0, sock_get(self->fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(0, sock_get(self->fd, SOL_SOCKET, SO_ACCEPTCONN));
}

TEST_F(address, socket__makes_and_raises_the_card)
{
	ASSERT_LE(0, net_new());
	EXPECT_EQ(0, link_index("ferry0"));
	close(dgram());
	EXPECT_NE(0, link_index("ferry0"));
	EXPECT_TRUE(link_running("ferry0"));
}

/* The card is made again for the first socket after its deletion. */
TEST_F(address, socket__makes_the_card_again)
{
	ASSERT_EQ(0, link_del("ferry0"));
	EXPECT_EQ(0, link_index("ferry0"));
	close(dgram());
	EXPECT_NE(0, link_index("ferry0"));
}

/* Each call that takes an address. */
static int call_bind(int fd, const void *addr, socklen_t len)
{
	return bind(fd, addr, len) ? -errno : 0;
}

static int call_connect(int fd, const void *addr, socklen_t len)
{
	return connect(fd, addr, len) ? -errno : 0;
}

static int call_sendto(int fd, const void *addr, socklen_t len)
{
	return sendto(fd, "x", 1, 0, addr, len) < 0 ? -errno : 0;
}

FIXTURE(call) {
	int fd;
	struct sockaddr_ferry to;
};

FIXTURE_VARIANT(call) {
	int (*call)(int fd, const void *addr, socklen_t len);
};

FIXTURE_VARIANT_ADD(call, bind) { .call = call_bind };
FIXTURE_VARIANT_ADD(call, connect) { .call = call_connect };
FIXTURE_VARIANT_ADD(call, sendto) { .call = call_sendto };

FIXTURE_SETUP(call)
{
	ASSERT_LE(0, net_new());
	self->fd = dgram();
	ASSERT_LE(0, self->fd);
	self->to = sfy(addr_any, 4000);
}

FIXTURE_TEARDOWN(call)
{
	close(self->fd);
}

#define CALL(len) variant->call(self->fd, &self->to, len)

TEST_F(call, good)
{
	EXPECT_EQ(0, CALL(sizeof(self->to)));
}

/* Longer than the address is well: what follows is not looked at. */
TEST_F(call, longer)
{
	struct { struct sockaddr_ferry sfy; char more[8]; } longer = {
		.sfy = self->to, .more = "garbage",
	};

	EXPECT_EQ(0, variant->call(self->fd, &longer, sizeof(longer)));
}

TEST_F(call, short_by_one)
{
	EXPECT_EQ(-EINVAL, CALL(sizeof(self->to) - 1));
	EXPECT_EQ(-EINVAL, CALL(sizeof(sa_family_t)));
}

TEST_F(call, shorter_than_a_family)
{
	EXPECT_EQ(-EINVAL, CALL(1));
}

TEST_F(call, wrong_family)
{
	self->to.sfy_family = AF_INET;
	EXPECT_EQ(-EAFNOSUPPORT, CALL(sizeof(self->to)));
}

TEST_F(call, reserved)
{
	self->to.sfy_reserved = 1;
	EXPECT_EQ(-EINVAL, CALL(sizeof(self->to)));
}

TEST_F(call, reserved2)
{
	self->to.sfy_reserved2[0] = 1;
	EXPECT_EQ(-EINVAL, CALL(sizeof(self->to)));
	self->to.sfy_reserved2[0] = 0;
	self->to.sfy_reserved2[1] = 1;
	EXPECT_EQ(-EINVAL, CALL(sizeof(self->to)));
}

TEST_F(call, negative_interface)
{
	self->to.sfy_ifindex = -1;
	EXPECT_EQ(-EINVAL, CALL(sizeof(self->to)));
}

TEST_F(call, bad_pointer)
{
	EXPECT_EQ(-EFAULT, variant->call(self->fd, (void *)8,
					 sizeof(self->to)));
}

TEST_F(call, no_such_interface)
{
	unsigned char elsewhere[FERRY_ALEN] = { 2, 0, 0, 0, 0, 9 };

	self->to = sfy(elsewhere, 4000);
	self->to.sfy_ifindex = 9999;
	EXPECT_EQ(-ENODEV, CALL(sizeof(self->to)));
}

/* Only bind() leaves the port to the kernel. */
TEST_F(call, port_any)
{
	self->to.sfy_port = FERRY_PORT_ANY;
	EXPECT_EQ(variant->call == call_bind ? 0 : -EINVAL,
		  CALL(sizeof(self->to)));
}

TEST_F(call, largest_port)
{
	self->to.sfy_port = UINT32_MAX;
	EXPECT_EQ(0, CALL(sizeof(self->to)));
}

TEST_F(address, calls_of_streams)
{
	EXPECT_EQ(-1, listen(self->fd, 1));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, accept(self->fd, NULL, NULL));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

/* getsockname() stores as much as there is room for, and says how much it is. */
TEST_F(address, getsockname__little_room)
{
	struct sockaddr_ferry own;
	socklen_t len = 8;

	ASSERT_EQ(0, sock_bind(self->fd, &self->good));
	memset(&own, 0x55, sizeof(own));
	ASSERT_EQ(0, getsockname(self->fd, (struct sockaddr *)&own, &len));
	EXPECT_EQ(sizeof(own), len);
	EXPECT_EQ(4000, own.sfy_port);
	EXPECT_EQ(0x55555555, own.sfy_ifindex);
}

TEST_F(address, sendto__no_destination)
{
	EXPECT_EQ(-EDESTADDRREQ, sock_send(self->fd, "x", 1, 0));
}

TEST_HARNESS_MAIN
