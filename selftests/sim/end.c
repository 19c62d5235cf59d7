// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine's owner: a send queue, a receive queue, and the calls between the
 * engine and the wire. In the kernel all this is a socket.
 */
#include <string.h>

#include "sim.h"

static struct sim_end *end_of(struct ferry_conn *conn)
{
	return (struct sim_end *)((char *)conn -
				  offsetof(struct sim_end, conn));
}

/* The send queue: an array from head to tail, in order. */

static u32 index_of(struct sim_end *end, u64 seq)
{
	u32 low = end->head, high = end->tail;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (ferry_chunk_end(end->chunks[middle]) <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct ferry_chunk *chunk_at(struct sim_end *end, u32 index)
{
	return index >= end->head && index < end->tail ? end->chunks[index] :
							 NULL;
}

static struct ferry_chunk *find(struct ferry_conn *conn, u64 seq)
{
	struct sim_end *end = end_of(conn);
	struct ferry_chunk *chunk = chunk_at(end, index_of(end, seq));

	return chunk && chunk->seq <= seq ? chunk : NULL;
}

static struct ferry_chunk *next(struct ferry_conn *conn,
				struct ferry_chunk *chunk)
{
	struct sim_end *end = end_of(conn);

	return chunk_at(end, index_of(end, chunk->seq) + 1);
}

static struct ferry_chunk *prev(struct ferry_conn *conn,
				struct ferry_chunk *chunk)
{
	struct sim_end *end = end_of(conn);
	u32 index = index_of(end, chunk->seq);

	return index > end->head ? chunk_at(end, index - 1) : NULL;
}

static struct ferry_chunk *insert(struct sim_end *end, u32 index)
{
	if (end->tail == end->room) {
		end->room = end->room ? 2 * end->room : 64;
		end->chunks = realloc(end->chunks,
				      end->room * sizeof(*end->chunks));
	}
	memmove(end->chunks + index + 1, end->chunks + index,
		(end->tail - index) * sizeof(*end->chunks));
	end->tail++;
	end->chunks[index] = calloc(1, sizeof(**end->chunks));
	return end->chunks[index];
}

static struct ferry_chunk *split(struct ferry_conn *conn,
				 struct ferry_chunk *chunk, u32 at)
{
	struct sim_end *end = end_of(conn);

	if (!at || at >= ferry_chunk_size(chunk) || at > chunk->len)
		fail(end->sim, "%c: cuts a chunk of %u at %u", end->name,
		     chunk->len, at);
	if (sim_chance(&end->random, end->setup->no_memory)) {
		end->sim->no_memory++;
		return NULL;
	}
	return insert(end, index_of(end, chunk->seq) + 1);
}

static void reorder(struct ferry_conn *conn)
{
	struct sim_end *end = end_of(conn);

	ferry_range_init(&conn->ahead, end->ranges, end->setup->ranges);
}

/* When to ask again for memory. */
#define AGAIN	(4 * MS)

static const struct ferry_conn_ops ops = {
	.find = find,
	.next = next,
	.prev = prev,
	.split = split,
	.reorder = reorder,
};

static void free_acked(struct sim_end *end)
{
	while (end->head < end->tail &&
	       ferry_chunk_end(end->chunks[end->head]) <= end->conn.snd_una)
		free(end->chunks[end->head++]);
	if (end->head == end->tail) {
		end->head = 0;
		end->tail = 0;
	}
}

/* The next chunk of what the script has written: up to a record's end. */
static struct ferry_chunk *take_unsent(struct sim_end *end, u32 limit)
{
	struct ferry_conn *conn = &end->conn;
	u64 stop = conn->snd_end - end->shut;
	struct ferry_chunk *chunk;
	bool eor = false;

	if (end->mark_next < end->mark_count) {
		stop = end->marks[end->mark_next];
		eor = true;
	}
	chunk = insert(end, end->tail);
	chunk->len = min_t(u64, stop - conn->snd_nxt, limit);
	if (conn->snd_nxt + chunk->len == stop) {
		if (eor) {
			chunk->flags |= FERRY_F_EOR;
			end->mark_next++;
		}
		if (end->shut && stop + eor + 1 == conn->snd_end)
			chunk->flags |= FERRY_F_FIN;
	}
	return chunk;
}

static void transmit(struct sim_end *end, const struct ferry_seg *seg)
{
	static u8 payload[1 << 20];
	u32 cut = seg->mss;

	if (seg->len > sizeof(payload)) {
		fail(end->sim, "%c: segment of %u", end->name, seg->len);
		return;
	}
	if (min_t(u32, cut, seg->len) + FERRY_CONN_HLEN > end->device_mtu)
		fail(end->sim, "%c: %u bytes, and its device takes packets of %u",
		     end->name, seg->len, end->device_mtu);
	sim_content(end->key, seg->seq, payload, seg->len);
	if (seg->len > end->conn.batch)
		fail(end->sim, "%c: %u bytes in a segment, device takes %u",
		     end->name, seg->len, end->conn.batch);
	if (end->setup->odd_cuts)
		cut = sim_between(&end->random, cut / 4, cut);
	sim_path_send(end->sim, end, seg, payload, cut);
}

/* What must hold of data that leaves. */
static void check_sent(struct sim_end *end, const struct ferry_chunk *chunk,
		       u32 flight, bool forced)
{
	struct ferry_conn *conn = &end->conn;

	if (ferry_chunk_end(chunk) > conn->snd_edge)
		fail(end->sim, "%c: sends beyond the window", end->name);
	if (end->peer->conn.rwnd.edge && end->peer->established &&
	    ferry_chunk_end(chunk) > end->peer->conn.rwnd.edge &&
	    end->peer->conn.state == FERRY_ESTABLISHED)
		fail(end->sim, "%c: sends beyond what was offered", end->name);
	if (flight && !forced && flight + chunk->len > conn->out->cong.cwnd)
		fail(end->sim, "%c: %u in flight and sends %u, cwnd %u",
		     end->name, flight, chunk->len, conn->out->cong.cwnd);
}

/**
 * sim_end_output() - send all that the engine wants to send
 * @end: the end
 */
void sim_end_output(struct sim_end *end)
{
	struct ferry_conn *conn = &end->conn;
	struct sim *sim = end->sim;
	struct ferry_chunk *chunk;
	struct ferry_plan plan;
	struct ferry_seg seg;
	enum ferry_send what;
	u32 spins = 0;

	if (end->listening || end->gone || end->in_timewait)
		return;
	/* There may be memory again; if not, it is asked for again. */
	conn->full = false;
	end->again_at = NEVER;
	while ((what = ferry_conn_next(conn, sim->now, &plan)) !=
	       FERRY_SEND_NOTHING && !sim->failed) {
		u32 flight = conn->out ? ferry_conn_inflight(conn) : 0;
		bool forced = conn->pending &
			      (FERRY_PENDING_HEAD | FERRY_PENDING_TAIL);

		if (spins++ > 100000) {
			fail(sim, "%c: sends without end", end->name);
			return;
		}
		if (what == FERRY_SEND_CONTROL) {
			ferry_conn_control(conn, sim->now, &seg);
			sim->sacks += !!seg.nsack;
			sim->probes += !!(seg.flags & FERRY_F_ASK);
			sim_path_send(sim, end, &seg, NULL, 1);
			continue;
		}
		if (what == FERRY_SEND_AGAIN) {
			chunk = plan.chunk;
			sim->retransmissions++;
		} else if (sim_chance(&end->random, end->setup->no_memory)) {
			sim->no_memory++;
			ferry_conn_put_off(conn, sim->now);
			continue;
		} else {
			chunk = take_unsent(end, plan.limit);
		}
		if (what == FERRY_SEND_NEW && chunk->len > plan.limit)
			fail(sim, "%c: more than planned", end->name);
		ferry_conn_send(conn, chunk, sim->now, &seg);
		check_sent(end, chunk, flight, forced);
		transmit(end, &seg);
	}
	if (conn->paced && conn->full)
		end->again_at = sim->now + AGAIN;
	sim_check(end);
	if (conn->state == FERRY_TIME_WAIT) {
		ferry_timewait_init(&end->timewait, conn, sim->now);
		end->in_timewait = true;
	} else if (conn->state == FERRY_CLOSED) {
		end->gone = true;
	}
}

/* The receive queue. */

static void keep_ahead(struct sim_end *end, const struct ferry_piece *piece,
		       const u8 *bytes)
{
	struct sim_piece *new;
	u32 at;

	if (end->ahead_count == end->ahead_room) {
		end->ahead_room = end->ahead_room ? 2 * end->ahead_room : 64;
		end->ahead = realloc(end->ahead,
				     end->ahead_room * sizeof(*end->ahead));
	}
	for (at = end->ahead_count; at; at--)
		if (end->ahead[at - 1].piece.seq <= piece->seq)
			break;
	new = end->ahead + at;
	memmove(new + 1, new, (end->ahead_count++ - at) * sizeof(*new));
	new->piece = *piece;
	new->piece.skip = 0;
	new->bytes = malloc(piece->len + 1);
	memcpy(new->bytes, bytes, piece->len);
}

static void take(struct sim_end *end, const struct ferry_piece *piece,
		 const u8 *bytes)
{
	sim_check_delivery(end, piece, bytes);
	end->point = piece->seq + piece->len + piece->eor;
	end->bytes_in += piece->len;
	end->records_in += piece->eor;
	end->progress_at = end->sim->now;
}

static void take_ahead(struct sim_end *end)
{
	u64 limit = end->conn.rcv_nxt - end->fin_in;
	u32 i;

	for (i = 0; i < end->ahead_count; i++) {
		struct sim_piece *ahead = end->ahead + i;

		if (ahead->piece.seq >= limit)
			break;
		if (ferry_piece_from(&ahead->piece, end->point))
			take(end, &ahead->piece,
			     ahead->bytes + ahead->piece.skip);
		free(ahead->bytes);
	}
	end->ahead_count -= i;
	if (end->ahead_count)
		memmove(end->ahead, end->ahead + i,
			end->ahead_count * sizeof(*end->ahead));
	if (end->point != limit)
		fail(end->sim, "%c: has data up to %llu, engine says %llu",
		     end->name, (unsigned long long)end->point,
		     (unsigned long long)limit);
}

static void renege(struct sim_end *end)
{
	u32 i;

	for (i = 0; i < end->ahead_count; i++)
		free(end->ahead[i].bytes);
	end->sim->reneged += !!end->ahead_count;
	end->ahead_count = 0;
	ferry_conn_forget_ahead(&end->conn);
	end->renege_at = end->sim->now + end->setup->renege_every;
	sim_trace(end->sim, "%c forgets what is ahead", end->name);
}

static void resize(struct sim_end *end)
{
	u32 mss = end->setup->resize_mtu - FERRY_CONN_HLEN;

	end->resize_at = NEVER;
	end->device_mtu = end->setup->resize_mtu;
	ferry_conn_device(&end->conn, mss, max_t(u32, mss, end->setup->batch),
			  end->sim->now);
	sim_trace(end->sim, "%c's device takes %u", end->name, end->device_mtu);
}

/* From here on the peer's bytes count. */
static void begin(struct sim_end *end)
{
	end->point = end->conn.rcv_nxt;
	end->read_to = end->point;
}

static void handle(struct sim_end *end, const struct ferry_result *result,
		   const u8 *payload)
{
	struct ferry_conn *conn = &end->conn;

	if (result->events & FERRY_EVENT_ESTABLISHED) {
		end->established = true;
		if (!end->point)
			begin(end);
		end->progress_at = end->sim->now;
		end->write_at = end->sim->now;
		/* A peer may vanish without a word that arrives. */
		if (end->peer->setup->ending == SIM_ABORT ||
		    end->peer->setup->ending == SIM_CLOSE)
			ferry_conn_keepalive(conn, end->sim->now, 30 * SECOND,
					     SECOND, 9);
		end->read_at = end->sim->now;
	}
	end->sim->black_holes += !!(result->events & FERRY_EVENT_BLACK_HOLE);
	end->sim->probes_lost += !!(result->events & FERRY_EVENT_PROBE_LOST);
	if (result->events & FERRY_EVENT_ACKED) {
		free_acked(end);
		end->progress_at = end->sim->now;
	}
	if (result->events & FERRY_EVENT_FIN)
		end->fin_in = true;
	if (result->events & FERRY_EVENT_DATA) {
		if (result->piece.seq <= end->point)
			take(end, &result->piece, payload + result->piece.skip);
		else
			keep_ahead(end, &result->piece,
				   payload + result->piece.skip);
	}
	if (result->events & FERRY_EVENT_READABLE)
		take_ahead(end);
	conn->room = end->setup->capacity - (end->point - end->read_to);
	if (result->events & FERRY_EVENT_CLOSED) {
		end->error = conn->error;
		end->gone = !conn->pending;
		sim_trace(end->sim, "%c closed, error %d", end->name,
			  conn->error);
	}
}

/* Opening. */

static struct ferry_conn_setup conn_setup(const struct sim_end *end)
{
	const struct sim_end_setup *setup = end->setup;
	u8 code = 0;

	if (setup->record)
		for (code = FERRY_CODE_RECORD_MIN;
		     1U << (code + 1) <= setup->capacity / 2; code++)
			;
	return (struct ferry_conn_setup) {
		.ops = &ops,
		.cong = setup->newreno ? &ferry_cong_newreno :
					 &ferry_cong_cubic,
		.iss = end->iss,
		.mss = setup->mtu - FERRY_CONN_HLEN,
		.batch = setup->batch,
		.merge_at = setup->merge_at,
		.gather = setup->gather,
		.room = setup->capacity,
		.syn_retries = 12,
		.code = code,
	};
}

static struct ferry_request_offer offer(const struct sim_end *end)
{
	struct ferry_conn_setup setup = conn_setup(end);

	return (struct ferry_request_offer) {
		.iss = setup.iss,
		.window = setup.room,
		.mss = setup.mss,
		.code = setup.code,
		.retries = 12,
	};
}

static const struct ferry_cookie_keys keys = {
	.key = { { { 1, 2 } }, { { 3, 4 } } },
};

static const struct ferry_cookie_flow flow = {
	.saddr = 1, .daddr = 2, .sport = PORT, .dport = PORT,
};

static void stray(struct sim_end *end, const struct ferry_seg *seg)
{
	struct ferry_seg rst;

	if (ferry_conn_stray(seg, &rst))
		sim_path_send(end->sim, end, &rst, NULL, 1);
}

static void send_synack(struct sim_end *end)
{
	struct ferry_seg seg;

	ferry_request_synack(&end->request, end->sim->now, &seg);
	sim_path_send(end->sim, end, &seg, NULL, 1);
}

static void listen_syn(struct sim_end *end, const struct ferry_seg *seg)
{
	struct ferry_request_offer offered = offer(end);
	bool cookie = end->sim->scenario->opening == SIM_COOKIE;

	if (cookie) {
		const struct ferry_cookie_facts facts = {
			.mss = min_t(u32, seg->mss, 0xffff),
			.code = seg->code,
		};

		offered.iss = ferry_cookie_make(&keys, &flow, seg->seq,
						end->sim->now / (60 * SECOND),
						&facts);
		end->iss = offered.iss;
	}
	if (!ferry_request_init(&end->request, seg, &offered)) {
		stray(end, seg);
		return;
	}
	end->requested = !cookie;
	send_synack(end);
}

/* Whether a segment is the first of a new connection. */
static bool listen_accepts(struct sim_end *end, const struct ferry_seg *seg)
{
	struct ferry_request_offer offered = offer(end);
	struct ferry_cookie_facts facts;

	if (!end->requested) {
		if (end->sim->scenario->opening != SIM_COOKIE ||
		    seg->kind != FERRY_KIND_DATA ||
		    !ferry_cookie_check(&keys, &flow, seg->seq - 1,
					seg->ack - 1,
					end->sim->now / (60 * SECOND), 6,
					&facts))
			return false;
		ferry_request_recall(&end->request, seg, facts.mss, facts.code,
				     &offered);
		end->iss = end->request.iss;
		return true;
	}
	switch (ferry_request_in(&end->request, seg)) {
	case FERRY_REQUEST_ACCEPT:
		return true;
	case FERRY_REQUEST_SYNACK:
		send_synack(end);
		break;
	case FERRY_REQUEST_STRAY:
		stray(end, seg);
		break;
	case FERRY_REQUEST_DEAD:
		end->requested = false;
		break;
	case FERRY_REQUEST_IGNORE:
		break;
	}
	return false;
}

/* Returns whether there is a connection now, for which the segment is. */
static bool listen_in(struct sim_end *end, const struct ferry_seg *seg)
{
	struct ferry_conn_setup setup;

	if (seg->kind == FERRY_KIND_SYN && !end->requested) {
		listen_syn(end, seg);
		return false;
	}
	if (!listen_accepts(end, seg))
		return false;
	setup = conn_setup(end);
	ferry_conn_accept(&end->conn, &setup, &end->request, end->sim->now);
	end->listening = false;
	end->requested = false;
	return true;
}

static void timewait_in(struct sim_end *end, const struct ferry_seg *seg)
{
	struct ferry_seg ack;

	switch (ferry_timewait_in(&end->timewait, seg, end->sim->now, &ack)) {
	case FERRY_TIMEWAIT_ACK:
		sim_path_send(end->sim, end, &ack, NULL, 1);
		break;
	case FERRY_TIMEWAIT_DEAD:
		end->gone = true;
		break;
	default:
		break;
	}
}

/**
 * sim_end_receive() - a frame arrives
 * @end: where
 * @packet: the frame, undamaged
 */
void sim_end_receive(struct sim_end *end, const struct sim_packet *packet)
{
	struct ferry_result result;
	struct ferry_packet pkt;
	struct ferry_seg seg;

	if (ferry_wire_parse(packet->bytes, packet->len, packet->len, &pkt) ||
	    !ferry_kind_is_conn(pkt.kind)) {
		fail(end->sim, "%c: a frame that is not well-formed",
		     end->name);
		return;
	}
	ferry_wire_read_seg(packet->bytes, &pkt, &seg);
	sim_trace_seg(end->sim, end->peer, "came", &seg);
	if (end->gone) {
		stray(end, &seg);
		return;
	}
	if (end->in_timewait) {
		timewait_in(end, &seg);
		return;
	}
	if (end->listening && !listen_in(end, &seg))
		return;
	if (end->conn.state == FERRY_SYN_RECV)
		begin(end);
	ferry_conn_in(&end->conn, &seg, end->sim->now, &result);
	handle(end, &result, packet->bytes + pkt.hlen);
	if (result.events & FERRY_EVENT_STRAY)
		stray(end, &seg);
	sim_end_output(end);
}

static u64 conn_deadline(const struct sim_end *end)
{
	u64 at = min_t(u64, ferry_conn_deadline(&end->conn),
		       ferry_conn_fine_deadline(&end->conn));

	return min_t(u64, at, end->again_at);
}

/**
 * sim_end_time() - do what is due
 * @end: the end
 */
void sim_end_time(struct sim_end *end)
{
	u64 now = end->sim->now;
	struct ferry_result result;

	if (end->gone)
		return;
	if (end->in_timewait) {
		end->gone = now >= end->timewait.deadline;
		return;
	}
	if (end->listening) {
		if (!end->requested || now < end->request.deadline)
			return;
		if (ferry_request_expired(&end->request))
			end->requested = false;
		else
			send_synack(end);
		return;
	}
	if (now >= conn_deadline(end)) {
		end->sim->timeouts += end->conn.timer == FERRY_TIMER_RTO;
		sim_trace(end->sim, "%c timer %u", end->name, end->conn.timer);
		ferry_conn_timer(&end->conn, now, &result);
		handle(end, &result, NULL);
	}
	if (end->setup->renege_every && now >= end->renege_at)
		renege(end);
	if (now >= end->resize_at)
		resize(end);
	sim_script_step(end);
	sim_end_output(end);
}

/**
 * sim_end_next() - when sim_end_time() has something to do
 * @end: the end
 */
u64 sim_end_next(const struct sim_end *end)
{
	u64 at;

	if (end->gone)
		return NEVER;
	if (end->in_timewait)
		return end->timewait.deadline;
	if (end->listening)
		return end->requested ? end->request.deadline : NEVER;
	at = min_t(u64, conn_deadline(end), sim_script_next(end));
	at = min_t(u64, at, end->resize_at);
	if (end->setup->renege_every && end->conn.ahead.count)
		at = min_t(u64, at, end->renege_at);
	return at;
}

bool sim_end_done(const struct sim_end *end)
{
	return end->gone || end->in_timewait;
}

void sim_end_connect(struct sim_end *end)
{
	struct ferry_conn_setup setup = conn_setup(end);

	end->listening = false;
	ferry_conn_connect(&end->conn, &setup, end->sim->now);
	end->progress_at = end->sim->now;
	sim_end_output(end);
}

void sim_end_init(struct sim *sim, unsigned int index)
{
	struct sim_end *end = &sim->end[index];
	bool self = sim->scenario->opening == SIM_SELF;

	end->sim = sim;
	end->name = 'A' + index;
	end->setup = &sim->scenario->end[index];
	end->peer = self ? end : &sim->end[!index];
	end->path = &sim->path[index];
	end->random.state = sim->scenario->seed * 4 + index;
	end->iss = sim_random(&end->random) >> 2;
	end->key = sim_random(&end->random);
	end->ranges = calloc(end->setup->ranges, sizeof(*end->ranges));
	end->renege_at = end->setup->renege_every;
	end->resize_at = end->setup->resize_at ?: NEVER;
	end->again_at = NEVER;
	end->device_mtu = end->setup->mtu;
	end->listening = true;
	end->write_at = NEVER;
	end->read_at = NEVER;
}

void sim_end_free(struct sim_end *end)
{
	u32 i;

	for (i = end->head; i < end->tail; i++)
		free(end->chunks[i]);
	for (i = 0; i < end->ahead_count; i++)
		free(end->ahead[i].bytes);
	free(end->chunks);
	free(end->ahead);
	free(end->ranges);
	free(end->marks);
}
