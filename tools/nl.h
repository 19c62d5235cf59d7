/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Netlink: one socket, one request at a time, every error as a sentence.
 */
#ifndef FERRY_TOOL_NL_H
#define FERRY_TOOL_NL_H

#include <linux/types.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

/**
 * struct nl_fault - what an error of the kernel means to the user
 *
 * @err: the errno
 * @why: what is wrong; the kernel's own sentence takes its place if it sent one
 * @advice: what to do about it
 *
 * A table of these ends with an entry whose @err is 0.
 */
struct nl_fault {
	int		err;
	const char	*why;
	const char	*advice;
};

/* Family or device kind are unknown. */
#define NL_FAULT_NO_MODULE(errno_)	\
	{ errno_, "the ferry module is not loaded", \
	  "load the module with: modprobe ferry" }

/**
 * struct nl_job - what the user wants, for the sentence when it fails
 *
 * @verb: "cannot VERB OBJECT: ..."
 * @object: likewise
 * @faults: what the errors of this job mean, or NULL; looked up before those
 *	that mean the same everywhere
 */
struct nl_job {
	const char		*verb;
	const char		*object;
	const struct nl_fault	*faults;
};

/**
 * struct nl - a netlink socket
 *
 * @buf: the request, then its answer; it comes first to be aligned for them
 * @job: what it is used for
 * @sock: libmnl's socket
 * @family: message type of the family "ferry", if opened by nl_open_ferry()
 * @seq: number of the last request
 * @reply: called for each message of the answer, may be NULL
 * @reply_data: its argument
 * @extack: the kernel's sentence on the last request, or empty
 */
struct nl {
	char			buf[32768];
	const struct nl_job	*job;
	struct mnl_socket	*sock;
	__u16		family;
	unsigned int		seq;
	mnl_cb_t		reply;
	void			*reply_data;
	char			extack[256];
};

/**
 * nl_open_route() - open a socket to rtnetlink
 * @nl: the socket, closed by nl_close() if this succeeds
 * @job: what for; must outlive the socket
 *
 * Return: 0, or EXIT_FAILURE after a sentence on stderr.
 */
int nl_open_route(struct nl *nl, const struct nl_job *job);

/**
 * nl_open_ferry() - open a socket to the generic netlink family "ferry"
 * @nl: the socket, closed by nl_close() if this succeeds
 * @job: what for; must outlive the socket
 *
 * Return: 0, or EXIT_FAILURE after a sentence on stderr.
 */
int nl_open_ferry(struct nl *nl, const struct nl_job *job);

/**
 * nl_close() - close a socket
 * @nl: the socket
 */
void nl_close(struct nl *nl);

/**
 * nl_request() - begin a request to rtnetlink
 * @nl: the socket
 * @type: RTM_*
 * @flags: NLM_F_* beyond NLM_F_REQUEST and NLM_F_ACK
 *
 * Return: the request, to which header and attributes are to be added.
 */
struct nlmsghdr *nl_request(struct nl *nl, __u16 type, __u16 flags);

/**
 * nl_request_ferry() - begin a request to the family "ferry"
 * @nl: the socket, opened by nl_open_ferry()
 * @cmd: FERRY_CMD_*
 * @flags: NLM_F_* beyond NLM_F_REQUEST and NLM_F_ACK
 *
 * Return: the request, to which attributes are to be added.
 */
struct nlmsghdr *nl_request_ferry(struct nl *nl, __u8 cmd, __u16 flags);

/**
 * nl_talk() - send a request and take its whole answer
 * @nl: the socket
 * @request: from nl_request() or nl_request_ferry()
 * @reply: called for each message of the answer, or NULL
 * @data: argument for @reply
 *
 * Return: 0, or EXIT_FAILURE after a sentence on stderr.
 */
int nl_talk(struct nl *nl, struct nlmsghdr *request, mnl_cb_t reply,
	    void *data);

#endif /* FERRY_TOOL_NL_H */
