/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings: net.ferry.*
 */
#ifndef _FERRY_SYSCTL_H
#define _FERRY_SYSCTL_H

#include <linux/types.h>

struct ferry_net;

/*
 * struct ferry_settings - net.ferry.* of a namespace, but for port_range
 *
 * Written by who administers, read with READ_ONCE().
 */
struct ferry_settings {
	int	rmem[3];		/* bytes: least, default, most */
	int	wmem[3];
	int	max_syn_backlog;	/* requests of a listener */
	int	syncookies;		/* 0, 1 or 2 */
	int	syn_retries;
	int	synack_retries;
	int	fin_timeout;		/* seconds */
	int	keepalive_time;		/* seconds */
	int	keepalive_intvl;	/* seconds */
	int	keepalive_probes;
	int	max_orphans;
	int	max_tw_buckets;
	int	short_way;		/* 0 or 1 */
	int	gather_usecs;
	int	echo;			/* enum ferry_echo_who */
	const struct ferry_cong_ops *cong;
};

int ferry_sysctl_net_init(struct ferry_net *fn);
void ferry_sysctl_net_exit(struct ferry_net *fn);

#endif /* _FERRY_SYSCTL_H */
