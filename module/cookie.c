// SPDX-License-Identifier: GPL-2.0-only
/*
 * Initial sequence numbers and SYN cookies. See cookie.h.
 */
#include "cookie.h"

/* Where each part of a cookie begins: cookie.h draws it. */
#define HASH_WIDTH	38
#define CODE_SHIFT	HASH_WIDTH
#define MSS_SHIFT	(CODE_SHIFT + 5)
#define MINUTE_SHIFT	(MSS_SHIFT + 16)
#define MINUTE_MASK	7
#define KEY_SHIFT	(MINUTE_SHIFT + 3)

/* An initial number is a hash of 62 bits and as much of a clock. */
#define ISN_HASH_SHIFT	2
#define ISN_CLOCK_MASK	((1ULL << 48) - 1)
#define ISN_CLOCK_SHIFT	14

static u64 ports(const struct ferry_cookie_flow *flow)
{
	return (u64)flow->sport << 32 | flow->dport;
}

/* @facts: a cookie's bits above the hash. */
static u64 cookie_hash(const struct ferry_cookie_keys *keys,
		       const struct ferry_cookie_flow *flow, u64 client_isn,
		       u32 minute, u64 facts)
{
	u64 words[] = {
		flow->saddr, flow->daddr, ports(flow), client_isn, minute,
		facts,
	};

	return siphash(words, sizeof(words),
		       &keys->key[facts >> KEY_SHIFT & 1]) >> (64 - HASH_WIDTH);
}

/**
 * ferry_cookie_rotate() - a new secret, in place of the older one
 * @keys: the secrets
 * @fresh: random bytes
 *
 * Not more often than every FERRY_COOKIE_AGE_MAX minutes, or cookies die young.
 * Call it twice at first: a secret of zeros is none. Readers and this need
 * a common lock, or a copy.
 *
 * Context: any; pure.
 */
void ferry_cookie_rotate(struct ferry_cookie_keys *keys,
			 const siphash_key_t *fresh)
{
	u8 next = !keys->current_key;

	keys->key[next] = *fresh;
	keys->current_key = next;
}

/**
 * ferry_cookie_make() - the initial sequence number of a SYN-ACK that needs no
 * memory
 * @keys: the secrets
 * @flow: of the SYN
 * @client_isn: the SYN's own sequence number
 * @minute: the time in minutes
 * @facts: what to remember
 *
 * Context: any; pure.
 * Return: the cookie, below 2^63.
 */
u64 ferry_cookie_make(const struct ferry_cookie_keys *keys,
		      const struct ferry_cookie_flow *flow, u64 client_isn,
		      u32 minute, const struct ferry_cookie_facts *facts)
{
	u64 cookie = (u64)(keys->current_key & 1) << KEY_SHIFT |
		     (u64)(minute & MINUTE_MASK) << MINUTE_SHIFT |
		     (u64)facts->mss << MSS_SHIFT |
		     (u64)(facts->code & FERRY_COOKIE_CODE_MAX) << CODE_SHIFT;

	return cookie | cookie_hash(keys, flow, client_isn, minute, cookie);
}

/**
 * ferry_cookie_check() - whether an ACK answers a SYN-ACK of
 * ferry_cookie_make()
 * @keys: the secrets
 * @flow: of the ACK, which is that of the SYN
 * @client_isn: the ACK's sequence number less 1
 * @cookie: its acknowledgment number less 1
 * @minute: the time in minutes
 * @max_age: how many minutes old it may be, at most FERRY_COOKIE_AGE_MAX
 * @facts: where to store what it remembers; untouched if it is no good
 *
 * Context: any; pure.
 * Return: whether it does.
 */
bool ferry_cookie_check(const struct ferry_cookie_keys *keys,
			const struct ferry_cookie_flow *flow, u64 client_isn,
			u64 cookie, u32 minute, u32 max_age,
			struct ferry_cookie_facts *facts)
{
	u64 hash = cookie & ((1ULL << HASH_WIDTH) - 1);
	u64 rest = cookie ^ hash;
	u32 age = (minute - (u32)(cookie >> MINUTE_SHIFT)) & MINUTE_MASK;

	if (age > max_age)
		return false;
	if (cookie_hash(keys, flow, client_isn, minute - age, rest) != hash)
		return false;

	facts->mss = cookie >> MSS_SHIFT;
	facts->code = cookie >> CODE_SHIFT & FERRY_COOKIE_CODE_MAX;
	return true;
}

/**
 * ferry_cookie_isn() - an initial sequence number (RFC 6528)
 * @key: a secret, the host's for as long as it is up
 * @flow: from this end's view: @saddr and @sport are its own
 * @now: the time in microseconds
 *
 * For one flow they rise by 2^14 a microsecond, which is 16 GB/s: faster than
 * a connection can use numbers, so the next one between the same ports starts
 * beyond them. Those of different flows are unrelated to anyone without @key.
 *
 * Context: any; pure.
 * Return: the number, below 2^63.
 */
u64 ferry_cookie_isn(const siphash_key_t *key,
		     const struct ferry_cookie_flow *flow, u64 now)
{
	u64 words[] = { flow->saddr, flow->daddr, ports(flow) };
	u64 hash = siphash(words, sizeof(words), key);

	return (hash >> ISN_HASH_SHIFT) +
	       ((now & ISN_CLOCK_MASK) << ISN_CLOCK_SHIFT);
}
