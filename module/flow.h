/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flows: which connection a segment belongs to.
 */
#ifndef _FERRY_FLOW_H
#define _FERRY_FLOW_H

#include <linux/rhashtable.h>
#include <linux/types.h>

struct ferry_net;
struct sk_buff;

/**
 * enum ferry_flow_kind - what a flow is embedded in
 *
 * @FERRY_FLOW_STREAM: a socket: struct ferry_stream
 * @FERRY_FLOW_REQUEST: a connection in the making: struct ferry_listen_request
 * @FERRY_FLOW_LINGER: one in TIME_WAIT: struct ferry_linger
 */
enum ferry_flow_kind {
	FERRY_FLOW_STREAM,
	FERRY_FLOW_REQUEST,
	FERRY_FLOW_LINGER,
};

/*
 * struct ferry_flow_key - two ends, as this one sees them
 */
struct ferry_flow_key {
	u64	laddr;
	u64	raddr;
	u32	lport;
	u32	rport;
};

/*
 * struct ferry_flow - one connection in a namespace's table
 *
 * Embedded in what enum ferry_flow_kind says, whose memory outlives its last
 * reader by a grace period. Const while it is in the table, but for @ifindex.
 */
struct ferry_flow {
	struct rhash_head	node;
	struct ferry_flow_key	key;
	int			ifindex;	/* to leave by, or 0; READ_ONCE() */
	u8			kind;		/* enum ferry_flow_kind */
	bool			hashed;		/* owner's lock */
};

int ferry_flow_net_init(struct ferry_net *fn);
void ferry_flow_net_exit(struct ferry_net *fn);

struct ferry_flow_key ferry_flow_key(const struct sk_buff *skb);
int ferry_flow_insert(struct ferry_net *fn, struct ferry_flow *flow);
bool ferry_flow_remove(struct ferry_net *fn, struct ferry_flow *flow);
bool ferry_flow_replace(struct ferry_net *fn, struct ferry_flow *old,
			struct ferry_flow *new);
struct ferry_flow *ferry_flow_between(struct ferry_net *fn,
				      const struct ferry_flow_key *key);
struct ferry_flow *ferry_flow_find(struct ferry_net *fn,
				   const struct sk_buff *skb);
void ferry_flow_for_each(struct ferry_net *fn,
			 void (*visit)(struct ferry_flow *flow, void *data),
			 void *data);

#endif /* _FERRY_FLOW_H */
