// SPDX-License-Identifier: GPL-2.0-only
/*
 * Links: devices on which Ferry is enabled. See link.h.
 */
#include <linux/hash.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <uapi/linux/ferry.h>

#include "addr.h"
#include "link.h"
#include "netns.h"
#include "nic.h"
#include "stats.h"

static const struct ferry_link_ops *ferry_link_ops;
static struct kmem_cache *ferry_link_cache;
static struct kmem_cache *ferry_link_addr_cache;

static const struct rhashtable_params ferry_link_addr_params = {
	.key_len = sizeof_field(struct ferry_link_addr, addr),
	.key_offset = offsetof(struct ferry_link_addr, addr),
	.head_offset = offsetof(struct ferry_link_addr, node),
	.automatic_shrinking = true,
};

/*
 * Every packet asks whether an address is this host's, of its source or of its
 * destination, and the answer is mostly no. A bit of one word mostly says so: it is
 * set before such an address is in the table, and cleared after none is.
 */
static u64 ferry_link_bit(u64 addr)
{
	return BIT_ULL(hash_64(addr, 6));
}

/* The first link that has an address. Caller holds RCU. */
static struct ferry_link *ferry_link_owner(struct ferry_net *fn, u64 addr)
{
	struct rhlist_head *list;

	if (likely(!(READ_ONCE(fn->links.maybe) & ferry_link_bit(addr))))
		return NULL;
	list = rhltable_lookup(&fn->links.by_addr, &addr,
			       ferry_link_addr_params);
	if (!list)
		return NULL;
	return container_of(list, struct ferry_link_addr, node)->link;
}

/**
 * ferry_link_owns() - has a link an address?
 * @fn: the namespace
 * @ifindex: the link's device, or 0 for any link
 * @addr: the address
 *
 * Context: any, under RCU.
 * Return: true if so.
 */
bool ferry_link_owns(struct ferry_net *fn, int ifindex, u64 addr)
{
	struct ferry_link *link;

	if (!ifindex)
		return ferry_link_owner(fn, addr);
	link = ferry_link_find(fn, ifindex);
	return link && ferry_link_address(link) == addr;
}

/**
 * ferry_link_find() - the link of a device
 * @fn: the namespace
 * @ifindex: the device's index
 *
 * Context: any, under RCU or the RTNL.
 * Return: the link, or NULL.
 */
struct ferry_link *ferry_link_find(struct ferry_net *fn, int ifindex)
{
	return xa_load(&fn->links.by_ifindex, ifindex);
}

/**
 * ferry_link_address() - a link's own address
 * @link: the link
 *
 * Context: any, under RCU or the RTNL.
 * Return: the address.
 */
u64 ferry_link_address(const struct ferry_link *link)
{
	return rcu_dereference_rtnl(link->addr)->addr;
}

/*
 * Is it the loop? A card is a link, and may have packets, before it is told to
 * be: see ferry_link_start(). Context: any, under RCU.
 */
static bool ferry_link_loops(const struct ferry_link *link)
{
	return READ_ONCE(link->loop);
}

/* Is anybody a member of a group here? Context: any, under RCU. */
static bool ferry_link_has_groups(const struct ferry_link *link)
{
	return !hlist_empty(&link->groups);
}

/*
 * Whom a packet is for and from whom it comes: is it ours to look at?
 * FERRY_STAT_IN_PACKETS stands for yes.
 */
static enum ferry_stat ferry_link_accept(const struct ferry_link *link,
					 const struct sk_buff *skb)
{
	u64 saddr = ether_addr_to_u64(eth_hdr(skb)->h_source);
	u64 daddr = ether_addr_to_u64(eth_hdr(skb)->h_dest);

	if (!ferry_addr_is_station(saddr))
		return FERRY_STAT_IN_SOURCE;

	switch (skb->pkt_type) {
	case PACKET_OTHERHOST:
		/* The loop carries what is for any of this host's addresses. */
		if (!ferry_link_loops(link) ||
		    !ferry_link_owns(link->fn, 0, daddr))
			return FERRY_STAT_IN_OTHER_HOST;
		break;
	case PACKET_MULTICAST:
		if (!ferry_link_has_groups(link))
			return FERRY_STAT_IN_GROUP;
		break;
	case PACKET_LOOPBACK:	/* our own copy of what we broadcast */
		return FERRY_STAT_IN_PACKETS;
	}

	/* A wire that leads back brings what this host heard already. */
	if (!ferry_link_loops(link) && ferry_link_owns(link->fn, 0, saddr))
		return FERRY_STAT_IN_ECHO;
	return FERRY_STAT_IN_PACKETS;
}

/* The packet handler. Softirq, under RCU. */
static int ferry_link_rcv(struct sk_buff *skb, struct net_device *dev,
			  struct packet_type *pt, struct net_device *orig_dev)
{
	struct ferry_link *link = container_of(pt, struct ferry_link, pt);
	enum ferry_stat stat;

	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb) {
		ferry_stats_inc(link->fn, FERRY_STAT_IN_MEMORY);
		return NET_RX_DROP;
	}

	ferry_stats_inc(link->fn, FERRY_STAT_IN_PACKETS);
	stat = ferry_link_accept(link, skb);
	/* Pages that a sender on this host has lent must not wait for a reader. */
	if (stat == FERRY_STAT_IN_PACKETS &&
	    unlikely(skb_orphan_frags_rx(skb, GFP_ATOMIC)))
		stat = FERRY_STAT_IN_MEMORY;
	if (stat != FERRY_STAT_IN_PACKETS) {
		ferry_stats_drop(link->fn, skb, stat);
		return NET_RX_DROP;
	}

	/* From here on PACKET_LOOPBACK says: this host sent it. */
	if (ferry_link_loops(link))
		skb->pkt_type = PACKET_LOOPBACK;
	ferry_link_ops->rcv(link->fn, skb);
	return NET_RX_SUCCESS;
}

static void ferry_link_addr_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ferry_link_addr_cache,
			container_of(rcu, struct ferry_link_addr, rcu));
}

static void ferry_link_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ferry_link_cache,
			container_of(rcu, struct ferry_link, rcu));
}

/*
 * Take an address away; that of a link is another one by now, or the link is none any
 * more. The filter is made anew, of those that are there.
 */
static void ferry_link_addr_remove(struct ferry_links *links,
				   struct ferry_link_addr *addr)
{
	const struct ferry_link *link;
	unsigned long ifindex;
	u64 maybe = 0;

	ASSERT_RTNL();
	rhltable_remove(&links->by_addr, &addr->node, ferry_link_addr_params);
	call_rcu(&addr->rcu, ferry_link_addr_free_rcu);
	xa_for_each(&links->by_ifindex, ifindex, link)
		maybe |= ferry_link_bit(ferry_link_address(link));
	WRITE_ONCE(links->maybe, maybe);
}

/* Give a link its device's present address. */
static int ferry_link_addr_add(struct ferry_link *link)
{
	struct ferry_links *links = &link->fn->links;
	struct ferry_link_addr *addr, *old;
	int err;

	ASSERT_RTNL();
	addr = kmem_cache_alloc(ferry_link_addr_cache, GFP_KERNEL);
	if (!addr)
		return -ENOMEM;
	addr->addr = ether_addr_to_u64(link->dev->dev_addr);
	addr->link = link;
	old = rtnl_dereference(link->addr);

	/* Before it can be found, and the link by it, which has one always. */
	WRITE_ONCE(links->maybe, links->maybe | ferry_link_bit(addr->addr));
	rcu_assign_pointer(link->addr, addr);
	err = rhltable_insert(&links->by_addr, &addr->node,
			      ferry_link_addr_params);
	if (err) {
		rcu_assign_pointer(link->addr, old);
		call_rcu(&addr->rcu, ferry_link_addr_free_rcu);
		return err;
	}
	if (old)
		ferry_link_addr_remove(links, old);
	return 0;
}

/* Links have changed: which is the only way out, if there is only one? */
static void ferry_link_changed(struct ferry_links *links)
{
	struct ferry_link *link, *sole = NULL;
	unsigned int others = 0;
	unsigned long ifindex;

	ASSERT_RTNL();
	xa_for_each(&links->by_ifindex, ifindex, link) {
		if (link->loop)
			continue;
		others++;
		sole = link;
	}
	WRITE_ONCE(links->others, others);
	rcu_assign_pointer(links->sole, others == 1 ? sole : NULL);

	/* A dump takes 0 for "cannot tell". */
	links->generation = links->generation + 1 ?: 1;
}

/**
 * ferry_link_enable() - listen on a device
 * @fn: the namespace, the device's own
 * @dev: the device
 * @extack: where to say what is wrong; may be NULL
 *
 * Context: process, under the RTNL.
 * Return: 0; -EOPNOTSUPP if the device is not Ethernet, -EEXIST if it is
 * enabled already, -ENOMEM.
 */
int ferry_link_enable(struct ferry_net *fn, struct net_device *dev,
		      struct netlink_ext_ack *extack)
{
	struct ferry_link *link;
	int err;

	ASSERT_RTNL();
	if (dev->type != ARPHRD_ETHER || dev->addr_len != ETH_ALEN) {
		NL_SET_ERR_MSG(extack, "Ferry runs over Ethernet devices only");
		return -EOPNOTSUPP;
	}
	if (ferry_link_find(fn, dev->ifindex)) {
		NL_SET_ERR_MSG(extack, "Ferry is already enabled on the device");
		return -EEXIST;
	}

	link = kmem_cache_zalloc(ferry_link_cache, GFP_KERNEL);
	if (!link)
		return -ENOMEM;
	link->dev = dev;
	link->fn = fn;
	link->pt.type = htons(ETH_P_FERRY);
	link->pt.dev = dev;
	link->pt.func = ferry_link_rcv;

	err = ferry_link_addr_add(link);
	if (err)
		goto free;
	err = xa_insert(&fn->links.by_ifindex, dev->ifindex, link, GFP_KERNEL);
	if (err)
		goto remove;

	netdev_hold(dev, &link->tracker, GFP_KERNEL);
	ferry_link_changed(&fn->links);
	dev_add_pack(&link->pt);
	ferry_link_ops->event(link, FERRY_LINK_ADDED);
	return 0;

remove:
	ferry_link_addr_remove(&fn->links, rtnl_dereference(link->addr));
free:
	call_rcu(&link->rcu, ferry_link_free_rcu);
	return err;
}

static void ferry_link_remove(struct ferry_link *link)
{
	struct ferry_links *links = &link->fn->links;

	ferry_link_ops->event(link, FERRY_LINK_REMOVED);
	ferry_link_ops->gone(link);
	/* Without waiting: the link's memory outlives its last reader. */
	__dev_remove_pack(&link->pt);
	xa_erase(&links->by_ifindex, link->dev->ifindex);
	if (link->loop)
		RCU_INIT_POINTER(links->loop, NULL);
	ferry_link_changed(links);
	ferry_link_addr_remove(links, rtnl_dereference(link->addr));
	netdev_put(link->dev, &link->tracker);
	call_rcu(&link->rcu, ferry_link_free_rcu);
}

/**
 * ferry_link_disable() - stop listening on a device
 * @fn: the namespace
 * @dev: the device
 *
 * Sockets that are bound to it find no way out any more.
 *
 * Context: process, under the RTNL.
 * Return: 0, or -ENOENT if it is not enabled.
 */
int ferry_link_disable(struct ferry_net *fn, struct net_device *dev)
{
	struct ferry_link *link = ferry_link_find(fn, dev->ifindex);

	ASSERT_RTNL();
	if (!link)
		return -ENOENT;
	ferry_link_remove(link);
	return 0;
}

/**
 * ferry_link_start() - make sure that a namespace has its loop
 * @fn: the namespace
 *
 * The first socket of a namespace makes its card ferry0 and brings it up; so
 * does the next one after an administrator has deleted it.
 *
 * Context: process, may sleep; takes the RTNL the first time only.
 * Return: 0, or why the card cannot be made.
 */
int ferry_link_start(struct ferry_net *fn)
{
	struct net_device *dev;
	struct ferry_link *link;
	int err = 0;

	if (likely(rcu_access_pointer(fn->links.loop)))
		return 0;

	rtnl_lock();
	if (rcu_access_pointer(fn->links.loop))
		goto unlock;
	dev = ferry_nic_create_loop(fn->net);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
		goto unlock;
	}
	/* The registration of a card of ours has enabled it. */
	link = ferry_link_find(fn, dev->ifindex);
	WRITE_ONCE(link->loop, true);
	ferry_link_changed(&fn->links);
	rcu_assign_pointer(fn->links.loop, link);
	ferry_link_ops->event(link, FERRY_LINK_CHANGED);
unlock:
	rtnl_unlock();
	return err;
}

static int ferry_link_is_of(struct net_device *lower,
			    struct netdev_nested_priv *priv)
{
	const u64 *addr = priv->data;

	return ether_addr_to_u64(lower->dev_addr) == *addr;
}

/*
 * May packets leave by a link with a source address? One that is sent to a bridge's
 * port is the bridge's, and so is the answer. Context: any, under RCU.
 */
static bool ferry_link_may_send_from(const struct ferry_link *link, u64 saddr)
{
	struct netdev_nested_priv priv = { .data = &saddr };

	return saddr == ferry_link_address(link) ||
	       (netif_is_bridge_master(link->dev) &&
		netdev_walk_all_lower_dev_rcu(link->dev, ferry_link_is_of,
					      &priv));
}

static struct ferry_link *ferry_link_choose(struct ferry_net *fn, u64 saddr,
					    u64 daddr, int oif)
{
	struct ferry_links *links = &fn->links;
	struct ferry_link *link;

	if (oif) {
		link = ferry_link_find(fn, oif);
		if (!link && !dev_get_by_index_rcu(fn->net, oif))
			return ERR_PTR(-ENODEV);
	} else if (ferry_addr_is_station(saddr)) {
		link = ferry_link_owner(fn, saddr);
		if (!link)
			return ERR_PTR(-EADDRNOTAVAIL);
	} else {
		link = rcu_dereference(links->sole);
		if (!link && !READ_ONCE(links->others))
			link = rcu_dereference(links->loop);
	}

	/* No other host can be at the loop's end. */
	if (!link ||
	    (ferry_link_loops(link) && !ferry_addr_is_multicast(daddr)))
		return ERR_PTR(-ENETUNREACH);
	if (ferry_addr_is_station(saddr) &&
	    !ferry_link_may_send_from(link, saddr))
		return ERR_PTR(-EADDRNOTAVAIL);
	return link;
}

/**
 * ferry_link_route() - find the way out to an address
 * @fn: the namespace
 * @saddr: address the sender is bound to, or FERRY_ADDR_ANY; a sender that is
 *	bound to the broadcast address sends from the device's own
 * @daddr: destination; FERRY_ADDR_ANY is this host
 * @oif: index of the interface bound or named, or 0
 * @path: where to store the way
 *
 * One of this namespace's own addresses is reached by the loop. Else the
 * interface bound or named carries it, else the one that has the bound
 * address, else the only one that is enabled.
 *
 * Context: any, under RCU; @path is valid as long as that lasts.
 * Return: 0; -ENETUNREACH if there is no way or more than one, -ENODEV if
 * there is no such interface, -ENETDOWN if it is down, -EADDRNOTAVAIL if
 * @saddr is not (or no longer) an address of the interface, or of a port of it if it
 * is a bridge.
 */
int ferry_link_route(struct ferry_net *fn, u64 saddr, u64 daddr, int oif,
		     struct ferry_path *path)
{
	struct ferry_link *link;
	bool own;

	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "route without RCU");
	own = daddr == FERRY_ADDR_ANY || ferry_link_owner(fn, daddr);
	if (own) {
		link = rcu_dereference(fn->links.loop);
		if (!link)
			return -ENETDOWN;
		path->daddr = daddr ?: ferry_link_address(link);
	} else {
		link = ferry_link_choose(fn, saddr, daddr, oif);
		if (IS_ERR(link))
			return PTR_ERR(link);
		path->daddr = daddr;
	}
	if (!(READ_ONCE(link->dev->flags) & IFF_UP))
		return -ENETDOWN;

	path->dev = link->dev;
	path->own = own;
	if (ferry_addr_is_station(saddr))
		path->saddr = saddr;
	else
		path->saddr = own ? path->daddr : ferry_link_address(link);
	return 0;
}

/* Does this host hear what it sends there? By the loop it does anyway. */
static bool ferry_link_hears_itself(struct ferry_net *fn,
				    const struct ferry_path *path)
{
	const struct ferry_link *link;

	if (!ferry_addr_is_multicast(path->daddr))
		return false;
	link = ferry_link_find(fn, path->dev->ifindex);
	if (link && ferry_link_loops(link))
		return false;
	return path->daddr == FERRY_ADDR_BROADCAST ||
	       (link && ferry_link_has_groups(link));
}

static void ferry_link_loop_back(struct sk_buff *skb)
{
	struct sk_buff *copy = skb_clone(skb, GFP_ATOMIC);

	if (!copy) {
		ferry_stats_inc(ferry_net(dev_net(skb->dev)),
				FERRY_STAT_OUT_MEMORY);
		return;
	}
	skb_orphan(copy);
	skb_reset_mac_header(copy);
	__skb_pull(copy, skb_network_offset(copy));
	copy->pkt_type = PACKET_LOOPBACK;
	netif_rx(copy);
}

/**
 * ferry_link_xmit() - hand a packet to its device
 * @skb: the packet, from the byte after its Ethernet header; consumed
 * @path: the way, found in the same RCU section
 *
 * Context: process or softirq, under RCU.
 * Return: 0; -ENOBUFS if the device's queue dropped it.
 */
int ferry_link_xmit(struct sk_buff *skb, const struct ferry_path *path)
{
	struct ferry_net *fn = ferry_net(dev_net(path->dev));
	u8 saddr[ETH_ALEN], daddr[ETH_ALEN];
	int err;

	u64_to_ether_addr(path->saddr, saddr);
	u64_to_ether_addr(path->daddr, daddr);

	skb->dev = path->dev;
	skb->protocol = htons(ETH_P_FERRY);
	skb_reset_network_header(skb);
	if (dev_hard_header(skb, skb->dev, ETH_P_FERRY, daddr, saddr,
			    skb->len) < 0) {
		ferry_stats_drop(fn, skb, FERRY_STAT_OUT_DEVICE);
		return -ENOBUFS;
	}
	if (ferry_link_hears_itself(fn, path))
		ferry_link_loop_back(skb);

	err = dev_queue_xmit(skb);
	if (likely(err == NET_XMIT_SUCCESS))
		return 0;
	ferry_stats_inc(fn, FERRY_STAT_OUT_DEVICE);
	return net_xmit_errno(err);
}

static void ferry_link_lost(struct ferry_net *fn, struct net_device *dev,
			    int err)
{
	ferry_link_ops->lost(fn, dev->ifindex,
			     ether_addr_to_u64(dev->dev_addr), err);
}

/*
 * What uses the old address is told while it is still there: so that a connection
 * can tell its peer, which would find nobody there any more.
 */
static void ferry_link_changed_addr(struct ferry_link *link)
{
	u64 old = ferry_link_address(link);

	if (old == ether_addr_to_u64(link->dev->dev_addr))
		return;
	ferry_link_ops->lost(link->fn, link->dev->ifindex, old, -EADDRNOTAVAIL);
	if (!ferry_link_addr_add(link)) {
		ferry_link_ops->event(link, FERRY_LINK_CHANGED);
		return;
	}
	netdev_warn(link->dev,
		    "Ferry: no memory for the new address, disabled here\n");
	ferry_link_remove(link);
}

static void ferry_link_has_changed(const struct ferry_link *link,
				   unsigned long event)
{
	/* What a device that is down is set to is seen when there is a way again. */
	if (event == NETDEV_CHANGEMTU || event == NETDEV_UP)
		ferry_link_ops->rerouted(link->fn, link->dev->ifindex);
	ferry_link_ops->event(link, FERRY_LINK_CHANGED);
}

/* Process context, under the RTNL. */
static int ferry_link_event(struct notifier_block *nb, unsigned long event,
			    void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct ferry_net *fn = ferry_net(dev_net(dev));
	struct ferry_link *link = ferry_link_find(fn, dev->ifindex);

	switch (event) {
	case NETDEV_REGISTER:
		if (!ferry_nic_is(dev))
			break;
		return notifier_from_errno(ferry_link_enable(fn, dev, NULL));
	case NETDEV_DOWN:
		ferry_link_lost(fn, dev, -ENETDOWN);
		fallthrough;
	case NETDEV_UP:
	case NETDEV_CHANGE:
	case NETDEV_CHANGEMTU:
	case NETDEV_CHANGENAME:
		if (link)
			ferry_link_has_changed(link, event);
		break;
	case NETDEV_CHANGEADDR:
		if (link)
			ferry_link_changed_addr(link);
		fallthrough;
	/* A bridge sends for its ports as long as they are, and for these addresses. */
	case NETDEV_CHANGEUPPER:
		ferry_link_ops->rerouted(fn, dev->ifindex);
		break;
	case NETDEV_UNREGISTER:
		ferry_link_lost(fn, dev, -ENODEV);
		if (link)
			ferry_link_remove(link);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block ferry_link_notifier = {
	.notifier_call = ferry_link_event,
};

/**
 * ferry_link_init() - begin to follow devices
 * @ops: what the rooms above want to hear of
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_link_init(const struct ferry_link_ops *ops)
{
	int err = -ENOMEM;

	ferry_link_ops = ops;
	ferry_link_cache = KMEM_CACHE(ferry_link, 0);
	if (!ferry_link_cache)
		return err;
	ferry_link_addr_cache = KMEM_CACHE(ferry_link_addr, 0);
	if (!ferry_link_addr_cache)
		goto destroy;
	err = register_netdevice_notifier(&ferry_link_notifier);
	if (err)
		goto destroy_addr;
	return 0;

destroy_addr:
	kmem_cache_destroy(ferry_link_addr_cache);
destroy:
	kmem_cache_destroy(ferry_link_cache);
	return err;
}

/**
 * ferry_link_exit() - undo ferry_link_init()
 *
 * The core replays the unregistration of every device to the notifier that
 * leaves, so all links go with it.
 *
 * Context: process.
 */
void ferry_link_exit(void)
{
	unregister_netdevice_notifier(&ferry_link_notifier);
	rcu_barrier();
	kmem_cache_destroy(ferry_link_addr_cache);
	kmem_cache_destroy(ferry_link_cache);
}

/**
 * ferry_link_net_init() - a namespace's links: none
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_link_net_init(struct ferry_net *fn)
{
	xa_init(&fn->links.by_ifindex);
	return rhltable_init(&fn->links.by_addr, &ferry_link_addr_params);
}

/**
 * ferry_link_net_exit() - undo ferry_link_net_init()
 * @fn: the namespace; its devices have gone
 *
 * Context: process.
 */
void ferry_link_net_exit(struct ferry_net *fn)
{
	WARN_ON_ONCE(!xa_empty(&fn->links.by_ifindex));
	rhltable_destroy(&fn->links.by_addr);
}
