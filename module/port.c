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
	struct ferry_net *fn = ferry_net(sock_net(sk));

	if (sk->sk_type != SOCK_DGRAM)
		return &fn->stream_ports;
	return ferry_sk_is_echo(sk) ? &fn->echo_ports : &fn->dgram_ports;
}

static void ferry_bucket_free_rcu(struct rcu_head *rcu)
{
	kmem_cache_free(ferry_bucket_cache,
			container_of(rcu, struct ferry_bucket, rcu));
}

/*
 * Enter a bucket that was allocated before the lock was taken; @spare is then
 * the table's.
 */
static struct ferry_bucket *ferry_bucket_make(struct ferry_ports *ports,
					      u32 port,
					      struct ferry_bucket **spare)
{
	struct ferry_bucket *bucket = *spare;
	int err;

	bucket->port = port;
	memset(bucket->users, 0, sizeof(bucket->users));
	INIT_HLIST_HEAD(&bucket->socks);

	err = rhashtable_insert_fast(&ports->buckets, &bucket->node,
				     ferry_bucket_params);
	if (err)
		return ERR_PTR(err);
	*spare = NULL;
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
	u64 aaddr = READ_ONCE(ferry_sk(a)->saddr);
	u64 baddr = READ_ONCE(ferry_sk(b)->saddr);

	return (!adev || !bdev || adev == bdev) &&
	       (!aaddr || !baddr || aaddr == baddr);
}

static bool ferry_port_same_user(const struct sock *a, const struct sock *b)
{
	return uid_eq(READ_ONCE(a->sk_uid), READ_ONCE(b->sk_uid));
}

/* With whom does a socket share? */
static u8 ferry_port_share(const struct sock *sk)
{
	/*
	 * The lock of another's socket is not held: a setsockopt() of it that
	 * runs just now comes before or after this.
	 */
	return data_race((sk->sk_reuse ? FERRY_SHARE_REUSE : 0) |
			 (sk->sk_reuseport ? FERRY_SHARE_REUSEPORT : 0));
}

static bool ferry_bucket_used(const struct ferry_bucket *bucket)
{
	int i;

	for (i = 0; i < FERRY_SHARES; i++)
		if (bucket->users[i])
			return true;
	return false;
}

/* Is there a connection at the port that does not share it with @sk? */
static bool ferry_port_in_use(const struct ferry_bucket *bucket,
			      const struct sock *sk)
{
	u8 share = ferry_port_share(sk);
	int i;

	for (i = 0; i < FERRY_SHARES; i++)
		if (bucket->users[i] && !(i & share))
			return true;
	return false;
}

/*
 * Has a socket a program of its own, which others' would take the place of? It joins
 * no group that there is, as with TCP and UDP.
 */
static bool ferry_port_has_program(const struct sock *sk)
{
	const struct sock_reuseport *group;
	bool has;

	rcu_read_lock();
	group = rcu_dereference(sk->sk_reuseport_cb);
	has = group && group->num_socks == 1 && rcu_access_pointer(group->prog);
	rcu_read_unlock();
	return has;
}

/*
 * Is there a socket at the port that does not share it with @sk? What
 * SO_REUSEADDR and SO_REUSEPORT allow to UDP and to TCP; a port chosen by the
 * kernel (@chosen) is shared with none.
 */
static bool ferry_port_conflict(const struct ferry_bucket *bucket,
				struct sock *sk, bool chosen)
{
	struct sock *other;
	u8 both;

	sk_for_each(other, &bucket->socks) {
		if (other == sk || !ferry_port_overlap(sk, other))
			continue;
		if (chosen)
			return true;
		both = ferry_port_share(sk) & ferry_port_share(other);
		if ((both & FERRY_SHARE_REUSE) &&
		    READ_ONCE(other->sk_state) != TCP_LISTEN)
			continue;
		if ((both & FERRY_SHARE_REUSEPORT) &&
		    ferry_port_same_user(sk, other) &&
		    !ferry_port_has_program(sk))
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
		if (other != sk &&
		    (ferry_port_share(other) & FERRY_SHARE_REUSEPORT) &&
		    (sk->sk_type == SOCK_DGRAM ||
		     READ_ONCE(other->sk_state) == TCP_LISTEN) &&
		    READ_ONCE(ferry_sk(other)->saddr) == ferry_sk(sk)->saddr &&
		    READ_ONCE(other->sk_bound_dev_if) ==
			    READ_ONCE(sk->sk_bound_dev_if) &&
		    ferry_port_same_user(sk, other))
			return reuseport_add_sock(sk, other, any);
	return reuseport_alloc(sk, any);
}

static void ferry_bucket_release(struct ferry_ports *ports,
				 struct ferry_bucket *bucket)
{
	if (!hlist_empty(&bucket->socks) || ferry_bucket_used(bucket))
		return;
	rhashtable_remove_fast(&ports->buckets, &bucket->node,
			       ferry_bucket_params);
	call_rcu(&bucket->rcu, ferry_bucket_free_rcu);
}

/* The bucket of a port, made of @spare if there is none. */
static struct ferry_bucket *ferry_bucket_get(struct ferry_ports *ports,
					     u32 port,
					     struct ferry_bucket **spare)
{
	lockdep_assert_held(&ports->lock);
	return ferry_bucket_find(ports, port) ?:
	       ferry_bucket_make(ports, port, spare);
}

static int ferry_port_take(struct ferry_ports *ports, struct sock *sk,
			   u32 port, bool chosen, struct ferry_bucket **spare)
{
	struct ferry_bucket *bucket = ferry_bucket_get(ports, port, spare);
	int err = 0;

	if (IS_ERR(bucket))
		return PTR_ERR(bucket);
	if (ferry_port_conflict(bucket, sk, chosen) ||
	    (chosen ? ferry_bucket_used(bucket) :
		      ferry_port_in_use(bucket, sk)))
		return -EADDRINUSE;

	/* Streams join theirs when they listen, and may have a program before. */
	if (sk->sk_reuseport)
		err = sk->sk_type == SOCK_DGRAM ?
		      ferry_port_join_group(bucket, sk) :
		      reuseport_alloc(sk, !ferry_sk(sk)->saddr);
	if (err) {
		ferry_bucket_release(ports, bucket);
		return err;
	}

	WRITE_ONCE(ferry_sk(sk)->sport, port);
	ferry_sk(sk)->bucket = bucket;
	sk_add_node_rcu(sk, &bucket->socks);
	return 0;
}

/*
 * struct ferry_port_range - the ports that the kernel chooses from
 */
struct ferry_port_range {
	u32	low;
	u32	count;
};

static struct ferry_port_range ferry_port_range(const struct sock *sk)
{
	const struct ferry_net *fn = ferry_net(sock_net(sk));
	u32 low = READ_ONCE(fn->port_range[0]);
	u32 high = READ_ONCE(fn->port_range[1]);

	/* A writer may be between the two. All of them, less one, are as many. */
	if (high < low)
		high = low;
	return (struct ferry_port_range) { low, high - low + 1 };
}

static u32 ferry_port_at(const struct ferry_port_range *range, u32 offset,
			 u32 i)
{
	return range->low + (u32)(((u64)offset + i) % range->count);
}

/* The first free port of the range, from a random one on (RFC 6056, 3.3.1). */
static int ferry_port_choose(struct ferry_ports *ports, struct sock *sk,
			     struct ferry_bucket **spare)
{
	struct ferry_port_range range = ferry_port_range(sk);
	u32 offset = reciprocal_scale(get_random_u32(), range.count);
	u32 i;
	int err;

	for (i = 0; i < range.count; i++) {
		spin_lock_bh(&ports->lock);
		err = ferry_port_take(ports, sk,
				      ferry_port_at(&range, offset, i), true,
				      spare);
		spin_unlock_bh(&ports->lock);
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
	struct ferry_bucket *spare;
	int err;

	spare = kmem_cache_alloc(ferry_bucket_cache, GFP_KERNEL);
	if (!spare)
		return -ENOMEM;
	if (port == FERRY_PORT_ANY) {
		err = ferry_port_choose(ports, sk, &spare);
	} else {
		spin_lock_bh(&ports->lock);
		err = ferry_port_take(ports, sk, port, false, &spare);
		spin_unlock_bh(&ports->lock);
	}
	if (spare)
		kmem_cache_free(ferry_bucket_cache, spare);
	return err;
}

/**
 * ferry_port_listen() - let those who connect to a socket's port find it
 * @sk: the socket, in TCP_LISTEN, with a port
 *
 * Context: process, under the socket lock.
 * Return: 0; -EADDRINUSE if another one listens there, -ENOMEM.
 */
int ferry_port_listen(struct sock *sk)
{
	struct ferry_ports *ports = ferry_ports(sk);
	struct ferry_bucket *bucket = ferry_sk(sk)->bucket;
	int err = 0;

	spin_lock_bh(&ports->lock);
	if (ferry_port_conflict(bucket, sk, false))
		err = -EADDRINUSE;
	else if (sk->sk_reuseport)
		err = ferry_port_join_group(bucket, sk);
	spin_unlock_bh(&ports->lock);
	return err;
}

/* Use a port for a connection, if nobody has bound it for himself. */
static int ferry_port_use(struct ferry_ports *ports, struct sock *sk, u32 port,
			  struct ferry_bucket **spare)
{
	struct ferry_bucket *bucket = ferry_bucket_get(ports, port, spare);

	if (IS_ERR(bucket))
		return PTR_ERR(bucket);
	if (ferry_port_conflict(bucket, sk, true))
		return -EADDRINUSE;
	ferry_sk(sk)->share = ferry_port_share(sk);
	ferry_sk(sk)->bucket = bucket;
	bucket->users[ferry_sk(sk)->share]++;
	WRITE_ONCE(ferry_sk(sk)->sport, port);
	return 0;
}

static int ferry_port_connect_from(struct ferry_ports *ports, struct sock *sk,
				   u32 seed,
				   int (*take)(struct sock *sk, u32 port),
				   struct ferry_bucket **spare)
{
	u32 *counter = &ports->offsets[seed % FERRY_PORT_OFFSETS];
	struct ferry_port_range range = ferry_port_range(sk);
	u32 offset = seed + READ_ONCE(*counter);
	u32 i, port;
	int err;

	for (i = 0; i < range.count; i++) {
		port = ferry_port_at(&range, offset, i);
		spin_lock_bh(&ports->lock);
		err = ferry_port_use(ports, sk, port, spare);
		spin_unlock_bh(&ports->lock);
		if (!err) {
			err = take(sk, port);
			if (!err)
				WRITE_ONCE(*counter, READ_ONCE(*counter) + i + 1);
			else
				ferry_port_release(sk);
		}
		/* A bucket that was used, and left again, took the spare along. */
		if (err == -EADDRINUSE && !*spare)
			*spare = kmem_cache_alloc(ferry_bucket_cache,
						  GFP_KERNEL);
		if (err != -EADDRINUSE)
			return err;
		if (!*spare)
			return -ENOMEM;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return -EADDRNOTAVAIL;
}

/**
 * ferry_port_connect() - choose a port for a connection
 * @sk: the socket, with no port yet, its address set
 * @seed: a hash of addresses and the peer's port, with a secret
 * @take: takes the port for the connection: -EADDRINUSE if there is one between
 *	the same two ports already
 *
 * Connections to different peers share a port. The search begins behind the
 * port that the last connection to the same peer was given (RFC 6056, 3.3.4), so
 * that it finds a free one at once.
 *
 * Context: process, under the socket lock.
 * Return: 0; -EADDRNOTAVAIL if none is left, -ENOMEM, -EINTR.
 */
int ferry_port_connect(struct sock *sk, u32 seed,
		       int (*take)(struct sock *sk, u32 port))
{
	struct ferry_ports *ports = ferry_ports(sk);
	struct ferry_bucket *spare;
	int err;

	spare = kmem_cache_alloc(ferry_bucket_cache, GFP_KERNEL);
	if (!spare)
		return -ENOMEM;
	err = ferry_port_connect_from(ports, sk, seed, take, &spare);
	if (spare)
		kmem_cache_free(ferry_bucket_cache, spare);
	return err;
}

/**
 * ferry_port_inherit() - an accepted connection uses its listener's port
 * @sk: its socket
 * @parent: the listener
 *
 * Context: softirq, under @sk's lock.
 * Return: false if the listener has been closed meanwhile.
 */
bool ferry_port_inherit(struct sock *sk, const struct sock *parent)
{
	struct ferry_ports *ports = ferry_ports(sk);
	struct ferry_sock *fs = ferry_sk(sk);
	struct ferry_bucket *bucket;

	spin_lock_bh(&ports->lock);
	bucket = ferry_sk(parent)->bucket;
	if (bucket) {
		fs->bucket = bucket;
		fs->share = ferry_port_share(sk);
		fs->sport = bucket->port;
		bucket->users[fs->share]++;
	}
	spin_unlock_bh(&ports->lock);
	return bucket;
}

static void ferry_bucket_leave(struct ferry_ports *ports,
			       struct ferry_bucket *bucket, u8 share)
{
	lockdep_assert_held(&ports->lock);
	bucket->users[share]--;
	ferry_bucket_release(ports, bucket);
}

/**
 * ferry_port_release() - take a socket's port away
 * @sk: the socket; may have none
 *
 * Packets that found it before may still reach it, until a grace period has
 * passed.
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_port_release(struct sock *sk)
{
	struct ferry_ports *ports = ferry_ports(sk);
	struct ferry_sock *fs = ferry_sk(sk);
	struct ferry_bucket *bucket = fs->bucket;

	if (!bucket)
		return;

	spin_lock_bh(&ports->lock);
	fs->bucket = NULL;
	if (sk_unhashed(sk)) {
		ferry_bucket_leave(ports, bucket, fs->share);
	} else {
		if (rcu_access_pointer(sk->sk_reuseport_cb))
			reuseport_detach_sock(sk);
		sk_del_node_init_rcu(sk);
		ferry_bucket_release(ports, bucket);
	}
	spin_unlock_bh(&ports->lock);
	WRITE_ONCE(fs->sport, 0);
}

/**
 * ferry_port_hand_over() - a connection keeps the port that its socket loses
 * @sk: the socket, which has a port, and is to be released
 *
 * For TIME_WAIT: to be undone by ferry_port_leave().
 *
 * Context: process or softirq, under the socket lock.
 * Return: what to tell ferry_port_leave().
 */
u8 ferry_port_hand_over(struct sock *sk)
{
	struct ferry_ports *ports = ferry_ports(sk);
	u8 share = ferry_port_share(sk);

	spin_lock_bh(&ports->lock);
	ferry_sk(sk)->bucket->users[share]++;
	spin_unlock_bh(&ports->lock);
	return share;
}

/**
 * ferry_port_leave() - a connection without a socket leaves its port
 * @fn: the namespace
 * @port: the port
 * @share: what ferry_port_hand_over() returned
 *
 * Context: process or softirq.
 */
void ferry_port_leave(struct ferry_net *fn, u32 port, u8 share)
{
	struct ferry_ports *ports = &fn->stream_ports;

	spin_lock_bh(&ports->lock);
	ferry_bucket_leave(ports, ferry_bucket_find(ports, port), share);
	spin_unlock_bh(&ports->lock);
}

/**
 * ferry_port_on_device() - whether a packet arrives on a device
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in
 * @ifindex: the device, or 0 for any
 *
 * What this host sends itself arrives on the loop, and counts as arriving where
 * its destination is, as IPv6 has it for link-local addresses.
 *
 * Context: any, under RCU.
 * Return: whether it does.
 */
bool ferry_port_on_device(struct ferry_net *fn, const struct sk_buff *skb,
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

static struct sock *ferry_port_best(struct ferry_net *fn,
				    struct ferry_ports *ports,
				    struct sk_buff *skb, int *score)
{
	struct sock *sk, *best = NULL;
	struct ferry_bucket *bucket;
	int s;

	*score = FERRY_SCORE_NONE;
	bucket = ferry_bucket_find(ports, ferry_skb_cb(skb)->pkt.dport);
	if (!bucket)
		return NULL;
	sk_for_each_rcu(sk, &bucket->socks) {
		if (sk->sk_type != SOCK_DGRAM &&
		    READ_ONCE(sk->sk_state) != TCP_LISTEN)
			continue;
		s = ferry_port_score(fn, sk, skb);
		if (s > *score) {
			*score = s;
			best = sk;
		}
	}
	return best;
}

static struct sock *ferry_port_find(struct ferry_net *fn,
				    struct ferry_ports *ports,
				    struct sk_buff *skb)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);
	struct sock *sk, *member;
	int score;
	u32 hash;

	sk = ferry_port_best(fn, ports, skb, &score);
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
 * ferry_port_lookup() - the datagram socket that a packet is for, be it an
 *	echo's answer
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
	return ferry_port_find(fn, ferry_skb_cb(skb)->pkt.kind ==
			       FERRY_KIND_ECHO_REPLY ? &fn->echo_ports :
						       &fn->dgram_ports, skb);
}

/**
 * ferry_port_listener() - the listener that a packet is for
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in
 *
 * Context: as ferry_port_lookup().
 * Return: the socket, or NULL.
 */
struct sock *ferry_port_listener(struct ferry_net *fn, struct sk_buff *skb)
{
	return ferry_port_find(fn, &fn->stream_ports, skb);
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

	sk = ferry_port_best(fn, &fn->dgram_ports, skb, &score);
	return score >= FERRY_SCORE_PEER ? sk : NULL;
}

/**
 * ferry_port_deliver_all() - give a packet to every socket that it fits
 * @fn: the namespace
 * @skb: the packet, for everyone or for a group; consumed
 * @hears: whether a socket is one of those
 * @deliver: what takes one packet for one socket
 *
 * Context: as ferry_port_lookup().
 * Return: true if there was one at least.
 */
bool ferry_port_deliver_all(struct ferry_net *fn, struct sk_buff *skb,
			    bool (*hears)(const struct sock *sk,
					  const struct sk_buff *skb),
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
		if (!ferry_port_score(fn, sk, skb) || !hears(sk, skb))
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
			       int ifindex, u64 addr, int err)
{
	const struct ferry_peer *peer = rcu_dereference(ferry_sk(sk)->peer);

	if (err != -EADDRNOTAVAIL &&
	    (READ_ONCE(sk->sk_bound_dev_if) == ifindex ||
	     (peer && peer->ifindex == ifindex)))
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
		if (!ferry_port_depends(fn, sk, ifindex, addr, err))
			continue;
		WRITE_ONCE(sk->sk_err, -err);
		sk_error_report(sk);
	}
}

static void ferry_ports_lost(struct ferry_net *fn, struct ferry_ports *ports,
			     int ifindex, u64 addr, int err)
{
	struct ferry_bucket *bucket;
	struct rhashtable_iter iter;

	rhashtable_walk_enter(&ports->buckets, &iter);
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
 * ferry_port_lost() - tell the sockets that depend on a device that it is lost
 * @fn: the namespace
 * @ifindex: the device
 * @addr: the device's address
 * @err: negative errno that their next call returns, once; -EADDRNOTAVAIL if only
 *	the address is lost
 *
 * Sockets that sleep are woken.
 *
 * Context: process, may sleep.
 */
void ferry_port_lost(struct ferry_net *fn, int ifindex, u64 addr, int err)
{
	ferry_ports_lost(fn, &fn->dgram_ports, ifindex, addr, err);
	ferry_ports_lost(fn, &fn->echo_ports, ifindex, addr, err);
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
	struct ferry_ports *all[] = {
		&fn->dgram_ports, &fn->echo_ports, &fn->stream_ports,
	};
	int i, err;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		spin_lock_init(&all[i]->lock);
		err = rhashtable_init(&all[i]->buckets, &ferry_bucket_params);
		if (err)
			goto undo;
	}
	return 0;

undo:
	while (i--)
		rhashtable_destroy(&all[i]->buckets);
	return err;
}

/**
 * ferry_port_net_exit() - undo ferry_port_net_init()
 * @fn: the namespace; no socket is left in it
 *
 * Context: process.
 */
void ferry_port_net_exit(struct ferry_net *fn)
{
	rhashtable_destroy(&fn->stream_ports.buckets);
	rhashtable_destroy(&fn->echo_ports.buckets);
	rhashtable_destroy(&fn->dgram_ports.buckets);
}
