// SPDX-License-Identifier: GPL-2.0-only
/*
 * rack.c: RACK and TLP, step by step as in RFC 8985, and the scenes that it
 * describes: a loss, reordering, a lost retransmission, a lost tail.
 */
#include "unit.h"
#include "user.h"
#include "rtt.h"
#include "rack.h"

UNIT_MAIN()

#define MS 1000U
#define ISS 1000ULL

static struct ferry_rack rack;

static void start(void)
{
	ferry_rack_init(&rack, ISS);
}

/* A segment sent once at @sent with its end at @end arrived: told at @now. */
static bool delivered(u64 sent, u64 end, u64 now)
{
	struct ferry_rack_delivery seg = { .xmit_ts = sent, .end_seq = end };

	return ferry_rack_delivered(&rack, &seg, now, FERRY_RTT_NONE);
}

/* The same, of a retransmission; @echo as the ACK has it, 0 for none. */
static bool redelivered(u64 sent, u64 end, u64 now, u32 min_rtt, u32 echo)
{
	struct ferry_rack_delivery seg = {
		.xmit_ts = sent,
		.end_seq = end,
		.retransmitted = true,
		.echo_valid = echo,
		.echo = echo,
	};

	return ferry_rack_delivered(&rack, &seg, now, min_rtt);
}

UNIT(rack_layout__small)
{
	CHECK_EQ(sizeof(struct ferry_rack), 48);
}

UNIT(rack_judge__nothing_delivered_nothing_told)
{
	start();
	CHECK_EQ(ferry_rack_judge(&rack, 1, ISS + 100, 0, ~0ULL / 2),
		 FERRY_RACK_UNTOLD);
}

/* 6.2, step 2: the latest sent of what was delivered. */
UNIT(rack_delivered__latest_sent)
{
	start();
	CHECK(delivered(100, ISS + 100, 1100));
	CHECK_EQ(rack.xmit_ts, 100);
	CHECK_EQ(rack.end_seq, ISS + 100);
	CHECK_EQ(rack.rtt, 1000);
	CHECK(delivered(200, ISS + 200, 1400));
	CHECK_EQ(rack.xmit_ts, 200);
	CHECK_EQ(rack.rtt, 1200);
	/* Sent before it, told after it. */
	CHECK(delivered(150, ISS + 150, 1500));
	CHECK_EQ(rack.xmit_ts, 200);
	/* Sent in the same microsecond: the sequence numbers tell. */
	CHECK(delivered(200, ISS + 300, 1500));
	CHECK_EQ(rack.end_seq, ISS + 300);
	CHECK(delivered(200, ISS + 250, 1500));
	CHECK_EQ(rack.end_seq, ISS + 300);
}

/* 6.2, step 2: an ACK that may be for the original says nothing. */
UNIT(rack_delivered__ambiguous_retransmission)
{
	start();
	delivered(100, ISS + 100, 1100);
	/* Faster than light. */
	CHECK(!redelivered(5000, ISS + 200, 5999, 1000, 0));
	CHECK_EQ(rack.xmit_ts, 100);
	/* It echoes a stamp older than the retransmission. */
	CHECK(!redelivered(5000, ISS + 200, 6500, 1000, 4999));
	CHECK_EQ(rack.xmit_ts, 100);
	CHECK(redelivered(5000, ISS + 200, 6500, 1000, 5000));
	CHECK_EQ(rack.xmit_ts, 5000);
	CHECK(redelivered(5001, ISS + 200, 6001, 1000, 0));
	CHECK(redelivered(5002, ISS + 200, 5003, FERRY_RTT_NONE, 0));
}

UNIT(rack_delivered__echo_wraps)
{
	start();
	CHECK(redelivered(~0U, ISS + 1, (1ULL << 32) + 5, 1, 2));
	CHECK(!redelivered((1ULL << 32) + 9, ISS + 1, (1ULL << 32) + 50, 1,
			   ~0U));
}

/* 6.2, step 3 */
UNIT(rack_delivered__reordering)
{
	start();
	delivered(100, ISS + 100, 1100);
	delivered(300, ISS + 300, 1300);
	CHECK(!rack.reordering_seen);
	/* A retransmission that fills a hole is none. */
	redelivered(1300, ISS + 200, 2400, 1000, 0);
	CHECK(!rack.reordering_seen);
	/* An original that does is. */
	delivered(300, ISS + 250, 2500);
	CHECK(rack.reordering_seen);
	CHECK_EQ(rack.fack, ISS + 300);
}

/* Even one that step 2 would not believe moves the highest delivery. */
UNIT(rack_delivered__ambiguous_still_counts_for_order)
{
	start();
	redelivered(5000, ISS + 500, 5001, 1000, 0);
	CHECK_EQ(rack.fack, ISS + 500);
	delivered(100, ISS + 100, 1100);
	CHECK(rack.reordering_seen);
}

/* 6.2, step 5: lost once a later one arrived and rtt + reo_wnd are over. */
UNIT(rack_judge__time)
{
	start();
	delivered(200, ISS + 200, 1200);
	CHECK_EQ(ferry_rack_judge(&rack, 100, ISS + 100, 250, 1200), 150);
	CHECK_EQ(ferry_rack_judge(&rack, 100, ISS + 100, 250, 1349), 1);
	CHECK_EQ(ferry_rack_judge(&rack, 100, ISS + 100, 250, 1350),
		 FERRY_RACK_LOST);
	CHECK_EQ(ferry_rack_judge(&rack, 100, ISS + 100, 0, 1200),
		 FERRY_RACK_LOST);
	CHECK_EQ(ferry_rack_judge(&rack, 100, ISS + 100, 0, 9999999),
		 FERRY_RACK_LOST);
}

UNIT(rack_judge__only_what_was_sent_before)
{
	start();
	delivered(200, ISS + 200, 1200);
	CHECK_EQ(ferry_rack_judge(&rack, 201, ISS + 100, 0, 99999),
		 FERRY_RACK_UNTOLD);
	CHECK_EQ(ferry_rack_judge(&rack, 200, ISS + 300, 0, 99999),
		 FERRY_RACK_UNTOLD);
	CHECK_EQ(ferry_rack_judge(&rack, 200, ISS + 200, 0, 99999),
		 FERRY_RACK_UNTOLD);
	CHECK_EQ(ferry_rack_judge(&rack, 200, ISS + 199, 0, 99999),
		 FERRY_RACK_LOST);
}

/* 3.2: a retransmission that is lost again is found by what was sent after. */
UNIT(rack_judge__lost_retransmission)
{
	start();
	delivered(200, ISS + 200, 1200);
	CHECK_EQ(ferry_rack_judge(&rack, 1200, ISS + 100, 0, 2300),
		 FERRY_RACK_UNTOLD);
	delivered(1300, ISS + 300, 2300);
	CHECK_EQ(ferry_rack_judge(&rack, 1200, ISS + 100, 0, 2300),
		 FERRY_RACK_LOST);
}

/* 6.2, step 4: a quarter of the least round trip, at most a smoothed one. */
UNIT(rack_reo_wnd__size)
{
	start();
	CHECK_EQ(ferry_rack_reo_wnd(&rack, 8 * MS, 10 * MS, 0, false), 2 * MS);
	CHECK_EQ(ferry_rack_reo_wnd(&rack, 8 * MS, 1 * MS, 0, false), 1 * MS);
	CHECK_EQ(ferry_rack_reo_wnd(&rack, FERRY_RTT_NONE, 0, 0, false), 0);
}

UNIT(rack_reo_wnd__none_without_reordering)
{
	start();
	CHECK_EQ(ferry_rack_reo_wnd(&rack, 8 * MS, 10 * MS, 2, false), 2 * MS);
	CHECK_EQ(ferry_rack_reo_wnd(&rack, 8 * MS, 10 * MS, 3, false), 0);
	CHECK_EQ(ferry_rack_reo_wnd(&rack, 8 * MS, 10 * MS, 0, true), 0);
	rack.reordering_seen = true;
	CHECK_EQ(ferry_rack_reo_wnd(&rack, 8 * MS, 10 * MS, 3, false), 2 * MS);
	CHECK_EQ(ferry_rack_reo_wnd(&rack, 8 * MS, 10 * MS, 0, true), 2 * MS);
}

static u32 reo_wnd(void)
{
	return ferry_rack_reo_wnd(&rack, 4 * MS, 1000 * MS, 0, false);
}

/* 6.2, step 4: a DSACK widens it, once a round trip. */
UNIT(rack_dsack__once_a_round)
{
	start();
	ferry_rack_dsack(&rack, ISS, ISS + 1000, false);
	CHECK_EQ(reo_wnd(), 1 * MS);
	ferry_rack_dsack(&rack, ISS, ISS + 1000, true);
	CHECK_EQ(reo_wnd(), 2 * MS);
	ferry_rack_dsack(&rack, ISS + 500, ISS + 1500, true);
	ferry_rack_dsack(&rack, ISS + 999, ISS + 1999, true);
	CHECK_EQ(reo_wnd(), 2 * MS);
	ferry_rack_dsack(&rack, ISS + 1000, ISS + 2000, true);
	CHECK_EQ(reo_wnd(), 3 * MS);
}

UNIT(rack_dsack__saturates)
{
	u64 una = ISS;
	u32 i;

	start();
	for (i = 0; i < 300; i++, una += 1000)
		ferry_rack_dsack(&rack, una, una + 1000, true);
	CHECK_EQ(reo_wnd(), 255 * MS);
}

/* 6.2, step 4: and it is forgotten after 16 recoveries without one. */
UNIT(rack_recovered__forgets)
{
	u32 i;

	start();
	ferry_rack_dsack(&rack, ISS, ISS + 1000, true);
	for (i = 0; i < 15; i++) {
		ferry_rack_recovered(&rack);
		CHECK_EQ(reo_wnd(), 2 * MS);
	}
	ferry_rack_dsack(&rack, ISS + 1000, ISS + 2000, true);
	for (i = 0; i < 15; i++)
		ferry_rack_recovered(&rack);
	CHECK_EQ(reo_wnd(), 3 * MS);
	ferry_rack_recovered(&rack);
	CHECK_EQ(reo_wnd(), 1 * MS);
	ferry_rack_recovered(&rack);
	CHECK_EQ(reo_wnd(), 1 * MS);
}

/* 6.3: the first, and what was sent a round trip ago; not the rest. */
UNIT(rack_judge_on_rto__not_all)
{
	start();
	delivered(200, ISS + 200, 1200);
	CHECK(ferry_rack_judge_on_rto(&rack, true, 100000, 250, 100001));
	CHECK(ferry_rack_judge_on_rto(&rack, false, 98750, 250, 100000));
	CHECK(!ferry_rack_judge_on_rto(&rack, false, 98751, 250, 100000));
}

static struct ferry_rack_tail tail;

static u32 pto_with(u32 srtt, u32 flight, u32 rto_in)
{
	tail = (struct ferry_rack_tail) {
		.now = 1000000,
		.rto_at = 1000000 + rto_in,
		.srtt = srtt,
		.flight = flight,
	};
	return ferry_rack_pto(&rack, &tail);
}

/* 7.2 */
UNIT(rack_pto__size)
{
	start();
	CHECK_EQ(pto_with(50 * MS, 2, 1000 * MS),
		 100 * MS + FERRY_RTT_GRANULARITY);
	/* A lone segment's ACK may be held back. */
	CHECK_EQ(pto_with(50 * MS, 1, 1000 * MS),
		 100 * MS + FERRY_RTT_GRANULARITY + FERRY_DELACK_MAX);
	CHECK_EQ(pto_with(0, 2, 5000 * MS), 1000 * MS);
	/* No later than the retransmission timer. */
	CHECK_EQ(pto_with(50 * MS, 2, 70 * MS), 70 * MS);
	CHECK_EQ(pto_with(50 * MS, 2, 0), 0);
}

/* 7.2: not while something else is at work. */
UNIT(rack_pto__none)
{
	start();
	CHECK_EQ(pto_with(50 * MS, 0, 1000 * MS), 0);
	CHECK(pto_with(50 * MS, 2, 1000 * MS) > 0);
	tail.recovering = true;
	CHECK_EQ(ferry_rack_pto(&rack, &tail), 0);
	tail.recovering = false;
	tail.sacked = true;
	CHECK_EQ(ferry_rack_pto(&rack, &tail), 0);
	tail.sacked = false;
	CHECK(ferry_rack_pto(&rack, &tail) > 0);
	ferry_rack_probed(&rack, ISS + 100, true);
	CHECK_EQ(ferry_rack_pto(&rack, &tail), 0);
}

/* 7.3: one at a time, and none without a measurement since. */
UNIT(rack_may_probe__one_a_measurement)
{
	struct ferry_rack_tlp_ack ack = { .ack = ISS + 100 };

	start();
	CHECK(!ferry_rack_may_probe(&rack));
	ferry_rack_measured(&rack);
	CHECK(ferry_rack_may_probe(&rack));
	ferry_rack_probed(&rack, ISS + 100, false);
	CHECK(!ferry_rack_may_probe(&rack));
	ferry_rack_measured(&rack);
	CHECK(!ferry_rack_may_probe(&rack));
	ferry_rack_tlp_ack(&rack, &ack);
	CHECK(ferry_rack_may_probe(&rack));
	ferry_rack_probed(&rack, ISS + 200, false);
	ferry_rack_tlp_cancel(&rack);
	CHECK(!ferry_rack_may_probe(&rack));
}

/* What an ACK makes of a probe that was the last segment, up to ISS + 100. */
static bool tlp_ack(u64 number, u64 dsack_end, bool pure_dup)
{
	struct ferry_rack_tlp_ack ack = {
		.ack = number,
		.dsack_end = dsack_end,
		.pure_dup = pure_dup,
	};

	return ferry_rack_tlp_ack(&rack, &ack);
}

static void probe(bool is_retrans)
{
	start();
	ferry_rack_probed(&rack, ISS + 100, is_retrans);
}

UNIT(rack_tlp_ack__not_yet)
{
	probe(true);
	CHECK(!tlp_ack(ISS + 99, ISS + 100, true));
	CHECK(rack.tlp_out);
}

/* 7.4.1: new data says it all. */
UNIT(rack_tlp_ack__new_data)
{
	probe(false);
	CHECK(!tlp_ack(ISS + 100, 0, false));
	CHECK(!rack.tlp_out);
}

/* 7.4.2, case 1: the DSACK is for the probe. */
UNIT(rack_tlp_ack__dsack)
{
	probe(true);
	CHECK(!tlp_ack(ISS + 100, ISS + 100, false));
	CHECK(!rack.tlp_out);
	/* One for another segment is not. */
	probe(true);
	CHECK(!tlp_ack(ISS + 100, ISS + 50, false));
	CHECK(rack.tlp_out);
}

/* 7.4.2, case 2: an ACK that says nothing at all is for the probe, too. */
UNIT(rack_tlp_ack__pure_dup)
{
	probe(true);
	CHECK(!tlp_ack(ISS + 100, 0, false));
	CHECK(rack.tlp_out);
	CHECK(!tlp_ack(ISS + 100, 0, true));
	CHECK(!rack.tlp_out);
}

/* 7.4.2: what goes on beyond it without either: it has repaired a loss. */
UNIT(rack_tlp_ack__repaired)
{
	probe(true);
	CHECK(!tlp_ack(ISS + 100, 0, false));
	CHECK(tlp_ack(ISS + 101, 0, false));
	CHECK(!rack.tlp_out);
	/* Once. */
	CHECK(!tlp_ack(ISS + 102, 0, false));
	/* The DSACK may come with it. */
	probe(true);
	CHECK(!tlp_ack(ISS + 101, ISS + 100, false));
	CHECK(!rack.tlp_out);
}
