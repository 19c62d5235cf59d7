// SPDX-License-Identifier: GPL-2.0-only
/* Netlink messages: see talk.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/genetlink.h>
#include <linux/rtnetlink.h>

#include "talk.h"

struct nlmsghdr *talk_begin(void *buf, int type, int flags, const void *head,
			    size_t size)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	memcpy(mnl_nlmsg_put_extra_header(nlh, size), head, size);
	return nlh;
}

struct nlmsghdr *talk_link(void *buf, int type, int flags, const char *name)
{
	const struct ifinfomsg ifi = { .ifi_family = AF_UNSPEC };
	struct nlmsghdr *nlh = talk_begin(buf, type, flags, &ifi, sizeof(ifi));

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return nlh;
}

struct nlmsghdr *talk_genl(void *buf, int type, int cmd, int version)
{
	const struct genlmsghdr genl = { .cmd = cmd, .version = version };

	return talk_begin(buf, type, 0, &genl, sizeof(genl));
}

int talk(int bus, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct mnl_socket *nl;
	int ret;

	nlh->nlmsg_seq = 1;
	nl = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl)
		return -errno;
	if (mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0) {
		ret = -errno;
		goto close;
	}
	do {
		ret = mnl_socket_recvfrom(nl, buf, sizeof(buf));
		if (ret < 0)
			break;
		ret = mnl_cb_run(buf, ret, 1, mnl_socket_get_portid(nl), cb,
				 data);
	} while (ret > 0);
	if (ret < 0)
		ret = -errno;
close:
	mnl_socket_close(nl);
	return ret;
}

static int group_attr(const struct nlattr *attr, void *family)
{
	if (mnl_attr_get_type(attr) == CTRL_ATTR_MCAST_GRP_ID)
		((struct talk_family *)family)->group = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int groups_attr(const struct nlattr *attr, void *family)
{
	return mnl_attr_parse_nested(attr, group_attr, family);
}

static int family_attr(const struct nlattr *attr, void *family)
{
	switch (mnl_attr_get_type(attr)) {
	case CTRL_ATTR_FAMILY_ID:
		((struct talk_family *)family)->id = mnl_attr_get_u16(attr);
		break;
	case CTRL_ATTR_MCAST_GROUPS:
		return mnl_attr_parse_nested(attr, groups_attr, family);
	}
	return MNL_CB_OK;
}

static int family_message(const struct nlmsghdr *nlh, void *family)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), family_attr,
			      family);
}

int talk_family(const char *name, struct talk_family *family)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;

	*family = (struct talk_family){ -ENOENT, -1 };
	nlh = talk_genl(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	return talk(NETLINK_GENERIC, nlh, family_message, family);
}
