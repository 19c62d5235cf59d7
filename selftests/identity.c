// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the system tells of sockets, and who may do what: /proc, and users that are
 * root in their own namespaces only.
 *
 *	+- new namespace -+
 *	|     ferry0      |
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "sock.h"
#include "wait.h"

#define PORT	5000
#define NOBODY	65534

/*
 * struct sockstat - /proc/net/ferry/sockstat
 */
struct sockstat {
	int	inuse, orphan, tw, alloc, mem;
	int	dgram_inuse, dgram_mem;
};

static int read_sockstat(struct sockstat *st)
{
	FILE *file = fopen("/proc/thread-self/net/ferry/sockstat", "r");
	int n;

	if (!file)
		return -errno;
	n = fscanf(file, "STREAM: inuse %d orphan %d tw %d alloc %d mem %d\n"
		   "DGRAM: inuse %d mem %d\n", &st->inuse, &st->orphan, &st->tw,
		   &st->alloc, &st->mem, &st->dgram_inuse, &st->dgram_mem);
	fclose(file);
	return n == 7 ? 0 : -EBADMSG;
}

/* Sockets of a protocol in this namespace, by /proc/net/protocols. */
static int protocol(const char *name, int *memory)
{
	FILE *file = fopen("/proc/thread-self/net/protocols", "r");
	char line[256], word[32];
	int sockets, pages, found = -ENOENT;

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%31s %*d %d %d", word, &sockets, &pages) != 3 ||
		    strcmp(word, name))
			continue;
		found = sockets;
		*memory = pages;
	}
	fclose(file);
	return found;
}

TEST(sockstat__sockets)
{
	struct sockstat st, before;
	struct conn conn;
	int fd[3], i, memory;

	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, read_sockstat(&before));
	EXPECT_EQ(0, before.inuse);
	EXPECT_EQ(0, before.dgram_inuse);
	for (i = 0; i < 3; i++)
		fd[i] = dgram();
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	ASSERT_EQ(0, read_sockstat(&st));
	EXPECT_EQ(3, st.inuse);
	EXPECT_EQ(before.alloc + 3, st.alloc);
	EXPECT_EQ(3, st.dgram_inuse);
	EXPECT_EQ(0, st.orphan);
	EXPECT_EQ(0, st.tw);
	EXPECT_EQ(3, protocol("FERRY-STREAM", &memory));
	EXPECT_EQ(3, protocol("FERRY-DGRAM", &memory));
	/* Another namespace has none of them; the host's are the host's. */
	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, read_sockstat(&st));
	EXPECT_EQ(0, st.inuse);
	EXPECT_EQ(0, st.dgram_inuse);
	EXPECT_EQ(before.alloc + 3, st.alloc);
	EXPECT_EQ(0, protocol("FERRY-STREAM", &memory));
	for (i = 0; i < 3; i++)
		close(fd[i]);
	conn_close(&conn);
}

/* Closed first, and not read by the peer: first an orphan, then TIME_WAIT. */
TEST(sockstat__after_close)
{
	struct sockstat st;
	struct conn conn;

	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	close(conn.client);
	conn.client = -1;
	ASSERT_EQ(0, read_sockstat(&st));
	EXPECT_EQ(1, st.orphan);
	EXPECT_EQ(3, st.inuse);
	ASSERT_EQ(0, sock_shutdown(conn.server, SHUT_WR));
	ASSERT_NE(0, sock_wait(conn.server, 0) & POLLHUP);
	ASSERT_LT(0, stat_wait("TimeWaits", 1));
	ASSERT_EQ(0, read_sockstat(&st));
	EXPECT_EQ(0, st.orphan);
	EXPECT_EQ(1, st.tw);
	EXPECT_EQ(2, st.inuse);
	conn_close(&conn);
}

/*
 * What lies in queues is counted in pages: but for what each CPU keeps for itself,
 * which is 256 of them.
 */
TEST(sockstat__memory)
{
	int kept = 256 * sysconf(_SC_NPROCESSORS_ONLN);
	static char data[50000];
	const int much = 16 << 20, count = much / sizeof(data) / 2;
	struct sockstat st;
	struct conn conn;
	int fd, from, memory, i;

	ASSERT_LE(0, net_new());
	ASSERT_EQ(0, conn_pair(&conn, SOCK_STREAM, PORT));
	ASSERT_EQ(0, sock_set(conn.client, SOL_SOCKET, SO_SNDBUFFORCE, much));
	ASSERT_EQ(much / 2, send_full(conn.client, much / 2));
	fd = dgram_at(PORT);
	from = dgram_to(PORT);
	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, much));
	for (i = 0; i < count; i++)
		ASSERT_EQ(sizeof(data), sock_send(from, data, sizeof(data), 0));
	ASSERT_EQ(count, stat_wait("InDatagrams", count));
	ASSERT_EQ(0, read_sockstat(&st));
	EXPECT_LE(much / 2 / 4096 - kept, st.mem);
	EXPECT_LE(count * (int)sizeof(data) / 4096 - kept, st.dgram_mem);
	protocol("FERRY-STREAM", &memory);
	EXPECT_EQ(st.mem, memory);
	protocol("FERRY-DGRAM", &memory);
	EXPECT_EQ(st.dgram_mem, memory);
	conn_close(&conn);
	close(fd);
	close(from);
}

static bool fdinfo_says(int fd, const char *text)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (!strcmp(line, text))
			found = true;
	if (file)
		fclose(file);
	return found;
}

TEST(fdinfo)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM };
	int i, fd;

	for (i = 0; i < 3; i++) {
		fd = socket(AF_FERRY, types[i] | SOCK_NONBLOCK, 0);
		EXPECT_TRUE(fdinfo_says(fd, "pos:\t0\n"));
		EXPECT_TRUE(fdinfo_says(fd, "flags:\t04002\n"));
		close(fd);
	}
}

/*
 * Users. Each part is a child's: what it is to be, it stays.
 */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Become a user without any rights; then root of namespaces of his own. */
static int be_nobody(void)
{
	if (setgid(NOBODY) || setuid(NOBODY))
		return -errno;
	/* Else what he has in /proc would be root's. */
	return prctl(PR_SET_DUMPABLE, 1) ? -errno : 0;
}

static int be_own_root(int namespaces)
{
	if (unshare(CLONE_NEWUSER | namespaces))
		return -errno;
	return write_file("/proc/self/uid_map", "0 65534 1");
}

static int bind_low(void)
{
	struct sockaddr_ferry at = sfy(addr_any, 80);
	int fd = dgram(), err = fd < 0 ? fd : sock_bind(fd, &at);

	close(fd);
	return err;
}

static int talk(int type)
{
	char byte = 0;
	int fd[2];

	if (socketpair(AF_FERRY, type, 0, fd))
		return -errno;
	if (sock_send(fd[0], "x", 1, 0) != 1 ||
	    sock_await(fd[1], &byte, 1) != 1)
		return -EPIPE;
	close(fd[0]);
	close(fd[1]);
	return byte == 'x' ? 0 : -EBADMSG;
}

static int add_card(const char *name)
{
	const struct link_spec spec = {
		.kind = "ferry", .name = name, .peer_net = -1,
	};

	return link_add(&spec);
}

/* Run in a child; what it returns is its exit status, 0 or a line. */
#define AS_CHILD(function) do { \
	int status; \
	pid_t pid = fork(); \
	if (!pid) \
		_exit(function()); \
	ASSERT_EQ(pid, waitpid(pid, &status, 0)); \
	EXPECT_TRUE(WIFEXITED(status)); \
	EXPECT_EQ(0, WEXITSTATUS(status)) { \
		TH_LOG("It failed at check %d", WEXITSTATUS(status)); \
	} \
} while (0)

static int check;

/* Count checks: the last is the first that is not so. */
static bool is(int expected, int result)
{
	check++;
	return result == expected;
}

static int in_his_own(void)
{
	const struct link_spec pair = {
		.kind = "veth", .name = "v0", .peer = "v1", .peer_net = -1,
	};

	return is(0, be_nobody()) &&
	       is(0, be_own_root(CLONE_NEWNET)) &&
	       is(0, talk(SOCK_STREAM)) &&
	       is(0, talk(SOCK_SEQPACKET)) &&
	       is(0, talk(SOCK_DGRAM)) &&
	       is(0, bind_low()) &&
	       is(0, add_card("fy0")) &&
	       is(0, link_up("fy0")) &&
	       is(0, link_add(&pair)) &&
	       is(0, ferry_enable("v0")) &&
	       is(0, ferry_disable("v0")) &&
	       is(0, sysctl_set("syn_retries", "3")) ? 0 : check;
}

TEST(user__own_namespaces)
{
	AS_CHILD(in_his_own);
}

/* Without any: he may use what there is, and change nothing. */
static int in_anothers(void)
{
	return is(0, net_new() < 0) &&
	       is(0, talk(SOCK_DGRAM)) &&
	       is(0, be_nobody()) &&
	       is(0, talk(SOCK_STREAM)) &&
	       is(0, talk(SOCK_SEQPACKET)) &&
	       is(0, talk(SOCK_DGRAM)) &&
	       is(-EACCES, bind_low()) &&
	       is(-EPERM, add_card("fy0")) &&
	       is(-EPERM, ferry_disable("ferry0")) &&
	       is(-EACCES, sysctl_set("syn_retries", "3")) ? 0 : check;
}

TEST(user__no_rights)
{
	AS_CHILD(in_anothers);
}

/* Root of his own user namespace is nobody in a network that is another's. */
static int with_rights_elsewhere(void)
{
	return is(0, net_new() < 0) &&
	       is(0, talk(SOCK_DGRAM)) &&
	       is(0, be_nobody()) &&
	       is(0, be_own_root(0)) &&
	       is(0, talk(SOCK_STREAM)) &&
	       is(-EACCES, bind_low()) &&
	       is(-EPERM, add_card("fy0")) &&
	       is(-EPERM, ferry_disable("ferry0")) ? 0 : check;
}

TEST(user__rights_elsewhere)
{
	AS_CHILD(with_rights_elsewhere);
}

TEST_HARNESS_MAIN
