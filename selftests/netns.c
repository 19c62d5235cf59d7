// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network namespaces: each has its own ports, settings and counters, and can
 * go with readers asleep in it.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000

FIXTURE(netns) {
	struct wire wire;
	char byte;
};

FIXTURE_SETUP(netns)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
}

FIXTURE_TEARDOWN(netns)
{
}

TEST_F(netns, same_port_in_each)
{
	struct sockaddr_ferry here = sfy(addr_any, PORT);
	int red = dgram_at(PORT), blue;

	ASSERT_LE(0, red);
	ASSERT_EQ(0, net_enter(self->wire.blue));
	blue = dgram_at(PORT);
	ASSERT_LE(0, blue);
	/* Sent in blue to "this host", it is for blue. */
	ASSERT_EQ(1, sock_send_to(dgram(), "b", 1, &here));
	EXPECT_EQ(1, sock_await(blue, &self->byte, 1));
	EXPECT_TRUE(sock_empty(red));
}

/* A socket belongs to where it was made, wherever its user is now. */
TEST_F(netns, socket_stays)
{
	struct sockaddr_ferry here = sfy(addr_any, PORT);
	int red = dgram_at(PORT), from = dgram();

	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(1, sock_send_to(from, "r", 1, &here));
	EXPECT_EQ(1, sock_await(red, &self->byte, 1));
	EXPECT_EQ(0, stat_of("InDatagrams"));
	ASSERT_EQ(0, net_enter(self->wire.red));
	EXPECT_EQ(1, stat_of("InDatagrams"));
}

/* Nothing is known in one of the other's devices. */
TEST_F(netns, devices_of_another)
{
	struct sockaddr_ferry to = sfy(self->wire.fy1, PORT);
	int green = net_new(), fd = dgram();

	ASSERT_LE(0, green);
	EXPECT_EQ(-ENETUNREACH, sock_send_to(fd, "x", 1, &to));
	to = sfy(self->wire.fy0, PORT);
	EXPECT_EQ(-EADDRNOTAVAIL, sock_bind(fd, &to));
}

static bool fy0_has_gone(void *unused)
{
	(void)unused;
	return !link_index("fy0");
}

/*
 * A child has blue to itself, and sleeps in it. When it is killed, blue goes
 * with all that is in it, and so does our end of the wire.
 */
TEST_F(netns, goes_with_its_last_reader)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		net_enter(self->wire.blue);
		close(self->wire.blue);
		sock_recv(dgram_at(PORT), &self->byte, 1, 0);
		_exit(1);
	}
	close(self->wire.blue);
	ASSERT_TRUE(wait_asleep(pid, SYS_recvfrom));
	EXPECT_NE(0, link_index("fy0"));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(wait_until(fy0_has_gone, NULL));
}

/* A socket alone keeps its namespace, in which it can be used on. */
TEST_F(netns, is_kept_by_a_socket)
{
	struct sockaddr_ferry to = sfy(self->wire.fy1, PORT);
	int fd = dgram(), blue;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	blue = dgram_at(PORT);
	ASSERT_LE(0, blue);
	ASSERT_EQ(0, net_enter(self->wire.red));
	close(self->wire.blue);
	ASSERT_EQ(1, sock_send_to(fd, "x", 1, &to));
	EXPECT_EQ(1, sock_await(blue, &self->byte, 1));
	EXPECT_NE(0, link_index("fy0"));
	close(blue);
	EXPECT_TRUE(wait_until(fy0_has_gone, NULL));
}

/* The far namespace goes: who sleeps on the device at our end is woken. */
TEST_F(netns, far_one_goes)
{
	struct sockaddr_ferry at = sfy_dev(addr_any, PORT, "fy0");
	struct sleeper reader = {
		.call = sleep_in_recv, .data = &self->byte, .len = 1,
	};
	long err;

	reader.fd = dgram();
	ASSERT_EQ(0, sock_bind(reader.fd, &at));
	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	close(self->wire.blue);
	err = sleeper_join(&reader);
	EXPECT_TRUE(err == -ENETDOWN || err == -ENODEV) {
		TH_LOG("woken with %ld", err);
	}
}

/* With traffic in it. */
TEST_F(netns, goes_under_traffic)
{
	struct sockaddr_ferry to = sfy(self->wire.fy1, PORT);
	int fd = dgram(), status, i;
	ssize_t n = 1;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		net_enter(self->wire.blue);
		close(self->wire.blue);
		fd = dgram_at(PORT);
		for (i = 0; i < 100; i++)
			sock_recv(fd, &self->byte, 1, 0);
		_exit(0);
	}
	close(self->wire.blue);
	/* The reader ends by itself; what is sent after that has no end. */
	while (n == 1 || n == -ECONNREFUSED)
		n = sock_send_to(fd, "x", 1, &to);
	EXPECT_TRUE(n == -ENETUNREACH || n == -ENETDOWN) {
		TH_LOG("sending ended with %zd", n);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
