// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry link add, del: virtual cards, by rtnetlink as other devices are.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/ferry.h>
#include <linux/rtnetlink.h>

#include "addr.h"
#include "command.h"
#include "link.h"
#include "nl.h"

#define CARD_KIND	"ferry"
#define NETNS_DIR	"/run/netns/"

/**
 * struct card - one end of a wire, as the command line wants it
 *
 * @name: its name, or NULL if there is no such end
 * @address: its address
 * @has_address: whether it was given one; else the kernel chooses it
 * @netns_fd: the namespace it shall be in, or -1
 * @netns_pid: or a process whose namespace that is, or 0
 * @seen: which of add_options[] were given, as bits
 */
struct card {
	const char	*name;
	__u8		address[FERRY_ALEN];
	bool		has_address;
	int		netns_fd;
	unsigned int	netns_pid;
	unsigned int	seen;
};

/**
 * struct wire - what is to be added
 *
 * @near: the card
 * @far: its peer
 * @end: the one of the two that the options apply to
 * @mtu: bytes, for both ends; 0: as the kernel likes
 * @queues: of each direction, for both ends; 0: as the kernel likes
 */
struct wire {
	struct card	near;
	struct card	far;
	struct card	*end;
	unsigned int	mtu;
	unsigned int	queues;
};

static int take_address(struct wire *wire, const char *value)
{
	if (!addr_find(value, wire->end->address))
		return usage_error("'%s' is no MAC address such as 02:00:00:00:00:01",
				   value);
	wire->end->has_address = true;
	return 0;
}

static int take_count(const char *value, unsigned int *count)
{
	if (!parse_number(value, count) || !*count)
		return usage_error("'%s' is no number above 0", value);
	return 0;
}

static int take_mtu(struct wire *wire, const char *value)
{
	return take_count(value, &wire->mtu);
}

static int take_queues(struct wire *wire, const char *value)
{
	return take_count(value, &wire->queues);
}

static int take_peer(struct wire *wire, const char *value)
{
	wire->end = &wire->far;
	wire->far.name = value;
	return link_check_name(value);
}

/* A namespace is given as ip-netns(8) names it, or by a process in it. */
static int take_netns(struct wire *wire, const char *value)
{
	char path[PATH_MAX];
	struct card *end = wire->end;

	snprintf(path, sizeof(path), NETNS_DIR "%s", value);
	end->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (end->netns_fd >= 0)
		return 0;
	if (errno != ENOENT)
		return complain("cannot open the network namespace %s: %s",
				path, strerror(errno));
	if (parse_number(value, &end->netns_pid) && end->netns_pid)
		return 0;
	return complain("there is no network namespace '%s'; see what there is with: ip netns",
			value);
}

enum { NEAR = 1, FAR = 2 };

static const struct add_option {
	const char	*name;
	int		ends;		/* of which ends it can be said */
	int		(*take)(struct wire *wire, const char *value);
} add_options[] = {
	{ "address", NEAR | FAR, take_address },
	{ "mtu", NEAR, take_mtu },
	{ "queues", NEAR, take_queues },
	{ "peer", NEAR, take_peer },
	{ "netns", FAR, take_netns },
};

static int take_option(struct wire *wire, const char *key, const char *value)
{
	const struct add_option *opt = add_options;
	struct card *end = wire->end;
	unsigned int bit = 1;

	while (strcmp(opt->name, key)) {
		if (++opt == add_options + MNL_ARRAY_SIZE(add_options))
			return usage_error("'add' has no option '%s'", key);
		bit <<= 1;
	}
	if (!(opt->ends & (end == &wire->near ? NEAR : FAR)))
		return usage_error("'%s' must come %s 'peer NAME'", key,
				   opt->ends == NEAR ? "before" : "after");
	if (!value)
		return usage_error("'%s' needs a value", key);
	if (end->seen & bit)
		return usage_error("'%s' is given twice", key);
	end->seen |= bit;
	return opt->take(wire, value);
}

static int parse_wire(struct wire *wire, int argc, char **argv)
{
	int status, i;

	*wire = (struct wire){
		.near.netns_fd = -1,
		.far.netns_fd = -1,
		.end = &wire->near,
	};
	if (argc < 2)
		return usage_error("'add' needs a name for the card");
	wire->near.name = argv[1];
	status = link_check_name(argv[1]);
	for (i = 2; !status && i < argc; i += 2)
		status = take_option(wire, argv[i], argv[i + 1]);
	return status;
}

static void put_card(struct nlmsghdr *nlh, const struct wire *wire,
		     const struct card *end)
{
	mnl_attr_put_strz(nlh, IFLA_IFNAME, end->name);
	if (end->has_address)
		mnl_attr_put(nlh, IFLA_ADDRESS, FERRY_ALEN, end->address);
	if (wire->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, wire->mtu);
	if (wire->queues) {
		mnl_attr_put_u32(nlh, IFLA_NUM_TX_QUEUES, wire->queues);
		mnl_attr_put_u32(nlh, IFLA_NUM_RX_QUEUES, wire->queues);
	}
	if (end->netns_fd >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, end->netns_fd);
	else if (end->netns_pid)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_PID, end->netns_pid);
}

static void put_peer(struct nlmsghdr *nlh, const struct wire *wire)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(nlh, IFLA_FERRY_PEER);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	put_card(nlh, wire, &wire->far);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
}

static struct nlmsghdr *link_request(struct nl *nl, __u16 type,
				     __u16 flags, int ifindex)
{
	struct nlmsghdr *nlh = nl_request(nl, type, flags);
	struct ifinfomsg *ifi;

	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	return nlh;
}

static int add_wire(const struct wire *wire)
{
	static const struct nl_fault faults[] = {
		NL_FAULT_NO_MODULE(EOPNOTSUPP),
		{ EEXIST, "a device of this name or the peer's exists already",
		  "choose a name that 'ip link' does not show" },
		{ EADDRNOTAVAIL, "a card's address is neither zero nor a group's",
		  "choose another, or give none for a random one" },
		{ EINVAL, "one of the values is out of range",
		  "see what it can be with: man ferry" },
		{ ESRCH, "there is no process with this id",
		  "give the name of a namespace or the id of a process in it" },
		{ }
	};
	const struct nl_job job = { "add", wire->near.name, faults };
	struct nlattr *info;
	struct nlmsghdr *nlh;
	struct nl nl;
	int status;

	if (nl_open_route(&nl, &job))
		return EXIT_FAILURE;
	nlh = link_request(&nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	put_card(nlh, wire, &wire->near);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, CARD_KIND);
	if (wire->far.name)
		put_peer(nlh, wire);
	mnl_attr_nest_end(nlh, info);
	status = nl_talk(&nl, nlh, NULL, NULL);
	nl_close(&nl);
	return status;
}

int link_add(int argc, char **argv)
{
	struct wire wire;
	int status;

	status = parse_wire(&wire, argc, argv);
	if (!status)
		status = add_wire(&wire);
	if (wire.far.netns_fd >= 0)
		close(wire.far.netns_fd);
	return status;
}

/* What link_del() must know of a device. */
struct found {
	int	ifindex;
	bool	is_card;
};

static int read_found(const struct nlmsghdr *nlh, void *data)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr, *info;
	struct found *found = data;

	found->ifindex = ifi->ifi_index;
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(info, attr)
			if (mnl_attr_get_type(info) == IFLA_INFO_KIND)
				found->is_card = !strcmp(mnl_attr_get_str(info),
							 CARD_KIND);
	}
	return MNL_CB_OK;
}

static int delete_card(struct nl *nl, const char *name)
{
	struct found found = { 0 };
	struct nlmsghdr *nlh;
	int status;

	nlh = link_request(nl, RTM_GETLINK, 0, 0);
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	status = nl_talk(nl, nlh, read_found, &found);
	if (status)
		return status;
	if (!found.is_card)
		return complain("cannot delete %s: it is not one of Ferry's cards; "
				"if it shall go: ip link del %s", name, name);
	nlh = link_request(nl, RTM_DELLINK, 0, found.ifindex);
	return nl_talk(nl, nlh, NULL, NULL);
}

int link_del(int argc, char **argv)
{
	const struct nl_job job = { "delete", argv[1], NULL };
	struct nl nl;
	int status;

	status = link_check_device(argc, argv);
	if (status)
		return status;
	if (nl_open_route(&nl, &job))
		return EXIT_FAILURE;
	status = delete_card(&nl, argv[1]);
	nl_close(&nl);
	return status;
}
