// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bytes of a stream: the calls that send and receive, and their flags.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define LARGE	(4 << 20)

FIXTURE(data) {
	struct conn conn;
	int a, b;
	char buf[64];
	struct sleeper reader, writer;
};

FIXTURE_SETUP(data)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
	self->reader = (struct sleeper){
		.call = sleep_in_recv, .fd = self->b,
		.data = self->buf, .len = sizeof(self->buf),
	};
	self->writer = (struct sleeper){
		.call = sleep_in_send, .fd = self->a, .len = LARGE,
		.flags = MSG_NOSIGNAL,
	};
}

FIXTURE_TEARDOWN(data)
{
	conn_close(&self->conn);
}

#define SEND(text) ASSERT_EQ(sizeof(text) - 1, \
		sock_send(self->a, text, sizeof(text) - 1, 0))
/* Wait until so many bytes can be read. */
#define AWAIT(len) ASSERT_TRUE(conn_await_amount(self->b, SIOCINQ, len))

/* Bytes, not messages: what was sent apart is read at one go, and so on. */
TEST_F(data, no_boundaries)
{
	SEND("hello");
	SEND("world");
	AWAIT(10);
	ASSERT_EQ(3, sock_recv(self->b, self->buf, 3, 0));
	EXPECT_EQ(0, memcmp(self->buf, "hel", 3));
	ASSERT_EQ(7, sock_recv(self->b, self->buf, 64, 0));
	EXPECT_EQ(0, memcmp(self->buf, "loworld", 7));
}

TEST_F(data, nothing_there)
{
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, self->buf, 1, MSG_DONTWAIT));
	/* Also for who wants nothing: TCP asks first whether there is any. */
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, self->buf, 0, MSG_DONTWAIT));
}

/* Nothing sent is nothing received. */
TEST_F(data, empty)
{
	EXPECT_EQ(0, sock_send(self->a, "", 0, 0));
	SEND("x");
	EXPECT_EQ(1, sock_await(self->b, self->buf, 64));
}

TEST_F(data, read_and_write)
{
	struct iovec out[3] = { { "he", 2 }, { "", 0 }, { "llo", 3 } };
	struct iovec in[2] = { { self->buf, 2 }, { self->buf + 32, 8 } };

	ASSERT_EQ(5, writev(self->a, out, 3));
	AWAIT(5);
	ASSERT_EQ(5, readv(self->b, in, 2));
	EXPECT_EQ(0, memcmp(self->buf, "he", 2));
	EXPECT_EQ(0, memcmp(self->buf + 32, "llo", 3));
	ASSERT_EQ(5, write(self->a, "world", 5));
	AWAIT(5);
	ASSERT_EQ(5, read(self->b, self->buf, 64));
	EXPECT_EQ(0, memcmp(self->buf, "world", 5));
}

TEST_F(data, mmsg)
{
	struct iovec iov[2] = { { "one", 3 }, { "three", 5 } };
	struct mmsghdr mmsg[2] = {
		{ .msg_hdr = { .msg_iov = &iov[0], .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_iov = &iov[1], .msg_iovlen = 1 } },
	};

	ASSERT_EQ(2, sendmmsg(self->a, mmsg, 2, 0));
	EXPECT_EQ(3, mmsg[0].msg_len);
	EXPECT_EQ(5, mmsg[1].msg_len);
	AWAIT(8);
	iov[0] = (struct iovec){ self->buf, 4 };
	iov[1] = (struct iovec){ self->buf + 4, 60 };
	ASSERT_EQ(2, recvmmsg(self->b, mmsg, 2, MSG_DONTWAIT, NULL));
	EXPECT_EQ(4, mmsg[0].msg_len);
	EXPECT_EQ(4, mmsg[1].msg_len);
	EXPECT_EQ(0, memcmp(self->buf, "onethree", 8));
}

/* A connected stream takes no address, and gives none. */
TEST_F(data, addresses)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT + 1), from;
	struct iovec iov = { self->buf, 8 };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
	};

	ASSERT_EQ(1, sock_send_to(self->a, "x", 1, &to));
	AWAIT(1);
	ASSERT_EQ(1, recvmsg(self->b, &msg, 0));
	EXPECT_EQ(0, msg.msg_namelen);
	EXPECT_EQ(0, msg.msg_flags);
}

struct sending {
	int		fd;
	size_t		len, step;
	unsigned int	seed;
	pthread_t	thread;
	bool		good;
};

/* In portions of many sizes, by calls that may sleep. */
static void *send_pattern(void *arg)
{
	struct sending *self = arg;
	char *data = malloc(self->len);
	size_t done = 0, part = 1;
	ssize_t n;

	pattern_fill(data, self->len, self->seed);
	while (done < self->len) {
		part = part * 7 % self->step + 1;
		if (part > self->len - done)
			part = self->len - done;
		n = send(self->fd, data + done, part, MSG_NOSIGNAL);
		if (n != (ssize_t)part)
			break;
		done += n;
	}
	self->good = done == self->len && !sock_shutdown(self->fd, SHUT_WR);
	free(data);
	return NULL;
}

static void *recv_pattern(void *arg)
{
	struct sending *self = arg;
	char *data = malloc(self->len + 1);
	size_t done = 0, part = 1;
	ssize_t n;

	do {
		part = part * 11 % self->step + 1;
		if (part > self->len + 1 - done)
			part = self->len + 1 - done;
		n = recv(self->fd, data + done, part, 0);
		done += n < 0 ? 0 : n;
	} while (n > 0 && done <= self->len);
	self->good = !n && done == self->len &&
		     pattern_is(data, self->len, self->seed);
	free(data);
	return NULL;
}

/* Megabytes each way at once, in portions of every size. */
TEST_F(data, integrity)
{
	static const size_t steps[] = { 997, 40009, 300007 };
	struct sending s[4];
	int i, j;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		size_t len = steps[i] < 1000 ? LARGE / 8 : LARGE;

		s[0] = (struct sending){ self->a, len, steps[i], 1 };
		s[1] = (struct sending){ self->b, len, steps[i], 1 };
		s[2] = (struct sending){ self->b, len, steps[i], 2 };
		s[3] = (struct sending){ self->a, len, steps[i], 2 };
		for (j = 0; j < 4; j++) {
			ASSERT_EQ(0, pthread_create(&s[j].thread, NULL, j % 2 ?
						    recv_pattern : send_pattern,
						    &s[j]));
		}
		for (j = 0; j < 4; j++) {
			ASSERT_EQ(0, pthread_join(s[j].thread, NULL));
			ASSERT_TRUE(s[j].good) {
				TH_LOG("portions to %zu, thread %d", steps[i],
				       j);
			}
		}
		conn_close(&self->conn);
		ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT + 1 + i));
		self->a = self->conn.client;
		self->b = self->conn.server;
	}
}

TEST_F(data, sendfile)
{
	int file = memfd_create("data", MFD_CLOEXEC);
	char *data = malloc(LARGE), *got = malloc(LARGE);
	struct sending reader = { self->b, LARGE, 65536, 5 };
	off_t at = 0;

	pattern_fill(data, LARGE, 5);
	ASSERT_EQ(LARGE, write(file, data, LARGE));
	ASSERT_EQ(0, pthread_create(&reader.thread, NULL, recv_pattern,
				    &reader));
	while (at < LARGE) {
		ASSERT_LT(0, sendfile(self->a, file, &at, LARGE - at));
	}
	/* Overwritten while it may be on its way is another's business. */
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	ASSERT_EQ(0, pthread_join(reader.thread, NULL));
	EXPECT_TRUE(reader.good);
	close(file);
	free(data);
	free(got);
}

TEST_F(data, splice)
{
	int in[2], out[2];

	ASSERT_EQ(0, pipe(in));
	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(5, write(in[1], "hello", 5));
	ASSERT_EQ(5, splice(in[0], NULL, self->a, NULL, 64, 0));
	AWAIT(5);
	ASSERT_EQ(5, splice(self->b, NULL, out[1], NULL, 64, 0));
	ASSERT_EQ(5, read(out[0], self->buf, 64));
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
	ASSERT_EQ(0, fcntl(self->b, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, splice(self->b, NULL, out[1], NULL, 64, 0));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(data, peek)
{
	SEND("hello");
	AWAIT(5);
	ASSERT_EQ(3, sock_recv(self->b, self->buf, 3, MSG_PEEK));
	ASSERT_EQ(5, sock_recv(self->b, self->buf, 64, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
	SEND("world");
	AWAIT(10);
	/* Across what was sent. */
	ASSERT_EQ(10, sock_recv(self->b, self->buf, 64, MSG_PEEK));
	ASSERT_EQ(10, sock_recv(self->b, self->buf, 64, 0));
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, self->buf, 64,
				     MSG_PEEK | MSG_DONTWAIT));
}

TEST_F(data, peek__sleeps)
{
	self->reader.flags = MSG_PEEK;
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	SEND("x");
	EXPECT_EQ(1, sleeper_join(&self->reader));
	EXPECT_EQ(1, sock_recv(self->b, self->buf, 64, MSG_DONTWAIT));
}

TEST_F(data, waitall)
{
	self->reader.len = 10;
	self->reader.flags = MSG_WAITALL;
	SEND("hello");
	AWAIT(5);
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	SEND("wor");
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	ASSERT_TRUE(wait_asleep(self->reader.tid, SYS_recvfrom));
	SEND("ld!");
	EXPECT_EQ(10, sleeper_join(&self->reader));
	EXPECT_EQ(0, memcmp(self->buf, "helloworld", 10));
	EXPECT_EQ(1, sock_recv(self->b, self->buf, 64, MSG_DONTWAIT));
}

/* The end of the stream, an error, a time-out: then what there is. */
TEST_F(data, waitall__end)
{
	self->reader.len = 10;
	self->reader.flags = MSG_WAITALL;
	SEND("hello");
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(5, sleeper_join(&self->reader));
}

TEST_F(data, waitall__timeout)
{
	SEND("hello");
	AWAIT(5);
	ASSERT_EQ(0, sock_timeout(self->b, SO_RCVTIMEO, 20));
	EXPECT_EQ(5, sock_recv(self->b, self->buf, 10, MSG_WAITALL));
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, self->buf, 10, MSG_WAITALL));
}

TEST_F(data, waitall__dontwait)
{
	SEND("hello");
	AWAIT(5);
	EXPECT_EQ(5, sock_recv(self->b, self->buf, 10,
			       MSG_WAITALL | MSG_DONTWAIT));
}

TEST_F(data, waitall__peek)
{
	self->reader.len = 10;
	self->reader.flags = MSG_WAITALL | MSG_PEEK;
	SEND("hello");
	AWAIT(5);
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	SEND("world");
	EXPECT_EQ(10, sleeper_join(&self->reader));
	EXPECT_EQ(10, sock_recv(self->b, self->buf, 64, MSG_DONTWAIT));
}

/* MSG_TRUNC: read and thrown away. */
TEST_F(data, trunc)
{
	SEND("helloworld");
	AWAIT(10);
	memset(self->buf, 'x', 64);
	ASSERT_EQ(5, sock_recv(self->b, self->buf, 5, MSG_TRUNC));
	EXPECT_EQ('x', self->buf[0]);
	ASSERT_EQ(5, sock_recv(self->b, self->buf, 64, 0));
	EXPECT_EQ(0, memcmp(self->buf, "world", 5));
	/* No buffer is needed for it. */
	SEND("hello");
	AWAIT(5);
	EXPECT_EQ(5, sock_recv(self->b, NULL, 64, MSG_TRUNC));
}

TEST_F(data, oob)
{
	EXPECT_EQ(-EOPNOTSUPP, sock_send(self->a, "x", 1, MSG_OOB));
	EXPECT_EQ(-EOPNOTSUPP, sock_recv(self->b, self->buf, 1, MSG_OOB));
}

TEST_F(data, eor)
{
	/* A stream has no records: the mark is of no use, and no harm. */
	ASSERT_EQ(2, sock_send(self->a, "ab", 2, MSG_EOR));
	ASSERT_EQ(2, sock_send(self->a, "cd", 2, 0));
	AWAIT(4);
	EXPECT_EQ(4, sock_recv(self->b, self->buf, 64, 0));
}

TEST_F(data, peek_offset)
{
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_PEEK_OFF, 0));
	SEND("helloworld");
	AWAIT(10);
	ASSERT_EQ(2, sock_recv(self->b, self->buf, 2, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "he", 2));
	EXPECT_EQ(2, sock_get(self->b, SOL_SOCKET, SO_PEEK_OFF));
	ASSERT_EQ(3, sock_recv(self->b, self->buf, 3, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "llo", 3));
	/* Reading moves it back by what is read. */
	ASSERT_EQ(4, sock_recv(self->b, self->buf, 4, 0));
	EXPECT_EQ(1, sock_get(self->b, SOL_SOCKET, SO_PEEK_OFF));
	ASSERT_EQ(5, sock_recv(self->b, self->buf, 64, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "world", 5));
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, self->buf, 64,
				     MSG_PEEK | MSG_DONTWAIT));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_PEEK_OFF, -1));
	ASSERT_EQ(6, sock_recv(self->b, self->buf, 64, MSG_PEEK));
}

TEST_F(data, rcvlowat)
{
	struct sleeper poller = {
		.call = sleep_in_poll, .fd = self->b, .events = POLLIN,
	};

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVLOWAT, 8));
	SEND("hello");
	AWAIT(5);
	EXPECT_FALSE(sock_events(self->b) & POLLIN);
	/* Who does not wait takes what there is. */
	EXPECT_EQ(5, sock_recv(self->b, self->buf, 64, MSG_DONTWAIT));
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_TRUE(sleeper_start(&poller, SYS_poll));
	SEND("hellowo");
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	ASSERT_TRUE(wait_asleep(self->reader.tid, SYS_recvfrom));
	ASSERT_TRUE(wait_asleep(poller.tid, SYS_poll));
	SEND("r");
	EXPECT_EQ(8, sleeper_join(&self->reader));
	SEND("12345678");
	EXPECT_EQ(POLLIN, sleeper_join(&poller));
}

/* Less counts as enough if no more can come before it is read. */
TEST_F(data, rcvlowat__window_is_closed)
{
	char *got = malloc(LARGE);
	ssize_t held;

	ASSERT_EQ(0, link_set_mtu("ferry0", 1500));
	conn_close(&self->conn);
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT));
	ASSERT_EQ(0, sock_set(self->conn.server, SOL_SOCKET, SO_RCVBUF, 8192));
	/* What was offered before is used up first. */
	held = conn_fill(self->conn.client, self->conn.server);
	ASSERT_LT(0, held);
	ASSERT_EQ(held, recv_all(self->conn.server, got, held));
	/* The mark is set while the buffer has room for it. */
	ASSERT_EQ(0, sock_set(self->conn.server, SOL_SOCKET, SO_RCVBUF,
			      100000));
	ASSERT_EQ(0, sock_set(self->conn.server, SOL_SOCKET, SO_RCVLOWAT,
			      50000));
	ASSERT_EQ(0, sock_set(self->conn.server, SOL_SOCKET, SO_RCVBUF, 8192));
	ASSERT_LT(0, conn_fill(self->conn.client, self->conn.server));
	EXPECT_EQ(POLLIN, sock_wait(self->conn.server, POLLIN));
	held = conn_amount(self->conn.server, SIOCINQ);
	EXPECT_LT(0, held);
	EXPECT_GT(50000, held);
	free(got);
}

/* The option makes the room that it needs, and the sender is told. */
TEST_F(data, rcvlowat__makes_room)
{
	ssize_t held = conn_fill(self->a, self->b);
	int more, was = conn_amount(self->b, SIOCINQ);

	ASSERT_LT(0, held);
	more = was + 200000;
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVLOWAT, more));
	EXPECT_LE(2 * more, sock_get(self->b, SOL_SOCKET, SO_RCVBUF));
	EXPECT_LT(held, conn_fill(self->a, self->b));
	EXPECT_LT(was + 100000, conn_amount(self->b, SIOCINQ));
	EXPECT_EQ(POLLIN, sock_wait(self->b, POLLIN));
}

/* The end counts as enough. */
TEST_F(data, rcvlowat__end)
{
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVLOWAT, 8));
	SEND("hello");
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(5, sleeper_join(&self->reader));
}

TEST_F(data, amounts)
{
	EXPECT_EQ(0, conn_amount(self->b, SIOCINQ));
	SEND("hello");
	AWAIT(5);
	SEND("world!");
	AWAIT(11);
	ASSERT_EQ(3, sock_recv(self->b, self->buf, 3, 0));
	EXPECT_EQ(8, conn_amount(self->b, SIOCINQ));
	EXPECT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	EXPECT_EQ(0, conn_amount(self->a, SIOCOUTQNSD));
	EXPECT_EQ(-EINVAL, conn_amount(self->conn.listener, SIOCINQ));
	EXPECT_EQ(-EINVAL, conn_amount(self->conn.listener, SIOCOUTQ));
	EXPECT_EQ(-1, ioctl(self->b, SIOCINQ, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->b, 0x12345678, NULL));
	EXPECT_EQ(ENOTTY, errno);
}

/* The end of the stream is no byte. */
TEST_F(data, amounts__end)
{
	SEND("hello");
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	EXPECT_EQ(5, conn_amount(self->b, SIOCINQ));
	ASSERT_EQ(5, sock_recv(self->b, self->buf, 64, 0));
	EXPECT_EQ(0, conn_amount(self->b, SIOCINQ));
}

/* All that was asked for room for comes before any of it is read, and the end with it. */
TEST_F(data, full__to_the_last_byte)
{
	int room = 131072;
	char *bytes = calloc(1, room);

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVBUF, room));
	ASSERT_EQ(room, sock_send(self->a, bytes, room, 0));
	free(bytes);
	EXPECT_TRUE(conn_await_amount(self->b, SIOCINQ, room));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_TRUE(sock_wait(self->b, POLLRDHUP) & POLLRDHUP);
}

/* A reader that does not read stops the writer, whose buffer has a bound. */
TEST_F(data, full)
{
	ssize_t sent;

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVBUF, 32768));
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SNDBUF, 32768));
	sent = conn_fill(self->a, self->b);
	EXPECT_LT(32768, sent);
	EXPECT_GT(LARGE, sent);
	EXPECT_EQ(-EAGAIN, sock_send(self->a, "x", 1, MSG_DONTWAIT));
	EXPECT_FALSE(sock_events(self->a) & POLLOUT);
	/* The buffer, and the segment that makes it full. */
	EXPECT_GE(2 * 65536, conn_amount(self->a, SIOCOUTQ));
	EXPECT_EQ(sent, conn_amount(self->a, SIOCOUTQ) +
			conn_amount(self->b, SIOCINQ));
}

/* What fits is sent, and the call says how much. */
TEST_F(data, partial)
{
	char *data = calloc(1, LARGE), *got = malloc(LARGE);
	ssize_t n, more;

	pattern_fill(data, LARGE, 3);
	n = sock_send(self->a, data, LARGE, MSG_DONTWAIT);
	EXPECT_LT(0, n);
	EXPECT_GT(LARGE, n);
	ASSERT_LT(n / 2, recv_all(self->b, got, n / 2 + 1));
	ASSERT_EQ(POLLOUT, sock_wait(self->a, POLLOUT));
	more = sock_send(self->a, data + n, LARGE - n, MSG_DONTWAIT);
	EXPECT_LT(0, more);
	ASSERT_EQ(n - n / 2 - 1 + more,
		  recv_all(self->b, got + n / 2 + 1, n - n / 2 - 1 + more));
	EXPECT_TRUE(pattern_is(got, n + more, 3));
	free(data);
	free(got);
}

TEST_F(data, sender_sleeps)
{
	char *got = malloc(LARGE);

	self->writer.data = malloc(LARGE);
	pattern_fill(self->writer.data, LARGE, 4);
	ASSERT_TRUE(sleeper_start(&self->writer, SYS_sendto));
	ASSERT_EQ(LARGE, recv_all(self->b, got, LARGE));
	EXPECT_EQ(LARGE, sleeper_join(&self->writer));
	EXPECT_TRUE(pattern_is(got, LARGE, 4));
	free(got);
	free(self->writer.data);
}

/* Its wait ends with what it has sent so far; then there is nothing. */
TEST_F(data, sender_times_out)
{
	char *data = calloc(1, LARGE);
	ssize_t n;

	ASSERT_EQ(0, sock_timeout(self->a, SO_SNDTIMEO, 20));
	n = sock_send(self->a, data, LARGE, 0);
	EXPECT_LT(0, n);
	EXPECT_GT(LARGE, n);
	EXPECT_EQ(-EAGAIN, sock_send(self->a, data, LARGE, 0));
	free(data);
}

/* A signal ends the wait with what was sent so far, or EINTR. */
TEST_F(data, sender_is_interrupted)
{
	long n;

	self->writer.data = calloc(1, LARGE);
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVBUF, 32768));
	ASSERT_TRUE(sleeper_interrupt(&self->writer, SYS_sendto, 0));
	n = sleeper_join(&self->writer);
	EXPECT_LT(0, n);
	EXPECT_GT(LARGE, n);
	ASSERT_LT(0, conn_fill(self->a, self->b));
	ASSERT_TRUE(sleeper_interrupt(&self->writer, SYS_sendto, 0));
	EXPECT_EQ(-EINTR, sleeper_join(&self->writer));
	free(self->writer.data);
}

TEST_F(data, reader_times_out)
{
	long start = clock_tick_ms();

	ASSERT_EQ(0, sock_timeout(self->b, SO_RCVTIMEO, 50));
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, self->buf, 1, 0));
	/* The tick that has begun counts: 10 ms of it, on some kernels. */
	EXPECT_LE(40, clock_tick_ms() - start);
}

TEST_F(data, reader_is_interrupted)
{
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, 0));
	EXPECT_EQ(-EINTR, sleeper_join(&self->reader));
}

TEST_F(data, reader_is_interrupted__restart)
{
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, SA_RESTART));
	ASSERT_TRUE(wait_asleep(self->reader.tid, SYS_recvfrom));
	SEND("x");
	EXPECT_EQ(1, sleeper_join(&self->reader));
}

TEST_F(data, reader_is_interrupted__waitall)
{
	self->reader.len = 10;
	self->reader.flags = MSG_WAITALL;
	SEND("hello");
	AWAIT(5);
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, 0));
	EXPECT_EQ(5, sleeper_join(&self->reader));
}

/* A page, and after it one that nobody may touch. */
static char *edge_page(void)
{
	long size = sysconf(_SC_PAGESIZE);
	char *page = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(page + size, size, PROT_NONE);
	return page + size;
}

/* What cannot be read is not sent. */
TEST_F(data, fault__send)
{
	EXPECT_EQ(-EFAULT, sock_send(self->a, (void *)8, 5, 0));
	SEND("x");
	ASSERT_EQ(1, sock_await(self->b, self->buf, 64));
	EXPECT_EQ('x', self->buf[0]);
}

/* Nothing but a prefix of it is ever sent, and the call says how long it is. */
TEST_F(data, fault__send_in_the_middle)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *end = edge_page(), got[64];
	ssize_t n;

	memcpy(end - 5, "hello", 5);
	n = sock_send(self->a, end - 5, 10, 0);
	EXPECT_TRUE(n == -EFAULT || (n > 0 && n <= 5)) {
		TH_LOG("%zd", n);
	}
	SEND("x");
	n = n < 0 ? 0 : n;
	ASSERT_EQ(n + 1, recv_all(self->b, got, n + 1));
	EXPECT_EQ(0, memcmp("hello", got, n));
	EXPECT_EQ('x', got[n]);
	munmap(end - page, 2 * page);
}

/* With a long part before it that can be read, that part is sent. */
TEST_F(data, fault__send_after_much)
{
	size_t page = sysconf(_SC_PAGESIZE), len = 500000;
	char *end = edge_page(), *data = malloc(len), *got = malloc(len);
	struct iovec iov[2] = { { data, len }, { end, 10 } };
	ssize_t n;

	pattern_fill(data, len, 6);
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SNDBUF, 2 * len));
	n = writev(self->a, iov, 2);
	EXPECT_LT(0, n);
	EXPECT_GE(len, n);
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(n, recv_all(self->b, got, len));
	EXPECT_TRUE(pattern_is(got, n < 0 ? 0 : n, 6));
	munmap(end - page, 2 * page);
	free(data);
	free(got);
}

/* What could not be stored can still be read: a stream loses no byte. */
TEST_F(data, fault__recv)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *end = edge_page(), got[64];
	ssize_t n;

	SEND("helloworld");
	AWAIT(10);
	EXPECT_EQ(-EFAULT, sock_recv(self->b, end, 10, 0));
	n = sock_recv(self->b, end - 5, 10, 0);
	EXPECT_TRUE(n == -EFAULT || n == 5) {
		TH_LOG("%zd", n);
	}
	n = n < 0 ? 0 : n;
	memcpy(got, end - 5, n);
	EXPECT_EQ(10 - n, sock_recv(self->b, got + n, 64 - n, MSG_DONTWAIT));
	EXPECT_EQ(0, memcmp(got, "helloworld", 10));
	munmap(end - page, 2 * page);
}

TEST_F(data, fault__peek)
{
	SEND("hello");
	AWAIT(5);
	EXPECT_EQ(-EFAULT, sock_recv(self->b, (void *)8, 5, MSG_PEEK));
	EXPECT_EQ(5, sock_recv(self->b, self->buf, 64, MSG_DONTWAIT));
}

/*
 * Hold back by @flags or by the option, and see that nothing is sent. It is for
 * 200 ms at the most, so that a machine which stalls has to try again.
 */
static int held_back(int a, int b, bool option, size_t len)
{
	static char data[1 << 17];
	int tries, held;
	long start;

	for (tries = 0; tries < 100; tries++) {
		start = clock_ms();
		if (option && sock_set(a, SOL_FERRY, FERRY_CORK, 1))
			return -EINVAL;
		memcpy(data, "hello", 5);
		if (sock_send(a, data, len, option ? 0 : MSG_MORE) != len)
			return -EIO;
		held = conn_amount(a, SIOCOUTQNSD);
		if (clock_ms() - start < 150)
			return held;
		if (option && sock_set(a, SOL_FERRY, FERRY_CORK, 0))
			return -EINVAL;
		if (recv_all(b, data, len) != len)
			return -ECOMM;
	}
	return -ETIMEDOUT;
}

TEST_F(data, more)
{
	ASSERT_EQ(5, held_back(self->a, self->b, false, 5));
	/* The rest, without the flag, takes it along. */
	SEND("world");
	ASSERT_EQ(10, recv_all(self->b, self->buf, 10));
	EXPECT_EQ(0, memcmp(self->buf, "helloworld", 10));
}

TEST_F(data, more__time)
{
	ASSERT_EQ(5, held_back(self->a, self->b, false, 5));
	EXPECT_EQ(5, recv_all(self->b, self->buf, 5));
}

TEST_F(data, cork)
{
	ASSERT_EQ(5, held_back(self->a, self->b, true, 5));
	SEND("world");
	ASSERT_EQ(0, sock_set(self->a, SOL_FERRY, FERRY_CORK, 0));
	ASSERT_EQ(10, recv_all(self->b, self->buf, 10));
	EXPECT_EQ(0, memcmp(self->buf, "helloworld", 10));
}

TEST_F(data, cork__time)
{
	ASSERT_EQ(5, held_back(self->a, self->b, true, 5));
	EXPECT_EQ(5, recv_all(self->b, self->buf, 5));
	/* And so the next time. */
	SEND("world");
	EXPECT_EQ(5, recv_all(self->b, self->buf, 5));
}

/* What fills segments is not held, only what is over. */
TEST_F(data, cork__full)
{
	int mss = sock_get(self->a, SOL_FERRY, FERRY_MAXSEG);
	static char data[1 << 17];
	int held;

	ASSERT_LT(0, mss);
	EXPECT_EQ(0, held_back(self->a, self->b, true, mss));
	ASSERT_EQ(mss, recv_all(self->b, data, mss));
	ASSERT_EQ(0, sock_set(self->a, SOL_FERRY, FERRY_CORK, 0));
	held = held_back(self->a, self->b, true, mss + 5);
	EXPECT_LE(5, held);
	EXPECT_GT(mss, held);
	EXPECT_EQ(mss + 5, recv_all(self->b, data, mss + 5));
}

/* The end goes with it. */
TEST_F(data, cork__end)
{
	ASSERT_EQ(5, held_back(self->a, self->b, true, 5));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(5, recv_all(self->b, self->buf, 64));
}

/* When the bytes came, if it is asked for. */
TEST_F(data, timestamp)
{
	union {
		struct cmsghdr align;
		char buf[256];
	} room;
	struct iovec iov = { self->buf, 64 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &room, .msg_controllen = sizeof(room),
	};
	struct timespec before, after, when;
	struct cmsghdr *cmsg;

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	clock_gettime(CLOCK_REALTIME, &before);
	SEND("hello");
	AWAIT(5);
	ASSERT_EQ(5, recvmsg(self->b, &msg, 0));
	clock_gettime(CLOCK_REALTIME, &after);
	cmsg = CMSG_FIRSTHDR(&msg);
	ASSERT_NE(NULL, cmsg);
	EXPECT_EQ(SOL_SOCKET, cmsg->cmsg_level);
	EXPECT_EQ(SCM_TIMESTAMPNS, cmsg->cmsg_type);
	memcpy(&when, CMSG_DATA(cmsg), sizeof(when));
	EXPECT_LE(before.tv_sec * 1000000000L + before.tv_nsec,
		  when.tv_sec * 1000000000L + when.tv_nsec);
	EXPECT_GE(after.tv_sec * 1000000000L + after.tv_nsec,
		  when.tv_sec * 1000000000L + when.tv_nsec);
}

/*
 * Receive, and see when the last of it came: nanoseconds of CLOCK_REALTIME, or 0.
 * @count is how many control messages there were.
 */
static ssize_t recv_stamped(int fd, void *buf, size_t len, int flags,
			    long *when, int *count)
{
	union {
		struct cmsghdr align;
		char buf[512];
	} room;
	struct iovec iov = { buf, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &room, .msg_controllen = sizeof(room),
	};
	ssize_t n = recvmsg(fd, &msg, flags | MSG_DONTWAIT);
	struct cmsghdr *cmsg;
	struct timespec t;

	*when = 0;
	*count = 0;
	for (cmsg = CMSG_FIRSTHDR(&msg); n >= 0 && cmsg;
	     cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		memcpy(&t, CMSG_DATA(cmsg), sizeof(t));
		*when = t.tv_sec * 1000000000L + t.tv_nsec;
		++*count;
	}
	return n < 0 ? -errno : n;
}

/* Of what a call reads, the last bytes' time is told, as with TCP; once. */
TEST_F(data, timestamp__of_the_last)
{
	long first, second, when;
	int count;

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	SEND("hello");
	AWAIT(5);
	first = clock_real_ns();
	SEND("world");
	AWAIT(10);
	second = clock_real_ns();
	ASSERT_EQ(10, recv_stamped(self->b, self->buf, 64, MSG_PEEK, &when,
				   &count));
	EXPECT_EQ(1, count);
	EXPECT_LE(first, when);
	EXPECT_GE(second, when);
	ASSERT_EQ(5, recv_stamped(self->b, self->buf, 5, 0, &when, &count));
	EXPECT_GE(first, when);
	ASSERT_EQ(5, recv_stamped(self->b, self->buf, 64, 0, &when, &count));
	EXPECT_LE(first, when);
	EXPECT_EQ(-EAGAIN, recv_stamped(self->b, self->buf, 64, 0, &when,
					&count));
}

/* SO_TIMESTAMPING's too. */
TEST_F(data, timestamp__timestamping)
{
	long before = clock_real_ns(), when;
	int count;

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_TIMESTAMPING,
			      SOF_TIMESTAMPING_RX_SOFTWARE |
			      SOF_TIMESTAMPING_SOFTWARE));
	SEND("hello");
	AWAIT(5);
	SEND("world");
	AWAIT(10);
	ASSERT_EQ(10, recv_stamped(self->b, self->buf, 64, 0, &when, &count));
	EXPECT_EQ(1, count);
	EXPECT_LE(before, when);
	EXPECT_GE(clock_real_ns(), when);
}

/* Small pieces are packed while nobody reads: their time is not lost by it. */
TEST_F(data, timestamp__packed)
{
	long before = 0, after, when;
	int i, count;

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	for (i = 0; i < 20; i++) {
		before = clock_real_ns();
		SEND("x");
		AWAIT(i + 1);
	}
	after = clock_real_ns();
	usleep(1000);
	ASSERT_EQ(20, recv_stamped(self->b, self->buf, 64, 0, &when, &count));
	EXPECT_LE(before, when);
	EXPECT_GE(after, when);
}

/* What a filter refuses is lost like anything that is lost: it comes again. */
TEST_F(data, filter)
{
	struct sock_filter none[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
	struct sock_fprog prog = { ARRAY_SIZE(none), none };

	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				sizeof(prog)));
	SEND("hello");
	ASSERT_LT(0, stat_wait("RetransSegs", 1));
	EXPECT_TRUE(sock_empty(self->b));
	EXPECT_EQ(5, conn_amount(self->a, SIOCOUTQ));
	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_DETACH_FILTER, &none,
				sizeof(int)));
	EXPECT_EQ(5, recv_all(self->b, self->buf, 5));
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
}

/* Two that read share the bytes, and none of them is lost. */
TEST_F(data, two_readers)
{
	struct sleeper second = self->reader;
	char buf[8] = "";

	self->reader.len = 1;
	second.len = 1;
	second.data = buf;
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_TRUE(sleeper_start(&second, SYS_recvfrom));
	SEND("12");
	EXPECT_EQ(1, sleeper_join(&self->reader));
	EXPECT_EQ(1, sleeper_join(&second));
	EXPECT_EQ('1' + '2', self->buf[0] + buf[0]);
}

TEST_HARNESS_MAIN
