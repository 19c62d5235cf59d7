/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Counters, per namespace: /proc/net/ferry/stat. Every drop has one.
 */
#ifndef _FERRY_STATS_H
#define _FERRY_STATS_H

#include <linux/percpu.h>
#include <linux/types.h>

struct ferry_net;
struct sk_buff;

enum ferry_stat {
#define FERRY_STAT(symbol, name) FERRY_STAT_##symbol,
#include "stats_list.h"
#undef FERRY_STAT
	FERRY_STAT_COUNT
};

/*
 * struct ferry_stats - one CPU's counters
 *
 * Each CPU writes only its own, by this_cpu_inc(), which no interrupt can
 * split; readers add up what they see.
 */
struct ferry_stats {
	unsigned long count[FERRY_STAT_COUNT];
};

int ferry_stats_net_init(struct ferry_net *fn);
void ferry_stats_net_exit(struct ferry_net *fn);

void ferry_stats_inc(const struct ferry_net *fn, enum ferry_stat stat);
void ferry_stats_drop(const struct ferry_net *fn, struct sk_buff *skb,
		      enum ferry_stat stat);

#endif /* _FERRY_STATS_H */
