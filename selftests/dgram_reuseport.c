// SPDX-License-Identifier: GPL-2.0-only
/*
 * FERRY_REUSEPORT: several sockets of one user share a port, and each flow has
 * one of them.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <linux/filter.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"

#define PORT	5000
#define MEMBERS	4
#define FLOWS	64
#define NOBODY	65534

FIXTURE(group) {
	int member[MEMBERS];
	struct sockaddr_ferry at;
};

static int reuseport(void)
{
	int fd = dgram();

	if (fd >= 0 && sock_set(fd, SOL_FERRY, FERRY_REUSEPORT, 1))
		return -EINVAL;
	return fd;
}

FIXTURE_SETUP(group)
{
	int i;

	ASSERT_LE(0, net_new());
	self->at = sfy(addr_any, PORT);
	for (i = 0; i < MEMBERS; i++) {
		self->member[i] = reuseport();
		ASSERT_LE(0, self->member[i]);
		ASSERT_EQ(0, sock_bind(self->member[i], &self->at));
	}
}

FIXTURE_TEARDOWN(group)
{
	int i;

	for (i = 0; i < MEMBERS; i++)
		close(self->member[i]);
}

/* Which member has received? Takes the datagram. -1: none within the time. */
static int receiver(const int *member)
{
	struct pollfd p[MEMBERS];
	char byte;
	int i;

	for (i = 0; i < MEMBERS; i++)
		p[i] = (struct pollfd){ .fd = member[i], .events = POLLIN };
	if (poll(p, MEMBERS, 20000) != 1)
		return -1;
	for (i = 0; i < MEMBERS; i++)
		if (p[i].revents & POLLIN)
			break;
	return sock_recv(member[i], &byte, 1, MSG_DONTWAIT) < 0 ? -1 : i;
}

TEST_F(group, every_member_has_flows)
{
	int count[MEMBERS] = { }, flow, i;

	for (flow = 0; flow < FLOWS; flow++) {
		int fd = dgram_at(10000 + flow);

		ASSERT_EQ(1, sock_send_to(fd, "x", 1, &self->at));
		i = receiver(self->member);
		ASSERT_LE(0, i);
		count[i]++;
		close(fd);
	}
	/* 64 flows miss one of four by chance once in ten million runs. */
	for (i = 0; i < MEMBERS; i++) {
		EXPECT_LT(0, count[i]);
	}
}

TEST_F(group, a_flow_stays_with_its_member)
{
	int fd = dgram_at(10000), first, i;

	ASSERT_EQ(1, sock_send_to(fd, "x", 1, &self->at));
	first = receiver(self->member);
	ASSERT_LE(0, first);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(1, sock_send_to(fd, "x", 1, &self->at));
		ASSERT_EQ(first, receiver(self->member));
	}
	close(fd);
}

TEST_F(group, who_leaves_is_replaced)
{
	int fd = dgram_at(10000), first;
	char byte;

	ASSERT_EQ(1, sock_send_to(fd, "x", 1, &self->at));
	first = receiver(self->member);
	ASSERT_LE(0, first);
	close(self->member[first]);
	/* Not connected anywhere: its own port, where nothing arrives. */
	self->member[first] = dgram_at(20000);
	ASSERT_EQ(1, sock_send_to(fd, "x", 1, &self->at));
	EXPECT_LE(0, receiver(self->member));
	EXPECT_EQ(-EAGAIN, sock_recv(self->member[first], &byte, 1,
				     MSG_DONTWAIT));
	close(fd);
}

TEST_F(group, the_last_to_leave_frees_the_port)
{
	int i, fd;

	EXPECT_EQ(-EADDRINUSE, dgram_at(PORT));
	for (i = 0; i < MEMBERS; i++) {
		close(self->member[i]);
		self->member[i] = -1;
	}
	fd = dgram_at(PORT);
	EXPECT_LE(0, fd);
	close(fd);
}

TEST_F(group, who_did_not_ask_is_refused)
{
	int fd = dgram();

	EXPECT_EQ(-EADDRINUSE, sock_bind(fd, &self->at));
	close(fd);
}

TEST_F(group, another_user_is_refused)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(200);
		_exit(-sock_bind(reuseport(), &self->at));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EADDRINUSE, WEXITSTATUS(status));
}

/* A program chooses by the payload's first byte. */
TEST_F(group, program_steers)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, 0 },
		{ BPF_RET | BPF_A, 0, 0, 0 },
	};
	struct sock_fprog prog = { ARRAY_SIZE(code), code };
	int fd = dgram_at(10000);
	char want;

	ASSERT_EQ(0, setsockopt(self->member[0], SOL_SOCKET,
				SO_ATTACH_REUSEPORT_CBPF, &prog,
				sizeof(prog)));
	for (want = 0; want < MEMBERS; want++) {
		ASSERT_EQ(1, sock_send_to(fd, &want, 1, &self->at));
		EXPECT_EQ(want, receiver(self->member));
	}
	close(fd);
}

/* Who has a program of his own does not lose it by joining others. */
TEST_F(group, program_of_its_own)
{
	struct sock_filter code[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
	struct sock_fprog prog = { ARRAY_SIZE(code), code };
	int fd = reuseport(), i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
				sizeof(prog)));
	EXPECT_EQ(-EADDRINUSE, sock_bind(fd, &self->at));
	for (i = 0; i < MEMBERS; i++)
		close(self->member[i]);
	EXPECT_EQ(0, sock_bind(fd, &self->at));
	close(fd);
}

/* Who is connected has what its peer sends, and nothing else. */
TEST_F(group, connected_member)
{
	int friend = dgram_at(10000), got, i;
	struct sockaddr_ferry to = sfy(addr_any, 10000);

	ASSERT_EQ(0, sock_connect(self->member[2], &to));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(1, sock_send_to(friend, "x", 1, &self->at));
		ASSERT_EQ(2, receiver(self->member));
	}
	for (i = 0; i < FLOWS; i++) {
		int fd = dgram_at(11000 + i);

		ASSERT_EQ(1, sock_send_to(fd, "x", 1, &self->at));
		got = receiver(self->member);
		ASSERT_LE(0, got);
		ASSERT_NE(2, got);
		close(fd);
	}
	close(friend);
}

TEST_F(group, option)
{
	int fd = dgram();

	EXPECT_EQ(0, sock_get(fd, SOL_FERRY, FERRY_REUSEPORT));
	EXPECT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_REUSEPORT, 2));
	EXPECT_EQ(1, sock_get(fd, SOL_FERRY, FERRY_REUSEPORT));
	EXPECT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_REUSEPORT, 0));
	EXPECT_EQ(0, sock_get(fd, SOL_FERRY, FERRY_REUSEPORT));
	close(fd);
}

TEST_HARNESS_MAIN
