// SPDX-License-Identifier: GPL-2.0-only
/*
 * conn*.c, request.c, timewait.c: each rule of docs/protocol.md that the
 * simulator does not single out, one segment at a time.
 *
 * The connection under test has initial number 200000, its peer 5000, and a segment
 * is 1000 bytes.
 */
#include <errno.h>
#include <string.h>

#include "unit.h"
#include "user.h"
#include "conn.h"
#include "cookie.h"
#include "request.h"
#include "timewait.h"

UNIT_MAIN()

#define ISS	200000
#define IRS	5000
#define MSS	1000
#define WINDOW	100000
#define MS	1000ULL
#define SECOND	1000000ULL

#define CHUNKS	4096

/* The owner: chunks in an array, in order. */
static struct ferry_chunk pool[CHUNKS], *queue[CHUNKS];
static unsigned int used, queued, calls;
static bool no_memory;
static u32 shorter;		/* than planned: the next new chunk; 0: it is not */
static struct ferry_range ranges[16];
static struct ferry_conn conn;
static struct ferry_conn_out out;
static struct ferry_result result;
static u64 now;

static unsigned int index_of(u64 seq)
{
	unsigned int low = 0, high = queued;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (ferry_chunk_end(queue[middle]) <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct ferry_chunk *find(struct ferry_conn *conn, u64 seq)
{
	unsigned int index = index_of(seq);

	calls++;
	return index < queued && queue[index]->seq <= seq ? queue[index] : NULL;
}

static struct ferry_chunk *next(struct ferry_conn *conn,
				struct ferry_chunk *chunk)
{
	unsigned int index = index_of(chunk->seq) + 1;

	calls++;
	return index < queued ? queue[index] : NULL;
}

static struct ferry_chunk *prev(struct ferry_conn *conn,
				struct ferry_chunk *chunk)
{
	unsigned int index = index_of(chunk->seq);

	calls++;
	return index ? queue[index - 1] : NULL;
}

static struct ferry_chunk *insert(unsigned int index)
{
	memmove(queue + index + 1, queue + index,
		(queued++ - index) * sizeof(*queue));
	queue[index] = &pool[used++];
	*queue[index] = (struct ferry_chunk) {};
	return queue[index];
}

static struct ferry_chunk *split(struct ferry_conn *conn,
				 struct ferry_chunk *chunk, u32 at)
{
	calls++;
	return no_memory ? NULL : insert(index_of(chunk->seq) + 1);
}

static void reorder(struct ferry_conn *conn)
{
	ferry_range_init(&conn->ahead, ranges, ARRAY_SIZE(ranges));
}

static const struct ferry_conn_ops ops = {
	.find = find, .next = next, .prev = prev, .split = split,
	.reorder = reorder,
};

static struct ferry_conn_setup setup(u8 code)
{
	return (struct ferry_conn_setup) {
		.ops = &ops,
		.cong = &ferry_cong_cubic,
		.iss = ISS,
		.mss = MSS,
		.batch = 10 * MSS,
		.room = WINDOW,
		.syn_retries = 2,
		.code = code,
	};
}

static void reset_owner(void)
{
	used = 0;
	queued = 0;
	no_memory = false;
	now = 1 * SECOND;
}

/* What the connection sends now, the first of it; kind 0: nothing. */
static struct ferry_seg output(void)
{
	struct ferry_seg first = {}, seg;
	struct ferry_chunk *chunk;
	struct ferry_plan plan;
	enum ferry_send what;

	while ((what = ferry_conn_next(&conn, now, &plan))) {
		if (what == FERRY_SEND_CONTROL) {
			ferry_conn_control(&conn, now, &seg);
		} else {
			chunk = plan.chunk;
			if (what == FERRY_SEND_NEW) {
				chunk = insert(queued);
				chunk->len = min_t(u64, plan.limit,
						   conn.snd_end - conn.snd_nxt -
						   conn.fin_queued);
				if (shorter)
					chunk->len = shorter;
				if (conn.fin_queued && conn.snd_nxt +
				    chunk->len + 1 == conn.snd_end)
					chunk->flags = FERRY_F_FIN;
			}
			ferry_conn_send(&conn, chunk, now, &seg);
		}
		if (!first.kind)
			first = seg;
	}
	return first;
}

static void in(const struct ferry_seg *seg)
{
	ferry_conn_in(&conn, seg, now, &result);
}

/* A data segment from the peer: numbers are counted from the first bytes. */
static struct ferry_seg data(u64 seq, u64 ack, u32 len, u8 flags)
{
	return (struct ferry_seg) {
		.kind = FERRY_KIND_DATA,
		.flags = flags,
		.len = len,
		.window = WINDOW,
		.seq = IRS + 1 + seq,
		.ack = ISS + 1 + ack,
		.stamp = now,
	};
}

static void data_in(u64 seq, u64 ack, u32 len, u8 flags)
{
	struct ferry_seg seg = data(seq, ack, len, flags);

	in(&seg);
}

static void sack_in(u64 ack, u64 start, u64 end)
{
	struct ferry_seg seg = data(0, ack, 0, 0);

	seg.nsack = 1;
	seg.sack[0] = (struct ferry_span) { ISS + 1 + start, ISS + 1 + end };
	in(&seg);
}

static struct ferry_seg synack(void)
{
	return (struct ferry_seg) {
		.kind = FERRY_KIND_SYNACK,
		.window = WINDOW,
		.seq = IRS,
		.ack = ISS + 1,
		.stamp = 1,
		.echo = now,
		.mss = MSS,
	};
}

/* A connection that is up and has nothing to say; its quick ACKs are spent. */
static void establish(u8 code)
{
	struct ferry_conn_setup with = setup(code);
	struct ferry_seg seg = synack();

	reset_owner();
	ferry_conn_connect(&conn, &with, now);
	output();
	seg.echo = now;
	seg.code = code;
	now += 10 * MS;
	in(&seg);
	output();
	conn.quick = 0;
}

static void timer(u64 later)
{
	now += later;
	ferry_conn_timer(&conn, now, &result);
}

static void prepare(void)
{
	if (!conn.out)
		ferry_conn_prepare(&conn, &out);
}

static void enqueue(u32 len, u8 flags)
{
	prepare();
	ferry_conn_queue(&conn, len, flags);
}

static void queue_bytes(u32 len)
{
	enqueue(len, 0);
}

UNIT(conn_layout__sizes)
{
	CHECK_EQ(sizeof(struct ferry_chunk), 40);
	CHECK(sizeof(struct ferry_conn) <= 736);
	CHECK(sizeof(struct ferry_request) <= 64);
	CHECK(sizeof(struct ferry_timewait) <= 64);
}

UNIT(conn_connect__handshake)
{
	struct ferry_conn_setup with = setup(0);
	struct ferry_seg seg;

	reset_owner();
	ferry_conn_connect(&conn, &with, now);
	seg = output();
	CHECK_EQ(seg.kind, FERRY_KIND_SYN);
	CHECK_EQ(seg.seq, ISS);
	CHECK_EQ(seg.ack, 0);
	CHECK_EQ(seg.window, WINDOW);
	CHECK_EQ(seg.mss, MSS);
	seg = synack();
	in(&seg);
	CHECK_EQ(result.events, FERRY_EVENT_ESTABLISHED);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	seg = output();
	CHECK_EQ(seg.kind, FERRY_KIND_DATA);
	CHECK_EQ(seg.seq, ISS + 1);
	CHECK_EQ(seg.ack, IRS + 1);
}

UNIT(conn_connect__times_out)
{
	struct ferry_conn_setup with = setup(0);
	unsigned int i;

	reset_owner();
	ferry_conn_connect(&conn, &with, now);
	CHECK_EQ(output().kind, FERRY_KIND_SYN);
	for (i = 0; i < 2; i++) {
		CHECK_EQ(ferry_conn_deadline(&conn), now + (SECOND << i));
		timer(SECOND << i);
		CHECK_EQ(result.events, 0);
		CHECK_EQ(output().kind, FERRY_KIND_SYN);
	}
	timer(4 * SECOND);
	CHECK_EQ(result.events, FERRY_EVENT_CLOSED);
	CHECK_EQ(conn.error, -ETIMEDOUT);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(ferry_conn_deadline(&conn), U64_MAX);
}

static void syn_sent(u8 code)
{
	struct ferry_conn_setup with = setup(code);

	reset_owner();
	ferry_conn_connect(&conn, &with, now);
	output();
}

UNIT(conn_syn_sent__wrong_ack)
{
	struct ferry_seg seg = synack();

	syn_sent(0);
	seg.ack++;
	in(&seg);
	CHECK_EQ(result.events, FERRY_EVENT_STRAY);
	CHECK_EQ(conn.state, FERRY_SYN_SENT);
	/* The answer ends what was there: it is asked again, but not for each. */
	CHECK_EQ(output().kind, FERRY_KIND_SYN);
	seg.ack -= 2;
	in(&seg);
	CHECK_EQ(result.events, FERRY_EVENT_STRAY);
	CHECK_EQ(conn.state, FERRY_SYN_SENT);
	CHECK_EQ(output().kind, 0);
}

/* Data that acknowledges the SYN: no peer sends it before his SYN-ACK was answered. */
UNIT(conn_syn_sent__data)
{
	struct ferry_seg seg = data(0, 0, 10, 0);

	syn_sent(0);
	in(&seg);
	CHECK_EQ(result.drop, FERRY_DROP_STATE);
	CHECK_EQ(result.events, 0);
	CHECK_EQ(conn.state, FERRY_SYN_SENT);
}

UNIT(conn_syn_sent__reset)
{
	struct ferry_seg seg = { .kind = FERRY_KIND_RST, .ack = ISS };

	syn_sent(0);
	in(&seg);
	CHECK_EQ(result.events, 0);
	CHECK_EQ(conn.state, FERRY_SYN_SENT);
	seg.ack = ISS + 1;
	in(&seg);
	CHECK_EQ(conn.state, FERRY_CLOSED);
	CHECK_EQ(conn.error, -ECONNREFUSED);

	syn_sent(0);
	seg.code = FERRY_UNREACH_PROHIBITED;
	in(&seg);
	CHECK_EQ(conn.error, -EACCES);
}

UNIT(conn_syn_sent__other_sort)
{
	struct ferry_seg seg = synack();

	syn_sent(12);
	in(&seg);
	CHECK_EQ(conn.state, FERRY_CLOSED);
	CHECK_EQ(conn.error, -ECONNREFUSED);
	CHECK(result.events & FERRY_EVENT_STRAY);

	syn_sent(12);
	seg.code = 20;
	in(&seg);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	CHECK_EQ(ferry_conn_record_max(&conn), 1 << 20);
}

UNIT(conn_open__self_connect)
{
	struct ferry_seg seg;

	syn_sent(0);
	seg = (struct ferry_seg) {
		.kind = FERRY_KIND_SYN, .window = WINDOW, .seq = ISS,
		.stamp = 1, .mss = MSS,
	};
	in(&seg);
	CHECK_EQ(conn.state, FERRY_SYN_RECV);
	seg = output();
	CHECK_EQ(seg.kind, FERRY_KIND_SYNACK);
	CHECK_EQ(seg.ack, ISS + 1);
	in(&seg);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	CHECK_EQ(conn.rcv_nxt, ISS + 1);
}

static const struct ferry_seg other_syn = {
	.kind = FERRY_KIND_SYN, .window = WINDOW, .seq = IRS, .stamp = 1, .mss = MSS,
};

/* Both ends at once; their SYN has come, and is answered. */
static void simultaneous(void)
{
	syn_sent(0);
	in(&other_syn);
	CHECK_EQ(conn.state, FERRY_SYN_RECV);
	CHECK_EQ(output().kind, FERRY_KIND_SYNACK);
}

UNIT(conn_simultaneous__syn_again)
{
	struct ferry_seg seg = other_syn;

	simultaneous();
	in(&seg);
	CHECK_EQ(output().kind, FERRY_KIND_SYNACK);
	/* Another one is not what it was about. */
	seg.seq++;
	in(&seg);
	CHECK_EQ(result.drop, FERRY_DROP_STATE);
	CHECK_EQ(output().kind, FERRY_KIND_DATA);
	CHECK_EQ(conn.state, FERRY_SYN_RECV);
}

UNIT(conn_simultaneous__synack)
{
	struct ferry_seg seg = synack();

	simultaneous();
	seg.ack++;
	in(&seg);
	CHECK_EQ(result.drop, FERRY_DROP_ACK);
	CHECK_EQ(conn.state, FERRY_SYN_RECV);
	seg.ack--;
	in(&seg);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
}

/* Their answer may be lost, and what follows it is as good. */
UNIT(conn_simultaneous__data)
{
	struct ferry_seg seg;

	simultaneous();
	seg = data(0, 1, 10, 0);
	in(&seg);
	CHECK_EQ(result.drop, FERRY_DROP_ACK);
	CHECK_EQ(result.events, FERRY_EVENT_STRAY);
	/* What is beyond the window says nothing of the handshake. */
	seg = data(10 * WINDOW, 0, 10, 0);
	in(&seg);
	CHECK_EQ(conn.state, FERRY_SYN_RECV);
	data_in(0, 0, 10, 0);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	CHECK(result.events & FERRY_EVENT_DATA);
}

UNIT(conn_simultaneous__refused)
{
	struct ferry_seg seg;

	simultaneous();
	seg = (struct ferry_seg) {
		.kind = FERRY_KIND_RST, .seq = IRS + 1, .ack = ISS + 1,
	};
	in(&seg);
	CHECK_EQ(conn.state, FERRY_CLOSED);
	CHECK_EQ(conn.error, -ECONNREFUSED);
}

UNIT(conn_mss__is_the_lesser)
{
	struct ferry_seg seg = synack();

	syn_sent(0);
	seg.mss = 300;
	in(&seg);
	queue_bytes(5000);
	CHECK(output().len % 300 == 0);
	CHECK_EQ(conn.mss, 300);

	syn_sent(0);
	seg.mss = 9000;
	in(&seg);
	CHECK_EQ(conn.mss, MSS);
}

static struct ferry_request request;

static const struct ferry_request_offer offered = {
	.iss = ISS, .window = WINDOW, .mss = MSS, .retries = 2,
};

static const struct ferry_seg syn = {
	.kind = FERRY_KIND_SYN, .window = 500, .seq = IRS, .stamp = 3,
	.mss = 700,
};

UNIT(conn_request__other_sort)
{
	struct ferry_request_offer records = offered;

	records.code = 16;
	CHECK(!ferry_request_init(&request, &syn, &records));
	CHECK(ferry_request_init(&request, &syn, &offered));
}

UNIT(conn_request__retransmits_and_expires)
{
	struct ferry_seg seg;
	unsigned int i;

	now = 1;
	ferry_request_init(&request, &syn, &offered);
	for (i = 0; i < 3; i++) {
		CHECK(!ferry_request_expired(&request));
		ferry_request_synack(&request, now, &seg);
		CHECK_EQ(seg.kind, FERRY_KIND_SYNACK);
		CHECK_EQ(seg.seq, ISS);
		CHECK_EQ(seg.ack, IRS + 1);
		CHECK_EQ(seg.echo, 3);
		CHECK_EQ(request.deadline, now + (SECOND << i));
		ferry_request_wait(&request, now + 7);
		CHECK_EQ(request.deadline, now + 7 + (SECOND << i));
		now = request.deadline;
	}
	CHECK(ferry_request_expired(&request));
}

/* It waits for data: three SYN-ACKs' time, of which only the last is sent. */
UNIT(conn_request__defers)
{
	struct ferry_request_offer defers = offered;
	struct ferry_seg seg, ack = data(0, 0, 0, 0), word = data(0, 0, 1, 0);
	struct ferry_seg fin = data(0, 0, 0, FERRY_F_FIN);

	now = 1;
	defers.defer = 3;
	ferry_request_init(&request, &syn, &defers);
	ferry_request_synack(&request, now, &seg);
	CHECK(!ferry_request_pass(&request, now));
	CHECK(!ferry_request_put_off(&request, &word));
	CHECK(!ferry_request_put_off(&request, &fin));
	CHECK(ferry_request_put_off(&request, &ack));
	CHECK(ferry_request_pass(&request, now));
	CHECK_EQ(request.deadline, now + 2 * SECOND);
	CHECK(ferry_request_put_off(&request, &ack));
	CHECK(ferry_request_pass(&request, now));
	CHECK(!ferry_request_pass(&request, now));
	/* It is answered, and so it does not die before that. */
	CHECK(!ferry_request_expired(&request));
	ferry_request_synack(&request, now, &seg);
	CHECK(!ferry_request_put_off(&request, &ack));
	CHECK(ferry_request_expired(&request));
}

UNIT(conn_request__defers_not)
{
	struct ferry_seg seg, ack = data(0, 0, 0, 0);

	ferry_request_init(&request, &syn, &offered);
	ferry_request_synack(&request, now, &seg);
	CHECK(!ferry_request_put_off(&request, &ack));
	CHECK(!ferry_request_pass(&request, now));
}

UNIT(conn_pair__both_ends)
{
	struct ferry_conn_setup a = setup(FERRY_CODE_STREAM), b = a;
	static struct ferry_conn other;
	struct ferry_seg seg;
	struct ferry_rtt rtt;

	reset_owner();
	b.iss = IRS;
	b.mss = MSS / 2;
	b.room = WINDOW / 2;
	ferry_conn_pair(&conn, &a, &other, &b, now);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	CHECK_EQ(other.state, FERRY_ESTABLISHED);
	CHECK_EQ(conn.mss, MSS / 2);
	CHECK_EQ(other.mss, MSS / 2);
	ferry_conn_rtt(&conn, &rtt);
	CHECK(!ferry_rtt_known(&rtt));
	ferry_conn_rtt(&other, &rtt);
	CHECK(!ferry_rtt_known(&rtt));
	CHECK_EQ(conn.pending, 0);
	CHECK_EQ(other.pending, 0);
	CHECK_EQ(ferry_conn_deadline(&conn), U64_MAX);
	CHECK_EQ(ferry_conn_deadline(&other), U64_MAX);
	CHECK_EQ(conn.snd_edge, conn.snd_nxt + WINDOW / 2);
	CHECK_EQ(other.snd_edge, other.snd_nxt + WINDOW);
	CHECK(!conn.passive && other.passive);
	queue_bytes(100);
	seg = output();
	CHECK_EQ(seg.len, 100);
	ferry_conn_in(&other, &seg, now, &result);
	CHECK_EQ(result.events, FERRY_EVENT_DATA | FERRY_EVENT_READABLE);
	CHECK_EQ(result.drop, FERRY_DROP_NONE);
}

UNIT(conn_quickack__on_and_off)
{
	struct ferry_seg seg;

	establish(FERRY_CODE_STREAM);
	data_in(0, 0, 10, 0);
	CHECK_EQ(output().kind, 0);
	CHECK(conn.ack_at);
	ferry_conn_quickack(&conn, true);
	seg = output();
	CHECK_EQ(seg.ack, IRS + 11);
	data_in(10, 0, 10, 0);
	seg = output();
	CHECK_EQ(seg.ack, IRS + 21);
	ferry_conn_quickack(&conn, false);
	data_in(20, 0, 10, 0);
	CHECK_EQ(output().kind, 0);
	CHECK(conn.ack_at);
}

/* Who has sent nothing has nothing for it, whatever comes. */
UNIT(conn_prepare__not_until_it_sends)
{
	struct ferry_seg seg;

	establish(FERRY_CODE_STREAM);
	data_in(0, 0, 10, 0);
	data_in(20, 0, 10, 0);
	data_in(0, 0, 10, 0);
	CHECK_EQ(output().nsack, 2);
	/* Neither can be true. */
	seg = data(30, 0, 0, 0);
	seg.nsack = 1;
	seg.sack[0] = (struct ferry_span) { ISS, ISS + 1 };
	in(&seg);
	sack_in(0, 0, 10);
	seg = data(10, 0, 0, FERRY_F_ASK);
	seg.window = 2 * WINDOW;
	in(&seg);
	CHECK_EQ(output().kind, FERRY_KIND_DATA);
	ferry_conn_flush(&conn);
	ferry_conn_keepalive(&conn, now, SECOND, SECOND, 1);
	CHECK_EQ(ferry_conn_deadline(&conn), now + SECOND);
	CHECK_EQ(ferry_conn_fine_deadline(&conn), U64_MAX);
	timer(SECOND);
	CHECK_EQ(output().flags, FERRY_F_ASK);
	data_in(10, 0, 10, 0);
	data_in(30, 0, 0, FERRY_F_FIN);
	CHECK_EQ(conn.state, FERRY_CLOSE_WAIT);
	CHECK_EQ(ferry_conn_cwnd(&conn), ferry_cong_initial_window(MSS));
	CHECK(!conn.out);
	ferry_conn_abort(&conn);
	CHECK_EQ(output().kind, FERRY_KIND_RST);
}

UNIT(conn_prepare__knows_the_handshake)
{
	struct ferry_rtt rtt, later;

	establish(FERRY_CODE_STREAM);
	ferry_conn_rtt(&conn, &rtt);
	CHECK_EQ(ferry_rtt_smoothed(&rtt), 10 * MS);
	CHECK_EQ(ferry_rtt_min_get(&rtt), 10 * MS);
	timer(5 * SECOND);
	ferry_conn_set_cong(&conn, &ferry_cong_newreno);
	prepare();
	ferry_conn_rtt(&conn, &later);
	CHECK(!memcmp(&rtt, &later, sizeof(rtt)));
	CHECK(ferry_rack_may_probe(&conn.out->rack));
	CHECK(conn.out->cong.ops == &ferry_cong_newreno);
	CHECK_EQ(conn.out->cong.cwnd, ferry_conn_cwnd(&conn));
	CHECK_EQ(conn.out->pmtu.state, FERRY_PMTU_TRUSTED);
	ferry_conn_set_cong(&conn, &ferry_cong_cubic);
	CHECK(conn.out->cong.ops == &ferry_cong_cubic);
}

/* Its SYN was lost, and nothing was measured. */
UNIT(conn_prepare__handshake_unmeasured)
{
	struct ferry_conn_setup with = setup(FERRY_CODE_STREAM);
	struct ferry_seg seg = synack();
	struct ferry_rtt rtt;

	reset_owner();
	ferry_conn_connect(&conn, &with, now);
	output();
	timer(SECOND);
	output();
	ferry_conn_rtt(&conn, &rtt);
	CHECK_EQ(ferry_rtt_rto(&rtt), 2 * SECOND);
	seg.echo = 0;
	in(&seg);
	output();
	ferry_conn_rtt(&conn, &rtt);
	CHECK_EQ(ferry_rtt_rto(&rtt), FERRY_RTO_SYN_LOST);
	prepare();
	CHECK_EQ(ferry_rtt_rto(&conn.out->rtt), FERRY_RTO_SYN_LOST);
	CHECK(!ferry_rack_may_probe(&conn.out->rack));
}

/* A device that was narrower for a while: that more gets through is to be found. */
UNIT(conn_prepare__device_was_narrower)
{
	establish(FERRY_CODE_STREAM);
	ferry_conn_device(&conn, MSS / 4, MSS / 4, now);
	CHECK_EQ(conn.mss, MSS / 4);
	ferry_conn_device(&conn, MSS / 2, MSS / 2, now);
	CHECK_EQ(conn.mss, MSS / 4);
	ferry_conn_device(&conn, 2 * MSS, 2 * MSS, now);
	CHECK_EQ(conn.mss, MSS / 4);
	prepare();
	CHECK_EQ(conn.mss, MSS / 4);
	CHECK_EQ(conn.out->cong.mss, MSS / 4);
	CHECK_EQ(conn.out->pmtu.state, FERRY_PMTU_SEARCH);
	CHECK_EQ(conn.out->pmtu.low, MSS / 4);
	CHECK_EQ(conn.out->pmtu.high, MSS);
}

/* What is counted, of a segment that is lost and sent again. */
UNIT(conn_count__sent_and_received)
{
	establish(FERRY_CODE_STREAM);
	CHECK_EQ(conn.count.segs_out, 1);
	CHECK_EQ(conn.count.segs_in, 1);
	queue_bytes(3 * MSS + 1);
	output();
	CHECK_EQ(conn.out->count.data, 4);
	CHECK_EQ(conn.out->count.bytes, 3 * MSS + 1);
	CHECK_EQ(conn.out->count.bytes_again, 0);
	data_in(0, MSS, 10, 0);
	CHECK_EQ(conn.count.data_in, 1);
	CHECK_EQ(conn.count.segs_in, 2);
	CHECK_EQ(conn.out->count.delivered, MSS);
	timer(2 * SECOND);
	output();
	CHECK(conn.out->count.again);
	CHECK_EQ(conn.out->count.bytes, 3 * MSS + 1 + conn.out->count.bytes_again);
}

/* 20 segments a second, in each of two round trips; and idleness is no part. */
UNIT(conn_count__rate)
{
	unsigned int i;

	establish(FERRY_CODE_STREAM);
	prepare();
	CHECK_EQ(conn.out->count.rate, 0);
	for (i = 1; i <= 2; i++) {
		queue_bytes(2 * MSS);
		output();
		now += 100 * MS;
		data_in(0, 2 * MSS * i, 0, 0);
		CHECK_EQ(conn.out->count.rate, 20 * MSS);
		now += 5 * SECOND;
	}
}

UNIT(conn_request__final_ack)
{
	struct ferry_seg seg;

	ferry_request_init(&request, &syn, &offered);
	seg = data(0, 0, 0, 0);
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_ACCEPT);
	seg.ack++;
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_STRAY);
	seg.ack -= 2;
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_STRAY);
	seg = data(WINDOW, 0, 1, 0);
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_ACCEPT);
	seg = data(WINDOW + 1, 0, 1, 0);
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_IGNORE);
	seg = data(-1ULL, 0, 1, 0);
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_IGNORE);
	CHECK_EQ(ferry_request_in(&request, &syn), FERRY_REQUEST_SYNACK);
	seg = syn;
	seg.seq++;
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_IGNORE);
	seg = (struct ferry_seg) { .kind = FERRY_KIND_RST, .seq = IRS };
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_IGNORE);
	seg.seq++;
	CHECK_EQ(ferry_request_in(&request, &seg), FERRY_REQUEST_DEAD);
}

UNIT(conn_request__becomes_a_connection)
{
	struct ferry_conn_setup with = setup(0);
	struct ferry_seg seg = data(0, 0, 10, 0);

	reset_owner();
	ferry_request_init(&request, &syn, &offered);
	ferry_conn_accept(&conn, &with, &request, now);
	CHECK_EQ(conn.state, FERRY_SYN_RECV);
	in(&seg);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	CHECK_EQ(result.events, FERRY_EVENT_ESTABLISHED | FERRY_EVENT_DATA |
		 FERRY_EVENT_READABLE);
	CHECK_EQ(conn.mss, 700);
	queue_bytes(600);
	CHECK_EQ(output().len, 600);
}

UNIT(conn_cookie__remembers_all_of_a_syn)
{
	struct ferry_seg ack = data(0, 0, 0, 0);

	ferry_request_recall(&request, &ack, 700, 0, &offered);
	CHECK_EQ(request.irs, IRS);
	CHECK_EQ(request.iss, ISS);
	CHECK_EQ(request.peer_mss, 700);
	CHECK_EQ(request.peer_window, WINDOW);
	CHECK_EQ(ferry_request_in(&request, &ack), FERRY_REQUEST_ACCEPT);
}

UNIT(conn_in__acceptable)
{
	establish(0);
	/* Below: answered at once, with a DSACK, and dropped. */
	data_in(0, 0, 100, 0);
	output();
	data_in(0, 0, 100, 0);
	CHECK_EQ(result.drop, FERRY_DROP_DUPLICATE);
	CHECK_EQ(output().nsack, 1);
	/* At the edge: no room for data, but an ACK counts. */
	data_in(WINDOW, 0, 1, 0);
	CHECK_EQ(result.drop, FERRY_DROP_WINDOW);
	data_in(WINDOW, 0, 0, 0);
	CHECK_EQ(result.drop, FERRY_DROP_NONE);
	data_in(WINDOW + 1, 0, 0, 0);
	CHECK_EQ(result.drop, FERRY_DROP_WINDOW);
	/* Across the edge: what fits. */
	data_in(WINDOW - 10, 0, 20, 0);
	CHECK_EQ(result.events, FERRY_EVENT_DATA);
	CHECK_EQ(result.piece.len, 10);
	/* Across RCV.NXT: what is new. */
	data_in(50, 0, 100, 0);
	CHECK_EQ(result.piece.skip, 50);
	CHECK_EQ(result.piece.len, 50);
	CHECK_EQ(conn.rcv_nxt, IRS + 1 + 150);
}

UNIT(conn_in__record_end_on_stream)
{
	establish(0);
	data_in(0, 0, 10, FERRY_F_EOR);
	CHECK_EQ(result.drop, FERRY_DROP_RECORD);
	CHECK_EQ(conn.rcv_nxt, IRS + 1);
	establish(12);
	data_in(0, 0, 10, FERRY_F_EOR);
	CHECK_EQ(result.events, FERRY_EVENT_DATA | FERRY_EVENT_READABLE);
	CHECK(result.piece.eor);
	CHECK_EQ(conn.rcv_nxt, IRS + 1 + 11);
}

UNIT(conn_in__beyond_fin)
{
	establish(0);
	data_in(100, 0, 10, FERRY_F_FIN);
	CHECK_EQ(result.events, FERRY_EVENT_DATA);
	data_in(110, 0, 1, 0);
	CHECK_EQ(result.drop, FERRY_DROP_RECORD);
	data_in(100, 0, 9, FERRY_F_FIN);
	CHECK_EQ(result.drop, FERRY_DROP_RECORD);
	data_in(0, 0, 100, 0);
	CHECK(result.events & FERRY_EVENT_FIN);
	CHECK_EQ(conn.state, FERRY_CLOSE_WAIT);
	CHECK_EQ(conn.rcv_nxt, IRS + 1 + 111);

	establish(0);
	data_in(100, 0, 10, 0);
	data_in(50, 0, 10, FERRY_F_FIN);
	CHECK_EQ(result.drop, FERRY_DROP_RECORD);
}

UNIT(conn_reset__exact)
{
	struct ferry_seg seg = { .kind = FERRY_KIND_RST, .seq = IRS + 2 };

	establish(0);
	in(&seg);
	CHECK_EQ(result.drop, FERRY_DROP_RESET);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	CHECK_EQ(output().kind, FERRY_KIND_DATA);
	seg.seq = IRS;
	in(&seg);
	CHECK_EQ(result.drop, FERRY_DROP_WINDOW);
	now += SECOND;
	CHECK_EQ(output().kind, 0);
	seg.seq = IRS + 1;
	in(&seg);
	CHECK_EQ(result.events, FERRY_EVENT_CLOSED);
	CHECK_EQ(conn.error, -ECONNRESET);
}

UNIT(conn_challenge__syn)
{
	struct ferry_seg seg = synack();

	establish(0);
	in(&seg);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	CHECK_EQ(output().ack, IRS + 1);
	now += SECOND;
	seg = syn;
	seg.seq = IRS + 500;
	in(&seg);
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	CHECK_EQ(output().ack, IRS + 1);
}

UNIT(conn_challenge__ack)
{
	establish(0);
	data_in(0, 1, 10, 0);
	CHECK_EQ(result.drop, FERRY_DROP_ACK);
	CHECK_EQ(output().ack, IRS + 1);
	now += SECOND;
	data_in(0, -1ULL - WINDOW, 10, 0);
	CHECK_EQ(result.drop, FERRY_DROP_ACK);
	CHECK_EQ(output().ack, IRS + 1);
	/* An old one is none. */
	data_in(0, -1ULL, 10, 0);
	CHECK_EQ(result.drop, FERRY_DROP_NONE);
}

UNIT(conn_challenge__limited)
{
	unsigned int i, answers = 0;

	establish(0);
	for (i = 0; i < 1000; i++) {
		data_in(WINDOW + 1, 0, 0, 0);
		answers += !!output().kind;
		now += MS;
	}
	CHECK_EQ(answers, 2);
}

/* Data that no peer can have sent; what it may have, each time. */
UNIT(conn_challenge__guess)
{
	unsigned int i, answers = 0;

	establish(0);
	for (i = 0; i < 1000; i++) {
		data_in(i % 2 ? 1ULL << 40 : WINDOW + 1, 0, 10, 0);
		CHECK_EQ(result.drop, FERRY_DROP_WINDOW);
		answers += !!output().kind;
		now += MS;
	}
	CHECK_EQ(answers, 2);
	for (i = 0; i < 10; i++) {
		data_in(WINDOW, 0, 10, 0);
		CHECK_EQ(output().ack, IRS + 1);
	}
	conn.rcv_nxt += 1ULL << 40;
	data_in(0, 0, 10, 0);
	CHECK_EQ(result.drop, FERRY_DROP_WINDOW);
}

UNIT(conn_ack__second_segment)
{
	establish(0);
	data_in(0, 0, MSS, 0);
	CHECK_EQ(output().kind, 0);
	data_in(MSS, 0, MSS, 0);
	CHECK_EQ(output().ack, IRS + 1 + 2 * MSS);
}

/* They wait to be read, and an ACK would tell of no more room: reading sends it. */
UNIT(conn_ack__unread)
{
	establish(0);
	data_in(0, 0, MSS, 0);
	conn.room -= MSS;
	data_in(MSS, 0, MSS, 0);
	conn.room -= MSS;
	data_in(2 * MSS, 0, MSS, 0);
	conn.room -= MSS;
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(ferry_conn_deadline(&conn), now + 40 * MS);
	conn.room += 3 * MSS;
	ferry_conn_read(&conn);
	CHECK_EQ(output().ack, IRS + 1 + 3 * MSS);
}

/* Frames that were joined, or not cut, are as many segments as they were. */
UNIT(conn_ack__joined)
{
	establish(0);
	conn.rcv_seg = 10 * MSS;
	data_in(0, 0, 10 * MSS, 0);
	conn.room -= 10 * MSS;
	CHECK_EQ(output().kind, 0);
	conn.room += MSS;
	ferry_conn_read(&conn);
	CHECK_EQ(output().ack, IRS + 1 + 10 * MSS);
}

/* Nor does it wait for ever. */
UNIT(conn_ack__never_read)
{
	establish(0);
	data_in(0, 0, 2 * MSS, 0);
	conn.room -= 2 * MSS;
	CHECK_EQ(output().kind, 0);
	timer(40 * MS);
	CHECK_EQ(output().ack, IRS + 1 + 2 * MSS);
}

UNIT(conn_ack__delayed)
{
	establish(0);
	data_in(0, 0, 10, 0);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(ferry_conn_deadline(&conn), now + 40 * MS);
	timer(40 * MS);
	CHECK_EQ(output().ack, IRS + 1 + 10);
	CHECK_EQ(output().kind, 0);
}

UNIT(conn_ack__of_what_was_read)
{
	establish(0);
	data_in(0, 0, 10, 0);
	CHECK_EQ(output().kind, 0);
	ferry_conn_read(&conn);
	CHECK_EQ(output().kind, 0);
	data_in(10, 0, 10, 0);
	CHECK_EQ(output().kind, 0);
	ferry_conn_read(&conn);
	CHECK_EQ(output().ack, IRS + 1 + 20);
}

/* Small segments after a large one: more than one of them, and all of it read. */
UNIT(conn_ack__of_all_that_was_read)
{
	establish(0);
	conn.rcv_seg = 10 * MSS;
	data_in(0, 0, 10, 0);
	ferry_conn_read(&conn);
	CHECK_EQ(output().kind, 0);
	data_in(10, 0, 10, 0);
	conn.room = conn.capacity - 5;
	ferry_conn_read(&conn);
	CHECK_EQ(output().kind, 0);
	conn.room = conn.capacity;
	ferry_conn_read(&conn);
	CHECK_EQ(output().ack, IRS + 1 + 20);
	/* It is told once. */
	ferry_conn_read(&conn);
	CHECK_EQ(output().kind, 0);
}

/* There is more than one segment, but too little for who waits for them. */
UNIT(conn_ack__wanted)
{
	establish(0);
	data_in(0, 0, 10, 0);
	ferry_conn_wanted(&conn);
	CHECK_EQ(output().kind, 0);
	data_in(10, 0, 10, 0);
	ferry_conn_wanted(&conn);
	CHECK_EQ(output().ack, IRS + 1 + 20);
}

UNIT(conn_merge__waits_for_more)
{
	unsigned int i;

	establish(0);
	conn.merge_at = 3;
	conn.batch = 4 * MSS;
	for (i = 0; i < 3; i++) {
		queue_bytes(10);
		CHECK_EQ(output().len, 10);
	}
	queue_bytes(10);
	CHECK_EQ(output().kind, 0);
	queue_bytes(20);
	CHECK_EQ(output().kind, 0);
	/* One is acknowledged: what has gathered goes, in one piece. */
	data_in(0, 10, 0, 0);
	CHECK_EQ(output().len, 30);
	queue_bytes(10);
	CHECK_EQ(output().kind, 0);
	/* So does a whole chunk. */
	queue_bytes(4 * MSS - 10);
	CHECK_EQ(output().len, 4 * MSS);
}

UNIT(conn_merge__not_what_is_the_last)
{
	establish(0);
	conn.merge_at = 1;
	queue_bytes(10);
	output();
	queue_bytes(10);
	CHECK_EQ(output().kind, 0);
	enqueue(0, FERRY_F_FIN);
	CHECK_EQ(output().len, 10);
}

UNIT(conn_merge__not_records)
{
	establish(FERRY_CODE_RECORD_MIN);
	conn.merge_at = 1;
	queue_bytes(10);
	output();
	queue_bytes(10);
	CHECK_EQ(output().len, 10);
}

/* A connection of a thousand bytes each millisecond: one segment. */
static void establish_paced(void)
{
	establish(0);
	prepare();
	conn.out->pace.rate = 1000000;
}

/* Two segments leave at a time, and the next two when their time has passed. */
UNIT(conn_pace__waits)
{
	establish_paced();
	queue_bytes(5 * MSS);
	CHECK_EQ(output().len, 2 * MSS);
	CHECK_EQ(conn.snd_nxt, ISS + 1 + 2 * MSS);
	/* The first are late, by a millisecond as it counts. */
	CHECK_EQ(ferry_conn_fine_deadline(&conn), now + MS);
	timer(MS - 1);
	CHECK_EQ(output().kind, 0);
	timer(1);
	CHECK_EQ(output().len, 2 * MSS);
	timer(2 * MS);
	CHECK_EQ(output().len, MSS);
	CHECK_EQ(ferry_conn_fine_deadline(&conn), U64_MAX);
}

/* An ACK does not wait, and what it acknowledges gives no leave. */
UNIT(conn_pace__acknowledges_at_once)
{
	establish_paced();
	queue_bytes(4 * MSS);
	CHECK_EQ(output().len, 2 * MSS);
	conn.quick = 1;
	data_in(0, 2 * MSS, 2 * MSS, 0);
	CHECK_EQ(output().kind, FERRY_KIND_DATA);
	CHECK_EQ(conn.snd_nxt, ISS + 1 + 2 * MSS);
	CHECK_EQ(conn.rcv_acked, IRS + 1 + 2 * MSS);
}

/* Nothing is in flight, and what waits for its pace is no closed window. */
UNIT(conn_pace__is_no_closed_window)
{
	establish_paced();
	conn.out->pace.rate = 1000;
	queue_bytes(4 * MSS);
	CHECK_EQ(output().len, 2 * MSS);
	data_in(0, 2 * MSS, 0, 0);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(conn.timer, FERRY_TIMER_NONE);
	CHECK_EQ(ferry_conn_deadline(&conn), U64_MAX);
	CHECK_EQ(ferry_conn_fine_deadline(&conn), now + 2 * SECOND - MS);
	timer(2 * SECOND);
	CHECK_EQ(output().len, 2 * MSS);
	CHECK_EQ(conn.timer == FERRY_TIMER_NONE, 0);
}

/*
 * Two segments leave, and are lost, as is their probe; of what is sent again one leaves
 * at the time-out, and the second is held back when that has arrived.
 */
static void lose_two(bool full)
{
	queue_bytes(2 * MSS);
	CHECK_EQ(output().len, 2 * MSS);
	conn.full = full;
	timer(ferry_conn_deadline(&conn) - now);
	output();
	timer(ferry_conn_deadline(&conn) - now);
	CHECK_EQ(output().seq, ISS + 1);
	data_in(0, MSS, 0, 0);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(conn.paced, true);
}

/* What was lost waits too; the first of it after a time-out does not. */
UNIT(conn_pace__lost)
{
	establish_paced();
	conn.out->pace.rate = 100;
	lose_two(false);
}

/* What is below has enough: nothing new, nor again, until the owner asks again. */
UNIT(conn_full__waits)
{
	establish(0);
	queue_bytes(4 * MSS);
	conn.full = true;
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(conn.paced, true);
	CHECK_EQ(ferry_conn_fine_deadline(&conn), U64_MAX);
	CHECK_EQ(conn.timer, FERRY_TIMER_NONE);
	conn.full = false;
	CHECK_EQ(output().len, 4 * MSS);
	CHECK_EQ(conn.paced, false);
}

UNIT(conn_full__acknowledges_at_once)
{
	establish(0);
	queue_bytes(4 * MSS);
	conn.full = true;
	conn.quick = 1;
	data_in(0, 0, 2 * MSS, 0);
	CHECK_EQ(output().kind, FERRY_KIND_DATA);
	CHECK_EQ(conn.snd_nxt, ISS + 1);
	CHECK_EQ(conn.rcv_acked, IRS + 1 + 2 * MSS);
}

/* After a time-out one segment leaves in any case: what is below may be stuck. */
UNIT(conn_full__lost)
{
	establish(0);
	lose_two(true);
}

/* What was held back arrives by another way, or has arrived: nothing waits then. */
UNIT(conn_full__acknowledged_meanwhile)
{
	establish(0);
	lose_two(true);
	data_in(0, 2 * MSS, 0, 0);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(conn.paced, false);
	CHECK_EQ(ferry_conn_fine_deadline(&conn), U64_MAX);
}

/* The owner has no memory for what it is to send. */
static enum ferry_send put_off(void)
{
	struct ferry_plan plan;

	CHECK_EQ(ferry_conn_next(&conn, now, &plan), FERRY_SEND_NEW);
	ferry_conn_put_off(&conn, now);
	return ferry_conn_next(&conn, now, &plan);
}

UNIT(conn_full__no_memory)
{
	establish(0);
	prepare();
	queue_bytes(2 * MSS);
	CHECK_EQ(put_off(), FERRY_SEND_NOTHING);
	CHECK_EQ(conn.paced, true);
	/* An ACK leaves in spite of it. */
	conn.full = false;
	conn.quick = 1;
	data_in(0, 0, 2 * MSS, 0);
	CHECK_EQ(put_off(), FERRY_SEND_CONTROL);
	conn.full = false;
	CHECK_EQ(output().len, 2 * MSS);
	CHECK_EQ(conn.paced, false);
}

/* A probe that cannot be sent leaves its place to the time-out. */
UNIT(conn_full__no_memory_for_a_probe)
{
	establish(0);
	queue_bytes(MSS);
	output();
	queue_bytes(10);
	timer(ferry_conn_deadline(&conn) - now);
	CHECK(conn.pending & FERRY_PENDING_TAIL);
	CHECK_EQ(put_off(), FERRY_SEND_NOTHING);
	CHECK(conn.timer != FERRY_TIMER_NONE);
	CHECK(ferry_conn_deadline(&conn) > now);
}

/* Send so many short segments that the next is gathered. */
static void send_shorts(void)
{
	unsigned int i;

	establish(0);
	conn.gather = 50;
	for (i = 0; i < FERRY_GATHER_AFTER; i++) {
		queue_bytes(10);
		CHECK_EQ(output().len, 10);
		now += 5;
	}
	queue_bytes(10);
	CHECK_EQ(output().kind, 0);
}

UNIT(conn_gather__leaves_at_its_time)
{
	send_shorts();
	queue_bytes(20);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(conn.out->gather_at, now + 45);
	timer(44);
	CHECK_EQ(output().kind, 0);
	timer(1);
	CHECK_EQ(output().len, 30);
	CHECK(!conn.gathers);
	/* And so on. */
	queue_bytes(10);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(conn.out->gather_at, now + 50);
}

UNIT(conn_gather__a_whole_segment_leaves)
{
	send_shorts();
	queue_bytes(MSS - 10);
	CHECK_EQ(output().len, MSS);
}

UNIT(conn_gather__flushed)
{
	send_shorts();
	ferry_conn_flush(&conn);
	CHECK_EQ(output().len, 10);
	queue_bytes(10);
	CHECK_EQ(output().kind, 0);
}

UNIT(conn_gather__not_what_is_the_last)
{
	send_shorts();
	enqueue(0, FERRY_F_FIN);
	CHECK_EQ(output().len, 10);
}

UNIT(conn_gather__not_after_a_pause)
{
	unsigned int i;

	send_shorts();
	timer(45);
	output();
	now += 101;
	for (i = 0; i < FERRY_GATHER_AFTER; i++) {
		queue_bytes(10);
		CHECK_EQ(output().len, 10);
	}
	queue_bytes(10);
	CHECK_EQ(output().kind, 0);
}

UNIT(conn_gather__not_an_answer)
{
	send_shorts();
	data_in(0, 0, 10, 0);
	CHECK_EQ(output().len, 10);
}

UNIT(conn_gather__records_too)
{
	unsigned int i;

	establish(FERRY_CODE_RECORD_MIN);
	conn.gather = 50;
	for (i = 0; i < FERRY_GATHER_AFTER; i++) {
		enqueue(10, FERRY_F_EOR);
		CHECK_EQ(output().kind, FERRY_KIND_DATA);
	}
	enqueue(10, FERRY_F_EOR);
	CHECK_EQ(output().kind, 0);
	timer(50);
	CHECK_EQ(output().kind, FERRY_KIND_DATA);
	CHECK_EQ(conn.snd_nxt, conn.snd_end);
}

UNIT(conn_ack__rides_on_data)
{
	struct ferry_seg seg;

	establish(0);
	data_in(0, 0, 10, 0);
	queue_bytes(5);
	seg = output();
	CHECK_EQ(seg.len, 5);
	CHECK_EQ(seg.ack, IRS + 1 + 10);
	CHECK_EQ(conn.ack_at, 0);
}

UNIT(conn_ack__quick_at_first)
{
	unsigned int i;

	establish(0);
	conn.quick = FERRY_QUICK_ACKS;
	for (i = 0; i < FERRY_QUICK_ACKS; i++) {
		data_in(10 * i, 0, 10, 0);
		CHECK_EQ(output().ack, IRS + 1 + 10 * (i + 1));
	}
	data_in(10 * i, 0, 10, 0);
	CHECK_EQ(output().kind, 0);
}

UNIT(conn_ack__asked_for)
{
	establish(0);
	data_in(0, 0, 0, 0);
	CHECK_EQ(output().kind, 0);
	data_in(0, 0, 0, FERRY_F_ASK);
	CHECK_EQ(output().ack, IRS + 1);
}

UNIT(conn_ack__holes)
{
	struct ferry_seg seg;

	establish(0);
	data_in(10, 0, 10, 0);
	seg = output();
	CHECK_EQ(seg.ack, IRS + 1);
	CHECK_EQ(seg.nsack, 1);
	data_in(0, 0, 10, 0);
	CHECK_EQ(output().ack, IRS + 1 + 20);
}

UNIT(conn_sack__latest_first)
{
	struct ferry_seg seg;
	unsigned int i;

	establish(0);
	for (i = 1; i <= 6; i++) {
		data_in(20 * i, 0, 10, 0);
		seg = output();
	}
	CHECK_EQ(seg.nsack, 4);
	for (i = 0; i < 4; i++)
		CHECK_EQ(seg.sack[i].start, IRS + 1 + 20 * (6 - i));
	/* Part of it again: a DSACK before them. */
	data_in(40, 0, 5, 0);
	seg = output();
	CHECK_EQ(seg.nsack, 5);
	CHECK_EQ(seg.sack[0].start, IRS + 1 + 40);
	CHECK_EQ(seg.sack[0].end, IRS + 1 + 45);
	CHECK_EQ(output().kind, 0);
}

UNIT(conn_echo__first_of_those_held_back)
{
	struct ferry_seg seg;

	establish(0);
	data_in(0, 0, 10, 0);
	now += 5 * MS;
	data_in(10, 0, 10, 0);
	timer(40 * MS);
	seg = output();
	CHECK_EQ(seg.echo, (u32)(now - 45 * MS));
}

UNIT(conn_echo__duplicate_counts)
{
	establish(0);
	data_in(0, 0, 10, FERRY_F_ASK);
	output();
	now += SECOND;
	data_in(0, 0, 10, 0);
	CHECK_EQ(result.drop, FERRY_DROP_DUPLICATE);
	CHECK_EQ(output().echo, (u32)now);
}

UNIT(conn_echo__ahead_does_not_count)
{
	u32 echo;

	establish(0);
	echo = conn.echo;
	now += SECOND;
	data_in(10, 0, 10, 0);
	CHECK_EQ(output().echo, echo);
}

UNIT(conn_window__old_ack)
{
	struct ferry_seg seg;

	establish(0);
	queue_bytes(3 * MSS);
	output();
	seg = data(0, 2 * MSS, 0, 0);
	seg.window = 10 * MSS;
	in(&seg);
	seg = data(0, MSS, 0, 0);
	seg.window = 1;
	in(&seg);
	CHECK_EQ(conn.snd_edge, ISS + 1 + WINDOW);
	seg = data(0, 2 * MSS, 0, 0);
	in(&seg);
	CHECK_EQ(conn.snd_edge, ISS + 1 + 2 * MSS + WINDOW);
}

UNIT(conn_sack__whole_pieces)
{
	establish(0);
	queue_bytes(10 * MSS);
	CHECK_EQ(output().len, 10 * MSS);
	CHECK_EQ(queued, 1);
	/* Not a whole piece anywhere. */
	sack_in(0, 2 * MSS + 1, 3 * MSS + 999);
	CHECK_EQ(conn.out->sacked, 0);
	CHECK_EQ(queued, 1);
	/* Two whole pieces, and parts. */
	sack_in(0, 2 * MSS - 1, 4 * MSS + 1);
	CHECK_EQ(conn.out->sacked, 2 * MSS);
	CHECK_EQ(queued, 3);
	CHECK_EQ(queue[1]->seq, ISS + 1 + 2 * MSS);
	/* No memory, no split: it stays as it is. */
	no_memory = true;
	sack_in(0, 6 * MSS, 7 * MSS);
	CHECK_EQ(conn.out->sacked, 2 * MSS);
	CHECK_EQ(conn.out->flight, 8 * MSS);
}

UNIT(conn_sack__cannot_be_true)
{
	establish(0);
	queue_bytes(4 * MSS);
	output();
	sack_in(0, MSS, 5 * MSS);
	CHECK_EQ(conn.out->sacked, 0);
	sack_in(0, -5ULL, -1ULL);
	CHECK_EQ(conn.out->sacked, 0);
	CHECK_EQ(conn.out->flight, 4 * MSS);
}

/* @count chunks of a byte each, in flight. */
static void fly(unsigned int count)
{
	struct ferry_chunk *chunk;
	struct ferry_seg seg;

	queue_bytes(count);
	while (count--) {
		chunk = insert(queued);
		chunk->len = 1;
		ferry_conn_send(&conn, chunk, now, &seg);
	}
}

UNIT(conn_sack__bounded)
{
	unsigned int i;

	establish(0);
	fly(2000);
	sack_in(0, 1000, 2000);
	CHECK_EQ(conn.out->sacked, 1000);
	/* The same again is one step. */
	calls = 0;
	sack_in(0, 1000, 2000);
	CHECK(calls < 5);
	/* From the middle of a run on: so many steps and no more. */
	calls = 0;
	for (i = 1; i < 900; i++)
		sack_in(0, 1000 + i, 2000);
	CHECK(calls < 900 * (FERRY_SACK_STEPS + 5));
}

UNIT(conn_sack__runs_merge)
{
	establish(0);
	fly(100);
	sack_in(0, 10, 20);
	sack_in(0, 30, 40);
	sack_in(0, 20, 30);
	CHECK_EQ(conn.out->sacked, 30);
	calls = 0;
	sack_in(0, 10, 40);
	CHECK(calls < 5);
	/* Acknowledging part of a run leaves the rest a run. */
	data_in(0, 15, 0, 0);
	CHECK_EQ(conn.out->sacked, 25);
	calls = 0;
	sack_in(15, 15, 40);
	CHECK(calls < 5);
}

UNIT(conn_rto__sends_the_oldest_again)
{
	struct ferry_seg seg;

	establish(0);
	queue_bytes(5 * MSS);
	output();
	conn.out->rack.tlp_measured = false;
	while (conn.timer == FERRY_TIMER_TLP)
		timer(ferry_conn_deadline(&conn) - now);
	CHECK_EQ(conn.timer, FERRY_TIMER_RTO);
	timer(ferry_conn_deadline(&conn) - now);
	seg = output();
	CHECK_EQ(seg.seq, ISS + 1);
	CHECK_EQ(seg.len, MSS);
	CHECK_EQ(conn.out->flight, MSS);
	CHECK_EQ(conn.out->lost, 4 * MSS);
	CHECK_EQ(conn.out->rtt.backoff, 1);
}

UNIT(conn_rto__reneging)
{
	establish(0);
	queue_bytes(5 * MSS);
	output();
	sack_in(0, 0, 3 * MSS);
	CHECK_EQ(conn.out->sacked, 3 * MSS);
	while (!conn.out->rtt.backoff)
		timer(ferry_conn_deadline(&conn) - now);
	CHECK_EQ(conn.out->sacked, 0);
	CHECK_EQ(output().seq, ISS + 1);
}

/* No honest peer acknowledges a record's end and not the FIN that is with it. */
UNIT(conn_rto__between_the_marks)
{
	struct ferry_chunk *chunk;
	struct ferry_seg seg;

	establish(12);
	enqueue(10, FERRY_F_EOR | FERRY_F_FIN);
	chunk = insert(queued);
	chunk->len = 10;
	chunk->flags = FERRY_F_EOR | FERRY_F_FIN;
	ferry_conn_send(&conn, chunk, now, &seg);
	data_in(0, 11, 0, 0);
	timer(ferry_conn_deadline(&conn) - now);
	seg = output();
	CHECK_EQ(seg.seq, ISS + 1 + 11);
	CHECK_EQ(seg.len, 0);
	CHECK_EQ(seg.flags & ~FERRY_F_ASK, FERRY_F_FIN);
	CHECK_EQ(conn.out->flight, 1);
}

UNIT(conn_sack__has_the_fin)
{
	struct ferry_seg seg;

	establish(0);
	data_in(10, 0, 10, FERRY_F_FIN);
	seg = output();
	CHECK_EQ(seg.sack[0].end, IRS + 1 + 21);
	data_in(0, 0, 10, 0);
	CHECK_EQ(result.events, FERRY_EVENT_DATA | FERRY_EVENT_READABLE |
		 FERRY_EVENT_FIN);
	CHECK_EQ(output().ack, IRS + 1 + 21);
}

UNIT(conn_rto__gives_up)
{
	u64 start;

	establish(0);
	conn.user_timeout = 10000;
	queue_bytes(MSS);
	output();
	start = now;
	while (conn.state == FERRY_ESTABLISHED && now < start + 100 * SECOND) {
		timer(ferry_conn_deadline(&conn) - now);
		output();
	}
	CHECK_EQ(conn.error, -ETIMEDOUT);
	CHECK(now >= start + 10 * SECOND);
}

UNIT(conn_rto__orphan_gives_up_sooner)
{
	u64 start;

	establish(0);
	queue_bytes(MSS);
	output();
	ferry_conn_orphan(&conn, now, FERRY_LINGER2_DEFAULT);
	start = now;
	while (conn.state == FERRY_ESTABLISHED && now < start + 900 * SECOND) {
		timer(ferry_conn_deadline(&conn) - now);
		output();
	}
	CHECK_EQ(conn.error, -ETIMEDOUT);
	CHECK(now >= start + 100 * SECOND);
	CHECK(now < start + 300 * SECOND);
}

UNIT(conn_tlp__probes_the_tail)
{
	struct ferry_seg seg;

	establish(0);
	queue_bytes(3 * MSS + 5);
	output();
	CHECK_EQ(conn.timer, FERRY_TIMER_TLP);
	timer(ferry_conn_deadline(&conn) - now);
	seg = output();
	CHECK_EQ(seg.seq, ISS + 1 + 3 * MSS);
	CHECK_EQ(seg.len, 5);
	CHECK_EQ(seg.flags, FERRY_F_ASK);
	CHECK_EQ(conn.timer, FERRY_TIMER_RTO);
}

/* RFC 8985, 6.2, step 5: RACK waits in case it was overtaken, and no longer. */
UNIT(conn_rack__waits_for_reordering)
{
	establish(0);
	queue_bytes(3 * MSS);
	output();
	now += 10 * MS;
	sack_in(0, MSS, 2 * MSS);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(conn.out->lost, 0);
	CHECK_EQ(conn.timer, FERRY_TIMER_REORDER);
	CHECK(ferry_conn_deadline(&conn) <= now + 10 * MS);
	timer(ferry_conn_deadline(&conn) - now);
	CHECK_EQ(output().seq, ISS + 1);
}

/* However small the congestion window is. */
UNIT(conn_window__one_segment_always)
{
	establish(0);
	prepare();
	conn.out->cong.cwnd = MSS / 2;
	queue_bytes(2 * MSS);
	CHECK_EQ(output().len, MSS);
	CHECK_EQ(output().kind, 0);
}

UNIT(conn_window__reading_opens_it)
{
	struct ferry_seg seg;

	establish(0);
	conn.room = 0;
	data_in(0, 0, WINDOW, 0);
	CHECK_EQ(output().kind, 0);
	/* What has come is acknowledged; the little that is read opens nothing. */
	conn.room = 10;
	ferry_conn_read(&conn);
	seg = output();
	CHECK_EQ(seg.ack, IRS + 1 + WINDOW);
	CHECK_EQ(seg.window, 0);
	/* Nor is it worth a packet. */
	conn.room = 20;
	ferry_conn_read(&conn);
	CHECK_EQ(output().kind, 0);
	conn.room = WINDOW / 2;
	ferry_conn_read(&conn);
	CHECK_EQ(output().window, WINDOW / 2);
}

UNIT(conn_window__weight_of_small_packets)
{
	struct ferry_seg seg;
	struct ferry_plan plan;
	struct ferry_chunk *chunk;

	establish(12);
	queue_bytes(1000);
	while (ferry_conn_next(&conn, now, &plan) == FERRY_SEND_NEW) {
		chunk = insert(queued);
		chunk->len = 1;
		ferry_conn_send(&conn, chunk, now, &seg);
	}
	CHECK_EQ(ferry_conn_inflight(&conn), conn.out->flight * FERRY_WEIGHT_MIN);
	CHECK(ferry_conn_inflight(&conn) <= conn.out->cong.cwnd);
	CHECK(ferry_conn_inflight(&conn) + MSS > conn.out->cong.cwnd);
	data_in(0, conn.out->flight, 0, 0);
	CHECK_EQ(ferry_conn_inflight(&conn), 0);
}

static void close_window(void)
{
	struct ferry_seg seg;

	establish(0);
	conn.snd_edge = ISS + 1 + MSS;
	queue_bytes(2 * MSS);
	output();
	seg = data(0, MSS, 0, 0);
	seg.window = 0;
	in(&seg);
	output();
}

UNIT(conn_persist__probes)
{
	struct ferry_seg seg;
	u64 wait;

	close_window();
	CHECK_EQ(conn.timer, FERRY_TIMER_PERSIST);
	wait = ferry_conn_deadline(&conn) - now;
	timer(wait);
	seg = output();
	CHECK_EQ(seg.flags, FERRY_F_ASK);
	CHECK_EQ(seg.len, 0);
	/* And again, at twice the distance. */
	CHECK_EQ(ferry_conn_deadline(&conn), now + 2 * wait);
	data_in(0, MSS, 0, 0);
	CHECK_EQ(output().len, MSS);
}

/* A peer whose window is smaller from now on: only the first of them is waited out. */
UNIT(conn_persist__smaller_window)
{
	struct ferry_seg seg;
	u32 small = MSS / 2;

	close_window();
	queue_bytes(10 * MSS);
	seg = data(0, MSS, 0, 0);
	seg.window = small;
	in(&seg);
	CHECK_EQ(output().len, 0);
	CHECK_EQ(conn.timer, FERRY_TIMER_PERSIST);
	timer(ferry_conn_deadline(&conn) - now);
	CHECK_EQ(output().len, small);
	seg = data(0, MSS + small, 0, 0);
	seg.window = small;
	in(&seg);
	CHECK_EQ(output().len, small);
	/* What is less than half of that is waited out again. */
	seg = data(0, MSS + 2 * small, 0, 0);
	seg.window = FERRY_MSS_MIN - 1;
	in(&seg);
	CHECK_EQ(output().len, 0);
}

/* All of a window is used, but the number that the FIN wants with the last byte. */
UNIT(conn_window__to_the_last_number)
{
	struct ferry_seg seg;

	establish(0);
	conn.snd_edge = ISS + 1 + MSS;
	queue_bytes(MSS + 1);
	CHECK_EQ(output().len, MSS);

	establish(0);
	conn.snd_edge = ISS + 1 + MSS;
	enqueue(MSS, FERRY_F_FIN);
	seg = output();
	CHECK_EQ(seg.len, MSS - 1);
	CHECK_EQ(seg.flags & FERRY_F_FIN, 0);
	seg = data(0, MSS - 1, 0, 0);
	in(&seg);
	seg = output();
	CHECK_EQ(seg.len, 1);
	CHECK(seg.flags & FERRY_F_FIN);
}

UNIT(conn_persist__while_it_answers)
{
	struct ferry_seg seg;
	u64 start;

	close_window();
	start = now;
	while (now < start + 2 * FERRY_USER_TIMEOUT_DEFAULT) {
		timer(ferry_conn_deadline(&conn) - now);
		CHECK_EQ(output().flags, FERRY_F_ASK);
		seg = data(0, MSS, 0, 0);
		seg.window = 0;
		in(&seg);
	}
	CHECK_EQ(conn.state, FERRY_ESTABLISHED);
	start = now;
	while (conn.state == FERRY_ESTABLISHED &&
	       now < start + 2 * FERRY_USER_TIMEOUT_DEFAULT) {
		timer(ferry_conn_deadline(&conn) - now);
		output();
	}
	CHECK_EQ(conn.error, -ETIMEDOUT);
}

/* What is sent again asks for an answer, too. */
UNIT(conn_keepalive__data_under_way)
{
	establish(0);
	ferry_conn_keepalive(&conn, now, 100 * SECOND, 10 * SECOND, 3);
	queue_bytes(MSS);
	CHECK_EQ(output().len, MSS);
	timer(100 * SECOND);
	CHECK_EQ(conn.probes, 0);
	CHECK_EQ(conn.alive_at, now + 100 * SECOND);
	CHECK_EQ(output().len, MSS);
}

UNIT(conn_keepalive__probes_and_gives_up)
{
	unsigned int i;

	establish(0);
	ferry_conn_keepalive(&conn, now, 100 * SECOND, 10 * SECOND, 3);
	/* What was heard meanwhile puts it off. */
	now += 60 * SECOND;
	data_in(0, 0, 0, 0);
	timer(40 * SECOND);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(ferry_conn_deadline(&conn), now + 60 * SECOND);
	timer(60 * SECOND);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(output().flags, FERRY_F_ASK);
		timer(10 * SECOND);
	}
	CHECK_EQ(result.events, FERRY_EVENT_CLOSED);
	CHECK_EQ(conn.error, -ETIMEDOUT);
}

/* FERRY_USER_TIMEOUT takes the count's place (as Linux TCP has it). */
UNIT(conn_keepalive__user_timeout)
{
	unsigned int i;

	establish(0);
	conn.user_timeout = 125000;
	ferry_conn_keepalive(&conn, now, 100 * SECOND, 10 * SECOND, 1);
	timer(100 * SECOND);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(conn.state, FERRY_ESTABLISHED);
		CHECK_EQ(output().flags, FERRY_F_ASK);
		timer(10 * SECOND);
	}
	CHECK_EQ(result.events, FERRY_EVENT_CLOSED);
	CHECK_EQ(conn.error, -ETIMEDOUT);
}

static void fin(void)
{
	enqueue(0, FERRY_F_FIN);
}

UNIT(conn_close__both_ways)
{
	establish(0);
	fin();
	CHECK_EQ(conn.state, FERRY_FIN_WAIT1);
	CHECK_EQ(output().flags, FERRY_F_FIN);
	data_in(0, 1, 0, 0);
	CHECK_EQ(conn.state, FERRY_FIN_WAIT2);
	data_in(0, 1, 5, 0);
	CHECK_EQ(result.events, FERRY_EVENT_DATA | FERRY_EVENT_READABLE);
	data_in(5, 1, 0, FERRY_F_FIN);
	CHECK_EQ(result.events, FERRY_EVENT_FIN | FERRY_EVENT_TIME_WAIT);
	CHECK_EQ(output().ack, IRS + 1 + 6);

	establish(0);
	fin();
	output();
	data_in(0, 0, 0, FERRY_F_FIN);
	CHECK_EQ(conn.state, FERRY_CLOSING);
	data_in(1, 1, 0, 0);
	CHECK_EQ(result.events,
		 FERRY_EVENT_ACKED | FERRY_EVENT_TIME_WAIT);

	establish(0);
	data_in(0, 0, 0, FERRY_F_FIN);
	CHECK_EQ(conn.state, FERRY_CLOSE_WAIT);
	fin();
	CHECK_EQ(conn.state, FERRY_LAST_ACK);
	output();
	data_in(1, 1, 0, 0);
	CHECK_EQ(conn.state, FERRY_CLOSED);
	CHECK_EQ(conn.error, 0);
}

UNIT(conn_close__data_after)
{
	establish(0);
	fin();
	ferry_conn_orphan(&conn, now, FERRY_LINGER2_DEFAULT);
	output();
	data_in(0, 1, 5, 0);
	CHECK(result.events & FERRY_EVENT_CLOSED);
	CHECK_EQ(result.drop, FERRY_DROP_CLOSED);
	CHECK_EQ(output().kind, FERRY_KIND_RST);
	CHECK_EQ(output().kind, 0);
}

/* Who has not closed, but reads and writes no more: the same, and is told. */
UNIT(conn_close__data_to_the_deaf)
{
	establish(0);
	ferry_conn_deafen(&conn);
	data_in(0, 0, 5, 0);
	CHECK_EQ(result.drop, FERRY_DROP_NONE);
	fin();
	output();
	/* What comes twice is no news. */
	data_in(0, 1, 5, 0);
	CHECK_EQ(conn.state, FERRY_FIN_WAIT1);
	data_in(5, 1, 5, 0);
	CHECK(result.events & FERRY_EVENT_CLOSED);
	CHECK_EQ(result.drop, FERRY_DROP_CLOSED);
	CHECK_EQ(conn.error, -ECONNRESET);
	CHECK_EQ(output().kind, FERRY_KIND_RST);
}

UNIT(conn_close__fin_wait_2)
{
	establish(0);
	fin();
	ferry_conn_orphan(&conn, now, FERRY_LINGER2_DEFAULT);
	output();
	data_in(0, 1, 0, 0);
	CHECK_EQ(conn.state, FERRY_FIN_WAIT2);
	CHECK_EQ(ferry_conn_deadline(&conn), now + FERRY_LINGER2_DEFAULT);
	timer(FERRY_LINGER2_DEFAULT);
	CHECK_EQ(conn.state, FERRY_CLOSED);
	CHECK_EQ(output().kind, 0);

	/* Whoever may still read waits for ever. */
	establish(0);
	fin();
	output();
	data_in(0, 1, 0, 0);
	CHECK_EQ(ferry_conn_deadline(&conn), U64_MAX);
}

UNIT(conn_close__time_wait)
{
	struct ferry_timewait tw;
	struct ferry_seg seg, ack;

	establish(0);
	fin();
	output();
	data_in(0, 1, 0, FERRY_F_FIN);
	CHECK_EQ(conn.state, FERRY_TIME_WAIT);
	output();
	ferry_timewait_init(&tw, &conn, now);
	CHECK(tw.deadline >= now + SECOND && tw.deadline <= now + 60 * SECOND);

	/* The FIN again: answered, and the time begins anew. */
	now += SECOND / 2;
	seg = data(0, 1, 0, FERRY_F_FIN);
	CHECK_EQ(ferry_timewait_in(&tw, &seg, now, &ack), FERRY_TIMEWAIT_ACK);
	CHECK_EQ(ack.ack, IRS + 2);
	CHECK_EQ(ack.seq, ISS + 2);
	CHECK(tw.deadline >= now + SECOND);

	seg = syn;
	seg.seq = IRS + 1;
	CHECK_EQ(ferry_timewait_in(&tw, &seg, now, &ack), FERRY_TIMEWAIT_ACK);
	seg.seq = IRS + 2;
	CHECK_EQ(ferry_timewait_in(&tw, &seg, now, &ack),
		 FERRY_TIMEWAIT_REOPEN);
	seg = (struct ferry_seg) { .kind = FERRY_KIND_RST, .seq = IRS + 1 };
	CHECK_EQ(ferry_timewait_in(&tw, &seg, now, &ack),
		 FERRY_TIMEWAIT_IGNORE);
	seg.seq++;
	CHECK_EQ(ferry_timewait_in(&tw, &seg, now, &ack), FERRY_TIMEWAIT_DEAD);
}

/* The peer's TIME_WAIT is over, and with it the ACK: its RST is as good. */
UNIT(conn_close__reset_for_the_last_ack)
{
	struct ferry_seg seg = { .kind = FERRY_KIND_RST, .seq = IRS + 2 };

	establish(0);
	data_in(0, 0, 0, FERRY_F_FIN);
	fin();
	output();
	in(&seg);
	CHECK_EQ(conn.state, FERRY_CLOSED);
	CHECK_EQ(conn.error, 0);

	/* Not if there was more to be acknowledged. */
	establish(0);
	data_in(0, 0, 0, FERRY_F_FIN);
	queue_bytes(10);
	fin();
	output();
	in(&seg);
	CHECK_EQ(conn.error, -ECONNRESET);
}

UNIT(conn_abort__is_a_reset)
{
	struct ferry_seg seg;

	establish(0);
	queue_bytes(10);
	output();
	ferry_conn_abort(&conn);
	seg = output();
	CHECK_EQ(seg.kind, FERRY_KIND_RST);
	CHECK_EQ(seg.seq, ISS + 1 + 10);
	CHECK_EQ(output().kind, 0);
	CHECK_EQ(ferry_conn_deadline(&conn), U64_MAX);

	/* A peer that knows of nothing is told nothing. */
	syn_sent(0);
	ferry_conn_abort(&conn);
	CHECK_EQ(output().kind, 0);
}

UNIT(conn_stray__answers)
{
	struct ferry_seg rst, seg = data(7, 9, 3, FERRY_F_FIN);

	CHECK(ferry_conn_stray(&seg, &rst));
	CHECK_EQ(rst.kind, FERRY_KIND_RST);
	CHECK_EQ(rst.seq, seg.ack);
	CHECK_EQ(rst.ack, seg.seq + 4);
	CHECK(ferry_conn_stray(&syn, &rst));
	CHECK_EQ(rst.seq, 0);
	CHECK_EQ(rst.ack, IRS + 1);
	CHECK(!ferry_conn_stray(&rst, &seg));
}

/* A path of small packets: MSS is too large, and the base below it is this. */
#define NARROW	536

static void time_out(u32 times)
{
	while (conn.out->rtt.backoff < times) {
		output();
		timer(ferry_conn_deadline(&conn) - now);
	}
}

static void narrow(void)
{
	establish(0);
	queue_bytes(8 * MSS);
	time_out(2);
}

static void ack_all(void)
{
	now += 10 * MS;
	data_in(0, conn.snd_nxt - ISS - 1, 0, 0);
}

/* The same, and it has found that out, has recovered, and has much to send. */
static void narrowed(void)
{
	narrow();
	do {
		output();
		ack_all();
	} while (conn.snd_una != conn.snd_end ||
		 conn.out->cong.state != FERRY_CONG_OPEN);
	queue_bytes(20 * MSS);
}

UNIT(conn_path__black_hole)
{
	struct ferry_seg seg;

	narrow();
	CHECK(result.events & FERRY_EVENT_BLACK_HOLE);
	CHECK_EQ(conn.mss, NARROW);
	CHECK_EQ(conn.out->cong.mss, NARROW);
	seg = output();
	CHECK_EQ(seg.seq, ISS + 1);
	CHECK_EQ(seg.len, NARROW);
	CHECK_EQ(seg.mss, NARROW);
	/* The peer waits for more than that. */
	CHECK_EQ(seg.flags, FERRY_F_ASK);
}

/* Nothing is wrong with a path on which one was lost, or nothing large was. */
UNIT(conn_path__no_black_hole)
{
	establish(0);
	queue_bytes(20 * MSS);
	time_out(1);
	CHECK_EQ(conn.mss, MSS);
	CHECK_EQ(output().flags, 0);

	establish(0);
	queue_bytes(FERRY_MSS_MIN);
	time_out(4);
	CHECK_EQ(conn.mss, MSS);
}

UNIT(conn_path__probe_travels_whole)
{
	struct ferry_seg seg;
	u32 segments;

	narrowed();
	CHECK_EQ(conn.mss, NARROW);
	segments = conn.count.segs_out;
	seg = output();
	CHECK_EQ(seg.len, MSS);
	CHECK_EQ(seg.mss, MSS);
	/* One at a time, and the rest as ever: it is one segment. */
	CHECK_EQ(conn.out->pmtu.size, MSS);
	CHECK_EQ(conn.count.segs_out - segments,
		 1 + (conn.snd_nxt - seg.seq - MSS + NARROW - 1) / NARROW);
	ack_all();
	CHECK_EQ(conn.mss, MSS);
	CHECK_EQ(conn.out->cong.mss, MSS);
	CHECK_EQ(output().flags & FERRY_F_ASK, 0);
}

/* RFC 4821, 7.5. It is sent again in pieces that get through. */
UNIT(conn_path__lost_probe_is_no_congestion)
{
	struct ferry_seg seg;
	u64 from;
	u32 cwnd;

	narrowed();
	seg = output();
	from = seg.seq - ISS - 1;
	cwnd = conn.out->cong.cwnd;
	now += 10 * MS;
	sack_in(from, from + MSS, from + MSS + 4 * NARROW);
	CHECK(result.events & FERRY_EVENT_PROBE_LOST);
	CHECK_EQ(conn.out->lost, MSS);
	CHECK_EQ(conn.out->cong.state, FERRY_CONG_OPEN);
	CHECK(conn.out->cong.cwnd >= cwnd);
	seg = output();
	CHECK_EQ(seg.seq, ISS + 1 + from);
	CHECK_EQ(seg.mss, NARROW);
	CHECK_EQ(conn.mss, NARROW);
	/* That it comes at last does not mean that it was not too large. */
	CHECK_EQ(conn.out->pmtu.high, MSS - 1);
}

/* What is lost besides it is what it always is. */
UNIT(conn_path__other_losses_are)
{
	u64 from;

	narrowed();
	from = output().seq - ISS - 1;
	now += 10 * MS;
	sack_in(from, from + MSS + NARROW, from + MSS + 5 * NARROW);
	CHECK(result.events & FERRY_EVENT_PROBE_LOST);
	CHECK_EQ(conn.out->lost, MSS + NARROW);
	CHECK_EQ(conn.out->cong.state, FERRY_CONG_RECOVERY);
}

/* New data waits until there is room for it; but not if it helped nothing before. */
UNIT(conn_path__probe_waits_for_room)
{
	narrowed();
	conn.out->cong.cwnd = 2400;
	conn.snd_end = conn.snd_nxt + 3 * NARROW;
	CHECK_EQ(output().len, 3 * NARROW);
	queue_bytes(20 * MSS);
	CHECK_EQ(output().kind, 0);
	ferry_pmtu_unfit(&conn.out->pmtu, now);
	CHECK_EQ(output().len, NARROW);
	ack_all();
	CHECK_EQ(output().len, MSS);

	/* A record is shorter: it is no probe. */
	narrowed();
	CHECK(ferry_pmtu_may_wait(&conn.out->pmtu, now));
	conn.snd_end = conn.snd_nxt + 10 * MSS;
	shorter = 100;
	CHECK_EQ(output().len, 100);
	shorter = 0;
	CHECK_EQ(conn.out->pmtu.size, 0);
	CHECK(!ferry_pmtu_may_wait(&conn.out->pmtu, now));
}

/* Its loss is to mean nothing but its size. */
UNIT(conn_path__no_probe_in_recovery)
{
	narrowed();
	conn.out->cong.state = FERRY_CONG_RECOVERY;
	conn.out->cong.recover = conn.snd_end;
	CHECK(output().len);
	CHECK_EQ(conn.out->pmtu.size, 0);
}

/* If nothing would follow, its loss would cost a time-out. */
UNIT(conn_path__no_probe_at_the_end)
{
	narrowed();
	conn.snd_end = conn.snd_nxt + 3 * NARROW + FERRY_PMTU_STEP - 1;
	output();
	CHECK_EQ(conn.out->pmtu.size, 0);
	narrowed();
	conn.snd_end = conn.snd_nxt + MSS + 2 * NARROW;
	output();
	CHECK_EQ(conn.out->pmtu.size, MSS);
}

UNIT(conn_path__device)
{
	struct ferry_seg seg;

	establish(0);
	queue_bytes(5 * MSS);
	output();
	ferry_conn_device(&conn, 300, 3000, now);
	CHECK_EQ(conn.mss, 300);
	CHECK_EQ(conn.batch, 3000);
	ack_all();
	queue_bytes(20 * MSS);
	seg = output();
	CHECK_EQ(seg.mss, 300);
	CHECK(seg.len <= 3000 && seg.len % 300 == 0);
	/* As wide again, and more: what was agreed on is tried, at once. */
	ack_all();
	ferry_conn_device(&conn, 9000, 9000, now);
	CHECK_EQ(conn.mss, 300);
	seg = output();
	CHECK_EQ(seg.len, MSS);
	CHECK_EQ(seg.mss, MSS);
	ack_all();
	CHECK_EQ(conn.mss, MSS);
}

UNIT(conn_path__device_before_the_handshake)
{
	struct ferry_conn_setup with = setup(0);
	struct ferry_seg seg = synack();

	reset_owner();
	ferry_conn_connect(&conn, &with, now);
	output();
	ferry_conn_device(&conn, 400, 4000, now);
	CHECK_EQ(conn.mss, 400);
	ferry_conn_device(&conn, 9000, 9000, now);
	in(&seg);
	CHECK_EQ(conn.mss, 400);
}

/* What a small packet weighs depends on a segment's size. */
UNIT(conn_path__weights)
{
	establish(12);
	enqueue(9, FERRY_F_EOR);
	output();
	CHECK_EQ(ferry_conn_inflight(&conn), FERRY_WEIGHT_MIN);
	ferry_conn_device(&conn, FERRY_MSS_MIN, 2000, now);
	CHECK_EQ(ferry_conn_inflight(&conn), FERRY_MSS_MIN);
	ack_all();
	CHECK_EQ(ferry_conn_inflight(&conn), 0);
}
