/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Connections, for tests: SOCK_STREAM and SOCK_SEQPACKET.
 *
 * What can fail returns a descriptor, a length or 0, or a negative errno. No
 * call here waits longer than WAIT_MS.
 */
#ifndef _FERRY_TEST_CONN_H
#define _FERRY_TEST_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <linux/ferry.h>

#include "wire.h"

/* An address on the wire that no device has. */
static const unsigned char addr_nobody[FERRY_ALEN] = {
	0x02, 0x00, 0x0a, 0x00, 0x00, 0x63
};

/* @type: SOCK_STREAM or SOCK_SEQPACKET, and SOCK_NONBLOCK */
int conn_socket(int type);
/* A socket that listens at @port, any one if 0, of every address. */
int conn_listen(int type, unsigned int port, int backlog);
/* A socket that is bound to @port of every address, and set SO_REUSEADDR. */
int conn_bound(int type, unsigned int port);
/* A socket that is connected to @to. */
int conn_to(int type, const struct sockaddr_ferry *to);
/* The same, and the first half of it only: it does not wait. */
int conn_start(int type, const struct sockaddr_ferry *to);
/* The same, from @port, or any if it is 0. */
int conn_start_from(int type, unsigned int port, const unsigned char *addr,
		    unsigned int far_port);
/* Wait for a connection and take it. */
int conn_accept(int listener);
/* Take one if it is there. */
int conn_accept_now(int listener);

/*
 * struct conn - a connection, both ends of it
 *
 * @client has connected to @server, which was accepted from @listener.
 */
struct conn {
	int	listener, client, server;
};

/* On this host: over the loop. */
int conn_pair(struct conn *conn, int type, unsigned int port);
/* Over a wire: the server is in blue, the client in red, where the caller is. */
int conn_across(struct conn *conn, int type, unsigned int port,
		const struct wire *wire);
/* By a reset, so that nothing is left of it. What is -1 was closed before. */
void conn_close(struct conn *conn);

/* Send or receive all of it, however often that takes; receiving ends at EOF. */
ssize_t send_all(int fd, const void *data, size_t len);
ssize_t recv_all(int fd, void *data, size_t len);

/* Send what fits without waiting, up to @limit bytes. Return: how much. */
ssize_t send_full(int fd, size_t limit);

/*
 * Send until nothing more can be sent to a reader that does not read, whatever
 * arrives. Return: how much is in both buffers, or -errno.
 */
ssize_t conn_fill(int fd, int reader);

/* close() with an RST: SO_LINGER of 0 seconds. */
void conn_reset(int fd);
int conn_linger(int fd, int seconds);

/* Wait until an amount is @value: SIOCINQ, SIOCOUTQ... Return: whether it is. */
bool conn_await_amount(int fd, unsigned long request, int value);
/* What it is now. */
int conn_amount(int fd, unsigned long request);

/* FERRY_INFO. Return: 0 or -errno. */
int conn_info(int fd, struct ferry_info *info);
/* Wait until a connection's state, TCP_*, is @state. Return: whether it is. */
bool conn_await_state(int fd, int state);

/* Wait until a socket can be bound to the port and set SO_REUSEADDR or not. */
bool conn_await_free_port(int type, unsigned int port);

/* Set net.ferry.NAME, or what else there is by a path. Return: 0 or -errno. */
int sysctl_set(const char *name, const char *value);
/*
 * Set net.ferry.mem, which is the host's, and see what it was, if @was is not NULL: of
 * @len bytes, and ended by a NUL. Return: 0 or -errno.
 */
int memory_set(const char *value, char *was, size_t len);

/*
 * Have connections to @at hold so much of it that there is more than a few pages: each
 * CPU has a reserve that is not counted, so the caller stays on one from now on.
 * @fd has room for MEMORY_HOGS. Return: 0 or -errno.
 */
#define MEMORY_HOGS	8
int memory_hold(int *fd, const struct sockaddr_ferry *at);
void memory_release(int *fd);

/* A limit for all calls that wait on a socket: SO_RCVTIMEO, SO_SNDTIMEO. */
int sock_timeout(int fd, int option, int ms);

/* Milliseconds of a clock that does not go back. */
long clock_ms(void);

/*
 * The same of one that moves with the kernel's ticks, as time-outs do. On a machine
 * that has too much to do ticks come late and several at once: by any other clock, a
 * time-out may then seem short.
 */
long clock_tick_ms(void);

/* Nanoseconds of the clock that packets are stamped by. */
long clock_real_ns(void);

#endif
