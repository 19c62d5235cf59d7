// SPDX-License-Identifier: GPL-2.0-only
/*
 * sim: run seeds, print TAP.
 */
#include <getopt.h>
#include <string.h>
#include <time.h>

#include "sim.h"

/* So many failures are enough to start with. */
#define SHOWN	10

static void help(FILE *to)
{
	fprintf(to,
		"usage: sim [--seeds N] [--from SEED]   run N seeds, print TAP\n"
		"       sim --seed SEED [--trace]       run one, and show it\n"
		"       sim --flow KEY=VALUE,... [--seed SEED] [--trace]\n"
		"                                       one long transfer: how fast?\n"
		"           bytes, delay (ms), jitter (ms), loss (%%), rate (Mbit/s),\n"
		"           queue (bytes), reorder (%%), late (ms), newreno (0 or 1)\n");
}

static void add(struct sim *total, const struct sim *sim)
{
	total->packets += sim->packets;
	total->dropped += sim->dropped;
	total->copies += sim->copies;
	total->damaged += sim->damaged;
	total->retransmissions += sim->retransmissions;
	total->timeouts += sim->timeouts;
	total->probes += sim->probes;
	total->sacks += sim->sacks;
	total->reneged += sim->reneged;
	total->no_memory += sim->no_memory;
	total->black_holes += sim->black_holes;
	total->probes_lost += sim->probes_lost;
	total->too_long += sim->too_long;
}

static void report(const struct sim *total)
{
	printf("# %llu packets: %llu dropped, %llu copied, %llu damaged\n",
	       (unsigned long long)total->packets,
	       (unsigned long long)total->dropped,
	       (unsigned long long)total->copies,
	       (unsigned long long)total->damaged);
	printf("# %llu retransmissions, %llu time-outs, %llu ACKs with SACK\n",
	       (unsigned long long)total->retransmissions,
	       (unsigned long long)total->timeouts,
	       (unsigned long long)total->sacks);
	printf("# %llu too long, %llu black holes found, %llu probes of them lost\n",
	       (unsigned long long)total->too_long,
	       (unsigned long long)total->black_holes,
	       (unsigned long long)total->probes_lost);
	printf("# %llu probes, %llu times reneged, %llu times no memory\n",
	       (unsigned long long)total->probes,
	       (unsigned long long)total->reneged,
	       (unsigned long long)total->no_memory);
}

static int run_one(u64 seed, bool trace)
{
	struct sim_scenario scenario;
	static struct sim sim;

	sim_scenario(seed, &scenario);
	sim_run(&scenario, trace, &sim);
	printf("# seed %llu (%s): %s after %f s\n", (unsigned long long)seed,
	       scenario.name, sim.failed ? sim.why : "passed",
	       sim.now / 1e6);
	report(&sim);
	return sim.failed;
}

/* Reads KEY=VALUE,...; false: there is no such key. */
static bool parse_flow(char *text, struct sim_flow *flow)
{
	enum { BYTES, DELAY, JITTER, LOSS, RATE, QUEUE, REORDER, LATE, RENO };
	static char *const keys[] = { "bytes", "delay", "jitter", "loss",
				      "rate", "queue", "reorder", "late",
				      "newreno", NULL };
	char *value;
	double number;
	int key;

	while (*text) {
		key = getsubopt(&text, keys, &value);
		if (key < 0 || !value)
			return false;
		number = strtod(value, NULL);
		if (key == BYTES)
			flow->bytes = number;
		else if (key == DELAY)
			flow->delay = number * MS;
		else if (key == JITTER)
			flow->jitter = number * MS;
		else if (key == LOSS)
			flow->loss = number / 100;
		else if (key == RATE)
			flow->rate = number / 8;
		else if (key == QUEUE)
			flow->queue = number;
		else if (key == REORDER)
			flow->reorder = number / 100;
		else if (key == LATE)
			flow->late = number * MS;
		else if (key == RENO)
			flow->newreno = number;
	}
	return true;
}

static int run_flow(char *text, u64 seed, bool trace)
{
	struct sim_flow flow = { .seed = seed, .bytes = 20 << 20,
				 .delay = 10 * MS, .rate = 125,
				 .queue = 1 << 20 };
	struct sim_scenario scenario;
	static struct sim sim;

	if (!parse_flow(text, &flow)) {
		help(stderr);
		return 2;
	}
	sim_flow(&flow, &scenario);
	sim_run(&scenario, trace, &sim);
	printf("# %s; %.3f s, %.2f Mbit/s\n", sim.failed ? sim.why : "passed",
	       sim.finished_at / 1e6, flow.bytes * 8.0 / sim.finished_at);
	report(&sim);
	return sim.failed;
}

static int run_many(const char *program, u64 from, u64 count)
{
	static struct sim sim, total;
	struct sim_scenario scenario;
	u64 failed = 0, seed;

	printf("TAP version 13\n1..1\n");
	for (seed = from; seed < from + count; seed++) {
		sim_scenario(seed, &scenario);
		sim_run(&scenario, false, &sim);
		add(&total, &sim);
		if (!sim.failed)
			continue;
		if (failed++ < SHOWN)
			printf("# %s: %s; replay: %s --seed %llu --trace\n",
			       scenario.name, sim.why, program,
			       (unsigned long long)seed);
	}
	report(&total);
	printf("%sok 1 sim: %llu of %llu seeds right\n", failed ? "not " : "",
	       (unsigned long long)(count - failed), (unsigned long long)count);
	return !!failed;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seeds", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },
		{ "flow", required_argument, NULL, 'w' },
		{ "trace", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	u64 count = 10000, from = 1, seed = 0;
	bool one = false, trace = false;
	char *flow = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'n':
			count = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			from = strtoull(optarg, NULL, 0);
			break;
		case 's':
			seed = strtoull(optarg, NULL, 0);
			one = true;
			break;
		case 'w':
			flow = optarg;
			break;
		case 't':
			trace = true;
			break;
		case 'h':
			help(stdout);
			return 0;
		default:
			help(stderr);
			return 2;
		}
	}
	if (flow)
		return run_flow(flow, seed, trace);
	if (!one)
		return run_many(argv[0], from, count);
	return run_one(seed, trace);
}
