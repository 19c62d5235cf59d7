// SPDX-License-Identifier: GPL-2.0-only
/*
 * inet.so, for LD_PRELOAD: a program's sockets of TCP and UDP over IPv4 are streams
 * and datagrams of Ferry, and nothing but their addresses is another.
 *
 *	0.0.0.0			any address
 *	127.0.0.0/8		ferry0's
 *	255.255.255.255		everyone
 *	a.b.c.d			02:00:aa:bb:cc:dd
 *
 * Ports are the same. Options of TCP's that Ferry has by another name are translated;
 * TCP_NODELAY is what a stream does in any case; all others go to the kernel as they
 * are. So do addresses that are none of IPv4: it says what is wrong with them. Whether
 * a descriptor is one of ours the kernel knows by SO_DOMAIN.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ferry.h>

/* The C library's own function of the name. */
#define REAL(name)	((__typeof__(name) *)dlsym(RTLD_NEXT, #name))

static int real_getsockopt(int fd, int level, int name, void *value,
			   socklen_t *len)
{
	return REAL(getsockopt)(fd, level, name, value, len);
}

static int socket_int(int fd, int name)
{
	int value = -1, saved = errno;
	socklen_t len = sizeof(value);

	real_getsockopt(fd, SOL_SOCKET, name, &value, &len);
	errno = saved;
	return value;
}

static bool ours(int fd)
{
	return socket_int(fd, SO_DOMAIN) == AF_FERRY;
}

static const unsigned char *loopback(void)
{
	struct ifreq ifr = { .ifr_name = "ferry0" };
	static unsigned char addr[FERRY_ALEN];
	static bool known;
	int fd, saved = errno;

	if (known)
		return addr;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !ioctl(fd, SIOCGIFHWADDR, &ifr)) {
		memcpy(addr, ifr.ifr_hwaddr.sa_data, FERRY_ALEN);
		known = true;
	}
	close(fd);
	errno = saved;
	return addr;
}

/* Return: whether @sa is an address of IPv4, and @sfy the one for it. */
static bool to_ferry(const struct sockaddr *sa, socklen_t len,
		     struct sockaddr_ferry *sfy)
{
	const struct sockaddr_in *in = (const void *)sa;
	unsigned char ip[4];

	if (!sa || len < sizeof(*in) || sa->sa_family != AF_INET)
		return false;
	memcpy(ip, &in->sin_addr, sizeof(ip));
	*sfy = (struct sockaddr_ferry){
		.sfy_family = AF_FERRY,
		.sfy_port = ntohs(in->sin_port),
	};
	switch (ntohl(in->sin_addr.s_addr)) {
	case INADDR_ANY:
		break;
	case INADDR_BROADCAST:
		memset(sfy->sfy_addr, 0xff, FERRY_ALEN);
		break;
	default:
		if (ip[0] == IN_LOOPBACKNET) {
			memcpy(sfy->sfy_addr, loopback(), FERRY_ALEN);
			break;
		}
		sfy->sfy_addr[0] = 2;
		memcpy(sfy->sfy_addr + 2, ip, sizeof(ip));
	}
	return true;
}

/* An address of the kernel's, @had bytes long, for one who has room for *@len. */
static void from_ferry(const struct sockaddr_ferry *sfy, socklen_t had,
		       struct sockaddr *sa, socklen_t *len)
{
	static const unsigned char any[FERRY_ALEN];
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t room = *len;

	*len = had ? sizeof(in) : 0;
	if (!had)
		return;
	in.sin_port = htons(sfy->sfy_port);
	if (!memcmp(sfy->sfy_addr, any, FERRY_ALEN))
		in.sin_addr.s_addr = htonl(INADDR_ANY);
	else if (!memcmp(sfy->sfy_addr, loopback(), FERRY_ALEN))
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		memcpy(&in.sin_addr, sfy->sfy_addr + 2, sizeof(in.sin_addr));
	memcpy(sa, &in, room < sizeof(in) ? room : sizeof(in));
}

int socket(int family, int type, int protocol)
{
	__typeof__(socket) *real = REAL(socket);
	int kind = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	int usual = kind == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;

	if (family == AF_INET && (kind == SOCK_STREAM || kind == SOCK_DGRAM) &&
	    (!protocol || protocol == usual))
		return real(AF_FERRY, type, 0);
	return real(family, type, protocol);
}

int bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	__typeof__(bind) *real = REAL(bind);
	struct sockaddr_ferry sfy;

	if (!ours(fd) || !to_ferry(sa, len, &sfy))
		return real(fd, sa, len);
	return real(fd, (struct sockaddr *)&sfy, sizeof(sfy));
}

int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
	__typeof__(connect) *real = REAL(connect);
	struct sockaddr_ferry sfy;

	if (!ours(fd) || !to_ferry(sa, len, &sfy))
		return real(fd, sa, len);
	return real(fd, (struct sockaddr *)&sfy, sizeof(sfy));
}

int accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	__typeof__(accept4) *real = REAL(accept4);
	struct sockaddr_ferry sfy;
	socklen_t had = sizeof(sfy);
	int accepted;

	if (!sa || !ours(fd))
		return real(fd, sa, len, flags);
	accepted = real(fd, (struct sockaddr *)&sfy, &had, flags);
	if (accepted >= 0)
		from_ferry(&sfy, had, sa, len);
	return accepted;
}

int accept(int fd, struct sockaddr *sa, socklen_t *len)
{
	return accept4(fd, sa, len, 0);
}

static int name_of(int fd, struct sockaddr *sa, socklen_t *len,
		   __typeof__(getsockname) *real)
{
	struct sockaddr_ferry sfy;
	socklen_t had = sizeof(sfy);
	int err;

	if (!ours(fd))
		return real(fd, sa, len);
	err = real(fd, (struct sockaddr *)&sfy, &had);
	if (!err)
		from_ferry(&sfy, had, sa, len);
	return err;
}

int getsockname(int fd, struct sockaddr *sa, socklen_t *len)
{
	return name_of(fd, sa, len, REAL(getsockname));
}

int getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
	return name_of(fd, sa, len, REAL(getpeername));
}

ssize_t sendto(int fd, const void *buf, size_t n, int flags,
	       const struct sockaddr *sa, socklen_t len)
{
	__typeof__(sendto) *real = REAL(sendto);
	struct sockaddr_ferry sfy;

	if (!sa || !ours(fd) || !to_ferry(sa, len, &sfy))
		return real(fd, buf, n, flags, sa, len);
	return real(fd, buf, n, flags, (struct sockaddr *)&sfy, sizeof(sfy));
}

ssize_t recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *sa,
		 socklen_t *len)
{
	__typeof__(recvfrom) *real = REAL(recvfrom);
	struct sockaddr_ferry sfy;
	socklen_t had = sizeof(sfy);
	ssize_t got;

	if (!sa || !ours(fd))
		return real(fd, buf, n, flags, sa, len);
	got = real(fd, buf, n, flags, (struct sockaddr *)&sfy, &had);
	if (got >= 0)
		from_ferry(&sfy, had, sa, len);
	return got;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	__typeof__(sendmsg) *real = REAL(sendmsg);
	struct sockaddr_ferry sfy;
	struct msghdr with;

	if (!msg || !msg->msg_name || !ours(fd) ||
	    !to_ferry(msg->msg_name, msg->msg_namelen, &sfy))
		return real(fd, msg, flags);
	with = *msg;
	with.msg_name = &sfy;
	with.msg_namelen = sizeof(sfy);
	return real(fd, &with, flags);
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	__typeof__(recvmsg) *real = REAL(recvmsg);
	struct sockaddr_ferry sfy;
	struct msghdr with;
	ssize_t got;

	if (!msg || !msg->msg_name || !ours(fd))
		return real(fd, msg, flags);
	with = *msg;
	with.msg_name = &sfy;
	with.msg_namelen = sizeof(sfy);
	got = real(fd, &with, flags);
	if (got < 0)
		return got;
	msg->msg_controllen = with.msg_controllen;
	msg->msg_flags = with.msg_flags;
	from_ferry(&sfy, with.msg_namelen, msg->msg_name, &msg->msg_namelen);
	return got;
}

/* Ferry's name for an option of another level, or 0. */
static int twin(int level, int name)
{
	if (level == SOL_SOCKET)
		return name == SO_REUSEPORT ? FERRY_REUSEPORT :
		       name == SO_ZEROCOPY ? FERRY_ZEROCOPY : 0;
	if (level != IPPROTO_TCP)
		return 0;
	switch (name) {
	case TCP_CONGESTION:	return FERRY_CONGESTION;
	case TCP_CORK:		return FERRY_CORK;
	case TCP_DEFER_ACCEPT:	return FERRY_DEFER_ACCEPT;
	case TCP_KEEPCNT:	return FERRY_KEEPCNT;
	case TCP_KEEPIDLE:	return FERRY_KEEPIDLE;
	case TCP_KEEPINTVL:	return FERRY_KEEPINTVL;
	case TCP_LINGER2:	return FERRY_LINGER2;
	case TCP_MAXSEG:	return FERRY_MAXSEG;
	case TCP_NOTSENT_LOWAT:	return FERRY_NOTSENT_LOWAT;
	case TCP_QUICKACK:	return FERRY_QUICKACK;
	case TCP_SYNCNT:	return FERRY_SYNCNT;
	case TCP_USER_TIMEOUT:	return FERRY_USER_TIMEOUT;
	}
	return 0;
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	__typeof__(setsockopt) *real = REAL(setsockopt);
	int other = twin(level, name);

	if (!ours(fd))
		return real(fd, level, name, value, len);
	if (level == IPPROTO_TCP && name == TCP_NODELAY)
		return 0;
	return other ? real(fd, SOL_FERRY, other, value, len) :
		       real(fd, level, name, value, len);
}

static int answer(int value, void *to, socklen_t *len)
{
	*len = *len < sizeof(value) ? *len : sizeof(value);
	memcpy(to, &value, *len);
	return 0;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int other = twin(level, name);

	if (!ours(fd))
		return real_getsockopt(fd, level, name, value, len);
	if (level == IPPROTO_TCP && name == TCP_NODELAY)
		return answer(1, value, len);
	if (level == SOL_SOCKET && name == SO_DOMAIN)
		return answer(AF_INET, value, len);
	if (level == SOL_SOCKET && name == SO_PROTOCOL)
		return answer(socket_int(fd, SO_TYPE) == SOCK_STREAM ?
			      IPPROTO_TCP : IPPROTO_UDP, value, len);
	return other ? real_getsockopt(fd, SOL_FERRY, other, value, len) :
		       real_getsockopt(fd, level, name, value, len);
}
