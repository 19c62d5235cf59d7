// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: threads make every call in any order on sockets that they
 * share, while cards go down and up, wires and namespaces come and go. In the
 * end all of it still works, and nobody sleeps who should not.
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
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "repeat.h"
#include "sock.h"
#include "wait.h"
#include "wire.h"

#define THREADS		6
#define CALLS		2500	/* of each thread */
#define SOCKETS		8	/* that they share */
#define PORTS		6
#define UPHEAVALS	25
#define PORT		5000

FIXTURE(stress) {
	struct wire wire;
};

FIXTURE_SETUP(stress)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
}

FIXTURE_TEARDOWN(stress)
{
}

/*
 * struct arena - what all threads share
 * @fd: sockets; one that is closed is replaced by its closer
 * @away: how many threads have ended
 */
struct arena {
	const struct wire	*wire;
	int			fd[SOCKETS];
	int			away;
};

struct player {
	struct arena		*arena;
	unsigned int		seed;
	pthread_t		thread;
	long			calls;
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
		return sfy(addr_any, port);
	case 1:
		return sfy(wire->fy0, port);
	case 2:
		return sfy(wire->fy1, port);
	default:
		return sfy(addr_everyone, port);
	}
}

/* None of their calls shall sleep. */
static int nonblocking(void)
{
	return socket(AF_FERRY, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static void replace(struct player *player, int *slot)
{
	int fd = nonblocking();

	if (fd < 0)
		return;
	sock_set(fd, SOL_SOCKET, SO_BROADCAST, 1);
	sock_set(fd, SOL_SOCKET, SO_REUSEADDR, any(player, 2));
	sock_set(fd, SOL_FERRY, FERRY_REUSEPORT, any(player, 2));
	/* The same number, so that no thread uses one that is not ours. */
	dup3(fd, *slot, O_CLOEXEC);
	close(fd);
}

static void receive(struct player *player, int fd)
{
	static const int flags[] = {
		0, MSG_PEEK, MSG_TRUNC, MSG_ERRQUEUE, MSG_PEEK | MSG_TRUNC,
	};
	char buf[64];

	sock_recv(fd, buf, any(player, sizeof(buf)),
		  flags[any(player, ARRAY_SIZE(flags))]);
}

static void set_option(struct player *player, int fd)
{
	switch (any(player, 5)) {
	case 0:
		sock_set(fd, SOL_SOCKET, SO_RCVBUF, any(player, 100000));
		break;
	case 1:
		sock_set(fd, SOL_SOCKET, SO_SNDBUF, any(player, 100000));
		break;
	case 2:
		sock_set(fd, SOL_SOCKET, SO_BINDTOIFINDEX, 0);
		break;
	case 3:
		sock_set(fd, SOL_SOCKET, SO_TIMESTAMPING, any(player, 1024));
		break;
	default:
		sock_set(fd, SOL_SOCKET, SO_PEEK_OFF, (int)any(player, 3) - 1);
	}
}

static void call(struct player *player)
{
	static char data[4000];
	int *slot = &player->arena->fd[any(player, SOCKETS)];
	struct sockaddr_ferry to = any_address(player);
	int fd = *slot, amount;

	switch (any(player, 12)) {
	case 0:
		replace(player, slot);
		break;
	case 1:
		sock_bind(fd, &to);
		break;
	case 2:
		sock_connect(fd, &to);
		break;
	case 3:
		sock_disconnect(fd);
		break;
	case 4:
	case 5:
		sock_send(fd, data, any(player, sizeof(data)), MSG_DONTWAIT);
		break;
	case 6:
	case 7:
		sendto(fd, data, any(player, 100), MSG_DONTWAIT,
		       (struct sockaddr *)&to, sizeof(to));
		break;
	case 8:
		receive(player, fd);
		receive(player, fd);
		break;
	case 9:
		sock_events(fd);
		ioctl(fd, any(player, 2) ? FIONREAD : TIOCOUTQ, &amount);
		break;
	case 10:
		if (!any(player, 8))
			sock_shutdown(fd, any(player, 3));
		sock_port(fd);
		sock_error(fd);
		break;
	default:
		set_option(player, fd);
	}
}

static void *play(void *arg)
{
	struct player *player = arg;

	for (; player->calls < CALLS; player->calls++)
		call(player);
	__atomic_add_fetch(&player->arena->away, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* A wire that comes and goes, to a namespace that goes too. */
static int come_and_go(int red)
{
	struct link_spec pair = {
		.kind = "ferry", .name = "tmp0", .peer = "tmp1",
	};
	int err;

	pair.peer_net = net_new();
	if (pair.peer_net < 0)
		return pair.peer_net;
	close(dgram_at(PORT));
	err = net_enter(red);
	err = err ?: link_add(&pair);
	err = err ?: link_up("tmp0");
	if (!err && pair.peer_net % 2)
		err = link_del("tmp0");
	close(pair.peer_net);
	return err;
}

static int upheaval(const struct wire *wire, int i)
{
	switch (i % 5) {
	case 0:
		return link_down("fy0") ?: link_up("fy0");
	case 1:
		return ferry_disable("fy0") ?: ferry_enable("fy0");
	case 2:
		return come_and_go(wire->red);
	case 3:
		return link_set_mtu("fy0", 576) ?: link_set_mtu("fy0", 1500);
	default:
		return link_down("ferry0") ?: link_up("ferry0");
	}
}

static bool tmp0_has_gone(void *unused)
{
	(void)unused;
	return !link_index("tmp0");
}

/* A datagram wakes a reader on this host, and one across the wire. */
static int still_works(const struct wire *wire, bool across)
{
	struct sockaddr_ferry to = sfy(across ? wire->fy1 : addr_any,
				       PORT + PORTS);
	char byte;
	struct sleeper reader = {
		.call = sleep_in_recv, .data = &byte, .len = 1,
	};
	int err = 0, fd = dgram();

	if (across)
		err = net_enter(wire->blue);
	reader.fd = dgram_at(PORT + PORTS);
	if (err || reader.fd < 0)
		return -EADDRINUSE;
	if (!sleeper_start(&reader, SYS_recvfrom))
		return -EAGAIN;
	if (sock_send_to(fd, "x", 1, &to) != 1)
		return -ECOMM;
	err = sleeper_join(&reader);
	close(reader.fd);
	close(fd);
	return net_enter(wire->red) ?: err;
}

TEST_F_TIMEOUT(stress, everything_at_once, 240)
{
	struct arena arena = { .wire = &self->wire };
	struct player player[THREADS] = { };
	int i;

	for (i = 0; i < SOCKETS; i++) {
		arena.fd[i] = nonblocking();
		ASSERT_LE(0, arena.fd[i]);
	}
	for (i = 0; i < THREADS; i++) {
		player[i].arena = &arena;
		player[i].seed = i + 1;
		ASSERT_EQ(0, pthread_create(&player[i].thread, NULL, play,
					    &player[i]));
	}
	for (i = 0; i < UPHEAVALS ||
	     __atomic_load_n(&arena.away, __ATOMIC_ACQUIRE) < THREADS; i++) {
		ASSERT_TRUE(wait_until(tmp0_has_gone, NULL));
		ASSERT_EQ(0, upheaval(&self->wire, i)) {
			TH_LOG("upheaval %d", i);
		}
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(player[i].thread, NULL));
		EXPECT_EQ(CALLS, player[i].calls);
	}
	for (i = 0; i < SOCKETS; i++) {
		close(arena.fd[i]);
	}

	ASSERT_TRUE(wait_until(tmp0_has_gone, NULL));
	EXPECT_EQ(1, still_works(&self->wire, false));
	EXPECT_EQ(1, still_works(&self->wire, true));
	EXPECT_LT(THREADS * 10, stat_of("InDatagrams"));
}

/*
 * Readers that sleep, each on a port of its own, and senders that wake them,
 * while fy0 goes down and up: what a device loses is sent again, so that each
 * reader has all of its datagrams. One that misses a wake-up never ends.
 */
#define READERS		4
#define LETTERS		150

static long read_letters(struct sleeper *self)
{
	long count = 0;
	char buf[8];
	ssize_t n;

	while (count < LETTERS) {
		n = sock_recv(self->fd, buf, sizeof(buf), 0);
		if (n == 8)
			__atomic_store_n((long *)self->data, ++count,
					 __ATOMIC_RELEASE);
		else if (n != -ENETDOWN)
			return n;
	}
	return count;
}

/* Send one until it is read: the second and later ones only if lost. */
static bool deliver(int fd, const struct sockaddr_ferry *to, const long *count)
{
	long want = __atomic_load_n(count, __ATOMIC_ACQUIRE) + 1;
	int tries;

	for (tries = 0; tries < 200000; tries++) {
		if (__atomic_load_n(count, __ATOMIC_ACQUIRE) >= want)
			return true;
		if (tries % 1000 == 0)
			sock_send_to(fd, "12345678", 8, to);
		sched_yield();
	}
	return false;
}

TEST_F_TIMEOUT(stress, no_reader_is_missed, 120)
{
	struct sleeper reader[READERS];
	long count[READERS] = { };
	struct sockaddr_ferry to;
	int fd = dgram(), i, n;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	for (i = 0; i < READERS; i++) {
		reader[i] = (struct sleeper){
			.call = read_letters, .data = &count[i],
			.fd = dgram_at(PORT + i),
		};
		ASSERT_LE(0, reader[i].fd);
		ASSERT_TRUE(sleeper_start(&reader[i], SYS_recvfrom));
	}
	ASSERT_EQ(0, net_enter(self->wire.red));
	for (n = 0; n < LETTERS; n++) {
		if (n % 30 == 10) {
			ASSERT_EQ(0, link_down("fy0"));
			ASSERT_EQ(0, link_up("fy0"));
		}
		for (i = 0; i < READERS; i++) {
			to = sfy(self->wire.fy1, PORT + i);
			if (__atomic_load_n(&count[i], __ATOMIC_ACQUIRE) <
			    LETTERS) {
				ASSERT_TRUE(deliver(fd, &to, &count[i]));
			}
		}
	}
	for (i = 0; i < READERS; i++) {
		EXPECT_EQ(LETTERS, sleeper_join(&reader[i]));
	}
}

struct sender {
	int			fd;
	struct sockaddr_ferry	to;
	bool			over;
};

static void *send_until_over(void *arg)
{
	struct sender *sender = arg;

	while (!__atomic_load_n(&sender->over, __ATOMIC_RELAXED))
		sock_send_to(sender->fd, "x", 1, &sender->to);
	return NULL;
}

/* From the first moment that a link is found by its address it has one. */
TEST_F_TIMEOUT(stress, enabled_under_a_sender, 120)
{
	struct sockaddr_ferry at = sfy(self->wire.fy0, PORT);
	struct sender sender = {
		.to = sfy(addr_everyone, PORT),
	};
	pthread_t thread;
	int i;

	ASSERT_EQ(0, net_enter(self->wire.red));
	sender.fd = dgram();
	ASSERT_EQ(0, sock_bind(sender.fd, &at));
	ASSERT_EQ(0, sock_set(sender.fd, SOL_SOCKET, SO_BROADCAST, 1));
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_until_over, &sender));
	for (i = 0; i < repeat_least(1000, 200); i++) {
		ASSERT_EQ(0, ferry_disable("fy0"));
		ASSERT_EQ(0, ferry_enable("fy0"));
	}
	__atomic_store_n(&sender.over, true, __ATOMIC_RELAXED);
	ASSERT_EQ(0, pthread_join(thread, NULL));
	sock_error(sender.fd);
	EXPECT_EQ(1, sock_send_to(sender.fd, "x", 1, &sender.to));
	close(sender.fd);
}

TEST_HARNESS_MAIN
