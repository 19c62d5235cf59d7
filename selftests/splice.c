// SPDX-License-Identifier: GPL-2.0-only
/*
 * splice(2) and sendfile(2) on sockets: pages go, not copies of them.
 *
 *	+- new namespace --+
 *	|   lo    ferry0   |
 *	+------------------+
 *
 * Where a peer does it, too, the same calls are made on both, and compared: streams
 * with TCP, records with AF_UNIX.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "ethtool.h"
#include "net.h"
#include "script.h"
#include "wait.h"

#define PAGE	4096
#define OTHER	(SCRIPT_PORT + 2)
#define LARGE	(4 << 20)

/*
 * struct tube - a pipe
 */
struct tube {
	int	out, in;
};

static int tube_open(struct tube *tube)
{
	return pipe2((int *)tube, O_CLOEXEC | O_NONBLOCK) ? -errno : 0;
}

static void tube_close(struct tube *tube)
{
	script_close(&tube->out);
	script_close(&tube->in);
}

static ssize_t move(int from, int to, size_t len, unsigned int flags)
{
	ssize_t n = splice(from, NULL, to, NULL, len, flags);

	return n < 0 ? -errno : n;
}

static ssize_t duplicate(int from, int to, size_t len)
{
	ssize_t n = tee(from, to, len, 0);

	return n < 0 ? -errno : n;
}

static ssize_t give_file(int to, int file, off_t at, size_t len)
{
	ssize_t n = sendfile(to, file, &at, len);

	return n < 0 ? -errno : n;
}

static ssize_t take(int fd, void *data, size_t len)
{
	ssize_t n = read(fd, data, len);

	return n < 0 ? -errno : n;
}

static ssize_t put(int fd, const void *data, size_t len)
{
	ssize_t n = write(fd, data, len);

	return n < 0 ? -errno : n;
}

static int never_waits(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK) ? -errno : 0;
}

/*
 * struct page_file - a file of some pages, and those pages
 */
struct page_file {
	int	fd;
	char	*pages;
	size_t	len;
};

static int file_open(struct page_file *file, size_t len)
{
	file->len = len;
	file->fd = memfd_create("pages", MFD_CLOEXEC);
	if (file->fd < 0 || ftruncate(file->fd, len))
		return -errno;
	file->pages = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED,
			   file->fd, 0);
	return file->pages == MAP_FAILED ? -errno : 0;
}

static void file_close(struct page_file *file)
{
	munmap(file->pages, file->len);
	close(file->fd);
}

FIXTURE(splice) {
};

FIXTURE_SETUP(splice)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, link_up("lo"));
}

FIXTURE_TEARDOWN(splice)
{
}

#define AS_TCP(name)	SCRIPT_CASE(splice, AF_INET, SOCK_STREAM, name)
#define AS_UNIX(name)	SCRIPT_CASE(splice, AF_UNIX, SOCK_SEQPACKET, name)

#define SEND(fd, text)	CALL(sock_send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL))
#define SPLICE(from, to, len, flags) CALL(move(from, to, len, flags))

/* What a pipe has, in words. */
static void drain(struct script *s, int fd)
{
	ssize_t n;

	memset(s->buf, 0, sizeof(s->buf));
	n = take(fd, s->buf, sizeof(s->buf) - 1);
	script_result(s, "read", n);
	if (n > 0)
		script_say(s, "text", s->buf);
}

#define DRAIN(tube)	drain(s, (tube).out)

/*
 * From a stream
 */

AS_TCP(read)
{
	struct tube tube;

	CALL(tube_open(&tube));
	CALL(never_waits(s->b));
	SPLICE(s->b, tube.in, 64, 0);
	SEND(s->a, "hello");
	SEND(s->a, "world");
	ARRIVED(s->b, 10);
	SPLICE(s->b, tube.in, 3, 0);
	DRAIN(tube);
	CALL(conn_amount(s->b, SIOCINQ));
	SPLICE(s->b, tube.in, 64, 0);
	DRAIN(tube);
	SPLICE(s->b, tube.in, 64, SPLICE_F_NONBLOCK | SPLICE_F_MORE);
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	SPLICE(s->b, tube.in, 64, 0);
	SPLICE(s->b, tube.in, 64, 0);
	tube_close(&tube);
}

/* Those before the end are read before it. */
AS_TCP(read__bytes_and_end)
{
	struct tube tube;

	CALL(tube_open(&tube));
	SEND(s->a, "hello");
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	SPLICE(s->b, tube.in, 64, 0);
	DRAIN(tube);
	SPLICE(s->b, tube.in, 64, 0);
	tube_close(&tube);
}

AS_TCP(read__peeked)
{
	struct tube tube;

	CALL(tube_open(&tube));
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	CALL(sock_recv(s->b, s->buf, 3, MSG_PEEK));
	SPLICE(s->b, tube.in, 2, 0);
	DRAIN(tube);
	CALL(sock_recv(s->b, s->buf, 64, MSG_PEEK));
	SPLICE(s->b, tube.in, 64, 0);
	DRAIN(tube);
	tube_close(&tube);
}

AS_TCP(read__reset)
{
	struct tube tube;

	CALL(tube_open(&tube));
	conn_reset(s->a);
	s->a = -1;
	EVENTS_AT(s->b, POLLERR);
	SPLICE(s->b, tube.in, 64, 0);
	SPLICE(s->b, tube.in, 64, 0);
	ERROR(s->b);
	tube_close(&tube);
}

AS_TCP(read__shut_down)
{
	struct tube tube;

	CALL(tube_open(&tube));
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	CALL(sock_shutdown(s->b, SHUT_RD));
	SPLICE(s->b, tube.in, 3, 0);
	SPLICE(s->b, tube.in, 64, 0);
	SPLICE(s->b, tube.in, 64, 0);
	DRAIN(tube);
	tube_close(&tube);
}

AS_TCP(read__no_connection)
{
	int fd = script_socket(s, 0);
	struct tube tube;

	CALL(tube_open(&tube));
	SPLICE(fd, tube.in, 64, 0);
	SPLICE(s->listener, tube.in, 64, 0);
	SPLICE(fd, tube.in, 0, 0);
	tube_close(&tube);
	close(fd);
}

/* A pipe has so many places; what finds none stays where it is. */
AS_TCP(read__full_pipe)
{
	struct tube tube;
	int i;

	CALL(tube_open(&tube));
	for (i = 0; i < 16; i++)
		CALL(put(tube.in, s->text, PAGE));
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	SPLICE(s->b, tube.in, 64, SPLICE_F_NONBLOCK);
	CALL(conn_amount(s->b, SIOCINQ));
	CALL(take(tube.out, s->text + sizeof(s->text) - PAGE, PAGE));
	SPLICE(s->b, tube.in, 64, SPLICE_F_NONBLOCK);
	CALL(conn_amount(s->b, SIOCINQ));
	tube_close(&tube);
}

AS_TCP(read__no_reader)
{
	struct tube tube;

	signal(SIGPIPE, SIG_IGN);
	CALL(tube_open(&tube));
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	script_close(&tube.out);
	SPLICE(s->b, tube.in, 64, 0);
	CALL(conn_amount(s->b, SIOCINQ));
	tube_close(&tube);
}

/*
 * To a stream
 */

AS_TCP(write)
{
	struct tube tube;

	CALL(tube_open(&tube));
	SPLICE(tube.out, s->a, 64, SPLICE_F_NONBLOCK);
	CALL(put(tube.in, "hello", 5));
	CALL(put(tube.in, "world", 5));
	SPLICE(tube.out, s->a, 3, 0);
	ARRIVED(s->b, 3);
	SPLICE(tube.out, s->a, 64, 0);
	ARRIVED(s->b, 10);
	CALL(recv_all(s->b, s->buf, 10));
	s->buf[10] = '\0';
	script_say(s, "text", s->buf);
	script_close(&tube.in);
	SPLICE(tube.out, s->a, 64, 0);
	tube_close(&tube);
}

AS_TCP(write__ended)
{
	int fd = script_socket(s, 0);
	struct tube tube;

	signal(SIGPIPE, SIG_IGN);
	CALL(tube_open(&tube));
	CALL(put(tube.in, "hello", 5));
	SPLICE(tube.out, fd, 64, 0);
	SPLICE(tube.out, s->listener, 64, 0);
	CALL(sock_shutdown(s->a, SHUT_WR));
	SPLICE(tube.out, s->a, 64, 0);
	conn_reset(s->a);
	s->a = -1;
	EVENTS_AT(s->b, POLLERR);
	SPLICE(tube.out, s->b, 64, 0);
	SPLICE(tube.out, s->b, 64, 0);
	CALL(conn_amount(tube.out, FIONREAD));
	tube_close(&tube);
	close(fd);
}

/* Until there is no room. */
AS_TCP(write__full)
{
	struct tube tube;
	ssize_t n;

	CALL(tube_open(&tube));
	CALL(never_waits(s->a));
	do {
		put(tube.in, s->text, 4 * PAGE);
		n = move(tube.out, s->a, 4 * PAGE, 0);
	} while (n > 0);
	script_result(s, "full", n);
	tube_close(&tube);
}

AS_TCP(sendfile_errors)
{
	int fd = script_socket(s, 0);
	struct page_file file;

	signal(SIGPIPE, SIG_IGN);
	CALL(file_open(&file, PAGE));
	CALL(give_file(s->a, file.fd, 0, 0));
	CALL(give_file(s->a, file.fd, PAGE, 10));
	CALL(give_file(s->a, file.fd, 0, 10));
	ARRIVED(s->b, 10);
	CALL(give_file(fd, file.fd, 0, 10));
	CALL(give_file(s->listener, file.fd, 0, 10));
	CALL(give_file(file.fd, s->a, 0, 10));
	CALL(sock_shutdown(s->a, SHUT_WR));
	CALL(give_file(s->a, file.fd, 0, 10));
	file_close(&file);
	close(fd);
}

/*
 * Records: each splice() takes one, cut to what is asked for.
 */

AS_UNIX(record_read)
{
	struct tube tube;

	CALL(tube_open(&tube));
	CALL(never_waits(s->b));
	SPLICE(s->b, tube.in, 64, 0);
	SEND(s->a, "hello");
	SEND(s->a, "cut here");
	SEND(s->a, "world");
	ARRIVED(s->b, 18);
	SPLICE(s->b, tube.in, 64, 0);
	SPLICE(s->b, tube.in, 3, 0);
	SPLICE(s->b, tube.in, 64, 0);
	DRAIN(tube);
	SPLICE(s->b, tube.in, 64, 0);
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	SPLICE(s->b, tube.in, 64, 0);
	tube_close(&tube);
}

/* What a pipe gives at one go is a record, and how much that is says the core. */
AS_UNIX(record_write)
{
	struct page_file file;
	struct tube tube;

	signal(SIGPIPE, SIG_IGN);
	CALL(tube_open(&tube));
	CALL(put(tube.in, "hello", 5));
	SPLICE(tube.out, s->a, 64, SPLICE_F_MORE);
	CALL(sock_await(s->b, s->text + 8192, 64));
	CALL(file_open(&file, 2 * PAGE));
	memset(file.pages, 'x', 2 * PAGE);
	CALL(give_file(s->a, file.fd, 0, 2 * PAGE));
	ARRIVED(s->b, 2 * PAGE);
	CALL(sock_recv(s->b, s->text + 8192, 3 * PAGE, MSG_DONTWAIT | MSG_TRUNC));
	CALL(sock_recv(s->b, s->text + 8192, 1, MSG_DONTWAIT | MSG_TRUNC));
	CALL(sock_shutdown(s->a, SHUT_WR));
	CALL(give_file(s->a, file.fd, 0, 10));
	file_close(&file);
	tube_close(&tube);
}

/*
 * Ferry's alone: that it is pages that go. What is written to one that has been sent
 * is in what is read.
 */

FIXTURE(pages) {
	struct conn conn;
	int a, b;
	struct page_file file;
	struct tube tube;
	char buf[PAGE];
};

FIXTURE_VARIANT(pages) {
	int type;
};

FIXTURE_VARIANT_ADD(pages, stream) { .type = SOCK_STREAM };
FIXTURE_VARIANT_ADD(pages, record) { .type = SOCK_SEQPACKET };

FIXTURE_SETUP(pages)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&self->conn, variant->type, SCRIPT_PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
	ASSERT_EQ(0, file_open(&self->file, 4 * PAGE));
	ASSERT_EQ(0, tube_open(&self->tube));
}

FIXTURE_TEARDOWN(pages)
{
	conn_close(&self->conn);
	file_close(&self->file);
	tube_close(&self->tube);
}

#define AWAIT(len) ASSERT_TRUE(conn_await_amount(self->b, SIOCINQ, len))

TEST_F(pages, sendfile)
{
	memset(self->file.pages, 'a', PAGE);
	ASSERT_EQ(PAGE, give_file(self->a, self->file.fd, 0, PAGE));
	AWAIT(PAGE);
	self->file.pages[0] = 'b';
	ASSERT_EQ(PAGE, sock_recv(self->b, self->buf, PAGE, 0));
	EXPECT_EQ('b', self->buf[0]);
	EXPECT_EQ('a', self->buf[1]);
}

TEST_F(pages, vmsplice)
{
	struct iovec iov = { self->file.pages + 100, 10 };

	memset(self->file.pages, 'a', PAGE);
	ASSERT_EQ(10, vmsplice(self->tube.in, &iov, 1, 0));
	ASSERT_EQ(10, move(self->tube.out, self->a, 10, 0));
	AWAIT(10);
	self->file.pages[100] = 'b';
	ASSERT_EQ(10, sock_recv(self->b, self->buf, PAGE, 0));
	EXPECT_EQ(0, memcmp(self->buf, "baaaaaaaaa", 10));
}

/* Pieces of pages, that lie one behind the other and that do not. */
TEST_F(pages, pieces)
{
	static char got[4 * PAGE];
	struct iovec iov[] = {
		{ self->file.pages, 100 },
		{ self->file.pages + 100, 100 },
		{ self->file.pages + 3 * PAGE, PAGE },
		{ self->file.pages + 2 * PAGE - 10, 20 },
	};
	size_t at = 0, i;
	ssize_t n;

	pattern_fill(self->file.pages, 4 * PAGE, 1);
	ASSERT_EQ(PAGE + 220, vmsplice(self->tube.in, iov, 4, 0));
	ASSERT_EQ(PAGE + 220, move(self->tube.out, self->a, LARGE, 0));
	AWAIT(PAGE + 220);
	while (at < PAGE + 220) {
		n = sock_recv(self->b, got + at, sizeof(got) - at, MSG_DONTWAIT);
		ASSERT_LT(0, n);
		at += n;
	}
	for (at = 0, i = 0; i < 4; at += iov[i++].iov_len)
		EXPECT_EQ(0, memcmp(got + at, iov[i].iov_base, iov[i].iov_len));
}

FIXTURE(stream) {
	struct conn conn;
	int a, b;
	struct tube tube;
	char buf[64];
};

FIXTURE_SETUP(stream)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&self->conn, SOCK_STREAM, SCRIPT_PORT));
	self->a = self->conn.client;
	self->b = self->conn.server;
	ASSERT_EQ(0, tube_open(&self->tube));
}

FIXTURE_TEARDOWN(stream)
{
	conn_close(&self->conn);
	tube_close(&self->tube);
}

static long sleep_in_splice(struct sleeper *self)
{
	const struct tube *tube = self->data;

	return move(self->fd, tube->in, self->len, self->flags);
}

/* Pages, and not copies: of what tee(2) has put into two pipes, too. */
TEST_F(stream, read__pages)
{
	struct page_file file;
	struct tube second;
	char got[PAGE];

	ASSERT_EQ(0, tube_open(&second));
	ASSERT_EQ(0, file_open(&file, PAGE));
	memset(file.pages, 'a', PAGE);
	ASSERT_EQ(PAGE, give_file(self->a, file.fd, 0, PAGE));
	AWAIT(PAGE);
	ASSERT_EQ(PAGE, move(self->b, self->tube.in, 2 * PAGE, 0));
	ASSERT_EQ(PAGE, duplicate(self->tube.out, second.in, PAGE));
	file.pages[0] = 'b';
	ASSERT_EQ(PAGE, read(self->tube.out, got, PAGE));
	EXPECT_EQ('b', got[0]);
	ASSERT_EQ(PAGE, read(second.out, got, PAGE));
	EXPECT_EQ('b', got[0]);
	file_close(&file);
	tube_close(&second);
}

/* The pipe's flag is not the socket's: it waits. */
TEST_F(stream, read_sleeps)
{
	struct sleeper reader = {
		.call = sleep_in_splice, .fd = self->b, .data = &self->tube,
		.len = 64, .flags = SPLICE_F_NONBLOCK,
	};

	ASSERT_TRUE(sleeper_start(&reader, SYS_splice));
	ASSERT_EQ(5, sock_send(self->a, "hello", 5, 0));
	EXPECT_EQ(5, sleeper_join(&reader));
	ASSERT_TRUE(sleeper_start(&reader, SYS_splice));
	ASSERT_EQ(0, sock_shutdown(self->a, SHUT_WR));
	EXPECT_EQ(0, sleeper_join(&reader));
}

TEST_F(stream, read__time_out)
{
	ASSERT_EQ(0, sock_timeout(self->b, SO_RCVTIMEO, 10));
	EXPECT_EQ(-EAGAIN, move(self->b, self->tube.in, 64, 0));
}

/* As recv(2) has it: what was read is not to be peeked at. */
TEST_F(stream, read__peek_off)
{
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_PEEK_OFF, 0));
	ASSERT_EQ(10, sock_send(self->a, "helloworld", 10, 0));
	AWAIT(10);
	ASSERT_EQ(7, sock_recv(self->b, self->buf, 7, MSG_PEEK));
	ASSERT_EQ(5, move(self->b, self->tube.in, 5, 0));
	EXPECT_EQ(2, sock_get(self->b, SOL_SOCKET, SO_PEEK_OFF));
	ASSERT_EQ(3, sock_recv(self->b, self->buf, 64, MSG_PEEK));
	EXPECT_EQ(0, memcmp(self->buf, "rld", 3));
}

/* Room is made for the sender: more goes through than the buffers hold. */
static void *write_pattern(void *arg)
{
	int fd = *(int *)arg;
	char *data = malloc(LARGE);

	pattern_fill(data, LARGE, 7);
	send_all(fd, data, LARGE);
	shutdown(fd, SHUT_WR);
	free(data);
	return NULL;
}

static void *read_pattern(void *arg)
{
	int fd = *(int *)arg;
	char *data = malloc(LARGE + 1);
	bool good = recv_all(fd, data, LARGE + 1) == LARGE &&
		    pattern_is(data, LARGE, 7);

	free(data);
	return good ? arg : NULL;
}

/* From one connection to another, by a pipe. */
TEST_F(stream, relay)
{
	pthread_t writer, reader;
	struct conn on;
	void *good;
	ssize_t n;

	ASSERT_EQ(0, conn_pair(&on, SOCK_STREAM, OTHER));
	ASSERT_EQ(0, pthread_create(&writer, NULL, write_pattern, &self->a));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_pattern, &on.server));
	while ((n = move(self->b, self->tube.in, LARGE, 0)) > 0) {
		for (; n > 0; n -= move(self->tube.out, on.client, n, 0))
			;
	}
	EXPECT_EQ(0, n);
	ASSERT_EQ(0, sock_shutdown(on.client, SHUT_WR));
	ASSERT_EQ(0, pthread_join(writer, NULL));
	ASSERT_EQ(0, pthread_join(reader, &good));
	EXPECT_NE(NULL, good);
	conn_close(&on);
}

/*
 * More is to come: it waits for that, or until it has waited for long. If this task
 * has, what it sees is tried again.
 */
static int held_after_splice(int a, int b, struct tube *tube)
{
	char buf[5];
	long start;
	int tries, held;

	for (tries = 0; tries < 100; tries++) {
		start = clock_ms();
		if (put(tube->in, "hello", 5) != 5 ||
		    move(tube->out, a, 5, SPLICE_F_MORE) != 5)
			return -EIO;
		held = conn_amount(a, SIOCOUTQNSD);
		if (clock_ms() - start < 150)
			return held;
		if (recv_all(b, buf, 5) != 5)
			return -ECOMM;
	}
	return -ETIMEDOUT;
}

TEST_F(stream, more)
{
	ASSERT_EQ(5, held_after_splice(self->a, self->b, &self->tube));
	ASSERT_EQ(5, put(self->tube.in, "world", 5));
	ASSERT_EQ(5, move(self->tube.out, self->a, 5, 0));
	EXPECT_EQ(0, conn_amount(self->a, SIOCOUTQNSD));
	EXPECT_EQ(10, recv_all(self->b, self->buf, 10));
	EXPECT_EQ(0, memcmp(self->buf, "helloworld", 10));
}

/* More was to come, but the file has ended: nothing is held back for it. */
TEST_F(stream, sendfile__short_file)
{
	struct page_file file;

	ASSERT_EQ(0, file_open(&file, 100));
	ASSERT_EQ(100, give_file(self->a, file.fd, 0, LARGE));
	EXPECT_EQ(0, conn_amount(self->a, SIOCOUTQNSD));
	AWAIT(100);
	file_close(&file);
}

/* What a pipe or a file gives is a datagram, of its pages. */
TEST(datagram)
{
	struct page_file file;
	char got[2 * PAGE];
	int fd, reader;

	ASSERT_LE(0, net_new());
	reader = dgram_at(SCRIPT_PORT);
	fd = dgram_to(SCRIPT_PORT);
	ASSERT_EQ(0, file_open(&file, PAGE));
	memset(file.pages, 'a', PAGE);
	ASSERT_EQ(1000, give_file(fd, file.fd, 10, 1000));
	ASSERT_NE(0, sock_wait(reader, POLLIN));
	file.pages[11] = 'b';
	ASSERT_EQ(1000, sock_recv(reader, got, sizeof(got), 0));
	EXPECT_EQ(0, memcmp(got, "aba", 3));
	file_close(&file);
	close(reader);
	close(fd);
}

/* By a device that has the checksum computed for it, and segments cut. */
TEST(wire)
{
	int file = memfd_create("large", MFD_CLOEXEC);
	char *data = malloc(LARGE);
	pthread_t reader;
	struct wire wire;
	struct conn conn;
	off_t at = 0;
	void *good;

	ASSERT_EQ(0, wire_across(&wire, "veth"));
	ASSERT_EQ(0, link_feature("fy0", "tx-checksum-ip-generic", false));
	ASSERT_EQ(0, conn_across(&conn, SOCK_STREAM, SCRIPT_PORT, &wire));
	pattern_fill(data, LARGE, 7);
	ASSERT_EQ(LARGE, write(file, data, LARGE));
	ASSERT_EQ(0, pthread_create(&reader, NULL, read_pattern, &conn.server));
	while (at < LARGE) {
		ASSERT_LT(0, sendfile(conn.client, file, &at, LARGE - at));
	}
	ASSERT_EQ(0, sock_shutdown(conn.client, SHUT_WR));
	ASSERT_EQ(0, pthread_join(reader, &good));
	EXPECT_NE(NULL, good);
	conn_close(&conn);
	close(file);
	free(data);
}

TEST_HARNESS_MAIN
