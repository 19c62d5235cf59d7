/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Links: the devices on which Ferry listens, and the way out to an address.
 */
#ifndef _FERRY_LINK_H
#define _FERRY_LINK_H

#include <linux/netdevice.h>
#include <linux/rhashtable.h>
#include <linux/xarray.h>

struct ferry_link_addr;
struct ferry_net;

/*
 * struct ferry_links - the links of a namespace
 *
 * Written under the RTNL, read under RCU.
 */
struct ferry_links {
	struct xarray		by_ifindex;	/* struct ferry_link */
	struct rhltable		by_addr;	/* struct ferry_link_addr */
	u64			maybe;		/* bits that by_addr's hash to */
	struct ferry_link __rcu	*loop;		/* the way to this host itself */
	struct ferry_link __rcu	*sole;		/* the only other one, if so */
	unsigned int		others;		/* links besides the loop */
	unsigned int		generation;	/* changes, never 0; RTNL */
};

/*
 * struct ferry_link - a device on which Ferry is enabled
 *
 * Made by ferry_link_enable() under the RTNL: for one of Ferry's own cards
 * when it is registered, for another device when an administrator says so.
 * The xarray holds it, and with it a reference on the device. It dies, under
 * the RTNL, by ferry_link_disable(), by the device's unregistration (which is
 * also how it leaves for another namespace) and by unloading. Its memory
 * follows after a grace period, because the packet handler and senders use it
 * under RCU; the core waits for them before it frees the device.
 */
struct ferry_link {
	struct packet_type	pt;	/* the handler; const once added */
	struct net_device	*dev;	/* const */
	netdevice_tracker	tracker;
	struct ferry_net	*fn;	/* const */
	struct ferry_link_addr __rcu *addr;	/* the device's own address */
	bool			loop;	/* RTNL; read without */
	struct hlist_head	groups;	/* struct ferry_group; RTNL */
	struct rcu_head		rcu;
};

/*
 * struct ferry_link_addr - one address of a link, as looked up by packets
 *
 * Made with its link, and anew when the device's address changes; held by the
 * hash table and by the link, freed after a grace period. Devices may share an
 * address (a VLAN has its parent's), so the table holds lists.
 */
struct ferry_link_addr {
	u64			addr;	/* const, the key */
	struct ferry_link	*link;	/* const */
	struct rhlist_head	node;
	struct rcu_head		rcu;
};

/*
 * struct ferry_path - how to reach an address: valid within one RCU section
 *
 * @dev: device to send through
 * @saddr: source address to send from
 * @daddr: destination, with "this host" resolved
 * @own: that is one of this host's addresses, and the way the loop
 */
struct ferry_path {
	struct net_device	*dev;
	u64			saddr;
	u64			daddr;
	bool			own;
};

/*
 * enum ferry_link_event - what has happened to a link
 *
 * @FERRY_LINK_ADDED: a device was enabled
 * @FERRY_LINK_CHANGED: its name, address, MTU, state or carrier
 * @FERRY_LINK_REMOVED: it is not enabled any more
 */
enum ferry_link_event {
	FERRY_LINK_ADDED,
	FERRY_LINK_CHANGED,
	FERRY_LINK_REMOVED,
};

/*
 * struct ferry_link_ops - what the rooms above want to hear of
 *
 * @rcv: a packet for this host, from the byte after its Ethernet header.
 *	Consumes it. Called in softirq, under RCU
 * @lost: a device went down or away (@err is -ENETDOWN or -ENODEV), or is about
 *	to give up the address @addr (-EADDRNOTAVAIL). Called in process context
 *	under the RTNL
 * @rerouted: the MTU of the device @ifindex, or what a bridge may send from, may be
 *	another. Called in process context under the RTNL
 * @gone: a link is about to go, and what hangs on it is to. Called in process
 *	context under the RTNL
 * @event: something has happened to @link, which is still there to be looked at.
 *	Called in process context under the RTNL
 */
struct ferry_link_ops {
	void (*rcv)(struct ferry_net *fn, struct sk_buff *skb);
	void (*lost)(struct ferry_net *fn, int ifindex, u64 addr, int err);
	void (*rerouted)(struct ferry_net *fn, int ifindex);
	void (*gone)(struct ferry_link *link);
	void (*event)(const struct ferry_link *link,
		      enum ferry_link_event event);
};

int ferry_link_init(const struct ferry_link_ops *ops);
void ferry_link_exit(void);
int ferry_link_net_init(struct ferry_net *fn);
void ferry_link_net_exit(struct ferry_net *fn);

int ferry_link_start(struct ferry_net *fn);
int ferry_link_enable(struct ferry_net *fn, struct net_device *dev,
		      struct netlink_ext_ack *extack);
int ferry_link_disable(struct ferry_net *fn, struct net_device *dev);
struct ferry_link *ferry_link_find(struct ferry_net *fn, int ifindex);

u64 ferry_link_address(const struct ferry_link *link);
bool ferry_link_owns(struct ferry_net *fn, int ifindex, u64 addr);
int ferry_link_route(struct ferry_net *fn, u64 saddr, u64 daddr, int oif,
		     struct ferry_path *path);
int ferry_link_xmit(struct sk_buff *skb, const struct ferry_path *path);

#endif /* _FERRY_LINK_H */
