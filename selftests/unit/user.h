/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pure files of the module take from the kernel's headers, for user
 * space. They include this when __KERNEL__ is not defined.
 */
#ifndef _UNIT_USER_H
#define _UNIT_USER_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define cpu_to_be16(x)	((__be16)htobe16(x))
#define cpu_to_be32(x)	((__be32)htobe32(x))
#define cpu_to_be64(x)	((__be64)htobe64(x))
#define be16_to_cpu(x)	be16toh(x)
#define be32_to_cpu(x)	be32toh(x)
#define be64_to_cpu(x)	be64toh(x)

/* linux/kernel.h */
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* linux/limits.h */
#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		(~(u64)0)

#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))

/* linux/minmax.h: each argument is evaluated once. */
#define min_t(type, x, y) ({			\
	type min_x = (x);			\
	type min_y = (y);			\
						\
	min_x < min_y ? min_x : min_y;		\
})
#define max_t(type, x, y) ({			\
	type max_x = (x);			\
	type max_y = (y);			\
						\
	max_x > max_y ? max_x : max_y;		\
})
#define clamp_t(type, x, low, high)	\
	min_t(type, max_t(type, x, low), high)

/* linux/math64.h */
static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

/* linux/siphash.h: SipHash-2-4, of whole words only. */
typedef struct {
	u64 key[2];
} siphash_key_t;

static inline u64 siphash_rotate(u64 word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void siphash_round(u64 v[4])
{
	v[0] += v[1];
	v[1] = siphash_rotate(v[1], 13) ^ v[0];
	v[0] = siphash_rotate(v[0], 32);
	v[2] += v[3];
	v[3] = siphash_rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = siphash_rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = siphash_rotate(v[1], 17) ^ v[2];
	v[2] = siphash_rotate(v[2], 32);
}

static inline void siphash_word(u64 v[4], u64 word)
{
	v[3] ^= word;
	siphash_round(v);
	siphash_round(v);
	v[0] ^= word;
}

static inline u64 siphash(const void *data, size_t len,
			  const siphash_key_t *key)
{
	u64 v[4] = {
		key->key[0] ^ 0x736f6d6570736575ULL,
		key->key[1] ^ 0x646f72616e646f6dULL,
		key->key[0] ^ 0x6c7967656e657261ULL,
		key->key[1] ^ 0x7465646279746573ULL,
	};
	size_t at;
	u64 word;

	for (at = 0; at + sizeof(word) <= len; at += sizeof(word)) {
		memcpy(&word, (const u8 *)data + at, sizeof(word));
		siphash_word(v, le64toh(word));
	}
	siphash_word(v, (u64)len << 56);
	v[2] ^= 0xff;
	siphash_round(v);
	siphash_round(v);
	siphash_round(v);
	siphash_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif /* _UNIT_USER_H */
