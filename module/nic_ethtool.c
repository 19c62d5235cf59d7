// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ethtool asks of the virtual card, and sets.
 */
#include <linux/ethtool.h>
#include <linux/log2.h>
#include <linux/netdevice.h>

#include "nic_card.h"

/* In the order of struct ferry_nic_counts. */
static const char *const ferry_nic_count_names[] = {
	"tx_packets",
	"tx_bytes",
	"tx_dropped",
	"tx_stopped",
	"tx_woken",
	"tx_doorbells",
	"rx_packets",
	"rx_bytes",
	"rx_missed",
	"rx_over_length",
	"rx_interrupts",
	"rx_timer_interrupts",
	"rx_polls",
	"rx_waits_paid",
	"rx_waits_vain",
};

#define FERRY_NIC_COUNTS	ARRAY_SIZE(ferry_nic_count_names)

static_assert(sizeof(struct ferry_nic_counts) ==
	      FERRY_NIC_COUNTS * sizeof(u64));

static void ferry_nic_get_drvinfo(struct net_device *dev,
				  struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "ferry", sizeof(info->driver));
	strscpy(info->bus_info, "virtual", sizeof(info->bus_info));
}

static void ferry_nic_get_ringparam(struct net_device *dev,
				    struct ethtool_ringparam *ring,
				    struct kernel_ethtool_ringparam *kernel,
				    struct netlink_ext_ack *extack)
{
	struct ferry_nic *nic = netdev_priv(dev);

	ring->tx_max_pending = FERRY_NIC_RING_MAX;
	ring->rx_max_pending = FERRY_NIC_RING_MAX;
	ring->tx_pending = nic->tx_places;
	ring->rx_pending = nic->rx_places;
}

/* The core has seen to it that no size is above the largest. */
static int ferry_nic_set_ringparam(struct net_device *dev,
				   struct ethtool_ringparam *ring,
				   struct kernel_ethtool_ringparam *kernel,
				   struct netlink_ext_ack *extack)
{
	struct ferry_nic *nic = netdev_priv(dev);
	unsigned int tx, rx;
	int err;

	if (ring->tx_pending < FERRY_NIC_RING_MIN ||
	    ring->rx_pending < FERRY_NIC_RING_MIN) {
		NL_SET_ERR_MSG(extack, "A ring has at least 64 places");
		return -EINVAL;
	}

	tx = roundup_pow_of_two(ring->tx_pending);
	rx = roundup_pow_of_two(ring->rx_pending);
	if (netif_running(dev)) {
		err = ferry_nic_queues_resize(nic, tx, rx);
		if (err)
			return err;
	}
	nic->tx_places = tx;
	nic->rx_places = rx;
	return 0;
}

static void ferry_nic_get_channels(struct net_device *dev,
				   struct ethtool_channels *channels)
{
	struct ferry_nic *nic = netdev_priv(dev);

	channels->max_combined = nic->max_pairs;
	channels->combined_count = nic->pairs;
}

/* More queue pairs: they run before anybody is told of them. */
static int ferry_nic_grow(struct ferry_nic *nic, unsigned int pairs)
{
	bool running = netif_running(nic->dev);
	unsigned int old = nic->pairs;
	int err;

	if (running) {
		err = ferry_nic_queues_open(nic, old, pairs);
		if (err)
			return err;
		ferry_nic_queues_start(nic, old, pairs);
	}

	err = netif_set_real_num_queues(nic->dev, pairs, pairs);
	if (!err) {
		WRITE_ONCE(nic->pairs, pairs);
	} else if (running) {
		ferry_nic_queues_stop(nic, old, pairs);
		ferry_nic_queues_close(nic, old, pairs);
	}
	return err;
}

/* Fewer queue pairs: nobody is told of them before they stop. */
static int ferry_nic_shrink(struct ferry_nic *nic, unsigned int pairs)
{
	unsigned int old = nic->pairs;
	int err;

	err = netif_set_real_num_queues(nic->dev, pairs, pairs);
	if (err)
		return err;

	WRITE_ONCE(nic->pairs, pairs);
	if (netif_running(nic->dev)) {
		ferry_nic_queues_stop(nic, pairs, old);
		ferry_nic_queues_close(nic, pairs, old);
	}
	return 0;
}

/* The core has seen to it that the count is neither 0 nor above the most. */
static int ferry_nic_set_channels(struct net_device *dev,
				  struct ethtool_channels *channels)
{
	struct ferry_nic *nic = netdev_priv(dev);
	unsigned int pairs = channels->combined_count;

	if (pairs > nic->pairs)
		return ferry_nic_grow(nic, pairs);
	return ferry_nic_shrink(nic, pairs);
}

static int ferry_nic_get_coalesce(struct net_device *dev,
				  struct ethtool_coalesce *coal,
				  struct kernel_ethtool_coalesce *kernel,
				  struct netlink_ext_ack *extack)
{
	struct ferry_nic *nic = netdev_priv(dev);

	coal->rx_coalesce_usecs = nic->conf.usecs;
	coal->rx_max_coalesced_frames = nic->conf.frames;
	coal->use_adaptive_rx_coalesce = nic->conf.adaptive;
	return 0;
}

static int ferry_nic_set_coalesce(struct net_device *dev,
				  struct ethtool_coalesce *coal,
				  struct kernel_ethtool_coalesce *kernel,
				  struct netlink_ext_ack *extack)
{
	struct ferry_nic *nic = netdev_priv(dev);
	unsigned int i;

	if (coal->rx_coalesce_usecs > FERRY_NIC_USECS_MAX) {
		NL_SET_ERR_MSG(extack, "rx-usecs is at most 10000000");
		return -EINVAL;
	}

	nic->conf = (struct ferry_nic_moderate_conf) {
		.usecs = coal->rx_coalesce_usecs,
		.frames = coal->rx_max_coalesced_frames,
		.adaptive = coal->use_adaptive_rx_coalesce,
	};
	if (netif_running(dev))
		for (i = 0; i < nic->pairs; i++)
			ferry_nic_rx_configure(&nic->queue[i].rx, &nic->conf);
	return 0;
}

static int ferry_nic_get_sset_count(struct net_device *dev, int sset)
{
	struct ferry_nic *nic = netdev_priv(dev);

	return sset == ETH_SS_STATS ? nic->pairs * FERRY_NIC_COUNTS :
				      -EOPNOTSUPP;
}

static void ferry_nic_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	struct ferry_nic *nic = netdev_priv(dev);
	unsigned int i, j;

	if (sset != ETH_SS_STATS)
		return;
	for (i = 0; i < nic->pairs; i++)
		for (j = 0; j < FERRY_NIC_COUNTS; j++)
			ethtool_sprintf(&data, "queue_%u_%s", i,
					ferry_nic_count_names[j]);
}

static void ferry_nic_get_ethtool_stats(struct net_device *dev,
					struct ethtool_stats *stats, u64 *data)
{
	struct ferry_nic *nic = netdev_priv(dev);
	unsigned int i;

	for (i = 0; i < nic->pairs; i++, data += FERRY_NIC_COUNTS)
		ferry_nic_queue_count(&nic->queue[i],
				      (struct ferry_nic_counts *)data);
}

/* A speed for those who share by it, such as bonding; nothing is paced. */
static int ferry_nic_get_link_ksettings(struct net_device *dev,
					struct ethtool_link_ksettings *cmd)
{
	cmd->base.speed = SPEED_10000;
	cmd->base.duplex = DUPLEX_FULL;
	cmd->base.port = PORT_OTHER;
	cmd->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

const struct ethtool_ops ferry_nic_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_RX_USECS |
				     ETHTOOL_COALESCE_RX_MAX_FRAMES |
				     ETHTOOL_COALESCE_USE_ADAPTIVE_RX,
	.get_drvinfo		= ferry_nic_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= ferry_nic_get_link_ksettings,
	.get_ringparam		= ferry_nic_get_ringparam,
	.set_ringparam		= ferry_nic_set_ringparam,
	.get_channels		= ferry_nic_get_channels,
	.set_channels		= ferry_nic_set_channels,
	.get_coalesce		= ferry_nic_get_coalesce,
	.set_coalesce		= ferry_nic_set_coalesce,
	.get_sset_count		= ferry_nic_get_sset_count,
	.get_strings		= ferry_nic_get_strings,
	.get_ethtool_stats	= ferry_nic_get_ethtool_stats,
	.get_ts_info		= ethtool_op_get_ts_info,
};
