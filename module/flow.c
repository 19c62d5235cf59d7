// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flows: see flow.h.
 */
#include <linux/skbuff.h>

#include "flow.h"
#include "netns.h"
#include "socket.h"

static const struct rhashtable_params ferry_flow_params = {
	.key_len = sizeof_field(struct ferry_flow, key),
	.key_offset = offsetof(struct ferry_flow, key),
	.head_offset = offsetof(struct ferry_flow, node),
	.automatic_shrinking = true,
};

/**
 * ferry_flow_key() - the two ends of a packet's connection, as this one sees them
 * @skb: the packet, its struct ferry_skb_cb filled in
 *
 * Context: any.
 * Return: the key.
 */
struct ferry_flow_key ferry_flow_key(const struct sk_buff *skb)
{
	const struct ferry_skb_cb *cb = ferry_skb_cb(skb);

	return (struct ferry_flow_key) {
		.laddr = cb->daddr,
		.raddr = cb->saddr,
		.lport = cb->pkt.dport,
		.rport = cb->pkt.sport,
	};
}

/**
 * ferry_flow_insert() - let segments find a connection
 * @fn: the namespace
 * @flow: the connection, its key set
 *
 * Context: any but hard irq, under the owner's lock.
 * Return: 0; -EADDRINUSE if there is one between the same two ends, -ENOMEM.
 */
int ferry_flow_insert(struct ferry_net *fn, struct ferry_flow *flow)
{
	int err;

	err = rhashtable_lookup_insert_fast(&fn->flows, &flow->node,
					    ferry_flow_params);
	if (!err)
		flow->hashed = true;
	else if (err == -EEXIST)
		err = -EADDRINUSE;
	else
		err = -ENOMEM;
	return err;
}

/**
 * ferry_flow_remove() - segments are to find it no more
 * @fn: the namespace
 * @flow: the connection; need not be in the table
 *
 * Context: any but hard irq.
 * Return: true for the one caller that took it out.
 */
bool ferry_flow_remove(struct ferry_net *fn, struct ferry_flow *flow)
{
	if (!flow->hashed)
		return false;
	return !rhashtable_remove_fast(&fn->flows, &flow->node,
				       ferry_flow_params);
}

/**
 * ferry_flow_replace() - one takes another's place
 * @fn: the namespace
 * @old: which is in the table
 * @new: with the same key
 *
 * A segment finds one or the other.
 *
 * Context: any but hard irq.
 * Return: false if @old was not there any more; then nothing is changed.
 */
bool ferry_flow_replace(struct ferry_net *fn, struct ferry_flow *old,
			struct ferry_flow *new)
{
	new->hashed = true;
	if (!rhashtable_replace_fast(&fn->flows, &old->node, &new->node,
				     ferry_flow_params))
		return true;
	new->hashed = false;
	return false;
}

/**
 * ferry_flow_between() - the connection between two ends
 * @fn: the namespace
 * @key: the ends
 *
 * Context: any, under RCU, as long as which the flow is valid.
 * Return: the flow, or NULL.
 */
struct ferry_flow *ferry_flow_between(struct ferry_net *fn,
				      const struct ferry_flow_key *key)
{
	return rhashtable_lookup(&fn->flows, key, ferry_flow_params);
}

/**
 * ferry_flow_find() - the connection that a segment is for
 * @fn: the namespace
 * @skb: the segment, its struct ferry_skb_cb filled in
 *
 * Context: any, under RCU, as long as which the flow is valid.
 * Return: the flow, or NULL.
 */
struct ferry_flow *ferry_flow_find(struct ferry_net *fn,
				   const struct sk_buff *skb)
{
	const struct ferry_flow_key key = ferry_flow_key(skb);

	return ferry_flow_between(fn, &key);
}

/**
 * ferry_flow_for_each() - visit all that are there
 * @fn: the namespace
 * @visit: called under RCU, must not sleep; one may be visited twice
 * @data: for @visit
 *
 * Context: process, may sleep.
 */
void ferry_flow_for_each(struct ferry_net *fn,
			 void (*visit)(struct ferry_flow *flow, void *data),
			 void *data)
{
	struct rhashtable_iter iter;
	struct ferry_flow *flow;

	rhashtable_walk_enter(&fn->flows, &iter);
	rhashtable_walk_start(&iter);
	while ((flow = rhashtable_walk_next(&iter))) {
		/* -EAGAIN: the table was resized, and is walked once more. */
		if (!IS_ERR(flow))
			visit(flow, data);
	}
	rhashtable_walk_stop(&iter);
	rhashtable_walk_exit(&iter);
}

/**
 * ferry_flow_net_init() - a namespace's connections: none
 * @fn: the namespace
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ferry_flow_net_init(struct ferry_net *fn)
{
	return rhashtable_init(&fn->flows, &ferry_flow_params);
}

/**
 * ferry_flow_net_exit() - undo ferry_flow_net_init()
 * @fn: the namespace; no connection is left in it
 *
 * Context: process.
 */
void ferry_flow_net_exit(struct ferry_net *fn)
{
	rhashtable_destroy(&fn->flows);
}
