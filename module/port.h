/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port space: which sockets have a port, and which one gets a packet.
 */
#ifndef _FERRY_PORT_H
#define _FERRY_PORT_H

#include <linux/mutex.h>
#include <linux/rhashtable.h>

struct ferry_net;
struct sk_buff;
struct sock;

/*
 * struct ferry_ports - one kind's ports in one namespace
 *
 * Written under @lock, read under RCU. @lock is taken with a socket lock held
 * and takes nothing but the core's reuseport_lock.
 */
struct ferry_ports {
	struct rhashtable	buckets;	/* struct ferry_bucket */
	struct mutex		lock;
};

/*
 * struct ferry_bucket - the sockets that share a port
 *
 * Made with the first socket that takes the port, and freed, after a grace
 * period, when the last one leaves it. Held by the hash table only.
 */
struct ferry_bucket {
	u32			port;		/* const, the key */
	struct hlist_head	socks;		/* by sk_node; ferry_ports.lock, RCU */
	struct rhash_head	node;
	struct rcu_head		rcu;
};

int ferry_port_init(void);
void ferry_port_exit(void);
int ferry_port_net_init(struct ferry_net *fn);
void ferry_port_net_exit(struct ferry_net *fn);

int ferry_port_bind(struct sock *sk, u32 port);
void ferry_port_release(struct sock *sk);

struct sock *ferry_port_lookup(struct ferry_net *fn, struct sk_buff *skb);
struct sock *ferry_port_lookup_peer(struct ferry_net *fn, struct sk_buff *skb);
bool ferry_port_deliver_all(struct ferry_net *fn, struct sk_buff *skb,
			    void (*deliver)(struct sock *sk,
					    struct sk_buff *skb));
void ferry_port_lost(struct ferry_net *fn, int ifindex, u64 addr, int err);

#endif /* _FERRY_PORT_H */
