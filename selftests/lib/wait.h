/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting on state. Times are there only to end a test that has failed.
 */
#ifndef _FERRY_TEST_WAIT_H
#define _FERRY_TEST_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* After this many milliseconds what was waited for will not come. */
#define WAIT_MS	20000

/* Return: whether @cond came true. */
bool wait_until(bool (*cond)(void *arg), void *arg);

/* Wait until a thread, of this process or another, sleeps in a system call. */
bool wait_asleep(pid_t tid, long syscall);

/*
 * struct sleeper - a thread that makes one call, which is to sleep
 *
 * @call is what it does; it returns what the case compares: a result or a
 * negative errno. Start it, see that it sleeps, wake it, join it.
 */
struct sleeper {
	long		(*call)(struct sleeper *self);
	int		fd;
	void		*data;
	size_t		len;
	short		events;
	int		flags;

	pthread_t	thread;
	pid_t		tid;
	long		result;
};

bool sleeper_start(struct sleeper *sleeper, long syscall);
/* Start one that may or may not sleep. */
bool sleeper_run(struct sleeper *sleeper);
/* Return: what @call returned, or -ETIMEDOUT if it still sleeps. */
long sleeper_join(struct sleeper *sleeper);

/*
 * Start one that sleeps, and interrupt it by a signal, of which the handler has these
 * SA_* flags. Return: whether it slept, and has handled it.
 */
bool sleeper_interrupt(struct sleeper *sleeper, long syscall, int flags);

/* Calls that sleepers make. */
long sleep_in_recv(struct sleeper *self);
long sleep_in_send(struct sleeper *self);
long sleep_in_poll(struct sleeper *self);

/*
 * A page that is not there yet: who touches it waits, and has the locks that he has.
 * Return: what poll(2) tells of that, or -1; and 0 once the page is there.
 */
int late_page(void **page);
int late_supply(int fd, void *page);

#endif
