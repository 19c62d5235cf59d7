// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses as text, and their names: ethers(5).
 */
#include <ctype.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "addr.h"
#include "command.h"

bool addr_parse(const char *text, __u8 addr[FERRY_ALEN])
{
	char *end;
	int i;

	for (i = 0; i < FERRY_ALEN; i++) {
		if (i && *text++ != ':')
			return false;
		if (!isxdigit((unsigned char)*text))
			return false;
		addr[i] = strtoul(text, &end, 16);
		if (end - text > 2)
			return false;
		text = end;
	}
	return !*text;
}

const char *addr_format(const __u8 addr[FERRY_ALEN],
			char text[ADDR_TEXT_LEN])
{
	snprintf(text, ADDR_TEXT_LEN, "%02x:%02x:%02x:%02x:%02x:%02x",
		 addr[0], addr[1], addr[2], addr[3], addr[4], addr[5]);
	return text;
}

/* ether_ntohost() has no room to be told of, and copies a line of its file. */
#define ETHERS_LINE_LEN	8192

bool addr_name(const __u8 addr[FERRY_ALEN], char name[ADDR_NAME_LEN])
{
	char found[ETHERS_LINE_LEN];
	struct ether_addr ether;
	size_t len;

	memcpy(ether.ether_addr_octet, addr, FERRY_ALEN);
	if (ether_ntohost(found, &ether))
		return false;
	len = strlen(found);
	if (!len || len >= ADDR_NAME_LEN)
		return false;
	memcpy(name, found, len + 1);
	return true;
}

bool addr_find(const char *text, __u8 addr[FERRY_ALEN])
{
	struct ether_addr ether;

	if (addr_parse(text, addr))
		return true;
	if (!*text || ether_hostton(text, &ether))
		return false;
	memcpy(addr, ether.ether_addr_octet, FERRY_ALEN);
	return true;
}

int addr_read(const char *text, struct addr *addr)
{
	const char *device = strchr(text, '%');
	char host[ADDR_NAME_LEN];
	size_t len = device ? (size_t)(device - text) : strlen(text);

	*addr = (struct addr){ .text = text };
	if (len >= sizeof(host))
		return usage_error("'%s' is too long for an address", text);
	memcpy(host, text, len);
	host[len] = '\0';
	if (!strcmp(host, "*") || !strcmp(host, "localhost"))
		memset(addr->addr, 0, FERRY_ALEN);
	else if (!addr_find(host, addr->addr))
		return usage_error("'%s' is neither a MAC address nor a name in /etc/ethers",
				   host);
	if (!device)
		return 0;
	addr->device = if_nametoindex(device + 1);
	if (!addr->device)
		return usage_error("there is no device '%s'", device + 1);
	return 0;
}
