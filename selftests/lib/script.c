// SPDX-License-Identifier: GPL-2.0-only
/* The same calls on two families: see script.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "script.h"
#include "wait.h"

/* Where the two texts part: so much of each is shown. */
#define SHOWN	400

union address {
	struct sockaddr		any;
	struct sockaddr_in	in;
	struct sockaddr_un	un;
	struct sockaddr_ferry	ferry;
};

static socklen_t address(const struct script *s, unsigned int port,
			 union address *to)
{
	memset(to, 0, sizeof(*to));
	switch (s->family) {
	case AF_INET:
		to->in = (struct sockaddr_in) {
			.sin_family = AF_INET, .sin_port = htons(port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		return sizeof(to->in);
	case AF_UNIX:
		to->un.sun_family = AF_UNIX;
		/* An abstract name, which is its namespace's. */
		return offsetof(struct sockaddr_un, sun_path) + 1 +
		       snprintf(to->un.sun_path + 1, 16, "%u", port);
	default:
		to->ferry = sfy(addr_any, port);
		return sizeof(to->ferry);
	}
}

int script_socket(const struct script *s, int flags)
{
	int fd = socket(s->family, s->type | flags | SOCK_CLOEXEC, 0), one = 1;

	if (fd >= 0 && s->family == AF_INET)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd < 0 ? -errno : fd;
}

int script_bind(const struct script *s, int fd, unsigned int port)
{
	union address at;
	socklen_t len = address(s, port, &at);

	return bind(fd, &at.any, len) ? -errno : 0;
}

int script_connect(const struct script *s, int fd, unsigned int port)
{
	union address to;
	socklen_t len = address(s, port, &to);

	return connect(fd, &to.any, len) ? -errno : 0;
}

int script_listen(const struct script *s, unsigned int port, int backlog)
{
	int fd = script_socket(s, 0), err;

	if (fd < 0)
		return fd;
	err = script_bind(s, fd, port);
	if (!err && listen(fd, backlog))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int script_pair(struct script *s)
{
	int err;

	s->a = script_socket(s, 0);
	if (s->a < 0)
		return s->a;
	err = script_connect(s, s->a, SCRIPT_PORT);
	if (err)
		return err;
	s->b = conn_accept(s->listener);
	return s->b < 0 ? s->b : 0;
}

void script_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void script_say(struct script *s, const char *what, const char *result)
{
	int n = snprintf(s->text + s->len, sizeof(s->text) - s->len,
			 "%s: %s\n", what, result);

	if (n > 0 && s->len + n < sizeof(s->text))
		s->len += n;
}

void script_result(struct script *s, const char *what, long result)
{
	char number[32];

	snprintf(number, sizeof(number), "%ld", result);
	script_say(s, what, result < 0 ? strerrorname_np(-result) : number);
}

void script_events(struct script *s, const char *what, int events)
{
	static const struct {
		int		bit;
		const char	*name;
	} bits[] = {
		{ POLLIN, "IN " }, { POLLPRI, "PRI " }, { POLLOUT, "OUT " },
		{ POLLERR, "ERR " }, { POLLHUP, "HUP " },
		{ POLLRDNORM, "RDNORM " }, { POLLRDBAND, "RDBAND " },
		{ POLLWRNORM, "WRNORM " }, { POLLWRBAND, "WRBAND " },
		{ POLLRDHUP, "RDHUP " },
	};
	char names[128] = "";
	size_t i;

	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (events & bits[i].bit)
			strcat(names, bits[i].name);
	script_say(s, what, names);
}

/* Return: 0 or -errno. */
static int run_on(struct script *s, script_fn *run, int family, int type)
{
	int err;

	*s = (struct script) {
		.family = family, .type = type, .a = -1, .b = -1,
	};
	s->listener = script_listen(s, SCRIPT_PORT, 8);
	if (s->listener < 0)
		return s->listener;
	err = script_pair(s);
	if (!err)
		run(s);
	script_close(&s->a);
	script_close(&s->b);
	script_close(&s->listener);
	return err;
}

/* The line that @at is in begins here. */
static const char *line_of(const char *text, const char *at)
{
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

const char *script_compare(script_fn *run, int family, int type)
{
	static struct script theirs, ours;
	static char message[3 * SHOWN];
	const char *a = theirs.text, *b = ours.text;
	int err;

	err = run_on(&theirs, run, family, type) ?:
	      run_on(&ours, run, AF_FERRY, type);
	if (err) {
		snprintf(message, sizeof(message), "no pair: %s",
			 strerrorname_np(-err));
		return message;
	}
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (!*a && !*b)
		return NULL;
	snprintf(message, sizeof(message),
		 "after %ld characters.\nThe other family:\n%.*s\nFerry:\n%.*s",
		 (long)(a - theirs.text),
		 SHOWN, line_of(theirs.text, a), SHOWN, line_of(ours.text, b));
	return message;
}
