/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FERRY_INFO.
 */
#ifndef _FERRY_INFO_H
#define _FERRY_INFO_H

#include <uapi/linux/ferry.h>

struct sock;

void ferry_info_get(const struct sock *sk, struct ferry_info *info);

#endif /* _FERRY_INFO_H */
