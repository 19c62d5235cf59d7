// SPDX-License-Identifier: GPL-2.0-only
/*
 * One datagram's whole way: from a process in red, over the card and its
 * interrupt, to a reader that sleeps in blue. And many, with few interrupts.
 *
 *	+- red --------------+                  +- blue -------------+
 *	|  this process  fy0 +------- wire -----+ fy1  child, asleep |
 *	+--------------------+                  +--------------------+
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "ethtool.h"
#include "net.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000
#define ROUND	6400
#define BATCH	64

/* The sum over all CPUs and queues of a device's lines in /proc/interrupts. */
static long interrupts(const char *name)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char line[4096], *word, *save;
	long sum = 0, lines = 0;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, name))
			continue;
		lines++;
		word = strtok_r(line, " ", &save);
		while ((word = strtok_r(NULL, " ", &save))) {
			char *end;
			long n = strtol(word, &end, 10);

			if (*end)
				break;
			sum += n;
		}
	}
	fclose(file);
	return lines ? sum : -1;
}

FIXTURE(crossing) {
	struct wire wire;
	int fd;
	struct sockaddr_ferry there;
};

FIXTURE_SETUP(crossing)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	self->fd = dgram();
	ASSERT_LE(0, self->fd);
	self->there = sfy(self->wire.fy1, PORT);
}

FIXTURE_TEARDOWN(crossing)
{
	close(self->fd);
}

TEST_F(crossing, to_a_sleeping_reader)
{
	char text[16] = "";
	int status, end[2];
	long before;
	pid_t pid;

	ASSERT_EQ(0, pipe(end));
	pid = fork();
	if (!pid) {
		ssize_t n;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		net_enter(self->wire.blue);
		n = sock_recv(dgram_at(PORT), text, sizeof(text), 0);
		_exit(n < 0 || write(end[1], text, n) != n);
	}
	ASSERT_TRUE(wait_asleep(pid, SYS_recvfrom));
	before = interrupts("fy1-rx-");
	ASSERT_LE(0, before);
	ASSERT_EQ(5, sock_send_to(self->fd, "hello", 5, &self->there));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(5, read(end[0], text, sizeof(text)));
	EXPECT_STREQ("hello", text);
	EXPECT_EQ(before + 1, interrupts("fy1-rx-"));
}

/* Read until the empty datagram comes. */
static void drain(int net)
{
	char buf[64];
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	net_enter(net);
	fd = dgram_at(PORT);
	sock_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20);
	while (sock_recv(fd, buf, sizeof(buf), 0) > 0)
		;
	_exit(0);
}

/* Send @ROUND datagrams at full rate. Return: how many were not taken. */
static int flood(int fd, const struct sockaddr_ferry *to)
{
	static char text[64];
	struct mmsghdr mmsg[BATCH];
	struct iovec iov = { text, sizeof(text) };
	int i, sent = 0;

	for (i = 0; i < BATCH; i++)
		mmsg[i].msg_hdr = (struct msghdr){
			.msg_name = (void *)to, .msg_namelen = sizeof(*to),
			.msg_iov = &iov, .msg_iovlen = 1,
		};
	for (i = 0; i < ROUND / BATCH; i++)
		sent += sendmmsg(fd, mmsg, BATCH, 0);
	return ROUND - sent;
}

/* Send @ROUND datagrams. Return: how many interrupts they took, or -1. */
static long interrupts_of_round(int fd, const struct sockaddr_ferry *to,
				const struct wire *wire, long received)
{
	long before = interrupts("fy1-rx-");

	if (before < 0 || flood(fd, to) || net_enter(wire->blue) ||
	    stat_wait("InDatagrams", received) != received ||
	    net_enter(wire->red))
		return -1;
	return interrupts("fy1-rx-") - before;
}

/*
 * At full rate an interrupt stands for many datagrams: NAPI and masking work.
 * What the card does by itself depends on how busy this machine is otherwise,
 * and is printed; told to wait for company, it has to have it.
 */
TEST_F_TIMEOUT(crossing, interrupts_under_load, 120)
{
	long took;
	int status;
	pid_t pid = fork();

	if (!pid)
		drain(self->wire.blue);
	ASSERT_TRUE(wait_asleep(pid, SYS_recvfrom));

	took = interrupts_of_round(self->fd, &self->there, &self->wire, ROUND);
	ASSERT_LT(0, took);
	TH_LOG("%ld interrupts for %d datagrams by itself", took, ROUND);

	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, link_coalesce("fy1", 100000, 64));
	ASSERT_EQ(0, net_enter(self->wire.red));
	took = interrupts_of_round(self->fd, &self->there, &self->wire,
				   2 * ROUND);
	ASSERT_LT(0, took);
	TH_LOG("%ld interrupts for %d datagrams told to wait", took, ROUND);
	EXPECT_GT(ROUND / 8, took);

	ASSERT_EQ(0, sock_send_to(self->fd, "", 0, &self->there));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
