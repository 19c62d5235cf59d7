// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters: see stats.h.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <linux/skbuff.h>

#include "netns.h"
#include "stats.h"

static const char * const ferry_stats_names[] = {
#define FERRY_STAT(symbol, name) name,
#include "stats_list.h"
#undef FERRY_STAT
};

static int ferry_stats_show(struct seq_file *seq, void *unused)
{
	const struct ferry_net *fn = ferry_net(seq_file_single_net(seq));
	unsigned long sum;
	int i, cpu;

	for (i = 0; i < FERRY_STAT_COUNT; i++) {
		sum = 0;
		for_each_possible_cpu(cpu)
			sum += READ_ONCE(per_cpu_ptr(fn->stats, cpu)->count[i]);
		seq_printf(seq, "%s %lu\n", ferry_stats_names[i], sum);
	}
	return 0;
}

/**
 * ferry_stats_net_init() - a namespace's counters and /proc/net/ferry
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_stats_net_init(struct ferry_net *fn)
{
	fn->stats = alloc_percpu(struct ferry_stats);
	if (!fn->stats)
		return -ENOMEM;

	fn->proc = proc_net_mkdir(fn->net, "ferry", fn->net->proc_net);
	if (!fn->proc)
		goto free;

	if (!proc_create_net_single("stat", 0444, fn->proc, ferry_stats_show,
				    NULL))
		goto remove;
	return 0;

remove:
	remove_proc_entry("ferry", fn->net->proc_net);
free:
	free_percpu(fn->stats);
	return -ENOMEM;
}

/**
 * ferry_stats_net_exit() - undo ferry_stats_net_init()
 * @fn: the namespace; nothing counts in it any more
 *
 * Context: process.
 */
void ferry_stats_net_exit(struct ferry_net *fn)
{
	remove_proc_subtree("ferry", fn->net->proc_net);
	free_percpu(fn->stats);
}

/**
 * ferry_stats_inc() - count one
 * @fn: the namespace
 * @stat: what
 *
 * Context: any.
 */
void ferry_stats_inc(const struct ferry_net *fn, enum ferry_stat stat)
{
	this_cpu_inc(fn->stats->count[stat]);
}

/**
 * ferry_stats_drop() - drop a packet and count it
 * @fn: the namespace
 * @skb: the packet; consumed
 * @stat: why
 *
 * Context: any but hard irq.
 */
void ferry_stats_drop(const struct ferry_net *fn, struct sk_buff *skb,
		      enum ferry_stat stat)
{
	ferry_stats_inc(fn, stat);
	kfree_skb(skb);
}
