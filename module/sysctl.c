// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings: see sysctl.h.
 *
 * port_range (per namespace): first and last port that the kernel chooses
 * for a socket that has none.
 * dgram_mem (of the host, in the first namespace): pages that all datagram
 * sockets may hold, as net.ipv4.udp_mem.
 */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "dgram.h"
#include "netns.h"
#include "sysctl.h"

#define FERRY_SYSCTL_PORT_FIRST	32768
#define FERRY_SYSCTL_PORT_LAST	60999

static unsigned long ferry_sysctl_port_min = 1;
static unsigned long ferry_sysctl_port_max = U32_MAX;

/* Both ends in one write, the first not above the last. */
static int ferry_sysctl_port_range(ferry_ctl_table *table, int write,
				   void *buffer, size_t *lenp, loff_t *ppos)
{
	u32 *range = table->data;
	unsigned long next[2] = { READ_ONCE(range[0]), READ_ONCE(range[1]) };
	struct ctl_table copy = {
		.data = next,
		.maxlen = sizeof(next),
		.mode = table->mode,
		.extra1 = &ferry_sysctl_port_min,
		.extra2 = &ferry_sysctl_port_max,
	};
	int err;

	err = proc_doulongvec_minmax(&copy, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	if (next[0] > next[1])
		return -EINVAL;
	WRITE_ONCE(range[0], next[0]);
	WRITE_ONCE(range[1], next[1]);
	return 0;
}

/* The last is for the first namespace alone. */
static const struct ctl_table ferry_sysctl_table[] = {
	{
		.procname	= "port_range",
		.maxlen		= sizeof_field(struct ferry_net, port_range),
		.mode		= 0644,
		.proc_handler	= ferry_sysctl_port_range,
	},
	{
		.procname	= "dgram_mem",
		.data		= ferry_dgram_mem,
		.maxlen		= sizeof(ferry_dgram_mem),
		.mode		= 0644,
		.proc_handler	= proc_doulongvec_minmax,
	},
};

/**
 * ferry_sysctl_net_init() - a namespace's settings, at their defaults
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_sysctl_net_init(struct ferry_net *fn)
{
	size_t count = ARRAY_SIZE(ferry_sysctl_table);
	struct ctl_table *table;

	fn->port_range[0] = FERRY_SYSCTL_PORT_FIRST;
	fn->port_range[1] = FERRY_SYSCTL_PORT_LAST;

	/* One more, empty: the end, where the kernel does not count. */
	table = kcalloc(count + 1, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	if (!net_eq(fn->net, &init_net))
		count--;
	memcpy(table, ferry_sysctl_table, count * sizeof(*table));
	table[0].data = fn->port_range;

	fn->sysctl = ferry_register_net_sysctl(fn->net, "net/ferry", table,
					       count);
	if (!fn->sysctl) {
		kfree(table);
		return -ENOMEM;
	}
	return 0;
}

/**
 * ferry_sysctl_net_exit() - undo ferry_sysctl_net_init()
 * @fn: the namespace
 *
 * Context: process.
 */
void ferry_sysctl_net_exit(struct ferry_net *fn)
{
	const struct ctl_table *table = fn->sysctl->ctl_table_arg;

	unregister_net_sysctl_table(fn->sysctl);
	kfree(table);
}
