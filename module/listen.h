/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Listeners: connections in the making, those that wait to be accepted, cookies.
 */
#ifndef _FERRY_LISTEN_H
#define _FERRY_LISTEN_H

#include <linux/net.h>

struct ferry_flow;
struct ferry_flow_key;
struct ferry_net;
struct sk_buff;
struct sock;

int ferry_listen_init(void);
void ferry_listen_exit(void);
int ferry_listen_net_init(struct ferry_net *fn);

/* The calls. */
int ferry_listen_listen(struct socket *sock, int backlog);
int ferry_listen_accept(struct socket *sock, struct socket *newsock,
			int flags, int *empty);
void ferry_listen_stop(struct sock *sk);
bool ferry_listen_ready(const struct sock *sk);

/* Packets. */
u64 ferry_listen_isn(const struct ferry_flow_key *key, u64 now);
void ferry_listen_rcv(struct ferry_net *fn, struct sk_buff *skb);
void ferry_listen_request_rcv(struct ferry_net *fn, struct ferry_flow *flow,
			      struct sk_buff *skb);
void ferry_listen_established(struct sock *sk);

#endif /* _FERRY_LISTEN_H */
