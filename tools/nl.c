// SPDX-License-Identifier: GPL-2.0-only
/*
 * Netlink: one socket, one request at a time, every error as a sentence.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/ferry.h>
#include <linux/genetlink.h>

#include "command.h"
#include "nl.h"

static const struct nl_fault common_faults[] = {
	{ EPERM, "CAP_NET_ADMIN is missing in this network namespace",
	  "run it as root" },
	{ ENODEV, "there is no such device here",
	  "see what there is with: ip link" },
	{ EINTR, "something changed while it was listed", "run it again" },
	{ }
};

static const struct nl_fault family_faults[] = {
	NL_FAULT_NO_MODULE(ENOENT),
	{ }
};

static const struct nl_fault *find_fault(const struct nl_fault *fault, int err)
{
	for (; fault && fault->err; fault++)
		if (fault->err == err)
			return fault;
	return NULL;
}

/* Say why the job failed: in the kernel's words if there are any, else ours. */
static int job_failed(const struct nl *nl, const struct nl_fault *faults,
		      int err)
{
	const struct nl_fault *fault = find_fault(faults, err);
	const struct nl_job *job = nl->job;
	const char *why;

	if (!fault)
		fault = find_fault(common_faults, err);
	why = fault ? fault->why : strerror(err);
	if (*nl->extack)
		why = nl->extack;
	return complain("cannot %s %s: %s%s%s", job->verb, job->object, why,
			fault ? "; " : "", fault ? fault->advice : "");
}

static void read_extack(struct nl *nl, const struct nlmsghdr *nlh, size_t skip)
{
	const struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	mnl_attr_for_each(attr, nlh, skip)
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
			snprintf(nl->extack, sizeof(nl->extack), "%.*s",
				 mnl_attr_get_payload_len(attr),
				 mnl_attr_get_str(attr));
}

static int verdict(int err)
{
	errno = -err;
	return err ? MNL_CB_ERROR : MNL_CB_STOP;
}

static int on_error(const struct nlmsghdr *nlh, void *data)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*answer);

	/* An error that is not capped repeats the request before its TLVs. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&answer->msg);
	read_extack(data, nlh, skip);
	return verdict(answer->error);
}

static int on_done(const struct nlmsghdr *nlh, void *data)
{
	const int *err = mnl_nlmsg_get_payload(nlh);

	read_extack(data, nlh, sizeof(*err));
	return verdict(*err);
}

static int on_reply(const struct nlmsghdr *nlh, void *data)
{
	const struct nl *nl = data;

	return nl->reply ? nl->reply(nlh, nl->reply_data) : MNL_CB_OK;
}

/* Send the request and take its answer. Returns 0 or an errno. */
static int exchange(struct nl *nl, struct nlmsghdr *request)
{
	static mnl_cb_t control[] = {
		[NLMSG_ERROR] = on_error,
		[NLMSG_DONE] = on_done,
	};
	unsigned int port = mnl_socket_get_portid(nl->sock);
	ssize_t len;
	int state;

	nl->extack[0] = '\0';
	request->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, request, request->nlmsg_len) < 0)
		return errno;
	do {
		len = mnl_socket_recvfrom(nl->sock, nl->buf, sizeof(nl->buf));
		if (len < 0)
			return errno;
		state = mnl_cb_run2(nl->buf, len, nl->seq, port, on_reply, nl,
				    control, MNL_ARRAY_SIZE(control));
	} while (state > MNL_CB_STOP);
	return state == MNL_CB_STOP ? 0 : errno;
}

static int open_bus(struct nl *nl, const struct nl_job *job, int bus)
{
	int on = 1;

	memset(nl, 0, sizeof(*nl));
	nl->job = job;
	nl->sock = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl->sock)
		return job_failed(nl, NULL, errno);
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &on, sizeof(on))) {
		job_failed(nl, NULL, errno);
		nl_close(nl);
		return EXIT_FAILURE;
	}
	return 0;
}

static struct nlmsghdr *genl_request(struct nl *nl, __u16 family,
				     __u8 cmd, __u8 version,
				     __u16 flags)
{
	struct nlmsghdr *nlh = nl_request(nl, family, flags);
	struct genlmsghdr *genl;

	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

static int read_family(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *attr;
	struct nl *nl = data;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			nl->family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

int nl_open_route(struct nl *nl, const struct nl_job *job)
{
	return open_bus(nl, job, NETLINK_ROUTE);
}

int nl_open_ferry(struct nl *nl, const struct nl_job *job)
{
	struct nlmsghdr *nlh;
	int err;

	if (open_bus(nl, job, NETLINK_GENERIC))
		return EXIT_FAILURE;
	nlh = genl_request(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, 0);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, FERRY_GENL_NAME);
	nl->reply = read_family;
	nl->reply_data = nl;
	err = exchange(nl, nlh);
	if (!err)
		return 0;
	job_failed(nl, family_faults, err);
	nl_close(nl);
	return EXIT_FAILURE;
}

void nl_close(struct nl *nl)
{
	mnl_socket_close(nl->sock);
}

struct nlmsghdr *nl_request(struct nl *nl, __u16 type, __u16 flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return nlh;
}

struct nlmsghdr *nl_request_ferry(struct nl *nl, __u8 cmd, __u16 flags)
{
	return genl_request(nl, nl->family, cmd, FERRY_GENL_VERSION, flags);
}

int nl_talk(struct nl *nl, struct nlmsghdr *request, mnl_cb_t reply, void *data)
{
	int err;

	nl->reply = reply;
	nl->reply_data = data;
	err = exchange(nl, request);
	return err ? job_failed(nl, nl->job->faults, err) : 0;
}
