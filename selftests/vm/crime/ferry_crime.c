// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry_crime - does what a kernel must never do, to see that the test VM tells
 *
 * "insmod ferry_crime.ko crime=NAME" commits one of the crimes below. A run in
 * the VM that commits one must fail and name it. A new crime is a function and
 * a row of the table.
 */

#include <linux/bug.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *crime;
module_param(crime, charp, 0444);
MODULE_PARM_DESC(crime, "which crime to commit");

static void warn(void)
{
	WARN(1, "ferry_crime: a warning\n");
}

static void bug(void)
{
	BUG();
}

/* A read of address 0, by a detour so that the compiler lets it pass. */
static void null_pointer(void)
{
	int *nowhere = NULL;

	OPTIMIZER_HIDE_VAR(nowhere);
	pr_info("ferry_crime: at 0 there is %d\n", READ_ONCE(*nowhere));
}

static void refcount_underflow(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	refcount_dec(&count);
}

/*
 * No other task runs on this CPU for longer than the watchdog waits: six seconds,
 * as crime() in lib.sh sets it.
 */
static void soft_lockup(void)
{
	unsigned long end = jiffies + 20 * HZ;

	preempt_disable();
	while (time_before(jiffies, end))
		cpu_relax();
	preempt_enable();
}

/* A task that sleeps for ever and takes no signal. */
static int sleep_for_ever(void *completion)
{
	wait_for_completion(completion);
	return 0;
}

static void hung_task(void)
{
	static DECLARE_COMPLETION(never);

	kthread_run(sleep_for_ever, &never, "ferry_hung");
}

static void use_after_free(void)
{
	int *number = kzalloc(sizeof(*number), GFP_KERNEL);
	int *stale = number;

	if (!number)
		return;
	OPTIMIZER_HIDE_VAR(stale);
	kfree(number);
	pr_info("ferry_crime: the freed number is %d\n", READ_ONCE(*stale));
}

/* Memory that nothing points to any more. */
static void leak(void)
{
	void *lost = kmalloc(1000, GFP_KERNEL);

	pr_info("ferry_crime: %s\n", lost ? "memory is lost" : "no memory to lose");
}

static void sleep_in_atomic(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	msleep(1);
	spin_unlock(&lock);
}

/* Two mutexes taken in both orders: a deadlock that need not happen to be seen. */
static void lock_inversion(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);
	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static int raced;

static int race(void *unused)
{
	int i;

	for (i = 0; i < 10000000 && !kthread_should_stop(); i++) {
		raced++;
		barrier();
		if (!(i % 1000))
			cond_resched();
	}
	while (!kthread_should_stop())
		msleep(20);
	return 0;
}

/* Two tasks that count in one variable without a lock. */
static void racing(void)
{
	struct task_struct *racer = kthread_run(race, NULL, "ferry_race");
	int i;

	if (IS_ERR(racer))
		return;
	for (i = 0; i < 10000000; i++) {
		raced++;
		barrier();
		if (!(i % 1000))
			cond_resched();
	}
	kthread_stop(racer);
	pr_info("ferry_crime: raced to %d\n", raced);
}

static void taint(void)
{
	add_taint(TAINT_BAD_PAGE, LOCKDEP_STILL_OK);
}

/* A device that nobody can delete: "ip link add crime0 type dummy" first. */
static void lost_reference(void)
{
	struct net_device *dev = dev_get_by_name(&init_net, "crime0");

	pr_info("ferry_crime: %s\n", dev ? "a device is held for ever" : "there is no crime0");
}

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{ "warn", warn },
	{ "bug", bug },
	{ "null_pointer", null_pointer },
	{ "refcount_underflow", refcount_underflow },
	{ "soft_lockup", soft_lockup },
	{ "hung_task", hung_task },
	{ "use_after_free", use_after_free },
	{ "leak", leak },
	{ "sleep_in_atomic", sleep_in_atomic },
	{ "lock_inversion", lock_inversion },
	{ "data_race", racing },
	{ "taint", taint },
	{ "lost_reference", lost_reference },
};

static int __init ferry_crime_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(crimes); i++) {
		if (crime && !strcmp(crime, crimes[i].name)) {
			crimes[i].commit();
			return 0;
		}
	}
	pr_err("ferry_crime: there is no crime called '%s'\n", crime ?: "");
	return -EINVAL;
}

static void __exit ferry_crime_exit(void)
{
}

module_init(ferry_crime_init);
module_exit(ferry_crime_exit);

MODULE_DESCRIPTION("What a kernel must never do");
MODULE_LICENSE("GPL");
