// SPDX-License-Identifier: GPL-2.0-only
/*
 * Joining: see gro.h.
 *
 * The mirror of gso.c: of frames that were cut from one large segment it is made
 * again, so that what each segment costs above here is paid once. A device's NAPI
 * holds the first frame of a segment, and those that go on where it ends are hung
 * on it, until one does not or the poll is over.
 *
 * Frames that were cut from one segment have one header but for number, length and
 * checksum, and the marks, which are the last one's. So the segment says just what
 * its frames said, and can be cut again into the same frames where it goes on
 * through a bridge.
 */
#include <linux/netdevice.h>
#include <net/gro.h>
#include <uapi/linux/ferry.h>

#include "addr.h"
#include "gro.h"
#include "wire.h"

#define FERRY_GRO_HLEN	sizeof(struct ferry_conn_hdr)

/*
 * Whether a frame may be held, or hung on one that is: data without SACK ranges,
 * and nothing behind it. One whose pages or fragment list somebody else has, too,
 * is not ours to join.
 */
static bool ferry_gro_fit(struct sk_buff *skb,
			  const struct ferry_conn_hdr *hdr)
{
	u32 len = be32_to_cpu(hdr->h.len);

	return !NAPI_GRO_CB(skb)->flush && !skb_cloned(skb) &&
	       !skb_zcopy(skb) && len &&
	       hdr->h.version == FERRY_WIRE_VERSION &&
	       hdr->h.hlen * 4 == FERRY_GRO_HLEN &&
	       len == skb_gro_len(skb) - FERRY_GRO_HLEN;
}

/*
 * The core takes a checksum that begins where its mark for remote checksum offload
 * (VXLAN's) is for one that was checked already. There is none here, and by default
 * the mark is where we begin.
 */
static bool ferry_gro_checksum_ok(struct sk_buff *skb)
{
	NAPI_GRO_CB(skb)->gro_remcsum_start = U16_MAX;
	return !skb_gro_checksum_validate(skb, 0, ferry_addr_sum_of);
}

/* Whether two frames are of one direction of one connection; their MACs are. */
static bool ferry_gro_same_flow(const struct ferry_hdr *a,
				const struct ferry_hdr *b)
{
	return a->sport == b->sport && a->dport == b->dport;
}

/* The frame that is held of a flow, if there is one. */
static struct sk_buff *ferry_gro_find(struct list_head *held,
				      const struct ferry_hdr *hdr)
{
	struct sk_buff *p;

	list_for_each_entry(p, held, list) {
		if (!NAPI_GRO_CB(p)->same_flow)
			continue;
		if (ferry_gro_same_flow((const void *)p->data, hdr))
			return p;
		NAPI_GRO_CB(p)->same_flow = 0;
	}
	return NULL;
}

/* Whether a frame that fits is what comes after those that are held. */
static bool ferry_gro_continues(const struct sk_buff *p,
				const struct sk_buff *skb,
				const struct ferry_conn_hdr *hdr)
{
	const struct ferry_conn_hdr *first = (const void *)p->data;
	u32 have = p->len - FERRY_GRO_HLEN;
	u32 len = be32_to_cpu(hdr->h.len);

	return ferry_wire_continues(first, have, hdr) &&
	       len <= skb_shinfo(p)->gso_size &&
	       p->len + len < READ_ONCE(p->dev->gro_max_size);
}

/* Take a frame's header off: from its pages, too, where a driver left it there. */
static void ferry_gro_behead(struct sk_buff *skb)
{
	unsigned int offset = skb_gro_offset(skb);
	unsigned int linear = min(offset, skb_headlen(skb));
	skb_frag_t *frag = skb_shinfo(skb)->frags;

	__skb_pull(skb, linear);
	offset -= linear;
	if (!offset)
		return;
	skb_frag_off_add(frag, offset);
	skb_frag_size_sub(frag, offset);
	skb->data_len -= offset;
	skb->len -= offset;
}

/*
 * Hang a frame on the one that is held. (The core's own function for it is for no
 * module.)
 */
static void ferry_gro_join(struct sk_buff *p, struct sk_buff *skb)
{
	u32 truesize = skb->truesize;

	skb->destructor = NULL;
	skb->sk = NULL;
	ferry_gro_behead(skb);
	if (NAPI_GRO_CB(p)->last == p)
		skb_shinfo(p)->frag_list = skb;
	else
		NAPI_GRO_CB(p)->last->next = skb;
	NAPI_GRO_CB(p)->last = skb;
	__skb_header_release(skb);

	NAPI_GRO_CB(p)->count++;
	p->len += skb->len;
	p->data_len += skb->len;
	p->truesize += truesize;
	skb_shinfo(p)->flags |= skb_shinfo(skb)->flags & SKBFL_SHARED_FRAG;
	NAPI_GRO_CB(skb)->same_flow = 1;
}

/**
 * ferry_gro_receive() - a device brings a frame: hold it, join it, or let it pass
 * @held: what is held of flows with this hash
 * @skb: the frame, its data at our header
 *
 * What a frame cannot be joined to goes up before it, so that nothing overtakes.
 *
 * Context: softirq, from NAPI, under RCU.
 * Return: what is to go up now, or NULL.
 */
struct sk_buff *ferry_gro_receive(struct list_head *held, struct sk_buff *skb)
{
	const struct ferry_conn_hdr *hdr;
	const struct ferry_hdr *h;
	struct sk_buff *p = NULL;
	u8 flags;
	u32 len;

	/* The pseudo header is the frame's own: not what is in a tag or a tunnel. */
	if (skb_gro_offset(skb))
		goto flush;
	h = skb_gro_header(skb, FERRY_HLEN, 0);
	if (unlikely(!h))
		goto flush;

	p = ferry_gro_find(held, h);
	/* Others' headers are shorter, and their pages are to stay pages. */
	if (h->kind != FERRY_KIND_DATA)
		goto flush;
	hdr = skb_gro_header(skb, FERRY_GRO_HLEN, 0);
	if (unlikely(!hdr) || !ferry_gro_fit(skb, hdr) || !ferry_gro_checksum_ok(skb))
		goto flush;

	flags = hdr->h.flags;
	len = be32_to_cpu(hdr->h.len);
	skb_gro_pull(skb, FERRY_GRO_HLEN);
	if (!p || !ferry_gro_continues(p, skb, hdr)) {
		/* It is the first of its own, unless nothing can follow. */
		NAPI_GRO_CB(skb)->same_flow = 0;
		NAPI_GRO_CB(skb)->flush |= !!flags;
		return p;
	}
	ferry_gro_join(p, skb);
	((struct ferry_conn_hdr *)p->data)->h.flags = flags;
	return flags || len < skb_shinfo(p)->gso_size ? p : NULL;

flush:
	NAPI_GRO_CB(skb)->same_flow = 0;
	NAPI_GRO_CB(skb)->flush |= 1;
	return p;
}

/**
 * ferry_gro_complete() - what was joined goes up: give it a header of its own
 * @skb: the segment
 * @nhoff: where its header is, from its data on
 *
 * Context: softirq, from NAPI, under RCU.
 * Return: 0.
 */
int ferry_gro_complete(struct sk_buff *skb, int nhoff)
{
	struct ferry_conn_hdr *hdr = (void *)(skb->data + nhoff);

	hdr->h.len = cpu_to_be32(skb->len - nhoff - FERRY_GRO_HLEN);
	skb_set_transport_header(skb, nhoff);
	ferry_addr_start_sum(skb, ferry_addr_sum_of(skb, 0));
	/* See gso.c for why it is this type. */
	skb_shinfo(skb)->gso_type |= SKB_GSO_SCTP;
	skb_shinfo(skb)->gso_segs = NAPI_GRO_CB(skb)->count;
	return 0;
}
