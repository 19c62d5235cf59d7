// SPDX-License-Identifier: GPL-2.0-only
/*
 * sender - send a file as a stream
 *
 * usage: sender ADDRESS PORT [GATE] <FILE
 *
 * Connects to a port of the host with the MAC address ADDRESS, writes standard input
 * there and closes, and waits for the other end to close too, which then has it all.
 * GATE is a FIFO: nothing is written before somebody opens it to write.
 *
 * Prints how many write(2) it took, and the microseconds from the first of them to
 * the end.
 */
#include <err.h>
#include <fcntl.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/ferry.h>

static char buf[1 << 16];

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int connect_to(const char *address, unsigned int port)
{
	struct sockaddr_ferry there = {
		.sfy_family = AF_FERRY,
		.sfy_port = port,
	};
	int fd = socket(AF_FERRY, SOCK_STREAM, 0);

	if (fd < 0)
		err(1, "socket");
	memcpy(there.sfy_addr, ether_aton(address), sizeof(there.sfy_addr));
	if (connect(fd, (struct sockaddr *)&there, sizeof(there)))
		err(1, "connect");
	return fd;
}

/* Return: how many calls it took. */
static unsigned long send_all(int fd)
{
	unsigned long calls = 0;
	ssize_t len, done, n;

	while ((len = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		for (done = 0; done < len; done += n) {
			n = write(fd, buf + done, len - done);
			if (n < 0)
				err(1, "write");
			calls++;
		}
	}
	if (len < 0)
		err(1, "standard input");
	return calls;
}

int main(int argc, char **argv)
{
	unsigned long calls;
	double begin;
	int fd;

	if (argc < 3 || argc > 4 || !ether_aton(argv[1]))
		errx(2, "usage: sender ADDRESS PORT [GATE] <FILE");
	fd = connect_to(argv[1], strtoul(argv[2], NULL, 10));
	if (argc == 4 && open(argv[3], O_RDONLY) < 0)
		err(1, "%s", argv[3]);

	begin = now_us();
	calls = send_all(fd);
	if (shutdown(fd, SHUT_WR))
		err(1, "shutdown");
	if (read(fd, buf, 1))
		err(1, "the reader says something, or failed");
	printf("%lu %.0f\n", calls, now_us() - begin);
	return 0;
}
