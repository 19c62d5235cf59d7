/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output: a packet gets its header and goes to its link.
 */
#ifndef _FERRY_OUTPUT_H
#define _FERRY_OUTPUT_H

#include <linux/netdevice.h>
#include <net/sock.h>

#include "flow.h"
#include "link.h"
#include "wire.h"

struct ferry_net;
struct sk_buff;

/**
 * struct ferry_class - what a queueing discipline tells packets apart by
 *
 * @mark: SO_MARK
 * @priority: SO_PRIORITY
 */
struct ferry_class {
	u32	mark;
	u32	priority;
};

/* What a socket's packets are at present. */
static inline struct ferry_class ferry_class_of(const struct sock *sk)
{
	return (struct ferry_class) {
		.mark = READ_ONCE(sk->sk_mark),
		.priority = READ_ONCE(sk->sk_priority),
	};
}

/* Room to leave at an skb's head, in bytes, for a way out through @dev. */
static inline unsigned int ferry_output_headroom(const struct net_device *dev)
{
	return FERRY_HLEN + LL_RESERVED_SPACE(dev);
}

/* The same for a segment with payload, whatever its device will be. */
#define FERRY_OUTPUT_SEG_HEADROOM	ALIGN(FERRY_CONN_HLEN + LL_MAX_HEADER, 16)

struct sk_buff *ferry_output_alloc(struct ferry_net *fn,
				   const struct net_device *dev,
				   unsigned int hlen, unsigned int len);
int ferry_output(struct sk_buff *skb, const struct ferry_packet *pkt,
		 const struct ferry_path *path);
int ferry_output_seg(struct ferry_net *fn, struct sk_buff *skb,
		     const struct ferry_flow *flow,
		     const struct ferry_seg *seg, u32 mss);
int ferry_output_control(struct ferry_net *fn, struct sock *sk,
			 const struct ferry_flow *flow,
			 const struct ferry_seg *seg);
int ferry_output_stray(struct ferry_net *fn, const struct ferry_class *class,
		       const struct ferry_flow *flow,
		       const struct ferry_seg *seg);

#endif /* _FERRY_OUTPUT_H */
