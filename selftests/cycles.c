// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thousand cycles: make a wire, send datagrams over it, and take it away with
 * some of them still on their way. Nothing is left behind. On a debug kernel,
 * which sees by itself what one cycle leaves, there are fewer: see repeat().
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |	again and again
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "module.h"
#include "net.h"
#include "repeat.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT		5000
#define PAIRS		900
#define NAMESPACES	100
#define WORKERS		5	/* at once, each with its own red and blue */
#define WARM_UP		4	/* cycles of each, before memory is looked at */

/*
 * What memory may grow by, in kB, for what the rest of the system does: 2 kB
 * a pair, and a small part of what a namespace is made of.
 */
#define SLACK		2048

/* For the sake of a time-out that fits. */
FIXTURE(cycles) {
};

FIXTURE_SETUP(cycles)
{
}

FIXTURE_TEARDOWN(cycles)
{
}

/* A wire to the namespace @blue, seen from this one. */
static int make_wire(int blue, unsigned char *fy1)
{
	struct link_spec pair = {
		.kind = "ferry", .name = "fy0", .peer = "fy1",
		.peer_net = blue,
	};
	int red = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int err = link_add(&pair);

	err = err ?: link_up("fy0");
	err = err ?: net_enter(blue);
	err = err ?: link_up("fy1");
	err = err ?: link_address("fy1", fy1);
	err = err ?: net_enter(red);
	err = err ?: link_ready("fy0");
	close(red);
	return err;
}

/* Some that arrive, and some that may not any more. */
static int exchange(int from, int to, const unsigned char *addr)
{
	struct sockaddr_ferry there = sfy(addr, PORT);
	char byte;
	int i;

	if (sock_send_to(from, "x", 1, &there) != 1 ||
	    sock_await(to, &byte, 1) != 1)
		return -EIO;
	for (i = 0; i < 8; i++)
		if (sock_send_to(from, "x", 1, &there) != 1)
			return -EIO;
	return 0;
}

/* What is on its way comes or does not; the queue shall be empty. */
static void drain(int fd)
{
	char byte;

	while (sock_recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
		;
}

static bool fy0_has_gone(void *unused)
{
	(void)unused;
	return !link_index("fy0");
}

/* Pairs between two namespaces that stay. Return: 0 or -errno. */
static int cycle_pairs(int count)
{
	int blue = net_new(), to = dgram_at(PORT);
	int red = net_new(), from = dgram();
	unsigned char fy1[FERRY_ALEN];
	int err = 0;

	while (count-- && !err) {
		err = make_wire(blue, fy1);
		err = err ?: exchange(from, to, fy1);
		err = err ?: link_del("fy0");
		drain(to);
	}
	close(from);
	close(to);
	close(red);
	close(blue);
	return err;
}

/* Pairs to a namespace that goes, with a socket that has datagrams unread. */
static int cycle_namespaces(int count)
{
	int red = net_new(), from = dgram();
	unsigned char fy1[FERRY_ALEN];
	int blue, to, err = 0;

	while (count-- && !err) {
		blue = net_new();
		to = dgram_at(PORT);
		err = net_enter(red);
		err = err ?: make_wire(blue, fy1);
		err = err ?: exchange(from, to, fy1);
		close(to);
		close(blue);
		if (!err && !wait_until(fy0_has_gone, NULL))
			err = -ETIMEDOUT;
	}
	close(from);
	close(red);
	return err;
}

/* Let all workers do it. Return: how many could not. */
static int work(int (*cycle)(int count), int count)
{
	int i, status, failed = 0;

	for (i = 0; i < WORKERS; i++) {
		if (!fork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(-cycle(count));
		}
	}
	for (i = 0; i < WORKERS; i++)
		failed += wait(&status) < 0 || status;
	return failed;
}

static bool irqs_are_back(void *before)
{
	return leftover_now().irqs == ((struct leftover *)before)->irqs;
}

#define EXPECT_NOTHING_LEFT(cycle, count) do { \
	struct leftover before = leftover_now(), warm; \
	ASSERT_EQ(0, work(cycle, repeat(WARM_UP))); \
	EXPECT_TRUE(wait_until(irqs_are_back, &before)); \
	warm = leftover_now(); \
	ASSERT_EQ(0, work(cycle, repeat((count) / WORKERS))); \
	EXPECT_TRUE(wait_until(irqs_are_back, &before)); \
	TH_LOG("%ld kB more", leftover_now().memory - warm.memory); \
	EXPECT_GT(SLACK, leftover_now().memory - warm.memory); \
} while (0)

TEST_F_TIMEOUT(cycles, of_pairs, 300)
{
	EXPECT_NOTHING_LEFT(cycle_pairs, PAIRS);
}

TEST_F_TIMEOUT(cycles, of_namespaces, 300)
{
	EXPECT_NOTHING_LEFT(cycle_namespaces, NAMESPACES);
}

TEST_HARNESS_MAIN
