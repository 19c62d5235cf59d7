// SPDX-License-Identifier: GPL-2.0-only
/*
 * The receive window. See rwnd.h.
 */
#ifdef __KERNEL__
#include <linux/math64.h>
#include <linux/minmax.h>
#else
#include "user.h"
#endif

#include "rtt.h"
#include "rwnd.h"

/* No buffer is larger, so that products of two of them fit into 64 bits. */
#define SPACE_MAX		0x40000000U

/* Room beyond twice of what is read, for a sender in slow start, in segments. */
#define SLOW_START_SEGMENTS	16

/**
 * ferry_rwnd_init() - the window of a new connection
 * @rwnd: the state
 * @nxt: RCV.NXT
 * @window: bytes that its SYN or SYN-ACK advertises
 *
 * Context: any; pure.
 */
void ferry_rwnd_init(struct ferry_rwnd *rwnd, u64 nxt, u32 window)
{
	*rwnd = (struct ferry_rwnd) {
		.edge = nxt + window,
		.round_seq = nxt,
		/*
		 * No more than a window can be read in a round trip: to find
		 * that one full window is too little, less has to be enough.
		 */
		.space = max_t(u32, window / 4, 1),
	};
}

/* Where the right edge would be if told now. */
static u64 edge_at(const struct ferry_rwnd *rwnd, u64 nxt, u32 free,
		   u32 capacity, u32 mss)
{
	u64 held = max_t(u64, rwnd->edge, nxt);
	u64 edge = nxt + free;

	return edge >= held + min_t(u32, capacity / 2, mss) ? edge : held;
}

/**
 * ferry_rwnd_select() - the window that a packet about to be sent advertises
 * @rwnd: the state, whose edge moves if the window does
 * @nxt: RCV.NXT
 * @free: bytes of payload that the receive buffer has room for now
 * @capacity: bytes of payload that it has room for when empty
 * @mss: largest segment the peer sends, in bytes
 *
 * The right edge never moves left (RFC 1122, 4.2.2.16), and right only by
 * a segment or by half the buffer, whichever is less: silly window avoidance
 * (RFC 1122, 4.2.3.3).
 *
 * Context: any; pure.
 * Return: bytes.
 */
u32 ferry_rwnd_select(struct ferry_rwnd *rwnd, u64 nxt, u32 free, u32 capacity,
		      u32 mss)
{
	rwnd->edge = edge_at(rwnd, nxt, free, capacity, mss);
	return rwnd->edge - nxt;
}

/**
 * ferry_rwnd_opens() - whether a packet sent now would open the window further
 * @rwnd: the state
 * @nxt: RCV.NXT
 * @free: bytes of payload that the receive buffer has room for now
 * @capacity: bytes of payload that it has room for when empty
 * @mss: largest segment the peer sends, in bytes
 *
 * Context: any; pure.
 * Return: whether its right edge would move.
 */
bool ferry_rwnd_opens(const struct ferry_rwnd *rwnd, u64 nxt, u32 free,
		      u32 capacity, u32 mss)
{
	return edge_at(rwnd, nxt, free, capacity, mss) > rwnd->edge;
}

/**
 * ferry_rwnd_update_due() - whether to tell the peer of a larger window now
 * @rwnd: the state
 * @nxt: RCV.NXT
 * @free: bytes of payload that the receive buffer has room for now
 * @capacity: bytes of payload that it has room for when empty
 * @mss: largest segment the peer sends, in bytes
 *
 * To be asked when the application has read something. True if the edge would
 * move and the window be at least twice what is left of it: often enough that
 * a sender is not held up, seldom enough that reading in small pieces does not
 * send a packet for each (as Linux TCP).
 *
 * Context: any; pure.
 * Return: whether to.
 */
bool ferry_rwnd_update_due(const struct ferry_rwnd *rwnd, u64 nxt, u32 free,
			   u32 capacity, u32 mss)
{
	if (!ferry_rwnd_opens(rwnd, nxt, free, capacity, mss))
		return false;
	return free / 2 >= ferry_rwnd_current(rwnd, nxt);
}

/**
 * ferry_rwnd_measure() - the round-trip time, for an end that only receives
 * @rwnd: the state
 * @sample: microseconds between sending a packet and the arrival of a data
 *	segment that echoes its time stamp; FERRY_RTT_NONE changes nothing
 *
 * It has the sender's pauses in it, so it follows down at once and up slowly.
 *
 * Context: any; pure.
 */
void ferry_rwnd_measure(struct ferry_rwnd *rwnd, u32 sample)
{
	if (sample == FERRY_RTT_NONE)
		return;
	sample = clamp_t(u32, sample, 1, FERRY_RTO_MAX);
	if (!rwnd->rtt || sample << 3 < rwnd->rtt)
		rwnd->rtt = sample << 3;
	else
		rwnd->rtt += sample - (rwnd->rtt >> 3);
}

/**
 * ferry_rwnd_read() - size the buffer by what the application reads in a round
 * trip
 * @rwnd: the state
 * @now: the time
 * @seq: the sequence number up to which it has read
 * @mss: largest segment the peer sends, in bytes
 * @max: the largest window to ask for, in bytes
 *
 * Dynamic right-sizing, as Linux TCP has it: the buffer is to hold twice what
 * is read in a round trip, so that a sender in slow start can double; and
 * more still if what is read grows.
 *
 * Context: any; pure. A division at most once a round trip.
 * Return: bytes that the receive buffer should have room for; 0: no news.
 */
u32 ferry_rwnd_read(struct ferry_rwnd *rwnd, u64 now, u64 seq, u32 mss,
		    u32 max)
{
	u64 wanted, copied;

	if (!rwnd->rtt)
		return 0;
	if (rwnd->round_at && now - rwnd->round_at < rwnd->rtt >> 3)
		return 0;

	max = min_t(u32, max, SPACE_MAX);
	copied = min_t(u64, seq - rwnd->round_seq, max);
	if (!rwnd->round_at)
		copied = 0;
	rwnd->round_at = now;
	rwnd->round_seq = seq;
	if (copied <= rwnd->space)
		return 0;

	wanted = 2 * copied + SLOW_START_SEGMENTS * mss;
	/* The sender's window grows: by the next round trip it has again. */
	wanted += 2 * div_u64(wanted * (copied - rwnd->space), rwnd->space);
	rwnd->space = copied;
	return min_t(u64, wanted, max);
}

/**
 * ferry_rwnd_worth_sending() - the sender's part in avoiding silly windows
 * (RFC 1122, 4.2.3.4)
 * @queued: bytes of payload that wait to be sent
 * @usable: bytes that the peer's window still takes
 * @mss: largest segment, in bytes
 * @max_window: largest window that the peer advertises, in bytes
 *
 * Without Nagle's algorithm: a short segment may go if it takes all that waits.
 *
 * Context: any; pure.
 * Return: whether to send now; if not, a timer must (0.1 to 1 s, the same
 * section) so that no two ends wait for each other.
 */
bool ferry_rwnd_worth_sending(u32 queued, u32 usable, u32 mss, u32 max_window)
{
	u32 len = min_t(u32, queued, usable);

	if (!len)
		return false;
	return len >= mss || queued <= usable || len >= max_window / 2;
}
