/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failing every allocation of an operation in turn.
 */
#ifndef _FAULT_H
#define _FAULT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * struct scene - what an operation works on
 *
 * prepare() fills it in and undo() takes it down; the descriptors are closed
 * after that, whoever opened them.
 */
struct scene {
	int fd;			/* the socket under test, or -1 */
	int other;		/* the other end, or -1 */
	int listener;		/* or -1 */
	long drops;		/* counted before the operation */
	size_t sent, received;	/* so far, by an operation that can go on */
};

/*
 * enum where - which allocations are made to fail
 *
 * @IN_THE_CALL: each that the calling task makes, and each copy to and from its
 *	memory, by /proc/thread-self/fail-nth
 * @ANYWHERE: each of a slab that anyone makes while the operation runs, in
 *	softirq, too, by failslab
 */
enum where { IN_THE_CALL, ANYWHERE };

/*
 * struct operation - a row of the table
 *
 * @name: what it is called
 * @prepare: sets the scene, with nothing made to fail; 0 or a negative errno.
 *	Optional
 * @operate: what is tried: once with an allocation failing, and if it failed
 *	for that, again with none failing, which must work; 0 or a negative errno
 * @undo: takes down what prepare() and operate() made, if they did. Optional
 * @where: which allocations
 * @errnos: what may be answered when one fails; ENOMEM, ENFILE and a
 *	copy's EFAULT need not be said
 */
struct operation {
	const char *name;
	int (*prepare)(struct scene *scene);
	int (*operate)(struct scene *scene);
	void (*undo)(struct scene *scene);
	enum where where;
	int errnos[6];
};

/* The table, in parts; each ends with a row that has no name. */
extern const struct operation operations[];
extern const struct operation stream_operations[];

/* Nothing fails from here on: for the part of an operation that only looks. */
void fault_over(void);

/* See to it that the module is loaded, as it is before each row, or is not. */
int module_load(void);
int module_unload(void);

#endif /* _FAULT_H */
