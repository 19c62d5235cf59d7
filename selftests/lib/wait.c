// SPDX-License-Identifier: GPL-2.0-only
/* Waiting on state: see wait.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "wait.h"

#define MS_NS		1000000L
#define PAUSE_MIN_NS	(MS_NS / 2)
#define PAUSE_MAX_NS	(20 * MS_NS)

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Where asking takes long, who asks always is in the way of what he waits for. */
bool wait_until(bool (*cond)(void *arg), void *arg)
{
	struct timespec pause = { .tv_nsec = PAUSE_MIN_NS };
	long begin = now_ms(), waited;

	while (!cond(arg)) {
		waited = now_ms() - begin;
		if (waited > WAIT_MS)
			return false;
		/* An eighth more than it has taken until now. */
		if (waited * MS_NS / 8 > PAUSE_MIN_NS)
			pause.tv_nsec = waited * MS_NS / 8;
		if (pause.tv_nsec > PAUSE_MAX_NS)
			pause.tv_nsec = PAUSE_MAX_NS;
		nanosleep(&pause, NULL);
	}
	return true;
}

struct asleep {
	pid_t	tid;
	long	syscall;
};

/* The file says "running" unless the task sleeps. */
static bool asleep(void *arg)
{
	const struct asleep *want = arg;
	char path[64], word[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/syscall", want->tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%63s", word) != 1)
		word[0] = 'r';
	fclose(file);
	return word[0] != 'r' && atol(word) == want->syscall;
}

bool wait_asleep(pid_t tid, long syscall)
{
	struct asleep want = { tid, syscall };

	return wait_until(asleep, &want);
}

static void *sleeper_main(void *arg)
{
	struct sleeper *self = arg;

	__atomic_store_n(&self->tid, gettid(), __ATOMIC_RELEASE);
	self->result = self->call(self);
	return NULL;
}

static bool sleeper_known(void *arg)
{
	const struct sleeper *sleeper = arg;

	return __atomic_load_n(&sleeper->tid, __ATOMIC_ACQUIRE);
}

bool sleeper_run(struct sleeper *sleeper)
{
	sleeper->tid = 0;
	return !pthread_create(&sleeper->thread, NULL, sleeper_main, sleeper);
}

bool sleeper_start(struct sleeper *sleeper, long syscall)
{
	return sleeper_run(sleeper) && wait_until(sleeper_known, sleeper) &&
	       wait_asleep(sleeper->tid, syscall);
}

long sleeper_join(struct sleeper *sleeper)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_MS / 1000;
	if (pthread_timedjoin_np(sleeper->thread, NULL, &end))
		return -ETIMEDOUT;
	return sleeper->result;
}

static volatile sig_atomic_t handled;

static void handle(int sig)
{
	handled += sig == SIGUSR1;
}

static bool handled_more(void *arg)
{
	return handled > *(int *)arg;
}

bool sleeper_interrupt(struct sleeper *sleeper, long syscall, int flags)
{
	struct sigaction action = { .sa_handler = handle, .sa_flags = flags };
	int before = handled;

	return !sigaction(SIGUSR1, &action, NULL) &&
	       sleeper_start(sleeper, syscall) &&
	       !pthread_kill(sleeper->thread, SIGUSR1) &&
	       wait_until(handled_more, &before);
}

long sleep_in_recv(struct sleeper *self)
{
	ssize_t n = recv(self->fd, self->data, self->len, self->flags);

	return n < 0 ? -errno : n;
}

long sleep_in_send(struct sleeper *self)
{
	ssize_t n = send(self->fd, self->data, self->len, self->flags);

	return n < 0 ? -errno : n;
}

long sleep_in_poll(struct sleeper *self)
{
	struct pollfd p = { .fd = self->fd, .events = self->events };
	int n = poll(&p, 1, -1);

	return n < 0 ? -errno : p.revents;
}

int late_page(void **page)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };
	long size = sysconf(_SC_PAGESIZE);
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	*page = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || *page == MAP_FAILED || ioctl(fd, UFFDIO_API, &api))
		return -1;
	reg.range.start = (unsigned long)*page;
	reg.range.len = size;
	return ioctl(fd, UFFDIO_REGISTER, &reg) ? -1 : fd;
}

int late_supply(int fd, void *page)
{
	struct uffdio_zeropage zero = {
		.range.start = (unsigned long)page,
		.range.len = sysconf(_SC_PAGESIZE),
	};

	return ioctl(fd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
}
