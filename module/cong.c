// SPDX-License-Identifier: GPL-2.0-only
/*
 * Congestion control: what every algorithm shares. See cong.h.
 */
#ifdef __KERNEL__
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/string.h>
#else
#include <string.h>
#include "user.h"
#endif

#include "cong.h"
#include "rtt.h"

/* RFC 6928, 2 */
#define INITIAL_SEGMENTS	10
#define INITIAL_BYTES		14600U

/* RFC 9406, 4.3 */
#define HYSTART_SAMPLES		8
#define HYSTART_THRESH_MIN	4000U
#define HYSTART_THRESH_MAX	16000U
#define HYSTART_CSS_DIVISOR	4
#define HYSTART_CSS_ROUNDS	5

/*
 * The most that one ACK makes slow start grow by: RFC 9406's L of eight
 * segments, and no less than two of the large ones that a device cuts up, which
 * one ACK may be for.
 */
#define SLOW_START_SEGMENTS	8
#define SLOW_START_BYTES	131072U

/* The default first. */
static const struct ferry_cong_ops *const algorithms[] = {
	&ferry_cong_cubic,
	&ferry_cong_newreno,
};

/**
 * ferry_cong_get() - the algorithms there are
 * @index: 0, which is the default, and up
 *
 * Context: any; pure.
 * Return: the algorithm; NULL past the last.
 */
const struct ferry_cong_ops *ferry_cong_get(unsigned int index)
{
	return index < ARRAY_SIZE(algorithms) ? algorithms[index] : NULL;
}

/**
 * ferry_cong_index() - which algorithm it is
 * @ops: the algorithm, one of those that there are
 *
 * Context: any; pure.
 * Return: its index, for ferry_cong_get().
 */
unsigned int ferry_cong_index(const struct ferry_cong_ops *ops)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(algorithms) - 1; i++)
		if (algorithms[i] == ops)
			break;
	return i;
}

/**
 * ferry_cong_find() - an algorithm by its name
 * @name: the name
 *
 * Context: any; pure.
 * Return: the algorithm; NULL if there is none of that name.
 */
const struct ferry_cong_ops *ferry_cong_find(const char *name)
{
	const struct ferry_cong_ops *ops;
	unsigned int i;

	for (i = 0; (ops = ferry_cong_get(i)); i++)
		if (!strcmp(ops->name, name))
			break;
	return ops;
}

/**
 * ferry_cong_initial_window() - what a connection begins with (RFC 6928)
 * @mss: largest segment in bytes
 *
 * Ten segments, but at most 14,600 bytes, or two segments if those are more.
 *
 * Context: any; pure.
 * Return: bytes.
 */
u32 ferry_cong_initial_window(u32 mss)
{
	return min_t(u32, INITIAL_SEGMENTS * mss,
		     max_t(u32, 2 * mss, INITIAL_BYTES));
}

/**
 * ferry_cong_init() - a new connection
 * @cong: the state
 * @ops: its algorithm
 * @mss: largest segment in bytes
 * @iss: its initial sequence number
 *
 * Context: any; pure.
 */
void ferry_cong_init(struct ferry_cong *cong, const struct ferry_cong_ops *ops,
		     u32 mss, u64 iss)
{
	*cong = (struct ferry_cong) {
		.ops = ops,
		.recover = iss,
		.used_until = iss,
		.cwnd = ferry_cong_initial_window(mss),
		.ssthresh = FERRY_CONG_CWND_MAX,
		.mss = mss,
		.hystart = {
			.round_end = iss,
			.last_min = FERRY_RTT_NONE,
			.this_min = FERRY_RTT_NONE,
		},
	};
}

/**
 * ferry_cong_switch() - another algorithm for a connection
 * @cong: the state; windows stay as they are
 * @ops: the algorithm
 *
 * Context: any; pure.
 */
void ferry_cong_switch(struct ferry_cong *cong,
		       const struct ferry_cong_ops *ops)
{
	if (cong->ops == ops)
		return;
	cong->ops = ops;
	memset(&cong->cubic, 0, sizeof(cong->cubic));
	cong->grown = 0;
	cong->hystart.css_rounds = 0;
	/* What the other algorithm remembers of the last loss is gone. */
	cong->undo_cwnd = 0;
}

/**
 * ferry_cong_set_mss() - the largest segment is another
 * @cong: the state
 * @mss: in bytes
 *
 * Windows stay as they are, but for those that would hold less than a segment,
 * and for the initial window of a connection that sent nothing yet.
 *
 * Context: any; pure.
 */
void ferry_cong_set_mss(struct ferry_cong *cong, u32 mss)
{
	cong->mss = mss;
	if (cong->sent_at)
		cong->cwnd = max_t(u32, cong->cwnd, mss);
	else
		cong->cwnd = ferry_cong_initial_window(mss);
	cong->ssthresh = max_t(u32, cong->ssthresh, 2 * mss);
}

/**
 * ferry_cong_on_restart() - about to send, and nothing is in flight
 * @cong: the state
 * @now: the time
 * @rto: retransmission timeout without back-off
 *
 * For each @rto that nothing was sent, the window falls by half, down to the
 * initial one (RFC 2861): what it knew of the path is stale.
 *
 * Context: any; pure.
 */
void ferry_cong_on_restart(struct ferry_cong *cong, u64 now, u32 rto)
{
	u32 least = min_t(u32, cong->cwnd,
			  ferry_cong_initial_window(cong->mss));
	u64 idle = now - cong->sent_at;

	if (!cong->sent_at || idle <= rto)
		return;

	/* It was known that so much gets through: slow start will be swift. */
	cong->ssthresh = max_t(u32, cong->ssthresh,
			       cong->cwnd / 2 + cong->cwnd / 4);
	for (; idle > rto && cong->cwnd > least; idle -= rto)
		cong->cwnd /= 2;
	cong->cwnd = max_t(u32, cong->cwnd, least);
	cong->used = 0;
	cong->limited = false;
}

/**
 * ferry_cong_on_sent() - a segment was sent
 * @cong: the state
 * @now: the time
 * @bytes: of payload
 * @retransmission: whether it is one
 *
 * Context: any; pure.
 */
void ferry_cong_on_sent(struct ferry_cong *cong, u64 now, u32 bytes,
			bool retransmission)
{
	cong->sent_at = now;
	if (cong->state == FERRY_CONG_RECOVERY)
		cong->prr_out += bytes;
	if (!retransmission || !cong->undo_cwnd)
		return;
	if (!cong->undo_retrans) {
		cong->retrans_at = now;
		cong->echo_decides = true;
	}
	cong->undo_retrans++;
}

/**
 * ferry_cong_on_burst() - sent as much as may be for now
 * @cong: the state
 * @una: SND.UNA
 * @nxt: SND.NXT
 * @inflight: bytes in flight
 * @limited: whether there is more to send that only @cong->cwnd held back
 *
 * Context: any; pure.
 */
void ferry_cong_on_burst(struct ferry_cong *cong, u64 una, u64 nxt,
			 u32 inflight, bool limited)
{
	/* A new window, or this one is used more than was known. */
	if (una < cong->used_until && !limited &&
	    (cong->limited || inflight <= cong->used))
		return;
	cong->used = inflight;
	cong->used_until = nxt;
	cong->limited = limited;
}

/* Whether a larger window would be used (RFC 7661, 4.1; in slow start, twice). */
static bool validated(const struct ferry_cong *cong)
{
	if (cong->limited)
		return true;
	return ferry_cong_slow_start(cong) && cong->cwnd < 2 * cong->used;
}

/* There was congestion: the threshold, and what it takes to undo this. */
static void reduce(struct ferry_cong *cong)
{
	u32 window = cong->cwnd;

	/* What was not used proves nothing of the path (RFC 9438, 4.6). */
	if (!cong->limited)
		window = min_t(u32, window, cong->used);

	cong->undo_cwnd = cong->cwnd;
	cong->undo_ssthresh = cong->ssthresh;
	cong->undo_retrans = 0;
	cong->echo_decides = false;
	cong->hystart.css_rounds = 0;
	cong->grown = 0;
	cong->ssthresh = max_t(u32, cong->ops->ssthresh(cong, window),
			       2 * cong->mss);
}

static bool undo(struct ferry_cong *cong)
{
	cong->cwnd = max_t(u32, cong->cwnd, cong->undo_cwnd);
	cong->ssthresh = max_t(u32, cong->ssthresh, cong->undo_ssthresh);
	cong->undo_cwnd = 0;
	cong->echo_decides = false;
	cong->state = FERRY_CONG_OPEN;
	if (cong->ops->on_undo)
		cong->ops->on_undo(cong);
	return true;
}

/**
 * ferry_cong_on_loss() - segments were found lost
 * @cong: the state
 * @una: SND.UNA
 * @nxt: SND.NXT
 *
 * One reduction a window: a loss within a recovery is of the same event
 * (RFC 6582).
 *
 * Context: any; pure.
 * Return: whether a recovery begins.
 */
bool ferry_cong_on_loss(struct ferry_cong *cong, u64 una, u64 nxt)
{
	if (cong->state != FERRY_CONG_OPEN)
		return false;
	reduce(cong);
	cong->state = FERRY_CONG_RECOVERY;
	cong->recover = nxt;
	cong->prr_delivered = 0;
	cong->prr_out = 0;
	cong->prr_flight = clamp_t(u64, nxt - una, 1, FERRY_CONG_CWND_MAX);
	return true;
}

/**
 * ferry_cong_on_rto() - the retransmission timer expired
 * @cong: the state
 * @nxt: SND.NXT
 * @inflight: bytes still in flight: the connection marks what is lost first
 *
 * One segment may be sent on top of what is in flight, which is nothing as
 * a rule (RFC 5681, 3.1; RFC 8985, 6.3). A second time-out before all that was
 * sent by the first is acknowledged does not lower the threshold again.
 *
 * Context: any; pure.
 */
void ferry_cong_on_rto(struct ferry_cong *cong, u64 nxt, u32 inflight)
{
	if (cong->state == FERRY_CONG_OPEN)
		reduce(cong);
	cong->state = FERRY_CONG_LOSS;
	cong->recover = nxt;
	cong->grown = 0;
	cong->cwnd = min_t(u64, (u64)inflight + cong->mss, FERRY_CONG_CWND_MAX);
	if (cong->ops->on_rto)
		cong->ops->on_rto(cong);
}

/**
 * ferry_cong_on_echo() - an ACK that moved SND.UNA echoes a time stamp (Eifel,
 * RFC 3522)
 * @cong: the state
 * @echo: the stamp, the low 32 bits of the microseconds
 *
 * If the stamp is older than the first retransmission, then the original has
 * arrived, nothing was lost, and the reduction is taken back.
 *
 * Context: any; pure.
 * Return: whether it was: the connection takes what it marked as lost for being
 * in flight again.
 */
bool ferry_cong_on_echo(struct ferry_cong *cong, u32 echo)
{
	if (!cong->echo_decides || cong->state == FERRY_CONG_OPEN)
		return false;
	/* The first ACK that moves SND.UNA decides (RFC 3522, 3.2, step 4). */
	cong->echo_decides = false;
	if ((s32)(echo - cong->retrans_at) >= 0)
		return false;
	return undo(cong);
}

/**
 * ferry_cong_on_dsack() - an ACK reports a retransmission that arrived twice
 * (RFC 3708)
 * @cong: the state
 *
 * Once for each retransmitted segment that is reported. If all of them are, then
 * nothing was lost, and the reduction is taken back.
 *
 * Context: any; pure.
 * Return: whether it was.
 */
bool ferry_cong_on_dsack(struct ferry_cong *cong)
{
	if (!cong->undo_cwnd || !cong->undo_retrans)
		return false;
	if (--cong->undo_retrans)
		return false;
	return undo(cong);
}

/*
 * RFC 6937, 3, with the bounds that Linux has made of its two: as much as
 * arrives may leave, in the proportion of the reduction while there is more in
 * flight than the threshold; below, one segment more if the ACK is good news.
 */
static void proportional_reduce(struct ferry_cong *cong,
				const struct ferry_cong_ack *ack)
{
	s64 quota, balance;

	cong->prr_delivered += ack->delivered;
	balance = (s64)cong->prr_delivered - cong->prr_out;

	if (ack->inflight > cong->ssthresh) {
		quota = div_u64((u64)cong->prr_delivered * cong->ssthresh +
				cong->prr_flight - 1, cong->prr_flight);
		quota -= cong->prr_out;
	} else {
		quota = max_t(s64, balance, ack->delivered);
		if (ack->acked && !ack->lost)
			quota += cong->mss;
		quota = min_t(s64, quota, cong->ssthresh - ack->inflight);
	}

	/* What is lost is sent again at once, be there room or not. */
	if (!cong->prr_out)
		quota = max_t(s64, quota, cong->mss);
	quota = max_t(s64, quota, 0);
	cong->cwnd = min_t(s64, ack->inflight + quota, FERRY_CONG_CWND_MAX);
}

/* A round trip is over: once conservative slow start had its rounds, it ends. */
static void hystart_round(struct ferry_cong *cong, u64 nxt)
{
	struct ferry_cong_hystart *hystart = &cong->hystart;

	hystart->round_end = nxt;
	hystart->last_min = hystart->this_min;
	hystart->this_min = FERRY_RTT_NONE;
	hystart->samples = 0;
	if (hystart->css_rounds &&
	    hystart->css_rounds++ == HYSTART_CSS_ROUNDS) {
		hystart->css_rounds = 0;
		cong->ssthresh = cong->cwnd;
	}
}

/* RFC 9406, 4.2: does the round-trip time rise, as it does when a queue fills? */
static void hystart_sample(struct ferry_cong_hystart *hystart, u32 rtt)
{
	u32 thresh;

	hystart->this_min = min_t(u32, hystart->this_min, rtt);
	if (hystart->samples < HYSTART_SAMPLES)
		hystart->samples++;
	if (hystart->samples < HYSTART_SAMPLES)
		return;

	if (hystart->css_rounds) {
		/* It was noise. */
		if (hystart->this_min < hystart->baseline)
			hystart->css_rounds = 0;
		return;
	}
	if (hystart->last_min == FERRY_RTT_NONE)
		return;
	thresh = clamp_t(u32, hystart->last_min / 8, HYSTART_THRESH_MIN,
			 HYSTART_THRESH_MAX);
	if (hystart->this_min >= hystart->last_min + thresh) {
		hystart->baseline = hystart->this_min;
		hystart->css_rounds = 1;
	}
}

/* What ends a round was sent in it, so its measurement is of that round. */
static void hystart_update(struct ferry_cong *cong,
			   const struct ferry_cong_ack *ack)
{
	if (ack->rtt != FERRY_RTT_NONE)
		hystart_sample(&cong->hystart, ack->rtt);
	if (ack->una >= cong->hystart.round_end)
		hystart_round(cong, ack->nxt);
}

/* Returns the bytes that are left for congestion avoidance. */
static u32 slow_start(struct ferry_cong *cong, u32 delivered)
{
	u32 limit = max_t(u32, SLOW_START_SEGMENTS * cong->mss,
			  SLOW_START_BYTES);
	u32 grow = min_t(u32, delivered, limit);
	u32 left = cong->ssthresh - cong->cwnd;

	if (cong->hystart.css_rounds)
		grow /= HYSTART_CSS_DIVISOR;
	cong->cwnd += min_t(u32, grow, left);
	return grow > left ? grow - left : 0;
}

static void grow(struct ferry_cong *cong, const struct ferry_cong_ack *ack)
{
	u32 delivered = ack->delivered;

	/* Only the first slow start has to find its end (RFC 9406, 4.3). */
	if (cong->ops->hystart && cong->ssthresh == FERRY_CONG_CWND_MAX)
		hystart_update(cong, ack);
	if (!delivered || !validated(cong))
		return;
	if (ferry_cong_slow_start(cong))
		delivered = slow_start(cong, delivered);
	if (delivered && !ferry_cong_slow_start(cong))
		cong->ops->avoid(cong, ack, delivered);
	cong->cwnd = min_t(u32, cong->cwnd, FERRY_CONG_CWND_MAX);
}

/**
 * ferry_cong_on_ack() - grow, or shrink in proportion while recovering
 * @cong: the state
 * @ack: what the ACK told
 *
 * Context: any; pure. No division but in recovery, and in congestion avoidance
 * once a tick of 1,024 microseconds.
 * Return: whether a recovery, fast or after a timeout, ended with it.
 */
bool ferry_cong_on_ack(struct ferry_cong *cong,
		       const struct ferry_cong_ack *ack)
{
	bool over = cong->state != FERRY_CONG_OPEN &&
		    ack->una >= cong->recover;

	if (cong->state != FERRY_CONG_RECOVERY)
		grow(cong, ack);
	else if (over)
		cong->cwnd = cong->ssthresh;
	else
		proportional_reduce(cong, ack);

	if (over)
		cong->state = FERRY_CONG_OPEN;
	return over;
}

/**
 * ferry_cong_grow() - for algorithms: grow by a segment for each so many bytes
 * @cong: the state
 * @delivered: bytes that arrived
 * @per_mss: bytes that have to arrive for a segment, not 0
 *
 * Context: any; pure.
 */
void ferry_cong_grow(struct ferry_cong *cong, u32 delivered, u32 per_mss)
{
	u32 segments;

	/* Credit from when growth was slower is worth one segment, no more. */
	if (cong->grown >= per_mss) {
		cong->grown = 0;
		cong->cwnd += cong->mss;
	}
	cong->grown += delivered;
	if (cong->grown < per_mss)
		return;
	segments = cong->grown / per_mss;
	cong->grown -= segments * per_mss;
	cong->cwnd = min_t(u64, cong->cwnd + (u64)segments * cong->mss,
			   FERRY_CONG_CWND_MAX);
}
