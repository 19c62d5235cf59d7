/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Datagram sockets: SOCK_DGRAM.
 */
#ifndef _FERRY_DGRAM_H
#define _FERRY_DGRAM_H

#include <linux/net.h>
#include <net/sock.h>

extern struct proto ferry_dgram_prot;
extern const struct proto_ops ferry_dgram_ops;
extern long ferry_dgram_mem[3];

int ferry_dgram_init(void);
void ferry_dgram_exit(void);

#endif /* _FERRY_DGRAM_H */
