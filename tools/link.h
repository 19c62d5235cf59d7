/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ferry link: what its files share.
 */
#ifndef FERRY_TOOL_LINK_H
#define FERRY_TOOL_LINK_H

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
