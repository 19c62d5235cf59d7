// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending: every size from nothing to what the device carries, and the calls
 * that send.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define PORT	5000
#define HLEN	20
/* What ferry0 carries: its MTU without Ferry's header. */
#define LOOP_MAX	(65535 - HLEN)
/* The C library has the kernel's MSG_PROBE by another name. */
#define MSG_PROBE	MSG_PROXY
#define PAIR_MAX	(1500 - HLEN)

FIXTURE(send) {
	struct wire wire;
	int fd, reader;		/* in red, of red and of blue */
	struct sockaddr_ferry there, here;
	char *buf;
};

FIXTURE_SETUP(send)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->reader = dgram_at(PORT);
	ASSERT_LE(0, self->reader);
	ASSERT_EQ(0, net_enter(self->wire.red));
	self->fd = dgram();
	ASSERT_LE(0, self->fd);
	self->there = sfy(self->wire.fy1, PORT);
	self->here = sfy(addr_any, PORT);
	self->buf = malloc(2 * 65536);
	ASSERT_NE(NULL, self->buf);
}

FIXTURE_TEARDOWN(send)
{
	free(self->buf);
	close(self->fd);
	close(self->reader);
}

/* Send @len bytes and see that they and no others arrive. */
static bool crosses(int from, int to, const struct sockaddr_ferry *dest,
		    char *buf, size_t len)
{
	pattern_fill(buf, len, len);
	if (sock_send_to(from, buf, len, dest) != (ssize_t)len)
		return false;
	memset(buf, 0, len + 1);
	return sock_await(to, buf, len + 1) == (ssize_t)len &&
	       pattern_is(buf, len, len);
}

TEST_F(send, over_the_pair__every_size)
{
	size_t len;

	for (len = 0; len <= PAIR_MAX; len += len < 96 ? 1 : 37) {
		ASSERT_TRUE(crosses(self->fd, self->reader, &self->there,
				    self->buf, len)) {
			TH_LOG("of %zu bytes", len);
		}
	}
	EXPECT_TRUE(crosses(self->fd, self->reader, &self->there, self->buf,
			    PAIR_MAX));
}

/* Around each page, and where the linear part of a packet ends. */
TEST_F(send, to_this_host__around_pages)
{
	int reader = dgram_at(PORT);
	size_t page, len;
	int d;

	ASSERT_LE(0, reader);
	for (page = 4096; page < 65536; page += 4096) {
		for (d = -40; d <= 8; d += 4) {
			ASSERT_TRUE(crosses(self->fd, reader, &self->here,
					    self->buf, page + d));
		}
	}
	for (len = 15700; len <= 16400; len += 13) {
		ASSERT_TRUE(crosses(self->fd, reader, &self->here, self->buf,
				    len));
	}
	for (len = 32100; len <= 32800; len += 13) {
		ASSERT_TRUE(crosses(self->fd, reader, &self->here, self->buf,
				    len));
	}
	close(reader);
}

TEST_F(send, largest__to_this_host)
{
	int reader = dgram_at(PORT);

	EXPECT_TRUE(crosses(self->fd, reader, &self->here, self->buf,
			    LOOP_MAX));
	EXPECT_EQ(-EMSGSIZE, sock_send_to(self->fd, self->buf, LOOP_MAX + 1,
					  &self->here));
	EXPECT_EQ(-EMSGSIZE, sock_send_to(self->fd, self->buf, 2 * 65536,
					  &self->here));
	EXPECT_TRUE(sock_empty(reader));
	close(reader);
}

TEST_F(send, largest__over_the_pair)
{
	EXPECT_TRUE(crosses(self->fd, self->reader, &self->there, self->buf,
			    PAIR_MAX));
	EXPECT_EQ(-EMSGSIZE, sock_send_to(self->fd, self->buf, PAIR_MAX + 1,
					  &self->there));
	EXPECT_TRUE(sock_empty(self->reader));
}

/* It is the device's MTU of the moment that counts. */
TEST_F(send, largest__follows_the_mtu)
{
	ASSERT_EQ(0, link_set_mtu("fy0", 1000));
	EXPECT_TRUE(crosses(self->fd, self->reader, &self->there, self->buf,
			    1000 - HLEN));
	EXPECT_EQ(-EMSGSIZE, sock_send_to(self->fd, self->buf, 1001 - HLEN,
					  &self->there));
	ASSERT_EQ(0, link_set_mtu("fy0", 65535));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, link_set_mtu("fy1", 65535));
	ASSERT_EQ(0, net_enter(self->wire.red));
	EXPECT_TRUE(crosses(self->fd, self->reader, &self->there, self->buf,
			    LOOP_MAX));
}

TEST_F(send, write_and_writev)
{
	struct iovec iov[3] = {
		{ "ab", 2 }, { NULL, 0 }, { "cde", 3 },
	};
	char text[8];

	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_EQ(3, write(self->fd, "xyz", 3));
	ASSERT_EQ(3, sock_await(self->reader, text, sizeof(text)));
	EXPECT_EQ(0, memcmp(text, "xyz", 3));
	ASSERT_EQ(5, writev(self->fd, iov, 3));
	ASSERT_EQ(5, sock_await(self->reader, text, sizeof(text)));
	EXPECT_EQ(0, memcmp(text, "abcde", 5));
}

TEST_F(send, sendmsg)
{
	struct iovec iov[2] = { { "ab", 2 }, { "cd", 2 } };
	struct msghdr msg = {
		.msg_name = &self->there, .msg_namelen = sizeof(self->there),
		.msg_iov = iov, .msg_iovlen = 2,
	};
	char text[8];

	ASSERT_EQ(4, sendmsg(self->fd, &msg, 0));
	ASSERT_EQ(4, sock_await(self->reader, text, sizeof(text)));
	EXPECT_EQ(0, memcmp(text, "abcd", 4));
}

TEST_F(send, sendmmsg)
{
	struct mmsghdr mmsg[4] = { };
	struct iovec iov[4];
	char text[8];
	int i;

	for (i = 0; i < 4; i++) {
		iov[i] = (struct iovec){ "abcd" + i, 1 };
		mmsg[i].msg_hdr = (struct msghdr){
			.msg_name = &self->there,
			.msg_namelen = sizeof(self->there),
			.msg_iov = &iov[i], .msg_iovlen = 1,
		};
	}
	ASSERT_EQ(4, sendmmsg(self->fd, mmsg, 4, 0));
	for (i = 0; i < 4; i++) {
		EXPECT_EQ(1, mmsg[i].msg_len);
		ASSERT_EQ(1, sock_await(self->reader, text, sizeof(text)));
		EXPECT_EQ("abcd"[i], text[0]);
	}
}

/* It says how many went before the one that could not. */
TEST_F(send, sendmmsg__one_fails)
{
	struct mmsghdr mmsg[2] = { };
	struct iovec iov[2] = {
		{ self->buf, 1 }, { self->buf, PAIR_MAX + 1 },
	};
	int i;

	for (i = 0; i < 2; i++)
		mmsg[i].msg_hdr = (struct msghdr){
			.msg_name = &self->there,
			.msg_namelen = sizeof(self->there),
			.msg_iov = &iov[i], .msg_iovlen = 1,
		};
	EXPECT_EQ(1, sendmmsg(self->fd, mmsg, 2, 0));
	EXPECT_EQ(-1, sendmmsg(self->fd, mmsg + 1, 1, 0));
	EXPECT_EQ(EMSGSIZE, errno);
}

TEST_F(send, flags_that_do_not_apply)
{
	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	EXPECT_EQ(-EOPNOTSUPP, sock_send(self->fd, "x", 1, MSG_OOB));
	EXPECT_TRUE(sock_empty(self->reader));
	EXPECT_EQ(1, sock_send(self->fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL |
						 MSG_CONFIRM | MSG_DONTROUTE));
}

/* MSG_PROBE: whether it would fit, and where to; as with UDP, nothing leaves. */
TEST_F(send, probe)
{
	static char large[65536];

	EXPECT_EQ(5, sendto(self->fd, "hello", 5, MSG_PROBE,
			    (void *)&self->there, sizeof(self->there)));
	EXPECT_EQ(-1, sendto(self->fd, large, sizeof(large) - 1, MSG_PROBE,
			     (void *)&self->there, sizeof(self->there)));
	EXPECT_EQ(EMSGSIZE, errno);
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(self->reader, large, sizeof(large)));
	EXPECT_TRUE(sock_empty(self->reader));
}

/* A fault in the middle of the data: nothing goes out. */
TEST_F(send, fault)
{
	long out = stat_of("OutDatagrams");
	long page = sysconf(_SC_PAGESIZE);
	char *edge = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, edge);
	ASSERT_EQ(0, munmap(edge + page, page));
	EXPECT_EQ(-EFAULT, sock_send_to(self->fd, edge + page - 10, 20,
					&self->there));
	EXPECT_EQ(-EFAULT, sock_send_to(self->fd, NULL, 20, &self->there));
	EXPECT_EQ(out, stat_of("OutDatagrams"));
	EXPECT_EQ(10, sock_send_to(self->fd, edge + page - 10, 10,
				   &self->there));
	EXPECT_EQ(out + 1, stat_of("OutDatagrams"));
}

/* Splicing from a pipe or file. */
TEST_F(send, splice)
{
	char text[8];
	int end[2];

	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_EQ(0, pipe(end));
	ASSERT_EQ(5, write(end[1], "spliced", 5));
	ASSERT_EQ(5, splice(end[0], NULL, self->fd, NULL, 5, 0));
	ASSERT_EQ(5, sock_await(self->reader, text, sizeof(text)));
	EXPECT_EQ(0, memcmp(text, "splic", 5));
}

TEST_HARNESS_MAIN
