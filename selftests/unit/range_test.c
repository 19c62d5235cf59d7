// SPDX-License-Identifier: GPL-2.0-only
/*
 * range.c: each way in which a range can lie to others, SACK's order (RFC 2018)
 * and DSACK's report (RFC 2883), and long random walks against a bitmap.
 */
#include <string.h>

#include "unit.h"
#include "user.h"
#include "range.h"

UNIT_MAIN()

#define CAPACITY 4

static struct ferry_range ranges[CAPACITY];
static struct ferry_range_set set;
static struct ferry_span dup;

static void start_empty(void)
{
	memset(ranges, 0xa5, sizeof(ranges));
	ferry_range_init(&set, ranges, CAPACITY);
}

static enum ferry_range_verdict insert(u64 start, u64 end)
{
	return ferry_range_insert(&set, start, end, &dup);
}

/* The set is these ranges: pairs up to a 0. */
#define CHECK_SET(...) check_set((const u64[]){ __VA_ARGS__, 0 })

static void check_set(const u64 *pairs)
{
	unsigned int i;

	for (i = 0; i < set.count && pairs[2 * i]; i++) {
		CHECK_EQ(ranges[i].start, pairs[2 * i]);
		CHECK_EQ(ranges[i].start + ranges[i].len, pairs[2 * i + 1]);
	}
	CHECK_EQ(i, set.count);
	CHECK_EQ(pairs[2 * i], 0);
}

/* @dup is [start, end). */
static void check_dup(u64 start, u64 end)
{
	CHECK_EQ(dup.start, start);
	CHECK_EQ(dup.end, end);
}

/* 100-110, 120-130, 140-150 */
static void start_with_three(void)
{
	start_empty();
	insert(100, 110);
	insert(120, 130);
	insert(140, 150);
}

UNIT(range_layout__small)
{
	CHECK_EQ(sizeof(struct ferry_range), 16);
	CHECK_EQ(sizeof(struct ferry_range_set), sizeof(void *) + 8);
}

UNIT(range_insert__apart)
{
	start_empty();
	CHECK_EQ(insert(120, 130), FERRY_RANGE_ADDED);
	check_dup(120, 120);
	CHECK_EQ(insert(100, 110), FERRY_RANGE_ADDED);
	CHECK_EQ(insert(140, 150), FERRY_RANGE_ADDED);
	CHECK_EQ(insert(111, 119), FERRY_RANGE_ADDED);
	CHECK_SET(100, 110, 111, 119, 120, 130, 140, 150);
}

UNIT(range_insert__empty_is_refused)
{
	start_with_three();
	CHECK_EQ(insert(115, 115), FERRY_RANGE_REFUSED);
	CHECK_EQ(insert(116, 115), FERRY_RANGE_REFUSED);
	CHECK_EQ(insert(105, 105), FERRY_RANGE_REFUSED);
	CHECK_SET(100, 110, 120, 130, 140, 150);
}

UNIT(range_insert__touching_merges)
{
	start_with_three();
	CHECK_EQ(insert(110, 115), FERRY_RANGE_ADDED);
	check_dup(110, 110);
	CHECK_SET(100, 115, 120, 130, 140, 150);
	CHECK_EQ(insert(118, 120), FERRY_RANGE_ADDED);
	check_dup(118, 118);
	CHECK_SET(100, 115, 118, 130, 140, 150);
	CHECK_EQ(insert(115, 118), FERRY_RANGE_ADDED);
	CHECK_SET(100, 130, 140, 150);
}

UNIT(range_insert__overlapping_merges)
{
	start_with_three();
	CHECK_EQ(insert(95, 105), FERRY_RANGE_ADDED);
	check_dup(100, 105);
	CHECK_SET(95, 110, 120, 130, 140, 150);
	CHECK_EQ(insert(125, 135), FERRY_RANGE_ADDED);
	check_dup(125, 130);
	CHECK_SET(95, 110, 120, 135, 140, 150);
	CHECK_EQ(insert(90, 160), FERRY_RANGE_ADDED);
	check_dup(95, 110);
	CHECK_SET(90, 160);
}

UNIT(range_insert__touches_one_overlaps_next)
{
	start_with_three();
	CHECK_EQ(insert(110, 125), FERRY_RANGE_ADDED);
	/* RFC 2883, 4: what was there before, and nothing else. */
	check_dup(120, 125);
	CHECK_SET(100, 130, 140, 150);
}

UNIT(range_insert__duplicate)
{
	start_with_three();
	CHECK_EQ(insert(120, 130), FERRY_RANGE_DUPLICATE);
	check_dup(120, 130);
	CHECK_EQ(insert(122, 123), FERRY_RANGE_DUPLICATE);
	check_dup(122, 123);
	CHECK_EQ(insert(149, 150), FERRY_RANGE_DUPLICATE);
	CHECK_SET(100, 110, 120, 130, 140, 150);
}

UNIT(range_insert__full_refuses_only_what_needs_a_place)
{
	start_with_three();
	CHECK_EQ(insert(160, 170), FERRY_RANGE_ADDED);
	CHECK_EQ(insert(180, 190), FERRY_RANGE_REFUSED);
	CHECK_EQ(insert(112, 118), FERRY_RANGE_REFUSED);
	CHECK_EQ(insert(10, 20), FERRY_RANGE_REFUSED);
	CHECK_SET(100, 110, 120, 130, 140, 150, 160, 170);
	CHECK_EQ(insert(125, 126), FERRY_RANGE_DUPLICATE);
	CHECK_EQ(insert(110, 111), FERRY_RANGE_ADDED);
	CHECK_EQ(insert(105, 145), FERRY_RANGE_ADDED);
	CHECK_SET(100, 150, 160, 170);
	CHECK_EQ(insert(180, 190), FERRY_RANGE_ADDED);
}

UNIT(range_insert__no_capacity)
{
	ferry_range_init(&set, NULL, 0);
	CHECK_EQ(insert(1, 2), FERRY_RANGE_REFUSED);
	CHECK_EQ(ferry_range_absorb(&set, 7), 7);
	CHECK(!ferry_range_covers(&set, 1, 2));
}

UNIT(range_insert__longest)
{
	start_empty();
	CHECK_EQ(insert(1, 1 + (1ULL << 32)), FERRY_RANGE_REFUSED);
	CHECK_EQ(insert(1, 1ULL << 32), FERRY_RANGE_ADDED);
	CHECK_EQ(insert(1ULL << 32, (1ULL << 32) + 1), FERRY_RANGE_REFUSED);
	CHECK_SET(1, 1ULL << 32);
	CHECK_EQ(insert(~0ULL - 5, ~0ULL), FERRY_RANGE_ADDED);
	CHECK_EQ(ferry_range_end(&set, 0), ~0ULL);
}

UNIT(range_insert__dup_may_be_null)
{
	start_with_three();
	CHECK_EQ(ferry_range_insert(&set, 105, 106, NULL),
		 FERRY_RANGE_DUPLICATE);
}

UNIT(range_trim__each_place)
{
	start_with_three();
	ferry_range_trim(&set, 100);
	CHECK_SET(100, 110, 120, 130, 140, 150);
	ferry_range_trim(&set, 109);
	CHECK_SET(109, 110, 120, 130, 140, 150);
	ferry_range_trim(&set, 110);
	CHECK_SET(120, 130, 140, 150);
	ferry_range_trim(&set, 115);
	CHECK_SET(120, 130, 140, 150);
	ferry_range_trim(&set, 145);
	CHECK_SET(145, 150);
	ferry_range_trim(&set, 1000);
	CHECK_EQ(set.count, 0);
}

UNIT(range_absorb__goes_on_to_the_gap)
{
	start_with_three();
	CHECK_EQ(ferry_range_absorb(&set, 99), 99);
	CHECK_EQ(ferry_range_absorb(&set, 100), 110);
	CHECK_SET(120, 130, 140, 150);
	CHECK_EQ(ferry_range_absorb(&set, 125), 130);
	CHECK_SET(140, 150);
	CHECK_EQ(ferry_range_absorb(&set, 150), 150);
	CHECK_EQ(set.count, 0);
	CHECK_EQ(ferry_range_absorb(&set, 200), 200);
}

/* RFC 2883, 4: below the cumulative ACK, and above it. */
UNIT(range_duplicate__below_and_above)
{
	start_with_three();
	CHECK(ferry_range_duplicate(&set, 90, 80, 85, &dup));
	check_dup(80, 85);
	CHECK(ferry_range_duplicate(&set, 90, 80, 95, &dup));
	check_dup(80, 90);
	/* Only the first run is reported. */
	CHECK(ferry_range_duplicate(&set, 90, 85, 105, &dup));
	check_dup(85, 90);
	CHECK(ferry_range_duplicate(&set, 90, 95, 125, &dup));
	check_dup(100, 110);
	CHECK(!ferry_range_duplicate(&set, 90, 90, 100, &dup));
	check_dup(90, 90);
	CHECK(!ferry_range_duplicate(&set, 90, 110, 120, &dup));
	CHECK(!ferry_range_duplicate(&set, 90, 85, 85, &dup));
	CHECK(ferry_range_duplicate(&set, 90, 110, 121, &dup));
	check_dup(120, 121);
}

UNIT(range_covers__all_or_not)
{
	start_with_three();
	CHECK(ferry_range_covers(&set, 100, 110));
	CHECK(ferry_range_covers(&set, 121, 129));
	CHECK(ferry_range_covers(&set, 115, 115));
	CHECK(!ferry_range_covers(&set, 99, 101));
	CHECK(!ferry_range_covers(&set, 129, 131));
	CHECK(!ferry_range_covers(&set, 105, 125));
	CHECK(!ferry_range_covers(&set, 110, 120));
	CHECK(!ferry_range_covers(&set, 150, 151));
}

/* RFC 2018, 4: the block of the latest segment first, then as they changed. */
UNIT(range_recent__latest_first)
{
	struct ferry_span spans[CAPACITY + 1];

	start_with_three();
	insert(121, 122);
	CHECK_EQ(ferry_range_recent(&set, spans, CAPACITY + 1), 3);
	CHECK_EQ(spans[0].start, 120);
	CHECK_EQ(spans[0].end, 130);
	CHECK_EQ(spans[1].start, 140);
	CHECK_EQ(spans[2].start, 100);

	insert(110, 112);
	CHECK_EQ(ferry_range_recent(&set, spans, 2), 2);
	CHECK_EQ(spans[0].start, 100);
	CHECK_EQ(spans[0].end, 112);
	CHECK_EQ(spans[1].start, 120);

	/* What is refused changes nothing. */
	insert(160, 170);
	insert(180, 190);
	CHECK_EQ(ferry_range_recent(&set, spans, 1), 1);
	CHECK_EQ(spans[0].start, 160);
	CHECK_EQ(ferry_range_recent(&set, spans, 0), 0);
}

UNIT(range_recent__clock_wraps)
{
	struct ferry_span spans[2];

	start_empty();
	set.clock = ~0U - 1;
	insert(100, 110);
	insert(120, 130);
	CHECK_EQ(set.clock, 0);
	CHECK_EQ(ferry_range_recent(&set, spans, 2), 2);
	CHECK_EQ(spans[0].start, 120);
	CHECK_EQ(spans[1].start, 100);
}

UNIT(range_end__highest)
{
	start_empty();
	CHECK_EQ(ferry_range_end(&set, 42), 42);
	start_with_three();
	CHECK_EQ(ferry_range_end(&set, 42), 150);
}

/* Ascending, apart, not empty, not more than fit. */
static void check_invariants(void)
{
	unsigned int i;

	CHECK(set.count <= set.capacity);
	for (i = 0; i < set.count; i++) {
		CHECK(ranges[i].len > 0);
		if (i)
			CHECK(ranges[i - 1].start + ranges[i - 1].len <
			      ranges[i].start);
	}
}

#define MODEL 96

static bool model[MODEL];

static unsigned int model_runs(void)
{
	unsigned int runs = 0, i;

	for (i = 0; i < MODEL; i++)
		runs += model[i] && (!i || !model[i - 1]);
	return runs;
}

static void model_insert(u64 start, u64 end)
{
	bool before[MODEL];
	bool news = false;
	u64 i;

	memcpy(before, model, sizeof(model));
	for (i = start; i < end; i++) {
		news |= !model[i];
		model[i] = true;
	}
	if (start == end || model_runs() > CAPACITY) {
		memcpy(model, before, sizeof(model));
		CHECK_EQ(insert(start, end), FERRY_RANGE_REFUSED);
		return;
	}
	CHECK_EQ(insert(start, end),
		 news ? FERRY_RANGE_ADDED : FERRY_RANGE_DUPLICATE);
	for (i = start; i < end && !before[i]; i++)
		;
	CHECK_EQ(dup.start < dup.end, i < end);
	if (i < end)
		CHECK_EQ(dup.start, i);
	for (; i < end && before[i]; i++)
		;
	if (dup.start < dup.end)
		CHECK_EQ(dup.end, i);
}

UNIT(range_walk__is_a_bitmap)
{
	u32 random = 1, step;
	u64 start, end, i;

	memset(model, 0, sizeof(model));
	start_empty();
	for (step = 0; step < 200000; step++) {
		random = random * 1664525 + 1013904223;
		start = (random >> 8) % (MODEL - 8);
		end = start + (random >> 20) % 8;
		if (random >> 28) {
			model_insert(start, end);
		} else {
			ferry_range_trim(&set, start);
			memset(model, 0, start);
		}
		check_invariants();
		i = (random >> 4) % MODEL;
		CHECK_EQ(ferry_range_covers(&set, i, i + 1), model[i]);
	}
	for (i = 0; i < MODEL; i++)
		CHECK_EQ(ferry_range_covers(&set, i, i + 1), model[i]);
}
