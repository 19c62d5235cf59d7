// SPDX-License-Identifier: GPL-2.0-only
/*
 * A connection's birth and death, and what its application does. See conn.h.
 */
#include "conn_impl.h"
#include "request.h"

/* What is set by the second, and up to 2^32 milliseconds: 0 is 0. */
static u32 in_ms(u64 us)
{
	return min_t(u64, div_u64(us + 999, 1000), U32_MAX);
}

static void born(struct ferry_conn *conn, const struct ferry_conn_setup *setup,
		 u64 now)
{
	*conn = (struct ferry_conn) {
		.ops = setup->ops,
		.snd_una = setup->iss,
		.snd_nxt = setup->iss + 1,
		.snd_end = setup->iss + 1,
		.una_at = now,
		.heard_at = now,
		.linger2 = in_ms(FERRY_LINGER2_DEFAULT),
		.mss = setup->mss,
		.rcv_mss = setup->mss,
		.batch = max_t(u32, setup->batch, setup->mss),
		.merge_at = setup->merge_at,
		.gather = setup->gather,
		.room = setup->room,
		.capacity = setup->room,
		.cong = ferry_cong_index(setup->cong),
		.code = setup->code,
		.quick = FERRY_QUICK_ACKS,
		.syn_retries = setup->syn_retries,
	};
	ferry_conn_agree(conn, setup->mss);
	/* The peer's numbers are not known yet: the edge is counted from 0. */
	ferry_rwnd_init(&conn->rwnd, 0, min_t(u32, setup->room,
					      FERRY_WINDOW_MAX));
}

/**
 * ferry_conn_connect() - open a connection
 * @conn: the connection, of any content
 * @setup: what it is born with
 * @now: the time
 *
 * Context: any; pure.
 */
void ferry_conn_connect(struct ferry_conn *conn,
			const struct ferry_conn_setup *setup, u64 now)
{
	born(conn, setup, now);
	conn->state = FERRY_SYN_SENT;
	conn->pending = FERRY_PENDING_SYN;
}

/**
 * ferry_conn_accept() - make a connection of a request that was answered
 * @conn: the connection, of any content
 * @setup: what it is born with; @setup->iss, @setup->room and @setup->code are
 *	the request's
 * @request: the request, which ferry_request_in() has told to accept
 * @now: the time
 *
 * The segment that completes the handshake is then the first for
 * ferry_conn_in().
 *
 * Context: any; pure.
 */
void ferry_conn_accept(struct ferry_conn *conn,
		       const struct ferry_conn_setup *setup,
		       const struct ferry_request *request, u64 now)
{
	born(conn, setup, now);
	conn->state = FERRY_SYN_RECV;
	conn->passive = true;
	conn->syn_sends = request->sends;
	conn->peer_code = request->peer_code;
	ferry_conn_agree(conn, request->peer_mss);
	conn->irs = request->irs;
	conn->rcv_nxt = request->irs + 1;
	conn->rcv_acked = conn->rcv_nxt;
	conn->echo = request->echo;
	conn->snd_max_wnd = request->peer_window;
	conn->snd_edge = conn->snd_nxt + request->peer_window;
	ferry_rwnd_init(&conn->rwnd, conn->rcv_nxt, request->window);
}

/**
 * ferry_conn_agree() - how large segments the peer takes is known
 * @conn: the connection, in its handshake
 * @mss: the largest, in bytes
 *
 * Context: any; pure.
 */
void ferry_conn_agree(struct ferry_conn *conn, u32 mss)
{
	conn->mss = min_t(u32, conn->mss, mss);
	conn->agreed = min_t(u32, conn->mss, U16_MAX);
	conn->limit = conn->agreed;
}

/**
 * ferry_conn_set_mss() - segments are of another size from now on
 * @conn: the connection, prepared to send
 * @mss: the largest, in bytes
 *
 * Context: any; pure. Cost: the chunks in flight, if it is very small or was.
 */
void ferry_conn_set_mss(struct ferry_conn *conn, u32 mss)
{
	bool weighs = min_t(u32, mss, conn->mss) < FERRY_WEIGHT_MIN;

	conn->mss = mss;
	ferry_cong_set_mss(&conn->out->cong, mss);
	if (weighs)
		ferry_board_pad(conn);
}

/**
 * ferry_conn_device() - its device takes more, or less, than before
 * @conn: the connection
 * @mss: largest segment that it takes, in bytes, and FERRY_MSS_MIN at least
 * @batch: largest that it takes and cuts itself, in bytes; at least @mss
 * @now: the time
 *
 * Segments are not too large from now on. That they may be larger is found out by
 * probing, up to what the handshake allowed; before that is over, not at all.
 * ferry_conn_next() is to be asked afterwards.
 *
 * Context: any; pure.
 */
void ferry_conn_device(struct ferry_conn *conn, u32 mss, u32 batch, u64 now)
{
	conn->batch = batch;
	if (!conn->out) {
		conn->limit = min_t(u32, mss, conn->agreed);
		conn->mss = min_t(u32, mss, conn->mss);
		return;
	}
	ferry_pmtu_device(&conn->out->pmtu, mss, now);
	if (conn->out->pmtu.low != conn->mss)
		ferry_conn_set_mss(conn, conn->out->pmtu.low);
}

/**
 * ferry_conn_established() - the handshake is over
 * @conn: the connection
 * @now: the time
 * @result: what it leads to
 *
 * Context: any; pure.
 */
void ferry_conn_established(struct ferry_conn *conn, u64 now,
			    struct ferry_result *result)
{
	conn->state = FERRY_ESTABLISHED;
	conn->snd_una++;
	conn->una_at = now;
	conn->timer = FERRY_TIMER_NONE;
	conn->syn_backoff = 0;
	ferry_timer_alive(conn, now);
	result->events |= FERRY_EVENT_ESTABLISHED;
}

/**
 * ferry_conn_pair() - both ends of a connection, and the handshake of the two
 * @a: the end that connects, of any content
 * @setup_a: what it is born with
 * @b: the other one, of any content
 * @setup_b: what that is born with; its record code is of @setup_a's sort
 * @now: the time
 *
 * Both are established, and have nothing to send. No time has passed, so the
 * round-trip time was not measured.
 *
 * Context: any; pure.
 */
void ferry_conn_pair(struct ferry_conn *a, const struct ferry_conn_setup *setup_a,
		     struct ferry_conn *b, const struct ferry_conn_setup *setup_b,
		     u64 now)
{
	const struct ferry_request_offer offer = {
		.iss = setup_b->iss,
		.window = setup_b->room,
		.mss = setup_b->mss,
		.code = setup_b->code,
	};
	struct ferry_request request = {};
	struct ferry_result result;
	struct ferry_seg seg;

	ferry_conn_connect(a, setup_a, now);
	ferry_conn_control(a, now, &seg);
	ferry_request_init(&request, &seg, &offer);
	ferry_request_synack(&request, now, &seg);
	seg.echo = 0;
	ferry_conn_in(a, &seg, now, &result);
	ferry_conn_control(a, now, &seg);
	seg.echo = 0;
	ferry_conn_accept(b, setup_b, &request, now);
	ferry_conn_in(b, &seg, now, &result);
}

/**
 * ferry_conn_close() - it is over
 * @conn: the connection
 * @error: why: a negative errno, or 0
 * @result: what it leads to
 *
 * Context: any; pure.
 */
void ferry_conn_close(struct ferry_conn *conn, int error,
		      struct ferry_result *result)
{
	conn->state = FERRY_CLOSED;
	conn->error = error;
	conn->pending = 0;
	conn->timer = FERRY_TIMER_NONE;
	conn->ack_at = 0;
	conn->alive_at = 0;
	conn->gathers = false;
	result->events |= FERRY_EVENT_CLOSED;
}

/**
 * ferry_conn_set_cong() - another congestion control
 * @conn: the connection
 * @cong: which
 *
 * Context: any; pure.
 */
void ferry_conn_set_cong(struct ferry_conn *conn,
			 const struct ferry_cong_ops *cong)
{
	conn->cong = ferry_cong_index(cong);
	if (conn->out)
		ferry_cong_switch(&conn->out->cong, cong);
}

/**
 * ferry_conn_rtt() - what is known of the round-trip time
 * @conn: the connection
 * @rtt: where to store it
 *
 * Until something is sent, that is what the handshake has told.
 *
 * Context: any; pure.
 */
void ferry_conn_rtt(const struct ferry_conn *conn, struct ferry_rtt *rtt)
{
	if (conn->out) {
		*rtt = conn->out->rtt;
		return;
	}
	ferry_rtt_init(rtt, FERRY_RTO_INITIAL);
	rtt->backoff = conn->syn_backoff;
	if (!ferry_conn_idle(conn))
		return;
	ferry_rtt_update(rtt, conn->una_at, conn->syn_rtt ?: FERRY_RTT_NONE);
	ferry_rtt_established(rtt, conn->syn_sends > 1);
}

/**
 * ferry_conn_prepare() - the application is about to send for the first time
 * @conn: the connection, of which ferry_conn_may_send() is true; its @out is NULL
 * @out: what it takes, of any content
 *
 * Context: any; pure.
 */
void ferry_conn_prepare(struct ferry_conn *conn, struct ferry_conn_out *out)
{
	*out = (struct ferry_conn_out) {
		.count.iss = conn->snd_una - 1,
	};
	ferry_conn_rtt(conn, &out->rtt);
	ferry_rack_init(&out->rack, conn->snd_nxt);
	if (conn->syn_rtt)
		ferry_rack_measured(&out->rack);
	ferry_cong_init(&out->cong, ferry_cong_get(conn->cong), conn->mss,
			conn->snd_nxt);
	ferry_pmtu_init(&out->pmtu, conn->agreed);
	/* Its device was narrower for a while. */
	ferry_pmtu_device(&out->pmtu, conn->mss, conn->una_at);
	ferry_pmtu_device(&out->pmtu, conn->limit, conn->una_at);
	conn->out = out;
}

/**
 * ferry_conn_queue() - the application sends
 * @conn: the connection, of which ferry_conn_may_send() is true, prepared to send
 * @len: bytes
 * @flags: FERRY_F_EOR: they end a record; FERRY_F_FIN: nothing comes after them
 *
 * Context: any; pure.
 */
void ferry_conn_queue(struct ferry_conn *conn, u32 len, u8 flags)
{
	conn->snd_end += (u64)len + !!(flags & FERRY_F_EOR);
	if (!(flags & FERRY_F_FIN))
		return;
	conn->snd_end++;
	conn->fin_queued = true;
	conn->state = conn->state == FERRY_ESTABLISHED ? FERRY_FIN_WAIT1 :
							 FERRY_LAST_ACK;
}

/**
 * ferry_conn_flush() - the application waits: what it has written is not to
 * @conn: the connection
 *
 * Ends gathering of what is queued; ferry_conn_next() is to be asked afterwards.
 *
 * Context: any; pure.
 */
void ferry_conn_flush(struct ferry_conn *conn)
{
	if (conn->out)
		conn->out->gather_to = conn->snd_end;
	conn->gathers = false;
}

/**
 * ferry_conn_read() - the application has read something
 * @conn: the connection, @room up to date
 *
 * Has an ACK sent if the peer should know of the room; or if more than one of its
 * segments waits for its acknowledgment: large ones at once, and two of the largest
 * that came as one; small ones when all has been read. The peer may have a small
 * buffer, or a small congestion window, or gather what it writes (@merge_at), and
 * send nothing more before (as Linux TCP).
 *
 * Context: any; pure.
 */
void ferry_conn_read(struct ferry_conn *conn)
{
	switch (conn->state) {
	case FERRY_ESTABLISHED:
	case FERRY_FIN_WAIT1:
	case FERRY_FIN_WAIT2:
		break;
	default:
		return;
	}
	if (ferry_conn_owed(conn) > conn->rcv_seg || ferry_conn_owes_two(conn) ||
	    (conn->room == conn->capacity &&
	     conn->unacked >= FERRY_ACK_SEGMENTS) ||
	    ferry_rwnd_update_due(&conn->rwnd, conn->rcv_nxt, conn->room,
				  conn->capacity, conn->mss))
		conn->pending |= FERRY_PENDING_ACK;
}

/**
 * ferry_conn_wanted() - something has arrived, and the application waits for more
 * @conn: the connection
 *
 * It is not going to read, so reading cannot acknowledge.
 *
 * Context: any; pure.
 */
void ferry_conn_wanted(struct ferry_conn *conn)
{
	if (conn->unacked >= FERRY_ACK_SEGMENTS)
		conn->pending |= FERRY_PENDING_ACK;
}

/**
 * ferry_conn_quickack() - whether acknowledgments are not to be held back
 * @conn: the connection
 * @on: whether the next ones leave at once, and one that waits leaves now
 *
 * Either ends by itself: see @quick. ferry_conn_next() is to be asked afterwards.
 *
 * Context: any; pure.
 */
void ferry_conn_quickack(struct ferry_conn *conn, bool on)
{
	conn->quick = on ? FERRY_QUICK_ACKS : 0;
	if (on && conn->ack_at)
		conn->pending |= FERRY_PENDING_ACK;
}

/**
 * ferry_conn_forget_ahead() - the owner discards what arrived ahead of its turn
 * @conn: the connection
 *
 * For want of memory (RFC 2018, 8). The peer may have been told that it arrived;
 * it finds out by its time-out.
 *
 * Context: any; pure.
 */
void ferry_conn_forget_ahead(struct ferry_conn *conn)
{
	ferry_range_trim(&conn->ahead, U64_MAX);
}

/**
 * ferry_conn_abort() - end it now, by an RST if the peer knows of it
 * @conn: the connection
 *
 * Context: any; pure.
 */
void ferry_conn_abort(struct ferry_conn *conn)
{
	bool known = conn->state != FERRY_SYN_SENT &&
		     conn->state != FERRY_CLOSED &&
		     conn->state != FERRY_TIME_WAIT;
	struct ferry_result ignored = {};

	ferry_conn_close(conn, -ECONNABORTED, &ignored);
	if (known)
		conn->pending = FERRY_PENDING_RST;
}

/**
 * ferry_conn_dissolve() - the application wants to know nothing of it any more
 * @conn: the connection
 *
 * As with Linux TCP: who waits for the last ACK alone has nothing to be told, nor to
 * tell.
 *
 * Context: any; pure.
 */
void ferry_conn_dissolve(struct ferry_conn *conn)
{
	bool over = conn->state == FERRY_CLOSING ||
		    conn->state == FERRY_LAST_ACK;

	over = over && conn->snd_nxt == conn->snd_end;
	ferry_conn_abort(conn);
	if (over)
		conn->pending = 0;
	conn->error = over ? 0 : -ECONNRESET;
}

/**
 * ferry_conn_deafen() - the application will read no more
 * @conn: the connection
 *
 * From its FIN on, data that arrives is answered by an RST (RFC 1122, 4.2.2.13), as
 * with Linux TCP.
 *
 * Context: any; pure.
 */
void ferry_conn_deafen(struct ferry_conn *conn)
{
	conn->deaf = true;
}

/**
 * ferry_conn_orphan() - the application has closed its last descriptor
 * @conn: the connection, its FIN queued
 * @now: the time
 * @linger2: microseconds to stay in FIN_WAIT_2: FERRY_LINGER2_DEFAULT
 *
 * From now on data that arrives is answered by an RST. Data that nobody had read
 * before is the owner's to see: then ferry_conn_abort() is what to call instead.
 *
 * Context: any; pure.
 */
void ferry_conn_orphan(struct ferry_conn *conn, u64 now, u64 linger2)
{
	conn->orphan = true;
	conn->deaf = true;
	conn->linger2 = in_ms(linger2);
	ferry_timer_alive(conn, now);
}

/**
 * ferry_conn_keepalive() - turn keepalive on or off
 * @conn: the connection
 * @now: the time
 * @idle: microseconds of silence before the first probe; 0: off
 * @interval: microseconds between probes
 * @count: so many without an answer are the end
 *
 * Context: any; pure.
 */
void ferry_conn_keepalive(struct ferry_conn *conn, u64 now, u64 idle,
			  u64 interval, u8 count)
{
	conn->keep_idle = in_ms(idle);
	conn->keep_interval = in_ms(interval);
	conn->keep_count = count;
	conn->probes = 0;
	if (conn->state != FERRY_SYN_SENT && conn->state != FERRY_SYN_RECV)
		ferry_timer_alive(conn, now);
}
