// SPDX-License-Identifier: GPL-2.0-only
/*
 * Path MTU discovery: see pmtu.h.
 */
#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>
#else
#include "user.h"
#endif

#include "pmtu.h"
#include "wire.h"

/* Where to fall to: MTUs of 1,200 (RFC 8899, 5.1.2), 584, and what all can take. */
static const u16 bases[] = { 1152, 536, FERRY_MSS_MIN };

/* Of MTUs that networks have: tried before others (RFC 4821, 7.3). */
static const u16 common[] = { 1500 - FERRY_CONN_HLEN, 9000 - FERRY_CONN_HLEN };

static u16 tick(u64 now)
{
	return now >> FERRY_PMTU_TICK_SHIFT;
}

/**
 * ferry_pmtu_init() - a new connection
 * @pmtu: the state
 * @mss: the largest segment that both ends allow, as far as is known
 *
 * Context: any; pure.
 */
void ferry_pmtu_init(struct ferry_pmtu *pmtu, u32 mss)
{
	u16 size = min_t(u32, mss, U16_MAX);

	*pmtu = (struct ferry_pmtu) {
		.agreed = size,
		.limit = size,
		.low = size,
		.high = size,
	};
}

/* Nothing to be gained by larger ones, now. */
static void finish(struct ferry_pmtu *pmtu, u64 now)
{
	pmtu->state = pmtu->low == pmtu->agreed ? FERRY_PMTU_TRUSTED :
						  FERRY_PMTU_COMPLETE;
	pmtu->raise_at = tick(now) + FERRY_PMTU_RAISE;
	pmtu->aim = 0;
	pmtu->losses = 0;
}

static void search(struct ferry_pmtu *pmtu, u64 now)
{
	pmtu->state = FERRY_PMTU_SEARCH;
	pmtu->raise_at = tick(now);
}

/* The next smaller base; the size itself if there is none. */
static u16 base_below(u16 size)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bases); i++)
		if (bases[i] < size)
			return bases[i];
	return size;
}

/**
 * ferry_pmtu_lost() - the probe that was out is lost
 * @pmtu: the state
 *
 * A smaller one than what it aims at counts as well: that is what a black hole
 * for the smaller means.
 *
 * Context: any; pure.
 */
void ferry_pmtu_lost(struct ferry_pmtu *pmtu)
{
	pmtu->size = 0;
	if (++pmtu->losses < FERRY_PMTU_PROBES)
		return;
	pmtu->high = pmtu->aim - 1;
	pmtu->aim = 0;
	pmtu->losses = 0;
}

/**
 * ferry_pmtu_timeout() - the retransmission timer expired
 * @pmtu: the state
 * @una: SND.UNA
 * @len: how long what begins there is
 *
 * A probe that is out is lost, too. The second time for the same segment, and that
 * longer than a base, it is a black hole. That counts against the size as lost
 * probes do, but for the last: so it is tried once more when smaller ones get
 * through, which makes good what a network that was away for a while has led to.
 *
 * Context: any; pure.
 * Return: the size of segments from now on.
 */
u32 ferry_pmtu_timeout(struct ferry_pmtu *pmtu, u64 una, u32 len)
{
	u16 base = base_below(min_t(u32, pmtu->low, len));

	if (pmtu->size)
		ferry_pmtu_lost(pmtu);
	if (pmtu->seq != (u32)una)
		pmtu->timeouts = 0;
	pmtu->seq = una;
	if (pmtu->timeouts < FERRY_PMTU_TIMEOUTS)
		pmtu->timeouts++;
	if (pmtu->timeouts < FERRY_PMTU_TIMEOUTS || base >= len)
		return pmtu->low;

	if (pmtu->state != FERRY_PMTU_BASE) {
		pmtu->high = pmtu->low;
		pmtu->aim = pmtu->low;
		pmtu->losses = FERRY_PMTU_PROBES - 1;
	}
	pmtu->state = FERRY_PMTU_BASE;
	pmtu->timeouts = 0;
	pmtu->low = base;
	return base;
}

/**
 * ferry_pmtu_acked() - SND.UNA has moved
 * @pmtu: the state
 * @una: to where
 * @now: the time
 *
 * If the base or the probe has arrived by it, @pmtu->low has grown.
 *
 * Context: any; pure.
 */
void ferry_pmtu_acked(struct ferry_pmtu *pmtu, u64 una, u64 now)
{
	s32 beyond = (u32)una - pmtu->seq;

	if (pmtu->state == FERRY_PMTU_BASE && beyond >= pmtu->low)
		search(pmtu, now);
	if (!pmtu->size || beyond < pmtu->size)
		return;
	pmtu->low = pmtu->size;
	pmtu->size = 0;
	if (pmtu->aim <= pmtu->low) {
		pmtu->aim = 0;
		pmtu->losses = 0;
	}
	if (pmtu->low == pmtu->limit)
		finish(pmtu, now);
}

/* A size above @low, at most @top, that is worth a try; 0: none is. */
static u16 choose(u16 low, u16 top)
{
	unsigned int i;

	if (top < low + FERRY_PMTU_STEP)
		return 0;
	for (i = 0; i < ARRAY_SIZE(common); i++) {
		/* Where that is the end, one more try shows it. */
		if (low == common[i])
			return low + FERRY_PMTU_STEP;
		if (low < common[i] && common[i] <= top)
			return common[i];
	}
	return low + (top - low + 1) / 2;
}

/**
 * ferry_pmtu_next() - which size to probe
 * @pmtu: the state
 * @most: the largest that the windows, and what there is to send, allow
 * @now: the time
 *
 * To be asked when nothing is lost, as long as a probe would be welcome.
 *
 * Context: any; pure.
 * Return: the size, above @pmtu->low; 0: none.
 */
u32 ferry_pmtu_next(struct ferry_pmtu *pmtu, u32 most, u64 now)
{
	if (pmtu->size)
		return 0;
	if (pmtu->state == FERRY_PMTU_COMPLETE && pmtu->low < pmtu->limit &&
	    (s16)(tick(now) - pmtu->raise_at) >= 0) {
		search(pmtu, now);
		pmtu->high = pmtu->limit;
	}
	if (pmtu->state != FERRY_PMTU_SEARCH)
		return 0;
	if (!pmtu->aim)
		pmtu->aim = choose(pmtu->low, pmtu->high);
	if (!pmtu->aim) {
		finish(pmtu, now);
		return 0;
	}
	if (pmtu->aim <= most)
		return pmtu->aim;
	return choose(pmtu->low, min_t(u32, pmtu->high, most));
}

/**
 * ferry_pmtu_sent() - a probe was sent
 * @pmtu: the state
 * @seq: its sequence number
 * @size: its size, which may be less than ferry_pmtu_next() has said
 *
 * Context: any; pure.
 */
void ferry_pmtu_sent(struct ferry_pmtu *pmtu, u64 seq, u32 size)
{
	pmtu->seq = seq;
	pmtu->size = size;
	pmtu->timeouts = 0;
}

/**
 * ferry_pmtu_unfit() - what was to be a probe is too short to be one
 * @pmtu: the state
 * @now: the time
 *
 * It may be records, all of them short. Probes are not waited for then, for some
 * seconds.
 *
 * Context: any; pure.
 */
void ferry_pmtu_unfit(struct ferry_pmtu *pmtu, u64 now)
{
	pmtu->raise_at = tick(now) + 1;
}

/**
 * ferry_pmtu_may_wait() - whether to hold data back until there is room for a probe
 * @pmtu: the state, which has one to send
 * @now: the time
 *
 * Context: any; pure.
 * Return: whether that is worth it.
 */
bool ferry_pmtu_may_wait(const struct ferry_pmtu *pmtu, u64 now)
{
	return (s16)(tick(now) - pmtu->raise_at) >= 0;
}

/**
 * ferry_pmtu_device() - the device takes more, or less, than before
 * @pmtu: the state; @pmtu->low falls at once
 * @mss: the largest segment that it takes
 * @now: the time
 *
 * Context: any; pure.
 */
void ferry_pmtu_device(struct ferry_pmtu *pmtu, u32 mss, u64 now)
{
	u16 limit = min_t(u32, mss, pmtu->agreed);
	u16 before = pmtu->limit;

	pmtu->limit = limit;
	if (limit < before) {
		/* The probe is not what it was taken for. */
		pmtu->size = 0;
		pmtu->high = min_t(u16, pmtu->high, limit);
		if (pmtu->aim > limit) {
			pmtu->aim = 0;
			pmtu->losses = 0;
		}
		if (pmtu->low < limit)
			return;
		pmtu->low = limit;
		if (pmtu->state != FERRY_PMTU_BASE)
			finish(pmtu, now);
	} else if (limit > before) {
		/* All of it is the best guess. */
		pmtu->high = limit;
		pmtu->aim = limit;
		pmtu->losses = 0;
		if (pmtu->state != FERRY_PMTU_BASE)
			search(pmtu, now);
	}
}
