/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family: enabling devices.
 */
#ifndef _FERRY_NETLINK_H
#define _FERRY_NETLINK_H

int ferry_netlink_init(void);
void ferry_netlink_exit(void);

#endif /* _FERRY_NETLINK_H */
