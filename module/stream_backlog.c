// SPDX-License-Identifier: GPL-2.0-only
/*
 * What arrives while a call has the socket. See stream.h.
 *
 * It waits until the call gives the socket back, and that can be a whole window: who
 * has read sends an ACK, and what the peer answers is here before the call is over.
 * Frames that were cut from one segment, and no device has joined, become a segment
 * here, so that what each segment costs is paid once for many of them.
 */
#include "stream.h"

/* As long as a segment of a sender's may be. */
#define FERRY_STREAM_JOIN_MAX	SZ_64K

/*
 * Whether a segment can be joined to one before it: both are data without SACK
 * ranges, and it goes on where that ends. One with a flag is the last of its own.
 */
static bool ferry_stream_continues(const struct sk_buff *tail,
				   const struct sk_buff *skb)
{
	const struct ferry_packet *have = &ferry_skb_cb(tail)->pkt;
	const struct ferry_packet *pkt = &ferry_skb_cb(skb)->pkt;
	const struct ferry_conn_hdr *first = (const void *)tail->data;

	return have->len && pkt->len &&
	       have->kind == FERRY_KIND_DATA && pkt->kind == FERRY_KIND_DATA &&
	       have->hlen == FERRY_CONN_HLEN && pkt->hlen == FERRY_CONN_HLEN &&
	       have->len + pkt->len <= FERRY_STREAM_JOIN_MAX &&
	       !first->h.flags &&
	       ferry_wire_continues(first, have->len, (const void *)skb->data);
}

/* Join a segment to the last that waits. Consumes @skb if it can. */
static bool ferry_stream_join(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *tail = sk->sk_backlog.tail;
	u8 flags = ((struct ferry_hdr *)skb->data)->flags;
	bool stolen;
	int more;

	if (!tail || !ferry_stream_continues(tail, skb) ||
	    ferry_stream_stamps(sk, skb))
		return false;
	__skb_pull(skb, FERRY_CONN_HLEN);
	if (!skb_try_coalesce(tail, skb, &stolen, &more)) {
		__skb_push(skb, FERRY_CONN_HLEN);
		return false;
	}
	((struct ferry_hdr *)tail->data)->flags = flags;
	ferry_skb_cb(tail)->pkt.len += ferry_skb_cb(skb)->pkt.len;
	ferry_stream_stamp_last(tail, skb);
	sk->sk_backlog.len += more;
	ferry_stats_inc(ferry_net(sock_net(sk)), FERRY_STAT_IN_JOINED);
	kfree_skb_partial(skb, stolen);
	return true;
}

/**
 * ferry_stream_backlog() - keep a segment until a call gives the socket back
 * @sk: the socket, which a call has
 * @skb: the segment, its struct ferry_skb_cb filled in; consumed
 *
 * Context: softirq, under bh_lock_sock().
 * Return: true; false if there is no room, and then @skb is the caller's.
 */
bool ferry_stream_backlog(struct sock *sk, struct sk_buff *skb)
{
	/* What fits both buffers, and 64 KiB for ACKs (as TCP). */
	u64 limit = (u64)READ_ONCE(sk->sk_rcvbuf) +
		    READ_ONCE(sk->sk_sndbuf) + SZ_64K;

	/* An skb has few places for pages, which bounds what is joined to it. */
	return ferry_stream_join(sk, skb) ||
	       !sk_add_backlog(sk, skb, min_t(u64, limit, U32_MAX));
}
