/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unreachables: telling a sender that nobody takes its packets.
 */
#ifndef _FERRY_UNREACH_H
#define _FERRY_UNREACH_H

#include <linux/types.h>

struct ferry_net;
struct sk_buff;

void ferry_unreach_send(struct ferry_net *fn, const struct sk_buff *skb,
			u8 code);

#endif /* _FERRY_UNREACH_H */
