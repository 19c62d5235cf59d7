// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attackers on the wire: floods of what is a guess, breaks a rule or is for nobody,
 * while those who are honest go on. Each frame is counted, and as what it is; it
 * leaves nothing in memory; and strangers are answered so often and no more.
 *
 *	+- red ----------------+        +- blue ----------+
 *	|  clients,            |        |                 |
 *	|  attacker       fy0 -+--------+- fy1    servers |
 *	+----------------------+        +-----------------+
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "conn.h"
#include "frame.h"
#include "module.h"
#include "net.h"
#include "repeat.h"
#include "seg.h"
#include "sock.h"
#include "transfer.h"
#include "wait.h"
#include "wire.h"

#define PORT		5000
#define NOBODY		7000
#define FRAMES		1000
#define BATCH		50	/* that may be on their way, uncounted */
#define SIZE		(1 << 18)

#define FLAT_KB		1024
/* Answers in a second to strangers, and of a connection to what it refuses. */
#define LIMIT		1000
#define CHALLENGES	2

struct scene {
	struct wire wire;
	int raw;			/* the attacker's, on fy0 */
	struct conn conn;
	unsigned int port;		/* the client's */
	int dgram, dgram_client;
	unsigned char frame[2048];
};

/*
 * struct sort - a sort of attack
 * @send: sends the next frame of it
 * @count: the counter that each of them is counted in
 * @answers: the counter of answers, or NULL for none
 * @limit: of them, in a second
 */
struct sort {
	int (*send)(struct scene *scene, int i);
	const char *count;
	const char *answers;
	int limit;
};

FIXTURE(attack) {
	struct scene scene;
};

FIXTURE_VARIANT(attack) {
	struct sort sort;
};

/* An address that nobody has, and another one each time. */
static void spoof(unsigned char *addr)
{
	unsigned int host = random();

	addr[0] = 0x06;
	addr[1] = 0;
	memcpy(addr + 2, &host, sizeof(host));
}

static int send_raw(struct scene *scene, size_t len)
{
	while (send(scene->raw, scene->frame, len, 0) < 0)
		if (errno != ENOBUFS)
			return -errno;
	return 0;
}

static __u64 number(void)
{
	return (__u64)random() << 32 ^ (__u64)random() << 8;
}

/* The honest connection's client would say so, but for the numbers. */
static int send_guess(struct scene *scene, struct seg *seg)
{
	seg->sport = scene->port;
	seg->dport = PORT;
	seg->seq = number();
	if (seg->kind != SEG_SYN)
		seg->ack = number();
	if (seg->kind != SEG_RST) {
		seg->window = random() % 65536;
		seg->stamp = 1 + random();
	}
	return send_raw(scene, seg_build(scene->frame, scene->wire.fy0,
					scene->wire.fy1, seg));
}

static int rst_guess(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_RST };

	return send_guess(scene, &seg);
}

static int data_guess(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_DATA, .payload = "forged", .bytes = 6 };

	return send_guess(scene, &seg);
}

static int fin_guess(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_DATA, .flags = SEG_FIN };

	return send_guess(scene, &seg);
}

static int ack_storm(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_DATA };

	return send_guess(scene, &seg);
}

static int asking(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_DATA, .flags = SEG_ASK };

	return send_guess(scene, &seg);
}

static int sack_guess(struct scene *scene, int i)
{
	struct seg seg = {
		.kind = SEG_DATA, .nsack = 1,
		.sack = { { 1 + i, 1000 + 2 * i } },
	};

	return send_guess(scene, &seg);
}

static int syn_again(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_SYN, .mss = 1000 };

	return send_guess(scene, &seg);
}

static int synack_guess(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_SYNACK, .mss = 1000 };

	return send_guess(scene, &seg);
}

/* From another stranger each time, to a port. */
static int send_stray(struct scene *scene, struct seg *seg)
{
	unsigned char from[FERRY_ALEN];

	spoof(from);
	seg->sport = 1 + random();
	seg->seq = number();
	if (seg->kind != SEG_SYN)
		seg->ack = number();
	if (seg->kind != SEG_RST) {
		seg->window = 65536;
		seg->stamp = 1 + random();
	}
	return send_raw(scene, seg_build(scene->frame, from, scene->wire.fy1, seg));
}

static int data_stray(struct scene *scene, int)
{
	struct seg seg = {
		.kind = SEG_DATA, .dport = NOBODY, .payload = "x", .bytes = 1,
	};

	return send_stray(scene, &seg);
}

static int data_at_listener(struct scene *scene, int)
{
	struct seg seg = {
		.kind = SEG_DATA, .dport = PORT, .payload = "x", .bytes = 1,
	};

	return send_stray(scene, &seg);
}

static int rst_stray(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_RST, .dport = NOBODY };

	return send_stray(scene, &seg);
}

static int rst_at_listener(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_RST, .dport = PORT };

	return send_stray(scene, &seg);
}

static int synack_at_listener(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_SYNACK, .dport = PORT, .mss = 1000 };

	return send_stray(scene, &seg);
}

static int synack_stray(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_SYNACK, .dport = NOBODY, .mss = 1000 };

	return send_stray(scene, &seg);
}

static int syn_stray(struct scene *scene, int)
{
	struct seg seg = { .kind = SEG_SYN, .dport = NOBODY, .mss = 1000 };

	return send_stray(scene, &seg);
}

static struct frame datagram(struct scene *scene, unsigned int port)
{
	struct frame frame = frame_datagram(scene->wire.fy0, scene->wire.fy1,
					    1 + random(), port, "datagram");

	spoof(frame.src);
	return frame;
}

static int send_frame(struct scene *scene, const struct frame *frame)
{
	int err;

	do {
		err = frame_send(scene->raw, frame);
	} while (err == -ENOBUFS);
	return err;
}

static int no_port(struct scene *scene, int)
{
	struct frame frame = datagram(scene, NOBODY);

	return send_frame(scene, &frame);
}

/* Of what nobody has sent, be it to the honest datagrams' port. */
static int unreachable(struct scene *scene, int i)
{
	struct frame frame = frame_unreach(scene->wire.fy0, scene->wire.fy1,
					   1 + random(), i & 1 ? PORT : NOBODY,
					   FRAME_UNREACH_PORT);

	spoof(frame.src);
	return send_frame(scene, &frame);
}

/* Of the honest connection, which it cannot end. */
static int unreachable__connection(struct scene *scene, int)
{
	struct frame frame = frame_unreach(scene->wire.fy0, scene->wire.fy1,
					   scene->port, PORT,
					   FRAME_UNREACH_PORT);

	frame.about = SEG_DATA;
	return send_frame(scene, &frame);
}

static int echo(struct scene *scene, int)
{
	struct frame frame = datagram(scene, NOBODY);

	frame.kind = FRAME_ECHO;
	return send_frame(scene, &frame);
}

static int echo_reply(struct scene *scene, int)
{
	struct frame frame = datagram(scene, NOBODY);

	frame.kind = FRAME_ECHO_REPLY;
	frame.code = 1;
	return send_frame(scene, &frame);
}

static int truncated(struct scene *scene, int i)
{
	struct frame frame = datagram(scene, PORT);

	frame.cut = 1 + i % (FRAME_HLEN + frame.bytes - 1);
	return send_frame(scene, &frame);
}

static int oversized(struct scene *scene, int i)
{
	struct frame frame = datagram(scene, PORT);

	frame.len = i & 1 ? frame.bytes + 1 + i : ~0U - i;
	return send_frame(scene, &frame);
}

static int checksum(struct scene *scene, int i)
{
	struct frame frame = datagram(scene, PORT);

	frame.damage = 1 + i % 0xfffe;
	return send_frame(scene, &frame);
}

static int version(struct scene *scene, int i)
{
	struct frame frame = datagram(scene, PORT);

	frame.version += 1 + i % 14;
	return send_frame(scene, &frame);
}

static int kind(struct scene *scene, int i)
{
	struct frame frame = datagram(scene, PORT);

	frame.kind = 200 + i % 50;
	return send_frame(scene, &frame);
}

/* Source equals destination, as the attack of this name has it. */
static int land(struct scene *scene, int)
{
	struct seg seg = {
		.kind = SEG_SYN, .sport = PORT, .dport = PORT, .seq = number(),
		.window = 65536, .stamp = 1, .mss = 1000,
	};

	return send_raw(scene, seg_build(scene->frame, scene->wire.fy1,
					scene->wire.fy1, &seg));
}

static int from_all(struct scene *scene, int i)
{
	struct frame frame = datagram(scene, PORT);

	if (i & 1)
		memset(frame.src, 0xff, FERRY_ALEN);
	else
		frame.src[0] |= 1;
	return send_frame(scene, &frame);
}

static int other_host(struct scene *scene, int)
{
	struct frame frame = datagram(scene, PORT);

	spoof(frame.dst);
	return send_frame(scene, &frame);
}

static int group(struct scene *scene, int)
{
	struct frame frame = datagram(scene, PORT);

	spoof(frame.dst);
	frame.dst[0] |= 1;
	return send_frame(scene, &frame);
}

#define ATTACK(name, counter) \
	FIXTURE_VARIANT_ADD(attack, name) { \
		.sort = { .send = name, .count = counter } \
	}
#define ATTACK_ANSWERED(name, counter, answer, most) \
	FIXTURE_VARIANT_ADD(attack, name) { \
		.sort = { \
			.send = name, .count = counter, \
			.answers = answer, .limit = most, \
		}, \
	}

ATTACK(rst_guess, "InDropWindow");
ATTACK_ANSWERED(data_guess, "InDropWindow", "OutSegs", CHALLENGES);
ATTACK_ANSWERED(fin_guess, "InDropWindow", "OutSegs", CHALLENGES);
ATTACK_ANSWERED(ack_storm, "InDropWindow", "OutSegs", CHALLENGES);
ATTACK_ANSWERED(asking, "InDropWindow", "OutSegs", CHALLENGES);
ATTACK_ANSWERED(sack_guess, "InDropWindow", "OutSegs", CHALLENGES);
ATTACK_ANSWERED(syn_again, "InDropWindow", "OutSegs", CHALLENGES);
ATTACK_ANSWERED(synack_guess, "InDropWindow", "OutSegs", CHALLENGES);
ATTACK_ANSWERED(data_stray, "InDropNoConnection", "OutRsts", LIMIT);
ATTACK_ANSWERED(synack_stray, "InDropNoConnection", "OutRsts", LIMIT);
ATTACK_ANSWERED(syn_stray, "InDropNoConnection", "OutRsts", LIMIT);
ATTACK(rst_stray, "InDropNoConnection");
ATTACK_ANSWERED(data_at_listener, "InDropRequest", "OutRsts", LIMIT);
ATTACK_ANSWERED(synack_at_listener, "InDropRequest", "OutRsts", LIMIT);
ATTACK(rst_at_listener, "InDropRequest");
ATTACK_ANSWERED(no_port, "InDropNoPort", "OutUnreach", LIMIT);
ATTACK(unreachable, "InDropStrayUnreach");
ATTACK(unreachable__connection, "InDropMalformed");
ATTACK_ANSWERED(echo, "InEchoes", "OutEchoReplies", LIMIT);
ATTACK(echo_reply, "InDropStrayEchoReply");
ATTACK(truncated, "InDropShort");
ATTACK(oversized, "InDropShort");
ATTACK(checksum, "InDropChecksum");
ATTACK(version, "InDropVersion");
ATTACK(kind, "InDropKind");
ATTACK(land, "InDropOwnEcho");
ATTACK(from_all, "InDropBadSource");
ATTACK(other_host, "InDropOtherHost");
ATTACK(group, "InDropNoGroup");

/* The test is in blue. */
FIXTURE_SETUP(attack)
{
	struct scene *scene = &self->scene;
	struct sockaddr_ferry to;

	ASSERT_EQ(0, wire_across(&scene->wire, "ferry"));
	scene->raw = frame_socket("fy0");
	ASSERT_LE(0, scene->raw);
	ASSERT_EQ(0, conn_across(&scene->conn, SOCK_STREAM, PORT, &scene->wire));
	scene->port = sock_port(scene->conn.client);

	ASSERT_EQ(0, net_enter(scene->wire.blue));
	scene->dgram = dgram_at(PORT);
	ASSERT_LE(0, scene->dgram);
	ASSERT_EQ(0, net_enter(scene->wire.red));
	scene->dgram_client = dgram();
	to = sfy(scene->wire.fy1, PORT);
	ASSERT_EQ(0, sock_connect(scene->dgram_client, &to));
	ASSERT_EQ(0, net_enter(scene->wire.blue));
}

FIXTURE_TEARDOWN(attack)
{
	struct scene *scene = &self->scene;

	close(scene->dgram_client);
	close(scene->dgram);
	conn_close(&scene->conn);
	close(scene->raw);
}

/* What has been counted, for who looks for a frame. */
static void say_counters(void)
{
	FILE *file = fopen("/proc/thread-self/net/ferry/stat", "re");
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (!strstr(line, " 0\n"))
			printf("# %s", line);
	if (file)
		fclose(file);
}

/* One that has not come to be counted is waited for, in vain if it never will be. */
static int flood(struct scene *scene, const struct sort *sort, int frames)
{
	long was = stat_of(sort->count);
	int err, i;

	if (was < 0)
		return -ENOENT;
	for (i = 1; i <= frames; i++) {
		err = sort->send(scene, i);
		if (err)
			return err;
		if ((i % BATCH == 0 || i == frames) &&
		    stat_wait(sort->count, was + i) < was + i) {
			say_counters();
			return -ETIMEDOUT;
		}
	}
	return 0;
}

struct attacker {
	struct scene *scene;
	const struct sort *sort;
	int err;
	bool over;
};

static void *attack_meanwhile(void *arg)
{
	struct attacker *attacker = arg;

	attacker->err = flood(attacker->scene, attacker->sort, repeat(FRAMES));
	__atomic_store_n(&attacker->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* A connection from beginning to end. Return: 0 or -errno. */
static int another_connection(struct scene *scene)
{
	struct sockaddr_ferry to = sfy(scene->wire.fy1, PORT);
	char byte = 'x';
	int client, server = -1, ret;

	ret = net_enter(scene->wire.red);
	client = conn_to(SOCK_STREAM, &to);
	ret = ret ?: net_enter(scene->wire.blue);
	if (client < 0)
		return client;
	if (!ret)
		server = conn_accept(scene->conn.listener);
	if (server < 0) {
		close(client);
		return ret ?: server;
	}
	ret = sock_send(client, &byte, 1, 0);
	if (ret == 1)
		ret = sock_await(server, &byte, 1);
	conn_reset(client);
	close(server);
	return ret == 1 ? 0 : ret ?: -EPIPE;
}

static bool flat(void *arg)
{
	return leftover_now().memory <= *(long *)arg + FLAT_KB;
}

/* Every packet that arrived was counted once more. */
static bool all_counted(void *arg)
{
	FILE *file = fopen("/proc/thread-self/net/ferry/stat", "re");
	long *missing = arg, value;
	char word[64];

	if (!file)
		return false;
	*missing = 0;
	while (fscanf(file, "%63s %ld", word, &value) == 2) {
		if (!strcmp(word, "InPackets"))
			*missing += value;
		else if (!strncmp(word, "In", 2))
			*missing -= value;
	}
	fclose(file);
	return !*missing;
}

static void honest_go_on(struct __test_metadata *_metadata, struct scene *scene,
			 const struct sort *sort)
{
	struct attacker attacker = { scene, sort };
	char buf[64], text[] = "honest";
	long before, missing = 0;
	pthread_t thread;

	/* What is made once, and stays, is there before the memory is looked at. */
	ASSERT_EQ(0, flood(scene, sort, BATCH));
	ASSERT_TRUE(carries(scene->conn.client, scene->conn.server, SIZE));
	before = leftover_now().memory;

	ASSERT_EQ(0, pthread_create(&thread, NULL, attack_meanwhile, &attacker));
	do {
		ASSERT_TRUE(carries(scene->conn.client, scene->conn.server, SIZE));
		ASSERT_EQ(0, another_connection(scene));
		ASSERT_EQ(sizeof(text), sock_send(scene->dgram_client, text,
						  sizeof(text), 0));
		ASSERT_EQ(sizeof(text), sock_await(scene->dgram, buf, 64));
		ASSERT_EQ(0, memcmp(text, buf, sizeof(text)));
	} while (!__atomic_load_n(&attacker.over, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	ASSERT_EQ(0, attacker.err);

	EXPECT_TRUE(wait_until(all_counted, &missing)) {
		TH_LOG("%ld packets are not counted", missing);
	}
	EXPECT_TRUE(wait_until(flat, &before)) {
		TH_LOG("%ld KB before, %ld after", before, leftover_now().memory);
	}
}

static const char *const out[] = {
	"OutSegs", "OutRsts", "OutUnreach", "OutEchoReplies", "OutDatagrams",
};

static void read_out(long *counts)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(out); i++)
		counts[i] = stat_of(out[i]);
}

/* Nobody else sends: what leaves are answers. */
static void answers(struct __test_metadata *_metadata, struct scene *scene,
		    const struct sort *sort)
{
	long was[ARRAY_SIZE(out)], now[ARRAY_SIZE(out)];
	long started = clock_ms(), most, sent;
	size_t i;

	read_out(was);
	/* More than may be answered in a second, and in the one before it. */
	ASSERT_EQ(0, flood(scene, sort, repeat(sort->limit == LIMIT ?
					       5 * LIMIT : FRAMES)));
	/* Each second that has begun, and one more for where they are cut. */
	most = sort->limit * ((clock_ms() - started) / 1000 + 2);
	read_out(now);
	for (i = 0; i < ARRAY_SIZE(out); i++) {
		sent = now[i] - was[i];
		if (sort->answers && !strcmp(sort->answers, out[i])) {
			EXPECT_LT(0, sent);
			EXPECT_GE(most, sent);
		} else {
			EXPECT_EQ(0, sent) {
				TH_LOG("%s", out[i]);
			}
		}
	}
}

/* On one wire, which takes as long to make as to attack. */
TEST_F_TIMEOUT(attack, answers__and_honest_go_on, 480)
{
	answers(_metadata, &self->scene, &variant->sort);
	honest_go_on(_metadata, &self->scene, &variant->sort);
}

TEST_HARNESS_MAIN
