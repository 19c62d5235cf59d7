// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of streams and records that say how they send and acknowledge: the largest
 * segment, what may be unsent, ACKs at once, accepting late. And what FERRY_INFO
 * tells of all that.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  fy0, or a peer-+--------+- fy1    Ferry   |
 *	|  made by hand   |        |         ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "peer.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000	/* Ferry's */
#define FROM	6000	/* the peer's */
#define HLEN	48	/* of a segment, in bytes */
#define MTU	1500

/* Wait until all that was sent is acknowledged. */
static bool acked(int fd)
{
	return conn_await_amount(fd, SIOCOUTQ, 0);
}

FIXTURE(tuning) {
	struct conn conn;
	struct ferry_info info;
	int fd;
	char buf[100000];
};

FIXTURE_VARIANT(tuning) {
	int type;
};

FIXTURE_VARIANT_ADD(tuning, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(tuning, record) { .type = SOCK_SEQPACKET };

FIXTURE_SETUP(tuning)
{
	ASSERT_LE(0, net_new());
	self->fd = conn_socket(variant->type);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, conn_pair(&self->conn, variant->type, PORT));
}

FIXTURE_TEARDOWN(tuning)
{
	conn_close(&self->conn);
	close(self->fd);
}

/*
 * SO_SNDBUF, of who has not set it
 */

/* Ten segments in flight and ten in wait have room, be they as large as here. */
TEST_F(tuning, sndbuf__of_a_connection)
{
	int least = 2 * 10 * (65535 - HLEN), fd = self->conn.client;

	EXPECT_LE(least, sock_get(fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_LE(least, sock_get(self->conn.server, SOL_SOCKET, SO_SNDBUF));
	/* That is what can be written when nobody reads. */
	EXPECT_LE(1000000, conn_fill(fd, self->conn.server));
}

/* Never beyond the limit, and who has set it keeps what he has. */
TEST_F(tuning, sndbuf__limited)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int server;

	ASSERT_EQ(0, sysctl_set("wmem", "4096 262144 300000"));
	ASSERT_EQ(0, sock_set(self->conn.listener, SOL_SOCKET, SO_SNDBUF, 50000));
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	server = conn_accept(self->conn.listener);
	ASSERT_LE(0, server);
	EXPECT_EQ(300000, sock_get(self->fd, SOL_SOCKET, SO_SNDBUF));
	EXPECT_EQ(100000, sock_get(server, SOL_SOCKET, SO_SNDBUF));
	close(server);
}

/*
 * FERRY_MAXSEG
 */

TEST_F(tuning, maxseg__limits)
{
	EXPECT_EQ(0, sock_get(self->fd, SOL_FERRY, FERRY_MAXSEG));
	EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_MAXSEG, 216));
	EXPECT_EQ(216, sock_get(self->fd, SOL_FERRY, FERRY_MAXSEG));
	EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_MAXSEG, 65535));
	EXPECT_EQ(-EINVAL, sock_set(self->fd, SOL_FERRY, FERRY_MAXSEG, 65536));
	EXPECT_EQ(-EINVAL, sock_set(self->fd, SOL_FERRY, FERRY_MAXSEG, 215));
	EXPECT_EQ(-EINVAL, sock_set(self->fd, SOL_FERRY, FERRY_MAXSEG, -1));
	EXPECT_EQ(65535, sock_get(self->fd, SOL_FERRY, FERRY_MAXSEG));
	EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_MAXSEG, 0));
	EXPECT_EQ(0, sock_get(self->fd, SOL_FERRY, FERRY_MAXSEG));
}

/* Either end's counts for both; and the bytes know nothing of it. */
TEST_F(tuning, maxseg__kept_by_both)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int i, server;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, sock_set(i ? self->conn.listener : self->fd,
				      SOL_FERRY, FERRY_MAXSEG, 500));
		if (i)
			self->fd = conn_socket(variant->type);
		ASSERT_EQ(0, sock_connect(self->fd, &to));
		server = conn_accept(self->conn.listener);
		ASSERT_LE(0, server);
		EXPECT_EQ(500, sock_get(self->fd, SOL_FERRY, FERRY_MAXSEG));
		EXPECT_EQ(500, sock_get(server, SOL_FERRY, FERRY_MAXSEG));
		pattern_fill(self->buf, 5000, 1);
		ASSERT_EQ(5000, sock_send(server, self->buf, 5000, 0));
		ASSERT_TRUE(acked(server));
		ASSERT_EQ(0, conn_info(server, &self->info));
		EXPECT_EQ(10, self->info.fyi_data_segs_out);
		EXPECT_EQ(500, self->info.fyi_snd_mss);
		ASSERT_EQ(5000, recv_all(self->fd, self->buf, 5000));
		EXPECT_TRUE(pattern_is(self->buf, 5000, 1));
		conn_reset(self->fd);
		close(server);
	}
	self->fd = -1;
}

/* What is set in the middle is not this connection's. */
TEST_F(tuning, maxseg__not_now)
{
	ASSERT_EQ(0, sock_set(self->conn.client, SOL_FERRY, FERRY_MAXSEG, 500));
	EXPECT_EQ(65535 - HLEN, sock_get(self->conn.client, SOL_FERRY,
					 FERRY_MAXSEG));
	/* More than the device takes is as much as it takes. */
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_MAXSEG, 65535));
	ASSERT_EQ(0, sock_connect(self->fd, &(struct sockaddr_ferry) {
		.sfy_family = AF_FERRY, .sfy_port = PORT }));
	EXPECT_EQ(65535 - HLEN, sock_get(self->fd, SOL_FERRY, FERRY_MAXSEG));
}

/*
 * FERRY_INQ
 */

/* Read at most @len bytes. Return: what is told to be left, or -1: nothing is. */
static int left_after(int fd, size_t len)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char buf[16];
	struct iovec iov = { buf, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	if (recvmsg(fd, &msg, MSG_DONTWAIT) < 0)
		return -errno;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_level != SOL_FERRY ||
	    cmsg->cmsg_type != FERRY_INQ)
		return -1;
	return *(int *)CMSG_DATA(cmsg);
}

TEST_F(tuning, inq)
{
	int client = self->conn.client, server = self->conn.server;

	if (variant->type == SOCK_SEQPACKET) {
		EXPECT_EQ(-EOPNOTSUPP, sock_set(server, SOL_FERRY, FERRY_INQ, 1));
		EXPECT_EQ(0, sock_get(server, SOL_FERRY, FERRY_INQ));
		return;
	}
	EXPECT_EQ(-EINVAL, sock_set(server, SOL_FERRY, FERRY_INQ, 2));
	EXPECT_EQ(-EINVAL, sock_set(server, SOL_FERRY, FERRY_INQ, -1));
	ASSERT_EQ(10, sock_send(client, "0123456789", 10, 0));
	ASSERT_TRUE(conn_await_amount(server, SIOCINQ, 10));
	EXPECT_EQ(-1, left_after(server, 1));
	ASSERT_EQ(0, sock_set(server, SOL_FERRY, FERRY_INQ, 1));
	EXPECT_EQ(6, left_after(server, 3));
	EXPECT_EQ(0, left_after(server, 16));
	EXPECT_EQ(-EAGAIN, left_after(server, 16));
	/* The end is one to be read, before it was and after it. */
	ASSERT_EQ(2, sock_send(client, "89", 2, 0));
	ASSERT_EQ(0, sock_shutdown(client, SHUT_WR));
	ASSERT_NE(0, sock_wait(server, POLLRDHUP));
	EXPECT_EQ(2, left_after(server, 1));
	EXPECT_EQ(1, left_after(server, 1));
	EXPECT_EQ(1, left_after(server, 1));
}

/*
 * FERRY_QUICKACK
 */

TEST_F(tuning, quickack__off)
{
	ASSERT_EQ(1, sock_get(self->conn.server, SOL_FERRY, FERRY_QUICKACK));
	ASSERT_EQ(0, sock_set(self->conn.server, SOL_FERRY, FERRY_QUICKACK, 0));
	EXPECT_EQ(0, sock_get(self->conn.server, SOL_FERRY, FERRY_QUICKACK));
}

TEST_F(tuning, quickack__on)
{
	ASSERT_EQ(1, sock_send(self->conn.client, "x", 1, 0));
	ASSERT_TRUE(acked(self->conn.client));
	EXPECT_EQ(0, stat_of("DelayedAcks"));
	/* Who answers is quick no more: what he sends takes the ACK along. */
	ASSERT_EQ(1, sock_send(self->conn.server, "y", 1, 0));
	EXPECT_EQ(0, sock_get(self->conn.server, SOL_FERRY, FERRY_QUICKACK));
	ASSERT_EQ(0, sock_set(self->conn.server, SOL_FERRY, FERRY_QUICKACK, 1));
	EXPECT_EQ(1, sock_get(self->conn.server, SOL_FERRY, FERRY_QUICKACK));
	ASSERT_EQ(1, sock_send(self->conn.client, "x", 1, 0));
	ASSERT_TRUE(acked(self->conn.client));
	EXPECT_EQ(0, stat_of("DelayedAcks"));
}

/* Set before there is a connection; a listener's is the accepted socket's. */
TEST_F(tuning, quickack__before)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int server;

	EXPECT_EQ(1, sock_get(self->fd, SOL_FERRY, FERRY_QUICKACK));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_QUICKACK, 0));
	ASSERT_EQ(0, sock_set(self->conn.listener, SOL_FERRY, FERRY_QUICKACK,
			      0));
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	server = conn_accept(self->conn.listener);
	EXPECT_EQ(0, sock_get(self->fd, SOL_FERRY, FERRY_QUICKACK));
	EXPECT_EQ(0, sock_get(server, SOL_FERRY, FERRY_QUICKACK));
	close(server);
}

/*
 * FERRY_NOTSENT_LOWAT
 */

#define LOWAT	5000

/*
 * Write until so much is unsent that nothing more may be, and nothing is on its way
 * that would change that. (Small records may cost more than there is memory for; those
 * are sent again and again. Once they were, and in vain, nothing else is on its way.)
 */
static int fill_up(int fd, char *buf)
{
	struct ferry_info info;
	ssize_t sent;
	int err;

	do {
		sent = sock_send(fd, buf, 1000, MSG_DONTWAIT);
		if (sent < 0 && sent != -EAGAIN)
			return sent;
		err = conn_info(fd, &info);
		if (err)
			return err;
	} while (sent > 0 || info.fyi_notsent < LOWAT ||
		 (info.fyi_unacked && info.fyi_backoff < 2));
	return 0;
}

/* What lies unsent is bounded, though the buffer has room. */
TEST_F(tuning, lowat__poll)
{
	int fd = self->conn.client, unsent;

	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_SNDBUF, 2000000));
	ASSERT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_NOTSENT_LOWAT, LOWAT));
	EXPECT_EQ(LOWAT, sock_get(fd, SOL_FERRY, FERRY_NOTSENT_LOWAT));
	ASSERT_EQ(0, fill_up(fd, self->buf));
	unsent = conn_amount(fd, SIOCOUTQNSD);
	EXPECT_LE(LOWAT, unsent);
	EXPECT_GE(LOWAT + 1001, unsent);
	EXPECT_EQ(0, sock_events(fd) & POLLOUT);
	ASSERT_EQ(0, conn_info(fd, &self->info));
	EXPECT_EQ(unsent, self->info.fyi_notsent);
	/* Without the limit there is room at once; and with it again when read. */
	ASSERT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_NOTSENT_LOWAT, 0));
	EXPECT_NE(0, sock_events(fd) & POLLOUT);
	ASSERT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_NOTSENT_LOWAT, LOWAT));
	EXPECT_EQ(0, sock_events(fd) & POLLOUT);
	/* For who waits it is half of it. */
	while (conn_amount(fd, SIOCOUTQNSD) >= LOWAT / 2) {
		EXPECT_EQ(0, sock_events(fd) & POLLOUT);
		ASSERT_LT(0, sock_await(self->conn.server, self->buf, 500));
	}
	EXPECT_NE(0, sock_wait(fd, POLLOUT) & POLLOUT);
}

/* A change of the option wakes who waits; so does what is sent. */
TEST_F(tuning, lowat__blocks)
{
	struct sleeper writer = {
		.call = sleep_in_send, .fd = self->conn.client,
		.data = self->buf, .len = 1000,
	};
	int fd = self->conn.client, i;

	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_SNDBUF, 2000000));
	ASSERT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_NOTSENT_LOWAT, LOWAT));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, fill_up(fd, self->buf));
		ASSERT_TRUE(sleeper_start(&writer, SYS_sendto));
		if (!i)
			ASSERT_EQ(0, sock_set(fd, SOL_FERRY,
					      FERRY_NOTSENT_LOWAT, 1000000));
		while (i && conn_amount(fd, SIOCOUTQNSD) >= LOWAT)
			ASSERT_LT(0, sock_await(self->conn.server, self->buf,
						sizeof(self->buf)));
		EXPECT_EQ(1000, sleeper_join(&writer));
		ASSERT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_NOTSENT_LOWAT,
				      LOWAT));
	}
}

/*
 * FERRY_DEFER_ACCEPT
 */

TEST_F(tuning, defer__seconds)
{
	static const struct { int set, get; } some[] = {
		{ 0, 0 }, { -5, 0 }, { 1, 1 }, { 2, 3 }, { 3, 3 }, { 4, 7 },
		{ 100, 127 }, { 128, 247 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_DEFER_ACCEPT,
				      some[i].set));
		EXPECT_EQ(some[i].get, sock_get(self->fd, SOL_FERRY,
						FERRY_DEFER_ACCEPT));
	}
}

/* Nobody is accepted who has nothing to say. */
TEST_F(tuning, defer__until_data)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int listener = self->conn.listener, server;
	long put_off = stat_of("InDropRequest");

	ASSERT_EQ(0, sock_set(listener, SOL_FERRY, FERRY_DEFER_ACCEPT, 60));
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	ASSERT_LT(put_off, stat_wait("InDropRequest", put_off + 1));
	EXPECT_EQ(0, sock_events(listener));
	EXPECT_EQ(-EAGAIN, conn_accept_now(listener));
	ASSERT_EQ(5, sock_send(self->fd, "hello", 5, 0));
	server = conn_accept(listener);
	ASSERT_LE(0, server);
	EXPECT_EQ(5, sock_await(server, self->buf, 64));
	EXPECT_EQ(0, memcmp("hello", self->buf, 5));
	close(server);
}

/* An end is something, too. */
TEST_F(tuning, defer__until_the_end)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int listener = self->conn.listener, server;

	ASSERT_EQ(0, sock_set(listener, SOL_FERRY, FERRY_DEFER_ACCEPT, 60));
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	EXPECT_EQ(-EAGAIN, conn_accept_now(listener));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	server = conn_accept(listener);
	ASSERT_LE(0, server);
	EXPECT_EQ(0, sock_await(server, self->buf, 64));
	close(server);
}

/* Or the time is over: the SYN-ACK comes again, and its ACK is enough. */
TEST_F(tuning, defer__until_its_time)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int listener = self->conn.listener, server;
	long again = stat_of("RetransSegs"), start = clock_ms();

	ASSERT_EQ(0, sock_set(listener, SOL_FERRY, FERRY_DEFER_ACCEPT, 1));
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	EXPECT_EQ(-EAGAIN, conn_accept_now(listener));
	server = conn_accept(listener);
	ASSERT_LE(0, server);
	EXPECT_LE(900, clock_ms() - start);
	EXPECT_EQ(again + 1, stat_of("RetransSegs"));
	ASSERT_EQ(1, sock_send(server, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->fd, self->buf, 1));
	close(server);
}

/*
 * FERRY_INFO
 */

TEST_F(tuning, info__socket)
{
	struct ferry_info empty = {
		.fyi_state = TCP_CLOSE,
		.fyi_flags = variant->type == SOCK_SEQPACKET ?
			     FERRY_INFO_RECORDS : 0,
	};

	ASSERT_EQ(0, conn_info(self->fd, &self->info));
	EXPECT_EQ(0, memcmp(&empty, &self->info, sizeof(empty)));
	EXPECT_EQ(-1, setsockopt(self->fd, SOL_FERRY, FERRY_INFO, &self->info,
				 sizeof(self->info)));
	EXPECT_EQ(ENOPROTOOPT, errno);
}

/* A short buffer has the first part; a long one is told what there is. */
TEST_F(tuning, info__length)
{
	struct { struct ferry_info info; int beyond; } room;
	socklen_t len = sizeof(room);

	memset(&room, 0xaa, sizeof(room));
	ASSERT_EQ(0, getsockopt(self->fd, SOL_FERRY, FERRY_INFO, &room, &len));
	EXPECT_EQ(sizeof(struct ferry_info), len);
	EXPECT_EQ(0xaaaaaaaa, (unsigned int)room.beyond);
	len = 1;
	memset(&room, 0xaa, sizeof(room));
	ASSERT_EQ(0, getsockopt(self->fd, SOL_FERRY, FERRY_INFO, &room, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(TCP_CLOSE, room.info.fyi_state);
	EXPECT_EQ(0xaa, room.info.fyi_cong_state);
	len = -1;
	EXPECT_EQ(-1, getsockopt(self->fd, SOL_FERRY, FERRY_INFO, &room, &len));
	EXPECT_EQ(EINVAL, errno);
	len = sizeof(room);
	EXPECT_EQ(-1, getsockopt(self->fd, SOL_FERRY, FERRY_INFO, (void *)8,
				 &len));
	EXPECT_EQ(EFAULT, errno);
}

/* Of a listener: who waits, and how many may. */
TEST_F(tuning, info__listener)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int listener = self->conn.listener;

	ASSERT_EQ(0, listen(listener, 3));
	ASSERT_EQ(0, conn_info(listener, &self->info));
	EXPECT_EQ(TCP_LISTEN, self->info.fyi_state);
	EXPECT_EQ(0, self->info.fyi_unacked);
	EXPECT_EQ(3, self->info.fyi_sacked);
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	ASSERT_NE(0, sock_wait(listener, POLLIN));
	ASSERT_EQ(0, conn_info(listener, &self->info));
	EXPECT_EQ(1, self->info.fyi_unacked);
}

TEST_F(tuning, info__transfer)
{
	bool records = variant->type == SOCK_SEQPACKET;
	int client = self->conn.client, server = self->conn.server, i;

	/* A record's end has a number, too. */
	for (i = 0; i < 10; i++)
		ASSERT_EQ(1000, sock_send(client, self->buf, 1000, 0));
	ASSERT_TRUE(acked(client));
	ASSERT_EQ(0, conn_info(client, &self->info));
	EXPECT_EQ(TCP_ESTABLISHED, self->info.fyi_state);
	EXPECT_EQ(FERRY_INFO_OPEN, self->info.fyi_cong_state);
	EXPECT_EQ(records ? FERRY_INFO_RECORDS : 0,
		  self->info.fyi_flags & ~FERRY_INFO_SHORT_WAY);
	EXPECT_EQ(65535, self->info.fyi_pmtu);
	EXPECT_EQ(65535 - HLEN, self->info.fyi_adv_mss);
	EXPECT_EQ(10000, self->info.fyi_bytes_sent);
	EXPECT_EQ(records ? 10010 : 10000, self->info.fyi_bytes_acked);
	EXPECT_EQ(0, self->info.fyi_bytes_received);
	EXPECT_EQ(0, self->info.fyi_bytes_retrans);
	EXPECT_EQ(0, self->info.fyi_retrans);
	EXPECT_EQ(0, self->info.fyi_unacked);
	EXPECT_EQ(0, self->info.fyi_notsent);
	EXPECT_LE(1, self->info.fyi_data_segs_out);
	EXPECT_GE(10, self->info.fyi_data_segs_out);
	EXPECT_LE(self->info.fyi_data_segs_out, self->info.fyi_segs_out);
	EXPECT_LT(0, self->info.fyi_rtt);
	EXPECT_LT(0, self->info.fyi_min_rtt);
	EXPECT_LE(self->info.fyi_min_rtt, self->info.fyi_rtt);
	EXPECT_LE(self->info.fyi_rtt, self->info.fyi_rto);
	EXPECT_LT(0, self->info.fyi_delivery_rate);
	EXPECT_LT(0, self->info.fyi_snd_cwnd);
	EXPECT_LT(0, self->info.fyi_snd_wnd);

	ASSERT_EQ(0, conn_info(server, &self->info));
	EXPECT_NE(0, self->info.fyi_flags & FERRY_INFO_PASSIVE);
	EXPECT_EQ(records ? 10010 : 10000, self->info.fyi_bytes_received);
	EXPECT_EQ(0, self->info.fyi_bytes_sent);
	EXPECT_EQ(10000, self->info.fyi_unread);
	EXPECT_LE(1, self->info.fyi_data_segs_in);
	EXPECT_LT(0, self->info.fyi_rcv_wnd);
	EXPECT_LT(0, self->info.fyi_rcv_space);
	ASSERT_EQ(1000, sock_recv(server, self->buf, 1000, 0));
	ASSERT_EQ(0, conn_info(server, &self->info));
	EXPECT_EQ(9000, self->info.fyi_unread);
}

/* The short way is told of, and by which way the next one goes. */
TEST_F(tuning, info__short_way)
{
	ASSERT_EQ(0, conn_info(self->conn.client, &self->info));
	EXPECT_NE(0, self->info.fyi_flags & FERRY_INFO_SHORT_WAY);
	ASSERT_EQ(0, sysctl_set("short_way", "0"));
	ASSERT_EQ(0, conn_info(self->conn.client, &self->info));
	EXPECT_EQ(0, self->info.fyi_flags & FERRY_INFO_SHORT_WAY);
}

/* Each state, as it comes; and after the end what there was. */
TEST_F(tuning, info__states)
{
	int client = self->conn.client, server = self->conn.server;

	ASSERT_EQ(0, sock_shutdown(client, SHUT_WR));
	ASSERT_TRUE(acked(client));
	ASSERT_EQ(0, conn_info(client, &self->info));
	EXPECT_EQ(TCP_FIN_WAIT2, self->info.fyi_state);
	ASSERT_EQ(0, conn_info(server, &self->info));
	EXPECT_EQ(TCP_CLOSE_WAIT, self->info.fyi_state);
	ASSERT_EQ(7, sock_send(server, "goodbye", 7, 0));
	conn_reset(client);
	self->conn.client = -1;
	ASSERT_NE(0, sock_wait(server, 0) & POLLHUP);
	ASSERT_EQ(0, conn_info(server, &self->info));
	EXPECT_EQ(TCP_CLOSE, self->info.fyi_state);
	EXPECT_EQ(7, self->info.fyi_bytes_sent);
}

/* Datagrams have no connection. */
TEST(datagrams)
{
	static const int options[] = {
		FERRY_MAXSEG, FERRY_NOTSENT_LOWAT, FERRY_QUICKACK, FERRY_INQ,
		FERRY_DEFER_ACCEPT, FERRY_INFO,
	};
	int fd = dgram(), i;

	for (i = 0; i < ARRAY_SIZE(options); i++) {
		EXPECT_EQ(-ENOPROTOOPT, sock_set(fd, SOL_FERRY, options[i], 1));
		EXPECT_EQ(-ENOPROTOOPT, sock_get(fd, SOL_FERRY, options[i]));
	}
	close(fd);
}

FIXTURE(by_hand) {
	struct wire wire;
	struct peer peer;
	struct seg seg, got;
	struct ferry_info info;
	int listener, fd;
	__u64 first;
	char buf[50000];
};

FIXTURE_SETUP(by_hand)
{
	ASSERT_EQ(0, peer_open(&self->peer, &self->wire, FROM, PORT));
	self->listener = conn_listen(SOCK_STREAM, PORT, 5);
	ASSERT_LE(0, self->listener);
	self->peer.window = 5000;
	ASSERT_EQ(0, peer_connect(&self->peer, NULL));
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
	self->first = self->peer.ack;
}

FIXTURE_TEARDOWN(by_hand)
{
	peer_close(&self->peer);
	close(self->fd);
	close(self->listener);
}

/*
 * Nothing is acknowledged, but more may be sent: so less is unsent, and who waits
 * for that must hear of it.
 */
TEST_F(by_hand, lowat__sent_is_enough)
{
	struct sleeper writer = {
		.call = sleep_in_send, .fd = self->fd, .data = self->buf,
		.len = 10,
	};

	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_NOTSENT_LOWAT, 1000));
	ASSERT_EQ(8000, sock_send(self->fd, self->buf, 8000, MSG_DONTWAIT));
	ASSERT_TRUE(sleeper_start(&writer, SYS_sendto));
	self->seg = peer_seg(&self->peer, SEG_DATA);
	self->seg.window = 40000;
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	EXPECT_EQ(10, sleeper_join(&writer));
	ASSERT_EQ(0, conn_info(self->fd, &self->info));
	EXPECT_LE(8000, self->info.fyi_unacked);
	EXPECT_EQ(0, self->info.fyi_bytes_acked);
}

/* The peer asks for nothing: its byte's ACK takes its time, or leaves at once. */
TEST_F(by_hand, quickack)
{
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_QUICKACK, 0));
	self->seg = peer_data(&self->peer, 0, 1);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, 0, &self->got));
	EXPECT_EQ(1, stat_of("DelayedAcks"));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_QUICKACK, 1));
	self->seg = peer_data(&self->peer, 1, 1);
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, 0, &self->got));
	EXPECT_EQ(1, stat_of("DelayedAcks"));
}

/* What is lost, what came ahead of its turn, and what is sent again. */
TEST_F(by_hand, info__losses)
{
	ASSERT_EQ(5000, sock_send(self->fd, self->buf, 5000, 0));
	ASSERT_EQ(0, conn_info(self->fd, &self->info));
	EXPECT_EQ(5000, self->info.fyi_unacked);
	EXPECT_EQ(5000, self->info.fyi_in_flight);
	EXPECT_EQ(PEER_MSS, self->info.fyi_snd_mss);
	EXPECT_EQ(MTU - HLEN, self->info.fyi_adv_mss);
	EXPECT_EQ(MTU, self->info.fyi_pmtu);
	EXPECT_EQ(5, self->info.fyi_data_segs_out);
	EXPECT_EQ(5000, self->info.fyi_snd_wnd);
	/* The last has arrived, of the others nothing is known. */
	self->seg = peer_seg(&self->peer, SEG_DATA);
	self->seg.nsack = 1;
	self->seg.sack[0].start = 4000;
	self->seg.sack[0].end = 5000;
	ASSERT_EQ(0, peer_send(&self->peer, &self->seg));
	ASSERT_LT(0, stat_wait("RetransSegs", 1));
	ASSERT_EQ(0, conn_info(self->fd, &self->info));
	EXPECT_EQ(1000, self->info.fyi_sacked);
	EXPECT_EQ(FERRY_INFO_RECOVERY, self->info.fyi_cong_state);
	EXPECT_EQ(5000, self->info.fyi_unacked);
	EXPECT_EQ(self->info.fyi_unacked, self->info.fyi_in_flight +
		  self->info.fyi_lost + self->info.fyi_sacked);
	EXPECT_LE(1, self->info.fyi_retrans);
	EXPECT_EQ(self->info.fyi_bytes_sent,
		  5000 + self->info.fyi_bytes_retrans);
	EXPECT_GT(0x7fffffff, self->info.fyi_snd_ssthresh);
}

TEST_F(by_hand, info__ahead)
{
	self->seg = peer_data(&self->peer, 100, 100);
	ASSERT_EQ(1, peer_answers(&self->peer, &self->seg, &self->got));
	ASSERT_EQ(0, conn_info(self->fd, &self->info));
	EXPECT_EQ(1, self->info.fyi_ahead);
	EXPECT_EQ(0, self->info.fyi_bytes_received);
	EXPECT_EQ(0, self->info.fyi_unread);
	self->seg = peer_data(&self->peer, 0, 100);
	ASSERT_EQ(1, peer_answers(&self->peer, &self->seg, &self->got));
	ASSERT_EQ(0, conn_info(self->fd, &self->info));
	EXPECT_EQ(0, self->info.fyi_ahead);
	EXPECT_EQ(200, self->info.fyi_bytes_received);
	EXPECT_EQ(2, self->info.fyi_data_segs_in);
}

/* The largest segment is in the SYN-ACK, for the peer to keep to. */
TEST_F(by_hand, maxseg__offered)
{
	struct peer other;

	ASSERT_EQ(0, sock_set(self->listener, SOL_FERRY, FERRY_MAXSEG, 700));
	ASSERT_EQ(0, peer_another(&other, &self->wire, FROM + 1, PORT));
	ASSERT_EQ(0, peer_connect(&other, &self->got));
	EXPECT_EQ(700, self->got.mss);
	peer_close(&other);
}

TEST_HARNESS_MAIN
