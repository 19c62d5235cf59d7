/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ferry link: what its files share.
 */
#ifndef FERRY_TOOL_LINK_H
#define FERRY_TOOL_LINK_H

#include <linux/types.h>

#include "addr.h"

/**
 * struct link - a device on which Ferry is enabled
 *
 * @ifindex: its index
 * @name: its name
 * @mac: its address
 * @mtu: the largest packet that it carries, in bytes
 * @flags: FERRY_LINK_F_*
 */
struct link {
	__u32		ifindex;
	const char	*name;
	__u8		mac[FERRY_ALEN];
	__u32		mtu;
	__u32		flags;
};

/**
 * link_for_each() - look at the devices on which Ferry is enabled
 * @verb: what they are looked at for: "cannot VERB ..." is how a sentence begins
 * @device: name of the only one, or NULL for all of them
 * @visit: called for each
 * @data: its last argument
 *
 * Return: 0, or EXIT_FAILURE after a sentence on stderr.
 */
int link_for_each(const char *verb, const char *device,
		  void (*visit)(const struct link *link, void *data),
		  void *data);

/**
 * link_check_name() - see whether a device can have this name
 * @name: the name
 *
 * Return: 0, or EXIT_USAGE after a sentence on stderr.
 */
int link_check_name(const char *name);

/**
 * link_check_device() - check the words of a command that takes one device
 * @argc: number of words
 * @argv: the words: the command, and the device
 *
 * Return: 0, or EXIT_USAGE after a sentence on stderr.
 */
int link_check_device(int argc, char **argv);

/* ferry link add, ferry link del */
int link_add(int argc, char **argv);
int link_del(int argc, char **argv);

#endif /* FERRY_TOOL_LINK_H */
