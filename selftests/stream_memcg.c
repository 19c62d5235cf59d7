// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory cgroups: whose memory a stream's is.
 *
 *	+- new namespace -+
 *	|     ferry0      |	cgroups: the root, "one", "two"
 *	+-----------------+
 *
 * A cgroup's memory.stat says what its sockets hold. What is in the root's is
 * charged to nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define ROOT	"/sys/fs/cgroup"

FIXTURE(memcg) {
	struct conn conn;
	struct sockaddr_ferry at;
	char one[64], two[64];
};

/* Return: 0 or -errno. */
static int put(const char *cgroup, const char *file, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	return sysctl_set(path, value);
}

static int enter(const char *cgroup)
{
	return put(cgroup, "cgroup.procs", "0");
}

/* What a cgroup's sockets hold, in bytes, or -1. */
static long held(const char *cgroup)
{
	char path[128], word[64];
	long value = -1, v;
	FILE *file;

	snprintf(path, sizeof(path), "%s/memory.stat", cgroup);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fscanf(file, "%63s %ld", word, &v) == 2)
		if (!strcmp(word, "sock"))
			value = v;
	fclose(file);
	return value;
}

struct held_goal {
	const char	*cgroup;
	long		low, high;
};

static bool held_reached(void *arg)
{
	const struct held_goal *goal = arg;
	long value = held(goal->cgroup);

	return value >= goal->low && value <= goal->high;
}

/* The kernel sums up every two seconds. */
static bool await_held(const char *cgroup, long low, long high)
{
	struct held_goal goal = { cgroup, low, high };

	return wait_until(held_reached, &goal);
}

FIXTURE_SETUP(memcg)
{
	ASSERT_LE(0, net_new());
	self->conn = (struct conn){ -1, -1, -1 };
	self->at = sfy(addr_any, PORT);
	snprintf(self->one, sizeof(self->one), ROOT "/ferry-one-%d", getpid());
	snprintf(self->two, sizeof(self->two), ROOT "/ferry-two-%d", getpid());
	if (put(ROOT, "cgroup.subtree_control", "+memory"))
		SKIP(return, "There is no memory controller.");
	ASSERT_EQ(0, mkdir(self->one, 0755));
	ASSERT_EQ(0, mkdir(self->two, 0755));
}

FIXTURE_TEARDOWN(memcg)
{
	conn_close(&self->conn);
	enter(ROOT);
	rmdir(self->one);
	rmdir(self->two);
}

/* The listener is two's, the client the root's, the accepter one's. */
TEST_F(memcg, accepted)
{
	ssize_t sent;

	ASSERT_EQ(0, enter(self->two));
	self->conn.listener = conn_listen(SOCK_STREAM, PORT, 8);
	ASSERT_LE(0, self->conn.listener);
	ASSERT_EQ(0, enter(ROOT));
	self->conn.client = conn_to(SOCK_STREAM, &self->at);
	ASSERT_LE(0, self->conn.client);
	ASSERT_EQ(0, enter(self->one));
	self->conn.server = conn_accept(self->conn.listener);
	ASSERT_LE(0, self->conn.server);
	sent = conn_fill(self->conn.client, self->conn.server);
	ASSERT_LT(0, sent);
	EXPECT_TRUE(await_held(self->one,
			       conn_amount(self->conn.server, SIOCINQ),
			       LONG_MAX));
	EXPECT_EQ(0, held(self->two));
	conn_close(&self->conn);
	EXPECT_TRUE(await_held(self->one, 0, 0));
}

/* Also what came before it was accepted. */
TEST_F(memcg, before_accept)
{
	static char got[100000];
	ssize_t sent;

	self->conn.listener = conn_listen(SOCK_STREAM, PORT, 8);
	self->conn.client = conn_to(SOCK_STREAM, &self->at);
	ASSERT_LE(0, self->conn.client);
	sent = send_full(self->conn.client, sizeof(got));
	ASSERT_EQ(sizeof(got), sent);
	ASSERT_TRUE(conn_await_amount(self->conn.client, SIOCOUTQ, 0));
	EXPECT_EQ(0, held(self->one));
	ASSERT_EQ(0, enter(self->one));
	self->conn.server = conn_accept(self->conn.listener);
	ASSERT_LE(0, self->conn.server);
	EXPECT_TRUE(await_held(self->one, sent, LONG_MAX));
	ASSERT_EQ(sent, recv_all(self->conn.server, got, sent));
	conn_close(&self->conn);
	EXPECT_TRUE(await_held(self->one, 0, 0));
}

/* Sending is the sender's, be it accepted or not. */
TEST_F(memcg, sending)
{
	self->conn.listener = conn_listen(SOCK_STREAM, PORT, 8);
	self->conn.client = conn_to(SOCK_STREAM, &self->at);
	ASSERT_LE(0, self->conn.client);
	ASSERT_EQ(0, enter(self->one));
	self->conn.server = conn_accept(self->conn.listener);
	ASSERT_LE(0, self->conn.server);
	ASSERT_LT(0, conn_fill(self->conn.server, self->conn.client));
	EXPECT_TRUE(await_held(self->one,
			       conn_amount(self->conn.server, SIOCOUTQ),
			       LONG_MAX));
	conn_close(&self->conn);
	EXPECT_TRUE(await_held(self->one, 0, 0));
}

/* The cgroup may go before the socket. */
TEST_F(memcg, cgroup_goes)
{
	char byte;

	self->conn.listener = conn_listen(SOCK_STREAM, PORT, 8);
	self->conn.client = conn_to(SOCK_STREAM, &self->at);
	ASSERT_LE(0, self->conn.client);
	ASSERT_EQ(0, enter(self->one));
	self->conn.server = conn_accept(self->conn.listener);
	ASSERT_LE(0, self->conn.server);
	ASSERT_EQ(0, enter(ROOT));
	ASSERT_EQ(0, rmdir(self->one));
	ASSERT_EQ(1, sock_send(self->conn.client, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->conn.server, &byte, 1));
	ASSERT_EQ(1, sock_send(self->conn.server, "y", 1, 0));
	EXPECT_EQ(1, sock_await(self->conn.client, &byte, 1));
}

TEST_HARNESS_MAIN
