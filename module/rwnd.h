/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The receive window: what to advertise, when to tell of it, and how large the
 * receive buffer should be.
 *
 * Pure: no kernel state, no lock, no clock. Times are in microseconds.
 */
#ifndef _FERRY_RWND_H
#define _FERRY_RWND_H

#include <linux/types.h>

/**
 * struct ferry_rwnd - one end's receive window
 *
 * @edge: its right edge as advertised: the first sequence number that the peer
 *	may not send
 * @round_seq: what the application had read when this round trip began
 * @round_at: when that was; 0: not begun
 * @space: what it read in the busiest round trip so far, in bytes
 * @rtt: round-trip time as the receiver sees it, in 1/8 microseconds; 0: unknown
 *
 * Embedded in its owner, whose lock guards it.
 */
struct ferry_rwnd {
	u64	edge;
	u64	round_seq;
	u64	round_at;
	u32	space;
	u32	rtt;
};

void ferry_rwnd_init(struct ferry_rwnd *rwnd, u64 nxt, u32 window);

/**
 * ferry_rwnd_current() - what is left of the window that was advertised
 * @rwnd: the state
 * @nxt: RCV.NXT
 *
 * Context: any; pure.
 * Return: bytes.
 */
static inline u32 ferry_rwnd_current(const struct ferry_rwnd *rwnd, u64 nxt)
{
	return rwnd->edge > nxt ? rwnd->edge - nxt : 0;
}

u32 ferry_rwnd_select(struct ferry_rwnd *rwnd, u64 nxt, u32 free, u32 capacity,
		      u32 mss);
bool ferry_rwnd_opens(const struct ferry_rwnd *rwnd, u64 nxt, u32 free,
		      u32 capacity, u32 mss);
bool ferry_rwnd_update_due(const struct ferry_rwnd *rwnd, u64 nxt, u32 free,
			   u32 capacity, u32 mss);
void ferry_rwnd_measure(struct ferry_rwnd *rwnd, u32 sample);
u32 ferry_rwnd_read(struct ferry_rwnd *rwnd, u64 now, u64 seq, u32 mss,
		    u32 max);
bool ferry_rwnd_worth_sending(u32 queued, u32 usable, u32 mss, u32 max_window);

#endif /* _FERRY_RWND_H */
