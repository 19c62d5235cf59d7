// SPDX-License-Identifier: GPL-2.0-only
/*
 * socketpair(2): of streams, of records and of datagrams.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

static int pair(int type, int fd[2])
{
	return socketpair(AF_FERRY, type | SOCK_CLOEXEC, 0, fd) ? -errno : 0;
}

static struct sockaddr_ferry name_of(int fd)
{
	struct sockaddr_ferry name = { };
	socklen_t len = sizeof(name);

	getsockname(fd, (struct sockaddr *)&name, &len);
	return name;
}

static int peer_of(int fd, struct sockaddr_ferry *name)
{
	socklen_t len = sizeof(*name);

	return getpeername(fd, (struct sockaddr *)name, &len) ? -errno : 0;
}

static void pair_close(int fd[2])
{
	conn_linger(fd[0], 0);
	close(fd[0]);
	close(fd[1]);
}

FIXTURE(pair) {
	int fd[2];
	char buf[64];
};

FIXTURE_VARIANT(pair) {
	int type;
};

FIXTURE_VARIANT_ADD(pair, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(pair, record) { .type = SOCK_SEQPACKET };
FIXTURE_VARIANT_ADD(pair, dgram) { .type = SOCK_DGRAM };

FIXTURE_SETUP(pair)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, pair(variant->type, self->fd));
}

FIXTURE_TEARDOWN(pair)
{
	pair_close(self->fd);
}

/* What each end says the other one hears, whole, and nothing else. */
TEST_F(pair, talk)
{
	int i;

	for (i = 0; i < 2; i++) {
		EXPECT_EQ(POLLOUT, POLLOUT & sock_events(self->fd[i]));
		EXPECT_EQ(0, POLLIN & sock_events(self->fd[i]));
		ASSERT_EQ(5, sock_send(self->fd[i], "hello", 5, 0));
		ASSERT_EQ(5, sock_await(self->fd[!i], self->buf, 64));
		EXPECT_EQ(0, memcmp("hello", self->buf, 5));
		EXPECT_TRUE(sock_empty(self->fd[i]));
	}
}

/* Each is the other's peer, by a port of its own and this host's address. */
TEST_F(pair, names)
{
	struct sockaddr_ferry own[2], peer[2];
	unsigned char loop[FERRY_ALEN];
	int i;

	ASSERT_EQ(0, link_address("ferry0", loop));
	for (i = 0; i < 2; i++) {
		own[i] = name_of(self->fd[i]);
		ASSERT_EQ(0, peer_of(self->fd[i], &peer[i]));
		EXPECT_EQ(0, memcmp(loop, own[i].sfy_addr, FERRY_ALEN));
		EXPECT_LE(FERRY_PORT_PRIVILEGED, own[i].sfy_port);
	}
	EXPECT_EQ(0, memcmp(&own[0], &peer[1], sizeof(own[0])));
	EXPECT_EQ(0, memcmp(&own[1], &peer[0], sizeof(own[0])));
	EXPECT_NE(own[0].sfy_port, own[1].sfy_port);
}

/* It is connected: that cannot be done again. */
TEST_F(pair, connected)
{
	struct sockaddr_ferry to = sfy(addr_any, 1);

	if (variant->type == SOCK_DGRAM)
		return;
	EXPECT_EQ(-EISCONN, sock_connect(self->fd[0], &to));
	EXPECT_EQ(-1, listen(self->fd[1], 1));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, sock_error(self->fd[0]));
	EXPECT_EQ(1, stat_of("ActiveOpens"));
	EXPECT_EQ(1, stat_of("PassiveOpens"));
}

/* Nobody else can reach them, though they have ports. */
TEST_F(pair, of_two)
{
	struct sockaddr_ferry to = name_of(self->fd[1]);
	int fd;

	if (variant->type == SOCK_DGRAM) {
		fd = dgram();
		ASSERT_EQ(1, sock_send_to(fd, "x", 1, &to));
		ASSERT_LT(0, stat_wait("InDropNoPort", 1));
	} else {
		fd = conn_socket(variant->type);
		EXPECT_EQ(-ECONNREFUSED, sock_connect(fd, &to));
	}
	EXPECT_TRUE(sock_empty(self->fd[1]));
	close(fd);
}

TEST_F(pair, flags)
{
	int fd[2], i;

	ASSERT_EQ(0, socketpair(AF_FERRY, variant->type | SOCK_NONBLOCK |
				SOCK_CLOEXEC, 0, fd));
	for (i = 0; i < 2; i++) {
		EXPECT_NE(0, fcntl(fd[i], F_GETFL) & O_NONBLOCK);
		EXPECT_NE(0, fcntl(fd[i], F_GETFD) & FD_CLOEXEC);
		EXPECT_EQ(-EAGAIN, sock_recv(fd[i], self->buf, 64, 0));
	}
	pair_close(fd);
	ASSERT_EQ(0, socketpair(AF_FERRY, variant->type, 0, fd));
	EXPECT_EQ(0, fcntl(fd[0], F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(fd[1], F_GETFD) & FD_CLOEXEC);
	pair_close(fd);
	EXPECT_EQ(-1, socketpair(AF_FERRY, variant->type, 1, fd));
	EXPECT_EQ(EPROTONOSUPPORT, errno);
}

/* A child has one end, the parent the other. */
TEST_F(pair, fork)
{
	ssize_t n;
	int status;
	pid_t pid = fork();

	if (!pid) {
		close(self->fd[0]);
		n = sock_await(self->fd[1], self->buf, 64);
		_exit(n > 0 && sock_send(self->fd[1], self->buf, n, 0) == n ?
		      0 : 1);
	}
	ASSERT_EQ(5, sock_send(self->fd[0], "hello", 5, 0));
	ASSERT_EQ(5, sock_await(self->fd[0], self->buf, 64));
	EXPECT_EQ(0, memcmp("hello", self->buf, 5));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* One end travels to another holder, in its own namespace, over AF_UNIX. */
TEST_F(pair, passed)
{
	union {
		struct cmsghdr	cmsg;
		char		room[CMSG_SPACE(sizeof(int))];
	} control = { };
	struct iovec iov = { self->buf, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	int way[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, way));
	*cmsg = (struct cmsghdr) {
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(sizeof(int)),
	};
	memcpy(CMSG_DATA(cmsg), &self->fd[1], sizeof(int));
	ASSERT_EQ(1, sendmsg(way[0], &msg, 0));
	close(self->fd[1]);
	/* It is on its way, and so is what is sent to it. */
	ASSERT_EQ(5, sock_send(self->fd[0], "hello", 5, 0));
	ASSERT_LE(0, net_new());
	ASSERT_EQ(1, recvmsg(way[1], &msg, MSG_CMSG_CLOEXEC));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	self->fd[1] = fd;
	ASSERT_EQ(5, sock_await(fd, self->buf, 64));
	EXPECT_EQ(0, memcmp("hello", self->buf, 5));
	ASSERT_EQ(5, sock_send(fd, "world", 5, 0));
	EXPECT_EQ(5, sock_await(self->fd[0], self->buf, 64));
	close(way[0]);
	close(way[1]);
}

/* As of any connection: a half, and then the whole. */
TEST_F(pair, shut_down)
{
	if (variant->type == SOCK_DGRAM)
		return;
	ASSERT_EQ(1, sock_send(self->fd[0], "x", 1, 0));
	ASSERT_EQ(0, sock_shutdown(self->fd[0], SHUT_WR));
	ASSERT_NE(0, sock_wait(self->fd[1], POLLRDHUP));
	EXPECT_EQ(1, sock_recv(self->fd[1], self->buf, 64, 0));
	EXPECT_EQ(0, sock_recv(self->fd[1], self->buf, 64, 0));
	ASSERT_EQ(1, sock_send(self->fd[1], "y", 1, 0));
	EXPECT_EQ(1, sock_await(self->fd[0], self->buf, 64));
	EXPECT_EQ(-EPIPE, sock_send(self->fd[0], "x", 1, MSG_NOSIGNAL));
}

/* Who sleeps in one hears of the end of the other. */
TEST_F(pair, closed)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd[0], .data = self->buf,
		.len = 1,
	};

	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	if (variant->type == SOCK_DGRAM) {
		/* As with UDP, not before something was sent to it. */
		ASSERT_EQ(0, close(self->fd[1]));
		ASSERT_EQ(1, sock_send(self->fd[0], "x", 1, 0));
		EXPECT_EQ(-ECONNREFUSED, sleeper_join(&reader));
	} else {
		ASSERT_EQ(0, close(self->fd[1]));
		EXPECT_EQ(0, sleeper_join(&reader));
	}
	self->fd[1] = -1;
}

/* A reset leaves nothing of it: the ports are free. */
TEST_F(pair, ports_come_back)
{
	struct sockaddr_ferry own[2] = {
		name_of(self->fd[0]), name_of(self->fd[1])
	};
	int i, fd;

	pair_close(self->fd);
	for (i = 0; i < 2; i++) {
		fd = socket(AF_FERRY, variant->type, 0);
		EXPECT_EQ(0, sock_bind(fd, &own[i]));
		close(fd);
		self->fd[i] = -1;
	}
}

/* More than buffers hold, both ways at once. */
TEST_F(pair, much)
{
	static char data[1 << 20], got[1 << 20];
	size_t sent[2] = { }, read[2] = { };
	ssize_t n;
	int i;

	if (variant->type != SOCK_STREAM)
		return;
	pattern_fill(data, sizeof(data), 3);
	while (read[0] < sizeof(data) || read[1] < sizeof(data)) {
		for (i = 0; i < 2; i++) {
			n = sock_send(self->fd[i], data + sent[i],
				      sizeof(data) - sent[i], MSG_DONTWAIT);
			ASSERT_TRUE(n >= 0 || n == -EAGAIN);
			sent[i] += n > 0 ? n : 0;
			n = sock_recv(self->fd[i], got, sizeof(got),
				      MSG_DONTWAIT);
			ASSERT_TRUE(n > 0 || n == -EAGAIN);
			if (n < 0)
				continue;
			ASSERT_EQ(0, memcmp(data + read[i], got, n));
			read[i] += n;
		}
	}
}

/* Without the way there is no pair, and nothing is left of it. */
TEST_F(pair, no_way)
{
	int fd[2];

	ASSERT_EQ(0, link_down("ferry0"));
	EXPECT_EQ(-ENETDOWN, pair(variant->type, fd));
	ASSERT_EQ(0, link_up("ferry0"));
	EXPECT_EQ(0, pair(variant->type, fd));
	pair_close(fd);
}

/* Each port is taken once: then there is none for the second. */
TEST_F(pair, no_port)
{
	int fd[2], i;

	ASSERT_EQ(0, sysctl_set("port_range", "7000 7002"));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pair(variant->type, fd));
		EXPECT_EQ(-EAGAIN, pair(variant->type, self->fd));
		pair_close(fd);
	}
	self->fd[0] = -1;
	self->fd[1] = -1;
}

TEST_HARNESS_MAIN
