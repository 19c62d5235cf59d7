// SPDX-License-Identifier: GPL-2.0-only
/*
 * NewReno: half the window at a loss, a segment a round trip without one
 * (RFC 5681). That the losses of one window are one event (RFC 6582) holds for
 * every algorithm, and is in cong.c.
 */
#ifdef __KERNEL__
#include <linux/types.h>
#else
#include "user.h"
#endif

#include "cong.h"

/* RFC 5681, equation 4 */
static u32 newreno_ssthresh(struct ferry_cong *cong, u32 window)
{
	return window / 2;
}

/* RFC 5681, 3.1, by bytes as RFC 3465, 2.1 */
static void newreno_avoid(struct ferry_cong *cong,
			  const struct ferry_cong_ack *ack, u32 delivered)
{
	ferry_cong_grow(cong, delivered, cong->cwnd);
}

const struct ferry_cong_ops ferry_cong_newreno = {
	.name = "newreno",
	.ssthresh = newreno_ssthresh,
	.avoid = newreno_avoid,
};
