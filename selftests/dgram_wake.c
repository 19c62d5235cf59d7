// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeping readers: what wakes them, signals and time-outs, and readers that
 * do not sleep but are sent a signal.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000

FIXTURE(wake) {
	int fd, from;
	struct sockaddr_ferry at;
	char buf[8];
	struct sleeper reader;
};

FIXTURE_SETUP(wake)
{
	ASSERT_LE(0, net_new());
	self->fd = dgram_at(PORT);
	self->from = dgram();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->from);
	self->at = sfy(addr_any, PORT);
	self->reader = (struct sleeper){
		.call = sleep_in_recv, .fd = self->fd,
		.data = self->buf, .len = sizeof(self->buf),
	};
}

FIXTURE_TEARDOWN(wake)
{
	close(self->fd);
	close(self->from);
}

#define SEND(text) ASSERT_EQ(sizeof(text) - 1, \
		sock_send_to(self->from, text, sizeof(text) - 1, &self->at))

TEST_F(wake, by_a_datagram)
{
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	SEND("hello");
	ASSERT_EQ(5, sleeper_join(&self->reader));
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
}

TEST_F(wake, by_an_empty_datagram)
{
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	SEND("");
	EXPECT_EQ(0, sleeper_join(&self->reader));
}

/* Two sleep: each datagram wakes one, and none is left asleep. */
TEST_F(wake, two_readers)
{
	struct sleeper second = self->reader;
	char buf[8];

	second.data = buf;
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_TRUE(sleeper_start(&second, SYS_recvfrom));
	SEND("1");
	SEND("2");
	EXPECT_EQ(1, sleeper_join(&self->reader));
	EXPECT_EQ(1, sleeper_join(&second));
	EXPECT_NE(self->buf[0], buf[0]);
}

/* One that peeks leaves the datagram to the one that reads. */
TEST_F(wake, a_reader_that_peeks)
{
	self->reader.flags = MSG_PEEK;
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	SEND("1");
	EXPECT_EQ(1, sleeper_join(&self->reader));
	EXPECT_EQ(1, sock_recv(self->fd, self->buf, 8, MSG_DONTWAIT));
}

/* 500 round trips between two that sleep: no wake-up is lost. */
static long echo(struct sleeper *self)
{
	struct sockaddr_ferry from;
	long n, count = 0;
	char byte;

	for (;;) {
		n = sock_recv_from(self->fd, &byte, 1, 0, &from);
		if (n != 1)
			return n ?: count;
		count++;
		sock_send_to(self->fd, &byte, 1, &from);
	}
}

TEST_F(wake, ping_pong)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	int i;

	self->reader.call = echo;
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	ASSERT_EQ(0, setsockopt(self->from, SOL_SOCKET, SO_RCVTIMEO, &limit,
				sizeof(limit)));
	for (i = 0; i < 500; i++) {
		SEND("x");
		ASSERT_EQ(1, sock_recv(self->from, self->buf, 8, 0));
	}
	SEND("");
	EXPECT_EQ(500, sleeper_join(&self->reader));
}

TEST_F(wake, timeout)
{
	long start = clock_tick_ms();

	ASSERT_EQ(0, sock_timeout(self->fd, SO_RCVTIMEO, 50));
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, self->buf, 8, 0));
	/* The tick that has begun counts: 10 ms of it, on some kernels. */
	EXPECT_LE(40, clock_tick_ms() - start);
	SEND("x");
	sock_wait(self->fd, POLLIN);
	EXPECT_EQ(1, sock_recv(self->fd, self->buf, 8, 0));
}

TEST_F(wake, by_a_signal)
{
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, 0));
	EXPECT_EQ(-EINTR, sleeper_join(&self->reader));
}

/* SA_RESTART: back to sleep, and then woken by a datagram. */
TEST_F(wake, by_a_signal__restart)
{
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, SA_RESTART));
	ASSERT_TRUE(wait_asleep(self->reader.tid, SYS_recvfrom));
	SEND("x");
	EXPECT_EQ(1, sleeper_join(&self->reader));
}

/* With a time-out there is no restart: signal(7). */
TEST_F(wake, by_a_signal__restart_with_timeout)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };

	ASSERT_EQ(0, setsockopt(self->fd, SOL_SOCKET, SO_RCVTIMEO, &limit,
				sizeof(limit)));
	ASSERT_TRUE(sleeper_interrupt(&self->reader, SYS_recvfrom, SA_RESTART));
	EXPECT_EQ(-EINTR, sleeper_join(&self->reader));
}

/* Wait for a signal that the socket is to send. Return: its number, or 0. */
static int await_signal(int sig, siginfo_t *info)
{
	struct timespec limit = { .tv_sec = WAIT_MS / 1000 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return sigtimedwait(&set, info, &limit) == sig ? sig : 0;
}

static void block(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

TEST_F(wake, sigio)
{
	siginfo_t info;

	block(SIGIO);
	ASSERT_EQ(0, fcntl(self->fd, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_ASYNC));
	SEND("x");
	EXPECT_EQ(SIGIO, await_signal(SIGIO, &info));
	EXPECT_EQ(SI_KERNEL, info.si_code);
}

TEST_F(wake, sigio__which_and_why)
{
	int sig = SIGRTMIN + 1;
	siginfo_t info;

	block(sig);
	ASSERT_EQ(0, fcntl(self->fd, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->fd, F_SETSIG, sig));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_ASYNC));
	SEND("x");
	ASSERT_EQ(sig, await_signal(sig, &info));
	EXPECT_EQ(self->fd, info.si_fd);
	EXPECT_EQ(POLL_IN, info.si_code);
	EXPECT_EQ(POLLIN | POLLRDNORM, info.si_band);
}

TEST_F(wake, sigio__error)
{
	struct sockaddr_ferry nobody = sfy(addr_any, PORT + 1);
	int sig = SIGRTMIN + 1;
	siginfo_t info;

	block(sig);
	ASSERT_EQ(0, sock_connect(self->from, &nobody));
	ASSERT_EQ(0, fcntl(self->from, F_SETOWN, getpid()));
	ASSERT_EQ(0, fcntl(self->from, F_SETSIG, sig));
	ASSERT_EQ(0, fcntl(self->from, F_SETFL, O_ASYNC));
	ASSERT_EQ(1, sock_send(self->from, "x", 1, 0));
	do {
		ASSERT_EQ(sig, await_signal(sig, &info));
	} while (info.si_code == POLL_OUT);
	EXPECT_EQ(POLL_ERR, info.si_code);
	EXPECT_EQ(self->from, info.si_fd);
}

TEST_F(wake, fionbio)
{
	int on = 1;

	ASSERT_EQ(0, ioctl(self->fd, FIONBIO, &on));
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, self->buf, 8, 0));
	on = 0;
	ASSERT_EQ(0, ioctl(self->fd, FIONBIO, &on));
	ASSERT_TRUE(sleeper_start(&self->reader, SYS_recvfrom));
	SEND("x");
	EXPECT_EQ(1, sleeper_join(&self->reader));
}

/* A process that is killed in its sleep leaves nothing behind. */
TEST_F(wake, by_death)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		sock_recv(self->fd, self->buf, 8, 0);
		_exit(1);
	}
	ASSERT_TRUE(wait_asleep(pid, SYS_recvfrom));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	close(self->fd);
	self->fd = dgram_at(PORT);
	EXPECT_LE(0, self->fd);
}

TEST_HARNESS_MAIN
