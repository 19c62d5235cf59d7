// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/ferry/sockstat: how many sockets there are, and what they take; as
 * /proc/net/sockstat has it of other families.
 *
 * inuse, orphan and tw (TIME_WAIT) are this namespace's; alloc, which has what is
 * closed and not gone yet as well, and mem, in pages, are the host's.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include <net/sock.h>

#include "dgram.h"
#include "netns.h"
#include "sockstat.h"
#include "stream.h"

static int ferry_sockstat_show(struct seq_file *seq, void *unused)
{
	struct net *net = seq_file_single_net(seq);
	struct ferry_net *fn = ferry_net(net);

	seq_printf(seq, "STREAM: inuse %d orphan %d tw %d alloc %lld mem %ld\n",
		   sock_prot_inuse_get(net, &ferry_stream_prot),
		   atomic_read(&fn->orphans), atomic_read(&fn->lingers),
		   percpu_counter_sum_positive(ferry_stream_prot.sockets_allocated),
		   proto_memory_allocated(&ferry_stream_prot));
	seq_printf(seq, "DGRAM: inuse %d mem %ld\n",
		   sock_prot_inuse_get(net, &ferry_dgram_prot),
		   proto_memory_allocated(&ferry_dgram_prot));
	return 0;
}

/**
 * ferry_sockstat_net_init() - a namespace's /proc/net/ferry/sockstat
 * @fn: the namespace, its directory made; with which the file goes
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_sockstat_net_init(struct ferry_net *fn)
{
	return proc_create_net_single("sockstat", 0444, fn->proc,
				      ferry_sockstat_show, NULL) ? 0 : -ENOMEM;
}
