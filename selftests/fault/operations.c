// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of operations whose allocations fail; streams.c has those of streams.
 *
 *   a namespace of the test's own
 *     [ fd ] -- ferry0, its wire leads back -- [ other, port 7000 ]
 *     fault0 (+ fault1): the cards that are made and deleted
 *     dummy0: a foreign device, to be enabled
 *
 * Netlink's answer may itself be what cannot be allocated. Then the caller
 * hears of a failure although all was done, so what counts is what was done.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/ferry.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../lib/net.h"
#include "fault.h"

#define PORT		7000
#define PAYLOAD		"one for the ferryman"
/* The kernel's own, which BPF answers when its compiler has no memory. */
#define ENOTSUPP	524

#define WAIT_MS		10000
#define POLL_MS		10

static int result(int status)
{
	return status < 0 ? -errno : 0;
}

static struct sockaddr_ferry here(unsigned int port)
{
	return (struct sockaddr_ferry) {
		.sfy_family = AF_FERRY,
		.sfy_port = port,
	};
}

static int bind_to(int fd, unsigned int port)
{
	struct sockaddr_ferry sfy = here(port);

	return result(bind(fd, (struct sockaddr *)&sfy, sizeof(sfy)));
}

static int connect_to(int fd, unsigned int port)
{
	struct sockaddr_ferry sfy = here(port);

	return result(connect(fd, (struct sockaddr *)&sfy, sizeof(sfy)));
}

static int send_to(int fd, unsigned int port)
{
	struct sockaddr_ferry sfy = here(port);

	return result(sendto(fd, PAYLOAD, sizeof(PAYLOAD), MSG_DONTWAIT,
			     (struct sockaddr *)&sfy, sizeof(sfy)));
}

static int readable(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, WAIT_MS) == 1 ? 0 : -ETIMEDOUT;
}

/*
 * Everything that Ferry and its card say they have dropped, but for what nobody
 * was meant to take.
 */
static long drops(void)
{
	static const char columns[] =
		" ferry0: %*d %*d %*d %ld %*d %*d %*d %*d %*d %*d %*d %ld";
	long count, rx, tx, sum = 0;
	char name[64], line[512];
	FILE *file;

	file = fopen("/proc/thread-self/net/ferry/stat", "r");
	if (!file)
		return -errno;
	while (fscanf(file, "%63s %ld", name, &count) == 2)
		if (strstr(name, "Drop") && strcmp(name, "InDropNoPort"))
			sum += count;
	fclose(file);

	file = fopen("/proc/thread-self/net/dev", "r");
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, columns, &rx, &tx) == 2)
			sum += rx + tx;
	fclose(file);
	return sum;
}

/* What was sent is there at @fd, unchanged, or a drop was counted. */
static int arrived_or_counted(const struct scene *scene, int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char buffer[sizeof(PAYLOAD)];
	int waited;

	for (waited = 0; waited < WAIT_MS; waited += POLL_MS) {
		if (poll(&pfd, 1, POLL_MS) == 1) {
			if (recv(fd, buffer, sizeof(buffer), 0) !=
			    sizeof(buffer))
				return -errno;
			return memcmp(buffer, PAYLOAD, sizeof(buffer)) ?
				-EBADMSG : 0;
		}
		if (drops() > scene->drops)
			return 0;
	}
	return -ETIMEDOUT;
}

/* Scenes: what is there before the operation. */

static int loaded(struct scene *scene)
{
	(void)scene;
	return module_load();
}

static int unloaded(struct scene *scene)
{
	(void)scene;
	return module_unload();
}

static int in_new_net(struct scene *scene)
{
	(void)scene;
	return result(unshare(CLONE_NEWNET));
}

static int with_socket(struct scene *scene)
{
	scene->fd = socket(AF_FERRY, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return result(scene->fd);
}

static int with_echoes(struct scene *scene)
{
	scene->fd = socket(AF_FERRY, SOCK_DGRAM | SOCK_CLOEXEC,
			   FERRYPROTO_ECHO);
	scene->drops = drops();
	return result(scene->fd);
}

static int with_receiver(struct scene *scene)
{
	int err = with_socket(scene);

	if (err)
		return err;
	scene->other = socket(AF_FERRY, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (scene->other < 0)
		return -errno;
	return bind_to(scene->other, PORT);
}

static int with_connection(struct scene *scene)
{
	int err = with_receiver(scene);

	scene->drops = drops();
	return err ? err : connect_to(scene->fd, PORT);
}

/* Twice, because a failed copy takes the datagram with it, as UDP's does. */
static int with_datagrams(struct scene *scene)
{
	int one = 1, err = with_receiver(scene);

	if (!err)
		err = result(setsockopt(scene->other, SOL_SOCKET, SO_TIMESTAMP,
					&one, sizeof(one)));
	if (!err)
		err = send_to(scene->fd, PORT);
	if (!err)
		err = send_to(scene->fd, PORT);
	return err ? err : readable(scene->other);
}

static int set_one(int fd, int level, int option)
{
	int one = 1;

	return result(setsockopt(fd, level, option, &one, sizeof(one)));
}

/* Nobody has the port that it is connected to. */
static int with_nobody_there(struct scene *scene)
{
	int err = with_socket(scene);

	scene->drops = drops();
	return err ? err : connect_to(scene->fd, PORT);
}

/* Twice, as above. */
static int with_times_of_sending(struct scene *scene)
{
	int flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	struct pollfd pfd = { .events = 0 };
	int err = with_receiver(scene);

	if (!err)
		err = result(setsockopt(scene->fd, SOL_SOCKET, SO_TIMESTAMPING,
					&flags, sizeof(flags)));
	if (!err)
		err = send_to(scene->fd, PORT);
	if (!err)
		err = send_to(scene->fd, PORT);
	pfd.fd = scene->fd;
	return err ? err : poll(&pfd, 1, WAIT_MS) == 1 ? 0 : -ETIMEDOUT;
}

static int share(int fd)
{
	return set_one(fd, SOL_FERRY, FERRY_REUSEPORT);
}

static int with_group(struct scene *scene)
{
	int err = with_socket(scene);

	if (err)
		return err;
	scene->other = socket(AF_FERRY, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (scene->other < 0)
		return -errno;
	err = share(scene->other);
	if (!err)
		err = bind_to(scene->other, PORT);
	return err ? err : share(scene->fd);
}

static int with_epoll(struct scene *scene)
{
	int err = with_socket(scene);

	if (err)
		return err;
	scene->other = epoll_create1(EPOLL_CLOEXEC);
	return result(scene->other);
}

static int with_card(struct scene *scene)
{
	const struct link_spec spec = {
		.kind = "ferry", .name = "fault0", .peer_net = -1,
	};

	/* For the ioctls on it. */
	scene->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (scene->fd < 0)
		return -errno;
	return link_add(&spec);
}

static int with_card_up(struct scene *scene)
{
	int err = with_card(scene);

	return err ? err : link_up("fault0");
}

static int with_dummy(struct scene *scene)
{
	const struct link_spec spec = {
		.kind = "dummy", .name = "dummy0", .peer_net = -1,
	};

	(void)scene;
	return link_add(&spec);
}

static int with_enabled_dummy(struct scene *scene)
{
	int err = with_dummy(scene);

	return err ? err : ferry_enable("dummy0");
}

/* A broadcast that dummy0 swallows is heard here alone, by both sockets. */
static int with_audience(struct scene *scene)
{
	int err = with_enabled_dummy(scene);

	if (!err)
		err = link_up("dummy0");
	if (!err)
		err = with_socket(scene);
	if (err)
		return err;
	scene->other = socket(AF_FERRY, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (scene->other < 0)
		return -errno;
	if (!err)
		err = set_one(scene->fd, SOL_SOCKET, SO_BROADCAST);
	if (!err)
		err = set_one(scene->fd, SOL_SOCKET, SO_REUSEADDR);
	if (!err)
		err = set_one(scene->other, SOL_SOCKET, SO_REUSEADDR);
	if (!err)
		err = bind_to(scene->fd, PORT);
	if (!err)
		err = bind_to(scene->other, PORT);
	scene->drops = drops();
	return err;
}

static void without_card(struct scene *scene)
{
	(void)scene;
	link_del("fault0");
}

static void without_dummy(struct scene *scene)
{
	(void)scene;
	link_del("dummy0");
}

static void without_module(struct scene *scene)
{
	(void)scene;
	module_unload();
}

/* Operations. */

static int do_bind(struct scene *scene)
{
	return bind_to(scene->fd, PORT);
}

static int do_bind_any(struct scene *scene)
{
	return bind_to(scene->fd, FERRY_PORT_ANY);
}

static int do_connect(struct scene *scene)
{
	return connect_to(scene->fd, PORT);
}

static int do_share(struct scene *scene)
{
	return share(scene->fd);
}

static int do_filter(struct scene *scene)
{
	struct sock_filter accept_all = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog program = { .len = 1, .filter = &accept_all };

	return result(setsockopt(scene->fd, SOL_SOCKET, SO_ATTACH_FILTER,
				 &program, sizeof(program)));
}

static int do_choose(struct scene *scene)
{
	struct sock_filter first = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = { .len = 1, .filter = &first };

	return result(setsockopt(scene->other, SOL_SOCKET,
				 SO_ATTACH_REUSEPORT_CBPF, &program,
				 sizeof(program)));
}

static int do_epoll(struct scene *scene)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	return result(epoll_ctl(scene->other, EPOLL_CTL_ADD, scene->fd, &event));
}

static int do_async(struct scene *scene)
{
	return result(fcntl(scene->fd, F_SETFL, O_ASYNC));
}

static int do_names(struct scene *scene)
{
	struct sockaddr_ferry sfy;
	socklen_t len = sizeof(sfy);

	if (getsockname(scene->fd, (struct sockaddr *)&sfy, &len))
		return -errno;
	len = sizeof(sfy);
	return result(getpeername(scene->fd, (struct sockaddr *)&sfy, &len));
}

static int do_send(struct scene *scene)
{
	int err = send_to(scene->fd, PORT);

	fault_over();
	return err ? err : arrived_or_counted(scene, scene->other);
}

/* One datagram of two parts. */
static int do_send_parts(struct scene *scene)
{
	int err = result(send(scene->fd, PAYLOAD, 3, MSG_MORE | MSG_DONTWAIT));

	err = err ?: result(send(scene->fd, PAYLOAD + 3, sizeof(PAYLOAD) - 3,
				 MSG_DONTWAIT));
	fault_over();
	return err ? err : arrived_or_counted(scene, scene->other);
}

/* There and back, to the socket itself. */
static int do_echo(struct scene *scene)
{
	int err = send_to(scene->fd, PORT);

	fault_over();
	return err ? err : arrived_or_counted(scene, scene->fd);
}

static int do_echo_anywhere(struct scene *scene)
{
	int err = send_to(scene->fd, PORT);

	return err ? err : arrived_or_counted(scene, scene->fd);
}

static int do_get_version(struct scene *scene)
{
	int value;
	socklen_t len = sizeof(value);

	return result(getsockopt(scene->fd, SOL_FERRY, FERRY_RECVVERSION,
				 &value, &len));
}

static int do_set_version(struct scene *scene)
{
	return set_one(scene->fd, SOL_FERRY, FERRY_RECVVERSION);
}

/* Faults are not over before it has arrived: its way there allocates, too. */
static int do_transfer(struct scene *scene)
{
	int err = send_to(scene->fd, PORT);

	return err ? err : arrived_or_counted(scene, scene->other);
}

static int do_broadcast(struct scene *scene)
{
	struct sockaddr_ferry everyone = here(PORT);
	int err;

	memset(everyone.sfy_addr, 0xff, sizeof(everyone.sfy_addr));
	err = result(sendto(scene->fd, PAYLOAD, sizeof(PAYLOAD), MSG_DONTWAIT,
			    (struct sockaddr *)&everyone, sizeof(everyone)));
	if (!err)
		err = arrived_or_counted(scene, scene->other);
	return err ? err : arrived_or_counted(scene, scene->fd);
}

/* The sender hears that nobody is there, or a drop was counted. */
static int do_send_to_nobody(struct scene *scene)
{
	struct pollfd pfd = { .fd = scene->fd, .events = 0 };
	int err = send_to(scene->fd, PORT), error, waited;
	socklen_t len = sizeof(error);

	for (waited = 0; waited < WAIT_MS && !err; waited += POLL_MS) {
		if (poll(&pfd, 1, POLL_MS) == 1) {
			if (getsockopt(scene->fd, SOL_SOCKET, SO_ERROR, &error,
				       &len))
				return -errno;
			return error == ECONNREFUSED ? 0 : -EBADMSG;
		}
		if (drops() > scene->drops)
			return 0;
	}
	return err ? err : -ETIMEDOUT;
}

/* Longer than what lies in one piece. */
static int do_send_long(struct scene *scene)
{
	static char buffer[60000];
	struct sockaddr_ferry sfy = here(PORT);

	return result(sendto(scene->fd, buffer, sizeof(buffer), MSG_DONTWAIT,
			     (struct sockaddr *)&sfy, sizeof(sfy)));
}

static int with_lending_connection(struct scene *scene)
{
	int one = 1, err = with_connection(scene);

	return err ? err : result(setsockopt(scene->fd, SOL_FERRY, FERRY_ZEROCOPY,
					     &one, sizeof(one)));
}

static int lend(struct scene *scene)
{
	return result(send(scene->fd, PAYLOAD, sizeof(PAYLOAD),
			   MSG_ZEROCOPY | MSG_DONTWAIT));
}

static int do_lend(struct scene *scene)
{
	int err = lend(scene);

	fault_over();
	return err ? err : arrived_or_counted(scene, scene->other);
}

static int do_transfer_lent(struct scene *scene)
{
	int err = lend(scene);

	return err ? err : arrived_or_counted(scene, scene->other);
}

static int do_errqueue(struct scene *scene)
{
	char buffer[64], control[256];
	struct iovec iov = { buffer, sizeof(buffer) };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	return result(recvmsg(scene->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT));
}

static int do_getsockopt(struct scene *scene)
{
	int value;
	socklen_t len = sizeof(value);

	return result(getsockopt(scene->fd, SOL_FERRY, FERRY_REUSEPORT, &value,
				 &len));
}

static int do_receive(struct scene *scene)
{
	char buffer[sizeof(PAYLOAD)], control[128];
	struct sockaddr_ferry sfy;
	struct iovec iov = { buffer, sizeof(buffer) };
	struct msghdr msg = {
		.msg_name = &sfy,
		.msg_namelen = sizeof(sfy),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	if (recvmsg(scene->other, &msg, MSG_DONTWAIT) < 0)
		return -errno;
	fault_over();
	return memcmp(buffer, PAYLOAD, sizeof(buffer)) ? -EBADMSG : 0;
}

static int do_stat(struct scene *scene)
{
	char text[64];
	int fd, err;

	(void)scene;
	fd = open("/proc/thread-self/net/ferry/stat", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = result(read(fd, text, sizeof(text)));
	fault_over();
	close(fd);
	return err;
}

static int do_sysctl(struct scene *scene)
{
	static const char range[] = "40000 50000\n";
	int fd, err;

	(void)scene;
	fd = open("/proc/sys/net/ferry/port_range", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = result(write(fd, range, strlen(range)));
	fault_over();
	close(fd);
	return err;
}

/* An error although the device is there: only the answer was lost. */
static int added(int err, const char *name)
{
	fault_over();
	return err && link_index(name) ? 0 : err;
}

static int do_add_card(struct scene *scene)
{
	const struct link_spec spec = {
		.kind = "ferry", .name = "fault0", .peer_net = -1,
	};

	(void)scene;
	return added(link_add(&spec), "fault0");
}

static int do_add_pair(struct scene *scene)
{
	const struct link_spec spec = {
		.kind = "ferry", .name = "fault0", .peer = "fault1",
		.peer_net = -1,
	};
	int err;

	(void)scene;
	err = added(link_add(&spec), "fault0");
	/* Both ends, or none. */
	return !err == !!link_index("fault1") ? err : -ENOTUNIQ;
}

static int do_delete_card(struct scene *scene)
{
	int err = link_del("fault0");

	(void)scene;
	fault_over();
	return err && !link_index("fault0") ? 0 : err;
}

static int do_card_up(struct scene *scene)
{
	struct ifreq ifr = { .ifr_name = "fault0", .ifr_flags = IFF_UP };

	return result(ioctl(scene->fd, SIOCSIFFLAGS, &ifr));
}

static int ethtool(int fd, void *command)
{
	struct ifreq ifr = { .ifr_name = "fault0", .ifr_data = command };

	return result(ioctl(fd, SIOCETHTOOL, &ifr));
}

static int do_rings(struct scene *scene)
{
	struct ethtool_ringparam rings = {
		.cmd = ETHTOOL_SRINGPARAM,
		.rx_pending = 128,
		.tx_pending = 256,
	};

	return ethtool(scene->fd, &rings);
}

static int do_channels(struct scene *scene)
{
	struct ethtool_channels channels = {
		.cmd = ETHTOOL_SCHANNELS,
		.combined_count = 1,
	};

	return ethtool(scene->fd, &channels);
}

/* As with cards: is it enabled? */
static int do_enable(struct scene *scene)
{
	int err = ferry_enable("dummy0");

	(void)scene;
	fault_over();
	if (err && !ferry_request(FERRY_CMD_LINK_GET, 0, "dummy0"))
		return 0;
	return err;
}

static int do_disable(struct scene *scene)
{
	int err = ferry_disable("dummy0");

	(void)scene;
	fault_over();
	if (err && ferry_request(FERRY_CMD_LINK_GET, 0, "dummy0") == -ENOENT)
		return 0;
	return err;
}

static int do_list(struct scene *scene)
{
	struct ferry_link_info links[4];
	int count = ferry_links(links, 4);

	(void)scene;
	return count < 0 ? count : 0;
}

/* Ferry is disabled where the new address cannot be noted, and says so. */
static int do_address(struct scene *scene)
{
	struct ifreq ifr = {
		.ifr_name = "fault0",
		.ifr_hwaddr = { .sa_family = 1, .sa_data = { 2, 0, 0, 0, 0, 7 } },
	};

	return result(ioctl(scene->fd, SIOCSIFHWADDR, &ifr));
}

static int membership(int fd, int option)
{
	const struct ferry_mreq mreq = { .fmr_addr = { 3, 0, 0, 0, 0, 7 } };

	return result(setsockopt(fd, SOL_FERRY, option, &mreq, sizeof(mreq)));
}

static int do_join(struct scene *scene)
{
	return membership(scene->fd, FERRY_ADD_MEMBERSHIP);
}

static int with_member(struct scene *scene)
{
	return with_socket(scene) ?: do_join(scene);
}

static int do_leave(struct scene *scene)
{
	return membership(scene->fd, FERRY_DROP_MEMBERSHIP);
}

static int with_pktinfo(struct scene *scene)
{
	int err = with_datagrams(scene);

	return err ? err : set_one(scene->other, SOL_FERRY, FERRY_RECVPKTINFO);
}

/* Answers, at the end that do_receive() reads; twice, as above. */
static int with_versions(struct scene *scene)
{
	int err = with_echoes(scene);

	if (err)
		return err;
	scene->other = scene->fd;
	scene->fd = -1;
	err = set_one(scene->other, SOL_FERRY, FERRY_RECVVERSION);
	if (!err)
		err = send_to(scene->other, PORT);
	if (!err)
		err = send_to(scene->other, PORT);
	return err ? err : readable(scene->other);
}

/* To the socket itself: the answer to what has arrived says the way. */
static int do_send_by(struct scene *scene)
{
	union {
		struct cmsghdr	cmsg;
		char		room[CMSG_SPACE(sizeof(struct ferry_pktinfo))];
	} control = {
		.cmsg = {
			.cmsg_level = SOL_FERRY,
			.cmsg_type = FERRY_PKTINFO,
			.cmsg_len = CMSG_LEN(sizeof(struct ferry_pktinfo)),
		},
	};
	struct sockaddr_ferry to = here(PORT);
	struct iovec iov = { PAYLOAD, sizeof(PAYLOAD) };
	struct msghdr msg = {
		.msg_name = &to, .msg_namelen = sizeof(to),
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	if (sendmsg(scene->fd, &msg, MSG_DONTWAIT) < 0)
		return -errno;
	fault_over();
	return arrived_or_counted(scene, scene->other);
}

/*
 * The table. EINVAL is the core's: it goes on when a device's name cannot be
 * allocated, until it misses that name.
 */

const struct operation operations[] = {
	{ "load", .prepare = unloaded, .operate = loaded,
	  .undo = without_module, .errnos = { ENOBUFS } },
	{ "socket in a new namespace", in_new_net, with_socket,
	  .errnos = { ENOBUFS, EINVAL } },
	{ "socket", NULL, with_socket, .errnos = { ENOBUFS } },
	{ "bind", with_socket, do_bind },
	{ "bind to any port", with_socket, do_bind_any },
	{ "bind in a group", with_group, do_bind },
	{ "setsockopt FERRY_REUSEPORT", with_socket, do_share },
	{ "getsockopt FERRY_REUSEPORT", with_socket, do_getsockopt },
	{ "setsockopt SO_ATTACH_FILTER", with_socket, do_filter,
	  .errnos = { ENOTSUPP } },
	{ "setsockopt SO_ATTACH_REUSEPORT_CBPF", with_group, do_choose,
	  .errnos = { ENOTSUPP } },
	{ "connect", with_receiver, do_connect },
	{ "getsockname, getpeername", with_connection, do_names },
	{ "send", with_receiver, do_send, .errnos = { ENOBUFS } },
	{ "send when connected", with_connection, do_send,
	  .errnos = { ENOBUFS } },
	{ "send in parts", with_connection, do_send_parts,
	  .errnos = { ENOBUFS } },
	{ "send and arrive", with_connection, do_transfer,
	  .where = ANYWHERE, .errnos = { ENOBUFS } },
	{ "send a long one", with_receiver, do_send_long,
	  .errnos = { ENOBUFS } },
	{ "lend", with_lending_connection, do_lend, .errnos = { ENOBUFS } },
	{ "lend and arrive", with_lending_connection, do_transfer_lent,
	  .where = ANYWHERE, .errnos = { ENOBUFS } },
	{ "broadcast and arrive", with_audience, do_broadcast, without_dummy,
	  .where = ANYWHERE, .errnos = { ENOBUFS } },
	{ "send to nobody", with_nobody_there, do_send_to_nobody,
	  .where = ANYWHERE, .errnos = { ENOBUFS } },
	{ "socket that sends echoes", NULL, with_echoes,
	  .errnos = { ENOBUFS } },
	{ "echo", with_echoes, do_echo, .errnos = { ENOBUFS } },
	{ "echo and its answer", with_echoes, do_echo_anywhere,
	  .where = ANYWHERE, .errnos = { ENOBUFS } },
	{ "setsockopt FERRY_RECVVERSION", with_echoes, do_set_version },
	{ "getsockopt FERRY_RECVVERSION", with_echoes, do_get_version },
	{ "receive FERRY_VERSION", with_versions, do_receive },
	{ "join a group", with_socket, do_join, .errnos = { ENOBUFS } },
	{ "leave a group", with_member, do_leave },
	{ "send by a way that is named", with_connection, do_send_by,
	  .errnos = { ENOBUFS } },
	{ "receive", with_datagrams, do_receive },
	{ "receive FERRY_PKTINFO", with_pktinfo, do_receive },
	{ "receive from the error queue", with_times_of_sending, do_errqueue },
	{ "epoll", with_epoll, do_epoll },
	{ "O_ASYNC", with_socket, do_async },
	{ "statistics", NULL, do_stat },
	{ "sysctl", NULL, do_sysctl },
	{ "add a card", NULL, do_add_card, without_card,
	  .errnos = { ENOBUFS, EINVAL } },
	{ "add a pair of cards", NULL, do_add_pair, without_card,
	  .errnos = { ENOBUFS, EINVAL } },
	{ "bring a card up", with_card, do_card_up, without_card },
	{ "ethtool -G", with_card_up, do_rings, without_card },
	{ "ethtool -L", with_card_up, do_channels, without_card },
	{ "change a card's address", with_card_up, do_address, without_card },
	{ "delete a card", with_card_up, do_delete_card, without_card,
	  .errnos = { ENOBUFS } },
	{ "enable a device", with_dummy, do_enable, without_dummy,
	  .errnos = { ENOBUFS } },
	{ "list devices", with_enabled_dummy, do_list, without_dummy,
	  .errnos = { ENOBUFS } },
	{ "disable a device", with_enabled_dummy, do_disable, without_dummy,
	  .errnos = { ENOBUFS } },
	{ "unload", loaded, unloaded },
	{ }
};
