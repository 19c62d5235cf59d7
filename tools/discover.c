// SPDX-License-Identifier: GPL-2.0-only
/*
 * ferry discover: who on a wire speaks Ferry? Everyone is asked, and each answers.
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "addr.h"
#include "command.h"
#include "echo.h"
#include "json.h"
#include "link.h"

#define ROW_FORMAT	"%-15s  %-17s  %7s  %11s  %s\n"
#define NS_PER_SEC	1000000000LL

/* How often everyone is asked: a frame may be lost. */
#define ROUNDS		3

/* Devices that are searched, and hosts that are found, at the most. */
#define DEVICES_MAX	256
#define HOSTS_MAX	4096

/* Nobody has answered. */
#define EXIT_SILENCE	1

/**
 * struct host - who has answered
 *
 * @device: index of the interface that he was heard by
 * @addr: his address
 * @version: latest version of the protocol that he speaks
 * @time: round-trip time, in nanoseconds
 */
struct host {
	unsigned int	device;
	__u8		addr[FERRY_ALEN];
	int		version;
	long long	time;
};

/**
 * struct search - a search
 *
 * @json: how it is told
 * @numeric: do not look for names
 * @wait: how long it takes, in nanoseconds
 * @only: name of the one device that is searched, or NULL for all of them
 * @devices: how many devices there are in @device
 * @device: their indices
 * @fd: the socket
 * @when: when each device was asked, by the number of the echo; see number_of()
 * @hosts: how many hosts there are in @host
 * @host: them
 */
struct search {
	bool		json, numeric;
	long long	wait;
	const char	*only;
	unsigned int	devices;
	unsigned int	device[DEVICES_MAX];
	int		fd;
	long long	when[ROUNDS * DEVICES_MAX];
	unsigned int	hosts;
	struct host	host[HOSTS_MAX];
};

static __u32 number_of(unsigned int round, unsigned int device)
{
	return 1 + round * DEVICES_MAX + device;
}

/* Ask everyone on each device. Return: 0, or EXIT_FAILURE after a sentence. */
static int ask(struct search *search, unsigned int round)
{
	struct echo_dest dest = { };
	unsigned int i;
	int err;

	memset(dest.addr, 0xff, FERRY_ALEN);
	for (i = 0; i < search->devices; i++) {
		dest.device = search->device[i];
		dest.number = number_of(round, i);
		search->when[dest.number - 1] = echo_clock();
		err = echo_send(search->fd, &dest, NULL, 0);
		/* One of many that is down is not what was asked for. */
		if (err && search->only)
			return complain("cannot search %s: %s", search->only,
					echo_why(err));
	}
	return 0;
}

static void take(struct search *search, const struct echo_answer *answer)
{
	unsigned int device, i;
	struct host *host;

	if (answer->number > ROUNDS * DEVICES_MAX)
		return;
	device = (answer->number - 1) % DEVICES_MAX;
	/* This host hears itself, too, but by the loop. */
	if (device >= search->devices ||
	    answer->device != search->device[device])
		return;
	for (i = 0; i < search->hosts; i++)
		if (search->host[i].device == answer->device &&
		    !memcmp(search->host[i].addr, answer->addr, FERRY_ALEN))
			return;
	if (search->hosts == HOSTS_MAX)
		return;
	host = &search->host[search->hosts++];
	host->device = answer->device;
	memcpy(host->addr, answer->addr, FERRY_ALEN);
	host->version = answer->version;
	host->time = answer->when - search->when[answer->number - 1];
	if (host->time < 0)
		host->time = 0;
}

/* Take what is answered in so many nanoseconds. Return: 0 or a negative errno. */
static int listen_for(struct search *search, long long time)
{
	long long until = echo_now() + time;
	struct echo_answer answer;
	int got;

	do {
		if (!echo_wait(search->fd, until))
			continue;
		while ((got = echo_receive(search->fd, &answer, NULL, 0)) > 0)
			take(search, &answer);
		if (got)
			return got;
	} while (echo_now() < until);
	return 0;
}

static int compare(const void *one, const void *other)
{
	const struct host *a = one, *b = other;

	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return memcmp(a->addr, b->addr, FERRY_ALEN);
}

static void print_row(const struct search *search, const struct host *host)
{
	char device[IF_NAMESIZE] = "?", address[ADDR_TEXT_LEN];
	char name[ADDR_NAME_LEN] = "", version[16], time[32];

	if_indextoname(host->device, device);
	if (!search->numeric && !addr_name(host->addr, name))
		*name = '\0';
	snprintf(version, sizeof(version), "%d", host->version);
	snprintf(time, sizeof(time), "%.4f ms", host->time / 1000000.0);
	printf(ROW_FORMAT, device, addr_format(host->addr, address), version,
	       time, *name ? name : "-");
}

static void print_json(const struct search *search, const struct host *host)
{
	char device[IF_NAMESIZE] = "?", address[ADDR_TEXT_LEN];
	char name[ADDR_NAME_LEN];

	if_indextoname(host->device, device);
	printf("{\"ifindex\":%u,\"device\":", host->device);
	json_string(device);
	printf(",\"address\":\"%s\",\"version\":%d,\"rtt_ns\":%lld",
	       addr_format(host->addr, address), host->version, host->time);
	if (!search->numeric && addr_name(host->addr, name)) {
		fputs(",\"host\":", stdout);
		json_string(name);
	}
	putchar('}');
}

static void print_all(const struct search *search)
{
	unsigned int i;

	if (search->json)
		putchar('[');
	else
		printf(ROW_FORMAT, "DEVICE", "ADDRESS", "VERSION", "RTT",
		       "NAME");
	for (i = 0; i < search->hosts; i++) {
		if (!search->json) {
			print_row(search, &search->host[i]);
			continue;
		}
		if (i)
			fputs(",\n ", stdout);
		print_json(search, &search->host[i]);
	}
	if (search->json)
		puts("]");
}

static int search_all(struct search *search)
{
	unsigned int round;
	int err;

	for (round = 0; round < ROUNDS; round++) {
		if (ask(search, round))
			return EXIT_FAILURE;
		err = listen_for(search, search->wait / ROUNDS);
		if (err)
			return complain("cannot search: %s", echo_why(err));
	}
	qsort(search->host, search->hosts, sizeof(search->host[0]), compare);
	print_all(search);
	return search->hosts ? EXIT_SUCCESS : EXIT_SILENCE;
}

static void note_device(const struct link *link, void *data)
{
	struct search *search = data;

	/* There is nobody else on the loop, so it has to be asked for. */
	if ((!search->only && link->flags & FERRY_LINK_F_LOOP) ||
	    search->devices == DEVICES_MAX)
		return;
	search->device[search->devices++] = link->ifindex;
}

static int read_words(struct search *search, int argc, char **argv)
{
	int option;

	optind = 1;
	opterr = 0;
	while ((option = getopt(argc, argv, ":W:jn")) != -1) {
		switch (option) {
		case 'W':
			if (!parse_seconds(optarg, &search->wait))
				return usage_error("'%s' is no time from 0 to 86400 seconds",
						   optarg);
			break;
		case 'j':
			search->json = true;
			break;
		case 'n':
			search->numeric = true;
			break;
		case ':':
			return usage_error("'-%c' needs a value", optopt);
		default:
			return usage_error("'discover' has no option '-%c'",
					   optopt);
		}
	}
	if (argc - optind > 1)
		return usage_error("'discover' takes one device at most");
	search->only = argv[optind];
	return search->only ? link_check_name(search->only) : 0;
}

int discover_run(int argc, char **argv)
{
	static struct search search = { .wait = NS_PER_SEC };
	int status = read_words(&search, argc, argv);

	if (status)
		return status;
	if (link_for_each("search", search.only, note_device, &search))
		return EXIT_FAILURE;
	if (!search.devices)
		return complain("cannot search: no device is enabled; see: ferry link help");
	search.fd = echo_open();
	if (search.fd < 0)
		return EXIT_FAILURE;
	status = search_all(&search);
	close(search.fd);
	return status;
}
