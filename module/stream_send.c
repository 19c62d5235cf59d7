// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending, and the queue of what is to be sent. See stream.h.
 *
 * Payload lies in page fragments, headers apart from it, so that one skb is both
 * the memory of what was sent and, by a copy of its head, the packet. Unsent skbs
 * are on sk_write_queue, those that were sent in a tree by sequence number.
 */
#include <linux/sched/signal.h>

#include "output.h"
#include "stamp.h"
#include "stream.h"

/* So long may MSG_MORE and FERRY_CORK hold data back: tcp(7), in microseconds. */
#define FERRY_CORK_MAX	(200 * USEC_PER_MSEC)

/*
 * The queue
 */

static struct sk_buff *ferry_stream_sent_skb(struct rb_node *node)
{
	return node ? rb_to_skb(node) : NULL;
}

static void ferry_stream_charge(struct sock *sk, int size)
{
	sk_wmem_queued_add(sk, size);
	sk_mem_charge(sk, size);
}

static void ferry_stream_free(struct sock *sk, struct sk_buff *skb)
{
	sk_wmem_queued_add(sk, -(int)skb->truesize);
	sk_mem_uncharge(sk, skb->truesize);
	consume_skb(skb);
}

/* Make an empty chunk of a new skb, and charge it. */
static void ferry_stream_begin(struct sock *sk, struct sk_buff *skb)
{
	skb_reserve(skb, FERRY_OUTPUT_SEG_HEADROOM);
	skb->ip_summed = CHECKSUM_PARTIAL;
	/* Copies may write the header: it is no part of the payload. */
	__skb_header_release(skb);
	*ferry_outgoing(skb) = (struct ferry_outgoing) {};
	ferry_stream_charge(sk, skb->truesize);
}

/* An empty chunk, charged. */
static struct sk_buff *ferry_stream_alloc(struct sock *sk, gfp_t gfp)
{
	struct sk_buff *skb;

	if (unlikely(!ferry_stream(sk)->conn.out) &&
	    !ferry_stream_prepare(sk, gfp))
		return NULL;
	skb = alloc_skb_fclone(FERRY_OUTPUT_SEG_HEADROOM, gfp);
	if (unlikely(!skb))
		return NULL;
	if (unlikely(!sk_wmem_schedule(sk, skb->truesize))) {
		consume_skb(skb);
		return NULL;
	}
	ferry_stream_begin(sk, skb);
	return skb;
}

/*
 * Cut off what of an skb is behind its first @at bytes. The marks at its end are
 * left to the caller.
 */
static struct sk_buff *ferry_stream_cut(struct sock *sk, struct sk_buff *skb,
					u32 at)
{
	u32 behind = skb->len - at;
	u32 truesize = skb->truesize;
	struct sk_buff *rest;

	/* A copy on its way has the same head, and needs it as it is. */
	if (skb_unclone(skb, GFP_ATOMIC | __GFP_NOWARN))
		return NULL;
	skb->truesize = truesize;
	rest = ferry_stream_alloc(sk, GFP_ATOMIC | __GFP_NOWARN);
	if (!rest)
		return NULL;
	if (behind) {
		skb_split(skb, rest, at);
		skb->truesize -= behind;
		rest->truesize += behind;
		ferry_stamp_move(skb, rest);
	}
	return rest;
}

/**
 * ferry_stream_take() - the next chunk to be sent
 * @sk: the socket
 * @limit: at most so many bytes
 *
 * Context: process or softirq, under the socket lock.
 * Return: the chunk, on sk_write_queue still; NULL if it is too long, and there is
 * no memory to cut it.
 */
struct sk_buff *ferry_stream_take(struct sock *sk, u32 limit)
{
	struct sk_buff *skb = skb_peek(&sk->sk_write_queue);
	struct ferry_chunk *chunk;
	struct sk_buff *rest;

	if (WARN_ON_ONCE(!skb))
		return NULL;
	chunk = ferry_chunk(skb);
	if (skb->len > limit) {
		rest = ferry_stream_cut(sk, skb, limit);
		if (!rest)
			return NULL;
		ferry_chunk(rest)->flags = chunk->flags;
		chunk->flags = 0;
		__skb_queue_after(&sk->sk_write_queue, skb, rest);
	}
	chunk->len = skb->len;
	return skb;
}

static void ferry_stream_link(struct rb_root *root, struct sk_buff *skb,
			      struct rb_node *parent, struct rb_node **link)
{
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, root);
}

/**
 * ferry_stream_sent() - a chunk was sent for the first time
 * @sk: the socket
 * @skb: the chunk
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_sent(struct sock *sk, struct sk_buff *skb)
{
	struct rb_root *root = &sk->tcp_rtx_queue;
	struct rb_node **link = &root->rb_node;
	struct rb_node *parent = NULL;

	__skb_unlink(skb, &sk->sk_write_queue);
	while (*link) {
		parent = *link;
		link = &parent->rb_right;
	}
	ferry_stream_link(root, skb, parent, link);
}

/**
 * ferry_stream_free_acked() - free what has arrived at the peer
 * @sk: the socket
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_free_acked(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct rb_node *node = rb_first(&sk->tcp_rtx_queue);
	struct sk_buff *skb;

	while (node) {
		skb = rb_to_skb(node);
		if (ferry_chunk_end(ferry_chunk(skb)) > fy->conn.snd_una)
			break;
		node = rb_next(node);
		rb_erase(&skb->rbnode, &sk->tcp_rtx_queue);
		ferry_stamp_acked(sk, skb);
		ferry_stream_free(sk, skb);
	}
}

/**
 * ferry_stream_write_space() - sk_write_space: there may be room to write
 * @sk: the socket
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_write_space(struct sock *sk)
{
	struct socket *sock = sk->sk_socket;
	struct socket_wq *wq;

	if (!sock || !__sk_stream_is_writeable(sk, 1))
		return;
	clear_bit(SOCK_NOSPACE, &sock->flags);
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM |
					   EPOLLWRBAND);
	rcu_read_unlock();
	if (!(sk->sk_shutdown & SEND_SHUTDOWN))
		sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT);
}

/**
 * ferry_stream_purge_unsent() - nothing is sent any more, nor again
 * @sk: the socket, its connection over
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_stream_purge_unsent(struct sock *sk)
{
	struct rb_node *node;
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&sk->sk_write_queue)))
		ferry_stream_free(sk, skb);
	while ((node = rb_first(&sk->tcp_rtx_queue))) {
		rb_erase(node, &sk->tcp_rtx_queue);
		ferry_stream_free(sk, rb_to_skb(node));
	}
}

/*
 * What the engine asks for: struct ferry_conn_ops
 */

static struct ferry_stream *ferry_stream_of(struct ferry_conn *conn)
{
	return container_of(conn, struct ferry_stream, conn);
}

static struct ferry_chunk *ferry_stream_chunk(struct rb_node *node)
{
	struct sk_buff *skb = ferry_stream_sent_skb(node);

	return skb ? ferry_chunk(skb) : NULL;
}

static struct ferry_chunk *ferry_stream_find(struct ferry_conn *conn, u64 seq)
{
	struct rb_node *node = ferry_stream_of(conn)->fs.sk.tcp_rtx_queue.rb_node;
	struct ferry_chunk *chunk;

	while (node) {
		chunk = ferry_chunk(rb_to_skb(node));
		if (seq < chunk->seq)
			node = node->rb_left;
		else if (seq >= ferry_chunk_end(chunk))
			node = node->rb_right;
		else
			return chunk;
	}
	return NULL;
}

static struct ferry_chunk *ferry_stream_next(struct ferry_conn *conn,
					     struct ferry_chunk *chunk)
{
	return ferry_stream_chunk(rb_next(&ferry_chunk_skb(chunk)->rbnode));
}

static struct ferry_chunk *ferry_stream_prev(struct ferry_conn *conn,
					     struct ferry_chunk *chunk)
{
	return ferry_stream_chunk(rb_prev(&ferry_chunk_skb(chunk)->rbnode));
}

static struct ferry_chunk *ferry_stream_split(struct ferry_conn *conn,
					      struct ferry_chunk *chunk, u32 at)
{
	struct sock *sk = &ferry_stream_of(conn)->fs.sk;
	struct sk_buff *skb = ferry_chunk_skb(chunk);
	struct rb_node *parent = &skb->rbnode;
	struct rb_node **link = &parent->rb_right;
	struct sk_buff *rest;

	rest = ferry_stream_cut(sk, skb, at);
	if (!rest)
		return NULL;
	while (*link) {
		parent = *link;
		link = &parent->rb_left;
	}
	ferry_stream_link(&sk->tcp_rtx_queue, rest, parent, link);
	return ferry_chunk(rest);
}

const struct ferry_conn_ops ferry_stream_conn_ops = {
	.find = ferry_stream_find,
	.next = ferry_stream_next,
	.prev = ferry_stream_prev,
	.split = ferry_stream_split,
	.reorder = ferry_stream_reorder,
};

/*
 * sendmsg(2)
 */

/*
 * struct ferry_stream_send - one call that sends
 *
 * @msg: the message
 * @sockc: what its control messages say; not of a record
 * @uarg: who is told when its pages are free again: MSG_ZEROCOPY. A reference; NULL
 *	if what is sent are not the caller's own pages
 */
struct ferry_stream_send {
	struct msghdr			*msg;
	const struct sockcm_cookie	*sockc;
	struct ubuf_info		*uarg;
};

/*
 * The last unsent chunk, if bytes may be added to it. One skb tells one of them that
 * its pages are free, and has no others.
 */
static struct sk_buff *ferry_stream_tail(struct sock *sk,
					 const struct ferry_stream_send *send)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);
	struct ferry_stream *fy = ferry_stream(sk);

	if (!skb || fy->sealed || skb->len >= fy->conn.batch ||
	    skb_zcopy(skb) != send->uarg)
		return NULL;
	return skb;
}

/*
 * Three ways for bytes to get into an skb. Each adds some, at most @room, to @skb.
 * Return: bytes; 0 if @skb has no room for one more page; negative errno: -ENOMEM
 * is for who waits for memory.
 */

/* Copy into a page, as much as it has room for, and hang it on @skb. */
static int ferry_stream_copy_some(struct sock *sk, struct sk_buff *skb,
				  struct msghdr *msg, u32 room)
{
	struct page_frag *pfrag = sk_page_frag(sk);
	int i = skb_shinfo(skb)->nr_frags;
	bool merge;
	int copy, err;

	if (!sk_page_frag_refill(sk, pfrag))
		return -ENOMEM;
	merge = skb_can_coalesce(skb, i, pfrag->page, pfrag->offset);
	if (!merge && i == MAX_SKB_FRAGS)
		return 0;
	copy = min_t(size_t, pfrag->size - pfrag->offset, msg_data_left(msg));
	copy = min_t(u32, copy, room);
	if (!sk_wmem_schedule(sk, copy))
		return -ENOMEM;
	err = skb_copy_to_page_nocache(sk, &msg->msg_iter, skb, pfrag->page,
				       pfrag->offset, copy);
	if (err)
		return err;
	if (merge) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], copy);
	} else {
		skb_fill_page_desc(skb, i, pfrag->page, pfrag->offset, copy);
		page_ref_inc(pfrag->page);
	}
	pfrag->offset += copy;
	return copy;
}

/*
 * Hang the message's own page on @skb: MSG_SPLICE_PAGES. Whose it is may go on
 * writing there, as with TCP: so the mark, for who would check or change it.
 */
static int ferry_stream_splice_some(struct sock *sk, struct sk_buff *skb,
				    struct msghdr *msg, u32 room)
{
	size_t most = min3(msg_data_left(msg), (size_t)room, PAGE_SIZE);
	int i = skb_shinfo(skb)->nr_frags;
	struct page *page;
	ssize_t bytes;
	size_t offset;

	if (i == MAX_SKB_FRAGS)
		return 0;
	if (!sk_wmem_schedule(sk, most))
		return -ENOMEM;
	bytes = iov_iter_get_pages2(&msg->msg_iter, &page, most, 1, &offset);
	if (bytes <= 0)
		return bytes ?: -EIO;
	if (skb_can_coalesce(skb, i, page, offset)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[i - 1], bytes);
		put_page(page);
	} else {
		skb_fill_page_desc_noacc(skb, i, page, offset, bytes);
	}
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	skb->len += bytes;
	skb->data_len += bytes;
	skb->truesize += bytes;
	ferry_stream_charge(sk, bytes);
	return bytes;
}

/* Hang the caller's own pages on @skb: MSG_ZEROCOPY. */
static int ferry_stream_lend_some(struct sock *sk, struct sk_buff *skb,
				  const struct ferry_stream_send *send, u32 room)
{
	u32 bytes = min_t(size_t, msg_data_left(send->msg), room);
	int ret;

	/* What its pages have before and after it is charged, too. */
	if (!sk_wmem_schedule(sk, bytes + 2 * PAGE_SIZE))
		return -ENOMEM;
	ret = ferry_zerocopy_iter_stream(sk, skb, send->msg, bytes, send->uarg);
	if ((ret == -EMSGSIZE || ret == -EEXIST) && skb->len)
		return 0;
	return ret;
}

static int ferry_stream_add_some(struct sock *sk, struct sk_buff *skb,
				 const struct ferry_stream_send *send, u32 room)
{
	if (unlikely(send->uarg))
		return ferry_stream_lend_some(sk, skb, send, room);
	if (unlikely(send->msg->msg_flags & MSG_SPLICE_PAGES))
		return ferry_stream_splice_some(sk, skb, send->msg, room);
	return ferry_stream_copy_some(sk, skb, send->msg, room);
}

/* Let the engine have what is held back: all, or with @part whole segments. */
static void ferry_stream_unhold(struct sock *sk, bool part)
{
	struct ferry_stream *fy = ferry_stream(sk);
	u32 bytes = fy->held;

	if (part)
		bytes -= bytes % fy->conn.mss;
	fy->held -= bytes;
	if (!fy->held)
		fy->out->cork_at = 0;
	if (bytes)
		ferry_conn_queue(&fy->conn, bytes, 0);
}

/**
 * ferry_stream_uncork() - hold nothing back
 * @sk: the socket
 *
 * Context: process or softirq, under the socket lock; ferry_stream_push() is to
 * follow.
 */
void ferry_stream_uncork(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);

	if (!fy->held)
		return;
	if (ferry_conn_may_send(&fy->conn))
		ferry_stream_unhold(sk, false);
	fy->out->cork_at = 0;
}

static void ferry_stream_send_now(struct sock *sk, int flags)
{
	struct ferry_stream *fy = ferry_stream(sk);
	bool more = flags & MSG_MORE || fy->corked;
	u64 now = ferry_stream_now();

	if (fy->held)
		ferry_stream_unhold(sk, more);
	if (fy->held && !fy->out->cork_at)
		fy->out->cork_at = now + FERRY_CORK_MAX;
	ferry_stream_push(sk, now);
}

static bool ferry_stream_send_ended(const struct sock *sk)
{
	return sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN ||
	       !ferry_conn_may_send(&ferry_stream(sk)->conn);
}

/* Add some bytes to the last chunk, or to a new one. As add_some(). */
static int ferry_stream_append(struct sock *sk,
			       const struct ferry_stream_send *send)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct sk_buff *skb = ferry_stream_tail(sk, send);
	bool fresh = !skb;
	int copied;

	if (!sk_stream_memory_free(sk))
		return -ENOMEM;
	if (fresh) {
		skb = ferry_stream_alloc(sk, sk->sk_allocation);
		if (!skb)
			return -ENOMEM;
	}
	copied = ferry_stream_add_some(sk, skb, send, fy->conn.batch - skb->len);
	if (copied > 0) {
		fy->held += copied;
		if (fresh) {
			__skb_queue_tail(&sk->sk_write_queue, skb);
			fy->sealed = false;
		}
	} else {
		if (fresh)
			ferry_stream_free(sk, skb);
		else if (!copied)
			fy->sealed = true;
	}
	return copied;
}

static int ferry_stream_append_all(struct sock *sk,
				   const struct ferry_stream_send *send,
				   long *timeo)
{
	struct ferry_stream *fy = ferry_stream(sk);
	int flags = send->msg->msg_flags;
	int sent = 0;
	int err;

	for (;;) {
		/* Who sends nothing is told too. */
		if (ferry_stream_send_ended(sk)) {
			err = -EPIPE;
			goto out;
		}
		if (!msg_data_left(send->msg))
			break;
		err = ferry_stream_append(sk, send);
		if (err >= 0) {
			sent += err;
			/* The wire need not wait for the rest. */
			if (fy->held >= fy->conn.batch &&
			    msg_data_left(send->msg))
				ferry_stream_send_now(sk, MSG_MORE);
			continue;
		}
		if (err != -ENOMEM)
			goto out;
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		ferry_conn_flush(&fy->conn);
		ferry_stream_send_now(sk, 0);
		err = sk_stream_wait_memory(sk, timeo);
		if (err)
			goto out;
	}
	err = 0;
	if (flags & MSG_EOR && sent)
		fy->sealed = true;
out:
	if (sent && ferry_stamp_request(sk, skb_peek_tail(&sk->sk_write_queue),
					send->sockc, sent))
		fy->sealed = true;
	if (sent && !ferry_stream_send_ended(sk))
		ferry_stream_send_now(sk, err ? 0 : flags);
	return sent ?: err;
}

static int ferry_stream_send_bytes(struct sock *sk, struct msghdr *msg,
				   const struct sockcm_cookie *sockc,
				   long *timeo)
{
	struct ferry_stream_send send = { .msg = msg, .sockc = sockc };
	int ret;

	ret = ferry_socket_borrow(sk, msg,
				  skb_zcopy(skb_peek_tail(&sk->sk_write_queue)),
				  &send.uarg);
	if (ret)
		return ret;
	ret = ferry_stream_append_all(sk, &send, timeo);
	ferry_socket_lent(send.uarg, ret >= 0);
	return ret;
}

/*
 * Records go on the queue whole or not at all.
 */

/* Build a record's chunks on @list. -ENOMEM: wait, and try again. */
static int ferry_stream_build_record(struct sock *sk, struct msghdr *msg,
				     struct sk_buff_head *list)
{
	const struct ferry_stream_send send = { .msg = msg };
	u32 batch = ferry_stream(sk)->conn.batch;
	struct sk_buff *skb;
	int copied;

	do {
		skb = ferry_stream_alloc(sk, sk->sk_allocation);
		if (!skb)
			return -ENOMEM;
		__skb_queue_tail(list, skb);
		while (msg_data_left(msg) && skb->len < batch) {
			copied = ferry_stream_add_some(sk, skb, &send,
						       batch - skb->len);
			if (copied < 0)
				return copied;
			if (!copied)
				break;
		}
	} while (msg_data_left(msg));
	return 0;
}

static void ferry_stream_drop_record(struct sock *sk, struct sk_buff_head *list)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(list)))
		ferry_stream_free(sk, skb);
}

static int ferry_stream_send_record(struct sock *sk, struct msghdr *msg,
				    size_t len,
				    const struct sockcm_cookie *sockc,
				    long *timeo)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct iov_iter start = msg->msg_iter;
	struct sk_buff_head list;
	int err;

	__skb_queue_head_init(&list);
	for (;;) {
		if (ferry_stream_send_ended(sk))
			return -EPIPE;
		if (len > READ_ONCE(sk->sk_sndbuf) ||
		    len > ferry_conn_record_max(&fy->conn))
			return -EMSGSIZE;
		err = -ENOMEM;
		if (sk_stream_memory_free(sk)) {
			err = ferry_stream_build_record(sk, msg, &list);
			if (!err)
				break;
			ferry_stream_drop_record(sk, &list);
			msg->msg_iter = start;
		}
		if (err != -ENOMEM)
			return err;
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		ferry_stream_flush(sk);
		err = sk_stream_wait_memory(sk, timeo);
		if (err)
			return err;
	}
	ferry_chunk(skb_peek_tail(&list))->flags = FERRY_F_EOR;
	ferry_stamp_request(sk, skb_peek_tail(&list), sockc, len);
	skb_queue_splice_tail(&list, &sk->sk_write_queue);
	ferry_conn_queue(&fy->conn, len, FERRY_F_EOR);
	ferry_stream_push(sk, ferry_stream_now());
	return len;
}

/*
 * What a call's control messages say. What TCP knows it ignores here, too: a
 * connection has one mark. Records have nothing to be ignored: as AF_UNIX, or for
 * want of what AF_UNIX can do, they refuse it.
 */
static int ferry_stream_read_control(struct sock *sk, struct msghdr *msg,
				     struct sockcm_cookie *sockc)
{
	struct cmsghdr *cmsg;
	u32 key;
	int err;

	if (!msg->msg_controllen)
		return 0;
	err = sock_cmsg_send(sk, msg, sockc);
	if (err)
		return err;
	/*
	 * A stream's stamps are told apart by the place of their bytes, and its
	 * bytes have no time to leave: that is its pace's to say.
	 */
	if (!ferry_stream_records(sk))
		return ferry_sockcm_opt_id(sockc, &key) ||
		       sockc->transmit_time ? -EINVAL : 0;
	for_each_cmsghdr(cmsg, msg)
		if (cmsg->cmsg_level == SOL_SOCKET &&
		    !ferry_cmsg_of_stamps(cmsg))
			return -EINVAL;
	return 0;
}

/* What a record cannot have, in AF_UNIX's order: also before what is over. */
static int ferry_stream_check_record(struct sock *sk, struct msghdr *msg,
				     size_t len, struct sockcm_cookie *sockc)
{
	int err;

	err = sock_error(sk);
	if (err)
		return err;
	if (ferry_stream_record_alone(sk))
		return -ENOTCONN;
	err = ferry_stream_read_control(sk, msg, sockc);
	if (err)
		return err;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	return len > READ_ONCE(sk->sk_sndbuf) ? -EMSGSIZE : 0;
}

static int ferry_stream_send_locked(struct sock *sk, struct msghdr *msg,
				    size_t len)
{
	long timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	int flags = msg->msg_flags;
	struct sockcm_cookie sockc;
	int err;

	ferry_sockcm_init(&sockc, sk);
	if (ferry_stream_records(sk)) {
		/* As with AF_UNIX, a record raises no SIGPIPE. */
		flags |= MSG_NOSIGNAL;
		err = ferry_stream_check_record(sk, msg, len, &sockc);
		if (err)
			return err;
	}
	if ((1 << sk->sk_state) & ~(TCPF_ESTABLISHED | TCPF_CLOSE_WAIT)) {
		err = sk_stream_wait_connect(sk, &timeo);
		if (err)
			return sk_stream_error(sk, flags, err);
	}
	if (!ferry_stream_records(sk)) {
		err = ferry_stream_read_control(sk, msg, &sockc);
		if (err)
			return err;
	}
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	err = ferry_stream_records(sk) ?
	      ferry_stream_send_record(sk, msg, len, &sockc, &timeo) :
	      ferry_stream_send_bytes(sk, msg, &sockc, &timeo);
	if (err >= 0)
		return err;
	err = sk_stream_error(sk, flags, err);
	/*
	 * It was the memory of all that was short, not this socket's. No ACK will
	 * say that there is some again: so who waits for the edge tries again.
	 */
	if (err == -EAGAIN && skb_queue_empty(&sk->sk_write_queue) &&
	    RB_EMPTY_ROOT(&sk->tcp_rtx_queue))
		sk->sk_write_space(sk);
	return err;
}

/**
 * ferry_stream_sendmsg() - sendmsg(2)
 * @sock: the socket
 * @msg: the message
 * @len: its length in bytes
 *
 * Context: process.
 * Return: bytes sent, or what send(2) says.
 */
int ferry_stream_sendmsg(struct socket *sock, struct msghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	int ret;

	/* FASTOPEN as TCP's when it is turned off: no data before the handshake's end. */
	if (msg->msg_flags & (MSG_OOB | MSG_FASTOPEN) &&
	    !ferry_stream_records(sk))
		return -EOPNOTSUPP;

	lock_sock(sk);
	ret = ferry_stream_send_locked(sk, msg, len);
	release_sock(sk);
	return ret;
}

/**
 * ferry_stream_splice_eof() - what sendfile(2) reads has ended before it was to
 * @sock: the socket
 *
 * What was held back for what does not come is sent.
 *
 * Context: process.
 */
void ferry_stream_splice_eof(struct socket *sock)
{
	struct sock *sk = sock->sk;

	lock_sock(sk);
	if (ferry_stream(sk)->held && !ferry_stream(sk)->corked) {
		ferry_stream_uncork(sk);
		ferry_stream_push(sk, ferry_stream_now());
	}
	release_sock(sk);
}

/**
 * ferry_stream_queue_fin() - nothing comes after what is queued
 * @sk: the socket, of which ferry_conn_may_send() is true
 * @gfp: how to find memory, if it takes any
 *
 * Context: process or softirq, under the socket lock; ferry_stream_push() is to
 * follow.
 * Return: false if there is no memory.
 */
bool ferry_stream_queue_fin(struct sock *sk, gfp_t gfp)
{
	struct sk_buff *skb = skb_peek_tail(&sk->sk_write_queue);
	struct ferry_stream *fy = ferry_stream(sk);

	if (!ferry_stream_prepare(sk, gfp))
		return false;
	ferry_stream_uncork(sk);
	if (!skb) {
		skb = alloc_skb_fclone(FERRY_OUTPUT_SEG_HEADROOM, gfp);
		if (!skb)
			return false;
		/* An end must not wait for memory. */
		if (!sk_wmem_schedule(sk, skb->truesize))
			skb->truesize = 0;
		ferry_stream_begin(sk, skb);
		__skb_queue_tail(&sk->sk_write_queue, skb);
	}
	ferry_chunk(skb)->flags |= FERRY_F_FIN;
	ferry_conn_queue(&fy->conn, 0, FERRY_F_FIN);
	return true;
}
