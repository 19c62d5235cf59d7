// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records: SOCK_SEQPACKET. Each send() is one record, and each receive takes
 * one: whole, in order, and told from the next.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
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
#define LARGE	131072	/* bytes of a record that takes more than one segment */

FIXTURE(record) {
	struct conn conn;
	int a, b;
	char buf[64];
	struct sleeper reader;
};

FIXTURE_SETUP(record)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_SEQPACKET, PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
	self->reader = (struct sleeper){
		.call = sleep_in_recv, .fd = self->b,
		.data = self->buf, .len = sizeof(self->buf),
	};
}

FIXTURE_TEARDOWN(record)
{
	conn_close(&self->conn);
}

#define SEND(text) ASSERT_EQ(sizeof(text) - 1, \
		sock_send(self->a, text, sizeof(text) - 1, MSG_NOSIGNAL))
#define RECV(len, flags) ({ \
	sock_wait(self->b, POLLIN); \
	sock_recv(self->b, self->buf, len, (flags) | MSG_DONTWAIT); })

/* Receive one. Its flags are in @flags, of which MSG_CMSG_CLOEXEC says nothing. */
static ssize_t receive(int fd, void *buf, size_t len, int *flags)
{
	struct iovec iov = { buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (!sock_wait(fd, POLLIN))
		return -ETIMEDOUT;
	n = recvmsg(fd, &msg, MSG_DONTWAIT);
	*flags = msg.msg_flags & ~MSG_CMSG_CLOEXEC;
	return n < 0 ? -errno : n;
}

TEST_F(record, one_a_call)
{
	SEND("first");
	SEND("second");
	ASSERT_EQ(5, RECV(64, 0));
	EXPECT_EQ(0, memcmp(self->buf, "first", 5));
	ASSERT_EQ(6, RECV(64, 0));
	EXPECT_EQ(0, memcmp(self->buf, "second", 6));
	EXPECT_TRUE(sock_empty(self->b));
}

TEST_F(record, calls)
{
	struct iovec out[2] = { { "he", 2 }, { "llo", 3 } };
	struct iovec in[2] = { { self->buf, 2 }, { self->buf + 32, 8 } };

	ASSERT_EQ(5, writev(self->a, out, 2));
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	ASSERT_EQ(5, readv(self->b, in, 2));
	EXPECT_EQ(0, memcmp(self->buf + 32, "llo", 3));
	ASSERT_EQ(5, write(self->a, "world", 5));
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	ASSERT_EQ(5, read(self->b, self->buf, 64));
	EXPECT_EQ(0, memcmp(self->buf, "world", 5));
}

/* recvfrom() names the peer, as getpeername() does. */
TEST_F(record, from)
{
	struct sockaddr_ferry from = { 0 }, peer = { 0 };
	socklen_t len = sizeof(from), peer_len = sizeof(peer);

	SEND("hello");
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	ASSERT_EQ(5, recvfrom(self->b, self->buf, 64, 0, (struct sockaddr *)&from, &len));
	ASSERT_EQ(sizeof(from), len);
	ASSERT_EQ(0, getpeername(self->b, (struct sockaddr *)&peer, &peer_len));
	EXPECT_EQ(0, memcmp(&from, &peer, sizeof(from)));
	EXPECT_NE(0, from.sfy_port);
	/* What does not fit is cut, and its whole length told. */
	SEND("hello");
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	memset(&from, 0, sizeof(from));
	len = 4;
	ASSERT_EQ(5, recvfrom(self->b, self->buf, 64, 0, (struct sockaddr *)&from, &len));
	EXPECT_EQ(sizeof(from), len);
	EXPECT_EQ(AF_FERRY, from.sfy_family);
	EXPECT_EQ(0, from.sfy_port);
}

/* MSG_EOR in what is returned: the record ends here. */
TEST_F(record, end)
{
	int flags;

	SEND("hello");
	ASSERT_EQ(5, receive(self->b, self->buf, 64, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	/* Also if the buffer is just as large. */
	SEND("hello");
	ASSERT_EQ(5, receive(self->b, self->buf, 5, &flags));
	EXPECT_EQ(MSG_EOR, flags);
}

/* MSG_EOR in the call, and MSG_MORE, change nothing. */
TEST_F(record, flags_of_send)
{
	ASSERT_EQ(2, sock_send(self->a, "ab", 2, MSG_MORE));
	ASSERT_EQ(2, RECV(64, 0));
	ASSERT_EQ(2, sock_send(self->a, "cd", 2, MSG_EOR));
	ASSERT_EQ(2, RECV(64, 0));
	EXPECT_EQ(-EOPNOTSUPP, sock_send(self->a, "ef", 2, MSG_OOB));
	EXPECT_TRUE(sock_empty(self->b));
}

/* What does not fit is cut, told, and gone. */
TEST_F(record, trunc)
{
	int flags;

	SEND("hello");
	SEND("next");
	ASSERT_EQ(2, receive(self->b, self->buf, 2, &flags));
	EXPECT_EQ(MSG_TRUNC, flags & MSG_TRUNC);
	EXPECT_EQ(0, memcmp(self->buf, "he", 2));
	ASSERT_EQ(4, RECV(64, 0));
	EXPECT_EQ(0, memcmp(self->buf, "next", 4));
}

/* Asked for, the record's own length is returned. */
TEST_F(record, trunc__length)
{
	SEND("hello");
	EXPECT_EQ(5, RECV(2, MSG_TRUNC | MSG_PEEK));
	EXPECT_EQ(5, RECV(2, MSG_TRUNC));
	EXPECT_TRUE(sock_empty(self->b));
}

TEST_F(record, no_room)
{
	SEND("hello");
	SEND("x");
	EXPECT_EQ(0, RECV(0, 0));
	EXPECT_EQ(1, RECV(64, 0));
}

TEST_F(record, peek)
{
	int flags;

	SEND("first");
	SEND("second");
	ASSERT_EQ(3, RECV(3, MSG_PEEK));
	ASSERT_EQ(5, RECV(64, MSG_PEEK));
	ASSERT_EQ(5, receive(self->b, self->buf, 64, &flags));
	ASSERT_EQ(6, RECV(64, MSG_PEEK));
	ASSERT_EQ(6, RECV(64, 0));
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, self->buf, 1,
				     MSG_PEEK | MSG_DONTWAIT));
}

/* A record is all there is to wait for. */
TEST_F(record, waitall)
{
	SEND("hello");
	SEND("world");
	EXPECT_EQ(5, RECV(64, MSG_WAITALL));
	EXPECT_EQ(5, RECV(64, 0));
}

/* Nothing is a record too, told from the end by MSG_EOR. */
TEST_F(record, empty)
{
	int flags;

	EXPECT_EQ(0, sock_send(self->a, "", 0, 0));
	SEND("x");
	EXPECT_EQ(0, sock_send(self->a, "", 0, 0));
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	EXPECT_EQ(0, receive(self->b, self->buf, 64, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	EXPECT_EQ(1, receive(self->b, self->buf, 64, &flags));
	EXPECT_EQ(0, receive(self->b, self->buf, 64, &flags));
	EXPECT_EQ(MSG_EOR, flags);
	EXPECT_TRUE(sock_empty(self->b));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, receive(self->b, self->buf, 64, &flags));
	EXPECT_EQ(0, flags);
}

/* It wakes a reader. */
TEST_F(record, empty__wakes)
{
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	EXPECT_EQ(0, sock_send(self->a, "", 0, 0));
	EXPECT_EQ(0, sleeper_join(&self->reader));
}

/* Records before the end are read before it. */
TEST_F(record, end_of_all)
{
	SEND("hello");
	SEND("world");
	close(self->a);
	self->conn.client = -1;
	EXPECT_EQ(5, RECV(64, 0));
	EXPECT_EQ(5, RECV(64, 0));
	EXPECT_EQ(0, RECV(64, 0));
	EXPECT_EQ(0, RECV(64, 0));
}

/* Unlike with AF_UNIX: the end that was told stays one. */
TEST_F(record, end_of_all__then_reset)
{
	ASSERT_EQ(4, sock_send(self->b, "lost", 4, 0));
	ASSERT_NE(0, sock_wait(self->a, POLLIN));
	SEND("hello");
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	ASSERT_NE(0, sock_wait(self->b, POLLRDHUP) & POLLRDHUP);
	close(self->a);
	self->conn.client = -1;
	ASSERT_NE(0, sock_wait(self->b, POLLHUP) & POLLHUP);
	EXPECT_EQ(5, RECV(64, 0));
	EXPECT_EQ(0, RECV(64, 0));
	EXPECT_EQ(EPIPE, sock_error(self->b));
	EXPECT_EQ(0, RECV(64, 0));
}

struct sizes {
	const size_t	*sizes;
	int		count, fd;
	pthread_t	thread;
	long		result;
};

static void *send_sizes(void *arg)
{
	struct sizes *self = arg;
	char *data;
	ssize_t n;
	int i;

	for (i = 0; i < self->count; i++) {
		data = malloc(self->sizes[i] + 1);
		pattern_fill(data, self->sizes[i], i);
		n = send(self->fd, data, self->sizes[i], MSG_NOSIGNAL);
		free(data);
		if (n != (ssize_t)self->sizes[i]) {
			self->result = n < 0 ? -errno : -EIO;
			break;
		}
	}
	return NULL;
}

/*
 * Of every size: below and above a segment's, above half the receive buffer and
 * nearly as large as what may be sent.
 */
TEST_F(record, sizes)
{
	static const size_t sizes[] = {
		1, 2, 3, 4, 5, 7, 8, 9, 100, 1451, 1452, 1453, 4095, 4096,
		4097, 16384, 40000, 65486, 65487, 65488, 65535, 65536, 65537,
		100000, 130974, 131072, 131073, 150000, 0, 200000, 17, 200000,
	};
	struct sizes sender = { sizes, ARRAY_SIZE(sizes), self->a };
	char *data = malloc(1 << 20);
	int i, flags, bytes;

	ASSERT_LE(200000, sock_get(self->a, SOL_SOCKET, SO_SNDBUF));
	ASSERT_EQ(0, pthread_create(&sender.thread, NULL, send_sizes,
				    &sender));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bytes = receive(self->b, data, 1 << 20, &flags);
		ASSERT_EQ(sizes[i], bytes);
		ASSERT_EQ(MSG_EOR, flags);
		ASSERT_TRUE(pattern_is(data, sizes[i], i)) {
			TH_LOG("%zu bytes", sizes[i]);
		}
	}
	ASSERT_EQ(0, pthread_join(sender.thread, NULL));
	EXPECT_EQ(0, sender.result);
	free(data);
}

/* The cut of a record that takes more than one segment. */
TEST_F(record, sizes__trunc)
{
	static const size_t sizes[] = { 150000, 5 };
	struct sizes sender = { sizes, ARRAY_SIZE(sizes), self->a };
	char *data = malloc(150000);
	int flags;

	ASSERT_EQ(0, pthread_create(&sender.thread, NULL, send_sizes,
				    &sender));
	ASSERT_EQ(70000, receive(self->b, data, 70000, &flags));
	EXPECT_EQ(MSG_TRUNC, flags & MSG_TRUNC);
	EXPECT_TRUE(pattern_is(data, 70000, 0));
	ASSERT_EQ(5, receive(self->b, data, 150000, &flags));
	EXPECT_TRUE(pattern_is(data, 5, 1));
	ASSERT_EQ(0, pthread_join(sender.thread, NULL));
	free(data);
}

/* More than the buffer could ever have: refused, and nothing of it sent. */
TEST_F(record, too_large)
{
	char *data;
	int limit;

	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SNDBUF, 20000));
	limit = sock_get(self->a, SOL_SOCKET, SO_SNDBUF);
	data = calloc(1, 2 * limit);
	EXPECT_EQ(-EMSGSIZE, sock_send(self->a, data, limit + 1, 0));
	EXPECT_EQ(-EMSGSIZE, sock_send(self->a, data, 2 * limit, 0));
	EXPECT_TRUE(sock_empty(self->b));
	ASSERT_EQ(limit / 2, sock_send(self->a, data, limit / 2, 0));
	EXPECT_EQ(limit / 2, sock_await(self->b, data, 2 * limit));
	free(data);
}

/* Half of a record is nothing to be read. */
TEST_F(record, whole_or_nothing)
{
	const size_t len = 200000;
	char *data = calloc(1, len);
	ssize_t n;
	int i;

	/* Fill what there is room for by records, while nobody reads. */
	for (i = 0; i < 10000; i++) {
		n = sock_send(self->a, data, len, MSG_DONTWAIT);
		if (n == -EAGAIN)
			break;
		ASSERT_EQ(len, n);
	}
	ASSERT_EQ(-EAGAIN, n);
	/* Each that is read is whole, whatever there was room for. */
	while (i--) {
		ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
		ASSERT_EQ(len, sock_recv(self->b, data, len, MSG_DONTWAIT));
	}
	EXPECT_TRUE(sock_empty(self->b));
	free(data);
}

/* Several readers: a record each, and none torn. */
TEST_F(record, readers)
{
	enum { COUNT = 4 };
	struct sleeper readers[COUNT];
	char buf[COUNT][8];
	unsigned int seen = 0;
	int i;

	for (i = 0; i < COUNT; i++) {
		readers[i] = self->reader;
		readers[i].data = buf[i];
		readers[i].len = sizeof(buf[i]);
		ASSERT_TRUE(sleeper_start(&readers[i], SYS_recvfrom));
	}
	for (i = 0; i < COUNT; i++) {
		char out[4] = { i, i, i, i };

		ASSERT_EQ(4, sock_send(self->a, out, 4, 0));
	}
	for (i = 0; i < COUNT; i++) {
		ASSERT_EQ(4, sleeper_join(&readers[i]));
		EXPECT_EQ(buf[i][0], buf[i][3]);
		seen |= 1 << buf[i][0];
	}
	EXPECT_EQ(0xf, seen);
}

static void *send_many(void *arg)
{
	struct sizes *self = arg;
	unsigned int i;

	for (i = 0; i < (unsigned int)self->count; i++)
		if (send(self->fd, &i, 1 + i % 4, MSG_NOSIGNAL) != 1 + i % 4)
			break;
	self->result = i;
	return NULL;
}

/* Thousands of tiny ones, for one who reads slowly: all, in their order. */
TEST_F_TIMEOUT(record, tiny, 240)
{
	struct sizes sender = { .count = 20000, .fd = self->a };
	unsigned int i, got, want;
	ssize_t n;

	ASSERT_EQ(0, pthread_create(&sender.thread, NULL, send_many,
				    &sender));
	/* The reader begins when the sender can do no more. */
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	while (sock_events(self->a) & POLLOUT &&
	       pthread_tryjoin_np(sender.thread, NULL))
		sched_yield();
	for (i = 0; i < (unsigned int)sender.count; i++) {
		got = 0;
		n = sock_await(self->b, &got, sizeof(got));
		want = i & ((1ull << 8 * (1 + i % 4)) - 1);
		ASSERT_EQ(1 + i % 4, n) {
			TH_LOG("record %u", i);
		}
		ASSERT_EQ(want, got) {
			TH_LOG("record %u", i);
		}
	}
	EXPECT_TRUE(sock_empty(self->b));
}

/* In @flags: how many to send. Return: how many were sent, or -errno. */
static long send_some(struct sleeper *self)
{
	long sent = 0;
	ssize_t n = 0;

	while (sent < self->flags) {
		n = sock_send(self->fd, self->data, self->len, MSG_NOSIGNAL);
		if (n != (ssize_t)self->len)
			return n < 0 ? n : -EIO;
		sent++;
	}
	return sent;
}

/* A write that does not fit waits until all of it does. */
TEST_F(record, sender_sleeps)
{
	size_t len = LARGE;
	char *data = calloc(1, len);
	struct sleeper writer = {
		.call = send_some, .fd = self->a, .data = data,
		.len = len, .flags = 50,
	};
	int i;

	ASSERT_TRUE(sleeper_start(&writer, SYS_sendto));
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(len, sock_await(self->b, data, len));
	}
	EXPECT_EQ(50, sleeper_join(&writer));
	free(data);
}

TEST_F(record, sender_times_out)
{
	size_t len = LARGE;
	char *data = calloc(1, len);
	ssize_t n;

	ASSERT_EQ(0, sock_timeout(self->a, SO_SNDTIMEO, 100));
	do {
		n = sock_send(self->a, data, len, 0);
	} while (n == (ssize_t)len);
	EXPECT_EQ(-EAGAIN, n);
	free(data);
}

/* What cannot be read from the sender is not sent, in whole or in part. */
TEST_F(record, fault__send)
{
	struct iovec iov[2] = { { "good", 4 }, { (void *)8, 4 } };
	static char data[100000];
	struct iovec large[2] = { { data, sizeof(data) }, { (void *)8, 4 } };

	EXPECT_EQ(-EFAULT, sock_send(self->a, (void *)8, 4, 0));
	EXPECT_EQ(-1, writev(self->a, iov, 2));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, writev(self->a, large, 2));
	EXPECT_EQ(EFAULT, errno);
	SEND("x");
	EXPECT_EQ(1, RECV(64, 0));
	EXPECT_TRUE(sock_empty(self->b));
}

/* A fault in the reader's buffer costs the record, as with AF_UNIX... */
TEST_F(record, fault__recv)
{
	SEND("lost");
	SEND("next");
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	EXPECT_EQ(-EFAULT, sock_recv(self->b, (void *)8, 4, 0));
	ASSERT_EQ(4, RECV(64, 0));
	EXPECT_EQ(0, memcmp(self->buf, "next", 4));
}

/* ... and nothing if it was peeked at. */
TEST_F(record, fault__peek)
{
	SEND("kept");
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	EXPECT_EQ(-EFAULT, sock_recv(self->b, (void *)8, 4, MSG_PEEK));
	EXPECT_EQ(4, RECV(64, 0));
}

TEST_F(record, peek_offset)
{
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_PEEK_OFF, 0));
	SEND("hello");
	ASSERT_EQ(2, RECV(2, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "he", 2));
	ASSERT_EQ(3, RECV(64, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "llo", 3));
	ASSERT_EQ(5, RECV(64, 0));
	EXPECT_EQ(0, sock_get(self->b, SOL_SOCKET, SO_PEEK_OFF));
}

/* Each record has its own time, also while small ones are packed together. */
TEST_F(record, timestamp)
{
	enum { COUNT = 20 };
	union {
		struct cmsghdr align;
		char buf[256];
	} room;
	struct iovec iov = { self->buf, 64 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	long before[COUNT], after[COUNT], when;
	struct cmsghdr *cmsg;
	struct timespec t;
	int i;

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	for (i = 0; i < COUNT; i++) {
		before[i] = clock_real_ns();
		SEND("hello");
		ASSERT_TRUE(conn_await_amount(self->b, SIOCINQ, 5 * i + 5));
		after[i] = clock_real_ns();
	}
	for (i = 0; i < COUNT; i++) {
		msg.msg_control = &room;
		msg.msg_controllen = sizeof(room);
		ASSERT_EQ(5, recvmsg(self->b, &msg, 0));
		cmsg = CMSG_FIRSTHDR(&msg);
		ASSERT_NE(NULL, cmsg);
		EXPECT_EQ(SCM_TIMESTAMPNS, cmsg->cmsg_type);
		memcpy(&t, CMSG_DATA(cmsg), sizeof(t));
		when = t.tv_sec * 1000000000L + t.tv_nsec;
		EXPECT_LE(before[i], when);
		EXPECT_GE(after[i], when) {
			TH_LOG("record %d", i);
		}
	}
}

/* The length of all that can be read, as AF_UNIX has it. */
TEST_F(record, siocinq)
{
	EXPECT_EQ(0, conn_amount(self->b, SIOCINQ));
	SEND("hello");
	SEND("x");
	EXPECT_TRUE(conn_await_amount(self->b, SIOCINQ, 6));
	ASSERT_EQ(2, RECV(2, 0));
	EXPECT_EQ(1, conn_amount(self->b, SIOCINQ));
	ASSERT_EQ(1, RECV(64, MSG_PEEK));
	EXPECT_EQ(1, conn_amount(self->b, SIOCINQ));
	ASSERT_EQ(1, RECV(64, 0));
	EXPECT_EQ(0, conn_amount(self->b, SIOCINQ));
}

TEST_F(record, not_connected)
{
	int fd = conn_socket(SOCK_SEQPACKET);

	EXPECT_EQ(-ENOTCONN, sock_recv(fd, self->buf, 1, 0));
	EXPECT_EQ(-ENOTCONN, sock_send(fd, "x", 1, MSG_NOSIGNAL));
	close(fd);
}

static volatile sig_atomic_t pipes;

static void on_pipe(int sig)
{
	pipes += sig == SIGPIPE;
}

/* Like AF_UNIX's, a record socket raises no SIGPIPE. */
TEST_F(record, shut_down)
{
	signal(SIGPIPE, on_pipe);
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(-EPIPE, sock_send(self->a, "x", 1, 0));
	EXPECT_EQ(0, pipes);
	EXPECT_EQ(0, RECV(64, 0));
	/* The other way records go on. */
	ASSERT_EQ(1, sock_send(self->b, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->a, self->buf, 64));
}

TEST_F(record, epoll_edge)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->b, &event));
	EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
	SEND("hello");
	EXPECT_EQ(1, epoll_wait(ep, &event, 1, WAIT_MS));
	EXPECT_EQ(0, epoll_wait(ep, &event, 1, 0));
	SEND("world");
	EXPECT_EQ(1, epoll_wait(ep, &event, 1, WAIT_MS));
	close(ep);
}

/* Streams and records do not mix. */
TEST_F(record, other_sort)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int listener = conn_listen(SOCK_STREAM, PORT + 1, 1);

	EXPECT_EQ(-ECONNREFUSED, conn_to(SOCK_STREAM, &to));
	to = sfy(addr_any, PORT + 1);
	EXPECT_EQ(-ECONNREFUSED, conn_to(SOCK_SEQPACKET, &to));
	close(listener);
}

static long sleep_in_epoll(struct sleeper *self)
{
	return epoll_events(self->fd, WAIT_MS);
}

TEST_F(record, epoll_oneshot)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_watch(ep, self->b, EPOLLIN | EPOLLONESHOT));
	SEND("hello");
	EXPECT_EQ(EPOLLIN, epoll_events(ep, WAIT_MS));
	SEND("world");
	EXPECT_EQ(0, epoll_events(ep, 0));
	close(ep);
}

/* Of several that wait exclusively one is woken: the next record wakes the other. */
TEST_F(record, epoll_exclusive)
{
	struct sleeper waiter[2] = { };
	int i;

	for (i = 0; i < 2; i++) {
		waiter[i].call = sleep_in_epoll;
		waiter[i].fd = epoll_create1(EPOLL_CLOEXEC);
		ASSERT_EQ(0, epoll_watch(waiter[i].fd, self->b,
					 EPOLLIN | EPOLLEXCLUSIVE));
		ASSERT_TRUE(sleeper_start(&waiter[i], SYS_epoll_wait));
	}
	SEND("x");
	EXPECT_EQ(EPOLLIN, sleeper_join(&waiter[0]));
	EXPECT_TRUE(wait_asleep(waiter[1].tid, SYS_epoll_wait));
	SEND("y");
	EXPECT_EQ(EPOLLIN, sleeper_join(&waiter[1]));
	for (i = 0; i < 2; i++)
		close(waiter[i].fd);
}

/* The peer sends no more; and this end reads no more. */
TEST_F(record, epoll_rdhup)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);

	ASSERT_EQ(0, epoll_watch(ep, self->b, EPOLLRDHUP | EPOLLET));
	EXPECT_EQ(0, epoll_events(ep, 0));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(EPOLLRDHUP, epoll_events(ep, WAIT_MS));
	EXPECT_EQ(0, epoll_events(ep, 0));
	ASSERT_EQ(0, epoll_watch(ep, self->a, EPOLLRDHUP | EPOLLET));
	EXPECT_EQ(0, epoll_events(ep, 0));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_RD));
	EXPECT_EQ(EPOLLRDHUP, epoll_events(ep, WAIT_MS) & EPOLLRDHUP);
	close(ep);
}

/* The signal comes with the record, and with the end. */
TEST_F(record, sigio)
{
	struct timespec limit = { .tv_sec = WAIT_MS / 1000 };
	int sig = SIGRTMIN + 1;
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &set, NULL));
	ASSERT_EQ(0, fcntl(self->b, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->b, F_SETSIG, sig));
	ASSERT_EQ(0, fcntl(self->b, F_SETFL, O_ASYNC));
	SEND("x");
	do {
		ASSERT_EQ(sig, sigtimedwait(&set, &info, &limit));
	} while (info.si_code == POLL_OUT);
	EXPECT_EQ(POLL_IN, info.si_code);
	EXPECT_EQ(self->b, info.si_fd);
	EXPECT_EQ(POLLIN | POLLRDNORM, info.si_band);
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	do {
		ASSERT_EQ(sig, sigtimedwait(&set, &info, &limit));
	} while (info.si_code == POLL_OUT);
	EXPECT_EQ(POLL_IN, info.si_code);
}

TEST_F(record, interrupted__reader)
{
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, 0));
	EXPECT_EQ(-EINTR, sleeper_join(&self->reader));
}

TEST_F(record, interrupted__reader_restarts)
{
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, SA_RESTART));
	ASSERT_TRUE(wait_asleep(self->reader.tid, SYS_recvfrom));
	SEND("x");
	EXPECT_EQ(1, sleeper_join(&self->reader));
}

/* A restart would wait for longer than the time-out says. */
TEST_F(record, interrupted__reader_with_time_out)
{
	ASSERT_EQ(0, sock_timeout(self->b, SO_RCVTIMEO, WAIT_MS));
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, SA_RESTART));
	EXPECT_EQ(-EINTR, sleeper_join(&self->reader));
}

/* Of a record that has to wait nothing goes; or, restarted, all of it, once. */
TEST_F(record, interrupted__sender)
{
	size_t len = LARGE;
	char *data = calloc(1, len);
	struct sleeper writer = {
		.call = sleep_in_send, .fd = self->a, .data = data, .len = len,
	};
	int count = 0;

	while (sock_send(self->a, data, len, MSG_DONTWAIT) == (ssize_t)len)
		count++;
	ASSERT_TRUE(sleeper_interrupt(&writer, SYS_sendto, 0));
	EXPECT_EQ(-EINTR, sleeper_join(&writer));

	ASSERT_TRUE(sleeper_interrupt(&writer, SYS_sendto, SA_RESTART));
	ASSERT_TRUE(wait_asleep(writer.tid, SYS_sendto));
	for (count++; count; count--)
		ASSERT_EQ(len, sock_await(self->b, data, len));
	EXPECT_EQ(len, sleeper_join(&writer));
	EXPECT_TRUE(sock_empty(self->b));
	free(data);
}

/* What a filter refuses is lost on the way, as a stream's is, and comes again. */
TEST_F(record, filter)
{
	struct sock_filter none[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
	struct sock_fprog prog = { ARRAY_SIZE(none), none };

	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				sizeof(prog)));
	SEND("hello");
	ASSERT_LT(0, stat_wait("RetransSegs", 1));
	EXPECT_TRUE(sock_empty(self->b));
	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_DETACH_FILTER, &none,
				sizeof(int)));
	EXPECT_EQ(5, sock_await(self->b, self->buf, 64));
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
}

TEST_HARNESS_MAIN
