// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry ping: is a host there, and how far away? It speaks as ping(8) does.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"
#include "command.h"
#include "echo.h"
#include "link.h"

#define NS_PER_SEC	1000000000LL
#define NS_PER_MS	1000000.0

/* Nobody has answered; something is wrong. */
#define EXIT_SILENCE	1
#define EXIT_TROUBLE	2

/* Answers to echoes that are older than so many come too late. */
#define REMEMBERED	4096

#define SIZE_MAX_ECHO	(ECHO_PACKET_MAX - ECHO_HLEN)

/**
 * struct ping - a ping
 *
 * @to: whom
 * @count: how many echoes, or UINT_MAX for as many as there is time
 * @interval: nanoseconds between two
 * @wait: nanoseconds to wait for an answer after the last one
 * @size: bytes of payload
 * @numeric: do not look for names
 * @quiet: nothing but the first line and the statistics
 * @fd: the socket
 * @sent: echoes sent, or tried
 * @answers: how many of them were answered
 * @duplicates: answers to what was answered already
 * @errors: echoes that could not be sent
 * @begin: when the first one was sent
 * @end: when the last one was sent, or an answer came
 * @min: least round-trip time, in nanoseconds
 * @max: largest
 * @sum: of all
 * @squares: of all, squared
 * @when: when echoes were sent, by their number
 * @answered: whether they were answered
 */
struct ping {
	struct addr	to;
	unsigned int	count;
	long long	interval;
	long long	wait;
	unsigned int	size;
	bool		numeric;
	bool		quiet;

	int		fd;
	unsigned int	sent, answers, duplicates, errors;
	long long	begin, end;
	double		min, max, sum, squares;
	long long	when[REMEMBERED];
	bool		answered[REMEMBERED];
};

/* An address with the name that it has, as "name (address)". */
static void print_host(const struct ping *ping, const __u8 addr[FERRY_ALEN])
{
	char text[ADDR_TEXT_LEN], name[ADDR_NAME_LEN];

	addr_format(addr, text);
	if (!ping->numeric && addr_name(addr, name))
		printf("%s (%s)", name, text);
	else
		printf("%s", text);
}

/* The payload of an echo: each has another. */
static void fill(const struct ping *ping, __u32 number, unsigned char *payload)
{
	unsigned int i;

	for (i = 0; i < ping->size; i++)
		payload[i] = number + i;
}

static void count_time(struct ping *ping, double time)
{
	if (!ping->answers || time < ping->min)
		ping->min = time;
	if (time > ping->max)
		ping->max = time;
	ping->sum += time;
	ping->squares += time * time;
}

static void take(struct ping *ping, const struct echo_answer *answer,
		 const unsigned char *payload)
{
	static unsigned char expected[SIZE_MAX_ECHO];
	unsigned int slot = answer->number % REMEMBERED;
	double time;
	bool again;

	/* Numbers begin with 1, and @sent is the last one. */
	if (answer->number > ping->sent ||
	    ping->sent - answer->number >= REMEMBERED)
		return;
	again = ping->answered[slot];
	/* The clock may have been set back. */
	time = answer->when - ping->when[slot];
	if (time < 0)
		time = 0;
	if (again) {
		ping->duplicates++;
	} else {
		count_time(ping, time);
		ping->answers++;
		ping->answered[slot] = true;
	}
	ping->end = echo_now();
	if (ping->quiet)
		return;
	printf("%zu bytes from ", answer->len + ECHO_HLEN);
	print_host(ping, answer->addr);
	printf(": seq=%u time=%.4f ms", answer->number, time / NS_PER_MS);
	fill(ping, answer->number, expected);
	if (answer->len != ping->size || memcmp(payload, expected, ping->size))
		fputs(" (not what was sent!)", stdout);
	puts(again ? " (DUP!)" : "");
}

/* Return: 0 or a negative errno. */
static int take_all(struct ping *ping)
{
	static unsigned char payload[SIZE_MAX_ECHO];
	struct echo_answer answer;
	int got;

	while ((got = echo_receive(ping->fd, &answer, payload,
				   sizeof(payload))) > 0)
		take(ping, &answer, payload);
	return got;
}

/* Return: 0 or a negative errno. */
static int ask(struct ping *ping)
{
	static unsigned char payload[SIZE_MAX_ECHO];
	struct echo_dest dest = {
		.device = ping->to.device,
		.number = ++ping->sent,
	};
	unsigned int slot = dest.number % REMEMBERED;

	memcpy(dest.addr, ping->to.addr, FERRY_ALEN);
	fill(ping, dest.number, payload);
	ping->answered[slot] = false;
	ping->end = echo_now();
	ping->when[slot] = echo_clock();
	return echo_send(ping->fd, &dest, payload, ping->size);
}

/* Is there nothing more to come? How many everyone is, nobody knows. */
static bool all_answered(const struct ping *ping)
{
	return !(ping->to.addr[0] & 1) && ping->answers + ping->errors >= ping->sent;
}

/* Take answers until a time has come, all there can be are there, or SIGINT. */
static int await(struct ping *ping, long long until, bool last)
{
	int err = 0;

	while (!err && !echo_interrupted() && echo_now() < until &&
	       !(last && all_answered(ping)))
		if (echo_wait(ping->fd, until))
			err = take_all(ping);
	return err;
}

static int trouble(struct ping *ping, int err)
{
	ping->errors++;
	complain("cannot ping %s: %s", ping->to.text, echo_why(err));
	return EXIT_TROUBLE;
}

/* Return: 0, or EXIT_TROUBLE if not one could be sent. */
static int ask_all(struct ping *ping)
{
	long long next = echo_now();
	int err;

	ping->begin = next;
	while (!echo_interrupted()) {
		err = ask(ping);
		if (err) {
			trouble(ping, err);
			if (ping->errors == ping->sent && ping->sent == 1)
				return EXIT_TROUBLE;
		}
		if (ping->sent == ping->count)
			break;
		next += ping->interval;
		err = await(ping, next, false);
		if (err)
			trouble(ping, err);
	}
	err = await(ping, echo_now() + ping->wait, true);
	if (err)
		trouble(ping, err);
	return 0;
}

static void print_statistics(const struct ping *ping)
{
	double mean, variance;

	printf("\n--- %s ping statistics ---\n", ping->to.text);
	printf("%u packets transmitted, %u received", ping->sent,
	       ping->answers);
	if (ping->duplicates)
		printf(", +%u duplicates", ping->duplicates);
	if (ping->errors)
		printf(", +%u errors", ping->errors);
	printf(", %g%% packet loss, time %lldms\n",
	       100.0 * (ping->sent - ping->answers) / ping->sent,
	       (ping->end - ping->begin) / 1000000);
	if (!ping->answers)
		return;
	mean = ping->sum / ping->answers;
	variance = ping->squares / ping->answers - mean * mean;
	printf("rtt min/avg/max/mdev = %.4f/%.4f/%.4f/%.4f ms\n",
	       ping->min / NS_PER_MS, mean / NS_PER_MS, ping->max / NS_PER_MS,
	       variance > 0 ? sqrt(variance) / NS_PER_MS : 0);
}

static int read_device(struct ping *ping, const char *name)
{
	int status = link_check_name(name);

	if (status)
		return status;
	ping->to.device = if_nametoindex(name);
	if (!ping->to.device)
		return usage_error("there is no device '%s'", name);
	return 0;
}

static int read_option(struct ping *ping, int option, const char *value)
{
	switch (option) {
	case 'c':
		if (!parse_number(value, &ping->count) || !ping->count)
			return usage_error("'%s' is no number above 0", value);
		return 0;
	case 'i':
		if (!parse_seconds(value, &ping->interval) ||
		    ping->interval < NS_PER_SEC / 1000)
			return usage_error("'%s' is no time from 0.001 to 86400 seconds",
					   value);
		return 0;
	case 's':
		if (!parse_number(value, &ping->size) ||
		    ping->size > SIZE_MAX_ECHO)
			return usage_error("'%s' is no size from 0 to %d bytes",
					   value, SIZE_MAX_ECHO);
		return 0;
	case 'W':
		if (!parse_seconds(value, &ping->wait))
			return usage_error("'%s' is no time from 0 to 86400 seconds",
					   value);
		return 0;
	case 'n':
		ping->numeric = true;
		return 0;
	case 'q':
		ping->quiet = true;
		return 0;
	default:
		return read_device(ping, value);
	}
}

static int read_words(struct ping *ping, int argc, char **argv)
{
	unsigned int device;
	int option, status;

	optind = 1;
	opterr = 0;
	while ((option = getopt(argc, argv, ":c:i:s:W:I:nq")) != -1) {
		if (option == '?')
			return usage_error("'ping' has no option '-%c'",
					   optopt);
		if (option == ':')
			return usage_error("'-%c' needs a value", optopt);
		status = read_option(ping, option, optarg);
		if (status)
			return status;
	}
	if (argc - optind != 1)
		return usage_error("'ping' takes one address");
	device = ping->to.device;
	status = addr_read(argv[optind], &ping->to);
	if (status)
		return status;
	if (device && ping->to.device && device != ping->to.device)
		return usage_error("'%s' and -I name two devices",
				   ping->to.text);
	if (device)
		ping->to.device = device;
	return 0;
}

int ping_run(int argc, char **argv)
{
	static struct ping ping = {
		.count = UINT_MAX,
		.interval = NS_PER_SEC,
		.wait = NS_PER_SEC,
		.size = 56,
	};
	int status = read_words(&ping, argc, argv);

	if (status)
		return status;
	ping.fd = echo_open();
	if (ping.fd < 0)
		return EXIT_TROUBLE;
	setvbuf(stdout, NULL, _IOLBF, 0);
	echo_catch_interrupt();
	fputs("PING ", stdout);
	print_host(&ping, ping.to.addr);
	printf(" %u(%u) bytes of data.\n", ping.size, ping.size + ECHO_HLEN);
	status = ask_all(&ping);
	close(ping.fd);
	if (status)
		return status;
	print_statistics(&ping);
	return ping.answers ? EXIT_SUCCESS : EXIT_SILENCE;
}
