/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink messages, for tests: what net.h has no call for.
 */
#ifndef _FERRY_TEST_TALK_H
#define _FERRY_TEST_TALK_H

#include <libmnl/libmnl.h>

/*
 * Begin a request in @buf, of MNL_SOCKET_BUFFER_SIZE bytes, that is to be acknowledged:
 * with the header @head of its own, about a device, or to a family of generic netlink.
 */
struct nlmsghdr *talk_begin(void *buf, int type, int flags, const void *head,
			    size_t size);
struct nlmsghdr *talk_link(void *buf, int type, int flags, const char *name);
struct nlmsghdr *talk_genl(void *buf, int type, int cmd, int version);

/*
 * Send one request and wait for its answer: all of it is given to @cb, if that is
 * not NULL. Return: 0 or -errno.
 */
int talk(int bus, struct nlmsghdr *nlh, mnl_cb_t cb, void *data);

/*
 * struct talk_family - a family of generic netlink
 * @id: its number, or -ENOENT
 * @group: that of its only group, or -1
 */
struct talk_family {
	int	id, group;
};

/* Return: 0 or -errno. */
int talk_family(const char *name, struct talk_family *family);

#endif
