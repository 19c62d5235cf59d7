/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ferry sockets, for tests.
 *
 * What can fail returns a descriptor, a length or 0, or a negative errno, so
 * that a case compares with one number.
 */
#ifndef _FERRY_TEST_SOCK_H
#define _FERRY_TEST_SOCK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/ferry.h>

static const unsigned char addr_any[FERRY_ALEN];
static const unsigned char addr_everyone[FERRY_ALEN] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff
};

/* @addr: addr_any, addr_everyone, or a card's */
struct sockaddr_ferry sfy(const unsigned char *addr, unsigned int port);
struct sockaddr_ferry sfy_dev(const unsigned char *addr, unsigned int port,
			      const char *dev);

int dgram(void);
/* A socket that is bound to @port of any address. */
int dgram_at(unsigned int port);
/* A socket that is connected to @port of this host. */
int dgram_to(unsigned int port);

int sock_bind(int fd, const struct sockaddr_ferry *to);
int sock_connect(int fd, const struct sockaddr_ferry *to);
int sock_disconnect(int fd);
ssize_t sock_send(int fd, const void *data, size_t len, int flags);
ssize_t sock_send_to(int fd, const void *data, size_t len,
		     const struct sockaddr_ferry *to);
ssize_t sock_recv(int fd, void *data, size_t len, int flags);
ssize_t sock_recv_from(int fd, void *data, size_t len, int flags,
		       struct sockaddr_ferry *from);

int sock_set(int fd, int level, int option, int value);
int sock_get(int fd, int level, int option);
unsigned int sock_port(int fd);
int sock_listen(int fd, int backlog);
int sock_shutdown(int fd, int how);

/* The pending error, which reading clears, as a positive errno. */
int sock_error(int fd);

/* What poll() reports at once, or within the time-out that ends a failed test. */
short sock_events(int fd);
short sock_wait(int fd, short events);

/* epoll: watch a descriptor; what is reported within @timeout, 0 for nothing. */
int epoll_watch(int ep, int fd, unsigned int events);
unsigned int epoll_events(int ep, int timeout);

/* Block until the next datagram; return its length. Fails after a time-out. */
ssize_t sock_await(int fd, void *data, size_t len);

/* Can no datagram be read now? */
bool sock_empty(int fd);

/*
 * Send "hello", to where it is connected if @to is NULL, with a control message of
 * SOL_SOCKET.
 */
ssize_t sock_send_with(int fd, const struct sockaddr_ferry *to, int type,
		       const void *value, size_t len);

/*
 * SCM_TS_OPT_ID: what the stamps of one call are told by. Does UDP, over lo, which
 * is up, have it? 6.13 is the first kernel that has. Return: 0 for no.
 */
#define SOCK_TS_OPT_ID	81
int sock_kernel_has_ts_opt_id(void);

/* A counter of /proc/net/ferry/stat in this namespace; -1 if there is none. */
long stat_of(const char *name);
/* Wait until it is at least @value. Return: what it is then. */
long stat_wait(const char *name, long value);

/* Contents for @len bytes that differ from place to place and by @seed. */
void pattern_fill(void *data, size_t len, unsigned int seed);
bool pattern_is(const void *data, size_t len, unsigned int seed);

#endif
