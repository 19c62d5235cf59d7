// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt moderation: it waits where waiting pays, and only there.
 */
#include "user.h"
#include "nic_moderate.h"
#include "unit.h"

#define SHORT	60	/* bytes of a frame */
#define RARE	100	/* microseconds between frames that can make a batch */
#define LONGEST	(50 * FERRY_NIC_MODERATE_STRETCH)	/* microseconds of a wait */

static const struct ferry_nic_moderate_conf adaptive = {
	.usecs = 50, .frames = 32, .adaptive = true,
};

/* What a card does all day: frames at their times, looks at theirs. */
struct card {
	struct ferry_nic_moderate m;
	struct ferry_nic_moderate_conf conf;
	double now, look_at;
	unsigned long frames, pending, interrupts, paid;
	double waited;		/* by the frame that waited longest */
	double first_at;	/* when the oldest pending frame came */
};

static struct card card(struct ferry_nic_moderate_conf conf)
{
	struct card c = { .conf = conf };

	ferry_nic_moderate_init(&c.m);
	return c;
}

/* The interrupt, and the poll that it brings about. */
static void interrupt(struct card *c)
{
	c->interrupts++;
	if (c->now - c->first_at > c->waited)
		c->waited = c->now - c->first_at;
	if (c->m.holding && ferry_nic_moderate_end(&c->m, c->pending))
		c->paid++;
	c->pending = 0;
}

static double look_after(const struct card *c)
{
	return ferry_nic_moderate_time(&c->m, &c->conf) / 1000.0;
}

static void pass(struct card *c, double usecs)
{
	double until = c->now + usecs;

	while (c->m.holding && c->look_at <= until) {
		c->now = c->look_at;
		if (ferry_nic_moderate_look(&c->m, &c->conf))
			c->look_at += look_after(c);
		else
			interrupt(c);
	}
	c->now = until;
}

static void frame(struct card *c, unsigned int len)
{
	c->frames++;
	if (!c->pending++)
		c->first_at = c->now;
	switch (ferry_nic_moderate_frame(&c->m, &c->conf, len, c->now * 1000)) {
	case FERRY_NIC_RAISE:
		interrupt(c);
		break;
	case FERRY_NIC_HOLD:
		c->look_at = c->now + look_after(c);
		break;
	case FERRY_NIC_WAIT:
		CHECK(c->m.holding);
		break;
	}
}

/* @count frames, one every @gap microseconds */
static void flood(struct card *c, unsigned long count, double gap)
{
	while (count--) {
		frame(c, SHORT);
		pass(c, gap);
	}
}

/* @count frames, each sent when the one before it was answered. */
static void conversation(struct card *c, unsigned long count)
{
	while (count--) {
		frame(c, SHORT);
		while (c->pending)
			pass(c, 1);
	}
}

UNIT(nic_moderate__starts_immediate)
{
	struct card c = card(adaptive);

	flood(&c, FERRY_NIC_MODERATE_PROBE_MIN - 1, 1);
	CHECK_EQ(c.interrupts, FERRY_NIC_MODERATE_PROBE_MIN - 1);
	CHECK_EQ(c.waited, 0);
}

UNIT(nic_moderate__flood_fills_batches)
{
	struct card c = card(adaptive);

	flood(&c, 64000, 1);
	CHECK(c.interrupts < 64000 / 30);
	CHECK(c.interrupts >= 64000 / 32);
	CHECK(c.waited <= 32);
}

UNIT(nic_moderate__slow_flood_shares_too)
{
	struct card c = card(adaptive);

	flood(&c, 64000, RARE);
	CHECK(c.interrupts < 64000 / 8 + 64);
	CHECK(c.waited <= LONGEST);

	c = card(adaptive);
	flood(&c, 64000, RARE / 4.0);
	CHECK(c.interrupts < 64000 / 30);
}

UNIT(nic_moderate__rare_frames_do_not_wait)
{
	struct card c = card(adaptive);

	flood(&c, 64000, RARE + 1);
	CHECK_EQ(c.interrupts, 64000);
	CHECK_EQ(c.waited, 0);
}

UNIT(nic_moderate__frames_that_get_rare_stop_waiting)
{
	struct card c = card(adaptive);
	unsigned long before;

	flood(&c, 10000, 1);
	pass(&c, 1000000);
	before = c.interrupts;
	c.waited = 0;
	flood(&c, 1000, RARE + 1);
	CHECK_EQ(c.interrupts - before, 1000);
	CHECK_EQ(c.waited, 0);
}

UNIT(nic_moderate__conversation_pays_next_to_nothing)
{
	struct card c = card(adaptive);

	conversation(&c, 100000);
	CHECK_EQ(c.interrupts, 100000);
	CHECK_EQ(c.paid, 0);
	/* A try costs 150 us and there are eleven: 17 ns a frame. */
	CHECK(c.now < 100000 * 0.018);
}

/* So many requests at once, and the next ones when all have been answered. */
static struct card windows(unsigned int window)
{
	struct card c = card(adaptive);
	unsigned long rounds, i;

	for (rounds = 0; rounds < 10000; rounds++) {
		for (i = 0; i < window; i++) {
			frame(&c, SHORT);
			pass(&c, 0.1);
		}
		while (c.pending)
			pass(&c, 1);
	}
	return c;
}

UNIT(nic_moderate__window_is_not_held_up)
{
	/* No divisor of the distances between tries. */
	struct card c = windows(24);

	CHECK_EQ(c.paid, 0);
	/* 2.4 us a round without any waiting. */
	CHECK(c.now < 10000 * 3.0);
}

UNIT(nic_moderate__change_of_habit_is_noticed)
{
	struct card c = card(adaptive);
	unsigned long before;
	double start;

	flood(&c, 10000, 1);
	pass(&c, 1000);
	start = c.now;
	conversation(&c, 1000);
	CHECK(c.now - start < 1000);

	flood(&c, 1000, 1);
	before = c.interrupts;
	flood(&c, 3200, 1);
	CHECK(c.interrupts - before <= 3200 / 31);
}

UNIT(nic_moderate__probes_back_off_to_a_limit)
{
	struct ferry_nic_moderate m;
	int i;

	ferry_nic_moderate_init(&m);
	for (i = 0; i < 40; i++)
		CHECK(!ferry_nic_moderate_end(&m, 1));
	CHECK_EQ(m.probe_after, FERRY_NIC_MODERATE_PROBE_MAX);
	CHECK(ferry_nic_moderate_end(&m, FERRY_NIC_MODERATE_BATCH));
	CHECK_EQ(m.probe_after, FERRY_NIC_MODERATE_PROBE_MIN);
}

UNIT(nic_moderate__long_frames_count_as_many)
{
	struct card c = card(adaptive);

	c.conf.adaptive = false;
	frame(&c, 65535);
	CHECK_EQ(c.interrupts, 1);
	frame(&c, 31 * FERRY_NIC_MODERATE_BUFFER - 1);
	CHECK_EQ(c.interrupts, 1);
	frame(&c, SHORT);
	CHECK_EQ(c.interrupts, 2);
}

UNIT(nic_moderate__static_after_frames)
{
	struct card c = card((struct ferry_nic_moderate_conf){
		.usecs = 1000000, .frames = 10,
	});

	flood(&c, 1000, 1);
	CHECK_EQ(c.interrupts, 100);
	CHECK(c.waited <= 10);
}

UNIT(nic_moderate__static_after_time)
{
	struct card c = card((struct ferry_nic_moderate_conf){ .usecs = 100 });

	flood(&c, 1000, 1);
	pass(&c, 100);
	CHECK_EQ(c.interrupts, 10);
	CHECK(c.waited == 100);
}

UNIT(nic_moderate__static_zero_is_at_once)
{
	struct card c = card((struct ferry_nic_moderate_conf){ .frames = 32 });

	frame(&c, SHORT);
	CHECK_EQ(c.interrupts, 1);
	flood(&c, 1000, 1);
	CHECK_EQ(c.interrupts, 1001);
}

UNIT_MAIN()
