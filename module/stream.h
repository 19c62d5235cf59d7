/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams and records: SOCK_STREAM and SOCK_SEQPACKET.
 *
 * What a connection decides is in conn.h. Here is what only a kernel has: memory,
 * locks, time, the wire, and those who sleep.
 *
 *	stream.c		the calls: connect, shutdown, close, poll
 *	stream_send.c		sendmsg, and the queue of what is to be sent
 *	stream_recv.c		recvmsg, and the queue of what is to be read
 *	stream_output.c		segments leave
 *	stream_input.c		segments arrive, and time passes
 *	stamp.c			when what was sent left, and arrived
 *	option.c		socket options
 *	listen.c		listeners: requests, the accept queue, cookies
 *	linger.c		TIME_WAIT
 */
#ifndef _FERRY_STREAM_H
#define _FERRY_STREAM_H

#include <linux/hrtimer.h>
#include <linux/net.h>
#include <linux/rbtree.h>
#include <linux/skbuff.h>
#include <net/sock.h>

#include "conn.h"
#include "flow.h"
#include "netns.h"
#include "socket.h"

struct ferry_listener;
struct pipe_inode_info;

/* Spans of what arrived ahead of its turn that a socket can note. */
#define FERRY_STREAM_RANGES	64

/*
 * struct ferry_stream_out - what a stream has once it sends
 *
 * Made by ferry_stream_prepare() before something is queued for the first time: a
 * socket that is only connected has none. Freed by ferry_stream_destruct(), until
 * when another connection of the same socket may take it over. Guarded by the socket
 * lock; @sk is const.
 */
struct ferry_stream_out {
	struct ferry_conn_out	conn;
	struct sock		*sk;
	struct hrtimer		fine;		/* ferry_conn_fine_deadline() */
	u64			cork_at;	/* when what is held must leave; 0 */
};

/*
 * struct ferry_stream - a stream or record socket
 *
 * Made by socket(), or, for the other end of it, by the segment that completes a
 * handshake. Three can hold a reference:
 *
 *	- the one that it is born with is its struct socket's; while it waits to
 *	  be accepted, its listener's; after close(), as long as its connection
 *	  lasts, its own: ferry_stream_destroy() drops that;
 *	- each of its two timers, while it is pending;
 *	- who sends, while an skb that is charged to it is on its way (that is of
 *	  sk_wmem_alloc, and keeps the memory, no more).
 *
 * Segments find it by @flow under RCU and take none: SOCK_RCU_FREE, and one
 * that finds it too late sees TCP_CLOSE.
 *
 * All of it is guarded by the socket lock: lock_sock() in a call, bh_lock_sock()
 * in softirq if no call owns the socket. If one does, segments wait on the
 * backlog, and the timer and what a device tells are noted in sk_tsq_flags:
 * release_sock() sees to both. @mem_* and sk_forward_alloc are under it too, unlike a
 * datagram socket's.
 *
 * What is unsent is on sk_write_queue, and what was sent in the tree tcp_rtx_queue, by
 * sequence number: fields that struct sock has for streams. So is sk_tsq_flags.
 *
 * It dies by: close() if there is no connection (any more); the end of the
 * connection after close(); the death of its listener, or of its namespace's
 * devices, by which the connection ends.
 */
struct ferry_stream {
	struct ferry_sock	fs;		/* must be first */
	struct ferry_flow	flow;
	struct ferry_conn	conn;
	struct ferry_stream_out	*out;		/* NULL: none yet */

	u64			timer_at;	/* sk_timer expires, or 0 */

	struct rb_root		ahead;		/* skbs ahead of their turn */
	u32			unread;		/* payload in sk_receive_queue */
	u32			unended;	/* of it, of a record that is not whole */
	u32			records;	/* whole ones in it */
	u32			held;		/* queued bytes the engine knows not */
	u64			read;		/* number after what was read */

	union {
		struct ferry_listener __rcu *listener;	/* in TCP_LISTEN */
		struct sock	*parent;	/* until accepted; listen.c */
	};

	u32			user_timeout;	/* milliseconds */
	u32			notsent_lowat;	/* bytes, FERRY_NOTSENT_LOWAT */
	u16			user_mss;	/* bytes, FERRY_MAXSEG; 0: none set */
	u16			keep_idle;	/* seconds; 0: the sysctl's */
	u16			keep_interval;
	u8			keep_count;
	u8			syn_retries;	/* 0: the sysctl's */
	u8			defer_accept;	/* SYN-ACKs, FERRY_DEFER_ACCEPT */
	s8			linger2;	/* seconds, FERRY_LINGER2 */
	u8			cong;		/* FERRY_CONGESTION: its index + 1; 0: none set */
	u8			lost_err;	/* FERRY_DEFERRED_LOST's: an errno */
	bool			corked:1;	/* FERRY_CORK */
	bool			tell_inq:1;	/* FERRY_INQ */
	bool			unhurried:1;	/* FERRY_QUICKACK: 0 was set */
	bool			sealed:1;	/* append to no skb before: MSG_EOR, a stamp */
	bool			orphan:1;	/* counted as one */
	bool			destroyed:1;
};

/* Bits of sk_tsq_flags. */
#define FERRY_DEFERRED_TIMER	0
#define FERRY_DEFERRED_LOST	1
#define FERRY_DEFERRED_REROUTE	2

/*
 * struct ferry_outgoing - payload that is to be sent, or was: an skb of it alone
 *
 * @chunk must be first. @stamp_acked: the ACK of its last byte is to be stamped.
 */
struct ferry_outgoing {
	struct ferry_chunk	chunk;
	bool			stamp_acked;
};

static inline struct ferry_outgoing *ferry_outgoing(const struct sk_buff *skb)
{
	return (struct ferry_outgoing *)skb->cb;
}

static inline struct ferry_chunk *ferry_chunk(const struct sk_buff *skb)
{
	return &ferry_outgoing(skb)->chunk;
}

static inline struct sk_buff *ferry_chunk_skb(const struct ferry_chunk *chunk)
{
	return container_of((void *)chunk, struct sk_buff, cb);
}

/*
 * struct ferry_queued - payload that is to be read: what of an skb it is
 *
 * If @packed, the skb has several pieces of records, each with a u32 before it:
 * its length and FERRY_PACKED_*. @piece then is of all that, and has no mark.
 * @peeked is of a record of no bytes: it was peeked at.
 */
struct ferry_queued {
	struct ferry_piece	piece;
	bool			packed;
	bool			peeked;
};

#define FERRY_PACKED_EOR	BIT(31)	/* a record ends with it */
#define FERRY_PACKED_STAMP	BIT(30)	/* struct ferry_packed_stamp follows */
#define FERRY_PACKED_PEEKED	BIT(29)	/* as ferry_queued.peeked */
#define FERRY_PACKED_LEN	(BIT(29) - 1)

/*
 * struct ferry_packed_stamp - when a piece came, as its skb had it
 */
struct ferry_packed_stamp {
	ktime_t			software;
	ktime_t			hardware;
};

static inline struct ferry_queued *ferry_queued(const struct sk_buff *skb)
{
	return (struct ferry_queued *)skb->cb;
}

static inline struct ferry_stream *ferry_stream(const struct sock *sk)
{
	return (struct ferry_stream *)sk;
}

/* What is in sk_receive_queue, in sequence numbers: a record's end is one. */
static inline u32 ferry_stream_queued(const struct ferry_stream *fy)
{
	return fy->unread + fy->records;
}

/* The number after its last. */
static inline u64 ferry_stream_queue_end(const struct ferry_stream *fy)
{
	return fy->read + ferry_stream_queued(fy);
}

/* Whether it is of records. */
static inline bool ferry_stream_records(const struct sock *sk)
{
	return sk->sk_type == SOCK_SEQPACKET;
}

/* Whether it is a record socket that has no connection, and had none. */
static inline bool ferry_stream_record_alone(const struct sock *sk)
{
	int state = READ_ONCE(sk->sk_state);

	return ferry_stream_records(sk) &&
	       (state == TCP_LISTEN ||
		(state == TCP_CLOSE && !READ_ONCE(sk->sk_shutdown)));
}

static inline void ferry_stream_set_state(struct sock *sk, int state)
{
	/* Pairs with ferry_stream_poll(), which has no lock. */
	smp_store_release(&sk->sk_state, state);
}

/* The one clock of all connections: microseconds since boot. */
static inline u64 ferry_stream_now(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_USEC);
}

extern struct proto ferry_stream_prot;
extern const struct proto_ops ferry_stream_ops;
extern long ferry_stream_mem[3];

int ferry_stream_init(void);
void ferry_stream_exit(void);

/* stream.c */
void ferry_stream_setup(struct sock *sk);
void ferry_stream_born(struct sock *sk);
bool ferry_stream_prepare(struct sock *sk, gfp_t gfp);
int ferry_stream_conn_setup(const struct sock *sk,
			    struct ferry_conn_setup *setup,
			    const struct ferry_path *path);
void ferry_stream_set_txhash(struct sock *sk);

/* stream_input.c */
void ferry_stream_rcv(struct ferry_net *fn, struct sk_buff *skb);
bool ferry_stream_filter(struct sock *sk, struct sk_buff *skb);
void ferry_stream_arrived(const struct sock *sk, struct sk_buff *skb);
int ferry_stream_do_rcv(struct sock *sk, struct sk_buff *skb);
void ferry_stream_lost(struct ferry_net *fn, int ifindex, u64 addr, int err);
void ferry_stream_rerouted(struct ferry_net *fn, int ifindex);
bool ferry_stream_forget(struct ferry_net *fn, const struct ferry_flow_key *key);
void ferry_stream_timer(struct timer_list *timer);
enum hrtimer_restart ferry_stream_fine_timer(struct hrtimer *timer);
void ferry_stream_release_cb(struct sock *sk);
void ferry_stream_stray(struct ferry_net *fn, const struct sk_buff *skb,
			const struct ferry_seg *seg);

/* stream_backlog.c */
bool ferry_stream_backlog(struct sock *sk, struct sk_buff *skb);

/* stream_output.c */
void ferry_stream_push(struct sock *sk, u64 now);
void ferry_stream_arm(struct sock *sk, u64 now);
void ferry_stream_flush(struct sock *sk);
void ferry_stream_abort(struct sock *sk);
void ferry_stream_done(struct sock *sk);
void ferry_stream_destroy(struct sock *sk);

/* stream_send.c */
extern const struct ferry_conn_ops ferry_stream_conn_ops;
int ferry_stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t len);
void ferry_stream_splice_eof(struct socket *sock);
struct sk_buff *ferry_stream_take(struct sock *sk, u32 limit);
void ferry_stream_sent(struct sock *sk, struct sk_buff *skb);
void ferry_stream_free_acked(struct sock *sk);
void ferry_stream_purge_unsent(struct sock *sk);
void ferry_stream_write_space(struct sock *sk);
void ferry_stream_uncork(struct sock *sk);
bool ferry_stream_queue_fin(struct sock *sk, gfp_t gfp);

/* stream_recv.c */
int ferry_stream_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			 int flags);
ssize_t ferry_stream_splice_read(struct socket *sock, loff_t *ppos,
				 struct pipe_inode_info *pipe, size_t len,
				 unsigned int flags);
bool ferry_stream_stamps(const struct sock *sk, struct sk_buff *skb);
void ferry_stream_stamp_last(struct sk_buff *tail, struct sk_buff *skb);
bool ferry_stream_may_take(struct sock *sk, const struct sk_buff *skb,
			   const struct ferry_seg *seg);
void ferry_stream_take_in(struct sock *sk, struct sk_buff *skb,
			  const struct ferry_piece *piece);
void ferry_stream_take_ahead(struct sock *sk);
void ferry_stream_purge_ahead(struct sock *sk);
u32 ferry_stream_inq(const struct sock *sk);
bool ferry_stream_readable(const struct sock *sk);
bool ferry_stream_ready(const struct sock *sk);
u32 ferry_stream_capacity(const struct sock *sk, u8 code);
void ferry_stream_room(struct sock *sk);
void ferry_stream_offer(struct sock *sk);
void ferry_stream_reorder(struct ferry_conn *conn);

/* option.c */
int ferry_option_set(struct socket *sock, int level, int option,
		     sockptr_t optval, unsigned int optlen);
int ferry_option_get(struct socket *sock, int level, int option,
		     char __user *optval, int __user *optlen);
void ferry_option_apply(struct sock *sk);
u64 ferry_option_linger2(const struct sock *sk);
const struct ferry_cong_ops *ferry_option_cong(const struct sock *sk);
void ferry_option_keepalive(struct sock *sk, int on);

#endif /* _FERRY_STREAM_H */
