/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The wire: what a Ferry packet looks like, and whether one is well-formed.
 *
 * Pure: no kernel state, no allocation, no lock, no clock. These lines compile
 * unchanged in user space, where they are unit-tested and fuzzed.
 * docs/protocol.md draws the layout and gives the reasons.
 */
#ifndef _FERRY_WIRE_H
#define _FERRY_WIRE_H

#include <linux/types.h>

#include "range.h"

/* Any other version is dropped and counted. */
#define FERRY_WIRE_VERSION	1

/*
 * struct ferry_hdr - what every Ferry packet begins with, right after the
 * Ethernet header. All integers are big-endian.
 */
struct ferry_hdr {
	__u8	version;	/* FERRY_WIRE_VERSION */
	__u8	kind;		/* enum ferry_kind */
	__u8	flags;		/* FERRY_F_* in data, else 0 */
	__u8	hlen;		/* header's length in 4-byte words */
	__be32	len;		/* payload's length in bytes: Ethernet pads */
	__be32	sport;		/* source port, never 0 */
	__be32	dport;		/* destination port, never 0 */
	__sum16	check;		/* Internet checksum: see docs/protocol.md */
	__u8	code;		/* by kind, see struct ferry_packet; else 0 */
	__u8	about;		/* unreachable: kind of the packet refused, else 0 */
};

/*
 * struct ferry_conn_hdr - what a packet of a connection begins with. After it:
 * in a SYN and a SYN-ACK the largest segment, in data SACK ranges.
 */
struct ferry_conn_hdr {
	struct ferry_hdr h;
	__be32	window;		/* bytes from @ack on; 0 in an RST */
	__be64	seq;		/* of the first byte */
	__be64	ack;		/* the next one expected; 0 in a SYN */
	__be32	stamp;		/* sender's microseconds, never 0 but in an RST */
	__be32	echo;		/* stamp of what this answers, or 0 */
};

/* A SACK range: offsets from @ack, signed; @end is one past the last. */
struct ferry_sack_hdr {
	__be32	start;
	__be32	end;
};

#define FERRY_HLEN		sizeof(struct ferry_hdr)
#define FERRY_HLEN_WORDS	(FERRY_HLEN / 4)

/* Headers of a connection's packets: data, SYN and SYN-ACK, and the longest. */
#define FERRY_CONN_HLEN		sizeof(struct ferry_conn_hdr)
#define FERRY_SYN_HLEN		(FERRY_CONN_HLEN + sizeof(__be32))
#define FERRY_SACKS_MAX		5
#define FERRY_HLEN_MAX		\
	(FERRY_CONN_HLEN + FERRY_SACKS_MAX * sizeof(struct ferry_sack_hdr))

/* The least that a SYN may give as the largest segment. */
#define FERRY_MSS_MIN		216U

/* A SYN's code: 0 is a stream, n is records of up to 2^n bytes. */
#define FERRY_CODE_STREAM	0
#define FERRY_CODE_RECORD_MIN	12
#define FERRY_CODE_RECORD_MAX	30

/* Flags of data; FIN and record end take a sequence number each. */
#define FERRY_F_FIN		0x01	/* no more from here */
#define FERRY_F_EOR		0x02	/* a record ends with this payload */
#define FERRY_F_ASK		0x04	/* answer at once */
#define FERRY_F_ALL		(FERRY_F_FIN | FERRY_F_EOR | FERRY_F_ASK)

/**
 * enum ferry_kind - what a packet is
 *
 * @FERRY_KIND_DATAGRAM: a datagram, whole in its packet
 * @FERRY_KIND_UNREACH: nobody can take the packet described by @about and by
 *	the ports, which are those of that packet, swapped
 * @FERRY_KIND_SYN: opens a connection
 * @FERRY_KIND_SYNACK: accepts one
 * @FERRY_KIND_DATA: acknowledges, and may have payload
 * @FERRY_KIND_RST: there is no such connection, or none any more
 * @FERRY_KIND_ECHO: asks whoever hears it to answer
 * @FERRY_KIND_ECHO_REPLY: that answer: the same payload, the ports swapped
 */
enum ferry_kind {
	FERRY_KIND_DATAGRAM	= 1,
	FERRY_KIND_UNREACH	= 2,
	FERRY_KIND_SYN		= 3,
	FERRY_KIND_SYNACK	= 4,
	FERRY_KIND_DATA		= 5,
	FERRY_KIND_RST		= 6,
	FERRY_KIND_ECHO		= 7,
	FERRY_KIND_ECHO_REPLY	= 8,
};

#define FERRY_KIND_MAX	FERRY_KIND_ECHO_REPLY

/**
 * enum ferry_unreach - why a packet could not be taken
 *
 * @FERRY_UNREACH_PORT: no socket has the port
 * @FERRY_UNREACH_PROHIBITED: an administrator forbids it; also an RST's code
 */
enum ferry_unreach {
	FERRY_UNREACH_PORT		= 1,
	FERRY_UNREACH_PROHIBITED	= 2,
};

/**
 * enum ferry_verdict - what is wrong with a packet, if anything
 *
 * @FERRY_WIRE_OK: well-formed
 * @FERRY_WIRE_SHORT: shorter than its header, or than its header says
 * @FERRY_WIRE_VERSION_UNKNOWN: of another protocol version
 * @FERRY_WIRE_KIND_UNKNOWN: of a kind this version does not have
 * @FERRY_WIRE_MALFORMED: a header field has a value that its kind forbids
 */
enum ferry_verdict {
	FERRY_WIRE_OK,
	FERRY_WIRE_SHORT,
	FERRY_WIRE_VERSION_UNKNOWN,
	FERRY_WIRE_KIND_UNKNOWN,
	FERRY_WIRE_MALFORMED,
};

/**
 * struct ferry_packet - a header in host byte order
 *
 * @kind: enum ferry_kind
 * @code: enum ferry_unreach; a SYN's record code; the latest version of the protocol
 *	that the sender of an echo reply speaks; or 0
 * @about: kind of the packet that an unreachable refuses, or 0
 * @hlen: header's length in bytes
 * @len: payload's length in bytes
 * @sport: source port
 * @dport: destination port
 */
struct ferry_packet {
	__u8	kind;
	__u8	code;
	__u8	about;
	__u16	hlen;
	__u32	len;
	__u32	sport;
	__u32	dport;
};

/**
 * struct ferry_seg - a packet of a connection, but for its ports: a segment, as
 * RFC 9293 has it (SEG.SEQ and so on)
 *
 * @kind: enum ferry_kind, from FERRY_KIND_SYN on
 * @flags: FERRY_F_*
 * @code: SYN and SYN-ACK: the record code; RST: 0 or FERRY_UNREACH_PROHIBITED
 * @nsack: how many of @sack there are
 * @len: payload's length in bytes
 * @window: bytes from @ack on that its sender takes
 * @seq: sequence number
 * @ack: acknowledgment number
 * @stamp: its sender's time in microseconds
 * @echo: stamp of what it answers, or 0
 * @mss: SYN and SYN-ACK: largest segment that its sender takes, in bytes; data that
 *	leaves: where its device is to cut it, if it is longer
 * @sack: SACK ranges
 */
struct ferry_seg {
	__u8	kind;
	__u8	flags;
	__u8	code;
	__u8	nsack;
	__u32	len;
	__u32	window;
	__u32	stamp;
	__u32	echo;
	__u32	mss;
	__u64	seq;
	__u64	ack;
	struct ferry_span sack[FERRY_SACKS_MAX];
};

/**
 * ferry_seg_end() - the sequence number after a segment's last
 * @seg: the segment
 *
 * SYN, record end and FIN take one each.
 *
 * Return: the number; the segment's own if it has none.
 */
static inline __u64 ferry_seg_end(const struct ferry_seg *seg)
{
	return seg->seq + seg->len +
	       (seg->kind == FERRY_KIND_SYN || seg->kind == FERRY_KIND_SYNACK) +
	       !!(seg->flags & FERRY_F_EOR) + !!(seg->flags & FERRY_F_FIN);
}

/**
 * ferry_seg_hlen() - how long a segment's header is on the wire
 * @seg: the segment
 *
 * Return: bytes.
 */
static inline __u32 ferry_seg_hlen(const struct ferry_seg *seg)
{
	if (seg->kind == FERRY_KIND_SYN || seg->kind == FERRY_KIND_SYNACK)
		return FERRY_SYN_HLEN;
	return FERRY_CONN_HLEN + seg->nsack * sizeof(struct ferry_sack_hdr);
}

/**
 * ferry_kind_is_conn() - whether packets of a kind belong to connections
 * @kind: enum ferry_kind
 *
 * Return: whether they have a struct ferry_conn_hdr.
 */
static inline bool ferry_kind_is_conn(__u8 kind)
{
	return kind >= FERRY_KIND_SYN && kind <= FERRY_KIND_RST;
}

enum ferry_verdict ferry_wire_parse(const void *data, size_t linear,
				    size_t total, struct ferry_packet *pkt);
void ferry_wire_build(struct ferry_hdr *hdr, const struct ferry_packet *pkt);
int ferry_wire_unreach(const struct ferry_packet *pkt, __u8 code,
		       struct ferry_packet *answer);
int ferry_wire_echo_reply(const struct ferry_packet *pkt,
			  struct ferry_packet *answer);
void ferry_wire_read_seg(const void *data, const struct ferry_packet *pkt,
			 struct ferry_seg *seg);
__u32 ferry_wire_build_seg(void *data, const struct ferry_seg *seg,
			   __u32 sport, __u32 dport);
bool ferry_wire_continues(const struct ferry_conn_hdr *first, __u32 have,
			  const struct ferry_conn_hdr *next);

#endif /* _FERRY_WIRE_H */
