// SPDX-License-Identifier: GPL-2.0-only
/* How often: see repeat.h. */
#include <stdlib.h>

#include "repeat.h"

int repeat_least(int count, int least)
{
	const char *percent = getenv("FERRY_REPEAT");

	if (!percent)
		return count;
	count = count * atol(percent) / 100;
	return count > least ? count : least;
}

int repeat(int count)
{
	return repeat_least(count, 1);
}
