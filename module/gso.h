/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Large segments: cut into frames where a device cannot do it.
 */
#ifndef _FERRY_GSO_H
#define _FERRY_GSO_H

int ferry_gso_init(void);
void ferry_gso_exit(void);

#endif /* _FERRY_GSO_H */
