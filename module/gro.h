/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Joining: frames of one connection become a large segment before they go up.
 */
#ifndef _FERRY_GRO_H
#define _FERRY_GRO_H

#include <linux/skbuff.h>

struct sk_buff *ferry_gro_receive(struct list_head *held, struct sk_buff *skb);
int ferry_gro_complete(struct sk_buff *skb, int nhoff);

#endif /* _FERRY_GRO_H */
