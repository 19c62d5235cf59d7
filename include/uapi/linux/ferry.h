/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Ferry: streams, records and datagrams between ports, straight over Ethernet.
 *
 * This header is the whole ABI: addresses, socket options, the netlink
 * family that enables devices, and the attributes of the virtual card.
 * docs/protocol.md describes what travels on the wire.
 */
#ifndef _UAPI_LINUX_FERRY_H
#define _UAPI_LINUX_FERRY_H

#include <linux/types.h>
#include <linux/socket.h>

/*
 * The protocol family. The number is AF_ASH's: it has a name in the kernel and
 * never had code. A module cannot add a number of its own, because AF_MAX is
 * fixed when the kernel is built.
 */
#ifndef AF_FERRY
#define AF_FERRY	18
#define PF_FERRY	AF_FERRY
#endif

/* IEEE Std 802 - Local Experimental Ethertype 1 (as ETH_P_802_EX1). */
#define ETH_P_FERRY	0x88B5

/* Length of an address: an EUI-48, the MAC address of an interface. */
#define FERRY_ALEN	6

/*
 * bind() to this port and the kernel chooses one from net.ferry.port_range.
 * It is no port that anything can be sent to.
 */
#define FERRY_PORT_ANY	0

/* Ports below this one need CAP_NET_BIND_SERVICE. */
#define FERRY_PORT_PRIVILEGED	1024

/**
 * struct sockaddr_ferry - the address of a Ferry socket
 *
 * @sfy_family: AF_FERRY
 * @sfy_reserved: 0, or bind(), connect() and sendto() fail with EINVAL
 * @sfy_port: port, 1 to 0xffffffff; FERRY_PORT_ANY only in bind()
 * @sfy_ifindex: interface. In bind(), 0 is any interface, and another value
 *	binds the socket to that interface as SO_BINDTODEVICE does. In connect()
 *	and sendto(), 0 lets the kernel find the interface. In what recvfrom()
 *	returns: the interface through which the sender can be reached
 * @sfy_addr: MAC address. All zero is any address in bind(), and this host in
 *	connect() and sendto(). ff:ff:ff:ff:ff:ff is everyone on the wire, and
 *	sending there needs SO_BROADCAST
 * @sfy_reserved2: 0, or bind(), connect() and sendto() fail with EINVAL
 *
 * Everything is in host byte order, and the address in the order in which it
 * is written.
 */
struct sockaddr_ferry {
	__kernel_sa_family_t	sfy_family;
	__u16			sfy_reserved;
	__u32			sfy_port;
	__u32			sfy_ifindex;
	__u8			sfy_addr[FERRY_ALEN];
	__u8			sfy_reserved2[2];
};

/*
 * Socket options, getsockopt() and setsockopt() at level SOL_FERRY.
 */
#define SOL_FERRY	388

/*
 * int, 0 or 1: sockets of one user that all have set this before bind() share
 * a port, and what arrives is spread over them by a hash of its flow. It is
 * what SO_REUSEPORT is to other families (the kernel's core refuses that one
 * for a family that is not IP). A program attached by
 * SO_ATTACH_REUSEPORT_CBPF chooses the socket instead of the hash.
 */
#define FERRY_REUSEPORT	1

/*
 * Type of the control message that carries a struct sock_extended_err, in what
 * recvmsg() with MSG_ERRQUEUE returns. Not an option.
 */
#define FERRY_RECVERR	2

/*
 * The others are for streams and records: SOCK_STREAM, SOCK_SEQPACKET. An
 * accepted socket has its listener's.
 *
 * int, 0 or 1: hold back what does not fill a segment, for 200 ms at the most,
 * as MSG_MORE does for one call. 0 sends what is held back. Streams only.
 */
#define FERRY_CORK	3

/*
 * int, 1 to 127: how often the SYN is sent again before connect() fails with
 * ETIMEDOUT; net.ferry.syn_retries unless set.
 */
#define FERRY_SYNCNT	4

/*
 * unsigned int, milliseconds: how long what was sent may stay unacknowledged,
 * or wait for a closed window, before the connection ends with ETIMEDOUT.
 * 0: as long as the protocol allows.
 */
#define FERRY_USER_TIMEOUT	5

/*
 * int, SO_KEEPALIVE's: seconds of silence before the first probe (1 to 32767),
 * seconds between probes (1 to 32767), and the number of probes without an
 * answer that end the connection (1 to 127).
 */
#define FERRY_KEEPIDLE	6
#define FERRY_KEEPINTVL	7
#define FERRY_KEEPCNT	8

/*
 * int, seconds: how long a socket that was closed stays in FIN_WAIT_2, 120 at
 * the most. 0: net.ferry.fin_timeout; negative: not at all.
 */
#define FERRY_LINGER2	9

/*
 * string of less than FERRY_CONGESTION_LEN bytes: the congestion control,
 * "cubic" or "newreno". ENOENT if there is none of the name.
 */
#define FERRY_CONGESTION	10
#define FERRY_CONGESTION_LEN	16

/* int, bytes, to be read only: the largest payload of one packet. */
#define FERRY_MAXSEG	11

/*
 * Generic netlink: on which devices of a network namespace Ferry listens.
 */
#define FERRY_GENL_NAME		"ferry"
#define FERRY_GENL_VERSION	1

/**
 * enum ferry_cmd - commands of the generic netlink family
 *
 * @FERRY_CMD_UNSPEC: not used
 * @FERRY_CMD_LINK_GET: tell of one link (by FERRY_LINK_ATTR_IFINDEX or
 *	FERRY_LINK_ATTR_IFNAME), or with NLM_F_DUMP of every link
 * @FERRY_CMD_LINK_ENABLE: let Ferry send and receive on a device
 *	(FERRY_LINK_ATTR_IFINDEX or FERRY_LINK_ATTR_IFNAME); needs CAP_NET_ADMIN.
 *	EEXIST if it is enabled, EOPNOTSUPP if it is not an Ethernet device,
 *	ENODEV if there is no such device
 * @FERRY_CMD_LINK_DISABLE: undo that; ENOENT if it is not enabled
 */
enum ferry_cmd {
	FERRY_CMD_UNSPEC,
	FERRY_CMD_LINK_GET,
	FERRY_CMD_LINK_ENABLE,
	FERRY_CMD_LINK_DISABLE,

	/* private: */
	__FERRY_CMD_MAX,
};

#define FERRY_CMD_MAX	(__FERRY_CMD_MAX - 1)

/**
 * enum ferry_link_attr - attributes of a link
 *
 * @FERRY_LINK_ATTR_UNSPEC: not used
 * @FERRY_LINK_ATTR_IFINDEX: u32, the device's interface index
 * @FERRY_LINK_ATTR_IFNAME: string, the device's name
 * @FERRY_LINK_ATTR_ADDRESS: binary of FERRY_ALEN bytes, the device's address
 * @FERRY_LINK_ATTR_MTU: u32, the largest Ferry packet it carries, in bytes
 * @FERRY_LINK_ATTR_FLAGS: u32, FERRY_LINK_F_*
 */
enum ferry_link_attr {
	FERRY_LINK_ATTR_UNSPEC,
	FERRY_LINK_ATTR_IFINDEX,
	FERRY_LINK_ATTR_IFNAME,
	FERRY_LINK_ATTR_ADDRESS,
	FERRY_LINK_ATTR_MTU,
	FERRY_LINK_ATTR_FLAGS,

	/* private: */
	__FERRY_LINK_ATTR_MAX,
};

#define FERRY_LINK_ATTR_MAX	(__FERRY_LINK_ATTR_MAX - 1)

#define FERRY_LINK_F_UP		(1U << 0)	/* administratively up */
#define FERRY_LINK_F_CARRIER	(1U << 1)	/* has carrier */
#define FERRY_LINK_F_LOOP	(1U << 2)	/* the way to this host itself */
#define FERRY_LINK_F_CARD	(1U << 3)	/* one of Ferry's virtual cards */

/**
 * enum ferry_nic_attr - IFLA_INFO_DATA of the virtual card (kind "ferry")
 *
 * @IFLA_FERRY_UNSPEC: not used
 * @IFLA_FERRY_PEER: nested: a struct ifinfomsg followed by IFLA_* attributes
 *	that describe the other end of the wire, as veth has them. Without it
 *	the card's wire leads back to itself
 */
enum ferry_nic_attr {
	IFLA_FERRY_UNSPEC,
	IFLA_FERRY_PEER,

	/* private: */
	__IFLA_FERRY_MAX,
};

#define IFLA_FERRY_MAX	(__IFLA_FERRY_MAX - 1)

#endif /* _UAPI_LINUX_FERRY_H */
