/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A descriptor ring: a fixed number of places, each for one frame.
 *
 * One side pushes and one pops. They need no lock between them, only among
 * themselves: a TX ring's both sides run under the TX queue's lock, an RX
 * ring's pushing side under the RX queue's lock, its popping side in NAPI.
 */
#ifndef _FERRY_NIC_RING_H
#define _FERRY_NIC_RING_H

#include <linux/cache.h>
#include <linux/compiler.h>
#include <asm/barrier.h>

struct sk_buff;

/*
 * struct ferry_nic_ring - a ring of descriptors
 *
 * Made by ferry_nic_ring_alloc() when its queue opens or is resized, freed by
 * ferry_nic_ring_free() when the queue closes or was resized, with both sides
 * at rest, under the RTNL. A descriptor between head and tail owns its frame.
 */
struct ferry_nic_ring {
	struct sk_buff	**desc;		/* const while in use */
	unsigned int	mask;		/* places - 1, const while in use */
	unsigned int	tail ____cacheline_aligned_in_smp; /* pushing side's */
	unsigned int	head ____cacheline_aligned_in_smp; /* popping side's */
};

int ferry_nic_ring_alloc(struct ferry_nic_ring *ring, unsigned int places);
void ferry_nic_ring_free(struct ferry_nic_ring *ring);
void ferry_nic_ring_purge(struct ferry_nic_ring *ring);

/* How many frames are in it: exact for neither side but never beyond it. */
static inline unsigned int
ferry_nic_ring_count(const struct ferry_nic_ring *ring)
{
	return READ_ONCE(ring->tail) - READ_ONCE(ring->head);
}

static inline bool ferry_nic_ring_empty(const struct ferry_nic_ring *ring)
{
	return !ferry_nic_ring_count(ring);
}

/* For the pushing side. */
static inline bool ferry_nic_ring_full(const struct ferry_nic_ring *ring)
{
	/* A place is read before it is written anew; pairs with _pop(). */
	return ring->tail - smp_load_acquire(&ring->head) > ring->mask;
}

/* For the pushing side, which has seen that the ring is not full. */
static inline void ferry_nic_ring_push(struct ferry_nic_ring *ring,
				       struct sk_buff *skb)
{
	ring->desc[ring->tail & ring->mask] = skb;
	/* The frame before the news of it; pairs with _pop(). */
	smp_store_release(&ring->tail, ring->tail + 1);
}

/* For the popping side: the oldest frame, or NULL when there is none. */
static inline struct sk_buff *ferry_nic_ring_pop(struct ferry_nic_ring *ring)
{
	struct sk_buff *skb;

	/* Pairs with _push(). */
	if (ring->head == smp_load_acquire(&ring->tail))
		return NULL;
	skb = ring->desc[ring->head & ring->mask];
	/* The place was read before it is free; pairs with _full(). */
	smp_store_release(&ring->head, ring->head + 1);
	return skb;
}

#endif /* _FERRY_NIC_RING_H */
