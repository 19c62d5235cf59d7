// SPDX-License-Identifier: GPL-2.0-only
/*
 * The wire. A segment larger than a frame is cut here, as a device does it; each
 * frame is then lost, late, copied, damaged, or just takes its time.
 */
#include <string.h>

#include "sim.h"

/* RFC 1071, over any alignment. */
static u16 checksum(const u8 *bytes, u32 len)
{
	u64 sum = 0;
	u32 word;
	u32 i;

	for (i = 0; i + 4 <= len; i += 4) {
		memcpy(&word, bytes + i, 4);
		sum += word;
	}
	for (word = 0; i < len; i++)
		word |= (u32)bytes[i] << 8 * (i & 3);
	sum += word;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static bool earlier(const struct sim_packet *a, const struct sim_packet *b)
{
	return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void heap_push(struct sim *sim, struct sim_packet *packet)
{
	u32 at, up;

	if (sim->heap_count == sim->heap_room) {
		sim->heap_room = sim->heap_room ? 2 * sim->heap_room : 64;
		sim->heap = realloc(sim->heap,
				    sim->heap_room * sizeof(*sim->heap));
	}
	packet->order = sim->order++;
	for (at = sim->heap_count++; at; at = up) {
		up = (at - 1) / 2;
		if (!earlier(packet, sim->heap[up]))
			break;
		sim->heap[at] = sim->heap[up];
	}
	sim->heap[at] = packet;
}

static struct sim_packet *heap_pop(struct sim *sim)
{
	struct sim_packet *first = sim->heap[0];
	struct sim_packet *last = sim->heap[--sim->heap_count];
	u32 at = 0, down;

	for (; (down = 2 * at + 1) < sim->heap_count; at = down) {
		if (down + 1 < sim->heap_count &&
		    earlier(sim->heap[down + 1], sim->heap[down]))
			down++;
		if (!earlier(sim->heap[down], last))
			break;
		sim->heap[at] = sim->heap[down];
	}
	sim->heap[at] = last;
	return first;
}

/**
 * sim_path_mtu() - how long a packet may be
 * @path: the path
 *
 * Return: bytes, header included; U32_MAX: of any length.
 */
u32 sim_path_mtu(const struct sim_path *path)
{
	const struct sim_path_setup *setup = &path->setup;

	if (setup->mtu_then && path->carried >= setup->mtu_after)
		return setup->mtu_then;
	return setup->mtu ?: U32_MAX;
}

/* Whether a frame is lost on the way. */
static bool is_lost(struct sim *sim, struct sim_path *path)
{
	const struct sim_path_setup *setup = &path->setup;

	if (sim->now >= setup->hole_from && sim->now < setup->hole_to)
		return true;
	while (setup->burst_gap && path->burst_to <= sim->now) {
		path->burst_from = path->burst_to +
				   sim_below(&path->random, setup->burst_gap);
		path->burst_to = path->burst_from + 1 +
				 sim_below(&path->random, setup->burst_time);
	}
	if (sim->now >= path->burst_from && sim->now < path->burst_to)
		return true;
	return sim_chance(&path->random, setup->loss);
}

/* When a frame arrives; NEVER: there was no room for it in the queue. */
static u64 arrival(struct sim *sim, struct sim_path *path, u32 len)
{
	const struct sim_path_setup *setup = &path->setup;
	u64 at = sim->now;

	if (setup->rate > 0) {
		u64 start = path->busy_until > at ? path->busy_until : at;

		if ((start - at) * setup->rate > setup->queue)
			return NEVER;
		path->busy_until = start + (u64)((len + 14) / setup->rate) + 1;
		at = path->busy_until;
	}
	at += setup->delay + sim_below(&path->random, setup->jitter + 1);
	if (sim_chance(&path->random, setup->reorder))
		return at + sim_below(&path->random, setup->late + 1);
	/* But for those, frames keep their order. */
	if (at < path->last_at)
		at = path->last_at;
	path->last_at = at;
	return at;
}

static void deliver(struct sim *sim, struct sim_path *path,
		    struct sim_packet *packet)
{
	u64 at = arrival(sim, path, packet->len);
	u64 bit;

	if (at == NEVER) {
		sim->dropped++;
		free(packet);
		return;
	}
	if (sim_chance(&path->random, path->setup.damage)) {
		bit = sim_below(&path->random, 8 * packet->len);
		packet->bytes[bit / 8] ^= 1 << bit % 8;
		sim->damaged++;
	}
	packet->at = at;
	heap_push(sim, packet);
}

static void send_frame(struct sim *sim, struct sim_end *from,
		       const struct ferry_seg *seg, const u8 *payload)
{
	u32 hlen = ferry_seg_hlen(seg);
	struct sim_path *path = from->path;
	struct sim_packet *packet, *copy;
	size_t size = sizeof(*packet) + hlen + seg->len;

	sim->packets++;
	if (hlen + seg->len > sim_path_mtu(path)) {
		sim_trace_seg(sim, from, "LONG", seg);
		sim->too_long++;
		return;
	}
	path->carried += seg->len;
	if (is_lost(sim, path)) {
		sim_trace_seg(sim, from, "LOST", seg);
		sim->dropped++;
		return;
	}
	sim_trace_seg(sim, from, "sent", seg);
	packet = malloc(size);
	packet->to = from->peer;
	packet->len = hlen + seg->len;
	ferry_wire_build_seg(packet->bytes, seg, PORT, PORT);
	if (seg->len)
		memcpy(packet->bytes + hlen, payload, seg->len);
	packet->check = checksum(packet->bytes, packet->len);
	if (sim_chance(&path->random, path->setup.copy)) {
		copy = malloc(size);
		memcpy(copy, packet, size);
		sim->copies++;
		deliver(sim, path, copy);
	}
	deliver(sim, path, packet);
}

/**
 * sim_path_send() - put a segment on the wire
 * @sim: the run
 * @from: who sends
 * @seg: the segment
 * @payload: its payload
 * @cut: what of it fits into a frame
 */
void sim_path_send(struct sim *sim, struct sim_end *from,
		   const struct ferry_seg *seg, const u8 *payload, u32 cut)
{
	struct ferry_seg piece = *seg;
	u32 done = 0;

	for (;;) {
		piece.seq = seg->seq + done;
		piece.len = min_t(u32, seg->len - done, cut);
		piece.flags = done + piece.len == seg->len ? seg->flags : 0;
		send_frame(sim, from, &piece, payload + done);
		done += piece.len;
		if (done == seg->len)
			break;
	}
}

u64 sim_path_next(const struct sim *sim)
{
	return sim->heap_count ? sim->heap[0]->at : NEVER;
}

/* The next frame that arrives whole; NULL if the one that arrives is damaged. */
struct sim_packet *sim_path_take(struct sim *sim)
{
	struct sim_packet *packet = heap_pop(sim);

	if (checksum(packet->bytes, packet->len) == packet->check)
		return packet;
	free(packet);
	return NULL;
}
