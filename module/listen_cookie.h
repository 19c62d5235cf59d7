/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYN cookies of a namespace: the secrets, and when they change. cookie.h tells
 * what a cookie is.
 */
#ifndef _FERRY_LISTEN_COOKIE_H
#define _FERRY_LISTEN_COOKIE_H

#include <linux/spinlock.h>

#include "cookie.h"

/* Older ones are not taken back: two minutes (as Linux TCP). */
#define FERRY_LISTEN_COOKIE_MINUTES	2

/*
 * struct ferry_listen_cookies - of a namespace
 *
 * Guarded by @lock.
 */
struct ferry_listen_cookies {
	spinlock_t			lock;	/* guards the others */
	struct ferry_cookie_keys	keys;
	u32				minute;	/* when the newer was made */
};

void ferry_listen_cookie_init(struct ferry_listen_cookies *cookies);
u64 ferry_listen_cookie_make(struct ferry_listen_cookies *cookies,
			     const struct ferry_cookie_flow *flow,
			     u64 client_isn, u64 now,
			     const struct ferry_cookie_facts *facts);
bool ferry_listen_cookie_check(struct ferry_listen_cookies *cookies,
			       const struct ferry_cookie_flow *flow,
			       u64 client_isn, u64 cookie, u64 now,
			       struct ferry_cookie_facts *facts);

#endif /* _FERRY_LISTEN_COOKIE_H */
