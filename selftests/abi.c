// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a program sees of the ABI: the structs' sizes, options, ioctls and control
 * messages of the three types. It is compiled a second time for 32 bits where the
 * compiler can, and so stands alone.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/ferry.h>

#include "kselftest_harness.h"

#define WAIT_MS	20000

static int one = 1, zero;

/* A system call, or minus its errno. */
#define TRY(call)	({ long __r = (call); __r < 0 ? -errno : __r; })

static int set(int fd, int option, int value)
{
	return TRY(setsockopt(fd, SOL_FERRY, option, &value, sizeof(value)));
}

static int get(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return TRY(getsockopt(fd, SOL_FERRY, option, &value, &len)) ?: value;
}

static int amount(int fd, unsigned long request)
{
	int value = -1;

	return TRY(ioctl(fd, request, &value)) ?: value;
}

static int readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, WAIT_MS);
}

/* Until all that was sent has arrived: the other end says so, or the device. */
static int drained(int fd)
{
	int left, waited;

	for (waited = 0; waited < WAIT_MS; waited++) {
		left = amount(fd, SIOCOUTQ);
		if (left <= 0)
			return left;
		poll(NULL, 0, 1);
	}
	return -ETIMEDOUT;
}

TEST(sizes)
{
	EXPECT_EQ(20, sizeof(struct sockaddr_ferry));
	EXPECT_EQ(12, sizeof(struct ferry_mreq));
	EXPECT_EQ(16, sizeof(struct ferry_pktinfo));
	EXPECT_EQ(160, sizeof(struct ferry_info));
	EXPECT_EQ(120, offsetof(struct ferry_info, fyi_bytes_sent));
	EXPECT_EQ(152, offsetof(struct ferry_info, fyi_delivery_rate));
}

FIXTURE(abi) {
	int fd[2];
	char buf[64];
};

FIXTURE_VARIANT(abi) {
	int type;
};

FIXTURE_VARIANT_ADD(abi, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(abi, record) { .type = SOCK_SEQPACKET };
FIXTURE_VARIANT_ADD(abi, dgram) { .type = SOCK_DGRAM };

FIXTURE_SETUP(abi)
{
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, socketpair(AF_FERRY, variant->type | SOCK_CLOEXEC, 0,
				self->fd));
}

FIXTURE_TEARDOWN(abi)
{
	close(self->fd[0]);
	close(self->fd[1]);
}

/*
 * struct option - that is an int
 *
 * @value can be set, and is read then.
 */
static const struct option {
	const char	*name;
	int		option, value;
	bool		dgram, record, stream;
} options[] = {
	{ "REUSEPORT", FERRY_REUSEPORT, 1, true, true, true },
	{ "CORK", FERRY_CORK, 1, true, false, true },
	{ "SYNCNT", FERRY_SYNCNT, 5, false, true, true },
	{ "USER_TIMEOUT", FERRY_USER_TIMEOUT, 5000, false, true, true },
	{ "KEEPIDLE", FERRY_KEEPIDLE, 5, false, true, true },
	{ "KEEPINTVL", FERRY_KEEPINTVL, 5, false, true, true },
	{ "KEEPCNT", FERRY_KEEPCNT, 5, false, true, true },
	{ "LINGER2", FERRY_LINGER2, 5, false, true, true },
	{ "NOTSENT_LOWAT", FERRY_NOTSENT_LOWAT, 5, false, true, true },
	{ "QUICKACK", FERRY_QUICKACK, 0, false, true, true },
	{ "INQ", FERRY_INQ, 1, false, false, true },
	{ "DEFER_ACCEPT", FERRY_DEFER_ACCEPT, 3, false, true, true },
	{ "RECVPKTINFO", FERRY_RECVPKTINFO, 1, true, false, false },
};

TEST_F(abi, options)
{
	const struct option *o;
	bool has;

	for (o = options; o < options + ARRAY_SIZE(options); o++) {
		has = variant->type == SOCK_DGRAM ? o->dgram :
		      variant->type == SOCK_STREAM ? o->stream : o->record;
		if (has) {
			EXPECT_EQ(0, set(self->fd[0], o->option, o->value)) {
				TH_LOG("%s", o->name);
			}
			EXPECT_EQ(o->value, get(self->fd[0], o->option)) {
				TH_LOG("%s", o->name);
			}
		} else {
			EXPECT_NE(0, set(self->fd[0], o->option, o->value)) {
				TH_LOG("%s", o->name);
			}
		}
	}
}

TEST_F(abi, info)
{
	struct ferry_info info;
	socklen_t len = sizeof(info);
	int err = TRY(getsockopt(self->fd[0], SOL_FERRY, FERRY_INFO, &info, &len));

	if (variant->type == SOCK_DGRAM) {
		EXPECT_EQ(-ENOPROTOOPT, err);
		return;
	}
	ASSERT_EQ(0, err);
	EXPECT_EQ(sizeof(info), len);
	EXPECT_EQ(65535, info.fyi_pmtu);
	ASSERT_EQ(5, send(self->fd[0], "hello", 5, 0));
	ASSERT_EQ(0, drained(self->fd[0]));
	ASSERT_EQ(0, getsockopt(self->fd[0], SOL_FERRY, FERRY_INFO, &info, &len));
	EXPECT_EQ(5, info.fyi_bytes_sent);
	EXPECT_EQ(variant->type == SOCK_STREAM ? 5 : 6, info.fyi_bytes_acked);
}

TEST_F(abi, congestion)
{
	char name[FERRY_CONGESTION_LEN];
	socklen_t len = sizeof(name);
	int err = TRY(setsockopt(self->fd[0], SOL_FERRY, FERRY_CONGESTION,
				 "newreno", 7));

	if (variant->type == SOCK_DGRAM) {
		EXPECT_EQ(-ENOPROTOOPT, err);
		return;
	}
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, getsockopt(self->fd[0], SOL_FERRY, FERRY_CONGESTION, name,
				&len));
	EXPECT_STREQ("newreno", name);
}

/* What can be read: FIONREAD is SIOCINQ's other name. */
TEST_F(abi, inq)
{
	EXPECT_EQ(0, amount(self->fd[1], SIOCINQ));
	ASSERT_EQ(5, send(self->fd[0], "hello", 5, 0));
	ASSERT_EQ(3, send(self->fd[0], "you", 3, 0));
	ASSERT_EQ(0, drained(self->fd[0]));
	ASSERT_EQ(1, readable(self->fd[1]));
	/* As UDP, the next datagram; as AF_UNIX, of all records. */
	EXPECT_EQ(variant->type == SOCK_DGRAM ? 5 : 8,
		  amount(self->fd[1], FIONREAD));
	ASSERT_EQ(5, recv(self->fd[1], self->buf, 5, 0));
	EXPECT_EQ(3, amount(self->fd[1], SIOCINQ));
	EXPECT_EQ(-EFAULT, TRY(ioctl(self->fd[1], SIOCINQ, (void *)8)));
}

TEST_F(abi, outq)
{
	EXPECT_EQ(0, amount(self->fd[0], SIOCOUTQ));
	EXPECT_EQ(0, amount(self->fd[0], TIOCOUTQ));
	/* What UDP has not, datagrams have not. */
	EXPECT_EQ(variant->type == SOCK_DGRAM ? -ENOTTY : 0,
		  amount(self->fd[0], SIOCOUTQNSD));
	EXPECT_EQ(-EFAULT, TRY(ioctl(self->fd[0], SIOCOUTQ, (void *)8)));
}

/* Nobody reads: what is not acknowledged, and what not even sent. */
TEST_F(abi, outq__full)
{
	static char much[100000];
	int all, unsent;

	if (variant->type == SOCK_DGRAM)
		return;
	while (send(self->fd[0], much, 10000, MSG_DONTWAIT) > 0)
		;
	all = amount(self->fd[0], SIOCOUTQ);
	unsent = amount(self->fd[0], SIOCOUTQNSD);
	EXPECT_LT(0, all);
	EXPECT_LE(0, unsent);
	EXPECT_LE(unsent, all);
}

/* A listener has neither. */
TEST_F(abi, listener)
{
	static const unsigned long requests[] = {
		SIOCINQ, SIOCOUTQ, SIOCOUTQNSD,
	};
	int fd = socket(AF_FERRY, variant->type | SOCK_CLOEXEC, 0), i;

	if (variant->type == SOCK_DGRAM) {
		EXPECT_EQ(-EOPNOTSUPP, TRY(listen(fd, 1)));
		close(fd);
		return;
	}
	ASSERT_EQ(0, listen(fd, 1));
	for (i = 0; i < ARRAY_SIZE(requests); i++)
		EXPECT_EQ(-EINVAL, amount(fd, requests[i]));
	close(fd);
}

/* There is no urgent mark; nor what nobody knows. */
TEST_F(abi, refused)
{
	EXPECT_EQ(-ENOTTY, amount(self->fd[0], SIOCATMARK));
	EXPECT_EQ(-ENOTTY, amount(self->fd[0], TIOCGWINSZ));
	EXPECT_EQ(-ENOTTY, amount(self->fd[0], 0x12345678));
}

TEST_F(abi, fionbio)
{
	ASSERT_EQ(0, ioctl(self->fd[0], FIONBIO, &one));
	EXPECT_NE(0, fcntl(self->fd[0], F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, TRY(recv(self->fd[0], self->buf, 1, 0)));
	ASSERT_EQ(0, ioctl(self->fd[0], FIONBIO, &zero));
	EXPECT_EQ(0, fcntl(self->fd[0], F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(-EAGAIN, TRY(recv(self->fd[0], self->buf, 1, MSG_DONTWAIT)));
}

/* Whom the signal is for, and that it comes. */
TEST_F(abi, fioasync)
{
	pid_t self_pid = getpid(), owner = 0;
	struct signalfd_siginfo info;
	sigset_t signals;
	int fd;

	sigemptyset(&signals);
	sigaddset(&signals, SIGIO);
	ASSERT_EQ(0, sigprocmask(SIG_BLOCK, &signals, NULL));
	EXPECT_EQ(0, amount(self->fd[1], SIOCGPGRP));
	ASSERT_EQ(0, ioctl(self->fd[1], SIOCSPGRP, &self_pid));
	ASSERT_EQ(0, ioctl(self->fd[1], SIOCGPGRP, &owner));
	EXPECT_EQ(self_pid, owner);
	owner = 0;
	ASSERT_EQ(0, ioctl(self->fd[1], FIOSETOWN, &owner));
	ASSERT_EQ(0, ioctl(self->fd[1], FIOGETOWN, &owner));
	EXPECT_EQ(0, owner);
	ASSERT_EQ(0, ioctl(self->fd[1], FIOSETOWN, &self_pid));
	EXPECT_EQ(self_pid, fcntl(self->fd[1], F_GETOWN));
	ASSERT_EQ(0, ioctl(self->fd[1], FIOASYNC, &one));
	EXPECT_NE(0, fcntl(self->fd[1], F_GETFL) & O_ASYNC);
	ASSERT_EQ(1, send(self->fd[0], "x", 1, 0));
	fd = signalfd(-1, &signals, SFD_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(1, readable(fd));
	ASSERT_EQ(sizeof(info), read(fd, &info, sizeof(info)));
	EXPECT_EQ(SIGIO, info.ssi_signo);
	close(fd);
	ASSERT_EQ(0, ioctl(self->fd[1], FIOASYNC, &zero));
	EXPECT_EQ(0, fcntl(self->fd[1], F_GETFL) & O_ASYNC);
}

/* What any socket answers of a device. */
TEST_F(abi, devices)
{
	struct ifreq all[8], ifr = { .ifr_name = "ferry0" };
	struct ifconf conf = { .ifc_len = sizeof(all) };
	int index;

	conf.ifc_req = all;
	ASSERT_EQ(0, ioctl(self->fd[0], SIOCGIFINDEX, &ifr));
	index = ifr.ifr_ifindex;
	EXPECT_EQ((int)if_nametoindex("ferry0"), index);
	memset(&ifr, 0, sizeof(ifr));
	ifr.ifr_ifindex = index;
	ASSERT_EQ(0, ioctl(self->fd[0], SIOCGIFNAME, &ifr));
	EXPECT_STREQ("ferry0", ifr.ifr_name);
	ASSERT_EQ(0, ioctl(self->fd[0], SIOCGIFHWADDR, &ifr));
	EXPECT_EQ(ARPHRD_ETHER, ifr.ifr_hwaddr.sa_family);
	ASSERT_EQ(0, ioctl(self->fd[0], SIOCGIFMTU, &ifr));
	EXPECT_EQ(65535, ifr.ifr_mtu);
	ifr.ifr_mtu = 1500;
	ASSERT_EQ(0, ioctl(self->fd[0], SIOCSIFMTU, &ifr));
	ASSERT_EQ(0, ioctl(self->fd[0], SIOCGIFFLAGS, &ifr));
	EXPECT_EQ(IFF_UP, ifr.ifr_flags & IFF_UP);
	ASSERT_EQ(0, ioctl(self->fd[0], SIOCGIFTXQLEN, &ifr));
	EXPECT_EQ(0, ioctl(self->fd[0], SIOCGIFCONF, &conf));
	strcpy(ifr.ifr_name, "none");
	EXPECT_EQ(-ENODEV, TRY(ioctl(self->fd[0], SIOCGIFINDEX, &ifr)));
}

union control {
	struct cmsghdr	cmsg;
	char		room[256];
};

/* The control message of a kind, and a message's room for it. */
static struct cmsghdr *receive(int fd, char *buf, union control *control,
			       int level, int type)
{
	static struct msghdr msg;
	static struct iovec iov;
	struct cmsghdr *cmsg;

	iov = (struct iovec) { buf, 1 };
	msg = (struct msghdr) {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(*control),
	};
	if (readable(fd) != 1 || recvmsg(fd, &msg, MSG_DONTWAIT) != 1)
		return NULL;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg))
		if (cmsg->cmsg_level == level && cmsg->cmsg_type == type)
			return cmsg;
	return NULL;
}

TEST_F(abi, timestamp)
{
	union control control;
	struct cmsghdr *cmsg;
	struct timeval tv, now;

	ASSERT_EQ(0, setsockopt(self->fd[1], SOL_SOCKET, SO_TIMESTAMP, &one,
				sizeof(one)));
	ASSERT_EQ(1, send(self->fd[0], "x", 1, 0));
	cmsg = receive(self->fd[1], self->buf, &control, SOL_SOCKET,
		       SCM_TIMESTAMP);
	ASSERT_NE(NULL, cmsg);
	ASSERT_EQ(CMSG_LEN(sizeof(tv)), cmsg->cmsg_len);
	memcpy(&tv, CMSG_DATA(cmsg), sizeof(tv));
	ASSERT_EQ(0, gettimeofday(&now, NULL));
	EXPECT_LE(tv.tv_sec, now.tv_sec);
	EXPECT_LE(now.tv_sec - tv.tv_sec, 60);
}

TEST_F(abi, pktinfo)
{
	struct ferry_pktinfo info;
	union control control;
	struct cmsghdr *cmsg;
	struct iovec iov = { "y", 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
	};

	if (variant->type != SOCK_DGRAM)
		return;
	ASSERT_EQ(0, set(self->fd[1], FERRY_RECVPKTINFO, 1));
	ASSERT_EQ(1, send(self->fd[0], "x", 1, 0));
	cmsg = receive(self->fd[1], self->buf, &control, SOL_FERRY,
		       FERRY_PKTINFO);
	ASSERT_NE(NULL, cmsg);
	ASSERT_EQ(CMSG_LEN(sizeof(info)), cmsg->cmsg_len);
	memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
	EXPECT_EQ(if_nametoindex("ferry0"), info.fpi_ifindex);
	EXPECT_EQ(0, memcmp(info.fpi_local, info.fpi_addr, FERRY_ALEN));

	memset(&control, 0, sizeof(control));
	msg.msg_controllen = CMSG_SPACE(sizeof(info));
	cmsg = CMSG_FIRSTHDR(&msg);
	cmsg->cmsg_level = SOL_FERRY;
	cmsg->cmsg_type = FERRY_PKTINFO;
	cmsg->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
	ASSERT_EQ(1, sendmsg(self->fd[1], &msg, 0));
	ASSERT_EQ(1, readable(self->fd[0]));
	ASSERT_EQ(1, recv(self->fd[0], self->buf, 64, 0));
	EXPECT_EQ('y', self->buf[0]);
	cmsg->cmsg_len--;
	EXPECT_EQ(-EINVAL, TRY(sendmsg(self->fd[1], &msg, 0)));
}

TEST_F(abi, membership)
{
	struct ferry_mreq mreq = { .fmr_addr = { 3, 0, 0, 0, 0, 9 } };
	int err = TRY(setsockopt(self->fd[0], SOL_FERRY, FERRY_ADD_MEMBERSHIP,
				 &mreq, sizeof(mreq)));

	if (variant->type != SOCK_DGRAM) {
		EXPECT_EQ(-ENOPROTOOPT, err);
		return;
	}
	EXPECT_EQ(0, err);
	EXPECT_EQ(0, setsockopt(self->fd[0], SOL_FERRY, FERRY_DROP_MEMBERSHIP,
				&mreq, sizeof(mreq)));
}

/* Two at once, and a time-out that ends the wait for a third. */
TEST_F(abi, mmsg)
{
	struct timespec timeout = { .tv_nsec = 50000000 };
	struct iovec iov[3] = {
		{ self->buf, 1 }, { self->buf + 1, 1 }, { self->buf + 2, 1 },
	};
	struct mmsghdr msgs[3] = { };
	int i;

	for (i = 0; i < 3; i++) {
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	memset(self->buf, 'a', 3);
	ASSERT_EQ(2, sendmmsg(self->fd[0], msgs, 2, 0));
	ASSERT_EQ(0, drained(self->fd[0]));
	ASSERT_EQ(1, readable(self->fd[1]));
	EXPECT_EQ(2, recvmmsg(self->fd[1], msgs, 3, MSG_WAITFORONE, &timeout));
	EXPECT_EQ(1, msgs[1].msg_len);
}

TEST_F(abi, receive_timeout)
{
	struct timeval tv = { .tv_usec = 20000 }, got = { };
	socklen_t len = sizeof(got);

	ASSERT_EQ(0, setsockopt(self->fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv,
				sizeof(tv)));
	ASSERT_EQ(0, getsockopt(self->fd[0], SOL_SOCKET, SO_RCVTIMEO, &got,
				&len));
	EXPECT_EQ(20000, got.tv_usec);
	EXPECT_EQ(-EAGAIN, TRY(recv(self->fd[0], self->buf, 1, 0)));
}

TEST_HARNESS_MAIN
