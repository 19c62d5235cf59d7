// SPDX-License-Identifier: GPL-2.0-only
/*
 * SO_TIMESTAMPING of what is sent: when it was queued, when it left, when the peer
 * had it. By the short way and by the card, of streams and records; and the same of
 * TCP, which is the measure.
 *
 *	+- new namespace -+
 *	|   lo   ferry0   |
 *	+-----------------+
 */
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "ethtool.h"
#include "net.h"
#include "script.h"
#include "sock.h"

#define ALL_STAGES	(SOF_TIMESTAMPING_TX_SCHED | \
			 SOF_TIMESTAMPING_TX_SOFTWARE | \
			 SOF_TIMESTAMPING_TX_ACK)
#define REPORT		(SOF_TIMESTAMPING_SOFTWARE | \
			 SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY)
#define STAGES		3
#define STAMPS_MAX	64
#define LARGE		300000

static char payload[LARGE], got[LARGE];

/*
 * struct stamp - one of the error queue
 *
 * @stage: SCM_TSTAMP_*
 * @id: what SOF_TIMESTAMPING_OPT_ID tells it by
 * @when: nanoseconds
 */
struct stamp {
	unsigned int	stage, id;
	long		when;
};

FIXTURE(stamp) {
	struct script s;
	int a, b;
	struct stamp stamps[STAMPS_MAX];
	int count;
};

FIXTURE_VARIANT(stamp) {
	int		family, type;
	const char	*short_way;
};

FIXTURE_VARIANT_ADD(stamp, tcp) { AF_INET, SOCK_STREAM, "1" };
FIXTURE_VARIANT_ADD(stamp, stream) { AF_FERRY, SOCK_STREAM, "1" };
FIXTURE_VARIANT_ADD(stamp, stream_by_card) { AF_FERRY, SOCK_STREAM, "0" };
FIXTURE_VARIANT_ADD(stamp, record) { AF_FERRY, SOCK_SEQPACKET, "1" };
FIXTURE_VARIANT_ADD(stamp, record_by_card) { AF_FERRY, SOCK_SEQPACKET, "0" };

FIXTURE_SETUP(stamp)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, link_up("lo"));
	close(conn_socket(SOCK_STREAM));
	ASSERT_EQ(0, sysctl_set("short_way", variant->short_way));
	self->s.family = variant->family;
	self->s.type = variant->type;
	self->s.listener = script_listen(&self->s, SCRIPT_PORT, 1);
	ASSERT_LE(0, self->s.listener);
	ASSERT_EQ(0, script_pair(&self->s));
	self->a = self->s.a;
	self->b = self->s.b;
}

FIXTURE_TEARDOWN(stamp)
{
	script_close(&self->s.a);
	script_close(&self->s.b);
	script_close(&self->s.listener);
}

static bool of_records(int fd)
{
	return sock_get(fd, SOL_SOCKET, SO_TYPE) == SOCK_SEQPACKET;
}

static int ask(int fd, unsigned int flags)
{
	return sock_set(fd, SOL_SOCKET, SO_TIMESTAMPING, flags);
}

/* Take one off the error queue. Return: 0 or -errno. */
static int take(int fd, struct stamp *stamp)
{
	char data[64];
	union {
		struct cmsghdr align;
		char room[512];
	} control;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct sock_extended_err err = {};
	struct scm_timestamping times;
	struct cmsghdr *cmsg;

	memset(stamp, 0, sizeof(*stamp));
	if (recvmsg(fd, &msg, MSG_ERRQUEUE) < 0)
		return -errno;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_SOCKET &&
		    cmsg->cmsg_type == SCM_TIMESTAMPING) {
			memcpy(&times, CMSG_DATA(cmsg), sizeof(times));
			stamp->when = times.ts[0].tv_sec * 1000000000L +
				      times.ts[0].tv_nsec;
		} else if ((cmsg->cmsg_level == SOL_FERRY &&
			    cmsg->cmsg_type == FERRY_RECVERR) ||
			   (cmsg->cmsg_level == SOL_IP &&
			    cmsg->cmsg_type == IP_RECVERR)) {
			memcpy(&err, CMSG_DATA(cmsg), sizeof(err));
		}
	}
	if (err.ee_errno != ENOMSG || err.ee_origin != SO_EE_ORIGIN_TIMESTAMPING)
		return -EBADMSG;
	stamp->stage = err.ee_info;
	stamp->id = err.ee_data;
	return 0;
}

/* Wait for @count of them. Return: whether they came, and no more. */
static bool collect(int fd, struct stamp *stamps, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!(sock_wait(fd, 0) & POLLERR) || take(fd, &stamps[i]))
			return false;
	}
	return sock_recv(fd, got, 1, MSG_ERRQUEUE) == -EAGAIN;
}

static const struct stamp *find(const struct stamp *stamps, int count,
				unsigned int stage, unsigned int id)
{
	int i;

	for (i = 0; i < count; i++)
		if (stamps[i].stage == stage && stamps[i].id == id)
			return &stamps[i];
	return NULL;
}

/* What the stamp of the @nth call is told by, if each has sent @each bytes. */
static unsigned int id_of(int fd, int nth, size_t each)
{
	return of_records(fd) ? nth : (nth + 1) * each - 1;
}

/* All stages of a call, in their order, between the call and the answer. */
TEST_F(stamp, stages)
{
	const struct stamp *sched, *sent, *acked;
	long before, after;
	int i;

	ASSERT_EQ(0, ask(self->a, ALL_STAGES | REPORT));
	for (i = 0; i < 3; i++) {
		before = clock_real_ns();
		ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
		ASSERT_EQ(5, recv_all(self->b, got, 5));
		ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
		ASSERT_TRUE(collect(self->a, self->stamps, STAGES));
		after = clock_real_ns();
		sched = find(self->stamps, STAGES, SCM_TSTAMP_SCHED,
			     id_of(self->a, i, 5));
		sent = find(self->stamps, STAGES, SCM_TSTAMP_SND,
			    id_of(self->a, i, 5));
		acked = find(self->stamps, STAGES, SCM_TSTAMP_ACK,
			     id_of(self->a, i, 5));
		ASSERT_NE(NULL, sched);
		ASSERT_NE(NULL, sent);
		ASSERT_NE(NULL, acked);
		EXPECT_LE(before, sched->when);
		EXPECT_LE(sched->when, sent->when);
		EXPECT_LE(sent->when, acked->when);
		EXPECT_LE(acked->when, after);
	}
}

/* Each by itself. */
TEST_F(stamp, one_stage)
{
	static const struct { unsigned int flag, stage; } stages[] = {
		{ SOF_TIMESTAMPING_TX_SCHED, SCM_TSTAMP_SCHED },
		{ SOF_TIMESTAMPING_TX_SOFTWARE, SCM_TSTAMP_SND },
		{ SOF_TIMESTAMPING_TX_ACK, SCM_TSTAMP_ACK },
	};
	int i;

	for (i = 0; i < STAGES; i++) {
		/* The count begins anew. */
		ASSERT_EQ(0, ask(self->a, 0));
		ASSERT_EQ(0, ask(self->a, stages[i].flag | REPORT));
		ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
		ASSERT_EQ(5, recv_all(self->b, got, 5));
		ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
		ASSERT_TRUE(collect(self->a, self->stamps, 1));
		EXPECT_EQ(stages[i].stage, self->stamps[0].stage);
		EXPECT_EQ(id_of(self->a, 0, 5), self->stamps[0].id);
	}
}

/* Of one call of many chunks it is the last byte that counts. */
TEST_F(stamp, large)
{
	size_t len = of_records(self->a) ? LARGE / 4 : LARGE, done = 0;
	ssize_t n;

	pattern_fill(payload, len, 1);
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SNDBUF, 2 * LARGE));
	ASSERT_EQ(0, ask(self->a, ALL_STAGES | REPORT));
	ASSERT_EQ(len, sock_send(self->a, payload, len, 0));
	while (done < len) {
		n = sock_recv(self->b, got + done, len - done, 0);
		ASSERT_LT(0, n);
		done += n;
	}
	EXPECT_TRUE(pattern_is(got, len, 1));
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	ASSERT_TRUE(collect(self->a, self->stamps, STAGES));
	EXPECT_NE(NULL, find(self->stamps, STAGES, SCM_TSTAMP_SCHED,
			     id_of(self->a, 0, len)));
	EXPECT_NE(NULL, find(self->stamps, STAGES, SCM_TSTAMP_SND,
			     id_of(self->a, 0, len)));
	EXPECT_NE(NULL, find(self->stamps, STAGES, SCM_TSTAMP_ACK,
			     id_of(self->a, 0, len)));
}

/* Calls after each other lose none: a stamped byte ends its chunk. */
TEST_F(stamp, many)
{
	int i, count = 16;

	if (variant->family == AF_INET)
		SKIP(return, "TCP has one of each segment");
	ASSERT_EQ(0, ask(self->a, SOF_TIMESTAMPING_TX_ACK | REPORT));
	for (i = 0; i < count; i++)
		ASSERT_EQ(7, sock_send(self->a, "seven..", 7,
				       i < count - 1 ? MSG_MORE : 0));
	for (i = 0; i < count; i++)
		ASSERT_EQ(7, recv_all(self->b, got, 7));
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	ASSERT_TRUE(collect(self->a, self->stamps, count));
	for (i = 0; i < count; i++) {
		EXPECT_EQ(id_of(self->a, i, 7), self->stamps[i].id);
		EXPECT_EQ(SCM_TSTAMP_ACK, self->stamps[i].stage);
	}
}

/* By a control message of one call; bytes of the others are counted. */
TEST_F(stamp, one_call)
{
	unsigned int flags = SOF_TIMESTAMPING_TX_ACK;

	ASSERT_EQ(0, ask(self->a, REPORT));
	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	ASSERT_EQ(5, recv_all(self->b, got, 5));
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	EXPECT_EQ(-EAGAIN, sock_recv(self->a, got, 1, MSG_ERRQUEUE));

	ASSERT_EQ(5, sock_send_with(self->a, NULL, SO_TIMESTAMPING, &flags,
				    sizeof(flags)));
	ASSERT_EQ(5, recv_all(self->b, got, 5));
	ASSERT_TRUE(collect(self->a, self->stamps, 1));
	EXPECT_EQ(SCM_TSTAMP_ACK, self->stamps[0].stage);
	EXPECT_EQ(of_records(self->a) ? 0 : 9, self->stamps[0].id);

	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	ASSERT_EQ(5, recv_all(self->b, got, 5));
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	EXPECT_EQ(-EAGAIN, sock_recv(self->a, got, 1, MSG_ERRQUEUE));
}

/* Without SOF_TIMESTAMPING_OPT_TSONLY the bytes come along. */
TEST_F(stamp, with_payload)
{
	char data[64];

	ASSERT_EQ(0, ask(self->a, SOF_TIMESTAMPING_TX_ACK |
			 SOF_TIMESTAMPING_SOFTWARE));
	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	ASSERT_EQ(5, recv_all(self->b, got, 5));
	ASSERT_TRUE(sock_wait(self->a, 0) & POLLERR);
	ASSERT_EQ(5, sock_recv(self->a, data, sizeof(data), MSG_ERRQUEUE));
	EXPECT_EQ(0, memcmp(data, "hello", 5));
}

/* SCM_TS_OPT_ID: a record may be told by a number of the caller's. */
TEST_F(stamp, chosen_number)
{
	unsigned int id = 4711;
	int i;

	if (!of_records(self->a))
		SKIP(return, "Bytes have their places: see refused");
	ASSERT_EQ(0, ask(self->a, SOF_TIMESTAMPING_TX_ACK | REPORT));
	if (!sock_kernel_has_ts_opt_id()) {
		EXPECT_EQ(-EINVAL, sock_send_with(self->a, NULL, SOCK_TS_OPT_ID,
						  &id, sizeof(id)));
		return;
	}
	ASSERT_EQ(5, sock_send_with(self->a, NULL, SOCK_TS_OPT_ID, &id,
				    sizeof(id)));
	/* It is not counted. */
	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(5, recv_all(self->b, got, 5));
	ASSERT_TRUE(collect(self->a, self->stamps, 2));
	EXPECT_EQ(4711, self->stamps[0].id);
	EXPECT_EQ(0, self->stamps[1].id);
}

/* What cannot be had is refused. */
TEST_F(stamp, refused)
{
	unsigned long long when = 1;
	unsigned int wrong = SOF_TIMESTAMPING_OPT_ID, id = 7;

	EXPECT_EQ(-EINVAL, sock_send_with(self->a, NULL, SO_TIMESTAMPING,
					  &wrong, sizeof(wrong)));
	EXPECT_EQ(-EINVAL, sock_send_with(self->a, NULL, SCM_TXTIME, &when,
					  sizeof(when)));
	/* Who has not asked for numbers gives none; bytes have their places. */
	ASSERT_EQ(0, ask(self->a, SOF_TIMESTAMPING_TX_ACK |
			 (of_records(self->a) ? 0 : REPORT)));
	EXPECT_EQ(-EINVAL, sock_send_with(self->a, NULL, SOCK_TS_OPT_ID, &id,
					  sizeof(id)));
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, got, 1, MSG_DONTWAIT));
}

/* SO_TXTIME: who has a connection has no time for each of its packets. */
TEST_F(stamp, txtime)
{
	struct sock_txtime on = { .clockid = CLOCK_MONOTONIC };
	unsigned long long when = 1;

	if (variant->family == AF_INET)
		SKIP(return, "TCP takes it, and does nothing");
	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_TXTIME, &on,
				sizeof(on)));
	EXPECT_EQ(-EINVAL, sock_send_with(self->a, NULL, SCM_TXTIME, &when,
					  sizeof(when)));
	EXPECT_EQ(-EAGAIN, sock_recv(self->b, got, 1, MSG_DONTWAIT));
}

/* SO_SELECT_ERR_QUEUE: as AF_UNIX's records have it, and TCP has not. */
TEST_F(stamp, poll)
{
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1));
	ASSERT_EQ(0, ask(self->a, SOF_TIMESTAMPING_TX_ACK | REPORT));
	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	ASSERT_EQ(5, recv_all(self->b, got, 5));
	ASSERT_TRUE(sock_wait(self->a, 0) & POLLERR);
	EXPECT_EQ(of_records(self->a) ? POLLPRI : 0,
		  sock_wait(self->a, POLLPRI) & POLLPRI);
	/* It is no error. */
	EXPECT_EQ(0, sock_error(self->a));
	EXPECT_EQ(1, sock_send(self->a, "x", 1, 0));
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	while (!take(self->a, self->stamps))
		;
	EXPECT_EQ(0, sock_events(self->a) & (POLLERR | POLLPRI));
}

/* A device that cannot take a large segment cuts it: the last piece is stamped. */
TEST(cut_by_the_device)
{
	struct stamp stamps[1];
	struct wire wire;
	struct conn conn;

	ASSERT_EQ(0, wire_across(&wire, "veth"));
	ASSERT_EQ(0, link_feature("fy0", "tx-sctp-segmentation", false));
	ASSERT_EQ(0, conn_across(&conn, SOCK_STREAM, 5000, &wire));
	pattern_fill(payload, 4000, 2);
	ASSERT_EQ(0, ask(conn.client, SOF_TIMESTAMPING_TX_SOFTWARE | REPORT));
	ASSERT_EQ(4000, sock_send(conn.client, payload, 4000, 0));
	ASSERT_EQ(4000, recv_all(conn.server, got, 4000));
	EXPECT_TRUE(pattern_is(got, 4000, 2));
	ASSERT_TRUE(collect(conn.client, stamps, 1));
	EXPECT_EQ(SCM_TSTAMP_SND, stamps[0].stage);
	EXPECT_EQ(3999, stamps[0].id);
	conn_close(&conn);
}

/* A window that takes less than was sent cuts it as well. */
TEST(cut_by_the_window)
{
	struct stamp stamps[STAGES];
	struct conn conn;

	ASSERT_LE(0, net_new());
	close(conn_socket(SOCK_STREAM));
	ASSERT_EQ(0, sysctl_set("rmem", "4096 8192 8192"));
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, 5000));
	ASSERT_EQ(0, ask(conn.client, SOF_TIMESTAMPING_TX_ACK | REPORT));
	ASSERT_EQ(30000, sock_send(conn.client, payload, 30000, 0));
	ASSERT_TRUE(sock_wait(conn.server, POLLIN) & POLLIN);
	while (conn_amount(conn.client, SIOCOUTQ) == 30000)
		sched_yield();
	EXPECT_EQ(-EAGAIN, sock_recv(conn.client, got, 1, MSG_ERRQUEUE));
	ASSERT_EQ(30000, recv_all(conn.server, got, 30000));
	ASSERT_TRUE(collect(conn.client, stamps, 1));
	EXPECT_EQ(29999, stamps[0].id);
	conn_close(&conn);
}

/* What fills the last packet, or the last chunk, leaves with its stamp, too. */
TEST(whole_packets)
{
	struct stamp stamps[STAGES];
	struct conn conn;
	int i, mss;

	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, 5000));
	mss = sock_get(conn.client, SOL_FERRY, FERRY_MAXSEG);
	for (i = 1; i * mss <= LARGE; i++) {
		ASSERT_EQ(0, ask(conn.client, 0));
		ASSERT_EQ(0, ask(conn.client, ALL_STAGES | REPORT));
		ASSERT_EQ(i * mss, send_all(conn.client, payload, i * mss));
		ASSERT_EQ(i * mss, recv_all(conn.server, got, i * mss));
		ASSERT_TRUE(collect(conn.client, stamps, STAGES));
		EXPECT_NE(NULL, find(stamps, STAGES, SCM_TSTAMP_ACK,
				     i * mss - 1));
	}
	conn_close(&conn);
}

TEST_HARNESS_MAIN
