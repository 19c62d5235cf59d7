// SPDX-License-Identifier: GPL-2.0-only
/* The far end of a connection, made by hand: see peer.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "net.h"
#include "peer.h"
#include "sock.h"
#include "wait.h"

#define RAW_ROOM	(64 << 20)
#define AGAIN_MS	500

static unsigned int stamp_next(struct peer *peer)
{
	struct timespec t;
	unsigned int now;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = t.tv_sec * 1000000 + t.tv_nsec / 1000;
	if ((int)(now - peer->stamp) <= 0)
		now = peer->stamp + 1;
	peer->stamp = now ?: 1;
	return peer->stamp;
}

int peer_another(struct peer *peer, const struct wire *wire, unsigned int port,
		 unsigned int far_port)
{
	int one = 1, room = RAW_ROOM, err;

	*peer = (struct peer) {
		.port = port, .far_port = far_port,
		.nxt = PEER_ISS, .window = PEER_WINDOW, .mss = PEER_MSS,
	};
	memcpy(peer->own, wire->fy0, FERRY_ALEN);
	memcpy(peer->far, wire->fy1, FERRY_ALEN);
	err = net_enter(wire->red);
	if (err)
		return err;
	peer->raw = frame_socket("fy0");
	if (peer->raw < 0)
		return peer->raw;
	if (setsockopt(peer->raw, SOL_SOCKET, SO_RCVBUFFORCE, &room,
		       sizeof(room)) ||
	    setsockopt(peer->raw, SOL_PACKET, PACKET_AUXDATA, &one,
		       sizeof(one)) ||
	    setsockopt(peer->raw, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)))
		return -errno;
	return net_enter(wire->blue);
}

int peer_open(struct peer *peer, struct wire *wire, unsigned int port,
	      unsigned int far_port)
{
	int err = wire_across(wire, "ferry");

	if (!err)
		err = ferry_disable("fy0");
	return err ?: peer_another(peer, wire, port, far_port);
}

void peer_close(struct peer *peer)
{
	close(peer->raw);
}

struct seg peer_seg(struct peer *peer, int kind)
{
	struct seg seg = {
		.kind = kind, .sport = peer->port, .dport = peer->far_port,
		.seq = peer->nxt, .ack = peer->ack,
	};

	if (kind == SEG_RST)
		return seg;
	seg.window = peer->window;
	seg.stamp = stamp_next(peer);
	seg.echo = peer->echo;
	if (kind == SEG_DATA)
		return seg;
	seg.code = peer->code;
	seg.mss = peer->mss;
	if (kind == SEG_SYN) {
		seg.ack = 0;
		seg.echo = 0;
	}
	return seg;
}

static unsigned char pattern_at(__u64 offset)
{
	return (offset * 2654435761u) >> 24 ^ offset >> 32;
}

void peer_pattern(void *data, __u64 offset, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		((unsigned char *)data)[i] = pattern_at(offset + i);
}

bool peer_pattern_is(const void *data, __u64 offset, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		if (((const unsigned char *)data)[i] != pattern_at(offset + i))
			return false;
	return true;
}

struct seg peer_data(struct peer *peer, __s64 offset, size_t bytes)
{
	static unsigned char text[SEG_FRAME_MAX];
	struct seg seg = peer_seg(peer, SEG_DATA);

	seg.seq += offset;
	peer_pattern(text, seg.seq - PEER_ISS - 1, bytes);
	seg.payload = text;
	seg.bytes = bytes;
	return seg;
}

int peer_send_frame(struct peer *peer, const void *frame, size_t len)
{
	return send(peer->raw, frame, len, 0) == (ssize_t)len ? 0 : -errno;
}

int peer_send(struct peer *peer, const struct seg *seg)
{
	unsigned char frame[SEG_FRAME_MAX];

	return peer_send_frame(peer, frame,
			       seg_build(frame, peer->own, peer->far, seg));
}

/* Is the checksum of what was received in its place? */
static bool summed(struct msghdr *msg)
{
	struct cmsghdr *cmsg;
	struct tpacket_auxdata aux;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_PACKET ||
		    cmsg->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(cmsg), sizeof(aux));
		return !(aux.tp_status & TP_STATUS_CSUMNOTREADY);
	}
	return true;
}

/* Return: 1 if it is for this peer, 0 if not. */
static int receive(struct peer *peer, struct seg *seg, int patience)
{
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec iov = { peer->frame, sizeof(peer->frame) };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct pollfd p = { .fd = peer->raw, .events = POLLIN };
	ssize_t n;
	int err;

	if (poll(&p, 1, patience) != 1)
		return -ETIMEDOUT;
	n = recvmsg(peer->raw, &msg, 0);
	if (n < 0)
		return -errno;
	err = seg_read(peer->frame, n, summed(&msg), seg);
	if (err)
		return err;
	return seg->dport == peer->port && seg->sport == peer->far_port &&
	       !memcmp(peer->frame, peer->own, FERRY_ALEN) &&
	       !memcmp(peer->frame + FERRY_ALEN, peer->far, FERRY_ALEN);
}

static int await_for(struct peer *peer, struct seg *seg, int patience)
{
	int ret;

	do {
		ret = receive(peer, seg, patience);
	} while (!ret);
	if (ret < 0)
		return ret;
	if (seg->stamp)
		peer->echo = seg->stamp;
	return 0;
}

int peer_await(struct peer *peer, struct seg *seg)
{
	return await_for(peer, seg, WAIT_MS);
}

int peer_ask(struct peer *peer, const struct seg *seg, struct seg *answer)
{
	int i, err = -ETIMEDOUT;

	for (i = 0; err == -ETIMEDOUT && i < WAIT_MS / AGAIN_MS; i++)
		err = peer_send(peer, seg) ?: await_for(peer, answer, AGAIN_MS);
	return err;
}

int peer_await_kind(struct peer *peer, int kind, int flags, struct seg *seg)
{
	int err;

	do {
		err = peer_await(peer, seg);
	} while (!err && (seg->kind != kind || (seg->flags & flags) != flags));
	return err;
}

/* Count what comes until what answers the fence does. */
static int count_until(struct peer *peer, const struct seg *fence,
		       struct seg *got)
{
	struct seg seg;
	int count = 0, err;

	for (;;) {
		err = peer_await(peer, &seg);
		if (err)
			return err;
		if (fence->flags & SEG_ASK ?
		    seg.kind == SEG_DATA && seg.echo == fence->stamp :
		    seg.kind == SEG_RST && seg.seq == fence->ack)
			return count;
		if (!count++)
			*got = seg;
	}
}

int peer_answers(struct peer *peer, const struct seg *seg, struct seg *got)
{
	struct seg fence = peer_seg(peer, SEG_DATA);
	int err = peer_send(peer, seg);

	fence.flags = SEG_ASK;
	*got = (struct seg) { };
	if (!err)
		err = peer_send(peer, &fence);
	return err ?: count_until(peer, &fence, got);
}

int peer_strays(struct peer *peer, const struct seg *seg, struct seg *got)
{
	/* Numbers that nobody would choose. */
	static __u64 unique = 0x7fffffff00000000ULL;
	struct seg fence = peer_seg(peer, SEG_DATA);
	int err = peer_send(peer, seg);

	fence.ack = unique++;
	*got = (struct seg) { };
	if (!err)
		err = peer_send(peer, &fence);
	return err ?: count_until(peer, &fence, got);
}

int peer_connect(struct peer *peer, struct seg *synack)
{
	struct seg seg = peer_seg(peer, SEG_SYN), answer;
	int err = peer_send(peer, &seg);

	if (!err)
		err = peer_await(peer, &answer);
	if (err)
		return err;
	if (answer.kind == SEG_RST)
		return -ECONNREFUSED;
	if (answer.kind != SEG_SYNACK || answer.ack != peer->nxt + 1)
		return -EPROTO;
	peer->nxt++;
	peer->ack = answer.seq + 1;
	if (synack)
		*synack = answer;
	seg = peer_seg(peer, SEG_DATA);
	return peer_send(peer, &seg);
}

int peer_accept(struct peer *peer, struct seg *syn)
{
	struct seg seg, answer;
	int err;

	err = peer_await_kind(peer, SEG_SYN, 0, &answer);
	if (err)
		return err;
	peer->ack = answer.seq + 1;
	if (syn)
		*syn = answer;
	seg = peer_seg(peer, SEG_SYNACK);
	err = peer_send(peer, &seg);
	if (!err)
		err = peer_await_kind(peer, SEG_DATA, 0, &answer);
	if (err)
		return err;
	peer->nxt++;
	return answer.ack == peer->nxt ? 0 : -EPROTO;
}
