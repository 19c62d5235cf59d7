// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any sequence of operations on a set of ranges: after each one it holds what
 * a bitmap holds that had the same done to it.
 *
 * The input's first byte is the capacity, then three bytes a step.
 */
#include <stdlib.h>
#include <string.h>

#include "user.h"
#include "range.h"

#define PROMISE(condition)						\
	do {								\
		if (!(condition))					\
			abort();					\
	} while (0)

#define BITS 512

struct model {
	bool has[BITS];
};

/* The end of the run at @at, which is @at if there is none. */
static u64 run_end(const struct model *model, u64 at)
{
	while (at < BITS && model->has[at])
		at++;
	return at;
}

static void check_same(const struct ferry_range_set *set,
		       const struct model *model)
{
	u64 at = 0, end;
	u16 i = 0;

	PROMISE(set->count <= set->capacity);
	while (at < BITS) {
		end = run_end(model, at);
		if (end == at) {
			at++;
			continue;
		}
		PROMISE(i < set->count);
		PROMISE(set->ranges[i].start == at);
		PROMISE(set->ranges[i].len == end - at);
		at = end;
		i++;
	}
	PROMISE(i == set->count);
}

static unsigned int runs_of(const struct model *model)
{
	unsigned int runs = 0, i;

	for (i = 0; i < BITS; i++)
		runs += model->has[i] && (!i || !model->has[i - 1]);
	return runs;
}

static void check_dup(const struct model *model, u64 start, u64 end,
		      const struct ferry_span *dup)
{
	u64 at = start;

	while (at < end && !model->has[at])
		at++;
	if (at >= end) {
		PROMISE(dup->start == dup->end);
		return;
	}
	PROMISE(dup->start == at);
	PROMISE(dup->end == min_t(u64, run_end(model, at), end));
}

static void insert(struct ferry_range_set *set, struct model *model, u64 start,
		   u64 end)
{
	struct model after = *model;
	enum ferry_range_verdict verdict;
	struct ferry_span dup, latest;
	bool news = false;
	u64 at;

	verdict = ferry_range_insert(set, start, end, &dup);
	check_dup(model, start, end, &dup);
	for (at = start; at < end; at++) {
		news |= !after.has[at];
		after.has[at] = true;
	}
	if (start == end || runs_of(&after) > set->capacity) {
		PROMISE(verdict == FERRY_RANGE_REFUSED);
		return;
	}
	PROMISE(verdict == (news ? FERRY_RANGE_ADDED : FERRY_RANGE_DUPLICATE));
	*model = after;
	PROMISE(ferry_range_recent(set, &latest, 1) == 1);
	PROMISE(latest.start <= start && latest.end >= end);
}

static void absorb(struct ferry_range_set *set, struct model *model, u64 point)
{
	u64 end = run_end(model, point);

	PROMISE(ferry_range_absorb(set, point) == end);
	memset(model->has, 0, end);
}

static void query(const struct ferry_range_set *set, const struct model *model,
		  u64 start, u64 end)
{
	struct ferry_span dup, spans[256];
	unsigned int count, i, j;

	PROMISE(ferry_range_covers(set, start, end) ==
		(run_end(model, start) >= end));
	PROMISE(ferry_range_duplicate(set, 0, start, end, &dup) ==
		(dup.start < dup.end));
	check_dup(model, start, end, &dup);

	/* Every range, each once. */
	count = ferry_range_recent(set, spans, 256);
	PROMISE(count == set->count);
	for (i = 0; i < count; i++) {
		PROMISE(ferry_range_covers(set, spans[i].start, spans[i].end));
		for (j = 0; j < i; j++)
			PROMISE(spans[i].start != spans[j].start);
	}
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	struct ferry_range_set set;
	struct ferry_range *ranges;
	struct model model = {};
	u64 start, end;

	if (!size)
		return 0;
	/* Its own allocation, so that the place after it is out of bounds. */
	ranges = malloc(data[0] * sizeof(*ranges) + 1);
	ferry_range_init(&set, ranges, data[0]);
	for (data++, size--; size >= 3; data += 3, size -= 3) {
		start = data[1];
		end = start + data[2];
		switch (data[0] % 4) {
		case 0:
			insert(&set, &model, start, end);
			break;
		case 1:
			ferry_range_trim(&set, start);
			memset(model.has, 0, start);
			break;
		case 2:
			absorb(&set, &model, start);
			break;
		case 3:
			query(&set, &model, start, end);
			break;
		}
		check_same(&set, &model);
	}
	free(ranges);
	return 0;
}
