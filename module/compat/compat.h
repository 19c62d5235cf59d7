/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Compatibility: the only place where kernel versions are told apart.
 *
 * Kbuild includes this before every file. Each block gives one name to what
 * differs, and says since when it does.
 */
#ifndef _FERRY_COMPAT_H
#define _FERRY_COMPAT_H

#ifndef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#endif

#include <linux/version.h>
#include <linux/bvec.h>
#include <linux/errqueue.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/sysctl.h>
#include <linux/uio.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>
#include <net/sock.h>
#include <net/tcp.h>

/* A protocol's memory has had a header of its own since 6.10. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#include <net/proto_memory.h>
#endif

/* bind() and connect() of struct proto_ops: their own type since 6.19. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define ferry_sockaddr	struct sockaddr_unsized
#else
#define ferry_sockaddr	struct sockaddr
#endif

/* accept() of struct proto_ops has its arguments in a struct since 6.10. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define FERRY_ACCEPT_ARGS	struct proto_accept_arg *arg
#define FERRY_ACCEPT_FLAGS	(arg->flags)
#define FERRY_ACCEPT_EMPTY	(&arg->is_empty)
#else
#define FERRY_ACCEPT_ARGS	int flags, bool kern
#define FERRY_ACCEPT_FLAGS	flags
#define FERRY_ACCEPT_EMPTY	NULL
#endif

/*
 * ioctl() of struct proto leaves its answer in the kernel since 6.5: for io_uring,
 * which calls it in place of proto_ops's.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#define FERRY_PROTO_IOCTL(function)	.ioctl = function,
#else
#define FERRY_PROTO_IOCTL(function)
#endif

/*
 * What sendfile() and splice() give a socket is a message with MSG_SPLICE_PAGES, and
 * at an early end splice_eof(), since 6.5, and in later stable kernels before it
 * (see probe.mk). Until 6.4 it comes by sendpage(), a page at a time: here each is such
 * a message. Where the core does not know the flag, it is a message like others.
 */
#ifndef MSG_SPLICE_PAGES
#define MSG_SPLICE_PAGES	0
#endif

#ifdef FERRY_HAS_SENDPAGE
static inline ssize_t ferry_sendpage(struct socket *sock, struct page *page,
				     int offset, size_t size, int flags)
{
	struct msghdr msg = { .msg_flags = flags | MSG_SPLICE_PAGES };
	struct bio_vec bvec = {
		.bv_page = page, .bv_len = size, .bv_offset = offset,
	};

	/* There are more of them, now. */
	if (flags & MSG_SENDPAGE_NOTLAST)
		msg.msg_flags |= MSG_MORE;
	iov_iter_bvec(&msg.msg_iter, WRITE, &bvec, 1, size);
	return sock->ops->sendmsg(sock, &msg, size);
}

#define FERRY_SENDPAGE_OP	.sendpage = ferry_sendpage,
#else
#define FERRY_SENDPAGE_OP
#endif

#ifdef FERRY_HAS_SPLICE_EOF
#define FERRY_SPLICE_OPS(eof)	FERRY_SENDPAGE_OP .splice_eof = (eof),
#else
#define FERRY_SPLICE_OPS(eof)	FERRY_SENDPAGE_OP
#endif

/* What the core does for a file without a splice_read() of its own: renamed in 6.5. */
#ifdef FERRY_HAS_COPY_SPLICE_READ
#define ferry_copy_splice_read	copy_splice_read
#else
#define ferry_copy_splice_read	generic_file_splice_read
#endif

/* Memory of a device's own can be sent since 6.16: not by who has the pages. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define ferry_zerocopy_realloc(sk, size, uarg) \
	msg_zerocopy_realloc(sk, size, uarg, false)
#define ferry_zerocopy_iter_stream(sk, skb, msg, len, uarg) \
	skb_zerocopy_iter_stream(sk, skb, msg, len, uarg, NULL)
#else
#define ferry_zerocopy_realloc		msg_zerocopy_realloc
#define ferry_zerocopy_iter_stream	skb_zerocopy_iter_stream
#endif

/* Later kernels let a family ask to see SOL_SOCKET's options, for each socket anew. */
static inline void ferry_sock_take_options(struct socket *sock)
{
#ifdef FERRY_HAS_CUSTOM_SOCKOPT
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
#endif
}

/* Sysctl handlers see a constant table since 6.11. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define ferry_ctl_table	const struct ctl_table
#else
#define ferry_ctl_table	struct ctl_table
#endif

/* A table's size is told since 6.6; before, an empty entry ends it. */
static inline struct ctl_table_header *
ferry_register_net_sysctl(struct net *net, const char *path,
			  struct ctl_table *table, size_t count)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return register_net_sysctl_sz(net, path, table, count);
#else
	return register_net_sysctl(net, path, table);
#endif
}

/*
 * An object that was made in softirq can be charged to the memory cgroup of who
 * takes it over since 6.12 (see probe.mk).
 */
static inline void ferry_kmem_cache_charge(void *object)
{
#ifdef FERRY_HAS_KMEM_CACHE_CHARGE
	kmem_cache_charge(object, GFP_KERNEL);
#endif
}

/* GENL_REQ_ATTR_CHECK() and friends came before it; the macro is of 6.2. */
#ifndef GENL_SET_ERR_MSG
#define GENL_SET_ERR_MSG(info, msg) NL_SET_ERR_MSG((info)->extack, msg)
#endif

/* Drops are counted through a helper since 6.18. */
static inline void ferry_sk_drops_inc(struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	sk_drops_inc(sk);
#else
	atomic_inc(&sk->sk_drops);
#endif
}

/* A send's control messages begin with the socket's own values. */
static inline void ferry_sockcm_init(struct sockcm_cookie *sockc,
				     const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	sockcm_init(sockc, sk);
#else
	*sockc = (struct sockcm_cookie) {
		.mark = READ_ONCE(sk->sk_mark),
		.tsflags = READ_ONCE(sk->sk_tsflags),
	};
#endif
}

/* SO_PRIORITY is a control message too since 6.14. */
static inline u32 ferry_sockcm_priority(const struct sockcm_cookie *sockc,
					const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
	return sockc->priority;
#else
	return READ_ONCE(sk->sk_priority);
#endif
}

/* The whole cookie is passed since 6.13. */
static inline void ferry_setup_tx_timestamp(struct sk_buff *skb,
					    const struct sockcm_cookie *sockc)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	skb_setup_tx_timestamp(skb, sockc);
#else
	skb_setup_tx_timestamp(skb, sockc->tsflags);
#endif
}

/* The same, where there is no skb yet. */
static inline void
ferry_sock_tx_timestamp(struct sock *sk, const struct sockcm_cookie *sockc,
			u8 *tx_flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	sock_tx_timestamp(sk, sockc, tx_flags);
#else
	sock_tx_timestamp(sk, sockc->tsflags, tx_flags);
#endif
}

/* SO_TXTIME: what clock a time to leave is of is in the skb since 6.11. */
static inline void ferry_skb_set_txtime(struct sk_buff *skb,
					const struct sockcm_cookie *sockc,
					const struct sock *sk)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	skb_set_delivery_type_by_clockid(skb, sockc->transmit_time,
					 sk->sk_clockid);
#else
	skb->tstamp = sockc->transmit_time;
#endif
}

/* A control message may say what a stamp is told by since 6.13. */
static inline bool ferry_sockcm_opt_id(const struct sockcm_cookie *sockc,
				       u32 *id)
{
#ifdef SOCKCM_FLAG_TS_OPT_ID
	if (sockc->tsflags & SOCKCM_FLAG_TS_OPT_ID) {
		*id = sockc->ts_opt_id;
		return true;
	}
#endif
	return false;
}

/* Whether a control message, of SOL_SOCKET, is about stamps of what is sent. */
static inline bool ferry_cmsg_of_stamps(const struct cmsghdr *cmsg)
{
#ifdef SCM_TS_OPT_ID
	if (cmsg->cmsg_type == SCM_TS_OPT_ID)
		return true;
#endif
	return cmsg->cmsg_type == SO_TIMESTAMPING_OLD ||
	       cmsg->cmsg_type == SO_TIMESTAMPING_NEW;
}

/*
 * Tell when a chunk was acknowledged. Since 6.15 the core looks for TCP's own mark in
 * the buffer, which is ours: it is there as long as that takes.
 */
static inline void ferry_tstamp_acked(struct sk_buff *skb, struct sock *sk)
{
#ifdef TSTAMP_ACK_SK
	char cb[sizeof(skb->cb)];

	memcpy(cb, skb->cb, sizeof(cb));
	TCP_SKB_CB(skb)->txstamp_ack = TSTAMP_ACK_SK;
	__skb_tstamp_tx(skb, NULL, NULL, sk, SCM_TSTAMP_ACK);
	memcpy(skb->cb, cb, sizeof(cb));
#else
	__skb_tstamp_tx(skb, NULL, NULL, sk, SCM_TSTAMP_ACK);
#endif
}

/* A timer learns its function when it is set up since 6.13. */
static inline void
ferry_hrtimer_setup(struct hrtimer *timer,
		    enum hrtimer_restart (*function)(struct hrtimer *),
		    clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, function, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = function;
#endif
}

/* A NAPI instance may tell its interrupt's number since 6.9. */
static inline void ferry_netif_napi_set_irq(struct napi_struct *napi, int irq)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	netif_napi_set_irq(napi, irq);
#endif
}

/*
 * To bind a device to its namespace: a feature until 6.11, then a bit, whose name
 * has changed, in stable kernels too (see probe.mk).
 */
static inline void ferry_dev_set_immobile(struct net_device *dev)
{
#if defined(FERRY_HAS_NETNS_IMMUTABLE)
	dev->netns_immutable = true;
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	dev->netns_local = true;
#else
	dev->features |= NETIF_F_NETNS_LOCAL;
#endif
}

/* A device may be kept out of IPv6's own configuration since 6.2. */
static inline void ferry_dev_set_no_addrconf(struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	dev->priv_flags |= IFF_NO_ADDRCONF;
#endif
}

/*
 * Whether classifiers, or netfilter, see what crosses a device. Classifiers' hooks
 * have been BPF's too, under another name, since 6.6. Under RCU.
 */
static inline bool ferry_dev_has_hooks(const struct net_device *dev)
{
	const void *hooks = NULL;

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#ifdef CONFIG_NET_XGRESS
	hooks = rcu_access_pointer(dev->tcx_ingress) ?:
		rcu_access_pointer(dev->tcx_egress);
#endif
#elif defined(CONFIG_NET_CLS_ACT)
	hooks = rcu_access_pointer(dev->miniq_ingress) ?:
		rcu_access_pointer(dev->miniq_egress);
#endif
	if (hooks)
		return true;
#ifdef CONFIG_NETFILTER_INGRESS
	hooks = rcu_access_pointer(dev->nf_hooks_ingress);
#endif
#ifdef CONFIG_NETFILTER_EGRESS
	hooks = hooks ?: rcu_access_pointer(dev->nf_hooks_egress);
#endif
	return hooks;
}

/* The core finds a new device's peer namespace, and checks rights, since 6.13. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define FERRY_LINK_PEER_TYPE(type)	.peer_type = (type),
#else
#define FERRY_LINK_PEER_TYPE(type)
#endif

/*
 * rtnl_link_ops.newlink has its parameters in a struct since 6.15. One that is
 * declared with FERRY_NEWLINK_ARGS finds them in FERRY_NEWLINK_PARAMS.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define FERRY_NEWLINK_ARGS						\
	struct net_device *dev, struct rtnl_newlink_params *params,	\
	struct netlink_ext_ack *extack
#define FERRY_NEWLINK_PARAMS	params

static inline struct net *
ferry_get_peer_net(struct rtnl_newlink_params *params, struct nlattr *peer_tb[],
		   struct netlink_ext_ack *extack)
{
	return get_net(rtnl_newlink_peer_net(params));
}
#else
struct rtnl_newlink_params {
	struct net	*src_net;
	struct nlattr	**tb;
	struct nlattr	**data;
};

#define FERRY_NEWLINK_ARGS						\
	struct net *src_net, struct net_device *dev,			\
	struct nlattr *tb[], struct nlattr *data[],			\
	struct netlink_ext_ack *extack
#define FERRY_NEWLINK_PARAMS						\
	(&(struct rtnl_newlink_params) {				\
		.src_net = src_net, .tb = tb, .data = data,		\
	})

static inline struct net *
ferry_get_peer_net(struct rtnl_newlink_params *params, struct nlattr *peer_tb[],
		   struct netlink_ext_ack *extack)
{
	struct net *net = rtnl_link_get_net(params->src_net, peer_tb);

	if (IS_ERR(net)) {
		NL_SET_ERR_MSG(extack, "The peer's namespace does not exist");
		return net;
	}
	if (!ns_capable(net->user_ns, CAP_NET_ADMIN)) {
		put_net(net);
		NL_SET_ERR_MSG(extack, "No right to the peer's namespace");
		return ERR_PTR(-EPERM);
	}
	return net;
}
#endif

#endif /* _FERRY_COMPAT_H */
