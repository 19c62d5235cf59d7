// SPDX-License-Identifier: GPL-2.0-only
/*
 * connect() across a wire: a peer that is silent, far, or about to go.
 *
 *	+- red -----------+        +- blue ----------+
 *	|  ferry0    fy0 -+--------+- fy1    ferry0  |
 *	+-----------------+        +-----------------+
 *
 * Silent is an address that no device has, or one behind a device that holds
 * what it is given.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
#define HOLD	(1 << 20)	/* bytes: more than a case sends */

FIXTURE(connect) {
	struct wire wire;
	int fd, listener;
	struct sockaddr_ferry there, silent;
	struct sleeper caller;
	char byte;
};

/* data: where to */
static long sleep_in_connect(struct sleeper *self)
{
	return sock_connect(self->fd, self->data);
}

FIXTURE_SETUP(connect)
{
	ASSERT_EQ(0, wire_across(&self->wire, "ferry"));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	self->listener = conn_listen(SOCK_STREAM, PORT, 8);
	ASSERT_LE(0, self->listener);
	ASSERT_EQ(0, net_enter(self->wire.red));
	self->fd = conn_socket(SOCK_STREAM);
	ASSERT_LE(0, self->fd);
	self->there = sfy(self->wire.fy1, PORT);
	self->silent = sfy(addr_nobody, PORT);
	self->caller = (struct sleeper){
		.call = sleep_in_connect, .fd = self->fd,
		.data = &self->silent,
	};
}

FIXTURE_TEARDOWN(connect)
{
	close(self->fd);
	close(self->listener);
}

static int nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

TEST_F(connect, across)
{
	int server;

	ASSERT_EQ(0, sock_connect(self->fd, &self->there));
	server = conn_accept(self->listener);
	ASSERT_LE(0, server);
	ASSERT_EQ(1, sock_send(self->fd, "x", 1, 0));
	EXPECT_EQ(1, sock_await(server, &self->byte, 1));
	close(server);
}

TEST_F(connect, refused)
{
	struct sockaddr_ferry to = sfy(self->wire.fy1, PORT + 1);

	EXPECT_EQ(-ECONNREFUSED, sock_connect(self->fd, &to));
}

TEST_F(connect, wakes)
{
	self->caller.data = &self->there;
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_TRUE(sleeper_start(&self->caller, SYS_connect));
	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(0, sleeper_join(&self->caller));
}

TEST_F(connect, in_progress)
{
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	EXPECT_EQ(-EALREADY, sock_connect(self->fd, &self->there));
	EXPECT_EQ(0, sock_events(self->fd));
	EXPECT_EQ(0, sock_error(self->fd));
	EXPECT_EQ(-EAGAIN, sock_send(self->fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(-EAGAIN, sock_recv(self->fd, &self->byte, 1, 0));

	ASSERT_EQ(0, link_release("fy0"));
	ASSERT_EQ(POLLOUT, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(0, sock_error(self->fd));
}

/* The names are there before the connection is; the peer's only after. */
TEST_F(connect, in_progress__names)
{
	struct sockaddr_ferry name = { };
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->silent));
	ASSERT_EQ(0, getsockname(self->fd, (struct sockaddr *)&name, &len));
	EXPECT_NE(0, name.sfy_port);
	EXPECT_EQ(0, memcmp(self->wire.fy0, name.sfy_addr, FERRY_ALEN));
	EXPECT_EQ(-1, getpeername(self->fd, (struct sockaddr *)&name, &len));
	EXPECT_EQ(ENOTCONN, errno);
}

/* The second call waits for what the first began. */
TEST_F(connect, waits_for_what_is_begun)
{
	self->caller.data = &self->there;
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
	ASSERT_TRUE(sleeper_start(&self->caller, SYS_connect));
	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(0, sleeper_join(&self->caller));
	EXPECT_EQ(-EISCONN, sock_connect(self->fd, &self->there));
}

/* Who writes before it is there waits too. */
TEST_F(connect, a_writer_waits)
{
	struct sleeper writer = {
		.call = sleep_in_send, .fd = self->fd, .data = "x", .len = 1,
	};

	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
	ASSERT_TRUE(sleeper_start(&writer, SYS_sendto));
	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(1, sleeper_join(&writer));
	EXPECT_EQ(1, sock_await(conn_accept(self->listener), &self->byte, 1));
}

TEST_F(connect, a_reader_waits)
{
	struct sleeper reader = {
		.call = sleep_in_recv, .fd = self->fd, .data = &self->byte,
		.len = 1,
	};
	int server;

	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, 0));
	ASSERT_TRUE(sleeper_start(&reader, SYS_recvfrom));
	ASSERT_EQ(0, link_release("fy0"));
	server = conn_accept(self->listener);
	ASSERT_EQ(1, sock_send(server, "x", 1, 0));
	EXPECT_EQ(1, sleeper_join(&reader));
	close(server);
}

/* A SYN that is lost is sent again. */
TEST_F(connect, lost_syn)
{
	ASSERT_EQ(0, link_hold("fy0", 0));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	EXPECT_EQ(0, stat_of("RetransSegs"));
	ASSERT_EQ(0, link_unhold("fy0"));
	EXPECT_EQ(POLLOUT, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(0, sock_error(self->fd));
	EXPECT_LT(0, stat_of("RetransSegs"));
}

/* So is a SYN-ACK. */
TEST_F(connect, lost_syn_ack)
{
	int server;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, link_hold("fy1", 0));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	ASSERT_LE(1, stat_wait("OutSegs", 1));
	ASSERT_EQ(0, link_unhold("fy1"));
	EXPECT_EQ(POLLOUT, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(0, sock_error(self->fd));
	server = conn_accept(self->listener);
	EXPECT_LE(0, server);
	EXPECT_EQ(-EAGAIN, conn_accept_now(self->listener));
}

/* One SYN more, after 1 s, and 2 s later the end. */
TEST_F(connect, silence)
{
	long start = clock_ms(), resent = stat_of("RetransSegs");
	long failed = stat_of("AttemptFails");

	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_SYNCNT, 1));
	EXPECT_EQ(-ETIMEDOUT, sock_connect(self->fd, &self->silent));
	EXPECT_LE(2900, clock_ms() - start);
	EXPECT_EQ(resent + 1, stat_of("RetransSegs"));
	EXPECT_EQ(failed + 1, stat_of("AttemptFails"));
	/* And the socket can be used for another. */
	EXPECT_EQ(0, sock_connect(self->fd, &self->there));
}

TEST_F(connect, silence__nonblocking)
{
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_SYNCNT, 1));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->silent));
	ASSERT_EQ(POLLOUT | POLLERR | POLLHUP,
		  sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(ETIMEDOUT, sock_error(self->fd));
}

TEST_F(connect, silence__by_sysctl)
{
	long resent = stat_of("RetransSegs");

	ASSERT_EQ(0, sysctl_set("syn_retries", "1"));
	EXPECT_EQ(-ETIMEDOUT, sock_connect(self->fd, &self->silent));
	EXPECT_EQ(resent + 1, stat_of("RetransSegs"));
}

/* The option is the socket's, and so stronger than the sysctl. */
TEST_F(connect, silence__option_over_sysctl)
{
	long resent = stat_of("RetransSegs");

	ASSERT_EQ(0, sysctl_set("syn_retries", "10"));
	ASSERT_EQ(0, sock_set(self->fd, SOL_FERRY, FERRY_SYNCNT, 2));
	EXPECT_EQ(-ETIMEDOUT, sock_connect(self->fd, &self->silent));
	EXPECT_EQ(resent + 2, stat_of("RetransSegs"));
}

/* SO_SNDTIMEO ends the wait, not the attempt. */
TEST_F(connect, timeout)
{
	ASSERT_EQ(0, sock_timeout(self->fd, SO_SNDTIMEO, 20));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->silent));
	EXPECT_EQ(-EALREADY, sock_connect(self->fd, &self->silent));
	EXPECT_EQ(0, sock_events(self->fd));
}

/* The attempt goes on behind the interrupted call. */
TEST_F(connect, interrupted)
{
	self->caller.data = &self->there;
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_TRUE(sleeper_interrupt(&self->caller, SYS_connect, 0));
	ASSERT_EQ(-EINTR, sleeper_join(&self->caller));
	ASSERT_EQ(0, nonblocking(self->fd));
	EXPECT_EQ(-EALREADY, sock_connect(self->fd, &self->there));
	ASSERT_EQ(0, link_release("fy0"));
	ASSERT_EQ(POLLOUT, sock_wait(self->fd, POLLOUT));
	EXPECT_EQ(0, sock_connect(self->fd, &self->there));
	EXPECT_EQ(-EISCONN, sock_connect(self->fd, &self->there));
}

TEST_F(connect, interrupted__restart)
{
	self->caller.data = &self->there;
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_TRUE(sleeper_interrupt(&self->caller, SYS_connect, SA_RESTART));
	ASSERT_TRUE(wait_asleep(self->caller.tid, SYS_connect));
	ASSERT_EQ(0, link_release("fy0"));
	EXPECT_EQ(0, sleeper_join(&self->caller));
}

/* With a time-out there is no restart: signal(7). */
TEST_F(connect, interrupted__restart_with_timeout)
{
	ASSERT_EQ(0, sock_timeout(self->fd, SO_SNDTIMEO, WAIT_MS));
	ASSERT_TRUE(sleeper_interrupt(&self->caller, SYS_connect, SA_RESTART));
	EXPECT_EQ(-EINTR, sleeper_join(&self->caller));
}

/* A process that is killed in connect() leaves no port taken. */
TEST_F(connect, by_death)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, sysctl_set("port_range", "40000 40000"));
	pid = fork();
	if (!pid) {
		sock_connect(conn_socket(SOCK_STREAM), &self->silent);
		_exit(1);
	}
	ASSERT_TRUE(wait_asleep(pid, SYS_connect));
	EXPECT_EQ(-EADDRNOTAVAIL, sock_connect(self->fd, &self->silent));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(conn_await_free_port(SOCK_STREAM, 40000));
}

TEST_F(connect, given_up__dissolve)
{
	struct sockaddr_ferry name;
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->silent));
	ASSERT_EQ(0, sock_disconnect(self->fd));
	EXPECT_EQ(-1, getpeername(self->fd, (struct sockaddr *)&name, &len));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(ECONNRESET, sock_error(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	EXPECT_EQ(POLLOUT, sock_wait(self->fd, POLLOUT));
}

/* shutdown() ends the attempt; who waits in it is told. */
TEST_F(connect, given_up__shutdown)
{
	ASSERT_TRUE(sleeper_start(&self->caller, SYS_connect));
	ASSERT_EQ(0, sock_shutdown(self->fd, SHUT_RDWR));
	EXPECT_EQ(-ECONNRESET, sleeper_join(&self->caller));
	EXPECT_EQ(0, sock_connect(self->fd, &self->there));
}

TEST_F(connect, given_up__close)
{
	ASSERT_EQ(0, sysctl_set("port_range", "40000 40000"));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->silent));
	close(self->fd);
	self->fd = conn_socket(SOCK_STREAM);
	EXPECT_EQ(0, sock_connect(self->fd, &self->there));
}

static int bound_at(unsigned int port)
{
	return conn_bound(SOCK_STREAM | SOCK_NONBLOCK, port);
}

/* Both ends connect to each other: one connection comes of it. */
TEST_F(connect, simultaneous)
{
	struct sockaddr_ferry to_blue = sfy(self->wire.fy1, 7001);
	struct sockaddr_ferry to_red = sfy(self->wire.fy0, 7000);
	int red = bound_at(7000), blue;

	ASSERT_LE(0, red);
	ASSERT_EQ(0, link_hold("fy0", HOLD));
	ASSERT_EQ(-EINPROGRESS, sock_connect(red, &to_blue));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	blue = bound_at(7001);
	ASSERT_LE(0, blue);
	/* Held, so that neither SYN arrives before the other one is sent. */
	ASSERT_EQ(0, link_hold("fy1", HOLD));
	ASSERT_EQ(-EINPROGRESS, sock_connect(blue, &to_red));
	ASSERT_EQ(0, link_release("fy1"));
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, link_release("fy0"));

	EXPECT_EQ(POLLOUT, sock_wait(red, POLLOUT));
	EXPECT_EQ(POLLOUT, sock_wait(blue, POLLOUT));
	ASSERT_EQ(1, sock_send(red, "r", 1, 0));
	ASSERT_EQ(1, sock_await(blue, &self->byte, 1));
	EXPECT_EQ('r', self->byte);
	ASSERT_EQ(1, sock_send(blue, "b", 1, 0));
	ASSERT_EQ(1, sock_await(red, &self->byte, 1));
	EXPECT_EQ('b', self->byte);
	close(red);
	close(blue);
}

/* The listener goes while the handshake lasts: who connects is told. */
TEST_F(connect, listener_goes)
{
	short events;
	int err;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, link_hold("fy1", HOLD));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	ASSERT_LE(1, stat_wait("OutSegs", 1));
	close(self->listener);
	self->listener = -1;
	ASSERT_EQ(0, link_release("fy1"));
	events = sock_wait(self->fd, POLLIN);
	EXPECT_TRUE(events & POLLHUP);
	err = sock_error(self->fd);
	EXPECT_TRUE(err == ECONNRESET || err == ECONNREFUSED) {
		TH_LOG("errno %d", err);
	}
}

/* A handshake that nobody completes ends after the last SYN-ACK. */
TEST_F(connect, request_expires)
{
	ASSERT_EQ(0, net_enter(self->wire.blue));
	ASSERT_EQ(0, sysctl_set("synack_retries", "1"));
	ASSERT_EQ(0, link_hold("fy1", 0));
	ASSERT_EQ(0, nonblocking(self->fd));
	ASSERT_EQ(-EINPROGRESS, sock_connect(self->fd, &self->there));
	ASSERT_LE(1, stat_wait("OutSegs", 1));
	/* Nothing of the client's comes any more. */
	ASSERT_EQ(0, net_enter(self->wire.red));
	ASSERT_EQ(0, link_hold("fy0", 0));
	ASSERT_EQ(0, net_enter(self->wire.blue));
	EXPECT_EQ(1, stat_wait("RequestsExpired", 1));
	EXPECT_LE(1, stat_of("RetransSegs"));
	EXPECT_EQ(-EAGAIN, conn_accept_now(self->listener));
}

/* A listener that is bound to a device hears what comes by it. */
TEST_F(connect, listener_by_device)
{
	struct sockaddr_ferry at, to = sfy(self->wire.fy1, PORT + 1);
	int listener;

	ASSERT_EQ(0, net_enter(self->wire.blue));
	listener = conn_socket(SOCK_STREAM);
	at = sfy_dev(addr_any, PORT + 1, "ferry0");
	ASSERT_EQ(0, sock_bind(listener, &at));
	ASSERT_EQ(0, listen(listener, 8));
	ASSERT_EQ(0, net_enter(self->wire.red));
	EXPECT_EQ(-ECONNREFUSED, sock_connect(self->fd, &to));

	ASSERT_EQ(0, net_enter(self->wire.blue));
	close(listener);
	listener = conn_socket(SOCK_STREAM);
	at = sfy_dev(addr_any, PORT + 1, "fy1");
	ASSERT_EQ(0, sock_bind(listener, &at));
	ASSERT_EQ(0, listen(listener, 8));
	ASSERT_EQ(0, net_enter(self->wire.red));
	EXPECT_EQ(0, sock_connect(self->fd, &to));
	close(listener);
}

TEST_F(connect, device_down)
{
	ASSERT_EQ(0, link_down("fy0"));
	EXPECT_EQ(-ENETDOWN, sock_connect(self->fd, &self->there));
	ASSERT_EQ(0, link_up("fy0"));
	EXPECT_EQ(0, sock_connect(self->fd, &self->there));
}

TEST_F(connect, device_goes_down)
{
	ASSERT_TRUE(sleeper_start(&self->caller, SYS_connect));
	ASSERT_EQ(0, link_down("fy0"));
	EXPECT_EQ(-ENETDOWN, sleeper_join(&self->caller));
}

TEST_F(connect, device_goes)
{
	long err;

	ASSERT_TRUE(sleeper_start(&self->caller, SYS_connect));
	ASSERT_EQ(0, link_del("fy0"));
	err = sleeper_join(&self->caller);
	EXPECT_TRUE(err == -ENODEV || err == -ENETDOWN) {
		TH_LOG("woken with %ld", err);
	}
	EXPECT_EQ(-ENETUNREACH, sock_connect(self->fd, &self->there));
}

TEST_F(connect, disabled)
{
	ASSERT_EQ(0, ferry_disable("fy0"));
	EXPECT_EQ(-ENETUNREACH, sock_connect(self->fd, &self->there));
}

/* Between two devices there is no choosing... */
TEST_F(connect, which_device)
{
	struct link_spec other = {
		.kind = "ferry", .name = "fy2", .peer = "fy3", .peer_net = -1,
	};
	struct sockaddr_ferry to;

	ASSERT_EQ(0, link_add(&other));
	ASSERT_EQ(0, link_up("fy2"));
	EXPECT_EQ(-ENETUNREACH, sock_connect(self->fd, &self->there));
	/* ... but for who names one, or is bound to one. */
	to = sfy_dev(self->wire.fy1, PORT, "fy0");
	ASSERT_EQ(0, sock_connect(self->fd, &to));
	close(self->fd);
	self->fd = conn_socket(SOCK_STREAM);
	to = sfy(self->wire.fy0, 0);
	ASSERT_EQ(0, sock_bind(self->fd, &to));
	EXPECT_EQ(0, sock_connect(self->fd, &self->there));
}

TEST_HARNESS_MAIN
