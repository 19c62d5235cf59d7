// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cards that come and go under traffic leave nothing behind. On a debug kernel,
 * which sees by itself what one of them leaves, fewer do: see repeat().
 *
 *	+- new namespace -+           +- another one -+
 *	|          fy0 ---+-----------+--- fy1        |	again and again
 *	+-----------------+           +---------------+
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "kselftest_harness.h"
#include "net.h"
#include "repeat.h"

#define CYCLES		1000
#define NET_CYCLES	100
#define FRAMES		16
#define FLOOD		64
#define WIRE_TYPE	0x88b6

/* Slab pages may come and go by themselves; a byte a cycle may not. */
#define SLAB_SLACK	(2 * 1024)	/* KiB */

/* struct footprint - what cards leave traces in */
struct footprint {
	long lines;	/* of /proc/interrupts that are the card's */
	long irqs;	/* directories in /proc/irq */
	long slab;	/* KiB */
};

static long lines_of_cards(void)
{
	FILE *file = fopen("/proc/interrupts", "r");
	char line[4096];
	long count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += !!strstr(line, "-rx-");
	if (file)
		fclose(file);
	return count;
}

static long irq_directories(void)
{
	DIR *dir = opendir("/proc/irq");
	struct dirent *entry;
	long count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_type == DT_DIR;
	if (dir)
		closedir(dir);
	return count;
}

static long meminfo_kib(const char *name)
{
	FILE *file = fopen("/proc/meminfo", "r");
	char line[256];
	long value = -1;

	while (file && value < 0 && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), ": %ld", &value);
	if (file)
		fclose(file);
	return value;
}

/* What is freed after a grace period has been freed after this. */
static void settle(void)
{
	FILE *file;
	int i;

	/* A namespace's end waits for grace periods and for its devices. */
	for (i = 0; i < 3; i++) {
		unshare(CLONE_NEWNET);
		sync();
	}
	file = fopen("/proc/sys/vm/drop_caches", "w");
	if (file) {
		fputs("3\n", file);
		fclose(file);
	}
}

/* A kernel with kmemleak keeps what was freed for a while, and knows its leaks. */
static struct footprint footprint(void)
{
	settle();
	return (struct footprint) {
		.lines = lines_of_cards(),
		.irqs = irq_directories(),
		.slab = access("/sys/kernel/debug/kmemleak", F_OK) ?
			meminfo_kib("Slab") : 0,
	};
}

static int wire_send(const char *dev, int count)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = link_index(dev),
	};
	char frame[128] = { [0 ... 5] = 0xff, [6 ... 11] = 0x02, 0x88, 0xb6 };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	int sent = 0;

	while (sent < count &&
	       sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to,
		      sizeof(to)) == sizeof(frame))
		sent++;
	close(fd);
	return sent;
}

/* One life of a pair: made, used, deleted by either end. */
static int cycle(int i)
{
	struct link_spec pair = {
		.kind = "ferry", .name = "fy0", .peer = "fy1", .peer_net = -1,
	};
	int err;

	err = link_add(&pair);
	if (err)
		return err;
	err = link_up("fy0");
	if (!err)
		err = link_up("fy1");
	if (!err && wire_send("fy0", FRAMES) != FRAMES)
		err = -EIO;
	return link_del(i % 2 ? "fy0" : "fy1") ?: err;
}

FIXTURE(churn) {
	int net;
};

FIXTURE_SETUP(churn)
{
	int i;

	if (access("/sys/module/ferry", F_OK))
		SKIP(return, "the ferry module is not loaded");
	self->net = net_new();
	ASSERT_LE(0, self->net);
	/* What the first ones leave, caches of all kinds, is no leak. */
	for (i = 0; i < repeat(50); i++)
		ASSERT_EQ(0, cycle(i));
}

FIXTURE_TEARDOWN(churn)
{
	close(self->net);
}

TEST_F_TIMEOUT(churn, pairs_leave_nothing, 600)
{
	struct footprint before = footprint(), after;
	int cycles = repeat(CYCLES), i;

	for (i = 0; i < cycles; i++)
		ASSERT_EQ(0, cycle(i)) {
			TH_LOG("cycle %d", i);
		}
	after = footprint();
	EXPECT_EQ(before.lines, after.lines);
	EXPECT_EQ(before.irqs, after.irqs);
	EXPECT_GE(before.slab + SLAB_SLACK, after.slab);
	TH_LOG("%d pairs: slab grew by %ld KiB, by irq lines: %ld", cycles,
	       after.slab - before.slab, after.irqs - before.irqs);
}

struct flood {
	pthread_t	thread;
	bool		stop;
	long		sent;
};

/* Send to whatever fy0 there is in the namespace of the thread's start. */
static void *flood(void *data)
{
	struct flood *flood = data;

	while (!__atomic_load_n(&flood->stop, __ATOMIC_RELAXED)) {
		if (link_index("fy0"))
			__atomic_fetch_add(&flood->sent, wire_send("fy0", FLOOD),
					   __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Delete the far end's namespace while frames are on their way into it. */
TEST_F_TIMEOUT(churn, namespaces_go_with_traffic, 600)
{
	struct link_spec pair = { .kind = "ferry", .name = "fy0", .peer = "fy1" };
	struct flood sender = { 0 };
	int here = net_new(), cycles = repeat(NET_CYCLES), i;
	struct footprint before, after;

	ASSERT_LE(0, here);
	before = footprint();
	ASSERT_EQ(0, net_enter(here));
	ASSERT_EQ(0, pthread_create(&sender.thread, NULL, flood, &sender));
	for (i = 0; i < cycles; i++) {
		long sent = __atomic_load_n(&sender.sent, __ATOMIC_RELAXED);
		int there = net_new();

		ASSERT_LE(0, there);
		ASSERT_EQ(0, net_enter(here));
		pair.peer_net = there;
		ASSERT_EQ(0, link_add(&pair));
		ASSERT_EQ(0, link_up("fy0"));
		ASSERT_EQ(0, net_enter(there));
		ASSERT_EQ(0, link_up("fy1"));
		while (__atomic_load_n(&sender.sent, __ATOMIC_RELAXED) <
		       sent + 3 * FLOOD)
			sched_yield();
		ASSERT_EQ(0, net_enter(here));
		close(there);
		/* The namespace is gone when its end of the wire is. */
		while (link_index("fy0"))
			sched_yield();
	}
	__atomic_store_n(&sender.stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(sender.thread, NULL));
	EXPECT_LE(cycles * 3 * FLOOD, sender.sent);

	after = footprint();
	EXPECT_EQ(before.lines, after.lines);
	EXPECT_EQ(before.irqs, after.irqs);
	EXPECT_GE(before.slab + SLAB_SLACK, after.slab);
	TH_LOG("%d namespaces under %ld frames: slab grew by %ld KiB",
	       cycles, sender.sent, after.slab - before.slab);
}

TEST_HARNESS_MAIN
