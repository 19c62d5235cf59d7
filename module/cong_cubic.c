// SPDX-License-Identifier: GPL-2.0-only
/*
 * CUBIC (RFC 9438): after a loss the window returns along a cubic curve to where
 * the loss was, pauses there, and then goes on to look for more; time decides,
 * not the count of round trips. Where Reno would be faster it does as Reno.
 *
 * Beta is 0.7, C is 0.4, alpha is 3 * (1 - 0.7) / (1 + 0.7) = 9/17. Time is in
 * ticks of 1,024 microseconds, windows are in bytes, and nothing is a fraction.
 */
#ifdef __KERNEL__
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#else
#include "user.h"
#endif

#include "cong.h"
#include "rtt.h"

#define TICK_SHIFT	10

/* Ticks that make a cube of C = 0.4 segments: 2.5 * (10^6 / 2^10)^3. */
#define CUBE_PER_SEGMENT	2328306437U

/* The cube of more ticks, 18 minutes, says no more: the curve is far outside. */
#define TICKS_MAX	0x100000

/* The cube of fewer ticks may be multiplied by a segment's size. */
#define TICKS_FINE	0x4000

static u32 tick_of(u64 now)
{
	return now >> TICK_SHIFT;
}

/* The integer part of the cube root, bit by bit; once a loss. */
static u32 cube_root(u64 x)
{
	u64 root = 0, step;
	int shift;

	for (shift = 63; shift >= 0; shift -= 3) {
		root <<= 1;
		step = 3 * root * (root + 1) + 1;
		if (x >> shift >= step) {
			x -= step << shift;
			root++;
		}
	}
	return root;
}

/* Bytes between the curve @offset ticks from its middle and the middle. */
static u64 cube(u64 offset, u32 mss)
{
	u64 ticks;

	offset = min_t(u64, offset, TICKS_MAX);
	ticks = offset * offset * offset;
	if (offset < TICKS_FINE)
		return div_u64(ticks * mss, CUBE_PER_SEGMENT);
	return div_u64(ticks, CUBE_PER_SEGMENT) * mss;
}

/* W_cubic (RFC 9438, equation 1), @age ticks after the stage began. */
static u32 curve_at(const struct ferry_cong *cong, u64 age)
{
	const struct ferry_cong_curve *curve = &cong->cubic.curve;
	u64 bytes;

	if (age < curve->k) {
		bytes = cube(curve->k - age, cong->mss);
		return curve->w_max > bytes ? curve->w_max - bytes : 0;
	}
	bytes = curve->w_max + cube(age - curve->k, cong->mss);
	return min_t(u64, bytes, FERRY_CONG_CWND_MAX);
}

/* Congestion avoidance begins (RFC 9438, 4.2 and, after a time-out, 4.8). */
static void stage_begin(struct ferry_cong *cong, u32 tick)
{
	struct ferry_cubic *cubic = &cong->cubic;
	struct ferry_cong_curve *curve = &cubic->curve;

	curve->epoch = tick;
	curve->k = 0;
	if (cubic->after_rto || curve->w_max <= cong->cwnd)
		curve->w_max = cong->cwnd;
	else
		curve->k = cube_root(div_u64((u64)CUBE_PER_SEGMENT *
					     (curve->w_max - cong->cwnd),
					     cong->mss));
	cubic->w_est = cong->cwnd;
	cubic->est_acked = 0;
	cubic->cwnd = 0;
	cubic->tick = tick;
	cubic->after_rto = false;
	cubic->growing = true;
}

/*
 * Time without a chance to grow, because the connection was idle or did not use
 * its window, does not count (RFC 9438, 4.2 and 5.8): when growth is possible
 * again, the curve goes on where it was. ACKs come once a round trip, and may be
 * held back.
 */
static void skip_pause(struct ferry_cubic *cubic, u32 tick, u32 srtt)
{
	u32 gap = tick - cubic->tick;
	u32 usual = (2 * srtt + FERRY_DELACK_MAX) >> TICK_SHIFT;

	if (gap > usual)
		cubic->curve.epoch += gap - usual;
}

/* What Reno's window would be by now (RFC 9438, equation 4). */
static void reno_grow(struct ferry_cong *cong, u32 delivered)
{
	struct ferry_cubic *cubic = &cong->cubic;
	u32 per_mss = cong->cwnd;

	/* Alpha of a segment for each window, until it is where it fell from. */
	if (cubic->w_est < cubic->curve.prior)
		per_mss += (u64)per_mss * 8 / 9;
	cubic->est_acked += delivered;
	if (cubic->est_acked < per_mss)
		return;
	cubic->w_est += cubic->est_acked / per_mss * cong->mss;
	cubic->w_est = min_t(u32, cubic->w_est, FERRY_CONG_CWND_MAX);
	cubic->est_acked %= per_mss;
}

/* Bytes to arrive for a segment's growth; 0: as Reno (RFC 9438, 4.3 to 4.5). */
static u32 per_mss(const struct ferry_cong *cong, u32 tick, u32 srtt)
{
	const struct ferry_cubic *cubic = &cong->cubic;
	u32 age = tick - cubic->curve.epoch;
	u32 cwnd = cong->cwnd;
	u32 target, most;
	u64 per;

	if (curve_at(cong, age) < cubic->w_est)
		return 0;

	target = curve_at(cong, (u64)age + (srtt >> TICK_SHIFT));
	most = cwnd + cwnd / 2;
	target = min_t(u32, target, most);
	if (target <= cwnd)
		/* It waits on the curve: a hundredth of a segment, as Linux. */
		per = 100ULL * cwnd;
	else
		per = div_u64((u64)cwnd * cong->mss, target - cwnd);
	return min_t(u64, per, U32_MAX);
}

static void cubic_avoid(struct ferry_cong *cong,
			const struct ferry_cong_ack *ack, u32 delivered)
{
	struct ferry_cubic *cubic = &cong->cubic;
	u32 tick = tick_of(ack->now);
	bool stale = cubic->tick != tick;

	if (!cubic->growing)
		stage_begin(cong, tick);
	skip_pause(cubic, tick, ack->srtt);
	cubic->tick = tick;

	reno_grow(cong, delivered);
	if (stale || cubic->cwnd != cong->cwnd) {
		cubic->per_mss = per_mss(cong, tick, ack->srtt);
		cubic->cwnd = cong->cwnd;
	}
	if (cubic->per_mss)
		ferry_cong_grow(cong, delivered, cubic->per_mss);
	else
		cong->cwnd = max_t(u32, cong->cwnd, cubic->w_est);
}

/* RFC 9438, 4.6 and, for a flow whose window shrinks, 4.7: fast convergence. */
static u32 cubic_ssthresh(struct ferry_cong *cong, u32 window)
{
	struct ferry_cubic *cubic = &cong->cubic;
	struct ferry_cong_curve *curve = &cubic->curve;

	cubic->undo = *curve;
	cubic->undo_growing = cubic->growing;
	cubic->growing = false;

	curve->prior = window;
	if (window < curve->w_max)
		curve->w_max = (u64)window * 17 / 20;
	else
		curve->w_max = window;
	return (u64)window * 7 / 10;
}

static void cubic_on_rto(struct ferry_cong *cong)
{
	cong->cubic.growing = false;
	cong->cubic.after_rto = true;
}

/* RFC 9438, 4.9 */
static void cubic_on_undo(struct ferry_cong *cong)
{
	struct ferry_cubic *cubic = &cong->cubic;

	cubic->curve = cubic->undo;
	cubic->growing = cubic->undo_growing;
	cubic->after_rto = false;
	cubic->cwnd = 0;
}

const struct ferry_cong_ops ferry_cong_cubic = {
	.name = "cubic",
	.hystart = true,
	.ssthresh = cubic_ssthresh,
	.avoid = cubic_avoid,
	.on_rto = cubic_on_rto,
	.on_undo = cubic_on_undo,
};
