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

#endif /* _FERRY_ADDR_H */
