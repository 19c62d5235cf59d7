/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits: how often in a second strangers are answered.
 */
#ifndef _FERRY_LIMIT_H
#define _FERRY_LIMIT_H

#include <linux/ratelimit.h>
#include <linux/types.h>

struct ferry_net;
struct sk_buff;

/**
 * enum ferry_limit - what is limited, each for itself
 *
 * @FERRY_LIMIT_UNREACH: unreachables, and RSTs of no connection
 * @FERRY_LIMIT_ECHO: echo replies
 * @FERRY_LIMITS: how many there are
 */
enum ferry_limit {
	FERRY_LIMIT_UNREACH,
	FERRY_LIMIT_ECHO,
	FERRY_LIMITS
};

int ferry_limit_net_init(struct ferry_net *fn);
bool ferry_limit_allows(struct ferry_net *fn, enum ferry_limit limit);
bool ferry_limit_allows_unreach(struct ferry_net *fn,
				const struct sk_buff *skb);

#endif /* _FERRY_LIMIT_H */
