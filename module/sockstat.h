/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/net/ferry/sockstat.
 */
#ifndef _FERRY_SOCKSTAT_H
#define _FERRY_SOCKSTAT_H

struct ferry_net;

int ferry_sockstat_net_init(struct ferry_net *fn);

#endif /* _FERRY_SOCKSTAT_H */
