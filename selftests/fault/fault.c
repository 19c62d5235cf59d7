// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fail every single allocation of every operation in turn: the first one, then
 * the second, until one try comes through without any being hit. Each failure
 * must give an errno that the operation's row names and leave nothing behind:
 * the same operation must work right after, and the module must unload.
 *
 * Needs a kernel with FAULT_INJECTION (scripts/vm --kernel debug) and root, and
 * the module's path in $FERRY_KO. Arguments are the names of rows; without one,
 * every row is tried. $FERRY_FAULT_STEP is for who has less time: after the first
 * hundred allocations of a row, one of so many fails. A new operation is a row in
 * operations.c or streams.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest.h"
#include "fault.h"

#define FAILSLAB	"/sys/kernel/debug/failslab/"

/* So many are failed whatever $FERRY_FAULT_STEP says. */
#define TRIES_EACH	100

/* An operation that never comes through is a fault of the test or the kernel. */
#define TRIES_MAX	20000

static const char *module_path;

static struct {
	int fail_nth;		/* /proc/thread-self/fail-nth */
	int probability;	/* of failslab, as the next two */
	int times;
	int interval;
	unsigned int count;	/* allocations that failslab has counted */
	enum where where;
	bool armed;
	bool hit;
} fault;

static int open_control(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		ksft_exit_fail_msg("cannot open %s: %s\n", path,
				   strerror(errno));
	return fd;
}

static void set(int fd, unsigned int value)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", value);

	if (write(fd, text, len) != len)
		ksft_exit_fail_msg("cannot control fault injection: %s\n",
				   strerror(errno));
}

/*
 * Has failslab hit an allocation? If it can, this one may be it. What debugfs
 * has is read once an opening.
 */
static bool failslab_hit(void)
{
	int fd = open(FAILSLAB "times", O_RDONLY | O_CLOEXEC);
	char text[16] = "1";

	if (fd < 0)
		return true;
	if (read(fd, text, sizeof(text) - 1) <= 0)
		ksft_exit_fail_msg("cannot read failslab's times: %s\n",
				   strerror(errno));
	close(fd);
	return !strtoul(text, NULL, 0);
}

static void set_once(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		ksft_exit_fail_msg("cannot write %s to %s: %s\n", value, path,
				   strerror(errno));
	close(fd);
}

/*
 * Make the @n-th allocation from now fail. With an interval, failslab counts
 * allocations, of the whole kernel and without end, and one fails whenever the
 * count is a multiple of it: so the interval is what the count then comes to.
 */
static void arm(enum where where, unsigned int n)
{
	fault.where = where;
	fault.hit = false;
	fault.armed = true;
	if (where == ANYWHERE) {
		fault.count += n;
		set(fault.interval, fault.count);
		set(fault.times, 1);
		set(fault.probability, 100);
	} else {
		set(fault.fail_nth, n);
	}
}

/* Let it count on up to the one that fails: its count is known only then. */
static void failslab_settle(void)
{
	set(fault.probability, 100);
	while (!failslab_hit())
		;
	set(fault.probability, 0);
}

void fault_over(void)
{
	char text[16] = "";

	if (!fault.armed)
		return;
	fault.armed = false;
	if (fault.where == ANYWHERE) {
		set(fault.probability, 0);
		fault.hit = failslab_hit();
		if (!fault.hit)
			failslab_settle();
		return;
	}
	/* If these copies are hit themselves, then the operation was not. */
	if (pread(fault.fail_nth, text, sizeof(text) - 1, 0) > 0)
		fault.hit = strtoul(text, NULL, 10) == 0;
	if (write(fault.fail_nth, "0", 1) != 1)
		set(fault.fail_nth, 0);
}

/*
 * struct tally - what became of an operation's allocations
 */
struct tally {
	unsigned int failed;	/* gave an errno */
	unsigned int copies;	/* gave EFAULT: a copy from or to the caller */
	unsigned int coped;	/* the operation worked all the same */
};

static bool allowed(const struct operation *op, int err)
{
	size_t i;

	/* ENFILE is what the kernel says of a socket's inode. */
	if (err == ENOMEM || err == EFAULT || err == ENFILE)
		return true;
	for (i = 0; i < sizeof(op->errnos) / sizeof(op->errnos[0]); i++)
		if (op->errnos[i] && op->errnos[i] == err)
			return true;
	return false;
}

/* What came of a try whose @n-th allocation failed; false: not what it should. */
static bool judge(const struct operation *op, struct scene *scene,
		  unsigned int n, int result, struct tally *tally)
{
	int again;

	if (!result) {
		tally->coped++;
		return true;
	}
	if (!allowed(op, -result)) {
		ksft_print_msg("%s: allocation %u gave %s\n", op->name, n,
			       strerror(-result));
		return false;
	}
	if (result == -EFAULT)
		tally->copies++;
	else
		tally->failed++;
	again = op->operate(scene);
	if (!again)
		return true;
	ksft_print_msg("%s: allocation %u gave %s and left something behind: then %s\n",
		       op->name, n, strerror(-result), strerror(-again));
	return false;
}

static void scene_close(struct scene *scene)
{
	if (scene->fd >= 0)
		close(scene->fd);
	if (scene->other >= 0)
		close(scene->other);
	if (scene->listener >= 0)
		close(scene->listener);
}

/* One try. Returns 1: go on; 0: nothing is left to fail; negative: a fault. */
static int attempt(const struct operation *op, unsigned int n, struct tally *tally)
{
	struct scene scene = { .fd = -1, .other = -1, .listener = -1 };
	int result, verdict;

	result = op->prepare ? op->prepare(&scene) : 0;
	if (result) {
		ksft_print_msg("%s: try %u cannot be prepared: %s\n", op->name,
			       n, strerror(-result));
		scene_close(&scene);
		return -1;
	}

	arm(op->where, n);
	result = op->operate(&scene);
	fault_over();

	if (fault.hit) {
		verdict = judge(op, &scene, n, result, tally) ? 1 : -1;
	} else if (result) {
		ksft_print_msg("%s: fails with no allocation failing: %s\n",
			       op->name, strerror(-result));
		verdict = -1;
	} else {
		verdict = 0;
	}
	if (op->undo)
		op->undo(&scene);
	scene_close(&scene);
	return verdict;
}

static void walk(const struct operation *op)
{
	const char *text = getenv("FERRY_FAULT_STEP");
	unsigned int step = text ? strtoul(text, NULL, 10) : 1, n = 0;
	struct tally tally = {};
	int verdict;

	verdict = module_load();
	if (verdict)
		ksft_exit_fail_msg("%s cannot be loaded: %s\n", module_path,
				   strerror(-verdict));
	do {
		n += n < TRIES_EACH ? 1 : step;
		verdict = attempt(op, n, &tally);
	} while (verdict > 0 && n < TRIES_MAX);

	/* With nothing to fail in it, a row would prove nothing. */
	ksft_test_result(!verdict && n > 1,
			 "%s: %u failed: %u gave an errno, %u of them a copy; %u were coped with\n",
			 op->name, tally.failed + tally.copies + tally.coped,
			 tally.failed + tally.copies, tally.copies, tally.coped);
}

int module_load(void)
{
	int fd = open(module_path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	fault_over();
	close(fd);
	return err == -EEXIST ? 0 : err;
}

int module_unload(void)
{
	if (!syscall(SYS_delete_module, "ferry", O_NONBLOCK))
		return 0;
	return errno == ENOENT ? 0 : -errno;
}

/* Allocations that may sleep fail too, and in silence. */
static void fault_setup(void)
{
	static const char *const attributes[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	char path[128];
	size_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/debug/%s/verbose",
			 attributes[i]);
		set_once(path, "0");
	}
	set_once(FAILSLAB "ignore-gfp-wait", "N");
	set_once("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	set_once("/sys/kernel/debug/fail_page_alloc/min-order", "0");

	/* Opening them allocates, so it is not done when something shall fail. */
	fault.probability = open_control(FAILSLAB "probability", O_WRONLY);
	fault.times = open_control(FAILSLAB "times", O_WRONLY);
	fault.interval = open_control(FAILSLAB "interval", O_WRONLY);
	fault.fail_nth = open_control("/proc/thread-self/fail-nth", O_RDWR);
	/* A page of our own is not an allocation of the operation's. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		ksft_exit_fail_msg("mlockall: %s\n", strerror(errno));

	/* It has counted none since the kernel booted, or one. */
	fault.count = 2;
	set(fault.interval, fault.count);
	set(fault.times, 1);
	failslab_settle();
}

/* Is the row named by one of the arguments, or are there none? */
static bool chosen(const struct operation *op, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(op->name, *names))
			return true;
	return false;
}

/* Do it with the rows that are chosen. Return: how many. */
static unsigned int each(char **names, void (*what)(const struct operation *op))
{
	static const struct operation *const tables[] = {
		operations, stream_operations,
	};
	const struct operation *op;
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (op = tables[i]; op->name; op++) {
			if (!chosen(op, names))
				continue;
			count++;
			if (what)
				what(op);
		}
	}
	return count;
}

int main(int argc, char **argv)
{
	(void)argc;
	/* A line at a time: what a VM that dies has said counts. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	if (access("/proc/thread-self/fail-nth", F_OK) || access(FAILSLAB, F_OK))
		return ksft_exit_skip("the kernel has no fault injection\n");
	module_path = getenv("FERRY_KO");
	if (!module_path)
		return ksft_exit_skip("$FERRY_KO does not name the module\n");
	ksft_set_plan(each(argv + 1, NULL));

	fault_setup();
	if (unshare(CLONE_NEWNET))
		ksft_exit_fail_msg("unshare: %s\n", strerror(errno));
	each(argv + 1, walk);
	return ksft_get_fail_cnt() ? ksft_exit_fail() : ksft_exit_pass();
}
