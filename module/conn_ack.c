// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an acknowledgment says: what has arrived, what therefore has not, how
 * long it took, and how much more may leave.
 */
#include "conn_impl.h"

/**
 * ferry_ack_reo_wnd() - how long RACK waits for what was reordered
 * @conn: the connection
 *
 * Context: any; pure.
 * Return: microseconds.
 */
u32 ferry_ack_reo_wnd(const struct ferry_conn *conn)
{
	const struct ferry_conn_out *out = conn->out;

	return ferry_rack_reo_wnd(&out->rack, ferry_rtt_min_get(&out->rtt),
				  ferry_rtt_smoothed(&out->rtt),
				  ferry_conn_segments(conn, out->sacked),
				  ferry_cong_recovering(&out->cong));
}

/**
 * ferry_ack_judge() - find what is lost, by what has arrived
 * @conn: the connection
 * @work: what comes to light
 *
 * Stops at the first chunk that has to be waited for, as those sent after it
 * have to be waited for longer: an ACK costs what it finds, no more. A probe of the
 * path that is lost is no sign of congestion (RFC 4821, 7.5), and not in @work->lost.
 *
 * Context: any; pure.
 */
void ferry_ack_judge(struct ferry_conn *conn, struct ferry_ack_work *work)
{
	struct ferry_conn_out *out = conn->out;
	u32 reo_wnd = ferry_ack_reo_wnd(conn);
	struct ferry_chunk *chunk;
	u32 before = out->lost, earlier;
	bool probe;
	s64 wait;

	out->reorder_at = 0;
	while ((chunk = out->in_flight.first)) {
		wait = ferry_rack_judge(&out->rack, chunk->sent_at,
					ferry_chunk_end(chunk), reo_wnd,
					work->now);
		if (wait == FERRY_RACK_UNTOLD)
			break;
		if (wait != FERRY_RACK_LOST) {
			out->reorder_at = work->now + wait;
			break;
		}
		probe = ferry_pmtu_is_probe(&out->pmtu, chunk->seq);
		earlier = out->lost;
		ferry_board_lose(conn, chunk);
		if (!probe)
			continue;
		ferry_pmtu_lost(&out->pmtu);
		work->probe_lost = true;
		before += out->lost - earlier;
	}
	work->lost += out->lost - before;
}

/* Ranges in ascending order, as RACK wants to hear of deliveries; DSACK apart. */
struct sack_list {
	struct ferry_span dsack;
	struct ferry_span span[FERRY_SACKS_MAX];
	unsigned int count;
};

/* RFC 2883, 4: the first range, if it is below the ACK or within the second. */
static bool is_dsack(const struct ferry_seg *seg)
{
	const struct ferry_span *first = &seg->sack[0];
	const struct ferry_span *second = &seg->sack[1];

	if (!seg->nsack)
		return false;
	if (first->end <= seg->ack)
		return true;
	return seg->nsack > 1 && first->start >= second->start &&
	       first->end <= second->end;
}

static void sack_list_add(struct sack_list *list, struct ferry_span span)
{
	unsigned int at = list->count++;

	for (; at && list->span[at - 1].start > span.start; at--)
		list->span[at] = list->span[at - 1];
	list->span[at] = span;
}

/* What of an ACK's ranges can be true. */
static void sack_list_read(const struct ferry_conn *conn,
			   const struct ferry_seg *seg, struct sack_list *list)
{
	unsigned int i = 0;

	list->count = 0;
	list->dsack = (struct ferry_span) {};
	if (is_dsack(seg)) {
		if (seg->sack[0].end <= conn->snd_nxt)
			list->dsack = seg->sack[0];
		i = 1;
	}
	for (; i < seg->nsack; i++) {
		struct ferry_span span = seg->sack[i];

		span.start = max_t(u64, span.start, conn->snd_una);
		if (span.start < span.end && span.end <= conn->snd_nxt)
			sack_list_add(list, span);
	}
}

/* The peer's window: its right edge does not move left, so the furthest holds. */
static bool window_update(struct ferry_conn *conn, const struct ferry_seg *seg)
{
	u32 window = min_t(u32, seg->window, FERRY_WINDOW_MAX);

	conn->snd_max_wnd = max_t(u32, conn->snd_max_wnd, window);
	if (seg->ack + window <= conn->snd_edge)
		return false;
	conn->snd_edge = seg->ack + window;
	return true;
}

/* The round-trip time by the echo: of every ACK that moves snd_una (RFC 7323). */
static u32 measure(struct ferry_conn *conn, const struct ferry_seg *seg,
		   u64 now)
{
	struct ferry_conn_out *out = conn->out;
	u32 rtt = FERRY_RTT_NONE;

	if (seg->echo)
		rtt = ferry_rtt_of_echo(now, seg->echo);
	if (rtt == FERRY_RTT_NONE) {
		ferry_rtt_progress(&out->rtt);
		return rtt;
	}
	ferry_rtt_update(&out->rtt, now, rtt);
	ferry_rack_measured(&out->rack);
	return rtt;
}

/* Losses, by RACK and by the probe; what they and DSACKs mean for the window. */
static void recover(struct ferry_conn *conn, const struct ferry_seg *seg,
		    const struct sack_list *sacks, bool pure_dup,
		    struct ferry_ack_work *work)
{
	struct ferry_conn_out *out = conn->out;
	bool dsack = sacks->dsack.end;
	const struct ferry_rack_tlp_ack tail = {
		.ack = seg->ack,
		.dsack_end = sacks->dsack.end,
		.pure_dup = pure_dup,
	};
	bool repaired = ferry_rack_tlp_ack(&out->rack, &tail);
	bool found_again = false;

	ferry_rack_dsack(&out->rack, conn->snd_una, conn->snd_nxt, dsack);
	if (work->judge || out->reorder_at)
		ferry_ack_judge(conn, work);
	if ((work->lost || repaired) &&
	    ferry_cong_on_loss(&out->cong, conn->snd_una, conn->snd_nxt))
		ferry_rack_tlp_cancel(&out->rack);
	if (work->acked && seg->echo)
		found_again = ferry_cong_on_echo(&out->cong, seg->echo);
	if (dsack && ferry_cong_on_dsack(&out->cong))
		found_again = true;
	if (found_again)
		ferry_board_find_again(conn);
}

/* How much has arrived, and how fast: once a round trip. */
static void count_delivered(struct ferry_conn *conn, u32 delivered, u64 now)
{
	struct ferry_conn_out_count *count = &conn->out->count;
	u32 elapsed = (u32)now - count->round_at;
	u32 arrived;

	count->delivered += delivered;
	if (conn->snd_una < count->round_end)
		return;
	arrived = count->delivered - count->round_base;
	if (arrived && elapsed)
		count->rate = div_u64((u64)arrived * 1000000, elapsed);
	ferry_conn_begin_round(conn, now);
}

/* If a probe of the path has arrived, segments are of its size. */
static void path_acked(struct ferry_conn *conn, u64 now)
{
	struct ferry_conn_out *out = conn->out;

	ferry_pmtu_acked(&out->pmtu, conn->snd_una, now);
	if (out->pmtu.low != conn->mss)
		ferry_conn_set_mss(conn, out->pmtu.low);
}

/**
 * ferry_ack_in() - take a segment's acknowledgment
 * @conn: the connection
 * @seg: the segment: acceptable, its acknowledgment within what was sent
 * @now: the time
 * @result: what it leads to
 *
 * Context: any; pure. Cost: the chunks that it is the first to acknowledge,
 * SACK or find lost, and FERRY_SACK_STEPS others a range.
 */
void ferry_ack_in(struct ferry_conn *conn, const struct ferry_seg *seg,
		  u64 now, struct ferry_result *result)
{
	struct ferry_conn_out *out = conn->out;
	struct ferry_ack_work work = { .now = now, .echo = seg->echo };
	struct ferry_cong_ack ack = { .now = now, .rtt = FERRY_RTT_NONE };
	bool wider = window_update(conn, seg);
	struct sack_list sacks;
	unsigned int i;

	/* There is nothing that it could tell of. */
	if (!out)
		return;
	if (seg->ack < conn->snd_una ||
	    (ferry_conn_idle(conn) && !seg->nsack)) {
		if (wider)
			ferry_timer_arm(conn, now);
		return;
	}
	if (seg->ack > conn->snd_una) {
		ferry_board_ack(conn, seg->ack, &work);
		ack.rtt = measure(conn, seg, now);
		conn->una_at = now;
		out->rto_from = now;
		result->events |= FERRY_EVENT_ACKED;
	}
	sack_list_read(conn, seg, &sacks);
	for (i = 0; i < sacks.count; i++)
		ferry_board_sack(conn, &sacks.span[i], &work);

	recover(conn, seg, &sacks, !work.acked && !seg->nsack && !seg->len &&
		!wider, &work);

	ack.una = conn->snd_una;
	ack.nxt = conn->snd_nxt;
	ack.acked = work.acked;
	ack.delivered = work.delivered;
	ack.lost = work.lost;
	ack.inflight = ferry_conn_inflight(conn);
	ack.srtt = ferry_rtt_smoothed(&out->rtt);
	if (work.delivered)
		count_delivered(conn, work.delivered, now);
	if (ferry_cong_on_ack(&out->cong, &ack))
		ferry_rack_recovered(&out->rack);
	if (out->pmtu.state != FERRY_PMTU_TRUSTED)
		path_acked(conn, now);
	if (work.probe_lost)
		result->events |= FERRY_EVENT_PROBE_LOST;
	if (work.delivered || work.lost || out->reorder_at || wider)
		ferry_timer_arm(conn, now);
}
