// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME_WAIT: see linger.h. What a segment means to it is in timewait.h.
 */
#include <linux/jiffies.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/timer.h>

#include "linger.h"
#include "listen.h"
#include "output.h"
#include "port.h"
#include "stream.h"
#include "timewait.h"

/*
 * struct ferry_linger - a connection in TIME_WAIT
 *
 * Made when its socket has nothing more to do with it, and takes its place in the
 * table of flows. The table has a reference, and the pending timer another. It
 * ends when its time is over, when its peer says that it is done too or begins
 * anew, when its ends connect anew from here, and with its namespace: by whoever
 * takes it out of the table, who then says so by @dead. @class is what its socket had.
 * @timewait and @dead are guarded by @lock, the rest is const. It holds the port, not
 * the namespace.
 */
struct ferry_linger {
	struct ferry_flow	flow;
	struct ferry_net	*fn;
	struct ferry_class	class;
	struct ferry_timewait	timewait;
	spinlock_t		lock;		/* guards @timewait, @dead */
	bool			dead;
	refcount_t		refs;
	struct timer_list	timer;
	u8			share;		/* port.c's */
	struct rcu_head		rcu;
};

static struct kmem_cache *ferry_linger_cache;

static void ferry_linger_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ferry_linger_cache,
			container_of(rcu, struct ferry_linger, rcu));
}

static void ferry_linger_put(struct ferry_linger *linger)
{
	if (refcount_dec_and_test(&linger->refs))
		call_rcu(&linger->rcu, ferry_linger_free_rcu);
}

/* It is in the table no more: give back what it holds. */
static void ferry_linger_leave(struct ferry_linger *linger)
{
	struct ferry_net *fn = linger->fn;

	ferry_port_leave(fn, linger->flow.key.lport, linger->share);
	atomic_dec(&fn->lingers);
}

/* Take it out of the table, which only one can. */
static bool ferry_linger_claim(struct ferry_linger *linger)
{
	if (!ferry_flow_remove(linger->fn, &linger->flow))
		return false;
	ferry_linger_leave(linger);
	return true;
}

/* It was claimed: drop the table's reference, and its timer's. */
static void ferry_linger_drop(struct ferry_linger *linger)
{
	bool waits;

	/* Its timer's function may run, and is not to set it again. */
	spin_lock_bh(&linger->lock);
	linger->dead = true;
	waits = timer_delete(&linger->timer);
	spin_unlock_bh(&linger->lock);
	if (waits)
		ferry_linger_put(linger);
	ferry_linger_put(linger);
}

/**
 * ferry_linger_end() - it is over
 * @fn: the namespace
 * @flow: the connection, of FERRY_FLOW_LINGER
 *
 * Context: any but hard irq, under RCU.
 */
void ferry_linger_end(struct ferry_net *fn, struct ferry_flow *flow)
{
	struct ferry_linger *linger = container_of(flow, struct ferry_linger,
						   flow);

	if (ferry_linger_claim(linger))
		ferry_linger_drop(linger);
}

/**
 * ferry_linger_take_over() - a new connection between the same two ends begins here
 * @fn: the namespace
 * @flow: the new connection, its key set, with the port
 *
 * It is safe because its numbers are above all that the old one had: see
 * ferry_listen_isn(). If the peer still waits for the last ACK, it hears of the
 * end by the RST that answers it in SYN_SENT.
 *
 * Context: process.
 * Return: whether it has taken the place of one in TIME_WAIT.
 */
bool ferry_linger_take_over(struct ferry_net *fn, struct ferry_flow *flow)
{
	struct ferry_flow *old;
	bool taken;

	local_bh_disable();
	rcu_read_lock();
	old = ferry_flow_between(fn, &flow->key);
	taken = old && old->kind == FERRY_FLOW_LINGER &&
		ferry_flow_replace(fn, old, flow);
	if (taken) {
		struct ferry_linger *linger;

		linger = container_of(old, struct ferry_linger, flow);
		ferry_linger_leave(linger);
		ferry_linger_drop(linger);
		ferry_stats_inc(fn, FERRY_STAT_TIME_WAIT_REUSED);
	}
	rcu_read_unlock();
	local_bh_enable();
	return taken;
}

static void ferry_linger_arm(struct ferry_linger *linger, u64 now)
{
	u64 left = linger->timewait.deadline - now;

	mod_timer(&linger->timer, jiffies + usecs_to_jiffies(left));
}

/* Softirq. Has the timer's reference. */
static void ferry_linger_expired(struct timer_list *timer)
{
	struct ferry_linger *linger = container_of(timer, struct ferry_linger,
						   timer);
	u64 now = ferry_stream_now();
	bool again;

	spin_lock(&linger->lock);
	again = !linger->dead && now < linger->timewait.deadline;
	if (again)
		ferry_linger_arm(linger, now);
	spin_unlock(&linger->lock);
	if (again)
		return;
	if (ferry_linger_claim(linger))
		ferry_linger_put(linger);
	ferry_linger_put(linger);
}

static struct ferry_linger *ferry_linger_alloc(struct ferry_net *fn)
{
	struct ferry_linger *linger = NULL;

	if (atomic_inc_return(&fn->lingers) <=
	    READ_ONCE(fn->set.max_tw_buckets))
		linger = kmem_cache_zalloc(ferry_linger_cache,
					   GFP_ATOMIC | __GFP_NOWARN);
	if (!linger) {
		atomic_dec(&fn->lingers);
		ferry_stats_inc(fn, FERRY_STAT_TIME_WAIT_OVERFLOWS);
	}
	return linger;
}

/**
 * ferry_linger_start() - what is left of a connection outlives its socket
 * @sk: the socket, its connection in FERRY_TIME_WAIT
 *
 * If there is no memory, or there are too many, nothing does: then a last ACK
 * that is lost is an RST for the peer.
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_linger_start(struct sock *sk)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_linger *linger;
	u64 now = ferry_stream_now();

	linger = ferry_linger_alloc(fn);
	if (!linger)
		return;
	linger->fn = fn;
	linger->class = ferry_class_of(sk);
	linger->flow.key = fy->flow.key;
	linger->flow.ifindex = fy->flow.ifindex;
	linger->flow.kind = FERRY_FLOW_LINGER;
	spin_lock_init(&linger->lock);
	linger->dead = false;
	refcount_set(&linger->refs, 2);
	timer_setup(&linger->timer, ferry_linger_expired, 0);
	ferry_timewait_init(&linger->timewait, &fy->conn, now);
	linger->share = ferry_port_hand_over(sk);

	ferry_stats_inc(fn, FERRY_STAT_TIME_WAITS);
	local_bh_disable();
	/* Armed before anybody can find it, who would take it to be. */
	ferry_linger_arm(linger, now);
	if (WARN_ON_ONCE(!ferry_flow_replace(fn, &fy->flow, &linger->flow))) {
		ferry_linger_leave(linger);
		ferry_linger_drop(linger);
	}
	local_bh_enable();
}

/**
 * ferry_linger_rcv() - a packet for a connection in TIME_WAIT
 * @fn: the namespace
 * @flow: the connection
 * @skb: the packet, its struct ferry_skb_cb filled in; consumed
 *
 * Context: softirq, under RCU.
 */
void ferry_linger_rcv(struct ferry_net *fn, struct ferry_flow *flow,
		      struct sk_buff *skb)
{
	struct ferry_linger *linger = container_of(flow, struct ferry_linger,
						   flow);
	enum ferry_timewait_verdict verdict;
	struct ferry_seg seg, ack;

	ferry_wire_read_seg(skb->data, &ferry_skb_cb(skb)->pkt, &seg);
	spin_lock(&linger->lock);
	verdict = ferry_timewait_in(&linger->timewait, &seg,
				    ferry_stream_now(), &ack);
	spin_unlock(&linger->lock);

	switch (verdict) {
	case FERRY_TIMEWAIT_REOPEN:
		ferry_linger_end(fn, flow);
		ferry_stats_inc(fn, FERRY_STAT_TIME_WAIT_REUSED);
		ferry_listen_rcv(fn, skb);
		return;
	case FERRY_TIMEWAIT_DEAD:
		ferry_linger_end(fn, flow);
		break;
	case FERRY_TIMEWAIT_ACK:
		ferry_output_stray(fn, &linger->class, flow, &ack);
		break;
	case FERRY_TIMEWAIT_IGNORE:
		break;
	}
	ferry_stats_inc(fn, FERRY_STAT_IN_SEGS);
	consume_skb(skb);
}

/**
 * ferry_linger_init() - make ready for TIME_WAIT
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_linger_init(void)
{
	/* Its timer and lock are larger where they are watched. */
	BUILD_BUG_ON(!IS_ENABLED(CONFIG_LOCKDEP) &&
		     !IS_ENABLED(CONFIG_DEBUG_SPINLOCK) &&
		     sizeof(struct ferry_linger) > 256);

	ferry_linger_cache = KMEM_CACHE(ferry_linger, 0);
	return ferry_linger_cache ? 0 : -ENOMEM;
}

/**
 * ferry_linger_exit() - undo ferry_linger_init()
 *
 * Context: process; all namespaces have gone.
 */
void ferry_linger_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(ferry_linger_cache);
}

/**
 * ferry_linger_net_init() - a namespace's connections in TIME_WAIT: none
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0.
 */
int ferry_linger_net_init(struct ferry_net *fn)
{
	atomic_set(&fn->lingers, 0);
	return 0;
}

static void ferry_linger_visit(struct ferry_flow *flow, void *data)
{
	struct ferry_linger *linger;

	if (WARN_ON_ONCE(flow->kind != FERRY_FLOW_LINGER))
		return;
	linger = container_of(flow, struct ferry_linger, flow);
	if (ferry_linger_claim(linger))
		ferry_linger_put(linger);
	/* The timer may be on its way to find it gone. */
	if (timer_delete_sync(&linger->timer))
		ferry_linger_put(linger);
}

/**
 * ferry_linger_net_exit() - undo ferry_linger_net_init()
 * @fn: the namespace; no socket is left in it, and no packet comes
 *
 * Context: process.
 */
void ferry_linger_net_exit(struct ferry_net *fn)
{
	while (atomic_read(&fn->lingers))
		ferry_flow_for_each(fn, ferry_linger_visit, fn);
}
