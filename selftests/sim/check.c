// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold, always and at the end.
 */
#include <errno.h>
#include <string.h>

#include "sim.h"

static u32 outstanding(const struct ferry_conn *conn,
		       const struct ferry_chunk *chunk)
{
	return ferry_chunk_end(chunk) - max_t(u64, chunk->seq, conn->snd_una);
}

static u64 list_size(struct sim_end *end, const struct ferry_chunk_list *list,
		     enum ferry_chunk_state state)
{
	const struct ferry_chunk *chunk, *last = NULL;
	u64 size = 0;

	for (chunk = list->first; chunk; chunk = chunk->next) {
		if (chunk->prev != last || chunk->state != state)
			fail(end->sim, "%c: list is broken", end->name);
		if (ferry_chunk_end(chunk) <= end->conn.snd_una)
			fail(end->sim, "%c: list has what is acknowledged",
			     end->name);
		size += outstanding(&end->conn, chunk);
		last = chunk;
	}
	if (list->last != last)
		fail(end->sim, "%c: list's last is not", end->name);
	return size;
}

static u64 list_padding(struct sim_end *end)
{
	const struct ferry_conn *conn = &end->conn;
	const struct ferry_chunk *chunk;
	u64 padding = 0;

	for (chunk = conn->out->in_flight.first; chunk; chunk = chunk->next)
		padding += ferry_conn_padding(conn, ferry_chunk_size(chunk));
	return padding;
}

/* Runs of SACKed chunks point at each other's ends; what has been sent is whole. */
static void check_queue(struct sim_end *end)
{
	struct ferry_conn *conn = &end->conn;
	struct ferry_chunk *chunk, *first = NULL, *last = NULL;
	u64 at = conn->snd_una, sacked = 0;
	u32 i;

	for (i = end->head; i < end->tail; i++) {
		chunk = end->chunks[i];
		if (chunk->seq > at)
			fail(end->sim, "%c: hole in the queue", end->name);
		at = ferry_chunk_end(chunk);
		if (chunk->state != FERRY_CHUNK_SACKED) {
			if (first && (first->next != last ||
				      last->prev != first))
				fail(end->sim, "%c: run is broken", end->name);
			first = NULL;
			continue;
		}
		sacked += outstanding(conn, chunk);
		if (chunk->run_first == !!first)
			fail(end->sim, "%c: run's first is not", end->name);
		if (!first)
			first = chunk;
		last = chunk;
	}
	if (end->head < end->tail && at != conn->snd_nxt)
		fail(end->sim, "%c: queue ends early", end->name);
	if (sacked != conn->out->sacked)
		fail(end->sim, "%c: SACKed are %llu, not %u", end->name,
		     (unsigned long long)sacked, conn->out->sacked);
}

static bool up(const struct ferry_conn *conn)
{
	return conn->state != FERRY_SYN_SENT && conn->state != FERRY_SYN_RECV &&
	       conn->state != FERRY_CLOSED;
}

/**
 * sim_check() - look at an engine that has nothing more to send
 * @end: its owner
 */
void sim_check(struct sim_end *end)
{
	const struct ferry_conn *conn = &end->conn;
	const struct ferry_conn_out *out = conn->out;
	struct ferry_rtt rtt;
	u32 rto;

	ferry_conn_rtt(conn, &rtt);
	rto = ferry_rtt_rto(&rtt);
	if (rto < FERRY_RTO_MIN || rto > FERRY_RTO_MAX)
		fail(end->sim, "%c: RTO is %u", end->name, rto);
	if (conn->ahead.count > end->setup->ranges)
		fail(end->sim, "%c: too many ranges", end->name);
	if (!out) {
		if (conn->snd_end > end->iss + 1)
			fail(end->sim, "%c: is not prepared to send", end->name);
		return;
	}
	/* In recovery it follows what is in flight, however little. */
	if ((out->cong.cwnd < conn->mss &&
	     out->cong.state != FERRY_CONG_RECOVERY) ||
	    out->cong.cwnd > FERRY_CONG_CWND_MAX)
		fail(end->sim, "%c: cwnd is %u", end->name, out->cong.cwnd);
	if (!up(conn))
		return;
	if ((u64)out->flight + out->lost + out->sacked !=
	    conn->snd_nxt - conn->snd_una)
		fail(end->sim, "%c: %u in flight, %u lost, %u SACKed of %llu",
		     end->name, out->flight, out->lost, out->sacked,
		     (unsigned long long)(conn->snd_nxt - conn->snd_una));
	/* What waits for its pace has the finer one. */
	if (conn->snd_una != conn->snd_end && conn->timer == FERRY_TIMER_NONE &&
	    !conn->paced)
		fail(end->sim, "%c: something to send, and no timer",
		     end->name);
	/* The rest costs as much as there is to look at: now and then. */
	if (end->sim->order % 16 && !end->sim->trace)
		return;
	if (list_size(end, &out->in_flight, FERRY_CHUNK_FLIGHT) !=
	    out->flight)
		fail(end->sim, "%c: flight does not add up", end->name);
	if (list_padding(end) != out->padding)
		fail(end->sim, "%c: padding does not add up", end->name);
	if (list_size(end, &out->losses, FERRY_CHUNK_LOST) != out->lost)
		fail(end->sim, "%c: losses do not add up", end->name);
	check_queue(end);
}

/**
 * sim_check_delivery() - look at what an application would read
 * @end: where it came
 * @piece: what of the stream it is
 * @bytes: its bytes
 */
void sim_check_delivery(struct sim_end *end, const struct ferry_piece *piece,
			const u8 *bytes)
{
	const struct sim_end *peer = end->peer;
	static u8 expected[1 << 20];
	u64 stop;

	if (piece->seq != end->point) {
		fail(end->sim, "%c: expects %llu, gets %llu", end->name,
		     (unsigned long long)end->point,
		     (unsigned long long)piece->seq);
		return;
	}
	sim_content(peer->key, piece->seq, expected, piece->len);
	if (memcmp(expected, bytes, piece->len))
		fail(end->sim, "%c: wrong bytes at %llu", end->name,
		     (unsigned long long)piece->seq);
	if (end->point + piece->len + piece->eor - end->read_to >
	    end->setup->capacity)
		fail(end->sim, "%c: more than its buffer holds", end->name);
	if (!end->setup->record)
		return;
	/* Up to the end of a record, and saying so exactly if all of it. */
	stop = end->records_in < peer->mark_count ?
	       peer->marks[end->records_in] : NEVER;
	if (piece->seq + piece->len > stop)
		fail(end->sim, "%c: records joined", end->name);
	if (piece->eor != (piece->seq + piece->len + piece->eor == stop + 1))
		fail(end->sim, "%c: record torn", end->name);
}

/* Everything this end wrote has arrived, and its end. */
static void check_all_arrived(struct sim_end *end)
{
	struct sim_end *peer = end->peer;

	if (peer->bytes_in != end->written ||
	    peer->records_in != end->mark_count)
		fail(end->sim, "%c wrote %llu bytes, %u records; %c has %llu, %u",
		     end->name, (unsigned long long)end->written,
		     end->mark_count, peer->name,
		     (unsigned long long)peer->bytes_in, peer->records_in);
	if (!peer->fin_in)
		fail(end->sim, "%c has not seen the end", peer->name);
	/*
	 * The ACK of the last may have been lost for as long as the peer's
	 * TIME_WAIT: then it is an RST that ends it.
	 */
	if (end->error && !(end->error == -ECONNRESET && end->fin_in &&
			    peer->fin_in))
		fail(end->sim, "%c closed with error %d", end->name,
		     end->error);
}

static u32 payload(u32 mtu)
{
	return mtu - FERRY_CONN_HLEN;
}

/* Segments are of the largest size that gets through, or nearly. */
static void check_found(const struct sim_end *end)
{
	u32 agreed = payload(min_t(u32, end->setup->mtu, end->peer->setup->mtu));
	u32 now = min_t(u32, agreed, payload(sim_path_mtu(end->path)));
	u32 first = min_t(u32, agreed, payload(end->path->setup.mtu));

	/* A path that grows is not found to within ten minutes. */
	if (end->conn.mss > now ||
	    end->conn.mss + FERRY_PMTU_STEP <= min_t(u32, now, first))
		fail(end->sim, "%c: segments of %u, and the path takes %u",
		     end->name, end->conn.mss, now);
}

static bool is_orderly(const struct sim_end *end)
{
	return end->setup->ending == SIM_FIN ||
	       end->setup->ending == SIM_FIN_FIRST;
}

/**
 * sim_check_over() - look at a run that is over
 * @sim: the run
 */
void sim_check_over(struct sim *sim)
{
	unsigned int i, count = sim->scenario->opening == SIM_SELF ? 1 : 2;

	for (i = 0; i < count; i++) {
		struct sim_end *end = &sim->end[i];

		if (!end->gone && !(end->listening && !end->requested))
			fail(sim, "%c is in state %u at the end", end->name,
			     end->conn.state);
		if (!is_orderly(&sim->end[0]) || !is_orderly(end->peer) ||
		    !is_orderly(end))
			continue;
		check_all_arrived(end);
		if (sim->scenario->finds && !i)
			check_found(end);
		if (sim->scenario->steady && sim->retransmissions)
			fail(sim, "%llu retransmissions on a clean wire",
			     (unsigned long long)sim->retransmissions);
	}
}
