// SPDX-License-Identifier: GPL-2.0-only
/*
 * Echoes: see echo.h. The limit of answers,
 * and then the device's queue, bound the memory that a flood can take.
 */
#include <linux/skbuff.h>

#include "addr.h"
#include "echo.h"
#include "input.h"
#include "limit.h"
#include "netns.h"
#include "output.h"
#include "socket.h"

/* A packet with the payload of @skb: a small one is copied, pages are shared. */
static struct sk_buff *ferry_echo_copy(struct ferry_net *fn, struct sk_buff *skb,
				       const struct net_device *dev)
{
	unsigned int hlen = skb_zerocopy_headlen(skb);
	struct sk_buff *out;

	out = ferry_output_alloc(fn, dev, FERRY_HLEN, hlen);
	if (!out)
		return NULL;
	/* It does not take nothing. */
	if (skb->len && skb_zerocopy(out, skb, skb->len, hlen)) {
		ferry_stats_drop(fn, out, FERRY_STAT_OUT_MEMORY);
		return NULL;
	}
	/* Whoever may write to them still may. */
	skb_shinfo(out)->flags |= skb_shinfo(skb)->flags & SKBFL_SHARED_FRAG;
	return out;
}

/* Answer an echo, of which @skb is the payload. */
static void ferry_echo_answer(struct ferry_net *fn, struct sk_buff *skb)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	u64 saddr = ferry_addr_is_multicast(cb->daddr) ? FERRY_ADDR_ANY :
							 cb->daddr;
	struct ferry_packet answer;
	struct ferry_path path;
	struct sk_buff *out;

	if (ferry_wire_echo_reply(&cb->pkt, &answer))
		return;
	if (ferry_link_route(fn, saddr, cb->saddr, cb->iif, &path)) {
		ferry_stats_inc(fn, FERRY_STAT_OUT_DEVICE);
		return;
	}
	if (answer.len + FERRY_HLEN > READ_ONCE(path.dev->mtu)) {
		ferry_stats_inc(fn, FERRY_STAT_OUT_ECHO_SIZE);
		return;
	}
	if (!ferry_limit_allows(fn, FERRY_LIMIT_ECHO))
		return;
	out = ferry_echo_copy(fn, skb, path.dev);
	if (!out)
		return;
	ferry_stats_inc(fn, FERRY_STAT_OUT_ECHO_REPLIES);
	ferry_output(out, &answer, &path);
}

/* Somebody asks. Softirq, under RCU. */
static void ferry_echo_rcv(struct ferry_net *fn, struct sk_buff *skb)
{
	u64 daddr = ferry_skb_cb(skb)->daddr;
	bool everyone = daddr == FERRY_ADDR_BROADCAST;

	if (ferry_addr_is_multicast(daddr) && !everyone) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_GROUP);
		return;
	}
	if (READ_ONCE(fn->set.echo) <
	    (everyone ? FERRY_ECHO_ALL : FERRY_ECHO_DIRECT)) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_ECHO_OFF);
		return;
	}
	ferry_stats_inc(fn, FERRY_STAT_IN_ECHOES);
	__skb_pull(skb, FERRY_HLEN);
	ferry_echo_answer(fn, skb);
	consume_skb(skb);
}

/**
 * ferry_echo_init() - begin to answer
 *
 * Context: process, before any link is enabled.
 */
void ferry_echo_init(void)
{
	ferry_input_register(FERRY_KIND_ECHO, ferry_echo_rcv);
}
