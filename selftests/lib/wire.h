/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two devices on one wire, for tests: what most of them need.
 */
#ifndef _FERRY_TEST_WIRE_H
#define _FERRY_TEST_WIRE_H

#include <linux/ferry.h>

/*
 * struct wire - fy0 and fy1, up and enabled for Ferry
 *
 * fy0 is in the namespace @red, fy1 in @blue, which may be the same.
 */
struct wire {
	int		red, blue;
	unsigned char	fy0[FERRY_ALEN], fy1[FERRY_ALEN];
};

/*
 * Both make new namespaces, go into red, and return 0 or -errno when packets
 * can cross. @kind is "ferry" or "veth".
 */
int wire_across(struct wire *wire, const char *kind);	/* red and blue */
int wire_inside(struct wire *wire, const char *kind);	/* red is blue */

#endif
