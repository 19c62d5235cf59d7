// SPDX-License-Identifier: GPL-2.0-only
/*
 * A segment arrives: RFC 9293, 3.10.7, in its order, with RFC 5961's caution.
 */
#include "conn_impl.h"

static void challenge(struct ferry_conn *conn, u64 now)
{
	if (now < conn->quiet_until)
		return;
	conn->quiet_until = now + FERRY_CHALLENGE_GAP;
	conn->pending |= FERRY_PENDING_ACK;
}

static void drop(struct ferry_result *result, enum ferry_drop why)
{
	result->drop = why;
}

/* What a SYN or a SYN-ACK tells of the peer; false: it is of the other sort. */
static bool take_facts(struct ferry_conn *conn, const struct ferry_seg *seg)
{
	if (!conn->code != !seg->code)
		return false;
	conn->peer_code = seg->code;
	ferry_conn_agree(conn, seg->mss);
	conn->irs = seg->seq;
	conn->rcv_nxt = seg->seq + 1;
	conn->rcv_acked = conn->rcv_nxt;
	conn->echo = seg->stamp;
	conn->snd_edge = conn->snd_una + 1 + min_t(u32, seg->window,
						   FERRY_WINDOW_MAX);
	conn->snd_max_wnd = min_t(u32, seg->window, FERRY_WINDOW_MAX);
	/* Until now the edge was counted from 0. */
	ferry_rwnd_init(&conn->rwnd, conn->rcv_nxt, conn->rwnd.edge);
	return true;
}

/* An acknowledgment of the SYN or SYN-ACK: the connection is up. */
static void handshake_done(struct ferry_conn *conn, const struct ferry_seg *seg,
			   u64 now, struct ferry_result *result)
{
	u32 rtt = FERRY_RTT_NONE;

	if (seg->echo)
		rtt = ferry_rtt_of_echo(now, seg->echo);
	if (rtt != FERRY_RTT_NONE)
		conn->syn_rtt = rtt;
	ferry_conn_established(conn, now, result);
}

static void syn_sent_in(struct ferry_conn *conn, const struct ferry_seg *seg,
			u64 now, struct ferry_result *result)
{
	if (seg->kind != FERRY_KIND_SYN && seg->ack != conn->snd_nxt) {
		drop(result, FERRY_DROP_ACK);
		if (seg->kind == FERRY_KIND_RST)
			return;
		/* Of a connection before, which that ends: ask again, once. */
		result->events |= FERRY_EVENT_STRAY;
		if (conn->syn_sends == 1)
			conn->pending |= FERRY_PENDING_SYN;
		return;
	}
	switch (seg->kind) {
	case FERRY_KIND_RST:
		ferry_conn_close(conn, seg->code == FERRY_UNREACH_PROHIBITED ?
				 -EACCES : -ECONNREFUSED, result);
		return;
	case FERRY_KIND_DATA:
		drop(result, FERRY_DROP_STATE);
		return;
	}
	if (!take_facts(conn, seg)) {
		result->events |= FERRY_EVENT_STRAY;
		ferry_conn_close(conn, -ECONNREFUSED, result);
		return;
	}
	conn->heard_at = now;
	if (seg->kind == FERRY_KIND_SYN) {
		/* Both ends at once, or this one with itself. */
		conn->state = FERRY_SYN_RECV;
		conn->pending |= FERRY_PENDING_SYN;
		return;
	}
	conn->pending |= FERRY_PENDING_ACK;
	handshake_done(conn, seg, now, result);
}

/*
 * In SYN_RECV: returns whether the segment, which acknowledges the SYN-ACK, is to
 * be looked at further.
 */
static bool syn_recv_in(struct ferry_conn *conn, const struct ferry_seg *seg,
			u64 now, struct ferry_result *result)
{
	bool first = seg->seq + 1 == conn->rcv_nxt;

	switch (seg->kind) {
	case FERRY_KIND_RST:
		return true;
	case FERRY_KIND_SYN:
		if (first)
			conn->pending |= FERRY_PENDING_SYN;
		else
			challenge(conn, now);
		drop(result, FERRY_DROP_STATE);
		return false;
	case FERRY_KIND_SYNACK:
		/* A simultaneous open's other half. */
		if (first && seg->ack == conn->snd_nxt)
			handshake_done(conn, seg, now, result);
		else
			drop(result, FERRY_DROP_ACK);
		return false;
	}
	if (seg->ack != conn->snd_nxt) {
		drop(result, FERRY_DROP_ACK);
		result->events |= FERRY_EVENT_STRAY;
		return false;
	}
	if (seg->seq < conn->rcv_nxt || seg->seq > ferry_conn_edge(conn))
		return true;
	handshake_done(conn, seg, now, result);
	return true;
}

/*
 * RFC 7323, 4.3 and 5.3, R3: the stamp of the latest packet that began at or
 * before what was last acknowledged. With a held-back ACK, that is the first of
 * those it is for. A duplicate counts too: it came because an ACK was lost, and the
 * next one is an answer to it.
 */
static void note_stamp(struct ferry_conn *conn, const struct ferry_seg *seg)
{
	if (seg->kind == FERRY_KIND_DATA && seg->seq <= conn->rcv_acked &&
	    seg->seq + FERRY_WINDOW_MAX >= conn->rcv_acked &&
	    (s32)(seg->stamp - conn->echo) >= 0)
		conn->echo = seg->stamp;
}

static bool acceptable(const struct ferry_conn *conn,
		       const struct ferry_seg *seg)
{
	u64 edge = ferry_conn_edge(conn);
	u64 end = ferry_seg_end(seg);

	if (end == seg->seq)
		return seg->seq >= conn->rcv_nxt && seg->seq <= edge;
	return end > conn->rcv_nxt && seg->seq < edge;
}

/*
 * Whether data that is not acceptable may be the peer's own: it was sent before, or
 * into a window that it has seen. What is farther away is somebody's guess.
 */
static bool possibly_sent(const struct ferry_conn *conn, u64 seq, u64 end)
{
	return end + FERRY_WINDOW_MAX >= conn->rcv_nxt &&
	       seq <= ferry_conn_edge(conn);
}

static void unacceptable_in(struct ferry_conn *conn,
			    const struct ferry_seg *seg, u64 now,
			    struct ferry_result *result)
{
	u64 end = ferry_seg_end(seg);

	drop(result, FERRY_DROP_WINDOW);
	if (seg->kind == FERRY_KIND_RST)
		return;
	if (seg->kind != FERRY_KIND_DATA || end == seg->seq ||
	    !possibly_sent(conn, seg->seq, end)) {
		challenge(conn, now);
		return;
	}
	/* Our ACK was lost, or the peer did not wait for it: tell it at once. */
	conn->pending |= FERRY_PENDING_ACK;
	if (end <= conn->rcv_nxt) {
		conn->dsack = (struct ferry_span) { seg->seq, end };
		drop(result, FERRY_DROP_DUPLICATE);
	}
}

static void reset_in(struct ferry_conn *conn, const struct ferry_seg *seg,
		     u64 now, struct ferry_result *result)
{
	int error = -ECONNRESET;

	if (seg->seq != conn->rcv_nxt) {
		challenge(conn, now);
		drop(result, FERRY_DROP_RESET);
		return;
	}
	if (conn->state == FERRY_SYN_RECV && !conn->passive)
		error = -ECONNREFUSED;
	else if (conn->state == FERRY_CLOSE_WAIT)
		error = -EPIPE;
	else if (conn->fin_seen && conn->fin_queued &&
		 conn->snd_una + 1 == conn->snd_end)
		error = 0;	/* only our FIN was left, and TIME_WAIT is over */
	ferry_conn_close(conn, error, result);
}

/* Things that no honest peer sends: see docs/protocol.md. */
static bool plausible(const struct ferry_conn *conn,
		      const struct ferry_seg *seg)
{
	u64 end = ferry_seg_end(seg);

	if (seg->flags & FERRY_F_EOR && !conn->code)
		return false;
	if (end == seg->seq)
		return true;
	if (!(seg->flags & FERRY_F_FIN))
		return !conn->fin_seen || end <= conn->rcv_fin;
	if (conn->fin_seen)
		return end - 1 == conn->rcv_fin;
	return end - 1 >= ferry_range_end(&conn->ahead, conn->rcv_nxt);
}

/* RFC 5961, 5.2; RFC 9293, 3.10.7.4. Whether the acknowledgment can be true. */
static bool ack_possible(const struct ferry_conn *conn,
			 const struct ferry_seg *seg)
{
	return seg->ack <= conn->snd_nxt &&
	       seg->ack + conn->snd_max_wnd >= conn->snd_una;
}

/*
 * Whether what has arrived in its turn can wait for its acknowledgment. Two segments
 * cannot, unless they wait to be read: reading acknowledges them (ferry_conn_read()),
 * with the window that it opens. Until then an ACK would tell the peer of no room.
 * @len: of what has just arrived, which the owner has not kept yet
 */
static void ack_policy(struct ferry_conn *conn, u32 len, u64 now)
{
	u32 room = conn->room > len ? conn->room - len : 0;

	if (ferry_conn_owes_two(conn) &&
	    ferry_rwnd_opens(&conn->rwnd, conn->rcv_nxt, room, conn->capacity,
			     conn->mss)) {
		conn->pending |= FERRY_PENDING_ACK;
	} else if (conn->quick) {
		conn->quick--;
		conn->pending |= FERRY_PENDING_ACK;
	} else if (!conn->ack_at) {
		conn->ack_at = now + FERRY_DELACK_MAX;
	}
}

/* @end: of what is noted: a FIN too, though there is nothing to keep of it. */
static void take_ahead(struct ferry_conn *conn, const struct ferry_piece *piece,
		       u64 end, struct ferry_result *result)
{
	conn->pending |= FERRY_PENDING_ACK;
	if (!conn->ahead.capacity)
		conn->ops->reorder(conn);
	switch (ferry_range_insert(&conn->ahead, piece->seq, end, NULL)) {
	case FERRY_RANGE_ADDED:
		if (piece->len || piece->eor)
			result->events |= FERRY_EVENT_DATA;
		result->piece = *piece;
		break;
	case FERRY_RANGE_DUPLICATE:
		drop(result, FERRY_DROP_DUPLICATE);
		break;
	default:
		drop(result, FERRY_DROP_ROOM);
	}
}

static void note_size(struct ferry_conn *conn, u32 len)
{
	if (len >= conn->rcv_seg)
		conn->rcv_seg = len;
	else
		conn->rcv_seg -= (conn->rcv_seg - len) / 8;
}

static void take_in_turn(struct ferry_conn *conn,
			 const struct ferry_piece *piece, u64 now,
			 struct ferry_result *result)
{
	note_size(conn, piece->len);
	conn->shorts = 0;
	if (conn->unacked < U8_MAX)
		conn->unacked++;
	conn->rcv_nxt = piece->seq + piece->len + piece->eor;
	if (conn->ahead.count) {
		/* It fills a hole, in whole or in part: no time to lose. */
		conn->rcv_nxt = ferry_range_absorb(&conn->ahead, conn->rcv_nxt);
		conn->pending |= FERRY_PENDING_ACK;
	}
	ack_policy(conn, piece->len, now);
	result->events |= FERRY_EVENT_DATA | FERRY_EVENT_READABLE;
	result->piece = *piece;
}

/* RFC 1122, 4.2.2.13: data that nobody will read. */
static void refuse(struct ferry_conn *conn, struct ferry_result *result)
{
	ferry_conn_abort(conn);
	conn->error = -ECONNRESET;
	result->events |= FERRY_EVENT_CLOSED;
	drop(result, FERRY_DROP_CLOSED);
}

/* The payload and its marks: what of them is new, and in its turn. */
static void text_in(struct ferry_conn *conn, const struct ferry_seg *seg,
		    u64 now, struct ferry_result *result)
{
	struct ferry_piece piece = {
		.seq = seg->seq,
		.len = seg->len,
		.eor = seg->flags & FERRY_F_EOR,
	};
	u64 edge = ferry_conn_edge(conn);
	u64 end = ferry_seg_end(seg);

	if (end > edge) {
		end = edge;
		piece.len = min_t(u64, piece.len, edge - piece.seq);
		piece.eor = piece.eor && piece.seq + piece.len < edge;
	} else if (seg->flags & FERRY_F_FIN) {
		conn->fin_seen = true;
		conn->rcv_fin = end - 1;
	}
	if (conn->deaf && conn->state != FERRY_ESTABLISHED &&
	    (piece.len || piece.eor)) {
		refuse(conn, result);
		return;
	}
	if (ferry_range_duplicate(&conn->ahead, conn->rcv_nxt, seg->seq, end,
				  &conn->dsack))
		conn->pending |= FERRY_PENDING_ACK;
	if (seg->echo)
		ferry_rwnd_measure(&conn->rwnd,
				   ferry_rtt_of_echo(now, seg->echo));
	if (seg->seq > conn->rcv_nxt)
		take_ahead(conn, &piece, end, result);
	else if (ferry_piece_from(&piece, conn->rcv_nxt))
		take_in_turn(conn, &piece, now, result);
	else if (end <= conn->rcv_nxt)
		drop(result, FERRY_DROP_DUPLICATE);
}

/* Everything up to the peer's FIN is here. */
static void fin_in(struct ferry_conn *conn, struct ferry_result *result)
{
	conn->rcv_nxt = conn->rcv_fin + 1;
	conn->pending |= FERRY_PENDING_ACK;
	result->events |= FERRY_EVENT_FIN;
	switch (conn->state) {
	case FERRY_ESTABLISHED:
		conn->state = FERRY_CLOSE_WAIT;
		break;
	case FERRY_FIN_WAIT1:
		conn->state = FERRY_CLOSING;
		break;
	case FERRY_FIN_WAIT2:
		conn->state = FERRY_TIME_WAIT;
		result->events |= FERRY_EVENT_TIME_WAIT;
		break;
	}
}

/* Our FIN is acknowledged. */
static void fin_acked(struct ferry_conn *conn, u64 now,
		      struct ferry_result *result)
{
	switch (conn->state) {
	case FERRY_FIN_WAIT1:
		conn->state = FERRY_FIN_WAIT2;
		ferry_timer_alive(conn, now);
		break;
	case FERRY_CLOSING:
		conn->state = FERRY_TIME_WAIT;
		result->events |= FERRY_EVENT_TIME_WAIT;
		break;
	case FERRY_LAST_ACK:
		ferry_conn_close(conn, 0, result);
		break;
	}
}

/* Whether the peer may still send data. */
static bool open_for_text(const struct ferry_conn *conn)
{
	return conn->state == FERRY_ESTABLISHED ||
	       conn->state == FERRY_FIN_WAIT1 || conn->state == FERRY_FIN_WAIT2;
}

/* The sixth step on: an acceptable segment of a connection that is up. */
static void data_in(struct ferry_conn *conn, const struct ferry_seg *seg,
		    u64 now, struct ferry_result *result)
{
	conn->heard_at = now;
	conn->probes = 0;
	if (seg->flags & FERRY_F_ASK)
		conn->pending |= FERRY_PENDING_ACK;

	ferry_ack_in(conn, seg, now, result);
	if (ferry_conn_fin_acked(conn))
		fin_acked(conn, now, result);
	if (!open_for_text(conn))
		return;
	if (ferry_seg_end(seg) != seg->seq)
		text_in(conn, seg, now, result);
	if (conn->fin_seen && conn->rcv_nxt >= conn->rcv_fin &&
	    open_for_text(conn))
		fin_in(conn, result);
}

/**
 * ferry_conn_in() - a segment arrives
 * @conn: the connection
 * @seg: the segment
 * @now: the time
 * @result: what it leads to
 *
 * Whatever @result says, ferry_conn_next() is to be asked afterwards, until it
 * has nothing more.
 *
 * Context: any; pure. Cost: see ferry_ack_in().
 */
void ferry_conn_in(struct ferry_conn *conn, const struct ferry_seg *seg,
		   u64 now, struct ferry_result *result)
{
	*result = (struct ferry_result) {};
	conn->count.segs_in++;
	conn->count.data_in += !!seg->len;
	switch (conn->state) {
	case FERRY_SYN_SENT:
		syn_sent_in(conn, seg, now, result);
		return;
	case FERRY_SYN_RECV:
		if (!syn_recv_in(conn, seg, now, result))
			return;
		break;
	case FERRY_CLOSED:
	case FERRY_TIME_WAIT:
	case FERRY_LISTEN:
		drop(result, FERRY_DROP_STATE);
		return;
	}

	note_stamp(conn, seg);
	if (!acceptable(conn, seg)) {
		unacceptable_in(conn, seg, now, result);
	} else if (seg->kind == FERRY_KIND_RST) {
		reset_in(conn, seg, now, result);
	} else if (seg->kind != FERRY_KIND_DATA) {
		challenge(conn, now);
		drop(result, FERRY_DROP_STATE);
	} else if (!plausible(conn, seg)) {
		drop(result, FERRY_DROP_RECORD);
	} else if (!ack_possible(conn, seg)) {
		challenge(conn, now);
		drop(result, FERRY_DROP_ACK);
	} else {
		data_in(conn, seg, now, result);
	}
}

/**
 * ferry_conn_stray() - what answers a segment that no connection takes
 * @seg: the segment
 * @rst: where to store the answer
 *
 * RFC 9293, 3.10.7.1. The RST has the number that the segment's sender expects,
 * and acknowledges all that it has sent, so that it counts in every state.
 *
 * Context: any; pure.
 * Return: whether there is one: never to an RST.
 */
bool ferry_conn_stray(const struct ferry_seg *seg, struct ferry_seg *rst)
{
	if (seg->kind == FERRY_KIND_RST)
		return false;
	*rst = (struct ferry_seg) {
		.kind = FERRY_KIND_RST,
		.seq = seg->ack,
		.ack = ferry_seg_end(seg),
	};
	return true;
}
