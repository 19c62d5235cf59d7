// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream does what TCP does: the same calls on both, in states that are easy to
 * get wrong. What each call returns, and what poll() says, is compared.
 *
 *	+- new namespace --+
 *	|   lo    ferry0   |
 *	+------------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ferry.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "script.h"
#include "wait.h"

#define NOBODY	(SCRIPT_PORT + 1)
#define OTHER	(SCRIPT_PORT + 2)

FIXTURE(as_tcp) {
};

/* With segments that are small beside the buffers. */
FIXTURE_SETUP(as_tcp)
{
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, link_up("lo"));
	ASSERT_EQ(0, link_set_mtu("lo", 1500));
	/* Which makes ferry0. */
	close(conn_socket(SOCK_STREAM));
	ASSERT_EQ(0, link_set_mtu("ferry0", 1500));
}

FIXTURE_TEARDOWN(as_tcp)
{
}

#define SCRIPT(name)	SCRIPT_CASE(as_tcp, AF_INET, SOCK_STREAM, name)

#define SEND(fd, text)	CALL(sock_send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL))
#define RECV(fd, flags)	CALL(sock_recv(fd, s->buf, sizeof(s->buf), \
				       (flags) | MSG_DONTWAIT))
#define ACKED(fd)	CALL(conn_await_amount(fd, SIOCOUTQ, 0))

static void reset(int *fd)
{
	conn_reset(*fd);
	*fd = -1;
}

/* Addresses are as long as each family has them. */
static int peer_name(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(struct sockaddr_in);

	return getsockopt(fd, SOL_SOCKET, SO_PEERNAME, &name, &len) ? -errno : 0;
}

/* All that a call can say of a connection, but without changing it. */
static void look(struct script *s, int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	EVENTS(fd);
	CALL(conn_amount(fd, SIOCINQ));
	CALL(sock_recv(fd, s->buf, 1, MSG_PEEK | MSG_DONTWAIT));
	script_result(s, "getpeername", getpeername(fd, (void *)&name, &len) ?
		      -errno : 0);
	script_result(s, "SO_PEERNAME", peer_name(fd));
	CALL(sock_recv(fd, s->buf, 1, MSG_ERRQUEUE | MSG_OOB));
}

/* And what it does to who goes on all the same. */
static void use(struct script *s, int fd)
{
	EVENTS(fd);
	SEND(fd, "x");
	SEND(fd, "");
	RECV(fd, 0);
	CALL(sock_recv(fd, s->buf, 0, MSG_DONTWAIT));
	ERROR(fd);
	SEND(fd, "x");
	RECV(fd, 0);
	EVENTS(fd);
}

static void shut(struct script *s, int fd)
{
	CALL(sock_shutdown(fd, SHUT_RD));
	EVENTS(fd);
	CALL(sock_shutdown(fd, SHUT_WR));
	EVENTS(fd);
	CALL(sock_shutdown(fd, SHUT_RDWR));
	use(s, fd);
}

/*
 * Before there is a connection
 */

SCRIPT(new)
{
	int fd = script_socket(s, 0);

	look(s, fd);
	CALL(conn_amount(fd, SIOCOUTQ));
	use(s, fd);
	shut(s, fd);
	CALL(listen(fd, 1));
	close(fd);
	fd = script_socket(s, 0);
	CALL(script_bind(s, fd, OTHER));
	CALL(script_bind(s, fd, OTHER + 1));
	look(s, fd);
	use(s, fd);
	close(fd);
}

SCRIPT(shut_down_new_and_connected)
{
	int fd = script_socket(s, 0);

	CALL(sock_shutdown(fd, SHUT_WR));
	CALL(script_connect(s, fd, SCRIPT_PORT));
	use(s, fd);
	close(fd);
}

SCRIPT(listening)
{
	int fd = script_listen(s, OTHER, 1);

	look(s, fd);
	CALL(conn_amount(fd, SIOCOUTQ));
	use(s, fd);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	CALL(script_bind(s, fd, OTHER));
	CALL(listen(fd, 2));
	CALL(sock_shutdown(fd, SHUT_WR));
	EVENTS(fd);
	CALL(conn_accept_now(fd));
	CALL(sock_shutdown(fd, SHUT_RD));
	EVENTS(fd);
	CALL(conn_accept_now(fd));
	use(s, fd);
	CALL(listen(fd, 2));
	EVENTS(fd);
	close(fd);
	CALL(conn_accept_now(s->a));
	CALL(sock_listen(s->a, 1));
}

SCRIPT(refused)
{
	int fd = script_socket(s, 0);

	CALL(script_connect(s, fd, NOBODY));
	look(s, fd);
	ERROR(fd);
	CALL(script_connect(s, fd, NOBODY));
	use(s, fd);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	look(s, fd);
	use(s, fd);
	close(fd);
}

/* How often the error is told, and by which call. */
SCRIPT(refused__told_by_recv)
{
	int fd = script_socket(s, SOCK_NONBLOCK);

	CALL(script_connect(s, fd, NOBODY));
	EVENTS_AT(fd, POLLOUT);
	RECV(fd, 0);
	EVENTS(fd);
	RECV(fd, 0);
	SEND(fd, "x");
	ERROR(fd);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	look(s, fd);
	close(fd);
}

SCRIPT(refused__told_by_send)
{
	int fd = script_socket(s, SOCK_NONBLOCK);

	CALL(script_connect(s, fd, NOBODY));
	EVENTS_AT(fd, POLLOUT);
	SEND(fd, "x");
	SEND(fd, "x");
	RECV(fd, 0);
	ERROR(fd);
	CALL(sock_shutdown(fd, SHUT_RDWR));
	CALL(script_connect(s, fd, SCRIPT_PORT));
	EVENTS(fd);
	close(fd);
}

SCRIPT(refused__told_by_so_error)
{
	int fd = script_socket(s, SOCK_NONBLOCK);

	CALL(script_connect(s, fd, NOBODY));
	EVENTS_AT(fd, POLLOUT);
	ERROR(fd);
	ERROR(fd);
	use(s, fd);
	shut(s, fd);
	CALL(script_connect(s, fd, NOBODY));
	CALL(script_connect(s, fd, SCRIPT_PORT));
	CALL(script_connect(s, fd, SCRIPT_PORT));
	EVENTS_AT(fd, POLLOUT);
	close(fd);
}

SCRIPT(refused__told_by_connect)
{
	int fd = script_socket(s, SOCK_NONBLOCK);

	CALL(script_connect(s, fd, NOBODY));
	EVENTS_AT(fd, POLLOUT);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	EVENTS(fd);
	ERROR(fd);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	EVENTS_AT(fd, POLLOUT);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	CALL(script_connect(s, fd, SCRIPT_PORT));
	close(fd);
}

/* Nor is it told to the next connection, if nobody has asked for it. */
SCRIPT(refused__dissolved)
{
	int fd = script_socket(s, SOCK_NONBLOCK);

	CALL(script_connect(s, fd, NOBODY));
	EVENTS_AT(fd, POLLOUT);
	CALL(sock_disconnect(fd));
	CALL(script_connect(s, fd, SCRIPT_PORT));
	EVENTS_AT(fd, POLLOUT);
	ERROR(fd);
	use(s, fd);
	close(fd);
}

/*
 * The accept queue of @listener is full, so that who connects waits: @fd is in
 * SYN_SENT.
 */
static int connecting(struct script *s, int *listener, int *first)
{
	int fd = script_socket(s, SOCK_NONBLOCK);

	*listener = script_listen(s, OTHER, 0);
	*first = script_socket(s, 0);
	CALL(script_connect(s, *first, OTHER));
	EVENTS_AT(*listener, POLLIN);
	CALL(script_connect(s, fd, OTHER));
	return fd;
}

SCRIPT(connecting)
{
	int listener, first, fd = connecting(s, &listener, &first);

	look(s, fd);
	CALL(conn_amount(fd, SIOCOUTQ));
	use(s, fd);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	CALL(sock_listen(fd, 1));
	CALL(script_bind(s, fd, OTHER + 1));
	close(fd);
	close(first);
	close(listener);
}

SCRIPT(connecting__shut_down_reading)
{
	int listener, first, fd = connecting(s, &listener, &first);

	CALL(sock_shutdown(fd, SHUT_RD));
	EVENTS(fd);
	use(s, fd);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	EVENTS_AT(fd, POLLOUT);
	close(fd);
	close(first);
	close(listener);
}

SCRIPT(connecting__shut_down_writing)
{
	int listener, first, fd = connecting(s, &listener, &first);

	CALL(sock_shutdown(fd, SHUT_WR));
	EVENTS(fd);
	ERROR(fd);
	CALL(script_connect(s, fd, SCRIPT_PORT));
	EVENTS_AT(fd, POLLOUT);
	close(fd);
	close(first);
	close(listener);
}

SCRIPT(connecting__dissolved)
{
	int listener, first, fd = connecting(s, &listener, &first);

	CALL(sock_disconnect(fd));
	EVENTS(fd);
	ERROR(fd);
	use(s, fd);
	close(fd);
	close(first);
	close(listener);
}

/* How the connection before has ended is nothing to a listener, nor to who comes. */
SCRIPT(connecting__dissolved__listens)
{
	int listener, first, fd = connecting(s, &listener, &first), a, b;

	CALL(sock_disconnect(fd));
	CALL(script_bind(s, fd, NOBODY));
	CALL(sock_listen(fd, 4));
	CALL(fcntl(fd, F_SETFL, O_NONBLOCK));
	EVENTS(fd);
	CALL(accept(fd, NULL, NULL) < 0 ? -errno : 0);
	a = script_socket(s, 0);
	CALL(script_connect(s, a, NOBODY));
	EVENTS_AT(fd, POLLIN);
	b = accept(fd, NULL, NULL);
	CALL(b < 0 ? -errno : 0);
	ERROR(fd);
	ERROR(fd);
	close(a);
	close(b);
	close(fd);
	close(first);
	close(listener);
}

/*
 * A connection and its end
 */

SCRIPT(established)
{
	look(s, s->a);
	CALL(sock_listen(s->a, 1));
	CALL(script_bind(s, s->a, OTHER));
	CALL(script_connect(s, s->a, SCRIPT_PORT));
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	look(s, s->b);
	use(s, s->b);
}

SCRIPT(shut_down_reading)
{
	SEND(s->b, "before");
	ARRIVED(s->a, 6);
	CALL(sock_shutdown(s->a, SHUT_RD));
	look(s, s->a);
	RECV(s->a, 0);
	RECV(s->a, 0);
	SEND(s->b, "after");
	ARRIVED(s->a, 5);
	look(s, s->a);
	use(s, s->a);
}

SCRIPT(shut_down_writing)
{
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	look(s, s->a);
	look(s, s->b);
	SEND(s->b, "more");
	ARRIVED(s->a, 4);
	look(s, s->a);
	CALL(sock_shutdown(s->a, SHUT_WR));
	use(s, s->a);
	use(s, s->b);
}

SCRIPT(shut_down_both)
{
	CALL(sock_shutdown(s->a, SHUT_RDWR));
	EVENTS_AT(s->b, POLLRDHUP);
	use(s, s->a);
	look(s, s->b);
	CALL(sock_shutdown(s->b, SHUT_RD));
	EVENTS(s->b);
	CALL(sock_shutdown(s->b, SHUT_WR));
	ACKED(s->b);
	EVENTS(s->b);
	CALL(sock_shutdown(s->b, SHUT_RDWR));
	use(s, s->b);
}

/* To who will not read, and has said that he writes no more. */
SCRIPT(shut_down_both__sent_to)
{
	CALL(sock_shutdown(s->a, SHUT_RDWR));
	EVENTS_AT(s->b, POLLRDHUP);
	SEND(s->b, "x");
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
	look(s, s->a);
	ERROR(s->a);
	use(s, s->a);
	use(s, s->b);
}

/* In this order what comes between the two is taken. */
SCRIPT(shut_down_one_by_one__sent_to)
{
	CALL(sock_shutdown(s->a, SHUT_RD));
	SEND(s->b, "hello");
	ARRIVED(s->a, 5);
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	look(s, s->a);
	SEND(s->b, "x");
	EVENTS_AT(s->b, POLLHUP);
	use(s, s->b);
	use(s, s->a);
}

/* Both ends, one after the other: LAST_ACK, and nothing. */
SCRIPT(over)
{
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	SEND(s->b, "last");
	CALL(sock_shutdown(s->b, SHUT_WR));
	EVENTS_AT(s->a, POLLHUP);
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->a);
	look(s, s->b);
	CALL(conn_amount(s->a, SIOCOUTQ));
	CALL(conn_amount(s->b, SIOCOUTQ));
	CALL(script_connect(s, s->a, SCRIPT_PORT));
	CALL(sock_listen(s->a, 1));
	use(s, s->a);
	shut(s, s->b);
}

SCRIPT(over__dissolved)
{
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	CALL(sock_shutdown(s->b, SHUT_WR));
	EVENTS_AT(s->a, POLLHUP);
	EVENTS_AT(s->b, POLLHUP);
	CALL(sock_disconnect(s->a));
	EVENTS(s->a);
	ERROR(s->a);
	CALL(script_connect(s, s->a, SCRIPT_PORT));
	EVENTS(s->a);
}

SCRIPT(dissolved__named)
{
	CALL(peer_name(s->a));
	CALL(sock_disconnect(s->a));
	CALL(peer_name(s->a));
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
}

SCRIPT(peer_closed)
{
	SEND(s->a, "hello");
	ACKED(s->a);
	script_close(&s->a);
	EVENTS_AT(s->b, POLLRDHUP);
	look(s, s->b);
	RECV(s->b, 0);
	RECV(s->b, 0);
	look(s, s->b);
	/* Answered by a reset. */
	SEND(s->b, "x");
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
	use(s, s->b);
	shut(s, s->b);
}

SCRIPT(peer_closed__told_by_recv)
{
	script_close(&s->a);
	EVENTS_AT(s->b, POLLRDHUP);
	SEND(s->b, "x");
	EVENTS_AT(s->b, POLLHUP);
	RECV(s->b, 0);
	ERROR(s->b);
	RECV(s->b, 0);
	SEND(s->b, "x");
}

SCRIPT(peer_closed__shut_down)
{
	script_close(&s->a);
	EVENTS_AT(s->b, POLLRDHUP);
	CALL(sock_shutdown(s->b, SHUT_WR));
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
	use(s, s->b);
	shut(s, s->b);
}

SCRIPT(peer_closed__unread)
{
	SEND(s->b, "lost");
	ARRIVED(s->a, 4);
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	script_close(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
	RECV(s->b, 0);
	EVENTS(s->b);
	RECV(s->b, 0);
	RECV(s->b, 0);
	use(s, s->b);
}

/* SO_LINGER says how a close() ends: by what was not read before all. */
SCRIPT(linger)
{
	static const int seconds[] = { -1, 0, 5 };
	int i, unread;

	for (i = 0; i < 3; i++) {
		for (unread = 0; unread < 2; unread++) {
			if (seconds[i] >= 0)
				CALL(conn_linger(s->a, seconds[i]));
			if (unread) {
				SEND(s->b, "lost");
				ARRIVED(s->a, 4);
			}
			SEND(s->a, "hello");
			ARRIVED(s->b, 5);
			script_close(&s->a);
			EVENTS_AT(s->b, POLLRDHUP);
			RECV(s->b, 0);
			RECV(s->b, 0);
			ERROR(s->b);
			script_close(&s->b);
			CALL(script_pair(s));
		}
	}
}

/* One that is off is as if it was never set. */
SCRIPT(linger__off)
{
	struct linger off = { 0, 0 };

	CALL(conn_linger(s->a, 0));
	CALL(setsockopt(s->a, SOL_SOCKET, SO_LINGER, &off, sizeof(off)));
	script_close(&s->a);
	EVENTS_AT(s->b, POLLRDHUP);
	RECV(s->b, 0);
}

SCRIPT(reset__told_by_send)
{
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
	use(s, s->b);
	shut(s, s->b);
}

SCRIPT(reset__told_by_recv)
{
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	RECV(s->b, 0);
	EVENTS(s->b);
	RECV(s->b, 0);
	SEND(s->b, "x");
	ERROR(s->b);
}

SCRIPT(reset__told_by_so_error)
{
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	ERROR(s->b);
	ERROR(s->b);
	use(s, s->b);
}

SCRIPT(reset__told_by_connect)
{
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	CALL(script_connect(s, s->b, SCRIPT_PORT));
	ERROR(s->b);
	CALL(sock_disconnect(s->b));
	ERROR(s->b);
	EVENTS(s->b);
}

SCRIPT(reset__data_before)
{
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
	SEND(s->b, "x");
	CALL(sock_recv(s->b, s->buf, 2, MSG_DONTWAIT));
	RECV(s->b, MSG_PEEK);
	RECV(s->b, 0);
	RECV(s->b, 0);
	EVENTS(s->b);
}

SCRIPT(reset__data_before__wait_for_all)
{
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	CALL(sock_recv(s->b, s->buf, 10, MSG_WAITALL));
	CALL(sock_recv(s->b, s->buf, 10, MSG_WAITALL));
	CALL(sock_recv(s->b, s->buf, 10, MSG_WAITALL));
}

SCRIPT(reset__in_close_wait)
{
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
	ERROR(s->b);
	use(s, s->b);
}

SCRIPT(reset__in_fin_wait)
{
	CALL(sock_shutdown(s->b, SHUT_WR));
	EVENTS_AT(s->a, POLLRDHUP);
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	look(s, s->b);
	use(s, s->b);
}

/* What was never acknowledged can be asked for to the end. */
SCRIPT(reset__amounts)
{
	int left;

	conn_fill(s->b, s->a);
	reset(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	CALL(conn_amount(s->b, SIOCINQ));
	left = conn_amount(s->b, SIOCOUTQ);
	CALL(left > 0);
	ERROR(s->b);
}

SCRIPT(dissolved)
{
	SEND(s->b, "lost");
	ARRIVED(s->a, 4);
	CALL(sock_disconnect(s->a));
	look(s, s->a);
	ERROR(s->a);
	EVENTS_AT(s->b, POLLHUP);
	ERROR(s->b);
	use(s, s->a);
	CALL(script_connect(s, s->a, SCRIPT_PORT));
	look(s, s->a);
	CALL(sock_disconnect(s->listener));
	EVENTS(s->listener);
	EVENTS_AT(s->a, POLLHUP);
	ERROR(s->a);
}

SCRIPT(dissolved__connected_again)
{
	CALL(sock_disconnect(s->a));
	CALL(script_connect(s, s->a, SCRIPT_PORT));
	look(s, s->a);
	use(s, s->a);
}

/*
 * Who sleeps when another thread ends it
 */

static long sleep_in_accept(struct sleeper *self)
{
	int fd = accept(self->fd, NULL, NULL);

	return fd < 0 ? -errno : fd;
}

static long sleep_in_connect(struct sleeper *self)
{
	return script_connect(self->data, self->fd, OTHER);
}

/* Begin a call that sleeps, end it, and see what it and others say then. */
static void wake(struct script *s, struct sleeper *sleeper, long call,
		 bool dissolve)
{
	if (!sleeper_start(sleeper, call)) {
		script_say(s, "sleeper", "awake");
		return;
	}
	if (dissolve)
		CALL(sock_disconnect(sleeper->fd));
	else
		CALL(sock_shutdown(sleeper->fd, SHUT_RDWR));
	CALL(sleeper_join(sleeper));
	EVENTS(sleeper->fd);
	use(s, sleeper->fd);
}

SCRIPT(asleep__connect)
{
	int dissolve;

	for (dissolve = 0; dissolve < 2; dissolve++) {
		struct sleeper sleeper = {
			.call = sleep_in_connect, .data = s,
		};
		int listener, first, fd = connecting(s, &listener, &first);

		close(fd);
		sleeper.fd = script_socket(s, 0);
		wake(s, &sleeper, SYS_connect, dissolve);
		CALL(script_connect(s, sleeper.fd, SCRIPT_PORT));
		close(sleeper.fd);
		close(first);
		close(listener);
	}
}

SCRIPT(asleep__accept)
{
	int dissolve;

	for (dissolve = 0; dissolve < 2; dissolve++) {
		struct sleeper sleeper = {
			.call = sleep_in_accept,
			.fd = script_listen(s, OTHER, 1),
		};

		wake(s, &sleeper, SYS_accept, dissolve);
		close(sleeper.fd);
	}
}

SCRIPT(asleep__recv)
{
	int dissolve;

	for (dissolve = 0; dissolve < 2; dissolve++) {
		struct sleeper sleeper = {
			.call = sleep_in_recv, .fd = s->a, .data = s->buf,
			.len = 10, .flags = MSG_WAITALL,
		};

		SEND(s->b, "hello");
		ARRIVED(s->a, 5);
		wake(s, &sleeper, SYS_recvfrom, dissolve);
		script_close(&s->a);
		script_close(&s->b);
		CALL(script_pair(s));
		sleeper.fd = s->a;
		wake(s, &sleeper, SYS_recvfrom, dissolve);
		script_close(&s->a);
		script_close(&s->b);
		CALL(script_pair(s));
	}
}

SCRIPT(asleep__send)
{
	static char data[1 << 16];
	int dissolve;

	for (dissolve = 0; dissolve < 2; dissolve++) {
		struct sleeper sleeper = {
			.call = sleep_in_send, .fd = s->a, .data = data,
			.len = sizeof(data), .flags = MSG_NOSIGNAL,
		};

		conn_fill(s->a, s->b);
		wake(s, &sleeper, SYS_sendto, dissolve);
		script_close(&s->a);
		script_close(&s->b);
		CALL(script_pair(s));
	}
}

/*
 * Flags
 */

SCRIPT(empty)
{
	SEND(s->a, "");
	RECV(s->b, 0);
	CALL(sock_recv(s->b, s->buf, 0, MSG_DONTWAIT));
	CALL(sock_recv(s->b, s->buf, 0, MSG_DONTWAIT | MSG_PEEK));
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	CALL(sock_recv(s->b, s->buf, 0, 0));
	CALL(sock_recv(s->b, s->buf, 0, MSG_WAITALL));
	CALL(sock_recv(s->b, s->buf, 0, MSG_TRUNC));
	CALL(sock_recv(s->b, s->buf, 0, MSG_PEEK | MSG_TRUNC));
	RECV(s->b, 0);
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	CALL(sock_recv(s->b, s->buf, 0, 0));
	SEND(s->a, "");
	CALL(sock_send(s->b, NULL, 0, 0));
}

SCRIPT(peek)
{
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	CALL(sock_recv(s->b, s->buf, 3, MSG_PEEK));
	RECV(s->b, MSG_PEEK);
	RECV(s->b, MSG_PEEK | MSG_WAITALL);
	SEND(s->a, "world");
	ARRIVED(s->b, 10);
	CALL(sock_recv(s->b, s->buf, 10, MSG_PEEK | MSG_WAITALL));
	script_say(s, "peeked", s->buf);
	CALL(sock_recv(s->b, s->buf, 4, 0));
	CALL(sock_recv(s->b, s->buf, 3, MSG_PEEK | MSG_TRUNC));
	CALL(sock_recv(s->b, s->buf, 6, MSG_PEEK));
	script_say(s, "peeked", s->buf);
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	CALL(sock_recv(s->b, s->buf, 100, MSG_PEEK | MSG_WAITALL));
	CALL(sock_recv(s->b, s->buf, 100, MSG_WAITALL));
	RECV(s->b, MSG_PEEK);
}

SCRIPT(trunc)
{
	memset(s->buf, 0, sizeof(s->buf));
	SEND(s->a, "helloworld");
	ARRIVED(s->b, 10);
	CALL(sock_recv(s->b, s->buf, 3, MSG_TRUNC));
	script_say(s, "stored", s->buf);
	CALL(sock_recv(s->b, NULL, 2, MSG_TRUNC));
	CALL(sock_recv(s->b, s->buf, 5, MSG_TRUNC | MSG_WAITALL));
	RECV(s->b, MSG_TRUNC);
}

/* A control message that is wrong: before anything is sent, or not. */
SCRIPT(wrong_control_message)
{
	union {
		struct cmsghdr	cmsg;
		char		room[CMSG_SPACE(sizeof(int))];
	} control = {
		.cmsg = {
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET, .cmsg_type = 4711,
		},
	};
	struct iovec iov = { "hello", 5 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	CALL(sendmsg(s->a, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0);
	SEND(s->a, "x");
	ARRIVED(s->b, 1);
	RECV(s->b, 0);
	reset(&s->b);
	EVENTS_AT(s->a, POLLHUP);
	CALL(sendmsg(s->a, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0);
	CALL(sendmsg(s->a, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0);
}

/* How much is left, which counts the end. */
static int left(struct script *s, size_t len)
{
	union {
		struct cmsghdr	cmsg;
		char		room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { s->buf, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(s->b, &msg, MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	return CMSG_FIRSTHDR(&msg) ? *(int *)CMSG_DATA(&control.cmsg) : -ENODATA;
}

SCRIPT(amount_left)
{
	bool tcp = s->family == AF_INET;

	CALL(left(s, 1));
	CALL(sock_set(s->b, tcp ? SOL_TCP : SOL_FERRY, tcp ? TCP_INQ : FERRY_INQ, 1));
	SEND(s->a, "helloworld");
	ARRIVED(s->b, 10);
	CALL(left(s, 0));
	CALL(left(s, 4));
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	CALL(left(s, 4));
	CALL(left(s, 4));
	CALL(left(s, 4));
	CALL(left(s, 4));
}

SCRIPT(rcvlowat)
{
	CALL(sock_set(s->b, SOL_SOCKET, SO_RCVLOWAT, 8));
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	EVENTS(s->b);
	SEND(s->a, "world");
	ARRIVED(s->b, 10);
	EVENTS(s->b);
	CALL(sock_recv(s->b, s->buf, 4, 0));
	EVENTS(s->b);
	CALL(sock_set(s->b, SOL_SOCKET, SO_RCVLOWAT, 6));
	EVENTS(s->b);
	CALL(sock_set(s->b, SOL_SOCKET, SO_RCVLOWAT, 8));
	CALL(sock_recv(s->b, s->buf, 4, 0));
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
}

/* More room by SO_RCVBUF alone, without a reader: the sender finds out. */
SCRIPT(rcvbuf__raised)
{
	int held;

	CALL(sock_set(s->b, SOL_SOCKET, SO_RCVBUF, 65536));
	conn_fill(s->a, s->b);
	held = conn_amount(s->b, SIOCINQ);
	CALL(sock_set(s->b, SOL_SOCKET, SO_RCVBUF, 200000));
	CALL(sock_set(s->b, SOL_SOCKET, SO_RCVLOWAT, held + 1));
	EVENTS_AT(s->b, POLLIN);
	/* Until more is there than there was. */
	CALL(sock_recv(s->b, NULL, held + 1, MSG_TRUNC | MSG_WAITALL) > held);
}

/*
 * Faults
 */

#define FAR	((void *)8)

static ssize_t send_two(int fd, void *first, size_t a, void *second, size_t b)
{
	struct iovec iov[2] = { { first, a }, { second, b } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n = sendmsg(fd, &msg, MSG_NOSIGNAL);

	return n < 0 ? -errno : n;
}

static ssize_t recv_two(int fd, void *first, size_t a, void *second, size_t b,
			int flags)
{
	struct iovec iov[2] = { { first, a }, { second, b } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n = recvmsg(fd, &msg, flags);

	return n < 0 ? -errno : n;
}

SCRIPT(fault__send)
{
	CALL(sock_send(s->a, FAR, 5, MSG_NOSIGNAL));
	CALL(sock_send(s->a, FAR, 0, MSG_NOSIGNAL));
	EVENTS(s->a);
	CALL(conn_amount(s->a, SIOCOUTQ));
	CALL(send_two(s->a, "hello", 5, FAR, 5));
	SEND(s->a, "x");
	CALL(sock_await(s->b, s->buf, 64) > 0);
	script_say(s, "got", s->buf);
	reset(&s->b);
	EVENTS_AT(s->a, POLLHUP);
	CALL(sock_send(s->a, FAR, 5, MSG_NOSIGNAL));
	CALL(sock_send(s->a, FAR, 5, MSG_NOSIGNAL));
}

SCRIPT(fault__recv)
{
	SEND(s->a, "helloworld");
	ARRIVED(s->b, 10);
	CALL(sock_recv(s->b, FAR, 5, 0));
	CALL(sock_recv(s->b, FAR, 5, MSG_PEEK));
	CALL(sock_recv(s->b, FAR, 0, 0));
	CALL(recv_two(s->b, s->buf, 5, FAR, 5, 0));
	CALL(recv_two(s->b, s->buf, 5, FAR, 5, MSG_PEEK));
	CALL(recv_two(s->b, s->buf, 5, FAR, 5, MSG_WAITALL));
	CALL(conn_amount(s->b, SIOCINQ));
	/* As far as it can be stored. */
	CALL(recv_two(s->b, s->buf, 4, FAR, 0, 0));
	RECV(s->b, 0);
	script_say(s, "got", s->buf);
	CALL(sock_recv(s->b, FAR, 5, MSG_DONTWAIT));
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS_AT(s->b, POLLRDHUP);
	CALL(sock_recv(s->b, FAR, 5, MSG_DONTWAIT));
}

TEST_HARNESS_MAIN
