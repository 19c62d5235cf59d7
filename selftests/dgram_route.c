// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which device carries a datagram, and what a socket hears of a device that
 * goes down or away.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	|  dum0           |        +-----------------+
 *	+-----------------+
 */
#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000

static const unsigned char stranger[FERRY_ALEN] = { 2, 0, 0, 0, 0, 9 };

FIXTURE(route) {
	struct wire wire;
	int fd, reader;		/* of red, of blue */
	struct sockaddr_ferry there;
	char byte;
};

FIXTURE_SETUP(route)
{
	struct link_spec dummy = { .kind = "dummy", .name = "dum0" };

	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->reader = dgram_at(PORT);
	ASSERT_LE(0, self->reader);
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, link_add(&dummy));
	ASSERT_EQ(0, link_up("dum0"));
	self->fd = dgram();
	ASSERT_LE(0, self->fd);
	self->there = sfy(self->wire.fy1, PORT);
}

FIXTURE_TEARDOWN(route)
{
	close(self->fd);
	close(self->reader);
}

static int bind_device(int fd, const char *name)
{
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name,
			  strlen(name) + 1) ? -errno : 0;
}

TEST_F(route, the_only_one_enabled)
{
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, &self->byte, 1));
}

TEST_F(route, none_enabled)
{
	ASSERT_EQ(0, ferry_disable("fy0"));
	EXPECT_EQ(-ENETUNREACH, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(-ENETUNREACH, sock_connect(self->fd, &self->there));
	ASSERT_EQ(0, ferry_enable("fy0"));
	EXPECT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
}

TEST_F(route, more_than_one_enabled)
{
	ASSERT_EQ(0, ferry_enable("dum0"));
	EXPECT_EQ(-ENETUNREACH, sock_send_to(self->fd, "x", 1, &self->there));
	/* Named or bound, it is found. */
	self->there.sfy_ifindex = if_nametoindex("fy0");
	EXPECT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, &self->byte, 1));
	self->there.sfy_ifindex = 0;
	ASSERT_EQ(0, bind_device(self->fd, "fy0"));
	EXPECT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, &self->byte, 1));
}

/* The device whose address the socket is bound to. */
TEST_F(route, by_own_address)
{
	struct sockaddr_ferry own = sfy(self->wire.fy0, PORT);

	ASSERT_EQ(0, ferry_enable("dum0"));
	ASSERT_EQ(0, sock_bind(self->fd, &own));
	EXPECT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, &self->byte, 1));
}

TEST_F(route, by_connect)
{
	ASSERT_EQ(0, ferry_enable("dum0"));
	self->there.sfy_ifindex = if_nametoindex("fy0");
	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	EXPECT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->reader, &self->byte, 1));
}

TEST_F(route, named_but_not_enabled)
{
	self->there.sfy_ifindex = if_nametoindex("dum0");
	EXPECT_EQ(-ENETUNREACH, sock_send_to(self->fd, "x", 1, &self->there));
	ASSERT_EQ(0, bind_device(self->fd, "dum0"));
	self->there.sfy_ifindex = 0;
	EXPECT_EQ(-ENETUNREACH, sock_send_to(self->fd, "x", 1, &self->there));
}

TEST_F(route, no_such_device)
{
	self->there.sfy_ifindex = 9999;
	EXPECT_EQ(-ENODEV, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(-ENODEV, sock_connect(self->fd, &self->there));
}

TEST_F(route, named_and_bound_differ)
{
	ASSERT_EQ(0, bind_device(self->fd, "dum0"));
	self->there.sfy_ifindex = if_nametoindex("fy0");
	EXPECT_EQ(-EINVAL, sock_send_to(self->fd, "x", 1, &self->there));
}

/* No stranger is at the loop's end. */
TEST_F(route, by_the_loop)
{
	self->there = sfy_dev(stranger, PORT, "ferry0");
	EXPECT_EQ(-ENETUNREACH, sock_send_to(self->fd, "x", 1, &self->there));
}

/* A group is found as another host is: by the only link, and else by none. */
TEST_F(route, multicast)
{
	const struct link_spec spec = {
		.kind = "ferry", .name = "fy9", .peer_net = -1,
	};
	unsigned char group[FERRY_ALEN] = { 3, 0, 0, 0, 0, 9 };

	self->there = sfy(group, PORT);
	EXPECT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	ASSERT_EQ(0, link_add(&spec));
	EXPECT_EQ(-ENETUNREACH, sock_send_to(self->fd, "x", 1, &self->there));
}

/* Each of this host's own addresses is reached by the loop. */
TEST_F(route, own_address)
{
	long out;
	int fd = dgram_at(PORT);

	self->there = sfy(self->wire.fy0, PORT);
	ASSERT_EQ(0, link_down("fy0"));
	out = stat_of("OutDatagrams");
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(fd, &self->byte, 1));
	EXPECT_EQ(out + 1, stat_of("OutDatagrams"));
	close(fd);
}

TEST_F(route, device_down)
{
	ASSERT_EQ(0, link_down("fy0"));
	EXPECT_EQ(-ENETDOWN, sock_send_to(self->fd, "x", 1, &self->there));
	ASSERT_EQ(0, link_up("fy0"));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, &self->byte, 1));
}

TEST_F(route, loop_down)
{
	struct sockaddr_ferry here = sfy(addr_any, PORT);

	ASSERT_EQ(0, link_down("ferry0"));
	EXPECT_EQ(-ENETDOWN, sock_send_to(self->fd, "x", 1, &here));
	EXPECT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	ASSERT_EQ(0, link_del("ferry0"));
	EXPECT_EQ(-ENETDOWN, sock_send_to(self->fd, "x", 1, &here));
}

/* The device has another address now: nobody can send from the old one. */
TEST_F(route, address_lost)
{
	struct sockaddr_ferry own = sfy(self->wire.fy0, PORT);

	ASSERT_EQ(0, sock_bind(self->fd, &own));
	ASSERT_EQ(0, link_set_address("fy0", stranger));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_send_to(self->fd, "x", 1,
					       &self->there));
	own = sfy(stranger, PORT + 1);
	close(self->fd);
	self->fd = dgram();
	ASSERT_EQ(0, sock_bind(self->fd, &own));
	EXPECT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
}

/* Three that depend on fy0, each in its way, and one that does not. */
static int depends_on_fy0(const struct wire *wire, int how)
{
	struct sockaddr_ferry at = sfy(wire->fy0, PORT + how);
	struct sockaddr_ferry to = sfy_dev(wire->fy1, PORT, "fy0");
	int fd = dgram(), err;

	switch (how) {
	case 0:
		err = bind_device(fd, "fy0");
		at = sfy(addr_any, PORT);
		err = err ?: sock_bind(fd, &at);
		break;
	case 1:
		err = sock_bind(fd, &at);
		break;
	default:
		err = sock_connect(fd, &to);
	}
	return err ?: fd;
}

TEST_F(route, down__told_once)
{
	int other = dgram_at(PORT + 9), fd, how;

	for (how = 0; how < 3; how++) {
		fd = depends_on_fy0(&self->wire, how);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, link_down("fy0"));
		EXPECT_EQ(-ENETDOWN, sock_recv(fd, &self->byte, 1,
					       MSG_DONTWAIT)) {
			TH_LOG("of kind %d", how);
		}
		EXPECT_EQ(-EAGAIN, sock_recv(fd, &self->byte, 1,
					     MSG_DONTWAIT));
		EXPECT_EQ(0, sock_error(other));
		ASSERT_EQ(0, link_up("fy0"));
		close(fd);
	}
	close(other);
}

TEST_F(route, down__wakes_a_reader)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .data = &self->byte, .len = 1,
	};

	reader.fd = depends_on_fy0(&self->wire, 0);
	ASSERT_LE(0, reader.fd);
	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, link_down("fy0"));
	EXPECT_EQ(-ENETDOWN, sleeper_join(&reader));
	close(reader.fd);
}

/* It goes down first, so either may be what the reader hears. */
TEST_F(route, deleted__wakes_a_reader)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .data = &self->byte, .len = 1,
	};
	long err;

	reader.fd = depends_on_fy0(&self->wire, 0);
	ASSERT_LE(0, reader.fd);
	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, link_del("fy0"));
	err = sleeper_join(&reader);
	EXPECT_TRUE(err == -ENODEV || err == -ENETDOWN) {
		TH_LOG("woken with %ld", err);
	}
	sock_error(reader.fd);
	EXPECT_EQ(-ENODEV, sock_send_to(reader.fd, "x", 1, &self->there));
	close(reader.fd);
}

/* Down before, it is only deleted: so this is what is heard. */
TEST_F(route, deleted__while_down)
{
	int fd;

	ASSERT_EQ(0, link_down("fy0"));
	fd = depends_on_fy0(&self->wire, 0);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, link_del("fy0"));
	EXPECT_EQ(ENODEV, sock_error(fd));
	EXPECT_EQ(0, sock_error(fd));
	close(fd);
}

/* The far end goes, and fy0 with it. */
TEST_F(route, far_end_deleted__wakes_a_poller)
{
	struct sleeper poller = { .call = sleep_in_poll, .events = POLLIN };

	poller.fd = depends_on_fy0(&self->wire, 1);
	ASSERT_LE(0, poller.fd);
	ASSERT_TRUE(sleeper_start(&poller, SYS_poll));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, link_del("fy1"));
	EXPECT_TRUE(sleeper_join(&poller) & POLLERR);
	close(poller.fd);
}

/* To another namespace: gone from this one, and enabled in that one. */
TEST_F(route, moved)
{
	int fd = depends_on_fy0(&self->wire, 0);
	int green = net_new(), from_green;

	ASSERT_LE(0, green);
	from_green = dgram();
	ASSERT_LE(0, from_green);
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, link_move("fy0", green));
	EXPECT_NE(0, sock_error(fd));
	EXPECT_EQ(-ENODEV, sock_send_to(fd, "x", 1, &self->there));
	ASSERT_EQ(0, net_enter(green));
	ASSERT_EQ(0, link_up("fy0"));
	ASSERT_EQ(1, sock_send_to(from_green, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, &self->byte, 1));
	/* And back. */
	ASSERT_EQ(0, link_move("fy0", self->wire.red));
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, link_up("fy0"));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, &self->byte, 1));
	close(fd);
	close(from_green);
}

TEST_HARNESS_MAIN
