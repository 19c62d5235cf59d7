// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt moderation. See nic_moderate.h.
 */
#ifndef __KERNEL__
#include "user.h"
#endif

#include "nic_moderate.h"

#define LONGEST_GAP	0xffffffffULL	/* in nanoseconds */

/**
 * ferry_nic_moderate_init() - make a queue's state: immediate, nothing seen
 * @m: state to fill
 */
void ferry_nic_moderate_init(struct ferry_nic_moderate *m)
{
	*m = (struct ferry_nic_moderate) {
		.probe_after = FERRY_NIC_MODERATE_PROBE_MIN,
	};
}

/**
 * ferry_nic_moderate_seen() - count a frame that needs no decision
 * @m: state of its queue
 *
 * For frames that arrive while the interrupt is masked.
 */
void ferry_nic_moderate_seen(struct ferry_nic_moderate *m)
{
	if (m->count)
		m->count++;
}

/* Count from this frame on. */
static void begin_counting(struct ferry_nic_moderate *m, __u64 now)
{
	m->since = now;
	m->count = 1;
}

/*
 * How far are frames apart? Measured over those that were counted; the clock
 * may differ a little from one processor to another.
 */
static __u32 gap_measured(const struct ferry_nic_moderate *m, __u64 now)
{
	__u64 nsecs = now > m->since ? now - m->since : 0;

	if (nsecs > LONGEST_GAP || m->count < 2)
		return LONGEST_GAP;
	return (__u32)nsecs / (m->count - 1);
}

/* rx-usecs, in nanoseconds */
static __u64 set_time(const struct ferry_nic_moderate_conf *conf)
{
	return conf->usecs * 1000ULL;
}

static __u64 longest_wait(const struct ferry_nic_moderate_conf *conf)
{
	return set_time(conf) * FERRY_NIC_MODERATE_STRETCH;
}

static bool worth_a_wait(struct ferry_nic_moderate *m,
			 const struct ferry_nic_moderate_conf *conf, __u64 now)
{
	__u32 gap;

	if (!conf->usecs)
		return false;
	if (!conf->adaptive)
		return true;
	if (!m->credit && m->count <= m->probe_after)
		return false;

	gap = gap_measured(m, now);
	if ((__u64)gap * FERRY_NIC_MODERATE_BATCH > longest_wait(conf)) {
		begin_counting(m, now);
		if (m->credit)
			m->credit--;
		return false;
	}
	/* Of few frames, the gap is rather the length of the last wait. */
	if (!m->credit)
		m->gap = gap;
	else if (m->count > FERRY_NIC_MODERATE_BATCH)
		m->gap = m->gap - m->gap / 8 + gap / 8;
	begin_counting(m, now);
	if (!m->credit)
		m->credit = FERRY_NIC_MODERATE_GRANTED + 1;
	return true;
}

/**
 * ferry_nic_moderate_frame() - decide about a frame while not masked
 * @m: state of its queue
 * @conf: what is set
 * @len: length of the frame, in bytes
 * @now: time, in nanoseconds
 *
 * A long frame takes as long to carry as many short ones, so it counts as
 * many: as the buffers that a card would have scattered it over.
 *
 * Return: whether to interrupt, to begin a wait or to go on waiting. After
 * FERRY_NIC_HOLD the wait is on until ferry_nic_moderate_end().
 */
enum ferry_nic_verdict
ferry_nic_moderate_frame(struct ferry_nic_moderate *m,
			 const struct ferry_nic_moderate_conf *conf,
			 __u32 len, __u64 now)
{
	bool begin = !m->holding;

	if (m->count)
		m->count++;
	else
		begin_counting(m, now);

	if (begin) {
		if (!worth_a_wait(m, conf, now))
			return FERRY_NIC_RAISE;
		m->held = 0;
		m->fresh = 0;
		m->waited = 0;
		m->stalled = false;
	}

	m->fresh++;
	m->held += 1 + len / FERRY_NIC_MODERATE_BUFFER;
	m->holding = true;
	if (conf->frames && m->held >= conf->frames)
		return FERRY_NIC_RAISE;
	return begin ? FERRY_NIC_HOLD : FERRY_NIC_WAIT;
}

/**
 * ferry_nic_moderate_time() - how long until the wait is looked at next
 * @m: state of the queue
 * @conf: what is set
 *
 * Return: nanoseconds.
 */
__u64 ferry_nic_moderate_time(const struct ferry_nic_moderate *m,
			      const struct ferry_nic_moderate_conf *conf)
{
	__u64 gaps = (__u64)m->gap * FERRY_NIC_MODERATE_GAPS;

	if (conf->adaptive && gaps > set_time(conf))
		return gaps;
	return set_time(conf);
}

/**
 * ferry_nic_moderate_look() - look at the wait that is on
 * @m: state of the queue
 * @conf: what is set
 *
 * Return: whether to go on waiting, for ferry_nic_moderate_time() again; else
 * interrupt now.
 */
bool ferry_nic_moderate_look(struct ferry_nic_moderate *m,
			     const struct ferry_nic_moderate_conf *conf)
{
	m->stalled = m->fresh < FERRY_NIC_MODERATE_COMPANY;
	m->fresh = 0;
	m->waited += ferry_nic_moderate_time(m, conf);
	return conf->adaptive && !m->stalled && m->waited < longest_wait(conf);
}

/**
 * ferry_nic_moderate_end() - end the wait that is on, and learn from it
 * @m: state of the queue
 * @frames: how many frames it collected
 *
 * Return: whether it has paid.
 */
bool ferry_nic_moderate_end(struct ferry_nic_moderate *m, __u32 frames)
{
	m->holding = false;
	if (frames >= FERRY_NIC_MODERATE_BATCH && !m->stalled) {
		m->probe_after = FERRY_NIC_MODERATE_PROBE_MIN;
		m->credit += FERRY_NIC_MODERATE_EARNED;
		if (m->credit > FERRY_NIC_MODERATE_CREDIT)
			m->credit = FERRY_NIC_MODERATE_CREDIT;
		return true;
	}

	m->credit -= !!m->credit;
	if (!m->credit) {
		m->count = 0;
		if (m->probe_after < FERRY_NIC_MODERATE_PROBE_MAX)
			m->probe_after *= 2;
	}
	return false;
}
