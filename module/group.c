// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups: see group.h. Who joins has the device let the group's packets through,
 * and hears those that come by that device; what this host sends to a group it
 * hears as well (link.c). The device counts who wants an address.
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/sock.h>

#include "addr.h"
#include "dgram.h"
#include "group.h"
#include "netns.h"

/* Memberships of one socket: as many as IP has, unless told otherwise. */
#define FERRY_GROUPS_MAX	20

/*
 * struct ferry_group - one socket is a member of one group on one link
 *
 * Made by setsockopt(2); it goes by that, or with its socket or its link. Both
 * have it on a list, written under the RTNL. Packets read the socket's under RCU,
 * so the memory follows after a grace period; it is charged to the socket's
 * option memory until it is off the lists. All but the nodes is const.
 */
struct ferry_group {
	struct hlist_node	of_sock;	/* ferry_dgram.groups */
	struct hlist_node	of_link;	/* ferry_link.groups */
	struct sock		*sk;
	struct ferry_link	*link;
	int			ifindex;
	u64			addr;
	struct rcu_head		rcu;
};

/* The link that a member is to listen on. */
static struct ferry_link *ferry_group_link(const struct sock *sk, int ifindex)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	int dev = READ_ONCE(sk->sk_bound_dev_if);
	struct ferry_link *link;

	ASSERT_RTNL();
	if (dev && ifindex && dev != ifindex)
		return ERR_PTR(-EINVAL);
	ifindex = ifindex ?: dev;
	if (!ifindex) {
		link = rtnl_dereference(fn->links.sole);
		if (!link && !fn->links.others)
			link = rtnl_dereference(fn->links.loop);
		return link ?: ERR_PTR(-ENODEV);
	}
	link = ferry_link_find(fn, ifindex);
	if (link)
		return link;
	return ERR_PTR(__dev_get_by_index(fn->net, ifindex) ? -ENETUNREACH :
							      -ENODEV);
}

/* @ifindex 0: on whichever link. */
static struct ferry_group *ferry_group_find(const struct sock *sk, int ifindex,
					    u64 addr)
{
	struct ferry_group *group;

	ASSERT_RTNL();
	hlist_for_each_entry(group, &ferry_dgram(sk)->groups, of_sock)
		if (group->addr == addr &&
		    (!ifindex || group->ifindex == ifindex))
			return group;
	return NULL;
}

static int ferry_group_add(struct sock *sk, struct ferry_link *link, u64 addr)
{
	struct ferry_dgram *fd = ferry_dgram(sk);
	struct ferry_group *group;
	u8 mac[ETH_ALEN];
	int err;

	if (ferry_group_find(sk, link->dev->ifindex, addr))
		return -EADDRINUSE;
	if (fd->group_count >= FERRY_GROUPS_MAX)
		return -ENOBUFS;
	group = sock_kmalloc(sk, sizeof(*group), GFP_KERNEL);
	if (!group)
		return -ENOBUFS;
	u64_to_ether_addr(addr, mac);
	err = dev_mc_add(link->dev, mac);
	if (err) {
		sock_kfree_s(sk, group, sizeof(*group));
		return err;
	}
	group->sk = sk;
	group->link = link;
	group->ifindex = link->dev->ifindex;
	group->addr = addr;
	hlist_add_head(&group->of_link, &link->groups);
	hlist_add_head_rcu(&group->of_sock, &fd->groups);
	fd->group_count++;
	fd->joined = true;
	return 0;
}

static void ferry_group_remove(struct ferry_group *group)
{
	u8 mac[ETH_ALEN];

	ASSERT_RTNL();
	u64_to_ether_addr(group->addr, mac);
	dev_mc_del(group->link->dev, mac);
	hlist_del(&group->of_link);
	hlist_del_rcu(&group->of_sock);
	ferry_dgram(group->sk)->group_count--;
	atomic_sub(sizeof(*group), &group->sk->sk_omem_alloc);
	kfree_rcu(group, rcu);
}

/**
 * ferry_group_join() - FERRY_ADD_MEMBERSHIP
 * @sk: the socket
 * @ifindex: the device, or 0: the one that is bound to, or the only one
 * @addr: the group
 *
 * Context: process; takes the RTNL.
 * Return: 0; -EADDRINUSE if it is a member, -ENODEV if there is no such device, or
 * more than one to choose from, -ENETUNREACH if Ferry is not enabled there, -EINVAL
 * if the socket is bound to another, -ENOBUFS if it is a member of too many.
 */
int ferry_group_join(struct sock *sk, int ifindex, u64 addr)
{
	struct ferry_link *link;
	int err;

	rtnl_lock();
	link = ferry_group_link(sk, ifindex);
	err = IS_ERR(link) ? PTR_ERR(link) : ferry_group_add(sk, link, addr);
	rtnl_unlock();
	return err;
}

/**
 * ferry_group_leave() - FERRY_DROP_MEMBERSHIP
 * @sk: the socket
 * @ifindex: the device, or 0: whichever
 * @addr: the group
 *
 * Context: process; takes the RTNL.
 * Return: 0, or -EADDRNOTAVAIL if it is no member.
 */
int ferry_group_leave(struct sock *sk, int ifindex, u64 addr)
{
	struct ferry_group *group;

	rtnl_lock();
	group = ferry_group_find(sk, ifindex, addr);
	if (group)
		ferry_group_remove(group);
	rtnl_unlock();
	return group ? 0 : -EADDRNOTAVAIL;
}

/**
 * ferry_group_leave_all() - a socket is about to be closed
 * @sk: the socket
 *
 * Context: process; takes the RTNL if it ever was a member of a group.
 */
void ferry_group_leave_all(struct sock *sk)
{
	struct ferry_dgram *fd = ferry_dgram(sk);
	struct ferry_group *group;
	struct hlist_node *tmp;

	/* Not whether it is one now: a link that goes may be at it. */
	if (!fd->joined)
		return;
	rtnl_lock();
	hlist_for_each_entry_safe(group, tmp, &fd->groups, of_sock)
		ferry_group_remove(group);
	rtnl_unlock();
}

/**
 * ferry_group_gone() - a link is about to go
 * @link: the link
 *
 * Context: process, under the RTNL.
 */
void ferry_group_gone(struct ferry_link *link)
{
	struct ferry_group *group;
	struct hlist_node *tmp;

	hlist_for_each_entry_safe(group, tmp, &link->groups, of_link)
		ferry_group_remove(group);
}

/**
 * ferry_group_hears() - whether a socket is to have a packet that many may have
 * @sk: the socket
 * @skb: the packet, for everyone or for a group, its struct ferry_skb_cb filled in
 *
 * Context: any, under RCU.
 * Return: whether it is.
 */
bool ferry_group_hears(const struct sock *sk, const struct sk_buff *skb)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	const struct ferry_group *group;

	if (cb->daddr == FERRY_ADDR_BROADCAST)
		return true;
	hlist_for_each_entry_rcu(group, &ferry_dgram(sk)->groups, of_sock)
		if (group->addr == cb->daddr && group->ifindex == cb->iif)
			return true;
	return false;
}
