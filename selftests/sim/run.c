// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run: whatever is due first happens first, until nothing is due.
 */
#include <string.h>

#include "sim.h"

static void open_ends(struct sim *sim)
{
	sim_end_connect(&sim->end[0]);
}

/* When the second end of a simultaneous open opens; NEVER afterwards. */
static u64 second_open(const struct sim *sim)
{
	if (sim->scenario->opening != SIM_BOTH || !sim->end[1].listening)
		return NEVER;
	return sim->scenario->second_open;
}

static u64 next_time(const struct sim *sim)
{
	u64 at = sim_path_next(sim);

	at = min_t(u64, at, sim_end_next(&sim->end[0]));
	at = min_t(u64, at, sim_end_next(&sim->end[1]));
	return min_t(u64, at, second_open(sim));
}

static void check_stall(struct sim *sim)
{
	u64 last = max_t(u64, sim->end[0].progress_at, sim->end[1].progress_at);
	bool done = (sim_end_done(&sim->end[0]) || sim->end[0].listening) &&
		    (sim_end_done(&sim->end[1]) || sim->end[1].listening);

	if (!done && sim->now > last + sim->scenario->stall)
		fail(sim, "nothing moves since %f", last / 1e6);
}

static void step(struct sim *sim, u64 at)
{
	struct sim_packet *packet;
	unsigned int i;

	if (at <= sim->now && ++sim->end[0].deadline_spins > 1000000)
		fail(sim, "time stands still");
	if (at > sim->now) {
		sim->end[0].deadline_spins = 0;
		sim->now = at;
	}
	if (second_open(sim) <= sim->now) {
		sim_end_connect(&sim->end[1]);
		return;
	}
	if (sim_path_next(sim) <= sim->now) {
		packet = sim_path_take(sim);
		if (packet) {
			if (packet->to->listening &&
			    sim->scenario->opening == SIM_BOTH)
				sim_trace(sim, "nobody there yet");
			else
				sim_end_receive(packet->to, packet);
			free(packet);
		}
		return;
	}
	for (i = 0; i < 2; i++)
		if (sim_end_next(&sim->end[i]) <= sim->now)
			sim_end_time(&sim->end[i]);
}

/**
 * sim_run() - run a scenario
 * @scenario: the scenario
 * @trace: whether to print what happens
 * @sim: where to keep the run; says whether it failed, and why
 */
void sim_run(const struct sim_scenario *scenario, bool trace, struct sim *sim)
{
	unsigned int i;
	u64 at;

	memset(sim, 0, sizeof(*sim));
	sim->scenario = scenario;
	sim->trace = trace;
	sim->now = 1;
	for (i = 0; i < 2; i++) {
		sim->path[i].setup = scenario->path[i];
		sim->path[i].random.state = scenario->seed * 4 + 2 + i;
		sim_end_init(sim, i);
	}
	open_ends(sim);
	while (!sim->failed && (at = next_time(sim)) != NEVER) {
		step(sim, at);
		check_stall(sim);
		if (!sim->finished_at && sim_end_done(&sim->end[0]))
			sim->finished_at = sim->now;
	}
	if (!sim->failed)
		sim_check_over(sim);
	for (i = 0; i < 2; i++)
		sim_end_free(&sim->end[i]);
	while (sim->heap_count)
		free(sim->heap[--sim->heap_count]);
	free(sim->heap);
}
