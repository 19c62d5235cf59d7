/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Round-trip time: its smoothed mean and variance, the retransmission timeout
 * made of them (RFC 6298), and the least of the last minutes.
 *
 * All times are in microseconds. Pure: no kernel state, no lock, no clock.
 */
#ifndef _FERRY_RTT_H
#define _FERRY_RTT_H

#include <linux/types.h>

/* Not a measurement. */
#define FERRY_RTT_NONE		(~0U)

/* The timeout before there is a measurement (RFC 6298, 2.1). */
#define FERRY_RTO_INITIAL	1000000U

/*
 * The same once the SYN was retransmitted and nothing was measured since
 * (RFC 6298, 5.7).
 */
#define FERRY_RTO_SYN_LOST	3000000U

/*
 * The longest that a receiver holds an ACK back. A sender's timeouts build on
 * it, so it is a rule of the protocol and not a setting.
 */
#define FERRY_DELACK_MAX	40000U

/*
 * The least that a timeout is beyond the round-trip time. RFC 6298's second is
 * for paths of unknown length; Linux TCP's 200 ms for far ends that hold an
 * ACK back that long. A Ferry path is one Ethernet, on which a round trip
 * takes microseconds, plus what the far end may hold an ACK back (40 ms), plus
 * two ticks of its slowest timer (HZ=100: 20 ms), plus as much as that again
 * for a host that is busy. Losses in a tail do not wait for it: the loss probe
 * takes two round trips.
 */
#define FERRY_RTO_MIN		100000U

/* The most, also when backed off (RFC 6298, 2.5: at least 60 s; Linux: 120). */
#define FERRY_RTO_MAX		120000000U

/* What a timer cannot be exact about: a tick at HZ=250 (RFC 6298's G). */
#define FERRY_RTT_GRANULARITY	4000U

/* How long a minimum counts (Linux: tcp_min_rtt_wlen, 300 s). */
#define FERRY_RTT_MIN_WINDOW	300000000ULL

/**
 * struct ferry_rtt_min - a windowed minimum, after Kathleen Nichols
 *
 * @sample: the best, the second best since it, the third best since that:
 *	@t in units of 2^20 microseconds (about a second), @v in microseconds
 *
 * As lib/win_minmax.c, whose minimum the kernel does not export to modules.
 */
struct ferry_rtt_min {
	struct {
		u32	t;
		u32	v;
	} sample[3];
};

/**
 * struct ferry_rtt - what is known of one path's round-trip time
 *
 * @round_end: when the present round trip will be over
 * @srtt: smoothed round-trip time, in 1/8 microseconds; 0: none measured yet
 * @mdev: smoothed deviation from it, in 1/4 microseconds (RFC 6298's RTTVAR if
 *	there is one measurement a round trip)
 * @mdev_max: the largest @mdev of this round trip
 * @rttvar: what the timeout is made of: @mdev_max of the last round trip, or of
 *	this one if that is larger
 * @rto: timeout without back-off
 * @backoff: how often it was doubled
 * @min: windowed minimum
 *
 * Embedded in its owner, whose lock guards it.
 *
 * Every ACK is a measurement. With as many of them as a round trip has, RTTVAR
 * would forget within a fraction of it (RFC 7323, appendix G), so it rises at
 * once and falls once a round trip, as in Linux.
 */
struct ferry_rtt {
	u64	round_end;
	u32	srtt;
	u32	mdev;
	u32	mdev_max;
	u32	rttvar;
	u32	rto;
	u32	backoff;
	struct ferry_rtt_min min;
};

void ferry_rtt_init(struct ferry_rtt *rtt, u32 rto);
void ferry_rtt_update(struct ferry_rtt *rtt, u64 now, u32 sample);
void ferry_rtt_established(struct ferry_rtt *rtt, bool syn_lost);
void ferry_rtt_backoff(struct ferry_rtt *rtt);

/**
 * ferry_rtt_progress() - new data was acknowledged: back to the plain timeout
 * @rtt: the state
 *
 * For an ACK with which nothing could be measured.
 *
 * Context: any; pure.
 */
static inline void ferry_rtt_progress(struct ferry_rtt *rtt)
{
	rtt->backoff = 0;
}

/**
 * ferry_rtt_rto() - how long to wait before retransmitting
 * @rtt: the state
 *
 * Context: any; pure.
 * Return: microseconds, back-off included, FERRY_RTO_MIN to FERRY_RTO_MAX.
 */
static inline u32 ferry_rtt_rto(const struct ferry_rtt *rtt)
{
	u64 rto = (u64)rtt->rto << rtt->backoff;

	return rto < FERRY_RTO_MAX ? rto : FERRY_RTO_MAX;
}

/**
 * ferry_rtt_min_get() - the least round-trip time of the last minutes
 * @rtt: the state
 *
 * Context: any; pure.
 * Return: microseconds; FERRY_RTT_NONE if nothing was measured.
 */
static inline u32 ferry_rtt_min_get(const struct ferry_rtt *rtt)
{
	return rtt->min.sample[0].v;
}

/**
 * ferry_rtt_known() - whether anything was measured yet
 * @rtt: the state
 *
 * Return: whether it was.
 */
static inline bool ferry_rtt_known(const struct ferry_rtt *rtt)
{
	return rtt->srtt;
}

/**
 * ferry_rtt_smoothed() - the smoothed round-trip time
 * @rtt: the state
 *
 * Return: microseconds; 0 if nothing was measured.
 */
static inline u32 ferry_rtt_smoothed(const struct ferry_rtt *rtt)
{
	return rtt->srtt >> 3;
}

u32 ferry_rtt_of_echo(u64 now, u32 echo);
u32 ferry_rtt_of_segment(u64 now, u64 sent, bool retransmitted);

#endif /* _FERRY_RTT_H */
