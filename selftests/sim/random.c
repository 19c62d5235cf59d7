// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random numbers, and content that is a function of its place.
 */
#include "sim.h"

static u64 mix(u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

u64 sim_random(struct sim_random *random)
{
	random->state += 0x9e3779b97f4a7c15ULL;
	return mix(random->state);
}

u64 sim_below(struct sim_random *random, u64 bound)
{
	return bound ? sim_random(random) % bound : 0;
}

u64 sim_between(struct sim_random *random, u64 low, u64 high)
{
	return low + sim_below(random, high - low + 1);
}

/* From @low to @high, each power of two as likely as the next. */
u64 sim_magnitude(struct sim_random *random, u64 low, u64 high)
{
	unsigned int powers = 0;
	u64 value;

	while ((high - low) >> powers)
		powers++;
	powers = sim_below(random, powers + 1);
	value = sim_random(random) & ((1ULL << powers) - 1);
	return min_t(u64, low + value, high);
}

bool sim_chance(struct sim_random *random, double probability)
{
	return probability > 0 &&
	       (double)(sim_random(random) >> 11) < probability * (1ULL << 53);
}

void sim_content(u64 key, u64 seq, u8 *bytes, u32 len)
{
	u64 word = 0;
	u32 i;

	for (i = 0; i < len; i++, seq++) {
		if (!i || !(seq & 7))
			word = (key ^ seq >> 3) * 0x9e3779b97f4a7c15ULL;
		bytes[i] = word >> 8 * (seq & 7);
	}
}
