// SPDX-License-Identifier: GPL-2.0-only
/*
 * cong.c, cong_cubic.c, cong_newreno.c: each rule of the RFCs named, on a flow
 * that always uses its window, has its ACKs for two segments each, and whose
 * round-trip time and losses the test decides.
 */
#include "unit.h"
#include "user.h"
#include "rtt.h"
#include "cong.h"

UNIT_MAIN()

#define MSS 1000U
#define ISS 1000ULL
#define MS 1000U
#define SECOND 1000000ULL

static struct ferry_cong cong;
static u64 now, una, nxt;

static void start(const struct ferry_cong_ops *ops)
{
	now = SECOND;
	una = ISS;
	nxt = ISS;
	ferry_cong_init(&cong, ops, MSS, ISS);
}

/* Send all that the window takes; there is more. */
static void fill(void)
{
	u32 inflight = nxt - una;
	u32 room = ferry_cong_room(&cong, inflight);

	if (room) {
		ferry_cong_on_sent(&cong, now, room, false);
		nxt += room;
	}
	ferry_cong_on_burst(&cong, una, nxt, nxt - una, true);
}

/* An ACK for @bytes, with nothing lost. */
static bool ack_with(u32 bytes, u32 rtt, u32 srtt)
{
	struct ferry_cong_ack ack = {
		.now = now,
		.una = una + bytes,
		.nxt = nxt,
		.acked = bytes,
		.delivered = bytes,
		.inflight = nxt - una - bytes,
		.rtt = rtt,
		.srtt = srtt,
	};

	una += bytes;
	return ferry_cong_on_ack(&cong, &ack);
}

/* A round trip of @rtt in which a full window is acknowledged. */
static void round_trip(u32 rtt)
{
	u64 end, step, until;

	fill();
	end = nxt;
	until = now + rtt;
	step = rtt * 2ULL * MSS / (end - una);
	while (una < end) {
		now += step;
		ack_with(min_t(u64, end - una, 2 * MSS), rtt, rtt);
		fill();
	}
	now = max_t(u64, now, until);
}

/* A window of @cwnd bytes in congestion avoidance, used in full. */
static void start_avoiding(const struct ferry_cong_ops *ops, u32 cwnd)
{
	start(ops);
	cong.cwnd = cwnd;
	cong.ssthresh = cwnd;
	fill();
}

/* A loss, repaired at once. */
static void lose(void)
{
	fill();
	CHECK(ferry_cong_on_loss(&cong, una, nxt));
	CHECK(ack_with(nxt - una, FERRY_RTT_NONE, 10 * MS));
}

static bool near(u32 value, u32 wanted, u32 slack)
{
	return value + slack >= wanted && value <= wanted + slack;
}

UNIT(cong_layout__small)
{
	CHECK_EQ(sizeof(struct ferry_cong), 168);
}

UNIT(cong_find__by_name)
{
	CHECK(ferry_cong_get(0) == &ferry_cong_cubic);
	CHECK(ferry_cong_get(1) == &ferry_cong_newreno);
	CHECK(!ferry_cong_get(2));
	CHECK(ferry_cong_find("cubic") == &ferry_cong_cubic);
	CHECK(ferry_cong_find("newreno") == &ferry_cong_newreno);
	CHECK(!ferry_cong_find("cubi"));
	CHECK(!ferry_cong_find(""));
}

/* RFC 6928, 2 */
UNIT(cong_initial_window__rfc6928)
{
	CHECK_EQ(ferry_cong_initial_window(1000), 10000);
	CHECK_EQ(ferry_cong_initial_window(1460), 14600);
	CHECK_EQ(ferry_cong_initial_window(2000), 14600);
	CHECK_EQ(ferry_cong_initial_window(8940), 2 * 8940);
	CHECK_EQ(ferry_cong_initial_window(65000), 130000);
}

UNIT(cong_set_mss__windows)
{
	start(&ferry_cong_cubic);
	CHECK_EQ(cong.cwnd, 10 * MSS);
	ferry_cong_set_mss(&cong, 500);
	CHECK_EQ(cong.cwnd, 5000);
	ferry_cong_on_sent(&cong, now, 500, false);
	ferry_cong_set_mss(&cong, 9000);
	CHECK_EQ(cong.cwnd, 9000);
	cong.ssthresh = 1;
	ferry_cong_set_mss(&cong, 1000);
	CHECK_EQ(cong.ssthresh, 2000);
	CHECK_EQ(cong.cwnd, 9000);
}

UNIT(cong_room__what_is_left)
{
	start(&ferry_cong_cubic);
	CHECK_EQ(ferry_cong_room(&cong, 0), 10 * MSS);
	CHECK_EQ(ferry_cong_room(&cong, 10 * MSS - 1), 1);
	CHECK_EQ(ferry_cong_room(&cong, 10 * MSS), 0);
	CHECK_EQ(ferry_cong_room(&cong, ~0U), 0);
}

/* RFC 5681, 3.1: twice a round trip, by bytes (RFC 3465). */
UNIT(cong_slow_start__doubles)
{
	start(&ferry_cong_newreno);
	CHECK(ferry_cong_slow_start(&cong));
	round_trip(10 * MS);
	CHECK_EQ(cong.cwnd, 20 * MSS);
	round_trip(10 * MS);
	CHECK_EQ(cong.cwnd, 40 * MSS);
}

/* RFC 9406, 4.2: L, with its least of two large segments. */
UNIT(cong_slow_start__one_ack_has_a_limit)
{
	start(&ferry_cong_newreno);
	cong.cwnd = 1000 * MSS;
	fill();
	ack_with(900 * MSS, 10 * MS, 10 * MS);
	CHECK_EQ(cong.cwnd, 1000 * MSS + 131072);
	ferry_cong_set_mss(&cong, 60000);
	cong.cwnd = 2000 * MSS;
	fill();
	ack_with(900 * MSS, 10 * MS, 10 * MS);
	CHECK_EQ(cong.cwnd, 2000 * MSS + 480000);
}

UNIT(cong_slow_start__ends_at_threshold)
{
	start(&ferry_cong_newreno);
	cong.ssthresh = 11 * MSS;
	fill();
	ack_with(4 * MSS, 10 * MS, 10 * MS);
	CHECK_EQ(cong.cwnd, 11 * MSS);
	CHECK_EQ(cong.grown, 3 * MSS);
}

UNIT(cong_cwnd__has_a_maximum)
{
	const struct ferry_cong_ops *ops;
	u32 i;

	for (i = 0; (ops = ferry_cong_get(i)); i++) {
		start(ops);
		cong.cwnd = FERRY_CONG_CWND_MAX - 10;
		fill();
		ack_with(100 * MSS, 10 * MS, 10 * MS);
		ack_with(100 * MSS, 10 * MS, 10 * MS);
		CHECK(cong.cwnd <= FERRY_CONG_CWND_MAX);
		now += 1000 * SECOND;
		fill();
		ack_with(cong.cwnd / 2, 10 * MS, 10 * MS);
		CHECK(cong.cwnd <= FERRY_CONG_CWND_MAX);
	}
}

/* RFC 7661, 4.1: what is not used does not grow. */
UNIT(cong_on_burst__growth_needs_use)
{
	start(&ferry_cong_newreno);
	/* Slow start: a window used by half may grow, one by less may not. */
	nxt = una + 5 * MSS;
	ferry_cong_on_burst(&cong, una, nxt, 5 * MSS, false);
	ack_with(MSS, 10 * MS, 10 * MS);
	CHECK_EQ(cong.cwnd, 10 * MSS);
	ferry_cong_on_burst(&cong, una, nxt, 5 * MSS + 1, false);
	ack_with(MSS, 10 * MS, 10 * MS);
	CHECK_EQ(cong.cwnd, 11 * MSS);
	/* Congestion avoidance: only one that was used up. */
	start(&ferry_cong_newreno);
	cong.ssthresh = cong.cwnd;
	nxt = una + 10 * MSS;
	ferry_cong_on_burst(&cong, una, nxt, 10 * MSS, false);
	ack_with(10 * MSS, 10 * MS, 10 * MS);
	CHECK_EQ(cong.cwnd, 10 * MSS);
	nxt = una + 10 * MSS;
	ferry_cong_on_burst(&cong, una, nxt, 10 * MSS, true);
	ack_with(10 * MSS, 10 * MS, 10 * MS);
	CHECK_EQ(cong.cwnd, 11 * MSS);
}

/* That it was used up counts until the window it was seen in is acknowledged. */
UNIT(cong_on_burst__remembers_for_a_window)
{
	start(&ferry_cong_newreno);
	ferry_cong_on_burst(&cong, ISS, ISS + 10 * MSS, 10 * MSS, true);
	ferry_cong_on_burst(&cong, ISS + 5 * MSS, ISS + 11 * MSS, 6 * MSS,
			    false);
	CHECK(cong.limited);
	CHECK_EQ(cong.used, 10 * MSS);
	ferry_cong_on_burst(&cong, ISS + 5 * MSS, ISS + 16 * MSS, 11 * MSS,
			    false);
	CHECK(cong.limited);
	ferry_cong_on_burst(&cong, ISS + 10 * MSS, ISS + 12 * MSS, 2 * MSS,
			    false);
	CHECK(!cong.limited);
	CHECK_EQ(cong.used, 2 * MSS);
	ferry_cong_on_burst(&cong, ISS + 10 * MSS, ISS + 13 * MSS, 3 * MSS,
			    false);
	CHECK_EQ(cong.used, 3 * MSS);
}

/* RFC 5681, equation 4; RFC 6582: one reduction a window. */
UNIT(cong_on_loss__one_event_a_window)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	CHECK(!ferry_cong_recovering(&cong));
	CHECK(ferry_cong_on_loss(&cong, una, nxt));
	CHECK(ferry_cong_recovering(&cong));
	CHECK_EQ(cong.ssthresh, 10 * MSS);
	CHECK(!ferry_cong_on_loss(&cong, una, nxt));
	CHECK(!ack_with(19 * MSS, FERRY_RTT_NONE, 10 * MS));
	CHECK(!ferry_cong_on_loss(&cong, una, nxt));
	CHECK_EQ(cong.ssthresh, 10 * MSS);
	/* A partial ACK does not end it, the full one does. */
	CHECK(ack_with(1 * MSS, FERRY_RTT_NONE, 10 * MS));
	CHECK(!ferry_cong_recovering(&cong));
	CHECK_EQ(cong.cwnd, 10 * MSS);
	fill();
	CHECK(ferry_cong_on_loss(&cong, una, nxt));
	CHECK_EQ(cong.ssthresh, 5 * MSS);
}

/* RFC 5681, equation 4: no less than two segments. */
UNIT(cong_on_loss__least)
{
	const struct ferry_cong_ops *ops;
	u32 i;

	for (i = 0; (ops = ferry_cong_get(i)); i++) {
		start_avoiding(ops, 2 * MSS);
		ferry_cong_on_loss(&cong, una, nxt);
		CHECK_EQ(cong.ssthresh, 2 * MSS);
	}
}

/* RFC 9438, 4.6: a window that was not used says nothing of the path. */
UNIT(cong_on_loss__of_what_was_used)
{
	start(&ferry_cong_newreno);
	cong.cwnd = 100 * MSS;
	nxt = una + 20 * MSS;
	ferry_cong_on_burst(&cong, una, nxt, 20 * MSS, false);
	ferry_cong_on_loss(&cong, una, nxt);
	CHECK_EQ(cong.ssthresh, 10 * MSS);
}

/* RFC 8985, 7.4: a loss that the probe has repaired: nothing is in flight. */
UNIT(cong_on_loss__repaired_by_a_probe)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	una = nxt;
	CHECK(ferry_cong_on_loss(&cong, una, nxt));
	CHECK(ack_with(0, FERRY_RTT_NONE, 10 * MS));
	CHECK_EQ(cong.cwnd, 10 * MSS);
}

/* What an ACK of a recovery lets go: SACKs @sacked, acknowledges @acked. */
static u32 recover(u32 acked, u32 sacked, u32 lost, u32 inflight)
{
	struct ferry_cong_ack ack = {
		.now = now,
		.una = una + acked,
		.nxt = nxt,
		.acked = acked,
		.delivered = acked + sacked,
		.lost = lost,
		.inflight = inflight,
		.rtt = FERRY_RTT_NONE,
		.srtt = 10 * MS,
	};

	una += acked;
	ferry_cong_on_ack(&cong, &ack);
	return ferry_cong_room(&cong, inflight);
}

/* RFC 6937, 3: one out for two in, from 20 segments down to 10. */
UNIT(cong_prr__proportional)
{
	u32 inflight = 20 * MSS, sent = 0, room, i;

	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_loss(&cong, una, nxt);
	inflight -= MSS;
	for (i = 0; i < 19; i++) {
		inflight -= MSS;
		room = recover(0, MSS, 0, inflight);
		CHECK(room <= MSS);
		if (room < MSS)
			continue;
		ferry_cong_on_sent(&cong, now, MSS, true);
		inflight += MSS;
		sent++;
	}
	/* Half of what was outstanding, and half of it is in flight. */
	CHECK(sent == 9 || sent == 10);
	CHECK(near(inflight, 10 * MSS, MSS));
	CHECK(recover(20 * MSS, 0, 0, 0) == 10 * MSS);
}

/* RFC 6937, 3: what is lost first is sent again with the first ACK. */
UNIT(cong_prr__first_retransmission)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_loss(&cong, una, nxt);
	CHECK_EQ(recover(0, 100, 0, 19 * MSS - 100), MSS);
	ferry_cong_on_sent(&cong, now, MSS, true);
	CHECK_EQ(recover(0, 100, 0, 20 * MSS - 200), 0);
}

/* RFC 6937, 3.1: below the threshold, what arrives; one more on good news. */
UNIT(cong_prr__below_threshold)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_loss(&cong, una, nxt);
	ferry_cong_on_sent(&cong, now, MSS, true);
	/* A burst of losses left 5 in flight: conservative. */
	CHECK_EQ(recover(0, MSS, 4 * MSS, 5 * MSS), MSS);
	ferry_cong_on_sent(&cong, now, MSS, true);
	/* SND.UNA moves and nothing more is lost: a segment more. */
	CHECK_EQ(recover(MSS, MSS, 0, 4 * MSS), 3 * MSS);
	/* It moves, but more is lost: as much as is owed. */
	CHECK_EQ(recover(100, 0, MSS, 3 * MSS), MSS + 100);
	/* Never beyond the threshold. */
	CHECK_EQ(recover(MSS, 0, 0, 9 * MSS + 1), MSS - 1);
}

/* RFC 5681, 3.1; RFC 8985, 6.3 */
UNIT(cong_on_rto__one_segment)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_rto(&cong, nxt, 0);
	CHECK_EQ(cong.cwnd, MSS);
	CHECK_EQ(cong.ssthresh, 10 * MSS);
	CHECK(ferry_cong_recovering(&cong));
	CHECK(!ferry_cong_on_loss(&cong, una, nxt));

	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_rto(&cong, nxt, 3 * MSS);
	CHECK_EQ(cong.cwnd, 4 * MSS);
}

/* RFC 5681, 3.1: the threshold holds when the same data times out again. */
UNIT(cong_on_rto__again)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_rto(&cong, nxt, 0);
	ferry_cong_on_rto(&cong, nxt, 0);
	CHECK_EQ(cong.ssthresh, 10 * MSS);
	/* Nor after a fast recovery of the same window. */
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_loss(&cong, una, nxt);
	ferry_cong_on_rto(&cong, nxt, 0);
	CHECK_EQ(cong.ssthresh, 10 * MSS);
	CHECK_EQ(cong.cwnd, MSS);
}

/* RFC 5681, 3.1: slow start up to the threshold; the end is SND.NXT. */
UNIT(cong_on_rto__slow_start)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_rto(&cong, nxt, 0);
	ferry_cong_on_burst(&cong, una, nxt, MSS, true);
	CHECK(!ack_with(MSS, FERRY_RTT_NONE, 10 * MS));
	CHECK_EQ(cong.cwnd, 2 * MSS);
	CHECK(!ack_with(2 * MSS, FERRY_RTT_NONE, 10 * MS));
	CHECK_EQ(cong.cwnd, 4 * MSS);
	CHECK(ack_with(17 * MSS, FERRY_RTT_NONE, 10 * MS));
	CHECK(!ferry_cong_recovering(&cong));
	CHECK(cong.cwnd >= 10 * MSS);
	CHECK(cong.cwnd <= 11 * MSS);
}

/* RFC 3522: the original arrived: its stamp is older than the retransmission. */
UNIT(cong_on_echo__undoes)
{
	const struct ferry_cong_ops *ops;
	u32 i;

	for (i = 0; (ops = ferry_cong_get(i)); i++) {
		start_avoiding(ops, 20 * MSS);
		ferry_cong_on_rto(&cong, nxt, 0);
		now += 5;
		ferry_cong_on_sent(&cong, now, MSS, true);
		now += 5;
		ferry_cong_on_sent(&cong, now, MSS, true);
		CHECK(ferry_cong_on_echo(&cong, now - 6));
		CHECK(!ferry_cong_recovering(&cong));
		CHECK_EQ(cong.cwnd, 20 * MSS);
		CHECK_EQ(cong.ssthresh, 20 * MSS);
		CHECK(!ferry_cong_on_echo(&cong, now - 6));
		/* Fast recovery too. */
		ferry_cong_on_loss(&cong, una, nxt);
		ferry_cong_on_sent(&cong, now, MSS, true);
		CHECK(ferry_cong_on_echo(&cong, now - 1));
		CHECK_EQ(cong.cwnd, 20 * MSS);
	}
}

/* RFC 3522, 3.2: the first ACK that moves SND.UNA decides. */
UNIT(cong_on_echo__of_the_retransmission)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	/* Nothing was sent again yet. */
	ferry_cong_on_rto(&cong, nxt, 0);
	CHECK(!ferry_cong_on_echo(&cong, now - 100));
	ferry_cong_on_sent(&cong, now, MSS, true);
	CHECK(!ferry_cong_on_echo(&cong, now));
	CHECK(!ferry_cong_on_echo(&cong, now - 1));
	CHECK(ferry_cong_recovering(&cong));
	CHECK_EQ(cong.cwnd, MSS);
}

UNIT(cong_on_echo__stamp_wraps)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_rto(&cong, nxt, 0);
	ferry_cong_on_sent(&cong, (3ULL << 32) + 2, MSS, true);
	CHECK(ferry_cong_on_echo(&cong, ~0U));
}

/* RFC 3708: all that was sent again had arrived. */
UNIT(cong_on_dsack__undoes_when_all)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_loss(&cong, una, nxt);
	ferry_cong_on_sent(&cong, now, MSS, true);
	ferry_cong_on_sent(&cong, now, MSS, true);
	ferry_cong_on_sent(&cong, now, MSS, false);
	CHECK(!ferry_cong_on_dsack(&cong));
	CHECK(ferry_cong_recovering(&cong));
	CHECK(ferry_cong_on_dsack(&cong));
	CHECK(!ferry_cong_recovering(&cong));
	CHECK_EQ(cong.cwnd, 20 * MSS);
	CHECK(!ferry_cong_on_dsack(&cong));
}

/* It often comes only after the recovery: a round trip later. */
UNIT(cong_on_dsack__after_the_recovery)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	ferry_cong_on_loss(&cong, una, nxt);
	ferry_cong_on_sent(&cong, now, MSS, true);
	CHECK(ack_with(20 * MSS, FERRY_RTT_NONE, 10 * MS));
	CHECK_EQ(cong.cwnd, 10 * MSS);
	CHECK(ferry_cong_on_dsack(&cong));
	CHECK_EQ(cong.cwnd, 20 * MSS);
	/* Without a loss there is nothing to undo. */
	ferry_cong_on_sent(&cong, now, MSS, true);
	CHECK(!ferry_cong_on_dsack(&cong));
}

/* RFC 2861 as in Linux: halves for each timeout without sending. */
UNIT(cong_on_restart__decays)
{
	start(&ferry_cong_newreno);
	ferry_cong_on_restart(&cong, 999 * SECOND, 100 * MS);
	CHECK_EQ(cong.cwnd, 10 * MSS);

	start_avoiding(&ferry_cong_newreno, 100 * MSS);
	ferry_cong_on_restart(&cong, now + 100 * MS, 100 * MS);
	CHECK_EQ(cong.cwnd, 100 * MSS);
	CHECK(cong.limited);
	ferry_cong_on_restart(&cong, now + 250 * MS, 100 * MS);
	CHECK_EQ(cong.cwnd, 25 * MSS);
	CHECK_EQ(cong.ssthresh, 100 * MSS);
	CHECK(!cong.limited);
}

UNIT(cong_on_restart__not_below_the_initial_window)
{
	start_avoiding(&ferry_cong_newreno, 100 * MSS);
	cong.ssthresh = 20 * MSS;
	ferry_cong_on_restart(&cong, now + 999 * SECOND, 100 * MS);
	CHECK_EQ(cong.cwnd, 10 * MSS);
	CHECK_EQ(cong.ssthresh, 75 * MSS);
	/* A smaller one stays. */
	start_avoiding(&ferry_cong_newreno, 4 * MSS);
	ferry_cong_on_restart(&cong, now + 999 * SECOND, 100 * MS);
	CHECK_EQ(cong.cwnd, 4 * MSS);
}

UNIT(cong_switch__keeps_windows)
{
	start_avoiding(&ferry_cong_cubic, 20 * MSS);
	round_trip(10 * MS);
	CHECK(cong.cubic.growing);
	ferry_cong_switch(&cong, &ferry_cong_newreno);
	CHECK(cong.ops == &ferry_cong_newreno);
	CHECK(!cong.cubic.growing);
	CHECK(cong.cwnd >= 20 * MSS);
	ferry_cong_on_loss(&cong, una, nxt);
	CHECK(near(cong.ssthresh, cong.cwnd / 2, MSS));
}

/* RFC 5681, 3.1: a segment a round trip. */
UNIT(cong_newreno__grows_by_a_segment)
{
	u32 i;

	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	for (i = 1; i < 50; i++) {
		round_trip(10 * MS);
		CHECK(near(cong.cwnd, (20 + i) * MSS, 2 * MSS));
	}
}

UNIT(cong_grow__old_credit_is_one_segment)
{
	start_avoiding(&ferry_cong_newreno, 20 * MSS);
	cong.grown = 19 * MSS;
	ferry_cong_grow(&cong, MSS, 2 * MSS);
	CHECK_EQ(cong.cwnd, 21 * MSS);
	CHECK_EQ(cong.grown, MSS);
	ferry_cong_grow(&cong, 5 * MSS, 2 * MSS);
	CHECK_EQ(cong.cwnd, 24 * MSS);
	CHECK_EQ(cong.grown, 0);
}

/*
 * A round as HyStart++ has it, from SND.NXT to SND.NXT, with acknowledgments
 * that are all @rtt old. Returns for how much of what arrived the window grew, in
 * percent.
 */
static u32 hystart_round(u32 rtt)
{
	u32 before = cong.cwnd;
	u64 began = una, end;

	if (una == nxt)
		fill();
	end = nxt;
	fill();
	while (una < end) {
		ack_with(min_t(u64, end - una, 2 * MSS), rtt, rtt);
		if (una < end)
			fill();
	}
	CHECK_EQ(cong.hystart.round_end, nxt);
	return (cong.cwnd - before) * 100ULL / (end - began);
}

static void start_hystart(u32 rtt)
{
	start(&ferry_cong_cubic);
	cong.cwnd = 20 * MSS;
	CHECK_EQ(hystart_round(rtt), 100);
}

/* RFC 9406, 4.2: eight measurements 1/8 higher (4 ms at least): conservative. */
UNIT(cong_hystart__slows_down)
{
	start_hystart(64 * MS);
	CHECK_EQ(hystart_round(72 * MS - 1), 100);
	CHECK_EQ(cong.hystart.css_rounds, 0);
	CHECK(hystart_round(82 * MS) < 100);
	CHECK_EQ(hystart_round(82 * MS), 25);
	CHECK_EQ(cong.ssthresh, FERRY_CONG_CWND_MAX);
}

/* RFC 9406, 4.2: 4 ms is the least threshold, 16 the most. */
UNIT(cong_hystart__threshold)
{
	start_hystart(1 * MS);
	hystart_round(5 * MS - 1);
	CHECK_EQ(cong.hystart.css_rounds, 0);
	hystart_round(9 * MS);
	CHECK(cong.hystart.css_rounds > 0);

	start_hystart(800 * MS);
	hystart_round(816 * MS - 1);
	CHECK_EQ(cong.hystart.css_rounds, 0);
	hystart_round(832 * MS);
	CHECK(cong.hystart.css_rounds > 0);
}

/* RFC 9406, 4.2: and goes on in a hurry if it was noise. */
UNIT(cong_hystart__resumes)
{
	start_hystart(64 * MS);
	hystart_round(80 * MS);
	CHECK(cong.hystart.css_rounds > 0);
	hystart_round(80 * MS);
	CHECK(cong.hystart.css_rounds > 0);
	hystart_round(79 * MS);
	CHECK_EQ(cong.hystart.css_rounds, 0);
	CHECK_EQ(hystart_round(64 * MS), 100);
}

/* RFC 9406, 4.2: five rounds of it, the first one in part. */
UNIT(cong_hystart__ends_after_five_rounds)
{
	u32 rounds = 0;

	start_hystart(64 * MS);
	while (ferry_cong_slow_start(&cong) && rounds < 10) {
		hystart_round(80 * MS);
		rounds++;
	}
	CHECK_EQ(rounds, 5);
	CHECK_EQ(cong.hystart.css_rounds, 0);
	CHECK(cong.ssthresh < FERRY_CONG_CWND_MAX);
}

/* RFC 9406, 4.2: fewer than eight measurements are none. */
UNIT(cong_hystart__needs_samples)
{
	u32 i;

	start_hystart(64 * MS);
	fill();
	for (i = 0; i < 7; i++)
		ack_with(MSS, 200 * MS, 200 * MS);
	ack_with(MSS, FERRY_RTT_NONE, 200 * MS);
	CHECK_EQ(cong.hystart.css_rounds, 0);
	ack_with(MSS, 200 * MS, 200 * MS);
	CHECK_EQ(cong.hystart.css_rounds, 1);
}

/* RFC 9406, 4.3: the first slow start only; and no such thing in NewReno. */
UNIT(cong_hystart__first_slow_start_only)
{
	start(&ferry_cong_cubic);
	cong.cwnd = 20 * MSS;
	cong.ssthresh = 1000 * MSS;
	round_trip(64 * MS);
	round_trip(80 * MS);
	CHECK_EQ(cong.hystart.css_rounds, 0);
	start(&ferry_cong_newreno);
	cong.cwnd = 20 * MSS;
	round_trip(64 * MS);
	round_trip(80 * MS);
	CHECK_EQ(cong.hystart.css_rounds, 0);
}

/* RFC 9438, 4.6: beta is 0.7. */
UNIT(cong_cubic__beta)
{
	start_avoiding(&ferry_cong_cubic, 100 * MSS);
	lose();
	CHECK_EQ(cong.ssthresh, 70 * MSS);
	CHECK_EQ(cong.cwnd, 70 * MSS);
	CHECK_EQ(cong.cubic.curve.w_max, 100 * MSS);
	CHECK_EQ(cong.cubic.curve.prior, 100 * MSS);
}

/* RFC 9438, 4.7: a window that shrinks makes room. */
UNIT(cong_cubic__fast_convergence)
{
	start_avoiding(&ferry_cong_cubic, 100 * MSS);
	lose();
	lose();
	CHECK_EQ(cong.ssthresh, 49 * MSS);
	/* 70 * (1 + 0.7) / 2 */
	CHECK_EQ(cong.cubic.curve.w_max, 59500);
	CHECK_EQ(cong.cubic.curve.prior, 70 * MSS);
}

/* RFC 9438, equation 2: K is the cube root of (W_max - cwnd) / C. */
UNIT(cong_cubic__k)
{
	u32 windows[] = { 4, 10, 100, 1000, 30000, 1000000 };
	double seconds, wanted;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(windows); i++) {
		start_avoiding(&ferry_cong_cubic, windows[i] * MSS);
		lose();
		fill();
		ack_with(2 * MSS, 10 * MS, 10 * MS);
		wanted = windows[i] * 0.3 / 0.4;
		seconds = cong.cubic.curve.k * 0.001024;
		CHECK(seconds * seconds * seconds <= wanted * 1.001);
		seconds += 0.001024;
		CHECK(seconds * seconds * seconds >= wanted * 0.999);
	}
}

/* RFC 9438, equation 1: along the curve, below W_max and above it. */
UNIT(cong_cubic__curve)
{
	double k = 0, t, wanted;
	u64 began;
	u32 points = 0;

	start_avoiding(&ferry_cong_cubic, 2000 * MSS);
	lose();
	began = now;
	/* The cube root of 600 / 0.4 */
	while (k * k * k < 1500)
		k += 0.0001;
	while (now < began + 20 * SECOND) {
		round_trip(100 * MS);
		t = (now - began) / 1e6;
		wanted = 0.4 * (t - k) * (t - k) * (t - k) + 2000;
		/* As far as a window can follow: within a round trip of it. */
		CHECK(cong.cwnd < (wanted * 1.01 + 20) * MSS);
		CHECK(cong.cwnd > (wanted * 0.98 - 20) * MSS);
		points++;
	}
	CHECK(points > 150);
	CHECK(cong.cwnd > 2200 * MSS);
}

/* RFC 9438, 4.4: at most half as much again in a round trip. */
UNIT(cong_cubic__at_most_half_more)
{
	u32 before, i;

	start_avoiding(&ferry_cong_cubic, 20 * MSS);
	round_trip(100 * MS);
	/* The curve is far above. */
	cong.cubic.curve.epoch -= 60000;
	for (i = 0; i < 5; i++) {
		before = cong.cwnd;
		round_trip(100 * MS);
		CHECK(cong.cwnd > before + before / 3);
		CHECK(cong.cwnd <= before + before / 4 * 3);
	}
}

/* The curve of hours ago is as far above: nothing overflows. */
UNIT(cong_cubic__long_ago)
{
	u32 before, shift;

	for (shift = 14; shift < 31; shift++) {
		start(&ferry_cong_cubic);
		ferry_cong_set_mss(&cong, 1024);
		cong.cwnd = 20 * MSS;
		cong.ssthresh = 20 * MSS;
		round_trip(1 * MS);
		cong.cubic.curve.epoch -= 1U << shift;
		before = cong.cwnd;
		round_trip(1 * MS);
		round_trip(1 * MS);
		CHECK(cong.cwnd > before + before / 2);
	}
}

/* RFC 9438, 4.3: as Reno would, where that is faster: 9/17, then 1 a round. */
UNIT(cong_cubic__reno_friendly)
{
	u32 rounds;

	start_avoiding(&ferry_cong_cubic, 100 * MSS);
	lose();
	/* From 70 to 100 by 9/17 each: 57 rounds of 1 ms. */
	for (rounds = 0; cong.cwnd < 100 * MSS && rounds < 100; rounds++)
		round_trip(1 * MS);
	CHECK(rounds >= 55 && rounds <= 58);
	for (rounds = 0; cong.cwnd < 120 * MSS && rounds < 100; rounds++)
		round_trip(1 * MS);
	CHECK(rounds >= 18 && rounds <= 22);
}

/* RFC 9438, 4.8: after a time-out the curve begins at its middle. */
UNIT(cong_cubic__after_a_timeout)
{
	start_avoiding(&ferry_cong_cubic, 100 * MSS);
	ferry_cong_on_rto(&cong, nxt, 0);
	CHECK_EQ(cong.ssthresh, 70 * MSS);
	una = nxt;
	while (ferry_cong_slow_start(&cong))
		round_trip(10 * MS);
	round_trip(10 * MS);
	CHECK(cong.cubic.growing);
	CHECK_EQ(cong.cubic.curve.k, 0);
	CHECK(near(cong.cubic.curve.w_max, 70 * MSS, 2 * MSS));
	/* The next loss is an ordinary one. */
	lose();
	fill();
	ack_with(2 * MSS, 10 * MS, 10 * MS);
	CHECK(cong.cubic.curve.k > 0);
}

/* RFC 9438, 4.9: all of it comes back. */
UNIT(cong_cubic__undo)
{
	struct ferry_cong_curve before;

	start_avoiding(&ferry_cong_cubic, 100 * MSS);
	lose();
	round_trip(50 * MS);
	round_trip(50 * MS);
	before = cong.cubic.curve;
	CHECK(before.k > 0);
	ferry_cong_on_rto(&cong, nxt, 0);
	ferry_cong_on_sent(&cong, now, MSS, true);
	CHECK(cong.cubic.curve.w_max != before.w_max);
	CHECK(ferry_cong_on_echo(&cong, now - 1));
	CHECK(cong.cubic.growing);
	CHECK_EQ(cong.cubic.curve.w_max, before.w_max);
	CHECK_EQ(cong.cubic.curve.prior, before.prior);
	CHECK_EQ(cong.cubic.curve.k, before.k);
	CHECK_EQ(cong.cubic.curve.epoch, before.epoch);
	/* And it goes on with it. */
	round_trip(50 * MS);
	CHECK_EQ(cong.cubic.curve.k, before.k);
}

/* RFC 9438, 4.2 and 5.8: a pause is no time on the curve. */
UNIT(cong_cubic__pause_does_not_count)
{
	u32 before;

	start_avoiding(&ferry_cong_cubic, 100 * MSS);
	lose();
	round_trip(20 * MS);
	round_trip(20 * MS);
	before = cong.cwnd;
	now += 600 * SECOND;
	round_trip(20 * MS);
	CHECK(cong.cwnd < before + 4 * MSS);
	CHECK(cong.cwnd >= before);
}

/* Held-back ACKs are no pause: time goes on. */
UNIT(cong_cubic__slow_acks_count)
{
	u64 began;
	u32 i;

	start_avoiding(&ferry_cong_cubic, 100 * MSS);
	lose();
	began = now;
	for (i = 0; i < 100; i++) {
		fill();
		now += 40 * MS;
		ack_with(cong.cwnd / 2, 10 * MS, 10 * MS);
	}
	CHECK(now - began == 4 * SECOND);
	CHECK(cong.cwnd > 90 * MSS);
	CHECK_EQ(cong.cubic.curve.epoch, (began + 40 * MS) >> 10);
}
