// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any SYN gets a cookie that is taken when it is young enough and brings back
 * what it remembered; the same cookie with any change is not.
 */
#include <stdlib.h>
#include <string.h>

#include "user.h"
#include "cookie.h"

#define PROMISE(condition)						\
	do {								\
		if (!(condition))					\
			abort();					\
	} while (0)

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size);

/* The input, as it lies there. */
struct input {
	struct ferry_cookie_flow flow;
	u64	client_isn;
	u32	minute;
	u16	mss;
	u8	code;
	u8	age;
	u64	change;
};

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	static const struct ferry_cookie_keys keys = {
		.key = { { { 1, 2 } }, { { 3, 4 } } },
		.current_key = 1,
	};
	struct ferry_cookie_facts facts, found = { 1, 1 };
	struct input in;
	u64 cookie;
	bool taken;

	if (size < sizeof(in))
		return 0;
	memcpy(&in, data, sizeof(in));
	facts.mss = in.mss;
	facts.code = in.code & FERRY_COOKIE_CODE_MAX;

	cookie = ferry_cookie_make(&keys, &in.flow, in.client_isn, in.minute,
				   &facts);
	PROMISE(!(cookie >> 63));
	PROMISE(!(ferry_cookie_isn(&keys.key[0], &in.flow, in.client_isn) >>
		  63));

	taken = ferry_cookie_check(&keys, &in.flow, in.client_isn,
				   cookie ^ in.change, in.minute + in.age,
				   FERRY_COOKIE_AGE_MAX, &found);
	PROMISE(taken == (!in.change && in.age <= FERRY_COOKIE_AGE_MAX));
	PROMISE(found.mss == (taken ? facts.mss : 1));
	PROMISE(found.code == (taken ? facts.code : 1));
	return 0;
}
