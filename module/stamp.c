// SPDX-License-Identifier: GPL-2.0-only
/*
 * SO_TIMESTAMPING, of what a connection sends: see stamp.h.
 */
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

#include "stamp.h"
#include "stream.h"

/* Beside those who want a stamp, whoever may want one later counts his bytes. */
#define FERRY_STAMP_FLAGS	(SOF_TIMESTAMPING_TX_RECORD_MASK | \
				 SOF_TIMESTAMPING_OPT_ID)

/*
 * What SOF_TIMESTAMPING_OPT_ID tells a stamp by: of a stream the count of bytes
 * before its last one, since the option was set; of records, as of datagrams, the
 * count of those that were stamped before.
 */
static u32 ferry_stamp_key(struct sock *sk, const struct sockcm_cookie *sockc,
			   u32 bytes)
{
	u32 key;

	if (!(sockc->tsflags & SOF_TIMESTAMPING_OPT_ID))
		return 0;
	if (ferry_stream_records(sk)) {
		if (!(sockc->tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK))
			return 0;
		if (ferry_sockcm_opt_id(sockc, &key))
			return key;
		bytes = 1;
	}
	return atomic_add_return(bytes, &sk->sk_tskey) - 1;
}

/**
 * ferry_stamp_request() - what a call has sent is to be stamped, if it says so
 * @sk: the socket
 * @skb: the chunk that has its last byte, unsent; NULL: it has left already
 * @sockc: what the call, or else the socket, asks for
 * @bytes: how much it has sent
 *
 * Context: process, under the socket lock.
 * Return: whether it is: then nothing is to be added to the chunk.
 */
bool ferry_stamp_request(struct sock *sk, struct sk_buff *skb,
			 const struct sockcm_cookie *sockc, u32 bytes)
{
	u32 key;

	if (likely(!(sockc->tsflags & FERRY_STAMP_FLAGS)))
		return false;
	key = ferry_stamp_key(sk, sockc, bytes);
	if (!skb || !(sockc->tsflags & SOF_TIMESTAMPING_TX_RECORD_MASK))
		return false;
	ferry_sock_tx_timestamp(sk, sockc, &skb_shinfo(skb)->tx_flags);
	skb_shinfo(skb)->tskey = key;
	ferry_outgoing(skb)->stamp_acked =
		!!(sockc->tsflags & SOF_TIMESTAMPING_TX_ACK);
	return true;
}

/**
 * ferry_stamp_move() - a chunk was cut in two: the last byte is the other one's
 * @skb: the chunk
 * @rest: what was cut off
 *
 * Context: process or softirq, under the socket lock; nobody else has their heads.
 */
void ferry_stamp_move(struct sk_buff *skb, struct sk_buff *rest)
{
	struct skb_shared_info *from = skb_shinfo(skb), *to = skb_shinfo(rest);

	to->tx_flags |= from->tx_flags & SKBTX_ANY_TSTAMP;
	to->tskey = from->tskey;
	from->tx_flags &= ~SKBTX_ANY_TSTAMP;
	ferry_outgoing(rest)->stamp_acked = ferry_outgoing(skb)->stamp_acked;
	ferry_outgoing(skb)->stamp_acked = false;
}

/**
 * ferry_stamp_acked() - a chunk has arrived at the peer
 * @sk: the socket
 * @skb: the chunk, on no queue and in no tree
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stamp_acked(struct sock *sk, struct sk_buff *skb)
{
	if (likely(!ferry_outgoing(skb)->stamp_acked))
		return;
	/* What it had was a node of the tree of what was sent. */
	skb->dev = NULL;
	ferry_tstamp_acked(skb, sk);
}

/**
 * ferry_stamp_short() - a segment leaves, and no device sees it
 * @skb: the segment, its socket set
 *
 * Context: process or softirq.
 */
void ferry_stamp_short(struct sk_buff *skb)
{
	u8 flags = skb_shinfo(skb)->tx_flags;

	if (likely(!(flags & SKBTX_ANY_TSTAMP)))
		return;
	if (flags & SKBTX_SCHED_TSTAMP)
		__skb_tstamp_tx(skb, NULL, NULL, skb->sk, SCM_TSTAMP_SCHED);
	if (flags & SKBTX_SW_TSTAMP)
		skb_tstamp_tx(skb, NULL);
}
