// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options of streams at level SOL_FERRY, and SO_KEEPALIVE.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 *
 * A peer vanishes when all that goes to it is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
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
#define HLEN	48	/* of a segment, in bytes */

FIXTURE(options) {
	int fd;
};

FIXTURE_SETUP(options)
{
	ASSERT_LE(0, net_new());
	self->fd = conn_socket(SOCK_STREAM);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(options)
{
	close(self->fd);
}

static int set(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_FERRY, option, value, len) ? -errno : 0;
}

static int get(int fd, int option, void *value, socklen_t *len)
{
	return getsockopt(fd, SOL_FERRY, option, value, len) ? -errno : 0;
}

/*
 * struct limits - an option that is an int
 *
 * @least and @most can be set, and what is beyond them is refused.
 */
static const struct limits {
	const char	*name;
	int		option, usual, least, most;
	bool		refuses;
} limits[] = {
	{ "CORK", FERRY_CORK, 0, 0, 1, false },
	{ "SYNCNT", FERRY_SYNCNT, 6, 1, 127, true },
	{ "USER_TIMEOUT", FERRY_USER_TIMEOUT, 0, 0, 0x7fffffff, false },
	{ "KEEPIDLE", FERRY_KEEPIDLE, 7200, 1, 32767, true },
	{ "KEEPINTVL", FERRY_KEEPINTVL, 75, 1, 32767, true },
	{ "KEEPCNT", FERRY_KEEPCNT, 9, 1, 127, true },
	{ "LINGER2", FERRY_LINGER2, 60, 1, 120, false },
};

#define for_each_limit(l) \
	for ((l) = limits; (l) < limits + ARRAY_SIZE(limits); (l)++)

TEST_F(options, usual)
{
	const struct limits *l;

	for_each_limit(l) {
		EXPECT_EQ(l->usual, sock_get(self->fd, SOL_FERRY, l->option)) {
			TH_LOG("%s", l->name);
		}
	}
}

TEST_F(options, usual__by_sysctl)
{
	ASSERT_EQ(0, sysctl_set("syn_retries", "3"));
	ASSERT_EQ(0, sysctl_set("keepalive_time", "100"));
	ASSERT_EQ(0, sysctl_set("keepalive_intvl", "10"));
	ASSERT_EQ(0, sysctl_set("keepalive_probes", "4"));
	ASSERT_EQ(0, sysctl_set("fin_timeout", "20"));
	EXPECT_EQ(3, sock_get(self->fd, SOL_FERRY, FERRY_SYNCNT));
	EXPECT_EQ(100, sock_get(self->fd, SOL_FERRY, FERRY_KEEPIDLE));
	EXPECT_EQ(10, sock_get(self->fd, SOL_FERRY, FERRY_KEEPINTVL));
	EXPECT_EQ(4, sock_get(self->fd, SOL_FERRY, FERRY_KEEPCNT));
	EXPECT_EQ(20, sock_get(self->fd, SOL_FERRY, FERRY_LINGER2));
}

TEST_F(options, limits)
{
	const struct limits *l;

	for_each_limit(l) {
		EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, l->option,
				      l->most));
		EXPECT_EQ(l->most, sock_get(self->fd, SOL_FERRY, l->option));
		EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, l->option,
				      l->least));
		EXPECT_EQ(l->least, sock_get(self->fd, SOL_FERRY, l->option));
		if (!l->refuses)
			continue;
		EXPECT_EQ(-EINVAL, sock_set(self->fd, SOL_FERRY, l->option,
					    l->most + 1));
		EXPECT_EQ(-EINVAL, sock_set(self->fd, SOL_FERRY, l->option,
					    l->least - 1));
		EXPECT_EQ(-EINVAL, sock_set(self->fd, SOL_FERRY, l->option,
					    -1));
		EXPECT_EQ(l->least, sock_get(self->fd, SOL_FERRY, l->option));
	}
}

TEST_F(options, limits__others)
{
	EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_CORK, 2));
	EXPECT_EQ(1, sock_get(self->fd, SOL_FERRY, FERRY_CORK));
	EXPECT_EQ(-EINVAL, sock_set(self->fd, SOL_FERRY, FERRY_USER_TIMEOUT,
				    -1));
	/* More than two minutes is two minutes, and less than 0 is not at all. */
	EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_LINGER2, 1000));
	EXPECT_EQ(120, sock_get(self->fd, SOL_FERRY, FERRY_LINGER2));
	EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_LINGER2, -7));
	EXPECT_EQ(-1, sock_get(self->fd, SOL_FERRY, FERRY_LINGER2));
	EXPECT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_LINGER2, 0));
	EXPECT_EQ(60, sock_get(self->fd, SOL_FERRY, FERRY_LINGER2));
}

TEST_F(options, wrong_calls)
{
	const struct limits *l;
	socklen_t len;
	int value = 1;

	for_each_limit(l) {
		EXPECT_EQ(-EINVAL, set(self->fd, l->option, &value, 3));
		EXPECT_EQ(-EFAULT, set(self->fd, l->option, (void *)8, 4));
		len = 4;
		EXPECT_EQ(-EFAULT, get(self->fd, l->option, (void *)8, &len));
		EXPECT_EQ(-EFAULT, get(self->fd, l->option, &value,
				       (void *)8));
		len = -1;
		EXPECT_EQ(-EINVAL, get(self->fd, l->option, &value, &len));
	}
	EXPECT_EQ(-ENOPROTOOPT, set(self->fd, 9999, &value, 4));
	len = 4;
	EXPECT_EQ(-ENOPROTOOPT, get(self->fd, 9999, &value, &len));
}

/* What does not fit is cut. */
TEST_F(options, short_buffer)
{
	struct { int value, beyond; } room = { -1, -1 };
	socklen_t len = sizeof(room);

	EXPECT_EQ(0, get(self->fd, FERRY_KEEPIDLE, &room, &len));
	EXPECT_EQ(4, len);
	EXPECT_EQ(7200, room.value);
	EXPECT_EQ(-1, room.beyond);
	len = 1;
	room.value = 0;
	EXPECT_EQ(0, get(self->fd, FERRY_KEEPIDLE, &room, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(7200 % 256, room.value);
}

/* They are a connection's: datagrams have none of them. */
TEST_F(options, datagrams)
{
	int fd = dgram(), value = 1;
	const struct limits *l;
	socklen_t len = 4;

	for_each_limit(l) {
		/* See dgram_cork. */
		if (l->option == FERRY_CORK)
			continue;
		EXPECT_EQ(-ENOPROTOOPT, set(fd, l->option, &value, 4));
		EXPECT_EQ(-ENOPROTOOPT, get(fd, l->option, &value, &len));
	}
	EXPECT_EQ(-ENOPROTOOPT, set(fd, FERRY_CONGESTION, "cubic", 5));
	EXPECT_EQ(-ENOPROTOOPT, get(fd, FERRY_MAXSEG, &value, &len));
	close(fd);
}

/* A record is whole: there is no holding back of half of one. */
TEST_F(options, records)
{
	int fd = conn_socket(SOCK_SEQPACKET);

	EXPECT_EQ(-EOPNOTSUPP, sock_set(fd, SOL_FERRY, FERRY_CORK, 1));
	EXPECT_EQ(0, sock_set(fd, SOL_FERRY, FERRY_KEEPIDLE, 5));
	EXPECT_EQ(5, sock_get(fd, SOL_FERRY, FERRY_KEEPIDLE));
	close(fd);
}

static const char *congestion(int fd)
{
	static char name[64];
	socklen_t len = sizeof(name);

	memset(name, 'x', sizeof(name));
	return get(fd, FERRY_CONGESTION, name, &len) ? "" : name;
}

TEST_F(options, congestion)
{
	char room[4] = "xxx";
	socklen_t len = 3;

	EXPECT_STREQ("cubic", congestion(self->fd));
	EXPECT_EQ(0, set(self->fd, FERRY_CONGESTION, "newreno", 7));
	EXPECT_STREQ("newreno", congestion(self->fd));
	/* The end of the string ends it. */
	EXPECT_EQ(0, set(self->fd, FERRY_CONGESTION, "cubic\0no", 8));
	EXPECT_STREQ("cubic", congestion(self->fd));
	EXPECT_EQ(0, get(self->fd, FERRY_CONGESTION, room, &len));
	EXPECT_EQ(3, len);
	EXPECT_STREQ("cub", room);
}

TEST_F(options, congestion__refused)
{
	EXPECT_EQ(-ENOENT, set(self->fd, FERRY_CONGESTION, "none", 4));
	EXPECT_EQ(-ENOENT, set(self->fd, FERRY_CONGESTION, "cubi", 4));
	EXPECT_EQ(-ENOENT, set(self->fd, FERRY_CONGESTION,
			       "cubic and more than fits", 24));
	EXPECT_EQ(-EINVAL, set(self->fd, FERRY_CONGESTION, "", 0));
	EXPECT_EQ(-EFAULT, set(self->fd, FERRY_CONGESTION, (void *)8, 5));
	EXPECT_STREQ("cubic", congestion(self->fd));
}

TEST_F(options, congestion__by_sysctl)
{
	int fd;

	EXPECT_EQ(-ENOENT, sysctl_set("congestion_control", "none"));
	ASSERT_EQ(0, sysctl_set("congestion_control", "newreno"));
	fd = conn_socket(SOCK_STREAM);
	EXPECT_STREQ("newreno", congestion(fd));
	close(fd);
}

/* It can be changed in the middle, and the bytes know nothing of it. */
TEST_F(options, congestion__changed)
{
	static char data[300000];
	struct conn conn;

	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	ASSERT_EQ(sizeof(data) / 3, send_full(conn.client, sizeof(data) / 3));
	ASSERT_EQ(0, set(conn.client, FERRY_CONGESTION, "newreno", 7));
	EXPECT_STREQ("newreno", congestion(conn.client));
	ASSERT_EQ(sizeof(data) / 3, recv_all(conn.server, data,
					     sizeof(data) / 3));
	ASSERT_EQ(sizeof(data) / 3, send_full(conn.client, sizeof(data) / 3));
	ASSERT_EQ(0, set(conn.client, FERRY_CONGESTION, "cubic", 5));
	EXPECT_EQ(sizeof(data) / 3, recv_all(conn.server, data,
					     sizeof(data) / 3));
	conn_close(&conn);
}

TEST_F(options, maxseg)
{
	struct conn conn;

	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	EXPECT_EQ(65535 - HLEN, sock_get(conn.client, SOL_FERRY,
					 FERRY_MAXSEG));
	EXPECT_EQ(65535 - HLEN, sock_get(conn.server, SOL_FERRY,
					 FERRY_MAXSEG));
	conn_close(&conn);
}

TEST_F(options, inherited)
{
	static const struct { int option, value; } some[] = {
		{ FERRY_CORK, 1 }, { FERRY_SYNCNT, 3 },
		{ FERRY_USER_TIMEOUT, 12345 }, { FERRY_KEEPIDLE, 11 },
		{ FERRY_KEEPINTVL, 12 }, { FERRY_KEEPCNT, 13 },
		{ FERRY_LINGER2, 14 },
	};
	struct sockaddr_ferry to = sfy(addr_any, PORT);
	int listener = conn_listen(SOCK_STREAM, PORT, 1);
	int i, client, server;

	for (i = 0; i < ARRAY_SIZE(some); i++) {
		ASSERT_EQ(0, sock_set(listener, SOL_FERRY, some[i].option,
				      some[i].value));
	}
	ASSERT_EQ(0, set(listener, FERRY_CONGESTION, "newreno", 7));
	client = conn_to(SOCK_STREAM, &to);
	server = conn_accept(listener);
	ASSERT_LE(0, server);
	for (i = 0; i < ARRAY_SIZE(some); i++) {
		EXPECT_EQ(some[i].value, sock_get(server, SOL_FERRY,
						  some[i].option)) {
			TH_LOG("option %d", some[i].option);
		}
	}
	EXPECT_STREQ("newreno", congestion(server));
	EXPECT_STREQ("cubic", congestion(client));
	close(client);
	close(server);
	close(listener);
}

/* The buffers of a new socket are what the namespace says. */
TEST_F(options, buffers)
{
	int fd;

	ASSERT_EQ(0, sysctl_set("rmem", "4096 100000 200000"));
	ASSERT_EQ(0, sysctl_set("wmem", "4096 120000 200000"));
	fd = conn_socket(SOCK_STREAM);
	EXPECT_EQ(100000, sock_get(fd, SOL_SOCKET, SO_RCVBUF));
	EXPECT_EQ(120000, sock_get(fd, SOL_SOCKET, SO_SNDBUF));
	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_RCVBUF, 20000));
	EXPECT_EQ(40000, sock_get(fd, SOL_SOCKET, SO_RCVBUF));
	close(fd);
}

/* A reader that takes much gets a larger buffer, within the limit. */
TEST_F(options, buffers__grow)
{
	static char data[1 << 16];
	struct conn conn;
	int i, before;

	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	before = sock_get(conn.server, SOL_SOCKET, SO_RCVBUF);
	for (i = 0; i < 200; i++) {
		ASSERT_LE(0, send_full(conn.client, 1 << 20));
		while (sock_recv(conn.server, data, sizeof(data),
				 MSG_DONTWAIT) > 0)
			;
		if (sock_get(conn.server, SOL_SOCKET, SO_RCVBUF) > before)
			break;
	}
	EXPECT_LT(before, sock_get(conn.server, SOL_SOCKET, SO_RCVBUF));
	EXPECT_GE(6 << 20, sock_get(conn.server, SOL_SOCKET, SO_RCVBUF));
	conn_close(&conn);
}

/* One that was set stays. */
TEST_F(options, buffers__fixed)
{
	static char data[1 << 16];
	struct conn conn;
	int i;

	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	ASSERT_EQ(0, sock_set(conn.server, SOL_SOCKET, SO_RCVBUF, 65536));
	for (i = 0; i < 100; i++) {
		ASSERT_LE(0, send_full(conn.client, 1 << 20));
		while (sock_recv(conn.server, data, sizeof(data),
				 MSG_DONTWAIT) > 0)
			;
	}
	EXPECT_EQ(131072, sock_get(conn.server, SOL_SOCKET, SO_RCVBUF));
	conn_close(&conn);
}

/* The card has NAPI: a socket learns which, and can poll it. */
TEST_F(options, busy_poll)
{
	struct conn conn;
	char byte;

	ASSERT_EQ(0, sysctl_set("short_way", "0"));
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	ASSERT_EQ(0, sock_set(conn.server, SOL_SOCKET, SO_BUSY_POLL, 50));
	ASSERT_EQ(1, sock_send(conn.client, "x", 1, 0));
	ASSERT_EQ(1, sock_await(conn.server, &byte, 1));
	EXPECT_LT(0, sock_get(conn.server, SOL_SOCKET, SO_INCOMING_NAPI_ID));
	ASSERT_EQ(1, sock_send(conn.client, "y", 1, 0));
	ASSERT_EQ(1, sock_recv(conn.server, &byte, 1, 0));
	EXPECT_EQ('y', byte);
	conn_close(&conn);
}

/*
 * The host has a limit for all streams. At it writers wait, and when there is
 * memory again, they go on, and nothing was lost.
 */
TEST_F(options, memory)
{
	static char data[1 << 20], got[1 << 20];
	struct sockaddr_ferry at = sfy(addr_any, PORT + 1);
	int hogs[MEMORY_HOGS], listener;
	struct conn conn;
	char usual[64];
	ssize_t sent;

	pattern_fill(data, sizeof(data), 1);
	ASSERT_EQ(-ENOENT, sysctl_set("mem", "1 1 1"));
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	listener = conn_listen(SOCK_STREAM, PORT + 1, MEMORY_HOGS);
	ASSERT_LE(0, listener);
	ASSERT_EQ(0, memory_hold(hogs, &at));
	ASSERT_EQ(0, memory_set("4 8 16", usual, sizeof(usual)));
	sent = sock_send(conn.client, data, sizeof(data), MSG_DONTWAIT);
	EXPECT_GT(300000, sent);
	ASSERT_EQ(0, memory_set(usual, NULL, 0));
	sent = sent < 0 ? 0 : sent;
	if (sent)
		ASSERT_EQ(sent, recv_all(conn.server, got, sent));
	EXPECT_TRUE(pattern_is(got, sent, 1));
	ASSERT_EQ(1000, send_all(conn.client, data, 1000));
	EXPECT_EQ(1000, recv_all(conn.server, got, 1000));
	memory_release(hogs);
	close(listener);
	conn_close(&conn);
}

/*
 * struct setting - of net.ferry
 */
static const struct setting {
	const char	*name, *usual, *other;
	const char	*refused[3];
} settings[] = {
	{ "rmem", "4096\t262144\t6291456\n", "4096 8192 100000",
	  { "1 2 3", "-1 2 3", "x" } },
	{ "wmem", "4096\t262144\t4194304\n", "4096 8192 100000",
	  { "1 2 3", "-1 2 3", "x" } },
	{ "max_syn_backlog", "4096\n", "0", { "-1" } },
	{ "syncookies", "1\n", "2", { "3", "-1" } },
	{ "syn_retries", "6\n", "127", { "0", "128" } },
	{ "synack_retries", "5\n", "0", { "-1", "128" } },
	{ "fin_timeout", "60\n", "1", { "0", "32768" } },
	{ "keepalive_time", "7200\n", "1", { "0", "32768" } },
	{ "keepalive_intvl", "75\n", "32767", { "0", "32768" } },
	{ "keepalive_probes", "9\n", "127", { "0", "128" } },
	{ "max_orphans", "65536\n", "0", { "-1" } },
	{ "max_tw_buckets", "65536\n", "0", { "-1" } },
	{ "echo", "2\n", "0", { "-1", "3" } },
	{ "congestion_control", "cubic\n", "newreno", { } },
};

static const char *setting(const char *name)
{
	static char text[128];
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ferry/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = 0;
	close(fd);
	return text;
}

/* Each namespace has its own. */
TEST_F(options, settings)
{
	const struct setting *s;
	int i;

	for (s = settings; s < settings + ARRAY_SIZE(settings); s++) {
		EXPECT_STREQ(s->usual, setting(s->name)) {
			TH_LOG("%s", s->name);
		}
		for (i = 0; i < 3 && s->refused[i]; i++) {
			EXPECT_EQ(-EINVAL, sysctl_set(s->name,
						      s->refused[i])) {
				TH_LOG("%s = %s", s->name, s->refused[i]);
			}
		}
		EXPECT_EQ(0, sysctl_set(s->name, s->other)) {
			TH_LOG("%s", s->name);
		}
		EXPECT_STRNE(s->usual, setting(s->name));
	}
	ASSERT_LE(0, net_new());
	for (s = settings; s < settings + ARRAY_SIZE(settings); s++) {
		EXPECT_STREQ(s->usual, setting(s->name)) {
			TH_LOG("%s", s->name);
		}
	}
}

/* The window is closed, and the peer answers all the same: for so long. */
TEST_F(options, user_timeout__closed_window)
{
	struct conn conn;

	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	ASSERT_EQ(0, sock_set(conn.client, SOL_FERRY, FERRY_USER_TIMEOUT,
			      500));
	ASSERT_LT(0, conn_fill(conn.client, conn.server));
	ASSERT_NE(0, sock_wait(conn.client, 0) & POLLHUP);
	EXPECT_EQ(ETIMEDOUT, sock_error(conn.client));
	conn_close(&conn);
}

FIXTURE(vanished) {
	struct wire wire;
	struct conn conn;
	int fd;
	char byte;
};

FIXTURE_SETUP(vanished)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, conn_across(&self->conn, SOCK_STREAM, PORT,
				 &self->wire));
	self->fd = self->conn.client;
}

FIXTURE_TEARDOWN(vanished)
{
	conn_close(&self->conn);
}

static int keepalive(int fd, int idle, int interval, int count)
{
	return sock_set(fd, SOL_FERRY, FERRY_KEEPIDLE, idle) ?:
	       sock_set(fd, SOL_FERRY, FERRY_KEEPINTVL, interval) ?:
	       sock_set(fd, SOL_FERRY, FERRY_KEEPCNT, count) ?:
	       sock_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

TEST_F(vanished, maxseg)
{
	EXPECT_EQ(1500 - HLEN, sock_get(self->fd, SOL_FERRY, FERRY_MAXSEG));
}

/* One second of silence, two probes a second apart, and a last wait. */
TEST_F(vanished, keepalive)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd, .data = &self->byte,
		.len = 1,
	};
	long start;

	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, link_hold("fy0", 0));
	start = clock_ms();
	ASSERT_EQ(0, keepalive(self->fd, 1, 1, 2));
	EXPECT_EQ(-ETIMEDOUT, sleeper_join(&reader));
	EXPECT_LE(2900, clock_ms() - start);
	EXPECT_EQ(-EPIPE, sock_send(self->fd, "x", 1, MSG_NOSIGNAL));
}

/* A peer that answers is there, however silent. */
TEST_F(vanished, keepalive__answered)
{
	long sent = stat_of("OutSegs");

	ASSERT_EQ(0, keepalive(self->fd, 1, 1, 1));
	/* Twice as many probes as would be the end of it. */
	EXPECT_LE(sent + 3, stat_wait("OutSegs", sent + 3));
	EXPECT_EQ(POLLOUT | POLLWRNORM, sock_events(self->fd));
	EXPECT_EQ(0, sock_error(self->fd));
}

/* Set at the listener, it is the accepted socket's. */
TEST_F(vanished, keepalive__inherited)
{
	struct sockaddr_ferry to = sfy(self->wire.fy1, PORT);
	int client, server;

	ASSERT_EQ(0, keepalive(self->conn.listener, 1, 1, 1));
	client = conn_to(SOCK_STREAM, &to);
	server = conn_accept(self->conn.listener);
	ASSERT_LE(0, server);
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, link_hold("fy1", 0));
	ASSERT_NE(0, sock_wait(server, 0) & POLLHUP);
	EXPECT_EQ(ETIMEDOUT, sock_error(server));
	close(client);
	close(server);
}

TEST_F(vanished, keepalive__off)
{
	long sent;

	ASSERT_EQ(0, keepalive(self->fd, 1, 1, 1));
	ASSERT_EQ(0, sock_set(self->fd, SOL_SOCKET, SO_KEEPALIVE, 0));
	sent = stat_of("OutSegs");
	ASSERT_EQ(0, sock_timeout(self->fd, SO_RCVTIMEO, 1500));
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, &self->byte, 1, 0));
	EXPECT_EQ(sent, stat_of("OutSegs"));
}

/* What was sent is not acknowledged. */
TEST_F(vanished, user_timeout)
{
	long start;

	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_USER_TIMEOUT, 700));
	ASSERT_EQ(0, link_hold("fy0", 0));
	start = clock_ms();
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_NE(0, sock_wait(self->fd, 0) & POLLHUP);
	EXPECT_LE(690, clock_ms() - start);
	EXPECT_EQ(ETIMEDOUT, sock_error(self->fd));
	EXPECT_LT(0, stat_of("RetransSegs"));
}

/* Nor is it of a connection that nothing waits for. */
TEST_F(vanished, user_timeout__idle)
{
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_USER_TIMEOUT, 200));
	ASSERT_EQ(0, sock_timeout(self->fd, SO_RCVTIMEO, 600));
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, &self->byte, 1, 0));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(1, sock_await(self->conn.server, &self->byte, 1));
	EXPECT_TRUE(conn_await_amount(self->fd, SIOCOUTQ, 0));
	EXPECT_EQ(0, sock_error(self->fd));
}

/* A reader that sleeps is told; so is a writer. */
TEST_F(vanished, user_timeout__wakes)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd, .data = &self->byte,
		.len = 1,
	};

	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_USER_TIMEOUT, 500));
	ASSERT_EQ(0, link_hold("fy0", 0));
	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(-ETIMEDOUT, sleeper_join(&reader));
}

/* The way comes back in time: nothing has happened. */
TEST_F(vanished, comes_back)
{
	ASSERT_EQ(0, link_hold("fy0", 0));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	ASSERT_LT(0, stat_wait("RetransSegs", 1));
	ASSERT_EQ(0, link_unhold("fy0"));
	EXPECT_EQ(1, sock_await(self->conn.server, &self->byte, 1));
}

/* So it is with a device that was down. */
TEST_F(vanished, device_down_and_up)
{
	ASSERT_EQ(0, link_down("fy0"));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(POLLOUT | POLLWRNORM, sock_events(self->fd));
	ASSERT_EQ(0, link_up("fy0"));
	EXPECT_EQ(1, sock_await(self->conn.server, &self->byte, 1));
}

/* A peer dies, and its namespace with it. */
TEST_F(vanished, namespace_gone)
{
	struct sockaddr_ferry to = sfy(self->wire.fy1, PORT + 1);
	struct sleeper reader = {
		.call = sleep_in_recv, .data = &self->byte, .len = 1,
	};
	int ready[2], status, fd;
	pid_t pid;

	conn_close(&self->conn);
	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		net_enter(self->wire.blue);
		close(self->wire.blue);
		fd = conn_listen(SOCK_STREAM, PORT + 1, 1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		sock_recv(accept(fd, NULL, NULL), &self->byte, 1, 0);
		_exit(1);
	}
	close(self->wire.blue);
	ASSERT_EQ(1, read(ready[0], &self->byte, 1));
	reader.fd = conn_to(SOCK_STREAM, &to);
	ASSERT_LE(0, reader.fd);
	ASSERT_TRUE(wait_asleep(pid, SYS_recvfrom));
	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_NE(-ETIMEDOUT, sleeper_join(&reader));
	conn_reset(reader.fd);
}

/* A device that has gone does not come back. */
TEST_F(vanished, device_gone)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd, .data = &self->byte,
		.len = 1,
	};

	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, link_del("fy0"));
	EXPECT_EQ(-ENODEV, sleeper_join(&reader));
	EXPECT_EQ(-EPIPE, sock_send(self->fd, "x", 1, MSG_NOSIGNAL));
	/* At the other end it has gone too. */
	ASSERT_NE(0, sock_wait(self->conn.server, 0) & POLLHUP);
	EXPECT_EQ(ENODEV, sock_error(self->conn.server));
}

/*
 * A device has another address now: a connection of the old one is reset, and so
 * is its other end, which would find nobody there. One that comes is of the new one.
 */
TEST_F(vanished, address_changed)
{
	static const unsigned char other[FERRY_ALEN] = { 2, 0, 0, 0, 0, 0x98 };
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->conn.server,
		.data = &self->byte, .len = 1,
	};
	struct sockaddr_ferry to = sfy(self->wire.fy1, PORT), own;
	socklen_t len = sizeof(own);
	int fd;

	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, link_set_address("fy0", other));
	EXPECT_EQ(-ECONNRESET, sleeper_join(&reader));
	EXPECT_EQ(-ECONNRESET, sock_recv(self->fd, &self->byte, 1, 0));
	fd = conn_to(SOCK_STREAM, &to);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, getsockname(fd, (struct sockaddr *)&own, &len));
	EXPECT_EQ(0, memcmp(other, own.sfy_addr, FERRY_ALEN));
	conn_reset(fd);
}

/* The far end's address is nobody's business but its own. */
TEST_F(vanished, address_changed__elsewhere)
{
	static const unsigned char other[FERRY_ALEN] = { 2, 0, 0, 0, 0, 0x97 };
	struct link_spec dummy = { .kind = "dummy", .name = "dum0" };

	ASSERT_EQ(0, link_add(&dummy));
	ASSERT_EQ(0, ferry_enable("dum0"));
	ASSERT_EQ(0, link_set_address("dum0", other));
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(1, sock_recv(self->conn.server, &self->byte, 1, 0));
}

TEST_HARNESS_MAIN
