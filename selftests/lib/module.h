/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel modules, for tests.
 */
#ifndef _FERRY_TEST_MODULE_H
#define _FERRY_TEST_MODULE_H

#include <stdbool.h>
#include <stddef.h>

/* The path of ferry.ko ($FERRY_KO) and of the module that hinders it, or NULL. */
const char *module_ferry(void);
const char *module_hinder(void);

/* Return: 0 or -errno. */
int module_insert(const char *path, const char *params);
int module_remove(const char *name);
/* The same, as soon as nothing holds it any more; -ETIMEDOUT if never. */
int module_remove_wait(const char *name);
bool module_loaded(const char *name);

/*
 * struct leftover - what a module can leave behind
 *
 * @irqs: interrupts of the machine
 * @memory: kilobytes of slabs that cannot be reclaimed, of per-CPU and of
 *	mapped kernel memory; always 0 in a kernel that has kmemleak, which
 *	knows better
 */
struct leftover {
	int	irqs;
	long	memory;
};

struct leftover leftover_now(void);
/*
 * What of the module can be seen in the system, by its names: in words, or NULL
 * if there is nothing.
 */
const char *leftover_name(void);

/* The kernel's log from here on: open it, and look for a text in it later. */
int klog_open(void);
bool klog_says(int klog, const char *text);
bool klog_says_either(int klog, const char *one, const char *other);

#endif
