/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagram sockets: SOCK_DGRAM, and FERRYPROTO_ECHO, which sends echoes and has the
 * answers.
 *
 *	dgram.c			the calls: connect, sendmsg, recvmsg, shutdown
 *	dgram_option.c		socket options, and control messages
 *	group.c			memberships of multicast groups
 */
#ifndef _FERRY_DGRAM_H
#define _FERRY_DGRAM_H

#include <linux/net.h>
#include <net/sock.h>

#include "socket.h"

/*
 * struct ferry_dgram - a datagram socket
 *
 * As struct ferry_sock has it. The memberships are group.c's: written under the
 * RTNL, @groups read under RCU. They are given up before the last reference is.
 */
struct ferry_dgram {
	struct ferry_sock	fs;		/* must be first */
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

/*
 * struct ferry_dgram_dest - where one datagram goes, and from where
 */
struct ferry_dgram_dest {
	u64	saddr;		/* FERRY_ADDR_ANY: the socket's own */
	u64	addr;
	u32	port;
	int	ifindex;
};

extern struct proto ferry_dgram_prot;
extern const struct proto_ops ferry_dgram_ops;
extern long ferry_dgram_mem[3];

int ferry_dgram_init(void);
void ferry_dgram_exit(void);

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
