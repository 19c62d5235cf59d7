/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual card's own structures, for the files of the card alone.
 *
 *	nic.c          the network device: up, down, a frame sent, counters
 *	nic_link.c     how cards come and go: rtnetlink, pairs, ferry0
 *	nic_ethtool.c  what ethtool asks and sets
 *	nic_queue.c    a queue pair's resources: taken, started, stopped, returned
 *	nic_rx.c       the receiving end: arrival, interrupt, poll
 *	nic_ring.c     descriptor rings
 *	nic_irq.c      interrupt lines
 *	nic_moderate.c when to interrupt
 *
 * The way of a frame. The left half runs in the sender's context, the right
 * half in the interrupt and softirq of the receiving card:
 *
 *	ferry_nic_start_xmit()                 ferry_nic_rx_irq()
 *	  TX ring, BQL                           mask, napi_schedule()
 *	ferry_nic_doorbell()                   ferry_nic_rx_poll()
 *	  the wire                               napi_gro_receive()
 *	ferry_nic_rx_arrive()                  ferry_nic_rx_unmask()
 *	  RX ring, moderation --- irq --->
 *
 * Locks, outermost first. A card's interrupt is raised under none of them but
 * the sender's TX queue lock.
 *
 *	RTNL                     all set-up and all tear-down
 *	netdev_queue._xmit_lock  the TX queue: both sides of its ring
 *	ferry_nic_rxq.lock       the RX queue: the pushing side of its ring
 */
#ifndef _FERRY_NIC_CARD_H
#define _FERRY_NIC_CARD_H

#include <linux/hrtimer.h>
#include <linux/if_ether.h>
#include <linux/netdevice.h>
#include <linux/u64_stats_sync.h>

#include "nic_moderate.h"
#include "nic_ring.h"

#define FERRY_NIC_RING_MIN	64
#define FERRY_NIC_RING_MAX	16384
#define FERRY_NIC_RING_DEFAULT	1024

/* Queue pairs that a card has unless it was made with another number. */
#define FERRY_NIC_PAIRS_DEFAULT	8

#define FERRY_NIC_USECS_DEFAULT	50
#define FERRY_NIC_FRAMES_DEFAULT 32
#define FERRY_NIC_USECS_MAX	10000000

/*
 * Bytes that a batch may always have, whatever BQL thinks. It would learn that
 * this card never has more than one frame on the way, and end all batches.
 */
#define FERRY_NIC_BATCH_BYTES	65536

struct ferry_nic;

/* struct ferry_nic_txq_stats - written under the TX queue's lock */
struct ferry_nic_txq_stats {
	struct u64_stats_sync	syncp;
	u64_stats_t		packets;
	u64_stats_t		bytes;
	u64_stats_t		dropped;
	u64_stats_t		stopped;
	u64_stats_t		woken;
	u64_stats_t		doorbells;
};

/*
 * struct ferry_nic_txq - the sending half of a queue pair
 *
 * Part of its queue pair. Everything in it is guarded by the TX queue's lock,
 * which the core holds around ferry_nic_start_xmit().
 */
struct ferry_nic_txq {
	struct ferry_nic_ring	ring;
	bool			live;	/* frames may be sent */
	struct ferry_nic_txq_stats stats;
};

/* struct ferry_nic_wire_stats - written under ferry_nic_rxq.lock */
struct ferry_nic_wire_stats {
	struct u64_stats_sync	syncp;
	u64_stats_t		missed;
	u64_stats_t		over_length;
	u64_stats_t		waits_paid;
	u64_stats_t		waits_vain;
};

/* struct ferry_nic_irq_stats - written in the hard-irq handler */
struct ferry_nic_irq_stats {
	struct u64_stats_sync	syncp;
	u64_stats_t		interrupts;
	u64_stats_t		by_timer;
};

/* struct ferry_nic_poll_stats - written by the owner of the NAPI instance */
struct ferry_nic_poll_stats {
	struct u64_stats_sync	syncp;
	u64_stats_t		packets;
	u64_stats_t		bytes;
	u64_stats_t		polls;
};

/*
 * struct ferry_nic_rxq - the receiving half of a queue pair
 *
 * Part of its queue pair. @masked is the card's interrupt mask: set by the
 * handler, cleared when a poll has emptied the ring. Whoever pushes a frame
 * and sees it set leaves the frame to that poll.
 *
 * @irq, @timer and @napi are there between ferry_nic_queues_open() and
 * ferry_nic_queues_close(). They are raised, started and scheduled only while
 * @live, or by a poll; ferry_nic_queues_stop() clears @live and waits for all
 * of it to come to rest.
 */
struct ferry_nic_rxq {
	struct ferry_nic	*nic;	/* const */
	u16			index;	/* const */
	int			irq;
	char			irq_name[IFNAMSIZ + 16];

	/* The wire's side. */
	spinlock_t		lock;	/* guards the next five */
	bool			live;	/* frames may arrive */
	struct ferry_nic_ring	ring;	/* pushing side: lock; popping: NAPI */
	struct ferry_nic_moderate moderate;
	struct ferry_nic_moderate_conf conf;
	struct ferry_nic_wire_stats wire;

	/* The interrupt. */
	bool			masked;
	bool			by_timer; /* the timer raised it */
	struct hrtimer		timer;	/* ends a wait */
	struct ferry_nic_irq_stats irqs;

	/* The poll. */
	struct napi_struct	napi ____cacheline_aligned_in_smp;
	struct ferry_nic_poll_stats polled;
};

/*
 * struct ferry_nic_queue - a queue pair
 *
 * All of a card's are one array, made in ferry_nic_dev_init() and freed by the
 * device's destructor. See there for the references.
 */
struct ferry_nic_queue {
	struct ferry_nic_txq	tx;
	struct ferry_nic_rxq	rx;
};

/*
 * struct ferry_nic - a card
 *
 * The private part of its network device, and lives and dies with it. Made by
 * rtnetlink, or by ferry_nic_create_loop(). It dies by ferry_nic_dellink():
 * when it or its peer is deleted, when the namespace of either goes, and when
 * the module is unloaded. All that happens under the RTNL.
 *
 * @peer is the card at the other end of the wire, or the card itself. It is no
 * reference: ferry_nic_dellink() clears both ends' pointers and unregisters
 * both cards, and unregistering waits for a grace period and for the device's
 * references before the memory goes.
 */
struct ferry_nic {
	struct net_device	*dev;	/* const */
	struct ferry_nic __rcu	*peer;	/* RTNL; NULL: cut off */
	struct ferry_nic_queue	*queue;	/* const, max_pairs of them */
	unsigned int		max_pairs; /* const */
	unsigned int		pairs;	/* in use; RTNL, read without */
	unsigned int		tx_places; /* RTNL */
	unsigned int		rx_places; /* RTNL */
	struct ferry_nic_moderate_conf conf; /* RTNL; rxq.conf are copies */
};

/*
 * struct ferry_nic_counts - a queue pair's counters, as ethtool -S shows them
 *
 * All of them u64: ferry_nic_count_names has a name for each, in this order.
 */
struct ferry_nic_counts {
	u64	tx_packets;
	u64	tx_bytes;
	u64	tx_dropped;
	u64	tx_stopped;
	u64	tx_woken;
	u64	tx_doorbells;
	u64	rx_packets;
	u64	rx_bytes;
	u64	rx_missed;
	u64	rx_over_length;
	u64	rx_interrupts;
	u64	rx_timer_interrupts;
	u64	rx_polls;
	u64	rx_waits_paid;
	u64	rx_waits_vain;
};

extern const struct net_device_ops ferry_nic_dev_ops;
extern const struct ethtool_ops ferry_nic_ethtool_ops;

static inline bool ferry_nic_loops(const struct ferry_nic *nic)
{
	return rcu_access_pointer(nic->peer) == nic;
}

/* nic_queue.c */
int ferry_nic_queues_open(struct ferry_nic *nic, unsigned int from,
			  unsigned int to);
void ferry_nic_queues_close(struct ferry_nic *nic, unsigned int from,
			    unsigned int to);
void ferry_nic_queues_start(struct ferry_nic *nic, unsigned int from,
			    unsigned int to);
void ferry_nic_queues_stop(struct ferry_nic *nic, unsigned int from,
			   unsigned int to);
int ferry_nic_queues_resize(struct ferry_nic *nic, unsigned int tx_places,
			    unsigned int rx_places);
void ferry_nic_queue_init(struct ferry_nic *nic, unsigned int index);
void ferry_nic_queue_count(const struct ferry_nic_queue *queue,
			   struct ferry_nic_counts *counts);

/* nic_rx.c */
bool ferry_nic_rx_arrive(struct ferry_nic *nic, struct sk_buff *skb);
irqreturn_t ferry_nic_rx_irq(int irq, void *data);
enum hrtimer_restart ferry_nic_rx_timer(struct hrtimer *timer);
int ferry_nic_rx_poll(struct napi_struct *napi, int budget);
void ferry_nic_rx_configure(struct ferry_nic_rxq *rxq,
			    const struct ferry_nic_moderate_conf *conf);

#endif /* _FERRY_NIC_CARD_H */
