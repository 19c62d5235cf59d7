/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The far end of a connection, made by hand, for tests: it does what it is told
 * and nothing else, be it wrong.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  the peer  fy0 -+--------+- fy1    Ferry   |
 *	+-----------------+        +-----------------+
 *
 * What can fail returns 0 (or a count, or a descriptor) or a negative errno.
 */
#ifndef _FERRY_TEST_PEER_H
#define _FERRY_TEST_PEER_H

#include "seg.h"
#include "wire.h"

#define PEER_WINDOW	1000000
#define PEER_MSS	1000
/* Its numbers begin here: more than 32 bits from the start. */
#define PEER_ISS	0x123456789000ULL

/*
 * struct peer - the peer
 *
 * @raw: a packet socket on fy0, for all that comes to this peer and others
 * @own: its address, fy0's
 * @far: Ferry's, fy1's
 * @port: its port
 * @far_port: Ferry's
 * @nxt: number of the first byte that it has not sent yet
 * @ack: what it acknowledges
 * @window: what it offers
 * @mss: what it offers in a SYN
 * @code: the record code that it offers there
 * @stamp: its last stamp
 * @echo: the last stamp that it has heard
 * @frame: the last frame that it has heard; payloads point into it
 *
 * peer_send() and peer_await() change no field but @stamp, @echo and @frame.
 */
struct peer {
	int		raw;
	unsigned char	own[FERRY_ALEN], far[FERRY_ALEN];
	unsigned int	port, far_port;
	__u64		nxt, ack;
	unsigned int	window, mss;
	unsigned char	code;
	unsigned int	stamp, echo;
	unsigned char	frame[SEG_FRAME_MAX];
};

/*
 * Make the wire, take fy0 away from Ferry, and go to blue, where Ferry is. The
 * peer is at @port, and talks to @far_port.
 */
int peer_open(struct peer *peer, struct wire *wire, unsigned int port,
	      unsigned int far_port);
/* Another one on the same wire, with a packet socket of its own. */
int peer_another(struct peer *peer, const struct wire *wire, unsigned int port,
		 unsigned int far_port);
void peer_close(struct peer *peer);

/* A segment as this peer would send it now; what is to be wrong can be made so. */
struct seg peer_seg(struct peer *peer, int kind);
/* Data from @nxt + @offset on, what it says being pattern by its place. */
struct seg peer_data(struct peer *peer, __s64 offset, size_t bytes);
/* The bytes of a stream of which the first one had the number @nxt. */
void peer_pattern(void *data, __u64 offset, size_t bytes);
bool peer_pattern_is(const void *data, __u64 offset, size_t bytes);

int peer_send(struct peer *peer, const struct seg *seg);
/* Bytes as they are. */
int peer_send_frame(struct peer *peer, const void *frame, size_t len);

/* Wait for the next segment to this peer's port. */
int peer_await(struct peer *peer, struct seg *seg);
/*
 * Send a segment, and wait for what answers it; again, if nothing does: it may have
 * come to a socket that was just about to end, which is answered no more than TCP's.
 */
int peer_ask(struct peer *peer, const struct seg *seg, struct seg *answer);
/* Skip those of another kind, or without all of @flags. */
int peer_await_kind(struct peer *peer, int kind, int flags, struct seg *seg);

/*
 * Send a segment, and say how many were the answer; @got is the first of them.
 * Nothing is waited for in vain: another segment follows, whose answer is known.
 * On a connection that is one that asks; else one that a stray RST answers.
 */
int peer_answers(struct peer *peer, const struct seg *seg, struct seg *got);
int peer_strays(struct peer *peer, const struct seg *seg, struct seg *got);

/* Connect to a listener. @synack may be NULL. */
int peer_connect(struct peer *peer, struct seg *synack);
/* Answer Ferry's SYN, which it awaits. @syn may be NULL. */
int peer_accept(struct peer *peer, struct seg *syn);

#endif
