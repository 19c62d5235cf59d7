// SPDX-License-Identifier: GPL-2.0-only
/*
 * The handshake as the wire sees it: Ferry's part against a peer made by hand,
 * as server and as client, and what answers those who knock where nobody is.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  the peer  fy0 -+--------+- fy1    Ferry   |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "peer.h"
#include "repeat.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000	/* Ferry's */
#define FROM	6000	/* the peer's */
#define CLOSED	5001	/* nobody's */
#define RECORDS	20	/* a record code */

/* Microseconds by which a timer of the kernel may be early: a jiffy and a bit. */
#define EARLY	10000

/* As many answers a second go to those that are not known; see limit.c. */
#define ANSWERS	1000

FIXTURE(open) {
	struct wire wire;
	struct peer peer;
	struct seg got;
	int listener;
	int fd;
	char buf[64];
};

/* The test is in blue. */
FIXTURE_SETUP(open)
{
	ASSERT_EQ(0, peer_open(&self->peer, &self->wire, FROM, PORT));
	self->listener = conn_listen(SOCK_STREAM, PORT, 5);
	ASSERT_LE(0, self->listener);
	self->fd = -1;
}

FIXTURE_TEARDOWN(open)
{
	peer_close(&self->peer);
	close(self->listener);
	close(self->fd);
}

/* The largest segment that fy1 can carry. */
static unsigned int device_mss(void)
{
	struct ferry_link_info links[8];
	int count = ferry_links(links, 8);

	while (count-- > 0)
		if (!strcmp(links[count].name, "fy1"))
			return links[count].mtu - SEG_HLEN;
	return 0;
}

/* What is true of each SYN and SYN-ACK of Ferry's. */
#define EXPECT_OPENING(seg) do { \
	EXPECT_EQ(0, (seg)->flags); \
	EXPECT_EQ(0, (seg)->len); \
	EXPECT_EQ(0, (seg)->about); \
	EXPECT_EQ(device_mss(), (seg)->mss); \
	EXPECT_NE(0, (seg)->stamp); \
	EXPECT_LT(0, (seg)->window); \
	EXPECT_EQ(0, (seg)->seq >> 63); \
} while (0)

/* An RST says nothing else than its two numbers. */
#define EXPECT_RST(expected_seq, expected_ack, seg) do { \
	EXPECT_EQ(SEG_RST, (seg)->kind); \
	EXPECT_EQ(expected_seq, (seg)->seq); \
	EXPECT_EQ(expected_ack, (seg)->ack); \
	EXPECT_EQ(0, (seg)->window); \
	EXPECT_EQ(0, (seg)->stamp); \
	EXPECT_EQ(0, (seg)->echo); \
	EXPECT_EQ(0, (seg)->code); \
} while (0)

TEST_F(open, server__handshake)
{
	struct seg seg = peer_seg(&self->peer, SEG_SYN);
	struct sockaddr_ferry from = { };
	socklen_t len = sizeof(from);
	unsigned int echo = seg.stamp;

	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	ASSERT_EQ(SEG_SYNACK, self->got.kind);
	EXPECT_OPENING(&self->got);
	EXPECT_EQ(0, self->got.code);
	EXPECT_EQ(PEER_ISS + 1, self->got.ack);
	EXPECT_EQ(echo, self->got.echo);
	EXPECT_EQ(0, sock_events(self->listener) & POLLIN);

	self->peer.nxt++;
	self->peer.ack = self->got.seq + 1;
	seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_NE(0, sock_wait(self->listener, POLLIN));
	self->fd = accept(self->listener, (struct sockaddr *)&from, &len);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(sizeof(from), len);
	EXPECT_EQ(AF_FERRY, from.sfy_family);
	EXPECT_EQ(FROM, from.sfy_port);
	EXPECT_EQ(0, memcmp(self->wire.fy0, from.sfy_addr, FERRY_ALEN));

	seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	EXPECT_EQ(10, sock_await(self->fd, self->buf, 64));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 10));
	EXPECT_EQ(5, sock_send(self->fd, "hello", 5, 0));
	do {
		ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	} while (!self->got.len);
	EXPECT_EQ(5, self->got.len);
	EXPECT_EQ(self->peer.ack, self->got.seq);
	EXPECT_EQ(PEER_ISS + 11, self->got.ack);
	EXPECT_EQ(0, memcmp("hello", self->got.payload, 5));
}

/* A handshake but for its last segment, which the peer has still to send. */
static int half_open(struct peer *peer)
{
	struct seg seg = peer_seg(peer, SEG_SYN), synack;
	int err = peer_send(peer, &seg) ?:
		  peer_await_kind(peer, SEG_SYNACK, 0, &synack);

	if (err)
		return err;
	peer->nxt++;
	peer->ack = synack.seq + 1;
	return 0;
}

/* The third packet may be the first that has data. */
TEST_F(open, server__data_with_the_final_ack)
{
	struct seg seg;

	ASSERT_EQ(0, half_open(&self->peer));
	seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(10, sock_await(self->fd, self->buf, 64));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 10));
}

/* What a filter of the listener's leaves of it, which cannot be less than its header. */
TEST_F(open, server__filtered_data_with_the_final_ack)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_LEN, 0, 0, 0 },
		{ BPF_JMP | BPF_JGT | BPF_K, 0, 1, SEG_HLEN + 50 },
		{ BPF_RET | BPF_K, 0, 0, 1 },
		{ BPF_RET | BPF_K, 0, 0, 0xffff },
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };
	struct seg seg;

	ASSERT_EQ(0, setsockopt(self->listener, SOL_SOCKET, SO_ATTACH_FILTER,
				&program, sizeof(program)));
	ASSERT_EQ(0, half_open(&self->peer));
	seg = peer_data(&self->peer, 0, 100);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(0, conn_amount(self->fd, SIOCINQ));
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, self->buf, 64, MSG_DONTWAIT));
	seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	EXPECT_EQ(10, sock_await(self->fd, self->buf, 64));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 10));
}

/*
 * There is no memory for what comes with it, ahead of its turn: the handshake is over
 * all the same, and the bytes come again.
 */
TEST_F(open, server__no_memory_for_data_with_the_final_ack)
{
	struct sockaddr_ferry at = sfy(addr_any, CLOSED);
	struct seg seg;
	int hogs[MEMORY_HOGS], listener, err;
	char usual[64];

	listener = conn_listen(SOCK_STREAM, CLOSED, MEMORY_HOGS);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, memory_hold(hogs, &at));
	ASSERT_EQ(0, half_open(&self->peer));
	ASSERT_EQ(0, memory_set("1 1 1", usual, sizeof(usual)));
	seg = peer_data(&self->peer, 10, 10);
	err = peer_send(&self->peer, &seg) ?:
	      sock_wait(self->listener, POLLIN) & POLLIN;
	ASSERT_EQ(0, memory_set(usual, NULL, 0));
	ASSERT_EQ(POLLIN, err);
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, self->buf, 64, MSG_DONTWAIT));
	seg = peer_data(&self->peer, 0, 20);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	EXPECT_EQ(20, sock_await(self->fd, self->buf, 64));
	EXPECT_TRUE(peer_pattern_is(self->buf, 0, 20));
	memory_release(hogs);
	close(listener);
}

/* A SYN that comes twice has one request, and one answer each time. */
TEST_F(open, server__repeated_syn)
{
	struct seg seg = peer_seg(&self->peer, SEG_SYN), again;

	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	ASSERT_EQ(SEG_SYNACK, self->got.kind);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &again));
	EXPECT_EQ(SEG_SYNACK, again.kind);
	EXPECT_EQ(self->got.seq, again.seq);
	EXPECT_EQ(self->got.ack, again.ack);
}

TEST_F(open, server__wrong_final_ack)
{
	struct seg seg = peer_seg(&self->peer, SEG_SYN), synack;

	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &synack));
	self->peer.nxt++;
	self->peer.ack = synack.seq;
	seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(synack.seq, PEER_ISS + 1, &self->got);
	self->peer.ack = synack.seq + 2;
	seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(synack.seq + 2, PEER_ISS + 1, &self->got);
	EXPECT_EQ(0, sock_events(self->listener) & POLLIN);

	/* Neither has harmed the request. */
	self->peer.ack = synack.seq + 1;
	seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	self->fd = conn_accept(self->listener);
	EXPECT_LE(0, self->fd);
}

/* An RST takes a request back if its number is the exact one. */
TEST_F(open, server__reset_of_a_request)
{
	struct seg seg = peer_seg(&self->peer, SEG_SYN), synack;

	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &synack));
	self->peer.ack = synack.seq + 1;
	self->peer.nxt++;
	seg = peer_seg(&self->peer, SEG_RST);
	seg.seq++;
	EXPECT_EQ(0, peer_strays(&self->peer, &seg, &self->got));
	seg.seq--;
	EXPECT_EQ(0, peer_strays(&self->peer, &seg, &self->got));

	seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(synack.seq + 1, PEER_ISS + 1, &self->got);
	EXPECT_EQ(0, sock_events(self->listener) & POLLIN);
}

/* The final ACK does not come: the SYN-ACK does, 1 s later and then 2 s. */
TEST_F(open, server__synack_again)
{
	struct seg seg = peer_seg(&self->peer, SEG_SYN), first, again;

	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYNACK, 0, &first));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYNACK, 0, &again));
	EXPECT_EQ(first.seq, again.seq);
	EXPECT_EQ(first.ack, again.ack);
	EXPECT_LE(1000000 - EARLY, again.stamp - first.stamp);
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYNACK, 0, &self->got));
	EXPECT_LE(2000000 - EARLY, self->got.stamp - again.stamp);
	EXPECT_EQ(first.seq, self->got.seq);

	self->peer.nxt++;
	self->peer.ack = first.seq + 1;
	seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	self->fd = conn_accept(self->listener);
	EXPECT_LE(0, self->fd);
}

/* It never comes: the request ends, and its ACK comes too late. */
TEST_F(open, server__request_expires)
{
	struct seg seg = peer_seg(&self->peer, SEG_SYN);

	ASSERT_EQ(0, sysctl_set("synack_retries", "1"));
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYNACK, 0, &self->got));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYNACK, 0, &self->got));
	EXPECT_EQ(1, stat_wait("RequestsExpired", 1));
	self->peer.nxt++;
	self->peer.ack = self->got.seq + 1;
	seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(self->peer.ack, self->peer.nxt, &self->got);
	EXPECT_EQ(0, sock_events(self->listener) & POLLIN);
}

/* Three requests, and an accept queue for two of them. */
TEST_F(open, server__accept_queue_is_full)
{
	static struct peer peer[3];
	int listener = conn_listen(SOCK_STREAM, CLOSED, 1), fd[3], i;
	struct seg seg;
	long was = stat_of("ListenOverflows");

	ASSERT_LE(0, listener);
	ASSERT_LE(0, was);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, peer_another(&peer[i], &self->wire, FROM + i,
					  CLOSED));
		seg = peer_seg(&peer[i], SEG_SYN);
		ASSERT_EQ(0, peer_send(&peer[i], &seg));
		ASSERT_EQ(0, peer_await_kind(&peer[i], SEG_SYNACK, 0, &seg));
		peer[i].nxt++;
		peer[i].ack = seg.seq + 1;
	}
	for (i = 0; i < 3; i++) {
		seg = peer_data(&peer[i], 0, 1);
		ASSERT_EQ(0, peer_send(&peer[i], &seg));
	}
	EXPECT_EQ(was + 1, stat_wait("ListenOverflows", was + 1));

	/* The third stays a request, whose SYN-ACK comes again. */
	ASSERT_EQ(0, peer_await(&peer[2], &self->got));
	EXPECT_EQ(SEG_SYNACK, self->got.kind);
	for (i = 0; i < 2; i++) {
		fd[i] = conn_accept(listener);
		ASSERT_LE(0, fd[i]);
	}
	EXPECT_EQ(0, sock_events(listener) & POLLIN);
	seg = peer_data(&peer[2], 0, 1);
	ASSERT_EQ(0, peer_send(&peer[2], &seg));
	fd[2] = conn_accept(listener);
	ASSERT_LE(0, fd[2]);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(1, sock_await(fd[i], self->buf, 64));
		close(fd[i]);
		peer_close(&peer[i]);
	}
	close(listener);
}

/* Closing a listener resets what waits in both queues. */
TEST_F(open, server__listener_closes)
{
	static struct peer done;
	struct seg seg = peer_seg(&self->peer, SEG_SYN);

	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	self->peer.nxt++;
	self->peer.ack = self->got.seq + 1;
	ASSERT_EQ(0, peer_another(&done, &self->wire, FROM + 1, PORT));
	ASSERT_EQ(0, peer_connect(&done, NULL));
	ASSERT_NE(0, sock_wait(self->listener, POLLIN));
	close(self->listener);
	self->listener = -1;

	/* The finished one hears of it; the request's client, when it asks. */
	ASSERT_EQ(0, peer_await_kind(&done, SEG_RST, 0, &self->got));
	EXPECT_EQ(done.ack, self->got.seq);
	seg = peer_data(&self->peer, 0, 1);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_RST, 0, &self->got));
	EXPECT_EQ(self->peer.ack, self->got.seq);
	peer_close(&done);
}

/* Streams and records do not mix. */
TEST_F(open, server__other_sort)
{
	struct seg seg;
	int records = conn_listen(SOCK_SEQPACKET, CLOSED, 5);

	ASSERT_LE(0, records);
	self->peer.code = RECORDS;
	seg = peer_seg(&self->peer, SEG_SYN);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(0, PEER_ISS + 1, &self->got);

	self->peer.code = 0;
	self->peer.far_port = CLOSED;
	seg = peer_seg(&self->peer, SEG_SYN);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(0, PEER_ISS + 1, &self->got);

	self->peer.code = RECORDS;
	seg = peer_seg(&self->peer, SEG_SYN);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_EQ(SEG_SYNACK, self->got.kind);
	EXPECT_NE(0, self->got.code);
	close(records);
}

/* Ferry's segments are no longer than the peer takes. */
TEST_F(open, server__largest_segment)
{
	self->peer.mss = 300;
	ASSERT_EQ(0, peer_connect(&self->peer, NULL));
	self->fd = conn_accept(self->listener);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(300, sock_get(self->fd, SOL_FERRY, FERRY_MAXSEG));
}

TEST_F(open, client__handshake)
{
	struct seg seg;

	self->fd = conn_start_from(SOCK_STREAM, CLOSED, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	self->peer.far_port = CLOSED;
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	ASSERT_EQ(SEG_SYN, self->got.kind);
	EXPECT_OPENING(&self->got);
	EXPECT_EQ(0, self->got.ack);
	EXPECT_EQ(0, self->got.echo);
	EXPECT_EQ(0, sock_events(self->fd) & POLLOUT);

	self->peer.ack = self->got.seq + 1;
	seg = peer_seg(&self->peer, SEG_SYNACK);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	EXPECT_EQ(SEG_DATA, self->got.kind);
	EXPECT_EQ(0, self->got.len);
	EXPECT_EQ(self->peer.ack, self->got.seq);
	EXPECT_EQ(PEER_ISS + 1, self->got.ack);
	EXPECT_EQ(seg.stamp, self->got.echo);
	EXPECT_TRUE(sock_wait(self->fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(0, sock_error(self->fd));
}

TEST_F(open, client__syn_again)
{
	struct seg again;

	self->fd = conn_start_from(SOCK_STREAM, CLOSED, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	self->peer.far_port = CLOSED;
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	ASSERT_EQ(0, peer_await(&self->peer, &again));
	EXPECT_EQ(SEG_SYN, again.kind);
	EXPECT_EQ(self->got.seq, again.seq);
	EXPECT_LE(1000000 - EARLY, again.stamp - self->got.stamp);
}

/* FERRY_SYNCNT says after how many. */
TEST_F(open, client__times_out)
{
	struct sockaddr_ferry to = sfy(self->wire.fy0, FROM);

	self->fd = conn_socket(SOCK_STREAM | SOCK_NONBLOCK);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_SYNCNT, 1));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &to));
	self->peer.far_port = sock_port(self->fd);
	EXPECT_NE(0, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(ETIMEDOUT, sock_error(self->fd));
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	EXPECT_EQ(SEG_SYN, self->got.kind);
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	EXPECT_EQ(SEG_SYN, self->got.kind);
	/* And no third: the next that comes is the answer to this. */
	self->got = peer_seg(&self->peer, SEG_DATA);
	EXPECT_EQ(1, peer_strays(&self->peer, &self->got, &self->got));
	EXPECT_EQ(SEG_RST, self->got.kind);
}

/* A SYN-ACK of an old connection is answered, and changes nothing. */
TEST_F(open, client__wrong_synack)
{
	struct seg seg;
	__u64 iss;

	self->fd = conn_start_from(SOCK_STREAM, CLOSED, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	self->peer.far_port = CLOSED;
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	iss = self->got.seq;
	self->peer.ack = iss + 2;
	seg = peer_seg(&self->peer, SEG_SYNACK);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_RST, 0, &self->got));
	EXPECT_RST(iss + 2, PEER_ISS + 1, &self->got);

	self->peer.ack = iss + 1;
	seg = peer_seg(&self->peer, SEG_SYNACK);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	EXPECT_TRUE(sock_wait(self->fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(0, sock_error(self->fd));
}

/* Connect, and answer by an RST that says @code and acknowledges SYN + @off. */
static int refuse(struct peer *peer, int fd, int off, int code)
{
	struct seg seg;
	int err;

	peer->far_port = sock_port(fd);
	err = peer_await(peer, &seg);
	if (err)
		return err;
	peer->ack = seg.seq + off;
	seg = peer_seg(peer, SEG_RST);
	seg.seq = 0;
	seg.code = code;
	return peer_send(peer, &seg);
}

TEST_F(open, client__refused)
{
	self->fd = conn_start_from(SOCK_STREAM, 0, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, refuse(&self->peer, self->fd, 1, 0));
	EXPECT_NE(0, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(ECONNREFUSED, sock_error(self->fd));
}

TEST_F(open, client__prohibited)
{
	self->fd = conn_start_from(SOCK_STREAM, 0, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, refuse(&self->peer, self->fd, 1,
			    FRAME_UNREACH_PROHIBITED));
	EXPECT_NE(0, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(EACCES, sock_error(self->fd));
}

/* Only who has seen the SYN can refuse it. */
TEST_F(open, client__forged_refusal)
{
	struct seg seg;

	self->fd = conn_start_from(SOCK_STREAM, 0, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, refuse(&self->peer, self->fd, 0, 0));
	ASSERT_EQ(0, refuse(&self->peer, self->fd, 2, 0));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYN, 0, &self->got));
	EXPECT_EQ(0, sock_events(self->fd) & (POLLOUT | POLLERR | POLLHUP));
	self->peer.ack = self->got.seq + 1;
	seg = peer_seg(&self->peer, SEG_SYNACK);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	EXPECT_TRUE(sock_wait(self->fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(0, sock_error(self->fd));
}

TEST_F(open, client__other_sort)
{
	struct seg seg;

	self->fd = conn_start_from(SOCK_STREAM, CLOSED, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	self->peer.far_port = CLOSED;
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	self->peer.ack = self->got.seq + 1;
	self->peer.code = RECORDS;
	seg = peer_seg(&self->peer, SEG_SYNACK);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_RST, 0, &self->got));
	EXPECT_RST(self->peer.ack, PEER_ISS + 1, &self->got);
	EXPECT_NE(0, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(ECONNREFUSED, sock_error(self->fd));
}

/* Both connect at once, as RFC 9293 has it in figure 7. */
TEST_F(open, simultaneous)
{
	struct seg seg;
	__u64 iss;

	self->fd = conn_start_from(SOCK_STREAM, CLOSED, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	self->peer.far_port = CLOSED;
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	iss = self->got.seq;
	seg = peer_seg(&self->peer, SEG_SYN);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYNACK, 0, &self->got));
	EXPECT_EQ(iss, self->got.seq);
	EXPECT_EQ(PEER_ISS + 1, self->got.ack);
	self->peer.ack = iss + 1;
	seg = peer_seg(&self->peer, SEG_SYNACK);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	self->peer.nxt++;
	EXPECT_TRUE(sock_wait(self->fd, POLLOUT) & POLLOUT);
	EXPECT_EQ(0, sock_error(self->fd));
	seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	EXPECT_EQ(10, sock_await(self->fd, self->buf, 64));
}

/* shutdown() while the handshake lasts: the FIN comes after it. */
TEST_F(open, simultaneous__shut_down)
{
	struct seg seg;

	self->fd = conn_start_from(SOCK_STREAM, CLOSED, self->wire.fy0, FROM);
	ASSERT_LE(0, self->fd);
	self->peer.far_port = CLOSED;
	ASSERT_EQ(0, peer_await(&self->peer, &self->got));
	self->peer.ack = self->got.seq + 1;
	seg = peer_seg(&self->peer, SEG_SYN);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_SYNACK, 0, &self->got));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_WR));
	self->peer.nxt++;
	seg = peer_seg(&self->peer, SEG_DATA);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	ASSERT_EQ(0, peer_await_kind(&self->peer, SEG_DATA, SEG_FIN,
				     &self->got));
	EXPECT_EQ(self->peer.ack, self->got.seq);
	EXPECT_EQ(0, self->got.len);
	EXPECT_EQ(-EPIPE, sock_send(self->fd, "x", 1, MSG_NOSIGNAL));
	/* The other way it goes on. */
	seg = peer_data(&self->peer, 0, 10);
	ASSERT_EQ(0, peer_send(&self->peer, &seg));
	EXPECT_EQ(10, sock_await(self->fd, self->buf, 64));
}

/* Nobody is there: who knocks hears so, in numbers that mean something to it. */
TEST_F(open, closed__syn)
{
	struct seg seg;

	self->peer.far_port = CLOSED;
	seg = peer_seg(&self->peer, SEG_SYN);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(0, PEER_ISS + 1, &self->got);
}

TEST_F(open, closed__data)
{
	struct seg seg;

	self->peer.far_port = CLOSED;
	self->peer.ack = 4711;
	seg = peer_data(&self->peer, 1, 10);
	seg.flags = SEG_FIN;
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(4711, PEER_ISS + 12, &self->got);
	seg = peer_seg(&self->peer, SEG_SYNACK);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(4711, PEER_ISS + 1, &self->got);
}

TEST_F(open, closed__reset)
{
	struct seg seg;

	self->peer.far_port = CLOSED;
	seg = peer_seg(&self->peer, SEG_RST);
	EXPECT_EQ(0, peer_strays(&self->peer, &seg, &self->got));
}

/* A listener takes SYNs; what else comes to it is as stray as elsewhere. */
TEST_F(open, listener__data)
{
	struct seg seg;

	self->peer.ack = 4711;
	seg = peer_data(&self->peer, 1, 10);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(4711, PEER_ISS + 11, &self->got);
	seg = peer_seg(&self->peer, SEG_SYNACK);
	ASSERT_EQ(1, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_RST(4711, PEER_ISS + 1, &self->got);
	seg = peer_seg(&self->peer, SEG_RST);
	EXPECT_EQ(0, peer_strays(&self->peer, &seg, &self->got));
	EXPECT_EQ(0, sock_events(self->listener) & POLLIN);
}

/* What was sent to everyone is answered by nobody. */
TEST_F(open, broadcast)
{
	static const unsigned int ports[] = { PORT, CLOSED };
	unsigned char frame[SEG_FRAME_MAX];
	struct seg seg;
	size_t len;
	int i;

	for (i = 0; i < 2; i++) {
		self->peer.far_port = ports[i];
		seg = peer_seg(&self->peer, SEG_SYN);
		len = seg_build(frame, self->peer.own, addr_everyone, &seg);
		ASSERT_EQ(0, peer_send_frame(&self->peer, frame, len));
		seg = peer_data(&self->peer, 0, 10);
		len = seg_build(frame, self->peer.own, addr_everyone, &seg);
		ASSERT_EQ(0, peer_send_frame(&self->peer, frame, len));
		seg = peer_seg(&self->peer, SEG_RST);
		EXPECT_EQ(0, peer_strays(&self->peer, &seg, &self->got));
	}
	EXPECT_EQ(6 + 2, stat_of("InPackets"));
}

/* Every answer that is not sent is counted; so many at the most are. */
TEST_F_TIMEOUT(open, closed__flood, 120)
{
	int count = repeat_least(20000, 3 * ANSWERS);
	unsigned int first = 0, last = 0, answers = 0;
	long limited = stat_of("OutDropUnreachLimit");
	struct seg seg;
	int i;

	self->peer.far_port = CLOSED;
	ASSERT_LE(0, limited);
	for (i = 0; i < count; i++) {
		seg = peer_seg(&self->peer, i % 2 ? SEG_DATA : SEG_SYN);
		first = first ?: seg.stamp;
		last = seg.stamp;
		ASSERT_EQ(0, peer_send(&self->peer, &seg));
	}
	ASSERT_EQ(count, stat_wait("InPackets", count));
	answers = stat_of("OutRsts");
	limited = stat_of("OutDropUnreachLimit") - limited;
	EXPECT_EQ(count, answers + limited);
	/*
	 * Whole seconds, and the two that they have begun or ended in: far more
	 * than those is what was sent, unless this machine takes as long for it.
	 */
	EXPECT_GE(ANSWERS * ((last - first) / 1000000 + 2), answers);
	EXPECT_LE(ANSWERS, answers);
}

TEST_HARNESS_MAIN
