/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Input: what a link hands up is validated, and given to what takes its kind.
 */
#ifndef _FERRY_INPUT_H
#define _FERRY_INPUT_H

#include "wire.h"

struct ferry_net;
struct sk_buff;

/*
 * A handler takes a packet of its kind, which it consumes, from the packet's
 * header on, with struct ferry_skb_cb filled in. Softirq or process with BH
 * off, under RCU.
 */
typedef void (*ferry_input_handler)(struct ferry_net *fn, struct sk_buff *skb);

void ferry_input_register(enum ferry_kind kind, ferry_input_handler handler);
void ferry_input_dispatch(struct ferry_net *fn, struct sk_buff *skb);
void ferry_input_rcv(struct ferry_net *fn, struct sk_buff *skb);

#endif /* _FERRY_INPUT_H */
