// SPDX-License-Identifier: GPL-2.0-only
/*
 * How virtual cards come and go: rtnetlink's kind "ferry", pairs, ferry0.
 */
#include <linux/etherdevice.h>
#include <uapi/linux/ferry.h>
#include <linux/mm.h>
#include <net/rtnetlink.h>

#include "nic.h"
#include "nic_card.h"
#include "nic_irq.h"

#define FERRY_NIC_KIND	"ferry"

#define FERRY_NIC_VLAN_FEATURES						\
	(NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX |		\
	 NETIF_F_HW_VLAN_STAG_TX | NETIF_F_HW_VLAN_STAG_RX)

#define FERRY_NIC_FEATURES						\
	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM |		\
	 NETIF_F_RXCSUM | NETIF_F_SCTP_CRC | NETIF_F_HIGHDMA |		\
	 NETIF_F_GSO_SOFTWARE | NETIF_F_GSO_ENCAP_ALL |			\
	 FERRY_NIC_VLAN_FEATURES)

/* ferry0 carries two of its longest segments at once. */
#define FERRY_NIC_LOOP_GSO	(SZ_128K + SZ_64K)

static struct rtnl_link_ops ferry_nic_link_ops;

static void ferry_nic_dev_free(struct net_device *dev)
{
	struct ferry_nic *nic = netdev_priv(dev);

	kvfree(nic->queue);
	nic->queue = NULL;
}

static void ferry_nic_setup(struct net_device *dev)
{
	ether_setup(dev);

	dev->netdev_ops = &ferry_nic_dev_ops;
	dev->ethtool_ops = &ferry_nic_ethtool_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = ferry_nic_dev_free;

	/*
	 * No queue of the core's above the ring unless one is asked for: the
	 * wire takes a frame at once. A frame is changed on its way, so its
	 * sender cannot share it.
	 */
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE |
			   IFF_UNICAST_FLT;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;

	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU;
	netif_set_tso_max_size(dev, GSO_MAX_SIZE);

	dev->features |= FERRY_NIC_FEATURES;
	dev->hw_features |= FERRY_NIC_FEATURES;
	dev->hw_enc_features |= FERRY_NIC_FEATURES;
	dev->vlan_features |= FERRY_NIC_FEATURES & ~FERRY_NIC_VLAN_FEATURES;
	dev->mpls_features |= NETIF_F_HW_CSUM | NETIF_F_GSO_SOFTWARE;
}

static int ferry_nic_validate(struct nlattr *tb[], struct nlattr *data[],
			      struct netlink_ext_ack *extack)
{
	struct nlattr *addr = tb[IFLA_ADDRESS];

	if (!addr)
		return 0;
	if (nla_len(addr) != ETH_ALEN) {
		NL_SET_ERR_MSG_ATTR(extack, addr,
				    "An Ethernet address has six bytes");
		return -EINVAL;
	}
	if (!is_valid_ether_addr(nla_data(addr))) {
		NL_SET_ERR_MSG_ATTR(extack, addr,
				    "A card's address is neither zero nor a group's");
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/* Register one card; its wire is not plugged in yet. */
static int ferry_nic_register(struct net_device *dev)
{
	int err;

	if (is_zero_ether_addr(dev->dev_addr))
		eth_hw_addr_random(dev);

	err = register_netdevice(dev);
	if (err)
		return err;
	netif_carrier_off(dev);
	return 0;
}

static void ferry_nic_plug(struct net_device *dev, struct net_device *peer_dev)
{
	struct ferry_nic *nic = netdev_priv(dev);
	struct ferry_nic *peer = netdev_priv(peer_dev);

	rcu_assign_pointer(nic->peer, peer);
	rcu_assign_pointer(peer->peer, nic);
}

/* Read and check IFLA_FERRY_PEER: a header and a device's attributes. */
static int ferry_nic_parse_peer(struct nlattr *attr, struct nlattr *tb[],
				struct netlink_ext_ack *extack)
{
	const struct ifinfomsg *ifm = nla_data(attr);
	int err;

	err = rtnl_nla_parse_ifinfomsg(tb, attr, extack);
	if (err < 0)
		return err;
	if (ifm->ifi_index < 0) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "The peer's interface index is negative");
		return -EINVAL;
	}
	return ferry_nic_validate(tb, NULL, extack);
}

/* Make, register and configure the far end of a pair. */
static struct net_device *
ferry_nic_create_peer(struct net *net, struct nlattr *attr, struct nlattr *tb[],
		      struct netlink_ext_ack *extack)
{
	const struct ifinfomsg *ifm = nla_data(attr);
	unsigned char assigned = NET_NAME_ENUM;
	char name[IFNAMSIZ] = FERRY_NIC_KIND "%d";
	struct net_device *peer;
	int err;

	if (tb[IFLA_IFNAME]) {
		nla_strscpy(name, tb[IFLA_IFNAME], IFNAMSIZ);
		assigned = NET_NAME_USER;
	}

	peer = rtnl_create_link(net, name, assigned, &ferry_nic_link_ops, tb,
				extack);
	if (IS_ERR(peer))
		return peer;

	peer->ifindex = ifm->ifi_index;
	err = ferry_nic_register(peer);
	if (err) {
		free_netdev(peer);
		return ERR_PTR(err);
	}

	err = rtnl_configure_link(peer, ifm, 0, NULL);
	if (err < 0) {
		unregister_netdevice(peer);
		return ERR_PTR(err);
	}
	return peer;
}

static int ferry_nic_newpair(struct net_device *dev, struct nlattr *attr,
			     struct rtnl_newlink_params *params,
			     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[IFLA_MAX + 1];
	struct net_device *peer;
	struct net *net;
	int err;

	err = ferry_nic_parse_peer(attr, tb, extack);
	if (err)
		return err;

	net = ferry_get_peer_net(params, tb, extack);
	if (IS_ERR(net))
		return PTR_ERR(net);
	peer = ferry_nic_create_peer(net, attr, tb, extack);
	put_net(net);
	if (IS_ERR(peer))
		return PTR_ERR(peer);

	err = ferry_nic_register(dev);
	if (err) {
		unregister_netdevice(peer);
		return err;
	}
	ferry_nic_plug(dev, peer);
	return 0;
}

static int ferry_nic_newlink(FERRY_NEWLINK_ARGS)
{
	struct rtnl_newlink_params *p = FERRY_NEWLINK_PARAMS;
	int err;

	if (p->data && p->data[IFLA_FERRY_PEER])
		return ferry_nic_newpair(dev, p->data[IFLA_FERRY_PEER], p,
					 extack);

	err = ferry_nic_register(dev);
	if (err)
		return err;
	ferry_nic_plug(dev, dev);
	return 0;
}

static void ferry_nic_cut(struct net_device *dev, struct list_head *head)
{
	struct ferry_nic *nic = netdev_priv(dev);

	RCU_INIT_POINTER(nic->peer, NULL);
	unregister_netdevice_queue(dev, head);
}

/* A wire has two ends or none: with one card goes the other. */
static void ferry_nic_dellink(struct net_device *dev, struct list_head *head)
{
	struct ferry_nic *nic = netdev_priv(dev);
	struct ferry_nic *peer = rtnl_dereference(nic->peer);

	ferry_nic_cut(dev, head);
	if (peer && peer != nic)
		ferry_nic_cut(peer->dev, head);
}

static struct net *ferry_nic_get_link_net(const struct net_device *dev)
{
	struct ferry_nic *nic = netdev_priv(dev);
	struct ferry_nic *peer = rtnl_dereference(nic->peer);

	return dev_net(peer ? peer->dev : dev);
}

static unsigned int ferry_nic_get_num_queues(void)
{
	return min_t(unsigned int, num_possible_cpus(),
		     FERRY_NIC_PAIRS_DEFAULT);
}

static const struct nla_policy ferry_nic_policy[IFLA_FERRY_MAX + 1] = {
	[IFLA_FERRY_PEER] = NLA_POLICY_MIN_LEN(sizeof(struct ifinfomsg)),
};

static struct rtnl_link_ops ferry_nic_link_ops = {
	.kind			= FERRY_NIC_KIND,
	.priv_size		= sizeof(struct ferry_nic),
	.setup			= ferry_nic_setup,
	.validate		= ferry_nic_validate,
	.newlink		= ferry_nic_newlink,
	FERRY_LINK_PEER_TYPE(IFLA_FERRY_PEER)
	.dellink		= ferry_nic_dellink,
	.policy			= ferry_nic_policy,
	.maxtype		= IFLA_FERRY_MAX,
	.get_link_net		= ferry_nic_get_link_net,
	.get_num_tx_queues	= ferry_nic_get_num_queues,
	.get_num_rx_queues	= ferry_nic_get_num_queues,
};

/**
 * ferry_nic_create_loop() - make a namespace's own card, whose wire loops back
 * @net: the namespace
 *
 * It is named ferry0, or as the next number says if that is taken, carries the
 * longest frames there are, cannot leave its namespace, and is up. Nobody but
 * its namespace answers on it, so IP's resolving and configuring is off.
 *
 * Context: process, may sleep, under the RTNL.
 * Return: the device; the namespace, or whoever deletes it, ends it. -ENOMEM,
 * also without an interrupt line, or what a notifier says.
 */
struct net_device *ferry_nic_create_loop(struct net *net)
{
	struct nlattr *tb[IFLA_MAX + 1] = {};
	struct net_device *dev;
	int err;

	ASSERT_RTNL();

	dev = rtnl_create_link(net, FERRY_NIC_KIND "%d", NET_NAME_ENUM,
			       &ferry_nic_link_ops, tb, NULL);
	if (IS_ERR(dev))
		return dev;

	dev->mtu = dev->max_mtu;
	dev->gso_max_size = FERRY_NIC_LOOP_GSO;
	dev->flags |= IFF_NOARP;
	ferry_dev_set_immobile(dev);
	ferry_dev_set_no_addrconf(dev);

	err = ferry_nic_register(dev);
	if (err) {
		free_netdev(dev);
		return ERR_PTR(err);
	}
	ferry_nic_plug(dev, dev);

	err = rtnl_configure_link(dev, NULL, 0, NULL);
	if (!err)
		err = dev_open(dev, NULL);
	if (err) {
		unregister_netdevice(dev);
		return ERR_PTR(err);
	}
	return dev;
}

/**
 * ferry_nic_init() - make cards possible
 *
 * Context: process, may sleep.
 * Return: 0, -ENOMEM, or -EEXIST if the kind "ferry" is taken.
 */
int ferry_nic_init(void)
{
	int err;

	err = ferry_nic_irq_init();
	if (err)
		return err;

	err = rtnl_link_register(&ferry_nic_link_ops);
	if (err) {
		pr_err("the device kind \"" FERRY_NIC_KIND "\" is taken\n");
		ferry_nic_irq_exit();
	}
	return err;
}

/**
 * ferry_nic_exit() - delete all cards and make no more
 *
 * Context: process, may sleep.
 */
void ferry_nic_exit(void)
{
	rtnl_link_unregister(&ferry_nic_link_ops);
	ferry_nic_irq_exit();
}
