// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short way: connections within the host go past the loop's card, unless
 * somebody is there to see, delay or change what crosses it.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "frame.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define LARGE	(1 << 20)
#define SRC_MAC	6	/* in an Ethernet header */

FIXTURE(way) {
	struct conn conn;
	int a, b;
};

FIXTURE_SETUP(way)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
}

FIXTURE_TEARDOWN(way)
{
	conn_close(&self->conn);
}

/*
 * There and back, each way once.
 *
 * Return: 0, or -errno.
 */
static int exchange(int a, int b)
{
	char text[16];
	ssize_t got;

	if (send_all(a, "there", 5) != 5 || send_all(b, "back", 4) != 4)
		return -errno;
	got = recv_all(b, text, 5);
	if (got != 5 || memcmp(text, "there", 5))
		return got < 0 ? got : -EBADMSG;
	got = recv_all(a, text, 4);
	if (got != 4 || memcmp(text, "back", 4))
		return got < 0 ? got : -EBADMSG;
	return 0;
}

/* Wait until all is acknowledged, so that no segment is on its way or held back. */
static bool settled(int a, int b)
{
	return conn_await_amount(a, SIOCOUTQ, 0) &&
	       conn_await_amount(b, SIOCOUTQ, 0);
}

/* By which way did an exchange go: the 's'hort one, by the 'c'ard, or '?'. */
static int way_of(int a, int b)
{
	long all, some;

	if (!settled(a, b))
		return '?';
	all = stat_of("OutSegs");
	some = stat_of("OutShortWay");
	if (exchange(a, b) || !settled(a, b))
		return '?';
	all = stat_of("OutSegs") - all;
	some = stat_of("OutShortWay") - some;
	if (!some)
		return 'c';
	return some == all ? 's' : '?';
}

TEST_F(way, is_short)
{
	EXPECT_EQ('s', way_of(self->a, self->b));
}

TEST_F(way, is_the_card_s_by_setting)
{
	ASSERT_EQ(0, sysctl_set("short_way", "0"));
	EXPECT_EQ('c', way_of(self->a, self->b));
	ASSERT_EQ(0, sysctl_set("short_way", "1"));
	EXPECT_EQ('s', way_of(self->a, self->b));
	EXPECT_EQ(-EINVAL, sysctl_set("short_way", "2"));
}

/* Nothing but segments of connections. */
TEST_F(way, is_not_a_datagram_s)
{
	long short_way = stat_of("OutShortWay");
	int at = dgram_at(PORT), to = dgram_to(PORT);
	char buf[8];

	ASSERT_LE(0, at);
	ASSERT_LE(0, to);
	ASSERT_EQ(1, sock_send(to, "x", 1, 0));
	EXPECT_EQ(1, sock_await(at, buf, sizeof(buf)));
	EXPECT_EQ(short_way, stat_of("OutShortWay"));
	close(at);
	close(to);
}

static int tap(int protocol)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = link_index("ferry0"),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&ll, sizeof(ll))) {
		close(fd);
		fd = -1;
	}
	return fd < 0 ? -errno : fd;
}

static const int protocols[] = { ETH_P_ALL, ETH_P_FERRY };

TEST_F(way, gives_way_to_a_tap)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	char frame[256];
	size_t i;
	int fd;

	for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		fd = tap(protocols[i]);
		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
					sizeof(limit)));
		EXPECT_EQ('c', way_of(self->a, self->b));
		EXPECT_LT(ETH_HLEN, recv(fd, frame, sizeof(frame), 0));
		close(fd);
		EXPECT_EQ('s', way_of(self->a, self->b));
	}
}

TEST_F(way, gives_way_to_a_queueing_discipline)
{
	struct netem none = { .limit = 1000 };

	ASSERT_EQ(0, link_netem("ferry0", &none));
	EXPECT_EQ('c', way_of(self->a, self->b));
	ASSERT_EQ(0, link_unhold("ferry0"));
	EXPECT_EQ('s', way_of(self->a, self->b));
}

static int let_all_pass(void)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = TC_ACT_OK },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = (unsigned long)code,
		.insn_cnt = 2,
		.license = (unsigned long)"GPL",
	};
	int prog = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	return prog < 0 ? -errno : prog;
}

TEST_F(way, gives_way_to_a_classifier)
{
	int prog = let_all_pass();

	ASSERT_LE(0, prog);
	ASSERT_EQ(0, link_egress_program("ferry0", prog));
	EXPECT_EQ('c', way_of(self->a, self->b));
	close(prog);
}

/* A filter of the socket sees what it would see of a frame. */
TEST_F(way, has_the_frame_s_addresses)
{
	unsigned char addr[FERRY_ALEN];
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_LL_OFF + SRC_MAC),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, -1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { 4, code };
	long filtered;

	ASSERT_EQ(0, link_address("ferry0", addr));
	memcpy(&code[1].k, addr, sizeof(code[1].k));
	code[1].k = ntohl(code[1].k);
	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				sizeof(prog)));
	EXPECT_EQ('s', way_of(self->a, self->b));

	code[1].k++;
	filtered = stat_of("InDropFilter");
	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				sizeof(prog)));
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	EXPECT_LT(filtered, stat_wait("InDropFilter", filtered + 1));
}

static long usecs(const struct timeval *tv)
{
	return tv->tv_sec * 1000000L + tv->tv_usec;
}

static long now_usecs(void)
{
	struct timeval tv;

	gettimeofday(&tv, NULL);
	return usecs(&tv);
}

/*
 * Read one byte, when "now" is later than its arrival.
 *
 * Return: its stamp in microseconds, or -1.
 */
static long stamp_of_byte(int fd)
{
	char buf[8], control[64];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	struct timeval tv;

	if (!(sock_wait(fd, POLLIN) & POLLIN))
		return -1;
	usleep(20000);
	if (recvmsg(fd, &msg, 0) != 1)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_type != SO_TIMESTAMP)
		return -1;
	memcpy(&tv, CMSG_DATA(cmsg), sizeof(tv));
	return usecs(&tv);
}

TEST_F(way, stamps_the_arrival)
{
	long before, after, stamp;

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_TIMESTAMP, 1));
	before = now_usecs();
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	after = now_usecs();
	stamp = stamp_of_byte(self->b);
	EXPECT_LE(before, stamp);
	EXPECT_GT(after + 10000, stamp);
}

/*
 * Two connect before the other has ended its handshake, and there is room for one:
 * what comes of the second one's next segment, when there is room, completes it.
 */
TEST_F(way, stamps_what_completes_a_handshake)
{
	struct netem slow = { .delay_ms = 50, .limit = 1000 };
	struct sockaddr_ferry at = sfy(addr_any, PORT + 1);
	long overflows = stat_of("ListenOverflows"), before, after, stamp;
	int listener, client[2], fd[2], i;

	listener = conn_listen(SOCK_STREAM, PORT + 1, 0);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, sock_set(listener, SOL_SOCKET, SO_TIMESTAMP, 1));
	ASSERT_EQ(0, link_netem("ferry0", &slow));
	for (i = 0; i < 2; i++) {
		client[i] = conn_start(SOCK_STREAM, &at);
		ASSERT_LE(0, client[i]);
	}
	for (i = 0; i < 2; i++)
		ASSERT_TRUE(sock_wait(client[i], POLLOUT) & POLLOUT);
	EXPECT_LT(overflows, stat_wait("ListenOverflows", overflows + 1));
	ASSERT_EQ(0, link_unhold("ferry0"));

	before = now_usecs();
	for (i = 0; i < 2; i++)
		ASSERT_EQ(1, sock_send(client[i], "x", 1, 0));
	fd[0] = conn_accept(listener);
	fd[1] = conn_accept(listener);
	after = now_usecs();
	for (i = 0; i < 2; i++)
		ASSERT_LE(0, fd[i]);
	stamp = stamp_of_byte(fd[1]);
	EXPECT_LE(before, stamp);
	EXPECT_GE(after, stamp);
	for (i = 0; i < 2; i++) {
		close(fd[i]);
		close(client[i]);
	}
	close(listener);
}

/* A tap comes and goes while bytes flow: all arrive, each once, in order. */
TEST_F(way, changes_in_the_middle)
{
	char *sent = malloc(LARGE), *got = malloc(LARGE);
	size_t done = 0, step = LARGE / 64;
	int fd = -1;

	ASSERT_NE(NULL, sent);
	ASSERT_NE(NULL, got);
	pattern_fill(sent, LARGE, 7);
	while (done < LARGE) {
		ASSERT_EQ(step, send_all(self->a, sent + done, step));
		if (fd < 0) {
			fd = tap(ETH_P_ALL);
			ASSERT_LE(0, fd);
		} else {
			close(fd);
			fd = -1;
		}
		/* What was sent meanwhile by the other way may overtake it. */
		ASSERT_EQ(step / 2, send_all(self->a, sent + done, step / 2));
		ASSERT_EQ(step, recv_all(self->b, got, step));
		ASSERT_EQ(0, memcmp(got, sent + done, step));
		ASSERT_EQ(step / 2, recv_all(self->b, got, step / 2));
		ASSERT_EQ(0, memcmp(got, sent + done, step / 2));
		done += step;
	}
	if (fd >= 0)
		close(fd);
	free(sent);
	free(got);
}

/*
 * Small writes to a reader that is slow to read do not cost a segment each; and
 * none of them waits for the delayed ACK's time once it has read. The time in which
 * they are gathered is the longest there is, in which any machine makes some calls.
 */
TEST_F(way, gathers_small_writes)
{
	static char chunk[64], all[200 * sizeof(chunk)];
	long segs;
	int i;

	conn_close(&self->conn);
	ASSERT_EQ(0, sysctl_set("gather_usecs", "10000"));
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT + 1));
	self->a = self->conn.client;
	self->b = self->conn.server;
	segs = stat_of("OutSegs");
	for (i = 0; i < 200; i++) {
		pattern_fill(chunk, sizeof(chunk), i);
		ASSERT_EQ(sizeof(chunk), sock_send(self->a, chunk,
						   sizeof(chunk), 0));
	}
	segs = stat_of("OutSegs") - segs;
	EXPECT_LT(segs, 50);
	ASSERT_EQ(sizeof(all), recv_all(self->b, all, sizeof(all)));
	for (i = 0; i < 200; i++)
		ASSERT_TRUE(pattern_is(all + i * sizeof(chunk), sizeof(chunk),
				       i));
}

/*
 * Who waits for much is not kept waiting by a writer who waits for an ACK: that
 * would take the delayed ACK's time, each round.
 */
TEST_F(way, gathers_nothing_that_a_reader_waits_for)
{
	static char all[100 * 64];
	int i, round, rounds = 20;
	long delayed;

	ASSERT_EQ(0, exchange(self->a, self->b));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVLOWAT, sizeof(all)));
	delayed = stat_of("DelayedAcks");
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < 100; i++)
			ASSERT_EQ(64, sock_send(self->a, all, 64, 0));
		ASSERT_TRUE(sock_wait(self->b, POLLIN) & POLLIN);
		ASSERT_EQ(sizeof(all), sock_recv(self->b, all, sizeof(all),
						 MSG_DONTWAIT));
	}
	EXPECT_GT(rounds / 2, stat_of("DelayedAcks") - delayed);
}

TEST_HARNESS_MAIN
