// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that send echoes: FERRYPROTO_ECHO.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "frame.h"
#include "net.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000
#define NUMBER	7
#define MTU	1500

static const unsigned char group[FERRY_ALEN] = { 3, 0, 0, 0, 0, 1 };

static int make(int type, int protocol)
{
	int fd = socket(AF_FERRY, type | SOCK_CLOEXEC, protocol);

	return fd < 0 ? -errno : fd;
}

static int echo(void)
{
	return make(SOCK_DGRAM, FERRYPROTO_ECHO);
}

FIXTURE(asker) {
	struct wire wire;
	int fd;
	struct sockaddr_ferry there;
	struct sockaddr_ferry from;
	char buf[2048];
};

/* The test is in red. */
FIXTURE_SETUP(asker)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	self->fd = echo();
	ASSERT_LE(0, self->fd);
	self->there = sfy(self->wire.fy1, NUMBER);
}

FIXTURE_TEARDOWN(asker)
{
	close(self->fd);
}

#define ANSWER() sock_recv_from(self->fd, self->buf, sizeof(self->buf), 0, &self->from)

TEST_F(asker, what_it_says_of_itself)
{
	int fds[2];

	EXPECT_EQ(FERRYPROTO_ECHO, sock_get(self->fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(SOCK_DGRAM, sock_get(self->fd, SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(-EPROTONOSUPPORT, make(SOCK_STREAM, FERRYPROTO_ECHO));
	EXPECT_EQ(-EPROTONOSUPPORT, make(SOCK_SEQPACKET, FERRYPROTO_ECHO));
	EXPECT_EQ(-EPROTONOSUPPORT, make(SOCK_DGRAM, FERRYPROTO_ECHO + 1));
	EXPECT_EQ(-1, socketpair(AF_FERRY, SOCK_DGRAM, FERRYPROTO_ECHO, fds));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

TEST_F(asker, answered)
{
	ASSERT_EQ(5, sock_send_to(self->fd, "hello", 5, &self->there));
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(5, ANSWER());
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
	EXPECT_EQ(NUMBER, self->from.sfy_port);
	EXPECT_EQ(0, memcmp(self->wire.fy1, self->from.sfy_addr, FERRY_ALEN));
	EXPECT_EQ(link_index("fy0"), self->from.sfy_ifindex);
	EXPECT_EQ(1, stat_of("OutEchoes"));
	EXPECT_EQ(0, stat_of("OutDatagrams"));
	EXPECT_EQ(1, stat_of("InEchoReplies"));
	EXPECT_EQ(0, stat_of("InDatagrams"));
}

TEST_F(asker, this_host)
{
	self->there = sfy(addr_any, NUMBER);
	ASSERT_EQ(5, sock_send_to(self->fd, "hello", 5, &self->there));
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(5, ANSWER());
	EXPECT_EQ(NUMBER, self->from.sfy_port);
	EXPECT_EQ(1, stat_of("OutEchoReplies"));
}

TEST_F(asker, every_size)
{
	static char data[MTU];
	size_t len;

	pattern_fill(data, sizeof(data), 3);
	for (len = 0; len <= MTU - FRAME_HLEN; len += len < 20 ? 1 : 73) {
		ASSERT_EQ(len, sock_send_to(self->fd, data, len, &self->there));
		ASSERT_NE(0, sock_wait(self->fd, POLLIN));
		ASSERT_EQ(len, ANSWER());
		EXPECT_TRUE(pattern_is(self->buf, len, 3));
	}
	len = MTU - FRAME_HLEN;
	ASSERT_EQ(len, sock_send_to(self->fd, data, len, &self->there));
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	EXPECT_EQ(len, ANSWER());
	EXPECT_EQ(-EMSGSIZE, sock_send_to(self->fd, data, len + 1, &self->there));
}

/* Payload in pages: the loop's MTU is large. */
TEST_F(asker, large)
{
	static char data[60000], got[60001];

	self->there = sfy(addr_any, NUMBER);
	pattern_fill(data, sizeof(data), 5);
	ASSERT_EQ(sizeof(data), sock_send_to(self->fd, data, sizeof(data),
					     &self->there));
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	ASSERT_EQ(sizeof(data), sock_recv(self->fd, got, sizeof(got), 0));
	EXPECT_TRUE(pattern_is(got, sizeof(data), 5));
}

TEST_F(asker, no_number)
{
	self->there.sfy_port = 0;
	EXPECT_EQ(-EINVAL, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(-EINVAL, sock_connect(self->fd, &self->there));
}

/* By whom, each on his own: this host, and the one at the wire's other end. */
TEST_F(asker, everyone)
{
	bool own = false, other = false;
	unsigned int dev;
	int i;

	self->there = sfy(addr_everyone, NUMBER);
	EXPECT_EQ(-EACCES, sock_send_to(self->fd, "x", 1, &self->there));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	for (i = 0; i < 2; i++) {
		ASSERT_NE(0, sock_wait(self->fd, POLLIN));
		ASSERT_EQ(1, ANSWER());
		dev = self->from.sfy_ifindex;
		if (!memcmp(self->from.sfy_addr, self->wire.fy0, FERRY_ALEN))
			own = dev == link_index("ferry0");
		if (!memcmp(self->from.sfy_addr, self->wire.fy1, FERRY_ALEN))
			other = dev == link_index("fy0");
	}
	EXPECT_TRUE(own);
	EXPECT_TRUE(other);
	EXPECT_TRUE(sock_empty(self->fd));
}

/* This host hears itself ask everyone, and has no way to answer. */
TEST_F(asker, no_way_back)
{
	ASSERT_EQ(0, link_down("ferry0"));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_BROADCAST, 1));
	self->there = sfy(addr_everyone, NUMBER);
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, stat_wait("OutDropDevice", 1));
	EXPECT_EQ(0, stat_of("OutEchoReplies"));
	EXPECT_EQ(1, sock_await(self->fd, self->buf, 1));
}

TEST_F(asker, no_group)
{
	struct sockaddr_ferry at = sfy(group, PORT);
	struct ferry_mreq mreq = { };

	self->there = sfy(group, NUMBER);
	EXPECT_EQ(-EINVAL, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(-EINVAL, sock_connect(self->fd, &self->there));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_bind(self->fd, &at));
	at = sfy(addr_everyone, PORT);
	EXPECT_EQ(-EADDRNOTAVAIL, sock_bind(self->fd, &at));
	memcpy(mreq.fmr_addr, group, FERRY_ALEN);
	EXPECT_EQ(-1, setsockopt(self->fd, SOL_FERRY, FERRY_ADD_MEMBERSHIP,
				 &mreq, sizeof(mreq)));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, setsockopt(self->fd, SOL_FERRY, FERRY_DROP_MEMBERSHIP,
				 &mreq, sizeof(mreq)));
	EXPECT_EQ(ENOPROTOOPT, errno);
}

/* What has its port among datagrams is another, and is not asked. */
TEST_F(asker, ports_of_their_own)
{
	struct sockaddr_ferry at = sfy(addr_any, PORT);
	int datagrams = dgram_at(PORT), second = echo();

	ASSERT_LE(0, datagrams);
	ASSERT_EQ(0, sock_bind(self->fd, &at));
	EXPECT_EQ(PORT, sock_port(self->fd));
	EXPECT_EQ(-EADDRINUSE, sock_bind(second, &at));
	ASSERT_EQ(1, sock_send_to(datagrams, "d", 1, &at));
	ASSERT_EQ(1, sock_await(datagrams, self->buf, 1));
	EXPECT_TRUE(sock_empty(self->fd));
	ASSERT_EQ(1, sock_send_to(self->fd, "e", 1, &self->there));
	ASSERT_EQ(1, sock_await(self->fd, self->buf, 1));
	EXPECT_EQ('e', self->buf[0]);
	EXPECT_TRUE(sock_empty(datagrams));
	close(datagrams);
	close(second);
}

TEST_F(asker, only_its_own_answers)
{
	int second = echo();

	ASSERT_EQ(1, sock_send_to(self->fd, "1", 1, &self->there));
	ASSERT_EQ(1, sock_send_to(second, "2", 1, &self->there));
	ASSERT_EQ(1, sock_await(self->fd, self->buf, 1));
	EXPECT_EQ('1', self->buf[0]);
	ASSERT_EQ(1, sock_await(second, self->buf, 1));
	EXPECT_EQ('2', self->buf[0]);
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_TRUE(sock_empty(second));
	close(second);
}

TEST_F(asker, connected)
{
	struct sockaddr_ferry other = sfy(self->wire.fy1, NUMBER + 1);

	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_EQ(1, sock_await(self->fd, self->buf, 1));
	ASSERT_EQ(1, sock_send_to(self->fd, "y", 1, &other));
	EXPECT_EQ(1, stat_wait("InDropStrayEchoReply", 1));
	EXPECT_TRUE(sock_empty(self->fd));
}

TEST_F(asker, no_rights)
{
	int fd;

	ASSERT_EQ(0, seteuid(65534));
	fd = echo();
	ASSERT_LE(0, fd);
	EXPECT_EQ(1, sock_send_to(fd, "x", 1, &self->there));
	EXPECT_EQ(1, sock_await(fd, self->buf, 1));
	EXPECT_EQ(0, seteuid(0));
	close(fd);
}

TEST_F(asker, wakes_a_reader)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd,
		.data = self->buf, .len = 1,
	};

	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, sleeper_join(&reader));
}

TEST_F(asker, filter)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &none };

	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_ATTACH_FILTER,
				&program, sizeof(program)));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, stat_wait("InDropFilter", 1));
	EXPECT_TRUE(sock_empty(self->fd));
}

/* What is not read is bounded by SO_RCVBUF. */
TEST_F(asker, receive_buffer)
{
	int i;

	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_RCVBUF, 0));
	for (i = 0; i < 100; i++)
		ASSERT_EQ(1000, sock_send_to(self->fd, self->buf, 1000,
					     &self->there));
	EXPECT_LE(1, stat_wait("InDropReceiveBuffer", 1));
}

TEST_F(asker, device_lost)
{
	struct sockaddr_ferry at = sfy_dev(addr_any, 0, "fy0");

	ASSERT_EQ(0, sock_bind(self->fd, &at));
	ASSERT_EQ(0, link_down("fy0"));
	EXPECT_EQ(ENETDOWN, sock_error(self->fd));
	EXPECT_EQ(-ENETDOWN, sock_send_to(self->fd, "x", 1, &self->there));
}

/* Nobody has asked. */
TEST_F(asker, stray)
{
	struct frame frame = frame_datagram(self->wire.fy1, self->wire.fy0,
					    NUMBER, PORT + 1, "x");
	struct sockaddr_ferry at = sfy(addr_any, PORT);
	int datagrams = dgram_at(PORT + 1), raw;

	ASSERT_EQ(0, sock_bind(self->fd, &at));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	raw = frame_socket("fy1");
	ASSERT_LE(0, raw);
	ASSERT_EQ(0, net_enter(self->wire.red));
	frame.kind = FRAME_ECHO_REPLY;
	frame.code = 1;
	ASSERT_EQ(0, frame_send(raw, &frame));
	EXPECT_EQ(1, stat_wait("InDropStrayEchoReply", 1));
	/* Nor to everyone. */
	frame.dport = PORT;
	memset(frame.dst, 0xff, FERRY_ALEN);
	ASSERT_EQ(0, frame_send(raw, &frame));
	EXPECT_EQ(2, stat_wait("InDropStrayEchoReply", 2));
	memcpy(frame.dst, self->wire.fy0, FERRY_ALEN);
	frame.code = 0;
	ASSERT_EQ(0, frame_send(raw, &frame));
	EXPECT_EQ(1, stat_wait("InDropMalformed", 1));
	EXPECT_TRUE(sock_empty(datagrams));
	EXPECT_TRUE(sock_empty(self->fd));
	EXPECT_EQ(0, stat_of("OutEchoReplies"));
	EXPECT_EQ(0, stat_of("OutUnreach"));
	close(raw);
	close(datagrams);
}

/* The version that comes with the next answer; 0 if none does. */
static int version_of_next(int fd)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	int version = 0;

	if (!sock_wait(fd, POLLIN) || recvmsg(fd, &msg, 0) != 1)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg)
		return 0;
	if (cmsg->cmsg_level != SOL_FERRY || cmsg->cmsg_type != FERRY_VERSION)
		return -EBADMSG;
	memcpy(&version, CMSG_DATA(cmsg), sizeof(version));
	return version;
}

TEST_F(asker, version)
{
	struct frame frame = frame_datagram(self->wire.fy1, self->wire.fy0,
					    NUMBER, PORT, "x");
	struct sockaddr_ferry at = sfy(addr_any, PORT);
	int raw, plain = dgram();

	ASSERT_EQ(0, sock_bind(self->fd, &at));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(0, version_of_next(self->fd));
	EXPECT_EQ(0, sock_get(self->fd, SOL_FERRY, FERRY_RECVVERSION));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_RECVVERSION, 1));
	EXPECT_EQ(1, sock_get(self->fd, SOL_FERRY, FERRY_RECVVERSION));
	ASSERT_EQ(1, sock_send_to(self->fd, "x", 1, &self->there));
	EXPECT_EQ(1, version_of_next(self->fd));

	/* One who speaks later versions, too. */
	ASSERT_EQ(0, net_enter(self->wire.blue));
	raw = frame_socket("fy1");
	ASSERT_EQ(0, net_enter(self->wire.red));
	frame.kind = FRAME_ECHO_REPLY;
	frame.code = 9;
	ASSERT_EQ(0, frame_send(raw, &frame));
	EXPECT_EQ(9, version_of_next(self->fd));

	EXPECT_EQ(-ENOPROTOOPT, sock_set(plain, SOL_FERRY, FERRY_RECVVERSION, 1));
	EXPECT_EQ(-ENOPROTOOPT, sock_get(plain, SOL_FERRY, FERRY_RECVVERSION));
	EXPECT_EQ(-ENOPROTOOPT, sock_set(self->fd, SOL_FERRY, FERRY_VERSION, 1));
	close(plain);
	close(raw);
}

TEST_HARNESS_MAIN
