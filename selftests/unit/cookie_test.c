// SPDX-License-Identifier: GPL-2.0-only
/*
 * cookie.c: what a cookie remembers, how it ages, that no bit of it or of what
 * it is for may change; initial sequence numbers (RFC 6528); and SipHash itself.
 */
#include <string.h>

#include "unit.h"
#include "user.h"
#include "cookie.h"

UNIT_MAIN()

#define CLIENT_ISN 0x1234567890abcdefULL
#define MINUTE 1000U

static const struct ferry_cookie_flow flow = {
	.saddr = 0x525400123456,
	.daddr = 0x525400abcdef,
	.sport = 54321,
	.dport = 7,
};

static const struct ferry_cookie_facts facts = { .mss = 1460, .code = 17 };

static const siphash_key_t secrets[] = {
	{ { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } },
	{ { 0xdeadbeef, 0xcafebabe } },
	{ { 1, 2 } },
};

static struct ferry_cookie_keys keys;
static struct ferry_cookie_facts found;

static u64 start(void)
{
	memset(&keys, 0, sizeof(keys));
	ferry_cookie_rotate(&keys, &secrets[0]);
	ferry_cookie_rotate(&keys, &secrets[1]);
	return ferry_cookie_make(&keys, &flow, CLIENT_ISN, MINUTE, &facts);
}

/* Whether @cookie is taken @age minutes later; if not, nothing is stored. */
static bool taken(u64 cookie, u32 age)
{
	bool good;

	memset(&found, 0xa5, sizeof(found));
	good = ferry_cookie_check(&keys, &flow, CLIENT_ISN, cookie,
				  MINUTE + age, 2, &found);
	if (!good)
		CHECK(found.mss == 0xa5a5 && found.code == 0xa5);
	return good;
}

/* The reference's own vectors: input 00 01 02 ..., key 00 01 .. 0f. */
UNIT(siphash_user__reference)
{
	static const u64 wanted[] = {
		0x726fdb47dd0e0e31, 0x93f5f5799a932462, 0x3f2acc7f57c29bdb,
	};
	u8 bytes[16];
	u32 i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	for (i = 0; i < ARRAY_SIZE(wanted); i++)
		CHECK_EQ(siphash(bytes, 8 * i, &secrets[0]), wanted[i]);
}

UNIT(cookie_check__remembers)
{
	u64 cookie = start();
	struct ferry_cookie_facts other;
	u32 mss;

	CHECK(taken(cookie, 0));
	CHECK_EQ(found.mss, 1460);
	CHECK_EQ(found.code, 17);
	for (mss = 0; mss < 65536; mss += 257) {
		other = (struct ferry_cookie_facts) { mss, mss % 32 };
		CHECK(taken(ferry_cookie_make(&keys, &flow, CLIENT_ISN, MINUTE,
					      &other), 0));
		CHECK_EQ(found.mss, other.mss);
		CHECK_EQ(found.code, other.code);
	}
}

/* A code that is too large does not reach into the other parts. */
UNIT(cookie_make__code_is_masked)
{
	struct ferry_cookie_facts wide = { .mss = 1460, .code = 0xff };

	start();
	CHECK(taken(ferry_cookie_make(&keys, &flow, CLIENT_ISN, MINUTE, &wide),
		    0));
	CHECK_EQ(found.mss, 1460);
	CHECK_EQ(found.code, FERRY_COOKIE_CODE_MAX);
}

/* No initial number has bit 63: 2^63 bytes later there is no wrap. */
UNIT(cookie_make__leaves_room)
{
	struct ferry_cookie_facts most = { .mss = 65535, .code = 31 };
	u32 i;

	start();
	for (i = 0; i < 1000; i++)
		CHECK(!(ferry_cookie_make(&keys, &flow, i, ~0U - i, &most) >>
			63));
}

UNIT(cookie_check__ages)
{
	u64 cookie = start();
	u32 age;

	CHECK(taken(cookie, 0));
	CHECK(taken(cookie, 1));
	CHECK(taken(cookie, 2));
	for (age = 3; age < 200; age++)
		CHECK(!taken(cookie, age));
	/* From the future. */
	CHECK(!taken(cookie, -1));
	for (age = 0; age <= FERRY_COOKIE_AGE_MAX; age++)
		CHECK(ferry_cookie_check(&keys, &flow, CLIENT_ISN, cookie,
					 MINUTE + age, FERRY_COOKIE_AGE_MAX,
					 &found));
	CHECK(!ferry_cookie_check(&keys, &flow, CLIENT_ISN, cookie,
				  MINUTE + age, FERRY_COOKIE_AGE_MAX, &found));
}

UNIT(cookie_check__minute_wraps)
{
	u64 cookie;

	start();
	cookie = ferry_cookie_make(&keys, &flow, CLIENT_ISN, ~0U, &facts);
	CHECK(ferry_cookie_check(&keys, &flow, CLIENT_ISN, cookie, 1, 2,
				 &found));
	CHECK(!ferry_cookie_check(&keys, &flow, CLIENT_ISN, cookie, 2, 2,
				  &found));
}

UNIT(cookie_check__every_bit)
{
	u64 cookie = start();
	u32 bit;

	for (bit = 0; bit < 64; bit++)
		CHECK(!taken(cookie ^ 1ULL << bit, 0));
}

/* It is for one flow and one SYN. */
UNIT(cookie_check__every_input)
{
	struct ferry_cookie_flow other;
	u64 cookie = start();
	u32 bit;

	CHECK(taken(cookie, 0));
	for (bit = 0; bit < 8 * sizeof(other); bit++) {
		other = flow;
		((u8 *)&other)[bit / 8] ^= 1 << bit % 8;
		CHECK(!ferry_cookie_check(&keys, &other, CLIENT_ISN, cookie,
					  MINUTE, 2, &found));
	}
	for (bit = 0; bit < 64; bit++)
		CHECK(!ferry_cookie_check(&keys, &flow,
					  CLIENT_ISN ^ 1ULL << bit, cookie,
					  MINUTE, 2, &found));
}

/* Sides are not interchangeable. */
UNIT(cookie_check__swapped)
{
	struct ferry_cookie_flow swapped = {
		.saddr = flow.daddr,
		.daddr = flow.saddr,
		.sport = flow.dport,
		.dport = flow.sport,
	};
	u64 cookie = start();

	CHECK(!ferry_cookie_check(&keys, &swapped, CLIENT_ISN, cookie, MINUTE,
				  2, &found));
}

UNIT(cookie_rotate__one_generation_is_honoured)
{
	u64 cookie = start();

	ferry_cookie_rotate(&keys, &secrets[2]);
	CHECK(taken(cookie, 0));
	CHECK(ferry_cookie_make(&keys, &flow, CLIENT_ISN, MINUTE, &facts) !=
	      cookie);
	CHECK(taken(ferry_cookie_make(&keys, &flow, CLIENT_ISN, MINUTE, &facts),
		    0));
	ferry_cookie_rotate(&keys, &secrets[0]);
	CHECK(!taken(cookie, 0));
}

/* RFC 6528: for one flow they rise, faster than a connection uses them up. */
UNIT(cookie_isn__rises)
{
	u64 now = 123456789, isn, next;
	u32 i;

	isn = ferry_cookie_isn(&secrets[0], &flow, now);
	for (i = 0; i < 1000; i++) {
		now += 1 + i;
		next = ferry_cookie_isn(&secrets[0], &flow, now);
		/* 12.5 GB/s is 100 Gbit/s. */
		CHECK(next >= isn + 12500ULL * (1 + i));
		isn = next;
	}
}

UNIT(cookie_isn__leaves_room)
{
	struct ferry_cookie_flow other = flow;
	u32 i;

	for (i = 0; i < 10000; i++) {
		other.sport = i;
		CHECK(!(ferry_cookie_isn(&secrets[1], &other, ~0ULL) >> 63));
	}
}

/* Those of other flows, or of the same with another secret, are unrelated. */
UNIT(cookie_isn__each_flow_its_own)
{
	struct ferry_cookie_flow other;
	u64 isn = ferry_cookie_isn(&secrets[0], &flow, 0);
	u64 far = 1ULL << 40;
	u64 that;
	u32 bit;

	that = ferry_cookie_isn(&secrets[1], &flow, 0);
	CHECK(that > isn + far || that < isn - far);
	for (bit = 0; bit < 8 * sizeof(other); bit++) {
		other = flow;
		((u8 *)&other)[bit / 8] ^= 1 << bit % 8;
		that = ferry_cookie_isn(&secrets[0], &other, 0);
		CHECK(that > isn + far || that < isn - far);
	}
}
