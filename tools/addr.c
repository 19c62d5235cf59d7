// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses as text.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "addr.h"

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
