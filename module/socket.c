// SPDX-License-Identifier: GPL-2.0-only
/*
 * The family: making sockets, and the calls that all types share.
 */
#include <linux/module.h>
#include <linux/net.h>
#include <net/busy_poll.h>
#include <net/sock_reuseport.h>

#include "addr.h"
#include "dgram.h"
#include "netns.h"
#include "socket.h"
#include "stream.h"

static struct kmem_cache *ferry_peer_cache;

static void ferry_peer_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ferry_peer_cache,
			container_of(rcu, struct ferry_peer, rcu));
}

static void ferry_peer_set(struct ferry_sock *fs, struct ferry_peer *peer)
{
	struct ferry_peer *old;

	old = rcu_replace_pointer(fs->peer, peer,
				  lockdep_sock_is_held(&fs->sk));
	if (old)
		call_rcu(&old->rcu, ferry_peer_free_rcu);
}

/**
 * ferry_socket_set_peer() - connect a socket to a peer, or to none
 * @sk: the socket
 * @addr: the peer's address
 * @port: the peer's port, or FERRY_PORT_ANY to dissolve the connection
 * @ifindex: interface by which the peer is reached, or 0 for any
 *
 * Context: process, under the socket lock.
 * Return: 0 or -ENOMEM.
 */
int ferry_socket_set_peer(struct sock *sk, u64 addr, u32 port, int ifindex)
{
	struct ferry_peer *peer = NULL;

	if (port != FERRY_PORT_ANY) {
		peer = kmem_cache_alloc(ferry_peer_cache, GFP_KERNEL);
		if (!peer)
			return -ENOMEM;
		peer->addr = addr;
		peer->port = port;
		peer->ifindex = ifindex;
	}
	ferry_peer_set(ferry_sk(sk), peer);
	return 0;
}

/**
 * ferry_socket_addr() - the address in a sockaddr
 * @sfy: the sockaddr
 *
 * Context: any.
 * Return: the address in one word.
 */
u64 ferry_socket_addr(const struct sockaddr_ferry *sfy)
{
	return ether_addr_to_u64(sfy->sfy_addr);
}

/**
 * ferry_socket_name() - write a sockaddr
 * @sfy: where to
 * @addr: address
 * @port: port
 * @ifindex: interface index, or 0
 *
 * Context: any.
 */
void ferry_socket_name(struct sockaddr_ferry *sfy, u64 addr, u32 port,
		       int ifindex)
{
	*sfy = (struct sockaddr_ferry) {
		.sfy_family = AF_FERRY,
		.sfy_port = port,
		.sfy_ifindex = ifindex,
	};
	u64_to_ether_addr(addr, sfy->sfy_addr);
}

/**
 * ferry_socket_source() - say whose it is that recvmsg(2) returns
 * @msg: the message; who does not ask is not told
 * @addr: address
 * @port: port
 * @ifindex: interface index
 *
 * Context: process.
 */
void ferry_socket_source(struct msghdr *msg, u64 addr, u32 port, int ifindex)
{
	if (!msg->msg_name)
		return;
	ferry_socket_name(msg->msg_name, addr, port, ifindex);
	msg->msg_namelen = sizeof(struct sockaddr_ferry);
}

/**
 * ferry_socket_parse() - read a sockaddr that a program gave
 * @addr: the sockaddr, already in the kernel
 * @len: its length in bytes
 * @sfy: where to copy it to
 *
 * Context: any.
 * Return: 0; -EINVAL if it is too short, a reserved field is not 0 or the
 * interface index cannot be one; -EAFNOSUPPORT if it is of another family.
 */
int ferry_socket_parse(const void *addr, int len, struct sockaddr_ferry *sfy)
{
	if (len < (int)sizeof(*sfy))
		return -EINVAL;
	memcpy(sfy, addr, sizeof(*sfy));
	if (sfy->sfy_family != AF_FERRY)
		return -EAFNOSUPPORT;
	if (sfy->sfy_reserved || sfy->sfy_reserved2[0] ||
	    sfy->sfy_reserved2[1] || (int)sfy->sfy_ifindex < 0)
		return -EINVAL;
	return 0;
}

/**
 * ferry_socket_autobind() - give a socket a port, if it has none
 * @sk: the socket
 *
 * Context: process, under the socket lock.
 * Return: 0; -EAGAIN if no port is free; -ENOMEM.
 */
int ferry_socket_autobind(struct sock *sk)
{
	int err = 0;

	if (!ferry_sk(sk)->sport)
		err = ferry_port_bind(sk, FERRY_PORT_ANY);
	return err == -EADDRINUSE ? -EAGAIN : err;
}

/* Is the address of a bind() one that this host can have? Under RCU. */
static int ferry_socket_bindable(const struct sock *sk, u64 addr, int ifindex)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));

	if (ifindex && !dev_get_by_index_rcu(fn->net, ifindex))
		return -ENODEV;
	/* Each answer is for one host. */
	if (ferry_addr_is_multicast(addr) && ferry_sk_is_echo(sk))
		return -EADDRNOTAVAIL;
	if (addr == FERRY_ADDR_ANY || addr == FERRY_ADDR_BROADCAST)
		return 0;
	/* It hears nothing else then, and sends from the device's own. */
	if (ferry_addr_is_multicast(addr) && sk->sk_type == SOCK_DGRAM)
		return 0;
	return ferry_link_owns(fn, ifindex, addr) ? 0 : -EADDRNOTAVAIL;
}

/* In the order of IP's: the address, the right, the socket's state. */
static int ferry_socket_bind_locked(struct sock *sk,
				    const struct sockaddr_ferry *sfy)
{
	struct ferry_sock *fs = ferry_sk(sk);
	u64 addr = ferry_socket_addr(sfy);
	int dev = sk->sk_bound_dev_if;
	int err;

	if (sfy->sfy_ifindex && dev && sfy->sfy_ifindex != dev)
		return -EINVAL;

	rcu_read_lock();
	err = ferry_socket_bindable(sk, addr, sfy->sfy_ifindex ?: dev);
	rcu_read_unlock();
	if (err)
		return err;
	if (sfy->sfy_port != FERRY_PORT_ANY &&
	    sfy->sfy_port < FERRY_PORT_PRIVILEGED &&
	    !ns_capable(sock_net(sk)->user_ns, CAP_NET_BIND_SERVICE))
		return -EACCES;
	if (fs->sport)
		return -EINVAL;

	WRITE_ONCE(fs->saddr, addr);
	if (sfy->sfy_ifindex)
		WRITE_ONCE(sk->sk_bound_dev_if, sfy->sfy_ifindex);
	err = ferry_port_bind(sk, sfy->sfy_port);
	if (err) {
		WRITE_ONCE(fs->saddr, FERRY_ADDR_ANY);
		WRITE_ONCE(sk->sk_bound_dev_if, dev);
		return err;
	}
	if (addr)
		sk->sk_userlocks |= SOCK_BINDADDR_LOCK;
	if (sfy->sfy_port)
		sk->sk_userlocks |= SOCK_BINDPORT_LOCK;
	return 0;
}

/**
 * ferry_socket_bind() - bind(2)
 * @sock: the socket
 * @addr: struct sockaddr_ferry
 * @len: its length in bytes
 *
 * Context: process.
 * Return: 0 or what bind(2) says; -ENODEV if there is no such interface.
 */
int ferry_socket_bind(struct socket *sock, ferry_sockaddr *addr, int len)
{
	struct sock *sk = sock->sk;
	struct sockaddr_ferry sfy;
	int err;

	err = ferry_socket_parse(addr, len, &sfy);
	if (err)
		return err;
	lock_sock(sk);
	err = ferry_socket_bind_locked(sk, &sfy);
	release_sock(sk);
	return err;
}

/**
 * ferry_socket_getname() - getsockname(2) and getpeername(2)
 * @sock: the socket
 * @addr: where to store a struct sockaddr_ferry
 * @peer: whether the peer's is asked for
 *
 * Context: process.
 * Return: the length stored, in bytes, or -ENOTCONN.
 */
int ferry_socket_getname(struct socket *sock, struct sockaddr *addr, int peer)
{
	struct sockaddr_ferry *sfy = (struct sockaddr_ferry *)addr;
	struct sock *sk = sock->sk;
	struct ferry_sock *fs = ferry_sk(sk);
	const struct ferry_peer *to;
	int ret = sizeof(*sfy);

	lock_sock(sk);
	to = rcu_dereference_protected(fs->peer, lockdep_sock_is_held(sk));
	if (!peer)
		ferry_socket_name(sfy, fs->saddr, fs->sport,
				  sk->sk_bound_dev_if);
	else if (to)
		ferry_socket_name(sfy, to->addr, to->port, to->ifindex);
	else
		ret = -ENOTCONN;
	release_sock(sk);
	return ret;
}

/**
 * ferry_socket_set_zerocopy() - FERRY_ZEROCOPY
 * @sk: the socket
 * @val: 0 or 1
 *
 * Context: process, under the socket lock.
 * Return: 0 or -EINVAL.
 */
int ferry_socket_set_zerocopy(struct sock *sk, int val)
{
	if (val < 0 || val > 1)
		return -EINVAL;
	sock_valbool_flag(sk, SOCK_ZEROCOPY, val);
	return 0;
}

/**
 * ferry_socket_borrow() - MSG_ZEROCOPY: are the caller's own pages sent?
 * @sk: the socket
 * @msg: the message
 * @last: who is told of what was sent before and can be told of this, too, or NULL
 * @uarg: where to store who is told when they are free again: a reference, for
 *	ferry_socket_lent(). NULL: copies are sent
 *
 * Who has said that it will look at the error queue is told there; who came by
 * io_uring has brought a way to be told. To others the flag says nothing, as with TCP.
 *
 * Context: process.
 * Return: 0 or -ENOBUFS.
 */
int ferry_socket_borrow(struct sock *sk, struct msghdr *msg,
			struct ubuf_info *last, struct ubuf_info **uarg)
{
	*uarg = NULL;
	if (likely(!(msg->msg_flags & MSG_ZEROCOPY)) || !msg_data_left(msg))
		return 0;
	if (msg->msg_ubuf) {
		*uarg = msg->msg_ubuf;
		net_zcopy_get(*uarg);
	} else if (sock_flag(sk, SOCK_ZEROCOPY)) {
		*uarg = ferry_zerocopy_realloc(sk, msg_data_left(msg), last);
		if (!*uarg)
			return -ENOBUFS;
	}
	return 0;
}

/**
 * ferry_socket_lent() - the end of what ferry_socket_borrow() has begun
 * @uarg: what it has stored
 * @sent: whether anything was sent; else there is nothing to be told
 *
 * Context: process.
 */
void ferry_socket_lent(struct ubuf_info *uarg, bool sent)
{
	if (sent)
		net_zcopy_put(uarg);
	else
		net_zcopy_put_abort(uarg, true);
}

/*
 * SOL_SOCKET, where the core asks us first: what it keeps from families that are not
 * IP is what their twins are.
 */
static int ferry_socket_set_generic(struct socket *sock, int option,
				    sockptr_t optval, unsigned int optlen)
{
	if (option == SO_REUSEPORT)
		option = FERRY_REUSEPORT;
	else if (option == SO_ZEROCOPY)
		option = FERRY_ZEROCOPY;
	else
		return sock_setsockopt(sock, SOL_SOCKET, option, optval, optlen);
	return sock->ops->setsockopt(sock, SOL_FERRY, option, optval, optlen);
}

/**
 * ferry_socket_setsockopt() - setsockopt(2) at level SOL_FERRY, or SOL_SOCKET
 * @sock: the socket
 * @level: SOL_FERRY; SOL_SOCKET, if the core lets it through; or -ENOPROTOOPT, as with
 *	TCP and UDP, and -EOPNOTSUPP for records, as with AF_UNIX
 * @option: FERRY_*
 * @optval: the value
 * @optlen: its length in bytes
 *
 * Context: process.
 * Return: 0; -ENOPROTOOPT for an option that does not exist, -EOPNOTSUPP, -EINVAL for
 * a wrong length or value, -EFAULT.
 */
int ferry_socket_setsockopt(struct socket *sock, int level, int option,
			    sockptr_t optval, unsigned int optlen)
{
	struct sock *sk = sock->sk;
	int val, err = 0;

	if (level == SOL_SOCKET)
		return ferry_socket_set_generic(sock, option, optval, optlen);
	if (level != SOL_FERRY)
		return sk->sk_type == SOCK_SEQPACKET ? -EOPNOTSUPP : -ENOPROTOOPT;
	if (option != FERRY_REUSEPORT && option != FERRY_ZEROCOPY)
		return -ENOPROTOOPT;
	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;

	lock_sock(sk);
	if (option == FERRY_REUSEPORT)
		sk->sk_reuseport = !!val;
	else
		err = ferry_socket_set_zerocopy(sk, val);
	release_sock(sk);
	return err;
}

/**
 * ferry_socket_put_int() - store an option's value
 * @val: the value
 * @optval: where to; it is cut to what fits
 * @optlen: its length in bytes, there and back
 *
 * Context: process.
 * Return: 0; -EINVAL for a negative length, -EFAULT.
 */
int ferry_socket_put_int(int val, char __user *optval, int __user *optlen)
{
	int len;

	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = min_t(int, len, sizeof(val));
	if (put_user(len, optlen) || copy_to_user(optval, &val, len))
		return -EFAULT;
	return 0;
}

/**
 * ferry_socket_getsockopt() - getsockopt(2) at level SOL_FERRY
 * @sock: the socket
 * @level: SOL_FERRY, or -EOPNOTSUPP, as with TCP, UDP and AF_UNIX
 * @option: FERRY_*
 * @optval: where to store the value; cut to what fits
 * @optlen: its length in bytes, there and back
 *
 * Context: process.
 * Return: 0; -ENOPROTOOPT for an option that does not exist, -EOPNOTSUPP, -EINVAL for
 * a negative length, -EFAULT.
 */
int ferry_socket_getsockopt(struct socket *sock, int level, int option,
			    char __user *optval, int __user *optlen)
{
	if (level != SOL_FERRY)
		return -EOPNOTSUPP;
	if (option != FERRY_REUSEPORT && option != FERRY_ZEROCOPY)
		return -ENOPROTOOPT;
	return ferry_socket_put_int(option == FERRY_REUSEPORT ?
				    sock->sk->sk_reuseport :
				    sock_flag(sock->sk, SOCK_ZEROCOPY),
				    optval, optlen);
}

/**
 * ferry_socket_release() - the last close(2)
 * @sock: the socket
 *
 * Context: process.
 * Return: 0.
 */
int ferry_socket_release(struct socket *sock)
{
	struct sock *sk = sock->sk;

	if (!sk)
		return 0;

	lock_sock(sk);
	ferry_port_release(sk);
	ferry_peer_set(ferry_sk(sk), NULL);
	sk->sk_shutdown = SHUTDOWN_MASK;
	sock_orphan(sk);
	sock->sk = NULL;
	release_sock(sk);

	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
	sock_put(sk);
	return 0;
}

/**
 * ferry_sock_destruct() - sk_destruct: after the last reference and a grace period
 * @sk: the socket
 *
 * What a packet that found the socket just before its end has put on the
 * queue is freed here.
 *
 * Context: softirq or process.
 */
void ferry_sock_destruct(struct sock *sk)
{
	__skb_queue_purge(&sk->sk_receive_queue);
	__skb_queue_purge(&sk->sk_error_queue);
	sk_mem_reclaim_final(sk);

	WARN_ON_ONCE(atomic_read(&sk->sk_rmem_alloc));
	WARN_ON_ONCE(refcount_read(&sk->sk_wmem_alloc));
	WARN_ON_ONCE(sk->sk_forward_alloc);
}

static int ferry_socket_create(struct net *net, struct socket *sock,
			       int protocol, int kern)
{
	bool dgram = sock->type == SOCK_DGRAM;
	struct ferry_sock *fs;
	struct sock *sk;
	int err;

	if (!dgram && sock->type != SOCK_STREAM && sock->type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	if (protocol && !(dgram && protocol == FERRYPROTO_ECHO))
		return -EPROTONOSUPPORT;

	err = ferry_link_start(ferry_net(net));
	if (err)
		return err;

	sk = sk_alloc(net, PF_FERRY, GFP_KERNEL,
		      dgram ? &ferry_dgram_prot : &ferry_stream_prot, kern);
	if (!sk)
		return -ENOBUFS;

	sock->ops = dgram ? &ferry_dgram_ops : &ferry_stream_ops;
	sock_init_data(sock, sk);
	sock_set_flag(sk, SOCK_RCU_FREE);
	sk->sk_destruct = ferry_sock_destruct;
	sk->sk_state = TCP_CLOSE;
	sk->sk_protocol = protocol;

	ferry_sock_take_options(sock);
	/* io_uring's: MSG_ZEROCOPY is known. */
	if (sock->type != SOCK_SEQPACKET)
		set_bit(SOCK_SUPPORT_ZC, &sock->flags);

	fs = ferry_sk(sk);
	fs->saddr = FERRY_ADDR_ANY;
	fs->sport = FERRY_PORT_ANY;
	RCU_INIT_POINTER(fs->peer, NULL);

	if (dgram)
		ferry_dgram_setup(sk);
	else
		ferry_stream_setup(sk);
	return 0;
}

static const struct net_proto_family ferry_family = {
	.family = PF_FERRY,
	.create = ferry_socket_create,
	.owner = THIS_MODULE,
};

/**
 * ferry_socket_init() - open the family
 *
 * Context: process.
 * Return: 0; -EEXIST if another module has the family's number; -ENOMEM.
 */
int ferry_socket_init(void)
{
	int err;

	sock_skb_cb_check_size(sizeof(struct ferry_skb_cb));
	BUILD_BUG_ON(sizeof(struct sockaddr_ferry) >
		     sizeof(struct __kernel_sockaddr_storage));

	ferry_peer_cache = KMEM_CACHE(ferry_peer, SLAB_ACCOUNT);
	if (!ferry_peer_cache)
		return -ENOMEM;

	err = sock_register(&ferry_family);
	if (err) {
		if (err == -EEXIST)
			pr_err("protocol family %d (AF_ASH's number) is taken by another module; unload it first\n",
			       PF_FERRY);
		kmem_cache_destroy(ferry_peer_cache);
	}
	return err;
}

/**
 * ferry_socket_exit() - close the family
 *
 * No socket is left: each holds the module.
 *
 * Context: process.
 */
void ferry_socket_exit(void)
{
	sock_unregister(PF_FERRY);
	rcu_barrier();
	kmem_cache_destroy(ferry_peer_cache);
}
