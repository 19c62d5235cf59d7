/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory cgroups of accepted sockets.
 */
#ifndef _FERRY_MEMCG_H
#define _FERRY_MEMCG_H

#include <net/sock.h>

#ifdef CONFIG_MEMCG
void ferry_memcg_accept(struct sock *sk);
#else
static inline void ferry_memcg_accept(struct sock *sk)
{
}
#endif

#endif /* _FERRY_MEMCG_H */
