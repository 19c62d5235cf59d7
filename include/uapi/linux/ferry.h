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

/*
 * socket(AF_FERRY, SOCK_DGRAM, FERRYPROTO_ECHO): a socket that asks whether others are
 * there, as one of IPPROTO_ICMP and SOCK_DGRAM does. Each datagram that it sends is an
 * echo, which needs no right and no program at the far end: the host's own kernel answers
 * with the same payload, unless net.ferry.echo is less than 2 there. To
 * ff:ff:ff:ff:ff:ff, with SO_BROADCAST, each host answers for itself. sfy_port is, there and
 * back, a number of the caller's choice, 1 to 0xffffffff. Only answers to this socket's
 * own echoes come: they bear its port, which bind() can choose and which is of a port
 * space of its own. A group is not asked: EINVAL; nor can it be bound to a group or to
 * everyone: EADDRNOTAVAIL. socketpair() makes none: EOPNOTSUPP.
 */
#define FERRYPROTO_ECHO	7

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
 * what SO_REUSEPORT is to other families (which the core of older kernels, 6.1 among
 * them, refuses for a family that is not IP). A program attached by
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
 * as MSG_MORE does for one call. 0 sends what is held back. Of datagrams: what is
 * sent is part of one datagram, until 0 sends it. Not for records.
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

/*
 * int, bytes: the largest payload of one packet. What is set (216 to 65535; 0: as
 * much as the device takes) counts for connections that begin afterwards, and both
 * ends keep to it. What is read is what the connection sends at present, which its
 * path may have made less, and what was set before there is one.
 */
#define FERRY_MAXSEG	11

/*
 * int, 0 or 1: send() with MSG_ZEROCOPY sends the caller's pages and not copies of
 * them. It is what SO_ZEROCOPY is to TCP and UDP (which older kernels refuse here, as
 * SO_REUSEPORT), and as with them the flag alone says nothing. When
 * the pages are free again is told on the error queue, in a control message of type
 * FERRY_RECVERR: of origin SO_EE_ORIGIN_ZEROCOPY, ee_info to ee_data being the numbers
 * of the calls, counted from 0; with SO_EE_CODE_ZEROCOPY_COPIED if they were copied
 * after all, as they are within a host. ENOBUFS if more of it is under way than
 * net.core.optmem_max allows. For streams and datagrams; records have none, as
 * AF_UNIX's, and refuse it with EOPNOTSUPP.
 */
#define FERRY_ZEROCOPY	12

/*
 * unsigned int, bytes: with so many that were written and not sent yet, poll() and
 * send() say that there is no room, whatever SO_SNDBUF has. 0: there is no such
 * limit. What is in one write() is not cut to it.
 */
#define FERRY_NOTSENT_LOWAT	21

/*
 * int, 0 or 1: whether the next segments are acknowledged at once. 1 sends an
 * acknowledgment that is held back. It does not last: a socket that answers goes
 * back to holding them back, one that only reads may begin again to be quick.
 */
#define FERRY_QUICKACK	22

/*
 * int, seconds, of a listener: accept(2) finds a connection only when its peer has
 * sent something, or after about so long without. It is kept as the count of
 * SYN-ACKs that take as long, and read as what that is in seconds. 0: at once.
 */
#define FERRY_DEFER_ACCEPT	23

/*
 * int, 0 or 1: recvmsg() tells by a control message of this type, an int, how many
 * bytes more can be read at once; 1 if there are none but the end. Streams only:
 * records refuse it with EOPNOTSUPP.
 */
#define FERRY_INQ	30

/*
 * struct ferry_mreq: become a member of a group, and be one no more. Datagrams only.
 * A member hears what is sent to the group's address and its own port and comes by
 * the device, this host's own included. A membership ends with the socket, or when
 * Ferry is disabled on the device.
 *
 * EADDRINUSE if it is a member, EADDRNOTAVAIL if it is none; ENODEV if there is no
 * such device, ENETUNREACH if Ferry is not enabled on it; EINVAL if it is no group's
 * address; ENOBUFS beyond 20 memberships of a socket.
 */
#define FERRY_ADD_MEMBERSHIP	24
#define FERRY_DROP_MEMBERSHIP	25

/**
 * struct ferry_mreq - a group
 *
 * @fmr_ifindex: the device. 0: the one that the socket is bound to, or the only one
 *	that Ferry is enabled on; to leave, whichever it is
 * @fmr_addr: multicast MAC address, but for ff:ff:ff:ff:ff:ff, which all hear
 * @fmr_reserved: 0, or EINVAL
 */
struct ferry_mreq {
	__u32	fmr_ifindex;
	__u8	fmr_addr[FERRY_ALEN];
	__u8	fmr_reserved[2];
};

/*
 * int, 0 or 1: recvmsg() tells by FERRY_PKTINFO by which way a datagram came.
 * Datagrams only.
 */
#define FERRY_RECVPKTINFO	26

/*
 * Type of a control message of a datagram, at level SOL_FERRY: a struct
 * ferry_pktinfo. Not an option. In sendmsg() it says by which way this one goes.
 */
#define FERRY_PKTINFO	27

/**
 * struct ferry_pktinfo - the way of one datagram
 *
 * @fpi_ifindex: the interface that it arrived on; in sendmsg() the one that it
 *	leaves by, as @sfy_ifindex, 0: not said here
 * @fpi_local: this host's address that it came to: the interface's own, if it was
 *	sent to a group; in sendmsg() the address that it is sent from (EADDRNOTAVAIL
 *	if it is not this host's), all zero: not said here
 * @fpi_addr: the address that it was sent to, as it is in the packet; not looked at
 *	in sendmsg(), so that what was received can be used for the answer
 */
struct ferry_pktinfo {
	__u32	fpi_ifindex;
	__u8	fpi_local[FERRY_ALEN];
	__u8	fpi_addr[FERRY_ALEN];
};

/*
 * int, 0 or 1, of a socket of FERRYPROTO_ECHO: recvmsg() tells by FERRY_VERSION which
 * version of the protocol who answers speaks.
 */
#define FERRY_RECVVERSION	28

/*
 * Type of a control message, at level SOL_FERRY: an int, the latest version of the
 * protocol that the host speaks that has sent this answer. Not an option.
 */
#define FERRY_VERSION	29

/*
 * struct ferry_info, to be read only: a connection, as it is now. A buffer that is
 * too short gets the first part; one that is longer than what the kernel knows is
 * told the length. So the struct may grow at its end.
 */
#define FERRY_INFO	20

/* What a connection's sending is about: fyi_cong_state. */
#define FERRY_INFO_OPEN		0	/* nothing is known to be lost */
#define FERRY_INFO_RECOVERY	1	/* losses are being repaired */
#define FERRY_INFO_LOSS		2	/* the retransmission timer expired */

/* fyi_flags */
#define FERRY_INFO_PASSIVE	0x01	/* it was accepted */
#define FERRY_INFO_RECORDS	0x02	/* it is of records */
#define FERRY_INFO_SHORT_WAY	0x04	/* its next segment goes the short way */

/**
 * struct ferry_info - what FERRY_INFO tells
 *
 * @fyi_state: as TCP_ESTABLISHED and its like are numbered for TCP
 * @fyi_cong_state: FERRY_INFO_OPEN and its like
 * @fyi_backoff: how often the retransmission time-out was doubled
 * @fyi_probes: keepalive's probes without an answer
 * @fyi_flags: FERRY_INFO_PASSIVE and its like
 * @fyi_reserved: 0
 * @fyi_rto: retransmission time-out, in microseconds
 * @fyi_rtt: smoothed round-trip time, in microseconds; 0: not measured
 * @fyi_rttvar: its deviation, in microseconds
 * @fyi_min_rtt: the least of the last minutes, in microseconds; 0: not measured
 * @fyi_snd_mss: largest payload that this end sends in a packet, in bytes
 * @fyi_rcv_mss: how large those of the peer are of late, in bytes
 * @fyi_adv_mss: what this end has offered as the largest, in bytes
 * @fyi_pmtu: the device's MTU, in bytes; 0: there is no way to the peer
 * @fyi_snd_cwnd: congestion window, in bytes
 * @fyi_snd_ssthresh: slow start threshold, in bytes
 * @fyi_snd_wnd: what the peer's window takes beyond what is acknowledged, in bytes
 * @fyi_rcv_wnd: what is left of the window that this end has offered, in bytes
 * @fyi_rcv_space: payload that the receive buffer has room for, in bytes
 * @fyi_unacked: sent and not acknowledged, in sequence numbers; of a listener: how
 *	many connections wait to be accepted
 * @fyi_in_flight: of that, what is neither lost nor known to have arrived
 * @fyi_lost: what is lost, and was not sent again yet
 * @fyi_sacked: what has arrived ahead of its turn; of a listener: how many
 *	connections may wait (listen(2)'s backlog)
 * @fyi_notsent: written and not sent yet, in bytes
 * @fyi_unread: arrived and not read yet, in bytes
 * @fyi_ahead: ranges that have arrived ahead of their turn
 * @fyi_last_sent: milliseconds since data was last sent
 * @fyi_last_heard: milliseconds since the peer was last heard of
 * @fyi_segs_out: segments sent, but for SYN and RST; one that the device cuts
 *	counts as its pieces
 * @fyi_segs_in: segments that arrived; those that the device has joined are one
 * @fyi_data_segs_out: of the first, those with payload
 * @fyi_data_segs_in: of the second
 * @fyi_retrans: segments that were sent again
 * @fyi_reserved2: 0
 * @fyi_bytes_sent: payload sent, again included
 * @fyi_bytes_retrans: payload sent again
 * @fyi_bytes_acked: sequence numbers that the peer has acknowledged: bytes, and one
 *	for each record's end and for the FIN
 * @fyi_bytes_received: sequence numbers that have arrived in their turn
 * @fyi_delivery_rate: what arrived at the peer in the last round trip, in bytes a
 *	second; 0: not measured
 */
struct ferry_info {
	__u8	fyi_state;
	__u8	fyi_cong_state;
	__u8	fyi_backoff;
	__u8	fyi_probes;
	__u8	fyi_flags;
	__u8	fyi_reserved[3];

	__u32	fyi_rto;
	__u32	fyi_rtt;
	__u32	fyi_rttvar;
	__u32	fyi_min_rtt;

	__u32	fyi_snd_mss;
	__u32	fyi_rcv_mss;
	__u32	fyi_adv_mss;
	__u32	fyi_pmtu;

	__u32	fyi_snd_cwnd;
	__u32	fyi_snd_ssthresh;
	__u32	fyi_snd_wnd;
	__u32	fyi_rcv_wnd;
	__u32	fyi_rcv_space;

	__u32	fyi_unacked;
	__u32	fyi_in_flight;
	__u32	fyi_lost;
	__u32	fyi_sacked;
	__u32	fyi_notsent;
	__u32	fyi_unread;
	__u32	fyi_ahead;

	__u32	fyi_last_sent;
	__u32	fyi_last_heard;

	__u32	fyi_segs_out;
	__u32	fyi_segs_in;
	__u32	fyi_data_segs_out;
	__u32	fyi_data_segs_in;
	__u32	fyi_retrans;
	__u32	fyi_reserved2;

	__aligned_u64	fyi_bytes_sent;
	__aligned_u64	fyi_bytes_retrans;
	__aligned_u64	fyi_bytes_acked;
	__aligned_u64	fyi_bytes_received;
	__aligned_u64	fyi_delivery_rate;
};

/*
 * Generic netlink: on which devices of a network namespace Ferry listens.
 */
#define FERRY_GENL_NAME		"ferry"
#define FERRY_GENL_VERSION	1

/*
 * Its multicast group: what happens to the links of the listener's namespace. A
 * link that is new or has changed (its name, address, MTU or flags) is told by
 * FERRY_CMD_LINK_ENABLE, one that is gone by FERRY_CMD_LINK_DISABLE, each with all
 * attributes. Who has missed something gets ENOBUFS, and can ask for all of them.
 */
#define FERRY_GENL_GROUP_LINK	"link"

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
