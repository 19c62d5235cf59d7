/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kselftest_harness.h ends a case by alarm(), after 30 seconds or as many as it
 * asks for. On a kernel on which a program may take longer than the usual time,
 * by $FERRY_TIMEOUT, a case may in proportion. To be included before it.
 */
#ifndef _FERRY_TEST_PATIENCE_H
#define _FERRY_TEST_PATIENCE_H

#include <stdlib.h>
#include <unistd.h>

static inline unsigned int patient_alarm(unsigned int seconds)
{
	const char *timeout = getenv("FERRY_TIMEOUT");

	return alarm(timeout ? seconds * atol(timeout) / USUAL_TIMEOUT :
			       seconds);
}

#define alarm patient_alarm

#endif
