// SPDX-License-Identifier: GPL-2.0-only
/* Segments made by hand: see seg.h. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "seg.h"

#define CHECK_OFFSET	(SEG_ETH_HLEN + 16)

static void put32(unsigned char *to, __u32 value)
{
	value = htonl(value);
	memcpy(to, &value, sizeof(value));
}

static void put64(unsigned char *to, __u64 value)
{
	value = htobe64(value);
	memcpy(to, &value, sizeof(value));
}

static __u32 get32(const unsigned char *from)
{
	__u32 value;

	memcpy(&value, from, sizeof(value));
	return ntohl(value);
}

static __u64 get64(const unsigned char *from)
{
	__u64 value;

	memcpy(&value, from, sizeof(value));
	return be64toh(value);
}

static bool opens(const struct seg *seg)
{
	return seg->kind == SEG_SYN || seg->kind == SEG_SYNACK;
}

__u64 seg_end(const struct seg *seg)
{
	return seg->seq + seg->bytes + opens(seg) +
	       !!(seg->flags & SEG_EOR) + !!(seg->flags & SEG_FIN);
}

/* What its header is long, if it tells the truth. */
static size_t true_hlen(const struct seg *seg)
{
	return opens(seg) ? SEG_SYN_HLEN : SEG_HLEN + 8 * seg->nsack;
}

void seg_sum(unsigned char *buf, size_t len)
{
	unsigned short check;

	memset(buf + CHECK_OFFSET, 0, sizeof(check));
	check = htons(frame_checksum(buf, len));
	memcpy(buf + CHECK_OFFSET, &check, sizeof(check));
}

size_t seg_build(unsigned char *buf, const unsigned char *src,
		 const unsigned char *dst, const struct seg *seg)
{
	unsigned char *hdr = buf + SEG_ETH_HLEN;
	size_t hlen = true_hlen(seg), len = SEG_ETH_HLEN + hlen + seg->bytes;
	int i;

	memset(buf, 0, SEG_ETH_HLEN + hlen);
	memcpy(buf, dst, FERRY_ALEN);
	memcpy(buf + FERRY_ALEN, src, FERRY_ALEN);
	buf[12] = ETH_P_FERRY >> 8;
	buf[13] = ETH_P_FERRY & 0xff;

	hdr[0] = 1;
	hdr[1] = seg->kind;
	hdr[2] = seg->flags;
	hdr[3] = (seg->hlen ?: hlen) / 4;
	put32(hdr + 4, seg->len ?: seg->bytes);
	put32(hdr + 8, seg->sport);
	put32(hdr + 12, seg->dport);
	hdr[18] = seg->code;
	hdr[19] = seg->about;
	put32(hdr + 20, seg->window);
	put64(hdr + 24, seg->seq);
	put64(hdr + 32, seg->ack);
	put32(hdr + 40, seg->stamp);
	put32(hdr + 44, seg->echo);
	if (opens(seg))
		put32(hdr + 48, seg->mss);
	else
		for (i = 0; i < seg->nsack; i++) {
			put32(hdr + 48 + 8 * i, seg->sack[i].start);
			put32(hdr + 52 + 8 * i, seg->sack[i].end);
		}
	if (seg->bytes)
		memcpy(hdr + hlen, seg->payload, seg->bytes);
	seg_sum(buf, len);
	return len;
}

/* Is the header's length one that the kind may have? */
static bool hlen_fits(const struct seg *seg)
{
	switch (seg->kind) {
	case SEG_SYN:
	case SEG_SYNACK:
		return seg->hlen == SEG_SYN_HLEN;
	case SEG_DATA:
		return seg->hlen >= SEG_HLEN && seg->hlen % 8 == 0 &&
		       seg->hlen <= SEG_HLEN + 8 * SEG_SACKS;
	case SEG_RST:
		return seg->hlen == SEG_HLEN;
	}
	return false;
}

int seg_read(const unsigned char *buf, size_t len, bool summed,
	     struct seg *seg)
{
	const unsigned char *hdr = buf + SEG_ETH_HLEN;
	int i;

	if (len < SEG_ETH_HLEN + SEG_HLEN || hdr[0] != 1)
		return -EBADMSG;
	*seg = (struct seg) {
		.kind = hdr[1], .flags = hdr[2], .hlen = 4 * hdr[3],
		.code = hdr[18], .about = hdr[19],
		.len = get32(hdr + 4),
		.sport = get32(hdr + 8), .dport = get32(hdr + 12),
		.window = get32(hdr + 20),
		.seq = get64(hdr + 24), .ack = get64(hdr + 32),
		.stamp = get32(hdr + 40), .echo = get32(hdr + 44),
	};
	if (!hlen_fits(seg) || len < SEG_ETH_HLEN + seg->hlen + seg->len)
		return -EBADMSG;
	seg->payload = hdr + seg->hlen;
	seg->bytes = seg->len;
	if (summed && frame_checksum(buf, SEG_ETH_HLEN + seg->hlen + seg->len))
		return -EBADMSG;
	if (opens(seg)) {
		seg->mss = get32(hdr + 48);
		return 0;
	}
	seg->nsack = (seg->hlen - SEG_HLEN) / 8;
	for (i = 0; i < seg->nsack; i++) {
		seg->sack[i].start = get32(hdr + 48 + 8 * i);
		seg->sack[i].end = get32(hdr + 52 + 8 * i);
	}
	return 0;
}
