// SPDX-License-Identifier: GPL-2.0-only
/* Kernel modules: see module.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/ferry.h>

#include "conn.h"
#include "module.h"
#include "net.h"
#include "wait.h"

const char *module_ferry(void)
{
	const char *path = getenv("FERRY_KO");

	return path && !access(path, R_OK) ? path : NULL;
}

/* scripts/build puts the two next to each other. */
const char *module_hinder(void)
{
	static char path[PATH_MAX];
	char ferry[PATH_MAX];

	if (!module_ferry())
		return NULL;
	snprintf(ferry, sizeof(ferry), "%s", module_ferry());
	snprintf(path, sizeof(path), "%.4000s/../hinder/ferry_hinder.ko",
		 dirname(ferry));
	return access(path, R_OK) ? NULL : path;
}

int module_insert(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, params, 0) ? -errno : 0;
	close(fd);
	return err;
}

int module_remove(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

struct removal {
	const char	*name;
	int		err;
};

static bool removed(void *arg)
{
	struct removal *removal = arg;

	removal->err = module_remove(removal->name);
	return removal->err != -EAGAIN;
}

int module_remove_wait(const char *name)
{
	struct removal removal = { name, 0 };

	return wait_until(removed, &removal) ? removal.err : -ETIMEDOUT;
}

bool module_loaded(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return !access(path, F_OK);
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/* Does a line of a file begin with @word, or hold it? */
static bool file_has(const char *path, const char *word, bool begins)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[1024];
	char *at;

	while (file && !found && fgets(line, sizeof(line), file)) {
		at = strstr(line, word);
		found = at && (!begins || at == line);
	}
	if (file)
		fclose(file);
	return found;
}

static long meminfo(const char *word)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char name[64];
	long kb, sum = 0;

	while (file && fscanf(file, "%63s %ld%*[^\n]", name, &kb) == 2)
		if (!strcmp(name, word))
			sum = kb;
	if (file)
		fclose(file);
	return sum;
}

/* A kernel that looks for leaks itself takes memory to do so. */
static bool looks_for_leaks(void)
{
	return file_has("/proc/slabinfo", "kmemleak_object", true);
}

struct leftover leftover_now(void)
{
	struct leftover now = { .irqs = entries("/sys/kernel/irq") };

	if (!looks_for_leaks())
		now.memory = meminfo("SUnreclaim:") + meminfo("Percpu:") +
			     meminfo("VmallocUsed:");
	return now;
}

/* The family's slot, free or taken by whom? */
static bool family_open(void)
{
	int fd = socket(AF_FERRY, SOCK_RDM, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0 || errno != EAFNOSUPPORT;
}

static const char *family_name(void)
{
	static const char modprobe[] = "/proc/sys/kernel/modprobe";
	const char *name = NULL;
	char path[256] = "";
	FILE *file = fopen(modprobe, "re");

	/* The core has it look for who is missing, which takes longer than all else. */
	if (file && fgets(path, sizeof(path), file))
		sysctl_set(modprobe, "\n");
	if (file)
		fclose(file);
	if (family_open())
		name = "the protocol family";
	else if (ferry_request(FERRY_CMD_LINK_GET, 1, NULL) != -ENOENT)
		name = "the netlink family";
	if (*path)
		sysctl_set(modprobe, path);
	return name;
}

const char *leftover_name(void)
{
	if (module_loaded("ferry"))
		return "the module";
	if (!access("/proc/net/ferry", F_OK))
		return "/proc/net/ferry";
	if (!access("/proc/sys/net/ferry", F_OK))
		return "/proc/sys/net/ferry";
	if (file_has("/proc/net/protocols", "FERRY", true))
		return "a protocol";
	if (file_has("/proc/net/ptype", "ferry_", false))
		return "a packet handler";
	if (file_has("/proc/slabinfo", "ferry_", true))
		return "a slab";
	if (file_has("/proc/interrupts", "ferry0-rx-", false))
		return "an interrupt";
	return family_name();
}

int klog_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

bool klog_says(int klog, const char *text)
{
	return klog_says_either(klog, text, text);
}

bool klog_says_either(int klog, const char *one, const char *other)
{
	char record[8192];
	ssize_t n;

	for (;;) {
		n = read(klog, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return false;
		record[n] = 0;
		if (strstr(record, one) || strstr(record, other))
			return true;
	}
}
