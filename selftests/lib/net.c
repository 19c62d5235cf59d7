// SPDX-License-Identifier: GPL-2.0-only
/* Network namespaces and devices: see net.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
/* Before linux/if.h, which then leaves out what this one has. */
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/ferry.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>

#include "net.h"
#include "talk.h"
#include "wait.h"

_Static_assert((int)IFLA_FERRY_PEER == (int)VETH_INFO_PEER,
	       "the peer is described as veth's is");

/* IPv6 talks on every device that comes up: only the test's frames count. */
static void quiet(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6",
		      O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "1", 1) != 1)
		perror("disable_ipv6");
	close(fd);
}

int net_new(void)
{
	int fd;

	if (unshare(CLONE_NEWNET))
		return -errno;
	quiet();
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int net_enter(int net)
{
	return setns(net, CLONE_NEWNET) ? -errno : 0;
}

int net_shell(int net, const char *format, ...)
{
	char command[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	return net_enter(net) ?: system(command);
}

static void put_peer(struct nlmsghdr *nlh, const struct link_spec *spec)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(nlh, IFLA_FERRY_PEER);

	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, spec->peer);
	if (spec->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, spec->mtu);
	if (spec->peer_net >= 0)
		mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, spec->peer_net);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
}

static void put_attrs(struct nlmsghdr *nlh, const struct link_attr *attr)
{
	struct nlattr *data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);

	for (; attr->len; attr++)
		mnl_attr_put(nlh, attr->type, attr->len, attr->data);
	mnl_attr_nest_end(nlh, data);
}

int link_add(const struct link_spec *spec)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	struct nlattr *info;

	nlh = talk_link(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, spec->name);
	if (spec->mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, spec->mtu);
	if (spec->addr)
		mnl_attr_put(nlh, IFLA_ADDRESS, FERRY_ALEN, spec->addr);
	if (spec->lower)
		mnl_attr_put_u32(nlh, IFLA_LINK, link_index(spec->lower));
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, spec->kind);
	if (spec->peer)
		put_peer(nlh, spec);
	if (spec->attrs)
		put_attrs(nlh, spec->attrs);
	mnl_attr_nest_end(nlh, info);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int link_del(const char *name)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];

	return talk(NETLINK_ROUTE, talk_link(buf, RTM_DELLINK, 0, name),
		    NULL, NULL);
}

static int index_message(const struct nlmsghdr *nlh, void *index)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	*(unsigned int *)index = ifi->ifi_index;
	return MNL_CB_OK;
}

unsigned int link_index(const char *name)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	unsigned int index = 0;

	talk(NETLINK_ROUTE, talk_link(buf, RTM_GETLINK, 0, name),
	     index_message, &index);
	return index;
}

static int link_set_flags(const char *name, unsigned int flags)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = talk_link(buf, RTM_NEWLINK, 0, name);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	ifi->ifi_flags = flags;
	ifi->ifi_change = IFF_UP;
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int link_up(const char *name)
{
	return link_set_flags(name, IFF_UP);
}

int link_down(const char *name)
{
	return link_set_flags(name, 0);
}

int link_set_address(const char *name, const unsigned char *addr)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = talk_link(buf, RTM_NEWLINK, 0, name);

	mnl_attr_put(nlh, IFLA_ADDRESS, FERRY_ALEN, addr);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int link_set_mtu(const char *name, unsigned int mtu)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = talk_link(buf, RTM_NEWLINK, 0, name);

	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

/* In a message that has an index, the name is a new one. */
int link_rename(const char *name, const char *to)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = talk_link(buf, RTM_NEWLINK, 0, to);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	ifi->ifi_index = link_index(name);
	if (!ifi->ifi_index)
		return -ENODEV;
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int link_move(const char *name, int net)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = talk_link(buf, RTM_NEWLINK, 0, name);

	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, net);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int link_join(const char *name, const char *bridge)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = talk_link(buf, RTM_NEWLINK, 0, name);

	mnl_attr_put_u32(nlh, IFLA_MASTER, bridge ? link_index(bridge) : 0);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

static int link_ioctl(int request, const char *name, struct ifreq *ifr)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	memset(ifr, 0, sizeof(*ifr));
	strncpy(ifr->ifr_name, name, IFNAMSIZ - 1);
	err = ioctl(fd, request, ifr) ? -errno : 0;
	close(fd);
	return err;
}

int link_address(const char *name, unsigned char *addr)
{
	struct ifreq ifr;
	int err = link_ioctl(SIOCGIFHWADDR, name, &ifr);

	if (!err)
		memcpy(addr, ifr.ifr_hwaddr.sa_data, FERRY_ALEN);
	return err;
}

bool link_running(const char *name)
{
	struct ifreq ifr;

	return !link_ioctl(SIOCGIFFLAGS, name, &ifr) &&
	       ifr.ifr_flags & IFF_RUNNING;
}

static int operstate_attr(const struct nlattr *attr, void *state)
{
	if (mnl_attr_get_type(attr) == IFLA_OPERSTATE)
		*(int *)state = mnl_attr_get_u8(attr);
	return MNL_CB_OK;
}

static int operstate_message(const struct nlmsghdr *nlh, void *state)
{
	return mnl_attr_parse(nlh, sizeof(struct ifinfomsg), operstate_attr,
			      state);
}

/*
 * The core says "up" and starts the queue at one go, under the RTNL, which
 * asking takes too.
 */
static bool operational(void *name)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	int state = IF_OPER_UNKNOWN;

	talk(NETLINK_ROUTE, talk_link(buf, RTM_GETLINK, 0, name),
	     operstate_message, &state);
	return state == IF_OPER_UP;
}

int link_ready(const char *name)
{
	return wait_until(operational, (void *)name) ? 0 : -ETIMEDOUT;
}

static struct nlmsghdr *qdisc_message(void *buf, int type, int flags,
				      const char *name)
{
	const struct tcmsg tcm = {
		.tcm_family = AF_UNSPEC,
		.tcm_ifindex = if_nametoindex(name),
		.tcm_parent = TC_H_ROOT,
	};

	return talk_begin(buf, type, flags, &tcm, sizeof(tcm));
}

/* A plug holds all that comes until it is told to let it go. */
int link_hold(const char *name, unsigned int bytes)
{
	struct tc_plug_qopt plug = { .limit = bytes };
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;

	nlh = qdisc_message(buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
			    name);
	mnl_attr_put_strz(nlh, TCA_KIND, "plug");
	mnl_attr_put(nlh, TCA_OPTIONS, sizeof(plug), &plug);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int link_release(const char *name)
{
	struct tc_plug_qopt plug = { .action = TCQ_PLUG_RELEASE_INDEFINITE };
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = qdisc_message(buf, RTM_NEWQDISC, 0, name);

	mnl_attr_put_strz(nlh, TCA_KIND, "plug");
	mnl_attr_put(nlh, TCA_OPTIONS, sizeof(plug), &plug);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int link_unhold(const char *name)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];

	return talk(NETLINK_ROUTE, qdisc_message(buf, RTM_DELQDISC, 0, name),
		    NULL, NULL);
}

int link_qdisc(const char *name, const char *kind)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;

	nlh = qdisc_message(buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
			    name);
	mnl_attr_put_strz(nlh, TCA_KIND, kind);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

/* So many percent of 2^32. */
static __u32 probability(unsigned int percent)
{
	return percent * (0xffffffffULL / 100);
}

int link_netem(const char *name, const struct netem *netem)
{
	struct tc_netem_reorder reorder = { .probability = probability(netem->reorder) };
	struct tc_netem_corrupt corrupt = { .probability = probability(netem->corrupt) };
	struct tc_netem_qopt opt = {
		.limit = netem->limit,
		.loss = probability(netem->loss),
		.duplicate = probability(netem->duplicate),
		.gap = !!netem->reorder,
	};
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	struct nlattr *options;

	nlh = qdisc_message(buf, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE,
			    name);
	mnl_attr_put_strz(nlh, TCA_KIND, "netem");
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	memcpy(mnl_nlmsg_get_payload_tail(nlh), &opt, sizeof(opt));
	nlh->nlmsg_len += MNL_ALIGN(sizeof(opt));
	mnl_attr_put_u64(nlh, TCA_NETEM_LATENCY64,
			 netem->delay_ms * 1000000ULL);
	mnl_attr_put_u64(nlh, TCA_NETEM_JITTER64,
			 netem->jitter_ms * 1000000ULL);
	mnl_attr_put(nlh, TCA_NETEM_REORDER, sizeof(reorder), &reorder);
	mnl_attr_put(nlh, TCA_NETEM_CORRUPT, sizeof(corrupt), &corrupt);
	mnl_attr_nest_end(nlh, options);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

int link_egress_program(const char *name, int prog)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	struct nlattr *options;
	struct tcmsg *tcm;
	int err;

	nlh = qdisc_message(buf, RTM_NEWQDISC, NLM_F_CREATE, name);
	tcm = mnl_nlmsg_get_payload(nlh);
	tcm->tcm_parent = TC_H_CLSACT;
	tcm->tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
	mnl_attr_put_strz(nlh, TCA_KIND, "clsact");
	err = talk(NETLINK_ROUTE, nlh, NULL, NULL);
	if (err)
		return err;

	nlh = qdisc_message(buf, RTM_NEWTFILTER, NLM_F_CREATE, name);
	tcm = mnl_nlmsg_get_payload(nlh);
	tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS);
	tcm->tcm_info = TC_H_MAKE(1 << 16, htons(ETH_P_ALL));
	mnl_attr_put_strz(nlh, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(nlh, TCA_OPTIONS);
	mnl_attr_put_u32(nlh, TCA_BPF_FD, prog);
	mnl_attr_put_strz(nlh, TCA_BPF_NAME, "test");
	mnl_attr_put_u32(nlh, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(nlh, options);
	return talk(NETLINK_ROUTE, nlh, NULL, NULL);
}

static int family_id(void)
{
	struct talk_family family;
	int err = talk_family(FERRY_GENL_NAME, &family);

	return err ?: family.id;
}

int ferry_request(int cmd, unsigned int ifindex, const char *ifname)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	int id = family_id();

	if (id < 0)
		return id;
	nlh = talk_genl(buf, id, cmd, FERRY_GENL_VERSION);
	if (ifindex)
		mnl_attr_put_u32(nlh, FERRY_LINK_ATTR_IFINDEX, ifindex);
	if (ifname)
		mnl_attr_put_strz(nlh, FERRY_LINK_ATTR_IFNAME, ifname);
	return talk(NETLINK_GENERIC, nlh, NULL, NULL);
}

struct link_list {
	struct ferry_link_info	*links;
	int			room, count;
};

static int link_attr(const struct nlattr *attr, void *data)
{
	struct ferry_link_info *link = data;

	switch (mnl_attr_get_type(attr)) {
	case FERRY_LINK_ATTR_IFINDEX:
		link->ifindex = mnl_attr_get_u32(attr);
		break;
	case FERRY_LINK_ATTR_IFNAME:
		strncpy(link->name, mnl_attr_get_str(attr),
			sizeof(link->name) - 1);
		break;
	case FERRY_LINK_ATTR_ADDRESS:
		memcpy(link->addr, mnl_attr_get_payload(attr), FERRY_ALEN);
		break;
	case FERRY_LINK_ATTR_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case FERRY_LINK_ATTR_FLAGS:
		link->flags = mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static int links_message(const struct nlmsghdr *nlh, void *data)
{
	struct link_list *list = data;

	if (list->count == list->room)
		return MNL_CB_OK;
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), link_attr,
			      &list->links[list->count++]);
}

int ferry_links(struct ferry_link_info *links, int room)
{
	struct link_list list = { links, room, 0 };
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh;
	int id = family_id(), err;

	if (id < 0)
		return id;
	memset(links, 0, room * sizeof(*links));
	nlh = talk_genl(buf, id, FERRY_CMD_LINK_GET, FERRY_GENL_VERSION);
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	err = talk(NETLINK_GENERIC, nlh, links_message, &list);
	return err ?: list.count;
}

int ferry_listen(void)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	struct timeval wait = { .tv_sec = WAIT_MS / 1000 };
	struct talk_family family;
	int err = talk_family(FERRY_GENL_NAME, &family);
	int fd = err ?: socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC,
			       NETLINK_GENERIC);

	if (fd < 0)
		return err ?: -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &family.group,
		       sizeof(family.group))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int ferry_event(int fd, struct ferry_link_info *link)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = (void *)buf;
	struct genlmsghdr *genl;
	ssize_t len = recv(fd, buf, sizeof(buf), 0);

	if (len < 0)
		return -errno;
	if (!mnl_nlmsg_ok(nlh, len))
		return -EBADMSG;
	memset(link, 0, sizeof(*link));
	mnl_attr_parse(nlh, sizeof(*genl), link_attr, link);
	genl = mnl_nlmsg_get_payload(nlh);
	return genl->cmd;
}

bool ferry_no_event(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

int ferry_enable(const char *name)
{
	return ferry_request(FERRY_CMD_LINK_ENABLE, 0, name);
}

int ferry_disable(const char *name)
{
	return ferry_request(FERRY_CMD_LINK_DISABLE, 0, name);
}
