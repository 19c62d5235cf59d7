/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual card: what the rooms above may ask of it.
 */
#ifndef _FERRY_NIC_H
#define _FERRY_NIC_H

#include <linux/types.h>

struct net;
struct net_device;

int ferry_nic_init(void);
void ferry_nic_exit(void);

struct net_device *ferry_nic_create_loop(struct net *net);
bool ferry_nic_is(const struct net_device *dev);

#endif /* _FERRY_NIC_H */
