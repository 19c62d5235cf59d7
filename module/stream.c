// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams and records: the calls. See stream.h. What they do, but for the address,
 * is what TCP's do; and a record socket's what AF_UNIX's do.
 */
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sockios.h>
#include <net/busy_poll.h>
#include <asm/ioctls.h>

#include "addr.h"
#include "input.h"
#include "linger.h"
#include "listen.h"
#include "output.h"
#include "pair.h"
#include "port.h"
#include "stream.h"

/* Memory of all streams, in pages: accounting and its limits. */
long ferry_stream_mem[3];
static unsigned long ferry_stream_memory_pressure;
static atomic_long_t ferry_stream_memory_allocated;
static DEFINE_PER_CPU(int, ferry_stream_memory_per_cpu_fw_alloc);
static struct percpu_counter ferry_stream_sockets_allocated;
static int ferry_stream_mem_min = PAGE_SIZE;
static struct kmem_cache *ferry_stream_out_cache;

/* Room to leave for the headers in a segment that the device cuts. */
#define FERRY_STREAM_HEADERS	SZ_256

/*
 * Within the host an ACK takes microseconds, and comes when all has been read: with
 * so many segments on their way, what is written is gathered. As many as TCP's
 * initial window has (RFC 6928), beyond which TCP gathers it, too.
 */
#define FERRY_STREAM_MERGE_AT	10

static void ferry_stream_enter_memory_pressure(struct sock *sk)
{
	WRITE_ONCE(ferry_stream_memory_pressure, 1);
}

static void ferry_stream_leave_memory_pressure(struct sock *sk)
{
	if (READ_ONCE(ferry_stream_memory_pressure))
		WRITE_ONCE(ferry_stream_memory_pressure, 0);
}

/*
 * The socket
 */

/**
 * ferry_stream_born() - what a new socket has of its own
 * @sk: the socket: zeroed, or a copy of its listener
 *
 * Context: process or softirq, under the socket lock, or before anybody has it.
 */
void ferry_stream_born(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);

	fy->fs.bucket = NULL;
	fy->fs.sport = FERRY_PORT_ANY;
	RCU_INIT_POINTER(fy->fs.peer, NULL);
	memset(&fy->flow, 0, sizeof(fy->flow));
	fy->flow.kind = FERRY_FLOW_STREAM;
	memset(&fy->conn, 0, sizeof(fy->conn));
	fy->conn.state = FERRY_CLOSED;
	fy->out = NULL;
	fy->ahead = RB_ROOT;
	fy->timer_at = 0;
	fy->held = 0;
	fy->unread = 0;
	fy->unended = 0;
	fy->records = 0;
	fy->read = 0;
	RCU_INIT_POINTER(fy->listener, NULL);
	INIT_HLIST_NODE(&sk->sk_bind_node);
	sk->tcp_rtx_queue = RB_ROOT;
	sk->sk_tsq_flags = 0;
	fy->sealed = false;
	fy->orphan = false;
	fy->destroyed = false;
	timer_setup(&sk->sk_timer, ferry_stream_timer, 0);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, 1);
}

/**
 * ferry_stream_prepare() - something is about to be sent
 * @sk: the socket, of which ferry_conn_may_send() is true
 * @gfp: how to find memory, if it takes any
 *
 * Context: process or softirq, under the socket lock.
 * Return: false if there is no memory.
 */
bool ferry_stream_prepare(struct sock *sk, gfp_t gfp)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_stream_out *out = fy->out;

	if (fy->conn.out)
		return true;
	if (!out) {
		out = kmem_cache_alloc(ferry_stream_out_cache, gfp);
		if (!out)
			return false;
		out->sk = sk;
		ferry_hrtimer_setup(&out->fine, ferry_stream_fine_timer,
				    CLOCK_MONOTONIC,
				    HRTIMER_MODE_REL_PINNED_SOFT);
		fy->out = out;
	}
	out->cork_at = 0;
	ferry_conn_prepare(&fy->conn, &out->conn);
	return true;
}

/* After the last reference and a grace period. Softirq or process. */
static void ferry_stream_destruct(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);

	if (fy->out)
		kmem_cache_free(ferry_stream_out_cache, fy->out);
	ferry_sock_destruct(sk);
}

/**
 * ferry_stream_setup() - a socket that socket(2) makes
 * @sk: the socket, zeroed but for what the core sets
 *
 * Context: process.
 */
void ferry_stream_setup(struct sock *sk)
{
	const struct ferry_net *fn = ferry_net(sock_net(sk));

	ferry_stream_born(sk);
	sk->sk_sndbuf = READ_ONCE(fn->set.wmem[1]);
	sk->sk_rcvbuf = READ_ONCE(fn->set.rmem[1]);
	sk->sk_destruct = ferry_stream_destruct;
	sk->sk_backlog_rcv = ferry_stream_do_rcv;
	sk->sk_write_space = ferry_stream_write_space;
	/* Write space is sk_wmem_queued's; copies on the wire do not count. */
	sock_set_flag(sk, SOCK_USE_WRITE_QUEUE);
	sk_sockets_allocated_inc(sk);
}

/* A record code: records of up to 2^code bytes. */
static u8 ferry_stream_code(const struct sock *sk)
{
	u32 rcvbuf = READ_ONCE(sk->sk_rcvbuf);

	if (!ferry_stream_records(sk))
		return FERRY_CODE_STREAM;
	return clamp_t(int, ilog2(rcvbuf), FERRY_CODE_RECORD_MIN,
		       FERRY_CODE_RECORD_MAX - 1);
}

/**
 * ferry_stream_conn_setup() - what a connection of a socket is born with
 * @sk: the socket, or the listener that it is of
 * @setup: where to store it; all but the initial number
 * @path: the way to the peer
 *
 * Context: any, under RCU.
 * Return: 0, or -EMSGSIZE if the device is too narrow.
 */
int ferry_stream_conn_setup(const struct sock *sk,
			    struct ferry_conn_setup *setup,
			    const struct ferry_path *path)
{
	u32 longest = max_t(u32, READ_ONCE(path->dev->gso_max_size),
			    FERRY_STREAM_HEADERS) - FERRY_STREAM_HEADERS;
	const struct ferry_net *fn = ferry_net(sock_net(sk));
	const struct ferry_stream *fy = ferry_stream(sk);
	u32 mtu = READ_ONCE(path->dev->mtu);
	u8 code = ferry_stream_code(sk);
	u32 mss, segs;

	if (mtu < FERRY_CONN_HLEN + FERRY_MSS_MIN)
		return -EMSGSIZE;
	mss = min_t(u32, mtu - FERRY_CONN_HLEN,
		    READ_ONCE(fy->user_mss) ?: U32_MAX);
	segs = min_t(u32, longest / mss, READ_ONCE(path->dev->gso_max_segs));
	*setup = (struct ferry_conn_setup) {
		.ops = &ferry_stream_conn_ops,
		.cong = ferry_option_cong(sk),
		.mss = mss,
		.batch = max_t(u32, segs, 1) * mss,
		.merge_at = path->own ? FERRY_STREAM_MERGE_AT : 0,
		.gather = path->own ? READ_ONCE(fn->set.gather_usecs) : 0,
		.room = ferry_stream_capacity(sk, code),
		.syn_retries = fy->syn_retries ?:
			       READ_ONCE(fn->set.syn_retries),
		.code = code,
	};
	return 0;
}

/**
 * ferry_stream_set_txhash() - the hash of a socket's flow, for its packets
 * @sk: the socket, its flow's key set
 *
 * Context: any, under the socket lock.
 */
void ferry_stream_set_txhash(struct sock *sk)
{
	const struct ferry_flow_key *key = &ferry_stream(sk)->flow.key;

	sk->sk_txhash = ferry_addr_flow_hash(key->laddr, key->lport, key->raddr,
					     key->rport, 0);
}

/*
 * connect(2)
 */

/* Take a port for the connection that the socket's flow says. */
static int ferry_stream_take_port(struct sock *sk, u32 port)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_stream *fy = ferry_stream(sk);
	int err;

	fy->flow.key.lport = port;
	err = ferry_flow_insert(fn, &fy->flow);
	if (err != -EADDRINUSE)
		return err;
	if (ferry_linger_take_over(fn, &fy->flow))
		return 0;
	/* What was there may have ended just now. */
	return ferry_flow_insert(fn, &fy->flow);
}

/*
 * A port that nobody has asked for is not the one that is connected to: who looks
 * whether a server is up yet would now and then find himself.
 */
static int ferry_stream_take_chosen_port(struct sock *sk, u32 port)
{
	const struct ferry_flow_key *key = &ferry_stream(sk)->flow.key;

	if (port == key->rport && key->laddr == key->raddr)
		return -EADDRINUSE;
	return ferry_stream_take_port(sk, port);
}

static u32 ferry_stream_port_seed(const struct ferry_flow_key *key)
{
	static u32 secret __read_mostly;

	net_get_random_once(&secret, sizeof(secret));
	return ferry_addr_flow_hash(key->laddr, 0, key->raddr, key->rport,
				    secret);
}

static int ferry_stream_choose_port(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);
	int err;

	if (!fy->fs.sport)
		return ferry_port_connect(sk,
					  ferry_stream_port_seed(&fy->flow.key),
					  ferry_stream_take_chosen_port);
	err = ferry_stream_take_port(sk, fy->fs.sport);
	if (err == -EADDRINUSE &&
	    ferry_stream_forget(ferry_net(sock_net(sk)), &fy->flow.key))
		err = ferry_stream_take_port(sk, fy->fs.sport);
	return err == -EADDRINUSE ? -EADDRNOTAVAIL : err;
}

/* The way to a peer, and what a connection over it is born with. */
static int ferry_stream_route(struct sock *sk, const struct sockaddr_ferry *sfy,
			      struct ferry_path *path,
			      struct ferry_conn_setup *setup)
{
	int dev = sk->sk_bound_dev_if;
	int err;

	if (sfy->sfy_port == FERRY_PORT_ANY ||
	    (dev && sfy->sfy_ifindex && dev != sfy->sfy_ifindex))
		return -EINVAL;
	if (ferry_addr_is_multicast(ferry_socket_addr(sfy)))
		return -ENETUNREACH;
	rcu_read_lock();
	err = ferry_link_route(ferry_net(sock_net(sk)), ferry_sk(sk)->saddr,
			       ferry_socket_addr(sfy), sfy->sfy_ifindex ?: dev,
			       path);
	if (!err)
		err = ferry_stream_conn_setup(sk, setup, path);
	rcu_read_unlock();
	return err;
}

static int ferry_stream_connect_start(struct sock *sk,
				      const struct sockaddr_ferry *sfy)
{
	struct ferry_stream *fy = ferry_stream(sk);
	struct ferry_conn_setup setup;
	struct ferry_path path;
	u64 now;
	int err;

	err = ferry_stream_route(sk, sfy, &path, &setup);
	if (err)
		return err;
	fy->flow.key.laddr = path.saddr;
	fy->flow.key.raddr = path.daddr;
	fy->flow.key.rport = sfy->sfy_port;
	fy->flow.ifindex = sfy->sfy_ifindex ?: sk->sk_bound_dev_if;
	err = ferry_stream_choose_port(sk);
	if (err) {
		memset(&fy->flow.key, 0, sizeof(fy->flow.key));
		return err;
	}
	WRITE_ONCE(fy->fs.saddr, path.saddr);
	ferry_stream_set_txhash(sk);

	/* How a connection before it ended is nothing to this one. */
	WRITE_ONCE(sk->sk_err, 0);
	WRITE_ONCE(sk->sk_err_soft, 0);
	now = ferry_stream_now();
	setup.iss = ferry_listen_isn(&fy->flow.key, now);
	ferry_conn_connect(&fy->conn, &setup, now);
	ferry_option_apply(sk);
	ferry_stats_inc(ferry_net(sock_net(sk)), FERRY_STAT_ACTIVE_OPENS);
	ferry_stream_set_state(sk, TCP_SYN_SENT);
	ferry_stream_push(sk, now);
	return 0;
}

/* As if it had never been connected. Process, under the socket lock. */
static void ferry_stream_disconnect(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);

	if (sk->sk_state == TCP_LISTEN) {
		ferry_listen_stop(sk);
	} else if (sk->sk_state != TCP_CLOSE) {
		ferry_conn_dissolve(&fy->conn);
		ferry_stream_push(sk, ferry_stream_now());
	}
	__skb_queue_purge(&sk->sk_receive_queue);
	fy->unread = 0;
	fy->unended = 0;
	fy->records = 0;
	fy->held = 0;
	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
		sk->sk_frag.offset = 0;
	}
	if (!(sk->sk_userlocks & SOCK_BINDPORT_LOCK))
		ferry_port_release(sk);
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		WRITE_ONCE(fy->fs.saddr, FERRY_ADDR_ANY);
	memset(&fy->flow.key, 0, sizeof(fy->flow.key));
	WRITE_ONCE(sk->sk_shutdown, 0);
	sock_reset_flag(sk, SOCK_DONE);
	fy->sealed = false;
	/* Whoever sleeps in a call of it has nothing to wait for. */
	sk_error_report(sk);
}

static long ferry_stream_wait_connect(struct sock *sk, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	add_wait_queue(sk_sleep(sk), &wait);
	while ((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV)) {
		release_sock(sk);
		timeo = wait_woken(&wait, TASK_INTERRUPTIBLE, timeo);
		lock_sock(sk);
		if (signal_pending(current) || !timeo)
			break;
	}
	remove_wait_queue(sk_sleep(sk), &wait);
	return timeo;
}

/* The handshake has begun: wait for its end, if asked for. */
static int ferry_stream_connect_finish(struct socket *sock, int flags, int err)
{
	struct sock *sk = sock->sk;
	long timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
	int disconnects = sk->sk_disconnects;

	if ((1 << sk->sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV)) {
		if (!timeo)
			return err;
		timeo = ferry_stream_wait_connect(sk, timeo);
		if (!timeo)
			return err;
		if (signal_pending(current))
			return sock_intr_errno(timeo);
		/* Another thread has dissolved it: the error is not ours. */
		if (disconnects != sk->sk_disconnects)
			return -EPIPE;
	}
	/* It may have been established, and be over by now. */
	if (sk->sk_state == TCP_CLOSE) {
		err = sock_error(sk) ?: -ECONNABORTED;
		sock->state = SS_UNCONNECTED;
		sk->sk_disconnects++;
		ferry_stream_disconnect(sk);
		return err;
	}
	sock->state = SS_CONNECTED;
	return 0;
}

static int ferry_stream_connect_locked(struct socket *sock,
				       ferry_sockaddr *addr, int len, int flags)
{
	struct sock *sk = sock->sk;
	struct sockaddr_ferry sfy;
	int err;

	switch (sock->state) {
	case SS_UNCONNECTED:
		/* As AF_UNIX has it of a listener, and TCP. */
		if (sk->sk_state != TCP_CLOSE)
			return ferry_stream_records(sk) ? -EINVAL : -EISCONN;
		/* As with TCP, only one that is needed can be wrong. */
		err = ferry_socket_parse(addr, len, &sfy);
		if (err)
			return err;
		err = ferry_stream_connect_start(sk, &sfy);
		if (err)
			return err;
		sock->state = SS_CONNECTING;
		return ferry_stream_connect_finish(sock, flags, -EINPROGRESS);
	case SS_CONNECTING:
		return ferry_stream_connect_finish(sock, flags, -EALREADY);
	case SS_CONNECTED:
		return -EISCONN;
	default:
		return -EINVAL;
	}
}

static int ferry_stream_connect(struct socket *sock, ferry_sockaddr *addr,
				int len, int flags)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (len < (int)sizeof(addr->sa_family))
		return -EINVAL;

	lock_sock(sk);
	if (addr->sa_family == AF_UNSPEC) {
		sk->sk_disconnects++;
		ferry_stream_disconnect(sk);
		sock->state = SS_UNCONNECTED;
	} else {
		err = ferry_stream_connect_locked(sock, addr, len, flags);
	}
	release_sock(sk);
	return err;
}

/*
 * The end
 */

/* Send what there is, and then a FIN. */
static void ferry_stream_finish(struct sock *sk)
{
	ferry_stream_queue_fin(sk, GFP_KERNEL | __GFP_NOFAIL);
	ferry_stream_set_state(sk, ferry_stream(sk)->conn.state);
	ferry_stream_push(sk, ferry_stream_now());
}

static int ferry_stream_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	/* SHUT_RD is 0, RCV_SHUTDOWN is 1. */
	how++;

	lock_sock(sk);
	if (sock->state == SS_CONNECTING) {
		if ((1 << sk->sk_state) &
		    (TCPF_SYN_SENT | TCPF_SYN_RECV | TCPF_CLOSE))
			sock->state = SS_DISCONNECTING;
		else
			sock->state = SS_CONNECTED;
	}
	switch (sk->sk_state) {
	case TCP_CLOSE:
		/* It fails, and who sleeps is woken. AF_UNIX's never fails. */
		err = ferry_stream_records(sk) ? 0 : -ENOTCONN;
		fallthrough;
	default:
		WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | how);
		if (how & RCV_SHUTDOWN)
			ferry_conn_deafen(&ferry_stream(sk)->conn);
		if (how & SEND_SHUTDOWN &&
		    ferry_conn_may_send(&ferry_stream(sk)->conn))
			ferry_stream_finish(sk);
		break;
	case TCP_LISTEN:
		if (!(how & RCV_SHUTDOWN))
			break;
		fallthrough;
	case TCP_SYN_SENT:
		ferry_stream_disconnect(sk);
		sock->state = SS_UNCONNECTED;
		break;
	}
	sk->sk_state_change(sk);
	release_sock(sk);
	return err;
}

static bool ferry_stream_closing(const struct sock *sk)
{
	return (1 << READ_ONCE(sk->sk_state)) &
	       (TCPF_FIN_WAIT1 | TCPF_CLOSING | TCPF_LAST_ACK);
}

/* SO_LINGER: until the peer has all there is, and knows that there is no more. */
static void ferry_stream_wait_close(struct sock *sk, long timeo)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	if (!timeo)
		return;
	add_wait_queue(sk_sleep(sk), &wait);
	while (timeo && !signal_pending(current))
		if (sk_wait_event(sk, &timeo, !ferry_stream_closing(sk), &wait))
			break;
	remove_wait_queue(sk_sleep(sk), &wait);
}

/* close(2) was called: begin the end of the connection, and perhaps wait for it. */
static void ferry_stream_close(struct sock *sk, long timeo)
{
	struct ferry_stream *fy = ferry_stream(sk);

	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	if (sk->sk_state == TCP_CLOSE)
		return;
	if (sk->sk_state == TCP_LISTEN) {
		ferry_listen_stop(sk);
		return;
	}
	if (!skb_queue_empty(&sk->sk_receive_queue)) {
		/* RFC 2525, 2.17: what was not read is not to be taken for so. */
		ferry_stream_abort(sk);
	} else if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime) {
		ferry_stream_abort(sk);
	} else if (ferry_conn_may_send(&fy->conn)) {
		ferry_stream_finish(sk);
	} else if (sk->sk_state == TCP_SYN_SENT ||
		   sk->sk_state == TCP_SYN_RECV) {
		ferry_stream_abort(sk);
	}
	ferry_stream_wait_close(sk, timeo);
}

/* The socket has lost its file; its connection goes on without it, for a while. */
static void ferry_stream_orphan(struct sock *sk)
{
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_stream *fy = ferry_stream(sk);
	u64 linger2 = ferry_option_linger2(sk);
	u64 now = ferry_stream_now();

	fy->orphan = true;
	if (atomic_inc_return(&fn->orphans) > READ_ONCE(fn->set.max_orphans)) {
		ferry_stats_inc(fn, FERRY_STAT_ORPHAN_OVERFLOWS);
		ferry_stream_abort(sk);
		return;
	}
	if (!linger2 && sk->sk_state == TCP_FIN_WAIT2) {
		ferry_stream_abort(sk);
		return;
	}
	/* 0 is not known to the engine: as short as can be. */
	ferry_conn_orphan(&fy->conn, now, linger2 ?: 1);
	ferry_stream_arm(sk, now);
}

static int ferry_stream_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	long timeo = 0;

	if (!sk)
		return 0;
	if (sock_flag(sk, SOCK_LINGER) && !(current->flags & PF_EXITING))
		timeo = sk->sk_lingertime;

	sock_hold(sk);
	lock_sock(sk);
	ferry_stream_close(sk, timeo);
	sock_orphan(sk);
	sock->sk = NULL;
	if (sk->sk_state == TCP_CLOSE)
		ferry_stream_destroy(sk);
	else
		ferry_stream_orphan(sk);
	release_sock(sk);
	sock_put(sk);
	return 0;
}

/*
 * The other calls
 */

static __poll_t ferry_stream_poll_connected(struct sock *sk, u8 shutdown)
{
	__poll_t out = EPOLLOUT | EPOLLWRNORM;
	__poll_t mask = 0;

	/* As AF_UNIX has it. */
	if (ferry_stream_records(sk))
		out |= EPOLLWRBAND;
	if (ferry_stream_ready(sk))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (shutdown & SEND_SHUTDOWN)
		return mask | out;
	if (!__sk_stream_is_writeable(sk, 1)) {
		sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		/* Pairs with the one in the wake-up: it sees us, or we it. */
		smp_mb__after_atomic();
		if (!__sk_stream_is_writeable(sk, 1))
			return mask;
	}
	return mask | out;
}

/* There is an error, or something on the error queue. As AF_UNIX and TCP have it. */
static __poll_t ferry_stream_poll_error(const struct sock *sk)
{
	if (ferry_stream_records(sk) && sock_flag(sk, SOCK_SELECT_ERR_QUEUE))
		return EPOLLERR | EPOLLPRI;
	return EPOLLERR;
}

static __poll_t ferry_stream_poll(struct file *file, struct socket *sock,
				  poll_table *wait)
{
	struct sock *sk = sock->sk;
	__poll_t mask = 0;
	u8 shutdown;
	int state;

	sock_poll_wait(file, sock, wait);
	/* Pairs with ferry_stream_set_state(). */
	state = smp_load_acquire(&sk->sk_state);
	if (state == TCP_LISTEN)
		return (ferry_listen_ready(sk) ? EPOLLIN | EPOLLRDNORM : 0) |
		       (READ_ONCE(sk->sk_err) ? EPOLLERR : 0);

	shutdown = READ_ONCE(sk->sk_shutdown);
	if (shutdown == SHUTDOWN_MASK || state == TCP_CLOSE)
		mask |= EPOLLHUP;
	if (shutdown & RCV_SHUTDOWN)
		mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (state != TCP_SYN_SENT && state != TCP_SYN_RECV)
		mask |= ferry_stream_poll_connected(sk, shutdown);
	/* After what was set before it. */
	smp_rmb();
	if (READ_ONCE(sk->sk_err) ||
	    !skb_queue_empty_lockless(&sk->sk_error_queue))
		mask |= ferry_stream_poll_error(sk);
	return mask;
}

/*
 * Whether a socket has a peer to name, or had: as with AF_UNIX, the end of a connection
 * does not take the name away from a record socket, and as with TCP, it does from a
 * stream, but for SO_PEERNAME (@peer is 2), which names whoever it was or will be.
 */
static bool ferry_stream_has_peer(const struct sock *sk, int peer)
{
	const struct ferry_stream *fy = ferry_stream(sk);

	if (!fy->flow.key.rport)
		return false;
	if (peer == 2 && !ferry_stream_records(sk))
		return true;
	if (sk->sk_state == TCP_SYN_SENT)
		return false;
	if (sk->sk_state != TCP_CLOSE)
		return true;
	/* One that was refused has heard no number of the peer's. */
	return ferry_stream_records(sk) && fy->conn.rcv_nxt;
}

static int ferry_stream_getname(struct socket *sock, struct sockaddr *addr,
				int peer)
{
	struct sockaddr_ferry *sfy = (struct sockaddr_ferry *)addr;
	struct sock *sk = sock->sk;
	struct ferry_stream *fy = ferry_stream(sk);
	const struct ferry_flow_key *key = &fy->flow.key;
	int ret = sizeof(*sfy);

	lock_sock(sk);
	if (!peer)
		ferry_socket_name(sfy, fy->fs.saddr, fy->fs.sport ?: key->lport,
				  sk->sk_bound_dev_if);
	else if (ferry_stream_has_peer(sk, peer))
		ferry_socket_name(sfy, key->raddr, key->rport,
				  fy->flow.ifindex);
	else
		ret = -ENOTCONN;
	release_sock(sk);
	return ret;
}

/*
 * SIOCINQ is what can be read, SIOCOUTQ what is not acknowledged, and never will be
 * if the connection is over.
 */
static int ferry_stream_amount(struct sock *sk, int cmd, int *answer)
{
	struct ferry_stream *fy = ferry_stream(sk);
	u64 amount = 0;
	int err = 0;

	if (cmd != SIOCINQ && cmd != SIOCOUTQ && cmd != SIOCOUTQNSD)
		return -ENOIOCTLCMD;
	lock_sock(sk);
	if (sk->sk_state == TCP_LISTEN)
		err = -EINVAL;
	else if (cmd == SIOCINQ)
		amount = ferry_stream_inq(sk);
	else if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV ||
		 sk->sk_socket->state == SS_UNCONNECTED)
		amount = 0;
	else if (cmd == SIOCOUTQ)
		amount = fy->conn.snd_end - fy->conn.snd_una + fy->held;
	else
		amount = fy->conn.snd_end - fy->conn.snd_nxt + fy->held;
	release_sock(sk);
	*answer = min_t(u64, amount, INT_MAX);
	return err;
}

static int ferry_stream_ioctl(struct socket *sock, unsigned int cmd,
			      unsigned long arg)
{
	int amount, err = ferry_stream_amount(sock->sk, cmd, &amount);

	return err ?: put_user(amount, (int __user *)arg);
}

static int ferry_stream_accept(struct socket *sock, struct socket *newsock,
			       FERRY_ACCEPT_ARGS)
{
	return ferry_listen_accept(sock, newsock, FERRY_ACCEPT_FLAGS,
				   FERRY_ACCEPT_EMPTY);
}

static int ferry_stream_set_rcvlowat(struct sock *sk, int val)
{
	const struct ferry_net *fn = ferry_net(sock_net(sk));
	int most;

	/* A record is enough, however short. */
	if (ferry_stream_records(sk)) {
		WRITE_ONCE(sk->sk_rcvlowat, val ?: 1);
		return 0;
	}
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		most = READ_ONCE(sk->sk_rcvbuf) / 2;
	else
		most = READ_ONCE(fn->set.rmem[2]) / 2;
	val = min(val, most);
	WRITE_ONCE(sk->sk_rcvlowat, val ?: 1);
	/* So much must fit. */
	if (!(sk->sk_userlocks & SOCK_RCVBUF_LOCK) &&
	    val > READ_ONCE(sk->sk_rcvbuf) / 2) {
		WRITE_ONCE(sk->sk_rcvbuf, 2 * val);
		if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN)
			ferry_stream_offer(sk);
	}
	if (ferry_stream_ready(sk))
		sk->sk_data_ready(sk);
	return 0;
}

/* sk_stream_memory_free(): is less unsent than FERRY_NOTSENT_LOWAT says? */
static bool ferry_stream_memory_free(const struct sock *sk, int wake)
{
	const struct ferry_stream *fy = ferry_stream(sk);
	u32 lowat = READ_ONCE(fy->notsent_lowat);
	u64 sent, unsent;

	if (likely(!lowat))
		return true;
	/* Poll has no lock. In this order the difference cannot be negative. */
	sent = READ_ONCE(fy->conn.snd_nxt);
	smp_rmb(); /* what was queued is read after what was sent */
	unsent = READ_ONCE(fy->conn.snd_end) - sent + READ_ONCE(fy->held);
	return unsent << wake < lowat;
}

struct proto ferry_stream_prot = {
	.name			= "FERRY-STREAM",
	.owner			= THIS_MODULE,
	.obj_size		= sizeof(struct ferry_stream),
	FERRY_PROTO_IOCTL(ferry_stream_amount)
	.release_cb		= ferry_stream_release_cb,
	.keepalive		= ferry_option_keepalive,
	.stream_memory_free	= ferry_stream_memory_free,
	.enter_memory_pressure	= ferry_stream_enter_memory_pressure,
	.leave_memory_pressure	= ferry_stream_leave_memory_pressure,
	.memory_pressure	= &ferry_stream_memory_pressure,
	.memory_allocated	= &ferry_stream_memory_allocated,
	.per_cpu_fw_alloc	= &ferry_stream_memory_per_cpu_fw_alloc,
	.sockets_allocated	= &ferry_stream_sockets_allocated,
	.sysctl_mem		= ferry_stream_mem,
	.sysctl_wmem		= &ferry_stream_mem_min,
	.sysctl_rmem		= &ferry_stream_mem_min,
};

/* SIOCGSTAMP and its like: AF_UNIX has none of them. */
static int ferry_stream_gettstamp(struct socket *sock, void __user *stamp,
				  bool timeval, bool time32)
{
	if (ferry_stream_records(sock->sk))
		return -ENOTTY;
	return sock_gettstamp(sock, stamp, timeval, time32);
}

const struct proto_ops ferry_stream_ops = {
	.family		= PF_FERRY,
	.owner		= THIS_MODULE,
	.release	= ferry_stream_release,
	.bind		= ferry_socket_bind,
	.connect	= ferry_stream_connect,
	.socketpair	= ferry_pair_stream,
	.accept		= ferry_stream_accept,
	.getname	= ferry_stream_getname,
	.poll		= ferry_stream_poll,
	.ioctl		= ferry_stream_ioctl,
	.gettstamp	= ferry_stream_gettstamp,
	.listen		= ferry_listen_listen,
	.shutdown	= ferry_stream_shutdown,
	.setsockopt	= ferry_option_set,
	.getsockopt	= ferry_option_get,
	.sendmsg	= ferry_stream_sendmsg,
	.recvmsg	= ferry_stream_recvmsg,
	.splice_read	= ferry_stream_splice_read,
	FERRY_SPLICE_OPS(ferry_stream_splice_eof)
	.mmap		= sock_no_mmap,
	.set_peek_off	= sk_set_peek_off,
	.set_rcvlowat	= ferry_stream_set_rcvlowat,
};

/* As TCP: a sixteenth of what is free in wait, and stop at half as much again. */
static void ferry_stream_mem_init(void)
{
	unsigned long limit = max(nr_free_buffer_pages() / 16, 128UL);

	ferry_stream_mem[0] = limit / 4 * 3;
	ferry_stream_mem[1] = limit;
	ferry_stream_mem[2] = ferry_stream_mem[0] * 2;
}

/**
 * ferry_stream_init() - offer streams and records
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_stream_init(void)
{
	static const enum ferry_kind kinds[] = {
		FERRY_KIND_SYN, FERRY_KIND_SYNACK, FERRY_KIND_DATA,
		FERRY_KIND_RST,
	};
	int i, err;

	BUILD_BUG_ON(sizeof(struct ferry_outgoing) >
		     sizeof_field(struct sk_buff, cb));
	sock_skb_cb_check_size(sizeof(struct ferry_queued));

	ferry_stream_mem_init();
	ferry_stream_out_cache = KMEM_CACHE(ferry_stream_out, SLAB_ACCOUNT);
	if (!ferry_stream_out_cache)
		return -ENOMEM;
	err = percpu_counter_init(&ferry_stream_sockets_allocated, 0,
				  GFP_KERNEL);
	if (err)
		goto destroy_cache;
	err = proto_register(&ferry_stream_prot, 1);
	if (err)
		goto destroy_counter;
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		ferry_input_register(kinds[i], ferry_stream_rcv);
	return 0;

destroy_counter:
	percpu_counter_destroy(&ferry_stream_sockets_allocated);
destroy_cache:
	kmem_cache_destroy(ferry_stream_out_cache);
	return err;
}

/**
 * ferry_stream_exit() - undo ferry_stream_init()
 *
 * Context: process.
 */
void ferry_stream_exit(void)
{
	proto_unregister(&ferry_stream_prot);
	percpu_counter_destroy(&ferry_stream_sockets_allocated);
	kmem_cache_destroy(ferry_stream_out_cache);
}
