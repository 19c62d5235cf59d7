// SPDX-License-Identifier: GPL-2.0-only
/*
 * net.ferry.*, and /proc/net/ferry.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"

#define PORT_RANGE	"/proc/sys/net/ferry/port_range"
#define DGRAM_MEM	"/proc/sys/net/ferry/dgram_mem"

FIXTURE(sysctl) {
	int net;
	char text[64];
};

FIXTURE_SETUP(sysctl)
{
	self->net = net_new();
	ASSERT_LE(0, self->net);
}

FIXTURE_TEARDOWN(sysctl)
{
	close(self->net);
}

/* Return: 0 or -errno. */
static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The text of @path, or "" if it cannot be read. */
static const char *get(const char *path, char *text, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, len - 1);

	text[n < 0 ? 0 : n] = 0;
	if (fd >= 0)
		close(fd);
	return text;
}

#define RANGE() get(PORT_RANGE, self->text, sizeof(self->text))

TEST_F(sysctl, port_range__default)
{
	EXPECT_STREQ("32768\t60999\n", RANGE());
}

TEST_F(sysctl, port_range__set)
{
	EXPECT_EQ(0, put(PORT_RANGE, "2000 3000"));
	EXPECT_STREQ("2000\t3000\n", RANGE());
	EXPECT_EQ(0, put(PORT_RANGE, "1 4294967295\n"));
	EXPECT_STREQ("1\t4294967295\n", RANGE());
	EXPECT_EQ(0, put(PORT_RANGE, "7 7"));
	EXPECT_STREQ("7\t7\n", RANGE());
}

TEST_F(sysctl, port_range__refused)
{
	EXPECT_EQ(-EINVAL, put(PORT_RANGE, "0 10"));
	EXPECT_EQ(-EINVAL, put(PORT_RANGE, "10 9"));
	EXPECT_EQ(-EINVAL, put(PORT_RANGE, "1 4294967296"));
	EXPECT_EQ(-EINVAL, put(PORT_RANGE, "-5 10"));
	EXPECT_EQ(-EINVAL, put(PORT_RANGE, "ports"));
	EXPECT_STREQ("32768\t60999\n", RANGE());
}

/* All of a range of one port: it is found, and then there is none. */
TEST_F(sysctl, port_range__largest_port)
{
	int fd;

	ASSERT_EQ(0, put(PORT_RANGE, "4294967295 4294967295"));
	fd = dgram_at(FERRY_PORT_ANY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(4294967295, sock_port(fd));
	EXPECT_EQ(-EADDRINUSE, dgram_at(FERRY_PORT_ANY));
	close(fd);
}

TEST_F(sysctl, port_range__whole)
{
	int fd;

	ASSERT_EQ(0, put(PORT_RANGE, "1 4294967295"));
	fd = dgram_at(FERRY_PORT_ANY);
	EXPECT_LE(0, fd);
	EXPECT_NE(0, sock_port(fd));
	close(fd);
}

TEST_F(sysctl, port_range__per_namespace)
{
	ASSERT_EQ(0, put(PORT_RANGE, "2000 3000"));
	ASSERT_LE(0, net_new());
	EXPECT_STREQ("32768\t60999\n", RANGE());
	ASSERT_EQ(0, net_enter(self->net));
	EXPECT_STREQ("2000\t3000\n", RANGE());
}

/* The host's limit is the host's to see and to set. */
TEST_F(sysctl, dgram_mem__first_namespace_only)
{
	int host = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);

	EXPECT_EQ(-1, access(DGRAM_MEM, F_OK));
	ASSERT_EQ(0, net_enter(host));
	EXPECT_STRNE("", get(DGRAM_MEM, self->text, sizeof(self->text)));
	EXPECT_STRNE("0\t0\t0\n", self->text);
	close(host);
}

TEST_F(sysctl, counters__read_only)
{
	struct stat st;

	ASSERT_EQ(0, stat("/proc/thread-self/net/ferry/stat", &st));
	EXPECT_EQ(0444, st.st_mode & 0777);
	EXPECT_EQ(0, stat_of("InPackets"));
	EXPECT_EQ(0, stat_of("OutDatagrams"));
}

TEST_F(sysctl, counters__per_namespace)
{
	struct sockaddr_ferry here = sfy(addr_any, 5000);
	int fd = dgram_at(5000);
	char byte;

	ASSERT_EQ(1, sock_send_to(fd, "x", 1, &here));
	ASSERT_EQ(1, sock_await(fd, &byte, 1));
	EXPECT_EQ(1, stat_of("OutDatagrams"));
	EXPECT_EQ(1, stat_of("InPackets"));
	EXPECT_EQ(1, stat_of("InDatagrams"));
	ASSERT_LE(0, net_new());
	EXPECT_EQ(0, stat_of("OutDatagrams"));
	EXPECT_EQ(0, stat_of("InPackets"));
	close(fd);
}

TEST_HARNESS_MAIN
