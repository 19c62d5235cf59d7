/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagram sockets: SOCK_DGRAM, and FERRYPROTO_ECHO, which sends echoes and has the
 * answers.
 *
 *	dgram.c			the calls: connect, sendmsg, recvmsg, shutdown
 *	dgram_cork.c		a datagram that several calls make: MSG_MORE
 *	dgram_option.c		socket options, and control messages
 *	group.c			memberships of multicast groups
 */
#ifndef _FERRY_DGRAM_H
#define _FERRY_DGRAM_H

#include <linux/net.h>
#include <net/sock.h>

#include "socket.h"

/*
 * struct ferry_dgram_dest - where one datagram goes, and from where
 */
struct ferry_dgram_dest {
	u64	saddr;		/* FERRY_ADDR_ANY: the socket's own */
	u64	addr;
	u32	port;
	int	ifindex;
};

/*
 * struct ferry_dgram_send - one call that sends
 *
 * @msg: the message
 * @len: its length in bytes
 * @uarg: who is told when its pages are free again: MSG_ZEROCOPY. A reference; NULL
 *	if what is sent are not the caller's own pages
 * @headroom: bytes to leave free before it
 * @tailroom: and behind
 */
struct ferry_dgram_send {
	struct msghdr		*msg;
	size_t			len;
	struct ubuf_info	*uarg;
	unsigned int		headroom;
	unsigned int		tailroom;
};

/*
 * struct ferry_dgram_cork - a datagram in the making: MSG_MORE and FERRY_CORK
 *
 * @skb: what there is of it, charged to the socket; NULL: nothing is in the making.
 *	Under the socket lock; read without it by who then takes the lock and looks
 *	again
 * @last: the skb that its end is in: @skb or the last on its frag_list
 * @sockc: the first call's control messages
 * @dest: where it goes, which the first call says
 * @on: FERRY_CORK; READ_ONCE()
 */
struct ferry_dgram_cork {
	struct sk_buff		*skb;
	struct sk_buff		*last;
	struct sockcm_cookie	sockc;
	struct ferry_dgram_dest	dest;
	bool			on;
};

/*
 * struct ferry_dgram - a datagram socket
 *
 * As struct ferry_sock has it. The memberships are group.c's: written under the
 * RTNL, @groups read under RCU. They are given up before the last reference is, and
 * so is what is in the making.
 */
struct ferry_dgram {
	struct ferry_sock	fs;		/* must be first */
	spinlock_t		rmem_lock;	/* sk_forward_alloc; BH, innermost */
	struct ferry_dgram_cork	cork;
	struct hlist_head	groups;		/* struct ferry_group */
	u8			group_count;
	bool			joined;		/* ever */
	bool			pktinfo;	/* FERRY_RECVPKTINFO; READ_ONCE() */
	bool			version;	/* FERRY_RECVVERSION; READ_ONCE() */
};

static inline struct ferry_dgram *ferry_dgram(const struct sock *sk)
{
	return (struct ferry_dgram *)sk;
}

extern struct proto ferry_dgram_prot;
extern const struct proto_ops ferry_dgram_ops;
extern long ferry_dgram_mem[3];

int ferry_dgram_init(void);
void ferry_dgram_exit(void);
void ferry_dgram_setup(struct sock *sk);

/* For dgram_cork.c. */
int ferry_dgram_probe(struct sock *sk, const struct ferry_dgram_dest *dest,
		      struct ferry_dgram_send *send);
struct sk_buff *ferry_dgram_alloc(struct sock *sk,
				  const struct ferry_dgram_send *send,
				  size_t spare);
int ferry_dgram_dispatch(struct sock *sk, struct sk_buff *skb,
			 const struct ferry_dgram_dest *dest,
			 const struct sockcm_cookie *sockc);

/* dgram_cork.c */
int ferry_dgram_cork_begin(struct sock *sk, struct ferry_dgram_send *send,
			   const struct ferry_dgram_dest *dest,
			   const struct sockcm_cookie *sockc);
int ferry_dgram_cork_add(struct sock *sk, struct ferry_dgram_send *send);
int ferry_dgram_cork_set(struct sock *sk, bool on);
void ferry_dgram_cork_flush(struct sock *sk);

/* Does what is sent belong to a datagram that goes on? */
static inline bool ferry_dgram_corks(const struct sock *sk,
				     const struct msghdr *msg)
{
	return msg->msg_flags & MSG_MORE ||
	       READ_ONCE(ferry_dgram(sk)->cork.on);
}

/* dgram_option.c */
int ferry_dgram_setsockopt(struct socket *sock, int level, int option,
			   sockptr_t optval, unsigned int optlen);
int ferry_dgram_getsockopt(struct socket *sock, int level, int option,
			   char __user *optval, int __user *optlen);
void ferry_dgram_put_cmsgs(struct sock *sk, struct msghdr *msg,
			   const struct sk_buff *skb);
int ferry_dgram_cmsg(const struct sock *sk, struct msghdr *msg,
		     struct ferry_dgram_dest *dest);

#endif /* _FERRY_DGRAM_H */
