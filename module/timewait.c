// SPDX-License-Identifier: GPL-2.0-only
/*
 * TIME_WAIT. See timewait.h.
 */
#ifdef __KERNEL__
#include <linux/minmax.h>
#else
#include "user.h"
#endif

#include "timewait.h"

/**
 * ferry_timewait_init() - keep what TIME_WAIT needs of a connection
 * @tw: where
 * @conn: the connection, in TIME_WAIT, its last ACK sent
 * @now: the time
 *
 * Context: any; pure.
 */
void ferry_timewait_init(struct ferry_timewait *tw,
			 const struct ferry_conn *conn, u64 now)
{
	struct ferry_rtt rtt;
	u64 lasts;

	ferry_conn_rtt(conn, &rtt);
	lasts = clamp_t(u64, 4 * (u64)ferry_rtt_rto(&rtt), FERRY_TIMEWAIT_MIN,
			FERRY_TIMEWAIT_MAX);
	*tw = (struct ferry_timewait) {
		.snd_nxt = conn->snd_nxt,
		.rcv_nxt = conn->rcv_nxt,
		.deadline = now + lasts,
		.lasts = lasts,
		.echo = conn->echo,
	};
}

/**
 * ferry_timewait_in() - a segment arrives
 * @tw: what is left of the connection
 * @seg: the segment
 * @now: the time
 * @ack: where to store the answer
 *
 * RFC 9293, 3.10.7.4: a FIN again is answered, and the time begins anew. A SYN
 * above what was received is a new connection's (RFC 6191): its numbers begin above
 * the old one's. An RST ends it only with the exact number (RFC 1337).
 *
 * Context: any; pure.
 * Return: what it means.
 */
enum ferry_timewait_verdict
ferry_timewait_in(struct ferry_timewait *tw, const struct ferry_seg *seg,
		  u64 now, struct ferry_seg *ack)
{
	if (seg->kind == FERRY_KIND_RST)
		return seg->seq == tw->rcv_nxt ? FERRY_TIMEWAIT_DEAD :
						 FERRY_TIMEWAIT_IGNORE;
	if (seg->kind == FERRY_KIND_SYN && seg->seq >= tw->rcv_nxt)
		return FERRY_TIMEWAIT_REOPEN;

	if (seg->kind == FERRY_KIND_DATA && seg->flags & FERRY_F_FIN &&
	    ferry_seg_end(seg) == tw->rcv_nxt) {
		tw->deadline = now + tw->lasts;
		tw->echo = seg->stamp;
	} else if (ferry_seg_end(seg) == seg->seq ||
		   seg->kind != FERRY_KIND_DATA) {
		if (now < tw->quiet_until)
			return FERRY_TIMEWAIT_IGNORE;
		tw->quiet_until = now + FERRY_CHALLENGE_GAP;
	}
	*ack = (struct ferry_seg) {
		.kind = FERRY_KIND_DATA,
		.seq = tw->snd_nxt,
		.ack = tw->rcv_nxt,
		.stamp = (u32)now ?: 1,
		.echo = tw->echo,
	};
	return FERRY_TIMEWAIT_ACK;
}
