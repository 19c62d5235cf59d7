// SPDX-License-Identifier: GPL-2.0-only
/*
 * pace.c: no faster than the rate, however often it is asked, and however late.
 */
#include "unit.h"
#include "user.h"
#include "pace.h"

UNIT_MAIN()

#define MS	1000ULL
#define SECOND	1000000ULL

static struct ferry_pace pace;

static void start(u64 rate)
{
	pace = (struct ferry_pace) { .rate = rate };
}

UNIT(pace_holds__none)
{
	start(0);
	CHECK(!ferry_pace_holds(&pace, 0));
	pace.next = 2 * SECOND;
	CHECK(!ferry_pace_holds(&pace, SECOND));
}

UNIT(pace_holds__until_its_time)
{
	start(1000000);
	CHECK(!ferry_pace_holds(&pace, SECOND));
	/* After a pause what is late is made up for: a millisecond of it. */
	ferry_pace_sent(&pace, SECOND, 1000);
	CHECK(!ferry_pace_holds(&pace, SECOND));
	ferry_pace_sent(&pace, SECOND, 1000);
	CHECK(ferry_pace_holds(&pace, SECOND + 999));
	CHECK(!ferry_pace_holds(&pace, SECOND + 1000));
	CHECK_EQ(ferry_pace_until(&pace), SECOND + 1000);
}

/* A rate that is no whole number of microseconds a piece is kept all the same. */
UNIT(pace_sent__adds_up)
{
	u64 now = SECOND, start_at = now, bytes = 0;
	unsigned int i;

	start(1500000000);
	for (i = 0; i < 100000; i++) {
		while (ferry_pace_holds(&pace, now))
			now = ferry_pace_until(&pace);
		ferry_pace_sent(&pace, now, 1452);
		bytes += 1452;
	}
	CHECK((now - start_at) * 1500 <= bytes);
	/* But for the first millisecond. */
	CHECK((now - start_at + 1000) * 1500 >= bytes - 2 * 1452);
}

/* Whatever the timer's lateness, the rate is no more than what was asked for. */
UNIT(pace_sent__never_faster)
{
	u64 now = SECOND, start_at = now, bytes = 0;
	unsigned int i;

	start(1000000);
	for (i = 0; i < 1000; i++) {
		if (ferry_pace_holds(&pace, now))
			now = ferry_pace_until(&pace);
		now += i * 7 % 900;
		CHECK(bytes <= (now - start_at) + 1000);
		ferry_pace_sent(&pace, now, 1000);
		bytes += 1000;
	}
	/* And what was late is made up for. */
	CHECK(now - start_at <= 1000 * MS + 1000);
}

UNIT(pace_sent__change)
{
	start(1000);
	ferry_pace_sent(&pace, SECOND, 10000);
	CHECK(ferry_pace_holds(&pace, SECOND + 1));
	pace.rate = 0;
	CHECK(!ferry_pace_holds(&pace, SECOND + 1));
}

UNIT(pace_limit__a_millisecond)
{
	start(1024 * 100000);
	CHECK_EQ(ferry_pace_limit(&pace, 1000), 100000);
	start(1);
	CHECK_EQ(ferry_pace_limit(&pace, 1000), 2000);
	start(U64_MAX);
	CHECK_EQ(ferry_pace_limit(&pace, 1000), U32_MAX);
}

UNIT(pace_sent__extremes)
{
	start(1);
	ferry_pace_sent(&pace, SECOND, 1 << 18);
	CHECK_EQ(ferry_pace_until(&pace), SECOND + (1ULL << 18) * SECOND - MS);
	start(U64_MAX);
	ferry_pace_sent(&pace, SECOND, 1 << 18);
	CHECK(!ferry_pace_holds(&pace, SECOND));
}
