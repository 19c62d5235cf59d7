/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network namespaces and devices, for tests.
 *
 * What can fail returns 0 (or a descriptor) or a negative errno.
 */
#ifndef _FERRY_TEST_NET_H
#define _FERRY_TEST_NET_H

#include <stdbool.h>
#include <stddef.h>

/* Go into a new, empty namespace. Return: its descriptor, or -errno. */
int net_new(void);
int net_enter(int net);
/* Run a command of the shell in a namespace. Return: what system() does. */
int __attribute__((format(printf, 2, 3)))
net_shell(int net, const char *format, ...);

/* One of what is told of a device of a kind, IFLA_VLAN_ID for one. */
struct link_attr {
	unsigned short	type, len;
	const void	*data;
};

/*
 * struct link_spec - a device to make
 * @kind: "ferry", "veth", "dummy", "bridge"...
 * @name: its name
 * @peer: the name of the other end of the wire, or NULL for none
 * @peer_net: the namespace of the other end, or -1 for this one
 * @mtu: bytes, of both ends, or 0 for what is usual
 * @addr: its address, or NULL for any
 * @lower: the device that it is made on, or NULL for none
 * @attrs: what it is besides, if it has no peer, the last one with a length of 0; or
 *	NULL
 */
struct link_spec {
	const char	*kind;
	const char	*name;
	const char	*peer;
	int		peer_net;
	unsigned int	mtu;
	const unsigned char *addr;
	const char	*lower;
	const struct link_attr *attrs;
};

int link_add(const struct link_spec *spec);
int link_del(const char *name);
int link_up(const char *name);
int link_down(const char *name);
int link_set_address(const char *name, const unsigned char *addr);
int link_set_mtu(const char *name, unsigned int mtu);
int link_rename(const char *name, const char *to);
int link_move(const char *name, int net);
/* Make a device a port of a bridge, or of none: NULL. */
int link_join(const char *name, const char *bridge);

/*
 * A device's index, or 0 where it is not there. if_nametoindex() says so too, but
 * has the core run modprobe twice to find one of that name.
 */
unsigned int link_index(const char *name);
int link_address(const char *name, unsigned char *addr);
bool link_running(const char *name);
/*
 * Wait until a device sends what is given to it, after the other end of its
 * wire has come up. The end that comes up last is ready at once.
 */
int link_ready(const char *name);

/*
 * Hold what is sent through a device in its queue, up to @bytes, beyond which
 * it is dropped; and let all of it go, then and later.
 */
int link_hold(const char *name, unsigned int bytes);
int link_release(const char *name);
/* Undo link_hold(): what is held is lost, what comes later is not. */
int link_unhold(const char *name);

/* A queueing discipline by its name, as it comes. link_unhold() removes it. */
int link_qdisc(const char *name, const char *kind);

/*
 * struct netem - what happens to packets on their way out of a device
 * @delay_ms: by so much each is late
 * @jitter_ms: give or take
 * @loss: percent that do not arrive
 * @reorder: percent that are not delayed, and so overtake others
 * @duplicate: percent that arrive twice
 * @corrupt: percent of which one bit is turned
 * @limit: packets that may be on their way at a time
 */
struct netem {
	unsigned int	delay_ms, jitter_ms;
	unsigned int	loss, reorder, duplicate, corrupt;
	unsigned int	limit;
};

int link_netem(const char *name, const struct netem *netem);

/* An eBPF program that each packet passes on its way out of a device. */
int link_egress_program(const char *name, int prog);

/* Let Ferry use a device, or not: generic netlink. */
int ferry_enable(const char *name);
int ferry_disable(const char *name);

/*
 * One request of the "ferry" netlink family, as it is: @ifindex is left out if
 * it is 0, @ifname if it is NULL.
 */
int ferry_request(int cmd, unsigned int ifindex, const char *ifname);

/*
 * struct ferry_link_info - a link, as the family tells of it
 */
struct ferry_link_info {
	unsigned int	ifindex;
	char		name[16];
	unsigned char	addr[6];
	unsigned int	mtu, flags;
};

/* All links of this namespace. Return: how many, or -errno. */
int ferry_links(struct ferry_link_info *links, int room);

/* Listen for what happens to the links of this namespace. Return: a socket. */
int ferry_listen(void);
/* Wait for the next of it. Return: its command, or -errno. */
int ferry_event(int fd, struct ferry_link_info *link);
/* Has nothing more happened? */
bool ferry_no_event(int fd);

#endif
