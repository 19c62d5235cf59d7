// SPDX-License-Identifier: GPL-2.0-only
/* How often: see repeat.h. */
#include <stdlib.h>

#include "repeat.h"

int repeat(int count)
{
	const char *percent = getenv("FERRY_REPEAT");

	if (!percent)
		return count;
	count = count * atol(percent) / 100;
	return count > 1 ? count : 1;
}
