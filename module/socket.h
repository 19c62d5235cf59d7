/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The socket: what all types share.
 */
#ifndef _FERRY_SOCKET_H
#define _FERRY_SOCKET_H

#include <linux/skbuff.h>
#include <net/sock.h>
#include <uapi/linux/ferry.h>

#include "wire.h"

struct ferry_bucket;
struct ferry_net;

/*
 * struct ferry_peer - whom a socket is connected to
 *
 * Never changed once published, so that a packet and a sender, which hold no
 * lock, see one peer or another and never a mixture. Made by connect(), freed
 * after a grace period when the socket is connected elsewhere, dissolved or
 * destroyed.
 */
struct ferry_peer {
	u64		addr;
	u32		port;
	int		ifindex;	/* 0: wherever it can be reached */
	struct rcu_head	rcu;
};

/*
 * struct ferry_sock - a Ferry socket
 *
 * Made by socket(). Its struct file holds a reference, and the port's bucket
 * another as long as it has a port. Packets find it under RCU and take none:
 * SOCK_RCU_FREE lets a grace period pass between the last reference and
 * ferry_sock_destruct(), which frees what arrived in the meantime. It holds
 * its namespace and the module.
 *
 * The socket lock guards @saddr, @sport and @peer against other writers;
 * packets read them without a lock. @bucket and @share are port.c's, and guarded
 * by ferry_ports.lock as well.
 */
struct ferry_sock {
	struct sock		sk;		/* must be first */
	u64			saddr;		/* own address, or any */
	u32			sport;		/* own port, or none yet */
	u8			share;		/* FERRY_SHARE_* it joined with */
	struct ferry_bucket	*bucket;	/* of its port, or NULL */
	struct ferry_peer __rcu	*peer;		/* NULL: not connected */
};

static inline struct ferry_sock *ferry_sk(const struct sock *sk)
{
	return (struct ferry_sock *)sk;
}

/* Does it send echoes? */
static inline bool ferry_sk_is_echo(const struct sock *sk)
{
	return sk->sk_protocol == FERRYPROTO_ECHO;
}

/*
 * struct ferry_skb_cb - what a packet on its way up has told already
 *
 * Set by input.c. sock_skb_set_dropcount() owns the last four bytes of
 * skb->cb; see the check in ferry_socket_init().
 */
struct ferry_skb_cb {
	u64			saddr;
	u64			daddr;
	struct ferry_packet	pkt;
	int			iif;
};

static inline struct ferry_skb_cb *ferry_skb_cb(const struct sk_buff *skb)
{
	return (struct ferry_skb_cb *)skb->cb;
}

int ferry_socket_init(void);
void ferry_socket_exit(void);

void ferry_sock_destruct(struct sock *sk);

/* The calls that all types share, for their struct proto_ops. */
int ferry_socket_release(struct socket *sock);
int ferry_socket_bind(struct socket *sock, ferry_sockaddr *addr, int len);
int ferry_socket_getname(struct socket *sock, struct sockaddr *addr, int peer);
int ferry_socket_setsockopt(struct socket *sock, int level, int option,
			    sockptr_t optval, unsigned int optlen);
int ferry_socket_getsockopt(struct socket *sock, int level, int option,
			    char __user *optval, int __user *optlen);

/* For the types' own calls. */
int ferry_socket_set_zerocopy(struct sock *sk, int val);
int ferry_socket_borrow(struct sock *sk, struct msghdr *msg,
			struct ubuf_info *last, struct ubuf_info **uarg);
void ferry_socket_lent(struct ubuf_info *uarg, bool sent);
int ferry_socket_put_int(int val, char __user *optval, int __user *optlen);
int ferry_socket_parse(const void *addr, int len, struct sockaddr_ferry *sfy);
int ferry_socket_autobind(struct sock *sk);
int ferry_socket_set_peer(struct sock *sk, u64 addr, u32 port, int ifindex);
u64 ferry_socket_addr(const struct sockaddr_ferry *sfy);
void ferry_socket_name(struct sockaddr_ferry *sfy, u64 addr, u32 port,
		       int ifindex);
void ferry_socket_source(struct msghdr *msg, u64 addr, u32 port, int ifindex);

#endif /* _FERRY_SOCKET_H */
