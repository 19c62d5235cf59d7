// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost - what one kind of work costs over one family of sockets
 *
 * usage: cost FAMILY WORK
 *
 * FAMILY is ferry, tcp or unix, WORK the name of a row below. Two processes on this
 * host do the work, over the family's own loop, after a warm-up of a tenth of it; one
 * line with the figure goes to standard output, by CLOCK_MONOTONIC. Under scripts/vm
 * --icount that clock counts instructions, and the figure repeats.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/ferry.h>

#define PORT	7000

static char buf[65536];

/* Addresses of the three families. */
union address {
	struct sockaddr		any;
	struct sockaddr_ferry	ferry;
	struct sockaddr_in	in;
	struct sockaddr_un	un;
};

static const struct family {
	const char	*name;
	int		domain;
	socklen_t	len;
	union address	address;
} families[] = {
	{
		"ferry", AF_FERRY, sizeof(struct sockaddr_ferry),
		{ .ferry = { .sfy_family = AF_FERRY, .sfy_port = PORT } },
	}, {
		"tcp", AF_INET, sizeof(struct sockaddr_in),
		{ .in = { .sin_family = AF_INET, .sin_port = PORT,
			  .sin_addr.s_addr = 0x0100007f } },
	}, {
		/* An abstract name: a NUL, and no file. */
		"unix", AF_UNIX, offsetof(struct sockaddr_un, sun_path) + 6,
		{ .un = { .sun_family = AF_UNIX, .sun_path = "\0ferry" } },
	},
};

/*
 * struct work - a row
 * @client: does it, on a connection that it closes in the end; returns the figure
 * @server: helps it, on what it accepts
 */
struct work {
	const char	*name;
	int		type;
	size_t		size;		/* bytes a call */
	long		times;
	double		(*client)(const struct work *work, int fd);
	void		(*server)(const struct work *work, int listener);
	const char	*unit;
};

static const struct family *family;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void all(const char *what, ssize_t done, size_t wanted)
{
	if (done < 0)
		err(1, "%s", what);
	if ((size_t)done != wanted)
		errx(1, "%s: %zd instead of %zu bytes", what, done, wanted);
}

static void get(int fd, size_t size)
{
	all("recv", recv(fd, buf, size, MSG_WAITALL), size);
}

static void put(int fd, size_t size)
{
	all("send", send(fd, buf, size, 0), size);
}

static int dial(const struct work *work)
{
	int fd = socket(family->domain, work->type, 0), one = 1;

	if (fd < 0)
		err(1, "socket");
	/* The others never wait for more. */
	if (family->domain == AF_INET &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)))
		err(1, "setsockopt TCP_NODELAY");
	if (connect(fd, &family->address.any, family->len))
		err(1, "connect");
	return fd;
}

static int answer(int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		err(1, "accept");
	return fd;
}

/* The client has closed: there is nothing more. */
static void end(int fd)
{
	if (recv(fd, buf, 1, 0))
		errx(1, "more than was sent");
	close(fd);
}

/* Gigabits a second, one way; the last byte is answered. */
static double stream_client(const struct work *work, int fd)
{
	double begin = now();
	long i;

	for (i = 0; i < work->times; i++)
		put(fd, work->size);
	get(fd, 1);
	begin = now() - begin;
	close(fd);
	return work->times * work->size * 8 / begin / 1e9;
}

static void stream_server(const struct work *work, int listener)
{
	size_t left = work->times * work->size;
	int fd = answer(listener);
	ssize_t n;

	while (left) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n <= 0)
			err(1, "recv");
		left -= n;
	}
	put(fd, 1);
	end(fd);
}

/* Microseconds there and back. */
static double pingpong_client(const struct work *work, int fd)
{
	double begin = now();
	long i;

	for (i = 0; i < work->times; i++) {
		put(fd, work->size);
		get(fd, work->size);
	}
	begin = now() - begin;
	close(fd);
	return begin / work->times * 1e6;
}

static void pingpong_server(const struct work *work, int listener)
{
	int fd = answer(listener);
	long i;

	for (i = 0; i < work->times; i++) {
		get(fd, work->size);
		put(fd, work->size);
	}
	end(fd);
}

/* Connections a second, each with 64 bytes there and back. */
static double connect_client(const struct work *work, int fd)
{
	double begin = now();
	long i;

	for (i = 0; i < work->times; i++) {
		if (i)
			fd = dial(work);
		put(fd, work->size);
		get(fd, work->size);
		close(fd);
	}
	return work->times / (now() - begin);
}

static void connect_server(const struct work *work, int listener)
{
	long i;
	int fd;

	for (i = 0; i < work->times; i++) {
		fd = answer(listener);
		get(fd, work->size);
		put(fd, work->size);
		if (recv(fd, buf, 1, 0))
			errx(1, "more than was sent");
		close(fd);
	}
}

/* Records a second, one way; each is received by a call of its own. */
static double records_client(const struct work *work, int fd)
{
	double begin = now();
	long i;

	for (i = 0; i < work->times; i++)
		put(fd, work->size);
	get(fd, 1);
	begin = now() - begin;
	close(fd);
	return work->times / begin;
}

static void records_server(const struct work *work, int listener)
{
	int fd = answer(listener);
	long i;

	for (i = 0; i < work->times; i++)
		all("recv", recv(fd, buf, sizeof(buf), 0), work->size);
	put(fd, 1);
	end(fd);
}

static const struct work works[] = {
	{ "stream-64k", SOCK_STREAM, 65536, 2048, stream_client, stream_server,
	  "Gbit/s" },
	{ "stream-1k", SOCK_STREAM, 1024, 16384, stream_client, stream_server,
	  "Gbit/s" },
	{ "pingpong-64", SOCK_STREAM, 64, 5000, pingpong_client,
	  pingpong_server, "us" },
	{ "connect-64", SOCK_STREAM, 64, 2000, connect_client, connect_server,
	  "1/s" },
	{ "record-64", SOCK_SEQPACKET, 64, 20000, records_client,
	  records_server, "1/s" },
	{ "record-16k", SOCK_SEQPACKET, 16384, 8000, records_client,
	  records_server, "1/s" },
};

/* Do a part of the work unmeasured, and then all of it. */
static void serve(const struct work *work, int listener)
{
	struct work warm_up = *work;

	warm_up.times /= 10;
	work->server(&warm_up, listener);
	work->server(work, listener);
}

static double measure(const struct work *work)
{
	struct work warm_up = *work;

	warm_up.times /= 10;
	work->client(&warm_up, dial(work));
	return work->client(work, dial(work));
}

int main(int argc, char **argv)
{
	const struct work *work = NULL;
	int listener, status;
	double figure;
	size_t i;

	if (argc != 3)
		errx(2, "usage: cost FAMILY WORK");
	for (i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (!strcmp(families[i].name, argv[1]))
			family = &families[i];
	for (i = 0; i < sizeof(works) / sizeof(works[0]); i++)
		if (!strcmp(works[i].name, argv[2]))
			work = &works[i];
	if (!family || !work)
		errx(2, "there is no family or work of that name");

	listener = socket(family->domain, work->type, 0);
	if (listener < 0)
		err(1, "socket");
	if (bind(listener, &family->address.any, family->len) ||
	    listen(listener, 128))
		err(1, "bind and listen");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		serve(work, listener);
		_exit(0);
	}
	close(listener);
	figure = measure(work);
	if (wait(&status) < 0 || status)
		errx(1, "the server failed");
	printf("%.6g %s\n", figure, work->unit);
	return 0;
}
