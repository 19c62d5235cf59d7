/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TIME_WAIT: what is left of a connection that this end has closed first, for
 * a while: enough to send the last ACK again.
 *
 * Pure: no kernel state, no allocation, no lock, no clock.
 */
#ifndef _FERRY_TIMEWAIT_H
#define _FERRY_TIMEWAIT_H

#include <linux/types.h>

#include "conn.h"

/* How long: so long, or four time-outs, but never longer than the other. */
#define FERRY_TIMEWAIT_MIN	1000000U
#define FERRY_TIMEWAIT_MAX	60000000U

/**
 * struct ferry_timewait - a connection in TIME_WAIT
 *
 * @snd_nxt: what its segments would begin with
 * @rcv_nxt: what it acknowledges
 * @deadline: when it is over
 * @quiet_until: no answer to a stray ACK before
 * @lasts: how long it lasts from the peer's FIN on, in microseconds
 * @echo: the last stamp that arrived
 *
 * Embedded in its owner, whose lock guards it.
 */
struct ferry_timewait {
	u64	snd_nxt;
	u64	rcv_nxt;
	u64	deadline;
	u64	quiet_until;
	u32	lasts;
	u32	echo;
};

/**
 * enum ferry_timewait_verdict - what a segment means in TIME_WAIT
 *
 * @FERRY_TIMEWAIT_IGNORE: nothing
 * @FERRY_TIMEWAIT_ACK: answer by the ACK that was stored
 * @FERRY_TIMEWAIT_DEAD: the peer is done too: it is over
 * @FERRY_TIMEWAIT_REOPEN: it is over, and the SYN is for who listens
 */
enum ferry_timewait_verdict {
	FERRY_TIMEWAIT_IGNORE,
	FERRY_TIMEWAIT_ACK,
	FERRY_TIMEWAIT_DEAD,
	FERRY_TIMEWAIT_REOPEN,
};

void ferry_timewait_init(struct ferry_timewait *tw,
			 const struct ferry_conn *conn, u64 now);
enum ferry_timewait_verdict
ferry_timewait_in(struct ferry_timewait *tw, const struct ferry_seg *seg,
		  u64 now, struct ferry_seg *ack);

#endif /* _FERRY_TIMEWAIT_H */
