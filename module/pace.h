/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pacing: who has a rate sends no faster than that, whatever windows allow.
 *
 * Pure: no kernel state, no lock, no clock. Times are in microseconds, but for one
 * that adds up too many small ones for that.
 */
#ifndef _FERRY_PACE_H
#define _FERRY_PACE_H

#include <linux/types.h>

/* Nanoseconds to a microsecond. */
#define FERRY_PACE_NS	1000U

/**
 * struct ferry_pace - how fast one end sends
 *
 * @rate: bytes of payload per second; 0: as fast as it can. The owner's to set,
 *	at any time
 * @next: when the next piece may leave, in nanoseconds
 *
 * Zeroed to begin with. Embedded in its owner, whose lock guards it.
 */
struct ferry_pace {
	u64	rate;
	u64	next;
};

/**
 * ferry_pace_holds() - whether what is to be sent has to wait for its time
 * @pace: the state
 * @now: the time
 *
 * Context: any; pure.
 * Return: whether it has, until ferry_pace_until().
 */
static inline bool ferry_pace_holds(const struct ferry_pace *pace, u64 now)
{
	return pace->rate && now * FERRY_PACE_NS < pace->next;
}

u64 ferry_pace_until(const struct ferry_pace *pace);
u32 ferry_pace_limit(const struct ferry_pace *pace, u32 mss);
void ferry_pace_sent(struct ferry_pace *pace, u64 now, u32 bytes);

#endif /* _FERRY_PACE_H */
