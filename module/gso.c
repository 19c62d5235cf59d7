// SPDX-License-Identifier: GPL-2.0-only
/*
 * Large segments: see gso.h.
 *
 * A sender builds one skb for up to 64 KiB, and the core cuts it where the way
 * goes through a device that cannot take it whole. The core asks for a bit of
 * the device's features by the packet's gso_type, and has none for foreign
 * protocols; SCTP's says what Ferry needs: cut by the protocol's own function,
 * and only where the bit is missing. Virtual devices have it, so a large segment
 * crosses veth, bridges and Ferry's own cards in one piece.
 */
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <uapi/linux/ferry.h>

#include "addr.h"
#include "gro.h"
#include "gso.h"
#include "wire.h"

/*
 * A frame's own header: its place and length in the stream; marks at the end. @sum
 * is the pseudo header's.
 */
static void ferry_gso_header(struct sk_buff *seg, u64 seq, u8 flags,
			     __wsum sum)
{
	struct ferry_conn_hdr *hdr = (void *)skb_transport_header(seg);
	u32 len = skb_tail_pointer(seg) - (unsigned char *)(hdr + 1) +
		  seg->data_len;

	hdr->h.flags = seg->next ? 0 : flags;
	hdr->h.len = cpu_to_be32(len);
	hdr->seq = cpu_to_be64(seq);
	ferry_addr_start_sum(seg, sum);
}

/* The stamp that was asked for is of the last byte. */
static void ferry_gso_stamp(struct sk_buff *last,
			    const struct skb_shared_info *whole)
{
	skb_shinfo(last)->tx_flags |= whole->tx_flags & SKBTX_ANY_TSTAMP;
	skb_shinfo(last)->tskey = whole->tskey;
}

/* Whether a packet is one that ferry_output_seg() has built, or as good. */
static bool ferry_gso_valid(struct sk_buff *skb)
{
	const struct ferry_conn_hdr *hdr;

	if (!(skb_shinfo(skb)->gso_type & SKB_GSO_SCTP) ||
	    !pskb_may_pull(skb, sizeof(*hdr)))
		return false;
	hdr = (const void *)skb->data;
	return hdr->h.kind == FERRY_KIND_DATA &&
	       hdr->h.hlen * 4 == sizeof(*hdr);
}

static struct sk_buff *ferry_gso_segment(struct sk_buff *skb,
					 netdev_features_t features)
{
	unsigned int mss = skb_shinfo(skb)->gso_size;
	struct sk_buff *segs, *seg, *next;
	struct ferry_conn_hdr *hdr;
	__wsum sum;
	u8 flags;
	u64 seq;

	if (!ferry_gso_valid(skb))
		return ERR_PTR(-EINVAL);
	skb_reset_transport_header(skb);
	hdr = (void *)skb->data;
	flags = hdr->h.flags;
	seq = be64_to_cpu(hdr->seq);
	sum = ferry_addr_sum_of(skb, 0);
	__skb_pull(skb, sizeof(*hdr));

	segs = skb_segment(skb, features | NETIF_F_HW_CSUM);
	if (IS_ERR_OR_NULL(segs))
		return segs;

	for (seg = segs; seg; seg = next) {
		next = seg->next;
		ferry_gso_header(seg, seq, flags, sum);
		seq += mss;
		if (!next)
			ferry_gso_stamp(seg, skb_shinfo(skb));
		if (!(features & NETIF_F_HW_CSUM) && skb_checksum_help(seg)) {
			kfree_skb_list(segs);
			return ERR_PTR(-ENOMEM);
		}
	}
	return segs;
}

static struct packet_offload ferry_gso __read_mostly = {
	.type = cpu_to_be16(ETH_P_FERRY),
	.callbacks = {
		.gso_segment = ferry_gso_segment,
		.gro_receive = ferry_gro_receive,
		.gro_complete = ferry_gro_complete,
	},
};

/**
 * ferry_gso_init() - let the core cut large segments, and join frames
 *
 * Context: process.
 * Return: 0.
 */
int ferry_gso_init(void)
{
	dev_add_offload(&ferry_gso);
	return 0;
}

/**
 * ferry_gso_exit() - undo ferry_gso_init()
 *
 * Context: process.
 */
void ferry_gso_exit(void)
{
	dev_remove_offload(&ferry_gso);
}
