// SPDX-License-Identifier: GPL-2.0-only
/*
 * pmtu.c: what a black hole is, where to fall to, which sizes are tried and how
 * often, and how near the search comes to any path's truth.
 */
#include "unit.h"
#include "user.h"
#include "pmtu.h"
#include "wire.h"

UNIT_MAIN()

#define JUMBO	8952U		/* payload of an MTU of 9,000 */
#define USUAL	1452U		/* of 1,500 */
#define BASE	1152U
#define ANY	U32_MAX
#define TICK	(1ULL << FERRY_PMTU_TICK_SHIFT)

static struct ferry_pmtu pmtu;
static u64 now, seq;
static unsigned int probes, lost;

static void start(u32 mss)
{
	ferry_pmtu_init(&pmtu, mss);
	now = 1000 * TICK;
	/* Low halves wrap on the way. */
	seq = (7ULL << 32) - 20000;
	probes = 0;
	lost = 0;
}

static u32 timeout(u32 len)
{
	return ferry_pmtu_timeout(&pmtu, seq, len);
}

/* The base gets through. */
static void base_arrives(void)
{
	seq += pmtu.low;
	ferry_pmtu_acked(&pmtu, seq, now);
}

static void fall(u32 mss)
{
	start(mss);
	timeout(mss);
	timeout(mss);
	base_arrives();
}

/* Send a probe, if one is due, on a path that takes @path; its size. */
static u32 probe(u32 path, u32 most)
{
	u32 size = ferry_pmtu_next(&pmtu, most, now);

	if (!size)
		return 0;
	CHECK(size > pmtu.low && size <= pmtu.limit && size <= most);
	ferry_pmtu_sent(&pmtu, seq, size);
	CHECK(ferry_pmtu_is_probe(&pmtu, seq));
	CHECK(!ferry_pmtu_is_probe(&pmtu, seq + size));
	CHECK_EQ(ferry_pmtu_next(&pmtu, most, now), 0);
	probes++;
	if (size <= path) {
		seq += size;
		ferry_pmtu_acked(&pmtu, seq, now);
	} else {
		lost++;
		ferry_pmtu_lost(&pmtu);
	}
	return size;
}

static void search(u32 path)
{
	while (probe(path, ANY) && probes < 100)
		;
}

UNIT(pmtu_layout__small)
{
	CHECK_EQ(sizeof(struct ferry_pmtu), 20);
}

UNIT(pmtu_init__trusts)
{
	start(JUMBO);
	CHECK_EQ(pmtu.state, FERRY_PMTU_TRUSTED);
	CHECK_EQ(pmtu.low, JUMBO);
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), 0);
	start(100000);
	CHECK_EQ(pmtu.low, U16_MAX);
}

UNIT(pmtu_timeout__twice_for_the_same)
{
	start(JUMBO);
	CHECK_EQ(timeout(JUMBO), JUMBO);
	seq += 10;
	CHECK_EQ(timeout(JUMBO), JUMBO);
	CHECK_EQ(pmtu.state, FERRY_PMTU_TRUSTED);
	CHECK_EQ(timeout(JUMBO), BASE);
	CHECK_EQ(pmtu.state, FERRY_PMTU_BASE);
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), 0);
}

UNIT(pmtu_timeout__of_what_is_short)
{
	unsigned int i;

	start(JUMBO);
	for (i = 0; i < 100; i++)
		CHECK_EQ(timeout(FERRY_MSS_MIN), JUMBO);
	CHECK_EQ(pmtu.state, FERRY_PMTU_TRUSTED);
	/* What is lost decides how far to fall. */
	start(JUMBO);
	timeout(1000);
	CHECK_EQ(timeout(1000), 536);
	start(JUMBO);
	timeout(400);
	CHECK_EQ(timeout(400), FERRY_MSS_MIN);
}

UNIT(pmtu_timeout__step_by_step)
{
	start(JUMBO);
	timeout(JUMBO);
	CHECK_EQ(timeout(JUMBO), BASE);
	CHECK_EQ(timeout(JUMBO), BASE);
	CHECK_EQ(timeout(JUMBO), 536);
	CHECK_EQ(timeout(JUMBO), 536);
	CHECK_EQ(timeout(JUMBO), FERRY_MSS_MIN);
	CHECK_EQ(timeout(JUMBO), FERRY_MSS_MIN);
	CHECK_EQ(timeout(JUMBO), FERRY_MSS_MIN);
	/* The size that it came from is the first to be tried. */
	base_arrives();
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), JUMBO);
}

UNIT(pmtu_timeout__takes_the_probe_with_it)
{
	fall(JUMBO);
	ferry_pmtu_sent(&pmtu, seq, ferry_pmtu_next(&pmtu, ANY, now));
	CHECK_EQ(timeout(JUMBO), BASE);
	CHECK_EQ(pmtu.size, 0);
	CHECK_EQ(pmtu.high, JUMBO - 1);
	/* And what was its segment comes in pieces from now on. */
	ferry_pmtu_acked(&pmtu, seq + JUMBO, now);
	CHECK_EQ(pmtu.low, BASE);
}

UNIT(pmtu_acked__the_base)
{
	start(JUMBO);
	timeout(JUMBO);
	timeout(JUMBO);
	ferry_pmtu_acked(&pmtu, seq + BASE - 1, now);
	CHECK_EQ(pmtu.state, FERRY_PMTU_BASE);
	ferry_pmtu_acked(&pmtu, seq + BASE, now);
	CHECK_EQ(pmtu.state, FERRY_PMTU_SEARCH);
}

UNIT(pmtu_acked__the_probe_as_a_whole)
{
	u32 size;

	fall(JUMBO);
	size = ferry_pmtu_next(&pmtu, ANY, now);
	ferry_pmtu_sent(&pmtu, seq, size);
	ferry_pmtu_acked(&pmtu, seq + size - 1, now);
	CHECK_EQ(pmtu.low, BASE);
	ferry_pmtu_acked(&pmtu, seq + size, now);
	CHECK_EQ(pmtu.low, size);
}

/* The network was away; its path is as wide as before. */
UNIT(pmtu_search__one_probe_restores)
{
	fall(JUMBO);
	search(JUMBO);
	CHECK_EQ(probes, 1);
	CHECK_EQ(pmtu.low, JUMBO);
	CHECK_EQ(pmtu.state, FERRY_PMTU_TRUSTED);
}

/* One for the old size, one that arrives, and three just above. */
UNIT(pmtu_search__common_sizes_first)
{
	fall(JUMBO);
	search(USUAL);
	CHECK_EQ(pmtu.low, USUAL);
	CHECK_EQ(pmtu.state, FERRY_PMTU_COMPLETE);
	CHECK_EQ(probes, 5);
	CHECK_EQ(lost, 4);

	fall(65487);
	search(JUMBO);
	CHECK_EQ(pmtu.low, JUMBO);
	CHECK(probes <= 8);
}

UNIT(pmtu_search__three_losses)
{
	u32 size;

	fall(JUMBO);
	probe(USUAL, ANY);
	size = probe(0, ANY);
	CHECK_EQ(probe(0, ANY), size);
	CHECK_EQ(probe(0, ANY), size);
	CHECK_EQ(pmtu.high, size - 1);
	CHECK(probe(0, ANY) < size);
	/* One that arrives in between does away with those before. */
	fall(JUMBO);
	probe(0, ANY);
	probe(0, ANY);
	probe(0, ANY);
	size = probe(ANY, ANY);
	CHECK_EQ(pmtu.low, size);
	CHECK_EQ(pmtu.losses, 0);
}

/* Whatever a path takes is found but for less than a step. */
UNIT(pmtu_search__any_path)
{
	static const u32 ends[] = { 65487, JUMBO, 4000, USUAL, 1200 };
	unsigned int i;
	u32 path;

	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		for (path = FERRY_MSS_MIN; path <= ends[i]; path += 13) {
			start(ends[i]);
			while (pmtu.low > path)
				timeout(pmtu.low);
			base_arrives();
			search(path);
			CHECK(pmtu.low <= path);
			CHECK(pmtu.low + FERRY_PMTU_STEP > path);
			CHECK(probes <= 50);
		}
	}
}

UNIT(pmtu_search__no_more_than_windows_allow)
{
	fall(65487);
	CHECK_EQ(probe(USUAL, 10000), USUAL);
	CHECK_EQ(probe(USUAL, USUAL + FERRY_PMTU_STEP - 1), 0);
	CHECK_EQ(pmtu.state, FERRY_PMTU_SEARCH);
	/* The one that waits is tried as soon as it can be. */
	CHECK_EQ(probe(ANY, 65487), 65487);
	CHECK_EQ(pmtu.state, FERRY_PMTU_TRUSTED);
}

/* Records may be shorter than what is aimed at. */
UNIT(pmtu_sent__a_shorter_one)
{
	fall(JUMBO);
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), JUMBO);
	ferry_pmtu_sent(&pmtu, seq, 2000);
	seq += 2000;
	ferry_pmtu_acked(&pmtu, seq, now);
	CHECK_EQ(pmtu.low, 2000);
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), JUMBO);
	ferry_pmtu_sent(&pmtu, seq, 3000);
	ferry_pmtu_lost(&pmtu);
	CHECK_EQ(pmtu.high, JUMBO - 1);
	CHECK(ferry_pmtu_next(&pmtu, ANY, now) < JUMBO);
}

/* Then it is not worth holding anything back, for a while. */
UNIT(pmtu_unfit__does_not_wait)
{
	fall(JUMBO);
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), JUMBO);
	CHECK(ferry_pmtu_may_wait(&pmtu, now));
	ferry_pmtu_unfit(&pmtu, now);
	CHECK(!ferry_pmtu_may_wait(&pmtu, now));
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), JUMBO);
	now += TICK;
	CHECK(ferry_pmtu_may_wait(&pmtu, now));
	/* A new search begins anew. */
	ferry_pmtu_unfit(&pmtu, now);
	search(USUAL);
	now += FERRY_PMTU_RAISE * TICK;
	CHECK(ferry_pmtu_next(&pmtu, ANY, now));
	CHECK(ferry_pmtu_may_wait(&pmtu, now));
}

UNIT(pmtu_raise__after_ten_minutes)
{
	fall(JUMBO);
	search(USUAL);
	now += (FERRY_PMTU_RAISE - 1) * TICK;
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), 0);
	now += TICK;
	CHECK(now >= 590000000 && FERRY_PMTU_RAISE * TICK < 610000000);
	probes = 0;
	lost = 0;
	/* It is as before, which three show. */
	search(USUAL);
	CHECK_EQ(lost, 3);
	CHECK_EQ(pmtu.low, USUAL);
	now += FERRY_PMTU_RAISE * TICK;
	search(JUMBO);
	CHECK_EQ(pmtu.low, JUMBO);
}

UNIT(pmtu_timeout__after_the_search)
{
	fall(JUMBO);
	search(4000);
	timeout(4000);
	CHECK_EQ(timeout(4000), BASE);
	base_arrives();
	search(2000);
	CHECK(pmtu.low <= 2000 && pmtu.low + FERRY_PMTU_STEP > 2000);
}

UNIT(pmtu_device__takes_less)
{
	start(JUMBO);
	ferry_pmtu_device(&pmtu, USUAL, now);
	CHECK_EQ(pmtu.low, USUAL);
	CHECK_EQ(pmtu.state, FERRY_PMTU_COMPLETE);
	now += 10 * FERRY_PMTU_RAISE * TICK;
	CHECK_EQ(ferry_pmtu_next(&pmtu, ANY, now), 0);
	/* What is smaller already does not grow by it. */
	fall(JUMBO);
	ferry_pmtu_device(&pmtu, 4000, now);
	CHECK_EQ(pmtu.low, BASE);
	search(JUMBO);
	CHECK(pmtu.low <= 4000 && pmtu.low + FERRY_PMTU_STEP > 4000);
}

UNIT(pmtu_device__takes_more)
{
	start(JUMBO);
	ferry_pmtu_device(&pmtu, USUAL, now);
	ferry_pmtu_device(&pmtu, 4000, now);
	CHECK_EQ(pmtu.low, USUAL);
	CHECK_EQ(probe(ANY, ANY), 4000);
	CHECK_EQ(pmtu.state, FERRY_PMTU_COMPLETE);
	/* No more than was agreed on. */
	ferry_pmtu_device(&pmtu, 60000, now);
	CHECK_EQ(probe(ANY, ANY), JUMBO);
	CHECK_EQ(pmtu.low, JUMBO);
	CHECK_EQ(pmtu.state, FERRY_PMTU_TRUSTED);
}

UNIT(pmtu_device__in_a_black_hole)
{
	start(JUMBO);
	timeout(JUMBO);
	timeout(JUMBO);
	ferry_pmtu_device(&pmtu, 500, now);
	CHECK_EQ(pmtu.low, 500);
	CHECK_EQ(pmtu.state, FERRY_PMTU_BASE);
	ferry_pmtu_device(&pmtu, JUMBO, now);
	CHECK_EQ(pmtu.state, FERRY_PMTU_BASE);
	base_arrives();
	CHECK_EQ(probe(ANY, ANY), JUMBO);
}

/* A probe that the device would cut tells nothing. */
UNIT(pmtu_device__forgets_the_probe)
{
	fall(JUMBO);
	ferry_pmtu_sent(&pmtu, seq, ferry_pmtu_next(&pmtu, ANY, now));
	ferry_pmtu_device(&pmtu, 4000, now);
	ferry_pmtu_acked(&pmtu, seq + JUMBO, now);
	CHECK_EQ(pmtu.low, BASE);
}
