/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The short way: what one end of a connection sends to another on the same host.
 *
 * A segment to this host would go down to the loop's card and come up again on
 * the same CPU. If nobody is there to look at it on its way, it does without:
 * with its headers, as the card would have it, it goes on a queue of its flow's,
 * and from there, in softirq, to who takes its kind. Everything above is the
 * same: the other end finds no difference, and answers by the same way.
 *
 * The card's way it is, and nothing else, for all but segments of connections;
 * when net.ferry.short_way is 0; and as long as anybody wants to see, delay or
 * change what crosses the card: a tap, a queueing discipline, a classifier,
 * netfilter, XDP, or a device above it.
 */
#ifndef _FERRY_SHORT_H
#define _FERRY_SHORT_H

#include <linux/types.h>

struct ferry_flow_key;
struct ferry_net;
struct ferry_path;
struct ferry_seg;
struct sk_buff;

int ferry_short_init(void (*rcv)(struct ferry_net *fn, struct sk_buff *skb));
void ferry_short_exit(void);

bool ferry_short_open(const struct ferry_net *fn,
		      const struct ferry_path *path);
void ferry_short_send(struct ferry_net *fn, struct sk_buff *skb,
		      const struct ferry_flow_key *key,
		      const struct ferry_seg *seg,
		      const struct ferry_path *path);

#endif /* _FERRY_SHORT_H */
