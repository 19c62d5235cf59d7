// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listeners: see listen.h.
 *
 * A SYN makes a request, which is small, and no more than net.ferry.max_syn_backlog
 * of them; or, when they are as many, nothing at all: the SYN-ACK's number is a
 * cookie then. The segment that completes the handshake makes the socket, which
 * waits on the accept queue, of at most the backlog. A full queue is never
 * answered by an RST: who connects tries again.
 */
#include <linux/filter.h>
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <net/sock_reuseport.h>

#include "cookie.h"
#include "listen.h"
#include "listen_cookie.h"
#include "memcg.h"
#include "output.h"
#include "port.h"
#include "request.h"
#include "stream.h"

/* A SYN-ACK waits twice as long each time, and no longer after so many. */
#define FERRY_LISTEN_LEVELS	8

/*
 * struct ferry_listener - what a socket has while it listens
 *
 * Made by listen(), found through its socket under RCU, freed after a grace period
 * when the socket stops. Its socket outlives it. @lock guards all but @sk.
 *
 * Requests that wait equally long are on a list in the order of their deadlines,
 * so that one timer serves them all and looks at the first of each.
 */
struct ferry_listener {
	struct sock		*sk;		/* const */
	spinlock_t		lock;		/* BH */
	struct list_head	level[FERRY_LISTEN_LEVELS];
	u32			requests;	/* on them */
	bool			stopped;
	struct hlist_head	ready;		/* by sk_bind_node, as they came */
	struct hlist_node	*last;		/* of them; NULL: there is none */
	struct timer_list	timer;
	u64			timer_at;	/* 0: not pending */
	u64			cookie_at;	/* when the last was sent, or 0 */
	struct rcu_head		rcu;
};

/*
 * struct ferry_listen_request - a connection in the making
 *
 * Made by a SYN. It is in the table of flows and on one of its listener's lists;
 * whoever takes it off the list, under the listener's lock, takes it out of the
 * table and frees it after a grace period: the segment that completes the
 * handshake or takes it back, the timer after the last SYN-ACK, or the listener
 * when it stops. @request's times and counts and @node are guarded by the listener's lock,
 * the rest is const.
 */
struct ferry_listen_request {
	struct ferry_flow	flow;
	struct ferry_request	request;
	struct ferry_listener	*listener;
	struct list_head	node;
	struct rcu_head		rcu;
};

static struct kmem_cache *ferry_request_cache;
static siphash_key_t ferry_listen_isn_key __read_mostly;

static struct ferry_listener *ferry_listener(const struct sock *sk)
{
	return rcu_dereference(ferry_stream(sk)->listener);
}

/**
 * ferry_listen_isn() - an initial sequence number
 * @key: the two ends
 * @now: the time
 *
 * Context: any.
 * Return: the number.
 */
u64 ferry_listen_isn(const struct ferry_flow_key *key, u64 now)
{
	const struct ferry_cookie_flow flow = {
		.saddr = key->laddr,
		.daddr = key->raddr,
		.sport = key->lport,
		.dport = key->rport,
	};

	net_get_random_once(&ferry_listen_isn_key, sizeof(ferry_listen_isn_key));
	return ferry_cookie_isn(&ferry_listen_isn_key, &flow, now);
}

/*
 * Requests
 */

static void ferry_listen_request_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ferry_request_cache,
			container_of(rcu, struct ferry_listen_request, rcu));
}

/* Off the list with it; false: another was first. Listener's lock. */
static bool ferry_listen_claim(struct ferry_listen_request *req)
{
	lockdep_assert_held(&req->listener->lock);
	/* Those of one that has stopped are for ferry_listen_stop(). */
	if (req->listener->stopped || list_empty(&req->node))
		return false;
	list_del_init(&req->node);
	req->listener->requests--;
	return true;
}

/* It was claimed: nobody is to find it any more. */
static void ferry_listen_forget(struct ferry_net *fn,
				struct ferry_listen_request *req)
{
	ferry_flow_remove(fn, &req->flow);
	call_rcu(&req->rcu, ferry_listen_request_free_rcu);
}

static void ferry_listen_arm(struct ferry_listener *l, u64 at, u64 now)
{
	lockdep_assert_held(&l->lock);
	if (l->stopped || (l->timer_at && l->timer_at <= at))
		return;
	l->timer_at = at;
	at = at > now ? at - now : 0;
	mod_timer(&l->timer, jiffies + usecs_to_jiffies(at));
}

/* Its deadline is set: behind those that have begun to wait before it. */
static void ferry_listen_await(struct ferry_listen_request *req, u64 now)
{
	struct ferry_listener *l = req->listener;
	unsigned int level = min(req->request.sends - 1,
				 FERRY_LISTEN_LEVELS - 1);

	list_move_tail(&req->node, &l->level[level]);
	ferry_listen_arm(l, req->request.deadline, now);
}

/* Its SYN-ACK is to be sent, first or again: what it says. Listener's lock. */
static void ferry_listen_answer(struct ferry_listen_request *req, u64 now,
				struct ferry_seg *seg)
{
	ferry_request_synack(&req->request, now, seg);
	ferry_listen_await(req, now);
}

/* It was claimed in vain: it is as it was, unless its listener has stopped. */
static void ferry_listen_unclaim(struct ferry_net *fn,
				 struct ferry_listen_request *req)
{
	struct ferry_listener *l = req->listener;
	u64 now = ferry_stream_now();
	bool stopped;

	spin_lock(&l->lock);
	stopped = l->stopped;
	if (!stopped) {
		l->requests++;
		ferry_request_wait(&req->request, now);
		ferry_listen_await(req, now);
	}
	spin_unlock(&l->lock);
	if (stopped)
		ferry_listen_forget(fn, req);
}

/* As the listener has it, so has what a connection is answered that is to be his. */
static void ferry_listen_send(const struct ferry_listener *l,
			      const struct ferry_flow *flow,
			      const struct ferry_seg *seg)
{
	const struct ferry_class class = ferry_class_of(l->sk);

	ferry_output_stray(ferry_net(sock_net(l->sk)), &class, flow, seg);
}

/* Those of a list whose time has come. Listener's lock. */
static void ferry_listen_expire(struct ferry_net *fn, struct list_head *list,
				u64 now)
{
	struct ferry_listen_request *req;
	struct ferry_seg seg;

	while ((req = list_first_entry_or_null(list,
					       struct ferry_listen_request,
					       node))) {
		if (req->request.deadline > now) {
			ferry_listen_arm(req->listener, req->request.deadline,
					 now);
			return;
		}
		if (ferry_request_expired(&req->request)) {
			ferry_listen_claim(req);
			ferry_listen_forget(fn, req);
			ferry_stats_inc(fn, FERRY_STAT_REQUEST_EXPIRED);
			continue;
		}
		if (ferry_request_pass(&req->request, now)) {
			ferry_listen_await(req, now);
			continue;
		}
		ferry_listen_answer(req, now, &seg);
		ferry_stats_inc(fn, FERRY_STAT_RETRANS);
		ferry_listen_send(req->listener, &req->flow, &seg);
	}
}

/* Softirq. */
static void ferry_listen_timer(struct timer_list *timer)
{
	struct ferry_listener *l = container_of(timer, struct ferry_listener,
						timer);
	struct ferry_net *fn = ferry_net(sock_net(l->sk));
	u64 now = ferry_stream_now();
	int i;

	spin_lock(&l->lock);
	l->timer_at = 0;
	/* From the last on: one that is put off is not to be looked at again. */
	for (i = FERRY_LISTEN_LEVELS - 1; i >= 0; i--)
		ferry_listen_expire(fn, &l->level[i], now);
	spin_unlock(&l->lock);
}

static void ferry_listen_cookie_flow(const struct ferry_flow_key *key,
				     struct ferry_cookie_flow *flow)
{
	*flow = (struct ferry_cookie_flow) {
		.saddr = key->raddr,
		.daddr = key->laddr,
		.sport = key->rport,
		.dport = key->lport,
	};
}

/* By which device a peer is answered: by any that leads there, on one host. */
static int ferry_listen_device(const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_LOOPBACK ? 0 : ferry_skb_cb(skb)->iif;
}

/* What a listener offers; false: there is no way back. Under RCU. */
static bool ferry_listen_offer(struct sock *sk, const struct ferry_flow *flow,
			       struct ferry_request_offer *offer)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_conn_setup setup;
	struct ferry_path path;

	if (ferry_link_route(fn, flow->key.laddr, flow->key.raddr,
			     flow->ifindex, &path) ||
	    ferry_stream_conn_setup(sk, &setup, &path))
		return false;
	*offer = (struct ferry_request_offer) {
		.window = setup.room,
		.mss = setup.mss,
		.code = setup.code,
		.retries = READ_ONCE(fn->set.synack_retries),
		.defer = READ_ONCE(ferry_stream(sk)->defer_accept),
	};
	return true;
}

/* Answer a SYN and remember it. False: there is no memory, or another was first. */
static bool ferry_listen_remember(struct ferry_listener *l,
				  const struct ferry_flow *flow,
				  const struct ferry_request *request, u64 now)
{
	struct ferry_net *fn = ferry_net(sock_net(l->sk));
	struct ferry_listen_request *req;
	struct ferry_seg seg;

	req = kmem_cache_alloc(ferry_request_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!req)
		return false;
	req->flow = *flow;
	req->request = *request;
	req->listener = l;
	INIT_LIST_HEAD(&req->node);

	spin_lock(&l->lock);
	if (l->stopped || ferry_flow_insert(fn, &req->flow)) {
		spin_unlock(&l->lock);
		kmem_cache_free(ferry_request_cache, req);
		return false;
	}
	l->requests++;
	ferry_listen_answer(req, now, &seg);
	spin_unlock(&l->lock);

	ferry_listen_send(l, flow, &seg);
	return true;
}

/* Answer a SYN by a cookie. */
static void ferry_listen_bake(struct ferry_listener *l,
			      const struct ferry_flow *flow,
			      struct ferry_request *request, u64 now)
{
	struct ferry_net *fn = ferry_net(sock_net(l->sk));
	const struct ferry_cookie_facts facts = {
		.mss = min_t(u32, request->peer_mss, U16_MAX),
		.code = request->peer_code,
	};
	struct ferry_cookie_flow cookie_flow;
	struct ferry_seg seg;

	ferry_listen_cookie_flow(&flow->key, &cookie_flow);
	request->iss = ferry_listen_cookie_make(&fn->cookies, &cookie_flow,
						request->irs, now, &facts);
	WRITE_ONCE(l->cookie_at, now);
	ferry_request_synack(request, now, &seg);
	ferry_stats_inc(fn, FERRY_STAT_COOKIES_SENT);
	ferry_listen_send(l, flow, &seg);
}

static bool ferry_listen_overflow(struct ferry_net *fn, const struct sock *sk)
{
	if (!sk_acceptq_is_full(sk))
		return false;
	ferry_stats_inc(fn, FERRY_STAT_LISTEN_OVERFLOWS);
	ferry_stats_inc(fn, FERRY_STAT_LISTEN_DROPS);
	return true;
}

/* A SYN, for a listener. Returns whether it was of use. */
static bool ferry_listen_syn(struct sock *sk, struct sk_buff *skb,
			     const struct ferry_seg *seg)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_listener *l = ferry_listener(sk);
	int cookies = READ_ONCE(fn->set.syncookies);
	struct ferry_request_offer offer;
	struct ferry_request request;
	u64 now = ferry_stream_now();
	struct ferry_flow flow = {
		.key = ferry_flow_key(skb),
		.kind = FERRY_FLOW_REQUEST,
		.ifindex = ferry_listen_device(skb),
	};
	bool full;

	if (!l || ferry_listen_overflow(fn, sk))
		return false;
	if (!ferry_listen_offer(sk, &flow, &offer))
		return false;
	offer.iss = ferry_listen_isn(&flow.key, now);
	if (!ferry_request_init(&request, seg, &offer)) {
		ferry_stream_stray(fn, skb, seg);
		return false;
	}
	full = READ_ONCE(l->requests) >= READ_ONCE(fn->set.max_syn_backlog);
	if (cookies > 1 || (cookies && full)) {
		ferry_listen_bake(l, &flow, &request, now);
		return true;
	}
	if (full || !ferry_listen_remember(l, &flow, &request, now)) {
		ferry_stats_inc(fn, FERRY_STAT_LISTEN_DROPS);
		return false;
	}
	return true;
}

/*
 * The socket of a connection
 */

/* Give up one that was just made, and that nobody has found. */
static void ferry_listen_unmake(struct sock *sk)
{
	ferry_stream(sk)->parent = NULL;
	ferry_stream_set_state(sk, TCP_CLOSE);
	sock_set_flag(sk, SOCK_DEAD);
	ferry_stream_destroy(sk);
	/* Taken by sk_clone_lock(), which does not say so. */
	__acquire(&sk->sk_lock.slock);
	bh_unlock_sock(sk);
	sock_put(sk);
}

/*
 * A socket for a connection whose handshake is over: locked, with a reference for
 * the caller, found by nobody yet; or NULL.
 */
static struct sock *ferry_listen_make(struct sock *parent,
				      const struct ferry_flow *flow,
				      const struct ferry_request *request,
				      u64 now)
{
	struct ferry_conn_setup setup;
	struct ferry_stream *fy;
	struct ferry_path path;
	struct sock *sk;
	u32 mss;

	if (ferry_link_route(ferry_net(sock_net(parent)), flow->key.laddr,
			     flow->key.raddr, flow->ifindex, &path) ||
	    ferry_stream_conn_setup(parent, &setup, &path))
		return NULL;
	sk = sk_clone_lock(parent, GFP_ATOMIC);
	if (!sk)
		return NULL;
	fy = ferry_stream(sk);
	ferry_stream_born(sk);
	fy->parent = parent;
	fy->flow.key = flow->key;
	fy->flow.ifindex = flow->ifindex;
	fy->fs.saddr = flow->key.laddr;
	ferry_stream_set_txhash(sk);
	ferry_stream_set_state(sk, TCP_SYN_RECV);
	if (!ferry_port_inherit(sk, parent)) {
		ferry_listen_unmake(sk);
		return NULL;
	}
	mss = setup.mss;
	setup.iss = request->iss;
	/* What was offered. */
	setup.mss = request->mss;
	setup.room = request->window;
	setup.code = request->code;
	ferry_conn_accept(&fy->conn, &setup, request, now);
	/* And the device may take less since. */
	if (unlikely(mss < setup.mss))
		ferry_conn_device(&fy->conn, mss, setup.batch, now);
	ferry_option_apply(sk);
	return sk;
}

/*
 * The accept queue. Under the listener's lock.
 */

static void ferry_listen_enqueue(struct ferry_listener *l, struct sock *sk)
{
	lockdep_assert_held(&l->lock);
	if (l->last)
		hlist_add_behind(&sk->sk_bind_node, l->last);
	else
		hlist_add_head(&sk->sk_bind_node, &l->ready);
	l->last = &sk->sk_bind_node;
}

/* The first of them, off their list; NULL: there is none. */
static struct sock *ferry_listen_unlink(struct hlist_head *ready)
{
	struct sock *sk;

	if (hlist_empty(ready))
		return NULL;
	sk = hlist_entry(ready->first, struct sock, sk_bind_node);
	hlist_del_init(&sk->sk_bind_node);
	return sk;
}

static struct sock *ferry_listen_dequeue(struct ferry_listener *l)
{
	struct sock *sk = ferry_listen_unlink(&l->ready);

	lockdep_assert_held(&l->lock);
	if (hlist_empty(&l->ready))
		l->last = NULL;
	return sk;
}

/**
 * ferry_listen_established() - a handshake is over: put it on the accept queue
 * @sk: the new socket
 *
 * If its listener has stopped meanwhile, the connection ends.
 *
 * Context: softirq, under the socket lock, under RCU.
 */
void ferry_listen_established(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct sock *parent = fy->parent;
	struct ferry_listener *l = ferry_listener(parent);
	bool queued = false;

	if (l) {
		spin_lock(&l->lock);
		if (!l->stopped) {
			ferry_listen_enqueue(l, sk);
			sk_acceptq_added(parent);
			queued = true;
		}
		spin_unlock(&l->lock);
	}
	if (!queued) {
		fy->parent = NULL;
		sock_set_flag(sk, SOCK_DEAD);
		ferry_conn_abort(&fy->conn);
		return;
	}
	ferry_stats_inc(ferry_net(sock_net(sk)), FERRY_STAT_PASSIVE_OPENS);
	parent->sk_data_ready(parent);
}

/* The socket is made; give it the segment that has completed the handshake. */
static void ferry_listen_hand_over(struct sock *sk, struct sk_buff *skb)
{
	ferry_stream_arrived(sk, skb);
	ferry_stream_do_rcv(sk, skb);
	/* Taken by sk_clone_lock(), which does not say so. */
	__acquire(&sk->sk_lock.slock);
	bh_unlock_sock(sk);
	sock_put(sk);
}

/* FERRY_DEFER_ACCEPT: is it to be as if the segment had not come? */
static bool ferry_listen_put_off(struct ferry_listen_request *req,
				 const struct ferry_seg *seg)
{
	bool put_off;

	if (likely(!req->request.defer))
		return false;
	spin_lock(&req->listener->lock);
	put_off = ferry_request_put_off(&req->request, seg);
	spin_unlock(&req->listener->lock);
	return put_off;
}

/* A segment completes a request's handshake. Returns whether it was taken. */
static bool ferry_listen_complete(struct ferry_net *fn,
				  struct ferry_listen_request *req,
				  struct sk_buff *skb,
				  const struct ferry_seg *seg)
{
	struct ferry_listener *l = req->listener;
	struct sock *parent = l->sk, *sk;
	bool claimed;

	if (ferry_listen_put_off(req, seg) || ferry_listen_overflow(fn, parent))
		return false;
	spin_lock(&l->lock);
	claimed = ferry_listen_claim(req);
	spin_unlock(&l->lock);
	if (!claimed)
		return false;

	sk = ferry_listen_make(parent, &req->flow, &req->request,
			       ferry_stream_now());
	if (!sk) {
		/*
		 * Who connects takes it to be established, and is asked again
		 * by another SYN-ACK. Then there may be memory.
		 */
		ferry_listen_unclaim(fn, req);
		ferry_stats_inc(fn, FERRY_STAT_LISTEN_DROPS);
		return false;
	}
	ferry_flow_replace(fn, &req->flow, &ferry_stream(sk)->flow);
	call_rcu(&req->rcu, ferry_listen_request_free_rcu);
	ferry_listen_hand_over(sk, skb);
	return true;
}

/**
 * ferry_listen_request_rcv() - a packet for a connection in the making
 * @fn: the namespace
 * @flow: the request
 * @skb: the packet, its struct ferry_skb_cb filled in; consumed
 *
 * Context: softirq, under RCU.
 */
void ferry_listen_request_rcv(struct ferry_net *fn, struct ferry_flow *flow,
			      struct sk_buff *skb)
{
	struct ferry_listen_request *req;
	struct ferry_listener *l;
	struct ferry_seg seg, answer;
	bool claimed;

	req = container_of(flow, struct ferry_listen_request, flow);
	l = req->listener;
	if (!ferry_port_on_device(fn, skb, flow->ifindex)) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_NO_CONN);
		return;
	}
	if (!ferry_stream_filter(l->sk, skb))
		return;
	ferry_wire_read_seg(skb->data, &ferry_skb_cb(skb)->pkt, &seg);
	switch (ferry_request_in(&req->request, &seg)) {
	case FERRY_REQUEST_ACCEPT:
		if (ferry_listen_complete(fn, req, skb, &seg))
			return;
		break;
	case FERRY_REQUEST_SYNACK:
		spin_lock(&l->lock);
		claimed = l->stopped || list_empty(&req->node);
		if (!claimed)
			ferry_listen_answer(req, ferry_stream_now(), &answer);
		spin_unlock(&l->lock);
		if (!claimed)
			ferry_listen_send(l, flow, &answer);
		break;
	case FERRY_REQUEST_STRAY:
		ferry_stream_stray(fn, skb, &seg);
		break;
	case FERRY_REQUEST_DEAD:
		spin_lock(&l->lock);
		claimed = ferry_listen_claim(req);
		spin_unlock(&l->lock);
		if (claimed)
			ferry_listen_forget(fn, req);
		break;
	case FERRY_REQUEST_IGNORE:
		break;
	}
	ferry_stats_drop(fn, skb, FERRY_STAT_IN_REQUEST);
}

/*
 * Were cookies sent of late, so that one may come back? Another CPU may have sent one
 * since @now.
 */
static bool ferry_listen_expects_cookie(const struct ferry_net *fn,
					const struct ferry_listener *l, u64 now)
{
	u64 at = READ_ONCE(l->cookie_at);

	return READ_ONCE(fn->set.syncookies) && at &&
	       (s64)(now - at) <
	       (s64)(FERRY_LISTEN_COOKIE_MINUTES * 60 * USEC_PER_SEC);
}

/* A segment that may bring a cookie back. Returns whether it was taken. */
static bool ferry_listen_taste(struct sock *parent, struct sk_buff *skb,
			       const struct ferry_seg *seg)
{
	struct ferry_net *fn = ferry_net(sock_net(parent));
	struct ferry_listener *l = ferry_listener(parent);
	struct ferry_cookie_flow cookie_flow;
	struct ferry_request_offer offer;
	struct ferry_cookie_facts facts;
	struct ferry_request request;
	u64 now = ferry_stream_now();
	struct ferry_flow flow = {
		.key = ferry_flow_key(skb),
		.ifindex = ferry_listen_device(skb),
	};
	struct sock *sk;

	if (!l || !ferry_listen_expects_cookie(fn, l, now)) {
		ferry_stream_stray(fn, skb, seg);
		return false;
	}
	ferry_listen_cookie_flow(&flow.key, &cookie_flow);
	/*
	 * No RST: it may be the second of two segments that have changed their
	 * places, and the first has the cookie.
	 */
	if (!ferry_listen_cookie_check(&fn->cookies, &cookie_flow,
				       seg->seq - 1, seg->ack - 1, now,
				       &facts)) {
		ferry_stats_inc(fn, FERRY_STAT_COOKIES_FAILED);
		return false;
	}
	ferry_stats_inc(fn, FERRY_STAT_COOKIES_RECV);
	if (ferry_listen_overflow(fn, parent) ||
	    !ferry_listen_offer(parent, &flow, &offer))
		return false;
	ferry_request_recall(&request, seg, facts.mss, facts.code, &offer);
	sk = ferry_listen_make(parent, &flow, &request, now);
	if (!sk) {
		ferry_stats_inc(fn, FERRY_STAT_LISTEN_DROPS);
		return false;
	}
	if (ferry_flow_insert(fn, &ferry_stream(sk)->flow)) {
		/* Another CPU was first. */
		ferry_listen_unmake(sk);
		return false;
	}
	ferry_listen_hand_over(sk, skb);
	return true;
}

/**
 * ferry_listen_rcv() - a packet for no connection that there is
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in; consumed
 *
 * Context: softirq, under RCU.
 */
void ferry_listen_rcv(struct ferry_net *fn, struct sk_buff *skb)
{
	struct sock *sk = ferry_port_listener(fn, skb);
	struct ferry_seg seg;
	bool used = false;

	if (sk && !ferry_stream_filter(sk, skb))
		return;
	ferry_wire_read_seg(skb->data, &ferry_skb_cb(skb)->pkt, &seg);
	if (!sk) {
		ferry_stream_stray(fn, skb, &seg);
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_NO_CONN);
		return;
	}
	switch (seg.kind) {
	case FERRY_KIND_SYN:
		used = ferry_listen_syn(sk, skb, &seg);
		break;
	case FERRY_KIND_DATA:
		if (ferry_listen_taste(sk, skb, &seg))
			return;
		break;
	default:
		ferry_stream_stray(fn, skb, &seg);
	}
	if (used) {
		ferry_stats_inc(fn, FERRY_STAT_IN_SEGS);
		consume_skb(skb);
	} else {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_REQUEST);
	}
}

/*
 * The calls
 */

static int ferry_listen_start(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_listener *l;
	int i, err;

	err = ferry_socket_autobind(sk);
	if (err)
		return err == -EAGAIN ? -EADDRINUSE : err;
	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return -ENOBUFS;
	l->sk = sk;
	spin_lock_init(&l->lock);
	for (i = 0; i < FERRY_LISTEN_LEVELS; i++)
		INIT_LIST_HEAD(&l->level[i]);
	timer_setup(&l->timer, ferry_listen_timer, 0);

	sk->sk_ack_backlog = 0;
	rcu_assign_pointer(fy->listener, l);
	ferry_stream_set_state(sk, TCP_LISTEN);
	err = ferry_port_listen(sk);
	if (err)
		ferry_listen_stop(sk);
	return err;
}

/*
 * How a connection of the socket's ended before is nothing to poll() and accept(), as
 * with TCP; SO_ERROR tells it still.
 */
static void ferry_listen_lay_by_error(struct sock *sk)
{
	int err = sock_error(sk);

	if (err)
		WRITE_ONCE(sk->sk_err_soft, -err);
}

/**
 * ferry_listen_listen() - listen(2)
 * @sock: the socket
 * @backlog: how many may wait to be accepted; clamped by net.core.somaxconn
 *
 * Context: process.
 * Return: 0; -EINVAL if it is connected; -EADDRINUSE, -ENOBUFS.
 */
int ferry_listen_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = -EINVAL;

	lock_sock(sk);
	if (sock->state != SS_UNCONNECTED ||
	    (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN))
		goto unlock;
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	err = 0;
	if (sk->sk_state != TCP_LISTEN) {
		ferry_listen_lay_by_error(sk);
		err = ferry_listen_start(sk);
	}
unlock:
	release_sock(sk);
	return err;
}

/* Tell those who have been answered that there is nobody any more. */
static void ferry_listen_drop_requests(struct sock *sk, struct list_head *list)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_listen_request *req;
	struct ferry_seg rst;

	while ((req = list_first_entry_or_null(list,
					       struct ferry_listen_request,
					       node))) {
		rst = (struct ferry_seg) {
			.kind = FERRY_KIND_RST,
			.seq = req->request.iss + 1,
			.ack = req->request.irs + 1,
		};
		list_del_init(&req->node);
		ferry_listen_send(req->listener, &req->flow, &rst);
		ferry_listen_forget(fn, req);
		cond_resched();
	}
}

static void ferry_listen_drop_ready(struct hlist_head *ready)
{
	struct sock *sk;

	while ((sk = ferry_listen_unlink(ready))) {
		sock_hold(sk);
		lock_sock_nested(sk, SINGLE_DEPTH_NESTING);
		ferry_stream(sk)->parent = NULL;
		sock_orphan(sk);
		if (sk->sk_state == TCP_CLOSE)
			ferry_stream_destroy(sk);
		else
			ferry_stream_abort(sk);
		release_sock(sk);
		sock_put(sk);
		cond_resched();
	}
}

/**
 * ferry_listen_stop() - listen no more
 * @sk: the socket, in TCP_LISTEN
 *
 * Whoever waits in one of its queues is reset.
 *
 * Context: process, under the socket lock.
 */
void ferry_listen_stop(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_listener *l;
	LIST_HEAD(requests);
	HLIST_HEAD(ready);
	int i;

	ferry_stream_set_state(sk, TCP_CLOSE);
	l = rcu_dereference_protected(fy->listener, lockdep_sock_is_held(sk));
	spin_lock_bh(&l->lock);
	l->stopped = true;
	for (i = 0; i < FERRY_LISTEN_LEVELS; i++)
		list_splice_tail_init(&l->level[i], &requests);
	l->requests = 0;
	hlist_move_list(&l->ready, &ready);
	spin_unlock_bh(&l->lock);
	timer_delete_sync(&l->timer);

	if (rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
	ferry_listen_drop_requests(sk, &requests);
	ferry_listen_drop_ready(&ready);
	WRITE_ONCE(sk->sk_ack_backlog, 0);
	RCU_INIT_POINTER(fy->listener, NULL);
	kfree_rcu(l, rcu);
}

/**
 * ferry_listen_ready() - whether accept(2) would find one
 * @sk: the socket, in TCP_LISTEN
 *
 * Context: any; as of a moment.
 * Return: whether it would.
 */
bool ferry_listen_ready(const struct sock *sk)
{
	return READ_ONCE(sk->sk_ack_backlog);
}

/* One that sleeps is woken for each that comes: exclusively. */
static int ferry_listen_wait(struct sock *sk, long timeo)
{
	DEFINE_WAIT(wait);
	int err;

	for (;;) {
		prepare_to_wait_exclusive(sk_sleep(sk), &wait,
					  TASK_INTERRUPTIBLE);
		release_sock(sk);
		if (!ferry_listen_ready(sk))
			timeo = schedule_timeout(timeo);
		sched_annotate_sleep();
		lock_sock(sk);
		err = 0;
		if (ferry_listen_ready(sk))
			break;
		err = -EINVAL;
		if (sk->sk_state != TCP_LISTEN)
			break;
		err = sock_error(sk);
		if (err)
			break;
		err = sock_intr_errno(timeo);
		if (signal_pending(current))
			break;
		err = -EAGAIN;
		if (!timeo)
			break;
	}
	finish_wait(sk_sleep(sk), &wait);
	return err;
}

/* The first that waits, or NULL. */
static struct sock *ferry_listen_pop(struct sock *sk)
{
	struct ferry_listener *l;
	struct sock *first;

	l = rcu_dereference_protected(ferry_stream(sk)->listener,
				      lockdep_sock_is_held(sk));
	spin_lock_bh(&l->lock);
	first = ferry_listen_dequeue(l);
	if (first)
		sk_acceptq_removed(sk);
	spin_unlock_bh(&l->lock);
	return first;
}

static struct sock *ferry_listen_take(struct sock *sk, int flags, int *err)
{
	long timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK);
	struct sock *new = NULL;

	*err = -EINVAL;
	if (sk->sk_state != TCP_LISTEN)
		return NULL;
	*err = sock_error(sk);
	if (*err)
		return NULL;
	while (!*err && !(new = ferry_listen_pop(sk)))
		*err = timeo ? ferry_listen_wait(sk, timeo) : -EAGAIN;
	return new;
}

/**
 * ferry_listen_accept() - accept(2)
 * @sock: the listener
 * @newsock: where to put the connection
 * @flags: O_NONBLOCK
 * @empty: set to whether none waits after this one; may be NULL
 *
 * Context: process.
 * Return: 0; -EINVAL if it does not listen; -EAGAIN, -EINTR, -ERESTARTSYS.
 */
int ferry_listen_accept(struct socket *sock, struct socket *newsock,
			int flags, int *empty)
{
	struct sock *sk = sock->sk, *new;
	int err;

	lock_sock(sk);
	new = ferry_listen_take(sk, flags, &err);
	if (new && empty)
		*empty = !ferry_listen_ready(sk);
	release_sock(sk);
	if (!new)
		return err;

	lock_sock_nested(new, SINGLE_DEPTH_NESTING);
	ferry_stream(new)->parent = NULL;
	ferry_memcg_accept(new);
	sock_graft(new, newsock);
	ferry_sock_take_options(newsock);
	if (test_bit(SOCK_SUPPORT_ZC, &sock->flags))
		set_bit(SOCK_SUPPORT_ZC, &newsock->flags);
	newsock->state = SS_CONNECTED;
	release_sock(new);
	return 0;
}

/**
 * ferry_listen_net_init() - a namespace's secrets
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0.
 */
int ferry_listen_net_init(struct ferry_net *fn)
{
	ferry_listen_cookie_init(&fn->cookies);
	return 0;
}

/**
 * ferry_listen_init() - make ready to listen
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_listen_init(void)
{
	BUILD_BUG_ON(sizeof(struct ferry_listen_request) > 256);

	ferry_request_cache = KMEM_CACHE(ferry_listen_request, 0);
	return ferry_request_cache ? 0 : -ENOMEM;
}

/**
 * ferry_listen_exit() - undo ferry_listen_init()
 *
 * Context: process; no socket is left.
 */
void ferry_listen_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(ferry_request_cache);
}
