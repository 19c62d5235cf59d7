// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family: see netlink.h and the uapi header.
 */
#include <linux/rtnetlink.h>
#include <net/genetlink.h>
#include <uapi/linux/ferry.h>

#include "addr.h"
#include "netlink.h"
#include "netns.h"
#include "nic.h"

static struct genl_family ferry_netlink_family;

/* Whether who listens can be told: the family is registered. Under the RTNL. */
static bool ferry_netlink_open;

static const struct nla_policy
ferry_netlink_link_policy[FERRY_LINK_ATTR_MAX + 1] = {
	[FERRY_LINK_ATTR_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[FERRY_LINK_ATTR_IFNAME] = { .type = NLA_NUL_STRING,
				     .len = IFNAMSIZ - 1 },
};

/* The device that a request names. Under the RTNL. */
static struct net_device *ferry_netlink_device(struct genl_info *info)
{
	struct nlattr *ifindex = info->attrs[FERRY_LINK_ATTR_IFINDEX];
	struct nlattr *ifname = info->attrs[FERRY_LINK_ATTR_IFNAME];
	struct net *net = genl_info_net(info);
	struct net_device *dev;

	if (!ifindex == !ifname) {
		GENL_SET_ERR_MSG(info,
				 "Name the device by its index or by its name");
		return ERR_PTR(-EINVAL);
	}
	if (ifindex)
		dev = __dev_get_by_index(net, nla_get_u32(ifindex));
	else
		dev = __dev_get_by_name(net, nla_data(ifname));
	if (!dev) {
		GENL_SET_ERR_MSG(info, "There is no such device here");
		return ERR_PTR(-ENODEV);
	}
	return dev;
}

static u32 ferry_netlink_link_flags(const struct ferry_link *link)
{
	u32 flags = 0;

	if (link->dev->flags & IFF_UP)
		flags |= FERRY_LINK_F_UP;
	if (netif_carrier_ok(link->dev))
		flags |= FERRY_LINK_F_CARRIER;
	if (link->loop)
		flags |= FERRY_LINK_F_LOOP;
	if (ferry_nic_is(link->dev))
		flags |= FERRY_LINK_F_CARD;
	return flags;
}

/* One link as a message, of a dump if @cb is given. Under the RTNL. */
static int ferry_netlink_link_put(struct sk_buff *msg, u32 portid, u32 seq,
				  struct netlink_callback *cb, u8 cmd,
				  const struct ferry_link *link)
{
	u8 addr[ETH_ALEN];
	void *hdr;

	hdr = genlmsg_put(msg, portid, seq, &ferry_netlink_family,
			  cb ? NLM_F_MULTI : 0, cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, hdr);

	u64_to_ether_addr(ferry_link_address(link), addr);
	if (nla_put_u32(msg, FERRY_LINK_ATTR_IFINDEX, link->dev->ifindex) ||
	    nla_put_string(msg, FERRY_LINK_ATTR_IFNAME, link->dev->name) ||
	    nla_put(msg, FERRY_LINK_ATTR_ADDRESS, sizeof(addr), addr) ||
	    nla_put_u32(msg, FERRY_LINK_ATTR_MTU, READ_ONCE(link->dev->mtu)) ||
	    nla_put_u32(msg, FERRY_LINK_ATTR_FLAGS,
			ferry_netlink_link_flags(link))) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

static int ferry_netlink_link_get(struct sk_buff *skb, struct genl_info *info)
{
	struct ferry_net *fn = ferry_net(genl_info_net(info));
	struct net_device *dev;
	struct ferry_link *link;
	struct sk_buff *msg;
	int err;

	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;

	rtnl_lock();
	dev = ferry_netlink_device(info);
	link = IS_ERR(dev) ? NULL : ferry_link_find(fn, dev->ifindex);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
	} else if (!link) {
		GENL_SET_ERR_MSG(info, "Ferry is not enabled on the device");
		err = -ENOENT;
	} else {
		err = ferry_netlink_link_put(msg, info->snd_portid,
					     info->snd_seq, NULL,
					     FERRY_CMD_LINK_GET, link);
	}
	rtnl_unlock();

	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

static int ferry_netlink_link_dump(struct sk_buff *skb,
				   struct netlink_callback *cb)
{
	struct ferry_net *fn = ferry_net(sock_net(skb->sk));
	struct ferry_link *link;
	unsigned long ifindex;

	rtnl_lock();
	cb->seq = fn->links.generation;
	xa_for_each_start(&fn->links.by_ifindex, ifindex, link, cb->args[0])
		if (ferry_netlink_link_put(skb, NETLINK_CB(cb->skb).portid,
					   cb->nlh->nlmsg_seq, cb,
					   FERRY_CMD_LINK_GET, link))
			break;
	rtnl_unlock();

	cb->args[0] = link ? ifindex : ULONG_MAX;
	return skb->len;
}

static int ferry_netlink_link_enable(struct sk_buff *skb,
				     struct genl_info *info)
{
	struct net_device *dev;
	int err;

	rtnl_lock();
	dev = ferry_netlink_device(info);
	if (IS_ERR(dev))
		err = PTR_ERR(dev);
	else
		err = ferry_link_enable(ferry_net(genl_info_net(info)), dev,
					info->extack);
	rtnl_unlock();
	return err;
}

static int ferry_netlink_link_disable(struct sk_buff *skb,
				      struct genl_info *info)
{
	struct net_device *dev;
	int err;

	rtnl_lock();
	dev = ferry_netlink_device(info);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
	} else {
		err = ferry_link_disable(ferry_net(genl_info_net(info)), dev);
		if (err)
			GENL_SET_ERR_MSG(info,
					 "Ferry is not enabled on the device");
	}
	rtnl_unlock();
	return err;
}

static const struct genl_ops ferry_netlink_ops[] = {
	{
		.cmd	= FERRY_CMD_LINK_GET,
		.doit	= ferry_netlink_link_get,
		.dumpit	= ferry_netlink_link_dump,
	},
	{
		.cmd	= FERRY_CMD_LINK_ENABLE,
		.flags	= GENL_UNS_ADMIN_PERM,
		.doit	= ferry_netlink_link_enable,
	},
	{
		.cmd	= FERRY_CMD_LINK_DISABLE,
		.flags	= GENL_UNS_ADMIN_PERM,
		.doit	= ferry_netlink_link_disable,
	},
};

static const struct genl_multicast_group ferry_netlink_groups[] = {
	{ .name = FERRY_GENL_GROUP_LINK },
};

static struct genl_family ferry_netlink_family __ro_after_init = {
	.name		= FERRY_GENL_NAME,
	.version	= FERRY_GENL_VERSION,
	.module		= THIS_MODULE,
	.netnsok	= true,
	.maxattr	= FERRY_LINK_ATTR_MAX,
	.policy		= ferry_netlink_link_policy,
	.ops		= ferry_netlink_ops,
	.n_ops		= ARRAY_SIZE(ferry_netlink_ops),
	.mcgrps		= ferry_netlink_groups,
	.n_mcgrps	= ARRAY_SIZE(ferry_netlink_groups),
	.resv_start_op	= __FERRY_CMD_MAX,
};

/**
 * ferry_netlink_event() - tell who listens what has happened to a link
 * @link: the link
 * @event: what has happened
 *
 * For want of memory they are told that they have missed something (ENOBUFS).
 *
 * Context: process, under the RTNL.
 */
void ferry_netlink_event(const struct ferry_link *link,
			 enum ferry_link_event event)
{
	u8 cmd = event == FERRY_LINK_REMOVED ? FERRY_CMD_LINK_DISABLE :
					       FERRY_CMD_LINK_ENABLE;
	struct net *net = link->fn->net;
	struct sk_buff *msg;

	ASSERT_RTNL();
	if (!ferry_netlink_open ||
	    !genl_has_listeners(&ferry_netlink_family, net, 0))
		return;
	msg = genlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg) {
		genl_set_err(&ferry_netlink_family, net, 0, 0, -ENOBUFS);
		return;
	}
	if (WARN_ON_ONCE(ferry_netlink_link_put(msg, 0, 0, NULL, cmd, link))) {
		nlmsg_free(msg);
		return;
	}
	genlmsg_multicast_netns(&ferry_netlink_family, net, msg, 0, 0,
				GFP_KERNEL);
}

/**
 * ferry_netlink_init() - open the netlink family
 *
 * Context: process.
 * Return: 0; -EEXIST if another module has the family's name; -ENOMEM.
 */
int ferry_netlink_init(void)
{
	int err = genl_register_family(&ferry_netlink_family);

	if (err == -EEXIST)
		pr_err("generic netlink family \"%s\" is taken by another module; unload it first\n",
		       FERRY_GENL_NAME);
	if (err)
		return err;
	rtnl_lock();
	ferry_netlink_open = true;
	rtnl_unlock();
	return 0;
}

/**
 * ferry_netlink_exit() - close the netlink family
 *
 * Context: process.
 */
void ferry_netlink_exit(void)
{
	rtnl_lock();
	ferry_netlink_open = false;
	rtnl_unlock();
	genl_unregister_family(&ferry_netlink_family);
}
