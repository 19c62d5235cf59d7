// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scoreboard: which chunk is in flight, which is lost, which has arrived
 * ahead of its turn.
 *
 * A chunk that was sent is in one of three states. Those in flight are in a list
 * in the order in which they were sent last, so that RACK looks at the oldest
 * first and stops at the first it cannot judge. The lost are in a list in the
 * order in which they were found lost, to be sent again in it. The SACKed wait
 * for their turn, in no list: adjacent ones form a run, and its first and its last
 * point at each other, as free blocks do in an allocator with boundary tags. So
 * a range that an ACK repeats, as most do, is stepped over at once.
 *
 * A run is entered at its first chunk. Ranges of an honest peer begin there; one
 * that begins in the middle is walked chunk by chunk, at most FERRY_SACK_STEPS
 * of them. That bounds what a hostile ACK costs.
 *
 * The counts (flight, lost, sacked) are of sequence numbers at or above snd_una:
 * a chunk of 64 KiB is acknowledged piece by piece. The pieces are those of the size
 * that segments have at present; if it was another when the chunk was sent, what a
 * range has of them in part counts as not arrived.
 */
#include "conn_impl.h"

static void list_append(struct ferry_chunk_list *list,
			struct ferry_chunk *chunk)
{
	chunk->next = NULL;
	chunk->prev = list->last;
	if (list->last)
		list->last->next = chunk;
	else
		list->first = chunk;
	list->last = chunk;
	list->count++;
}

static void list_insert(struct ferry_chunk_list *list,
			struct ferry_chunk *chunk, struct ferry_chunk *after)
{
	chunk->prev = after;
	chunk->next = after->next;
	if (after->next)
		after->next->prev = chunk;
	else
		list->last = chunk;
	after->next = chunk;
	list->count++;
}

static void list_remove(struct ferry_chunk_list *list,
			struct ferry_chunk *chunk)
{
	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		list->first = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
	else
		list->last = chunk->prev;
	chunk->prev = NULL;
	chunk->next = NULL;
	list->count--;
}

/* How much of a chunk is not acknowledged. */
static u32 outstanding(const struct ferry_conn *conn,
		       const struct ferry_chunk *chunk)
{
	u64 from = max_t(u64, chunk->seq, conn->snd_una);
	u64 end = ferry_chunk_end(chunk);

	return end > from ? end - from : 0;
}

static u32 *count_of(struct ferry_conn_out *out, const struct ferry_chunk *chunk)
{
	switch (chunk->state) {
	case FERRY_CHUNK_LOST:
		return &out->lost;
	case FERRY_CHUNK_SACKED:
		return &out->sacked;
	default:
		return &out->flight;
	}
}

static u32 padding(const struct ferry_conn *conn,
		   const struct ferry_chunk *chunk)
{
	return ferry_conn_padding(conn, ferry_chunk_size(chunk));
}

static struct ferry_chunk_list *list_of(struct ferry_conn_out *out,
					const struct ferry_chunk *chunk)
{
	return chunk->state == FERRY_CHUNK_LOST ? &out->losses :
						  &out->in_flight;
}

/* Take a SACKed chunk, the first of its run, out of the run. */
static void run_leave(struct ferry_conn *conn, struct ferry_chunk *chunk)
{
	struct ferry_chunk *last = chunk->next;
	struct ferry_chunk *second;

	if (last == chunk)
		return;
	second = conn->ops->next(conn, chunk);
	second->run_first = true;
	second->next = last;
	last->prev = second;
}

/* Make a chunk, just SACKed, part of the runs beside it. */
static void run_join(struct ferry_conn *conn, struct ferry_chunk *chunk)
{
	struct ferry_chunk *before = conn->ops->prev(conn, chunk);
	struct ferry_chunk *after = conn->ops->next(conn, chunk);
	struct ferry_chunk *first = chunk, *last = chunk;

	/* One that is acknowledged may still be there, and is in no run. */
	if (before && before->state == FERRY_CHUNK_SACKED &&
	    ferry_chunk_end(before) > conn->snd_una)
		first = before->prev;
	if (after && after->state == FERRY_CHUNK_SACKED) {
		last = after->next;
		after->run_first = false;
	}
	chunk->run_first = false;
	first->run_first = true;
	first->next = last;
	last->prev = first;
}

/* Out of its list or run, and out of its count. */
static void leave(struct ferry_conn *conn, struct ferry_chunk *chunk)
{
	struct ferry_conn_out *out = conn->out;

	*count_of(out, chunk) -= outstanding(conn, chunk);
	if (chunk->state == FERRY_CHUNK_FLIGHT)
		out->padding -= padding(conn, chunk);
	if (chunk->state == FERRY_CHUNK_SACKED)
		run_leave(conn, chunk);
	else
		list_remove(list_of(out, chunk), chunk);
}

/**
 * ferry_board_sent() - a chunk leaves
 * @conn: the connection
 * @chunk: the chunk, unsent, lost, or (a probe) in flight
 * @now: the time
 *
 * Context: any; pure.
 */
void ferry_board_sent(struct ferry_conn *conn, struct ferry_chunk *chunk,
		      u64 now)
{
	struct ferry_conn_out *out = conn->out;

	if (chunk->state != FERRY_CHUNK_UNSENT) {
		leave(conn, chunk);
		chunk->again = true;
	}
	chunk->state = FERRY_CHUNK_FLIGHT;
	chunk->sent_at = now;
	out->flight += outstanding(conn, chunk);
	out->padding += padding(conn, chunk);
	list_append(&out->in_flight, chunk);
}

/**
 * ferry_board_lose() - a chunk in flight is lost
 * @conn: the connection
 * @chunk: the chunk
 *
 * Context: any; pure.
 */
void ferry_board_lose(struct ferry_conn *conn, struct ferry_chunk *chunk)
{
	struct ferry_conn_out *out = conn->out;

	leave(conn, chunk);
	chunk->state = FERRY_CHUNK_LOST;
	out->lost += outstanding(conn, chunk);
	list_append(&out->losses, chunk);
}

/**
 * ferry_board_split() - make two chunks of one
 * @conn: the connection
 * @chunk: the chunk, in flight or lost
 * @at: how many of its numbers stay, at least 1 and less than its size
 *
 * Context: any; pure.
 * Return: the other one, which follows it in its list too; NULL without memory.
 */
struct ferry_chunk *ferry_board_split(struct ferry_conn *conn,
				      struct ferry_chunk *chunk, u32 at)
{
	struct ferry_conn_out *out = conn->out;
	bool in_flight = chunk->state == FERRY_CHUNK_FLIGHT;
	u32 bytes = min_t(u32, at, chunk->len);
	struct ferry_chunk *rest;

	rest = conn->ops->split(conn, chunk, bytes);
	if (!rest)
		return NULL;
	if (in_flight)
		out->padding -= padding(conn, chunk);
	*rest = (struct ferry_chunk) {
		.seq = chunk->seq + at,
		.sent_at = chunk->sent_at,
		.len = chunk->len - bytes,
		/* Between the marks: the record's end comes first. */
		.flags = at > bytes ? FERRY_F_FIN : chunk->flags,
		.state = chunk->state,
		.again = chunk->again,
	};
	chunk->len = bytes;
	chunk->flags = at > bytes ? FERRY_F_EOR : 0;
	list_insert(list_of(out, chunk), rest, chunk);
	if (in_flight)
		out->padding += padding(conn, chunk) + padding(conn, rest);
	/* What stays may be no more than what is acknowledged already. */
	if (ferry_chunk_end(chunk) <= conn->snd_una)
		leave(conn, chunk);
	return rest;
}

/**
 * ferry_board_trim() - part a chunk from what of it is acknowledged
 * @conn: the connection
 * @chunk: the chunk, in flight or lost
 *
 * Context: any; pure.
 * Return: what is not acknowledged; @chunk itself if that is all, NULL without
 * memory.
 */
struct ferry_chunk *ferry_board_trim(struct ferry_conn *conn,
				     struct ferry_chunk *chunk)
{
	if (chunk->seq >= conn->snd_una)
		return chunk;
	return ferry_board_split(conn, chunk, conn->snd_una - chunk->seq);
}

/* For the first time an ACK tells of it. Its size is the caller's to count. */
static void delivered(struct ferry_conn *conn, const struct ferry_chunk *chunk,
		      struct ferry_ack_work *work)
{
	struct ferry_conn_out *out = conn->out;
	const struct ferry_rack_delivery delivery = {
		.xmit_ts = chunk->sent_at,
		.end_seq = ferry_chunk_end(chunk),
		.retransmitted = chunk->again,
		.echo_valid = work->echo,
		.echo = work->echo,
	};

	work->delivered += padding(conn, chunk);
	if (ferry_rack_delivered(&out->rack, &delivery, work->now,
				 ferry_rtt_min_get(&out->rtt)))
		work->judge = true;
}

/**
 * ferry_board_ack() - everything below a number has arrived
 * @conn: the connection, whose snd_una moves
 * @ack: the number, above snd_una and at most snd_nxt
 * @work: what comes to light
 *
 * Context: any; pure. Cost: the chunks acknowledged, and one find().
 */
void ferry_board_ack(struct ferry_conn *conn, u64 ack,
		     struct ferry_ack_work *work)
{
	struct ferry_conn_out *out = conn->out;
	struct ferry_chunk *chunk = conn->ops->find(conn, conn->snd_una);
	u32 before = out->sacked;
	struct ferry_chunk *next;

	for (; chunk && ferry_chunk_end(chunk) <= ack; chunk = next) {
		next = conn->ops->next(conn, chunk);
		if (chunk->state != FERRY_CHUNK_SACKED)
			delivered(conn, chunk, work);
		leave(conn, chunk);
	}
	/* The one that is acknowledged in part stays where it is. */
	if (chunk && chunk->seq < ack)
		*count_of(out, chunk) -=
			ack - max_t(u64, chunk->seq, conn->snd_una);
	work->acked = ack - conn->snd_una;
	work->delivered += work->acked - (before - out->sacked);
	conn->snd_una = ack;
}

/* Cut out of a chunk the whole pieces that a range has, and SACK them. */
static struct ferry_chunk *sack_part(struct ferry_conn *conn,
				     struct ferry_chunk *chunk,
				     const struct ferry_span *span,
				     struct ferry_ack_work *work)
{
	u32 size = ferry_chunk_size(chunk);
	u32 from = 0, to = size;

	if (span->start > chunk->seq) {
		from = span->start - chunk->seq + conn->mss - 1;
		from -= from % conn->mss;
	}
	if (span->end < ferry_chunk_end(chunk)) {
		to = span->end - chunk->seq;
		to -= to % conn->mss;
	}
	if (from >= to)
		return NULL;
	if (to < size && !ferry_board_split(conn, chunk, to))
		return NULL;
	if (from)
		chunk = ferry_board_split(conn, chunk, from);
	if (!chunk)
		return NULL;

	delivered(conn, chunk, work);
	work->delivered += ferry_chunk_size(chunk);
	leave(conn, chunk);
	chunk->state = FERRY_CHUNK_SACKED;
	conn->out->sacked += ferry_chunk_size(chunk);
	run_join(conn, chunk);
	return chunk;
}

/**
 * ferry_board_sack() - what a range has, has arrived
 * @conn: the connection
 * @span: the range, within snd_una and snd_nxt
 * @work: what comes to light
 *
 * Context: any; pure. Cost: the chunks newly SACKed, at most FERRY_SACK_STEPS
 * others, and one find().
 */
void ferry_board_sack(struct ferry_conn *conn, const struct ferry_span *span,
		      struct ferry_ack_work *work)
{
	struct ferry_chunk *chunk = conn->ops->find(conn, span->start);
	unsigned int steps = FERRY_SACK_STEPS;
	struct ferry_chunk *sacked;

	for (; chunk && chunk->seq < span->end;
	     chunk = conn->ops->next(conn, chunk)) {
		if (chunk->state == FERRY_CHUNK_SACKED) {
			if (chunk->run_first)
				chunk = chunk->next;
		} else {
			sacked = sack_part(conn, chunk, span, work);
			if (sacked) {
				chunk = sacked;
				continue;
			}
		}
		if (!steps--)
			return;
	}
}

/**
 * ferry_board_forget_sacks() - the peer has discarded what it SACKed
 * @conn: the connection
 *
 * Everything that was SACKed counts as lost (RFC 2018, 8).
 *
 * Context: any; pure. Cost: all chunks sent.
 */
void ferry_board_forget_sacks(struct ferry_conn *conn)
{
	struct ferry_conn_out *out = conn->out;
	struct ferry_chunk *chunk = conn->ops->find(conn, conn->snd_una);

	for (; chunk; chunk = conn->ops->next(conn, chunk)) {
		if (chunk->state != FERRY_CHUNK_SACKED)
			continue;
		out->sacked -= outstanding(conn, chunk);
		chunk->state = FERRY_CHUNK_LOST;
		out->lost += outstanding(conn, chunk);
		list_append(&out->losses, chunk);
	}
}

/**
 * ferry_board_first() - the oldest, if it is lost, is to be sent again first
 * @conn: the connection
 *
 * RFC 6298, 5.4.
 *
 * Context: any; pure.
 */
void ferry_board_first(struct ferry_conn *conn)
{
	struct ferry_chunk *chunk = conn->ops->find(conn, conn->snd_una);
	struct ferry_chunk_list *list = &conn->out->losses;

	if (!chunk || chunk->state != FERRY_CHUNK_LOST || list->first == chunk)
		return;
	list_remove(list, chunk);
	chunk->next = list->first;
	list->first->prev = chunk;
	list->first = chunk;
	list->count++;
}

/**
 * ferry_board_find_again() - what was taken for lost is in flight after all
 * @conn: the connection
 *
 * What is in the list of the lost was sent before most of what is in flight, so
 * it goes before it.
 *
 * Context: any; pure. Cost: the chunks lost.
 */
void ferry_board_find_again(struct ferry_conn *conn)
{
	struct ferry_conn_out *out = conn->out;
	struct ferry_chunk *chunk;

	if (!out->losses.first)
		return;
	for (chunk = out->losses.first; chunk; chunk = chunk->next) {
		chunk->state = FERRY_CHUNK_FLIGHT;
		out->padding += padding(conn, chunk);
	}
	out->losses.last->next = out->in_flight.first;
	if (out->in_flight.first)
		out->in_flight.first->prev = out->losses.last;
	else
		out->in_flight.last = out->losses.last;
	out->in_flight.first = out->losses.first;
	out->in_flight.count += out->losses.count;
	out->losses = (struct ferry_chunk_list) {};
	out->flight += out->lost;
	out->lost = 0;
}

/**
 * ferry_board_pad() - conn->mss is another: what chunks in flight weigh
 * @conn: the connection
 *
 * Context: any; pure. Cost: the chunks in flight.
 */
void ferry_board_pad(struct ferry_conn *conn)
{
	struct ferry_conn_out *out = conn->out;
	struct ferry_chunk *chunk;

	out->padding = 0;
	for (chunk = out->in_flight.first; chunk; chunk = chunk->next)
		out->padding += padding(conn, chunk);
}
