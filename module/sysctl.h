/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings: net.ferry.*
 */
#ifndef _FERRY_SYSCTL_H
#define _FERRY_SYSCTL_H

struct ferry_net;

int ferry_sysctl_net_init(struct ferry_net *fn);
void ferry_sysctl_net_exit(struct ferry_net *fn);

#endif /* _FERRY_SYSCTL_H */
