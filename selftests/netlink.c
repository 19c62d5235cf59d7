// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: enabling devices, and asking which are.
 *
 *	+- new namespace ---------+
 *	|  lo    ve0 ---- ve1     |
 *	+-------------------------+
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"

#define NOBODY	65534

FIXTURE(netlink) {
	unsigned int ve0;
	struct link_spec pair;
};

FIXTURE_SETUP(netlink)
{
	self->pair = (struct link_spec){
		.kind = "veth", .name = "ve0", .peer = "ve1", .peer_net = -1,
	};
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, link_add(&self->pair));
	self->ve0 = if_nametoindex("ve0");
}

FIXTURE_TEARDOWN(netlink)
{
}

#define GET(index, name)	ferry_request(FERRY_CMD_LINK_GET, index, name)
#define ENABLE(index, name)	ferry_request(FERRY_CMD_LINK_ENABLE, index, name)
#define DISABLE(index, name)	ferry_request(FERRY_CMD_LINK_DISABLE, index, name)

TEST_F(netlink, enable__by_index)
{
	EXPECT_EQ(-ENOENT, GET(self->ve0, NULL));
	EXPECT_EQ(0, ENABLE(self->ve0, NULL));
	EXPECT_EQ(0, GET(self->ve0, NULL));
	EXPECT_EQ(0, DISABLE(self->ve0, NULL));
	EXPECT_EQ(-ENOENT, GET(self->ve0, NULL));
}

TEST_F(netlink, enable__by_name)
{
	EXPECT_EQ(0, ENABLE(0, "ve0"));
	EXPECT_EQ(0, GET(0, "ve0"));
	EXPECT_EQ(-ENOENT, GET(0, "ve1"));
	EXPECT_EQ(0, DISABLE(0, "ve0"));
	EXPECT_EQ(-ENOENT, GET(0, "ve0"));
}

TEST_F(netlink, enable__twice)
{
	ASSERT_EQ(0, ENABLE(0, "ve0"));
	EXPECT_EQ(-EEXIST, ENABLE(self->ve0, NULL));
	EXPECT_EQ(0, GET(0, "ve0"));
}

TEST_F(netlink, enable__not_ethernet)
{
	EXPECT_EQ(-EOPNOTSUPP, ENABLE(0, "lo"));
}

TEST_F(netlink, disable__not_enabled)
{
	EXPECT_EQ(-ENOENT, DISABLE(0, "ve0"));
}

/* A device goes with its enabling: one of the same name starts anew. */
TEST_F(netlink, enable__ends_with_the_device)
{
	ASSERT_EQ(0, ENABLE(0, "ve0"));
	ASSERT_EQ(0, link_del("ve0"));
	ASSERT_EQ(0, link_add(&self->pair));
	EXPECT_EQ(-ENOENT, GET(0, "ve0"));
	EXPECT_EQ(0, ENABLE(0, "ve0"));
}

/* So does one that moves to another namespace; it is closed there. */
TEST_F(netlink, enable__ends_with_a_move)
{
	int here = net_new(), there = net_new();

	ASSERT_EQ(0, net_enter(here));
	ASSERT_EQ(0, link_add(&self->pair));
	ASSERT_EQ(0, ENABLE(0, "ve0"));
	ASSERT_EQ(0, link_move("ve0", there));
	EXPECT_EQ(-ENODEV, GET(0, "ve0"));
	ASSERT_EQ(0, net_enter(there));
	EXPECT_EQ(-ENOENT, GET(0, "ve0"));
}

TEST_F(netlink, ferry_cards_are_enabled)
{
	struct link_spec card = { .kind = "ferry", .name = "fy0" };

	ASSERT_EQ(0, link_add(&card));
	EXPECT_EQ(0, GET(0, "fy0"));
	EXPECT_EQ(-EEXIST, ENABLE(0, "fy0"));
	EXPECT_EQ(0, DISABLE(0, "fy0"));
	EXPECT_EQ(-ENOENT, GET(0, "fy0"));
}

static int each_command(int (*check)(int err), unsigned int index,
			const char *name)
{
	int cmd;

	for (cmd = FERRY_CMD_LINK_GET; cmd <= FERRY_CMD_LINK_DISABLE; cmd++)
		if (!check(ferry_request(cmd, index, name)))
			return cmd;
	return 0;
}

static int is_enodev(int err)
{
	return err == -ENODEV;
}

static int is_einval(int err)
{
	return err == -EINVAL;
}

static int is_erange(int err)
{
	return err == -ERANGE || err == -EINVAL;
}

TEST_F(netlink, no_such_device)
{
	EXPECT_EQ(0, each_command(is_enodev, 9999, NULL));
	EXPECT_EQ(0, each_command(is_enodev, 0, "ve9"));
}

TEST_F(netlink, neither_or_both)
{
	EXPECT_EQ(0, each_command(is_einval, 0, NULL));
	EXPECT_EQ(0, each_command(is_einval, self->ve0, "ve0"));
}

TEST_F(netlink, bad_name)
{
	EXPECT_EQ(0, each_command(is_erange, 0, "a-name-of-16-chr"));
}

TEST_F(netlink, unknown_command)
{
	EXPECT_EQ(-EOPNOTSUPP, ferry_request(FERRY_CMD_MAX + 1, self->ve0,
					     NULL));
	EXPECT_EQ(-EOPNOTSUPP, ferry_request(FERRY_CMD_UNSPEC, self->ve0,
					     NULL));
}

TEST_F(netlink, dump)
{
	struct link_spec card = { .kind = "ferry", .name = "fy0" };
	struct ferry_link_info links[4];
	int i, fy0 = -1, ve0 = -1;
	unsigned char addr[FERRY_ALEN];

	EXPECT_EQ(0, ferry_links(links, 4));
	ASSERT_EQ(0, link_add(&card));
	ASSERT_EQ(0, ENABLE(0, "ve0"));
	ASSERT_EQ(0, link_up("fy0"));
	ASSERT_EQ(2, ferry_links(links, 4));
	for (i = 0; i < 2; i++) {
		if (!strcmp(links[i].name, "fy0"))
			fy0 = i;
		if (!strcmp(links[i].name, "ve0"))
			ve0 = i;
	}
	ASSERT_LE(0, fy0);
	ASSERT_LE(0, ve0);
	EXPECT_EQ(self->ve0, links[ve0].ifindex);
	EXPECT_EQ(1500, links[ve0].mtu);
	EXPECT_EQ(0, links[ve0].flags);
	ASSERT_EQ(0, link_address("ve0", addr));
	EXPECT_EQ(0, memcmp(addr, links[ve0].addr, FERRY_ALEN));
	EXPECT_EQ(FERRY_LINK_F_UP | FERRY_LINK_F_CARRIER | FERRY_LINK_F_CARD,
		  links[fy0].flags);
}

/* The loop says that it is. */
TEST_F(netlink, dump__loop)
{
	struct ferry_link_info link;

	close(dgram());
	ASSERT_EQ(1, ferry_links(&link, 1));
	EXPECT_STREQ("ferry0", link.name);
	EXPECT_EQ(65535, link.mtu);
	EXPECT_TRUE(link.flags & FERRY_LINK_F_LOOP);
}

/* More than fit into one message. */
TEST_F(netlink, dump__many)
{
	struct link_spec dummy = { .kind = "dummy" };
	static struct ferry_link_info links[256];
	char name[16];
	int i;

	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "dum%d", i);
		dummy.name = name;
		ASSERT_EQ(0, link_add(&dummy));
		ASSERT_EQ(0, ENABLE(0, name));
	}
	ASSERT_EQ(200, ferry_links(links, 256));
	for (i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "dum%d", i);
		EXPECT_STREQ(name, links[i].name);
	}
}

#define EXPECT_EVENT(fd, cmd, name_, flags_) do {		\
	struct ferry_link_info link;				\
								\
	ASSERT_EQ(cmd, ferry_event(fd, &link));			\
	EXPECT_STREQ(name_, link.name);				\
	EXPECT_EQ(flags_, link.flags);				\
} while (0)

/* Who listens hears of a link for as long as it is one. */
TEST_F(netlink, events)
{
	static const unsigned char addr[] = { 2, 0, 0, 0, 0, 0x99 };
	struct link_spec dummy = { .kind = "dummy", .name = "dum0" };
	int fd = ferry_listen();
	struct ferry_link_info link;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, link_add(&dummy));
	ASSERT_EQ(0, ENABLE(0, "dum0"));
	EXPECT_EVENT(fd, FERRY_CMD_LINK_ENABLE, "dum0", FERRY_LINK_F_CARRIER);
	ASSERT_EQ(0, link_set_address("dum0", addr));
	ASSERT_EQ(FERRY_CMD_LINK_ENABLE, ferry_event(fd, &link));
	EXPECT_EQ(0, memcmp(addr, link.addr, sizeof(addr)));
	/* The same one is none. */
	ASSERT_EQ(0, link_set_address("dum0", addr));
	ASSERT_EQ(0, link_set_mtu("dum0", 1400));
	ASSERT_EQ(FERRY_CMD_LINK_ENABLE, ferry_event(fd, &link));
	EXPECT_EQ(1400, link.mtu);
	ASSERT_EQ(0, link_rename("dum0", "dum1"));
	EXPECT_EVENT(fd, FERRY_CMD_LINK_ENABLE, "dum1", FERRY_LINK_F_CARRIER);
	ASSERT_EQ(0, link_up("dum1"));
	EXPECT_EVENT(fd, FERRY_CMD_LINK_ENABLE, "dum1",
		     FERRY_LINK_F_CARRIER | FERRY_LINK_F_UP);
	ASSERT_EQ(0, link_down("dum1"));
	EXPECT_EVENT(fd, FERRY_CMD_LINK_ENABLE, "dum1", FERRY_LINK_F_CARRIER);
	ASSERT_EQ(0, DISABLE(0, "dum1"));
	ASSERT_EQ(FERRY_CMD_LINK_DISABLE, ferry_event(fd, &link));
	EXPECT_STREQ("dum1", link.name);
	/* It is not one any more. */
	ASSERT_EQ(0, link_set_mtu("dum1", 1300));
	EXPECT_TRUE(ferry_no_event(fd));
	close(fd);
}

TEST_F(netlink, events__the_device_goes)
{
	int fd = ferry_listen();
	struct ferry_link_info link;

	ASSERT_EQ(0, ENABLE(0, "ve0"));
	ASSERT_EQ(FERRY_CMD_LINK_ENABLE, ferry_event(fd, &link));
	ASSERT_EQ(0, link_del("ve0"));
	ASSERT_EQ(FERRY_CMD_LINK_DISABLE, ferry_event(fd, &link));
	EXPECT_EQ(self->ve0, link.ifindex);
	close(fd);
}

/* Each namespace's are its own. */
TEST_F(netlink, events__elsewhere)
{
	int here = net_new(), there, fd = ferry_listen();
	struct link_spec dummy = { .kind = "dummy", .name = "dum0" };

	ASSERT_LE(0, here);
	there = net_new();
	ASSERT_LE(0, there);
	ASSERT_EQ(0, link_add(&dummy));
	ASSERT_EQ(0, ENABLE(0, "dum0"));
	EXPECT_TRUE(ferry_no_event(fd));
	close(fd);
}

/* Who has no CAP_NET_ADMIN may ask, and not change. */
static int as_nobody(int cmd, bool own_namespaces)
{
	int status, err = 0;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(200);
		if (own_namespaces) {
			struct link_spec dummy = {
				.kind = "dummy", .name = "ve0",
			};

			if (unshare(CLONE_NEWUSER | CLONE_NEWNET) ||
			    link_add(&dummy))
				_exit(201);
		}
		err = ferry_request(cmd, 0, "ve0");
		_exit(-err);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

TEST_F(netlink, without_privilege)
{
	EXPECT_EQ(-EPERM, as_nobody(FERRY_CMD_LINK_ENABLE, false));
	EXPECT_EQ(-ENOENT, GET(0, "ve0"));
	ASSERT_EQ(0, ENABLE(0, "ve0"));
	EXPECT_EQ(-EPERM, as_nobody(FERRY_CMD_LINK_DISABLE, false));
	EXPECT_EQ(0, as_nobody(FERRY_CMD_LINK_GET, false));
}

TEST_F(netlink, in_own_user_namespace)
{
	EXPECT_EQ(0, as_nobody(FERRY_CMD_LINK_ENABLE, true));
}

TEST_HARNESS_MAIN
