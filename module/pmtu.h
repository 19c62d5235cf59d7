/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Path MTU discovery without a word from the path (RFC 4821, RFC 8899): which size
 * of segment gets through.
 *
 * A connection trusts what both ends have agreed on. If time-outs say that large
 * segments vanish, it falls to a size that passes anywhere, and from there
 * searches for the largest that arrives, by probes: segments of data like any
 * others, but larger.
 *
 *	TRUSTED		to BASE by a black hole
 *	BASE		to SEARCH when it arrives; to a smaller BASE if that is one too
 *	SEARCH		to TRUSTED, or COMPLETE, when there is no more to try
 *	COMPLETE	to SEARCH after ten minutes, or with a wider device
 *	SEARCH, COMPLETE	to BASE by a black hole
 *
 * It has no timer, and is asked only by who has something to send. Sizes are of
 * payload, in bytes. Pure: no kernel state, no lock, no clock.
 */
#ifndef _FERRY_PMTU_H
#define _FERRY_PMTU_H

#include <linux/types.h>

/* So many time-outs for one segment, and it is too large (RFC 4821, 7.7). */
#define FERRY_PMTU_TIMEOUTS	2

/* So many lost probes, and their size is too large (RFC 8899, MAX_PROBES). */
#define FERRY_PMTU_PROBES	3

/* The search is over when it is about so much. */
#define FERRY_PMTU_STEP		32U

/* In ticks of 2^24 microseconds, 16.8 s: about ten minutes (RFC 8899, 5.1.1). */
#define FERRY_PMTU_TICK_SHIFT	24
#define FERRY_PMTU_RAISE	36

/**
 * enum ferry_pmtu_state - what is known (RFC 8899, 5.2, in as far as a connection
 * has more to go by)
 *
 * @FERRY_PMTU_TRUSTED: nothing is against what both ends agreed on
 * @FERRY_PMTU_BASE: it was too large, and nothing has arrived since
 * @FERRY_PMTU_SEARCH: larger ones are tried
 * @FERRY_PMTU_COMPLETE: nothing larger gets through, or may
 */
enum ferry_pmtu_state {
	FERRY_PMTU_TRUSTED,
	FERRY_PMTU_BASE,
	FERRY_PMTU_SEARCH,
	FERRY_PMTU_COMPLETE,
};

/**
 * struct ferry_pmtu - what is known of one path
 *
 * @seq: low half of a sequence number: of the probe, if one is out; else of the
 *	segment that the last time-out was for, which in FERRY_PMTU_BASE is the
 *	first of @low's size
 * @raise_at: FERRY_PMTU_COMPLETE: the tick at which to search again;
 *	FERRY_PMTU_SEARCH: before it no probe is worth waiting for
 * @agreed: the largest that both ends' handshakes allow
 * @limit: the largest that this end's device allows, too
 * @low: the largest that gets through, as far as is known: what is sent
 * @high: the largest that may
 * @aim: what to try next, or again; 0: to be chosen
 * @size: of the probe that is out; 0: none is
 * @state: enum ferry_pmtu_state
 * @losses: of probes of @aim's size
 * @timeouts: for the segment at @seq
 *
 * Embedded in its owner, whose lock guards it.
 */
struct ferry_pmtu {
	u32	seq;
	u16	raise_at;
	u16	agreed;
	u16	limit;
	u16	low;
	u16	high;
	u16	aim;
	u16	size;
	u8	state;
	u8	losses:4;
	u8	timeouts:4;
};

void ferry_pmtu_init(struct ferry_pmtu *pmtu, u32 mss);
u32 ferry_pmtu_timeout(struct ferry_pmtu *pmtu, u64 una, u32 len);
void ferry_pmtu_acked(struct ferry_pmtu *pmtu, u64 una, u64 now);
u32 ferry_pmtu_next(struct ferry_pmtu *pmtu, u32 most, u64 now);
void ferry_pmtu_sent(struct ferry_pmtu *pmtu, u64 seq, u32 size);
void ferry_pmtu_unfit(struct ferry_pmtu *pmtu, u64 now);
bool ferry_pmtu_may_wait(const struct ferry_pmtu *pmtu, u64 now);
void ferry_pmtu_lost(struct ferry_pmtu *pmtu);
void ferry_pmtu_device(struct ferry_pmtu *pmtu, u32 mss, u64 now);

/**
 * ferry_pmtu_is_probe() - whether a segment is the probe that is out
 * @pmtu: the state
 * @seq: its sequence number
 *
 * Context: any; pure.
 * Return: whether it is.
 */
static inline bool ferry_pmtu_is_probe(const struct ferry_pmtu *pmtu, u64 seq)
{
	return pmtu->size && pmtu->seq == (u32)seq;
}

#endif /* _FERRY_PMTU_H */
