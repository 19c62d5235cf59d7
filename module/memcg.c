// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory cgroups of accepted sockets.
 *
 * What socket(2) makes is charged to the cgroup of its caller: sk_alloc() sees to
 * that. The socket of a connection that comes is made in softirq, where there is
 * no caller, and sk_clone_lock() leaves it without a cgroup, for accept(2) to find
 * one (as TCP). What the core does that with, mem_cgroup_sk_alloc() and
 * mem_cgroup_charge_skmem(), no module can call; but a module can make a socket
 * and take from it what sk_alloc() gave.
 */
#include <linux/memcontrol.h>
#include <linux/slab.h>

#include "memcg.h"

/* Bytes that are charged to all streams for it, in whole pages. */
static int ferry_memcg_charged(const struct sock *sk)
{
	int bytes = sk->sk_forward_alloc + sk->sk_wmem_queued +
		    atomic_read(&sk->sk_rmem_alloc);

	return bytes > 0 ? sk_mem_pages(bytes) << PAGE_SHIFT : 0;
}

/*
 * Charge the cgroup for what the socket has already. That can be done only together
 * with what counts for all streams, which then gets its own back.
 */
static bool ferry_memcg_catch_up(struct sock *sk)
{
	struct mem_cgroup *memcg = sk->sk_memcg;
	int bytes = ferry_memcg_charged(sk);

	if (!memcg || !bytes)
		return true;
	if (!__sk_mem_schedule(sk, bytes, SK_MEM_RECV))
		return false;
	sk->sk_memcg = NULL;
	__sk_mem_reclaim(sk, bytes);
	sk->sk_memcg = memcg;
	return true;
}

/**
 * ferry_memcg_accept() - an accepted socket's memory is its accepter's
 * @sk: the socket, without a file yet
 *
 * If there is no memory for that, or the cgroup has none for what has arrived,
 * the socket stays without a cgroup: its buffers and net.ferry.mem bound it.
 *
 * Context: process, under the socket lock.
 */
void ferry_memcg_accept(struct sock *sk)
{
	struct sock *donor;

	if (!mem_cgroup_sockets_enabled)
		return;
	ferry_kmem_cache_charge(sk);
	donor = sk_alloc(sock_net(sk), sk->sk_family, GFP_KERNEL, sk->sk_prot, 0);
	if (!donor)
		return;
	swap(sk->sk_memcg, donor->sk_memcg);
	if (!ferry_memcg_catch_up(sk))
		swap(sk->sk_memcg, donor->sk_memcg);
	sk_free(donor);
}
