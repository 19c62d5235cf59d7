/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Initial sequence numbers, and SYN cookies, which are initial sequence numbers
 * that remember a request so that the host need not.
 *
 * A cookie has 63 bits:
 *
 *	 63   62   61  59   58 43  42  38  37      0
 *	+----+-----+--------+-----+------+---------+
 *	| 0  | key | minute | MSS | code | SipHash |
 *	+----+-----+--------+-----+------+---------+
 *
 * The hash is over everything above it, the flow, the client's initial number
 * and the whole minute. 38 bits: of ten million forged ACKs a second, one is
 * taken in seven hours, and it opens one connection, from an address that the
 * forger cannot hear (TCP's cookies have 24).
 *
 * Bit 63 of every initial number is 0, so that 2^63 bytes later there still is
 * no wrap.
 *
 * Pure: no kernel state, no lock, no clock.
 */
#ifndef _FERRY_COOKIE_H
#define _FERRY_COOKIE_H

#ifdef __KERNEL__
#include <linux/siphash.h>
#else
#include "user.h"
#endif
#include <linux/types.h>

/* The largest code: five bits. */
#define FERRY_COOKIE_CODE_MAX	31

/* Three bits of the minute cannot tell older ones apart. */
#define FERRY_COOKIE_AGE_MAX	6

/**
 * struct ferry_cookie_flow - whose connection it is, as its SYN has it
 *
 * @saddr: the client's address
 * @daddr: the listener's
 * @sport: the client's port
 * @dport: the listener's
 */
struct ferry_cookie_flow {
	u64	saddr;
	u64	daddr;
	u32	sport;
	u32	dport;
};

/**
 * struct ferry_cookie_facts - what a cookie remembers of a SYN
 *
 * @mss: its largest segment in bytes
 * @code: what else it said, the caller's: up to FERRY_COOKIE_CODE_MAX
 */
struct ferry_cookie_facts {
	u16	mss;
	u8	code;
};

/**
 * struct ferry_cookie_keys - two secrets, of which the older is still honoured
 *
 * @key: the secrets
 * @current_key: which of them makes new cookies, 0 or 1
 */
struct ferry_cookie_keys {
	siphash_key_t key[2];
	u8	current_key;
};

void ferry_cookie_rotate(struct ferry_cookie_keys *keys,
			 const siphash_key_t *fresh);
u64 ferry_cookie_make(const struct ferry_cookie_keys *keys,
		      const struct ferry_cookie_flow *flow, u64 client_isn,
		      u32 minute, const struct ferry_cookie_facts *facts);
bool ferry_cookie_check(const struct ferry_cookie_keys *keys,
			const struct ferry_cookie_flow *flow, u64 client_isn,
			u64 cookie, u32 minute, u32 max_age,
			struct ferry_cookie_facts *facts);
u64 ferry_cookie_isn(const siphash_key_t *key,
		     const struct ferry_cookie_flow *flow, u64 now);

#endif /* _FERRY_COOKIE_H */
