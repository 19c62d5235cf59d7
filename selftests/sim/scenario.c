// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a seed means.
 *
 * A wire is of one sort: clean, or with one thing wrong, or with all of them at
 * once, so that a rule is tested by itself as well as among others. And any of them
 * may be narrower than both ends know.
 */
#include <string.h>

#include "sim.h"

enum sort {
	CLEAN, LOSS, BURSTS, REORDER, COPIES, DAMAGE, HOLE, BOTTLENECK, ALL,
	SORTS,
};

static const char *const sorts[] = {
	"clean", "loss", "bursts", "reordering", "copies", "damage",
	"black hole", "bottleneck", "all at once",
};

static void make_path(struct sim_random *random, enum sort sort,
		      struct sim_path_setup *path)
{
	bool all = sort == ALL;

	path->delay = sim_magnitude(random, 1, 100 * MS);
	if (sim_chance(random, 0.5))
		path->jitter = sim_magnitude(random, 1, path->delay + 1);
	if (sort == LOSS || all)
		path->loss = (all ? 0.05 : 0.2) * sim_below(random, 1000) /
			     1000;
	if (sort == BURSTS || all) {
		path->burst_time = sim_magnitude(random, MS, 200 * MS);
		path->burst_gap = 10 * path->burst_time;
	}
	if (sort == REORDER || all) {
		path->reorder = 0.3 * sim_below(random, 1000) / 1000;
		path->late = sim_magnitude(random, 1, 4 * path->delay + 10);
	}
	if (sort == COPIES || all)
		path->copy = 0.1;
	if (sort == DAMAGE || all)
		path->damage = 0.02;
	if (sort == HOLE || all) {
		path->hole_from = sim_below(random, 2 * SECOND);
		path->hole_to = path->hole_from +
				sim_magnitude(random, 1, 20 * SECOND);
	}
	if (sort == BOTTLENECK || all) {
		path->rate = sim_magnitude(random, 1, 1000) / 4.0;
		path->queue = sim_magnitude(random, 3000, 200000);
	}
}

/* As hosts are set up: common MTUs, buffers that a round trip fits into. */
static void make_typical(struct sim_random *random, struct sim_end_setup *end)
{
	static const u32 mtus[] = { 1500, 9000, 65535 };

	end->mtu = mtus[sim_below(random, ARRAY_SIZE(mtus))];
	end->batch = 65536 - 62;
	end->send_buffer = sim_magnitude(random, 64 << 10, 4 << 20);
	end->capacity = sim_magnitude(random, 64 << 10, 4 << 20);
	end->ranges = 256;
	end->write = sim_magnitude(random, 1000, 64 << 10);
	end->read = 1 << 20;
	end->bytes = sim_magnitude(random, 1, 2 << 20);
	if (end->record)
		end->bytes = min_t(u64, end->bytes, 500ULL * end->record);
}

static void make_end(struct sim_random *random, struct sim_end_setup *end,
		     u32 record)
{
	end->bytes = sim_chance(random, 0.1) ? 0 :
		     sim_magnitude(random, 1, 300000);
	end->record = record;
	end->write = sim_magnitude(random, 1, 100000);
	if (sim_chance(random, 0.2))
		end->write_pause = sim_magnitude(random, 1, 100 * MS);
	/* Small writes with pauses between would take all day. */
	end->bytes = min_t(u64, end->bytes,
			   500ULL * (record ? min_t(u32, record, 1000) :
					      end->write));
	end->send_buffer = sim_magnitude(random, 2000, 1000000);
	end->capacity = sim_magnitude(random, record ? 8192 : 300, 1000000);
	end->read = sim_magnitude(random, 1, 200000);
	if (end->read < end->bytes / 200 + 200)
		end->read = end->capacity / 4 + 200;
	if (sim_chance(random, 0.2))
		end->read_pause = sim_magnitude(random, 1, 50 * MS);
	if (sim_chance(random, 0.1))
		end->read_from = sim_magnitude(random, 1, 30 * SECOND);
	if (sim_chance(random, 0.1))
		end->renege_every = sim_magnitude(random, 1000, 1 * SECOND);
	end->ranges = sim_magnitude(random, 1, 256);
	end->mtu = FERRY_CONN_HLEN + sim_magnitude(random, FERRY_MSS_MIN, 9000);
	end->batch = sim_chance(random, 0.5) ? 65536 - 62 :
		     sim_magnitude(random, 1, 65536);
	if (sim_chance(random, 0.5))
		make_typical(random, end);
	if (sim_chance(random, 0.3))
		end->merge_at = sim_magnitude(random, 1, 16);
	if (sim_chance(random, 0.3))
		end->gather = sim_magnitude(random, 1, 1000);
	/* So slow that it counts, and not so slow that it is a stall. */
	if (sim_chance(random, 0.2))
		end->pace = sim_magnitude(random, end->bytes / 60 + 1000,
					  end->bytes + 100000000);
	end->newreno = sim_chance(random, 0.2);
	end->odd_cuts = sim_chance(random, 0.2);
	if (sim_chance(random, 0.1))
		end->no_memory = 0.3;
}

static void make_endings(struct sim_random *random,
			 struct sim_scenario *scenario)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct sim_end_setup *end = &scenario->end[i];

		end->ending = SIM_FIN;
		if (sim_chance(random, 0.1))
			end->ending = SIM_FIN_FIRST;
		else if (sim_chance(random, 0.05))
			end->ending = SIM_CLOSE;
		else if (sim_chance(random, 0.05))
			end->ending = SIM_ABORT;
		end->abort_at = sim_magnitude(random, 1, 2 * SECOND);
	}
}

static u32 make_mtu(struct sim_random *random)
{
	static const u32 mtus[] = { 1280, 1400, 1450, 1500, 2304, 4352, 9000 };

	if (sim_chance(random, 0.5))
		return mtus[sim_below(random, ARRAY_SIZE(mtus))];
	return sim_magnitude(random, FERRY_CONN_HLEN + FERRY_MSS_MIN, 65536);
}

/* So much from A to B, and in so many round trips, that the MTU is found. */
static void make_time_to_find(struct sim_random *random,
			      struct sim_scenario *scenario)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct sim_end_setup *end = &scenario->end[i];
		bool newreno = end->newreno;

		memset(end, 0, sizeof(*end));
		make_typical(random, end);
		end->newreno = newreno;
		end->send_buffer = 1 << 20;
		end->capacity = 200 << 10;
	}
	scenario->end[0].bytes = 16 << 20;
	scenario->finds = true;
}

/*
 * A path that takes less than both ends do, and lets nobody know. By numbers of its
 * own, so that what else a seed means does not depend on it.
 */
static void make_narrow(struct sim_scenario *scenario)
{
	struct sim_random random = { ~scenario->seed };
	unsigned int i;

	if (!sim_chance(&random, 0.1))
		return;
	for (i = 0; i < 2; i++) {
		struct sim_path_setup *path = &scenario->path[i];

		path->mtu = make_mtu(&random);
		if (sim_chance(&random, 0.4)) {
			path->mtu_then = make_mtu(&random);
			path->mtu_after = sim_below(&random, 2 << 20);
		}
		/* No device does, and small pieces would get through. */
		scenario->end[i].odd_cuts = false;
	}
	if (scenario->clean && scenario->opening != SIM_SELF)
		make_time_to_find(&random, scenario);
	scenario->clean = false;
}

/* A device whose MTU is set in the middle. */
static void make_resize(struct sim_scenario *scenario)
{
	struct sim_random random = { ~scenario->seed << 32 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (scenario->finds || !sim_chance(&random, 0.1))
			continue;
		scenario->end[i].resize_at = sim_magnitude(&random, 1,
							   2 * SECOND);
		scenario->end[i].resize_mtu = make_mtu(&random);
	}
}

/**
 * sim_scenario() - make a scenario
 * @seed: of what
 * @scenario: where
 */
void sim_scenario(u64 seed, struct sim_scenario *scenario)
{
	struct sim_random random = { seed };
	enum sort sort = sim_below(&random, SORTS);
	u32 record = 0;
	unsigned int i;

	memset(scenario, 0, sizeof(*scenario));
	scenario->seed = seed;
	scenario->name = sorts[sort];
	if (sim_chance(&random, 0.3))
		record = sim_magnitude(&random, 1, 60000);
	for (i = 0; i < 2; i++) {
		make_path(&random, sort, &scenario->path[i]);
		make_end(&random, &scenario->end[i], record);
	}
	make_endings(&random, scenario);
	switch (sim_below(&random, 20)) {
	case 0:
		scenario->opening = SIM_BOTH;
		scenario->second_open = sim_magnitude(&random, 1, 200 * MS);
		break;
	case 1:
		scenario->opening = SIM_SELF;
		break;
	case 2: case 3: case 4: case 5:
		scenario->opening = SIM_COOKIE;
		break;
	default:
		scenario->opening = SIM_LISTEN;
	}
	scenario->clean = sort == CLEAN;
	make_narrow(scenario);
	make_resize(scenario);
	scenario->steady = scenario->clean && !scenario->path[0].jitter &&
			   !scenario->path[1].jitter;
	/*
	 * The longest wait is between two probes of a closed window or two
	 * retransmissions: up to FERRY_RTO_MAX each. On a clean wire nothing
	 * is waited for but the application.
	 */
	scenario->stall = scenario->clean ? 35 * SECOND : 600 * SECOND;
}

/**
 * sim_flow() - make a scenario of one long transfer
 * @flow: how
 * @scenario: where
 */
void sim_flow(const struct sim_flow *flow, struct sim_scenario *scenario)
{
	unsigned int i;

	memset(scenario, 0, sizeof(*scenario));
	scenario->seed = flow->seed;
	scenario->name = "flow";
	scenario->stall = 600 * SECOND;
	for (i = 0; i < 2; i++) {
		scenario->path[i] = (struct sim_path_setup) {
			.delay = flow->delay,
			.jitter = flow->jitter,
			.loss = flow->loss,
			.rate = flow->rate,
			.queue = flow->queue,
			.reorder = flow->reorder,
			.late = flow->late,
		};
		scenario->end[i] = (struct sim_end_setup) {
			.bytes = i ? 0 : flow->bytes,
			.write = 64 << 10,
			.send_buffer = 16 << 20,
			.capacity = 8 << 20,
			.read = 8 << 20,
			.ranges = 1024,
			.mtu = 1500,
			.batch = 65536 - 62,
			.newreno = flow->newreno,
		};
	}
}
