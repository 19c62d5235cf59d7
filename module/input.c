// SPDX-License-Identifier: GPL-2.0-only
/*
 * Input: see input.h.
 */
#include <linux/skbuff.h>

#include "addr.h"
#include "input.h"
#include "netns.h"
#include "socket.h"

/* Written by ferry_input_register() before the first link exists. */
static ferry_input_handler ferry_input_handlers[FERRY_KIND_MAX + 1];

/**
 * ferry_input_register() - say who takes the packets of a kind
 * @kind: the kind
 * @handler: who takes them
 *
 * Context: process, before any link is enabled.
 */
void ferry_input_register(enum ferry_kind kind, ferry_input_handler handler)
{
	ferry_input_handlers[kind] = handler;
}

static enum ferry_stat ferry_input_verdict_stat(enum ferry_verdict verdict)
{
	switch (verdict) {
	case FERRY_WIRE_SHORT:
		return FERRY_STAT_IN_SHORT;
	case FERRY_WIRE_VERSION_UNKNOWN:
		return FERRY_STAT_IN_VERSION;
	case FERRY_WIRE_KIND_UNKNOWN:
		return FERRY_STAT_IN_KIND;
	default:
		return FERRY_STAT_IN_MALFORMED;
	}
}

/*
 * Make the header linear, and no more than that: payload in pages stays there.
 * What is too short for its header is left for ferry_wire_parse() to judge.
 */
static bool ferry_input_pull(struct sk_buff *skb)
{
	const struct ferry_hdr *hdr;
	u32 hlen;

	if (!pskb_may_pull(skb, FERRY_HLEN))
		return false;
	hdr = (const void *)skb->data;
	hlen = min_t(u32, hdr->hlen * 4, FERRY_HLEN_MAX);
	return pskb_may_pull(skb, min(skb->len, hlen));
}

/**
 * ferry_input_dispatch() - give a packet that is known to be good to who takes it
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in; consumed
 *
 * Context: softirq, under RCU.
 */
void ferry_input_dispatch(struct ferry_net *fn, struct sk_buff *skb)
{
	ferry_input_handlers[ferry_skb_cb(skb)->pkt.kind](fn, skb);
}

/**
 * ferry_input_rcv() - take a packet from a link
 * @fn: the namespace
 * @skb: the packet, from the byte after its Ethernet header; consumed
 *
 * Context: softirq, under RCU.
 */
void ferry_input_rcv(struct ferry_net *fn, struct sk_buff *skb)
{
	const struct ethhdr *eth = eth_hdr(skb);
	u64 saddr = ether_addr_to_u64(eth->h_source);
	u64 daddr = ether_addr_to_u64(eth->h_dest);
	struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	enum ferry_verdict verdict;
	struct ferry_packet pkt;

	if (!ferry_input_pull(skb)) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_SHORT);
		return;
	}
	verdict = ferry_wire_parse(skb->data, skb_headlen(skb), skb->len, &pkt);
	if (verdict == FERRY_WIRE_OK && !ferry_input_handlers[pkt.kind])
		verdict = FERRY_WIRE_KIND_UNKNOWN;
	if (verdict != FERRY_WIRE_OK) {
		ferry_stats_drop(fn, skb, ferry_input_verdict_stat(verdict));
		return;
	}
	/* Off with what Ethernet padded. */
	if (pskb_trim_rcsum(skb, pkt.hlen + pkt.len)) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_MEMORY);
		return;
	}
	skb_reset_transport_header(skb);
	if (skb_checksum_validate(skb, 0, ferry_addr_sum_of)) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_CHECKSUM);
		return;
	}

	/* When it was to leave (SO_TXTIME) is not when it came. */
	skb_clear_delivery_time(skb);
	cb->saddr = saddr;
	cb->daddr = daddr;
	cb->pkt = pkt;
	cb->iif = skb->dev->ifindex;
	ferry_input_dispatch(fn, skb);
}
