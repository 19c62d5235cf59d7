// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pacing: see pace.h.
 */
#ifdef __KERNEL__
#include <linux/math64.h>
#include <linux/minmax.h>
#else
#include "user.h"
#endif

#include "pace.h"

#define NS_PER_US	FERRY_PACE_NS
#define NS_PER_SECOND	1000000000ULL

/* What leaves at a time: what the rate has for about a millisecond. */
#define QUANTUM_SHIFT	10
/* But so many segments, so that the far end has to acknowledge them at once. */
#define QUANTUM_SEGMENTS	2

/* What is late is made up for: as much as that at most, in nanoseconds. */
#define LATE_MAX	1000000U

/**
 * ferry_pace_until() - when ferry_pace_holds() no more
 * @pace: the state
 *
 * Context: any; pure.
 * Return: the time.
 */
u64 ferry_pace_until(const struct ferry_pace *pace)
{
	return div_u64(pace->next + NS_PER_US - 1, NS_PER_US);
}

/**
 * ferry_pace_limit() - how much may leave in one piece
 * @pace: the state, which has a rate
 * @mss: the largest segment, in bytes
 *
 * Context: any; pure.
 * Return: bytes, two segments at least.
 */
u32 ferry_pace_limit(const struct ferry_pace *pace, u32 mss)
{
	return clamp_t(u64, pace->rate >> QUANTUM_SHIFT,
		       QUANTUM_SEGMENTS * mss, U32_MAX);
}

/**
 * ferry_pace_sent() - something has left
 * @pace: the state, which has a rate
 * @now: the time
 * @bytes: of payload
 *
 * If it was late, by a timer's fault, the next are the sooner for it.
 *
 * Context: any; pure.
 */
void ferry_pace_sent(struct ferry_pace *pace, u64 now, u32 bytes)
{
	u64 at = now * NS_PER_US;

	if (pace->next + LATE_MAX < at)
		pace->next = at - LATE_MAX;
	pace->next += div64_u64(bytes * NS_PER_SECOND, pace->rate);
}
