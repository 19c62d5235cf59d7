/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Echoes: asking hosts whether they are there, for ping and discover.
 */
#ifndef FERRY_TOOL_ECHO_H
#define FERRY_TOOL_ECHO_H

#include <stddef.h>
#include <linux/types.h>

#include <linux/ferry.h>

/* Bytes of Ferry's header, and the most that a packet can have with it. */
#define ECHO_HLEN	20
#define ECHO_PACKET_MAX	65535

/**
 * struct echo_dest - where an echo goes
 *
 * @addr: whom; all zero is this host
 * @device: the interface that it leaves by, or 0
 * @number: comes back with the answer; not 0
 */
struct echo_dest {
	__u8		addr[FERRY_ALEN];
	unsigned int	device;
	__u32		number;
};

/**
 * struct echo_answer - an answer
 *
 * @addr: whose
 * @device: the interface that it came by
 * @number: the echo's
 * @version: latest version of the protocol that who answers speaks
 * @when: when it came, in nanoseconds of echo_clock()
 * @len: bytes of payload, of which only so many as there was room for are stored
 */
struct echo_answer {
	__u8		addr[FERRY_ALEN];
	unsigned int	device;
	__u32		number;
	int		version;
	long long	when;
	size_t		len;
};

/**
 * echo_open() - open a socket that sends echoes
 *
 * Return: the socket, or -1 after a sentence on stderr.
 */
int echo_open(void);

/**
 * echo_clock() - the clock by which answers are stamped
 *
 * Return: nanoseconds.
 */
long long echo_clock(void);

/**
 * echo_send() - send an echo
 * @fd: the socket
 * @dest: where to
 * @payload: what comes back
 * @len: its length in bytes
 *
 * Return: 0 or a negative errno.
 */
int echo_send(int fd, const struct echo_dest *dest, const void *payload,
	      size_t len);

/**
 * echo_why() - what an error of echo_send() means to the user
 * @err: the negative errno
 *
 * Return: the middle of a sentence: why, and what to do about it.
 */
const char *echo_why(int err);

/**
 * echo_receive() - take the next answer, if there is one
 * @fd: the socket
 * @answer: where to store what it says
 * @payload: where to store its payload
 * @room: bytes that there are for it
 *
 * Return: 1 if there was one, 0 if there is none, or a negative errno.
 */
int echo_receive(int fd, struct echo_answer *answer, void *payload,
		 size_t room);

/**
 * echo_wait() - wait for an answer
 * @fd: the socket
 * @until: how long at the most: a time of echo_now()
 *
 * A SIGINT ends it, if echo_catch_interrupt() was called.
 *
 * Return: whether there is something to receive.
 */
int echo_wait(int fd, long long until);

/**
 * echo_now() - a clock that is never set
 *
 * Return: nanoseconds.
 */
long long echo_now(void);

/**
 * echo_catch_interrupt() - have a SIGINT only be noted, and end echo_wait()
 */
void echo_catch_interrupt(void);

/**
 * echo_interrupted() - whether a SIGINT came
 *
 * Return: whether it did.
 */
int echo_interrupted(void);

#endif /* FERRY_TOOL_ECHO_H */
