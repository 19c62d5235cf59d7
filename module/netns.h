/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Ferry keeps in each network namespace.
 */
#ifndef _FERRY_NETNS_H
#define _FERRY_NETNS_H

#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "limit.h"
#include "link.h"
#include "listen_cookie.h"
#include "port.h"
#include "stats.h"
#include "sysctl.h"

struct ctl_table_header;
struct proc_dir_entry;

/*
 * struct ferry_net - Ferry in one network namespace
 *
 * Made and freed with the namespace, or for all of them when the module is
 * loaded and unloaded (main.c). Sockets hold the namespace, so none is left
 * when this goes; devices have gone before it. Each member belongs to the room
 * named with it, whose header tells how it is guarded.
 */
struct ferry_net {
	struct net		*net;

	struct ferry_stats __percpu *stats;		/* stats.c */
	struct proc_dir_entry	*proc;			/* stats.c */

	struct ferry_links	links;			/* link.c */
	struct ferry_ports	dgram_ports;		/* port.c */
	struct ferry_ports	echo_ports;		/* port.c */
	struct ferry_ports	stream_ports;		/* port.c */
	struct rhashtable	flows;			/* flow.c */

	spinlock_t		limits_lock;		/* limit.c */
	struct ratelimit_state	limits[FERRY_LIMITS];	/* under it */

	struct ctl_table_header	*sysctl;		/* sysctl.c */
	u32			port_range[2];		/* sysctl.c */
	struct ferry_settings	set;			/* sysctl.c */

	struct ferry_listen_cookies cookies;		/* listen_cookie.c */
	atomic_t		orphans;		/* stream.c */
	atomic_t		lingers;		/* linger.c */
};

extern unsigned int ferry_net_id;

static inline struct ferry_net *ferry_net(const struct net *net)
{
	return net_generic(net, ferry_net_id);
}

#endif /* _FERRY_NETNS_H */
