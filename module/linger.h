/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TIME_WAIT: what is left of a connection, after its socket.
 */
#ifndef _FERRY_LINGER_H
#define _FERRY_LINGER_H

struct ferry_flow;
struct ferry_net;
struct sk_buff;
struct sock;

int ferry_linger_init(void);
void ferry_linger_exit(void);
int ferry_linger_net_init(struct ferry_net *fn);
void ferry_linger_net_exit(struct ferry_net *fn);

void ferry_linger_start(struct sock *sk);
void ferry_linger_end(struct ferry_net *fn, struct ferry_flow *flow);
bool ferry_linger_take_over(struct ferry_net *fn, struct ferry_flow *flow);
void ferry_linger_rcv(struct ferry_net *fn, struct ferry_flow *flow,
		      struct sk_buff *skb);

#endif /* _FERRY_LINGER_H */
