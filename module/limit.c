// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits: see limit.h.
 */
#include "limit.h"
#include "netns.h"
#include "socket.h"

/* As many as ICMP's global limit lets through (net.ipv4.icmp_msgs_per_sec). */
#define FERRY_LIMIT_PER_SECOND	1000

static const enum ferry_stat ferry_limit_stats[FERRY_LIMITS] = {
	[FERRY_LIMIT_UNREACH]	= FERRY_STAT_OUT_UNREACH_LIMIT,
	[FERRY_LIMIT_ECHO]	= FERRY_STAT_OUT_ECHO_LIMIT,
};

/**
 * ferry_limit_allows() - whether a stranger may be answered once more
 * @fn: the namespace
 * @limit: by what
 *
 * Counts those that may not.
 *
 * Context: any but hard irq.
 * Return: whether he may.
 */
bool ferry_limit_allows(struct ferry_net *fn, enum ferry_limit limit)
{
	bool allowed;

	/* Where two CPUs meet in it, __ratelimit() refuses one of them. */
	spin_lock_bh(&fn->limits_lock);
	allowed = __ratelimit(&fn->limits[limit]);
	spin_unlock_bh(&fn->limits_lock);
	if (allowed)
		return true;
	ferry_stats_inc(fn, ferry_limit_stats[limit]);
	return false;
}

/**
 * ferry_limit_allows_unreach() - whether the sender may hear that nobody is there
 * @fn: the namespace
 * @skb: the packet, its struct ferry_skb_cb filled in
 *
 * This host's own programs are no strangers, as ICMP has it on the loopback device.
 * No frame from outside comes here with an address of this host as its source.
 *
 * Context: softirq or process.
 * Return: whether he may.
 */
bool ferry_limit_allows_unreach(struct ferry_net *fn, const struct sk_buff *skb)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);

	return cb->saddr == cb->daddr ||
	       ferry_limit_allows(fn, FERRY_LIMIT_UNREACH);
}

/**
 * ferry_limit_net_init() - a namespace's limits
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0.
 */
int ferry_limit_net_init(struct ferry_net *fn)
{
	int i;

	spin_lock_init(&fn->limits_lock);
	for (i = 0; i < FERRY_LIMITS; i++) {
		ratelimit_state_init(&fn->limits[i], HZ, FERRY_LIMIT_PER_SECOND);
		/* The counter tells; the log need not. */
		ratelimit_set_flags(&fn->limits[i], RATELIMIT_MSG_ON_RELEASE);
	}
	return 0;
}
