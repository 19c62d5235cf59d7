// SPDX-License-Identifier: GPL-2.0-only
/*
 * Broadcast: every socket on the wire and on this host has one copy.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define PORT	5000
#define READERS	3

FIXTURE(broadcast) {
	struct wire wire;
	int fd;
	int red[READERS], blue[READERS];
	struct sockaddr_ferry all;
	char byte;
};

/* Several that share the port. */
static int readers(int *fds)
{
	struct sockaddr_ferry at = sfy(addr_any, PORT);
	int i, err = 0;

	for (i = 0; i < READERS && !err; i++) {
		fds[i] = dgram();
		err = sock_set(fds[i], SOL_SOCKET, SO_REUSEADDR, 1);
		if (!err)
			err = sock_bind(fds[i], &at);
	}
	return err;
}

FIXTURE_SETUP(broadcast)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, readers(self->blue));
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, readers(self->red));
	self->fd = dgram_at(PORT + 1);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_BROADCAST, 1));
	self->all = sfy(addr_everyone, PORT);
}

FIXTURE_TEARDOWN(broadcast)
{
	int i;

	for (i = 0; i < READERS; i++) {
		close(self->red[i]);
		close(self->blue[i]);
	}
	close(self->fd);
}

TEST_F(broadcast, not_allowed)
{
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_BROADCAST, 0));
	EXPECT_EQ(-EACCES, sock_send_to(self->fd, "x", 1, &self->all));
	EXPECT_EQ(-EACCES, sock_connect(self->fd, &self->all));
}

TEST_F(broadcast, all_hear_once)
{
	int i;

	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->all));
	for (i = 0; i < READERS; i++) {
		EXPECT_EQ(1, sock_await(self->red[i], &self->byte, 1));
		EXPECT_EQ(1, sock_await(self->blue[i], &self->byte, 1));
	}
	/* What was sent to one after that comes next: there was one copy. */
	self->all = sfy(self->wire.fy1, PORT);
	ASSERT_EQ(1, sock_send_to(self->fd, "y", 1, &self->all));
	EXPECT_EQ(1, sock_await(self->blue[READERS - 1], &self->byte, 1));
	EXPECT_EQ('y', self->byte);
	for (i = 0; i < READERS; i++) {
		EXPECT_TRUE(sock_empty(self->red[i]));
		EXPECT_TRUE(sock_empty(self->blue[i]));
	}
}

TEST_F(broadcast, source_can_be_answered)
{
	struct sockaddr_ferry from;

	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->all));
	ASSERT_NE(0, sock_wait(self->blue[0], POLLIN));
	ASSERT_EQ(1, sock_recv_from(self->blue[0], &self->byte, 1, 0, &from));
	EXPECT_EQ(0, memcmp(self->wire.fy0, from.sfy_addr, FERRY_ALEN));
	EXPECT_EQ(PORT + 1, from.sfy_port);
	ASSERT_EQ(1, sock_send_to(self->blue[0], "y", 1, &from));
	EXPECT_EQ(1, sock_await(self->fd, &self->byte, 1));
}

TEST_F(broadcast, connected_to_everyone)
{
	ASSERT_EQ(0, sock_connect(self->fd, &self->all));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->blue[0], &self->byte, 1));
	EXPECT_EQ(1, sock_await(self->red[0], &self->byte, 1));
}

/* Nobody answers that there is nobody. */
TEST_F(broadcast, no_unreachable)
{
	long out, unheard;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	unheard = stat_of("InDropNoPort");
	self->all.sfy_port = PORT + 2;
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->all));
	ASSERT_EQ(unheard + 1, stat_wait("InDropNoPort", unheard + 1));
	EXPECT_EQ(0, stat_of("OutUnreach"));
	ASSERT_EQ(0, net_enter(self->wire.red));
	out = stat_of("OutUnreach");
	EXPECT_EQ(0, out);
}

/* One that is bound to its own address hears only what is sent there. */
TEST_F(broadcast, bound_to_an_address)
{
	struct sockaddr_ferry own, everyone;
	int mine, theirs;

	own = sfy(self->wire.fy1, PORT + 3);
	everyone = sfy(addr_everyone, PORT + 4);
	ASSERT_EQ(0, net_enter(self->wire.blue));
	mine = dgram();
	theirs = dgram();
	ASSERT_EQ(0, sock_bind(mine, &own));
	ASSERT_EQ(0, sock_bind(theirs, &everyone));

	self->all.sfy_port = PORT + 4;
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->all));
	EXPECT_EQ(1, sock_await(theirs, &self->byte, 1));
	own.sfy_port = PORT + 4;
	ASSERT_EQ(1, sock_send_to(self->fd, "1", 1, &own));
	self->all.sfy_port = PORT + 3;
	ASSERT_EQ(1, sock_send_to(self->fd, "2", 1, &self->all));
	own.sfy_port = PORT + 3;
	ASSERT_EQ(1, sock_send_to(self->fd, "3", 1, &own));
	ASSERT_EQ(1, sock_await(mine, &self->byte, 1));
	EXPECT_EQ('3', self->byte);
	EXPECT_TRUE(sock_empty(theirs));
	close(mine);
	close(theirs);
}

/* By ferry0 it stays on this host. */
TEST_F(broadcast, on_the_loop)
{
	struct sockaddr_ferry all = sfy_dev(addr_everyone, PORT, "ferry0");
	int i;

	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &all));
	for (i = 0; i < READERS; i++)
		EXPECT_EQ(1, sock_await(self->red[i], &self->byte, 1));
	self->all = sfy(self->wire.fy1, PORT);
	ASSERT_EQ(1, sock_send_to(self->fd, "y", 1, &self->all));
	ASSERT_EQ(1, sock_await(self->blue[READERS - 1], &self->byte, 1));
	EXPECT_EQ('y', self->byte);
	for (i = 0; i < READERS; i++) {
		EXPECT_TRUE(sock_empty(self->red[i]));
		EXPECT_TRUE(i == READERS - 1 || sock_empty(self->blue[i]));
	}
}

TEST_HARNESS_MAIN
