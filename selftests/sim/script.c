// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the application at an end does: writes, reads, closes.
 */
#include "sim.h"

static void add_mark(struct sim_end *end, u64 number)
{
	if (end->mark_count == end->mark_room) {
		end->mark_room = end->mark_room ? 2 * end->mark_room : 64;
		end->marks = realloc(end->marks,
				     end->mark_room * sizeof(*end->marks));
	}
	end->marks[end->mark_count++] = number;
}

static bool has_room(const struct sim_end *end)
{
	const struct ferry_conn *conn = &end->conn;

	return conn->snd_end - conn->snd_una < end->setup->send_buffer;
}

/* As late as can be: an engine that has sent nothing has to do without. */
static void prepare(struct sim_end *end)
{
	if (end->conn.out)
		return;
	ferry_conn_prepare(&end->conn, &end->out);
	end->out.pace.rate = end->setup->pace;
}

/* A record is written whole; of a stream, what fits. */
static void write_some(struct sim_end *end)
{
	const struct sim_end_setup *setup = end->setup;
	struct ferry_conn *conn = &end->conn;
	u32 max = setup->record ? min_t(u32, setup->record,
					ferry_conn_record_max(conn)) :
				  setup->write;
	u64 len = sim_magnitude(&end->random, !setup->record, max);

	len = min_t(u64, len, setup->bytes - end->written);
	prepare(end);
	ferry_conn_queue(conn, len, setup->record ? FERRY_F_EOR : 0);
	end->written += len;
	if (setup->record)
		add_mark(end, conn->snd_end - 1);
	end->write_at = end->sim->now;
	if (setup->write_pause)
		end->write_at += sim_below(&end->random, setup->write_pause);
}

static void shut(struct sim_end *end)
{
	prepare(end);
	ferry_conn_queue(&end->conn, 0, FERRY_F_FIN);
	end->shut = true;
	end->write_at = NEVER;
	if (end->setup->ending == SIM_CLOSE)
		ferry_conn_orphan(&end->conn, end->sim->now, FERRY_LINGER2_DEFAULT);
}

static void step_write(struct sim_end *end)
{
	u32 writes = 0;

	if (end->shut || !ferry_conn_may_send(&end->conn))
		return;
	while (end->setup->ending != SIM_FIN_FIRST &&
	       end->written < end->setup->bytes && has_room(end) &&
	       end->sim->now >= end->write_at && writes++ < 64)
		write_some(end);
	if (end->setup->ending == SIM_FIN_FIRST ||
	    end->written == end->setup->bytes)
		shut(end);
}

static void step_read(struct sim_end *end)
{
	struct ferry_conn *conn = &end->conn;
	u64 unread = end->point - end->read_to;
	u64 some;

	if (!unread || end->sim->now < end->read_at ||
	    end->sim->now < end->setup->read_from)
		return;
	some = 1 + sim_below(&end->random, end->setup->read);
	end->read_to += min_t(u64, unread, some);
	conn->room = end->setup->capacity - (end->point - end->read_to);
	ferry_conn_read(conn);
	end->read_at = end->sim->now +
		       sim_below(&end->random, end->setup->read_pause + 1);
	end->progress_at = end->sim->now;
}

/**
 * sim_script_step() - do what is due
 * @end: the end
 */
void sim_script_step(struct sim_end *end)
{
	if (end->setup->ending == SIM_ABORT &&
	    end->sim->now >= end->setup->abort_at && !end->gone) {
		sim_trace(end->sim, "%c aborts", end->name);
		ferry_conn_abort(&end->conn);
		end->error = end->conn.error;
		return;
	}
	if (!end->established)
		return;
	step_write(end);
	step_read(end);
}

/**
 * sim_script_next() - when something is due
 * @end: the end
 */
u64 sim_script_next(const struct sim_end *end)
{
	u64 at = NEVER;

	if (end->setup->ending == SIM_ABORT)
		at = end->setup->abort_at;
	if (!end->established)
		return at;
	if (!end->shut && ferry_conn_may_send(&end->conn) &&
	    (has_room(end) || end->setup->ending == SIM_FIN_FIRST))
		at = min_t(u64, at, end->write_at);
	if (end->point != end->read_to)
		at = min_t(u64, at, max_t(u64, end->read_at,
					  end->setup->read_from));
	return at;
}
