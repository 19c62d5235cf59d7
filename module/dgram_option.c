// SPDX-License-Identifier: GPL-2.0-only
/*
 * Socket options of datagrams, at level SOL_FERRY, and FERRY_PKTINFO. What they mean
 * is in the uapi header.
 */
#include <linux/etherdevice.h>
#include <linux/net.h>
#include <linux/socket.h>

#include "addr.h"
#include "dgram.h"
#include "group.h"
#include "netns.h"
#include "socket.h"

static int ferry_dgram_membership(struct sock *sk, int option, sockptr_t optval,
				  unsigned int optlen)
{
	struct ferry_mreq mreq;
	u64 addr;

	if (optlen < sizeof(mreq))
		return -EINVAL;
	if (copy_from_sockptr(&mreq, optval, sizeof(mreq)))
		return -EFAULT;
	addr = ether_addr_to_u64(mreq.fmr_addr);
	if (mreq.fmr_reserved[0] || mreq.fmr_reserved[1] ||
	    (int)mreq.fmr_ifindex < 0 || !ferry_addr_is_multicast(addr) ||
	    addr == FERRY_ADDR_BROADCAST)
		return -EINVAL;
	return option == FERRY_ADD_MEMBERSHIP ?
	       ferry_group_join(sk, mreq.fmr_ifindex, addr) :
	       ferry_group_leave(sk, mreq.fmr_ifindex, addr);
}

/* What one of our options that are 0 or 1 sets, or NULL. */
static bool *ferry_dgram_flag(const struct sock *sk, int option)
{
	if (option == FERRY_RECVPKTINFO)
		return &ferry_dgram(sk)->pktinfo;
	if (option == FERRY_CORK)
		return &ferry_dgram(sk)->cork.on;
	if (option == FERRY_RECVVERSION && ferry_sk_is_echo(sk))
		return &ferry_dgram(sk)->version;
	return NULL;
}

/**
 * ferry_dgram_setsockopt() - setsockopt(2)
 * @sock: the socket
 * @level: SOL_FERRY; others are as ferry_socket_setsockopt() has them
 * @option: FERRY_*
 * @optval: the value
 * @optlen: its length in bytes
 *
 * Context: process.
 * Return: 0; -ENOPROTOOPT for an option that does not exist, -EINVAL for a wrong
 * length or value, -EFAULT; or what ferry_group_join() and ferry_group_leave() say.
 */
int ferry_dgram_setsockopt(struct socket *sock, int level, int option,
			   sockptr_t optval, unsigned int optlen)
{
	struct sock *sk = sock->sk;
	bool *flag;
	int val;

	if (level != SOL_FERRY)
		return ferry_socket_setsockopt(sock, level, option, optval,
					       optlen);
	flag = ferry_dgram_flag(sk, option);
	if (flag) {
		if (optlen < sizeof(val))
			return -EINVAL;
		if (copy_from_sockptr(&val, optval, sizeof(val)))
			return -EFAULT;
		if (option == FERRY_CORK)
			return ferry_dgram_cork_set(sk, val);
		WRITE_ONCE(*flag, !!val);
		return 0;
	}
	switch (option) {
	case FERRY_ADD_MEMBERSHIP:
	case FERRY_DROP_MEMBERSHIP:
		if (ferry_sk_is_echo(sk))
			return -ENOPROTOOPT;
		return ferry_dgram_membership(sk, option, optval, optlen);
	default:
		return ferry_socket_setsockopt(sock, level, option, optval,
					       optlen);
	}
}

/**
 * ferry_dgram_getsockopt() - getsockopt(2)
 * @sock: the socket
 * @level: SOL_FERRY; others are as ferry_socket_getsockopt() has them
 * @option: FERRY_*
 * @optval: where to store the value; cut to what fits
 * @optlen: its length in bytes, there and back
 *
 * Context: process.
 * Return: 0; -ENOPROTOOPT for an option that does not exist or cannot be read,
 * -EINVAL for a negative length, -EFAULT.
 */
int ferry_dgram_getsockopt(struct socket *sock, int level, int option,
			   char __user *optval, int __user *optlen)
{
	const bool *flag = NULL;

	if (level == SOL_FERRY)
		flag = ferry_dgram_flag(sock->sk, option);
	if (!flag)
		return ferry_socket_getsockopt(sock, level, option, optval,
					       optlen);
	return ferry_socket_put_int(READ_ONCE(*flag), optval, optlen);
}

static void ferry_dgram_put_pktinfo(struct sock *sk, struct msghdr *msg,
				    const struct sk_buff *skb)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	struct ferry_pktinfo info = { .fpi_ifindex = cb->iif };
	u64 local = cb->daddr;
	struct ferry_link *link;

	if (ferry_addr_is_multicast(local)) {
		rcu_read_lock();
		link = ferry_link_find(ferry_net(sock_net(sk)), cb->iif);
		local = link ? ferry_link_address(link) : FERRY_ADDR_ANY;
		rcu_read_unlock();
	}
	u64_to_ether_addr(local, info.fpi_local);
	u64_to_ether_addr(cb->daddr, info.fpi_addr);
	put_cmsg(msg, SOL_FERRY, FERRY_PKTINFO, sizeof(info), &info);
}

/**
 * ferry_dgram_put_cmsgs() - what else is to be told of a datagram
 * @sk: the socket
 * @msg: where to
 * @skb: the datagram, its struct ferry_skb_cb filled in
 *
 * Context: process.
 */
void ferry_dgram_put_cmsgs(struct sock *sk, struct msghdr *msg,
			   const struct sk_buff *skb)
{
	int version = ferry_skb_cb(skb)->pkt.code;

	if (READ_ONCE(ferry_dgram(sk)->pktinfo))
		ferry_dgram_put_pktinfo(sk, msg, skb);
	if (READ_ONCE(ferry_dgram(sk)->version))
		put_cmsg(msg, SOL_FERRY, FERRY_VERSION, sizeof(version),
			 &version);
}

static int ferry_dgram_read_pktinfo(const struct sock *sk,
				    const struct ferry_pktinfo *info,
				    struct ferry_dgram_dest *dest)
{
	u64 local = ether_addr_to_u64(info->fpi_local);
	bool own;

	if ((int)info->fpi_ifindex < 0 || ferry_addr_is_multicast(local) ||
	    (info->fpi_ifindex && dest->ifindex &&
	     info->fpi_ifindex != dest->ifindex))
		return -EINVAL;
	if (local) {
		rcu_read_lock();
		own = ferry_link_owns(ferry_net(sock_net(sk)), 0, local);
		rcu_read_unlock();
		if (!own)
			return -EADDRNOTAVAIL;
		dest->saddr = local;
	}
	if (info->fpi_ifindex)
		dest->ifindex = info->fpi_ifindex;
	return 0;
}

/**
 * ferry_dgram_cmsg() - read our own control messages of a datagram to be sent
 * @sk: the socket
 * @msg: the message
 * @dest: where it goes, to be changed by them
 *
 * Context: process.
 * Return: 0; -EINVAL for one that is malformed or does not exist; -EADDRNOTAVAIL if
 * FERRY_PKTINFO has an address that is not this host's.
 */
int ferry_dgram_cmsg(const struct sock *sk, struct msghdr *msg,
		     struct ferry_dgram_dest *dest)
{
	struct ferry_pktinfo info;
	struct cmsghdr *cmsg;
	int err;

	for_each_cmsghdr(cmsg, msg) {
		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;
		if (cmsg->cmsg_level != SOL_FERRY)
			continue;
		if (cmsg->cmsg_type != FERRY_PKTINFO ||
		    cmsg->cmsg_len != CMSG_LEN(sizeof(info)))
			return -EINVAL;
		memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
		err = ferry_dgram_read_pktinfo(sk, &info, dest);
		if (err)
			return err;
	}
	return 0;
}
