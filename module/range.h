/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges: an ordered set of disjoint ranges of sequence numbers.
 *
 * A receiver keeps in it what arrived ahead of its turn, and takes from it the
 * blocks of its selective acknowledgments (RFC 2018) and the report of what
 * arrived twice (RFC 2883).
 *
 * The memory is the caller's and never grows: a peer cannot make the set large
 * or an operation on it expensive. When the set is full, a range that would
 * need a place of its own is refused, and the caller drops the segment.
 *
 * Pure: no kernel state, no allocation, no lock, no clock.
 */
#ifndef _FERRY_RANGE_H
#define _FERRY_RANGE_H

#include <linux/types.h>

/**
 * struct ferry_span - the sequence numbers from @start up to, not with, @end
 *
 * @start: the first
 * @end: the one after the last; equal to @start: none
 */
struct ferry_span {
	u64	start;
	u64	end;
};

/**
 * struct ferry_range - one range of a set, in 16 bytes
 *
 * @start: its first sequence number
 * @len: how many it has, never 0
 * @stamp: the set's @clock when it last changed
 */
struct ferry_range {
	u64	start;
	u32	len;
	u32	stamp;
};

/**
 * struct ferry_range_set - ranges in ascending order, with a gap between any two
 *
 * @ranges: the caller's array
 * @clock: counts the changes
 * @count: ranges in use
 * @capacity: of @ranges
 *
 * Embedded in its owner, whose lock guards it and whose death is its own.
 */
struct ferry_range_set {
	struct ferry_range *ranges;
	u32	clock;
	u16	count;
	u16	capacity;
};

/**
 * enum ferry_range_verdict - what became of an insertion
 *
 * @FERRY_RANGE_ADDED: some of it is new, and all of it is in the set now
 * @FERRY_RANGE_DUPLICATE: all of it was there; it counts as just changed
 * @FERRY_RANGE_REFUSED: it is empty, or the set is full, or a range would grow
 *	past 2^32 - 1; the set is as it was
 */
enum ferry_range_verdict {
	FERRY_RANGE_ADDED,
	FERRY_RANGE_DUPLICATE,
	FERRY_RANGE_REFUSED,
};

void ferry_range_init(struct ferry_range_set *set, struct ferry_range *ranges,
		      u16 capacity);
enum ferry_range_verdict ferry_range_insert(struct ferry_range_set *set,
					    u64 start, u64 end,
					    struct ferry_span *dup);
void ferry_range_trim(struct ferry_range_set *set, u64 point);
u64 ferry_range_absorb(struct ferry_range_set *set, u64 point);
bool ferry_range_duplicate(const struct ferry_range_set *set, u64 nxt,
			   u64 start, u64 end, struct ferry_span *dup);
bool ferry_range_covers(const struct ferry_range_set *set, u64 start, u64 end);
unsigned int ferry_range_recent(const struct ferry_range_set *set,
				struct ferry_span *spans, unsigned int max);

/**
 * ferry_range_end() - the end of the highest range
 * @set: the set
 * @point: what to return for an empty set
 *
 * Context: any; pure.
 * Return: one past the highest sequence number in @set.
 */
static inline u64 ferry_range_end(const struct ferry_range_set *set, u64 point)
{
	const struct ferry_range *last;

	if (!set->count)
		return point;
	last = &set->ranges[set->count - 1];
	return last->start + last->len;
}

#endif /* _FERRY_RANGE_H */
