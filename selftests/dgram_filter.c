// SPDX-License-Identifier: GPL-2.0-only
/*
 * SO_ATTACH_FILTER and SO_ATTACH_BPF: a program sees the packet from Ferry's
 * header on, and says how much of it the socket has.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"

#define PORT	5000
#define FROM	6000
#define HLEN	20

FIXTURE(filter) {
	int fd, from;
	struct sockaddr_ferry at;
	char buf[32];
};

FIXTURE_SETUP(filter)
{
	ASSERT_LE(0, net_new());
	self->fd = dgram_at(PORT);
	self->from = dgram_at(FROM);
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->from);
	self->at = sfy(addr_any, PORT);
}

FIXTURE_TEARDOWN(filter)
{
	close(self->fd);
	close(self->from);
}

static int attach(int fd, struct sock_filter *code, int len)
{
	struct sock_fprog prog = { len, code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog)) ? -errno : 0;
}

static int attach_constant(int fd, unsigned int value)
{
	struct sock_filter code = { BPF_RET | BPF_K, 0, 0, value };

	return attach(fd, &code, 1);
}

#define SEND(text) ASSERT_EQ(sizeof(text) - 1, \
		sock_send_to(self->from, text, sizeof(text) - 1, &self->at))

TEST_F(filter, all)
{
	ASSERT_EQ(0, attach_constant(self->fd, 0xffff));
	SEND("hello");
	EXPECT_EQ(5, sock_await(self->fd, self->buf, 32));
}

TEST_F(filter, none)
{
	long dropped = stat_of("InDropFilter");

	ASSERT_EQ(0, attach_constant(self->fd, 0));
	SEND("hello");
	EXPECT_EQ(dropped + 1, stat_wait("InDropFilter", dropped + 1));
	EXPECT_TRUE(sock_empty(self->fd));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_DETACH_FILTER, 0));
	SEND("hello");
	EXPECT_EQ(5, sock_await(self->fd, self->buf, 32));
}

TEST_F(filter, cuts)
{
	ASSERT_EQ(0, attach_constant(self->fd, HLEN + 2));
	SEND("hello");
	ASSERT_EQ(2, sock_await(self->fd, self->buf, 32));
	EXPECT_EQ(0, memcmp(self->buf, "he", 2));
}

/* It cannot cut into the header. */
TEST_F(filter, cuts__no_deeper)
{
	ASSERT_EQ(0, attach_constant(self->fd, 1));
	SEND("hello");
	EXPECT_EQ(0, sock_await(self->fd, self->buf, 32));
}

/* The header is at offset 0: here the source port is read from it. */
TEST_F(filter, sees_the_header)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, 8 },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, FROM },
		{ BPF_RET | BPF_K, 0, 0, 0xffff },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};
	int other = dgram_at(FROM + 1);
	long dropped = stat_of("InDropFilter");

	ASSERT_EQ(0, attach(self->fd, code, ARRAY_SIZE(code)));
	ASSERT_EQ(1, sock_send_to(other, "o", 1, &self->at));
	ASSERT_EQ(dropped + 1, stat_wait("InDropFilter", dropped + 1));
	SEND("f");
	ASSERT_EQ(1, sock_await(self->fd, self->buf, 32));
	EXPECT_EQ('f', self->buf[0]);
	close(other);
}

/* The payload is after the header. */
TEST_F(filter, sees_the_payload)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_B | BPF_ABS, 0, 0, HLEN },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 'y' },
		{ BPF_RET | BPF_K, 0, 0, 0xffff },
		{ BPF_RET | BPF_K, 0, 0, 0 },
	};

	ASSERT_EQ(0, attach(self->fd, code, ARRAY_SIZE(code)));
	SEND("no");
	SEND("yes");
	ASSERT_EQ(3, sock_await(self->fd, self->buf, 32));
	EXPECT_TRUE(sock_empty(self->fd));
}

TEST_F(filter, locked)
{
	ASSERT_EQ(0, attach_constant(self->fd, 0xffff));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_LOCK_FILTER, 1));
	EXPECT_EQ(-EPERM, attach_constant(self->fd, 0));
	EXPECT_EQ(-EPERM, sock_set(self->fd, SOL_SOCKET, SO_DETACH_FILTER, 0));
	EXPECT_EQ(-EPERM, sock_set(self->fd, SOL_SOCKET, SO_LOCK_FILTER, 0));
	SEND("x");
	EXPECT_EQ(1, sock_await(self->fd, self->buf, 32));
}

/* An eBPF program that returns @value. */
static int load_bpf(int value)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (unsigned long)code,
		.insn_cnt = ARRAY_SIZE(code),
		.license = (unsigned long)"GPL",
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

TEST_F(filter, bpf)
{
	long dropped = stat_of("InDropFilter");
	int none = load_bpf(0), some = load_bpf(HLEN + 3);

	ASSERT_LE(0, none);
	ASSERT_LE(0, some);
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_ATTACH_BPF, none));
	SEND("hello");
	EXPECT_EQ(dropped + 1, stat_wait("InDropFilter", dropped + 1));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_ATTACH_BPF, some));
	SEND("hello");
	EXPECT_EQ(3, sock_await(self->fd, self->buf, 32));
	close(none);
	close(some);
}

TEST_HARNESS_MAIN
