// SPDX-License-Identifier: GPL-2.0-only
/*
 * rtt.c: RFC 6298, rule by rule, Karn's rule, and the windowed minimum.
 */
#include "unit.h"
#include "user.h"
#include "rtt.h"

UNIT_MAIN()

#define MS 1000U
#define SECOND 1000000ULL

static struct ferry_rtt rtt;

/* A connection that measured @sample once, at time 0. */
static void start_with(u32 sample)
{
	ferry_rtt_init(&rtt, FERRY_RTO_INITIAL);
	ferry_rtt_update(&rtt, 0, sample);
}

UNIT(rtt_layout__small)
{
	CHECK_EQ(sizeof(struct ferry_rtt), 56);
}

/* RFC 6298, 2.1 */
UNIT(rtt_rto__initial)
{
	ferry_rtt_init(&rtt, FERRY_RTO_INITIAL);
	CHECK_EQ(ferry_rtt_rto(&rtt), SECOND);
	CHECK(!ferry_rtt_known(&rtt));
	CHECK_EQ(ferry_rtt_smoothed(&rtt), 0);
	CHECK_EQ(ferry_rtt_min_get(&rtt), FERRY_RTT_NONE);
}

/* RFC 6298, 2.2: SRTT = R, RTTVAR = R/2, so RTO = 3 R */
UNIT(rtt_update__first)
{
	start_with(300 * MS);
	CHECK(ferry_rtt_known(&rtt));
	CHECK_EQ(ferry_rtt_smoothed(&rtt), 300 * MS);
	CHECK_EQ(ferry_rtt_rto(&rtt), 900 * MS);
	CHECK_EQ(ferry_rtt_min_get(&rtt), 300 * MS);
}

/* RFC 6298, 2.3, with one measurement a round trip, against plain numbers. */
UNIT(rtt_update__as_the_rfc)
{
	static const u32 samples[] = {
		400, 420, 380, 500, 500, 390, 900, 400, 410, 405, 700, 702,
	};
	double srtt = 400, rttvar = 200, error;
	u64 now = 0;
	u32 i, wanted;

	start_with(400 * MS);
	for (i = 1; i < ARRAY_SIZE(samples); i++) {
		now += 2 * SECOND;
		ferry_rtt_update(&rtt, now, samples[i] * MS);
		error = srtt > samples[i] ? srtt - samples[i] :
					    samples[i] - srtt;
		rttvar = 0.75 * rttvar + 0.25 * error;
		srtt = 0.875 * srtt + 0.125 * samples[i];
		wanted = (srtt + 4 * rttvar) * MS;
		CHECK(ferry_rtt_rto(&rtt) > wanted - 100);
		CHECK(ferry_rtt_rto(&rtt) < wanted + 100);
		CHECK(ferry_rtt_smoothed(&rtt) > srtt * MS - 10);
		CHECK(ferry_rtt_smoothed(&rtt) < srtt * MS + 10);
	}
}

/* RFC 7323, appendix G: many ACKs a round trip do not make it forget. */
UNIT(rtt_update__variance_falls_once_a_round)
{
	u32 rto, i;

	start_with(400 * MS);
	ferry_rtt_update(&rtt, SECOND, 800 * MS);
	rto = ferry_rtt_rto(&rtt);
	CHECK(rto > 1200 * MS);
	/* A hundred of them within the round trip that follows. */
	for (i = 0; i < 100; i++)
		ferry_rtt_update(&rtt, SECOND + i, 450 * MS);
	CHECK(ferry_rtt_rto(&rtt) > 1000 * MS);
	/* After two more rounds it is forgotten. */
	ferry_rtt_update(&rtt, 2 * SECOND, 450 * MS);
	ferry_rtt_update(&rtt, 3 * SECOND, 450 * MS);
	CHECK(ferry_rtt_rto(&rtt) < 600 * MS);
}

UNIT(rtt_update__variance_rises_at_once)
{
	u32 before;

	start_with(400 * MS);
	ferry_rtt_update(&rtt, SECOND, 400 * MS);
	before = ferry_rtt_rto(&rtt);
	ferry_rtt_update(&rtt, SECOND + 1, 2000 * MS);
	CHECK(ferry_rtt_rto(&rtt) > before + 1000 * MS);
}

/* What a path of 50 microseconds without variance has. */
#define LEAST	(50 + FERRY_RTO_MIN)

/* RFC 6298, 2.3 and 2.4, and rtt.h's reasons: on a long path as on a short one */
UNIT(rtt_rto__least)
{
	u32 i;

	start_with(50);
	CHECK_EQ(ferry_rtt_rto(&rtt), LEAST);
	CHECK(FERRY_DELACK_MAX + 2 * 10 * MS < FERRY_RTO_MIN);
	start_with(400 * MS);
	for (i = 1; i < 100; i++)
		ferry_rtt_update(&rtt, i * SECOND, 400 * MS);
	CHECK_EQ(ferry_rtt_rto(&rtt), 400 * MS + FERRY_RTO_MIN);
}

/* RFC 6298, 2.5 */
UNIT(rtt_rto__most)
{
	start_with(100 * SECOND);
	CHECK_EQ(ferry_rtt_rto(&rtt), 120 * SECOND);
	ferry_rtt_update(&rtt, SECOND, ~0U - 1);
	CHECK_EQ(ferry_rtt_rto(&rtt), 120 * SECOND);
	CHECK(ferry_rtt_smoothed(&rtt) <= 120 * SECOND);
}

/* RFC 6298, 5.5 */
UNIT(rtt_backoff__doubles_up_to_the_most)
{
	u32 i;

	start_with(50);
	for (i = 0; i < 40; i++) {
		CHECK_EQ(ferry_rtt_rto(&rtt),
			 min_t(u64, (u64)LEAST << i, FERRY_RTO_MAX));
		ferry_rtt_backoff(&rtt);
		if (i > 15)
			i += 5;
	}
	CHECK_EQ(ferry_rtt_rto(&rtt), FERRY_RTO_MAX);
}

/* RFC 6298, 5.7 and Karn */
UNIT(rtt_backoff__ends_with_news)
{
	start_with(50);
	ferry_rtt_backoff(&rtt);
	ferry_rtt_backoff(&rtt);
	ferry_rtt_update(&rtt, 5, FERRY_RTT_NONE);
	CHECK_EQ(ferry_rtt_rto(&rtt), 4 * LEAST);
	ferry_rtt_update(&rtt, 5, 50);
	CHECK_EQ(ferry_rtt_rto(&rtt), LEAST);
	ferry_rtt_backoff(&rtt);
	ferry_rtt_progress(&rtt);
	CHECK_EQ(ferry_rtt_rto(&rtt), LEAST);
}

/* RFC 6298, 5.7 */
UNIT(rtt_established__after_a_lost_syn)
{
	ferry_rtt_init(&rtt, FERRY_RTO_INITIAL);
	ferry_rtt_backoff(&rtt);
	ferry_rtt_established(&rtt, true);
	CHECK_EQ(ferry_rtt_rto(&rtt), 3 * SECOND);

	ferry_rtt_init(&rtt, FERRY_RTO_INITIAL);
	ferry_rtt_established(&rtt, false);
	CHECK_EQ(ferry_rtt_rto(&rtt), SECOND);

	start_with(50);
	ferry_rtt_established(&rtt, true);
	CHECK_EQ(ferry_rtt_rto(&rtt), LEAST);
}

UNIT(rtt_of_echo__any_time)
{
	CHECK_EQ(ferry_rtt_of_echo(5000, 4000), 1000);
	CHECK_EQ(ferry_rtt_of_echo(5000, 5000), 1);
	/* Over the wrap of 32 bits. */
	CHECK_EQ(ferry_rtt_of_echo((1ULL << 32) + 10, ~0U - 9), 20);
	CHECK_EQ(ferry_rtt_of_echo((7ULL << 32) + 500, 100), 400);
	/* From the future, or from too long ago. */
	CHECK_EQ(ferry_rtt_of_echo(5000, 5001), FERRY_RTT_NONE);
	CHECK_EQ(ferry_rtt_of_echo(1000 * SECOND, 1000 * SECOND - FERRY_RTO_MAX),
		 FERRY_RTO_MAX);
	CHECK_EQ(ferry_rtt_of_echo(1000 * SECOND,
				   1000 * SECOND - FERRY_RTO_MAX - 1),
		 FERRY_RTT_NONE);
}

/* Karn: not of a segment that was sent twice. */
UNIT(rtt_of_segment__karn)
{
	CHECK_EQ(ferry_rtt_of_segment(5000, 4000, false), 1000);
	CHECK_EQ(ferry_rtt_of_segment(5000, 5000, false), 1);
	CHECK_EQ(ferry_rtt_of_segment(5000, 4000, true), FERRY_RTT_NONE);
	CHECK_EQ(ferry_rtt_of_segment(5000, 5001, false), FERRY_RTT_NONE);
	CHECK_EQ(ferry_rtt_of_segment(1000 * SECOND, 0, false),
		 FERRY_RTT_NONE);
}

UNIT(rtt_min__falls_at_once)
{
	start_with(100);
	ferry_rtt_update(&rtt, SECOND, 90);
	CHECK_EQ(ferry_rtt_min_get(&rtt), 90);
	ferry_rtt_update(&rtt, 2 * SECOND, 100);
	CHECK_EQ(ferry_rtt_min_get(&rtt), 90);
}

UNIT(rtt_min__leaves_the_window)
{
	u64 now;

	start_with(100);
	for (now = SECOND; now < 290 * SECOND; now += SECOND) {
		ferry_rtt_update(&rtt, now, 200 + now / SECOND % 7);
		CHECK_EQ(ferry_rtt_min_get(&rtt), 100);
	}
	for (; now < 320 * SECOND; now += SECOND)
		ferry_rtt_update(&rtt, now, 300);
	/* The least of the last five minutes is one of the 200s. */
	CHECK_EQ(ferry_rtt_min_get(&rtt), 200);
	for (; now < 1200 * SECOND; now += SECOND)
		ferry_rtt_update(&rtt, now, 300);
	CHECK_EQ(ferry_rtt_min_get(&rtt), 300);
}

UNIT(rtt_min__nothing_for_long)
{
	start_with(100);
	ferry_rtt_update(&rtt, 1000 * SECOND, 500);
	CHECK_EQ(ferry_rtt_min_get(&rtt), 500);
	/* Its time is 32 bits of about seconds: 142 years. */
	ferry_rtt_update(&rtt, ~0ULL, 600);
	CHECK_EQ(ferry_rtt_min_get(&rtt), 600);
}

/* Against the true minimum: nothing older than the window, and close to it. */
UNIT(rtt_min__is_of_the_window)
{
	static u32 values[2000];
	u32 random = 7, i, j, least;

	ferry_rtt_init(&rtt, FERRY_RTO_INITIAL);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		random = random * 1664525 + 1013904223;
		values[i] = 100 + (random >> 16) % 1000;
		ferry_rtt_update(&rtt, i * SECOND, values[i]);
		least = values[i];
		for (j = i; j > 0 && i - j < 320; j--)
			least = min_t(u32, least, values[j - 1]);
		CHECK(ferry_rtt_min_get(&rtt) >= least);
		CHECK(ferry_rtt_min_get(&rtt) <= least + 50);
	}
}
