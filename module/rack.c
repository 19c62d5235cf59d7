// SPDX-License-Identifier: GPL-2.0-only
/*
 * RACK-TLP: which segments are lost, by time. See rack.h; the steps are those of
 * RFC 8985.
 */
#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/minmax.h>
#else
#include "user.h"
#endif

#include "rack.h"
#include "rtt.h"

/* Was the first sent after the second? Sequence numbers tell within a burst. */
static bool sent_after(u64 time1, u64 end1, u64 time2, u64 end2)
{
	return time1 > time2 || (time1 == time2 && end1 > end2);
}

/**
 * ferry_rack_init() - nothing was delivered yet
 * @rack: the state
 * @una: the initial sequence number
 *
 * Context: any; pure.
 */
void ferry_rack_init(struct ferry_rack *rack, u64 una)
{
	*rack = (struct ferry_rack) {
		.fack = una,
		.reo_mult = 1,
	};
}

/* Step 2: an ACK of a retransmitted segment may be for its original. */
static bool ambiguous(const struct ferry_rack_delivery *seg, u64 rtt,
		      u32 min_rtt)
{
	if (!seg->retransmitted)
		return false;
	if (seg->echo_valid && (s32)(seg->echo - (u32)seg->xmit_ts) < 0)
		return true;
	return min_rtt != FERRY_RTT_NONE && rtt < min_rtt;
}

/**
 * ferry_rack_delivered() - an ACK says that a segment arrived (RFC 8985, 6.2,
 * steps 1 to 3)
 * @rack: the state
 * @seg: the segment
 * @now: when the ACK arrived
 * @min_rtt: least round-trip time, or FERRY_RTT_NONE; without this ACK's own
 *	measurement or with it, as is easier
 *
 * To be called in ascending order of sequence numbers.
 *
 * Context: any; pure.
 * Return: whether it is news of the round trip, so that segments are to be
 * judged; false if it is unclear which transmission arrived.
 */
bool ferry_rack_delivered(struct ferry_rack *rack,
			  const struct ferry_rack_delivery *seg, u64 now,
			  u32 min_rtt)
{
	u64 rtt = now > seg->xmit_ts ? now - seg->xmit_ts : 0;

	/* Step 3 */
	if (seg->end_seq > rack->fack)
		rack->fack = seg->end_seq;
	else if (seg->end_seq < rack->fack && !seg->retransmitted)
		rack->reordering_seen = true;

	if (ambiguous(seg, rtt, min_rtt))
		return false;

	rack->rtt = min_t(u64, rtt, FERRY_RTO_MAX);
	if (sent_after(seg->xmit_ts, seg->end_seq,
		       rack->xmit_ts, rack->end_seq)) {
		rack->xmit_ts = seg->xmit_ts;
		rack->end_seq = seg->end_seq;
	}
	return true;
}

/**
 * ferry_rack_dsack() - widen the reordering window by DSACKs (RFC 8985, 6.2,
 * step 4); to be called for each ACK
 * @rack: the state
 * @una: SND.UNA, this ACK applied
 * @nxt: SND.NXT
 * @dsack: whether the ACK reports that a segment arrived twice
 *
 * The window grows at most once a round trip.
 *
 * Context: any; pure.
 */
void ferry_rack_dsack(struct ferry_rack *rack, u64 una, u64 nxt, bool dsack)
{
	if (rack->dsack_round_open && una >= rack->dsack_round)
		rack->dsack_round_open = false;
	if (!dsack || rack->dsack_round_open)
		return;

	rack->dsack_round = nxt;
	rack->dsack_round_open = true;
	rack->reo_persist = FERRY_RACK_PERSIST;
	if (rack->reo_mult < U8_MAX)
		rack->reo_mult++;
}

/**
 * ferry_rack_recovered() - a recovery, fast or after a timeout, is over
 * @rack: the state
 *
 * Context: any; pure.
 */
void ferry_rack_recovered(struct ferry_rack *rack)
{
	if (rack->reo_persist && --rack->reo_persist == 0)
		rack->reo_mult = 1;
}

/**
 * ferry_rack_reo_wnd() - how much later than a segment sent after it a segment
 * may come (RFC 8985, 6.2, step 4)
 * @rack: the state
 * @min_rtt: least round-trip time, or FERRY_RTT_NONE
 * @srtt: smoothed round-trip time
 * @sacked: segments that are SACKed now
 * @recovering: whether a recovery is on, fast or after a timeout
 *
 * Context: any; pure.
 * Return: microseconds.
 */
u32 ferry_rack_reo_wnd(const struct ferry_rack *rack, u32 min_rtt, u32 srtt,
		       u32 sacked, bool recovering)
{
	if (!rack->reordering_seen &&
	    (recovering || sacked >= FERRY_RACK_DUPTHRESH))
		return 0;
	if (min_rtt == FERRY_RTT_NONE)
		return 0;
	return min_t(u64, (u64)rack->reo_mult * min_rtt / 4, srtt);
}

/**
 * ferry_rack_judge() - whether a segment in flight is lost (RFC 8985, 6.2, step 5)
 * @rack: the state
 * @xmit_ts: when it was last sent
 * @end_seq: its end
 * @reo_wnd: what ferry_rack_reo_wnd() returned
 * @now: the time
 *
 * Context: any; pure.
 * Return: FERRY_RACK_LOST; or so many microseconds, more than 0, until it will
 * be; or FERRY_RACK_UNTOLD: neither this segment nor any that was sent after it
 * can be judged.
 */
s64 ferry_rack_judge(const struct ferry_rack *rack, u64 xmit_ts, u64 end_seq,
		     u32 reo_wnd, u64 now)
{
	u64 lost_at = xmit_ts + rack->rtt + reo_wnd;

	if (!sent_after(rack->xmit_ts, rack->end_seq, xmit_ts, end_seq))
		return FERRY_RACK_UNTOLD;
	return lost_at > now ? lost_at - now : FERRY_RACK_LOST;
}

/**
 * ferry_rack_judge_on_rto() - whether a segment in flight is lost now that the
 * retransmission timer expired (RFC 8985, 6.3)
 * @rack: the state
 * @first: whether the segment is the one at SND.UNA
 * @xmit_ts: when it was last sent
 * @reo_wnd: what ferry_rack_reo_wnd() returned
 * @now: the time
 *
 * Not the whole flight is lost: what was sent within the last round trip may
 * well be under way.
 *
 * Context: any; pure.
 * Return: whether it is.
 */
bool ferry_rack_judge_on_rto(const struct ferry_rack *rack, bool first,
			     u64 xmit_ts, u32 reo_wnd, u64 now)
{
	return first || xmit_ts + rack->rtt + reo_wnd <= now;
}

/**
 * ferry_rack_pto() - when to probe the tail (RFC 8985, 7.2)
 * @rack: the state
 * @tail: what decides
 *
 * To be asked after sending new data and after an ACK that acknowledges some.
 *
 * Two round trips, and what a timer is inexact by (as Linux; the RFC leaves it
 * open); for a lone segment also what the peer may hold its ACK back.
 *
 * Context: any; pure.
 * Return: microseconds until the probe; 0: none, the retransmission timer is the
 * one to run.
 */
u32 ferry_rack_pto(const struct ferry_rack *rack,
		   const struct ferry_rack_tail *tail)
{
	u64 pto = FERRY_RACK_PTO_UNKNOWN;

	if (!tail->flight || tail->recovering || tail->sacked || rack->tlp_out)
		return 0;
	if (tail->srtt) {
		pto = 2ULL * tail->srtt + FERRY_RTT_GRANULARITY;
		if (tail->flight == 1)
			pto += FERRY_DELACK_MAX;
	}
	if (tail->now >= tail->rto_at)
		return 0;
	return min_t(u64, pto, tail->rto_at - tail->now);
}

/**
 * ferry_rack_probed() - a probe was sent
 * @rack: the state
 * @nxt: SND.NXT, the probe included
 * @is_retrans: whether it was the last segment again, not new data
 *
 * Context: any; pure.
 */
void ferry_rack_probed(struct ferry_rack *rack, u64 nxt, bool is_retrans)
{
	rack->tlp_out = true;
	rack->tlp_is_retrans = is_retrans;
	rack->tlp_end = nxt;
	rack->tlp_measured = false;
}

/**
 * ferry_rack_tlp_ack() - what an ACK tells of the probe (RFC 8985, 7.4)
 * @rack: the state
 * @ack: the ACK
 *
 * Context: any; pure.
 * Return: whether the probe has repaired a loss, which congestion control is to
 * be told of: nothing else will.
 */
bool ferry_rack_tlp_ack(struct ferry_rack *rack,
			const struct ferry_rack_tlp_ack *ack)
{
	bool repaired = false;

	if (!rack->tlp_out || ack->ack < rack->tlp_end)
		return false;

	if (!rack->tlp_is_retrans) {
		/* New data arrived: RACK judges what came before it. */
		rack->tlp_out = false;
	} else if (ack->dsack_end == rack->tlp_end) {
		/* Original and probe arrived. */
		rack->tlp_out = false;
	} else if (ack->ack > rack->tlp_end) {
		/* Only one of them did, or there would have been a DSACK. */
		rack->tlp_out = false;
		repaired = true;
	} else if (ack->pure_dup) {
		/* Both did, and the ACK with the DSACK was lost. */
		rack->tlp_out = false;
	}
	return repaired;
}
