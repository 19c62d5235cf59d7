// SPDX-License-Identifier: GPL-2.0-only
/*
 * A record socket does what AF_UNIX's does, as far as a network can: the same calls
 * on both. What each call returns, and what poll() says, is compared.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 *
 * What cannot be the same: a listener wants no name here; that a peer has closed
 * is known to AF_UNIX at once, and what it was sent before is not answered; and
 * MSG_EOR, which AF_UNIX never tells.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "script.h"
#include "wait.h"

#define OTHER	(SCRIPT_PORT + 2)
#define FAR	((void *)8)

FIXTURE(as_unix) {
};

FIXTURE_SETUP(as_unix)
{
	ASSERT_LE(0, net_new());
}

FIXTURE_TEARDOWN(as_unix)
{
}

#define SCRIPT(name)	SCRIPT_CASE(as_unix, AF_UNIX, SOCK_SEQPACKET, name)

/* No MSG_NOSIGNAL: neither raises one. */
#define SEND(fd, text)	CALL(sock_send(fd, text, sizeof(text) - 1, 0))
#define RECV(fd, flags)	record(s, fd, sizeof(s->buf), flags)

/* Receive one: its length, its text, and whether it was cut. */
static void record(struct script *s, int fd, size_t len, int flags)
{
	struct iovec iov = { s->buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	memset(s->buf, 0, sizeof(s->buf));
	n = recvmsg(fd, &msg, flags | MSG_DONTWAIT);
	script_result(s, "record", n < 0 ? -errno : n);
	if (n < 0)
		return;
	script_say(s, "text", s->buf);
	if (msg.msg_flags & MSG_TRUNC)
		script_say(s, "it was", "cut");
}

static int peer_name(int fd)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);

	return getpeername(fd, (struct sockaddr *)&name, &len) ? -errno : 0;
}

/* All that a call can say of a socket that is not connected, and what it does. */
static void look(struct script *s, int fd)
{
	EVENTS(fd);
	CALL(peer_name(fd));
	CALL(conn_amount(fd, SIOCINQ));
	SEND(fd, "x");
	RECV(fd, 0);
	ERROR(fd);
}

SCRIPT(new)
{
	int fd = script_socket(s, 0);

	look(s, fd);
	close(fd);
}

/* It can be shut down before it is connected. */
SCRIPT(new__shut_down_writing)
{
	int fd = script_socket(s, 0);

	CALL(sock_shutdown(fd, SHUT_WR));
	CALL(peer_name(fd));
	EVENTS(fd);
	CALL(sock_shutdown(fd, SHUT_WR));
	CALL(sock_shutdown(fd, 3));
	close(fd);
}

SCRIPT(new__shut_down)
{
	int fd = script_socket(s, 0);

	CALL(sock_shutdown(fd, SHUT_RD));
	EVENTS(fd);
	RECV(fd, 0);
	CALL(sock_shutdown(fd, SHUT_RDWR));
	EVENTS(fd);
	RECV(fd, 0);
	CALL(peer_name(fd));
	close(fd);
}

SCRIPT(listening)
{
	CALL(peer_name(s->listener));
	CALL(script_connect(s, s->listener, SCRIPT_PORT));
	CALL(sock_listen(s->listener, 1));
	CALL(conn_accept_now(s->listener));
}

/* Who has closed keeps his name. */
SCRIPT(closed__names)
{
	CALL(peer_name(s->a));
	CALL(peer_name(s->b));
	CALL(sock_shutdown(s->a, SHUT_RDWR));
	CALL(peer_name(s->a));
	CALL(sock_wait(s->b, POLLRDHUP) & POLLRDHUP);
	CALL(peer_name(s->b));
	CALL(sock_shutdown(s->b, SHUT_RDWR));
	CALL(peer_name(s->b));
	CALL(peer_name(s->a));
	script_close(&s->a);
	CALL(peer_name(s->b));
}

SCRIPT(reset__names)
{
	SEND(s->b, "unread");
	ARRIVED(s->a, 6);
	script_close(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	CALL(peer_name(s->b));
	ERROR(s->b);
	CALL(peer_name(s->b));
}

SCRIPT(order)
{
	EVENTS(s->a);
	SEND(s->a, "first");
	SEND(s->a, "second");
	ARRIVED(s->b, 11);
	EVENTS(s->b);
	RECV(s->b, 0);
	RECV(s->b, MSG_WAITALL);
	RECV(s->b, 0);
	EVENTS(s->b);
}

/* Receive one, with room for a name: is it the peer's? */
static void sender(struct script *s, int fd, int flags)
{
	struct sockaddr_storage from = { 0 }, peer = { 0 };
	socklen_t len = sizeof(from), peer_len = sizeof(peer);

	script_result(s, "from", recvfrom(fd, s->buf, sizeof(s->buf),
					  flags | MSG_DONTWAIT,
					  (struct sockaddr *)&from, &len));
	getpeername(fd, (struct sockaddr *)&peer, &peer_len);
	if (!len)
		script_say(s, "it was", "nobody's");
	else if (len == peer_len && !memcmp(&from, &peer, len))
		script_say(s, "it was", "the peer's");
	else
		script_say(s, "it was", "another's");
}

/* The one that was accepted has a name on both. */
SCRIPT(names_of_records)
{
	SEND(s->b, "record");
	SEND(s->b, "");
	ARRIVED(s->a, 6);
	sender(s, s->a, MSG_PEEK);
	sender(s, s->a, 0);
	CALL(sock_wait(s->a, POLLIN) & POLLIN);
	sender(s, s->a, 0);
	CALL(sock_shutdown(s->b, SHUT_WR));
	CALL(sock_wait(s->a, POLLRDHUP) & POLLRDHUP);
	sender(s, s->a, 0);
}

SCRIPT(trunc)
{
	SEND(s->a, "hello");
	SEND(s->a, "world");
	SEND(s->a, "again");
	SEND(s->a, "last");
	ARRIVED(s->b, 19);
	record(s, s->b, 2, MSG_PEEK);
	record(s, s->b, 2, MSG_PEEK | MSG_TRUNC);
	record(s, s->b, 2, MSG_TRUNC);
	record(s, s->b, 2, 0);
	record(s, s->b, 0, 0);
	record(s, s->b, 4, 0);
	RECV(s->b, 0);
}

SCRIPT(empty)
{
	SEND(s->a, "");
	SEND(s->a, "x");
	SEND(s->a, "");
	ARRIVED(s->b, 1);
	EVENTS(s->b);
	RECV(s->b, MSG_PEEK);
	RECV(s->b, 0);
	RECV(s->b, 0);
	EVENTS(s->b);
	RECV(s->b, 0);
	EVENTS(s->b);
	RECV(s->b, 0);
}

/* SO_PEEK_OFF goes from one record to the next. */
SCRIPT(peek_offset)
{
	CALL(sock_set(s->b, SOL_SOCKET, SO_PEEK_OFF, 0));
	SEND(s->a, "hello");
	SEND(s->a, "world");
	ARRIVED(s->b, 10);
	record(s, s->b, 2, MSG_PEEK);
	record(s, s->b, 2, MSG_PEEK | MSG_TRUNC);
	CALL(sock_get(s->b, SOL_SOCKET, SO_PEEK_OFF));
	RECV(s->b, MSG_PEEK);
	RECV(s->b, MSG_PEEK);
	CALL(sock_get(s->b, SOL_SOCKET, SO_PEEK_OFF));
	RECV(s->b, MSG_PEEK);
	SEND(s->a, "more");
	ARRIVED(s->b, 14);
	record(s, s->b, 1, MSG_PEEK);
	RECV(s->b, 0);
	CALL(sock_get(s->b, SOL_SOCKET, SO_PEEK_OFF));
	RECV(s->b, MSG_PEEK);
	RECV(s->b, 0);
	CALL(sock_set(s->b, SOL_SOCKET, SO_PEEK_OFF, 2));
	RECV(s->b, MSG_PEEK);
	CALL(sock_set(s->b, SOL_SOCKET, SO_PEEK_OFF, -1));
	RECV(s->b, MSG_PEEK);
	RECV(s->b, 0);
}

/* Records of no bytes are peeked at once each. */
SCRIPT(peek_offset__empty)
{
	int i;

	CALL(sock_set(s->b, SOL_SOCKET, SO_PEEK_OFF, 0));
	SEND(s->a, "");
	SEND(s->a, "a");
	SEND(s->a, "");
	SEND(s->a, "");
	SEND(s->a, "b");
	ARRIVED(s->b, 2);
	for (i = 0; i < 6; i++)
		RECV(s->b, MSG_PEEK);
	for (i = 0; i < 6; i++)
		RECV(s->b, 0);
	CALL(sock_get(s->b, SOL_SOCKET, SO_PEEK_OFF));
}

static ssize_t two(int fd, bool send, void *first, size_t a, void *second,
		   size_t b, int flags)
{
	struct iovec iov[2] = { { first, a }, { second, b } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n = send ? sendmsg(fd, &msg, flags) : recvmsg(fd, &msg, flags);

	return n < 0 ? -errno : n;
}

SCRIPT(fault__send)
{
	static char large[100000];

	CALL(sock_send(s->a, FAR, 4, 0));
	CALL(two(s->a, true, "good", 4, FAR, 4, 0));
	CALL(two(s->a, true, large, sizeof(large), FAR, 4, 0));
	CALL(sock_send(s->a, FAR, 0, 0));
	SEND(s->a, "x");
	ARRIVED(s->b, 1);
	RECV(s->b, 0);
	RECV(s->b, 0);
	RECV(s->b, 0);
}

SCRIPT(fault__recv)
{
	SEND(s->a, "kept");
	SEND(s->a, "lost");
	SEND(s->a, "partly");
	SEND(s->a, "next");
	ARRIVED(s->b, 18);
	CALL(sock_recv(s->b, FAR, 4, MSG_PEEK));
	CALL(two(s->b, false, s->buf, 2, FAR, 2, MSG_PEEK));
	RECV(s->b, 0);
	CALL(sock_recv(s->b, FAR, 4, 0));
	CALL(two(s->b, false, s->buf, 2, FAR, 2, 0));
	RECV(s->b, 0);
	RECV(s->b, 0);
}

SCRIPT(too_large)
{
	static char large[1 << 20];

	CALL(sock_set(s->a, SOL_SOCKET, SO_SNDBUF, 20000));
	CALL(sock_send(s->a, large, sizeof(large), 0));
	SEND(s->a, "x");
	ARRIVED(s->b, 1);
	RECV(s->b, 0);
}

/* With a control message that nobody knows. */
static ssize_t odd(int fd, void *data, size_t len, int flags)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { data, len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = 0x7777;
	return sendmsg(fd, &msg, flags) < 0 ? -errno : 0;
}

/* Of all that is wrong with a send(), the first is told. */
static void refuse(struct script *s, int fd)
{
	static char large[1 << 20];

	CALL(odd(fd, large, sizeof(large), MSG_OOB));
	CALL(sock_send(fd, large, sizeof(large), MSG_OOB));
	CALL(odd(fd, large, sizeof(large), 0));
	CALL(sock_send(fd, large, sizeof(large), 0));
	CALL(sock_send(fd, "x", 1, MSG_OOB));
	CALL(odd(fd, "x", 1, 0));
	CALL(sock_send(fd, FAR, 1, MSG_OOB));
	CALL(odd(fd, FAR, 1, 0));
}

SCRIPT(refused)
{
	int fd = script_socket(s, 0);

	refuse(s, fd);
	refuse(s, s->listener);
	CALL(sock_set(s->a, SOL_SOCKET, SO_SNDBUF, 20000));
	refuse(s, s->a);
	CALL(sock_shutdown(s->a, SHUT_WR));
	refuse(s, s->a);
	close(fd);
}

/* The peer closes with something unread, and is seen to. */
static void close_unread(struct script *s)
{
	SEND(s->b, "lost");
	ARRIVED(s->a, 4);
	script_close(&s->a);
	EVENTS_AT(s->b, POLLHUP);
}

SCRIPT(refused__after_an_error)
{
	int i;

	for (i = 0; i < 3; i++) {
		CALL(sock_set(s->b, SOL_SOCKET, SO_SNDBUF, 20000));
		close_unread(s);
		switch (i) {
		case 0:
			CALL(sock_send(s->b, "x", 1, MSG_OOB));
			break;
		case 1:
			CALL(odd(s->b, "x", 1, 0));
			break;
		}
		refuse(s, s->b);
		script_close(&s->b);
		if (script_pair(s))
			script_say(s, "no", "pair");
	}
}

/*
 * The end
 */

SCRIPT(shut_down_writing)
{
	SEND(s->a, "last");
	ARRIVED(s->b, 4);
	CALL(sock_shutdown(s->a, SHUT_WR));
	EVENTS(s->a);
	SEND(s->a, "x");
	SEND(s->a, "");
	EVENTS_AT(s->b, POLLRDHUP);
	RECV(s->b, 0);
	RECV(s->b, 0);
	EVENTS(s->b);
	SEND(s->b, "back");
	ARRIVED(s->a, 4);
	RECV(s->a, 0);
	RECV(s->a, 0);
}

SCRIPT(shut_down_reading)
{
	SEND(s->b, "before");
	ARRIVED(s->a, 6);
	CALL(sock_shutdown(s->a, SHUT_RD));
	EVENTS(s->a);
	RECV(s->a, 0);
	RECV(s->a, 0);
	SEND(s->a, "x");
}

SCRIPT(closed)
{
	SEND(s->a, "last");
	SEND(s->a, "");
	ARRIVED(s->b, 4);
	script_close(&s->a);
	CALL((sock_wait(s->b, POLLRDHUP) & POLLRDHUP) != 0);
	RECV(s->b, 0);
	RECV(s->b, 0);
	RECV(s->b, 0);
	RECV(s->b, MSG_PEEK);
	ERROR(s->b);
}

/* A peer that closes with something unread: the error comes first. */
SCRIPT(closed__unread)
{
	SEND(s->b, "lost");
	ARRIVED(s->a, 4);
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	script_close(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	RECV(s->b, 0);
	EVENTS(s->b);
	RECV(s->b, MSG_PEEK);
	RECV(s->b, 0);
	RECV(s->b, 0);
	EVENTS(s->b);
	SEND(s->b, "x");
	ERROR(s->b);
}

SCRIPT(closed__unread__told_by_send)
{
	SEND(s->b, "lost");
	ARRIVED(s->a, 4);
	SEND(s->a, "hello");
	ARRIVED(s->b, 5);
	script_close(&s->a);
	EVENTS_AT(s->b, POLLHUP);
	SEND(s->b, "x");
	SEND(s->b, "x");
	RECV(s->b, 0);
	RECV(s->b, 0);
	ERROR(s->b);
}

SCRIPT(closed__unread__told_by_so_error)
{
	close_unread(s);
	ERROR(s->b);
	ERROR(s->b);
	RECV(s->b, 0);
	SEND(s->b, "x");
}

SCRIPT(closed__unread__urgently)
{
	CALL(sock_set(s->b, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1));
	close_unread(s);
	ERROR(s->b);
	EVENTS(s->b);
}

SCRIPT(not_connected)
{
	int fd = script_socket(s, 0);

	EVENTS(fd);
	RECV(fd, 0);
	RECV(fd, MSG_PEEK);
	SEND(fd, "x");
	SEND(fd, "");
	CALL(conn_accept_now(fd));
	CALL(script_connect(s, fd, OTHER));
	ERROR(fd);
	close(fd);
	EVENTS(s->listener);
	RECV(s->listener, 0);
	SEND(s->listener, "x");
	CALL(conn_amount(s->listener, SIOCINQ));
	CALL(conn_accept_now(s->listener));
}

TEST_HARNESS_MAIN
