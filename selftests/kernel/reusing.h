/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's test of AF_VSOCK lacks to be compiled here, with our addresses. */
#ifndef REUSING_H
#define REUSING_H

#include <sys/socket.h>

#include "kselftest.h"

/* @fd, which may be bound to a port of which there is a connection left. */
static inline int reusing(int fd)
{
	int yes = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ? -1 : fd;
}

#endif
