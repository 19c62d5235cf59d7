/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The port space: which sockets have a port, and which one gets a packet.
 */
#ifndef _FERRY_PORT_H
#define _FERRY_PORT_H

#include <linux/rhashtable.h>
#include <linux/spinlock.h>

struct ferry_net;
struct sk_buff;
struct sock;

/* How many of a port's counters of earlier connections there are; see below. */
#define FERRY_PORT_OFFSETS	256

/*
 * struct ferry_ports - one kind's ports in one namespace
 *
 * Written under @lock, read under RCU. @lock is taken with a socket lock held
 * or in softirq, and takes nothing but the core's reuseport_lock.
 *
 * @offsets: where connections to one peer have got to in the range of ports
 *	(RFC 6056, 3.3.4); guessed at without a lock, since it only saves time
 */
struct ferry_ports {
	struct rhashtable	buckets;	/* struct ferry_bucket */
	spinlock_t		lock;
	u32			offsets[FERRY_PORT_OFFSETS];
};

/*
 * Which of the options that let sockets share a port one has. Two can have one
 * port if they have an option in common.
 */
#define FERRY_SHARE_REUSE	1
#define FERRY_SHARE_REUSEPORT	2
#define FERRY_SHARES		4

/*
 * struct ferry_bucket - those that share a port
 *
 * Made with the first socket that takes the port, and freed, after a grace
 * period, when the last one leaves it. Held by the hash table only.
 *
 * @socks are those that bind() gave the port to. @users counts, by what they
 * share with, those that only have a connection there: its port was chosen by
 * connect(), or is its listener's, or it is in TIME_WAIT.
 */
struct ferry_bucket {
	u32			port;		/* const, the key */
	u32			users[FERRY_SHARES];	/* ferry_ports.lock */
	struct hlist_head	socks;		/* by sk_node; ferry_ports.lock, RCU */
	struct rhash_head	node;
	struct rcu_head		rcu;
};

int ferry_port_init(void);
void ferry_port_exit(void);
int ferry_port_net_init(struct ferry_net *fn);
void ferry_port_net_exit(struct ferry_net *fn);

int ferry_port_bind(struct sock *sk, u32 port);
int ferry_port_listen(struct sock *sk);
int ferry_port_connect(struct sock *sk, u32 seed,
		       int (*take)(struct sock *sk, u32 port));
bool ferry_port_inherit(struct sock *sk, const struct sock *parent);
void ferry_port_release(struct sock *sk);
void ferry_port_leave(struct ferry_net *fn, u32 port, u8 share);
u8 ferry_port_hand_over(struct sock *sk);

struct sock *ferry_port_lookup(struct ferry_net *fn, struct sk_buff *skb);
struct sock *ferry_port_listener(struct ferry_net *fn, struct sk_buff *skb);
struct sock *ferry_port_lookup_peer(struct ferry_net *fn, struct sk_buff *skb);
bool ferry_port_on_device(struct ferry_net *fn, const struct sk_buff *skb,
			  int ifindex);
bool ferry_port_deliver_all(struct ferry_net *fn, struct sk_buff *skb,
			    bool (*hears)(const struct sock *sk,
					  const struct sk_buff *skb),
			    void (*deliver)(struct sock *sk,
					    struct sk_buff *skb));
void ferry_port_lost(struct ferry_net *fn, int ifindex, u64 addr, int err);

#endif /* _FERRY_PORT_H */
