/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames made by hand, for tests: the layout of docs/protocol.md once more,
 * independent of the module's.
 */
#ifndef _FERRY_TEST_FRAME_H
#define _FERRY_TEST_FRAME_H

#include <stddef.h>
#include <linux/ferry.h>

#define FRAME_HLEN	20	/* Ferry's header, in bytes */

enum { FRAME_DATAGRAM = 1, FRAME_UNREACH = 2, FRAME_ECHO = 7, FRAME_ECHO_REPLY = 8 };
enum { FRAME_UNREACH_PORT = 1, FRAME_UNREACH_PROHIBITED = 2 };

/*
 * struct frame - a frame as it is to be
 *
 * Every field can be given any value. frame_datagram() and frame_unreach()
 * make good ones to start from.
 */
struct frame {
	unsigned char	dst[FERRY_ALEN], src[FERRY_ALEN];
	unsigned char	version, kind, flags, hlen;
	unsigned int	len;
	unsigned int	sport, dport;
	unsigned char	code, about;

	const void	*payload;
	size_t		bytes;		/* of payload that are there */
	size_t		pad;		/* bytes of garbage after it */
	size_t		cut;		/* bytes that are missing at the end */
	unsigned short	damage;		/* is added to the right checksum */
	unsigned char	flip;		/* bits of the source that change on the way */
};

struct frame frame_datagram(const unsigned char *src, const unsigned char *dst,
			    unsigned int sport, unsigned int dport,
			    const char *text);
struct frame frame_unreach(const unsigned char *src, const unsigned char *dst,
			   unsigned int sport, unsigned int dport, int code);

/* The checksum of a frame of @len bytes: of its addresses and its payload. */
unsigned short frame_checksum(const unsigned char *frame, size_t len);

/* A packet socket on a device, for Ferry's frames. Return: it, or -errno. */
int frame_socket(const char *dev);
/* Return: 0 or -errno. */
int frame_send(int fd, const struct frame *frame);
/* Wait for one that came from outside. Return: its bytes, or -errno. */
int frame_await(int fd, unsigned char *buf, size_t len);

#endif
