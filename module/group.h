/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Groups: which datagram sockets hear what is sent to a multicast address.
 */
#ifndef _FERRY_GROUP_H
#define _FERRY_GROUP_H

#include <linux/types.h>

struct ferry_link;
struct sk_buff;
struct sock;

int ferry_group_join(struct sock *sk, int ifindex, u64 addr);
int ferry_group_leave(struct sock *sk, int ifindex, u64 addr);
void ferry_group_leave_all(struct sock *sk);
void ferry_group_gone(struct ferry_link *link);
bool ferry_group_hears(const struct sock *sk, const struct sk_buff *skb);

#endif /* _FERRY_GROUP_H */
