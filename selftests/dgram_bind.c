// SPDX-License-Identifier: GPL-2.0-only
/*
 * bind(): ports, addresses, interfaces, and who may share.
 *
 *	+- new namespace -----------+
 *	|  ferry0    fy0 ---- fy1   |
 *	+---------------------------+
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "net.h"
#include "sock.h"
#include "wire.h"

#define NOBODY	65534

/* Of no device here, and a group's. */
static const unsigned char foreign[FERRY_ALEN] = { 2, 0, 0, 0, 0, 9 };
static const unsigned char group[FERRY_ALEN] = { 3, 0, 0, 0, 0, 9 };

FIXTURE(bind) {
	int a, b;
	struct wire wire;
};

FIXTURE_SETUP(bind)
{
	ASSERT_EQ(0, wire_inside(&self->wire, "ferry"));
	self->a = dgram();
	self->b = dgram();
	ASSERT_LE(0, self->a);
	ASSERT_LE(0, self->b);
}

FIXTURE_TEARDOWN(bind)
{
	close(self->a);
	close(self->b);
}

static int bind_port(int fd, unsigned int port)
{
	struct sockaddr_ferry at = sfy(addr_any, port);

	return sock_bind(fd, &at);
}

static int bind_addr(int fd, const unsigned char *addr, unsigned int port)
{
	struct sockaddr_ferry at = sfy(addr, port);

	return sock_bind(fd, &at);
}

static int bind_dev(int fd, const char *dev, unsigned int port)
{
	struct sockaddr_ferry at = sfy_dev(addr_any, port, dev);

	return sock_bind(fd, &at);
}

static int set_range(const char *text)
{
	int fd = open("/proc/sys/net/ferry/port_range", O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

TEST_F(bind, explicit_port)
{
	struct sockaddr_ferry own;
	socklen_t len = sizeof(own);

	ASSERT_EQ(0, bind_port(self->a, 5000));
	ASSERT_EQ(0, getsockname(self->a, (struct sockaddr *)&own, &len));
	EXPECT_EQ(AF_FERRY, own.sfy_family);
	EXPECT_EQ(5000, own.sfy_port);
	EXPECT_EQ(0, own.sfy_ifindex);
	EXPECT_EQ(0, memcmp(addr_any, own.sfy_addr, FERRY_ALEN));
}

TEST_F(bind, unbound_name)
{
	EXPECT_EQ(0, sock_port(self->a));
}

TEST_F(bind, twice)
{
	ASSERT_EQ(0, bind_port(self->a, 5000));
	EXPECT_EQ(-EINVAL, bind_port(self->a, 5001));
	EXPECT_EQ(-EINVAL, bind_port(self->a, 5000));
	EXPECT_EQ(5000, sock_port(self->a));
}

/* Sending gives a socket a port, after which it is bound. */
TEST_F(bind, after_sending)
{
	struct sockaddr_ferry to = sfy(addr_any, 6000);

	ASSERT_EQ(1, sock_send_to(self->a, "x", 1, &to));
	EXPECT_NE(0, sock_port(self->a));
	EXPECT_EQ(-EINVAL, bind_port(self->a, 5000));
}

/* As with UDP, whatever became of it. */
TEST_F(bind, after_sending__in_vain)
{
	EXPECT_EQ(-EDESTADDRREQ, sock_send(self->a, "x", 1, 0));
	EXPECT_NE(0, sock_port(self->a));
	EXPECT_EQ(-EOPNOTSUPP, sock_send(self->b, "x", 1, MSG_OOB));
	EXPECT_NE(0, sock_port(self->b));
}

TEST_F(bind, after_connecting__in_vain)
{
	struct sockaddr_ferry nowhere = sfy(self->wire.fy1, 0);

	EXPECT_EQ(-EINVAL, sock_connect(self->a, &nowhere));
	EXPECT_NE(0, sock_port(self->a));
	nowhere.sfy_family = AF_INET;
	EXPECT_EQ(-EAFNOSUPPORT, sock_connect(self->b, &nowhere));
	EXPECT_NE(0, sock_port(self->b));
}

TEST_F(bind, chosen_port_is_in_range)
{
	ASSERT_EQ(0, set_range("41000 41004"));
	ASSERT_EQ(0, bind_port(self->a, FERRY_PORT_ANY));
	EXPECT_LE(41000, sock_port(self->a));
	EXPECT_GE(41004, sock_port(self->a));
}

TEST_F(bind, all_chosen_ports_are_taken)
{
	struct sockaddr_ferry to = sfy(addr_any, 6000);

	ASSERT_EQ(0, set_range("41000 41001"));
	ASSERT_LE(0, dgram_at(41000));
	ASSERT_EQ(0, bind_port(self->a, FERRY_PORT_ANY));
	EXPECT_EQ(41001, sock_port(self->a));
	EXPECT_EQ(-EADDRINUSE, bind_port(self->b, FERRY_PORT_ANY));
	/* Those that bind as they go are told to try again, as UDP's are. */
	EXPECT_EQ(-EAGAIN, sock_send_to(self->b, "x", 1, &to));
	EXPECT_EQ(-EAGAIN, sock_connect(self->b, &to));
}

TEST_F(bind, chosen_ports_start_anywhere)
{
	unsigned int seen[8], i, distinct = 0;

	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		int fd = dgram_at(FERRY_PORT_ANY);

		ASSERT_LE(0, fd);
		seen[i] = sock_port(fd);
		close(fd);
		distinct += i && seen[i] != seen[i - 1] + 1 &&
			    seen[i] != seen[i - 1];
	}
	EXPECT_LT(0, distinct);
}

TEST_F(bind, in_use)
{
	ASSERT_EQ(0, bind_port(self->a, 5000));
	EXPECT_EQ(-EADDRINUSE, bind_port(self->b, 5000));
	EXPECT_EQ(-EADDRINUSE, bind_addr(self->b, self->wire.fy0, 5000));
	EXPECT_EQ(0, sock_port(self->b));
	/* What failed has left nothing behind. */
	EXPECT_EQ(0, bind_port(self->b, 5001));
}

TEST_F(bind, free_again_after_close)
{
	ASSERT_EQ(0, bind_port(self->a, 5000));
	close(self->a);
	EXPECT_EQ(0, bind_port(self->b, 5000));
}

TEST_F(bind, same_port_of_two_addresses)
{
	ASSERT_EQ(0, bind_addr(self->a, self->wire.fy0, 5000));
	EXPECT_EQ(0, bind_addr(self->b, self->wire.fy1, 5000));
}

TEST_F(bind, same_port_on_two_devices)
{
	ASSERT_EQ(0, bind_dev(self->a, "fy0", 5000));
	EXPECT_EQ(0, bind_dev(self->b, "fy1", 5000));
}

TEST_F(bind, same_port_on_device_and_any)
{
	ASSERT_EQ(0, bind_dev(self->a, "fy0", 5000));
	EXPECT_EQ(-EADDRINUSE, bind_port(self->b, 5000));
}

TEST_F(bind, reuseaddr__both)
{
	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, bind_port(self->a, 5000));
	EXPECT_EQ(0, bind_port(self->b, 5000));
}

TEST_F(bind, reuseaddr__one)
{
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, bind_port(self->a, 5000));
	EXPECT_EQ(-EADDRINUSE, bind_port(self->b, 5000));
}

/* The one that was bound last has what comes, as with UDP. */
TEST_F(bind, reuseaddr__who_receives)
{
	struct sockaddr_ferry to = sfy(addr_any, 5000);
	char byte;

	ASSERT_EQ(0, sock_set(self->a, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, sock_set(self->b, SOL_SOCKET, SO_REUSEADDR, 1));
	ASSERT_EQ(0, bind_port(self->a, 5000));
	ASSERT_EQ(0, bind_port(self->b, 5000));
	ASSERT_EQ(1, sock_send_to(dgram(), "x", 1, &to));
	EXPECT_EQ(1, sock_await(self->b, &byte, 1));
	EXPECT_TRUE(sock_empty(self->a));
}

TEST_F(bind, own_address)
{
	struct sockaddr_ferry own;
	socklen_t len = sizeof(own);

	ASSERT_EQ(0, bind_addr(self->a, self->wire.fy0, 5000));
	ASSERT_EQ(0, getsockname(self->a, (struct sockaddr *)&own, &len));
	EXPECT_EQ(0, memcmp(self->wire.fy0, own.sfy_addr, FERRY_ALEN));
}

/* It hears what is sent to that address, and nothing else. */
TEST_F(bind, own_address__receives)
{
	struct sockaddr_ferry fy0 = sfy(self->wire.fy0, 5000);
	struct sockaddr_ferry fy1 = sfy(self->wire.fy1, 5000);
	long unheard = stat_of("InDropNoPort");
	char byte;

	ASSERT_EQ(0, sock_bind(self->a, &fy0));
	ASSERT_EQ(1, sock_send_to(self->b, "1", 1, &fy1));
	ASSERT_EQ(unheard + 1, stat_wait("InDropNoPort", unheard + 1));
	ASSERT_EQ(1, sock_send_to(self->b, "0", 1, &fy0));
	ASSERT_EQ(1, sock_await(self->a, &byte, 1));
	EXPECT_EQ('0', byte);
	EXPECT_TRUE(sock_empty(self->a));
}

/* It sends from that address too. */
TEST_F(bind, own_address__sends)
{
	struct sockaddr_ferry to = sfy(addr_any, 5001), from;
	char byte;

	ASSERT_EQ(0, bind_addr(self->a, self->wire.fy1, 5000));
	ASSERT_EQ(0, bind_port(self->b, 5001));
	ASSERT_EQ(1, sock_send_to(self->a, "x", 1, &to));
	ASSERT_NE(0, sock_wait(self->b, POLLIN));
	ASSERT_EQ(1, sock_recv_from(self->b, &byte, 1, 0, &from));
	EXPECT_EQ(0, memcmp(self->wire.fy1, from.sfy_addr, FERRY_ALEN));
	EXPECT_EQ(5000, from.sfy_port);
}

TEST_F(bind, foreign_address)
{
	EXPECT_EQ(-EADDRNOTAVAIL, bind_addr(self->a, foreign, 5000));
	/* A group's is nobody's, and so anybody's. */
	EXPECT_EQ(0, bind_addr(self->a, group, 5000));
}

TEST_F(bind, address_of_another_device)
{
	struct sockaddr_ferry at = sfy_dev(self->wire.fy0, 5000, "fy1");

	EXPECT_EQ(-EADDRNOTAVAIL, sock_bind(self->a, &at));
}

TEST_F(bind, broadcast_address)
{
	EXPECT_EQ(0, bind_addr(self->a, addr_everyone, 5000));
}

TEST_F(bind, no_such_interface)
{
	struct sockaddr_ferry at = sfy(addr_any, 5000);

	at.sfy_ifindex = 9999;
	EXPECT_EQ(-ENODEV, sock_bind(self->a, &at));
}

/* An interface in the address is what SO_BINDTODEVICE sets. */
TEST_F(bind, interface)
{
	char name[IFNAMSIZ];
	socklen_t len = sizeof(name);

	ASSERT_EQ(0, bind_dev(self->a, "fy1", 5000));
	ASSERT_EQ(0, getsockopt(self->a, SOL_SOCKET, SO_BINDTODEVICE, name,
				&len));
	EXPECT_STREQ("fy1", name);
}

TEST_F(bind, interface__contradiction)
{
	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_BINDTODEVICE, "fy0",
				4));
	EXPECT_EQ(-EINVAL, bind_dev(self->a, "fy1", 5000));
	EXPECT_EQ(0, bind_dev(self->a, "fy0", 5000));
}

/* SO_BINDTODEVICE: only what arrives there is heard. */
TEST_F(bind, bindtodevice__receives)
{
	struct sockaddr_ferry fy0 = sfy(self->wire.fy0, 5000);
	struct sockaddr_ferry fy1 = sfy(self->wire.fy1, 5000);
	long unheard = stat_of("InDropNoPort");
	char byte;

	ASSERT_EQ(0, setsockopt(self->a, SOL_SOCKET, SO_BINDTODEVICE, "fy0",
				4));
	ASSERT_EQ(0, bind_port(self->a, 5000));
	ASSERT_EQ(1, sock_send_to(self->b, "1", 1, &fy1));
	ASSERT_EQ(unheard + 1, stat_wait("InDropNoPort", unheard + 1));
	ASSERT_EQ(1, sock_send_to(self->b, "0", 1, &fy0));
	ASSERT_EQ(1, sock_await(self->a, &byte, 1));
	EXPECT_EQ('0', byte);
}

/* Run @run as another user, without privilege but in a user namespace's own. */
static int as_nobody(int (*run)(void), bool own_namespaces)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setgid(NOBODY) || setuid(NOBODY))
			_exit(200);
		if (own_namespaces && unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(201);
		_exit(-run());
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int bind_below_1024(void)
{
	int fd = dgram_at(FERRY_PORT_PRIVILEGED - 1);

	return fd < 0 ? fd : 0;
}

static int bind_1024(void)
{
	int fd = dgram_at(FERRY_PORT_PRIVILEGED);

	return fd < 0 ? fd : 0;
}

TEST_F(bind, privileged)
{
	EXPECT_EQ(0, bind_port(self->a, 1));
	EXPECT_EQ(-EACCES, as_nobody(bind_below_1024, false));
	EXPECT_EQ(0, as_nobody(bind_1024, false));
}

/* What is wrong with the address is said first, then what with the port. */
static int bind_foreign_below_1024(void)
{
	return bind_addr(dgram(), foreign, FERRY_PORT_PRIVILEGED - 1);
}

static int bind_below_1024_twice(void)
{
	int fd = dgram_at(FERRY_PORT_PRIVILEGED);

	return bind_port(fd, FERRY_PORT_PRIVILEGED - 1);
}

static int bind_foreign_twice(void)
{
	int fd = dgram_at(FERRY_PORT_PRIVILEGED);

	return bind_addr(fd, foreign, FERRY_PORT_PRIVILEGED + 1);
}

TEST_F(bind, wrong_in_many_ways)
{
	EXPECT_EQ(-EADDRNOTAVAIL, as_nobody(bind_foreign_below_1024, false));
	EXPECT_EQ(-EADDRNOTAVAIL, as_nobody(bind_foreign_twice, false));
	EXPECT_EQ(-EACCES, as_nobody(bind_below_1024_twice, false));
}

TEST_F(bind, privileged__in_own_user_namespace)
{
	EXPECT_EQ(0, as_nobody(bind_below_1024, true));
}

TEST_HARNESS_MAIN
