// SPDX-License-Identifier: GPL-2.0-only
/*
 * A queue pair's resources: taken, started, stopped, returned.
 *
 *	closed --open--> stopped --start--> live --stop--> stopped --close-->
 *
 * Open takes all that can be refused: rings, NAPI instance, interrupt line.
 * Start cannot fail. Stop leaves nothing in motion: no frame on the way in, no
 * timer, no poll, no frame in a ring.
 */
#include <linux/slab.h>

#include "nic_card.h"
#include "nic_irq.h"

/**
 * ferry_nic_queue_init() - prepare a queue pair of a new card
 * @nic: the card
 * @index: which queue pair
 */
void ferry_nic_queue_init(struct ferry_nic *nic, unsigned int index)
{
	struct ferry_nic_queue *queue = &nic->queue[index];

	queue->rx.nic = nic;
	queue->rx.index = index;
	spin_lock_init(&queue->rx.lock);
	u64_stats_init(&queue->tx.stats.syncp);
	u64_stats_init(&queue->rx.wire.syncp);
	u64_stats_init(&queue->rx.irqs.syncp);
	u64_stats_init(&queue->rx.polled.syncp);
	netdev_queue_set_dql_min_limit(netdev_get_tx_queue(nic->dev, index),
				       FERRY_NIC_BATCH_BYTES);
}

static int ferry_nic_rings_alloc(struct ferry_nic_ring *tx,
				 unsigned int tx_places,
				 struct ferry_nic_ring *rx,
				 unsigned int rx_places)
{
	int err;

	err = ferry_nic_ring_alloc(tx, tx_places);
	if (err)
		return err;
	err = ferry_nic_ring_alloc(rx, rx_places);
	if (err)
		ferry_nic_ring_free(tx);
	return err;
}

static int ferry_nic_queue_open(struct ferry_nic *nic, unsigned int index)
{
	struct ferry_nic_queue *queue = &nic->queue[index];
	struct ferry_nic_rxq *rxq = &queue->rx;
	int err;

	err = ferry_nic_rings_alloc(&queue->tx.ring, nic->tx_places,
				    &rxq->ring, nic->rx_places);
	if (err)
		return err;

	snprintf(rxq->irq_name, sizeof(rxq->irq_name), "%s-rx-%u",
		 nic->dev->name, index);
	rxq->irq = ferry_nic_irq_request(ferry_nic_rx_irq, rxq->irq_name, rxq);
	if (rxq->irq < 0) {
		netdev_err(nic->dev, "no interrupt line for queue %u: error %d\n",
			   index, rxq->irq);
		ferry_nic_ring_free(&queue->tx.ring);
		ferry_nic_ring_free(&rxq->ring);
		return rxq->irq;
	}

	ferry_hrtimer_setup(&rxq->timer, ferry_nic_rx_timer, CLOCK_MONOTONIC,
			    HRTIMER_MODE_REL_PINNED_HARD);
	netif_napi_add(nic->dev, &rxq->napi, ferry_nic_rx_poll);
	ferry_netif_napi_set_irq(&rxq->napi, rxq->irq);
	return 0;
}

/**
 * ferry_nic_queues_open() - take what queue pairs need
 * @nic: the card
 * @from: first queue pair
 * @to: the one after the last
 *
 * Context: process, may sleep, under the RTNL.
 * Return: 0, or -ENOMEM with nothing taken.
 */
int ferry_nic_queues_open(struct ferry_nic *nic, unsigned int from,
			  unsigned int to)
{
	unsigned int i;
	int err;

	for (i = from; i < to; i++) {
		err = ferry_nic_queue_open(nic, i);
		if (err) {
			ferry_nic_queues_close(nic, from, i);
			return err;
		}
	}
	return 0;
}

/**
 * ferry_nic_queues_close() - return what ferry_nic_queues_open() took
 * @nic: the card
 * @from: first queue pair
 * @to: the one after the last; all of them are stopped
 *
 * Context: process, may sleep, under the RTNL.
 */
void ferry_nic_queues_close(struct ferry_nic *nic, unsigned int from,
			    unsigned int to)
{
	unsigned int i;

	if (from == to)
		return;

	for (i = from; i < to; i++) {
		struct ferry_nic_queue *queue = &nic->queue[i];

		ferry_nic_irq_free(queue->rx.irq, &queue->rx);
		__netif_napi_del(&queue->rx.napi);
		ferry_nic_ring_free(&queue->tx.ring);
		ferry_nic_ring_free(&queue->rx.ring);
	}
	/* Busy pollers may look at a NAPI instance under RCU. */
	synchronize_net();
}

static void ferry_nic_txq_set_live(struct ferry_nic *nic, unsigned int index,
				   bool live)
{
	struct netdev_queue *lock = netdev_get_tx_queue(nic->dev, index);

	__netif_tx_lock_bh(lock);
	nic->queue[index].tx.live = live;
	__netif_tx_unlock_bh(lock);
}

static void ferry_nic_rxq_set_live(struct ferry_nic_rxq *rxq, bool live)
{
	unsigned long flags;

	spin_lock_irqsave(&rxq->lock, flags);
	rxq->live = live;
	spin_unlock_irqrestore(&rxq->lock, flags);
}

/**
 * ferry_nic_queues_start() - let frames pass
 * @nic: the card
 * @from: first queue pair
 * @to: the one after the last; all of them are open
 *
 * Context: process, may sleep, under the RTNL.
 */
void ferry_nic_queues_start(struct ferry_nic *nic, unsigned int from,
			    unsigned int to)
{
	unsigned int i;

	for (i = from; i < to; i++) {
		struct ferry_nic_rxq *rxq = &nic->queue[i].rx;

		rxq->conf = nic->conf;
		rxq->masked = false;
		rxq->by_timer = false;
		ferry_nic_moderate_init(&rxq->moderate);
		napi_enable(&rxq->napi);
		ferry_nic_rxq_set_live(rxq, true);
		ferry_nic_txq_set_live(nic, i, true);
	}
}

/**
 * ferry_nic_queues_stop() - let no frame pass, and bring all to rest
 * @nic: the card
 * @from: first queue pair
 * @to: the one after the last
 *
 * In the order in which a frame passes: sender, ring, timer, poll. When each
 * is at rest, nothing sets the next in motion any more. Frames in the rings
 * are dropped.
 *
 * Context: process, may sleep, under the RTNL.
 */
void ferry_nic_queues_stop(struct ferry_nic *nic, unsigned int from,
			   unsigned int to)
{
	unsigned int i;

	for (i = from; i < to; i++) {
		ferry_nic_txq_set_live(nic, i, false);
		ferry_nic_rxq_set_live(&nic->queue[i].rx, false);
	}
	/* Those who bring frames raise and start timers under RCU. */
	synchronize_net();

	for (i = from; i < to; i++) {
		struct ferry_nic_queue *queue = &nic->queue[i];

		hrtimer_cancel(&queue->rx.timer);
		napi_disable(&queue->rx.napi);
		ferry_nic_ring_purge(&queue->rx.ring);
		ferry_nic_ring_purge(&queue->tx.ring);
		netdev_tx_reset_queue(netdev_get_tx_queue(nic->dev, i));
	}
}

/**
 * ferry_nic_queues_resize() - give a running card rings of another size
 * @nic: the card
 * @tx_places: size of its TX rings, a power of two
 * @rx_places: size of its RX rings, a power of two
 *
 * Frames in the rings are dropped, and those that come in the meantime.
 *
 * Context: process, may sleep, under the RTNL.
 * Return: 0, or -ENOMEM with the rings as they were.
 */
int ferry_nic_queues_resize(struct ferry_nic *nic, unsigned int tx_places,
			    unsigned int rx_places)
{
	struct { struct ferry_nic_ring tx, rx; } *rings;
	unsigned int i, made;
	int err = -ENOMEM;

	rings = kvcalloc(nic->pairs, sizeof(*rings), GFP_KERNEL);
	if (!rings)
		return -ENOMEM;

	for (made = 0; made < nic->pairs; made++) {
		err = ferry_nic_rings_alloc(&rings[made].tx, tx_places,
					    &rings[made].rx, rx_places);
		if (err)
			goto out;
	}

	ferry_nic_queues_stop(nic, 0, nic->pairs);
	for (i = 0; i < nic->pairs; i++) {
		swap(nic->queue[i].tx.ring, rings[i].tx);
		swap(nic->queue[i].rx.ring, rings[i].rx);
	}
	ferry_nic_queues_start(nic, 0, nic->pairs);

out:
	for (i = 0; i < made; i++) {
		ferry_nic_ring_free(&rings[i].tx);
		ferry_nic_ring_free(&rings[i].rx);
	}
	kvfree(rings);
	return err;
}

static void ferry_nic_txq_count(const struct ferry_nic_txq_stats *stats,
				struct ferry_nic_counts *counts)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		counts->tx_packets = u64_stats_read(&stats->packets);
		counts->tx_bytes = u64_stats_read(&stats->bytes);
		counts->tx_dropped = u64_stats_read(&stats->dropped);
		counts->tx_stopped = u64_stats_read(&stats->stopped);
		counts->tx_woken = u64_stats_read(&stats->woken);
		counts->tx_doorbells = u64_stats_read(&stats->doorbells);
	} while (u64_stats_fetch_retry(&stats->syncp, start));
}

static void ferry_nic_wire_count(const struct ferry_nic_wire_stats *stats,
				 struct ferry_nic_counts *counts)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		counts->rx_missed = u64_stats_read(&stats->missed);
		counts->rx_over_length = u64_stats_read(&stats->over_length);
		counts->rx_waits_paid = u64_stats_read(&stats->waits_paid);
		counts->rx_waits_vain = u64_stats_read(&stats->waits_vain);
	} while (u64_stats_fetch_retry(&stats->syncp, start));
}

static void ferry_nic_irq_count(const struct ferry_nic_irq_stats *stats,
				struct ferry_nic_counts *counts)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		counts->rx_interrupts = u64_stats_read(&stats->interrupts);
		counts->rx_timer_interrupts = u64_stats_read(&stats->by_timer);
	} while (u64_stats_fetch_retry(&stats->syncp, start));
}

static void ferry_nic_poll_count(const struct ferry_nic_poll_stats *stats,
				 struct ferry_nic_counts *counts)
{
	unsigned int start;

	do {
		start = u64_stats_fetch_begin(&stats->syncp);
		counts->rx_packets = u64_stats_read(&stats->packets);
		counts->rx_bytes = u64_stats_read(&stats->bytes);
		counts->rx_polls = u64_stats_read(&stats->polls);
	} while (u64_stats_fetch_retry(&stats->syncp, start));
}

/**
 * ferry_nic_queue_count() - read a queue pair's counters
 * @queue: the queue pair
 * @counts: where to write them
 */
void ferry_nic_queue_count(const struct ferry_nic_queue *queue,
			   struct ferry_nic_counts *counts)
{
	ferry_nic_txq_count(&queue->tx.stats, counts);
	ferry_nic_wire_count(&queue->rx.wire, counts);
	ferry_nic_irq_count(&queue->rx.irqs, counts);
	ferry_nic_poll_count(&queue->rx.polled, counts);
}
