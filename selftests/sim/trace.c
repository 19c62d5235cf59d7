// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace to read: one line for each packet, timer and decision.
 */
#include <stdarg.h>

#include "sim.h"

static const char *const kinds[] = { "?", "?", "?", "SYN", "SYN-ACK", "data",
				     "RST" };

/* What went wrong: the first of it is kept, and ends the run. */
void fail(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (sim->failed)
		return;
	sim->failed = true;
	va_start(args, format);
	vsnprintf(sim->why, sizeof(sim->why), format, args);
	va_end(args);
}

void sim_trace(struct sim *sim, const char *format, ...)
{
	va_list args;

	if (!sim->trace)
		return;
	printf("%12.6f ", sim->now / 1e6);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Numbers are shown from where their direction began. */
void sim_trace_seg(struct sim *sim, const struct sim_end *from,
		   const char *what, const struct ferry_seg *seg)
{
	const struct ferry_conn *conn = &from->conn;
	const struct ferry_conn_out *out = conn->out;
	struct ferry_rtt rtt;
	unsigned int i;

	if (!sim->trace)
		return;
	ferry_conn_rtt(conn, &rtt);
	printf("%12.6f %s %c>%c %s seq %lld ack %lld len %u win %u%s%s%s",
	       sim->now / 1e6, what, from->name, from->peer->name,
	       kinds[seg->kind], (long long)(seg->seq - from->iss),
	       (long long)(seg->ack - from->peer->iss), seg->len, seg->window,
	       seg->flags & FERRY_F_FIN ? " FIN" : "",
	       seg->flags & FERRY_F_EOR ? " EOR" : "",
	       seg->flags & FERRY_F_ASK ? " ASK" : "");
	for (i = 0; i < seg->nsack; i++)
		printf(" [%lld,%lld)",
		       (long long)(seg->sack[i].start - from->peer->iss),
		       (long long)(seg->sack[i].end - from->peer->iss));
	printf("   | cwnd %u flight %u lost %u sacked %u una %lld rto %u\n",
	       ferry_conn_cwnd(conn), out ? out->flight : 0, out ? out->lost : 0,
	       out ? out->sacked : 0, (long long)(conn->snd_una - from->iss),
	       ferry_rtt_rto(&rtt));
}
