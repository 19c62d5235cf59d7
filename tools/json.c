// SPDX-License-Identifier: GPL-2.0-only
/*
 * JSON: what printf() does not do by itself.
 */
#include <stdio.h>

#include "json.h"

void json_string(const char *string)
{
	const unsigned char *c;

	putchar('"');
	for (c = (const unsigned char *)string; *c; c++) {
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c < ' ')
			printf("\\u%04x", *c);
		else
			putchar(*c);
	}
	putchar('"');
}

const char *json_bool(bool value)
{
	return value ? "true" : "false";
}
