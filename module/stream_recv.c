// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queue of what is to be read, and reading. See stream.h.
 *
 * What arrives in its turn is put on sk_receive_queue, what is ahead of it in a
 * tree. An skb costs its reader's memory more than its payload, and how much more
 * the peer has a say in: so while somebody is slow to read, small pieces are
 * packed together. The window counts payload, and with that it can be kept.
 */
#include <linux/sched/signal.h>
#include <net/busy_poll.h>

#include "stream.h"

/* Payload of an skb that small pieces are packed into: with its head, a page. */
#define FERRY_PACK_SIZE		SKB_MAX_ORDER(0, 0)

/* An skb may cost this much beyond twice its payload before it is packed. */
#define FERRY_PACK_WASTE	512

/* Beside its bytes, a window has to have numbers for a record's end and a FIN. */
#define FERRY_RECORD_MARKS	2
#define FERRY_STREAM_MARKS	1

/*
 * The window
 */

/**
 * ferry_stream_capacity() - payload that a socket's receive buffer has room for
 * @sk: the socket, or the listener that it is of
 * @code: the record code that it promises, or FERRY_CODE_STREAM
 *
 * Context: any.
 * Return: bytes, at most FERRY_WINDOW_MAX.
 */
u32 ferry_stream_capacity(const struct sock *sk, u8 code)
{
	u32 rcvbuf = READ_ONCE(sk->sk_rcvbuf);
	u32 room = rcvbuf / 2 + FERRY_STREAM_MARKS;

	/* A record that was promised has to fit, whatever became of the buffer. */
	if (code != FERRY_CODE_STREAM)
		room = max_t(u32, rcvbuf, (1U << code) + FERRY_RECORD_MARKS);
	return min_t(u32, room, FERRY_WINDOW_MAX);
}

/**
 * ferry_stream_room() - tell the engine how much there is room for
 * @sk: the socket
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_room(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_conn *conn = &fy->conn;
	u32 used = ferry_stream_queued(fy);

	conn->capacity = ferry_stream_capacity(sk, conn->code);
	/* Poll reads it without the lock. */
	WRITE_ONCE(conn->room,
		   conn->capacity > used ? conn->capacity - used : 0);
}

/**
 * ferry_stream_offer() - there may be more room: tell the peer, if it is worth it
 * @sk: the socket, which has a connection
 *
 * Context: process, under the socket lock.
 */
void ferry_stream_offer(struct sock *sk)
{
	struct ferry_conn *conn = &ferry_stream(sk)->conn;

	ferry_stream_room(sk);
	ferry_conn_read(conn);
	if (conn->pending)
		ferry_stream_push(sk, ferry_stream_now());
}

/* The application has read: more room, and perhaps a larger buffer. */
static void ferry_stream_read_some(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	const struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_conn *conn = &fy->conn;
	u32 most = READ_ONCE(fn->set.rmem[2]);
	u32 want;

	if (sk->sk_state == TCP_CLOSE)
		return;
	if (!(sk->sk_userlocks & SOCK_RCVBUF_LOCK) &&
	    !sk_under_memory_pressure(sk)) {
		/* When the last segment came is near enough to now. */
		want = ferry_rwnd_read(&conn->rwnd, conn->heard_at, fy->read,
				       conn->mss, most / 2);
		if (want > READ_ONCE(sk->sk_rcvbuf) / 2)
			WRITE_ONCE(sk->sk_rcvbuf, min(2 * want, most));
	}
	ferry_stream_offer(sk);
}

/*
 * The queue
 */

/**
 * ferry_stream_may_take() - whether there is memory for a segment's payload
 * @sk: the socket
 * @skb: the segment
 * @seg: what it says
 *
 * Asked before the engine sees it, because what the engine has acknowledged must
 * be kept.
 *
 * What is in its turn is taken as long as the buffer is not full, and always if
 * without it there is nothing to be read. What is ahead of its turn has to make
 * way for it.
 *
 * Context: process or softirq, under the socket lock.
 * Return: whether there is.
 */
bool ferry_stream_may_take(struct sock *sk, const struct sk_buff *skb,
			   const struct ferry_seg *seg)
{
	struct ferry_stream *fy = ferry_stream(sk);
	bool ahead = seg->seq > fy->conn.rcv_nxt;
	int limit = READ_ONCE(sk->sk_rcvbuf);

	if (atomic_read(&sk->sk_rmem_alloc) > limit) {
		if (ahead)
			return false;
		if (!RB_EMPTY_ROOT(&fy->ahead)) {
			ferry_stats_inc(ferry_net(sock_net(sk)),
					FERRY_STAT_IN_PRUNED);
			ferry_stream_purge_ahead(sk);
			ferry_conn_forget_ahead(&fy->conn);
		}
	}
	if (!ahead && !ferry_stream_readable(sk)) {
		/* Bounded by the window; and the reader waits for it. */
		if (sk_rmem_schedule(sk, (struct sk_buff *)skb, skb->truesize))
			return true;
		return skb_queue_empty(&sk->sk_receive_queue);
	}
	/* Packing lets all that the window allows fit into half as much again. */
	if (atomic_read(&sk->sk_rmem_alloc) - limit > limit / 2)
		return false;
	return sk_rmem_schedule(sk, (struct sk_buff *)skb, skb->truesize);
}

static void ferry_stream_append_queue(struct sock *sk, struct sk_buff *skb)
{
	skb_set_owner_r(skb, sk);
	__skb_queue_tail(&sk->sk_receive_queue, skb);
}

/*
 * Whether the payload is in pages that are full of it: then what comes next is hung
 * on this skb (see ferry_stream_coalesce()), and even if that does not come to pass,
 * it takes no more memory than windows are reckoned by.
 */
static bool ferry_stream_hangs(const struct sk_buff *skb,
			       const struct ferry_piece *piece)
{
	u32 head = SKB_TRUESIZE(skb_end_offset(skb));

	return !skb_headlen(skb) && piece->len >= head / 2 &&
	       skb->truesize - head <= piece->len + piece->len / 8;
}

/* Is it better to copy the payload than to keep the skb? */
static bool ferry_stream_wasteful(const struct sock *sk,
				  const struct sk_buff *skb,
				  const struct ferry_piece *piece)
{
	if (piece->len + sizeof(u32) + sizeof(struct ferry_packed_stamp) >
	    FERRY_PACK_SIZE)
		return false;
	/* Who waits has it at once. */
	if (skb_queue_empty(&sk->sk_receive_queue))
		return false;
	if (!ferry_stream_records(sk) && ferry_stream_hangs(skb, piece))
		return false;
	if (atomic_read(&sk->sk_rmem_alloc) > READ_ONCE(sk->sk_rcvbuf) / 2)
		return skb->truesize > piece->len + piece->len / 8;
	return skb->truesize > 2 * piece->len + FERRY_PACK_WASTE;
}

/* The skb at the queue's end, if @len more bytes can be packed into it. */
static struct sk_buff *ferry_stream_pack_tail(struct sock *sk, u32 len)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);

	if (!tail || !ferry_queued(tail)->packed || skb_tailroom(tail) < len)
		return NULL;
	return tail;
}

static struct sk_buff *ferry_stream_pack_new(struct sock *sk, u64 seq)
{
	struct sk_buff *tail;

	tail = alloc_skb(FERRY_PACK_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	if (!tail)
		return NULL;
	if (!sk_rmem_schedule(sk, tail, tail->truesize)) {
		consume_skb(tail);
		return NULL;
	}
	*ferry_queued(tail) = (struct ferry_queued) {
		.piece.seq = seq,
		.packed = true,
	};
	ferry_stream_append_queue(sk, tail);
	return tail;
}

static bool ferry_stream_stamped(struct sk_buff *skb)
{
	return skb->tstamp || skb_hwtstamps(skb)->hwtstamp;
}

static void ferry_stream_set_stamp(struct sk_buff *skb,
				   const struct ferry_packed_stamp *stamp)
{
	skb->tstamp = stamp->software;
	skb_hwtstamps(skb)->hwtstamp = stamp->hardware;
}

/**
 * ferry_stream_stamps() - whether somebody asks when just this has come
 * @sk: the socket
 * @skb: what has come
 *
 * Then it is not to be joined to what came before.
 *
 * Context: any.
 * Return: whether they do, and it is known.
 */
bool ferry_stream_stamps(const struct sock *sk, struct sk_buff *skb)
{
	return ferry_stream_stamped(skb) &&
	       READ_ONCE(sk->sk_flags) & SK_FLAGS_TIMESTAMP;
}

/**
 * ferry_stream_stamp_last() - something is joined to what came before
 * @tail: what came before
 * @skb: what is joined to it: of bytes, the last ones' stamp counts, as with TCP
 *
 * Context: any.
 */
void ferry_stream_stamp_last(struct sk_buff *tail, struct sk_buff *skb)
{
	if (!ferry_stream_stamped(skb))
		return;
	tail->tstamp = skb->tstamp;
	*skb_hwtstamps(tail) = *skb_hwtstamps(skb);
}

/* What is before a piece that is packed; returns its length. */
static u32 ferry_stream_pack_head(u8 *head, struct sk_buff *skb,
				  const struct ferry_piece *piece)
{
	const struct ferry_packed_stamp stamp = {
		.software = skb->tstamp,
		.hardware = skb_hwtstamps(skb)->hwtstamp,
	};
	u32 mark = piece->len | (piece->eor ? FERRY_PACKED_EOR : 0);

	if (!ferry_stream_stamped(skb)) {
		memcpy(head, &mark, sizeof(mark));
		return sizeof(mark);
	}
	mark |= FERRY_PACKED_STAMP;
	memcpy(head, &mark, sizeof(mark));
	memcpy(head + sizeof(mark), &stamp, sizeof(stamp));
	return sizeof(mark) + sizeof(stamp);
}

/* Copy a piece behind others. */
static bool ferry_stream_pack(struct sock *sk, struct sk_buff *skb,
			      const struct ferry_piece *piece)
{
	u8 head[sizeof(u32) + sizeof(struct ferry_packed_stamp)];
	bool records = ferry_stream_records(sk);
	u32 hlen = records ? ferry_stream_pack_head(head, skb, piece) : 0;
	u32 size = hlen + piece->len;
	struct sk_buff *tail;

	tail = ferry_stream_pack_tail(sk, size) ?:
	       ferry_stream_pack_new(sk, piece->seq);
	if (!tail)
		return false;
	skb_put_data(tail, head, hlen);
	if (skb_copy_bits(skb, piece->skip, skb_put(tail, piece->len),
			  piece->len))
		WARN_ON_ONCE(1);
	ferry_queued(tail)->piece.len += size;
	if (!records)
		ferry_stream_stamp_last(tail, skb);
	return true;
}

/*
 * Hang a stream's pages behind those of the skb at the queue's end: so there are few
 * to be read. Consumes @skb if it can.
 */
static bool ferry_stream_coalesce(struct sock *sk, struct sk_buff *skb,
				  const struct ferry_piece *piece)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);
	struct ferry_queued *queued;
	bool stolen;
	int more;

	if (!tail || ferry_stream_records(sk) || skb->len != piece->len)
		return false;
	if (ferry_stream_stamps(sk, skb))
		return false;
	queued = ferry_queued(tail);
	if (queued->packed || tail->len != queued->piece.skip + queued->piece.len ||
	    !skb_try_coalesce(tail, skb, &stolen, &more))
		return false;
	queued->piece.len += piece->len;
	atomic_add(more, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, more);
	ferry_stream_stamp_last(tail, skb);
	kfree_skb_partial(skb, stolen);
	return true;
}

/* What comes next in the stream. */
static void ferry_stream_enqueue(struct sock *sk, struct sk_buff *skb,
				 const struct ferry_piece *piece)
{
	struct ferry_stream *fy = ferry_stream(sk);

	WRITE_ONCE(fy->unread, fy->unread + piece->len);
	if (ferry_stream_records(sk))
		fy->unended = piece->eor ? 0 : fy->unended + piece->len;
	if (ferry_stream_coalesce(sk, skb, piece)) {
		/* It is where it belongs. */
	} else if (ferry_stream_wasteful(sk, skb, piece) &&
		   ferry_stream_pack(sk, skb, piece)) {
		consume_skb(skb);
	} else {
		*ferry_queued(skb) = (struct ferry_queued) { .piece = *piece };
		ferry_stream_append_queue(sk, skb);
	}
	/* Poll reads both without the lock. */
	WRITE_ONCE(fy->records, fy->records + piece->eor);
}

static void ferry_stream_keep_ahead(struct sock *sk, struct sk_buff *skb,
				    const struct ferry_piece *piece)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct rb_node **link = &fy->ahead.rb_node;
	struct rb_node *parent = NULL;

	*ferry_queued(skb) = (struct ferry_queued) { .piece = *piece };
	skb_set_owner_r(skb, sk);
	while (*link) {
		parent = *link;
		link = piece->seq < ferry_queued(rb_to_skb(parent))->piece.seq ?
		       &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &fy->ahead);
}

/**
 * ferry_stream_take_in() - keep a segment's payload
 * @sk: the socket
 * @skb: the segment, its header pulled; consumed
 * @piece: what of it
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_take_in(struct sock *sk, struct sk_buff *skb,
			  const struct ferry_piece *piece)
{
	if (piece->seq == ferry_stream_queue_end(ferry_stream(sk)))
		ferry_stream_enqueue(sk, skb, piece);
	else
		ferry_stream_keep_ahead(sk, skb, piece);
}

/**
 * ferry_stream_take_ahead() - a hole is filled: what follows it is in its turn
 * @sk: the socket
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_take_ahead(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_piece piece;
	struct rb_node *node;
	struct sk_buff *skb;

	while ((node = rb_first(&fy->ahead))) {
		skb = rb_to_skb(node);
		piece = ferry_queued(skb)->piece;
		if (piece.seq >= fy->conn.rcv_nxt)
			break;
		rb_erase(node, &fy->ahead);
		/* It has been the tree's; its list's pointers are not set. */
		skb->dev = NULL;
		skb_orphan(skb);
		if (ferry_piece_from(&piece, ferry_stream_queue_end(fy)))
			ferry_stream_enqueue(sk, skb, &piece);
		else
			consume_skb(skb);
	}
}

/**
 * ferry_stream_purge_ahead() - give up what is ahead of its turn
 * @sk: the socket
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_purge_ahead(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct rb_node *node;
	struct sk_buff *skb;

	while ((node = rb_first(&fy->ahead))) {
		skb = rb_to_skb(node);
		rb_erase(node, &fy->ahead);
		skb->dev = NULL;
		kfree_skb(skb);
	}
}

/**
 * ferry_stream_reorder() - struct ferry_conn_ops: give memory for ranges
 * @conn: the connection
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_reorder(struct ferry_conn *conn)
{
	struct ferry_range *ranges;

	ranges = kmalloc_array(FERRY_STREAM_RANGES, sizeof(*ranges),
			       GFP_ATOMIC | __GFP_NOWARN);
	if (ranges)
		ferry_range_init(&conn->ahead, ranges, FERRY_STREAM_RANGES);
}

/**
 * ferry_stream_readable() - whether who waits to read should be told
 * @sk: the socket
 *
 * Context: any; without the socket lock, as of a moment.
 * Return: whether SO_RCVLOWAT bytes, or a whole record, can be read.
 */
bool ferry_stream_readable(const struct sock *sk)
{
	const struct ferry_stream *fy = ferry_stream(sk);

	if (ferry_stream_records(sk))
		return READ_ONCE(fy->records);
	return READ_ONCE(fy->unread) >= max(READ_ONCE(sk->sk_rcvlowat), 1);
}

/**
 * ferry_stream_ready() - whether poll(2) says that there is something to read
 * @sk: the socket
 *
 * Unlike ferry_stream_readable(), this counts less than SO_RCVLOWAT bytes if no
 * more can come before they are read.
 *
 * Context: any; without the socket lock, as of a moment.
 * Return: whether it does.
 */
bool ferry_stream_ready(const struct sock *sk)
{
	const struct ferry_stream *fy = ferry_stream(sk);

	if (ferry_stream_readable(sk))
		return true;
	if (ferry_stream_records(sk) || !READ_ONCE(fy->unread))
		return false;
	return READ_ONCE(fy->conn.room) < READ_ONCE(fy->conn.mss) ||
	       atomic_read(&sk->sk_rmem_alloc) > READ_ONCE(sk->sk_rcvbuf);
}

/*
 * recvmsg(2)
 */

/* When what is read came, if that is asked for and known. */
static bool ferry_stream_wants_stamp(const struct sock *sk, struct sk_buff *skb)
{
	return (sock_flag(sk, SOCK_RCVTSTAMP) ||
		READ_ONCE(sk->sk_tsflags) & (SOF_TIMESTAMPING_SOFTWARE |
					     SOF_TIMESTAMPING_RAW_HARDWARE)) &&
	       ferry_stream_stamped(skb);
}

/* Sleep until more arrives, or an end. */
static int ferry_stream_wait(struct sock *sk, long *timeo)
{
	const struct ferry_conn *conn = &ferry_stream(sk)->conn;
	u64 nxt = conn->rcv_nxt;
	DEFINE_WAIT_FUNC(wait, woken_wake_function);
	int err;

	/* What is waited for may be an answer. */
	ferry_stream_flush(sk);
	add_wait_queue(sk_sleep(sk), &wait);
	sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	err = sk_wait_event(sk, timeo, READ_ONCE(conn->rcv_nxt) != nxt ||
			    READ_ONCE(sk->sk_err) ||
			    READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN, &wait);
	sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk);
	remove_wait_queue(sk_sleep(sk), &wait);
	return err < 0 ? err : 0;
}

/*
 * There is nothing to read: why, or why not to wait for it? 1: wait; 0: the end;
 * or a negative errno.
 */
static int ferry_stream_may_wait(struct sock *sk, long timeo)
{
	if (sock_flag(sk, SOCK_DONE))
		return 0;
	if (sk->sk_err)
		return sock_error(sk);
	/* As with AF_UNIX: no connection, no end of it. */
	if (ferry_stream_records(sk) && sk->sk_state == TCP_CLOSE &&
	    !ferry_stream(sk)->flow.key.rport)
		return -ENOTCONN;
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	if (sk->sk_state == TCP_CLOSE)
		return -ENOTCONN;
	if (!timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(timeo);
	return 1;
}

/* The same, when something was read already: then nothing of it is told. */
static bool ferry_stream_wait_more(struct sock *sk, long timeo)
{
	return !sk->sk_err && sk->sk_state != TCP_CLOSE &&
	       !(sk->sk_shutdown & RCV_SHUTDOWN) && timeo &&
	       !signal_pending(current);
}

/* The skb that has a byte of the stream, and where it is in it. */
static struct sk_buff *ferry_stream_at(struct sock *sk, u64 seq, u32 *offset)
{
	const struct ferry_piece *piece;
	struct sk_buff *skb;

	skb_queue_walk(&sk->sk_receive_queue, skb) {
		piece = &ferry_queued(skb)->piece;
		if (seq < piece->seq + piece->len) {
			*offset = seq - piece->seq;
			return skb;
		}
	}
	return NULL;
}

/* The first @bytes of the queue's first skb were read. */
static void ferry_stream_consume(struct sock *sk, struct sk_buff *skb, u32 bytes)
{
	struct ferry_piece *piece = &ferry_queued(skb)->piece;
	struct ferry_stream *fy = ferry_stream(sk);

	piece->seq += bytes;
	piece->skip += bytes;
	piece->len -= bytes;
	fy->read += bytes;
	WRITE_ONCE(fy->unread, fy->unread - bytes);
	if (!piece->len)
		sk_eat_skb(sk, skb);
}

/*
 * struct ferry_stream_read - one call that reads a stream
 *
 * @msg: where to
 * @control: its control messages
 * @control_len: room for them, in bytes
 * @left: bytes that it has room for
 * @copied: bytes that it has
 * @seq: number of the next byte
 * @flags: MSG_*
 */
struct ferry_stream_read {
	struct msghdr	*msg;
	void		*control;
	size_t		control_len;
	size_t		left;
	int		copied;
	u64		seq;
	int		flags;
};

/* One stamp is told, that of the last bytes: it takes the place of the one before. */
static void ferry_stream_stamp(struct sock *sk, struct ferry_stream_read *rd,
			       struct sk_buff *skb)
{
	if (likely(!ferry_stream_wants_stamp(sk, skb)))
		return;
	rd->msg->msg_control = rd->control;
	rd->msg->msg_controllen = rd->control_len;
	sock_recv_timestamp(rd->msg, sk, skb);
}

/* Read what is there. */
static int ferry_stream_read_ready(struct sock *sk,
				   struct ferry_stream_read *rd)
{
	struct sk_buff *skb;
	u32 offset, bytes;
	int err;

	while (rd->left && (skb = ferry_stream_at(sk, rd->seq, &offset))) {
		bytes = min_t(size_t, rd->left,
			      ferry_queued(skb)->piece.len - offset);
		if (!(rd->flags & MSG_TRUNC)) {
			err = skb_copy_datagram_msg(skb, ferry_queued(skb)->piece.skip +
						    offset, rd->msg, bytes);
			if (err)
				return err;
		}
		ferry_stream_stamp(sk, rd, skb);
		rd->copied += bytes;
		rd->left -= bytes;
		rd->seq += bytes;
		if (!(rd->flags & MSG_PEEK))
			ferry_stream_consume(sk, skb, bytes);
	}
	return 0;
}

/*
 * What is left after a read, for who wants to know: FERRY_INQ, and io_uring. The end
 * is one more to be read (as TCP).
 */
static void ferry_stream_tell_inq(struct sock *sk, struct msghdr *msg)
{
	const struct ferry_stream *fy = ferry_stream(sk);
	int inq;

	if (likely(!fy->tell_inq && !msg->msg_get_inq))
		return;
	inq = fy->unread + sock_flag(sk, SOCK_DONE);
	if (msg->msg_get_inq)
		msg->msg_inq = inq;
	if (fy->tell_inq)
		put_cmsg(msg, SOL_FERRY, FERRY_INQ, sizeof(inq), &inq);
}

static int ferry_stream_recv_bytes(struct sock *sk, struct msghdr *msg,
				   size_t len, int flags)
{
	int target = sock_rcvlowat(sk, flags & MSG_WAITALL, len);
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_stream_read rd = {
		.msg = msg,
		.control = msg->msg_control,
		.control_len = msg->msg_controllen,
		.left = len,
		.flags = flags,
	};
	int peek_off = 0;
	int err;

	if (flags & MSG_PEEK)
		peek_off = max(sk_peek_offset(sk, flags), 0);
	for (;;) {
		/* Whoever slept may not be the first to read what came. */
		if (!(flags & MSG_PEEK) || !rd.copied)
			rd.seq = fy->read + peek_off;
		rd.seq = max(rd.seq, fy->read);
		err = ferry_stream_read_ready(sk, &rd);
		if (err || rd.copied >= target)
			break;
		/* Nothing was asked for: TCP waits until there is something. */
		if (!rd.left && (len || fy->unread))
			break;
		if (rd.copied) {
			if (!ferry_stream_wait_more(sk, timeo))
				break;
		} else {
			err = ferry_stream_may_wait(sk, timeo);
			if (err <= 0)
				break;
		}
		if (!(flags & MSG_PEEK))
			ferry_stream_read_some(sk);
		err = ferry_stream_wait(sk, &timeo);
		if (err)
			break;
	}
	if (flags & MSG_PEEK) {
		sk_peek_offset_fwd(sk, rd.copied);
	} else if (rd.copied) {
		sk_peek_offset_bwd(sk, rd.copied);
		ferry_stream_read_some(sk);
	}
	if (rd.copied || !err)
		ferry_stream_tell_inq(sk, msg);
	return rd.copied ?: err;
}

/*
 * splice(2) to a pipe
 */

/* Give the pipe what there is, as far as it has room: pages, not copies of them. */
static ssize_t ferry_stream_splice_ready(struct sock *sk,
					 struct pipe_inode_info *pipe,
					 size_t len, unsigned int flags)
{
	struct sk_buff *skb;
	ssize_t spliced = 0;
	u32 bytes;
	int ret = 0;

	while (len && (skb = skb_peek(&sk->sk_receive_queue))) {
		bytes = min_t(size_t, len, ferry_queued(skb)->piece.len);
		ret = skb_splice_bits(skb, sk, ferry_queued(skb)->piece.skip,
				      pipe, bytes, flags);
		/* What does not lie in pages is copied into some. */
		if (!ret)
			ret = -ENOMEM;
		if (ret < 0)
			break;
		ferry_stream_consume(sk, skb, ret);
		spliced += ret;
		len -= ret;
	}
	if (spliced) {
		sk_peek_offset_bwd(sk, spliced);
		ferry_stream_read_some(sk);
	}
	return spliced ?: ret;
}

/**
 * ferry_stream_splice_read() - splice(2) to a pipe
 * @sock: the socket
 * @ppos: 0: a socket has no places
 * @pipe: the pipe
 * @len: at most so many bytes
 * @flags: SPLICE_F_*. As with TCP, SPLICE_F_NONBLOCK is the pipe's: whether to wait
 *	for something to read says O_NONBLOCK
 *
 * Context: process, with the pipe locked.
 * Return: bytes, 0 at the end, or what recv(2) says; -EAGAIN if the pipe is full.
 */
ssize_t ferry_stream_splice_read(struct socket *sock, loff_t *ppos,
				 struct pipe_inode_info *pipe, size_t len,
				 unsigned int flags)
{
	struct sock *sk = sock->sk;
	ssize_t ret;
	long timeo;

	if (*ppos)
		return -ESPIPE;
	/* A record a call, by recvmsg(): as the core does it for AF_UNIX's. */
	if (ferry_stream_records(sk))
		return ferry_copy_splice_read(sock->file, ppos, pipe, len, flags);

	lock_sock(sk);
	timeo = sock_rcvtimeo(sk, sock->file->f_flags & O_NONBLOCK);
	for (;;) {
		/* Only a connection has an end to read up to. */
		ret = -ENOTCONN;
		if (sk->sk_state == TCP_LISTEN)
			break;
		ret = ferry_stream_splice_ready(sk, pipe, len, flags);
		if (ret)
			break;
		ret = ferry_stream_may_wait(sk, timeo);
		if (ret <= 0)
			break;
		ret = ferry_stream_wait(sk, &timeo);
		if (ret)
			break;
	}
	release_sock(sk);
	return ret;
}

/*
 * Records
 */

/*
 * struct ferry_record_at - where a record begins in sk_receive_queue
 *
 * @skb: in which skb; NULL: after the last
 * @done: bytes of what is queued in it that come before
 */
struct ferry_record_at {
	struct sk_buff	*skb;
	u32		done;
};

/*
 * struct ferry_record_read - one call that reads a record
 *
 * @msg: where to; NULL: to nowhere
 * @skip: bytes of the record that come before what is asked for
 * @room: bytes that @msg has room for
 * @len: bytes of the record that have been seen
 * @err: -EFAULT, if @msg could not be written
 * @peeked: it has no bytes, and was peeked at before
 */
struct ferry_record_read {
	struct msghdr	*msg;
	size_t		skip;
	size_t		room;
	size_t		len;
	int		err;
	bool		peeked;
};

static void ferry_record_copy(struct ferry_record_read *rd, struct sk_buff *skb,
			      u32 offset, u32 bytes)
{
	size_t skip = min_t(size_t, rd->skip, bytes);
	size_t copy = min_t(size_t, rd->room, bytes - skip);

	rd->skip -= skip;
	rd->len += bytes;
	if (!copy || rd->err)
		return;
	rd->err = skb_copy_datagram_msg(skb, offset + skip, rd->msg, copy);
	rd->room -= copy;
}

/* One of the pieces that an skb has, at @at. Return: where the next one is. */
static u32 ferry_record_read_packed(struct ferry_record_read *rd,
				    struct sk_buff *skb, u32 at, bool *end)
{
	struct ferry_packed_stamp stamp = {};
	u32 mark;

	memcpy(&mark, skb->data + at, sizeof(mark));
	at += sizeof(mark);
	if (mark & FERRY_PACKED_STAMP) {
		memcpy(&stamp, skb->data + at, sizeof(stamp));
		at += sizeof(stamp);
	}
	/* Until another one is looked at, the skb's is this piece's. */
	ferry_stream_set_stamp(skb, &stamp);
	rd->peeked = mark & FERRY_PACKED_PEEKED;
	*end = mark & FERRY_PACKED_EOR;
	mark &= FERRY_PACKED_LEN;
	ferry_record_copy(rd, skb, at, mark);
	return at + mark;
}

/*
 * Read the record's part in an skb, from @done bytes into what is left of it on.
 * @end is set if the record ends here. Return: the bytes of the skb that it is.
 */
static u32 ferry_record_read_skb(struct ferry_record_read *rd,
				 struct sk_buff *skb, u32 done, bool *end)
{
	const struct ferry_queued *queued = ferry_queued(skb);
	u32 stop = queued->piece.skip + queued->piece.len;
	u32 start = queued->piece.skip + done;
	u32 at = start;

	if (!queued->packed) {
		ferry_record_copy(rd, skb, at, stop - at);
		rd->peeked = queued->peeked;
		*end = queued->piece.eor;
		return stop - start;
	}
	while (at < stop && !*end)
		at = ferry_record_read_packed(rd, skb, at, end);
	return at - start;
}

static void ferry_record_consume(struct sock *sk, struct sk_buff *skb, u32 bytes)
{
	struct ferry_piece *piece = &ferry_queued(skb)->piece;

	piece->skip += bytes;
	piece->len -= bytes;
	if (!piece->len)
		sk_eat_skb(sk, skb);
}

/* Read one whole record, which begins at @at; @at then is where the next does. */
static void ferry_record_read(struct sock *sk, struct ferry_record_at *at,
			      struct ferry_record_read *rd, bool consume)
{
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	struct sk_buff *skb;
	bool end = false;
	u32 bytes;

	while (!end && (skb = at->skb)) {
		bytes = ferry_record_read_skb(rd, skb, at->done, &end);
		if (end && rd->msg && ferry_stream_wants_stamp(sk, skb))
			sock_recv_timestamp(rd->msg, sk, skb);
		at->done += bytes;
		if (at->done == ferry_queued(skb)->piece.len) {
			at->skb = skb_peek_next(skb, queue);
			at->done = 0;
		}
		if (!consume)
			continue;
		at->done = 0;
		ferry_record_consume(sk, skb, bytes);
	}
}

/*
 * Find the record that is to be read: the first, or the one that SO_PEEK_OFF has
 * come to, which goes from record to record as AF_UNIX has it. @skip is where in
 * it. False: it is not there yet.
 */
static bool ferry_record_find(struct sock *sk, int flags,
			      struct ferry_record_at *at, size_t *skip)
{
	struct ferry_record_at next = { skb_peek(&sk->sk_receive_queue) };
	u32 records = ferry_stream(sk)->records;
	int offset = sk_peek_offset(sk, flags);

	*at = next;
	*skip = max(offset, 0);
	if (!(flags & MSG_PEEK) || offset < 0)
		return records;
	for (; records; records--) {
		struct ferry_record_read rd = {};

		ferry_record_read(sk, &next, &rd, false);
		/* One of no bytes is peeked at once. */
		if (*skip < rd.len || (!*skip && !rd.peeked))
			return true;
		*skip -= rd.len;
		*at = next;
	}
	return false;
}

/* The record at @at, which has no bytes, was peeked at. */
static void ferry_record_set_peeked(const struct ferry_record_at *at)
{
	struct ferry_queued *queued = ferry_queued(at->skb);
	u8 *head = at->skb->data + queued->piece.skip + at->done;
	u32 mark;

	if (!queued->packed) {
		queued->peeked = true;
		return;
	}
	memcpy(&mark, head, sizeof(mark));
	mark |= FERRY_PACKED_PEEKED;
	memcpy(head, &mark, sizeof(mark));
}

/**
 * ferry_stream_inq() - SIOCINQ
 * @sk: the socket
 *
 * Context: process, under the socket lock.
 * Return: bytes that can be read; of records, of all that are whole, as AF_UNIX.
 */
u32 ferry_stream_inq(const struct sock *sk)
{
	const struct ferry_stream *fy = ferry_stream(sk);

	return fy->unread - fy->unended;
}

/* The record that was found is read: what of it is left, and the windows. */
static void ferry_record_done(struct sock *sk, const struct ferry_record_at *at,
			      const struct ferry_record_read *rd, bool peek)
{
	struct ferry_stream *fy = ferry_stream(sk);

	if (peek) {
		if (!rd->len)
			ferry_record_set_peeked(at);
		return;
	}
	WRITE_ONCE(fy->unread, fy->unread - rd->len);
	WRITE_ONCE(fy->records, fy->records - 1);
	fy->read += rd->len + 1;
	ferry_stream_read_some(sk);
}

static int ferry_stream_recv_record(struct sock *sk, struct msghdr *msg,
				    size_t len, int flags)
{
	long timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_record_read rd = {
		.msg = msg,
		.room = len,
	};
	struct ferry_record_at at, next;
	bool peek = flags & MSG_PEEK;
	size_t skip;
	int err;

	for (;;) {
		/* As with AF_UNIX, an error goes before what there is to read. */
		if (sk->sk_err && !sock_flag(sk, SOCK_DONE))
			return sock_error(sk);
		if (ferry_record_find(sk, flags, &at, &skip))
			break;
		err = ferry_stream_may_wait(sk, timeo);
		if (err <= 0)
			return err;
		err = ferry_stream_wait(sk, &timeo);
		if (err)
			return err;
	}
	next = at;
	rd.skip = skip;
	ferry_record_read(sk, &next, &rd, !peek);
	ferry_record_done(sk, &at, &rd, peek);
	/* As with AF_UNIX, the record is lost unless it was peeked at. */
	if (rd.err)
		return rd.err;
	if (peek)
		sk_peek_offset_fwd(sk, len - rd.room);
	else
		sk_peek_offset_bwd(sk, rd.len);
	/* As with AF_UNIX, and as getpeername(2) has it. */
	ferry_socket_source(msg, fy->flow.key.raddr, fy->flow.key.rport,
			    fy->flow.ifindex);
	msg->msg_flags |= rd.len - skip > len ? MSG_TRUNC : MSG_EOR;
	return flags & MSG_TRUNC ? rd.len - skip : len - rd.room;
}

/**
 * ferry_stream_recvmsg() - recvmsg(2)
 * @sock: the socket
 * @msg: where to
 * @len: bytes that it has room for
 * @flags: MSG_*
 *
 * Context: process.
 * Return: bytes, 0 at the end, or what recv(2) says.
 */
int ferry_stream_recvmsg(struct socket *sock, struct msghdr *msg, size_t len,
			 int flags)
{
	struct sock *sk = sock->sk;
	int ret;

	if (flags & MSG_ERRQUEUE)
		return sock_recv_errqueue(sk, msg, len, SOL_FERRY,
					  FERRY_RECVERR);
	if (flags & MSG_OOB)
		return ferry_stream_record_alone(sk) ? -ENOTCONN : -EOPNOTSUPP;
	if (sk_can_busy_loop(sk) &&
	    skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	    sk->sk_state == TCP_ESTABLISHED)
		sk_busy_loop(sk, flags & MSG_DONTWAIT);

	lock_sock(sk);
	/* Only a connection has an end to read up to. */
	if (sk->sk_state == TCP_LISTEN)
		ret = -ENOTCONN;
	else if (ferry_stream_records(sk))
		ret = ferry_stream_recv_record(sk, msg, len, flags);
	else
		ret = ferry_stream_recv_bytes(sk, msg, len, flags);
	release_sock(sk);
	return ret;
}
