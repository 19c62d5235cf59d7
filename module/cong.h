/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Congestion control: how much may be in flight.
 *
 * cong.c has what every algorithm shares: slow start, with HyStart++ (RFC 9406)
 * if the algorithm wants it; proportional rate reduction while losses are
 * repaired (RFC 6937); validation, so that a window grows only if it is used
 * (RFC 7661); the restart after idleness (RFC 2861); taking a reduction back
 * that reordering or delay has caused (RFC 3522, RFC 4015, RFC 3708).
 * An algorithm says how far to fall and how to grow in congestion avoidance:
 * cong_cubic.c (RFC 9438), the default, and cong_newreno.c (RFC 5681, RFC 6582).
 *
 * Windows are in bytes, as in RFC 5681, and grow by the bytes that arrived
 * (RFC 3465), not by the count of ACKs: one ACK for a segment of 64 KiB is worth
 * as much as forty for its pieces. A connection may send a segment of len bytes
 * if inflight + len <= cwnd, or if nothing is in flight.
 *
 * The calls, in the order of a connection's life:
 *
 *	ferry_cong_init()
 *	nothing in flight, about to send:	ferry_cong_on_restart()
 *	each segment sent:			ferry_cong_on_sent()
 *	after a burst of them:			ferry_cong_on_burst()
 *	each ACK, in this order:
 *		segments newly found lost, or
 *		a loss that a probe repaired:	ferry_cong_on_loss()
 *		una moved, a stamp echoed:	ferry_cong_on_echo()
 *		something arrived twice:	ferry_cong_on_dsack()
 *		always:				ferry_cong_on_ack()
 *	a segment found lost by a timer:	ferry_cong_on_loss()
 *	retransmission time-out:		ferry_cong_on_rto()
 *
 * Times are in microseconds. Pure: no kernel state, no lock, no clock.
 */
#ifndef _FERRY_CONG_H
#define _FERRY_CONG_H

#include <linux/types.h>

/* No window is larger, so that two of them add up in 32 bits. */
#define FERRY_CONG_CWND_MAX	0x40000000U

/* A name's length, with its end (as TCP_CA_NAME_MAX). */
#define FERRY_CONG_NAME_MAX	16

/**
 * enum ferry_cong_state - what a connection is about
 *
 * @FERRY_CONG_OPEN: nothing is known to be lost
 * @FERRY_CONG_RECOVERY: losses are repaired, the window shrinks in proportion
 * @FERRY_CONG_LOSS: the retransmission timer expired; slow start from one
 *	segment
 */
enum ferry_cong_state {
	FERRY_CONG_OPEN,
	FERRY_CONG_RECOVERY,
	FERRY_CONG_LOSS,
};

struct ferry_cong;

/**
 * struct ferry_cong_ack - what an ACK told
 *
 * @now: when it arrived
 * @una: SND.UNA, this ACK applied
 * @nxt: SND.NXT
 * @acked: bytes by which it moved SND.UNA
 * @delivered: bytes that it is the first to tell of as arrived, be it by its
 *	number or by SACK
 * @lost: bytes found lost with it
 * @inflight: bytes in flight, this ACK applied: sent, and neither arrived nor
 *	lost; a retransmission counts again
 * @rtt: round-trip time measured with it, or FERRY_RTT_NONE
 * @srtt: smoothed round-trip time
 */
struct ferry_cong_ack {
	u64	now;
	u64	una;
	u64	nxt;
	u32	acked;
	u32	delivered;
	u32	lost;
	u32	inflight;
	u32	rtt;
	u32	srtt;
};

/**
 * struct ferry_cong_ops - an algorithm
 *
 * @name: by which it is chosen
 * @hystart: whether slow start is HyStart++'s
 * @ssthresh: there was a loss while so many bytes were of use to the window:
 *	remember what it takes, and return the new slow start threshold
 * @avoid: grow in congestion avoidance, by @delivered bytes that arrived
 * @on_rto: there was a time-out; @ssthresh was called before; may be NULL
 * @on_undo: the last loss was none: restore what @ssthresh changed; may be NULL
 *
 * Its part of struct ferry_cong is all zero when it starts.
 */
struct ferry_cong_ops {
	char	name[FERRY_CONG_NAME_MAX];
	bool	hystart;
	u32	(*ssthresh)(struct ferry_cong *cong, u32 window);
	void	(*avoid)(struct ferry_cong *cong,
			 const struct ferry_cong_ack *ack, u32 delivered);
	void	(*on_rto)(struct ferry_cong *cong);
	void	(*on_undo)(struct ferry_cong *cong);
};

extern const struct ferry_cong_ops ferry_cong_cubic;
extern const struct ferry_cong_ops ferry_cong_newreno;

/**
 * struct ferry_cong_hystart - HyStart++ (RFC 9406)
 *
 * @round_end: SND.NXT when this round began
 * @last_min: least round-trip time of the last round
 * @this_min: of this one
 * @baseline: of the round in which conservative slow start began
 * @samples: measurements in this round
 * @css_rounds: rounds of conservative slow start so far; 0: not in it
 */
struct ferry_cong_hystart {
	u64	round_end;
	u32	last_min;
	u32	this_min;
	u32	baseline;
	u8	samples;
	u8	css_rounds;
};

/**
 * struct ferry_cong_curve - what CUBIC grows along (RFC 9438, 4.2)
 *
 * @w_max: the window at which the last loss was, in bytes
 * @prior: the window before the last reduction, in bytes
 * @k: time from @epoch to @w_max, in ticks of 1,024 microseconds
 * @epoch: tick at which this stage of congestion avoidance began
 */
struct ferry_cong_curve {
	u32	w_max;
	u32	prior;
	u32	k;
	u32	epoch;
};

/**
 * struct ferry_cubic - CUBIC's own state (RFC 9438)
 *
 * @curve: the present curve
 * @undo: the one before the last loss
 * @w_est: what Reno's window would be, in bytes
 * @est_acked: bytes that arrived since @w_est last grew
 * @per_mss: bytes that have to arrive for the window to grow by a segment;
 *	0: it follows @w_est
 * @tick: when the window last had a chance to grow, low 32 bits
 * @cwnd: the window for which @per_mss was computed then
 * @growing: there is a stage, that is, @curve.epoch counts
 * @undo_growing: the same of @undo
 * @after_rto: the next stage is the first after a time-out
 */
struct ferry_cubic {
	struct ferry_cong_curve curve;
	struct ferry_cong_curve undo;
	u32	w_est;
	u32	est_acked;
	u32	per_mss;
	u32	tick;
	u32	cwnd;
	bool	growing:1;
	bool	undo_growing:1;
	bool	after_rto:1;
};

/**
 * struct ferry_cong - one connection's congestion state
 *
 * @ops: its algorithm
 * @recover: SND.NXT when the last loss was found: a recovery ends there, and
 *	losses before it are of the same event
 * @used_until: SND.NXT when @used was noted
 * @sent_at: when something was last sent; 0: never
 * @cwnd: congestion window, in bytes
 * @ssthresh: slow start threshold, in bytes
 * @mss: largest segment, in bytes
 * @grown: bytes that arrived since @cwnd last grew in congestion avoidance
 * @used: most bytes in flight in this window
 * @prr_delivered: bytes that arrived in this recovery
 * @prr_out: bytes sent in it
 * @prr_flight: bytes outstanding when it began
 * @undo_cwnd: @cwnd before the last loss; 0: nothing to undo
 * @undo_ssthresh: @ssthresh before it
 * @undo_retrans: retransmissions since it that were not reported as duplicates
 * @retrans_at: when the first of them was sent, the low 32 bits
 * @state: enum ferry_cong_state
 * @limited: the window was what held sending up, when @used was noted
 * @echo_decides: @retrans_at is set, and no echo told yet whether the original
 *	arrived
 * @hystart: HyStart++'s state
 * @cubic: CUBIC's
 *
 * Embedded in its owner, whose lock guards it.
 */
struct ferry_cong {
	const struct ferry_cong_ops *ops;
	u64	recover;
	u64	used_until;
	u64	sent_at;
	u32	cwnd;
	u32	ssthresh;
	u32	mss;
	u32	grown;
	u32	used;
	u32	prr_delivered;
	u32	prr_out;
	u32	prr_flight;
	u32	undo_cwnd;
	u32	undo_ssthresh;
	u32	undo_retrans;
	u32	retrans_at;
	struct ferry_cong_hystart hystart;
	struct ferry_cubic cubic;
	u8	state;
	bool	limited:1;
	bool	echo_decides:1;
};

const struct ferry_cong_ops *ferry_cong_get(unsigned int index);
unsigned int ferry_cong_index(const struct ferry_cong_ops *ops);
const struct ferry_cong_ops *ferry_cong_find(const char *name);
u32 ferry_cong_initial_window(u32 mss);
void ferry_cong_init(struct ferry_cong *cong, const struct ferry_cong_ops *ops,
		     u32 mss, u64 iss);
void ferry_cong_switch(struct ferry_cong *cong,
		       const struct ferry_cong_ops *ops);
void ferry_cong_set_mss(struct ferry_cong *cong, u32 mss);
void ferry_cong_on_restart(struct ferry_cong *cong, u64 now, u32 rto);
void ferry_cong_on_sent(struct ferry_cong *cong, u64 now, u32 bytes,
			bool retransmission);
void ferry_cong_on_burst(struct ferry_cong *cong, u64 una, u64 nxt,
			 u32 inflight, bool limited);
bool ferry_cong_on_loss(struct ferry_cong *cong, u64 una, u64 nxt);
void ferry_cong_on_rto(struct ferry_cong *cong, u64 nxt, u32 inflight);
bool ferry_cong_on_echo(struct ferry_cong *cong, u32 echo);
bool ferry_cong_on_dsack(struct ferry_cong *cong);
bool ferry_cong_on_ack(struct ferry_cong *cong,
		       const struct ferry_cong_ack *ack);

/**
 * ferry_cong_room() - how much more may be sent
 * @cong: the state
 * @inflight: bytes in flight
 *
 * Context: any; pure.
 * Return: bytes.
 */
static inline u32 ferry_cong_room(const struct ferry_cong *cong, u32 inflight)
{
	return cong->cwnd > inflight ? cong->cwnd - inflight : 0;
}

/**
 * ferry_cong_recovering() - whether losses are being repaired
 * @cong: the state
 *
 * Context: any; pure.
 * Return: whether they are, fast or after a timeout.
 */
static inline bool ferry_cong_recovering(const struct ferry_cong *cong)
{
	return cong->state != FERRY_CONG_OPEN;
}

/**
 * ferry_cong_slow_start() - whether the window is below its threshold
 * @cong: the state
 *
 * Context: any; pure.
 * Return: whether it is.
 */
static inline bool ferry_cong_slow_start(const struct ferry_cong *cong)
{
	return cong->cwnd < cong->ssthresh;
}

void ferry_cong_grow(struct ferry_cong *cong, u32 delivered, u32 per_mss);

#endif /* _FERRY_CONG_H */
