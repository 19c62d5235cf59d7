// SPDX-License-Identifier: GPL-2.0-only
/*
 * rwnd.c: the edge that never shrinks, silly windows on both ends, when to tell
 * of more room, and the buffer that follows what is read.
 */
#include "unit.h"
#include "user.h"
#include "rtt.h"
#include "rwnd.h"

UNIT_MAIN()

#define MSS 1000U
#define CAPACITY 64000U
#define START 5000ULL

static struct ferry_rwnd rwnd;

static void start(u32 window)
{
	ferry_rwnd_init(&rwnd, START, window);
}

static u32 offer(u64 nxt, u32 room)
{
	return ferry_rwnd_select(&rwnd, nxt, room, CAPACITY, MSS);
}

static bool due(u64 nxt, u32 room)
{
	return ferry_rwnd_update_due(&rwnd, nxt, room, CAPACITY, MSS);
}

UNIT(rwnd_layout__small)
{
	CHECK_EQ(sizeof(struct ferry_rwnd), 32);
}

UNIT(rwnd_current__what_is_left)
{
	start(10000);
	CHECK_EQ(ferry_rwnd_current(&rwnd, START), 10000);
	CHECK_EQ(ferry_rwnd_current(&rwnd, START + 9999), 1);
	CHECK_EQ(ferry_rwnd_current(&rwnd, START + 10000), 0);
	CHECK_EQ(ferry_rwnd_current(&rwnd, START + 10001), 0);
}

/* RFC 1122, 4.2.2.16: it SHOULD NOT shrink; ours does not. */
UNIT(rwnd_select__edge_never_moves_left)
{
	start(10000);
	CHECK_EQ(offer(START, 3000), 10000);
	CHECK_EQ(offer(START + 4000, 0), 6000);
	CHECK_EQ(offer(START + 10000, 0), 0);
	CHECK_EQ(offer(START + 10000, 5000), 5000);
}

/* A probe of a closed window is taken if there is room: no negative window. */
UNIT(rwnd_select__past_the_edge)
{
	start(0);
	CHECK_EQ(offer(START + 1, 0), 0);
	CHECK_EQ(rwnd.edge, START + 1);
	CHECK_EQ(offer(START + 1, MSS), MSS);
}

/* RFC 1122, 4.2.3.3 */
UNIT(rwnd_select__moves_by_a_segment)
{
	start(10000);
	CHECK_EQ(offer(START, 10000 + MSS - 1), 10000);
	CHECK_EQ(offer(START, 10000 + MSS), 10000 + MSS);
	CHECK_EQ(offer(START + 11000, MSS - 1), 0);
	CHECK_EQ(offer(START + 11000, MSS), MSS);
}

UNIT(rwnd_select__moves_by_half_the_buffer)
{
	start(0);
	CHECK_EQ(ferry_rwnd_select(&rwnd, START, 299, 600, MSS), 0);
	CHECK_EQ(ferry_rwnd_select(&rwnd, START, 300, 600, MSS), 300);
	/* A buffer of a byte is still one. */
	start(0);
	CHECK_EQ(ferry_rwnd_select(&rwnd, START, 1, 1, MSS), 1);
}

UNIT(rwnd_select__largest)
{
	start(0);
	CHECK_EQ(ferry_rwnd_select(&rwnd, START, ~0U, ~0U, MSS), ~0U);
}

UNIT(rwnd_update_due__doubles_what_is_left)
{
	start(20000);
	/* 8,000 are left: 15,999 are not twice that, 16,000 are. */
	CHECK(!due(START + 12000, 15999));
	CHECK(due(START + 12000, 16000));
	/* It asks only. */
	CHECK_EQ(rwnd.edge, START + 20000);
	offer(START + 12000, 16000);
	CHECK(!due(START + 12000, 16000));
}

/* RFC 1122, 4.2.3.3: not for a few bytes, even if the window is closed. */
UNIT(rwnd_update_due__closed)
{
	start(0);
	CHECK(!due(START, 0));
	CHECK(!due(START, MSS - 1));
	CHECK(due(START, MSS));
}

UNIT(rwnd_measure__down_at_once_up_slowly)
{
	start(0);
	ferry_rwnd_measure(&rwnd, FERRY_RTT_NONE);
	CHECK_EQ(rwnd.rtt, 0);
	ferry_rwnd_measure(&rwnd, 8000);
	CHECK_EQ(rwnd.rtt / 8, 8000);
	ferry_rwnd_measure(&rwnd, 16000);
	CHECK_EQ(rwnd.rtt / 8, 9000);
	ferry_rwnd_measure(&rwnd, 100);
	CHECK_EQ(rwnd.rtt / 8, 100);
	ferry_rwnd_measure(&rwnd, 0);
	CHECK_EQ(rwnd.rtt / 8, 1);
}

/* A reader of @rate bytes in each of @rounds round trips of 10 ms. */
static u32 read_at(u32 rate, u32 rounds, u64 *now, u64 *seq, u32 max)
{
	u32 wanted = 0, news;

	while (rounds--) {
		*now += 10000;
		*seq += rate;
		news = ferry_rwnd_read(&rwnd, *now, *seq, MSS, max);
		if (news)
			wanted = news;
	}
	return wanted;
}

UNIT(rwnd_read__follows_what_is_read)
{
	u64 now = 1, seq = START;
	u32 wanted;

	start(40000);
	CHECK_EQ(ferry_rwnd_read(&rwnd, now, seq, MSS, ~0U), 0);
	ferry_rwnd_measure(&rwnd, 10000);
	CHECK_EQ(ferry_rwnd_read(&rwnd, now, seq, MSS, ~0U), 0);
	/* A quarter of the first window is no reason for a larger one. */
	CHECK_EQ(read_at(10000, 5, &now, &seq, ~0U), 0);
	/* More is, and it is more than twice of that. */
	wanted = read_at(20000, 1, &now, &seq, ~0U);
	CHECK_EQ(wanted, 3 * (2 * 20000 + 16 * MSS));
	/* The same again is no news. */
	CHECK_EQ(read_at(20000, 5, &now, &seq, ~0U), 0);
	CHECK_EQ(read_at(5000, 5, &now, &seq, ~0U), 0);
}

UNIT(rwnd_read__once_a_round_trip)
{
	u64 now = 1, seq = START;
	u32 i;

	start(40000);
	ferry_rwnd_measure(&rwnd, 10000);
	ferry_rwnd_read(&rwnd, now, seq, MSS, ~0U);
	for (i = 1; i < 10000; i++)
		CHECK_EQ(ferry_rwnd_read(&rwnd, now + i, seq + 100 * i, MSS,
					 ~0U), 0);
	CHECK(ferry_rwnd_read(&rwnd, now + i, seq + 100 * i, MSS, ~0U) > 0);
}

/* A sender that uses each window as soon as it is told is not held up for long. */
UNIT(rwnd_read__reaches_the_path)
{
	u32 window = 16000, rounds, wanted;
	u64 now = 1, seq = START;

	start(window);
	ferry_rwnd_measure(&rwnd, 10000);
	ferry_rwnd_read(&rwnd, now, seq, MSS, ~0U);
	for (rounds = 0; window < 10000000; rounds++) {
		wanted = read_at(window, 1, &now, &seq, ~0U);
		window = max_t(u32, window, wanted);
		CHECK(rounds < 20);
		if (rounds >= 20)
			break;
	}
	CHECK(rounds > 1);
}

UNIT(rwnd_read__bounded)
{
	u64 now = 1, seq = START;

	start(40000);
	ferry_rwnd_measure(&rwnd, 10000);
	ferry_rwnd_read(&rwnd, now, seq, MSS, 100000);
	CHECK_EQ(read_at(90000, 1, &now, &seq, 100000), 100000);
	CHECK_EQ(read_at(4000000000U, 1, &now, &seq, 100000), 100000);
	start(40000);
	ferry_rwnd_measure(&rwnd, 10000);
	ferry_rwnd_read(&rwnd, now, seq, MSS, ~0U);
	CHECK(read_at(4000000000U, 1, &now, &seq, ~0U) <= 1U << 30);
}

/* RFC 1122, 4.2.3.4, without Nagle's algorithm */
UNIT(rwnd_worth_sending__each_reason)
{
	/* Nothing to send, or no window. */
	CHECK(!ferry_rwnd_worth_sending(0, 5000, MSS, 64000));
	CHECK(!ferry_rwnd_worth_sending(5000, 0, MSS, 64000));
	/* (1) a full segment */
	CHECK(ferry_rwnd_worth_sending(5000, MSS, MSS, 64000));
	CHECK(!ferry_rwnd_worth_sending(5000, MSS - 1, MSS, 64000));
	/* (2), (3) all that there is */
	CHECK(ferry_rwnd_worth_sending(1, 1, MSS, 64000));
	CHECK(ferry_rwnd_worth_sending(10, 5000, MSS, 64000));
	CHECK(!ferry_rwnd_worth_sending(11, 10, MSS, 64000));
	/* (4) half the largest window */
	CHECK(ferry_rwnd_worth_sending(5000, 300, MSS, 600));
	CHECK(!ferry_rwnd_worth_sending(5000, 299, MSS, 600));
}
