// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes at all as a frame's payload: whatever ferry_wire_parse() accepts
 * keeps its promises, and nothing makes it read past what it was given.
 *
 * The input's first byte says how much of the rest is linear, as drivers that
 * split headers from payload hand it over; 255 is all of it.
 */
#include <stdlib.h>
#include <string.h>

#include "user.h"
#include "wire.h"

#define PROMISE(condition)						\
	do {								\
		if (!(condition))					\
			abort();					\
	} while (0)

/* A connection's header, read and built again, is the same but for the sum. */
static void check_conn(const __u8 *frame, size_t total,
		       const struct ferry_packet *pkt)
{
	__u8 expected[FERRY_HLEN_MAX], built[FERRY_HLEN_MAX];
	struct ferry_packet answer;
	struct ferry_seg seg;
	unsigned int i;

	PROMISE(pkt->hlen >= FERRY_CONN_HLEN && pkt->hlen <= FERRY_HLEN_MAX);
	PROMISE(pkt->len <= total - pkt->hlen);
	PROMISE(pkt->sport && pkt->dport);

	ferry_wire_read_seg(frame, pkt, &seg);
	PROMISE(seg.nsack <= FERRY_SACKS_MAX);
	PROMISE(ferry_seg_end(&seg) >= seg.seq);
	for (i = 0; i < seg.nsack; i++)
		PROMISE(seg.sack[i].start != seg.sack[i].end);

	memcpy(expected, frame, pkt->hlen);
	memset(expected + offsetof(struct ferry_hdr, check), 0, 2);
	PROMISE(ferry_wire_build_seg(built, &seg, pkt->sport, pkt->dport) ==
		pkt->hlen);
	PROMISE(!memcmp(built, expected, pkt->hlen));
	PROMISE(ferry_wire_unreach(pkt, FERRY_UNREACH_PORT, &answer));
	PROMISE(ferry_wire_echo_reply(pkt, &answer));
}

/* The answer to an echo has its payload, is well-formed, and is not answered. */
static void check_echo(const __u8 *frame, size_t total,
		       const struct ferry_packet *pkt)
{
	struct ferry_packet answer, again;
	__u8 *reply;

	if (ferry_wire_echo_reply(pkt, &answer)) {
		PROMISE(pkt->kind != FERRY_KIND_ECHO);
		return;
	}
	PROMISE(pkt->kind == FERRY_KIND_ECHO);
	reply = malloc(total);
	memcpy(reply, frame, FERRY_HLEN);
	ferry_wire_build((struct ferry_hdr *)reply, &answer);
	PROMISE(!ferry_wire_parse(reply, FERRY_HLEN, total, &again));
	free(reply);
	PROMISE(again.len == pkt->len);
	PROMISE(again.sport == pkt->dport && again.dport == pkt->sport);
	PROMISE(ferry_wire_echo_reply(&again, &answer));
}

static void check_accepted(const __u8 *frame, size_t total,
			   const struct ferry_packet *pkt)
{
	struct ferry_packet answer, again;
	struct ferry_hdr hdr;
	__u8 expected[FERRY_HLEN];

	PROMISE(pkt->hlen == FERRY_HLEN);
	PROMISE(pkt->len <= total - pkt->hlen);
	PROMISE(pkt->sport && pkt->dport);

	/* Reading loses nothing: built again, it is the same but for the sum. */
	memcpy(expected, frame, sizeof(expected));
	memset(expected + offsetof(struct ferry_hdr, check), 0, 2);
	ferry_wire_build(&hdr, pkt);
	PROMISE(!memcmp(&hdr, expected, sizeof(hdr)));
	check_echo(frame, total, pkt);

	/* What answers it is well-formed, and is never answered itself. */
	if (ferry_wire_unreach(pkt, FERRY_UNREACH_PORT, &answer)) {
		PROMISE(pkt->kind != FERRY_KIND_DATAGRAM);
		return;
	}
	ferry_wire_build(&hdr, &answer);
	PROMISE(!ferry_wire_parse(&hdr, sizeof(hdr), sizeof(hdr), &again));
	PROMISE(again.sport == pkt->dport && again.dport == pkt->sport);
	PROMISE(ferry_wire_unreach(&again, FERRY_UNREACH_PORT, &answer));
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	struct ferry_packet pkt;
	size_t total, linear;
	__u8 *frame;

	if (!size)
		return 0;
	total = size - 1;
	linear = data[0] == 255 || data[0] > total ? total : data[0];

	/* Its own allocation, so that the byte after it is out of bounds. */
	frame = malloc(linear ? linear : 1);
	memcpy(frame, data + 1, linear);
	if (ferry_wire_parse(frame, linear, total, &pkt) == FERRY_WIRE_OK) {
		if (ferry_kind_is_conn(pkt.kind))
			check_conn(frame, total, &pkt);
		else
			check_accepted(frame, total, &pkt);
	}
	free(frame);
	return 0;
}
