// SPDX-License-Identifier: GPL-2.0-only
/* Ferry sockets: see sock.h. */
#include <errno.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock.h"
#include "wait.h"

struct sockaddr_ferry sfy(const unsigned char *addr, unsigned int port)
{
	struct sockaddr_ferry to = {
		.sfy_family = AF_FERRY,
		.sfy_port = port,
	};

	memcpy(to.sfy_addr, addr, FERRY_ALEN);
	return to;
}

struct sockaddr_ferry sfy_dev(const unsigned char *addr, unsigned int port,
			      const char *dev)
{
	struct sockaddr_ferry to = sfy(addr, port);

	to.sfy_ifindex = if_nametoindex(dev);
	return to;
}

static long result(long ret)
{
	return ret < 0 ? -errno : ret;
}

int dgram(void)
{
	return result(socket(AF_FERRY, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

int dgram_at(unsigned int port)
{
	struct sockaddr_ferry at = sfy(addr_any, port);
	int fd = dgram();
	int err;

	if (fd < 0)
		return fd;
	err = sock_bind(fd, &at);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int dgram_to(unsigned int port)
{
	struct sockaddr_ferry to = sfy(addr_any, port);
	int fd = dgram();
	int err;

	if (fd < 0)
		return fd;
	err = sock_connect(fd, &to);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int sock_bind(int fd, const struct sockaddr_ferry *to)
{
	return result(bind(fd, (const struct sockaddr *)to, sizeof(*to)));
}

int sock_connect(int fd, const struct sockaddr_ferry *to)
{
	return result(connect(fd, (const struct sockaddr *)to, sizeof(*to)));
}

int sock_disconnect(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	return result(connect(fd, &none, sizeof(none)));
}

ssize_t sock_send(int fd, const void *data, size_t len, int flags)
{
	return result(send(fd, data, len, flags));
}

ssize_t sock_send_to(int fd, const void *data, size_t len,
		     const struct sockaddr_ferry *to)
{
	return result(sendto(fd, data, len, 0, (const struct sockaddr *)to,
			     sizeof(*to)));
}

ssize_t sock_recv(int fd, void *data, size_t len, int flags)
{
	return result(recv(fd, data, len, flags));
}

ssize_t sock_recv_from(int fd, void *data, size_t len, int flags,
		       struct sockaddr_ferry *from)
{
	socklen_t size = sizeof(*from);

	return result(recvfrom(fd, data, len, flags, (struct sockaddr *)from,
			       &size));
}

int sock_set(int fd, int level, int option, int value)
{
	return result(setsockopt(fd, level, option, &value, sizeof(value)));
}

int sock_get(int fd, int level, int option)
{
	socklen_t len = sizeof(int);
	int value;

	if (getsockopt(fd, level, option, &value, &len))
		return -errno;
	return value;
}

unsigned int sock_port(int fd)
{
	struct sockaddr_ferry own = { };
	socklen_t len = sizeof(own);

	getsockname(fd, (struct sockaddr *)&own, &len);
	return own.sfy_port;
}

int sock_listen(int fd, int backlog)
{
	return result(listen(fd, backlog));
}

int sock_shutdown(int fd, int how)
{
	return result(shutdown(fd, how));
}

int sock_error(int fd)
{
	return sock_get(fd, SOL_SOCKET, SO_ERROR);
}

short sock_events(int fd)
{
	struct pollfd p = { .fd = fd, .events = ~0 };

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

short sock_wait(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, WAIT_MS) < 0 ? -errno : p.revents;
}

ssize_t sock_await(int fd, void *data, size_t len)
{
	if (!sock_wait(fd, POLLIN))
		return -ETIMEDOUT;
	return sock_recv(fd, data, len, MSG_DONTWAIT);
}

bool sock_empty(int fd)
{
	char byte;

	return sock_recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -EAGAIN;
}

ssize_t sock_send_with(int fd, const struct sockaddr_ferry *to, int type,
		       const void *value, size_t len)
{
	union {
		struct cmsghdr align;
		char room[256];
	} control = { };
	struct iovec iov = { "hello", 5 };
	struct msghdr msg = {
		.msg_name = (void *)to, .msg_namelen = to ? sizeof(*to) : 0,
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = CMSG_SPACE(len),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), value, len);
	return result(sendmsg(fd, &msg, 0));
}

int sock_kernel_has_ts_opt_id(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;
	unsigned int id = 1;

	err = result(connect(fd, (struct sockaddr *)&to, sizeof(to))) ?:
	      sock_set(fd, SOL_SOCKET, SO_TIMESTAMPING,
		       SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID);
	if (!err)
		err = sock_send_with(fd, NULL, SOCK_TS_OPT_ID, &id, sizeof(id));
	close(fd);
	return err == -EINVAL ? 0 : err;
}

long stat_of(const char *name)
{
	FILE *file = fopen("/proc/thread-self/net/ferry/stat", "re");
	long value = -1, v;
	char word[64];

	if (!file)
		return -1;
	while (fscanf(file, "%63s %ld", word, &v) == 2)
		if (!strcmp(word, name))
			value = v;
	fclose(file);
	return value;
}

struct stat_goal {
	const char	*name;
	long		value;
};

static bool stat_reached(void *arg)
{
	const struct stat_goal *goal = arg;

	return stat_of(goal->name) >= goal->value;
}

long stat_wait(const char *name, long value)
{
	struct stat_goal goal = { name, value };

	wait_until(stat_reached, &goal);
	return stat_of(name);
}

static unsigned char pattern(size_t i, unsigned int seed)
{
	return ((i + seed) * 2654435761u) >> 24;
}

void pattern_fill(void *data, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		((unsigned char *)data)[i] = pattern(i, seed);
}

bool pattern_is(const void *data, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (((const unsigned char *)data)[i] != pattern(i, seed))
			return false;
	return true;
}

int epoll_watch(int ep, int fd, unsigned int events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

unsigned int epoll_events(int ep, int timeout)
{
	struct epoll_event event;

	return epoll_wait(ep, &event, 1, timeout) == 1 ? event.events : 0;
}
