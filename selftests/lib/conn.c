// SPDX-License-Identifier: GPL-2.0-only
/* Connections: see conn.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

int conn_socket(int type)
{
	int fd = socket(AF_FERRY, type | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* The socket, or @err if there is one. */
static int unless(int err, int fd)
{
	if (!err)
		return fd;
	close(fd);
	return err;
}

int conn_listen(int type, unsigned int port, int backlog)
{
	struct sockaddr_ferry at = sfy(addr_any, port);
	int fd = conn_socket(type), err;

	if (fd < 0)
		return fd;
	err = sock_bind(fd, &at);
	if (!err && listen(fd, backlog))
		err = -errno;
	return unless(err, fd);
}

int conn_bound(int type, unsigned int port)
{
	struct sockaddr_ferry at = sfy(addr_any, port);
	int fd = conn_socket(type), err;

	if (fd < 0)
		return fd;
	err = sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) ?: sock_bind(fd, &at);
	return unless(err, fd);
}

int conn_to(int type, const struct sockaddr_ferry *to)
{
	int fd = conn_start(type | SOCK_NONBLOCK, to), err;

	if (fd < 0)
		return fd;
	err = sock_wait(fd, POLLOUT) ? -sock_error(fd) : -ETIMEDOUT;
	if (!err && fcntl(fd, F_SETFL, 0))
		err = -errno;
	return unless(err, fd);
}

int conn_start(int type, const struct sockaddr_ferry *to)
{
	int fd = conn_socket(type | SOCK_NONBLOCK), err;

	if (fd < 0)
		return fd;
	err = sock_connect(fd, to);
	return unless(err == -EINPROGRESS ? 0 : err, fd);
}

int conn_start_from(int type, unsigned int port, const unsigned char *addr,
		    unsigned int far_port)
{
	struct sockaddr_ferry at = sfy(addr_any, port);
	struct sockaddr_ferry to = sfy(addr, far_port);
	int fd = conn_socket(type | SOCK_NONBLOCK), err;

	if (fd < 0)
		return fd;
	err = sock_bind(fd, &at) ?: sock_connect(fd, &to);
	if (err == -EINPROGRESS)
		return fd;
	close(fd);
	return err ?: -EISCONN;
}

int conn_accept_now(int listener)
{
	int flags = fcntl(listener, F_GETFL), fd;

	fcntl(listener, F_SETFL, flags | O_NONBLOCK);
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	fcntl(listener, F_SETFL, flags);
	return fd;
}

int conn_accept(int listener)
{
	if (!sock_wait(listener, POLLIN))
		return -ETIMEDOUT;
	return conn_accept_now(listener);
}

static int complete(struct conn *conn, int type,
		    const struct sockaddr_ferry *to)
{
	if (conn->listener < 0)
		return conn->listener;
	conn->client = conn_to(type, to);
	if (conn->client < 0)
		return conn->client;
	conn->server = conn_accept(conn->listener);
	return conn->server < 0 ? conn->server : 0;
}

int conn_pair(struct conn *conn, int type, unsigned int port)
{
	struct sockaddr_ferry to = sfy(addr_any, port);

	*conn = (struct conn){ -1, -1, -1 };
	conn->listener = conn_listen(type, port, 8);
	return complete(conn, type, &to);
}

int conn_across(struct conn *conn, int type, unsigned int port,
		const struct wire *wire)
{
	struct sockaddr_ferry to = sfy(wire->fy1, port);
	int err;

	*conn = (struct conn){ -1, -1, -1 };
	err = net_enter(wire->blue);
	if (!err)
		conn->listener = conn_listen(type, port, 8);
	err = err ?: net_enter(wire->red);
	return err ?: complete(conn, type, &to);
}

void conn_close(struct conn *conn)
{
	if (conn->client >= 0)
		conn_reset(conn->client);
	if (conn->server >= 0)
		conn_reset(conn->server);
	if (conn->listener >= 0)
		close(conn->listener);
	*conn = (struct conn){ -1, -1, -1 };
}

ssize_t send_all(int fd, const void *data, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		if (!sock_wait(fd, POLLOUT))
			return -ETIMEDOUT;
		n = sock_send(fd, (const char *)data + done, len - done,
			      MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && n != -EAGAIN)
			return n;
		done += n < 0 ? 0 : n;
	}
	return done;
}

ssize_t recv_all(int fd, void *data, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = sock_await(fd, (char *)data + done, len - done);
		if (!n)
			break;
		if (n < 0 && n != -EAGAIN)
			return n;
		done += n < 0 ? 0 : n;
	}
	return done;
}

ssize_t send_full(int fd, size_t limit)
{
	static char data[16384];
	size_t done = 0;
	ssize_t n;

	while (done < limit) {
		n = sock_send(fd, data,
			      limit - done < sizeof(data) ? limit - done :
							    sizeof(data),
			      MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -EAGAIN)
			return done;
		if (n < 0)
			return n;
		done += n;
	}
	return done;
}

struct fill {
	int	fd, reader;
	ssize_t	last;
	long	seen;
};

/* What was acknowledged is in one of the buffers, and no more in the other. */
static bool filled(void *arg)
{
	struct fill *fill = arg;
	long held = conn_amount(fill->fd, SIOCOUTQ) +
		    conn_amount(fill->reader, SIOCINQ);

	fill->last = send_full(fill->fd, SIZE_MAX);
	if (fill->last > 0)
		fill->seen += fill->last;
	return fill->last < 0 || (!fill->last && held <= fill->seen);
}

ssize_t conn_fill(int fd, int reader)
{
	struct fill fill = { fd, reader, 0, 0 };

	fill.seen = conn_amount(fd, SIOCOUTQ) + conn_amount(reader, SIOCINQ);
	if (!wait_until(filled, &fill))
		return -ETIMEDOUT;
	return fill.last < 0 ? fill.last : fill.seen;
}

int conn_linger(int fd, int seconds)
{
	struct linger linger = { .l_onoff = 1, .l_linger = seconds };

	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger,
			  sizeof(linger)) ? -errno : 0;
}

void conn_reset(int fd)
{
	conn_linger(fd, 0);
	close(fd);
}

int conn_amount(int fd, unsigned long request)
{
	int amount;

	return ioctl(fd, request, &amount) ? -errno : amount;
}

struct amount_goal {
	int		fd;
	unsigned long	request;
	int		value;
};

static bool amount_reached(void *arg)
{
	const struct amount_goal *goal = arg;

	return conn_amount(goal->fd, goal->request) == goal->value;
}

bool conn_await_amount(int fd, unsigned long request, int value)
{
	struct amount_goal goal = { fd, request, value };

	return wait_until(amount_reached, &goal);
}

int conn_info(int fd, struct ferry_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0xff, sizeof(*info));
	if (getsockopt(fd, SOL_FERRY, FERRY_INFO, info, &len))
		return -errno;
	return len == sizeof(*info) ? 0 : -EMSGSIZE;
}

struct state_goal {
	int	fd;
	int	state;
};

static bool state_reached(void *arg)
{
	const struct state_goal *goal = arg;
	struct ferry_info info;

	return !conn_info(goal->fd, &info) && info.fyi_state == goal->state;
}

bool conn_await_state(int fd, int state)
{
	struct state_goal goal = { fd, state };

	return wait_until(state_reached, &goal);
}

struct port_goal {
	int		type;
	unsigned int	port;
};

static bool port_free(void *arg)
{
	const struct port_goal *goal = arg;
	int fd = conn_listen(goal->type, goal->port, 1);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool conn_await_free_port(int type, unsigned int port)
{
	struct port_goal goal = { type, port };

	return wait_until(port_free, &goal);
}

int sysctl_set(const char *name, const char *value)
{
	char path[128];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s%s",
		 *name == '/' ? "" : "/proc/sys/net/ferry/", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int memory_set(const char *value, char *was, size_t len)
{
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int host = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	int err = net_enter(host), file;
	ssize_t n = 0;

	file = open("/proc/sys/net/ferry/mem", O_RDONLY | O_CLOEXEC);
	if (was) {
		n = read(file, was, len - 1);
		was[n > 0 ? n : 0] = 0;
		if (n < 1)
			err = -EIO;
	}
	err = err ?: sysctl_set("mem", value);
	net_enter(own);
	close(file);
	close(own);
	close(host);
	return err;
}

int memory_hold(int *fd, const struct sockaddr_ferry *at)
{
	cpu_set_t one;
	ssize_t n;
	int i;

	for (i = 0; i < MEMORY_HOGS; i++)
		fd[i] = -1;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		return -errno;
	for (i = 0; i < MEMORY_HOGS; i++) {
		fd[i] = conn_to(SOCK_STREAM, at);
		if (fd[i] < 0)
			return fd[i];
		n = send_full(fd[i], SIZE_MAX);
		if (n < 0)
			return n;
	}
	return 0;
}

void memory_release(int *fd)
{
	int i;

	for (i = 0; i < MEMORY_HOGS; i++)
		conn_reset(fd[i]);
}

int sock_timeout(int fd, int option, int ms)
{
	struct timeval limit = {
		.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000,
	};

	return setsockopt(fd, SOL_SOCKET, option, &limit,
			  sizeof(limit)) ? -errno : 0;
}

static long milliseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

long clock_ms(void)
{
	return milliseconds(CLOCK_MONOTONIC);
}

long clock_tick_ms(void)
{
	return milliseconds(CLOCK_MONOTONIC_COARSE);
}

long clock_real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000L + t.tv_nsec;
}
