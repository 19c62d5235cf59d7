/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RACK-TLP: which segments are lost, by time (RFC 8985), and the probe that finds
 * losses in a tail.
 *
 * The connection keeps its segments, and those in flight in the order in which
 * they were last sent; this keeps what is known of the latest delivery and
 * judges one segment at a time:
 *
 *	each ACK:
 *		each segment it newly acknowledges or SACKs:
 *			ferry_rack_delivered()
 *		ferry_rack_tlp_ack(), ferry_rack_dsack()
 *		reo_wnd = ferry_rack_reo_wnd()
 *		each segment in flight, the one sent first at first:
 *			ferry_rack_judge() → lost, wait so long, or stop here
 *		the longest wait is for the reordering timer
 *
 * Times are in microseconds. Pure: no kernel state, no lock, no clock.
 */
#ifndef _FERRY_RACK_H
#define _FERRY_RACK_H

#include <linux/types.h>

/* So many SACKed segments are proof of loss where nothing was ever reordered. */
#define FERRY_RACK_DUPTHRESH	3

/* The reordering window shrinks after so many recoveries without a DSACK. */
#define FERRY_RACK_PERSIST	16

/* Before there is a round-trip time (RFC 8985, 7.2). */
#define FERRY_RACK_PTO_UNKNOWN	1000000U

/**
 * struct ferry_rack - what is known of one connection's deliveries
 *
 * @xmit_ts: when the latest-sent of all delivered segments was sent
 * @end_seq: its end; 0 with @xmit_ts 0: nothing was delivered yet
 * @fack: highest end of a delivered segment
 * @dsack_round: SND.NXT when the reordering window last grew
 * @tlp_end: SND.NXT when the probe was sent
 * @rtt: round-trip time of the segment at @xmit_ts
 * @reo_mult: the reordering window in quarters of the least round-trip time
 * @reo_persist: recoveries until @reo_mult falls back to 1
 * @reordering_seen: a segment was delivered after one that was sent later
 * @dsack_round_open: @dsack_round is still ahead of SND.UNA
 * @tlp_out: a probe is in flight
 * @tlp_is_retrans: and it was a retransmission
 * @tlp_measured: the round-trip time was measured since the last probe
 *
 * Embedded in its owner, whose lock guards it.
 */
struct ferry_rack {
	u64	xmit_ts;
	u64	end_seq;
	u64	fack;
	u64	dsack_round;
	u64	tlp_end;
	u32	rtt;
	u8	reo_mult;
	u8	reo_persist;
	bool	reordering_seen:1;
	bool	dsack_round_open:1;
	bool	tlp_out:1;
	bool	tlp_is_retrans:1;
	bool	tlp_measured:1;
};

/**
 * struct ferry_rack_delivery - a segment that an ACK newly tells to have arrived
 *
 * @xmit_ts: when it was last sent
 * @end_seq: its end
 * @retransmitted: whether it was sent more than once
 * @echo_valid: whether @echo can be told: the ACK echoes a time stamp
 * @echo: that time stamp, the low 32 bits of the microseconds
 */
struct ferry_rack_delivery {
	u64	xmit_ts;
	u64	end_seq;
	bool	retransmitted;
	bool	echo_valid;
	u32	echo;
};

/* ferry_rack_judge(): sent after the latest delivery, so nothing is known. */
#define FERRY_RACK_UNTOLD	(-1)
/* ferry_rack_judge(): lost. */
#define FERRY_RACK_LOST		0

void ferry_rack_init(struct ferry_rack *rack, u64 una);
bool ferry_rack_delivered(struct ferry_rack *rack,
			  const struct ferry_rack_delivery *seg, u64 now,
			  u32 min_rtt);
void ferry_rack_dsack(struct ferry_rack *rack, u64 una, u64 nxt, bool dsack);
void ferry_rack_recovered(struct ferry_rack *rack);
u32 ferry_rack_reo_wnd(const struct ferry_rack *rack, u32 min_rtt, u32 srtt,
		       u32 sacked, bool recovering);
s64 ferry_rack_judge(const struct ferry_rack *rack, u64 xmit_ts, u64 end_seq,
		     u32 reo_wnd, u64 now);
bool ferry_rack_judge_on_rto(const struct ferry_rack *rack, bool first,
			     u64 xmit_ts, u32 reo_wnd, u64 now);

/**
 * struct ferry_rack_tail - what decides about a probe
 *
 * @now: the time
 * @rto_at: when the retransmission timer expires, if it runs
 * @srtt: smoothed round-trip time, 0 if not measured
 * @flight: segments in flight
 * @recovering: whether a recovery is on, fast or after a timeout
 * @sacked: whether any segment is SACKed: then it is RACK's
 */
struct ferry_rack_tail {
	u64	now;
	u64	rto_at;
	u32	srtt;
	u32	flight;
	bool	recovering;
	bool	sacked;
};

u32 ferry_rack_pto(const struct ferry_rack *rack,
		   const struct ferry_rack_tail *tail);

/**
 * ferry_rack_may_probe() - whether the probe may still be sent now that its time
 * has come (RFC 8985, 7.3)
 * @rack: the state
 *
 * Context: any; pure.
 * Return: false if a probe is out, or nothing was measured since the last.
 */
static inline bool ferry_rack_may_probe(const struct ferry_rack *rack)
{
	return !rack->tlp_out && rack->tlp_measured;
}

/**
 * ferry_rack_measured() - the round-trip time was measured
 * @rack: the state
 *
 * Context: any; pure.
 */
static inline void ferry_rack_measured(struct ferry_rack *rack)
{
	rack->tlp_measured = true;
}

void ferry_rack_probed(struct ferry_rack *rack, u64 nxt, bool is_retrans);

/**
 * struct ferry_rack_tlp_ack - an ACK, as the probe sees it
 *
 * @ack: its acknowledgment number
 * @dsack_end: end of what it reports as arrived twice; 0: nothing
 * @pure_dup: it acknowledges nothing new, has no SACK, no data and no new window
 */
struct ferry_rack_tlp_ack {
	u64	ack;
	u64	dsack_end;
	bool	pure_dup;
};

bool ferry_rack_tlp_ack(struct ferry_rack *rack,
			const struct ferry_rack_tlp_ack *ack);

/**
 * ferry_rack_tlp_cancel() - forget the probe: a recovery begins
 * @rack: the state
 *
 * Context: any; pure.
 */
static inline void ferry_rack_tlp_cancel(struct ferry_rack *rack)
{
	rack->tlp_out = false;
}

#endif /* _FERRY_RACK_H */
