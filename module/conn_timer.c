// SPDX-License-Identifier: GPL-2.0-only
/*
 * When something is due although nothing arrives, and what then.
 *
 * Three clocks: the retransmission timer, which is for one thing at a time (enum
 * ferry_timer); the delayed ACK; and the one that asks whether the peer is still
 * alive. The owner's timer is set to whichever is first.
 */
#include "conn_impl.h"

/* Microseconds of what is kept in milliseconds. */
static u64 from_ms(u32 ms)
{
	return ms * 1000ULL;
}

static u64 user_timeout(const struct ferry_conn *conn)
{
	if (conn->user_timeout)
		return from_ms(conn->user_timeout);
	return conn->orphan ? FERRY_ORPHAN_TIMEOUT : FERRY_USER_TIMEOUT_DEFAULT;
}

static void set(struct ferry_conn *conn, enum ferry_timer timer, u64 at)
{
	conn->timer = timer;
	conn->timer_at = at;
}

/* Nothing is in flight: is there something that the window holds back? */
static void arm_idle(struct ferry_conn *conn, u64 now)
{
	struct ferry_conn_out *out = conn->out;

	out->reorder_at = 0;
	/* What its pace holds back comes by itself. */
	if (conn->snd_end == conn->snd_nxt || conn->paced)
		set(conn, FERRY_TIMER_NONE, 0);
	else if (conn->timer != FERRY_TIMER_PERSIST)
		set(conn, FERRY_TIMER_PERSIST, now + ferry_rtt_rto(&out->rtt));
}

/**
 * ferry_timer_arm() - set the retransmission timer for what is in flight
 * @conn: the connection, prepared to send
 * @now: the time
 *
 * After something was sent, and after an ACK with news.
 *
 * Context: any; pure.
 */
void ferry_timer_arm(struct ferry_conn *conn, u64 now)
{
	const struct ferry_conn_out *out = conn->out;
	u64 rto_at = out->rto_from + ferry_rtt_rto(&out->rtt);
	const struct ferry_rack_tail tail = {
		.now = now,
		.rto_at = rto_at,
		.srtt = ferry_rtt_smoothed(&out->rtt),
		/* The peer may hold back an ACK for less than two segments. */
		.flight = out->flight < 2 * conn->mss ? !!out->flight : 2,
		.recovering = ferry_cong_recovering(&out->cong) || out->lost,
		.sacked = out->sacked,
	};
	u32 pto;

	if (ferry_conn_idle(conn)) {
		arm_idle(conn, now);
		return;
	}
	if (out->reorder_at && out->reorder_at < rto_at) {
		set(conn, FERRY_TIMER_REORDER, out->reorder_at);
		return;
	}
	pto = ferry_rack_pto(&out->rack, &tail);
	if (pto && now + pto < rto_at)
		set(conn, FERRY_TIMER_TLP, now + pto);
	else
		set(conn, FERRY_TIMER_RTO, rto_at);
}

/**
 * ferry_timer_alive() - set the timer of keepalive or FIN_WAIT_2
 * @conn: the connection
 * @now: the time
 *
 * Keepalive's is not put off by each segment; when it expires it looks when the
 * last one came.
 *
 * Context: any; pure.
 */
void ferry_timer_alive(struct ferry_conn *conn, u64 now)
{
	conn->alive_at = 0;
	if (conn->state == FERRY_FIN_WAIT2 && conn->orphan)
		conn->alive_at = now + from_ms(conn->linger2);
	else if (conn->keep_idle && conn->state != FERRY_CLOSED)
		conn->alive_at = now + from_ms(conn->keep_idle);
}

static void syn_expired(struct ferry_conn *conn, struct ferry_result *result)
{
	struct ferry_rtt rtt;

	if (conn->syn_sends > conn->syn_retries) {
		ferry_conn_close(conn, -ETIMEDOUT, result);
		return;
	}
	ferry_conn_rtt(conn, &rtt);
	ferry_rtt_backoff(&rtt);
	conn->syn_backoff = rtt.backoff;
	conn->pending |= FERRY_PENDING_SYN;
}

/* RFC 4821, 7.7: is it the path that does not take segments of this size? */
static void path_timeout(struct ferry_conn *conn, struct ferry_result *result)
{
	struct ferry_conn_out *out = conn->out;
	struct ferry_chunk *chunk = conn->ops->find(conn, conn->snd_una);
	u32 mss;

	if (!chunk)
		return;
	if (out->pmtu.size)
		result->events |= FERRY_EVENT_PROBE_LOST;
	mss = ferry_pmtu_timeout(&out->pmtu, conn->snd_una,
				 ferry_chunk_end(chunk) - conn->snd_una);
	if (mss >= conn->mss)
		return;
	ferry_conn_set_mss(conn, mss);
	result->events |= FERRY_EVENT_BLACK_HOLE;
}

/* RFC 6298, 5.4 to 5.6; RFC 8985, 6.3. */
static void rto_expired(struct ferry_conn *conn, u64 now,
			struct ferry_result *result)
{
	struct ferry_conn_out *out = conn->out;
	u32 reo_wnd = ferry_ack_reo_wnd(conn);
	struct ferry_chunk *chunk, *next;

	if (now - conn->una_at >= user_timeout(conn)) {
		ferry_conn_close(conn, -ETIMEDOUT, result);
		return;
	}
	chunk = conn->ops->find(conn, conn->snd_una);
	if (chunk && chunk->state == FERRY_CHUNK_SACKED)
		ferry_board_forget_sacks(conn);
	for (chunk = out->in_flight.first; chunk; chunk = next) {
		next = chunk->next;
		if (ferry_rack_judge_on_rto(&out->rack,
					    chunk->seq <= conn->snd_una,
					    chunk->sent_at, reo_wnd, now))
			ferry_board_lose(conn, chunk);
	}
	ferry_board_first(conn);
	ferry_rack_tlp_cancel(&out->rack);
	path_timeout(conn, result);
	ferry_cong_on_rto(&out->cong, conn->snd_nxt,
			  ferry_conn_inflight(conn));
	ferry_rtt_backoff(&out->rtt);
	out->reorder_at = 0;
	out->rto_from = now;
	conn->pending |= FERRY_PENDING_HEAD;
	ferry_timer_arm(conn, now);
}

static void tlp_expired(struct ferry_conn *conn, u64 now)
{
	struct ferry_conn_out *out = conn->out;
	u64 rto_at = out->rto_from + ferry_rtt_rto(&out->rtt);

	if (ferry_rack_may_probe(&out->rack)) {
		out->rto_from = now;
		conn->pending |= FERRY_PENDING_TAIL;
	} else {
		set(conn, FERRY_TIMER_RTO, rto_at);
	}
}

static void reorder_expired(struct ferry_conn *conn, u64 now,
			    struct ferry_result *result)
{
	struct ferry_conn_out *out = conn->out;
	struct ferry_ack_work work = { .now = now };

	ferry_ack_judge(conn, &work);
	if (work.lost &&
	    ferry_cong_on_loss(&out->cong, conn->snd_una, conn->snd_nxt))
		ferry_rack_tlp_cancel(&out->rack);
	if (work.probe_lost)
		result->events |= FERRY_EVENT_PROBE_LOST;
	ferry_timer_arm(conn, now);
}

/* RFC 9293, 3.8.6.1: a closed window must not stay closed by a lost update. */
static void persist_expired(struct ferry_conn *conn, u64 now,
			    struct ferry_result *result)
{
	struct ferry_conn_out *out = conn->out;
	u64 since = conn->user_timeout ? conn->una_at : conn->heard_at;

	if (now - since >= user_timeout(conn)) {
		ferry_conn_close(conn, -ETIMEDOUT, result);
		return;
	}
	/*
	 * Too little window to be worth it is better than none at all. The peer has
	 * had the time to open it further, and may have no more: another like it
	 * need not wait.
	 */
	if (ferry_conn_usable(conn)) {
		conn->pending |= FERRY_PENDING_HEAD;
		conn->snd_max_wnd = max_t(u32, ferry_conn_usable(conn),
					  2 * FERRY_MSS_MIN);
	}
	conn->pending |= FERRY_PENDING_ASK;
	ferry_rtt_backoff(&out->rtt);
	set(conn, FERRY_TIMER_PERSIST, now + ferry_rtt_rto(&out->rtt));
}

static void timer_expired(struct ferry_conn *conn, u64 now,
			  struct ferry_result *result)
{
	enum ferry_timer timer = conn->timer;

	set(conn, FERRY_TIMER_NONE, 0);
	switch (timer) {
	case FERRY_TIMER_SYN:
		syn_expired(conn, result);
		break;
	case FERRY_TIMER_RTO:
		rto_expired(conn, now, result);
		break;
	case FERRY_TIMER_TLP:
		tlp_expired(conn, now);
		break;
	case FERRY_TIMER_REORDER:
		reorder_expired(conn, now, result);
		break;
	case FERRY_TIMER_PERSIST:
		persist_expired(conn, now, result);
		break;
	case FERRY_TIMER_NONE:
		break;
	}
}

static void keepalive_expired(struct ferry_conn *conn, u64 now,
			      struct ferry_result *result)
{
	u64 silence = now - conn->heard_at;

	/* Data under way is probe enough. */
	if (conn->snd_una != conn->snd_end) {
		conn->alive_at = now + from_ms(conn->keep_idle);
		return;
	}
	if (silence < from_ms(conn->keep_idle)) {
		conn->alive_at = conn->heard_at + from_ms(conn->keep_idle);
		return;
	}
	if (conn->user_timeout ? conn->probes && silence >= user_timeout(conn) :
				 conn->probes >= conn->keep_count) {
		ferry_conn_close(conn, -ETIMEDOUT, result);
		return;
	}
	conn->probes++;
	conn->pending |= FERRY_PENDING_ASK;
	conn->alive_at = now + from_ms(conn->keep_interval);
}

static void alive_expired(struct ferry_conn *conn, u64 now,
			  struct ferry_result *result)
{
	conn->alive_at = 0;
	if (conn->state == FERRY_FIN_WAIT2 && conn->orphan)
		ferry_conn_close(conn, 0, result);
	else if (conn->keep_idle)
		keepalive_expired(conn, now, result);
}

/**
 * ferry_conn_deadline() - when ferry_conn_timer() is to be called
 * @conn: the connection
 *
 * And at ferry_conn_fine_deadline().
 *
 * Context: any; pure.
 * Return: the time, which may have passed; U64_MAX: never.
 */
u64 ferry_conn_deadline(const struct ferry_conn *conn)
{
	u64 at = U64_MAX;

	if (conn->timer != FERRY_TIMER_NONE)
		at = conn->timer_at;
	if (conn->ack_at)
		at = min_t(u64, at, conn->ack_at);
	if (conn->alive_at)
		at = min_t(u64, at, conn->alive_at);
	return at;
}

/**
 * ferry_conn_fine_deadline() - when it is to be called to the microsecond
 * @conn: the connection
 *
 * For what is so near, or comes so often, that it wants a finer timer.
 *
 * Context: any; pure.
 * Return: the time, which may have passed; U64_MAX: never.
 */
u64 ferry_conn_fine_deadline(const struct ferry_conn *conn)
{
	u64 at = conn->gathers ? conn->out->gather_at : U64_MAX;

	if (conn->paced && !conn->full)
		at = min_t(u64, at, ferry_pace_until(&conn->out->pace));
	return at;
}

/**
 * ferry_conn_timer() - time has passed
 * @conn: the connection
 * @now: the time
 * @result: what it leads to
 *
 * Does what is due, if anything is; an early call is harmless. Afterwards
 * ferry_conn_next() is to be asked.
 *
 * Context: any; pure.
 */
void ferry_conn_timer(struct ferry_conn *conn, u64 now,
		      struct ferry_result *result)
{
	*result = (struct ferry_result) {};
	if (conn->gathers && now >= conn->out->gather_at)
		ferry_conn_flush(conn);
	if (conn->ack_at && now >= conn->ack_at) {
		conn->ack_at = 0;
		conn->pending |= FERRY_PENDING_ACK;
	}
	if (conn->timer != FERRY_TIMER_NONE && now >= conn->timer_at)
		timer_expired(conn, now, result);
	if (conn->alive_at && now >= conn->alive_at)
		alive_expired(conn, now, result);
}
