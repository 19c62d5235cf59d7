// SPDX-License-Identifier: GPL-2.0-only
/*
 * One end of a wire between two machines: see pair_test.
 *
 *	+- machine 1 -----+             +- machine 2 -----+
 *	|  a client  eth0 +--- wire ----+ eth0  the server |
 *	+-----------------+             +-----------------+
 *
 * usage: far serve | carry | half | outlive | with COMMAND...
 *
 *   serve	say again what anybody says, until a client says that all is over
 *   carry	a stream, records and datagrams, there and back
 *   half	much there and back, and say when half of it is
 *   outlive	say when half of it is, and what becomes of a busy connection and of
 *		one that is idle when there is nobody any more
 *	with	run a command when the server is there
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ferry.h>

#include "conn.h"
#include "net.h"
#include "sock.h"

enum { STREAM = 7200, RECORDS, DATAGRAMS, OVER };

#define CHUNK	(64 << 10)
#define SIZE	(10 << 20)
#define RECORD	20000

/* Side 1 of scripts/vm-pair is the client's, side 2 the server's. */
static const unsigned char server[] = { 0x52, 0x54, 0x00, 0xfe, 0x44, 0x02 };

static char chunk[CHUNK], heard[CHUNK];

static void check(bool good, const char *what)
{
	if (good)
		return;
	printf("not ok - %s: %s\n", what, strerror(errno));
	exit(1);
}

static void ready(void)
{
	if (system("modprobe -q virtio_net"))
		fprintf(stderr, "virtio_net is built in, or missing\n");
	check(!link_up("eth0") && !ferry_enable("eth0"), "eth0");
}

/* One who says again what he hears, in another process. */
static void echo(int fd)
{
	ssize_t n;

	if (fork()) {
		close(fd);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((n = recv(fd, chunk, CHUNK, 0)) > 0)
		if (send_all(fd, chunk, n) != n)
			break;
	_exit(0);
}

static void echo_datagram(int fd)
{
	struct sockaddr_ferry from;
	ssize_t n = sock_recv_from(fd, chunk, CHUNK, 0, &from);

	if (n >= 0)
		sock_send_to(fd, chunk, n, &from);
}

/* Who went before this client has heard of its connection would reset it. */
static int last_one(int listener)
{
	int fd = conn_accept(listener);

	check(fd >= 0 && !recv(fd, chunk, CHUNK, 0), "the end of the last one");
	return 0;
}

static int serve(void)
{
	struct pollfd pfd[] = {
		{ .fd = conn_listen(SOCK_STREAM, STREAM, 8) },
		{ .fd = conn_listen(SOCK_SEQPACKET, RECORDS, 8) },
		{ .fd = dgram_at(DATAGRAMS) },
		{ .fd = conn_listen(SOCK_STREAM, OVER, 8) },
	};
	int i;

	ready();
	signal(SIGCHLD, SIG_IGN);
	for (i = 0; i < 4; i++) {
		check(pfd[i].fd >= 0, "listen");
		pfd[i].events = POLLIN;
	}
	for (;;) {
		check(poll(pfd, 4, -1) > 0, "poll");
		if (pfd[0].revents)
			echo(conn_accept(pfd[0].fd));
		if (pfd[1].revents)
			echo(conn_accept(pfd[1].fd));
		if (pfd[2].revents)
			echo_datagram(pfd[2].fd);
		if (pfd[3].revents)
			return last_one(pfd[3].fd);
	}
}

/* The other machine may not be up yet, or not listen. */
static int reach(int type, unsigned int port)
{
	struct sockaddr_ferry to = sfy(server, port);
	int fd, i;

	for (i = 0; i < 600; i++) {
		fd = conn_to(type, &to);
		if (fd != -ECONNREFUSED && fd != -ETIMEDOUT)
			break;
		poll(NULL, 0, 100);
	}
	errno = fd < 0 ? -fd : 0;
	check(fd >= 0, "connect");
	return fd;
}

static void over(void)
{
	close(reach(SOCK_STREAM, OVER));
}

/* @size bytes there and back; @half is called in the middle. */
static void stream(size_t size, void (*half)(void))
{
	int fd = reach(SOCK_STREAM, STREAM);
	size_t done;

	for (done = 0; done < size; done += CHUNK) {
		if (half && done == size / 2)
			half();
		pattern_fill(chunk, CHUNK, done / CHUNK);
		check(send_all(fd, chunk, CHUNK) == CHUNK, "send");
		check(recv_all(fd, heard, CHUNK) == CHUNK, "receive");
		check(!memcmp(chunk, heard, CHUNK), "the same comes back");
	}
	close(fd);
	printf("ok - stream\n");
}

static void records(void)
{
	int fd = reach(SOCK_SEQPACKET, RECORDS), i;
	size_t len;

	for (i = 0; i < 20; i++) {
		len = i * 997 % RECORD;
		pattern_fill(chunk, len, i);
		check(sock_send(fd, chunk, len + 1, 0) == len + 1, "send");
		check(sock_recv(fd, heard, CHUNK, 0) == len + 1, "receive");
		check(!memcmp(chunk, heard, len), "the same comes back");
	}
	close(fd);
	printf("ok - records\n");
}

static void datagrams(void)
{
	struct sockaddr_ferry to = sfy(server, DATAGRAMS), from;
	int fd = dgram(), i;

	for (i = 0; i < 20; i++) {
		pattern_fill(chunk, 70 * i, i);
		check(sock_send_to(fd, chunk, 70 * i, &to) == 70 * i, "send");
		check(sock_wait(fd, POLLIN) & POLLIN, "answer");
		check(sock_recv_from(fd, heard, CHUNK, 0, &from) == 70 * i,
		      "receive");
		check(!memcmp(chunk, heard, 70 * i), "the same comes back");
		check(!memcmp(from.sfy_addr, server, FERRY_ALEN), "its sender");
	}
	close(fd);
	printf("ok - datagrams\n");
}

static int carry(void)
{
	stream(SIZE, NULL);
	records();
	datagrams();
	over();
	return 0;
}

static void say_half(void)
{
	printf("half\n");
}

static int half(void)
{
	stream(SIZE, say_half);
	over();
	return 0;
}

/* How a connection ends on which nothing is said. */
static const char *end_of_idle(int fd)
{
	struct pollfd pfd = { .fd = fd };

	check(poll(&pfd, 1, 120000) == 1, "an end");
	return strerrorname_np(sock_error(fd));
}

/* And one that is written to again and again. */
static const char *end_of_busy(int fd)
{
	ssize_t n = 0;
	int i;

	for (i = 0; i < 6000 && (n >= 0 || n == -EAGAIN); i++) {
		n = sock_send(fd, chunk, CHUNK, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n == -EAGAIN)
			poll(NULL, 0, 20);
	}
	check(n < 0 && n != -EAGAIN, "an end");
	return strerrorname_np(-n);
}

static int outlive(void)
{
	int busy = reach(SOCK_STREAM, STREAM), idle = reach(SOCK_STREAM, STREAM);

	check(!sock_set(busy, SOL_FERRY, FERRY_USER_TIMEOUT, 3000) &&
	      !sock_set(idle, SOL_FERRY, FERRY_KEEPIDLE, 1) &&
	      !sock_set(idle, SOL_FERRY, FERRY_KEEPINTVL, 1) &&
	      !sock_set(idle, SOL_FERRY, FERRY_KEEPCNT, 3) &&
	      !sock_set(idle, SOL_SOCKET, SO_KEEPALIVE, 1), "options");
	check(send_all(busy, chunk, CHUNK) == CHUNK &&
	      recv_all(busy, heard, CHUNK) == CHUNK, "a first exchange");
	say_half();
	printf("busy: %s\n", end_of_busy(busy));
	printf("idle: %s\n", end_of_idle(idle));
	return 0;
}

static int with(char **command)
{
	int status;

	ready();
	close(reach(SOCK_STREAM, STREAM));
	if (!fork()) {
		execvp(command[0], command);
		check(false, command[0]);
	}
	check(wait(&status) > 0 && WIFEXITED(status), "a status");
	over();
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} modes[] = {
		{ "carry", carry }, { "half", half }, { "outlive", outlive },
	};
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	if (argc > 2 && !strcmp(argv[1], "with"))
		return with(argv + 2);
	for (i = 0; argc == 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(argv[1], modes[i].name)) {
			ready();
			return modes[i].run();
		}
	fprintf(stderr,
		"usage: far serve | carry | half | outlive | with COMMAND...\n");
	return 2;
}
