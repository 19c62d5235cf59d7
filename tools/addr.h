/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses as text, and their names: ethers(5).
 */
#ifndef FERRY_TOOL_ADDR_H
#define FERRY_TOOL_ADDR_H

#include <net/if.h>
#include <stdbool.h>
#include <linux/types.h>

#include <linux/ferry.h>

/* What addr_format() writes, the final NUL included. */
#define ADDR_TEXT_LEN	sizeof("00:00:00:00:00:00")

/* What addr_name() writes at the most, likewise: a name of the domain name system. */
#define ADDR_NAME_LEN	256

/**
 * struct addr - an address that a user gave
 *
 * @text: as he gave it
 * @addr: the MAC address; all zero is this host
 * @device: the interface by which it is to be reached, or 0
 */
struct addr {
	const char	*text;
	__u8		addr[FERRY_ALEN];
	unsigned int	device;
};

/**
 * addr_parse() - read a MAC address
 * @text: six bytes of one or two hexadecimal digits with colons between them
 * @addr: where to put it; undefined on failure
 *
 * Return: whether @text is a MAC address.
 */
bool addr_parse(const char *text, __u8 addr[FERRY_ALEN]);

/**
 * addr_find() - read a MAC address, or find the one that has a name
 * @text: a MAC address as addr_parse() takes it, or a name of /etc/ethers
 * @addr: where to put it; undefined on failure
 *
 * Return: whether it is one of them.
 */
bool addr_find(const char *text, __u8 addr[FERRY_ALEN]);

/**
 * addr_format() - write a MAC address
 * @addr: the address
 * @text: where to put it
 *
 * Return: @text.
 */
const char *addr_format(const __u8 addr[FERRY_ALEN],
			char text[ADDR_TEXT_LEN]);

/**
 * addr_name() - find the name of a MAC address
 * @addr: the address
 * @name: where to put it
 *
 * Return: whether it has one in /etc/ethers.
 */
bool addr_name(const __u8 addr[FERRY_ALEN], char name[ADDR_NAME_LEN]);

/**
 * addr_read() - read the address of a host
 * @text: a MAC address or a name of /etc/ethers, and after a '%' a device, if wanted;
 *	or '*' or 'localhost', this host
 * @addr: where to put it
 *
 * Return: 0, or EXIT_USAGE after a sentence on stderr.
 */
int addr_read(const char *text, struct addr *addr);

#endif /* FERRY_TOOL_ADDR_H */
