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

/* A limit of the usual kernel's, on this one. */
static inline long patient(long limit)
{
	const char *timeout = getenv("FERRY_TIMEOUT");

	return timeout ? limit * atol(timeout) / USUAL_TIMEOUT : limit;
}

static inline unsigned int patient_alarm(unsigned int seconds)
{
	return alarm(patient(seconds));
}

#define alarm patient_alarm

#endif
