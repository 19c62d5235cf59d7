/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The simulator: two connection engines, a wire that treats them badly, and
 * a clock that is a number.
 *
 *	  script.c: writes, reads, closes      script.c
 *	+-------------------------------+   +-----------------+
 *	| end.c: the engine's owner     |   | end.c           |
 *	|   module/conn*.c: the engine  |   |   module/conn*.c|
 *	+------+----------------^-------+   +--^----------+---+
 *	       | packets, byte by byte         |          |
 *	+------v----------------+--------------+----------v---+
 *	| path.c: delay, loss, order, copies, damage          |
 *	+-----------------------------------------------------+
 *
 * A seed decides everything: scenario.c makes a scenario of it, and running it
 * twice is the same to the byte. check.c looks at an engine after whatever it
 * did. Time is virtual: the next thing that is due is the next thing that happens.
 */
#ifndef _SIM_H
#define _SIM_H

#include <stdio.h>
#include <stdlib.h>

#include "user.h"
#include "conn.h"
#include "cookie.h"
#include "request.h"
#include "timewait.h"

#define MS	1000ULL
#define SECOND	1000000ULL
#define NEVER	U64_MAX

/* random.c: SplitMix64; each part of a run has a stream of its own. */
struct sim_random {
	u64 state;
};

u64 sim_random(struct sim_random *random);
u64 sim_below(struct sim_random *random, u64 bound);
u64 sim_between(struct sim_random *random, u64 low, u64 high);
u64 sim_magnitude(struct sim_random *random, u64 low, u64 high);
bool sim_chance(struct sim_random *random, double probability);

/* What byte @seq of the stream @key is, for @len bytes. */
void sim_content(u64 key, u64 seq, u8 *bytes, u32 len);

/* One direction of the wire. */
struct sim_path_setup {
	u64	delay;		/* microseconds */
	u64	jitter;		/* up to so many more, keeping the order */
	double	rate;		/* bytes a microsecond; 0: any */
	u32	queue;		/* bytes that wait for the rate; more are dropped */
	double	loss;
	u64	burst_gap;	/* longest time from one burst of losses to ... */
	u64	burst_time;	/* ... the next, and how long one is at most */
	double	reorder;	/* chance to be late by up to @late */
	u64	late;
	double	copy;
	double	damage;		/* one bit is changed */
	u64	hole_from;	/* all is lost from then ... */
	u64	hole_to;	/* ... until then */
	u32	mtu;		/* longer packets are dropped; 0: none is */
	u64	mtu_after;	/* from the first after so many bytes ... */
	u32	mtu_then;	/* ... this is it; 0: it stays */
};

struct sim_path {
	struct sim_path_setup setup;
	struct sim_random random;
	u64	busy_until;
	u64	last_at;
	u64	burst_from;
	u64	burst_to;
	u64	carried;	/* bytes */
};

/* How an end behaves. */
enum sim_ending {
	SIM_FIN,	/* shut down when all is sent, close when all is read */
	SIM_FIN_FIRST,	/* shut down at once, then only read */
	SIM_ABORT,	/* abort at a time */
	SIM_CLOSE,	/* close both ways when all is sent: data is reset */
};

struct sim_end_setup {
	u64	bytes;		/* to send */
	u32	record;		/* longest record; 0: a stream */
	u32	write;		/* longest write */
	u64	write_pause;	/* longest pause after a write; 0: none */
	u32	send_buffer;
	u32	capacity;	/* receive buffer */
	u32	read;		/* longest read */
	u64	read_pause;
	u64	read_from;	/* reads nothing before this time */
	u64	renege_every;	/* what is ahead is thrown away; 0: never */
	u32	ranges;		/* room to note what is ahead */
	u32	mtu;
	u64	resize_at;	/* its device's MTU changes then; 0: it does not */
	u32	resize_mtu;
	u32	batch;		/* payload that the device takes and cuts */
	u32	merge_at;	/* segments in flight before writes are merged */
	u32	gather;		/* between short segments, in microseconds */
	u64	pace;		/* bytes per second; 0: as fast as it can */
	bool	odd_cuts;	/* of any length, another one each time */
	enum sim_ending ending;
	u64	abort_at;
	bool	newreno;
	double	no_memory;	/* chance that a split fails */
};

enum sim_opening {
	SIM_LISTEN,	/* one end connects, the other listens */
	SIM_COOKIE,	/* the same, and the listener remembers nothing */
	SIM_BOTH,	/* both connect at once */
	SIM_SELF,	/* an end connects to itself */
};

struct sim_scenario {
	u64	seed;
	enum sim_opening opening;
	u64	second_open;	/* SIM_BOTH: how much later the second opens */
	struct sim_path_setup path[2];
	struct sim_end_setup end[2];
	u64	stall;		/* so long without progress is a stall */
	bool	clean;		/* nothing is lost, late or damaged */
	bool	steady;		/* and none takes longer than another */
	bool	finds;		/* there is time to find a path's MTU, from A to B */
	const char *name;
};

/* One long transfer, to see how fast it is. */
struct sim_flow {
	u64	seed;
	u64	bytes;
	u64	delay;		/* each way, microseconds */
	u64	jitter;
	double	loss;		/* each way */
	double	rate;		/* bytes a microsecond */
	u32	queue;		/* bytes */
	double	reorder;
	u64	late;
	bool	newreno;
};

struct sim_piece {
	struct ferry_piece piece;
	u8	*bytes;
};

struct sim;

/* The owner of one engine: what a socket is in the kernel. */
struct sim_end {
	struct ferry_conn conn;
	struct ferry_conn_out out;	/* conn.out, once it sends */
	struct ferry_request request;
	struct ferry_timewait timewait;
	const struct sim_end_setup *setup;
	struct sim	*sim;
	struct sim_end	*peer;
	struct sim_path	*path;		/* to the peer */
	struct sim_random random;
	char	name;
	bool	listening;		/* conn is not yet in use */
	bool	requested;		/* request is in use */
	bool	in_timewait;
	bool	gone;			/* and TIME_WAIT is over */

	/* send queue: what was sent and not acknowledged, in order */
	struct ferry_chunk **chunks;
	u32	head, tail, room;
	u64	iss;
	u64	key;			/* of the content */
	u64	written;		/* bytes */
	u64	*marks;			/* numbers of the record ends written */
	u32	mark_count, mark_next, mark_room;
	u64	write_at;
	bool	shut;			/* FIN queued */

	/* receive queue */
	struct sim_piece *ahead;
	u32	ahead_count, ahead_room;
	struct ferry_range *ranges;
	u64	point;			/* all below it is in the queue, or read */
	u64	read_to;		/* all below it is read */
	u32	records_in;		/* record ends seen */
	u64	bytes_in;
	bool	fin_in;
	u64	read_at;
	u64	renege_at;
	u64	again_at;
	u64	resize_at;		/* NEVER: not any more */
	u32	device_mtu;		/* at present */
	bool	established;
	int	error;
	u64	progress_at;
	u32	deadline_spins;
};

struct sim_packet {
	u64	at;
	u64	order;
	struct sim_end *to;
	u32	len;			/* header and payload */
	u16	check;
	u8	bytes[];
};

/* One run. */
struct sim {
	const struct sim_scenario *scenario;
	u64	now;
	struct sim_end end[2];
	struct sim_path path[2];
	struct sim_packet **heap;
	u32	heap_count, heap_room;
	u64	order;
	bool	trace;
	bool	failed;
	char	why[256];
	/* what happened, for those who wonder whether anything did */
	u64	packets, dropped, copies, damaged, retransmissions, timeouts;
	u64	probes, sacks, reneged, no_memory, finished_at;
	u64	black_holes, probes_lost, too_long;
};

#define PORT	7

/* scenario.c */
void sim_scenario(u64 seed, struct sim_scenario *scenario);
void sim_flow(const struct sim_flow *flow, struct sim_scenario *scenario);

/* path.c */
void sim_path_send(struct sim *sim, struct sim_end *from,
		   const struct ferry_seg *seg, const u8 *payload, u32 cut);
u64 sim_path_next(const struct sim *sim);
u32 sim_path_mtu(const struct sim_path *path);
struct sim_packet *sim_path_take(struct sim *sim);

/* end.c */
void sim_end_init(struct sim *sim, unsigned int index);
void sim_end_free(struct sim_end *end);
void sim_end_connect(struct sim_end *end);
void sim_end_receive(struct sim_end *end, const struct sim_packet *packet);
void sim_end_time(struct sim_end *end);
void sim_end_output(struct sim_end *end);
u64 sim_end_next(const struct sim_end *end);
bool sim_end_done(const struct sim_end *end);

/* script.c */
void sim_script_step(struct sim_end *end);
u64 sim_script_next(const struct sim_end *end);

/* check.c */
void sim_check(struct sim_end *end);
void sim_check_delivery(struct sim_end *end, const struct ferry_piece *piece,
			const u8 *bytes);
void sim_check_over(struct sim *sim);

/* trace.c */
#define SIM_PRINTF	__attribute__((__format__(__printf__, 2, 3)))

SIM_PRINTF void fail(struct sim *sim, const char *format, ...);
SIM_PRINTF void sim_trace(struct sim *sim, const char *format, ...);
void sim_trace_seg(struct sim *sim, const struct sim_end *from,
		   const char *what, const struct ferry_seg *seg);

/* run.c */
void sim_run(const struct sim_scenario *scenario, bool trace, struct sim *sim);

#endif /* _SIM_H */
