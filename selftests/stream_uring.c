// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams by io_uring: what does not end at once waits for the socket's wake-ups
 * as poll() does, and ends by them.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "uring.h"

#define PORT	5000

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

/* One that waits can be called off, and the socket be used on. */
TEST_F(uring, cancel)
{
	struct io_uring_sqe sqe = op(IORING_OP_ASYNC_CANCEL, -1, NULL, 0);
	int i, res;

	BEGIN(op(IORING_OP_RECV, self->b, self->buf, 16), 1);
	sqe.addr = 1;
	BEGIN(sqe, 2);
	for (i = 0; i < 2; i++) {
		res = WAIT();
		EXPECT_EQ(self->id == 1 ? -ECANCELED : 0, res);
	}
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->b, self->buf, 1));
}

TEST_HARNESS_MAIN
