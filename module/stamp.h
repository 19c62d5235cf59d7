/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SO_TIMESTAMPING, of what a connection sends: when it was given to the queueing
 * discipline, when it left by the device, and when the peer had it.
 *
 * A stamp is of the last byte of what one call has sent. That byte is the last of
 * its chunk, since nothing is added to such a chunk: so who sends much with stamps
 * has one for each call, where TCP may have the last call's alone.
 *
 * What is asked for is in the skb, so that the core and the device see it: tx_flags
 * and tskey of its shared info, which is its copies' too. That an ACK is to be
 * stamped is in struct ferry_outgoing. The stamps go on the error queue.
 */
#ifndef _FERRY_STAMP_H
#define _FERRY_STAMP_H

#include <linux/types.h>

struct sk_buff;
struct sock;
struct sockcm_cookie;

bool ferry_stamp_request(struct sock *sk, struct sk_buff *skb,
			 const struct sockcm_cookie *sockc, u32 bytes);
void ferry_stamp_move(struct sk_buff *skb, struct sk_buff *rest);
void ferry_stamp_acked(struct sock *sk, struct sk_buff *skb);
void ferry_stamp_short(struct sk_buff *skb);

#endif /* _FERRY_STAMP_H */
