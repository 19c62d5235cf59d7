// SPDX-License-Identifier: GPL-2.0-only
/*
 * SO_MAX_PACING_RATE of streams and records: no faster than that, by the short way,
 * by the card, and where fq sees to it instead. Only too fast is wrong here: that a
 * machine is slow is none of its business.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define BYTES	300000
#define PIECE	30000		/* of a record */
#define RATE	1000000		/* bytes per second */
/* What goes at once: two segments of ferry0's, and a millisecond. */
#define AT_ONCE	(2 * 1452 + RATE / 1000)

static char data[BYTES], got[BYTES];

FIXTURE(pace) {
	struct conn conn;
	int a, b;
};

FIXTURE_VARIANT(pace) {
	int		type;
	const char	*short_way;
	const char	*qdisc;
};

FIXTURE_VARIANT_ADD(pace, stream) { SOCK_STREAM, "1", NULL };
FIXTURE_VARIANT_ADD(pace, stream_by_card) { SOCK_STREAM, "0", NULL };
FIXTURE_VARIANT_ADD(pace, stream_by_fq) { SOCK_STREAM, "1", "fq" };
FIXTURE_VARIANT_ADD(pace, record) { SOCK_SEQPACKET, "1", NULL };
FIXTURE_VARIANT_ADD(pace, record_by_card) { SOCK_SEQPACKET, "0", NULL };

FIXTURE_SETUP(pace)
{
	ASSERT_LE(0, net_new());
	close(conn_socket(SOCK_STREAM));
	ASSERT_EQ(0, link_set_mtu("ferry0", 1500));
	ASSERT_EQ(0, sysctl_set("short_way", variant->short_way));
	ASSERT_EQ(0, conn_pair(&self->conn, variant->type, PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
	if (variant->qdisc && link_qdisc("ferry0", variant->qdisc))
		SKIP(return, "There is no %s.", variant->qdisc);
}

FIXTURE_TEARDOWN(pace)
{
	conn_close(&self->conn);
}

static long send_it(struct sleeper *self)
{
	size_t done;

	for (done = 0; done < self->len; done += PIECE)
		if (send_all(self->fd, data + done, PIECE) != PIECE)
			return -errno;
	return done;
}

/* Bytes cross. Return: the milliseconds that it took, or -errno. */
static long cross(int a, int b, size_t bytes)
{
	struct sleeper sender = { .call = send_it, .fd = a, .len = bytes };
	long start = clock_ms();
	size_t done = 0;
	ssize_t n;

	if (!sleeper_run(&sender))
		return -EAGAIN;
	while (done < bytes) {
		n = sock_recv(b, got + done, bytes - done, 0);
		if (n <= 0)
			return -EIO;
		done += n;
	}
	if (sleeper_join(&sender) != (long)bytes)
		return -EIO;
	return clock_ms() - start;
}

/*
 * The least that BYTES may take, in milliseconds. Of three pieces fq lets the first go
 * at once, and makes up for what it was late before by half of its time at most.
 */
static long least_time(const char *qdisc)
{
	size_t first = qdisc ? 40000 + 65536 : AT_ONCE + 1452;

	return (BYTES - first) * 1000L / RATE;
}

TEST_F(pace, keeps_its_rate)
{
	long least = least_time(variant->qdisc);

	pattern_fill(data, BYTES, 1);
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_MAX_PACING_RATE, RATE));
	EXPECT_LE(least, cross(self->a, self->b, BYTES));
	EXPECT_TRUE(pattern_is(got, BYTES, 1));
	/* The other way is the other end's. */
	EXPECT_LE(0, cross(self->b, self->a, BYTES));
}

/* A small piece does not wait for what comes after it, nor an answer. */
TEST_F(pace, answers_at_once)
{
	char byte;
	int i;

	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_MAX_PACING_RATE, 20));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_MAX_PACING_RATE, ~0));
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	ASSERT_EQ(1, sock_await(self->b, &byte, 1));
	/* It hears, and acknowledges, whatever its own rate is. */
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1, sock_send(self->b, "y", 1, 0));
		ASSERT_EQ(1, sock_await(self->a, &byte, 1));
	}
	EXPECT_TRUE(conn_await_amount(self->b, SIOCOUTQ, 0));
}

/* Set at the listener, it is the accepted socket's. */
TEST_F(pace, inherited)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int client, server;

	ASSERT_EQ(0, sock_set(self->conn.listener, SOL_SOCKET,
			      SO_MAX_PACING_RATE, RATE));
	client = conn_to(variant->type, &to);
	server = conn_accept(self->conn.listener);
	ASSERT_LE(0, server);
	EXPECT_EQ(RATE, sock_get(server, SOL_SOCKET, SO_MAX_PACING_RATE));
	EXPECT_LE(least_time(variant->qdisc), cross(server, client, BYTES));
	conn_reset(client);
	conn_reset(server);
}

/* What waits for its pace is sent before the end. */
TEST_F(pace, closed)
{
	size_t done = 0;
	ssize_t n;

	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_MAX_PACING_RATE, RATE));
	pattern_fill(data, BYTES / 3, 2);
	ASSERT_EQ(PIECE, sock_send(self->a, data, PIECE, 0));
	ASSERT_EQ(PIECE, sock_send(self->a, data + PIECE, PIECE, 0));
	close(self->a);
	self->conn.client = -1;
	while ((n = sock_recv(self->b, got + done, BYTES - done, 0)) > 0)
		done += n;
	EXPECT_EQ(0, n);
	ASSERT_EQ(2 * PIECE, done);
	EXPECT_TRUE(pattern_is(got, 2 * PIECE, 2));
}

TEST_HARNESS_MAIN
