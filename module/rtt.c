// SPDX-License-Identifier: GPL-2.0-only
/*
 * Round-trip time and retransmission timeout. See rtt.h.
 */
#ifdef __KERNEL__
#include <linux/minmax.h>
#else
#include "user.h"
#endif

#include "rtt.h"

/* One more doubling would not show: FERRY_RTO_MIN << 11 is past the maximum. */
#define BACKOFF_MAX	11

/* The windowed minimum's time: 2^20 microseconds. */
#define MIN_SHIFT	20
#define MIN_WINDOW	((u32)(FERRY_RTT_MIN_WINDOW >> MIN_SHIFT))

/*
 * Three candidates, each the best since the one before it, and old enough apart
 * that when the first leaves the window the next is not about to.
 */
static void min_update(struct ferry_rtt_min *min, u64 now, u32 value)
{
	typeof(min->sample[0]) new = { now >> MIN_SHIFT, value };
	typeof(new) *s = min->sample;
	u32 age;

	if (value <= s[0].v || new.t - s[2].t > MIN_WINDOW) {
		s[0] = new;
		s[1] = new;
		s[2] = new;
		return;
	}
	if (value <= s[1].v) {
		s[1] = new;
		s[2] = new;
	} else if (value <= s[2].v) {
		s[2] = new;
	}

	age = new.t - s[0].t;
	if (age > MIN_WINDOW) {
		s[0] = s[1];
		s[1] = s[2];
		s[2] = new;
		if (new.t - s[0].t > MIN_WINDOW) {
			s[0] = s[1];
			s[1] = s[2];
		}
	} else if (s[1].t == s[0].t && age > MIN_WINDOW / 4) {
		s[1] = new;
		s[2] = new;
	} else if (s[2].t == s[1].t && age > MIN_WINDOW / 2) {
		s[2] = new;
	}
}

/**
 * ferry_rtt_init() - nothing is known yet
 * @rtt: the state
 * @rto: first timeout in microseconds: FERRY_RTO_INITIAL
 *
 * Context: any; pure.
 */
void ferry_rtt_init(struct ferry_rtt *rtt, u32 rto)
{
	*rtt = (struct ferry_rtt) {
		.rto = rto,
		.min.sample = {
			{ .v = FERRY_RTT_NONE },
			{ .v = FERRY_RTT_NONE },
			{ .v = FERRY_RTT_NONE },
		},
	};
}

/* RFC 6298, 2.3: the deviation first, as it is from the old mean. */
static void smooth(struct ferry_rtt *rtt, u64 now, u32 sample)
{
	u32 mean = rtt->srtt >> 3;
	u32 error = sample > mean ? sample - mean : mean - sample;

	rtt->mdev += error - (rtt->mdev >> 2);
	rtt->srtt += sample - mean;
	if (!rtt->srtt)
		rtt->srtt = 1;

	rtt->mdev_max = max_t(u32, rtt->mdev_max, rtt->mdev);
	rtt->rttvar = max_t(u32, rtt->rttvar, rtt->mdev_max);
	if (now >= rtt->round_end) {
		rtt->rttvar = rtt->mdev_max;
		rtt->mdev_max = 0;
		rtt->round_end = now + (rtt->srtt >> 3);
	}
}

/**
 * ferry_rtt_update() - take a measurement
 * @rtt: the state
 * @now: the time in microseconds
 * @sample: what was measured, in microseconds; FERRY_RTT_NONE changes nothing
 *
 * It also undoes the back-off (RFC 6298, 5.7; Karn: only an unambiguous
 * measurement may).
 *
 * Context: any; pure.
 */
void ferry_rtt_update(struct ferry_rtt *rtt, u64 now, u32 sample)
{
	if (sample == FERRY_RTT_NONE)
		return;
	sample = clamp_t(u32, sample, 1, FERRY_RTO_MAX);

	if (rtt->srtt) {
		smooth(rtt, now, sample);
	} else {
		/* RFC 6298, 2.2: RTTVAR is half of it. */
		rtt->srtt = sample << 3;
		rtt->mdev = sample << 1;
		rtt->rttvar = rtt->mdev;
		rtt->round_end = now + sample;
	}
	min_update(&rtt->min, now, sample);

	/*
	 * 4 * RTTVAR, which is rttvar in its unit (RFC 6298, 2.3), but never
	 * less than what makes up the least timeout: a path without variance
	 * may still have an ACK that is held back. As in Linux.
	 */
	rtt->rto = (rtt->srtt >> 3) +
		   max_t(u32, FERRY_RTO_MIN, rtt->rttvar);
	rtt->rto = min_t(u32, rtt->rto, FERRY_RTO_MAX);
	rtt->backoff = 0;
}

/**
 * ferry_rtt_established() - the handshake is over
 * @rtt: the state
 * @syn_lost: whether this end's SYN or SYN-ACK had to be retransmitted
 *
 * If nothing could be measured, the timeout starts anew: at FERRY_RTO_SYN_LOST
 * if @syn_lost, for then the path may be longer than FERRY_RTO_INITIAL
 * (RFC 6298, 5.7).
 *
 * Context: any; pure.
 */
void ferry_rtt_established(struct ferry_rtt *rtt, bool syn_lost)
{
	if (rtt->srtt)
		return;
	rtt->backoff = 0;
	if (syn_lost)
		rtt->rto = max_t(u32, rtt->rto, FERRY_RTO_SYN_LOST);
}

/**
 * ferry_rtt_backoff() - the retransmission timer expired: double the timeout
 * @rtt: the state
 *
 * RFC 6298, 5.5.
 *
 * Context: any; pure.
 */
void ferry_rtt_backoff(struct ferry_rtt *rtt)
{
	if (rtt->backoff < BACKOFF_MAX)
		rtt->backoff++;
}

/**
 * ferry_rtt_of_echo() - measure by the time stamp that came back
 * @now: the time in microseconds
 * @echo: what the peer echoes: the low 32 bits of the time at which this end
 *	sent the packet that the peer answered
 *
 * An echo is unambiguous for retransmitted segments too.
 *
 * Context: any; pure.
 * Return: microseconds, at least 1; FERRY_RTT_NONE if it is longer than any
 * timeout: no packet is answered so late, so the echo is forged or stale.
 */
u32 ferry_rtt_of_echo(u64 now, u32 echo)
{
	u32 sample = (u32)now - echo;

	if (sample > FERRY_RTO_MAX)
		return FERRY_RTT_NONE;
	return max_t(u32, sample, 1);
}

/**
 * ferry_rtt_of_segment() - measure by when an acknowledged segment was sent
 * @now: the time in microseconds
 * @sent: when it was last sent
 * @retransmitted: whether it was sent more than once: Karn's rule
 *
 * Context: any; pure.
 * Return: microseconds, at least 1; FERRY_RTT_NONE if it cannot be told.
 */
u32 ferry_rtt_of_segment(u64 now, u64 sent, bool retransmitted)
{
	if (retransmitted || now < sent || now - sent > FERRY_RTO_MAX)
		return FERRY_RTT_NONE;
	return max_t(u64, now - sent, 1);
}
