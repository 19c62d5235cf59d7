// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table's rows for streams and records.
 *
 *   a namespace of the test's own
 *     [ fd ] -- ferry0, its wire leads back -- [ listener, port 7000 ]
 *     [ fd ] ================================= [ other, accepted from it ]
 *
 * A segment that cannot be made is as one that is lost: it is made again, and who
 * sends does not hear of it. So of a connection's calls nearly all must work.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ferry.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "../lib/conn.h"
#include "../lib/net.h"
#include "../lib/sock.h"
#include "../lib/wait.h"
#include "fault.h"

#define PORT		7000
#define PAYLOAD		"one for the ferryman"
/* Some segments of the loop's, and less than the buffers hold. */
#define LONG		200000
#define POLL_MS		10

static unsigned char out[LONG], in[LONG];

/* Scenes. Whatever the end, a connection leaves nothing behind: by a reset. */

static int with_socket_of(struct scene *scene, int type)
{
	scene->fd = conn_socket(type | SOCK_NONBLOCK);
	return scene->fd < 0 ? scene->fd : conn_linger(scene->fd, 0);
}

static int with_stream(struct scene *scene)
{
	return with_socket_of(scene, SOCK_STREAM);
}

static int with_bound_stream(struct scene *scene)
{
	scene->fd = conn_bound(SOCK_STREAM, PORT);
	return scene->fd < 0 ? scene->fd : 0;
}

static int with_listener_of(struct scene *scene, int type)
{
	int err = with_socket_of(scene, type);

	if (err)
		return err;
	scene->listener = conn_bound(type | SOCK_NONBLOCK, PORT);
	if (scene->listener < 0)
		return scene->listener;
	err = conn_linger(scene->listener, 0);
	if (err)
		return err;
	return listen(scene->listener, 8) ? -errno : 0;
}

static int with_stream_listener(struct scene *scene)
{
	return with_listener_of(scene, SOCK_STREAM);
}

static int with_record_listener(struct scene *scene)
{
	return with_listener_of(scene, SOCK_SEQPACKET);
}

static int with_cookies(struct scene *scene)
{
	return sysctl_set("syncookies", "2") ?: with_stream_listener(scene);
}

static void without_cookies(struct scene *scene)
{
	(void)scene;
	sysctl_set("syncookies", "1");
}

/* What was begun goes on: once, however often it is called. */
static int connected(struct scene *scene)
{
	const struct sockaddr_ferry to = sfy(addr_any, PORT);
	int err = sock_connect(scene->fd, &to);

	if (err == -EISCONN)
		return 0;
	if (err && err != -EINPROGRESS && err != -EALREADY)
		return err;
	return sock_wait(scene->fd, POLLOUT) ? -sock_error(scene->fd) :
					       -ETIMEDOUT;
}

static int accepted(struct scene *scene)
{
	if (scene->other >= 0)
		return 0;
	if (!sock_wait(scene->listener, POLLIN))
		return -ETIMEDOUT;
	scene->other = accept4(scene->listener, NULL, NULL,
			       SOCK_CLOEXEC | SOCK_NONBLOCK);
	return scene->other < 0 ? -errno : 0;
}

static int with_pair_of(struct scene *scene, int type)
{
	return with_listener_of(scene, type) ?: connected(scene) ?:
	       accepted(scene);
}

static int with_pair(struct scene *scene)
{
	return with_pair_of(scene, SOCK_STREAM);
}

static int with_record_pair(struct scene *scene)
{
	return with_pair_of(scene, SOCK_SEQPACKET);
}

/* Two wait: a failed copy of its address takes the connection with it. */
static int with_two_waiting(struct scene *scene)
{
	const struct sockaddr_ferry to = sfy(addr_any, PORT);
	int err = with_stream_listener(scene);
	long opens = stat_of("PassiveOpens");

	err = err ?: connected(scene);
	if (err)
		return err;
	scene->other = conn_to(SOCK_STREAM, &to);
	if (scene->other < 0)
		return scene->other;
	err = conn_linger(scene->other, 0);
	if (err)
		return err;
	opens += 2;
	return stat_wait("PassiveOpens", opens) < opens ? -ETIMEDOUT : 0;
}

static int with_something_to_read(struct scene *scene, int type)
{
	int one = 1, err = with_pair_of(scene, type);

	if (!err && setsockopt(scene->other, SOL_SOCKET, SO_TIMESTAMP, &one,
			       sizeof(one)))
		return -errno;
	if (!err && send(scene->fd, PAYLOAD, sizeof(PAYLOAD), 0) < 0)
		return -errno;
	if (!err && send(scene->fd, PAYLOAD, sizeof(PAYLOAD), 0) < 0)
		return -errno;
	return err ?: conn_await_amount(scene->other, SIOCINQ,
					2 * sizeof(PAYLOAD)) ? 0 : -ETIMEDOUT;
}

static int with_bytes(struct scene *scene)
{
	return with_something_to_read(scene, SOCK_STREAM);
}

/* Twice: a failed copy takes the record with it, as AF_UNIX's does. */
static int with_records(struct scene *scene)
{
	return with_something_to_read(scene, SOCK_SEQPACKET);
}

/* Packets overtake others. */
static int with_disorder(struct scene *scene)
{
	const struct netem disorder = {
		.delay_ms = 10, .reorder = 50, .limit = 1000,
	};

	return with_pair(scene) ?: link_netem("ferry0", &disorder);
}

static void without_disorder(struct scene *scene)
{
	const struct netem order = { .limit = 1000 };

	(void)scene;
	link_netem("ferry0", &order);
}

/* A pipe's two ends, or a file. */
static int ends[2] = { -1, -1 };

static void without_ends(struct scene *scene)
{
	size_t i;

	(void)scene;
	for (i = 0; i < 2; i++) {
		if (ends[i] >= 0)
			close(ends[i]);
		ends[i] = -1;
	}
}

static int with_records_and_pipe(struct scene *scene)
{
	return pipe2(ends, O_CLOEXEC) ? -errno : with_records(scene);
}

static int with_file(struct scene *scene)
{
	pattern_fill(out, LONG, 4);
	ends[0] = memfd_create("fault", MFD_CLOEXEC);
	if (ends[0] < 0 || write(ends[0], out, LONG) != LONG)
		return -errno;
	return with_pair(scene);
}

static int with_lending_pair(struct scene *scene)
{
	return with_pair(scene) ?:
	       sock_set(scene->fd, SOL_FERRY, FERRY_ZEROCOPY, 1);
}

/* Operations. */

static int do_listen(struct scene *scene)
{
	return listen(scene->fd, 8) ? -errno : 0;
}

static int do_connect(struct scene *scene)
{
	const struct sockaddr_ferry to = sfy(addr_any, PORT);
	int err = sock_connect(scene->fd, &to);

	fault_over();
	return err == -EINPROGRESS ? connected(scene) : err;
}

static int do_handshake(struct scene *scene)
{
	return connected(scene) ?: accepted(scene);
}

/* The listener knows nothing but by what arrives: so something is to. */
static int do_cookie(struct scene *scene)
{
	int err = connected(scene);

	if (!err && !scene->sent && send(scene->fd, "!", 1, MSG_NOSIGNAL) != 1)
		return -errno;
	if (!err)
		scene->sent = 1;
	return err ?: accepted(scene);
}

static int do_accept(struct scene *scene)
{
	struct sockaddr_ferry sfy;
	socklen_t len = sizeof(sfy);
	int fd;

	fd = accept4(scene->listener, (struct sockaddr *)&sfy, &len,
		     SOCK_CLOEXEC);
	if (fd < 0)
		return -errno;
	fault_over();
	conn_reset(fd);
	return len == sizeof(sfy) && sfy.sfy_family == AF_FERRY ? 0 : -EBADMSG;
}

/* The other end gets @bytes of what was sent, and no more. */
static int gets(struct scene *scene, ssize_t bytes)
{
	ssize_t got = recv_all(scene->other, in, bytes);

	if (got != bytes)
		return got < 0 ? got : -EPIPE;
	if (memcmp(in, out, bytes))
		return -EBADMSG;
	return sock_empty(scene->other) ? 0 : -EOVERFLOW;
}

static int send_some(struct scene *scene, size_t len)
{
	ssize_t sent;

	pattern_fill(out, len, len);
	sent = sock_send(scene->fd, out, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	fault_over();
	return sent < 0 ? sent : gets(scene, sent);
}

static int do_send(struct scene *scene)
{
	return send_some(scene, 100);
}

static int do_send_long(struct scene *scene)
{
	return send_some(scene, 60000);
}

/* Whole or not at all. */
static int do_send_record(struct scene *scene)
{
	static const size_t len = 20000;
	ssize_t sent;

	pattern_fill(out, len, 1);
	sent = sock_send(scene->fd, out, len, MSG_DONTWAIT);
	fault_over();
	if (sent < 0)
		return sent;
	if (sent != len || sock_await(scene->other, in, sizeof(in)) != len)
		return -EBADMSG;
	return memcmp(in, out, len) ? -EBADMSG : 0;
}

static int do_sendfile(struct scene *scene)
{
	off_t at = 0;
	ssize_t sent = sendfile(scene->fd, ends[0], &at, 60000);

	fault_over();
	return sent < 0 ? -errno : gets(scene, sent);
}

static int do_lend(struct scene *scene)
{
	ssize_t sent;

	pattern_fill(out, LONG, 5);
	sent = sock_send(scene->fd, out, 60000, MSG_ZEROCOPY | MSG_NOSIGNAL);
	fault_over();
	return sent < 0 ? sent : gets(scene, sent);
}

/* On and on until all has arrived, in its order. */
static int transfer(struct scene *scene, int flags)
{
	struct pollfd fds[] = { { .fd = scene->fd }, { .fd = scene->other } };
	ssize_t n;

	pattern_fill(out, LONG, 2);
	while (scene->received < LONG) {
		fds[0].events = scene->sent < LONG ? POLLOUT : 0;
		fds[1].events = POLLIN;
		if (poll(fds, 2, WAIT_MS) <= 0)
			return -ETIMEDOUT;
		n = send(scene->fd, out + scene->sent, LONG - scene->sent,
			 MSG_NOSIGNAL | flags);
		if (n < 0 && errno != EAGAIN)
			return -errno;
		scene->sent += n < 0 ? 0 : n;
		n = recv(scene->other, in + scene->received,
			 LONG - scene->received, 0);
		if (!n || (n < 0 && errno != EAGAIN))
			return n ? -errno : -EPIPE;
		scene->received += n < 0 ? 0 : n;
	}
	return memcmp(in, out, LONG) ? -EBADMSG : 0;
}

static int do_transfer(struct scene *scene)
{
	return transfer(scene, 0);
}

static int do_transfer_lent(struct scene *scene)
{
	return transfer(scene, MSG_ZEROCOPY);
}

/* Small ones, which are packed as long as nobody reads them. */
static int do_transfer_records(struct scene *scene)
{
	static const size_t len = 40, count = 50;
	size_t i;

	pattern_fill(out, len * count, 3);
	for (; scene->sent < count; scene->sent++)
		if (send(scene->fd, out + scene->sent * len, len, 0) != len)
			return -errno;
	if (!conn_await_amount(scene->other, SIOCINQ, len * count))
		return -ETIMEDOUT;
	fault_over();
	for (i = 0; i < count; i++)
		if (recv(scene->other, in + i * len, len + 1, 0) != len)
			return -EBADMSG;
	return memcmp(in, out, len * count) ? -EBADMSG : 0;
}

static int receive(struct scene *scene, int flags)
{
	char buffer[sizeof(PAYLOAD)], control[128];
	struct iovec iov = { buffer, sizeof(buffer) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(scene->other, &msg, flags) < 0)
		return -errno;
	fault_over();
	return memcmp(buffer, PAYLOAD, sizeof(buffer)) ? -EBADMSG : 0;
}

static int do_receive(struct scene *scene)
{
	return receive(scene, 0);
}

static int do_peek(struct scene *scene)
{
	return receive(scene, MSG_PEEK);
}

/* A stream's pages are there already: for records some are made. */
static int do_splice(struct scene *scene)
{
	char buffer[sizeof(PAYLOAD)];
	ssize_t n;

	n = splice(scene->other, NULL, ends[1], NULL, sizeof(PAYLOAD), 0);
	if (n < 0)
		return -errno;
	fault_over();
	if (n != sizeof(PAYLOAD) || read(ends[0], buffer, n) != n)
		return -EBADMSG;
	return memcmp(buffer, PAYLOAD, n) ? -EBADMSG : 0;
}

static int do_names(struct scene *scene)
{
	struct sockaddr_ferry sfy;
	socklen_t len = sizeof(sfy);

	if (getsockname(scene->fd, (struct sockaddr *)&sfy, &len))
		return -errno;
	len = sizeof(sfy);
	return getpeername(scene->fd, (struct sockaddr *)&sfy, &len) ? -errno : 0;
}

static int do_set_options(struct scene *scene)
{
	static const struct {
		int level, option, value;
	} options[] = {
		{ SOL_FERRY, FERRY_CORK, 1 },
		{ SOL_FERRY, FERRY_CORK, 0 },
		{ SOL_FERRY, FERRY_SYNCNT, 3 },
		{ SOL_FERRY, FERRY_USER_TIMEOUT, 5000 },
		{ SOL_FERRY, FERRY_KEEPIDLE, 100 },
		{ SOL_FERRY, FERRY_KEEPINTVL, 100 },
		{ SOL_FERRY, FERRY_KEEPCNT, 3 },
		{ SOL_FERRY, FERRY_LINGER2, 3 },
		{ SOL_FERRY, FERRY_MAXSEG, 1000 },
		{ SOL_FERRY, FERRY_NOTSENT_LOWAT, 10000 },
		{ SOL_FERRY, FERRY_QUICKACK, 1 },
		{ SOL_FERRY, FERRY_DEFER_ACCEPT, 3 },
		{ SOL_FERRY, FERRY_INQ, 1 },
		{ SOL_FERRY, FERRY_ZEROCOPY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ SOL_SOCKET, SO_RCVLOWAT, 10 },
		{ SOL_SOCKET, SO_RCVBUF, 100000 },
		{ SOL_SOCKET, SO_PEEK_OFF, 0 },
	};
	static const char congestion[] = "newreno";
	size_t i;
	int err = 0;

	for (i = 0; !err && i < sizeof(options) / sizeof(options[0]); i++)
		err = sock_set(scene->fd, options[i].level, options[i].option,
			       options[i].value);
	if (!err && setsockopt(scene->fd, SOL_FERRY, FERRY_CONGESTION,
			       congestion, strlen(congestion)))
		err = -errno;
	return err;
}

static int do_get_options(struct scene *scene)
{
	int value = sock_get(scene->fd, SOL_FERRY, FERRY_MAXSEG);
	char congestion[FERRY_CONGESTION_LEN];
	struct ferry_info info;
	socklen_t len = sizeof(info);

	if (value < 0)
		return value;
	if (getsockopt(scene->fd, SOL_FERRY, FERRY_INFO, &info, &len))
		return -errno;
	len = sizeof(congestion);
	return getsockopt(scene->fd, SOL_FERRY, FERRY_CONGESTION, congestion,
			  &len) ? -errno : 0;
}

static int at_end(int fd)
{
	char byte;
	ssize_t n = sock_await(fd, &byte, 1);

	return n > 0 ? -EBADMSG : n;
}

/* First one end and then the other. */
static int do_end(struct scene *scene)
{
	return sock_shutdown(scene->fd, SHUT_WR) ?: at_end(scene->other) ?:
	       sock_shutdown(scene->other, SHUT_WR) ?: at_end(scene->fd);
}

/*
 * An RST that is lost is not sent again: whoever does not hear it is told when it
 * sends next.
 */
static int hears_of_end(int fd)
{
	int waited;

	for (waited = 0; waited < WAIT_MS; waited += POLL_MS) {
		if (send(fd, "?", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
			return errno == ECONNRESET || errno == EPIPE ?
			       0 : -errno;
		poll(NULL, 0, POLL_MS);
	}
	return -ETIMEDOUT;
}

static int do_reset(struct scene *scene)
{
	close(scene->fd);
	scene->fd = -1;
	return hears_of_end(scene->other);
}

/* One that waited to be accepted is reset. */
static int do_stop_listening(struct scene *scene)
{
	close(scene->listener);
	scene->listener = -1;
	return hears_of_end(scene->fd);
}

static int socketpair_of(struct scene *scene, int type)
{
	int fd[2];

	if (socketpair(AF_FERRY, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd))
		return -errno;
	fault_over();
	scene->fd = fd[0];
	scene->other = fd[1];
	if (send(scene->fd, PAYLOAD, sizeof(PAYLOAD), 0) < 0)
		return -errno;
	/* It may be on its way still. */
	if (!(sock_wait(scene->other, POLLIN) & POLLIN))
		return -ETIMEDOUT;
	return receive(scene, 0);
}

static int do_socketpair(struct scene *scene)
{
	return socketpair_of(scene, SOCK_STREAM) ?: conn_linger(scene->fd, 0);
}

static int do_dgram_socketpair(struct scene *scene)
{
	return socketpair_of(scene, SOCK_DGRAM);
}

const struct operation stream_operations[] = {
	{ "stream: socket", NULL, with_stream, .errnos = { ENOBUFS } },
	{ "stream: socketpair", NULL, do_socketpair, .errnos = { ENOBUFS } },
	{ "datagram: socketpair", NULL, do_dgram_socketpair,
	  .errnos = { ENOBUFS } },
	{ "stream: bind", NULL, with_bound_stream, .errnos = { ENOBUFS } },
	{ "stream: listen", with_bound_stream, do_listen,
	  .errnos = { ENOBUFS } },
	{ "stream: connect", with_stream_listener, do_connect },
	{ "stream: connect and accept", with_stream_listener, do_handshake,
	  .where = ANYWHERE },
	{ "stream: connect and accept by a cookie", with_cookies, do_cookie,
	  without_cookies, .where = ANYWHERE, .errnos = { EAGAIN } },
	{ "stream: accept", with_two_waiting, do_accept },
	{ "stream: send", with_pair, do_send, .errnos = { EAGAIN } },
	{ "stream: send a long one", with_pair, do_send_long,
	  .errnos = { EAGAIN } },
	{ "stream: send and arrive", with_pair, do_transfer,
	  .where = ANYWHERE },
	{ "stream: send and arrive out of order", with_disorder, do_transfer,
	  without_disorder, .where = ANYWHERE },
	{ "stream: sendfile", with_file, do_sendfile, without_ends,
	  .errnos = { EAGAIN } },
	{ "stream: lend", with_lending_pair, do_lend,
	  .errnos = { EAGAIN, ENOBUFS } },
	{ "stream: lend and arrive", with_lending_pair, do_transfer_lent,
	  .where = ANYWHERE, .errnos = { ENOBUFS } },
	{ "stream: receive", with_bytes, do_receive },
	{ "stream: peek", with_bytes, do_peek },
	{ "stream: setsockopt", with_pair, do_set_options },
	{ "stream: getsockopt", with_pair, do_get_options },
	{ "stream: getsockname, getpeername", with_pair, do_names },
	{ "stream: end", with_pair, do_end, .where = ANYWHERE },
	{ "stream: reset", with_pair, do_reset, .where = ANYWHERE },
	{ "stream: stop listening", with_two_waiting, do_stop_listening,
	  .where = ANYWHERE },
	{ "record: connect and accept", with_record_listener, do_handshake,
	  .where = ANYWHERE },
	{ "record: send", with_record_pair, do_send_record,
	  .errnos = { EAGAIN } },
	{ "record: send and arrive", with_record_pair, do_transfer_records,
	  .where = ANYWHERE, .errnos = { EAGAIN } },
	{ "record: receive", with_records, do_receive },
	{ "record: splice", with_records_and_pipe, do_splice, without_ends,
	  .errnos = { EAGAIN } },
	{ }
};
