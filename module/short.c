// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short way: see short.h.
 *
 * Sending never calls receiving: a sender has its socket locked, and the other
 * end answers. So there is a queue between them. A flow always has the same one,
 * whatever CPU it is sent from, and a tasklet never runs twice at a time: so what
 * is sent in order arrives in order, as by a card.
 */
#include <linux/etherdevice.h>
#include <linux/interrupt.h>
#include <linux/skbuff.h>
#include <net/sch_generic.h>
#include <net/sock.h>
#include <uapi/linux/ferry.h>

#include "flow.h"
#include "netns.h"
#include "short.h"
#include "socket.h"
#include "stamp.h"
#include "wire.h"

/* So many segments, and then other softirqs have their turn. */
#define FERRY_SHORT_BUDGET	64

/* So many flows can be on their way at once without waiting for one another. */
#define FERRY_SHORT_QUEUES	64

/*
 * struct ferry_short - a queue, of the flows whose hash says so
 *
 * @queue: segments, each charged to its sender: so the sender's socket, and by it
 *	the namespace and the module, are there as long as the segment is. Its lock
 *	is taken with softirqs off, under a socket's lock, and takes none
 * @tasklet: takes them off, on the CPU that put the first of them on
 */
struct ferry_short {
	struct sk_buff_head	queue;
	struct tasklet_struct	tasklet;
} ____cacheline_aligned_in_smp;

static struct ferry_short ferry_shorts[FERRY_SHORT_QUEUES];

/* Const while a tasklet can run. */
static void (*ferry_short_rcv)(struct ferry_net *fn, struct sk_buff *skb);

/* Whether a list that has our own handler has no other. It may just change. */
static bool ferry_short_alone(const struct list_head *handlers)
{
	return READ_ONCE(handlers->next) == READ_ONCE(handlers->prev);
}

/**
 * ferry_short_open() - whether a packet may go the short way
 * @fn: the namespace
 * @path: the packet's way, found in the same RCU section
 *
 * Context: any, under RCU.
 * Return: whether it may.
 */
bool ferry_short_open(const struct ferry_net *fn, const struct ferry_path *path)
{
	struct net_device *dev = path->dev;

	return path->own && READ_ONCE(fn->set.short_way) &&
	       !dev_nit_active(dev) &&
	       ferry_short_alone(&dev->ptype_specific) &&
	       !rcu_dereference(dev->qdisc)->enqueue &&
	       !rcu_access_pointer(dev->rx_handler) &&
	       !rcu_access_pointer(dev->xdp_prog) &&
	       !ferry_dev_has_hooks(dev);
}

/**
 * ferry_short_send() - send a segment by the short way
 * @fn: the namespace
 * @skb: the segment, its header built, charged to its sender; consumed
 * @key: from where to where
 * @seg: what the header says
 * @path: the way, found in the same RCU section
 *
 * Context: process or softirq, under RCU, if ferry_short_open() says so.
 */
void ferry_short_send(struct ferry_net *fn, struct sk_buff *skb,
		      const struct ferry_flow_key *key,
		      const struct ferry_seg *seg,
		      const struct ferry_path *path)
{
	u8 saddr[ETH_ALEN], daddr[ETH_ALEN];
	struct ferry_short *sh = &ferry_shorts[skb_get_hash(skb) %
					       FERRY_SHORT_QUEUES];

	*ferry_skb_cb(skb) = (struct ferry_skb_cb) {
		.saddr = path->saddr,
		.daddr = path->daddr,
		.pkt = {
			.kind = seg->kind,
			.code = seg->code,
			.hlen = ferry_seg_hlen(seg),
			.len = seg->len,
			.sport = key->lport,
			.dport = key->rport,
		},
		.iif = path->dev->ifindex,
	};
	/* What a socket's filter may read. */
	u64_to_ether_addr(path->saddr, saddr);
	u64_to_ether_addr(path->daddr, daddr);
	skb_reset_network_header(skb);
	eth_header(skb, path->dev, ETH_P_FERRY, daddr, saddr, skb->len);
	skb_reset_mac_header(skb);
	__skb_pull(skb, ETH_HLEN);
	skb->protocol = htons(ETH_P_FERRY);
	skb->pkt_type = PACKET_LOOPBACK;
	skb->skb_iif = path->dev->ifindex;
	skb->priority = 0;
	skb_clear_tstamp(skb);
	ferry_stats_inc(fn, FERRY_STAT_OUT_SHORT_WAY);
	ferry_stamp_short(skb);

	/* Unlocking runs the tasklet, unless this is a softirq. */
	spin_lock_bh(&sh->queue.lock);
	__skb_queue_tail(&sh->queue, skb);
	tasklet_schedule(&sh->tasklet);
	spin_unlock_bh(&sh->queue.lock);
}

/* A segment arrives, on the loop's card as far as anybody can see. Under RCU. */
static void ferry_short_arrive(struct sk_buff *skb)
{
	struct ferry_net *fn = ferry_net(sock_net(skb->sk));
	struct ferry_link *loop = rcu_dereference(fn->links.loop);

	if (unlikely(!loop)) {
		ferry_stats_drop(fn, skb, FERRY_STAT_OUT_DEVICE);
		return;
	}
	skb->dev = loop->dev;
	skb_orphan(skb);
	ferry_stats_inc(fn, FERRY_STAT_IN_PACKETS);
	/* Pages that a sender has lent must not wait for a reader: as from a card. */
	if (unlikely(skb_orphan_frags_rx(skb, GFP_ATOMIC))) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_MEMORY);
		return;
	}
	ferry_short_rcv(fn, skb);
}

static struct sk_buff *ferry_short_next(struct ferry_short *sh)
{
	struct sk_buff *skb;

	spin_lock(&sh->queue.lock);
	skb = __skb_dequeue(&sh->queue);
	spin_unlock(&sh->queue.lock);
	return skb;
}

static void ferry_short_run(struct tasklet_struct *tasklet)
{
	struct ferry_short *sh = from_tasklet(sh, tasklet, tasklet);
	int budget = FERRY_SHORT_BUDGET;
	struct sk_buff *skb;

	rcu_read_lock();
	while (budget && (skb = ferry_short_next(sh))) {
		ferry_short_arrive(skb);
		budget--;
	}
	rcu_read_unlock();

	if (!budget)
		tasklet_schedule(tasklet);
}

/**
 * ferry_short_init() - open the short way
 * @rcv: takes a segment, with its struct ferry_skb_cb filled in, and consumes it;
 *	called in softirq, under RCU
 *
 * Context: process.
 * Return: 0.
 */
int ferry_short_init(void (*rcv)(struct ferry_net *fn, struct sk_buff *skb))
{
	int i;

	ferry_short_rcv = rcv;
	for (i = 0; i < FERRY_SHORT_QUEUES; i++) {
		skb_queue_head_init(&ferry_shorts[i].queue);
		tasklet_setup(&ferry_shorts[i].tasklet, ferry_short_run);
	}
	return 0;
}

/**
 * ferry_short_exit() - undo ferry_short_init()
 *
 * No socket is left, and so no segment; but the tasklet that took the last one may
 * still be at its end.
 *
 * Context: process.
 */
void ferry_short_exit(void)
{
	int i;

	for (i = 0; i < FERRY_SHORT_QUEUES; i++)
		tasklet_kill(&ferry_shorts[i].tasklet);
}
