// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments arrive, and time passes. See stream.h.
 */
#include <linux/filter.h>
#include <net/busy_poll.h>

#include "addr.h"
#include "limit.h"
#include "linger.h"
#include "listen.h"
#include "output.h"
#include "stream.h"

static enum ferry_stat ferry_stream_drop_stat(u8 drop)
{
	static const enum ferry_stat stats[] = {
		[FERRY_DROP_NONE] = FERRY_STAT_IN_SEGS,
		[FERRY_DROP_WINDOW] = FERRY_STAT_IN_WINDOW,
		[FERRY_DROP_DUPLICATE] = FERRY_STAT_IN_DUPLICATE,
		[FERRY_DROP_STATE] = FERRY_STAT_IN_STATE,
		[FERRY_DROP_ACK] = FERRY_STAT_IN_ACK,
		[FERRY_DROP_RESET] = FERRY_STAT_IN_RESET,
		[FERRY_DROP_RECORD] = FERRY_STAT_IN_RECORD,
		[FERRY_DROP_ROOM] = FERRY_STAT_IN_ROOM,
		[FERRY_DROP_CLOSED] = FERRY_STAT_IN_CLOSED,
	};

	return stats[drop];
}

/**
 * ferry_stream_stray() - answer a segment that no connection takes
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in; not consumed
 * @seg: what it says
 *
 * Context: softirq or process, under RCU.
 */
void ferry_stream_stray(struct ferry_net *fn, const struct sk_buff *skb,
			const struct ferry_seg *seg)
{
	const struct ferry_flow flow = {
		.key = ferry_flow_key(skb),
		.ifindex = ferry_skb_cb(skb)->iif,
	};
	const struct ferry_class class = { };
	struct ferry_seg rst;

	if (!ferry_conn_stray(seg, &rst))
		return;
	if (!ferry_limit_allows_unreach(fn, skb))
		return;
	ferry_output_stray(fn, &class, &flow, &rst);
}

/*
 * The send buffer is to hold a window in flight and another one in wait, and be the
 * window ten segments, as TCP takes it to be at least. Who sets SO_SNDBUF decides.
 */
static void ferry_stream_widen(struct sock *sk)
{
	const struct ferry_net *fn = ferry_net(sock_net(sk));
	const struct ferry_conn *conn = &ferry_stream(sk)->conn;
	u32 want;

	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK || sk_under_memory_pressure(sk))
		return;
	want = min_t(u64, 2ULL * max(ferry_conn_cwnd(conn), 10 * conn->mss),
		     READ_ONCE(fn->set.wmem[2]));
	if (want > sk->sk_sndbuf)
		WRITE_ONCE(sk->sk_sndbuf, want);
}

static void ferry_stream_established(struct sock *sk, u64 now)
{
	struct ferry_stream *fy = ferry_stream(sk);

	ferry_stream_widen(sk);
	if (sock_flag(sk, SOCK_KEEPOPEN))
		ferry_option_keepalive(sk, 1);
	if (fy->parent) {
		ferry_listen_established(sk);
		return;
	}
	sk->sk_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT);
}

/* Some of what was sent has arrived: there may be room to write. */
static void ferry_stream_acked(struct sock *sk)
{
	ferry_stream_free_acked(sk);
	ferry_stream_widen(sk);
	if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		sk->sk_write_space(sk);
}

static void ferry_stream_fin(struct sock *sk)
{
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
	if (sock_flag(sk, SOCK_DEAD))
		return;
	sk->sk_state_change(sk);
	if (sk->sk_shutdown == SHUTDOWN_MASK || sk->sk_state == TCP_CLOSE)
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP);
	else
		sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN);
}

/* Tell who reads, if there is enough for him. */
static void ferry_stream_data_ready(struct sock *sk)
{
	if (ferry_stream_ready(sk))
		sk->sk_data_ready(sk);
	else
		ferry_conn_wanted(&ferry_stream(sk)->conn);
}

/* What is found out about the path is for the counters alone. */
static void ferry_stream_path(struct sock *sk, u32 events)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));

	if (events & FERRY_EVENT_BLACK_HOLE)
		ferry_stats_inc(fn, FERRY_STAT_MTU_BLACK_HOLES);
	if (events & FERRY_EVENT_PROBE_LOST)
		ferry_stats_inc(fn, FERRY_STAT_MTU_PROBE_FAILS);
}

/*
 * What the engine says has happened: make it true of the socket, and tell. An end
 * is told by ferry_stream_done(), after the last segment was sent.
 */
static void ferry_stream_happened(struct sock *sk, u32 events, u64 now)
{
	struct ferry_conn *conn = &ferry_stream(sk)->conn;

	/* The end is the last that who sleeps is to see. */
	if (conn->state != FERRY_CLOSED && conn->state != FERRY_TIME_WAIT &&
	    sk->sk_state != conn->state)
		ferry_stream_set_state(sk, conn->state);
	if (events & FERRY_EVENT_ESTABLISHED)
		ferry_stream_established(sk, now);
	if (events & FERRY_EVENT_ACKED)
		ferry_stream_acked(sk);
	if (events & FERRY_EVENT_READABLE)
		ferry_stream_data_ready(sk);
	if (events & FERRY_EVENT_FIN)
		ferry_stream_fin(sk);
	else if (events & FERRY_EVENT_ACKED && conn->state == FERRY_FIN_WAIT2 &&
		 !sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);	/* who lingers may go on */
	if (unlikely(events & (FERRY_EVENT_BLACK_HOLE | FERRY_EVENT_PROBE_LOST)))
		ferry_stream_path(sk, events);
}

/*
 * shutdown(2) came before the handshake's end: the FIN is sent now. For want of
 * memory it waits for close(2).
 */
static void ferry_stream_finish_late(struct sock *sk)
{
	struct ferry_conn *conn = &ferry_stream(sk)->conn;

	if (sk->sk_shutdown & SEND_SHUTDOWN && ferry_conn_may_send(conn) &&
	    ferry_stream_queue_fin(sk, GFP_ATOMIC | __GFP_NOWARN))
		ferry_stream_set_state(sk, conn->state);
}

/* A segment for a socket that has a connection, under its lock. */
static void ferry_stream_segment(struct sock *sk, struct sk_buff *skb, u64 now)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_result result;
	struct ferry_seg seg;
	bool answered;

	ferry_wire_read_seg(skb->data, &cb->pkt, &seg);
	answered = fy->conn.state == FERRY_SYN_RECV;
	if (seg.len && !ferry_stream_may_take(sk, skb, &seg)) {
		if (!answered) {
			ferry_stats_drop(fn, skb, FERRY_STAT_IN_RCVBUF);
			return;
		}
		/* A handshake ends all the same; the bytes will come again. */
		ferry_stats_inc(fn, FERRY_STAT_IN_RCVBUF);
		seg.len = 0;
		seg.flags &= ~(FERRY_F_EOR | FERRY_F_FIN);
	}
	/* From here on the peer's bytes count. */
	if (answered)
		fy->read = fy->conn.rcv_nxt;
	ferry_conn_in(&fy->conn, &seg, now, &result);
	if (sk->sk_state == TCP_SYN_SENT)
		fy->read = fy->conn.rcv_nxt;
	if (result.events & FERRY_EVENT_STRAY) {
		rcu_read_lock();
		ferry_stream_stray(fn, skb, &seg);
		rcu_read_unlock();
	}
	ferry_stats_inc(fn, ferry_stream_drop_stat(result.drop));
	if (result.events & FERRY_EVENT_DATA) {
		__skb_pull(skb, cb->pkt.hlen);
		ferry_stream_take_in(sk, skb, &result.piece);
	} else if (result.drop == FERRY_DROP_NONE) {
		consume_skb(skb);
	} else {
		kfree_skb(skb);
	}
	if (result.events & FERRY_EVENT_READABLE)
		ferry_stream_take_ahead(sk);
	/* Who asks may wait for room that SO_RCVBUF has made. */
	if (result.events & (FERRY_EVENT_DATA | FERRY_EVENT_READABLE) ||
	    seg.flags & FERRY_F_ASK)
		ferry_stream_room(sk);
	ferry_stream_happened(sk, result.events, now);
	if (answered && result.events & FERRY_EVENT_ESTABLISHED)
		ferry_stream_finish_late(sk);
	ferry_stream_push(sk, now);
}

/* Which card's queue to poll when busy: the short way's segments do not tell. */
static void ferry_stream_mark_napi(struct sock *sk, const struct sk_buff *skb)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	if (skb->napi_id)
		sk_mark_napi_id(sk, skb);
#endif
}

/**
 * ferry_stream_do_rcv() - a segment for a socket, or from its backlog
 * @sk: the socket
 * @skb: the packet; consumed
 *
 * Context: softirq or process, under the socket lock.
 * Return: 0.
 */
int ferry_stream_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	if (unlikely(sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)) {
		ferry_stats_drop(ferry_net(sock_net(sk)), skb,
				 FERRY_STAT_IN_CLOSED);
		return 0;
	}
	ferry_stream_mark_napi(sk, skb);
	ferry_stream_segment(sk, skb, ferry_stream_now());
	return 0;
}

/**
 * ferry_stream_filter() - show a segment to a socket's filter
 * @sk: the socket, or its listener
 * @skb: the segment, its struct ferry_skb_cb filled in; consumed if it may not pass
 *
 * The filter sees the header, and cannot cut into it. What it has cut off does not
 * arrive, nor what was to come after it: what was read of the packet is to be read
 * anew.
 *
 * Context: softirq, under RCU; the socket lock need not be held.
 * Return: whether it may pass.
 */
bool ferry_stream_filter(struct sock *sk, struct sk_buff *skb)
{
	struct ferry_packet *pkt = &ferry_skb_cb(skb)->pkt;
	struct ferry_hdr *hdr;

	if (sk_filter_trim_cap(sk, skb, pkt->hlen)) {
		ferry_sk_drops_inc(sk);
		ferry_stats_drop(ferry_net(sock_net(sk)), skb,
				 FERRY_STAT_IN_FILTER);
		return false;
	}
	if (likely(skb->len == pkt->hlen + pkt->len))
		return true;
	pkt->len = skb->len - pkt->hlen;
	hdr = (struct ferry_hdr *)skb->data;
	hdr->flags &= ~(FERRY_F_EOR | FERRY_F_FIN);
	return true;
}

/**
 * ferry_stream_arrived() - a segment has come to its socket, and leaves its device
 * @sk: the socket
 * @skb: the segment
 *
 * Context: softirq, under RCU; the socket lock need not be held.
 */
void ferry_stream_arrived(const struct sock *sk, struct sk_buff *skb)
{
	/* What no device has stamped. */
	if (READ_ONCE(sk->sk_flags) & SK_FLAGS_TIMESTAMP && !skb->tstamp)
		__net_timestamp(skb);
	/* It may wait for long: hold nothing that others wait for, nor its sender. */
	skb_orphan(skb);
	skb->dev = NULL;
	nf_reset_ct(skb);
}

static void ferry_stream_deliver(struct ferry_net *fn, struct sock *sk,
				 struct sk_buff *skb)
{
	if (!ferry_port_on_device(fn, skb,
				  READ_ONCE(ferry_stream(sk)->flow.ifindex))) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_NO_CONN);
		return;
	}
	if (!ferry_stream_filter(sk, skb))
		return;
	ferry_stream_arrived(sk, skb);
	sk_incoming_cpu_update(sk);

	bh_lock_sock_nested(sk);
	if (!sock_owned_by_user(sk)) {
		ferry_stream_do_rcv(sk, skb);
	} else if (!ferry_stream_backlog(sk, skb)) {
		ferry_sk_drops_inc(sk);
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_BACKLOG);
	}
	bh_unlock_sock(sk);
}

/**
 * ferry_stream_rcv() - a connection's packet comes up
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in; consumed
 *
 * Context: softirq, under RCU.
 */
void ferry_stream_rcv(struct ferry_net *fn, struct sk_buff *skb)
{
	struct ferry_flow *flow;

	/* Connections are between two. */
	if (ferry_addr_is_multicast(ferry_skb_cb(skb)->daddr)) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_GROUP);
		return;
	}
	flow = ferry_flow_find(fn, skb);
	if (!flow) {
		ferry_listen_rcv(fn, skb);
		return;
	}
	switch (flow->kind) {
	case FERRY_FLOW_STREAM:
		ferry_stream_deliver(fn, &container_of(flow, struct ferry_stream,
						       flow)->fs.sk, skb);
		break;
	case FERRY_FLOW_REQUEST:
		ferry_listen_request_rcv(fn, flow, skb);
		break;
	case FERRY_FLOW_LINGER:
		ferry_linger_rcv(fn, flow, skb);
		break;
	}
}

/* The timer has expired, and the socket is not in use. */
static void ferry_stream_expired(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	u64 now = ferry_stream_now();
	struct ferry_result result;

	/* It may have been the other one. */
	if (!timer_pending(&sk->sk_timer))
		fy->timer_at = 0;
	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	if (fy->held && fy->out->cork_at && now >= fy->out->cork_at)
		ferry_stream_uncork(sk);
	if (fy->conn.ack_at && now >= fy->conn.ack_at)
		ferry_stats_inc(ferry_net(sock_net(sk)),
				FERRY_STAT_DELAYED_ACKS);
	ferry_conn_timer(&fy->conn, now, &result);
	ferry_stream_happened(sk, result.events, now);
	ferry_stream_push(sk, now);
}

/* A timer has expired. Drops its reference. */
static void ferry_stream_timer_fires(struct sock *sk)
{
	bh_lock_sock(sk);
	if (!sock_owned_by_user(sk))
		ferry_stream_expired(sk);
	else
		set_bit(FERRY_DEFERRED_TIMER, &sk->sk_tsq_flags);
	bh_unlock_sock(sk);
	sock_put(sk);
}

/**
 * ferry_stream_timer() - sk_timer's function
 * @timer: sk_timer; holds a reference on its socket
 *
 * Context: softirq.
 */
void ferry_stream_timer(struct timer_list *timer)
{
	ferry_stream_timer_fires(container_of(timer, struct sock, sk_timer));
}

/**
 * ferry_stream_fine_timer() - as ferry_stream_timer(), to the microsecond
 * @timer: struct ferry_stream_out's; holds a reference on its socket
 *
 * Context: softirq.
 * Return: HRTIMER_NORESTART.
 */
enum hrtimer_restart ferry_stream_fine_timer(struct hrtimer *timer)
{
	ferry_stream_timer_fires(container_of(timer, struct ferry_stream_out,
					      fine)->sk);
	return HRTIMER_NORESTART;
}

/*
 * What it went through is gone: it ends without a word. If it is only the address,
 * the last word is a reset, to both ends.
 */
static void ferry_stream_lose(struct sock *sk, int err)
{
	struct ferry_conn *conn = &ferry_stream(sk)->conn;

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	ferry_conn_abort(conn);
	if (err == -EADDRNOTAVAIL) {
		conn->error = -ECONNRESET;
		ferry_stream_push(sk, ferry_stream_now());
		return;
	}
	conn->pending = 0;
	conn->error = err;
	ferry_stream_done(sk);
}

/* Its device takes more, or less, than before, or does not send for it any more. */
static void ferry_stream_reroute(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	const struct ferry_flow *flow = &fy->flow;
	u64 now = ferry_stream_now();
	struct ferry_conn_setup setup;
	struct ferry_path path;
	int err;

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	rcu_read_lock();
	err = ferry_link_route(ferry_net(sock_net(sk)), flow->key.laddr,
			       flow->key.raddr, flow->ifindex, &path);
	if (!err)
		err = ferry_stream_conn_setup(sk, &setup, &path);
	rcu_read_unlock();
	if (err == -EADDRNOTAVAIL)
		ferry_stream_lose(sk, err);
	/* Too narrow for any segment: it waits, as if it were down. */
	if (err)
		return;
	ferry_conn_device(&fy->conn, setup.mss, setup.batch, now);
	ferry_stream_push(sk, now);
}

/**
 * ferry_stream_release_cb() - what came while a call had the socket
 * @sk: the socket
 *
 * Context: process, from release_sock().
 */
void ferry_stream_release_cb(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);

	if (likely(!READ_ONCE(sk->sk_tsq_flags)))
		return;
	if (test_and_clear_bit(FERRY_DEFERRED_TIMER, &sk->sk_tsq_flags))
		ferry_stream_expired(sk);
	if (test_and_clear_bit(FERRY_DEFERRED_REROUTE, &sk->sk_tsq_flags))
		ferry_stream_reroute(sk);
	if (test_and_clear_bit(FERRY_DEFERRED_LOST, &sk->sk_tsq_flags))
		ferry_stream_lose(sk, -READ_ONCE(fy->lost_err));
}

/*
 * struct ferry_stream_loss - a device that was lost
 */
struct ferry_stream_loss {
	struct ferry_net	*fn;
	u64			addr;
	int			ifindex;
	int			err;
};

/* A device that is down may come up again; one that is gone does not. */
static bool ferry_stream_depends(const struct ferry_stream *fy,
				 const struct ferry_stream_loss *loss)
{
	if (loss->err == -ENETDOWN &&
	    READ_ONCE(fy->fs.sk.sk_state) != TCP_SYN_SENT)
		return false;
	if (loss->err != -EADDRNOTAVAIL &&
	    READ_ONCE(fy->flow.ifindex) == loss->ifindex)
		return true;
	return fy->flow.key.laddr == loss->addr &&
	       ferry_link_owns(loss->fn, loss->ifindex, loss->addr);
}

/*
 * Lock a socket that an event has come upon. Return: whether it is free; whoever has it
 * sees to what is deferred when he lets it go.
 */
static bool ferry_stream_visit(struct sock *sk)
	__acquires(&sk->sk_lock.slock)
{
	local_bh_disable();
	bh_lock_sock(sk);
	return !sock_owned_by_user(sk);
}

static void ferry_stream_leave(struct sock *sk)
	__releases(&sk->sk_lock.slock)
{
	bh_unlock_sock(sk);
	local_bh_enable();
}

static void ferry_stream_visit_lost(struct ferry_flow *flow, void *data)
{
	const struct ferry_stream_loss *loss = data;
	struct ferry_stream *fy;
	struct sock *sk;

	if (flow->kind != FERRY_FLOW_STREAM)
		return;
	fy = container_of(flow, struct ferry_stream, flow);
	if (!ferry_stream_depends(fy, loss))
		return;
	sk = &fy->fs.sk;
	if (ferry_stream_visit(sk)) {
		ferry_stream_lose(sk, loss->err);
	} else {
		WRITE_ONCE(fy->lost_err, -loss->err);
		set_bit(FERRY_DEFERRED_LOST, &sk->sk_tsq_flags);
	}
	ferry_stream_leave(sk);
}

/**
 * ferry_stream_lost() - end the connections that depend on a device
 * @fn: the namespace
 * @ifindex: the device
 * @addr: its address
 * @err: -ENETDOWN: it is down, and who is connecting fails; -ENODEV: it is gone,
 *	and all connections end; -EADDRNOTAVAIL: it has another address, and those
 *	that have the old one are reset
 *
 * Context: process, may sleep.
 */
void ferry_stream_lost(struct ferry_net *fn, int ifindex, u64 addr, int err)
{
	struct ferry_stream_loss loss = {
		.fn = fn,
		.addr = addr,
		.ifindex = ifindex,
		.err = err,
	};

	ferry_flow_for_each(fn, ferry_stream_visit_lost, &loss);
}

/**
 * ferry_stream_forget() - end a connection that nobody has any more
 * @fn: the namespace
 * @key: its ends
 *
 * As with Linux TCP, which has a TIME_WAIT by then: where close(2) was called and the
 * peer has all there was, what is waited for is his FIN alone, and his to keep. He
 * hears of it by the reset that answers what he sends next.
 *
 * Context: process; no lock that ends a connection takes may be held.
 * Return: whether there was one.
 */
bool ferry_stream_forget(struct ferry_net *fn, const struct ferry_flow_key *key)
{
	struct ferry_flow *flow;
	bool over = false;
	struct sock *sk;

	rcu_read_lock();
	flow = ferry_flow_between(fn, key);
	if (flow && flow->kind == FERRY_FLOW_STREAM) {
		sk = &container_of(flow, struct ferry_stream, flow)->fs.sk;
		over = ferry_stream_visit(sk) && sock_flag(sk, SOCK_DEAD) &&
		       sk->sk_state == TCP_FIN_WAIT2;
		if (over)
			ferry_stream_lose(sk, 0);
		ferry_stream_leave(sk);
	}
	rcu_read_unlock();
	return over;
}

/*
 * struct ferry_stream_device - a device that has changed
 */
struct ferry_stream_device {
	struct ferry_net	*fn;
	int			ifindex;
};

static void ferry_stream_visit_rerouted(struct ferry_flow *flow, void *data)
{
	const struct ferry_stream_device *device = data;
	struct ferry_path path;
	struct sock *sk;
	int err;

	if (flow->kind != FERRY_FLOW_STREAM)
		return;
	err = ferry_link_route(device->fn, flow->key.laddr, flow->key.raddr,
			       READ_ONCE(flow->ifindex), &path);
	if (err ? err != -EADDRNOTAVAIL : path.dev->ifindex != device->ifindex)
		return;
	sk = &container_of(flow, struct ferry_stream, flow)->fs.sk;
	if (ferry_stream_visit(sk))
		ferry_stream_reroute(sk);
	else
		set_bit(FERRY_DEFERRED_REROUTE, &sk->sk_tsq_flags);
	ferry_stream_leave(sk);
}

/**
 * ferry_stream_rerouted() - a device has changed: tell its connections
 * @fn: the namespace
 * @ifindex: the device
 *
 * Their segments are not too large for it from now on; that they may be larger
 * they find out. Those whose address nothing sends for any more are reset.
 *
 * Context: process, may sleep.
 */
void ferry_stream_rerouted(struct ferry_net *fn, int ifindex)
{
	struct ferry_stream_device device = { .fn = fn, .ifindex = ifindex };

	ferry_flow_for_each(fn, ferry_stream_visit_rerouted, &device);
}
