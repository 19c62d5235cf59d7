/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How often a test does what it does again and again.
 */
#ifndef _FERRY_TEST_REPEAT_H
#define _FERRY_TEST_REPEAT_H

/*
 * All of @count, or as many of 100 as $FERRY_REPEAT says, but one at least: a
 * kernel that looks at each allocation and access takes tens of times as long
 * for one, and needs fewer to see what is wrong. scripts/kselftest sets it for
 * such kernels.
 */
int repeat(int count);
/* The same, but @least at least: where fewer would show nothing. */
int repeat_least(int count, int least);

#endif
