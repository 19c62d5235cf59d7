// SPDX-License-Identifier: GPL-2.0-only
/*
 * writer - send a file, one datagram a line
 *
 * usage: writer ADDRESS PORT <FILE
 *
 * Sends each line of standard input, as fast as it can, to a port of the host
 * with the MAC address ADDRESS, and prints how many sendto(2) took.
 */
#include <err.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/ferry.h>

int main(int argc, char **argv)
{
	struct sockaddr_ferry there = { .sfy_family = AF_FERRY };
	unsigned long sent = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int fd;

	if (argc != 3 || !ether_aton(argv[1]))
		errx(2, "usage: writer ADDRESS PORT <FILE");
	memcpy(there.sfy_addr, ether_aton(argv[1]), sizeof(there.sfy_addr));
	there.sfy_port = strtoul(argv[2], NULL, 10);

	fd = socket(AF_FERRY, SOCK_DGRAM, 0);
	if (fd < 0)
		err(1, "socket");
	while ((len = getline(&line, &room, stdin)) >= 0) {
		if (sendto(fd, line, len, 0, (struct sockaddr *)&there,
			   sizeof(there)) != len)
			err(1, "sendto");
		sent++;
	}
	if (ferror(stdin))
		err(1, "standard input");
	printf("%lu\n", sent);
	return 0;
}
