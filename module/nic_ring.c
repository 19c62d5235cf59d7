// SPDX-License-Identifier: GPL-2.0-only
/*
 * A descriptor ring. See nic_ring.h.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/skbuff.h>

#include "nic_ring.h"

/**
 * ferry_nic_ring_alloc() - make an empty ring
 * @ring: where to make it
 * @places: how many frames it holds, a power of two
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int ferry_nic_ring_alloc(struct ferry_nic_ring *ring, unsigned int places)
{
	WARN_ON_ONCE(!is_power_of_2(places));

	ring->desc = kvmalloc_array(places, sizeof(*ring->desc),
				    GFP_KERNEL_ACCOUNT);
	if (!ring->desc)
		return -ENOMEM;
	ring->mask = places - 1;
	ring->head = 0;
	ring->tail = 0;
	return 0;
}

/**
 * ferry_nic_ring_free() - free a ring and the frames in it
 * @ring: a ring with both sides at rest, or one that was never made
 *
 * Context: process, may sleep.
 */
void ferry_nic_ring_free(struct ferry_nic_ring *ring)
{
	if (!ring->desc)
		return;
	ferry_nic_ring_purge(ring);
	kvfree(ring->desc);
	ring->desc = NULL;
}

/**
 * ferry_nic_ring_purge() - drop the frames in a ring
 * @ring: a ring whose popping side the caller is
 *
 * Context: process or softirq.
 */
void ferry_nic_ring_purge(struct ferry_nic_ring *ring)
{
	struct sk_buff *skb;

	while ((skb = ferry_nic_ring_pop(ring)))
		kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
}
