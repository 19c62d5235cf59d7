/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the conn_*.c share among themselves, and with nobody else.
 */
#ifndef _FERRY_CONN_IMPL_H
#define _FERRY_CONN_IMPL_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#include "user.h"
#endif

#include "conn.h"

/**
 * struct ferry_ack_work - what one ACK, or one expiry, has brought to light
 *
 * @now: when
 * @echo: the stamp that the ACK echoes, or 0
 * @acked: sequence numbers by which snd_una moved
 * @delivered: what it is the first to tell of as arrived, as it counts in the
 *	congestion window
 * @lost: sequence numbers found lost
 * @judge: something was delivered that says which others are lost
 * @probe_lost: a probe of the path is, which is not in @lost
 */
struct ferry_ack_work {
	u64	now;
	u32	echo;
	u32	acked;
	u32	delivered;
	u32	lost;
	bool	judge;
	bool	probe_lost;
};

/* conn_board.c: the scoreboard */
void ferry_board_sent(struct ferry_conn *conn, struct ferry_chunk *chunk,
		      u64 now);
void ferry_board_lose(struct ferry_conn *conn, struct ferry_chunk *chunk);
struct ferry_chunk *ferry_board_split(struct ferry_conn *conn,
				      struct ferry_chunk *chunk, u32 at);
struct ferry_chunk *ferry_board_trim(struct ferry_conn *conn,
				     struct ferry_chunk *chunk);
void ferry_board_ack(struct ferry_conn *conn, u64 ack,
		     struct ferry_ack_work *work);
void ferry_board_sack(struct ferry_conn *conn, const struct ferry_span *span,
		      struct ferry_ack_work *work);
void ferry_board_forget_sacks(struct ferry_conn *conn);
void ferry_board_first(struct ferry_conn *conn);
void ferry_board_find_again(struct ferry_conn *conn);
void ferry_board_pad(struct ferry_conn *conn);

/* conn_ack.c */
void ferry_ack_in(struct ferry_conn *conn, const struct ferry_seg *seg,
		  u64 now, struct ferry_result *result);
void ferry_ack_judge(struct ferry_conn *conn, struct ferry_ack_work *work);
u32 ferry_ack_reo_wnd(const struct ferry_conn *conn);

/* conn_timer.c */
void ferry_timer_arm(struct ferry_conn *conn, u64 now);
void ferry_timer_alive(struct ferry_conn *conn, u64 now);

/* conn.c */
void ferry_conn_agree(struct ferry_conn *conn, u32 mss);
void ferry_conn_set_mss(struct ferry_conn *conn, u32 mss);
void ferry_conn_established(struct ferry_conn *conn, u64 now,
			    struct ferry_result *result);
void ferry_conn_close(struct ferry_conn *conn, int error,
		      struct ferry_result *result);

/* What a device makes of a chunk, which RACK counts as well. */
static inline u32 ferry_conn_segments(const struct ferry_conn *conn, u32 size)
{
	if (size <= conn->mss)
		return !!size;
	return DIV_ROUND_UP(size, conn->mss);
}

/* From here on what arrives is of another round trip: for its count's @rate. */
static inline void ferry_conn_begin_round(struct ferry_conn *conn, u64 now)
{
	struct ferry_conn_out_count *count = &conn->out->count;

	count->round_at = now;
	count->round_base = count->delivered;
	count->round_end = conn->snd_nxt;
}

/* Everything that was sent is acknowledged. */
static inline bool ferry_conn_idle(const struct ferry_conn *conn)
{
	return conn->snd_una == conn->snd_nxt;
}

/* The FIN is sent and acknowledged. */
static inline bool ferry_conn_fin_acked(const struct ferry_conn *conn)
{
	return conn->fin_queued && conn->snd_una == conn->snd_end;
}

/* What the peer's window takes beyond what was sent. */
static inline u32 ferry_conn_usable(const struct ferry_conn *conn)
{
	return conn->snd_edge > conn->snd_nxt ?
	       conn->snd_edge - conn->snd_nxt : 0;
}

/* The right edge of the window that this end has offered. */
static inline u64 ferry_conn_edge(const struct ferry_conn *conn)
{
	return max_t(u64, conn->rwnd.edge, conn->rcv_nxt);
}

/* What has arrived in its turn and no acknowledgment has told of, in bytes. */
static inline u64 ferry_conn_owed(const struct ferry_conn *conn)
{
	return conn->rcv_nxt - conn->rcv_acked;
}

/* RFC 5681, 4.2: two of the largest segments are not to wait for one. */
static inline bool ferry_conn_owes_two(const struct ferry_conn *conn)
{
	return ferry_conn_owed(conn) >= 2 * (u64)conn->mss;
}

#endif /* _FERRY_CONN_IMPL_H */
