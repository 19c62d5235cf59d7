// SPDX-License-Identifier: GPL-2.0-only
/*
 * Socket options of streams and records, at level SOL_FERRY. What they mean is in
 * the uapi header.
 */
#include <linux/net.h>

#include "info.h"
#include "stream.h"

#define FERRY_KEEPIDLE_MAX	32767
#define FERRY_KEEPINTVL_MAX	32767
#define FERRY_KEEPCNT_MAX	127
#define FERRY_SYNCNT_MAX	127
#define FERRY_LINGER2_MAX	120
#define FERRY_MAXSEG_MAX	65535

static u64 ferry_option_seconds(u32 seconds)
{
	return (u64)seconds * USEC_PER_SEC;
}

static const struct ferry_settings *ferry_option_settings(const struct sock *sk)
{
	return &ferry_net(sock_net(sk))->set;
}

static u32 ferry_option_keep_idle(const struct sock *sk)
{
	return ferry_stream(sk)->keep_idle ?:
	       READ_ONCE(ferry_option_settings(sk)->keepalive_time);
}

static u32 ferry_option_keep_interval(const struct sock *sk)
{
	return ferry_stream(sk)->keep_interval ?:
	       READ_ONCE(ferry_option_settings(sk)->keepalive_intvl);
}

static u8 ferry_option_keep_count(const struct sock *sk)
{
	return ferry_stream(sk)->keep_count ?:
	       READ_ONCE(ferry_option_settings(sk)->keepalive_probes);
}

/* Whether there is a connection that an option takes effect on at once. */
static bool ferry_option_live(const struct sock *sk)
{
	return sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN;
}

/**
 * ferry_option_keepalive() - SO_KEEPALIVE, or one of its parameters, is set
 * @sk: the socket
 * @on: whether keepalive is to be
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_option_keepalive(struct sock *sk, int on)
{
	u64 now = ferry_stream_now();

	if (!ferry_option_live(sk))
		return;
	ferry_conn_keepalive(&ferry_stream(sk)->conn, now,
			     on ? ferry_option_seconds(ferry_option_keep_idle(sk)) : 0,
			     ferry_option_seconds(ferry_option_keep_interval(sk)),
			     ferry_option_keep_count(sk));
	ferry_stream_arm(sk, now);
}

/**
 * ferry_option_linger2() - how long a closed socket stays in FIN_WAIT_2
 * @sk: the socket
 *
 * Context: any.
 * Return: microseconds; 0: not at all.
 */
u64 ferry_option_linger2(const struct sock *sk)
{
	int linger2 = ferry_stream(sk)->linger2;

	if (linger2 < 0)
		return 0;
	return ferry_option_seconds(linger2 ?:
		READ_ONCE(ferry_option_settings(sk)->fin_timeout));
}

/**
 * ferry_option_cong() - which congestion control a socket's connections begin with
 * @sk: the socket
 *
 * Context: any.
 * Return: FERRY_CONGESTION's, or the sysctl's.
 */
const struct ferry_cong_ops *ferry_option_cong(const struct sock *sk)
{
	u8 cong = READ_ONCE(ferry_stream(sk)->cong);

	return cong ? ferry_cong_get(cong - 1) :
		      READ_ONCE(ferry_option_settings(sk)->cong);
}

/**
 * ferry_option_apply() - what was set before there was a connection
 * @sk: the socket, its connection just born
 *
 * Context: process or softirq, under the socket lock.
 */
void ferry_option_apply(struct sock *sk)
{
	struct ferry_stream *fy = ferry_stream(sk);

	fy->conn.user_timeout = fy->user_timeout;
	if (fy->unhurried)
		fy->conn.quick = 0;
}

static int ferry_option_set_maxseg(struct sock *sk, int val)
{
	if (val && (val < (int)FERRY_MSS_MIN || val > FERRY_MAXSEG_MAX))
		return -EINVAL;
	/* A listener's is read by those who connect. */
	WRITE_ONCE(ferry_stream(sk)->user_mss, val);
	return 0;
}

static int ferry_option_get_maxseg(const struct sock *sk)
{
	const struct ferry_stream *fy = ferry_stream(sk);

	if (!ferry_option_live(sk) && fy->user_mss)
		return fy->user_mss;
	return fy->conn.mss;
}

static int ferry_option_set_notsent_lowat(struct sock *sk, u32 val)
{
	WRITE_ONCE(ferry_stream(sk)->notsent_lowat, val);
	/* There may be room now. */
	sk->sk_write_space(sk);
	return 0;
}

static int ferry_option_set_quickack(struct sock *sk, bool on)
{
	struct ferry_stream *fy = ferry_stream(sk);

	fy->unhurried = !on;
	if (ferry_option_live(sk)) {
		ferry_conn_quickack(&fy->conn, on);
		ferry_stream_push(sk, ferry_stream_now());
	}
	return 0;
}

/*
 * Seconds as the count of SYN-ACKs that takes as long, each waiting twice as long as
 * the one before, and back (as TCP).
 */
static u8 ferry_option_defer(int seconds)
{
	int wait = 1, all = 1;
	u8 count = 1;

	if (seconds <= 0)
		return 0;
	for (; seconds > all && count < U8_MAX; count++) {
		wait = min(2 * wait, (int)(FERRY_RTO_MAX / USEC_PER_SEC));
		all += wait;
	}
	return count;
}

static int ferry_option_defer_seconds(u8 count)
{
	int wait = 1, all = 0;

	for (; count; count--) {
		all += wait;
		wait = min(2 * wait, (int)(FERRY_RTO_MAX / USEC_PER_SEC));
	}
	return all;
}

static int ferry_option_get_quickack(const struct sock *sk)
{
	const struct ferry_stream *fy = ferry_stream(sk);

	return ferry_option_live(sk) ? !!fy->conn.quick : !fy->unhurried;
}

static int ferry_option_set_cork(struct sock *sk, int val)
{
	struct ferry_stream *fy = ferry_stream(sk);

	/* A record is not held back: it is whole. */
	if (ferry_stream_records(sk))
		return -EOPNOTSUPP;
	fy->corked = val;
	if (!val && ferry_option_live(sk)) {
		ferry_stream_uncork(sk);
		ferry_stream_push(sk, ferry_stream_now());
	}
	return 0;
}

static int ferry_option_set_inq(struct sock *sk, int val)
{
	if (ferry_stream_records(sk))
		return -EOPNOTSUPP;
	if (val < 0 || val > 1)
		return -EINVAL;
	ferry_stream(sk)->tell_inq = val;
	return 0;
}

static int ferry_option_set_keep(struct sock *sk, int option, int val)
{
	struct ferry_stream *fy = ferry_stream(sk);
	int most = option == FERRY_KEEPIDLE ? FERRY_KEEPIDLE_MAX :
		   option == FERRY_KEEPINTVL ? FERRY_KEEPINTVL_MAX :
					       FERRY_KEEPCNT_MAX;

	if (val < 1 || val > most)
		return -EINVAL;
	if (option == FERRY_KEEPIDLE)
		fy->keep_idle = val;
	else if (option == FERRY_KEEPINTVL)
		fy->keep_interval = val;
	else
		fy->keep_count = val;
	if (sock_flag(sk, SOCK_KEEPOPEN))
		ferry_option_keepalive(sk, 1);
	return 0;
}

static int ferry_option_set_zerocopy(struct sock *sk, int val)
{
	if (ferry_stream_records(sk))
		return -EOPNOTSUPP;
	return ferry_socket_set_zerocopy(sk, val);
}

static int ferry_option_set_int(struct sock *sk, int option, int val)
{
	struct ferry_stream *fy = ferry_stream(sk);

	switch (option) {
	case FERRY_CORK:
		return ferry_option_set_cork(sk, !!val);
	case FERRY_SYNCNT:
		if (val < 1 || val > FERRY_SYNCNT_MAX)
			return -EINVAL;
		fy->syn_retries = val;
		fy->conn.syn_retries = val;
		return 0;
	case FERRY_USER_TIMEOUT:
		if (val < 0)
			return -EINVAL;
		fy->user_timeout = val;
		ferry_option_apply(sk);
		return 0;
	case FERRY_KEEPIDLE:
	case FERRY_KEEPINTVL:
	case FERRY_KEEPCNT:
		return ferry_option_set_keep(sk, option, val);
	case FERRY_LINGER2:
		fy->linger2 = val < 0 ? -1 :
			      val > FERRY_LINGER2_MAX ? FERRY_LINGER2_MAX : val;
		return 0;
	case FERRY_MAXSEG:
		return ferry_option_set_maxseg(sk, val);
	case FERRY_NOTSENT_LOWAT:
		return ferry_option_set_notsent_lowat(sk, val);
	case FERRY_QUICKACK:
		return ferry_option_set_quickack(sk, val);
	case FERRY_DEFER_ACCEPT:
		/* Read by those who connect. */
		WRITE_ONCE(fy->defer_accept, ferry_option_defer(val));
		return 0;
	case FERRY_INQ:
		return ferry_option_set_inq(sk, val);
	case FERRY_ZEROCOPY:
		return ferry_option_set_zerocopy(sk, val);
	default:
		return -ENOPROTOOPT;
	}
}

static int ferry_option_set_congestion(struct sock *sk, sockptr_t optval,
				       unsigned int optlen)
{
	struct ferry_stream *fy = ferry_stream(sk);
	const struct ferry_cong_ops *cong;
	char name[FERRY_CONGESTION_LEN];
	long len;

	if (optlen < 1)
		return -EINVAL;
	len = strncpy_from_sockptr(name, optval,
				   min_t(unsigned int, sizeof(name) - 1, optlen));
	if (len < 0)
		return -EFAULT;
	name[len] = '\0';
	cong = ferry_cong_find(name);
	if (!cong)
		return -ENOENT;
	lock_sock(sk);
	/* A listener's is read by those who connect. */
	WRITE_ONCE(fy->cong, ferry_cong_index(cong) + 1);
	if (ferry_option_live(sk))
		ferry_conn_set_cong(&fy->conn, cong);
	release_sock(sk);
	return 0;
}

/**
 * ferry_option_set() - setsockopt(2)
 * @sock: the socket
 * @level: SOL_FERRY; others are as ferry_socket_setsockopt() has them
 * @option: FERRY_*
 * @optval: the value
 * @optlen: its length in bytes
 *
 * Context: process.
 * Return: 0; -ENOPROTOOPT for an option that does not exist, -EINVAL for a wrong
 * length or value, -EOPNOTSUPP for one that records do not have, -ENOENT,
 * -EFAULT.
 */
int ferry_option_set(struct socket *sock, int level, int option,
		     sockptr_t optval, unsigned int optlen)
{
	struct sock *sk = sock->sk;
	int val, err;

	if (level != SOL_FERRY || option == FERRY_REUSEPORT)
		return ferry_socket_setsockopt(sock, level, option, optval,
					       optlen);
	if (option == FERRY_CONGESTION)
		return ferry_option_set_congestion(sk, optval, optlen);
	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	lock_sock(sk);
	err = ferry_option_set_int(sk, option, val);
	release_sock(sk);
	return err;
}

static int ferry_option_get_int(const struct sock *sk, int option, int *val)
{
	const struct ferry_settings *set = ferry_option_settings(sk);
	const struct ferry_stream *fy = ferry_stream(sk);

	switch (option) {
	case FERRY_CORK:
		*val = fy->corked;
		return 0;
	case FERRY_SYNCNT:
		*val = fy->syn_retries ?: READ_ONCE(set->syn_retries);
		return 0;
	case FERRY_USER_TIMEOUT:
		*val = fy->user_timeout;
		return 0;
	case FERRY_KEEPIDLE:
		*val = ferry_option_keep_idle(sk);
		return 0;
	case FERRY_KEEPINTVL:
		*val = ferry_option_keep_interval(sk);
		return 0;
	case FERRY_KEEPCNT:
		*val = ferry_option_keep_count(sk);
		return 0;
	case FERRY_LINGER2:
		*val = fy->linger2 ?: READ_ONCE(set->fin_timeout);
		return 0;
	case FERRY_MAXSEG:
		*val = ferry_option_get_maxseg(sk);
		return 0;
	case FERRY_NOTSENT_LOWAT:
		*val = fy->notsent_lowat;
		return 0;
	case FERRY_QUICKACK:
		*val = ferry_option_get_quickack(sk);
		return 0;
	case FERRY_DEFER_ACCEPT:
		*val = ferry_option_defer_seconds(fy->defer_accept);
		return 0;
	case FERRY_INQ:
		*val = fy->tell_inq;
		return 0;
	case FERRY_ZEROCOPY:
		*val = sock_flag(sk, SOCK_ZEROCOPY);
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static void ferry_option_get_congestion(const struct sock *sk, char *name)
{
	strscpy_pad(name, ferry_option_cong(sk)->name, FERRY_CONGESTION_LEN);
}

/**
 * ferry_option_get() - getsockopt(2)
 * @sock: the socket
 * @level: SOL_FERRY; others are as ferry_socket_getsockopt() has them
 * @option: FERRY_*
 * @optval: where to store the value; cut to what fits
 * @optlen: its length in bytes, there and back
 *
 * Context: process.
 * Return: 0; -ENOPROTOOPT for an option that does not exist, -EINVAL for a
 * negative length, -EFAULT.
 */
int ferry_option_get(struct socket *sock, int level, int option,
		     char __user *optval, int __user *optlen)
{
	char name[FERRY_CONGESTION_LEN];
	struct sock *sk = sock->sk;
	const void *from = name;
	struct ferry_info info;
	int size = sizeof(name);
	int len, val, err = 0;

	if (level != SOL_FERRY || option == FERRY_REUSEPORT)
		return ferry_socket_getsockopt(sock, level, option, optval,
					       optlen);
	if (get_user(len, optlen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;

	lock_sock(sk);
	if (option == FERRY_CONGESTION) {
		ferry_option_get_congestion(sk, name);
	} else if (option == FERRY_INFO) {
		ferry_info_get(sk, &info);
		from = &info;
		size = sizeof(info);
	} else {
		err = ferry_option_get_int(sk, option, &val);
		from = &val;
		size = sizeof(val);
	}
	release_sock(sk);
	if (err)
		return err;
	len = min(len, size);
	if (put_user(len, optlen) || copy_to_user(optval, from, len))
		return -EFAULT;
	return 0;
}
