/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family: enabling devices.
 */
#ifndef _FERRY_NETLINK_H
#define _FERRY_NETLINK_H

#include "link.h"

int ferry_netlink_init(void);
void ferry_netlink_exit(void);
void ferry_netlink_event(const struct ferry_link *link,
			 enum ferry_link_event event);

#endif /* _FERRY_NETLINK_H */
