// SPDX-License-Identifier: GPL-2.0-only
/*
 * FERRY_INFO: a connection, for who wants to look at it. What each field means is in
 * the uapi header.
 */
#include <linux/net.h>

#include "info.h"
#include "short.h"
#include "stream.h"

/* The device, and whether the short way is open. */
static void ferry_info_way(const struct sock *sk, struct ferry_info *info)
{
	const struct ferry_flow *flow = &ferry_stream(sk)->flow;
	struct ferry_net *fn = ferry_net(sock_net(sk));
	struct ferry_path path;

	if (!flow->key.rport)
		return;
	rcu_read_lock();
	if (!ferry_link_route(fn, flow->key.laddr, flow->key.raddr,
			      flow->ifindex, &path)) {
		info->fyi_pmtu = READ_ONCE(path.dev->mtu);
		if (ferry_short_open(fn, &path))
			info->fyi_flags |= FERRY_INFO_SHORT_WAY;
	}
	rcu_read_unlock();
}

static void ferry_info_times(const struct ferry_conn *conn,
			     struct ferry_info *info)
{
	u64 now = ferry_stream_now();
	struct ferry_rtt rtt;
	u32 min_rtt;

	ferry_conn_rtt(conn, &rtt);
	min_rtt = ferry_rtt_min_get(&rtt);
	info->fyi_rto = ferry_rtt_rto(&rtt);
	info->fyi_backoff = rtt.backoff;
	info->fyi_rtt = ferry_rtt_smoothed(&rtt);
	info->fyi_rttvar = rtt.rttvar >> 2;
	info->fyi_min_rtt = min_rtt == FERRY_RTT_NONE ? 0 : min_rtt;
	info->fyi_last_heard = div_u64(now - conn->heard_at, USEC_PER_MSEC);
}

static void ferry_info_windows(const struct ferry_conn *conn,
			       struct ferry_info *info)
{
	info->fyi_snd_mss = conn->mss;
	info->fyi_rcv_mss = conn->rcv_seg;
	info->fyi_adv_mss = conn->rcv_mss;
	info->fyi_snd_cwnd = ferry_conn_cwnd(conn);
	info->fyi_snd_ssthresh = FERRY_CONG_CWND_MAX;
	if (conn->snd_edge > conn->snd_una)
		info->fyi_snd_wnd = conn->snd_edge - conn->snd_una;
	info->fyi_rcv_wnd = ferry_rwnd_current(&conn->rwnd, conn->rcv_nxt);
	info->fyi_rcv_space = conn->capacity;
}

static void ferry_info_queues(const struct ferry_stream *fy,
			      struct ferry_info *info)
{
	const struct ferry_conn *conn = &fy->conn;

	info->fyi_unacked = conn->snd_nxt - conn->snd_una;
	info->fyi_notsent = conn->snd_end - conn->snd_nxt + fy->held;
	info->fyi_unread = fy->unread;
	info->fyi_ahead = conn->ahead.count;
}

static void ferry_info_counts(const struct ferry_conn *conn,
			      struct ferry_info *info)
{
	info->fyi_segs_out = conn->count.segs_out;
	info->fyi_segs_in = conn->count.segs_in;
	info->fyi_data_segs_in = conn->count.data_in;
	/* The SYN has a number, too. */
	if (conn->rcv_nxt > conn->irs)
		info->fyi_bytes_received = conn->rcv_nxt - conn->irs - 1;
}

/* What is told of those only that have sent something. */
static void ferry_info_out(const struct ferry_conn *conn,
			   struct ferry_info *info)
{
	const struct ferry_conn_out *out = conn->out;
	const struct ferry_conn_out_count *count = &out->count;
	u64 now = ferry_stream_now();

	info->fyi_cong_state = out->cong.state;
	info->fyi_snd_ssthresh = out->cong.ssthresh;
	if (out->cong.sent_at)
		info->fyi_last_sent = div_u64(now - out->cong.sent_at,
					      USEC_PER_MSEC);
	info->fyi_in_flight = out->flight;
	info->fyi_lost = out->lost;
	info->fyi_sacked = out->sacked;
	info->fyi_data_segs_out = count->data;
	info->fyi_retrans = count->again;
	info->fyi_bytes_sent = count->bytes;
	info->fyi_bytes_retrans = count->bytes_again;
	if (conn->snd_una > count->iss)
		info->fyi_bytes_acked = conn->snd_una - count->iss - 1;
	info->fyi_delivery_rate = count->rate;
}

/**
 * ferry_info_get() - FERRY_INFO
 * @sk: the socket
 * @info: where to store it
 *
 * Of a connection that is over, it is what it was at its end.
 *
 * Context: process, under the socket lock.
 */
void ferry_info_get(const struct sock *sk, struct ferry_info *info)
{
	const struct ferry_stream *fy = ferry_stream(sk);

	BUILD_BUG_ON((int)FERRY_INFO_OPEN != FERRY_CONG_OPEN);
	BUILD_BUG_ON((int)FERRY_INFO_RECOVERY != FERRY_CONG_RECOVERY);
	BUILD_BUG_ON((int)FERRY_INFO_LOSS != FERRY_CONG_LOSS);
	BUILD_BUG_ON(offsetofend(struct ferry_info, fyi_delivery_rate) !=
		     sizeof(struct ferry_info));

	memset(info, 0, sizeof(*info));
	info->fyi_state = sk->sk_state;
	if (ferry_stream_records(sk))
		info->fyi_flags |= FERRY_INFO_RECORDS;
	if (sk->sk_state == TCP_LISTEN) {
		info->fyi_unacked = READ_ONCE(sk->sk_ack_backlog);
		info->fyi_sacked = READ_ONCE(sk->sk_max_ack_backlog);
		return;
	}
	/* It was never more than a socket. */
	if (!fy->conn.ops)
		return;
	info->fyi_probes = fy->conn.probes;
	if (fy->conn.passive)
		info->fyi_flags |= FERRY_INFO_PASSIVE;
	ferry_info_way(sk, info);
	ferry_info_times(&fy->conn, info);
	ferry_info_windows(&fy->conn, info);
	ferry_info_queues(fy, info);
	ferry_info_counts(&fy->conn, info);
	if (fy->conn.out)
		ferry_info_out(&fy->conn, info);
}
