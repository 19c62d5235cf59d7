// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receiving end of the wire: arrival, interrupt, poll.
 *
 * No wakeup is lost. Whoever brings a frame writes it to the ring and then
 * reads the mask; who ends a poll clears the mask and then reads the ring. With
 * a full barrier in between on both sides, at least one of them sees what the
 * other wrote: the bringer raises the interrupt, or the poll's end does.
 *
 * While a wait is on (see nic_moderate.h) the bringers stay quiet, and its
 * timer, which is started as soon as the wait begins, is the wakeup. It
 * interrupts whatever the mask says: a poll that is running when it fires is
 * run once more (NAPI remembers), so that the wait always ends in a poll.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/reciprocal_div.h>
#include <linux/sched/clock.h>
#include <net/gro.h>
#include <uapi/linux/ferry.h>

#include "nic_card.h"
#include "nic_irq.h"

static struct ferry_nic_rxq *ferry_nic_rx_queue(struct ferry_nic *nic,
						struct sk_buff *skb)
{
	unsigned int pairs = READ_ONCE(nic->pairs);
	unsigned int index = 0;

	if (pairs > 1)
		index = reciprocal_scale(skb_get_hash(skb), pairs);
	return &nic->queue[index].rx;
}

/* What a frame must not carry over to the other end. */
static void ferry_nic_rx_scrub(struct sk_buff *skb, struct net_device *dev)
{
	skb_scrub_packet(skb, !net_eq(dev_net(dev), dev_net(skb->dev)));
	skb_clear_tstamp(skb);
	/* A loop keeps it, as lo does. */
	if (dev != skb->dev)
		skb->priority = 0;
	skb->dev = dev;
}

static bool ferry_nic_rx_fits(const struct net_device *dev,
			      const struct sk_buff *skb)
{
	return skb_is_gso(skb) ||
	       skb->len <= READ_ONCE(dev->mtu) + ETH_HLEN + VLAN_HLEN;
}

static ktime_t ferry_nic_rx_wait_time(const struct ferry_nic_rxq *rxq)
{
	lockdep_assert_held(&rxq->lock);

	return ns_to_ktime(ferry_nic_moderate_time(&rxq->moderate, &rxq->conf));
}

/* Put a frame into the ring. Return: whether to interrupt for it. */
static bool ferry_nic_rx_push(struct ferry_nic_rxq *rxq, struct sk_buff *skb)
{
	enum ferry_nic_verdict verdict;
	unsigned int len = skb->len;

	lockdep_assert_held(&rxq->lock);

	ferry_nic_ring_push(&rxq->ring, skb);

	/* The ring before the mask; pairs with ferry_nic_rx_unmask(). */
	smp_mb();
	if (READ_ONCE(rxq->masked)) {
		ferry_nic_moderate_seen(&rxq->moderate);
		return false;
	}

	verdict = ferry_nic_moderate_frame(&rxq->moderate, &rxq->conf, len,
					   local_clock());
	if (verdict == FERRY_NIC_HOLD)
		hrtimer_start(&rxq->timer, ferry_nic_rx_wait_time(rxq),
			      HRTIMER_MODE_REL_PINNED_HARD);
	return verdict == FERRY_NIC_RAISE || ferry_nic_ring_full(&rxq->ring);
}

static void ferry_nic_rx_count(struct ferry_nic_rxq *rxq, u64_stats_t *counter)
{
	lockdep_assert_held(&rxq->lock);

	u64_stats_update_begin(&rxq->wire.syncp);
	u64_stats_inc(counter);
	u64_stats_update_end(&rxq->wire.syncp);
}

/*
 * Take a frame or say why not. The lock is taken with interrupts off because
 * netpoll sends with interrupts off, and may do so in one.
 */
static enum skb_drop_reason
ferry_nic_rx_take(struct ferry_nic_rxq *rxq, struct sk_buff *skb, bool *raise)
{
	enum skb_drop_reason reason = SKB_NOT_DROPPED_YET;
	unsigned long flags;

	spin_lock_irqsave(&rxq->lock, flags);
	if (unlikely(!rxq->live)) {
		reason = SKB_DROP_REASON_DEV_READY;
	} else if (unlikely(!ferry_nic_rx_fits(rxq->nic->dev, skb))) {
		ferry_nic_rx_count(rxq, &rxq->wire.over_length);
		reason = SKB_DROP_REASON_PKT_TOO_BIG;
	} else if (unlikely(ferry_nic_ring_full(&rxq->ring))) {
		ferry_nic_rx_count(rxq, &rxq->wire.missed);
		reason = SKB_DROP_REASON_FULL_RING;
	} else {
		*raise = ferry_nic_rx_push(rxq, skb);
	}
	spin_unlock_irqrestore(&rxq->lock, flags);
	return reason;
}

/**
 * ferry_nic_rx_arrive() - the wire brings a frame
 * @nic: card that it arrives at
 * @skb: the frame, from its Ethernet header; consumed
 *
 * Context: softirqs off, RCU. Takes the RX queue's lock and raises its
 * interrupt after it.
 * Return: whether there was a card to receive it. (If that card then drops the
 * frame, it counts that itself.)
 */
bool ferry_nic_rx_arrive(struct ferry_nic *nic, struct sk_buff *skb)
{
	struct ferry_nic_rxq *rxq = ferry_nic_rx_queue(nic, skb);
	enum skb_drop_reason reason;
	bool raise;

	if (unlikely(skb_orphan_frags(skb, GFP_ATOMIC))) {
		kfree_skb_reason(skb, SKB_DROP_REASON_NOMEM);
		return false;
	}

	ferry_nic_rx_scrub(skb, nic->dev);
	reason = ferry_nic_rx_take(rxq, skb, &raise);
	if (unlikely(reason)) {
		kfree_skb_reason(skb, reason);
		return reason != SKB_DROP_REASON_DEV_READY;
	}

	if (raise)
		ferry_nic_irq_raise(rxq->irq);
	return true;
}

/**
 * ferry_nic_rx_irq() - the RX queue's hard-irq handler
 * @irq: number of its line
 * @data: the RX queue
 *
 * Context: interrupts off.
 * Return: IRQ_HANDLED.
 */
irqreturn_t ferry_nic_rx_irq(int irq, void *data)
{
	struct ferry_nic_rxq *rxq = data;

	WRITE_ONCE(rxq->masked, true);

	u64_stats_update_begin(&rxq->irqs.syncp);
	u64_stats_inc(&rxq->irqs.interrupts);
	if (READ_ONCE(rxq->by_timer)) {
		WRITE_ONCE(rxq->by_timer, false);
		u64_stats_inc(&rxq->irqs.by_timer);
	}
	u64_stats_update_end(&rxq->irqs.syncp);

	napi_schedule(&rxq->napi);
	return IRQ_HANDLED;
}

/**
 * ferry_nic_rx_timer() - a wait has lasted a while: go on or interrupt
 * @timer: the RX queue's timer
 *
 * There is nothing to do when that wait has ended before its time, and when the
 * timer has been started anew for the next one.
 *
 * Context: hard irq.
 * Return: HRTIMER_RESTART or HRTIMER_NORESTART.
 */
enum hrtimer_restart ferry_nic_rx_timer(struct hrtimer *timer)
{
	struct ferry_nic_rxq *rxq = container_of(timer, struct ferry_nic_rxq,
						 timer);
	bool go_on = false, raise = false;
	unsigned long flags;

	spin_lock_irqsave(&rxq->lock, flags);
	if (rxq->moderate.holding && !hrtimer_is_queued(timer)) {
		go_on = ferry_nic_moderate_look(&rxq->moderate, &rxq->conf);
		raise = !go_on;
	}
	if (go_on)
		hrtimer_forward_now(timer, ferry_nic_rx_wait_time(rxq));
	spin_unlock_irqrestore(&rxq->lock, flags);

	if (raise) {
		WRITE_ONCE(rxq->by_timer, true);
		ferry_nic_irq_raise(rxq->irq);
	}
	return go_on ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

static void ferry_nic_rx_end_wait(struct ferry_nic_rxq *rxq)
{
	unsigned long flags;

	spin_lock_irqsave(&rxq->lock, flags);
	if (ferry_nic_moderate_end(&rxq->moderate,
				   ferry_nic_ring_count(&rxq->ring)))
		ferry_nic_rx_count(rxq, &rxq->wire.waits_paid);
	else
		ferry_nic_rx_count(rxq, &rxq->wire.waits_vain);
	spin_unlock_irqrestore(&rxq->lock, flags);
}

/* Unmask the interrupt, and raise it for frames that came in the meantime. */
static void ferry_nic_rx_unmask(struct ferry_nic_rxq *rxq)
{
	unsigned long flags;
	bool raise;

	WRITE_ONCE(rxq->masked, false);

	/* The mask before the ring; pairs with ferry_nic_rx_push(). */
	smp_mb();
	if (likely(ferry_nic_ring_empty(&rxq->ring)))
		return;

	/* A wait that has just begun has its timer. */
	spin_lock_irqsave(&rxq->lock, flags);
	raise = !rxq->moderate.holding;
	spin_unlock_irqrestore(&rxq->lock, flags);
	if (raise)
		ferry_nic_irq_raise(rxq->irq);
}

/*
 * GRO merges frames by moving their fragments from one list to another. What a
 * sender has cloned, to keep it until it is acknowledged, shares the list: the
 * frame needs one of its own, or what is sent again has nothing in it. Of Ferry's
 * own frames it joins none that is a clone: see gro.c.
 */
static bool ferry_nic_rx_may_merge(struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_FERRY) ||
	       !skb_unclone(skb, GFP_ATOMIC);
}

/*
 * Hand a frame to the stack. Its sender is charged for it up to here: so a
 * sender whose frames nobody polls sleeps for want of send buffer rather than
 * overrun the ring. No further, because GRO may merge frames.
 */
static void ferry_nic_rx_receive(struct ferry_nic_rxq *rxq,
				 struct sk_buff *skb)
{
	skb_orphan(skb);
	skb->protocol = eth_type_trans(skb, rxq->nic->dev);
	skb_postpull_rcsum(skb, eth_hdr(skb), ETH_HLEN);
	skb_record_rx_queue(skb, rxq->index);
	if (likely(ferry_nic_rx_may_merge(skb)))
		napi_gro_receive(&rxq->napi, skb);
	else
		netif_receive_skb(skb);
}

/**
 * ferry_nic_rx_poll() - NAPI's poll of an RX queue
 * @napi: its NAPI instance
 * @budget: how many frames may be received; 0 from netpoll, which wants none
 *
 * Context: softirq, or process context with softirqs off (busy polling).
 * Return: how many frames were received.
 */
int ferry_nic_rx_poll(struct napi_struct *napi, int budget)
{
	struct ferry_nic_rxq *rxq = container_of(napi, struct ferry_nic_rxq,
						 napi);
	struct sk_buff *skb;
	unsigned int bytes = 0;
	int frames = 0;

	if (unlikely(!budget))
		return 0;

	if (READ_ONCE(rxq->moderate.holding))
		ferry_nic_rx_end_wait(rxq);

	while (frames < budget && (skb = ferry_nic_ring_pop(&rxq->ring))) {
		frames++;
		bytes += skb->len;
		ferry_nic_rx_receive(rxq, skb);
	}

	u64_stats_update_begin(&rxq->polled.syncp);
	u64_stats_add(&rxq->polled.packets, frames);
	u64_stats_add(&rxq->polled.bytes, bytes);
	u64_stats_inc(&rxq->polled.polls);
	u64_stats_update_end(&rxq->polled.syncp);

	if (frames < budget && napi_complete_done(napi, frames))
		ferry_nic_rx_unmask(rxq);
	return frames;
}

/**
 * ferry_nic_rx_configure() - set how an RX queue's interrupt is moderated
 * @rxq: the queue
 * @conf: how
 *
 * A wait that is on ends at once; without one, what was learnt is forgotten.
 *
 * Context: process, under the RTNL.
 */
void ferry_nic_rx_configure(struct ferry_nic_rxq *rxq,
			    const struct ferry_nic_moderate_conf *conf)
{
	unsigned long flags;
	bool raise;

	local_bh_disable();
	spin_lock_irqsave(&rxq->lock, flags);
	rxq->conf = *conf;
	raise = rxq->live && rxq->moderate.holding;
	if (!raise)
		ferry_nic_moderate_init(&rxq->moderate);
	spin_unlock_irqrestore(&rxq->lock, flags);
	if (raise)
		ferry_nic_irq_raise(rxq->irq);
	local_bh_enable();
}
