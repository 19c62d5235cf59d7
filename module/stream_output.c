// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segments leave, and connections end. See stream.h.
 */
#include <linux/jiffies.h>

#include "linger.h"
#include "listen.h"
#include "output.h"
#include "stream.h"

/* A timer that is set for later than this looks again on the way. */
#define FERRY_STREAM_TIMER_MAX	(3600ULL * USEC_PER_SEC)

/* So many bytes below are never too many: two of the largest segments. */
#define FERRY_STREAM_FULL_LEAST	SZ_128K

/*
 * Of a rate in bytes a second, what about four milliseconds have: what the last round
 * trip brought is no more than a hint, and CoDel's target is five.
 */
#define FERRY_STREAM_FULL_SHIFT	8

/* When what is below is full, it is asked again after so many microseconds. */
#define FERRY_STREAM_FULL_WAIT	250
#define FERRY_STREAM_FULL_WAIT_MOST	4000

/*
 * A copy of an skb's head goes on the wire, and its payload with it, by
 * reference. The header is written into the head's room; so as long as an
 * earlier copy is still on its way, the head has to be a new one.
 */
static struct sk_buff *ferry_stream_copy(struct sk_buff *skb)
{
	struct sk_buff *out;

	if (unlikely(skb_cloned(skb)))
		out = __pskb_copy(skb, FERRY_OUTPUT_SEG_HEADROOM, GFP_ATOMIC);
	else
		out = skb_clone(skb, GFP_ATOMIC);
	/* What it had was a node of the tree of what was sent. */
	if (out)
		out->dev = NULL;
	return out;
}

static void ferry_stream_transmit(struct sock *sk, struct sk_buff *skb,
				  const struct ferry_seg *seg)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_stream *fy = ferry_stream(sk);
	struct sk_buff *out = ferry_stream_copy(skb);

	if (unlikely(!out)) {
		/* As if the wire had lost it. */
		ferry_stats_inc(fn, FERRY_STAT_OUT_MEMORY);
		return;
	}
	skb_set_owner_w(out, sk);
	out->mark = READ_ONCE(sk->sk_mark);
	out->priority = READ_ONCE(sk->sk_priority);
	ferry_stats_inc(fn, FERRY_STAT_OUT_SEGS);
	if (unlikely(seg->mss != fy->conn.mss))
		ferry_stats_inc(fn, FERRY_STAT_MTU_PROBES);
	ferry_output_seg(fn, out, &fy->flow, seg, seg->mss);
}

/* SO_MAX_PACING_RATE, unless the queueing discipline sees to it (fq). */
static u64 ferry_stream_pace(struct sock *sk)
{
	unsigned long rate = READ_ONCE(sk->sk_max_pacing_rate);

	if (likely(rate == ~0UL))
		return 0;
	WRITE_ONCE(sk->sk_pacing_rate, rate);
	return READ_ONCE(sk->sk_pacing_status) == SK_PACING_FQ ? 0 : rate;
}

/*
 * How much of what was sent may wait on this host, in bytes: two of the largest
 * segments, or what arrives in four milliseconds. What waits in a device's queue longer
 * than it has to is dropped there (CoDel), and delays what others send (TCP has its
 * small queues for that).
 */
static u64 ferry_stream_full_limit(const struct ferry_conn *conn)
{
	return max_t(u64, conn->out->count.rate >> FERRY_STREAM_FULL_SHIFT,
		     FERRY_STREAM_FULL_LEAST);
}

/*
 * Whether that is enough. Within a host nothing waits in a queue for long; and a
 * driver that tells late what has left holds nobody up whose data has arrived.
 */
static bool ferry_stream_full(const struct sock *sk)
{
	const struct ferry_conn *conn = &ferry_stream(sk)->conn;

	return unlikely(sk_wmem_alloc_get(sk) > ferry_stream_full_limit(conn)) &&
	       !conn->merge_at && conn->out->in_flight.count > 1;
}

/* How long it takes until it is not, in microseconds, as far as can be known. */
static u64 ferry_stream_full_wait(const struct sock *sk)
{
	const struct ferry_conn *conn = &ferry_stream(sk)->conn;
	u64 limit = ferry_stream_full_limit(conn);
	u64 rate = conn->out->count.rate;
	u32 waits = sk_wmem_alloc_get(sk);

	if (!rate)
		return FERRY_STREAM_FULL_WAIT;
	/* An ACK will come first; or it was for want of memory. */
	if (waits <= limit)
		return FERRY_STREAM_FULL_WAIT_MOST;
	return clamp_t(u64, div64_u64((waits - limit) * USEC_PER_SEC, rate),
		       FERRY_STREAM_FULL_WAIT, FERRY_STREAM_FULL_WAIT_MOST);
}

/* Send what there is to send. */
static void ferry_stream_send_all(struct sock *sk, u64 now)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_conn *conn = &fy->conn;
	struct ferry_plan plan;
	struct ferry_seg seg;
	enum ferry_send what;
	struct sk_buff *skb;

	if (conn->out) {
		conn->out->pace.rate = ferry_stream_pace(sk);
		conn->full = ferry_stream_full(sk);
	}
	while ((what = ferry_conn_next(conn, now, &plan)) != FERRY_SEND_NOTHING) {
		if (what == FERRY_SEND_CONTROL) {
			ferry_conn_control(conn, now, &seg);
			if (seg.kind == FERRY_KIND_SYN && conn->syn_sends > 1)
				ferry_stats_inc(fn, FERRY_STAT_RETRANS);
			ferry_output_control(fn, sk, &fy->flow, &seg);
			continue;
		}
		if (what == FERRY_SEND_AGAIN) {
			skb = ferry_chunk_skb(plan.chunk);
			ferry_stats_inc(fn, FERRY_STAT_RETRANS);
		} else {
			skb = ferry_stream_take(sk, plan.limit);
			if (unlikely(!skb)) {
				ferry_conn_put_off(conn, now);
				continue;
			}
		}
		ferry_conn_send(conn, ferry_chunk(skb), now, &seg);
		if (what == FERRY_SEND_NEW)
			ferry_stream_sent(sk, skb);
		ferry_stream_transmit(sk, skb, &seg);
		conn->full = ferry_stream_full(sk);
	}
}

/* Less is unsent than before: who waits for that has heard of no ACK. */
static void ferry_stream_sent_some(struct sock *sk)
{
	if (sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		sk->sk_write_space(sk);
}

/**
 * ferry_stream_push() - after whatever was told the engine: send, set the timer
 * @sk: the socket
 * @now: the time
 *
 * If the connection is over, it ends here.
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_push(struct sock *sk, u64 now)
{
	struct ferry_stream *fy = ferry_stream(sk);

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	ferry_stream_send_all(sk, now);
	if (unlikely(fy->notsent_lowat))
		ferry_stream_sent_some(sk);
	if (fy->conn.state == FERRY_CLOSED || fy->conn.state == FERRY_TIME_WAIT)
		ferry_stream_done(sk);
	else
		ferry_stream_arm(sk, now);
}

/**
 * ferry_stream_flush() - somebody waits: what was written is not to be gathered
 * @sk: the socket
 *
 * Context: process, under the socket lock.
 */
void ferry_stream_flush(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);

	if (!fy->conn.gathers)
		return;
	ferry_conn_flush(&fy->conn);
	ferry_stream_push(sk, ferry_stream_now());
}

/* As sk_timer, the one that is exact to microseconds is left alone once it runs. */
static void ferry_stream_arm_fine(struct ferry_stream *fy, u64 now)
{
	u64 at = ferry_conn_fine_deadline(&fy->conn);

	if (fy->conn.paced && fy->conn.full)
		at = min(at, now + ferry_stream_full_wait(&fy->fs.sk));
	if (hrtimer_is_queued(&fy->out->fine))
		return;
	sock_hold(&fy->fs.sk);
	hrtimer_start(&fy->out->fine,
		      ns_to_ktime(at > now ? (at - now) * NSEC_PER_USEC : 0),
		      HRTIMER_MODE_REL_PINNED_SOFT);
}

/**
 * ferry_stream_arm() - set the timers
 * @sk: the socket
 * @now: the time
 *
 * A timer that is set for earlier is left alone, and so is one that is not
 * needed any more: it expires, finds nothing to do, and looks when to come back.
 * Most are put off by each segment, so that is one expiry a round trip or less
 * instead of one change a segment.
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_arm(struct sock *sk, u64 now)
{
	struct ferry_stream *fy = ferry_stream(sk);
	u64 at = ferry_conn_deadline(&fy->conn);

	if (unlikely(ferry_conn_has_fine_deadline(&fy->conn)))
		ferry_stream_arm_fine(fy, now);
	if (unlikely(fy->held) && fy->out->cork_at)
		at = min(at, fy->out->cork_at);
	if (at == U64_MAX || (fy->timer_at && fy->timer_at <= at))
		return;
	fy->timer_at = at;
	at = at > now ? min(at - now, FERRY_STREAM_TIMER_MAX) : 0;
	/*
	 * Unlike sk_reset_timer(), which takes the timer's reference after it has
	 * set it: by then an interrupt may have come, and the timer expired and
	 * dropped what is somebody else's.
	 */
	sock_hold(sk);
	if (mod_timer(&sk->sk_timer, jiffies + max(usecs_to_jiffies(at), 1UL)))
		__sock_put(sk);
}

/**
 * ferry_stream_abort() - end a connection by an RST
 * @sk: the socket
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_abort(struct sock *sk)
{
	ferry_conn_abort(&ferry_stream(sk)->conn);
	ferry_stream_push(sk, ferry_stream_now());
}

/* Nothing of what was to be sent, or came ahead of its turn, is of use. */
static void ferry_stream_purge(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);

	ferry_stream_purge_unsent(sk);
	ferry_stream_purge_ahead(sk);
	kfree(fy->conn.ahead.ranges);
	ferry_range_init(&fy->conn.ahead, NULL, 0);
}

/**
 * ferry_stream_done() - the connection is over
 * @sk: the socket; its connection's state and error say how
 *
 * What has arrived can still be read.
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_done(struct sock *sk)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_stream *fy = ferry_stream(sk);
	int err = -fy->conn.error;

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		ferry_stats_inc(fn, FERRY_STAT_ATTEMPT_FAILS);
	else if (err)
		ferry_stats_inc(fn, FERRY_STAT_ESTAB_RESETS);
	if (fy->conn.state == FERRY_TIME_WAIT)
		ferry_linger_start(sk);
	ferry_flow_remove(fn, &fy->flow);
	fy->flow.hashed = false;
	fy->conn.state = FERRY_CLOSED;
	/* Before the state: who sees that without the lock sees these, too. */
	if (err && !sock_flag(sk, SOCK_DEAD))
		WRITE_ONCE(sk->sk_err, err);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	ferry_stream_set_state(sk, TCP_CLOSE);
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		ferry_port_release(sk);
	sk_stop_timer(sk, &sk->sk_timer);
	fy->timer_at = 0;
	if (fy->out && hrtimer_try_to_cancel(&fy->out->fine) == 1)
		__sock_put(sk);
	ferry_stream_purge(sk);

	if (err && !sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
	if (!sock_flag(sk, SOCK_DEAD))
		sk->sk_state_change(sk);
	else if (!fy->parent)
		ferry_stream_destroy(sk);
}

/**
 * ferry_stream_destroy() - give a socket up that nobody has
 * @sk: the socket, in TCP_CLOSE, dead
 *
 * Drops the reference that the socket was born with, once.
 *
 * Context: process or softirq, under the socket lock, with a reference or RCU.
 */
void ferry_stream_destroy(struct sock *sk)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_stream *fy = ferry_stream(sk);

	WARN_ON_ONCE(sk->sk_state != TCP_CLOSE || !sock_flag(sk, SOCK_DEAD));
	if (fy->destroyed)
		return;
	fy->destroyed = true;
	if (fy->orphan)
		atomic_dec(&fn->orphans);
	ferry_port_release(sk);
	fy->unread = 0;
	fy->unended = 0;
	fy->records = 0;
	sk_stream_kill_queues(sk);
	sk_sockets_allocated_dec(sk);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
	sock_put(sk);
}
