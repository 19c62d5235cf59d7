// SPDX-License-Identifier: GPL-2.0-only
/*
 * The port space: see port.h.
 */
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <net/netns/hash.h>
#include <net/sock_reuseport.h>

#include "addr.h"
#include "netns.h"
#include "port.h"
#include "socket.h"

static struct kmem_cache *ferry_bucket_cache;

static const struct rhashtable_params ferry_bucket_params = {
	.key_len = sizeof_field(struct ferry_bucket, port),
	.key_offset = offsetof(struct ferry_bucket, port),
	.head_offset = offsetof(struct ferry_bucket, node),
	.automatic_shrinking = true,
};

static struct ferry_ports *ferry_ports(const struct sock *sk)
{
	return &ferry_net(sock_net(sk))->dgram_ports;
}

static void ferry_bucket_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ferry_bucket_cache,
			container_of(rcu, struct ferry_bucket, rcu));
}

static struct ferry_bucket *ferry_bucket_make(struct ferry_ports *ports,
					      u32 port)
{
	struct ferry_bucket *bucket;
	int err;

	bucket = kmem_cache_alloc(ferry_bucket_cache, GFP_KERNEL);
	if (!bucket)
		return ERR_PTR(-ENOMEM);
	bucket->port = port;
	INIT_HLIST_HEAD(&bucket->socks);

	err = rhashtable_insert_fast(&ports->buckets, &bucket->node,
				     ferry_bucket_params);
	if (err) {
		kmem_cache_free(ferry_bucket_cache, bucket);
		return ERR_PTR(err);
	}
	return bucket;
}

/* Caller holds RCU or, to change what it finds, ports->lock. */
static struct ferry_bucket *ferry_bucket_find(struct ferry_ports *ports,
					      u32 port)
{
	return rhashtable_lookup_fast(&ports->buckets, &port,
				      ferry_bucket_params);
}

/* Could a packet be meant for both? */
static bool ferry_port_overlap(const struct sock *a, const struct sock *b)
{
	int adev = READ_ONCE(a->sk_bound_dev_if);
	int bdev = READ_ONCE(b->sk_bound_dev_if);
	u64 aaddr = ferry_sk(a)->saddr;
	u64 baddr = ferry_sk(b)->saddr;

	return (!adev || !bdev || adev == bdev) &&
	       (!aaddr || !baddr || aaddr == baddr);
}

static bool ferry_port_same_user(const struct sock *a, const struct sock *b)
{
	return uid_eq(READ_ONCE(a->sk_uid), READ_ONCE(b->sk_uid));
}

/*
 * May @sk have the bucket's port too? What SO_REUSEADDR and SO_REUSEPORT allow
 * to UDP sockets; a port chosen by the kernel (@chosen) is shared with none.
 */
static bool ferry_port_conflict(const struct ferry_bucket *bucket,
				struct sock *sk, bool chosen)
{
	struct sock *other;

	sk_for_each(other, &bucket->socks) {
		if (!ferry_port_overlap(sk, other))
			continue;
		if (chosen)
			return true;
		if (sk->sk_reuse && other->sk_reuse)
			continue;
		if (sk->sk_reuseport && other->sk_reuseport &&
		    ferry_port_same_user(sk, other))
			continue;
		return true;
	}
	return false;
}

/* Join the group of those that share address, port and user, or begin one. */
static int ferry_port_join_group(struct ferry_bucket *bucket, struct sock *sk)
{
	bool any = !ferry_sk(sk)->saddr;
	struct sock *other;

	sk_for_each(other, &bucket->socks)
		if (other->sk_reuseport &&
		    ferry_sk(other)->saddr == ferry_sk(sk)->saddr &&
		    READ_ONCE(other->sk_bound_dev_if) ==
			    READ_ONCE(sk->sk_bound_dev_if) &&
		    ferry_port_same_user(sk, other))
			return reuseport_add_sock(sk, other, any);
	return reuseport_alloc(sk, any);
}

static void ferry_bucket_release(struct ferry_ports *ports,
				 struct ferry_bucket *bucket)
{
	if (!hlist_empty(&bucket->socks))
		return;
	rhashtable_remove_fast(&ports->buckets, &bucket->node,
			       ferry_bucket_params);
	call_rcu(&bucket->rcu, ferry_bucket_free_rcu);
}

static int ferry_port_take(struct ferry_ports *ports, struct sock *sk,
			   u32 port, bool chosen)
{
	struct ferry_bucket *bucket;
	int err = 0;

	lockdep_assert_held(&ports->lock);
	bucket = ferry_bucket_find(ports, port);
	if (bucket) {
		if (ferry_port_conflict(bucket, sk, chosen))
			return -EADDRINUSE;
	} else {
		bucket = ferry_bucket_make(ports, port);
		if (IS_ERR(bucket))
			return PTR_ERR(bucket);
	}

	if (sk->sk_reuseport)
		err = ferry_port_join_group(bucket, sk);
	if (err) {
		ferry_bucket_release(ports, bucket);
		return err;
	}

	WRITE_ONCE(ferry_sk(sk)->sport, port);
	sk_add_node_rcu(sk, &bucket->socks);
	return 0;
}

/* The first free port of the range, from a random one on (RFC 6056, 3.3.1). */
static int ferry_port_choose(struct ferry_ports *ports, struct sock *sk)
{
	const struct ferry_net *fn = ferry_net(sock_net(sk));
	u32 low = READ_ONCE(fn->port_range[0]);
	u32 high = READ_ONCE(fn->port_range[1]);
	u32 count, offset, i;
	int err;

	/* A writer may be between the two. */
	if (high < low)
		high = low;
	count = high - low + 1;
	offset = reciprocal_scale(get_random_u32(), count);

	for (i = 0; i < count; i++) {
		err = ferry_port_take(ports, sk,
				      low + (u32)((u64)(offset + i) % count),
				      true);
		if (err != -EADDRINUSE)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return -EADDRINUSE;
}

/**
 * ferry_port_bind() - give a socket its port
 * @sk: the socket, with no port yet; its address, bound device and options
 *	that let it share are set
 * @port: the port, or FERRY_PORT_ANY to choose one of net.ferry.port_range
 *
 * From here on packets find the socket.
 *
 * Context: process, under the socket lock.
 * Return: 0; -EADDRINUSE if the port is taken (or all are), -ENOMEM, -EINTR.
 */
int ferry_port_bind(struct sock *sk, u32 port)
{
	struct ferry_ports *ports = ferry_ports(sk);
	int err;

	mutex_lock(&ports->lock);
	if (port == FERRY_PORT_ANY)
		err = ferry_port_choose(ports, sk);
	else
		err = ferry_port_take(ports, sk, port, false);
	mutex_unlock(&ports->lock);
	return err;
}

/**
 * ferry_port_release() - take a socket's port away
 * @sk: the socket; may have none
 *
 * Packets that found it before may still reach it, until a grace period has
 * passed.
 *
 * Context: process, under the socket lock.
 */
void ferry_port_release(struct sock *sk)
{
	struct ferry_ports *ports = ferry_ports(sk);
	struct ferry_sock *fs = ferry_sk(sk);

	if (!fs->sport)
		return;

	mutex_lock(&ports->lock);
	if (rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
	sk_del_node_init_rcu(sk);
	ferry_bucket_release(ports, ferry_bucket_find(ports, fs->sport));
	mutex_unlock(&ports->lock);
	WRITE_ONCE(fs->sport, 0);
}

/*
 * Does a packet arrive on the device @ifindex? What this host sends itself
 * arrives on the loop, and counts as arriving where its destination is, as
 * IPv6 has it for link-local addresses.
 */
static bool ferry_port_on_device(struct ferry_net *fn, struct sk_buff *skb,
				 int ifindex)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);

	if (!ifindex || ifindex == cb->iif)
		return true;
	return skb->pkt_type == PACKET_LOOPBACK &&
	       ferry_link_owns(fn, ifindex, cb->daddr);
}

enum {
	FERRY_SCORE_NONE	= 0,
	FERRY_SCORE_PORT	= 1,
	FERRY_SCORE_CPU		= 2,
	FERRY_SCORE_DEVICE	= 4,
	FERRY_SCORE_ADDR	= 8,
	FERRY_SCORE_PEER	= 16,
};

/* How well does a packet fit a socket that has its port? 0: not at all. */
static int ferry_port_score(struct ferry_net *fn, const struct sock *sk,
			    struct sk_buff *skb)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	const struct ferry_peer *peer = rcu_dereference(ferry_sk(sk)->peer);
	u64 saddr = READ_ONCE(ferry_sk(sk)->saddr);
	int dev = READ_ONCE(sk->sk_bound_dev_if);
	int score = FERRY_SCORE_PORT;

	if (saddr) {
		if (saddr != cb->daddr)
			return FERRY_SCORE_NONE;
		score += FERRY_SCORE_ADDR;
	}
	if (dev) {
		if (!ferry_port_on_device(fn, skb, dev))
			return FERRY_SCORE_NONE;
		score += FERRY_SCORE_DEVICE;
	}
	if (peer) {
		if (peer->addr != cb->saddr || peer->port != cb->pkt.sport ||
		    !ferry_port_on_device(fn, skb, peer->ifindex))
			return FERRY_SCORE_NONE;
		score += FERRY_SCORE_PEER;
	}
	if (READ_ONCE(sk->sk_incoming_cpu) == raw_smp_processor_id())
		score += FERRY_SCORE_CPU;
	return score;
}

static struct sock *ferry_port_best(struct ferry_net *fn, struct sk_buff *skb,
				    int *score)
{
	struct sock *sk, *best = NULL;
	struct ferry_bucket *bucket;
	int s;

	*score = FERRY_SCORE_NONE;
	bucket = ferry_bucket_find(&fn->dgram_ports,
				   ferry_skb_cb(skb)->pkt.dport);
	if (!bucket)
		return NULL;
	sk_for_each_rcu(sk, &bucket->socks) {
		s = ferry_port_score(fn, sk, skb);
		if (s > *score) {
			*score = s;
			best = sk;
		}
	}
	return best;
}

/**
 * ferry_port_lookup() - the socket that a packet is for
 * @fn: the namespace
 * @skb: the packet, for one host, its struct ferry_skb_cb filled in
 *
 * The best fit has it: connected to the sender before bound to the address,
 * before bound to the device; of those that fit equally, the one that was
 * bound last. Within a group of FERRY_REUSEPORT, the group's program or the
 * hash of the flow decides.
 *
 * Context: softirq or process, under RCU; the socket is valid as long as that
 * lasts.
 * Return: the socket, or NULL.
 */
struct sock *ferry_port_lookup(struct ferry_net *fn, struct sk_buff *skb)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	struct sock *sk, *member;
	int score;
	u32 hash;

	sk = ferry_port_best(fn, skb, &score);
	if (!sk || score >= FERRY_SCORE_PEER ||
	    !rcu_access_pointer(sk->sk_reuseport_cb))
		return sk;

	hash = ferry_addr_flow_hash(cb->saddr, cb->pkt.sport, cb->daddr,
				    cb->pkt.dport, net_hash_mix(fn->net));
	member = reuseport_select_sock(sk, hash, skb, cb->pkt.hlen);
	if (IS_ERR_OR_NULL(member) || rcu_access_pointer(ferry_sk(member)->peer))
		return sk;
	return member;
}

/**
 * ferry_port_lookup_peer() - the socket that is connected to a packet's sender
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in
 *
 * Context: as ferry_port_lookup().
 * Return: the socket, or NULL if none is connected there.
 */
struct sock *ferry_port_lookup_peer(struct ferry_net *fn, struct sk_buff *skb)
{
	struct sock *sk;
	int score;

	sk = ferry_port_best(fn, skb, &score);
	return score >= FERRY_SCORE_PEER ? sk : NULL;
}

/**
 * ferry_port_deliver_all() - give a packet to every socket that it fits
 * @fn: the namespace
 * @skb: the packet, for everyone; consumed
 * @deliver: what takes one packet for one socket
 *
 * Context: as ferry_port_lookup().
 * Return: true if there was one at least.
 */
bool ferry_port_deliver_all(struct ferry_net *fn, struct sk_buff *skb,
			    void (*deliver)(struct sock *sk,
					    struct sk_buff *skb))
{
	struct sock *sk, *last = NULL;
	struct ferry_bucket *bucket;
	struct sk_buff *copy;

	bucket = ferry_bucket_find(&fn->dgram_ports,
				   ferry_skb_cb(skb)->pkt.dport);
	if (!bucket)
		return false;

	sk_for_each_rcu(sk, &bucket->socks) {
		if (!ferry_port_score(fn, sk, skb))
			continue;
		if (last) {
			copy = skb_clone(skb, GFP_ATOMIC);
			if (copy)
				deliver(last, copy);
			else
				ferry_stats_inc(fn, FERRY_STAT_IN_MEMORY);
		}
		last = sk;
	}
	if (!last)
		return false;
	deliver(last, skb);
	return true;
}

/* Was @sk reachable only by what is lost? */
static bool ferry_port_depends(struct ferry_net *fn, const struct sock *sk,
			       int ifindex, u64 addr)
{
	const struct ferry_peer *peer = rcu_dereference(ferry_sk(sk)->peer);

	if (READ_ONCE(sk->sk_bound_dev_if) == ifindex ||
	    (peer && peer->ifindex == ifindex))
		return true;
	/* Another link may have the same address. */
	return READ_ONCE(ferry_sk(sk)->saddr) == addr &&
	       ferry_link_owns(fn, ifindex, addr);
}

static void ferry_bucket_lost(struct ferry_net *fn,
			      const struct ferry_bucket *bucket,
			      int ifindex, u64 addr, int err)
{
	struct sock *sk;

	sk_for_each_rcu(sk, &bucket->socks) {
		if (!ferry_port_depends(fn, sk, ifindex, addr))
			continue;
		WRITE_ONCE(sk->sk_err, -err);
		sk_error_report(sk);
	}
}

/**
 * ferry_port_lost() - tell the sockets that depend on a device that it is lost
 * @fn: the namespace
 * @ifindex: the device
 * @addr: the device's address
 * @err: negative errno that their next call returns, once
 *
 * Sockets that sleep are woken.
 *
 * Context: process, may sleep.
 */
void ferry_port_lost(struct ferry_net *fn, int ifindex, u64 addr, int err)
{
	struct ferry_bucket *bucket;
	struct rhashtable_iter iter;

	rhashtable_walk_enter(&fn->dgram_ports.buckets, &iter);
	rhashtable_walk_start(&iter);
	while ((bucket = rhashtable_walk_next(&iter))) {
		/* -EAGAIN: the table was resized, and is walked once more. */
		if (!IS_ERR(bucket))
			ferry_bucket_lost(fn, bucket, ifindex, addr, err);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

/**
 * ferry_port_init() - make ready to give ports
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_port_init(void)
{
	ferry_bucket_cache = KMEM_CACHE(ferry_bucket, SLAB_ACCOUNT);
	return ferry_bucket_cache ? 0 : -ENOMEM;
}

/**
 * ferry_port_exit() - undo ferry_port_init()
 *
 * Context: process.
 */
void ferry_port_exit(void)
{
	rcu_barrier();
	kmem_cache_destroy(ferry_bucket_cache);
}

/**
 * ferry_port_net_init() - a namespace's ports: all free
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_port_net_init(struct ferry_net *fn)
{
	mutex_init(&fn->dgram_ports.lock);
	return rhashtable_init(&fn->dgram_ports.buckets, &ferry_bucket_params);
}

/**
 * ferry_port_net_exit() - undo ferry_port_net_init()
 * @fn: the namespace; no socket is left in it
 *
 * Context: process.
 */
void ferry_port_net_exit(struct ferry_net *fn)
{
	rhashtable_destroy(&fn->dgram_ports.buckets);
}
