// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unreachables: see unreach.h.
 */
#include <linux/skbuff.h>

#include "addr.h"
#include "limit.h"
#include "netns.h"
#include "output.h"
#include "socket.h"
#include "unreach.h"

/**
 * ferry_unreach_send() - answer a packet that nobody takes
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in; not consumed
 * @code: enum ferry_unreach
 *
 * Nothing is said about what was not sent to one host alone, nor about an
 * unreachable (RFC 1122, section 3.2.2), and only so often in a second.
 *
 * Context: softirq, under RCU.
 */
void ferry_unreach_send(struct ferry_net *fn, const struct sk_buff *skb,
			u8 code)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	struct ferry_packet answer;
	struct ferry_path path;
	struct sk_buff *out;

	if (ferry_addr_is_multicast(cb->daddr) ||
	    ferry_wire_unreach(&cb->pkt, code, &answer))
		return;
	if (!ferry_limit_allows_unreach(fn, skb))
		return;
	if (ferry_link_route(fn, cb->daddr, cb->saddr, cb->iif, &path))
		return;

	out = ferry_output_alloc(fn, path.dev, FERRY_HLEN, 0);
	if (!out)
		return;
	ferry_stats_inc(fn, FERRY_STAT_OUT_UNREACH);
	ferry_output(out, &answer, &path);
}
