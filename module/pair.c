// SPDX-License-Identifier: GPL-2.0-only
/*
 * socketpair(2): two new sockets that are connected to one another.
 *
 * Each has a port of its own, which the kernel chooses, at the loop's address. What
 * is sent crosses the loop, or goes the short way, as between any two sockets of
 * one host; and whatever happens to them later is what happens to any two. Only how
 * a connection begins is different: nobody has to be asked for it, so its two
 * engines shake hands without the wire (ferry_conn_pair()).
 *
 * Nobody else has the sockets yet. But from when it has a port on, a packet may
 * find one.
 */
#include <linux/net.h>
#include <net/sock.h>

#include "addr.h"
#include "listen.h"
#include "netns.h"
#include "pair.h"
#include "socket.h"
#include "stream.h"

/* Locks both; the second is nested in the first, as an accepted one is. */
static void ferry_pair_lock(struct sock *one, struct sock *other)
{
	lock_sock(one);
	lock_sock_nested(other, SINGLE_DEPTH_NESTING);
}

static void ferry_pair_unlock(struct sock *one, struct sock *other)
{
	release_sock(other);
	release_sock(one);
}

/* The way to this host itself. Under RCU. */
static int ferry_pair_route(const struct sock *sk, struct ferry_path *path)
{
	return ferry_link_route(ferry_net(sock_net(sk)), FERRY_ADDR_ANY,
				FERRY_ADDR_ANY, 0, path);
}

/*
 * Datagrams
 */

/* Until it is known who may send to it, nobody may: no packet is from no address. */
static int ferry_pair_dgram_bind(struct sock *sk, u64 addr)
{
	int err;

	err = ferry_socket_set_peer(sk, FERRY_ADDR_ANY, 1, 0);
	if (err)
		return err;
	WRITE_ONCE(ferry_sk(sk)->saddr, addr);
	return ferry_socket_autobind(sk);
}

static int ferry_pair_dgram_connect(struct sock *sk, const struct sock *to)
{
	const struct ferry_sock *peer = ferry_sk(to);
	int err;

	err = ferry_socket_set_peer(sk, peer->saddr, peer->sport, 0);
	if (!err)
		sk->sk_state = TCP_ESTABLISHED;
	return err;
}

/**
 * ferry_pair_dgram() - socketpair(2) of datagram sockets
 * @one: a new socket
 * @other: another one
 *
 * If it fails, both are as good as to be closed, and no better.
 *
 * Context: process.
 * Return: 0; -EAGAIN if no port is free; -ENETDOWN if the loop is down; -EOPNOTSUPP
 * if they send echoes, which it is not sockets that answer; -ENOMEM, -EINTR.
 */
int ferry_pair_dgram(struct socket *one, struct socket *other)
{
	struct sock *a = one->sk, *b = other->sk;
	struct ferry_path path;
	int err;

	if (ferry_sk_is_echo(a))
		return -EOPNOTSUPP;
	rcu_read_lock();
	err = ferry_pair_route(a, &path);
	rcu_read_unlock();
	if (err)
		return err;
	ferry_pair_lock(a, b);
	err = ferry_pair_dgram_bind(a, path.saddr) ?:
	      ferry_pair_dgram_bind(b, path.saddr) ?:
	      ferry_pair_dgram_connect(a, b) ?:
	      ferry_pair_dgram_connect(b, a);
	ferry_pair_unlock(a, b);
	return err;
}

/*
 * Streams and records
 */

static int ferry_pair_take_port(struct sock *sk, u64 addr)
{
	WRITE_ONCE(ferry_sk(sk)->saddr, addr);
	return ferry_socket_autobind(sk);
}

/* Let segments from @to find @sk. */
static int ferry_pair_flow(struct sock *sk, const struct sock *to)
{
	struct ferry_stream *fy = ferry_stream(sk);

	fy->flow.key = (struct ferry_flow_key) {
		.laddr = fy->fs.saddr,
		.lport = fy->fs.sport,
		.raddr = ferry_sk(to)->saddr,
		.rport = ferry_sk(to)->sport,
	};
	ferry_stream_set_txhash(sk);
	return ferry_flow_insert(ferry_net(sock_net(sk)), &fy->flow);
}

static int ferry_pair_flows(struct sock *a, struct sock *b)
{
	struct ferry_flow *flow = &ferry_stream(a)->flow;
	int err;

	err = ferry_pair_flow(a, b);
	if (err)
		return err;
	err = ferry_pair_flow(b, a);
	if (err) {
		ferry_flow_remove(ferry_net(sock_net(a)), flow);
		flow->hashed = false;
	}
	return err;
}

/* What its connection is born with. */
static int ferry_pair_setup(const struct sock *sk, struct ferry_conn_setup *setup,
			    u64 *addr)
{
	struct ferry_path path;
	int err;

	rcu_read_lock();
	err = ferry_pair_route(sk, &path) ?:
	      ferry_stream_conn_setup(sk, setup, &path);
	if (!err)
		*addr = path.saddr;
	rcu_read_unlock();
	return err;
}

static void ferry_pair_begin(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct ferry_stream *fy = ferry_stream(sk);

	ferry_option_apply(sk);
	fy->read = fy->conn.rcv_nxt;
	ferry_stream_set_state(sk, fy->conn.state);
	sock->state = SS_CONNECTED;
}

static int ferry_pair_stream_locked(struct socket *one, struct socket *other)
{
	struct ferry_stream *a = ferry_stream(one->sk);
	struct ferry_stream *b = ferry_stream(other->sk);
	struct ferry_net *fn = ferry_net(sock_net(one->sk));
	struct ferry_conn_setup setup_a, setup_b;
	u64 addr, now = ferry_stream_now();
	int err;

	err = ferry_pair_setup(one->sk, &setup_a, &addr) ?:
	      ferry_pair_setup(other->sk, &setup_b, &addr) ?:
	      ferry_pair_take_port(one->sk, addr) ?:
	      ferry_pair_take_port(other->sk, addr) ?:
	      ferry_pair_flows(one->sk, other->sk);
	if (err)
		return err;
	setup_a.iss = ferry_listen_isn(&a->flow.key, now);
	setup_b.iss = ferry_listen_isn(&b->flow.key, now);
	ferry_conn_pair(&a->conn, &setup_a, &b->conn, &setup_b, now);
	ferry_pair_begin(one);
	ferry_pair_begin(other);
	ferry_stats_inc(fn, FERRY_STAT_ACTIVE_OPENS);
	ferry_stats_inc(fn, FERRY_STAT_PASSIVE_OPENS);
	return 0;
}

/**
 * ferry_pair_stream() - socketpair(2) of streams or records
 * @one: a new socket
 * @other: another one, of the same type
 *
 * If it fails, both are as good as to be closed, and no better.
 *
 * Context: process.
 * Return: 0; -EAGAIN if no port is free; -ENETDOWN if the loop is down, -EMSGSIZE
 * if it is too narrow; -ENOMEM, -EINTR.
 */
int ferry_pair_stream(struct socket *one, struct socket *other)
{
	int err;

	ferry_pair_lock(one->sk, other->sk);
	err = ferry_pair_stream_locked(one, other);
	ferry_pair_unlock(one->sk, other->sk);
	return err;
}
