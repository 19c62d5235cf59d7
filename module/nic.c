// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual card as a network device: up, down, a frame sent, counters.
 * nic_card.h has the map of the card's files, and the way of a frame.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>

#include "nic.h"
#include "nic_card.h"

static void ferry_nic_add(u64_stats_t *counter, struct u64_stats_sync *syncp,
			  unsigned int count)
{
	u64_stats_update_begin(syncp);
	u64_stats_add(counter, count);
	u64_stats_update_end(syncp);
}

/*
 * Move the frames in the TX ring over the wire, and complete them. The card
 * does at once what others take their time for and interrupt about; but it
 * keeps their order of things, so a queue that was stopped is woken here.
 */
static void ferry_nic_doorbell(struct ferry_nic *nic, struct ferry_nic_txq *txq,
			       struct netdev_queue *queue)
{
	unsigned int frames = 0, bytes = 0, lost = 0, lost_bytes = 0;
	struct ferry_nic *peer;
	struct sk_buff *skb;

	rcu_read_lock();
	peer = rcu_dereference(nic->peer);
	while ((skb = ferry_nic_ring_pop(&txq->ring))) {
		unsigned int len = skb->len;

		frames++;
		bytes += len;
		if (likely(peer) && likely(ferry_nic_rx_arrive(peer, skb)))
			continue;
		if (!peer)
			kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
		lost++;
		lost_bytes += len;
	}
	rcu_read_unlock();

	netdev_tx_completed_queue(queue, frames, bytes);

	u64_stats_update_begin(&txq->stats.syncp);
	u64_stats_add(&txq->stats.packets, frames - lost);
	u64_stats_add(&txq->stats.bytes, bytes - lost_bytes);
	u64_stats_add(&txq->stats.dropped, lost);
	u64_stats_inc(&txq->stats.doorbells);
	u64_stats_update_end(&txq->stats.syncp);

	if (unlikely(netif_tx_queue_stopped(queue))) {
		netif_tx_wake_queue(queue);
		ferry_nic_add(&txq->stats.woken, &txq->stats.syncp, 1);
	}
}

/*
 * Send a frame: write its descriptor, and ring the doorbell unless the core
 * says that more frames are coming and there is room for one. The ring has
 * room when this is called: when it fills up, the doorbell is rung, and that
 * empties it.
 */
static netdev_tx_t ferry_nic_start_xmit(struct sk_buff *skb,
					struct net_device *dev)
{
	struct ferry_nic *nic = netdev_priv(dev);
	unsigned int index = skb_get_queue_mapping(skb);
	struct netdev_queue *queue = netdev_get_tx_queue(dev, index);
	struct ferry_nic_txq *txq = &nic->queue[index].tx;
	unsigned int len = skb->len;

	if (unlikely(!txq->live || !pskb_may_pull(skb, ETH_HLEN))) {
		ferry_nic_add(&txq->stats.dropped, &txq->stats.syncp, 1);
		kfree_skb_reason(skb, txq->live ? SKB_DROP_REASON_HDR_TRUNC :
						  SKB_DROP_REASON_DEV_READY);
		return NETDEV_TX_OK;
	}

	skb_tx_timestamp(skb);
	ferry_nic_ring_push(&txq->ring, skb);
	if (unlikely(ferry_nic_ring_full(&txq->ring))) {
		netif_tx_stop_queue(queue);
		ferry_nic_add(&txq->stats.stopped, &txq->stats.syncp, 1);
	}
	if (__netdev_tx_sent_queue(queue, len, netdev_xmit_more()))
		ferry_nic_doorbell(nic, txq, queue);
	return NETDEV_TX_OK;
}

/* There is carrier when both ends of the wire are up. */
static void ferry_nic_carrier_on(struct ferry_nic *nic)
{
	struct ferry_nic *peer = rtnl_dereference(nic->peer);

	if (peer && (peer == nic || netif_running(peer->dev))) {
		netif_carrier_on(nic->dev);
		netif_carrier_on(peer->dev);
	}
}

static void ferry_nic_carrier_off(struct ferry_nic *nic)
{
	struct ferry_nic *peer = rtnl_dereference(nic->peer);

	netif_carrier_off(nic->dev);
	if (peer)
		netif_carrier_off(peer->dev);
}

static int ferry_nic_open(struct net_device *dev)
{
	struct ferry_nic *nic = netdev_priv(dev);
	int err;

	err = ferry_nic_queues_open(nic, 0, nic->pairs);
	if (err)
		return err;

	ferry_nic_queues_start(nic, 0, nic->pairs);
	netif_tx_start_all_queues(dev);
	ferry_nic_carrier_on(nic);
	return 0;
}

static int ferry_nic_stop(struct net_device *dev)
{
	struct ferry_nic *nic = netdev_priv(dev);

	ferry_nic_carrier_off(nic);
	ferry_nic_queues_stop(nic, 0, nic->pairs);
	ferry_nic_queues_close(nic, 0, nic->pairs);
	return 0;
}

static void ferry_nic_get_stats64(struct net_device *dev,
				  struct rtnl_link_stats64 *stats)
{
	struct ferry_nic *nic = netdev_priv(dev);
	struct ferry_nic_counts counts;
	unsigned int i;

	for (i = 0; i < nic->max_pairs; i++) {
		ferry_nic_queue_count(&nic->queue[i], &counts);
		stats->tx_packets += counts.tx_packets;
		stats->tx_bytes += counts.tx_bytes;
		stats->tx_dropped += counts.tx_dropped;
		stats->rx_packets += counts.rx_packets;
		stats->rx_bytes += counts.rx_bytes;
		stats->rx_missed_errors += counts.rx_missed;
		stats->rx_length_errors += counts.rx_over_length;
		stats->rx_errors += counts.rx_over_length;
	}
}

static int ferry_nic_get_iflink(const struct net_device *dev)
{
	struct ferry_nic *nic = netdev_priv(dev), *peer;
	int iflink;

	rcu_read_lock();
	peer = rcu_dereference(nic->peer);
	iflink = peer ? READ_ONCE(peer->dev->ifindex) : 0;
	rcu_read_unlock();
	return iflink;
}

/* The card hears everything, so there is no filter to set. */
static void ferry_nic_set_rx_mode(struct net_device *dev)
{
}

/*
 * Make a card's queues. They live as long as the device's memory: others may
 * look at the card under RCU until the device is gone.
 */
static int ferry_nic_dev_init(struct net_device *dev)
{
	struct ferry_nic *nic = netdev_priv(dev);
	unsigned int i;
	int err;

	nic->dev = dev;
	nic->max_pairs = min(dev->num_tx_queues, dev->num_rx_queues);
	nic->pairs = nic->max_pairs;
	nic->tx_places = FERRY_NIC_RING_DEFAULT;
	nic->rx_places = FERRY_NIC_RING_DEFAULT;
	nic->conf = (struct ferry_nic_moderate_conf) {
		.usecs = FERRY_NIC_USECS_DEFAULT,
		.frames = FERRY_NIC_FRAMES_DEFAULT,
		.adaptive = true,
	};

	err = netif_set_real_num_queues(dev, nic->pairs, nic->pairs);
	if (err)
		return err;

	nic->queue = kvcalloc(nic->max_pairs, sizeof(*nic->queue),
			      GFP_KERNEL_ACCOUNT);
	if (!nic->queue)
		return -ENOMEM;
	for (i = 0; i < nic->max_pairs; i++)
		ferry_nic_queue_init(nic, i);
	return 0;
}

const struct net_device_ops ferry_nic_dev_ops = {
	.ndo_init		= ferry_nic_dev_init,
	.ndo_open		= ferry_nic_open,
	.ndo_stop		= ferry_nic_stop,
	.ndo_start_xmit		= ferry_nic_start_xmit,
	.ndo_get_stats64	= ferry_nic_get_stats64,
	.ndo_get_iflink		= ferry_nic_get_iflink,
	.ndo_set_rx_mode	= ferry_nic_set_rx_mode,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_features_check	= passthru_features_check,
};

/**
 * ferry_nic_is() - is a device one of Ferry's virtual cards?
 * @dev: the device
 *
 * Return: whether it is.
 */
bool ferry_nic_is(const struct net_device *dev)
{
	return dev->netdev_ops == &ferry_nic_dev_ops;
}
