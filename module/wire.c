// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire: building and validating packets. See wire.h.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/byteorder.h>
#else
#include <errno.h>
#include <string.h>
#include "user.h"
#endif

#include "wire.h"

/* A datagram or an echo. */
static enum ferry_verdict datagram_check(const struct ferry_hdr *hdr)
{
	if (hdr->flags || hdr->code || hdr->about)
		return FERRY_WIRE_MALFORMED;
	return FERRY_WIRE_OK;
}

static enum ferry_verdict unreach_check(const struct ferry_hdr *hdr)
{
	if (hdr->flags || hdr->len)
		return FERRY_WIRE_MALFORMED;
	if (hdr->code != FERRY_UNREACH_PORT &&
	    hdr->code != FERRY_UNREACH_PROHIBITED)
		return FERRY_WIRE_MALFORMED;
	/* An unreachable is never about another one. */
	if (hdr->about != FERRY_KIND_DATAGRAM)
		return FERRY_WIRE_MALFORMED;
	return FERRY_WIRE_OK;
}

static enum ferry_verdict echo_reply_check(const struct ferry_hdr *hdr)
{
	/* Who has answered in a version speaks it. */
	if (hdr->flags || hdr->about || hdr->code < FERRY_WIRE_VERSION)
		return FERRY_WIRE_MALFORMED;
	return FERRY_WIRE_OK;
}

static enum ferry_verdict syn_check(const struct ferry_conn_hdr *hdr,
				    const void *rest)
{
	__be32 mss;

	if (hdr->h.flags || hdr->h.len || !hdr->stamp)
		return FERRY_WIRE_MALFORMED;
	if (hdr->h.hlen * 4U != FERRY_SYN_HLEN)
		return FERRY_WIRE_MALFORMED;
	if (hdr->h.kind == FERRY_KIND_SYN && (hdr->ack || hdr->echo))
		return FERRY_WIRE_MALFORMED;
	if (hdr->h.code != FERRY_CODE_STREAM &&
	    (hdr->h.code < FERRY_CODE_RECORD_MIN ||
	     hdr->h.code > FERRY_CODE_RECORD_MAX))
		return FERRY_WIRE_MALFORMED;
	memcpy(&mss, rest, sizeof(mss));
	if (be32_to_cpu(mss) < FERRY_MSS_MIN)
		return FERRY_WIRE_MALFORMED;
	return FERRY_WIRE_OK;
}

static enum ferry_verdict data_check(const struct ferry_conn_hdr *hdr,
				     const void *rest)
{
	size_t ranges = hdr->h.hlen * 4U - FERRY_CONN_HLEN;
	const struct ferry_sack_hdr *at = rest;
	const struct ferry_sack_hdr *end = at + ranges / sizeof(*at);
	struct ferry_sack_hdr range;

	if (hdr->h.flags & ~FERRY_F_ALL || hdr->h.code || !hdr->stamp)
		return FERRY_WIRE_MALFORMED;
	if (ranges % sizeof(range))
		return FERRY_WIRE_MALFORMED;
	if (ranges && (hdr->h.flags || hdr->h.len))
		return FERRY_WIRE_MALFORMED;
	for (; at < end; at++) {
		memcpy(&range, at, sizeof(range));
		if ((__s32)be32_to_cpu(range.start) >=
		    (__s32)be32_to_cpu(range.end))
			return FERRY_WIRE_MALFORMED;
	}
	return FERRY_WIRE_OK;
}

static enum ferry_verdict rst_check(const struct ferry_conn_hdr *hdr)
{
	if (hdr->h.flags || hdr->h.len || hdr->window || hdr->stamp ||
	    hdr->echo || hdr->h.hlen * 4U != FERRY_CONN_HLEN)
		return FERRY_WIRE_MALFORMED;
	if (hdr->h.code && hdr->h.code != FERRY_UNREACH_PROHIBITED)
		return FERRY_WIRE_MALFORMED;
	return FERRY_WIRE_OK;
}

/* The rules of a connection's packet, whose common header is @h. */
static enum ferry_verdict conn_check(const void *data, size_t linear,
				     const struct ferry_hdr *h)
{
	const __u8 *rest = (const __u8 *)data + FERRY_CONN_HLEN;
	size_t hlen = h->hlen * 4U;
	struct ferry_conn_hdr hdr;
	__u64 seq;

	if (h->about || hlen < FERRY_CONN_HLEN || hlen > FERRY_HLEN_MAX)
		return FERRY_WIRE_MALFORMED;
	if (hlen > linear)
		return FERRY_WIRE_SHORT;
	memcpy(&hdr, data, sizeof(hdr));

	/* Payload, record end and FIN: numbers do not wrap. */
	seq = be64_to_cpu(hdr.seq);
	if (seq + be32_to_cpu(h->len) + 2 < seq)
		return FERRY_WIRE_MALFORMED;
	switch (h->kind) {
	case FERRY_KIND_DATA:
		return data_check(&hdr, rest);
	case FERRY_KIND_RST:
		return rst_check(&hdr);
	default:
		return syn_check(&hdr, rest);
	}
}

/**
 * ferry_wire_parse() - validate a packet's header and read it
 * @data: the packet, from the byte after its Ethernet header; no alignment is
 *	asked for
 * @linear: bytes that can be read at @data; FERRY_HLEN_MAX is enough for every
 *	header
 * @total: bytes of the packet, at least @linear; more than the header tells of
 *	is padding
 * @pkt: where to store the header; untouched unless the packet is well-formed
 *
 * Every field is checked but the checksum, which is the caller's to verify
 * over pkt->hlen + pkt->len bytes: a device may have done it already. For what
 * a connection's packet says more, ask ferry_wire_read_seg().
 *
 * Context: any; pure.
 * Return: FERRY_WIRE_OK, or what is wrong.
 */
enum ferry_verdict ferry_wire_parse(const void *data, size_t linear,
				    size_t total, struct ferry_packet *pkt)
{
	enum ferry_verdict verdict;
	size_t hlen = FERRY_HLEN;
	struct ferry_hdr hdr;
	size_t len;

	if (linear < sizeof(hdr) || total < linear)
		return FERRY_WIRE_SHORT;
	memcpy(&hdr, data, sizeof(hdr));

	if (hdr.version != FERRY_WIRE_VERSION)
		return FERRY_WIRE_VERSION_UNKNOWN;

	switch (hdr.kind) {
	case FERRY_KIND_DATAGRAM:
	case FERRY_KIND_ECHO:
		verdict = datagram_check(&hdr);
		break;
	case FERRY_KIND_UNREACH:
		verdict = unreach_check(&hdr);
		break;
	case FERRY_KIND_ECHO_REPLY:
		verdict = echo_reply_check(&hdr);
		break;
	case FERRY_KIND_SYN:
	case FERRY_KIND_SYNACK:
	case FERRY_KIND_DATA:
	case FERRY_KIND_RST:
		verdict = conn_check(data, linear, &hdr);
		hlen = hdr.hlen * 4;
		break;
	default:
		return FERRY_WIRE_KIND_UNKNOWN;
	}
	if (verdict != FERRY_WIRE_OK)
		return verdict;

	if (hdr.hlen * 4U != hlen || !hdr.sport || !hdr.dport)
		return FERRY_WIRE_MALFORMED;

	len = be32_to_cpu(hdr.len);
	if (len > total - hlen)
		return FERRY_WIRE_SHORT;

	pkt->kind = hdr.kind;
	pkt->code = hdr.code;
	pkt->about = hdr.about;
	pkt->hlen = hlen;
	pkt->len = len;
	pkt->sport = be32_to_cpu(hdr.sport);
	pkt->dport = be32_to_cpu(hdr.dport);
	return FERRY_WIRE_OK;
}

/**
 * ferry_wire_build() - write the header of a packet that is of no connection
 * @hdr: where to write it; need not be aligned to more than 2 bytes
 * @pkt: what it says; @pkt->hlen is not read
 *
 * The checksum field is left 0: it is for who knows the frame's addresses.
 *
 * Context: any; pure.
 */
void ferry_wire_build(struct ferry_hdr *hdr, const struct ferry_packet *pkt)
{
	struct ferry_hdr h = {
		.version = FERRY_WIRE_VERSION,
		.kind = pkt->kind,
		.hlen = FERRY_HLEN_WORDS,
		.len = cpu_to_be32(pkt->len),
		.sport = cpu_to_be32(pkt->sport),
		.dport = cpu_to_be32(pkt->dport),
		.code = pkt->code,
		.about = pkt->about,
	};

	memcpy(hdr, &h, sizeof(h));
}

/**
 * ferry_wire_unreach() - the packet that says that a packet could not be taken
 * @pkt: the packet that could not
 * @code: enum ferry_unreach
 * @answer: where to store the answer
 *
 * Context: any; pure.
 * Return: 0, or -EINVAL if @pkt is of a kind that is never answered: an error
 * must not beget another (RFC 1122, section 3.2.2).
 */
int ferry_wire_unreach(const struct ferry_packet *pkt, __u8 code,
		       struct ferry_packet *answer)
{
	if (pkt->kind != FERRY_KIND_DATAGRAM)
		return -EINVAL;

	*answer = (struct ferry_packet) {
		.kind = FERRY_KIND_UNREACH,
		.code = code,
		.about = pkt->kind,
		.hlen = FERRY_HLEN,
		.sport = pkt->dport,
		.dport = pkt->sport,
	};
	return 0;
}

/**
 * ferry_wire_echo_reply() - the packet that answers an echo
 * @pkt: the echo
 * @answer: where to store the answer, which has the same payload
 *
 * Context: any; pure.
 * Return: 0, or -EINVAL if @pkt is no echo: an answer must not beget another.
 */
int ferry_wire_echo_reply(const struct ferry_packet *pkt,
			  struct ferry_packet *answer)
{
	if (pkt->kind != FERRY_KIND_ECHO)
		return -EINVAL;

	*answer = (struct ferry_packet) {
		.kind = FERRY_KIND_ECHO_REPLY,
		.code = FERRY_WIRE_VERSION,
		.hlen = FERRY_HLEN,
		.len = pkt->len,
		.sport = pkt->dport,
		.dport = pkt->sport,
	};
	return 0;
}

/**
 * ferry_wire_read_seg() - read the rest of a connection's header
 * @data: the packet, which ferry_wire_parse() has found well-formed
 * @pkt: what it has stored; ferry_kind_is_conn(pkt->kind)
 * @seg: where to store what the packet says
 *
 * Context: any; pure.
 */
void ferry_wire_read_seg(const void *data, const struct ferry_packet *pkt,
			 struct ferry_seg *seg)
{
	const __u8 *rest = (const __u8 *)data + FERRY_CONN_HLEN;
	struct ferry_sack_hdr range;
	struct ferry_conn_hdr hdr;
	unsigned int i;
	__be32 mss = 0;

	memcpy(&hdr, data, sizeof(hdr));
	seg->kind = pkt->kind;
	seg->flags = hdr.h.flags;
	seg->code = pkt->code;
	seg->len = pkt->len;
	seg->window = be32_to_cpu(hdr.window);
	seg->seq = be64_to_cpu(hdr.seq);
	seg->ack = be64_to_cpu(hdr.ack);
	seg->stamp = be32_to_cpu(hdr.stamp);
	seg->echo = be32_to_cpu(hdr.echo);
	seg->mss = 0;
	seg->nsack = 0;

	if (pkt->kind != FERRY_KIND_DATA) {
		if (pkt->hlen == FERRY_SYN_HLEN)
			memcpy(&mss, rest, sizeof(mss));
		seg->mss = be32_to_cpu(mss);
		return;
	}
	seg->nsack = (pkt->hlen - FERRY_CONN_HLEN) / sizeof(range);
	for (i = 0; i < seg->nsack; i++) {
		memcpy(&range, rest + i * sizeof(range), sizeof(range));
		seg->sack[i].start =
			seg->ack + (__s32)be32_to_cpu(range.start);
		seg->sack[i].end = seg->ack + (__s32)be32_to_cpu(range.end);
	}
}

/**
 * ferry_wire_build_seg() - write the header of a connection's packet
 * @data: where to write it: ferry_seg_hlen() bytes, of any alignment
 * @seg: what it says; SACK ranges lie within 2^31 of @seg->ack
 * @sport: source port
 * @dport: destination port
 *
 * The checksum field is left 0, as by ferry_wire_build().
 *
 * Context: any; pure.
 * Return: the header's length in bytes.
 */
__u32 ferry_wire_build_seg(void *data, const struct ferry_seg *seg,
			   __u32 sport, __u32 dport)
{
	__u32 hlen = ferry_seg_hlen(seg);
	const struct ferry_conn_hdr hdr = {
		.h = {
			.version = FERRY_WIRE_VERSION,
			.kind = seg->kind,
			.flags = seg->flags,
			.hlen = hlen / 4,
			.len = cpu_to_be32(seg->len),
			.sport = cpu_to_be32(sport),
			.dport = cpu_to_be32(dport),
			.code = seg->code,
		},
		.window = cpu_to_be32(seg->window),
		.seq = cpu_to_be64(seg->seq),
		.ack = cpu_to_be64(seg->ack),
		.stamp = cpu_to_be32(seg->stamp),
		.echo = cpu_to_be32(seg->echo),
	};
	__u8 *rest = (__u8 *)data + FERRY_CONN_HLEN;
	unsigned int i;

	memcpy(data, &hdr, sizeof(hdr));
	if (hlen == FERRY_SYN_HLEN) {
		__be32 mss = cpu_to_be32(seg->mss);

		memcpy(rest, &mss, sizeof(mss));
		return hlen;
	}
	for (i = 0; i < seg->nsack; i++) {
		struct ferry_sack_hdr range = {
			.start = cpu_to_be32(seg->sack[i].start - seg->ack),
			.end = cpu_to_be32(seg->sack[i].end - seg->ack),
		};

		memcpy(rest + i * sizeof(range), &range, sizeof(range));
	}
	return hlen;
}

/**
 * ferry_wire_continues() - whether a packet goes on where others end
 * @first: the first one's header
 * @have: payload of those before it, in bytes
 * @next: the packet's own header
 *
 * All are data of one connection, and those before it have no flags. Then they and
 * the packet say what one segment would say that has the payload of all, the first
 * one's number and the last one's flags.
 *
 * Context: any; pure.
 * Return: whether it does.
 */
bool ferry_wire_continues(const struct ferry_conn_hdr *first, __u32 have,
			  const struct ferry_conn_hdr *next)
{
	return be64_to_cpu(next->seq) == be64_to_cpu(first->seq) + have &&
	       next->ack == first->ack && next->window == first->window &&
	       next->stamp == first->stamp && next->echo == first->echo &&
	       next->h.code == first->h.code && next->h.about == first->h.about;
}
