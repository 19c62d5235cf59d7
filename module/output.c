// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output: see output.h.
 */
#include <linux/skbuff.h>
#include <net/sock.h>

#include "addr.h"
#include "netns.h"
#include "output.h"
#include "short.h"

/* The header is there. */
static void ferry_output_finish(struct sk_buff *skb,
				const struct ferry_path *path, u32 hash)
{
	skb_reset_transport_header(skb);
	ferry_addr_start_sum(skb, ferry_addr_sum(path->saddr, path->daddr));
	skb_set_hash(skb, hash, PKT_HASH_TYPE_L4);
}

/**
 * ferry_output_alloc() - an empty packet
 * @fn: the namespace
 * @dev: the device that it leaves by
 * @hlen: room for Ferry's header before it, in bytes
 * @len: how much it has room for, in bytes
 *
 * Context: process or softirq.
 * Return: the packet, with room for the headers reserved; NULL if there is no
 * memory, which is counted.
 */
struct sk_buff *ferry_output_alloc(struct ferry_net *fn,
				   const struct net_device *dev,
				   unsigned int hlen, unsigned int len)
{
	unsigned int headroom = LL_RESERVED_SPACE(dev) + hlen;
	struct sk_buff *skb;

	skb = alloc_skb(headroom + len + dev->needed_tailroom,
			GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!skb)) {
		ferry_stats_inc(fn, FERRY_STAT_OUT_MEMORY);
		return NULL;
	}
	skb_reserve(skb, headroom);
	return skb;
}

/**
 * ferry_output() - send a packet
 * @skb: the payload, with ferry_output_headroom() before it; consumed
 * @pkt: what the header says
 * @path: the way, found in the same RCU section
 *
 * The checksum is left to the device, or to the core if it cannot.
 *
 * Context: process or softirq, under RCU.
 * Return: 0; -ENOBUFS if the device's queue dropped the packet.
 */
int ferry_output(struct sk_buff *skb, const struct ferry_packet *pkt,
		 const struct ferry_path *path)
{
	u32 hash = ferry_addr_flow_hash(path->saddr, pkt->sport, path->daddr,
					pkt->dport, 0);

	ferry_wire_build(skb_push(skb, FERRY_HLEN), pkt);
	ferry_output_finish(skb, path, hash);
	return ferry_link_xmit(skb, path);
}

static int ferry_output_route(struct ferry_net *fn,
			      const struct ferry_flow *flow,
			      struct ferry_path *path)
{
	return ferry_link_route(fn, flow->key.laddr, flow->key.raddr,
				READ_ONCE(flow->ifindex), path);
}

static int ferry_output_push(struct ferry_net *fn, struct sk_buff *skb,
			     const struct ferry_flow *flow,
			     const struct ferry_seg *seg,
			     const struct ferry_path *path)
{
	const struct ferry_flow_key *key = &flow->key;
	u32 hash;

	/* A socket knows its flow's hash. */
	hash = skb->sk ? skb->sk->sk_txhash :
			 ferry_addr_flow_hash(key->laddr, key->lport,
					      key->raddr, key->rport, 0);
	ferry_wire_build_seg(skb_push(skb, ferry_seg_hlen(seg)), seg,
			     key->lport, key->rport);
	ferry_output_finish(skb, path, hash);

	/* Handshakes are the card's, and so is what no connection sends. */
	if (seg->kind == FERRY_KIND_SYN || seg->kind == FERRY_KIND_SYNACK ||
	    !skb->sk || !ferry_short_open(fn, path))
		return ferry_link_xmit(skb, path);
	ferry_short_send(fn, skb, key, seg, path);
	return 0;
}

/**
 * ferry_output_seg() - send a segment with payload
 * @fn: the namespace
 * @skb: the payload, with FERRY_OUTPUT_SEG_HEADROOM before it, of which nobody
 *	else has the header; its socket is set; consumed
 * @flow: from where to where
 * @seg: what the header says
 * @mss: where a device is to cut it, if it is longer, in bytes
 *
 * Context: process or softirq.
 * Return: 0; -ENOBUFS if the device's queue dropped the packet, or why there is
 * no way.
 */
int ferry_output_seg(struct ferry_net *fn, struct sk_buff *skb,
		     const struct ferry_flow *flow,
		     const struct ferry_seg *seg, u32 mss)
{
	struct ferry_path path;
	int err;

	rcu_read_lock();
	err = ferry_output_route(fn, flow, &path);
	if (!err && skb_cow_head(skb, FERRY_CONN_HLEN +
				 LL_RESERVED_SPACE(path.dev)))
		err = -ENOBUFS;
	if (unlikely(err)) {
		kfree_skb(skb);
		goto unlock;
	}
	/* See gso.c for why it is this type. */
	if (skb->len > mss) {
		skb_shinfo(skb)->gso_size = mss;
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len, mss);
		skb_shinfo(skb)->gso_type = SKB_GSO_SCTP;
	} else if (skb_shinfo(skb)->gso_size) {
		/* It was sent before, and longer. */
		skb_gso_reset(skb);
	}
	err = ferry_output_push(fn, skb, flow, seg, &path);
unlock:
	rcu_read_unlock();
	return err;
}

/* A segment without payload; @sk may be NULL. */
static int ferry_output_empty(struct ferry_net *fn, struct sock *sk,
			      const struct ferry_class *class,
			      const struct ferry_flow *flow,
			      const struct ferry_seg *seg)
{
	struct ferry_path path;
	struct sk_buff *skb;
	int err;

	rcu_read_lock();
	err = ferry_output_route(fn, flow, &path);
	if (unlikely(err))
		goto unlock;

	skb = ferry_output_alloc(fn, path.dev, ferry_seg_hlen(seg), 0);
	if (unlikely(!skb)) {
		err = -ENOBUFS;
		goto unlock;
	}
	if (sk)
		skb_set_owner_w(skb, sk);
	skb->mark = class->mark;
	skb->priority = class->priority;
	ferry_stats_inc(fn, seg->kind == FERRY_KIND_RST ?
			FERRY_STAT_OUT_RSTS : FERRY_STAT_OUT_SEGS);
	err = ferry_output_push(fn, skb, flow, seg, &path);
unlock:
	rcu_read_unlock();
	return err;
}

/**
 * ferry_output_control() - send a segment without payload
 * @fn: the namespace
 * @sk: the socket that it is charged to
 * @flow: from where to where
 * @seg: what the header says
 *
 * Context: process or softirq.
 * Return: 0; -ENOBUFS if there is no memory or the device's queue dropped the
 * packet, or why there is no way.
 */
int ferry_output_control(struct ferry_net *fn, struct sock *sk,
			 const struct ferry_flow *flow,
			 const struct ferry_seg *seg)
{
	const struct ferry_class class = ferry_class_of(sk);

	return ferry_output_empty(fn, sk, &class, flow, seg);
}

/**
 * ferry_output_stray() - the same of a connection that has no socket
 * @fn: the namespace
 * @class: what the socket had that it had or is going to have
 * @flow: from where to where
 * @seg: what the header says
 *
 * Context: process or softirq.
 * Return: as ferry_output_control().
 */
int ferry_output_stray(struct ferry_net *fn, const struct ferry_class *class,
		       const struct ferry_flow *flow,
		       const struct ferry_seg *seg)
{
	return ferry_output_empty(fn, NULL, class, flow, seg);
}
