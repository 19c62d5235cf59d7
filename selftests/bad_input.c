// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bad input: each call with pointers that fault at their start, in their middle and
 * at their end, with lengths that are none, short, long, negative and huge, with
 * flags and options that nobody knows, in states that are wrong for it.
 *
 * All of that is generated, and what each call returns is compared with what TCP,
 * AF_UNIX's records and UDP return. Where there is nothing to compare with, it is to
 * be refused by one of the errors that the man page has. At last everything is
 * called by two threads at once: then it is enough that the next connection works.
 *
 *	+- new namespace -+
 *	|   lo   ferry0   |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "repeat.h"
#include "script.h"
#include "sock.h"

#define SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define TEXT		"helloworld"
#define OTHER		(SCRIPT_PORT + 7)

/* A page, and after its end nothing. */
static __thread char *page_end;

/* A thread's own: what one has made ready the other is not to change. */
static bool map_pages(void)
{
	char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || mprotect(page + 2 * 4096, 4096, PROT_NONE))
		return false;
	page_end = page + 2 * 4096;
	return true;
}

/*
 * enum pointer - of a pointer to some bytes, where it points
 */
enum pointer {
	GOOD,		/* the bytes end with the page: all are there */
	NOWHERE,	/* NULL */
	KERNEL,		/* an address that is the kernel's */
	MIDDLE,		/* half of them are there */
	LAST,		/* all but the last */
	WHERES,
};

static const char *const wheres[] = { "good", "NULL", "kernel", "middle", "last" };

static void *at(enum pointer where, size_t len)
{
	switch (where) {
	case NOWHERE:
		return NULL;
	case KERNEL:
		return (void *)(1UL << 63);
	case MIDDLE:
		return page_end - len / 2;
	case LAST:
		return page_end - len + !!len;
	default:
		return page_end - len;
	}
}

/* Lengths of what has one. */
static const int lengths[] = { 0, 1, -1, INT_MAX, INT_MIN };
/* And those that come of the one that is right. */
#define LENGTHS	(SIZE(lengths) + 4)

static int length(unsigned int i, int right)
{
	static const int off[] = { -1, 0, 1, 100 };

	return i < SIZE(lengths) ? lengths[i] : right + off[i - SIZE(lengths)];
}

/* What is there of it is not more than a page. */
static size_t in_page(int len)
{
	return len < 0 || len > 4096 ? 64 : len;
}

static long result(long n)
{
	return n < 0 ? -errno : n;
}

static int address_size(const struct script *s)
{
	return s->family == AF_INET ? sizeof(struct sockaddr_in) :
				      sizeof(struct sockaddr_ferry);
}

static void *address_at(const struct script *s, enum pointer where, int len,
			unsigned int port)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_ferry ferry = sfy(addr_any, port);
	size_t room = in_page(len);
	char *start = page_end - room;
	const void *from = s->family == AF_INET ? (void *)&in : (void *)&ferry;
	size_t size = address_size(s);

	memset(start, 0, room);
	if (where == GOOD)
		memcpy(start, from, size < room ? size : room);
	return at(where, room);
}

/*
 * The calls. Each has its cases numbered through; what a number means, its text
 * says, for who has to read it.
 */

/*
 * struct cell - one case
 *
 * @s: both ends, and a listener
 * @fd: the socket that is called
 * @i: its number
 * @text: what that means
 */
struct cell {
	struct script	*s;
	int		fd;
	unsigned int	i;
	char		text[96];
};

#define SAY(c, ...)	snprintf((c)->text, sizeof((c)->text), __VA_ARGS__)

static const size_t sizes[] = { 0, 1, 10, 1000, INT_MAX, -1UL };

static size_t size_of(struct cell *c, enum pointer *where)
{
	*where = c->i / SIZE(sizes) % WHERES;
	/* There are no such amounts to be read or written. */
	if (*where == GOOD && sizes[c->i % SIZE(sizes)] > 1000)
		*where = KERNEL;
	SAY(c, "%s of %zu", wheres[*where], sizes[c->i % SIZE(sizes)]);
	return sizes[c->i % SIZE(sizes)];
}

static long do_send(struct cell *c)
{
	enum pointer where;
	size_t len = size_of(c, &where);

	return result(send(c->fd, at(where, in_page(len > INT_MAX ? -1 : len)),
			   len, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static long do_recv(struct cell *c)
{
	enum pointer where;
	size_t len = size_of(c, &where);

	return result(recv(c->fd, at(where, in_page(len > INT_MAX ? -1 : len)),
			   len, MSG_DONTWAIT));
}

/* A bit that both sides take for the same. */
static int flag_of(struct cell *c, unsigned int but)
{
	unsigned int flag = 1U << c->i % 32;

	if (flag & but)
		flag = 0;
	SAY(c, "flag %#x", flag);
	return flag | MSG_DONTWAIT | MSG_NOSIGNAL;
}

/* Data out of band, of which Ferry has none; and a datagram that is not ended. */
static long do_send_flag(struct cell *c)
{
	unsigned int but = MSG_FASTOPEN | MSG_ZEROCOPY;

	if (c->s->type == SOCK_STREAM)
		but |= MSG_OOB;
	if (c->s->type == SOCK_DGRAM)
		but |= MSG_MORE;
	return result(send(c->fd, TEXT, 10, flag_of(c, but)));
}

static long do_recv_flag(struct cell *c)
{
	char buf[64];
	unsigned int but = c->s->type == SOCK_SEQPACKET ? MSG_ERRQUEUE :
			   MSG_OOB;

	return result(recv(c->fd, buf, sizeof(buf), flag_of(c, but)));
}

#define ADDRESS_CASES	(LENGTHS * WHERES)

static int address_length(struct cell *c, enum pointer *where)
{
	unsigned int i = c->i % LENGTHS;

	*where = c->i / LENGTHS % WHERES;
	if (i < SIZE(lengths))
		SAY(c, "%s of %d", wheres[*where], lengths[i]);
	else
		SAY(c, "%s of the size %+d", wheres[*where],
		    length(i, 0));
	return length(i, address_size(c->s));
}

static long do_bind(struct cell *c)
{
	enum pointer where;
	int len = address_length(c, &where);

	return result(bind(c->fd, address_at(c->s, where, len, OTHER), len));
}

static long do_connect(struct cell *c)
{
	enum pointer where;
	int len = address_length(c, &where);

	return result(connect(c->fd, address_at(c->s, where, len, SCRIPT_PORT),
			      len));
}

static long do_sendto(struct cell *c)
{
	enum pointer where;
	int len = address_length(c, &where);

	return result(sendto(c->fd, TEXT, 10, MSG_DONTWAIT | MSG_NOSIGNAL,
			     address_at(c->s, where, len, SCRIPT_PORT), len));
}

/* What is stored of a name, and how long it says that is. */
static long named(struct cell *c, int (*call)(int fd, struct sockaddr *name,
					      socklen_t *len))
{
	enum pointer where;
	int asked = address_length(c, &where);
	socklen_t len = asked;
	long ret;

	ret = result(call(c->fd, at(where, in_page(asked)),
			  c->i % 2 ? &len : c->i % 3 ? &len : NULL));
	if (ret < 0)
		return ret;
	if (call == accept)
		close(ret);
	return len == (socklen_t)address_size(c->s) ? 1 : 0;
}

static long do_getsockname(struct cell *c)
{
	return named(c, getsockname);
}

static long do_getpeername(struct cell *c)
{
	return named(c, getpeername);
}

static long do_accept(struct cell *c)
{
	return named(c, accept);
}

static long do_recvfrom(struct cell *c)
{
	enum pointer where;
	int asked = address_length(c, &where);
	socklen_t len = asked;
	char buf[64];
	long ret;

	ret = result(recvfrom(c->fd, buf, sizeof(buf), MSG_DONTWAIT,
			      at(where, in_page(asked)), &len));
	return ret < 0 ? ret : !!len;
}

static const int hows[] = { SHUT_RD, SHUT_WR, SHUT_RDWR, -1, 3, INT_MAX, INT_MIN };

static long do_shutdown(struct cell *c)
{
	SAY(c, "%d", hows[c->i]);
	return result(shutdown(c->fd, hows[c->i]));
}

static long do_listen(struct cell *c)
{
	static const int backlogs[] = { 0, 1, -1, INT_MAX, INT_MIN };

	SAY(c, "%d", backlogs[c->i]);
	return result(listen(c->fd, backlogs[c->i]));
}

/* Generic options: ints, structs and texts. */
static const int options[] = {
	SO_RCVBUF, SO_LINGER, SO_RCVTIMEO, SO_ATTACH_FILTER, SO_BINDTODEVICE,
	SO_TIMESTAMPING, SO_TXTIME, SO_MAX_PACING_RATE, SO_MEMINFO, SO_COOKIE,
	SO_PEERNAME, SO_ERROR, SO_TYPE, SO_PEEK_OFF, SO_RCVLOWAT, SO_BUSY_POLL,
	SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF, SO_LOCK_FILTER,
	0, -1, 9999,
};

static const int option_lengths[] = {
	0, 1, 2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 100, -1, INT_MIN, INT_MAX,
};

#define OPTION_CASES	(SIZE(options) * SIZE(option_lengths) * WHERES)

static int option_of(struct cell *c, int *len, enum pointer *where)
{
	int option = options[c->i / WHERES / SIZE(option_lengths)];

	*where = c->i % WHERES;
	*len = option_lengths[c->i / WHERES % SIZE(option_lengths)];
	/* TCP's is newer than its other options, and AF_UNIX's name is its own. */
	if ((option == SO_PEEK_OFF && c->s->type == SOCK_STREAM) ||
	    option == SO_PEERNAME)
		option = 0;
	SAY(c, "option %d, %s of %d", option, wheres[*where], *len);
	return option;
}

static long do_setsockopt(struct cell *c)
{
	enum pointer where;
	int len, option = option_of(c, &len, &where);

	memset(page_end - 128, 0, 128);
	return result(setsockopt(c->fd, SOL_SOCKET, option,
				 at(where, in_page(len)), len));
}

static long do_getsockopt(struct cell *c)
{
	enum pointer where;
	int len, option = option_of(c, &len, &where);
	socklen_t got = len;
	long ret;

	ret = result(getsockopt(c->fd, SOL_SOCKET, option,
				at(where, in_page(len)), &got));
	return ret < 0 ? ret : (long)got;
}

/* Our own options: there is nothing to compare with. */
#define FERRY_OPTIONS	64

static long do_own_option(struct cell *c)
{
	int option = c->i / WHERES / SIZE(option_lengths) - 1;
	int len = option_lengths[c->i / WHERES % SIZE(option_lengths)];
	enum pointer where = c->i % WHERES;
	socklen_t got = len;
	long ret;

	SAY(c, "option %d, %s of %d", option, wheres[where], len);
	memset(page_end - 128, 0, 128);
	ret = result(getsockopt(c->fd, SOL_FERRY, option,
				at(where, in_page(len)), &got));
	if (ret < 0 && ret != -EINVAL && ret != -EFAULT && ret != -ENOPROTOOPT &&
	    ret != -ENOTCONN && ret != -EOPNOTSUPP)
		return ret;
	if (!ret && len >= 0 && got > (socklen_t)len)
		return -EMSGSIZE;
	if (!ret && len < 0)
		return -ERANGE;
	ret = result(setsockopt(c->fd, SOL_FERRY, option,
				at(where, in_page(len)), len));
	if (!ret && (len < 1 || (where != GOOD && where != MIDDLE &&
				 where != LAST)))
		return -EBADE;
	switch (ret) {
	case 0:
	case -EINVAL:
	case -EFAULT:
	case -ENOPROTOOPT:
	case -EOPNOTSUPP:
	case -ENOENT:
	case -ENODEV:
	case -EADDRNOTAVAIL:
	case -ENOTCONN:
	case -EISCONN:
	case -EPERM:
		return 0;
	}
	return ret;
}

/*
 * struct message - a message header, and what it points to
 */
struct message {
	struct msghdr	msg;
	struct iovec	iov[2];
	char		buf[64];
	union {
		struct cmsghdr	h;
		char		room[64];
	} control;
};

/* A good control message, as far as its level and its type are. */
static void add_control(struct message *m, int level, int type, size_t len)
{
	m->msg.msg_control = &m->control;
	m->msg.msg_controllen = CMSG_SPACE(sizeof(int));
	m->control.h.cmsg_level = level;
	m->control.h.cmsg_type = type;
	m->control.h.cmsg_len = len;
}

#define MESSAGE_CASES	20

/* One thing of it is wrong. */
static const char *spoil(struct message *m, unsigned int i)
{
	size_t right = CMSG_LEN(sizeof(int));

	switch (i) {
	case 0:
		return "nothing";
	case 1:
		m->msg.msg_iovlen = 0;
		return "no iov";
	case 2:
		m->msg.msg_iov = NULL;
		return "iov nowhere";
	case 3:
		m->msg.msg_iovlen = 1025;
		return "1025 iovs";
	case 4:
		m->msg.msg_iovlen = -1UL;
		return "iovs of -1";
	case 5:
		m->iov[0].iov_len = -1UL;
		return "iov of -1";
	case 6:
		m->msg.msg_iovlen = 2;
		m->iov[0].iov_len = 5;
		return "second iov nowhere";
	case 7:
		m->msg.msg_iovlen = 2;
		m->iov[1] = (struct iovec){ NULL, 0 };
		return "second iov nowhere, of 0";
	case 8:
		m->msg.msg_control = at(KERNEL, 0);
		m->msg.msg_controllen = CMSG_SPACE(sizeof(int));
		return "control message in the kernel";
	case 9:
		m->msg.msg_controllen = CMSG_SPACE(sizeof(int));
		return "control message nowhere";
	case 10:
		m->msg.msg_control = at(MIDDLE, CMSG_SPACE(sizeof(int)));
		m->msg.msg_controllen = CMSG_SPACE(sizeof(int));
		return "half a control message";
	case 11:
		m->msg.msg_controllen = INT_MAX;
		m->msg.msg_control = &m->control;
		return "control messages of INT_MAX";
	case 12:
		add_control(m, SOL_SOCKET, SO_MARK, 0);
		return "control message of 0";
	case 13:
		add_control(m, SOL_SOCKET, SO_MARK, right - 1);
		return "control message short by one";
	case 14:
		add_control(m, SOL_SOCKET, SO_MARK, right + 100);
		return "control message that is too long";
	case 15:
		add_control(m, SOL_SOCKET, 9999, right);
		return "control message that nobody knows";
	case 16:
		add_control(m, 9999, 1, right);
		return "control message of a level that nobody knows";
	case 17:
		add_control(m, SOL_SOCKET, SO_TIMESTAMPING, right - 1);
		return "stamps, short by one";
	case 18:
		add_control(m, SOL_SOCKET, SCM_TXTIME, right);
		return "time to leave, not asked for";
	default:
		m->msg.msg_controllen = 1;
		m->msg.msg_control = &m->control;
		return "control message of 1";
	}
}

static void make_message(struct cell *c, struct message *m)
{
	*m = (struct message) {
		.msg = { .msg_iov = m->iov, .msg_iovlen = 1 },
		.iov = { { m->buf, 10 }, { NULL, 5 } },
		.buf = TEXT,
	};
	SAY(c, "%s", spoil(m, c->i));
}

static long do_sendmsg(struct cell *c)
{
	struct message m;

	make_message(c, &m);
	return result(sendmsg(c->fd, &m.msg, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static long do_recvmsg(struct cell *c)
{
	struct message m;

	make_message(c, &m);
	return result(recvmsg(c->fd, &m.msg, MSG_DONTWAIT));
}

/* The header itself, or a whole row of them. */
static long do_header(struct cell *c)
{
	enum pointer where = c->i % WHERES;
	void *header = at(where, sizeof(struct msghdr));

	SAY(c, "%s, call %u", wheres[where], c->i / WHERES);
	memset(page_end - 512, 0, 512);
	switch (c->i / WHERES) {
	case 0:
		return result(sendmsg(c->fd, header, MSG_DONTWAIT));
	case 1:
		return result(recvmsg(c->fd, header, MSG_DONTWAIT));
	case 2:
		return result(sendmmsg(c->fd, header, 0, MSG_DONTWAIT));
	case 3:
		return result(recvmmsg(c->fd, at(where, sizeof(struct mmsghdr)),
				       -1, MSG_DONTWAIT, NULL));
	case 4:
		return result(recvmmsg(c->fd, at(where, sizeof(struct mmsghdr)),
				       1, MSG_DONTWAIT,
				       &(struct timespec){ 0, 1000000000 }));
	default:
		return result(recvmmsg(c->fd, NULL, 1, MSG_DONTWAIT,
				       at(where, sizeof(struct timespec))));
	}
}

static const unsigned long requests[] = {
	SIOCINQ, SIOCOUTQ, FIONBIO, FIOASYNC, SIOCGPGRP, SIOCSPGRP,
	0xdeadbeef, 0,
};

static long do_ioctl(struct cell *c)
{
	enum pointer where = c->i % WHERES;

	SAY(c, "request %#lx, %s", requests[c->i / WHERES], wheres[where]);
	/* It never waits. */
	memset(page_end - 8, 1, 8);
	return result(ioctl(c->fd, requests[c->i / WHERES], at(where, 4)));
}

enum {
	OF_STREAM = 1, OF_RECORD = 2, OF_DGRAM = 4,
	OF_ALL = OF_STREAM | OF_RECORD | OF_DGRAM,
	/* Names are a family's own: AF_UNIX's have no one size. */
	OF_INET = OF_STREAM | OF_DGRAM,
};

/*
 * struct call - a call, and its cases
 *
 * @types: of which types it is compared with the other family's
 * @fresh: each case has a pair of its own, since it may change its state
 * @filled: there is something to be read
 */
static const struct call {
	const char	*name;
	long		(*run)(struct cell *c);
	unsigned int	count, types;
	bool		fresh, filled;
} calls[] = {
	{ "send", do_send, SIZE(sizes) * WHERES, OF_ALL },
	{ "recv", do_recv, SIZE(sizes) * WHERES, OF_ALL, .filled = true },
	{ "send flags", do_send_flag, 32, OF_ALL },
	{ "recv flags", do_recv_flag, 32, OF_ALL, .filled = true },
	{ "sendmsg", do_sendmsg, MESSAGE_CASES, OF_INET },
	{ "recvmsg", do_recvmsg, MESSAGE_CASES, OF_ALL, .filled = true },
	{ "header", do_header, 6 * WHERES, OF_ALL, .filled = true },
	{ "sendto", do_sendto, ADDRESS_CASES, OF_INET },
	{ "recvfrom", do_recvfrom, ADDRESS_CASES, OF_INET, .filled = true },
	{ "getsockname", do_getsockname, ADDRESS_CASES, OF_INET },
	{ "getpeername", do_getpeername, ADDRESS_CASES, OF_INET },
	{ "setsockopt", do_setsockopt, OPTION_CASES, OF_ALL },
	{ "getsockopt", do_getsockopt, OPTION_CASES, OF_ALL },
	{ "ioctl", do_ioctl, SIZE(requests) * WHERES, OF_INET },
	{ "accept", do_accept, ADDRESS_CASES, OF_DGRAM },
	{ "bind", do_bind, ADDRESS_CASES, OF_INET, .fresh = true },
	{ "connect", do_connect, ADDRESS_CASES, OF_INET, .fresh = true },
	{ "shutdown", do_shutdown, SIZE(hows), OF_ALL, .fresh = true },
	{ "listen", do_listen, 5, OF_INET, .fresh = true },
};

/*
 * The states
 */

enum state { CONNECTED, NEW, BOUND, LISTENING, SHUT_DOWN, STATES };

static const char *const states[] = {
	"connected", "new", "bound", "listening", "shut down",
};

static int open_dgrams(struct script *s)
{
	int err;

	s->b = script_socket(s, 0);
	s->a = script_socket(s, 0);
	err = script_bind(s, s->b, SCRIPT_PORT) ?:
	      script_bind(s, s->a, SCRIPT_PORT + 1) ?:
	      script_connect(s, s->a, SCRIPT_PORT) ?:
	      script_connect(s, s->b, SCRIPT_PORT + 1);
	return err;
}

/* What is left of the pair before may still be there. */
static int open_listener(struct script *s)
{
	int one = 1, err;

	s->listener = script_socket(s, SOCK_NONBLOCK);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	err = script_bind(s, s->listener, SCRIPT_PORT);
	return err ?: sock_listen(s->listener, 8);
}

static int open_pair(struct script *s, int family, int type)
{
	int err;

	*s = (struct script) {
		.family = family, .type = type,
		.listener = -1, .a = -1, .b = -1,
	};
	if (type == SOCK_DGRAM)
		return open_dgrams(s);
	err = open_listener(s);
	return err ?: script_pair(s);
}

static void close_pair(struct script *s)
{
	if (s->type == SOCK_STREAM && s->a >= 0)
		conn_reset(s->a);
	else
		script_close(&s->a);
	script_close(&s->b);
	script_close(&s->listener);
}

/* The socket that is called. */
static int in_state(struct script *s, enum state state)
{
	int fd;

	switch (state) {
	case CONNECTED:
		return fcntl(s->a, F_DUPFD_CLOEXEC, 0);
	case SHUT_DOWN:
		fd = fcntl(s->a, F_DUPFD_CLOEXEC, 0);
		shutdown(fd, SHUT_RDWR);
		return fd;
	case LISTENING:
		return fcntl(s->listener, F_DUPFD_CLOEXEC, 0);
	default:
		fd = script_socket(s, SOCK_NONBLOCK);
		if (state == BOUND)
			script_bind(s, fd, SCRIPT_PORT + 2);
		return fd;
	}
}

/* There is something to be read, and only that. */
static void fill(struct script *s, const struct call *call, enum state state)
{
	static char rest[1 << 16];

	if (state != CONNECTED)
		return;
	if (s->type != SOCK_DGRAM && s->family != AF_UNIX)
		conn_await_amount(s->a, SIOCOUTQ, 0);
	while (recv(s->b, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
	while (recv(s->a, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		;
	if (!call->filled || send(s->b, TEXT, 10, MSG_NOSIGNAL) != 10)
		return;
	sock_wait(s->a, POLLIN);
	conn_await_amount(s->a, SIOCINQ, 10);
}

/*
 * struct outcome - what the cases of a call returned, and what they were
 */
struct outcome {
	long	results[OPTION_CASES];
	char	texts[OPTION_CASES][96];
};

static int run_call(struct outcome *out, const struct call *call, int family,
		    int type, enum state state)
{
	struct script s;
	struct cell c = { .s = &s };
	unsigned int i;
	int err;

	err = open_pair(&s, family, type);
	if (err)
		return err;
	c.fd = in_state(&s, state);
	for (i = 0; i < call->count; i++) {
		if (call->fresh && i) {
			close(c.fd);
			close_pair(&s);
			err = open_pair(&s, family, type);
			if (err)
				return err;
			c.fd = in_state(&s, state);
		}
		fill(&s, call, state);
		c.i = i;
		out->results[i] = call->run(&c);
		memcpy(out->texts[i], c.text, sizeof(c.text));
	}
	close(c.fd);
	close_pair(&s);
	return 0;
}

static const char *name_of(long value)
{
	static char number[2][32];
	static int turn;

	turn = !turn;
	if (value < 0)
		return strerrorname_np(-value);
	snprintf(number[turn], sizeof(number[0]), "%ld", value);
	return number[turn];
}

FIXTURE(bad) {
	struct outcome *theirs, *ours;
};

FIXTURE_VARIANT(bad) {
	int	type, peer, bit;
};

FIXTURE_VARIANT_ADD(bad, stream) { SOCK_STREAM, AF_INET, OF_STREAM };
FIXTURE_VARIANT_ADD(bad, record) { SOCK_SEQPACKET, AF_UNIX, OF_RECORD };
FIXTURE_VARIANT_ADD(bad, dgram) { SOCK_DGRAM, AF_INET, OF_DGRAM };

FIXTURE_SETUP(bad)
{
	ASSERT_TRUE(map_pages());
	self->theirs = calloc(1, sizeof(*self->theirs));
	self->ours = calloc(1, sizeof(*self->ours));
	ASSERT_NE(NULL, self->theirs);
	ASSERT_NE(NULL, self->ours);
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, link_up("lo"));
	signal(SIGPIPE, SIG_IGN);
	signal(SIGIO, SIG_IGN);
}

FIXTURE_TEARDOWN(bad)
{
	free(self->theirs);
	free(self->ours);
}

/* Run a state's whole matrix; say where both part. Return: how often. */
static int parted(struct outcome *theirs, struct outcome *ours, int bit,
		  int type, int peer, enum state state)
{
	const struct call *call;
	int count = 0, err;
	unsigned int i;

	for (call = calls; call < calls + SIZE(calls); call++) {
		if (!(call->types & bit))
			continue;
		err = run_call(theirs, call, peer, type, state) ?:
		      run_call(ours, call, AF_FERRY, type, state);
		if (err) {
			fprintf(stderr, "# %s: no pair: %s\n", call->name,
				name_of(err));
			return count + 1;
		}
		for (i = 0; i < call->count; i++) {
			if (theirs->results[i] == ours->results[i])
				continue;
			fprintf(stderr, "# %s, %s, %s: %s, and Ferry's %s\n",
				states[state], call->name, ours->texts[i],
				name_of(theirs->results[i]),
				name_of(ours->results[i]));
			count++;
		}
	}
	return count;
}

#define MATRIX(state) \
	EXPECT_EQ(0, parted(self->theirs, self->ours, variant->bit, \
			    variant->type, variant->peer, state))

TEST_F_TIMEOUT(bad, connected, 120)
{
	MATRIX(CONNECTED);
}

TEST_F_TIMEOUT(bad, new, 120)
{
	MATRIX(NEW);
}

TEST_F_TIMEOUT(bad, bound, 120)
{
	MATRIX(BOUND);
}

TEST_F_TIMEOUT(bad, listening, 120)
{
	if (variant->type == SOCK_DGRAM)
		SKIP(return, "of connections");
	MATRIX(LISTENING);
}

TEST_F_TIMEOUT(bad, shut_down, 120)
{
	MATRIX(SHUT_DOWN);
}

/* What is ours alone is refused by an error that the header names. */
TEST_F_TIMEOUT(bad, own_options, 120)
{
	struct script s;
	struct cell c = { .s = &s };
	enum state state;

	for (state = CONNECTED; state < STATES; state++) {
		if (state == LISTENING && variant->type == SOCK_DGRAM)
			continue;
		ASSERT_EQ(0, open_pair(&s, AF_FERRY, variant->type));
		c.fd = in_state(&s, state);
		for (c.i = 0; c.i < FERRY_OPTIONS * SIZE(option_lengths) * WHERES;
		     c.i++) {
			EXPECT_EQ(0, do_own_option(&c)) {
				TH_LOG("%s", c.text);
			}
		}
		close(c.fd);
		close_pair(&s);
	}
}

/* Descriptors of the wrong kind: no socket, no file at all. */
TEST_F(bad, descriptors)
{
	int kinds[] = { open("/dev/null", O_RDWR | O_CLOEXEC), -1, 9999 };
	struct script s = { .family = AF_FERRY, .type = variant->type };
	const struct call *call;
	struct cell c = { .s = &s };
	unsigned int i;

	for (i = 0; i < SIZE(kinds); i++) {
		for (call = calls; call < calls + SIZE(calls); call++) {
			if (call->run == do_ioctl || call->run == do_header)
				continue;
			c.fd = kinds[i];
			c.i = 0;
			EXPECT_EQ(i ? -EBADF : -ENOTSOCK, call->run(&c)) {
				TH_LOG("%s", call->name);
			}
		}
	}
	close(kinds[0]);
}

/*
 * struct crowd - sockets, and a thread that calls them at random
 */
struct crowd {
	struct script	*s;
	unsigned int	seed;
	int		count;
};

static void *disturb(void *arg)
{
	struct crowd *crowd = arg;
	const struct call *call;
	struct cell c = { .s = crowd->s };
	enum state state;
	int i;

	if (!map_pages())
		return "no memory";
	for (i = 0; i < crowd->count; i++) {
		call = &calls[rand_r(&crowd->seed) % SIZE(calls)];
		state = rand_r(&crowd->seed) % STATES;
		if (crowd->s->listener < 0 && state == LISTENING)
			state = NEW;
		/* It is to be used for a while before it is shut down. */
		if (state == SHUT_DOWN && rand_r(&crowd->seed) % 64)
			state = CONNECTED;
		c.fd = in_state(crowd->s, state);
		c.i = rand_r(&crowd->seed) % call->count;
		call->run(&c);
		close(c.fd);
	}
	munmap(page_end - 2 * 4096, 3 * 4096);
	return NULL;
}

/* By two threads at once, and then another connection does its work. */
TEST_F_TIMEOUT(bad, two_threads, 240)
{
	int round, rounds = repeat(40), err;
	struct crowd crowd[2];
	pthread_t thread[2];
	struct script s;
	char buf[16];
	void *wrong;
	int i;

	for (round = 0; round < rounds; round++) {
		err = open_pair(&s, AF_FERRY, variant->type);
		ASSERT_EQ(0, err);
		fcntl(s.a, F_SETFL, O_NONBLOCK);
		fcntl(s.b, F_SETFL, O_NONBLOCK);
		for (i = 0; i < 2; i++) {
			crowd[i] = (struct crowd) { &s, 2 * round + i + 1, 400 };
			ASSERT_EQ(0, pthread_create(&thread[i], NULL, disturb,
						    &crowd[i]));
		}
		for (i = 0; i < 2; i++) {
			ASSERT_EQ(0, pthread_join(thread[i], &wrong));
			EXPECT_EQ(NULL, wrong);
		}
		close_pair(&s);
	}
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, open_pair(&s, AF_FERRY, variant->type));
	ASSERT_EQ(10, sock_send(s.a, TEXT, 10, 0));
	ASSERT_TRUE(sock_wait(s.b, POLLIN) & POLLIN);
	EXPECT_EQ(10, sock_recv(s.b, buf, sizeof(buf), 0));
	close_pair(&s);
}

TEST_HARNESS_MAIN
