// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multicast: members of a group hear it, and nobody else. FERRY_PKTINFO: by which way
 * a datagram came, or is to go.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define PORT	5000
#define GROUPS	20	/* of one socket, at the most */

static const unsigned char group[FERRY_ALEN] = { 0x03, 0, 0, 0, 0, 0x17 };
static const unsigned char another[FERRY_ALEN] = { 0x03, 0, 0, 0, 0, 0x18 };

static int membership(int fd, int option, const unsigned char *addr,
		      const char *dev)
{
	struct ferry_mreq mreq = { .fmr_ifindex = dev ? link_index(dev) : 0 };

	memcpy(mreq.fmr_addr, addr, FERRY_ALEN);
	return setsockopt(fd, SOL_FERRY, option, &mreq, sizeof(mreq)) ?
	       -errno : 0;
}

static int join(int fd, const unsigned char *addr, const char *dev)
{
	return membership(fd, FERRY_ADD_MEMBERSHIP, addr, dev);
}

static int leave(int fd, const unsigned char *addr, const char *dev)
{
	return membership(fd, FERRY_DROP_MEMBERSHIP, addr, dev);
}

/* How many want a group's packets from a device of this namespace. */
static int wanted(const char *dev, const unsigned char *addr)
{
	char line[256], name[32], mac[32], text[2 * FERRY_ALEN + 1];
	FILE *file = fopen("/proc/thread-self/net/dev_mcast", "r");
	int users, count = 0, i;

	for (i = 0; i < FERRY_ALEN; i++)
		sprintf(text + 2 * i, "%02x", addr[i]);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%*d %31s %d %*d %31s", name, &users, mac) == 3 &&
		    !strcmp(name, dev) && !strcmp(mac, text))
			count = users;
	fclose(file);
	return count;
}

/* A socket that shares the port. */
static int reader(unsigned int port)
{
	struct sockaddr_ferry at = sfy(addr_any, port);
	int fd = dgram(), err;

	err = sock_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) ?: sock_bind(fd, &at);
	return err ?: fd;
}

FIXTURE(group) {
	struct wire wire;
	int fd, mine;		/* red */
	int member, other;	/* blue */
	struct sockaddr_ferry to, far;
	char byte;
};

FIXTURE_SETUP(group)
{
	ASSERT_EQ(0, wire_across(&self->wire, "veth"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->member = reader(PORT);
	ASSERT_LE(0, self->member);
	self->other = reader(PORT);
	ASSERT_LE(0, self->other);
	ASSERT_EQ(0, join(self->member, group, "fy1"));
	ASSERT_EQ(0, net_enter(self->wire.red));
	self->fd = dgram_at(PORT + 1);
	self->mine = reader(PORT);
	ASSERT_LE(0, self->fd);
	self->to = sfy(group, PORT);
	self->far = sfy(self->wire.fy1, PORT);
}

FIXTURE_TEARDOWN(group)
{
	close(self->fd);
	close(self->mine);
	close(self->member);
	close(self->other);
}

/*
 * Send to the group, and then to the host, where the socket that was bound last
 * hears it: when that has arrived, so has the other.
 */
#define SEND_TO_GROUP() do { \
	ASSERT_EQ(1, sock_send_to(self->fd, "g", 1, &self->to)); \
	ASSERT_EQ(1, sock_send_to(self->fd, "f", 1, &self->far)); \
	ASSERT_EQ(1, sock_await(self->other, &self->byte, 1)); \
	EXPECT_EQ('f', self->byte); \
} while (0)

#define HEARS(fd) do { \
	EXPECT_EQ(1, sock_await(fd, &self->byte, 1)); \
	EXPECT_EQ('g', self->byte); \
} while (0)

/* Without SO_BROADCAST: it is not for all. */
TEST_F(group, members_only)
{
	SEND_TO_GROUP();
	HEARS(self->member);
	EXPECT_TRUE(sock_empty(self->member));
	EXPECT_TRUE(sock_empty(self->other));
	EXPECT_TRUE(sock_empty(self->mine));
}

TEST_F(group, others_are_dropped)
{
	long dropped;

	self->to = sfy(another, PORT);
	SEND_TO_GROUP();
	EXPECT_TRUE(sock_empty(self->member));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	dropped = stat_of("InDropNoGroup");
	EXPECT_LE(1, dropped);
	EXPECT_EQ(0, stat_of("OutUnreach"));
}

TEST_F(group, nobody_at_the_port)
{
	self->to.sfy_port = PORT + 7;
	SEND_TO_GROUP();
	ASSERT_EQ(0, net_enter(self->wire.blue));
	EXPECT_LE(1, stat_of("InDropNoGroup"));
	EXPECT_EQ(0, stat_of("OutUnreach"));
}

TEST_F(group, device_lets_it_through)
{
	ASSERT_EQ(0, net_enter(self->wire.blue));
	EXPECT_EQ(1, wanted("fy1", group));
	ASSERT_EQ(0, join(self->other, group, "fy1"));
	EXPECT_EQ(2, wanted("fy1", group));
	ASSERT_EQ(0, leave(self->member, group, "fy1"));
	EXPECT_EQ(1, wanted("fy1", group));
	ASSERT_EQ(0, join(self->other, another, "fy1"));
	EXPECT_EQ(1, wanted("fy1", another));
	close(self->other);
	EXPECT_EQ(0, wanted("fy1", group));
	EXPECT_EQ(0, wanted("fy1", another));
	self->other = -1;
}

TEST_F(group, left)
{
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, leave(self->member, group, NULL));
	EXPECT_EQ(-EADDRNOTAVAIL, leave(self->member, group, NULL));
	ASSERT_EQ(0, net_enter(self->wire.red));
	SEND_TO_GROUP();
	EXPECT_TRUE(sock_empty(self->member));
}

/* Who sends hears it himself, if he is a member where it leaves. */
TEST_F(group, own)
{
	ASSERT_EQ(0, join(self->mine, group, "fy0"));
	SEND_TO_GROUP();
	HEARS(self->member);
	HEARS(self->mine);
	EXPECT_TRUE(sock_empty(self->mine));
	ASSERT_EQ(0, leave(self->mine, group, "fy0"));
	ASSERT_EQ(0, join(self->mine, group, "ferry0"));
	SEND_TO_GROUP();
	HEARS(self->member);
	EXPECT_TRUE(sock_empty(self->mine));
}

/* By the loop it stays within the host. */
TEST_F(group, on_the_loop)
{
	self->to = sfy_dev(group, PORT, "ferry0");
	ASSERT_EQ(0, join(self->mine, group, "ferry0"));
	SEND_TO_GROUP();
	HEARS(self->mine);
	EXPECT_TRUE(sock_empty(self->mine));
	EXPECT_TRUE(sock_empty(self->member));
}

TEST_F(group, bound_to_it)
{
	struct sockaddr_ferry at = sfy(group, PORT + 2);
	struct sockaddr_ferry from;
	int fd;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	fd = dgram();
	ASSERT_EQ(0, sock_bind(fd, &at));
	ASSERT_EQ(0, join(fd, group, "fy1"));
	self->far.sfy_port = PORT + 2;
	ASSERT_EQ(1, sock_send_to(self->fd, "f", 1, &self->far));
	self->to.sfy_port = PORT + 2;
	ASSERT_EQ(1, sock_send_to(self->fd, "g", 1, &self->to));
	HEARS(fd);
	/* What it sends comes from the device's own address. */
	from = sfy(self->wire.fy0, PORT + 1);
	ASSERT_EQ(1, sock_send_to(fd, "a", 1, &from));
	ASSERT_NE(0, sock_wait(self->fd, POLLIN));
	while (sock_recv_from(self->fd, &self->byte, 1, MSG_DONTWAIT, &from) > 0 &&
	       self->byte != 'a')
		;
	EXPECT_EQ(0, memcmp(from.sfy_addr, self->wire.fy1, FERRY_ALEN));
	close(fd);
}

TEST_F(group, connected)
{
	ASSERT_EQ(0, sock_connect(self->fd, &self->to));
	ASSERT_EQ(1, sock_send(self->fd, "g", 1, 0));
	HEARS(self->member);
}

/* Connections are between two. */
TEST_F(group, no_stream)
{
	int fd = conn_socket(SOCK_STREAM), value = 1;

	EXPECT_EQ(-ENETUNREACH, sock_connect(fd, &self->to));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_bind(fd, &self->to));
	EXPECT_EQ(-ENOPROTOOPT, join(fd, group, "fy0"));
	EXPECT_EQ(-1, setsockopt(fd, SOL_FERRY, FERRY_RECVPKTINFO, &value, 4));
	EXPECT_EQ(ENOPROTOOPT, errno);
	close(fd);
}

TEST_F(group, refused)
{
	struct ferry_mreq mreq = { .fmr_addr = { 3 } };
	int i;

	EXPECT_EQ(-EINVAL, join(self->fd, addr_everyone, "fy0"));
	EXPECT_EQ(-EINVAL, join(self->fd, addr_any, "fy0"));
	EXPECT_EQ(-EINVAL, join(self->fd, self->wire.fy1, "fy0"));
	ASSERT_EQ(0, join(self->fd, group, NULL));
	EXPECT_EQ(-EADDRINUSE, join(self->fd, group, "fy0"));
	EXPECT_EQ(-EADDRNOTAVAIL, leave(self->fd, group, "ferry0"));
	EXPECT_EQ(-EADDRNOTAVAIL, leave(self->fd, another, NULL));
	EXPECT_EQ(-ENETUNREACH, join(self->fd, group, "lo"));
	for (i = 0; i < sizeof(mreq); i++) {
		EXPECT_EQ(-1, setsockopt(self->fd, SOL_FERRY,
					 FERRY_ADD_MEMBERSHIP, &mreq, i));
		EXPECT_EQ(EINVAL, errno);
	}
	mreq.fmr_ifindex = 0x7fffffff;
	EXPECT_EQ(-1, setsockopt(self->fd, SOL_FERRY, FERRY_ADD_MEMBERSHIP,
				 &mreq, sizeof(mreq)));
	EXPECT_EQ(ENODEV, errno);
	mreq.fmr_ifindex = 0;
	mreq.fmr_reserved[1] = 1;
	EXPECT_EQ(-1, setsockopt(self->fd, SOL_FERRY, FERRY_ADD_MEMBERSHIP,
				 &mreq, sizeof(mreq)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(self->fd, SOL_FERRY, FERRY_ADD_MEMBERSHIP,
				 (void *)8, sizeof(mreq)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-ENOPROTOOPT, sock_get(self->fd, SOL_FERRY,
					 FERRY_ADD_MEMBERSHIP));
	/* One that is bound to a device hears that one only. */
	ASSERT_EQ(0, setsockopt(self->mine, SOL_SOCKET, SO_BINDTODEVICE, "fy0",
				4));
	EXPECT_EQ(-EINVAL, join(self->mine, group, "ferry0"));
	EXPECT_EQ(0, join(self->mine, group, NULL));
	EXPECT_EQ(2, wanted("fy0", group));
}

TEST_F(group, limit)
{
	unsigned char addr[FERRY_ALEN] = { 3 };
	int i;

	for (i = 0; i < GROUPS; i++) {
		addr[5] = i;
		ASSERT_EQ(0, join(self->fd, addr, "fy0"));
	}
	addr[5] = i;
	EXPECT_EQ(-ENOBUFS, join(self->fd, addr, "fy0"));
	EXPECT_EQ(0, join(self->mine, addr, "fy0"));
	EXPECT_EQ(1, wanted("fy0", addr));
	addr[5] = 0;
	ASSERT_EQ(0, leave(self->fd, addr, "fy0"));
	EXPECT_EQ(0, join(self->fd, group, "fy0"));
}

/* Where Ferry is disabled nobody is a member; nor when it comes back. */
TEST_F(group, disabled)
{
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, ferry_disable("fy1"));
	EXPECT_EQ(0, wanted("fy1", group));
	EXPECT_EQ(-EADDRNOTAVAIL, leave(self->member, group, NULL));
	ASSERT_EQ(0, ferry_enable("fy1"));
	ASSERT_EQ(0, net_enter(self->wire.red));
	SEND_TO_GROUP();
	EXPECT_TRUE(sock_empty(self->member));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, join(self->member, group, "fy1"));
	ASSERT_EQ(0, net_enter(self->wire.red));
	SEND_TO_GROUP();
	HEARS(self->member);
}

TEST_F(group, device_gone)
{
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, join(self->other, another, "fy1"));
	ASSERT_EQ(0, link_del("fy1"));
	EXPECT_EQ(-EADDRNOTAVAIL, leave(self->member, group, NULL));
	/* Alone, the loop is where one joins. */
	EXPECT_EQ(0, join(self->member, group, NULL));
	EXPECT_EQ(1, wanted("ferry0", group));
}

/* It moves away, and leaves the members behind. */
TEST_F(group, device_moved)
{
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, link_move("fy1", self->wire.red));
	EXPECT_EQ(-EADDRNOTAVAIL, leave(self->member, group, NULL));
	ASSERT_EQ(0, net_enter(self->wire.red));
	EXPECT_EQ(0, wanted("fy1", group));
}

/*
 * FERRY_PKTINFO
 */

/*
 * struct way - one datagram, and what its control message says
 */
struct way {
	char			byte;
	int			found;	/* control messages of the kind */
	struct ferry_pktinfo	info;
	struct sockaddr_ferry	from;
};

union control {
	struct cmsghdr	cmsg;
	char		room[256];
};

static int receive(int fd, struct way *way)
{
	struct iovec iov = { &way->byte, 1 };
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_name = &way->from, .msg_namelen = sizeof(way->from),
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;

	way->found = 0;
	if (!sock_wait(fd, POLLIN))
		return -ETIMEDOUT;
	if (recvmsg(fd, &msg, MSG_DONTWAIT) < 0)
		return -errno;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_FERRY ||
		    cmsg->cmsg_type != FERRY_PKTINFO ||
		    cmsg->cmsg_len != CMSG_LEN(sizeof(way->info)))
			continue;
		memcpy(&way->info, CMSG_DATA(cmsg), sizeof(way->info));
		way->found++;
	}
	return msg.msg_flags & MSG_CTRUNC ? -EMSGSIZE : 0;
}

/* @len: of the control message's data, as it says. */
static int send_by(int fd, const struct sockaddr_ferry *to, int type,
		   const struct ferry_pktinfo *info, size_t len)
{
	struct iovec iov = { "p", 1 };
	union control control = { };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_name = (void *)to, .msg_namelen = sizeof(*to),
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(sizeof(*info)),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_FERRY;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), info, sizeof(*info));
	return sendmsg(fd, &msg, 0) < 0 ? -errno : 0;
}

TEST_F(group, pktinfo__received)
{
	int red = link_index("fy0"), blue;
	struct way way;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	blue = link_index("fy1");
	EXPECT_EQ(0, sock_get(self->member, SOL_FERRY, FERRY_RECVPKTINFO));
	ASSERT_EQ(0, sock_set(self->member, SOL_FERRY, FERRY_RECVPKTINFO, 7));
	EXPECT_EQ(1, sock_get(self->member, SOL_FERRY, FERRY_RECVPKTINFO));
	ASSERT_EQ(0, sock_set(self->other, SOL_FERRY, FERRY_RECVPKTINFO, 1));
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_NE(0, red);
	SEND_TO_GROUP();
	ASSERT_EQ(0, receive(self->member, &way));
	ASSERT_EQ(1, way.found);
	EXPECT_EQ(blue, way.info.fpi_ifindex);
	EXPECT_EQ(0, memcmp(self->wire.fy1, way.info.fpi_local, FERRY_ALEN));
	EXPECT_EQ(0, memcmp(group, way.info.fpi_addr, FERRY_ALEN));
	ASSERT_EQ(1, sock_send_to(self->fd, "f", 1, &self->far));
	ASSERT_EQ(0, receive(self->other, &way));
	ASSERT_EQ(1, way.found);
	EXPECT_EQ(blue, way.info.fpi_ifindex);
	EXPECT_EQ(0, memcmp(self->wire.fy1, way.info.fpi_local, FERRY_ALEN));
	EXPECT_EQ(0, memcmp(self->wire.fy1, way.info.fpi_addr, FERRY_ALEN));
	ASSERT_EQ(0, sock_set(self->other, SOL_FERRY, FERRY_RECVPKTINFO, 0));
	ASSERT_EQ(1, sock_send_to(self->fd, "f", 1, &self->far));
	ASSERT_EQ(0, receive(self->other, &way));
	EXPECT_EQ(0, way.found);
}

/* What was received is good for the answer. */
TEST_F(group, pktinfo__answer)
{
	struct way way, back;

	ASSERT_EQ(0, sock_set(self->member, SOL_FERRY, FERRY_RECVPKTINFO, 1));
	SEND_TO_GROUP();
	ASSERT_EQ(0, receive(self->member, &way));
	ASSERT_EQ(0, send_by(self->member, &way.from, FERRY_PKTINFO, &way.info,
			     sizeof(way.info)));
	ASSERT_EQ(0, receive(self->fd, &back));
	EXPECT_EQ('p', back.byte);
	EXPECT_EQ(0, memcmp(self->wire.fy1, back.from.sfy_addr, FERRY_ALEN));
}

/* Which of this host's addresses is the source, and which device the way. */
TEST_F(group, pktinfo__chosen)
{
	struct sockaddr_ferry here = sfy(addr_any, PORT);
	struct ferry_pktinfo info = { };
	unsigned char loop[FERRY_ALEN];
	struct way way;

	ASSERT_EQ(0, link_address("ferry0", loop));
	ASSERT_EQ(0, send_by(self->fd, &here, FERRY_PKTINFO, &info,
			     sizeof(info)));
	ASSERT_EQ(0, receive(self->mine, &way));
	EXPECT_EQ(0, memcmp(loop, way.from.sfy_addr, FERRY_ALEN));
	memcpy(info.fpi_local, self->wire.fy0, FERRY_ALEN);
	ASSERT_EQ(0, send_by(self->fd, &here, FERRY_PKTINFO, &info,
			     sizeof(info)));
	ASSERT_EQ(0, receive(self->mine, &way));
	EXPECT_EQ(0, memcmp(self->wire.fy0, way.from.sfy_addr, FERRY_ALEN));
	/* The group on the loop's device, not on the wire. */
	info = (struct ferry_pktinfo) { .fpi_ifindex = link_index("ferry0") };
	ASSERT_EQ(0, join(self->mine, group, "ferry0"));
	ASSERT_EQ(0, send_by(self->fd, &self->to, FERRY_PKTINFO, &info,
			     sizeof(info)));
	ASSERT_EQ(0, receive(self->mine, &way));
	EXPECT_EQ('p', way.byte);
	EXPECT_TRUE(sock_empty(self->member));
}

TEST_F(group, pktinfo__refused)
{
	struct sockaddr_ferry by = sfy_dev(self->wire.fy1, PORT, "fy0");
	struct ferry_pktinfo info = { };

#define REFUSED(err, type, len) \
	EXPECT_EQ(err, send_by(self->fd, &by, type, &info, len))
	REFUSED(-EINVAL, FERRY_PKTINFO, sizeof(info) - 1);
	REFUSED(-EINVAL, FERRY_PKTINFO, 0);
	REFUSED(-EINVAL, 99, sizeof(info));
	info.fpi_ifindex = link_index("ferry0");
	REFUSED(-EINVAL, FERRY_PKTINFO, sizeof(info));
	info.fpi_ifindex = -1;
	REFUSED(-EINVAL, FERRY_PKTINFO, sizeof(info));
	info.fpi_ifindex = 0;
	memcpy(info.fpi_local, self->wire.fy1, FERRY_ALEN);
	REFUSED(-EADDRNOTAVAIL, FERRY_PKTINFO, sizeof(info));
	memcpy(info.fpi_local, group, FERRY_ALEN);
	REFUSED(-EINVAL, FERRY_PKTINFO, sizeof(info));
	EXPECT_TRUE(sock_empty(self->other));
	by.sfy_ifindex = 0;
	info = (struct ferry_pktinfo) { .fpi_ifindex = 0x7fffffff };
	REFUSED(-ENODEV, FERRY_PKTINFO, sizeof(info));
}

TEST_HARNESS_MAIN
