/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ethtool(8) sets of a device, for tests.
 *
 * What can fail returns 0 or a negative errno.
 */
#ifndef _FERRY_TEST_ETHTOOL_H
#define _FERRY_TEST_ETHTOOL_H

#include <stdbool.h>

/* Turn on or off what "ethtool -k" calls so. */
int link_feature(const char *name, const char *feature, bool on);
/*
 * The same of several: both lists are of fnmatch(3)'s patterns, with a blank between
 * two. What a device does not have, or keeps as it is, is -EOPNOTSUPP; all others are
 * set.
 */
int link_features(const char *name, const char *on, const char *off);

/* Interrupts wait until so much time has passed, or so many frames are there. */
int link_coalesce(const char *name, unsigned int usecs, unsigned int frames);

#endif
