// SPDX-License-Identifier: GPL-2.0-only
/* Frames made by hand: see frame.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frame.h"
#include "wait.h"

#define CHECK_OFFSET	16

struct frame frame_datagram(const unsigned char *src, const unsigned char *dst,
			    unsigned int sport, unsigned int dport,
			    const char *text)
{
	struct frame frame = {
		.version = 1, .kind = FRAME_DATAGRAM, .hlen = FRAME_HLEN / 4,
		.len = strlen(text), .sport = sport, .dport = dport,
		.payload = text, .bytes = strlen(text),
	};

	memcpy(frame.src, src, FERRY_ALEN);
	memcpy(frame.dst, dst, FERRY_ALEN);
	return frame;
}

struct frame frame_unreach(const unsigned char *src, const unsigned char *dst,
			   unsigned int sport, unsigned int dport, int code)
{
	struct frame frame = frame_datagram(src, dst, sport, dport, "");

	frame.kind = FRAME_UNREACH;
	frame.code = code;
	frame.about = FRAME_DATAGRAM;
	return frame;
}

unsigned short frame_checksum(const unsigned char *frame, size_t len)
{
	unsigned int sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		if (i < 2 * FERRY_ALEN || i >= ETH_HLEN)
			sum += i % 2 ? frame[i] : frame[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void put32(unsigned char *to, unsigned int value)
{
	value = htonl(value);
	memcpy(to, &value, sizeof(value));
}

int frame_socket(const char *dev)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_FERRY),
		.sll_ifindex = if_nametoindex(dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return fd;
	close(fd);
	return -errno;
}

int frame_send(int fd, const struct frame *frame)
{
	unsigned char buf[2048] = { };
	unsigned char *hdr = buf + ETH_HLEN;
	unsigned short check;
	size_t len;

	memcpy(buf, frame->dst, FERRY_ALEN);
	memcpy(buf + FERRY_ALEN, frame->src, FERRY_ALEN);
	buf[12] = ETH_P_FERRY >> 8;
	buf[13] = ETH_P_FERRY & 0xff;

	hdr[0] = frame->version;
	hdr[1] = frame->kind;
	hdr[2] = frame->flags;
	hdr[3] = frame->hlen;
	put32(hdr + 4, frame->len);
	put32(hdr + 8, frame->sport);
	put32(hdr + 12, frame->dport);
	hdr[18] = frame->code;
	hdr[19] = frame->about;
	if (frame->bytes)
		memcpy(hdr + FRAME_HLEN, frame->payload, frame->bytes);

	check = frame_checksum(buf, ETH_HLEN + FRAME_HLEN + frame->bytes) +
		frame->damage;
	hdr[CHECK_OFFSET] = check >> 8;
	hdr[CHECK_OFFSET + 1] = check & 0xff;
	buf[2 * FERRY_ALEN - 1] ^= frame->flip;
	memset(hdr + FRAME_HLEN + frame->bytes, 0xa5, frame->pad);

	len = ETH_HLEN + FRAME_HLEN + frame->bytes + frame->pad - frame->cut;
	return send(fd, buf, len, 0) == (ssize_t)len ? 0 : -errno;
}

int frame_await(int fd, unsigned char *buf, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct sockaddr_ll from;
	socklen_t size;
	ssize_t n;

	do {
		if (poll(&p, 1, WAIT_MS) != 1)
			return -ETIMEDOUT;
		size = sizeof(from);
		n = recvfrom(fd, buf, len, 0, (struct sockaddr *)&from, &size);
	} while (n >= 0 && from.sll_pkttype == PACKET_OUTGOING);
	return n < 0 ? -errno : n;
}
