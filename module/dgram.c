// SPDX-License-Identifier: GPL-2.0-only
/*
 * Datagram sockets: see dgram.h. What they do, but for the address, is what
 * UDP's do.
 */
#include <linux/module.h>
#include <linux/net.h>
#include <linux/poll.h>
#include <linux/sockios.h>
#include <net/busy_poll.h>
#include <net/sock_reuseport.h>
#include <asm/ioctls.h>

#include "addr.h"
#include "dgram.h"
#include "group.h"
#include "input.h"
#include "netns.h"
#include "output.h"
#include "pair.h"
#include "socket.h"
#include "unreach.h"

/* Memory of all datagram sockets, in pages: accounting and its limits. */
long ferry_dgram_mem[3];
static atomic_long_t ferry_dgram_memory_allocated;
static DEFINE_PER_CPU(int, ferry_dgram_memory_per_cpu_fw_alloc);
static int ferry_dgram_mem_min = PAGE_SIZE;

/* A datagram of up to this many bytes, with its headers, is in one piece. */
#define FERRY_DGRAM_LINEAR	SKB_MAX_ALLOC

/*
 * Receiving
 */

/*
 * A reader, or whoever drops the datagram, gives its memory back. A lock of
 * its own, because readers do not take the socket's.
 */
static void ferry_dgram_rfree(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	struct ferry_dgram *fd = ferry_dgram(sk);

	spin_lock_bh(&fd->rmem_lock);
	atomic_sub(skb->truesize, &sk->sk_rmem_alloc);
	sk_mem_uncharge(sk, skb->truesize);
	spin_unlock_bh(&fd->rmem_lock);
}

/*
 * Charge a datagram to its socket. Like UDP, a socket takes one more as long
 * as it is not over its limit, so that one datagram always fits.
 */
static enum ferry_stat ferry_dgram_charge(struct sock *sk, struct sk_buff *skb)
{
	struct ferry_dgram *fd = ferry_dgram(sk);
	enum ferry_stat stat = FERRY_STAT_IN_DATAGRAMS;

	spin_lock_bh(&fd->rmem_lock);
	if (atomic_read(&sk->sk_rmem_alloc) >= READ_ONCE(sk->sk_rcvbuf)) {
		stat = FERRY_STAT_IN_RCVBUF;
	} else if (!sk_rmem_schedule(sk, skb, skb->truesize)) {
		stat = FERRY_STAT_IN_MEMORY;
	} else {
		skb_orphan(skb);
		skb->sk = sk;
		skb->destructor = ferry_dgram_rfree;
		atomic_add(skb->truesize, &sk->sk_rmem_alloc);
		sk_mem_charge(sk, skb->truesize);
	}
	spin_unlock_bh(&fd->rmem_lock);
	return stat;
}

/* Put a datagram on a socket's queue and wake who waits for it. */
static void ferry_dgram_queue(struct sock *sk, struct sk_buff *skb)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct sk_buff_head *queue = &sk->sk_receive_queue;
	enum ferry_stat stat;

	/* The program sees the header, as UDP's do, and cannot cut into it. */
	if (sk_filter_trim_cap(sk, skb, FERRY_HLEN)) {
		ferry_sk_drops_inc(sk);
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_FILTER);
		return;
	}
	stat = ferry_dgram_charge(sk, skb);
	if (stat != FERRY_STAT_IN_DATAGRAMS) {
		ferry_sk_drops_inc(sk);
		ferry_stats_drop(fn, skb, stat);
		return;
	}

	sk_mark_napi_id(sk, skb);
	/* As with UDP, only who has one peer has a CPU that he is heard by. */
	if (rcu_access_pointer(ferry_sk(sk)->peer))
		sk_incoming_cpu_update(sk);
	__skb_pull(skb, FERRY_HLEN);
	/* It may lie there for long: hold nothing that others wait for. */
	skb->dev = NULL;
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	ferry_stats_inc(fn, ferry_sk_is_echo(sk) ? FERRY_STAT_IN_ECHO_REPLIES :
						   FERRY_STAT_IN_DATAGRAMS);

	spin_lock_bh(&queue->lock);
	sock_skb_set_dropcount(sk, skb);
	__skb_queue_tail(queue, skb);
	spin_unlock_bh(&queue->lock);

	sk->sk_data_ready(sk);
}

/* A datagram comes up. Softirq, under RCU. */
static void ferry_dgram_rcv(struct ferry_net *fn, struct sk_buff *skb)
{
	u64 daddr = ferry_skb_cb(skb)->daddr;
	struct sock *sk;

	if (ferry_addr_is_multicast(daddr)) {
		if (!ferry_port_deliver_all(fn, skb, ferry_group_hears,
					    ferry_dgram_queue))
			ferry_stats_drop(fn, skb, daddr == FERRY_ADDR_BROADCAST ?
					 FERRY_STAT_IN_NO_PORT :
					 FERRY_STAT_IN_GROUP);
		return;
	}

	sk = ferry_port_lookup(fn, skb);
	if (sk) {
		ferry_dgram_queue(sk, skb);
		return;
	}
	ferry_unreach_send(fn, skb, FERRY_UNREACH_PORT);
	ferry_stats_drop(fn, skb, FERRY_STAT_IN_NO_PORT);
}

/* Somebody has answered an echo. Softirq, under RCU. */
static void ferry_dgram_echo_reply(struct ferry_net *fn, struct sk_buff *skb)
{
	struct sock *sk = NULL;

	/* What answers is for one host. */
	if (!ferry_addr_is_multicast(ferry_skb_cb(skb)->daddr))
		sk = ferry_port_lookup(fn, skb);
	if (sk)
		ferry_dgram_queue(sk, skb);
	else
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_STRAY_ECHO_REPLY);
}

/* Nobody took a datagram of ours. Softirq, under RCU. */
static void ferry_dgram_unreach(struct ferry_net *fn, struct sk_buff *skb)
{
	struct sock *sk = ferry_port_lookup_peer(fn, skb);
	int err = ECONNREFUSED;

	if (!sk) {
		ferry_stats_drop(fn, skb, FERRY_STAT_IN_STRAY_UNREACH);
		return;
	}
	if (ferry_skb_cb(skb)->pkt.code == FERRY_UNREACH_PROHIBITED)
		err = EACCES;
	WRITE_ONCE(sk->sk_err, err);
	sk_error_report(sk);
	ferry_stats_inc(fn, FERRY_STAT_IN_UNREACH);
	consume_skb(skb);
}

static int ferry_dgram_recvmsg(struct socket *sock, struct msghdr *msg,
			       size_t len, int flags)
{
	bool peek = flags & MSG_PEEK;
	struct sock *sk = sock->sk;
	struct sk_buff *skb;
	int err, off;
	size_t copied;

	if (flags & MSG_ERRQUEUE)
		return sock_recv_errqueue(sk, msg, len, SOL_FERRY,
					  FERRY_RECVERR);
	if (flags & MSG_OOB)
		return -EOPNOTSUPP;

	off = sk_peek_offset(sk, flags);
	skb = __skb_recv_datagram(sk, &sk->sk_receive_queue, flags, &off, &err);
	if (!skb)
		return err;

	/* As with UDP, also if all of the rest has room, and no more. */
	if (len <= skb->len - off && len < skb->len)
		msg->msg_flags |= MSG_TRUNC;
	copied = min_t(size_t, len, skb->len - off);
	err = skb_copy_datagram_msg(skb, off, msg, copied);
	if (err) {
		/* As with UDP, the datagram is lost unless it was peeked at. */
		if (!peek) {
			ferry_sk_drops_inc(sk);
			ferry_stats_inc(ferry_net(sock_net(sk)),
					FERRY_STAT_IN_FAULT);
		}
		kfree_skb(skb);
		return err;
	}

	sock_recv_cmsgs(msg, sk, skb);
	ferry_dgram_put_cmsgs(sk, msg, skb);
	ferry_socket_source(msg, ferry_skb_cb(skb)->saddr,
			    ferry_skb_cb(skb)->pkt.sport, ferry_skb_cb(skb)->iif);
	/* UDP's offset moves by what is returned. */
	err = flags & MSG_TRUNC ? skb->len : copied;
	if (peek)
		sk_peek_offset_fwd(sk, err);
	else
		sk_peek_offset_bwd(sk, err);
	consume_skb(skb);
	return err;
}

/*
 * Sending
 */

/* From the call's address, or else from connect()'s. */
static int ferry_dgram_dest(struct sock *sk, const struct msghdr *msg,
			    struct ferry_dgram_dest *dest)
{
	const struct ferry_peer *peer;
	struct sockaddr_ferry sfy;
	int err = 0;

	dest->saddr = FERRY_ADDR_ANY;
	if (msg->msg_name) {
		err = ferry_socket_parse(msg->msg_name, msg->msg_namelen, &sfy);
		if (err)
			return err;
		if (sfy.sfy_port == FERRY_PORT_ANY)
			return -EINVAL;
		dest->addr = ferry_socket_addr(&sfy);
		dest->port = sfy.sfy_port;
		dest->ifindex = sfy.sfy_ifindex;
		return 0;
	}

	rcu_read_lock();
	peer = rcu_dereference(ferry_sk(sk)->peer);
	if (peer) {
		dest->addr = peer->addr;
		dest->port = peer->port;
		dest->ifindex = peer->ifindex;
	} else {
		err = -EDESTADDRREQ;
	}
	rcu_read_unlock();
	return err;
}

/* Find the way, and whether this socket may go it. Under RCU. */
static int ferry_dgram_route(struct sock *sk,
			     const struct ferry_dgram_dest *dest,
			     struct ferry_path *path)
{
	int dev = READ_ONCE(sk->sk_bound_dev_if);

	if (dest->addr == FERRY_ADDR_BROADCAST &&
	    !sock_flag(sk, SOCK_BROADCAST))
		return -EACCES;
	if (ferry_sk_is_echo(sk) && ferry_addr_is_multicast(dest->addr) &&
	    dest->addr != FERRY_ADDR_BROADCAST)
		return -EINVAL;
	if (dev && dest->ifindex && dev != dest->ifindex)
		return -EINVAL;
	return ferry_link_route(ferry_net(sock_net(sk)),
				dest->saddr ?: READ_ONCE(ferry_sk(sk)->saddr),
				dest->addr, dest->ifindex ?: dev, path);
}

/* Copy the message into @skb, which has the room. */
static int ferry_dgram_copy(struct sk_buff *skb,
			    const struct ferry_dgram_send *send, size_t paged)
{
	skb_put(skb, send->len - paged);
	skb->data_len = paged;
	skb->len = send->len;
	return skb_copy_datagram_from_iter(skb, 0, &send->msg->msg_iter,
					   send->len);
}

/* Hang the caller's own pages on @skb: MSG_ZEROCOPY. */
static int ferry_dgram_lend(struct sk_buff *skb,
			    const struct ferry_dgram_send *send)
{
	int err;

	err = skb_zerocopy_iter_dgram(skb, send->msg, send->len);
	if (!err)
		skb_zcopy_set(skb, send->uarg, NULL);
	return err;
}

/* Hang the message's own pages on @skb: MSG_SPLICE_PAGES. */
static int ferry_dgram_splice(struct sk_buff *skb,
			      const struct ferry_dgram_send *send)
{
	struct iov_iter *from = &send->msg->msg_iter;
	struct page *page;
	size_t offset;
	ssize_t bytes;
	int i;

	for (i = 0; iov_iter_count(from); i++) {
		if (i == MAX_SKB_FRAGS)
			return -EMSGSIZE;
		bytes = iov_iter_get_pages2(from, &page, PAGE_SIZE, 1, &offset);
		if (bytes <= 0)
			return bytes ?: -EIO;
		skb_fill_page_desc_noacc(skb, i, page, offset, bytes);
		skb->len += bytes;
		skb->data_len += bytes;
		skb->truesize += bytes;
		refcount_add(bytes, &skb->sk->sk_wmem_alloc);
	}
	/* Others may go on writing there. */
	skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	return 0;
}

/**
 * ferry_dgram_alloc() - make an skb of a message
 * @sk: the socket, which it is charged to
 * @send: the message
 * @spare: bytes of room to leave behind it for what is still to come
 *
 * Context: process; waits for SO_SNDBUF unless MSG_DONTWAIT says not to.
 * Return: the skb; -EAGAIN, -EINTR, -EPIPE, -ENOBUFS, -EFAULT and what else
 * sock_alloc_send_pskb() says.
 */
struct sk_buff *ferry_dgram_alloc(struct sock *sk,
				  const struct ferry_dgram_send *send,
				  size_t spare)
{
	size_t room = send->headroom + send->tailroom + spare;
	int flags = send->msg->msg_flags;
	bool own = !send->uarg && !(flags & MSG_SPLICE_PAGES);
	size_t len = own ? send->len : 0;
	struct sk_buff *skb;
	size_t paged = 0;
	int err;

	if (len + room > FERRY_DGRAM_LINEAR) {
		paged = PAGE_ALIGN(len + room - FERRY_DGRAM_LINEAR);
		paged = min_t(size_t, paged, len);
	}

	skb = sock_alloc_send_pskb(sk, room + len - paged, paged,
				   flags & MSG_DONTWAIT, &err,
				   PAGE_ALLOC_COSTLY_ORDER);
	if (!skb)
		return ERR_PTR(err);

	skb_reserve(skb, send->headroom);
	if (own)
		err = ferry_dgram_copy(skb, send, paged);
	else if (send->uarg)
		err = ferry_dgram_lend(skb, send);
	else
		err = ferry_dgram_splice(skb, send);
	if (err) {
		kfree_skb(skb);
		return ERR_PTR(err);
	}
	return skb;
}

/*
 * Send @skb, which waited for its memory: find the way once more, since no
 * reference to a device is held while a sender sleeps.
 */
static int ferry_dgram_output(struct sock *sk, struct sk_buff *skb,
			      const struct ferry_dgram_dest *dest)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	bool echo = ferry_sk_is_echo(sk);
	struct ferry_packet pkt = {
		.kind = echo ? FERRY_KIND_ECHO : FERRY_KIND_DATAGRAM,
		.len = skb->len,
		.sport = READ_ONCE(ferry_sk(sk)->sport),
		.dport = dest->port,
	};
	struct ferry_path path;
	int err;

	rcu_read_lock();
	err = ferry_dgram_route(sk, dest, &path);
	if (!err && skb->len + FERRY_HLEN > READ_ONCE(path.dev->mtu))
		err = -EMSGSIZE;
	if (!err && skb_cow_head(skb, ferry_output_headroom(path.dev)))
		err = -ENOBUFS;
	if (err) {
		kfree_skb(skb);
	} else {
		ferry_stats_inc(fn, echo ? FERRY_STAT_OUT_ECHOES :
					   FERRY_STAT_OUT_DATAGRAMS);
		/* send(2): when a device's queue overflows, packets are lost. */
		ferry_output(skb, &pkt, &path);
	}
	rcu_read_unlock();
	return err;
}

/* As with UDP, whoever sends has a port from then on, whatever becomes of it. */
static int ferry_dgram_ready(struct sock *sk)
{
	int err;

	if (likely(READ_ONCE(ferry_sk(sk)->sport)))
		return 0;
	lock_sock(sk);
	err = ferry_socket_autobind(sk);
	release_sock(sk);
	return err;
}

/**
 * ferry_dgram_probe() - may a datagram of a length go somewhere?
 * @sk: the socket
 * @dest: where
 * @send: its length; what room the way wants is stored there
 *
 * Context: process.
 * Return: 0; -EMSGSIZE, or why there is no way.
 */
int ferry_dgram_probe(struct sock *sk, const struct ferry_dgram_dest *dest,
		      struct ferry_dgram_send *send)
{
	struct ferry_path path;
	int err;

	rcu_read_lock();
	err = ferry_dgram_route(sk, dest, &path);
	if (!err) {
		send->headroom = ferry_output_headroom(path.dev);
		send->tailroom = path.dev->needed_tailroom;
		if (send->len > READ_ONCE(path.dev->mtu) - FERRY_HLEN)
			err = -EMSGSIZE;
	}
	rcu_read_unlock();
	return err;
}

/**
 * ferry_dgram_dispatch() - send a datagram that is whole
 * @sk: the socket
 * @skb: the datagram; consumed
 * @dest: where it goes
 * @sockc: what its control messages say
 *
 * Context: process.
 * Return: 0; -EMSGSIZE, -ENOBUFS, or why there is no way any more.
 */
int ferry_dgram_dispatch(struct sock *sk, struct sk_buff *skb,
			 const struct ferry_dgram_dest *dest,
			 const struct sockcm_cookie *sockc)
{
	skb->priority = ferry_sockcm_priority(sockc, sk);
	skb->mark = sockc->mark;
	ferry_setup_tx_timestamp(skb, sockc);
	ferry_skb_set_txtime(skb, sockc, sk);
	return ferry_dgram_output(sk, skb, dest);
}

static int ferry_dgram_send(struct sock *sk, struct ferry_dgram_send *send,
			    const struct ferry_dgram_dest *dest,
			    const struct sockcm_cookie *sockc)
{
	struct sk_buff *skb;

	if (unlikely(ferry_dgram_corks(sk, send->msg)))
		return ferry_dgram_cork_begin(sk, send, dest, sockc);
	skb = ferry_dgram_alloc(sk, send, 0);
	if (IS_ERR(skb))
		return PTR_ERR(skb);
	return ferry_dgram_dispatch(sk, skb, dest, sockc);
}

static int ferry_dgram_sendmsg(struct socket *sock, struct msghdr *msg,
			       size_t len)
{
	struct ferry_dgram_send send = { .msg = msg, .len = len };
	struct ferry_dgram_dest dest;
	struct sock *sk = sock->sk;
	struct sockcm_cookie sockc;
	int err;

	err = ferry_dgram_ready(sk);
	if (err)
		return err;
	/* As with UDP, before where to. */
	if (len > U16_MAX)
		return -EMSGSIZE;
	if (msg->msg_flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (unlikely(READ_ONCE(ferry_dgram(sk)->cork.skb))) {
		err = ferry_dgram_cork_add(sk, &send);
		if (err != -ENOENT)
			return err ?: len;
	}

	err = ferry_dgram_dest(sk, msg, &dest);
	if (err)
		return err;
	ferry_sockcm_init(&sockc, sk);
	if (msg->msg_controllen) {
		err = sock_cmsg_send(sk, msg, &sockc) ?:
		      ferry_dgram_cmsg(sk, msg, &dest);
		if (err)
			return err;
	}
	err = ferry_dgram_probe(sk, &dest, &send);
	if (err)
		return err;
	/* It would fit: that is what was to be found out. */
	if (msg->msg_flags & MSG_PROBE)
		return len;
	err = ferry_socket_borrow(sk, msg, NULL, &send.uarg);
	if (err)
		return err;
	err = ferry_dgram_send(sk, &send, &dest, &sockc);
	ferry_socket_lent(send.uarg, !err);
	return err ?: len;
}

/*
 * The other calls
 */

static void ferry_dgram_disconnect(struct sock *sk)
{
	/* Cannot fail: only a new peer takes memory. */
	ferry_socket_set_peer(sk, FERRY_ADDR_ANY, FERRY_PORT_ANY, 0);
	sk->sk_state = TCP_CLOSE;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		WRITE_ONCE(ferry_sk(sk)->saddr, FERRY_ADDR_ANY);
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		ferry_port_release(sk);
}

/* Under the socket lock; @addr is not AF_UNSPEC's. */
static int ferry_dgram_connect_locked(struct sock *sk, ferry_sockaddr *addr,
				      int len)
{
	struct ferry_sock *fs = ferry_sk(sk);
	struct ferry_dgram_dest dest;
	struct sockaddr_ferry sfy;
	struct ferry_path path;
	int err;

	/* As with UDP, before it is looked where to. */
	err = ferry_socket_autobind(sk);
	if (err)
		return err;
	err = ferry_socket_parse(addr, len, &sfy);
	if (err)
		return err;
	if (sfy.sfy_port == FERRY_PORT_ANY)
		return -EINVAL;
	dest = (struct ferry_dgram_dest) {
		.addr = ferry_socket_addr(&sfy),
		.port = sfy.sfy_port,
		.ifindex = sfy.sfy_ifindex,
	};
	rcu_read_lock();
	err = ferry_dgram_route(sk, &dest, &path);
	rcu_read_unlock();
	if (err)
		return err;
	err = ferry_socket_set_peer(sk, path.daddr, dest.port, dest.ifindex);
	if (err)
		return err;

	if (!fs->saddr)
		WRITE_ONCE(fs->saddr, path.saddr);
	sk->sk_state = TCP_ESTABLISHED;
	reuseport_has_conns_set(sk);
	return 0;
}

static int ferry_dgram_connect(struct socket *sock, ferry_sockaddr *addr,
			       int len, int flags)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (len < (int)sizeof(addr->sa_family))
		return -EINVAL;

	lock_sock(sk);
	if (addr->sa_family == AF_UNSPEC)
		ferry_dgram_disconnect(sk);
	else
		err = ferry_dgram_connect_locked(sk, addr, len);
	release_sock(sk);
	return err;
}

static int ferry_dgram_release(struct socket *sock)
{
	/* Before the socket's lock: they are the RTNL's. */
	if (sock->sk) {
		ferry_group_leave_all(sock->sk);
		ferry_dgram_cork_flush(sock->sk);
	}
	return ferry_socket_release(sock);
}

static int ferry_dgram_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	/* SHUT_RD is 0, RCV_SHUTDOWN is 1. */
	how++;

	lock_sock(sk);
	/*
	 * Not connected, the call fails and yet takes effect: that is how
	 * programs wake a thread that sleeps in recv() on a UDP socket.
	 */
	if (sk->sk_state == TCP_CLOSE)
		err = -ENOTCONN;
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
	sk->sk_state_change(sk);
	release_sock(sk);
	return err;
}

/* SIOCINQ is the next datagram's length; SIOCOUTQ what is yet to leave. */
static int ferry_dgram_amount(struct sock *sk, int cmd, int *amount)
{
	struct sk_buff *skb;

	switch (cmd) {
	case SIOCOUTQ:
		*amount = sk_wmem_alloc_get(sk);
		return 0;
	case SIOCINQ:
		spin_lock_bh(&sk->sk_receive_queue.lock);
		skb = skb_peek(&sk->sk_receive_queue);
		*amount = skb ? skb->len : 0;
		spin_unlock_bh(&sk->sk_receive_queue.lock);
		return 0;
	default:
		return -ENOIOCTLCMD;
	}
}

static int ferry_dgram_ioctl(struct socket *sock, unsigned int cmd,
			     unsigned long arg)
{
	int amount, err = ferry_dgram_amount(sock->sk, cmd, &amount);

	return err ?: put_user(amount, (int __user *)arg);
}

struct proto ferry_dgram_prot = {
	.name			= "FERRY-DGRAM",
	.owner			= THIS_MODULE,
	.obj_size		= sizeof(struct ferry_dgram),
	FERRY_PROTO_IOCTL(ferry_dgram_amount)
	.memory_allocated	= &ferry_dgram_memory_allocated,
	.per_cpu_fw_alloc	= &ferry_dgram_memory_per_cpu_fw_alloc,
	.sysctl_mem		= ferry_dgram_mem,
	.sysctl_wmem		= &ferry_dgram_mem_min,
	.sysctl_rmem		= &ferry_dgram_mem_min,
};

const struct proto_ops ferry_dgram_ops = {
	.family		= PF_FERRY,
	.owner		= THIS_MODULE,
	.release	= ferry_dgram_release,
	.bind		= ferry_socket_bind,
	.connect	= ferry_dgram_connect,
	.socketpair	= ferry_pair_dgram,
	.accept		= sock_no_accept,
	.getname	= ferry_socket_getname,
	.poll		= datagram_poll,
	.ioctl		= ferry_dgram_ioctl,
	.gettstamp	= sock_gettstamp,
	.listen		= sock_no_listen,
	.shutdown	= ferry_dgram_shutdown,
	.setsockopt	= ferry_dgram_setsockopt,
	.getsockopt	= ferry_dgram_getsockopt,
	.sendmsg	= ferry_dgram_sendmsg,
	.recvmsg	= ferry_dgram_recvmsg,
	FERRY_SPLICE_OPS(NULL)
	.mmap		= sock_no_mmap,
	.set_peek_off	= sk_set_peek_off,
};

/* A quarter of what is free, as UDP has it; warn and stop around that. */
static void ferry_dgram_mem_init(void)
{
	unsigned long limit = max(nr_free_buffer_pages() / 8, 128UL);

	ferry_dgram_mem[0] = limit / 4 * 3;
	ferry_dgram_mem[1] = limit;
	ferry_dgram_mem[2] = ferry_dgram_mem[0] * 2;
}

/**
 * ferry_dgram_setup() - a socket that socket(2) makes
 * @sk: the socket, zeroed but for what the core sets
 *
 * Context: process.
 */
void ferry_dgram_setup(struct sock *sk)
{
	spin_lock_init(&ferry_dgram(sk)->rmem_lock);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, 1);
}

/**
 * ferry_dgram_init() - offer datagram sockets
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_dgram_init(void)
{
	ferry_dgram_mem_init();
	ferry_input_register(FERRY_KIND_DATAGRAM, ferry_dgram_rcv);
	ferry_input_register(FERRY_KIND_UNREACH, ferry_dgram_unreach);
	ferry_input_register(FERRY_KIND_ECHO_REPLY, ferry_dgram_echo_reply);
	return proto_register(&ferry_dgram_prot, 1);
}

/**
 * ferry_dgram_exit() - undo ferry_dgram_init()
 *
 * Context: process.
 */
void ferry_dgram_exit(void)
{
	proto_unregister(&ferry_dgram_prot);
}
