/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses as text.
 */
#ifndef FERRY_TOOL_ADDR_H
#define FERRY_TOOL_ADDR_H

#include <stdbool.h>
#include <linux/types.h>

#include <linux/ferry.h>

/* What addr_format() writes, the final NUL included. */
#define ADDR_TEXT_LEN	sizeof("00:00:00:00:00:00")

/**
 * addr_parse() - read a MAC address
 * @text: six bytes of one or two hexadecimal digits with colons between them
 * @addr: where to put it; undefined on failure
 *
 * Return: whether @text is a MAC address.
 */
bool addr_parse(const char *text, __u8 addr[FERRY_ALEN]);

/**
 * addr_format() - write a MAC address
 * @addr: the address
 * @text: where to put it
 *
 * Return: @text.
 */
const char *addr_format(const __u8 addr[FERRY_ALEN],
			char text[ADDR_TEXT_LEN]);

#endif /* FERRY_TOOL_ADDR_H */
