// SPDX-License-Identifier: GPL-2.0-only
/*
 * wire.c: every rule of a header, each of its bounds from both sides, and that
 * what is built is what is read.
 */
#include <errno.h>
#include <string.h>

#include "unit.h"
#include "user.h"
#include "wire.h"

UNIT_MAIN()

#define HLEN 20

/* Where each field of a header lies: docs/protocol.md draws it. */
enum {
	AT_VERSION = 0,
	AT_KIND = 1,
	AT_FLAGS = 2,
	AT_HLEN = 3,
	AT_LEN = 4,
	AT_SPORT = 8,
	AT_DPORT = 12,
	AT_CHECK = 16,
	AT_CODE = 18,
	AT_ABOUT = 19,
};

/* Three bytes of payload, from port 0x01020304 to port 7. */
static const __u8 datagram[HLEN] = {
	1, 1, 0, 5, 0, 0, 0, 3, 1, 2, 3, 4, 0, 0, 0, 7, 0, 0, 0, 0,
};

/* The answer to it: there is no port 7. */
static const __u8 unreach[HLEN] = {
	1, 2, 0, 5, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3, 4, 0, 0, 1, 1,
};

/* Number 7 of those whose answers are for port 0x01020304, and its answer. */
static const __u8 echo[HLEN] = {
	1, 7, 0, 5, 0, 0, 0, 3, 1, 2, 3, 4, 0, 0, 0, 7, 0, 0, 0, 0,
};

static const __u8 echo_reply[HLEN] = {
	1, 8, 0, 5, 0, 0, 0, 3, 0, 0, 0, 7, 1, 2, 3, 4, 0, 0, 1, 0,
};

static const __u8 *const headers[] = { datagram, unreach, echo, echo_reply };

/*
 * Parse @header, with @linear of its bytes in an allocation of just that size:
 * reading one more is the address sanitizer's to report.
 */
static enum ferry_verdict parse(const __u8 *header, size_t linear, size_t total,
				struct ferry_packet *pkt)
{
	enum ferry_verdict verdict;
	__u8 *exact = malloc(linear ? linear : 1);

	if (linear)
		memcpy(exact, header, linear < HLEN ? linear : HLEN);
	verdict = ferry_wire_parse(linear ? exact : exact + 1, linear, total,
				   pkt);
	free(exact);
	return verdict;
}

/* The verdict on a header whose packet has @total bytes; a bad one is not read. */
static enum ferry_verdict judge_bytes(const __u8 *header, size_t linear,
				      size_t total)
{
	struct ferry_packet pkt, untouched;
	enum ferry_verdict verdict;

	memset(&pkt, 0xa5, sizeof(pkt));
	memcpy(&untouched, &pkt, sizeof(pkt));
	verdict = parse(header, linear, total, &pkt);
	if (verdict != FERRY_WIRE_OK)
		CHECK(!memcmp(&pkt, &untouched, sizeof(pkt)));
	return verdict;
}

/* The same, for a packet with room for the payload of both headers above. */
static enum ferry_verdict judge(const __u8 *header)
{
	return judge_bytes(header, HLEN, HLEN + 3);
}

/* The verdict on @header once its byte @at is @value. */
static enum ferry_verdict judge_with(const __u8 *header, size_t at, __u8 value)
{
	__u8 changed[HLEN];

	memcpy(changed, header, HLEN);
	changed[at] = value;
	return judge(changed);
}

/* All 256 values of the byte @at: two are good (or one, twice), no other. */
static void byte_values(const __u8 *header, size_t at, unsigned int good1,
			unsigned int good2, enum ferry_verdict verdict)
{
	unsigned int value;

	for (value = 0; value < 256; value++)
		CHECK_EQ(judge_with(header, at, value),
			 value == good1 || value == good2 ? FERRY_WIRE_OK :
							    verdict);
}

UNIT(wire_layout__offsets)
{
	CHECK_EQ(sizeof(struct ferry_hdr), HLEN);
	CHECK_EQ(FERRY_HLEN, HLEN);
	CHECK_EQ(FERRY_HLEN_WORDS, HLEN / 4);
	CHECK_EQ(offsetof(struct ferry_hdr, version), AT_VERSION);
	CHECK_EQ(offsetof(struct ferry_hdr, kind), AT_KIND);
	CHECK_EQ(offsetof(struct ferry_hdr, flags), AT_FLAGS);
	CHECK_EQ(offsetof(struct ferry_hdr, hlen), AT_HLEN);
	CHECK_EQ(offsetof(struct ferry_hdr, len), AT_LEN);
	CHECK_EQ(offsetof(struct ferry_hdr, sport), AT_SPORT);
	CHECK_EQ(offsetof(struct ferry_hdr, dport), AT_DPORT);
	CHECK_EQ(offsetof(struct ferry_hdr, check), AT_CHECK);
	CHECK_EQ(offsetof(struct ferry_hdr, code), AT_CODE);
	CHECK_EQ(offsetof(struct ferry_hdr, about), AT_ABOUT);
}

UNIT(wire_layout__numbers)
{
	CHECK_EQ(FERRY_WIRE_VERSION, 1);
	CHECK_EQ(FERRY_KIND_DATAGRAM, 1);
	CHECK_EQ(FERRY_KIND_UNREACH, 2);
	CHECK_EQ(FERRY_KIND_SYN, 3);
	CHECK_EQ(FERRY_KIND_SYNACK, 4);
	CHECK_EQ(FERRY_KIND_DATA, 5);
	CHECK_EQ(FERRY_KIND_RST, 6);
	CHECK_EQ(FERRY_KIND_ECHO, 7);
	CHECK_EQ(FERRY_KIND_ECHO_REPLY, 8);
	CHECK_EQ(FERRY_F_FIN, 1);
	CHECK_EQ(FERRY_F_EOR, 2);
	CHECK_EQ(FERRY_F_ASK, 4);
	CHECK_EQ(FERRY_MSS_MIN, 216);
	CHECK_EQ(FERRY_UNREACH_PORT, 1);
	CHECK_EQ(FERRY_UNREACH_PROHIBITED, 2);
}

UNIT(wire_parse__datagram)
{
	struct ferry_packet pkt;

	CHECK_EQ(parse(datagram, HLEN, HLEN + 3, &pkt), FERRY_WIRE_OK);
	CHECK_EQ(pkt.kind, FERRY_KIND_DATAGRAM);
	CHECK_EQ(pkt.code, 0);
	CHECK_EQ(pkt.about, 0);
	CHECK_EQ(pkt.hlen, HLEN);
	CHECK_EQ(pkt.len, 3);
	CHECK_EQ(pkt.sport, 0x01020304);
	CHECK_EQ(pkt.dport, 7);
}

UNIT(wire_parse__unreach)
{
	struct ferry_packet pkt;

	CHECK_EQ(parse(unreach, HLEN, HLEN, &pkt), FERRY_WIRE_OK);
	CHECK_EQ(pkt.kind, FERRY_KIND_UNREACH);
	CHECK_EQ(pkt.code, FERRY_UNREACH_PORT);
	CHECK_EQ(pkt.about, FERRY_KIND_DATAGRAM);
	CHECK_EQ(pkt.hlen, HLEN);
	CHECK_EQ(pkt.len, 0);
	CHECK_EQ(pkt.sport, 7);
	CHECK_EQ(pkt.dport, 0x01020304);
}

UNIT(wire_parse__echo)
{
	struct ferry_packet pkt;

	CHECK_EQ(parse(echo, HLEN, HLEN + 3, &pkt), FERRY_WIRE_OK);
	CHECK_EQ(pkt.kind, FERRY_KIND_ECHO);
	CHECK_EQ(pkt.code, 0);
	CHECK_EQ(pkt.hlen, HLEN);
	CHECK_EQ(pkt.len, 3);
	CHECK_EQ(pkt.sport, 0x01020304);
	CHECK_EQ(pkt.dport, 7);
	CHECK_EQ(parse(echo_reply, HLEN, HLEN + 3, &pkt), FERRY_WIRE_OK);
	CHECK_EQ(pkt.kind, FERRY_KIND_ECHO_REPLY);
	CHECK_EQ(pkt.code, 1);
	CHECK_EQ(pkt.len, 3);
	CHECK_EQ(pkt.sport, 7);
	CHECK_EQ(pkt.dport, 0x01020304);
}

UNIT(wire_parse__header_cut_short)
{
	size_t linear, i;

	for (i = 0; i < ARRAY_SIZE(headers); i++)
		for (linear = 0; linear < HLEN; linear++) {
			CHECK_EQ(judge_bytes(headers[i], linear, linear),
				 FERRY_WIRE_SHORT);
			/* There, but not where it can be read. */
			CHECK_EQ(judge_bytes(headers[i], linear, HLEN + 3),
				 FERRY_WIRE_SHORT);
		}
}

UNIT(wire_parse__total_below_linear)
{
	CHECK_EQ(judge_bytes(unreach, HLEN, HLEN - 1), FERRY_WIRE_SHORT);
	CHECK_EQ(judge_bytes(unreach, HLEN, 0), FERRY_WIRE_SHORT);
	CHECK_EQ(judge_bytes(datagram, HLEN + 4, HLEN + 3), FERRY_WIRE_SHORT);
}

UNIT(wire_parse__version)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(headers); i++)
		byte_values(headers[i], AT_VERSION, 1, 1,
			    FERRY_WIRE_VERSION_UNKNOWN);
}

UNIT(wire_parse__version_before_all_else)
{
	__u8 other[HLEN];

	/* Nothing is known of another version, so nothing else is read. */
	memset(other, 0xff, HLEN);
	CHECK_EQ(judge(other), FERRY_WIRE_VERSION_UNKNOWN);
	memset(other, 0, HLEN);
	CHECK_EQ(judge(other), FERRY_WIRE_VERSION_UNKNOWN);
}

UNIT(wire_parse__kind)
{
	unsigned int kind;

	for (kind = 0; kind < 256; kind++) {
		if (kind == FERRY_KIND_DATAGRAM || kind == FERRY_KIND_UNREACH ||
		    kind == FERRY_KIND_ECHO || kind == FERRY_KIND_ECHO_REPLY ||
		    ferry_kind_is_conn(kind))
			continue;
		CHECK_EQ(judge_with(datagram, AT_KIND, kind),
			 FERRY_WIRE_KIND_UNKNOWN);
	}
	/* Each kind has its own rules for the same bytes. */
	CHECK_EQ(judge_with(datagram, AT_KIND, FERRY_KIND_UNREACH),
		 FERRY_WIRE_MALFORMED);
	CHECK_EQ(judge_with(unreach, AT_KIND, FERRY_KIND_DATAGRAM),
		 FERRY_WIRE_MALFORMED);
}

UNIT(wire_parse__flags)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(headers); i++)
		byte_values(headers[i], AT_FLAGS, 0, 0, FERRY_WIRE_MALFORMED);
}

UNIT(wire_parse__hlen)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(headers); i++)
		byte_values(headers[i], AT_HLEN, 5, 5, FERRY_WIRE_MALFORMED);
}

UNIT(wire_parse__code)
{
	byte_values(datagram, AT_CODE, 0, 0, FERRY_WIRE_MALFORMED);
	byte_values(unreach, AT_CODE, FERRY_UNREACH_PORT,
		    FERRY_UNREACH_PROHIBITED, FERRY_WIRE_MALFORMED);
	byte_values(echo, AT_CODE, 0, 0, FERRY_WIRE_MALFORMED);
}

/* Version 1 or any later one: that is what its sender speaks. */
UNIT(wire_parse__code_of_an_echo_reply)
{
	struct ferry_packet pkt;
	__u8 changed[HLEN];
	unsigned int code;

	CHECK_EQ(judge_with(echo_reply, AT_CODE, 0), FERRY_WIRE_MALFORMED);
	memcpy(changed, echo_reply, HLEN);
	for (code = 1; code < 256; code++) {
		changed[AT_CODE] = code;
		CHECK_EQ(parse(changed, HLEN, HLEN + 3, &pkt), FERRY_WIRE_OK);
		CHECK_EQ(pkt.code, code);
	}
}

UNIT(wire_parse__about)
{
	byte_values(datagram, AT_ABOUT, 0, 0, FERRY_WIRE_MALFORMED);
	byte_values(unreach, AT_ABOUT, FERRY_KIND_DATAGRAM,
		    FERRY_KIND_DATAGRAM, FERRY_WIRE_MALFORMED);
	byte_values(echo, AT_ABOUT, 0, 0, FERRY_WIRE_MALFORMED);
	byte_values(echo_reply, AT_ABOUT, 0, 0, FERRY_WIRE_MALFORMED);
}

/* The verdict on @header with @port at @at. */
static enum ferry_verdict judge_port(const __u8 *header, size_t at, __u32 port)
{
	__be32 wire = cpu_to_be32(port);
	__u8 changed[HLEN];

	memcpy(changed, header, HLEN);
	memcpy(changed + at, &wire, sizeof(wire));
	return judge(changed);
}

UNIT(wire_parse__ports)
{
	static const size_t fields[] = { AT_SPORT, AT_DPORT };
	unsigned int bit;
	size_t i, f;

	for (i = 0; i < ARRAY_SIZE(headers); i++)
		for (f = 0; f < ARRAY_SIZE(fields); f++) {
			CHECK_EQ(judge_port(headers[i], fields[f], 0),
				 FERRY_WIRE_MALFORMED);
			for (bit = 0; bit < 32; bit++)
				CHECK_EQ(judge_port(headers[i], fields[f],
						    1U << bit),
					 FERRY_WIRE_OK);
			CHECK_EQ(judge_port(headers[i], fields[f], 0xffffffff),
				 FERRY_WIRE_OK);
		}
}

/* Parse a datagram that says it has @len bytes, in a packet of @total. */
static enum ferry_verdict judge_len(__u32 len, size_t total)
{
	__be32 wire = cpu_to_be32(len);
	enum ferry_verdict verdict;
	struct ferry_packet pkt;
	__u8 changed[HLEN];

	memcpy(changed, datagram, HLEN);
	memcpy(changed + AT_LEN, &wire, sizeof(wire));
	verdict = parse(changed, HLEN, total, &pkt);
	if (verdict == FERRY_WIRE_OK)
		CHECK_EQ(pkt.len, len);
	return verdict;
}

UNIT(wire_parse__len)
{
	static const __u32 lens[] = { 1, 3, 26, 255, 256, 1480, 65515, 1 << 24 };
	size_t i;

	CHECK_EQ(judge_len(0, HLEN), FERRY_WIRE_OK);
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		CHECK_EQ(judge_len(lens[i], HLEN + lens[i]), FERRY_WIRE_OK);
		CHECK_EQ(judge_len(lens[i], HLEN + lens[i] - 1),
			 FERRY_WIRE_SHORT);
		CHECK_EQ(judge_len(lens[i], HLEN), FERRY_WIRE_SHORT);
	}
}

UNIT(wire_parse__padding)
{
	size_t total;

	/* Ethernet pads: any count of bytes may follow the payload. */
	for (total = HLEN + 3; total < 200; total++)
		CHECK_EQ(judge_len(3, total), FERRY_WIRE_OK);
	CHECK_EQ(judge_len(0, 46), FERRY_WIRE_OK);
}

UNIT(wire_parse__len_does_not_wrap)
{
	__u32 len;

	/* HLEN + len is below HLEN in 32 bits for each of these. */
	for (len = 0xffffffff; len >= 0xffffffff - HLEN; len--) {
		CHECK_EQ(judge_len(len, HLEN), FERRY_WIRE_SHORT);
		CHECK_EQ(judge_len(len, 65535), FERRY_WIRE_SHORT);
	}
	CHECK_EQ(judge_len(0xffffffff, (size_t)0xffffffff + HLEN),
		 FERRY_WIRE_OK);
	CHECK_EQ(judge_len(0xffffffff, (size_t)0xffffffff + HLEN - 1),
		 FERRY_WIRE_SHORT);
}

UNIT(wire_parse__unreach_has_no_payload)
{
	__u8 changed[HLEN];
	size_t at;

	for (at = AT_LEN; at < AT_LEN + 4; at++) {
		memcpy(changed, unreach, HLEN);
		changed[at] = 1;
		CHECK_EQ(judge_bytes(changed, HLEN, (size_t)1 << 32),
			 FERRY_WIRE_MALFORMED);
	}
}

UNIT(wire_parse__check_is_not_its_business)
{
	unsigned int value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(headers); i++)
		for (value = 0; value < 256; value++) {
			CHECK_EQ(judge_with(headers[i], AT_CHECK, value),
				 FERRY_WIRE_OK);
			CHECK_EQ(judge_with(headers[i], AT_CHECK + 1, value),
				 FERRY_WIRE_OK);
		}
}

UNIT(wire_parse__unaligned)
{
	struct ferry_packet aligned, pkt;
	__u64 words[6];
	size_t shift;

	CHECK_EQ(parse(datagram, HLEN, HLEN + 3, &aligned), FERRY_WIRE_OK);
	for (shift = 0; shift < sizeof(words[0]); shift++) {
		__u8 *data = (__u8 *)words + shift;

		memcpy(data, datagram, HLEN);
		CHECK_EQ(ferry_wire_parse(data, HLEN, HLEN + 3, &pkt),
			 FERRY_WIRE_OK);
		CHECK_EQ(pkt.sport, aligned.sport);
		CHECK_EQ(pkt.dport, aligned.dport);
		CHECK_EQ(pkt.len, aligned.len);
	}
}

UNIT(wire_build__datagram)
{
	const struct ferry_packet pkt = {
		.kind = FERRY_KIND_DATAGRAM,
		.len = 3,
		.sport = 0x01020304,
		.dport = 7,
	};
	struct ferry_hdr hdr;

	memset(&hdr, 0xff, sizeof(hdr));
	ferry_wire_build(&hdr, &pkt);
	CHECK(!memcmp(&hdr, datagram, HLEN));
}

UNIT(wire_build__unreach)
{
	const struct ferry_packet pkt = {
		.kind = FERRY_KIND_UNREACH,
		.code = FERRY_UNREACH_PORT,
		.about = FERRY_KIND_DATAGRAM,
		.hlen = 0xffff,		/* which is not read */
		.sport = 7,
		.dport = 0x01020304,
	};
	struct ferry_hdr hdr;

	memset(&hdr, 0xff, sizeof(hdr));
	ferry_wire_build(&hdr, &pkt);
	CHECK(!memcmp(&hdr, unreach, HLEN));
}

UNIT(wire_build__unaligned)
{
	const struct ferry_packet pkt = {
		.kind = FERRY_KIND_DATAGRAM,
		.len = 3,
		.sport = 0x01020304,
		.dport = 7,
	};
	__u64 words[4];
	size_t shift;

	/* Behind a 14-byte Ethernet header in an aligned buffer, for one. */
	for (shift = 0; shift < sizeof(words[0]); shift += 2) {
		__u8 *data = (__u8 *)words + shift;

		memset(words, 0xff, sizeof(words));
		ferry_wire_build((void *)data, &pkt);
		CHECK(!memcmp(data, datagram, HLEN));
		CHECK_EQ(data[HLEN], 0xff);
		if (shift)
			CHECK_EQ(data[-1], 0xff);
	}
}

/* xorshift64: the same numbers in each run. */
static __u64 random_next(__u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct ferry_packet random_packet(__u64 *state)
{
	struct ferry_packet pkt = {
		.kind = FERRY_KIND_DATAGRAM,
		.hlen = HLEN,
		.len = random_next(state) >> (32 + random_next(state) % 32),
		.sport = random_next(state) % 0xffffffff + 1,
		.dport = random_next(state) % 0xffffffff + 1,
	};

	if (random_next(state) % 2) {
		pkt.kind = FERRY_KIND_UNREACH;
		pkt.len = 0;
		pkt.code = FERRY_UNREACH_PORT + random_next(state) % 2;
		pkt.about = FERRY_KIND_DATAGRAM;
	}
	return pkt;
}

static void check_packets_equal(const struct ferry_packet *left,
				const struct ferry_packet *right)
{
	CHECK_EQ(left->kind, right->kind);
	CHECK_EQ(left->code, right->code);
	CHECK_EQ(left->about, right->about);
	CHECK_EQ(left->hlen, right->hlen);
	CHECK_EQ(left->len, right->len);
	CHECK_EQ(left->sport, right->sport);
	CHECK_EQ(left->dport, right->dport);
}

UNIT(wire_build__is_what_parse_reads)
{
	struct ferry_packet built, read;
	__u64 state = 18;
	struct ferry_hdr hdr;
	int i;

	for (i = 0; i < 100000; i++) {
		built = random_packet(&state);
		ferry_wire_build(&hdr, &built);
		CHECK_EQ(ferry_wire_parse(&hdr, HLEN, HLEN + (size_t)built.len,
					  &read), FERRY_WIRE_OK);
		check_packets_equal(&built, &read);
	}
}

UNIT(wire_parse__is_what_build_writes)
{
	struct ferry_packet pkt;
	struct ferry_hdr hdr;
	__u8 changed[HLEN];
	unsigned int bit;
	size_t i;

	/* Whatever one changed bit makes of a header: valid, it is kept. */
	for (i = 0; i < ARRAY_SIZE(headers); i++)
		for (bit = 0; bit < 8 * HLEN; bit++) {
			memcpy(changed, headers[i], HLEN);
			changed[bit / 8] ^= 1 << bit % 8;
			if (parse(changed, HLEN, HLEN + 3, &pkt))
				continue;
			memset(changed + AT_CHECK, 0, 2);
			ferry_wire_build(&hdr, &pkt);
			CHECK(!memcmp(&hdr, changed, HLEN));
		}
}

UNIT(wire_unreach__answers_a_datagram)
{
	struct ferry_packet refused, answer;
	struct ferry_hdr hdr;

	CHECK_EQ(parse(datagram, HLEN, HLEN + 3, &refused), FERRY_WIRE_OK);
	CHECK_EQ(ferry_wire_unreach(&refused, FERRY_UNREACH_PORT, &answer), 0);
	CHECK_EQ(answer.hlen, HLEN);
	ferry_wire_build(&hdr, &answer);
	CHECK(!memcmp(&hdr, unreach, HLEN));

	CHECK_EQ(ferry_wire_unreach(&refused, FERRY_UNREACH_PROHIBITED,
				    &answer), 0);
	CHECK_EQ(answer.code, FERRY_UNREACH_PROHIBITED);
	CHECK_EQ(answer.about, FERRY_KIND_DATAGRAM);
}

UNIT(wire_unreach__answers_nothing_else)
{
	struct ferry_packet refused = { .sport = 1, .dport = 2 };
	struct ferry_packet answer, untouched;
	unsigned int kind;

	memset(&answer, 0xa5, sizeof(answer));
	memcpy(&untouched, &answer, sizeof(answer));
	for (kind = 0; kind < 256; kind++) {
		if (kind == FERRY_KIND_DATAGRAM)
			continue;
		refused.kind = kind;
		CHECK_EQ(ferry_wire_unreach(&refused, FERRY_UNREACH_PORT,
					    &answer), -EINVAL);
		CHECK(!memcmp(&answer, &untouched, sizeof(answer)));
	}
}

UNIT(wire_echo_reply__answers_an_echo)
{
	struct ferry_packet asked, answer;
	struct ferry_hdr hdr;

	CHECK_EQ(parse(echo, HLEN, HLEN + 3, &asked), FERRY_WIRE_OK);
	CHECK_EQ(ferry_wire_echo_reply(&asked, &answer), 0);
	CHECK_EQ(answer.hlen, HLEN);
	ferry_wire_build(&hdr, &answer);
	CHECK(!memcmp(&hdr, echo_reply, HLEN));
}

UNIT(wire_echo_reply__answers_nothing_else)
{
	struct ferry_packet asked = { .sport = 1, .dport = 2 };
	struct ferry_packet answer, untouched;
	unsigned int kind;

	memset(&answer, 0xa5, sizeof(answer));
	memcpy(&untouched, &answer, sizeof(answer));
	for (kind = 0; kind < 256; kind++) {
		if (kind == FERRY_KIND_ECHO)
			continue;
		asked.kind = kind;
		CHECK_EQ(ferry_wire_echo_reply(&asked, &answer), -EINVAL);
		CHECK(!memcmp(&answer, &untouched, sizeof(answer)));
	}
}

/* Connections. */

enum {
	AT_WINDOW = 20,
	AT_SEQ = 24,
	AT_ACK = 32,
	AT_STAMP = 40,
	AT_ECHO = 44,
	AT_REST = 48,
};

/* One segment of each kind, and their bytes as docs/protocol.md draws them. */
static const struct ferry_seg segs[] = {
	{ .kind = FERRY_KIND_SYN, .window = 0x10000, .seq = 0x0102030405060708,
	  .stamp = 9, .mss = 1452 },
	{ .kind = FERRY_KIND_SYNACK, .code = 20, .window = 1, .seq = 2,
	  .ack = 3, .stamp = 4, .echo = 5, .mss = 216 },
	{ .kind = FERRY_KIND_DATA, .flags = FERRY_F_FIN | FERRY_F_EOR,
	  .len = 3, .window = 6, .seq = 7, .ack = 8, .stamp = 9, .echo = 10 },
	{ .kind = FERRY_KIND_DATA, .window = 6, .seq = 7, .ack = 0x100000000,
	  .stamp = 9, .echo = 10, .nsack = 2,
	  .sack = { { 0xfffffffe, 0xffffffff }, { 0x100000001, 0x100000003 } } },
	{ .kind = FERRY_KIND_RST, .code = FERRY_UNREACH_PROHIBITED,
	  .seq = 0xffffffffffffff00, .ack = 1 },
};

static const __u8 seg_bytes[][FERRY_HLEN_MAX] = {
	{
		0x01, 0x03, 0x00, 0x0d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07,
		0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00,
		0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x05, 0xac,
	},
	{
		0x01, 0x04, 0x00, 0x0d, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07,
		0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x00, 0x01,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x05,
		0x00, 0x00, 0x00, 0xd8,
	},
	{
		0x01, 0x05, 0x03, 0x0c, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x07,
		0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x0a,
	},
	{
		0x01, 0x05, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07,
		0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x01,
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x0a,
		0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01,
		0x00, 0x00, 0x00, 0x03,
	},
	{
		0x01, 0x06, 0x00, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x07,
		0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	},
};

static const size_t seg_hlens[] = { 52, 52, 48, 64, 48 };

static size_t seg_copy(size_t which, __u8 *bytes)
{
	memcpy(bytes, seg_bytes[which], seg_hlens[which]);
	return seg_hlens[which];
}

/* Parse @header in an allocation of just @linear bytes. */
static enum ferry_verdict seg_parse(const __u8 *header, size_t linear,
				    size_t total, struct ferry_packet *pkt)
{
	__u8 *exact = malloc(linear ? linear : 1);
	enum ferry_verdict verdict;

	memcpy(exact, header, linear);
	verdict = ferry_wire_parse(exact, linear, total, pkt);
	free(exact);
	return verdict;
}

/* The verdict once @len bytes at @at are @value, big-endian. */
static enum ferry_verdict seg_judge(size_t which, size_t at, size_t len,
				    __u64 value)
{
	__u8 header[FERRY_HLEN_MAX];
	struct ferry_packet pkt;
	size_t hlen = seg_copy(which, header);
	size_t i;

	for (i = 0; i < len; i++)
		header[at + i] = value >> 8 * (len - 1 - i);
	return seg_parse(header, hlen, hlen + 3, &pkt);
}

UNIT(wire_seg__layout)
{
	CHECK_EQ(FERRY_CONN_HLEN, 48);
	CHECK_EQ(FERRY_SYN_HLEN, 52);
	CHECK_EQ(FERRY_HLEN_MAX, 88);
	CHECK_EQ(offsetof(struct ferry_conn_hdr, window), AT_WINDOW);
	CHECK_EQ(offsetof(struct ferry_conn_hdr, seq), AT_SEQ);
	CHECK_EQ(offsetof(struct ferry_conn_hdr, ack), AT_ACK);
	CHECK_EQ(offsetof(struct ferry_conn_hdr, stamp), AT_STAMP);
	CHECK_EQ(offsetof(struct ferry_conn_hdr, echo), AT_ECHO);
}

UNIT(wire_seg__is_built_as_drawn)
{
	__u8 expected[FERRY_HLEN_MAX], built[FERRY_HLEN_MAX + 1];
	size_t i, hlen;

	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		hlen = seg_copy(i, expected);
		memset(built, 0xff, sizeof(built));
		CHECK_EQ(ferry_seg_hlen(&segs[i]), hlen);
		CHECK_EQ(ferry_wire_build_seg(built, &segs[i], 7, 8), hlen);
		CHECK(!memcmp(built, expected, hlen));
		CHECK_EQ(built[hlen], 0xff);
	}
}

static void check_seg_equal(const struct ferry_seg *left,
			    const struct ferry_seg *right)
{
	unsigned int i;

	CHECK_EQ(left->kind, right->kind);
	CHECK_EQ(left->flags, right->flags);
	CHECK_EQ(left->code, right->code);
	CHECK_EQ(left->len, right->len);
	CHECK_EQ(left->window, right->window);
	CHECK_EQ(left->stamp, right->stamp);
	CHECK_EQ(left->echo, right->echo);
	CHECK_EQ(left->mss, right->mss);
	CHECK_EQ(left->seq, right->seq);
	CHECK_EQ(left->ack, right->ack);
	CHECK_EQ(left->nsack, right->nsack);
	for (i = 0; i < left->nsack; i++) {
		CHECK_EQ(left->sack[i].start, right->sack[i].start);
		CHECK_EQ(left->sack[i].end, right->sack[i].end);
	}
}

UNIT(wire_seg__is_read_as_built)
{
	__u8 header[FERRY_HLEN_MAX];
	struct ferry_packet pkt;
	struct ferry_seg seg;
	size_t i, hlen;

	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		hlen = seg_copy(i, header);
		CHECK_EQ(seg_parse(header, hlen, hlen + 3, &pkt),
			 FERRY_WIRE_OK);
		CHECK_EQ(pkt.hlen, hlen);
		CHECK_EQ(pkt.len, segs[i].len);
		CHECK_EQ(pkt.sport, 7);
		CHECK_EQ(pkt.dport, 8);
		memset(&seg, 0xff, sizeof(seg));
		ferry_wire_read_seg(header, &pkt, &seg);
		check_seg_equal(&seg, &segs[i]);
	}
}

UNIT(wire_seg__cut_short)
{
	__u8 header[FERRY_HLEN_MAX];
	struct ferry_packet pkt;
	size_t i, hlen, linear;

	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		hlen = seg_copy(i, header);
		for (linear = 0; linear < hlen; linear++)
			CHECK_EQ(seg_parse(header, linear, hlen + 3, &pkt),
				 FERRY_WIRE_SHORT);
		if (segs[i].len)
			CHECK_EQ(seg_parse(header, hlen, hlen + 2, &pkt),
				 FERRY_WIRE_SHORT);
	}
}

/* All values of a byte: those from @low to @high are good, and so is @also. */
static void seg_byte(size_t which, size_t at, unsigned int low,
		     unsigned int high, unsigned int also)
{
	unsigned int value;

	for (value = 0; value < 256; value++)
		CHECK_EQ(seg_judge(which, at, 1, value),
			 (value >= low && value <= high) || value == also ?
			 FERRY_WIRE_OK : FERRY_WIRE_MALFORMED);
}

UNIT(wire_seg__flags)
{
	seg_byte(0, AT_FLAGS, 0, 0, 0);
	seg_byte(1, AT_FLAGS, 0, 0, 0);
	seg_byte(2, AT_FLAGS, 0, 7, 0);
	seg_byte(3, AT_FLAGS, 0, 0, 0);
	seg_byte(4, AT_FLAGS, 0, 0, 0);
}

UNIT(wire_seg__code)
{
	seg_byte(0, AT_CODE, 12, 30, 0);
	seg_byte(1, AT_CODE, 12, 30, 0);
	seg_byte(2, AT_CODE, 0, 0, 0);
	seg_byte(3, AT_CODE, 0, 0, 0);
	seg_byte(4, AT_CODE, 0, 0, FERRY_UNREACH_PROHIBITED);
}

UNIT(wire_seg__about)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(segs); i++)
		seg_byte(i, AT_ABOUT, 0, 0, 0);
}

UNIT(wire_seg__ports)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		CHECK_EQ(seg_judge(i, AT_SPORT, 4, 0), FERRY_WIRE_MALFORMED);
		CHECK_EQ(seg_judge(i, AT_DPORT, 4, 0), FERRY_WIRE_MALFORMED);
		CHECK_EQ(seg_judge(i, AT_DPORT, 4, 0xffffffff), FERRY_WIRE_OK);
	}
}

UNIT(wire_seg__header_length)
{
	struct ferry_packet pkt;
	__u8 header[256 * 4];
	unsigned int words;
	bool good;
	size_t i;

	/* Zeros behind the header are no ranges. */
	for (i = 0; i < ARRAY_SIZE(segs); i++)
		for (words = 0; words < 256; words++) {
			memset(header, 0, sizeof(header));
			seg_copy(i, header);
			header[AT_HLEN] = words;
			good = words * 4 == ferry_seg_hlen(&segs[i]) ||
			       (i == 3 && (words == 12 || words == 14));
			CHECK_EQ(seg_parse(header, sizeof(header),
					   sizeof(header), &pkt),
				 good ? FERRY_WIRE_OK : FERRY_WIRE_MALFORMED);
		}
}

UNIT(wire_seg__payload)
{
	CHECK_EQ(seg_judge(0, AT_LEN, 4, 1), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(1, AT_LEN, 4, 1), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(2, AT_LEN, 4, 0), FERRY_WIRE_OK);
	CHECK_EQ(seg_judge(3, AT_LEN, 4, 1), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(4, AT_LEN, 4, 1), FERRY_WIRE_MALFORMED);
}

UNIT(wire_seg__numbers_do_not_wrap)
{
	/* Three bytes of payload and two marks. */
	CHECK_EQ(seg_judge(2, AT_SEQ, 8, -6ULL), FERRY_WIRE_OK);
	CHECK_EQ(seg_judge(2, AT_SEQ, 8, -5ULL), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(2, AT_SEQ, 8, -1ULL), FERRY_WIRE_MALFORMED);
}

UNIT(wire_seg__stamps)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(segs); i++) {
		bool rst = segs[i].kind == FERRY_KIND_RST;
		bool syn = segs[i].kind == FERRY_KIND_SYN;

		CHECK_EQ(seg_judge(i, AT_STAMP, 4, 0),
			 rst ? FERRY_WIRE_OK : FERRY_WIRE_MALFORMED);
		CHECK_EQ(seg_judge(i, AT_STAMP, 4, 1),
			 rst ? FERRY_WIRE_MALFORMED : FERRY_WIRE_OK);
		CHECK_EQ(seg_judge(i, AT_ECHO, 4, 0), FERRY_WIRE_OK);
		CHECK_EQ(seg_judge(i, AT_ECHO, 4, 1),
			 rst || syn ? FERRY_WIRE_MALFORMED : FERRY_WIRE_OK);
	}
}

UNIT(wire_seg__syn_acknowledges_nothing)
{
	CHECK_EQ(seg_judge(0, AT_ACK, 8, 1), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(0, AT_ACK, 8, 1ULL << 63), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(1, AT_ACK, 8, 1ULL << 63), FERRY_WIRE_OK);
}

UNIT(wire_seg__reset_has_no_window)
{
	CHECK_EQ(seg_judge(4, AT_WINDOW, 4, 1), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(2, AT_WINDOW, 4, 0xffffffff), FERRY_WIRE_OK);
}

UNIT(wire_seg__least_segment)
{
	CHECK_EQ(seg_judge(0, AT_REST, 4, 215), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(0, AT_REST, 4, 216), FERRY_WIRE_OK);
	CHECK_EQ(seg_judge(1, AT_REST, 4, 0), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(1, AT_REST, 4, 0xffffffff), FERRY_WIRE_OK);
}

UNIT(wire_seg__ranges_are_not_empty)
{
	/* The first is [-2, -1), the second [1, 3). */
	CHECK_EQ(seg_judge(3, AT_REST, 4, 0xffffffff), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(3, AT_REST, 4, 0), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(3, AT_REST + 8, 4, 2), FERRY_WIRE_OK);
	CHECK_EQ(seg_judge(3, AT_REST + 8, 4, 3), FERRY_WIRE_MALFORMED);
	CHECK_EQ(seg_judge(3, AT_REST + 12, 4, 0x7fffffff), FERRY_WIRE_OK);
	CHECK_EQ(seg_judge(3, AT_REST + 12, 4, 0x80000000),
		 FERRY_WIRE_MALFORMED);
}

UNIT(wire_seg__end)
{
	static const __u32 sizes[] = { 1, 1, 5, 0, 0 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(segs); i++)
		CHECK_EQ(ferry_seg_end(&segs[i]) - segs[i].seq, sizes[i]);
}

/* Of all that a header says only number, length, checksum and flags may differ. */
UNIT(wire_continues__says_the_same)
{
	static const struct {
		size_t at;
		size_t len;
		bool same;
	} fields[] = {
		{ AT_LEN, 4, true }, { AT_CHECK, 2, true },
		{ AT_FLAGS, 1, true }, { AT_CODE, 1, false },
		{ AT_ABOUT, 1, false }, { AT_WINDOW, 4, false },
		{ AT_SEQ, 8, false }, { AT_ACK, 8, false },
		{ AT_STAMP, 4, false }, { AT_ECHO, 4, false },
	};
	struct ferry_seg seg = segs[2];
	struct ferry_conn_hdr first, next;
	size_t i, at;

	seg.flags = 0;
	seg.seq = 0xffffffff;
	ferry_wire_build_seg(&first, &seg, 7, 8);
	seg.seq += 3;
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		for (at = 0; at < fields[i].len; at++) {
			ferry_wire_build_seg(&next, &seg, 7, 8);
			CHECK(ferry_wire_continues(&first, 3, &next));
			((__u8 *)&next)[fields[i].at + at] ^= 0x80;
			CHECK_EQ(ferry_wire_continues(&first, 3, &next),
				 fields[i].same);
		}
}
