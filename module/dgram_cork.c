// SPDX-License-Identifier: GPL-2.0-only
/*
 * A datagram that several calls make, as UDP has it: MSG_MORE and FERRY_CORK.
 *
 * What the first call says of where it goes, and how, counts; what the later ones
 * say is not looked at. The call that does not ask for more sends it. If anything
 * goes wrong, all of it is gone.
 */
#include <linux/skbuff.h>
#include <linux/uio.h>

#include "dgram.h"

/* Room for what comes next, so that small pieces do not take an skb each. */
#define FERRY_CORK_SPARE	2048U

static void ferry_dgram_cork_drop(struct sock *sk)
{
	struct ferry_dgram_cork *cork = &ferry_dgram(sk)->cork;

	sock_owned_by_me(sk);
	kfree_skb(cork->skb);
	WRITE_ONCE(cork->skb, NULL);
	cork->last = NULL;
}

/* Send what there is. Under the socket lock. */
static int ferry_dgram_cork_push(struct sock *sk)
{
	struct ferry_dgram_cork *cork = &ferry_dgram(sk)->cork;
	struct sk_buff *skb = cork->skb;
	int err;

	/* connect() may have dissolved more than the peer. */
	err = ferry_socket_autobind(sk);
	if (err) {
		ferry_dgram_cork_drop(sk);
		return err;
	}
	WRITE_ONCE(cork->skb, NULL);
	cork->last = NULL;
	return ferry_dgram_dispatch(sk, skb, &cork->dest, &cork->sockc);
}

/* Copy into the room that is left in the last skb. Return: whether it worked. */
static bool ferry_dgram_cork_fill(struct ferry_dgram_cork *cork,
				  struct ferry_dgram_send *send)
{
	struct sk_buff *last = cork->last;
	u32 len = min_t(size_t, skb_tailroom(last), send->len);

	if (!len || skb_is_nonlinear(last))
		return true;
	if (!copy_from_iter_full(skb_put(last, len), len,
				 &send->msg->msg_iter))
		return false;
	if (last != cork->skb) {
		cork->skb->len += len;
		cork->skb->data_len += len;
	}
	send->len -= len;
	return true;
}

/* Hang a piece on what there is; its charge is the whole's from now on. */
static void ferry_dgram_cork_hang(struct ferry_dgram_cork *cork,
				  struct sk_buff *piece)
{
	struct sk_buff *skb = cork->skb;

	if (!skb) {
		cork->last = piece;
		WRITE_ONCE(cork->skb, piece);
		return;
	}
	if (cork->last == skb)
		skb_shinfo(skb)->frag_list = piece;
	else
		cork->last->next = piece;
	cork->last = piece;
	skb->len += piece->len;
	skb->data_len += piece->len;
	skb->truesize += piece->truesize;
	piece->destructor = NULL;
	piece->sk = NULL;
}

/*
 * One call's part, under the socket lock. Of lent pages only one skb can know who is
 * to be told: what is lent is whole.
 */
static int ferry_dgram_cork_part(struct sock *sk, struct ferry_dgram_send *send)
{
	struct ferry_dgram_cork *cork = &ferry_dgram(sk)->cork;
	size_t have = cork->skb ? cork->skb->len : 0;
	struct ferry_dgram_send whole = { .len = have + send->len };
	int flags = send->msg->msg_flags;
	struct sk_buff *piece;
	int err;

	if (send->uarg || send->msg->msg_ubuf ||
	    (flags & MSG_ZEROCOPY && sock_flag(sk, SOCK_ZEROCOPY)))
		return -EOPNOTSUPP;
	if (READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN)
		return -EPIPE;
	if (whole.len > U16_MAX)
		return -EMSGSIZE;
	err = ferry_dgram_probe(sk, &cork->dest, &whole);
	if (err)
		return err;
	if (have && !(flags & MSG_SPLICE_PAGES) &&
	    !ferry_dgram_cork_fill(cork, send))
		return -EFAULT;
	if (have && !send->len)
		return 0;
	send->headroom = have ? 0 : whole.headroom;
	send->tailroom = have ? 0 : whole.tailroom;
	piece = ferry_dgram_alloc(sk, send, FERRY_CORK_SPARE);
	if (IS_ERR(piece))
		return PTR_ERR(piece);
	ferry_dgram_cork_hang(cork, piece);
	return 0;
}

/* A part, and then all of it unless there is more to come. Under the socket lock. */
static int ferry_dgram_cork_go(struct sock *sk, struct ferry_dgram_send *send)
{
	struct ferry_dgram_cork *cork = &ferry_dgram(sk)->cork;
	bool more = ferry_dgram_corks(sk, send->msg);
	int err;

	err = ferry_dgram_cork_part(sk, send);
	if (err)
		ferry_dgram_cork_drop(sk);
	else if (!more && cork->skb)
		err = ferry_dgram_cork_push(sk);
	return err;
}

/**
 * ferry_dgram_cork_begin() - the first part of a datagram
 * @sk: the socket
 * @send: the part
 * @dest: where the datagram goes
 * @sockc: what the control messages say of it
 *
 * Context: process; takes the socket lock.
 * Return: 0; -EINVAL if another thread has begun one meanwhile, as with UDP;
 * -EOPNOTSUPP for MSG_ZEROCOPY; -EMSGSIZE and what ferry_dgram_alloc() says.
 */
int ferry_dgram_cork_begin(struct sock *sk, struct ferry_dgram_send *send,
			   const struct ferry_dgram_dest *dest,
			   const struct sockcm_cookie *sockc)
{
	struct ferry_dgram_cork *cork = &ferry_dgram(sk)->cork;
	int err = -EINVAL;

	lock_sock(sk);
	if (!cork->skb) {
		cork->dest = *dest;
		cork->sockc = *sockc;
		err = ferry_dgram_cork_go(sk, send);
	}
	release_sock(sk);
	return err;
}

/**
 * ferry_dgram_cork_add() - a further part of a datagram
 * @sk: the socket
 * @send: the part
 *
 * Context: process; takes the socket lock.
 * Return: 0; -ENOENT if there is no datagram in the making any more; else as
 * ferry_dgram_cork_begin().
 */
int ferry_dgram_cork_add(struct sock *sk, struct ferry_dgram_send *send)
{
	int err = -ENOENT;

	lock_sock(sk);
	if (ferry_dgram(sk)->cork.skb)
		err = ferry_dgram_cork_go(sk, send);
	release_sock(sk);
	return err;
}

/**
 * ferry_dgram_cork_set() - FERRY_CORK
 * @sk: the socket
 * @on: whether all calls are parts; if not, what there is leaves
 *
 * Context: process; takes the socket lock.
 * Return: 0; what ferry_dgram_dispatch() says.
 */
int ferry_dgram_cork_set(struct sock *sk, bool on)
{
	struct ferry_dgram_cork *cork = &ferry_dgram(sk)->cork;
	int err = 0;

	lock_sock(sk);
	WRITE_ONCE(cork->on, on);
	if (!on && cork->skb)
		err = ferry_dgram_cork_push(sk);
	release_sock(sk);
	return err;
}

/**
 * ferry_dgram_cork_flush() - the socket closes: what was in the making is gone
 * @sk: the socket
 *
 * Context: process; takes the socket lock.
 */
void ferry_dgram_cork_flush(struct sock *sk)
{
	if (!READ_ONCE(ferry_dgram(sk)->cork.skb))
		return;
	lock_sock(sk);
	ferry_dgram_cork_drop(sk);
	release_sock(sk);
}
