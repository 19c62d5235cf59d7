// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams, everything at once: whoever sleeps is woken, and no byte is lost,
 * however many read, write, connect and close.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 *
 * Each thread's calls follow from its number: so a run can be repeated, as far
 * as the scheduler allows.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000

FIXTURE(stress) {
	struct wire wire;
};

FIXTURE_SETUP(stress)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	signal(SIGPIPE, SIG_IGN);
}

FIXTURE_TEARDOWN(stress)
{
}

/*
 * Waiting for something to read, in every way there is. Each returns 0 when it
 * was woken, and is called only if there was nothing to read.
 */

static int wait_by_poll(int fd, int ep)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	(void)ep;
	return poll(&p, 1, WAIT_MS) == 1 ? 0 : -ETIMEDOUT;
}

static int wait_by_select(int fd, int ep)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	fd_set set;

	(void)ep;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, &set, NULL, NULL, &limit) == 1 ? 0 : -ETIMEDOUT;
}

static int wait_by_epoll(int fd, int ep)
{
	struct epoll_event event;

	(void)fd;
	return epoll_wait(ep, &event, 1, WAIT_MS) == 1 ? 0 : -ETIMEDOUT;
}

/* In a blocking call: it peeks, so that the reading is one for all. */
static int wait_by_recv(int fd, int ep)
{
	char byte;
	ssize_t n = sock_recv(fd, &byte, 1, MSG_PEEK);

	(void)ep;
	return n == -EAGAIN ? -ETIMEDOUT : 0;
}

static const struct way {
	const char	*name;
	int		(*wait)(int fd, int ep);
	unsigned int	events;		/* epoll's */
} ways[] = {
	{ "recv", wait_by_recv },
	{ "poll", wait_by_poll },
	{ "select", wait_by_select },
	{ "epoll", wait_by_epoll, EPOLLIN },
	{ "epoll, edges", wait_by_epoll, EPOLLIN | EPOLLET },
	{ "epoll, once", wait_by_epoll, EPOLLIN | EPOLLONESHOT },
};

#define WAYS	(int)ARRAY_SIZE(ways)

/*
 * struct reading - one that reads to the end, and knows what should come
 *
 * @total: bytes that were read; what is read is checked against the pattern of
 *	@seed
 */
struct reading {
	const struct way	*way;
	int			fd;
	unsigned int		seed;
	size_t			total;
	int			err;
	pthread_t		thread;
};

static int read_on(struct reading *self, int ep)
{
	struct epoll_event event = { .events = self->way->events };
	static const size_t sizes[] = { 1, 7, 100, 3000 };
	char buf[3000], *want = malloc(1 << 20);
	size_t at = 0;
	ssize_t n;
	int err = 0;

	pattern_fill(want, 1 << 20, self->seed);
	while (!err) {
		n = sock_recv(self->fd, buf, sizes[self->total % 4],
			      MSG_DONTWAIT);
		if (!n)
			break;
		if (n == -EAGAIN) {
			err = self->way->wait(self->fd, ep);
			if (event.events & EPOLLONESHOT)
				epoll_ctl(ep, EPOLL_CTL_MOD, self->fd, &event);
			continue;
		}
		if (n < 0)
			err = n;
		else if (memcmp(buf, want + at, n))
			err = -EBADMSG;
		at += n;
		self->total += n;
	}
	free(want);
	return err;
}

static void *reader_main(void *arg)
{
	struct reading *self = arg;
	struct epoll_event event = { .events = self->way->events };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	sock_timeout(self->fd, SO_RCVTIMEO, WAIT_MS);
	if (event.events)
		epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event);
	self->err = read_on(self, ep);
	close(ep);
	return NULL;
}

/*
 * struct writing - one that writes @len bytes of the pattern of @seed, in
 * portions so small that its reader has to sleep between them
 */
struct writing {
	int		fd;
	unsigned int	seed;
	size_t		len;
	int		err;
	pthread_t	thread;
};

static void *writer_main(void *arg)
{
	struct writing *self = arg;
	unsigned int dice = self->seed;
	char *data = malloc(self->len);
	size_t done = 0, part;

	pattern_fill(data, self->len, self->seed);
	while (done < self->len && !self->err) {
		part = rand_r(&dice) % 4 ? 1 + rand_r(&dice) % 10 :
					   1 + rand_r(&dice) % 5000;
		if (part > self->len - done)
			part = self->len - done;
		if (send_all(self->fd, data + done, part) != (ssize_t)part)
			self->err = -EIO;
		done += part;
		if (rand_r(&dice) % 3 == 0)
			sched_yield();
	}
	if (!self->err)
		self->err = sock_shutdown(self->fd, SHUT_WR);
	free(data);
	return NULL;
}

#define PAIRS	(2 * WAYS)
#define BYTES	60000

/*
 * Readers that wait in every way, and writers that wake them with little at a
 * time, both ways of each connection, on this host and across the wire.
 */
TEST_F_TIMEOUT(stress, no_reader_is_missed, 240)
{
	struct reading readers[2 * PAIRS] = { };
	struct writing writers[2 * PAIRS] = { };
	struct conn conn[PAIRS];
	int i, j;

	for (i = 0; i < PAIRS; i++) {
		ASSERT_EQ(0, i < WAYS ?
			     conn_pair(&conn[i], SOCK_STREAM, PORT + i) :
			     conn_across(&conn[i], SOCK_STREAM, PORT + i,
					 &self->wire));
		for (j = 2 * i; j < 2 * i + 2; j++) {
			readers[j].way = &ways[i % WAYS];
			readers[j].fd = j % 2 ? conn[i].client :
						conn[i].server;
			readers[j].seed = j;
			writers[j].fd = j % 2 ? conn[i].server :
						conn[i].client;
			writers[j].seed = j;
			writers[j].len = BYTES;
		}
	}
	for (i = 0; i < 2 * PAIRS; i++) {
		ASSERT_EQ(0, pthread_create(&readers[i].thread, NULL,
					    reader_main, &readers[i]));
		ASSERT_EQ(0, pthread_create(&writers[i].thread, NULL,
					    writer_main, &writers[i]));
	}
	for (i = 0; i < 2 * PAIRS; i++) {
		ASSERT_EQ(0, pthread_join(writers[i].thread, NULL));
		ASSERT_EQ(0, pthread_join(readers[i].thread, NULL));
		EXPECT_EQ(0, writers[i].err);
		EXPECT_EQ(0, readers[i].err);
		EXPECT_EQ(BYTES, readers[i].total) {
			TH_LOG("by %s, %s", readers[i].way->name,
			       i / 2 < WAYS ? "on the host" : "across");
		}
	}
}

/*
 * struct server - one of several that accept from one listener, and echo
 * @serving: until a client says that it is the last
 */
struct server {
	int		listener;
	long		served;
	int		err;
	pthread_t	thread;
};

static int echo(int fd)
{
	char buf[256];
	ssize_t n;

	sock_timeout(fd, SO_RCVTIMEO, WAIT_MS);
	while ((n = sock_recv(fd, buf, sizeof(buf), 0)) > 0)
		if (send_all(fd, buf, n) != n)
			break;
	/* A client may leave by a reset, and that is no failure. */
	return n == -EAGAIN ? -ETIMEDOUT : 0;
}

static void *server_main(void *arg)
{
	struct server *self = arg;
	int fd;

	while (!self->err) {
		fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0) {
			/* It was shut down: that is all. */
			self->err = errno == EINVAL ? 0 : -errno;
			break;
		}
		self->err = echo(fd);
		close(fd);
		self->served++;
	}
	return NULL;
}

/*
 * struct client - one that connects, talks and leaves, many times, in
 * each of four ways
 */
struct client {
	struct sockaddr_ferry	to;
	unsigned int		seed;
	int			count, err;
	pthread_t		thread;
};

static int talk(int fd, unsigned int seed)
{
	size_t len = 1 + seed % 200;
	char out[256], in[256];

	pattern_fill(out, len, seed);
	if (send_all(fd, out, len) != (ssize_t)len)
		return -EIO;
	if (recv_all(fd, in, len) != (ssize_t)len)
		return -ENODATA;
	return pattern_is(in, len, seed) ? 0 : -EBADMSG;
}

static int leave(int fd, unsigned int seed)
{
	char byte;
	int err = 0;

	switch (seed % 4) {
	case 0:
		close(fd);
		return 0;
	case 1:
		conn_reset(fd);
		return 0;
	case 2:
		err = sock_shutdown(fd, SHUT_WR);
		if (!err && recv_all(fd, &byte, 1))
			err = -EBADMSG;
		break;
	default:
		/* With something unread. */
		send_all(fd, "unread", 6);
	}
	close(fd);
	return err;
}

static void *client_main(void *arg)
{
	struct client *self = arg;
	int i, fd;

	for (i = 0; i < self->count && !self->err; i++) {
		fd = conn_to(SOCK_STREAM, &self->to);
		if (fd < 0) {
			self->err = fd;
			break;
		}
		self->err = talk(fd, self->seed + i);
		if (self->err)
			close(fd);
		else
			self->err = leave(fd, self->seed + i);
	}
	return NULL;
}

/* The streams of this namespace, those that are closed and not over among them. */
static long streams(void)
{
	char line[256];
	long count = -1;
	FILE *file;

	file = fopen("/proc/thread-self/net/protocols", "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "FERRY-STREAM %*d %ld", &count) == 1)
			break;
	fclose(file);
	return count;
}

static bool no_streams(void *unused)
{
	(void)unused;
	return !streams();
}

#define SERVERS		4
#define CLIENTS		8
#define CALLS		120	/* of each client */

/* Connections that come and go, and servers that sleep in accept(). */
TEST_F_TIMEOUT(stress, come_and_go, 240)
{
	struct server servers[SERVERS] = { };
	struct client clients[CLIENTS] = { };
	int listener, i;
	long served = 0;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	listener = conn_listen(SOCK_STREAM, PORT, 3);
	ASSERT_LE(0, listener);
	for (i = 0; i < SERVERS; i++) {
		servers[i].listener = listener;
		ASSERT_EQ(0, pthread_create(&servers[i].thread, NULL,
					    server_main, &servers[i]));
	}
	/* Half of them are here in blue, half across the wire. */
	for (i = 0; i < CLIENTS; i++) {
		clients[i].to = sfy(i % 2 ? addr_any : self->wire.fy1, PORT);
		clients[i].seed = 1000 * i;
		clients[i].count = CALLS;
		ASSERT_EQ(0, net_enter(i % 2 ? self->wire.blue :
					       self->wire.red));
		ASSERT_EQ(0, pthread_create(&clients[i].thread, NULL,
					    client_main, &clients[i]));
	}
	for (i = 0; i < CLIENTS; i++) {
		ASSERT_EQ(0, pthread_join(clients[i].thread, NULL));
		EXPECT_EQ(0, clients[i].err);
	}
	ASSERT_EQ(0, sock_shutdown(listener, SHUT_RD));
	for (i = 0; i < SERVERS; i++) {
		ASSERT_EQ(0, pthread_join(servers[i].thread, NULL));
		EXPECT_EQ(0, servers[i].err);
		served += servers[i].served;
	}
	EXPECT_EQ(CLIENTS * CALLS, served);
	EXPECT_LT(0, streams());
	close(listener);
	/* Both ends have ended, and so did their connections: none waits. */
	EXPECT_TRUE(wait_until(no_streams, NULL));
	ASSERT_EQ(0, net_enter(self->wire.red));
	EXPECT_TRUE(wait_until(no_streams, NULL));
}

/* Who sleeps, in every way, when the other end goes, in every way. */
static long sleep_by_way(struct sleeper *self)
{
	const struct way *way = self->data;
	struct epoll_event event = { .events = way->events };
	int ep = epoll_create1(EPOLL_CLOEXEC);
	long err;

	if (event.events)
		epoll_ctl(ep, EPOLL_CTL_ADD, self->fd, &event);
	err = way->wait(self->fd, ep);
	close(ep);
	return err;
}

static long end_by(int how, const struct conn *conn)
{
	switch (how) {
	case 0:
		return close(conn->client);
	case 1:
		conn_reset(conn->client);
		return 0;
	case 2:
		return sock_shutdown(conn->client, SHUT_WR);
	case 3:
		return sock_shutdown(conn->server, SHUT_RD);
	case 4:
		return sock_disconnect(conn->client);
	default:
		return send_all(conn->client, "x", 1) != 1;
	}
}

TEST_F_TIMEOUT(stress, whoever_sleeps_is_woken, 240)
{
	static const long calls[] = {
		SYS_recvfrom, SYS_poll, SYS_pselect6, SYS_epoll_wait,
		SYS_epoll_wait, SYS_epoll_wait,
	};
	struct sleeper sleepers[WAYS];
	struct conn conn;
	int how, i, round;

	for (round = 0; round < 5; round++) {
		for (how = 0; how < 6; how++) {
			ASSERT_EQ(0, conn_across(&conn, SOCK_STREAM, PORT,
						 &self->wire));
			for (i = 0; i < WAYS; i++) {
				sleepers[i] = (struct sleeper){
					.call = sleep_by_way,
					.fd = conn.server,
					.data = (void *)&ways[i],
				};
				ASSERT_TRUE(sleeper_start(&sleepers[i],
							  calls[i]));
			}
			ASSERT_EQ(0, end_by(how, &conn));
			for (i = 0; i < WAYS; i++) {
				ASSERT_EQ(0, sleeper_join(&sleepers[i])) {
					TH_LOG("by %s, end %d", ways[i].name,
					       how);
				}
			}
			if (how < 2)
				conn.client = -1;
			conn_close(&conn);
			ASSERT_TRUE(conn_await_free_port(SOCK_STREAM, PORT));
		}
	}
}

/*
 * Any call in any order, on sockets that all threads share, while devices go
 * down and up.
 */

#define THREADS		6
#define MOVES		4000	/* of each thread */
#define SOCKETS		10	/* that they share */
#define PORTS		4
#define UPHEAVALS	20

struct arena {
	const struct wire	*wire;
	int			fd[SOCKETS];
	int			away;
};

struct player {
	struct arena		*arena;
	unsigned int		seed;
	pthread_t		thread;
	long			moves;
};

static unsigned int any(struct player *player, unsigned int count)
{
	return rand_r(&player->seed) % count;
}

static struct sockaddr_ferry any_address(struct player *player)
{
	const struct wire *wire = player->arena->wire;
	unsigned int port = PORT + any(player, PORTS);

	switch (any(player, 4)) {
	case 0:
	case 1:
		return sfy(addr_any, port);
	case 2:
		return sfy(wire->fy0, port);
	default:
		return sfy(wire->fy1, port);
	}
}

/* Put a socket in another one's place, which is closed by that. */
static void replace(int fd, int slot)
{
	if (fd < 0)
		return;
	dup3(fd, slot, O_CLOEXEC);
	close(fd);
}

static void replace_by_new(struct player *player, int slot)
{
	int fd = conn_socket((any(player, 3) ? SOCK_STREAM : SOCK_SEQPACKET) |
			     SOCK_NONBLOCK);

	if (fd < 0)
		return;
	sock_set(fd, SOL_SOCKET, SO_REUSEADDR, any(player, 2));
	sock_set(fd, SOL_FERRY, FERRY_REUSEPORT, any(player, 2));
	if (!any(player, 4))
		conn_linger(fd, 0);
	replace(fd, slot);
}

static void set_option(struct player *player, int fd)
{
	switch (any(player, 7)) {
	case 0:
		sock_set(fd, SOL_SOCKET, SO_RCVBUF, any(player, 200000));
		break;
	case 1:
		sock_set(fd, SOL_SOCKET, SO_SNDBUF, any(player, 200000));
		break;
	case 2:
		sock_set(fd, SOL_FERRY, FERRY_CORK, any(player, 2));
		break;
	case 3:
		sock_set(fd, SOL_SOCKET, SO_KEEPALIVE, any(player, 2));
		break;
	case 4:
		sock_set(fd, SOL_SOCKET, SO_RCVLOWAT, any(player, 100000));
		break;
	case 5:
		sock_set(fd, SOL_FERRY, FERRY_USER_TIMEOUT, any(player, 1000));
		break;
	default:
		sock_set(fd, SOL_FERRY, FERRY_LINGER2, (int)any(player, 3) - 1);
	}
}

static void receive(struct player *player, int fd)
{
	static const int flags[] = {
		0, 0, MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_PEEK | MSG_TRUNC,
	};
	char buf[5000];

	sock_recv(fd, buf, any(player, sizeof(buf)),
		  flags[any(player, ARRAY_SIZE(flags))] | MSG_DONTWAIT);
}

static void move(struct player *player)
{
	static char data[100000];
	int fd = player->arena->fd[any(player, SOCKETS)];
	struct sockaddr_ferry at = any_address(player);
	unsigned int len = any(player, 3) ? 100 : sizeof(data);

	switch (any(player, 16)) {
	case 0:
		replace_by_new(player, fd);
		break;
	case 1:
		sock_bind(fd, &at);
		break;
	case 2:
	case 3:
		listen(fd, any(player, 5));
		break;
	case 4:
	case 5:
	case 6:
		sock_connect(fd, &at);
		break;
	case 7:
	case 8:
		/* What is accepted takes the place of another one. */
		replace(accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK),
			player->arena->fd[any(player, SOCKETS)]);
		break;
	case 9:
	case 10:
		sock_send(fd, data, any(player, len),
			  MSG_DONTWAIT | MSG_NOSIGNAL |
			  (any(player, 4) ? 0 : MSG_MORE));
		break;
	case 11:
	case 12:
		receive(player, fd);
		receive(player, fd);
		break;
	case 13:
		sock_events(fd);
		conn_amount(fd, any(player, 2) ? SIOCINQ : SIOCOUTQ);
		sock_error(fd);
		sock_port(fd);
		break;
	case 14:
		if (any(player, 4))
			sock_shutdown(fd, any(player, 3));
		else
			sock_disconnect(fd);
		break;
	default:
		set_option(player, fd);
	}
}

static void *play(void *arg)
{
	struct player *player = arg;

	for (; player->moves < MOVES; player->moves++)
		move(player);
	__atomic_add_fetch(&player->arena->away, 1, __ATOMIC_RELEASE);
	return NULL;
}

static int upheaval(int i)
{
	switch (i % 4) {
	case 0:
		return link_down("fy0") ?: link_up("fy0");
	case 1:
		return ferry_disable("fy0") ?: ferry_enable("fy0");
	case 2:
		return link_set_mtu("fy0", 576) ?: link_set_mtu("fy0", 1500);
	default:
		return link_down("ferry0") ?: link_up("ferry0");
	}
}

TEST_F_TIMEOUT(stress, everything_at_once, 240)
{
	struct arena arena = { .wire = &self->wire };
	struct player players[THREADS] = { };
	struct conn conn;
	char byte;
	int i;

	for (i = 0; i < SOCKETS; i++) {
		arena.fd[i] = conn_socket(SOCK_STREAM | SOCK_NONBLOCK);
		ASSERT_LE(0, arena.fd[i]);
	}
	for (i = 0; i < THREADS; i++) {
		players[i].arena = &arena;
		players[i].seed = i + 1;
		ASSERT_EQ(0, pthread_create(&players[i].thread, NULL, play,
					    &players[i]));
	}
	for (i = 0; i < UPHEAVALS ||
	     __atomic_load_n(&arena.away, __ATOMIC_ACQUIRE) < THREADS; i++) {
		ASSERT_EQ(0, upheaval(i)) {
			TH_LOG("upheaval %d", i);
		}
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(players[i].thread, NULL));
		EXPECT_EQ(MOVES, players[i].moves);
	}
	for (i = 0; i < SOCKETS; i++) {
		close(arena.fd[i]);
	}

	/* All of it still works. */
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, i ? conn_across(&conn, SOCK_STREAM, PORT + PORTS,
					     &self->wire) :
				 conn_pair(&conn, SOCK_STREAM, PORT + PORTS));
		ASSERT_EQ(1, send_all(conn.client, "x", 1));
		EXPECT_EQ(1, sock_await(conn.server, &byte, 1));
		conn_close(&conn);
	}
	EXPECT_LT(0, stat_of("PassiveOpens"));
	EXPECT_LT(0, stat_of("ActiveOpens"));
}

TEST_HARNESS_MAIN
