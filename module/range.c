// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges: an ordered set of disjoint ranges of sequence numbers. See range.h.
 */
#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/string.h>
#else
#include <string.h>
#include "user.h"
#endif

#include "range.h"

static u64 range_end(const struct ferry_range *range)
{
	return range->start + range->len;
}

/* The first range that ends at @point or above. */
static unsigned int first_from(const struct ferry_range_set *set, u64 point)
{
	unsigned int low = 0, high = set->count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (range_end(&set->ranges[middle]) < point)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The ranges from @from on move to @to; there is room for them. */
static void shift(struct ferry_range_set *set, unsigned int to,
		  unsigned int from)
{
	memmove(&set->ranges[to], &set->ranges[from],
		(set->count - from) * sizeof(*set->ranges));
	set->count += to - from;
}

/* The lowest part of [@start, @end) that is in @set; @at is its first_from(). */
static void overlap(const struct ferry_range_set *set, unsigned int at,
		    u64 start, u64 end, struct ferry_span *part)
{
	*part = (struct ferry_span) { start, start };

	/* One that only touches from below has nothing of it; the next may. */
	if (at < set->count && range_end(&set->ranges[at]) == start)
		at++;
	if (at == set->count || set->ranges[at].start >= end)
		return;
	part->start = max_t(u64, start, set->ranges[at].start);
	part->end = min_t(u64, end, range_end(&set->ranges[at]));
}

/**
 * ferry_range_init() - make an empty set
 * @set: the set
 * @ranges: memory for it, the caller's for as long as the set lives; may be
 *	NULL if @capacity is 0
 * @capacity: how many ranges fit into @ranges
 *
 * Context: any; pure.
 */
void ferry_range_init(struct ferry_range_set *set, struct ferry_range *ranges,
		      u16 capacity)
{
	*set = (struct ferry_range_set) {
		.ranges = ranges,
		.capacity = capacity,
	};
}

/**
 * ferry_range_insert() - add a range, merging it with what it overlaps or touches
 * @set: the set
 * @start: first sequence number of the range
 * @end: the one after its last
 * @dup: where to store the lowest part of the range that was in the set before,
 *	empty if none was: what a DSACK tells (RFC 2883, section 4). May be NULL
 *
 * Context: any; pure. Cost: a binary search and one move of the array's tail.
 * Return: what became of it. @dup is set even if it is refused.
 */
enum ferry_range_verdict ferry_range_insert(struct ferry_range_set *set,
					    u64 start, u64 end,
					    struct ferry_span *dup)
{
	struct ferry_span had = { start, start };
	struct ferry_range *range;
	unsigned int low, high;

	if (dup)
		*dup = had;
	if (start >= end || !set->capacity)
		return FERRY_RANGE_REFUSED;

	low = first_from(set, start);
	overlap(set, low, start, end, &had);
	if (dup)
		*dup = had;

	range = &set->ranges[low];
	if (had.start == start && had.end == end) {
		range->stamp = ++set->clock;
		return FERRY_RANGE_DUPLICATE;
	}

	/* [low, high) are those that it overlaps or touches: all become one. */
	for (high = low; high < set->count; high++)
		if (set->ranges[high].start > end)
			break;
	if (low < high) {
		start = min_t(u64, start, range->start);
		end = max_t(u64, end, range_end(&set->ranges[high - 1]));
	}
	if (end - start > U32_MAX)
		return FERRY_RANGE_REFUSED;
	if (low == high && set->count == set->capacity)
		return FERRY_RANGE_REFUSED;

	if (high != low + 1)
		shift(set, low + 1, high);
	*range = (struct ferry_range) { start, end - start, ++set->clock };
	return FERRY_RANGE_ADDED;
}

/**
 * ferry_range_trim() - take out everything below a point
 * @set: the set
 * @point: the lowest sequence number that may stay
 *
 * Context: any; pure.
 */
void ferry_range_trim(struct ferry_range_set *set, u64 point)
{
	unsigned int first = first_from(set, point);
	struct ferry_range *range;

	if (first < set->count && range_end(&set->ranges[first]) == point)
		first++;
	if (first)
		shift(set, 0, first);
	if (!set->count)
		return;
	range = &set->ranges[0];
	if (range->start < point) {
		range->len = range_end(range) - point;
		range->start = point;
	}
}

/**
 * ferry_range_absorb() - how far it goes on without a gap from a point, and take
 * that out
 * @set: the set
 * @point: RCV.NXT after a segment that arrived in its turn
 *
 * Context: any; pure.
 * Return: the new RCV.NXT: @point, or the end of the range that has or begins
 * at @point. Nothing below it, nor that range, is in the set any more.
 */
u64 ferry_range_absorb(struct ferry_range_set *set, u64 point)
{
	ferry_range_trim(set, point);
	if (!set->count || set->ranges[0].start != point)
		return point;
	point = range_end(&set->ranges[0]);
	shift(set, 0, 1);
	return point;
}

/**
 * ferry_range_duplicate() - the first part of a segment that had arrived before
 * @set: what arrived out of order
 * @nxt: RCV.NXT: all below it arrived
 * @start: the segment's first sequence number
 * @end: the one after its last
 * @dup: where to store the lowest run of duplicate sequence numbers
 *
 * To be asked before the segment changes @set or @nxt. A DSACK reports one run,
 * the first (RFC 2883, section 4, "only one").
 *
 * Context: any; pure.
 * Return: whether there is one.
 */
bool ferry_range_duplicate(const struct ferry_range_set *set, u64 nxt,
			   u64 start, u64 end, struct ferry_span *dup)
{
	*dup = (struct ferry_span) { start, start };
	if (start >= end)
		return false;
	if (start < nxt)
		dup->end = min_t(u64, end, nxt);
	else
		overlap(set, first_from(set, start), start, end, dup);
	return dup->start < dup->end;
}

/**
 * ferry_range_covers() - whether every sequence number of a range is in the set
 * @set: the set
 * @start: the first
 * @end: the one after the last
 *
 * Context: any; pure.
 * Return: whether they all are; true for an empty range.
 */
bool ferry_range_covers(const struct ferry_range_set *set, u64 start, u64 end)
{
	struct ferry_span part;

	if (start >= end)
		return true;
	overlap(set, first_from(set, start), start, end, &part);
	return part.start == start && part.end == end;
}

/**
 * ferry_range_recent() - the ranges that changed last, the latest first
 * @set: the set
 * @spans: where to store them
 * @max: how many to store at most
 *
 * The order of the blocks in a SACK (RFC 2018, section 4): the first one has the
 * segment that arrived last, so that a lost ACK loses no news.
 *
 * Context: any; pure. Cost: @max passes over the set.
 * Return: how many were stored.
 */
unsigned int ferry_range_recent(const struct ferry_range_set *set,
				struct ferry_span *spans, unsigned int max)
{
	const struct ferry_range *range, *best;
	u32 age, best_age, last_age = 0;
	unsigned int stored, i;

	for (stored = 0; stored < max; stored++) {
		best = NULL;
		best_age = 0;
		for (i = 0; i < set->count; i++) {
			range = &set->ranges[i];
			/* No two stamps are the same, so no two ages are. */
			age = set->clock - range->stamp + 1;
			if (age > last_age && (!best || age < best_age)) {
				best = range;
				best_age = age;
			}
		}
		if (!best)
			break;
		spans[stored].start = best->start;
		spans[stored].end = range_end(best);
		last_age = best_age;
	}
	return stored;
}
