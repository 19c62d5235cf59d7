// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSG_ZEROCOPY: the caller's pages are sent, and the error queue tells when they are
 * free again.
 *
 *	+- new namespace --+
 *	|   lo    ferry0   |
 *	+------------------+
 */
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "peer.h"
#include "script.h"
#include "wait.h"

#define PAGE	4096
#define PORT	SCRIPT_PORT
#define LARGE	(4 << 20)

static char *pages_new(size_t len)
{
	char *pages = mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

/* What the error queue has next. Return: 0 or a negative errno. */
static int told(int fd, struct sock_extended_err *what)
{
	union {
		struct cmsghdr align;
		char room[256];
	} control;
	struct msghdr msg = {
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!(msg.msg_flags & MSG_ERRQUEUE) || !cmsg)
		return -ENOMSG;
	if (cmsg->cmsg_level == SOL_FERRY && cmsg->cmsg_type != FERRY_RECVERR)
		return -ENOMSG;
	memcpy(what, CMSG_DATA(cmsg), sizeof(*what));
	return what->ee_origin == SO_EE_ORIGIN_ZEROCOPY && !what->ee_errno ?
	       0 : -EBADMSG;
}

/* The same, when it comes. */
static int await_told(int fd, struct sock_extended_err *what)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, WAIT_MS) == 1 ? told(fd, what) : -ETIMEDOUT;
}

/*
 * Wait until all calls up to number @last have been told of, in whatever pieces, none
 * twice. Return: how many of the pieces were copied, or a negative errno.
 */
static int await_all(int fd, unsigned int first, unsigned int last)
{
	struct sock_extended_err what;
	int err, copied = 0;

	while (first <= last) {
		err = await_told(fd, &what);
		if (err)
			return err;
		if (what.ee_info != first || what.ee_data < first)
			return -ERANGE;
		first = what.ee_data + 1;
		copied += what.ee_code == SO_EE_CODE_ZEROCOPY_COPIED;
	}
	return copied;
}

/*
 * As TCP's, but for the option's and the message's names
 */

FIXTURE(as_tcp) {
};

FIXTURE_SETUP(as_tcp)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, link_up("lo"));
}

FIXTURE_TEARDOWN(as_tcp)
{
}

#define SCRIPT(name)	SCRIPT_CASE(as_tcp, AF_INET, SOCK_STREAM, name)

static int set(const struct script *s, int fd, int value)
{
	return s->family == AF_FERRY ?
	       sock_set(fd, SOL_FERRY, FERRY_ZEROCOPY, value) :
	       sock_set(fd, SOL_SOCKET, SO_ZEROCOPY, value);
}

static void tell(struct script *s, int fd)
{
	struct sock_extended_err what;
	int err = told(fd, &what);

	script_result(s, "told", err);
	if (err)
		return;
	script_result(s, "code", what.ee_code);
	script_result(s, "first", what.ee_info);
	script_result(s, "last", what.ee_data);
}

#define SEND(text)	CALL(sock_send(s->a, text, sizeof(text) - 1, \
				       MSG_ZEROCOPY | MSG_NOSIGNAL))

SCRIPT(option)
{
	CALL(sock_get(s->a, SOL_SOCKET, SO_ZEROCOPY));
	CALL(set(s, s->a, 2));
	CALL(set(s, s->a, -1));
	CALL(set(s, s->a, 1));
	CALL(sock_get(s->a, SOL_SOCKET, SO_ZEROCOPY));
	CALL(set(s, s->a, 0));
	CALL(sock_get(s->a, SOL_SOCKET, SO_ZEROCOPY));
	/* Who is accepted has his listener's. */
	CALL(set(s, s->listener, 1));
	script_close(&s->a);
	script_close(&s->b);
	CALL(script_pair(s));
	CALL(sock_get(s->a, SOL_SOCKET, SO_ZEROCOPY));
	CALL(sock_get(s->b, SOL_SOCKET, SO_ZEROCOPY));
}

/* Without the option the flag says nothing. */
SCRIPT(off)
{
	SEND("hello");
	CALL(recv_all(s->b, s->buf, 5));
	CALL(conn_await_amount(s->a, SIOCOUTQ, 0));
	EVENTS(s->a);
	tell(s, s->a);
}

SCRIPT(on)
{
	CALL(set(s, s->a, 1));
	EVENTS(s->a);
	SEND("hello");
	CALL(recv_all(s->b, s->buf, 5));
	EVENTS_AT(s->a, 0);
	ERROR(s->a);
	tell(s, s->a);
	EVENTS(s->a);
	tell(s, s->a);
	/* Nothing, and what is not sent so, have no number. */
	SEND("");
	CALL(sock_send(s->a, "plain", 5, 0));
	SEND("again");
	CALL(recv_all(s->b, s->buf, 10));
	EVENTS_AT(s->a, 0);
	tell(s, s->a);
	/* Neither has what has failed. */
	CALL(sock_send(s->a, (void *)8, 100, MSG_ZEROCOPY));
	SEND("again");
	CALL(recv_all(s->b, s->buf, 5));
	EVENTS_AT(s->a, 0);
	tell(s, s->a);
	CALL(sock_shutdown(s->a, SHUT_WR));
	SEND("too late");
	tell(s, s->a);
	/* The error queue outlives the connection. */
	EVENTS(s->a);
}

SCRIPT(reset)
{
	CALL(set(s, s->a, 1));
	SEND("hello");
	EVENTS_AT(s->a, 0);
	conn_reset(s->b);
	s->b = -1;
	EVENTS_AT(s->a, POLLHUP);
	tell(s, s->a);
	ERROR(s->a);
	SEND("too late");
	EVENTS(s->a);
}

/*
 * Streams and datagrams, on this host
 */

FIXTURE(here) {
	struct conn conn;
	int a, b;
	char *pages;
	char buf[PAGE];
};

FIXTURE_VARIANT(here) {
	int type;
};

FIXTURE_VARIANT_ADD(here, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(here, dgram) { .type = SOCK_DGRAM };

FIXTURE_SETUP(here)
{
	ASSERT_LE(0, net_new());
	self->conn = (struct conn){ -1, -1, -1 };
	if (variant->type == SOCK_STREAM) {
		ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT));
	} else {
		self->conn.server = dgram_at(PORT);
		self->conn.client = dgram_to(PORT);
	}
	self->a = self->conn.client;
	self->b = self->conn.server;
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
	self->pages = pages_new(16 * PAGE);
	ASSERT_NE(NULL, self->pages);
	memset(self->pages, 'a', 16 * PAGE);
	ASSERT_EQ(0, sock_set(self->a, SOL_FERRY, FERRY_ZEROCOPY, 1));
}

FIXTURE_TEARDOWN(here)
{
	munmap(self->pages, 16 * PAGE);
	conn_close(&self->conn);
}

#define LEND(data, len)	sock_send(self->a, data, len, MSG_ZEROCOPY | MSG_DONTWAIT)

TEST_F(here, option)
{
	int fd = conn_socket(variant->type);
	char byte = 1;

	EXPECT_EQ(0, sock_get(fd, SOL_FERRY, FERRY_ZEROCOPY));
	EXPECT_EQ(-EINVAL, sock_set(fd, SOL_FERRY, FERRY_ZEROCOPY, 2));
	EXPECT_EQ(-EINVAL, sock_set(fd, SOL_FERRY, FERRY_ZEROCOPY, -1));
	EXPECT_EQ(-1, setsockopt(fd, SOL_FERRY, FERRY_ZEROCOPY, &byte, 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_ZEROCOPY, 1));
	EXPECT_EQ(1, sock_get(fd, SOL_FERRY, FERRY_ZEROCOPY));
	EXPECT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_ZEROCOPY, 0));
	EXPECT_EQ(0, sock_get(fd, SOL_FERRY, FERRY_ZEROCOPY));
	close(fd);
}

/* Does this kernel let a family see SO_ZEROCOPY and SO_REUSEPORT? 6.1 does not. */
static bool sees_generic(void)
{
	struct utsname name;
	int major = 0, minor = 0;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return false;
	return major > 6 || (major == 6 && minor >= 8);
}

TEST_F(here, generic_option)
{
	static const struct {
		int generic, own;
	} twins[] = {
		{ SO_ZEROCOPY, FERRY_ZEROCOPY }, { SO_REUSEPORT, FERRY_REUSEPORT },
	};
	int fds[] = { self->b, conn_socket(variant->type) };
	size_t i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < 2; j++) {
			if (!sees_generic()) {
				EXPECT_EQ(-EOPNOTSUPP, sock_set(fds[i], SOL_SOCKET,
								twins[j].generic, 1));
				continue;
			}
			EXPECT_EQ(0, sock_set(fds[i], SOL_SOCKET,
					      twins[j].generic, 1));
			EXPECT_EQ(1, sock_get(fds[i], SOL_FERRY, twins[j].own));
			EXPECT_EQ(0, sock_set(fds[i], SOL_SOCKET,
					      twins[j].generic, 0));
			EXPECT_EQ(0, sock_get(fds[i], SOL_FERRY, twins[j].own));
		}
		/* The core's own are the core's. */
		EXPECT_EQ(0, sock_set(fds[i], SOL_SOCKET, SO_PRIORITY, 3));
		EXPECT_EQ(3, sock_get(fds[i], SOL_SOCKET, SO_PRIORITY));
		EXPECT_EQ(-ENOPROTOOPT, sock_set(fds[i], SOL_SOCKET, 9999, 1));
	}
	close(fds[1]);
}

/* Within a host it is copied after all, and is told so. */
TEST_F(here, told)
{
	struct sock_extended_err what;

	ASSERT_EQ(PAGE, LEND(self->pages, PAGE));
	ASSERT_EQ(0, await_told(self->a, &what));
	EXPECT_EQ(0, what.ee_info);
	EXPECT_EQ(0, what.ee_data);
	EXPECT_EQ(SO_EE_CODE_ZEROCOPY_COPIED, what.ee_code);
	EXPECT_EQ(-EAGAIN, told(self->a, &what));
	ASSERT_EQ(PAGE, sock_await(self->b, self->buf, PAGE));
	EXPECT_EQ(0, memcmp(self->buf, self->pages, PAGE));
}

/* Then the pages are the caller's again, whether the receiver has read or not. */
TEST_F(here, free_again)
{
	struct sock_extended_err what;

	ASSERT_EQ(PAGE, LEND(self->pages, PAGE));
	ASSERT_EQ(0, await_told(self->a, &what));
	memset(self->pages, 'b', PAGE);
	ASSERT_EQ(PAGE, sock_await(self->b, self->buf, PAGE));
	EXPECT_EQ('a', self->buf[0]);
	EXPECT_EQ('a', self->buf[PAGE - 1]);
}

/* Until then they are what is sent. */
TEST_F(here, lent)
{
	struct sock_extended_err what;

	ASSERT_EQ(0, link_hold("ferry0", 1 << 20));
	ASSERT_EQ(PAGE, LEND(self->pages, PAGE));
	EXPECT_EQ(0, sock_events(self->a) & POLLERR);
	self->pages[1] = 'b';
	ASSERT_EQ(0, link_release("ferry0"));
	ASSERT_EQ(PAGE, sock_await(self->b, self->buf, PAGE));
	EXPECT_EQ(0, memcmp(self->buf, "aba", 3));
	EXPECT_EQ(0, await_told(self->a, &what));
}

TEST_F(here, many)
{
	int i;

	for (i = 0; i < 8; i++) {
		ASSERT_EQ(100, LEND(self->pages + i * 1000, 100));
		ASSERT_EQ(100, recv_all(self->b, self->buf, 100));
	}
	EXPECT_LE(1, await_all(self->a, 0, 7));
}

/* From parts of pages that do not lie together. */
TEST_F(here, pieces)
{
	struct iovec iov[] = {
		{ self->pages + 100, 10 },
		{ self->pages + 3 * PAGE - 5, 10 },
		{ self->pages, 20 },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };

	pattern_fill(self->pages, 16 * PAGE, 3);
	ASSERT_EQ(40, sendmsg(self->a, &msg, MSG_ZEROCOPY));
	ASSERT_EQ(40, sock_await(self->b, self->buf, PAGE));
	EXPECT_EQ(0, memcmp(self->buf, self->pages + 100, 10));
	EXPECT_EQ(0, memcmp(self->buf + 10, self->pages + 3 * PAGE - 5, 10));
	EXPECT_EQ(0, memcmp(self->buf + 20, self->pages, 20));
	EXPECT_EQ(1, await_all(self->a, 0, 0));
}

TEST_F(here, fault)
{
	struct sock_extended_err what;
	char *edge = pages_new(2 * PAGE);

	ASSERT_EQ(0, munmap(edge + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, LEND(edge + PAGE - 10, 20));
	EXPECT_EQ(-EFAULT, LEND(NULL, 20));
	EXPECT_EQ(-EAGAIN, told(self->a, &what));
	ASSERT_EQ(10, LEND(edge + PAGE - 10, 10));
	EXPECT_EQ(1, await_all(self->a, 0, 0));
	EXPECT_EQ(10, sock_await(self->b, self->buf, PAGE));
	munmap(edge, PAGE);
}

/* Nobody is left to be told. */
TEST_F(here, closed)
{
	ASSERT_EQ(0, link_hold("ferry0", 1 << 20));
	ASSERT_EQ(PAGE, LEND(self->pages, PAGE));
	close(self->a);
	self->conn.client = -1;
	ASSERT_EQ(0, link_release("ferry0"));
	EXPECT_EQ(PAGE, sock_await(self->b, self->buf, PAGE));
}

/* What is under way is bounded, by memory for what is to be told. */
TEST_F(here, too_many)
{
	int bytes = 16 << 20, i, err = 0;

	if (variant->type == SOCK_STREAM)
		return;
	ASSERT_EQ(0, link_hold("ferry0", bytes));
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SNDBUFFORCE, bytes));
	for (i = 0; i < 2000 && err >= 0; i++)
		err = LEND(self->pages, 1);
	EXPECT_EQ(-ENOBUFS, err);
	/* Others are not. */
	EXPECT_EQ(1, sock_send(self->a, "x", 1, MSG_DONTWAIT));
	ASSERT_EQ(0, link_release("ferry0"));
	EXPECT_LE(1, await_all(self->a, 0, i - 2));
	EXPECT_EQ(1, LEND(self->pages, 1));
}

/* AF_UNIX's records have none of it. */
TEST(record)
{
	struct sock_extended_err what;
	struct conn conn;
	char buf[8];

	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&conn, SOCK_SEQPACKET, PORT));
	EXPECT_EQ(-EOPNOTSUPP, sock_set(conn.client, SOL_FERRY, FERRY_ZEROCOPY, 1));
	EXPECT_EQ(0, sock_get(conn.client, SOL_FERRY, FERRY_ZEROCOPY));
	ASSERT_EQ(5, sock_send(conn.client, "hello", 5, MSG_ZEROCOPY));
	EXPECT_EQ(5, sock_await(conn.server, buf, sizeof(buf)));
	EXPECT_EQ(-EAGAIN, told(conn.client, &what));
	conn_close(&conn);
}

/* A device that has no use for a copy sends what it was lent. */
TEST(dgram_over_device)
{
	const struct link_spec dummy = { .kind = "dummy", .name = "dummy0" };
	struct sockaddr_ferry to = sfy(addr_nobody, PORT);
	struct sock_extended_err what;
	char *pages = pages_new(PAGE);
	int fd;

	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, link_add(&dummy));
	ASSERT_EQ(0, link_up("dummy0"));
	ASSERT_EQ(0, ferry_enable("dummy0"));
	fd = dgram();
	ASSERT_EQ(0, sock_connect(fd, &to));
	ASSERT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_ZEROCOPY, 1));
	ASSERT_EQ(100, sock_send(fd, pages, 100, MSG_ZEROCOPY));
	ASSERT_EQ(0, await_told(fd, &what));
	EXPECT_EQ(0, what.ee_code);
	close(fd);
	munmap(pages, PAGE);
}

/*
 * A stream's are lent until the peer has acknowledged them. This one does so without
 * having got anything, so that nobody has copied it.
 */
TEST(stream_until_acknowledged)
{
	struct sock_extended_err what;
	char *pages = pages_new(PAGE);
	struct wire wire;
	struct peer peer;
	struct seg seg;
	int listener, fd;

	ASSERT_EQ(0, peer_open(&peer, &wire, 6000, PORT));
	listener = conn_listen(SOCK_STREAM, PORT, 1);
	ASSERT_EQ(0, peer_connect(&peer, &seg));
	fd = conn_accept(listener);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_ZEROCOPY, 1));
	ASSERT_EQ(0, link_hold("fy1", 1));
	ASSERT_EQ(100, sock_send(fd, pages, 100, MSG_ZEROCOPY));
	EXPECT_EQ(0, sock_events(fd) & POLLERR);
	EXPECT_EQ(-EAGAIN, told(fd, &what));
	peer.ack += 100;
	seg = peer_seg(&peer, SEG_DATA);
	ASSERT_EQ(0, peer_send(&peer, &seg));
	ASSERT_EQ(0, await_told(fd, &what));
	EXPECT_EQ(0, what.ee_code);
	conn_reset(fd);
	close(listener);
	peer_close(&peer);
	munmap(pages, PAGE);
}

static void *read_pattern(void *arg)
{
	int fd = *(int *)arg;
	char *data = malloc(LARGE + 1);
	bool good = recv_all(fd, data, LARGE + 1) == LARGE &&
		    pattern_is(data, LARGE, 7);

	free(data);
	return good ? arg : NULL;
}

/* Lent and copied by turns, and cut where it fits nobody. */
static void send_by_turns(struct __test_metadata *_metadata, struct conn *conn)
{
	char *data = pages_new(LARGE);
	unsigned int calls = 0, i = 0;
	pthread_t reader;
	size_t at = 0;
	void *good;
	ssize_t n;

	pattern_fill(data, LARGE, 7);
	ASSERT_EQ(0, sock_set(conn->client, SOL_FERRY, FERRY_ZEROCOPY, 1));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_pattern, &conn->server));
	while (at < LARGE) {
		size_t len = 1 + (i * 7919) % 150000;

		if (len > LARGE - at)
			len = LARGE - at;
		n = sock_send(conn->client, data + at, len,
			      i % 3 ? MSG_ZEROCOPY : 0);
		if (n == -ENOBUFS) {
			struct sock_extended_err what;

			/* Hear what there is to hear. */
			ASSERT_EQ(0, await_told(conn->client, &what));
			ASSERT_EQ(calls, what.ee_info);
			calls = what.ee_data + 1;
			continue;
		}
		ASSERT_LT(0, n);
		at += n;
		i++;
	}
	ASSERT_EQ(0, sock_shutdown(conn->client, SHUT_WR));
	ASSERT_EQ(0, pthread_join(reader, &good));
	EXPECT_NE(NULL, good);
	/* How many calls lent: two of three. */
	EXPECT_LE(0, await_all(conn->client, calls, i - 1 - (i + 2) / 3));
	munmap(data, LARGE);
}

TEST(stream_by_turns)
{
	struct conn conn;

	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	send_by_turns(_metadata, &conn);
	conn_close(&conn);
}

/* Some is lost, and sent again. */
TEST(stream_by_turns__loss)
{
	const struct netem netem = { .loss = 2, .limit = 1000 };
	struct wire wire;
	struct conn conn;

	ASSERT_EQ(0, wire_across(&wire, "veth"));
	ASSERT_EQ(0, conn_across(&conn, SOCK_STREAM, PORT, &wire));
	ASSERT_EQ(0, link_netem("fy0", &netem));
	send_by_turns(_metadata, &conn);
	conn_close(&conn);
}

TEST_HARNESS_MAIN
