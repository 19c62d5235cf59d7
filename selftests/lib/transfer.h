/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Much data over a connection, looked at byte by byte, for tests.
 */
#ifndef _FERRY_TEST_TRANSFER_H
#define _FERRY_TEST_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "conn.h"

/*
 * Another process writes @size bytes, a multiple of 64 KiB and so much at a time,
 * to @from. Return: whether just these arrive at @to.
 */
bool carries(int from, int to, size_t size);
bool carries_both_ways(const struct conn *conn, size_t size);

#endif
