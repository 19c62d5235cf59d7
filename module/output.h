/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Output: a packet gets its header and goes to its link.
 */
#ifndef _FERRY_OUTPUT_H
#define _FERRY_OUTPUT_H

#include <linux/netdevice.h>

#include "link.h"
#include "wire.h"

struct sk_buff;

/* Room to leave at an skb's head, in bytes, for a way out through @dev. */
static inline unsigned int ferry_output_headroom(const struct net_device *dev)
{
	return FERRY_HLEN + LL_RESERVED_SPACE(dev);
}

int ferry_output(struct sk_buff *skb, const struct ferry_packet *pkt,
		 const struct ferry_path *path);

#endif /* _FERRY_OUTPUT_H */
