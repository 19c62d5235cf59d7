/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segments made by hand, for tests: the packets of connections, their layout in
 * docs/protocol.md once more, independent of the module's.
 */
#ifndef _FERRY_TEST_SEG_H
#define _FERRY_TEST_SEG_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include <linux/ferry.h>

#include "frame.h"

enum { SEG_SYN = 3, SEG_SYNACK = 4, SEG_DATA = 5, SEG_RST = 6 };
enum { SEG_FIN = 0x01, SEG_EOR = 0x02, SEG_ASK = 0x04 };

#define SEG_HLEN	48	/* the header of data without ranges, and of RST */
#define SEG_SYN_HLEN	52
#define SEG_SACKS	5
#define SEG_ETH_HLEN	14
/* The longest frame: an MTU of 65,535, and Ethernet's header. */
#define SEG_FRAME_MAX	(SEG_ETH_HLEN + 65535)

/*
 * struct seg - a segment
 *
 * Every field of the same name as on the wire is on the wire, at whatever value.
 * @hlen and @len say the truth if they are 0.
 */
struct seg {
	unsigned char	kind, flags, code, about;
	unsigned int	sport, dport;
	unsigned int	hlen;		/* bytes */
	unsigned int	len;
	unsigned int	window;
	__u64		seq, ack;
	unsigned int	stamp, echo;
	unsigned int	mss;

	/* From the acknowledgment number on; the end is one past the last. */
	int		nsack;
	struct { int start, end; } sack[SEG_SACKS];

	const void	*payload;
	size_t		bytes;		/* of payload that are there */
};

/* The number after its last. */
__u64 seg_end(const struct seg *seg);

/*
 * Write the frame that carries a segment to @buf, with its checksum.
 * Return: its length in bytes.
 */
size_t seg_build(unsigned char *buf, const unsigned char *src,
		 const unsigned char *dst, const struct seg *seg);
/* Make the checksum of a frame of @len bytes right after a change to it. */
void seg_sum(unsigned char *buf, size_t len);

/*
 * Read a frame of @len bytes; @seg->payload points into it.
 * Return: 0, or -EBADMSG if it is no well-formed packet of a connection. The
 * checksum is looked at if @summed.
 */
int seg_read(const unsigned char *buf, size_t len, bool summed,
	     struct seg *seg);

#endif
