// SPDX-License-Identifier: GPL-2.0-only
/*
 * Settings: see sysctl.h.
 *
 * Of a namespace:
 *
 * port_range: first and last port that the kernel chooses for a socket that has
 * none.
 * rmem, wmem: bytes of a stream's receive and send buffer: the least, what it
 * begins with, and what it may grow to (as net.ipv4.tcp_rmem and tcp_wmem).
 * max_syn_backlog, syncookies, syn_retries, synack_retries, fin_timeout,
 * keepalive_time, keepalive_intvl, keepalive_probes, max_orphans, max_tw_buckets:
 * as net.ipv4.tcp_*.
 * congestion_control: what a stream begins with: cubic or newreno.
 * short_way: 1: connections within the host go past the loop's card (short.h).
 * gather_usecs: microseconds between short segments of a connection within the host
 * that sends many of them; 0: none.
 * echo: 0: no echo is answered; 1: those to this host alone; 2: all.
 *
 * Of the host, in the first namespace:
 *
 * mem, dgram_mem: pages that all streams, and all datagram sockets, may hold (as
 * net.ipv4.tcp_mem and udp_mem).
 */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "cong.h"
#include "conn.h"
#include "dgram.h"
#include "echo.h"
#include "netns.h"
#include "stream.h"
#include "sysctl.h"

#define FERRY_SYSCTL_PORT_FIRST	32768
#define FERRY_SYSCTL_PORT_LAST	60999

static unsigned long ferry_sysctl_port_min = 1;
static unsigned long ferry_sysctl_port_max = U32_MAX;

static int ferry_sysctl_least_buffer = PAGE_SIZE;
static int ferry_sysctl_most_buffer = FERRY_WINDOW_MAX;
static int ferry_sysctl_most_retries = 127;
static int ferry_sysctl_most_probes = 127;
static int ferry_sysctl_most_seconds = 32767;
static int ferry_sysctl_most_gather = 10000;

static const struct ferry_settings ferry_sysctl_defaults = {
	.rmem = { PAGE_SIZE, SZ_256K, 6 * SZ_1M },
	.wmem = { PAGE_SIZE, SZ_256K, 4 * SZ_1M },
	.max_syn_backlog = 4096,
	.syncookies = 1,
	.syn_retries = FERRY_SYN_RETRIES,
	.synack_retries = FERRY_SYNACK_RETRIES,
	.fin_timeout = FERRY_LINGER2_DEFAULT / USEC_PER_SEC,
	.keepalive_time = FERRY_KEEP_IDLE / USEC_PER_SEC,
	.keepalive_intvl = FERRY_KEEP_INTERVAL / USEC_PER_SEC,
	.keepalive_probes = FERRY_KEEP_COUNT,
	.max_orphans = 65536,
	.max_tw_buckets = 65536,
	.short_way = 1,
	.gather_usecs = 50,
	.echo = FERRY_ECHO_ALL,
};

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

static int ferry_sysctl_congestion(ferry_ctl_table *table, int write,
				   void *buffer, size_t *lenp, loff_t *ppos)
{
	const struct ferry_cong_ops **setting = table->data;
	const struct ferry_cong_ops *cong = READ_ONCE(*setting);
	char name[FERRY_CONG_NAME_MAX];
	struct ctl_table copy = {
		.data = name,
		.maxlen = sizeof(name),
		.mode = table->mode,
	};
	int err;

	strscpy(name, cong->name, sizeof(name));
	err = proc_dostring(&copy, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	cong = ferry_cong_find(name);
	if (!cong)
		return -ENOENT;
	WRITE_ONCE(*setting, cong);
	return 0;
}

/*
 * struct ferry_sysctl_int - a setting of a namespace: one or more integers
 */
struct ferry_sysctl_int {
	const char	*name;
	size_t		offset;		/* in struct ferry_settings */
	int		count;
	int		*least;
	int		*most;
};

#define FERRY_SYSCTL_OFFSET(member) offsetof(struct ferry_settings, member)

static const struct ferry_sysctl_int ferry_sysctl_ints[] = {
	{ "rmem", FERRY_SYSCTL_OFFSET(rmem), 3,
	  &ferry_sysctl_least_buffer, &ferry_sysctl_most_buffer },
	{ "wmem", FERRY_SYSCTL_OFFSET(wmem), 3,
	  &ferry_sysctl_least_buffer, &ferry_sysctl_most_buffer },
	{ "max_syn_backlog", FERRY_SYSCTL_OFFSET(max_syn_backlog), 1,
	  SYSCTL_ZERO, SYSCTL_INT_MAX },
	{ "syncookies", FERRY_SYSCTL_OFFSET(syncookies), 1,
	  SYSCTL_ZERO, SYSCTL_TWO },
	{ "syn_retries", FERRY_SYSCTL_OFFSET(syn_retries), 1,
	  SYSCTL_ONE, &ferry_sysctl_most_retries },
	{ "synack_retries", FERRY_SYSCTL_OFFSET(synack_retries), 1,
	  SYSCTL_ZERO, &ferry_sysctl_most_retries },
	{ "fin_timeout", FERRY_SYSCTL_OFFSET(fin_timeout), 1,
	  SYSCTL_ONE, &ferry_sysctl_most_seconds },
	{ "keepalive_time", FERRY_SYSCTL_OFFSET(keepalive_time), 1,
	  SYSCTL_ONE, &ferry_sysctl_most_seconds },
	{ "keepalive_intvl", FERRY_SYSCTL_OFFSET(keepalive_intvl), 1,
	  SYSCTL_ONE, &ferry_sysctl_most_seconds },
	{ "keepalive_probes", FERRY_SYSCTL_OFFSET(keepalive_probes), 1,
	  SYSCTL_ONE, &ferry_sysctl_most_probes },
	{ "max_orphans", FERRY_SYSCTL_OFFSET(max_orphans), 1,
	  SYSCTL_ZERO, SYSCTL_INT_MAX },
	{ "max_tw_buckets", FERRY_SYSCTL_OFFSET(max_tw_buckets), 1,
	  SYSCTL_ZERO, SYSCTL_INT_MAX },
	{ "short_way", FERRY_SYSCTL_OFFSET(short_way), 1,
	  SYSCTL_ZERO, SYSCTL_ONE },
	{ "gather_usecs", FERRY_SYSCTL_OFFSET(gather_usecs), 1,
	  SYSCTL_ZERO, &ferry_sysctl_most_gather },
	{ "echo", FERRY_SYSCTL_OFFSET(echo), 1, SYSCTL_ZERO, SYSCTL_TWO },
};

/* Those of a namespace that have a function of their own; see net_init(). */
static const struct ctl_table ferry_sysctl_own[] = {
	{
		.procname	= "port_range",
		.maxlen		= sizeof_field(struct ferry_net, port_range),
		.mode		= 0644,
		.proc_handler	= ferry_sysctl_port_range,
	},
	{
		.procname	= "congestion_control",
		.maxlen		= FERRY_CONG_NAME_MAX,
		.mode		= 0644,
		.proc_handler	= ferry_sysctl_congestion,
	},
};

static const struct ctl_table ferry_sysctl_host[] = {
	{
		.procname	= "mem",
		.data		= ferry_stream_mem,
		.maxlen		= sizeof(ferry_stream_mem),
		.mode		= 0644,
		.proc_handler	= proc_doulongvec_minmax,
	},
	{
		.procname	= "dgram_mem",
		.data		= ferry_dgram_mem,
		.maxlen		= sizeof(ferry_dgram_mem),
		.mode		= 0644,
		.proc_handler	= proc_doulongvec_minmax,
	},
};

#define FERRY_SYSCTL_MOST						\
	(ARRAY_SIZE(ferry_sysctl_own) + ARRAY_SIZE(ferry_sysctl_ints) +	\
	 ARRAY_SIZE(ferry_sysctl_host))

/* Write a namespace's table. Return: how many it has. */
static size_t ferry_sysctl_fill(struct ferry_net *fn, struct ctl_table *table)
{
	size_t count = ARRAY_SIZE(ferry_sysctl_own);
	const struct ferry_sysctl_int *setting;
	size_t i;

	memcpy(table, ferry_sysctl_own, sizeof(ferry_sysctl_own));
	table[0].data = fn->port_range;
	table[1].data = &fn->set.cong;

	for (i = 0; i < ARRAY_SIZE(ferry_sysctl_ints); i++) {
		setting = &ferry_sysctl_ints[i];
		table[count++] = (struct ctl_table) {
			.procname	= setting->name,
			.data		= (char *)&fn->set + setting->offset,
			.maxlen		= setting->count * sizeof(int),
			.mode		= 0644,
			.proc_handler	= proc_dointvec_minmax,
			.extra1		= setting->least,
			.extra2		= setting->most,
		};
	}
	if (net_eq(fn->net, &init_net)) {
		memcpy(table + count, ferry_sysctl_host,
		       sizeof(ferry_sysctl_host));
		count += ARRAY_SIZE(ferry_sysctl_host);
	}
	return count;
}

/**
 * ferry_sysctl_net_init() - a namespace's settings, at their defaults
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_sysctl_net_init(struct ferry_net *fn)
{
	struct ctl_table *table;
	size_t count;

	fn->port_range[0] = FERRY_SYSCTL_PORT_FIRST;
	fn->port_range[1] = FERRY_SYSCTL_PORT_LAST;
	fn->set = ferry_sysctl_defaults;
	fn->set.cong = &ferry_cong_cubic;

	/* One more, empty: the end, where the kernel does not count. */
	table = kcalloc(FERRY_SYSCTL_MOST + 1, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	count = ferry_sysctl_fill(fn, table);

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
