// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry link: the devices on which Ferry is enabled, by its netlink family.
 */
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ferry.h>
#include <linux/genetlink.h>

#include "addr.h"
#include "command.h"
#include "json.h"
#include "link.h"
#include "nl.h"

#define ROW_FORMAT	"%-15s  %-17s  %5s  %-5s  %-7s  %s"

int link_check_name(const char *name)
{
	const char *c;

	if (!*name || strlen(name) >= IFNAMSIZ)
		return usage_error("the device name '%s' must have 1 to %d characters",
				   name, IFNAMSIZ - 1);
	if (*name == '-')
		return usage_error("'%s' is an option that this command does not have",
				   name);
	for (c = name; *c; c++)
		if (*c == '/' || *c == ':' || isspace((unsigned char)*c))
			return usage_error("the device name '%s' has a '/', ':' or space in it",
					   name);
	return 0;
}

int link_check_device(int argc, char **argv)
{
	if (argc != 2)
		return usage_error("'%s' takes one device", argv[0]);
	return link_check_name(argv[1]);
}

static void read_link(const struct nlmsghdr *nlh, struct link *link)
{
	const struct nlattr *attr;

	*link = (struct link){ .name = "" };
	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		switch (mnl_attr_get_type(attr)) {
		case FERRY_LINK_ATTR_IFINDEX:
			link->ifindex = mnl_attr_get_u32(attr);
			break;
		case FERRY_LINK_ATTR_IFNAME:
			link->name = mnl_attr_get_str(attr);
			break;
		case FERRY_LINK_ATTR_ADDRESS:
			memcpy(link->mac, mnl_attr_get_payload(attr), FERRY_ALEN);
			break;
		case FERRY_LINK_ATTR_MTU:
			link->mtu = mnl_attr_get_u32(attr);
			break;
		case FERRY_LINK_ATTR_FLAGS:
			link->flags = mnl_attr_get_u32(attr);
			break;
		}
	}
}

static const char *link_type(const struct link *link)
{
	if (link->flags & FERRY_LINK_F_LOOP)
		return "loop";
	return link->flags & FERRY_LINK_F_CARD ? "card" : "device";
}

/* A list on its way to stdout. */
struct list {
	bool		json, numeric;
	unsigned int	rows;
};

static void show_head(const struct list *list)
{
	if (list->json)
		putchar('[');
	else
		printf(ROW_FORMAT "  %s\n", "DEVICE", "ADDRESS", "MTU", "STATE",
		       "CARRIER", "TYPE  ", "NAME");
}

static void show_row(const struct link *link, const char *host)
{
	char mtu[sizeof("4294967295")], address[ADDR_TEXT_LEN];

	snprintf(mtu, sizeof(mtu), "%u", link->mtu);
	printf(ROW_FORMAT, link->name, addr_format(link->mac, address), mtu,
	       link->flags & FERRY_LINK_F_UP ? "up" : "down",
	       link->flags & FERRY_LINK_F_CARRIER ? "yes" : "no",
	       link_type(link));
	if (host)
		printf("%*s  %s", (int)(strlen("device") - strlen(link_type(link))),
		       "", host);
	putchar('\n');
}

static void show_json(const struct link *link, const char *host)
{
	char address[ADDR_TEXT_LEN];

	printf("{\"ifindex\":%u,\"name\":", link->ifindex);
	json_string(link->name);
	printf(",\"address\":\"%s\",\"mtu\":%u",
	       addr_format(link->mac, address), link->mtu);
	printf(",\"up\":%s,\"carrier\":%s,\"card\":%s,\"loop\":%s",
	       json_bool(link->flags & FERRY_LINK_F_UP),
	       json_bool(link->flags & FERRY_LINK_F_CARRIER),
	       json_bool(link->flags & FERRY_LINK_F_CARD),
	       json_bool(link->flags & FERRY_LINK_F_LOOP));
	if (host) {
		fputs(",\"host\":", stdout);
		json_string(host);
	}
	putchar('}');
}

static void show_link(const struct link *link, void *data)
{
	char name[ADDR_NAME_LEN];
	struct list *list = data;
	const char *host = NULL;

	if (!list->numeric && addr_name(link->mac, name))
		host = name;
	if (!list->rows++)
		show_head(list);
	else if (list->json)
		fputs(",\n ", stdout);
	if (list->json)
		show_json(link, host);
	else
		show_row(link, host);
}

static const struct nl_fault enabled_faults[] = {
	{ EEXIST, "Ferry is already enabled on the device",
	  "there is nothing to do" },
	{ ENOENT, "Ferry is not enabled on the device",
	  "see where it is with: ferry link show" },
	{ EOPNOTSUPP, "Ferry runs over Ethernet devices only",
	  "choose one that 'ip link' shows as link/ether" },
	{ }
};

/* What link_for_each() was given. */
struct visitor {
	void	(*visit)(const struct link *link, void *data);
	void	*data;
};

static int visit_link(const struct nlmsghdr *nlh, void *data)
{
	const struct visitor *visitor = data;
	struct link link;

	read_link(nlh, &link);
	visitor->visit(&link, visitor->data);
	return MNL_CB_OK;
}

int link_for_each(const char *verb, const char *device,
		  void (*visit)(const struct link *link, void *data),
		  void *data)
{
	const struct nl_job job = {
		verb, device ? device : "the links", enabled_faults
	};
	struct visitor visitor = { visit, data };
	struct nlmsghdr *nlh;
	struct nl nl;
	int status;

	if (nl_open_ferry(&nl, &job))
		return EXIT_FAILURE;
	nlh = nl_request_ferry(&nl, FERRY_CMD_LINK_GET, device ? 0 : NLM_F_DUMP);
	if (device)
		mnl_attr_put_strz(nlh, FERRY_LINK_ATTR_IFNAME, device);
	status = nl_talk(&nl, nlh, visit_link, &visitor);
	nl_close(&nl);
	return status;
}

static int link_show(int argc, char **argv)
{
	const char *device = NULL;
	struct list list = { };
	int status, i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "-j")) {
			list.json = true;
			continue;
		}
		if (!strcmp(argv[i], "-n")) {
			list.numeric = true;
			continue;
		}
		if (device)
			return usage_error("'show' takes one device at most");
		device = argv[i];
		status = link_check_name(device);
		if (status)
			return status;
	}
	if (link_for_each("show", device, show_link, &list))
		return EXIT_FAILURE;
	if (!list.rows)
		show_head(&list);
	if (list.json)
		puts("]");
	return EXIT_SUCCESS;
}

static int set_enabled(int argc, char **argv, __u8 cmd)
{
	const struct nl_job job = { argv[0], argv[1], enabled_faults };
	struct nlmsghdr *nlh;
	struct nl nl;
	int status;

	status = link_check_device(argc, argv);
	if (status)
		return status;
	if (nl_open_ferry(&nl, &job))
		return EXIT_FAILURE;
	nlh = nl_request_ferry(&nl, cmd, 0);
	mnl_attr_put_strz(nlh, FERRY_LINK_ATTR_IFNAME, argv[1]);
	status = nl_talk(&nl, nlh, NULL, NULL);
	nl_close(&nl);
	return status;
}

static int link_enable(int argc, char **argv)
{
	return set_enabled(argc, argv, FERRY_CMD_LINK_ENABLE);
}

static int link_disable(int argc, char **argv)
{
	return set_enabled(argc, argv, FERRY_CMD_LINK_DISABLE);
}

const struct command link_commands[] = {
	{
		.name = "add",
		.args = "NAME [address MAC] [mtu BYTES] [queues N]\n"
			"\t[peer NAME [netns NAME|PID] [address MAC]]",
		.what = "make a virtual card, or a pair with a wire between them",
		.run = link_add,
	}, {
		.name = "del",
		.args = "NAME",
		.what = "delete a virtual card, and its peer",
		.run = link_del,
	}, {
		.name = "show",
		.args = "[-j] [-n] [DEV]",
		.what = "list the devices on which Ferry is enabled",
		.run = link_show,
	}, {
		.name = "enable",
		.args = "DEV",
		.what = "let Ferry send and receive on an Ethernet device",
		.run = link_enable,
	}, {
		.name = "disable",
		.args = "DEV",
		.what = "undo that",
		.run = link_disable,
	},
	{ }
};
