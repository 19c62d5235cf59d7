// SPDX-License-Identifier: GPL-2.0-only
/*
 * Echoes: asking hosts whether they are there. See echo.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "echo.h"

#define NS_PER_SEC	1000000000LL

static volatile sig_atomic_t interrupted;

static long long clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_SEC + now.tv_nsec;
}

long long echo_clock(void)
{
	return clock_ns(CLOCK_REALTIME);
}

long long echo_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static int set_one(int fd, int level, int option)
{
	int one = 1;

	return setsockopt(fd, level, option, &one, sizeof(one));
}

int echo_open(void)
{
	int fd = socket(AF_FERRY, SOCK_DGRAM | SOCK_CLOEXEC, FERRYPROTO_ECHO);

	if (fd < 0) {
		complain("cannot send echoes: %s", echo_why(-errno));
		return -1;
	}
	if (set_one(fd, SOL_SOCKET, SO_BROADCAST) ||
	    set_one(fd, SOL_SOCKET, SO_TIMESTAMPNS) ||
	    set_one(fd, SOL_FERRY, FERRY_RECVVERSION)) {
		complain("cannot send echoes: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

int echo_send(int fd, const struct echo_dest *dest, const void *payload,
	      size_t len)
{
	struct sockaddr_ferry to = {
		.sfy_family = AF_FERRY,
		.sfy_port = dest->number,
		.sfy_ifindex = dest->device,
	};

	memcpy(to.sfy_addr, dest->addr, FERRY_ALEN);
	if (sendto(fd, payload, len, 0, (struct sockaddr *)&to,
		   sizeof(to)) < 0)
		return -errno;
	return 0;
}

const char *echo_why(int err)
{
	switch (err) {
	case -EAFNOSUPPORT:
		return "the ferry module is not loaded; load the module with: modprobe ferry";
	case -ENETUNREACH:
		return "no device, or more than one, leads there; see: ferry link show";
	case -ENETDOWN:
		return "its device is down; raise it with: ip link set dev DEV up";
	case -EMSGSIZE:
		return "the packet exceeds its device's MTU; see: ferry link show";
	case -EINVAL:
		return "nobody answers for a group; give a host's address";
	default:
		return strerror(-err);
	}
}

static void read_control(struct msghdr *msg, struct echo_answer *answer)
{
	struct timespec stamp;
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level == SOL_SOCKET &&
		    cmsg->cmsg_type == SO_TIMESTAMPNS) {
			memcpy(&stamp, CMSG_DATA(cmsg), sizeof(stamp));
			answer->when = stamp.tv_sec * NS_PER_SEC +
				       stamp.tv_nsec;
		} else if (cmsg->cmsg_level == SOL_FERRY &&
			   cmsg->cmsg_type == FERRY_VERSION) {
			memcpy(&answer->version, CMSG_DATA(cmsg),
			       sizeof(answer->version));
		}
	}
}

int echo_receive(int fd, struct echo_answer *answer, void *payload,
		 size_t room)
{
	struct iovec iov = { payload, room };
	struct sockaddr_ferry from = { };
	char control[256];
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len;

	len = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_TRUNC);
	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	*answer = (struct echo_answer) {
		.device = from.sfy_ifindex,
		.number = from.sfy_port,
		.when = echo_clock(),
		.len = len,
	};
	memcpy(answer->addr, from.sfy_addr, FERRY_ALEN);
	read_control(&msg, answer);
	return 1;
}

static void note_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

void echo_catch_interrupt(void)
{
	struct sigaction action = { .sa_handler = note_interrupt };
	sigset_t block;

	/* It is let through only in echo_wait(), so that none is missed. */
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, NULL);
	sigaction(SIGINT, &action, NULL);
}

int echo_interrupted(void)
{
	return interrupted;
}

int echo_wait(int fd, long long until)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	long long left = until - echo_now();
	struct timespec timeout;
	sigset_t mask;

	if (left < 0)
		left = 0;
	timeout.tv_sec = left / NS_PER_SEC;
	timeout.tv_nsec = left % NS_PER_SEC;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigdelset(&mask, SIGINT);
	return ppoll(&pfd, 1, &timeout, &mask) == 1;
}
