// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unreachable ports: who is told, how often, and who is not.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define CLOSED	5000	/* a port that nobody has */

FIXTURE(unreach) {
	struct wire wire;
	int fd;
	struct sockaddr_ferry there;
	char byte;
};

FIXTURE_SETUP(unreach)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	self->fd = dgram();
	ASSERT_LE(0, self->fd);
	self->there = sfy(self->wire.fy1, CLOSED);
}

FIXTURE_TEARDOWN(unreach)
{
	close(self->fd);
}

TEST_F(unreach, connected__told_once)
{
	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_EQ(POLLERR, sock_wait(self->fd, 0));
	EXPECT_EQ(1, stat_of("InUnreach"));
	EXPECT_EQ(-ECONNREFUSED, sock_recv(self->fd, &self->byte, 1,
					   MSG_DONTWAIT));
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, &self->byte, 1, MSG_DONTWAIT));
	EXPECT_EQ(0, sock_error(self->fd));
}

/* The next send is told too, and goes nowhere. */
TEST_F(unreach, connected__next_send_is_told)
{
	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_EQ(POLLERR, sock_wait(self->fd, 0));
	EXPECT_EQ(-ECONNREFUSED, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(1, sock_send(self->fd, "x", 1, 0));
}

TEST_F(unreach, connected__by_so_error)
{
	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_EQ(POLLERR, sock_wait(self->fd, 0));
	EXPECT_EQ(ECONNREFUSED, sock_error(self->fd));
	EXPECT_EQ(0, sock_error(self->fd));
}

TEST_F(unreach, connected__wakes_a_reader)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd,
		.data = &self->byte, .len = 1,
	};

	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(-ECONNREFUSED, sleeper_join(&reader));
}

/* On this host it is the same. */
TEST_F(unreach, connected__to_this_host)
{
	self->there = sfy(addr_any, CLOSED);
	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(POLLERR, sock_wait(self->fd, 0));
	EXPECT_EQ(ECONNREFUSED, sock_error(self->fd));
}

/* As with UDP, one that is not connected hears nothing. */
TEST_F(unreach, not_connected)
{
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, stat_wait("InDropStrayUnreach", 1));
	EXPECT_EQ(0, sock_error(self->fd));
	EXPECT_TRUE(sock_empty(self->fd));
}

/* Nor does one that is connected elsewhere. */
TEST_F(unreach, connected_elsewhere)
{
	struct sockaddr_ferry elsewhere = self->there;

	elsewhere.sfy_port = CLOSED + 1;
	ASSERT_EQ(0, sock_connect(self->fd, &elsewhere));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, stat_wait("InDropStrayUnreach", 1));
	EXPECT_EQ(0, sock_error(self->fd));
}

TEST_F(unreach, counted_at_both_ends)
{
	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_EQ(POLLERR, sock_wait(self->fd, 0));
	EXPECT_EQ(1, stat_of("InUnreach"));
	EXPECT_EQ(0, stat_of("InDropStrayUnreach"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	EXPECT_EQ(1, stat_of("InDropNoPort"));
	EXPECT_EQ(1, stat_of("OutUnreach"));
	EXPECT_EQ(0, stat_of("OutDropUnreachLimit"));
}

/* Every datagram that finds no port is answered, or counted as not. */
static bool all_accounted_for(void *sent)
{
	return stat_of("InDropNoPort") == *(int *)sent &&
	       stat_of("OutUnreach") + stat_of("OutDropUnreachLimit") ==
	       *(int *)sent;
}

/*
 * Send until the limit is felt: it lets through 1,000 in a second, which a machine
 * that is slow and busy does not send.
 */
TEST_F_TIMEOUT(unreach, limited, 60)
{
	long start = clock_ms(), seconds = 0;
	int sent;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	for (sent = 0; sent < 100000; sent++) {
		if (sent % 256 == 0) {
			if (stat_of("OutDropUnreachLimit"))
				break;
			seconds = (clock_ms() - start) / 1000;
			if (seconds > 10 && sent < 1000 * seconds)
				SKIP(return, "1,000 are not sent in a second");
		}
		ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	}
	EXPECT_LT(0, stat_of("OutDropUnreachLimit"));
	EXPECT_LE(1000, stat_of("OutUnreach"));
	EXPECT_TRUE(wait_until(all_accounted_for, &sent));
}

TEST_HARNESS_MAIN
