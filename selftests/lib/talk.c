// SPDX-License-Identifier: GPL-2.0-only
/* Netlink messages: see talk.h. */
#include <errno.h>
#include <sys/socket.h>

#include <linux/genetlink.h>
#include <linux/rtnetlink.h>

#include "talk.h"

struct nlmsghdr *talk_link(void *buf, int type, int flags, const char *name)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return nlh;
}

struct nlmsghdr *talk_genl(void *buf, int type, int cmd, int version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
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
