// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets by io_uring: what does not end at once waits for the socket's wake-ups
 * as poll() does, and ends by them.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/sockios.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "uring.h"

#define PORT	5000

/* Operations of IORING_OP_URING_CMD on a socket, since 6.7. */
enum { CMD_SIOCINQ, CMD_SIOCOUTQ };

FIXTURE(uring) {
	struct uring ring;
	struct conn conn;
	int a, b;
	unsigned int id;
	char buf[16];
};

FIXTURE_SETUP(uring)
{
	int err = uring_open(&self->ring);

	if (err == -EPERM)
		SKIP(return, "This kernel allows no io_uring.");
	ASSERT_EQ(0, err);
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
}

FIXTURE_TEARDOWN(uring)
{
	conn_close(&self->conn);
	uring_close(&self->ring);
}

static struct io_uring_sqe op(int opcode, int fd, const void *addr,
			      unsigned int len)
{
	return (struct io_uring_sqe){
		.opcode = opcode, .fd = fd,
		.addr = (unsigned long)addr, .len = len,
	};
}

#define BEGIN(sqe, number) ({ \
	struct io_uring_sqe _sqe = sqe; \
	ASSERT_EQ(0, uring_submit(&self->ring, &_sqe, number)); })
#define WAIT() uring_wait(&self->ring, &self->id)

TEST_F(uring, recv_waits)
{
	BEGIN(op(IORING_OP_RECV, self->b, self->buf, 16), 1);
	EXPECT_TRUE(uring_idle(&self->ring));
	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	EXPECT_EQ(5, WAIT());
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
}

TEST_F(uring, recv_at_once)
{
	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	ASSERT_NE(0, sock_wait(self->b, POLLIN));
	BEGIN(op(IORING_OP_RECV, self->b, self->buf, 16), 1);
	EXPECT_EQ(5, WAIT());
}

TEST_F(uring, recv__end)
{
	BEGIN(op(IORING_OP_RECV, self->b, self->buf, 16), 1);
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, WAIT());
}

TEST_F(uring, recv__reset)
{
	BEGIN(op(IORING_OP_RECV, self->b, self->buf, 16), 1);
	conn_reset(self->a);
	self->conn.client = -1;
	EXPECT_EQ(-ECONNRESET, WAIT());
}

/* A read that a plain read(2) would be. */
/* Whether there is more, is told with what was read. */
TEST_F(uring, recv__more)
{
	ASSERT_EQ(10, sock_send(self->a, "0123456789", 10, 0));
	ASSERT_TRUE(conn_await_amount(self->b, SIOCINQ, 10));
	BEGIN(op(IORING_OP_RECV, self->b, self->buf, 4), 1);
	EXPECT_EQ(4, WAIT());
	EXPECT_NE(0, self->ring.flags & IORING_CQE_F_SOCK_NONEMPTY);
	BEGIN(op(IORING_OP_RECV, self->b, self->buf, 16), 1);
	EXPECT_EQ(6, WAIT());
	EXPECT_EQ(0, self->ring.flags & IORING_CQE_F_SOCK_NONEMPTY);
}

TEST_F(uring, read_and_write)
{
	BEGIN(op(IORING_OP_READ, self->b, self->buf, 16), 1);
	BEGIN(op(IORING_OP_WRITE, self->a, "hello", 5), 2);
	EXPECT_EQ(5, WAIT());
	EXPECT_EQ(5, WAIT());
	EXPECT_EQ(0, memcmp(self->buf, "hello", 5));
}

/* Room for the rest comes with a reader. */
TEST_F(uring, send_waits)
{
	size_t len = 1 << 20;
	char *data = calloc(1, len), *got = malloc(8 * len);
	ssize_t held = conn_fill(self->a, self->b);
	int sent;

	ASSERT_LT(0, held);
	BEGIN(op(IORING_OP_SEND, self->a, data, len), 1);
	EXPECT_TRUE(uring_idle(&self->ring));
	ASSERT_GT(8 * len, held);
	ASSERT_EQ(held, recv_all(self->b, got, held));
	sent = WAIT();
	EXPECT_LT(0, sent);
	EXPECT_EQ(sent, recv_all(self->b, got, sent));
	free(data);
	free(got);
}

TEST_F(uring, accept_waits)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int client, server;

	BEGIN(op(IORING_OP_ACCEPT, self->conn.listener, NULL, 0), 1);
	EXPECT_TRUE(uring_idle(&self->ring));
	client = conn_to(SOCK_STREAM, &to);
	ASSERT_LE(0, client);
	server = WAIT();
	ASSERT_LE(0, server);
	ASSERT_EQ(1, sock_send(client, "x", 1, 0));
	EXPECT_EQ(1, sock_await(server, self->buf, 1));
	close(client);
	close(server);
}

TEST_F(uring, connect)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int fd = conn_socket(SOCK_STREAM);
	struct io_uring_sqe sqe = op(IORING_OP_CONNECT, fd, &to, 0);

	sqe.off = sizeof(to);
	BEGIN(sqe, 1);
	EXPECT_EQ(0, WAIT());
	EXPECT_EQ(-EISCONN, sock_connect(fd, &to));
	close(fd);
}

TEST_F(uring, connect__refused)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT + 1);
	int fd = conn_socket(SOCK_STREAM);
	struct io_uring_sqe sqe = op(IORING_OP_CONNECT, fd, &to, 0);

	sqe.off = sizeof(to);
	BEGIN(sqe, 1);
	EXPECT_EQ(-ECONNREFUSED, WAIT());
	close(fd);
}

TEST_F(uring, poll)
{
	struct io_uring_sqe sqe = op(IORING_OP_POLL_ADD, self->b, NULL, 0);

	sqe.poll32_events = POLLIN;
	BEGIN(sqe, 1);
	EXPECT_TRUE(uring_idle(&self->ring));
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	EXPECT_EQ(POLLIN, WAIT());
}

TEST_F(uring, shutdown)
{
	BEGIN(op(IORING_OP_SHUTDOWN, self->a, NULL, SHUT_WR), 1);
	EXPECT_EQ(0, WAIT());
	EXPECT_EQ(0, sock_await(self->b, self->buf, 1));
}

TEST_F(uring, cancel_accept)
{
	struct io_uring_sqe sqe = op(IORING_OP_ASYNC_CANCEL, -1, NULL, 0);
	int i, res;

	BEGIN(op(IORING_OP_ACCEPT, self->conn.listener, NULL, 0), 1);
	sqe.addr = 1;
	BEGIN(sqe, 2);
	for (i = 0; i < 2; i++) {
		res = WAIT();
		EXPECT_EQ(self->id == 1 ? -ECANCELED : 0, res);
	}
	/* Nobody is taken in its name. */
	i = conn_start(SOCK_STREAM, &(struct sockaddr_ferry){
		.sfy_family = AF_FERRY, .sfy_port = PORT });
	res = conn_accept(self->conn.listener);
	EXPECT_LE(0, res);
	close(res);
	close(i);
}

/* As close(2): the peer sees the end. */
TEST_F(uring, close_one)
{
	BEGIN(op(IORING_OP_CLOSE, self->a, NULL, 0), 1);
	EXPECT_EQ(0, WAIT());
	EXPECT_EQ(0, sock_await(self->b, self->buf, 1));
	EXPECT_EQ(-1, close(self->a));
	EXPECT_EQ(EBADF, errno);
	self->conn.client = -1;
}

TEST_F(uring, shutdown_ends_recv)
{
	BEGIN(op(IORING_OP_RECV, self->b, self->buf, 16), 1);
	EXPECT_TRUE(uring_idle(&self->ring));
	ASSERT_EQ(0, sock_shutdown(self->b, SHUT_RD));
	EXPECT_EQ(0, WAIT());
}

/* One operation takes all who come, until it is called off. */
TEST_F(uring, accept_multishot)
{
	struct io_uring_sqe sqe = op(IORING_OP_ACCEPT, self->conn.listener, NULL, 0);
	struct io_uring_sqe cancel = op(IORING_OP_ASYNC_CANCEL, -1, NULL, 0);
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int i, client, server;

	sqe.ioprio = IORING_ACCEPT_MULTISHOT;
	BEGIN(sqe, 1);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(uring_idle(&self->ring));
		client = conn_to(SOCK_STREAM, &to);
		ASSERT_LE(0, client);
		server = WAIT();
		ASSERT_LE(0, server);
		EXPECT_NE(0, self->ring.flags & IORING_CQE_F_MORE);
		ASSERT_EQ(1, sock_send(client, "x", 1, 0));
		EXPECT_EQ(1, sock_await(server, self->buf, 1));
		close(client);
		close(server);
	}
	cancel.addr = 1;
	BEGIN(cancel, 2);
	for (i = 0; i < 2; i++) {
		client = WAIT();
		EXPECT_EQ(self->id == 1 ? -ECANCELED : 0, client);
		EXPECT_EQ(0, self->ring.flags & IORING_CQE_F_MORE);
	}
}

/*
 * Each that is taken comes with whether there are more, as TCP's does, on kernels that
 * say so.
 */
TEST_F(uring, accept__more)
{
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int clients[2], i, more[2];
	struct utsname kernel;
	int major, minor, fields;

	ASSERT_EQ(0, uname(&kernel));
	fields = sscanf(kernel.release, "%d.%d", &major, &minor);
	ASSERT_EQ(2, fields);
	if (major < 6 || (major == 6 && minor < 10))
		SKIP(return, "This kernel says nothing of it.");
	for (i = 0; i < 2; i++) {
		clients[i] = conn_to(SOCK_STREAM, &to);
		ASSERT_LE(0, clients[i]);
	}
	for (i = 0; i < 2; i++) {
		BEGIN(op(IORING_OP_ACCEPT, self->conn.listener, NULL, 0), 1);
		close(WAIT());
		more[i] = !!(self->ring.flags & IORING_CQE_F_SOCK_NONEMPTY);
		close(clients[i]);
	}
	EXPECT_EQ(1, more[0]);
	EXPECT_EQ(0, more[1]);
}

TEST_F(uring, accept__stopped)
{
	BEGIN(op(IORING_OP_ACCEPT, self->conn.listener, NULL, 0), 1);
	EXPECT_TRUE(uring_idle(&self->ring));
	ASSERT_EQ(0, sock_shutdown(self->conn.listener, SHUT_RD));
	EXPECT_EQ(-EINVAL, WAIT());
}

TEST_F(uring, poll_multishot)
{
	struct io_uring_sqe sqe = op(IORING_OP_POLL_ADD, self->b, NULL, 0);

	sqe.poll32_events = POLLIN | POLLRDHUP;
	sqe.len = IORING_POLL_ADD_MULTI;
	BEGIN(sqe, 1);
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	EXPECT_EQ(POLLIN, WAIT());
	EXPECT_NE(0, self->ring.flags & IORING_CQE_F_MORE);
	ASSERT_EQ(1, sock_await(self->b, self->buf, 16));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(POLLIN | POLLRDHUP, WAIT());
}

static struct io_uring_sqe op_msg(int opcode, int fd, const struct msghdr *msg,
				  int flags)
{
	struct io_uring_sqe sqe = op(opcode, fd, msg, 1);

	sqe.msg_flags = flags;
	return sqe;
}

/* How many of SEND_ZC's two ends there are with @res; the second has no bytes. */
static int lent(struct uring *ring, int res)
{
	unsigned int id;
	int n;

	n = uring_wait(ring, &id);
	if (n != res || !(ring->flags & IORING_CQE_F_MORE))
		return n < 0 ? n : -EBADMSG;
	n = uring_wait(ring, &id);
	return !n && ring->flags & IORING_CQE_F_NOTIF ? 0 : -ENOMSG;
}

/*
 * What all three types have
 */

FIXTURE(each) {
	struct uring ring;
	struct conn conn;
	int a, b;
	unsigned int id;
	char buf[8][64];
};

FIXTURE_VARIANT(each) {
	int type;
};

FIXTURE_VARIANT_ADD(each, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(each, record) { .type = SOCK_SEQPACKET };
FIXTURE_VARIANT_ADD(each, dgram) { .type = SOCK_DGRAM };

FIXTURE_SETUP(each)
{
	int err = uring_open(&self->ring);

	if (err == -EPERM)
		SKIP(return, "This kernel allows no io_uring.");
	ASSERT_EQ(0, err);
	ASSERT_LE(0, net_new());
	self->conn = (struct conn){ -1, -1, -1 };
	if (variant->type != SOCK_DGRAM) {
		ASSERT_EQ(0, conn_pair(&self->conn, variant->type, PORT));
	} else {
		self->conn.server = dgram_at(PORT);
		self->conn.client = dgram_to(PORT);
	}
	self->a = self->conn.client;
	self->b = self->conn.server;
}

FIXTURE_TEARDOWN(each)
{
	conn_close(&self->conn);
	uring_close(&self->ring);
}

TEST_F(each, send_and_recv)
{
	char *buf = self->buf[0];

	BEGIN(op(IORING_OP_RECV, self->b, buf, 64), 1);
	EXPECT_TRUE(uring_idle(&self->ring));
	BEGIN(op(IORING_OP_SEND, self->a, "hello", 5), 2);
	EXPECT_EQ(5, WAIT());
	EXPECT_EQ(5, WAIT());
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
}

/* With its name, its control messages' length and its flags, as recvmsg(2). */
TEST_F(each, sendmsg_and_recvmsg)
{
	struct iovec to[] = { { self->buf[0], 2 }, { self->buf[1], 2 } };
	struct iovec from[] = { { "hel", 3 }, { "lo", 2 } };
	struct sockaddr_ferry name;
	struct msghdr in = {
		.msg_iov = to, .msg_iovlen = 2,
		.msg_name = &name, .msg_namelen = sizeof(name),
	};
	struct msghdr out = { .msg_iov = from, .msg_iovlen = 2 };
	int i;

	memset(&name, 0, sizeof(name));
	BEGIN(op_msg(IORING_OP_RECVMSG, self->b, &in, 0), 1);
	EXPECT_TRUE(uring_idle(&self->ring));
	BEGIN(op_msg(IORING_OP_SENDMSG, self->a, &out, 0), 2);
	for (i = 0; i < 2; i++) {
		int res = WAIT();

		EXPECT_EQ(self->id == 1 ? 4 : 5, res);
	}
	EXPECT_EQ(0, memcmp(self->buf[0], "he", 2));
	EXPECT_EQ(0, memcmp(self->buf[1], "ll", 2));
	EXPECT_EQ(variant->type == SOCK_STREAM ? 0 : MSG_TRUNC,
		  in.msg_flags & MSG_TRUNC);
	if (variant->type == SOCK_DGRAM)
		EXPECT_EQ(sock_port(self->a), name.sfy_port);
}

TEST_F(each, recv__not_now)
{
	struct io_uring_sqe sqe = op(IORING_OP_RECV, self->b, self->buf, 16);

	sqe.msg_flags = MSG_DONTWAIT;
	BEGIN(sqe, 1);
	EXPECT_EQ(-EAGAIN, WAIT());
}

/* One that waits can be called off, and the socket be used on. */
TEST_F(each, cancel)
{
	struct io_uring_sqe sqe = op(IORING_OP_ASYNC_CANCEL, -1, NULL, 0);
	int i, res;

	BEGIN(op(IORING_OP_RECV, self->b, self->buf[0], 16), 1);
	sqe.addr = 1;
	BEGIN(sqe, 2);
	for (i = 0; i < 2; i++) {
		res = WAIT();
		EXPECT_EQ(self->id == 1 ? -ECANCELED : 0, res);
	}
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->b, self->buf[0], 1));
}

/* One operation reads all that comes, each time into a buffer that was provided. */
TEST_F(each, recv_multishot)
{
	struct io_uring_sqe give = op(IORING_OP_PROVIDE_BUFFERS, 4, self->buf, 64);
	struct io_uring_sqe sqe = op(IORING_OP_RECV, self->b, NULL, 0);
	unsigned int i, which;

	give.buf_group = 7;
	BEGIN(give, 1);
	ASSERT_EQ(0, WAIT());
	sqe.ioprio = IORING_RECV_MULTISHOT;
	sqe.flags = IOSQE_BUFFER_SELECT;
	sqe.buf_group = 7;
	BEGIN(sqe, 2);
	for (i = 0; i < 4; i++) {
		EXPECT_TRUE(uring_idle(&self->ring));
		ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
		ASSERT_EQ(5, WAIT());
		ASSERT_NE(0, self->ring.flags & IORING_CQE_F_BUFFER);
		EXPECT_NE(0, self->ring.flags & IORING_CQE_F_MORE);
		which = self->ring.flags >> IORING_CQE_BUFFER_SHIFT;
		ASSERT_GT(4, which);
		EXPECT_EQ(0, memcmp(self->buf[which], "hello", 5));
	}
	/* There is none left, and what comes stays. */
	ASSERT_EQ(5, sock_send(self->a, "again", 5, 0));
	EXPECT_EQ(-ENOBUFS, WAIT());
	EXPECT_EQ(0, self->ring.flags & IORING_CQE_F_MORE);
	EXPECT_EQ(5, sock_await(self->b, self->buf[0], 64));
}

/* SIOCINQ and SIOCOUTQ as operations, where TCP has them. */
TEST_F(each, amounts)
{
	int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct io_uring_sqe sqe = op(IORING_OP_URING_CMD, tcp, NULL, 0);

	sqe.cmd_op = CMD_SIOCINQ;
	BEGIN(sqe, 1);
	if (WAIT() < 0)
		SKIP(return, "This kernel has no such operation.");
	close(tcp);

	sqe.fd = self->b;
	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	ASSERT_TRUE(conn_await_amount(self->b, SIOCINQ, 5));
	BEGIN(sqe, 1);
	EXPECT_EQ(5, WAIT());
	sqe.fd = self->a;
	BEGIN(sqe, 1);
	EXPECT_EQ(0, WAIT());
	sqe.cmd_op = CMD_SIOCOUTQ;
	ASSERT_TRUE(conn_await_amount(self->a, SIOCOUTQ, 0));
	BEGIN(sqe, 1);
	EXPECT_EQ(0, WAIT());
}

/* By streams and datagrams: the second end is that the pages are free again. */
TEST_F(each, send_zc)
{
	struct io_uring_sqe sqe = op(IORING_OP_SEND_ZC, self->a, self->buf[1], 5);
	char *got = self->buf[0];

	memcpy(self->buf[1], "hello", 5);
	BEGIN(sqe, 1);
	if (variant->type == SOCK_SEQPACKET) {
		EXPECT_EQ(-EOPNOTSUPP, WAIT());
		return;
	}
	EXPECT_EQ(0, lent(&self->ring, 5));
	EXPECT_EQ(5, sock_await(self->b, got, 64));
	EXPECT_EQ(0, memcmp(got, "hello", 5));
	/* Nothing of it is on the error queue. */
	EXPECT_EQ(-EAGAIN, sock_recv(self->a, got, 64, MSG_ERRQUEUE));
}

/* From a buffer that was registered, whose pages io_uring holds. */
TEST_F(each, send_zc__registered)
{
	struct io_uring_sqe sqe = op(IORING_OP_SEND_ZC, self->a, self->buf[1], 5);
	struct iovec iov = { self->buf, sizeof(self->buf) };
	char *got = self->buf[0];

	if (variant->type == SOCK_SEQPACKET)
		return;
	ASSERT_EQ(0, uring_register_buffer(&self->ring, &iov));
	memcpy(self->buf[1], "hello", 5);
	sqe.ioprio = IORING_RECVSEND_FIXED_BUF;
	BEGIN(sqe, 1);
	EXPECT_EQ(0, lent(&self->ring, 5));
	/* Bytes that are copied come behind it. */
	ASSERT_EQ(5, sock_send(self->a, "world", 5, 0));
	EXPECT_EQ(5, recv_all(self->b, got, 5));
	EXPECT_EQ(0, memcmp(got, "hello", 5));
	EXPECT_EQ(5, recv_all(self->b, got, 5));
	EXPECT_EQ(0, memcmp(got, "world", 5));
}

/* The same, with a name and in pieces, where each type has it. */
TEST_F(each, sendmsg_zc)
{
	struct iovec from[] = { { self->buf[1], 3 }, { self->buf[2], 2 } };
	struct msghdr msg = { .msg_iov = from, .msg_iovlen = 2 };
	char *got = self->buf[0];

	memcpy(self->buf[1], "hel", 3);
	memcpy(self->buf[2], "lo", 2);
	BEGIN(op_msg(IORING_OP_SENDMSG_ZC, self->a, &msg, 0), 1);
	if (variant->type == SOCK_SEQPACKET) {
		EXPECT_EQ(-EOPNOTSUPP, WAIT());
		EXPECT_TRUE(sock_empty(self->b));
		return;
	}
	EXPECT_EQ(0, lent(&self->ring, 5));
	EXPECT_EQ(5, recv_all(self->b, got, 5));
	EXPECT_EQ(0, memcmp(got, "hello", 5));
	EXPECT_EQ(-EAGAIN, sock_recv(self->a, got, 64, MSG_ERRQUEUE));
}

/* Each with its name and its flags, in the buffer before what it says. */
TEST_F(each, recvmsg_multishot)
{
	struct msghdr msg = { .msg_namelen = sizeof(struct sockaddr_ferry) };
	struct io_uring_sqe give = op(IORING_OP_PROVIDE_BUFFERS, 4, self->buf, 64);
	struct io_uring_sqe sqe = op_msg(IORING_OP_RECVMSG, self->b, &msg, 0);
	struct io_uring_recvmsg_out out;
	struct sockaddr_ferry name;
	char *buf, much[40] = "";
	int i;

	give.buf_group = 7;
	BEGIN(give, 1);
	ASSERT_EQ(0, WAIT());
	sqe.ioprio = IORING_RECV_MULTISHOT;
	sqe.flags = IOSQE_BUFFER_SELECT;
	sqe.buf_group = 7;
	BEGIN(sqe, 2);
	for (i = 0; i < 3; i++) {
		EXPECT_TRUE(uring_idle(&self->ring));
		ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
		ASSERT_EQ(sizeof(out) + sizeof(name) + 5, WAIT());
		EXPECT_NE(0, self->ring.flags & IORING_CQE_F_MORE);
		buf = self->buf[self->ring.flags >> IORING_CQE_BUFFER_SHIFT];
		memcpy(&out, buf, sizeof(out));
		memcpy(&name, buf + sizeof(out), sizeof(name));
		EXPECT_EQ(5, out.payloadlen);
		EXPECT_EQ(variant->type == SOCK_STREAM ? 0 : sizeof(name),
			  out.namelen);
		if (variant->type != SOCK_STREAM)
			EXPECT_EQ(sock_port(self->a), name.sfy_port);
		EXPECT_EQ(variant->type == SOCK_SEQPACKET ? MSG_EOR : 0,
			  out.flags & (MSG_EOR | MSG_TRUNC));
		EXPECT_EQ(0, memcmp(buf + sizeof(out) + sizeof(name), "hello", 5));
	}
	/* What does not fit into a buffer is cut, or comes by the next one. */
	ASSERT_EQ(40, sock_send(self->a, much, 40, 0));
	ASSERT_EQ(64, WAIT());
	buf = self->buf[self->ring.flags >> IORING_CQE_BUFFER_SHIFT];
	memcpy(&out, buf, sizeof(out));
	EXPECT_EQ(variant->type == SOCK_STREAM ? 0 : MSG_TRUNC,
		  out.flags & MSG_TRUNC);
}

/* One who is accepted can do so, too. */
TEST_F(uring, send_zc__accepted)
{
	BEGIN(op(IORING_OP_SEND_ZC, self->b, self->buf, 5), 1);
	EXPECT_EQ(0, lent(&self->ring, 5));
	EXPECT_EQ(5, sock_await(self->a, self->buf, 16));
}

TEST_F(uring, send_zc__ended)
{
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	BEGIN(op(IORING_OP_SEND_ZC, self->a, self->buf, 5), 1);
	EXPECT_EQ(0, lent(&self->ring, -EPIPE));
}

TEST_HARNESS_MAIN
