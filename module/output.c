// SPDX-License-Identifier: GPL-2.0-only
/*
 * Output: see output.h.
 */
#include <linux/skbuff.h>

#include "addr.h"
#include "output.h"

/**
 * ferry_output() - send a packet
 * @skb: the payload, with ferry_output_headroom() before it; consumed
 * @pkt: what the header says
 * @path: the way, found in the same RCU section
 *
 * The checksum is left to the device, or to the core if it cannot.
 *
 * Context: process or softirq, under RCU.
 * Return: 0; -ENOBUFS if the device's queue dropped the packet.
 */
int ferry_output(struct sk_buff *skb, const struct ferry_packet *pkt,
		 const struct ferry_path *path)
{
	u32 hash = ferry_addr_flow_hash(path->saddr, pkt->sport, path->daddr,
					pkt->dport, 0);

	ferry_wire_build(skb_push(skb, FERRY_HLEN), pkt);
	skb_reset_transport_header(skb);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct ferry_hdr, check);
	skb_set_hash(skb, hash, PKT_HASH_TYPE_L4);

	return ferry_link_xmit(skb, path);
}
