// SPDX-License-Identifier: GPL-2.0-only
/*
 * A datagram that several calls make: MSG_MORE and FERRY_CORK, as with UDP.
 *
 *	[ fd ] ---- ferry0 ---- [ reader, port 5000 ] [ other, port 5001 ]
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"

#define PORT	5000
#define LARGE	65515	/* what the loop's MTU takes */

FIXTURE(cork) {
	int fd, reader, other;
	struct sockaddr_ferry there;
	char buf[70000], got[70000];
};

FIXTURE_SETUP(cork)
{
	ASSERT_LE(0, net_new());
	self->reader = dgram_at(PORT);
	self->other = dgram_at(PORT + 1);
	self->there = sfy(addr_any, PORT);
	self->fd = dgram();
	ASSERT_LE(0, self->reader);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	pattern_fill(self->buf, sizeof(self->buf), 3);
}

FIXTURE_TEARDOWN(cork)
{
	close(self->fd);
	close(self->reader);
	close(self->other);
}

TEST_F(cork, more)
{
	ASSERT_EQ(2, sock_send(self->fd, "ab", 2, MSG_MORE));
	ASSERT_EQ(1, sock_send(self->fd, "c", 1, MSG_MORE));
	EXPECT_TRUE(sock_empty(self->reader));
	ASSERT_EQ(2, sock_send(self->fd, "de", 2, 0));
	EXPECT_EQ(5, sock_await(self->reader, self->got, 100));
	EXPECT_EQ(0, memcmp("abcde", self->got, 5));
	/* That was it: the next one is for itself. */
	ASSERT_EQ(1, sock_send(self->fd, "f", 1, 0));
	EXPECT_EQ(1, sock_await(self->reader, self->got, 100));
	EXPECT_TRUE(sock_empty(self->reader));
}

/* Parts of no bytes are parts, too. */
TEST_F(cork, empty)
{
	ASSERT_EQ(0, sock_send(self->fd, "", 0, MSG_MORE));
	EXPECT_TRUE(sock_empty(self->reader));
	ASSERT_EQ(0, sock_send(self->fd, "", 0, 0));
	EXPECT_EQ(0, sock_await(self->reader, self->got, 100));
	ASSERT_EQ(1, sock_send(self->fd, "a", 1, MSG_MORE));
	ASSERT_EQ(0, sock_send(self->fd, "", 0, 0));
	EXPECT_EQ(1, sock_await(self->reader, self->got, 100));
}

TEST_F(cork, option)
{
	EXPECT_EQ(0, sock_get(self->fd, SOL_FERRY, FERRY_CORK));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_CORK, 1));
	EXPECT_EQ(1, sock_get(self->fd, SOL_FERRY, FERRY_CORK));
	ASSERT_EQ(1, sock_send(self->fd, "a", 1, 0));
	ASSERT_EQ(1, sock_send(self->fd, "b", 1, MSG_MORE));
	EXPECT_TRUE(sock_empty(self->reader));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_CORK, 0));
	EXPECT_EQ(2, sock_await(self->reader, self->got, 100));
	/* There is nothing to let go. */
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_CORK, 0));
	EXPECT_TRUE(sock_empty(self->reader));
}

/* Where it goes is what the first call says. */
TEST_F(cork, first_destination_counts)
{
	struct sockaddr_ferry elsewhere = sfy(addr_any, PORT + 1);

	ASSERT_EQ(1, sendto(self->fd, "a", 1, MSG_MORE, (void *)&elsewhere,
			    sizeof(elsewhere)));
	ASSERT_EQ(1, sock_send_to(self->fd, "b", 1, &self->there));
	EXPECT_EQ(2, sock_await(self->other, self->got, 100));
	EXPECT_TRUE(sock_empty(self->reader));
}

/* Too much: all of it is gone, and the next one is not of it. */
TEST_F(cork, too_large)
{
	ASSERT_EQ(LARGE, sock_send(self->fd, self->buf, LARGE, MSG_MORE));
	EXPECT_EQ(-EMSGSIZE, sock_send(self->fd, "x", 1, MSG_MORE));
	EXPECT_EQ(0, ioctl(self->fd, SIOCOUTQ, self->got));
	EXPECT_EQ(0, *(int *)self->got);
	ASSERT_EQ(1, sock_send(self->fd, "y", 1, 0));
	EXPECT_EQ(1, sock_await(self->reader, self->got, 100));
	EXPECT_EQ('y', self->got[0]);
}

TEST_F(cork, every_size_of_part)
{
	size_t done, len, i;

	for (i = 1; i < 40; i += 3) {
		for (done = 0; done < 60000; done += len) {
			len = (done * i * 31 + 977 * i) % 9000;
			len = len < 60000 - done ? len : 60000 - done;
			ASSERT_EQ(len, sock_send(self->fd, self->buf + done,
						 len, MSG_MORE));
			if (!len)
				len = 1, done--, i++;
		}
		ASSERT_EQ(0, sock_send(self->fd, "", 0, 0));
		ASSERT_EQ(60000, sock_await(self->reader, self->got,
					    sizeof(self->got)));
		ASSERT_EQ(0, memcmp(self->buf, self->got, 60000));
	}
}

/* Many small parts do not take much memory each. */
TEST_F(cork, small_parts)
{
	int i, amount;

	for (i = 0; i < 20000; i++)
		ASSERT_EQ(1, sock_send(self->fd, self->buf + i, 1,
				       MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(0, ioctl(self->fd, SIOCOUTQ, &amount));
	EXPECT_GT(60000, amount);
	EXPECT_LT(20000, amount);
	ASSERT_EQ(0, sock_send(self->fd, "", 0, 0));
	ASSERT_EQ(20000, sock_await(self->reader, self->got, sizeof(self->got)));
	EXPECT_EQ(0, memcmp(self->buf, self->got, 20000));
}

/* It is bounded by SO_SNDBUF, and then all of it is gone. */
TEST_F(cork, no_room)
{
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_SNDBUF, 5000));
	ASSERT_EQ(9000, sock_send(self->fd, self->buf, 9000, MSG_MORE));
	EXPECT_EQ(-EAGAIN, sock_send(self->fd, self->buf, 9000,
				     MSG_MORE | MSG_DONTWAIT));
	ASSERT_EQ(1, sock_send(self->fd, "y", 1, 0));
	EXPECT_EQ(1, sock_await(self->reader, self->got, 100));
}

/* A fault in a part: nothing is sent of the others either. */
TEST_F(cork, fault)
{
	ASSERT_EQ(2, sock_send(self->fd, "ab", 2, MSG_MORE));
	EXPECT_EQ(-EFAULT, sock_send(self->fd, (void *)8, 2, 0));
	ASSERT_EQ(1, sock_send(self->fd, "y", 1, 0));
	EXPECT_EQ(1, sock_await(self->reader, self->got, 100));
	EXPECT_EQ('y', self->got[0]);
}

TEST_F(cork, closed)
{
	ASSERT_EQ(2, sock_send(self->fd, "ab", 2, MSG_MORE));
	close(self->fd);
	self->fd = dgram();
	ASSERT_EQ(1, sock_send_to(self->fd, "y", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, self->got, 100));
	EXPECT_EQ('y', self->got[0]);
}

TEST_F(cork, shut_down)
{
	ASSERT_EQ(2, sock_send(self->fd, "ab", 2, MSG_MORE));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	EXPECT_EQ(-EPIPE, sock_send(self->fd, "c", 1, MSG_NOSIGNAL));
	EXPECT_TRUE(sock_empty(self->reader));
}

/* What it was connected to is what the first call has said. */
TEST_F(cork, disconnected)
{
	struct sockaddr_ferry from;

	ASSERT_EQ(2, sock_send(self->fd, "ab", 2, MSG_MORE));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	ASSERT_EQ(1, sock_send(self->fd, "c", 1, 0));
	ASSERT_NE(0, sock_wait(self->reader, POLLIN) & POLLIN);
	EXPECT_EQ(3, sock_recv_from(self->reader, self->got, 100, 0, &from));
	EXPECT_EQ(sock_port(self->fd), from.sfy_port);
	EXPECT_NE(0, from.sfy_port);
}

/* The way is gone when it is to leave. */
TEST_F(cork, device_down)
{
	ASSERT_EQ(2, sock_send(self->fd, "ab", 2, MSG_MORE));
	ASSERT_EQ(0, link_down("ferry0"));
	sock_error(self->fd);
	EXPECT_EQ(-ENETDOWN, sock_send(self->fd, "c", 1, 0));
	ASSERT_EQ(0, link_up("ferry0"));
	ASSERT_EQ(1, sock_send(self->fd, "y", 1, 0));
	EXPECT_EQ(1, sock_await(self->reader, self->got, 100));
}

/* Who is to be told of lent pages can be one only. */
TEST_F(cork, zerocopy)
{
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_ZEROCOPY, 1));
	EXPECT_EQ(-EOPNOTSUPP, sock_send(self->fd, "ab", 2,
					 MSG_MORE | MSG_ZEROCOPY));
	ASSERT_EQ(2, sock_send(self->fd, "ab", 2, MSG_MORE));
	EXPECT_EQ(-EOPNOTSUPP, sock_send(self->fd, "ab", 2, MSG_ZEROCOPY));
	ASSERT_EQ(1, sock_send(self->fd, "y", 1, 0));
	EXPECT_EQ(1, sock_await(self->reader, self->got, 100));
}

/* Pages of a file: as many datagrams, of the same sizes, as with UDP. */
TEST_F(cork, sendfile_as_udp)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(in);
	int fds[2] = { self->fd }, readers[2] = { self->reader }, i, file;
	char name[] = "/tmp/cork.XXXXXX";
	ssize_t got[2];

	ASSERT_EQ(0, link_up("lo"));
	readers[1] = socket(AF_INET, SOCK_DGRAM, 0);
	fds[1] = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(0, bind(readers[1], (void *)&in, sizeof(in)));
	ASSERT_EQ(0, getsockname(readers[1], (void *)&in, &len));
	ASSERT_EQ(0, connect(fds[1], (void *)&in, sizeof(in)));
	file = mkstemp(name);
	ASSERT_LE(0, file);
	unlink(name);
	ASSERT_EQ(10000, write(file, self->buf, 10000));
	for (i = 0; i < 2; i++) {
		off_t from = 0;

		ASSERT_EQ(10000, sendfile(fds[i], file, &from, 10000));
		got[i] = sock_await(readers[i], self->got, sizeof(self->got));
		EXPECT_EQ(0, memcmp(self->buf, self->got, got[i]));
		EXPECT_TRUE(sock_empty(readers[i]));
	}
	EXPECT_EQ(got[1], got[0]);
	EXPECT_EQ(10000, got[0]);
	close(file);
	close(fds[1]);
	close(readers[1]);
}

TEST_HARNESS_MAIN
