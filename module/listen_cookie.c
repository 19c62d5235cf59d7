// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYN cookies of a namespace. See listen_cookie.h.
 */
#include <linux/random.h>
#include <linux/time64.h>

#include "listen_cookie.h"

/* A secret serves for so long, in minutes; then its cookies get old. */
#define FERRY_LISTEN_COOKIE_KEY_MINUTES	60

static u32 ferry_listen_cookie_minute(u64 now)
{
	return div_u64(now, 60 * USEC_PER_SEC);
}

static void ferry_listen_cookie_rotate(struct ferry_listen_cookies *cookies,
				       u32 minute)
{
	siphash_key_t fresh;

	lockdep_assert_held(&cookies->lock);
	if (minute - cookies->minute < FERRY_LISTEN_COOKIE_KEY_MINUTES)
		return;
	get_random_bytes(&fresh, sizeof(fresh));
	ferry_cookie_rotate(&cookies->keys, &fresh);
	cookies->minute = minute;
}

/**
 * ferry_listen_cookie_init() - new secrets
 * @cookies: the namespace's
 *
 * Context: process.
 */
void ferry_listen_cookie_init(struct ferry_listen_cookies *cookies)
{
	spin_lock_init(&cookies->lock);
	get_random_bytes(&cookies->keys.key, sizeof(cookies->keys.key));
	cookies->keys.current_key = 0;
	cookies->minute = 0;
}

/**
 * ferry_listen_cookie_make() - a cookie
 * @cookies: the namespace's
 * @flow: the SYN's
 * @client_isn: its sequence number
 * @now: the time in microseconds
 * @facts: what it is to remember
 *
 * Context: softirq.
 * Return: the cookie.
 */
u64 ferry_listen_cookie_make(struct ferry_listen_cookies *cookies,
			     const struct ferry_cookie_flow *flow,
			     u64 client_isn, u64 now,
			     const struct ferry_cookie_facts *facts)
{
	u32 minute = ferry_listen_cookie_minute(now);
	u64 cookie;

	spin_lock(&cookies->lock);
	ferry_listen_cookie_rotate(cookies, minute);
	cookie = ferry_cookie_make(&cookies->keys, flow, client_isn, minute,
				   facts);
	spin_unlock(&cookies->lock);
	return cookie;
}

/**
 * ferry_listen_cookie_check() - whether a number is a cookie of ours
 * @cookies: the namespace's
 * @flow: the segment's
 * @client_isn: its sequence number less 1
 * @cookie: its acknowledgment number less 1
 * @now: the time in microseconds
 * @facts: where to store what it remembers
 *
 * Context: softirq.
 * Return: whether it is.
 */
bool ferry_listen_cookie_check(struct ferry_listen_cookies *cookies,
			       const struct ferry_cookie_flow *flow,
			       u64 client_isn, u64 cookie, u64 now,
			       struct ferry_cookie_facts *facts)
{
	bool good;

	spin_lock(&cookies->lock);
	good = ferry_cookie_check(&cookies->keys, flow, client_isn, cookie,
				  ferry_listen_cookie_minute(now),
				  FERRY_LISTEN_COOKIE_MINUTES, facts);
	spin_unlock(&cookies->lock);
	return good;
}
