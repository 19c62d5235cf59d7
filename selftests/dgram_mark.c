// SPDX-License-Identifier: GPL-2.0-only
/*
 * SO_MARK and SO_PRIORITY, of datagrams and of connections: a program where fy0
 * lets packets out keeps only those that have the right one.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/pkt_cls.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define PORT	5000
#define RIGHT	7
#define WRONG	6

FIXTURE(mark) {
	struct wire wire;
	int fd, reader, other;
	struct sockaddr_ferry there;
	char byte;
};

FIXTURE_SETUP(mark)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->reader = dgram_at(PORT);
	ASSERT_LE(0, self->reader);
	ASSERT_EQ(0, net_enter(self->wire.red));
	self->fd = dgram();
	self->other = dgram();
	ASSERT_LE(0, self->fd);
	ASSERT_LE(0, self->other);
	self->there = sfy(self->wire.fy1, PORT);
}

FIXTURE_TEARDOWN(mark)
{
	close(self->fd);
	close(self->other);
	close(self->reader);
}

/* Let out of @dev only packets whose field at @offset of __sk_buff is RIGHT. */
static int keep_right_on(const char *dev, int offset)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = TC_ACT_OK },
		{ .code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = 2,
		  .src_reg = 1, .off = offset },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 2, .off = 1,
		  .imm = RIGHT },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = TC_ACT_SHOT },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = (unsigned long)code,
		.insn_cnt = ARRAY_SIZE(code),
		.license = (unsigned long)"GPL",
	};
	int prog = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	return prog < 0 ? -errno : link_egress_program(dev, prog);
}

static int keep_right(int offset)
{
	return keep_right_on("fy0", offset);
}

/* Send a wrong one and a right one: only that arrives. */
#define ONLY_RIGHT(option) do { \
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, option, RIGHT)); \
	EXPECT_EQ(RIGHT, sock_get(self->fd, SOL_SOCKET, option)); \
	ASSERT_EQ(0, sock_set(self->other, SOL_SOCKET, option, WRONG)); \
	ASSERT_EQ(1, sock_send_to(self->other, "w", 1, &self->there)); \
	ASSERT_EQ(1, sock_send_to(self->fd, "r", 1, &self->there)); \
	ASSERT_EQ(1, sock_await(self->reader, &self->byte, 1)); \
	EXPECT_EQ('r', self->byte); \
	EXPECT_TRUE(sock_empty(self->reader)); \
} while (0)

TEST_F(mark, mark)
{
	ASSERT_EQ(0, keep_right(offsetof(struct __sk_buff, mark)));
	ONLY_RIGHT(SO_MARK);
}

TEST_F(mark, priority)
{
	ASSERT_EQ(0, keep_right(offsetof(struct __sk_buff, priority)));
	ONLY_RIGHT(SO_PRIORITY);
}

/* For one datagram, by a control message. */
TEST_F(mark, mark__control_message)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { };
	struct iovec iov = { "r", 1 };
	struct msghdr msg = {
		.msg_name = &self->there, .msg_namelen = sizeof(self->there),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	ASSERT_EQ(0, keep_right(offsetof(struct __sk_buff, mark)));
	ASSERT_EQ(1, sock_send_to(self->fd, "w", 1, &self->there));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SO_MARK;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	*(int *)CMSG_DATA(cmsg) = RIGHT;
	ASSERT_EQ(1, sendmsg(self->fd, &msg, 0));
	ASSERT_EQ(1, sock_await(self->reader, &self->byte, 1));
	EXPECT_EQ('r', self->byte);
}

FIXTURE(connection) {
	struct wire wire;
	int listener, right, wrong, server;
	struct sockaddr_ferry there;
	char byte;
};

FIXTURE_VARIANT(connection) {
	int type, option, field;
};

FIXTURE_VARIANT_ADD(connection, stream_mark) {
	.type = SOCK_STREAM, .option = SO_MARK,
	.field = offsetof(struct __sk_buff, mark),
};

FIXTURE_VARIANT_ADD(connection, stream_priority) {
	.type = SOCK_STREAM, .option = SO_PRIORITY,
	.field = offsetof(struct __sk_buff, priority),
};

FIXTURE_VARIANT_ADD(connection, record_mark) {
	.type = SOCK_SEQPACKET, .option = SO_MARK,
	.field = offsetof(struct __sk_buff, mark),
};

FIXTURE_VARIANT_ADD(connection, record_priority) {
	.type = SOCK_SEQPACKET, .option = SO_PRIORITY,
	.field = offsetof(struct __sk_buff, priority),
};

FIXTURE_SETUP(connection)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->listener = conn_listen(variant->type, PORT, 2);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, net_enter(self->wire.red));
	self->right = conn_socket(variant->type);
	self->wrong = conn_socket(variant->type | SOCK_NONBLOCK);
	self->there = sfy(self->wire.fy1, PORT);
	ASSERT_EQ(0, sock_set(self->right, SOL_SOCKET, variant->option, RIGHT));
	ASSERT_EQ(0, sock_set(self->wrong, SOL_SOCKET, variant->option, WRONG));
}

FIXTURE_TEARDOWN(connection)
{
	close(self->right);
	close(self->wrong);
	close(self->listener);
}

/* All that a connection sends has it: handshake, data, acknowledgments and end. */
TEST_F(connection, whole)
{
	ASSERT_EQ(0, keep_right(variant->field));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->wrong, &self->there));
	ASSERT_EQ(0, sock_connect(self->right, &self->there));
	self->server = conn_accept(self->listener);
	ASSERT_LE(0, self->server);
	ASSERT_EQ(1, sock_send(self->right, "r", 1, 0));
	EXPECT_EQ(1, sock_await(self->server, &self->byte, 1));
	ASSERT_EQ(1, sock_send(self->server, "s", 1, 0));
	EXPECT_EQ(1, sock_await(self->right, &self->byte, 1));
	EXPECT_TRUE(conn_await_amount(self->server, SIOCOUTQ, 0));
	ASSERT_EQ(0, sock_shutdown(self->right, SHUT_WR));
	EXPECT_EQ(0, sock_await(self->server, &self->byte, 1));
	/* The other one's SYN has not come. */
	EXPECT_EQ(-EAGAIN, conn_accept_now(self->listener));
	close(self->server);
}

/* It can be another one in the middle; what was lost by it comes again. */
TEST_F(connection, changed)
{
	ASSERT_EQ(0, keep_right(variant->field));
	ASSERT_EQ(0, sock_connect(self->right, &self->there));
	self->server = conn_accept(self->listener);
	ASSERT_LE(0, self->server);
	ASSERT_EQ(0, sock_set(self->right, SOL_SOCKET, variant->option, WRONG));
	ASSERT_EQ(1, sock_send(self->right, "r", 1, 0));
	ASSERT_LT(0, stat_wait("RetransSegs", 1));
	EXPECT_TRUE(sock_empty(self->server));
	ASSERT_EQ(0, sock_set(self->right, SOL_SOCKET, variant->option, RIGHT));
	EXPECT_EQ(1, sock_await(self->server, &self->byte, 1));
	close(self->server);
}

/* So has what a listener answers, and what a connection sends that he takes. */
TEST_F(connection, listener)
{
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, keep_right_on("fy1", variant->field));
	ASSERT_EQ(0, sock_set(self->listener, SOL_SOCKET, variant->option,
			      RIGHT));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->wrong, &self->there));
	self->server = conn_accept(self->listener);
	ASSERT_LE(0, self->server);
	/* Of a connection that is accepted the priority is its own, as TCP's. */
	EXPECT_EQ(variant->option == SO_MARK ? RIGHT : 0,
		  sock_get(self->server, SOL_SOCKET, variant->option));
	ASSERT_EQ(0, sock_set(self->server, SOL_SOCKET, variant->option, RIGHT));
	ASSERT_EQ(1, sock_send(self->server, "s", 1, 0));
	EXPECT_EQ(1, sock_await(self->wrong, &self->byte, 1));
	EXPECT_EQ(0, stat_of("RetransSegs"));
	close(self->server);
}

/* And the last ACK, when it is sent again and the socket is no more. */
TEST_F(connection, time_wait)
{
	struct sock_filter nothing = { BPF_RET | BPF_K, 0, 0, 0 };
	struct sock_fprog deaf = { 1, &nothing };

	ASSERT_EQ(0, keep_right(variant->field));
	ASSERT_EQ(0, sock_connect(self->right, &self->there));
	self->server = conn_accept(self->listener);
	ASSERT_LE(0, self->server);
	ASSERT_EQ(0, sock_shutdown(self->right, SHUT_WR));
	ASSERT_EQ(0, sock_await(self->server, &self->byte, 1));
	ASSERT_EQ(0, setsockopt(self->server, SOL_SOCKET, SO_ATTACH_FILTER,
				&deaf, sizeof(deaf)));
	ASSERT_EQ(0, sock_shutdown(self->server, SHUT_WR));
	ASSERT_EQ(0, sock_await(self->right, &self->byte, 1));
	close(self->right);
	self->right = -1;
	ASSERT_EQ(0, setsockopt(self->server, SOL_SOCKET, SO_DETACH_FILTER,
				&deaf, sizeof(deaf)));
	EXPECT_TRUE(conn_await_state(self->server, TCP_CLOSE));
	EXPECT_EQ(0, sock_error(self->server));
	close(self->server);
}

TEST_HARNESS_MAIN
