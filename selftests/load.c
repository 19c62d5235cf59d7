// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading and unloading: refused while it is in use, repeated, and unwound
 * where it fails. $FERRY_KO is the module; it is loaded again at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "module.h"
#include "net.h"
#include "repeat.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000
#define CYCLES	100
#define WARM_UP	20
#define SLACK	1024	/* kB */

FIXTURE(load) {
	struct wire wire;
	int host;
	char byte;
};

FIXTURE_SETUP(load)
{
	if (!module_loaded("ferry")) {
		ASSERT_EQ(0, module_insert(module_ferry(), ""));
	}
	self->host = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->host);
}

FIXTURE_TEARDOWN(load)
{
	net_enter(self->host);
	module_remove("ferry_hinder");
	if (!module_loaded("ferry"))
		module_insert(module_ferry(), "");
}

/* Nothing of the module can be seen. */
#define EXPECT_NOTHING_LEFT() do { \
	const char *left = leftover_name(); \
	EXPECT_EQ(NULL, left) { \
		TH_LOG("left behind: %s", left); \
	} \
} while (0)

TEST_F(load, unload__refused_while_a_socket_is_open)
{
	int fd;

	ASSERT_LE(0, net_new());
	fd = dgram_at(PORT);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EAGAIN, module_remove("ferry"));
	EXPECT_TRUE(module_loaded("ferry"));
	close(fd);
	EXPECT_EQ(0, module_remove_wait("ferry"));
	ASSERT_EQ(0, net_enter(self->host));
	EXPECT_NOTHING_LEFT();
}

/* A datagram that nobody has read goes with its socket. */
TEST_F(load, unload__after_unread_datagrams)
{
	struct sockaddr_ferry here = sfy(addr_any, PORT);
	int fd;

	ASSERT_LE(0, net_new());
	fd = dgram_at(PORT);
	ASSERT_EQ(1, sock_send_to(fd, "x", 1, &here));
	ASSERT_NE(0, sock_wait(fd, POLLIN));
	close(fd);
	EXPECT_EQ(0, module_remove_wait("ferry"));
	ASSERT_EQ(0, net_enter(self->host));
	EXPECT_NOTHING_LEFT();
}

/* Cards go; a device on which Ferry was enabled stays, and works. */
TEST_F(load, unload__with_devices)
{
	struct link_spec veth = {
		.kind = "veth", .name = "ve0", .peer = "ve1", .peer_net = -1,
	};

	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, link_add(&veth));
	ASSERT_EQ(0, ferry_enable("ve0"));
	close(dgram());
	ASSERT_EQ(0, module_remove_wait("ferry"));
	EXPECT_EQ(0, link_index("ferry0"));
	EXPECT_EQ(0, link_index("fy0"));
	EXPECT_NE(0, link_index("ve0"));
	EXPECT_EQ(0, link_up("ve0"));
	EXPECT_EQ(0, link_del("ve0"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	EXPECT_EQ(0, link_index("fy1"));
	ASSERT_EQ(0, net_enter(self->host));
	EXPECT_NOTHING_LEFT();

	/* Namespaces that were there before know the new one too. */
	ASSERT_EQ(0, module_insert(module_ferry(), ""));
	ASSERT_EQ(0, net_enter(self->wire.red));
	EXPECT_EQ(0, stat_of("InPackets"));
	EXPECT_LE(0, dgram());
}

/* Frames in flight when the last socket closes. */
TEST_F(load, unload__under_frames)
{
	struct sockaddr_ferry to;
	int fd, i;

	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	to = sfy(self->wire.fy1, PORT);
	fd = dgram();
	ASSERT_LE(0, fd);
	for (i = 0; i < 500; i++)
		sock_send_to(fd, "x", 1, &to);
	close(fd);
	ASSERT_EQ(0, module_remove_wait("ferry"));
	ASSERT_EQ(0, net_enter(self->host));
	EXPECT_NOTHING_LEFT();
}

static int traffic(void)
{
	char text[8];
	int fd = dgram_at(PORT), from = dgram_to(PORT), i, err = 0;

	for (i = 0; i < 10 && !err; i++)
		if (sock_send(from, "hello", 5, 0) != 5 ||
		    sock_await(fd, text, sizeof(text)) != 5)
			err = -EIO;
	close(fd);
	close(from);
	return err;
}

/* On a debug kernel there are fewer: see repeat(). */
TEST_F_TIMEOUT(load, cycles, 300)
{
	int cycles = repeat(CYCLES), warm_up = repeat(WARM_UP);
	struct leftover warm = { }, before = leftover_now(), after;
	int i, net;

	ASSERT_EQ(0, module_remove_wait("ferry"));
	before.irqs = leftover_now().irqs;
	for (i = 0; i < cycles; i++) {
		ASSERT_EQ(0, module_insert(module_ferry(), ""));
		net = net_new();
		ASSERT_LE(0, net);
		ASSERT_EQ(0, traffic());
		ASSERT_EQ(0, module_remove_wait("ferry"));
		ASSERT_EQ(0, net_enter(self->host));
		close(net);
		if (i == warm_up)
			warm = leftover_now();
	}
	EXPECT_NOTHING_LEFT();
	after = leftover_now();
	EXPECT_EQ(before.irqs, after.irqs);
	TH_LOG("%ld kB more after %d cycles", after.memory - warm.memory,
	       cycles - warm_up);
	/* Some of that is what the rest of the system does. */
	EXPECT_GT(SLACK, after.memory - warm.memory);
}

/* Who has what the module wants, and what the module says to that. */
FIXTURE(taken) {
	int klog;
};

FIXTURE_VARIANT(taken) {
	const char *params, *says;
};

FIXTURE_VARIANT_ADD(taken, family) {
	.params = "occupy=family",
	.says = "protocol family 18 (AF_ASH's number) is taken",
};

FIXTURE_VARIANT_ADD(taken, netlink_family) {
	.params = "occupy=genl",
	.says = "generic netlink family \"ferry\" is taken",
};

FIXTURE_VARIANT_ADD(taken, device_kind) {
	.params = "occupy=link",
	.says = "device kind \"ferry\" is taken",
};

FIXTURE_SETUP(taken)
{
	if (module_loaded("ferry")) {
		ASSERT_EQ(0, module_remove_wait("ferry"));
	}
	self->klog = klog_open();
	ASSERT_LE(0, self->klog);
}

FIXTURE_TEARDOWN(taken)
{
	module_remove("ferry_hinder");
	if (!module_loaded("ferry"))
		module_insert(module_ferry(), "");
	close(self->klog);
}

TEST_F(taken, says_so)
{
	ASSERT_EQ(0, module_insert(module_hinder(), variant->params));
	EXPECT_EQ(-EBUSY, module_insert(module_ferry(), ""));
	EXPECT_TRUE(klog_says(self->klog, variant->says));
	EXPECT_FALSE(module_loaded("ferry"));
	ASSERT_EQ(0, module_remove_wait("ferry_hinder"));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(0, module_insert(module_ferry(), ""));
}

/*
 * Each call of a function with which something is registered or made, while
 * the module loads: it fails, the first time, then the second, until there is
 * none left to fail. A function can have other names in other kernels.
 */
FIXTURE(fails) {
	int klog;
	struct leftover before;
};

FIXTURE_VARIANT(fails) {
	const char *functions[4];	/* ended by NULL */
	long result;
	int err;
};

#define FAILS(name, value, expected, ...) \
	FIXTURE_VARIANT_ADD(fails, name) { \
		.functions = { __VA_ARGS__ }, \
		.result = value, .err = expected, \
	}

FAILS(slab, 0, -ENOMEM, "kmem_cache_create_usercopy", "__kmem_cache_create_args");
FAILS(pernet, -ENOMEM, -ENOMEM, "register_pernet_subsys");
FAILS(notifier, -EBUSY, -EBUSY, "register_netdevice_notifier");
FAILS(irq_node, 0, -ENOMEM, "__irq_domain_alloc_fwnode");
FAILS(irq_domain, 0, -ENOMEM, "__irq_domain_add", "irq_domain_instantiate");
FAILS(link_kind, -EBUSY, -EBUSY, "rtnl_link_register");
FAILS(netlink, -EBUSY, -EBUSY, "genl_register_family");
FAILS(protocol, -ENOBUFS, -ENOBUFS, "proto_register");
FAILS(family, -ENOBUFS, -ENOBUFS, "sock_register");
/* In each namespace. */
FAILS(percpu, 0, -ENOMEM, "__alloc_percpu", "pcpu_alloc_noprof");
FAILS(proc_dir, 0, -ENOMEM, "_proc_mkdir");
FAILS(proc_file, 0, -ENOMEM, "proc_create_net_single");
FAILS(table, -ENOMEM, -ENOMEM, "rhashtable_init", "rhashtable_init_noprof");
FAILS(lists, -ENOMEM, -ENOMEM, "rhltable_init", "rhltable_init_noprof", "__rhltable_init_noprof");
FAILS(sysctl, 0, -ENOMEM, "register_net_sysctl", "register_net_sysctl_sz");

FIXTURE_SETUP(fails)
{
	if (module_loaded("ferry")) {
		ASSERT_EQ(0, module_remove_wait("ferry"));
	}
	self->before = leftover_now();
	self->klog = klog_open();
	ASSERT_LE(0, self->klog);
}

FIXTURE_TEARDOWN(fails)
{
	module_remove("ferry_hinder");
	if (!module_loaded("ferry"))
		module_insert(module_ferry(), "");
	close(self->klog);
}

static int hinder(const char * const *functions, int nth, long result)
{
	char params[128];
	int err = -ENOENT;

	for (; err == -ENOENT && *functions; functions++) {
		snprintf(params, sizeof(params),
			 "fail=%s nth=%d result=%ld pid=%d", *functions, nth,
			 result, getpid());
		err = module_insert(module_hinder(), params);
	}
	return err;
}

/* Did the hindrance come to pass? */
static bool hindered(void)
{
	FILE *file = fopen("/sys/module/ferry_hinder/parameters/fired", "re");
	int fired = -1;

	if (file) {
		if (fscanf(file, "%d", &fired) != 1)
			fired = -1;
		fclose(file);
	}
	return fired == 1;
}

TEST_F_TIMEOUT(fails, each_call, 120)
{
	int nth, err;

	for (nth = 1; ; nth++) {
		err = hinder(variant->functions, nth, variant->result);
		if (err == -ENOENT && nth == 1)
			SKIP(return, "This kernel has no %s.",
			     variant->functions[0]);
		ASSERT_EQ(0, err);
		err = module_insert(module_ferry(), "");
		if (!hindered())
			break;
		/* The core's proto_register() calls each failure this. */
		EXPECT_TRUE(err == variant->err || err == -ENOBUFS) {
			TH_LOG("call %d: %d", nth, err);
		}
		/* The core that loads a module may make the call, too. */
		EXPECT_TRUE(klog_says_either(self->klog,
					     "ferry: cannot set up the",
					     "ferry: Could not allocate"));
		ASSERT_EQ(0, module_remove_wait("ferry_hinder"));
		EXPECT_NOTHING_LEFT();
	}
	/* With nothing in its way it loads. */
	EXPECT_EQ(0, err);
	EXPECT_LT(1, nth);
	TH_LOG("%d calls failed in turn", nth - 1);
	ASSERT_EQ(0, module_remove_wait("ferry_hinder"));
	ASSERT_EQ(0, module_remove_wait("ferry"));
	EXPECT_NOTHING_LEFT();
	EXPECT_EQ(self->before.irqs, leftover_now().irqs);
}

static void __attribute__((constructor)) require_modules(void)
{
	const char *why = NULL;

	if (!module_ferry())
		why = "FERRY_KO is to be the path of ferry.ko.";
	else if (!module_hinder())
		why = "There is no ferry_hinder.ko: scripts/build selftests/modules/hinder";
	if (why) {
		printf("1..0 # SKIP %s\n", why);
		exit(KSFT_SKIP);
	}
}

TEST_HARNESS_MAIN
