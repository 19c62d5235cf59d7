// SPDX-License-Identifier: GPL-2.0-only
/*
 * Options at level SOL_SOCKET, of all three types: what can be set and what is
 * refused is what TCP, AF_UNIX's records and UDP have, side by side; and what those
 * do that are not tried elsewhere.
 *
 *	+- new namespace -+
 *	|  fy0 ==== fy1   |	lo, ferry0
 *	+-----------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "net.h"
#include "script.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define PORT	5000

/* Newer ones than the C library's. */
enum {
	OPT_BUF_LOCK = 72, OPT_TXREHASH = 74, OPT_RCVMARK = 75,
	OPT_PASSPIDFD = 76, OPT_PEERPIDFD = 77, OPT_RCVPRIORITY = 82,
	OPT_PASSRIGHTS = 83,
};

FIXTURE(options) {
	struct wire wire;
	int a, b, listener;
	struct sockaddr_ferry at;
};

FIXTURE_VARIANT(options) {
	int	type;
	int	peer;
};

FIXTURE_VARIANT_ADD(options, stream) { SOCK_STREAM, AF_INET };
FIXTURE_VARIANT_ADD(options, record) { SOCK_SEQPACKET, AF_UNIX };
FIXTURE_VARIANT_ADD(options, dgram) { SOCK_DGRAM, AF_INET };

/* Of a datagram's both ends, each is connected to the other. */
/* TCP's receive buffers, whose largest the machine's memory bounds, as our own. */
static int tcp_buffers_as_ours(void)
{
	static const char ours[] = "4096 262144 6291456";
	int fd = open("/proc/sys/net/ipv4/tcp_rmem", O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0 || write(fd, ours, sizeof(ours) - 1) < 0)
		err = -errno;
	close(fd);
	return err;
}

FIXTURE_SETUP(options)
{
	struct conn conn = { -1, -1, -1 };

	ASSERT_EQ(0, wire_inside(&self->wire, "ferry"));
	ASSERT_EQ(0, link_up("lo"));
	ASSERT_EQ(0, tcp_buffers_as_ours());
	self->at = sfy(addr_any, PORT);
	if (variant->type == SOCK_DGRAM) {
		conn.server = dgram_at(PORT);
		conn.client = dgram_to(PORT);
		self->at.sfy_port = sock_port(conn.client);
		ASSERT_EQ(0, sock_connect(conn.server, &self->at));
		self->at.sfy_port = PORT;
	} else {
		ASSERT_EQ(0, sysctl_set("short_way", "0"));
		ASSERT_EQ(0, conn_pair(&conn, variant->type, PORT));
	}
	self->a = conn.client;
	self->b = conn.server;
	self->listener = conn.listener;
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
}

FIXTURE_TEARDOWN(options)
{
	close(self->a);
	close(self->b);
	if (self->listener >= 0)
		close(self->listener);
}

/*
 * struct row - an option that is an int
 *
 * @values: what is set, one after the other; the first that is END ends them
 * @identity: of who a peer is, which only AF_UNIX can tell: as TCP for all types
 * @not_old_tcp: TCP has it since 6.9
 */
#define END	INT_MIN

static const struct row {
	const char	*name;
	int		option;
	int		values[5];
	bool		identity, not_old_tcp;
} rows[] = {
#define ROW(name, ...) { #name, name, { __VA_ARGS__, END } }
	ROW(SO_DEBUG, 1, 0),
	ROW(SO_REUSEADDR, 1, 7, 0),
	ROW(SO_TYPE, 1),
	ROW(SO_ERROR, 1),
	ROW(SO_DOMAIN, END),
	ROW(SO_PROTOCOL, 1),
	ROW(SO_ACCEPTCONN, 1),
	ROW(SO_DONTROUTE, 1, -1, 0),
	ROW(SO_BROADCAST, 1, 0),
	ROW(SO_SNDBUF, 5000, 0, -1, INT_MAX),
	ROW(SO_RCVBUF, 5000, 0, -1, INT_MAX),
	ROW(SO_SNDBUFFORCE, 5000, 0, -1, 1 << 24),
	ROW(SO_RCVBUFFORCE, 5000, 0, -1, 1 << 24),
	ROW(SO_KEEPALIVE, 1, 0),
	ROW(SO_OOBINLINE, 1, 0),
	ROW(SO_NO_CHECK, 1, 0),
	ROW(SO_PRIORITY, 6, 7, -1, 0),
	ROW(SO_MARK, 5, -1, 0),
	ROW(SO_RCVLOWAT, 100, 0, -1, 1),
	ROW(SO_SNDLOWAT, 1),
	ROW(SO_TIMESTAMP, 1, 0),
	ROW(SO_TIMESTAMPNS, 1, 0),
	ROW(SO_TIMESTAMPING, SOF_TIMESTAMPING_SOFTWARE, -1, INT_MAX, 0),
	ROW(SO_DETACH_FILTER, 0),
	ROW(SO_DETACH_REUSEPORT_BPF, 0),
	ROW(SO_ATTACH_BPF, -1),
	ROW(SO_ATTACH_FILTER, -1),
	ROW(SO_RXQ_OVFL, 1, 0),
	ROW(SO_WIFI_STATUS, 1, 0),
	ROW(SO_NOFCS, 1, 0),
	ROW(SO_LOCK_FILTER, 0, 1, 0),
	ROW(SO_SELECT_ERR_QUEUE, 1, 0),
	ROW(SO_BUSY_POLL, 50, -1, 0),
	ROW(SO_PREFER_BUSY_POLL, 1, 0),
	ROW(SO_BUSY_POLL_BUDGET, 16, -1, 0x10000),
	ROW(SO_MAX_PACING_RATE, 100000, -1),
	ROW(SO_INCOMING_CPU, 1, -1),
	ROW(SO_INCOMING_NAPI_ID, 1),
	ROW(SO_BPF_EXTENSIONS, 1),
	ROW(SO_BINDTOIFINDEX, 99999, -1, 1, 0),
	ROW(SO_CNX_ADVICE, 1, 2),
	ROW(SO_TXTIME, 1),
	ROW(OPT_BUF_LOCK, 1, 3, 4, 0),
	ROW(OPT_RCVMARK, 1, 0),
	ROW(OPT_RCVPRIORITY, 1, 0),
	ROW(9999, 1),
#undef ROW
	{ "SO_PEEK_OFF", SO_PEEK_OFF, { 5, -1, END }, .not_old_tcp = true },
#define ROW(name, ...) { #name, name, { __VA_ARGS__, END }, .identity = true }
	ROW(SO_PASSCRED, 1, 0),
	ROW(SO_PASSSEC, 1, 0),
	ROW(SO_PEERCRED, 1),
	ROW(SO_PEERSEC, 1),
	ROW(SO_PEERGROUPS, 1),
	ROW(SO_PEERNAME, 1),
	ROW(OPT_PASSPIDFD, 1, 0),
	ROW(OPT_PEERPIDFD, 1),
	ROW(OPT_PASSRIGHTS, 0, 1),
#undef ROW
};

/* What getsockopt() says, as a text. */
static const char *get_text(int fd, int option, char *text, size_t size)
{
	unsigned char value[64] = {};
	socklen_t len = sizeof(value), i;
	size_t n;

	if (getsockopt(fd, SOL_SOCKET, option, value, &len)) {
		snprintf(text, size, "%s", strerrorname_np(errno));
		return text;
	}
	n = snprintf(text, size, "%u:", len);
	for (i = 0; i < len && n < size - 3; i++)
		n += snprintf(text + n, size - n, "%02x", value[i]);
	return text;
}

static int peer_socket(int family, int type)
{
	return socket(family, type | SOCK_CLOEXEC, 0);
}

/* What can be set and what is refused: as the other family has it. */
TEST_F(options, as_the_peer)
{
	char theirs[160], ours[160];
	const struct row *row;
	int fd, peer, i, err;

	for (row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		fd = conn_socket(variant->type);
		peer = row->identity && variant->type == SOCK_SEQPACKET ?
		       peer_socket(AF_INET, SOCK_STREAM) :
		       peer_socket(variant->peer, variant->type);
		ASSERT_LE(0, fd);
		ASSERT_LE(0, peer);
		if (row->not_old_tcp && variant->type == SOCK_STREAM) {
			close(peer);
			peer = peer_socket(AF_UNIX, SOCK_STREAM);
		}
		/* What is not set is a buffer's size, and the family. */
		if (row->option != SO_SNDBUF && row->option != SO_RCVBUF &&
		    row->option != SO_DOMAIN && row->option != SO_PROTOCOL) {
			EXPECT_STREQ(get_text(peer, row->option, theirs,
					      sizeof(theirs)),
				     get_text(fd, row->option, ours,
					      sizeof(ours))) {
				TH_LOG("%s of a new socket", row->name);
			}
		}
		for (i = 0; row->values[i] != END; i++) {
			err = sock_set(peer, SOL_SOCKET, row->option,
				       row->values[i]);
			EXPECT_EQ(err, sock_set(fd, SOL_SOCKET, row->option,
						row->values[i])) {
				TH_LOG("%s = %d", row->name, row->values[i]);
			}
			if (err)
				continue;
			EXPECT_STREQ(get_text(peer, row->option, theirs,
					      sizeof(theirs)),
				     get_text(fd, row->option, ours,
					      sizeof(ours))) {
				TH_LOG("%s = %d", row->name, row->values[i]);
			}
		}
		close(fd);
		close(peer);
	}
}

/* Who has no rights has none here, either. */
TEST_F(options, as_the_peer__unprivileged)
{
	static const int options[] = {
		SO_MARK, SO_SNDBUFFORCE, SO_RCVBUFFORCE, SO_BUSY_POLL,
		SO_PREFER_BUSY_POLL, SO_PRIORITY, SO_DEBUG, SO_BINDTOIFINDEX,
		SO_BUSY_POLL_BUDGET,
	};
	int fd = conn_socket(variant->type), i;
	int peer = peer_socket(variant->peer, variant->type);

	ASSERT_EQ(0, setresuid(1000, 1000, 1000));
	for (i = 0; i < ARRAY_SIZE(options); i++) {
		EXPECT_EQ(sock_set(peer, SOL_SOCKET, options[i], 100),
			  sock_set(fd, SOL_SOCKET, options[i], 100)) {
			TH_LOG("option %d", options[i]);
		}
	}
	close(fd);
	close(peer);
}

/* A buffer of more than net.core.*mem_max, and it is used. */
TEST_F(options, bufforce)
{
	int most, limit = 0;
	char text[32] = "";
	int fd = open("/proc/sys/net/core/rmem_max", O_RDONLY | O_CLOEXEC);

	/* In a namespace that does not have it, the host's is as large. */
	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		limit = atoi(text);
	most = limit ? 4 * limit : 1 << 24;
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_SNDBUFFORCE, most));
	EXPECT_EQ(2 * most, sock_get(self->a, SOL_SOCKET, SO_SNDBUF));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVBUFFORCE, most));
	EXPECT_EQ(2 * most, sock_get(self->b, SOL_SOCKET, SO_RCVBUF));
	close(fd);
}

static int send_and_get(int a, int b)
{
	char byte;

	if (sock_send(a, "x", 1, 0) != 1)
		return -errno;
	return sock_await(b, &byte, 1);
}

static int cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

static int run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* What a card's interrupt is handled on is the sender's, by either way. */
TEST_F(options, incoming_cpu)
{
	int cpu, way;

	for (way = 0; way < 2; way++) {
		ASSERT_EQ(0, sysctl_set("short_way", way ? "1" : "0"));
		for (cpu = cpus() - 1; cpu >= 0; cpu--) {
			ASSERT_EQ(0, run_on(cpu));
			ASSERT_EQ(1, send_and_get(self->a, self->b));
			EXPECT_EQ(cpu, sock_get(self->b, SOL_SOCKET,
						SO_INCOMING_CPU));
		}
	}
}

/* As with UDP: one that hears of everyone has no CPU of its own. */
TEST_F(options, incoming_cpu__not_connected)
{
	int fd;

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "of datagrams");
	fd = dgram_at(PORT + 1);
	self->at.sfy_port = PORT + 1;
	ASSERT_EQ(1, sock_send_to(self->a, "x", 1, &self->at));
	ASSERT_TRUE(sock_wait(fd, POLLIN) & POLLIN);
	EXPECT_EQ(-1, sock_get(fd, SOL_SOCKET, SO_INCOMING_CPU));
	close(fd);
}

/* Of those that share a port, the one has it that wants the CPU's. */
TEST_F(options, incoming_cpu__steers)
{
	int fd[2], i, cpu;
	char byte;

	if (variant->type != SOCK_DGRAM)
		SKIP(return, "of datagrams");
	if (cpus() < 2)
		SKIP(return, "There is one CPU.");
	self->at.sfy_port = PORT + 1;
	for (i = 0; i < 2; i++) {
		fd[i] = dgram();
		ASSERT_EQ(0, sock_set(fd[i], SOL_SOCKET, SO_REUSEADDR, 1));
		ASSERT_EQ(0, sock_set(fd[i], SOL_SOCKET, SO_INCOMING_CPU, i));
		ASSERT_EQ(0, sock_bind(fd[i], &self->at));
	}
	for (i = 0; i < 8; i++) {
		cpu = i % 2;
		ASSERT_EQ(0, run_on(cpu));
		ASSERT_EQ(1, sock_send_to(self->a, "x", 1, &self->at));
		ASSERT_EQ(1, sock_await(fd[cpu], &byte, 1));
	}
	close(fd[0]);
	close(fd[1]);
}

/* Which queue of which card, by the card's way; the short way leaves it alone. */
TEST_F(options, incoming_napi_id)
{
	int id;

	ASSERT_EQ(1, send_and_get(self->a, self->b));
	id = sock_get(self->b, SOL_SOCKET, SO_INCOMING_NAPI_ID);
	EXPECT_LT(0, id);
	ASSERT_EQ(0, sysctl_set("short_way", "1"));
	ASSERT_EQ(1, send_and_get(self->a, self->b));
	EXPECT_EQ(id, sock_get(self->b, SOL_SOCKET, SO_INCOMING_NAPI_ID));
}

/* Packets that who waits has taken off a card himself: of /proc/net/netstat. */
static long busy_polled(void)
{
	static char names[16384], values[16384];
	char *name, *value, *n, *v;
	FILE *file = fopen("/proc/net/netstat", "re");
	long found = -1;

	while (file && fgets(names, sizeof(names), file) &&
	       fgets(values, sizeof(values), file)) {
		name = strtok_r(names, "\n ", &n);
		value = strtok_r(values, "\n ", &v);
		while (name && value) {
			if (!strcmp(name, "BusyPollRxPackets"))
				found = atol(value);
			name = strtok_r(NULL, "\n ", &n);
			value = strtok_r(NULL, "\n ", &v);
		}
	}
	if (file)
		fclose(file);
	return found;
}

static long wait_by_recv(struct sleeper *self)
{
	return sock_recv(self->fd, self->data, self->len, 0);
}

static long wait_by_epoll(struct sleeper *self)
{
	return epoll_events(self->fd, WAIT_MS) ? 1 : -ETIMEDOUT;
}

/* Bytes go one by one until the reader has found one on the card by himself. */
static bool polls_busily(struct sleeper *reader, int from, int to)
{
	long before = busy_polled(), end = clock_ms() + WAIT_MS;
	char byte;

	while (clock_ms() < end) {
		if (!sleeper_run(reader))
			return false;
		usleep(1000);
		if (sock_send(from, "x", 1, 0) != 1 || sleeper_join(reader) != 1)
			return false;
		if (reader->call == wait_by_epoll &&
		    sock_recv(to, &byte, 1, MSG_DONTWAIT) != 1)
			return false;
		if (busy_polled() > before)
			return true;
	}
	return false;
}

TEST_F(options, busy_poll)
{
	char byte;
	struct sleeper reader = {
		.call = wait_by_recv, .fd = self->b, .data = &byte, .len = 1,
	};

	if (cpus() < 2)
		SKIP(return, "There is one CPU.");
	if (busy_polled() < 0)
		SKIP(return, "This kernel does not poll busily.");
	ASSERT_EQ(1, send_and_get(self->a, self->b));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_BUSY_POLL, 100000));
	EXPECT_TRUE(polls_busily(&reader, self->a, self->b));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_PREFER_BUSY_POLL, 1));
	EXPECT_TRUE(polls_busily(&reader, self->a, self->b));
}

TEST_F(options, busy_poll__epoll)
{
	int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int host = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	struct sleeper reader = { .call = wait_by_epoll };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	if (cpus() < 2)
		SKIP(return, "There is one CPU.");
	if (busy_polled() < 0)
		SKIP(return, "This kernel does not poll busily.");
	ASSERT_EQ(0, net_enter(host));
	ASSERT_EQ(0, sysctl_set("/proc/sys/net/core/busy_poll", "100000"));
	ASSERT_EQ(0, net_enter(own));
	ASSERT_EQ(1, send_and_get(self->a, self->b));
	ASSERT_EQ(0, epoll_watch(ep, self->b, EPOLLIN));
	reader.fd = ep;
	EXPECT_TRUE(polls_busily(&reader, self->a, self->b));
	ASSERT_EQ(0, net_enter(host));
	ASSERT_EQ(0, sysctl_set("/proc/sys/net/core/busy_poll", "0"));
	ASSERT_EQ(0, net_enter(own));
	close(ep);
	close(own);
	close(host);
}

/* What a socket holds: what has arrived, and its limits. */
TEST_F(options, meminfo)
{
	unsigned int info[SK_MEMINFO_VARS] = {}, before;
	socklen_t len = sizeof(info);

	ASSERT_EQ(0, getsockopt(self->b, SOL_SOCKET, SO_MEMINFO, info, &len));
	EXPECT_EQ(sizeof(info), len);
	before = info[SK_MEMINFO_RMEM_ALLOC];
	EXPECT_EQ(sock_get(self->b, SOL_SOCKET, SO_RCVBUF),
		  info[SK_MEMINFO_RCVBUF]);
	EXPECT_EQ(sock_get(self->b, SOL_SOCKET, SO_SNDBUF),
		  info[SK_MEMINFO_SNDBUF]);
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	ASSERT_TRUE(sock_wait(self->b, POLLIN) & POLLIN);
	ASSERT_EQ(0, getsockopt(self->b, SOL_SOCKET, SO_MEMINFO, info, &len));
	EXPECT_LT(before, info[SK_MEMINFO_RMEM_ALLOC]);
	len = 4;
	ASSERT_EQ(0, getsockopt(self->b, SOL_SOCKET, SO_MEMINFO, info, &len));
	EXPECT_EQ(4, len);
}

static unsigned long long cookie(int fd, int option)
{
	unsigned long long value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? 0 : value;
}

/* Each socket, accepted ones too, has a name for life; and so has its namespace. */
TEST_F(options, cookies)
{
	unsigned long long a = cookie(self->a, SO_COOKIE);
	unsigned long long net = cookie(self->a, SO_NETNS_COOKIE);
	int fd;

	EXPECT_NE(0, a);
	EXPECT_NE(a, cookie(self->b, SO_COOKIE));
	if (self->listener >= 0)
		EXPECT_NE(cookie(self->b, SO_COOKIE),
			  cookie(self->listener, SO_COOKIE));
	EXPECT_EQ(a, cookie(self->a, SO_COOKIE));
	EXPECT_EQ(net, cookie(self->b, SO_NETNS_COOKIE));
	ASSERT_LE(0, net_new());
	fd = conn_socket(variant->type);
	EXPECT_NE(net, cookie(fd, SO_NETNS_COOKIE));
	EXPECT_NE(a, cookie(fd, SO_COOKIE));
	close(fd);
}

/* A filter that is locked stays. */
TEST_F(options, lock_filter)
{
	struct sock_filter all[] = { { BPF_RET | BPF_K, 0, 0, 0xffffffff } };
	struct sock_fprog prog = { ARRAY_SIZE(all), all };

	ASSERT_EQ(0, setsockopt(self->b, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				sizeof(prog)));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_LOCK_FILTER, 1));
	EXPECT_EQ(-EPERM, sock_set(self->b, SOL_SOCKET, SO_DETACH_FILTER, 0));
	EXPECT_EQ(-1, setsockopt(self->b, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
				 sizeof(prog)));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-EPERM, sock_set(self->b, SOL_SOCKET, SO_LOCK_FILTER, 0));
	EXPECT_EQ(1, send_and_get(self->a, self->b));
}

/* There is nothing but what is directly reached. */
TEST_F(options, dontroute)
{
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_DONTROUTE, 1));
	EXPECT_EQ(1, send_and_get(self->a, self->b));
	EXPECT_EQ(1, sock_send(self->a, "x", 1, MSG_DONTROUTE));
}

/* Two devices lead to the wire: the option says which. */
TEST_F(options, bindtoifindex)
{
	int dev = link_index("fy0"), fd = conn_socket(variant->type |
						      SOCK_NONBLOCK);
	struct sockaddr_ferry to = sfy(addr_nobody, PORT), own;
	socklen_t len = sizeof(own);
	int far = dgram();

	EXPECT_EQ(-ENETUNREACH, sock_connect(fd, &to));
	ASSERT_EQ(0, sock_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, dev));
	EXPECT_EQ(dev, sock_get(fd, SOL_SOCKET, SO_BINDTOIFINDEX));
	EXPECT_EQ(variant->type == SOCK_DGRAM ? 0 : -EINPROGRESS,
		  sock_connect(fd, &to));
	ASSERT_EQ(0, getsockname(fd, (void *)&own, &len));
	EXPECT_EQ(dev, own.sfy_ifindex);
	EXPECT_EQ(0, memcmp(own.sfy_addr, self->wire.fy0, FERRY_ALEN));
	close(fd);
	close(far);
}

/* SO_PEERCRED: nobody is known, as with TCP. */
TEST_F(options, peercred)
{
	struct { int pid; unsigned int uid, gid; } cred;
	socklen_t len = sizeof(cred);

	ASSERT_EQ(0, getsockopt(self->a, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	EXPECT_EQ(0, cred.pid);
	EXPECT_EQ(-1U, cred.uid);
	EXPECT_EQ(-1U, cred.gid);
}

static int load(struct bpf_insn *code, int count, int type, int attach)
{
	union bpf_attr attr = {
		.prog_type = type,
		.expected_attach_type = attach,
		.insns = (unsigned long)code,
		.insn_cnt = count,
		.license = (unsigned long)"GPL",
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	return fd < 0 ? -errno : fd;
}

/* An eBPF program that always says so. */
static int load_constant(int value, int type, int attach)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = value },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return load(code, ARRAY_SIZE(code), type, attach);
}

/* Among those that share a port: the program's word counts. */
TEST_F(options, reuseport_ebpf)
{
	int member[3], i, round, fd, prog;

	self->at.sfy_port = PORT + 1;
	for (i = 0; i < 3; i++) {
		member[i] = conn_socket(variant->type);
		ASSERT_EQ(0, sock_set(member[i], SOL_FERRY, FERRY_REUSEPORT, 1));
		ASSERT_EQ(0, sock_bind(member[i], &self->at));
		if (variant->type != SOCK_DGRAM)
			ASSERT_EQ(0, listen(member[i], 16));
	}
	for (round = 0; round < 6; round++) {
		prog = load_constant(round % 3, BPF_PROG_TYPE_SOCKET_FILTER, 0);
		ASSERT_LE(0, prog);
		ASSERT_EQ(0, sock_set(member[0], SOL_SOCKET,
				      SO_ATTACH_REUSEPORT_EBPF, prog));
		close(prog);
		fd = conn_socket(variant->type);
		ASSERT_EQ(0, sock_connect(fd, &self->at));
		if (variant->type == SOCK_DGRAM)
			ASSERT_EQ(1, sock_send(fd, "x", 1, 0));
		ASSERT_TRUE(sock_wait(member[round % 3], POLLIN) & POLLIN);
		for (i = 0; i < 3; i++) {
			EXPECT_EQ(i == round % 3,
				  !!(sock_events(member[i]) & POLLIN));
		}
		if (variant->type == SOCK_DGRAM)
			recv(member[round % 3], &i, 1, 0);
		else
			close(conn_accept(member[round % 3]));
		close(fd);
	}
	/* Programs that know IP's own sockets only are refused by the core. */
	EXPECT_EQ(0, sock_set(member[0], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF,
			      0));
	EXPECT_EQ(-ENOENT, sock_set(member[0], SOL_SOCKET,
				    SO_DETACH_REUSEPORT_BPF, 0));
	for (i = 0; i < 3; i++)
		close(member[i]);
}

/* A cgroup's programs see setsockopt(), whatever the family. */
TEST_F(options, cgroup_setsockopt)
{
	int prog = load_constant(0, BPF_PROG_TYPE_CGROUP_SOCKOPT,
				 BPF_CGROUP_SETSOCKOPT);
	char path[64], procs[80];
	union bpf_attr attr;
	int cgroup, fd;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/ferry-opt-%d", getpid());
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
	if (prog < 0 || mkdir(path, 0755))
		SKIP(return, "There are no such programs or cgroups.");
	cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	attr = (union bpf_attr) {
		.target_fd = cgroup, .attach_bpf_fd = prog,
		.attach_type = BPF_CGROUP_SETSOCKOPT,
	};
	ASSERT_EQ(0, syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)));
	/* It is a socket's by who made it. */
	ASSERT_EQ(0, sysctl_set(procs, "0"));
	fd = conn_socket(variant->type);
	EXPECT_EQ(-EPERM, sock_set(fd, SOL_FERRY, FERRY_REUSEPORT, 1));
	EXPECT_EQ(-EPERM, sock_set(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
	EXPECT_EQ(0, sock_get(fd, SOL_FERRY, FERRY_REUSEPORT));
	EXPECT_EQ(0, sock_set(self->a, SOL_FERRY, FERRY_REUSEPORT, 1));
	ASSERT_EQ(0, sysctl_set("/sys/fs/cgroup/cgroup.procs", "0"));
	close(fd);
	close(cgroup);
	close(prog);
	rmdir(path);
}

/* A record is enough to read, whatever SO_RCVLOWAT says, as with AF_UNIX. */
TEST_F(options, rcvlowat__record)
{
	int rcvbuf;

	if (variant->type != SOCK_SEQPACKET)
		SKIP(return, "of records");
	rcvbuf = sock_get(self->b, SOL_SOCKET, SO_RCVBUF);
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_RCVLOWAT, 1 << 22));
	EXPECT_EQ(1 << 22, sock_get(self->b, SOL_SOCKET, SO_RCVLOWAT));
	EXPECT_EQ(rcvbuf, sock_get(self->b, SOL_SOCKET, SO_RCVBUF));
	EXPECT_EQ(1, send_and_get(self->a, self->b));
}

/* Another's level is none of ours: the peer says the same of one that nobody has. */
TEST_F(options, other_levels)
{
	static const int levels[] = {
		IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, 12345,
	};
	int peer = peer_socket(variant->peer, variant->type), i;
	int set = sock_set(peer, 12345, 1, 1);
	int get = sock_get(peer, 12345, 1);

	ASSERT_LE(0, peer);
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		EXPECT_EQ(set, sock_set(self->a, levels[i], 1, 1)) {
			TH_LOG("level %d", levels[i]);
		}
		EXPECT_EQ(get, sock_get(self->a, levels[i], 1)) {
			TH_LOG("level %d", levels[i]);
		}
	}
	close(peer);
}

/* It has no places, and cannot be mapped. */
TEST_F(options, no_file)
{
	off_t place = 0;
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-1, lseek(self->a, 0, SEEK_SET));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pwrite(self->a, "x", 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, pread(self->b, &place, 1, 0));
	EXPECT_EQ(ESPIPE, errno);
	EXPECT_EQ(-1, splice(self->b, &place, pipes[1], NULL, 1, 0));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(1, write(pipes[1], "x", 1));
	EXPECT_EQ(-1, splice(pipes[0], NULL, self->a, &place, 1, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->a, 0));
	EXPECT_EQ(ENODEV, errno);
	/* Nothing of it went. */
	EXPECT_TRUE(sock_empty(self->b));
	close(pipes[0]);
	close(pipes[1]);
}

/* A socket whose descriptor is a large one. */
TEST_F(options, select__far)
{
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 }, none = { };
	int fd = fcntl(self->b, F_DUPFD, 900);
	fd_set in, out, error;

	ASSERT_EQ(900, fd);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&error);
	FD_SET(fd, &in);
	FD_SET(fd, &out);
	FD_SET(fd, &error);
	EXPECT_EQ(1, select(fd + 1, &in, &out, &error, &none));
	EXPECT_FALSE(FD_ISSET(fd, &in));
	EXPECT_TRUE(FD_ISSET(fd, &out));
	EXPECT_FALSE(FD_ISSET(fd, &error));
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	FD_ZERO(&in);
	FD_SET(fd, &in);
	EXPECT_EQ(1, select(fd + 1, &in, NULL, NULL, &limit));
	EXPECT_TRUE(FD_ISSET(fd, &in));
	close(fd);
}

/* A stamp that there is no room for is told by MSG_CTRUNC, and the data comes. */
TEST_F(options, control_is_cut)
{
	union {
		struct cmsghdr align;
		char room[64];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
	};

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_TIMESTAMPNS, 1));
	/* The first one may be on its way before stamps are taken. */
	ASSERT_EQ(1, send_and_get(self->a, self->b));
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	msg.msg_controllen = sizeof(control);
	ASSERT_EQ(1, recvmsg(self->b, &msg, MSG_PEEK));
	EXPECT_EQ(0, msg.msg_flags & MSG_CTRUNC);
	EXPECT_EQ(CMSG_SPACE(sizeof(struct timespec)), msg.msg_controllen);
	msg.msg_controllen = sizeof(struct cmsghdr) - 1;
	ASSERT_EQ(1, recvmsg(self->b, &msg, MSG_PEEK));
	EXPECT_EQ(MSG_CTRUNC, msg.msg_flags & MSG_CTRUNC);
	EXPECT_EQ(0, msg.msg_controllen);
	msg.msg_controllen = CMSG_LEN(4);
	ASSERT_EQ(1, recvmsg(self->b, &msg, 0));
	EXPECT_EQ(MSG_CTRUNC, msg.msg_flags & MSG_CTRUNC);
	EXPECT_EQ(CMSG_LEN(4), msg.msg_controllen);
	EXPECT_EQ('x', byte);
}

/*
 * When the last one came that was read, by SIOCGSTAMPNS: UDP knows it, TCP never has
 * one, and AF_UNIX has no such call.
 */
TEST_F(options, last_stamp)
{
	int none = variant->type == SOCK_SEQPACKET ? ENOTTY : ENOENT;
	long before, when;
	struct timespec t;

	EXPECT_EQ(-1, ioctl(self->b, SIOCGSTAMPNS, &t));
	EXPECT_EQ(none, errno);
	before = clock_real_ns();
	ASSERT_EQ(1, send_and_get(self->a, self->b));
	if (variant->type == SOCK_DGRAM) {
		ASSERT_EQ(0, ioctl(self->b, SIOCGSTAMPNS, &t));
		when = t.tv_sec * 1000000000L + t.tv_nsec;
		EXPECT_LE(before, when);
		EXPECT_GE(clock_real_ns(), when);
		return;
	}
	EXPECT_EQ(-1, ioctl(self->b, SIOCGSTAMPNS, &t));
	EXPECT_EQ(none, errno);
	EXPECT_EQ(-1, ioctl(self->b, SIOCGSTAMP, &t));
	EXPECT_EQ(none, errno);
}

/*
 * Descriptors and ids are AF_UNIX's to send. TCP and UDP look at neither, and
 * neither do streams and datagrams; of records they are refused.
 */
TEST_F(options, rights)
{
	static const int types[] = { SCM_RIGHTS, SCM_CREDENTIALS };
	bool refused = variant->type == SOCK_SEQPACKET;
	char hello[5];
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		EXPECT_EQ(refused ? -EINVAL : 5,
			  sock_send_with(self->a, NULL, types[i], &self->a,
					 sizeof(self->a)));
		if (refused) {
			EXPECT_TRUE(sock_empty(self->b));
		} else {
			EXPECT_EQ(5, sock_await(self->b, hello, sizeof(hello)));
		}
	}
}

/* As TCP's where it is off: data goes with no handshake. Others do not know it. */
TEST_F(options, fastopen)
{
	int fd = conn_socket(variant->type | SOCK_NONBLOCK);
	char byte;

	if (variant->type == SOCK_STREAM) {
		EXPECT_EQ(-1, sendto(fd, "x", 1, MSG_FASTOPEN, (void *)&self->at,
				     sizeof(self->at)));
		EXPECT_EQ(EOPNOTSUPP, errno);
		/* Nothing was begun. */
		EXPECT_EQ(-ENOTCONN, sock_recv(fd, &byte, 1, 0));
		EXPECT_EQ(-EAGAIN, conn_accept_now(self->listener));
	} else {
		ASSERT_EQ(1, sock_send(self->a, "x", 1, MSG_FASTOPEN));
		EXPECT_EQ(1, sock_await(self->b, &byte, 1));
	}
	close(fd);
}

/* No descriptor is left: the connection waits for the next call. */
TEST_F(options, accept_without_descriptors)
{
	int fd, server, next = dup(self->a);
	struct rlimit limit, little;

	close(next);
	if (variant->type == SOCK_DGRAM)
		SKIP(return, "of connections");
	fd = conn_to(variant->type, &self->at);
	ASSERT_EQ(next, fd);
	ASSERT_EQ(POLLIN, sock_wait(self->listener, POLLIN));
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	little = limit;
	little.rlim_cur = next + 1;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &little));
	EXPECT_EQ(-1, accept(self->listener, NULL, NULL));
	EXPECT_EQ(EMFILE, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
	server = conn_accept_now(self->listener);
	ASSERT_LE(0, server);
	EXPECT_EQ(1, send_and_get(fd, server));
	close(fd);
	close(server);
}

/* By name: it connects by that device, and hears nothing that comes by others. */
TEST_F(options, bindtodevice)
{
	int fd = conn_socket(variant->type | SOCK_NONBLOCK), far;
	struct sockaddr_ferry to = sfy(addr_nobody, PORT), own;
	socklen_t len = sizeof(own);
	char name[16] = "";

	EXPECT_EQ(-1, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "none", 5));
	EXPECT_EQ(ENODEV, errno);
	ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "fy0", 4));
	ASSERT_EQ(0, getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len));
	EXPECT_STREQ("fy0", name);
	EXPECT_EQ(variant->type == SOCK_DGRAM ? 0 : -EINPROGRESS,
		  sock_connect(fd, &to));
	len = sizeof(own);
	ASSERT_EQ(0, getsockname(fd, (void *)&own, &len));
	EXPECT_EQ(link_index("fy0"), own.sfy_ifindex);
	EXPECT_EQ(0, memcmp(own.sfy_addr, self->wire.fy0, FERRY_ALEN));
	close(fd);
	if (variant->type == SOCK_DGRAM)
		return;
	far = conn_bound(variant->type, PORT + 1);
	ASSERT_EQ(0, setsockopt(far, SOL_SOCKET, SO_BINDTODEVICE, "fy0", 4));
	ASSERT_EQ(0, listen(far, 1));
	to = sfy(addr_any, PORT + 1);
	EXPECT_EQ(-ECONNREFUSED, conn_to(variant->type, &to));
	ASSERT_EQ(0, setsockopt(far, SOL_SOCKET, SO_BINDTODEVICE, "", 0));
	fd = conn_to(variant->type, &to);
	EXPECT_LE(0, fd);
	close(fd);
	close(far);
}

/* When it came, by SO_TIMESTAMPING: in the first of its three places. */
TEST_F(options, timestamping_received)
{
	union {
		struct cmsghdr align;
		char room[256];
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	long before = clock_real_ns(), when;
	struct cmsghdr *cmsg;
	struct timespec t[3];

	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_TIMESTAMPING,
			      SOF_TIMESTAMPING_RX_SOFTWARE |
			      SOF_TIMESTAMPING_SOFTWARE));
	ASSERT_EQ(1, sock_send(self->a, "x", 1, 0));
	ASSERT_EQ(POLLIN, sock_wait(self->b, POLLIN));
	ASSERT_EQ(1, recvmsg(self->b, &msg, 0));
	cmsg = CMSG_FIRSTHDR(&msg);
	ASSERT_NE(NULL, cmsg);
	EXPECT_EQ(SCM_TIMESTAMPING, cmsg->cmsg_type);
	ASSERT_EQ(CMSG_LEN(sizeof(t)), cmsg->cmsg_len);
	memcpy(t, CMSG_DATA(cmsg), sizeof(t));
	when = t[0].tv_sec * 1000000000L + t[0].tv_nsec;
	EXPECT_LE(before, when);
	EXPECT_GE(clock_real_ns(), when);
	/* No hardware has said anything. */
	EXPECT_EQ(0, t[2].tv_sec);
	EXPECT_EQ(NULL, CMSG_NXTHDR(&msg, cmsg));
}

/* A flag that there is not, and of two that go together one alone. */
TEST_F(options, timestamping_refused)
{
	EXPECT_EQ(-EINVAL, sock_set(self->a, SOL_SOCKET, SO_TIMESTAMPING, 1 << 30));
	EXPECT_EQ(-EINVAL, sock_set(self->a, SOL_SOCKET, SO_TIMESTAMPING,
				    SOF_TIMESTAMPING_OPT_STATS |
				    SOF_TIMESTAMPING_TX_SOFTWARE));
	EXPECT_EQ(0, sock_get(self->a, SOL_SOCKET, SO_TIMESTAMPING));
}

TEST_HARNESS_MAIN
