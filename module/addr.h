/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses: a MAC in one word.
 *
 * A u64 is compared, hashed and published to lockless readers in one access,
 * which six bytes are not. 0 is "any" for a local address and "this host" for
 * a remote one, as in struct sockaddr_ferry.
 */
#ifndef _FERRY_ADDR_H
#define _FERRY_ADDR_H

#include <linux/etherdevice.h>
#include <linux/jhash.h>
#include <linux/skbuff.h>
#include <net/checksum.h>

#include "wire.h"

#define FERRY_ADDR_ANY		0ULL
#define FERRY_ADDR_BROADCAST	0xffffffffffffULL

static inline bool ferry_addr_is_multicast(u64 addr)
{
	return addr & BIT_ULL(40);
}

/* One station's address: neither "any" nor a group's. */
static inline bool ferry_addr_is_station(u64 addr)
{
	return addr && !ferry_addr_is_multicast(addr);
}

/* Hash of a flow, never 0: an skb takes 0 for "none". */
static inline u32 ferry_addr_flow_hash(u64 saddr, u32 sport,
				       u64 daddr, u32 dport, u32 seed)
{
	u32 words[] = {
		(u32)saddr, saddr >> 32, sport, (u32)daddr, daddr >> 32, dport,
	};

	return jhash2(words, ARRAY_SIZE(words), seed) ?: 1;
}

/*
 * Sum of the pseudo header, which is the frame's two addresses as they are in it:
 * what a packet's checksum begins with.
 */
static inline __wsum ferry_addr_sum(u64 saddr, u64 daddr)
{
	u8 pseudo[2 * ETH_ALEN];

	u64_to_ether_addr(daddr, pseudo);
	u64_to_ether_addr(saddr, pseudo + ETH_ALEN);
	return csum_partial(pseudo, sizeof(pseudo), 0);
}

/* The same, of a packet whose Ethernet header is there. @proto is not used. */
static inline __wsum ferry_addr_sum_of(const struct sk_buff *skb, int proto)
{
	return csum_partial(skb_mac_header(skb), 2 * ETH_ALEN, 0);
}

/*
 * The packet's header is its transport header: begin its checksum with @sum, of the
 * pseudo header, and leave the rest of it to the device, or to the core.
 */
static inline void ferry_addr_start_sum(struct sk_buff *skb, __wsum sum)
{
	struct ferry_hdr *hdr = (void *)skb_transport_header(skb);

	hdr->check = ~csum_fold(sum);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct ferry_hdr, check);
}

#endif /* _FERRY_ADDR_H */
