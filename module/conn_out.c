// SPDX-License-Identifier: GPL-2.0-only
/*
 * What to send next, and what a segment says.
 *
 * In this order: SYN or RST; the probe of a tail; what was lost; what is new; and
 * if none of them has taken the acknowledgment along, an ACK by itself.
 */
#include "conn_impl.h"

/* What the congestion window has room for: a segment at least if all is quiet. */
static u32 room(const struct ferry_conn *conn)
{
	const struct ferry_conn_out *out = conn->out;
	u32 room = ferry_cong_room(&out->cong, ferry_conn_inflight(conn));

	if (!out->flight || conn->pending & FERRY_PENDING_HEAD)
		room = max_t(u32, room, conn->mss);
	return room;
}

/* Numbers that a segment's record end and FIN take at most. */
static u32 marks(const struct ferry_conn *conn)
{
	return (conn->code != FERRY_CODE_STREAM) + conn->fin_queued;
}

/* So many bytes of new data fit the peer's window: all, or with room for marks. */
static u32 window_takes(const struct ferry_conn *conn)
{
	u64 unsent = conn->snd_end - conn->snd_nxt;
	u32 usable = ferry_conn_usable(conn);

	if (unsent <= usable)
		return unsent;
	return usable > marks(conn) ? usable - marks(conn) : 0;
}

static u32 whole_segments(const struct ferry_conn *conn, u32 bytes)
{
	return bytes > conn->mss ? bytes - bytes % conn->mss : bytes;
}

/* The last segment again, or better a new one: RFC 8985, 7.3. */
static enum ferry_send plan_tail(struct ferry_conn *conn,
				 struct ferry_plan *plan)
{
	struct ferry_chunk *chunk, *rest;
	u32 at;

	plan->limit = min_t(u32, window_takes(conn), conn->mss);
	if (plan->limit)
		return FERRY_SEND_NEW;

	chunk = conn->ops->find(conn, conn->snd_nxt - 1);
	if (!chunk || chunk->state != FERRY_CHUNK_FLIGHT)
		return FERRY_SEND_NOTHING;
	if (chunk->len > conn->mss) {
		at = whole_segments(conn, chunk->len - 1);
		rest = ferry_board_split(conn, chunk, at);
		if (rest)
			chunk = rest;
	}
	plan->chunk = ferry_board_trim(conn, chunk);
	return plan->chunk ? FERRY_SEND_AGAIN : FERRY_SEND_NOTHING;
}

static enum ferry_send plan_lost(struct ferry_conn *conn,
				 struct ferry_plan *plan)
{
	u32 limit = whole_segments(conn, min_t(u32, room(conn), conn->batch));
	struct ferry_chunk *chunk = conn->out->losses.first;

	if (!chunk || limit < ferry_conn_padding(conn, 0))
		return FERRY_SEND_NOTHING;
	chunk = ferry_board_trim(conn, chunk);
	if (!chunk)
		return FERRY_SEND_NOTHING;
	if (chunk->len > limit) {
		if (limit < conn->mss ||
		    !ferry_board_split(conn, chunk, limit))
			return FERRY_SEND_NOTHING;
	}
	plan->chunk = chunk;
	return FERRY_SEND_AGAIN;
}

/*
 * Nagle's algorithm (RFC 896), if the owner asks for it, with more than one segment
 * in flight: a stream's bytes wait for more of them. An ACK, or a whole chunk, ends
 * it.
 */
static bool merges(const struct ferry_conn *conn)
{
	return conn->merge_at && conn->out->in_flight.count >= conn->merge_at &&
	       conn->code == FERRY_CODE_STREAM;
}

/*
 * Who sends one short segment after the other, without a pause and an answer, wakes
 * his reader for each of them. If the owner asks for it, the next waits for its
 * time, and for more.
 */
static bool gathers(struct ferry_conn *conn, u64 unsent, u64 now)
{
	struct ferry_conn_out *out = conn->out;
	u32 since = (u32)now - out->short_at;

	if (!conn->gather || conn->shorts < FERRY_GATHER_AFTER ||
	    since >= conn->gather || conn->snd_nxt < out->gather_to)
		return false;
	if (unsent >= conn->mss) {
		ferry_conn_flush(conn);
		return false;
	}
	out->gather_at = now + conn->gather - since;
	conn->gathers = true;
	return true;
}

static bool wait_for_more(struct ferry_conn *conn, u64 unsent, u64 now)
{
	if (unsent >= conn->batch || conn->fin_queued ||
	    conn->pending & FERRY_PENDING_HEAD)
		return false;
	return merges(conn) || gathers(conn, unsent, now);
}

static void note_short(struct ferry_conn *conn, u32 len, u64 now)
{
	struct ferry_conn_out *out = conn->out;

	conn->gathers = false;
	if (len >= conn->mss)
		return;
	if ((u32)now - out->short_at > 2 * conn->gather)
		conn->shorts = 0;
	if (conn->shorts < U8_MAX)
		conn->shorts++;
	out->short_at = now;
}

/* How much has to follow a probe, so that its loss is found: segments. */
#define PROBE_FOLLOWERS	2

/*
 * Which size of segment to probe the path with; 0: none, now. It is to be found lost
 * by what follows it, and to mean nothing but its size.
 */
static u32 probe_size(struct ferry_conn *conn, u64 unsent, u64 now)
{
	struct ferry_conn_out *out = conn->out;
	u32 follow = PROBE_FOLLOWERS * conn->mss;
	u32 most;

	if (out->cong.state != FERRY_CONG_OPEN || unsent < follow ||
	    conn->pending & FERRY_PENDING_HEAD)
		return 0;
	most = min_t(u32, conn->snd_max_wnd / 2,
		     out->cong.cwnd - out->cong.cwnd / 4);
	return ferry_pmtu_next(&out->pmtu, min_t(u64, most, unsent - follow),
			       now);
}

/*
 * Whether the next is a probe, or is to be one as soon as there is room for it in the
 * windows: what is in flight makes that.
 */
static bool plan_probe(struct ferry_conn *conn, u64 now,
		       struct ferry_plan *plan, bool *limited)
{
	struct ferry_conn_out *out = conn->out;
	u32 size = probe_size(conn, conn->snd_end - conn->snd_nxt, now);

	if (!size)
		return false;
	if (min_t(u32, window_takes(conn), room(conn)) < size) {
		if (!out->flight || !ferry_pmtu_may_wait(&out->pmtu, now))
			return false;
		*limited = room(conn) < size;
		return true;
	}
	plan->limit = size;
	conn->probing = true;
	return true;
}

/* Sets @limited if it is the congestion window that holds data back. */
static enum ferry_send plan_new(struct ferry_conn *conn, u64 now,
				struct ferry_plan *plan, bool *limited)
{
	struct ferry_conn_out *out = conn->out;
	u64 unsent = conn->snd_end - conn->snd_nxt;
	u32 bytes = window_takes(conn);
	u32 allowed;

	if (!bytes || wait_for_more(conn, unsent, now))
		return FERRY_SEND_NOTHING;
	if (!(conn->pending & FERRY_PENDING_HEAD) &&
	    !ferry_rwnd_worth_sending(min_t(u64, unsent, U32_MAX),
				      ferry_conn_usable(conn), conn->mss,
				      conn->snd_max_wnd))
		return FERRY_SEND_NOTHING;

	if (ferry_conn_idle(conn))
		ferry_cong_on_restart(&out->cong, now, out->rtt.rto);
	conn->probing = false;
	if (out->pmtu.state != FERRY_PMTU_TRUSTED &&
	    plan_probe(conn, now, plan, limited))
		return plan->limit ? FERRY_SEND_NEW : FERRY_SEND_NOTHING;
	allowed = room(conn);
	if (bytes > allowed || allowed < ferry_conn_padding(conn, 0)) {
		*limited = true;
		if (allowed < conn->mss)
			return FERRY_SEND_NOTHING;
		bytes = allowed;
	}
	bytes = min_t(u32, bytes, conn->batch);
	if (out->pace.rate)
		bytes = min_t(u32, bytes,
			      ferry_pace_limit(&out->pace, conn->mss));
	plan->limit = bytes < unsent ? whole_segments(conn, bytes) : bytes;
	return FERRY_SEND_NEW;
}

static bool has_data_state(const struct ferry_conn *conn)
{
	switch (conn->state) {
	case FERRY_ESTABLISHED:
	case FERRY_CLOSE_WAIT:
	case FERRY_FIN_WAIT1:
	case FERRY_CLOSING:
	case FERRY_LAST_ACK:
		return true;
	default:
		return false;
	}
}

static enum ferry_send plan_data(struct ferry_conn *conn, u64 now,
				 struct ferry_plan *plan)
{
	struct ferry_conn_out *out = conn->out;
	enum ferry_send what = FERRY_SEND_NOTHING;
	bool limited = false;

	if (conn->pending & FERRY_PENDING_TAIL) {
		what = plan_tail(conn, plan);
		if (what != FERRY_SEND_NOTHING)
			return what;
		conn->pending &= ~FERRY_PENDING_TAIL;
		ferry_timer_arm(conn, now);
	}
	if (out->losses.first)
		what = plan_lost(conn, plan);
	else if (conn->snd_end != conn->snd_nxt)
		what = plan_new(conn, now, plan, &limited);
	conn->paced = what != FERRY_SEND_NOTHING &&
		      !(conn->pending & FERRY_PENDING_HEAD) &&
		      (conn->full || ferry_pace_holds(&out->pace, now));
	if (what != FERRY_SEND_NOTHING && !conn->paced)
		return what;

	conn->pending &= ~FERRY_PENDING_HEAD;
	if (out->flight)
		ferry_cong_on_burst(&out->cong, conn->snd_una, conn->snd_nxt,
				    ferry_conn_inflight(conn), limited);
	else if (conn->snd_end != conn->snd_una)
		ferry_timer_arm(conn, now);
	return FERRY_SEND_NOTHING;
}

/**
 * ferry_conn_next() - what to send next
 * @conn: the connection
 * @now: the time
 * @plan: the particulars
 *
 * To be asked again and again, each answer followed by ferry_conn_send() or
 * ferry_conn_control(), until there is nothing more. An owner that cannot
 * follow, for want of memory, says so by ferry_conn_put_off() instead.
 *
 * Context: any; pure.
 * Return: what.
 */
enum ferry_send ferry_conn_next(struct ferry_conn *conn, u64 now,
				struct ferry_plan *plan)
{
	enum ferry_send what;

	plan->chunk = NULL;
	plan->limit = 0;
	/* What waited may have been acknowledged, or be nothing any more. */
	conn->paced = false;
	/* Most often, after a segment that arrived. */
	if (!conn->pending && conn->snd_end == conn->snd_una)
		return FERRY_SEND_NOTHING;
	if (conn->pending & (FERRY_PENDING_SYN | FERRY_PENDING_RST))
		return FERRY_SEND_CONTROL;
	if (conn->out && has_data_state(conn)) {
		what = plan_data(conn, now, plan);
		if (what != FERRY_SEND_NOTHING)
			return what;
	}
	if (conn->pending & (FERRY_PENDING_ACK | FERRY_PENDING_ASK))
		return FERRY_SEND_CONTROL;
	return FERRY_SEND_NOTHING;
}

/**
 * ferry_conn_put_off() - there is no memory for what ferry_conn_next() has said
 * @conn: the connection, prepared to send
 * @now: the time
 *
 * It is as if what is below was full: the owner asks again in time. Until then ACKs
 * go on, and a probe, for which its time has expired, is given up.
 *
 * Context: any; pure.
 */
void ferry_conn_put_off(struct ferry_conn *conn, u64 now)
{
	conn->full = true;
	conn->pending &= ~(FERRY_PENDING_HEAD | FERRY_PENDING_TAIL);
	if (conn->out->flight && conn->timer == FERRY_TIMER_NONE)
		ferry_timer_arm(conn, now);
}

/* What every segment says but SYN and RST. */
static void fill(struct ferry_conn *conn, u64 now, struct ferry_seg *seg)
{
	seg->kind = FERRY_KIND_DATA;
	seg->flags = 0;
	seg->code = 0;
	seg->nsack = 0;
	seg->len = 0;
	seg->mss = conn->mss;
	seg->seq = conn->snd_nxt;
	seg->ack = conn->rcv_nxt;
	seg->window = ferry_rwnd_select(&conn->rwnd, conn->rcv_nxt,
					min_t(u32, conn->room,
					      FERRY_WINDOW_MAX),
					conn->capacity, conn->mss);
	seg->stamp = (u32)now ?: 1;
	seg->echo = conn->echo;

	conn->rcv_acked = conn->rcv_nxt;
	conn->unacked = 0;
	conn->ack_at = 0;
	conn->pending &= ~FERRY_PENDING_ACK;
}

static void count_sent(struct ferry_conn *conn, u32 len, u32 segments,
		       bool again)
{
	struct ferry_conn_out_count *count = &conn->out->count;

	/* A FIN is a segment, too. */
	conn->count.segs_out += segments ?: 1;
	count->data += segments;
	count->bytes += len;
	if (again) {
		count->again += segments ?: 1;
		count->bytes_again += len;
	}
}

/*
 * On a path that is narrower than what both ends agreed on: a probe is not cut; and
 * the peer, which waits for two segments of the size it knows of, is asked to
 * acknowledge.
 */
static void fill_narrow(struct ferry_conn *conn, const struct ferry_chunk *chunk,
			bool again, u64 now, struct ferry_seg *seg)
{
	struct ferry_conn_out *out = conn->out;

	if (chunk->len)
		seg->flags |= FERRY_F_ASK;
	if (again || !conn->probing)
		return;
	conn->probing = false;
	if (chunk->len <= conn->mss) {
		ferry_pmtu_unfit(&out->pmtu, now);
		return;
	}
	ferry_pmtu_sent(&out->pmtu, conn->snd_nxt, chunk->len);
	seg->mss = chunk->len;
}

/**
 * ferry_conn_send() - a chunk is about to leave
 * @conn: the connection
 * @chunk: that of the plan, or a new one: no longer than the plan's limit
 * @now: the time
 * @seg: where to store what its packet says
 *
 * Once it was sent for the first time, the owner's find(), next() and prev() are
 * to know it.
 *
 * Context: any; pure.
 */
void ferry_conn_send(struct ferry_conn *conn, struct ferry_chunk *chunk,
		     u64 now, struct ferry_seg *seg)
{
	struct ferry_conn_out *out = conn->out;
	bool again = chunk->state != FERRY_CHUNK_UNSENT;
	u32 size = ferry_chunk_size(chunk);

	fill(conn, now, seg);
	seg->flags = chunk->flags;
	if (out->pmtu.state != FERRY_PMTU_TRUSTED)
		fill_narrow(conn, chunk, again, now, seg);
	count_sent(conn, chunk->len, seg->mss == chunk->len ? !!chunk->len :
		   ferry_conn_segments(conn, chunk->len), again);
	if (!again) {
		bool idle = ferry_conn_idle(conn);

		chunk->seq = conn->snd_nxt;
		conn->snd_nxt += size;
		if (idle) {
			conn->una_at = now;
			out->rto_from = now;
			ferry_conn_begin_round(conn, now);
		}
		note_short(conn, chunk->len, now);
		/* A reply: the peer's next will take its ACK along as well. */
		if (conn->quick < FERRY_QUICK_ACKS)
			conn->quick = 0;
	} else if (chunk->seq == conn->snd_una) {
		out->rto_from = now;
	}
	if (out->pace.rate)
		ferry_pace_sent(&out->pace, now, chunk->len);
	ferry_board_sent(conn, chunk, now);
	ferry_cong_on_sent(&out->cong, now, size +
			   ferry_conn_padding(conn, size), again);

	seg->seq = chunk->seq;
	seg->len = chunk->len;
	if (conn->pending & FERRY_PENDING_TAIL) {
		seg->flags |= FERRY_F_ASK;
		ferry_rack_probed(&out->rack, conn->snd_nxt, again);
	}
	conn->pending &= ~(FERRY_PENDING_TAIL | FERRY_PENDING_HEAD);
	ferry_timer_arm(conn, now);
}

static void fill_syn(struct ferry_conn *conn, u64 now, struct ferry_seg *seg)
{
	bool answer = conn->state == FERRY_SYN_RECV;
	struct ferry_rtt rtt;

	*seg = (struct ferry_seg) {
		.kind = answer ? FERRY_KIND_SYNACK : FERRY_KIND_SYN,
		.code = conn->code,
		.seq = conn->snd_una,
		.ack = answer ? conn->rcv_nxt : 0,
		/* In SYN_SENT the edge is counted from 0. */
		.window = conn->rwnd.edge - (answer ? conn->rcv_nxt : 0),
		.stamp = (u32)now ?: 1,
		.echo = answer ? conn->echo : 0,
		.mss = conn->rcv_mss,
	};
	conn->syn_sends++;
	conn->pending &= ~(FERRY_PENDING_SYN | FERRY_PENDING_ACK);
	ferry_conn_rtt(conn, &rtt);
	conn->timer = FERRY_TIMER_SYN;
	conn->timer_at = now + ferry_rtt_rto(&rtt);
}

/* RFC 2883, RFC 2018: what came twice, then what came last. */
static void fill_sacks(struct ferry_conn *conn, struct ferry_seg *seg)
{
	if (conn->dsack.start < conn->dsack.end) {
		seg->sack[seg->nsack++] = conn->dsack;
		conn->dsack = (struct ferry_span) {};
	}
	if (conn->ahead.count)
		seg->nsack += ferry_range_recent(&conn->ahead,
						 seg->sack + seg->nsack,
						 FERRY_SACKS_MAX - 1);
}

/**
 * ferry_conn_control() - a segment without payload is about to leave
 * @conn: the connection, of which ferry_conn_next() said FERRY_SEND_CONTROL
 * @now: the time
 * @seg: where to store what its packet says
 *
 * Context: any; pure.
 */
void ferry_conn_control(struct ferry_conn *conn, u64 now,
			struct ferry_seg *seg)
{
	if (conn->pending & FERRY_PENDING_RST) {
		conn->pending = 0;
		*seg = (struct ferry_seg) {
			.kind = FERRY_KIND_RST,
			.seq = conn->snd_nxt,
			.ack = conn->rcv_nxt,
		};
		return;
	}
	if (conn->pending & FERRY_PENDING_SYN) {
		fill_syn(conn, now, seg);
		return;
	}
	fill(conn, now, seg);
	conn->count.segs_out++;
	if (conn->pending & FERRY_PENDING_ASK) {
		conn->pending &= ~FERRY_PENDING_ASK;
		seg->flags = FERRY_F_ASK;
	} else {
		fill_sacks(conn, seg);
	}
}
