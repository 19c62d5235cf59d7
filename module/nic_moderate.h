/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt moderation: when a frame that arrived is worth an interrupt.
 *
 * A card that interrupts for each frame is quick and costly; one that waits
 * for company is cheap and slow. This one waits only where waiting has paid.
 *
 *	        +-- 64, 128, ... 65536 frames later, try -->+
 *	IMMEDIATE                                        DEFERRING
 *	        +<-- waits were in vain, or frames got rare -+
 *
 * It starts out immediate. When frames come fast enough, it tries a wait or
 * three; if one paid, it goes on waiting, and if not, it is immediate again and
 * lets twice as many frames pass before it tries the next. So a ping-pong pays
 * next to nothing, and a flood soon shares its interrupts.
 *
 * How fast frames come depends on the machine, so the gap between them is
 * measured. A wait is looked at every rx-usecs, or every four gaps if those are
 * longer, and goes on while frames keep coming, up to sixteen times rx-usecs.
 * It has paid if it collected a batch and the frames came to its end. When they
 * stop, who sent them may well be waiting for an answer, and all that was
 * collected has waited for nothing. Waits that paid give credit: some in vain
 * among them, as when sender and reader share a processor, are forgiven.
 *
 * Pure: no kernel state, no allocation, no lock, no clock. These lines compile
 * unchanged in user space, where they are unit-tested.
 */
#ifndef _FERRY_NIC_MODERATE_H
#define _FERRY_NIC_MODERATE_H

#include <linux/types.h>

/* A wait that collected so many frames has paid. */
#define FERRY_NIC_MODERATE_BATCH	8

/* Fewer frames than this between two looks, and they have stopped coming. */
#define FERRY_NIC_MODERATE_COMPANY	2

/* Waits in vain that are forgiven: in a try, for each that paid, and at most. */
#define FERRY_NIC_MODERATE_GRANTED	2
#define FERRY_NIC_MODERATE_EARNED	4
#define FERRY_NIC_MODERATE_CREDIT	8

/* Gaps between two looks, unless rx-usecs is longer. */
#define FERRY_NIC_MODERATE_GAPS		4

/*
 * A wait lasts at most so many times rx-usecs. Where that is too short for a
 * batch, none is tried.
 */
#define FERRY_NIC_MODERATE_STRETCH	16

/* Frames to let pass before a wait is tried: at first, and at most. */
#define FERRY_NIC_MODERATE_PROBE_MIN	64
#define FERRY_NIC_MODERATE_PROBE_MAX	65536

/* A frame counts once for each buffer of this size that it begins to fill. */
#define FERRY_NIC_MODERATE_BUFFER	2048

/*
 * struct ferry_nic_moderate_conf - what ethtool -C sets
 *
 * @usecs: how long to wait, in microseconds; 0: never wait
 * @frames: most buffers to collect in one wait; 0: as many as come
 * @adaptive: wait only where it has paid, and while frames keep coming; else
 *	always and once
 */
struct ferry_nic_moderate_conf {
	__u32	usecs;
	__u32	frames;
	bool	adaptive;
};

/*
 * struct ferry_nic_moderate - the state of one queue
 *
 * @since: when counting began, in nanoseconds
 * @waited: how long the wait that is on has lasted when it was last looked at,
 *	in nanoseconds
 * @count: frames since @since, with the one that began it
 * @probe_after: frames to let pass before the next try
 * @gap: nanoseconds between two frames, as last measured
 * @held: buffers collected by the wait that is on
 * @fresh: frames collected since it was last looked at
 * @credit: waits in vain that are forgiven; deferring while there are any
 * @holding: a wait is on
 * @stalled: its frames stopped coming
 */
struct ferry_nic_moderate {
	__u64	since;
	__u64	waited;
	__u32	count;
	__u32	probe_after;
	__u32	gap;
	__u32	held;
	__u32	fresh;
	__u8	credit;
	bool	holding;
	bool	stalled;
};

/**
 * enum ferry_nic_verdict - what to do about a frame that arrived
 *
 * @FERRY_NIC_RAISE: interrupt now
 * @FERRY_NIC_HOLD: begin a wait: look at it after ferry_nic_moderate_time()
 * @FERRY_NIC_WAIT: nothing: a wait is on, or the interrupt is masked
 */
enum ferry_nic_verdict {
	FERRY_NIC_RAISE,
	FERRY_NIC_HOLD,
	FERRY_NIC_WAIT,
};

void ferry_nic_moderate_init(struct ferry_nic_moderate *m);
void ferry_nic_moderate_seen(struct ferry_nic_moderate *m);
enum ferry_nic_verdict
ferry_nic_moderate_frame(struct ferry_nic_moderate *m,
			 const struct ferry_nic_moderate_conf *conf,
			 __u32 len, __u64 now);
__u64 ferry_nic_moderate_time(const struct ferry_nic_moderate *m,
			      const struct ferry_nic_moderate_conf *conf);
bool ferry_nic_moderate_look(struct ferry_nic_moderate *m,
			     const struct ferry_nic_moderate_conf *conf);
bool ferry_nic_moderate_end(struct ferry_nic_moderate *m, __u32 frames);

#endif /* _FERRY_NIC_MODERATE_H */
