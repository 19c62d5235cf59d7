/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The same calls in the same order on two families, for tests: what each call
 * returns is written down, and the two texts are to be the same.
 */
#ifndef _FERRY_TEST_SCRIPT_H
#define _FERRY_TEST_SCRIPT_H

#include <linux/sockios.h>
#include <stdbool.h>
#include <stddef.h>

#include "conn.h"
#include "sock.h"

#define SCRIPT_PORT	5000

/*
 * struct script - one side of the comparison
 *
 * @listener is at SCRIPT_PORT, and @a has connected to @b. A script may close each
 * of them and set it to -1; what is left open is closed at its end.
 */
struct script {
	int	family, type;
	int	listener, a, b;
	char	buf[256];
	char	text[16384];
	size_t	len;
};

/* What they are of a family: descriptors and results, as in sock.h. */
int script_socket(const struct script *s, int flags);
int script_bind(const struct script *s, int fd, unsigned int port);
int script_connect(const struct script *s, int fd, unsigned int port);
/* A socket that listens at a port. */
int script_listen(const struct script *s, unsigned int port, int backlog);
/* Connect @a to @b once more, by the listener. Return: 0 or -errno. */
int script_pair(struct script *s);

void script_close(int *fd);

/* Write a line down. */
void script_say(struct script *s, const char *what, const char *result);
/* A number, or the name of the error that a negative one is. */
void script_result(struct script *s, const char *what, long result);
/* The names of poll()'s bits. */
void script_events(struct script *s, const char *what, int events);

/* A call, and what it returned. */
#define CALL(call)		script_result(s, #call, call)
#define EVENTS(fd)		script_events(s, #fd, sock_events(fd))
/* The same, once it has one of @events, or an error or an end. */
#define EVENTS_AT(fd, events)	script_events(s, #fd, (sock_wait(fd, events), \
						      sock_events(fd)))

typedef void script_fn(struct script *s);

/*
 * Run it on @family and on AF_FERRY, each with a new pair. Return: NULL if both
 * say the same, or where they part, for a message.
 */
const char *script_compare(script_fn *run, int family, int type);

/*
 * A case of a kselftest fixture is a script, and the comparison. For a test of
 * kselftest_harness.h, with a macro SCRIPT(name) of its own that calls this one.
 */
#define SCRIPT_CASE(fixture, family, type, name) \
static void script_##name(struct script *s); \
TEST_F(fixture, name) \
{ \
	const char *where = script_compare(script_##name, family, type); \
	EXPECT_EQ(NULL, where) { TH_LOG("They part %s", where); } \
} \
static void script_##name(struct script *s)

/* Wait until so many bytes can be read; the pending error. */
#define ARRIVED(fd, n)	CALL(conn_await_amount(fd, SIOCINQ, n))
#define ERROR(fd)	script_result(s, "SO_ERROR", -sock_error(fd))

#endif
