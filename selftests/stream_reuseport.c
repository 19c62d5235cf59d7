// SPDX-License-Identifier: GPL-2.0-only
/*
 * FERRY_REUSEPORT of listeners: who of those that share a port has a connection.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define MEMBERS	4
#define FLOWS	64

FIXTURE(reuseport) {
	int members[MEMBERS], count[MEMBERS];
	struct sockaddr_ferry at;
};

FIXTURE_VARIANT(reuseport) {
	int type;
};

FIXTURE_VARIANT_ADD(reuseport, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(reuseport, record) { .type = SOCK_SEQPACKET };

FIXTURE_SETUP(reuseport)
{
	ASSERT_LE(0, net_new());
	self->at = sfy(addr_any, PORT);
}

FIXTURE_TEARDOWN(reuseport)
{
}

static int bound_member(int type, unsigned int port)
{
	struct sockaddr_ferry at = sfy(addr_any, port);
	int fd = conn_socket(type), err;

	err = sock_set(fd, SOL_FERRY, FERRY_REUSEPORT, 1) ?: sock_bind(fd, &at);
	return err ?: fd;
}

static int member(int type, unsigned int port)
{
	int fd = bound_member(type, port);

	return fd < 0 ? fd : sock_listen(fd, FLOWS) ?: fd;
}

/* Which member has one waiting? Takes it. -1: none within the time. */
static int taker(const int *members, int count)
{
	struct pollfd p[MEMBERS];
	int i;

	for (i = 0; i < count; i++)
		p[i] = (struct pollfd){ .fd = members[i], .events = POLLIN };
	if (poll(p, count, WAIT_MS) != 1)
		return -1;
	for (i = 0; i < count; i++)
		if (p[i].revents)
			break;
	close(conn_accept_now(members[i]));
	return i;
}

TEST_F(reuseport, shared)
{
	int i, client;

	for (i = 0; i < MEMBERS; i++) {
		self->members[i] = member(variant->type, PORT);
		ASSERT_LE(0, self->members[i]);
	}
	EXPECT_EQ(-EADDRINUSE, conn_listen(variant->type, PORT, 1));
	for (i = 0; i < FLOWS; i++) {
		int who;

		client = conn_to(variant->type, &self->at);
		ASSERT_LE(0, client);
		who = taker(self->members, MEMBERS);
		ASSERT_LE(0, who);
		self->count[who]++;
		close(client);
	}
	/* 64 flows miss one of four by chance once in ten million runs. */
	for (i = 0; i < MEMBERS; i++) {
		EXPECT_LT(0, self->count[i]);
	}

	/* Those that are left have all that come. */
	close(self->members[MEMBERS - 1]);
	for (i = 0; i < FLOWS; i++) {
		client = conn_to(variant->type, &self->at);
		ASSERT_LE(0, client);
		ASSERT_LE(0, taker(self->members, MEMBERS - 1));
		close(client);
	}
}

/* Those that come are number two's. */
static int attach_program(int fd)
{
	struct sock_filter code[] = { { BPF_RET | BPF_K, 0, 0, 2 } };
	struct sock_fprog prog = { ARRAY_SIZE(code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
			  sizeof(prog)) ? -errno : 0;
}

/* Connect. Return: which member takes it, or a negative number. */
static int taker_of_one(int type, const int *members,
			const struct sockaddr_ferry *to)
{
	int client = conn_to(type, to), who;

	if (client < 0)
		return client;
	who = taker(members, MEMBERS);
	close(client);
	return who;
}

/* A program chooses the listener. */
TEST_F(reuseport, program)
{
	int i;

	for (i = 0; i < MEMBERS; i++) {
		self->members[i] = member(variant->type, PORT);
		ASSERT_LE(0, self->members[i]);
	}
	ASSERT_EQ(0, attach_program(self->members[0]));
	for (i = 0; i < 10; i++)
		EXPECT_EQ(2, taker_of_one(variant->type, self->members,
					  &self->at));
}

/* It may come before there is a listener. */
TEST_F(reuseport, program__before_listen)
{
	int i;

	self->members[0] = bound_member(variant->type, PORT);
	ASSERT_LE(0, self->members[0]);
	ASSERT_EQ(0, attach_program(self->members[0]));
	ASSERT_EQ(0, sock_listen(self->members[0], FLOWS));
	for (i = 1; i < MEMBERS; i++) {
		self->members[i] = member(variant->type, PORT);
		ASSERT_LE(0, self->members[i]);
	}
	for (i = 0; i < 10; i++)
		EXPECT_EQ(2, taker_of_one(variant->type, self->members,
					  &self->at));
}

/* Who has a program of his own does not lose it by joining others. */
TEST_F(reuseport, program__of_its_own)
{
	int fd = conn_socket(variant->type);
	int early = bound_member(variant->type, PORT);
	int listener = member(variant->type, PORT);

	ASSERT_LE(0, early);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_REUSEPORT, 1));
	ASSERT_EQ(0, attach_program(fd));
	EXPECT_EQ(-EADDRINUSE, sock_bind(fd, &self->at));
	ASSERT_EQ(0, attach_program(early));
	EXPECT_EQ(-EADDRINUSE, sock_listen(early, 1));

	close(early);
	close(listener);
	EXPECT_EQ(0, sock_bind(fd, &self->at));
	EXPECT_EQ(0, sock_listen(fd, 1));
	close(fd);
}

TEST_HARNESS_MAIN
