/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * socketpair(2).
 */
#ifndef _FERRY_PAIR_H
#define _FERRY_PAIR_H

struct socket;

int ferry_pair_dgram(struct socket *one, struct socket *other);
int ferry_pair_stream(struct socket *one, struct socket *other);

#endif /* _FERRY_PAIR_H */
