/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A connection: everything that one end of it decides.
 *
 * What a segment that arrives means, what to send next, which timer is due: all
 * of it is here, and nothing else. The bytes, the memory, the lock, the clock
 * and the wire are the owner's: in the kernel a socket, in selftests/sim a
 * struct of twenty lines. Both drive the same code, so what the simulator has
 * proven is what the kernel runs. docs/protocol.md has the rules.
 *
 *	conn.c		birth and death, what the application does
 *	conn_in.c	a segment arrives: is it acceptable, what is new in it
 *	conn_ack.c	what its acknowledgment says: delivered, lost, how fast
 *	conn_board.c	the scoreboard: which chunk is in flight, lost or SACKed
 *	conn_out.c	what to send next, and what a segment says
 *	conn_timer.c	when something is due without a segment, and what then
 *
 * The owner's part, before it queues something for the first time: memory for what
 * sending takes, by ferry_conn_prepare(). And after whatever it told the engine:
 *
 *	while ((what = ferry_conn_next(conn, now, &plan)) != FERRY_SEND_NOTHING)
 *		FERRY_SEND_CONTROL:	ferry_conn_control(conn, now, &seg)
 *		FERRY_SEND_NEW:		take a chunk of at most plan.limit from
 *					the unsent queue, then as below
 *		FERRY_SEND_AGAIN:	ferry_conn_send(conn, plan.chunk, now, &seg)
 *		and put seg on the wire
 *	set the timer to ferry_conn_deadline(conn), and one that is exact to some
 *	microseconds to ferry_conn_fine_deadline(conn)
 *
 * Sequence numbers have 64 bits, do not wrap and are compared as they are. Times
 * are microseconds of one clock that does not go back. Sizes count sequence
 * numbers: bytes, and one for each record's end and for the FIN.
 *
 * Pure: no kernel state, no allocation, no lock, no clock.
 */
#ifndef _FERRY_CONN_H
#define _FERRY_CONN_H

#include <linux/types.h>

#include "cong.h"
#include "pace.h"
#include "pmtu.h"
#include "rack.h"
#include "range.h"
#include "rtt.h"
#include "rwnd.h"
#include "wire.h"

/* States have TCP's names and numbers, so that sk_state can take them. */
enum ferry_state {
	FERRY_ESTABLISHED = 1,
	FERRY_SYN_SENT,
	FERRY_SYN_RECV,
	FERRY_FIN_WAIT1,
	FERRY_FIN_WAIT2,
	FERRY_TIME_WAIT,
	FERRY_CLOSED,
	FERRY_CLOSE_WAIT,
	FERRY_LAST_ACK,
	FERRY_LISTEN,
	FERRY_CLOSING,
};

/* No end offers more, so that offsets within it fit into 31 bits. */
#define FERRY_WINDOW_MAX	0x40000000U

/* Connections start with so many segments acknowledged at once. */
#define FERRY_QUICK_ACKS	16

/* One challenge ACK a connection in so many microseconds (as Linux TCP). */
#define FERRY_CHALLENGE_GAP	500000U

/* Without an answer for so long a connection is dead: 15 minutes. */
#define FERRY_USER_TIMEOUT_DEFAULT	900000000ULL

/* The same when nobody waits for it any more (RFC 1122, 4.2.3.5: at least 100 s). */
#define FERRY_ORPHAN_TIMEOUT	100000000ULL

/* SYNs and SYN-ACKs after the first (as Linux TCP). */
#define FERRY_SYN_RETRIES	6
#define FERRY_SYNACK_RETRIES	5

/* Keepalive, and FIN_WAIT_2 of a closed socket (as Linux TCP). */
#define FERRY_KEEP_IDLE		7200000000ULL
#define FERRY_KEEP_INTERVAL	75000000ULL
#define FERRY_KEEP_COUNT	9
#define FERRY_LINGER2_DEFAULT		60000000ULL

/* So many short segments without a pause or an answer, and bytes are gathered. */
#define FERRY_GATHER_AFTER	4

/* Reading all there is acknowledges it, if it came in so many segments. */
#define FERRY_ACK_SEGMENTS	2

/*
 * No packet counts for less in the congestion window, or for less than a segment
 * if that is less: what it costs a network does not end with its payload, and
 * records may be tiny.
 */
#define FERRY_WEIGHT_MIN	256U

/* SACKed chunks that one range may step over one by one; see conn_board.c. */
#define FERRY_SACK_STEPS	64

/**
 * enum ferry_chunk_state - where a chunk is
 *
 * @FERRY_CHUNK_UNSENT: not sent yet; in no list of the engine's
 * @FERRY_CHUNK_FLIGHT: sent, and nothing is known of it
 * @FERRY_CHUNK_LOST: sent, and lost: to be sent again
 * @FERRY_CHUNK_SACKED: it has arrived, ahead of its turn
 */
enum ferry_chunk_state {
	FERRY_CHUNK_UNSENT,
	FERRY_CHUNK_FLIGHT,
	FERRY_CHUNK_LOST,
	FERRY_CHUNK_SACKED,
};

/**
 * struct ferry_chunk - one piece of the send queue, in 40 bytes
 *
 * @prev: in flight or lost: the one sent, or found lost, before; SACKed and
 *	the last of its run: the first of it
 * @next: in flight or lost: the one after; SACKed and the first of its run:
 *	the last of it
 * @seq: its first sequence number, from when it is sent
 * @sent_at: when it was last sent
 * @len: bytes
 * @flags: FERRY_F_EOR, FERRY_F_FIN
 * @state: enum ferry_chunk_state
 * @again: it was sent more than once
 * @run_first: SACKed, and the chunk before is not
 *
 * Supplied by the owner (in skb->cb), who keeps chunks in order. It fills in
 * @len and @flags of an unsent one and no more; the engine keeps the rest. The
 * owner frees it when its end is at or below conn->snd_una, or with the
 * connection. Guarded by the owner's lock.
 */
struct ferry_chunk {
	struct ferry_chunk *prev;
	struct ferry_chunk *next;
	u64	seq;
	u64	sent_at;
	u32	len;
	u8	flags;
	u8	state;
	bool	again;
	bool	run_first;
};

/**
 * struct ferry_chunk_list - chunks by their @prev and @next
 *
 * @first: the first, or NULL
 * @last: the last, or NULL
 * @count: how many there are
 */
struct ferry_chunk_list {
	struct ferry_chunk *first;
	struct ferry_chunk *last;
	u32	count;
};

/**
 * ferry_chunk_size() - how many sequence numbers a chunk takes
 * @chunk: the chunk
 *
 * Return: the count.
 */
static inline u32 ferry_chunk_size(const struct ferry_chunk *chunk)
{
	return chunk->len + !!(chunk->flags & FERRY_F_EOR) +
	       !!(chunk->flags & FERRY_F_FIN);
}

/**
 * ferry_chunk_end() - the sequence number after a chunk's last
 * @chunk: the chunk, sent
 *
 * Return: the number.
 */
static inline u64 ferry_chunk_end(const struct ferry_chunk *chunk)
{
	return chunk->seq + ferry_chunk_size(chunk);
}

struct ferry_conn;

/**
 * struct ferry_conn_ops - what only the owner can do
 *
 * @find: the chunk, among those sent, that has a sequence number; NULL if none
 *	has. Better than linear in the count of chunks: a peer chooses it
 * @next: the chunk after another, among those sent; NULL after the last
 * @prev: the chunk before another; NULL before the first that was not freed
 * @split: make room for a chunk after this one, in order, that has its bytes
 *	from the @at-th on, which may be none; the engine fills in both. NULL if there is no
 *	memory: the chunk stays whole, and is treated so
 * @reorder: something arrived ahead of its turn: give conn->ahead memory by
 *	ferry_range_init(). Asked for as long as it has none; may do nothing
 */
struct ferry_conn_ops {
	struct ferry_chunk *(*find)(struct ferry_conn *conn, u64 seq);
	struct ferry_chunk *(*next)(struct ferry_conn *conn,
				    struct ferry_chunk *chunk);
	struct ferry_chunk *(*prev)(struct ferry_conn *conn,
				    struct ferry_chunk *chunk);
	struct ferry_chunk *(*split)(struct ferry_conn *conn,
				     struct ferry_chunk *chunk, u32 at);
	void (*reorder)(struct ferry_conn *conn);
};

/**
 * enum ferry_timer - what the retransmission timer is for at present
 *
 * @FERRY_TIMER_NONE: it does not run
 * @FERRY_TIMER_SYN: send the SYN or SYN-ACK again
 * @FERRY_TIMER_RTO: the retransmission time-out (RFC 6298)
 * @FERRY_TIMER_TLP: probe the tail (RFC 8985, 7)
 * @FERRY_TIMER_REORDER: what RACK waited for is lost (RFC 8985, 6.2)
 * @FERRY_TIMER_PERSIST: probe a window that forbids to send
 */
enum ferry_timer {
	FERRY_TIMER_NONE,
	FERRY_TIMER_SYN,
	FERRY_TIMER_RTO,
	FERRY_TIMER_TLP,
	FERRY_TIMER_REORDER,
	FERRY_TIMER_PERSIST,
};

/* What is to be sent besides data: conn->pending. */
#define FERRY_PENDING_SYN	0x01	/* SYN, or in SYN_RECV SYN-ACK */
#define FERRY_PENDING_ACK	0x02	/* an ACK, now */
#define FERRY_PENDING_ASK	0x04	/* a probe that asks for an answer */
#define FERRY_PENDING_TAIL	0x08	/* the tail's probe */
#define FERRY_PENDING_HEAD	0x10	/* one chunk, be it worth it or not */
#define FERRY_PENDING_RST	0x20	/* an RST, the last that is ever sent */

/**
 * struct ferry_conn_setup - what a connection is born with
 *
 * @ops: the owner
 * @cong: its congestion control
 * @iss: initial sequence number
 * @mss: largest segment that this end's device can send and take, in bytes
 * @batch: largest that its device takes and cuts itself, in bytes; at least @mss
 * @merge_at: as in struct ferry_conn
 * @gather: as in struct ferry_conn
 * @room: bytes of payload that the receive buffer has room for
 * @syn_retries: SYNs after the first
 * @code: FERRY_CODE_STREAM, or the record code that this end promises
 */
struct ferry_conn_setup {
	const struct ferry_conn_ops *ops;
	const struct ferry_cong_ops *cong;
	u64	iss;
	u32	mss;
	u32	batch;
	u32	room;
	u16	gather;
	u8	merge_at;
	u8	syn_retries;
	u8	code;
};

/**
 * struct ferry_conn_count - what a connection has done so far, for who asks
 *
 * @segs_out: segments sent; a chunk is as many as a device cuts it into
 * @segs_in: segments that arrived
 * @data_in: of them, those with payload
 */
struct ferry_conn_count {
	u32	segs_out;
	u32	segs_in;
	u32	data_in;
};

/**
 * struct ferry_conn_out_count - the same, of what it has sent
 *
 * @iss: its first sequence number
 * @bytes: payload sent, again included
 * @bytes_again: payload sent again
 * @round_end: number that ends the round trip of @rate
 * @rate: bytes a second that arrived in the last round trip
 * @round_at: when this one began, the low half of the time
 * @round_base: @delivered then
 * @delivered: what has arrived at the peer, as it counts in the congestion window
 * @data: segments with payload; a chunk is as many as a device cuts it into
 * @again: of them, and of FINs, those that were sent before
 */
struct ferry_conn_out_count {
	u64	iss;
	u64	bytes;
	u64	bytes_again;
	u64	round_end;
	u64	rate;
	u32	round_at;
	u32	round_base;
	u32	delivered;
	u32	data;
	u32	again;
};

/**
 * struct ferry_conn_out - what one end has once it sends data
 *
 * @gather_to: numbers below it are not gathered any more
 * @gather_at: when what is gathered is to leave, if anything is
 * @rto_from: since when the retransmission time-out counts
 * @reorder_at: when RACK's wait is over; 0: none
 * @short_at: when the last short segment left: the low half of the time
 * @flight: sequence numbers in flight
 * @padding: what chunks in flight lack of FERRY_WEIGHT_MIN each
 * @lost: in lost chunks
 * @sacked: in SACKed chunks
 * @pmtu: which size the path lets through
 * @in_flight: chunks in flight, the one sent first at first
 * @losses: lost chunks, the one found lost first at first
 * @rtt: round-trip time and time-out
 * @rack: loss detection
 * @cong: congestion control
 * @pace: how fast it may send; the owner keeps its rate
 * @count: what it has sent so far
 *
 * It is larger than the rest, and a host that has many connections has many that are
 * idle or only receive: so it is apart from struct ferry_conn. Supplied by its owner
 * with ferry_conn_prepare(), before anything is queued; what there is before, as if
 * nothing had been sent yet, ferry_conn_rtt() and ferry_conn_cwnd() know. Guarded by
 * the same lock, and the owner's to free after the connection.
 */
struct ferry_conn_out {
	u64	gather_to;
	u64	gather_at;
	u64	rto_from;
	u64	reorder_at;
	u32	short_at;
	u32	flight;
	u32	padding;
	u32	lost;
	u32	sacked;
	struct ferry_pmtu pmtu;
	struct ferry_chunk_list in_flight;
	struct ferry_chunk_list losses;
	struct ferry_rtt rtt;
	struct ferry_rack rack;
	struct ferry_cong cong;
	struct ferry_pace pace;
	struct ferry_conn_out_count count;
};

/**
 * struct ferry_conn - one end of a connection
 *
 * @ops: the owner's functions
 * @out: what it takes to send; NULL: nothing was queued yet
 * @snd_una: oldest number that is not acknowledged
 * @snd_nxt: next to be sent
 * @snd_end: one past the last that the application has queued, FIN included
 * @snd_edge: the furthest right edge of a window that the peer ever offered
 * @irs: the peer's first sequence number
 * @rcv_nxt: next number expected
 * @rcv_acked: acknowledgment number of the last segment sent
 * @rcv_fin: number of the peer's FIN, if @fin_seen
 * @una_at: when @snd_una last moved, or something was sent after nothing was
 * @timer_at: when the retransmission timer expires
 * @ack_at: when the delayed ACK is due; 0: none is held back
 * @heard_at: when an acceptable segment last arrived
 * @alive_at: keepalive's or FIN_WAIT_2's time; 0: neither runs
 * @quiet_until: no challenge ACK before
 * @dsack: what arrived twice, until it is told; empty: nothing
 * @ahead: what arrived ahead of its turn
 * @rwnd: receive window
 * @syn_rtt: the handshake's round-trip time; 0: it was not measured
 * @linger2: milliseconds that an orphan stays in FIN_WAIT_2
 * @user_timeout: FERRY_USER_TIMEOUT in milliseconds; 0: not set
 * @keep_idle: keepalive's milliseconds of silence; 0: it is off
 * @keep_interval: milliseconds between its probes
 * @snd_max_wnd: largest window that the peer has offered since one was waited out
 * @mss: largest segment that is sent, in bytes: what both ends and the path allow
 * @rcv_mss: what this end offered the peer as the largest
 * @rcv_seg: how large the peer's segments are of late: the largest, slowly forgotten
 * @batch: largest chunk, in bytes
 * @room: bytes of payload that the receive buffer has room for beyond what
 *	waits in order to be read; the owner keeps it
 * @capacity: the same when nothing waits; the owner keeps it
 * @echo: stamp to be echoed
 * @count: what it has done so far
 * @error: why it was closed: a negative errno, or 0
 * @agreed: as in struct ferry_pmtu, for as long as there is no @out
 * @limit: as in struct ferry_pmtu, for as long as there is no @out
 * @gather: least microseconds between short segments, if there are many of them;
 *	0: none
 * @state: enum ferry_state
 * @cong: which congestion control it begins with: for ferry_cong_get()
 * @code: this end's record code
 * @peer_code: the peer's
 * @timer: enum ferry_timer
 * @pending: FERRY_PENDING_*
 * @quick: segments that are still to be acknowledged at once
 * @merge_at: so many chunks are in flight when a stream's bytes, unless they make a
 *	whole chunk, wait for more, or for an ACK; 0: they never wait
 * @shorts: short segments that have left since a pause or an answer
 * @unacked: segments with payload that are not acknowledged yet
 * @syn_sends: SYNs sent
 * @syn_retries: SYNs that may follow the first
 * @syn_backoff: how often the handshake's time-out was doubled
 * @probes: keepalive's probes without an answer
 * @keep_count: so many of those are the end
 * @full: what is below its owner has enough of its data for now; the owner's to set,
 *	who asks again in time
 * @gathers: what there is to be sent waits for more, until @out->gather_at
 * @paced: what there is to be sent waits for its pace, or because of @full
 * @probing: what is to be sent next is a probe of the path
 * @fin_queued: a FIN is the last of the send queue
 * @fin_seen: the peer's FIN's number is known
 * @passive: it was opened by the peer
 * @orphan: the application has closed it
 * @deaf: the application will read no more
 *
 * Embedded in its owner, whose lock guards it all.
 */
struct ferry_conn {
	const struct ferry_conn_ops *ops;
	struct ferry_conn_out *out;
	u64	snd_una;
	u64	snd_nxt;
	u64	snd_end;
	u64	snd_edge;
	u64	irs;
	u64	rcv_nxt;
	u64	rcv_acked;
	u64	rcv_fin;
	u64	una_at;
	u64	timer_at;
	u64	ack_at;
	u64	heard_at;
	u64	alive_at;
	u64	quiet_until;
	struct ferry_span dsack;
	struct ferry_range_set ahead;
	struct ferry_rwnd rwnd;
	u32	syn_rtt;
	u32	linger2;
	u32	user_timeout;
	u32	keep_idle;
	u32	keep_interval;
	u32	snd_max_wnd;
	u32	mss;
	u32	rcv_mss;
	u32	rcv_seg;
	u32	batch;
	u32	room;
	u32	capacity;
	u32	echo;
	struct ferry_conn_count count;
	int	error;
	u16	agreed;
	u16	limit;
	u16	gather;
	u8	state;
	u8	cong;
	u8	code;
	u8	peer_code;
	u8	timer;
	u8	pending;
	u8	quick;
	u8	merge_at;
	u8	shorts;
	u8	unacked;
	u8	syn_sends;
	u8	syn_retries;
	u8	syn_backoff;
	u8	probes;
	u8	keep_count;
	bool	full:1;
	bool	gathers:1;
	bool	paced:1;
	bool	probing:1;
	bool	fin_queued:1;
	bool	fin_seen:1;
	bool	passive:1;
	bool	orphan:1;
	bool	deaf:1;
};

/* What happened, for the owner to tell its application: result->events. */
#define FERRY_EVENT_ESTABLISHED	0x01	/* connected */
#define FERRY_EVENT_ACKED	0x02	/* snd_una moved: free chunks, wake writers */
#define FERRY_EVENT_DATA	0x04	/* keep the payload that result->piece says */
#define FERRY_EVENT_READABLE	0x08	/* rcv_nxt moved over data */
#define FERRY_EVENT_FIN		0x10	/* the peer sends no more */
#define FERRY_EVENT_CLOSED	0x20	/* over: conn->state and conn->error say how */
#define FERRY_EVENT_TIME_WAIT	0x40	/* over, all done: ferry_timewait_init() */
#define FERRY_EVENT_STRAY	0x80	/* answer by what ferry_conn_stray() says */
#define FERRY_EVENT_BLACK_HOLE	0x100	/* segments were too large for the path */
#define FERRY_EVENT_PROBE_LOST	0x200	/* and so is a larger one, or it is lost */

/**
 * enum ferry_drop - why nothing in a segment was of use
 *
 * @FERRY_DROP_NONE: something was
 * @FERRY_DROP_WINDOW: it is not acceptable
 * @FERRY_DROP_DUPLICATE: all its data had arrived before
 * @FERRY_DROP_STATE: it is of a kind that this state has no use for
 * @FERRY_DROP_ACK: its acknowledgment is impossible
 * @FERRY_DROP_RESET: an RST whose number is not the exact one
 * @FERRY_DROP_RECORD: a record's end on a stream, or data beyond a FIN
 * @FERRY_DROP_ROOM: it is ahead of its turn, and there is no room to note it
 * @FERRY_DROP_CLOSED: nobody can read it any more
 */
enum ferry_drop {
	FERRY_DROP_NONE,
	FERRY_DROP_WINDOW,
	FERRY_DROP_DUPLICATE,
	FERRY_DROP_STATE,
	FERRY_DROP_ACK,
	FERRY_DROP_RESET,
	FERRY_DROP_RECORD,
	FERRY_DROP_ROOM,
	FERRY_DROP_CLOSED,
};

/**
 * struct ferry_piece - part of a packet's payload
 *
 * @seq: its first sequence number
 * @skip: bytes of the payload before it
 * @len: its bytes
 * @eor: a record ends with it
 */
struct ferry_piece {
	u64	seq;
	u32	skip;
	u32	len;
	bool	eor;
};

/**
 * ferry_piece_from() - cut off what lies before a sequence number
 * @piece: the piece
 * @point: the number
 *
 * What arrives may overlap with what is there. An owner that keeps pieces ahead
 * of their turn calls this for each, with the end of the one before.
 *
 * Return: whether anything is left.
 */
static inline bool ferry_piece_from(struct ferry_piece *piece, u64 point)
{
	u64 cut;

	if (piece->seq + piece->len + piece->eor <= point)
		return false;
	if (piece->seq >= point)
		return true;
	cut = point - piece->seq;
	piece->seq = point;
	piece->skip += cut;
	piece->len -= cut;
	return true;
}

/**
 * struct ferry_result - what a segment or a timer has led to
 *
 * @piece: with FERRY_EVENT_DATA, the payload to be kept. At or before
 *	conn->rcv_nxt it is in its turn; and the owner then takes from what it
 *	kept ahead all that is below conn->rcv_nxt
 * @events: FERRY_EVENT_*
 * @drop: enum ferry_drop, for the counters
 */
struct ferry_result {
	struct ferry_piece piece;
	u32	events;
	u8	drop;
};

/**
 * enum ferry_send - what to send next
 *
 * @FERRY_SEND_NOTHING: nothing now
 * @FERRY_SEND_CONTROL: a segment without payload
 * @FERRY_SEND_NEW: a chunk that was never sent
 * @FERRY_SEND_AGAIN: one that was
 */
enum ferry_send {
	FERRY_SEND_NOTHING,
	FERRY_SEND_CONTROL,
	FERRY_SEND_NEW,
	FERRY_SEND_AGAIN,
};

/**
 * struct ferry_plan - the particulars
 *
 * @chunk: FERRY_SEND_AGAIN: which one, whole
 * @limit: FERRY_SEND_NEW: at most so many bytes; the end of a record and the
 *	FIN that come right after them go along
 */
struct ferry_plan {
	struct ferry_chunk *chunk;
	u32	limit;
};

/* conn.c */
void ferry_conn_connect(struct ferry_conn *conn,
			const struct ferry_conn_setup *setup, u64 now);
struct ferry_request;
void ferry_conn_accept(struct ferry_conn *conn,
		       const struct ferry_conn_setup *setup,
		       const struct ferry_request *request, u64 now);
void ferry_conn_pair(struct ferry_conn *a, const struct ferry_conn_setup *setup_a,
		     struct ferry_conn *b, const struct ferry_conn_setup *setup_b,
		     u64 now);
void ferry_conn_prepare(struct ferry_conn *conn, struct ferry_conn_out *out);
void ferry_conn_queue(struct ferry_conn *conn, u32 len, u8 flags);
void ferry_conn_read(struct ferry_conn *conn);
void ferry_conn_flush(struct ferry_conn *conn);
void ferry_conn_wanted(struct ferry_conn *conn);
void ferry_conn_quickack(struct ferry_conn *conn, bool on);
void ferry_conn_forget_ahead(struct ferry_conn *conn);
void ferry_conn_abort(struct ferry_conn *conn);
void ferry_conn_dissolve(struct ferry_conn *conn);
void ferry_conn_deafen(struct ferry_conn *conn);
void ferry_conn_orphan(struct ferry_conn *conn, u64 now, u64 linger2);
void ferry_conn_device(struct ferry_conn *conn, u32 mss, u32 batch, u64 now);
void ferry_conn_set_cong(struct ferry_conn *conn,
			 const struct ferry_cong_ops *cong);
void ferry_conn_rtt(const struct ferry_conn *conn, struct ferry_rtt *rtt);
void ferry_conn_keepalive(struct ferry_conn *conn, u64 now, u64 idle,
			  u64 interval, u8 count);

/* conn_in.c */
void ferry_conn_in(struct ferry_conn *conn, const struct ferry_seg *seg,
		   u64 now, struct ferry_result *result);
bool ferry_conn_stray(const struct ferry_seg *seg, struct ferry_seg *rst);

/* conn_out.c */
enum ferry_send ferry_conn_next(struct ferry_conn *conn, u64 now,
				struct ferry_plan *plan);
void ferry_conn_put_off(struct ferry_conn *conn, u64 now);
void ferry_conn_send(struct ferry_conn *conn, struct ferry_chunk *chunk,
		     u64 now, struct ferry_seg *seg);
void ferry_conn_control(struct ferry_conn *conn, u64 now,
			struct ferry_seg *seg);

/* conn_timer.c */
u64 ferry_conn_deadline(const struct ferry_conn *conn);
u64 ferry_conn_fine_deadline(const struct ferry_conn *conn);

/**
 * ferry_conn_has_fine_deadline() - whether there is a ferry_conn_fine_deadline()
 * @conn: the connection
 *
 * Return: whether something waits for it.
 */
static inline bool ferry_conn_has_fine_deadline(const struct ferry_conn *conn)
{
	return conn->gathers || conn->paced;
}

void ferry_conn_timer(struct ferry_conn *conn, u64 now,
		      struct ferry_result *result);

/**
 * ferry_conn_padding() - what a chunk lacks of FERRY_WEIGHT_MIN
 * @conn: the connection
 * @size: the chunk's, or that of what is to be one
 *
 * Return: bytes.
 */
static inline u32 ferry_conn_padding(const struct ferry_conn *conn, u32 size)
{
	u32 least = conn->mss < FERRY_WEIGHT_MIN ? conn->mss : FERRY_WEIGHT_MIN;

	return size < least ? least - size : 0;
}

/**
 * ferry_conn_inflight() - what counts in the congestion window
 * @conn: the connection, prepared to send
 *
 * Return: bytes.
 */
static inline u32 ferry_conn_inflight(const struct ferry_conn *conn)
{
	return conn->out->flight + conn->out->padding;
}

/**
 * ferry_conn_cwnd() - the congestion window
 * @conn: the connection
 *
 * Return: bytes; until something is sent, what it begins with.
 */
static inline u32 ferry_conn_cwnd(const struct ferry_conn *conn)
{
	return conn->out ? conn->out->cong.cwnd :
			   ferry_cong_initial_window(conn->mss);
}

/**
 * ferry_conn_may_send() - whether the application may queue more
 * @conn: the connection
 *
 * Return: whether its state has data yet to come from this end.
 */
static inline bool ferry_conn_may_send(const struct ferry_conn *conn)
{
	return conn->state == FERRY_ESTABLISHED ||
	       conn->state == FERRY_CLOSE_WAIT;
}

/**
 * ferry_conn_record_max() - the largest record that the peer promised to take
 * @conn: the connection
 *
 * Return: bytes; 0 on a stream.
 */
static inline u32 ferry_conn_record_max(const struct ferry_conn *conn)
{
	return conn->peer_code ? 1U << conn->peer_code : 0;
}

#endif /* _FERRY_CONN_H */
