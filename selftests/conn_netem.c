// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two hundred connections at once over a wire that loses, delays, reorders,
 * doubles and corrupts: each brings a mebibyte both ways, and every byte of it is
 * looked at. Every fourth is one of records.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  clients   fy0 -+- netem-+- fy1   servers  |
 *	+-----------------+        +-----------------+
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "repeat.h"
#include "peer.h"
#include "sock.h"
#include "wait.h"

#define PORT		5000	/* streams; the next one: records */
#define FROM		10000	/* the first client's */
#define CLIENTS		200
#define BYTES		(1 << 20)
#define RECORD_MAX	16000
#define PIECE		65536
#define STALL_MS	60000	/* nothing moves for so long: it never will */

static const struct netem bad = {
	.delay_ms = 20, .jitter_ms = 5, .loss = 5, .reorder = 10,
	.duplicate = 2, .corrupt = 1, .limit = 100000,
};

/* What each says begins somewhere else in here. */
static unsigned char noise[BYTES + 2 * CLIENTS * 64];

/*
 * struct end - one end of a connection
 * @fd: its socket
 * @index: which connection; -1: not known yet
 * @records: it is one of records
 * @out: what it says
 * @in: what it is to hear
 * @sent: bytes of @out
 * @heard: bytes of @in
 * @over: the far end has said that this was all
 */
struct end {
	int		fd, index;
	bool		records;
	const unsigned char *out, *in;
	size_t		sent, heard;
	bool		over;
};

/*
 * struct side - all ends in one namespace
 * @error: why it was given up: in words, or NULL
 */
struct side {
	struct end	end[CLIENTS];
	int		epoll, net;
	int		listener[2];
	int		clients, count, done;
	const char	*error;
	int		at, err;	/* connection and errno that belong to it */
	pthread_t	thread;
};

FIXTURE(netem) {
	struct wire wire;
};

FIXTURE_SETUP(netem)
{
	unsigned int x = 1;
	size_t i;

	for (i = 0; i < sizeof(noise); i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = x >> 24;
	}
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, link_netem("fy0", &bad));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, link_netem("fy1", &bad));
}

FIXTURE_TEARDOWN(netem)
{
}

/* The length of the record that begins there. */
static size_t record_at(size_t offset)
{
	size_t len = 1 + (offset * 2654435761u >> 8) % RECORD_MAX;

	return len < BYTES - offset ? len : BYTES - offset;
}

static bool give_up(struct side *side, const struct end *end, const char *why,
		    int err)
{
	side->error = why;
	side->at = end ? end->index : -1;
	side->err = err;
	return false;
}

/* Who says what: red the even ones, blue the odd ones. */
static void end_is(struct end *end, int index, bool blue)
{
	end->index = index;
	end->out = noise + 64 * (2 * index + blue);
	end->in = noise + 64 * (2 * index + !blue);
}

static bool watch(struct side *side, int op, int fd, unsigned int events,
		  void *who)
{
	struct epoll_event event = { .events = events, .data.ptr = who };

	if (!epoll_ctl(side->epoll, op, fd, &event))
		return true;
	return give_up(side, NULL, "epoll_ctl", errno);
}

static bool say(struct side *side, struct end *end)
{
	ssize_t n;
	size_t len;

	while (end->sent < BYTES) {
		len = BYTES - end->sent < PIECE ? BYTES - end->sent : PIECE;
		if (end->records)
			len = record_at(end->sent);
		n = sock_send(end->fd, end->out + end->sent, len,
			      MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -EAGAIN)
			return true;
		if (n <= 0)
			return give_up(side, end, "send", -n);
		if (end->records && n != len)
			return give_up(side, end, "a record was cut", 0);
		end->sent += n;
	}
	if (sock_shutdown(end->fd, SHUT_WR))
		return give_up(side, end, "shutdown", errno);
	return watch(side, EPOLL_CTL_MOD, end->fd, EPOLLIN, end);
}

static bool hear(struct side *side, struct end *end)
{
	static __thread unsigned char buf[PIECE];
	ssize_t n;

	for (;;) {
		n = sock_recv(end->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n == -EAGAIN)
			return true;
		if (n < 0)
			return give_up(side, end, "recv", -n);
		if (!n)
			break;
		if (end->heard + n > BYTES)
			return give_up(side, end, "more than was sent", 0);
		if (end->records && n != record_at(end->heard))
			return give_up(side, end, "another record", 0);
		if (memcmp(buf, end->in + end->heard, n))
			return give_up(side, end, "other bytes", 0);
		end->heard += n;
	}
	if (end->heard != BYTES)
		return give_up(side, end, "less than was sent", 0);
	end->over = true;
	return true;
}

/* A connection has come: whose it is, its port says. */
static bool take(struct side *side, int listener, bool records)
{
	struct end *end = &side->end[side->count];
	struct sockaddr_ferry from = { };
	socklen_t len = sizeof(from);

	end->fd = accept4(listener, (struct sockaddr *)&from, &len,
			  SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (end->fd < 0)
		return errno == EAGAIN || give_up(side, NULL, "accept", errno);
	side->count++;
	end->records = records;
	if (from.sfy_port < FROM || from.sfy_port >= FROM + side->clients)
		return give_up(side, NULL, "a stranger", 0);
	end_is(end, from.sfy_port - FROM, true);
	return watch(side, EPOLL_CTL_ADD, end->fd, EPOLLIN | EPOLLOUT, end);
}

static bool act(struct side *side, struct epoll_event *event)
{
	struct end *end = event->data.ptr;
	int i;

	for (i = 0; i < 2; i++)
		if (event->data.ptr == &side->listener[i])
			return take(side, side->listener[i], i);
	if (event->events & EPOLLIN && !end->over && !hear(side, end))
		return false;
	if (event->events & EPOLLOUT && end->sent < BYTES && !say(side, end))
		return false;
	if (event->events & EPOLLERR)
		return give_up(side, end, "error", sock_error(end->fd));
	if (end->over && end->sent == BYTES) {
		close(end->fd);
		end->fd = -1;
		side->done++;
	}
	return true;
}

static void *run(void *arg)
{
	struct epoll_event events[64];
	struct side *side = arg;
	int n, i;

	while (!side->error && side->done < side->clients) {
		n = epoll_wait(side->epoll, events, 64, patient(STALL_MS));
		if (!n)
			give_up(side, NULL, "nothing moves", ETIMEDOUT);
		for (i = 0; i < n && act(side, &events[i]); i++)
			;
	}
	return NULL;
}

static void listen_on(struct side *side)
{
	int i;

	side->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < 2; i++) {
		side->listener[i] = conn_listen(i ? SOCK_SEQPACKET : SOCK_STREAM,
						PORT + i, CLIENTS);
		watch(side, EPOLL_CTL_ADD, side->listener[i], EPOLLIN,
		      &side->listener[i]);
	}
}

static void connect_all(struct side *side, const unsigned char *addr)
{
	struct end *end;
	int i;

	side->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < side->clients && !side->error; i++) {
		end = &side->end[i];
		end_is(end, i, false);
		end->records = i % 4 == 3;
		end->fd = conn_start_from(end->records ? SOCK_SEQPACKET :
							 SOCK_STREAM,
					  FROM + i, addr,
					  PORT + end->records);
		if (end->fd < 0)
			give_up(side, end, "connect", -end->fd);
		else
			watch(side, EPOLL_CTL_ADD, end->fd, EPOLLIN | EPOLLOUT,
			      end);
	}
}

static const char *unfinished(const struct side *side)
{
	static char text[200];
	struct ferry_info info;
	const struct end *end;

	for (end = side->end; end < side->end + side->clients; end++) {
		if (end->fd <= 0 || conn_info(end->fd, &info))
			continue;
		snprintf(text, sizeof(text),
			 "%d: state %u, sent %zu, heard %zu%s, RTO %u us",
			 end->index, info.fyi_state, end->sent, end->heard,
			 end->over ? ", all" : "", info.fyi_rto);
		return text;
	}
	return "none";
}

#define EXPECT_DONE(side) do { \
	EXPECT_EQ(NULL, (side)->error) { \
		TH_LOG("connection %d: %s: %s", (side)->at, (side)->error, \
		       strerror((side)->err)); \
	} \
	EXPECT_EQ((side)->clients, (side)->done) { \
		TH_LOG("the first of the rest: %s", unfinished(side)); \
	} \
} while (0)

TEST_F_TIMEOUT(netem, two_hundred, 390)
{
	static struct side blue, red;

	blue.clients = repeat(CLIENTS);
	red.clients = blue.clients;
	listen_on(&blue);
	ASSERT_EQ(NULL, blue.error);
	ASSERT_EQ(0, pthread_create(&blue.thread, NULL, run, &blue));
	ASSERT_EQ(0, net_enter(self->wire.red));
	connect_all(&red, self->wire.fy1);
	run(&red);
	/* If this side gave up, the other one sees nothing move. */
	ASSERT_EQ(0, pthread_join(blue.thread, NULL));
	EXPECT_DONE(&red);
	EXPECT_DONE(&blue);

	/* The wire was as bad as it was to be. */
	EXPECT_LT(0, stat_of("InDropChecksum"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	EXPECT_LT(0, stat_of("InDropChecksum"));
}

TEST_HARNESS_MAIN
